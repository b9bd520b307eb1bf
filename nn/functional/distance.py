"""How far apart vectors are, and how alike their directions; products of two vectors with a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .linear import linear

__all__ = ["bilinear", "cosine_similarity", "pairwise_distance", "pdist"]


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """Return ``y_k = x1^T W_k x2 + b_k``.

    Args:
        input1: (..., in1_features).
        input2: (..., in2_features), with the same leading axes.
        weight: (out_features, in1_features, in2_features).
        bias: (out_features,), or None.

    Returns:
        (..., out_features).

    Raises:
        ValueError: shapes that do not fit.

    >>> from autograd_core import nn
    >>> nn.functional.bilinear(np.array([1.0, 2.0]), np.array([3.0]), np.array([[[1.0], [10.0]]]))
    array([63.])
    """
    (a, b), (out, n, m) = (np.shape(input1), np.shape(input2)), np.shape(weight)
    if a[-1:] != (n,) or b[-1:] != (m,) or a[:-1] != b[:-1]:
        raise ValueError(message("bilinear", f"inputs of shapes {a} and {b}", f"(..., {n}) and (..., {m})"))
    products = np.expand_dims(input1, -1) * np.expand_dims(input2, -2)
    return linear(np.reshape(products, (*a[:-1], n * m)), np.reshape(weight, (out, n * m)), bias)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors, ``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))``.

    For the gradient eps is what is missing to it, a constant that is added to ``|x|``, as in PyTorch.

    Args:
        x1, x2: arrays that broadcast.
        dim: the axis of the vectors.
        eps: the smallest length to divide by.

    >>> from autograd_core import nn
    >>> nn.functional.cosine_similarity(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]])).round(3)
    array([0.707])
    """
    x1, x2 = (x if hasattr(x, "shape") else np.asarray(x) for x in (x1, x2))
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    if not -len(shape) <= dim < len(shape):
        raise ValueError(message("cosine_similarity", f"dim={dim} for shapes {x1.shape} and {x2.shape}",
                                 f"{-len(shape)} to {len(shape) - 1}"))  # fmt: skip
    dim = dim % len(shape) - len(shape)
    x1, x2 = (np.broadcast_to(x, shape) if x.shape != shape else x for x in (x1, x2))
    y: Tensor = np.sum(_direction(x1, dim, eps) * _direction(x2, dim, eps), axis=dim)
    return y


def _direction(x: Any, dim: int, eps: float) -> Any:
    n = ops.norm(x, axis=dim, keepdims=True)
    return x / (n + np.maximum(eps - strip(n), 0))


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return ``|x1 - x2 + eps|_p`` along the last axis, eps added to each element.

    Args:
        x1, x2: (..., D), which broadcast.
        p: of the norm.
        eps: keeps the derivative finite where the vectors are equal.
        keepdim: keep the last axis, with length 1.

    >>> from autograd_core import nn
    >>> nn.functional.pairwise_distance(np.array([[0.0, 3.0]]), np.array([[4.0, 0.0]])).round(3)
    array([5.])
    """
    y: Tensor = ops.norm(x1 - x2 + eps, p, axis=-1, keepdims=keepdim)
    return y


def pdist(input: Any, p: float = 2.0) -> Tensor:
    """Return the distances ``|x_i - x_j|_p`` of all pairs i < j, in rows of the upper triangle.

    The derivative is 0 where two vectors are equal.

    Args:
        input: (N, D).
        p: of the norm, not negative.

    Returns:
        (N (N - 1) / 2,).

    Raises:
        ValueError: not two axes, or p is negative.

    >>> from autograd_core import nn
    >>> nn.functional.pdist(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])).round(3)
    array([5. , 1. , 4.243])
    """
    if np.ndim(input) != 2 or not p >= 0:
        raise ValueError(message("pdist", f"an input of shape {np.shape(input)} and p={p}", "(N, D), p >= 0"))
    i, j = np.triu_indices(np.shape(input)[0], 1)
    y: Tensor = ops.norm(ops.getitem(input, i) - ops.getitem(input, j), p, axis=1)
    return y
