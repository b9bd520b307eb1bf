"""Focal losses: cross-entropies in which easy examples count little."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .binary import binary_cross_entropy_with_logits
from .classes import IGNORED, class_weights, indices, pick
from .reduce import known, pair, reduce

__all__ = ["focal_loss", "sigmoid_focal_loss"]


def sigmoid_focal_loss(
    input: Any, target: Any, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean"
) -> Tensor:
    """Return the focal loss of ``p = sigmoid(x)``, ``-alpha_t (1 - p_t)^gamma log p_t``.

    p_t is p where t is 1 and 1 - p where it is 0; alpha_t is alpha, and 1 - alpha. What is right already
    counts little, so that many easy examples do not outweigh few hard ones; with ``gamma=0`` and
    ``alpha=None`` it is the binary cross-entropy. [Lin et al., Focal loss for dense object detection, 2017]

    Args:
        input: logits x, of any shape.
        target: of the same shape, from 0 to 1.
        alpha: the weight of t = 1, from 0 to 1; None gives both classes the weight 1.
        gamma: how much less easy examples count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, alpha is outside [0, 1], or gamma is negative.

    >>> from autograd_core import nn
    >>> logits, labels = np.array([0.0, 5.0, -5.0]), np.array([1.0, 1.0, 1.0])
    >>> nn.functional.sigmoid_focal_loss(logits, labels, reduction="none").round(6)
    array([0.043322, 0. , 1.23498 ])
    """
    x, t = pair("sigmoid_focal_loss", input, target, reduction)
    _focus("sigmoid_focal_loss", gamma)
    if alpha is not None and not 0 <= alpha <= 1:
        raise ValueError(message("sigmoid_focal_loss", f"alpha={alpha}", "0 to 1, or None"))
    losses: Any = binary_cross_entropy_with_logits(x, t, reduction="none")
    if gamma:
        wrong = t * ops.sigmoid(-x) + (1 - t) * ops.sigmoid(x)
        losses = losses * wrong**gamma
    if alpha is not None:
        losses = losses * (t * alpha + (1 - t) * (1 - alpha))
    y: Tensor = reduce(losses, reduction)
    return y


def _focus(loss: str, gamma: float) -> None:
    """Refuse an exponent that would let easy examples count more."""
    if gamma < 0:
        raise ValueError(message(loss, f"gamma={gamma}", "a number that is not negative"))


def focal_loss(
    input: Any, target: Any, weight: Any = None, gamma: float = 2.0, *, ignore_index: int = IGNORED,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``-w_t (1 - p_t)^gamma log p_t``, the focal loss of several classes, ``p = softmax(x)``.

    With ``gamma=0`` it is the cross-entropy. [Lin et al., Focal loss for dense object detection, 2017]

    Args:
        input: logits x, (N, C), (C,) or (N, C, d1, ...).
        target: class indices, (N,), () or (N, d1, ...).
        weight: a factor w for each class, (C,); the mean is then divided by the sum of the targets' weights.
        gamma: how much less easy examples count.
        ignore_index: a class index that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, or gamma is negative.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> logits = np.array([[0.0, 0.0], [5.0, 0.0]])
    >>> nn.functional.focal_loss(logits, np.array([0, 0]), reduction="none").round(6)
    array([0.173287, 0. ])
    """
    known("focal_loss", reduction)
    _focus("focal_loss", gamma)
    x, t, shape = indices("focal_loss", input, target)
    log_p = pick(ops.log_softmax(x, axis=1), t, ignore_index=ignore_index)
    losses = -log_p if not gamma else -log_p * (-ops.expm1(log_p)) ** gamma
    counts = np.not_equal(t, ignore_index).astype(losses.dtype)
    if weight is not None:
        classes = np.broadcast_to(class_weights("focal_loss", weight, x), x.shape)
        counts = pick(classes, t, ignore_index=ignore_index)
        losses = losses * counts
    if reduction == "mean":
        y: Tensor = ops.sum(losses) / _nonzero(np.add.reduce(counts))
        return y
    y = reduce(ops.reshape(losses, shape) if reduction == "none" else losses, reduction)
    return y


@kernel
def _nonzero(total: Any) -> Any:
    """Return NaN in the place of 0, as a mean of nothing is."""
    return np.array(total if total else np.nan, total.dtype)
