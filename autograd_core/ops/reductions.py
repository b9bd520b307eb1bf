"""Sums, extremes and norms over axes, and what is normalised along one.

``axis`` is None, a number or a tuple, as in NumPy. Ties of ``max`` and ``min`` share evenly;
``norm`` and ``std`` have derivative 0 where they are 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..errors import message
from ..kernels.memory import memory_for
from ..primitive import composite, declare, kernel, linear
from .elementwise import absolute
from .indexing import getitem

__all__ = [
    "cumsum", "log_softmax", "logsumexp", "max", "mean", "min", "norm", "prod", "ptp", "softmax",
    "std", "sum", "var",
]  # fmt: skip


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return ``axis`` as a tuple of non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, int):
        return (normalize_axis_index(axis, ndim),)
    return normalize_axis_tuple(axis, ndim)


def kept(v: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Return ``v``, reduced from ``x``, in a shape that broadcasts against ``x``."""
    if keepdims or axis is None:
        return v
    axes = axes_of(axis, x.ndim)
    return np.reshape(v, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def count(x: Any, axis: Any) -> int:
    """Return how many elements of ``x`` are reduced to one."""
    return math.prod(x.shape[a] for a in axes_of(axis, x.ndim))


def reduction(fun: Any, rule: Any, **known: Any) -> Any:
    """Declare a reduction by its elementwise derivative ``rule(g, y, x, *, axis, **params)``.

    ``g`` and ``y`` come with the reduced axes kept (``y`` only where it is saved). As in
    ``elementwise`` one rule serves both modes: the JVP is the sum of the rule, read with the tangent.
    """

    saves_y = "y" in (known.get("saves") or "x y").split()

    def vjp(g: Any, y: Any, x: Any, *, axis: Any = None, keepdims: Any = False, **p: Any) -> Any:
        y = kept(y, x, axis, keepdims) if saves_y else y
        return rule(kept(g, x, axis, keepdims), y, x, axis=axis, **p)

    def jvp(t: Any, y: Any, x: Any, *, axis: Any = None, keepdims: Any = False, **p: Any) -> Any:
        y = kept(y, x, axis, keepdims) if saves_y else y
        terms = rule(t, y, x, axis=axis, **p)
        return np.add.reduce(terms, axis=axis, keepdims=keepdims)

    return declare(fun, (vjp,), **known).defjvp(jvp)


def _sum(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False) -> Any:
    return np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)


def _sum_rule(g: Any, y: Any, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    return kept(g, x, axis, keepdims)


sum = linear(_sum, _sum_rule, numpy=(np.sum,), doc="""Sum over axes: dy/dx = 1.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.sum)(np.ones(2))
    array([1., 1.])
    """)


def _mean(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False) -> Any:
    return np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims) / count(x, axis)


