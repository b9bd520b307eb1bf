"""Cross-entropies of yes-or-no outputs."""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from .. import functional as F
from .base import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss", "SigmoidFocalLoss"]


class BCELoss(Loss):
    """``-t log p - (1 - t) log(1 - p)`` from probabilities of the target's shape.

    Args:
        weight: a factor for each element, of a shape that broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.BCELoss()(np.array([0.5, 1.0]), np.array([1.0, 1.0])))
    0.346574
    """

    weight: Any

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """``log(1 + e^x) - x t`` from logits of the target's shape: finite for all of them.

    Args:
        weight: a factor for each element, of a shape that broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: a factor for the term of t = 1, often one for each output.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.BCEWithLogitsLoss()(np.array([1000.0, -1000.0]), np.array([1.0, 1.0])))
    500.0
    """

    weight: Any
    pos_weight: Any

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight)  # fmt: skip


class MultiLabelSoftMarginLoss(Loss):
    """The mean, over the classes, of binary cross-entropies of logits (..., C).

    Args:
        weight: a factor for each class, (C,).
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.MultiLabelSoftMarginLoss()(np.array([[0.0, 1000.0]]), np.array([[1, 1]])))
    0.346574
    """

    weight: Any

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class SigmoidFocalLoss(Loss):
    """``-alpha_t (1 - p_t)^gamma log p_t``, ``p = sigmoid(x)``: easy examples count little.

    See :func:`nn.functional.sigmoid_focal_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.SigmoidFocalLoss(alpha=None, gamma=1.0)(np.array([0.0]), np.array([1.0])))
    0.346574
    """

    shown = (("alpha", 0.25), ("gamma", 2.0))

    def __init__(
        self, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.sigmoid_focal_loss(input, target, self.alpha, self.gamma, self.reduction)
