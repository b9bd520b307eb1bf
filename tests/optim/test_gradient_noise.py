"""Gradient noise: its variance over time, where it comes from, and that it continues exactly."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim


def parameters(dtype: Any = np.float32) -> list[Any]:
    params = [nn.Parameter(np.zeros(s, dtype)) for s in ((200, 300), (), (7,))]
    for p in params:
        p.grad = np.full(p.shape, 2, dtype)
    return params


@pytest.mark.parametrize(("eta", "gamma"), [(0.01, 0.55), (1.0, 0.55), (0.3, 1.0), (0.3, 0.0)])
@pytest.mark.parametrize("step", [0, 1, 99])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_its_variance(eta: float, gamma: float, step: int, dtype: Any) -> None:
    """eta / (1 + t)^gamma; the bounds are five standard errors of a sample of 60,000."""
    params = parameters(dtype)
    sigma = optim.add_gradient_noise(params, step, eta, gamma, np.random.default_rng(0))
    assert sigma**2 == pytest.approx(eta / (1 + step) ** gamma)
    noise = params[0].grad - 2
    assert noise.mean() == pytest.approx(0, abs=5 * sigma / 60_000**0.5)
    assert noise.var() == pytest.approx(sigma**2, rel=5 * (2 / 60_000) ** 0.5)
    assert all(p.grad.dtype == dtype and p.grad.shape == p.shape for p in params)
    assert len({float(p.grad.ravel()[0]) for p in params}) == 3, "each its own"


def test_the_noise_is_the_generators() -> None:
    """The library's by default, of the same numbers in float32 and float64."""
    found = []
    for dtype in (np.float32, np.float64):
        nn.manual_seed(3)
        params = parameters(dtype)
        optim.add_gradient_noise(params, eta=1.0)
        own = parameters(dtype)
        optim.add_gradient_noise(own, eta=1.0, generator=np.random.default_rng(3))
        assert all(np.array_equal(p.grad, q.grad) for p, q in zip(params, own, strict=True))
        found.append(params[0].grad)
    np.testing.assert_allclose(*found, atol=1e-6)


def test_what_has_no_gradient_has_none_afterwards_and_others_are_not_written_into() -> None:
    params = parameters()
    params[1].grad = None
    given = params[0].grad
    given.flags.writeable = False
    optim.add_gradient_noise(iter(params))
    assert params[1].grad is None
    assert (given == 2).all()
    assert (params[0].grad != 2).any()
    optim.add_gradient_noise(params[2], eta=0)
    one = nn.Parameter([1.0])
    (one * one).sum().backward(create_graph=True)
    optim.add_gradient_noise(one)
    assert type(one.grad) is np.ndarray


def run(noise: Any, w: Any, steps: int) -> Any:
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (w * w).sum().backward()
        noise([w])
        optimizer.step()
    return w.numpy().copy()


@pytest.mark.parametrize("own", [False, True], ids=["library", "own generator"])
def test_a_run_continues_bit_for_bit(own: bool) -> None:
    make = lambda seed: optim.GradientNoise(0.3, generator=np.random.default_rng(seed) if own else None)
    nn.manual_seed(0)
    noise, w = make(1), nn.Parameter(np.ones(5))
    at = run(noise, w, 4)
    state, draws = copy.deepcopy(noise.state_dict()), nn.random.get_state()
    end = run(noise, w, 4)
    other = make(2)
    other.load_state_dict(state)
    nn.random.set_state(draws)
    assert np.array_equal(run(other, nn.Parameter(at), 4), end)
    assert other.step == noise.step == 8
    assert type(noise.step) is np.ndarray
    state["step"][...] = 100  # a copy
    assert noise.step == 8
    assert repr(noise) == "GradientNoise(eta=0.3, gamma=0.55, step=8)"


def test_it_leaves_a_saddle() -> None:
    """x^2 - y^2 + y^4/2 from (1, 0), where the gradient in y is 0: only noise leads on."""
    ends = []
    for eta in (0.0, 0.01):
        nn.manual_seed(0)
        w, noise = nn.Parameter(np.array([1.0, 0.0])), optim.GradientNoise(eta)
        optimizer = optim.SGD([w], lr=0.1)
        for _ in range(200):
            optimizer.zero_grad()
            (w[0] ** 2 - w[1] ** 2 + w[1] ** 4 / 2).backward()
            noise([w])
            optimizer.step()
        ends.append(w.numpy())
    assert ends[0][1] == 0
    assert abs(ends[1][1]) == pytest.approx(1, abs=0.1)


W = nn.Parameter([1.0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.add_gradient_noise([W], step=-1), ValueError, "step=-1"),
        (lambda: optim.add_gradient_noise([W], eta=-1), ValueError, "eta=-1"),
        (lambda: optim.GradientNoise(gamma=-1), ValueError, r"\[GradientNoise\] got eta=0.01, gamma=-1"),
        (lambda: optim.add_gradient_noise(nn.Linear(2, 2)), TypeError, r"a Linear.*try model.parameters\(\)"),
        (lambda: optim.add_gradient_noise([np.ones(2)]), TypeError, "a ndarray, expected parameters"),
        (
            lambda: optim.GradientNoise().load_state_dict({"step": 1, "generator": {}}), ValueError,
            "a state with a generator of its own, expected the library's generator",
        ),
        (
            lambda: optim.GradientNoise(generator=np.random.default_rng(0)).load_state_dict({"step": 1}),
            ValueError, "a state with the library's generator, expected a generator of its own",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