def _mean_rule(g: Any, y: Any, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    return kept(g, x, axis, keepdims) / count(x, axis)


mean = linear(_mean, _mean_rule, numpy=(np.mean,), doc="""Mean over axes: dy/dx = 1/n.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.mean)(np.ones(4))
    array([0.25, 0.25, 0.25, 0.25])
    """)


def _ties(g: Any, y: Any, x: Any, *, axis: Any = None) -> Any:
    mask = x == y
    return np.where(mask, g, 0) / np.add.reduce(mask, axis=axis, keepdims=True, dtype=g.dtype)


def _max(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)


def _min(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)


max = reduction(_max, _ties, numpy=(np.max, np.amax), kinks="ties: shared evenly",
                doc="""Largest element over axes: dy/dx = 1 there.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.max)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """)  # fmt: skip
min = reduction(_min, _ties, numpy=(np.min, np.amin), kinks="ties: shared evenly",
                doc="""Smallest element over axes: dy/dx = 1 there.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.min)(np.array([1.0, 3.0, 3.0]))
    array([1., 0., 0.])
    """)  # fmt: skip


@composite(np.ptp, kinks="ties: shared evenly at each end")
def ptp(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    """Range ``max - min`` over axes. dy/dx is 1 at the largest, -1 at the smallest.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.ptp)(np.array([1.0, 5.0, 2.0]))
    array([-1.,  1.,  0.])
    """
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


def _var(x: Any, axis: Any = None, *, ddof: Any = 0, keepdims: Any = False) -> Any:
    d = x - _mean(x, axis, keepdims=True)
    return np.add.reduce(d * d, axis=axis, keepdims=keepdims) / (count(x, axis) - ddof)


def _var_rule(g: Any, y: Any, x: Any, *, axis: Any = None, ddof: Any = 0) -> Any:
    return g * 2 / (count(x, axis) - ddof) * (x - np.mean(x, axis=axis, keepdims=True))


def _std(x: Any, axis: Any = None, *, ddof: Any = 0, keepdims: Any = False) -> Any:
    return np.sqrt(_var(x, axis, ddof=ddof, keepdims=keepdims))


def _std_rule(g: Any, y: Any, x: Any, *, axis: Any = None, ddof: Any = 0) -> Any:
    return _var_rule(g / (2 * (y + (y == 0))), y, x, axis=axis, ddof=ddof)


var = reduction(_var, _var_rule, numpy=(np.var,), saves="x",
                doc="""Variance over axes: dy/dx = 2 (x - mean) / (n - ddof).

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.var)(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """)  # fmt: skip
std = reduction(_std, _std_rule, numpy=(np.std,), kinks="constant x: 0",
                doc="""Standard deviation over axes: dy/dx = (x - mean) / ((n - ddof) y).

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.std)(np.array([1.0, 3.0]))
    array([-0.5,  0.5])
    """)  # fmt: skip


@composite(np.prod)
def prod(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False) -> Any:
    """Product over axes, multiplied in pairs; its derivatives are right with zeros, to any order.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.prod)(np.array([2.0, 0.0, 5.0]))
    array([ 0., 10.,  0.])
    """
    if not hasattr(x, "shape"):
        x = np.asarray(x)
    if dtype is not None:
        x = np.astype(x, dtype)
    axes = axes_of(axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    n = count(x, axis)
    y = np.reshape(np.transpose(x, (*axes, *rest)), (n, *[x.shape[i] for i in rest]))
    if n == 0:
        return sum(x, axis=axis, keepdims=keepdims) + 1
    while n > 1:
        half = n // 2
        pairs = getitem(y, slice(0, half)) * getitem(y, slice(half, 2 * half))
        y = np.concatenate((pairs, getitem(y, slice(2 * half, n)))) if n % 2 else pairs
        n = half + n % 2
    shape = [1 if i in axes else m for i, m in enumerate(x.shape)] if keepdims else [x.shape[i] for i in rest]
    return np.reshape(y, tuple(shape))


def _cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return np.cumsum(x, axis=axis, dtype=dtype)


def _cumsum_from_end(x: Any, *, axis: Any, shape: Any, out: Any = None) -> Any:
    y = memory_for(out, shape, x.dtype)
    axis = normalize_axis_index(axis or 0, x.ndim)
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    np.cumsum(x[backwards], axis=axis, out=y.reshape(x.shape)[backwards])
    return y


cumsum: Any = linear(
    _cumsum, lambda g, y, x, *, axis=None, dtype=None: cumsum_from_end(g, axis=axis, shape=x.shape),
    numpy=(np.cumsum,), name="cumsum",
    doc="""Running sum along an axis; its gradient is a running sum from the end.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.cumsum(x).sum())(np.ones(3))
    array([3., 2., 1.])
    """,
)  # fmt: skip
cumsum_from_end: Any = linear(
    kernel(_cumsum_from_end, out=True),
    lambda g, y, x, *, axis, shape: np.cumsum(g, axis=axis), name="cumsum_from_end",
    doc="Running sum from the end, in the shape of what ``cumsum`` was given: its adjoint.",
)  # fmt: skip

# -- norms ------------------------------------------------------------------------------------------


def _norm2(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.sqrt(np.add.reduce(x * x, axis=axis, keepdims=keepdims))


norm2 = reduction(_norm2, lambda g, y, x, *, axis=None: g * (x / (y + (y == 0))), name="norm",
                  kinks="x = 0: 0", doc="Euclidean norm over axes: dy/dx = x / y.")  # fmt: skip


def _norm_p(x: Any, axis: Any = None, *, p: float, keepdims: Any = False) -> Any:
    return np.add.reduce(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p)


def _norm_p_rule(g: Any, y: Any, x: Any, *, p: float, axis: Any = None) -> Any:
    return g * np.sign(x) * ((np.abs(x) + (x == 0)) / (y + (y == 0))) ** (p - 1)


norm_p = reduction(_norm_p, _norm_p_rule, name="norm_p", kinks="any x_i = 0: 0 there",
                   doc="(sum |x|^p)^(1/p) over axes: dy/dx = sign(x) (|x| / y)^(p-1).")  # fmt: skip


@composite(
    np.linalg.norm,
    kinks="x = 0: 0, and for another p where any x_i = 0: 0 there; ties of inf and -inf: shared evenly",
)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """Norm of vectors along ``axis``, or of matrices over a pair of axes, as in NumPy.

    ``||x||_p = (sum |x_i|^p)^(1/p)``. Derivative 0 at 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.norm)(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    if not hasattr(x, "ndim"):
        x = np.asarray(x)
    axes = axes_of(axis, x.ndim)
    matrix = len(axes) == 2
    if ord is None or (ord == "fro" and matrix) or (ord == 2 and len(axes) == 1):
        if axis is not None and len(axes) > 2:
            raise ValueError(message("norm", f"{len(axes)} axes", "one or two"))
        return norm2(x, axis=axis, keepdims=keepdims)
    size = absolute(x)
    if len(axes) == 1:
        if ord == math.inf or ord == -math.inf:
            return (max if ord > 0 else min)(size, axis=axes, keepdims=keepdims)
        if ord == 1:
            return sum(size, axis=axes, keepdims=keepdims)
        if ord == 0:  # how many are not 0: it has derivative 0 wherever it has one
            return np.sum((x != 0).astype(x.dtype), axis=axes, keepdims=keepdims)
        if not isinstance(ord, str):
            return norm_p(x, axis=axes, p=ord, keepdims=keepdims)
    elif matrix and ord in (1, -1, math.inf, -math.inf):
        inner = axes[0] if abs(ord) == 1 else axes[1]
        outer = axes[1] if abs(ord) == 1 else axes[0]
        y = (max if ord > 0 else min)(sum(size, axis=inner, keepdims=True), axis=outer, keepdims=True)
        return y if keepdims else np.reshape(y, tuple(n for i, n in enumerate(x.shape) if i not in axes))
    elif matrix and ord in (2, -2, "nuc"):
        from .linalg import matrix_norm  # by singular values; it stands on this file

        y = matrix_norm(np.moveaxis(x, axes, (-2, -1)), ord=ord)
        return np.expand_dims(y, axes) if keepdims else y
    got = f"ord={ord!r} over {len(axes)} axes"
    raise ValueError(message("norm", got, "None, 'fro', or a vector norm"))


# -- along one axis --------------------------------------------------------------------------------


def _floating(x: Any) -> Any:
    return x if x.dtype.kind in "fc" else x.astype(float)


def _logsumexp(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    x = _floating(x)
    top = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    shifted = np.exp(x - np.where(np.isfinite(top), top, 0))
    total = np.add.reduce(shifted, axis=axis, keepdims=keepdims)
    top = np.add.reduce(top, axis=axis, keepdims=keepdims)  # of axes of length 1
    return np.log(total + (total == 0)) + top  # nothing but -inf: log(1) - inf


def _logsumexp_rule(g: Any, y: Any, x: Any, *, axis: Any = None) -> Any:
    return g * np.exp(x - np.where(y == -math.inf, 0.0, y))  # the sum of nothing but zeros: 0


logsumexp = reduction(_logsumexp, _logsumexp_rule,
                      doc="""log(sum(e^x)) over axes, without overflow: dy/dx = e^(x - y).

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.logsumexp)(np.zeros(2))
    array([0.5, 0.5])
    """)  # fmt: skip


def _softmax(x: Any, axis: Any = -1) -> Any:
    x = _floating(x)
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


def _softmax_rule(g: Any, y: Any, x: Any, *, axis: Any = -1) -> Any:
    return y * (g - np.add.reduce(g * y, axis=axis, keepdims=True))  # a symmetric Jacobian


softmax = declare(_softmax, (_softmax_rule,), saves="y",
                  doc="""e^x / sum(e^x) along an axis: x_bar = y (g - sum(g y)).

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.softmax(x)[0])(np.zeros(2))
    array([ 0.25, -0.25])
    """)  # fmt: skip
softmax.defjvp(_softmax_rule)


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    x = _floating(x)
    x = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    total = np.add.reduce(np.exp(x), axis=axis, keepdims=True)
    return x - np.log(total + (total == 0))  # 0 only where the axis is empty


log_softmax = declare(
    _log_softmax,
    (lambda g, y, x, *, axis=-1: g - np.exp(y) * np.add.reduce(g, axis=axis, keepdims=True),),
    saves="y", doc="""x - log(sum(e^x)) along an axis: x_bar = g - e^y sum(g).

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.log_softmax(x)[0])(np.zeros(2))
    array([ 0.5, -0.5])
    """,
)  # fmt: skip
log_softmax.defjvp(
    lambda t, y, x, *, axis=-1: t - np.add.reduce(np.exp(y) * t, axis=axis, keepdims=True)
)
