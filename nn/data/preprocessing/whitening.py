"""Whitening: data whose columns are uncorrelated and have variance 1."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .fitted import Fitted, rotated, samples
from .principal import arguments, check_components, chosen, principal

__all__ = ["Whiten"]


class Whiten(Fitted):
    """Turn, shift and scale samples so that their covariance is the identity.

    With eigenvectors ``components`` (rows) and eigenvalues ``explained_variance`` of the covariance,
    ``"pca"`` gives the coordinates along the components, each divided by its standard deviation:

        z = (x - mean) components' / sqrt(explained_variance + eps)

    and ``"zca"`` turns these back, ``z components``, which of all whitened data are nearest to x: an image
    stays an image, with its edges sharpened.
    [Bell and Sejnowski, The "independent components" of natural scenes are edge filters, 1997]

    Directions in which the samples do not vary, such as of pixels that are always 0, are left out; in what
    remains the covariance is the identity. Directions of little variance are noise that whitening makes as
    large as all else; ``eps`` damps them (0.01 to 0.1 for images from 0 to 1), ``n_components`` omits them.

    Args:
        kind: "pca" or "zca".
        eps: added to the variances; 0 makes the covariance the identity.
        n_components: how many directions to keep, as of :class:`PCA`; None: all in which the samples vary.

    After ``fit``, as of :class:`PCA`:
        mean, components, explained_variance.

    Raises:
        ValueError: another kind, a negative eps, or as of :class:`PCA`.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> images, _ = nn.data.digits()
    >>> whiten = nn.data.Whiten().fit(images)
    >>> z = whiten(images)
    >>> z.shape, bool(np.allclose(np.cov(z.T), np.eye(61), atol=1e-4))
    ((1797, 61), True)
    >>> zca = nn.data.Whiten("zca", eps=0.01).fit(images)
    >>> zca(images).shape, np.abs(zca.inverse(zca(images)) - images).max() < 1e-5
    ((1797, 64), np.True_)
    """

    arrays: ClassVar = {"mean": "s", "components": "ks", "explained_variance": "k"}
    mean: Any = None
    components: Any = None
    explained_variance: Any = None

    def __init__(
        self, kind: str = "pca", eps: float = 0.0, n_components: int | float | None = None
    ) -> None:
        if kind not in ("pca", "zca"):
            raise ValueError(message("Whiten", f"kind={kind!r}", "'pca' or 'zca'"))
        if not 0 <= eps < np.inf:
            raise ValueError(message("Whiten", f"eps={eps}", "a number that is not negative"))
        check_components("Whiten", n_components)
        self.kind, self.eps, self.n_components = kind, eps, n_components

    def fit(self, x: Any) -> Self:
        """Learn the mean and the covariance of ``x``: (samples, ...), each sample of any shape."""
        x = samples("Whiten", x, least=2)
        found = principal("Whiten", x)
        k = chosen("Whiten", self.n_components, found, found.rank)
        self.mean = found.mean.reshape(x.shape[1:])
        self.components = found.components[:k].reshape(k, *x.shape[1:])
        self.explained_variance = found.variances[:k]
        return self

    def __call__(self, x: Any) -> ndarray[Any, Any]:
        """Return whitened samples, in the floating dtype of x: (N, k) of "pca", (N, *S) of "zca"."""
        x, mean, components = arguments(self, x)
        into = components.T / np.sqrt(self.explained_variance + self.eps)
        if self.kind == "pca":
            return rotated(x, into, before=mean)
        return self._turned_back(x, into, components, before=mean)

    def inverse(self, z: Any) -> ndarray[Any, Any]:
        """Return the samples whose whitened form is z, but for what lies in directions left out."""
        z, mean, components = arguments(self, z, coordinates=self.kind == "pca")
        into = components.T * np.sqrt(self.explained_variance + self.eps)
        if self.kind == "pca":
            return rotated(z, into.T, after=mean).reshape(len(z), *self.components.shape[1:])
        return self._turned_back(z, into, components, after=mean)

    def _turned_back(self, x: Any, into: Any, components: Any, **shift: Any) -> ndarray[Any, Any]:
        many = len(x) > into.shape[0]  # then one product of the two matrices is less work
        matrices = (into @ components,) if many else (into, components)
        return rotated(x, *matrices, **shift).reshape(x.shape)
