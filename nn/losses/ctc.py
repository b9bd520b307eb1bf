"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from .. import functional as F
from .base import Loss

__all__ = ["CTCLoss"]


class CTCLoss(Loss):
    """``-log sum_paths prod_t p_t(path_t)`` over all paths of frames that read as the target.

    See :func:`nn.functional.ctc_loss` for what it is given.

    Args:
        blank: the class that stands between labels.
        reduction: ``"mean"`` (of the losses divided by the target lengths), ``"sum"`` or ``"none"``.
        zero_infinity: take 0 for the infinite loss of a sample that has too few frames for its labels.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x = np.log(np.full((2, 1, 2), 0.5))  # two frames, blank or "1": "1-", "-1" and "11" read as "1"
    >>> float(nn.CTCLoss()(x, np.array([[1]]), np.array([2]), np.array([1])))  # -log(3/4)
    0.287682
    """

    shown = (("blank", 0), ("zero_infinity", False))

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Tensor:
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
                          self.zero_infinity)  # fmt: skip
