"""Tiles as instructions of loops, and the transpose that some of them read."""

from __future__ import annotations

from typing import Any

from ..twins import instruction, loop
from .tile import emit, emit_put, emit_turn

__all__ = ["narrow_tile", "put", "transpose", "wide_tile"]


@instruction
def wide_tile(typing, x, offset, a, i, b, j, n, w, at, t):  # type: ignore[no-untyped-def]
    return emit(2, x, offset, a, i, b, j, n, w, at, t)


@instruction
def narrow_tile(typing, x, offset, a, i, b, j, n, w, at, t):  # type: ignore[no-untyped-def]
    return emit(1, x, offset, a, i, b, j, n, w, at, t)


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
