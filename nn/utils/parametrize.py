"""Parametrizations: a module's weight as a function of other parameters, computed whenever it is read.

    parametrize.register_parametrization(layer, "weight", Symmetric())

moves the Parameter to ``layer.parametrizations.weight.original`` and lets ``layer.weight`` be
``Symmetric()(original)``. Names, and with them the keys of ``state_dict()``, are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, ClassVar, cast

import numpy as np

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Parameter

from ..casting import taken
from ..containers import ModuleDict
from ..module import Module

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
]  # fmt: skip

_cache: ContextVar[dict[int, Any] | None] = ContextVar("parametrizations", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized value once within a ``with`` block: a recurrent cell's, say, over its steps.

    >>> from autograd_core import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    token = _cache.set({} if (now := _cache.get()) is None else now)
    try:
        yield
    finally:
        _cache.reset(token)


class ParametrizationList(Module):
    """The originals of one parametrized value, and the modules that make it of them, in their order."""

    def __init__(self, modules: Sequence[Module], original: Parameter) -> None:
        super().__init__()
        value: Any = _inverse(modules, strip(original))
        several = isinstance(value, (tuple, list))
        names = [f"original{i}" for i in range(len(value))] if several else ["original"]
        for name, v in zip(names, value if several else [value], strict=True):
            p = original if v is strip(original) else Parameter(np.array(strip(v), original.dtype))
            p.requires_grad = original.requires_grad
            self.register_parameter(name, p)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    @property
    def several(self) -> bool:
        """Whether there is more than one original."""
        return "original" not in self._parameters

    def __getitem__(self, i: int) -> Any:
        return list(self.children())[i]

    def __len__(self) -> int:
        return len(self._modules)

    def add(self, module: Module) -> None:
        """Put another function around the value, and let the value stay where its inverse allows it."""
        value = strip(self())
        self.add_module(str(len(self._modules)), module)
        self.assign(value)

    def assign(self, value: Any) -> None:
        """Set the originals so that the value becomes ``value``, as well as the inverses can."""
        value = _inverse(list(self.children()), value)
        with no_grad():
            for p, v in zip(self.parameters(recurse=False), value if self.several else [value], strict=True):
                p.writable("parametrize")[...] = strip(v)

    def forward(self) -> Any:
        first, *others = self.children()
        x = first(*(self.__dict__[name] for name in self._parameters))
        for module in others:
            x = module(x)
        return x


def _inverse(modules: Sequence[Module], value: Any) -> Any:
    """Return the originals of a value; a module without ``right_inverse`` is passed over."""
    for module in reversed(modules):
        inverse = getattr(module, "right_inverse", None)
        value = value if inverse is None else inverse(value)
    return value


def _read(name: str, module: Any) -> Any:
    own, values = module.parametrizations[name], _cache.get()
    if values is None:
        return own()
    if id(own) not in values:
        values[id(own)] = own()
    return values[id(own)]


class _Parametrized:
    """What the class of a module with parametrized values adds to the module's own class."""

    parametrizations: Any
    parametrized: ClassVar[tuple[str, ...]] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module = cast(Module, self)
        dtype = next(iter(self.parametrizations.parameters())).dtype  # there may be no other parameter
        who, integers = type(self).__name__, module.takes_integers
        args = tuple([taken(x, dtype, who, integers) for x in args])
        kwargs = {name: taken(x, dtype, who, integers) for name, x in kwargs.items()}
        with cached():  # so that a layer may read its weight more than once
            return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.parametrized:
            self.parametrizations[name].assign(strip(value))
        else:
            super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        state = cast(Any, super().__reduce_ex__(protocol))[2]
        return _made, (_base(self), self.parametrized), state


def _base(module: Any) -> type:
    """Return the class that the module had before."""
    cls = type(module)
    return cls.__mro__[2] if isinstance(module, _Parametrized) else cls


@cache
def _class(base: type, names: tuple[str, ...]) -> type:
    """Return ``base`` with a property for each of the names."""
    space: dict[str, Any] = {name: property(partial(_read, name)) for name in names}
    space |= {"parametrized": names, "__module__": base.__module__, "__doc__": base.__doc__}
    return type(f"Parametrized{base.__name__}", (_Parametrized, base), space)


