"""Weights whose spread makes up for the number of connections, so that signals neither fade nor grow.

The fan of a weight (out, in, k1, k2, ...) is the number of connections of one unit: fan_in =
in k1 k2 ... towards the input, fan_out = out k1 k2 ... towards the output.
"""

from __future__ import annotations

import math

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .draws import normal_, uniform_
from .fill import Generator, matrix

__all__ = [
    "calculate_gain", "fans", "kaiming_normal_", "kaiming_uniform_", "lecun_normal_", "lecun_uniform_",
    "xavier_normal_", "xavier_uniform_",
]  # fmt: skip


def fans(tensor: Tensor, who: str = "fans") -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight.

    >>> from autograd_core import nn
    >>> nn.init.fans(nn.Linear(3, 2).weight)
    (3, 2)
    """
    matrix(who, tensor)
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which weights grow to make up for what an activation takes away.

    1 for linear, convolutions and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope^2)) for
    leaky_relu (``param`` is its slope, 0.01 by default), 3/4 for selu.

    >>> from autograd_core import nn
    >>> nn.init.calculate_gain("relu")
    1.414213
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
        "conv_transpose2d": 1.0, "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3,
        "relu": math.sqrt(2), "leaky_relu": math.sqrt(2 / (1 + slope**2)), "selu": 3 / 4,
    }  # fmt: skip
    if nonlinearity not in gains:
        known = ", ".join(gains)
        raise ValueError(message("calculate_gain", repr(nonlinearity), f"one of {known}"))
    return gains[nonlinearity]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill evenly from +-gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> from autograd_core import nn
    >>> bool((abs(nn.init.xavier_uniform_(nn.Linear(4, 2).weight).numpy()) <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / max(sum(fans(tensor, "xavier_uniform_")), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill from N(0, gain^2 2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> from autograd_core import nn
    >>> nn.init.xavier_normal_(nn.Linear(4, 2).weight).shape
    (2, 4)
    """
    std = gain * math.sqrt(2 / max(sum(fans(tensor, "xavier_normal_")), 1))
    return normal_(tensor, 0.0, std, generator)


def lecun_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill evenly from +-gain sqrt(3 / fan_in) (LeCun et al., Efficient BackProp, 1998).

    >>> from autograd_core import nn
    >>> bool((abs(nn.init.lecun_uniform_(nn.Linear(3, 2).weight).numpy()) <= 1).all())
    True
    """
    bound = gain * math.sqrt(3 / max(fans(tensor, "lecun_uniform_")[0], 1))
    return uniform_(tensor, -bound, bound, generator)


def lecun_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill from N(0, gain^2 / fan_in) (LeCun et al., Efficient BackProp, 1998): what selu expects.

    >>> from autograd_core import nn
    >>> nn.init.lecun_normal_(nn.Linear(4, 2).weight).shape
    (2, 4)
    """
    return normal_(tensor, 0.0, gain / math.sqrt(max(fans(tensor, "lecun_normal_")[0], 1)), generator)


def _kaiming(who: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(message(who, f"mode={mode!r}", "'fan_in' or 'fan_out'"))
    fan = fans(tensor, who)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:  # fmt: skip
    """Fill evenly from +-gain sqrt(3 / fan) (He et al., 2015).

    Args:
        tensor: a weight of at least two axes.
        a: slope of the leaky_relu that follows.
        mode: keep the variance of what flows forward (``"fan_in"``) or back (``"fan_out"``).
        nonlinearity: the activation that follows, as in :func:`calculate_gain`.
        generator: where numbers come from; the library's own by default.

    >>> from autograd_core import nn
    >>> w = nn.init.kaiming_uniform_(nn.Linear(6, 100).weight, nonlinearity="relu")
    >>> bool((abs(w.numpy()) <= 1).all())
    True
    """
    bound = math.sqrt(3) * _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:  # fmt: skip
    """Fill from N(0, gain^2 / fan) (He et al., 2015); sqrt(2 / fan_in) is the std for relu.

    >>> from autograd_core import nn
    >>> nn.init.kaiming_normal_(nn.Linear(4, 2).weight, nonlinearity="relu").shape
    (2, 4)
    """
    std = _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)
