"""Large arrays that come and go with every training step."""

from __future__ import annotations

from functools import cache
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

__all__ = ["pieces", "scratch"]


def scratch(n: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Return a vector that is not initialised.

    >>> scratch(3, np.float32).shape
    (3,)
    """
    _keep_what_is_freed()
    return np.empty(n, dtype)


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
