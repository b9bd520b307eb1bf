"""Rates that fall along half a cosine, once or again and again."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .base import FactorLR, LRScheduler, check

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(FactorLR):
    """Fall along half a cosine, and rise again after T_max epochs.

    ``eta_t = m + (eta_0 - m) (1 + cos(pi t / T)) / 2``

    Args:
        optimizer: the optimizer whose rates are set.
        T_max: T, the epoch of the least rate.
        eta_min: m, the least rate.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a T_max that is not positive, or a negative rate.

    Source: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017,
    without the restarts.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.CosineAnnealingLR(o, 2), lr=0.8, steps=5)
    array([0.8, 0.4, 0. , 0.4, 0.8])
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check("CosineAnnealingLR", "T_max", T_max, 0, above=True)
        check("CosineAnnealingLR", "eta_min", eta_min, 0)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch, floor=eta_min)

    def factor(self, t: Any) -> float:
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Fall along half a cosine in T_i epochs and start again.

    ``eta_t = m + (eta_0 - m) (1 + cos(pi T_cur / T_i)) / 2``, where T_cur counts the epochs since the
    last restart, and each period is ``T_mult`` times as long as the one before. ``step(epoch)`` takes
    fractions of an epoch, such as ``epoch + i / len(loader)``. The models before each restart make a
    snapshot ensemble.

    Args:
        optimizer: the optimizer whose rates are set.
        T_0: epochs of the first period.
        T_mult: how many times as long the next period is.
        eta_min: m, the least rate.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a T_0 or T_mult that is no positive integer.

    Source: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> from autograd_core import optim
    >>> restarts = lambda o: optim.schedules.CosineAnnealingWarmRestarts(o, 1, T_mult=2)
    >>> optim.schedules.curve(restarts, lr=0.8, steps=5)
    array([0.8       , 0.8       , 0.4       , 0.8       , 0.68284271])
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check("CosineAnnealingWarmRestarts", "T_0", T_0, 1, whole=True)
        check("CosineAnnealingWarmRestarts", "T_mult", T_mult, 1, whole=True)
        check("CosineAnnealingWarmRestarts", "eta_min", eta_min, 0)
        self.T_0, self.T_mult, self.eta_min = int(T_0), int(T_mult), eta_min
        self.T_cur: float = 0
        self.T_i = self.T_0
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        cosine = math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * (1 + cosine) / 2 for base in self.base_lrs]

    def advance(self, epoch: Any) -> None:
        self.T_cur, self.T_i = epoch, self.T_0
        if self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        super().advance(math.floor(epoch))
