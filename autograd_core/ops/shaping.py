"""The same elements in another shape, order, place or dtype: linear operations, often views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..calls import as_array
from ..errors import message
from ..node import strip
from ..primitive import composite, linear
from .indexing import getitem

__all__ = [
    "astype", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_to", "copy",
    "expand_dims", "flip", "fliplr", "flipud", "matrix_transpose", "moveaxis", "ravel", "reshape",
    "roll", "rollaxis", "rot90", "squeeze", "swapaxes", "transpose",
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


def _roll(x: Any, shift: Any = 1, axis: Any = None) -> Any:
    return np.roll(x, shift, axis)


def _roll_rule(g: Any, y: Any, x: Any, *, shift: Any = 1, axis: Any = None) -> Any:
    return np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis)


roll = linear(_roll, _roll_rule, numpy=(np.roll,), doc="""Shift the elements round along axes.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.roll(x, 1)[0])(np.ones(3))
    array([0., 0., 1.])
    """)


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
