"""Straight pieces and shrinkage: saturation without exponentials, and what is small set to zero.

The derivative at a kink: 0, but 1 for hardswish at 3 and 0 at -3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.primitive import elementwise
from autograd_core.tensor import Tensor

__all__ = ["hardshrink", "hardsigmoid", "hardswish", "hardtanh", "softshrink", "tanhshrink"]

# -- forward functions and their rules -------------------------------------------------------------

_hardtanh = elementwise(
    lambda x, *, low, high: np.minimum(np.maximum(x, low), high),
    lambda g, y, x, *, low, high: g * ((y > low) & (y < high)),
    saves="y", name="hardtanh", singular=True, kinks="x = low, x = high: 0",
    doc="min(max(x, low), high): dy/dx = 1 where abs(2 x - low - high) < high - low, else 0.",
)  # fmt: skip

_hardsigmoid = elementwise(
    lambda x: np.minimum(np.maximum(x + 3.0, 0), 6) / 6,
    lambda g, y, x: g * ((x > -3) & (x < 3)) / 6,
    saves="x", name="hardsigmoid", singular=True, kinks="x = -3, x = 3: 0",
    doc="min(max(x + 3, 0), 6) / 6: dy/dx = 1/6 where abs(x) < 3, else 0.",
)  # fmt: skip

_hardswish = elementwise(
    lambda x: np.maximum(x, -3.0) * (np.minimum(np.maximum(x + 3.0, 0), 6) / 6),
    lambda g, y, x: g * ((np.minimum(np.maximum(x, -3), 3) / 3 + 0.5) * ((x > -3) & (x < 3)) + (x >= 3)),
    saves="x", name="hardswish", kinks="x = -3: 0; x = 3: 1",
    doc="x min(max(x + 3, 0), 6) / 6: dy/dx = 1 where x > 3, else x/3 + 1/2 where x > -3, else 0.",
)  # fmt: skip

_hardshrink = elementwise(
    lambda x, *, bound: x * ((x > bound) | (x < -bound)),
    lambda g, y, x, *, bound: g * ((x > bound) | (x < -bound)),
    saves="x", name="hardshrink", singular=True, kinks="x = -bound, x = bound: 0",
    doc="x where |x| > bound, else 0: dy/dx = 1 where abs(x) > bound, else 0.",
)  # fmt: skip

_softshrink = elementwise(
    lambda x, *, bound: x - np.minimum(np.maximum(x, -bound), bound),
    lambda g, y, x, *, bound: g * (y != 0),
    saves="y", name="softshrink", singular=True, kinks="x = -bound, x = bound: 0",
    doc="x less its part within [-bound, bound]: dy/dx = 1 where abs(x) > bound, else 0.",
)  # fmt: skip

_tanhshrink = elementwise(
    lambda x: x - np.tanh(x),
    lambda g, y, x: g * np.square(np.tanh(x)),  # of x - y little would be left for large x
    saves="x", name="tanhshrink", doc="x - tanh x: dy/dx = tanh(x)^2.",
)  # fmt: skip

# -- what people call ------------------------------------------------------------------------------


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x limited to [min_val, max_val]: the derivative is 1 between them, 0 at them and beyond.

    Raises:
        ValueError: min_val is not below max_val.

    >>> from autograd_core import nn
    >>> nn.functional.hardtanh(np.array([-2.0, 0.5, 3.0]))
    array([-1. , 0.5, 1. ])
    """
    if not min_val < max_val:
        raise ValueError(message("hardtanh", f"min_val={min_val}, max_val={max_val}", "min_val < max_val"))
    y: Tensor = _hardtanh(input, low=min_val, high=max_val)
    return y


def hardsigmoid(input: Any, inplace: bool = False) -> Tensor:
    """Return ``min(max(x + 3, 0), 6) / 6``: a sigmoid of three straight pieces.

    >>> from autograd_core import nn
    >>> nn.functional.hardsigmoid(np.array([-4.0, 0.0, 1.5]))
    array([0. , 0.5 , 0.75])
    """
    y: Tensor = _hardsigmoid(input)
    return y


def hardswish(input: Any, inplace: bool = False) -> Tensor:
    """Return ``x min(max(x + 3, 0), 6) / 6``: silu with a sigmoid of straight pieces.

    [Howard et al., Searching for MobileNetV3, 2019]

    >>> from autograd_core import nn
    >>> nn.functional.hardswish(np.array([-4.0, 0.0, 1.5, 4.0]))
    array([-0. , 0. , 1.125, 4. ])
    """
    y: Tensor = _hardswish(input)
    return y


def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """Return x where ``|x| > lambd``, else 0.

    >>> from autograd_core import nn
    >>> nn.functional.hardshrink(np.array([-2.0, 0.4, 0.6])) + 0.0
    array([-2. , 0. , 0.6])
    """
    y: Tensor = _hardshrink(input, bound=lambd)
    return y


def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """Return ``x - lambd`` above lambd, ``x + lambd`` below -lambd, and 0 between.

    Raises:
        ValueError: lambd is negative.

    >>> from autograd_core import nn
    >>> nn.functional.softshrink(np.array([-2.0, 0.4, 0.75]))
    array([-1.5 , 0. , 0.25])
    """
    if lambd < 0:
        raise ValueError(message("softshrink", f"lambd={lambd}", "a number that is not negative"))
    y: Tensor = _softshrink(input, bound=lambd)
    return y


def tanhshrink(input: Any) -> Tensor:
    """Return ``x - tanh(x)``: dy/dx = tanh(x)^2.

    >>> from autograd_core import nn
    >>> nn.functional.tanhshrink(np.array([0.0, 1.0])).round(3)
    array([0. , 0.238])
    """
    y: Tensor = _tanhshrink(input)
    return y
