"""Images at another size: nearest neighbours, linear and cubic interpolation, means; channels as pixels.

Interpolation is linear, and goes axis by axis: along each, the output is a matrix times the input, with at
most four numbers in a row that are not zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .adaptive_pooling import means
from .along import along
from .axes import Size, each, for_each
from .padding import read_places
from .pooling_windows import add_windows

__all__ = [
    "channel_shuffle", "interpolate", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle",
    "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

Factor = float | Sequence[float]
MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,),
         "trilinear": (3,), "area": (1, 2, 3)}  # over how many axes
A = -0.75  # the cubic's slope [Keys, Cubic convolution interpolation for digital image processing, 1981]

# -- interpolation along an axis -------------------------------------------------------------------


def _nearest(n: int, m: int, scale: float | None, exact: bool, image: bool) -> Any:
    """Return which of n elements stands at each of m places: in float32, as PyTorch counts.

    And as there, along an axis of images one or two copies of each are that, whatever the scale.
    """
    if image and not exact and m in (n, 2 * n):
        return np.arange(m) // (m // n)
    step = np.float32(1 / scale) if scale else np.float32(n) / np.float32(m)
    places = np.arange(m, dtype=np.float32) + np.float32(0.5 if exact else 0)
    return np.minimum(np.floor(places * step).astype(int), n - 1)


def cubic(t: Any) -> tuple[Any, Any, Any, Any]:
    """Return the weights of the four elements around a place t beyond the second of them."""

    def near(d: Any) -> Any:
        return ((A + 2) * d - (A + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((A * d - 5 * A) * d + 8 * A) * d - 4 * A

    return far(t + 1), near(t), near(1 - t), far(2 - t)


@lru_cache(256)
def _weights(n: int, m: int, scale: float | None, align_corners: bool, is_cubic: bool, dtype: Any) -> Any:
    """Return the matrix (m, n) of linear or cubic interpolation."""
    o = np.arange(m)
    if align_corners:
        source = o * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        source = (o + 0.5) * (1 / scale if scale else n / m) - 0.5
        if not is_cubic:
            source = np.maximum(source, 0)
    below = np.floor(source).astype(int)
    if not is_cubic:
        below = np.minimum(below, n - 1)
    t = source - below
    taps = cubic(t) if is_cubic else (1 - t, t)
    matrix = np.zeros((m, n))
    for i, weight in enumerate(taps):
        np.add.at(matrix, (o, np.clip(below + i - is_cubic, 0, n - 1)), weight)
    matrix = matrix.astype(dtype)
    matrix.setflags(write=False)
    return matrix


# -- interpolation ---------------------------------------------------------------------------------


def _sizes(
    op: str, shape: tuple[int, ...], n: int, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Return the output's lengths, and the scales that count instead of their ratio to the input's."""
    if (size is None) == (scale_factor is None):
        raise ValueError(message(op, f"size={size}, scale_factor={scale_factor}", "one of them"))
    if size is not None:
        if recompute:
            raise ValueError(message(op, "recompute_scale_factor=True with size=", "scale_factor="))
        return each(op, "size", size, n), (None,) * n
    factors = tuple(map(float, for_each(scale_factor, n)))
    if len(factors) != n or not all(0 < f < math.inf for f in factors):
        raise ValueError(message(op, f"scale_factor={scale_factor}", f"one positive number or {n}"))
    lengths = tuple(math.floor(m * f) for m, f in zip(shape[-n:], factors))
    if min(lengths) < 1:
        raise ValueError(message(op, f"scale_factor={scale_factor} for an input of shape {shape}",
                                 "at least one element along each axis"))  # fmt: skip
    return lengths, (None,) * n if recompute else factors


