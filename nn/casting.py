"""How data meets parameters: one place decides which dtype an array is taken in.

A plain array is data, and is taken in the dtype of the parameters that it meets. A Tensor is part
of a computation, so one of another dtype is an error: converting it silently would change the
precision of somebody's graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.node import Box

__all__ = ["taken"]


def taken(x: Any, dtype: np.dtype[Any], who: str, integers: bool = False) -> Any:
    """Return ``x`` in ``dtype``: arrays and numbers are converted, Tensors are held to it.

    Args:
        x: an array, a Tensor, a number or a nested list of numbers; anything else (None, a
            mixed tuple) is returned as it is.
        dtype: a floating dtype.
        who: who asks, for the error.
        integers: leave integers and booleans alone: they are indices and masks.

    Raises:
        TypeError: a Tensor of another dtype, complex data for real parameters, or what NumPy makes no
            array of numbers from.

    >>> taken(np.array([1.0, 2.0]), np.dtype(np.float32), "Linear")
    array([1., 2.], dtype=float32)
    """
    kind = getattr(x, "dtype", None)
    if kind is None:
        if integers or not isinstance(x, (list, tuple, int, float)):
            return x
        return _listed(x, dtype, who)
    if not isinstance(kind, np.dtype):  # another library's array
        x = np.asarray(x)
        kind = x.dtype
    if kind == dtype or (integers and kind.kind not in "fc"):
        return x
    if isinstance(x, Box):
        raise TypeError(message(
            who, f"a Tensor of dtype {kind}", f"{dtype}, as its parameters",
            f"x.astype('{dtype}'), or module.to('{kind}')" if kind.kind in "fc"
            else f"x.astype('{dtype}')"))  # fmt: skip
    try:
        if kind.kind in ("biufO" if dtype.kind == "f" else "biufcO"):
            return x.astype(dtype)
    except (TypeError, ValueError):  # objects that are no numbers
        pass
    raise TypeError(message(who, f"an array of dtype {kind}", f"numbers that {dtype} holds"))


def _listed(x: Any, dtype: np.dtype[Any], who: str) -> Any:
    """Return nested lists as an array; say what else was in them."""
    try:
        return np.asarray(x, dtype)
    except (TypeError, ValueError):
        hint = ""
        if any(isinstance(v, Box) for v in x):
            joined = isinstance(x, list) or all(isinstance(v, Box) for v in x)
            hint = "np.stack, to join Tensors" if joined else "its first item, as of output, state = lstm(x)"
        raise TypeError(message(
            who, f"a {type(x).__name__} of {', '.join(type(v).__name__ for v in x[:4])}",
            "an array, a Tensor or nested lists of numbers, all of one length", hint,
        )) from None  # fmt: skip
