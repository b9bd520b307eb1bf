"""Functions applied along axes, running sums from NumPy 2.1 on, arrays repeated or cut to a size."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..calls import as_array
from ..errors import message
from ..node import strip
from ..primitive import F, composite
from .indexing import getitem
from .joining import concatenate, stack, vstack
from .reductions import cumsum
from .scans import cumprod
from .shaping import astype, atleast_1d, expand_dims, moveaxis, ravel, reshape

__all__ = ["apply_along_axis", "apply_over_axes", "cumulative_prod", "cumulative_sum", "resize",
           "trim_zeros"]


@composite(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``func1d`` of each vector along an axis; its results stand in the place of that axis.

    One call for each vector: a function that takes an axis itself is faster. The gradient goes through
    ``func1d``, also to Tensors among ``args``.

    >>> import numpy as np, autograd_core as ag
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> ag.grad(lambda x: ag.apply_along_axis(lambda v: v[0] * v[1], 0, x).sum())(x)
    array([[3., 4.],
           [1., 2.]])
    """
    arr = as_array(arr)
    axis = normalize_axis_index(axis, arr.ndim)
    last = moveaxis(arr, axis, -1)
    outer = last.shape[:-1]
    if 0 in outer:
        raise ValueError(message("apply_along_axis", f"shape {arr.shape}", "at least one vector"))
    results = [func1d(getitem(last, place), *args, **kwargs) for place in product(*map(range, outer))]
    y = stack(results) if outer else as_array(results[0])
    inner = y.shape[bool(outer) :]
    y = reshape(y, (*outer, *inner))
    for i in range(len(inner)):
        y = moveaxis(y, len(outer) + i, axis + i)
    return y


@composite(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """Return ``func(a, axis)`` for one axis after the other; an axis that it takes away comes back as 1.

    The gradient is that of the calls.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.apply_over_axes(ag.sum, x, [0, 1])[0, 0])(np.ones((2, 2)))
    array([[1., 1.],
           [1., 1.]])
    """
    a = as_array(a)
    n = a.ndim
    for axis in np.atleast_1d(np.asarray(axes, int)):
        axis = int(axis) + n if axis < 0 else int(axis)
        y = func(a, axis)
        a = y if y.ndim == a.ndim else expand_dims(y, axis)
        if a.ndim != n:
            raise ValueError(message("apply_over_axes", f"a result of shape {y.shape} over axis {axis}",
                                     f"{n} or {n - 1} axes"))  # fmt: skip
    return a


def _since(name: str) -> Callable[[F], F]:
    """Register a function under NumPy's name where this NumPy has it (from 2.1 on)."""
    return composite(getattr(np, name)) if hasattr(np, name) else lambda fun: fun


def _cumulative(name: str, scan: Any, x: Any, axis: Any, dtype: Any, out: Any, first: Any) -> Any:
    x = atleast_1d(as_array(x))
    if out is not None:
        raise TypeError(message(name, "out=", "no array to write into"))
    if axis is None and x.ndim > 1:
        raise ValueError(message(name, f"shape {x.shape} and no axis", "an axis", "axis=0"))
    axis = normalize_axis_index(axis or 0, x.ndim)
    y = scan(x if dtype is None else astype(x, dtype), axis=axis)
    if first is None:
        return y
    one = tuple(1 if i == axis else n for i, n in enumerate(y.shape))
    return concatenate([np.full(one, first, y.dtype), y], axis=axis)


@_since("cumulative_sum")
def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    """Return the running sum along an axis, after 0 if ``include_initial``: ``x_bar[i] = sum_(k>=i) g[k]``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.cumulative_sum(x, include_initial=True).sum())(np.ones(3))
    array([3., 2., 1.])
    """
    return _cumulative("cumulative_sum", cumsum, x, axis, dtype, out, 0 if include_initial else None)


@_since("cumulative_prod")
def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    """Return the running product along an axis, after 1 if ``include_initial``; right with zeros.

    The gradient is that of ``cumprod``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.cumulative_prod(x)[-1])(np.array([2.0, 0.0, 5.0]))
    array([ 0., 10.,  0.])
    """
    return _cumulative("cumulative_prod", cumprod, x, axis, dtype, out, 1 if include_initial else None)


@composite(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """Return the elements in a new shape, repeated in order as often as it takes, or cut off.

    Each gets the sum of the gradients of its repetitions.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.resize(x, (2, 2)).sum())(np.ones(3))
    array([2., 1., 1.])
    """
    shape = tuple(new_shape) if isinstance(new_shape, (tuple, list)) else (int(new_shape),)
    if min(shape, default=1) < 0:
        raise ValueError(message("resize", f"new_shape={shape}", "lengths of 0 or more"))
    a = ravel(a)
    n = math.prod(shape)
    if n == 0 or a.shape[0] == 0:
        return np.zeros(shape, a.dtype) + np.sum(getitem(a, slice(0, 0)))
    return reshape(getitem(a, np.arange(n) % a.shape[0]), shape)


@composite(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Return an array without the zeros at the front ("f"), at the back ("b") or both, by its values.

    Of several axes it is the smallest box that holds what is not 0, along ``axis`` or all of them.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.trim_zeros(x).sum())(np.array([0.0, 1.0, 0.0, 2.0, 0.0]))
    array([0., 1., 1., 1., 0.])
    """
    filt, trim = as_array(filt), trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise ValueError(message("trim_zeros", f"trim={trim!r}", "'f', 'b' or 'fb'"))
    axes = range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim)
    where = np.argwhere(strip(filt))
    index = []
    for i, n in enumerate(filt.shape):
        first, last = (where[:, i].min(), where[:, i].max() + 1) if len(where) else (0, 0)
        if i in axes:
            front = "f" in trim
            index.append(slice(int(first) if front else None, int(last) if "b" in trim else n))
            if not len(where) and "b" not in trim:
                index[-1] = slice(n, n)
        else:
            index.append(slice(None))
    return getitem(filt, tuple(index))


if "row_stack" in np.__all__:  # NumPy 2 deprecates it

    @composite(np.row_stack)  # noqa: NPY201
    def _row_stack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
        warnings.warn("[row_stack] is deprecated in NumPy; try vstack", DeprecationWarning, stacklevel=3)
        return vstack(tup, dtype=dtype, casting=casting)
