"""Straight pieces and shrinkage: saturation without exponentials, and what is small set to zero."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from .activation import Activation

__all__ = ["Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Softshrink", "Tanhshrink"]


class Hardtanh(Activation):
    """x limited to [min_val, max_val]; the derivative at both ends is 0.

    Args:
        min_val: the least value.
        max_val: the greatest value.
        inplace: changes nothing.

    Raises:
        ValueError: min_val is not below max_val.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Hardtanh()(np.array([-2.0, 0.5, 3.0]))
    array([-1. , 0.5, 1. ])
    """

    shown = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(message("Hardtanh", f"min_val={min_val}, max_val={max_val}",
                                     "min_val < max_val"))  # fmt: skip
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, x: Any) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val)


class Hardsigmoid(Activation):
    """``min(max(x + 3, 0), 6) / 6``: a sigmoid of three straight pieces.

    Args:
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Hardsigmoid()(np.array([-4.0, 0.0, 1.5]))
    array([0. , 0.5 , 0.75])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.hardsigmoid(x)


class Hardswish(Activation):
    """``x min(max(x + 3, 0), 6) / 6``: silu with a sigmoid of straight pieces.

    [Howard et al., Searching for MobileNetV3, 2019]

    Args:
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Hardswish()(np.array([0.0, 1.5, 4.0]))
    array([0. , 1.125, 4. ])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.hardswish(x)


class Hardshrink(Activation):
    """x where ``|x| > lambd``, else 0.

    Args:
        lambd: up to where x counts as small.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Hardshrink()(np.array([-2.0, 0.4, 0.6]))
    array([-2. , 0. , 0.6])
    """

    shown = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Any) -> Tensor:
        return F.hardshrink(x, self.lambd)


class Softshrink(Activation):
    """``x - lambd`` above lambd, ``x + lambd`` below -lambd, and 0 between.

    Args:
        lambd: how much is taken away.

    Raises:
        ValueError: lambd is negative.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softshrink()(np.array([-2.0, 0.4, 0.75]))
    array([-1.5 , 0. , 0.25])
    """

    shown = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        if lambd < 0:
            raise ValueError(message("Softshrink", f"lambd={lambd}", "a number that is not negative"))
        self.lambd = lambd

    def forward(self, x: Any) -> Tensor:
        return F.softshrink(x, self.lambd)


class Tanhshrink(Activation):
    """``x - tanh(x)``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Tanhshrink()(np.array([0.0, 1.0])).round(3)
    array([0. , 0.238])
    """

    def forward(self, x: Any) -> Tensor:
        return F.tanhshrink(x)
