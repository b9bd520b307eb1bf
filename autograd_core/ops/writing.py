"""Writing elements: ``x[index] = v`` as an operation, and NumPy's functions that write."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..calls import as_array, copied
from ..ducks import check, duck
from ..errors import message
from ..node import strip
from ..primitive import Operation, composite, kernel, linear
from ..views import show, target
from .indexing import _getitem, getitem, is_basic
from .shaping import broadcast_to, ravel, reshape

__all__ = ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask", "setitem"]


def read(x: Any, places: Any) -> Any:
    """Return what stands at ``places`` in x, by operations."""
    for step in places:
        if isinstance(step, np.ndarray):
            x = _getitem(reshape(x, -1), index=step)
        else:
            x = step[0].call(x, **step[1])
    return x


@kernel
def _written(x: Any, v: Any, *, index: Any, places: Any = ()) -> Any:
    y = np.array(x, order="K")
    view, at = target(y, places, index)
    view[at] = v
    return y


def _v_rule(g: Any, y: Any, x: Any, v: Any, *, index: Any, places: Any = ()) -> Any:
    g = _getitem(read(g, places), index=index)
    last = None if is_basic(index) else _last(index, np.shape(show(np.broadcast_to(0, x.shape), places)))
    return g if last is None else g * last


@kernel
def _last(index: Any, shape: Any) -> Any:
    """Tell which elements of ``x[index] = v`` stay, where the index names a place twice: the last.

    Returns:
        An array of True and False of v's full shape, or None where all stay.
    """
    owner = np.full(shape, -1, dtype=int)
    size = owner[index].size
    order = np.arange(size).reshape(owner[index].shape)
    owner[index] = order
    stays = owner[index] == order
    return None if stays.all() else stays


def _consume(g: Any, *, index: Any, places: Any = ()) -> tuple[Any, Any] | None:
    if duck((index,)) is not None:
        return None  # which elements they are is not known: v_bar must not be asked for where nobody wants it
    v_bar = copied(_v_rule(g, None, g, None, index=index, places=places))
    view, at = target(g, places, index)
    view[at] = 0
    return g, v_bar


setitem: Operation = linear(
    _written,
    lambda g, y, x, v, *, index, places=(): setitem(g, 0, index=index, places=places), _v_rule,
    name="setitem", consumes=_consume,
    doc="""A copy of x with v at ``index``: v_bar = g[index]; x_bar = g, but 0 there.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.setitem(x, 5.0, index=1).sum())(np.ones(3))
    array([1., 0., 1.])
    """,
)  # fmt: skip


# -- NumPy's functions that write into their first argument ----------------------------------------


def _recycled(values: Any, n: int) -> Any:
    """Return n values: those given, again and again."""
    values = ravel(as_array(values))
    if not values.size:
        raise ValueError(message("put", "no values", f"at least 1 for {n} places"))
    return getitem(values, np.arange(n) % values.size)


@composite(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """Write ``values`` into ``arr`` at ``indices``, matched position by position along ``axis``.

    ``values`` get the gradient of their places, and what stood there 0.

    >>> import numpy as np, autograd_core as ag
    >>> x = ag.tensor(np.zeros((2, 3)))
    >>> v = ag.tensor([[1.0], [2.0]], requires_grad=True)
    >>> ag.put_along_axis(x, np.array([[2], [0]]), v, axis=1)
    >>> x[0].sum().backward()
    >>> v.grad.tolist()
    [[1.0], [0.0]]
    """
    indices = as_array(strip(indices))
    if axis is None:
        if indices.ndim != 1:
            raise ValueError(message("put_along_axis", f"indices of {indices.ndim} axes and axis=None",
                                     "one axis"))  # fmt: skip
        arr[np.unravel_index(indices % arr.size, arr.shape)] = values
        return
    axis = normalize_axis_index(axis, arr.ndim)
    if indices.ndim != arr.ndim:
        raise ValueError(message("put_along_axis", f"indices of {indices.ndim} axes", f"{arr.ndim}"))
    arr[tuple(
        indices if i == axis else np.arange(n).reshape([-1 if j == i else 1 for j in range(arr.ndim)])
        for i, n in enumerate(arr.shape)
    )] = values  # fmt: skip


@composite(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write ``val``, a number or as many as it takes (repeated), onto the diagonal of ``a``.

    ``val`` gets the gradient of the diagonal, and what stood there 0.

    >>> import autograd_core as ag
    >>> x = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> ag.fill_diagonal(x, 0)
    >>> x
    tensor([[0., 2.],
            [3., 0.]])
    """
    shape, end = a.shape, None
    if len(shape) < 2:
        raise ValueError(message("fill_diagonal", f"an array of shape {shape}", "at least 2 axes"))
    if len(shape) == 2:
        step = shape[1] + 1
        end = None if wrap else shape[1] * shape[1]
    elif len(set(shape)) > 1:
        raise ValueError(message("fill_diagonal", f"an array of shape {shape}", "axes of one length"))
    else:
        step = 1 + sum(math.prod(shape[:k]) for k in range(1, len(shape)))
    flat = np.arange(a.size)[:end:step]
    a[np.unravel_index(flat, shape)] = _recycled(val, flat.size)


