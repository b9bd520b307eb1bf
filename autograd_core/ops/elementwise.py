"""Arithmetic, exponentials, trigonometry: what acts on each element after broadcasting.

Kinks (PyTorch's choices): ``abs`` has derivative 0 at 0; ties of ``maximum`` and ``minimum``
share evenly; the edges of ``clip`` pass the gradient; ``sqrt`` and ``cbrt`` have an infinite
derivative at 0, which a zero gradient from above turns into 0; ``0 ** 0`` has derivative 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from ..primitive import Operation, composite, elementwise

__all__ = [
    "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "cbrt", "clip", "cos", "cosh", "degrees", "divide", "exp", "exp2", "expm1", "fmax", "fmin",
    "fmod", "hypot", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "maximum",
    "minimum", "multiply", "negative", "positive", "power", "radians", "reciprocal", "relu",
    "remainder", "sigmoid", "sin", "sinh", "softplus", "sqrt", "square", "subtract", "tan",
    "tanh", "where",
]  # fmt: skip

LN2, LN10, DEGREE = math.log(2), math.log(10), math.pi / 180
ONE_AND_LIMIT = {  # by dtype 1, and where e^x is still finite; as 0-d arrays, because NumPy
    # converts a Python number at each call, for 0.2 us
    c: (np.array(1, c), np.array(n, c)) for c, n in (("e", 11), ("f", 88), ("d", 709), ("g", 709))
}

# -- arithmetic ------------------------------------------------------------------------------------

add = elementwise(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g, saves="",
                  doc="Sum a + b: dy/da = 1, dy/db = 1.")  # fmt: skip
subtract = elementwise(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g, saves="",
                       doc="Difference a - b: dy/da = 1, dy/db = -1.")  # fmt: skip
multiply = elementwise(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a,
                       saves=("b", "a"), doc="Product a b: dy/da = b, dy/db = a.")  # fmt: skip
divide = elementwise(np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b,
                     saves=("b", "y b"), singular=True,
                     doc="Quotient a / b: dy/da = 1/b, dy/db = -y/b.")  # fmt: skip
negative = elementwise(np.negative, lambda g, y, x: -g, saves="", doc="-x: dy/dx = -1.")
positive = elementwise(np.positive, lambda g, y, x: g, saves="", doc="+x: dy/dx = 1.")
power = elementwise(
    np.power,
    lambda g, y, a, b: g * b * a ** (b - 1 + (b == 0)),
    lambda g, y, a, b: g * y * np.log(np.zeros_like(y) + a + (a == 0)),  # an array, if a is not
    saves=("a b", "y a"), singular=True, kinks="a = 0, b = 0: 0",
    doc="Power a^b: dy/da = b a^(b-1), dy/db = y log a; 0 at a = 0.",
)  # fmt: skip
square = elementwise(np.square, lambda g, y, x: g * (x + x), saves="x", doc="x^2: dy/dx = 2x.")
reciprocal = elementwise(np.reciprocal, lambda g, y, x: -g / (x * x), saves="x", singular=True,
                         doc="1/x: dy/dx = -1/x^2.")  # fmt: skip
sqrt = elementwise(np.sqrt, lambda g, y, x: g * 0.5 / y, saves="y", singular=True,
                   doc="Square root: dy/dx = 1/(2y).")  # fmt: skip
cbrt = elementwise(np.cbrt, lambda g, y, x: g / (3 * y * y), saves="y", singular=True,
                   doc="Cube root: dy/dx = 1/(3 y^2).")  # fmt: skip
remainder = elementwise(np.remainder, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor(a / b),
                        saves=("", "a b"), kinks="a / b whole: from the right",
                        doc="a - b floor(a/b): dy/da = 1, dy/db = -floor(a/b).")  # fmt: skip
fmod = elementwise(np.fmod, lambda g, y, a, b: g, lambda g, y, a, b: -g * np.trunc(a / b),
                   saves=("", "a b"), kinks="a / b whole: from the right",
                   doc="a - b trunc(a/b): dy/da = 1, dy/db = -trunc(a/b).")  # fmt: skip
hypot = elementwise(np.hypot, lambda g, y, a, b: g * a / (y + (y == 0)),
                    lambda g, y, a, b: g * b / (y + (y == 0)), saves=("y a", "y b"),
                    kinks="a = b = 0: 0",
                    doc="sqrt(a^2 + b^2): dy/da = a/y, dy/db = b/y.")  # fmt: skip

# -- corners ---------------------------------------------------------------------------------------

absolute = elementwise(np.absolute, lambda g, y, x: g * np.sign(x), saves="x", kinks="x = 0: 0",
                       numpy=(np.absolute, np.fabs), doc="|x|: dy/dx = sign(x).")  # fmt: skip

def _choice(fun: Any, doc: str) -> Any:
    """Declare a choice of a or b: the chosen one passes the gradient; a tie is shared evenly."""
    return elementwise(
        fun,
        lambda g, y, a, b: 0.5 * g * (a == y) + 0.5 * g * ((a == y) & (a != b)),
        lambda g, y, a, b: 0.5 * g * (b == y) + 0.5 * g * ((b == y) & (a != b)),
        singular=True, kinks="a = b: 1/2 each", doc=doc,
    )  # fmt: skip


maximum = _choice(np.maximum, "The larger of a and b; NaN if either is: dy/da = 1 where a > b, else 0; "
                              "dy/db = 1 where b > a, else 0.")  # fmt: skip
minimum = _choice(np.minimum, "The smaller of a and b; NaN if either is: dy/da = 1 where a < b, else 0; "
                              "dy/db = 1 where b < a, else 0.")  # fmt: skip


def _first(fun: Any, doc: str) -> Any:
    """Declare a choice of a or b in which a tie is a's, as PyTorch has it for these two."""
    return elementwise(
        fun,
        lambda g, y, a, b: g * (a == y), lambda g, y, a, b: g * ((b == y) & (a != b)),
        saves=("y a", "y a b"), singular=True, kinks="a = b: a's", doc=doc,
    )  # fmt: skip