def interpolate(
    input: Any, size: Size | None = None, scale_factor: Factor | None = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """Resample the axes behind the batch and the channels to another size.

    Element o of m stands at ``(o + 1/2) n / m - 1/2`` among the n of the input, or with ``align_corners`` at
    ``o (n - 1) / (m - 1)``.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the output's lengths, or one for all axes; or
        scale_factor: by what to multiply the input's. It stands for m / n above, but for the linear
            modes along an axis whose length stays, which stays as it is, as in PyTorch.
        mode: "nearest", the element at ``floor(o n / m)``; "nearest-exact", at ``floor((o + 1/2) n / m)``;
            "linear", "bilinear" and "trilinear", for one, two and three axes; "bicubic"; "area", means.
        align_corners: for the linear and cubic ones: whether the corners' centres stay where they are.
        recompute_scale_factor: take m / n from the lengths, not from ``scale_factor``.
        antialias: not supported.

    Raises:
        ValueError: another mode for this number of axes, not one of size and scale, or an option that the
            mode does not have.
        NotImplementedError: ``antialias`` is True.

    >>> from autograd_core import nn
    >>> nn.functional.interpolate(np.array([[[0.0, 4.0]]]), scale_factor=2, mode="linear")
    array([[[0., 1., 3., 4.]]])
    >>> nn.functional.interpolate(np.array([[[0.0, 4.0]]]), 3)
    array([[[0., 0., 4.]]])
    """
    shape, op = np.shape(input), "interpolate"
    n = len(shape) - 2
    if mode not in MODES:
        raise ValueError(message(op, f"mode={mode!r}", f"one of {', '.join(map(repr, MODES))}"))
    if n not in MODES[mode] or 0 in shape[2:]:
        axes = " or ".join(("(N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)")[k - 1] for k in MODES[mode])
        other = [name for name, known in MODES.items() if known == (n,)]
        raise ValueError(message(op, f"an input of shape {shape} for mode={mode!r}",
                                 f"{axes}, without an empty axis",
                                 f"mode={other[0]!r}" if other and 0 not in shape else ""))  # fmt: skip
    if antialias:
        raise NotImplementedError(message(op, "antialias=True", "False", "avg_pool2d before it"))
    smooth = mode.endswith(("linear", "cubic"))
    if align_corners is not None and not smooth:
        raise ValueError(message(op, f"align_corners={align_corners} with mode={mode!r}",
                                 "None, or a linear or cubic mode"))  # fmt: skip
    lengths, scales = _sizes(op, shape, n, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        y: Tensor = means(op, n, input, lengths)
    elif smooth:
        y = input
        for axis, (length, m, scale) in enumerate(zip(shape[2:], lengths, scales), 2):
            if length != m or (mode == "bicubic" and scale not in (None, 1.0) and not align_corners):
                kind = getattr(y, "dtype", np.dtype(np.float64))
                matrix = _weights(length, m, scale, bool(align_corners), mode == "bicubic", kind)
                y = along(y, matrix=matrix, axis=axis)
    else:
        y = _repeat(input, shape[2:], lengths, scales, mode == "nearest-exact")
    return ops.copy(y) if y is input else y


def _repeat(x: Any, lengths: Any, sizes: Any, scales: Any, exact: bool) -> Any:
    each_axis = [_nearest(n, m, s, exact, len(lengths) == 2) for n, m, s in zip(lengths, sizes, scales)]
    if all((p == np.arange(m) // max(m // n, 1)).all() and m % n == 0
           for p, n, m in zip(each_axis, lengths, sizes)):  # fmt: skip
        windows = tuple((m // n, m // n, 0, 1, n) for n, m in zip(lengths, sizes))
        return add_windows(x, windows=windows, lengths=tuple(sizes))
    for axis, (places, n) in enumerate(zip(each_axis, lengths), 2):
        if len(places) != n or (places != np.arange(n)).any():
            x = read_places(x, places=places, axis=axis, length=n)
    return x


def upsample(
    input: Any, size: Size | None = None, scale_factor: Factor | None = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """Resample to another size: :func:`interpolate` under its older name.

    >>> from autograd_core import nn
    >>> nn.functional.upsample(np.array([[[1.0, 2.0]]]), scale_factor=2)
    array([[[1., 1., 2., 2.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Size | None = None, scale_factor: Factor | None = None) -> Tensor:
    """Repeat elements: :func:`interpolate` with ``mode="nearest"``.

    >>> from autograd_core import nn
    >>> nn.functional.upsample_nearest(np.array([[[1.0, 2.0]]]), 4)
    array([[[1., 1., 2., 2.]]])
    """
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Any, size: Size | None = None, scale_factor: Factor | None = None) -> Tensor:
    """Interpolate images: :func:`interpolate` with ``mode="bilinear"`` and aligned corners.

    >>> from autograd_core import nn
    >>> nn.functional.upsample_bilinear(np.array([[[[0.0, 2.0]]]]), (1, 3))
    array([[[[0., 1., 2.]]]])
    """
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


# -- channels as pixels ----------------------------------------------------------------------------


def _factor(op: str, name: str, value: Any) -> int:
    return each(op, name, value, 1)[0]


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Spread channels over a finer image, ``y[c, i r + a, j r + b] = x[c r^2 + a r + b, i, j]``.

    [Shi et al., Real-Time Single Image and Video Super-Resolution, 2016]

    Args:
        input: (..., C r^2, H, W).
        upscale_factor: r.

    Returns:
        (..., C, H r, W r).

    Raises:
        ValueError: the number of channels is no multiple of r^2.

    >>> from autograd_core import nn
    >>> nn.functional.pixel_shuffle(np.arange(4.0).reshape(4, 1, 1), 2)
    array([[[0., 1.],
            [2., 3.]]])
    """
    r, shape = _factor("pixel_shuffle", "upscale_factor", upscale_factor), np.shape(input)
    if len(shape) < 3 or shape[-3] % (r * r):
        raise ValueError(message("pixel_shuffle", f"an input of shape {shape} for upscale_factor={r}",
                                 f"(..., C x {r * r}, H, W)"))  # fmt: skip
    *lead, channels, h, w = shape
    n = len(lead)
    x = ops.reshape(input, (*lead, channels // (r * r), r, r, h, w))
    x = ops.transpose(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    y: Tensor = ops.reshape(x, (*lead, channels // (r * r), h * r, w * r))
    return y


def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """Gather each r x r square into channels: :func:`pixel_shuffle` undone.

    Args:
        input: (..., C, H r, W r).
        downscale_factor: r.

    Returns:
        (..., C r^2, H, W).

    Raises:
        ValueError: height or width is no multiple of r.

    >>> from autograd_core import nn
    >>> nn.functional.pixel_unshuffle(np.arange(4.0).reshape(1, 2, 2), 2).ravel()
    array([0., 1., 2., 3.])
    """
    r, shape = _factor("pixel_unshuffle", "downscale_factor", downscale_factor), np.shape(input)
    if len(shape) < 3 or shape[-1] % r or shape[-2] % r:
        raise ValueError(message("pixel_unshuffle", f"an input of shape {shape} for downscale_factor={r}",
                                 f"(..., C, H x {r}, W x {r})"))  # fmt: skip
    *lead, channels, h, w = shape
    n = len(lead)
    x = ops.reshape(input, (*lead, channels, h // r, r, w // r, r))
    x = ops.transpose(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    y: Tensor = ops.reshape(x, (*lead, channels * r * r, h // r, w // r))
    return y


def channel_shuffle(input: Any, groups: int) -> Tensor:
    """Interleave groups of channels: channel ``i groups + g`` is the i-th of group g.

    [Zhang et al., ShuffleNet, 2018]

    Args:
        input: (N, C, ...).
        groups: how many; C is a multiple of it.

    Raises:
        ValueError: the number of channels is no multiple of ``groups``.

    >>> from autograd_core import nn
    >>> nn.functional.channel_shuffle(np.arange(4.0).reshape(1, 4, 1), 2).ravel()
    array([0., 2., 1., 3.])
    """
    groups, shape = _factor("channel_shuffle", "groups", groups), np.shape(input)
    if len(shape) < 3 or shape[1] % groups:
        raise ValueError(message("channel_shuffle", f"an input of shape {shape} for groups={groups}",
                                 f"(N, C, ...), C a multiple of {groups}"))  # fmt: skip
    x = ops.reshape(input, (shape[0], groups, shape[1] // groups, -1 if input.size else 0))
    y: Tensor = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), shape)
    return y


native_channel_shuffle = channel_shuffle
