"""Modules made of modules: in a row, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from autograd_core.errors import message

from .module import Module
from .named import Named

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


def checked(module: Any, who: str) -> Module:
    """Return a module, or say what was given in its place."""
    if isinstance(module, Module):
        return module
    hint = "nn.Lambda(function)" if callable(module) else ""
    if isinstance(module, type) and issubclass(module, Module):
        hint = f"{module.__name__}()"
    elif isinstance(module, (list, tuple)):
        hint = f"{who}(*modules)" if who == "Sequential" else ""
    raise TypeError(message(who, f"{module!r}", "a Module", hint))


class _Numbered(Module):
    """Modules in an order, under the names "0", "1", ...: what Sequential and ModuleList share."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter([self.__dict__[name] for name in self._modules])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._part(list(self._modules)[index])
        return self.__dict__[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        name = self._name(index)
        self.add_module(name, checked(module, type(self).__name__))

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        if not isinstance(index, slice):
            self._name(index)
        del modules[index]
        self._renumber(modules)

    def __add__(self, other: Iterable[Module]) -> Self:
        return self[:].extend(other)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def _name(self, index: int) -> str:
        names = list(self._modules)
        try:
            return names[index]
        except IndexError:
            raise IndexError(message(
                type(self).__name__, f"index {index}", f"one of {len(names)} modules")) from None  # fmt: skip

    def _part(self, names: list[str]) -> Self:
        """Return some of the modules, under new numbers."""
        part = self._empty()
        part._renumber([self.__dict__[name] for name in names])
        return part

    def _empty(self) -> Self:
        """Return one of the same class without modules: a subclass may be made from something else."""
        part = Module.__new__(type(self))
        part.training = self.training
        return part

    def _renumber(self, modules: Iterable[Any]) -> None:
        if isinstance(modules, Module) and not isinstance(modules, Iterable):
            raise TypeError(message(type(self).__name__, f"one module, {type(modules).__name__}",
                                    "a list of modules", f"{type(self).__name__}([module])"))  # fmt: skip
        modules = [checked(m, type(self).__name__) for m in modules]
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        n = len(self)
        while str(n) in self._modules:  # a part of a Sequential keeps its names
            n += 1
        self.add_module(str(n), checked(module, type(self).__name__))
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before place ``index``; all are numbered anew."""
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take a module out, the last one by default, and return it."""
        module = self[index]
        del self[index]
        return module


class Sequential(_Numbered):
    """Modules in a row: each gets what the one before it returned.

    It has a list's methods, ``a + b`` is a row of both, and ``a * 3`` three times the same modules.

    Args:
        modules: the modules, or one dictionary of them, whose keys become their names.

    Raises:
        TypeError: something in it is not a Module.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> net(np.zeros((4, 2))).shape
    (4, 1)
    >>> net[-1].out_features, len(net[:2])
    (1, 2)
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, checked(module, type(self).__name__))
        else:
            self._renumber(modules)

    def forward(self, x: Any) -> Any:
        values = self.__dict__
        for name in self._modules:
            x = values[name](x)
        return x

    def _part(self, names: list[str]) -> Self:
        """Return some of the modules, under the names that they have here."""
        part = self._empty()
        for name in names:
            part.add_module(name, self.__dict__[name])
        return part

    def __mul__(self, times: int) -> Self:
        return self[:].__imul__(times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        if not isinstance(times, int):
            raise TypeError(message("Sequential", f"a row times {times!r}", "a whole number"))
        if times < 1:
            raise ValueError(message("Sequential", f"a row times {times}", "a positive number"))
        modules = list(self)
        for _ in range(times - 1):
            self.extend(modules)
        return self


class ModuleList(_Numbered):
    """Modules in a list, to be called as the owner's ``forward`` likes.

    Args:
        modules: the modules; none by default.

    >>> from autograd_core import nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self._renumber(() if modules is None else modules)


class ModuleDict(Named):
    """Modules by name, to be called as the owner's ``forward`` likes.

    Args:
        modules: a dictionary, or pairs of name and module; none by default.

    >>> from autograd_core import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(8, 10), "parity": nn.Linear(8, 1)})
    >>> heads["parity"].out_features
    1
    """

    owned = "_modules"

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__(modules)

    def _add(self, name: str, value: Any) -> None:
        self.add_module(name, checked(value, "ModuleDict"))
