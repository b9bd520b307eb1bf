"""Running products, differences, order statistics, averages, what ignores NaN, covariance.

Every call is made with arrays (NumPy's own result), with Tensors (the same result), and its
gradients are checked to second order in both modes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck import check_gradients
from autograd_core.ops import scans
from autograd_core.primitive import NUMPY

numpy: Any = np  # for calls that NumPy's types refuse, as they should

RNG = np.random.default_rng(5)
V, LONG, M, C = (RNG.permutation(n).astype(float).reshape(s) / 3 - 1 for n, s in [
    (5, (5,)), (40, (40,)), (12, (3, 4)), (24, (2, 3, 4))])  # fmt: skip
W, WM = RNG.uniform(0.5, 2, 5), RNG.uniform(0.5, 2, (3, 4))
ONE, EMPTY, NONE = np.array([1.5]), np.zeros(0), np.zeros((0, 3))
X = np.array([0.0, 0.5, 2.0, 2.5])  # places, not evenly spaced
HOLES, HOLE = M.copy(), V.copy()
HOLES[0, 1] = HOLES[2, 0] = HOLES[2, 3] = HOLE[1] = np.nan
EVENLY = ["linear", "hazen", "weibull", "interpolated_inverted_cdf", "median_unbiased", "normal_unbiased"]
STEPWISE = ["lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf",
            "closest_observation"]  # fmt: skip

CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {}


def calls(f: Any, *each: tuple[Any, ...], **params: Any) -> None:
    """Add calls of a function: the arrays of each, and keywords in a last dict."""
    for args in each:
        kwargs = dict(params)
        if args and isinstance(args[-1], dict):
            kwargs, args = kwargs | args[-1], args[:-1]
        words = [str(np.shape(a)) for a in args] + [
            f"{k}={v.shape if isinstance(v, np.ndarray) else v}" for k, v in kwargs.items()
        ]
        name = f"{f.__name__}({', '.join(words)})"
        CALLS[name if name not in CALLS else f"{name} {len(CALLS)}"] = (f, args, kwargs)


def axes(*arrays: Any) -> list[tuple[Any, ...]]:
    """Return calls with many axes."""
    settings = [{"axis": a} for a in (None, 0, -1, 1, (0, 2), (-1, 0, 1))] + [
        {"axis": a, "keepdims": True} for a in (None, 1, (0, -1))]  # fmt: skip
    return [(a,) for a in arrays] + [(C, s) for s in settings]


ALONG = [(V,), (LONG,), (M,), (M, {"axis": 0}), (C, {"axis": -2}), (ONE,), (EMPTY,), (NONE, {"axis": 0}),
         (NONE, {"axis": 1})]  # fmt: skip
ALONG_HOLES = [(HOLE,), (HOLES,), (HOLES, {"axis": 0}), (HOLES, {"axis": -1})]
REDUCED_HOLES = axes(HOLE, HOLES, np.float64(1.5)) + [
    (HOLES, {"axis": 0}), (HOLES, {"axis": 1, "keepdims": True}), (HOLES, {"axis": (0, 1)})]  # fmt: skip

calls(np.cumprod, *ALONG, (np.float64(2.0),), (np.array([2.0, 0.0, 3.0, 0.0, 4.0]),),
      (np.array([[0.0, 0.0], [1.0, 0.0]]), {"axis": 1}), (M, {"axis": None}))  # fmt: skip
calls(np.diff, (V,), (M,), (M, {"axis": 0}), (C, {"axis": -2, "n": 2}), (V, {"n": 4}), (V, {"n": 7}),
      (V, {"n": 0}), (ONE,), (EMPTY,), (V, {"prepend": 0.0}), (M, {"append": 1.0, "prepend": 2, "axis": 0}),
      (M, {"append": M[:, :2]}))  # fmt: skip
calls(np.ediff1d, (V,), (M,), (ONE,), (np.float64(2.0),), (V, {"to_end": 3.0}),
      (M, {"to_begin": np.ones((2, 2)), "to_end": [1.0, 2.0]}))  # fmt: skip
calls(np.trapezoid, (V,), (M,), (M, X), (M, {"dx": 0.5, "axis": 0}), (C, X), (C, X[:3], {"axis": 1}), (ONE,),
      (M, np.cumsum(WM, axis=1)), (C, X[:2], {"axis": -3}), (NONE,))  # fmt: skip
calls(np.gradient, (V,), (V, 0.5), (M,), (M, 2.0), (M, 2.0, 0.5), (M, X[:3], X), (M, 0.5, X),
      (M, X, {"axis": 1}), (M, np.arange(4.0) * 0.5, {"axis": -1}), (C, X[:3], {"axis": 1, "edge_order": 2}),
      (C, {"axis": (2, 1), "edge_order": 2}), (V[:2],), (V[:3], {"edge_order": 2}),
      (M, [0, 1, 3], [0, 1, 2, 5]))  # fmt: skip
calls(np.median, *axes(V, V[:4], M, ONE, np.float64(2.0)), (NONE, {"axis": 1}), (LONG,),
      (C, {"axis": [0, 1]}))  # fmt: skip
calls(np.nanmedian, *REDUCED_HOLES, (V,), (LONG,))
for method in EVENLY + STEPWISE:
    calls(np.quantile, (V, 0.3), (V[:4], 0.5), (M, [0.0, 0.15, 0.5, 1.0], {"axis": 1}), (LONG, 0.77),
          (ONE, [0.0, 0.3, 1.0]), method=method)  # fmt: skip
    calls(np.nanquantile, (HOLE, 0.3), (HOLES, [0.0, 0.4, 0.5, 1.0], {"axis": 0}), method=method)
for q in (0.35, [0.2, 0.9], [0.5], np.array(0.6)):
    calls(np.quantile, *[(a, q, *rest) for a, *rest in axes(V, ONE, np.float64(2.0))])
    calls(np.percentile, (M, np.multiply(q, 100), {"axis": (1, 0), "keepdims": True}))
    calls(np.percentile, (V, np.multiply(q, 100)))
    calls(np.nanquantile, *[(a, q, *rest) for a, *rest in REDUCED_HOLES])
    calls(np.nanpercentile, (HOLES, np.multiply(q, 100), {"axis": 0}))
calls(np.percentile, (V, 30), (V, 0), (V, 100.0), (V, [0, 25, 100]), (NONE, 30, {"axis": 1}))
calls(np.quantile, (V, 0.3, {"weights": W}), (M, [0.2, 0.7], {"weights": WM, "axis": 1}),
      (M, 0.5, {"weights": WM[0], "axis": -1, "keepdims": True}),
      (C, [0.5, 1.0], {"weights": W[:3], "axis": 1}),
      (M, 0.5, {"weights": WM}), method="inverted_cdf")  # fmt: skip
calls(np.nanquantile, (HOLE, 0.3, {"weights": W}), (HOLES, [0.2, 0.7], {"weights": WM, "axis": 1}),
      (HOLES, 0.5, {"weights": WM}), method="inverted_cdf")  # fmt: skip
calls(np.nansum, *REDUCED_HOLES, (EMPTY,), (NONE, {"axis": 0}))
calls(np.nanprod, *REDUCED_HOLES, (EMPTY,), (NONE, {"axis": 0}))
calls(np.nanmean, *REDUCED_HOLES)
for deviation in (np.nanvar, np.nanstd):
    calls(deviation, *axes(HOLE), (HOLES, {"axis": 0, "ddof": 1}) if deviation is np.nanvar else (HOLE,),
          (HOLES, {"axis": 1}) if deviation is np.nanvar else (M, {"axis": 1}),
          (HOLES, {"ddof": 0.5, "keepdims": True}), (V, {"ddof": 2}))  # fmt: skip
calls(np.nanmax, *REDUCED_HOLES)
calls(np.nanmin, *REDUCED_HOLES)
calls(np.nancumsum, *ALONG_HOLES, (V,), (EMPTY,))
calls(np.nancumprod, *ALONG_HOLES, (V,), (EMPTY,))
calls(np.average, *axes(V, M), (V, {"weights": W}), (M, {"weights": WM, "axis": 0}),
      (M, {"weights": [1.0, 2.0, 0.0], "axis": 0}), (M, {"weights": WM, "returned": True}),
      (M, {"axis": 1, "returned": True}), (M, {"weights": WM[0], "axis": -1, "returned": True}),
      (C, {"weights": WM.T, "axis": (2, 1)}), (C, {"weights": WM, "axis": (1, 2), "keepdims": True}),
      (np.float64(2.0),), (np.float64(2.0), {"weights": 3.0}))  # fmt: skip
calls(np.cov, (V,), (M,), (M, {"rowvar": False}), (M, {"bias": True}), (M, {"ddof": 0}), (V, W),
      (M, X), (M.T, W[:4], {"rowvar": False}), (M, {"fweights": [1, 2, 0, 3]}), (M, {"aweights": W[:4]}),
      (M, {"aweights": W[:4], "fweights": np.array([1, 2, 0, 3]), "ddof": 2}),
      (M, {"aweights": W[:4], "bias": True}), (M, {"dtype": np.float64}))  # fmt: skip
calls(np.corrcoef, (V, W), (M,), (C[0], {"rowvar": False}), (M, X))

EVERY = pytest.mark.parametrize("name", CALLS)


def plain(f: Callable[[], Any]) -> Any:
    """Call without warnings of empty and of slices without numbers: the result is what matters."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return f()


