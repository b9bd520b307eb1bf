"""Rows that are brought to mean 0 and variance 1, and what that does to gradients.

A batch of images is one row for each image and channel, whose statistics are then pooled over whatever
batch, group or instance normalization pools them; a batch of vectors is one row for each vector. Batch
normalization of vectors has its statistics in columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .loops import normalization as loops
from .memory import memory_for
from .threads import split, worth_a_thread
from .twins import twin

__all__ = [
    "column_combined", "column_moments", "column_products", "column_scaled", "combined", "layer",
    "layer_gradients", "moments", "products", "scaled",
]  # fmt: skip

ALONE = 1 << 18  # elements that one thread of NumPy's does before another is asked: about 60 us
COST = 0.25  # nanoseconds of a loop for an element
CHUNKS, CHUNK = 8, 1 << 12  # parts of the rows that sums over rows are made of, and least elements of one
CACHED = 1 << 15  # elements of which a few copies stay in a core's cache


def _blocks(rows: int, n: int) -> Any:
    step = max(1, CACHED // max(n, 1))
    return [slice(start, start + step) for start in range(0, rows, step)]


def _sums(x: Any) -> Any:
    """Return the sum of each row: by BLAS where that is as exact, 3 times as fast."""
    return x @ np.ones(x.shape[1], x.dtype) if x.shape[1] <= 4096 else np.add.reduce(x, axis=1)


def _dots(a: Any, b: Any) -> Any:
    return np.einsum("ri,ri->r", a, b) if a.shape[1] <= 4096 else np.add.reduce(a * b, axis=1)


# -- the NumPy versions ----------------------------------------------------------------------------


@twin(loops.moments, cut=(0, 2, 3), cost=COST, least=ALONE)
def _moments(x: Any, centred: bool, mean: Any, square: Any) -> None:
    mean[:] = 0
    n = x.shape[1]
    for rows in _blocks(*x.shape):
        part, off = x[rows], 0.0
        if centred:
            first = _sums(part) / n
            part = part - first[:, np.newaxis]
            off = _sums(part) / n  # what rounding left of the mean
            mean[rows] = first + off
        square[rows] = _dots(part, part) - n * (off * off)


@twin(loops.scaled, cut=(0, 1, 2, 3, 4), cost=COST, least=ALONE)
def _scaled(x: Any, mean: Any, a: Any, b: Any, out: Any) -> None:
    for rows in _blocks(*x.shape):
        y = np.subtract(x[rows], mean[rows, np.newaxis], out=out[rows])
        y *= a[rows, np.newaxis]
        y += b[rows, np.newaxis]


@twin(loops.products, cut=(0, 1, 2, 3, 4), cost=COST, least=ALONE)
def _products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    for rows in _blocks(*x.shape):
        total[rows] = _sums(g[rows])
        product[rows] = _dots(g[rows], x[rows] - mean[rows, np.newaxis])


@twin(loops.combined, cut=(0, 1, 2, 3, 4, 5, 6), cost=COST, least=ALONE)
def _combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    for rows in _blocks(*x.shape):
        y = np.subtract(x[rows], mean[rows, np.newaxis], out=out[rows])
        y *= u[rows, np.newaxis]
        y += v[rows, np.newaxis]
        y += g[rows] * a[rows, np.newaxis]


@twin(loops.layer, cut=(0, 3, 4, 5), cost=COST, least=ALONE)
def _layer(x: Any, w: Any, b: Any, mean: Any, inv: Any, out: Any) -> None:
    for rows in _blocks(*x.shape):
        y = np.subtract(x[rows], mean[rows, np.newaxis], out=out[rows])
        y *= inv[rows, np.newaxis]
        y *= w
        y += b


@twin(loops.layer_gradients)
def _layer_gradients(
    sums: Any, g: Any, x: Any, w: Any, mean: Any, inv: Any, centred: bool, dx: Any
) -> None:
    """Write the gradient of x, and into each of ``sums`` what a part of the rows adds to dw and db."""
    n, step = x.shape[1], -(-len(x) // len(sums))

    def work(first: int, last: int) -> None:
        for chunk in range(first, last):
            dw, db = sums[chunk]
            dw[:] = db[:] = 0
            for block in _blocks(len(x[chunk * step : (chunk + 1) * step]), n):
                rows = slice(chunk * step + block.start, min(chunk * step + block.stop, (chunk + 1) * step))
                s = inv[rows, np.newaxis]
                y = (x[rows] - mean[rows, np.newaxis]) * s
                h = g[rows] * w
                db += np.ones(len(h), h.dtype) @ g[rows]
                dw += np.ones(len(h), h.dtype) @ (g[rows] * y)
                y *= (_dots(h, y) / n)[:, np.newaxis]
                if centred:
                    y += (_sums(h) / n)[:, np.newaxis]
                h -= y
                np.multiply(h, s, out=dx[rows])

    split(work, len(sums), worth_a_thread(ALONE, x.size, len(sums)))


@twin(loops.column_moments)
def _column_moments(x: Any, mean: Any, square: Any) -> None:
    rows = max(1, len(x))
    np.divide(np.add.reduce(x, axis=0, dtype=float), rows, out=mean, casting="same_kind")
    d = x - mean
    np.einsum("ri,ri->i", d, d, out=square)


@twin(loops.column_scaled, cut=(0, 4), cost=COST, least=ALONE)
def _column_scaled(x: Any, mean: Any, a: Any, b: Any, out: Any) -> None:
    np.subtract(x, mean, out=out)
    out *= a
    out += b


@twin(loops.column_products)
def _column_products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    np.add.reduce(g, axis=0, out=total)
    np.einsum("ri,ri->i", g, x - mean, out=product)


@twin(loops.column_combined, cut=(0, 1, 6), cost=COST, least=ALONE)
def _column_combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    np.subtract(x, mean, out=out)
    out *= u
    out += v
    out += g * a


# -- what is called: whole arrays, in as many threads as pay ---------------------------------------


def moments(x: Any, centred: bool = True) -> tuple[Any, Any]:
    """Return the mean of each row of (R, n), and the sum of its squared distances from it.

    Not ``centred``: zeros, and the sum of squares.
    """
    mean, square = np.empty((2, len(x)), x.dtype)
    _moments(x, centred, mean, square)
    return mean, square


def scaled(x: Any, mean: Any, a: Any, b: Any, out: Any = None) -> Any:
    """Return (x - mean) a + b, with a mean, a and b for each row."""
    out = memory_for(out, x.shape, x.dtype)
    _scaled(x, mean, a, b, out)
    return out


def products(g: Any, x: Any, mean: Any) -> tuple[Any, Any]:
    """Return the sums of g and of g (x - mean) over each row."""
    total, product = np.empty((2, len(x)), x.dtype)
    _products(g, x, mean, total, product)
    return total, product


def combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    """Write a g + u (x - mean) + v, with a mean, a, u and v for each row, into ``out``."""
    _combined(g, x, mean, a, u, v, out)


def layer(x: Any, w: Any, b: Any, mean: Any, inv: Any, out: Any = None) -> Any:
    """Return (x - mean) inv w + b: mean and inv for each row, w and b for each column."""
    out = memory_for(out, x.shape, x.dtype)
    _layer(x, w, b, mean, inv, out)
    return out


def layer_gradients(
    g: Any, x: Any, w: Any, mean: Any, inv: Any, centred: bool, dx: Any, dw: Any, db: Any
) -> None:
    """Write the gradients of :func:`layer`, whose mean and inv follow from x, into dx, dw and db."""
    chunks = max(1, min(CHUNKS, x.size // CHUNK))
    sums = np.empty((chunks, 2, x.shape[1]), x.dtype)
    _layer_gradients(sums, g, x, w, mean, inv, centred, dx)
    np.add.reduce(sums[:, 0], axis=0, out=dw)
    np.add.reduce(sums[:, 1], axis=0, out=db)


def column_moments(x: Any) -> tuple[Any, Any]:
    """Return the mean of each column of (R, n), and the sum of its squared distances from it."""
    mean, square = np.empty((2, x.shape[1]), x.dtype)
    _column_moments(x, mean, square)
    return mean, square


def column_scaled(x: Any, mean: Any, a: Any, b: Any, out: Any = None) -> Any:
    """Return (x - mean) a + b, with a mean, a and b for each column."""
    out = memory_for(out, x.shape, x.dtype)
    _column_scaled(x, mean, a, b, out)
    return out


def column_products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    """Write the sums of g and of g (x - mean) over each column."""
    _column_products(g, x, mean, total, product)


def column_combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    """Write a g + u (x - mean) + v, with a mean, a, u and v for each column, into ``out``."""
    _column_combined(g, x, mean, a, u, v, out)
