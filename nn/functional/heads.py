"""A linear map and the loss of what it gives, in one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .classes import IGNORED, cross_entropy
from .linear import linear

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input: Any, linear_weight: Any, target: Any, *, linear_bias: Any = None, weight: Any = None,
    reduction: str = "mean", ignore_index: int | None = None, label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Return ``cross_entropy(x W^T + b, target)``.

    PyTorch's ``options``, by which it may compute the logits in pieces, are left out.

    Args:
        input: x, (N, in_features) or (in_features,).
        linear_weight: W, (C, in_features); or (C, d1, ..., dK, in_features), for classes at several places.
        target: class indices, (N, d1, ..., dK) or (); or probabilities, (N, C, d1, ..., dK) or (C,).
        linear_bias: b, (C, d1, ..., dK).
        weight: a factor for each class, (C,).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        ignore_index: a class index that does not count; None is -100.
        label_smoothing: how much of each target is spread evenly over all classes, 0 to 1.

    Raises:
        ValueError: the shapes do not fit, or there is an index to ignore among probabilities.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> x, w = np.array([[1.0, 0.0]]), np.zeros((4, 2))
    >>> float(nn.functional.linear_cross_entropy(x, w, np.array([2])))  # log 4
    1.386294
    """
    loss, x_shape, w_shape = "linear_cross_entropy", np.shape(input), np.shape(linear_weight)
    if len(x_shape) not in (1, 2) or len(w_shape) < 2 or x_shape[-1] != w_shape[-1] or (
        len(x_shape) == 1 and len(w_shape) > 2
    ):  # fmt: skip
        raise ValueError(message(loss, f"an input of shape {x_shape} and a linear_weight of shape {w_shape}",
                                 "(N, in_features) and (C, ..., in_features)"))  # fmt: skip
    if linear_bias is not None:
        if np.shape(linear_bias) != w_shape[:-1]:
            raise ValueError(message(
                loss, f"a linear_bias of shape {np.shape(linear_bias)}", f"{w_shape[:-1]}"))  # fmt: skip
        linear_bias = ops.reshape(linear_bias, (-1,))
    flat = ops.reshape(linear_weight, (math.prod(w_shape[:-1]), w_shape[-1]))
    logits: Any = linear(input, flat, linear_bias)
    logits = ops.reshape(logits, (*x_shape[:-1], *w_shape[:-1]))
    if ignore_index is not None and np.shape(target) == logits.shape:
        raise ValueError(message(loss, f"ignore_index={ignore_index} and probabilities", "class indices"))
    return cross_entropy(
        logits, target, weight, ignore_index=IGNORED if ignore_index is None else ignore_index,
        reduction=reduction, label_smoothing=label_smoothing)  # fmt: skip