def leaves(y: Any) -> list[Any]:
    return list(y) if isinstance(y, (tuple, list)) else [y]


def floating(args: tuple[Any, ...]) -> list[int]:
    return [i for i, a in enumerate(args) if np.asarray(a).dtype.kind == "f"]


@EVERY
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_values_are_numpys(name: str, dtype: str) -> None:
    if "closest_observation" in name and np.__version__ in ("2.0.0", "2.0.1"):
        pytest.skip("this NumPy rounds places that lie half-way to the wrong side")
    f, args, kwargs = CALLS[name]
    args = tuple(a.astype(dtype) if isinstance(a, np.ndarray) else a for a in args)
    wanted = plain(lambda: f(*args, **kwargs))
    ours = NUMPY[f]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in
               zip(leaves(plain(lambda: ours(*args, **kwargs))), leaves(wanted), strict=True))  # fmt: skip
    t = ag.tensor(args[0], requires_grad=True)
    for spelling in (f, ours):
        got = plain(lambda s=spelling: s(t, *args[1:], **kwargs))
        assert type(got) is type(wanted) or isinstance(got, ag.Tensor)
        for a, b in zip(leaves(got), leaves(wanted), strict=True):
            assert np.shape(a) == np.shape(b)
            if isinstance(args[0], np.ndarray):
                assert a.dtype == b.dtype
            a = a.detach().numpy() if isinstance(a, ag.Tensor) else a
            tolerance = 1e-13 if dtype == "f8" else 1e-5
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def with_holes(f: Callable[..., Any], x: Any) -> Callable[..., Any]:
    """Make a function of what is not NaN, which the finite differences can move."""
    there = ~np.isnan(x)

    def g(v: Any, *rest: Any) -> Any:
        full = np.where(there, ag.reshape(ag.scatter(
            v, index=np.flatnonzero(there), shape=(x.size,)), x.shape), np.nan)  # fmt: skip
        return f(full, *rest)

    return g


