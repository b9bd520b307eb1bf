"""Modules or Parameters by name, as a dictionary: what ModuleDict and ParameterDict share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from autograd_core.errors import message

from .module import Module


class Named(Module):
    """A dictionary of what a module owns; a subclass says where that is, and how an entry is added."""

    owned: ClassVar[str]

    def __init__(self, entries: Any = None) -> None:
        super().__init__()
        self.update({} if entries is None else entries)

    @property
    def _entries(self) -> Mapping[str, Any]:
        entries: Mapping[str, Any] = self.__dict__[self.owned]
        return entries

    def _add(self, name: str, value: Any) -> None:
        raise NotImplementedError

    def __getitem__(self, key: str) -> Any:
        if key not in self._entries:
            raise KeyError(message(type(self).__name__, repr(key), f"one of {list(self._entries)}"))
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self._entries and hasattr(self, key):
            raise ValueError(message(type(self).__name__, f"the name {key!r}",
                                     "one that is not an attribute of it already"))  # fmt: skip
        self._add(key, value)

    def __delitem__(self, key: str) -> None:
        delattr(self, key if key in self._entries else self[key])

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._entries))

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return list(self._entries)

    def values(self) -> Iterable[Any]:
        """Return the entries."""
        return [self.__dict__[name] for name in self._entries]

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs of name and entry."""
        return [(name, self.__dict__[name]) for name in self._entries]

    def update(self, entries: Any) -> None:
        """Add or replace entries, of a dictionary or of pairs."""
        for name, value in list(entries.items() if hasattr(entries, "items") else entries):
            self[name] = value

    def pop(self, key: str) -> Any:
        """Take an entry out, and return it."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Take all entries out."""
        for name in self:
            del self[name]
