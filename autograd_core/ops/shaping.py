"""Rearranging and joining arrays: linear operations, whose gradients are the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..errors import message
from ..node import strip
from ..primitive import composite, linear
from .indexing import getitem, scatter

__all__ = [
    "array_split", "astype", "atleast_1d", "atleast_2d", "broadcast_arrays", "broadcast_to",
    "column_stack", "concatenate", "copy", "diag", "diagonal", "expand_dims", "flip", "fliplr",
    "flipud", "hsplit", "hstack", "matrix_transpose", "moveaxis", "pad", "ravel", "repeat",
    "reshape", "roll", "split", "squeeze", "stack", "swapaxes", "tile", "trace", "transpose",
    "tril", "triu", "vsplit", "vstack",
]  # fmt: skip


def _reshape(x: Any, *, shape: Any) -> Any:
    return np.reshape(x, shape)


_reshape_op = linear(_reshape, lambda g, y, x, *, shape: np.reshape(g, x.shape), name="reshape",
                     view=True)  # fmt: skip


@composite(np.reshape)
def reshape(x: Any, shape: Any, order: str = "C") -> Any:
    """Return the elements of ``x``, in row order, in another shape; one length may be -1."""
    if order != "C":
        if order != "F":
            raise ValueError(f"[reshape] got order={order!r}, expected 'C' or 'F'")
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        return transpose(_reshape_op(transpose(x), shape=shape[::-1]))
    return _reshape_op(x, shape=shape)


@composite(np.ravel)
def ravel(x: Any, order: str = "C") -> Any:
    """Return ``x`` as one axis."""
    return reshape(x, (-1,), order)


def _transpose(x: Any, *, axes: Any = None) -> Any:
    return np.transpose(x, axes)


def _transpose_rule(g: Any, y: Any, x: Any, *, axes: Any = None) -> Any:
    return np.transpose(g, None if axes is None else np.argsort([a % len(axes) for a in axes]))


_transpose_op = linear(_transpose, _transpose_rule, name="transpose", view=True)


@composite(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Any = None) -> Any:
    """Reorder the axes of ``x``; by default reverse them."""
    return _transpose_op(x) if axes is None else _transpose_op(x, axes=tuple(axes))


@composite(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    order = list(range(np.ndim(x)))
    axis1, axis2 = (normalize_axis_index(a, len(order)) for a in (axis1, axis2))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


@composite(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    """Exchange the last two axes."""
    if np.ndim(x) < 2:
        raise ValueError(f"[matrix_transpose] got {np.ndim(x)} axes, expected at least 2")
    return swapaxes(x, -1, -2)


@composite(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Move axes to new places; the others keep their order."""
    n = np.ndim(x)
    sources = normalize_axis_tuple(source, n, "source")
    places = normalize_axis_tuple(destination, n, "destination")
    if len(sources) != len(places):
        raise ValueError(message("moveaxis", f"source={source}, destination={destination}",
                                 "as many of one as of the other"))  # fmt: skip
    axes = [a for a in range(n) if a not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        axes.insert(place, axis)
    return transpose(x, axes)


@composite(np.expand_dims)
def expand_dims(x: Any, axis: Any) -> Any:
    """Insert axes of length 1, at places counted in the result."""
    n = np.ndim(x) + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    places = normalize_axis_tuple(axis, n, "axis")
    old = iter(np.shape(x))
    return reshape(x, tuple(1 if i in places else next(old) for i in range(n)))


@composite(np.squeeze)
def squeeze(x: Any, axis: Any = None) -> Any:
    """Drop axes of length 1 (all of them, or those given)."""
    return reshape(x, np.squeeze(np.broadcast_to(0.0, np.shape(x)), axis=axis).shape)


def _broadcast_to(x: Any, *, shape: Any) -> Any:
    return np.broadcast_to(x, shape)


_broadcast_op = linear(_broadcast_to, lambda g, y, x, *, shape: g, name="broadcast_to", view=True)


@composite(np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeat ``x`` along new axes and axes of length 1: the gradient sums over them."""
    return _broadcast_op(x, shape=(shape,) if isinstance(shape, int) else tuple(shape))


@composite(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """Broadcast arrays against each other."""
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    return tuple(broadcast_to(a, shape) for a in arrays)


def _flip(x: Any, axis: Any = None) -> Any:
    return np.flip(x, axis)


flip = linear(_flip, lambda g, y, x, *, axis=None: np.flip(g, axis=axis), numpy=(np.flip,),
              view=True, doc="Reverse the order along axes.")  # fmt: skip


@composite(np.flipud)
def flipud(x: Any) -> Any:
    """Reverse the rows."""
    return flip(x, axis=0)


@composite(np.fliplr)
def fliplr(x: Any) -> Any:
    """Reverse the columns."""
    return flip(x, axis=1)


def _roll(x: Any, shift: Any = 1, axis: Any = None) -> Any:
    return np.roll(x, shift, axis)


def _roll_rule(g: Any, y: Any, x: Any, *, shift: Any = 1, axis: Any = None) -> Any:
    return np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis)


roll = linear(_roll, _roll_rule, numpy=(np.roll,), doc="Shift the elements round along axes.")


@composite(np.tile)
def tile(x: Any, reps: Any) -> Any:
    """Repeat the whole array: the gradient sums over the copies."""
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    n = max(len(reps), np.ndim(x))
    reps, shape = (1,) * (n - len(reps)) + reps, (1,) * (n - np.ndim(x)) + np.shape(x)
    pairs = [m for r, s in zip(reps, shape, strict=True) for m in (r, s)]
    x = reshape(x, tuple(m for s in shape for m in (1, s)))
    return reshape(broadcast_to(x, pairs), tuple(r * s for r, s in zip(reps, shape, strict=True)))


@composite(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeat each element: the gradient sums over its copies."""
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis_index(axis, x.ndim)
    index = np.repeat(np.arange(x.shape[axis]), strip(repeats))
    return getitem(x, (slice(None),) * axis + (index,))


def _concatenate(*arrays: Any, axis: Any = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def _cut(g: Any, y: Any, *arrays: Any, axis: Any = 0) -> Any:
    """Give each input of ``concatenate`` its slice of the gradient."""
    if axis is None:
        g, axis = np.reshape(g, (-1,)), 0
        lengths = [a.size for a in arrays]
    else:
        lengths = [a.shape[axis] for a in arrays]
    axis = axis + g.ndim if axis < 0 else axis
    pieces, start = [], 0
    for a, n in zip(arrays, lengths, strict=True):
        piece = g[(slice(None),) * axis + (slice(start, start + n),)]
        pieces.append(piece if piece.shape == a.shape else np.reshape(piece, a.shape))
        start += n
    return pieces


_concatenate_op = linear(_concatenate, joint=_cut, name="concatenate")


@composite(np.concatenate, np.concat)
def concatenate(
    arrays: Sequence[Any], axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Join arrays along an axis: each gets its slice of the gradient."""
    y = _concatenate_op(*arrays, axis=axis)
    return y if dtype is None else astype(y, dtype)


@composite(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays along a new axis."""
    arrays = [a if hasattr(a, "shape") else np.asarray(a) for a in arrays]
    if len({a.shape for a in arrays}) > 1:
        raise ValueError(message("stack", f"shapes {[a.shape for a in arrays]}", "all the same"))
    return concatenate([expand_dims(a, axis) for a in arrays], axis=axis, dtype=dtype, casting=casting)


@composite(np.vstack)
def vstack(arrays: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays as rows."""
    rows = [a if np.ndim(a) > 1 else reshape(a, (1, -1)) for a in arrays]
    return concatenate(rows, axis=0, dtype=dtype, casting=casting)


@composite(np.hstack)
def hstack(arrays: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays side by side (vectors end to end)."""
    arrays = [a if np.ndim(a) else reshape(a, (1,)) for a in arrays]
    return concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1, dtype=dtype, casting=casting)


@composite(np.column_stack)
def column_stack(arrays: Sequence[Any]) -> Any:
    """Join vectors as columns."""
    return concatenate([a if np.ndim(a) > 1 else reshape(a, (-1, 1)) for a in arrays], axis=1)


@composite(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array into parts along an axis, as equal as they can be."""
    axis = normalize_axis_index(axis, np.ndim(x))
    n = np.shape(x)[axis]
    if np.ndim(indices_or_sections) == 0:
        if indices_or_sections < 1:
            raise ValueError(message("split", f"{indices_or_sections} sections", "at least 1"))
        each, more = divmod(n, indices_or_sections)
        cuts = list(np.cumsum([each + 1] * more + [each] * (indices_or_sections - more)))[:-1]
    else:
        cuts = list(indices_or_sections)
    before = (slice(None),) * axis
    bounds = zip([0, *cuts], [*cuts, n], strict=True)
    return [getitem(x, (*before, slice(int(a), int(b)))) for a, b in bounds]


@composite(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array into equal parts, or at the given places, along an axis."""
    n = np.shape(x)[normalize_axis_index(axis, np.ndim(x))]
    if np.ndim(indices_or_sections) == 0 and indices_or_sections and n % indices_or_sections:
        raise ValueError(message("split", f"an axis of length {n}",
                                 f"a multiple of {indices_or_sections}", "array_split"))  # fmt: skip
    return array_split(x, indices_or_sections, axis)


@composite(np.vsplit)
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut into groups of rows."""
    if np.ndim(x) < 2:
        raise ValueError(message("vsplit", f"an array of {np.ndim(x)} axes", "at least 2"))
    return split(x, indices_or_sections, 0)


@composite(np.hsplit)
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut into groups of columns."""
    if np.ndim(x) == 0:
        raise ValueError(message("hsplit", "an array of 0 axes", "at least 1"))
    return split(x, indices_or_sections, 0 if np.ndim(x) == 1 else 1)


def _triangle(m: Any, k: int) -> Any:
    rows, columns = np.shape(m)[-2:] if np.ndim(m) > 1 else 2 * np.shape(m)
    return np.tri(rows, columns, k, dtype=bool)


@composite(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    """Keep the lower triangle: the rest, and its gradient, is zero."""
    return np.where(_triangle(m, k), m, 0)


@composite(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    """Keep the upper triangle: the rest, and its gradient, is zero."""
    return np.where(_triangle(m, k - 1), 0, m)


@composite(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the elements whose two indices differ by ``offset``, as the last axis."""
    if np.ndim(x) < 2:
        raise ValueError(message("diagonal", f"an array of {np.ndim(x)} axes", "at least 2"))
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i = np.arange(n)
    return getitem(x, (..., i - min(offset, 0), i + max(offset, 0)))


@composite(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """Return a matrix with the vector on its k-th diagonal, or the diagonal of a matrix."""
    if np.ndim(v) == 2:
        return diagonal(v, k)
    if np.ndim(v) != 1:
        raise ValueError(message("diag", f"an array of {np.ndim(v)} axes", "1 or 2"))
    n = np.shape(v)[0] + abs(k)
    i = np.arange(np.shape(v)[0])
    return scatter(v, index=(i - min(k, 0), i + max(k, 0)), shape=(n, n))


@composite(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of a diagonal."""
    return np.sum(diagonal(x, offset, axis1, axis2), axis=-1)


def _each(fun: Any, arrays: Any) -> Any:
    return fun(arrays[0]) if len(arrays) == 1 else tuple(map(fun, arrays))


@composite(np.atleast_1d)
def atleast_1d(*arrays: Any) -> Any:
    """Return each array with at least one axis."""
    return _each(lambda x: x if np.ndim(x) >= 1 else reshape(x, (1,)), arrays)


@composite(np.atleast_2d)
def atleast_2d(*arrays: Any) -> Any:
    """Return each array with at least two axes."""
    return _each(lambda x: x if np.ndim(x) >= 2 else reshape(x, (1, -1)), arrays)


@composite(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Any:
    """Add a border of constant values; other modes are not differentiable yet."""
    if mode != "constant" or np.ndim(constant_values):
        raise NotImplementedError(f"[pad] got mode={mode!r}, expected 'constant' with one value")
    widths = np.broadcast_to(np.asarray(pad_width), (np.ndim(x), 2))
    if (widths < 0).any():
        raise ValueError(message("pad", f"widths {pad_width}", "no negative one", "a slice"))
    shape = tuple(int(a + n + b) for n, (a, b) in zip(np.shape(x), widths, strict=True))
    inner = tuple(slice(int(a), int(a) + n) for n, (a, _) in zip(np.shape(x), widths, strict=True))
    y = scatter(x, index=inner, shape=shape)
    if constant_values == 0:
        return y
    border = np.full(shape, constant_values, y.dtype)
    border[inner] = 0
    return y + border


def _astype(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype)


_astype_op = linear(_astype, lambda g, y, x, *, dtype: g, name="astype")


@composite(np.astype)
def astype(x: Any, dtype: Any, *, copy: bool = True) -> Any:
    """Convert to another dtype. To a floating one it is differentiable; others leave the graph."""
    dtype = np.dtype(dtype)
    if dtype.kind in "fc":
        return _astype_op(x, dtype=dtype)
    return strip(x).astype(dtype)


@composite(np.copy)
def copy(x: Any) -> Any:
    """Return ``x`` in memory of its own."""
    return _copy_op(x)


_copy_op = linear(lambda x: np.copy(x), lambda g, y, x: g, name="copy")
