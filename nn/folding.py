"""Patches of images as columns, and columns summed back into images, as layers."""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from . import functional as F
from .functional.axes import each
from .module import Module

__all__ = ["Fold", "Unfold"]


class Unfold(Module):
    """The patches of images as columns: :func:`nn.functional.unfold`.

    Shapes:
        x: (N, C, H, W) or (C, H, W) -> y: (N, C K K', L) or (C K K', L), L places of the kernel.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Unfold((2, 3))(np.ones((2, 5, 3, 4))).shape
    (2, 30, 4)
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = each("Unfold", "kernel_size", kernel_size, 2)
        self.dilation = each("Unfold", "dilation", dilation, 2)
        self.padding = each("Unfold", "padding", padding, 2, 0)
        self.stride = each("Unfold", "stride", stride, 2)

    def forward(self, x: Any) -> Tensor:
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
                f"stride={self.stride}")  # fmt: skip


class Fold(Module):
    """Images from patches, summed where they overlap: :func:`nn.functional.fold`.

    Shapes:
        x: (N, C K K', L) or (C K K', L) -> y: (N, C, *output_size) or (C, *output_size).

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Fold((3, 4), (2, 3))(np.ones((2, 30, 4))).shape
    (2, 5, 3, 4)
    """

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = each("Fold", "output_size", output_size, 2)
        self.kernel_size = each("Fold", "kernel_size", kernel_size, 2)
        self.dilation = each("Fold", "dilation", dilation, 2)
        self.padding = each("Fold", "padding", padding, 2, 0)
        self.stride = each("Fold", "stride", stride, 2)

    def forward(self, x: Any) -> Tensor:
        return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
                f"padding={self.padding}, stride={self.stride}")  # fmt: skip
