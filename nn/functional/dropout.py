"""Dropout and noise: random parts of the input are 0 in training, the rest is scaled so that the mean stays.

[Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, 2014]
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import random
from autograd_core.errors import message
from autograd_core.primitive import elementwise, kernel
from autograd_core.tensor import Tensor

from ..settings import check_shares

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
    "gaussian_noise",
]  # fmt: skip

LOW = -1.7580993408473766  # what selu tends to as x falls: -scale alpha


def kept(shape: tuple[int, ...], p: float) -> Any:
    """Draw a mask, True with probability 1 - p, from as few random bits as say p exactly.

    A byte for each element where p is a multiple of 1/256, as 0.5 is, else 32 bits: 0.4 and 1.3 ms per
    million, for 2.2 ms with ``generator().random(dtype=float32)``.
    """
    n, bits = math.prod(shape), 8 if float(p * 256).is_integer() else 32
    words = random.generator().integers(0, 1 << 64, -(-n * bits // 64), dtype=np.uint64)
    drawn = words.view(f"u{bits // 8}")[:n].reshape(shape)
    limit = round(p * 2**bits)
    return drawn >= limit if limit < 2**bits else np.zeros(shape, bool)


def factors(shape: tuple[int, ...], p: float, dtype: Any) -> Any:
    """Draw what elements are multiplied with: 1 / (1 - p) with probability 1 - p, else 0; None for p = 0."""
    return np.multiply(kept(shape, p), scale_of(p), dtype=dtype) if p else None


def scale_of(p: float) -> float:
    """Return what keeps the mean of the elements that are left."""
    return 1 / (1 - p) if p < 1 else 0.0


def _times_mask(x: Any, mask: Any, *, scale: float, out: Any = None) -> Any:
    y = np.multiply(x, mask, out=out)
    return np.multiply(y, scale, out=y if y.ndim and y.dtype.kind == "f" else None)


_masked = kernel(_times_mask, elementwise=True)
masked: Any = elementwise(
    _masked, lambda g, y, x, mask, *, scale: masked(g, mask, scale=scale), None,
    saves=("mask", ""), name="dropout",
    doc="x mask scale: dy/dx = mask scale. The mask is of booleans, and is what is kept.",
)  # fmt: skip


def _checked(name: str, p: float, training: bool, input: Any) -> bool:
    """Tell whether anything is dropped at all."""
    check_shares(name, p=p)
    return training and p > 0 and np.size(input) > 0


def _dropped(name: str, input: Any, p: float, training: bool, shape: tuple[int, ...]) -> Tensor:
    if not _checked(name, p, training, input):
        return input
    y: Tensor = masked(_floating(input), kept(shape, p), scale=scale_of(p))
    return y


def _floating(x: Any) -> Any:
    if getattr(x, "dtype", np.dtype(int)).kind == "f":
        return x
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TypeError(message("dropout", f"data of dtype {x.dtype}", "real numbers"))
    return x.astype(float)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set each element to 0 with probability p, and divide the others by 1 - p.

    Args:
        input: any shape.
        p: the probability to drop an element.
        training: whether anything is done; otherwise x is returned.
        inplace: taken as PyTorch takes it, without effect.

    Raises:
        ValueError: p is outside [0, 1].

    >>> from autograd_core import nn
    >>> y = nn.functional.dropout(np.ones(1000), 0.75)
    >>> np.unique(y)
    array([0., 4.])
    >>> nn.functional.dropout(np.ones(3), training=False)
    array([1., 1., 1.])
    """
    return _dropped("dropout", input, p, training, np.shape(input))


