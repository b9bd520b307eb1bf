"""Cross-entropy of yes-or-no outputs, from probabilities and from logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from ..casting import taken
from .reduce import pair, pointwise, reduce, weighted

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"]

FLOOR = -100  # log 0 is taken as this, as in PyTorch


@kernel
def _entropy(x: Any, t: Any) -> Any:
    if np.any((x < 0) | (x > 1)):
        raise ValueError(message(
            "binary_cross_entropy", f"predictions from {x.min()} to {x.max()}",
            "probabilities, from 0 to 1",
            "binary_cross_entropy_with_logits, or a sigmoid before it"))  # fmt: skip
    with np.errstate(divide="ignore"):
        return -t * np.maximum(np.log(x), FLOOR) - (1 - t) * np.maximum(np.log1p(-x), FLOOR)


_bce = pointwise(
    _entropy,
    lambda g, y, x, t: g * (x - t) / np.maximum(x * (1 - x), 1e-12),
    lambda g, y, x, t: g * (np.maximum(np.log1p(-x), FLOOR) - np.maximum(np.log(x), FLOOR)),
    saves=("x t", "x"), name="binary_cross_entropy", singular=True,
    doc="-t log x - (1 - t) log(1 - x): dy/dx = (x - t) / (x (1 - x)), dy/dt = log(1 - x) - log x, divided "
        "by n for the mean.",
)  # fmt: skip

_bce_logits = pointwise(
    lambda x, t: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.absolute(x))),
    lambda g, y, x, t: g * (ops.sigmoid(x) - t),
    lambda g, y, x, t: -g * x,
    saves=("x t", "x"), name="binary_cross_entropy_with_logits",
    doc="log(1 + e^x) - x t: dy/dx = s(x) - t, dy/dt = -x, s the sigmoid, divided by n for the mean.",
)  # fmt: skip


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Return ``-t log p - (1 - t) log(1 - p)``; logarithms stop at -100, so it is finite.

    Args:
        input: probabilities p, of any shape. Logits belong into
            :func:`binary_cross_entropy_with_logits`, which is exact where p rounds to 0 or 1.
        target: of the same shape, from 0 to 1.
        weight: a factor for each element, of a shape that broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, or a probability is outside [0, 1].

    >>> from autograd_core import nn
    >>> float(nn.functional.binary_cross_entropy(np.array([0.5, 1.0]), np.array([1.0, 1.0])))
    0.34657359
    """
    x, t = pair("binary_cross_entropy", input, target, reduction)
    if weight is None:
        y: Tensor = _bce(x, t, reduction=reduction)
    else:
        y = weighted("binary_cross_entropy", _bce(x, t, reduction="none"), weight, reduction)
    return y


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """Return the binary cross-entropy of ``p = sigmoid(x)``, ``log(1 + e^x) - x t``, stably.

    Args:
        input: logits x, of any shape.
        target: of the same shape, from 0 to 1.
        weight: a factor for each element, of a shape that broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: a factor for the term of t = 1, often one for each output.

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> logits, labels = np.array([1000.0, -1000.0]), np.array([1.0, 1.0])
    >>> float(nn.functional.binary_cross_entropy_with_logits(logits, labels))
    500.0
    """
    loss = "binary_cross_entropy_with_logits"
    x, t = pair(loss, input, target, reduction)
    if weight is None and pos_weight is None:
        y: Tensor = _bce_logits(x, t, reduction=reduction)
        return y
    if pos_weight is None:
        losses = _bce_logits(x, t, reduction="none")
    else:
        more = 1 + (taken(pos_weight, x.dtype, loss) - 1) * t
        if more.shape != x.shape:
            raise ValueError(message(loss, f"a pos_weight of shape {np.shape(pos_weight)} for a prediction "
                                     f"of shape {x.shape}", "one that broadcasts to it"))  # fmt: skip
        losses = (1 - t) * x + more * ops.softplus(-x)
    y = reduce(losses, reduction) if weight is None else weighted(loss, losses, weight, reduction)
    return y


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """Return the mean, over the classes, of the binary cross-entropies of logits: each class says yes or no.

    Args:
        input: logits x, (..., C).
        target: of the same shape, from 0 to 1: 1 for each class that is there.
        weight: a factor for each class, (C,), or of a shape that broadcasts.
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> logits, labels = np.array([[1000.0, -1000.0, 1000.0]]), np.array([[1, 0, 0]])
    >>> nn.functional.multilabel_soft_margin_loss(logits, labels, reduction="none")
    array([333.33333333])
    """
    loss = "multilabel_soft_margin_loss"
    x, t = pair(loss, input, target, reduction)
    if not x.ndim:
        raise ValueError(message(loss, "a prediction without axes", "(N, C) or (C,)"))
    losses = _bce_logits(x, t, reduction="none")
    if weight is not None:
        losses = weighted(loss, losses, weight, "none")
    y: Tensor = reduce(ops.mean(losses, axis=-1), reduction)
    return y
