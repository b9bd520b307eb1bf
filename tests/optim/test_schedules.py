"""Schedules against their formulas, resumed in the middle, joined, and with arguments that make no sense."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

S = optim.schedules
STEPS = 120


def optimizer_of(*rates: float, kind: str = "SGD", **options: Any) -> Any:
    groups = [{"params": [nn.Parameter(np.ones(2))], "lr": lr} for lr in rates or (0.1,)]
    return getattr(optim, kind)(groups, **({"momentum": 0.9} if kind == "SGD" else {}), **options)


def rates(optimizer: Any) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def run(optimizer: Any, schedule: Any, steps: int) -> list[list[float]]:
    """The rates and momenta of the next steps, exactly."""
    curve = []
    for _ in range(steps):
        momenta = [group.get("momentum", group.get("betas")) for group in optimizer.param_groups]
        curve.append([*rates(optimizer), *momenta])
        schedule.step(1.0) if isinstance(schedule, S.ReduceLROnPlateau) else schedule.step()
    return curve


# -- closed forms, written a second time ---------------------------------------------------------

FORMS: list[tuple[Callable[[Any], Any], Callable[[int], float]]] = [
    (lambda o: S.StepLR(o, 30), lambda t: 0.3 * 0.1 ** len([m for m in (30, 60, 90) if m <= t])),
    (lambda o: S.MultiStepLR(o, [80, 30]), lambda t: 0.3 * (1 if t < 30 else 0.1 if t < 80 else 0.01)),
    (lambda o: S.ConstantLR(o, 0.0, 4), lambda t: 0.3 * (t >= 4)),  # PyTorch divides by this factor
    (lambda o: S.ConstantLR(o, 0.5, 0), lambda t: 0.3),
    (lambda o: S.LinearLR(o, 0.5, 0.25, total_iters=0), lambda t: 0.075),
    (lambda o: S.LinearLR(o, 1, 0, total_iters=60), lambda t: 0.3 * max(0, (60 - t) / 60)),
    (lambda o: S.ExponentialLR(o, 0.3), lambda t: math.exp((t + 1) * math.log(0.3))),  # eta_0^t from t = 1
    (lambda o: S.PolynomialLR(o, 50, power=3), lambda t: 0.3 * max(0, 1 - t / 50) ** 3),
    (lambda o: S.CosineAnnealingLR(o, 40, 0.1), lambda t: 0.2 + 0.1 * math.cos(t / 40 * math.pi)),
    (lambda o: S.CosineAnnealingWarmRestarts(o, 16), lambda t: 0.3 * math.cos((t % 16) * math.pi / 32) ** 2),
    (lambda o: S.InverseSquareRootLR(o), lambda t: 0.3 / math.sqrt(t + 1)),
    (lambda o: S.InverseSquareRootLR(o, timescale=50), lambda t: 0.3 * math.sqrt(50 / (50 + t))),
    (lambda o: S.NoamLR(o, 512, 40),
     lambda t: 0.3 / math.sqrt(512) * ((t + 1) / 40**1.5 if t < 40 else 1 / math.sqrt(t + 1))),
    (lambda o: S.WarmupLR(o, 10), lambda t: 0.3 * min(1, (t + 1) / 11)),
    (lambda o: S.WarmupLR(o, 10, start_factor=0), lambda t: 0.3 * min(1, t / 10)),
    (lambda o: S.WarmupLR(o, 10, start_factor=0.5), lambda t: 0.15 + 0.15 * min(1, t / 10)),
    (lambda o: S.WarmupLR(o, 0, S.ExponentialLR(o, 0.9)), lambda t: 0.3 * 0.9**t),
    (lambda o: S.WarmupLR(o, 10, S.ExponentialLR(o, 0.9)),
     lambda t: 0.3 * (t + 1) / 11 if t < 10 else 0.3 * 0.9 ** (t - 10)),
    (lambda o: S.WarmupLR(o, 5, S.LambdaLR(o, lambda t: 2 + t), start_factor=0),
     lambda t: 0.6 * t / 5 if t < 5 else 0.3 * (2 + t - 5)),
    (lambda o: S.WarmupLR(o, 5, S.OneCycleLR(o, 1.0, 120), start_factor=0),
     lambda t: t / 125 if t < 5 else 0.52 - 0.48 * math.cos(math.pi * (t - 5) / 35) if t < 40
     else 0.5 * (1 + 4e-6) + 0.5 * (1 - 4e-6) * math.cos(math.pi * (t - 40) / 84)),
    (lambda o: S.SequentialLR(o, [S.SequentialLR(o, [S.ConstantLR(o, 0.5, 9), S.ExponentialLR(o, 0.9)], [5]),
                                  S.StepLR(o, 10)], [30]),  # PyTorch ends the inner one a step early
     lambda t: 0.15 if t < 5 else 0.3 * 0.9 ** (t - 5) if t < 30 else 0.3 * 0.1 ** ((t - 30) // 10)),
    (lambda o: S.SequentialLR(o, [S.StepLR(o, 10), S.ChainedScheduler([
        S.ExponentialLR(o, 0.9), S.ConstantLR(o, 0.5, 7)])], [30]),
     lambda t: 0.3 * 0.1 ** (t // 10) if t < 30 else 0.3 * 0.9 ** (t - 30) * (0.5 if t < 37 else 1)),
    (lambda o: S.SequentialLR(o, [S.ConstantLR(o, 0.5, 99), S.WarmupLR(
        o, 5, S.ExponentialLR(o, 0.9), start_factor=0)], [30]),
     lambda t: 0.15 if t < 30 else 0.06 * (t - 30) if t < 35 else 0.3 * 0.9 ** (t - 35)),
    (lambda o: S.OneCycleLR(o, 0.5, 119, pct_start=1 / 119), lambda t:  # PyTorch divides 0 by 0
     0.25 * (1 + 4e-6) + 0.25 * (1 - 4e-6) * math.cos(math.pi * t / 118)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "form"), FORMS, ids=range(len(FORMS)))
def test_closed_forms(make: Any, form: Any) -> None:
    curve = S.curve(make, lr=0.3, steps=STEPS)
    np.testing.assert_allclose(curve, [form(t) for t in range(STEPS)], rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize(("make", "form"), FORMS, ids=range(len(FORMS)))
def test_an_epoch_given_to_step(make: Any, form: Any) -> None:
    optimizer = optimizer_of(0.3)
    schedule = make(optimizer)
    for t in (50, 3, 0, 37, 38):
        schedule.step(t)
        assert rates(optimizer) == pytest.approx([form(t)], rel=1e-11, abs=1e-16)
    schedule.step()
    assert schedule.last_epoch == 39
    assert rates(optimizer) == pytest.approx([form(39)], rel=1e-11, abs=1e-16)


def test_the_curve_does_not_train_and_takes_only_what_it_needs() -> None:
    assert S.curve(lambda o: S.OneCycleLR(o, 1.0, 5), steps=5).shape == (5,)
    assert S.curve(lambda o: S.StepLR(o, 1), steps=0).shape == (0,)


def test_a_rate_set_by_hand_stays_what_it_is_between_steps() -> None:
    optimizer = optimizer_of(0.1)
    schedule = S.StepLR(optimizer, 10)
    optimizer.param_groups[0]["lr"] = 0.07
    seen = [x[0] for x in run(optimizer, schedule, 21)]
    assert seen[:10] == [0.07] * 10, "to the bit"
    assert len(set(seen[10:20])) == 1
    assert seen[10:21:10] == pytest.approx([0.007, 0.0007])


def test_a_schedule_alone_does_not_add_up_rounding_errors() -> None:
    optimizer = optimizer_of(0.1)
    schedule = S.ExponentialLR(optimizer, 0.999)
    run(optimizer, schedule, 5000)
    assert rates(optimizer) == [0.1 * 0.999**5000]


# -- the state -------------------------------------------------------------------------------------

MADE: list[Callable[[Any], Any]] = [
    lambda o: S.LambdaLR(o, lambda t: 0.9**t),
    lambda o: S.MultiplicativeLR(o, lambda t: 0.9),
    lambda o: S.StepLR(o, 7),
    lambda o: S.MultiStepLR(o, [3, 40]),
    lambda o: S.ConstantLR(o, 0.3, 20),
    lambda o: S.LinearLR(o, 0.3, total_iters=40),
    lambda o: S.ExponentialLR(o, 0.97),
    lambda o: S.PolynomialLR(o, 60, 2),
    lambda o: S.CosineAnnealingLR(o, 11, 0.01),
    lambda o: S.CosineAnnealingWarmRestarts(o, 5, 2),
    lambda o: S.CyclicLR(o, 0.1, [1.0, 2.0], 9, mode="triangular2"),
    lambda o: S.OneCycleLR(o, 1.0, 90),
    lambda o: S.ReduceLROnPlateau(o, patience=3, cooldown=2),
    lambda o: S.InverseSquareRootLR(o),
    lambda o: S.NoamLR(o, 64, 20),
    lambda o: S.SWALR(o, 0.05, 30),
    lambda o: S.WarmupLR(o, 35, S.CosineAnnealingLR(o, 50)),
    lambda o: S.WarmupLR(o, 5, S.CosineAnnealingLR(o, 50)),
    lambda o: S.SequentialLR(o, [S.LinearLR(o), S.StepLR(o, 9), S.ExponentialLR(o, 0.9)], [5, 50]),
    lambda o: S.ChainedScheduler([S.StepLR(o, 9), S.CosineAnnealingLR(o, 13), S.LinearLR(o, 0.1)]),
]


@pytest.mark.parametrize("schedule_first", [True, False])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("make", MADE, ids=range(len(MADE)))
def test_resumed_to_the_bit(make: Any, kind: str, schedule_first: bool) -> None:
    """Through JSON, at an odd moment, after a change by hand; in either order of loading."""
    first = optimizer_of(0.1, 0.7, kind=kind)
    schedule = make(first)
    run(first, schedule, 13)
    first.param_groups[0]["lr"] *= 1.3
    run(first, schedule, 17)
    state, options = json.loads(json.dumps(schedule.state_dict())), first.state_dict()

    second = optimizer_of(0.1, 0.7, kind=kind)
    resumed = make(second)
    loads = [lambda: resumed.load_state_dict(state), lambda: second.load_state_dict(options)]
    for load in loads if schedule_first else loads[::-1]:
        load()
    assert resumed.last_epoch == schedule.last_epoch
    assert resumed.get_last_lr() == schedule.get_last_lr()
    assert run(second, resumed, 50) == run(first, schedule, 50)


@pytest.mark.parametrize("make", MADE[2:], ids=range(2, len(MADE)))
def test_copied_and_pickled_with_its_optimizer(make: Any) -> None:
    optimizer = optimizer_of(0.1, 0.7)
    schedule = make(optimizer)
    run(optimizer, schedule, 11)
    copied = [copy.deepcopy((optimizer, schedule)), pickle.loads(pickle.dumps((optimizer, schedule)))]
    expected = run(optimizer, schedule, 30)
    assert all(run(*pair, 30) == expected for pair in copied)


def test_settings_that_are_numpy_numbers_are_stored_too() -> None:
    n, x = np.int64(7), np.float32(0.5)
    for make in (
        lambda o: S.StepLR(o, n, x),
        lambda o: S.MultiStepLR(o, np.array([n, 3]), x),
        lambda o: S.CosineAnnealingLR(o, n, x),
        lambda o: S.CosineAnnealingWarmRestarts(o, n, n),
        lambda o: S.CyclicLR(o, x, np.array([x]), n),
        lambda o: S.OneCycleLR(o, x, epochs=n, steps_per_epoch=n),
        lambda o: S.SWALR(o, np.array([x]), n),
        lambda o: S.SequentialLR(o, [S.LinearLR(o, x), S.ExponentialLR(o, x)], np.array([n])),
        lambda o: S.WarmupLR(o, n, S.ReduceLROnPlateau(o, min_lr=x)),
    ):
        optimizer = optimizer_of(np.float64(0.1))
        schedule = make(optimizer)
        run(optimizer, schedule, 3) if not isinstance(schedule, S.WarmupLR) else None
        make(optimizer).load_state_dict(json.loads(json.dumps(schedule.state_dict())))


def test_a_state_is_a_copy() -> None:
    schedule = S.MultiStepLR(optimizer_of(0.1), [3, 4])
    state = schedule.state_dict()
    state["milestones"].append(5)
    assert schedule.milestones == [3, 4]
    schedule.load_state_dict(state)
    state["milestones"].clear()
    assert schedule.milestones == [3, 4, 5]


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    optimizer = optimizer_of(0.1)
    joined = S.SequentialLR(optimizer, [S.StepLR(optimizer, 2), S.ExponentialLR(optimizer, 0.5)], [9])
    run(optimizer, joined, 3)
    before = joined.state_dict()
    wrong = copy.deepcopy(before)
    wrong["_schedulers"][0]["last_epoch"] = 77
    del wrong["_schedulers"][1]["gamma"]
    with pytest.raises(ValueError, match=r"\[ExponentialLR.load_state_dict\] got a state without gamma"):
        joined.load_state_dict(wrong)
    assert joined.state_dict() == before
    wrong["_schedulers"].pop()
    with pytest.raises(ValueError, match="a state of 1 schedules, expected 2"):
        joined.load_state_dict(wrong)
    two = S.StepLR(optimizer_of(0.1, 0.2), 30)
    with pytest.raises(ValueError, match="a state of 1 groups, expected 2"):
        two.load_state_dict(S.StepLR(optimizer, 30).state_dict())


@pytest.mark.parametrize("make", [
    lambda o, k: S.StepLR(o, 10, last_epoch=k),
    lambda o, k: S.ExponentialLR(o, 0.9, last_epoch=k),
    lambda o, k: S.CosineAnnealingLR(o, 30, last_epoch=k),
    lambda o, k: S.OneCycleLR(o, 1.0, 90, last_epoch=k),
    lambda o, k: S.SequentialLR(o, [S.LinearLR(o), S.StepLR(o, 9)], [5], last_epoch=k),
    lambda o, k: S.WarmupLR(o, 5, S.StepLR(o, 9), last_epoch=k),
    lambda o, k: S.MultiplicativeLR(o, lambda t: 1 - 1 / (t + 1), last_epoch=k),
], ids=range(7))  # fmt: skip
@pytest.mark.parametrize("k", [2, 29])
def test_last_epoch_sets_the_rate_of_the_next_whatever_stood_there(make: Any, k: int) -> None:
    whole = S.curve(lambda o: make(o, -1), lr=0.3, steps=60)
    for stood in (0.3, float(whole[k]), float(whole[k + 1])):
        optimizer = optimizer_of(0.3)
        optimizer.param_groups[0].update(initial_lr=0.3, lr=stood)
        schedule = make(optimizer, k)
        seen = [x[0] for x in run(optimizer, schedule, 60 - k - 1)]
        np.testing.assert_allclose(seen, whole[k + 1 :], rtol=1e-12)


# -- several parts, other optimizers ---------------------------------------------------------------


def test_a_plateau_after_a_warm_up() -> None:
    optimizer = optimizer_of(0.4)
    schedule = S.WarmupLR(optimizer, 3, S.ReduceLROnPlateau(optimizer, factor=0.5, patience=1))
    seen = []
    for loss in (9.0, 9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        seen.append(rates(optimizer)[0])
        schedule.step(loss)
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.2, 0.2])
    assert rates(optimizer) == pytest.approx([0.1])


def test_a_plateau_takes_what_a_loss_is_and_groups_that_come_later() -> None:
    optimizer = optimizer_of(0.4)
    schedule = S.ReduceLROnPlateau(optimizer, patience=0)
    w = nn.Parameter(np.ones(()))
    optimizer.add_param_group({"params": [w], "lr": 1.0})
    for loss in (w * 2, np.float32(2), np.array([2.0]), 2):
        schedule.step(loss)
    assert rates(optimizer) == pytest.approx([0.4e-3, 1e-3])
    assert schedule.best == 2.0


@pytest.mark.parametrize(("kind", "momentum"), [("SGD", "momentum"), ("Adam", "betas")])
def test_momenta_go_against_the_rates(kind: str, momentum: str) -> None:
    optimizer = optimizer_of(0.1, kind=kind)
    schedule = S.CyclicLR(optimizer, 1.0, 3.0, 4, base_momentum=0.5, max_momentum=0.9)
    seen = []
    for _ in range(9):
        seen.append(np.ravel(optimizer.param_groups[0][momentum])[0])
        schedule.step()
    assert seen == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8, 0.9])
    if kind == "Adam":
        assert optimizer.param_groups[0]["betas"][1] == 0.999


def test_a_step_uses_the_rate_of_the_schedule() -> None:
    w = nn.Parameter(np.zeros(1))
    optimizer = optim.SGD([w], lr=1.0)
    schedule = S.StepLR(optimizer, 2, 0.5)
    for _ in range(6):
        w.grad = np.ones(1, w.dtype)
        optimizer.step()
        schedule.step()
    assert w.numpy() == -(1 + 1 + 0.5 + 0.5 + 0.25 + 0.25)


def test_a_schedule_tells_what_it_is() -> None:
    optimizer = optimizer_of(0.1)
    assert repr(S.StepLR(optimizer, 30)) == (
        "StepLR(step_size=30, gamma=0.1, last_epoch=0, lr=[0.1])"
    )
    joined = S.SequentialLR(optimizer, [S.ConstantLR(optimizer), S.ExponentialLR(optimizer, 0.9)], [5])
    assert repr(joined).count("\n") == 3


def test_a_step_too_many_leaves_the_schedule_where_it_was() -> None:
    optimizer = optimizer_of(0.1)
    schedule = S.OneCycleLR(optimizer, 1.0, total_steps=4)
    run(optimizer, schedule, 4)
    stood = rates(optimizer)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"\[OneCycleLR.step\] got step 5, expected at most total_st"):
            schedule.step()
    assert schedule.last_epoch == 4
    assert rates(optimizer) == stood


# -- errors ------------------------------------------------------------------------------------------

TWO, PLAIN = optimizer_of(0.1, 0.2), optim.Optimizer([nn.Parameter([1.0])], {"lr": 0.1})
OTHER = optimizer_of(0.1)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: S.StepLR(nn.Linear(1, 1), 3), TypeError, r"\[StepLR\] got a Linear, expected an Optimizer"),
        (lambda: S.ReduceLROnPlateau([TWO]), TypeError, "got a list, expected an Optimizer"),
        (lambda: S.StepLR(TWO, 0), ValueError, "step_size=0, expected a number above 0"),
        (lambda: S.OneCycleLR(TWO, [-1, 1], 9), ValueError, r"max_lr=\[-1, 1\], expected no negative number"),
        (lambda: S.StepLR(TWO, 3, gamma=-1), ValueError, "gamma=-1, expected a number from 0 on"),
        (lambda: S.StepLR(TWO, 3, gamma=float("nan")), ValueError, "gamma=nan"),
        (lambda: S.StepLR(TWO, 3, last_epoch=-2), ValueError, "last_epoch=-2, expected an integer from -1"),
        (lambda: S.StepLR(optimizer_of(1), 3, last_epoch=4), ValueError, "no 'initial_lr' in group 0, "),
        (lambda: S.StepLR(TWO, 3).step(-1), ValueError, r"\[StepLR.step\] got epoch=-1, expected 0 or more"),
        (lambda: S.MultiStepLR(TWO, 30), TypeError, r"milestones=30, expected a list of epochs; try \[30"),
        (lambda: S.ConstantLR(TWO, 1.5), ValueError, "factor=1.5, expected a number from 0 to 1"),
        (lambda: S.ConstantLR(TWO, -0.5), ValueError, "factor=-0.5"),
        (lambda: S.LinearLR(TWO, 0.0), ValueError, "=0.0, expected a number above 0 to 1"),
        (lambda: S.LinearLR(TWO, 1.5), ValueError, "start_factor=1.5"),
        (lambda: S.LinearLR(TWO, 0.5, -1), ValueError, "end_factor=-1"),
        (lambda: S.PolynomialLR(TWO, 0), ValueError, "total_iters=0"),
        (lambda: S.LambdaLR(TWO, [abs]), ValueError, "1 functions, expected 2, one for each group"),
        (lambda: S.LambdaLR(TWO, 0.5), TypeError, "a float, expected a function of the epoch; try lambda"),
        (lambda: S.MultiplicativeLR(TWO, [abs, 1]), TypeError, r"\[MultiplicativeLR\] got a int"),
        (lambda: S.CosineAnnealingLR(TWO, 0), ValueError, "T_max=0"),
        (lambda: S.CosineAnnealingWarmRestarts(TWO, 0), ValueError, "T_0=0, expected an integer from 1"),
        (lambda: S.CosineAnnealingWarmRestarts(TWO, 2.5), ValueError, "T_0=2.5"),
        (lambda: S.CosineAnnealingWarmRestarts(TWO, 2, 0), ValueError, "T_mult=0"),
        (lambda: S.CosineAnnealingWarmRestarts(TWO, 2, 1, "0"), ValueError, "eta_min='0'"),
        (lambda: S.CyclicLR(TWO, 0.1, 1, mode="square"), ValueError, "mode='square', expected 'triangular'"),
        (lambda: S.CyclicLR(TWO, 0.1, 1, scale_mode="x"), ValueError, "scale_mode='x'"),
        (lambda: S.CyclicLR(TWO, [0.1], 1), ValueError, "1 values of base_lr, expected 2"),
        (lambda: S.CyclicLR(TWO, 0.1, 1, 0), ValueError, "step_size_up=0"),
        (lambda: S.CyclicLR(PLAIN, 0.1, 1), ValueError, "no momentum, expected .*; try cycle_momentum=False"),
        (lambda: S.OneCycleLR(PLAIN, 0.1, 10), ValueError, "Optimizer, which has no momentum"),
        (lambda: S.OneCycleLR(TWO, 1), ValueError, "no number of steps, expected total_steps, or epochs and"),
        (lambda: S.OneCycleLR(TWO, 1, epochs=3), ValueError, "no number of steps"),
        (lambda: S.OneCycleLR(TWO, 1, 0), ValueError, "total_steps=0, expected an integer from 1"),
        (lambda: S.OneCycleLR(TWO, 1, 1.5), ValueError, "total_steps=1.5"),
        (lambda: S.OneCycleLR(TWO, 1, None, 2, -1), ValueError, "steps_per_epoch=-1"),
        (lambda: S.OneCycleLR(TWO, 1, 9, pct_start=2), ValueError, "pct_start=2, expected a number from 0"),
        (lambda: S.OneCycleLR(TWO, 1, 9, anneal_strategy="exp"), ValueError, "expected 'cos' or 'linear'"),
        (lambda: S.OneCycleLR(TWO, [1], 9), ValueError, "1 values of max_lr, expected 2"),
        (lambda: S.ReduceLROnPlateau(TWO, factor=1), ValueError, "factor=1, expected a number below 1"),
        (lambda: S.ReduceLROnPlateau(TWO, "least"), ValueError, "mode='least', expected 'min' or 'max'"),
        (lambda: S.ReduceLROnPlateau(TWO, threshold_mode="x"), ValueError, "threshold_mode='x'"),
        (lambda: S.ReduceLROnPlateau(TWO, min_lr=[0]), ValueError, "1 values of min_lr, expected 2"),
        (lambda: S.ReduceLROnPlateau(TWO).step(None), TypeError, r"a metric None, expected one number; try"),
        (lambda: S.ReduceLROnPlateau(TWO).step(np.ones(2)), TypeError, "a metric array"),
        (lambda: S.SWALR(TWO, 0.1, anneal_epochs=-1), ValueError, "anneal_epochs=-1"),
        (lambda: S.SWALR(TWO, 0.1, anneal_epochs=1.5), ValueError, "anneal_epochs=1.5"),
        (lambda: S.SWALR(TWO, 0.1, anneal_strategy="x"), ValueError, "anneal_strategy='x'"),
        (lambda: S.SWALR(TWO, [0.1]), ValueError, "1 values of swa_lr, expected 2"),
        (lambda: S.SequentialLR(TWO, [], []), ValueError, r"\[SequentialLR\] got no schedules"),
        (lambda: S.SequentialLR(TWO, [TWO], []), TypeError, "a SGD at place 0, expected a schedule"),
        (lambda: S.SequentialLR(TWO, [S.StepLR(TWO, 3)], [3]), ValueError, "1 milestones for 1 schedules"),
        (lambda: S.SequentialLR(TWO, [S.StepLR(TWO, 3)] * 3, [3, 2]), ValueError, "epochs that rise"),
        (lambda: S.SequentialLR(TWO, [S.StepLR(OTHER, 3)], []), ValueError, "a StepLR of another optimizer"),
        (lambda: S.SequentialLR(TWO, [S.ReduceLROnPlateau(TWO)], []), ValueError, "try WarmupLR"),
        (lambda: S.ChainedScheduler([]), ValueError, r"\[ChainedScheduler\] got no schedules"),
        (lambda: S.ChainedScheduler([S.ReduceLROnPlateau(TWO)]), ValueError, "a ReduceLROnPlateau at"),
        (lambda: S.ChainedScheduler([S.StepLR(TWO, 3), S.StepLR(OTHER, 3)]), ValueError, "at place 1"),
        (lambda: S.ChainedScheduler([S.StepLR(TWO, 3)], OTHER), ValueError, "another optimizer at place 0"),
        (lambda: S.WarmupLR(TWO, -1), ValueError, "steps=-1"),
        (lambda: S.WarmupLR(TWO, 3, start_factor=2), ValueError, "start_factor=2"),
        (lambda: S.WarmupLR(TWO, 3, 5), TypeError, "after=5, expected a schedule"),
        (lambda: S.WarmupLR(TWO, 3, S.StepLR(OTHER, 3)), ValueError, "a schedule of another optimizer"),
        (lambda: S.InverseSquareRootLR(TWO, 0), ValueError, "timescale=0"),
        (lambda: S.NoamLR(TWO, 0), ValueError, "d_model=0"),
        (lambda: S.NoamLR(TWO, 8, 0), ValueError, "warmup_steps=0"),
        (lambda: S.LRScheduler(TWO), NotImplementedError, "a method get_lr"),
        (lambda: S.FactorLR(TWO), NotImplementedError, "a method factor"),
        (lambda: S.StepLR(TWO, 3).load_state_dict({}), ValueError, "a state without step_size, gamma,"),
    ],
)
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_group_that_comes_later_is_refused() -> None:
    optimizer = optimizer_of(0.1)
    schedules = [S.StepLR(optimizer, 3), S.LambdaLR(optimizer, lambda t: t)]
    optimizer.add_param_group({"params": [nn.Parameter([1.0])]})
    for schedule in schedules:
        with pytest.raises(ValueError, match="an optimizer of 2 groups, expected 1, as when"):
            schedule.step()
        assert schedule.last_epoch == 0
