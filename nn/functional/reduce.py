"""What all losses share: how a target must fit, and how losses of samples become one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message

from ..casting import taken

REDUCTIONS = ("mean", "sum", "none")


def known(loss: str, reduction: str) -> None:
    """Refuse a reduction that does not exist."""
    if reduction not in REDUCTIONS:
        raise ValueError(message(loss, f"reduction={reduction!r}", "'mean', 'sum' or 'none'"))


def reduce(losses: Any, reduction: str) -> Any:
    """Return the mean of the losses, their sum, or the losses."""
    if reduction == "mean":
        return ops.mean(losses)
    return ops.sum(losses) if reduction == "sum" else losses


def pair(loss: str, input: Any, target: Any, reduction: str) -> tuple[Any, Any]:
    """Return a prediction and a target of the same shape and dtype; see to the reduction too.

    Shapes that would broadcast are refused: (N, 1) against (N,) is N^2 differences, and the
    most common silent mistake in regression.
    """
    if reduction not in REDUCTIONS:
        known(loss, reduction)
    x = input if hasattr(input, "shape") else np.asarray(input)
    t = target if hasattr(target, "shape") else np.asarray(target)
    if x.shape != t.shape:
        same = x.size == t.size
        raise ValueError(message(
            loss, f"a prediction of shape {x.shape} and a target of shape {t.shape}",
            "the same shape, as nothing is broadcast here",
            f"target.reshape({x.shape})" if same else ""))  # fmt: skip
    dtype = x.dtype
    if t.dtype is not dtype and dtype.kind in "fc":
        t = taken(t, dtype, loss)
    return x, t
