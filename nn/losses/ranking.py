"""Losses of pairs and triplets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core.tensor import Tensor

from .. import functional as F
from ..distance import PairwiseDistance
from ..settings import check_positive
from .base import Loss

__all__ = [
    "ContrastiveLoss", "CosineEmbeddingLoss", "MarginRankingLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


class _MarginLoss(Loss):
    """A loss of two inputs and labels, with a margin."""

    shown = (("margin", 0.0),)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin


class MarginRankingLoss(_MarginLoss):
    """``max(0, margin - t (x1 - x2))``: labels t say which of two numbers should be larger.

    Args:
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> loss = nn.MarginRankingLoss(margin=0.5)
    >>> float(loss(np.array([3.0, 1.0]), np.array([1.0, 3.0]), np.array([1, 1])))
    1.25
    """

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """``1 - cos(x1, x2)`` for what is alike (t = 1), ``max(0, cos(x1, x2) - margin)`` for what is not.

    Args:
        margin: from -1 to 1; how alike the others may be.
        reduction: ``"mean"`` over the pairs, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x1, x2 = np.array([[1.0, 0.0]]), np.array([[3.0, 4.0]])
    >>> float(nn.CosineEmbeddingLoss(margin=0.5)(x1, x2, np.array([-1])))
    0.1
    """

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class ContrastiveLoss(Loss):
    """``d^2 / 2`` for what is alike (t = 1), ``max(0, margin - d)^2 / 2`` for what is not; ``d = |x1 - x2|``.

    Args:
        margin: how far apart is enough.
        reduction: ``"mean"`` over the pairs, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.ContrastiveLoss(margin=6.0)(np.zeros((1, 2)), np.array([[3.0, 4.0]]), np.array([-1])))
    0.5
    """

    shown = (("margin", 1.0),)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return F.contrastive_loss(input1, input2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """``max(0, d(a, p) - d(a, n) + margin)``, ``d(x, y) = |x - y + eps|_p``: a closer to p than to n.

    See :func:`nn.functional.triplet_margin_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.TripletMarginLoss()(np.zeros(2), np.array([3.0, 4.0]), np.array([0.0, 5.5])))
    0.5
    """

    shown = (("margin", 1.0), ("p", 2.0), ("eps", 1e-6), ("swap", False))

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(reduction)
        check_positive("TripletMarginLoss", margin=margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap,
            reduction=self.reduction)  # fmt: skip


class TripletMarginWithDistanceLoss(Loss):
    """``max(0, d(a, p) - d(a, n) + margin)`` of a distance d of your own, a function or a Module.

    See :func:`nn.functional.triplet_margin_with_distance_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=nn.L1Loss("none"), margin=2.0)
    >>> loss(np.zeros(2), np.array([3.0, 4.0]), np.array([0.0, 5.5]))
    np.float64(2.75)
    """

    shown = (("margin", 1.0), ("swap", False))

    def __init__(
        self, *, distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
        swap: bool = False, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(reduction)
        check_positive("TripletMarginWithDistanceLoss", margin=margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, margin=self.margin,
            swap=self.swap, reduction=self.reduction)  # fmt: skip
