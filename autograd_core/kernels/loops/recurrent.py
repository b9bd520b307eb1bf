"""Recurrent networks as loops over time: the product of a step in tiles, its gates on vectors.

Rows of a batch know nothing of each other. So each thread takes some rows through all of time, with a copy of
the weight in its own cache, and no thread ever waits for another.

Beside arrays the loops take ``sizes``, how many rows there are at each time; ``how``, a :class:`Layout`; and
``low`` and ``high``, the rows that they work on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..twins import instruction, loop
from .hyperbolic import emit_tanh
from .tiled import narrow_tile, put, transpose, wide_tile

__all__ = [
    "Factor", "Layout", "gru_rows", "gru_rows_back", "lstm_rows", "lstm_rows_back", "rnn_rows",
    "rnn_rows_back",
]  # fmt: skip


class Layout(NamedTuple):
    """Which way time runs, and the tile of a product."""

    reverse: bool
    height: int
    lanes: int  # the numbers in a vector: a tile is as wide as one or as two


class Factor(NamedTuple):
    """A matrix (units, terms), as places of a flat array: ``flat[units[u] + terms[r]]``."""

    flat: Any
    units: Any  # filled until its tiles are whole
    terms: Any


@instruction
def tanh(typing, x):  # type: ignore[no-untyped-def]
    return emit_tanh(x)


@loop
def width_for(rows: int, how: Any) -> int:
    return how.lanes if rows <= how.lanes else 2 * how.lanes


@loop
def rooms(factor: Any, rows: int, how: Any) -> Any:
    """Return memory for :func:`multiply`: the packed rows, its result, a tile."""
    width = width_for(rows, how)
    packed = np.zeros(-(-rows // width) * width * len(factor.terms), factor.flat.dtype)
    result = np.empty((rows, len(factor.units)), factor.flat.dtype)
    return packed, result, np.empty(how.height * width, factor.flat.dtype)


@loop
def multiply(factor: Any, x: Any, start: int, step: int, rows: int, room: Any, how: Any) -> Any:
    """Return ``x factor^T`` of so many rows of x, which is flat: (rows, units, and some of no meaning)."""
    packed, result, t = room
    width, terms = width_for(len(result), how), len(factor.terms)
    none, stride, flat = factor.flat.dtype.type(0), len(factor.units), result.reshape(-1)
    for first in range(0, rows, width):
        many = min(width, rows - first)
        at = first * terms
        transpose(x, start + first * step, step, many, terms, packed, at, width, how.lanes)
        for u in range(0, len(factor.units), how.height):
            if width > how.lanes:
                wide_tile(factor.flat, 0, factor.units, u, factor.terms, 0, terms, packed, at, t)
            else:
                narrow_tile(factor.flat, 0, factor.units, u, factor.terms, 0, terms, packed, at, t)
            for k in range(many):
                put(t, k * how.height, none, flat, (first + k) * stride + u)
    return result


@loop
def present(sizes: Any, t: int, low: int, high: int) -> int:
    """Return how many of the rows from ``low`` to ``high`` there are at a time."""
    return max(0, min(sizes[t], high) - low)


# -- h = tanh(z + b + W h), or relu ------------------------------------------------------------------------


@loop
def rnn_rows(
    z: Any, h: Any, factor: Any, b: Any, y: Any, relu: bool, sizes: Any, how: Any, low: int, high: int
) -> None:
    steps, batch, hidden = y.shape
    room, zero = rooms(factor, high - low, how), y.dtype.type(0)
    before, at = h.reshape(-1), low * hidden
    for s in range(steps):
        t = steps - 1 - s if how.reverse else s
        n = present(sizes, t, low, high)
        product = multiply(factor, before, at, hidden, n, room, how)
        for k in range(n):
            p, a, out = product[k], z[t, low + k], y[t, low + k]
            if relu:
                for j in range(hidden):
                    x = p[j] + a[j] + b[j]
                    out[j] = zero if x < zero else x  # NaN stays
            else:
                for j in range(hidden):
                    out[j] = tanh(p[j] + a[j] + b[j])
        for k in range(n, high - low):
            y[t, low + k] = before[at + k * hidden : at + (k + 1) * hidden]
        before, at = y.reshape(-1), (t * batch + low) * hidden


@loop
def rnn_rows_back(
    g: Any, y: Any, factor: Any, dz: Any, dh: Any, relu: bool, sizes: Any, how: Any, low: int, high: int
) -> None:
    steps, batch, hidden = y.shape
    room, one, zero = rooms(factor, high - low, how), y.dtype.type(1), y.dtype.type(0)
    flat = dz.reshape(-1)
    for s in range(steps):
        t = s if how.reverse else steps - 1 - s
        n = present(sizes, t, low, high)
        for k in range(high - low):
            d, add, out, x = dh[low + k], g[t, low + k], dz[t, low + k], y[t, low + k]
            for j in range(hidden):
                d[j] += add[j]
            if k >= n:
                out[:] = zero
            elif relu:
                for j in range(hidden):
                    out[j] = d[j] if x[j] > zero else d[j] * zero
            else:
                for j in range(hidden):
                    out[j] = d[j] * (one - x[j] * x[j])
        product = multiply(factor, flat, (t * batch + low) * hidden, hidden, n, room, how)
        for k in range(n):
            d, p = dh[low + k], product[k]
            for j in range(hidden):
                d[j] = p[j]


# -- LSTM --------------------------------------------------------------------------------------------------


@loop
def lstm_rows(
    z: Any, h: Any, factor: Any, b: Any, project: Any, peephole: Any, gates: Any, cells: Any, tanhs: Any,
    y: Any, sizes: Any, how: Any, low: int, high: int,
) -> None:  # fmt: skip
    (steps, batch, out_size), hidden = y.shape, cells.shape[2]
    rows, half = high - low, y.dtype.type(0.5)
    room = rooms(factor, rows, how)
    inner, inner_room = np.empty((rows, hidden), y.dtype), rooms(project, rows, how)
    before, at = h.reshape(-1), low * out_size
    for s in range(steps):
        t = steps - 1 - s if how.reverse else s
        n = present(sizes, t, low, high)
        product = multiply(factor, before, at, out_size, n, room, how)
        for k in range(n):
            r = low + k
            a, (i, f, g, o) = product[k], (gates[s, 0, r], gates[s, 1, r], gates[s, 2, r], gates[s, 3, r])
            c, new, y_of_c = cells[s, r], cells[s + 1, r], tanhs[s, r]
            for q in range(4):
                of_gate = slice(q * hidden, (q + 1) * hidden)
                x, more, bias = a[of_gate], z[t, r, of_gate], b[of_gate]
                for j in range(hidden):
                    x[j] += more[j] + bias[j]
            if len(peephole):
                for j in range(hidden):
                    a[j] += peephole[0, j] * c[j]
                    a[hidden + j] += peephole[1, j] * c[j]
            for j in range(hidden):
                i[j] = half * tanh(half * a[j]) + half
            for j in range(hidden):
                f[j] = half * tanh(half * a[hidden + j]) + half
            for j in range(hidden):
                g[j] = tanh(a[2 * hidden + j])
            for j in range(hidden):
                new[j] = f[j] * c[j] + i[j] * g[j]
            if len(peephole):
                for j in range(hidden):
                    a[3 * hidden + j] += peephole[2, j] * new[j]
            for j in range(hidden):
                o[j] = half * tanh(half * a[3 * hidden + j]) + half
            for j in range(hidden):
                y_of_c[j] = tanh(new[j])
            state = inner[k] if len(project.terms) else y[t, r]
            for j in range(hidden):
                state[j] = o[j] * y_of_c[j]
        for k in range(n, rows):
            gates[s, :, low + k] = 0
            cells[s + 1, low + k] = cells[s, low + k]
            tanhs[s, low + k] = 0
            y[t, low + k] = before[at + k * out_size : at + (k + 1) * out_size]
        if len(project.terms):
            projected = multiply(project, inner.reshape(-1), 0, hidden, n, inner_room, how)
            for k in range(n):
                y[t, low + k] = projected[k, :out_size]
        before, at = y.reshape(-1), (t * batch + low) * out_size


@loop
def lstm_rows_back(
    g: Any, factor: Any, project: Any, peephole: Any, gates: Any, cells: Any, tanhs: Any, dz: Any,
    outputs: Any, dh: Any, dc: Any, sizes: Any, how: Any, low: int, high: int,
) -> None:  # fmt: skip
    (steps, batch, out_size), hidden = g.shape, dc.shape[1]
    rows, one = high - low, g.dtype.type(1)
    room, inner_room = rooms(factor, rows, how), rooms(project, rows, how)
    flat, inner = dz.reshape(-1), dh[low:high]
    for s in range(steps - 1, -1, -1):
        t = steps - 1 - s if how.reverse else s
        n = present(sizes, t, low, high)
        for k in range(rows):
            d, add = dh[low + k], g[t, low + k]
            for j in range(out_size):
                d[j] += add[j]
        if len(project.terms):
            outputs[t, low : low + n] = dh[low : low + n]
            inner = multiply(project, dh.reshape(-1), low * out_size, out_size, n, inner_room, how)
        for k in range(n):
            r = low + k
            i, f, c, o = gates[s, 0, r], gates[s, 1, r], gates[s, 2, r], gates[s, 3, r]
            before, y_of_c, d, dcell = cells[s, r], tanhs[s, r], inner[k], dc[r]
            out = dz[t, r]
            di, df = out[:hidden], out[hidden : 2 * hidden]
            dg, do = out[2 * hidden : 3 * hidden], out[3 * hidden :]
            # One loop for each result: with all arrays in one, LLVM does not use vectors (10 us, not 4).
            for j in range(hidden):
                do[j] = d[j] * y_of_c[j] * o[j] * (one - o[j])
            for j in range(hidden):
                dcell[j] += d[j] * o[j] * (one - y_of_c[j] * y_of_c[j])
            if len(peephole):
                for j in range(hidden):
                    dcell[j] += do[j] * peephole[2, j]
            for j in range(hidden):
                di[j] = dcell[j] * c[j] * i[j] * (one - i[j])
            for j in range(hidden):
                df[j] = dcell[j] * before[j] * f[j] * (one - f[j])
            for j in range(hidden):
                dg[j] = dcell[j] * i[j] * (one - c[j] * c[j])
            for j in range(hidden):
                dcell[j] *= f[j]
            if len(peephole):
                for j in range(hidden):
                    dcell[j] += di[j] * peephole[0, j] + df[j] * peephole[1, j]
        for k in range(n, rows):
            dz[t, low + k] = 0
        product = multiply(factor, flat, (t * batch + low) * 4 * hidden, 4 * hidden, n, room, how)
        for k in range(n):
            d, p = dh[low + k], product[k]
            for j in range(out_size):
                d[j] = p[j]


# -- GRU ---------------------------------------------------------------------------------------------------


@loop
def gru_rows(
    z: Any, h: Any, factor: Any, b: Any, b_new: Any, gates: Any, y: Any, sizes: Any, how: Any, low: int,
    high: int,
) -> None:  # fmt: skip
    steps, batch, hidden = y.shape
    room, half = rooms(factor, high - low, how), y.dtype.type(0.5)
    before, at = h.reshape(-1), low * hidden
    for s in range(steps):
        t = steps - 1 - s if how.reverse else s
        n = present(sizes, t, low, high)
        product = multiply(factor, before, at, hidden, n, room, how)
        for k in range(n):
            row, p, a = low + k, product[k], z[t, low + k]
            r, keep, new, of_state = gates[s, 0, row], gates[s, 1, row], gates[s, 2, row], gates[s, 3, row]
            out, old = y[t, row], before[at + k * hidden : at + (k + 1) * hidden]
            for j in range(hidden):
                r[j] = half * tanh(half * (p[j] + (a[j] + b[j]))) + half
            for j in range(hidden, 2 * hidden):
                keep[j - hidden] = half * tanh(half * (p[j] + (a[j] + b[j]))) + half
            for j in range(hidden):
                of_state[j] = p[2 * hidden + j] + b_new[j]
            for j in range(hidden):
                new[j] = tanh(a[2 * hidden + j] + b[2 * hidden + j] + r[j] * of_state[j])
            for j in range(hidden):
                out[j] = new[j] + keep[j] * (old[j] - new[j])
        for k in range(n, high - low):
            gates[s, :, low + k] = 0
            y[t, low + k] = before[at + k * hidden : at + (k + 1) * hidden]
        before, at = y.reshape(-1), (t * batch + low) * hidden


@loop
def gru_rows_back(
    g: Any, y: Any, h: Any, factor: Any, gates: Any, dz: Any, dp: Any, dh: Any, sizes: Any, how: Any,
    low: int, high: int,
) -> None:  # fmt: skip
    steps, batch, hidden = y.shape
    room, one, flat = rooms(factor, high - low, how), g.dtype.type(1), dp.reshape(-1)
    for s in range(steps - 1, -1, -1):
        t = steps - 1 - s if how.reverse else s
        before = h if s == 0 else y[t + 1 if how.reverse else t - 1]
        n = present(sizes, t, low, high)
        for k in range(high - low):
            row = low + k
            d, add = dh[row], g[t, row]
            for j in range(hidden):
                d[j] += add[j]
            if k >= n:
                dz[t, row] = 0
                dp[t, row] = 0
                continue
            r, keep, new, of_state = gates[s, 0, row], gates[s, 1, row], gates[s, 2, row], gates[s, 3, row]
            a, p, x = dz[t, row], dp[t, row], before[row]
            dr, dkeep, dnew = a[:hidden], a[hidden : 2 * hidden], a[2 * hidden :]
            for j in range(hidden):
                dnew[j] = d[j] * (one - keep[j]) * (one - new[j] * new[j])
            for j in range(hidden):
                dkeep[j] = d[j] * (x[j] - new[j]) * keep[j] * (one - keep[j])
            for j in range(hidden):
                dr[j] = dnew[j] * of_state[j] * r[j] * (one - r[j])
            for j in range(2 * hidden):
                p[j] = a[j]
            for j in range(hidden):
                p[2 * hidden + j] = dnew[j] * r[j]
            for j in range(hidden):
                d[j] *= keep[j]
        product = multiply(factor, flat, (t * batch + low) * 3 * hidden, 3 * hidden, n, room, how)
        for k in range(n):
            d, p = dh[low + k], product[k]
            for j in range(hidden):
                d[j] += p[j]
