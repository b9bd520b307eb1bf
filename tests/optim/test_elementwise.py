"""Which parameters step together makes no difference: not to their numbers, and not when it changes."""

from __future__ import annotations

import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim
from optim import elementwise

from .kinds import each, each_elementwise

SHAPES = [(3, 2), (), (700,), (0,), (40, 30), (2, 0, 3), (9,)]


def parameters(dtype: Any = np.float32, shapes: Any = SHAPES) -> list[nn.Parameter]:
    rng = np.random.default_rng(0)
    return [nn.Parameter(rng.normal(size=shape).astype(dtype)) for shape in shapes]


def walk(params: list[Any], optimizers: list[Any], steps: int = 4, seed: int = 1) -> None:
    """Step with gradients that are the same at each call."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for p in params:
            p.grad = np.asarray(rng.normal(size=p.shape) + p.numpy(), p.dtype)
        for optimizer in optimizers:
            optimizer.step()


def same(params: list[Any], others: list[Any]) -> None:
    for p, q in zip(params, others, strict=True):
        assert (p.dtype, p.shape) == (q.dtype, q.shape)
        np.testing.assert_array_equal(p.numpy(), q.numpy())


@each
def test_a_bundle_is_as_its_parts(make: Any, monkeypatch: Any) -> None:
    """To the last bit: together, in several bundles, each by itself, and with an optimizer for each."""
    together, bundled, alone, apart = (parameters() for _ in range(4))
    walk(together, [make(together)])
    walk(apart, [make([p]) for p in apart])
    same(together, apart)
    monkeypatch.setattr(elementwise, "BUNDLE", 1000)
    walk(bundled, [make(bundled)])
    same(together, bundled)
    monkeypatch.setattr(elementwise, "SMALL", 0)
    walk(alone, [make(alone)])
    same(together, alone)


@each
def test_dtypes_are_kept_apart(make: Any) -> None:
    mixed, apart = ([*parameters("f4"), *parameters("f8")] for _ in range(2))
    walk(mixed, [optimizer := make(mixed)])
    walk(apart, [make(apart[:7]), make(apart[7:])])
    same(mixed, apart)
    for p in mixed:
        assert all(a.dtype == p.dtype or a.ndim == 0 for a in optimizer.state.get(p, {}).values())


@each
@pytest.mark.parametrize("least", [0, 1 << 13])
def test_any_layout(make: Any, least: int, monkeypatch: Any) -> None:
    """Transposed, with gaps, reversed; gradients too."""
    monkeypatch.setattr(elementwise, "SMALL", least)
    straight, askew = parameters(shapes=[(6, 4), (5, 3), (7,)]), parameters(shapes=[(6, 4), (5, 3), (7,)])
    data = [p.numpy().copy() for p in askew]
    wide, line = np.zeros((10, 6), np.float32), data[2][::-1].copy()
    askew[0].data = np.asfortranarray(data[0])
    askew[1].data = wide[::2, ::2]
    askew[1].data[...] = data[1]
    askew[2].data = line[::-1]
    first, second = make(straight), make(askew)
    rng = np.random.default_rng(2)
    for _ in range(3):
        for p, q in zip(straight, askew, strict=True):
            p.grad = rng.normal(size=p.shape).astype(np.float32)
            q.grad = np.asfortranarray(p.grad)[...]
        first.step()
        second.step()
    same(straight, askew)
    assert not wide[1::2].any(), "what lies between is not written"
    assert np.shares_memory(askew[1].data, wide)
    assert np.shares_memory(askew[2].data, line)


@each_elementwise
def test_a_large_parameter_among_small_ones(make: Any) -> None:
    large = [(1 << 19) + 7]
    together, apart = (parameters(shapes=[(3,), large, (5,)]) for _ in range(2))
    walk(together, [make(together)], steps=2)
    walk(apart, [make([p]) for p in apart], steps=2)
    same(together, apart)
    assert np.isfinite(together[1].numpy()).all()


@each
def test_a_gradient_of_another_dtype_is_taken(make: Any) -> None:
    params, others = parameters(), parameters()
    first, second = make(params), make(others)
    for p, q in zip(params, others, strict=True):
        p.grad = np.full(p.shape, 0.5, np.float32)
        q.grad = np.full(p.shape, 0.5, np.float64)
    first.step()
    second.step()
    same(params, others)


@each
def test_a_dtype_changes_between_steps(make: Any) -> None:
    """What is remembered goes along; the numbers are those of a run in float64, as exact as float32 is."""
    model, exact = (nn.Linear(3, 2), nn.Linear(3, 2).to("float64"))
    exact.load_state_dict(model.state_dict())
    first, second = make(model.parameters()), make(exact.parameters())
    for seed, dtype in enumerate(["float32", "float64", "float64", "float32"]):
        model.to(dtype)
        rng = np.random.default_rng(seed)
        for p, q in zip(model.parameters(), exact.parameters(), strict=True):
            q.grad = rng.normal(size=p.shape)
            p.grad = q.grad.astype(dtype)
        first.step()
        second.step()
    for p, q in zip(model.parameters(), exact.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-4, atol=1e-5)
        assert all(a.dtype == np.float32 or a.ndim == 0 for a in first.state.get(p, {}).values())


def test_a_dtype_that_came_out_of_a_file() -> None:
    """Unpickled arrays have a dtype that is equal to NumPy's and not the same object."""
    a, b = nn.Parameter([1.0]), nn.Parameter([1.0])
    b.data = pickle.loads(pickle.dumps(b.data))
    assert a.data.dtype is not b.data.dtype
    walk([a, b], [optim.Adam([a, b])], steps=3)
    assert a.item() != 1 != b.item()


