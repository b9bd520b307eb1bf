"""Rules that PyTorch does not have, and forms that lectures print, against their equations written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim
from autograd_core.kernels.twins import loop
from optim.elementwise import Elementwise
from optim.rule import Rule


def descend(make: Callable[..., Any], update: Callable[[Any, Any, int], Any], steps: int = 50) -> None:
    """Compare 50 steps in float64 with ``update(p, g, t)``, which a test writes out."""
    rng = np.random.default_rng(11)
    stretch = rng.uniform(0.1, 5, 6)
    p = rng.normal(size=6)
    w = nn.Parameter(p.copy())
    optimizer = make([w])
    for t in range(1, steps + 1):
        noise = rng.normal(size=6)
        w.grad = stretch * w.numpy() + noise
        optimizer.step()
        p = update(p, stretch * p + noise, t)
        np.testing.assert_allclose(w.numpy(), p, rtol=1e-12, atol=1e-14, err_msg=f"step {t}")


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("betas", [(0.9, 0.99), (0.5, 0.0)])
@pytest.mark.parametrize("lr", [1e-4, 0.05])
def test_lion(lr: float, betas: tuple[float, float], weight_decay: float) -> None:
    """Algorithm 2 of the paper (arXiv:2302.06675)."""
    b1, b2 = betas
    m = np.zeros(6)

    def update(p: Any, g: Any, t: int) -> Any:
        nonlocal m
        c = b1 * m + (1 - b1) * g
        p = p - lr * (np.sign(c) + weight_decay * p)
        m = b2 * m + (1 - b2) * g
        return p

    descend(lambda params: optim.Lion(params, lr, betas, weight_decay), update)


def test_lions_defaults() -> None:
    group = optim.Lion([nn.Parameter([1.0])]).param_groups[0]
    assert {k: group[k] for k in group if k != "params"} == {
        "lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0, "maximize": False
    }  # fmt: skip


# -- what lectures print otherwise: each is an option here, or a rule of ten lines --------------------


@loop
def rms_inside(p: Any, g: Any, v: Any, lr: Any, rho: Any, rest: Any, eps: Any) -> Any:
    v = rho * v + rest * (g * g)
    return p - lr * (g / np.sqrt(v + eps)), v


@loop
def rms_inside_all(p: Any, g: Any, v: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i] = rms_inside(p[i], g[i], v[i], *numbers)


class RMSPropInside(Elementwise):
    """RMSProp with epsilon inside the root."""

    the_rule = Rule(rms_inside, rms_inside_all)

    def __init__(self, params: Any, lr: float, rho: float = 0.9, eps: float = 1e-6) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def rule(self, group: Any) -> Rule:
        return self.the_rule

    def memory(self, group: Any) -> Mapping[str, float]:
        return {"square_avg": 0.0}

    def numbers(self, group: Any, clock: Any) -> tuple[Any, ...]:
        rho = group.numbers["rho"]
        return group.numbers["lr"], rho, 1 - rho, group.numbers["eps"]


def test_epsilon_inside_the_root() -> None:
    v = np.zeros(6)

    def update(p: Any, g: Any, t: int) -> Any:
        nonlocal v
        v = 0.9 * v + 0.1 * g**2
        return p - 0.01 / np.sqrt(v + 1e-2) * g

    descend(lambda params: RMSPropInside(params, lr=0.01, eps=1e-2), update)


def test_adam_with_the_decays_the_other_way_round() -> None:
    """A slide attaches 0.999 to the mean and 0.9 to the square."""
    m = v = np.zeros(6)

    def update(p: Any, g: Any, t: int) -> Any:
        nonlocal m, v
        m, v = 0.999 * m + 0.001 * g, 0.9 * v + 0.1 * g**2
        return p - 0.01 * (m / (1 - 0.999**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)

    descend(lambda params: optim.Adam(params, 0.01, betas=(0.999, 0.9)), update)


def test_adam_with_the_correction_of_the_bias_and_epsilon_inside_the_root() -> None:
    """``sqrt(v / (1 - b2^t) + eps)`` and ``sqrt(v / (1 - b2^t)) + eps`` agree where eps is small beside v."""
    m = v = np.zeros(6)
    w, p = nn.Parameter(np.full(6, 3.0)), np.full(6, 3.0)
    optimizer = optim.Adam([w], lr=0.01)
    for t in range(1, 30):
        w.grad, g = w.numpy().copy(), p
        optimizer.step()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p = p - 0.01 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t) + 1e-16)
    np.testing.assert_allclose(w.numpy(), p, rtol=1e-8)


def test_nesterovs_gradient_is_taken_ahead() -> None:
    """At ``b + mu v``: in y = b + mu v, which is what the parameter is here, it is PyTorch's form.

    ``v' = mu v - lr g(b + mu v)``, ``b' = b + v'`` and so ``y' = b' + mu v' = y - lr g - mu lr (g + ...)``.
    The first step is Nesterov's with v = 0: y = b.
    """
    mu, lr = 0.9, 0.1
    stretch, b, v = np.array([1.0, 0.1]), np.array([1.0, -2.0]), np.zeros(2)
    w = nn.Parameter(b.copy())
    optimizer = optim.SGD([w], lr, momentum=mu, nesterov=True)
    for _ in range(30):
        np.testing.assert_allclose(w.numpy(), b + mu * v, rtol=1e-12)
        w.grad = stretch * w.numpy()
        optimizer.step()
        v = mu * v - lr * stretch * (b + mu * v)
        b = b + v


def test_muon_orthogonalizes_with_a_polynomial_that_converges() -> None:
    """With ``(15 s - 10 s^3 + 3 s^5) / 8``, whose fixed point is 1, the step is U V' of the momentum."""
    rng = np.random.default_rng(0)
    for shape in [(5, 3), (3, 5), (4, 4)]:
        w, g = nn.Parameter(rng.normal(size=shape)), rng.normal(size=shape)
        before = w.numpy().copy()
        coefficients = (15 / 8, -10 / 8, 3 / 8)
        w.grad = g
        optim.Muon([w], lr=0.1, weight_decay=0.0, ns_coefficients=coefficients, ns_steps=30).step()
        u, _, vt = np.linalg.svd(g, full_matrices=False)
        scale = 0.1 * max(1, shape[0] / shape[1]) ** 0.5
        np.testing.assert_allclose(w.numpy(), before - scale * u @ vt, rtol=1e-6, atol=1e-9)
