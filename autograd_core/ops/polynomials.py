"""Arithmetic of polynomials, given as vectors of coefficients, highest power first; least-squares fits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..calls import as_array
from ..errors import message
from ..node import strip
from ..primitive import composite
from .convolution import convolve
from .equations import inv, lstsq, solve
from .indexing import getitem
from .joining import concatenate
from .laying import vander
from .products import matmul
from .reductions import norm
from .shaping import astype, atleast_1d, expand_dims, matrix_transpose, reshape

__all__ = ["polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub"]


def _coefficients(name: str, p: Any) -> Any:
    p = atleast_1d(as_array(p))
    if p.ndim != 1 and name not in ("polyadd", "polysub"):
        raise ValueError(message(name, f"coefficients of shape {p.shape}", "a vector of them"))
    return p


def _longer(p: Any, n: int) -> Any:
    """Return coefficients with zeros in front, n in all."""
    more = n - p.shape[0]
    return concatenate([np.zeros((more, *p.shape[1:]), p.dtype), p]) if more else p


def _sum_of(name: str, a1: Any, a2: Any, sign: int) -> Any:
    a1, a2 = _coefficients(name, a1), _coefficients(name, a2)
    n = max(a1.shape[0], a2.shape[0])
    a1, a2 = _longer(a1, n), _longer(a2, n)
    return a1 + a2 if sign > 0 else a1 - a2


@composite(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """Return the sum of two polynomials: coefficients of one power are added.

    Each gets the gradient of its powers.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda p: ag.polyadd(p, [1.0, 2.0, 3.0])[1])(np.array([5.0, 7.0]))
    array([1., 0.])
    """
    return _sum_of("polyadd", a1, a2, 1)


@composite(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """Return the difference of two polynomials.

    The first gets the gradient of its powers, the second its negative.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda p: ag.polysub([1.0, 2.0, 3.0], p)[1])(np.array([5.0, 7.0]))
    array([-1., -0.])
    """
    return _sum_of("polysub", a1, a2, -1)


def _leading(p: Any) -> Any:
    """Return coefficients from the first that is not 0, as NumPy reads a factor."""
    places = np.flatnonzero(strip(p))
    return p[int(places[0]) :] if places.size else p[-1:]


@composite(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """Return the product of two polynomials: the convolution of their coefficients.

    Zeros in front are dropped, as NumPy does: their gradient is 0.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda p: ag.polymul(p, [1.0, 2.0])[1])(np.array([5.0, 7.0]))
    array([2., 1.])
    """
    return convolve(_leading(_coefficients("polymul", a1)), _leading(_coefficients("polymul", a2)))


@composite(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Return quotient and remainder of polynomials, ``u = q v + r``.

    The leading coefficients hold q alone: a triangular system with the coefficients of v on its
    diagonals. Zeros in front of r are dropped by their values, as NumPy does; v[0] is not 0.

    The gradients are those of the solution of that system.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda u: ag.polydiv(u, [2.0, 1.0])[1][0])(np.array([4.0, 6.0, 3.0])).tolist()
    [0.25, -0.5, 1.0]
    """
    u, v = _coefficients("polydiv", u), _coefficients("polydiv", v)
    dtype = np.result_type(u.dtype, v.dtype, *([] if u.dtype.kind == "f" else [float]))
    u, v = astype(u, dtype), astype(v, dtype)
    n = u.shape[0] - v.shape[0] + 1
    if n < 1:
        return np.zeros(1, dtype), _rest(u, 0)
    padded = concatenate([v, np.zeros(n, dtype)])
    below = np.arange(n)[:, None] - np.arange(n)  # of place (i, j) the coefficient i - j of v
    below = np.where((below < 0) | (below >= v.shape[0]), v.shape[0], below)
    q = solve(getitem(padded, below), getitem(u, slice(n)))
    return q, _rest(u - convolve(q, v), n)


def _rest(r: Any, n: int) -> Any:
    """Return a remainder without its first n coefficients, which are 0, and others that are."""
    big = np.flatnonzero(~np.isclose(strip(r)[n:], 0, rtol=1e-14))
    return getitem(r, slice(n + int(big[0]) if big.size else -1, None))


