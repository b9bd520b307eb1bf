"""Losses between numbers: squared, absolute, and what is between the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from ..casting import taken
from ..settings import check_positive
from .reduce import pair, pointwise, weighted

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]

# -- the operations --------------------------------------------------------------------------------


def _squares(x: Any, t: Any) -> Any:
    d = x - t
    return d * d


def _sum_of_squares(x: Any, t: Any) -> Any:
    d = x - t
    return np.vdot(d, d)  # five times faster than a sum of squares, and nothing is stored


_mse = pointwise(
    _squares,
    lambda g, y, x, t: (x - t) * (g * 2),
    lambda g, y, x, t: (t - x) * (g * 2),
    total=_sum_of_squares, name="mse_loss", doc="(x - t)^2: x_bar = g 2 (x - t), divided by n for the mean.",
)  # fmt: skip

_l1 = pointwise(
    lambda x, t: np.absolute(x - t),
    lambda g, y, x, t: g * np.sign(x - t),
    lambda g, y, x, t: g * np.sign(t - x),
    name="l1_loss", kinks="x = t: 0", doc="|x - t|: x_bar = g sign(x - t), divided by n for the mean.",
)  # fmt: skip


def _bowl(x: Any, t: Any, *, delta: float, height: float) -> Any:
    """With m = min(|d|, delta) both branches are m (|d| - m/2): no choice to make."""
    d = np.absolute(x - t)
    m = np.minimum(d, delta)
    return m * (d - m * 0.5) * height


def _within(d: Any, delta: float) -> Any:
    return np.minimum(np.maximum(d, -delta), delta)


_huber = pointwise(
    _bowl,
    lambda g, y, x, t, *, delta, height: _within(x - t, delta) * (g * height),
    lambda g, y, x, t, *, delta, height: _within(t - x, delta) * (g * height),
    name="huber_loss",
    doc="height (d^2 / 2 where |d| < delta, else delta (|d| - delta/2)), d = x - t: x_bar = g height d, with "
        "d limited to +-delta, divided by n for the mean.",
)  # fmt: skip

# -- what people call ------------------------------------------------------------------------------


def _fitting(loss: str, weight: Any, shape: tuple[int, ...]) -> Any:
    if np.shape(weight) != shape:
        raise ValueError(message(loss, f"a weight of shape {np.shape(weight)}", f"{shape}, that of the "
                                 "prediction"))  # fmt: skip
    return weight


def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """Return the squared error ``(x - t)^2``, its mean over all elements by default.

    Args:
        input: predictions, of any shape.
        target: of the same shape; an array is taken in the predictions' dtype.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: a factor for each element, of the same shape; the mean is then divided by their sum.

    Raises:
        ValueError: the shapes differ, even if they would broadcast.

    >>> from autograd_core import nn
    >>> float(nn.functional.mse_loss(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """
    x, t = pair("mse_loss", input, target, reduction)
    if weight is not None:
        return _averaged("mse_loss", _mse(x, t, reduction="none"), weight, reduction)
    y: Tensor = _mse(x, t, reduction=reduction)
    return y


def l1_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """Return the absolute error ``|x - t|``, its mean over all elements by default; derivative 0 at x = t.

    Args:
        input: predictions, of any shape.
        target: of the same shape; an array is taken in the predictions' dtype.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: a factor for each element, of the same shape; the mean is then divided by their sum.

    Raises:
        ValueError: the shapes differ, even if they would broadcast.

    >>> from autograd_core import nn
    >>> float(nn.functional.l1_loss(np.array([1.0, 4.0]), np.array([1.0, 1.0])))
    1.5
    """
    x, t = pair("l1_loss", input, target, reduction)
    if weight is not None:
        return _averaged("l1_loss", _l1(x, t, reduction="none"), weight, reduction)
    y: Tensor = _l1(x, t, reduction=reduction)
    return y


def _averaged(loss: str, losses: Any, weight: Any, reduction: str) -> Tensor:
    """Return losses times weights; their mean is divided by the sum of the weights."""
    w = taken(_fitting(loss, weight, losses.shape), losses.dtype, loss)
    y: Tensor = losses * w
    if reduction == "none":
        return y
    return ops.sum(y) / ops.sum(w) if reduction == "mean" else ops.sum(y)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Return ``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta/2``; d = x - t.

    The absolute error with its corner rounded: its slope goes from -1 to 1. With ``beta=0`` it is
    :func:`l1_loss`. [Girshick, Fast R-CNN, 2015]

    Args:
        input: predictions, of any shape.
        target: of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola meets the straight lines.

    Raises:
        ValueError: the shapes differ, or beta is negative.

    >>> from autograd_core import nn
    >>> nn.functional.smooth_l1_loss(np.array([0.5, 3.0]), np.zeros(2), "none")
    array([0.125, 2.5  ])
    """
    if beta < 0:
        raise ValueError(message("smooth_l1_loss", f"beta={beta}", "a number that is not negative"))
    x, t = pair("smooth_l1_loss", input, target, reduction)
    y: Tensor = (_huber(x, t, delta=beta, height=1 / beta, reduction=reduction) if beta
                 else _l1(x, t, reduction=reduction))  # fmt: skip
    return y


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """Return ``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta/2)``; d = x - t.

    The squared error for small differences, a straight line for large ones, which therefore pull less.
    [Huber, Robust estimation of a location parameter, 1964]

    Args:
        input: predictions, of any shape.
        target: of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola meets the straight lines.
        weight: a factor for each element, of the same shape; the mean is divided by their number.

    Raises:
        ValueError: the shapes differ, or delta is not positive.

    >>> from autograd_core import nn
    >>> nn.functional.huber_loss(np.array([0.5, 3.0]), np.zeros(2), "none", delta=2.0)
    array([0.125, 4. ])
    """
    check_positive("huber_loss", delta=delta)
    x, t = pair("huber_loss", input, target, reduction)
    if weight is not None:
        losses = _huber(x, t, delta=delta, height=1, reduction="none")
        y: Tensor = weighted("huber_loss", losses, _fitting("huber_loss", weight, x.shape), reduction)
        return y
    y = _huber(x, t, delta=delta, height=1, reduction=reduction)
    return y
