"""What belongs to a module: its parameters, buffers and sub-modules, by name and below one another."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.tensor import Parameter

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Tree"]

Buffer = ndarray[Any, Any]


class Tree:
    """The part of :class:`nn.Module` that registers what is assigned, and finds it again."""

    # Names only; the values are ordinary attributes, so that reading one costs no search.
    _parameters: dict[str, None]
    _buffers: dict[str, bool]  # name -> is it part of state_dict()
    _modules: dict[str, None]
    training: bool

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Not __init__: a subclass may forget to call it, or assign attributes before it does.
        if args and getattr(args[0], "shape", None) and cls.__module__.startswith("nn."):
            _refuse_data(cls, args)
        self = super().__new__(cls)
        self.__dict__.update(_parameters={}, _buffers={}, _modules={}, _hooks=None, training=True)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in self._buffers:
            b = state[name]
            if b is not None and not b.flags.writeable:  # memory that a pickle lent
                self.__dict__[name] = b.copy()

    # -- in and out ---------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._register(name, self._parameters, None)
        elif isinstance(value, Tree):
            self._register(name, self._modules, None)
        elif name in self._buffers:
            value = _buffer(name, value)
        elif name in self._parameters or name in self._modules:
            if value is not None:
                kind = "Parameter" if name in self._parameters else "Module"
                raise TypeError(message(
                    f"{type(self).__name__}.{name}", f"a {type(value).__name__}",
                    f"a {kind} or None, which it was", f"del module.{name} first"))  # fmt: skip
        object.__setattr__(self, name, value)

    def _register(self, name: str, kind: dict[str, Any], value: Any) -> None:
        if not isinstance(name, str) or "." in name or not name:
            raise ValueError(message(type(self).__name__, f"the name {name!r}",
                                     "a name without dots, which join names"))  # fmt: skip
        if name not in kind:
            for other in (self._parameters, self._buffers, self._modules):
                other.pop(name, None)
        kind[name] = value

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        for kind in (self._parameters, self._buffers, self._modules):
            kind.pop(name, None)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name.isidentifier()]  # not "0", "1"

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter by name; None keeps a place for one that is switched off."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(message("register_parameter", f"a {type(param).__name__}",
                                    "a Parameter or None", "nn.Parameter(array)"))  # fmt: skip
        self._register(name, self._parameters, None)
        object.__setattr__(self, name, param)

    def register_buffer(self, name: str, array: Any, persistent: bool = True) -> None:
        """Add an array that is part of the module's state but is not learnt, such as a mean.

        Args:
            name: the attribute that it becomes, a plain array.
            array: its first value; it is not copied.
            persistent: whether ``state_dict()`` has it.
        """
        self._register(name, self._buffers, persistent)
        object.__setattr__(self, name, _buffer(name, array))

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a sub-module by name, as assigning an attribute does."""
        if module is not None and not isinstance(module, Tree):
            raise TypeError(message("add_module", f"a {type(module).__name__}", "a Module",
                                    "nn.Lambda(function)"))  # fmt: skip
        self._register(name, self._modules, None)
        object.__setattr__(self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Do what ``add_module`` does, under the name that goes with the others."""
        self.add_module(name, module)

    # -- all of it, in order ------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Iterate over the direct sub-modules and their names; a shared one comes once."""
        seen: set[int] = set()
        for name, module in self._members():
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def _members(self) -> list[tuple[str, Any]]:
        """Return the direct sub-modules under each of their names."""
        found = [(name, self.__dict__[name]) for name in self._modules]
        return [(name, module) for name, module in found if module is not None]

    def children(self) -> Iterator[Module]:
        """Iterate over the direct sub-modules."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        """Iterate over the module itself and all below it, with their dotted names.

        >>> from autograd_core import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        >>> [name for name, _ in net.named_modules()]
        ['', '0', '1']
        """
        seen: set[int] = set()
        stack: list[tuple[str, Any, frozenset[int]]] = [(prefix, self, frozenset())]
        while stack:  # no recursion: networks may be deep
            path, module, above = stack.pop()
            if remove_duplicate:
                if id(module) in seen:
                    continue
                seen.add(id(module))
            elif id(module) in above:
                raise ValueError(message(
                    type(self).__name__, f"the module {path!r}, which is one that contains it",
                    "modules that form a tree", "weakref.ref(...) of what stands above"))  # fmt: skip
            yield path, module
            if children := module._members():
                above = above | {id(module)}
                start = f"{path}." if path else ""
                stack += [(start + name, child, above) for name, child in reversed(children)]

    def modules(self) -> Iterator[Module]:
        """Iterate over the module itself and all below it, each once."""
        return (module for _, module in self.named_modules())

    def _named(
        self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Module, str, Any]]:
        """Iterate over what is registered: its dotted name, its owner, its name there, itself."""
        seen: set[int] = set()
        owners: Any = self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in owners:
            for name in getattr(module, kind):
                value = module.__dict__[name]
                if value is None or (remove_duplicate and id(value) in seen):
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), module, name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Iterate over the parameters and their dotted names; a shared one comes once.

        >>> from autograd_core import nn
        >>> [(name, p.shape) for name, p in nn.Linear(2, 3).named_parameters()]
        [('weight', (3, 2)), ('bias', (3,))]
        """
        for path, _, _, value in self._named("_parameters", prefix, recurse, remove_duplicate):
            yield path, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Iterate over the parameters, each once: what an optimizer is given."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Buffer]]:
        """Iterate over the buffers and their dotted names."""
        for path, _, _, value in self._named("_buffers", prefix, recurse, remove_duplicate):
            yield path, value

    def buffers(self, recurse: bool = True) -> Iterator[Buffer]:
        """Iterate over the buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    # -- one of it, by its dotted name --------------------------------------------------------

    def get_submodule(self, target: str) -> Any:
        """Return the module of a dotted name; the empty name is the module itself.

        Raises:
            AttributeError: there is none.

        >>> from autograd_core import nn
        >>> nn.Sequential(nn.Tanh(), nn.Sequential(nn.ReLU())).get_submodule("1.0")
        ReLU()
        """
        module: Any = self
        for name in target.split(".") if target else ():
            if name not in module._modules or module.__dict__[name] is None:
                raise _absent("get_submodule", target, "submodule", module, module._modules)
            module = module.__dict__[name]
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter of a dotted name, or raise an AttributeError."""
        return self._member("get_parameter", target, "parameter", "_parameters")

    def get_buffer(self, target: str) -> Buffer:
        """Return the buffer of a dotted name, or raise an AttributeError."""
        return self._member("get_buffer", target, "buffer", "_buffers")

    def _member(self, who: str, target: str, kind: str, names: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name not in getattr(module, names) or module.__dict__[name] is None:
            raise _absent(who, target, kind, module, getattr(module, names))
        return module.__dict__[name]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in the place of a dotted name, whose parent there must be.

        Args:
            target: the dotted name.
            module: what stands there from now on.
            strict: whether a module must have been there before.

        Raises:
            ValueError: an empty name, or no module.
            AttributeError: no parent; with ``strict``, nothing in this place; something else there.

        >>> from autograd_core import nn
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
        >>> net.set_submodule("1", nn.ReLU())
        >>> net[1]
        ReLU()
        """
        path, _, name = target.rpartition(".")
        if not name or not isinstance(module, Tree):
            raise ValueError(message("set_submodule", f"the name {target!r} and a {type(module).__name__}",
                                     "a name that is not empty, and a Module"))  # fmt: skip
        parent = self.get_submodule(path)
        is_other = name not in parent._modules and hasattr(parent, name)
        if is_other or (strict and name not in parent._modules):
            raise _absent("set_submodule", target, "submodule", parent, parent._modules)
        parent.add_module(name, module)


def _absent(who: str, target: str, kind: str, owner: Any, there: Any) -> AttributeError:
    names = ", ".join(name for name in there if owner.__dict__[name] is not None)
    return AttributeError(
        message(who, repr(target), f"the name of a {kind}: {type(owner).__name__} has {names or 'none'}")
    )


def _buffer(name: str, value: Any) -> Buffer | None:
    """Return a buffer as the plain array that it is."""
    if value is None or type(value) is ndarray:
        return value
    if isinstance(value, ndarray) and not issubclass(type(value), ndarray):  # one that is being captured
        return value
    return np.asarray(value)


def _refuse_data(cls: type[Any], args: tuple[Any, ...]) -> None:
    """Refuse an array in the place of a layer's first setting, as in ``nn.ReLU(x)``."""
    setting = next(iter([*inspect.signature(cls.__init__).parameters][1:]), "")
    weighs = setting == "weight" and (not args[1:] or np.ndim(args[1]) == 0)
    if not weighs and setting != "values" and getattr(getattr(args[0], "dtype", None), "kind", "") == "f":
        raise TypeError(message(
            cls.__name__, f"data of shape {args[0].shape} where a layer is made", "settings",
            f"{cls.__name__}(...)({'x, target' if args[1:] else 'x'})",
        ))  # fmt: skip
