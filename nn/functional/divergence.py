"""How far one distribution is from another; the evidence lower bound of a variational autoencoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .binary import binary_cross_entropy_with_logits
from .reduce import known, pair, pointwise, reduce
from .regression import mse_loss

__all__ = ["elbo_loss", "gaussian_kl", "kl_div"]


def _slope(x: Any, t: Any, log_target: bool) -> Any:
    return np.exp(t) * (t - x + 1) if log_target else np.log(t + (t == 0)) - x + 1


def _relative_entropy(x: Any, t: Any, *, log_target: bool = False) -> Any:
    if log_target:
        return np.exp(t) * (t - x)
    return t * (np.log(t + (t == 0)) - x)


_kl_div = pointwise(
    _relative_entropy,
    lambda g, y, x, t, *, log_target=False: -g * (np.exp(t) if log_target else t),
    lambda g, y, x, t, *, log_target=False: g * _slope(x, t, log_target),
    saves=("t", "x t"), name="kl_div", kinks="t = 0: 1 - x, for t",
    doc="t (log t - x), or e^t (t - x): x_bar = -g t, or -g e^t; divided by n for the mean.",
)  # fmt: skip


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Return ``t (log t - x)``, whose sum is the Kullback-Leibler divergence of ``e^x`` from t.

    ``KL(t || p) = sum_k t_k log(t_k / p_k)``, for log-probabilities ``x = log p``. The divergence of a sample
    is the sum over its classes, so of a batch ``"batchmean"`` is the mean divergence; ``"mean"`` divides by
    the number of all elements.

    Args:
        input: log-probabilities x, of any shape.
        target: probabilities t of the same shape, or their logarithms.
        reduction: ``"batchmean"`` (the sum divided by the length of the first axis), ``"mean"``, ``"sum"`` or
            ``"none"``.
        log_target: whether the target is of logarithms: ``e^t (t - x)``.

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> p, t = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])
    >>> float(nn.functional.kl_div(np.log(p), t, reduction="batchmean"))
    0.693147
    """
    per_sample = reduction == "batchmean"
    x, t = pair("kl_div", input, target, "sum" if per_sample else reduction)
    y: Tensor = _kl_div(x, t, reduction="sum" if per_sample else reduction, log_target=log_target)
    if per_sample and x.ndim:
        return y / len(x) if len(x) else y * np.nan
    return y


def _of_samples(x: Any) -> Any:
    """Return the sum of each sample: over all axes but the first, where there are several."""
    return ops.sum(x, axis=tuple(range(1, x.ndim)) if x.ndim > 1 else None)


def gaussian_kl(mean: Any, log_var: Any, reduction: str = "mean") -> Tensor:
    """Return ``sum_j (m_j^2 + v_j - 1 - log v_j) / 2``, the divergence KL(N(m, diag v) || N(0, I)).

    [Kingma and Welling, Auto-encoding variational Bayes, 2013, appendix B]

    Args:
        mean: m, (N, d), or (d,) for one sample.
        log_var: log v, of the same shape.
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``, (N,).

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> nn.functional.gaussian_kl(np.array([[0.0, 0.0], [2.0, 0.0]]), np.zeros((2, 2)), "none")
    array([0., 2.])
    """
    m, s = pair("gaussian_kl", mean, log_var, reduction)
    y: Tensor = reduce(0.5 * _of_samples(m * m + ops.expm1(s) - s), reduction)
    return y


def elbo_loss(
    input: Any, target: Any, mean: Any, log_var: Any, likelihood: str = "bernoulli", beta: float = 1.0, *,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``-log p(t | z) + beta KL(N(m, diag v) || N(0, I))``, the negative evidence lower bound.

    The loss of a variational autoencoder, for one code z drawn from N(m, diag v) and decoded to ``input``.
    Reconstruction and divergence are sums over a sample. [Kingma and Welling, Auto-encoding variational
    Bayes, 2013; beta other than 1: Higgins et al., beta-VAE, 2017]

    Args:
        input: what the decoder gives, (N, ...): logits for ``"bernoulli"``, means for ``"gaussian"``.
        target: what was encoded, of the same shape.
        mean: m, (N, d).
        log_var: log v, (N, d).
        likelihood: ``"bernoulli"``, whose ``-log p`` is the binary cross-entropy; or ``"gaussian"``, of
            variance 1, whose is ``(x - t)^2 / 2`` and a constant that is left out.
        beta: the weight of the divergence.
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``, (N,).

    Raises:
        ValueError: the shapes do not fit, or the likelihood is none of these.

    >>> from autograd_core import nn
    >>> x, t = np.zeros((1, 3)), np.array([[2.0, 0.0, 0.0]])
    >>> float(nn.functional.elbo_loss(x, t, np.array([[1.0]]), np.array([[0.0]]), "gaussian"))
    2.5
    """
    known("elbo_loss", reduction)
    if likelihood == "bernoulli":
        errors: Any = binary_cross_entropy_with_logits(input, target, reduction="none")
    elif likelihood == "gaussian":
        errors = 0.5 * mse_loss(input, target, "none")
    else:
        raise ValueError(message("elbo_loss", f"likelihood={likelihood!r}", "'bernoulli' or 'gaussian'"))
    divergence = gaussian_kl(mean, log_var, "none")
    reconstruction = _of_samples(errors)
    if divergence.shape != reconstruction.shape:
        raise ValueError(message("elbo_loss", f"an input of shape {np.shape(input)} and a mean of shape "
                                 f"{np.shape(mean)}", "as many samples in both"))  # fmt: skip
    y: Tensor = reduce(reconstruction + divergence * beta, reduction)
    return y
