"""Hinge losses: what is right by a margin costs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import constant, declare, kernel
from autograd_core.tensor import Tensor

from .classes import class_weights, indices, pick
from .reduce import known, pair, pointwise, reduce, signs

__all__ = [
    "crammer_singer_loss", "hinge_embedding_loss", "hinge_loss", "multi_margin_loss",
    "multilabel_margin_loss", "one_vs_all_hinge_loss", "soft_margin_loss",
]  # fmt: skip

# -- of one output: -1 or +1 -----------------------------------------------------------------------

_hinge = pointwise(
    lambda x, t: np.maximum(1 - t * x, 0),
    lambda g, y, x, t: -g * t * (t * x < 1),
    None,
    saves=("x t", ""), name="hinge_loss", kinks="t x = 1: 0",
    doc="max(0, 1 - t x): x_bar = -g t where t x < 1, else 0; divided by n for the mean.",
)  # fmt: skip

_hinge_embedding = pointwise(
    lambda x, t, *, margin: np.where(t > 0, x, np.maximum(margin - x, 0)),
    lambda g, y, x, t, *, margin: g * (t > 0) - g * ((t < 0) & (x <= margin)),
    None,
    saves=("x t", ""), name="hinge_embedding_loss", kinks="t = -1, x = margin: -1",
    doc="x where t = 1, max(0, margin - x) where t = -1: x_bar = g, or -g up to the margin; divided by n for "
        "the mean.",
)  # fmt: skip


def _softly(x: Any, t: Any) -> Any:
    z = t * x
    return np.log1p(np.exp(-np.absolute(z))) - np.minimum(z, 0)


_soft_margin = pointwise(
    _softly,
    lambda g, y, x, t: -g * t * ops.sigmoid(-t * x),
    lambda g, y, x, t: -g * x * ops.sigmoid(-t * x),
    name="soft_margin_loss",
    doc="log(1 + e^(-t x)): x_bar = -g t s(-t x), s the sigmoid; divided by n for the mean.",
)  # fmt: skip


def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return ``max(0, 1 - t f)``, the loss of a maximum-margin classifier of two classes.

    Args:
        input: outputs f, of any shape.
        target: labels t of the same shape, -1 or +1.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, or a label is neither -1 nor +1.

    >>> from autograd_core import nn
    >>> nn.functional.hinge_loss(np.array([2.0, 0.5, -1.0]), np.array([1, 1, 1]), "none")
    array([0. , 0.5, 2. ])
    """
    x, t = pair("hinge_loss", input, target, reduction)
    y: Tensor = _hinge(x, signs("hinge_loss", t), reduction=reduction)
    return y


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """Return x where the label is 1, ``max(0, margin - x)`` where it is -1: of distances x.

    What is alike is pulled together, what is not is pushed apart, up to the margin.

    Args:
        input: distances x, of any shape.
        target: labels of the same shape, 1 for what is alike, -1 for what is not.
        margin: how far apart is enough.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, or a label is neither -1 nor +1.

    >>> from autograd_core import nn
    >>> x, t = np.array([0.25, 0.25, 2.0]), np.array([1, -1, -1])
    >>> nn.functional.hinge_embedding_loss(x, t, reduction="none")
    array([0.25, 0.75, 0. ])
    """
    x, t = pair("hinge_embedding_loss", input, target, reduction)
    y: Tensor = _hinge_embedding(x, signs("hinge_embedding_loss", t), margin=margin, reduction=reduction)
    return y


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return ``log(1 + e^(-t f))``, the logistic loss of labels t of -1 and +1; finite for all f.

    Args:
        input: outputs f, of any shape.
        target: labels t of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> nn.functional.soft_margin_loss(np.array([0.0, -1000.0]), np.array([1, 1]), "none").tolist()
    [0.693147, 1000.0]
    """
    x, t = pair("soft_margin_loss", input, target, reduction)
    y: Tensor = _soft_margin(x, t, reduction=reduction)
    return y


# -- of one output for each class ------------------------------------------------------------------


def _scores(loss: str, input: Any, target: Any, reduction: str) -> tuple[Any, Any, tuple[int, ...]]:
    known(loss, reduction)
    if np.ndim(input) > 2:
        raise ValueError(message(loss, f"outputs of shape {np.shape(input)}", "(N, C) or (C,)"))
    x, t, shape = indices(loss, input, target)
    _check_classes(t, classes=x.shape[1], loss=loss)
    return x, t, shape


@kernel  # so that a replayed step looks at its classes too
def _check_classes(t: Any, *, classes: int, loss: str) -> None:
    wrong = t[(t < 0) | (t >= classes)]
    if wrong.size:
        raise IndexError(message(loss, f"class {wrong[0]}", f"0 to {classes - 1}"))


def _differences(x: Any, t: Any) -> tuple[Any, Any]:
    """Return f_c - f_y of each class, and which are not of y itself."""
    others = np.expand_dims(t, 1) != np.arange(x.shape[1])
    return x - ops.expand_dims(pick(x, t), 1), others


def _gathered(losses: Any, shape: tuple[int, ...], reduction: str) -> Any:
    return reduce(ops.reshape(losses, shape) if reduction == "none" else losses, reduction)


def one_vs_all_hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return ``sum_{c != y} max(0, 1 - (f_y - f_c))``, the hinge loss of several classes.

    Args:
        input: outputs f, (N, C) or (C,).
        target: class indices y, (N,) or ().
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> float(nn.functional.one_vs_all_hinge_loss(np.array([[2.0, 1.5, 0.0]]), np.array([0])))
    0.5
    """
    x, t, shape = _scores("one_vs_all_hinge_loss", input, target, reduction)
    d, others = _differences(x, t)
    y: Tensor = _gathered(ops.sum(ops.relu(1 + d) * others, axis=1), shape, reduction)
    return y


