"""Random programs: a compiled function does what it does eagerly, bit for bit, and leaves the same behind.

A program of arrays reads its arguments and what it closes over, takes views, writes into all of them,
leaves results in places and returns some: whatever a plan may do with memory (use it again, write in place,
leave out what is made twice or read by nobody), no program may tell. Programs of Tensors, and of gradients
of gradients, are those with which the graph itself is tested.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

from ..test_properties import SEEDS, programs
from ..test_properties import inputs as drawn_inputs
from ..test_properties import run as run_formula
from ..test_random_writes import run as run_writes
from ..test_random_writes import steps as writing_steps
from .test_operations import same

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed: nothing is drawn")
st: Any = pytest.importorskip("hypothesis.strategies")

CALLS = 6


def tried(n: int) -> Callable[[Any], Any]:
    """Run a test with the same n examples each time."""
    settings: Callable[[Any], Any] = hypothesis.settings(
        max_examples=n, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    return settings


# -- programs of arrays -------------------------------------------------------------------------------

Step = tuple[str, int, int, int]
SLICES = [slice(*s) for s in [
    (None,), (1, None), (None, -1), (None, None, -1), (0, 2), (None, None, 2), (1, 1), (2, None, -1),
]]  # fmt: skip
UNARY: list[Callable[[Any], Any]] = [
    np.sin, np.negative, np.square, np.tanh, lambda a: a * 0.5, lambda a: 1.0 - a, lambda a: a**2, abs,
    lambda a: a.astype(np.float32), lambda a: a.astype(np.float64), lambda a: a.copy(),
    lambda a: np.copy(a, "F"),
    lambda a: np.where(a > 0, a, 0.25), lambda a: (a > 0.1) * a, np.zeros_like, lambda a: +a,
    lambda a: a.clip(-1, 1),
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    np.add, np.subtract, np.multiply, np.maximum, lambda a, b: a / (2.0 + b * b),
    lambda a, b: np.where(a > b, a, b),
    lambda a, b: a * b + a * b, lambda a, b: np.sin(a) - b,
]  # fmt: skip
REDUCTIONS: list[Callable[[Any, int], Any]] = [
    lambda a, axis: a.sum(axis), lambda a, axis: np.mean(a, axis, keepdims=True),
    lambda a, axis: a.max(axis),
    lambda a, axis: a.sum(), lambda a, axis: np.std(a, axis),
    lambda a, axis: np.add.reduce(a, axis, keepdims=True),
    lambda a, axis: np.cumsum(a, axis), lambda a, axis: np.sort(a, axis),
    lambda a, axis: np.argsort(a, axis) * 0.5,
]  # fmt: skip
VIEWS = [
    "slice", "slice", "row", "reshape", "ravel", "transpose", "flip", "newaxis", "broadcast", "diagonal",
]  # fmt: skip
WRITES = [
    "set", "set", "set number", "in place", "in place", "scale in place", "out", "out", "copyto", "fill",
    "at", "shift", "sort in place", "set rows",
]  # fmt: skip
NAMES = [
    *["unary"] * 4, *["binary"] * 5, *["reduce"] * 3, *VIEWS, *WRITES, "gather", "take", "concatenate",
    "stack", "matmul", "constant", "read", "read", "leave", "leave", "again", "again", "forget", "return",
]  # fmt: skip
steps = st.lists(st.tuples(st.sampled_from(NAMES), *[st.integers(0, 999)] * 3), min_size=3, max_size=30)


def fits(a: Any, b: Any) -> bool:
    """Tell whether b broadcasts to the shape of a."""
    try:
        return bool(np.broadcast_shapes(a.shape, b.shape) == a.shape)
    except ValueError:
        return False


def run(program: list[Step], args: tuple[Any, ...], places: list[Any]) -> list[Any]:
    """Run a program, which says by numbers what it takes; what does not fit is left out, by shape alone."""
    held: list[Any] = list(args)
    returned: list[Any] = []
    for number, (name, i, j, k) in enumerate(program):
        if name == "again" and number:  # what was done before, on what is there now
            name, i, j, k = program[k % number]
        a, b = held[i % len(held)], held[j % len(held)]
        shape, axes = a.shape, len(a.shape)
        axis = k % max(1, axes)
        into = axes > 0 and a.flags.writeable and a.dtype.kind == "f" and b.dtype.kind == "f"
        match name:
            case "unary":
                held.append(UNARY[k % len(UNARY)](a))
            case "binary" if a.size * b.size <= 400 and (fits(a, b) or fits(b, a)):
                held.append(BINARY[k % len(BINARY)](a, b))
            case "reduce" if axes and a.size:
                held.append(REDUCTIONS[k // 3 % len(REDUCTIONS)](a, axis))
            case "slice" if axes:
                held.append(a[tuple(SLICES[k // 8**n % 8] for n in range(axes))])
            case "row" if axes and shape[0]:
                held.append(a[k % shape[0]])
            case "reshape" if axes:
                held.append(a.reshape((-1,) if k % 2 or not a.size else (shape[0], 1, -1)))
            case "ravel" if axes:
                held.append(np.ravel(a, "CFA"[k % 3]) if k % 4 else a.flatten())
            case "transpose":
                held.append(a.T if k % 2 else np.transpose(a))
            case "flip" if axes:
                held.append(np.flip(a, axis))
            case "newaxis" if axes < 3:
                held.append(a[None] if k % 2 else np.expand_dims(a, -1))
            case "broadcast" if 0 < axes < 3:
                held.append(np.broadcast_to(a, (2, *shape)))
            case "diagonal" if axes == 2:
                held.append(np.diagonal(a))
            case "gather" if axes and shape[0]:
                held.append(a[[k % shape[0], 0, -1]])
            case "take" if axes and a.size:
                held.append(np.take_along_axis(a, np.argsort(b, axis), axis) if b.shape == shape else a)
            case "concatenate" if axes == b.ndim > 0 and shape[1:] == b.shape[1:] and a.size + b.size < 99:
                held.append(np.concatenate([a, b, a][: 2 + k % 2]))
            case "stack" if shape == b.shape and axes < 3 and a.size < 40:
                held.append(np.stack([a, b], axis=k % (axes + 1)))
            case "matmul" if axes == 2 == b.ndim and shape[1] == b.shape[1]:
                held.append(a @ b.T if k % 2 else np.einsum("ij,kj->ik", a, b))
            case "constant":
                held.append(np.broadcast_to(np.arange(3.0), (2, 3)) if k % 2 else np.float64(0.5))  # to read
            case "read":
                held.append(places[k % len(places)])
            case "leave" if isinstance(a, np.ndarray):
                places[k % len(places)] = a
            case "set" if into and b.size:
                part = a[tuple(SLICES[k // 8**n % 8] for n in range(axes))]
                if fits(part, b):
                    a[tuple(SLICES[k // 8**n % 8] for n in range(axes))] = b
                else:
                    part[...] = 0.75
            case "set number" if into:
                a[tuple(SLICES[k // 8**n % 8] for n in range(axes))] = 0.5 + k % 3
            case "set rows" if into and shape[0]:
                a[[k % shape[0], 0]] = b[..., :1] if k % 2 and b.ndim and fits(a[:1], b[..., :1]) else 1.5
            case "in place" if fits(a, b) and into:
                held[i % len(held)] = [operator.iadd, operator.isub, operator.imul][k % 3](a, b)
            case "scale in place" if into:
                a *= 0.5
            case "out" if into and fits(a, b):
                there = places[0]
                other = there.shape == shape and there.flags.writeable and there.dtype == a.dtype and k % 2
                [np.add, np.multiply, np.maximum][k % 3](a, b, out=there if other else a)
            case "copyto" if into and fits(a, b):
                np.copyto(a, b, "same_kind")
            case "fill" if into:
                a.fill(k % 3)
            case "at" if into and shape[0]:
                np.add.at(a, [0, k % shape[0], 0], 0.5)
            case "shift" if into and shape[0] > 1:
                a[1:] = a[:-1]
            case "sort in place" if into and a.size:
                a.sort(axis)
            case "forget" if len(held) > 1:
                del held[i % len(held)]
            case "return":
                returned.append(a)
    return [*returned, *held[-2:]]


def fresh(layout: int) -> tuple[list[Any], Callable[[int], tuple[Any, ...]]]:
    """Return places that a program closes over, which share memory, and the arguments of each call."""
    rng = np.random.default_rng(layout)
    flat = rng.uniform(-1, 1, 30)
    places = [
        [flat, flat[3:15].reshape(4, 3), rng.uniform(-1, 1, (4, 3)), rng.uniform(-1, 1, 3).astype("f4")],
        [flat[6:18].reshape(4, 3), flat[0:12].reshape(3, 4).T, rng.uniform(-1, 1, (3, 3)), np.zeros((0, 3))],
        [np.asfortranarray(rng.uniform(-1, 1, (4, 3))), rng.uniform(-1, 1, 3), np.array(0.5), flat[::2]],
    ][layout % 3]

    def arguments(k: int) -> tuple[Any, ...]:
        x = np.cos(np.arange(12.0) + k).reshape(4, 3)
        y = np.sin(np.arange(3.0) * (k + 1))
        if layout % 2:
            return x, y.astype("f4"), x[1:]  # of one memory
        return x, y, np.asfortranarray(x[:3].copy())

    return places, arguments


def calls(program: list[Step], layout: int, wrapped: Callable[[Any], Any], ours: list[bool]) -> list[Any]:
    """Return all that is seen of a program in several calls: results, arguments, places; then and at last.

    ``ours`` says in which calls the first result can be written to, and is: it is its owner's, unless it
    shows memory that was there before.
    """
    places, arguments = fresh(layout)
    step = wrapped(lambda *args: run(program, args, places))
    seen: list[Any] = []
    results: list[Any] = []
    for k in range(CALLS):
        args = arguments(k)
        result = step(*args)
        seen.append([x.copy() for x in (*result, *args, *places)])
        results.append(result)
        if len(ours) == k:
            x = result[0]
            ours.append(isinstance(x, np.ndarray) and x.flags.writeable and x.dtype == float)
        if ours[k]:
            result[0] += 0.125
    assert getattr(step, "recent", True) is not None, "never replayed"
    return [seen, results]


@tried(120)
@hypothesis.given(steps, st.integers(0, 5))
def test_programs_of_arrays(program: list[Step], layout: int) -> None:
    with np.errstate(all="ignore"):
        ours: list[bool] = []
        eager = calls(program, layout, lambda f: f, ours)
        compiled = calls(program, layout, ag.compile, ours)
    for k, (a, b) in enumerate(zip(eager[0], compiled[0], strict=True)):
        assert same(a, b), f"call {k}: {b} for {a}"
    assert same(eager[1], compiled[1]), "what was returned changed afterwards"


# -- programs of Tensors ------------------------------------------------------------------------------


@tried(60)
@hypothesis.given(writing_steps, st.integers(0, SEEDS))
def test_programs_of_tensors(program: Any, seed: int) -> None:
    """A training step whose forward takes views, and writes into them."""

    def train(wrapped: Callable[[Any], Any]) -> list[Any]:
        rng = np.random.default_rng(seed)
        w = ag.tensor(rng.uniform(-0.9, 0.9, (4, 3)), requires_grad=True)

        def step(x: Any) -> Any:
            w.grad = None
            y = run_writes(program, w * x, lambda shape: ag.tensor(np.zeros(shape)))
            y.backward()
            with ag.no_grad():
                w.data -= 0.01 * np.tanh(w.grad)
            return y

        step, seen = wrapped(step), []
        for _ in range(CALLS):
            y = step(rng.uniform(0.5, 1, (4, 3)))
            seen.append([y.data.copy(), w.data.copy(), w.grad.copy()])
        return seen

    assert same(train(lambda f: f), train(ag.compile))


@tried(8)
@hypothesis.given(programs())
def test_gradients_of_gradients(program: Any) -> None:
    n = tuple(range(len(program[0])))

    def number(*xs: Any) -> Any:
        return run_formula(program, xs)

    def step(xs: Any, us: Any) -> Any:
        def along(*xs: Any) -> Any:
            return sum(np.sum(g * u) for g, u in zip(ag.grad(number, n)(*xs), us, strict=True))

        return ag.value_and_grad(number, n)(*xs), ag.hvp(number, xs, us), ag.grad(along, n)(*xs)

    compiled = ag.compile(step)
    for k in range(CALLS):
        xs, us = drawn_inputs(program, k), drawn_inputs(program, 1000 + k)
        assert same(step(xs, us), compiled(xs, us)), f"call {k}"
