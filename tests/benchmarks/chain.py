"""A chain of 100 tanh on 10 numbers, forward and backward: the engine and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd_core as ag

from .measure import Race, build
from .table import Row, Target

X = np.linspace(-1, 1, 10, dtype=np.float32)
LENGTH = 100


def chain(tanh: Any, x: Any) -> Any:
    for _ in range(LENGTH):
        x = tanh(x)
    return x.sum()


def ours() -> Callable[[], Any]:
    x = ag.tensor(X, requires_grad=True)

    def run() -> Any:
        x.grad = None
        chain(ag.tanh, x).backward()
        return x.grad

    return run


def with_torch() -> Callable[[], Any]:
    import torch

    x = torch.tensor(X, requires_grad=True)

    def run() -> Any:
        x.grad = None
        chain(torch.tanh, x).backward()
        return x.grad

    return run


def with_jax() -> Callable[[], Any]:
    import jax

    gradient = jax.jit(jax.grad(lambda x: chain(jax.numpy.tanh, x)))
    return lambda: gradient(X).block_until_ready()


def with_autograd() -> Callable[[], Any]:
    import autograd
    import autograd.numpy

    gradient = autograd.grad(lambda x: chain(autograd.numpy.tanh, x))
    return lambda: gradient(X)


def with_mygrad() -> Callable[[], Any]:
    import mygrad

    x = mygrad.tensor(X)

    def run() -> Any:
        x.null_grad()
        chain(mygrad.tanh, x).backward()
        return x.grad

    return run


def rows() -> Iterator[Row]:
    runs = build({"ours": ours, "PyTorch": with_torch, "JAX": with_jax,
                  "autograd": with_autograd, "MyGrad": with_mygrad})  # fmt: skip
    for name, run in runs.items():
        np.testing.assert_allclose(np.asarray(run()), ours()(), rtol=1e-4, err_msg=name)
    race = Race(runs)
    targets = []
    if "PyTorch" in runs:
        targets.append(Target(race.ratio("ours", "PyTorch"), 0.8, "{} x PyTorch"))
    yield Row.of(f"{LENGTH} tanh of 10 elements, with gradient", race, targets=targets)
