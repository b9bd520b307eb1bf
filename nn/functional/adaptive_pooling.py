"""Pooling to a given size: the windows follow from the lengths of the input and of the output.

Output i of n along an axis of length L looks at the places ``floor(i L / n)`` to ``ceil((i + 1) L / n)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from ..settings import is_whole
from .along import along
from .axes import for_each, lengths_of
from .padding import read_places
from .pooling import largest
from .pooling_windows import sum_windows

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices",
]  # fmt: skip

Sizes = int | None | Sequence[int | None]

# -- sizes -----------------------------------------------------------------------------------------


def adaptive_sizes(op: str, output_size: Any, n: int) -> tuple[int | None, ...]:
    """Return ``output_size`` as one length for each of n axes, None where the input's stays.

    Raises:
        TypeError: something else than integers and None.
        ValueError: a negative one, or another number of them.
    """
    sizes = for_each(output_size, n)
    if not all(s is None or is_whole(s) for s in sizes):
        raise TypeError(message(op, f"output_size={output_size!r}", "whole numbers, or None"))
    if len(sizes) != n or any(s is not None and s < 0 for s in sizes):
        raise ValueError(message(op, f"output_size={output_size!r}", f"one number or {n}, not negative"))
    return sizes


def _sizes(op: str, x: Any, output_size: Any, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    lengths = lengths_of(op, x, n)
    sizes = tuple(m if s is None else s for s, m in zip(adaptive_sizes(op, output_size, n), lengths))
    if 0 in lengths:
        raise ValueError(message(op, f"an input of shape {np.shape(x)}", "no empty axis to pool"))
    return lengths, sizes


def _even(lengths: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """Return the windows of equal size that cover the input, if there are such."""
    if not all(m and n % m == 0 for n, m in zip(lengths, sizes)):
        return None
    return tuple((n // m, n // m, 0, 1, m) for n, m in zip(lengths, sizes))


def _edges(length: int, size: int) -> tuple[Any, Any]:
    i = np.arange(size)
    return i * length // max(size, 1), -(-(i + 1) * length // max(size, 1))


# -- the mean --------------------------------------------------------------------------------------


@cache
def _means(length: int, size: int, dtype: Any) -> Any:
    """Return the matrix that takes the means along an axis."""
    start, end = _edges(length, size)
    places = np.arange(length)
    within = (places >= start[:, None]) & (places < end[:, None])
    matrix = (within / within.sum(1, keepdims=True)).astype(dtype)
    matrix.setflags(write=False)
    return matrix


def means(op: str, n: int, x: Any, output_size: Any) -> Any:
    lengths, sizes = _sizes(op, x, output_size, n)
    if sizes == (1,) * n:
        return ops.mean(x, axis=tuple(range(-n, 0)), keepdims=True)
    if windows := _even(lengths, sizes):
        return sum_windows(x, windows=windows) * (1 / prod(w[0] for w in windows))
    for axis, (length, size) in enumerate(zip(lengths, sizes), -n):
        if length != size:
            x = along(x, matrix=_means(length, size, x.dtype), axis=axis)
    return x


def adaptive_avg_pool1d(input: Any, output_size: Sizes) -> Tensor:
    """Return means of windows, as many as are asked for: (..., C, L) -> (..., C, output_size).

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool1d(np.array([[1.0, 2.0, 6.0]]), 2)
    array([[1.5, 4. ]])
    """
    y: Tensor = means("adaptive_avg_pool1d", 1, input, output_size)
    return y


def adaptive_avg_pool2d(input: Any, output_size: Sizes) -> Tensor:
    """Return means of windows, as many as are asked for along each axis.

    Args:
        input: (..., C, H, W).
        output_size: H' and W', or one number for both; None keeps the input's.

    Returns:
        (..., C, H', W').

    Raises:
        ValueError: the input has another number of axes, or a size is negative.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool2d(np.arange(6.0).reshape(1, 2, 3), (1, None))
    array([[[1.5, 2.5, 3.5]]])
    """
    y: Tensor = means("adaptive_avg_pool2d", 2, input, output_size)
    return y


def adaptive_avg_pool3d(input: Any, output_size: Sizes) -> Tensor:
    """Return means of windows, as many as are asked for: see :func:`adaptive_avg_pool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1).item()
    3.5
    """
    y: Tensor = means("adaptive_avg_pool3d", 3, input, output_size)
    return y


# -- the largest element ---------------------------------------------------------------------------


def _maxima(op: str, n: int, x: Any, output_size: Any, return_indices: bool) -> Any:
    """Pool windows of one size: where they differ, the shorter ones see their last element twice."""
    lengths, sizes = _sizes(op, x, output_size, n)
    lines = []
    for axis, (length, size) in enumerate(zip(lengths, sizes), np.ndim(x) - n):
        start, end = _edges(length, size)
        longest = int((end - start).max(initial=1))
        places = np.minimum(start[:, None] + np.arange(longest), end[:, None] - 1).ravel()
        if len(places) != length:
            x = read_places(x, places=places, axis=axis, length=length)
        lines.append((longest, places))
    windows = tuple((k, k, 0, 1, size) for (k, _), size in zip(lines, sizes))
    if not return_indices:
        return largest(x, windows, False)
    y, seen = largest(x, windows, True)
    return y, _in_the_whole(seen, tuple(places for _, places in lines), lengths)


@kernel
def _in_the_whole(seen: Any, lines: tuple[Any, ...], lengths: tuple[int, ...]) -> Any:
    """Return places in the array whose axes were read at ``lines`` as places in that of these lengths."""
    at = np.unravel_index(seen, [len(places) for places in lines])
    return np.ravel_multi_index([places[i] for places, i in zip(lines, at)], lengths)


def adaptive_max_pool1d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """Return largest elements of windows, as many as are asked for: (..., C, L) -> (..., C, output_size).

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool1d(np.array([[1.0, 2.0, 0.0]]), 2)
    array([[2., 2.]])
    """
    return _maxima("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """Return largest elements of windows, as many as are asked for along each axis.

    Args:
        input: (..., C, H, W).
        output_size: H' and W', or one number for both; None keeps the input's.
        return_indices: return also the places of these elements in the flattened (H, W).

    Returns:
        (..., C, H', W'), and integers of this shape.

    Raises:
        ValueError: the input has another number of axes, or a size is negative.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool2d(np.arange(6.0).reshape(1, 2, 3), (1, 2), return_indices=True)
    (array([[[4., 5.]]]), array([[[4, 5]]]))
    """
    return _maxima("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """Return largest elements of windows, as many as are asked for: see :func:`adaptive_max_pool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), (1, 1, 2))
    array([[[[6., 7.]]]])
    """
    return _maxima("adaptive_max_pool3d", 3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: Any, output_size: Sizes, return_indices: bool = True
) -> tuple[Tensor, Any]:
    """Return :func:`adaptive_max_pool1d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool1d_with_indices(np.array([[1.0, 2.0, 0.0]]), 2)[1]
    array([[1, 1]])
    """
    pooled: tuple[Tensor, Any] = adaptive_max_pool1d(input, output_size, True)
    return pooled


def adaptive_max_pool2d_with_indices(
    input: Any, output_size: Sizes, return_indices: bool = True
) -> tuple[Tensor, Any]:
    """Return :func:`adaptive_max_pool2d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool2d_with_indices(np.arange(6.0).reshape(1, 2, 3), 1)[1].item()
    5
    """
    pooled: tuple[Tensor, Any] = adaptive_max_pool2d(input, output_size, True)
    return pooled


def adaptive_max_pool3d_with_indices(
    input: Any, output_size: Sizes, return_indices: bool = True
) -> tuple[Tensor, Any]:
    """Return :func:`adaptive_max_pool3d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool3d_with_indices(np.arange(8.0).reshape(1, 2, 2, 2), 1)[1].item()
    7
    """
    pooled: tuple[Tensor, Any] = adaptive_max_pool3d(input, output_size, True)
    return pooled
