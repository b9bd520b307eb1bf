"""Where to search: ranges of numbers, evenly or over their logarithm, and choices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_core.errors import message

__all__ = ["Range", "integers", "log_uniform", "uniform"]


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; made by ``uniform``, ``log_uniform``, ``integers``.

    >>> from autograd_core import optim
    >>> optim.practice.Range(0.0, 1.0).around(0.5, 0.5)
    Range(low=0.25, high=0.75, log=False, whole=False)
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        who = "integers" if self.whole else "log_uniform" if self.log else "uniform"
        if not (-math.inf < self.low <= self.high < math.inf):
            raise ValueError(message(who, f"low={self.low} and high={self.high}", "low <= high, both finite"))
        if self.log and self.low <= 0:
            raise ValueError(message(who, f"low={self.low}", "a number above 0, as its logarithm is taken"))

    def at(self, share: float) -> float:
        """Return the number at a share of the way from low to high."""
        if self.log:
            found = self.low * (self.high / self.low) ** share
        else:
            found = self.low + (self.high - self.low) * share
        found = min(max(found, self.low), self.high)
        return round(found) if self.whole else float(found)

    def share(self, number: float) -> float:
        """Return how far a number is on the way from low to high, 0 to 1."""
        if self.low == self.high:
            return 0.5
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def around(self, number: float, factor: float) -> Range:
        """Return a range ``factor`` times as wide around a number, within this one."""
        middle = min(max(self.share(number), factor / 2), 1 - factor / 2)
        low, high = self.at(middle - factor / 2), self.at(middle + factor / 2)
        return replace(self, low=min(low, number), high=max(high, number))


def uniform(low: float, high: float) -> Range:
    """Return the numbers from low to high, each as likely.

    >>> from autograd_core import optim
    >>> optim.practice.uniform(0.0, 0.8).at(0.25)
    0.2
    """
    return Range(float(low), float(high))


def log_uniform(low: float, high: float) -> Range:
    """Return the positive numbers from low to high, each order of magnitude as likely: for rates and decays.

    >>> from autograd_core import optim
    >>> optim.practice.log_uniform(1e-4, 1.0).at(0.5)
    0.01
    """
    return Range(float(low), float(high), log=True)


def integers(low: int, high: int, log: bool = False) -> Range:
    """Return the whole numbers from low to high, both included, evenly or over their logarithm.

    >>> from autograd_core import optim
    >>> [optim.practice.integers(16, 256, log=True).at(k / 4) for k in range(5)]
    [16, 32, 64, 128, 256]
    """
    return Range(low, high, log, whole=True)


Space = Mapping[str, Any]


def checked(who: str, space: Space) -> dict[str, Any]:
    """Return a space of ranges and tuples of choices."""
    if not isinstance(space, Mapping) or not space:
        raise ValueError(message(who, f"the space {space!r}", "a range or choices for each name",
                                 "{'lr': log_uniform(1e-4, 1e-1)}"))  # fmt: skip
    found: dict[str, Any] = {}
    for name, values in space.items():
        if isinstance(values, Range) or hasattr(values, "rvs"):  # or a distribution of scipy.stats
            found[name] = values
        elif isinstance(values, (Sequence, np.ndarray)) and not isinstance(values, str) and len(values):
            found[name] = tuple(values.tolist() if isinstance(values, np.ndarray) else values)
        else:
            raise ValueError(message(who, f"{name}={values!r}", "a range or a list of choices",
                                     f"[{values!r}]"))  # fmt: skip
    return found


def draw(values: Any, rng: np.random.Generator) -> Any:
    """Draw one value."""
    if isinstance(values, Range):
        if values.whole and not values.log:
            return int(rng.integers(int(values.low), int(values.high), endpoint=True))
        return values.at(rng.random())
    if hasattr(values, "rvs"):
        drawn = values.rvs(random_state=rng)
        return drawn.item() if hasattr(drawn, "item") else drawn
    return values[int(rng.integers(len(values)))]


def points(who: str, name: str, values: Any, n: int) -> list[Any]:
    """Return the values of one axis of a grid: all choices, or n of a range."""
    if hasattr(values, "rvs"):
        raise ValueError(message(who, f"a distribution for {name}", "a range or choices in a grid"))
    if isinstance(values, Range):
        shares = [0.5] if n == 1 else [k / (n - 1) for k in range(n)]
        return list(dict.fromkeys(values.at(share) for share in shares))
    return list(values)