@composite(np.polyder)
def polyder(p: Any, m: Any = 1) -> Any:
    """Return the m-th derivative of a polynomial: ``k p_k`` at the power k - 1.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda p: ag.polyder(p)[0])(np.array([5.0, 7.0, 1.0]))
    array([2., 0., 0.])
    """
    p, m = _coefficients("polyder", p), _order("polyder", m)
    for _ in range(m):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return p


@composite(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    """Return the m-th integral of a polynomial, with the constants ``k`` (0, one, or m of them).

    It is linear: the gradient of p comes back divided by the powers.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda p: ag.polyint(p)[0])(np.array([6.0, 7.0])).tolist()
    [0.5, 0.0]
    """
    p, m = _coefficients("polyint", p), _order("polyint", m)
    k = np.zeros(m) if k is None else atleast_1d(as_array(k))
    if k.shape[0] == 1 < m:
        k = k * np.ones(m, k.dtype)
    if k.shape[0] < m:
        raise ValueError(message("polyint", f"{k.shape[0]} constants", f"one or {m}"))
    for i in range(m):
        p = concatenate([p / np.arange(p.shape[0], 0, -1), k[i : i + 1]])
    return p


def _order(name: str, m: Any) -> int:
    if int(m) < 0:
        raise ValueError(message(name, f"m={m}", "0 or more"))
    return int(m)


@composite(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """Return the coefficients of the polynomial of degree ``deg`` that is nearest to points, by squares.

    It minimises ``sum_i (w_i (y_i - p(x_i)))^2``: a least-squares solution with the columns
    ``x^deg ... 1``, scaled to one length. Gradients go to ``y``, ``x`` and ``w``; ``y`` may hold several
    sets of points as columns. ``full`` adds residuals, rank, singular values and ``rcond``; ``cov`` the
    covariance of the coefficients.

    Raises:
        ValueError: a negative degree. TypeError: ``x``, ``y`` or ``w`` of wrong shape.

    >>> import numpy as np, autograd_core as ag
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> ag.grad(lambda y: ag.polyfit(x, y, 1)[0])(np.array([1.0, 2.0, 4.0])).round(12) + 0
    array([-0.5,  0. ,  0.5])
    """
    order = int(deg) + 1
    x, y = as_array(x), as_array(y)
    if deg < 0:
        raise ValueError(message("polyfit", f"deg={deg}", "0 or more"))
    if x.ndim != 1 or x.size == 0 or y.ndim not in (1, 2) or y.shape[0] != x.shape[0]:
        raise TypeError(message("polyfit", f"x and y of shapes {x.shape} and {y.shape}",
                                "(m,) and (m,) or (m, k)"))  # fmt: skip
    dtype = np.result_type(x.dtype, y.dtype, *([] if "f" in x.dtype.kind + y.dtype.kind else [float]))
    if rcond is None:
        rcond = x.shape[0] * float(np.finfo(dtype).eps)
    left, right = vander(astype(x, dtype), order), astype(y, dtype)
    if w is not None:
        w = as_array(w)
        if w.shape != x.shape:
            raise TypeError(message("polyfit", f"w of shape {w.shape}", f"{x.shape}, as x"))
        left, right = left * expand_dims(w, 1), right * (expand_dims(w, 1) if y.ndim == 2 else w)
    scale = norm(left, axis=0)
    left = left / scale
    c, residuals, rank, s = lstsq(left, right, rcond)
    c = c / (reshape(scale, (-1, 1)) if y.ndim == 2 else scale)
    if full:
        return c, residuals, rank, s, rcond
    if rank != order:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=3)
    if not cov:
        return c
    base = inv(matmul(matrix_transpose(left), left)) / (expand_dims(scale, 1) * scale)
    if cov != "unscaled":
        if x.shape[0] <= order:
            raise ValueError(message("polyfit", f"{x.shape[0]} points, deg={deg} and cov=True",
                                     f"more than {order} points", "cov='unscaled'"))  # fmt: skip
        factor = residuals / (x.shape[0] - order)
        return c, base * factor if y.ndim == 1 else expand_dims(base, 2) * factor
    return c, base if y.ndim == 1 else expand_dims(base, 2)


