"""The reciprocals of the trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .elementwise import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan2,
    arctanh,
    cos,
    cosh,
    reciprocal,
    sin,
    sinh,
    tan,
    tanh,
)

__all__ = [
    "arccot", "arccoth", "arccsc", "arccsch", "arcsec", "arcsech", "cot", "coth", "csc", "csch", "sec",
    "sech",
]  # fmt: skip


def sec(x: Any) -> Any:
    """Return the secant 1/cos(x): dy/dx = y tan(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.sec)(1.0)
    np.float64(2.882475)
    """
    return reciprocal(cos(x))


def csc(x: Any) -> Any:
    """Return the cosecant 1/sin(x): dy/dx = -y/tan(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.csc)(1.0)
    np.float64(-0.763060)
    """
    return reciprocal(sin(x))


def cot(x: Any) -> Any:
    """Return the cotangent 1/tan(x): dy/dx = -(1 + y^2).

    >>> import autograd_core as ag
    >>> ag.grad(ag.cot)(1.0)
    np.float64(-1.412283)
    """
    return reciprocal(tan(x))


def sech(x: Any) -> Any:
    """Return 1/cosh(x): dy/dx = -y tanh(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.sech)(1.0)
    np.float64(-0.493554)
    """
    return reciprocal(cosh(x))


def csch(x: Any) -> Any:
    """Return 1/sinh(x): dy/dx = -y/tanh(x).

    >>> import autograd_core as ag
    >>> ag.grad(ag.csch)(1.0)
    np.float64(-1.117285)
    """
    return reciprocal(sinh(x))


def coth(x: Any) -> Any:
    """Return 1/tanh(x): dy/dx = 1 - y^2.

    >>> import autograd_core as ag
    >>> ag.grad(ag.coth)(1.0)
    np.float64(-0.724062)
    """
    return reciprocal(tanh(x))


def arcsec(x: Any) -> Any:
    """Return the angle whose secant is x, arccos(1/x): dy/dx = 1/(|x| sqrt(x^2 - 1)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.arcsec)(2.0)
    np.float64(0.288675)
    """
    return arccos(reciprocal(_floating(x)))


def arccsc(x: Any) -> Any:
    """Return the angle whose cosecant is x, arcsin(1/x): dy/dx = -1/(|x| sqrt(x^2 - 1)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.arccsc)(2.0)
    np.float64(-0.288675)
    """
    return arcsin(reciprocal(_floating(x)))


def arccot(x: Any) -> Any:
    """Return the angle whose cotangent is x, arctan(1/x), and pi/2 at 0: dy/dx = -1/(1 + x^2).

    >>> import autograd_core as ag
    >>> ag.grad(ag.arccot)(0.0)
    np.float64(-1.0)
    """
    x = _floating(x)
    sign = np.copysign(1.0, x)
    return arctan2(sign, x * sign)


def arcsech(x: Any) -> Any:
    """Return the positive number whose sech is x, arccosh(1/x): dy/dx = -1/(x sqrt(1 - x^2)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.arcsech)(0.5)
    np.float64(-2.309401)
    """
    return arccosh(reciprocal(_floating(x)))


def arccsch(x: Any) -> Any:
    """Return the number whose csch is x, arcsinh(1/x): dy/dx = -1/(|x| sqrt(1 + x^2)).

    >>> import autograd_core as ag
    >>> ag.grad(ag.arccsch)(2.0)
    np.float64(-0.223607)
    """
    return arcsinh(reciprocal(_floating(x)))


def arccoth(x: Any) -> Any:
    """Return the number whose coth is x, arctanh(1/x): dy/dx = 1/(1 - x^2).

    >>> import autograd_core as ag
    >>> ag.grad(ag.arccoth)(2.0)
    np.float64(-0.333333)
    """
    return arctanh(reciprocal(_floating(x)))


def _floating(x: Any) -> Any:
    """Return ``x`` as it is, and whole numbers as floating ones: 1/x of them would be whole."""
    return np.true_divide(x, 1)
