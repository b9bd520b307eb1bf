"""Kernels of recurrent networks as loops: what each step does to every number of its state."""

from __future__ import annotations

from typing import Any

from ..twins import loop

__all__ = [
    "gru_back", "gru_new", "gru_open", "gru_state", "lstm_back", "lstm_cell", "lstm_open",
    "lstm_out",
]  # fmt: skip


@loop
def lstm_open(z: Any, b: Any, product: Any, gates: Any, t: Any, s: Any, n: Any) -> None:
    rows, hidden = gates.shape[2], gates.shape[3]
    half = z.dtype.type(0.5)
    for k in range(4):
        for r in range(n):
            if k == 2:
                for j in range(hidden):
                    gates[s, k, r, j] = product[k, r, j] + (z[t, r, k * hidden + j] + b[k * hidden + j])
            else:
                for j in range(hidden):
                    a = z[t, r, k * hidden + j] + b[k * hidden + j]
                    gates[s, k, r, j] = half * (product[k, r, j] + a)
        for r in range(n, rows):
            for j in range(hidden):
                gates[s, k, r, j] = 0


@loop
def lstm_cell(gates: Any, cells: Any, s: Any, n: Any) -> None:
    rows, hidden = cells.shape[1], cells.shape[2]
    half = cells.dtype.type(0.5)
    for r in range(n):
        for j in range(hidden):
            i = half * gates[s, 0, r, j] + half
            f = half * gates[s, 1, r, j] + half
            gates[s, 0, r, j] = i
            gates[s, 1, r, j] = f
            cells[s + 1, r, j] = f * cells[s, r, j] + i * gates[s, 2, r, j]
    for r in range(n, rows):
        for j in range(hidden):
            cells[s + 1, r, j] = cells[s, r, j]


@loop
def lstm_out(gates: Any, tanhs: Any, h: Any, out: Any, s: Any, n: Any) -> None:
    rows, hidden = out.shape
    half = out.dtype.type(0.5)
    for r in range(n):
        for j in range(hidden):
            o = half * gates[s, 3, r, j] + half
            gates[s, 3, r, j] = o
            out[r, j] = o * tanhs[s, r, j]
    for r in range(n, rows):
        for j in range(hidden):
            out[r, j] = h[r, j]


@loop
def lstm_back(
    d: Any, dc: Any, gates: Any, cells: Any, tanhs: Any, dz: Any, t: Any, s: Any, n: Any
) -> None:
    # One loop for each result: with all arrays in one, LLVM does not use vectors (10 us, not 4).
    rows, hidden = d.shape
    one = d.dtype.type(1)
    for r in range(n):
        for j in range(hidden):
            dc[r, j] += d[r, j] * gates[s, 3, r, j] * (one - tanhs[s, r, j] * tanhs[s, r, j])
        for j in range(hidden):
            dz[t, r, j] = dc[r, j] * gates[s, 2, r, j] * gates[s, 0, r, j] * (one - gates[s, 0, r, j])
        for j in range(hidden):
            f = gates[s, 1, r, j]
            dz[t, r, hidden + j] = dc[r, j] * cells[s, r, j] * f * (one - f)
        for j in range(hidden):
            g = gates[s, 2, r, j]
            dz[t, r, 2 * hidden + j] = dc[r, j] * gates[s, 0, r, j] * (one - g * g)
        for j in range(hidden):
            o = gates[s, 3, r, j]
            dz[t, r, 3 * hidden + j] = d[r, j] * tanhs[s, r, j] * o * (one - o)
        for j in range(hidden):
            dc[r, j] *= gates[s, 1, r, j]
    for r in range(n, rows):
        for j in range(4 * hidden):
            dz[t, r, j] = 0


@loop
def gru_open(
    z: Any, b: Any, b_new: Any, product: Any, gates: Any, t: Any, s: Any, n: Any
) -> None:
    rows, hidden = gates.shape[2], gates.shape[3]
    half = z.dtype.type(0.5)
    for k in range(2):
        for r in range(n):
            for j in range(hidden):
                gates[s, k, r, j] = half * (product[k, r, j] + (z[t, r, k * hidden + j] + b[k * hidden + j]))
    for r in range(n):
        for j in range(hidden):
            gates[s, 3, r, j] = product[2, r, j] + b_new[j]
    for k in range(4):
        for r in range(n, rows):
            for j in range(hidden):
                gates[s, k, r, j] = 0


@loop
def gru_new(z: Any, b: Any, gates: Any, t: Any, s: Any, n: Any) -> None:
    hidden = gates.shape[3]
    half = z.dtype.type(0.5)
    for r in range(n):
        for j in range(hidden):
            reset = half * gates[s, 0, r, j] + half
            gates[s, 0, r, j] = reset
            gates[s, 1, r, j] = half * gates[s, 1, r, j] + half
            gates[s, 2, r, j] = z[t, r, 2 * hidden + j] + b[2 * hidden + j] + reset * gates[s, 3, r, j]


@loop
def gru_state(gates: Any, h: Any, out: Any, s: Any, n: Any) -> None:
    rows, hidden = h.shape
    for r in range(n):
        for j in range(hidden):
            new = gates[s, 2, r, j]
            out[r, j] = new + gates[s, 1, r, j] * (h[r, j] - new)
    for r in range(n, rows):
        for j in range(hidden):
            out[r, j] = h[r, j]


@loop
def gru_back(d: Any, h: Any, gates: Any, dz: Any, dp: Any, t: Any, s: Any, n: Any) -> None:
    rows, hidden = d.shape
    one = d.dtype.type(1)
    new, other = 2 * hidden, hidden
    for r in range(n):
        for j in range(hidden):
            x = gates[s, 2, r, j]
            dz[t, r, new + j] = d[r, j] * (one - gates[s, 1, r, j]) * (one - x * x)
        for j in range(hidden):
            keep = gates[s, 1, r, j]
            dz[t, r, other + j] = d[r, j] * (h[r, j] - gates[s, 2, r, j]) * keep * (one - keep)
        for j in range(hidden):
            reset = gates[s, 0, r, j]
            dz[t, r, j] = dz[t, r, new + j] * gates[s, 3, r, j] * reset * (one - reset)
        for j in range(2 * hidden):
            dp[t, r, j] = dz[t, r, j]
        for j in range(hidden):
            dp[t, r, new + j] = dz[t, r, new + j] * gates[s, 0, r, j]
        for j in range(hidden):
            d[r, j] *= gates[s, 1, r, j]
    for r in range(n, rows):
        for j in range(3 * hidden):
            dz[t, r, j] = 0
            dp[t, r, j] = 0
