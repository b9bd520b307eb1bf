"""Smooth steps and smooth rectifiers, of one exponential each.

At the kink x = 0: elu has derivative alpha, celu 1, selu its alpha times its scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.primitive import elementwise
from autograd_core.tensor import Tensor

from ...settings import check_positive

__all__ = ["celu", "elu", "logsigmoid", "selu", "sigmoid", "softplus", "softsign", "tanh"]

ALPHA, SCALE = 1.6732632423543772848, 1.0507009873554804935  # of selu

# -- forward functions and their rules -------------------------------------------------------------

_elu = elementwise(  # y > 0 where x > 0, as alpha >= 0; then e^x alpha = y + alpha
    lambda x, *, alpha: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)) * alpha,
    lambda g, y, x, *, alpha: g * ((y > 0) + (np.minimum(y, 0) + alpha) * (y <= 0)),
    saves="y", name="elu", singular=True, kinks="x = 0: alpha",
    doc="x where x > 0, else alpha (e^x - 1): dy/dx = 1 where x > 0, else y + alpha.",
)  # fmt: skip

_celu = elementwise(
    lambda x, *, alpha: np.maximum(x, 0) + np.expm1(np.minimum(x, 0) / alpha) * alpha,
    lambda g, y, x, *, alpha: g * (1 + np.minimum(y, 0) / alpha),
    saves="y", name="celu",
    doc="x where x > 0, else alpha (e^(x/alpha) - 1): dy/dx = 1 where x > 0, else y/alpha + 1.",
)  # fmt: skip

_selu = elementwise(
    lambda x: np.maximum(x, 0) * SCALE + np.expm1(np.minimum(x, 0)) * (ALPHA * SCALE),
    lambda g, y, x: g * (SCALE + (np.minimum(y, 0) + (ALPHA - 1) * SCALE) * (y <= 0)),
    saves="y", name="selu", kinks="x = 0: scale alpha",
    doc="""scale x where x > 0, else scale alpha (e^x - 1): dy/dx = 1.0507009873554805 where x > 0, else
    y + 1.7580993408473766.""",
)  # fmt: skip


def _soft(x: Any, *, beta: Any, threshold: Any) -> Any:
    z = x * beta
    bend = np.log1p(np.exp(np.abs(z) * -1.0))  # 1e6: 1.9 ms; np.logaddexp takes 37
    return (np.maximum(z, 0) + bend * (z <= threshold)) / beta


def _soft_rule(g: Any, y: Any, x: Any, *, beta: Any, threshold: Any) -> Any:
    return g * np.maximum(ops.sigmoid(x * beta), x * beta > threshold)


_softplus = elementwise(
    _soft, _soft_rule, saves="x", name="softplus_above", kinks="beta x = threshold: s(threshold)",
    doc="""log(1 + e^(beta x)) / beta, or x where beta x > threshold:
    dy/dx = 1 where beta x > threshold, else s(beta x), s the sigmoid.""",
)  # fmt: skip

_logsigmoid = elementwise(
    lambda x: np.minimum(x, 0) - np.log1p(np.exp(np.abs(x) * -1.0)),
    lambda g, y, x: -g * np.expm1(y),  # = 1 - s(x), without its cancellation
    saves="y", name="logsigmoid",
    doc="log of the logistic function, -log(1 + e^-x): dy/dx = 1 - e^y.",
)  # fmt: skip

_softsign = elementwise(
    lambda x: x / (1 + np.abs(x)),
    lambda g, y, x: g / (1 + np.abs(x)) / (1 + np.abs(x)),
    saves="x", name="softsign", doc="x / (1 + |x|): dy/dx = 1/(1 + abs(x))^2.",
)  # fmt: skip

# -- what people call ------------------------------------------------------------------------------


def sigmoid(input: Any) -> Tensor:
    """Return the logistic function ``1 / (1 + e^-x)``: dy/dx = y (1 - y).

    >>> from autograd_core import nn
    >>> nn.functional.sigmoid(np.array([-1000.0, 0.0, 1000.0])).round(3)
    array([0. , 0.5, 1. ])
    """
    y: Tensor = ops.sigmoid(input)
    return y


def tanh(input: Any) -> Tensor:
    """Return the hyperbolic tangent: dy/dx = 1 - y^2.

    >>> from autograd_core import nn
    >>> nn.functional.tanh(np.array([0.0, 1.0])).round(3)
    array([0. , 0.762])
    """
    y: Tensor = ops.tanh(input)
    return y


def softsign(input: Any) -> Tensor:
    """Return ``x / (1 + |x|)``: dy/dx = 1 / (1 + |x|)^2.

    >>> from autograd_core import nn
    >>> nn.functional.softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 , 0. , 0.75])
    """
    y: Tensor = _softsign(input)
    return y


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else ``alpha * (e^x - 1)``.

    [Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016]

    Raises:
        ValueError: alpha is negative.

    >>> from autograd_core import nn
    >>> nn.functional.elu(np.array([-1.0, 0.0, 2.0])).round(3)
    array([-0.632, 0. , 2. ])
    """
    if alpha < 0:
        raise ValueError(message("elu", f"alpha={alpha}", "a number that is not negative"))
    y: Tensor = _elu(input, alpha=alpha)
    return y


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else ``alpha * (e^(x / alpha) - 1)``: of slope 1 at 0 for every alpha.

    [Barron, Continuously Differentiable Exponential Linear Units, 2017]

    Raises:
        ValueError: alpha is not positive.

    >>> from autograd_core import nn
    >>> nn.functional.celu(np.array([-1.0, 0.0, 2.0]), 0.5).round(3)
    array([-0.432, 0. , 2. ])
    """
    check_positive("celu", alpha=alpha)
    y: Tensor = _celu(input, alpha=alpha)
    return y


def selu(input: Any, inplace: bool = False) -> Tensor:
    """Return ``elu`` with the alpha and the factor that keep mean 0 and variance 1 from layer to layer.

    [Klambauer et al., Self-Normalizing Neural Networks, 2017]

    >>> from autograd_core import nn
    >>> nn.functional.selu(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-1.111, 0. , 1.051])
    """
    y: Tensor = _selu(input)
    return y


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return ``log(1 + e^(beta x)) / beta``, a smooth relu, and x itself where ``beta x > threshold``.

    No threshold is needed here, as nothing overflows: with ``threshold=math.inf`` it is exact everywhere.
    PyTorch's default, 20, leaves out less than 2.1e-9 / beta.

    >>> from autograd_core import nn
    >>> nn.functional.softplus(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.693147, 1000.0]
    >>> nn.functional.softplus(np.array([1.0, 3.0]), threshold=2.0).round(3)
    array([1.313, 3. ])
    """
    y: Tensor = _softplus(input, beta=beta, threshold=threshold)
    return y


def logsigmoid(input: Any) -> Tensor:
    """Return ``-log(1 + e^-x)``, the logarithm of the logistic function, always finite.

    >>> from autograd_core import nn
    >>> nn.functional.logsigmoid(np.array([-1000.0, 0.0, 1000.0])).round(3)
    array([-1.000e+03, -6.930e-01, -0.000e+00])
    """
    y: Tensor = _logsigmoid(input)
    return y
