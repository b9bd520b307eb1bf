"""Rows of the primitives of pooling, padding and resampling, beside loops that say what each is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from nn.functional import along, padding, pooling_windows

from .table import KINKS, REAL, WHOLE, Domain, at, case, row

ALIKE = Domain("alike", lambda rng, shape: np.zeros(shape, int))  # whole: nobody moves them a little

# fmt: off
WINDOWS: list[tuple[Any, Any]] = [  # (size, stride, padding, dilation, count) along each of the last axes
    ((4,), ((2, 2, 0, 1, 2),)), ((2, 5), ((3, 1, 1, 1, 5),)), ((7,), ((2, 3, 0, 2, 2),)),
    ((5,), ((2, 2, 0, 1, 3),)), ((0, 4), ((2, 2, 0, 1, 2),)),
    ((3, 4), ((2, 1, 0, 1, 2), (2, 2, 0, 1, 2))), ((2, 4, 4), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 2))),
    ((1, 3, 4), ((3, 2, 1, 1, 2), (2, 2, 1, 1, 3))),
    ((2, 3, 2), ((1, 1, 0, 1, 2), (3, 1, 0, 1, 1), (2, 2, 1, 1, 2))),
]
# fmt: on
POOLS = [case(shape, windows=w) for shape, w in WINDOWS]
BACK = [(shape, w, (*shape[: len(shape) - len(w)], *[a[4] for a in w])) for shape, w in WINDOWS]
SPREADS = [case(out, shape, out, windows=w) for shape, w, out in BACK]
PICKS = [case(shape, shape, out, windows=w) for shape, w, out in BACK]
SUMS_BACK = [case(out, windows=w, lengths=shape[len(shape) - len(w) :]) for shape, w, out in BACK]
BAND = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [0.0, 0.0, 0.0]])
TALL = np.eye(70, 4, dtype=float) - np.eye(70, 4, -30)
MATRICES = [
    case((3,), matrix=BAND, axis=0), case((2, 3), matrix=BAND, axis=-1), case((3, 2), matrix=BAND, axis=0),
    case((2, 3, 2), matrix=BAND, axis=1), case((4, 2), matrix=BAND.T, axis=-2),
    case((2, 4), matrix=TALL, axis=1), case((4, 2), matrix=TALL, axis=0), case((0, 3), matrix=BAND, axis=1),
]  # fmt: skip
READS = [
    case(shape, places=np.array(places, int), axis=axis, length=shape[axis]) for shape, axis, places in [
        ((3,), 0, [2, 1, 0, 1, 2, 1]), ((3, 2), 0, [0, 0, 1, 2, 2]), ((2, 3), 1, [1, 2, 0, 1, 2, 0]),
        ((2, 4), 1, [1, 2]), ((1, 2, 3), 2, [0, 1, 2, 2, 2]), ((2, 3, 2), 1, [0]), ((2, 3), 1, []),
        ((0, 2), 1, [0, 0, 1]),
    ]
]  # fmt: skip
FRAMES = [
    case(shape, pairs=pairs, value=value) for value in (0, 2.5) for shape, pairs in [
        ((3,), ((1, 2),)), ((2, 3), ((0, 0), (2, 0))), ((2, 3), ((1, 0), (0, 1))), ((), ()),
        ((1, 2, 3), ((0, 2), (1, 1), (2, 0))), ((0, 2), ((0, 0), (1, 1))), ((2,), ((0, 0),)),
    ]
]  # fmt: skip
FOLDS = [
    case(np.take(np.empty(c.shapes[0]), c.params["places"], c.params["axis"]).shape, **c.params)
    for c in READS
]


def each_window(shape: Any, windows: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Give where each window's output is, and the places it sees, one by one."""
    lead = shape[: len(shape) - len(windows)]
    lengths = shape[len(shape) - len(windows) :]
    for head in np.ndindex(lead):
        for out in np.ndindex(tuple(w[4] for w in windows)):
            lines = [[o * s - p + i * d for i in range(k)] for o, (k, s, p, d, _) in zip(out, windows)]
            seen = [head + at for at in product(*lines) if all(0 <= i < n for i, n in zip(at, lengths))]
            yield head + out, seen


