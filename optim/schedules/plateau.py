"""A rate that falls when the validation loss no longer does."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from autograd_core.errors import message
from autograd_core.node import strip

from ..optimizer import Optimizer
from .base import LRScheduler, check

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by a factor when a metric has not improved for more than ``patience`` epochs.

    ``step(metric)`` is given what is watched. In mode "min" it has improved below
    ``best (1 - threshold)``, or ``best - threshold`` in threshold mode "abs"; in mode "max" above
    ``best (1 + threshold)``, or ``best + threshold``. A NaN is no improvement. A group that is added to
    the optimizer later takes part.

    Args:
        optimizer: the optimizer whose rates are set.
        mode: "min" for a loss, "max" for an accuracy.
        factor: the rate becomes ``lr * factor``; below 1.
        patience: epochs without an improvement that are let pass.
        threshold: by how much a metric has to improve.
        threshold_mode: "rel" or "abs".
        cooldown: epochs after a reduction that do not count.
        min_lr: the least rate, a number or a list with one for each group.
        eps: a change of the rate that is not larger is not made.

    Raises:
        ValueError: a factor of 1 or more, or a mode that is not one of these.
        TypeError: in ``step``, a metric that is no single number.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> optimizer = optim.SGD([nn.Parameter(np.zeros(1))], lr=0.1)
    >>> schedule = optim.schedules.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (1.0, 0.5, 0.5, 0.5, 0.4):
    ...     schedule.step(loss)
    ...     print(optimizer.param_groups[0]["lr"], end=" ")
    0.1 0.1 0.1 0.05 0.05
    """

    def __init__(
        self, optimizer: Optimizer, mode: Literal["min", "max"] = "min", factor: float = 0.1,
        patience: int = 10, threshold: float = 1e-4, threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0, min_lr: float | list[float] = 0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        if mode not in ("min", "max"):
            raise ValueError(message("ReduceLROnPlateau", f"mode={mode!r}", "'min' or 'max'"))
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(message("ReduceLROnPlateau", f"threshold_mode={threshold_mode!r}",
                                     "'rel' or 'abs'"))  # fmt: skip
        check("ReduceLROnPlateau", "factor", factor, 0)
        if factor >= 1:
            raise ValueError(message("ReduceLROnPlateau", f"factor={factor}", "a number below 1"))
        self.attach(optimizer)
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.min_lrs = self.per_group("min_lr", min_lr)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else float(min_lr)
        self.cooldown, self.cooldown_counter, self.num_bad_epochs = cooldown, 0, 0
        self.best = math.inf if mode == "min" else -math.inf
        self.last_epoch = 0
        self.base_lrs = self.rates()
        self._last_lr = self.rates()

    def is_better(self, value: float) -> bool:
        """Tell whether a metric is an improvement on the best one so far."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * value > sign * self.best * (1 + sign * self.threshold)
        return sign * value > sign * (self.best + sign * self.threshold)

    def step(self, metrics: Any, epoch: Any = None) -> None:  # type: ignore[override]
        """Note the metric of an epoch, and reduce the rates if it is time to."""
        value = np.asarray(strip(metrics))
        if value.size != 1 or value.dtype.kind not in "biuf":
            raise TypeError(message("ReduceLROnPlateau.step", f"a metric {metrics!r}", "one number",
                                    "schedule.step(validation_loss)"))  # fmt: skip
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(float(value.item())):
            self.best, self.num_bad_epochs = float(value.item()), 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.write(self.get_lr())
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self.rates()

    def get_lr(self) -> list[float]:
        """Return the reduced rates."""
        rates = self.rates()
        if len(rates) != len(self.min_lrs) and self.default_min_lr is None:
            raise ValueError(message(
                "ReduceLROnPlateau", f"an optimizer of {len(rates)} groups",
                f"{len(self.min_lrs)}, as many as min_lr has", "schedule.min_lrs.append(0.0)"))  # fmt: skip
        if len(rates) != len(self.min_lrs):
            self.min_lrs = self.per_group("min_lr", self.default_min_lr)
        reduced = [max(lr * self.factor, low) for lr, low in zip(rates, self.min_lrs, strict=True)]
        return [new if lr - new > self.eps else lr for lr, new in zip(rates, reduced, strict=True)]

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        self.last_epoch = epoch
        self.write(origins)

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"base_lrs": self.base_lrs} | state
