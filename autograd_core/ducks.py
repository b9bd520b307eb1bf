"""Functions that NumPy does not dispatch, made to ask a duck array first: every reader sees one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["beside", "check", "duck", "kernel", "may"]


def kernel(
    fun: Any, writes: Callable[..., Sequence[Any]] | None = None, out: bool = False, elementwise: bool = False
) -> Any:
    """Mark a call that does not dispatch (a loop, SciPy, numba): every reader sees one call.

    On arrays it is ``fun``; anything else is asked through NumPy's own ``__array_function__``.

    Args:
        writes: ``writes(*args, **params)`` says which of the given arrays it writes into.
        out: it takes ``out=``, an array that it fills and returns; what stood there is never read.
        elementwise: likewise, and it acts on each element, so that a part of the arrays gives that part of
            the result; ``out`` may be one of its arguments.
    """

    def call(*args: Any, **params: Any) -> Any:
        other = duck(args) if not params else duck((*args, *params.values()))
        if other is not None:
            return other.__array_function__(call, (type(other),), args, params)
        return fun(*args, **params)

    call.__name__, call.__qualname__ = fun.__name__, fun.__qualname__
    call.__module__, call.__doc__ = fun.__module__, fun.__doc__
    call.__wrapped__, call.writes = fun, writes  # type: ignore[attr-defined]
    call.takes_out, call.elementwise = out or elementwise, elementwise  # type: ignore[attr-defined]
    return call


@kernel
def check(holds: Any, error: Callable[[str], Exception], text: str) -> None:
    """Raise ``error(text)`` unless all of ``holds`` do: a duck array writes it down, to be made again."""
    if not np.all(holds):
        raise error(text)


@partial(kernel, out=True)
def beside(array: Any, other: Any, out: Any = None) -> Any:
    """Return a copy of an array, into which ``other`` can be written: beside a duck array one of its kind."""
    if out is None:
        return np.array(array)
    np.copyto(out, array)
    return out


def may(condition: Any) -> bool:
    """Tell whether any of ``condition`` holds; of a duck array, whose values are not known, that it may."""
    return duck((condition,)) is not None or bool(condition.any())


PLAIN = {ndarray, float, int, bool, str, type(None), np.float32, np.float64}  # asking each costs 0.1 us


def duck(values: Any) -> Any:
    """Return the first value, also within tuples, that takes NumPy's calls and is no array."""
    for v in values:
        if type(v) is tuple:
            v = duck(v)
        kind = type(v)
        if kind not in PLAIN and hasattr(kind, "__array_function__"):
            if not issubclass(kind, ndarray):  # a subclass would have the function ask again, for ever
                return v
    return None
