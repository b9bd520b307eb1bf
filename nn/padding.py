"""Layers that add a border to the last one, two or three axes."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .functional.axes import Size, for_each, lengths_of
from .functional.padding import padded, widths
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    mode: ClassVar[str] = "constant"
    axes: ClassVar[int]
    value: float | None = None

    def __init__(self, padding: Size) -> None:
        super().__init__()
        op, n = type(self).__name__, 2 * self.axes
        given = widths(op, for_each(padding, n))
        if len(given) != n:
            raise ValueError(message(op, f"padding={padding}",
                                     f"one number or {n}: two for each axis, the last first"))  # fmt: skip
        self.padding = given

    def forward(self, x: Any) -> Tensor:
        who = type(self).__name__
        if self.mode != "constant":
            lengths_of(who, x, self.axes)
        y: Tensor = padded(who, x, self.padding, self.mode, self.value)
        return y

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Size, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A border of one constant around sequences.

    Args:
        padding: (before, after) of the last axis, or one number for both; a negative one cuts off.
        value: the constant.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same with L + before + after.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ConstantPad1d(1, 7.0)(np.array([[1.0, 2.0]]))
    array([[7., 1., 2., 7.]])
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """A border of one constant around images: see :class:`ConstantPad1d`.

    ``padding`` is (left, right, top, bottom).

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ConstantPad2d((1, 2, 0, 1), 0.5)(np.ones((2, 3, 3, 3))).shape
    (2, 3, 4, 6)
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """A border of one constant around volumes: see :class:`ConstantPad1d`.

    ``padding`` is (left, right, top, bottom, front, back).

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ConstantPad3d((1, 0, 0, 1, 1, 1), 0.5)(np.ones((1, 2, 2, 2))).shape
    (1, 4, 3, 3)
    """

    axes = 3


class ZeroPad1d(_Pad):
    """A border of zeros around sequences.

    Args:
        padding: (before, after) of the last axis, or one number for both; a negative one cuts off.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same with L + before + after.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ZeroPad1d((0, 2))(np.array([[1.0, 2.0]]))
    array([[1., 2., 0., 0.]])
    """

    axes = 1


class ZeroPad2d(_Pad):
    """A border of zeros around images: see :class:`ZeroPad1d`.

    ``padding`` is (left, right, top, bottom).

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ZeroPad2d((1, 2, 0, 1))(np.ones((2, 3, 3, 3))).shape
    (2, 3, 4, 6)
    """

    axes = 2


class ZeroPad3d(_Pad):
    """A border of zeros around volumes: see :class:`ZeroPad1d`.

    ``padding`` is (left, right, top, bottom, front, back).

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ZeroPad3d((1, 0, 0, 1, 1, 1))(np.ones((1, 2, 2, 2))).shape
    (1, 4, 3, 3)
    """

    axes = 3


class ReflectionPad1d(_Pad):
    """A border that mirrors the elements, without the edge, around sequences.

    Args:
        padding: (before, after) of the last axis, or one number for both; a negative one cuts off.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same with L + before + after.

    Raises:
        ValueError: an axis is not longer than the border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReflectionPad1d(2)(np.array([[1.0, 2.0, 3.0]]))
    array([[3., 2., 1., 2., 3., 2., 1.]])
    """

    mode, axes = "reflect", 1


class ReflectionPad2d(_Pad):
    """A border that mirrors the elements, without the edge, around images: see :class:`ReflectionPad1d`.

    ``padding`` is (left, right, top, bottom).

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReflectionPad2d((1, 2, 0, 1))(np.ones((2, 3, 3, 3))).shape
    (2, 3, 4, 6)
    """

    mode, axes = "reflect", 2


class ReflectionPad3d(_Pad):
    """A border that mirrors the elements, without the edge, around volumes: see :class:`ReflectionPad1d`.

    ``padding`` is (left, right, top, bottom, front, back).

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReflectionPad3d((1, 0, 0, 1, 1, 1))(np.ones((1, 2, 2, 2))).shape
    (1, 4, 3, 3)
    """

    mode, axes = "reflect", 3


class ReplicationPad1d(_Pad):
    """A border that continues the edge elements around sequences.

    Args:
        padding: (before, after) of the last axis, or one number for both; a negative one cuts off.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same with L + before + after.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReplicationPad1d(1)(np.array([[1.0, 2.0]]))
    array([[1., 1., 2., 2.]])
    """

    mode, axes = "replicate", 1


class ReplicationPad2d(_Pad):
    """A border that continues the edge elements around images: see :class:`ReplicationPad1d`.

    ``padding`` is (left, right, top, bottom).

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReplicationPad2d((1, 2, 0, 1))(np.ones((2, 3, 3, 3))).shape
    (2, 3, 4, 6)
    """

    mode, axes = "replicate", 2


class ReplicationPad3d(_Pad):
    """A border that continues the edge elements around volumes: see :class:`ReplicationPad1d`.

    ``padding`` is (left, right, top, bottom, front, back).

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReplicationPad3d((1, 0, 0, 1, 1, 1))(np.ones((1, 2, 2, 2))).shape
    (1, 4, 3, 3)
    """

    mode, axes = "replicate", 3


class CircularPad1d(_Pad):
    """A border that repeats the other end, around sequences.

    Args:
        padding: (before, after) of the last axis, or one number for both; a negative one cuts off.

    Shapes:
        x: (N, C, L) or (C, L) -> y: the same with L + before + after.

    Raises:
        ValueError: an axis is shorter than the border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.CircularPad1d((1, 0))(np.array([[1.0, 2.0, 3.0]]))
    array([[3., 1., 2., 3.]])
    """

    mode, axes = "circular", 1


class CircularPad2d(_Pad):
    """A border that repeats the other end, around images: see :class:`CircularPad1d`.

    ``padding`` is (left, right, top, bottom).

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.CircularPad2d((1, 2, 0, 1))(np.ones((2, 3, 3, 3))).shape
    (2, 3, 4, 6)
    """

    mode, axes = "circular", 2


class CircularPad3d(_Pad):
    """A border that repeats the other end, around volumes: see :class:`CircularPad1d`.

    ``padding`` is (left, right, top, bottom, front, back).

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: the same with a border.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.CircularPad3d((1, 0, 0, 1, 1, 1))(np.ones((1, 2, 2, 2))).shape
    (1, 4, 3, 3)
    """

    mode, axes = "circular", 3
