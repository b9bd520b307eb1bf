"""The comparison of the lectures on digits: SGD, momentum, RMSProp and Adam at their usual rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

F = nn.functional
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda params: optim.SGD(params, lr=0.01),
    "momentum": lambda params: optim.SGD(params, lr=0.01, momentum=0.9),
    "RMSProp": lambda params: optim.RMSprop(params, lr=0.001),
    "Adam": lambda params: optim.Adam(params, lr=0.001),
}


def curve(make: Callable[[Any], Any], seed: int, scale: float = 1.0, epochs: int = 8) -> list[float]:
    """Train a network; return the mean loss of each epoch."""
    nn.manual_seed(seed)
    x, y = nn.data.digits()
    model = nn.MLP([64, 32, 10])
    optimizer = make(model.parameters())
    means = []
    for _ in range(epochs):
        losses = []
        for images, labels in nn.data.batches(x, y, drop_last=True):
            loss = F.cross_entropy(model(images), labels) * scale
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item() / scale)
        means.append(float(np.mean(losses)))
    return means


@pytest.fixture(scope="module")
def curves() -> dict[str, Any]:
    return {name: np.median([curve(make, seed) for seed in range(3)], axis=0)
            for name, make in OPTIMIZERS.items()}  # fmt: skip


def test_what_adapts_or_remembers_is_ahead_of_sgd(curves: dict[str, Any], capsys: Any) -> None:
    with capsys.disabled():
        print()
        for name, losses in curves.items():
            print(f"{name:9}", *(f"{loss:.2f}" for loss in losses))
    last = {name: losses[-1] for name, losses in curves.items()}
    assert max(last["momentum"], last["RMSProp"], last["Adam"]) < last["SGD"] / 2
    assert all((np.diff(losses) < 0).all() for losses in curves.values())


def test_rmsprop_starts_faster_than_adam(curves: dict[str, Any]) -> None:
    """Its running average of squares starts at 0 and is not corrected, so its first steps are larger."""
    assert curves["RMSProp"][0] < curves["Adam"][0] < curves["SGD"][0]


def test_momentum_works_like_a_rate_ten_times_as_high(curves: dict[str, Any]) -> None:
    """With 0.9 each gradient counts 1 + 0.9 + 0.9^2 + ... = 10 times in the end."""
    high = np.median([curve(lambda params: optim.SGD(params, lr=0.1), seed) for seed in range(3)], axis=0)
    np.testing.assert_allclose(curves["momentum"][2:], high[2:], rtol=0.25)


@pytest.mark.parametrize("name", ["RMSProp", "Adam"])
def test_what_adapts_does_not_see_the_scale_of_the_loss(name: str) -> None:
    make = OPTIMIZERS[name]
    np.testing.assert_allclose(curve(make, 0, 100.0, epochs=2), curve(make, 0, epochs=2), rtol=1e-2)
    sgd = OPTIMIZERS["SGD"]
    assert curve(sgd, 0, 10.0, epochs=2)[-1] < 0.8 * curve(sgd, 0, epochs=2)[-1]
