"""Recurrent networks over time: a matrix product for each step, and the rest in one pass over its state.

In all of them ``z`` (T, N, k H) is what the input adds to the k gates, ``h`` (N, H) the first state, ``w``
(k H, H) the weight of the state. The product of a step is one for each gate: OpenBLAS runs 32 x 128 x 128
without packing and in one thread, so that four of them take 29 us, one of 32 x 128 x 512 takes 34 us on a
quiet machine and many times that on a busy one, and with a transposed weight 45 us.

``sizes`` (None: all) says for each time how many rows there are; those after them keep their state, so that
at the end each row has its last one. With ``reverse`` time runs from T - 1 to 0. What backward needs is kept
by step, 0 ... T - 1, whichever way time runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .loops import recurrent as loops
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
        if n < len(h):
            y[t, n:] = h[n:]
        h = y[t]


def rnn_backward(
    g: Array, y: Array, h: Array, w: Array, dz: Array, dh: Array, dw: Array, db: Array,
    relu: bool, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients of z, of the first state, of the weight and of the bias."""
    np.copyto(dh, 0)
    for _, t, n in reversed(order(len(y), len(h), reverse, sizes)):
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
    weight_gradient(dz, y, h, reverse, dw)
    total(dz, db)


# -- LSTM ------------------------------------------------------------------------------------------


@twin(loops.lstm_open)
def lstm_open(z: Array, b: Array, product: Array, gates: Array, t: int, s: int, n: int) -> None:
    """Write the arguments of tanh of all gates: sigmoid(x) is (tanh(x / 2) + 1) / 2."""
    hidden = gates.shape[3]
    a = gates[s, :, :n]
    np.add((z[t, :n] + b).reshape(n, 4, hidden).transpose(1, 0, 2), product[:, :n], out=a)
    a[:2] *= 0.5
    a[3] *= 0.5
    gates[s, :, n:] = 0


@twin(loops.lstm_cell)
def lstm_cell(gates: Array, cells: Array, s: int, n: int) -> None:
    """Finish the gates i and f, and write the next cells ``f c + i g``."""
    a, c = gates[s, :, :n], cells[s + 1]
    a[:2] *= 0.5
    a[:2] += 0.5
    np.multiply(a[1], cells[s, :n], out=c[:n])
    c[:n] += a[0] * a[2]
    c[n:] = cells[s, n:]


@twin(loops.lstm_out)
def lstm_out(gates: Array, tanhs: Array, h: Array, out: Array, s: int, n: int) -> None:
    """Finish the gate o, and write the state ``o tanh(c)``."""
    o = gates[s, 3]
    o *= 0.5
    o += 0.5
    np.multiply(o, tanhs[s], out=out)
    out[n:] = h[n:]


@twin(loops.lstm_back)
def lstm_back(
    d: Array, dc: Array, gates: Array, cells: Array, tanhs: Array, dz: Array, t: int, s: int, n: int
) -> None:
    """Write the gradients of the four gates into ``dz[t]``, of the cells before into ``dc``."""
    hidden = d.shape[1]
    (i, f, g, o), y, c = gates[s, :, :n], tanhs[s, :n], dc[:n]
    a = dz[t, :n].reshape(n, 4, hidden)
    c += d[:n] * o * (1 - y * y)
    a[:, 0] = c * g * i * (1 - i)
    a[:, 1] = c * cells[s, :n] * f * (1 - f)
    a[:, 2] = c * i * (1 - g * g)
    a[:, 3] = d[:n] * y * o * (1 - o)
    c *= f
    dz[t, n:] = 0


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
    gates, cells, tanhs = kept
    batch, hidden = c.shape
    z, h = np.ascontiguousarray(z), np.ascontiguousarray(h)
    product, inner, wt = np.empty((4, batch, hidden), z.dtype), np.empty(c.shape, c.dtype), by_gate(w, 4)
    cells[0] = c
    for s, t, n in order(len(y), batch, reverse, sizes):
        np.matmul(h[:n], wt, out=product[:, :n])
        lstm_open(z, b, product, gates, t, s, n)
        a = gates[s]
        if peephole is None:
            np.tanh(a, out=a)
            lstm_cell(gates, cells, s, n)
        else:
            a[:2, :n] += (0.5 * peephole[:2, np.newaxis]) * cells[s, :n]
            np.tanh(a[:3], out=a[:3])
            lstm_cell(gates, cells, s, n)
            a[3, :n] += (0.5 * peephole[2]) * cells[s + 1, :n]
            np.tanh(a[3], out=a[3])
        np.tanh(cells[s + 1], out=tanhs[s])
        if project is None:
            lstm_out(gates, tanhs, h, y[t], s, n)
        else:
            lstm_out(gates, tanhs, inner, inner, s, n)
            np.matmul(inner[:n], project.T, out=y[t, :n])
            y[t, n:] = h[n:]
        h = y[t]
    last[...] = cells[-1]


