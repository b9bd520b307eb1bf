"""Losses as modules: what they are, with their options, apart from what they are given."""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from . import functional as F
from .functional.reduce import known
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "HingeLoss", "MSELoss", "NLLLoss",
    "OneVsAllHingeLoss",
]  # fmt: skip


class _Loss(Module):
    """A loss and its reduction: ``"mean"``, ``"sum"`` or ``"none"``."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        known(type(self).__name__, reduction)
        self.reduction = reduction

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """The squared error ``(x - t)^2``; prediction and target have the same shape.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.MSELoss()(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.mse_loss(input, target, self.reduction)


class CrossEntropyLoss(_Loss):
    """``log(sum(e^x)) - x_t`` from logits (N, C, ...) and classes (N, ...) or probabilities.

    See :func:`nn.functional.cross_entropy` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.CrossEntropyLoss()(np.zeros((5, 10)), np.arange(5)))  # log 10
    2.302585
    """

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


class NLLLoss(_Loss):
    """``-log p_t`` from log-probabilities (N, C, ...) and classes (N, ...).

    See :func:`nn.functional.nll_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.NLLLoss()(np.log(np.array([[0.5, 0.5]])), np.array([1])))
    0.693147
    """

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


class BCELoss(_Loss):
    """``-t log p - (1 - t) log(1 - p)`` from probabilities of the target's shape.

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


class BCEWithLogitsLoss(_Loss):
    """``log(1 + e^x) - x t`` from logits of the target's shape: finite for all of them.

    See :func:`nn.functional.binary_cross_entropy_with_logits` for the arguments.

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


class HingeLoss(_Loss):
    """``max(0, 1 - t f)`` for labels t of -1 and +1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.HingeLoss()(np.array([2.0, 0.5]), np.array([1, 1])))
    0.25
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.hinge_loss(input, target, self.reduction)


class OneVsAllHingeLoss(_Loss):
    """``sum_{c != y} max(0, 1 - (f_y - f_c))`` from outputs (N, C) and classes (N,).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.OneVsAllHingeLoss()(np.array([[2.0, 1.5, 0.0]]), np.array([0])))
    0.5
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.one_vs_all_hinge_loss(input, target, self.reduction)
