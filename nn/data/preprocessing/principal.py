"""Principal components: the directions along which data vary most, and by how much."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from ...settings import is_whole
from .fitted import Fitted, blocks, check_finite, rotated, samples, width

__all__ = ["PCA"]


class Principal(NamedTuple):
    """The eigenvectors of a covariance as rows, by falling eigenvalues."""

    mean: ndarray[Any, Any]
    components: ndarray[Any, Any]
    variances: ndarray[Any, Any]
    rank: int  # how many of the variances are more than rounding


def principal(who: str, x: ndarray[Any, Any]) -> Principal:
    """Return the principal directions: as many as samples, or as numbers in one, if these are fewer.

    Of the covariance, whose sum is made in float64 block by block: 60,000 samples of 784 float32 numbers take
    0.9 s and 25 MB, a float64 copy would take 376 MB. Fewer samples than numbers are decomposed themselves.
    """
    n, d = len(x), width(x.shape)
    rows = x.reshape(n, d)
    with np.errstate(invalid="ignore"):
        mean = rows.mean(axis=0, dtype=np.float64)
    check_finite(who, mean, x)
    if d <= n:
        scatter = np.zeros((d, d))
        with np.errstate(over="ignore", invalid="ignore"):
            for part in blocks(rows):
                centred = rows[part] - mean
                scatter += centred.T @ centred
        check_finite(who, scatter, x)
        values, vectors = np.linalg.eigh(scatter / (n - 1))
        variances, components = np.maximum(values[::-1], 0.0), vectors.T[::-1]
    else:
        _, singular, components = np.linalg.svd(rows - mean, full_matrices=False)
        variances = singular**2 / (n - 1)
    largest = np.abs(components).argmax(axis=1)  # the sign of an eigenvector is free: as scikit-learn's
    components = components * np.sign(components[np.arange(len(components)), largest])[:, None]
    # Beneath this is only what rounding made: of float64 here, and of the data's own dtype before.
    size = max(abs(float(rows.max())), abs(float(rows.min())))
    eps = np.finfo(x.dtype).eps if x.dtype.kind == "f" else 0.0
    noise = d * max(np.finfo(np.float64).eps * variances[0], (eps * size) ** 2)
    return Principal(mean, components, variances, int(np.sum(variances > noise)))


def check_components(who: str, n_components: Any) -> None:
    """Refuse what is neither a count, nor a fraction, nor None."""
    whole, share = is_whole(n_components), isinstance(n_components, (float, np.floating))
    if not (n_components is None or (whole and n_components > 0) or (share and 0 < n_components < 1)):
        raise ValueError(message(who, f"n_components={n_components!r}", "a number of components, "
                                 "a fraction of the variance below 1, or None for all"))  # fmt: skip


def chosen(who: str, n_components: Any, found: Principal, most: int) -> int:
    """Return how many components to keep, of at most ``most``."""
    if found.rank == 0:
        raise ValueError(message(who, "samples that are all the same", "samples that vary"))
    if n_components is None:
        return most
    if isinstance(n_components, (float, np.floating)):
        shares = np.cumsum(found.variances) / np.sum(found.variances)
        return min(int(np.searchsorted(shares, n_components, side="right")) + 1, most)
    if n_components > most:
        raise ValueError(message(who, f"n_components={n_components}", f"at most {most} for these data"))
    return int(n_components)


class PCA(Fitted):
    """Describe samples by their coordinates along the directions in which they vary most.

    ``z = (x - mean) components'``, where the rows of ``components`` are orthonormal eigenvectors of the
    covariance, by falling eigenvalues. No other linear map to as many numbers loses less:
    ``inverse(z)`` is the nearest point, in squared error, that so many numbers can say.
    [Pearson, On Lines and Planes of Closest Fit, 1901]

    Each component's largest entry is positive, so that the result is unique unless variances are equal.

    Args:
        n_components: how many directions to keep; a fraction below 1: as many as explain more than this part
            of the variance; None: all, as many as samples or as numbers in one, whichever are fewer.

    After ``fit``, with samples of shape S and k components:
        mean: S.
        components: (k, *S); with images each is an image.
        explained_variance: (k,), the variance along each, with N - 1 in the denominator.
        explained_variance_ratio: (k,), as parts of the variance of all.

    Raises:
        ValueError: there are fewer than two samples, none varies, not all numbers are finite, or there are
            fewer components than asked for.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> images, _ = nn.data.digits()
    >>> pca = nn.data.PCA(0.9).fit(images)
    >>> pca.components.shape, pca.explained_variance_ratio[:3]
    ((21, 64), array([0.149, 0.136, 0.118]))
    >>> z = pca(images)
    >>> z.shape, np.mean((pca.inverse(z) - images) ** 2) / images.var(axis=0).mean()
    ((1797, 21), np.float32(0.097))
    """

    arrays: ClassVar = {
        "mean": "s", "components": "ks", "explained_variance": "k", "explained_variance_ratio": "k",
    }  # fmt: skip
    mean: Any = None
    components: Any = None
    explained_variance: Any = None
    explained_variance_ratio: Any = None

    def __init__(self, n_components: int | float | None = None) -> None:
        check_components("PCA", n_components)
        self.n_components = n_components

    def fit(self, x: Any) -> Self:
        """Learn the components of ``x``: (samples, ...), each sample of any shape."""
        x = samples("PCA", x, least=2)
        found = principal("PCA", x)
        k = chosen("PCA", self.n_components, found, len(found.variances))
        self.mean = found.mean.reshape(x.shape[1:])
        self.components = found.components[:k].reshape(k, *x.shape[1:])
        self.explained_variance = found.variances[:k]
        self.explained_variance_ratio = self.explained_variance / found.variances.sum()
        return self

    def __call__(self, x: Any) -> ndarray[Any, Any]:
        """Return the coordinates along the components: (N, k), in the floating dtype of x."""
        x, mean, components = arguments(self, x)
        return rotated(x, components.T, before=mean)

    def inverse(self, z: Any) -> ndarray[Any, Any]:
        """Return the samples that have these coordinates: (N, k) -> (N, *S)."""
        z, mean, components = arguments(self, z, coordinates=True)
        return rotated(z, components, after=mean).reshape(len(z), *self.components.shape[1:])


def arguments(
    fitted: Any, x: Any, coordinates: bool = False
) -> tuple[ndarray[Any, Any], ndarray[Any, Any], ndarray[Any, Any]]:
    """Return x, if it fits, and the mean and components with each sample as one row."""
    fitted._need_fit()
    x = np.asarray(x)
    components = fitted.components.reshape(len(fitted.components), -1)
    expected = components.shape[:1] if coordinates else fitted.mean.shape
    if x.ndim == 0 or x.shape[1:] != expected:
        raise ValueError(message(type(fitted).__name__, f"samples of shape {x.shape[1:]}",
                                 f"{expected}, as in fit"))  # fmt: skip
    return x, fitted.mean.reshape(-1), components
