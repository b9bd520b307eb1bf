"""What a call costs, by arithmetic: its kind, its floating-point operations, the bytes that it moves."""

from __future__ import annotations

import operator
import sys
from math import isqrt
from typing import Any

import numpy as np

from .capture import Call, Slot, replaced, slots_of
from .traced import Method, getitem, setitem

__all__ = ["KINDS", "flops_of", "kind_of", "traffic"]

KINDS = ("matrix product", "elementwise", "reduction", "copy", "random numbers", "kernel", "view")
PRODUCTS = {
    np.dot, np.vdot, np.inner, np.outer, np.tensordot, np.einsum, np.linalg.multi_dot, Method("dot"),
}  # fmt: skip
COPYING = {
    np.concatenate,
    np.stack,
    np.copyto,
    np.copy,
    np.astype,
    np.ascontiguousarray,
    np.take,
    np.take_along_axis,
    np.put_along_axis,
    np.pad,
    np.tile,
    np.repeat,
    np.roll,
    np.flip,
    np.zeros_like,
    np.ones_like,
    np.full_like,
    np.empty_like,
    getitem,
    setitem,
}
METHODS = {  # by name
    "reduction": {
        "sum",
        "prod",
        "max",
        "min",
        "mean",
        "std",
        "var",
        "cumsum",
        "cumprod",
        "argmax",
        "argmin",
        "any",
        "all",
        "trace",
    },
    "copy": {"copy", "astype", "take", "repeat", "flatten", "ravel", "reshape", "fill", "put", "choose"},
    "elementwise": {"clip", "round", "conj", "where", "real", "imag"},
}


def kind_of(call: Call) -> str:
    """Say what kind of work a call is: one of :data:`KINDS`."""
    fun = call.fun
    if getattr(call, "calls", None):  # a group of them, which run block by block
        return "elementwise"
    if call.draws:
        return "random numbers"
    if call.outs and not call.writes and all(slot.view for slot in call.outs):
        return "view"
    if isinstance(fun, np.ufunc):
        return "matrix product" if fun.signature else "elementwise"
    if isinstance(getattr(fun, "__self__", None), np.ufunc):
        return "elementwise" if fun.__name__ == "outer" else "reduction"
    if fun in PRODUCTS:
        return "matrix product"
    if fun in COPYING:
        return "copy"
    if fun in (operator.pow, operator.ipow):
        return "elementwise"
    name = fun.__name__
    if (
        type(fun) is Method
        or str(getattr(fun, "__module__", "")).startswith("numpy")
        or getattr(np, name, 0) is fun
    ):
        return next((kind for kind, names in METHODS.items() if name in names), "elementwise")
    return "kernel"


def traffic(call: Call) -> tuple[int, int]:
    """Return the bytes that a call reads, and those that it writes; each array counts once."""
    if kind_of(call) == "view":
        return 0, 0
    written = {
        slot.number: slot for slot in (*call.outs, *call.writes) if not slot.view or slot in call.writes
    }
    reads = {
        slot.number: slot
        for slot in slots_of([call.args, {k: v for k, v in call.params.items() if k != "out"}])
    }
    if call.fun is setitem:
        value = call.args[2]
        part = value.nbytes if type(value) is Slot else 0
        index = call.args[1]
        if index is not Ellipsis:  # what is written is as large as the value, or one element of it
            return part, part or call.args[0].dtype.itemsize
        reads.pop(call.args[0].number, None)
    if call.fun in (getitem, np.take, np.take_along_axis, Method("take")) and call.outs:
        reads.pop(getattr(call.args[0], "number", -1), None)  # only the elements that are taken
        return sum(map(_nbytes, reads.values())) + call.outs[0].nbytes, call.outs[0].nbytes
    return sum(map(_nbytes, reads.values())), sum(map(_nbytes, written.values()))


def _nbytes(slot: Slot) -> int:
    """Return the bytes that an array has in memory: those of one that is broadcast only once."""
    if slot.layout is None:
        return 0
    shape, dtype, strides = slot.layout
    size = dtype.itemsize
    for n, step in zip(shape, strides, strict=True):
        size *= n if step else min(n, 1)
    return int(size)


def flops_of(call: Call) -> int | None:
    """Return how many floating-point operations a call makes; None where that is not known.

    A product of (m, k) and (k, n) has 2mnk, an elementwise function one for each element, a reduction one
    for each element that it reads. A kernel has what its primitive says.
    """
    if parts := getattr(call, "calls", None):
        return sum(flops_of(part) or 0 for part in parts)
    kind = kind_of(call)
    arrays = [s for s in slots_of(call.args) if s.layout]
    out = (
        call.out
        if isinstance(call.out, Slot) and call.out.layout
        else next(iter((*call.outs, *call.writes)), None)
    )
    if kind in ("copy", "view"):
        return 0
    if kind == "matrix product" and out is not None and arrays:
        if call.fun is np.einsum:
            return _stated(call, "autograd_core.ops.products", "einsum")
        if isinstance(call.fun, np.ufunc) or call.fun in (np.dot, np.inner, Method("dot")):
            return 2 * _size(out) * (arrays[0].shape[-1] if arrays[0].shape else 1)
        if len(arrays) == 2:  # all of what is summed over is in both
            return 2 * _size(out) * isqrt(_size(arrays[0]) * _size(arrays[1]) // max(_size(out), 1))
        return None
    if kind == "elementwise":
        return max((_size(s) for s in (*call.outs, *call.writes)), default=0)
    if kind == "reduction":
        return max((_size(s) for s in arrays), default=0)
    if kind == "kernel":
        return _stated(call, str(getattr(call.fun, "__module__", "")))
    return None


def _size(slot: Slot) -> int:
    return int(np.prod(slot.shape, dtype=np.int64))


def _stated(call: Call, module: str, name: str = "") -> int | None:
    """Return what the primitive says whose forward function is called, if there is one that says it."""
    for x in list(vars(sys.modules.get(module, sys)).values()):
        prim = getattr(x, "primitive", None)
        fun = getattr(prim, "fun", None)
        if prim is not None and getattr(prim, "flops", None) and (
            prim.name == name if name else getattr(fun, "__wrapped__", fun) is call.fun
        ):  # fmt: skip
            args, params = replaced([call.args, call.params], Slot, _standin)
            params.pop("out", None)
            if name == "einsum":
                params, args = {"subscripts": args[0]}, args[1:]
            y = _standin(call.out if isinstance(call.out, Slot) else call.outs[0]) if call.outs else None
            try:
                return int(prim.flops(y, *args, **params))
            except (AttributeError, IndexError, TypeError, ValueError, ZeroDivisionError):
                return None
    return None


def _standin(slot: Slot) -> Any:
    """Return an array of a slot's shape that takes no memory."""
    return np.broadcast_to(np.empty((), slot.dtype), slot.shape)
