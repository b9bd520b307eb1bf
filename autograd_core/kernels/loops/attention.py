"""Attention as a loop over heads, whose products are tiles that read the heads where they lie.

Scores stand transposed, (keys, W) for a block of W queries: so maxima, sums and the product with the values
run on vectors. For such a block, with E the weights and Z the gradient of the scores,

    E = e^(K Q^T - m),  Z = E (V g^T - sum(g Y)),  Q_bar = Z^T K,  K_bar = Z Q,  V_bar = E g

and for the last two, which are sums over queries, a few blocks are kept and turned.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..team import share
from ..twins import instruction, loop
from .places import filled
from .tile import shape
from .tiled import narrow_rows, narrow_tile, put, transpose, wide_rows, wide_tile
from .vectors import emit_meet, emit_pull, emit_rise, emit_times, emit_weigh

__all__ = ["attention", "attention_gradients"]

COST = 2e-3  # microseconds of a thread for a score
KEPT = 1 << 17  # scores of a head that are kept at a time: with their gradients, 1 MiB of float32


class Heads(NamedTuple):
    """The matrices of all heads: one flat array, the steps between them and their rows, tables of places."""

    flat: Any
    to_next: int  # of the batch
    to_head: int
    to_row: int
    width: int  # the columns of one
    rows: Any  # where rows begin, filled until tiles are whole
    columns: Any  # 0, 1, 2, ..., filled


class Layout(NamedTuple):
    """What the blocks are like."""

    queries: int
    keys: int
    scale: float
    causal: bool
    width: int  # queries in a block
    wide: bool  # is that two vectors, or one?
    height: int
    lanes: int
    kept: int  # queries whose scores are kept: whole blocks


@instruction
def rise(typing, top, i, e, j):  # type: ignore[no-untyped-def]
    return emit_rise(top, i, e, j)


@instruction
def weigh(typing, e, i, less, j, total, k):  # type: ignore[no-untyped-def]
    return emit_weigh(e, i, less, j, total, k)


@instruction
def meet(typing, e, i, less, j, z, k, total, n):  # type: ignore[no-untyped-def]
    return emit_meet(e, i, less, j, z, k, total, n)


@instruction
def pull(typing, z, i, less, j, e, k):  # type: ignore[no-untyped-def]
    return emit_pull(z, i, less, j, e, k)


@instruction
def times(typing, e, i, factors, j):  # type: ignore[no-untyped-def]
    return emit_times(e, i, factors, j)


@loop
def begin(x: Any, n: int, h: int) -> int:
    return int(n * x.to_next + h * x.to_head)


@loop
def tile(x: Any, offset: Any, a: Any, i: Any, b: Any, n: Any, w: Any, at: Any, t: Any, wide: Any) -> None:
    if wide:
        wide_tile(x, offset, a, i, b, 0, n, w, at, t)
    else:
        narrow_tile(x, offset, a, i, b, 0, n, w, at, t)


@loop
def packed(x: Any, start: int, low: int, many: int, scale: float, how: Any, out: Any) -> None:
    """Copy the transpose of a block of rows, times a number: (columns, W)."""
    s = out.dtype.type(scale)
    transpose(x.flat, start + low * x.to_row, x.to_row, many, x.width, out, 0, how.width, how.lanes)
    for i in range(out.size):
        out[i] *= s


@loop
def scores(x: Any, start: int, seen: int, w: Any, how: Any, out: Any) -> None:
    """Write ``out[key, query] = sum_c x[key, c] w[c, query]`` for the keys that are seen, and a few more."""
    for k in range(0, seen, how.height):
        to = k * how.width
        if how.wide:
            wide_rows(x.flat, start, x.rows, k, x.columns, x.width, w, 0, out, to, how.width)
        else:
            narrow_rows(x.flat, start, x.rows, k, x.columns, x.width, w, 0, out, to, how.width)


@loop
def weighted(
    x: Any, start: int, w: Any, at: int, terms: int, many: int, how: Any, t: Any, out: Any, to: int,
    first: bool,
) -> None:  # fmt: skip
    """Write, or add, ``out[i, c] = sum_r w[at + r, i] x[r, c]`` to ``many`` rows from ``to`` on."""
    none = t.dtype.type(0)
    for c in range(0, x.width, how.height):
        tile(x.flat, start, x.columns, c, x.rows, terms, w, at, t, how.wide)
        m = min(how.height, x.width - c)
        for i in range(many):
            place = to + i * out.to_row + c
            if first and m == how.height:
                put(t, i * how.height, none, out.flat, place)
            elif first:
                for k in range(m):
                    out.flat[place + k] = t[i * how.height + k]
            else:
                for k in range(m):
                    out.flat[place + k] += t[i * how.height + k]


@loop
def masked(e: Any, bias: Any, n: int, h: int, low: int, many: int, seen: int, how: Any) -> None:
    """Add the bias, and -inf to what a causal mask hides."""
    if bias.size:
        n, h = min(n, bias.shape[0] - 1), min(h, bias.shape[1] - 1)
        for k in range(seen):
            row, more = e[k * how.width : k * how.width + many], bias[n, h, min(k, bias.shape[2] - 1)]
            if len(more) > 1:
                for q in range(many):
                    row[q] += more[low + q]
            else:
                for q in range(many):
                    row[q] += more[0]
    if how.causal:
        for k in range(low + 1, seen):
            for q in range(min(k - low, many)):
                e[k * how.width + q] = -np.inf


@loop
def dropped(e: Any, keep: Any, n: int, h: int, low: int, many: int, seen: int, how: Any) -> None:
    """Multiply the weights with what dropout keeps of them."""
    n, h = min(n, keep.shape[0] - 1), min(h, keep.shape[1] - 1)
    for k in range(seen):
        row, factors = e[k * how.width : k * how.width + many], keep[n, h, min(k, keep.shape[2] - 1)]
        if len(factors) > 1:
            for q in range(many):
                row[q] *= factors[low + q]
        else:
            for q in range(many):
                row[q] *= factors[0]


@loop
def softmax(e: Any, seen: int, many: int, how: Any, top: Any, total: Any, logs: Any) -> None:
    """Turn scores into weights, and write the logarithms of the sums; a query without keys has zeros."""
    one, w = e.dtype.type(1), how.width
    top[:] = np.finfo(e.dtype).min
    total[:] = 0
    for at in range(0, seen * w, w):
        for i in range(0, w, how.lanes):
            rise(top, i, e, at + i)
    for at in range(0, seen * w, w):
        for i in range(0, w, how.lanes):
            weigh(e, at + i, top, i, total, i)
    for i in range(w):
        total[i] = one if total[i] == 0 else total[i]
    for i in range(many):
        logs[i] = top[i] + math.log(total[i])
    for i in range(w):
        total[i] = one / total[i]
    for at in range(0, seen * w, w):
        for i in range(0, w, how.lanes):
            times(e, at + i, total, i)


@loop
def heads_forward(
    q: Any, k: Any, v: Any, bias: Any, keep: Any, y: Any, logs: Any, heads: int, how: Any, start: int,
    stop: int,
) -> None:  # fmt: skip
    kind, w = q.flat.dtype, how.width
    keys = -(-how.keys // w) * w
    qt, e, t = np.zeros(w * k.width, kind), np.zeros(keys * w, kind), np.empty(how.height * w, kind)
    top, total = np.empty(w, kind), np.empty(w, kind)
    for unit in range(start, stop):
        n, h = unit // heads, unit % heads
        q0, k0, v0, y0 = begin(q, n, h), begin(k, n, h), begin(v, n, h), begin(y, n, h)
        for low in range(0, how.queries, w):
            many = min(w, how.queries - low)
            seen = min(how.keys, low + many) if how.causal else how.keys
            packed(q, q0, low, many, how.scale, how, qt)
            scores(k, k0, seen, qt, how, e)
            masked(e, bias, n, h, low, many, seen, how)
            softmax(e, seen, many, how, top, total, logs[unit * how.queries + low :])
            if keep.size:
                dropped(e, keep, n, h, low, many, seen, how)
            weighted(v, v0, e, 0, seen, many, how, t, y, y0 + low * y.to_row, True)


@loop
def turned(e: Any, seen: int, at: int, many: int, how: Any, out: Any) -> None:
    """Copy a block (keys, W) to panels (kept queries, W keys), from query ``at`` of those that are kept."""
    for first in range(0, seen, how.width):
        keys, to = min(how.width, seen - first), (first * how.kept) + at * how.width
        transpose(e, first * how.width, how.width, keys, many, out, to, how.width, how.lanes)


@loop
def heads_backward(
    g: Any, q: Any, k: Any, v: Any, bias: Any, keep: Any, q_bar: Any, k_bar: Any, v_bar: Any, logs: Any,
    bias_bar: Any, heads: int, how: Any, start: int, stop: int,
) -> None:  # fmt: skip
    kind, w = q.flat.dtype, how.width
    keys, scale = -(-how.keys // w) * w, q.flat.dtype.type(how.scale)
    qt, gt, t = np.zeros(w * k.width, kind), np.zeros(w * v.width, kind), np.empty(how.height * w, kind)
    e, z = np.zeros(keys * w, kind), np.zeros(keys * w, kind)
    es, zs = np.zeros(keys * how.kept, kind), np.zeros(keys * how.kept, kind)
    deltas, less = np.zeros(w, kind), np.zeros(w, kind)
    for unit in range(start, stop):
        n, h = unit // heads, unit % heads
        q0, k0, v0, g0 = begin(q, n, h), begin(k, n, h), begin(v, n, h), begin(g, n, h)
        q1, k1, v1 = begin(q_bar, n, h), begin(k_bar, n, h), begin(v_bar, n, h)
        for part in range(0, how.queries, how.kept):
            end = min(part + how.kept, how.queries)
            for low in range(part, end, w):
                many = min(w, end - low)
                seen = min(how.keys, low + many) if how.causal else how.keys
                packed(q, q0, low, many, how.scale, how, qt)
                packed(g, g0, low, many, 1.0, how, gt)
                scores(k, k0, seen, qt, how, e)
                scores(v, v0, seen, gt, how, z)
                masked(e, bias, n, h, low, many, seen, how)
                for i in range(many):
                    less[i] = logs[unit * how.queries + low + i]
                if keep.size:
                    dropped(z, keep, n, h, low, many, seen, how)
                deltas[:] = 0  # sum(g Y), as sum(E V g^T)
                for at in range(0, seen * w, w):
                    for i in range(0, w, how.lanes):
                        meet(e, at + i, less, i, z, at + i, deltas, i)
                for at in range(0, seen * w, w):
                    for i in range(0, w, how.lanes):
                        pull(z, at + i, deltas, i, e, at + i)
                if bias_bar.size:
                    for key in range(seen):
                        for i in range(many):
                            bias_bar[n, h, key, low + i] = z[key * w + i]
                if keep.size:
                    dropped(e, keep, n, h, low, many, seen, how)
                e[seen * w :] = 0
                z[seen * w :] = 0
                for i in range(seen * w):
                    z[i] *= scale
                weighted(k, k0, z, 0, seen, many, how, t, q_bar, q1 + low * q_bar.to_row, True)
                turned(e, keys, low - part, many, how, es)
                turned(z, keys, low - part, many, how, zs)
            for key in range(0, how.keys, w):
                many, at = min(w, how.keys - key), key * how.kept
                of_q, of_g = q0 + part * q.to_row, g0 + part * g.to_row
                weighted(q, of_q, zs, at, end - part, many, how, t, k_bar, k1 + key * k_bar.to_row, part == 0)
                weighted(g, of_g, es, at, end - part, many, how, t, v_bar, v1 + key * v_bar.to_row, part == 0)


# -- what stands beside the NumPy versions -----------------------------------------------------------------


def _direct(x: Any) -> bool:
    """Tell whether rows of x lie in one piece, in memory that a loop may be given."""
    return x.flags.writeable and x.strides[-1] == x.itemsize and min(x.strides) >= 0 and x.flags.aligned


def _heads(x: Any) -> Heads:
    """Return the matrices of x, (N, H, rows, columns), where they lie, or of a copy."""
    x = x if _direct(x) else x.copy()
    size = x.itemsize
    extent = 1 + sum((n - 1) * s for n, s in zip(x.shape, x.strides)) // size
    flat = np.lib.stride_tricks.as_strided(x, (extent,), (size,))
    to_next, to_head, to_row, _ = (s // size for s in x.strides)
    rows, columns = filled(np.arange(x.shape[2]) * to_row), filled(np.arange(x.shape[3]))
    return Heads(flat, to_next, to_head, to_row, x.shape[3], rows, columns)


def _layout(q: Any, k: Any, scale: float, causal: bool) -> Layout:
    queries, keys, (size, height) = q.shape[2], k.shape[2], shape()
    lanes = size // q.itemsize
    wide = queries > lanes
    width = 2 * lanes if wide else lanes
    kept = min(max(1, KEPT // (keys * width)), -(-queries // width)) * width
    return Layout(queries, keys, float(scale), bool(causal), width, wide, height, lanes, kept)


def _or_none(x: Any, dtype: Any) -> Any:
    return np.empty((0, 0, 0, 0), dtype) if x is None else np.require(x, dtype, ["W"])


def _share(heads: Any, q: Any, keys: int, *given: Any) -> None:
    units = q.shape[0] * q.shape[1]
    share(heads, units, COST * units * q.shape[2] * keys, *given)


def attention(q: Any, k: Any, v: Any, scores: Any, out: Any, logs: Any) -> None:
    kind, how = q.dtype, _layout(q, k, scores.scale, scores.causal)
    bias, keep, heads = _or_none(scores.bias, kind), _or_none(scores.keep, kind), q.shape[1]
    y = out if _direct(out) else np.empty(out.shape, kind)
    matrices = [_heads(np.asarray(x, kind)) for x in (q, k, v)]
    of_y, of_logs = _heads(y), np.empty(logs.size, kind)

    _share(heads_forward, q, how.keys, *matrices, bias, keep, of_y, of_logs, heads, how)
    logs[...] = of_logs.reshape(logs.shape)
    if y is not out:
        out[...] = y


def attention_gradients(
    g: Any, y: Any, q: Any, k: Any, v: Any, scores: Any, out: Any, logs: Any, bias: Any
) -> None:
    kind, how = q.dtype, _layout(q, k, scores.scale, scores.causal)
    added, keep, heads = _or_none(scores.bias, kind), _or_none(scores.keep, kind), q.shape[1]
    bars = [x if _direct(x) else np.empty(x.shape, kind) for x in out]
    matrices = [_heads(np.asarray(x, kind)) for x in (g, q, k, v)]
    of_bars, of_logs = [_heads(x) for x in bars], logs.ravel()
    of_bias = _or_none(None, kind) if bias is None else bias  # itself, never a copy: it is written

    _share(heads_backward, q, how.keys, *matrices, added, keep, *of_bars, of_logs, of_bias, heads, how)
    for x, bar in zip(out, bars):
        if bar is not x:
            x[...] = bar
