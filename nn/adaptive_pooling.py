"""Pooling layers that give an output of a stated size, whatever the input's."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd_core.tensor import Tensor

from . import functional as F
from .functional.adaptive_pooling import Sizes, adaptive_sizes
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
]  # fmt: skip


class _AdaptiveAvgPool(Module):
    pool: ClassVar[Any]
    axes: ClassVar[int]

    def __init__(self, output_size: Sizes) -> None:
        super().__init__()
        adaptive_sizes(type(self).__name__, output_size, self.axes)
        self.output_size = output_size

    def forward(self, x: Any) -> Tensor:
        y: Tensor = type(self).pool(x, self.output_size)
        return y

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of windows of a sequence, as many as are asked for: see :class:`AdaptiveAvgPool2d`.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, C, output_size) or (C, output_size).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AdaptiveAvgPool1d(2)(np.array([[1.0, 2.0, 6.0]]))
    array([[1.5, 4. ]])
    """

    pool, axes = staticmethod(F.adaptive_avg_pool1d), 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of windows of an image, as many as are asked for.

    Output i of n along an axis of length L is the mean of the elements ``floor(i L / n)`` to
    ``ceil((i + 1) L / n)``.

    Args:
        output_size: H' and W', or one number for both; None keeps the input's.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C, H', W') or (C, H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AdaptiveAvgPool2d(1)(np.ones((5, 3, 7, 8))).shape
    (5, 3, 1, 1)
    """

    pool, axes = staticmethod(F.adaptive_avg_pool2d), 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Means of windows of a volume, as many as are asked for: see :class:`AdaptiveAvgPool2d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with D', H', W'.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AdaptiveAvgPool3d((None, 1, 1))(np.arange(8.0).reshape(1, 2, 2, 2)).ravel()
    array([1.5, 5.5])
    """

    pool, axes = staticmethod(F.adaptive_avg_pool3d), 3


class _AdaptiveMaxPool(Module):
    pool: ClassVar[Any]
    axes: ClassVar[int]

    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        super().__init__()
        adaptive_sizes(type(self).__name__, output_size, self.axes)
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, x: Any) -> Any:
        return type(self).pool(x, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Largest elements of windows of a sequence, as many as are asked for: see :class:`AdaptiveMaxPool2d`.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, C, output_size) or (C, output_size).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AdaptiveMaxPool1d(2)(np.array([[1.0, 2.0, 6.0]]))
    array([[2., 6.]])
    """

    pool, axes = staticmethod(F.adaptive_max_pool1d), 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Largest elements of windows of an image, as many as are asked for.

    The windows are those of :class:`AdaptiveAvgPool2d`; the gradient goes to the first of the largest.

    Args:
        output_size: H' and W', or one number for both; None keeps the input's.
        return_indices: return also where the elements come from, in the flattened (H, W).

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C, H', W') or (C, H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AdaptiveMaxPool2d((1, None))(np.arange(6.0).reshape(1, 2, 3))
    array([[[3., 4., 5.]]])
    """

    pool, axes = staticmethod(F.adaptive_max_pool2d), 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Largest elements of windows of a volume, as many as are asked for: see :class:`AdaptiveMaxPool2d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with D', H', W'.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AdaptiveMaxPool3d(1)(np.arange(8.0).reshape(1, 2, 2, 2)).item()
    7.0
    """

    pool, axes = staticmethod(F.adaptive_max_pool3d), 3
