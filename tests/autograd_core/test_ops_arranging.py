"""Polynomials, periodic borders, running sums from NumPy 2.1 on, functions along axes, tensor equations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck import check_gradients

RNG = np.random.default_rng(12)
Call = tuple[Callable[..., Any], tuple[Any, ...]]


def real(*shape: int) -> Any:
    return RNG.uniform(-2, 2, shape)


def flat(y: Any) -> list[Any]:
    return [v for v in (y if isinstance(y, (tuple, list)) else [y]) if hasattr(v, "shape")]


A, B, X = real(5), real(3), np.array([0.0, 0.7, 1.1, 2.0, 3.2, 3.9])
WELL = real(6, 6) + 8 * np.eye(6)
WINDOW = np.hanning(6) + 0.5
CALLS: dict[str, Call] = {
    **{f"{f.__name__} {m} {n}": (f, (real(m), real(n)))
       for f in (np.polyadd, np.polysub, np.polymul, np.polydiv)
       for m, n in ((5, 3), (3, 5), (1, 1), (4, 4), (4, 1))},
    "polyadd 0-d": (lambda x: np.polyadd(x, [1.0, 2.0]), (np.array(0.3),)),
    "polymul zeros in front": (lambda x: np.polymul(np.concatenate([[0.0, 0.0], x]), x), (B,)),
    "polymul of zeros": (lambda x: np.polymul([0.0, 0.0], x), (B,)),
    **{f"polyder {m}": (lambda x, m=m: np.polyder(x, m), (A,)) for m in (0, 1, 2, 4, 5)},
    **{f"polyint {m}": (lambda x, m=m: np.polyint(x, m), (A,)) for m in (0, 1, 3)},
    "polyint k": (lambda x, k: np.polyint(x, 2, k), (A, real(2))),
    "polyint one k": (lambda x, k: np.polyint(x, 3, k), (A, np.array(0.5))),
    **{f"polyfit {d}": (lambda y, x, d=d: np.polyfit(x, y, d), (real(6), X)) for d in (0, 1, 2, 3)},
    "polyfit columns": (lambda y, x: np.polyfit(x, y, 2), (real(6, 2), X)),
    "polyfit w": (lambda y, x, w: np.polyfit(x, y, 2, w=w), (real(6), X, WINDOW)),
    "polyfit w columns": (lambda y, w: np.polyfit(X, y, 2, w=w), (real(6, 2), WINDOW)),
    "polyfit full": (lambda y: np.polyfit(X, y, 2, full=True)[:2], (real(6),)),
    "polyfit cov": (lambda y, x: np.polyfit(x, y, 1, cov=True), (real(6), X)),
    "polyfit unscaled": (lambda y, x: np.polyfit(x, y, 1, cov="unscaled"), (real(6, 2), X)),
    "polyfit cov columns": (lambda y: np.polyfit(X, y, 1, cov=True), (real(6, 2),)),
    "tensorinv": (lambda x: np.linalg.tensorinv(np.reshape(x, (2, 3, 6)), 2), (WELL,)),
    "tensorinv 1": (lambda x: np.linalg.tensorinv(np.reshape(x, (6, 3, 2)), ind=1), (WELL,)),
    "tensorsolve": (lambda x, b: np.linalg.tensorsolve(np.reshape(x, (2, 3, 6)), b), (WELL, real(2, 3))),
    "tensorsolve axes": (lambda x, b: np.linalg.tensorsolve(np.reshape(x, (6, 2, 3)), b, axes=(0,)),
                         (WELL, real(2, 3))),
    **{f"apply_along_axis {g.__name__} {i}": (lambda x, i=i, g=g: np.apply_along_axis(g, i, x),
                                              (real(2, 3, 2),))
       for i in (0, 1, -1) for g in (np.diff, np.prod, lambda v: np.sum(v * v) * v[0])},
    "apply_along_axis matrices": (lambda x: np.apply_along_axis(lambda v: np.outer(v, v), 0, x),
                                  (real(2, 3),)),
    "apply_along_axis rectangles": (lambda x: np.apply_along_axis(lambda v: np.outer(v * v, [1, 2, 3]), 1, x),
                                    (real(4, 2, 2),)),
    "apply_along_axis of one": (lambda x: np.apply_along_axis(np.prod, 0, x), (B,)),
    "apply_along_axis args": (lambda x: np.apply_along_axis(np.roll, 1, x, 1), (real(2, 3),)),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x * x, [0, -1]), (real(2, 3, 2),)),
    "apply_over_axes 1": (lambda x: np.apply_over_axes(np.prod, x, 1), (real(2, 3),)),
    **{f"resize {s}": (lambda x, s=s: np.resize(x, s), (real(2, 3),))
       for s in ((2, 2), (4, 2), 7, (0,), (1, 13), ())},
    "resize of nothing": (lambda x: np.resize(x, (2, 2)), (np.zeros((0, 3)),)),
    **{f"trim_zeros {t}": (lambda x, t=t: np.trim_zeros(np.concatenate([[0, 0], x, [0, 0, 0]]), t), (B,))
       for t in ("fb", "f", "b", "bf")},
    "trim_zeros all": (lambda x: np.trim_zeros(0 * x), (B,)),
    **{f"pad {mode} {options}": (lambda x, m=mode, o=options: np.pad(x, ((1, 2), (2, 3)), m, **o),
                                  (real(4, 5),))
       for mode, options in (
           ("constant", {"constant_values": ((1, 2), (3, 4))}), ("constant", {"constant_values": (5, 6)}),
           ("linear_ramp", {}), ("linear_ramp", {"end_values": ((1, -2), (3, 4))}), ("maximum", {}),
           ("maximum", {"stat_length": 2}), ("mean", {}), ("mean", {"stat_length": ((1, 2), (3, 9))}),
           ("median", {}), ("median", {"stat_length": 3}), ("minimum", {}),
           ("reflect", {"reflect_type": "odd"}), ("reflect", {"reflect_type": "even"}),
           ("symmetric", {"reflect_type": "odd"}))},
    "pad nothing": (lambda x: np.pad(x, 0, "mean"), (B,)),
    "trim_zeros none": (lambda x: np.trim_zeros(x), (B,)),
}  # fmt: skip
if hasattr(np, "cumulative_sum"):
    for f in (np.cumulative_sum, np.cumulative_prod):
        CALLS |= {f"{f.__name__} {kw} {s}": (lambda x, f=f, kw=kw: f(x, **kw), (real(*s),)) for kw, s in (
            ({}, (4,)), ({}, ()), ({"axis": 1}, (2, 3)), ({"axis": -2, "include_initial": True}, (2, 3)),
            ({"include_initial": True}, (0,)), ({"axis": 0}, (2, 0)))}  # fmt: skip


def values(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys(name: str) -> None:
    f, arrays = CALLS[name]
    for dtype in ("f8", "f4"):
        xs = [a.astype(dtype) for a in arrays]
        expected = flat(f(*xs))
        got = flat(f(*(ag.tensor(x, requires_grad=True) for x in xs)))
        assert len(got) == len(expected)
        for y, e in zip(got, expected, strict=True):
            assert y.shape == np.shape(e)
            assert y.dtype == (e.dtype if "polyfit" not in name and "tensor" not in name else y.dtype)
            y = y.detach().numpy() if isinstance(y, ag.Tensor) else y
            rtol, atol = (1e-10, 1e-12) if dtype == "f8" else (2e-3, 1e-3)
            np.testing.assert_allclose(y, e, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", CALLS)
def test_gradients(name: str) -> None:
    f, arrays = CALLS[name]
    if all(y.size for y in flat(f(*arrays))) and "of zeros" not in name and "of nothing" not in name:
        assert check_gradients(lambda *x: flat(f(*x)), *arrays, order=2).passed


@pytest.mark.parametrize("name", CALLS)
def test_float32_gradients(name: str) -> None:
    f, arrays = CALLS[name]
    xs = [ag.tensor(a.astype("f4"), requires_grad=True) for a in arrays]
    ys = [y for y in flat(f(*xs)) if isinstance(y, ag.Tensor)]
    if ys:
        sum(np.sum(y) for y in ys).backward()
        assert all(x.grad is None or x.grad.dtype == np.float32 for x in xs)


# -- borders -------------------------------------------------------------------------------------------


def circular(a: Any, v: Any, mode: str, flipped: bool) -> Any:
    """Each place by itself: the longer one is read at indices modulo its length."""
    w = v[::-1] if flipped else v
    if len(a) < len(w):
        a, w = w, a
    n, m = len(a), len(w)
    full = [sum(w[j] * a[(k - j) % n] for j in range(m)) for k in range(n + m - 1)]
    cut = {"full": (0, n + m - 1), "same": ((m - 1) // 2, (m - 1) // 2 + n), "valid": (m - 1, n)}[mode]
    return np.array(full[slice(*cut)])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [(6, 3), (6, 4), (3, 6), (5, 5), (4, 1), (1, 1), (2, 2)])
def test_periodic_borders(mode: str, sizes: tuple[int, int]) -> None:
    a, v = real(sizes[0]), real(sizes[1])
    for f, flipped in ((ag.convolve, False), (ag.correlate, True)):
        expected = circular(a, v, mode, flipped)
        np.testing.assert_allclose(f(a, v, mode, boundary="periodic"), expected, rtol=1e-12)
        y = f(ag.tensor(a), ag.tensor(v, requires_grad=True), mode, "periodic")
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12)
        assert check_gradients(lambda a, v: f(a, v, mode, boundary="periodic"), a, v, order=2).passed  # noqa: B023


def test_borders_beside_scipy_and_fourier() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    a, v = real(7), real(3)
    wrapped = ag.convolve(a, v, "same", boundary="periodic")
    np.testing.assert_allclose(wrapped, ndimage.convolve1d(a, v, mode="wrap"))
    np.testing.assert_allclose(ag.convolve(a, v, "same"), ndimage.convolve1d(a, v, mode="constant"))
    spectrum = np.fft.ifft(np.fft.fft(a) * np.fft.fft(v, 7)).real
    np.testing.assert_allclose(ag.convolve(a, v, "full", boundary="periodic")[:7], spectrum)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_zero_borders_flipped_and_not(flipped: bool, mode: str) -> None:
    for m, n in ((6, 3), (3, 6), (4, 4), (6, 2)):
        f = np.correlate if flipped else np.convolve
        assert check_gradients(lambda a, v: f(a, v, mode), real(m), real(n), order=2).passed  # noqa: B023


def test_two_dimensional_trim_and_row_stack() -> None:
    x = np.zeros((4, 5))
    x[1:3, 2:4] = [[1.0, 0.0], [0.0, 2.0]]
    assert ag.trim_zeros(ag.tensor(x)).tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert ag.trim_zeros(ag.tensor(x), axis=1).shape == (4, 2)
    if "row_stack" in np.__all__:
        with pytest.warns(DeprecationWarning, match="row_stack"):
            y = np.row_stack([ag.tensor(B, requires_grad=True), B])  # noqa: NPY201
        assert y.shape == (2, 3)


def test_a_poor_fit_warns_as_numpys() -> None:
    with pytest.warns(np.exceptions.RankWarning, match="poorly conditioned"):
        np.polyfit(ag.tensor(np.ones(4)), ag.tensor(real(4), requires_grad=True), 2)




def leaf(x: Any) -> Any:
    return ag.tensor(x, requires_grad=True)


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "polymul": (lambda: np.polymul(leaf(real(2, 2)), A), ValueError, r"\[polymul\] .*\(2, 2\)"),
    "polyder": (lambda: np.polyder(leaf(A), -1), ValueError, r"\[polyder\] got m=-1"),
    "polyint": (lambda: np.polyint(leaf(A), 3, [1.0, 2.0]), ValueError, r"\[polyint\] got 2 constants"),
    "polyfit deg": (lambda: np.polyfit(X, leaf(X), -1), ValueError, r"\[polyfit\] got deg=-1"),
    "polyfit shape": (lambda: np.polyfit(X, leaf(A), 1), TypeError, r"\[polyfit\] .*\(6,\) and \(5,\)"),
    "polyfit w": (lambda: np.polyfit(X, leaf(X), 1, w=A), TypeError, r"\[polyfit\] got w of shape"),
    "polyfit cov": (lambda: np.polyfit(B, leaf(B), 2, cov=True), ValueError, "cov='unscaled'"),
    "resize": (lambda: np.resize(leaf(A), (-1, 2)), ValueError, r"\[resize\] got new_shape=\(-1, 2\)"),
    "trim": (lambda: np.trim_zeros(leaf(A), "x"), ValueError, r"\[trim_zeros\] got trim='x'"),
    "pad mode": (lambda: np.pad(leaf(A), 1, "middle"), ValueError, r"\[pad\] got mode='middle'"),
    "pad option": (lambda: np.pad(leaf(A), 1, "mean", end_values=3), ValueError, r"\[pad\] got end_values="),
    "pad length": (lambda: np.pad(leaf(A), 1, "mean", stat_length=0), ValueError, "stat_length=0"),
    "pad empty": (lambda: np.pad(leaf(np.zeros(0)), 1, "mean"), ValueError, "an empty axis 0"),
    "boundary": (lambda: ag.convolve(leaf(A), B, "full", "wrap"), ValueError, "boundary='wrap'"),
    "plain boundary": (lambda: ag.correlate(A, B, "full", "wrap"), ValueError, "boundary='wrap'"),
    "tensorinv": (lambda: np.linalg.tensorinv(leaf(WELL), 0), ValueError, r"\[tensorinv\] got ind=0"),
    "tensorinv shape": (lambda: np.linalg.tensorinv(leaf(real(2, 3)), 1), np.linalg.LinAlgError,
                        r"\[tensorinv\] got shape \(2, 3\)"),
    "tensorsolve": (lambda: np.linalg.tensorsolve(leaf(real(2, 3)), real(2)), np.linalg.LinAlgError,
                    r"\[tensorsolve\] got shapes"),
    "apply": (lambda: np.apply_along_axis(np.sum, 0, leaf(np.zeros((2, 0)))), ValueError,
              r"\[apply_along_axis\] got shape \(2, 0\)"),
    "apply over": (lambda: np.apply_over_axes(lambda a, i: np.sum(a), leaf(real(2, 2, 2)), 0),
                   ValueError, r"\[apply_over_axes\]"),
}  # fmt: skip
if hasattr(np, "cumulative_sum"):
    WRONG["cumulative_sum"] = (lambda: np.cumulative_sum(leaf(real(2, 2))), ValueError,
                               r"\[cumulative_sum\] got shape \(2, 2\) and no axis")  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_came(name: str) -> None:
    call, kind, says = WRONG[name]
    with pytest.raises(kind, match=says):
        call()