@EVERY
def test_gradients_to_second_order(name: str) -> None:
    f, args, kwargs = CALLS[name]
    x = np.asarray(args[0])
    rest = args[1:]

    def g(v: Any) -> Any:
        y = f(v, *rest, **kwargs)
        return [item for item in leaves(y) if isinstance(item, (ag.Tensor, ag.forward.Dual))]

    if np.isnan(x).any():
        check_gradients(with_holes(g, x), x[~np.isnan(x)], order=2)
    elif f is np.percentile and not x.size or np.size(plain(lambda: f(x, *rest, **kwargs))) == 0:
        t = ag.tensor(x, requires_grad=True)
        for y in leaves(f(t, *rest, **kwargs)):
            y.sum().backward()
        assert np.shape(t.grad) == x.shape
    else:
        check_gradients(g, x, order=2)


SECOND: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "weights": (lambda a, w: ag.average(a, weights=w), (M, WM)),
    "weights of an axis": (lambda a, w: ag.average(a, axis=1, weights=w, returned=True), (M, W[:4])),
    "weights of two axes": (lambda a, w: ag.average(a, (2, 0), w), (C, RNG.uniform(1, 2, (4, 2)))),
    "weights alone": (lambda w: ag.average(M, axis=1, weights=w), (W[:4],)),
    "scalar prepended": (lambda a, b: ag.diff(a, prepend=b), (M, np.float64(2.0))),
    "appended": (lambda a, b: ag.diff(a, n=2, axis=0, append=b), (M, M[:2] + 1)),
    "appended to an array": (lambda b: ag.diff(M, append=b), (M[:, :1],)),
    "ends": (lambda a, b, c: ag.ediff1d(a, to_end=b, to_begin=c), (V, W, np.float64(2.0))),
    "places": (lambda y, x: ag.trapezoid(y, x), (M, X)),
    "places of each": (lambda y, x: ag.trapezoid(y, x, axis=0), (M, np.cumsum(WM, axis=0))),
    "places along the middle": (lambda y, x: ag.trapezoid(y, x, axis=1), (C, X[:3])),
    "distance": (lambda y, h: ag.trapezoid(y, dx=h), (M, np.float64(0.5))),
    "spacing": (lambda f, h: ag.gradient(f, h), (M, np.float64(0.5))),
    "spacing and places": (lambda f, h, x: ag.gradient(f, h, x), (M, np.float64(0.5), X)),
    "places, second order": (lambda f, x: ag.gradient(f, x, axis=1, edge_order=2), (M, X)),
    "spacing, second order": (lambda f, h: ag.gradient(f, h, axis=1, edge_order=2), (M, np.float64(2.0))),
    "spacing alone": (lambda h: ag.gradient(V, h), (np.float64(2.0),)),
    "even places": (lambda f, x: ag.gradient(f, x), (V, np.arange(5.0))),
    "two samples": (lambda x, y: ag.cov(x, y), (M, M[::-1] ** 2)),
    "columns": (lambda x, y: ag.cov(x, y, rowvar=False), (M.T, X)),
    "aweights": (lambda x, w: ag.cov(x, aweights=w), (M, W[:4])),
    "aweights, bias": (lambda x, w: ag.cov(x, aweights=w, bias=True), (M, W[:4])),
    "both weights": (lambda x, w: ag.cov(x, aweights=w, fweights=[1, 2, 0, 3]), (M, W[:4])),
    "aweights alone": (lambda w: ag.cov(M, aweights=w), (W[:4],)),
    "correlation": (lambda x, y: ag.corrcoef(x, y), (V, W)),
    "recurrence": (lambda a, b: ag.recurrence(a, b, axis=0), (M, WM)),
    "recurrence, long": (lambda a, b: ag.recurrence(a, b), (LONG / 10, np.cos(LONG))),
    "recurrence with itself": (lambda a: ag.recurrence(a, a * a), (V,)),
    **{f"place, {m}": (lambda x, q, m=m: ag.quantile(x, q, axis=0, method=m), (M, np.array([0.31, 0.62])))
       for m in EVENLY},
    "place, nan": (lambda q: ag.nanquantile(HOLES, q, axis=1), (np.array([0.31, 0.62]),)),
    "percent": (lambda x, q: ag.percentile(x, q), (V, np.float64(31.0))),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_gradients_of_the_other_arguments(name: str) -> None:
    f, args = SECOND[name]
    check_gradients(f, *args, order=2)


