"""Reading elements out of an array, and its adjoint: adding pieces into a zero array."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import normalize_axis_index

from ..kernels.indexing import add_rows
from ..kernels.memory import zeros_in
from ..node import strip
from ..primitive import Operation, composite, duck, kernel, linear

__all__ = [
    "getitem", "scatter", "sort", "take", "take_along_axis",
]  # fmt: skip

FEW = 256  # elements from which on _add_rows pays


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
    elif type(out) is not ndarray:
        _add_as_one(out, g, index)
    elif duck((index,)) is not None:
        return False  # an index whose value is not known yet
    elif g.size <= FEW or not _add_rows(out, g, index if type(index) is tuple else (index,)):
        np.add.at(out, index, g)
    return True


def _add(out: Any, g: Any, index: Any) -> None:
    _add_into(out, g, index=index)


# For a duck array: one call, which adds in the order in which it is added eagerly, hence the same bits.
_add_as_one = kernel(_add, writes=lambda out, g, index: (out,))


def _add_rows(out: Any, g: Any, index: tuple[Any, ...]) -> bool:
    """Add rows at places that integers along the first axes give: are they, and was it done?

    1e6 elements, each at a place of its own: 4 ms, and 13 by ``np.add.at`` along two axes.
    """
    n = len(index)
    if not all(type(i) is ndarray and i.dtype.kind in "iu" for i in index):
        return False
    rest = out.shape[n:]
    if g.shape != np.broadcast_shapes(*[i.shape for i in index]) + rest or not out.flags.c_contiguous:
        return False
    if any(i.min() < -m or i.max() >= m for i, m in zip(index, out.shape, strict=False)):
        return False  # np.add.at says what is wrong
    places = index[0].astype(np.intp, copy=False)
    if n > 1:
        places = np.ravel_multi_index(index, out.shape[:n], mode="wrap")  # -1 is the last
    row = prod(rest)
    pieces = np.ascontiguousarray(g, out.dtype).reshape(-1, row)
    add_rows(out.reshape(-1, row), pieces, np.ascontiguousarray(places).reshape(-1))
    return True


def _add_at(g: Any, *, index: Any, shape: Any, out: Any = None) -> Any:
    out = zeros_in(out, shape, g.dtype)
    _add_into(out, g, index=index)
    return out


_getitem: Operation = linear(
    _take_index, lambda g, y, x, *, index: scatter(g, index=index, shape=x.shape),
    name="getitem", view=True, adds=_add_into, doc="Elements x[index].",
)  # fmt: skip
scatter: Operation = linear(
    kernel(_add_at, out=True), lambda g, y, x, *, index, shape: _getitem(g, index=index), name="scatter",
    doc="""A zero array of ``shape`` with x added at ``index``: the adjoint of x[index].

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda g: ag.scatter(g, index=[2, 0, 0], shape=(3,))[0])(np.ones(3))
    array([0., 1., 1.])
    """,
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
    """Return the elements at ``indices`` along ``axis`` (of the flattened array by default).

    An element that is taken twice gets both gradients.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.take(x, [2, 0, 0]).sum())(np.ones(3))
    array([2., 0., 1.])
    """
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
    """Return ``x[..., indices[i], ...]`` matched position by position along ``axis``.

    The gradient goes back to where each element came from.

    >>> import numpy as np, autograd_core as ag
    >>> x = np.array([[3.0, 1.0], [2.0, 5.0]])
    >>> ag.grad(lambda x: ag.take_along_axis(x, np.argmax(x, axis=1)[:, None], axis=1).sum())(x).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
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


@composite(np.sort, kinks="ties: in the order of their places")
def sort(x: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Return ``x`` in ascending order along ``axis``: the gradient goes back to each one's place.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sort(x)[0])(np.array([3.0, 1.0, 2.0]))
    array([0., 1., 0.])
    """
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    return take_along_axis(x, np.argsort(strip(x), axis=axis, kind=kind or "stable"), axis)
