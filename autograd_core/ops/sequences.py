"""Values of polynomials, products of vectors, phases."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..calls import as_array
from ..errors import message
from ..node import has_box
from ..primitive import F, Operation, bilinear, composite, declare
from .joining import concatenate
from .products import matmul
from .shaping import expand_dims, matrix_transpose, moveaxis, transpose

__all__ = [
    "cross", "matvec", "permute_dims", "polyval", "unwrap", "vecmat",
]  # fmt: skip

permute_dims = transpose  # the array API's name, which NumPy has too


# -- polynomials -----------------------------------------------------------------------------------


def _polynomial(p: Any, x: Any) -> Any:
    return np.polyval(p, x)


def _slope(p: Any, x: Any) -> Any:
    """Return p'(x): of ``p_k x^(n-1-k)`` it is ``(n-1-k) p_k x^(n-2-k)``."""
    return _polyval(p[:-1] * np.arange(p.shape[0] - 1, 0, -1, dtype=p.dtype), x)


def _polyval_p(g: Any, y: Any, p: Any, x: Any) -> Any:
    """Sum ``g x^(n-1-k)`` over x for each k, from the last coefficient on."""
    sums = [np.sum(g)]
    for _ in range(p.shape[0] - 1):
        g = g * x
        sums.append(np.sum(g))
    return np.stack(sums[::-1])


def _polyval_x(g: Any, y: Any, p: Any, x: Any) -> Any:
    return g * _slope(p, x) if p.shape[0] > 1 else 0 * g


_polyval: Any = declare(
    _polynomial, (_polyval_p, _polyval_x), saves=("x", "p x"), name="polyval",
    doc="Polynomial p_0 x^(n-1) + ... + p_(n-1): dy/dp_k = x^(n-1-k), dy/dx = p'(x).",
)  # fmt: skip
_polyval.defjvp(lambda t, y, p, x: _polyval(t, x), _polyval_x)


