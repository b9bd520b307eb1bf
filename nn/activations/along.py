"""Activations along one axis: what they return for an element depends on the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from .activation import Activation

__all__ = ["CReLU", "LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class Softmax(Activation):
    """``e^x / sum(e^x)`` along the axis ``dim``: probabilities.

    Args:
        dim: the axis, the last by default.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softmax()(np.array([[1000.0, 1000.0, -1000.0]]))
    array([[0.5, 0.5, 0. ]])
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.softmax(x, self.dim)


class Softmin(Activation):
    """``e^-x / sum(e^-x)`` along the axis ``dim``: the softmax of -x.

    Args:
        dim: the axis, the last by default.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softmin()(np.array([[0.0, 1000.0]]))
    array([[1., 0.]])
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.softmin(x, self.dim)


class Softmax2d(Activation):
    """The softmax over the channels of each place of an image.

    Shapes:
        (N, C, H, W) or (C, H, W) -> the same.

    Raises:
        ValueError: the input has another number of axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softmax2d()(np.zeros((1, 4, 3, 2)))[0, :, 0, 0]
    array([0.25, 0.25, 0.25, 0.25])
    """

    def forward(self, x: Any) -> Tensor:
        if np.ndim(x) not in (3, 4):
            raise ValueError(message("Softmax2d", f"an input of shape {np.shape(x)}",
                                     "(N, C, H, W) or (C, H, W)"))  # fmt: skip
        return F.softmax(x, -3)


class LogSoftmax(Activation):
    """``x - log(sum(e^x))`` along the axis ``dim``: log-probabilities, for NLLLoss.

    Args:
        dim: the axis, the last by default.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LogSoftmax()(np.array([[1000.0, 0.0]]))
    array([[ 0., -1000.]])
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.log_softmax(x, self.dim)


class CReLU(Activation):
    """``max(x, 0)`` and ``max(-x, 0)``, joined along an axis: both halves of what a filter finds.

    [Shang et al., Understanding and Improving Convolutional Neural Networks via CReLU, 2016]

    Args:
        dim: the axis, the channels by default.

    Shapes:
        (N, C, ...) -> (N, 2 C, ...)

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.CReLU()(np.array([[-1.0, 2.0]]))
    array([[0., 2., 1., 0.]])
    """

    shown = ("dim",)

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.crelu(x, self.dim)
