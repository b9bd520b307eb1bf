"""Elements repeated, dropped, put in between, and laid out as matrices.

What takes or sets places along an axis (``insert``, ``delete``) names no place twice, so its adjoint
writes where that of an index in general would have to add.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..calls import as_array
from ..errors import message
from ..kernels.memory import memory_for, zeros_in
from ..node import strip
from ..primitive import Operation, composite, kernel, linear
from .elementwise import power
from .indexing import getitem, scatter
from .joining import concatenate
from .shaping import astype, broadcast_to, flip, moveaxis, ravel, reshape

__all__ = [
    "delete", "diag", "diagflat", "diagonal", "insert", "meshgrid", "repeat", "tile", "trace", "tril",
    "triu", "vander",
]  # fmt: skip


# -- repeating -------------------------------------------------------------------------------------


@composite(np.tile)
def tile(x: Any, reps: Any) -> Any:
    """Repeat the whole array: the gradient sums over the copies.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.tile(x, 3).sum())(np.ones(2))
    array([3., 3.])
    """
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    n = max(len(reps), np.ndim(x))
    reps, shape = (1,) * (n - len(reps)) + reps, (1,) * (n - np.ndim(x)) + np.shape(x)
    pairs = [m for r, s in zip(reps, shape, strict=True) for m in (r, s)]
    x = reshape(x, tuple(m for s in shape for m in (1, s)))
    return reshape(broadcast_to(x, pairs), tuple(r * s for r, s in zip(reps, shape, strict=True)))


@composite(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeat each element: the gradient sums over its copies.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.repeat(x, [1, 3]).sum())(np.ones(2))
    array([1., 3.])
    """
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, x.ndim)
    index = np.repeat(np.arange(x.shape[axis]), strip(repeats))
    return getitem(x, (slice(None),) * axis + (index,))


@composite(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    """Return each vector along an axis of its own, spread over the others unless ``sparse``.

    Each gradient sums over the axes that its vector was spread over.

    ``indexing="xy"`` gives the first vector the second axis, ``"ij"`` the first. With
    ``copy=False`` the results are views, in which elements share memory.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sum(ag.meshgrid(x, np.ones(3))[0]))(np.array([5.0, 7.0]))
    array([3., 3.])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(message("meshgrid", f"indexing={indexing!r}", "'xy' or 'ij'"))
    n = len(xi)
    axes = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    grids = [reshape(x, tuple(-1 if i == axis else 1 for i in range(n)))
             for x, axis in zip(xi, axes, strict=True)]  # fmt: skip
    if not sparse:
        shape = np.broadcast_shapes(*[g.shape for g in grids])
        grids = [broadcast_to(g, shape) for g in grids]
    return tuple(np.copy(g) for g in grids) if copy else tuple(grids)


# -- places along an axis --------------------------------------------------------------------------


def _runs(places: Any) -> list[tuple[slice, slice]]:
    """Pair 0, 1, ... with places by slices (5 times faster), if a few runs hold all places."""
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    if breaks.size > 8:
        return []
    bounds = [0, *breaks.tolist(), len(places)]
    starts = [int(places[a]) if len(places) else 0 for a in bounds[:-1]]
    return [(slice(a, b), slice(p, p + b - a))
            for a, b, p in zip(bounds[:-1], bounds[1:], starts, strict=True)]  # fmt: skip


def _take_places(x: Any, *, places: Any, axis: int, out: Any = None) -> Any:
    runs, before = _runs(places), (slice(None),) * axis
    if not runs:
        return np.take(x, places, axis=axis, out=out)
    out = memory_for(out, (*x.shape[:axis], len(places), *x.shape[axis + 1 :]), x.dtype)
    for here, there in runs:
        out[(*before, here)] = x[(*before, there)]
    return out


def _put_places(x: Any, *, places: Any, axis: int, length: int, out: Any = None) -> Any:
    out = zeros_in(out, (*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype)
    before = (slice(None),) * axis
    for here, there in _runs(places) or [(slice(None), places)]:
        out[(*before, there)] = x[(*before, here)]
    return out


_select: Operation = linear(
    kernel(_take_places, out=True),
    lambda g, y, x, *, places, axis: _put(g, places=places, axis=axis, length=x.shape[axis]),
    name="select", doc="The slices at ``places`` along an axis, none of them twice.",
)  # fmt: skip
_put: Operation = linear(
    kernel(_put_places, out=True),
    lambda g, y, x, *, places, axis, length: _select(g, places=places, axis=axis),
    name="put", doc="Zeros, with slices at ``places`` along an axis: the adjoint of select.",
)  # fmt: skip


def _along(x: Any, axis: int | None) -> tuple[Any, int]:
    """Return the array and the axis that ``axis`` speaks of; None is the flattened array."""
    x = as_array(x)
    if axis is None:
        return ravel(x), 0
    return x, normalize_axis_index(axis, x.ndim)


@composite(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """Return ``arr`` without the slices ``obj`` (number, slice, list, mask): they get no gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sum(ag.delete(x, 1) ** 2))(np.array([1.0, 2.0, 3.0]))
    array([2., 0., 6.])
    """
    arr, axis = _along(arr, axis)
    places = np.delete(np.arange(arr.shape[axis]), strip(obj))
    return _select(arr, places=places, axis=axis)


@composite(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Return ``arr`` with ``values`` before the places ``obj``, in the dtype of ``arr``.

    Each element of the result hands its gradient back to where it came from; values that were
    broadcast get the sum.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda v: ag.sum(ag.insert(np.zeros(3), [0, 2], v)))(7.0)
    np.float64(2.0)
    """
    arr, axis = _along(arr, axis)
    obj, values, n = strip(obj), as_array(values), arr.shape[axis]
    if values.dtype != arr.dtype:
        values = astype(values, arr.dtype)
    before, after = arr.shape[:axis], arr.shape[axis + 1 :]
    if not isinstance(obj, slice) and np.size(obj) == 1 and np.asarray(obj).dtype != bool:
        if values.ndim < arr.ndim:  # one place takes as many slices as there are
            values = reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
        if np.ndim(obj) == 0:
            values = moveaxis(values, 0, axis)
        values = broadcast_to(values, (*before, values.shape[axis], *after))
        i = int(np.argmax(np.insert(np.zeros(n, bool), obj, True)))
        parts = (getitem(arr, (slice(None),) * axis + (s,)) for s in (slice(0, i), slice(i, n)))
        return concatenate([next(parts), values, next(parts)], axis=axis)
    new = len(np.insert(np.arange(n), obj, 0)) - n
    values = broadcast_to(values, (*before, new, *after))
    places = np.insert(np.arange(n), obj, np.arange(n, n + new))
    return _select(concatenate([arr, values], axis=axis), places=places, axis=axis)