def _shape(shape: Any, windows: Any) -> Any:
    return (*shape[: len(shape) - len(windows)], *[w[4] for w in windows])


def _maxima(x: Any, *, windows: Any) -> Any:
    y = np.zeros(_shape(x.shape, windows), x.dtype)
    for out, seen in each_window(x.shape, windows):
        y[out] = max(x[at] for at in seen)
    return y


def _first(x: Any, y: Any, out: Any, seen: Any) -> Any:
    return next(at for at in seen if x[at] == y[out])


def _spread(g: Any, x: Any, y: Any, *, windows: Any) -> Any:
    back = np.zeros(x.shape, g.dtype)
    for out, seen in each_window(x.shape, windows):
        back[_first(x, y, out, seen)] += g[out]
    return back


def _pick(t: Any, x: Any, y: Any, *, windows: Any) -> Any:
    picked = np.zeros(y.shape, t.dtype)
    for out, seen in each_window(x.shape, windows):
        picked[out] = t[_first(x, y, out, seen)]
    return picked


def _sums(x: Any, *, windows: Any) -> Any:
    y = np.zeros(_shape(x.shape, windows), x.dtype)
    for out, seen in each_window(x.shape, windows):
        for place in seen:
            y[out] += x[place]
    return y


def _sums_back(g: Any, *, windows: Any, lengths: Any) -> Any:
    x = np.zeros((*g.shape[: g.ndim - len(windows)], *lengths), g.dtype)
    for out, seen in each_window(x.shape, windows):
        for place in seen:
            x[place] += g[out]
    return x


def _matrix(x: Any, *, matrix: Any, axis: int) -> Any:
    lines = np.moveaxis(x, axis, -1)
    y = np.zeros((*lines.shape[:-1], len(matrix)), x.dtype)
    for i, weights in enumerate(matrix):
        y[..., i] = (lines * weights.astype(x.dtype)).sum(-1)
    return np.moveaxis(y, -1, axis)


def _read(x: Any, *, places: Any, axis: int, length: int) -> Any:
    return np.take(x, places, axis)


def _framed(x: Any, *, pairs: Any, value: Any) -> Any:
    return np.pad(x, pairs, constant_values=value) if pairs else x


def _fold(g: Any, *, places: Any, axis: int, length: int) -> Any:
    lines = np.moveaxis(g, axis, -1)
    out = np.zeros((*lines.shape[:-1], length), g.dtype)
    np.add.at(out, (..., places), lines)
    return np.moveaxis(out, -1, axis)


PAIR = ((2, 2, 0, 1, 1),)
KINKS[pooling_windows.max_windows] = [
    at([1.0, 1.0], [1, 0], windows=PAIR), at([0.0, -0.0], [1, 0], windows=PAIR),
    at([[2.0, 5.0], [5.0, 5.0]], [[0, 1], [0, 0]], windows=PAIR * 2),
    at([1.0, 3.0, 3.0], [0, 2, 0], windows=((2, 1, 0, 1, 2),)),
]  # fmt: skip

# fmt: off
ROWS: list[Any] = [
    row(pooling_windows.max_windows, _maxima,    WHOLE,              cases=POOLS, selects=True),
    row(pooling_windows.to_first,    _spread,    REAL, ALIKE, ALIKE, cases=SPREADS),
    row(pooling_windows.of_first,    _pick,      REAL, ALIKE, ALIKE, cases=PICKS),
    row(pooling_windows.sum_windows, _sums,      REAL,               cases=POOLS),
    row(pooling_windows.add_windows, _sums_back, REAL,               cases=SUMS_BACK),
    row(along.along,                 _matrix,    REAL,               cases=MATRICES),
    row(padding.framed,              _framed,    REAL,               cases=FRAMES),
    row(padding.read_places,         _read,      REAL,               cases=READS),
    row(padding.fold_places,         _fold,      REAL,               cases=FOLDS),
]
# fmt: on
