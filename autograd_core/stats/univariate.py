"""Distributions of one variable: formulas of z = (x - loc) / scale, or of whole numbers k."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import ops
from ..node import strip
from ..ops import betaln, gammaln, log, log1p, log_ndtr, ndtr, sigmoid, softplus, xlog1py, xlogy
from .families import Continuous, Discrete, Formula

__all__ = [
    "bernoulli", "beta", "binom", "cauchy", "chi2", "expon", "f", "gamma", "geom", "invgamma", "laplace",
    "logistic", "lognorm", "nbinom", "norm", "pareto", "poisson", "t", "uniform", "weibull_min",
]  # fmt: skip

LN2, LN_2PI, LN_PI = math.log(2), math.log(2 * math.pi), math.log(math.pi)

# -- continuous ------------------------------------------------------------------------------------


def _below_zero(z: Any, low: Formula, high: Formula) -> Any:
    """Return ``low`` of the negative z and ``high`` of the others, each seeing only its own."""
    negative = strip(z) < 0
    return ops.where(negative, low(ops.where(negative, z, 0)), high(ops.where(negative, 0, z)))


norm = Continuous(
    "norm", "", lambda z: -0.5 * (z * z + LN_2PI), symmetric=True, cdf=ndtr, logcdf=log_ndtr)
laplace = Continuous(
    "laplace", "", lambda z: -abs(z) - LN2, symmetric=True,
    cdf=lambda z: _below_zero(z, lambda z: 0.5 * ops.exp(z), lambda z: 1 - 0.5 * ops.exp(-z)),
    logcdf=lambda z: _below_zero(z, lambda z: z - LN2, lambda z: log1p(-0.5 * ops.exp(-z))))
logistic = Continuous(
    "logistic", "", lambda z: -z - 2 * softplus(-z), symmetric=True, cdf=sigmoid,
    logcdf=lambda z: -softplus(-z))
cauchy = Continuous(
    "cauchy", "", lambda z: -LN_PI - log1p(z * z), symmetric=True,
    cdf=lambda z: ops.arctan2(1, -z) / math.pi)
t = Continuous(
    "t", "df", lambda z, n: -betaln(0.5 * n, 0.5) - 0.5 * log(n) - 0.5 * (n + 1) * log1p(z * z / n),
    symmetric=True, cdf=lambda z, n: ops.stdtr(n, z))
expon = Continuous(
    "expon", "", lambda z: -z, 0, middle=1.0, cdf=lambda z: -ops.expm1(-z), sf=lambda z: ops.exp(-z),
    logsf=lambda z: -z)
uniform = Continuous("uniform", "", lambda z: 0 * z, 0, 1, middle=0.5, cdf=lambda z: z)
lognorm = Continuous(
    "lognorm", "s", lambda z, s: -0.5 * ((log(z) / s) ** 2 + LN_2PI) - log(s) - log(z), 0, middle=1.0,
    closed=False, cdf=lambda z, s: ndtr(log(z) / s), sf=lambda z, s: ndtr(-log(z) / s),
    logcdf=lambda z, s: log_ndtr(log(z) / s), logsf=lambda z, s: log_ndtr(-log(z) / s))
gamma = Continuous(
    "gamma", "a", lambda z, a: xlogy(a - 1, z) - z - gammaln(a), 0, middle=1.0,
    cdf=lambda z, a: ops.gammainc(a, z), sf=lambda z, a: ops.gammaincc(a, z))
invgamma = Continuous(
    "invgamma", "a", lambda z, a: -(a + 1) * log(z) - gammaln(a) - 1 / z, 0, middle=1.0, closed=False,
    cdf=lambda z, a: ops.gammaincc(a, 1 / z), sf=lambda z, a: ops.gammainc(a, 1 / z))
chi2 = Continuous(
    "chi2", "df", lambda z, n: xlogy(0.5 * n - 1, z) - 0.5 * (z + LN2 * n) - gammaln(0.5 * n), 0, middle=1.0,
    cdf=lambda z, n: ops.gammainc(0.5 * n, 0.5 * z), sf=lambda z, n: ops.gammaincc(0.5 * n, 0.5 * z))
beta = Continuous(
    "beta", "a b", lambda z, a, b: xlogy(a - 1, z) + xlog1py(b - 1, -z) - betaln(a, b), 0, 1, middle=0.5,
    cdf=lambda z, a, b: ops.betainc(a, b, z), sf=lambda z, a, b: ops.betaincc(a, b, z))
f = Continuous(
    "f", "dfn dfd", lambda z, n, m: (0.5 * n * log(n) + 0.5 * m * log(m) + xlogy(0.5 * n - 1, z)
                                    - 0.5 * (n + m) * log(m + n * z) - betaln(0.5 * n, 0.5 * m)),
    0, middle=1.0, cdf=lambda z, n, m: ops.betainc(0.5 * n, 0.5 * m, n * z / (n * z + m)),
    sf=lambda z, n, m: ops.betainc(0.5 * m, 0.5 * n, m / (n * z + m)))
weibull_min = Continuous(
    "weibull_min", "c", lambda z, c: log(c) + xlogy(c - 1, z) - z**c, 0, middle=1.0,
    cdf=lambda z, c: -ops.expm1(-(z**c)), sf=lambda z, c: ops.exp(-(z**c)), logsf=lambda z, c: -(z**c))
pareto = Continuous(
    "pareto", "b", lambda z, b: log(b) - (b + 1) * log(z), 1, middle=2.0,
    cdf=lambda z, b: -ops.expm1(-b * log(z)), sf=lambda z, b: ops.exp(-b * log(z)),
    logsf=lambda z, b: -b * log(z))

# -- discrete --------------------------------------------------------------------------------------


def _counts(n: Any) -> Any:
    return (n >= 0) & (n == np.floor(n))


def _share(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


bernoulli = Discrete(
    "bernoulli", "p", lambda k, p: xlogy(k, p) + xlog1py(1 - k, -p), _share,
    lambda k, p: (k >= 0) & (k <= 1), 0.0, cdf=lambda k, p: 1 - p * (1 - k))
binom = Discrete(
    "binom", "n p",
    lambda k, n, p: -betaln(k + 1, n - k + 1) - log(n + 1) + xlogy(k, p) + xlog1py(n - k, -p),
    lambda n, p: _counts(n) & _share(p), lambda k, n, p: (k >= 0) & (k <= n), 0.0)
poisson = Discrete(
    "poisson", "mu", lambda k, mu: xlogy(k, mu) - gammaln(k + 1) - mu, lambda mu: mu >= 0,
    lambda k, mu: (k >= 0) & np.isfinite(k), 0.0, cdf=lambda k, mu: ops.gammaincc(k + 1, mu))
geom = Discrete(
    "geom", "p", lambda k, p: xlog1py(k - 1, -p) + log(p), lambda p: (p > 0) & (p <= 1),
    lambda k, p: (k >= 1) & np.isfinite(k), 1.0, cdf=lambda k, p: -ops.expm1(xlog1py(k, -p)))
nbinom = Discrete(
    "nbinom", "n p",
    lambda k, n, p: -betaln(k + 1, n) - log(n + k) + xlogy(n, p) + xlog1py(k, -p),
    lambda n, p: (n > 0) & (p > 0) & (p <= 1), lambda k, n, p: (k >= 0) & np.isfinite(k), 0.0,
    cdf=lambda k, n, p: ops.betainc(n, k + 1, p))