# -- matrices --------------------------------------------------------------------------------------


def _triangle(m: Any, k: int) -> Any:
    rows, columns = np.shape(m)[-2:] if np.ndim(m) > 1 else 2 * np.shape(m)
    return np.tri(rows, columns, k, dtype=bool)


@composite(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    """Keep the lower triangle: the rest, and its gradient, is zero.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.tril(x).sum())(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return np.where(_triangle(m, k), m, 0)


@composite(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    """Keep the upper triangle: the rest, and its gradient, is zero.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.triu(x).sum())(np.ones((2, 2))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return np.where(_triangle(m, k - 1), 0, m)


@composite(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the elements whose two indices differ by ``offset``, as the last axis.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.diagonal(x, 1).sum())(np.ones((2, 2))).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    if np.ndim(x) < 2:
        raise ValueError(message("diagonal", f"an array of {np.ndim(x)} axes", "at least 2"))
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(n)
    return getitem(x, (..., i - min(offset, 0), i + max(offset, 0)))


@composite(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """Return a matrix with the vector on its k-th diagonal, or the diagonal of a matrix.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.diag(x).sum())(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if np.ndim(v) == 2:
        return diagonal(v, k)
    if np.ndim(v) != 1:
        raise ValueError(message("diag", f"an array of {np.ndim(v)} axes", "1 or 2"))
    n = np.shape(v)[0] + abs(k)
    i = np.arange(np.shape(v)[0])
    return scatter(v, index=(i - min(k, 0), i + max(k, 0)), shape=(n, n))


@composite(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """Return a matrix with all elements of ``v``, flattened, on its k-th diagonal.

    ``v_bar`` is the diagonal of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda v: (ag.diagflat(v) ** 2).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return diag(ravel(v), k)


@composite(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of a diagonal. dy/dx = 1 on that diagonal, else 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.trace)(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return np.sum(diagonal(x, offset, axis1, axis2), axis=-1)


@composite(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the matrix of the powers x^(N-1) ... x, 1 (or 1, x ...) of a vector, a row for each.

    It is built in log2 N products, each of which doubles the number of columns.

    ``x_bar`` sums over the powers: x^k has derivative k x^(k-1).

    >>> import numpy as np, autograd_core as ag
    >>> ag.vander(ag.tensor([2.0, 3.0]), 4).tolist()
    [[8.0, 4.0, 2.0, 1.0], [27.0, 9.0, 3.0, 1.0]]
    """
    x = as_array(x)
    if x.ndim != 1:
        raise ValueError(message("vander", f"an array of {x.ndim} axes", "1"))
    n = x.shape[0] if N is None else N
    if n < 0:
        raise ValueError(message("vander", f"N={n}", "0 or more"))
    x = reshape(astype(x, np.promote_types(x.dtype, int)), (-1, 1))
    y, columns = power(x, 0), 1
    while columns < n:
        more = min(columns, n - columns)
        next_power = getitem(y, (slice(None), slice(columns - 1, columns))) * x
        y = concatenate([y, getitem(y, (slice(None), slice(0, more))) * next_power], axis=1)
        columns += more
    if n == 0:
        y = getitem(y, (slice(None), slice(0, 0)))
    return y if increasing else flip(y, axis=1)
