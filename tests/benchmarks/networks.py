"""Training steps of convolutional, recurrent and attention networks, beside PyTorch.

Each network is written once: ``nn``, ``optim`` and ``F`` are this library's or PyTorch's, which have the same
names. Both start from the same parameters, and the first losses must agree.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .measure import THREADS, Race, absent, build
from .memory import available, peak, reset_peak
from .table import Row, Target

rng = np.random.default_rng(0)


def images(*shape: int) -> Any:
    return rng.standard_normal(shape, dtype=np.float32)


def labels(n: int, classes: int = 10) -> Any:
    return rng.integers(classes, size=n)


def lenet(nn: Any) -> Any:
    """LeNet-5 (LeCun et al., 1998), with ReLU and max pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))  # fmt: skip


def cnn(nn: Any) -> Any:
    """The lectures' tutorial network: 32 and 64 filters of 5x5, 2x2 pooling, 1,024 units."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Linear(1024, 10))  # fmt: skip


def residual(nn: Any) -> Any:
    """A basic block of ResNet (He et al., 2016), 64 channels."""

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.conv2 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            y = self.relu(self.bn1(self.conv1(x)))
            return self.relu(self.bn2(self.conv2(y)) + x)

    return Block()


def recurrent(kind: str) -> Callable[[Any], Any]:
    return lambda nn: getattr(nn, kind)(128, 128)


def transformer(nn: Any) -> Any:
    return nn.TransformerEncoderLayer(128, 8, 512, dropout=0.0, batch_first=True)


@dataclass
class Network:
    """A model, its input, its loss, its optimizer and what is to be reached."""

    name: str
    model: Callable[[Any], Any]
    data: tuple[Any, ...]
    optimizer: str
    time: float
    unit: str = "ms"


NETWORKS = {
    "lenet": Network("LeNet, batch 64, momentum", lenet, (images(64, 1, 28, 28), labels(64)), "SGD", 1.5),
    "cnn": Network("CNN 32-64-1024, batch 50, Adam", cnn, (images(50, 1, 28, 28), labels(50)), "Adam", 1.5),
    "resnet": Network("ResNet block 16x64x32x32, SGD", residual, (images(16, 64, 32, 32),), "SGD", 1.5),
    "rnn": Network("RNN 50x32x128, Adam", recurrent("RNN"), (images(50, 32, 128),), "Adam", 1.2),
    "lstm": Network("LSTM 50x32x128, Adam", recurrent("LSTM"), (images(50, 32, 128),), "Adam", 1.2),
    "gru": Network("GRU 50x32x128, Adam", recurrent("GRU"), (images(50, 32, 128),), "Adam", 1.2),
    "transformer": Network(
        "transformer layer 16x64x128, Adam", transformer, (images(16, 64, 128),), "Adam", 1.2),
}  # fmt: skip


def start(network: Network) -> dict[str, Any]:
    """Return first parameters by name, those of this library."""
    from autograd_core import nn

    nn.manual_seed(0)
    return network.model(nn).state_dict()


def stepper(network: Network, state: dict[str, Any], nn: Any, optim: Any, data: Any) -> Callable[[], Any]:
    """Return a training step: forward, loss, backward, update."""
    model = network.model(nn)
    model.load_state_dict(state)
    options = {"lr": 0.01, "momentum": 0.9} if network.optimizer == "SGD" else {"lr": 1e-3}
    optimizer = getattr(optim, network.optimizer)(model.parameters(), **options)
    x, *targets = data

    def step() -> Any:
        optimizer.zero_grad()
        y = model(x)
        y = y[0] if isinstance(y, tuple) else y
        loss = nn.functional.cross_entropy(y, *targets) if targets else (y * y).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def ours(network: Network, state: dict[str, Any]) -> Callable[[], Any]:
    from autograd_core import nn, optim

    return stepper(network, state, nn, optim, network.data)


def with_torch(network: Network, state: dict[str, Any]) -> Callable[[], Any]:
    import torch

    state = {name: torch.tensor(value) for name, value in state.items()}
    return stepper(network, state, torch.nn, torch.optim, [torch.tensor(x) for x in network.data])


def growth(library: str, name: str, steps: int) -> float:
    """Return by how much resident memory grows over the imported library in some steps, in MiB.

    It is to be called in a new process. A network of the same layers on a fraction of the data goes before,
    so that what a first use imports, compiles or starts does not count.
    """
    network = NETWORKS[name]
    build = ours if library == "ours" else with_torch
    small = [x[:2] for x in network.data]
    build(Network("", network.model, tuple(small), network.optimizer, 0), start(network))()
    step = build(network, start(network))
    before = reset_peak()
    for _ in range(steps):
        step()
    return peak() - before


def measured(library: str, name: str, steps: int = 5) -> float:
    """Return what :func:`growth` says in a new process."""
    code = f"from tests.benchmarks.networks import growth; print(growth({library!r}, {name!r}, {steps}))"
    n = str(THREADS[-1])
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n)
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)
    return float(done.stdout)


def rows() -> Iterator[Row]:
    for name, network in NETWORKS.items():
        state = start(network)
        builders = {"ours": partial(ours, network, state), "PyTorch": partial(with_torch, network, state)}
        steps = build(builders)
        losses = {who: [step().item() for _ in range(3)] for who, step in steps.items()}
        for who, found in losses.items():
            np.testing.assert_allclose(found, losses["ours"], rtol=1e-3, err_msg=f"{name}: {who}")
        race = Race(steps, seconds=6)
        targets = []
        if "PyTorch" in race.times:
            targets.append(Target(race.ratio("ours", "PyTorch"), network.time, "{} x PyTorch"))
        yield Row.of(network.name, race, network.unit, targets=targets)
        libraries = [who for who in ("ours", "PyTorch") if who not in absent and available(who)]
        values = {who: measured(who, name) for who in libraries}
        if "PyTorch" in values:
            ratio = values["ours"] / values["PyTorch"]
            yield Row(f"  memory of {name}", "MiB", values, [Target(ratio, 1.2, "{} x PyTorch")])


if __name__ == "__main__":
    for row in rows():
        for line in row.lines():
            print(line, flush=True)
