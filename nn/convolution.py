"""Convolutions and their transposes, as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from . import init
from .casting import taken
from .functional.axes import each, for_each, lengths_of
from .functional.convolution import convolve, paddings, transpose, transposed_size
from .functional.padding import padded
from .module import Module
from .settings import check_sizes

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

BORDERS = ("reflect", "replicate", "circular")


class _Filters(Module):
    """What convolutions and their transposes have in common: settings, weight and bias."""

    takes_integers = False
    spatial = 0
    transposed = False
    padding: Any
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        output_padding: Any, groups: int, bias: bool, padding_mode: str, dtype: DTypeLike,
    ) -> None:  # fmt: skip
        super().__init__()
        who, n = type(self).__name__, self.spatial
        check_sizes(who, in_channels=in_channels, out_channels=out_channels, groups=groups)
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if value % groups:
                raise ValueError(message(who, f"{name}={value} with groups={groups}",
                                         "a multiple of the groups"))  # fmt: skip
        if padding_mode not in ("zeros", *BORDERS):
            raise ValueError(message(who, f"padding_mode={padding_mode!r}",
                                     "'zeros', 'reflect', 'replicate' or 'circular'"))  # fmt: skip
        if self.transposed and padding_mode != "zeros":
            raise ValueError(message(who, f"padding_mode={padding_mode!r}", "'zeros', the only one here"))
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = each(who, "kernel_size", kernel_size, n)
        self.stride = each(who, "stride", stride, n)
        self.dilation = each(who, "dilation", dilation, n)
        pairs = paddings(who, padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else tuple(p for p, _ in pairs)
        self.output_padding = each(who, "output_padding", output_padding, n, 0)
        self.padding_mode = padding_mode
        self._border = [n for pair in reversed(pairs) for n in pair]  # as F.pad takes it
        channels = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(np.empty((channels[0], channels[1] // groups, *self.kernel_size), dtype))
        if bias:
            self.bias = Parameter(np.empty(out_channels, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters: uniform in +-1/sqrt(fan), the weight's shape[1] times the kernel's size."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(init.fans(self.weight)[0])
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
                 f"stride={self.stride}"]  # fmt: skip
        if isinstance(self.padding, str) or any(self.padding):
            parts.append(f"padding={self.padding!r}")
        if any(d != 1 for d in self.dilation):
            parts.append(f"dilation={self.dilation}")
        if any(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode!r}")
        return ", ".join(parts)


class _Conv(_Filters):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                         padding_mode, dtype)  # fmt: skip

    def forward(self, x: Any) -> Tensor:
        who, padding = type(self).__name__, self.padding
        if self.padding_mode != "zeros":
            x, padding = self._padded(who, x), 0
        return convolve(who, self.spatial, x, self.weight, self.bias, self.stride, padding, self.dilation,
                        self.groups)  # fmt: skip

    def _padded(self, who: str, x: Any) -> Any:
        """Return x with its own elements around it."""
        lengths_of(who, x, self.spatial, self.in_channels)
        return padded(who, x, self._border, self.padding_mode)


class _ConvTranspose(_Filters):
    transposed = True
    takes_integers = True  # output_size; forward takes x as floats itself

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1,
        padding_mode: str = "zeros", dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        if isinstance(padding, str):
            raise TypeError(message(type(self).__name__, f"padding={padding!r}", "whole numbers"))
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
                         groups, bias, padding_mode, dtype)  # fmt: skip

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        """Compute the output; ``output_size`` chooses among the sizes that the stride maps to the input's."""
        who, more = type(self).__name__, self.output_padding
        x = taken(x, self.weight.dtype, who)
        if output_size is not None:
            more = self._chosen(who, np.shape(x), output_size)
        return transpose(who, self.spatial, x, self.weight, self.bias, self.stride, self.padding, more,
                         self.groups, self.dilation)  # fmt: skip

    def _chosen(self, who: str, shape: tuple[int, ...], output_size: Any) -> tuple[int, ...]:
        """Return the output_padding that gives this size, the last numbers of ``output_size``."""
        n = self.spatial
        least = transposed_size(
            shape[-n:], self.kernel_size, self.stride, self.padding, (0,) * n, self.dilation)  # fmt: skip
        given = for_each(output_size, n)
        size = given[-n:] if len(given) == len(shape) else given
        if len(size) != n:
            raise ValueError(message(who, f"output_size={output_size!r}", f"{n} numbers, or {len(shape)}"))
        more = tuple(m - k for m, k in zip(size, least, strict=True))
        if any(not 0 <= m < s for m, s in zip(more, self.stride, strict=True)):
            most = tuple(k + s - 1 for k, s in zip(least, self.stride, strict=True))
            raise ValueError(message(who, f"output_size={output_size!r} for an input of shape {shape}",
                                     f"sizes from {least} to {most}"))  # fmt: skip
        return more


