"""The error function and the gamma function, with what belongs to them, under SciPy's names.

Values come from Python's ``math``, one element at a time (0.1 us each), and from series; nothing else is
needed. Derivatives are closed: those of erf are exponentials, those of ``polygamma`` its next order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Operation, elementwise, kernel
from .elementwise import exp, log, log1p, sigmoid

__all__ = [
    "beta", "betaln", "digamma", "erf", "erfc", "erfcx", "erfinv", "expit", "gamma", "gammaln", "logit",
    "polygamma", "xlogy",
]  # fmt: skip

SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0
expit = sigmoid


def _floating(x: Any) -> Any:
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(float)


def _each(f: Any, x: Any) -> Any:
    """Return ``f`` of each element, in the dtype of ``x``."""
    x = _floating(x)
    with np.errstate(over="ignore"):
        return np.array([f(v) for v in x.ravel().tolist()], float).reshape(x.shape).astype(x.dtype)[()]


# -- the error function ----------------------------------------------------------------------------


@kernel
def _erf(x: Any) -> Any:
    return _each(math.erf, x)


@kernel
def _erfc(x: Any) -> Any:
    return _each(math.erfc, x)


@kernel
def _erfcx(x: Any) -> Any:
    return _each(_scaled, x)


def _scaled(x: float) -> float:
    """Return exp(x^2) erfc(x): by the definition, or from 25 on by the first terms of its series in 1/x^2."""
    if x > 25:
        t = 0.5 / (x * x)
        return (1 - t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t * (1 - 9 * t))))) * 0.5 * SLOPE / x
    if x < -26.65 or x != x:
        return math.inf if x < 0 else x
    a = round(x * 16) / 16  # a * a is exact, so exp(x^2) = exp(a^2) exp((x - a)(x + a)) does not lose digits
    return math.exp(a * a) * math.exp((x - a) * (x + a)) * math.erfc(x)


@kernel
def _erfinv(x: Any) -> Any:
    return _each(_inverse, x)


def _inverse(y: float) -> float:
    """Solve erf(x) = y by Halley's steps on erfc, from Winitzki's approximation (2008)."""
    if not abs(y) < 1:
        return math.copysign(math.inf, y) if abs(y) == 1 else math.nan
    if y == 0:
        return y
    rest = 1 - abs(y)
    if abs(y) < 0.5:  # erf is exact near 0, erfc near 1
        x = abs(y) / SLOPE
        for _ in range(4):
            e = math.erf(x) - abs(y)
            x -= e / (SLOPE * math.exp(-x * x) + x * e)
        return math.copysign(x, y)
    u = math.log(rest * (2 - rest))
    v = 2 / (math.pi * 0.147) + u / 2
    x = math.sqrt(math.sqrt(v * v - u / 0.147) - v)
    for _ in range(4):
        e = rest - math.erfc(x)
        x -= e / (SLOPE * math.exp(-x * x) + x * e)
    return math.copysign(x, y)


erf: Operation = elementwise(
    _erf, lambda g, y, x: g * (SLOPE * np.exp(-x * x)), saves="x", name="erf",
    doc="""Error function 2/sqrt(pi) int_0^x exp(-t^2) dt: dy/dx = 2/sqrt(pi) exp(-x^2).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.erf)(0.0)), 12)
    1.128379167096
    """,
)  # fmt: skip
erfc: Operation = elementwise(
    _erfc, lambda g, y, x: g * (-SLOPE * np.exp(-x * x)), saves="x", name="erfc",
    doc="1 - erf(x), without its cancellation: dy/dx = -2/sqrt(pi) exp(-x^2).",
)  # fmt: skip
erfcx: Operation = elementwise(
    _erfcx, lambda g, y, x: g * (2 * (x * y) - SLOPE), saves="x y", name="erfcx",
    doc="exp(x^2) erfc(x), which does not underflow: dy/dx = 2 x y - 2/sqrt(pi).",
)  # fmt: skip
erfinv: Operation = elementwise(
    _erfinv, lambda g, y, x: g * (np.exp(y * y) / SLOPE), saves="y", name="erfinv",
    doc="The y with erf(y) = x, for x in (-1, 1): dy/dx = sqrt(pi)/2 exp(y^2).",
)  # fmt: skip

# -- the gamma function ----------------------------------------------------------------------------

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)


def _gamma_of(x: float) -> float:
    try:
        return math.gamma(x)
    except OverflowError:
        return math.inf
    except ValueError:  # a pole
        return math.copysign(math.inf, x) if x == 0 else math.nan


def _log_of(x: float) -> float:
    try:
        return math.lgamma(x)
    except (OverflowError, ValueError):
        return math.inf


@kernel
def _gamma(x: Any) -> Any:
    return _each(_gamma_of, x)


@kernel
def _gammaln(x: Any) -> Any:
    return _each(_log_of, x)


@kernel
def _polygamma(x: Any, *, n: int = 0) -> Any:
    """Return the n-th derivative of digamma.

    Steps ``psi(x) = psi(x + 1) - (d/dx)^n 1/x`` lead to where Stirling's series converges; digamma of a
    negative number is reflected first; the others are nan below -1e4. [Abramowitz and Stegun 6.3.5 to 6.4.11]
    """
    x = _floating(x)
    z, total = x.astype(float), np.zeros(x.shape)
    with np.errstate(all="ignore"):
        if n == 0:
            below = z < 0
            total = np.where(below, -math.pi / np.tan(math.pi * np.where(below, z, 0.5)), 0.0)
            total = np.where(below & (z == np.floor(z)), np.nan, total)
            z = np.where(below, 1 - z, z)
        sign, enough = (-1.0) ** (n + 1), 12.0 + n
        pole = (z <= 0) & (z == np.floor(z))
        total = np.where(pole & (z < 0), sign * math.inf, total) if n else total
        z = np.where(pole & (z < 0), enough, np.where(z < -1e4, math.nan, z))
        while (small := z < enough).any():
            total = total + np.where(small, sign * math.factorial(n) / z ** (n + 1), 0.0)
            z = np.where(small, z + 1, z)
        inner = np.log(z) if n == 0 else sign * math.factorial(n - 1) / z**n
        inner = inner + sign * math.factorial(n) / (2 * z ** (n + 1))
        for k, b in enumerate(BERNOULLI, 1):
            ratio = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
            inner = inner + sign * b * ratio / z ** (2 * k + n)
    return (total + inner).astype(x.dtype)[()]


_polygamma_op: Operation = elementwise(
    _polygamma, lambda g, y, x, *, n=0: g * _polygamma_op(x, n=n + 1), saves="x", name="polygamma",
    doc="""The n-th derivative of digamma.

    >>> import autograd_core as ag
    >>> round(float(ag.polygamma(1, 1.0)), 12)
    1.644934066848
    """,
)  # fmt: skip


def digamma(x: Any) -> Any:
    """Return the derivative of log gamma(x); its own is ``polygamma(1, x)``.

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.digamma)(1.0)), 12)  # pi^2 / 6
    1.644934066848
    """
    return _polygamma_op(x, n=0)


def polygamma(n: int, x: Any) -> Any:
    """Return the n-th derivative of digamma, in SciPy's order of arguments: dy/dx = polygamma(n + 1, x).

    >>> import autograd_core as ag
    >>> ag.grad(lambda x: ag.polygamma(0, x))(1.0)  # pi^2 / 6
    np.float64(1.644934)
    """
    return _polygamma_op(x, n=int(n))


gamma: Operation = elementwise(
    _gamma, lambda g, y, x: g * (y * _polygamma_op(x, n=0)), saves="x y", name="gamma",
    doc="""Gamma function, (x - 1)! at whole numbers: dy/dx = y digamma(x).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.gamma)(1.0)), 12)
    -0.577215664902
    """,
)  # fmt: skip
gammaln: Operation = elementwise(
    _gammaln, lambda g, y, x: g * _polygamma_op(x, n=0), saves="x", name="gammaln",
    doc="""Logarithm of the size of gamma(x): dy/dx = digamma(x).

    >>> import autograd_core as ag
    >>> round(float(ag.gammaln(5.0)), 12)  # log 24
    3.178053830348
    """,
)  # fmt: skip


def betaln(a: Any, b: Any) -> Any:
    """Return the logarithm of the beta function, for positive numbers.

    ``gammaln(a) + gammaln(b) - gammaln(a + b)``, so d/da = digamma(a) - digamma(a + b).

    >>> import autograd_core as ag
    >>> ag.grad(ag.betaln)(1.0, 1.0)
    np.float64(-1.0)
    """
    return gammaln(a) + gammaln(b) - gammaln(np.add(a, b))


def beta(a: Any, b: Any) -> Any:
    """Return the beta function ``gamma(a) gamma(b) / gamma(a + b)`` of positive numbers.

    dy/da = y (digamma(a) - digamma(a + b)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.beta)(1.0, 1.0)
    np.float64(-1.0)
    """
    return exp(betaln(a, b))


# -- logarithms ------------------------------------------------------------------------------------


def logit(x: Any) -> Any:
    """Return log(x / (1 - x)), the inverse of the logistic function: dy/dx = 1 / (x (1 - x)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.logit)(0.5)
    np.float64(4.0)
    """
    return log(x) - log1p(np.negative(x))


@kernel
def _x_log_y(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0) & ~np.isnan(y), 0, x * np.log(y))[()]


xlogy: Operation = elementwise(
    _x_log_y, lambda g, y, a, b: xlogy(g, b), lambda g, y, a, b: g * (a / (b + ((a == 0) & (b == 0)))),
    saves=("b", "a b"), name="xlogy",
    doc="""a log b, and 0 where a is 0: dy/da = log b, dy/db = a / b; 0 at a = b = 0.

    >>> import autograd_core as ag
    >>> ag.grad(lambda y: ag.xlogy(3.0, y))(2.0)
    np.float64(1.5)
    """,
)  # fmt: skip
