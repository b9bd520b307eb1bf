"""Schedules made of schedules: one after another, several at once, one with a warm-up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from autograd_core.errors import message

from ..optimizer import Optimizer
from .base import FactorLR, LRScheduler, check
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR", "WarmupLR"]


class _JoinedLR(LRScheduler):
    """A schedule that holds others of the same optimizer; their states are in its own."""

    unsaved: ClassVar[frozenset[str]] = frozenset({"optimizer", "_schedulers"})

    def hold(self, schedulers: Iterable[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        """Keep the schedules, after a look whether they go together, and return their optimizer."""
        who, self._schedulers = type(self).__name__, list(schedulers)
        if not self._schedulers:
            raise ValueError(message(who, "no schedules", "at least one"))
        for number, one in enumerate(self._schedulers):
            if not isinstance(one, LRScheduler):
                raise TypeError(message(who, f"a {type(one).__name__} at place {number}", "a schedule"))
            if isinstance(one, ReduceLROnPlateau):
                raise ValueError(message(
                    who, f"a ReduceLROnPlateau at place {number}", "schedules whose step() needs no metric",
                    "WarmupLR(optimizer, steps, plateau)"))  # fmt: skip
            if one.optimizer is not (optimizer or self._schedulers[0].optimizer):
                raise ValueError(message(
                    who, f"a {type(one).__name__} of another optimizer at place {number}",
                    "schedules of one optimizer"))  # fmt: skip
        return optimizer or self._schedulers[0].optimizer

    def held(self) -> list[LRScheduler]:
        return self._schedulers

    def __repr__(self) -> str:
        inner = "".join("\n  " + repr(one).replace("\n", "\n  ") + "," for one in self._schedulers)
        return f"{type(self).__name__}({inner}\n  last_epoch={self.last_epoch}, lr={self._last_lr})"


class SequentialLR(_JoinedLR):
    """Follow one schedule after another: the next one starts at its epoch 0 at each milestone.

    ``eta_t = s_i(t - milestone_i)`` for the i-th schedule. Each starts from the first rate of the optimizer,
    except for :class:`MultiplicativeLR` and :class:`SWALR`, which go on from where the one before has led.
    For a linear warm-up see also :class:`WarmupLR`.

    Args:
        optimizer: the optimizer whose rates are set.
        schedulers: schedules of this optimizer, made with ``last_epoch=-1``.
        milestones: the epochs at which the second, third, ... begin.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        TypeError: something in the list that is no schedule.
        ValueError: not one milestone less than schedules, milestones that fall, schedules of different
            optimizers, or a :class:`ReduceLROnPlateau`.

    >>> from autograd_core import optim
    >>> s = optim.schedules
    >>> two = lambda o: s.SequentialLR(o, [s.ConstantLR(o, 0.5), s.ExponentialLR(o, 0.9)], milestones=[2])
    >>> s.curve(two, lr=0.2, steps=5)
    array([0.1  , 0.1  , 0.2  , 0.18 , 0.162])
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self._milestones = np.asarray(list(milestones)).tolist()
        self.hold(schedulers, optimizer)
        if len(self._milestones) != len(self._schedulers) - 1:
            raise ValueError(message("SequentialLR", f"{len(self._milestones)} milestones for "
                                     f"{len(self._schedulers)} schedules", f"{len(self._schedulers) - 1}"))
        if any(a > b for a, b in pairwise(self._milestones)):
            raise ValueError(message("SequentialLR", f"milestones={self._milestones}", "epochs that rise"))
        super().__init__(optimizer, last_epoch)

    def begin(self) -> None:
        self.jump(self.last_epoch + 1, self.base_lrs)

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        place = bisect_right(self._milestones, epoch)
        one = self._schedulers[place]
        self.write(origins)
        one.jump(epoch - ([0, *self._milestones][place]), one.base_lrs)
        self.last_epoch, self._last_lr = epoch, self.rates()

    def step(self, epoch: Any = None) -> None:
        if epoch is not None:
            return super().step(epoch)
        place = bisect_right(self._milestones, self.last_epoch + 1)
        if place and self._milestones[place - 1] == self.last_epoch + 1:
            self._schedulers[place].restart()
        else:
            self._schedulers[place].step()
        self.last_epoch, self._last_lr = self.last_epoch + 1, self._schedulers[place].get_last_lr()


