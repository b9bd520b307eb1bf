"""Selecting, windows, interpolation; convolution, polynomials, products of vectors.

Every call below is made with arrays, with Tensors and with duals: the values are NumPy's, and the
gradients agree with differences, to the second order and in both modes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import autograd_core as ag
from autograd_core.gradcheck import check_gradients

rng = np.random.default_rng(0)


def real(*shape: int) -> Any:
    return rng.uniform(-2, 2, shape)


def whole(*shape: int) -> Any:
    """Return numbers no two of which are alike, nor near each other."""
    n = int(np.prod(shape))
    return (rng.permutation(n) - n // 2).astype(float).reshape(shape) + 0.25


Call = tuple[str, Callable[..., Any], tuple[Any, ...]]
X, MASK = whole(3, 4), np.array([[True, False, True, True], [False] * 4, [True, True, False, False]])
INDEX = np.array([[0, 2, 1, 1], [1, 0, 2, 0], [2, 2, 0, 1]])
XP, FP = np.array([-1.5, -0.25, 0.0, 1.75, 2.0]), np.array([1.0, -2.0, 3.0, 0.5, 4.0])
POINTS = np.array([[-3.0, -1.0, -0.1], [0.5, 1.9, 3.0]])


# fmt: off
def convolutions() -> Iterator[Call]:
    for m, n in [(1, 1), (5, 3), (3, 5), (4, 4), (5, 2), (2, 5), (1, 4), (4, 1), (6, 4), (4, 6), (9, 8)]:
        for mode in ("full", "same", "valid"):
            yield f"convolve {m}, {n}, {mode}", lambda a, v, k=mode: np.convolve(a, v, k), (real(m), real(n))
            yield f"correlate {m}, {n}, {mode}", lambda a, v, k=mode: np.correlate(a, v, mode=k), (
                real(m), real(n))
    yield "convolve itself", lambda a: np.convolve(a, a), (real(4),)
    yield "convolve, defaults", lambda a, v: np.convolve(a, v), (real(4), real(2))
    yield "correlate, defaults", lambda a, v: np.correlate(a, v), (real(2), real(4))
    yield "convolve a number", lambda a, v: np.convolve(a, v), (real(), real(3))
    yield "convolve a list", lambda v: np.convolve([1.0, 2.0], v), (real(3),)
    yield "convolve reversed", lambda a, v: np.convolve(a[::-1], v[::2]), (real(4), real(5))


def polynomials() -> Iterator[Call]:
    for n in (1, 2, 3, 6):
        for shape in [(), (4,), (2, 3), (0,)]:
            yield f"polyval {n}, {shape}", lambda p, x: np.polyval(p, x), (real(n), real(*shape))
    yield "polyval at zeros", lambda p, x: np.polyval(p, x), (real(4), np.zeros(3))
    yield "polyval of a list", lambda x: np.polyval([1, 2.0, 3], x), (real(3),)
    yield "polyval of a poly1d", lambda x: np.polyval(np.poly1d([1, 2.0, 3]), x), (real(3),)
    yield "polyval at a number", lambda p: np.polyval(p, 1.5), (real(3),)
    yield "polyval at a whole number", lambda p: np.polyval(p, 2), (real(3),)
    yield "polyval of columns", lambda p, x: np.polyval(p, x), (real(3, 2), real(2))


def products() -> Iterator[Call]:
    for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (4, 3)), ((4, 1, 3), (2, 3)), ((0, 3), (3,))]:
        yield f"cross {a}, {b}", lambda a, b: np.cross(a, b), (real(*a), real(*b))
    yield "cross itself", lambda a: np.cross(a, 2 * a + 1), (real(2, 3),)
    yield "cross axis", lambda a, b: np.cross(a, b, axis=0), (real(3, 4), real(3, 4))
    yield "cross axisa", lambda a, b: np.cross(a, b, axisa=0), (real(3, 4), real(4, 3))
    yield "cross axes", lambda a, b: np.cross(a, b, -2, 1, 0), (real(3, 4), real(4, 3))
    yield "cross axisc", lambda a, b: np.cross(a, b, axisc=-2), (real(5, 4, 3), real(4, 3))
    yield "cross list", lambda b: np.cross([1.0, 2.0, 3.0], b), (real(3),)
    for a, b in [((2,), (2,)), ((2,), (3,)), ((3,), (2,)), ((4, 2), (2,)), ((4, 3), (5, 1, 2))]:
        yield f"cross {a}, {b}", lambda a, b: np.cross(a, b), (real(*a), real(*b))
    yield "cross 2 axis", lambda a, b: np.cross(a, b, axis=0), (real(2, 4), real(2, 4))
    yield "cross 2 axisc", lambda a, b: np.cross(a, b, axisa=0, axisc=0), (real(2, 4), real(4, 3))
    yield "linalg.cross", lambda a, b: np.linalg.cross(a, b), (real(2, 3), real(2, 3))
    yield "linalg.cross axis", lambda a, b: np.linalg.cross(a, b, axis=0), (real(3, 2), real(3, 2))
    for m, n in [(3, 2), (1, 1), (0, 2), (2, 0)]:
        yield f"matvec {m}, {n}", lambda a, x: ag.matvec(a, x), (real(m, n), real(n))
        yield f"vecmat {m}, {n}", lambda x, a: ag.vecmat(x, a), (real(m), real(m, n))
    yield "matvec batch", lambda a, x: ag.matvec(a, x), (real(4, 3, 2), real(2))
    yield "matvec batch of vectors", lambda a, x: ag.matvec(a, x), (real(3, 2), real(5, 4, 2))
    yield "matvec both", lambda a, x: ag.matvec(a, x), (real(4, 1, 3, 2), real(5, 2))
    yield "vecmat batch", lambda x, a: ag.vecmat(x, a), (real(3), real(4, 3, 2))
    yield "vecmat batch of vectors", lambda x, a: ag.vecmat(x, a), (real(5, 4, 3), real(3, 2))
    yield "vecmat both", lambda x, a: ag.vecmat(x, a), (real(5, 3), real(4, 1, 3, 2))
    yield "permute_dims", lambda x: ag.permute_dims(x, (2, 0, 1)), (real(2, 3, 4),)


def chosen() -> Iterator[Call]:
    yield "compress", lambda x: np.compress([True, False, True], x), (X,)
    for axis in (0, -2):
        yield f"compress {axis}", lambda x, k=axis: np.compress([False, True, True], x, axis=k), (X,)
    yield "compress 1", lambda x: np.compress([1, 0, 5], x, 1), (X,)
    yield "compress to nothing", lambda x: np.compress([0, 0], x, axis=-1), (X,)
    yield "compress an empty one", lambda x: np.compress([], x, axis=0), (real(0, 3),)
    yield "compress a number", lambda x: np.compress([True], x), (real(),)
    yield "extract", lambda x: np.extract(MASK, x), (X,)
    yield "extract less", lambda x: np.extract([True, False, True], x), (X,)
    yield "extract by values", lambda x: np.extract(x > 0, x * x), (X,)
    yield "extract nothing", lambda x: np.extract(x > 99, x), (X,)
    yield "extract a number", lambda x: np.extract(x > -9, x), (real(),)
    yield "select", lambda x, y: np.select([x > 1, x > -2], [x * y, y]), (X, real(3, 4))
    yield "select, default", lambda x, y: np.select([x > 1], [x], y), (X, real(4))
    yield "select, numbers", lambda x: np.select([x > 1, x < -1, x == 99], [1, x * x, 2.5], -3), (X,)
    yield "select, shapes", lambda x, y: np.select([MASK, MASK[0]], [x, y[:, None]], 1.0), (
        real(4), real(3))
    yield "select a number", lambda x: np.select([x > -9, x > 0], [x, 2 * x]), (real(),)
    yield "select nothing", lambda x: np.select([x > 0], [x]), (real(0, 2),)
    yield "select, many", lambda x: np.select([x > k for k in range(70)], [k * x for k in range(70)]), (X,)
    yield "choose", lambda x, y, z: np.choose(INDEX, [x, y, z]), (X, real(4), real(3, 1))
    yield "choose, number", lambda x: np.choose(INDEX, (x, 2.0, x * x)), (X,)
    yield "choose from one", lambda x: np.choose(INDEX, x), (real(3, 3, 4),)
    yield "choose from one, broadcast", lambda x: np.choose(INDEX[0], x), (real(3, 2, 4),)
    yield "choose from rows", lambda x: np.choose(INDEX, x), (real(3, 4),)
    yield "choose wrap", lambda x, y: np.choose(INDEX - 3, [x, y], mode="wrap"), (X, real(4))
    yield "choose clip", lambda x, y: np.choose(2 * INDEX - 1, [x, y], mode="clip"), (X, real())
    yield "choose by one", lambda x, y: np.choose(1, [x, y]), (real(3), real(2, 1))
    yield "choose by conditions", lambda x: np.choose(x > 0, [x, x * x]), (X,)
    yield "choose nothing", lambda x: np.choose(np.zeros((0, 2), int), [x, x]), (real(2),)


def pieces() -> Iterator[Call]:
    yield "piecewise", lambda x: np.piecewise(x, [x < 0, x > 2], [np.sin, lambda x: x * x]), (X,)
    yield "piecewise, otherwise", lambda x: np.piecewise(x, [x < 0], [np.exp, lambda x: x**3]), (X,)
    yield "piecewise, numbers", lambda x: np.piecewise(x, [x < 0, x >= 0], [-1, lambda x: 2 * x]), (X,)
    yield "piecewise, overlap", lambda x: np.piecewise(
        x, [x < 3, x > 0], [lambda x: x * x, np.sin]), (X,)
    yield "piecewise, arguments", lambda x, c: np.piecewise(
        x, [x < 0], [lambda x, c, k: c * x, lambda x, c, k: k - c * x * x], c, k=2), (X, real())
    yield "piecewise, together", lambda x: np.piecewise(x, [x > 0], [lambda x: x * x.sum()]), (X,)
    yield "piecewise, rows", lambda x: np.piecewise(
        x, [[True, False, True], [False, True, False]], [np.sin, lambda x: x * x.sum()]), (X,)
    yield "piecewise, one condition", lambda x: np.piecewise(x, x > 0, [np.sin, np.cos]), (X[0],)
    yield "piecewise, constant function", lambda x: np.piecewise(x, [x > 0], [lambda x: 5.0, np.cos]), (X,)
    yield "piecewise, nothing else", lambda x: np.piecewise(x, [x > 0], [5.0]), (X,)
    yield "piecewise of a number", lambda x: np.piecewise(x, [x < 0, x >= 0], [np.sin, np.cos]), (real(),)
    yield "piecewise of nothing", lambda x: np.piecewise(x, [x < 0], [np.sin, np.cos]), (real(0, 2),)


def ordered() -> Iterator[Call]:
    for shape, kth, axis in [((5,), 2, -1), ((3, 4), 1, 0), ((3, 4), 2, 1), ((3, 4), -1, -2),
                             ((3, 4), 5, None), ((3, 4), (0, 2), -1), ((1,), 0, 0)]:
        yield f"partition {shape}, {kth}, {axis}", lambda x, k=kth, a=axis: np.partition(x, k, axis=a), (
            whole(*shape),)
    yield "bincount", lambda w: np.bincount([0, 3, 3, 1, 3], w), (real(5),)
    yield "bincount, longer", lambda w: np.bincount(np.array([1, 0], np.uint8), weights=w, minlength=6), (
        real(2),)
    yield "bincount of ones", lambda w: np.bincount([2, 2], w), (real(2),)
    for shape, windows, axis in [((5,), 2, None), ((5,), (5,), 0), ((5,), 1, -1), ((4, 3), (2, 2), None),
                                 ((4, 3), 2, 0), ((4, 3), (3,), (1,)), ((6,), (2, 3), (0, 0)),
                                 ((2, 4, 3), (2, 3), (2, 1)), ((3,), 0, None), ((0, 2), 1, 1),
                                 ((13,), 5, None), ((7, 12), (2, 5), None)]:
        yield f"windows {shape}, {windows}, {axis}", lambda x, w=windows, a=axis: sliding_window_view(
            x, w, axis=a), (real(*shape),)


def lines() -> Iterator[Call]:
    yield "interp", lambda x, xp, fp: np.interp(x, xp, fp), (POINTS, XP, FP)
    yield "interp at a number", lambda x, xp, fp: np.interp(x, xp, fp), (np.array(0.3), XP, FP)
    yield "interp of lists", lambda x: np.interp(x, [0.0, 1.0, 2.5], [0.0, 1.0, 5.0]), (POINTS,)
    yield "interp of values", lambda fp: np.interp([0.5, 1.5], [0.0, 1.0, 2.0], fp), (real(3),)
    yield "interp left", lambda x, xp, fp: np.interp(x, xp, fp, left=-9.0), (POINTS, XP, FP)
    yield "interp right", lambda x, xp, fp, r: np.interp(x, xp, fp, right=r), (POINTS, XP, FP, real())
    yield "interp both", lambda x, xp, fp, a: np.interp(x, xp, fp, a, a * a), (POINTS, XP, FP, real())
    yield "interp one point", lambda x, xp, fp: np.interp(x, xp, fp), (POINTS, XP[:1], FP[:1])
    yield "interp two points", lambda x, xp, fp: np.interp(x, xp, fp), (POINTS, XP[:2], FP[:2])
    yield "interp nowhere", lambda x, xp, fp: np.interp(x, xp, fp), (real(0), XP, FP)
    yield "interp period", lambda x, xp, fp: np.interp(x, xp, fp, period=4.1), (POINTS * 2, XP[::-1], FP)
    yield "interp period -3", lambda x, xp, fp: np.interp(x, xp, fp, period=-3), (
        POINTS + 0.1, XP[:3] + 0.01, FP[:3])
    for shape, params in [((7,), {}), ((3, 4), {"axis": 0}), ((3, 4), {"axis": -1, "period": 5}),
                          ((7,), {"period": 3}), ((7,), {"discont": 3.5, "period": 1.1}), ((1,), {})]:
        yield f"unwrap {shape}, {params}", lambda p, k=params: np.unwrap(p, **k), (whole(*shape),)
# fmt: on


CALLS = [
    *convolutions(), *polynomials(), *products(), *chosen(), *pieces(), *ordered(), *lines(),
]  # fmt: skip
every_call = pytest.mark.parametrize(("name", "f", "arrays"), CALLS, ids=[c[0] for c in CALLS])
pytestmark = pytest.mark.filterwarnings("ignore:.*2-dimensional vectors", "ignore:.*cross. got vectors")


@every_call
def test_values_are_numpys(name: str, f: Any, arrays: Any) -> None:
    for dtype in (np.float64, np.float32):
        xs = [x.astype(dtype) for x in arrays]
        plain = f(*xs)
        y = f(*[ag.tensor(x, requires_grad=True) for x in xs])
        assert type(y) is ag.Tensor
        assert y.requires_grad
        assert (y.dtype, y.shape) == (plain.dtype, plain.shape)
        if name.startswith("partition"):  # the order within the parts is nobody's promise
            plain, y = (np.sort(v, axis=None) for v in (plain, y.numpy()))
            np.testing.assert_array_equal(y, plain)
        else:
            eps = 8 * np.finfo(dtype).eps
            np.testing.assert_allclose(y.numpy(), plain, rtol=eps, atol=eps * 8)


@every_call
def test_gradients(name: str, f: Any, arrays: Any) -> None:
    check_gradients(f, *arrays, order=2)


@every_call
def test_float32_in_float32_out(name: str, f: Any, arrays: Any) -> None:
    exact = [ag.tensor(x, requires_grad=True) for x in arrays]
    rounded = [ag.tensor(x.astype(np.float32), requires_grad=True) for x in arrays]
    for ts in (exact, rounded):
        y = f(*ts)
        y.backward(np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape))
    for a, b in zip(exact, rounded, strict=True):
        assert b.grad is None or b.grad.dtype == np.float32
        if a.grad is not None:
            atol = 1e-3 * (1 + np.abs(a.grad).max(initial=0))
            np.testing.assert_allclose(b.grad, a.grad, rtol=1e-4, atol=atol)


# -- one by one ----------------------------------------------------------------------------------


def leaf(x: Any) -> Any:
    return ag.tensor(np.array(x, float), requires_grad=True)


def gradient(f: Callable[..., Any], *xs: Any) -> list[Any]:
    ts = [leaf(x) for x in xs]
    y = f(*ts)
    y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
    return [t.grad for t in ts]


@pytest.mark.parametrize("sizes", [(60, 60), (60, 20), (20, 60), (60, 59), (60, 1)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_a_gradient_of_convolve_costs_what_the_forward_pass_costs(
    sizes: tuple[int, int], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count the products of numbers: no gradient of "valid" may go through "full"."""
    products, numpy = [], np.convolve

    def counted(a: Any, v: Any, mode: Any = "full") -> Any:
        ones = numpy(np.ones(len(a)), np.ones(len(v)), mode)
        products.append(ones.sum())
        return numpy(a, v, mode)

    a, v = leaf(real(sizes[0])), leaf(real(sizes[1]))
    for f in (ag.convolve, ag.correlate):
        products.clear()
        with monkeypatch.context() as patch:
            patch.setattr(np, "convolve", counted)
            f(a, v, mode).sum().backward()
        forward, *backward = products
        assert len(backward) == 2
        assert max(backward) <= (1.4 if mode == "same" else 1) * forward


