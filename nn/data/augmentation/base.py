"""What augmentations share: the batch that comes, targets beside it, random numbers; and chains of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import random
from autograd_core.errors import message

from ...settings import check_shares
from .. import showing

__all__ = ["Augmentation", "Compose", "RandomApply"]


class Augmentation:
    """A random change of images; a subclass writes ``images(x, rng)``, which returns new ones.

    ``floats = True`` says that it computes new brightnesses, and so needs a floating dtype.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> class Dim(nn.data.Augmentation):
    ...     floats = True
    ...     def images(self, x, rng):
    ...         return x * rng.uniform(0.5, 1, (len(x), 1, 1)).astype(x.dtype)
    >>> x, labels = Dim()(np.ones((2, 3, 3), np.float32), np.array([7, 1]), rng=0)
    >>> x[:, 0, 0], labels
    (array([0.82, 0.63], dtype=float32), array([7, 1]))
    """

    floats = False

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        """Return the images changed: (N, H, W) or (N, C, H, W), of the same dtype; x stays what it is."""
        raise NotImplementedError(f"{type(self).__name__} must define images(x, rng)")

    def __call__(self, x: Any, *targets: Any, rng: Any = None) -> Any:
        """Return the images changed, and with targets a tuple of all; targets stay what they are."""
        x = self.images(self.check(x), generator(rng))
        return (x, *targets) if targets else x

    def check(self, x: Any) -> ndarray[Any, Any]:
        """Return x as an array, or say what is wrong with it."""
        x, who = np.asarray(x), type(self).__name__
        if x.ndim not in (3, 4):
            hint = {2: "Compose([...], shape=(H, W)) for rows of pixels"}.get(x.ndim, "")
            raise ValueError(message(who, f"images of shape {x.shape}", "(N, H, W) or (N, C, H, W)", hint))
        if 0 in x.shape[1:]:
            raise ValueError(message(who, f"images of shape {x.shape}", "pixels"))
        if x.dtype.kind not in ("f" if self.floats else "biuf"):
            text = "floating numbers" if self.floats else "real numbers"
            raise TypeError(message(who, f"images of dtype {x.dtype}", text, "x.astype(np.float32) / 255"))
        return x

    def __repr__(self) -> str:
        return showing.call(self)


def brightness(who: str, value: float, x: ndarray[Any, Any]) -> Any:
    """Return a brightness in the dtype of x; refuse one that this does not have."""
    array = np.asarray(value)
    if x.dtype.kind != "f" and array.astype(x.dtype) != array:
        raise ValueError(message(who, f"the brightness {value} for images of dtype {x.dtype}",
                                 "one of their numbers", "x.astype(np.float32) / 255"))  # fmt: skip
    return array.astype(x.dtype)


def generator(rng: Any) -> np.random.Generator:
    """Return where random numbers come from: what is given, a generator or a seed, or the library's own."""
    return random.generator() if rng is None else np.random.default_rng(rng)


class Compose:
    """Several augmentations, one after the other.

    Args:
        transforms: augmentations, and functions of the images alone, such as a fitted ``Standardise``.
        shape: where images come as rows, (N, H * W), the shape of one: (H, W) or (C, H, W). They are images
            on the way, and rows again in the end.

    Raises:
        TypeError: one of them cannot be called.
        ValueError: the rows are of another length than ``shape``.

    >>> from autograd_core import nn
    >>> images, labels = nn.data.digits()
    >>> augment = nn.data.Compose([nn.data.RandomShift(1), nn.data.RandomRotation(10)], shape=(8, 8))
    >>> x, y = augment(images[:32], labels[:32])
    >>> x.shape, y is labels
    ((32, 64), False)
    """

    def __init__(
        self, transforms: Iterable[Callable[..., Any]], shape: tuple[int, ...] | None = None
    ) -> None:
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform):
                raise TypeError(message("Compose", repr(transform), "augmentations, or functions of images"))
        if shape is not None and not (len(shape) in (2, 3) and all(n > 0 for n in shape)):
            raise ValueError(message("Compose", f"shape={shape}", "(H, W) or (C, H, W)"))
        self.shape = shape

    def __call__(self, x: Any, *targets: Any, rng: Any = None) -> Any:
        x, rng = np.asarray(x), generator(rng)
        if self.shape is not None:
            if x.ndim != 2 or x.shape[1] != math.prod(self.shape):
                raise ValueError(message("Compose", f"images of shape {x.shape}",
                                         f"(N, {math.prod(self.shape)}) for shape={self.shape}"))  # fmt: skip
            x = x.reshape(-1, *self.shape)
        for transform in self.transforms:
            if isinstance(transform, (Augmentation, Compose)):
                found = transform(x, *targets, rng=rng)
                x, *targets = found if targets else (found,)  # type: ignore[assignment]
            else:
                x = transform(x)
        if self.shape is not None:
            x = x.reshape(len(x), math.prod(x.shape[1:]))
        return (x, *targets) if targets else x

    def __repr__(self) -> str:
        return showing.call(self)


class RandomApply(Augmentation):
    """Change each image with a probability, and leave the others as they are.

    Args:
        transforms: an augmentation, or several, one after the other, that keep the images' size.
        p: the probability.

    Raises:
        TypeError: one of them cannot be called.
        ValueError: p is outside [0, 1], or the size is not kept.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> blot = nn.data.RandomApply(nn.data.Cutout(2), p=0.3)
    >>> x = blot(np.ones((1000, 4, 4)), rng=0)
    >>> x.all(axis=(1, 2)).mean()
    np.float64(0.7)
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        check_shares("RandomApply", p=p)
        self.transforms, self.p = transforms, p
        self.chain = Compose([transforms] if callable(transforms) else transforms)

    def images(self, x: ndarray[Any, Any], rng: np.random.Generator) -> ndarray[Any, Any]:
        chosen = rng.random(len(x)) < self.p
        y, changed = x.copy(), self.chain(x[chosen], rng=rng)
        if changed.shape[1:] != x.shape[1:]:
            raise ValueError(message("RandomApply", f"images of shape {x.shape[1:]} made {changed.shape[1:]}",
                                     "the same size, as only some are changed"))  # fmt: skip
        y[chosen] = changed
        return y