def test_float32_gradients() -> None:
    for f, args, kwargs in CALLS.values():
        x = np.asarray(args[0], np.float32)
        t = ag.tensor(x, requires_grad=True)
        for y in leaves(plain(lambda f=f, t=t, a=args, k=kwargs: f(t, *a[1:], **k))):
            if isinstance(y, ag.Tensor):
                plain(lambda y=y: y.sum().backward())
        assert t.grad is None or t.grad.dtype == np.float32, f.__name__


# -- running products --------------------------------------------------------------------------------


@pytest.mark.parametrize("zeros", [[], [0], [3], [0, 1], [2, 7], [11], list(range(12))])
@pytest.mark.parametrize("n", [12, 200])
def test_products_with_zeros(zeros: list[int], n: int) -> None:
    """Against the sum over all products that leave one factor out."""
    x = np.random.default_rng(1).uniform(-1.5, 1.5, n)
    x[zeros] = 0
    g = np.random.default_rng(2).normal(size=n)
    wanted = np.zeros(n)
    for i in range(n):
        without = x.copy()
        without[i] = 1
        wanted[i] = np.sum((g * np.cumprod(without))[i:])
    given = ag.grad(lambda x: ag.sum(g * ag.cumprod(x)))(x)
    np.testing.assert_allclose(given, wanted, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("first", "values"), [
    (1e-150, [1e-300, 1e200, 1e200, 1e-100] * 20), (1e100, [1e300, 1e-200, 1e-200, 1e100] * 20),
    (1e-200, [1e200, 1e200, 0.0] * 20), (1e200, [1e-60] * 9 + [1e60] * 9), (0.0, [1e200] * 40),
])  # fmt: skip
def test_partial_products_may_leave_the_range(first: float, values: list[float]) -> None:
    """What one step after the other gives is given, though products of neighbours overflow."""
    a = np.array(values)
    b = np.zeros(len(a))
    b[0] = first
    y = np.empty(len(a))
    with np.errstate(all="ignore"):
        for i in range(len(a)):
            y[i] = a[i] * y[i - 1] + b[i] if i else b[i]
    assert np.isfinite(y).all()
    np.testing.assert_allclose(ag.recurrence(a, b), y, rtol=1e-12)