def _made(base: type, names: tuple[str, ...]) -> Any:
    cls: Any = _class(base, names)
    return cls.__new__(cls)


def is_parametrized(module: Module, name: str | None = None) -> bool:
    """Tell whether the module has parametrized values, or this one.

    >>> from autograd_core import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> nn.utils.parametrize.is_parametrized(layer), nn.utils.parametrize.is_parametrized(layer, "bias")
    (True, False)
    """
    names = getattr(type(module), "parametrized", ())
    return bool(names) if name is None else name in names


def register_parametrization(
    module: Module, name: str, parametrization: Module, unsafe: bool = False
) -> Module:
    """Let ``module.name`` be ``parametrization(original)``, with ``original`` the parameter that is learnt.

    The module becomes one of a subclass, ``Parametrized...``, in place; copies and pickles keep it.

    Args:
        module: any module.
        name: of one of its parameters.
        parametrization: a module from the original, or several originals, to a value of the parameter's shape
            and dtype. ``right_inverse(value)``, where it has one, returns the original (or a tuple of them)
            to start from, and is what assigning to ``module.name`` asks.
        unsafe: do not check shape and dtype.

    Returns:
        the module.

    Raises:
        ValueError: the module has no such parameter; the value has another shape or dtype.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return (x + x.T) / 2
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight.numpy() == layer.weight.numpy().T).all())
    True
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original']
    """
    module_any: Any = module
    if is_parametrized(module, name):
        module_any.parametrizations[name].add(parametrization)
        return module
    original = module.__dict__.get(name) if name in module._parameters else None
    if original is None:
        raise ValueError(message("register_parametrization", f"the name {name!r}",
                                 f"one of {list(module._parameters)}"))  # fmt: skip
    own = ParametrizationList([parametrization], original).train(module.training)
    if not unsafe:
        value = own()
        if np.shape(value) != original.shape or value.dtype != original.dtype:
            raise ValueError(message(
                "register_parametrization", f"a value of shape {np.shape(value)} and dtype {value.dtype}",
                f"shape {original.shape} and dtype {original.dtype}", "unsafe=True"))  # fmt: skip
    delattr(module, name)
    if not is_parametrized(module):
        module_any.parametrizations = ModuleDict()
    module_any.parametrizations[name] = own
    module.__class__ = _class(_base(module), (*getattr(type(module), "parametrized", ()), name))
    return module


def remove_parametrizations(module: Module, name: str, leave_parametrized: bool = True) -> Module:
    """Let ``module.name`` be an ordinary Parameter again.

    Args:
        module: the module.
        name: of the parametrized value.
        leave_parametrized: keep the value as it is now; False: take the original, which must be one.

    Returns:
        the module.

    Raises:
        ValueError: it is not parametrized; there are several originals to go back to.

    >>> from autograd_core import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=3, bias=True)  # 9 parameters: bias (3,), weight (3, 2)
    """
    if not is_parametrized(module, name):
        raise ValueError(message("remove_parametrizations", f"the name {name!r}",
                                 f"one of {list(getattr(type(module), 'parametrized', ()))}"))  # fmt: skip
    module_any: Any = module
    own = module_any.parametrizations[name]
    if own.several and not leave_parametrized:
        raise ValueError(message("remove_parametrizations", "leave_parametrized=False of several originals",
                                 "leave_parametrized=True"))  # fmt: skip
    p: Any = next(own.parameters(recurse=False))
    if leave_parametrized:
        value = np.array(strip(getattr(module, name)))
        if own.several:
            p = Parameter(value, requires_grad=p.requires_grad)
        else:
            with no_grad():
                p.writable("remove_parametrizations")[...] = value
    names = tuple(n for n in cast(Any, type(module)).parametrized if n != name)
    base = _base(module)
    module.__class__ = _class(base, names) if names else base
    delattr(module_any.parametrizations, name)
    if not names:
        del module_any.parametrizations
    module.register_parameter(name, p)
    return module


def checked_parameter(who: str, module: Module, name: str) -> Any:
    """Return a parameter, or parametrized value, of a module; there must be one."""
    p = getattr(module, name, None) if name in module._parameters or is_parametrized(module, name) else None
    if p is None:
        raise ValueError(message(who, f"the name {name!r}", f"one of {list(module._parameters)}"))
    return p
