"""Cross-entropy of few rows, one row after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..twins import loop

__all__ = ["losses", "slopes"]

# log(total) + top - x_t, reordered so, loses a loss that is small beside the largest logit.
IN_ORDER = {"contract", "nsz"}


@loop(fastmath=IN_ORDER)  # type: ignore[untyped-decorator]
def losses(x: Any, t: Any, ignored: int) -> Any:
    """Return the loss of each row, how many rows count, and the first one whose index is no class, or -1."""
    out = np.zeros_like(x[:, 0])
    counted = 0
    for i in range(t.size):
        if t[i] == ignored:
            continue
        if t[i] < 0 or t[i] >= x.shape[1]:
            return out, counted, i
        counted += 1
        top = x[i, 0]
        for j in range(x.shape[1]):
            if x[i, j] > top or x[i, j] != x[i, j]:
                top = x[i, j]
        total = out[i]
        for j in range(x.shape[1]):
            total += math.exp(x[i, j] - top)
        out[i] = math.log(total) - (x[i, t[i]] - top)
    return out, counted, -1


@loop(fastmath=IN_ORDER)  # type: ignore[untyped-decorator]
def slopes(x: Any, t: Any, ignored: int, mean: bool) -> Any:
    """Return softmax(x) - onehot(t) of each row, divided by the number of rows that count for a mean."""
    out = np.zeros_like(x)
    counted = 0
    for i in range(t.size):
        if t[i] == ignored:
            continue
        counted += 1
        top = x[i, 0]
        for j in range(x.shape[1]):
            if x[i, j] > top or x[i, j] != x[i, j]:
                top = x[i, j]
        total = out[i, 0]
        for j in range(x.shape[1]):
            out[i, j] = math.exp(x[i, j] - top)
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] /= total
        out[i, t[i]] -= 1
    if mean:
        for i in range(t.size):
            for j in range(x.shape[1]):
                out[i, j] /= counted
    return out
