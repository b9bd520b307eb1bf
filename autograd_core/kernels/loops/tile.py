"""The tile: a few rows of a matrix product, held in registers while the sum runs.

    t[m, o] = sum_r x[a[m] + b[r]] w[r, o]        m < height, o < width

The left factor need not exist: its entry (m, r) is the number at a place a[m] + b[r] of x. With a the places
of a kernel in an image and b its taps, the rows are patches; with a the taps and b the places, they are the
patches' transpose. This is the loop that blocked matrix products end in (Goto and van de Geijn, "Anatomy of
high-performance matrix multiplication", 2008) without the copy before it. 135 to 150 GFLOP/s in float32 on a
core on which OpenBLAS has 115.
"""

from __future__ import annotations

from functools import cache
from typing import Any

CONTRACT = ("contract",)  # one instruction multiplies and adds

__all__ = ["emit", "emit_put", "emit_turn", "shape"]


@cache
def shape() -> tuple[int, int]:
    """Return the bytes of a vector and the height of a tile that fill this processor's registers."""
    from llvmlite import binding

    return (64, 8) if binding.get_host_cpu_features().get("avx512f") else (32, 4)


def emit(
    vectors: int, x: Any, offset: Any, a: Any, i: Any, b: Any, j: Any, n: Any, w: Any, at: Any, t: Any
) -> Any:
    """Return numba's signature and code generator of a tile that is so many vectors wide.

    In compiled code it is called with flat arrays x, w and t of one floating dtype, tables a and b of int64,
    and integers: the tile's x begins at ``offset``, its a at i, its b at j with n entries, its w at ``at``.
    The result is transposed, ``t[o * height + m]``.
    """
    from llvmlite import ir
    from numba.core import types

    signature = types.void(x, offset, a, i, b, j, n, w, at, t)
    size, height = shape()

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(k: int, places: Any) -> Any:
            array = context.make_array(signature.args[k])(context, builder, arguments[k])
            return builder.gep(array.data, [places])

        number = context.get_value_type(signature.args[0].dtype)
        lanes = size // (8 if isinstance(number, ir.DoubleType) else 4)
        vector, index = ir.VectorType(number, lanes), ir.IntType(64)
        first = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        blank = ir.Constant(vector, ir.Undefined)
        start, places = pointer(0, arguments[1]), pointer(2, arguments[3])
        taps, weights, out = pointer(4, arguments[5]), pointer(7, arguments[8]), pointer(9, index(0))
        rows = [builder.gep(start, [builder.load(builder.gep(places, [index(m)]))]) for m in range(height)]

        before, body = builder.block, builder.append_basic_block("sum")
        after = builder.append_basic_block("store")
        builder.branch(body)
        builder.position_at_end(body)
        r = builder.phi(index)
        r.add_incoming(index(0), before)
        sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(height)]
        for row in sums:
            for s in row:
                s.add_incoming(ir.Constant(vector, [0.0] * lanes), before)
        tap = builder.load(builder.gep(taps, [r]))
        factors = []
        for v in range(vectors):
            place = builder.add(builder.mul(r, index(vectors * lanes)), index(v * lanes))
            factor = builder.load(builder.bitcast(builder.gep(weights, [place]), vector.as_pointer()))
            factor.align = number.get_abi_alignment(context.target_data)
            factors.append(factor)
        later = []
        for m in range(height):
            one = builder.insert_element(blank, builder.load(builder.gep(rows[m], [tap])), ir.IntType(32)(0))
            all_lanes = builder.shuffle_vector(one, blank, first)
            products = [builder.fmul(all_lanes, factor, flags=CONTRACT) for factor in factors]
            later.append([builder.fadd(p, s, flags=CONTRACT) for p, s in zip(products, sums[m])])
        following = builder.add(r, index(1))
        r.add_incoming(following, body)
        for row, new in zip(sums, later):
            for s, value in zip(row, new):
                s.add_incoming(value, body)
        builder.cbranch(builder.icmp_signed("<", following, arguments[6]), body, after)

        builder.position_at_end(after)
        columns = [value for v in range(vectors) for value in _turned(builder, [row[v] for row in later])]
        for k, value in enumerate(columns):
            place = builder.gep(out, [index(k * lanes)])
            store = builder.store(value, builder.bitcast(place, vector.as_pointer()))
            store.align = number.get_abi_alignment(context.target_data)
        return context.get_dummy_value()

    return signature, generate


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Return the transpose of a matrix, as vectors of the same length: row-major, cut into vectors.

    ``rows`` are 2^k vectors. To interleave the first half of the elements with the second moves the topmost
    bit of an element's number to the bottom; k times, and the bits of the row stand below those of the
    column.
    """
    from llvmlite import ir

    n, lanes = len(rows), rows[0].type.count
    halves = []
    for first in (0, lanes // 2):
        order = [place for c in range(first, first + lanes // 2) for place in (c, c + lanes)]
        halves.append(ir.Constant(ir.VectorType(ir.IntType(32), lanes), order))
    for _ in range(n.bit_length() - 1):
        pairs = list(zip(rows[: n // 2], rows[n // 2 :]))
        rows = [builder.shuffle_vector(a, b, half) for a, b in pairs for half in halves]
    return rows


def emit_turn(g: Any, start: Any, step: Any, rows: Any, out: Any, at: Any, width: Any) -> Any:
    """Return signature and generator: copy some rows that are ``step`` apart as columns.

    ``out[at + i * width + k] = g[start + k * step + i]`` for i and k below the number of lanes of a vector.
    Beyond the number of rows the last one is repeated.
    """
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_value_type(signature.args[0].dtype)
        lanes = shape()[0] // (8 if isinstance(number, ir.DoubleType) else 4)
        vector, index = ir.VectorType(number, lanes), ir.IntType(64)
        align = number.get_abi_alignment(context.target_data)
        source = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        target = context.make_array(signature.args[4])(context, builder, arguments[4]).data
        loaded = []
        for k in range(lanes):
            there = builder.icmp_signed("<", index(k), arguments[3])
            row = builder.select(there, index(k), builder.sub(arguments[3], index(1)))
            place = builder.add(arguments[1], builder.mul(arguments[2], row))
            row = builder.load(builder.bitcast(builder.gep(source, [place]), vector.as_pointer()))
            row.align = align
            loaded.append(row)
        for i, row in enumerate(_turned(builder, loaded)):
            place = builder.add(arguments[5], builder.mul(arguments[6], index(i)))
            store = builder.store(row, builder.bitcast(builder.gep(target, [place]), vector.as_pointer()))
            store.align = align
        return context.get_dummy_value()

    return types.void(g, start, step, rows, out, at, width), generate


def emit_put(t: Any, start: Any, more: Any, y: Any, at: Any) -> Any:
    """Return signature and generator: ``y[at + m] = t[start + m] + more`` for all m below a tile's height."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, height = context.get_value_type(signature.args[0].dtype), shape()[1]
        vector = ir.VectorType(number, height)
        align = number.get_abi_alignment(context.target_data)
        source = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        target = context.make_array(signature.args[3])(context, builder, arguments[3]).data
        blank, none = ir.Constant(vector, ir.Undefined), ir.IntType(32)(0)
        one = builder.insert_element(blank, arguments[2], none)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), height), [0] * height)
        row = builder.load(builder.bitcast(builder.gep(source, [arguments[1]]), vector.as_pointer()))
        row.align = align
        row = builder.fadd(row, builder.shuffle_vector(one, blank, everywhere))
        store = builder.store(row, builder.bitcast(builder.gep(target, [arguments[4]]), vector.as_pointer()))
        store.align = align
        return context.get_dummy_value()

    return types.void(t, start, more, y, at), generate
