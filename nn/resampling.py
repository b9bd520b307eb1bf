"""Layers that resample images, and that turn channels into pixels and back."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from . import functional as F
from .functional.axes import Size, each
from .functional.resampling import MODES, Factor
from .module import Module

__all__ = [
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]  # fmt: skip


class Upsample(Module):
    """Resample the axes behind batch and channels to another size.

    See :func:`nn.functional.interpolate` for the modes and where elements stand.

    Args:
        size: the output's lengths, or one for all axes; or
        scale_factor: by what to multiply the input's.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" or "area".
        align_corners: for the linear and cubic modes: whether the corners' centres stay where they are.
        recompute_scale_factor: take the scale from the lengths, not from ``scale_factor``.

    Shapes:
        x: (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> y: the same with other lengths.

    Raises:
        ValueError: another mode; not one of size and scale, when called.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Upsample(scale_factor=2, mode="linear")(np.array([[[0.0, 4.0]]]))
    array([[[0., 1., 3., 4.]]])
    """

    def __init__(
        self, size: Size | None = None, scale_factor: Factor | None = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        op = type(self).__name__
        if mode not in MODES:
            raise ValueError(message(op, f"mode={mode!r}", f"one of {', '.join(map(repr, MODES))}"))
        if size is not None and scale_factor is not None:
            raise ValueError(message(op, f"size={size}, scale_factor={scale_factor}", "one of them"))
        if scale_factor is not None:
            many = isinstance(scale_factor, (tuple, list))
            scale_factor = tuple(map(float, scale_factor)) if many else float(scale_factor)  # type: ignore[arg-type]
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, x: Any) -> Tensor:
        return F.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        to = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{to}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Repeat the pixels of images: :class:`Upsample` with ``mode="nearest"``.

    Shapes:
        x: (N, C, H, W) -> y: (N, C, H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.UpsamplingNearest2d(scale_factor=2)(np.array([[[[1.0, 2.0]]]]))
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: Size | None = None, scale_factor: Factor | None = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """Interpolate between the pixels of images: :class:`Upsample` with ``mode="bilinear"``, corners aligned.

    Shapes:
        x: (N, C, H, W) -> y: (N, C, H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.UpsamplingBilinear2d((1, 3))(np.array([[[[0.0, 2.0]]]]))
    array([[[[0., 1., 2.]]]])
    """

    def __init__(self, size: Size | None = None, scale_factor: Factor | None = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)


class PixelShuffle(Module):
    """Spread channels over a finer image, ``y[c, i r + a, j r + b] = x[c r^2 + a r + b, i, j]``.

    [Shi et al., Real-Time Single Image and Video Super-Resolution, 2016]

    Args:
        upscale_factor: r.

    Shapes:
        x: (..., C r^2, H, W) -> y: (..., C, H r, W r).

    Raises:
        ValueError: the number of channels is no multiple of r^2.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.PixelShuffle(2)(np.arange(4.0).reshape(4, 1, 1))
    array([[[0., 1.],
            [2., 3.]]])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = each("PixelShuffle", "upscale_factor", upscale_factor, 1)[0]

    def forward(self, x: Any) -> Tensor:
        return F.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Gather each r x r square of pixels into channels: :class:`PixelShuffle` undone.

    Args:
        downscale_factor: r.

    Shapes:
        x: (..., C, H r, W r) -> y: (..., C r^2, H, W).

    Raises:
        ValueError: height or width is no multiple of r.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.PixelUnshuffle(2)(np.arange(4.0).reshape(1, 2, 2)).shape
    (4, 1, 1)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = each("PixelUnshuffle", "downscale_factor", downscale_factor, 1)[0]

    def forward(self, x: Any) -> Tensor:
        return F.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Interleave groups of channels, so that the next grouped convolution sees all of them.

    [Zhang et al., ShuffleNet, 2018]

    Args:
        groups: how many; the number of channels is a multiple of it.

    Shapes:
        x: (N, C, ...) -> y: the same.

    Raises:
        ValueError: the number of channels is no multiple of ``groups``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ChannelShuffle(2)(np.arange(4.0).reshape(1, 4, 1)).ravel()
    array([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = each("ChannelShuffle", "groups", groups, 1)[0]

    def forward(self, x: Any) -> Tensor:
        return F.channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
