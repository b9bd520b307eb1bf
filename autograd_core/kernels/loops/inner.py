"""NumPy's own inner loops, called from compiled ones: the same machine code, hence the same bits.

A ufunc has an inner loop for each combination of types, ``loop(addresses, lengths, steps, data)``; which
instructions it uses was decided when NumPy was imported. NumPy's C interface says where it stands in the
ufunc's structure.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np

from ..twins import instruction

__all__ = ["address", "found", "inner"]


class _Ufunc(ctypes.Structure):
    """The beginning of ``PyUFuncObject``, after what every object begins with."""

    _fields_ = (
        ("nin", ctypes.c_int), ("nout", ctypes.c_int), ("nargs", ctypes.c_int), ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)), ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int), ("reserved", ctypes.c_int), ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_byte)),
    )  # fmt: skip


@cache
def found(fun: Any, types: str) -> tuple[int, int] | None:
    """Return the addresses of a ufunc's inner loop and of its data, for types such as ``"ff->f"``.

    None if there is none, or if the structure is not what it should be.

    >>> import numpy as np
    >>> found(np.tanh, "f->f") is None, found(np.tanh, "f->d") is None
    (False, True)
    """
    if sys.implementation.name != "cpython" or types not in fun.types:
        return None
    ufunc = _Ufunc.from_address(id(fun) + object.__basicsize__)
    i, codes = fun.types.index(types), types.replace("->", "")
    known = ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes
    if known != (fun.nin, fun.nout, fun.nargs, fun.ntypes) or (ufunc.name or b"").decode() != fun.__name__:
        return None
    numbers = [np.dtype(code).num for code in codes]
    if [ufunc.types[i * fun.nargs + k] for k in range(fun.nargs)] != numbers or not ufunc.functions[i]:
        return None
    return ufunc.functions[i], ufunc.data[i] or 0


@instruction
def address(typing: Any, array: Any, i: Any) -> Any:
    """Return the address of ``array[i]``."""
    from llvmlite import ir
    from numba.core.types import int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, i = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        return builder.ptrtoint(builder.gep(data, [i]), ir.IntType(64))

    return int64(array, i), generate


@instruction
def inner(typing: Any, loop: Any, data: Any, addresses: Any, steps: Any, n: Any) -> Any:
    """Run an inner loop on n elements from given addresses, so many bytes apart."""
    from llvmlite import ir
    from numba.core import cgutils
    from numba.core.types import int64, void

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loop, data, addresses, steps, n = arguments
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(64)
        tables = []
        for values in (addresses, steps):
            items = cgutils.unpack_tuple(builder, values)
            table = cgutils.alloca_once(builder, ir.ArrayType(word, len(items)))
            for k, item in enumerate(items):
                builder.store(item, builder.gep(table, [word(0), word(k)]))
            tables.append(table)
        length = cgutils.alloca_once(builder, word)
        builder.store(n, length)
        kinds = [byte.as_pointer(), word.as_pointer(), word.as_pointer(), byte]
        target = builder.inttoptr(loop, ir.FunctionType(ir.VoidType(), kinds).as_pointer())
        places, sizes = builder.bitcast(tables[0], kinds[0]), builder.bitcast(tables[1], kinds[2])
        builder.call(target, [places, length, sizes, builder.inttoptr(data, byte)])
        return context.get_dummy_value()

    return void(int64, int64, addresses, steps, int64), generate
