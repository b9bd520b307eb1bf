"""One rise of the rate and one long fall, far below where it started."""

from __future__ import annotations

import math
from typing import Any, Literal

from autograd_core.errors import message

from ..optimizer import Optimizer
from .base import check
from .cyclic import CyclingLR

__all__ = ["OneCycleLR"]


class OneCycleLR(CyclingLR):
    """Rise from ``max_lr / div_factor`` to ``max_lr``, then fall to a ten thousandth of where it began.

    Between two rates a and b it goes as ``b + (a - b) (1 + cos(pi x)) / 2`` or ``a + (b - a) x``, where x
    rises from 0 to 1 in the phase; the momentum goes the other way. It is stepped after each mini-batch,
    and its last rate is that of step ``total_steps - 1``.

    Args:
        optimizer: the optimizer whose rates are set.
        max_lr: the highest rate, a number or a list with one for each group.
        total_steps: steps in all; or give ``epochs`` and ``steps_per_epoch``.
        epochs: passes over the data.
        steps_per_epoch: mini-batches in one.
        pct_start: the part of all steps that rise, from 0 to 1.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether the momentum is set too.
        base_momentum: the momentum at the highest rate.
        max_momentum: the momentum at the first rate.
        div_factor: the first rate is ``max_lr / div_factor``.
        final_div_factor: the last rate is the first one over this.
        three_phase: fall first as long as it rose, to the first rate, and then to the last.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: no number of steps, a part outside [0, 1], a strategy that is not one of these, not one
            rate for each group, or an optimizer without momentum and ``cycle_momentum=True``; in ``step``,
            more steps than there are.

    Source: L. Smith and N. Topin, "Super-convergence: very fast training of neural networks using large
    learning rates", 2018.

    >>> from autograd_core import optim
    >>> one = lambda o: optim.schedules.OneCycleLR(o, 1.0, 7, div_factor=10, anneal_strategy="linear")
    >>> optim.schedules.curve(one, steps=7).round(3)
    array([0.1  , 0.918, 0.816, 0.612, 0.408, 0.204, 0.   ])
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.attach(optimizer)
        self.total_steps = _count(total_steps, epochs, steps_per_epoch)
        check("OneCycleLR", "pct_start", pct_start, 0, 1)
        check("OneCycleLR", "div_factor", div_factor, 0, above=True)
        check("OneCycleLR", "final_div_factor", final_div_factor, 0, above=True)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(message("OneCycleLR", f"anneal_strategy={anneal_strategy!r}",
                                     "'cos' or 'linear'"))  # fmt: skip
        self.pct_start, self.anneal_strategy, self.three_phase = pct_start, anneal_strategy, three_phase
        self.max_lrs = self.per_group("max_lr", max_lr)
        first = [high / div_factor for high in self.max_lrs]
        self.min_lrs = [low / final_div_factor for low in first]
        self.cycle(cycle_momentum, base_momentum, max_momentum, "base_momentum", "max_momentum")
        for group, low in zip(optimizer.param_groups, first, strict=True):
            group["initial_lr"] = low
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        turns = zip(self.base_lrs, self.max_lrs, self.min_lrs, strict=True)
        return [self._between((a, b, a, c) if self.three_phase else (a, b, c)) for a, b, c in turns]

    def get_momentum(self) -> list[float]:
        bounds = zip(self.base_momentums, self.max_momentums, strict=True)
        return [self._between((b, a, b, b) if self.three_phase else (b, a, b)) for a, b in bounds]

    def _between(self, turns: tuple[float, ...]) -> float:
        """Return the value at the present step of what goes from one turn to the next."""
        t, last = self.last_epoch, self.total_steps - 1
        if t > self.total_steps:
            raise ValueError(message("OneCycleLR.step", f"step {t}",
                                     f"at most total_steps={self.total_steps}", "a longer one; a state that "
                                     "is loaded, as from a checkpoint, brings its own"))  # fmt: skip
        top = self.pct_start * self.total_steps - 1
        ends = (top, 2 * top, last) if self.three_phase else (top, last)
        i = next((i for i, end in enumerate(ends) if t <= end), len(ends) - 1)
        a, b, start, end = turns[i], turns[i + 1], ends[i - 1] if i else 0, ends[i]
        x = (t - start) / (end - start) if end != start else 1.0
        if self.anneal_strategy == "linear":
            return a + (b - a) * x
        return b + (a - b) / 2 * (1 + math.cos(math.pi * x))

    def understood(self, state: dict[str, Any]) -> dict[str, Any]:
        if "_schedule_phases" in state:  # PyTorch keeps its rates in the groups
            ours = self.state_dict()
            state = {k: state.get(k, ours[k]) for k in ours}
        return state


def _count(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    """Return how many steps there are, from their number or from two that make it."""
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise ValueError(message("OneCycleLR", "no number of steps",
                                 "total_steps, or epochs and steps_per_epoch"))  # fmt: skip
    given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    count = 1
    for name, value in given.items() if total_steps is None else [("total_steps", total_steps)]:
        check("OneCycleLR", name, value, 1, whole=True)
        count *= int(value)  # type: ignore[arg-type]
    return count
