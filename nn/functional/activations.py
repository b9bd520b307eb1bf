"""Activation functions: what bends the line, on each element or along one axis.

At the kink x = 0: relu has derivative 0, leaky_relu its slope, prelu its weight, elu its alpha.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops, random
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import elementwise
from autograd_core.tensor import Tensor

__all__ = [
    "elu", "glu", "gumbel_softmax", "hardtanh", "heaviside", "leaky_relu", "log_softmax", "prelu", "relu",
    "selu", "sigmoid", "softmax", "softplus", "softsign", "tanh",
]  # fmt: skip

# -- forward functions and their rules -------------------------------------------------------------


def _leaky(x: Any, *, slope: Any) -> Any:
    if 0 < slope <= 1:
        return np.maximum(x, x * slope)
    return np.maximum(x, 0) + np.minimum(x, 0) * slope


def _leaky_rule(g: Any, y: Any, x: Any, *, slope: Any) -> Any:
    if 0 <= slope <= 1:
        return g * np.maximum(np.sign(x), slope)  # 1 or the slope; where is five times slower
    return np.where(x > 0, g, g * slope)


_leaky_relu = elementwise(
    _leaky, _leaky_rule,
    saves="x", name="leaky_relu", singular=True, kinks="x = 0: slope",
    doc="max(x, 0) + slope min(x, 0): dy/dx = 1 where x > 0, else slope.",
)  # fmt: skip

_prelu = elementwise(
    lambda x, w: np.maximum(x, 0) + w * np.minimum(x, 0),
    lambda g, y, x, w: g * ((x > 0) + w * (x <= 0)),
    lambda g, y, x, w: g * (x * (x <= 0)),
    saves=("x w", "x"), name="prelu", singular=True, kinks="x = 0: w",
    doc="max(x, 0) + w min(x, 0): dy/dx = 1 where x > 0, else w; dy/dw = min(x, 0).",
)  # fmt: skip

_elu = elementwise(  # y > 0 where x > 0, as alpha >= 0; then e^x alpha = y + alpha
    lambda x, *, alpha: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)) * alpha,
    lambda g, y, x, *, alpha: g * ((y > 0) + (y + alpha) * (y <= 0)),
    saves="y", name="elu", singular=True, kinks="x = 0: alpha",
    doc="x where x > 0, else alpha (e^x - 1): dy/dx = 1 where x > 0, else y + alpha.",
)  # fmt: skip

# -- what people call ------------------------------------------------------------------------------


def relu(input: Any) -> Tensor:
    """Return ``max(x, 0)``: the derivative is 1 where x > 0, else 0.

    >>> from autograd_core import nn
    >>> nn.functional.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    y: Tensor = ops.relu(input)
    return y


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Tensor:
    """Return x where x > 0, else ``negative_slope * x``.

    >>> from autograd_core import nn
    >>> nn.functional.leaky_relu(np.array([-1.0, 0.0, 2.0]), 0.1)
    array([-0.1, 0. , 2. ])
    """
    y: Tensor = _leaky_relu(input, slope=negative_slope)
    return y


def prelu(input: Any, weight: Any) -> Tensor:
    """Return x where x > 0, else ``weight * x``, with a weight that is learnt.

    Args:
        input: (N, C, ...), or any shape when there is one weight.
        weight: (1,), or (C,): one for each channel, the second axis.

    Raises:
        ValueError: the weight is neither 1 nor C long.

    >>> from autograd_core import nn
    >>> nn.functional.prelu(np.array([[-1.0, -1.0]]), np.array([0.25, 0.5]))
    array([[-0.25, -0.5 ]])
    """
    shape, n = np.shape(input), np.shape(weight)
    channels = shape[1] if len(shape) > 1 else 1
    if n not in ((1,), (channels,)):
        raise ValueError(message("prelu", f"an input of shape {shape} and a weight of shape {n}",
                                 f"a weight of shape (1,) or ({channels},)"))  # fmt: skip
    if len(shape) > 2 or not shape:
        weight = np.reshape(weight, (-1,) + (1,) * (len(shape) - 2) if shape else ())
    y: Tensor = _prelu(input, weight)
    return y


