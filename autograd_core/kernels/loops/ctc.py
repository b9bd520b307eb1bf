"""Sums over all alignments of a sequence, one sample after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..twins import loop


@loop
def plus(a: Any, b: Any, c: Any) -> Any:
    """Return log(e^a + e^b + e^c)."""
    top = max(a, b, c)
    if top == -np.inf:
        return top
    return top + math.log(math.exp(a - top) + math.exp(b - top) + math.exp(c - top))


@loop
def symbol_at(labels: Any, n: int, s: int, blank: int) -> Any:
    return labels[n, s // 2] if s % 2 else blank


@loop
def alignments(
    x: Any, labels: Any, frames: Any, lengths: Any, blank: int, losses: Any, ahead: Any, start: int, stop: int
) -> None:
    for n in range(start, stop):
        last, places = frames[n], 2 * lengths[n] + 1
        if last == 0:
            losses[n] = 0.0 if places == 1 else np.inf
            continue
        for s in range(places):
            ahead[0, n, s] = x[0, n, symbol_at(labels, n, s, blank)] if s < 2 else -np.inf
        for t in range(1, last):
            for s in range(places):
                symbol = symbol_at(labels, n, s, blank)
                step, leap = -np.inf, -np.inf
                if s > 0:
                    step = ahead[t - 1, n, s - 1]
                if s > 2 and s % 2 and symbol != symbol_at(labels, n, s - 2, blank):
                    leap = ahead[t - 1, n, s - 2]
                ahead[t, n, s] = plus(ahead[t - 1, n, s], step, leap) + x[t, n, symbol]
        total = ahead[last - 1, n, places - 1]
        if places > 1:
            total = plus(total, ahead[last - 1, n, places - 2], -np.inf)
        losses[n] = -total


@loop
def shares(
    x: Any, labels: Any, frames: Any, lengths: Any, blank: int, g: Any, losses: Any, ahead: Any, out: Any,
    start: int, stop: int,
) -> None:  # fmt: skip
    for n in range(start, stop):
        last, places = frames[n], 2 * lengths[n] + 1
        if g[n] == 0 or last == 0:
            continue
        if losses[n] == np.inf:
            out[:last, n] = np.nan
            continue
        total = ahead[last - 1, n, places - 1]  # again: the losses may be of fewer digits
        if places > 1:
            total = plus(total, ahead[last - 1, n, places - 2], -np.inf)
        here, after = np.empty(places), np.empty(places)
        for t in range(last - 1, -1, -1):
            for s in range(places):
                symbol = symbol_at(labels, n, s, blank)
                if t == last - 1:
                    b = 0.0 if s >= places - 2 else -np.inf
                else:
                    step, leap = -np.inf, -np.inf
                    if s + 1 < places:
                        step = after[s + 1]
                    if s + 2 < places and s % 2 and symbol != symbol_at(labels, n, s + 2, blank):
                        leap = after[s + 2]
                    b = plus(after[s], step, leap)
                out[t, n, symbol] -= g[n] * math.exp(ahead[t, n, s] + b - total)
                here[s] = b + x[t, n, symbol]
            here, after = after, here
