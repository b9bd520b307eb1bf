"""Optimizers by themselves: what a step does, their options, their state, their errors."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

from .kinds import each


def parameters(dtype: Any = np.float32) -> list[nn.Parameter]:
    rng = np.random.default_rng(0)
    return [nn.Parameter(rng.normal(size=shape).astype(dtype)) for shape in ((3, 2), (4,), ())]


def descend(params: list[Any], optimizer: Any, steps: int) -> None:
    for n in range(steps):
        optimizer.zero_grad()
        sum((p * p * (1 + n % 3)).sum() for p in params).backward()
        optimizer.step()


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_descends_in_place_and_keeps_dtype(make: Any, dtype: Any) -> None:
    params = parameters(dtype)
    memory, versions = [p.data.ctypes.data for p in params], [p.version for p in params]
    before = sum(float((p.numpy() ** 2).sum()) for p in params)
    optimizer = make(params)
    descend(params, optimizer, 40)
    assert sum(float((p.numpy() ** 2).sum()) for p in params) < before / 3
    assert [p.data.ctypes.data for p in params] == memory
    assert all(p.version >= v + 40 for p, v in zip(params, versions, strict=True))
    assert all(p.dtype == dtype and p.is_leaf and p.requires_grad for p in params)
    for state in optimizer.state.values():
        for value in state.values():
            assert type(value) is np.ndarray, "state that changes is arrays"
            assert value.ndim == 0 or value.dtype == dtype
    for p in params:
        for name, value in optimizer.state.get(p, {}).items():
            assert (value.shape, value.dtype) == optimizer.like(optimizer.param_groups[0], p, name)


@each
def test_a_gradient_is_read_and_not_written(make: Any) -> None:
    params = parameters()
    optimizer = make(params)
    for _ in range(3):
        for p in params:
            p.grad = np.ones(p.shape, np.float32)
            p.grad.flags.writeable = False
        optimizer.step()
        assert all((p.grad == 1).all() for p in params)


@each
def test_what_has_no_gradient_is_left_alone(make: Any) -> None:
    params = parameters()
    optimizer = make(params)
    before = params[1].numpy().copy()
    for _ in range(2):
        (params[0] * params[0]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert np.array_equal(params[1].numpy(), before)
    assert params[1] not in optimizer.state
    optimizer.step()  # nothing has one now


@each
def test_gradients_that_are_part_of_a_graph_are_taken(make: Any) -> None:
    a, b = parameters(), parameters()
    for params, create_graph in ((a, False), (b, True)):
        optimizer = make(params)
        for _ in range(3):
            optimizer.zero_grad()
            sum((p * p).sum() for p in params).backward(create_graph=create_graph)
            optimizer.step()
    assert all(np.array_equal(p.numpy(), q.numpy()) for p, q in zip(a, b, strict=True))


@each
def test_the_state_continues_where_it_was(make: Any) -> None:
    straight, stopped = parameters(), parameters()
    optimizer = make(straight)
    descend(straight, optimizer, 10)
    first = make(stopped)
    descend(stopped, first, 6)
    state = first.state_dict()
    assert state["param_groups"][0]["params"] == [0, 1, 2]
    second = make(stopped)
    second.load_state_dict(copy.deepcopy(state))
    descend(stopped, second, 1)
    for n in range(7, 10):  # the loop above starts its weights anew at each call
        second.zero_grad()
        sum((p * p * (1 + n % 3)).sum() for p in stopped).backward()
        second.step()
    # step 6 of the straight run had weight 1 + 6 % 3 = 1, as the first of a new loop has
    for p, q in zip(straight, stopped, strict=True):
        assert np.array_equal(p.numpy(), q.numpy())
    for arrays in state["state"].values():
        for value in arrays.values():
            value[...] = 1e9  # a copy: changing it changes nothing
    assert all((abs(v) < 1e6).all() for s in first.state.values() for v in s.values())


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@each
def test_a_model_and_its_optimizer_are_copied_together(make: Any, copier: Any) -> None:
    params = parameters()
    optimizer = make(params)
    descend(params, optimizer, 3)
    twins, twin = copier((params, optimizer))
    descend(params, optimizer, 3)
    descend(twins, twin, 3)
    assert all(np.array_equal(p.numpy(), q.numpy()) for p, q in zip(params, twins, strict=True))


def test_groups_have_options_of_their_own() -> None:
    a, b, c = parameters()
    optimizer = optim.SGD([{"params": [a], "lr": 0.5}, {"params": b}], lr=0.1)
    optimizer.add_param_group({"params": [c], "lr": 0.0})
    before = [p.numpy().copy() for p in (a, b, c)]
    for p in (a, b, c):
        p.grad = np.ones(p.shape, np.float32)
    optimizer.step()
    for p, old, lr in zip((a, b, c), before, (0.5, 0.1, 0.0), strict=True):
        np.testing.assert_allclose(p.numpy(), old - np.float32(lr), rtol=1e-6)
    optimizer.param_groups[2]["lr"] = 1.0
    optimizer.step()
    np.testing.assert_allclose(c.numpy(), before[2] - 1, rtol=1e-6)
    assert repr(optimizer).splitlines()[1].startswith("  1 arrays, 6 parameters: lr=0.5, momentum=0.0")


@each
def test_maximize_climbs(make: Any) -> None:
    """The way up a hill is the way down the hill turned over."""
    params, turned = parameters(), parameters()
    up, down = make(params, maximize=True), make(turned)
    for n in range(5):
        for p, q in zip(params, turned, strict=True):
            p.grad = np.full(p.shape, 1.0 - 0.5 * n, np.float32)
            q.grad = -p.grad
        up.step()
        down.step()
    for p, q in zip(params, turned, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-5)


def test_a_closure_is_evaluated_with_recording_on() -> None:
    w = nn.Parameter([2.0])
    optimizer = optim.SGD([w], lr=0.25)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with ag.no_grad():
        assert optimizer.step(closure).item() == 4
    assert w.item() == 1


def test_zero_grad() -> None:
    w = nn.Parameter([2.0])
    optimizer = optim.SGD([w])
    w.sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert (w.grad == 0).all()
    optimizer.zero_grad()
    assert w.grad is None


def test_a_backward_after_the_step_is_an_error() -> None:
    w = nn.Parameter([2.0])
    optimizer = optim.SGD([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(ag.GraphError, match="written to after it was used"):
        loss.backward()


def test_parameters_converted_to_another_dtype_go_on() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for dtype in ("float32", "float64", "float32"):
        model.to(dtype)
        model(np.ones((3, 2))).sum().backward()
        before = model.weight.numpy().copy()
        optimizer.step()
        optimizer.zero_grad()
        np.testing.assert_allclose(model.weight.numpy(), before - 0.3, rtol=1e-6)
        assert model.weight.dtype == dtype


# -- errors ------------------------------------------------------------------------------------------

W, M = nn.Parameter([1.0]), nn.Parameter([[1.0]])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.SGD([]), ValueError, r"\[SGD\] got no parameters, expected at least one; try"),
        (lambda: optim.SGD(iter([])), ValueError, "as an iterator serves once"),
        (lambda: optim.SGD(W), TypeError, r"params of type Parameter.*; try \[parameter\]"),
        (lambda: optim.SGD(nn.Linear(2, 1)), TypeError, r"type Linear.*try model.parameters\(\)"),
        (lambda: optim.SGD([np.ones(2)]), TypeError, "a parameter of type ndarray, expected a Tensor"),
        (lambda: optim.SGD([W * 2]), ValueError, "a result of an operation as a parameter"),
        (lambda: optim.SGD([W, W]), ValueError, r"a parameter of shape \(1,\) twice"),
        (lambda: optim.SGD([{"params": [W]}, {"params": W}]), ValueError, "twice"),
        (lambda: optim.SGD([{"params": [W], "rate": 1}]), TypeError, "the option 'rate', expected one"),
        (lambda: optim.SGD([{"lr": 1}]), TypeError, "a dictionary with 'params'"),
        (lambda: optim.SGD([W], lr=-1), ValueError, "lr=-1, expected a number that is not negative"),
        (lambda: optim.SGD([W], lr=float("nan")), ValueError, "lr=nan"),
        (lambda: optim.SGD([W], lr="0.1"), TypeError, "lr='0.1', expected a number"),
        (lambda: optim.SGD([W], momentum=-1), ValueError, "momentum=-1"),
        (lambda: optim.SGD([W], weight_decay=-1), ValueError, "weight_decay=-1"),
        (lambda: optim.SGD([W], nesterov=True), ValueError, "nesterov with momentum=0.0"),
        (lambda: optim.SGD([W], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "no dampening"),
        (lambda: optim.SGD([{"params": [W], "lr": -1}], lr=1), ValueError, "lr=-1"),
        (lambda: optim.Adam([W], betas=(0.9, 1.0)), ValueError, r"\[Adam\] got betas=\(0.9, 1.0\)"),
        (lambda: optim.Adam([W], eps=-1), ValueError, "eps=-1"),
        (lambda: optim.AdamW([W], lr=-1), ValueError, r"\[AdamW\] got lr=-1"),
        (lambda: optim.NAdam([W], betas=(-0.1, 0.9)), ValueError, r"\[NAdam\] got betas=\(-0.1, 0.9\)"),
        (lambda: optim.NAdam([W], momentum_decay=-1), ValueError, "momentum_decay=-1"),
        (lambda: optim.Lion([W], betas=(0.9, 2)), ValueError, r"\[Lion\] got betas=\(0.9, 2\)"),
        (lambda: optim.Adagrad([W], lr_decay=-1), ValueError, "lr_decay=-1"),
        (lambda: optim.Adagrad([W], initial_accumulator_value=-1), ValueError, "accumulator_value=-1"),
        (lambda: optim.Adadelta([W], rho=1.1), ValueError, "rho=1.1, expected a number from 0 to 1"),
        (lambda: optim.RMSprop([W], alpha=-0.1), ValueError, "alpha=-0.1, expected a number from 0 to 1"),
        (lambda: optim.Rprop([W], etas=(1.2, 0.5)), ValueError, r"etas=\(1.2, 0.5\), expected 0 < eta-"),
        (lambda: optim.Rprop([W], step_sizes=(1, 0.1)), ValueError, r"step_sizes=\(1, 0.1\)"),
        (lambda: optim.ASGD([W], lambd=-1), ValueError, "lambd=-1"),
        (lambda: optim.Adafactor([W], eps=(-1, 1)), ValueError, r"eps=\(-1, 1\)"),
        (lambda: optim.Adafactor([W], beta2_decay=0.8), ValueError, "beta2_decay=0.8, expected .* at most 0"),
        (lambda: optim.Adafactor([W], d=0.5), ValueError, "d=0.5, expected a number of at least 1"),
        (lambda: optim.Muon([W]), ValueError, r"a parameter of shape \(1,\), expected matrices"),
        (lambda: optim.Muon([M], ns_steps=100), ValueError, "fewer than 100 steps"),
        (lambda: optim.Muon([M], adjust_lr_fn="none"), ValueError, "adjust_lr_fn='none', expected"),
        (lambda: optim.Optimizer([W], {}).step(), NotImplementedError, "a method update"),
    ],
)
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    params = parameters()
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9)
    descend(params, optimizer, 2)
    good, before = optimizer.state_dict(), optimizer.state_dict()
    for change, text in [
        (lambda s: s["param_groups"].append(s["param_groups"][0]), r"groups of \[3, 3\] parameters"),
        (lambda s: s["param_groups"][0]["params"].pop(), r"groups of \[2\] parameters, expected \[3\]"),
        (lambda s: s["state"][1].update(momentum_buffer=np.ones(9)), r"momentum_buffer of shape \(9,\)"),
        (lambda s: s["param_groups"][0].update(lr=-1), "lr=-1"),
    ]:
        bad = copy.deepcopy(good)
        change(bad)
        with pytest.raises(ValueError, match=text):
            optimizer.load_state_dict(bad)
        now = optimizer.state_dict()
        assert now["param_groups"] == before["param_groups"]
        for i, arrays in before["state"].items():
            for name, value in arrays.items():
                assert np.array_equal(now["state"][i][name], value)


def test_a_group_may_say_its_name_and_where_its_rate_began() -> None:
    optimizer = optim.SGD([{"params": parameters(), "name": "all", "initial_lr": 0.8}], lr=0.1)
    schedule = optim.schedules.ExponentialLR(optimizer, 0.5, last_epoch=1)
    np.testing.assert_allclose(schedule.get_last_lr(), [0.2])
    assert optimizer.param_groups[0]["name"] == "all"


def test_parameters_may_come_with_their_names() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters())
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for p in model.parameters()]


def test_an_option_is_no_attribute() -> None:
    optimizer = optim.SGD(parameters(), lr=0.1)
    with pytest.raises(AttributeError, match=r"attribute lr.*try optimizer.param_groups\[0\]\['lr'\] = 5"):
        optimizer.lr = 5.0
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_the_state_of_another_kind_of_optimizer_is_refused() -> None:
    params = parameters()
    other = optim.AdamW(params)
    descend(params, other, 2)
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match="a state without momentum, dampening, nesterov, expected one of"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert not optimizer.state