def test_polyval_keeps_no_powers() -> None:
    x = leaf(real(1000))
    y = ag.polyval(leaf(real(30)), x)
    assert sum(np.size(v) for v in y.grad_fn.inputs) <= 1030
    assert y.grad_fn.output is None


def test_polyval_without_coefficients() -> None:
    assert np.asarray(np.polyval(leaf([]), [1.0, 2.0])).tolist() == [0, 0]


def test_two_dimensional_cross_warns_as_numpys() -> None:
    with pytest.warns(DeprecationWarning, match=r"\[cross\] got vectors of length 2"):
        np.cross(leaf([1.0, 2.0]), [3.0, 4.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.cross(leaf([1.0, 2.0, 3.0]), [3.0, 4.0, 5.0])


def test_partition_has_its_promise_and_its_places() -> None:
    x = real(9, 40)
    y = np.partition(leaf(x), 7, axis=1).numpy()
    assert (y[:, :7] <= y[:, 7:8]).all()
    assert (y[:, 8:] >= y[:, 7:8]).all()
    (g,) = gradient(lambda t: np.partition(t, (3, 7), axis=1)[:, [3, 7]].sum(axis=1), x)
    where = np.argsort(x, axis=1)[:, [3, 7]]
    expected = np.zeros_like(x)
    np.put_along_axis(expected, where, np.cos(np.arange(9))[:, None], axis=1)
    np.testing.assert_array_equal(g, expected)
    (g,) = gradient(lambda t: np.partition(t, 1) * [0.0, 1.0, 0.0], [2.0, 2.0, 2.0])  # ties: one
    assert sorted(g) == [0, 0, np.cos(1)]


def test_interp_has_the_slope_on_the_right_at_knots() -> None:
    xp, fp = [0.0, 1.0, 3.0], [0.0, 1.0, 7.0]
    slopes = [ag.grad(lambda x: np.interp(x, xp, fp))(x) for x in (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0)]
    assert slopes == [0, 1, 3, 3, 0, 0]
    g = ag.grad(lambda xp: np.interp(1.0, xp, fp))(np.array(xp))
    assert g.tolist() == [0, -3, 0]
    g = ag.grad(lambda fp: np.interp([1.0, 3.0], xp, fp).sum())(np.array(fp))
    assert g.tolist() == [0, 1, 1]


def test_interp_where_points_coincide_and_beyond() -> None:
    xp, fp = np.array([0.0, 1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 5.0, 6.0, 9.0])
    x = np.array([-1, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, np.inf, -np.inf, np.nan])
    with np.errstate(all="raise", invalid="ignore"):
        t = leaf(x)
        y = np.interp(t, leaf(xp), leaf(fp))
        np.testing.assert_array_equal(y.numpy(), np.interp(x, xp, fp))
        y[:9].sum().backward()
    assert t.grad.tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    for bounds in [(-7.0, None), (None, 7.0), (-7.0, 7.0)]:
        y = np.interp(leaf(x), xp, fp, *bounds)
        np.testing.assert_array_equal(y.numpy(), np.interp(x, xp, fp, *bounds))


def test_interp_in_its_period() -> None:
    check_gradients(lambda k: ag.interp(POINTS, XP[:3], FP[:3], period=k), np.array(3.3), order=2)


def test_select_takes_the_first_and_piecewise_the_last() -> None:
    x = np.array([1.0, 2.0])
    (g,) = gradient(lambda t: np.select([t > 0, t > 1], [t, 10 * t]), x)
    np.testing.assert_allclose(g, [1, np.cos(1)])
    (g,) = gradient(lambda t: np.piecewise(t, [t > 0, t > 1], [lambda v: v, lambda v: 10 * v]), x)
    np.testing.assert_allclose(g, [1, 10 * np.cos(1)])


def test_what_is_not_selected_gets_nothing_not_even_nan() -> None:
    with np.errstate(all="ignore"):
        (g,) = gradient(lambda t: np.select([t > 0], [np.sqrt(t)], t), [-1.0, 0.0, 4.0])
        np.testing.assert_allclose(g, [1, np.cos(1), 0.25 * np.cos(2)])
        (g,) = gradient(lambda t: np.choose([0, 1], [t, np.log(t)]), [0.0, 1.0])
    np.testing.assert_allclose(g, [1, np.cos(1)])


def test_piecewise_calls_functions_with_tensors_and_not_for_nothing() -> None:
    seen = []

    def look(t: Any) -> Any:
        seen.append((type(t), t.shape))
        return t

    ag.piecewise(leaf([1.0, 2.0]), [[True, False], [False, False]], [look, look])
    assert seen == [(ag.Tensor, (1,))]


def test_bincount_counts_and_is_empty_as_numpys() -> None:
    assert np.bincount(ag.tensor([0, 2, 2])).tolist() == [1, 0, 2]
    w = leaf([])
    y = np.bincount(np.array([], int), w, 3)
    assert y.numpy().tolist() == [0, 0, 0]
    y.sum().backward()
    assert w.grad.shape == (0,)


def test_windows_are_a_view_until_somebody_writes() -> None:
    x = leaf(np.arange(5.0))
    y = ag.sliding_window_view(x, 2)
    assert np.shares_memory(y.numpy(), x.numpy())
    (g,) = gradient(lambda t: sliding_window_view(t, (2, 300), axis=(0, 1)), np.ones((40, 400)))
    expected = np.zeros((40, 400))
    above = np.cos(np.arange(39 * 101 * 600)).reshape(39, 101, 2, 300)
    for i in range(39):
        for j in range(101):
            expected[i : i + 2, j : j + 300] += above[i, j]
    np.testing.assert_allclose(g, expected, atol=1e-11)


def test_unwrap_adds_whole_periods() -> None:
    (g,) = gradient(np.unwrap, [0.0, 3.0, 6.5, 0.2, -3.0])
    np.testing.assert_array_equal(g, np.cos(np.arange(5)))


def test_given_no_tensor_it_is_numpys() -> None:
    for name in ("convolve", "correlate"):
        assert type(getattr(ag, name)([1, 2], [3, 4])) is np.ndarray
    assert ag.select([[True]], [[2]]).tolist() == [2]
    assert ag.interp(0.5, [0, 1], [0, 2]) == 1.0
    assert ag.choose([0], [[5]], out=np.zeros(1, int)).tolist() == [5]


# -- errors --------------------------------------------------------------------------------------

T, M = leaf([1.0, 2.0, 3.0]), leaf(np.ones((3, 3)))
ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "convolve matrix": (lambda: np.convolve(M, T), ValueError, r"\[convolve\] got a of shape \(3, 3\)"),
    "convolve nothing": (lambda: np.convolve(T, []), ValueError, r"\[convolve\] got v of shape \(0,\)"),
    "convolve mode": (lambda: np.convolve(T, T, "fill"), ValueError, r"mode='fill', expected 'full'"),
    "correlate nothing": (lambda: np.correlate([], T), ValueError, r"\[correlate\] got a of shape"),
    "correlate mode": (lambda: np.correlate(T, T, mode="all"), ValueError, "mode='all'"),
    "polyval poly1d": (lambda: np.polyval(T, np.poly1d([1, 2])), TypeError, "poly1d"),
    "polyval number": (lambda: ag.polyval(T[0], T), TypeError, r"\[polyval\].*shape \(\)"),
    "cross 4": (lambda: np.cross(leaf(np.ones(4)), T), ValueError, r"\[cross\].*length 4 and 3"),
    "cross number": (lambda: np.cross(T[0], T), ValueError, r"\[cross\] got shapes \(\)"),
    "cross axis": (lambda: np.cross(T, T, axisa=1), np.exceptions.AxisError, "axisa"),
    "cross axisc": (lambda: np.cross(T, T, axisc=1), np.exceptions.AxisError, "axisc"),
    "cross shapes": (lambda: np.cross(leaf(np.ones((2, 3))), M), ValueError, r"\(2, 3\), \(3, 3\)"),
    "linalg.cross 2": (lambda: np.linalg.cross(T[:2], T[:2]), ValueError, "vectors of length 3"),
    "matvec shapes": (lambda: ag.matvec(M, T[:2]), ValueError, r"\[matvec\].*\(3, 3\).*\(2,\)"),
    "vecmat shapes": (lambda: ag.vecmat(T, T), ValueError, r"\[vecmat\].*\(3,\)"),
    "compress matrix": (lambda: np.compress([[True]], T), ValueError, r"\[compress\].*a vector"),
    "compress too long": (lambda: np.compress([0, 0, 0, 1], T), IndexError, r"\[compress\].*at 3"),
    "compress axis": (lambda: np.compress([1], T, axis=1), np.exceptions.AxisError, "axis 1"),
    "extract too long": (lambda: np.extract([0, 0, 0, 1], T), IndexError, r"\[extract\].*at 3"),
    "select lengths": (lambda: np.select([T > 0], [T, T]), ValueError, "1 conditions and 2 choices"),
    "select nothing": (lambda: ag.select([], [], T), ValueError, "0 conditions"),
    "select dtype": (lambda: np.select([[1, 0, 1]], [T]), TypeError, r"condition 0 of dtype int"),
    "piecewise": (lambda: np.piecewise(T, [T > 0], []), ValueError, "1 conditions and 0 functions"),
    "choose range": (lambda: np.choose([0, 2], [T[:2], T[:2]]), ValueError, r"\[choose\].*2 choices"),
    "choose float": (lambda: np.choose(T, [T, T]), TypeError, r"\[choose\].*float64.*integers"),
    "choose mode": (lambda: np.choose([0], [T], mode="any"), ValueError, "mode='any'"),
    "choose out": (lambda: np.choose([0], [T], out=np.zeros(3)), TypeError, r"choose\(\).*out"),
    "choose nothing": (lambda: ag.choose(ag.tensor([0]), []), ValueError, "no choices"),
    "bincount float": (lambda: np.bincount(T), TypeError, r"\[bincount\] got x of dtype float64"),
    "bincount lengths": (lambda: np.bincount([0, 1], T), ValueError, r"\(2,\).*\(3,\)"),
    "bincount negative": (lambda: np.bincount([0, -1, 1], T), ValueError, r"\[bincount\]"),
    "interp lengths": (lambda: np.interp(T, [0, 1], T), ValueError, r"\[interp\].*\(2,\).*\(3,\)"),
    "interp nothing": (lambda: np.interp(T, [], []), ValueError, "not empty"),
    "interp period": (lambda: np.interp(T, T, T, period=0), ValueError, "period=0"),
    "interp complex": (lambda: np.interp(T, [0, 1], [1j, 2]), TypeError, "complex"),
    "windows too long": (lambda: sliding_window_view(T, 4), ValueError, r"windows 4 in shape \(3,\)"),
    "windows negative": (lambda: sliding_window_view(T, -1), ValueError, "none negative"),
    "windows axes": (lambda: sliding_window_view(M, 2), ValueError, r"1 axes for axes \(0, 1\)"),
    "windows writeable": (lambda: sliding_window_view(T, 2, writeable=True), ValueError, "writeable"),
    "unwrap period": (lambda: np.unwrap(T, period=T[0]), TypeError, r"\[unwrap\].*period"),
    "partition": (lambda: np.partition(T, 5), ValueError, "kth"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, kind, text = ERRORS[name]
    with pytest.raises(kind, match=text):
        call()


# -- beside PyTorch --------------------------------------------------------------------------------


def beside_torch(f: Callable[..., Any], g: Callable[..., Any], *xs: Any) -> None:
    """Compare value and gradients of ``f`` with those of ``g``, of torch's tensors."""
    torch = pytest.importorskip("torch")
    theirs = [torch.tensor(x, requires_grad=True) for x in xs]
    y = g(torch, *theirs)
    ours = [leaf(x) for x in xs]
    z = f(*ours)
    np.testing.assert_allclose(z.numpy(), y.detach().numpy(), rtol=1e-12, atol=1e-12)
    above = np.cos(np.arange(z.size)).reshape(z.shape)
    y.backward(torch.tensor(above))
    z.backward(above)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_correlate_beside_torch(padding: str) -> None:
    beside_torch(
        lambda a, v: np.correlate(a, v, padding),
        lambda torch, a, v: torch.nn.functional.conv1d(a[None], v[None, None], padding=padding)[0],
        real(12), real(5),
    )  # fmt: skip


def test_others_beside_torch() -> None:
    beside_torch(lambda a, b: np.cross(a, b, axis=1), lambda torch, a, b: torch.cross(a, b, dim=1),
                 real(4, 3, 2), real(4, 3, 2))  # fmt: skip
    beside_torch(lambda x: sliding_window_view(x, 3, axis=1), lambda torch, x: x.unfold(1, 3, 1), real(4, 7))
    beside_torch(lambda w: np.bincount([0, 2, 2, 1], w, 5),
                 lambda torch, w: torch.zeros(5, dtype=w.dtype).index_add(0, torch.tensor([0, 2, 2, 1]), w),
                 real(4))  # fmt: skip
    beside_torch(lambda x: np.partition(x, 3, axis=1)[:, 3],
                 lambda torch, x: torch.kthvalue(x, 4, dim=1).values, whole(5, 9))  # fmt: skip
    beside_torch(lambda x, y: np.choose(INDEX, [x, y, x]), lambda torch, x, y: torch.gather(
        torch.stack([x, y, x]), 0, torch.tensor(INDEX)[None])[0], real(3, 4), real(3, 4))  # fmt: skip
