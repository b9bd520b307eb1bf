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
    """Return the elements of ``x``, in row order, in another shape; one length may be -1.

    The gradient takes the old shape.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.reshape(x, (2, -1))[1].sum())(np.ones(4))
    array([0., 0., 1., 1.])
    """
    if order != "C":
        if order != "F":
            raise ValueError(f"[reshape] got order={order!r}, expected 'C' or 'F'")
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        return transpose(_reshape_op(transpose(x), shape=shape[::-1]))
    return _reshape_op(x, shape=shape)


@composite(np.ravel)
def ravel(x: Any, order: str = "C") -> Any:
    """Return ``x`` as one axis. The gradient takes the old shape.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.ravel(x)[1])(np.ones((2, 2))).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return reshape(x, (-1,), order)


def _transpose(x: Any, *, axes: Any = None) -> Any:
    return np.transpose(x, axes)


def _transpose_rule(g: Any, y: Any, x: Any, *, axes: Any = None) -> Any:
    return np.transpose(g, None if axes is None else np.argsort([a % len(axes) for a in axes]))


_transpose_op = linear(_transpose, _transpose_rule, name="transpose", view=True)


@composite(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Any = None) -> Any:
    """Reorder the axes of ``x``; by default reverse them. The gradient's axes go back to their places.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.transpose(x)[0].sum())(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    return _transpose_op(x) if axes is None else _transpose_op(x, axes=tuple(axes))


@composite(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes. The gradient's axes go back to their places.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.swapaxes(x, 0, 1)[0].sum())(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    order = list(range(np.ndim(x)))
    axis1, axis2 = (normalize_axis_index(a, len(order)) for a in (axis1, axis2))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


@composite(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    """Exchange the last two axes. ``x_bar = g^T``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.matrix_transpose(x)[0].sum())(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    if np.ndim(x) < 2:
        raise ValueError(f"[matrix_transpose] got {np.ndim(x)} axes, expected at least 2")
    return swapaxes(x, -1, -2)


@composite(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Move axes to new places; the others keep their order.

    The gradient's axes go back to their places.

    >>> import numpy as np, autograd_core as ag
    >>> ag.moveaxis(ag.tensor(np.ones((2, 3, 4))), 0, -1).shape
    (3, 4, 2)
    """
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
    """Insert axes of length 1, at places counted in the result. The gradient takes the old shape.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.expand_dims(x, 0).sum())(np.ones(2))
    array([1., 1.])
    """
    n = np.ndim(x) + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    places = normalize_axis_tuple(axis, n, "axis")
    old = iter(np.shape(x))
    return reshape(x, tuple(1 if i in places else next(old) for i in range(n)))


@composite(np.squeeze)
def squeeze(x: Any, axis: Any = None) -> Any:
    """Drop axes of length 1 (all of them, or those given). The gradient takes the old shape.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.squeeze(x).sum())(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """
    return reshape(x, np.squeeze(np.broadcast_to(0.0, np.shape(x)), axis=axis).shape)


def _broadcast_to(x: Any, *, shape: Any) -> Any:
    return np.broadcast_to(x, shape)


_broadcast_op = linear(_broadcast_to, lambda g, y, x, *, shape: g, name="broadcast_to", view=True)


@composite(np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeat ``x`` along new axes and axes of length 1: the gradient sums over them.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.broadcast_to(x, (3, 2)).sum())(np.ones(2))
    array([3., 3.])
    """
    return _broadcast_op(x, shape=(shape,) if isinstance(shape, int) else tuple(shape))


@composite(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """Broadcast arrays against each other. Each gradient sums over the repetitions.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.broadcast_arrays(x, np.ones(3))[0].sum())(2.0)
    np.float64(3.0)
    """
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    return tuple(broadcast_to(a, shape) for a in arrays)


def _flip(x: Any, axis: Any = None) -> Any:
    return np.flip(x, axis)


flip = linear(_flip, lambda g, y, x, *, axis=None: np.flip(g, axis=axis), numpy=(np.flip,),
              view=True, doc="""Reverse the order along axes.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.flip(x)[0])(np.ones(3))
    array([0., 0., 1.])
    """)  # fmt: skip


@composite(np.flipud)
def flipud(x: Any) -> Any:
    """Reverse the rows. The gradient is reversed back.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.flipud(x)[0])(np.ones(2))
    array([0., 1.])
    """
    return flip(x, axis=0)


@composite(np.fliplr)
def fliplr(x: Any) -> Any:
    """Reverse the columns. The gradient is reversed back.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.fliplr(x)[0, 0])(np.ones((1, 2))).tolist()
    [[0.0, 1.0]]
    """
    return flip(x, axis=1)


def _roll(x: Any, shift: Any = 1, axis: Any = None) -> Any:
    return np.roll(x, shift, axis)


def _roll_rule(g: Any, y: Any, x: Any, *, shift: Any = 1, axis: Any = None) -> Any:
    return np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis)


roll = linear(_roll, _roll_rule, numpy=(np.roll,), doc="""Shift the elements round along axes.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.roll(x, 1)[0])(np.ones(3))
    array([0., 0., 1.])
    """)


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
    """Join arrays along an axis: each gets its slice of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.concatenate([x, x * x]).sum())(np.array([1.0, 2.0]))
    array([3., 5.])
    """
    y = _concatenate_op(*arrays, axis=axis)
    return y if dtype is None else astype(y, dtype)


@composite(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays along a new axis. Each gets its slice of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.stack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    arrays = [a if hasattr(a, "shape") else np.asarray(a) for a in arrays]
    if len({a.shape for a in arrays}) > 1:
        raise ValueError(message("stack", f"shapes {[a.shape for a in arrays]}", "all the same"))
    return concatenate([expand_dims(a, axis) for a in arrays], axis=axis, dtype=dtype, casting=casting)


@composite(np.vstack)
def vstack(arrays: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays as rows. Each gets its rows of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.vstack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    rows = [a if np.ndim(a) > 1 else reshape(a, (1, -1)) for a in arrays]
    return concatenate(rows, axis=0, dtype=dtype, casting=casting)


@composite(np.hstack)
def hstack(arrays: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays side by side (vectors end to end). Each gets its part of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.hstack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    arrays = [a if np.ndim(a) else reshape(a, (1,)) for a in arrays]
    return concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1, dtype=dtype, casting=casting)


@composite(np.column_stack)
def column_stack(arrays: Sequence[Any]) -> Any:
    """Join vectors as columns. Each gets its columns of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.column_stack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    return concatenate([a if np.ndim(a) > 1 else reshape(a, (-1, 1)) for a in arrays], axis=1)


