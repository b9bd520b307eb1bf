"""Noise on brightnesses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .base import Augmentation

__all__ = ["GaussianNoise"]


class GaussianNoise(Augmentation):
    """Add normal noise to each pixel: ``x + std * noise``.

    The layer ``nn.GaussianNoise`` does so within a network, and only in training.

    Args:
        std: standard deviation of the noise.
        clip: bounds that the sum is brought back to, such as (0, 1); None: it is left as it is.

    Raises:
        ValueError: std is negative, or clip is no pair of bounds.
        TypeError: the images are of integers.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x = nn.data.GaussianNoise(0.1, clip=(0, 1))(np.ones((1, 40, 40)))
    >>> x.max(), (x < 1).mean().round(1)
    (np.float64(1.0), np.float64(0.5))
    """

    floats = True

    def __init__(self, std: float = 0.1, clip: tuple[float, float] | None = None) -> None:
        if not 0 <= std < np.inf:
            raise ValueError(message("GaussianNoise", f"std={std}", "a number that is not negative"))
        if clip is not None and not (np.shape(clip) == (2,) and clip[0] < clip[1]):
            raise ValueError(message("GaussianNoise", f"clip={clip}", "(low, high), or None"))
        self.std, self.clip = std, clip

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        y = rng.standard_normal(x.shape, dtype=np.float32).astype(x.dtype, copy=False)
        y *= self.std
        y += x
        return y if self.clip is None else np.clip(y, *self.clip, out=y)
