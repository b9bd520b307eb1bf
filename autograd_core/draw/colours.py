"""Colours that tell sizes: of gradients around their median, or of values; by powers of ten.

The palettes (C. Brewer's red-blue and yellow-green-blue) are told apart by the colour-blind, and text
on them is black or white, whichever is read better: the contrast is at least 4.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from .model import Vertex

__all__ = ["NOT_FINITE", "ZERO", "Scale", "readable", "scale", "size"]

AROUND = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")
UPWARD = ("#ffffd9", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84")
ZERO, NOT_FINITE = "#3a3a3a", "#a3127f"
LEAST, MOST = 2.0, 12.0  # powers of ten to each side of the median gradient


@dataclass(frozen=True, slots=True)
class Scale:
    """A colour for each size from ``10**low`` to ``10**high``."""

    by: str  # "grad" or "value"
    low: float
    high: float
    stops: Sequence[str]

    def fill(self, v: Vertex) -> str | None:
        """Return the colour of a vertex, None where its size is not known."""
        x = size(v, self.by)
        if x is None:
            return None
        if not math.isfinite(x):
            return NOT_FINITE
        return self.at(math.log10(x)) if x else ZERO

    def at(self, power: float) -> str:
        """Return the colour of ``10**power``, mixed from the two stops beside it."""
        t = (power - self.low) / (self.high - self.low)
        t = min(max(t, 0.0), 1.0) * (len(self.stops) - 1)
        i = min(int(t), len(self.stops) - 2)
        a, b = (_channels(c) for c in self.stops[i : i + 2])
        return "#" + "".join(f"{round(p + (q - p) * (t - i)):02x}" for p, q in zip(a, b, strict=True))

    def ticks(self) -> list[float]:
        """Return the powers of ten, about five, that a legend shows."""
        low, high = math.ceil(self.low), math.floor(self.high)
        step = max(1, math.ceil((high - low) / 4))
        return [float(p) for p in range(low, high + 1, step)]


def scale(vertices: Iterable[Vertex], by: str) -> Scale | None:
    """Return the colours for the sizes that these vertices have; None if they have none.

    >>> found = scale([Vertex("t0", "input", grad_size=s) for s in (1e-9, 1.0, 10.0)], "grad")
    >>> found.low, found.high, found.at(0.0), found.at(-9.0)
    (-9.0, 9.0, '#f7f7f7', '#2166ac')
    """
    sizes = [x for v in vertices if (x := size(v, by)) is not None]
    powers = [math.log10(x) for x in sizes if x and math.isfinite(x)]
    if not powers:
        return Scale(by, -1.0, 1.0, AROUND if by == "grad" else UPWARD) if sizes else None
    if by == "grad":
        middle = float(round(median(powers)))
        half = min(max(LEAST, *(math.ceil(abs(p - middle) - 1e-9) for p in powers)), MOST)
        return Scale(by, middle - half, middle + half, AROUND)
    low, high = math.floor(min(powers)), math.ceil(max(powers))
    return Scale(by, float(low), float(max(high, low + 1)), UPWARD)


def size(v: Vertex, by: str) -> float | None:
    """Return what is coloured: the gradient's root mean square, or the largest value's magnitude."""
    if by == "grad":
        return v.grad_size
    if v.low is None or v.high is None:
        return None
    if math.isnan(v.low) or math.isnan(v.high):
        return math.nan
    return max(abs(v.low), abs(v.high))


def readable(fill: str) -> str:
    """Return black or white: the colour of text that is read best on ``fill``.

    >>> readable("#ffffd9"), readable("#0c2c84")
    ('#000000', '#ffffff')
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (n / 255 for n in _channels(fill))]  # fmt: skip
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.0525 else "#ffffff"


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
