"""Samples mixed with each other, and their targets in the same proportion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from ... import functional as F
from ...settings import check_sizes
from .base import Augmentation, generator
from .erasing import boxes

__all__ = ["CutMix", "MixUp"]


class _Mixing(Augmentation):
    """What mixing shares: a partner and a share for each sample, and the targets."""

    def __init__(self, alpha: float = 1.0, num_classes: int | None = None) -> None:
        if not 0 < alpha < np.inf:
            raise ValueError(message(type(self).__name__, f"alpha={alpha}", "a positive number"))
        if num_classes is not None:
            check_sizes(type(self).__name__, num_classes=num_classes)
        self.alpha, self.num_classes = alpha, num_classes

    def __call__(self, x: Any, *targets: Any, rng: Any = None) -> Any:
        """Return mixed samples and mixed targets; labels become (N, num_classes)."""
        x, rng = self.check(x), generator(rng)
        if not targets:
            raise TypeError(message(type(self).__name__, "no targets", "augment(x, targets): both are mixed"))
        chances = [self._chances(target, x) for target in targets]
        partner = rng.permutation(len(x))
        x, share = self.mixed(x, partner, rng.beta(self.alpha, self.alpha, len(x)), rng)
        return (x, *(blend(target, partner, share) for target in chances))

    def _chances(self, target: Any, x: ndarray[Any, Any]) -> ndarray[Any, Any]:
        """Return targets that can be mixed: labels as one row of chances each."""
        target = np.asarray(target)
        if target.ndim < 1 or len(target) != len(x):
            raise ValueError(message(type(self).__name__, f"targets of shape {target.shape}",
                                     f"as many as samples, {len(x)}"))  # fmt: skip
        if target.dtype.kind == "f":
            return target
        if self.num_classes is None or target.ndim > 1:
            raise ValueError(message(
                type(self).__name__, f"targets of shape {target.shape} and dtype {target.dtype}",
                "labels (N,) with num_classes, or floating targets", f"{type(self).__name__}(num_classes=10)"
                if target.ndim == 1 else "targets.astype(np.float32)"))  # fmt: skip
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        return np.asarray(F.one_hot(target, self.num_classes)).astype(dtype)

    def mixed(
        self, x: ndarray[Any, Any], partner: ndarray[Any, Any], share: ndarray[Any, Any],
        rng: np.random.Generator,
    ) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:  # fmt: skip
        """Return mixed samples, and which share of each is of the first of the two."""
        raise NotImplementedError


def blend(a: ndarray[Any, Any], partner: ndarray[Any, Any], share: ndarray[Any, Any]) -> ndarray[Any, Any]:
    """Return ``share * a + (1 - share) * a[partner]``, in the dtype of a."""
    s = share.reshape(-1, *[1] * (a.ndim - 1)).astype(a.dtype)
    y: ndarray[Any, Any] = s * a + (1 - s) * a[partner]
    return y


class MixUp(_Mixing):
    """Replace each sample by a mean of it and another of the batch, and its target likewise.

    ``x = t x_i + (1 - t) x_j`` and ``y = t y_i + (1 - t) y_j`` with t from Beta(alpha, alpha), drawn for each
    sample; y are chances, which ``cross_entropy`` takes as targets.
    [Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization, 2018]

    Args:
        alpha: 1 mixes in all proportions alike, less leaves most samples nearly alone.
        num_classes: how many classes there are, where targets are labels; floating targets need none.

    Shapes:
        x: (N, ...), floating: images, rows, sequences; labels (N,) -> the same; (N, num_classes).

    Raises:
        ValueError: alpha is not positive, there are not as many targets as samples, or labels come without
            ``num_classes``.
        TypeError: there are no targets, or x is of integers.
        IndexError: a label is none of the classes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> images, labels = nn.data.digits()
    >>> x, y = nn.data.MixUp(alpha=0.4, num_classes=4)(images[:4], labels[:4], rng=2)
    >>> y.round(2)
    array([[1.  , 0.  , 0.  , 0.  ],
           [0.  , 0.38, 0.62, 0.  ],
           [0.04, 0.  , 0.96, 0.  ],
           [0.  , 0.9 , 0.  , 0.1 ]], dtype=float32)
    """

    floats = True

    def check(self, x: Any) -> ndarray[Any, Any]:
        x = np.asarray(x)
        if x.ndim < 1:
            raise ValueError(message("MixUp", f"samples of shape {x.shape}", "(N, ...)"))
        if x.dtype.kind != "f":
            raise TypeError(message("MixUp", f"samples of dtype {x.dtype}", "floating numbers",
                                    "x.astype(np.float32)"))  # fmt: skip
        return x

    def mixed(
        self, x: ndarray[Any, Any], partner: ndarray[Any, Any], share: ndarray[Any, Any],
        rng: np.random.Generator,
    ) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:  # fmt: skip
        return blend(x, partner, share), share


class CutMix(_Mixing):
    """Put a rectangle of another image of the batch into each, and mix the targets by area.

    The rectangle has the image's proportions and the area 1 - t, with t from Beta(alpha, alpha), drawn for
    each image; its centre may be any pixel, and what lies outside is cut off.
    [Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features, 2019]

    Args:
        alpha: 1 makes all areas alike.
        num_classes: how many classes there are, where targets are labels; floating targets need none.

    Raises:
        as of :class:`MixUp`.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> images, labels = np.arange(2.0).repeat(16).reshape(2, 4, 4), np.array([0, 1])
    >>> x, y = nn.data.CutMix(num_classes=2)(images, labels, rng=3)
    >>> x.mean(axis=(1, 2)).tolist(), y.tolist()
    ([0.0625, 0.75], [[0.9375, 0.0625], [0.25, 0.75]])
    """

    def mixed(
        self, x: ndarray[Any, Any], partner: ndarray[Any, Any], share: ndarray[Any, Any],
        rng: np.random.Generator,
    ) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:  # fmt: skip
        side = np.sqrt(1 - share)
        height, width = x.shape[-2:]
        rows, cols = ((side * n).astype(int) for n in (height, width))
        top, left = (rng.integers(0, n, len(x)) - m // 2 for n, m in ((height, rows), (width, cols)))
        inside = boxes(x, top, left, rows, cols)
        return np.where(inside, x[partner], x), 1 - inside.mean(axis=tuple(range(1, x.ndim)))