@composite(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """Evaluate the polynomial ``p_0 x^(n-1) + ... + p_(n-1)`` at each element of ``x``.

    Differentiable in the coefficients, ``dy/dp_k = x^(n-1-k)``, and in ``x``, ``dy/dx = p'(x)``.
    Nothing but p and x is kept for the gradient, however many coefficients there are.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.polyval([1.0, 0.0, 5.0], x))(3.0)
    np.float64(6.0)
    """
    if isinstance(x, np.poly1d):
        raise TypeError(message("polyval", "a poly1d as x beside a Tensor", "an array of points"))
    p = as_array(p)
    if p.ndim == 1 and p.size:
        return _polyval(p, x)
    if p.ndim == 0:
        raise TypeError(message("polyval", "coefficients of shape ()", "a vector of them"))
    y = np.zeros_like(x)
    for row in p:  # coefficients that broadcast against x
        y = y * x + row
    return y


# -- products of vectors ---------------------------------------------------------------------------


def _cross_product(a: Any, b: Any) -> Any:
    return np.cross(a, b)


_cross: Operation = bilinear(
    _cross_product, lambda g, y, a, b: _cross(b, g), lambda g, y, a, b: _cross(g, a),
    saves=("b", "a"), name="cross", doc="a x b along the last axis: a_bar = b x g, b_bar = g x a.",
)  # fmt: skip


@composite(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Return the vector product ``a x b``: ``a_bar = b x g``, ``b_bar = g x a``.

    The vectors lie along ``axisa`` and ``axisb``, the result along ``axisc`` (or all along ``axis``);
    the other axes broadcast. One of length 2 has a third component of 0 (of two such the product is
    the third component alone), which NumPy deprecates.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.cross(a, [0.0, 0.0, 1.0])[0])(np.ones(3))
    array([0., 1., 0.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = as_array(a), as_array(b)
    if a.ndim < 1 or b.ndim < 1:
        raise ValueError(message("cross", f"shapes {a.shape} and {b.shape}", "vectors"))
    a = moveaxis(a, normalize_axis_index(axisa, a.ndim, "axisa"), -1)
    b = moveaxis(b, normalize_axis_index(axisb, b.ndim, "axisb"), -1)
    lengths = {a.shape[-1], b.shape[-1]}
    if not lengths <= {2, 3}:
        raise ValueError(message("cross", f"vectors of length {a.shape[-1]} and {b.shape[-1]}",
                                 "length 3 (or 2)", "axis="))  # fmt: skip
    if 2 in lengths:
        warnings.warn("[cross] got vectors of length 2, which NumPy deprecates; try a third "
                      "component of 0", DeprecationWarning, stacklevel=3)  # fmt: skip
    if lengths == {2}:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = _in_space(a), _in_space(b)
    n = max(a.ndim, b.ndim)
    y = _cross(a, b)
    place = normalize_axis_index(axisc, n, "axisc")
    return y if place == n - 1 else moveaxis(y, -1, place)


def _in_space(a: Any) -> Any:
    if a.shape[-1] == 3:
        return a
    return concatenate([a, np.zeros((*a.shape[:-1], 1), a.dtype)], axis=-1)


@composite(np.linalg.cross)
def _linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    a, b = as_array(x1), as_array(x2)
    for x in (a, b):
        if x.ndim < 1 or x.shape[normalize_axis_index(axis, x.ndim)] != 3:
            raise ValueError(message("cross", f"shapes {a.shape} and {b.shape} along axis {axis}",
                                     "vectors of length 3"))  # fmt: skip
    return cross(a, b, axis=axis)


def _named(name: str) -> Callable[[F], F]:
    """Register a function under NumPy's name where this NumPy has it (from 2.2 on)."""
    return composite(getattr(np, name)) if hasattr(np, name) else lambda fun: fun


def _check(name: str, vector: Any, matrix: Any, summed: int) -> None:
    """Compare the axes that are summed over; NumPy's own words are about signatures."""
    if vector.ndim < 1 or matrix.ndim < 2 or vector.shape[-1] != matrix.shape[summed]:
        raise ValueError(message(
            name, f"a matrix of shape {matrix.shape} and a vector of shape {vector.shape}",
            "(..., m, n) and (..., n)" if summed == -1 else "(..., n, m) and (..., n)"))  # fmt: skip


@_named("matvec")
def matvec(x1: Any, x2: Any, /) -> Any:
    """Return the products of matrices and vectors, ``y_i = sum_j A_ij x_j``, batched.

    ``A_bar = g x^T`` and ``x_bar = A^T g``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.matvec(np.array([[1.0, 2.0], [3.0, 4.0]]), x)[1])(np.ones(2))
    array([3., 4.])
    """
    a, x = as_array(x1), as_array(x2)
    _check("matvec", x, a, -1)
    if a.ndim == 2:  # one matrix for all vectors: one product
        return matmul(x, matrix_transpose(a))
    return np.squeeze(matmul(a, expand_dims(x, -1)), -1)


@_named("vecmat")
def vecmat(x1: Any, x2: Any, /) -> Any:
    """Return the products of vectors and matrices, ``y_j = sum_i x_i A_ij``, batched.

    ``x_bar = A g`` and ``A_bar = x g^T``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.vecmat(x, np.array([[1.0, 2.0], [3.0, 4.0]]))[1])(np.ones(2))
    array([2., 4.])
    """
    x, a = as_array(x1), as_array(x2)
    _check("vecmat", x, a, -2)
    if x.dtype.kind == "c":
        x = np.conjugate(x)
    if a.ndim == 2:
        return matmul(x, a)
    return np.squeeze(matmul(expand_dims(x, -2), a), -2)


# -- phases ----------------------------------------------------------------------------------------


def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    return np.unwrap(p, discont, axis, period=period)


_unwrap_op = declare(
    _unwrap, (lambda g, y, p, *, discont=None, axis=-1, period=None: g,), saves="", name="unwrap",
    doc="Phases without jumps: whole periods are added, so dy/dp = 1.",
)  # fmt: skip
_unwrap_op.defjvp(lambda t, y, p, *, discont=None, axis=-1, period=None: t)


@composite(np.unwrap, kinks="a step of half a period, where y jumps: 1")
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """Take out jumps along ``axis`` by adding whole periods: dy/dp = 1.

    ``discont`` and ``period`` are numbers, to which no gradient goes.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda p: ag.unwrap(p)[1])(np.array([0.0, 6.0]))
    array([0., 1.])
    """
    if has_box((discont, period)):
        raise TypeError(message("unwrap", "a Tensor as discont or period", "a number", "t.item()"))
    return _unwrap_op(p, discont=discont, axis=axis, period=period)
