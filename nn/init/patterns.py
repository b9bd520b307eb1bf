"""Weights of a pattern: the identity, orthogonal, sparse, of random directions, with hinges in place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .fill import Generator, fill, matrix, source

__all__ = ["directions_", "dirac_", "eye_", "hinges_", "orthogonal_", "sparse_"]


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity, as far as it is square.

    >>> from autograd_core import nn
    >>> nn.init.eye_(nn.Parameter([[0.0] * 3] * 2)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    matrix("eye_", tensor, exactly=True)
    return fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make the weight of a convolution the identity: as many channels as there are pass unchanged.

    Args:
        tensor: (out, in, k1), (out, in, k1, k2) or (out, in, k1, k2, k3); what is not in the middle of a
            filter becomes 0. The middle of an even length is the place after it.
        groups: the identity in each group of output channels.

    Raises:
        ValueError: another number of axes, or a number of channels that is no multiple of ``groups``.

    >>> from autograd_core import nn
    >>> nn.init.dirac_(nn.Parameter([[[5.0] * 3] * 2] * 2)).tolist()
    [[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(message("dirac_", f"a Tensor of shape {tensor.shape}", "three, four or five axes"))
    out, channels = tensor.shape[:2]
    if groups < 1 or out % groups:
        raise ValueError(message("dirac_", f"{out} channels in {groups} groups", "a multiple of groups"))
    each = out // groups
    same = np.arange(min(each, channels))
    middle = tuple(n // 2 for n in tensor.shape[2:])
    values = np.zeros(tensor.shape)
    for start in range(0, out, each):
        values[(start + same, same, *middle)] = 1
    return fill(tensor, values)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator = None) -> Tensor:
    """Fill with a random orthogonal matrix times gain; axes after the first count as columns.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> w = nn.init.orthogonal_(nn.Linear(3, 3).weight).numpy()
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-5))
    True
    """
    matrix("orthogonal_", tensor)
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(source(generator).normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diagonal(r))  # or the distribution would not be uniform (Mezzadri, 2007)
    return fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator = None
) -> Tensor:
    """Fill a matrix from N(0, std^2), with the fraction ``sparsity`` of each column zero.

    >>> from autograd_core import nn
    >>> int((nn.init.sparse_(nn.Linear(2, 10).weight, 0.3).numpy() == 0).sum())
    6
    """
    matrix("sparse_", tensor, exactly=True)
    rng = source(generator)
    values = rng.normal(0.0, std, tensor.shape)
    zeros = math.ceil(sparsity * tensor.shape[0])
    for column in values.T:
        column[rng.permutation(tensor.shape[0])[:zeros]] = 0
    return fill(tensor, values)


def directions_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Give each unit a weight vector of length ``gain``, of a direction drawn evenly from the sphere.

    Args:
        tensor: (out, ...): the weights of unit j are ``tensor[j]``.
        gain: their length.
        generator: where numbers come from; the library's own by default.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> w = nn.init.directions_(nn.Linear(3, 5).weight, gain=2).numpy()
    >>> np.linalg.norm(w, axis=1).round(3)
    array([2., 2., 2., 2., 2.], dtype=float32)
    """
    matrix("directions_", tensor)
    w = source(generator).normal(size=(tensor.shape[0], math.prod(tensor.shape[1:])))
    w *= gain / np.linalg.norm(w, axis=1, keepdims=True)  # a normal vector has no direction of its own
    return fill(tensor, w.reshape(tensor.shape))


def hinges_(bias: Tensor, weight: Tensor, inputs: Any = (-1.0, 1.0)) -> Tensor:
    """Set the biases of rectifiers such that their hinges, ``w . x + b = 0``, spread over the inputs.

    Along its own direction each unit sees the inputs between a least and a largest value of ``w . x``; the
    hinge of the j-th of n units is at the share (j + 1/2) / n of them. So units of one input bend at evenly
    spaced places, and none of them is dead, or linear, for all inputs.

    Args:
        bias: (out,), what is set.
        weight: (out, in), as it is.
        inputs: two numbers, the interval of each input, or data (N, in), of which hinges then have equal
            shares between them.

    Raises:
        ValueError: the shapes do not fit.

    >>> from autograd_core import nn
    >>> layer = nn.Linear(1, 4)
    >>> b = nn.init.hinges_(layer.bias, layer.weight, (0.0, 8.0))
    >>> (-b / layer.weight[:, 0]).numpy().round(3)
    array([1., 3., 5., 7.], dtype=float32)
    """
    matrix("hinges_", weight, exactly=True)
    w = np.asarray(strip(weight), np.float64)
    n, features = w.shape
    if bias.shape != (n,):
        raise ValueError(message("hinges_", f"a bias of shape {bias.shape}", f"({n},), one of each unit"))
    x = np.asarray(strip(inputs), np.float64)
    if x.shape != (2,) and (x.ndim != 2 or x.shape[1] != features or not len(x)):
        raise ValueError(message("hinges_", f"inputs of shape {x.shape}",
                                 f"two numbers, or data (N, {features})"))  # fmt: skip
    leading = np.take_along_axis(w, np.abs(w).argmax(1, keepdims=True), 1)
    sign = np.where(leading < 0, -1.0, 1.0)  # w and -w have the same hinges, so both count from one side
    share = (np.arange(n) + 0.5) / n
    u = w * sign
    if x.shape == (2,):
        ends = np.stack([(u * x[0]), (u * x[1])])
        low, high = ends.min(0).sum(1), ends.max(0).sum(1)
        place = low + share * (high - low)
    else:
        place = np.array([np.quantile(x @ v, q) for v, q in zip(u, share, strict=True)])
    return fill(bias, -place * sign[:, 0])
