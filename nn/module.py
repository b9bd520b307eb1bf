"""A part of a network that knows its parameters, buffers and sub-modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy import ndarray
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.node import next_id
from autograd_core.tensor import Parameter, Tensor

from .casting import taken
from .show import show
from .state import Loaded, load_state, read_state

__all__ = ["Module"]


class Module:
    """The base of every layer and network: subclass it and write ``forward``.

    Parameters and modules that are assigned to attributes are found again by ``parameters()``,
    ``state_dict()`` and the others, in the order of assignment. Calling the module calls
    ``forward``. Plain arrays handed to a module that owns parameters are taken in the parameters'
    dtype; a Tensor of another floating dtype is a TypeError.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> class Neuron(nn.Module):
    ...     def __init__(self, inputs):
    ...         super().__init__()
    ...         self.w = nn.Parameter(np.zeros(inputs, np.float32))
    ...     def forward(self, x):
    ...         return (x @ self.w).sigmoid()
    >>> Neuron(3)(np.ones((2, 3)))
    tensor([0.5, 0.5], grad_fn=<sigmoid>)
    >>> Neuron(3)
    Neuron()  # 3 parameters: w (3,)
    """

    training: bool
    takes_integers = True  # False: integer arrays are data too, and taken as floats

    # Names only; the values are ordinary attributes, so that reading one costs no search.
    _parameters: dict[str, None]
    _buffers: dict[str, bool]  # name -> is it part of state_dict()
    _modules: dict[str, None]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Not __init__: a subclass may forget to call it, or assign attributes before it does.
        self = super().__new__(cls)
        self.__dict__.update(_parameters={}, _buffers={}, _modules={}, training=True)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. Every subclass states its own."""
        raise NotImplementedError(message(
            type(self).__name__, "a call", "a method forward(self, ...) of the class"))  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        values = self.__dict__
        for name in values["_parameters"]:  # data is taken in their dtype, the first one's
            p = values[name]
            if p is not None:
                dtype = p.data.dtype
                for x in args:
                    if getattr(x, "dtype", None) is not dtype:
                        args = self._taken(args, dtype)
                        break
                if kwargs:
                    kwargs = dict(zip(kwargs, self._taken(kwargs.values(), dtype), strict=True))
                break
        return self.forward(*args, **kwargs)

    def _taken(self, data: Iterable[Any], dtype: Any) -> tuple[Any, ...]:
        """Bring data to the dtype of the parameters; see :mod:`nn.casting`."""
        who, integers = type(self).__name__, self.takes_integers
        return tuple([taken(x, dtype, who, integers) for x in data])

    # -- what belongs to it -------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._register(name, self._parameters, None)
        elif isinstance(value, Module):
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
        if module is not None and not isinstance(module, Module):
            raise TypeError(message("add_module", f"a {type(module).__name__}", "a Module",
                                    "nn.Lambda(function)"))  # fmt: skip
        self._register(name, self._modules, None)
        object.__setattr__(self, name, module)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Iterate over the direct sub-modules and their names."""
        for name in self._modules:
            if (module := self.__dict__[name]) is not None:
                yield name, module

    def children(self) -> Iterator[Module]:
        """Iterate over the direct sub-modules."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True, _seen: set[int] | None = None
    ) -> Iterator[tuple[str, Module]]:
        """Iterate over the module itself and all below it, with their dotted names.

        >>> from autograd_core import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        >>> [name for name, _ in net.named_modules()]
        ['', '0', '1']
        """
        seen = set() if _seen is None else _seen
        if remove_duplicate and id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, child in self.named_children():
            path = f"{prefix}.{name}" if prefix else name
            yield from child.named_modules(path, remove_duplicate, seen)

    def modules(self) -> Iterator[Module]:
        """Iterate over the module itself and all below it, each once."""
        return (module for _, module in self.named_modules())

    def _named(
        self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Module, str, Any]]:
        """Iterate over what is registered: its dotted name, its owner, its name there, itself."""
        seen: set[int] = set()
        owners = self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]
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
    ) -> Iterator[tuple[str, ndarray[Any, Any]]]:
        """Iterate over the buffers and their dotted names."""
        for path, _, _, value in self._named("_buffers", prefix, recurse, remove_duplicate):
            yield path, value

    def buffers(self, recurse: bool = True) -> Iterator[ndarray[Any, Any]]:
        """Iterate over the buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    # -- what is done to all of it ------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch the module and all below it to training (or, with False, to evaluation)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation: what differs in training, such as dropout, is off."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters be learnt, or freeze them."""
        for p in self.parameters():
            p.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or fill them with zeros)."""
        for p in self.parameters():
            p.grad = None if set_to_none or p.grad is None else np.zeros(p.shape, p.dtype)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` with every module below, and then with this one.

        >>> from autograd_core import nn
        >>> def zeros(module):
        ...     if isinstance(module, nn.Linear):
        ...         nn.init.zeros_(module.weight)
        >>> nn.MLP([2, 3, 1]).apply(zeros)[0].weight.sum().item()
        0.0
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, dtype: DTypeLike) -> Self:
        """Convert floating parameters, their gradients and buffers to ``dtype``, in place.

        >>> from autograd_core import nn
        >>> nn.Linear(2, 3).to("float64").weight.dtype
        dtype('float64')
        """
        try:
            kind = np.dtype(dtype)
        except TypeError:
            kind = np.dtype(object)
        if kind.kind not in "fc":
            raise TypeError(message("to", repr(dtype), "a floating NumPy dtype", "'float64'"))
        for p in self.parameters():
            if p.dtype.kind in "fc" and p.dtype != kind:
                p.data = p.data.astype(kind)
                p.version = next_id()
                p.grad = None if p.grad is None else p.grad.astype(kind)
        for _, module, name, b in self._named("_buffers", "", True, False):
            if b.dtype.kind in "fc":
                object.__setattr__(module, name, b.astype(kind, copy=False))
        return self

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(np.float64)

    def float(self) -> Self:
        """Convert to float32."""
        return self.to(np.float32)

    # -- as data, as text ---------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, ndarray[Any, Any]]:
        """Return copies of all parameters and persistent buffers, by dotted name.

        >>> from autograd_core import nn
        >>> sorted(nn.MLP([2, 3, 1]).state_dict())
        ['0.bias', '0.weight', '2.bias', '2.weight']
        """
        return read_state(self, prefix)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Loaded:
        """Copy values into the parameters and buffers, in place.

        Args:
            state_dict: arrays by dotted name, as ``state_dict()`` gives them; anything that
                NumPy takes as an array will do, a PyTorch state too.
            strict: a missing or extra name is an error.

        Returns:
            the names that were missing, and those that were not expected.

        Raises:
            ValueError: it lists every missing, extra and wrongly shaped entry. The module is
                then exactly as it was.
        """
        return load_state(self, state_dict, strict)

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of this module's text."""
        return ""

    def __repr__(self) -> str:
        return show(self)

    def _repr_html_(self) -> str:
        from .summary import summary

        return summary(self)._repr_html_()


def _buffer(name: str, value: Any) -> ndarray[Any, Any] | None:
    """Return a buffer as the plain array that it is."""
    if value is None or type(value) is ndarray:
        return value
    return np.asarray(value)
