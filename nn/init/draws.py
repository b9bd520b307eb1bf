"""Values that do not ask for the shape: one number, or draws from one distribution."""

from __future__ import annotations

import numpy as np

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .fill import Generator, fill, source

__all__ = ["constant_", "normal_", "ones_", "trunc_normal_", "uniform_", "zeros_"]


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None
) -> Tensor:
    """Fill with numbers drawn evenly from [a, b).

    >>> from autograd_core import nn
    >>> w = nn.init.uniform_(nn.Parameter([[0.0] * 3]), 2, 3)
    >>> bool((w >= 2).all() and (w < 3).all())
    True
    """
    return fill(tensor, source(generator).uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None
) -> Tensor:
    """Fill with numbers drawn from the normal distribution N(mean, std^2).

    >>> from autograd_core import nn
    >>> nn.init.normal_(nn.Parameter([0.0] * 3), std=0).tolist()
    [0.0, 0.0, 0.0]
    """
    return fill(tensor, source(generator).normal(mean, std, tensor.shape))


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
    rng = source(generator)
    values = np.empty(tensor.size)
    left = np.arange(tensor.size)
    while left.size:
        values[left] = rng.normal(mean, std, left.size)
        left = left[(values[left] < a) | (values[left] > b)]
    return fill(tensor, values.reshape(tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> from autograd_core import nn
    >>> nn.init.constant_(nn.Parameter([0.0] * 3), 0.5).tolist()
    [0.5, 0.5, 0.5]
    """
    return fill(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    >>> from autograd_core import nn
    >>> nn.init.ones_(nn.Parameter([0.0] * 3)).tolist()
    [1.0, 1.0, 1.0]
    """
    return fill(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    >>> from autograd_core import nn
    >>> nn.init.zeros_(nn.Parameter([1.0] * 3)).tolist()
    [0.0, 0.0, 0.0]
    """
    return fill(tensor, 0)
