"""The error function, the normal distribution, and logarithms that meet zero, under SciPy's names.

``erf``, ``erfc``, ``ndtr``, ``xlogy``, ``logit`` and ``expit`` work without SciPy too. The first three are
then computed by ``math.erf`` and its like, element by element: 1e5 take 10 ms, by SciPy's ufunc 1 ms.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Operation, elementwise, kernel
from .borrowed import SCIPY, borrowed, special, told
from .elementwise import cbrt, exp2, expm1, log, log1p, sigmoid, softplus
from .special import _i0_op, i0

__all__ = [
    "entr", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "expit", "i1", "kl_div", "log_expit", "log_ndtr",
    "logit", "ndtr", "ndtri", "rel_entr", "xlog1py", "xlogy",
]  # fmt: skip

SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0
DENSITY = 1 / math.sqrt(2 * math.pi)  # of the normal distribution at 0
expit = sigmoid


def _each(f: Any) -> Any:
    def call(x: Any) -> Any:
        x = np.asarray(x)
        dtype = np.result_type(x.dtype, np.float32)  # float16 becomes float32, as SciPy has it
        return np.array([f(v) for v in x.ravel().tolist()], float).reshape(x.shape).astype(dtype)[()]

    return call


# -- the error function ----------------------------------------------------------------------------

erf: Operation = borrowed(
    "erf", lambda g, y, x: g * (SLOPE * np.exp(-x * x)), saves="x", substitute=_each(math.erf),
    doc="""Error function 2/sqrt(pi) int_0^x exp(-t^2) dt: dy/dx = 2/sqrt(pi) exp(-x^2).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.erf)(0.0)), 12)
    1.128379167096
    """,
)  # fmt: skip
erfc: Operation = borrowed(
    "erfc", lambda g, y, x: g * (-SLOPE * np.exp(-x * x)), saves="x", substitute=_each(math.erfc),
    doc="""1 - erf(x), without its cancellation: dy/dx = -2/sqrt(pi) exp(-x^2).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.erfc)(0.0)), 12)
    -1.128379167096
    """,
)  # fmt: skip
erfcx: Operation = borrowed(
    "erfcx", lambda g, y, x: g * (2 * (x * y) - SLOPE), saves="x y",
    doc="""exp(x^2) erfc(x), which does not underflow: dy/dx = 2 x y - 2/sqrt(pi).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.erfcx)(0.0)), 12)
    -1.128379167096
    """,
)  # fmt: skip


def _exp_square(y: Any) -> Any:
    y = np.clip(y, -27, 27)  # where the result is infinite already, and no infinity is multiplied
    return np.exp(y * y)


erfinv: Operation = borrowed(
    "erfinv", lambda g, y, x: g * (_exp_square(y) / SLOPE), saves="y", singular=True,
    doc="""The y with erf(y) = x, for x in (-1, 1): dy/dx = sqrt(pi)/2 exp(y^2).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.erfinv)(0.0)), 12)
    0.886226925453
    """,
)  # fmt: skip
erfcinv: Operation = borrowed(
    "erfcinv", lambda g, y, x: -g * (_exp_square(y) / SLOPE), saves="y", singular=True,
    doc="""The y with erfc(y) = x, for x in (0, 2): dy/dx = -sqrt(pi)/2 exp(y^2).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.erfcinv)(1.0)), 12)
    -0.886226925453
    """,
)  # fmt: skip

# -- the normal distribution -----------------------------------------------------------------------

ndtr: Operation = borrowed(
    "ndtr", lambda g, y, x: g * (DENSITY * np.exp(-0.5 * x * x)), saves="x",
    substitute=_each(lambda v: 0.5 * math.erfc(-v / math.sqrt(2))),
    doc="""Share of the normal distribution below x: dy/dx = exp(-x^2/2) / sqrt(2 pi).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.ndtr)(0.0)), 12)
    0.398942280401
    """,
)  # fmt: skip
log_ndtr: Operation = borrowed(
    "log_ndtr", lambda g, y, x: g * _hazard(x), saves="x",
    doc="""log(ndtr(x)), exact for large negative x: dy/dx = exp(-x^2/2 - y) / sqrt(2 pi).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.log_ndtr)(-100.0)), 6)
    100.009998
    """,
)  # fmt: skip


@kernel
def _normal_hazard(x: Any) -> Any:
    x = np.asarray(x)
    z = np.multiply(x, -math.sqrt(0.5), dtype=np.result_type(x, np.float32))
    return math.sqrt(2 / math.pi) / special("log_ndtr").erfcx(z)


def _hazard_rule(g: Any, y: Any, x: Any) -> Any:
    r = 1 / np.where(x < -50, x, -50.0)  # there x + y loses its digits: the first terms in 1/x^2
    far = 1 - r * r * (1 - r * r * (6 - r * r * (50 - r * r * 518)))
    near = np.where(x < -50, 0.0, y)
    return -g * np.where(x < -50, far, near * (np.where(x < -50, 0.0, x) + near))


_normal_hazard.needs_scipy = True
_hazard: Operation = elementwise(
    _normal_hazard, _hazard_rule, saves="x y", name="normal_hazard",
    doc=told("""Density of the normal distribution over its share below x: dy/dx = -y (x + y).

    >>> round(float(_hazard(0.0)), 12)  # sqrt(2 / pi)
    0.797884560803
    """),
)  # fmt: skip
ndtri: Operation = borrowed(
    "ndtri", lambda g, y, x: g * (_exp_square(y * math.sqrt(0.5)) / DENSITY), saves="y", singular=True,
    doc="""The y with ndtr(y) = x, for x in (0, 1): dy/dx = sqrt(2 pi) exp(y^2/2).

    >>> import autograd_core as ag
    >>> round(float(ag.grad(ag.ndtri)(0.5)), 12)
    2.506628274631
    """,
)  # fmt: skip

# -- logarithms ------------------------------------------------------------------------------------


def logit(x: Any) -> Any:
    """Return log(x / (1 - x)), the inverse of the logistic function: dy/dx = 1 / (x (1 - x)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.logit)(0.5)
    np.float64(4.0)
    """
    return log(x) - log1p(np.negative(x))


def log_expit(x: Any) -> Any:
    """Return the logarithm of the logistic function, -log(1 + e^-x): dy/dx = 1 / (1 + e^x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.log_expit)(0.0)
    np.float64(0.5)
    """
    return -softplus(np.negative(x))


@kernel
def _x_log_y(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0) & ~np.isnan(y), 0, x * np.log(y))[()]


@kernel
def _x_log_1_y(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(x, 0) & ~np.isnan(y), 0, x * np.log1p(y))[()]


xlogy: Operation = elementwise(
    _x_log_y, lambda g, y, a, b: xlogy(g, b), lambda g, y, a, b: g * (a / (b + ((a == 0) & (b == 0)))),
    saves=("b", "a b"), name="xlogy", singular=True,
    doc="""a log b, and 0 where a is 0: dy/da = log b, dy/db = a / b; 0 at a = b = 0.

    >>> import autograd_core as ag
    >>> ag.grad(lambda y: ag.xlogy(3.0, y))(2.0)
    np.float64(1.5)
    """,
)  # fmt: skip
xlog1py: Operation = elementwise(
    _x_log_1_y, lambda g, y, a, b: xlog1py(g, b),
    lambda g, y, a, b: g * (a / (1 + b + ((a == 0) & (b == -1)))), saves=("b", "a b"), name="xlog1py",
    singular=True,
    doc="""a log(1 + b), and 0 where a is 0: dy/da = log(1 + b), dy/db = a / (1 + b); 0 at a = 0, b = -1.

    >>> import autograd_core as ag
    >>> ag.grad(lambda y: ag.xlog1py(3.0, y))(1.0)
    np.float64(1.5)
    """,
)  # fmt: skip

# -- entropies -------------------------------------------------------------------------------------

entr: Operation = borrowed(
    "entr", lambda g, y, x: -g * (1 + np.log(x)), saves="x", singular=True,
    doc="""-x log x, 0 at 0 and -infinity below: dy/dx = -1 - log x.

    >>> import autograd_core as ag
    >>> ag.grad(ag.entr)(1.0)
    np.float64(-1.0)
    """,
)  # fmt: skip
rel_entr: Operation = borrowed(
    "rel_entr", lambda g, y, a, b: g * (1 + np.log(a / b)), lambda g, y, a, b: -g * (a / b), saves="a b",
    singular=True, doc="""a log(a/b), and 0 where a is 0: dy/da = 1 + log(a/b), dy/db = -a/b.

    >>> import autograd_core as ag
    >>> ag.grad(ag.rel_entr, (0, 1))(2.0, 2.0)
    (np.float64(1.0), np.float64(-1.0))
    """,
)  # fmt: skip
kl_div: Operation = borrowed(
    "kl_div", lambda g, y, a, b: g * np.log(a / b), lambda g, y, a, b: g * (1 - a / b), saves="a b",
    singular=True, doc="""a log(a/b) - a + b: dy/da = log(a/b), dy/db = 1 - a/b.

    >>> import autograd_core as ag
    >>> ag.grad(ag.kl_div, (0, 1))(2.0, 4.0)
    (np.float64(-0.693147), np.float64(0.5))
    """,
)  # fmt: skip


def i1(x: Any) -> Any:
    """Return the modified Bessel function of the first kind of order 1, the derivative of ``i0``.

    >>> import autograd_core as ag
    >>> ag.grad(ag.i1)(0.0)
    np.float64(0.5)
    """
    return _i0_op(x, order=1)


OTHERS = (cbrt, exp2, expm1, i0, i1, log1p, log_expit, logit, softplus, xlog1py, xlogy)
SCIPY |= {f.__name__: f for f in OTHERS} | {"expit": expit}
