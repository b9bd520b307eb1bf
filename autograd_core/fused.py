"""An operation with two kernels of its own: its definition says what it is, the kernels are faster.

A scan over time steps, written with operations, is a graph of thousands of nodes; as one node with a
hand-written loop forward and another one back it is many times faster. The definition stays: forward mode and
gradients of gradients read it, and tests hold the kernels to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter
from typing import Any, cast

import numpy as np

from .docs import parameters_of
from .kernels.memory import memory_for, pieces, scratch
from .ops import concatenate, reshape
from .primitive import Operation, declare, kernel
from .transforms import jvp, vjp

__all__ = ["fused", "pushed"]


def fused(
    definition: Callable[..., Any], forward: Callable[..., Any], backward: Callable[..., None],
    memory: Callable[..., int] | None = None, **known: Any,
) -> Operation:  # fmt: skip
    """Declare the operation ``definition(*inputs, **params)``, computed by two kernels.

    Args:
        definition: a function of the library's operations that returns one Tensor. All inputs and the
            output have one floating dtype.
        forward: ``forward(*inputs, **params)`` returns its value; it sees arrays. With a parameter ``out``,
            by default None, it fills the array that is given there, in which anything may stand.
        backward: ``backward(g, y, *inputs, out=arrays, **params)`` writes the gradient of each input into
            the array that ``out`` has for it, which is not initialised.
        memory: ``memory(*inputs, **params)`` returns the length of a vector that forward fills for
            backward, so that this need not compute it again; both get it after their inputs. It is
            dropped with what else the node saved.
        known: ``name``, ``doc``, ``flops``, as of a primitive.

    >>> import numpy as np, autograd_core as ag
    >>> def backward(g, y, x, out):
    ...     out[0][...] = 3 * g * x * x
    >>> cube = fused(lambda x: x * x * x, lambda x: x**3, backward, name="cube")
    >>> ag.grad(cube)(2.0), ag.grad(ag.grad(cube))(2.0)
    (np.float64(12.0), np.float64(12.0))
    """
    arity = _number_of_inputs(definition)
    more = 0 if memory is None else 1  # inputs that are no input of the definition
    name = known.pop("name", definition.__name__.strip("_"))

    def gradients(g: Any, y: Any, *inputs: Any, out: Any = None, **params: Any) -> Any:
        """Return the gradients of all inputs, one after the other in one array."""
        own = inputs[: len(inputs) - more]
        flat = memory_for(out, sum(x.size for x in own), y.dtype)
        backward(g, y, *inputs, out=pieces(flat, *[x.shape for x in own]), **params)
        return flat

    def defined(params: Any, g: Any, *inputs: Any) -> Any:
        _, pull = vjp(partial(definition, **params), *inputs)
        return concatenate([reshape(x, (-1,)) for x in pull(g)])

    def again(h: Any, flat: Any, g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        _, pull = vjp(partial(defined, params), g, *inputs[: len(inputs) - more])
        g_bar, *bars = pull(h)
        return (g_bar, None, *bars, *(None,) * more)  # y is a function of the inputs, differentiated as such

    def push_again(ts: Any, flat: Any, g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        n = len(inputs) - more
        return pushed(partial(defined, params), (g, *inputs[:n]), (ts[0], *ts[2 : 2 + n]))

    pulled = declare(kernel(gradients, out=True), joint=again, name=f"{name}_gradients",
                     arity=None if arity is None else arity + more + 2)  # fmt: skip
    pulled.defjvp(joint=push_again)

    def pull(g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        own = inputs[: len(inputs) - more]
        parts = pieces(pulled(g, y, *inputs, **params), *[x.shape for x in own])
        return (*parts, *(None,) * more)

    def push(ts: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        n = len(inputs) - more
        return pushed(partial(definition, **params), inputs[:n], ts[:n])

    filled = None if memory is None else lambda *args, **params: args[len(args) - more :]
    computed = kernel(forward, filled, out="out" in parameters_of(forward))
    operation = declare(computed, name=name, arity=None if arity is None else arity + more,
                        joint=pull, **known)  # fmt: skip
    operation.defjvp(joint=push)
    operation.definition = definition  # which its rules run: they are none that a reader of source can follow
    if memory is None:
        return operation
    operation.primitive.memory = more

    @wraps(operation)
    def call(*inputs: Any, **params: Any) -> Any:
        return operation(*inputs, scratch(memory(*inputs, **params), inputs[0].dtype), **params)

    return cast(Operation, call)


def _number_of_inputs(definition: Callable[..., Any]) -> int | None:
    """Count the positional parameters without a default; None where there may be any number."""
    kinds = [(p.kind, p.default is p.empty) for p in parameters_of(definition).values()]
    if any(kind is Parameter.VAR_POSITIONAL for kind, _ in kinds):
        return None
    return sum(kind is Parameter.POSITIONAL_OR_KEYWORD and needed for kind, needed in kinds)


def pushed(f: Any, inputs: Any, tangents: Any) -> Any:
    """Return the derivative of f along tangents, of which None is 0."""
    filled = [np.zeros(x.shape, x.dtype) if t is None else t for t, x in zip(tangents, inputs, strict=False)]
    return jvp(f, inputs, filled)[1]
