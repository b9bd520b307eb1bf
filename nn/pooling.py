"""Pooling layers: the largest element, the mean or the p-norm of windows over the last axes."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd_core.tensor import Tensor

from . import functional as F
from .functional.axes import Size
from .functional.pooling_windows import settings
from .module import Module

__all__ = [
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d",
    "MaxPool3d",
]  # fmt: skip


class _MaxPool(Module):
    pool: ClassVar[Any]
    axes: ClassVar[int]

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        settings(type(self).__name__, self.axes, kernel_size, stride, padding, dilation)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, x: Any) -> Any:
        return type(self).pool(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window of a sequence: see :class:`MaxPool2d`.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, C, L') or (C, L').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.MaxPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    array([[3., 2.]])
    """

    pool, axes = staticmethod(F.max_pool1d), 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of an image.

    ``y[c, i, j] = max_{k, l} x[c, i s + k d - p, j s + l d - p]``; the gradient goes to the first of the
    largest.

    Args:
        kernel_size: size of a window; one number, or one for each axis, as all that follow.
        stride: from one window to the next; by default ``kernel_size``.
        padding: minus infinity at both ends of each axis, at most half a window.
        dilation: from one element of a window to the next.
        return_indices: return also where the elements come from, for :class:`MaxUnpool2d`.
        ceil_mode: keep a last window that juts out.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C, H', W') or (C, H', W'), with
        ``H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1``.

    Raises:
        ValueError: a setting that cannot be; an input with other axes, or smaller than a window.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.MaxPool2d(2)(np.array([[[1.0, 3.0], [2.0, 0.0]]]))
    array([[[3.]]])
    >>> nn.MaxPool2d(3, stride=2)
    MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
    """

    pool, axes = staticmethod(F.max_pool2d), 2


class MaxPool3d(_MaxPool):
    """The largest element of each window of a volume: see :class:`MaxPool2d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with D', H', W'.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.MaxPool3d((1, 2, 2))(np.arange(8.0).reshape(1, 2, 2, 2)).ravel()
    array([3., 7.])
    """

    pool, axes = staticmethod(F.max_pool3d), 3


class AvgPool1d(Module):
    """The mean of each window of a sequence: see :class:`AvgPool2d`.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, C, L') or (C, L').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AvgPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    array([[2., 1.]])
    """

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = settings("AvgPool1d", 1, kernel_size, stride, padding)
        self.kernel_size, self.stride, self.padding, _ = sizes
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Tensor:
        return F.avg_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPool(Module):
    pool: ClassVar[Any]
    axes: ClassVar[int]

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        settings(type(self).__name__, self.axes, kernel_size, stride, padding)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Any) -> Tensor:
        y: Tensor = type(self).pool(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip
        return y

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPool):
    """The mean of each window of an image, ``y[c, i, j] = 1/k^2 sum_{m, n} x[c, i s + m - p, j s + n - p]``.

    Args:
        kernel_size: size of a window; one number, or one for each axis, as all that follow.
        stride: from one window to the next; by default ``kernel_size``.
        padding: zeros at both ends of each axis, at most half a window.
        ceil_mode: keep a last window that juts out.
        count_include_pad: whether the padding counts as elements.
        divisor_override: divide by this, not by the number of elements.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C, H', W') or (C, H', W'), with
        ``H' = floor((H + 2 padding - kernel_size) / stride) + 1``.

    Raises:
        ValueError: a setting that cannot be; an input with other axes, or smaller than a window.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AvgPool2d(2)(np.array([[[1.0, 3.0], [2.0, 0.0]]]))
    array([[[1.5]]])
    """

    pool, axes = staticmethod(F.avg_pool2d), 2


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume: see :class:`AvgPool2d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with D', H', W'.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.AvgPool3d((1, 2, 2))(np.arange(8.0).reshape(1, 2, 2, 2)).ravel()
    array([1.5, 5.5])
    """

    pool, axes = staticmethod(F.avg_pool3d), 3


class _LPPool(Module):
    pool: ClassVar[Any]
    axes: ClassVar[int]

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        settings(type(self).__name__, self.axes, kernel_size, stride)
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, x: Any) -> Tensor:
        y: Tensor = type(self).pool(x, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)
        return y

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The p-norm of each window of a sequence: see :class:`LPPool2d`.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, C, L') or (C, L').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LPPool1d(2, 2)(np.array([[3.0, 4.0, 1.0, 0.0]]))
    array([[5., 1.]])
    """

    pool, axes = staticmethod(F.lp_pool1d), 1


class LPPool2d(_LPPool):
    """The p-norm of each window of an image, ``(sum x^p)^(1/p)``: the sum for p = 1.

    As in PyTorch, of x, not of ``|x|``; where the sum is 0 the derivative is 0. See
    :func:`nn.functional.lp_pool2d`.

    Args:
        norm_type: p.
        kernel_size: size of a window; one number, or one for each axis.
        stride: from one window to the next; by default ``kernel_size``.
        ceil_mode: keep a last window that juts out.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C, H', W') or (C, H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LPPool2d(2, 2)(np.array([[[1.0, 2.0], [2.0, 4.0]]]))
    array([[[5.]]])
    """

    pool, axes = staticmethod(F.lp_pool2d), 2


class LPPool3d(_LPPool):
    """The p-norm of each window of a volume: see :class:`LPPool2d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with D', H', W'.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LPPool3d(1, 2)(np.ones((1, 2, 2, 2))).item()
    8.0
    """

    pool, axes = staticmethod(F.lp_pool3d), 3
