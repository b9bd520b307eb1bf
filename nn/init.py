"""First values of parameters, under PyTorch's names: each function fills a Tensor in place.

The fan of a weight (out, in, k1, k2, ...) is the number of connections of one unit: fan_in =
in k1 k2 ... towards the input, fan_out = out k1 k2 ... towards the output.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from . import random

__all__ = [
    "calculate_gain", "constant_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_",
    "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_",
    "xavier_uniform_", "zeros_",
]  # fmt: skip

Generator = np.random.Generator | None


def _fill(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        tensor[...] = values
    return tensor


def _source(generator: Generator) -> np.random.Generator:
    return random.generator() if generator is None else generator


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None
) -> Tensor:
    """Fill with numbers drawn evenly from [a, b).

    >>> from autograd_core import nn
    >>> w = nn.init.uniform_(nn.Parameter([[0.0] * 3]), 2, 3)
    >>> bool((w >= 2).all() and (w < 3).all())
    True
    """
    return _fill(tensor, _source(generator).uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None
) -> Tensor:
    """Fill with numbers drawn from the normal distribution N(mean, std^2).

    >>> from autograd_core import nn
    >>> nn.init.normal_(nn.Parameter([0.0] * 3), std=0).tolist()
    [0.0, 0.0, 0.0]
    """
    return _fill(tensor, _source(generator).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator = None,
) -> Tensor:  # fmt: skip
    """Fill from N(mean, std^2), drawing again what falls outside [a, b].

    Raises:
        ValueError: [a, b] is empty, or more than four standard deviations from the mean.

    >>> from autograd_core import nn
    >>> w = nn.init.trunc_normal_(nn.Parameter([0.0] * 1000))
    >>> bool((abs(w.numpy()) <= 2).all())
    True
    """
    if not (a < b and a <= mean + 4 * std and b >= mean - 4 * std):
        raise ValueError(message("trunc_normal_", f"[{a}, {b}] for mean={mean}, std={std}",
                                 "a < b, within four std of the mean"))  # fmt: skip
    source = _source(generator)
    values = np.empty(tensor.size)
    left = np.arange(tensor.size)
    while left.size:
        values[left] = source.normal(mean, std, left.size)
        left = left[(values[left] < a) | (values[left] > b)]
    return _fill(tensor, values.reshape(tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> from autograd_core import nn
    >>> nn.init.constant_(nn.Parameter([0.0] * 3), 0.5).tolist()
    [0.5, 0.5, 0.5]
    """
    return _fill(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    >>> from autograd_core import nn
    >>> nn.init.ones_(nn.Parameter([0.0] * 3)).tolist()
    [1.0, 1.0, 1.0]
    """
    return _fill(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    >>> from autograd_core import nn
    >>> nn.init.zeros_(nn.Parameter([1.0] * 3)).tolist()
    [0.0, 0.0, 0.0]
    """
    return _fill(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity, as far as it is square.

    >>> from autograd_core import nn
    >>> nn.init.eye_(nn.Parameter([[0.0] * 3] * 2)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    _matrix("eye_", tensor, exactly=True)
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def _matrix(who: str, tensor: Tensor, exactly: bool = False) -> None:
    if tensor.ndim < 2 or (exactly and tensor.ndim != 2):
        raise ValueError(message(who, f"a Tensor of shape {tensor.shape}",
                                 "two axes" if exactly else "at least two axes"))  # fmt: skip


def fans(tensor: Tensor, who: str = "fans") -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight."""
    _matrix(who, tensor)
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which weights grow to make up for what an activation takes away.

    1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope^2)) for
    leaky_relu (``param`` is its slope, 0.01 by default), 3/4 for selu.

    >>> from autograd_core import nn
    >>> nn.init.calculate_gain("relu")
    1.414213
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "sigmoid": 1.0,
        "tanh": 5 / 3, "relu": math.sqrt(2), "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
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
    bound = gain * math.sqrt(6 / sum(fans(tensor, "xavier_uniform_")))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Fill from N(0, gain^2 2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> from autograd_core import nn
    >>> nn.init.xavier_normal_(nn.Linear(4, 2).weight).shape
    (2, 4)
    """
    std = gain * math.sqrt(2 / sum(fans(tensor, "xavier_normal_")))
    return normal_(tensor, 0.0, std, generator)


def _kaiming(who: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(message(who, f"mode={mode!r}", "'fan_in' or 'fan_out'"))
    fan = fans(tensor, who)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


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


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator = None) -> Tensor:
    """Fill with a random orthogonal matrix times gain; axes after the first count as columns.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> w = nn.init.orthogonal_(nn.Linear(3, 3).weight).numpy()
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-5))
    True
    """
    _matrix("orthogonal_", tensor)
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(_source(generator).normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diagonal(r))  # or the distribution would not be uniform (Mezzadri, 2007)
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator = None
) -> Tensor:
    """Fill a matrix from N(0, std^2), with the fraction ``sparsity`` of each column zero.

    >>> from autograd_core import nn
    >>> int((nn.init.sparse_(nn.Linear(2, 10).weight, 0.3).numpy() == 0).sum())
    6
    """
    _matrix("sparse_", tensor, exactly=True)
    source = _source(generator)
    values = source.normal(0.0, std, tensor.shape)
    zeros = math.ceil(sparsity * tensor.shape[0])
    for column in values.T:
        column[source.permutation(tensor.shape[0])[:zeros]] = 0
    return _fill(tensor, values)
