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
        TypeError: a Tensor of another dtype.

    >>> taken(np.array([1.0, 2.0]), np.dtype(np.float32), "Linear")
    array([1., 2.], dtype=float32)
    """
    kind = getattr(x, "dtype", None)
    if kind is None:
        if integers or not isinstance(x, (list, tuple, int, float)):
            return x
        return np.asarray(x, dtype)
    if kind == dtype or (integers and kind.kind not in "fc"):
        return x
    if isinstance(x, Box):
        raise TypeError(message(
            who, f"a Tensor of dtype {kind}", f"{dtype}, as its parameters",
            f"x.astype('{dtype}'), or module.to('{kind}')" if kind.kind in "fc"
            else f"x.astype('{dtype}')"))  # fmt: skip
    return x.astype(dtype)
