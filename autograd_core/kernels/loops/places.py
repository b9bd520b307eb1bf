"""Tables of the places that a convolution reads: settings of any number of axes become lists of integers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .tile import shape

__all__ = ["extent", "filled", "phases", "tables", "three"]

Sizes = tuple[int, ...]


def extent(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """Return over how many places of the input the output reaches, on each axis."""
    return tuple((m - 1) * s + (k - 1) * d + 1 for m, k, s, d in zip(size, kernel, stride, dilation))


def three(*settings: Sizes) -> Iterator[Sizes]:
    """Return sizes and numbers with as many ones in front as make three axes."""
    for s in settings:
        yield (1,) * (3 - len(s)) + tuple(s)


def _places(outer: Sizes, *axes: Any) -> Any:
    """Return the flat places in an array of shape ``outer`` of all combinations of coordinates."""
    strides = [prod(outer[k + 1 :]) for k in range(len(outer))]
    total: Any = 0
    for coordinates, stride in zip(axes, strides):
        total = np.add.outer(total, np.asarray(coordinates, np.int64) * stride)
    return np.ascontiguousarray(total.ravel())


def filled(a: Any) -> Any:
    """Return the table with its last place repeated, until its tiles are whole."""
    return np.concatenate((a, np.repeat(a[-1:], -len(a) % shape()[1])))


@lru_cache(256)
def tables(outer: Sizes, channels: int, kernel: Sizes, stride: Sizes, dilation: Sizes, size: Sizes) -> Any:
    """Return where the output's places begin, and the taps of all channels."""
    a = _places(outer, *(np.arange(m) * s for m, s in zip(size, stride)))
    b = _places((channels, *outer), range(channels), *(np.arange(k) * d for k, d in zip(kernel, dilation)))
    return a, b


@lru_cache(256)
def phases(
    outer: Sizes, low: Sizes, channels: int, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes,
    size: Sizes,
) -> Any:  # fmt: skip
    """Return for each residue: the places of g that are read first, taps, rows of the weight, places of x."""
    axes = []
    for m, k, s, p, d, start in zip(size, kernel, stride, before, dilation, low):
        each = []
        for residue in range(s):
            j = np.arange((residue - p) % s, m, s)
            taps = np.array([t for t in range(k) if t * d % s == residue], np.int64)
            each.append(((j + p) // s - start, -(taps * d // s), taps, j))
        axes.append(each)
    found = []
    for phase in product(*axes):
        begin, steps, rows, places = zip(*phase)
        if all(map(len, places)):
            b = _places((channels, *outer), range(channels), *steps)
            row = _places((channels, *kernel), range(channels), *rows)
            found.append((filled(_places(outer, *begin)), b, row, _places(size, *places)))
    return found
