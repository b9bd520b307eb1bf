"""The products of a convolution in which each channel has its own filters, tap by tap."""

from __future__ import annotations

from typing import Any

import numpy as np

from .loops import depthwise as loops
from .patches import add, patches, turned
from .twins import twin

__all__ = ["correlate", "overlap", "spread"]

Sizes = tuple[int, ...]


def _taps(x: Any, size: Sizes, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes) -> Any:
    """Return for each tap what it reads, (N, C, 1, *size), as views."""
    cut = patches(x, slice(0, size[0]), size, kernel, stride, before, dilation)
    return [(tap, cut[(slice(None), slice(None), *tap)][:, :, np.newaxis]) for tap in np.ndindex(kernel)]


@twin(loops.correlate)
def correlate(
    x: Any, w: Any, b: Any, stride: Sizes, before: Sizes, dilation: Sizes, size: Sizes, y: Any
) -> None:
    """Write the output y, (N, O, *size), of x (N, C, ...), w (O, 1, *kernel) and b (O,)."""
    (n, c), outs, ones = x.shape[:2], len(w) // x.shape[1], (1,) * len(size)
    y = y.reshape(n, c, outs, *size)
    y[...] = b.reshape(c, outs, *ones)
    for tap, read in _taps(x, size, w.shape[2:], stride, before, dilation):
        y += read * w[(slice(None), 0, *tap)].reshape(c, outs, *ones)


@twin(loops.spread)
def spread(
    g: Any, w: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, x: Any
) -> None:
    """Write the gradient of the input x, (N, C, *size), of g (N, O, ...) and w (O, 1, *kernel)."""
    n, outs, places = len(g), len(w) // groups, g.shape[2:]
    kernel = w.shape[2:]
    if max(stride) == 1 == outs:
        before = tuple(d * (k - 1) - p for k, d, p in zip(kernel, dilation, before))
        correlate(g, turned(w, groups), np.zeros(groups, g.dtype), stride, before, dilation, size, x)
        return
    x[...] = 0
    for q in range(outs):
        of_q = w[q::outs].reshape(groups, *kernel, *(1,) * len(size))
        columns = g[:, q::outs].reshape(n, groups, *(1,) * len(size), *places) * of_q
        add(columns, x, 0, kernel, stride, before, dilation)


@twin(loops.overlap)
def overlap(g: Any, x: Any, stride: Sizes, before: Sizes, dilation: Sizes, kernel: Sizes, w: Any) -> None:
    """Write the gradient of the weight w, (O, 1, *kernel), of g (N, O, ...) and x (N, C, ...)."""
    (n, c), size = x.shape[:2], g.shape[2:]
    g = g.reshape(n, c, -1, *size)
    for tap, read in _taps(x, size, kernel, stride, before, dilation):
        w[(slice(None), 0, *tap)] = np.add.reduce(g * read, axis=(0, *range(3, g.ndim))).ravel()
