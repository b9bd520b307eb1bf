"""Rows of the primitives that select among values, slide over them, or multiply small vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.ops import convolution, selecting, sequences

from .table import ALONG, REAL, WHOLE, case, row

# fmt: off
LENGTHS = [(3, 3), (1, 1), (5, 2), (2, 5), (1, 4), (4, 1), (5, 3), (4, 3), (3, 4), (6, 4), (4, 6)]
CONVOLUTIONS = [case((a,), (v,), mode=m) for a, v in LENGTHS for m in ("full", "same", "valid")] + [
    case((3,), (2,)), case((23,), (9,), mode="same")]
POLYNOMIALS = [case(p, x) for p, x in [
    ((3,), (3,)), ((3,), ()), ((2,), (3,)), ((1,), (2,)), ((4,), (2, 3)), ((3,), (0,)), ((1,), ()),
    ((5,), (2, 1, 2)), ((6,), (70,)),
]]
CROSSES = [case(a, b) for a, b in [
    ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1, 3), (4, 3)), ((0, 3), (3,)),
    ((1, 3), (4, 3)), ((25, 3), (25, 3)),
]]
INDEX = np.array([[2, 0, 1], [0, 0, 2]])
CALLS: list[tuple[Any, ...]] = [
    (INDEX, (2, 3), (2, 3), (2, 3)), (INDEX, (3,), (2, 1), ()), (INDEX[0], (2, 3), (3,), (1,)),
    (np.array(1), (3,), (3,)),       (INDEX * 0, (2, 3)),       (INDEX[:0], (3,), (3,), (3,)),
    (np.array(0), ()),               (np.arange(70) % 3, (70,), (70,), ()),
]
CHOICES = [case(*shapes, index=index) for index, *shapes in CALLS]
COUNTS = [case((len(x),), x=np.array(x, int), **more) for x, more in [
    ([0, 2, 2], {}), ([1], {}), ([3, 0, 3, 1, 3], {"minlength": 2}), ([0, 1], {"minlength": 5}),
    ([], {}), ([], {"minlength": 3}), ([5, 5, 0, 1] * 20, {}),
]]
WINDOWS = [case(shape, length=n, axis=axis) for shape, n, axis in [
    ((5,), 2, 0), ((5,), 4, 0), ((5,), 5, 0), ((3,), 1, 0), ((3,), 0, 0), ((4, 3), 2, 0), ((4, 3), 2, 1),
    ((2, 5, 3), 4, 1), ((2, 5, 3), 2, 1), ((0, 3), 2, 1), ((0,), 0, 0), ((9, 8), 3, 0),
    ((17,), 5, 0), ((2, 14, 2), 6, 1), ((12,), 8, 0),
]]
OVERLAPS = [case((*shape[:a], shape[a] - n + 1, *shape[a + 1 :], n), length=n, axis=a)
            for shape, n, a in (
                (c.shapes[0], c.params["length"], c.params["axis"]) for c in WINDOWS)]
PHASES = [case(c.shapes[0], period=5, **c.params) for c in ALONG] + [  # whole steps, no jump at one
    case((3,)), case((5,), period=3), case((5,), discont=0.1, period=1.4), case((5,), discont=3.3)]
# fmt: on


def _windows(x: Any, *, length: int, axis: int) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, length, axis)


def _overlap(x: Any, *, length: int, axis: int) -> Any:
    """Add one window at a time."""
    rows = np.moveaxis(x, axis, 0)
    out = np.zeros((len(rows) + length - 1, *rows.shape[1:-1]), x.dtype)
    for i, windows in enumerate(rows):
        out[i : i + length] += np.moveaxis(windows, -1, 0)
    return np.moveaxis(out, 0, axis)


def _choose(*choices: Any, index: Any) -> Any:
    return np.choose(index, choices)


def _bincount(weights: Any, *, x: Any, minlength: int = 0) -> Any:
    return np.bincount(x, weights, minlength).astype(weights.dtype)  # of float64 it always is float64


# fmt: off
ROWS: list[Any] = [
    row(convolution._convolve, np.convolve, REAL, REAL, cases=CONVOLUTIONS),
    row(sequences._polyval,    np.polyval,  REAL, REAL, cases=POLYNOMIALS),
    row(sequences._cross,      np.cross,    REAL, REAL, cases=CROSSES),
    row(sequences._unwrap_op,  np.unwrap,   WHOLE,      cases=PHASES),
    row(selecting._choose_op,  _choose,     REAL,       cases=CHOICES, selects=True),
    row(selecting._bincount_op, _bincount,  REAL,       cases=COUNTS),
    row(selecting._windows_op, _windows,    REAL,       cases=WINDOWS),
    row(selecting._overlap,    _overlap,    REAL,       cases=OVERLAPS),
]
# fmt: on
