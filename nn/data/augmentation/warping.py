"""Images turned, scaled, sheared and warped, by bilinear interpolation. They need a floating dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from ...settings import check_shares
from .base import Augmentation
from .interpolation import bilinear, smoothing
from .moving import pair

__all__ = ["ElasticTransform", "RandomAffine", "RandomRotation"]


def precision(x: ndarray[Any, Any]) -> np.dtype[Any]:
    """Return the dtype in which to compute: at least float32."""
    return np.result_type(x.dtype, np.float32)


def bounds(who: str, name: str, value: Any) -> tuple[float, float]:
    """Return from where to where: ``(-value, value)``, or two numbers as given."""
    low, high = (-value, value) if np.ndim(value) == 0 else (value if np.shape(value) == (2,) else (1, 0))
    if not (low <= high and np.isfinite([low, high]).all()):
        raise ValueError(message(who, f"{name}={value}", "a number that is not negative, or (low, high)"))
    return float(low), float(high)


def turn(degrees: ndarray[Any, Any]) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
    """Return the cosine and sine of angles; of multiples of 90 degrees exactly."""
    quarter = np.rint(degrees / 90)
    rest = np.deg2rad(degrees - 90 * quarter)
    c, s = np.cos(rest), np.sin(rest)
    k = quarter.astype(int) % 4
    return np.choose(k, [c, -s, -c, s]), np.choose(k, [s, c, -s, -c])


def mapped(x: ndarray[Any, Any], inverse: ndarray[Any, Any], shift: Any, fill: float) -> ndarray[Any, Any]:
    """Return images under an affine map about their centres.

    Args:
        x: the images.
        inverse: (N, 2, 2), from a place in the new image to that in the old, in (row, column).
        shift: (N, 2), how far the new image is moved, in pixels.
        fill: what comes in from outside.
    """
    dtype = precision(x)
    height, width = x.shape[-2:]
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    i = np.arange(height) - centre[0] - shift[:, 0, None]  # (N, H)
    j = np.arange(width) - centre[1] - shift[:, 1, None]
    along_rows = (inverse[:, :, 0, None] * i[:, None] + centre[:, None]).astype(dtype)  # (N, 2, H)
    along_cols = (inverse[:, :, 1, None] * j[:, None]).astype(dtype)

    def places(part: slice) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
        rows, cols = (along_rows[part, axis, :, None] + along_cols[part, axis, None, :] for axis in (0, 1))
        return rows, cols

    return bilinear(x, places, fill)


class RandomRotation(Augmentation):
    """Turn each image about its centre by a random angle, counter-clockwise.

    Args:
        degrees: the angle is from ``-degrees`` to ``degrees``, or from the first to the second of two.
        fill: what comes in from outside.

    Raises:
        ValueError: the degrees are negative, or no range.
        TypeError: the images are of integers.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.data.RandomRotation((90, 90))(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[2., 4.],
            [1., 3.]]])
    """

    floats = True

    def __init__(self, degrees: float | tuple[float, float], fill: float = 0) -> None:
        bounds("RandomRotation", "degrees", degrees)
        self.degrees, self.fill = degrees, fill

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        c, s = turn(rng.uniform(*bounds("RandomRotation", "degrees", self.degrees), len(x)))
        inverse = np.stack([c, s, -s, c], -1).reshape(-1, 2, 2)
        return mapped(x, inverse, np.zeros((len(x), 2)), self.fill)


class RandomAffine(Augmentation):
    """Turn, scale, shear and move each image about its centre.

    A place (column, row) from the centre goes to ``R(angle) S scale (column, row) + shift``, where R turns
    counter-clockwise and S shears: ``[[1, -tan(sx)], [-tan(sy), 1 + tan(sx) tan(sy)]]``.

    Args:
        degrees: the angle, as of :class:`RandomRotation`.
        translate: the largest shifts, along columns and along rows, as fractions of the width and the
            height; None: no shift. Shifts are not rounded to whole pixels.
        scale: from where to where the scale is, such as (0.9, 1.1); None: 1.
        shear: the angle sx, in degrees, as ``degrees``; or four numbers: from where to where sx is, and sy.
        fill: what comes in from outside.

    Raises:
        ValueError: a setting that is no range, a share outside [0, 1], a scale that is not positive.
        TypeError: the images are of integers.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> image = np.array([[[0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.0]]])
    >>> nn.data.RandomAffine(0, scale=(2, 2))(image)
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """

    floats = True

    def __init__(
        self, degrees: float | tuple[float, float], translate: tuple[float, float] | None = None,
        scale: tuple[float, float] | None = None, shear: float | Sequence[float] | None = None,
        fill: float = 0,
    ) -> None:  # fmt: skip
        who = "RandomAffine"
        bounds(who, "degrees", degrees)
        if translate is not None:
            across, down = pair(who, "translate", translate)
            check_shares(who, translate_columns=across, translate_rows=down)
        if scale is not None and (np.ndim(scale) == 0 or bounds(who, "scale", scale)[0] <= 0):
            raise ValueError(message(who, f"scale={scale}", "(low, high), both positive"))
        self.degrees, self.translate, self.scale = degrees, translate, scale
        self.shear, self.fill = shear, fill
        for low, high in self._shears():
            if not -90 < low <= high < 90:
                raise ValueError(message(who, f"shear={shear}", "degrees between -90 and 90"))

    def _shears(self) -> list[tuple[float, float]]:
        shear: Any = 0.0 if self.shear is None else self.shear
        parts = [shear[:2], shear[2:]] if np.shape(shear) == (4,) else [shear, 0.0]
        return [bounds("RandomAffine", "shear", part) for part in parts]

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        n, size = len(x), np.array(x.shape[-2:])
        c, s = turn(rng.uniform(*bounds("RandomAffine", "degrees", self.degrees), n))
        across, down = (0, 0) if self.translate is None else self.translate
        shift = rng.uniform(-1, 1, (n, 2)) * [down, across] * size
        scale = rng.uniform(*((1.0, 1.0) if self.scale is None else self.scale), n)
        tx, ty = (np.tan(np.deg2rad(rng.uniform(*each, n))) for each in self._shears())
        back = np.stack([c, s, -s, c], -1).reshape(-1, 2, 2)  # of (row, column)
        # S has determinant 1; its inverse, in (row, column)
        unshear = np.stack([np.ones(n), ty, tx, 1 + tx * ty], -1).reshape(-1, 2, 2)
        return mapped(x, unshear @ back / scale[:, None, None], shift, self.fill)


class ElasticTransform(Augmentation):
    """Warp each image by a smooth random field, as a hand that writes the same digit again would.

    The pixel at p comes from ``p + alpha G_sigma u(p)``, where u has two coordinates, uniform from -1 to 1
    and drawn for each pixel, and the Gaussian ``G_sigma`` smooths them. A place is moved by about
    ``0.16 alpha / sigma`` pixels along each axis (standard deviation).
    [Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks Applied to Visual
    Document Analysis, 2003; the defaults are theirs, for digits of 28 x 28]

    Args:
        alpha: strength, in pixels; two for rows and columns. (torchvision's ``alpha`` is twice as much.)
        sigma: standard deviation of the Gaussian, in pixels; two for rows and columns.
        fill: what comes in from outside.

    Raises:
        ValueError: one of them is negative.
        TypeError: the images are of integers.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> images, labels = nn.data.digits(flat=False)
    >>> warped = nn.data.ElasticTransform(alpha=8, sigma=3)(images[:5])
    >>> warped.shape, warped.dtype
    ((5, 8, 8), dtype('float32'))
    """

    floats = True

    def __init__(
        self, alpha: float | tuple[float, float] = 34.0, sigma: float | tuple[float, float] = 4.0,
        fill: float = 0,
    ) -> None:  # fmt: skip
        for name, value in (("alpha", alpha), ("sigma", sigma)):
            if not all(0 <= v < np.inf for v in pair("ElasticTransform", name, value)):
                raise ValueError(message("ElasticTransform", f"{name}={value}",
                                         "a number that is not negative"))  # fmt: skip
        self.alpha, self.sigma, self.fill = alpha, sigma, fill

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        dtype, size = precision(x), x.shape[-2:]
        alphas = pair("ElasticTransform", "alpha", self.alpha)
        sigmas = pair("ElasticTransform", "sigma", self.sigma)
        over_rows, over_cols = (smoothing(n, sigma, dtype) for n, sigma in zip(size, sigmas))
        noise = rng.random((2, len(x), *size), dtype=np.float32)  # from 0 to 1
        # As rows of G sum to 1, alpha G (2 noise - 1) is (2 alpha G) noise - alpha.
        strong = [np.asarray(2 * alpha * over_rows, dtype) for alpha in alphas]
        starts = [np.asarray(at - alpha, dtype) for at, alpha in zip(np.ogrid[: size[0], : size[1]], alphas)]

        def places(part: slice) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
            rows, cols = (
                matrix @ each[part].astype(dtype, copy=False) @ over_cols.T + start
                for matrix, each, start in zip(strong, noise, starts)
            )
            return rows, cols

        return bilinear(x, places, self.fill)
