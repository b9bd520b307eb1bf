"""Normalization of vectors to length 1, and of channels by their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.primitive import kernel, linear
from autograd_core.tensor import Tensor

__all__ = ["local_response_norm", "normalize"]


@kernel
def _neighbours(x: Any, *, before: int, after: int) -> Any:
    y = np.array(x)
    for i in range(1, before + 1):
        y[:, i:] += x[:, :-i]
    for i in range(1, after + 1):
        y[:, :-i] += x[:, i:]
    return y


neighbours: Any = linear(
    _neighbours,
    lambda g, y, x, *, before, after: neighbours(g, before=after, after=before),
    name="neighbours", doc="The sum over the channels from c - before to c + after; its adjoint looks back.",
)  # fmt: skip


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by the squares of neighbouring channels; see :class:`nn.LocalResponseNorm`.

    Raises:
        ValueError: size is less than 1; the input has fewer than 3 axes.

    >>> from autograd_core import nn
    >>> nn.functional.local_response_norm(np.array([[[1.0], [2.0], [0.0]]]), 3, 3.0, 1.0).round(3)
    array([[[0.167], [0.333], [0. ]]])
    """
    if np.ndim(input) < 3 or size < 1:
        raise ValueError(message(
            "local_response_norm", f"size={size} and an input of shape {np.shape(input)}",
            "a positive size and at least 3 axes, (N, C, ...)"))  # fmt: skip
    squares = neighbours(input * input, before=size // 2, after=(size - 1) // 2)
    y: Tensor = input * (squares * (alpha / size) + k) ** -beta
    return y


def normalize(input: Any, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Tensor:
    """Return vectors along an axis divided by their p-norm: ``x / max(|x|_p, eps)``.

    >>> from autograd_core import nn
    >>> nn.functional.normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    y: Tensor = input / ops.maximum(ops.vector_norm(input, ord=p, axis=dim, keepdims=True), eps)
    return y
