"""Memory of what kernels return, and of large arrays that come and go with every training step."""

from __future__ import annotations

from functools import cache
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

__all__ = ["memory_for", "pieces", "scratch", "zeros_in"]


def scratch(n: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Return a vector that is not initialised.

    >>> scratch(3, np.float32).shape
    (3,)
    """
    _keep_what_is_freed()
    return np.empty(n, dtype)


def memory_for(out: Any, shape: Any, dtype: Any) -> Any:
    """Return ``out``, in which anything may stand, or, if it is None, an array that is not initialised.

    >>> y = np.ones(3)
    >>> memory_for(y, (3,), float) is y, memory_for(None, (3,), float).shape
    (True, (3,))
    """
    return np.empty(shape, dtype) if out is None else out


def zeros_in(out: Any, shape: Any, dtype: Any) -> Any:
    """Return ``out`` filled with zeros, or, if it is None, a new array of them.

    >>> zeros_in(np.ones(2), (2,), float), zeros_in(None, (1,), float)
    (array([0., 0.]), array([0.]))
    """
    if out is None:
        return np.zeros(shape, dtype)
    out[...] = 0
    return out


def pieces(flat: Any, *shapes: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the parts of a vector that have these shapes, one after the other, as views.

    >>> [part.shape for part in pieces(np.zeros(7), (2, 3), (1,))]
    [(2, 3), (1,)]
    """
    ends = accumulate(map(prod, shapes), initial=0)
    return tuple([flat[a:b].reshape(shape) for (a, b), shape in zip(pairwise(ends), shapes, strict=True)])


@cache
def _keep_what_is_freed() -> None:
    """Let glibc keep up to 64 MiB of freed memory for what comes next.

    Otherwise it hands memory back to the system and gets it again, page by page, in every step: it keeps
    twice the size of the largest block that was freed so far, if that was at most 32 MiB. So one of 31 MiB is
    freed, which nobody has touched. A training step of an LSTM, 50 x 32 x 128: no page faults, not 2,900.
    """
    np.empty(31 << 20, np.uint8)