@composite(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write ``v`` (repeated) at flat indices of ``a``.

    ``v`` gets the gradient of its places, and what stood there 0.

    >>> import numpy as np, autograd_core as ag
    >>> x, v = ag.tensor(np.zeros(3)), ag.tensor([2.0, 5.0], requires_grad=True)
    >>> ag.put(x, [2, 0], v)
    >>> (x * x).sum().backward()
    >>> v.grad
    array([ 4., 10.], dtype=float32)
    """
    ind = as_array(strip(ind)).ravel()
    if mode == "wrap":
        ind = ind % a.size
    elif mode == "clip":
        ind = np.clip(ind, 0, a.size - 1)
    elif mode != "raise":
        raise ValueError(message("put", f"mode={mode!r}", "'raise', 'wrap' or 'clip'"))
    else:
        check((ind >= -a.size) & (ind < a.size), IndexError,
              message("put", f"an index outside the {a.size} elements"))  # fmt: skip
    a[np.unravel_index(ind % max(a.size, 1), a.shape)] = _recycled(v, ind.size)


@composite(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write the first of ``vals`` (repeated) into ``arr`` where the mask holds, one after the other.

    ``vals`` get the gradient of their places, and what stood there 0.

    >>> import numpy as np, autograd_core as ag
    >>> x, v = ag.tensor(np.zeros(3)), ag.tensor([2.0], requires_grad=True)
    >>> ag.place(x, np.array([True, False, True]), v)
    >>> (x * x).sum().backward()
    >>> v.grad
    array([8.], dtype=float32)
    """
    mask = as_array(strip(mask), bool)
    if mask.size != arr.size:
        raise ValueError(message("place", f"a mask of shape {mask.shape}", f"{arr.shape}"))
    mask = mask.reshape(arr.shape)
    if chosen := np.flatnonzero(mask).size:
        arr[mask] = _recycled(vals, chosen)


@composite(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """Write into ``a`` where the mask holds the values (repeated to a's size) of those places.

    ``values`` get the gradient of their places, and what stood there 0.

    >>> import numpy as np, autograd_core as ag
    >>> x, v = ag.tensor(np.zeros(3)), ag.tensor([2.0, 5.0, 7.0], requires_grad=True)
    >>> ag.putmask(x, np.array([True, False, True]), v)
    >>> (x * x).sum().backward()
    >>> v.grad
    array([ 4.,  0., 14.], dtype=float32)
    """
    mask = as_array(strip(mask), bool)
    if mask.size != a.size:
        raise ValueError(message("putmask", f"a mask of shape {mask.shape}", f"{a.shape}"))
    values, mask = ravel(as_array(values)), mask.reshape(a.shape)
    if (chosen := np.flatnonzero(mask)).size:
        a[mask] = getitem(values, chosen % values.size)


@composite(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write ``src``, broadcast, into ``dst`` where the condition holds.

    ``src`` gets the gradient of the places written to, and what stood there 0.

    >>> import numpy as np, autograd_core as ag
    >>> x, v = ag.tensor(np.zeros(3)), ag.tensor(2.0, requires_grad=True)
    >>> ag.copyto(x, v, where=[True, False, True])
    >>> (x * x).sum().backward()
    >>> v.grad
    array(8., dtype=float32)
    """
    kind = getattr(src, "dtype", src)
    if not np.can_cast(kind if hasattr(src, "dtype") else as_array(src).dtype, dst.dtype, casting):
        raise TypeError(message("copyto", f"values of dtype {kind}", f"what casts to {dst.dtype}",
                                f"casting other than {casting!r}"))  # fmt: skip
    src, where = as_array(src), as_array(strip(where), bool)
    if where.ndim == 0 and where.all():
        dst[...] = src
    else:
        where = np.broadcast_to(where, dst.shape)
        dst[where] = getitem(broadcast_to(src, dst.shape), where)