def _channels(name: str, axes: dict[int, str], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a mask of whole channels: ``axes`` says which inputs there are."""
    if len(shape) not in axes:
        raise ValueError(message(name, f"an input of shape {shape}", " or ".join(axes.values())))
    lead = 1 if axes[len(shape)].startswith("(C") else 2
    return (*shape[:lead], *(1,) * (len(shape) - lead))


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set whole channels of (N, C, L) or (C, L) to 0 with probability p, and divide the others by 1 - p.

    >>> from autograd_core import nn
    >>> nn.functional.dropout1d(np.ones((2, 3, 5))).std(-1).max()
    np.float64(0.0)
    """
    shape = _channels("dropout1d", {2: "(C, L)", 3: "(N, C, L)"}, np.shape(input))
    return _dropped("dropout1d", input, p, training, shape)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set whole channels of (N, C, H, W) to 0 with probability p, and divide the others by 1 - p.

    (N, C, L) is taken too, as PyTorch does. [Tompson et al., Efficient Object Localization, 2015]

    >>> from autograd_core import nn
    >>> nn.functional.dropout2d(np.ones((2, 3, 5, 4))).std((2, 3)).max()
    np.float64(0.0)
    """
    shape = _channels("dropout2d", {3: "(N, C, L)", 4: "(N, C, H, W)"}, np.shape(input))
    return _dropped("dropout2d", input, p, training, shape)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set whole channels of (N, C, D, H, W) or (C, D, H, W) to 0 with probability p; see :func:`dropout1d`.

    >>> from autograd_core import nn
    >>> nn.functional.dropout3d(np.ones((2, 3, 5, 4, 2))).std((2, 3, 4)).max()
    np.float64(0.0)
    """
    shape = _channels("dropout3d", {4: "(C, D, H, W)", 5: "(N, C, D, H, W)"}, np.shape(input))
    return _dropped("dropout3d", input, p, training, shape)


def _alpha(name: str, input: Any, p: float, training: bool, shape: tuple[int, ...]) -> Tensor:
    if not _checked(name, p, training, input):
        return input
    x = _floating(input)
    scale = ((1 - p) * (1 + p * LOW * LOW)) ** -0.5 if p < 1 else 0.0
    mask = kept(shape, p)
    shift = (LOW * scale) * (np.logical_not(mask) - p).astype(x.dtype)
    y: Tensor = masked(x, mask, scale=scale) + shift
    return y


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Set elements to the limit of selu with probability p, then scale and shift: mean 0, variance 1 stay.

    ``y = a (x mask + alpha' (1 - mask)) + b``, ``a = ((1 - p)(1 + p alpha'^2))^(-1/2)``, ``b = -a p alpha'``,
    ``alpha' = -1.758``. [Klambauer et al., Self-Normalizing Neural Networks, 2017]

    Raises:
        ValueError: p is outside [0, 1].

    >>> from autograd_core import nn
    >>> np.unique(nn.functional.alpha_dropout(np.zeros(1000), 0.5, training=True)).round(3)
    array([-0.779, 0.779])
    """
    return _alpha("alpha_dropout", input, p, training, np.shape(input))


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Set whole channels of (N, C, ...) to the limit of selu: :func:`alpha_dropout` with one draw for each.

    Raises:
        ValueError: p is outside [0, 1]; the input has fewer than 2 axes.

    >>> from autograd_core import nn
    >>> nn.functional.feature_alpha_dropout(np.ones((2, 3, 5)), training=True).std(-1).max()
    np.float64(0.0)
    """
    shape = np.shape(input)
    if len(shape) < 2:
        raise ValueError(message("feature_alpha_dropout", f"an input of shape {shape}", "(N, C, ...)"))
    return _alpha("feature_alpha_dropout", input, p, training, (*shape[:2], *(1,) * (len(shape) - 2)))


def gaussian_noise(input: Any, std: float = 0.1, training: bool = True) -> Tensor:
    """Add normal noise of mean 0 and standard deviation ``std``; without ``training``, return x.

    >>> from autograd_core import nn
    >>> nn.functional.gaussian_noise(np.zeros((2, 3)), 0.1).shape
    (2, 3)
    """
    if not training or not std:
        return input
    x = _floating(input)
    noise = random.generator().standard_normal(np.shape(x))  # in float64: the same for every dtype of x
    y: Tensor = x + (noise * std).astype(x.dtype, copy=False)
    return y
