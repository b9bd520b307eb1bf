"""The gradients of operations that every program is made of, at three sizes of array.

Each row calls one operation and carries a given gradient of its output back to the inputs: to
``.grad`` of leaves, ours and PyTorch's, and through ``make_vjp`` for autograd. A gradient belongs to
its owner alone in the first two; so where autograd returns the memory that it was given, its
contender copies that. The last row reads the rows of an array one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp, log
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag

from .measure import Race, build
from .table import Row, Target

Function = Callable[..., Any]
SIDES = (10, 100, 1000)  # of square matrices
STEPS, WIDTH = 10_000, 10  # rows that are read one by one, and their length


class Operation(NamedTuple):
    """A function of ``inputs`` matrices, and what its library calls it where that differs."""

    inputs: int
    ours: Function  # of NumPy's names, at first ``lib``, and the matrices
    torch: Function | None = None
    autograd: Function | None = None


def softmax_of_autograd(lib: Any, x: Any) -> Any:
    return lib.exp(x - logsumexp_of_autograd(lib, x, keepdims=True))


def logsumexp_of_autograd(lib: Any, x: Any, keepdims: bool = False) -> Any:
    from autograd.scipy.special import logsumexp

    return logsumexp(x, axis=-1, keepdims=keepdims)


def operations(side: int) -> dict[str, Operation]:
    """Return the operations on matrices of so many rows and columns."""
    draw = np.random.default_rng(side)
    rows = draw.integers(0, side, side)
    mask = draw.random((side, side)) < 0.5
    return {
        "a + b": Operation(2, lambda lib, a, b: a + b),
        "a * b": Operation(2, lambda lib, a, b: a * b),
        "a @ b": Operation(2, lambda lib, a, b: a @ b),
        "einsum('ij,jk->ik', a, b)": Operation(2, lambda lib, a, b: lib.einsum("ij,jk->ik", a, b)),
        "sum(x)": Operation(1, lambda lib, x: lib.sum(x)),
        "softmax(x, axis=-1)": Operation(
            1, lambda lib, x: lib.softmax(x, axis=-1),
            lambda lib, x: lib.softmax(x, dim=-1), softmax_of_autograd),
        "logsumexp(x, axis=-1)": Operation(
            1, lambda lib, x: lib.logsumexp(x, axis=-1),
            lambda lib, x: lib.logsumexp(x, dim=-1), logsumexp_of_autograd),
        "var(x, axis=-1)": Operation(
            1, lambda lib, x: lib.var(x, axis=-1), lambda lib, x: lib.var(x, dim=-1, correction=0)),
        "cumsum(x, axis=-1)": Operation(
            1, lambda lib, x: lib.cumsum(x, axis=-1), lambda lib, x: lib.cumsum(x, dim=-1)),
        "x[1:-1]": Operation(1, lambda lib, x: x[1:-1]),
        "x[rows], integers with repeats": Operation(
            1, lambda lib, x: x[rows], with_tensor(rows, lambda lib, x, rows: x[rows])),
        "concatenate((a, b))": Operation(2, lambda lib, a, b: lib.concatenate((a, b))),
        "where(mask, a, b)": Operation(
            2, lambda lib, a, b: lib.where(mask, a, b),
            with_tensor(mask, lambda lib, a, b, mask: lib.where(mask, a, b))),
    }  # fmt: skip


def with_tensor(array: Any, function: Function) -> Function:
    """Return the function with a constant given to it last, as PyTorch's tensor, made once."""
    made: list[Any] = []

    def call(lib: Any, *arrays: Any) -> Any:
        if not made:
            made.append(lib.from_numpy(array))
        return function(lib, *arrays, made[0])

    return call


def ours(function: Function, arrays: list[Any], gradient: Any) -> Function:
    leaves = [ag.tensor(a, requires_grad=True) for a in arrays]

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        function(ag, *leaves).backward(gradient)
        return [leaf.grad for leaf in leaves]

    return run


def with_torch(function: Function, arrays: list[Any], gradient: Any) -> Function:
    import torch

    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    gradient = torch.tensor(gradient)

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        function(torch, *leaves).backward(gradient)
        return [leaf.grad for leaf in leaves]

    return run


def with_autograd(function: Function, arrays: list[Any], gradient: Any) -> Function:
    import autograd.numpy
    from autograd import make_vjp

    many = len(arrays) > 1
    pull = make_vjp(lambda *a: function(autograd.numpy, *a), tuple(range(len(arrays))) if many else 0)

    def run() -> Any:
        found = pull(*arrays)[0](gradient)
        return found if many else (found,)

    first = run()
    seen = [gradient], [gradient, first[0]]
    shared = [any(np.may_share_memory(g, s) for s in before)
              for g, before in zip(first, seen, strict=False)]  # fmt: skip
    if not any(shared):
        return run
    return lambda: [np.copy(g) if s else g for g, s in zip(run(), shared, strict=True)]


def race(operation: Operation, arrays: list[Any], **known: Any) -> Race:
    """Let the libraries that are there compete, once they have agreed on the gradients."""
    y = operation.ours(ag, *map(ag.tensor, arrays))
    gradient = np.asarray(np.random.default_rng(1).standard_normal(y.shape), np.float32)
    runs = build({
        "ours": lambda: ours(operation.ours, arrays, gradient),
        "PyTorch": lambda: with_torch(operation.torch or operation.ours, arrays, gradient),
        "autograd": lambda: with_autograd(operation.autograd or operation.ours, arrays, gradient),
    })  # fmt: skip
    expected = runs["ours"]()
    for name, run in runs.items():
        for g, e in zip(run(), expected, strict=True):
            np.testing.assert_allclose(np.asarray(g), e, rtol=1e-3, atol=1e-3, err_msg=name)
    return Race(runs, **known)


def steps(lib: Any, x: Any) -> Any:
    total = 0.0
    for t in range(STEPS):
        total = total + x[t] ** 2
    return total


def rows() -> Iterator[Row]:
    """Compare with autograd in every row, and with PyTorch in all rows together."""
    logs: dict[str, list[float]] = {"PyTorch": [], "autograd": []}

    def row(name: str, unit: str, run: Race) -> Row:
        ratios = {peer: run.ratio("ours", peer) for peer in logs if peer in run.times}
        for peer, ratio in ratios.items():
            logs[peer].append(log(ratio))
        targets = [Target(ratios["autograd"], 1.0, "{} x autograd")] if "autograd" in ratios else []
        return Row.of(name, run, unit, targets=targets)

    for side in SIDES:
        x, w = np.random.default_rng(0).standard_normal((2, side, side), np.float32)
        for name, operation in operations(side).items():
            run = race(operation, [x, w][: operation.inputs], seconds=1.0)
            yield row(f"{name}, {side} x {side}", "us" if side < 1000 else "ms", run)
    x = np.random.default_rng(0).standard_normal((STEPS, WIDTH), np.float32)
    run = race(Operation(1, steps), [x], seconds=1.0, rounds=3)
    yield row(f"total += x[t]**2, {STEPS:,} rows of {WIDTH}", "ms", run)
    means = {peer: exp(fmean(values)) for peer, values in logs.items() if values}
    targets = [Target(means["PyTorch"], 1.0, "{} x PyTorch")] if "PyTorch" in means else []
    if means:
        yield Row("geometric mean, ours over theirs", "x", means, targets)
