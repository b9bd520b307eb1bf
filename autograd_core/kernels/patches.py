"""The patches that a kernel sees at its places, as views, and their sum back into images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = ["add", "patches", "turned"]

Sizes = tuple[int, ...]


def reach(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    return tuple((m - 1) * s + (k - 1) * d + 1 for m, k, s, d in zip(size, kernel, stride, dilation))


def common(x: Any, origin: Sizes, extent: Sizes) -> tuple[Any, Any]:
    """Return the places of x, and of a window of it at ``origin``, that they have in common."""
    of_x: list[Any] = [...]
    of_window: list[Any] = [...]
    for n, a, m in zip(x.shape[2:], origin, extent):
        low, high = min(max(a, 0), n), max(min(a + m, n), 0)
        of_x.append(slice(low, max(low, high)))
        of_window.append(slice(low - a, max(low, high) - a))
    return tuple(of_x), tuple(of_window)


def windows(window: Any, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """Return the patches of (N, C, *extent) as a view (N, C, *kernel, *size)."""
    outer, inner = window.strides[:2], window.strides[2:]
    steps = (*(t * d for t, d in zip(inner, dilation)), *(t * s for t, s in zip(inner, stride)))
    return as_strided(window, (*window.shape[:2], *kernel, *size), (*outer, *steps))


def patches(
    x: Any, rows: slice, size: Sizes, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes
) -> Any:
    """Return the patches at some rows of the output as a view (N, C, *kernel, *size), with zeros outside."""
    size = (rows.stop - rows.start, *size[1:])
    origin = (rows.start * stride[0] - before[0], *(-p for p in before[1:]))
    extent = reach(size, kernel, stride, dilation)
    here, there = common(x, origin, extent)
    if x[here].shape[2:] == extent:
        window = x[here]
    else:
        window = np.zeros((*x.shape[:2], *extent), x.dtype)
        window[there] = x[here]
    return windows(window, size, kernel, stride, dilation)


def add(
    columns: Any, x: Any, row: int, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes
) -> None:
    """Add patches (N, C, *kernel, *rows of the output) to the places of x that they were taken from."""
    size = columns.shape[2 + len(kernel) :]
    origin = (row * stride[0] - before[0], *(-p for p in before[1:]))
    window = np.zeros((*x.shape[:2], *reach(size, kernel, stride, dilation)), x.dtype)
    here, there = common(x, origin, window.shape[2:])
    for tap in np.ndindex(kernel):
        start = [k * d for k, d in zip(tap, dilation)]
        places: Any = (slice(a, a + (m - 1) * s + 1, s) for a, m, s in zip(start, size, stride))
        window[(..., *places)] += columns[(slice(None), slice(None), *tap)]
    x[here] += window[there]


def turned(w: Any, groups: int) -> Any:
    """Return the filters with which g, correlated, gives the gradient of the input, where the stride is 1.

    Inputs and outputs change places, and each axis is reversed.
    """
    o, c, *kernel = w.shape
    w = w.reshape(groups, o // groups, c, *kernel).swapaxes(1, 2).reshape(groups * c, o // groups, *kernel)
    return np.flip(w, tuple(range(2, w.ndim)))
