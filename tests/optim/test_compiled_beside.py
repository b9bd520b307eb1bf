"""What people call beside backward and step, in a compiled step: the same bits as in an eager one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

from .test_compiled import bits

STEPS = 8


def networks() -> list[nn.Module]:
    """Return the same small network twice; one layer is large, and one is not used."""
    found = []
    for _ in range(2):
        nn.manual_seed(0)
        found.append(nn.Sequential(nn.Linear(4, 300), nn.Tanh(), nn.Linear(300, 2)))
    return found


def batch(i: int, n: int = 3) -> Any:
    rng = np.random.default_rng(i)
    return rng.normal(size=(n, 4)).astype(np.float32), rng.normal(size=(n, 2)).astype(np.float32)


def agree(make: Callable[[nn.Module], tuple[Any, Any]], steps: int = STEPS, plans: int = 1) -> None:
    """Train eagerly and compiled with ``make(model)``: a step of (x, y), and what to compare besides."""
    runs = []
    for compiled, model in enumerate(networks()):
        nn.manual_seed(1)
        step, others = make(model)
        run = ag.compile(step) if compiled else step
        left = []
        for i in range(steps):
            loss = run(*batch(i))
            arrays = [model.state_dict(), [p.grad for p in model.parameters()]]
            left.append(bits([loss, arrays, ag.random.generator().random(), others()]))
        runs.append(left)
        if compiled:
            assert len(run.plans) == plans
    for i, (a, b) in enumerate(zip(*runs, strict=True)):
        assert a == b, f"step {i}"


def after_backward(change: Callable[[list[Any], Any], Any]) -> Callable[[nn.Module], tuple[Any, Any]]:
    """Return a step in which ``change(parameters, optimizer)`` runs between backward and step."""
    def make(model: nn.Module) -> tuple[Any, Any]:
        optimizer = optim.Adam(model.parameters(), 0.01)
        params = list(model.parameters())

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            more = change(params, optimizer)
            optimizer.step()
            return loss, more

        return step, optimizer.state_dict

    return make


CHANGES: dict[str, Callable[[list[Any], Any], Any]] = {
    "norm": lambda params, o: nn.utils.clip_grad_norm_(params, 0.5),
    "norm-large": lambda params, o: nn.utils.clip_grad_norm_(params, 1e3, error_if_nonfinite=True),
    "norm-1": lambda params, o: nn.utils.clip_grad_norm_(params, 0.5, norm_type=1.0),
    "norm-inf": lambda params, o: nn.utils.clip_grad_norm_(params[0], 0.1, norm_type=np.inf),
    "value": lambda params, o: nn.utils.clip_grad_value_(params, 0.01),
    "noise": lambda params, o: optim.add_gradient_noise(params, 3, 0.1),
    "threshold": lambda params, o: optim.soft_threshold_(params, 1e-3),
    "threshold-lr": lambda params, o: optim.soft_threshold_(params, o.param_groups[0].numbers["lr"] * 0.1),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_gradients_and_weights(change: Any) -> None:
    agree(after_backward(change))


@pytest.mark.parametrize("gamma", [0.55, 0.0])
def test_noise_that_counts_its_steps(gamma: float) -> None:
    def make(model: nn.Module) -> tuple[Any, Any]:
        noise = optim.GradientNoise(0.1, gamma, np.random.default_rng(7))
        step, state = after_backward(lambda params, o: noise(params))(model)
        return step, lambda: [state(), noise.state_dict()]

    def returned(make: Any) -> Any:  # eagerly a Python number, from a replay an array
        step, others = make
        return (lambda x, y: step(x, y)[0]), others

    agree(lambda model: returned(make(model)))


def test_a_norm_that_is_not_finite_is_refused_in_a_replay() -> None:
    w = nn.Parameter(np.ones(2))

    def step(x: Any) -> Any:
        w.grad = None
        (w * x).sum().backward()
        return nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)

    replayed = ag.compile(step)
    for _ in range(5):
        replayed(np.ones(2))
    assert replayed.plans
    with pytest.raises(RuntimeError, match=r"\[clip_grad_norm_\] got a norm of nan, expected a finite one"):
        replayed(np.array([1.0, np.nan]))


PENALTIES: dict[str, Callable[[Any], Any]] = {
    "l1": optim.l1, "l2": optim.l2, "lp": lambda params: optim.lp(params, 0.5),
    "lp-3": lambda params: optim.lp(params, 3.0),
    "elastic": lambda params: optim.elastic_net(params, 0.1, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
def test_penalties(penalty: Any) -> None:
    def make(model: nn.Module) -> tuple[Any, Any]:
        optimizer = optim.SGD(optim.decay_groups(model), 0.1, momentum=0.9)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y) + 1e-3 * penalty(model.parameters())
            loss.backward()
            optimizer.step()
            return loss

        return step, optimizer.state_dict

    agree(make)


AVERAGES: dict[str, Callable[[nn.Module], Any]] = {
    "ema": lambda model: optim.ema(model, 0.9), "swa": optim.AveragedModel,
    "ema-plain": lambda model: optim.ema(model, 0.9, bias_correction=False, use_buffers=True),
    "one": lambda model: optim.AveragedModel(model, avg_fn=optim.get_ema_avg_fn(0.5)),
    "own": lambda model: optim.AveragedModel(model, avg_fn=lambda a, x, n: a + (x - a) / (n + 2)),
}  # fmt: skip


@pytest.mark.parametrize("average", AVERAGES.values(), ids=AVERAGES)
def test_averages_of_parameters(average: Any) -> None:
    def make(model: nn.Module) -> tuple[Any, Any]:
        optimizer, mean = optim.SGD(model.parameters(), 0.1), average(model)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            mean.update_parameters(model)
            return loss

        calls = iter(range(100))

        def others() -> Any:
            if next(calls) == 5:
                mean.n_averaged[...] = 0  # the next one is a copy again
            return mean.state_dict()

        return step, others

    agree(make)


def test_gradients_of_several_batches_in_one_step() -> None:
    def make(model: nn.Module) -> tuple[Any, Any]:
        optimizer = optim.Adam(model.parameters(), 0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            total = 0
            for part in range(3):
                loss = nn.functional.mse_loss(model(x[part : part + 1]), y[part : part + 1]) / 3
                loss.backward()
                total = total + loss.detach()
            optimizer.step()
            return total

        return step, optimizer.state_dict

    agree(make)


@pytest.mark.parametrize("none", [True, False])
def test_gradients_of_several_steps(none: bool) -> None:
    def make(model: nn.Module) -> tuple[Any, Any]:
        optimizer = optim.Adam(model.parameters(), 0.01)

        def step(x: Any, y: Any, last: bool) -> Any:
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            if last:
                optimizer.step()
                optimizer.zero_grad(none)
            return loss

        calls = iter(range(100))
        return (lambda x, y: step(x, y, next(calls) % 2 == 1)), optimizer.state_dict, step

    eager, compiled = networks()
    (run, state, _), (_, other, step) = make(eager), make(compiled)
    replayed: Any = ag.compile(step)
    for i in range(16):
        loss = bits([run(*batch(i)), eager.state_dict(), [p.grad for p in eager.parameters()], state()])
        assert loss == bits([replayed(*batch(i), i % 2 == 1), compiled.state_dict(),
                             [p.grad for p in compiled.parameters()], other()]), f"step {i}"  # fmt: skip
    assert 2 <= len(replayed.plans) <= 3


def test_two_compiled_functions_that_share_a_model() -> None:
    def make(model: nn.Module, compiled: Any) -> Any:
        optimizer = optim.SGD(model.parameters(), 0.1, momentum=0.5)

        @compiled
        def collect(x: Any, y: Any) -> Any:
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        @compiled
        def update() -> None:
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            optimizer.zero_grad()

        return collect, update

    models = networks()
    (collect, update), (other, change) = make(models[0], lambda f: f), make(models[1], ag.compile)
    for i in range(16):
        assert bits(collect(*batch(i))) == bits(other(*batch(i)))
        if i % 2:
            update()
            change()
        assert bits(models[0].state_dict()) == bits(models[1].state_dict()), f"step {i}"
