"""Every schedule beside PyTorch's, over 100 steps: rates, momenta, changed by hand, joined, resumed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
)

STEPS = 120
# Each row: a class and its arguments, for an optimizer of two groups.
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    ("LambdaLR", {"lr_lambda": [lambda t: 1 / (1 + t), lambda t: math.cos(t)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.95}),
    ("MultiplicativeLR", {"lr_lambda": [lambda t: 1 + 1 / t, lambda t: 0.9 + 0.1 * math.cos(t)]}),
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [30, 80]}),
    ("MultiStepLR", {"milestones": [80, 3, 3, 40], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 5], "gamma": 0.3}),
    ("MultiStepLR", {"milestones": []}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 20}),
    ("ConstantLR", {"factor": 1.0, "total_iters": 3}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "total_iters": 50}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 60}),
    ("LinearLR", {"start_factor": 0.7, "end_factor": 0.0, "total_iters": 33}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.5, "total_iters": 33}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ExponentialLR", {"gamma": 1.02}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 90, "power": 2.0}),
    ("PolynomialLR", {"total_iters": 90, "power": 0.5}),
    ("PolynomialLR", {"total_iters": 40, "power": 0.0}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 13}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.3}),  # above one of the rates
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 3, "eta_min": 0.02}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 10}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.5], "step_size_up": 7, "step_size_down": 16}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "mode": "exp_range", "gamma": 0.99}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "scale_fn": lambda n: 1 / n}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "scale_mode": "iterations",
                  "scale_fn": lambda t: math.exp(-t)}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "base_momentum": [0.5, 0.6],
                  "max_momentum": 0.95}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 9, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS}),
    ("OneCycleLR", {"max_lr": [0.1, 1], "epochs": 12, "steps_per_epoch": 10}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "anneal_strategy": "linear", "pct_start": 0.1}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "three_phase": True, "anneal_strategy": "linear",
                    "pct_start": 0.45}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "div_factor": 3, "final_div_factor": 10.0,
                    "base_momentum": 0.7, "max_momentum": [0.8, 0.99]}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "cycle_momentum": False, "pct_start": 0.0}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 131, "pct_start": 1.0}),
    ("SWALR", {"swa_lr": 0.05}),
    ("SWALR", {"swa_lr": [0.05, 0.5], "anneal_epochs": 30, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]  # fmt: skip
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(ROWS)]


def pair(kind: str = "SGD", rates: tuple[float, float] = (0.1, 0.2), **extra: Any) -> tuple[Any, Any]:
    """Our optimizer and PyTorch's, with two groups of different rates."""
    ours = [{"params": [nn.Parameter(np.ones(2))], "lr": lr} for lr in rates]
    theirs = [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": lr} for lr in rates]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    both = getattr(optim, kind)(ours, **options), getattr(torch.optim, kind)(theirs, **options)
    for optimizer in both:
        for group in optimizer.param_groups:
            group.update(extra)
    both[1].step()  # it would warn
    return both


def schedule(name: str, optimizer: Any, arguments: dict[str, Any]) -> Any:
    if isinstance(optimizer, optim.Optimizer):
        return getattr(optim.lr_scheduler, name)(optimizer, **arguments)
    place = torch.optim.swa_utils if name == "SWALR" else torch.optim.lr_scheduler
    made = getattr(place, name)(optimizer, **arguments)
    optimizer._opt_called = True
    return made


class Curves:
    """The rates and momenta of both optimizers, step by step: equal to rounding errors of 100 products."""

    def __init__(self, ours: Any, theirs: Any) -> None:
        self.both, self.read = (ours, theirs), ([], [])

    def note(self, *schedules: Any) -> None:
        for optimizer, numbers in zip(self.both, self.read, strict=True):
            keys = ("lr", "momentum") if "momentum" in optimizer.defaults else ("lr", "betas")
            numbers.append(np.hstack([group[key] for group in optimizer.param_groups for key in keys]))
        for one, numbers in zip(schedules, self.read, strict=False):
            numbers[-1] = np.hstack([numbers[-1], one.get_last_lr(), one.last_epoch])

    def __enter__(self) -> Curves:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            ours, theirs = map(np.array, self.read)
            assert len(ours) > 4
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=2e-16)


CYCLES = [row for row in ROWS if row[0] in ("CyclicLR", "OneCycleLR")]
KINDS = [("SGD", *row) for row in ROWS] + [("Adam", *row) for row in CYCLES]


