"""Rows of the error function, the gamma function and their kind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.ops import gammas

from .table import ABOVE_1, EACH, INSIDE, POSITIVE, REAL, Case, each


def _by_elements(f: Any) -> Any:
    def call(x: Any) -> Any:
        x = np.asarray(x)
        dtype = x.dtype if x.dtype.kind == "f" else float
        return np.array([f(v) for v in x.ravel().tolist()], float).reshape(x.shape).astype(dtype)[()]

    return call


def _scaled(x: float) -> float:
    if x > 20:  # the continued fraction of Laplace, from its end
        f = x
        for k in range(60, 0, -1):
            f = x + k / 2 / f
        return 1 / (f * math.sqrt(math.pi))
    return math.exp(x * x) * math.erfc(x) if x > -26 else math.inf


def _bisected(y: float) -> float:
    """The x with erf(x) = y between -7 and 7."""
    if not abs(y) < 1:
        return math.copysign(math.inf, y) if abs(y) == 1 else math.nan
    low, high = -7.0, 7.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if math.erf(middle) < y else (low, middle)
    return low


def _summed(n: int) -> Any:
    """Minus (-1)^n n! sum 1 / (x + k)^(n + 1), the tail by Euler and Maclaurin: the definition."""

    @np.errstate(over="ignore")
    def f(x: float) -> float:
        if x <= 0:
            return -((-1.0) ** n) * math.inf  # whole numbers only
        count = 60
        if x < 1e-30:
            return -((-1.0) ** n) * math.factorial(n) * float(np.float64(x) ** -(n + 1))
        s = math.fsum((x + k) ** -(n + 1) for k in range(count))
        z = x + count
        s += z**-n / n + z ** -(n + 1) / 2 + (n + 1) * z ** -(n + 2) / 12
        s -= (n + 1) * (n + 2) * (n + 3) * z ** -(n + 4) / 720
        return -((-1.0) ** n) * math.factorial(n) * s

    return f


def _polygamma(x: Any, *, n: int) -> Any:
    return _by_elements(_summed(n))(x)


def _x_log_y(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0), 0, x * np.log(y))[()]


# fmt: off
ROWS: list[Any] = [
    #    operation            NumPy's                                              domains
    each(ag.erf,              _by_elements(math.erf),                              REAL),
    each(ag.erfc,             _by_elements(math.erfc),                             REAL),
    each(ag.erfcx,            _by_elements(_scaled), REAL),
    each(ag.erfinv,           _by_elements(_bisected),                             INSIDE),
    each(ag.gamma,            _by_elements(gammas._gamma_of),                      POSITIVE),
    each(ag.gammaln,          _by_elements(lambda x: math.lgamma(x) if x > 0 else math.inf), ABOVE_1),
    each(gammas._polygamma_op, _polygamma,                                          POSITIVE,
         cases=[Case(c.shapes, {"n": n}) for n in (1, 2, 5) for c in EACH]),
    each(ag.xlogy,            _x_log_y,                                            REAL, POSITIVE),
]
# fmt: on
