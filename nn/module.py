"""A part of a network that knows its parameters, buffers and sub-modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy import ndarray
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.node import next_id
from autograd_core.tensor import Tensor

from .casting import taken
from .hooks import Call, Hooked
from .show import show
from .state import Loaded, load_state, read_state
from .tree import Tree
from .where import locate

__all__ = ["Module"]


class Module(Tree, Hooked):
    """The base of every layer and network: subclass it and write ``forward``.

    Parameters and modules that are assigned to attributes are found again by ``parameters()``,
    ``state_dict()`` and the others, in the order of assignment. Calling the module calls
    ``forward``. Plain arrays handed to a module with parameters are taken in the parameters'
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

    takes_integers = True  # False: integer arrays are data too, and taken as floats

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. Every subclass states its own."""
        raise NotImplementedError(message(
            type(self).__name__, "a call", "a method forward(self, ...) of the class"))  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        values = self.__dict__
        call = None
        try:
            if values["_hooks"] is not None:
                call = Call(self, args, kwargs)
                args, kwargs = call.before()
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
            else:
                for x in args:
                    if type(x) is ndarray and x.dtype.char == "d":  # a column of a CSV file
                        args = self._taken_below(args)
                        break
            if call is None:
                return self.forward(*args, **kwargs)
            return call.forward(args, kwargs)
        except Exception as error:
            if type(error) is not RecursionError:  # there is no room for another call
                if call is not None:
                    call.failed()
                locate(error, self, [*args, *kwargs.values()])
            raise

    def _taken(self, data: Iterable[Any], dtype: Any) -> tuple[Any, ...]:
        """Bring data to the dtype of the parameters; see :mod:`nn.casting`."""
        who, integers = type(self).__name__, self.takes_integers
        return tuple([taken(x, dtype, who, integers) for x in data])

    def _taken_below(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Bring data to the dtype of the first parameter of a sub-module, if there is one."""
        p = next(self.parameters(), None)
        return args if p is None else self._taken(args, p.dtype)

    # -- what is done to all of it ------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch the module and all below it to training (or, with False, to evaluation)."""
        if not isinstance(mode, (bool, np.bool_)):
            raise TypeError(message("train", f"mode={mode!r}", "True or False"))
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

        The device ``"cpu"`` is taken too: everything is there.

        Raises:
            TypeError: another device; no floating dtype; or float16, in which processors do not compute:
                NumPy would be many times slower than in float32, and gradients would vanish below 6e-8.

        >>> from autograd_core import nn
        >>> nn.Linear(2, 3).to("float64").weight.dtype
        dtype('float64')
        """
        if isinstance(dtype, str):
            device, _, _ = dtype.partition(":")
            if device == "cpu":
                return self
            if device in ("cuda", "mps", "xpu"):
                raise TypeError(message("to", f"the device {dtype!r}", "a floating NumPy dtype: everything "
                                        "is computed on the CPU", "leaving it out"))  # fmt: skip
        try:
            kind = np.dtype(dtype)
        except TypeError:
            kind = np.dtype(object)
        if kind == np.float16:
            raise TypeError(message(
                "to", "float16, which is for storing numbers", "float32 or float64",
                "nn.save_file({k: v.astype('float16') for k, v in model.state_dict().items()}, path)"
            ))  # fmt: skip
        if kind.kind not in "fc":
            raise TypeError(message("to", repr(dtype), "a floating NumPy dtype", "'float64'"))
        for p in self.parameters():
            if p.dtype.kind in "fc" and p.dtype != kind:
                p.data = p.data.astype(kind)
                p.version = next_id()
                p.grad = None if p.grad is None else p.grad.astype(kind)
        made: dict[int, Any] = {}  # what two modules share they share afterwards
        for _, module, name, b in list(self._named("_buffers", "", True, False)):
            if b.dtype.kind in "fc":
                object.__setattr__(module, name, made.setdefault(id(b), b.astype(kind, copy=False)))
        return self

    def type(self, dst_type: DTypeLike) -> Self:
        """Do what ``to`` does."""
        return self.to(dst_type)

    def double(self) -> Self:
        """Convert to float64."""
        return self.to(np.float64)

    def half(self) -> Self:
        """Refuse, as ``to`` does with float16."""
        return self.to(np.float16)

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
            state_dict: arrays by dotted name, as ``state_dict()`` and ``nn.load_file`` give
                them; anything that NumPy takes as an array will do, a PyTorch state too.
            strict: a missing or extra name is an error.

        Returns:
            the names that were missing, and those that were not expected.

        Raises:
            ValueError: it lists every entry that is missing, extra, of a wrong shape, or of values
                that the dtype here cannot hold. The module is then exactly as it was.
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
