"""Choosing among elements and values by conditions, positions, order; windows and interpolation.

The gradient goes where each value came from. ``interp`` has at a knot the slope on its right.
NumPy's ``put_along_axis``, ``fill_diagonal``, ``place`` and ``put`` write into their argument and
return nothing: they have no counterpart here; ``np.where`` makes a new array.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view as _numpy_windows

from ..calls import as_array
from ..ducks import check, may
from ..errors import message
from ..kernels.memory import zeros_in
from ..node import Box, has_box, strip
from ..primitive import Operation, composite, kernel, linear
from .elementwise import where
from .indexing import getitem, take_along_axis
from .joining import concatenate
from .shaping import astype, broadcast_to, ravel, reshape

__all__ = [
    "bincount", "choose", "compress", "extract", "interp", "partition", "piecewise", "select",
    "sliding_window_view",
]  # fmt: skip


# -- by conditions ---------------------------------------------------------------------------------


@composite(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """Return the slices of ``a`` along ``axis`` (of the flattened array) where the condition holds.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.compress([True, False, True], a).sum())(np.ones(3))
    array([1., 0., 1.])
    """
    condition = as_array(strip(condition))
    if condition.ndim != 1:
        raise ValueError(message("compress", f"a condition of shape {condition.shape}", "a vector"))
    if axis is None:
        a, axis = ravel(a), 0
    a = as_array(a)
    axis = normalize_axis_index(axis, a.ndim)
    chosen, n = np.flatnonzero(condition), a.shape[axis]
    if chosen.size and chosen[-1] >= n:
        raise IndexError(message("compress", f"a condition that holds at {chosen[-1]}",
                                 f"at most {n} elements, the length of axis {axis}"))  # fmt: skip
    return getitem(a, (slice(None),) * axis + (chosen,))


@composite(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """Return, as a vector, the elements of ``arr`` where the condition holds.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.extract(x > 1, x).sum())(np.array([1.0, 2.0, 3.0]))
    array([0., 1., 1.])
    """
    chosen, arr = np.flatnonzero(as_array(strip(condition))), ravel(arr)
    if chosen.size and chosen[-1] >= arr.size:
        raise IndexError(message("extract", f"a condition that holds at {chosen[-1]}",
                                 f"one of at most {arr.size} elements"))  # fmt: skip
    return getitem(arr, chosen)


@composite(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Return of each place the choice whose condition is the first to hold there, or the default.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> f = lambda x: ag.select([x < 0, x > 1], [-x, x * x], 1.0).sum()
    >>> ag.grad(f)(np.array([-3.0, 0.5, 2.0]))
    array([-1.,  0.,  4.])
    """
    conditions = [as_array(strip(c)) for c in condlist]
    choices = [c if type(c) in (int, float, complex) else as_array(c) for c in choicelist]
    if len(conditions) != len(choices) or not conditions:
        raise ValueError(message("select", f"{len(conditions)} conditions and {len(choices)} choices",
                                 "as many of one as of the other, at least 1"))  # fmt: skip
    for i, c in enumerate(conditions):
        if c.dtype != np.bool:
            raise TypeError(message("select", f"condition {i} of dtype {c.dtype}", "bool"))
    if type(default) not in (int, float, complex):
        default = as_array(default)
    dtype = np.result_type(*[getattr(c, "dtype", c) for c in (*choices, default)])
    y = astype(default, dtype) if isinstance(default, Box) else as_array(default, dtype)
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        y = where(condition, choice, y)
    return y


