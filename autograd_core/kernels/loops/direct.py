"""Convolutions with stride 1 and few filters: vectors lie along the places of an image, not along filters.

On an image with its border, flat, the output at place f and the gradient of a weight are

    y[o, f] = sum_r w[o, r] x[f + b[r]]        w_bar[o, r] = sum_f g[o, f] x[f + b[r]]

with a row of places as long as the image's: the last ones of each are computed and dropped, or 0 in g. So a
vector is whole however few filters there are. 6 filters of 5 x 5 on 64 images of 28 x 28: 0.43 -> 0.16 ms.
"""

from __future__ import annotations

from typing import Any

from ..twins import instruction, loop
from .tile import everywhere, load, pointer, save, shape, sums, vector_of

__all__ = ["FEW", "dots", "rows_for", "sums_along", "vectors_for"]

FEW = 8  # filters


def rows_for(outs: int) -> int:
    """Return the filters of a tile: 4, 6 or 8."""
    return 4 if outs <= 4 else 6 if outs <= 6 else 8


def vectors_for(rows: int) -> int:
    """Return how many vectors wide a tile of so many filters is: it fills the registers."""
    return (24 if shape()[0] == 64 else 12) // rows


def _emit_along(rows: int, w: Any, n: Any, x: Any, at: Any, b: Any, y: Any, to: Any, step: Any) -> Any:
    """``y[to + o step + k] = sum_r w[o n + r] x[at + b[r] + k]`` for all o < rows and k of some vectors."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        w, n, x, at, b, y, to, step = arguments
        kinds, index = signature.args, ir.IntType(64)
        vector, wide = vector_of(context, kinds[0]), vectors_for(rows)
        weights = pointer(context, builder, kinds[0], w, index(0))
        image = pointer(context, builder, kinds[2], x, at)
        taps = pointer(context, builder, kinds[4], b, index(0))
        out = pointer(context, builder, kinds[5], y, to)

        def terms(r: Any) -> tuple[list[Any], list[Any]]:
            read = builder.gep(image, [builder.load(builder.gep(taps, [r]))])
            parts = [builder.gep(read, [index(v * vector.count)]) for v in range(wide)]
            own = [builder.gep(weights, [builder.add(builder.mul(index(m), n), r)]) for m in range(rows)]
            return ([everywhere(builder, builder.load(place), vector) for place in own],
                    [load(context, builder, part, vector) for part in parts])  # fmt: skip

        for m, row in enumerate(sums(builder, n, rows, wide, vector, terms)):
            for v, value in enumerate(row):
                place = builder.add(builder.mul(index(m), step), index(v * vector.count))
                save(context, builder, value, builder.gep(out, [place]))
        return context.get_dummy_value()

    return types.void(w, n, x, at, b, y, to, step), generate


def _emit_dots(rows: int, g: Any, step: Any, n: Any, x: Any, a: Any, k: Any, y: Any) -> Any:
    """``y[r rows + o] += sum_f g[o step + f] x[a[r] + f]``: n vectors of f, some taps r from k on."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        g, step, n, x, a, k, y = arguments
        kinds, index = signature.args, ir.IntType(64)
        vector, wide = vector_of(context, kinds[0]), vectors_for(rows)
        gradients = pointer(context, builder, kinds[0], g, index(0))
        taps = pointer(context, builder, kinds[4], a, k)
        out = pointer(context, builder, kinds[6], y, builder.mul(k, index(rows)))
        starts = [builder.load(builder.gep(taps, [index(v)])) for v in range(wide)]
        reads = [pointer(context, builder, kinds[3], x, start) for start in starts]
        own = [builder.gep(gradients, [builder.mul(index(m), step)]) for m in range(rows)]

        def terms(i: Any) -> tuple[list[Any], list[Any]]:
            f = builder.mul(i, index(vector.count))
            return ([load(context, builder, builder.gep(p, [f]), vector) for p in own],
                    [load(context, builder, builder.gep(p, [f]), vector) for p in reads])  # fmt: skip

        for m, row in enumerate(sums(builder, n, rows, wide, vector, terms)):
            for v, value in enumerate(row):
                place = builder.gep(out, [index(v * rows + m)])
                builder.store(builder.fadd(builder.load(place), _total(builder, value)), place)
        return context.get_dummy_value()

    return types.void(g, step, n, x, a, k, y), generate


def _total(builder: Any, value: Any) -> Any:
    """Return the sum of a vector's elements, half to half."""
    from llvmlite import ir

    while (count := value.type.count) > 1:
        halves = [ir.Constant(ir.VectorType(ir.IntType(32), count // 2), list(range(k, k + count // 2)))
                  for k in (0, count // 2)]  # fmt: skip
        value = builder.fadd(*[builder.shuffle_vector(value, value, half) for half in halves])
    return builder.extract_element(value, ir.IntType(32)(0))


@instruction
def along_4(typing, w, n, x, at, b, y, to, step):  # type: ignore[no-untyped-def]
    return _emit_along(4, w, n, x, at, b, y, to, step)


@instruction
def along_6(typing, w, n, x, at, b, y, to, step):  # type: ignore[no-untyped-def]
    return _emit_along(6, w, n, x, at, b, y, to, step)


@instruction
def along_8(typing, w, n, x, at, b, y, to, step):  # type: ignore[no-untyped-def]
    return _emit_along(8, w, n, x, at, b, y, to, step)


@instruction
def dots_4(typing, g, step, n, x, a, k, y):  # type: ignore[no-untyped-def]
    return _emit_dots(4, g, step, n, x, a, k, y)


@instruction
def dots_6(typing, g, step, n, x, a, k, y):  # type: ignore[no-untyped-def]
    return _emit_dots(6, g, step, n, x, a, k, y)


@instruction
def dots_8(typing, g, step, n, x, a, k, y):  # type: ignore[no-untyped-def]
    return _emit_dots(8, g, step, n, x, a, k, y)


@loop
def sums_along(
    w: Any, n: int, x: Any, first: int, places: int, width: int, b: Any, y: Any, rows: int
) -> None:
    """Write ``y[o, f] = sum_r w[o, r] x[first + f + b[r]]``, f from 0 on, in steps of ``width`` places."""
    step = len(y) // rows
    for f in range(0, places, width):
        if rows == 4:
            along_4(w, n, x, first + f, b, y, f, step)
        elif rows == 6:
            along_6(w, n, x, first + f, b, y, f, step)
        else:
            along_8(w, n, x, first + f, b, y, f, step)


@loop
def dots(g: Any, vectors: int, x: Any, a: Any, wide: int, y: Any, rows: int) -> None:
    """Add ``y[r, o] += sum_f g[o, f] x[a[r] + f]`` for all taps, of which there are whole tiles."""
    step = len(g) // rows
    for k in range(0, len(a), wide):
        if rows == 4:
            dots_4(g, step, vectors, x, a, k, y)
        elif rows == 6:
            dots_6(g, step, vectors, x, a, k, y)
        else:
            dots_8(g, step, vectors, x, a, k, y)
