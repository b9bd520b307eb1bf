"""Rows that are brought to mean 0 and variance 1, as loops: see :mod:`kernels.normalization`.

Sums run in the arrays' own dtype over :data:`PART` elements and in float64 over these parts: as exact as
float64 on rows of millions, and twice as fast (float32, 1,024 rows of 1,024: 0.17 ms for 0.33).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..team import share
from ..twins import loop

__all__ = [
    "column_combined", "column_moments", "column_products", "column_scaled", "combined", "layer",
    "layer_gradients", "moments", "products", "scaled",
]  # fmt: skip

PART = 512
COST = 0.6  # nanoseconds for an element's gradients


@loop
def moments(x: Any, centred: bool, mean: Any, square: Any) -> None:
    rows, n = x.shape
    number = x.dtype.type
    for r in range(rows):
        total = 0.0
        if centred:
            for start in range(0, n, PART):
                part, s = x[r, start : start + PART], number(0)
                for i in range(len(part)):
                    s += part[i]
                total += s
        m = number(total / n)
        off = total = 0.0
        for start in range(0, n, PART):
            part, s, t = x[r, start : start + PART], number(0), number(0)
            for i in range(len(part)):
                d = part[i] - m
                s += d * d
                t += d
            total += s
            off += t
        if centred:  # what rounding left of the mean
            off /= n
            mean[r], square[r] = m + off, total - n * (off * off)
        else:
            mean[r], square[r] = m, total


@loop
def scaled(x: Any, mean: Any, a: Any, b: Any, out: Any) -> None:
    rows, n = x.shape
    for r in range(rows):
        m, s, t = mean[r], a[r], b[r]
        for i in range(n):
            out[r, i] = (x[r, i] - m) * s + t


@loop
def products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    rows, n = x.shape
    number = x.dtype.type
    for r in range(rows):
        m, p, q = mean[r], 0.0, 0.0
        for start in range(0, n, PART):
            h, y = g[r, start : start + PART], x[r, start : start + PART]
            s, t = number(0), number(0)
            for i in range(len(h)):
                s += h[i]
                t += h[i] * (y[i] - m)
            p += s
            q += t
        total[r], product[r] = p, q


@loop
def combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    rows, n = x.shape
    for r in range(rows):
        m, s, t, c = mean[r], a[r], u[r], v[r]
        for i in range(n):
            out[r, i] = g[r, i] * s + ((x[r, i] - m) * t + c)


@loop
def layer(x: Any, w: Any, b: Any, mean: Any, inv: Any, out: Any) -> None:
    rows, n = x.shape
    for r in range(rows):
        m, s = mean[r], inv[r]
        for i in range(n):
            out[r, i] = (x[r, i] - m) * s * w[i] + b[i]


@loop
def layer_chunks(
    sums: Any, g: Any, x: Any, w: Any, mean: Any, inv: Any, centred: bool, dx: Any, first: int, last: int
) -> None:
    rows, n = x.shape
    number, step = x.dtype.type, -(-rows // len(sums))
    for chunk in range(first, last):
        dw, db = sums[chunk, 0], sums[chunk, 1]
        dw[:] = 0
        db[:] = 0
        for r in range(min(chunk * step, rows), min((chunk + 1) * step, rows)):
            m, s, p, q = mean[r], inv[r], 0.0, 0.0
            for start in range(0, n, PART):
                one, two = number(0), number(0)
                h, y, v = g[r, start : start + PART], x[r, start : start + PART], w[start : start + PART]
                for i in range(len(h)):
                    one += h[i] * v[i]
                    two += h[i] * v[i] * (y[i] - m)
                p += one
                q += two
            one = number(p / n) if centred else number(0)
            two = number(q / n) * s
            for i in range(n):
                z = (x[r, i] - m) * s
                dx[r, i] = s * (g[r, i] * w[i] - one - z * two)
                dw[i] += g[r, i] * z
                db[i] += g[r, i]


def layer_gradients(sums: Any, g: Any, x: Any, *given: Any) -> None:
    share(layer_chunks, len(sums), COST * x.size / 1000, sums, g, x, *given)


# -- the same with a mean for each column: rows are few numbers from each of many examples ----------


@loop
def column_moments(x: Any, mean: Any, square: Any) -> None:
    rows, n = x.shape
    total = np.zeros(n)
    for r in range(rows):
        for i in range(n):
            total[i] += x[r, i]
    for i in range(n):
        mean[i] = total[i] / rows if rows else 0
        total[i] = 0
    for r in range(rows):
        for i in range(n):
            d = x[r, i] - mean[i]
            total[i] += d * d
    for i in range(n):
        square[i] = total[i]


@loop
def column_scaled(x: Any, mean: Any, a: Any, b: Any, out: Any) -> None:
    rows, n = x.shape
    for r in range(rows):
        for i in range(n):
            out[r, i] = (x[r, i] - mean[i]) * a[i] + b[i]


@loop
def column_products(g: Any, x: Any, mean: Any, total: Any, product: Any) -> None:
    rows, n = x.shape
    p, q = np.zeros(n), np.zeros(n)
    for r in range(rows):
        for i in range(n):
            p[i] += g[r, i]
            q[i] += g[r, i] * (x[r, i] - mean[i])
    for i in range(n):
        total[i], product[i] = p[i], q[i]


@loop
def column_combined(g: Any, x: Any, mean: Any, a: Any, u: Any, v: Any, out: Any) -> None:
    rows, n = x.shape
    for r in range(rows):
        for i in range(n):
            out[r, i] = g[r, i] * a[i] + ((x[r, i] - mean[i]) * u[i] + v[i])