@composite(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Return of each place the function of ``x`` whose condition is the last to hold there.

    A function is called as ``f(x[condition], *args, **kw)``, with the Tensor of those elements, and
    not at all where there are none; a number stands for a constant function. One function more than
    conditions serves the places where none holds, which otherwise are 0. The result has x's dtype.

    The gradient goes through the function that gave the value.

    >>> import numpy as np, autograd_core as ag
    >>> f = lambda x: ag.piecewise(x, [x < 0], [lambda x: -x, lambda x: x**2]).sum()
    >>> ag.grad(f)(np.array([-3.0, 2.0]))
    array([-1.,  4.])
    """
    x, conditions = as_array(x), strip(condlist)
    if np.isscalar(conditions) or not isinstance(conditions[0], (list, np.ndarray)) and x.ndim:
        conditions = [conditions]
    conditions = np.asarray(conditions, dtype=bool)
    n = len(conditions)
    if len(funclist) == n + 1:
        otherwise = ~np.any(conditions, axis=0, keepdims=True)
        conditions = np.concatenate([conditions, otherwise], axis=0)
    elif len(funclist) != n:
        raise ValueError(message("piecewise", f"{n} conditions and {len(funclist)} functions",
                                 f"{n} or {n + 1} functions"))  # fmt: skip
    values: list[Any] = [np.zeros(1, x.dtype)]
    places, end = np.zeros(x.shape, np.intp), 1  # which of all the values stands where
    for condition, function in zip(conditions, funclist, strict=True):
        shape = places[condition].shape
        count = math.prod(shape)
        if not count:
            continue
        y = function(getitem(x, condition), *args, **kw) if callable(function) else function
        y = as_array(y)
        y = astype(y, x.dtype) if y.dtype != x.dtype else y
        values.append(ravel(y if y.shape == shape else broadcast_to(y, shape)))
        places[condition] = np.arange(end, end + count).reshape(shape)
        end += count
    if not has_box(values):  # nothing but numbers: still a Tensor, as x is
        values.append(getitem(ravel(x), slice(0, 0)))
    return getitem(concatenate(values), places)


# -- by position and order -------------------------------------------------------------------------


def _choose(*choices: Any, index: Any) -> Any:
    return np.choose(index, choices)


def _choose_rules(g: Any, y: Any, *choices: Any, index: Any) -> Any:
    return [np.where(index == k, g, 0) for k in range(len(choices))]


_choose_op = linear(
    _choose, joint=_choose_rules, name="choose",
    doc="choices[index], place by place: each gets the gradient where it stands.",
)  # fmt: skip


@composite(np.choose)
def choose(a: Any, choices: Any, *, mode: str = "raise") -> Any:
    """Return of each place the element of ``choices[a]`` there, after broadcasting.

    The gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda c: ag.choose([0, 1, 0], [c, 2 * c]).sum())(np.ones(3))
    array([1., 2., 1.])
    """
    index, n = as_array(strip(a)), len(choices)
    if index.dtype.kind not in "biu":
        raise TypeError(message("choose", f"an index of dtype {index.dtype}", "integers"))
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(message("choose", f"mode={mode!r}", "'raise', 'wrap' or 'clip'"))
    if n == 0:
        raise ValueError(message("choose", "no choices", "at least one"))
    if mode == "raise":
        check((index >= 0) & (index < n), ValueError, message(
            "choose", f"an index outside the {n} choices", f"0 to {n - 1}",
            "mode='wrap' or 'clip'"))  # fmt: skip
    index = index % n if mode == "wrap" else np.clip(index, 0, n - 1)
    if isinstance(choices, (tuple, list)):
        return _choose_op(*[c if type(c) in (int, float) else as_array(c) for c in choices], index=index)
    shape = np.broadcast_shapes(index.shape, choices.shape[1:])
    rest = (1,) * (len(shape) + 1 - choices.ndim)
    choices = reshape(choices, (n, *rest, *choices.shape[1:]))
    grid = np.indices(shape, sparse=True)
    return getitem(broadcast_to(choices, (n, *shape)), (np.broadcast_to(index, shape), *grid))


@composite(np.partition, kinks="ties: the one that argpartition puts there")
def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """Return ``a`` with the k-th smallest in its place, the smaller before it, the larger behind.

    The gradient goes back to the place that each element came from. The order within the parts is
    unspecified, here as in NumPy, and the two may differ in it.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.partition(x, 1)[1])(np.array([3.0, 1.0, 2.0]))
    array([0., 0., 1.])
    """
    if axis is None:
        a, axis = ravel(a), -1
    kth = strip(kth)
    return take_along_axis(a, np.argpartition(strip(a), kth, axis=axis, kind=kind, order=order), axis)


# -- sums over places ------------------------------------------------------------------------------


def _bincount(weights: Any, *, x: Any, minlength: Any = 0) -> Any:
    return np.bincount(x, weights, minlength).astype(weights.dtype, copy=False)


_bincount_op = linear(_bincount, lambda g, y, weights, *, x, minlength=0: g[x], name="bincount",
                      doc="Sums of the weights that fall to each number: weights_bar = g[x].")  # fmt: skip


@composite(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """Count how often each number occurs in ``x``, or sum the weights that fall to it.

    ``y_n = sum of weights_i where x_i = n``, in float64; ``weights_bar_i = g[x_i]``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda w: ag.bincount([0, 2, 2], w)[2])(np.ones(3))
    array([0., 1., 1.])
    """
    x = as_array(strip(x))
    if x.dtype.kind not in "biu" and x.size:
        raise TypeError(message("bincount", f"x of dtype {x.dtype}", "integers",
                                "bincount(x, weights=t): a derivative goes to the weights"))  # fmt: skip
    if weights is None:
        return np.bincount(x, None, strip(minlength))
    if np.shape(weights) != x.shape:
        raise ValueError(message("bincount", f"x of shape {x.shape} and weights of shape "
                                 f"{np.shape(weights)}", "two vectors of one length"))  # fmt: skip
    weights = as_array(weights)
    weights = weights if weights.dtype == np.float64 else astype(weights, np.float64)
    return _bincount_op(weights, x=x.astype(np.intp), minlength=strip(minlength))


# -- windows ---------------------------------------------------------------------------------------


def _windows(x: Any, *, length: int, axis: int) -> Any:
    return _numpy_windows(x, length, axis)


def _add_windows(g: Any, *, length: int, axis: int, out: Any = None) -> Any:
    """Add up windows, which lie along the last axis, where they stood along ``axis``.

    Never a loop over all: either one addition for each place in a window, or, as that strides
    through g again and again (three times slower at 50), one for each set of windows end to end.
    """
    before, n = (slice(None),) * axis, g.shape[axis]
    out = zeros_in(out, (*g.shape[:axis], n + length - 1, *g.shape[axis + 1 : -1]), g.dtype)
    if length <= 4:
        for k in range(length):
            out[(*before, slice(k, k + n))] += g[..., k]
        return out
    rows = np.moveaxis(g, -1, axis + 1)
    for k in range(min(length, n)):
        ends = rows[(*before, slice(k, None, length))]  # the windows at k, k + length, ...
        part = out[(*before, slice(k, k + ends.shape[axis] * length))]
        part.reshape(ends.shape)[...] += ends  # splitting an axis makes a view
    return out


_windows_op: Operation = linear(
    _windows, lambda g, y, x, *, length, axis: _overlap(g, length=length, axis=axis),
    name="sliding_window_view", view=True, doc="Windows along an axis, as a new last axis.",
)  # fmt: skip
_overlap: Operation = linear(
    kernel(_add_windows, out=True), lambda g, y, x, *, length, axis: _windows_op(g, length=length, axis=axis),
    name="add_windows", doc="Windows added up where they stood: the adjoint of sliding_window_view.",
)  # fmt: skip


@composite(_numpy_windows)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """Return all windows of a shape that fit in ``x``, their axes behind those of their places.

    ``y[i, j] = x[i + j]``; the gradient of an element is the sum over the windows that it is in.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sliding_window_view(x, 3).sum())(np.ones(5))
    array([1., 2., 3., 2., 1.])
    """
    x = as_array(x)
    lengths = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(
        axis, x.ndim, allow_duplicate=True)  # fmt: skip
    if len(lengths) != len(axes):
        raise ValueError(message("sliding_window_view", f"a window of {len(lengths)} axes for axes {axes}",
                                 "one length for each", "axis="))  # fmt: skip
    if writeable:
        raise ValueError(message("sliding_window_view", "writeable=True beside a Tensor", "False"))
    for length, place in zip(lengths, axes, strict=True):
        if not 0 <= length <= x.shape[place]:
            raise ValueError(message("sliding_window_view", f"windows {window_shape} in shape {x.shape}",
                                     "none negative or larger than the array"))  # fmt: skip
        x = _windows_op(x, length=int(length), axis=place)
    return x


# -- along a line ----------------------------------------------------------------------------------


@composite(np.interp, kinks="x at a knot: the slope on the right; at the last knot: 0")
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Return the values at ``x`` of the line through the points ``(xp, fp)``, in float64.

    Differentiable in all of them. Between two points ``y = f0 + s (x - x0)``, ``s = (f1 - f0) /
    (x1 - x0)``: dy/dx = s. At a knot it is the slope on the right, at the last one and beyond the
    ends 0.

    >>> import autograd_core as ag
    >>> ag.grad(lambda x: ag.interp(x, [0.0, 1.0, 3.0], [0.0, 1.0, 7.0]))(1.0)
    np.float64(3.0)
    """
    x, xp, fp = (_double(v) for v in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(message("interp", f"xp of shape {xp.shape} and fp of shape {fp.shape}",
                                 "two vectors of one length, not empty"))  # fmt: skip
    if period is not None:
        if strip(period) == 0:
            raise ValueError(message("interp", "period=0", "another number"))
        period, left, right = np.abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(strip(xp))
        xp, fp = xp[order], fp[order]
        xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = concatenate([fp[-1:], fp, fp[:1]])
    at, knots = as_array(strip(x)), as_array(strip(xp))
    below, within, beyond = at < knots[0], (at >= knots[0]) & (at < knots[-1]), at > knots[-1]
    i = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, max(knots.size - 2, 0))
    j = np.minimum(i + 1, knots.size - 1)
    x0, f0 = _at(xp, i), _at(fp, i)
    slope = (_at(fp, j) - f0) / where(within, _at(xp, j) - x0, 1.0)
    y = where(within, slope * (where(within, x, x0) - x0) + f0, where(below, fp[0], fp[-1]))
    if left is not None:
        y = where(below, left, y)
    if right is not None:
        y = where(beyond, right, y)
    return where(np.isnan(at), at, y) if may(np.isnan(at)) else y


def _at(x: Any, i: Any) -> Any:
    """Return ``x[i]``, also of an array and the indices that a duck array stands for."""
    return _taken(x, i) if isinstance(x, np.ndarray) else x[i]


@kernel
def _taken(x: Any, i: Any) -> Any:
    return x[i]


def _double(x: Any) -> Any:
    x = as_array(x)
    if x.dtype.kind == "c":
        raise TypeError(message("interp", "complex numbers beside a Tensor", "real ones", "x.real, x.imag"))
    return x if x.dtype == np.float64 else astype(x, np.float64)
