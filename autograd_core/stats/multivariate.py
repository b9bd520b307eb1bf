"""Distributions of several variables, which lie along an axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import ops
from ..calls import as_array
from ..ducks import kernel
from ..errors import message
from ..node import strip
from ..ops import gammaln, log, xlogy
from .families import choose

__all__ = ["dirichlet", "multinomial", "multivariate_normal"]

LN_2PI = math.log(2 * math.pi)


class _MultivariateNormal:
    """The normal distribution of vectors: x (..., d), mean (..., d), cov (..., d, d).

    Leading axes broadcast. Of ``cov`` the lower triangle is read; a vector stands for a diagonal, a number
    for a multiple of the identity. Where neither mean nor cov has axes, x are numbers: d is 1. All as SciPy
    has it, but for batches of means and matrices.
    """

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """Return the logarithm of the density at x: -(|z|^2 + d log 2 pi)/2 - log det L, L z = x - mean.

        Raises:
            ValueError: the shapes do not fit.
            numpy.linalg.LinAlgError: cov is not positive definite.

        >>> import numpy as np, autograd_core as ag
        >>> ag.grad(lambda x: ag.stats.multivariate_normal.logpdf(x, cov=np.diag([1.0, 4.0])))(np.ones(2))
        array([-1.  , -0.25])
        """
        mean, root = self._read("logpdf", mean, cov)
        d = np.shape(root)[-1]
        if (np.shape(x) or (1,))[-1] != d and d != 1:
            raise ValueError(message(
                "multivariate_normal.logpdf", f"x of shape {np.shape(x)}", f"(..., {d})"))  # fmt: skip
        away = np.subtract(x, mean)
        if d == 1 and np.shape(away)[-1:] != (1,):
            away = ops.expand_dims(away, -1)
        z = ops.solve_triangular(root, ops.expand_dims(away, -1), lower=True)[..., 0]
        return -0.5 * (ops.sum(z * z, axis=-1) + d * LN_2PI) - self._half_log_det(root)

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """Return the density at x."""
        return ops.exp(self.logpdf(x, mean, cov))

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """Return d (log(2 pi) + 1)/2 + log det L."""
        mean, root = self._read("entropy", mean, cov)
        return 0.5 * np.shape(root)[-1] * (LN_2PI + 1) + self._half_log_det(root)

    def _half_log_det(self, root: Any) -> Any:
        return ops.sum(log(ops.diagonal(root, axis1=-2, axis2=-1)), axis=-1)

    def _read(self, method: str, mean: Any, cov: Any) -> tuple[Any, Any]:
        """Return the mean, and the root L of cov = L L^T."""
        name = f"multivariate_normal.{method}"
        mean, shape = 0.0 if mean is None else mean, np.shape(cov)
        d = (shape or np.shape(mean) or (1,))[-1]
        if len(shape) < 2:
            identity = np.eye(d, dtype=getattr(cov, "dtype", float))
            cov = np.multiply(ops.expand_dims(cov, -1) if shape else cov, identity)
        elif shape[-2] != d:
            raise ValueError(message(name, f"cov of shape {shape}", "square matrices"))
        if np.shape(mean) and np.shape(mean)[-1] not in (1, d):
            raise ValueError(message(name, f"mean of shape {np.shape(mean)} and cov of shape {shape}",
                                     f"a mean of shape (..., {d})"))  # fmt: skip
        return mean, root_of(cov, name)


def root_of(cov: Any, name: str) -> Any:
    """Return the Cholesky root of a covariance, or say that there is none, and why."""
    try:
        return ops.cholesky(cov)
    except np.linalg.LinAlgError:
        plain = as_array(strip(cov))
        low = np.linalg.eigvalsh(plain).min()
        raise np.linalg.LinAlgError(message(
            name, f"cov with an eigenvalue {low:.3g}", "a positive definite matrix",
            "cov + 1e-6 * np.eye(d), if it is so but for rounding")) from None  # fmt: skip


class _Dirichlet:
    """Shares x that sum to 1 along the first axis: (K,) or (K, N), as SciPy has it; alpha (K,)."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """Return sum_k (alpha_k - 1) log x_k - log B(alpha); the last share may be left out.

        Raises:
            ValueError: the shapes do not fit, or the shares do not sum to 1 or are not in [0, 1].
        """
        n = np.shape(alpha)[0]
        if np.shape(x)[:1] == (n - 1,):
            x = np.concatenate([x, 1 - ops.sum(x, axis=0, keepdims=True)])
        if np.shape(x)[:1] != (n,):
            raise ValueError(message("dirichlet.logpdf", f"x of shape {np.shape(x)}", f"({n}, ...)"))
        _check_shares(strip(x), strip(alpha))
        terms = xlogy(ops.reshape(np.subtract(alpha, 1), (n,) + (1,) * (np.ndim(x) - 1)), x)
        return ops.sum(terms, axis=0) + gammaln(ops.sum(alpha)) - ops.sum(gammaln(alpha))

    def pdf(self, x: Any, alpha: Any) -> Any:
        """Return the density at x."""
        return ops.exp(self.logpdf(x, alpha))


@kernel
def _check_shares(x: Any, alpha: Any) -> None:
    x = np.asarray(x)
    if not (np.all(x >= 0) and np.allclose(x.sum(axis=0), 1, rtol=0, atol=1e-6)):
        raise ValueError(message("dirichlet.logpdf", "x that are no shares", "x >= 0 that sum to 1"))
    if not np.all(np.asarray(alpha) > 0):
        raise ValueError(message("dirichlet.logpdf", f"alpha={alpha}", "positive numbers"))


class _Multinomial:
    """Counts x (..., K) of n draws with the probabilities p (..., K)."""

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """Return log n! + sum_k (x_k log p_k - log x_k!); the last probability is what is left."""
        x, n = as_array(strip(x)), as_array(strip(n))
        p = p if hasattr(p, "dtype") else np.asarray(p)
        p = np.concatenate([p[..., :-1], 1 - ops.sum(p[..., :-1], axis=-1, keepdims=True)], axis=-1)
        inside = (x >= 0).all(-1) & (x == np.floor(x)).all(-1) & (x.sum(-1) == n)
        valid = (n >= 0) & (strip(p) >= 0).all(-1) & (strip(p) <= 1).all(-1)
        counts = np.where(inside[..., None], x, 0).astype(p.dtype)
        y = gammaln(n.astype(p.dtype) + 1) + ops.sum(xlogy(counts, p) - gammaln(counts + 1), axis=-1)
        return choose(y, inside, valid)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """Return the probability of x."""
        return ops.exp(self.logpmf(x, n, p))


multivariate_normal, dirichlet, multinomial = _MultivariateNormal(), _Dirichlet(), _Multinomial()
