"""Statistics: averages, what ignores NaN, covariance."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..calls import as_array
from ..ducks import check
from ..errors import message
from ..node import strip
from ..primitive import composite, kernel
from .elementwise import clip
from .joining import concatenate
from .reductions import count, mean, norm2, prod, reduction, sum
from .shaping import astype, atleast_2d, broadcast_to, reshape, transpose

__all__ = [
    "average", "corrcoef", "cov", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar",
]  # fmt: skip


# -- what ignores NaN --------------------------------------------------------------------------------


def _nanmax(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.nanmax(x, axis=axis, keepdims=keepdims)


def _nanmin(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.nanmin(x, axis=axis, keepdims=keepdims)


def _ties(g: Any, y: Any, x: Any, *, axis: Any = None) -> Any:
    mask = x == y
    n = np.add.reduce(mask, axis=axis, keepdims=True, dtype=g.dtype)
    return np.where(mask, g, 0) / (n + (n == 0))  # 0: nothing but NaN


nanmax = reduction(_nanmax, _ties, numpy=(np.nanmax,), kinks="ties: shared evenly",
                   doc="""Largest element that is not NaN: dy/dx = 1 there.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanmax)(np.array([1.0, np.nan, 3.0]))
    array([0., 0., 1.])
    """)  # fmt: skip
nanmin = reduction(_nanmin, _ties, numpy=(np.nanmin,), kinks="ties: shared evenly",
                   doc="""Smallest element that is not NaN: dy/dx = 1 there.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanmin)(np.array([1.0, np.nan, 3.0]))
    array([1., 0., 0.])
    """)  # fmt: skip


@composite(np.nansum)
def nansum(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Return the sum of what is not NaN; the gradient at NaN is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nansum)(np.array([1.0, np.nan, 3.0]))
    array([1., 0., 1.])
    """
    return sum(np.where(np.isnan(a), 0, a), axis=axis, keepdims=keepdims)


@composite(np.nanprod)
def nanprod(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Return the product of what is not NaN; the gradient at NaN is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanprod)(np.array([2.0, np.nan, 3.0]))
    array([3., 0., 2.])
    """
    return prod(np.where(np.isnan(a), 1, a), axis=axis, keepdims=keepdims)


def _counted(a: Any, axis: Any, keepdims: bool) -> tuple[Any, Any]:
    """Return where there is NaN, and how many elements are not, as numbers of the dtype."""
    missing = np.isnan(strip(a))
    n = np.sum(~missing, axis=axis, keepdims=keepdims)
    return missing, as_array(n, a.dtype if a.dtype.kind == "f" else float)


@kernel
def _warned(n: Any, text: str) -> Any:
    """Return ``n``, of which what is not positive becomes NaN."""
    if not (n > 0).all():
        warnings.warn(text, RuntimeWarning, stacklevel=5)
    return np.where(n > 0, n, np.nan).astype(n.dtype)


@composite(np.nanmean)
def nanmean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Return the mean of what is not NaN; the gradient is 1/n there, and 0 at NaN.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanmean)(np.array([1.0, np.nan, 3.0]))
    array([0.5, 0. , 0.5])
    """
    a = as_array(a)
    missing, n = _counted(a, axis, keepdims)
    return sum(np.where(missing, 0, a), axis=axis, keepdims=keepdims) / _warned(n, "Mean of empty slice")


def _centred(a: Any, axis: Any, ddof: Any, keepdims: bool) -> tuple[Any, Any]:
    """Return the distances from the mean, 0 at NaN, and what their squares are divided by."""
    missing, n = _counted(a, axis, True)
    middle = sum(np.where(missing, 0, a), axis=axis, keepdims=True) / np.maximum(n, 1)
    n = _warned(n - ddof, "Degrees of freedom <= 0 for slice.")
    return np.where(missing, 0, a - middle), n if keepdims else np.add.reduce(n, axis=axis)