@pytest.mark.parametrize("shape", [(1000,), (3, 1000), (1000, 3), (40, 3000)])
@pytest.mark.parametrize("axis", [0, -1])
def test_recurrence_one_by_one_and_by_halves(shape: Any, axis: int) -> None:
    a, b = (np.random.default_rng(i).normal(size=shape) for i in (1, 2))
    y, one = ag.recurrence(a, b, axis=axis), np.zeros(shape)
    aa, bb, out = (np.moveaxis(v, axis, 0) for v in (a, b, one))
    for i in range(len(aa)):
        out[i] = aa[i] * (out[i - 1] if i else 0) + bb[i]
    np.testing.assert_allclose(y, one, rtol=1e-9, atol=1e-9 * np.abs(one).max(initial=1))


def test_memory_and_time_grow_with_the_length() -> None:
    """A million factors: an n x n matrix would be 8 TB."""
    x = np.exp(np.random.default_rng(0).normal(size=10**6) / 1000)
    g = ag.grad(lambda x: ag.sum(ag.cumprod(x)))(x)
    np.testing.assert_allclose(g * x, np.cumsum(np.cumprod(x)[::-1])[::-1], rtol=1e-9)


def test_halves_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    depth: list[int] = []
    solve = scans._solve
    monkeypatch.setattr(scans, "_solve", lambda a, b, y: (depth.append(len(y)), solve(a, b, y))[1])
    ag.recurrence(np.ones(1024), np.ones(1024))
    assert depth == [1024, 512, 256, 128, 64, 32, 16]


