"""Hinge losses."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from .base import Loss

__all__ = [
    "CrammerSingerLoss", "HingeEmbeddingLoss", "HingeLoss", "MultiLabelMarginLoss", "MultiMarginLoss",
    "OneVsAllHingeLoss", "SoftMarginLoss",
]  # fmt: skip


class HingeLoss(Loss):
    """``max(0, 1 - t f)`` for labels t of -1 and +1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.HingeLoss()(np.array([2.0, 0.5]), np.array([1, 1])))
    0.25
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.hinge_loss(input, target, self.reduction)


class HingeEmbeddingLoss(Loss):
    """Distances x of what is alike (t = 1), ``max(0, margin - x)`` of what is not (t = -1).

    Args:
        margin: how far apart is enough.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.HingeEmbeddingLoss(margin=2.0)(np.array([0.5, 0.5]), np.array([1, -1])))
    1.0
    """

    shown = (("margin", 1.0),)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(Loss):
    """``log(1 + e^(-t f))`` for labels t of -1 and +1.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.SoftMarginLoss()(np.array([0.0, 1000.0]), np.array([1, -1])))
    500.346574
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.soft_margin_loss(input, target, self.reduction)


class OneVsAllHingeLoss(Loss):
    """``sum_{c != y} max(0, 1 - (f_y - f_c))`` from outputs (N, C) and classes (N,).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.OneVsAllHingeLoss()(np.array([[2.0, 1.5, 0.0]]), np.array([0])))
    0.5
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.one_vs_all_hinge_loss(input, target, self.reduction)


class CrammerSingerLoss(Loss):
    """``max(0, max_{c != y} 1 - (f_y - f_c))`` from outputs (N, C) and classes (N,): a multi-class SVM.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.CrammerSingerLoss()(np.array([[2.0, 1.5, 1.25]]), np.array([0])))
    0.5
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.crammer_singer_loss(input, target, self.reduction)


class MultiMarginLoss(Loss):
    """``sum_{c != y} w_y max(0, margin - (f_y - f_c))^p / C`` from outputs (N, C) and classes (N,).

    Args:
        p: 1 or 2.
        margin: by how much the right class has to lead.
        weight: a factor w for each class, (C,).
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: p is neither 1 nor 2.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.MultiMarginLoss(margin=2.0)(np.array([[2.0, 1.5, 0.0]]), np.array([0])))
    0.5
    """

    shown = (("p", 1), ("margin", 1.0))
    weight: Any

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(message("MultiMarginLoss", f"p={p}", "1 or 2"))
        self.p, self.margin = p, margin
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction)  # fmt: skip


class MultiLabelMarginLoss(Loss):
    """``sum_{y right, c wrong} max(0, 1 - (f_y - f_c)) / C``; the target lists the right classes, then -1.

    Args:
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.MultiLabelMarginLoss()(np.array([[0.1, 0.2, 0.4, 0.8]]), np.array([[3, 0, -1, 1]])))
    0.85
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.multilabel_margin_loss(input, target, self.reduction)
