"""The rate of the last part of a training whose weights are averaged."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from autograd_core.errors import message

from ..optimizer import Optimizer
from .base import FactorLR, check

__all__ = ["SWALR"]


class SWALR(FactorLR):
    """Go from the present rate to a fixed one: ``eta_t = eta_swa + (eta_0 - eta_swa) (1 + cos(pi x)) / 2``.

    Here ``x = min(t / anneal_epochs, 1)``, t counts the steps of this schedule, and eta_0 is what stands in
    the group when it begins, whatever schedule has led there. A strategy "linear" has 1 - x in place of the
    cosine's half. ``optim.AveragedModel`` averages the weights meanwhile.

    Args:
        optimizer: the optimizer whose rates are set.
        swa_lr: eta_swa, a number or a list with one for each group.
        anneal_epochs: how many steps it takes; 0: none.
        anneal_strategy: "cos" or "linear".
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: a negative or broken number of epochs, or a strategy that is not one of these.

    Source: P. Izmailov and others, "Averaging weights leads to wider optima and better generalization",
    2018.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.SWALR(o, 0.1, anneal_epochs=2), lr=0.5, steps=4)
    array([0.5, 0.3, 0.1, 0.1])
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos", last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(message("SWALR", f"anneal_strategy={anneal_strategy!r}", "'cos' or 'linear'"))
        check("SWALR", "anneal_epochs", anneal_epochs, 0, whole=True)
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        self.attach(optimizer)
        self.swa_lr = np.asarray(swa_lr).tolist()
        super().__init__(optimizer, last_epoch, floor=self.per_group("swa_lr", swa_lr))

    def factor(self, t: Any) -> float:
        x = min(t / self.anneal_epochs, 1) if self.anneal_epochs else 1
        return 1 - x if self._anneal_strategy == "linear" else (1 + math.cos(math.pi * x)) / 2

    def get_lr(self) -> list[float]:
        return super().get_lr() if self.factor(self.last_epoch) else list(self.floors)

    def restart(self) -> None:
        self.jump(0, self.rates())

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        return super().understood({"swa_lr": self.swa_lr} | state)
