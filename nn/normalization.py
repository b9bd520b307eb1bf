"""Normalization of each example by itself: over a layer, over groups of channels, over neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .module import Module
from .settings import check_sizes

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Layer(Module):
    """What layer and root mean square normalization share."""

    takes_integers = False
    weight: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], elementwise_affine: bool, dtype: DTypeLike
    ) -> None:
        super().__init__()
        whole = isinstance(normalized_shape, (int, np.integer))
        self.normalized_shape: tuple[int, ...] = (
            (int(normalized_shape),) if whole else tuple(normalized_shape)  # type: ignore[arg-type]
        )
        if not self.normalized_shape or math.prod(self.normalized_shape) < 1:
            raise ValueError(message(type(self).__name__, f"normalized_shape={normalized_shape}",
                                     "positive numbers, the lengths of the last axes"))  # fmt: skip
        self.elementwise_affine = elementwise_affine
        ones = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.register_parameter("weight", ones)


class LayerNorm(_Layer):
    """Normalize each example over its last axes: ``y = (x - mean) / sqrt(var + eps) * weight + bias``.

    [Ba, Kiros and Hinton, Layer Normalization, 2016]

    Args:
        normalized_shape: lengths of the axes that mean and variance are taken over, the last ones.
        eps: added to the variance.
        elementwise_affine: whether weight and bias are learnt, from 1 and 0 on.
        bias: whether there is a bias.
        dtype: of the parameters.

    Shapes:
        x: (*, *normalized_shape) -> y: the same; weight, bias: normalized_shape.

    Raises:
        ValueError: the last axes of x are others.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 30.0]])).numpy().round(3)
    array([[-1., 1.], [-1., 1.]], dtype=float32)
    """

    bias: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, elementwise_affine, dtype)
        self.eps = eps
        has = elementwise_affine and bias
        self.register_parameter("bias", Parameter(np.zeros(self.normalized_shape, dtype)) if has else None)

    def reset_parameters(self) -> None:
        """Start again: weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Any) -> Tensor:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Layer):
    """Divide each example by the root of its mean square: ``y = x / sqrt(mean(x^2) + eps) * weight``.

    [Zhang and Sennrich, Root Mean Square Layer Normalization, 2019]

    Args:
        normalized_shape: lengths of the axes that the mean is taken over, the last ones.
        eps: added to the mean square; None is the smallest step of the dtype at 1.
        elementwise_affine: whether a weight is learnt, from 1 on.
        dtype: of the weight.

    Shapes:
        x: (*, *normalized_shape) -> y: the same; weight: normalized_shape.

    Raises:
        ValueError: the last axes of x are others.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.RMSNorm(2)(np.array([[3.0, 4.0]])).numpy().round(3)
    array([[0.849, 1.131]], dtype=float32)
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None,
        elementwise_affine: bool = True, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, elementwise_affine, dtype)
        self.eps = eps

    def reset_parameters(self) -> None:
        """Start again: weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Any) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalize groups of channels of each example: ``y = (x - mean) / sqrt(var + eps) * weight + bias``.

    One group is layer normalization, as many as channels is instance normalization.
    [Wu and He, Group Normalization, 2018]

    Args:
        num_groups: number of groups, which divides the number of channels.
        num_channels: number of channels C.
        eps: added to the variance.
        affine: whether weight and bias are learnt, from 1 and 0 on.
        bias: whether there is a bias, if affine.
        dtype: of the parameters.

    Shapes:
        x: (N, C, *) -> y: the same; weight, bias: (C,).

    Raises:
        ValueError: num_groups does not divide num_channels; x has other channels, or one value per group.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.GroupNorm(2, 4)(np.array([[1.0, 3.0, 10.0, 30.0]])).numpy().round(3)
    array([[-1., 1., -1., 1.]], dtype=float32)
    """

    takes_integers = False
    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *,
        bias: bool = True, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_groups < 1 or num_channels < 1 or num_channels % num_groups:
            raise ValueError(message("GroupNorm", f"num_groups={num_groups} and num_channels={num_channels}",
                                     "a number of groups that divides the number of channels"))  # fmt: skip
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        for name, has in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, Parameter(np.empty(num_channels, dtype)) if has else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again: weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Any) -> Tensor:
        shape = np.shape(x)
        if len(shape) < 2 or shape[1] != self.num_channels:
            raise ValueError(message("GroupNorm", f"an input of shape {shape}",
                                     f"(N, {self.num_channels}, ...)"))  # fmt: skip
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Divide each value by the squares of its neighbours in other channels.

    ``y_c = x_c (k + alpha / size * sum of x_c'^2)^-beta`` over the ``size`` channels c' around c.
    [Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Networks, 2012]

    Args:
        size: number of channels in the sum; those beyond the first and last are 0.
        alpha, beta, k: constants of the equation.

    Shapes:
        x: (N, C, *) -> y: the same.

    Raises:
        ValueError: size is less than 1; x has fewer than 3 axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LocalResponseNorm(3, alpha=3.0, beta=1.0)(np.array([[[1.0], [2.0], [0.0]]])).round(3)
    array([[[0.167], [0.333], [0. ]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        check_sizes(type(self).__name__, size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Any) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """:class:`LocalResponseNorm` under its older name, for images; ``size`` is odd.

    The equation is that of its documentation everywhere; PyTorch keeps the square of channel 0 in all sums.

    Raises:
        ValueError: size is even.

    >>> from autograd_core import nn
    >>> nn.CrossMapLRN2d(5)
    CrossMapLRN2d(5, alpha=0.0001, beta=0.75, k=1)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)
        if size % 2 == 0:
            raise ValueError(message("CrossMapLRN2d", f"size={size}", "an odd number", "LocalResponseNorm"))
