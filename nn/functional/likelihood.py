"""Negative log-likelihoods of distributions whose parameters a network predicts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import duck, elementwise, kernel
from autograd_core.stats.multivariate import root_of
from autograd_core.tensor import Tensor

from ..casting import taken
from .reduce import pair, pointwise, reduce

__all__ = ["gaussian_nll_loss", "multivariate_gaussian_nll_loss", "poisson_nll_loss"]

LN_2PI = math.log(2 * math.pi)

# -- counts ----------------------------------------------------------------------------------------

_poisson = pointwise(
    lambda x, t, *, log_input=False, eps=0.0: np.exp(x) - t * x if log_input else x - t * np.log(x + eps),
    lambda g, y, x, t, *, log_input=False, eps=0.0: g * (np.exp(x) - t if log_input else 1 - t / (x + eps)),
    lambda g, y, x, t, *, log_input=False, eps=0.0: -g * (x if log_input else np.log(x + eps)),
    saves=("x t", "x"), name="poisson_nll_loss",
    doc="e^x - t x, or x - t log(x + eps): x_bar = g (e^x - t), or g (1 - t / (x + eps)); divided by n for "
        "the mean.",
)  # fmt: skip


def _stirling(t: Any) -> Any:
    """Return Stirling's approximation of log t!, 0 up to t = 1."""
    large = np.greater(strip(t), 1)
    t = ops.where(large, t, 2)
    return ops.where(large, t * ops.log(t) - t + 0.5 * ops.log(t * (2 * math.pi)), 0)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``e^x - t x``, the negative log-likelihood of counts t of rate ``e^x``, without ``log t!``.

    With ``log_input=False`` the rate is x itself: ``x - t log(x + eps)``.

    Args:
        input: x, the logarithm of the rate, of any shape; or the rate.
        target: counts t, of the same shape.
        log_input: whether x is the logarithm.
        full: add Stirling's approximation of ``log t!``, ``t log t - t + log(2 pi t) / 2``, where t > 1.
        eps: keeps the logarithm from that of 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> float(nn.functional.poisson_nll_loss(np.array([2.0]), np.array([3]), log_input=False))  # 2 - 3 log 2
    -0.079442
    """
    x, t = pair("poisson_nll_loss", input, target, reduction)
    how: Any = {"log_input": log_input, "eps": eps}
    y: Tensor = _poisson(x, t, reduction="none" if full else reduction, **how)
    return reduce(y + _stirling(t), reduction) if full else y


# -- numbers, with a variance of each --------------------------------------------------------------

_gaussian = elementwise(
    lambda x, t, v: 0.5 * (np.log(v) + (x - t) * (x - t) / v),
    lambda g, y, x, t, v: g * (x - t) / v,
    lambda g, y, x, t, v: g * (t - x) / v,
    lambda g, y, x, t, v: g * 0.5 * (1 - (x - t) * (x - t) / v) / v,
    saves="x t v", name="gaussian_nll_loss", singular=True,
    doc="(log v + (x - t)^2 / v) / 2: dy/dx = (x - t) / v, dy/dt = (t - x) / v, "
        "dy/dv = (1 - (x - t)^2 / v) / (2v).",
)  # fmt: skip


def _variance(var: Any, x: Any, eps: float) -> Any:
    """Return variances in a shape that broadcasts; where they are less than eps they count as eps."""
    loss = "gaussian_nll_loss"
    v = np.full(x.shape, var, x.dtype) if isinstance(var, (int, float)) else taken(var, x.dtype, loss)
    if v.shape != x.shape:
        if v.shape == x.shape[:-1]:
            v = ops.expand_dims(v, -1)
        elif v.ndim != x.ndim or [n for n, m in zip(v.shape, x.shape, strict=True) if n != m] != [1]:
            raise ValueError(message(
                loss, f"a variance of shape {v.shape} for a prediction of shape {x.shape}",
                f"{x.shape}, {x.shape[:-1]}, or the first with one axis of length 1"))  # fmt: skip
    plain = strip(v)
    _check_variance(plain, loss=loss)
    low = plain < eps
    if duck((low,)) is None and not low.any():
        return v
    return v + np.where(low, eps - plain, -0.0).astype(v.dtype)  # v - 0 is v, of either sign


@kernel  # so that a replayed step looks at its variances too
def _check_variance(v: Any, *, loss: str) -> None:
    if np.any(v < 0):
        raise ValueError(message(loss, f"a variance of {v.min()}", "none below 0",
                                 "exp or softplus of what the network gives"))  # fmt: skip


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Return ``(log v + (x - t)^2 / v) / 2``, the negative log-likelihood of t ~ N(x, v).

    So a network learns how sure it is beside what it predicts. [Nix and Weigend, Estimating the mean and
    variance of the target probability distribution, 1994]

    Args:
        input: means x, of any shape.
        target: t, of the same shape.
        var: variances v: of the same shape; without its last axis, or with one axis of length 1, for one
            variance along it; or a number. What is less than ``eps`` counts as ``eps``, and its gradient is
            the one there.
        full: add the constant ``log(2 pi) / 2``.
        eps: the least variance.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, or a variance is negative.

    >>> from autograd_core import nn
    >>> x, t = np.array([1.0, 1.0]), np.array([1.0, 3.0])
    >>> nn.functional.gaussian_nll_loss(x, t, np.array([1.0, 4.0]), reduction="none").round(6)
    array([0. , 1.193147])
    """
    x, t = pair("gaussian_nll_loss", input, target, reduction)
    losses = _gaussian(x, t, _variance(var, x, eps))
    y: Tensor = reduce(losses + 0.5 * LN_2PI if full else losses, reduction)
    return y


