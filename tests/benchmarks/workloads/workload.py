"""What a workload is: who runs it, what it should cost, and what all must agree on.

A contestant is built from the same first values as all others, and is then a function without arguments: one
whole step. What it returns, a loss or gradients, is compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import autograd_core as ag

EAGER, COMPILED, TORCH, TORCH_COMPILE, JAX = "eager", "compiled", "PyTorch", "torch.compile", "JAX jit"
NUMPY, MYGRAD, HIPS = "NumPy", "MyGrad", "HIPS"
CONTESTANTS = (EAGER, COMPILED, TORCH, TORCH_COMPILE, JAX, NUMPY, MYGRAD, HIPS)
YARDSTICKS = (TORCH, JAX)  # ours is divided by the better of these

Step = Callable[[], Any]
Wrap = Callable[[Any], Any]


class NotTaken(Exception):
    """A contestant that does not take part in a workload, and why."""


@dataclass(frozen=True)
class Workload:
    """One row of the table."""

    title: str
    builders: Mapping[str, Callable[[], Step]]
    flops: int = 0  # of the matrix products of one step
    target: float | None = None  # the most that ours may be, in units of the better yardstick
    small: Callable[[], Workload] | None = field(default=None, repr=False)  # the same on hardly any data
    rtol: float = 1e-3  # how far results may be apart, in units of the largest number in them


def of_ours(make: Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]) -> dict[str, Callable[[], Step]]:
    """Return the builders of our two contestants; ``make`` gives a step and its arguments."""

    def eager() -> Step:
        step, args = make()
        return partial(step, *args)

    def compiled() -> Step:
        compiler = getattr(ag, "compile", None)
        if not callable(compiler):
            raise NotTaken("this version has no ag.compile")
        step, args = make()
        return partial(compiler(step), *args)

    return {EAGER: eager, COMPILED: compiled}


def of_torch(make: Callable[[Wrap], Step]) -> dict[str, Callable[[], Step]]:
    """Return the builders of PyTorch's two; ``make`` hands what is to be compiled to its argument."""

    def eager() -> Step:
        return make(lambda f: f)

    def compiled() -> Step:
        import torch

        return make(partial(torch.compile, dynamic=False))

    return {TORCH: eager, TORCH_COMPILE: compiled}


def numbers(result: Any) -> Any:
    """Return what a step returned as one flat array of float64."""
    if isinstance(result, dict):
        result = [result[name] for name in sorted(result)]
    if isinstance(result, (list, tuple)):
        return np.concatenate([numbers(part) for part in result])
    if hasattr(result, "detach"):
        result = result.detach().numpy()
    return np.asarray(result, np.float64).ravel()


def products(*shapes: tuple[int, int, int, int]) -> int:
    """Return the operations of matrix products of (rows, inner, columns), each so many times.

    >>> products((2, 3, 4, 1))
    48
    """
    return sum(2 * m * k * n * times for m, k, n, times in shapes)
