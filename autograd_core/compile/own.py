"""Kernels that may return one of their arguments, or a view of one: a replay could not tell which."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["Own", "shows"]


def shows(y: Any, arrays: Any) -> bool:
    """Tell whether an array is one of others, or a view of one."""
    return type(y) is ndarray and any(type(x) is ndarray and np.may_share_memory(x, y) for x in arrays)


class Own:
    """A kernel that returned what came, or a view of it: of that a copy, as the next may be another."""

    def __init__(self, fun: Any) -> None:
        self.fun, self.__name__ = fun, fun.__name__

    def __call__(self, *args: Any, **params: Any) -> Any:
        y = self.fun(*args, **params)
        return y.copy() if shows(y, args) else y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and other.fun == self.fun

    def __hash__(self) -> int:
        return hash(self.fun)
