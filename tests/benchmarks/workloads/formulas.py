"""Derivatives of plain functions: of a formula, a Hessian-vector product, a long recurrence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autograd_core as ag

from .network import cross_entropy
from .workload import (
    JAX,
    TORCH_COMPILE,
    NotTaken,
    Step,
    Workload,
    Wrap,
    of_ours,
    of_torch,
    products,
)

# -- the gradient of sum(tanh(x) exp(-x^2) + log1p(x^2)): memory traffic ---------------------------


def formula(lib: Any, x: Any) -> Any:
    s = x * x
    return (lib.tanh(x) * lib.exp(-s) + lib.log1p(s)).sum()


def elementwise(size: int = 1_000_000) -> Workload:
    values = np.random.default_rng(0).standard_normal(size, dtype=np.float32)

    def ours() -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return ag.grad(partial(formula, ag)), (values,)

    def with_torch(wrap: Wrap) -> Step:
        import torch

        x, f = torch.tensor(values, requires_grad=True), wrap(partial(formula, torch))
        return lambda: torch.autograd.grad(f(x), x)[0]

    def with_jax() -> Step:
        import jax

        gradient, x = jax.jit(jax.grad(partial(formula, jax.numpy))), jax.numpy.asarray(values)
        return lambda: gradient(x).block_until_ready()

    return Workload(f"gradient of a formula, {size:,} elements",
                    {**of_ours(ours), **of_torch(with_torch), JAX: with_jax}, target=2.0,
                    small=partial(elementwise, 10), rtol=1e-4)  # fmt: skip


# -- the Hessian of a network's loss, times a vector -----------------------------------------------


def hessian_vector(batch: int = 128, sizes: tuple[int, ...] = (784, 128, 10)) -> Workload:
    rng = np.random.default_rng(0)
    x, labels = rng.random((batch, sizes[0]), dtype=np.float32), rng.integers(sizes[-1], size=batch)
    shapes = [(sizes[1], sizes[0]), (sizes[1],), (sizes[2], sizes[1]), (sizes[2],)]
    scales = [np.float32(shape[-1] ** -0.5) for shape in shapes]
    weights, vector = (
        [rng.standard_normal(s, dtype=np.float32) * scale for s, scale in zip(shapes, scales, strict=True)]
        for _ in range(2)
    )

    def loss_of(tanh: Any, loss: Any, x: Any, labels: Any, *p: Any) -> Any:
        return loss(tanh(x @ p[0].T + p[1]) @ p[2].T + p[3], labels)

    def ours() -> tuple[Callable[..., Any], tuple[Any, ...]]:
        from autograd_core import nn

        f = partial(loss_of, ag.tanh, nn.functional.cross_entropy, x, labels)
        return (lambda p, v: ag.hvp(f, p, v)), (tuple(weights), tuple(vector))

    def with_torch(wrap: Wrap) -> Step:
        import torch

        p = [torch.tensor(w, requires_grad=True) for w in weights]
        v, data = [torch.tensor(w) for w in vector], (torch.tensor(x), torch.tensor(labels))
        f = wrap(partial(loss_of, torch.tanh, torch.nn.functional.cross_entropy))

        def step() -> Any:
            grads = torch.autograd.grad(f(*data, *p), p, create_graph=True)
            return torch.autograd.grad(grads, p, v)

        return step

    def with_jax() -> Step:
        import jax

        f = partial(loss_of, jax.numpy.tanh, cross_entropy, *map(jax.numpy.asarray, (x, labels)))
        gradient = jax.grad(f, argnums=(0, 1, 2, 3))
        product = jax.jit(lambda p, v: jax.jvp(gradient, p, v)[1])
        p, v = (tuple(map(jax.numpy.asarray, arrays)) for arrays in (weights, vector))
        return lambda: jax.block_until_ready(product(p, v))  # type: ignore[no-untyped-call]

    # The least that gives it: what has a tangent has two further products, the images have none.
    flops = products((batch, sizes[0], sizes[1], 3), (batch, sizes[1], sizes[2], 8))
    builders = {**of_ours(ours), **of_torch(with_torch), JAX: with_jax}
    name = f"Hessian-vector product, MLP {'-'.join(map(str, sizes))}, batch {batch}"
    return Workload(name, builders, flops, small=partial(hessian_vector, 2), rtol=1e-4)  # fmt: skip


# -- ten thousand steps of x <- x + h (a x - x^3), differentiated in a and x0: what one operation costs

H = 1e-3


def derivative(a: Any, x: Any) -> Any:
    return a * x - x * x * x


def recurrence(steps: int = 10_000) -> Workload:
    start = np.float32(0.5), np.float32(0.1)

    def end(a: Any, x: Any) -> Any:
        for _ in range(steps):
            x = x + H * derivative(a, x)
        return x

    def ours() -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return ag.grad(end, (0, 1)), tuple(map(np.asarray, start))

    def with_torch(wrap: Wrap) -> Step:
        import torch

        a, x = (torch.tensor(v, requires_grad=True) for v in start)
        f = wrap(end)
        return lambda: torch.autograd.grad(f(a, x), (a, x))

    def with_jax() -> Step:
        import jax

        def scanned(a: Any, x: Any) -> Any:
            return jax.lax.scan(lambda x, _: (x + H * derivative(a, x), None), x, length=steps)[0]

        gradient = jax.jit(jax.grad(scanned, (0, 1)))
        a, x = map(jax.numpy.asarray, start)
        return lambda: jax.block_until_ready(gradient(a, x))  # type: ignore[no-untyped-call]

    def not_taken() -> Step:
        raise NotTaken(f"it would unroll {steps:,} steps")

    builders = {**of_ours(ours), **of_torch(with_torch), TORCH_COMPILE: not_taken, JAX: with_jax}
    name = f"gradient of a scalar recurrence, {steps:,} steps"
    return Workload(name, builders, small=partial(recurrence, 10))
