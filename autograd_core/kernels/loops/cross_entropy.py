"""Cross-entropy of few rows, one row after the other.

Both loops write into an array that they are given; and into ``counts`` the number of rows that count, and the
first row whose index is no class, or -1.
"""

from __future__ import annotations

import math
from typing import Any

from ..twins import loop

__all__ = ["losses", "slopes"]

# log(total) + top - x_t, reordered so, loses a loss that is small beside the largest logit.
IN_ORDER = {"contract", "nsz"}


@loop
def count(t: Any, ignored: int, classes: int, counts: Any) -> None:
    """Write how many rows count, and which is the first whose index is no class."""
    counts[0], counts[1] = 0, -1
    for i in range(t.size):
        if t[i] == ignored:
            continue
        counts[0] += 1
        if (t[i] < 0 or t[i] >= classes) and counts[1] < 0:
            counts[1] = i


@loop
def largest(row: Any) -> Any:
    """Return the largest element, or NaN where there is one."""
    top = row[0]
    for v in row:
        if v > top or v != v:
            top = v
    return top


@loop(fastmath=IN_ORDER)  # type: ignore[untyped-decorator]
def losses(x: Any, t: Any, ignored: int, out: Any, counts: Any) -> None:
    """Write the loss of each row, 0 where its index is ignored."""
    count(t, ignored, x.shape[1], counts)
    if counts[1] >= 0:
        return
    for i in range(t.size):
        out[i] = 0
        if t[i] != ignored:
            top, total = largest(x[i]), out[i]
            for j in range(x.shape[1]):
                total += math.exp(x[i, j] - top)
            out[i] = math.log(total) - (x[i, t[i]] - top)


@loop(fastmath=IN_ORDER)  # type: ignore[untyped-decorator]
def slopes(x: Any, t: Any, ignored: int, mean: bool, out: Any, counts: Any) -> None:
    """Write softmax(x) - onehot(t) of each row, for a mean divided by the number of rows that count."""
    count(t, ignored, x.shape[1], counts)
    if counts[1] >= 0:
        return
    out[:] = 0
    for i in range(t.size):
        if t[i] != ignored:
            top, total = largest(x[i]), out[i, 0]
            for j in range(x.shape[1]):
                out[i, j] = math.exp(x[i, j] - top)
                total += out[i, j]
            for j in range(x.shape[1]):
                out[i, j] /= total
            out[i, t[i]] -= 1
    if mean:  # also the rows that do not count: where none does, a mean of nothing is NaN
        for i in range(t.size):
            for j in range(x.shape[1]):
                out[i, j] /= counts[0]
