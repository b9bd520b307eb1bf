"""Rates that go up and down between two bounds, and momenta that go against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal

from autograd_core.errors import message

from ..optimizer import Optimizer
from .base import LRScheduler, check

__all__ = ["CyclicLR"]


class CyclingLR(LRScheduler):
    """A schedule that may set the momentum too: ``group["momentum"]``, or the first of ``group["betas"]``."""

    def cycle(self, cycle_momentum: bool, base_momentum: Any, max_momentum: Any, low: str, high: str) -> None:
        """Keep the bounds of the momentum, if it is to cycle."""
        self.cycle_momentum = cycle_momentum
        if not cycle_momentum:
            return
        self.use_beta1 = "betas" in self.optimizer.defaults
        if not self.use_beta1 and "momentum" not in self.optimizer.defaults:
            raise ValueError(message(
                type(self).__name__, f"{type(self.optimizer).__name__}, which has no momentum",
                "an optimizer with momentum or betas", "cycle_momentum=False"))  # fmt: skip
        self.base_momentums = self.per_group(low, base_momentum)
        self.max_momentums = self.per_group(high, max_momentum)

    def get_momentum(self) -> list[float]:
        """Return the momentum of each group at ``self.last_epoch``."""
        raise NotImplementedError

    def write(self, rates: Iterable[float]) -> None:
        super().write(rates)
        if self.cycle_momentum:
            for group, momentum in zip(self.optimizer.param_groups, self.get_momentum(), strict=True):
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum


class CyclicLR(CyclingLR):
    """Go from a low to a high rate and back on straight lines, again and again.

    ``eta_t = low + (high - low) h(t) s`` where h rises from 0 to 1 in ``step_size_up`` steps and falls
    back in ``step_size_down``. In mode "triangular" s = 1; in "triangular2" it is halved at each cycle,
    ``s = 2^-(cycle - 1)``; in "exp_range" ``s = gamma^t``. The momentum goes the other way:
    ``max_momentum - (max_momentum - base_momentum) h(t) s``.

    Args:
        optimizer: the optimizer whose rates are set.
        base_lr: low, a number or a list with one for each group.
        max_lr: high, likewise.
        step_size_up: steps upwards, mini-batches as a rule.
        step_size_down: steps downwards; None: as many.
        mode: "triangular", "triangular2" or "exp_range".
        gamma: for "exp_range".
        scale_fn: s as a function of what ``scale_mode`` says, in place of the mode.
        scale_mode: "cycle" for the number of the cycle, from 1 on, or "iterations" for t.
        cycle_momentum: whether the momentum is set too.
        base_momentum: the momentum at the highest rate.
        max_momentum: the momentum at the lowest rate.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a mode that is not one of these, steps that are not positive, not one rate for each
            group, or an optimizer without momentum and ``cycle_momentum=True``.

    Source: L. Smith, "Cyclical learning rates for training neural networks", 2017.

    >>> from autograd_core import optim
    >>> up_and_down = lambda o: optim.schedules.CyclicLR(o, 0.1, 0.5, step_size_up=2, mode="triangular2")
    >>> optim.schedules.curve(up_and_down, steps=7)
    array([0.1, 0.3, 0.5, 0.3, 0.1, 0.2, 0.3])
    """

    unsaved: ClassVar[frozenset[str]] = frozenset({"optimizer", "_scale_fn"})

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
        step_size_up: int = 2000, step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8, max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.attach(optimizer)
        base_lrs = self.per_group("base_lr", base_lr)
        self.max_lrs = self.per_group("max_lr", max_lr)
        check("CyclicLR", "step_size_up", step_size_up, 0, above=True)
        down = step_size_up if step_size_down is None else step_size_down
        check("CyclicLR", "step_size_down", down, 0)
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(message(
                "CyclicLR", f"mode={mode!r}", "'triangular', 'triangular2' or 'exp_range'",
                "scale_fn= for one of your own"))  # fmt: skip
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(message("CyclicLR", f"scale_mode={scale_mode!r}", "'cycle' or 'iterations'"))
        self.mode, self.gamma, self._scale_fn = mode, gamma, scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle(cycle_momentum, base_momentum, max_momentum, "base_momentum", "max_momentum")
        for group, low in zip(optimizer.param_groups, base_lrs, strict=True):
            group["initial_lr"] = low
        super().__init__(optimizer, last_epoch)

    def scale_fn(self, x: float) -> float:
        """Return s, for the number of a cycle or for t."""
        if self._scale_fn is not None:
            return self._scale_fn(x)
        if self.mode == "exp_range":
            return self.gamma**x
        return 2.0 ** (1 - x) if self.mode == "triangular2" else 1.0

    def get_lr(self) -> list[float]:
        h, s = self._height()
        return [low + (high - low) * h * s for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def get_momentum(self) -> list[float]:
        h, s = self._height()
        bounds = zip(self.base_momentums, self.max_momentums, strict=True)
        return [high - (high - low) * h * s for low, high in bounds]

    def _height(self) -> tuple[float, float]:
        """Return h, how far up the present cycle is, and s, by how much that is scaled."""
        t = self.last_epoch
        cycle = math.floor(1 + t / self.total_size)
        x = 1 + t / self.total_size - cycle  # from 0 to 1 in a cycle
        h = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        return h, self.scale_fn(cycle if self.scale_mode == "cycle" else t)
