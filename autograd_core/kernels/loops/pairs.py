"""Windows of 2 x 2 that tile a plane, a vector of them at a time: LLVM makes none of rows this short.

A row of windows is taken in vectors of 16, 8 or 4. The last one begins so that it ends with the row, and
writes some results a second time. 50 x 32 planes of 28 x 28 in one thread: 440 -> 230 us for the largest, 900
-> 440 for the gradient.
"""

from __future__ import annotations

from typing import Any

from ..twins import instruction, loop
from .tile import load, pointer, save

__all__ = ["largest_of_pairs", "lanes_for", "spread_to_pairs"]


def _apart(builder: Any, both: Any) -> tuple[Any, Any]:
    """Return the elements at even and at odd places."""
    from llvmlite import ir

    half = ir.VectorType(ir.IntType(32), both.type.count // 2)
    order = [ir.Constant(half, list(range(k, both.type.count, 2))) for k in (0, 1)]
    return builder.shuffle_vector(both, both, order[0]), builder.shuffle_vector(both, both, order[1])


def _together(builder: Any, even: Any, odd: Any) -> Any:
    from llvmlite import ir

    n = even.type.count
    order = [k for i in range(n) for k in (i, n + i)]
    return builder.shuffle_vector(even, odd, ir.Constant(ir.VectorType(ir.IntType(32), 2 * n), order))


def _larger(builder: Any, m: Any, v: Any) -> Any:
    more = builder.or_(builder.fcmp_ordered(">", v, m), builder.fcmp_unordered("uno", v, v))
    return builder.select(more, v, m)


def _windows(context: Any, builder: Any, kind: Any, x: Any, top: Any, low: Any, lanes: int) -> list[Any]:
    """Return the four elements of some windows, each a vector."""
    from llvmlite import ir

    both = ir.VectorType(context.get_value_type(kind.dtype), 2 * lanes)
    rows = [load(context, builder, pointer(context, builder, kind, x, row), both) for row in (top, low)]
    return [part for row in rows for part in _apart(builder, row)]


def _emit_largest(lanes: int, x: Any, top: Any, low: Any, y: Any, at: Any) -> Any:
    """``y[at + i]`` = the largest of ``x[top + 2 i]``, the next, and the two from ``low`` on, or NaN."""
    from numba.core.types import void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, top, low, y, at = arguments
        kinds = signature.args
        parts = _windows(context, builder, kinds[0], x, top, low, lanes)
        m = parts[0]
        for v in parts[1:]:
            m = _larger(builder, m, v)
        save(context, builder, m, pointer(context, builder, kinds[3], y, at))
        return context.get_dummy_value()

    return void(x, top, low, y, at), generate


def _emit_spread(lanes: int, g: Any, y: Any, at: Any, x: Any, out: Any, top: Any, low: Any) -> Any:
    """``out`` = g at the first place of a window that has its largest number y, 0 at the others.

    Where y is NaN, at the last place that has NaN. Windows are ``at + i``; their rows in x and out begin at
    ``top`` and ``low``. For arrays of several dtypes it does nothing, and is not to be called.
    """
    from llvmlite import ir
    from numba.core.types import void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        g, y, at, x, out, top, low = arguments
        kinds = signature.args
        if len({kinds[k].dtype for k in (0, 1, 3, 4)}) > 1:
            return context.get_dummy_value()
        vector = ir.VectorType(context.get_value_type(kinds[0].dtype), lanes)
        m = load(context, builder, pointer(context, builder, kinds[1], y, at), vector)
        v = load(context, builder, pointer(context, builder, kinds[0], g, at), vector)
        zero = ir.Constant(vector, [0.0] * lanes)
        parts = _windows(context, builder, kinds[3], x, top, low, lanes)
        none = builder.fcmp_unordered("uno", m, m)
        first = _first(builder, [builder.fcmp_ordered("==", part, m) for part in parts])
        last = _first(builder, [builder.fcmp_unordered("uno", part, part) for part in parts[::-1]])[::-1]
        chosen = [builder.select(builder.select(none, b, a), v, zero) for a, b in zip(first, last)]
        for row, (even, odd) in zip((top, low), (chosen[:2], chosen[2:])):
            place = pointer(context, builder, kinds[4], out, row)
            save(context, builder, _together(builder, even, odd), place)
        return context.get_dummy_value()

    return void(g, y, at, x, out, top, low), generate


def _first(builder: Any, hits: list[Any]) -> list[Any]:
    """Return which of the hits is the first, for each lane."""
    found, before = [hits[0]], hits[0]
    for hit in hits[1:]:
        found.append(builder.and_(hit, builder.not_(before)))
        before = builder.or_(before, hit)
    return found


@instruction
def largest_16(typing, x, top, low, y, at):  # type: ignore[no-untyped-def]
    return _emit_largest(16, x, top, low, y, at)


@instruction
def largest_8(typing, x, top, low, y, at):  # type: ignore[no-untyped-def]
    return _emit_largest(8, x, top, low, y, at)


@instruction
def largest_4(typing, x, top, low, y, at):  # type: ignore[no-untyped-def]
    return _emit_largest(4, x, top, low, y, at)


@instruction
def spread_16(typing, g, y, at, x, out, top, low):  # type: ignore[no-untyped-def]
    return _emit_spread(16, g, y, at, x, out, top, low)


@instruction
def spread_8(typing, g, y, at, x, out, top, low):  # type: ignore[no-untyped-def]
    return _emit_spread(8, g, y, at, x, out, top, low)


@instruction
def spread_4(typing, g, y, at, x, out, top, low):  # type: ignore[no-untyped-def]
    return _emit_spread(4, g, y, at, x, out, top, low)


@loop
def lanes_for(windows: int) -> int:
    """Return how many windows of a row are taken at a time; 0: it is too short."""
    return 16 if windows >= 16 else 8 if windows >= 8 else 4 if windows >= 4 else 0


@loop
def largest_of_pairs(x: Any, y: Any, rows: int, windows: int, width: int, height: int, depth: int) -> None:
    """Write the largest of each window of ``depth`` flat planes (height, width): (rows, windows)."""
    lanes = lanes_for(windows)
    for r in range(depth * rows):
        top, at = (r // rows * height + r % rows * 2) * width, r * windows
        for first in range(0, windows, lanes):
            w = min(first, windows - lanes)
            if lanes == 16:
                largest_16(x, top + 2 * w, top + width + 2 * w, y, at + w)
            elif lanes == 8:
                largest_8(x, top + 2 * w, top + width + 2 * w, y, at + w)
            else:
                largest_4(x, top + 2 * w, top + width + 2 * w, y, at + w)


@loop
def spread_to_pairs(
    g: Any, x: Any, y: Any, out: Any, rows: int, windows: int, width: int, height: int, depth: int
) -> None:
    """Write g of each window where its largest number is, and zeros beside it."""
    lanes = lanes_for(windows)
    for r in range(depth * rows):
        top, at = (r // rows * height + r % rows * 2) * width, r * windows
        for first in range(0, windows, lanes):
            w = min(first, windows - lanes)
            if lanes == 16:
                spread_16(g, y, at + w, x, out, top + 2 * w, top + width + 2 * w)
            elif lanes == 8:
                spread_8(g, y, at + w, x, out, top + 2 * w, top + width + 2 * w)
            else:
                spread_4(g, y, at + w, x, out, top + 2 * w, top + width + 2 * w)
