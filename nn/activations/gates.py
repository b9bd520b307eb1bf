"""Gated activations: x, or one half of it, times a number between 0 and 1 that the input sets."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from .activation import Activation

__all__ = ["GELU", "GLU", "Mish", "SiLU"]


class SiLU(Activation):
    """``x s(x)``, s the logistic function; also called swish.

    [Elfwing et al., Sigmoid-Weighted Linear Units, 2018]

    Args:
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.SiLU()(np.array([0.0, 1.0])).round(3)
    array([0. , 0.731])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.silu(x)


class Mish(Activation):
    """``x tanh(log(1 + e^x))``.

    [Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2020]

    Args:
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Mish()(np.array([0.0, 1.0])).round(3)
    array([0. , 0.865])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.mish(x)


class GELU(Activation):
    """``x P(Z <= x)`` for a normal number Z: x, as far as it is large among such numbers.

    [Hendrycks and Gimpel, Gaussian Error Linear Units, 2016]

    Args:
        approximate: ``"none"``, or ``"tanh"`` for ``x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2``.

    Raises:
        ValueError: ``approximate`` is neither of the two.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.GELU()(np.array([0.0, 1.0])).round(3)
    array([0. , 0.841])
    """

    shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(message("GELU", f"approximate={approximate!r}", "'none' or 'tanh'"))
        self.approximate = approximate

    def forward(self, x: Any) -> Tensor:
        return F.gelu(x, self.approximate)


class GLU(Activation):
    """``a * s(b)``, a and b the halves of an axis, s the logistic function.

    [Dauphin et al., Language Modeling with Gated Convolutional Networks, 2017]

    Args:
        dim: the axis, the last by default.

    Shapes:
        (..., 2 n, ...) -> (..., n, ...)

    Raises:
        ValueError: the axis is odd.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.GLU()(np.array([2.0, 4.0, 0.0, 1000.0]))
    array([1., 4.])
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.glu(x, self.dim)
