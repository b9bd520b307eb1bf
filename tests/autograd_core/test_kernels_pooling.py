"""Windows' maxima, sums and their ways back: against loops over places, in NumPy and in numba, in parts."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from autograd_core import kernels
from autograd_core.kernels import pooling

from .table import table_pooling

each_window = table_pooling.each_window
NUMBA = importlib.util.find_spec("numba") is not None
VERSIONS = [False, pytest.param(True, marks=pytest.mark.skipif(not NUMBA, reason="numba is not installed"))]
# fmt: off
WINDOWS: list[tuple[Any, Any]] = [  # (size, stride, padding, dilation, count)
    ((2, 3, 4, 6), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 3))),    # tiles
    ((2, 3, 5, 7), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 3))),    # and what is left over
    ((2, 4, 9), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 4))),       # rows in vectors
    ((2, 3, 5, 11), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 5))), ((2, 4, 16), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 8))),
    ((2, 2, 3, 23), ((2, 2, 0, 1, 1), (2, 2, 0, 1, 11))), ((1, 2, 32), ((2, 2, 0, 1, 1), (2, 2, 0, 1, 16))),
    ((2, 7, 43), ((2, 2, 0, 1, 3), (2, 2, 0, 1, 21))),
    ((2, 3, 4, 8), ((1, 1, 0, 1, 3), (2, 2, 0, 1, 2), (2, 2, 0, 1, 4))),
    ((2, 2, 7, 6), ((3, 2, 1, 1, 4), (3, 2, 1, 1, 3))),    # overlapping, with padding
    ((3, 6, 5), ((3, 1, 1, 1, 6), (3, 1, 1, 1, 5))),
    ((2, 9, 8), ((2, 3, 1, 2, 3), (3, 2, 2, 2, 4))),       # dilated
    ((2, 3, 9), ((3, 2, 0, 2, 3),)),
    ((2, 5, 8), ((2, 3, 0, 1, 2), (2, 3, 0, 1, 3))),       # jutting out, places between windows
    ((4, 7), ((1, 3, 0, 1, 3),)), ((1, 11), ((5, 4, 2, 1, 3),)),
    ((2, 3, 4, 5), ((2, 1, 1, 1, 4), (1, 2, 0, 1, 2), (3, 2, 1, 1, 3))),
    ((2, 4, 4, 4), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 2), (2, 2, 0, 1, 2))),
    ((0, 4, 4), ((2, 2, 0, 1, 2), (2, 2, 0, 1, 2))),
]
# fmt: on
OVERLAPPING = next(case for case in WINDOWS if case[0] == (2, 2, 7, 6))
every = pytest.mark.parametrize(("shape", "windows"), WINDOWS)
both = pytest.mark.parametrize("numba", VERSIONS, ids=["numpy", "numba"])


def drawn(shape: Any, kind: str, dtype: Any) -> Any:
    rng = np.random.default_rng(0)
    if kind == "ties":
        return rng.integers(0, 3, shape).astype(dtype)
    x = rng.normal(size=shape).astype(dtype)
    if kind == "special" and x.size:
        flat = x.reshape(-1)
        flat[rng.integers(0, x.size, x.size // 3)] = np.nan
        flat[rng.integers(0, x.size, x.size // 3)] = -np.inf
        flat[rng.integers(0, x.size, 2)] = np.inf
    return x


def largest(x: Any, seen: Any) -> Any:
    """Return the place of the first largest element, or of the last NaN."""
    best = seen[0]
    for place in seen:
        if x[place] > x[best] or np.isnan(x[place]):
            best = place
    return best


@both
@every
@pytest.mark.parametrize("kind", ["normal", "ties", "special"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_maxima_and_the_way_back(shape: Any, windows: Any, kind: str, dtype: str, numba: bool) -> None:
    x, n = drawn(shape, kind, dtype), len(windows)
    out = (*shape[:-n], *[w[4] for w in windows])
    g = np.random.default_rng(1).integers(-4, 5, out).astype(dtype)  # whole, so sums are exact
    y, places, back = np.zeros(out, dtype), np.zeros(out, np.int64), np.zeros(shape, dtype)
    for at, seen in each_window(shape, windows):
        best = largest(x, seen)
        y[at], places[at] = x[best], np.ravel_multi_index(best[-n:], shape[-n:])
        back[best] += g[at]
    with kernels.using(numba=numba):
        got = pooling.max_windows(x, windows)
        np.testing.assert_array_equal(got, y)
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(pooling.first_places(x, y, windows), places)
        spread = pooling.spread_to_first(g, x, y, windows)
        np.testing.assert_array_equal(spread, back)
        assert spread.dtype == x.dtype


@both
@pytest.mark.parametrize(("shape", "windows"), [WINDOWS[0], WINDOWS[3], OVERLAPPING])
def test_an_infinite_gradient_goes_to_one_place_only(shape: Any, windows: Any, numba: bool) -> None:
    x = drawn(shape, "normal", "f4")
    y = pooling.max_windows(x, windows)
    g = np.zeros_like(y)
    g[0, 0, 1, 1] = np.inf
    with kernels.using(numba=numba):
        spread = pooling.spread_to_first(g, x, y, windows)
    assert np.isinf(spread).sum() == 1
    assert (spread == 0).sum() == spread.size - 1


@every
@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8"])
def test_sums_and_the_way_back(shape: Any, windows: Any, dtype: str) -> None:
    rng, n = np.random.default_rng(0), len(windows)
    x = rng.integers(-4, 5, shape).astype(dtype)
    out = (*shape[:-n], *[w[4] for w in windows])
    g = rng.integers(-4, 5, out).astype(dtype)
    y, back = np.zeros(out, dtype), np.zeros(shape, dtype)
    for at, seen in each_window(shape, windows):
        for place in seen:
            y[at] += x[place]
            back[place] += g[at]
    for got, expected in ((pooling.sum_windows(x, windows), y),
                          (pooling.add_windows(g, windows, shape[-n:]), back)):  # fmt: skip
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == x.dtype


@every
@pytest.mark.parametrize("dtype", ["i4", "u1", "?", "f2"])
def test_maxima_of_other_numbers(shape: Any, windows: Any, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    got = pooling.max_windows(x, windows)
    for at, seen in each_window(shape, windows):
        assert got[at] == max(x[place] for place in seen)
    assert got.dtype == x.dtype


@both
def test_parts_in_threads_give_the_same(numba: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x = drawn((7, 3, 9, 8), "ties", "f4")
    windows = OVERLAPPING[1]
    before = kernels.get_num_threads()
    results = []
    with kernels.using(numba=numba):
        for threads, least in ((1, 1_000_000), (3, 1)):
            kernels.set_num_threads(threads)
            monkeypatch.setattr(pooling, "LEAST", least)
            try:
                y = pooling.max_windows(x, windows)
                results.append([
                    y, pooling.spread_to_first(y, x, y, windows), pooling.first_places(x, y, windows),
                    pooling.sum_windows(x, windows), pooling.add_windows(y, windows, (9, 8)),
                ])  # fmt: skip
            finally:
                kernels.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@both
def test_any_layout_of_memory_is_taken(numba: bool) -> None:
    x = drawn((6, 7, 3, 2), "normal", "f4").T
    windows = ((2, 2, 0, 1, 3), (2, 2, 0, 1, 3))
    plain = np.ascontiguousarray(x)
    with kernels.using(numba=numba):
        y = pooling.max_windows(x, windows)
        np.testing.assert_array_equal(y, pooling.max_windows(plain, windows))
        g = np.broadcast_to(np.float32(2), y.shape)
        expected = pooling.spread_to_first(y * 0 + 2, plain, y, windows)
        np.testing.assert_array_equal(pooling.spread_to_first(g, x, y, windows), expected)


@both
def test_a_window_without_its_largest_element_is_left_out(numba: bool) -> None:
    """Values that do not belong together are no reason to write anywhere."""
    x, windows = drawn((2, 7, 6), "normal", "f4"), OVERLAPPING[1]
    y = np.full((2, 4, 3), 99, np.float32)
    with kernels.using(numba=numba):
        assert not pooling.spread_to_first(y, x, y, windows).any()
