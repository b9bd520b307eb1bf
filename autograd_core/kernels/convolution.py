"""The three products of a convolution: its output, and the gradients of its input and of its weight.

For each image n, group and place i of the output, over channels c and taps k,

    y[n, o, i] = b[o] + sum_(c, k) w[o, c, k] x[n, c, s i + d k - p]            (correlate)
    x_bar[n, c, j] = sum of w[o, c, k] g[n, o, i] over all o, i, k with s i + d k - p = j   (spread)
    w_bar[o, c, k] = sum_(n, i) g[n, o, i] x[n, c, s i + d k - p]               (overlap)

where x is 0 outside. ``stride`` s, ``before`` p and ``dilation`` d are tuples, one number for each spatial
axis, of which there may be any number; p may be negative. In NumPy the patches of a few images are copied to
the columns of a matrix, about a megabyte at a time, so that each product is one of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from . import depthwise
from .loops import convolution as loops
from .memory import memory_for
from .patches import add, turned
from .patches import patches as cut
from .twins import twin

__all__ = ["correlate", "fold", "overlap", "spread", "unfold"]

Sizes = tuple[int, ...]
FEW = 4  # filters of a channel that has its own: with more of them products of matrices pay
BUFFER = 2**20  # bytes of patches at a time: within the second cache of a core


def _blocks(images: int, first: int, bytes_of_one: int) -> Iterator[tuple[slice, slice]]:
    """Cut images and, where one is too large, places of the first spatial axis into blocks."""
    many = max(1, BUFFER // max(bytes_of_one, 1))
    rows = first if many > 1 else max(1, first * BUFFER // max(bytes_of_one, 1))
    for n in range(0, images, many):
        for i in range(0, first, rows):
            yield slice(n, min(n + many, images)), slice(i, min(i + rows, first))


def _matrix(patches: Any, groups: int, spatial: int, buffer: Any) -> Any:
    """Return patches as the columns of a matrix for each image and group, copied unless they are one."""
    n, c, *sizes = patches.shape
    shape = n, groups, c // groups * prod(sizes[:spatial]), prod(sizes[spatial:])
    if prod(sizes[:spatial]) == 1 and patches.flags.c_contiguous:
        return patches.reshape(shape)
    columns = buffer[: patches.size].reshape(patches.shape)
    np.copyto(columns, patches)
    return columns.reshape(shape)


def _buffer(x: Any, kernel: Sizes, size: Sizes) -> tuple[Any, int]:
    """Return memory for the patches of a block, and the bytes of those of one image."""
    one = x.shape[1] * prod(kernel) * prod(size)
    row = one // size[0]
    return np.empty(max(min(one * len(x), BUFFER // x.itemsize), row), x.dtype), one * x.itemsize


def correlate(
    x: Any, w: Any, b: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes,
    out: Any = None,
) -> Any:  # fmt: skip
    """Return the convolution's output, (N, O, *size).

    Args:
        x: (N, C, ...).
        w: (O, C / groups, *kernel).
        b: (O,).
        size: of the output, without images and channels.
        out: memory for it, in C order, or None.
    """
    y = memory_for(out, (len(x), len(w), *size), x.dtype)
    if w.shape[1] == 1 < groups and len(w) < FEW * groups:
        depthwise.correlate(x, w, b, stride, before, dilation, size, y)
    else:
        _correlate(x, w, b, stride, before, dilation, groups, size, y)
    return y


@twin(loops.correlate)
def _correlate(
    x: Any, w: Any, b: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, y: Any
) -> None:
    (n, _, *_), (o, _, *kernel) = x.shape, w.shape
    y = y.reshape(n, groups, o // groups, prod(size))
    matrix, bias = w.reshape(groups, o // groups, -1), b.reshape(groups, -1, 1)
    buffer, one = _buffer(x, tuple(kernel), size)
    rest = prod(size[1:])
    for images, rows in _blocks(n, size[0], one):
        patches = cut(x[images], rows, size, tuple(kernel), stride, before, dilation)
        part = y[images, ..., rows.start * rest : rows.stop * rest]
        np.matmul(matrix, _matrix(patches, groups, len(size), buffer), out=part)
        part += bias


def spread(
    g: Any, w: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, out: Any = None
) -> Any:
    """Return the gradient of the input, (N, C, *size): the output of a transposed convolution.

    Args:
        g: (N, O, ...).
        w: (O, C / groups, *kernel).
        size: of the input, without images and channels.
        out: memory for it, in C order, or None.
    """
    x = memory_for(out, (len(g), groups * w.shape[1], *size), g.dtype)
    if w.shape[1] == 1 < groups and len(w) < FEW * groups:
        depthwise.spread(g, w, stride, before, dilation, groups, size, x)
    else:
        _spread(g, w, stride, before, dilation, groups, size, x)
    return x


@twin(loops.spread)
def _spread(
    g: Any, w: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, x: Any
) -> None:
    (n, o, *places), (_, c, *kernel) = g.shape, w.shape
    if max(stride) == 1 and 2 * c >= o // groups:  # patches of g: 1.2 times faster than to add those of x
        before = tuple(d * (k - 1) - p for k, d, p in zip(kernel, dilation, before))
        b = np.zeros(groups * c, g.dtype)
        _correlate(g, turned(w, groups), b, stride, before, dilation, groups, size, x)
        return
    x[...] = 0
    matrix = w.reshape(groups, o // groups, -1).swapaxes(1, 2)
    g = g.reshape(n, groups, o // groups, prod(places))
    rest = prod(places[1:])
    for images, rows in _blocks(n, places[0], x.itemsize * c * groups * prod(kernel) * prod(places)):
        columns = matrix @ g[images, ..., rows.start * rest : rows.stop * rest]
        columns = columns.reshape(len(columns), groups * c, *kernel, -1, *places[1:])
        add(columns, x[images], rows.start, tuple(kernel), stride, before, dilation)


def overlap(
    g: Any, x: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, kernel: Sizes, out: Any = None
) -> Any:
    """Return the gradient of the weight, (O, C / groups, *kernel).

    Args:
        g: (N, O, ...).
        x: (N, C, ...).
        out: memory for it, in C order, or None.
    """
    w = memory_for(out, (g.shape[1], x.shape[1] // groups, *kernel), x.dtype)
    if x.shape[1] == groups > 1 and g.shape[1] < FEW * groups:
        depthwise.overlap(g, x, stride, before, dilation, kernel, w)
    else:
        _overlap(g, x, stride, before, dilation, groups, kernel, w)
    return w


@twin(loops.overlap)
def _overlap(
    g: Any, x: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, kernel: Sizes, w: Any
) -> None:
    (n, o, *size), c = g.shape, x.shape[1] // groups
    w = w.reshape(groups, o // groups, c * prod(kernel))
    w[...] = 0
    g = g.reshape(n, groups, o // groups, prod(size))
    buffer, one = _buffer(x, kernel, tuple(size))
    rest = prod(size[1:])
    for images, rows in _blocks(n, size[0], one):
        patches = cut(x[images], rows, tuple(size), kernel, stride, before, dilation)
        columns = _matrix(patches, groups, len(size), buffer).swapaxes(2, 3)
        w += np.add.reduce(g[images, ..., rows.start * rest : rows.stop * rest] @ columns, axis=0)


def unfold(x: Any, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes, size: Sizes) -> Any:
    """Return the patches of each image as columns, (N, C prod(kernel), prod(size))."""
    patches = cut(x, slice(0, size[0]), size, kernel, stride, before, dilation)
    return patches.reshape(len(x), x.shape[1] * prod(kernel), prod(size))


def fold(
    columns: Any, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes, places: Sizes, size: Sizes
) -> Any:
    """Return images (N, C, *size) in which patches, from :func:`unfold` at ``places``, are summed."""
    n, channels = len(columns), columns.shape[1] // prod(kernel)
    x = np.zeros((n, channels, *size), columns.dtype)
    add(columns.reshape(n, channels, *kernel, *places), x, 0, kernel, stride, before, dilation)
    return x