SWITCHES = [
    ("SGD", {"momentum": 0.9}), ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}), ("Adam", {"amsgrad": True}),
    ("RMSprop", {"centered": True}), ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), SWITCHES)
def test_an_option_that_needs_more_memory_is_switched_on_and_off(name: str, options: Any) -> None:
    """As a schedule does that cycles the momentum through 0."""
    params = parameters()
    optimizer = getattr(optim, name)(params, lr=0.01)
    walk(params, [optimizer], steps=2)
    before = {k: optimizer.param_groups[0][k] for k in options}
    optimizer.param_groups[0].update(options)
    walk(params, [optimizer], steps=2)
    remembered = {k: v.copy() for k, v in optimizer.state[params[0]].items()}
    for off in (before, options, before):
        optimizer.param_groups[0].update(off)
        walk(params, [optimizer], steps=2)
        again = getattr(optim, name)(params)
        again.load_state_dict(optimizer.state_dict())
    assert optimizer.state[params[0]].keys() == remembered.keys()
    assert all(np.isfinite(p.numpy()).all() for p in params)


@each
def test_shapes_that_do_not_fit_are_named_and_nothing_is_written(make: Any) -> None:
    params = parameters()
    optimizer = make(params)
    walk(params, [optimizer], steps=2)
    before = [p.numpy().copy() for p in params]
    params[-1].grad = np.ones((1,), np.float32)
    with pytest.raises(ValueError, match=r"\[step\] got a gradient of shape \(1,\), expected .* \(9,\)"):
        optimizer.step()
    for p, old in zip(params, before, strict=True):
        np.testing.assert_array_equal(p.numpy(), old)


@pytest.mark.parametrize("name", ["Adam", "Adafactor"])
def test_a_parameter_of_another_shape_is_not_the_one_remembered(name: str) -> None:
    for size in (5, 20_000):
        w = nn.Parameter(np.ones((size, 1), np.float32))
        optimizer = getattr(optim, name)([w])
        walk([w], [optimizer], steps=1)
        w.data = np.ones((3, size), np.float32)
        with pytest.raises(ValueError, match=rf"\[step\] got .* of shape \({size}, 1\), expected \(3, "):
            walk([w], [optimizer], steps=1)


@each
def test_an_optimizer_and_its_memory_go_with_the_last_name(make: Any) -> None:
    """Without waiting for the garbage collector: memory may be most of what there is."""
    params = parameters()
    gc.collect()
    gc.disable()
    try:
        optimizer = make(params)
        walk(params, [optimizer])
        gone = weakref.ref(optimizer)
        del optimizer
        assert gone() is None
    finally:
        gc.enable()


@each
def test_a_state_goes_through_a_file(make: Any, tmp_path: Any) -> None:
    """It is arrays, and options that JSON can say."""
    import json

    params, others = parameters(shapes=[(3, 2), (4,), ()]), parameters(shapes=[(3, 2), (4,), ()])
    first, second = make(params), make(others)
    walk(params, [first])
    state = first.state_dict()
    arrays = {f"{i}.{name}": a for i, slots in state["state"].items() for name, a in slots.items()}
    nn.save_file(arrays, tmp_path / "state.safetensors")
    loaded: dict[int, Any] = {}
    for name, array in nn.load_file(tmp_path / "state.safetensors").items():
        number, _, key = name.partition(".")
        loaded.setdefault(int(number), {})[key] = array
    groups = json.loads(json.dumps(state["param_groups"]))
    second.load_state_dict({"state": loaded, "param_groups": groups})
    for p, q in zip(params, others, strict=True):
        q.data = p.numpy().copy()
    walk(params, [first], seed=5)
    walk(others, [second], seed=5)
    same(params, others)


def test_options_may_be_updated_in_every_way_of_a_dictionary() -> None:
    w = nn.Parameter([0.0])
    optimizer = optim.SGD([w], lr=1.0, momentum=0.0)
    group = optimizer.param_groups[0]
    for lr, change in [
        (0.5, lambda: group.update(lr=0.5)), (0.25, lambda: group.__ior__({"lr": 0.25})),
        (0.125, lambda: group.__setitem__("lr", np.array(0.125))),
        (0.0625, lambda: group.__setitem__("lr", nn.Parameter(0.0625))),
    ]:  # fmt: skip
        change()
        before, w.grad = w.item(), np.ones(1, np.float32)
        optimizer.step()
        assert before - w.item() == lr == group["lr"]
    group.setdefault("initial_lr", 3.0)
    group |= {"lr": 0.0}
    assert optimizer.param_groups[0] is group
    optimizer.step()
    assert w.item() == -(0.5 + 0.25 + 0.125 + 0.0625)