def elu(input: Any, alpha: float = 1.0) -> Tensor:
    """Return x where x > 0, else ``alpha * (e^x - 1)``.

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


def selu(input: Any) -> Tensor:
    """Return ``elu`` with the alpha and the factor that keep mean 0 and variance 1 from layer to layer.

    [Klambauer et al., Self-Normalizing Neural Networks, 2017]

    >>> from autograd_core import nn
    >>> nn.functional.selu(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-1.111, 0. , 1.051])
    """
    y: Tensor = _elu(input, alpha=1.6732632423543772848) * 1.0507009873554804935
    return y


def softsign(input: Any) -> Tensor:
    """Return ``x / (1 + |x|)``: dy/dx = 1 / (1 + |x|)^2.

    >>> from autograd_core import nn
    >>> nn.functional.softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 , 0. , 0.75])
    """
    y: Tensor = input / (1 + abs(input))
    return y


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return x limited to [min_val, max_val]: the derivative is 1 between them, 0 at them and beyond.

    >>> from autograd_core import nn
    >>> nn.functional.hardtanh(np.array([-2.0, 0.5, 3.0]))
    array([-1. , 0.5, 1. ])
    """
    plain = np.asarray(strip(input))
    y: Tensor = ops.where((plain > min_val) & (plain < max_val), input, np.clip(plain, min_val, max_val))
    return y


def glu(input: Any, dim: int = -1) -> Tensor:
    """Return ``a * sigmoid(b)``, a and b the halves of an axis.

    Raises:
        ValueError: the axis is odd.

    >>> from autograd_core import nn
    >>> nn.functional.glu(np.array([2.0, 4.0, 0.0, 1000.0]))
    array([1., 4.])
    """
    if not np.ndim(input) or np.shape(input)[dim] % 2:
        raise ValueError(message("glu", f"shape {np.shape(input)}", f"an even length along axis {dim}"))
    a, b = ops.split(input, 2, axis=dim)
    y: Tensor = a * ops.sigmoid(b)
    return y


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


def softplus(input: Any, beta: float = 1.0) -> Tensor:
    """Return ``log(1 + e^(beta x)) / beta``, a smooth relu.

    It is exact for all x, so that it needs no threshold above which to be replaced by x.

    >>> from autograd_core import nn
    >>> nn.functional.softplus(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.693147, 1000.0]
    """
    y: Tensor = ops.softplus(input) if beta == 1 else ops.softplus(input * beta) / beta
    return y


def softmax(input: Any, dim: int = -1) -> Tensor:
    """Return ``e^x / sum(e^x)`` along an axis: positive numbers that sum to 1.

    >>> from autograd_core import nn
    >>> nn.functional.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    y: Tensor = ops.softmax(input, axis=dim)
    return y


def log_softmax(input: Any, dim: int = -1) -> Tensor:
    """Return ``x - log(sum(e^x))`` along an axis: the logarithm of softmax, always finite.

    >>> from autograd_core import nn
    >>> nn.functional.log_softmax(np.array([1000.0, 0.0]))
    array([ 0., -1000.])
    """
    y: Tensor = ops.log_softmax(input, axis=dim)
    return y


def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Draw from the categories of an axis, softly, or one-hot with a soft gradient.

    ``softmax((logits + Gumbel noise) / tau)``; see :func:`autograd_core.random.gumbel_softmax`. ``eps`` is
    taken as PyTorch takes it, without effect.

    >>> from autograd_core import nn
    >>> nn.functional.gumbel_softmax(np.zeros((5, 3)), hard=True).sum(1)
    array([1., 1., 1., 1., 1.])
    """
    y: Tensor = random.gumbel_softmax(logits, tau, hard, axis=dim)
    return y


def heaviside(input: Any, value: float = 1.0) -> Any:
    """Return the hard threshold: 0 where x < 0, 1 where x > 0, ``value`` at 0.

    Its derivative is zero or infinite, so it leaves the graph: the result is a plain array.

    >>> from autograd_core import nn
    >>> nn.functional.heaviside(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """
    return np.heaviside(strip(input), value)
