"""Images moved by whole pixels: shifted, cropped, mirrored. Any dtype; no brightness is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

from autograd_core.errors import message

from ...settings import check_shares, check_sizes, is_whole
from .base import Augmentation, brightness

__all__ = ["RandomCrop", "RandomHorizontalFlip", "RandomShift", "RandomVerticalFlip"]

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def pair(who: str, name: str, value: Any) -> tuple[Any, Any]:
    """Return one number for both directions, or two, of rows and columns."""
    if np.ndim(value) == 0:
        return value, value
    if np.shape(value) != (2,):
        raise ValueError(message(who, f"{name}={value}", "a number, or two for rows and columns"))
    return value[0], value[1]


def windows(
    x: ndarray[Any, Any], top: ndarray[Any, Any], left: ndarray[Any, Any], size: tuple[int, int]
) -> ndarray[Any, Any]:
    """Return of each image the part of this size that starts at its ``top`` and ``left``."""
    views = sliding_window_view(x, size, axis=(-2, -1))
    cut: ndarray[Any, Any] = views[np.arange(len(x)), ..., top, left, :, :]
    return cut


class RandomShift(Augmentation):
    """Move each image by whole pixels, each distance from -max to max as likely as any other.

    Args:
        max_shift: pixels, or below 1 a fraction of the image's size; or two, for rows and columns.
        fill: what comes in from outside.

    Raises:
        ValueError: it is negative, or a number above 1 that is not whole.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.data.RandomShift(1)(np.array([[[1, 2], [3, 4]]]), rng=2)
    array([[[0, 3],
            [0, 0]]])
    """

    def __init__(self, max_shift: float | tuple[float, float], fill: float = 0) -> None:
        for most in pair("RandomShift", "max_shift", max_shift):
            if not (0 <= most < 1 or (most >= 1 and float(most).is_integer())):
                raise ValueError(message("RandomShift", f"max_shift={max_shift}",
                                         "a whole number of pixels, or a fraction below 1"))  # fmt: skip
        self.max_shift, self.fill = max_shift, fill

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        size = x.shape[-2:]
        most = pair("RandomShift", "max_shift", self.max_shift)
        rows, cols = (int(m if m >= 1 else m * n) for m, n in zip(most, size))
        fill = brightness("RandomShift", self.fill, x)
        x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(rows, rows), (cols, cols)], constant_values=fill)
        top, left = rng.integers(0, 2 * rows + 1, len(x)), rng.integers(0, 2 * cols + 1, len(x))
        return windows(x, top, left, size)


class RandomCrop(Augmentation):
    """Cut a part of each image, anywhere in it; with ``padding`` the image gets a border first.

    ``RandomCrop(32, padding=4)`` is what residual networks are trained with on images of 32 x 32.

    Args:
        size: rows and columns of the part, or one number for both.
        padding: the border's width; or (left and right, top and bottom); or (left, top, right, bottom).
        pad_if_needed: also give a border to images that are smaller than ``size``.
        fill: what stands in a border that is "constant".
        padding_mode: "constant", or a border continued from the image: its "edge" repeated, or the image
            mirrored, with ("symmetric") or without ("reflect") the edge twice.

    Raises:
        ValueError: the part is larger than the image with its border, or another mode.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.data.RandomCrop(2)(np.arange(16).reshape(1, 4, 4), rng=0)
    array([[[ 9, 10],
            [13, 14]]])
    """

    def __init__(
        self, size: int | tuple[int, int], padding: int | tuple[int, ...] | None = None,
        pad_if_needed: bool = False, fill: float = 0, padding_mode: str = "constant",
    ) -> None:  # fmt: skip
        rows, cols = pair("RandomCrop", "size", size)
        check_sizes("RandomCrop", rows=rows, columns=cols)
        widths = np.zeros(1, int) if padding is None else np.atleast_1d(padding)
        if widths.shape not in ((1,), (2,), (4,)) or not all(is_whole(w) and w >= 0 for w in widths):
            raise ValueError(message("RandomCrop", f"padding={padding}",
                                     "one, two or four whole numbers of pixels"))  # fmt: skip
        if padding_mode not in PADDING_MODES:
            raise ValueError(message("RandomCrop", f"padding_mode={padding_mode!r}",
                                     ", ".join(PADDING_MODES)))  # fmt: skip
        self.size, self.padding = (int(rows), int(cols)), padding
        left, top, right, bottom = (int(w) for w in np.tile(widths, 4 // len(widths)))
        self.border = [(top, bottom), (left, right)]
        self.pad_if_needed, self.fill, self.padding_mode = pad_if_needed, fill, padding_mode

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        border = self.border
        if self.pad_if_needed:
            lack = [max(0, n - m - sum(b)) for n, m, b in zip(self.size, x.shape[-2:], border)]
            border = [(before + n, after + n) for (before, after), n in zip(border, lack)]
        if any(map(any, border)):
            constant = self.padding_mode == "constant"
            extra = {"constant_values": brightness("RandomCrop", self.fill, x)} if constant else {}
            x = np.pad(x, [(0, 0)] * (x.ndim - 2) + border, self.padding_mode, **extra)  # type: ignore[call-overload]
        spare = [n - m for n, m in zip(x.shape[-2:], self.size)]
        if min(spare) < 0:
            raise ValueError(message("RandomCrop", f"images of {' x '.join(map(str, x.shape[-2:]))} pixels",
                                     f"at least {' x '.join(map(str, self.size))}",
                                     "padding= or pad_if_needed=True"))  # fmt: skip
        top, left = (rng.integers(0, n + 1, len(x)) for n in spare)
        return windows(x, top, left, self.size)


class _Flip(Augmentation):
    """What flips share: a probability, and the axis that is turned round."""

    axis = -1

    def __init__(self, p: float = 0.5) -> None:
        check_shares(type(self).__name__, p=p)
        self.p = p

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        chosen = rng.random(len(x)) < self.p
        y = x.copy()
        y[chosen] = np.flip(x[chosen], self.axis)
        return y


class RandomHorizontalFlip(_Flip):
    """Exchange left and right of each image with a probability.

    Args:
        p: the probability.

    Raises:
        ValueError: p is outside [0, 1].

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.data.RandomHorizontalFlip(p=1.0)(np.array([[[1, 2], [3, 4]]]))
    array([[[2, 1],
            [4, 3]]])
    """


class RandomVerticalFlip(_Flip):
    """Exchange top and bottom of each image with a probability.

    Args:
        p: the probability.

    Raises:
        ValueError: p is outside [0, 1].

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.data.RandomVerticalFlip(p=1.0)(np.array([[[1, 2], [3, 4]]]))
    array([[[3, 4],
            [1, 2]]])
    """

    axis = -2