class Conv1d(_Conv):
    """A convolution of signals: filters slide along the last axis.

    ``y[n, o, i] = b[o] + sum_(c, k) w[o, c, k] x[n, c, s i + d k - p]``, in which s is the stride, d the
    dilation and p the padding. (This is a correlation; a convolution proper has the filter flipped, which
    learning does by itself.)

    Args:
        in_channels, out_channels: how many channels C come in, and how many filters O there are.
        kernel_size: the length of the filters.
        stride: the step between two places of a filter.
        padding: how much to add at both ends; ``"valid"`` is 0, ``"same"`` as much as keeps the size.
        dilation: the distance of two neighbouring taps.
        groups: into how many groups channels are split; a filter sees the channels of its group only.
        bias: whether there is a b.
        padding_mode: what is added: ``"zeros"``, ``"reflect"`` (mirrored, without the edge), ``"replicate"``
            (the edge again) or ``"circular"`` (from the other end).
        dtype: of the parameters, float32 by default.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, O, L') or (O, L'), with L' = floor((L + 2p - d (K - 1) - 1) / s) + 1;
        weight: (O, C / groups, K), bias: (O,). Both start uniform in +-1/sqrt(C / groups * K).

    Raises:
        ValueError: numbers that are too small or do not fit, an input of other channels or axes, a kernel
            larger than the padded input.
        TypeError: numbers that are not whole.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Conv1d(2, 4, 3, padding="same")(np.ones((5, 2, 10))).shape
    (5, 4, 10)
    >>> nn.Conv1d(2, 4, 3, padding=1)
    Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=(1,))  # 28 parameters: weight (4, 2, 3), bias (4,)
    """

    spatial = 1


class Conv2d(_Conv):
    """A convolution of images: :class:`Conv1d` over two axes.

    Args:
        in_channels, out_channels: as of :class:`Conv1d`.
        kernel_size, stride, padding, dilation: a number, or one for each axis.
        groups, bias, padding_mode, dtype: as of :class:`Conv1d`.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, O, H', W') or (O, H', W'); weight: (O, C / groups, K, K').

    Source:
        LeCun et al., "Gradient-based learning applied to document recognition", 1998.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Conv2d(3, 8, 5, stride=2)(np.ones((2, 3, 28, 28))).shape
    (2, 8, 12, 12)
    """

    spatial = 2


class Conv3d(_Conv):
    """A convolution of volumes or videos: :class:`Conv1d` over three axes.

    Shapes:
        x: (N, C, D, H, W) or (C, D, H, W) -> y: (N, O, D', H', W') or (O, D', H', W').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Conv3d(1, 2, (1, 3, 3))(np.ones((1, 4, 6, 6))).shape
    (2, 4, 4, 4)
    """

    spatial = 3


class ConvTranspose1d(_ConvTranspose):
    """The transposed convolution of signals: each number of the input puts down a filter, scaled by it.

    The map of a :class:`Conv1d` with the same weight, transposed: the gradient of a convolution as a layer.
    With a stride it makes its input longer ("deconvolution").

    Args:
        in_channels, out_channels, kernel_size: as of :class:`Conv1d`.
        stride: the step between two filters in the output.
        padding: how much is cut off at both ends of the output.
        output_padding: how much longer the output is at its end; less than the stride or the dilation.
        groups, bias, dilation: as of :class:`Conv1d`.
        padding_mode: ``"zeros"``, the only one.
        dtype: of the parameters, float32 by default.

    Shapes:
        x: (N, C, L) or (C, L) -> y: (N, O, L') or (O, L'), with
        L' = (L - 1) s - 2p + d (K - 1) + 1 + output_padding; weight: (C, O / groups, K), bias: (O,). Both
        start uniform in +-1/sqrt(O / groups * K).

    ``layer(x, output_size)`` gives that size (the spatial axes, or all), where the stride leaves a choice.

    Raises:
        ValueError: as of :class:`Conv1d`; a size that cannot be.

    Source:
        Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional networks", 2010.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.ConvTranspose1d(4, 2, 3, stride=2)
    >>> layer(np.ones((4, 5))).shape, layer(np.ones((4, 5)), (12,)).shape
    ((2, 11), (2, 12))
    """

    spatial = 1


class ConvTranspose2d(_ConvTranspose):
    """The transposed convolution of images: :class:`ConvTranspose1d` over two axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ConvTranspose2d(4, 2, 2, stride=2)(np.ones((1, 4, 7, 7))).shape
    (1, 2, 14, 14)
    """

    spatial = 2


class ConvTranspose3d(_ConvTranspose):
    """The transposed convolution of volumes: :class:`ConvTranspose1d` over three axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ConvTranspose3d(2, 1, 2)(np.ones((2, 3, 3, 3))).shape
    (1, 4, 4, 4)
    """

    spatial = 3
