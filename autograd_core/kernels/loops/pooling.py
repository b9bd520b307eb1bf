"""Maxima of windows in one pass over blocks of three axes; see :mod:`kernels.pooling`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..twins import loop
from .pairs import lanes_for, largest_of_pairs, spread_to_pairs

__all__ = ["max_part", "places_part", "spread_part"]

NOWHERE = np.int32(-(2**31))  # the mark of a window that has no element like y


@loop
def are_pairs(shape: Any, windows: Any) -> bool:
    """Tell whether windows of 2 x 2 stand side by side, in rows that are long enough for vectors."""
    (kd, sd, pd, _, nd), (kh, sh, ph, dh, nh), (kw, sw, pw, dw, nw) = windows
    plane = kd == 1 and sd == 1 and pd == 0 and nd == shape[1] and kh == 2 and sh == 2 and kw == 2 and sw == 2
    whole = ph == 0 and pw == 0 and dh == 1 and dw == 1 and 2 * nh <= shape[2] and 2 * nw <= shape[3]
    return plane and whole and lanes_for(nw) > 0


@loop
def max_part(x: Any, y: Any, windows: Any) -> None:
    """Write the largest element of each window: of its rows first, in a line, then along the line."""
    (kd, sd, pd, dd, nd), (kh, sh, ph, dh, nh), (kw, sw, pw, dw, nw) = windows
    blocks, depth, height, width = x.shape
    if are_pairs(x.shape, windows):
        largest_of_pairs(x.reshape(-1), y.reshape(-1), nh, nw, width, height, blocks * depth)
        return
    line = np.empty(width, x.dtype)
    for b in range(blocks):
        for od in range(nd):
            for oh in range(nh):
                first = True
                for i in range(kd):
                    d = od * sd - pd + i * dd
                    if d < 0 or d >= depth:
                        continue
                    for j in range(kh):
                        h = oh * sh - ph + j * dh
                        if h < 0 or h >= height:
                            continue
                        row = x[b, d, h]
                        if first:
                            for w in range(width):
                                line[w] = row[w]
                            first = False
                        else:
                            for w in range(width):
                                v, m = row[w], line[w]
                                line[w] = v if (v > m) | (v != v) else m
                if first:
                    line[:] = -np.inf
                to = y[b, od, oh]
                for o in range(nw):
                    start = o * sw - pw
                    m = to.dtype.type(-np.inf)
                    for i in range(kw):
                        w = start + i * dw
                        if w >= 0 and w < width:
                            v = line[w]
                            m = v if (v > m) | (v != v) else m
                    to[o] = m


@loop
def _mark(row: Any, ys: Any, marks: Any, stride: int, mark: Any) -> None:
    """Write the mark for the outputs of a line whose largest element stands in this row."""
    if stride == 1:  # the compiler makes vectors of a stride that it knows
        for o in range(len(marks)):
            marks[o] = mark if row[o] == ys[o] else marks[o]
    elif stride == 2:
        for o in range(len(marks)):
            marks[o] = mark if row[2 * o] == ys[o] else marks[o]
    else:
        for o in range(len(marks)):
            marks[o] = mark if row[stride * o] == ys[o] else marks[o]


@loop
def _mark_line(x: Any, ys: Any, marks: Any, od: int, oh: int, windows: Any) -> None:
    """Write where a line's windows have their first largest element, or, where that is NaN, the last NaN.

    The place of output o is ``marks[o] + o * stride``.
    """
    (kd, sd, pd, dd, _), (kh, sh, ph, dh, _), (kw, sw, pw, dw, nw) = windows
    depth, height, width = x.shape
    marks[:] = NOWHERE
    for i in range(kd - 1, -1, -1):
        d = od * sd - pd + i * dd
        for j in range(kh - 1, -1, -1):
            h = oh * sh - ph + j * dh
            if 0 <= d < depth and 0 <= h < height:
                for k in range(kw - 1, -1, -1):
                    start = k * dw - pw
                    low = max(0, -(start // sw))
                    high = min(nw, (width - 1 - start) // sw + 1)
                    if low < high:
                        mark = np.int32((d * height + h) * width + start)
                        _mark(x[d, h, start + low * sw :], ys[low:high], marks[low:high], sw, mark)
    for o in range(nw):
        if ys[o] != ys[o]:
            for i in range(kd):
                d = od * sd - pd + i * dd
                for j in range(kh):
                    h = oh * sh - ph + j * dh
                    for k in range(kw):
                        w = o * sw - pw + k * dw
                        if 0 <= d < depth and 0 <= h < height and 0 <= w < width and x[d, h, w] != x[d, h, w]:
                            marks[o] = (d * height + h) * width + w - o * sw


@loop
def places_part(x: Any, y: Any, places: Any, windows: Any) -> None:
    """Write where the first of each window's largest elements is."""
    marks = np.empty(windows[2][4], np.int32)
    for b in range(len(x)):
        for d in range(windows[0][4]):
            for h in range(windows[1][4]):
                _mark_line(x[b], y[b, d, h], marks, d, h, windows)
                for o in range(len(marks)):
                    if marks[o] != NOWHERE:
                        places[b, d, h, o] = marks[o] + o * windows[2][1]


@loop
def spread_part(g: Any, x: Any, y: Any, out: Any, windows: Any) -> None:
    """Write zeros, and add g of each window where the first of its largest elements is."""
    nd, nh, (_, sw, _, _, nw) = windows[0][4], windows[1][4], windows[2]
    blocks, depth, height, width = x.shape
    alike = g.dtype == x.dtype and g.dtype == y.dtype and g.dtype == out.dtype
    if alike and are_pairs(x.shape, windows):
        if 2 * nh != height or 2 * nw != width:
            out[:] = 0
        flat = g.reshape(-1), x.reshape(-1), y.reshape(-1), out.reshape(-1)
        spread_to_pairs(*flat, nh, nw, width, height, blocks * depth)
        return
    marks = np.empty(nw, np.int32)
    for b in range(blocks):
        flat = out[b].reshape(-1)
        flat[:] = 0
        for d in range(nd):
            for h in range(nh):
                _mark_line(x[b], y[b, d, h], marks, d, h, windows)
                gs = g[b, d, h]
                for o in range(nw):
                    if marks[o] != NOWHERE:
                        flat[marks[o] + o * sw] += gs[o]
