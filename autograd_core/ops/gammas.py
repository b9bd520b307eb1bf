"""The gamma and beta functions, their integrals and their derivatives, under SciPy's names.

Values are SciPy's (:mod:`borrowed`). Derivatives are closed: of ``polygamma`` its next order, of the
incomplete integrals what is integrated; these have none in their shape parameters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..calls import as_array
from ..errors import message
from ..node import strip
from ..primitive import Operation, elementwise, kernel
from .borrowed import SCIPY, borrowed, constant_shape, needs_scipy, special, told
from .erfs import xlog1py, xlogy
from .reductions import sum

__all__ = [
    "beta", "betainc", "betaincc", "betaln", "digamma", "gamma", "gammainc", "gammaincc", "gammaln",
    "gammasgn", "loggamma", "multigammaln", "polygamma", "psi", "rgamma", "stdtr", "zeta",
]  # fmt: skip

# -- the gamma function ----------------------------------------------------------------------------

gamma: Operation = borrowed(
    "gamma", lambda g, y, x: g * (y * digamma(x)), saves="x y", singular=True,
    doc="""Gamma function, (x - 1)! at whole numbers: dy/dx = y digamma(x).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.gamma)(1.0)), 12)
    -0.577215664902
    """,
)  # fmt: skip
gammaln: Operation = borrowed(
    "gammaln", lambda g, y, x: g * digamma(x), saves="x", singular=True,
    doc="""Logarithm of the size of gamma(x): dy/dx = digamma(x).

    >>> import autograd_core as ag
    >>> round(float(ag.gammaln(5.0)), 12)  # log 24
    3.178053830348
    """,
)  # fmt: skip
loggamma: Operation = borrowed(
    "loggamma", lambda g, y, x: g * digamma(x), saves="x", singular=True,
    doc="""Logarithm of gamma(x), NaN where x < 0: dy/dx = digamma(x).

    >>> import autograd_core as ag
    >>> round(float(ag.loggamma(5.0)), 12)
    3.178053830348
    """,
)  # fmt: skip


def _rgamma_rule(g: Any, y: Any, x: Any) -> Any:
    low = np.where(x < 0.5, x, 0.0)  # reflected, so that the zeros at 0, -1, ... have their slope
    slope = gamma(1 - low) * (np.cos(math.pi * low) - digamma(1 - low) * np.sin(math.pi * low) / math.pi)
    high = np.where(x < 0.5, 1.0, x)
    return g * np.where(x < 0.5, slope, -digamma(high) * rgamma(high))


rgamma: Operation = borrowed(
    "rgamma", _rgamma_rule, saves="x",
    doc="""1 / gamma(x), which is 0 at 0, -1, -2, ...: dy/dx = -y digamma(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.rgamma)(0.0)
    np.float64(1.0)
    """,
)  # fmt: skip
digamma: Operation = borrowed(
    "digamma", lambda g, y, x: g * _polygamma_op(x, n=1), saves="x", singular=True,
    doc="""Derivative of log gamma(x), also called ``psi``: dy/dx = polygamma(1, x).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.digamma)(1.0)), 12)  # pi^2 / 6
    1.644934066848
    """,
)  # fmt: skip


@needs_scipy
def psi(x: Any) -> Any:
    """Return ``digamma(x)``, of which it is another name: dy/dx = polygamma(1, x).

    >>> import autograd_core as ag
    >>> round(float(ag.psi(1.0)), 12)  # minus Euler's constant
    -0.577215664902
    """
    return digamma(x)


@kernel
def _polygamma(x: Any, *, n: int = 1) -> Any:
    sf = special("polygamma")  # its own polygamma turns float32 into float64
    return (-1.0) ** (n + 1) * float(sf.gamma(n + 1.0)) * sf.zeta(float(n + 1), x)


_polygamma.needs_scipy = True
_polygamma_op: Operation = elementwise(
    _polygamma, lambda g, y, x, *, n=1: g * _polygamma_op(x, n=n + 1), saves="x", name="polygamma",
    singular=True,
    doc=told("""The n-th derivative of digamma, n >= 1.

    >>> round(float(_polygamma_op(1.0, n=1)), 12)  # pi^2 / 6
    1.644934066848
    """),
)  # fmt: skip


@needs_scipy
def polygamma(n: int, x: Any) -> Any:
    """Return the n-th derivative of digamma, in SciPy's order of arguments: dy/dx = polygamma(n + 1, x).

    >>> import autograd_core as ag
    >>> ag.grad(lambda x: ag.polygamma(0, x))(1.0)  # pi^2 / 6
    np.float64(1.644934)
    """
    if n != int(n) or n < 0:
        raise ValueError(message("polygamma", f"n={n!r}", "a whole number that is not negative"))
    return _polygamma_op(x, n=int(n)) if n else digamma(x)


@kernel
def _check_above(a: Any, low: float) -> None:
    if not np.all(np.greater(a, low)):
        raise ValueError(message("multigammaln", f"a={a}", f"numbers above (d - 1)/2 = {low}"))


@needs_scipy
def multigammaln(a: Any, d: int) -> Any:
    """Return the logarithm of the gamma function of d x d matrices, for a > (d - 1)/2.

    ``d(d - 1)/4 log(pi) + sum_j gammaln(a - j/2)`` over j = 0, ..., d - 1, so dy/da is the sum of
    digamma(a - j/2).

    Raises:
        ValueError: d is no positive whole number, or a is too small.

    >>> import autograd_core as ag
    >>> round(float(ag.multigammaln(2.0, 2)), 6)  # log(pi / 2)
    0.451583
    """
    if d != int(d) or d < 1:
        raise ValueError(message("multigammaln", f"d={d!r}", "a positive whole number"))
    _check_above(strip(a), (d - 1) / 2)
    shifted = np.expand_dims(a, -1) - (np.arange(int(d)) / 2).astype(getattr(a, "dtype", float))
    return sum(gammaln(shifted), axis=-1) + d * (d - 1) / 4 * math.log(math.pi)


@needs_scipy
def gammasgn(x: Any) -> Any:
    """Return the sign of gamma(x), a plain result: its derivative is 0.

    >>> import autograd_core as ag
    >>> float(ag.gammasgn(-0.5))
    -1.0
    """
    return special("gammasgn").gammasgn(strip(x))


gammasgn.constant = True  # type: ignore[attr-defined]


@kernel
def _hurwitz(q: Any, *, s: Any = 2.0) -> Any:
    return special("zeta").zeta(s, q)


_hurwitz.needs_scipy = True
_zeta_op: Operation = elementwise(
    _hurwitz, lambda g, y, q, *, s=2.0: -g * s * _zeta_op(q, s=s + 1), saves="q", name="zeta", singular=True,
    doc=told("""Hurwitz's zeta function of a constant s: dy/dq = -s zeta(s + 1, q).

    >>> round(float(_zeta_op(1.0, s=2.0)), 6)
    1.644934
    """),
)  # fmt: skip


@needs_scipy
def zeta(x: Any, q: Any = 1.0) -> Any:
    """Return Hurwitz's zeta function ``sum_k (k + q)^-x``, by default Riemann's: dy/dq = -x zeta(x + 1, q).

    Its derivative in x has no closed form.

    Raises:
        NotDifferentiableError: the derivative in x is asked for.

    >>> import autograd_core as ag
    >>> round(float(ag.grad(lambda q: ag.zeta(2.0, q))(1.0)), 6)  # -2 zeta(3)
    -2.404114
    """
    constant_shape("zeta", [x])
    x = strip(x)
    return _zeta_op(q, s=x if isinstance(x, (int, float)) else as_array(x))


# -- the beta function -----------------------------------------------------------------------------


def _over(y: Any, a: Any, b: Any) -> Any:
    """Return the derivative of log beta(a, b) in a, in the dtype of ``y`` where a is a Python number."""
    return digamma(np.zeros_like(y) + a) - digamma(a + b)


beta: Operation = borrowed(
    "beta", lambda g, y, a, b: g * y * _over(y, a, b), lambda g, y, a, b: g * y * _over(y, b, a),
    saves="y a b",
    doc="""gamma(a) gamma(b) / gamma(a + b): dy/da = y (digamma(a) - digamma(a + b)), \
