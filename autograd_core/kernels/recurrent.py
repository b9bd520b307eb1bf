"""Recurrent networks over time: a matrix product for each step, and the rest in one pass over its state.

In all of them ``z`` (T, N, k H) is what the input adds to the k gates, ``h`` (N, H) the first state, ``w``
(k H, H) the weight of the state. Where numba is, a whole scan is one loop. In NumPy the product of a step is
one for each gate: OpenBLAS runs 32 x 128 x 128 without packing and in one thread, so that four of them take
29 us, one of 32 x 128 x 512 takes 34 us on a quiet machine and many times that on a busy one.

``sizes`` (None: all) says for each time how many rows there are; those after them keep their state, so that
at the end each row has its last one. With ``reverse`` time runs from T - 1 to 0. What backward needs is kept
by step, 0 ... T - 1, whichever way time runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .loops import scans
from .twins import twin

__all__ = ["gru", "gru_backward", "lstm", "lstm_backward", "rnn", "rnn_backward"]

Array = ndarray[Any, Any]
Sizes = Sequence[int] | None


def order(steps: int, batch: int, reverse: bool, sizes: Sizes) -> list[tuple[int, int, int]]:
    """Return (number of the step, time, rows) of all steps, in their order.

    >>> order(3, 2, True, (2, 2, 1))
    [(0, 2, 1), (1, 1, 2), (2, 0, 2)]
    """
    times = range(steps - 1, -1, -1) if reverse else range(steps)
    return [(s, t, batch if sizes is None else sizes[t]) for s, t in enumerate(times)]


def by_gate(w: Array, gates: int) -> Array:
    """Return the transposed weight of each gate, (gates, inputs, hidden), in C order."""
    return np.ascontiguousarray(w.reshape(gates, -1, w.shape[1]).transpose(0, 2, 1))


def sigmoid(x: Array) -> None:
    """Replace x by ``(tanh(x / 2) + 1) / 2``."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def weight_gradient(d: Array, y: Array, h: Array, reverse: bool, out: Array) -> None:
    """Write the sum over time of ``d_t^T h`` into ``out``, h the state before: of ``y``, or first ``h``."""
    k, p = d.shape[-1], y.shape[-1]
    later, before, first = (d[:-1], y[1:], d[-1]) if reverse else (d[1:], y[:-1], d[0])
    np.matmul(later.reshape(-1, k).T, before.reshape(-1, p), out=out)
    out += first.T @ h


def total(d: Array, out: Array) -> None:
    """Write the sum over time and batch into ``out``: over time first, which reads in whole vectors."""
    np.add.reduce(np.add.reduce(d), out=out)


# -- h = tanh(z + b + W h), or relu ----------------------------------------------------------------


@twin(scans.rnn)
def rnn(z: Array, h: Array, w: Array, b: Array, y: Array, relu: bool, reverse: bool, sizes: Sizes) -> None:
    """Write the states of all times into ``y`` (T, N, H)."""
    wt = np.ascontiguousarray(w.T)
    for _, t, n in order(len(y), len(h), reverse, sizes):
        a = y[t, :n]
        np.matmul(h[:n], wt, out=a)
        a += z[t, :n]
        a += b
        if relu:
            np.maximum(a, 0, out=a)
        else:
            np.tanh(a, out=a)
        y[t, n:] = h[n:]
        h = y[t]


@twin(scans.rnn_back)
def _rnn_back(
    g: Array, y: Array, w: Array, dz: Array, dh: Array, relu: bool, reverse: bool, sizes: Sizes
) -> None:
    for _, t, n in reversed(order(len(y), len(dh), reverse, sizes)):
        dh += g[t]
        d, x = dz[t, :n], y[t, :n]
        if relu:
            np.multiply(dh[:n], x > 0, out=d)
        else:
            np.multiply(x, x, out=d)
            np.subtract(1, d, out=d)
            d *= dh[:n]
        dz[t, n:] = 0
        np.matmul(d, w, out=dh[:n])