@composite(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array into parts along an axis, as equal as they can be.

    The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.array_split(x, 2)[0].sum())(np.ones(3))
    array([1., 1., 0.])
    """
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
    """Cut an array into equal parts, or at the given places, along an axis.

    The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.split(x, [1])[1].sum())(np.ones(3))
    array([0., 1., 1.])
    """
    n = np.shape(x)[normalize_axis_index(axis, np.ndim(x))]
    if np.ndim(indices_or_sections) == 0 and indices_or_sections and n % indices_or_sections:
        raise ValueError(message("split", f"an axis of length {n}",
                                 f"a multiple of {indices_or_sections}", "array_split"))  # fmt: skip
    return array_split(x, indices_or_sections, axis)


@composite(np.vsplit)
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut into groups of rows. The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.vsplit(x, 2)[0].sum())(np.ones((2, 1))).tolist()
    [[1.0], [0.0]]
    """
    if np.ndim(x) < 2:
        raise ValueError(message("vsplit", f"an array of {np.ndim(x)} axes", "at least 2"))
    return split(x, indices_or_sections, 0)


@composite(np.hsplit)
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut into groups of columns. The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.hsplit(x, 2)[0].sum())(np.ones((1, 4))).tolist()
    [[1.0, 1.0, 0.0, 0.0]]
    """
    if np.ndim(x) == 0:
        raise ValueError(message("hsplit", "an array of 0 axes", "at least 1"))
    return split(x, indices_or_sections, 0 if np.ndim(x) == 1 else 1)


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


@composite(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of a diagonal. dy/dx = 1 on that diagonal, else 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.trace)(np.ones((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return np.sum(diagonal(x, offset, axis1, axis2), axis=-1)


def _each(fun: Any, arrays: Any) -> Any:
    return fun(arrays[0]) if len(arrays) == 1 else tuple(map(fun, arrays))


@composite(np.atleast_1d)
def atleast_1d(*arrays: Any) -> Any:
    """Return each array with at least one axis. The gradient takes the old shape.

    >>> import autograd_core as ag
    >>> ag.grad(lambda x: ag.atleast_1d(x)[0])(2.0)
    np.float64(1.0)
    """
    return _each(lambda x: x if np.ndim(x) >= 1 else reshape(x, (1,)), arrays)


@composite(np.atleast_2d)
def atleast_2d(*arrays: Any) -> Any:
    """Return each array with at least two axes. The gradient takes the old shape.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.atleast_2d(x).sum())(np.ones(2))
    array([1., 1.])
    """
    return _each(lambda x: x if np.ndim(x) >= 2 else reshape(x, (1, -1)), arrays)


@composite(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """Add a border: of one constant, or of the array's own elements, continued or mirrored.

    With ``mode`` "edge", "wrap", "reflect" or "symmetric" an element is read several times, and
    receives the sum of the gradients. The other modes and options are NumPy's: "linear_ramp", the
    statistics "maximum", "mean", "median" and "minimum", "empty" (zeros here), ``constant_values``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sum(ag.pad(x, 2, "edge")))(np.array([1.0, 2.0, 3.0]))
    array([3., 1., 3.])
    """
    widths = np.broadcast_to(np.asarray(pad_width), (np.ndim(x), 2))
    if (widths < 0).any():
        raise ValueError(message("pad", f"widths {pad_width}", "no negative one", "a slice"))
    if options.get("reflect_type") == "even":
        options.pop("reflect_type")
    constant_values = options.get("constant_values", 0)
    simple = mode in ("constant", "edge", "wrap", "reflect", "symmetric") and not np.ndim(constant_values)
    if not simple or options.keys() - ({"constant_values"} if mode == "constant" else set()):
        from .padding import bordered  # the borders that are computed; it stands on this file

        return bordered(x, widths, mode, **options)
    if mode != "constant":
        for axis, (n, width) in enumerate(zip(np.shape(x), widths, strict=True)):
            if width.any():  # where each element of the border is read: NumPy pads the places
                places = np.pad(np.arange(n), tuple(width), mode)  # type: ignore[call-overload]
                x = np.take(x, places, axis=axis)
        return x if widths.any() else copy(x)
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
    """Convert to another dtype. To a floating one it is differentiable; others leave the graph.

    The gradient is converted back.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.astype(x, np.float32).sum())(np.ones(2)).dtype
    dtype('float64')
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "fc":
        return _astype_op(x, dtype=dtype)
    return strip(x).astype(dtype)


@composite(np.copy)
def copy(x: Any) -> Any:
    """Return ``x`` in memory of its own. dy/dx = 1.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.copy(x).sum())(np.ones(2))
    array([1., 1.])
    """
    return _copy_op(x)


_copy_op = linear(lambda x: np.copy(x), lambda g, y, x: g, name="copy")