# -- order statistics --------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "gradient"), [
    ([3.0, 1.0, 2.0], [0, 0, 1]), ([4.0, 1.0, 7.0, 2.0], [0.5, 0, 0, 0.5]), ([5.0], [1]),
])  # fmt: skip
def test_the_median_reads_the_middle(x: list[float], gradient: list[float]) -> None:
    np.testing.assert_array_equal(ag.grad(ag.median)(np.array(x)), gradient)
    np.testing.assert_array_equal(ag.grad(lambda x: ag.quantile(x, 0.5))(np.array(x)), gradient)
    np.testing.assert_array_equal(ag.grad(lambda x: ag.percentile(x, 50))(np.array(x)), gradient)


def of_sorted(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: f(np.sort(x))


@pytest.mark.parametrize("f", [
    ag.median, ag.nanmedian, lambda x: ag.quantile(x, 0.37), lambda x: ag.nanquantile(x, 0.9),
    lambda x: ag.quantile(x, 0.5, method="nearest"), lambda x: ag.sum(ag.quantile(x, np.linspace(0, 1, 12))),
])  # fmt: skip
@pytest.mark.parametrize("x", [
    [1.0, 1.0, 3.0], [2.0] * 4, [1.0, 2.0, 2.0, 3.0], [0.0, -0.0, 0.0], [5.0, 1.0, 5.0, 5.0, 1.0, 7.0, 5.0],
    [3.0, 1.0] * 50,
])  # fmt: skip
def test_equal_elements_stand_as_in_sort(f: Any, x: list[float]) -> None:
    """The gradient is that of the same function of ``np.sort(x)``, also the second one."""
    v = np.array(x)
    first, second = ag.grad(f), ag.grad(of_sorted(f))
    np.testing.assert_array_equal(first(v), second(v))
    first, second = ag.grad(lambda x: f(x) ** 3), ag.grad(of_sorted(lambda x: f(x) ** 3))
    np.testing.assert_allclose(ag.grad(lambda x: ag.sum(first(x) * v))(v),
                               ag.grad(lambda x: ag.sum(second(x) * v))(v))  # fmt: skip
    at = ag.grad(f)(v)
    assert at.sum() == pytest.approx(ag.jvp(f, (v,), (np.ones_like(v),))[1])


def test_nan_spoils_a_quantile_and_gets_no_gradient() -> None:
    for f in (np.median, lambda x, **k: np.quantile(x, [0.0, 0.5], **k)):
        t = ag.tensor(HOLES, requires_grad=True)
        y: Any = f(t, axis=1)
        assert (np.isnan(y.numpy()) == [True, False, True]).all()
        y.sum().backward()
        g = np.asarray(t.grad)
        np.testing.assert_array_equal(g.any(axis=1), [False, True, False])
        assert np.isfinite(g).all()


@pytest.mark.parametrize("q", [0.0, 0.2, 0.5, 0.7, 1.0])
def test_infinite_elements(q: float) -> None:
    for x in ([1.0, -np.inf], [1.0, np.inf, 3.0], [-np.inf, 0.0, 1.0, np.inf]):
        t = ag.tensor(np.array(x))
        for f in (lambda v, q=q: np.quantile(v, q), np.median, np.nanmedian):
            np.testing.assert_array_equal(plain(lambda f=f, t=t: f(t)).numpy(), plain(lambda f=f, x=x: f(x)))


IGNORING: dict[str, Any] = {
    "nansum": np.nansum, "nanprod": np.nanprod, "nanmean": np.nanmean, "nanvar": np.nanvar,
    "nanstd": np.nanstd, "nanmax": np.nanmax, "nanmin": np.nanmin, "nanmedian": np.nanmedian,
    "nanquantile": lambda x, **k: np.nanquantile(x, [0.3, 0.5], **k),
    "nanpercentile": lambda x, **k: np.nanpercentile(x, 40, **k),
    "nancumsum": np.nancumsum, "nancumprod": np.nancumprod,
}  # fmt: skip


@pytest.mark.parametrize("name", IGNORING)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_the_gradient_at_nan_is_exactly_zero(name: str, axis: Any) -> None:
    """Also of second order, and where there is nothing but NaN."""
    f, x = IGNORING[name], HOLES + 3
    x[1] = np.nan
    t = ag.tensor(x, requires_grad=True)
    y = plain(lambda: f(t, axis=axis))
    wanted = plain(lambda: f(x, axis=axis))
    np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-13)
    weights = np.random.default_rng(0).normal(size=y.shape)
    plain(lambda: (y * y * weights).sum().backward(create_graph=True))
    g = t.grad
    assert (g.detach().numpy()[np.isnan(x)] == 0).all()
    assert g.detach().numpy()[~np.isnan(x)].any()
    t.grad = None
    if g.requires_grad:
        plain(lambda: g.sum().backward())
        assert (np.asarray(t.grad)[np.isnan(x)] == 0).all()


