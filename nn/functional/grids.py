"""Reading images at places that a grid gives, and the grid of an affine map: a spatial transformer's parts.

[Jaderberg et al., Spatial Transformer Networks, 2015]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .resampling import cubic

__all__ = ["affine_grid", "grid_sample"]


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Return where an affine map takes the points of an image, in coordinates from -1 to 1.

    ``grid[n, i, j] = theta[n] (x_j, y_i, 1)``.

    Args:
        theta: (N, 2, 3), or (N, 3, 4) for volumes.
        size: the image's shape, (N, C, H, W), or (N, C, D, H, W).
        align_corners: whether -1 and 1 are the centres of the corner pixels, or, if not, the image's edges.

    Returns:
        (N, H, W, 2), or (N, D, H, W, 3): x first.

    Raises:
        ValueError: the shapes do not belong together.

    >>> from autograd_core import nn
    >>> nn.functional.affine_grid(np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2))
    array([[[[-0.5, 0. ], [ 0.5, 0. ]]]])
    """
    shape, n = np.shape(theta), len(size) - 2
    if n not in (2, 3) or shape != (size[0], n, n + 1):
        raise ValueError(message("affine_grid", f"theta of shape {shape} for an image of shape {tuple(size)}",
                                 "(N, 2, 3) for (N, C, H, W), or (N, 3, 4) for (N, C, D, H, W)"))  # fmt: skip
    lines = []
    for length in size[2:]:
        line = np.linspace(-1, 1, length) if length > 1 else np.zeros(1)
        lines.append(line if align_corners else line * (length - 1) / length)
    mesh = np.meshgrid(*lines, indexing="ij")[::-1]
    points = np.stack([*mesh, np.ones(tuple(size[2:]))], axis=-1).reshape(-1, n + 1)
    points = points.astype(np.result_type(getattr(theta, "dtype", np.float64), np.float16))
    y: Tensor = ops.reshape(ops.matmul(points, ops.transpose(theta, (0, 2, 1))), (shape[0], *size[2:], n))
    return y


def _unnormalized(u: Any, length: int, align_corners: bool) -> Any:
    return (u + 1) * ((length - 1) / 2) if align_corners else (u + 1) * (length / 2) - 0.5


def _clipped(u: Any, length: int) -> Any:
    """Return u held within the image; beyond it, and at its edge, without a gradient."""
    plain = as_array(strip(u))
    return ops.where((plain > 0) & (plain < length - 1), u, np.clip(plain, 0, length - 1))


def _reflected(u: Any, length: int, align_corners: bool) -> Any:
    """Return u mirrored at the edges, as often as it takes."""
    low, span = (0.0, length - 1.0) if align_corners else (-0.5, float(length))
    if span == 0:
        return u * 0
    plain = as_array(strip(u))
    turns = np.floor(np.abs(plain - low) / span)
    sign = np.where(plain < low, -1, 1).astype(plain.dtype)
    within = sign * (u - low) - turns * span
    odd = turns % 2 == 1
    return ops.where(odd, span - within, within) + low


def _placed(u: Any, length: int, padding_mode: str, align_corners: bool) -> Any:
    if padding_mode == "reflection":
        u = _reflected(u, length, align_corners)
    return u if padding_mode == "zeros" else _clipped(u, length)


def _read(x: Any, places: Sequence[Any], inside: Any) -> Any:
    """Return the elements at integer places, (N, ..., C), zero where they are not inside."""
    lengths = np.shape(x)[2:]
    batch = np.arange(np.shape(x)[0]).reshape(-1, *[1] * len(lengths))
    at = tuple(np.clip(p, 0, n - 1) for p, n in zip(places, lengths))
    for p, n in zip(places, lengths):
        inside = inside & (p >= 0) & (p < n)
    values = ops.getitem(x, (batch, slice(None), *at))
    return values if type(inside) is np.ndarray and inside.all() else ops.where(inside[..., None], values, 0)


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """Read an image at the places that a grid gives; differentiable in the image and in the grid.

    Args:
        input: (N, C, H, W), or (N, C, D, H, W).
        grid: (N, H', W', 2), or (N, D', H', W', 3): coordinates from -1 to 1, x first.
        mode: "bilinear" (of volumes, too), "nearest", or "bicubic", of images.
        padding_mode: what stands outside: "zeros", the "border", or the image mirrored, "reflection".
        align_corners: whether -1 and 1 are the centres of the corner pixels, or, if not, the image's edges.

    Returns:
        (N, C, H', W'), or (N, C, D', H', W').

    Raises:
        ValueError: shapes that do not belong together, or another mode.

    >>> from autograd_core import nn
    >>> image = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> nn.functional.grid_sample(image, np.zeros((1, 1, 1, 2)))
    array([[[[1.5]]]])
    """
    op, shape, to = "grid_sample", np.shape(input), np.shape(grid)
    n = len(shape) - 2
    if n not in (2, 3) or len(to) != n + 2 or to[-1] != n or to[0] != shape[0] or 0 in shape[2:]:
        raise ValueError(message(op, f"an input of shape {shape} and a grid of shape {to}",
                                 "(N, C, H, W) and (N, H', W', 2), or (N, C, D, H, W) and "
                                 "(N, D', H', W', 3)"))  # fmt: skip
    if mode not in ("bilinear", "nearest", "bicubic") or (mode == "bicubic" and n == 3):
        raise ValueError(message(op, f"mode={mode!r}", "'bilinear', 'nearest' or, for images, 'bicubic'"))
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(message(op, f"padding_mode={padding_mode!r}", "'zeros', 'border' or 'reflection'"))
    aligned = bool(align_corners)
    raw = [_unnormalized(grid[..., n - 1 - axis], shape[2 + axis], aligned) for axis in range(n)]
    if mode == "bicubic":
        y = _cubic(input, raw, padding_mode, aligned)
    else:
        u = [_placed(v, m, padding_mode, aligned) for v, m in zip(raw, shape[2:])]
        plain = [as_array(strip(v)) for v in u]
        if mode == "nearest":
            y = _read(input, [np.rint(p).astype(int) for p in plain], True)
        else:
            y = _linear(input, u, [np.floor(p) for p in plain])
    result: Tensor = ops.moveaxis(y, -1, 1)
    return result


def _linear(x: Any, u: Any, below: Any) -> Any:
    t = [v - b for v, b in zip(u, below)]
    total: Any = 0
    for corner in product((0, 1), repeat=len(u)):
        weight: Any = 1
        for up, s in zip(corner, t):
            weight = weight * (s if up else 1 - s)
        places = [b.astype(int) + up for b, up in zip(below, corner)]
        total = total + _read(x, places, True) * ops.expand_dims(weight, -1)
    return total


def _cubic(x: Any, u: Any, padding_mode: str, align_corners: bool) -> Any:
    below = [np.floor(as_array(strip(v))) for v in u]
    weights = [cubic(v - b) for v, b in zip(u, below)]
    total: Any = 0
    for i, j in product(range(4), repeat=2):
        places = [_placed(below[axis] + (k - 1), np.shape(x)[2 + axis], padding_mode, align_corners)
                  for axis, k in ((0, i), (1, j))]  # fmt: skip
        value = _read(x, [as_array(p).astype(int) for p in places], True)
        total = total + value * ops.expand_dims(weights[0][i] * weights[1][j], -1)
    return total