@pytest.mark.parametrize(("kind", "name", "arguments"), KINDS, ids=range(len(KINDS)))
def test_curves(kind: str, name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = pair(kind)
    a, b = schedule(name, ours, arguments), schedule(name, theirs, arguments)
    with Curves(ours, theirs) as curves:
        for _ in range(STEPS):
            curves.note(a, b)
            a.step()
            b.step()


@pytest.mark.parametrize("when", [0, 17])
@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=IDS)
def test_a_rate_changed_by_hand_is_followed(name: str, arguments: dict[str, Any], when: int) -> None:
    ours, theirs = pair()
    a, b = schedule(name, ours, arguments), schedule(name, theirs, arguments)
    with Curves(ours, theirs) as curves:
        for step in range(60):
            if step == when:
                for optimizer in (ours, theirs):
                    optimizer.param_groups[0]["lr"] = 0.07
                    optimizer.param_groups[1]["lr"] *= 3
            curves.note(a, b)
            a.step()
            b.step()


CHAINS = [
    [("ConstantLR", {"factor": 0.1, "total_iters": 20}), ("ExponentialLR", {"gamma": 0.95})],
    [("StepLR", {"step_size": 10, "gamma": 0.5}), ("CosineAnnealingLR", {"T_max": 40})],
    [("LinearLR", {"total_iters": 15}), ("MultiStepLR", {"milestones": [5, 50]}),
     ("PolynomialLR", {"total_iters": 80})],
    [("MultiplicativeLR", {"lr_lambda": lambda t: 0.99}),
     ("CosineAnnealingLR", {"T_max": 9, "eta_min": 0.01})],
    [("LambdaLR", {"lr_lambda": lambda t: 0.97**t}), ("LinearLR", {"total_iters": 30})],
    [("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 10}), ("StepLR", {"step_size": 20})],
]  # fmt: skip


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("chain", CHAINS, ids=range(len(CHAINS)))
def test_several_schedules_on_one_optimizer(chain: Any, together: bool) -> None:
    ours, theirs = pair()
    a, b = ([schedule(name, o, arguments) for name, arguments in chain] for o in (ours, theirs))
    if together:
        a = [optim.lr_scheduler.ChainedScheduler(a)]
        b = [torch.optim.lr_scheduler.ChainedScheduler(b, optimizer=theirs)]
    with Curves(ours, theirs) as curves:
        for _ in range(STEPS):
            curves.note()
            for one in [*a, *b]:
                one.step()
    np.testing.assert_allclose(a[-1].get_last_lr(), b[-1].get_last_lr(), rtol=1e-12)


JOINED: list[tuple[list[tuple[str, dict[str, Any]]], list[int]]] = [
    ([("ConstantLR", {"factor": 0.1, "total_iters": 20}), ("ExponentialLR", {"gamma": 0.95})], [20]),
    ([("LinearLR", {"start_factor": 0.01, "total_iters": 5}), ("CosineAnnealingLR", {"T_max": 50})], [5]),
    ([("ExponentialLR", {"gamma": 0.9}), ("MultiplicativeLR", {"lr_lambda": lambda t: 0.5 + t / 100})], [10]),
    ([("MultiplicativeLR", {"lr_lambda": lambda t: 0.9}), ("PolynomialLR", {"total_iters": 20})], [30]),
    ([("ExponentialLR", {"gamma": 0.9}), ("SWALR", {"swa_lr": 0.03})], [30]),
    ([("StepLR", {"step_size": 4}), ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
      ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2})], [13, 50]),
    ([("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2}), ("StepLR", {"step_size": 4})], [33]),
    ([("LinearLR", {}), ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 10})], [7]),
    ([("ConstantLR", {}), ("StepLR", {"step_size": 3}), ("LinearLR", {})], [0, 40]),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "milestones"), JOINED, ids=range(len(JOINED)))
def test_one_schedule_after_another(parts: Any, milestones: Any) -> None:
    ours, theirs = pair()
    a, b = ([schedule(name, o, arguments) for name, arguments in parts] for o in (ours, theirs))
    a = optim.lr_scheduler.SequentialLR(ours, a, milestones)
    b = torch.optim.lr_scheduler.SequentialLR(theirs, b, milestones)
    with Curves(ours, theirs) as curves:
        for _ in range(STEPS):
            curves.note(a, b)
            a.step()
            b.step()


