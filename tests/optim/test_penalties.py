"""Penalties against their sums, sparsity that is exact, and which parameters decay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

SUMS = {
    "l1": (lambda p: optim.l1(p), lambda w: abs(w).sum()),
    "l2": (lambda p: optim.l2(p), lambda w: (w**2).sum()),
    "lp 0.5": (lambda p: optim.lp(p, 0.5, eps=1e-12), lambda w: (abs(w) ** 0.5).sum()),
    "lp 1": (lambda p: optim.lp(p, 1, eps=1e-12), lambda w: abs(w).sum()),
    "lp 1.5": (lambda p: optim.lp(p, 1.5, eps=1e-12), lambda w: (abs(w) ** 1.5).sum()),
    "lp 2": (lambda p: optim.lp(p, 2), lambda w: (w**2).sum()),
    "lp 3": (lambda p: optim.lp(p, 3), lambda w: (abs(w) ** 3).sum()),
    "elastic net": (lambda p: optim.elastic_net(p, 2.0, 0.25), lambda w: (0.5 * abs(w) + 0.75 * w**2).sum()),
    "only squares": (lambda p: optim.elastic_net(p, 3.0, 0), lambda w: 1.5 * (w**2).sum()),
}
each = pytest.mark.parametrize(("ours", "theirs"), SUMS.values(), ids=SUMS)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sum_over_all_parameters(ours: Any, theirs: Any, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(dtype) for s in ((3, 4), (), (5,), (2, 1, 2))]
    params = [nn.Parameter(a) for a in arrays]
    total = ours(iter(params))
    assert total.shape == ()
    assert total.dtype == dtype
    flat = np.concatenate([a.ravel() for a in arrays])
    np.testing.assert_allclose(total.item(), theirs(flat.astype(float)), rtol=1e-5)
    total.backward()
    h = 1e-6
    for p, a in zip(params, arrays, strict=True):
        a = a.astype(float)
        slopes = [(theirs(x + h) - theirs(x - h)) / (2 * h) for x in a.ravel()]
        np.testing.assert_allclose(p.grad.ravel(), slopes, rtol=1e-4, atol=1e-5)
        assert p.grad.dtype == dtype
    assert ours(params[0]).item() == pytest.approx(theirs(arrays[0].astype(float)), rel=1e-5)


@each
def test_at_zero_the_gradient_is_zero(ours: Any, theirs: Any) -> None:
    w = nn.Parameter(np.zeros(3, np.float32))
    ours([w]).backward()
    assert w.grad.tolist() == [0, 0, 0]


def test_the_smoothed_power_is_what_its_formula_says() -> None:
    x = np.array([-1.0, -1e-3, 0.0, 2e-3, 0.5])
    for p, eps in ((0.5, 1e-3), (0.25, 0.1), (1.0, 1e-2)):
        w = nn.Parameter(x)
        total = optim.lp([w], p, eps)
        total.backward()
        assert total.item() == pytest.approx(((x**2 + eps**2) ** (p / 2) - eps**p).sum())
        np.testing.assert_allclose(w.grad, p * x * (x**2 + eps**2) ** (p / 2 - 1), rtol=1e-12)
        assert abs(w.grad).max() <= p * eps ** (p - 1)


def test_weight_decay_is_half_of_l2() -> None:
    start = np.array([1.0, -2.0, 0.5])
    a, b = nn.Parameter(start), nn.Parameter(start)
    one, two = optim.SGD([a], lr=0.01, weight_decay=0.3), optim.SGD([b], lr=0.01)
    for _ in range(10):
        for p, optimizer in ((a, one), (b, two)):
            optimizer.zero_grad()
            loss = ((p - 1) ** 4).sum()
            (loss if p is a else loss + 0.3 / 2 * optim.l2([p])).backward()
            optimizer.step()
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


# -- sparsity ----------------------------------------------------------------------------------------


def regression() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 20))
    truth = np.zeros(20)
    truth[[2, 7, 11]] = 2.0, -3.0, 1.0
    return X, X @ truth + 0.1 * rng.normal(size=60), truth


def test_soft_thresholds_minimise_with_exact_zeros() -> None:
    """The conditions of optimality of |Xw - y|^2 / 2m + s |w|_1; of gradient steps on l1 none is zero."""
    X, y, truth = regression()
    m, strength, lr = len(y), 0.1, 0.2
    w, v = nn.Parameter(np.zeros(20)), nn.Parameter(np.zeros(20))
    for _ in range(500):
        for p in (w, v):
            p.grad = None
            loss = ((X @ p - y) ** 2).sum() / (2 * m)
            (loss + strength * optim.l1([p]) if p is v else loss).backward()
            optim.SGD([p], lr=lr).step()
        optim.soft_threshold_([w], lr * strength)
    slopes = X.T @ (X @ w.numpy() - y) / m
    zero = w.numpy() == 0
    assert np.array_equal(zero, truth == 0)
    np.testing.assert_allclose(slopes[~zero], -strength * np.sign(w.numpy()[~zero]), rtol=1e-9)
    assert (abs(slopes[zero]) <= strength).all()
    assert (v.numpy() != 0).all()
    np.testing.assert_allclose(v.numpy(), w.numpy(), atol=2 * lr * strength)


@pytest.mark.parametrize(("p", "sparse"), [(0.5, True), (1.0, True), (2.0, False)])
def test_powers_up_to_one_make_sparse(p: float, sparse: bool) -> None:
    X, y, truth = regression()
    w = nn.Parameter(np.zeros(20) + 0.1)
    optimizer = optim.SGD([w], lr=0.02)
    for _ in range(2000):
        optimizer.zero_grad()
        (((X @ w - y) ** 2).mean() / 2 + 0.1 * optim.lp([w], p, eps=1e-2)).backward()
        optimizer.step()
    small = abs(w.numpy()) < 1e-2
    assert small[truth == 0].all() == sparse
    assert not small[truth != 0].any()


def test_thresholds_in_place_and_not_of_what_is_frozen() -> None:
    rng = np.random.default_rng(0)
    a, b = (nn.Parameter(rng.normal(size=(3, 4)).astype(np.float32)) for _ in range(2))
    b.requires_grad = False
    before, frozen = a.numpy().copy(), b.numpy().copy()
    memory, version = a.data.ctypes.data, a.version
    optim.soft_threshold_(iter([a, b]), 0.5)
    np.testing.assert_allclose(a.numpy(), np.sign(before) * np.maximum(abs(before) - 0.5, 0), atol=1e-7)
    assert (a.numpy() == 0).any()
    assert np.array_equal(b.numpy(), frozen)
    assert a.data.ctypes.data == memory
    assert a.version > version
    assert a.dtype == np.float32


# -- which parameters decay --------------------------------------------------------------------------


def test_biases_and_norms_do_not_decay() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.LayerNorm((4, 6, 6)), nn.PReLU(), nn.Flatten(),
        nn.Linear(144, 5, bias=False), nn.GRUCell(5, 6), nn.Bilinear(6, 6, 2),
    )  # fmt: skip
    decayed, kept = optim.decay_groups(model, 0.1)
    names = {id(p): name for name, p in model.named_parameters()}
    found = [names[id(p)] for p in decayed["params"]]
    assert found == ["0.weight", "5.weight", "6.weight_ih", "6.weight_hh", "7.weight"]
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.1, 0.0)
    assert len(found) + len(kept["params"]) == len(names)
    assert "2.weight" in [names[id(p)] for p in kept["params"]], "a norm's weight of three axes"
    optimizer = optim.SGD(optim.decay_groups(model, 0.5), lr=1.0)
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = np.zeros(p.shape, np.float32)
    optimizer.step()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(p.numpy(), before[name] * (0.5 if name in found else 1), rtol=1e-6)


def test_names_that_shall_not_decay_and_groups_that_would_be_empty() -> None:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4))
    groups = optim.decay_groups(model, 0.1, no_decay=["0."])
    assert [[p.shape for p in g["params"]] for g in groups] == [[(4, 4)], [(5, 4), (4,)]]
    assert len(optim.decay_groups(nn.Linear(2, 2, bias=False))) == 1
    tied = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    tied[1].weight = tied[0].weight
    assert [len(g["params"]) for g in optim.decay_groups(tied)] == [1]


W = nn.Parameter([1.0])
LINEAR = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.l1([]), ValueError, r"\[l1\] got no parameters, expected at least one; try"),
        (lambda: optim.l2(LINEAR), TypeError, r"\[l2\] got a Linear, expected parameters; try model.param"),
        (lambda: optim.l1([np.ones(2)]), TypeError, "a ndarray, expected parameters"),
        (lambda: optim.lp([W], 0), ValueError, "p=0"),
        (lambda: optim.lp([W], 0.5, eps=0), ValueError, "eps=0, expected numbers above 0"),
        (lambda: optim.elastic_net([W], -1), ValueError, "alpha=-1"),
        (lambda: optim.elastic_net([W], 1, 2), ValueError, "l1_ratio=2, expected alpha from 0"),
        (lambda: optim.soft_threshold_([W], -1), ValueError, "amount=-1"),
        (lambda: optim.decay_groups(LINEAR.parameters()), TypeError, "the model itself"),
        (lambda: optim.decay_groups(LINEAR, no_decay="bias"), TypeError, r"try \['bias'\]"),
        (lambda: optim.decay_groups(LINEAR, no_decay=["norm"]), ValueError, "'norm', expected a part of a"),
    ],
)
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
    assert ag.tensor(W.numpy()).item() == 1