def rnn_backward(
    g: Array, y: Array, h: Array, w: Array, dz: Array, dh: Array, dw: Array, db: Array,
    relu: bool, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients of z, of the first state, of the weight and of the bias."""
    np.copyto(dh, 0)
    _rnn_back(g, y, w, dz, dh, relu, reverse, sizes)
    weight_gradient(dz, y, h, reverse, dw)
    total(dz, db)


# -- LSTM ------------------------------------------------------------------------------------------


@twin(scans.lstm)
def _lstm(
    z: Array, h: Array, w: Array, b: Array, project: Array | None, peephole: Array | None,
    kept: tuple[Array, ...], y: Array, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    gates, cells, tanhs = kept
    batch, hidden = cells.shape[1:]
    product, wt = np.empty((4, batch, hidden), z.dtype), by_gate(w, 4)
    for s, t, n in order(len(y), batch, reverse, sizes):
        a, c, new = gates[s, :, :n], cells[s, :n], cells[s + 1, :n]
        np.matmul(h[:n], wt, out=product[:, :n])
        np.add((z[t, :n] + b).reshape(n, 4, hidden).transpose(1, 0, 2), product[:, :n], out=a)
        if peephole is not None:
            a[:2] += peephole[:2, np.newaxis] * c
        sigmoid(a[:2])
        np.tanh(a[2], out=a[2])
        np.multiply(a[1], c, out=new)
        new += a[0] * a[2]
        if peephole is not None:
            a[3] += peephole[2] * new
        sigmoid(a[3])
        np.tanh(new, out=tanhs[s, :n])
        if project is None:
            np.multiply(a[3], tanhs[s, :n], out=y[t, :n])
        else:
            np.matmul(a[3] * tanhs[s, :n], project.T, out=y[t, :n])
        gates[s, :, n:], cells[s + 1, n:], tanhs[s, n:], y[t, n:] = 0, cells[s, n:], 0, h[n:]
        h = y[t]


def lstm(
    z: Array, h: Array, c: Array, w: Array, b: Array, project: Array | None, peephole: Array | None,
    kept: tuple[Array, ...], y: Array, last: Array, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the states of all times into ``y`` (T, N, P), and the last cells into ``last`` (N, H).

    Args:
        project: (P, H), or None: the state is ``project (o tanh c)``.
        peephole: (3, H), or None: what the cells add to the gates i, f and o.
        kept: gates (T, 4, N, H), cells (T + 1, N, H) and their tanh (T, N, H), for backward.
    """
    kept[1][0] = c
    _lstm(z, h, w, b, project, peephole, kept, y, reverse, sizes)
    last[...] = kept[1][-1]


@twin(scans.lstm_back)
def _lstm_back(
    g: Array, w: Array, project: Array | None, peephole: Array | None, kept: tuple[Array, ...], dz: Array,
    outputs: Array, dh: Array, dc: Array, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    gates, cells, tanhs = kept
    batch, hidden = dc.shape
    weights, product = w.reshape(4, hidden, -1), np.empty((4, *dh.shape), dz.dtype)
    by_time = dz.reshape(len(dz), batch, 4, hidden).transpose(0, 2, 1, 3)
    for s, t, n in reversed(order(len(dz), batch, reverse, sizes)):
        dh += g[t]
        d, c, y = dh[:n], dc[:n], tanhs[s, :n]
        if project is not None:
            outputs[t, :n] = d
            d = d @ project
        (i, f, new, o), a = gates[s, :, :n], by_time[t, :, :n]
        a[3] = d * y * o * (1 - o)
        c += d * o * (1 - y * y)
        if peephole is not None:
            c += a[3] * peephole[2]
        a[0] = c * new * i * (1 - i)
        a[1] = c * cells[s, :n] * f * (1 - f)
        a[2] = c * i * (1 - new * new)
        c *= f
        if peephole is not None:
            c += a[0] * peephole[0] + a[1] * peephole[1]
        dz[t, n:] = 0
        np.matmul(a, weights, out=product[:, :n])
        np.add.reduce(product[:, :n], out=dh[:n])


def lstm_backward(
    g: Array, y: Array, h: Array, w: Array, project: Array | None, peephole: Array | None,
    kept: tuple[Array, ...], dz: Array, dh: Array, dc: Array, dw: Array, db: Array,
    dproject: Array | None, dpeephole: Array | None, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients; ``dc`` holds that of the last cells and becomes that of the first."""
    gates, cells, tanhs = kept
    batch, hidden = dc.shape
    outputs = np.zeros((len(dz), *dh.shape) if project is not None else (0, 0, 0), dz.dtype)
    np.copyto(dh, 0)
    _lstm_back(g, w, project, peephole, kept, dz, outputs, dh, dc, reverse, sizes)
    weight_gradient(dz, y, h, reverse, dw)
    total(dz, db)
    times = slice(None, None, -1) if reverse else slice(None)
    if dproject is not None:
        inner = gates[times, 3] * tanhs[times]
        np.matmul(outputs.reshape(-1, y.shape[-1]).T, inner.reshape(-1, hidden), out=dproject)
    if dpeephole is not None:
        a = dz[times].reshape(len(dz), batch, 4, hidden)
        for k, gate, c in (0, 0, cells[:-1]), (1, 1, cells[:-1]), (2, 3, cells[1:]):
            total(a[:, :, gate] * c, dpeephole[k])


# -- GRU -------------------------------------------------------------------------------------------


@twin(scans.gru)
def gru(
    z: Array, h: Array, w: Array, b: Array, b_new: Array, gates: Array, y: Array, reverse: bool, sizes: Sizes
) -> None:
    """Write the states of all times into ``y`` (T, N, H).

    Args:
        b: (3 H,): what is added to z; ``b_new`` (H,) to the product that r multiplies.
        gates: (T, 4, N, H): r, z, n and that product, for backward.
    """
    hidden = h.shape[1]
    product, wt = np.empty((3, *h.shape), z.dtype), by_gate(w, 3)
    for s, t, n in order(len(y), len(h), reverse, sizes):
        a, out = gates[s, :, :n], y[t, :n]
        np.matmul(h[:n], wt, out=product[:, :n])
        before = (z[t, :n] + b).reshape(n, 3, hidden).transpose(1, 0, 2)
        np.add(before[:2], product[:2, :n], out=a[:2])
        np.add(product[2, :n], b_new, out=a[3])
        sigmoid(a[:2])
        np.multiply(a[0], a[3], out=a[2])
        a[2] += before[2]
        np.tanh(a[2], out=a[2])
        np.subtract(h[:n], a[2], out=out)
        out *= a[1]
        out += a[2]
        gates[s, :, n:], y[t, n:] = 0, h[n:]
        h = y[t]


@twin(scans.gru_back)
def _gru_back(
    g: Array, y: Array, h: Array, w: Array, gates: Array, dz: Array, dp: Array, dh: Array, reverse: bool,
    sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients of what the input adds to the gates, ``dz``, and of what the state adds, ``dp``."""
    steps, batch, hidden = y.shape
    weights, product = w.reshape(3, hidden, hidden), np.empty((3, batch, hidden), y.dtype)
    by_time = dp.reshape(steps, batch, 3, hidden).transpose(0, 2, 1, 3)
    for s, t, n in reversed(order(steps, batch, reverse, sizes)):
        before = h if s == 0 else y[t + 1 if reverse else t - 1]
        dh += g[t]
        (r, keep, new, of_state), d = gates[s, :, :n], dh[:n]
        a = dz[t, :n].reshape(n, 3, hidden)
        a[:, 2] = d * (1 - keep) * (1 - new * new)
        a[:, 1] = d * (before[:n] - new) * keep * (1 - keep)
        a[:, 0] = a[:, 2] * of_state * r * (1 - r)
        dz[t, n:] = 0
        dp[t] = dz[t]
        dp[t, :n, 2 * hidden :] *= r
        d *= keep  # what reaches the state before directly
        np.matmul(by_time[t, :, :n], weights, out=product[:, :n])
        d += np.add.reduce(product[:, :n])


def gru_backward(
    g: Array, y: Array, h: Array, w: Array, gates: Array, dz: Array, dh: Array, dw: Array,
    db: Array, db_state: Array, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients of z, of the first state, of the weight, of both biases (3 H,)."""
    dp = np.empty(dz.shape, dz.dtype)
    np.copyto(dh, 0)
    _gru_back(g, y, h, w, gates, dz, dp, dh, reverse, sizes)
    weight_gradient(dp, y, h, reverse, dw)
    total(dz, db)
    total(dp, db_state)
