"""Optimizers that see all parameters as one vector, and evaluate the loss several times in a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import enable_grad, no_grad
from autograd_core.ducks import duck
from autograd_core.errors import CompileError, message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .groups import Slots
from .optimizer import Optimizer

__all__ = ["VectorOptimizer"]

Array = ndarray[Any, Any]


class VectorOptimizer(Optimizer):
    """The base of :class:`LBFGS`, :class:`Newton` and :class:`GaussNewton`.

    All parameters, in one group, make one vector x; what is remembered of it stands in ``state`` under the
    first parameter. ``step`` needs a closure, which computes the loss anew.

    Attributes:
        needs_closure: True, for whoever writes a training loop for all optimizers.
        closure_form: ``"backward"`` where the closure calls ``backward()`` on the loss that it returns,
            ``"loss"`` where it only returns it, ``"outputs"`` where it returns the outputs and a function
            that gives the loss of them.
        vectors: the names of arrays in the state whose last axis is that of x.
        numbers: the names of the other arrays in the state.
    """

    needs_closure = True
    closure_form = "backward"
    vectors: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Accept the one group of parameters; a second one is a ValueError."""
        if self.param_groups:
            raise ValueError(message(
                type(self).__name__, "a second group of parameters", "one: all parameters are one vector",
                "one list of them, or an optimizer for each group"))  # fmt: skip
        super().add_param_group(param_group)

    @property
    def params(self) -> list[Tensor]:
        """The parameters, in the order in which they make x."""
        found: list[Tensor] = self.param_groups[0]["params"]
        return found

    @property
    def memory(self) -> Slots:
        """What is remembered: arrays by name."""
        return self.state.setdefault(self.params[0], Slots())

    def remember(self, arrays: Mapping[str, Any]) -> None:
        """Let these arrays be what is remembered under their names."""
        for name, value in arrays.items():
            self.memory.place(name, np.asarray(value))

    def parts(self) -> Iterator[tuple[Tensor, slice]]:
        """Iterate over the parameters with their places in x."""
        start = 0
        for p in self.params:
            yield p, slice(start, start + p.size)
            start += p.size

    def flat(self, arrays: list[Any]) -> Array:
        """Join an array for each parameter to one vector; None stands for zeros."""
        return np.concatenate([
            np.zeros(p.size, p.dtype) if a is None else np.reshape(strip(a), -1)
            for p, a in zip(self.params, arrays, strict=True)
        ])  # fmt: skip

    def split(self, x: Array) -> list[Array]:
        """Cut a vector into an array for each parameter, of its shape and dtype."""
        return [x[at].reshape(p.shape).astype(p.dtype, copy=False) for p, at in self.parts()]

    def copies(self) -> list[tuple[Array, int]]:
        """Copy the parameters, for :meth:`put`, with their versions."""
        return [(np.array(strip(p)), p.version) for p in self.params]

    def put(self, copies: list[tuple[Array, int]]) -> None:
        """Put the parameters back, in place; graphs that were recorded then are valid again."""
        for p, (value, version) in zip(self.params, copies, strict=True):
            if p.requires_grad:
                with no_grad():
                    p.writable("step")[...] = value
                p.version = version

    def move(self, length: float, direction: Array) -> None:
        """Move x by ``length * direction``, in place; frozen parameters stay."""
        for p, part in zip(self.params, self.split(direction), strict=True):
            if p.requires_grad:
                with no_grad():
                    p.writable("step")[...] += p.dtype.type(length) * part

    def frozen(self) -> Array | None:
        """Tell which numbers of x do not require grad; None if all do."""
        if all(p.requires_grad for p in self.params):
            return None
        return np.concatenate([np.full(p.size, not p.requires_grad) for p in self.params])

    def see_values(self) -> None:
        """Refuse to be a part of a step that is captured, as a step goes by what the loss is.

        Raises:
            CompileError: the step is being captured.
        """
        if duck([strip(p) for p in self.params]) is not None:
            closure = " or to compile the closure alone" if self.closure_form == "backward" else ""
            raise CompileError(message(
                f"{type(self).__name__}.step", "a step that is being captured",
                "one outside of a compiled function, as the values of the loss say how far to go",
                f"fallback=True,{closure}".rstrip(",")))  # fmt: skip

    def evaluated(self, closure: Callable[[], Any] | None, record: bool = True) -> Any:
        """Return what the closure returns; it runs with recording on, or off."""
        if closure is None or not callable(closure):
            who = type(self).__name__
            raise TypeError(message(f"{who}.step", f"a closure of type {type(closure).__name__}",
                                    "a function that computes the loss anew",
                                    f"optimizer.step(closure); see {who}"))  # fmt: skip
        with enable_grad() if record else no_grad():
            return closure()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state from what ``state_dict()`` returned, here or in PyTorch."""
        groups, saved = state_dict["param_groups"], state_dict["state"]
        first = next((i for group in groups for i in group["params"]), 0)
        x = self.flat([None] * len(self.params))
        loaded = {}
        for name, value in saved.get(first, {}).items():
            parts = value if isinstance(value, list) else [value]  # PyTorch keeps the history in lists
            if name not in self.vectors + self.numbers or not parts or parts[0] is None:
                continue
            array = np.stack([np.asarray(strip(part)) for part in parts])
            array = array if isinstance(value, list) else array[0]
            if name in self.vectors and array.shape[-1:] != x.shape:
                raise ValueError(message(
                    f"{type(self).__name__}.load_state_dict", f"{name} of shape {array.shape}",
                    f"a last axis of {x.size}, as many as there are numbers in the parameters"))  # fmt: skip
            loaded[name] = array.astype(x.dtype) if name in self.vectors else array
        super().load_state_dict({**state_dict, "state": {}})
        self.remember(loaded)
