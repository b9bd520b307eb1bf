"""Joining, cutting and laying out arrays: each piece gets its own part of the gradient.

Most of it is composed of ``concatenate``, ``reshape`` and slices. What takes or sets places along
an axis (``insert``, ``delete``) names no place twice, so its adjoint writes where that of an index
in general would have to add; ``block`` writes each of its pieces once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..calls import as_array
from ..errors import message
from ..node import strip
from ..primitive import Operation, composite, kernel, linear
from .elementwise import power
from .indexing import getitem
from .shaping import (
    astype,
    broadcast_to,
    concatenate,
    copy,
    diag,
    flip,
    moveaxis,
    ravel,
    reshape,
    split,
    transpose,
)  # fmt: skip

__all__ = [
    "append", "atleast_3d", "block", "delete", "diagflat", "dsplit", "dstack", "insert",
    "meshgrid", "rollaxis", "rot90", "unstack", "vander",
]  # fmt: skip


# -- joining ---------------------------------------------------------------------------------------


@composite(np.atleast_3d)
def atleast_3d(*arrays: Any) -> Any:
    """Return each array with at least three axes: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1).

    The gradient takes the old shape.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.atleast_3d(x).sum())(np.ones(2))
    array([1., 1.])
    """
    y = tuple(_three_axes(as_array(x)) for x in arrays)
    return y[0] if len(y) == 1 else y


def _three_axes(x: Any) -> Any:
    if x.ndim >= 3:
        return x
    return reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, *x.shape, 1) if x.ndim else (1, 1, 1))


@composite(np.dstack)
def dstack(arrays: Sequence[Any]) -> Any:
    """Join arrays along the third axis. Each gets its slice of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.dstack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    return concatenate([_three_axes(as_array(a)) for a in arrays], axis=2)


def _assemble(*pieces: Any, origins: Any, shape: Any) -> Any:
    out = np.empty(shape, np.result_type(*[p.dtype for p in pieces]))
    for piece, origin in zip(pieces, origins, strict=True):
        out[tuple(slice(o, o + n) for o, n in zip(origin, piece.shape, strict=True))] = piece
    return out


def _disassemble(g: Any, y: Any, *pieces: Any, origins: Any, shape: Any) -> Any:
    return [g[tuple(slice(o, o + n) for o, n in zip(origin, piece.shape, strict=True))]
            for piece, origin in zip(pieces, origins, strict=True)]  # fmt: skip


_assemble_op = linear(kernel(_assemble), joint=_disassemble, arity=None, name="assemble",
                      doc="Pieces, each from its origin on, that fill an array.")  # fmt: skip


@composite(np.block)
def block(arrays: Any) -> Any:
    """Join a nested list of blocks, the innermost lists along the last axis.

    The gradient of each block is its part.

    >>> import numpy as np, autograd_core as ag
    >>> x = np.array([[1.0, 2.0]])
    >>> ag.grad(lambda x: ag.sum(ag.block([[x, 2 * x], [np.ones((1, 4))]])))(x)
    array([[3., 3.]])
    """
    depth, ndim = _depth(arrays)
    if depth == 0:
        return copy(arrays)
    ndim = max(ndim, depth)
    pieces: list[Any] = []
    origins: list[tuple[int, ...]] = []

    def lay(tree: Any, level: int, origin: tuple[int, ...]) -> tuple[int, ...]:
        """Note each leaf and where it begins, and return the shape of them all."""
        if level == depth:
            x = as_array(tree)
            pieces.append(reshape(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x)
            origins.append(origin)
            return tuple(pieces[-1].shape)
        axis, length, rest = ndim + level - depth, 0, None
        for branch in tree:
            shape = lay(branch, level + 1, (*origin[:axis], origin[axis] + length, *origin[axis + 1 :]))
            if rest not in (None, (shape[:axis], shape[axis + 1 :])):
                raise ValueError(message("block", f"a block of shape {shape} beside others along axis "
                                         f"{axis}", "the same lengths along all other axes"))  # fmt: skip
            length, rest = length + shape[axis], (shape[:axis], shape[axis + 1 :])
        return (*shape[:axis], length, *shape[axis + 1 :])

    shape = lay(arrays, 0, (0,) * ndim)
    return _assemble_op(*pieces, origins=tuple(origins), shape=shape)


def _depth(tree: Any) -> tuple[int, int]:
    """Return how many lists are around each leaf (as many for all), and the most axes of one."""
    if isinstance(tree, tuple):
        raise TypeError(message("block", "a tuple", "lists, nested, and arrays in them"))
    if not isinstance(tree, list):
        return 0, np.ndim(tree)
    inner = [_depth(branch) for branch in tree]
    depths = {depth for depth, _ in inner}
    if len(depths) != 1:
        raise ValueError(message("block", f"lists of depths {sorted(depths)} side by side" if depths
                                 else "an empty list", "arrays all at the same depth"))  # fmt: skip
    return 1 + depths.pop(), max(ndim for _, ndim in inner)


@composite(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Join ``values`` behind ``arr``, along an axis or (by default) end to end, flattened.

    Each gets its part of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.append(x, x * x).sum())(np.array([1.0, 2.0]))
    array([3., 5.])
    """
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([as_array(arr), as_array(values)], axis=axis)


# -- cutting ---------------------------------------------------------------------------------------


def _unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Do what NumPy does, before it did it (2.1)."""
    if np.ndim(x) == 0:
        raise ValueError("Input array must be at least 1-d.")
    return tuple(np.moveaxis(x, axis, 0))


@composite(getattr(np, "unstack", _unstack))
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Return the slices of ``x`` along an axis, without that axis: what ``stack`` undoes.

    The gradient of the array is those of the slices, stacked.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.unstack(x)[1].sum())(np.ones((2, 2))).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    if np.ndim(x) == 0:
        raise ValueError(message("unstack", "an array of 0 axes", "at least 1"))
    before = (slice(None),) * normalize_axis_index(axis, np.ndim(x))
    return tuple(getitem(x, (*before, i)) for i in range(np.shape(x)[axis]))


