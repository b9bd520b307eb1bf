"""Activations along one axis: what they return for an element depends on the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops, random
from autograd_core.errors import message
from autograd_core.tensor import Tensor

__all__ = ["crelu", "gumbel_softmax", "log_softmax", "maxout", "softmax", "softmin"]

P = ParamSpec("P")
T = TypeVar("T")


def _dim(f: Callable[P, T]) -> Callable[P, T]:
    """Let a call that says ``axis=``, as NumPy does, hear that it is ``dim=``."""

    @wraps(f)
    def call(*args: P.args, **params: P.kwargs) -> T:
        if "axis" in params:
            axis = params["axis"]
            raise TypeError(message(f.__name__, f"axis={axis!r}", "the argument dim", f"dim={axis!r}"))
        return f(*args, **params)

    return call


def _in(input: Any, dtype: DTypeLike | None) -> Any:
    return input if dtype is None else ops.astype(input, dtype)


@_dim
def softmax(input: Any, dim: int = -1, *, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``e^x / sum(e^x)`` along an axis: positive numbers that sum to 1.

    Args:
        input: any shape.
        dim: the axis, the last by default.
        dtype: what the input is converted to first.

    >>> from autograd_core import nn
    >>> nn.functional.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    y: Tensor = ops.softmax(_in(input, dtype), axis=dim)
    return y


@_dim
def softmin(input: Any, dim: int = -1, *, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``e^-x / sum(e^-x)`` along an axis: the softmax of -x.

    >>> from autograd_core import nn
    >>> nn.functional.softmin(np.array([0.0, 1000.0]))
    array([1., 0.])
    """
    y: Tensor = ops.softmax(ops.multiply(_in(input, dtype), -1.0), axis=dim)  # uint8 has no -x
    return y


@_dim
def log_softmax(input: Any, dim: int = -1, *, dtype: DTypeLike | None = None) -> Tensor:
    """Return ``x - log(sum(e^x))`` along an axis: the logarithm of softmax, always finite.

    >>> from autograd_core import nn
    >>> nn.functional.log_softmax(np.array([1000.0, 0.0]))
    array([ 0., -1000.])
    """
    y: Tensor = ops.log_softmax(_in(input, dtype), axis=dim)
    return y


@_dim
def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Draw from the categories of an axis, softly, or one-hot with a soft gradient.

    ``softmax((logits + Gumbel noise) / tau)``; see :func:`autograd_core.random.gumbel_softmax`. ``eps`` is
    taken as PyTorch takes it, without effect.

    >>> from autograd_core import nn
    >>> nn.functional.gumbel_softmax(np.zeros((5, 3)), hard=True).sum(1)
    array([1., 1., 1., 1., 1.])
    """
    y: Tensor = random.gumbel_softmax(logits, tau, hard, axis=dim)
    return y


@_dim
def crelu(input: Any, dim: int = 1) -> Tensor:
    """Return ``max(x, 0)`` and ``max(-x, 0)``, joined along an axis, which is then twice as long.

    [Shang et al., Understanding and Improving Convolutional Neural Networks via CReLU, 2016]

    >>> from autograd_core import nn
    >>> nn.functional.crelu(np.array([[-1.0, 2.0]])) + 0.0
    array([[0., 2., 1., 0.]])
    """
    y: Tensor = ops.relu(ops.concatenate([input, ops.multiply(input, -1.0)], axis=dim))
    return y


@_dim
def maxout(input: Any, pieces: int, dim: int = -1) -> Tensor:
    """Return the largest of each ``pieces`` neighbours along an axis: (..., C, ...) -> (..., C/pieces, ...).

    A tie shares the gradient evenly. [Goodfellow et al., Maxout Networks, 2013]

    Raises:
        ValueError: the axis is not a multiple of ``pieces`` long.

    >>> from autograd_core import nn
    >>> nn.functional.maxout(np.array([3.0, 1.0, 2.0, 5.0]), 2)
    array([3., 5.])
    """
    shape = np.shape(input)
    if pieces < 1 or not -len(shape) <= dim < len(shape) or shape[dim] % pieces:
        raise ValueError(message("maxout", f"shape {shape}", f"a multiple of {pieces} along axis {dim}"))
    axis = dim % len(shape)
    groups = ops.reshape(input, (*shape[:axis], shape[axis] // pieces, pieces, *shape[axis + 1 :]))
    y: Tensor = ops.max(groups, axis=axis + 1)
    return y
