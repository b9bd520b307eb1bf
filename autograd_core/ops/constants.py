"""What has no derivative, or a zero one: NumPy functions that leave the graph, by name."""

from __future__ import annotations

import numpy as np

from ..primitive import constant

__all__ = [
    "all", "allclose", "any", "argmax", "argmin", "argpartition", "argsort", "argwhere",
    "array2string", "array_equal", "array_equiv", "array_repr", "array_str", "bitwise_and",
    "bitwise_or", "bitwise_xor", "can_cast", "ceil", "common_type", "count_nonzero", "digitize",
    "empty_like", "equal", "fix", "flatnonzero", "floor", "floor_divide", "full_like", "greater",
    "greater_equal", "invert", "isclose", "iscomplex", "iscomplexobj", "isfinite",
    "isinf", "isnan", "isneginf", "isposinf", "isreal", "isrealobj", "less", "less_equal",
    "lexsort", "logical_and", "logical_not", "logical_or", "logical_xor", "may_share_memory",
    "min_scalar_type", "nanargmax", "nanargmin", "ndim", "nonzero", "not_equal", "ones_like",
    "result_type", "rint", "round", "searchsorted", "shape", "shares_memory", "sign", "signbit",
    "size", "trunc", "zeros_like",
]  # fmt: skip

greater, greater_equal = constant(np.greater), constant(np.greater_equal)
less, less_equal = constant(np.less), constant(np.less_equal)
equal, not_equal = constant(np.equal), constant(np.not_equal)
logical_and, logical_or = constant(np.logical_and), constant(np.logical_or)
logical_not, logical_xor = constant(np.logical_not), constant(np.logical_xor)
bitwise_and, bitwise_or = constant(np.bitwise_and), constant(np.bitwise_or)
bitwise_xor, invert = constant(np.bitwise_xor), constant(np.invert)
isnan, isinf, isfinite = constant(np.isnan), constant(np.isinf), constant(np.isfinite)
isclose, allclose = constant(np.isclose), constant(np.allclose)
array_equal, array_equiv = constant(np.array_equal), constant(np.array_equiv)

sign, signbit = constant(np.sign), constant(np.signbit)
floor, ceil, trunc, rint = constant(np.floor), constant(np.ceil), constant(np.trunc), constant(np.rint)
fix = constant(np.fix) if hasattr(np, "fix") else trunc
round = constant(np.round, np.around)
floor_divide = constant(np.floor_divide)

argmax, argmin, argsort = constant(np.argmax), constant(np.argmin), constant(np.argsort)
nanargmax, nanargmin = constant(np.nanargmax), constant(np.nanargmin)
argpartition, argwhere = constant(np.argpartition), constant(np.argwhere)
nonzero, flatnonzero = constant(np.nonzero), constant(np.flatnonzero)
count_nonzero, searchsorted = constant(np.count_nonzero), constant(np.searchsorted)
digitize, lexsort = constant(np.digitize), constant(np.lexsort)
any, all = constant(np.any), constant(np.all)

shape, ndim, size = constant(np.shape), constant(np.ndim), constant(np.size)
zeros_like, ones_like = constant(np.zeros_like), constant(np.ones_like)
empty_like, full_like = constant(np.empty_like), constant(np.full_like)
result_type, can_cast = constant(np.result_type), constant(np.can_cast)
shares_memory, may_share_memory = constant(np.shares_memory), constant(np.may_share_memory)
iscomplexobj, isrealobj = constant(np.iscomplexobj), constant(np.isrealobj)
iscomplex, isreal = constant(np.iscomplex), constant(np.isreal)
isneginf, isposinf = constant(np.isneginf), constant(np.isposinf)
common_type, min_scalar_type = constant(np.common_type), constant(np.min_scalar_type)
array_repr, array_str, array2string = (
    constant(np.array_repr), constant(np.array_str), constant(np.array2string))  # fmt: skip
