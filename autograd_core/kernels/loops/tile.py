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

__all__ = [
    "emit", "emit_put", "emit_rows", "emit_turn", "everywhere", "load", "pointer", "save", "shape", "sums",
    "vector_of",
]  # fmt: skip


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

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, offset, a, i, b, j, n, w, at, t = arguments
        index, kinds = ir.IntType(64), signature.args
        taps = pointer(context, builder, kinds[4], b, j)
        weights = pointer(context, builder, kinds[7], w, at)
        image = pointer(context, builder, kinds[0], x, offset)
        places = pointer(context, builder, kinds[2], a, i)
        found = _rows(context, builder, kinds[0], vectors, image, places, taps, weights, n)
        out, lanes = pointer(context, builder, kinds[9], t, index(0)), found[0][0].type.count
        columns = [value for v in range(vectors) for value in _turned(builder, [row[v] for row in found])]
        for k, value in enumerate(columns):
            save(context, builder, value, builder.gep(out, [index(k * lanes)]))
        return context.get_dummy_value()

    return types.void(x, offset, a, i, b, j, n, w, at, t), generate


def emit_rows(
    vectors: int, x: Any, offset: Any, a: Any, i: Any, b: Any, n: Any, w: Any, at: Any, y: Any, to: Any,
    step: Any,
) -> Any:  # fmt: skip
    """Return signature and generator of a tile whose rows stand ``step`` apart: ``y[to + m step + o]``."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, offset, a, i, b, n, w, at, y, to, step = arguments
        index, kinds = ir.IntType(64), signature.args
        taps = pointer(context, builder, kinds[4], b, index(0))
        weights = pointer(context, builder, kinds[6], w, at)
        image = pointer(context, builder, kinds[0], x, offset)
        places = pointer(context, builder, kinds[2], a, i)
        out = pointer(context, builder, kinds[8], y, to)
        for m, row in enumerate(_rows(context, builder, kinds[0], vectors, image, places, taps, weights, n)):
            for v, value in enumerate(row):
                place = builder.add(builder.mul(index(m), step), index(v * value.type.count))
                save(context, builder, value, builder.gep(out, [place]))
        return context.get_dummy_value()

    return types.void(x, offset, a, i, b, n, w, at, y, to, step), generate


def _rows(
    context: Any, builder: Any, kind: Any, vectors: int, image: Any, places: Any, taps: Any, weights: Any,
    n: Any,
) -> list[list[Any]]:  # fmt: skip
    """Return the vectors of a tile's rows, given pointers to what they read."""
    from llvmlite import ir

    vector, index = vector_of(context, kind), ir.IntType(64)
    rows = [builder.gep(image, [builder.load(builder.gep(places, [index(m)]))]) for m in range(shape()[1])]

    def terms(r: Any) -> tuple[list[Any], list[Any]]:
        tap, at = builder.load(builder.gep(taps, [r])), builder.mul(r, index(vectors * vector.count))
        factors = [builder.gep(weights, [builder.add(at, index(v * vector.count))]) for v in range(vectors)]
        return ([everywhere(builder, builder.load(builder.gep(row, [tap])), vector) for row in rows],
                [load(context, builder, factor, vector) for factor in factors])  # fmt: skip

    return sums(builder, n, len(rows), vectors, vector, terms)


# -- parts of instructions ---------------------------------------------------------------------------------


def vector_of(context: Any, kind: Any) -> Any:
    """Return the type of a vector of an array's numbers."""
    from llvmlite import ir

    number = context.get_value_type(kind.dtype)
    return ir.VectorType(number, shape()[0] // (8 if isinstance(number, ir.DoubleType) else 4))


def pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """Return the address of a place in an array of numba's type ``kind``."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def load(context: Any, builder: Any, place: Any, vector: Any) -> Any:
    """Load a vector, wherever it begins."""
    value = builder.load(builder.bitcast(place, vector.as_pointer()))
    value.align = vector.element.get_abi_alignment(context.target_data)
    return value


def save(context: Any, builder: Any, value: Any, place: Any) -> None:
    """Store a vector, wherever it begins."""
    store = builder.store(value, builder.bitcast(place, value.type.as_pointer()))
    store.align = value.type.element.get_abi_alignment(context.target_data)


def everywhere(builder: Any, number: Any, vector: Any) -> Any:
    """Return a vector of one number."""
    from llvmlite import ir

    blank, first = ir.Constant(vector, ir.Undefined), ir.VectorType(ir.IntType(32), vector.count)
    one = builder.insert_element(blank, number, ir.IntType(32)(0))
    return builder.shuffle_vector(one, blank, ir.Constant(first, [0] * vector.count))


def sums(builder: Any, count: Any, many: int, wide: int, vector: Any, terms: Any) -> list[list[Any]]:
    """Return ``sum_i a_m(i) b_v(i)`` for all m < many, v < wide; ``terms(i)`` gives the factors a and b."""
    from llvmlite import ir

    index, zero = ir.IntType(64), ir.Constant(vector, [0.0] * vector.count)
    before, body = builder.block, builder.append_basic_block("sum")
    after = builder.append_basic_block("store")
    builder.branch(body)
    builder.position_at_end(body)
    i = builder.phi(index)
    i.add_incoming(index(0), before)
    found = [[builder.phi(vector) for _ in range(wide)] for _ in range(many)]
    a, b = terms(i)
    later = [[builder.fadd(builder.fmul(x, y, flags=CONTRACT), s, flags=CONTRACT) for y, s in zip(b, row)]
             for x, row in zip(a, found)]  # fmt: skip
    following = builder.add(i, index(1))
    i.add_incoming(following, body)
    for row, new in zip(found, later):
        for s, value in zip(row, new):
            s.add_incoming(zero, before)
            s.add_incoming(value, body)
    builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    builder.position_at_end(after)
    return later


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
        vector, index, kinds = vector_of(context, signature.args[0]), ir.IntType(64), signature.args
        loaded = []
        for k in range(vector.count):
            there = builder.icmp_signed("<", index(k), arguments[3])
            row = builder.select(there, index(k), builder.sub(arguments[3], index(1)))
            place = builder.add(arguments[1], builder.mul(arguments[2], row))
            place = pointer(context, builder, kinds[0], arguments[0], place)
            loaded.append(load(context, builder, place, vector))
        for i, row in enumerate(_turned(builder, loaded)):
            place = builder.add(arguments[5], builder.mul(arguments[6], index(i)))
            save(context, builder, row, pointer(context, builder, kinds[4], arguments[4], place))
        return context.get_dummy_value()

    return types.void(g, start, step, rows, out, at, width), generate


def emit_put(t: Any, start: Any, more: Any, y: Any, at: Any) -> Any:
    """Return signature and generator: ``y[at + m] = t[start + m] + more`` for all m below a tile's height."""
    from llvmlite import ir
    from numba.core import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        vector = ir.VectorType(context.get_value_type(kinds[0].dtype), shape()[1])
        row = load(context, builder, pointer(context, builder, kinds[0], arguments[0], arguments[1]), vector)
        row = builder.fadd(row, everywhere(builder, arguments[2], vector))
        save(context, builder, row, pointer(context, builder, kinds[3], arguments[3], arguments[4]))
        return context.get_dummy_value()

    return types.void(t, start, more, y, at), generate
