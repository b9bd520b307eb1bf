"""Max pooling undone, and max pooling by a fraction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from autograd_core.tensor import Tensor

from . import functional as F
from .functional.axes import Size
from .functional.fractional_pooling import Ratio, fractional_settings
from .functional.pooling_windows import settings
from .module import Module

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _MaxUnpool(Module):
    unpool: ClassVar[Any]
    axes: ClassVar[int]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding, _ = settings(
            type(self).__name__, self.axes, kernel_size, stride, padding
        )

    def forward(self, x: Any, indices: Any, output_size: Sequence[int] | None = None) -> Tensor:
        y: Tensor = type(self).unpool(x, indices, self.kernel_size, self.stride, self.padding, output_size)
        return y

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The largest elements of a sequence, put back where they were: see :class:`MaxUnpool2d`.

    Shapes:
        x, indices: (N, C, L') or (C, L') -> y: (N, C, L) or (C, L).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, places = nn.MaxPool1d(2, return_indices=True)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    >>> nn.MaxUnpool1d(2)(y, places)
    array([[0., 3., 2., 0.]])
    """

    unpool, axes = staticmethod(F.max_unpool1d), 1


class MaxUnpool2d(_MaxUnpool):
    """The largest elements of an image, put back among zeros where :class:`MaxPool2d` found them.

    Args:
        kernel_size, stride, padding: as in the pooling.

    ``forward(x, indices, output_size=None)`` takes the size or shape that was pooled, where
    ``(H' - 1) stride - 2 padding + kernel_size`` is not it.

    Shapes:
        x, indices: (N, C, H', W') or (C, H', W') -> y: (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: an index that is not in the output.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, places = nn.MaxPool2d(2, return_indices=True)(np.array([[[1.0, 3.0], [2.0, 0.0]]]))
    >>> nn.MaxUnpool2d(2)(y, places)
    array([[[0., 3.],
            [0., 0.]]])
    """

    unpool, axes = staticmethod(F.max_unpool2d), 2


class MaxUnpool3d(_MaxUnpool):
    """The largest elements of a volume, put back where they were: see :class:`MaxUnpool2d`.

    Shapes:
        x, indices: (N, C, D', H', W') or (C, D', H', W') -> y: the same with D, H, W.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, places = nn.MaxPool3d(2, return_indices=True)(np.arange(8.0).reshape(1, 2, 2, 2))
    >>> nn.MaxUnpool3d(2)(y, places).ravel()
    array([0., 0., 0., 0., 0., 0., 0., 7.])
    """

    unpool, axes = staticmethod(F.max_unpool3d), 3


class _FractionalMaxPool(Module):
    pool: ClassVar[Any]
    axes: ClassVar[int]
    _random_samples: Any

    def __init__(
        self, kernel_size: Size, output_size: Size | None = None, output_ratio: Ratio | None = None,
        return_indices: bool = False, _random_samples: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        fractional_settings(type(self).__name__, self.axes, kernel_size, output_size, output_ratio)
        self.kernel_size, self.output_size, self.output_ratio = kernel_size, output_size, output_ratio
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)

    def forward(self, x: Any) -> Any:
        return type(self).pool(
            x, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip

    def extra_repr(self) -> str:
        size = f"kernel_size={self.kernel_size}, output_size={self.output_size}"
        return f"{size}, output_ratio={self.output_ratio}"


class FractionalMaxPool2d(_FractionalMaxPool):
    """Max pooling of images by any factor, through windows whose distances vary at random.

    [Graham, Fractional Max-Pooling, 2014] See :func:`nn.functional.fractional_max_pool2d`.

    Args:
        kernel_size: size of a window; one number, or one for each axis.
        output_size: H' and W', or one number for both; or
        output_ratio: by what to multiply H and W, between 0 and 1.
        return_indices: return also where the elements come from, in the flattened (H, W).
        _random_samples: (N, C, 2), numbers in [0, 1) for W and H; drawn anew in each call if None.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C, H', W') or (C, H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.FractionalMaxPool2d(2, output_ratio=0.7)(np.zeros((5, 3, 10, 20))).shape
    (5, 3, 7, 14)
    """

    pool, axes = staticmethod(F.fractional_max_pool2d), 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """Max pooling of volumes by any factor: see :class:`FractionalMaxPool2d`.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with D', H', W'; ``_random_samples``: (N, C, 3).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.FractionalMaxPool3d(2, output_size=(2, 2, 3))(np.zeros((1, 4, 4, 4))).shape
    (1, 2, 2, 3)
    """

    pool, axes = staticmethod(F.fractional_max_pool3d), 3
