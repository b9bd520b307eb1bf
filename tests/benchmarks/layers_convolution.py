"""Convolutions forward and backward, as one layer; under NumPy: ours with the NumPy kernels alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core import kernels, nn

from .measure import Race, build
from .table import Row, Target


class Shape(NamedTuple):
    """A batch of square images, square filters, and whether the images need a gradient."""

    batch: int
    channels: int
    size: int
    filters: int
    kernel: int
    padding: int = 0
    stride: int = 1
    groups: int = 1
    inner: bool = True

    def __str__(self) -> str:
        images = f"{self.batch} x {self.channels} x {self.size} x {self.size}"
        more = f", stride {self.stride}" * (self.stride > 1) + f", {self.groups} groups" * (self.groups > 1)
        return f"{images}, {self.filters} of {self.kernel} x {self.kernel}{more}"

    def arrays(self) -> tuple[Any, ...]:
        rng = np.random.default_rng(0)
        places = (self.size + 2 * self.padding - self.kernel) // self.stride + 1
        shapes = ((self.batch, self.channels, self.size, self.size),
                  (self.filters, self.channels // self.groups, self.kernel, self.kernel), (self.filters,),
                  (self.batch, self.filters, places, places))  # fmt: skip
        return tuple(rng.standard_normal(shape, np.float32) for shape in shapes)


SHAPES = {
    "conv, ResNet": Shape(16, 64, 32, 64, 3, 1),
    "conv, tutorial 2": Shape(50, 32, 14, 64, 5, 2),
    "conv, tutorial 1": Shape(50, 1, 28, 32, 5, 2, inner=False),
    "conv, LeNet 1": Shape(64, 1, 28, 6, 5, 2, inner=False),
    "conv, LeNet 2": Shape(64, 6, 14, 16, 5),
    "conv": Shape(16, 64, 32, 64, 3, 1, stride=2),
    "conv, 1 x 1": Shape(16, 64, 32, 64, 1),
    "conv, depthwise": Shape(16, 64, 32, 64, 3, 1, groups=64),
}


def ours(shape: Shape, numba: bool = True) -> Callable[[], Any]:
    x, w, b, g = shape.arrays()
    leaves = [ag.tensor(v, requires_grad=True) for v in (w, b)]
    image = ag.tensor(x, requires_grad=shape.inner)

    def run() -> Any:
        for leaf in (image, *leaves):
            leaf.grad = None
        nn.functional.conv2d(image, *leaves, shape.stride, shape.padding, 1, shape.groups).backward(g)
        return leaves[0].grad

    def without() -> Any:
        with kernels.using(numba=False):
            return run()

    return run if numba else without


def with_torch(shape: Shape) -> Callable[[], Any]:
    import torch

    x, w, b, g = map(torch.tensor, shape.arrays())
    leaves = [w.requires_grad_(), b.requires_grad_()]
    x.requires_grad_(shape.inner)

    def run() -> Any:
        for leaf in (x, *leaves):
            leaf.grad = None
        torch.nn.functional.conv2d(x, *leaves, shape.stride, shape.padding, 1, shape.groups).backward(g)
        return leaves[0].grad

    return run


def rows() -> Iterator[Row]:
    for name, shape in SHAPES.items():
        runs = build({
            "ours": lambda shape=shape: ours(shape), "NumPy": lambda shape=shape: ours(shape, False),
            "PyTorch": lambda shape=shape: with_torch(shape),
        })  # fmt: skip
        expected = runs["ours"]()
        for who, run in runs.items():
            np.testing.assert_allclose(np.asarray(run()), expected, rtol=1e-3, atol=1e-2, err_msg=who)
        race = Race(runs, seconds=2)
        targets = []
        if "PyTorch" in race.times:
            targets.append(Target(race.ratio("ours", "PyTorch"), 1.5, "{} x PyTorch"))
        yield Row.of(f"{name}: {shape}", race, "ms", targets=targets)
