"""The rows of running products, recurrences, and extremes that ignore NaN."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

import autograd_core as ag

from .table import (
    ALONG,
    EXTREMES,
    FLATTENED,
    HUGE,
    KINKS,
    REAL,
    TINY,
    WHOLE,
    WITH_AXES,
    A,
    B,
    at,
    case,
    row,
)


def _recurrence(a: Any, b: Any, *, axis: int = -1) -> Any:
    """Take one step at a time."""
    y = np.zeros(a.shape, np.result_type(a, b))
    a, b, out = (np.moveaxis(x, axis, 0) for x in (a, b, y))
    for i in range(len(b)):
        out[i] = a[i] * out[i - 1] + b[i] if i else b[i]
    return y


STEPS = [case(c.shapes[0], c.shapes[0], **c.params) for c in ALONG] + [
    case((40,), (40,)), case((2, 33), (2, 33)), case((50, 2), (50, 2), axis=0)]  # fmt: skip
PRODUCTS = ALONG + FLATTENED + [case((20,)), case((19, 2), axis=0), case((2, 3, 4), axis=-2)]

# fmt: off
KINKS |= {
    ag.nanmax: [at(A, [0, 0.5, 0.5]), at([nan, 2.0, 2.0], [0, 0.5, 0.5]),
                at(B, [[0.5, 1, 0.5], [0.5, 0, 0.5]], axis=0)],
    ag.nanmin: [at(np.negative(A), [0, 0.5, 0.5]), at([nan, 2.0, 2.0], [0, 0.5, 0.5]),
                at(-B, [[0.5, 1, 0.5], [0.5, 0, 0.5]], axis=0)],
}
EXTREMES |= {
    ag.nanmax:  [at([HUGE, -HUGE], [1, 0]), at([nan, -inf, 0.0], [0, 0, 1]), at([-inf, nan], [1, 0])],
    ag.nanmin:  [at([HUGE, -HUGE], [0, 1]), at([inf, nan, 0.0], [0, 0, 1])],
    ag.cumprod: [at(np.zeros(3), [1, 0, 0]),  at([2.0, 0.0, 5.0], [1, 12, 0]),
                 at([HUGE, TINY, 2.0], [1 + 3 * TINY, 3 * HUGE, HUGE * TINY]),
                 at([0.0, 3.0, 0.0, 2.0], [4, 0, 0, 0])],
    ag.recurrence: [at((np.array([5.0, 0.0, 3.0]), np.ones(3)), ([0, 4, 1], [1, 4, 1]))],
}

ROWS: list[Any] = [
    row(ag.cumprod,    np.cumprod,  REAL,        cases=PRODUCTS),
    row(ag.recurrence, _recurrence, REAL, REAL,  cases=STEPS),
    row(ag.nanmax,     np.nanmax,   WHOLE,       cases=WITH_AXES, selects=True),
    row(ag.nanmin,     np.nanmin,   WHOLE,       cases=WITH_AXES, selects=True),
]
# fmt: on
