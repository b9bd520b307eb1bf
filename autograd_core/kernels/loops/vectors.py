"""What a softmax over keys does to one vector of numbers, for rows that are one or two vectors long.

In such rows the vector loops that LLVM makes, four vectors at a time, do not begin: a softmax of 64 x 32
scores took 2.7 us, with these 1.1. Each takes flat arrays of one floating dtype and places in them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .hyperbolic import exponential
from .tile import load, pointer, save, vector_of

__all__ = ["emit_meet", "emit_pull", "emit_rise", "emit_times", "emit_weigh"]


def _on_vectors(places: int, compute: Callable[..., dict[int, Any]], *types: Any) -> Any:
    """Return signature and generator: load a vector of each array, compute, store what ``compute`` returns.

    ``types`` are those of arrays and places, in turn: ``(a, i, b, j)``.
    """
    from numba.core.types import void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, kinds = vector_of(context, signature.args[0]), signature.args
        pointers = [pointer(context, builder, kinds[k], arguments[k], arguments[k + 1])
                    for k in range(0, 2 * places, 2)]  # fmt: skip
        loaded = [load(context, builder, place, vector) for place in pointers]
        for k, value in compute(builder, *loaded).items():
            save(context, builder, value, pointers[k])
        return context.get_dummy_value()

    return void(*types), generate


def emit_rise(top: Any, i: Any, e: Any, j: Any) -> Any:
    """``top[i:] = max(top[i:], e[j:])``, NaN where there was one."""

    def compute(builder: Any, top: Any, e: Any) -> dict[int, Any]:
        more = builder.or_(builder.fcmp_ordered(">", e, top), builder.fcmp_unordered("uno", e, e))
        return {0: builder.select(more, e, top)}

    return _on_vectors(2, compute, top, i, e, j)


def emit_weigh(e: Any, i: Any, less: Any, j: Any, total: Any, k: Any) -> Any:
    """``e[i:] = exp(e[i:] - less[j:])``, and ``total[k:] += e[i:]``."""

    def compute(builder: Any, e: Any, less: Any, total: Any) -> dict[int, Any]:
        e = exponential(builder, builder.fsub(e, less))
        return {0: e, 2: builder.fadd(total, e)}

    return _on_vectors(3, compute, e, i, less, j, total, k)


def emit_meet(e: Any, i: Any, less: Any, j: Any, z: Any, k: Any, total: Any, n: Any) -> Any:
    """``e[i:] = exp(e[i:] - less[j:])``, and ``total[n:] += e[i:] z[k:]``."""

    def compute(builder: Any, e: Any, less: Any, z: Any, total: Any) -> dict[int, Any]:
        e = exponential(builder, builder.fsub(e, less))
        return {0: e, 3: builder.fadd(total, builder.fmul(e, z))}

    return _on_vectors(4, compute, e, i, less, j, z, k, total, n)


def emit_pull(z: Any, i: Any, less: Any, j: Any, e: Any, k: Any) -> Any:
    """``z[i:] = (z[i:] - less[j:]) e[k:]``."""

    def compute(builder: Any, z: Any, less: Any, e: Any) -> dict[int, Any]:
        return {0: builder.fmul(builder.fsub(z, less), e)}

    return _on_vectors(3, compute, z, i, less, j, e, k)


def emit_times(e: Any, i: Any, factors: Any, j: Any) -> Any:
    """``e[i:] *= factors[j:]``."""

    def compute(builder: Any, e: Any, factors: Any) -> dict[int, Any]:
        return {0: builder.fmul(e, factors)}

    return _on_vectors(2, compute, e, i, factors, j)
