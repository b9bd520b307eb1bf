"""Find a learning rate: let it grow from far too low to far too high, and see where the loss falls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import nn
from autograd_core.errors import message

from ..optimizer import Optimizer
from .aside import aside, plain, samples, scalar

__all__ = ["RateTest", "lr_range_test"]


@dataclass(frozen=True, repr=False)
class RateTest:
    """What :func:`lr_range_test` measured.

    Attributes:
        rates: the rate of each step.
        losses: the loss of each mini-batch, before the step at that rate.
        smooth: the losses averaged over the steps before and after.
        suggestion: the rate at which ``smooth`` falls fastest; None if it never fell.
        highest: the rate at which ``smooth`` is lowest, above which training gets worse; None likewise.
        diverged: the test ended early since the loss grew or was not finite.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> losses = np.array([2.3, 2.0, 1.5, 1.4])
    >>> optim.practice.RateTest(np.array([0.001, 0.01, 0.1, 1.0]), losses, losses, 0.1, 1.0, False)
    rates 0.001 to 1: try 0.1, and not above 1
    """

    rates: ndarray[Any, Any]
    losses: ndarray[Any, Any]
    smooth: ndarray[Any, Any]
    suggestion: float | None
    highest: float | None
    diverged: bool

    def __repr__(self) -> str:
        if self.suggestion is None:
            end = "the loss never fell: try other rates, more steps, or overfit_small_sample first"
        else:
            end = f"try {self.suggestion:.2g}, and not above {self.highest:.2g}"
        how = ", where it diverged" if self.diverged else ""
        return f"rates {self.rates[0]:.2g} to {self.rates[-1]:.2g}{how}: {end}"

    def plot(self) -> Any:
        """Draw the loss over the rate; return matplotlib's Figure.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return nn.plots.lr_range(self.rates, self.losses, suggestion=self.suggestion, smooth=self.smooth)


def lr_range_test(
    model: Any, optimizer: Any, loss: Callable[[Any, Any], Any], x: Any, y: Any = None, *,
    low: float = 1e-6, high: float = 10.0, steps: int = 100, batch_size: int = 32, smoothing: float = 0.8,
    stop: float = 4.0,
) -> RateTest:  # fmt: skip
    """Train a copy while the rate grows from step to step, and suggest a rate.

    ``lr_k = low (high / low)^(k / (steps - 1))``. The losses are averaged with weights ``b^|i - k|`` over the
    steps before and after: an average of those before alone would place the fall at too high a rate. A good
    rate is where the loss falls fastest, or a third of that if it shall stay as it is; where it is lowest is
    already too much for long.
    [L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017]

    Args:
        model: a module, which is not changed.
        optimizer: a class or function that makes one, called as ``optimizer(parameters, lr=low)``; or one of
            this model, which is copied with it.
        loss: ``loss(output, target)``.
        x, y: inputs and targets, of which mini-batches are drawn; or a loader of pairs, and no y.
        low, high: the first and the last rate.
        steps: at most so many.
        batch_size: samples in each mini-batch; what a rate is right for depends on it.
        smoothing: b.
        stop: end when the running average (of weight b) is so many times its lowest, or a loss is not finite.

    Raises:
        ValueError: rates that do not grow, no data, or a loss that is not one number.

    >>> from autograd_core import nn, optim
    >>> _ = nn.manual_seed(0)
    >>> x, y = nn.data.digits()
    >>> model, loss = nn.MLP([64, 30, 10]), nn.functional.cross_entropy
    >>> found = optim.practice.lr_range_test(model, optim.SGD, loss, x, y)
    >>> 0.01 < found.suggestion < found.highest < 5
    True
    """
    who = "lr_range_test"
    if not 0 < low < high < math.inf:
        raise ValueError(message(who, f"low={low} and high={high}", "0 < low < high"))
    if steps < 5:
        raise ValueError(message(who, f"steps={steps}", "5 or more", "100"))
    if not 0 <= smoothing < 1 or not stop > 1:
        raise ValueError(message(who, f"smoothing={smoothing} and stop={stop}",
                                 "0 <= smoothing < 1 and stop > 1"))  # fmt: skip
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    losses: list[float] = []
    average, lowest, diverged = 0.0, math.inf, False
    given = (model, optimizer) if isinstance(optimizer, Optimizer) else (model,)
    with aside(given) as trial, np.errstate(all="ignore"):
        copied = trial[0].train()
        stepper = trial[1] if len(trial) > 1 else optimizer(list(copied.parameters()), lr=low)
        if len(trial) > 1:
            _check_owner(who, copied, stepper)
        for k, (inputs, targets) in zip(range(steps), _batches(who, x, y, batch_size), strict=False):
            for group in stepper.param_groups:
                group["lr"] = float(rates[k])
            stepper.zero_grad()
            now = scalar(who, loss, copied(inputs), targets)
            number = float(plain(now).reshape(()))
            average = smoothing * average + (1 - smoothing) * number
            current = average / (1 - smoothing ** (k + 1))
            lowest = min(lowest, current)
            if not math.isfinite(number) or current > stop * lowest > 0:
                diverged = True
                break
            losses.append(number)
            now.backward()
            stepper.step()
    if not losses:
        raise ValueError(message(who, "a loss that is not finite before the first step", "a number",
                                 "check_initial_loss(model, loss, x, y)"))  # fmt: skip
    smooth = _smooth(np.array(losses), smoothing)
    return RateTest(rates[: len(losses)], np.array(losses), smooth, *_suggest(rates, smooth), diverged)


def _smooth(losses: ndarray[Any, Any], b: float) -> ndarray[Any, Any]:
    """Average with weights that fall to both sides; what is worse than at the start counts as the start.

    One loss of 20 at the end would hide a fall from 2.3 to 2 before it.
    """
    losses = np.minimum(losses, losses[: max(5, len(losses) // 10)].max())
    reach = min(50, (len(losses) - 1) // 2)
    weights = b ** abs(np.arange(-reach, reach + 1.0))
    return np.convolve(losses, weights, "same") / np.convolve(np.ones(len(losses)), weights, "same")


def _check_owner(who: str, model: Any, optimizer: Any) -> None:
    known = {id(p) for p in model.parameters()}
    if any(id(p) not in known for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(message(who, "an optimizer of other parameters", "one of this model's",
                                 "its class"))  # fmt: skip


def _batches(who: str, x: Any, y: Any, batch_size: int) -> Iterator[Any]:
    """Give mini-batches over and over."""
    if y is None:
        loader = x
    else:
        x, y = samples(who, x, y)
        loader = nn.data.batches(x, y, batch_size=min(batch_size, len(x)), drop_last=True)
    while True:
        count = 0
        for batch in loader:
            count += 1
            yield batch
        if not count:
            raise ValueError(message(who, "a loader without batches", "at least one",
                                     "a list or a loader, as an iterator serves once"))  # fmt: skip


def _suggest(rates: ndarray[Any, Any], smooth: ndarray[Any, Any]) -> tuple[float | None, float | None]:
    """Return where the average falls fastest over the rate's logarithm, and where it is lowest."""
    lowest = int(smooth.argmin())
    if lowest < 2 or smooth[0] - smooth[lowest] <= 0.01 * abs(smooth[0]):
        return None, None
    slopes = np.gradient(smooth[: lowest + 1])
    return float(rates[int(slopes.argmin())]), float(rates[lowest])
