"""The strong-Wolfe search: both conditions hold where they can, and it says so where they cannot."""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import optim


def yanai(beta1: float, beta2: float) -> Any:
    """Functions 4 to 6 of J. Moré and D. Thuente, "Line search algorithms with guaranteed sufficient
    decrease", 1994."""
    g1, g2 = (sqrt(1 + b * b) - b for b in (beta1, beta2))
    return lambda t: g1 * ((1 - t) ** 2 + beta2**2) ** 0.5 + g2 * (t * t + beta1**2) ** 0.5


FUNCTIONS = {
    "bowl": lambda t: (t - 3) ** 2,
    "rational": lambda t: -t / (t * t + 2),  # their function 1
    "power": lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,  # 2
    "symmetric": yanai(0.001, 0.001),
    "early minimum": yanai(0.01, 0.001),
    "late minimum": yanai(0.001, 0.01),
    "waves": lambda t: np.sin(3 * t) + 0.1 * (t - 4) ** 2 - 4 * t,
    "falls for long": lambda t: np.exp(-t / 50) + 1e-3 * t,
}


def with_slope(f: Any) -> Any:
    both = ag.value_and_grad(f)
    return lambda t: both(float(t))


@pytest.mark.parametrize("step", [1e-3, 1e-1, 1.0, 1e1, 1e3])
@pytest.mark.parametrize("c2", [0.1, 0.9])
@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_both_conditions_hold(f: Any, c2: float, step: float) -> None:
    phi = with_slope(f)
    value, slope = phi(0.0)
    found = optim.strong_wolfe(phi, step, c2=c2, max_iter=60)
    assert found.converged
    assert found.step > 0
    assert (found.value, found.slope) == phi(found.step)
    assert found.value <= value + 1e-4 * found.step * slope
    assert abs(found.slope) <= c2 * abs(slope)


def test_a_quadratic_needs_two_trials() -> None:
    """The cubic through two points of a parabola is the parabola."""
    found = optim.strong_wolfe(lambda t: ((t - 0.3) ** 2, 2 * (t - 0.3)), 1.0, c2=0.1)
    assert found.step == pytest.approx(0.3)
    assert found.evaluations == 3  # with that at 0


def test_what_is_known_is_not_evaluated_again_and_the_rest_is_handed_on() -> None:
    asked = []

    def phi(t: float) -> Any:
        asked.append(t)
        return (t - 1) ** 2, 2 * (t - 1), f"gradient at {t}", 7

    found = optim.strong_wolfe(phi, 1.0, (1.0, -2.0))
    assert asked == [1.0]
    assert found == (1.0, 0.0, 0.0, ("gradient at 1.0", 7), 1, True)


@pytest.mark.parametrize("bad", [inf, nan, -inf])
def test_a_step_into_the_undefined_is_too_long(bad: float) -> None:
    def phi(t: float) -> Any:
        return ((t - 0.5) ** 2, 2 * (t - 0.5)) if t < 2 else (bad, bad)

    found = optim.strong_wolfe(phi, 100.0)
    assert found.converged
    assert 0 < found.step < 2


def test_without_a_minimum_it_stops() -> None:
    found = optim.strong_wolfe(lambda t: (-t, -1.0), 1.0, max_iter=5)
    assert not found.converged
    assert found.evaluations == 1 + 1 + 5
    assert found.step > 1000  # further and further
    nowhere = optim.strong_wolfe(lambda t: (t, -1.0), 1.0, max_iter=50)  # the slope is a lie
    assert (nowhere.step, nowhere.value, nowhere.converged) == (0.0, 0.0, False)
    short = optim.strong_wolfe(lambda t: (t, -1.0), 1.0, tolerance=0.1, max_iter=50)
    assert short.evaluations < nowhere.evaluations


def test_it_agrees_with_scipy_on_which_steps_will_do() -> None:
    reason = "SciPy is not installed: pip install 'autograd-core[scipy]'"
    optimize = pytest.importorskip("scipy.optimize", reason=reason)

    def f(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    gradient = ag.grad(f)
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=6)
        d = -gradient(x)
        ours = optim.strong_wolfe(lambda t, x=x, d=d: (f(x + t * d), gradient(x + t * d) @ d), 1e-3)
        theirs, *_ = optimize.line_search(f, gradient, x, d)
        assert ours.converged
        for t in (ours.step, theirs):
            assert f(x + t * d) <= f(x) - 1e-4 * t * (d @ d)
            assert abs(gradient(x + t * d) @ d) <= 0.9 * (d @ d)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: optim.strong_wolfe(lambda t: (t, 1.0)), r"\[strong_wolfe\] got the slope 1.0 at 0"),
        (lambda: optim.strong_wolfe(lambda t: (t, nan)), "slope nan"),
        (lambda: optim.strong_wolfe(lambda t: (-t, -1.0), 0.0), "step=0.0, expected a first step above 0"),
        (lambda: optim.strong_wolfe(lambda t: (-t, -1.0), c1=0.5, c2=0.1), "0 < c1 < c2 < 1"),
    ],
)
def test_what_makes_no_sense_is_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


