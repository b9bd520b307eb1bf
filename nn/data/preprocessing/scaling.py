"""Bring columns to mean 0 and standard deviation 1, or between two bounds."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .fitted import Fitted, blocks, blockwise, check_finite, floating, samples

__all__ = ["MinMax", "Standardise", "standardise"]


class _Scaling(Fitted):
    """What scalings share: over which axes numbers are learnt, and samples that fit them."""

    def __init__(self, axis: int | tuple[int, ...] | None = 0) -> None:
        axes = (axis,) if isinstance(axis, (int, np.integer)) else axis
        if axes is not None and 0 not in axes:
            raise ValueError(message(type(self).__name__, f"axis={axis}", "axis 0, the samples', among them"))
        self.axis, self._axes = axis, axes

    def _learnt(self, x: ndarray[Any, Any]) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
        """Return the least and the greatest number of each column, in the shape of what is learnt."""
        axes = self._axes
        if axes is not None and (len(set(axes)) < len(axes) or not all(0 <= a < x.ndim for a in axes)):
            raise ValueError(message(type(self).__name__, f"axis={self.axis} for data of shape {x.shape}",
                                     "different axes of it, counted from the first"))  # fmt: skip
        low, high = x.min(axis=axes, keepdims=True), x.max(axis=axes, keepdims=True)
        return self._sample(low), self._sample(high)

    def _sample(self, learnt: Any) -> ndarray[Any, Any]:
        """Return an array with ``keepdims`` in the shape of a sample, a single number for ``axis=None``."""
        array: ndarray[Any, Any] = np.asarray(learnt).reshape(() if self.axis is None else learnt.shape[1:])
        return array

    def _data(self, x: Any, learnt: str) -> tuple[ndarray[Any, Any], np.dtype[Any]]:
        self._need_fit()
        x = np.asarray(x)
        expected = getattr(self, learnt).shape
        if self._axes is not None and len(self._axes) > 1:  # along these any length
            expected = tuple("any" if axis in self._axes else n for axis, n in enumerate(expected, 1))
        fits = x.ndim > 0 and (self.axis is None or (
            x.ndim - 1 == len(expected) and all(n in (m, "any") for m, n in zip(x.shape[1:], expected))))
        if not fits:
            raise ValueError(message(type(self).__name__, f"samples of shape {x.shape[1:]}",
                                     f"{expected}, as in fit"))  # fmt: skip
        return x, floating(x)


class Standardise(_Scaling):
    """Shift and scale each column: ``(x - mean) / std``, fitted once and applied to all.

    A constant column has no scale: it is only shifted, to 0.

    Args:
        axis: the axes over which ``mean`` and ``std`` are taken, as NumPy counts them: 0 for each column or
            pixel by itself, (0, 2, 3) for each channel of images (N, C, H, W), None for one pair of numbers.

    Raises:
        ValueError: there are no samples, not all are finite, or others are of another shape.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> train, test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 6.0]])
    >>> scale = nn.data.Standardise().fit(train)
    >>> scale(test)
    array([[2., 1.]])
    >>> scale.inverse(scale(test))
    array([[4., 6.]])
    """

    arrays: ClassVar = {"mean": "s", "std": "s"}
    mean: Any = None
    std: Any = None

    def fit(self, x: Any) -> Self:
        """Learn the mean and standard deviation of each column of ``x``: (samples, ...)."""
        x = samples("Standardise", x)
        low, high = self._learnt(x)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.mean(x, axis=self._axes, dtype=np.float64, keepdims=True)
            parts = (np.sum((x[part] - mean) ** 2, axis=self._axes, keepdims=True) for part in blocks(x))
            std = np.sqrt(sum(parts) / (x.size // mean.size))
        check_finite("Standardise", (mean, std), x)
        # a constant column is known exactly: its std may be a rounding error
        self.mean, self.std = self._sample(mean), np.where(low == high, 1.0, self._sample(std))
        return self

    def __call__(self, x: Any) -> ndarray[Any, Any]:
        """Return ``(x - mean) / std``, in the floating dtype of x (float32 for integers)."""
        x, dtype = self._data(x, "mean")
        return blockwise(x, dtype, lambda part: (part - self.mean) / self.std)

    def inverse(self, x: Any) -> ndarray[Any, Any]:
        """Return ``x * std + mean``: what the columns were before."""
        x, dtype = self._data(x, "mean")
        return blockwise(x, dtype, lambda part: part * self.std + self.mean)


class MinMax(_Scaling):
    """Bring each column between two bounds: ``(x - min) / (max - min)``, stretched to the range.

    A constant column becomes the lower bound. Samples that were not fitted may lie outside.

    Args:
        feature_range: the bounds.
        axis: the axes over which ``min`` and ``max`` are taken, as of :class:`Standardise`; None, for one
            pair of numbers, keeps images what they are.

    Raises:
        ValueError: the bounds are no range; or as of :class:`Standardise`.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> images = np.array([[[0, 51], [102, 255]]], np.uint8)
    >>> scale = nn.data.MinMax((-1, 1), axis=None).fit(images)
    >>> scale(images)
    array([[[-1. , -0.6], [-0.2,  1. ]]], dtype=float32)
    >>> scale.inverse(scale(images)).round(1)
    array([[[  0.,  51.], [102., 255.]]], dtype=float32)
    """

    arrays: ClassVar = {"min": "s", "max": "s"}
    min: Any = None
    max: Any = None

    def __init__(
        self, feature_range: tuple[float, float] = (0.0, 1.0), axis: int | tuple[int, ...] | None = 0
    ) -> None:
        super().__init__(axis)
        if not (np.shape(feature_range) == (2,) and feature_range[0] < feature_range[1]):
            raise ValueError(message("MinMax", f"feature_range={feature_range}", "two bounds, low and high"))
        self.feature_range = feature_range

    def fit(self, x: Any) -> Self:
        """Learn the least and the greatest number of each column of ``x``: (samples, ...)."""
        x = samples("MinMax", x)
        low, high = self._learnt(x)
        check_finite("MinMax", (low, high), x)
        self.min, self.max = low.astype(np.float64), high.astype(np.float64)
        return self

    def _factor(self) -> Any:
        low, high = self.feature_range
        span = self.max - self.min
        return (high - low) / np.where(span == 0, 1.0, span)

    def __call__(self, x: Any) -> ndarray[Any, Any]:
        """Return x between the bounds, in the floating dtype of x (float32 for integers)."""
        x, dtype = self._data(x, "min")
        low, factor = self.feature_range[0], self._factor()
        return blockwise(x, dtype, lambda part: (part - self.min) * factor + low)

    def inverse(self, x: Any) -> ndarray[Any, Any]:
        """Return what the columns were before."""
        x, dtype = self._data(x, "min")
        low, factor = self.feature_range[0], self._factor()
        return blockwise(x, dtype, lambda part: (part - low) / factor + self.min)


def standardise(train: Any, *others: Any) -> Any:
    """Standardise ``train``, and the others with the numbers of ``train``.

    Each column or pixel is scaled by itself: one that is nearly constant, as at the edge of images, comes out
    large. ``Standardise(axis=...)`` takes one mean and std for each channel, or for all together.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> train, test = nn.data.standardise(np.array([[1.0], [3.0]]), np.array([[4.0]]))
    >>> test
    array([[2.]])
    """
    scale = Standardise().fit(train)
    return tuple(scale(x) for x in (train, *others)) if others else scale(train)
