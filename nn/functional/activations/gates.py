"""Gated activations: x, or one half of it, times a number between 0 and 1 that the input sets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.kernels import normal
from autograd_core.primitive import elementwise, kernel
from autograd_core.tensor import Tensor

__all__ = ["gelu", "glu", "mish", "silu"]

ROOT = math.sqrt(2 / math.pi)
DENSITY = 1 / math.sqrt(2 * math.pi)  # of the normal distribution at 0
CUBIC = 0.044715 * ROOT
FAR = 10.0  # from there on tanh(u) is 1, and x^3 may overflow

# -- forward functions and their rules -------------------------------------------------------------


def _silu_rule(g: Any, y: Any, x: Any) -> Any:
    s = ops.sigmoid(x)
    return g * (s + x * (s * (1 - s)))


_silu = elementwise(
    lambda x: x * ops.sigmoid(x), _silu_rule, saves="x", name="silu",
    doc="x s(x): dy/dx = s(x) + x s(x) (1 - s(x)), s the sigmoid.",
)  # fmt: skip


def _mish_forward(x: Any) -> Any:
    s = ops.sigmoid(x)
    return x * (s * (2 - s) / (1 + np.square(1 - s)))


def _mish_rule(g: Any, y: Any, x: Any) -> Any:
    s = ops.sigmoid(x)
    r = np.square(1 - s)
    return g * ((s * (2 - s) + x * (4 * s * r / (1 + r))) / (1 + r))


_mish = elementwise(  # e^softplus(x) = 1 / (1 - s), s the sigmoid: no exponential can overflow
    _mish_forward, _mish_rule, saves="x", name="mish",
    doc="x tanh(softplus(x)): dy/dx = y/x + x s(x) (1 - (y/x)^2), s the sigmoid.",
)  # fmt: skip


def _gelu_tanh_forward(x: Any) -> Any:
    z = np.minimum(np.maximum(x, -FAR), FAR)
    return 0.5 * x * (1 + np.tanh(z * (ROOT + CUBIC * (z * z))))


def _gelu_tanh_rule(g: Any, y: Any, x: Any) -> Any:
    z = np.minimum(np.maximum(x, -FAR), FAR)
    t = np.tanh(z * (ROOT + CUBIC * (z * z)))
    return g * (0.5 * (1 + t) + z * (0.5 * (1 - t * t)) * (ROOT + 3 * CUBIC * (z * z)))


_gelu_tanh = elementwise(
    _gelu_tanh_forward, _gelu_tanh_rule, saves="x", name="gelu_tanh",
    doc="""x (1 + tanh u) / 2 with u = sqrt(2/pi) (x + 0.044715 x^3):
    dy/dx = y/x + 2 y (1 - y/x) sqrt(2/pi) (1 + 0.134145 x^2).""",
)  # fmt: skip


def _share_below(x: Any, *, out: Any = None) -> Any:
    x = np.asarray(x)
    if x.dtype.char == "f":
        return normal.share(x, out)
    y = ops.ndtr(x)
    if out is None:
        return y
    out[...] = y
    return out


_share = elementwise(  # of a density beyond x = 40 nothing is left, and x^2 may overflow
    kernel(_share_below, out=True),
    lambda g, y, x: g * (DENSITY * np.exp(-0.5 * np.square(np.minimum(np.maximum(x, -40.0), 40.0)))),
    saves="x", name="normal_share",
    doc="Share of the normal distribution below x: dy/dx = exp(-x^2/2) / sqrt(2 pi).",
)  # fmt: skip

# -- what people call ------------------------------------------------------------------------------


def silu(input: Any, inplace: bool = False) -> Tensor:
    """Return ``x s(x)``, s the logistic function; also called swish.

    [Elfwing et al., Sigmoid-Weighted Linear Units, 2018]

    >>> from autograd_core import nn
    >>> nn.functional.silu(np.array([-1000.0, 0.0, 1.0])).round(3)
    array([-0. , 0. , 0.731])
    """
    y: Tensor = _silu(input)
    return y


def mish(input: Any, inplace: bool = False) -> Tensor:
    """Return ``x tanh(log(1 + e^x))``.

    [Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2020]

    >>> from autograd_core import nn
    >>> nn.functional.mish(np.array([-1000.0, 0.0, 1.0])).round(3)
    array([-0. , 0. , 0.865])
    """
    y: Tensor = _mish(input)
    return y


def gelu(input: Any, approximate: str = "none") -> Tensor:
    """Return ``x P(Z <= x)`` for a normal number Z: x, as far as it is large among such numbers.

    [Hendrycks and Gimpel, Gaussian Error Linear Units, 2016]

    Args:
        input: any shape.
        approximate: ``"none"``, or ``"tanh"`` for ``x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2``.

    Raises:
        ValueError: ``approximate`` is neither of the two.

    >>> from autograd_core import nn
    >>> nn.functional.gelu(np.array([-1000.0, 0.0, 1.0])).round(3)
    array([-0. , 0. , 0.841])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(message("gelu", f"approximate={approximate!r}", "'none' or 'tanh'"))
    if approximate == "tanh":
        y: Tensor = _gelu_tanh(input)
    else:  # two operations, so that the gradient has P at hand: it is dear
        y = ops.multiply(input, _share(input))
    return y


def glu(input: Any, dim: int = -1) -> Tensor:
    """Return ``a * s(b)``, a and b the halves of an axis, s the logistic function.

    [Dauphin et al., Language Modeling with Gated Convolutional Networks, 2017]

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
