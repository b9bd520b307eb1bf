"""The kernels of recurrent scans with unusual arrays; test_fused.py of nn holds them to their definitions."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn
from autograd_core.fused import fused
from autograd_core.kernels.recurrent import order

T, N, H = 4, 3, 3
NUMBA = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


@pytest.fixture(params=[False, pytest.param(True, marks=NUMBA)], ids=["NumPy", "numba"])
def numba(request: pytest.FixtureRequest) -> Iterator[None]:
    with kernels.using(numba=request.param):
        yield


@pytest.mark.usefixtures("numba")
def test_arrays_in_other_layouts() -> None:
    rng = np.random.default_rng(4)
    z, h, w = rng.normal(size=(12, N, T)).T, rng.normal(size=(H, N)).T, rng.normal(size=(H, 12)).T
    assert not z.flags.c_contiguous
    assert not h.flags.c_contiguous
    F = nn.functional
    copies = [x.copy() for x in (z, h, h, w)]
    for a, b in zip(F.lstm_scan(z, h, h, w), F.lstm_scan(*copies), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    grads = [ag.grad(lambda z, h, w: (F.gru_scan(z, h, w) ** 2).sum(), (0, 1, 2))(*xs)
             for xs in ((z[..., :9], h, w[:9]), (z[..., :9].copy(), h.copy(), w[:9].copy()))]  # fmt: skip
    for a, b in zip(*grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11)


@pytest.mark.usefixtures("numba")
def test_gates_far_out_saturate_without_a_warning() -> None:
    for scan, k in ((nn.functional.gru_scan, 3), (nn.functional.rnn_scan, 1)):
        zero = np.zeros((3, 1), np.float32)
        y = scan(np.full((2, 1, k), 1e4, np.float32), zero[:1], zero[:k])
        assert np.isfinite(y).all()
    z = np.array([[[-1e4, 1e4, 0, 1e4]]])  # nothing in, all kept
    h, c = nn.functional.lstm_scan(z, np.zeros((1, 1)), np.full((1, 1), 0.3), np.zeros((4, 1)))
    assert c.item() == 0.3
    assert h.item() == pytest.approx(np.tanh(0.3), rel=1e-15)


@NUMBA
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_tangent_of_loops(dtype: Any) -> None:
    from numba import njit
    from numba.extending import intrinsic

    from autograd_core.kernels.loops.hyperbolic import emit_tanh

    @intrinsic  # type: ignore[untyped-decorator]
    def tanh(typing: Any, x: Any) -> Any:
        return emit_tanh(x)

    @njit  # type: ignore[untyped-decorator]
    def all_of(x: Any, y: Any) -> None:
        for i in range(x.size):
            y[i] = tanh(x[i])

    rng = np.random.default_rng(0)
    small = rng.normal(size=100_000) * 10.0 ** rng.uniform(-12, 1.5, 100_000)
    x = np.concatenate([np.linspace(-25, 25, 100_001), small, [1e-40, 1e30]]).astype(dtype)
    y, right = np.empty_like(x), np.tanh(x.astype(np.longdouble))
    all_of(x, y)
    assert (np.abs(y - right) <= 3 * np.spacing(np.abs(right).astype(dtype))).all()
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype)
    found = np.empty_like(special)
    all_of(special, found)
    np.testing.assert_array_equal(found, [0, 0, 1, -1, np.nan])
    assert np.signbit(found[:2]).tolist() == [False, True]


def scanned(kind: str, reverse: bool, sizes: Any, arrays: dict[str, Any]) -> list[Any]:
    """Return the results of a scan and all gradients of a weighted sum of them."""
    F, ts = nn.functional, {k: ag.tensor(a.copy(), requires_grad=True) for k, a in arrays.items()}
    how = {"reverse": reverse, "sizes": sizes}
    if kind in ("tanh", "relu"):
        found: Any = [F.rnn_scan(*ts.values(), nonlinearity=kind, **how)]
    elif kind == "gru":
        found = [F.gru_scan(*ts.values(), **how)]
    else:
        found = F.lstm_scan(**ts, **how)
    for y in found:
        weights = np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape)
        (y * weights).sum().backward(retain_graph=True)
    return [y.numpy() for y in found] + [t.grad for t in ts.values()]


@NUMBA
@pytest.mark.parametrize("kind", ["tanh", "relu", "gru", "lstm", "lstm, project", "lstm, project, peephole"])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 2e-5), (np.float64, 1e-12)], ids=["f4", "f8"])
def test_loops_agree_with_numpy_at_every_width_of_a_tile(kind: str, dtype: Any, rtol: float) -> None:
    """More and fewer rows than one and two vectors hold, in one thread and two; rows that end; backward."""
    rng = np.random.default_rng(7)
    threads = kernels.get_num_threads()
    gates = {"tanh": 1, "relu": 1, "gru": 3}.get(kind, 4)
    for (steps, n, hidden, out), reverse, ragged in itertools.product(
        [(5, 3, 4, 2), (7, 20, 17, 9), (40, 65, 40, 24), (2, 1, 1, 1)], [False, True], [False, True]
    ):  # fmt: skip
        p = out if "project" in kind else hidden
        sizes = tuple(sorted(rng.integers(1, n + 1, steps).tolist(), reverse=True)) if ragged else None
        shapes: dict[str, tuple[int, ...]] = {"z": (steps, n, gates * hidden), "h0": (n, p)}
        if gates == 4:
            shapes["c0"] = (n, hidden)
        shapes |= {"w_hh": (gates * hidden, p), "b_ih": (gates * hidden,), "b_hh": (gates * hidden,)}
        shapes |= {"w_hr": (p, hidden)} if "project" in kind else {}
        shapes |= {"peephole": (3, hidden)} if "peephole" in kind else {}
        arrays = {k: (rng.normal(size=s) / np.sqrt(s[-1])).astype(dtype) for k, s in shapes.items()}
        with kernels.using(numba=False):
            right = scanned(kind, reverse, sizes, arrays)
        atol = rtol * max(np.abs(b).max() for b in right)  # gradients of one number are sums that may cancel
        for many in (1, 2):
            kernels.set_num_threads(many)
            try:
                with kernels.using(numba=True):
                    found = scanned(kind, reverse, sizes, arrays)
            finally:
                kernels.set_num_threads(threads)
            for a, b in zip(found, right, strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=atol)


def test_the_order_of_steps() -> None:
    assert order(3, 2, False, None) == [(0, 0, 2), (1, 1, 2), (2, 2, 2)]
    assert order(3, 2, True, (2, 1, 0)) == [(0, 2, 0), (1, 1, 1), (2, 0, 2)]


# -- fused, with memory ------------------------------------------------------------------------------


def test_fused_hands_memory_from_forward_to_backward_and_drops_it() -> None:
    def forward(x: Any, *more: Any, n: int) -> Any:
        *scales, memory = more
        memory[...] = n * x ** (n - 1)
        y = x**n
        for s in scales:
            y = y * s
        return y

    def backward(g: Any, y: Any, x: Any, *more: Any, out: Any, n: int) -> None:
        *scales, memory = more
        product = np.prod(scales, axis=0) if scales else 1.0
        out[0][...] = g * memory * product
        for i in range(len(scales)):
            out[i + 1][...] = g * x**n * np.prod([s for j, s in enumerate(scales) if j != i], axis=0)

    def definition(x: Any, *scales: Any, n: int) -> Any:
        y = x**n
        for s in scales:
            y = y * s
        return y

    power = fused(definition, forward, backward, memory=lambda x, *more, n: x.size, name="power")
    x, s = np.linspace(1, 2, 100), np.linspace(2, 3, 100)
    for args in ((x,), (x, s), (x, s, x + s)):
        ag.check_gradients(lambda *a: power(*a, n=3), *[a[:5] for a in args], order=2)
    t = ag.tensor(x, requires_grad=True)
    y = power(t, n=3)
    assert y.node.inputs[-1].shape == (100,)
    assert y.node.inputs[-1][0] == 3
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    np.testing.assert_allclose(t.grad, 6 * x * x)
    assert not isinstance(y.node.inputs[-1], np.ndarray), "dropped with what else was saved"
