"""The affine map of a fully connected layer, as one operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.primitive import bilinear, declare
from autograd_core.tensor import Tensor

__all__ = ["linear"]


def _weight(g: Any, y: Any, x: Any, w: Any, b: Any = None) -> Any:
    if x.ndim == 2:
        return g.T @ x
    # a batch of any shape as one list of vectors: one product, not a batch of them
    return np.reshape(g, (-1, g.shape[-1])).T @ np.reshape(x, (-1, x.shape[-1]))


_product = bilinear(
    lambda x, w: x @ w.T,
    lambda g, y, x, w: g @ w,
    _weight,
    saves=("w", "x"), name="linear", flops=lambda y, x, w: 2 * y.size * x.shape[-1],
    doc="x W^T: x_bar = g W, W_bar = g^T x.",
)  # fmt: skip

_affine = declare(
    lambda x, w, b: x @ w.T + b,
    (lambda g, y, x, w, b: g @ w, _weight,
     lambda g, y, x, w, b: np.add.reduce(g) if g.ndim == 2 else g),
    saves=("w", "x", ""), name="linear", flops=lambda y, x, w, b: y.size * (2 * x.shape[-1] + 1),
    doc="x W^T + b: x_bar = g W, W_bar = g^T x, b_bar = g.",
)  # fmt: skip
_affine.defjvp(
    lambda t, y, x, w, b: t @ w.T, lambda t, y, x, w, b: x @ t.T, lambda t, y, x, w, b: t
)


def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """Return ``x W^T + b``, the map of a fully connected layer, for each vector of a batch.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features).
        bias: (out_features,), or None.

    Returns:
        (..., out_features).

    Raises:
        ValueError: the last axis of ``input`` is not ``in_features`` long.

    >>> from autograd_core import nn
    >>> nn.functional.linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([11.5])
    """
    try:
        y: Tensor = _product(input, weight) if bias is None else _affine(input, weight, bias)
    except ValueError:
        shape, (out_features, in_features) = np.shape(input), np.shape(weight)
        if not shape or shape[-1] != in_features:
            hint = f"nn.Flatten() before it, or in_features={shape[-1]}" if shape else ""
            raise ValueError(message(
                "linear", f"an input of shape {shape} for {in_features} in_features and "
                f"{out_features} out_features", f"(..., {in_features})", hint)) from None  # fmt: skip
        raise
    return y
