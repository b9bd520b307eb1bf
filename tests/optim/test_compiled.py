"""Every optimizer in a compiled step: parameters and state are those of an eager one, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn, optim
from autograd_core.errors import CompileError

from .oracle_rows import OPTIONS

LION: list[tuple[str, dict[str, Any]]] = [
    ("Lion", {}),
    ("Lion", {"lr": 0.01, "weight_decay": 0.1, "betas": (0.5, 0.9)}),
    ("Lion", {"maximize": True}),
]  # fmt: skip
ROWS = [*OPTIONS, *LION]
NAMES = list(dict.fromkeys(name for name, _ in ROWS))
LARGE = 8200  # elements: from 8192 on a parameter is updated where it is


def optimizers(name: str, last: int) -> list[Any]:
    """Return one optimizer for each of the last rows of options, of two groups of parameters of their own."""
    rng = np.random.default_rng(3)
    small, large = [(3, 2), (4,), ()], (LARGE,)
    if name == "Muon":  # for matrices alone
        small, large = [(3, 2), (2, 4)], (LARGE // 4, 4)
    found = []
    for i, row in enumerate([options for kind, options in ROWS if kind == name][-last:]):
        one, two = ([nn.Parameter(rng.normal(size=s).astype(np.float32)) for s in shapes]
                    for shapes in (small, [small[1], large][: 2 if i == 0 else 1]))  # fmt: skip
        make = getattr(optim, name)
        other = {"lr": 0.003} | ({"weight_decay": 0.02} if name in DECAYING else {})
        found.append(make([{"params": one}, {"params": two, **other}], **row))
    return found


def _decays(name: str) -> bool:
    return "weight_decay" in getattr(optim, name)([nn.Parameter(np.ones((1, 1)))]).defaults


DECAYING = {name for name in NAMES if _decays(name)}


def bits(x: Any) -> Any:
    """Return nests of arrays as what they are made of, to compare."""
    if isinstance(x, dict):
        return {key: bits(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [bits(value) for value in x]
    x = x.numpy() if isinstance(x, ag.Tensor) else x
    return (x.shape, str(x.dtype), x.tobytes()) if isinstance(x, (np.ndarray, np.generic)) else repr(x)


def train(name: str, compiled: bool, last: int = 99, steps: int = 8) -> tuple[list[Any], list[int]]:
    """Return what each step left behind, and how many plans there were after it."""
    every = optimizers(name, last)
    params = [p for o in every for group in o.param_groups for p in group["params"]]
    schedules = [optim.lr_scheduler.ExponentialLR(o, 0.9) for o in every]

    def step(x: Any) -> Any:
        total = 0
        for o in every:
            o.zero_grad()
        for p in params:
            total = total + (p * p * x).sum()
        total.backward()
        for o in every:
            o.step()
        return total

    run: Any = ag.compile(step) if compiled else step
    left, plans = [], []
    for i in range(steps):
        if i == 5 and name in DECAYING:
            for o in every:
                for group in o.param_groups:
                    group["weight_decay"] = 0.05 if group["weight_decay"] == 0 else 0.0
        loss = run(np.full((), 1 + 0.1 * i, np.float32))
        for schedule in schedules:
            schedule.step()
        left.append(bits([loss, params, [o.state_dict() for o in every]]))
        plans.append(len(run.plans) if compiled else 0)
    return left, plans


@pytest.mark.parametrize(("numba", "last"), [(True, 99), (False, 2)], ids=["numba", "numpy"])
@pytest.mark.parametrize("name", NAMES)
def test_a_compiled_step_is_the_eager_one(name: str, numba: bool, last: int) -> None:
    if numba:
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    with kernels.using(numba=numba), np.errstate(all="ignore"):
        expected, _ = train(name, False, last)
        got, plans = train(name, True, last)
    for i, (a, b) in enumerate(zip(got, expected, strict=True)):
        assert a == b, f"step {i}"
    assert plans[4] == 1  # other learning rates are no other plan
    assert plans[-1] == (2 if name in DECAYING else 1)  # a decay of 0 is another one


# -- what changes on the way ----------------------------------------------------------------------


def pair(make: Callable[..., Any], shapes: Any = ((3, 2), (4,))) -> list[Any]:
    """Return an optimizer and its parameters twice, the second for a compiled step."""
    found = []
    for _ in range(2):
        rng = np.random.default_rng(5)
        params = [nn.Parameter(rng.normal(size=s).astype(np.float32)) for s in shapes]
        found.append((make(params), params))
    return found


def follow(
    both: list[Any], between: Callable[[int, Any, Any], None] = lambda i, o, params: None, steps: int = 10,
    after: Callable[..., Any] = lambda o, params: None, **options: Any,
) -> Any:  # fmt: skip
    """Make steps of an eager and a compiled optimizer, which must agree; return the compiled function."""
    def stepper(o: Any, params: Any) -> Any:
        def step(x: Any, active: int) -> Any:
            o.zero_grad(**options)
            loss = sum((p * p * x).sum() for p in params[:active])
            loss.backward()
            more = after(o, params)
            o.step()
            return loss, more

        return step

    eager, compiled = (stepper(o, params) for o, params in both)
    replayed: Any = ag.compile(compiled)
    for i in range(steps):
        left = []
        for run, (o, params) in zip((eager, replayed), both, strict=True):
            between(i, o, params)
            active = len(params) - getattr(o, "hidden", 0)
            left.append(bits([run(np.full((), 1 + 0.1 * i, np.float32), active), params, o.state_dict(),
                              [p.grad for p in params]]))  # fmt: skip
        assert left[0] == left[1], f"step {i}"
    return replayed


MAKERS = {
    "SGD": lambda params: optim.SGD(params, 0.1),
    "Adam": lambda params: optim.Adam(params, 0.1),
    "Adafactor": lambda params: optim.Adafactor(params, 0.1),
    "ASGD": lambda params: optim.ASGD(params, 0.1, t0=1, weight_decay=0.1),
}
each_maker = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@each_maker
def test_a_parameter_that_gets_a_gradient_later(make: Any) -> None:
    def between(i: int, o: Any, params: Any) -> None:
        o.hidden = 1 if i < 5 else 0

    assert len(follow(pair(make), between).plans) == 2


@each_maker
def test_a_state_that_is_loaded_between_steps(make: Any) -> None:
    kept: dict[int, Any] = {}

    def between(i: int, o: Any, params: Any) -> None:
        if i == 4:
            kept[id(o)] = o.state_dict()
        if i == 6:
            o.load_state_dict(kept[id(o)])

    both = pair(make)
    follow(both, between, steps=11)
    if isinstance(plan := both[1][0].param_groups[0].plan, optim.elementwise.Plan):
        assert len(plan.beats) == 1  # what has made the same steps steps together


def test_a_momentum_that_begins_later() -> None:
    def between(i: int, o: Any, params: Any) -> None:
        if i == 4:
            o.param_groups[0]["momentum"] = 0.9

    follow(pair(MAKERS["SGD"]), between)


@pytest.mark.parametrize("make", [
    lambda params: optim.Muon(params, 0.1), lambda params: optim.Adafactor(params, 0.1, eps=(0.01, 0.02)),
    lambda params: optim.Adafactor(params, 0.1), lambda params: optim.Rprop(params, 0.1),
    lambda params: optim.SGD(params, 0.1, nesterov=True, momentum=0.5),
], ids=["Muon", "Adafactor", "Adafactor-None", "Rprop", "Nesterov"])  # fmt: skip
def test_every_option_counts_from_the_step_in_which_it_changes(make: Any) -> None:
    new = {
        "eps": (0.03, 0.04), "ns_steps": 2, "ns_coefficients": (1.5, -0.5, 0.0), "momentum": 0.25, "d": 1.5,
        "beta2_decay": -0.5, "etas": (0.25, 2.0), "step_sizes": (1e-3, 0.5), "nesterov": False, "lr": 0.2,
        "weight_decay": 0.5, "maximize": True,
    }  # fmt: skip

    def between(i: int, o: Any, params: Any) -> None:
        group = o.param_groups[0]
        names = [name for name in group if name in new]
        if i >= 4 and (i - 4) % 4 == 0 and i // 4 - 1 < len(names):
            name = names[i // 4 - 1]
            group[name] = 0.05 if name == "eps" and isinstance(group[name], float) else new[name]

    follow(pair(make, ((3, 2), (2, 4))), between, steps=34)


def test_an_option_that_the_step_reads_as_a_number_is_guarded() -> None:
    def after(o: Any, params: Any) -> Any:
        optim.soft_threshold_(params, o.param_groups[0]["lr"] * 0.1)

    def between(i: int, o: Any, params: Any) -> None:
        if i in (4, 8):
            o.param_groups[0]["lr"] *= 0.5

    follow(pair(MAKERS["Adam"]), between, after=after, steps=12)


def test_gradients_that_are_filled_with_zeros() -> None:
    follow(pair(MAKERS["Adam"]), set_to_none=False)


@pytest.mark.parametrize("make", [
    lambda params: optim.LBFGS(params, line_search_fn="strong_wolfe"),
    optim.LBFGS, optim.Newton, optim.GaussNewton,
], ids=["LBFGS-search", "LBFGS", "Newton", "GaussNewton"])  # fmt: skip
def test_a_search_is_refused_or_runs_eagerly(make: Any) -> None:
    def stepper(compiled: Any) -> tuple[Any, Any]:
        p = nn.Parameter(np.array([1.0, -2.0]))
        o = make([p])

        def closure() -> Any:
            o.zero_grad()
            r = p * p - np.array([2.0, 3.0])
            if o.closure_form == "outputs":
                return r
            loss = (r * r).sum()
            if o.closure_form == "backward":
                loss.backward()
            return loss

        return compiled(lambda: o.step(closure)), p

    step, _ = stepper(ag.compile)
    step()
    with pytest.raises(CompileError, match=r"step\] got a step that is being captured, .* try fallback=True"):
        step()
    (eager, p), (other, q) = stepper(lambda f: f), stepper(ag.compile(fallback=True))
    eager(), other(), eager()
    with pytest.warns(RuntimeWarning, match="runs eagerly from now on"):
        other()
    eager(), other()
    assert p.numpy().tobytes() == q.numpy().tobytes()


def test_the_closure_of_a_search_can_be_compiled() -> None:
    def train(compiled: Any) -> Any:
        p = nn.Parameter(np.array([1.0, -2.0]))
        o = optim.LBFGS([p], max_iter=4)

        def closure() -> Any:
            o.zero_grad()
            loss = ((p * p - np.array([2.0, 3.0])) ** 2).sum()
            loss.backward()
            return loss

        closure = compiled(closure)
        for _ in range(3):
            o.step(closure)
        return p.numpy().tobytes()

    assert train(ag.compile) == train(lambda f: f)
