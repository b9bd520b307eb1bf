"""Reading elements out of an array, and its adjoint: adding pieces into a zero array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..node import strip
from ..primitive import Operation, composite, duck, kernel, linear

__all__ = [
    "getitem", "scatter", "sort", "take", "take_along_axis",
]  # fmt: skip


def is_basic(index: Any) -> bool:
    """Tell whether ``index`` makes a view (slices, numbers, None, ...): no element twice."""
    items = index if isinstance(index, tuple) else (index,)
    return all(
        i is None or i is Ellipsis or isinstance(i, (slice, int, np.integer))
        and not isinstance(i, (bool, np.bool)) for i in items
    )  # fmt: skip


def _take_index(x: Any, *, index: Any) -> Any:
    return x[index]


def _add_into(out: Any, g: Any, *, index: Any) -> bool:
    if is_basic(index):
        out[index] += g
    elif duck((index,)) is not None:
        return False  # an index whose value is not known yet
    else:
        np.add.at(out, index, g)
    return True


@kernel
def _add_at(g: Any, *, index: Any, shape: Any) -> Any:
    out = np.zeros(shape, g.dtype)
    _add_into(out, g, index=index)
    return out


_getitem: Operation = linear(
    _take_index, lambda g, y, x, *, index: scatter(g, index=index, shape=x.shape),
    name="getitem", view=True, adds=_add_into, doc="Elements x[index].",
)  # fmt: skip
scatter: Operation = linear(
    _add_at, lambda g, y, x, *, index, shape: _getitem(g, index=index), name="scatter",
    doc="A zero array of ``shape`` with x added at ``index``: the adjoint of x[index].",
)  # fmt: skip


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``, with every form of index that NumPy knows.

    The gradient is zero but for the elements that were read; one read twice gets both shares.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sum(x[np.array([0, 0, 2])]))(np.ones(3))
    array([2., 0., 1.])
    """
    return _getitem(x, index=strip(index))


def _index(indices: Any) -> Any:
    indices = strip(indices)
    return indices if hasattr(indices, "shape") else np.asarray(indices)


@composite(np.take)
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """Return the elements at ``indices`` along ``axis`` (of the flattened array by default)."""
    indices = _index(indices)
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = normalize_axis_index(axis, x.ndim)
    if mode == "wrap":
        indices = indices % x.shape[axis]
    elif mode == "clip":
        indices = np.clip(indices, 0, x.shape[axis] - 1)
    elif mode != "raise":
        raise ValueError(f"[take] got mode={mode!r}, expected 'raise', 'wrap' or 'clip'")
    return _getitem(x, index=(slice(None),) * axis + (indices,))


@composite(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """Return ``x[..., indices[i], ...]`` matched position by position along ``axis``."""
    indices = _index(indices)
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = normalize_axis_index(axis, x.ndim)
    if indices.ndim != x.ndim:
        raise ValueError(f"[take_along_axis] got indices of {indices.ndim} axes, expected {x.ndim}")
    index = [
        indices if i == axis else np.arange(n).reshape([-1 if j == i else 1 for j in range(x.ndim)])
        for i, n in enumerate(x.shape)
    ]
    return _getitem(x, index=tuple(index))


@composite(np.sort)
def sort(x: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Return ``x`` in ascending order along ``axis``: the gradient goes back to each one's place."""
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    return take_along_axis(x, np.argsort(strip(x), axis=axis, kind=kind or "stable"), axis)
