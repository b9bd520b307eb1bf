"""The Trainer beside the loop that one writes by hand: the same steps on the same batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core import nn, optim

from .measure import Race, build
from .table import Row, Target

SAMPLES, BATCH, RATE = 10_000, 10, 15.0

rng = np.random.default_rng(0)
X = rng.random((SAMPLES, 784), dtype=np.float32)
Y = np.eye(10, dtype=np.float32)[rng.integers(10, size=SAMPLES)]


def parts() -> tuple[Any, Any, Any]:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid())
    return model, optim.SGD(model.parameters(), lr=RATE), nn.MSELoss()


def loop() -> Callable[[], list[float]]:
    model, optimizer, loss_of = parts()

    def epoch() -> list[float]:
        losses = []
        for x, y in nn.data.batches(X, Y, batch_size=BATCH):
            optimizer.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return epoch


def trainer() -> Callable[[], list[float]]:
    model, optimizer, loss_of = parts()
    made = optim.Trainer(model, optimizer, loss_of, quiet=True)

    def epoch() -> list[float]:
        return made.fit(X, Y, epochs=1, batch_size=BATCH).steps["loss"]

    return epoch


def rows() -> Iterator[Row]:
    found = [make()() for make in (loop, trainer)]
    assert found[0] == found[1], "the same losses, to the last bit"
    race = Race(build({"by hand": loop, "ours": trainer}), seconds=8)
    steps = SAMPLES // BATCH
    race.times = {name: [t / steps for t in times] for name, times in race.times.items()}
    yield Row.of(f"Trainer, 784-30-10, batch 10, epoch of {steps:,}", race,
                 targets=[Target(race.ratio("ours", "by hand"), 1.05, "{} x a loop by hand")])  # fmt: skip