# -- vectors, with a covariance of each ------------------------------------------------------------


def multivariate_gaussian_nll_loss(
    input: Any, target: Any, covariance: Any, full: bool = False, cholesky: bool = False, *,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``((t - x)^T S^-1 (t - x) + log det S) / 2``, the negative log-likelihood of t ~ N(x, S).

    Args:
        input: means x, (N, d) or (d,).
        target: t, of the same shape.
        covariance: S, symmetric and positive definite, of which the lower triangle is read: (N, d, d), or
            (d, d) for all.
        full: add the constant ``d log(2 pi) / 2``.
        cholesky: take ``covariance`` as the lower triangular factor L of ``S = L L^T``, with a positive
            diagonal. A network learns it more easily: any such L is allowed.
        reduction: ``"mean"`` over the samples, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, or a diagonal of L is not positive.
        numpy.linalg.LinAlgError: a covariance is not positive definite.

    >>> from autograd_core import nn
    >>> x, t, S = np.zeros(2), np.array([1.0, 2.0]), np.diag([1.0, 4.0])
    >>> float(nn.functional.multivariate_gaussian_nll_loss(x, t, S))  # (1 + 1 + log 4) / 2
    1.693147
    >>> float(nn.functional.multivariate_gaussian_nll_loss(x, t, np.diag([1.0, 2.0]), cholesky=True))
    1.693147
    """
    loss = "multivariate_gaussian_nll_loss"
    x, t = pair(loss, input, target, reduction)
    s = taken(covariance if hasattr(covariance, "shape") else np.asarray(covariance), x.dtype, loss)
    d = x.shape[-1] if x.ndim else 0
    if x.ndim not in (1, 2) or s.shape not in ((d, d), (*x.shape, d)):
        raise ValueError(message(loss, f"a prediction of shape {x.shape} and a covariance of shape {s.shape}",
                                 "(N, d) and (N, d, d) or (d, d)"))  # fmt: skip
    if not cholesky:
        s = root_of(s, loss)
    scale = ops.diagonal(s, axis1=-2, axis2=-1)
    if cholesky:
        _check_scale(strip(scale), loss=loss)
    z = ops.solve_triangular(s, ops.expand_dims(t - x, -1), lower=True)
    losses = 0.5 * ops.sum(z * z, axis=(-2, -1)) + ops.sum(ops.log(scale), axis=-1)
    y: Tensor = reduce(losses + 0.5 * d * LN_2PI if full else losses, reduction)
    return y


@kernel
def _check_scale(scale: Any, *, loss: str) -> None:
    if not np.all(scale > 0):
        raise ValueError(message(
            loss, f"{np.min(scale)} on the diagonal of a Cholesky factor", "positive numbers",
            "exp or softplus of what the network gives"))  # fmt: skip
