"""Modules made of modules: in a row, in a list, in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from autograd_core.errors import message

from .module import Module

__all__ = ["Lambda", "ModuleDict", "ModuleList", "Sequential"]


def checked(module: Any, who: str) -> Module:
    """Return a module, or say what was given in its place."""
    if isinstance(module, Module):
        return module
    hint = "nn.Lambda(function)" if callable(module) else ""
    if isinstance(module, type) and issubclass(module, Module):
        hint = f"{module.__name__}()"
    raise TypeError(message(who, f"{module!r}", "a Module", hint))


class _Numbered(Module):
    """Modules under the names "0", "1", ...: what Sequential and ModuleList share."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter([self.__dict__[name] for name in self._modules])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self)
        if isinstance(index, slice):
            part: Any = Module.__new__(type(self))
            part.training = self.training
            part._renumber(modules[index])
            return part
        try:
            return modules[index]
        except IndexError:
            raise IndexError(message(
                type(self).__name__, f"index {index}", f"one of {len(modules)} modules"
            )) from None  # fmt: skip

    def __setitem__(self, index: int, module: Module) -> None:
        modules = list(self)
        modules[index] = checked(module, type(self).__name__)
        self._renumber(modules)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index]
        self._renumber(modules)

    def _renumber(self, modules: Iterable[Any]) -> None:
        modules = [checked(m, type(self).__name__) for m in modules]
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), checked(module, type(self).__name__))
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before place ``index``; those after it move on."""
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        for module in modules:
            self.append(module)
        return self


class Sequential(_Numbered):
    """Modules in a row: each gets what the one before it returned.

    Args:
        modules: the modules, or one dictionary of them, whose keys become their names.

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
        try:
            for name in self._modules:
                x = values[name](x)
        except (ValueError, TypeError) as error:
            error.add_note(f"in layer ({name}) of {type(self).__name__}: {values[name]!r}")
            raise
        return x


class ModuleList(_Numbered):
    """Modules in a list, to be called as the owner's ``forward`` likes.

    >>> from autograd_core import nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self._renumber(modules)


class ModuleDict(Module):
    """Modules by name, to be called as the owner's ``forward`` likes.

    >>> from autograd_core import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(8, 10), "parity": nn.Linear(8, 1)})
    >>> heads["parity"].out_features
    1
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        if key not in self._modules:
            raise KeyError(message("ModuleDict", repr(key), f"one of {list(self._modules)}"))
        return self.__dict__[key]

    def __setitem__(self, key: str, module: Module) -> None:
        if key not in self._modules and hasattr(self, key):
            raise ValueError(message("ModuleDict", f"the name {key!r}",
                                     "one that is not an attribute of it already"))  # fmt: skip
        self.add_module(key, checked(module, "ModuleDict"))

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return list(self._modules)

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return [self.__dict__[name] for name in self._modules]

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return pairs of name and module."""
        return [(name, self.__dict__[name]) for name in self._modules]

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace modules by name."""
        for name, module in modules.items():
            self[name] = module


class Lambda(Module):
    """A function as a module, so that it can stand in a row of them.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Sequential(nn.Linear(2, 2), nn.Lambda(np.sin))
    Sequential(
      (0): Linear(in_features=2, out_features=2, bias=True)  # 6: weight (2, 2), bias (2,)
      (1): Lambda(sin)
    )  # 6 parameters in 2 arrays, float32, 24 bytes
    """

    def __init__(self, function: Any) -> None:
        super().__init__()
        if not callable(function):
            raise TypeError(message("Lambda", repr(function), "a function"))
        self.function = function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))
