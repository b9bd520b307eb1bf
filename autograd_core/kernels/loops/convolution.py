"""The three products of a convolution as one loop over tiles, which reads patches where they lie.

Stride, dilation, padding and the number of axes are in tables of places: an output place i begins at
``a[i]`` of an image with its border, a tap is ``b[r]`` further on. The gradient of the input is again such a
sum, over the places of g; with a stride, one for each residue of the places, since each residue meets taps of
its own. In the gradient of the weight the two tables change their roles. Only what has a border is copied, an
image at a time.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..team import parts_of, share
from ..threads import get_num_threads
from ..twins import loop
from . import few
from .places import extent, filled, phases, tables, three
from .tile import shape
from .tiled import frame, narrow_tile, put, transpose, wide_tile

__all__ = ["correlate", "overlap", "spread"]

Sizes = tuple[int, ...]
BLOCK = 1024  # places at a time: what they read stays in the second cache
RATE = 1e5  # operations of a thread in a microsecond


class Layout(NamedTuple):
    """How the numbers lie, and how a loop goes over them."""

    groups: int
    channels: int  # of x, in a group
    outs: int  # of y or g, in a group
    inner: Sizes  # the axes of an image
    outer: Sizes  # the axes of what is read: the image, or a copy with its border
    before: Sizes  # where the image begins in it
    framed: bool  # is it a copy?
    width: int  # the columns of a tile
    wide: bool  # two vectors, or one?
    height: int  # the rows of a tile
    lanes: int  # the numbers in a vector
    block: int  # places in a unit of work


# -- loops -----------------------------------------------------------------------------------------------


@loop
def pack(w: Any, start: int, rows: Any, step: int, columns: int, width: int, out: Any, at: int) -> None:
    """Copy the matrix ``w[start + rows[r] + step c]`` to panels of ``width`` columns."""
    for low in range(0, columns, width):
        many = min(width, columns - low)
        for r in range(len(rows)):
            source = start + rows[r] + step * low
            for c in range(many):
                out[at + c] = w[source + step * c]
            at += width


@loop
def pack_rows(
    w: Any, start: int, terms: int, columns: int, width: int, lanes: int, out: Any, at: int
) -> None:
    """Copy the matrix ``w[start + r + terms c]`` to panels of ``width`` columns."""
    for low in range(0, columns, width):
        many = min(width, columns - low)
        transpose(w, start + terms * low, terms, many, terms, out, at, width, lanes)
        at += terms * width


@loop
def patches_by_weights(
    x: Any, w: Any, bias: Any, y: Any, a: Any, b: Any, places: Any, plane: int, how: Any, start: int,
    stop: int,
) -> None:  # fmt: skip
    """Compute for some blocks of places ``y[n, o, places[i]] = sum_r x[a[i] + b[r]] w[r, o]``."""
    size, terms = how.outer[0] * how.outer[1] * how.outer[2], len(b)
    blocks, panels = -(-len(places) // how.block), -(-how.outs // how.width)
    copy = np.zeros(how.groups * how.channels * size if how.framed else 0, x.dtype)
    image = copy if how.framed else x
    t = np.empty(how.height * how.width, x.dtype)
    last = -1
    for unit in range(start, stop):
        n, low = unit // blocks, unit % blocks * how.block
        origin = n * how.groups * how.channels * size
        if how.framed:
            origin = 0
            if n != last:
                frame(x, n, how.groups * how.channels, how.inner, how.outer, how.before, copy)
                last = n
        for part in range(how.groups * panels):
            group, at = part // panels, part * terms * how.width
            first = part % panels * how.width
            many, o = min(how.width, how.outs - first), group * how.outs + first
            y0 = n * how.groups * how.outs + o
            out = y[y0 * plane : (y0 + many) * plane]
            x0 = origin + group * how.channels * size
            for i in range(low, min(low + how.block, len(places)), how.height):
                if how.wide:
                    wide_tile(image, x0, a, i, b, 0, terms, w, at, t)
                else:
                    narrow_tile(image, x0, a, i, b, 0, terms, w, at, t)
                m = min(how.height, len(places) - i)
                if plane == len(places) and m == how.height:
                    for k in range(many):
                        put(t, k * how.height, bias[o + k], out, k * plane + i)
                else:
                    for k in range(many):
                        for q in range(m):
                            out[k * plane + places[i + q]] = t[k * how.height + q] + bias[o + k]


@loop
def patches_by_gradients(
    g: Any, x: Any, total: Any, a: Any, b: Any, how: Any, start: int, stop: int
) -> None:
    """Add over some blocks of places i of some images n: ``total[r, o] += x[a[r] + b[i]] g[n, o, i]``."""
    size, places = how.outer[0] * how.outer[1] * how.outer[2], len(b)
    blocks, panels = -(-places // how.block), -(-how.outs // how.width)
    copy = np.zeros(how.groups * how.channels * size if how.framed else 0, x.dtype)
    image = copy if how.framed else x
    t, turned = np.empty(how.height * how.width, x.dtype), np.empty(how.block * how.width, x.dtype)
    last = -1
    for unit in range(start, stop):
        n, low = unit // blocks, unit % blocks * how.block
        many = min(how.block, places - low)
        origin = n * how.groups * how.channels * size
        if how.framed:
            origin = 0
            if n != last:
                frame(x, n, how.groups * how.channels, how.inner, how.outer, how.before, copy)
                last = n
        at = 0
        for part in range(how.groups * panels):
            group, first = part // panels, part % panels * how.width
            o = (n * how.groups + group) * how.outs + first
            outs = min(how.width, how.outs - first)
            transpose(g, o * places + low, places, outs, many, turned, 0, how.width, how.lanes)
            x0 = origin + group * how.channels * size
            for r in range(0, len(a), how.height):
                if how.wide:
                    wide_tile(image, x0, a, r, b, low, many, turned, 0, t)
                else:
                    narrow_tile(image, x0, a, r, b, low, many, turned, 0, t)
                sums = total[at : at + how.height * how.width]
                for k in range(how.height * how.width):
                    sums[k] += t[k]
                at += how.height * how.width


@loop
def each_gradients(
    g: Any, x: Any, totals: Any, a: Any, b: Any, how: Any, units: int, first: int, last: int
) -> None:
    """Write into each of ``totals`` what its part of the units adds."""
    for k in range(first, last):
        start, stop = units * k // len(totals), units * (k + 1) // len(totals)
        patches_by_gradients(g, x, totals[k], a, b, how, start, stop)


# -- the three products ----------------------------------------------------------------------------------


def _layout(
    images: int, places: int, groups: int, channels: int, outs: int, inner: Sizes, outer: Sizes,
    before: Sizes, itemsize: int,
) -> Layout:  # fmt: skip
    framed = any(before) or any(m > n for m, n in zip(outer, inner))
    (size, height), least = shape(), places
    if images < 4 * get_num_threads():  # else there are enough units of work for the threads
        least = -(-places // (4 * get_num_threads()))
    block = min(-(-least // height), BLOCK // height) * height
    lanes = size // itemsize
    wide = outs > lanes
    return Layout(groups, channels, outs, inner, outer if framed else inner, before, framed,
                  2 * lanes if wide else lanes, wide, height, lanes, block)  # fmt: skip


def _multiply(x: Any, packed: Any, bias: Any, y: Any, table: Any, plane: int, how: Layout) -> None:
    """Run :func:`patches_by_weights` in threads."""
    a, b, places = table
    units = len(x) * -(-len(places) // how.block)
    operations = 2.0 * len(x) * len(places) * how.groups * how.outs * len(b)
    share(patches_by_weights, units, operations / RATE,
          x.reshape(-1), packed, bias, y.reshape(-1), a, b, places, plane, how)  # fmt: skip


def _space(terms: int, how: Layout, dtype: Any) -> tuple[Any, int]:
    """Return memory for packed weights, zeros where no column is, and how much of it a group takes."""
    size = -(-how.outs // how.width) * terms * how.width
    return (np.empty if how.outs % how.width == 0 else np.zeros)(how.groups * size, dtype), size


def correlate(
    x: Any, w: Any, bias: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, y: Any
) -> None:
    (n, c, *axes), (o, _, *taps) = x.shape, w.shape
    if not y.size:
        return
    inner, kernel, stride, dilation, size = three(tuple(axes), tuple(taps), stride, dilation, size)
    before = (0,) * (3 - len(before)) + before
    outer = extent(size, kernel, stride, dilation)
    if few.suits(n, o // groups, stride, outer):
        planes = few.planes(groups, c // groups, o // groups, inner, outer, before, size, x.itemsize)
        _, b = tables(outer, c // groups, kernel, stride, dilation, size)
        few.multiply(x, w.reshape(groups, o // groups, -1), bias, y, 0, b, planes)
        return
    how = _layout(n, prod(size), groups, c // groups, o // groups, inner, outer, before, x.itemsize)
    a, b = tables(how.outer, c // groups, kernel, stride, dilation, size)
    packed, of_group = _space(len(b), how, x.dtype)
    for k in range(groups):
        start = k * how.outs * len(b)
        pack_rows(w.reshape(-1), start, len(b), how.outs, how.width, how.lanes, packed, k * of_group)
    _multiply(x, packed, bias, y, (filled(a), b, np.arange(len(a))), len(a), how)


def spread(
    g: Any, w: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, x: Any
) -> None:
    (n, o, *axes), (_, c, *taps) = g.shape, w.shape
    if not g.size:
        x[...] = 0
        return
    inner, kernel, stride, dilation, size = three(tuple(axes), tuple(taps), stride, dilation, size)
    before = (0,) * (3 - len(before)) + before
    low = tuple((p - d * (k - 1)) // s for p, d, k, s in zip(before, dilation, kernel, stride))
    outer = tuple((m - 1 + p) // s - q + 1 for m, p, s, q in zip(size, before, stride, low))
    how = _layout(n, prod(size) // prod(stride) + 1, groups, o // groups, c, inner, outer,
                  tuple(-q for q in low), g.itemsize)  # fmt: skip
    bias, steps = np.zeros(groups * c, g.dtype), prod(kernel)
    if few.suits(n, c, stride, outer):
        planes = few.planes(groups, o // groups, c, inner, outer, how.before, size, g.itemsize)
        ((a, b, _, _),) = phases(outer, low, o // groups, kernel, stride, before, dilation, size)
        turned = w.reshape(groups, o // groups, c, steps).swapaxes(1, 2)
        few.multiply(g, turned.reshape(groups, c, -1), bias, x, int(a[0]), b, planes)
        return
    parts = phases(how.outer, low, o // groups, kernel, stride, before, dilation, size)
    if not all(len(b) for _, b, _, _ in parts):
        x[...] = 0
    for a, b, rows, places in parts:
        if len(b):  # else the stride steps over these places
            packed, of_group = _space(len(b), how, g.dtype)
            starts = rows // steps * (c * steps) + rows % steps
            for k in range(groups):
                start = k * how.channels * c * steps
                pack(w.reshape(-1), start, starts, steps, c, how.width, packed, k * of_group)
            _multiply(g, packed, bias, x, (a, b, places), prod(size), how)


def overlap(
    g: Any, x: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, kernel: Sizes, w: Any
) -> None:
    (n, o, *places), (_, c, *axes) = g.shape, x.shape
    if not g.size:
        w[...] = 0
        return
    inner, kernel, stride, dilation, size = three(tuple(axes), kernel, stride, dilation, tuple(places))
    before = (0,) * (3 - len(before)) + before
    outer = extent(size, kernel, stride, dilation)
    if few.suits(n, o // groups, stride, outer):
        planes = few.planes(groups, c // groups, o // groups, inner, outer, before, size, x.itemsize)
        _, taps = tables(outer, c // groups, kernel, stride, dilation, size)
        found = few.overlap(g, x, taps, planes)
        if np.isfinite(found).all():
            w.reshape(found.shape)[...] = found
            return
    how = _layout(n, prod(size), groups, c // groups, o // groups, inner, outer, before, x.itemsize)
    b, taps = tables(how.outer, c // groups, kernel, stride, dilation, size)
    a, panels = filled(taps), -(-how.outs // how.width)
    units, time = n * -(-len(b) // how.block), 2.0 * g.size * len(taps) / RATE
    totals = np.zeros((parts_of(units, time), groups * panels * len(a) * how.width), x.dtype)
    share(each_gradients, len(totals), time, g.reshape(-1), x.reshape(-1), totals, a, b, how, units)
    total = np.add.reduce(totals, axis=0)
    total = total.reshape(groups, panels, len(a) // how.height, how.width, how.height)
    total = total.transpose(0, 1, 3, 2, 4).reshape(groups, panels * how.width, len(a))
    w.reshape(groups, how.outs, len(taps))[...] = total[:, : how.outs, : len(taps)]
