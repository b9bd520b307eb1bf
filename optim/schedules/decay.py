"""Rates that fall (or rise) by a formula: in steps, exponentially, linearly, as a power."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core.errors import message

from ..optimizer import Optimizer
from .base import FactorLR, check

__all__ = ["ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR"]


class StepLR(FactorLR):
    """Multiply the rate by gamma every ``step_size`` epochs: ``eta_t = eta_0 gamma^floor(t / step_size)``.

    Args:
        optimizer: the optimizer whose rates are set.
        step_size: epochs from one step to the next.
        gamma: the factor of a step.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a step size that is not positive, a negative gamma.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.StepLR(o, 2), lr=0.5, steps=5)
    array([0.5  , 0.5  , 0.05 , 0.05 , 0.005])
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check("StepLR", "step_size", step_size, 0, above=True)
        check("StepLR", "gamma", gamma, 0)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(FactorLR):
    """Multiply the rate by gamma at each milestone: ``eta_t = eta_0 gamma^(number of milestones <= t)``.

    Args:
        optimizer: the optimizer whose rates are set.
        milestones: epochs, in any order; one that comes twice counts twice.
        gamma: the factor of a step.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        TypeError: milestones that are no sequence of numbers.
        ValueError: a negative gamma.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.MultiStepLR(o, [1, 4]), lr=0.5, steps=5)
    array([0.5  , 0.05 , 0.05 , 0.05 , 0.005])
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check("MultiStepLR", "gamma", gamma, 0)
        if isinstance(milestones, str) or not isinstance(milestones, Iterable):
            raise TypeError(message("MultiStepLR", f"milestones={milestones!r}", "a list of epochs",
                                    "[30, 60, 90]"))  # fmt: skip
        self.milestones, self.gamma = np.sort(list(milestones)).tolist(), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return self.gamma ** bisect_right(self.milestones, t)

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        if isinstance(state.get("milestones"), Counter):
            state["milestones"] = sorted(state["milestones"].elements())
        return super().understood(state)


class ConstantLR(FactorLR):
    """Multiply the rate by a factor until epoch ``total_iters``: ``eta_t = c eta_0, then eta_0``.

    Args:
        optimizer: the optimizer whose rates are set.
        factor: c, from 0 to 1.
        total_iters: the first epoch with the full rate.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a factor outside [0, 1], or a negative number of epochs.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.ConstantLR(o, 0.5, 2), lr=0.2, steps=4)
    array([0.1, 0.1, 0.2, 0.2])
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        check("ConstantLR", "factor", factor, 0, 1)
        check("ConstantLR", "total_iters", total_iters, 0)
        self.start_factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return self.start_factor if t < self.total_iters else 1.0

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        if "factor" in state:  # which is a method here
            state["start_factor"] = state["factor"]
        return super().understood(state)


class LinearLR(FactorLR):
    """Go from one factor to another on a line: ``eta_t = (a + (b - a) min(t, T) / T) eta_0``.

    Args:
        optimizer: the optimizer whose rates are set.
        start_factor: a, above 0 and at most 1. (:class:`WarmupLR` takes 0 too.)
        end_factor: b, from 0 to 1.
        total_iters: T, the first epoch with factor b.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a factor outside its range, or a negative number of epochs.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.LinearLR(o, 0.5, total_iters=2), lr=0.2, steps=4)
    array([0.1 , 0.15, 0.2 , 0.2 ])
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0,
        total_iters: int = 5, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        check("LinearLR", "start_factor", start_factor, 0, 1, above=True)
        check("LinearLR", "end_factor", end_factor, 0, 1)
        check("LinearLR", "total_iters", total_iters, 0)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        if t >= self.total_iters:
            return self.end_factor
        return self.start_factor + (self.end_factor - self.start_factor) * t / self.total_iters


class ExponentialLR(FactorLR):
    """Multiply the rate by gamma at every epoch: ``eta_t = eta_0 gamma^t``.

    "Exponential cooling" with ``eta_t = eta_0^t`` for t = 1, 2, ... is ``gamma = eta_0``.

    Args:
        optimizer: the optimizer whose rates are set.
        gamma: the factor of each epoch.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a negative gamma.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.ExponentialLR(o, 0.5), lr=0.5, steps=4)
    array([0.5   , 0.25  , 0.125 , 0.0625])
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check("ExponentialLR", "gamma", gamma, 0)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return self.gamma**t


class PolynomialLR(FactorLR):
    """Fall to zero as a power of the time that is left: ``eta_t = eta_0 (1 - min(t, T) / T)^power``.

    Args:
        optimizer: the optimizer whose rates are set.
        total_iters: T, the first epoch with rate 0.
        power: 1 is a line.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a number of epochs that is not positive, or a negative power.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.PolynomialLR(o, 4, power=2), lr=1.6, steps=6)
    array([1.6, 0.9, 0.4, 0.1, 0. , 0. ])
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        check("PolynomialLR", "total_iters", total_iters, 0, above=True)
        check("PolynomialLR", "power", power, 0)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return (1 - min(t, self.total_iters) / self.total_iters) ** self.power
