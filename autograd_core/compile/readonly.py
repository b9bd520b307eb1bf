"""Places that are only looked at: what a guard compares, where there is nothing that could be put there."""

from __future__ import annotations

from typing import Any

from .place import Name, Place

__all__ = ["Absent", "Contents", "Has", "Keys", "Truth", "truth"]


class Contents(Place):
    """What is in a set, or in bytes that can be written to."""

    kind = "set"

    def get(self) -> Any:
        return contents(self.holder)

    def text(self, name: Name) -> str:
        return f"{name(contents)}({name(self.holder)})"

    def __repr__(self) -> str:
        return f"a {type(self.holder).__name__}"


class Keys(Place):
    """The keys of the dictionary at another place, in their order."""

    kind = "keys"

    def get(self) -> Any:
        return tuple(self.holder.get())

    def text(self, name: Name) -> str:
        return f"tuple({self.holder.text(name)})"

    def __repr__(self) -> str:
        return f"the keys of {self.holder!r}"


class Truth(Place):
    """Whether the number at another place is 0."""

    kind = "truth"

    def get(self) -> Any:
        return truth(self.holder.get())

    def text(self, name: Name) -> str:
        return f"{name(truth)}({self.holder.text(name)})"

    def __repr__(self) -> str:
        return f"whether {self.holder!r} is 0"


class Absent(Place):
    """Whether none of some names is in a dictionary."""

    kind = "absent"

    def get(self) -> Any:
        return self.holder.keys().isdisjoint(self.key)

    def text(self, name: Name) -> str:
        return f"{name(self.holder)}.keys().isdisjoint({name(self.key)})"

    @property
    def id(self) -> Any:
        return self.kind, id(self.holder), self.key

    def __repr__(self) -> str:
        return f"a global name ({', '.join(sorted(self.key & self.holder.keys())) or 'not there yet'})"


class Has(Place):
    """Whether an object has an attribute."""

    kind = "has"

    def get(self) -> Any:
        return hasattr(self.holder, self.key)

    def text(self, name: Name) -> str:
        return f"hasattr({name(self.holder)}, {self.key!r})"

    def __repr__(self) -> str:
        return f"{type(self.holder).__name__}.{self.key}"


def truth(x: Any) -> bool:
    return any(x) if type(x) in (tuple, list) else bool(x)


def contents(x: Any) -> Any:
    return frozenset(x) if isinstance(x, (set, frozenset)) else bytes(x)
