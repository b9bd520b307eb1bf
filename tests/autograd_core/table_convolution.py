"""Rows of the primitives of convolution, beside sums over places and taps that say what each is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from nn.functional import convolution_products as products

from .table import REAL, case, row

SETTINGS: list[Any] = [  # images, channels, size, filters, taps, stride, padding, dilation, groups
    (2, 2, (3,), 2, (3,), (1,), ((1, 1),), (1,), 1),
    (2, 2, (4,), 3, (2,), (1,), ((0, 0),), (1,), 1),
    (1, 2, (5,), 2, (2,), (2,), ((1, 0),), (2,), 2),
    (1, 1, (6,), 2, (3,), (1,), ((-1, -1),), (1,), 1),
    (1, 2, (3, 4), 2, (2, 3), (1, 2), ((1, 0), (0, 1)), (1, 1), 1),
    (1, 2, (3, 2), 2, (1, 2), (1, 1), ((0, 0), (1, 1)), (1, 2), 2),
    (1, 1, (2, 3, 2), 2, (1, 2, 2), (1, 2, 1), ((0, 0), (1, 0), (0, 0)), (1, 1, 1), 1),
    (0, 2, (4,), 3, (2,), (1,), ((0, 0),), (1,), 1),
]


def visits(size: Any, taps: Any, places: Any, stride: Any, padding: Any, dilation: Any) -> Iterator[Any]:
    """Give each place i of the output, each tap k, and the place j of the input at which they meet."""
    for i in product(*map(range, places)):
        for k in product(*map(range, taps)):
            axes = zip(i, k, stride, dilation, padding, strict=True)
            j = tuple(s * a + d * t - p[0] for a, t, s, d, p in axes)
            if all(0 <= a < m for a, m in zip(j, size, strict=True)):
                yield i, k, j


def _places(size: Any, taps: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    axes = zip(size, taps, stride, padding, dilation, strict=True)
    return tuple((m + p + q - d * (k - 1) - 1) // s + 1 for m, k, s, (p, q), d in axes)


def _groups(groups: int, ins: int, outs: int) -> Iterator[tuple[slice, slice]]:
    def part(q: int, n: int) -> slice:
        return slice(q * n // groups, (q + 1) * n // groups)

    return ((part(q, ins), part(q, outs)) for q in range(groups))


def correlated(x: Any, w: Any, *, groups: int, **how: Any) -> Any:
    places = _places(x.shape[2:], w.shape[2:], **how)
    y = np.zeros((len(x), len(w), *places), np.result_type(x, w))
    for i, k, j in visits(x.shape[2:], w.shape[2:], places, **how):
        for ins, outs in _groups(groups, x.shape[1], len(w)):
            y[(slice(None), outs, *i)] += x[(slice(None), ins, *j)] @ w[(outs, slice(None), *k)].T
    return y


def spread(g: Any, w: Any, *, size: Any, groups: int, **how: Any) -> Any:
    x = np.zeros((len(g), groups * w.shape[1], *size), np.result_type(g, w))
    for i, k, j in visits(size, w.shape[2:], g.shape[2:], **how):
        for ins, outs in _groups(groups, x.shape[1], len(w)):
            x[(slice(None), ins, *j)] += g[(slice(None), outs, *i)] @ w[(outs, slice(None), *k)]
    return x


def overlap(g: Any, x: Any, *, taps: Any, groups: int, **how: Any) -> Any:
    w = np.zeros((g.shape[1], x.shape[1] // groups, *taps), np.result_type(g, x))
    for i, k, j in visits(x.shape[2:], taps, g.shape[2:], **how):
        for ins, outs in _groups(groups, x.shape[1], len(w)):
            w[(outs, slice(None), *k)] += g[(slice(None), outs, *i)].T @ x[(slice(None), ins, *j)]
    return w


def _affine(x: Any, w: Any, b: Any, **how: Any) -> Any:
    y = correlated(x, w, **how)
    return y + b.astype(y.dtype).reshape(-1, *(1,) * (y.ndim - 2))


def _unfold(x: Any, *, taps: Any, **how: Any) -> Any:
    places = _places(x.shape[2:], taps, **how)
    y = np.zeros((*x.shape[:2], *taps, *places), x.dtype)
    for i, k, j in visits(x.shape[2:], taps, places, **how):
        y[(slice(None), slice(None), *k, *i)] = x[(slice(None), slice(None), *j)]
    return y.reshape(len(x), x.shape[1] * int(np.prod(taps)), int(np.prod(places)))


def _fold(columns: Any, *, size: Any, taps: Any, **how: Any) -> Any:
    places = _places(size, taps, **how)
    channels = columns.shape[1] // int(np.prod(taps))
    columns = columns.reshape(len(columns), channels, *taps, *places)
    x = np.zeros((len(columns), channels, *size), columns.dtype)
    for i, k, j in visits(size, taps, places, **how):
        x[(slice(None), slice(None), *j)] += columns[(slice(None), slice(None), *k, *i)]
    return x


def _cases() -> Iterator[tuple[Any, ...]]:
    for n, c, size, o, taps, stride, padding, dilation, groups in SETTINGS:
        how = {"stride": stride, "padding": padding, "dilation": dilation}
        places = _places(size, taps, **how)
        x, w, y = (n, c, *size), (o, c // groups, *taps), (n, o, *places)
        columns = n, c * int(np.prod(taps)), int(np.prod(places))
        both = {**how, "groups": groups}
        yield (case(x, w, **both), case(x, w, (o,), **both), case(y, w, size=size, **both),
               case(y, x, taps=taps, **both), case(x, taps=taps, **how),
               case(columns, size=size, taps=taps, **how))  # fmt: skip


CONVS, AFFINES, SPREADS, OVERLAPS, UNFOLDS, FOLDS = map(list, zip(*_cases(), strict=True))

# fmt: off
ROWS: list[Any] = [
    row(products.product,  correlated, REAL, REAL,       cases=CONVS),
    row(products.affine,   _affine,    REAL, REAL, REAL, cases=AFFINES),
    row(products.spread,   spread,     REAL, REAL,       cases=SPREADS),
    row(products.overlap,  overlap,    REAL, REAL,       cases=OVERLAPS),
    row(products.unfolded, _unfold,    REAL,             cases=UNFOLDS),
    row(products.folded,   _fold,      REAL,             cases=FOLDS),
]
# fmt: on
