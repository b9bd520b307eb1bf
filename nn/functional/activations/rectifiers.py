"""Rectifiers: two straight lines that meet at one place, the kink.

The derivative at the kink: relu 0, leaky_relu its slope, prelu its weight, threshold 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops, random
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import elementwise
from autograd_core.tensor import Tensor

__all__ = ["heaviside", "leaky_relu", "prelu", "relu", "relu6", "rrelu", "threshold"]

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
    lambda g, y, x, w: g * np.minimum(x, 0),
    saves=("x w", "x"), name="prelu", singular=True, kinks="x = 0: w",
    doc="max(x, 0) + w min(x, 0): dy/dx = 1 where x > 0, else w; dy/dw = min(x, 0).",
)  # fmt: skip

_relu6 = elementwise(
    lambda x: np.minimum(np.maximum(x, 0), 6),
    lambda g, y, x: g * ((y > 0) & (y < 6)),
    saves="y", name="relu6", singular=True, kinks="x = 0, x = 6: 0",
    doc="min(max(x, 0), 6): dy/dx = 1 where abs(x - 3) < 3, else 0.",
)  # fmt: skip


def _above(x: Any, *, threshold: Any, value: Any) -> Any:
    other = np.full(np.shape(x), value, np.result_type(x, value))
    return ops.where(x > threshold, x, other)  # by bits; np.where is three times slower


_threshold = elementwise(
    _above, lambda g, y, x, *, threshold, value: g * (x > threshold),
    saves="x", name="threshold", singular=True, kinks="x = threshold: 0",
    doc="x where x > threshold, else value: dy/dx = 1 where x > threshold, else 0.",
)  # fmt: skip

# -- what people call ------------------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Tensor:
    """Return ``max(x, 0)``: the derivative is 1 where x > 0, else 0.

    ``inplace`` is taken, here and in all others, as PyTorch takes it; the input stays as it is.

    >>> from autograd_core import nn
    >>> nn.functional.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    y: Tensor = ops.relu(input)
    return y


def relu6(input: Any, inplace: bool = False) -> Tensor:
    """Return ``min(max(x, 0), 6)``: the derivative is 1 where 0 < x < 6, else 0.

    [Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010]

    >>> from autograd_core import nn
    >>> nn.functional.relu6(np.array([-1.0, 2.0, 8.0]))
    array([0., 2., 6.])
    """
    y: Tensor = _relu6(input)
    return y


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else ``negative_slope * x``.

    >>> from autograd_core import nn
    >>> nn.functional.leaky_relu(np.array([-1.0, 0.0, 2.0]), 0.1)
    array([-0.1, 0. , 2. ])
    """
    y: Tensor = _leaky_relu(input, slope=negative_slope)
    return y


def prelu(input: Any, weight: Any) -> Tensor:
    """Return x where x > 0, else ``weight * x``, with a weight that is learnt.

    [He et al., Delving Deep into Rectifiers, 2015]

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


def rrelu(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return x where x > 0, else ``r x``, r drawn anew from [lower, upper] for each element.

    Without ``training`` r is the mean, (lower + upper) / 2. The draw is from ``nn.random.generator()``.
    [Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015]

    Raises:
        ValueError: lower is above upper.

    >>> from autograd_core import nn
    >>> nn.functional.rrelu(np.array([-1.0, 2.0]), 0.0, 0.5)
    array([-0.25, 2. ])
    """
    if lower > upper:
        raise ValueError(message("rrelu", f"lower={lower}, upper={upper}", "lower <= upper"))
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    dtype = np.result_type(input.dtype if hasattr(input, "dtype") else np.float64, np.float16)
    slopes = random.generator().uniform(lower, upper, np.shape(input)).astype(dtype)
    y: Tensor = _prelu(input, slopes)
    return y


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return x where x > ``threshold``, else ``value``: the derivative is 1 above it, else 0.

    >>> from autograd_core import nn
    >>> nn.functional.threshold(np.array([0.0, 0.5, 1.0]), 0.5, 20.0)
    array([20., 20., 1.])
    """
    y: Tensor = _threshold(input, threshold=threshold, value=value)
    return y


def heaviside(input: Any, value: float = 1.0) -> Any:
    """Return the hard threshold: 0 where x < 0, 1 where x > 0, ``value`` at 0.

    Its derivative is zero or infinite, so it leaves the graph: the result is a plain array.

    >>> from autograd_core import nn
    >>> nn.functional.heaviside(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """
    return np.heaviside(strip(input), value)
