"""Sums over rows, as of a bias' gradient: ``np.add.reduce(x, axis=0)`` to the bit, in threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..ducks import kernel
from .loops import columns as loops
from .memory import memory_for
from .twins import twin

__all__ = ["column_sums"]


@partial(kernel, out=True)
def column_sums(x: Any, out: Any = None) -> Any:
    """Return the sums of the columns of (R, n), in C order."""
    out = memory_for(out, x.shape[1:], x.dtype)
    _sums(x, out)
    return out


@twin(loops.sums)
def _sums(x: Any, out: Any) -> None:
    np.add.reduce(x, axis=0, out=out)