class ChainedScheduler(_JoinedLR):
    """Step several schedules at once; those that are factors multiply.

    Args:
        schedulers: schedules of one optimizer.
        optimizer: their optimizer; None: that of the first.

    Raises:
        TypeError: something in the list that is no schedule.
        ValueError: no schedules, of different optimizers, or a :class:`ReduceLROnPlateau`.

    >>> from autograd_core import optim
    >>> s = optim.schedules
    >>> both = lambda o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 2), s.ExponentialLR(o, 0.9)])
    >>> s.curve(both, lr=0.2, steps=4)
    array([0.1   , 0.09  , 0.162 , 0.1458])
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        super().__init__(self.hold(schedulers, optimizer))

    def begin(self) -> None:
        self.last_epoch = self._schedulers[0].last_epoch

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        self.write(origins)
        for one in self._schedulers:
            one.jump(epoch, self.rates())
        self.last_epoch, self._last_lr = epoch, self.rates()

    def step(self, epoch: Any = None) -> None:
        if epoch is not None:
            return super().step(epoch)
        for one in self._schedulers:
            one.step()
        self.last_epoch, self._last_lr = self.last_epoch + 1, self.rates()


class WarmupLR(FactorLR):
    """Rise on a line to the first rate of another schedule, then follow that one.

    ``eta_t = (a + (1 - a) t / T) s(0)`` for t < T, then ``eta_t = s(t - T)``; without another schedule the
    rate stays. The default a makes the rates before epoch T equal parts: ``eta_t = s(0) (t + 1) / (T + 1)``.

    Args:
        optimizer: the optimizer whose rates are set.
        steps: T, the epochs (or mini-batches) of the warm-up.
        after: the schedule s, of the same optimizer; :class:`ReduceLROnPlateau` too, to which
            ``step(metric)`` passes on its argument.
        start_factor: a, from 0 to 1; None: ``1 / (T + 1)``.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a negative number of steps, a factor outside [0, 1], or a schedule of another optimizer.
        TypeError: an ``after`` that is no schedule.

    Source: P. Goyal and others, "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.

    >>> from autograd_core import optim
    >>> s = optim.schedules
    >>> s.curve(lambda o: s.WarmupLR(o, 3, after=s.CosineAnnealingLR(o, 2)), lr=0.8, steps=6)
    array([0.2, 0.4, 0.6, 0.8, 0.4, 0. ])
    """

    unsaved: ClassVar[frozenset[str]] = frozenset({"optimizer", "after"})

    def __init__(
        self, optimizer: Optimizer, steps: int, after: LRScheduler | None = None,
        start_factor: float | None = None, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if after is not None and not isinstance(after, LRScheduler):
            raise TypeError(message("WarmupLR", f"after={after!r}", "a schedule"))
        if after is not None and after.optimizer is not optimizer:
            raise ValueError(message("WarmupLR", "a schedule of another optimizer", "one of the same"))
        check("WarmupLR", "steps", steps, 0)
        check("WarmupLR", "start_factor", start_factor or 0, 0, 1)
        self.steps, self.after = steps, after
        self.start_factor = 1 / (steps + 1) if start_factor is None else start_factor
        super().__init__(optimizer, last_epoch)

    def factor(self, t: Any) -> float:
        return self.start_factor + (1 - self.start_factor) * t / self.steps if t < self.steps else 1.0

    def begin(self) -> None:
        self._targets = self.rates()
        if self.last_epoch == -1:
            super().jump(0, self._targets)
        else:
            super().begin()

    def bases(self) -> list[float]:
        return self._targets

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        if self.after is not None:
            self.after.jump(max(0, epoch - self.steps), origins)
            origins = self.rates()
        self._targets = list(origins)
        super().jump(epoch, self._targets)

    def step(self, epoch: Any = None) -> None:
        """Set the rates of the next epoch, or of the one that is given (or pass on a metric)."""
        warm = self.last_epoch < self.steps
        if isinstance(self.after, ReduceLROnPlateau):
            super().step() if warm else self.follow(epoch)
        elif self.after is None or epoch is not None or warm:
            super().step(epoch)
        else:
            self.follow()

    def follow(self, *metric: Any) -> None:
        """Let the schedule after the warm-up make its step."""
        assert self.after is not None
        self.after.step(*metric)
        self.last_epoch, self._last_lr = self.last_epoch + 1, self.rates()

    def held(self) -> list[LRScheduler]:
        return [] if self.after is None else [self.after]
