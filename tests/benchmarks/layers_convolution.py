"""Convolutions forward and backward, as one layer; under NumPy: ours with the NumPy kernels alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd_core import kernels

from .layers import Step, both, row
from .table import Row


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


def step(shape: Shape, nn: Any, leaf: Any, data: Any) -> Step:
    x, w, b, g = shape.arrays()
    inputs = [leaf(x) if shape.inner else data(x), leaf(w), leaf(b)]
    gradient, how = data(g), (shape.stride, shape.padding, 1, shape.groups)

    def run() -> Any:
        for leaf in inputs[not shape.inner :]:
            leaf.grad = None
        nn.functional.conv2d(*inputs, *how).backward(gradient)
        return inputs[1].grad

    return run


def without_numba(build: Callable[[], Step]) -> Step:
    run = build()

    def call() -> Any:
        with kernels.using(numba=False):
            return run()

    return call


def rows() -> Iterator[Row]:
    for name, shape in SHAPES.items():
        who = both(partial(step, shape))
        yield row(f"{name}: {shape}", {**who, "NumPy": partial(without_numba, who["ours"])}, 1.5)