def crammer_singer_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return ``max(0, max_{c != y} 1 - (f_y - f_c))``: only the strongest of the wrong classes costs.

    The loss of the multi-class support vector machine of one optimisation problem. Where several classes
    are the strongest they share the gradient evenly. [Crammer and Singer, On the algorithmic implementation
    of multiclass kernel-based vector machines, 2001]

    Args:
        input: outputs f, (N, C) or (C,).
        target: class indices y, (N,) or ().
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> float(nn.functional.crammer_singer_loss(np.array([[2.0, 1.5, 1.25]]), np.array([0])))
    0.5
    """
    x, t, shape = _scores("crammer_singer_loss", input, target, reduction)
    d, others = _differences(x, t)
    strongest = ops.max(ops.where(others, d, -np.inf), axis=1)
    y: Tensor = _gathered(ops.relu(1 + strongest), shape, reduction)
    return y


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """Return ``sum_{c != y} w_y max(0, margin - (f_y - f_c))^p / C``.

    With its defaults it is :func:`one_vs_all_hinge_loss` divided by the number of classes.

    Args:
        input: outputs f, (N, C) or (C,).
        target: class indices y, (N,) or ().
        p: 1 or 2.
        margin: by how much the right class has to lead.
        weight: a factor w for each class, (C,); the mean is divided by N all the same.
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, or p is neither 1 nor 2.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> float(nn.functional.multi_margin_loss(np.array([[2.0, 1.5, 0.0]]), np.array([0]), p=2))
    0.083333
    """
    if p not in (1, 2):
        raise ValueError(message("multi_margin_loss", f"p={p}", "1 or 2"))
    x, t, shape = _scores("multi_margin_loss", input, target, reduction)
    d, others = _differences(x, t)
    costs = ops.relu(d + margin) * others
    losses = ops.sum(costs * costs if p == 2 else costs, axis=1) / x.shape[1]
    if weight is not None:
        losses = losses * class_weights("multi_margin_loss", weight, x)[t]
    y: Tensor = _gathered(losses, shape, reduction)
    return y


def _hinges(x: Any, t: Any) -> tuple[Any, Any]:
    """Return max(0, 1 - (f_y - f_c)) of each right class y and each c, 0 where c is right too; and the y."""
    classes = x.shape[1]
    listed = np.logical_and.accumulate(t != -1, axis=1)
    wrong = t[listed & ((t < 0) | (t >= classes))]
    if wrong.size:
        raise IndexError(message("multilabel_margin_loss", f"class {wrong[0]}",
                                 f"0 to {classes - 1}, and -1 after the last"))  # fmt: skip
    most = int(listed.sum(axis=1).max(initial=0))  # right classes of a sample
    listed, t = listed[:, :most], np.where(listed, t, 0)[:, :most]
    row, place = np.nonzero(listed)
    others = x * 1.0
    others[row, t[row, place]] = -np.inf
    own = np.where(listed, np.take_along_axis(x, t, axis=1), np.inf)
    d = own[:, :, np.newaxis] - others[:, np.newaxis, :]
    return np.maximum(np.subtract(1, d, out=d), 0, out=d), t


@kernel  # one call, as its arrays have a side that depends on values: the most right classes of a sample
def _multilabel_losses(x: Any, t: Any) -> Any:
    return np.add.reduce(_hinges(x, t)[0], axis=(1, 2)) / x.shape[1]


@kernel
def _multilabel_slopes(x: Any, t: Any) -> Any:
    hinges, t = _hinges(x, t)
    costs = hinges > 0
    slopes = np.add.reduce(costs, axis=1).astype(x.dtype)
    np.subtract.at(slopes, (np.arange(len(t))[:, np.newaxis], t), np.add.reduce(costs, axis=2))
    return slopes / x.shape[1]


multilabel_slopes = constant(_multilabel_slopes)
_multilabel = declare(
    _multilabel_losses,
    (lambda g, y, x, t: np.expand_dims(g, 1) * multilabel_slopes(x, t), None),
    saves=("x t", ""), name="multilabel_margin_loss", kinks="f_y - f_c = 1: 0",
    doc="sum of max(0, 1 - (f_y - f_c)) / C over right y and wrong c, of each row: a pair that costs adds "
        "g / C to x_bar_c and takes it from x_bar_y.",
)  # fmt: skip
_multilabel.defjvp(lambda d, y, x, t: np.add.reduce(d * multilabel_slopes(x, t), axis=1), None)


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Return ``sum_{y right, c wrong} max(0, 1 - (f_y - f_c)) / C``: of samples with several right classes.

    Args:
        input: outputs f, (N, C) or (C,).
        target: class indices of the same shape: the right classes of each sample, and -1 after the last.
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, or the target is not of integers.
        IndexError: a class is not one of 0 ... C - 1, or -1.

    >>> from autograd_core import nn
    >>> f = np.array([0.1, 0.2, 0.4, 0.8])
    >>> float(nn.functional.multilabel_margin_loss(f, np.array([3, 0, -1, 1])))
    0.85
    """
    loss = "multilabel_margin_loss"
    known(loss, reduction)
    x, t = (v if hasattr(v, "shape") else np.asarray(v) for v in (input, strip(target)))
    if x.shape != t.shape or x.ndim not in (1, 2) or t.dtype.kind not in "iu":
        raise ValueError(message(loss, f"outputs of shape {x.shape} and a target of shape {t.shape} and "
                                 f"dtype {t.dtype}", "(N, C) or (C,) both, of integers"))  # fmt: skip
    shape = x.shape[:-1]
    if x.ndim == 1:
        x, t = ops.reshape(x, (1, -1)), np.reshape(t, (1, -1))
    y: Tensor = _gathered(_multilabel(x, t), shape, reduction)
    return y
