"""What the lectures say of gradient descent, as experiments whose outcome theory gives."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def descend(optimizer: Any, loss: Callable[[], Any], steps: int) -> list[Any]:
    """Return the first parameter before each step and after the last."""
    w = optimizer.param_groups[0]["params"][0]
    path = [w.numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        path.append(w.numpy().copy())
    return path


# -- poor conditioning -------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [10.0, 100.0])
@pytest.mark.parametrize("method", ["gradient descent", "heavy ball", "Nesterov"])
def test_rates_of_convergence_on_a_poorly_conditioned_bowl(method: str, condition: float) -> None:
    """f = (x^2 + condition y^2) / 2, with the best rate and momentum of each.

    Gradient descent takes the factor (k - 1)/(k + 1) per step, momentum (sqrt k - 1)/(sqrt k + 1), Nesterov's
    form 1 - 1/sqrt k; their roots are double, so that the distance is (a + b n) times the n-th power.
    [B. Polyak, Some methods of speeding up the convergence of iteration methods, 1964]
    """
    root = sqrt(condition)
    options, factor = {
        "gradient descent": ({"lr": 2 / (1 + condition)}, (condition - 1) / (condition + 1)),
        "heavy ball": (
            {"lr": 4 / (1 + root) ** 2, "momentum": ((root - 1) / (root + 1)) ** 2},
            (root - 1) / (root + 1),
        ),
        "Nesterov": (
            {"lr": 1 / condition, "momentum": (root - 1) / (root + 1), "nesterov": True},
            1 - 1 / root,
        ),
    }[method]  # fmt: skip
    curvature = np.array([1.0, condition])
    w = nn.Parameter(np.array([1.0, 1.0]))
    path = descend(optim.SGD([w], **options), lambda: (curvature * w * w).sum() / 2, 80)
    powers = np.array([x / factor**n for n, x in enumerate(path)])
    if method == "gradient descent":
        np.testing.assert_allclose(abs(powers), 1, rtol=1e-9)
        return
    lines = powers[:, :1] if method == "Nesterov" else powers * [[1, (-1) ** n] for n in range(81)]
    assert (lines > 0).all()
    np.testing.assert_allclose(np.diff(lines, 2, axis=0), 0, atol=1e-6 * lines.max())


def test_second_order_methods_do_not_see_the_condition() -> None:
    """Condition 1e4 in 10 dimensions, to a gradient of 1e-6: Newton takes one step, L-BFGS some tens."""
    curvature = np.geomspace(1, 1e4, 10)
    taken = {}
    for name, make in (
        ("SGD", lambda w: optim.SGD([w], lr=2 / (1 + 1e4))),
        ("LBFGS", lambda w: optim.LBFGS([w], 1, 1, 25, tolerance_change=0, line_search_fn="strong_wolfe")),
        ("Newton", lambda w: optim.Newton([w], tolerance_cg=1e-12)),
    ):
        w = nn.Parameter(np.ones(10))
        optimizer = make(w)

        def closure(w: Any = w, optimizer: Any = optimizer, name: str = name) -> Any:
            optimizer.zero_grad()
            loss = (curvature * w * w).sum() / 2
            if name != "Newton":
                loss.backward()
            return loss

        for n in range(1, 2001):
            optimizer.step(closure)
            if abs(curvature * w.numpy()).max() < 1e-6:
                taken[name] = n
                break
    assert taken["Newton"] == 1
    assert 10 <= taken["LBFGS"] < 100
    assert "SGD" not in taken


# -- momentum ----------------------------------------------------------------------------------------


def test_momentum_leaves_a_saddle_sooner() -> None:
    """f = (x^2 - y^2) / 2. Along y a step multiplies by 1 + lr; with momentum m by the larger root of
    z^2 - (1 + m + lr) z + m."""
    lr, m = 0.1, 0.9
    growth = {0.0: 1 + lr, m: ((1 + m + lr) + sqrt((1 + m + lr) ** 2 - 4 * m)) / 2}
    for momentum, expected in growth.items():
        w = nn.Parameter(np.array([1.0, 1e-8]))
        optimizer = optim.SGD([w], lr=lr, momentum=momentum)
        path = descend(optimizer, lambda w=w: (w[0] ** 2 - w[1] ** 2) / 2, 60)
        assert path[-1][1] / path[-2][1] == pytest.approx(expected, rel=1e-6)
    assert growth[m] > growth[0.0]


def test_momentum_rolls_over_dents() -> None:
    """f = 0.05 x^2 + 0.1 cos(5 x): gradient descent from 8 stops in the first dent, momentum further down."""
    f = lambda w: 0.05 * w * w + 0.1 * np.cos(5 * w)
    ends = {}
    for momentum in (0.0, 0.9):
        w = nn.Parameter(np.array(8.0))
        ends[momentum] = descend(optim.SGD([w], lr=0.1, momentum=momentum), lambda w=w: f(w), 500)[-1]
        assert abs(ag.grad(f)(ends[momentum])) < 1e-4
        assert ag.hessian(f)(ends[momentum]) > 0
    assert f(ends[0.9]) < 0.5 * f(ends[0.0])


@pytest.mark.parametrize("kind", ["arithmetic", "geometric"])
def test_running_averages_of_the_gradient(kind: str) -> None:
    """m <- c m + (1 - c) g: the mean of all for c = (k - 1)/k, forgetting by powers for a constant c."""
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(30, 4))
    w = nn.Parameter(np.zeros(4))
    optimizer = optim.SGD([w], lr=1e-3, momentum=0.9, dampening=0.9)
    for k, g in enumerate(gradients, start=1):
        if kind == "arithmetic":
            optimizer.param_groups[0].update(momentum=(k - 1) / k, dampening=(k - 1) / k)
            if k == 1:
                optimizer.param_groups[0].update(momentum=0.5, dampening=0.0)  # any: the first is g itself
        w.grad = g.copy()
        optimizer.step()
        if kind == "arithmetic":
            expected = gradients[:k].mean(0)
        else:
            shares = 0.1 * 0.9 ** np.arange(k - 1, -1, -1)
            shares[0] *= 10  # the first gradient is where the average begins
            assert shares.sum() == pytest.approx(1)
            expected = shares @ gradients[:k]
        np.testing.assert_allclose(optimizer.state[w]["momentum_buffer"], expected, rtol=1e-10, atol=1e-12)


def test_an_average_has_less_noise() -> None:
    """The variance of the geometric average of independent noise is (1 - c)/(1 + c) of that of one draw."""
    rng = np.random.default_rng(1)
    w = nn.Parameter(np.zeros(20_000))
    optimizer = optim.SGD([w], lr=0.0, momentum=0.8, dampening=0.8)
    for _ in range(60):
        w.grad = rng.normal(size=20_000)
        optimizer.step()
    variance = optimizer.state[w]["momentum_buffer"].var()
    assert variance == pytest.approx((1 - 0.8) / (1 + 0.8), rel=5 * sqrt(2 / 20_000))


def test_nesterov_as_the_slide_has_it() -> None:
    """The slide takes the gradient at beta + delta, where delta carries the last step on.

    On beta^2 / 2 from 1, with rate 0.1 and momentum 0.9, its first iterate is .90 and PyTorch's .81. They are
    one method: PyTorch's parameter is the slide's beta + delta.
    """
    lr, m = 0.1, 0.9
    gradient = ag.grad(lambda beta: beta * beta / 2)
    beta, delta, slide = 1.0, 0.0, []
    for _ in range(20):
        new = beta + delta - lr * gradient(beta + delta)
        beta, delta = new, m * (new - beta)
        slide.append((float(beta), float(beta + delta)))
    w = nn.Parameter(np.array(1.0))
    path = descend(optim.SGD([w], lr=lr, momentum=m, nesterov=True), lambda: w * w / 2, 20)
    assert slide[0][0] == pytest.approx(0.90)
    assert path[1] == pytest.approx(0.81)
    np.testing.assert_allclose(path[1:], [ahead for _, ahead in slide], rtol=1e-12)


# -- mini-batches ------------------------------------------------------------------------------------


def data(n: int = 500) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, x @ [1.0, -2.0, 0.5] + rng.normal(size=n)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_variance_of_the_gradient_falls_as_the_size_of_the_batch(size: int) -> None:
    """100 times the batch divides the variance by 100, and the standard deviation by 10."""
    x, y = data()
    draws = 4000
    batch = np.random.default_rng(size).integers(0, len(y), (draws, size))
    w = nn.Parameter(np.zeros((draws, 3)))  # the same weights for each batch
    (((x[batch] * w[:, None]).sum(-1) - y[batch]) ** 2).mean(1).sum().backward()
    alone = -2 * x * y[:, None]  # the gradient of each sample at w = 0
    np.testing.assert_allclose(w.grad.var(0), alone.var(0) / size, rtol=0.15)
    bound = 5 * alone.std(0) / sqrt(size * draws)
    assert (abs(w.grad.mean(0) - alone.mean(0)) < bound).all(), "it is the gradient of all, on average"


def test_an_epoch_of_single_samples_is_further_than_one_step_of_all() -> None:
    """With m steps of stochastic gradient descent counted as one iteration: the same work."""
    x, y = data()
    start = float((y**2).mean())
    losses = {}
    for size in (len(y), 1):
        w = nn.Parameter(np.zeros(3))
        optimizer = optim.SGD([w], lr=0.01)
        for first in range(0, len(y), size):
            optimizer.zero_grad()
            ((x[first : first + size] @ w - y[first : first + size]) ** 2).mean().backward()
            optimizer.step()
        losses[size] = float(((x @ w.numpy() - y) ** 2).mean())
    best = float(((x @ np.linalg.lstsq(x, y)[0] - y) ** 2).mean())
    assert best < losses[1] < 1.1 * best < 0.9 * start < losses[len(y)] < start


@pytest.mark.parametrize(("make", "rtol"), [
    (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), 1e-10),
    (lambda p: optim.Adam(p, lr=0.01), 1e-6),
], ids=["SGD", "Adam"])  # fmt: skip
@pytest.mark.parametrize("pieces", [2, 4, 12])
def test_accumulated_gradients_are_those_of_the_large_batch(pieces: int, make: Any, rtol: float) -> None:
    """The mean over 24 samples is the sum over micro-batches of their means, divided by their number."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 5)), rng.integers(0, 3, 24)
    models = []
    for parts in (1, pieces):
        nn.manual_seed(0)
        model = nn.MLP([5, 8, 3], activation="tanh").to("float64")
        optimizer = make(model.parameters())
        for _ in range(10):
            optimizer.zero_grad()
            for part_x, part_y in zip(np.split(x, parts), np.split(y, parts), strict=True):
                (F.cross_entropy(model(part_x), part_y) / parts).backward()
            optimizer.step()
        models.append(model)
    for p, q in zip(models[0].parameters(), models[1].parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=rtol, atol=1e-12)
