"""The products of convolutions: the definition as sums, the NumPy kernels and the loops say the same."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from autograd_core import kernels
from autograd_core.kernels import convolution, team
from autograd_core.kernels.loops import convolution as loops
from autograd_core.kernels.loops import few

from .table import table_convolution as table

NUMBA = importlib.util.find_spec("numba") is not None
numba = pytest.mark.skipif(not NUMBA, reason="numba is not installed: pip install 'autograd-core[fast]'")

# images, channels, size, filters, kernel, stride, padding before and after, dilation, groups
SETTINGS = {
    "1 axis": (2, 4, (7,), 4, (3,), (1,), ((1, 1),), (1,), 1),
    "1 axis, cropped": (2, 2, (9,), 3, (2,), (2,), ((-1, -2),), (3,), 1),
    "no border": (3, 3, (5, 6), 5, (2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "all different": (3, 4, (9, 8), 6, (2, 3), (2, 3), ((1, 1), (2, 0)), (2, 1), 2),
    "3 axes": (2, 2, (5, 6, 7), 3, (2, 3, 2), (1, 2, 3), ((1, 1), (0, 0), (1, 2)), (1, 2, 1), 1),
    "a filter for each channel": (2, 6, (5, 6), 6, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 6),
    "three for each channel": (2, 3, (5, 7), 9, (3, 2), (2, 3), ((1, 0), (0, 3)), (2, 1), 3),
    "four for each channel": (2, 2, (5, 7), 8, (3, 2), (2, 3), ((1, 0), (0, 3)), (2, 1), 2),
    "several panels": (1, 2, (4, 5), 70, (2, 2), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "two groups of panels": (2, 4, (4, 5), 70, (2, 2), (1, 1), ((0, 1), (1, 0)), (1, 1), 2),
    "one tap, stepping over places": (2, 3, (5, 5), 4, (1, 1), (2, 3), ((0, 0), (0, 0)), (1, 1), 1),
    "one tap and a border": (2, 3, (2, 3), 4, (1, 1), (1, 1), ((2, 1), (0, 2)), (1, 1), 1),
    "a kernel in the border alone": (1, 1, (1, 2), 2, (2, 2), (1, 1), ((3, 3), (2, 2)), (1, 1), 1),
    "a stride beyond the kernel": (1, 2, (9, 9), 2, (2, 2), (4, 3), ((1, 0), (0, 0)), (1, 1), 1),
    "no image": (0, 2, (4, 5), 3, (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "six filters": (3, 2, (9, 21), 6, (3, 2), (1, 1), ((1, 1), (0, 1)), (2, 3), 1),
    "eight filters in each of two groups": (2, 4, (4, 40), 16, (2, 3), (1, 1), ((1, 0), (2, 2)), (1, 1), 2),
    "few, cropped": (2, 3, (5, 4, 9), 5, (2, 1, 3), (1, 1, 1), ((1, 0), (-1, 0), (0, -2)), (1, 1, 2), 1),
    "many places": (1, 1, (40, 70), 2, (2, 2), (1, 1), ((0, 0), (1, 1)), (1, 1), 1),
}  # fmt: skip


def sums(x: Any, w: Any, g: Any, stride: Any, before: Any, dilation: Any, groups: int) -> tuple[Any, ...]:
    """Return the three products, place by place and tap by tap, as they are defined."""
    spare = tuple((p, s * (m - 1) + d * (k - 1) + 1 - n - p) for n, m, k, s, p, d in zip(
        x.shape[2:], g.shape[2:], w.shape[2:], stride, before, dilation, strict=True))  # fmt: skip
    how = {"stride": stride, "padding": spare, "dilation": dilation, "groups": groups}
    return (table.correlated(x, w, **how), table.spread(g, w, size=x.shape[2:], **how),
            table.overlap(g, x, taps=w.shape[2:], **how))  # fmt: skip


def problem(setting: Any, dtype: Any) -> tuple[Any, ...]:
    n, c, size, o, kernel, stride, padding, dilation, groups = setting
    rng = np.random.default_rng(0)
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    places = tuple((m + p + q - d * (k - 1) - 1) // s + 1 for m, k, s, (p, q), d in axes)
    x, w = rng.normal(size=(n, c, *size)), rng.normal(size=(o, c // groups, *kernel))
    g, b = rng.normal(size=(n, o, *places)), rng.normal(size=o)
    arrays = (v.astype(dtype) for v in (x, w, g, b))
    return *arrays, stride, tuple(p for p, _ in padding), dilation, groups


def products(
    x: Any, w: Any, g: Any, b: Any, stride: Any, before: Any, dilation: Any, groups: int
) -> list[Any]:
    """Return what the kernels say, in memory in which something stands."""
    how = stride, before, dilation, groups
    y, x_bar, w_bar = (np.full_like(v, np.nan) for v in (g, x, w))
    found = [convolution.correlate(x, w, b, *how, g.shape[2:], y),
             convolution.spread(g, w, *how, x.shape[2:], x_bar),
             convolution.overlap(g, x, *how, w.shape[2:], w_bar)]  # fmt: skip
    assert all(mine is given for mine, given in zip(found, (y, x_bar, w_bar), strict=True))
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("fast", [False, pytest.param(True, marks=numba)], ids=["NumPy", "numba"])
def test_as_defined(setting: Any, fast: bool, dtype: Any) -> None:
    x, w, g, b, *how = problem(setting, dtype)
    y, *others = sums(*(v.astype(np.float64) for v in (x, w, g)), *how)
    expected = [y + b.astype(np.float64).reshape(-1, *(1,) * (y.ndim - 2)), *others]
    with kernels.using(numba=fast):
        found = products(x, w, g, b, *how)
    for mine, right in zip(found, expected, strict=True):
        assert (mine.dtype, mine.shape) == (dtype, right.shape)
        scale = np.abs(right).max(initial=1)
        np.testing.assert_allclose(mine, right, rtol=0, atol=scale * (2e-6 if dtype == np.float32 else 1e-13))


@numba
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads(threads: int) -> None:
    setting = (3, 5, (33, 30), 34, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    given = problem(setting, np.float32)
    with kernels.using(numba=False):
        expected = products(*given)
    before = kernels.get_num_threads()
    try:
        kernels.set_num_threads(threads)
        with kernels.using(numba=True):
            found = products(*given)
    finally:
        kernels.set_num_threads(before)
    for mine, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, right, rtol=0, atol=5e-6 * np.abs(right).max())


@pytest.mark.parametrize("fast", [False, pytest.param(True, marks=numba)], ids=["NumPy", "numba"])
@pytest.mark.parametrize("groups", [1, 2, 4], ids="{} groups".format)
def test_what_is_not_a_number_stays_where_it_is_read(fast: bool, groups: int) -> None:
    x, w = np.ones((2, 4, 6, 9), np.float32), np.ones((8, 4 // groups, 2, 2), np.float32)
    x[1, 0, 2, 3] = w[-1] = np.nan
    with kernels.using(numba=fast):
        y = convolution.correlate(x, w, np.zeros(8, np.float32), (1, 1), (0, 0), (1, 1), groups, (5, 8))
        w_bar = convolution.overlap(np.ones_like(y), x, (1, 1), (0, 0), (1, 1), groups, (2, 2))
    hit = np.zeros((2, 8, 5, 8), bool)
    hit[1, : 8 // groups, 1:3, 2:4] = hit[:, -1] = True
    np.testing.assert_array_equal(np.isnan(y), hit)
    reads = np.zeros(w.shape, bool)
    reads[: 8 // groups, 0] = True
    np.testing.assert_array_equal(np.isnan(w_bar), reads)


@numba
def test_a_border_of_zeros_hides_what_is_not_finite() -> None:
    """With few filters rows run on into each other: what no output reads must not reach the gradient."""
    x, g = np.zeros((2, 1, 4, 4), np.float32), np.ones((2, 3, 4, 3), np.float32)
    x[0, 0, 1, 0] = np.inf  # only the first column of the kernel reads the first column of the image
    with kernels.using(numba=True):
        w_bar = convolution.overlap(g, x, (1, 1), (0, 0), (1, 1), 1, (1, 2))
    np.testing.assert_array_equal(w_bar[:, 0, 0], [[np.inf, 0]] * 3)


def test_large_images_are_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = (3, 2, (9, 8), 4, (3, 2), (2, 1), ((1, 1), (0, 1)), (1, 2), 1)
    given = problem(setting, np.float64)
    with kernels.using(numba=False):
        expected = products(*given)
        for size in (1, 1000, 5000):
            monkeypatch.setattr(convolution, "BUFFER", size)
            for mine, right in zip(products(*given), expected, strict=True):
                np.testing.assert_allclose(mine, right, rtol=1e-12, atol=1e-12)


@numba
@pytest.mark.parametrize("filters", [5, 10])
def test_a_sum_over_threads_does_not_depend_on_which_is_first(
    filters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    g, x = (rng.standard_normal(shape, np.float32) for shape in ((6, filters, 9, 8), (6, 4, 11, 10)))
    found = []
    monkeypatch.setattr(few if filters <= few.FEW else loops, "parts_of", lambda units, time: 3)
    for number in (1, 2, 3):  # of threads that do the three parts
        monkeypatch.setattr(team, "parts_of", lambda units, time, number=number: number)
        with kernels.using(numba=True):
            found.append(convolution.overlap(g, x, (1, 1), (0, 0), (1, 1), 1, (3, 3)))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    monkeypatch.setattr(few if filters <= few.FEW else loops, "parts_of", lambda units, time: 1)
    with kernels.using(numba=True):
        whole = convolution.overlap(g, x, (1, 1), (0, 0), (1, 1), 1, (3, 3))
    assert not np.array_equal(whole, found[0])  # the sums were in three parts
    np.testing.assert_allclose(whole, found[0], rtol=1e-4, atol=1e-4)
