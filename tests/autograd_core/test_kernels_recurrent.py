"""The kernels of recurrent scans: equal to their definitions, with numba and without, in every variant."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn
from autograd_core.fused import fused
from autograd_core.kernels.recurrent import order
from nn.functional import recurrent

T, N, H, P = 4, 3, 3, 2
BIASES = ("b_ih", "b_hh")
VARIANTS: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    *[("rnn", names, {"relu": relu}) for names in ((), BIASES) for relu in (False, True)],
    *[("lstm", (*biases, *more), {"bias": bool(biases), "project": "w_hr" in more, "peephole": "p" in more})
      for biases in ((), BIASES) for more in ((), ("w_hr",), ("p",), ("w_hr", "p"))],
    *[("gru", names, {}) for names in ((), BIASES)],
]  # fmt: skip
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
NUMBA = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


@pytest.fixture(params=[False, pytest.param(True, marks=NUMBA)], ids=["NumPy", "numba"])
def numba(request: pytest.FixtureRequest) -> Iterator[None]:
    with kernels.using(numba=request.param):
        yield


def inputs(kind: str, names: tuple[str, ...], dtype: Any) -> list[Any]:
    rng, k = np.random.default_rng(1), GATES[kind]
    out = P if "w_hr" in names else H
    shapes = [(T, N, k * H), (N, out)] + [(N, H)] * (kind == "lstm") + [(k * H, out)]
    shapes += [{"w_hr": (P, H), "p": (3, H)}.get(name, (k * H,)) for name in names]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("sizes", [None, (3, 3, 2, 1), (2, 1, 1, 0)], ids=["all", "sizes", "late"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(("kind", "names", "params"), VARIANTS, ids=[f"{k} {' '.join(n)} {p.get('relu', '')}"
                                                                     for k, n, p in VARIANTS])  # fmt: skip
@pytest.mark.usefixtures("numba")
def test_kernels_are_their_definitions(
    kind: str, names: tuple[str, ...], params: dict[str, Any], reverse: bool, sizes: Any, dtype: Any
) -> None:
    xs = inputs(kind, names, dtype)
    params = params | {"reverse": reverse, "sizes": sizes}
    operation, definition = getattr(recurrent, f"_{kind}_op"), getattr(recurrent, f"_{kind}")
    y, pull = ag.vjp(lambda *x: operation(*x, **params), *xs)
    z, pull_definition = ag.vjp(lambda *x: definition(*x, **params), *xs)
    rtol = 2e-5 if dtype == np.float32 else 1e-12
    assert y.dtype == dtype
    np.testing.assert_allclose(y, z, rtol=rtol, atol=rtol)
    g = np.random.default_rng(2).normal(size=z.shape).astype(dtype)
    for name, ours, theirs in zip(range(9), pull(g), pull_definition(g), strict=False):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=10 * rtol, err_msg=f"gradient {name}")


@pytest.mark.parametrize(("kind", "names", "params"), VARIANTS[1::3], ids=[k for k, *_ in VARIANTS[1::3]])
@pytest.mark.usefixtures("numba")
def test_scans_to_second_order_and_in_forward_mode(kind: str, names: Any, params: dict[str, Any]) -> None:
    operation = getattr(recurrent, f"_{kind}_op")
    xs = [x[:2] if x.ndim == 3 else x for x in inputs(kind, names, np.float64)]
    ag.check_gradients(lambda *x: operation(*x, **params, sizes=(3, 2)), *xs, order=2)


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