def lstm_backward(
    g: Array, y: Array, h: Array, w: Array, project: Array | None, peephole: Array | None,
    kept: tuple[Array, ...], dz: Array, dh: Array, dc: Array, dw: Array, db: Array,
    dproject: Array | None, dpeephole: Array | None, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients; ``dc`` holds that of the last cells and becomes that of the first."""
    gates, cells, tanhs = kept
    batch, hidden = dc.shape
    weights, product = w.reshape(4, hidden, -1), np.empty((4, *dh.shape), dz.dtype)
    by_time = dz.reshape(len(dz), batch, 4, hidden).transpose(0, 2, 1, 3)
    outputs = None if project is None else np.zeros((len(dz), *dh.shape), dz.dtype)
    np.copyto(dh, 0)
    if dpeephole is not None:
        np.copyto(dpeephole, 0)
    for s, t, n in reversed(order(len(dz), batch, reverse, sizes)):
        dh += g[t]
        d = dh
        if project is not None and outputs is not None:
            outputs[t, :n] = dh[:n]
            d = outputs[t] @ project
        if peephole is None:
            lstm_back(d, dc, gates, cells, tanhs, dz, t, s, n)
        else:
            a, o, x = by_time[t, :, :n], gates[s, 3, :n], tanhs[s, :n]
            dc[:n] += (d[:n] * x * o * (1 - o)) * peephole[2]
            lstm_back(d, dc, gates, cells, tanhs, dz, t, s, n)
            dc[:n] += a[0] * peephole[0] + a[1] * peephole[1]
            if dpeephole is not None:
                dpeephole[:2] += np.add.reduce(a[:2] * cells[s, :n], axis=1)
                dpeephole[2] += np.add.reduce(a[3] * cells[s + 1, :n])
        np.matmul(by_time[t, :, :n], weights, out=product[:, :n])
        np.add.reduce(product[:, :n], out=dh[:n])
    weight_gradient(dz, y, h, reverse, dw)
    total(dz, db)
    if outputs is not None and dproject is not None:
        times = slice(None, None, -1) if reverse else slice(None)
        inner = gates[times, 3] * tanhs[times]
        np.matmul(outputs.reshape(-1, y.shape[-1]).T, inner.reshape(-1, hidden), out=dproject)


# -- GRU -------------------------------------------------------------------------------------------


@twin(loops.gru_open)
def gru_open(
    z: Array, b: Array, b_new: Array, product: Array, gates: Array, t: int, s: int, n: int
) -> None:
    """Write the arguments of tanh of the gates r and z, and what r will multiply, into ``gates[s]``."""
    hidden = gates.shape[3]
    a = gates[s, :, :n]
    before = (z[t, :n, : 2 * hidden] + b[: 2 * hidden]).reshape(n, 2, hidden)
    np.add(before.transpose(1, 0, 2), product[:2, :n], out=a[:2])
    a[:2] *= 0.5
    np.add(product[2, :n], b_new, out=a[3])
    gates[s, :, n:] = 0


@twin(loops.gru_new)
def gru_new(z: Array, b: Array, gates: Array, t: int, s: int, n: int) -> None:
    """Finish the gates r and z, and write the argument of tanh of the new state."""
    hidden = gates.shape[3]
    a = gates[s, :, :n]
    a[:2] *= 0.5
    a[:2] += 0.5
    np.multiply(a[0], a[3], out=a[2])
    a[2] += z[t, :n, 2 * hidden :]
    a[2] += b[2 * hidden :]


@twin(loops.gru_state)
def gru_state(gates: Array, h: Array, out: Array, s: int, n: int) -> None:
    """Write the state ``n + z (h - n)``."""
    a = gates[s, :, :n]
    np.subtract(h[:n], a[2], out=out[:n])
    out[:n] *= a[1]
    out[:n] += a[2]
    out[n:] = h[n:]


@twin(loops.gru_back)
def gru_back(d: Array, h: Array, gates: Array, dz: Array, dp: Array, t: int, s: int, n: int) -> None:
    """Write the gradients of the gates: ``dz[t]`` of what the input adds, ``dp[t]`` of what the state adds.

    What reaches the state before directly stays in ``d``.
    """
    hidden = d.shape[1]
    r, z, new, product = gates[s, :, :n]
    a, x = dz[t, :n].reshape(n, 3, hidden), d[:n]
    dn = x * (1 - z) * (1 - new * new)
    a[:, 0] = dn * product * r * (1 - r)
    a[:, 1] = x * (h[:n] - new) * z * (1 - z)
    a[:, 2] = dn
    dz[t, n:] = 0
    dp[t] = dz[t]
    dp[t, :n, 2 * hidden :] *= r
    x *= z


def gru(
    z: Array, h: Array, w: Array, b: Array, b_new: Array, gates: Array, y: Array, reverse: bool, sizes: Sizes
) -> None:
    """Write the states of all times into ``y`` (T, N, H).

    Args:
        b: (3 H,): what is added to z; ``b_new`` (H,) to the product that r multiplies.
        gates: (T, 4, N, H): r, z, n and that product, for backward.
    """
    z, h = np.ascontiguousarray(z), np.ascontiguousarray(h)
    product, wt = np.empty((3, *h.shape), z.dtype), by_gate(w, 3)
    for s, t, n in order(len(y), len(h), reverse, sizes):
        np.matmul(h[:n], wt, out=product[:, :n])
        gru_open(z, b, b_new, product, gates, t, s, n)
        np.tanh(gates[s, :2], out=gates[s, :2])
        gru_new(z, b, gates, t, s, n)
        np.tanh(gates[s, 2], out=gates[s, 2])
        gru_state(gates, h, y[t], s, n)
        h = y[t]


def gru_backward(
    g: Array, y: Array, h: Array, w: Array, gates: Array, dz: Array, dh: Array, dw: Array,
    db: Array, db_state: Array, reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    """Write the gradients of z, of the first state, of the weight, of both biases (3 H,)."""
    steps, batch, hidden = y.shape
    weights, product = w.reshape(3, hidden, hidden), np.empty((3, batch, hidden), y.dtype)
    dp, h = np.empty(dz.shape, dz.dtype), np.ascontiguousarray(h)
    by_time = dp.reshape(steps, batch, 3, hidden).transpose(0, 2, 1, 3)
    np.copyto(dh, 0)
    for s, t, n in reversed(order(steps, batch, reverse, sizes)):
        dh += g[t]
        first = t == (steps - 1 if reverse else 0)
        gru_back(dh, h if first else y[t + 1 if reverse else t - 1], gates, dz, dp, t, s, n)
        np.matmul(by_time[t, :, :n], weights, out=product[:, :n])
        dh[:n] += np.add.reduce(product[:, :n])
    weight_gradient(dp, y, h, reverse, dw)
    total(dz, db)
    total(dp, db_state)
