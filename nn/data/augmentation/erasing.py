"""Parts of images hidden, so that no single part is relied upon."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from ...settings import check_shares, check_sizes
from .base import Augmentation, brightness
from .moving import pair
from .warping import bounds

__all__ = ["Cutout", "RandomErasing"]


def boxes(x: ndarray[Any, Any], top: Any, left: Any, rows: Any, cols: Any) -> ndarray[Any, Any]:
    """Return where a rectangle of each image is: truth values that broadcast against x."""
    height, width = x.shape[-2:]
    i, j = np.arange(height), np.arange(width)
    top, left, bottom, right = (np.asarray(v)[:, None] for v in (top, left, top + rows, left + cols))
    inside = ((i >= top) & (i < bottom))[:, :, None] & ((j >= left) & (j < right))[:, None, :]
    return inside.reshape(len(x), *[1] * (x.ndim - 3), height, width)


class RandomErasing(Augmentation):
    """Hide a random rectangle of each image with a probability.

    Its area is uniform within ``scale``, the logarithm of its height to width within that of ``ratio``; a
    rectangle that does not fit is drawn again, up to ten times.
    [Zhong et al., Random Erasing Data Augmentation, 2020]

    Args:
        p: the probability.
        scale: from where to where the area is, as a part of the image's.
        ratio: from where to where height to width is.
        value: what stands there then.

    Raises:
        ValueError: p is outside [0, 1], or scale or ratio are no ranges of such numbers.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> erase = nn.data.RandomErasing(p=1, scale=(0.25, 0.25), ratio=(1, 1))
    >>> erase(np.ones((100, 8, 8))).mean()
    np.float64(0.75)
    """

    def __init__(
        self, p: float = 0.5, scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3), value: float = 0,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        check_shares(who, p=p)
        low, high = bounds(who, "scale", scale)
        if not 0 <= low <= high <= 1:
            raise ValueError(message(who, f"scale={scale}", "(low, high) from 0 to 1"))
        if bounds(who, "ratio", ratio)[0] <= 0:
            raise ValueError(message(who, f"ratio={ratio}", "(low, high), both positive"))
        self.p, self.scale, self.ratio, self.value = p, scale, ratio, value

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        n = len(x)
        height, width = x.shape[-2:]
        area = height * width * rng.uniform(*self.scale, (10, n))
        low, high = self.ratio
        ratio = np.exp(rng.uniform(math.log(low), math.log(high), (10, n)))
        rows, cols = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
        fits = (rows <= height) & (cols <= width)
        first = fits.argmax(axis=0), np.arange(n)
        hidden = fits[first] & (rng.random(n) < self.p)
        rows, cols = (np.where(hidden, v[first], 0).astype(int) for v in (rows, cols))
        top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - cols + 1)
        return np.where(boxes(x, top, left, rows, cols), brightness(type(self).__name__, self.value, x), x)


class Cutout(Augmentation):
    """Hide a square of each image, centred on any of its pixels: at the border less of it is inside.

    [DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017]

    Args:
        size: the side in pixels, or two, rows and columns.
        value: what stands there then.

    Raises:
        ValueError, TypeError: the size is not positive, or not whole.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.data.Cutout(2)(np.ones((1, 3, 4), int), rng=0)
    array([[[1, 1, 1, 1],
            [1, 0, 0, 1],
            [1, 0, 0, 1]]])
    """

    def __init__(self, size: int | tuple[int, int], value: float = 0) -> None:
        rows, cols = pair("Cutout", "size", size)
        check_sizes("Cutout", rows=rows, columns=cols)
        self.size, self.value = (int(rows), int(cols)), value

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        rows, cols = self.size
        top, left = (rng.integers(0, n, len(x)) - side // 2 for n, side in zip(x.shape[-2:], self.size))
        return np.where(boxes(x, top, left, rows, cols), brightness(type(self).__name__, self.value, x), x)
