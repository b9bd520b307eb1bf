"""Checkpointed parts: the same numbers to the last bit, from less memory."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, random


def leaf(values: Any) -> ag.Tensor:
    return ag.tensor(np.array(values, dtype=float), requires_grad=True)


def tower(x: Any, w: Any, block: Any, depth: int = 5) -> Any:
    for _ in range(depth):
        x = block(x, w)
    return x


def block(x: Any, w: Any) -> Any:
    return np.tanh(x @ w) * 1.5 + x


X, W = (np.random.default_rng(0).normal(size=s) for s in ((4, 3), (3, 3)))


def test_values_and_gradients_are_the_same_to_the_last_bit() -> None:
    grads = []
    for f in (block, ag.checkpoint(block), ag.checkpoint(ag.checkpoint(block))):
        x, w = leaf(X), leaf(W)
        y = tower(x, w, f)
        (y * y).sum().backward()
        grads.append((y.detach().numpy(), x.grad, w.grad))
    for other in grads[1:]:
        for a, b in zip(grads[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_reader_goes_through_it() -> None:
    def plain(x: Any, w: Any) -> Any:
        return tower(x, w, block, 2)

    def parts(x: Any, w: Any) -> Any:
        return tower(x, w, ag.checkpoint(block), 2)

    ag.check_gradients(parts, X, W, order=2)
    for transform in (ag.jacobian, lambda f: ag.jacobian(f, mode="forward")):
        np.testing.assert_array_equal(transform(parts)(X, W), transform(plain)(X, W))
    h = ag.hessian(lambda x: (parts(x, W) ** 2).sum())(X)
    np.testing.assert_allclose(h, ag.hessian(lambda x: (plain(x, W) ** 2).sum())(X), rtol=1e-12)
    third = [ag.grad(ag.grad(ag.grad(f)))(0.4) for f in (np.sin, ag.checkpoint(np.sin))]
    assert third[0] == third[1]


def test_it_keeps_the_inputs_only() -> None:
    def peak(f: Any) -> int:
        x, w = leaf(np.ones((20_000, 3))), leaf(W * 0.1)
        gc.collect()
        tracemalloc.start()
        tower(x, w, f, 12).sum().backward()
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    heavy = lambda x, w: tower(x, w, block, 8)
    assert peak(ag.checkpoint(heavy)) < 0.3 * peak(heavy)


def test_what_it_closes_over_gets_its_gradients() -> None:
    w, x = leaf([0.3, -0.4]), leaf([1.0, 2.0])
    for f in (lambda v: v, ag.checkpoint):
        x.grad = w.grad = None
        inner = w * 2.0  # neither an input nor a leaf
        seen: list[Any] = []
        inner.retain_grad()
        inner.register_hook(lambda g, seen=seen: seen.append(np.array(g)))
        y = f(lambda x, inner=inner: np.sin(x * w) * inner)(x).sum() + (inner**2).sum()
        y.backward()
        result = [x.grad, w.grad, inner.grad, *seen]
        if f is not ag.checkpoint:
            expected = result
        assert len(result) == 4  # the hook has run once
        for a, b in zip(result, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-15)


def test_second_order_through_closures() -> None:
    results = []
    for f in (lambda v: v, ag.checkpoint):
        w, x = leaf([0.3, -0.4]), leaf([1.0, 2.0])
        part = f(lambda x, w=w: np.sin(x * w))
        part(x).sum().backward(create_graph=True)
        penalty = (x.grad * w.grad).sum() + (x.grad**2).sum()
        x.grad = w.grad = None
        penalty.backward()
        results.append((x.grad, w.grad))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-14)


def test_modules_and_the_same_random_draws() -> None:
    nn.manual_seed(0)
    layer = nn.Linear(3, 3)

    def noisy(x: Any) -> Any:
        mask = random.generator().random((4, 3)) < 0.5
        return np.tanh(layer(x)) * mask

    state = random.get_state()
    results = []
    for f in (noisy, ag.checkpoint(noisy)):
        random.set_state(state)
        layer.zero_grad()
        x = ag.tensor(X, dtype="f4", requires_grad=True)
        y = f(f(x))
        between = random.generator().random()
        y.sum().backward()
        results.append([y.detach().numpy(), x.grad, layer.weight.grad, between, random.generator().random()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    whole = ag.checkpoint(layer)(np.ones((2, 3)))
    assert whole.shape == (2, 3)
    assert whole.requires_grad


def test_nests_in_and_out_and_what_is_no_tensor() -> None:
    @ag.checkpoint
    def f(pair: Any, *, scale: float, flag: bool) -> Any:
        a, b = pair["a"], pair["b"]
        return {"sum": (a + b).sum(), "rest": [a * scale, flag, b.astype("f4")], "none": None}

    a, b = leaf([1.0, 2.0]), leaf([[3.0, 4.0]])
    out = f({"a": a, "b": b}, scale=2.0, flag=True)
    assert out["rest"][1] is True
    assert out["none"] is None
    assert out["rest"][2].dtype == np.float32
    assert out["sum"].shape == ()
    (out["sum"] * 3.0 + out["rest"][0].sum() + out["rest"][2].sum().astype("f8")).backward()
    assert a.grad.tolist() == [5, 5]
    assert b.grad.tolist() == [[4, 4]]
    assert f.__name__ == "f"


def test_without_recording_it_is_the_function() -> None:
    calls = []

    @ag.checkpoint
    def f(x: Any) -> Any:
        calls.append(1)
        return x * 2.0

    assert f(3.0) == 6.0
    with ag.no_grad():
        assert not f(leaf([1.0])).requires_grad
    assert not f(ag.tensor([1.0])).requires_grad
    assert len(calls) == 3
    x = leaf([1.0])
    y = f(x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4]
    with pytest.raises(ag.GraphError, match="retain_graph"):
        y.backward()


def test_a_second_run_that_differs_is_an_error() -> None:
    w, others = leaf([1.0, 2.0]), [leaf([1.0, 2.0]), leaf([3.0, 4.0])]
    x = leaf([1.0, 2.0])
    y = ag.checkpoint(lambda x: x * others.pop())(x)
    with pytest.raises(ag.GraphError, match=r"\[checkpoint\] got another computation.*ran again"):
        y.sum().backward()
    sizes = [1, 2]
    y = ag.checkpoint(lambda x: x[: sizes.pop()])(x)
    with pytest.raises(ag.GraphError, match="another computation"):
        y.backward(np.ones(2))
    y = ag.checkpoint(lambda x: x * w)(x)
    with ag.no_grad():
        w += 1.0
    with pytest.raises(ag.GraphError, match="written to after it was used"):
        y.sum().backward()
    assert x.grad is None


def test_a_part_that_writes_into_its_input_writes_into_its_own() -> None:
    @ag.checkpoint
    def f(x: Any) -> Any:
        x[0] = x[1] * x[1]
        return x * x

    x = leaf([1.0, 3.0])
    a = x * 1.0
    f(a).sum().backward()
    assert a.tolist() == [1, 3]
    assert x.grad.tolist() == [0, 4 * 27 + 6]
