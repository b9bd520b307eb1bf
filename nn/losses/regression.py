"""Losses between numbers."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from ..settings import check_positive
from .base import Loss

__all__ = ["HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss"]


class MSELoss(Loss):
    """The squared error ``(x - t)^2``; prediction and target have the same shape.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.MSELoss()(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """The absolute error ``|x - t|``; prediction and target have the same shape.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.L1Loss()(np.array([1.0, 4.0]), np.array([1.0, 1.0])))
    1.5
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.l1_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
    """``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta/2``; d = x - t.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola meets the straight lines; 0 is :class:`L1Loss`.

    Raises:
        ValueError: beta is negative.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.SmoothL1Loss("none", beta=0.5)(np.array([0.25, 3.0]), np.zeros(2))
    array([0.0625, 2.75  ])
    """

    shown = (("beta", 1.0),)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        if beta < 0:
            raise ValueError(message("SmoothL1Loss", f"beta={beta}", "a number that is not negative"))
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.smooth_l1_loss(input, target, self.reduction, self.beta)


class HuberLoss(Loss):
    """``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta/2)``; d = x - t.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola meets the straight lines.

    Raises:
        ValueError: delta is not positive.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.HuberLoss("none", delta=2.0)(np.array([0.5, 3.0]), np.zeros(2))
    array([0.125, 4. ])
    """

    shown = (("delta", 1.0),)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        check_positive("HuberLoss", delta=delta)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)
