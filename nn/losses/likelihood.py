"""Negative log-likelihoods of distributions whose parameters a network predicts."""

from __future__ import annotations

from typing import Any

from autograd_core.tensor import Tensor

from .. import functional as F
from .base import Loss

__all__ = ["GaussianNLLLoss", "MultivariateGaussianNLLLoss", "PoissonNLLLoss"]


class PoissonNLLLoss(Loss):
    """``e^x - t x`` of counts t whose rate is ``e^x``; or ``x - t log x``.

    See :func:`nn.functional.poisson_nll_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.PoissonNLLLoss()(np.array([0.0]), np.array([3])))
    1.0
    """

    shown = (("log_input", True), ("full", False), ("eps", 1e-8))

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Any, target: Any) -> Tensor:
        return F.poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)  # fmt: skip


class GaussianNLLLoss(Loss):
    """``(log v + (x - t)^2 / v) / 2``: means x and variances v, both predicted.

    See :func:`nn.functional.gaussian_nll_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.GaussianNLLLoss()(np.array([1.0]), np.array([3.0]), np.array([4.0])))
    1.193147
    """

    shown = (("full", False), ("eps", 1e-6))

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class MultivariateGaussianNLLLoss(Loss):
    """``((t - x)^T S^-1 (t - x) + log det S) / 2``: means x (N, d), covariances S (N, d, d).

    See :func:`nn.functional.multivariate_gaussian_nll_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> loss = nn.MultivariateGaussianNLLLoss(cholesky=True)
    >>> float(loss(np.zeros((1, 2)), np.array([[1.0, 2.0]]), np.array([[[1.0, 0.0], [0.0, 2.0]]])))
    1.693147
    """

    shown = (("full", False), ("cholesky", False))

    def __init__(self, *, full: bool = False, cholesky: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.cholesky = full, cholesky

    def forward(self, input: Any, target: Any, covariance: Any) -> Tensor:
        return F.multivariate_gaussian_nll_loss(
            input, target, covariance, self.full, self.cholesky, reduction=self.reduction)  # fmt: skip
