"""Losses that tell one match from many."""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from .. import functional as F
from ..settings import check_positive
from .base import Loss

__all__ = ["InfoNCELoss", "NTXentLoss"]


class _TemperatureLoss(Loss):
    def __init__(self, temperature: float, reduction: str) -> None:
        super().__init__(reduction)
        check_positive(type(self).__name__, temperature=temperature)
        self.temperature = temperature

    def extra_repr(self) -> str:
        return ", ".join([f"temperature={self.temperature!r}", *filter(None, [super().extra_repr()])])


class InfoNCELoss(_TemperatureLoss):
    """``-log(e^(s_ii) / sum_j e^(s_ij))``, ``s_ij = cos(q_i, k_j) / temperature``: each query's own key.

    Args:
        temperature: how sharp the choice is.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.InfoNCELoss(1.0)(np.eye(3), np.eye(3)))  # log(e + 2) - 1
    0.551445
    """

    def __init__(self, temperature: float = 0.1, *, reduction: str = "mean") -> None:
        super().__init__(temperature, reduction)

    def forward(self, query: Any, key: Any) -> Tensor:
        return F.info_nce_loss(query, key, self.temperature, reduction=self.reduction)


class NTXentLoss(_TemperatureLoss):
    """``-log(e^(s_ij) / sum_{k != i} e^(s_ik))`` of two views of each sample, i and j, among all 2N views.

    Args:
        temperature: how sharp the choice is.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.NTXentLoss(1.0)(np.eye(2), np.eye(2)))  # log(e + 2) - 1
    0.551445
    """

    def __init__(self, temperature: float = 0.5, *, reduction: str = "mean") -> None:
        super().__init__(temperature, reduction)

    def forward(self, input1: Any, input2: Any) -> Tensor:
        return F.nt_xent_loss(input1, input2, self.temperature, reduction=self.reduction)
