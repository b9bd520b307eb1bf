"""Labels as rows of zeros with a one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from ..functional import one_hot as _one_hot
from ..settings import is_whole

__all__ = ["one_hot"]


def one_hot(labels: Any, num_classes: int | None = None, dtype: Any = np.float32) -> ndarray[Any, Any]:
    """Return labels as rows of zeros with a 1 at the class: (...) to (..., num_classes).

    ``nn.functional.one_hot`` gives the same as integers, as PyTorch does; this is what squared error is
    taken from.

    Args:
        labels: integers of any shape, from 0.
        num_classes: how many classes there are; the largest label plus one by default.
        dtype: of the result.

    Raises:
        ValueError: the labels are not integers, or there are none and num_classes is not given.
        IndexError: a label is not one of 0 ... num_classes - 1.

    >>> from autograd_core import nn
    >>> nn.data.one_hot([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    t = np.asarray(labels)
    if num_classes is None:
        if t.size == 0:
            raise ValueError(message("one_hot", "no labels", "some", "num_classes="))
    elif not is_whole(num_classes) or num_classes < 1:
        raise ValueError(message("one_hot", f"num_classes={num_classes!r}", "a positive integer"))
    if t.size == 0:
        t = t.astype(np.int64)
    rows = _one_hot(t, -1 if num_classes is None else int(num_classes))
    return np.asarray(rows, dtype)
