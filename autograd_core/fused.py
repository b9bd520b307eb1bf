"""An operation with two kernels of its own: its definition says what it is, the kernels are faster.

A scan over time steps, written with operations, is a graph of thousands of nodes; as one node with a
hand-written loop forward and another one back it is many times faster. The definition stays: forward mode and
gradients of gradients read it, and tests hold the kernels to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from .docs import parameters_of
from .ops import concatenate, reshape
from .primitive import Operation, declare, kernel
from .transforms import jvp, vjp

__all__ = ["fused"]


def fused(
    definition: Callable[..., Any], forward: Callable[..., Any], backward: Callable[..., None], **known: Any
) -> Operation:
    """Declare the operation ``definition(*inputs, **params)``, computed by two kernels.

    Args:
        definition: a function of the library's operations that returns one Tensor. All inputs and the
            output have one floating dtype.
        forward: ``forward(*inputs, **params)`` returns its value; it sees arrays.
        backward: ``backward(g, y, *inputs, out=arrays, **params)`` writes the gradient of each input into
            the array that ``out`` has for it, which is not initialised.
        known: ``name``, ``doc``, ``flops``, as of a primitive.

    >>> import numpy as np, autograd_core as ag
    >>> def backward(g, y, x, out):
    ...     out[0][...] = 3 * g * x * x
    >>> cube = fused(lambda x: x * x * x, lambda x: x**3, backward, name="cube")
    >>> ag.grad(cube)(2.0), ag.grad(ag.grad(cube))(2.0)
    (np.float64(12.0), np.float64(12.0))
    """
    arity = sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
                for p in parameters_of(definition).values())  # fmt: skip
    name = known.pop("name", definition.__name__.strip("_"))

    def gradients(g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        """Return the gradients of all inputs, one after the other in one array."""
        flat = np.empty(sum(x.size for x in inputs), y.dtype)
        backward(g, y, *inputs, out=_parts(flat, inputs), **params)
        return flat

    def defined(params: Any, g: Any, *inputs: Any) -> Any:
        _, pull = vjp(partial(definition, **params), *inputs)
        return concatenate([reshape(x, (-1,)) for x in pull(g)])

    def again(h: Any, flat: Any, g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        _, pull = vjp(partial(defined, params), g, *inputs)
        g_bar, *bars = pull(h)
        return (g_bar, None, *bars)  # y is a function of the inputs, and has been differentiated as such

    def push_again(ts: Any, flat: Any, g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        return _push(partial(defined, params), (g, *inputs), (ts[0], *ts[2:]))

    pulled = declare(kernel(gradients), joint=again, name=f"{name}_gradients", arity=arity + 2)
    pulled.defjvp(joint=push_again)
    operation = declare(
        kernel(forward), name=name, arity=arity, **known,
        joint=lambda g, y, *inputs, **params: _parts(pulled(g, y, *inputs, **params), inputs),
    )  # fmt: skip
    operation.defjvp(joint=lambda ts, y, *inputs, **params: _push(partial(definition, **params), inputs, ts))
    return operation


def _parts(flat: Any, inputs: Any) -> tuple[Any, ...]:
    """Return the pieces of a vector that have the shapes of the inputs, as views."""
    ends = list(accumulate(prod(x.shape) for x in inputs))
    return tuple(flat[end - prod(x.shape) : end].reshape(x.shape) for end, x in zip(ends, inputs))


def _push(f: Any, inputs: Any, ts: Any) -> Any:
    filled = [np.zeros(x.shape, x.dtype) if t is None else t for t, x in zip(ts, inputs)]
    return jvp(f, inputs, filled)[1]
