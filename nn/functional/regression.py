"""Losses between numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.primitive import declare
from autograd_core.tensor import Tensor

from .reduce import pair

__all__ = ["mse_loss"]


def _squares(x: Any, t: Any, *, reduction: str) -> Any:
    d = x - t
    if reduction == "none":
        return d * d
    total = np.vdot(d, d)  # five times faster than a sum of squares, and nothing is stored
    return total / d.size if reduction == "mean" else total


def _slope(x: Any, t: Any, reduction: str) -> Any:
    return (x - t) * (2 / x.size if reduction == "mean" else 2)


def _push(tangent: Any, x: Any, t: Any, reduction: str) -> Any:
    terms = tangent * _slope(x, t, reduction)
    return terms if reduction == "none" else np.add.reduce(terms, axis=None)


_mse = declare(
    _squares,
    (
        lambda g, y, x, t, *, reduction: (x - t) * (g * (2 / x.size if reduction == "mean" else 2)),
        lambda g, y, x, t, *, reduction: (t - x) * (g * (2 / x.size if reduction == "mean" else 2)),
    ),
    saves=("x t", "x t"), name="mse_loss", doc="Mean of (x - t)^2: x_bar = g 2 (x - t) / n.",
)  # fmt: skip
_mse.defjvp(
    lambda d, y, x, t, *, reduction: _push(d, x, t, reduction),
    lambda d, y, x, t, *, reduction: -_push(d, x, t, reduction),
)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return the squared error ``(x - t)^2``, its mean over all elements by default.

    Args:
        input: predictions, of any shape.
        target: of the same shape; an array is taken in the predictions' dtype.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, even if they would broadcast.

    >>> from autograd_core import nn
    >>> float(nn.functional.mse_loss(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """
    x, t = pair("mse_loss", input, target, reduction)
    y: Tensor = _mse(x, t, reduction=reduction)
    return y
