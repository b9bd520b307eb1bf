"""Value beside micrograd, on the network of micrograd's demo: two moons, one full step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import isclose
from typing import Any

import numpy as np

from autograd_core import Value

from .measure import Race, build
from .table import Row, Target

POINTS, SIZES, ALPHA, RATE = 100, (2, 16, 16, 1), 1e-4, 1.0


def moons() -> tuple[list[list[float]], list[int]]:
    """Return points on two interleaved half circles with a little noise, and their signs."""
    angle = np.linspace(0, np.pi, POINTS // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([upper, np.array([1.0, 0.5]) - upper])
    points += np.random.default_rng(1337).normal(0, 0.1, points.shape)
    return points.tolist(), [-1] * (POINTS // 2) + [1] * (POINTS // 2)


def step_of(value: Any) -> Callable[[], float]:
    """Return the demo's training step, written for either library's class of scalars."""
    draw = random.Random(1337)
    layers = [
        [([value(draw.uniform(-1, 1)) for _ in range(n_in)], value(0)) for _ in range(n_out)]
        for n_in, n_out in pairwise(SIZES)
    ]
    parameters = [p for layer in layers for w, b in layer for p in (*w, b)]
    points, signs = moons()

    def model(x: Any) -> Any:
        for layer in layers:
            x = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for w, b in layer]
            if layer is not layers[-1]:
                x = [a.relu() for a in x]
        return x[0]

    def step() -> float:
        scores = [model([value(number) for number in point]) for point in points]
        losses = [(1 + -sign * score).relu() for sign, score in zip(signs, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return float(loss.data)

    return step


def with_micrograd() -> Callable[[], float]:
    from micrograd.engine import Value

    return step_of(Value)


def rows() -> Iterator[Row]:
    builders = {"ours": lambda: step_of(Value), "micrograd": with_micrograd}
    first = [[run() for _ in range(3)] for run in build(builders).values()]
    for losses in first:
        assert all(map(isclose, losses, first[0])), first
    for collector in (True, False):  # micrograd's nodes refer to themselves: only it frees them
        race = Race(build(builders), collector=collector)
        targets = []
        if collector and "micrograd" in race.times:
            targets.append(Target(race.ratio("micrograd", "ours"), 2.5, "{} x faster", least=True))
        name = f"moons 2-16-16-1, one step{'' if collector else ', no collector'}"
        yield Row.of(name, race, "ms", targets=targets)
