"""Loading: mini-batches of arrays the size of MNIST, alone and under a training step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from autograd_core import nn, optim

from .measure import Race, build
from .table import Row, Target

F = nn.functional
SAMPLES = 50_000


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 784), np.float32), rng.integers(10, size=SAMPLES)


def forever(loader: Iterable[Any]) -> Iterator[Any]:
    """Go through one epoch after another, so that what starts one is counted in proportion."""
    while True:
        yield from loader


def ours(x: Any, y: Any, size: int, **options: Any) -> Callable[[], Any]:
    return partial(next, forever(nn.data.batches(x, y, batch_size=size, **options)))


def with_torch(x: Any, y: Any, size: int) -> Callable[[], Any]:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    dataset = TensorDataset(torch.tensor(x), torch.tensor(y))
    return partial(next, forever(DataLoader(dataset, size, shuffle=True)))


def noisy(x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    return x + 0.1 * rng.standard_normal(x.shape, np.float32), y


def stepper(sizes: list[int], batch: Callable[[], Any]) -> Callable[[], Any]:
    """Return a training step on the batch that comes next."""
    nn.manual_seed(0)
    model = nn.MLP(sizes, activation="sigmoid")
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        x, y = batch()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def rows() -> Iterator[Row]:
    x, y = data()
    for size in (10, 128):
        race = Race(build({
            "ours": partial(ours, x, y, size), "PyTorch": partial(with_torch, x, y, size),
            "ahead": partial(ours, x, y, size, prefetch=2),
            "noisy": partial(ours, x, y, size, transform=noisy),
        }))  # fmt: skip
        targets = []
        if "PyTorch" in race.times:
            targets.append(Target(race.ratio("ours", "PyTorch"), 0.5, "{} x PyTorch"))
        yield Row.of(f"batches of {size} of 50,000 images", race, targets=targets)
        race.times.pop("PyTorch", None)
        yield Row.of("  in a background thread", race, ours="ahead")
        yield Row.of("  with noise as transform", race, ours="noisy")

    race = Race({"fixed": stepper([784, 30, 10], partial(next, repeat((x[:10], y[:10])))),
                 "ours": stepper([784, 30, 10], ours(x, y, 10))})  # fmt: skip
    added = Target(race.over("ours", "fixed") * 1e6, 10, "{} us over the step on one batch")
    yield Row.of("784-30-10, steps with batches of 10", race, targets=[added])

    race = Race({"fixed": stepper([784, 512, 10], partial(next, repeat((x[:128], y[:128])))),
                 "noisy": stepper([784, 512, 10], ours(x, y, 128, transform=noisy)),
                 "ours": stepper([784, 512, 10], ours(x, y, 128, transform=noisy, prefetch=2))})  # fmt: skip
    yield Row.of("784-512-10, steps with noisy batches of 128", race, ours="noisy")
    starved = Target(race.ratio("ours", "fixed"), 1.1, "{} x the step on one batch")
    yield Row.of("  made in a background thread", race, targets=[starved])  # with OPENBLAS_NUM_THREADS=1


if __name__ == "__main__":
    for row in rows():
        for line in row.lines():
            print(line, flush=True)
