"""Convolutions with stride 1 and few filters: vectors lie along the places of an image, not along filters.

On an image with its border, flat, the output at place f and the gradient of a weight are

    y[o, f] = sum_r w[o, r] x[f + b[r]]        w_bar[o, r] = sum_f g[o, f] x[f + b[r]]

with a row of places as long as the image's: the last ones of each are computed and dropped, or 0 in g. So a
vector is whole however few filters there are. 6 filters of 5 x 5 on 64 images of 28 x 28: 0.43 -> 0.16 ms.
"""

from __future__ import annotations

from typing import Any

from ..twins import instruction, loop
from .tile import shape

__all__ = ["FEW", "dots", "rows_for", "sums_along"]

FEW = 8  # filters
CONTRACT = ("contract",)


def rows_for(outs: int) -> int:
    """Return the filters of a tile: 4, 6 or 8."""
    return 4 if outs <= 4 else 6 if outs <= 6 else 8


def vectors_for(rows: int) -> int:
    """Return how many vectors wide a tile of so many filters is: it fills the registers."""
    return (24 if shape()[0] == 64 else 12) // rows


def _pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _load(context: Any, builder: Any, pointer: Any, vector: Any) -> Any:
    value = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    value.align = vector.element.get_abi_alignment(context.target_data)
    return value


def _sums(builder: Any, count: Any, many: int, wide: int, zero: Any, terms: Any) -> list[list[Any]]:
    """Return ``sum_i a_m(i) b_v(i)`` for all m < many, v < wide; ``terms(i)`` gives the factors a and b."""
    from llvmlite import ir

    index = ir.IntType(64)
    before, body = builder.block, builder.append_basic_block("sum")
    after = builder.append_basic_block("store")
    builder.branch(body)
    builder.position_at_end(body)
    i = builder.phi(index)
    i.add_incoming(index(0), before)
    sums = [[builder.phi(zero.type) for _ in range(wide)] for _ in range(many)]
    a, b = terms(i)
    later = [[builder.fadd(builder.fmul(x, y, flags=CONTRACT), s, flags=CONTRACT) for y, s in zip(b, row)]
             for x, row in zip(a, sums)]  # fmt: skip
    following = builder.add(i, index(1))
    i.add_incoming(following, body)
    for row, new in zip(sums, later):
        for s, value in zip(row, new):
            s.add_incoming(zero, before)
            s.add_incoming(value, body)
    builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    builder.position_at_end(after)
    return later


def _emit_along(rows: int, w: Any, n: Any, x: Any, at: Any, b: Any, y: Any, to: Any, step: Any) -> Any:
    """``y[to + o step + k] = sum_r w[o n + r] x[at + b[r] + k]`` for all o < rows and k of some vectors."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, index = signature.args, ir.IntType(64)
        number = context.get_value_type(kinds[0].dtype)
        lanes = shape()[0] // (8 if isinstance(number, ir.DoubleType) else 4)
        vector, wide = ir.VectorType(number, lanes), vectors_for(rows)
        first = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        weights = _pointer(context, builder, kinds[0], arguments[0], index(0))
        image = _pointer(context, builder, kinds[2], arguments[2], arguments[3])
        taps = _pointer(context, builder, kinds[4], arguments[4], index(0))
        out = _pointer(context, builder, kinds[5], arguments[5], arguments[6])

        def everywhere(m: int, r: Any) -> Any:
            place = builder.add(builder.mul(index(m), arguments[1]), r)
            one = builder.load(builder.gep(weights, [place]))
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), one, ir.IntType(32)(0))
            return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), first)

        def terms(r: Any) -> tuple[list[Any], list[Any]]:
            read = builder.gep(image, [builder.load(builder.gep(taps, [r]))])
            parts = [builder.gep(read, [index(v * lanes)]) for v in range(wide)]
            return ([everywhere(m, r) for m in range(rows)],
                    [_load(context, builder, part, vector) for part in parts])  # fmt: skip

        zero = ir.Constant(vector, [0.0] * lanes)
        for m, row in enumerate(_sums(builder, arguments[1], rows, wide, zero, terms)):
            for v, value in enumerate(row):
                place = builder.add(builder.mul(index(m), arguments[7]), index(v * lanes))
                store = builder.store(value, builder.bitcast(builder.gep(out, [place]), vector.as_pointer()))
                store.align = number.get_abi_alignment(context.target_data)
        return context.get_dummy_value()

    return types.void(w, n, x, at, b, y, to, step), generate


def _emit_dots(rows: int, g: Any, step: Any, n: Any, x: Any, a: Any, k: Any, y: Any) -> Any:
    """``y[r rows + o] += sum_f g[o step + f] x[a[r] + f]``: n vectors of f, some taps r from k on."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, index = signature.args, ir.IntType(64)
        number = context.get_value_type(kinds[0].dtype)
        lanes = shape()[0] // (8 if isinstance(number, ir.DoubleType) else 4)
        vector, wide = ir.VectorType(number, lanes), vectors_for(rows)
        gradients = _pointer(context, builder, kinds[0], arguments[0], index(0))
        taps = _pointer(context, builder, kinds[4], arguments[4], arguments[5])
        out = _pointer(context, builder, kinds[6], arguments[6], builder.mul(arguments[5], index(rows)))
        starts = [builder.load(builder.gep(taps, [index(v)])) for v in range(wide)]
        reads = [_pointer(context, builder, kinds[3], arguments[3], start) for start in starts]
        own = [builder.gep(gradients, [builder.mul(index(m), arguments[1])]) for m in range(rows)]

        def terms(i: Any) -> tuple[list[Any], list[Any]]:
            f = builder.mul(i, index(lanes))
            return ([_load(context, builder, builder.gep(p, [f]), vector) for p in own],
                    [_load(context, builder, builder.gep(p, [f]), vector) for p in reads])  # fmt: skip

        zero = ir.Constant(vector, [0.0] * lanes)
        for m, row in enumerate(_sums(builder, arguments[2], rows, wide, zero, terms)):
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