@pytest.mark.parametrize("arguments", [
    {}, {"factor": 0.5, "patience": 2}, {"mode": "max", "patience": 3},
    {"patience": 1, "threshold": 0.3}, {"patience": 1, "threshold": 0.2, "threshold_mode": "abs"},
    {"mode": "max", "patience": 0, "threshold": 0.2, "threshold_mode": "abs"},
    {"mode": "max", "patience": 0, "threshold": 0.5}, {"patience": 0, "cooldown": 4},
    {"patience": 0, "min_lr": 0.01}, {"patience": 0, "min_lr": [0.01, 0.15]},
    {"patience": 0, "factor": 0.5, "eps": 0.02}, {"factor": 0.0, "patience": 3},
], ids=range(12))  # fmt: skip
def test_reduce_on_plateau(arguments: dict[str, Any]) -> None:
    ours, theirs = pair()
    a = optim.lr_scheduler.ReduceLROnPlateau(ours, **arguments)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **arguments)
    metrics = np.exp(-np.arange(STEPS) / 30) * np.random.default_rng(3).normal(1.0, 0.5, STEPS)
    metrics[50] = float("nan")
    for metric in metrics:
        a.step(metric)
        b.step(metric)
        assert a.get_last_lr() == b.get_last_lr() == [group["lr"] for group in ours.param_groups]
        for name in ("best", "num_bad_epochs", "cooldown_counter", "last_epoch"):
            assert getattr(a, name) == getattr(b, name)


RESUMED = [(n, a) for n, a in ROWS if n not in ("SWALR", "MultiplicativeLR")]


@pytest.mark.parametrize("last_epoch", [0, 29])
@pytest.mark.parametrize(("name", "arguments"), RESUMED, ids=range(len(RESUMED)))
def test_last_epoch(name: str, arguments: dict[str, Any], last_epoch: int) -> None:
    """Made anew after epoch k, from groups that hold what PyTorch's hold after its step k."""
    ours, theirs = pair()
    b = schedule(name, theirs, arguments)
    for _ in range(last_epoch + 1):
        b.step()
    for ours_group, group in zip(ours.param_groups, theirs.param_groups, strict=True):
        ours_group["initial_lr"], ours_group["lr"] = group["initial_lr"], group["lr"]
    a = schedule(name, ours, {**arguments, "last_epoch": last_epoch})
    with Curves(ours, theirs) as curves:
        for _ in range(last_epoch + 1, STEPS):
            curves.note(a, b)
            a.step()
            b.step()


@pytest.mark.filterwarnings("ignore:.*epoch parameter in .scheduler.step")
@pytest.mark.parametrize(("name", "arguments"), RESUMED, ids=range(len(RESUMED)))
def test_an_epoch_that_is_given(name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = pair()
    a, b = schedule(name, ours, arguments), schedule(name, theirs, arguments)
    with Curves(ours, theirs) as curves:
        for epoch in (0, 31, 4, 5, 77, 30):
            a.step(epoch)
            b.step(epoch)
            curves.note(a, b)


def test_fractions_of_an_epoch() -> None:
    ours, theirs = pair()
    a, b = (schedule("CosineAnnealingWarmRestarts", o, {"T_0": 3, "T_mult": 2}) for o in (ours, theirs))
    with Curves(ours, theirs) as curves:
        for i in range(200):
            a.step(i / 7)
            b.step(i / 7)
            curves.note(a, b)


@pytest.mark.parametrize(("name", "arguments"), ROWS, ids=IDS)
def test_a_state_of_pytorch_is_continued(name: str, arguments: dict[str, Any]) -> None:
    ours, theirs = pair()
    a, b = schedule(name, ours, arguments), schedule(name, theirs, arguments)
    for step in range(37):
        b.step()
        theirs.param_groups[0]["lr"] *= 1.5 if step == 20 else 1
    for ours_group, group in zip(ours.param_groups, theirs.param_groups, strict=True):
        ours_group["lr"] = group["lr"]
    a.load_state_dict(b.state_dict())
    with Curves(ours, theirs) as curves:
        for _ in range(37, STEPS):
            a.step()
            b.step()
            curves.note(a, b)


def test_every_name_of_pytorch_is_there() -> None:
    names = set(torch.optim.lr_scheduler.__all__) | {"SWALR"}
    assert names <= set(vars(optim.lr_scheduler))
    assert names <= set(vars(optim.schedules))
