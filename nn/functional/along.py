"""A linear map along one axis: each line of an array times a matrix, of which most may be zero."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd_core.kernels.memory import memory_for
from autograd_core.primitive import Operation, kernel, linear

__all__: list[str] = []

BLOCK = 32  # rows of the matrix at a time: of a band, these have few columns that are not zero


def _along(x: Any, *, matrix: Any, axis: int, out: Any = None) -> Any:
    m, n = matrix.shape
    axis = axis % x.ndim
    a = np.ascontiguousarray(x).reshape(prod(x.shape[:axis]), n, prod(x.shape[axis + 1 :]))
    matrix = matrix.astype(x.dtype, copy=False)
    whole = memory_for(out, (*x.shape[:axis], m, *x.shape[axis + 1 :]), x.dtype)
    y = whole.reshape(len(a), m, a.shape[2])
    for start in range(0, m, BLOCK):
        rows = matrix[start : start + BLOCK]
        used = np.flatnonzero(rows.any(axis=0))
        low, high = (used[0], used[-1] + 1) if used.size else (0, 0)
        if a.shape[2] == 1:
            np.matmul(a[:, low:high, 0], rows[:, low:high].T, out=y[:, start : start + BLOCK, 0])
        else:
            np.matmul(rows[:, low:high], a[:, low:high], out=y[:, start : start + BLOCK])
    return whole


along: Operation = linear(
    kernel(_along, out=True),
    lambda g, y, x, *, matrix, axis: along(g, matrix=matrix.T, axis=axis), name="along",
    flops=lambda y, x, *, matrix, axis: 2 * y.size * matrix.shape[1],
    doc="Each line along an axis times a matrix.",
)  # fmt: skip
