"""Images with few filters: what stands around the vectors of :mod:`direct`.

Each image is copied with its border, and its tail with zeros, since the last vectors read beyond it.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..team import parts_of, share
from ..threads import get_num_threads
from ..twins import loop
from .direct import FEW, dots, rows_for, sums_along, vectors_for
from .tile import shape
from .tiled import frame

__all__ = ["Planes", "multiply", "overlap", "planes", "suits"]

Sizes = tuple[int, ...]
LONGEST = 1 << 15  # places of an image: what a tile writes stays in the second cache
RATE = 5e4  # operations of a thread in a microsecond


class Planes(NamedTuple):
    """How images and their outputs lie; sizes have three axes."""

    groups: int
    channels: int  # of x, in a group
    outs: int  # of y or g, in a group
    inner: Sizes  # the image
    outer: Sizes  # with its border
    before: Sizes
    size: Sizes  # the output
    places: int  # flat ones from the first output to the last
    rows: int  # filters of a tile
    lanes: int
    width: int  # places of a tile


def suits(images: int, outs: int, stride: Sizes, outer: Sizes) -> bool:
    """Tell whether vectors along places are the better way."""
    return outs <= FEW and max(stride) == 1 and images >= get_num_threads() and prod(outer) <= LONGEST


def planes(
    groups: int, channels: int, outs: int, inner: Sizes, outer: Sizes, before: Sizes, size: Sizes,
    itemsize: int,
) -> Planes:  # fmt: skip
    lanes, rows = shape()[0] // itemsize, rows_for(outs)
    places = 1 + sum((m - 1) * prod(outer[k + 1 :]) for k, m in enumerate(size))
    return Planes(groups, channels, outs, inner, outer, before, size, places, rows, lanes,
                  lanes * vectors_for(rows))  # fmt: skip


@loop
def outputs(
    x: Any, w: Any, bias: Any, y: Any, first: int, b: Any, how: Any, start: int, stop: int
) -> None:
    """Compute some images ``y[n, o, f] = bias[o] + sum_r w[o, r] x[first + f + b[r]]``."""
    size, (m0, m1, m2), terms = how.outer[0] * how.outer[1] * how.outer[2], how.size, len(b)
    step = -(-how.places // how.width) * how.width
    copy = np.zeros(how.groups * how.channels * size + 2 * how.width, x.dtype)
    line = np.empty(how.rows * step, x.dtype)
    for n in range(start, stop):
        frame(x, n, how.groups * how.channels, how.inner, how.outer, how.before, copy)
        for group in range(how.groups):
            weights = w[group * how.rows * terms : (group + 1) * how.rows * terms]
            at = group * how.channels * size + first
            sums_along(weights, terms, copy, at, how.places, how.width, b, line, how.rows)
            for k in range(how.outs):
                o = group * how.outs + k
                for i in range(m0 * m1):
                    source = k * step + (i // m1 * how.outer[1] + i % m1) * how.outer[2]
                    target = ((n * how.groups * how.outs + o) * m0 * m1 + i) * m2
                    row, found = y[target : target + m2], line[source : source + m2]
                    for j in range(m2):
                        row[j] = found[j] + bias[o]


@loop
def gradients(g: Any, x: Any, total: Any, a: Any, how: Any, start: int, stop: int) -> None:
    """Add over some images ``total[r, o] += sum_f g[n, o, f] x[a[r] + f]``."""
    size, (m0, m1, m2) = how.outer[0] * how.outer[1] * how.outer[2], how.size
    step = -(-how.places // how.lanes) * how.lanes
    copy = np.zeros(how.groups * how.channels * size + 2 * how.lanes, x.dtype)
    lines = np.zeros(how.rows * step, x.dtype)  # between the rows 0 remains
    for n in range(start, stop):
        frame(x, n, how.groups * how.channels, how.inner, how.outer, how.before, copy)
        for group in range(how.groups):
            for k in range(how.outs):
                for i in range(m0 * m1):
                    target = k * step + (i // m1 * how.outer[1] + i % m1) * how.outer[2]
                    source = (((n * how.groups + group) * how.outs + k) * m0 * m1 + i) * m2
                    row, given = lines[target : target + m2], g[source : source + m2]
                    for j in range(m2):
                        row[j] = given[j]
            at = group * len(a) * how.rows
            sums = total[at : at + len(a) * how.rows]
            dots(lines, step // how.lanes, copy[group * how.channels * size :], a,
                 how.width // how.lanes, sums, how.rows)  # fmt: skip


@loop
def each_gradients(
    g: Any, x: Any, totals: Any, a: Any, how: Any, units: int, first: int, last: int
) -> None:
    """Write into each of ``totals`` what its part of the images adds."""
    for k in range(first, last):
        gradients(g, x, totals[k], a, how, units * k // len(totals), units * (k + 1) // len(totals))


def multiply(x: Any, w: Any, bias: Any, y: Any, first: int, b: Any, how: Planes) -> None:
    """Run :func:`outputs` in threads; ``w`` is (groups, outs, terms)."""
    weights = np.zeros((how.groups, how.rows, len(b)), x.dtype)
    weights[:, : how.outs] = w
    share(outputs, len(x), 2.0 * y.size * len(b) / RATE,
          x.reshape(-1), weights.reshape(-1), bias, y.reshape(-1), first, b, how)  # fmt: skip


def overlap(g: Any, x: Any, taps: Any, how: Planes) -> Any:
    """Return the gradient of the weight, (groups, outs, terms).

    Between the rows of places 0 meets numbers of the image that no output reads: what comes out is to be
    made anew where it is not finite.
    """
    a = np.concatenate((taps, np.repeat(taps[-1:], -len(taps) % (how.width // how.lanes))))
    time = 2.0 * g.size * len(taps) / RATE
    totals = np.zeros((parts_of(len(x), time), how.groups * len(a) * how.rows), x.dtype)
    share(each_gradients, len(totals), time, g.reshape(-1), x.reshape(-1), totals, a, how, len(x))
    total = np.add.reduce(totals, axis=0).reshape(how.groups, len(a), how.rows)
    return total[:, : len(taps), : how.outs].transpose(0, 2, 1)