@composite(np.nanvar)
def nanvar(a: Any, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    """Return the variance of what is not NaN; the gradient at NaN is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanvar)(np.array([1.0, np.nan, 3.0]))
    array([-1.,  0.,  1.])
    """
    d, n = _centred(as_array(a), axis, ddof, keepdims)
    return sum(d * d, axis=axis, keepdims=keepdims) / n


@composite(np.nanstd, kinks="constant a: 0")
def nanstd(a: Any, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    """Return the standard deviation of what is not NaN; the gradient is 0 at NaN and where it is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.nanstd)(np.array([1.0, np.nan, 3.0]))
    array([-0.5,  0. ,  0.5])
    """
    d, n = _centred(as_array(a), axis, ddof, keepdims)
    return norm2(d, axis=axis, keepdims=keepdims) / np.sqrt(n)


# -- averages and covariance -------------------------------------------------------------------------


@composite(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Return ``y = sum(w a) / sum(w)``, and with ``returned`` also the sum of the weights.

    ``dy/da = w / sum(w)`` and ``dy/dw = (a - y) / sum(w)``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.average)(np.ones(3), weights=np.array([1.0, 1.0, 2.0]))
    array([0.25, 0.25, 0.5 ])
    """
    a = as_array(a)
    axis = None if axis is None else normalize_axis_tuple(axis, a.ndim, argname="axis")
    if weights is None:
        y = mean(a, axis=axis, keepdims=keepdims)
        return (y, np.full(y.shape, count(a, axis), y.dtype)) if returned else y
    w = as_array(weights)
    if w.shape != a.shape:
        if axis is None:
            raise TypeError(message("average", f"weights of shape {w.shape} for shape {a.shape}",
                                    "an axis, or weights of the same shape"))  # fmt: skip
        if w.shape != tuple(a.shape[i] for i in axis):
            raise ValueError(message("average", f"weights of shape {w.shape}",
                                     f"{tuple(a.shape[i] for i in axis)}, of the axes {axis}"))  # fmt: skip
        w = reshape(transpose(w, np.argsort(axis)), [n if i in axis else 1 for i, n in enumerate(a.shape)])
    a = a if a.dtype.kind in "fc" else astype(a, float)
    total = sum(w, axis=axis, keepdims=keepdims)
    if not np.all(strip(total)):
        raise ZeroDivisionError(message("average", "weights that sum to zero", "another sum"))
    y = sum(a * w, axis=axis, keepdims=keepdims) / total
    return (y, broadcast_to(astype(as_array(total), y.dtype), y.shape)) if returned else y


def _observations(x: Any, name: str, rowvar: bool, dtype: Any) -> Any:
    """Return a matrix with a row for each variable."""
    if np.ndim(x) > 2:
        raise ValueError(message("cov", f"{name} of {np.ndim(x)} axes", "at most 2"))
    rows = astype(atleast_2d(x), dtype)
    turned = not rowvar and (np.ndim(x) != 1 if name == "m" else rows.shape[0] != 1)
    return transpose(rows) if turned else rows


@composite(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """Return the covariances of the rows: ``C = X w X^T / f``, with X centred and ``f = n - 1``.

    ``X_bar = (G + G^T) X w / f``, less its mean. ``aweights`` have a gradient too. As NumPy's, the
    result is float64 unless ``dtype`` says otherwise.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.cov)(np.array([1.0, 2.0, 6.0]))
    array([-2., -1.,  3.])
    """
    if ddof is not None and ddof != int(ddof):
        raise ValueError(message("cov", f"ddof={ddof}", "a whole number"))
    m, y = as_array(m), None if y is None else as_array(y)
    dtype = dtype or np.result_type(m.dtype, np.float64, *([] if y is None else [y.dtype]))
    x = _observations(m, "m", rowvar, dtype)
    if x.shape[0] == 0:
        return np.zeros((0, 0))
    if y is not None:
        x = concatenate([x, _observations(y, "y", rowvar, dtype)])
    ddof = (0 if bias else 1) if ddof is None else ddof
    n, given = x.shape[1], {"fweights": strip(fweights), "aweights": aweights}
    for name, v in given.items():
        if v is not None and (np.ndim(v) != 1 or np.shape(v) != (n,)):
            raise RuntimeError(message("cov", f"{name} of shape {np.shape(v)}", f"({n},)"))
        if v is not None:
            check(np.logical_not(np.less(strip(v), 0)), ValueError,
                  message("cov", f"negative {name}", "numbers from 0 on"))  # fmt: skip
    if fweights is not None:
        check(np.equal(given["fweights"], np.around(given["fweights"])), TypeError,
              message("cov", "broken fweights", "whole numbers", "aweights"))  # fmt: skip
    parts = [astype(as_array(v), float) for v in given.values() if v is not None]
    w = parts[0] * parts[1] if len(parts) == 2 else parts[0] if parts else None
    if w is None:
        f, centre = n - ddof, mean(x, axis=1, keepdims=True)
    else:
        total = sum(w)
        lost = ddof if aweights is None or ddof == 0 else ddof * sum(w * parts[-1]) / total
        f, centre = total - lost, reshape(np.matmul(x, w) / total, (-1, 1))
    if strip(f) <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
        f = 0.0
    x = x - centre
    c = np.matmul(x, transpose(x if w is None else x * w))
    return np.squeeze(c * np.true_divide(1, f))


@composite(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Return the correlations of the rows: ``R_ij = C_ij / sqrt(C_ii C_jj)``, within [-1, 1].

    The gradient is that of the covariances, scaled.

    >>> import numpy as np, autograd_core as ag
    >>> x = np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
    >>> ag.grad(lambda x: ag.corrcoef(x)[0, 1])(x).round(3).tolist()
    [[-0.25, 0.5, -0.25], [-0.25, -0.25, 0.5]]
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    s = np.sqrt(np.diagonal(c))
    return clip(c / reshape(s, (-1, 1)) / s, -1, 1)
