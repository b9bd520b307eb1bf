"""Rectifiers: two straight lines that meet at one place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from .. import functional as F
from ..settings import check_sizes
from .activation import Activation

__all__ = ["Heaviside", "LeakyReLU", "PReLU", "RReLU", "ReLU", "ReLU6", "Threshold"]


class ReLU(Activation):
    """The rectifier ``max(x, 0)``; its derivative at 0 is 0.

    Args:
        inplace: accepted, here and in all others, as PyTorch has it; it changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.relu(x)


class ReLU6(Activation):
    """The rectifier that saturates, ``min(max(x, 0), 6)``; its derivative at 0 and at 6 is 0.

    Args:
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReLU6()(np.array([-1.0, 2.0, 8.0]))
    array([0., 2., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.relu6(x)


class LeakyReLU(Activation):
    """x where x > 0, else ``negative_slope * x``, so that no unit dies.

    [Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013]

    Args:
        negative_slope: the slope where x <= 0.
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LeakyReLU(0.1)(np.array([-1.0, 0.0, 2.0]))
    array([-0.1, 0. , 2. ])
    """

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, x: Any) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)


class PReLU(Activation):
    """x where x > 0, else ``weight * x``, where the weight is learnt.

    [He et al., Delving Deep into Rectifiers, 2015]

    Args:
        num_parameters: 1, or the number of channels (the input's second axis) for one each.
        init: the weight's first value.
        dtype: of the weight, float32 by default.

    Shapes:
        x: any for one parameter, else (N, C, ...) -> the same.

    Raises:
        ValueError: num_parameters is not positive; or it is neither 1 nor C.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.PReLU()(np.array([-1.0, 2.0])).numpy()
    array([-0.25, 2. ], dtype=float32)
    """

    takes_integers = False
    shown = ("num_parameters",)
    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        check_sizes("PReLU", num_parameters=num_parameters)
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, x: Any) -> Tensor:
        return F.prelu(x, self.weight)


class RReLU(Activation):
    """x where x > 0, else ``r x``: in training r is drawn anew for each element, later it is the mean.

    [Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network, 2015]

    Args:
        lower: the least slope.
        upper: the greatest slope; r is uniform between them.
        inplace: changes nothing.

    Raises:
        ValueError: lower is above upper.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.RReLU(0.0, 0.5).eval()(np.array([-1.0, 2.0]))
    array([-0.25, 2. ])
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        if lower > upper:
            raise ValueError(message("RReLU", f"lower={lower}, upper={upper}", "lower <= upper"))
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, x: Any) -> Tensor:
        return F.rrelu(x, self.lower, self.upper, self.training)


class Threshold(Activation):
    """x where x > ``threshold``, else ``value``.

    Args:
        threshold: where it begins to pass.
        value: what it returns below and there.
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Threshold(0.5, 20)(np.array([0.0, 0.5, 1.0]))
    array([20., 20., 1.])
    """

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, x: Any) -> Tensor:
        return F.threshold(x, self.threshold, self.value)


class Heaviside(Activation):
    """The hard threshold: 0 where x < 0, 1 where x > 0, ``value`` at 0. No gradient passes it.

    Args:
        value: what it returns at 0.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Heaviside()(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """

    shown = ("value",)

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Any) -> Any:
        return F.heaviside(x, self.value)
