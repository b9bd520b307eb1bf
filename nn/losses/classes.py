"""Losses between scores and classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from ..casting import taken
from ..linear import Linear
from ..settings import check_shares
from .base import Loss

__all__ = ["CrossEntropyLoss", "FocalLoss", "LinearCrossEntropyLoss", "NLLLoss"]


class CrossEntropyLoss(Loss):
    """``log(sum(e^x)) - x_t`` from logits (N, C, ...) and classes (N, ...) or probabilities.

    See :func:`nn.functional.cross_entropy` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.CrossEntropyLoss()(np.zeros((5, 10)), np.arange(5)))  # log 10
    2.302585
    """

    shown = (("ignore_index", -100), ("label_smoothing", 0.0))
    weight: Any

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction, label_smoothing=self.label_smoothing)  # fmt: skip


class NLLLoss(Loss):
    """``-log p_t`` from log-probabilities (N, C, ...) and classes (N, ...).

    See :func:`nn.functional.nll_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.NLLLoss()(np.log(np.array([[0.5, 0.5]])), np.array([1])))
    0.693147
    """

    shown = (("ignore_index", -100),)
    weight: Any

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index,
            reduction=self.reduction)  # fmt: skip


class FocalLoss(Loss):
    """``-w_t (1 - p_t)^gamma log p_t``, ``p = softmax(x)``: easy examples count little.

    See :func:`nn.functional.focal_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.FocalLoss(gamma=1.0)(np.zeros((1, 2)), np.array([0])))  # log(2) / 2
    0.346574
    """

    shown = (("gamma", 2.0), ("ignore_index", -100))
    weight: Any

    def __init__(
        self, weight: Any = None, gamma: float = 2.0, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.gamma, self.ignore_index = gamma, ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.focal_loss(input, target, self.weight, self.gamma, ignore_index=self.ignore_index,
                            reduction=self.reduction)  # fmt: skip


class LinearCrossEntropyLoss(Loss):
    """A linear layer and the cross-entropy of its outputs: the head of a classifier, in one.

    PyTorch's ``options``, by which it may compute the logits in pieces, are left out.

    Args:
        in_features: length of each input vector.
        num_classes: C.
        out_features: (d1, ..., dK), where each sample has classes at several places.
        bias: whether the layer has a bias.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: a factor for each class, (C,).
        ignore_index: a class index that does not count; None is -100.
        label_smoothing: how much of each target is spread evenly over all classes, 0 to 1.
        dtype: of the parameters.

    Shapes:
        x: (N, in_features) or (in_features,); target: (N, d1, ..., dK) or () of class indices, or
        (N, C, d1, ..., dK) or (C,) of probabilities; linear.weight: (C d1 ... dK, in_features).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> loss = nn.LinearCrossEntropyLoss(3, 10)
    >>> loss(np.zeros((5, 3)), np.arange(5)).item()  # log 10
    2.302585
    """

    shown = (("out_features", ()), ("ignore_index", None), ("label_smoothing", 0.0))
    weight: Any
    linear: Linear

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
        reduction: str = "mean", weight: Any = None, ignore_index: int | None = None,
        label_smoothing: float = 0.0, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(reduction)
        if weight is not None and np.shape(weight) != (num_classes,):
            raise ValueError(message("LinearCrossEntropyLoss", f"a weight of shape {np.shape(weight)}",
                                     f"({num_classes},): one for each class"))  # fmt: skip
        check_shares("LinearCrossEntropyLoss", label_smoothing=label_smoothing)
        self.register_buffer("weight", weight)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.linear = Linear(in_features, num_classes * math.prod(out_features), bias, dtype)

    def forward(self, input: Any, target: Any) -> Tensor:
        shape, layer = (self.num_classes, *self.out_features), self.linear
        who, dtype = "LinearCrossEntropyLoss", layer.weight.dtype
        input, target = taken(input, dtype, who), taken(target, dtype, who, integers=True)
        return F.linear_cross_entropy(
            input, ops.reshape(layer.weight, (*shape, layer.in_features)), target,
            linear_bias=None if layer.bias is None else ops.reshape(layer.bias, shape), weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing)  # fmt: skip
