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

ALONE = 1 << 18  # elements that one thread does before another is asked: about 60 us
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


@twin(loops.moments)
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


@twin(loops.scaled)
def _scaled(x: Any, mean: Any, a: Any, b: Any, out: Any) -> None:
    for rows in _blocks(*x.shape):
        y = np.subtract(x[rows], mean[rows, np.newaxis], out=out[rows])
        y *= a[rows, np.newaxis]
        y += b[rows, np.newaxis]


@twin(loops.products)
def _products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    for rows in _blocks(*x.shape):
        total[rows] = _sums(g[rows])
        product[rows] = _dots(g[rows], x[rows] - mean[rows, np.newaxis])


@twin(loops.combined)
def _combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    for rows in _blocks(*x.shape):
        y = np.subtract(x[rows], mean[rows, np.newaxis], out=out[rows])
        y *= u[rows, np.newaxis]
        y += v[rows, np.newaxis]
        y += g[rows] * a[rows, np.newaxis]


@twin(loops.layer)
def _layer(x: Any, w: Any, b: Any, mean: Any, inv: Any, out: Any) -> None:
    for rows in _blocks(*x.shape):
        y = np.subtract(x[rows], mean[rows, np.newaxis], out=out[rows])
        y *= inv[rows, np.newaxis]
        y *= w
        y += b


@twin(loops.layer_gradients)
def _layer_gradients(
    g: Any, x: Any, w: Any, mean: Any, inv: Any, centred: bool, dx: Any, dw: Any, db: Any
) -> None:
    dw[:] = 0
    db[:] = 0
    n = x.shape[1]
    for rows in _blocks(*x.shape):
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


@twin(loops.column_moments)
def _column_moments(x: Any, mean: Any, square: Any) -> None:
    rows = max(1, len(x))
    np.divide(np.add.reduce(x, axis=0, dtype=float), rows, out=mean, casting="same_kind")
    d = x - mean
    np.einsum("ri,ri->i", d, d, out=square)


@twin(loops.column_scaled)
def _column_scaled(x: Any, mean: Any, a: Any, b: Any, out: Any) -> None:
    np.subtract(x, mean, out=out)
    out *= a
    out += b


@twin(loops.column_products)
def _column_products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    np.add.reduce(g, axis=0, out=total)
    np.einsum("ri,ri->i", g, x - mean, out=product)


@twin(loops.column_combined)
def _column_combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    np.subtract(x, mean, out=out)
    out *= u
    out += v
    out += g * a


# -- what is called: whole arrays, in as many threads as pay ---------------------------------------


def _share(work: Any, rows: int, n: int) -> None:
    split(work, rows, worth_a_thread(ALONE, rows * n, rows))


def moments(x: Any, centred: bool = True) -> tuple[Any, Any]:
    """Return the mean of each row of (R, n), and the sum of its squared distances from it.

    Not ``centred``: zeros, and the sum of squares.
    """
    mean, square = np.empty((2, len(x)), x.dtype)
    _share(lambda i, j: _moments(x[i:j], centred, mean[i:j], square[i:j]), *x.shape)
    return mean, square


def scaled(x: Any, mean: Any, a: Any, b: Any, out: Any = None) -> Any:
    """Return (x - mean) a + b, with a mean, a and b for each row."""
    out = memory_for(out, x.shape, x.dtype)
    _share(lambda i, j: _scaled(x[i:j], mean[i:j], a[i:j], b[i:j], out[i:j]), *x.shape)
    return out


def products(g: Any, x: Any, mean: Any) -> tuple[Any, Any]:
    """Return the sums of g and of g (x - mean) over each row."""
    total, product = np.empty((2, len(x)), x.dtype)
    _share(lambda i, j: _products(g[i:j], x[i:j], mean[i:j], total[i:j], product[i:j]), *x.shape)
    return total, product


def combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    """Write a g + u (x - mean) + v, with a mean, a, u and v for each row, into ``out``."""

    def work(i: int, j: int) -> None:
        _combined(g[i:j], x[i:j], mean[i:j], a[i:j], u[i:j], v[i:j], out[i:j])

    _share(work, *x.shape)


def layer(x: Any, w: Any, b: Any, mean: Any, inv: Any, out: Any = None) -> Any:
    """Return (x - mean) inv w + b: mean and inv for each row, w and b for each column."""
    out = memory_for(out, x.shape, x.dtype)
    _share(lambda i, j: _layer(x[i:j], w, b, mean[i:j], inv[i:j], out[i:j]), *x.shape)
    return out


def layer_gradients(
    g: Any, x: Any, w: Any, mean: Any, inv: Any, centred: bool, dx: Any, dw: Any, db: Any
) -> None:
    """Write the gradients of :func:`layer`, whose mean and inv follow from x, into dx, dw and db."""
    parts: dict[int, Any] = {}

    def work(i: int, j: int) -> None:
        parts[i] = sums = np.empty((2, x.shape[1]), x.dtype)
        _layer_gradients(g[i:j], x[i:j], w, mean[i:j], inv[i:j], centred, dx[i:j], *sums)

    _share(work, *x.shape)
    total = sum([parts[i] for i in sorted(parts)], np.zeros((2, x.shape[1]), x.dtype))  # always in this order
    dw[...], db[...] = total


def column_moments(x: Any) -> tuple[Any, Any]:
    """Return the mean of each column of (R, n), and the sum of its squared distances from it."""
    mean, square = np.empty((2, x.shape[1]), x.dtype)
    _column_moments(x, mean, square)
    return mean, square


def column_scaled(x: Any, mean: Any, a: Any, b: Any, out: Any = None) -> Any:
    """Return (x - mean) a + b, with a mean, a and b for each column."""
    out = memory_for(out, x.shape, x.dtype)
    _share(lambda i, j: _column_scaled(x[i:j], mean, a, b, out[i:j]), *x.shape)
    return out


def column_products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    """Write the sums of g and of g (x - mean) over each column."""
    _column_products(g, x, mean, total, product)


def column_combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    """Write a g + u (x - mean) + v, with a mean, a, u and v for each column, into ``out``."""
    _share(lambda i, j: _column_combined(g[i:j], x[i:j], mean, a, u, v, out[i:j]), *x.shape)
