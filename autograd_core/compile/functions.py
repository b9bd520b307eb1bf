"""What must be known of NumPy's functions and methods to write down a call of one.

A call can be made again in a replay if the shapes of its results do not depend on values, and if every array
that it writes into is known. Most functions say so by the names of their arguments: ``out`` is written into,
``axis`` and ``reps`` must be plain numbers.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np

from ..errors import CompileError
from .traced import Traced

__all__ = ["KNOWN", "SHAPED_IN_USE", "Fixed", "array_of", "has_traced", "in_order", "objection", "shape_of",
           "writes_of"]

# They dispatch, and ask for what is known without values.
KNOWN = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type,
    np.iscomplexobj, np.isrealobj, np.may_share_memory, np.shares_memory,
}  # fmt: skip
WRITERS = {  # they write into their first argument
    np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis,
}  # fmt: skip
SHAPED_BY_VALUES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_all, np.unique_counts, np.unique_inverse,
    np.unique_values, np.extract, np.trim_zeros, np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d,
    np.roots, np.polydiv,
}  # fmt: skip
SHAPING = {  # arguments that say a shape: of a traced one, the value would be taken once and for all
    "N", "axes", "axis", "axis1", "axis2", "destination", "indices_or_sections", "k", "minlength", "n",
    "new_shape", "newshape", "num", "obj", "offset", "pad_width", "repeats", "reps", "s", "shape", "source",
    "window_shape",
}  # fmt: skip
SHAPING_METHODS = {"byteswap", "reshape", "resize", "squeeze", "swapaxes", "transpose", "view"}
SHAPED_IN_USE = {np.bincount, np.linalg.lstsq}  # by values, but seldom: their shapes are checked
IN_C = {  # the arguments of functions in C: NumPy itself tells them only from 2.4 on
    np.bincount: "x weights minlength",
    np.busday_count: "begindates enddates weekmask holidays busdaycal out",
    np.busday_offset: "dates offsets roll weekmask holidays busdaycal out",
    np.concatenate: "arrays axis out",
    np.dot: "a b out",
    np.empty_like: "prototype dtype order subok shape",
    np.is_busday: "dates weekmask holidays busdaycal out",
    np.lexsort: "keys axis",
    np.packbits: "a axis bitorder",
    np.unpackbits: "a axis count bitorder",
    np.unravel_index: "indices shape order",
}
FILES = {np.save, np.savez, np.savetxt, np.savez_compressed}
BINS = {np.histogram, np.histogram_bin_edges, np.histogram2d, np.histogramdd}


def has_traced(x: Any) -> bool:
    """Tell whether a duck array is in nested arguments."""
    if type(x) in (tuple, list):
        return any(map(has_traced, x))
    if type(x) is dict:
        return any(map(has_traced, x.values()))
    return type(x) is Traced or (type(x) is slice and has_traced((x.start, x.stop, x.step)))


def array_of(x: Any) -> Any:
    """Return the array that a duck array stands for."""
    return x._value


@cache
def _names(function: Any) -> list[str]:
    if function in IN_C:
        return IN_C[function].split()
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]


def _described(function: Any) -> list[str]:
    """Return the names of the positional arguments, of a method those of the function of that name."""
    name = getattr(function, "method", None)
    return _names(function if name is None else getattr(np, name, None))


def in_order(function: Any, args: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return arguments in which ``out``, and what follows it, are named."""
    names = _described(function)
    if "out" in names and len(args) > (first := names.index("out")):
        return args[:first], {**dict(zip(names[first:], args[first:])), **params}
    return args, params


def by_name(function: Any, args: tuple[Any, ...], params: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by their names, as far as these are known."""
    return {**dict(zip(_described(function), args)), **params}


def objection(function: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[str, str] | None:
    """Say why a call could not be made again, and what to try; None if it could."""
    values = "the shape of its result depends on values"
    named = by_name(function, args, params)
    if function in SHAPED_BY_VALUES or (function is np.where and len(args) + len(params) == 1):
        return values, "a mask that is multiplied with, or np.where(condition, x, y)"
    if function in (np.compress, np.extract) and has_traced(named.get("condition")):
        return values, "np.where(condition, x, y)"
    if function is np.bincount and not named.get("minlength"):
        return values, "minlength="
    if function in BINS and type(named.get("bins")) is str:
        return values, "a number of bins"
    if function is np.ix_ and any(has_traced(x) and x.dtype == np.bool for x in args):
        return values, "np.where"
    if getattr(function, "method", "") in SHAPING_METHODS and has_traced(args[1:]):
        return values, "a plain number, or .shape"
    if wrong := [name for name in named.keys() & SHAPING if has_traced(named[name])]:
        return f"{values}: of {wrong[0]}", "a plain number, or .shape"
    if function in FILES:
        return "it writes a file", "to return the array from the step, and save it there"
    return None


def writes_of(function: Any, args: tuple[Any, ...], params: dict[str, Any]) -> list[Any]:
    """Return what a call writes into."""
    named = by_name(function, args, params)
    out = params.get("out")
    written = [x for x in (out if isinstance(out, tuple) else (out,)) if x is not None]
    if function in WRITERS:
        written += args[:1] or [params[name] for name in ("dst", "a", "arr") if name in params]
    if named.get("overwrite_input") or (function is np.nan_to_num and not named.get("copy", True)):
        written += args[:1] or [named[name] for name in ("a", "x") if name in named]
    if getattr(function, "method", "") == "byteswap" and (args[1:2] == (True,) or params.get("inplace")):
        written += args[:1]
    return written


def shape_of(result: Any) -> Any:
    return tuple(map(shape_of, result)) if isinstance(result, tuple) else np.shape(result)


class Fixed:
    """A function whose results must have the shapes that they had when the step was captured."""

    __slots__ = ("__name__", "fun", "shape")

    def __init__(self, fun: Any, shape: Any) -> None:
        self.fun, self.shape, self.__name__ = fun, shape, fun.__name__

    def __call__(self, *args: Any, **params: Any) -> Any:
        result = self.fun(*args, **params)
        if shape_of(result) != self.shape:
            raise CompileError(f"[{self.__name__}] got a result of shape {shape_of(result)}, expected "
                               f"{self.shape}, as when the step was captured; try fallback=True")  # fmt: skip
        return result

    def __eq__(self, other: Any) -> bool:
        return type(other) is Fixed and (self.fun, self.shape) == (other.fun, other.shape)

    def __hash__(self) -> int:
        return hash((self.fun, self.shape))
