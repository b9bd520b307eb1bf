"""Whole training steps of multilayer perceptrons, written as users of each library write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_core import nn, optim

from .measure import Race, build
from .table import Row, Target

# -- 784-30-10, sigmoid, plain SGD -----------------------------------------------------------------

# The mean of all squared errors at 15 is half their sum, averaged over the batch, at a rate of 3.
BATCH, RATE = 10, 15.0

rng = np.random.default_rng(0)
X = rng.random((BATCH, 784), dtype=np.float32)
Y = np.eye(10, dtype=np.float32)[rng.integers(10, size=BATCH)]
W1, W2 = (
    rng.standard_normal((n, m), dtype=np.float32) / np.float32(m) ** 0.5
    for m, n in ((784, 30), (30, 10))
)
B1, B2 = np.zeros(30, np.float32), np.zeros(10, np.float32)
START = (W1, B1, W2, B2)


def ours() -> Callable[[], Any]:
    F = nn.functional
    model = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid())
    model.load_state_dict(dict(zip(model.state_dict(), START, strict=True)))
    optimizer = optim.SGD(model.parameters(), lr=RATE)

    def step() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def by_hand() -> Callable[[], Any]:
    w1, b1, w2, b2 = (p.copy() for p in START)

    def step() -> Any:
        a1 = 1 / (1 + np.exp(-(X @ w1.T + b1)))
        a2 = 1 / (1 + np.exp(-(a1 @ w2.T + b2)))
        d = a2 - Y
        loss = np.vdot(d, d) / d.size
        d2 = 2 / d.size * d * a2 * (1 - a2)
        d1 = (d2 @ w2) * a1 * (1 - a1)
        for p, g in ((w1, d1.T @ X), (b1, d1.sum(0)), (w2, d2.T @ a1), (b2, d2.sum(0))):
            p -= RATE * g
        return loss

    return step


def with_torch() -> Callable[[], Any]:
    import torch
    from torch import nn
    from torch.nn import functional as F

    model = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid())
    state = {k: torch.tensor(v) for k, v in zip(model.state_dict(), START, strict=True)}
    model.load_state_dict(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    x, y = torch.tensor(X), torch.tensor(Y)

    def step() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def with_jax() -> Callable[[], Any]:
    import jax

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2 = params
        a = jax.nn.sigmoid(jax.nn.sigmoid(x @ w1.T + b1) @ w2.T + b2)
        return ((a - y) ** 2).mean()

    @jax.jit
    def update(params: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        return loss, [p - RATE * g for p, g in zip(params, grads, strict=True)]

    x, y, params = *map(jax.numpy.asarray, (X, Y)), list(map(jax.numpy.asarray, START))

    def step() -> Any:
        nonlocal params
        loss, params = update(params, x, y)
        return jax.block_until_ready((loss, params))[0]

    return step


def with_autograd() -> Callable[[], Any]:
    import autograd.numpy as anp
    from autograd import value_and_grad

    def loss_of(params: Any) -> Any:
        w1, b1, w2, b2 = params
        a1 = 1 / (1 + anp.exp(-(X @ w1.T + b1)))
        a2 = 1 / (1 + anp.exp(-(a1 @ w2.T + b2)))
        return anp.mean((a2 - Y) ** 2)

    gradient, params = value_and_grad(loss_of), [p.copy() for p in START]

    def step() -> Any:
        loss, grads = gradient(params)
        for p, g in zip(params, grads, strict=True):
            p -= np.float32(RATE) * g
        return loss

    return step


def with_mygrad() -> Callable[[], Any]:
    import mygrad as mg

    params = w1, b1, w2, b2 = [mg.tensor(p) for p in START]

    def step() -> Any:
        a1 = 1 / (1 + mg.exp(-(mg.matmul(X, w1.T) + b1)))
        a2 = 1 / (1 + mg.exp(-(mg.matmul(a1, w2.T) + b2)))
        loss = mg.mean((a2 - Y) ** 2)
        loss.backward()
        for p in params:
            p.data -= RATE * p.grad
            p.null_grad()
        return loss.data

    return step


def rows() -> Iterator[Row]:
    builders = {"ours": ours, "NumPy": by_hand, "PyTorch": with_torch, "JAX": with_jax,
                "autograd": with_autograd, "MyGrad": with_mygrad}  # fmt: skip
    check_losses(builders)
    race = Race(build(builders), seconds=8)
    targets = []
    if "PyTorch" in race.times:
        targets.append(Target(race.ratio("ours", "PyTorch"), 0.4, "{} x PyTorch"))
    targets.append(Target(race.ratio("ours", "NumPy"), 2.2, "{} x NumPy by hand"))
    yield Row.of("784-30-10 sigmoid, batch 10, SGD step", race, targets=targets)


def check_losses(builders: dict[str, Callable[[], Any]]) -> None:
    """Let all train from the same start: the losses must be the same."""
    losses = {name: [step().item() for _ in range(10)] for name, step in build(builders).items()}
    for name, found in losses.items():
        np.testing.assert_allclose(found, losses["ours"], rtol=1e-3, err_msg=name)


# -- 784-512-256-10, ReLU, Adam, cross-entropy: for information ------------------------------------

WIDE, WIDE_BATCH = (784, 512, 256, 10), 128
IMAGES = rng.random((WIDE_BATCH, 784), dtype=np.float32)
LABELS = rng.integers(10, size=WIDE_BATCH)
WIDE_START = [
    array
    for m, n in pairwise(WIDE)
    for array in (rng.standard_normal((n, m), dtype=np.float32) * np.float32(2 / m) ** 0.5,
                  np.zeros(n, np.float32))
]  # fmt: skip


def wide_ours() -> Callable[[], Any]:
    model = nn.MLP(WIDE, activation="relu")
    model.load_state_dict(dict(zip(model.state_dict(), WIDE_START, strict=True)))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(IMAGES), LABELS)
        loss.backward()
        optimizer.step()
        return loss

    return step


def wide_torch() -> Callable[[], Any]:
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(),
                          nn.Linear(256, 10))  # fmt: skip
    state = {k: torch.tensor(v) for k, v in zip(model.state_dict(), WIDE_START, strict=True)}
    model.load_state_dict(state)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.tensor(IMAGES), torch.tensor(LABELS)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def wide_jax() -> Callable[[], Any]:
    import jax
    import jax.numpy as jnp

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        *hidden, (w, b) = zip(params[::2], params[1::2], strict=True)
        for v, c in hidden:
            x = jax.nn.relu(x @ v.T + c)
        return -jax.nn.log_softmax(x @ w.T + b)[jnp.arange(WIDE_BATCH), y].mean()

    @jax.jit
    def update(params: Any, ms: Any, vs: Any, t: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        t = t + 1
        ms = [0.9 * m + 0.1 * g for m, g in zip(ms, grads, strict=True)]
        vs = [0.999 * v + 0.001 * g * g for v, g in zip(vs, grads, strict=True)]
        params = [
            p - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
            for p, m, v in zip(params, ms, vs, strict=True)
        ]
        return loss, (params, ms, vs, t)

    params = list(map(jnp.asarray, WIDE_START))
    state = params, list(map(jnp.zeros_like, params)), list(map(jnp.zeros_like, params)), 0
    x, y = jnp.asarray(IMAGES), jnp.asarray(LABELS)

    def step() -> Any:
        nonlocal state
        loss, state = update(*state, x, y)
        return jax.block_until_ready((loss, state))[0]

    return step


def wide_rows() -> Iterator[Row]:
    builders = {"ours": wide_ours, "PyTorch": wide_torch, "JAX": wide_jax}
    check_losses(builders)
    yield Row.of("784-512-256-10 ReLU, batch 128, Adam step", Race(build(builders), 8), "ms")