dy/db = y (digamma(b) - digamma(a + b)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.beta)(1.0, 1.0)
    np.float64(-1.0)
    """,
)  # fmt: skip
betaln: Operation = borrowed(
    "betaln", lambda g, y, a, b: g * _over(y, a, b), lambda g, y, a, b: g * _over(y, b, a),
    saves="y a b", singular=True,
    doc="""Logarithm of the beta function: dy/da = digamma(a) - digamma(a + b), \
dy/db = digamma(b) - digamma(a + b).

    >>> import autograd_core as ag
    >>> ag.grad(ag.betaln)(1.0, 1.0)
    np.float64(-1.0)
    """,
)  # fmt: skip

# -- incomplete integrals --------------------------------------------------------------------------


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(xlogy(a - 1, x) - x - gammaln(np.zeros_like(x) + a))  # an array, if a is not


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(np.zeros_like(x) + a, b))


_gammainc_op: Operation = borrowed(
    "gammainc", None, lambda g, y, a, x: g * _gamma_density(a, x), saves=("", "a x"), singular=True,
    doc="""Integral to x: dy/dx = x^(a - 1) exp(-x) / gamma(a).

    >>> import autograd_core as ag
    >>> round(float(ag.gammainc(1.0, 2.0)), 6)  # 1 - e^-2
    0.864665
    """,
)  # fmt: skip
_gammaincc_op: Operation = borrowed(
    "gammaincc", None, lambda g, y, a, x: -g * _gamma_density(a, x), saves=("", "a x"), singular=True,
    doc="""Integral from x: dy/dx = -x^(a - 1) exp(-x) / gamma(a).

    >>> import autograd_core as ag
    >>> round(float(ag.gammaincc(1.0, 2.0)), 6)
    0.135335
    """,
)  # fmt: skip
_betainc_op: Operation = borrowed(
    "betainc", None, None, lambda g, y, a, b, x: g * _beta_density(a, b, x), saves=("", "", "a b x"),
    singular=True, doc="""Integral to x: dy/dx = x^(a - 1) (1 - x)^(b - 1) / beta(a, b).

    >>> import autograd_core as ag
    >>> float(ag.betainc(1.0, 1.0, 0.5))
    0.5
    """,
)  # fmt: skip


@needs_scipy
def gammainc(a: Any, x: Any) -> Any:
    """Return the share of gamma(a) that lies below x: dy/dx = x^(a - 1) exp(-x) / gamma(a).

    Raises:
        NotDifferentiableError: the derivative in a is asked for, which has no closed form.

    >>> import autograd_core as ag
    >>> round(float(ag.grad(lambda x: ag.gammainc(1.0, x))(2.0)), 6)  # e^-2
    0.135335
    """
    constant_shape("gammainc", [a])
    return _gammainc_op(a, x)


@needs_scipy
def gammaincc(a: Any, x: Any) -> Any:
    """Return the share of gamma(a) that lies above x: dy/dx = -x^(a - 1) exp(-x) / gamma(a).

    Raises:
        NotDifferentiableError: the derivative in a is asked for, which has no closed form.

    >>> import autograd_core as ag
    >>> round(float(ag.grad(lambda x: ag.gammaincc(1.0, x))(2.0)), 6)
    -0.135335
    """
    constant_shape("gammaincc", [a])
    return _gammaincc_op(a, x)


@needs_scipy
def betainc(a: Any, b: Any, x: Any) -> Any:
    """Return the share of beta(a, b) that lies below x: dy/dx = x^(a - 1) (1 - x)^(b - 1) / beta(a, b).

    Raises:
        NotDifferentiableError: the derivative in a or b is asked for, which has no closed form.

    >>> import autograd_core as ag
    >>> round(float(ag.grad(lambda x: ag.betainc(2.0, 1.0, x))(0.5)), 6)  # 2 x
    1.0
    """
    constant_shape("betainc", [a, b])
    return _betainc_op(a, b, x)


@needs_scipy
def betaincc(a: Any, b: Any, x: Any) -> Any:
    """Return the share of beta(a, b) that lies above x: dy/dx = -x^(a - 1) (1 - x)^(b - 1) / beta(a, b).

    Raises:
        NotDifferentiableError: the derivative in a or b is asked for, which has no closed form.

    >>> import autograd_core as ag
    >>> float(ag.betaincc(1.0, 1.0, 0.25))
    0.75
    """
    return betainc(b, a, np.subtract(1.0, x))



def _student(n: Any, x: Any) -> Any:
    n = np.zeros_like(x) + n
    return np.exp(-0.5 * (n + 1) * np.log1p(x * x / n) - betaln(0.5 * n, 0.5)) / np.sqrt(n)


_stdtr_op: Operation = borrowed(
    "stdtr", None, lambda g, y, n, x: g * _student(n, x), saves=("", "n x"),
    doc="""Share below x: dy/dx = (1 + x^2/n)^(-(n + 1)/2) / (sqrt(n) beta(n/2, 1/2)).

    >>> import autograd_core as ag
    >>> float(ag.stdtr(1.0, 1.0))
    0.75
    """,
)  # fmt: skip


@needs_scipy
def stdtr(df: Any, t: Any) -> Any:
    """Return the share of Student's distribution below t, whose derivative dy/dt is its density.

    Raises:
        NotDifferentiableError: the derivative in df is asked for, which has no closed form.

    >>> import autograd_core as ag
    >>> round(float(ag.grad(lambda t: ag.stdtr(1.0, t))(0.0)), 6)  # 1 / pi
    0.31831
    """
    constant_shape("stdtr", [df])
    return _stdtr_op(df, t)


SCIPY |= {"_zeta": zeta}
