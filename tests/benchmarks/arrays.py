"""The gradient of sum(tanh(x) exp(-x^2) + log1p(x^2)) for a million numbers: memory traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd_core as ag

from .measure import Race, build
from .table import Row

X = np.random.default_rng(0).standard_normal(1_000_000, dtype=np.float32)


def f(lib: Any, x: Any) -> Any:
    s = x * x
    return (lib.tanh(x) * lib.exp(-s) + lib.log1p(s)).sum()


def ours() -> Callable[[], Any]:
    x = ag.tensor(X, requires_grad=True)

    def run() -> Any:
        x.grad = None
        f(ag, x).backward()
        return x.grad

    return run


def with_torch() -> Callable[[], Any]:
    import torch

    x = torch.tensor(X, requires_grad=True)

    def run() -> Any:
        x.grad = None
        f(torch, x).backward()
        return x.grad

    return run


def with_jax() -> Callable[[], Any]:
    import jax

    gradient, x = jax.jit(jax.grad(lambda x: f(jax.numpy, x))), jax.numpy.asarray(X)
    return lambda: gradient(x).block_until_ready()


def with_autograd() -> Callable[[], Any]:
    import autograd
    import autograd.numpy

    gradient = autograd.grad(lambda x: f(autograd.numpy, x))
    return lambda: gradient(X)


def rows() -> Iterator[Row]:
    runs = build({"ours": ours, "PyTorch": with_torch, "JAX": with_jax, "autograd": with_autograd})
    expected = runs["ours"]()
    for name, run in runs.items():
        np.testing.assert_allclose(np.asarray(run()), expected, rtol=1e-3, atol=1e-5, err_msg=name)
    yield Row.of("gradient of a formula, 1,000,000 elements", Race(runs), "ms")
