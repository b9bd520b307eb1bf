"""Smooth steps and smooth rectifiers, of one exponential each."""

from __future__ import annotations

from typing import Any

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from ..settings import check_positive
from .activation import Activation

__all__ = ["CELU", "ELU", "LogSigmoid", "SELU", "Sigmoid", "Softplus", "Softsign", "Tanh"]


class Sigmoid(Activation):
    """The logistic function ``1 / (1 + e^-x)``: saturates at 0 and 1, its slope is at most 1/4.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Sigmoid()(np.array([-1000.0, 0.0, 1000.0])).round(3)
    array([0. , 0.5, 1. ])
    """

    forward = staticmethod(ops.sigmoid)


class Tanh(Activation):
    """The hyperbolic tangent: saturates at -1 and 1, its slope is at most 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Tanh()(np.array([-1000.0, 0.0, 1000.0]))
    array([-1., 0., 1.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.tanh(x)


class Softsign(Activation):
    """``x / (1 + |x|)``: saturates at -1 and 1 as 1/x does, more slowly than tanh.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softsign()(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 , 0. , 0.75])
    """

    def forward(self, x: Any) -> Tensor:
        return F.softsign(x)


class ELU(Activation):
    """x where x > 0, else ``alpha * (e^x - 1)``: smooth at 0 for alpha = 1.

    [Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016]

    Args:
        alpha: what it saturates at, times -1; not negative.
        inplace: changes nothing.

    Raises:
        ValueError: alpha is negative.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.ELU()(np.array([-1000.0, 0.0, 2.0]))
    array([-1., 0., 2.])
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if alpha < 0:
            raise ValueError(message("ELU", f"alpha={alpha}", "a number that is not negative"))
        self.alpha, self.inplace = alpha, inplace

    def forward(self, x: Any) -> Tensor:
        return F.elu(x, self.alpha)


class CELU(Activation):
    """x where x > 0, else ``alpha * (e^(x / alpha) - 1)``: of slope 1 at 0 for every alpha.

    [Barron, Continuously Differentiable Exponential Linear Units, 2017]

    Args:
        alpha: what it saturates at, times -1; positive.
        inplace: changes nothing.

    Raises:
        ValueError: alpha is not positive.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.CELU(0.5)(np.array([-1000.0, 0.0, 2.0]))
    array([-0.5, 0. , 2. ])
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        check_positive("CELU", alpha=alpha)
        self.alpha, self.inplace = alpha, inplace

    def forward(self, x: Any) -> Tensor:
        return F.celu(x, self.alpha)


class SELU(Activation):
    """ELU with the alpha and the factor that keep mean 0 and variance 1 from layer to layer.

    The weights before it start as ``nn.init.lecun_normal_`` draws them.
    [Klambauer et al., Self-Normalizing Neural Networks, 2017]

    Args:
        inplace: changes nothing.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.SELU()(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-1.111, 0. , 1.051])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Any) -> Tensor:
        return F.selu(x)


class Softplus(Activation):
    """``log(1 + e^(beta x)) / beta``, a smooth rectifier, and x itself where ``beta x > threshold``.

    Args:
        beta: how sharp the bend is.
        threshold: from where on it is x. Nothing overflows without it: math.inf is exact everywhere.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Softplus()(np.array([-1000.0, 1000.0]))
    array([ 0., 1000.])
    """

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Tensor:
        return F.softplus(x, self.beta, self.threshold)


class LogSigmoid(Activation):
    """``-log(1 + e^-x)``, the logarithm of the logistic function, finite for all finite x.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LogSigmoid()(np.array([-1000.0, 0.0])).round(3)
    array([-1.000e+03, -6.930e-01])
    """

    def forward(self, x: Any) -> Tensor:
        return F.logsigmoid(x)