fmax = _first(np.fmax, "The larger of a and b, ignoring NaN: dy/da = 1 where a > b, else 0; "
                       "dy/db = 1 where b > a, else 0.")  # fmt: skip
fmin = _first(np.fmin, "The smaller of a and b, ignoring NaN: dy/da = 1 where a < b, else 0; "
                       "dy/db = 1 where b < a, else 0.")  # fmt: skip

_clip = elementwise(
    np.clip,
    lambda g, y, x, low, high: g * ((x >= low) & (x <= high)),
    lambda g, y, x, low, high: g * ((x < low) & (low <= high)),
    lambda g, y, x, low, high: g * ((x > high) | (high < low)),
    arity=3, saves="x low high", name="clip", singular=True, kinks="x = low, x = high: 1",
)  # fmt: skip


@composite(np.clip, kinks="x = min, x = max: 1 for x, 0 for the bound")
def clip(x: Any, min: Any = None, max: Any = None, **bounds: Any) -> Any:
    """Limit x to [min, max], either of which may be None: dy/dx = 1 inside and on the edges.

    >>> import autograd_core as ag
    >>> ag.grad(lambda x: ag.clip(x, 0, 1))(1.0)
    np.float64(1.0)
    """
    low, high = bounds.pop("a_min", min), bounds.pop("a_max", max)
    if bounds:
        raise TypeError(f"clip() got an unexpected keyword argument {next(iter(bounds))!r}")
    return _clip(x, -np.inf if low is None else low, np.inf if high is None else high)


BITS = {"e": np.int16, "f": np.int32, "d": np.int64, "F": np.int64}  # integers of the same size
MANY = 1024  # elements from which a choice by bits is faster


def _where(c: Any, a: Any, b: Any) -> Any:
    """Choose by ``((a ^ b) c) ^ b`` on bits: no branch that the processor would have to guess.

    1e6 elements: 0.9 ms, beside zeros 0.4; np.where takes 0.4 to 3.9, the less of a pattern c has.
    """
    if type(c) is ndarray and c.dtype.char == "?" and c.size >= MANY:
        if type(a) is ndarray and (bits := BITS.get(a.dtype.char)):
            if type(b) is int and b == 0:
                return (a.view(bits) * c).view(a.dtype)
            if type(b) is ndarray and b.dtype == a.dtype:
                return ((a.view(bits) ^ b.view(bits)) * c ^ b.view(bits)).view(a.dtype)
        elif type(a) is int and a == 0 and type(b) is ndarray and (bits := BITS.get(b.dtype.char)):
            return (b.view(bits) * ~c).view(b.dtype)
    return np.where(c, a, b)


