"""Activation functions as modules, so that they can stand between layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from .module import Module

__all__ = [
    "ELU", "Heaviside", "LeakyReLU", "LogSoftmax", "PReLU", "ReLU", "Sigmoid", "Softmax",
    "Softplus", "Tanh",
]  # fmt: skip


class Sigmoid(Module):
    """The logistic function ``1 / (1 + e^-x)``: saturates at 0 and 1, its slope is at most 1/4.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Sigmoid()(np.array([-1000.0, 0.0, 1000.0])).round(3)
    array([0. , 0.5, 1. ])
    """

    forward = staticmethod(ops.sigmoid)


class Tanh(Module):
    """The hyperbolic tangent: saturates at -1 and 1, its slope is at most 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Tanh()(np.array([-1000.0, 0.0, 1000.0]))
    array([-1., 0., 1.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.tanh(x)


class ReLU(Module):
    """The rectifier ``max(x, 0)``; its derivative at 0 is 0.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.relu(x)


class LeakyReLU(Module):
    """x where x > 0, else ``negative_slope * x``, so that no unit dies.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LeakyReLU(0.1)(np.array([-1.0, 0.0, 2.0]))
    array([-0.1, 0. , 2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x where x > 0, else ``weight * x``, where the weight is learnt.

    Args:
        num_parameters: 1, or the number of channels (the input's second axis) for one each.
        init: the weight's first value.
        dtype: of the weight, float32 by default.

    Shapes:
        x: any for one parameter, else (N, C, ...) -> the same.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.PReLU()(np.array([-1.0, 2.0])).numpy()
    array([-0.25, 2. ], dtype=float32)
    """

    takes_integers = False
    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, x: Any) -> Tensor:
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """x where x > 0, else ``alpha * (e^x - 1)``: smooth at 0 for alpha = 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ELU()(np.array([-1000.0, 0.0, 2.0]))
    array([-1., 0., 2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Any) -> Tensor:
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Softplus(Module):
    """``log(1 + e^(beta x)) / beta``, a smooth rectifier.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softplus()(np.array([-1000.0, 1000.0]))
    array([ 0., 1000.])
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, x: Any) -> Tensor:
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


class Softmax(Module):
    """``e^x / sum(e^x)`` along the axis ``dim``: probabilities.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softmax()(np.array([[1000.0, 1000.0, -1000.0]]))
    array([[0.5, 0.5, 0. ]])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """``x - log(sum(e^x))`` along the axis ``dim``: log-probabilities, for NLLLoss.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LogSoftmax()(np.array([[1000.0, 0.0]]))
    array([[ 0., -1000.]])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.log_softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Heaviside(Module):
    """The hard threshold: 0 where x < 0, 1 where x > 0, ``value`` at 0. No gradient passes it.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Heaviside()(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Any) -> Any:
        return F.heaviside(x, self.value)

    def extra_repr(self) -> str:
        return f"value={self.value}"
