"""Normalization by statistics of a batch, or of each example, with running averages of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy import ndarray
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.errors import counted, message
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .module import Module
from .settings import check_sizes

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
]  # fmt: skip


class _Channels(Module):
    """What batch and instance normalization share: their parameters and running statistics."""

    takes_integers = False
    axes: ClassVar[dict[int, str]]  # numbers of axes of an input, and how it is written
    weight: Parameter | None
    bias: Parameter | None
    running_mean: ndarray[Any, Any] | None
    running_var: ndarray[Any, Any] | None
    num_batches_tracked: ndarray[Any, Any] | None

    def __init__(
        self, num_features: int, eps: float, momentum: float | None, affine: bool,
        track_running_stats: bool, bias: bool, dtype: DTypeLike,
    ) -> None:  # fmt: skip
        super().__init__()
        who = type(self).__name__
        check_sizes(who, num_features=num_features)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(message(who, f"momentum={momentum}", "a number in [0, 1], or None"))
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, has in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, Parameter(np.empty(num_features, dtype)) if has else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", np.empty(num_features, dtype) if tracked else None)
        self.register_buffer("running_var", np.empty(num_features, dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", np.array(0, np.int64) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Start the running statistics again: mean 0, variance 1, no batches."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean[...], self.running_var[...] = 0, 1
        if self.num_batches_tracked is not None:
            self.num_batches_tracked[...] = 0

    def reset_parameters(self) -> None:
        """Start again: weight 1, bias 0 and the running statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check(self, x: Any, channel: int = 1) -> None:
        shape = np.shape(x)
        if len(shape) not in self.axes:
            raise ValueError(message(type(self).__name__, f"an input of shape {shape}",
                                     " or ".join(self.axes.values())))  # fmt: skip
        if shape[channel] != self.num_features:
            n = shape[channel]
            raise ValueError(message(
                type(self).__name__, f"{counted(n, 'channel')} (an input of shape {shape})",
                f"{self.num_features}", f"num_features={n}"))  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Channels):
    """Batch normalization for inputs of any number of axes."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, *, bias: bool = True, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, x: Any) -> Tensor:
        self._check(x)
        momentum: Any = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked  # an array, as a step that is captured reads it
        batch = self.training or self.running_mean is None
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, batch, momentum, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Normalize each feature, or channel of sequences, over the batch.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``. In training mean and variance (divided by N) are
    those of the batch, and move ``running_mean`` and ``running_var`` (divided by N - 1) towards themselves;
    in evaluation the running ones are used, as constants.
    [Ioffe and Szegedy, Batch Normalization, 2015]

    Args:
        num_features: number of features or channels C.
        eps: added to the variance.
        momentum: share of the new batch in the running statistics; None: the mean of all batches so far.
        affine: whether weight and bias are learnt, from 1 and 0 on.
        track_running_stats: whether there are running statistics; without, those of the batch are used in
            evaluation too.
        bias: whether there is a bias, if affine.
        dtype: of parameters and statistics.

    Shapes:
        x: (N, C) or (N, C, L) -> y: the same; weight, bias, running_mean, running_var: (C,).

    Raises:
        ValueError: a shape that is not one of these; training with one value per channel.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.BatchNorm1d(2)
    >>> layer(np.array([[1.0, 10.0], [3.0, 30.0]])).numpy().round(3)
    array([[-1., -1.], [ 1., 1.]], dtype=float32)
    >>> layer.running_mean, layer.running_var
    (array([0.2, 2. ], dtype=float32), array([ 1.1, 20.9], dtype=float32))
    """

    axes: ClassVar = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """Normalize each channel of images over batch and pixels; arguments as of :class:`BatchNorm1d`.

    Shapes:
        x: (N, C, H, W) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.BatchNorm2d(1)(np.array([[[[1.0, 3.0]]]])).numpy().round(3)
    array([[[[-1., 1.]]]], dtype=float32)
    """

    axes: ClassVar = {4: "(N, C, H, W)"}


class BatchNorm3d(_BatchNorm):
    """Normalize each channel of volumes over batch and voxels; arguments as of :class:`BatchNorm1d`.

    Shapes:
        x: (N, C, D, H, W) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.BatchNorm3d(3)(np.ones((2, 3, 2, 2, 2))).shape
    (2, 3, 2, 2, 2)
    """

    axes: ClassVar = {5: "(N, C, D, H, W)"}


class _InstanceNorm(_Channels):
    """Instance normalization for inputs of any number of axes; the fewer ones are without a batch."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
        track_running_stats: bool = False, *, bias: bool = True, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, x: Any) -> Tensor:
        single = np.ndim(x) == min(self.axes)
        self._check(x, 0 if single else 1)
        momentum = 0.0 if self.momentum is None else self.momentum
        y = F.instance_norm(
            ops.expand_dims(x, 0) if single else x, self.running_mean, self.running_var, self.weight,
            self.bias, self.training or self.running_mean is None, momentum, self.eps,
        )  # fmt: skip
        return ops.reshape(y, np.shape(x)) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Normalize each channel of each sequence by itself.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias`` with mean and variance over L.
    [Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016]

    Args:
        num_features: number of channels C.
        eps: added to the variance.
        momentum: share of the new batch in the running statistics; None is 0.
        affine: whether weight and bias are learnt.
        track_running_stats: whether running averages of mean and variance are kept, and used in evaluation.
        bias: whether there is a bias, if affine.
        dtype: of parameters and statistics.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same; weight, bias, running_mean, running_var: (C,).

    Raises:
        ValueError: a shape that is not one of these; training with one value per channel.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.InstanceNorm1d(2)(np.array([[1.0, 3.0], [10.0, 30.0]])).round(3)
    array([[-1., 1.], [-1., 1.]])
    """

    axes: ClassVar = {2: "(C, L)", 3: "(N, C, L)"}


class InstanceNorm2d(_InstanceNorm):
    """Normalize each channel of each image by itself; arguments as of :class:`InstanceNorm1d`.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.InstanceNorm2d(1)(np.array([[[1.0, 3.0]]])).round(3)
    array([[[-1., 1.]]])
    """

    axes: ClassVar = {3: "(C, H, W)", 4: "(N, C, H, W)"}


class InstanceNorm3d(_InstanceNorm):
    """Normalize each channel of each volume by itself; arguments as of :class:`InstanceNorm1d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.InstanceNorm3d(3)(np.ones((2, 3, 2, 2, 2))).shape
    (2, 3, 2, 2, 2)
    """

    axes: ClassVar = {4: "(C, D, H, W)", 5: "(N, C, D, H, W)"}
