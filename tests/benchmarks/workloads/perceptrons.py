"""Multilayer perceptrons: of any widths; and the small one of the lectures, also by further libraries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .network import Network
from .workload import HIPS, MYGRAD, NUMPY, Step, products

RATE = 15.0  # the mean of all squared errors at 15 is half their sum, averaged over the batch, at a rate of 3


def flops(sizes: Sequence[int], batch: int) -> int:
    """Return the operations of the products of one step: forward, and for weights and inputs backward.

    The images need no gradient, so the first layer has two products and the others three.
    """
    return products(*((batch, m, n, 3 if i else 2) for i, (m, n) in enumerate(pairwise(sizes))))


def layers(sizes: Sequence[int], activation: str, last: bool) -> Callable[[Any], Any]:
    """Return the model; ``last`` says whether the activation follows the last layer too."""

    def model(nn: Any) -> Any:
        parts: list[Any] = []
        for m, n in pairwise(sizes):
            parts += [nn.Linear(m, n), getattr(nn, activation)()]
        return nn.Sequential(*parts[: None if last else -1])

    return model


def forward(activation: str, last: bool) -> Callable[[dict[str, Any], Any], Any]:
    def run(p: dict[str, Any], x: Any) -> Any:
        import jax

        function = {"Sigmoid": jax.nn.sigmoid, "ReLU": jax.nn.relu, "Tanh": jax.numpy.tanh}[activation]
        names = sorted({int(name.split(".")[0]) for name in p})
        for i in names:
            x = x @ p[f"{i}.weight"].T + p[f"{i}.bias"]
            x = function(x) if last or i != names[-1] else x
        return x

    return run


def sigmoid(batch: int, target: float | None = None, peers: bool = False) -> Network:
    """The lectures' network, 784-30-10, with the squared error and plain gradient descent."""
    rng = np.random.default_rng(0)
    sizes = (784, 30, 10)
    x = rng.random((batch, 784), dtype=np.float32)
    y = np.eye(10, dtype=np.float32)[rng.integers(10, size=batch)]
    more = {NUMPY: by_hand, MYGRAD: with_mygrad, HIPS: with_autograd} if peers else {}
    return Network(
        f"MLP 784-30-10 sigmoid, batch {batch}, SGD",
        layers(sizes, "Sigmoid", True), forward("Sigmoid", True), (x, y),
        "mse_loss", "SGD", {"lr": RATE}, flops(sizes, batch), target, more)  # fmt: skip


def relu(sizes: Sequence[int], batch: int, target: float | None = None) -> Network:
    """A network for classes, with ReLU and Adam."""
    rng = np.random.default_rng(0)
    x = rng.random((batch, sizes[0]), dtype=np.float32)
    return Network(
        f"MLP {'-'.join(map(str, sizes))} ReLU, batch {batch}, Adam",
        layers(sizes, "ReLU", False), forward("ReLU", False), (x, rng.integers(sizes[-1], size=batch)),
        "cross_entropy", "Adam", {"lr": 1e-3}, flops(sizes, batch), target)  # fmt: skip


def first(network: Network) -> list[Any]:
    return [value.copy() for value in network.start()[1].values()]


def by_hand(network: Network) -> Step:
    """The step as one writes it with a pencil, in NumPy."""
    x, y = network.data
    params = w1, b1, w2, b2 = first(network)

    def step() -> Any:
        a1 = 1 / (1 + np.exp(-(x @ w1.T + b1)))
        a2 = 1 / (1 + np.exp(-(a1 @ w2.T + b2)))
        d = a2 - y
        loss = np.vdot(d, d) / d.size
        d2 = 2 / d.size * d * a2 * (1 - a2)
        d1 = (d2 @ w2) * a1 * (1 - a1)
        for p, g in zip(params, (d1.T @ x, d1.sum(0), d2.T @ a1, d2.sum(0)), strict=True):
            p -= RATE * g
        return loss

    return step


def with_autograd(network: Network) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad

    x, y = network.data
    params = first(network)

    def loss_of(params: Any) -> Any:
        w1, b1, w2, b2 = params
        a1 = 1 / (1 + anp.exp(-(x @ w1.T + b1)))
        a2 = 1 / (1 + anp.exp(-(a1 @ w2.T + b2)))
        return anp.mean((a2 - y) ** 2)

    gradient = value_and_grad(loss_of)

    def step() -> Any:
        loss, grads = gradient(params)
        for p, g in zip(params, grads, strict=True):
            p -= np.float32(RATE) * g
        return loss

    return step


def with_mygrad(network: Network) -> Step:
    import mygrad as mg

    x, y = network.data
    params = w1, b1, w2, b2 = [mg.tensor(p) for p in first(network)]

    def step() -> Any:
        a1 = 1 / (1 + mg.exp(-(mg.matmul(x, w1.T) + b1)))
        a2 = 1 / (1 + mg.exp(-(mg.matmul(a1, w2.T) + b2)))
        loss = mg.mean((a2 - y) ** 2)
        loss.backward()
        for p in params:
            p.data -= RATE * p.grad  # type: ignore[operator]
            p.null_grad()
        return loss.data

    return step
