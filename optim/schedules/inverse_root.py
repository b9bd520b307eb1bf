"""Rates that fall as one over the square root of time."""

from __future__ import annotations

from typing import Any

from ..optimizer import Optimizer
from .base import FactorLR, check

__all__ = ["InverseSquareRootLR", "NoamLR"]


class InverseSquareRootLR(FactorLR):
    """Fall as the inverse square root of time: ``eta_t = eta_0 / sqrt(1 + t / tau)``.

    With tau = 1 it is ``eta_0 / sqrt(n)`` at the n-th step. Transformers warm up first, and fall on with
    ``tau`` equal to the steps of that: ``WarmupLR(optimizer, 4000, InverseSquareRootLR(optimizer, 4000))``.

    Args:
        optimizer: the optimizer whose rates are set.
        timescale: tau, in steps; after 3 tau the rate is half the first one.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a timescale that is not positive.

    Source: H. Robbins and S. Monro, "A stochastic approximation method", 1951, on what sequences of rates
    converge; A. Nemirovski and others, "Robust stochastic approximation approach to stochastic
    programming", 2009, on this one.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(optim.schedules.InverseSquareRootLR, lr=0.6, steps=4)
    array([0.6   , 0.4243, 0.3464, 0.3   ])
    """

    def __init__(self, optimizer: Optimizer, timescale: float = 1.0, last_epoch: int = -1) -> None:
        check("InverseSquareRootLR", "timescale", timescale, 0, above=True)
        self.timescale = timescale
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return (1 + t / self.timescale) ** -0.5


class NoamLR(FactorLR):
    """Rise linearly for w steps, then fall as the inverse root: ``eta = eta_0 d^-0.5 min(n^-0.5, n w^-1.5)``.

    n = t + 1 is the number of the step. The rate of the optimizer, eta_0, is a factor and is usually 1:
    ``optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)``.

    Args:
        optimizer: the optimizer whose rates are set.
        d_model: d, the width of the transformer.
        warmup_steps: w, the step of the highest rate, ``(d w)^-0.5``.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a width or a number of steps that is not positive.

    Source: A. Vaswani and others, "Attention is all you need", 2017.

    >>> from autograd_core import optim
    >>> noam = lambda o: optim.schedules.NoamLR(o, d_model=4, warmup_steps=2)
    >>> optim.schedules.curve(noam, lr=1.0, steps=4)
    array([0.1767767 , 0.35355339, 0.28867513, 0.25      ])
    """

    def __init__(
        self, optimizer: Optimizer, d_model: int, warmup_steps: int = 4000, last_epoch: int = -1
    ) -> None:
        check("NoamLR", "d_model", d_model, 0, above=True)
        check("NoamLR", "warmup_steps", warmup_steps, 0, above=True)
        self.d_model, self.warmup_steps = d_model, warmup_steps
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        n = t + 1
        return self.d_model**-0.5 * min(n**-0.5, n * self.warmup_steps**-1.5)
