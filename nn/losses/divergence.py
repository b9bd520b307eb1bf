"""How far one distribution is from another; the evidence lower bound."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import functional as F
from .base import Loss

__all__ = ["ELBOLoss", "GaussianKLLoss", "KLDivLoss"]


class KLDivLoss(Loss):
    """``t (log t - x)`` from log-probabilities x: summed, the Kullback-Leibler divergence.

    ``reduction="batchmean"`` is the mean divergence of the samples; ``"mean"`` divides by the number of all
    elements. See :func:`nn.functional.kl_div` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> loss = nn.KLDivLoss(reduction="batchmean")
    >>> float(loss(np.log(np.array([[0.5, 0.5]])), np.array([[1.0, 0.0]])))
    0.693147
    """

    shown = (("log_target", False),)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def check(self, reduction: str) -> None:
        if reduction != "batchmean":
            super().check(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.kl_div(input, target, self.reduction, self.log_target)


class GaussianKLLoss(Loss):
    """``sum_j (m_j^2 + v_j - 1 - log v_j) / 2``: N(m, diag v) from N(0, I), of m and log v (N, d).

    Args:
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> float(nn.GaussianKLLoss()(np.array([[2.0, 0.0]]), np.zeros((1, 2))))
    2.0
    """

    def forward(self, mean: Any, log_var: Any) -> Tensor:
        return F.gaussian_kl(mean, log_var, self.reduction)


class ELBOLoss(Loss):
    """``-log p(t | z) + beta KL(N(m, diag v) || N(0, I))``, the loss of a variational autoencoder.

    See :func:`nn.functional.elbo_loss` for the arguments.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> loss = nn.ELBOLoss("gaussian", beta=4.0)
    >>> float(loss(np.zeros((1, 3)), np.array([[2.0, 0.0, 0.0]]), np.array([[1.0]]), np.array([[0.0]])))
    4.0
    """

    shown = (("beta", 1.0),)

    def __init__(self, likelihood: str = "bernoulli", beta: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(message("ELBOLoss", f"likelihood={likelihood!r}", "'bernoulli' or 'gaussian'"))
        self.likelihood, self.beta = likelihood, beta

    def forward(self, input: Any, target: Any, mean: Any, log_var: Any) -> Tensor:
        return F.elbo_loss(input, target, mean, log_var, self.likelihood, self.beta, reduction=self.reduction)

    def extra_repr(self) -> str:
        return ", ".join([repr(self.likelihood), *filter(None, [super().extra_repr()])])
