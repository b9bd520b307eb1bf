"""Tiles as instructions of loops, and the copies that they read."""

from __future__ import annotations

from typing import Any

from ..twins import instruction, loop
from .tile import emit, emit_put, emit_rows, emit_turn

__all__ = ["frame", "narrow_rows", "narrow_tile", "put", "transpose", "wide_rows", "wide_tile"]

Sizes = tuple[int, ...]


@instruction
def wide_tile(typing, x, offset, a, i, b, j, n, w, at, t):  # type: ignore[no-untyped-def]
    return emit(2, x, offset, a, i, b, j, n, w, at, t)


@instruction
def narrow_tile(typing, x, offset, a, i, b, j, n, w, at, t):  # type: ignore[no-untyped-def]
    return emit(1, x, offset, a, i, b, j, n, w, at, t)


@instruction
def wide_rows(typing, x, offset, a, i, b, n, w, at, y, to, step):  # type: ignore[no-untyped-def]
    return emit_rows(2, x, offset, a, i, b, n, w, at, y, to, step)


@instruction
def narrow_rows(typing, x, offset, a, i, b, n, w, at, y, to, step):  # type: ignore[no-untyped-def]
    return emit_rows(1, x, offset, a, i, b, n, w, at, y, to, step)


@instruction
def turn(typing, g, start, step, rows, out, at, width):  # type: ignore[no-untyped-def]
    return emit_turn(g, start, step, rows, out, at, width)


@instruction
def put(typing, t, start, more, y, at):  # type: ignore[no-untyped-def]
    return emit_put(t, start, more, y, at)


@loop
def transpose(
    g: Any, start: int, step: int, rows: int, columns: int, out: Any, at: int, width: int, lanes: int
) -> None:
    """Copy rows that are ``step`` apart to columns of ``out``, which has ``width`` of them.

    What stands in columns beyond the number of rows is of no meaning: it is never read as a result.
    """
    whole = columns // lanes * lanes
    for k in range(0, rows, lanes):
        many = min(lanes, rows - k)
        for i in range(0, whole, lanes):
            turn(g, start + k * step + i, step, many, out, at + i * width + k, width)
        for q in range(k, k + many):
            row = g[start + q * step : start + q * step + columns]
            for i in range(whole, columns):
                out[at + i * width + q] = row[i]


@loop
def frame(x: Any, n: int, channels: int, inner: Sizes, outer: Sizes, before: Sizes, out: Any) -> None:
    """Copy the n-th image into its place, ``before`` from the edges, in one of another size."""
    (n0, n1, n2), (m0, m1, m2), (p0, p1, p2) = inner, outer, before
    low, high = max(0, -p2), min(n2, m2 - p2)
    for c in range(channels):
        for i in range(max(0, -p0), min(n0, m0 - p0)):
            for j in range(max(0, -p1), min(n1, m1 - p1)):
                source = (((n * channels + c) * n0 + i) * n1 + j) * n2
                target = ((c * m0 + i + p0) * m1 + j + p1) * m2 + p2
                row, of_x = out[target + low : target + high], x[source + low : source + high]
                for k in range(high - low):
                    row[k] = of_x[k]