where: Operation = elementwise(
    _where,
    None, lambda g, y, c, a, b: where(c, g, 0), lambda g, y, c, a, b: where(c, 0, g),
    arity=3, saves=("", "c", "c"), name="where",
    doc="""a where c holds, else b: the gradient goes where the value came from.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.where(a > 0, a * a, -a).sum())(np.array([-1.0, 3.0]))
    array([-1.,  6.])
    """,
)  # fmt: skip


@composite(np.where)
def _where_or_nonzero(condition: Any, *choices: Any) -> Any:
    return where(condition, *choices) if choices else np.nonzero(condition)


# -- exponentials and logarithms ------------------------------------------------------------------

exp = elementwise(np.exp, lambda g, y, x: g * y, saves="y", singular=True, doc="e^x: dy/dx = y.")
exp2 = elementwise(np.exp2, lambda g, y, x: g * y * LN2, saves="y", singular=True,
                   doc="2^x: dy/dx = y log 2.")  # fmt: skip
expm1 = elementwise(np.expm1, lambda g, y, x: g * (y + 1), saves="y", singular=True,
                    doc="e^x - 1, exact near 0: dy/dx = y + 1.")  # fmt: skip
log = elementwise(np.log, lambda g, y, x: g / x, saves="x", singular=True,
                  doc="Natural logarithm: dy/dx = 1/x.")  # fmt: skip
log2 = elementwise(np.log2, lambda g, y, x: g / (x * LN2), saves="x", singular=True,
                   doc="Logarithm of base 2: dy/dx = 1/(x log 2).")  # fmt: skip
log10 = elementwise(np.log10, lambda g, y, x: g / (x * LN10), saves="x", singular=True,
                    doc="Logarithm of base 10: dy/dx = 1/(x log 10).")  # fmt: skip
log1p = elementwise(np.log1p, lambda g, y, x: g / (x + 1), saves="x", singular=True,
                    doc="log(1 + x), exact near 0: dy/dx = 1/(1 + x).")  # fmt: skip
logaddexp = elementwise(np.logaddexp, lambda g, y, a, b: g * sigmoid(a - b),
                        lambda g, y, a, b: g * sigmoid(b - a), saves="a b",
                        doc="""log(e^a + e^b): dy/da = s(a - b), dy/db = s(b - a), s the sigmoid.

                        >>> import autograd_core as ag
                        >>> ag.grad(ag.logaddexp, (0, 1))(3.0, 3.0)
                        (np.float64(0.5), np.float64(0.5))
                        """)  # fmt: skip
logaddexp2 = elementwise(np.logaddexp2, lambda g, y, a, b: g * sigmoid((a - b) * LN2),
                         lambda g, y, a, b: g * sigmoid((b - a) * LN2), saves="a b",
                         doc="""log2(2^a + 2^b): dy/da = s((a - b) log 2), dy/db = s((b - a) log 2).

                         >>> import autograd_core as ag
                         >>> ag.grad(ag.logaddexp2, (0, 1))(3.0, 3.0)
                         (np.float64(0.5), np.float64(0.5))
                         """)  # fmt: skip


def _sigmoid(x: Any) -> Any:
    # Limited so that e^x does not overflow; (tanh(x/2) + 1)/2 would lose all digits at x = -20.
    one, limit = ONE_AND_LIMIT.get(x.dtype.char, ONE_AND_LIMIT["d"])
    e = np.exp(np.minimum(x, limit))
    return e / (one + e)


sigmoid: Operation = elementwise(_sigmoid, lambda g, y, x: g * (y - y * y), saves="y", name="sigmoid",
                      doc="Logistic function 1/(1 + e^-x): dy/dx = y - y^2.")  # fmt: skip
