"""Rows of the primitives of dropout and of normalization by neighbours.

Those of batch and layer normalization take statistics of their own input, so they are rows of layers
(tests/nn/cases_normalization.py), which are held against differences in both modes too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.functional.dropout import masked
from nn.functional.neighbours import neighbours

from .table import CONDITION, REAL, case, each, row


def _masked(x: Any, mask: Any, *, scale: float) -> Any:
    return x * mask * scale


def _neighbours(x: Any, *, before: int, after: int) -> Any:
    y = np.zeros_like(x)
    for c in range(x.shape[1]):
        y[:, c] = x[:, max(0, c - before) : c + after + 1].sum(1)
    return y


MASKED = [
    case(shape, mask, scale=scale) for scale in (2.0, 1.25) for shape, mask in [
        ((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3, 2), (2, 3, 1)), ((0,), (0,)),
        ((2, 0, 3), (2, 0, 1)),
    ]
]  # fmt: skip
BESIDE = [
    case(shape, before=before, after=after) for shape in [(2, 4), (1, 3, 2), (2, 1, 2, 1), (0, 3, 1)]
    for before, after in [(0, 0), (1, 1), (2, 1), (0, 2), (5, 4)]
]  # fmt: skip

ROWS: list[Any] = [
    each(masked, _masked, REAL, CONDITION, cases=MASKED),
    row(neighbours, _neighbours, REAL, cases=BESIDE),
]