@pytest.mark.parametrize(("name", "text"), [
    ("nanmean", "Mean of empty slice"), ("nanvar", "Degrees of freedom <= 0"),
    ("nanstd", "Degrees of freedom <= 0"), ("nanmax", "All-NaN"), ("nanmin", "All-NaN"),
    ("nanmedian", "All-NaN slice"), ("nanquantile", "All-NaN slice"),
])  # fmt: skip
def test_nothing_but_nan_warns_as_numpy_does(name: str, text: str) -> None:
    t = ag.tensor(np.full((2, 2), np.nan), requires_grad=True)
    with pytest.warns(RuntimeWarning, match=text):
        y = IGNORING[name](t, axis=0)
    assert np.isnan(y.numpy()).all()


def test_a_deviation_of_zero_has_gradient_zero() -> None:
    np.testing.assert_array_equal(ag.grad(ag.nanstd)(np.array([2.0, np.nan, 2.0])), 0)


# -- beside PyTorch ----------------------------------------------------------------------------------


def test_gradients_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    zeros = M.copy()
    zeros[0, 1] = zeros[2, 2] = zeros[2, 3] = 0
    several = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
    pairs: list[tuple[Any, Any, Any]] = [
        (lambda x: np.cumprod(x, axis=1), lambda x: torch.cumprod(x, 1), zeros),
        (lambda x: np.cumprod(x, axis=0), lambda x: torch.cumprod(x, 0), zeros),
        (lambda x: np.diff(x, n=2), lambda x: torch.diff(x, n=2), M),
        (lambda x: np.median(x, axis=0), lambda x: torch.median(x, 0).values, M),
        (lambda x: np.nanmedian(x, axis=0), lambda x: torch.nanquantile(x, 0.5, dim=0), HOLES),
        (lambda x: np.quantile(x, [0.1, 0.5, 0.8], axis=1), lambda x: torch.quantile(x, several, dim=1), M),
        (lambda x: np.nanquantile(x, [0.1, 0.5, 0.8], axis=0),
         lambda x: torch.nanquantile(x, several, dim=0), HOLES),
        (lambda x: np.nansum(x, axis=0), lambda x: torch.nansum(x, 0), HOLES),
        (lambda x: np.nanmean(x, axis=0), lambda x: torch.nanmean(x, 0), HOLES),
        (lambda x: np.trapezoid(x, X), lambda x: torch.trapezoid(x, torch.tensor(X)), M),
        (np.cov, torch.cov, M), (np.corrcoef, torch.corrcoef, M),
        (lambda x: np.gradient(x, X, axis=1, edge_order=2),
         lambda x: torch.gradient(x, spacing=(torch.tensor(X),), dim=1, edge_order=2)[0], M),
        *[(lambda x, m=m: np.quantile(x, 0.3, axis=1, method=m),
           lambda x, m=m: torch.quantile(x, 0.3, dim=1, interpolation=m), M)
          for m in ("linear", "lower", "higher", "nearest", "midpoint")],
    ]  # fmt: skip
    for ours, theirs, x in pairs:
        t, u = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = ours(t), theirs(u)
        w = np.random.default_rng(0).normal(size=y.shape)
        y.backward(w)
        z.backward(torch.tensor(w))
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-12)
        np.testing.assert_allclose(t.grad, u.grad.numpy(), rtol=1e-10, atol=1e-12)