softplus = elementwise(  # np.logaddexp(x, 0) takes 15 times longer
    lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.absolute(x))), lambda g, y, x: g * sigmoid(x), saves="x",
                       name="softplus", doc="""log(1 + e^x): dy/dx = s(x), s the sigmoid.

                       >>> import autograd_core as ag
                       >>> ag.grad(ag.softplus)(0.0)
                       np.float64(0.5)
                       """)  # fmt: skip
relu = elementwise(lambda x: np.maximum(x, 0), lambda g, y, x: g * (y > 0), saves="y",
                   name="relu", singular=True, kinks="x = 0: 0",
                   doc="max(x, 0): dy/dx = 1 where x > 0, else 0.")  # fmt: skip

# -- trigonometry ----------------------------------------------------------------------------------

sin = elementwise(np.sin, lambda g, y, x: g * np.cos(x), saves="x", doc="Sine: dy/dx = cos x.")
cos = elementwise(np.cos, lambda g, y, x: -g * np.sin(x), saves="x", doc="Cosine: dy/dx = -sin x.")
tan = elementwise(np.tan, lambda g, y, x: g * (1 + y * y), saves="y",
                  doc="Tangent: dy/dx = 1 + y^2.")  # fmt: skip
arcsin = elementwise(np.arcsin, lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)), saves="x",
                     singular=True, doc="Inverse sine: dy/dx = 1/sqrt(1 - x^2).")  # fmt: skip
arccos = elementwise(np.arccos, lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)), saves="x",
                     singular=True, doc="Inverse cosine: dy/dx = -1/sqrt(1 - x^2).")  # fmt: skip
arctan = elementwise(np.arctan, lambda g, y, x: g / np.hypot(x, 1) / np.hypot(x, 1), saves="x",
                     doc="Inverse tangent: dy/dx = 1/(1 + x^2).")  # fmt: skip
arctan2 = elementwise(np.arctan2, lambda g, y, a, b: g * (b / np.hypot(a, b)) / np.hypot(a, b),
                      lambda g, y, a, b: -g * (a / np.hypot(a, b)) / np.hypot(a, b),
                      saves="a b", singular=True,
                      doc="Angle of (b, a): dy/da = b/(a^2 + b^2), dy/db = -a/(a^2 + b^2).")  # fmt: skip
sinh = elementwise(np.sinh, lambda g, y, x: g * np.cosh(x), saves="x", singular=True,
                   doc="Hyperbolic sine: dy/dx = cosh x.")  # fmt: skip
cosh = elementwise(np.cosh, lambda g, y, x: g * np.sinh(x), saves="x", singular=True,
                   doc="Hyperbolic cosine: dy/dx = sinh x.")  # fmt: skip
tanh = elementwise(np.tanh, lambda g, y, x: g - g * y * y, saves="y",  # no Python number: 0.2 us
                   doc="Hyperbolic tangent: dy/dx = 1 - y^2.")  # fmt: skip
arcsinh = elementwise(np.arcsinh, lambda g, y, x: g / np.hypot(x, 1), saves="x",
                      doc="Inverse hyperbolic sine: dy/dx = 1/sqrt(x^2 + 1).")  # fmt: skip
arccosh = elementwise(np.arccosh, lambda g, y, x: g / np.sqrt(x - 1) / np.sqrt(x + 1), saves="x",
                      singular=True,
                      doc="Inverse hyperbolic cosine: dy/dx = 1/sqrt(x^2 - 1).")  # fmt: skip
arctanh = elementwise(np.arctanh, lambda g, y, x: g / ((1 - x) * (1 + x)), saves="x", singular=True,
                      doc="Inverse hyperbolic tangent: dy/dx = 1/(1 - x^2).")  # fmt: skip
degrees = elementwise(np.degrees, lambda g, y, x: g / DEGREE, saves="",
                      numpy=(np.degrees, np.rad2deg), doc="Radians to degrees: dy/dx = 180/pi.")  # fmt: skip
radians = elementwise(np.radians, lambda g, y, x: g * DEGREE, saves="",
                      numpy=(np.radians, np.deg2rad), doc="Degrees to radians: dy/dx = pi/180.")  # fmt: skip
