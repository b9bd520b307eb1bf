"""Elementwise functions with corners of their own, and two whose derivatives have no name in NumPy.

The n-th derivatives of ``sinc`` and ``i0`` are means of cosines and exponentials,

    sinc(x) = int_0^1 cos(pi x t) dt,    i0(x) = 1/pi int_0^pi exp(x cos a) da,

so a kernel with the keyword ``order`` gives them all, and its rule is itself at ``order + 1``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import message
from ..node import has_box, strip
from ..primitive import Operation, composite, elementwise, kernel, linear
from .constants import floor_divide
from .elementwise import absolute, power, remainder, where
from .shaping import astype

__all__ = [
    "copysign", "divmod", "fabs", "float_power", "heaviside", "i0", "ldexp", "nan_to_num", "sinc",
]  # fmt: skip

# -- corners and selections ------------------------------------------------------------------------

copysign = elementwise(
    np.copysign, lambda g, y, a, b: g * np.sign(a) * np.sign(y), lambda g, y, a, b: np.where(False, g, 0),
    saves=("y a", ""), kinks="a = 0: 0",
    doc="|a| with the sign of b: dy/da = sign(a) sign(y), dy/db = 0.",
)  # fmt: skip
heaviside = elementwise(
    np.heaviside, lambda g, y, x, h: np.where(False, g, 0), lambda g, y, x, h: np.where(x == 0, g, 0),
    saves=("", "x"), numpy=(np.heaviside,), kinks="x = 0: 0, and 1 for h",
    doc="0 below 0, h at 0, 1 above: dy/dx = 0, dy/dh = 1 where x = 0, else 0.",
)  # fmt: skip
ldexp = linear(np.ldexp, lambda g, y, x, n: np.ldexp(g, n), None, saves=("n", ""),
               doc="""x 2^n with whole n: dy/dx = 2^n.

    >>> import autograd_core as ag
    >>> ag.grad(lambda x: ag.ldexp(x, 3))(2.0)
    np.float64(8.0)
    """)  # fmt: skip


@composite(np.fabs, kinks="x = 0: 0")
def fabs(x: Any) -> Any:
    """Return ``|x|`` as a floating number: dy/dx = sign(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.fabs)(-2.0)
    np.float64(-1.0)
    """
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return absolute(x if x.dtype.kind == "f" else astype(x, float))


@composite(np.float_power, kinks="a = 0, b = 0: 0")
def float_power(a: Any, b: Any) -> Any:
    """Return ``a ** b`` in float64 at least: dy/da = b a^(b-1), dy/db = y log a.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.sum(ag.float_power(a, -1)))(np.array([1.0, 2.0]))
    array([-1.  , -0.25])
    """
    return power(_wide(a), _wide(b))


def _wide(x: Any) -> Any:
    x = x if hasattr(x, "dtype") else np.asarray(x)
    wide = np.result_type(x.dtype, np.float64)
    return x if x.dtype == wide else astype(x, wide)


@composite(np.divmod, kinks="a / b whole: from the right, as of ``remainder``")
def divmod(a: Any, b: Any) -> tuple[Any, Any]:
    """Return ``(a // b, a % b)``: the quotient is whole and a plain array, the rest differentiable.

    With r = a - b floor(a/b): dr/da = 1, dr/db = -floor(a/b).

    >>> import autograd_core as ag
    >>> ag.grad(lambda a, b: ag.divmod(a, b)[1], (0, 1))(7.0, 2.0)
    (np.float64(1.0), np.float64(-3.0))
    """
    return floor_divide(a, b), remainder(a, b)


@composite(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Replace NaN and the infinities: dy/dx = 1 where x is finite, else 0.

    By default with 0 and the largest numbers of the dtype. A replacement may itself be
    differentiated: it receives the gradient of what it replaced.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sum(ag.nan_to_num(x) ** 2))(np.array([3.0, np.nan]))
    array([6., 0.])
    """
    if not copy:
        raise ValueError(message("nan_to_num", "copy=False, with a Tensor, into which it would write",
                                 "copy=True"))  # fmt: skip
    x = x if hasattr(x, "dtype") else np.asarray(x)
    plain = strip(x)
    if plain.dtype.kind not in "fc":
        return x + 0
    y = where(np.isfinite(plain), x, np.nan_to_num(plain, True, *strip((nan, posinf, neginf))))
    for replaced, number in ((np.isnan, nan), (np.isposinf, posinf), (np.isneginf, neginf)):
        if has_box(number):
            y = where(replaced(plain), astype(number, x.dtype), y)
    return y


# -- sinc ------------------------------------------------------------------------------------------


@kernel
def _sinc_slope(x: Any, *, order: int) -> Any:
    """Return the n-th derivative of sinc; with z = pi x and f(z) = sin(z)/z it is pi^n f^(n)(z).

    From z f = sin z follows z f^(n) + n f^(n-1) = sin(z + n pi/2), stable for |z| >= n. Nearer to 0
    stands the series f^(n) = sum_k (-1)^k z^(2k-n) / ((2k+1) (2k-n)!).
    """
    n, z = order, np.ravel(np.multiply(x, math.pi))
    if z.dtype.kind != "f":
        z = z.astype(float)
    near = np.abs(z) < max(n, 1)
    far = np.where(near, max(n, 1), z).astype(z.dtype, copy=False)
    sin, cos = np.sin(far), np.cos(far)
    f = sin / far
    for k in range(1, n + 1):
        f = ((cos, -sin, -cos, sin)[(k - 1) % 4] - k * f) / far
    z = z[near]
    square, series = z * z, np.zeros_like(z)
    for m in range(n % 2 + 2 * (8 + 3 * n), -1, -2):  # beyond, z^m / m! is below a rounding error
        series = series * square / ((m + 1) * (m + 2)) + (-1) ** ((m + n) // 2) / (m + n + 1)
    f[near] = series * z if n % 2 else series
    return np.reshape(f * math.pi**n, np.shape(x))


_sinc_op: Operation = elementwise(
    _sinc_slope, lambda g, y, x, *, order: g * _sinc_op(x, order=order + 1), saves="x",
    name="sinc_slope", doc="The n-th derivative of sinc, n = order.",
)  # fmt: skip
sinc: Operation = elementwise(
    np.sinc, lambda g, y, x: g * _sinc_op(x, order=1), saves="x", name="sinc", numpy=(np.sinc,),
    arity=1, doc="""sin(pi x)/(pi x), and 1 at 0: dy/dx = (cos(pi x) - y)/x; 0 at 0.

    >>> import autograd_core as ag
    >>> ag.grad(ag.sinc)(1.0)
    np.float64(-1.0)
    """,
)  # fmt: skip

# -- the Bessel function I0 ------------------------------------------------------------------------


@kernel
def _i0_slope(x: Any, *, order: int = 1) -> Any:
    """Return the n-th derivative of I0, 1/pi int_0^pi cos^n(a) exp(x cos a) da.

    The trapezoidal rule with m points on the circle errs by I_(m-n)(x), which falls faster than
    exp(-m^2/2x). Points a and a + pi pair to sinh or cosh, so that all terms have one sign and
    nothing cancels. [Trefethen and Weideman, The exponentially convergent trapezoidal rule, 2014]
    """
    x = np.asarray(x)
    if x.dtype.kind != "f":
        x = x.astype(float)
    far = float(np.max(np.abs(x), initial=0, where=np.isfinite(x)))
    quarter = math.ceil((20 + order + math.sqrt(80 * min(far, 12000))) / 4)  # beyond, e^x is infinite
    pair = np.sinh if order % 2 else np.cosh
    y = 0.5 * pair(x)
    for i in range(1, quarter):
        c = math.cos(0.5 * math.pi * i / quarter)
        y = y + c**order * pair(x * c)
    if order == 0:
        y = y + 0.5
    return y / quarter


_i0_op: Operation = elementwise(
    _i0_slope, lambda g, y, x, *, order=1: g * _i0_op(x, order=order + 1), saves="x",
    singular=True, name="i0_slope", doc="The n-th derivative of i0, n = order.",
)  # fmt: skip
i0: Operation = elementwise(
    np.i0, lambda g, y, x: g * _i0_op(x, order=1), saves="x", name="i0", numpy=(np.i0,), arity=1,
    singular=True, doc="""Modified Bessel function of the first kind, order 0: dy/dx = I1(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.i0)(2.0)
    np.float64(1.590637)
    """,
)  # fmt: skip
