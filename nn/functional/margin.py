"""Hinge losses: what is right by a margin of 1 costs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .classes import indices, pick
from .reduce import known, pair, reduce

__all__ = ["hinge_loss", "one_vs_all_hinge_loss"]


@kernel
def _signs(t: Any) -> Any:
    if not np.all((t == 1) | (t == -1)):
        raise ValueError(message("hinge_loss", f"labels {np.unique(t)[:5]}", "-1 and +1",
                                 "2 * labels - 1, for labels 0 and 1"))  # fmt: skip
    return t


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
    y: Tensor = reduce(ops.relu(1 - _signs(t) * x), reduction)
    return y


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
    known("one_vs_all_hinge_loss", reduction)
    x, t, shape = indices("one_vs_all_hinge_loss", input, target)
    margins = ops.relu(1 + x - ops.expand_dims(pick(x, t), 1))
    losses = ops.sum(margins, axis=1) - 1  # the right class stands at its own margin
    y: Tensor = reduce(ops.reshape(losses, shape) if reduction == "none" else losses, reduction)
    return y