# -- wrong input -------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "diff n": (lambda t: numpy.diff(t, n=-1), ValueError, r"\[diff\] got n=-1, expected 0 or more"),
    "diff 0-d": (lambda t: numpy.diff(t[0, 0]), ValueError, r"\[diff\] got an array of 0 axes"),
    "diff axis": (lambda t: numpy.diff(t, axis=2), ValueError, "axis 2 is out of bounds"),
    "trapezoid 0-d": (lambda t: numpy.trapezoid(t[0, 0]), IndexError, "out of"),
    "gradient spacings": (lambda t: numpy.gradient(t, 1, 2, 3), TypeError, r"\[gradient\] got 3 spacings"),
    "gradient places": (lambda t: numpy.gradient(t, X, X), ValueError, "got 4 places, expected 3"),
    "gradient of a matrix": (lambda t: numpy.gradient(t, 1, M), ValueError, "a spacing of 2 axes"),
    "gradient edge": (lambda t: numpy.gradient(t, edge_order=3), ValueError, "edge_order=3, expected 1 or 2"),
    "gradient short": (lambda t: numpy.gradient(t[:1]), ValueError,
                       "got 1 samples along axis 0, expected at least 2"),
    "ediff1d": (lambda t: numpy.ediff1d(t, to_end=1j), TypeError, r"\[ediff1d\] got to_end of dtype"),
    "quantile": (lambda t: numpy.quantile(t, 1.5), ValueError,
                 r"\[quantile\] got q=1.5, expected numbers from 0 to 1"),
    "percentile": (lambda t: numpy.percentile(t, [50, -1]), ValueError, "expected numbers from 0 to 100"),
    "nan place": (lambda t: numpy.quantile(t, numpy.nan), ValueError, "q=nan"),
    "method": (lambda t: numpy.quantile(t, 0.5, method="cubic"), ValueError,
               "method='cubic', expected one of linear"),
    "weights and method": (lambda t: numpy.quantile(t, 0.5, weights=WM), ValueError,
                           "expected method='inverted_cdf'"),
    "weights of a quantile": (lambda t: numpy.quantile(t, 0.5, axis=0, weights=W, method="inverted_cdf"),
                              ValueError, r"\[quantile\] got weights of shape \(5,\)"),
    "average": (lambda t: numpy.average(t, weights=W), TypeError, "expected an axis"),
    "average axis": (lambda t: numpy.average(t, axis=0, weights=W), ValueError,
                     r"weights of shape \(5,\), expected \(3,\)"),
    "average of nothing": (lambda t: numpy.average(t, weights=0 * M), ZeroDivisionError,
                           "weights that sum to zero"),
    "cov": (lambda t: numpy.cov(numpy.stack([t, t])), ValueError,
            r"\[cov\] got m of 3 axes, expected at most 2"),
    "cov ddof": (lambda t: numpy.cov(t, ddof=0.5), ValueError, "expected a whole number"),
    "cov fweights": (lambda t: numpy.cov(t, fweights=[1, 2]), RuntimeError,
                     r"fweights of shape \(2,\), expected \(4,\)"),
    "cov broken": (lambda t: numpy.cov(t, fweights=[1, 2, 0.5, 1]), TypeError, "broken fweights"),
    "cov negative": (lambda t: numpy.cov(t, aweights=[1, 2, -1, 1]), ValueError, "negative aweights"),
    "cumprod axis": (lambda t: numpy.cumprod(t, axis=2), ValueError, "axis 2 is out of bounds"),
    "out": (lambda t: numpy.median(t, axis=0, out=numpy.zeros(4)), TypeError, "out"),
    "where": (lambda t: numpy.nansum(t, axis=0, where=M > 0), TypeError, "where"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(name: str) -> None:
    f, kind, text = WRONG[name]
    with pytest.raises(kind, match=text):
        f(ag.tensor(M, requires_grad=True))
    if name not in ("out", "where"):
        with pytest.raises(kind):  # NumPy's own has the same type
            f(M)
