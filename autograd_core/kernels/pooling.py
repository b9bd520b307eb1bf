"""Windows that slide over the last axes of an array: their maxima and sums, and the way back.

``windows`` has for each of these axes ``(size, stride, padding, dilation, count)``: output o looks at the
places ``o * stride - padding + i * dilation`` for i below size, as far as they are inside, and there are
``count`` outputs. A window with more than one largest element stands for the first of them, in the order of
memory; one with NaN, for the last NaN, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from .loops import pooling as fast
from .memory import memory_for, zeros_in
from .threads import split, worth_a_thread
from .twins import twin

__all__ = ["add_windows", "first_places", "max_windows", "spread_to_first", "sum_windows"]

Windows = tuple[tuple[int, int, int, int, int], ...]
LEAST = 100_000  # elements of a thread's part, in NumPy
COST = 0.5  # nanoseconds of a loop for an element
CACHED = 200_000  # elements that stay in the cache while their windows are looked at: 3x3 in 0.65 of the time


def _reach(i: int, length: int, window: tuple[int, int, int, int, int]) -> tuple[slice, slice]:
    """Return the outputs whose i-th place is inside, and these places."""
    _, stride, padding, dilation, count = window
    start = i * dilation - padding
    low = max(0, -(start // stride))
    high = max(low, min(count, (length - 1 - start) // stride + 1))
    at = start + low * stride
    return slice(low, high), slice(at, max(start + (high - 1) * stride + 1, at), stride)


def _offsets(lengths: tuple[int, ...], windows: Windows) -> Iterator[tuple[Any, Any]]:
    """Give, for each place within a window, the outputs that have it and where it is, as indices."""
    for places in product(*[range(window[0]) for window in windows]):
        pairs = [_reach(i, n, window) for i, n, window in zip(places, lengths, windows)]
        yield (..., *[p[0] for p in pairs]), (..., *[p[1] for p in pairs])


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min if dtype.kind in "iu" else False


def _disjoint(windows: Windows) -> bool:
    return all(stride > (size - 1) * dilation for size, stride, _, dilation, _ in windows)


def _reduced(ufunc: Any, nothing: Any, x: Any, out: Any, windows: Windows) -> None:
    """Reduce the windows axis by axis: rows first, which are long and lie side by side."""
    axes = [a for a, w in enumerate(windows) if w != (1, 1, 0, 1, x.shape[a - len(windows)])]
    for axis in axes:
        window = windows[axis]
        at = axis - len(windows) + x.ndim
        shape = (*x.shape[:at], window[4], *x.shape[at + 1 :])
        y = out if axis == axes[-1] else np.empty(shape, x.dtype)
        before: tuple[Any, ...] = (slice(None),) * at
        reaches = [_reach(i, x.shape[at], window) for i in range(window[0])]
        whole = [r for r in reaches if r[0] == slice(0, window[4])]
        if len(whole) > 1:
            ufunc(x[*before, whole[0][1]], x[*before, whole[1][1]], out=y)
        elif whole:
            y[...] = x[*before, whole[0][1]]
        else:
            y[...] = nothing
        for outputs, places in [*whole[2:], *(r for r in reaches if r[0] != slice(0, window[4]))]:
            part = y[*before, outputs]
            ufunc(part, x[*before, places], out=part)
        x = y
    if not axes:
        out[...] = x


def _cached(x: Any) -> Iterator[slice]:
    step = max(1, CACHED // max(prod(x.shape[1:]), 1))
    return (slice(i, i + step) for i in range(0, len(x), step))


@twin(fast.max_part, cut=(0, 1), cost=COST, least=LEAST)
def _max_part(x: Any, y: Any, windows: Windows) -> None:
    for part in _cached(x):
        _reduced(np.maximum, _lowest(x.dtype), x[part], y[part], windows)


@twin(fast.spread_part, cut=(0, 1, 2, 3), cost=COST, least=LEAST)
def _spread_part(g: Any, x: Any, y: Any, out: Any, windows: Windows) -> None:
    out[...] = 0
    if y.dtype.kind == "f" and np.isnan(y).any():
        places = np.empty(y.shape, np.int64)
        _places_part(x, y, places, windows)
        for plane, index, values in zip(out, places, g):
            np.add.at(plane.reshape(-1), index.ravel(), values.ravel())
        return
    # As bits, so that what is not chosen is 0 even where g is infinite; and no slower than g * mask.
    bits = np.dtype(f"u{g.itemsize}")
    alone, offsets = _disjoint(windows), list(_offsets(x.shape[1:], windows))
    for part in _cached(x):
        a, b, c, d = g[part].view(bits), x[part], y[part], out[part]
        free = np.ones(c.shape, bool)
        for outputs, places in offsets:
            chosen = b[places] == c[outputs]
            chosen &= free[outputs]
            free[outputs] ^= chosen
            if alone:
                np.multiply(a[outputs], chosen, out=d.view(bits)[places])
            else:
                d[places] += np.multiply(a[outputs], chosen).view(g.dtype)


@twin(fast.places_part, cut=(0, 1, 2), cost=COST, least=LEAST)
def _places_part(x: Any, y: Any, places: Any, windows: Windows) -> None:
    lengths = x.shape[1:]
    numbers = np.arange(prod(lengths)).reshape(lengths)
    each = list(_offsets(lengths, windows))
    for outputs, at in reversed(each):
        part = places[outputs]
        np.copyto(part, numbers[at], where=x[at] == y[outputs])
    if y.dtype.kind == "f" and np.isnan(y).any():
        for outputs, at in each:
            np.copyto(places[outputs], numbers[at], where=np.isnan(x[at]))


def _blocks(x: Any, n: int) -> Any:
    """Return an array as a list of blocks with three axes, of which the first may have length 1."""
    lengths = (1,) * (3 - n) + x.shape[x.ndim - n :]
    return np.ascontiguousarray(x).reshape(prod(x.shape[: x.ndim - n]), *lengths)


def _three(windows: Windows) -> Windows:
    return ((1, 1, 0, 1, 1),) * (3 - len(windows)) + windows


def _outer(x: Any, windows: Windows) -> Any:
    return (*x.shape[: x.ndim - len(windows)], *[w[4] for w in windows])


def _in_parts(work: Any, blocks: Any) -> None:
    split(work, len(blocks), worth_a_thread(LEAST, blocks.size, len(blocks)))


def max_windows(x: Any, windows: Windows, out: Any = None) -> Any:
    """Return the largest element of each window, in ``out`` if it is given; NaN where one has NaN."""
    y = memory_for(out, _outer(x, windows), x.dtype)
    three, a, b = _three(windows), _blocks(x, len(windows)), _blocks(y, len(windows))
    _max_part(a, b, three)
    return y


def spread_to_first(g: Any, x: Any, y: Any, windows: Windows, out: Any = None) -> Any:
    """Return zeros like x with g of each window added where its largest element y came from."""
    n, three, out = len(windows), _three(windows), memory_for(out, x.shape, g.dtype)
    a, b, c, d = _blocks(g, n), _blocks(x, n), _blocks(y, n), _blocks(out, n)
    _spread_part(a, b, c, d, three)
    return out


def first_places(x: Any, y: Any, windows: Windows, out: Any = None) -> Any:
    """Return where each window's largest element y came from, counted over the last axes of x."""
    n, three, places = len(windows), _three(windows), zeros_in(out, y.shape, np.int64)
    b, c, d = _blocks(x, n), _blocks(y, n), _blocks(places, n)
    _places_part(b, c, d, three)
    return places