@composite(np.dsplit)
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut along the third axis. The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.dsplit(x, 2)[1].sum())(np.ones((1, 1, 4))).tolist()
    [[[0.0, 0.0, 1.0, 1.0]]]
    """
    if np.ndim(x) < 3:
        raise ValueError(message("dsplit", f"an array of {np.ndim(x)} axes", "at least 3"))
    return split(x, indices_or_sections, 2)


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


@kernel
def _take_places(x: Any, *, places: Any, axis: int) -> Any:
    runs, before = _runs(places), (slice(None),) * axis
    if not runs:
        return np.take(x, places, axis=axis)
    out = np.empty((*x.shape[:axis], len(places), *x.shape[axis + 1 :]), x.dtype)
    for here, there in runs:
        out[(*before, here)] = x[(*before, there)]
    return out


@kernel
def _put_places(x: Any, *, places: Any, axis: int, length: int) -> Any:
    out = np.zeros((*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype)
    before = (slice(None),) * axis
    for here, there in _runs(places) or [(slice(None), places)]:
        out[(*before, there)] = x[(*before, here)]
    return out


_select: Operation = linear(
    _take_places,
    lambda g, y, x, *, places, axis: _put(g, places=places, axis=axis, length=x.shape[axis]),
    name="select", doc="The slices at ``places`` along an axis, none of them twice.",
)  # fmt: skip
_put: Operation = linear(
    _put_places, lambda g, y, x, *, places, axis, length: _select(g, places=places, axis=axis),
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


# -- laying out ------------------------------------------------------------------------------------


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


@composite(np.rot90)
def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Turn by ``k`` right angles in the plane of two axes, from the first towards the second.

    The gradient turns back.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.rot90(x)[0, 0])(np.ones((2, 2))).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    m, n = as_array(m), np.ndim(m)
    if len(axes) != 2 or not all(-n <= i < n for i in axes) or (axes[0] - axes[1]) % n == 0:
        raise ValueError(message("rot90", f"axes={axes} of an array of {n} axes",
                                 "two different ones that it has"))  # fmt: skip
    a, b = (i % n for i in axes)
    order = list(range(n))
    order[a], order[b] = b, a
    turns = k % 4
    if turns == 0:
        return getitem(m, ...)
    if turns == 2:
        return flip(m, axis=(a, b))
    return transpose(flip(m, axis=b), order) if turns == 1 else flip(transpose(m, order), axis=b)


@composite(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """Move an axis to before the one that stands at ``start``. The gradient's axis moves back.

    >>> import numpy as np, autograd_core as ag
    >>> ag.rollaxis(ag.tensor(np.ones((2, 3, 4))), 2).shape
    (4, 2, 3)
    """
    n = np.ndim(a)
    axis = normalize_axis_index(axis, n)
    place = start + n if start < 0 else start
    if not 0 <= place <= n:
        raise np.exceptions.AxisError(message("rollaxis", f"start={start}", f"{-n} to {n}"))
    return moveaxis(a, axis, place - (axis < place))


@composite(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """Return a matrix with all elements of ``v``, flattened, on its k-th diagonal.

    ``v_bar`` is the diagonal of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda v: (ag.diagflat(v) ** 2).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return diag(ravel(v), k)


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
