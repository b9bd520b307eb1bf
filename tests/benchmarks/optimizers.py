"""A step of each optimizer on a million parameters, in 10 and in 200 tensors, beside PyTorch's default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from autograd_core import kernels, nn, optim

from .measure import Race, build
from .table import Row, Target

SIZE, SPLITS = 1_000_000, (10, 200)

KINDS: dict[str, dict[str, Any]] = {
    "SGD": {}, "SGD momentum": {"momentum": 0.9}, "SGD Nesterov": {"momentum": 0.9, "nesterov": True},
    "Adagrad": {}, "Adadelta": {}, "RMSprop": {}, "RMSprop centred": {"centered": True, "momentum": 0.9},
    "Rprop": {}, "Adam": {}, "Adam amsgrad": {"amsgrad": True}, "AdamW": {}, "Adamax": {}, "NAdam": {},
    "RAdam": {}, "ASGD": {}, "Adafactor": {},
}  # fmt: skip


def arrays(split: int) -> list[list[Any]]:
    """Return the parameters' values and gradients: matrices and vectors of many sizes, a million numbers."""
    rng = np.random.default_rng(0)
    weights = np.exp(rng.normal(size=split))
    sizes = np.maximum(1, (weights / weights.sum() * SIZE).astype(int))
    sizes[0] += SIZE - sizes.sum()
    shapes = [(int(n),) if i % 2 else (int(n // 16), 16) for i, n in enumerate(sizes)]
    return [[rng.standard_normal(s, dtype=np.float32) for s in shapes] for _ in range(2)]


def ours(kind: str, split: int) -> Callable[[], Any]:
    params = []
    for value, slope in zip(*arrays(split), strict=True):
        params.append(nn.Parameter(value))
        params[-1].grad = slope
    step: Callable[[], Any] = getattr(optim, kind.split()[0])(params, **KINDS[kind]).step
    return step


def in_numpy(kind: str, split: int) -> Callable[[], Any]:
    step = ours(kind, split)

    def run() -> None:
        with kernels.using(numba=False):
            step()

    return run


def with_torch(kind: str, split: int) -> Callable[[], Any]:
    import torch

    params = []
    for value, slope in zip(*arrays(split), strict=True):
        params.append(torch.nn.Parameter(torch.tensor(value)))
        params[-1].grad = torch.tensor(slope)
    step: Callable[[], Any] = getattr(torch.optim, kind.split()[0])(params, **KINDS[kind]).step
    return step


def rows() -> Iterator[Row]:
    ratios = []
    for split in SPLITS:
        for kind in KINDS:
            builders = {"ours": ours, "NumPy": in_numpy, "PyTorch": with_torch}
            race = Race(build({name: partial(f, kind, split) for name, f in builders.items()}), seconds=1)
            targets = []
            if "PyTorch" in race.times:
                ratios.append(race.ratio("ours", "PyTorch"))
                text = f"{{}} x PyTorch, {race.ratio('NumPy', 'PyTorch'):.2f} without numba"
                if (split, kind) == (SPLITS[-1], list(KINDS)[-1]):
                    mean = prod(ratios) ** (1 / len(ratios))
                    targets = [Target(mean, 1.0, "{} x PyTorch, geometric mean of all optimizers")]
                targets.insert(0, Target(ratios[-1], 1.5, text))
            yield Row.of(f"{kind}, {SIZE:,} numbers in {split} arrays", race, targets=targets)