def sum_windows(x: Any, windows: Windows, out: Any = None) -> Any:
    """Return the sum of each window's elements."""
    y = memory_for(out, _outer(x, windows), x.dtype)
    three, a, b = _three(windows), _blocks(x, len(windows)), _blocks(y, len(windows))
    _in_parts(lambda i, j: _sum_part(a[i:j], b[i:j], three), a)
    return y


def _sum_part(x: Any, y: Any, windows: Windows) -> None:
    for part in _cached(x):
        _reduced(np.add, 0, x[part], y[part], windows)


def add_windows(g: Any, windows: Windows, lengths: tuple[int, ...], out: Any = None) -> Any:
    """Return zeros of these lengths with g of each window added to all its places: sum_windows' adjoint."""
    n, three = len(windows), _three(windows)
    out = memory_for(out, (*g.shape[: g.ndim - n], *lengths), g.dtype)
    a, b = _blocks(g, n), _blocks(out, n)
    _in_parts(lambda i, j: _add_part(a[i:j], b[i:j], three), b)
    return out


def _add_part(g: Any, out: Any, windows: Windows) -> None:
    for part in _cached(out):
        _added(g[part], out[part], windows)


def _added(g: Any, out: Any, windows: Windows) -> None:
    axes = [a for a in (2, 1, 0) if windows[a] != (1, 1, 0, 1, out.shape[a + 1])]
    for axis in axes:
        window, at = windows[axis], axis + 1
        size, stride, padding, dilation, count = window
        length = out.shape[at]
        x = out if axis == axes[-1] else np.empty((*g.shape[:at], length, *g.shape[at + 1 :]), g.dtype)
        before: tuple[Any, ...] = (slice(None),) * at
        tiled = dilation == 1 and padding == 0 and size == stride and size * count == length
        if not tiled:
            x[...] = 0
        for i in range(size):
            outputs, places = _reach(i, length, window)
            part = x[*before, places]
            if tiled:
                part[...] = g[*before, outputs]
            else:
                part += g[*before, outputs]
        g = x
    if not axes:
        out[...] = g
