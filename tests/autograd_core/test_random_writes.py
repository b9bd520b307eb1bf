"""Random programs of views, writes and reads, against a naive engine.

The naive engine is NumPy's own arrays of Python objects: each element is a number that remembers the
numbers it came from, so views and writes are NumPy's, and the chain rule is a walk over scalars.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core.views import LONGEST


class Number:
    """A number, and its derivatives with respect to the numbers that made it."""

    def __init__(self, value: float, *sources: tuple[Number, float]) -> None:
        self.value, self.sources, self.grad = value, sources, 0.0

    def __add__(self, other: Any) -> Number:
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, (self, 1.0), (other, 1.0))

    def __mul__(self, other: Any) -> Number:
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, (self, other.value), (other, self.value))

    def sin(self) -> Number:  # what np.sin asks of objects
        return Number(np.sin(self.value), (self, np.cos(self.value)))

    __radd__, __rmul__ = __add__, __mul__


def gradients(y: Number, inputs: list[Number]) -> list[float]:
    order: list[Number] = []
    seen: set[int] = set()

    def visit(n: Number) -> None:
        if id(n) not in seen:
            seen.add(id(n))
            for source, _ in n.sources:
                visit(source)
            order.append(n)

    visit(y)
    for n in order:
        n.grad = 0.0
    y.grad = 1.0
    for n in reversed(order):
        for source, slope in n.sources:
            source.grad += n.grad * slope
    return [n.grad if id(n) in seen else 0.0 for n in inputs]


# -- programs --------------------------------------------------------------------------------------

Step = tuple[str, int, int, Any]
SLICES = [slice(*s) for s in [(None,), (1, None), (None, -1), (None, None, -1), (0, 2), (None, None, 2)]]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["slice", "slice", "row", "reshape", "transpose", "flip", "gather", "compute", "constant",
             "plus", "set", "set", "set", "set number", "fancy set", "mask set", "add", "multiply", "drop"]
        ),
        st.integers(0, 99), st.integers(0, 99), st.integers(0, 99),
    ),
    min_size=2, max_size=14,
)  # fmt: skip


def run(program: list[Step], x: Any, zeros: Callable[[tuple[int, ...]], Any]) -> Any:
    """Run a program on an array of two axes: the same text for every engine."""
    held: list[Any] = [x * 1.0]
    outputs: list[Any] = []
    for name, i, j, k in program:
        a, b = held[i % len(held)], held[j % len(held)]
        shape = a.shape
        index = tuple(SLICES[(k // 6**axis) % 6] for axis in range(len(shape)))
        match name:
            case "slice":
                held.append(a[index])
            case "row" if len(shape) > 1 and shape[0]:
                held.append(a[k % shape[0]])
            case "reshape":
                held.append(a.reshape((-1,)) if k % 2 else a.reshape((*shape, 1)))
            case "transpose":
                held.append(a.T)
            case "flip":
                held.append(np.flip(a, axis=0))
            case "gather" if shape[0]:
                held.append(a[[k % shape[0], 0, -1]])
            case "compute":
                held.append(np.sin(a) + a * 0.5)
            case "plus" if a.shape == b.shape:
                held.append(a + b)
            case "constant":
                held.append(zeros((3, 2)))
            case "set" | "add" | "multiply":
                target = a[index] if name != "set" and k % 3 == 0 else a
                at = index if target is a else ...
                part = target[at]
                value = np.sin(b) if k % 2 else b
                if value.size == 0 or part.ndim == 0:
                    continue
                value = value.reshape((-1,))[: part.shape[-1]] if part.ndim else value.reshape((-1,))[0]
                if value.shape[0] not in (1, part.shape[-1]):
                    value = value[:1]
                if value.shape[0] == 0:
                    continue
                if name == "set":
                    a[index] = value
                elif name == "add":
                    operator.iadd(target, value if target.shape[-1:] == value.shape else value[:1])
                else:
                    operator.imul(target, value if target.shape[-1:] == value.shape else value[:1])
            case "set number":
                a[index] = zeros((1,)) + 0.25
            case "fancy set" if shape[0] and b.size:
                a[[k % shape[0], 0, k % shape[0]]] = b.reshape((-1,))[:1]
            case "mask set" if shape[0] and b.size:
                mask = np.arange(shape[0]) % 2 == k % 2
                a[mask] = b.reshape((-1,))[:1] * 2.0
            case "drop" if len(held) > 1:
                outputs.append(a.sum() * float(1 + k % 3))
                del held[i % len(held)], a, b
    for n, a in enumerate(held):
        outputs.append((a * float(1 + n)).sum())
    total = outputs[0]
    for y in outputs[1:]:
        total = total + y
    return total


def naive(program: list[Step], x: np.ndarray) -> tuple[float, np.ndarray]:
    numbers = np.array([Number(v) for v in x.ravel()], dtype=object).reshape(x.shape)

    def zeros(shape: tuple[int, ...]) -> Any:
        out = np.empty(shape, object)
        for index in np.ndindex(shape):
            out[index] = Number(0.0)
        return out

    y = run(program, numbers, zeros) + Number(0.0)
    return y.value, np.array(gradients(y, list(numbers.ravel()))).reshape(x.shape)


quiet = settings(
    deadline=None, derandomize=True, max_examples=400, suppress_health_check=[HealthCheck.too_slow]
)
LARGE = np.random.default_rng(0).uniform(-0.9, 0.9, (25, 3))  # no node keeps so much for pictures
X = LARGE[:4].copy()


@quiet
@given(steps, st.sampled_from([X, LARGE]))
def test_views_writes_and_reads(program: list[Step], X: np.ndarray) -> None:
    value, gradient = naive(program, X)

    def zeros(shape: tuple[int, ...]) -> Any:
        return ag.tensor(np.zeros(shape))

    x = ag.tensor(X, requires_grad=True)
    y = run(program, x, zeros)
    scale = max(1.0, np.abs(gradient).max())
    np.testing.assert_allclose(y.item(), value, rtol=1e-9, atol=1e-12)
    y.backward()
    np.testing.assert_allclose(x.grad, gradient, atol=1e-9 * scale)
    # and read by the other readers: forward mode, gradients that are themselves recorded
    direction = np.cos(np.arange(X.size)).reshape(X.shape)
    _, tangent = ag.jvp(lambda x: run(program, x, zeros), (X,), (direction,))
    np.testing.assert_allclose(tangent, (gradient * direction).sum(), rtol=1e-7, atol=1e-9 * scale)
    x.grad = None
    run(program, x, zeros).backward(create_graph=True)
    np.testing.assert_allclose(x.grad.numpy(), gradient, atol=1e-9 * scale)


@settings(quiet, max_examples=60)
@given(steps)
def test_second_derivatives_through_writes(program: list[Step]) -> None:
    def f(x: Any) -> Any:
        return run(program, x, lambda shape: ag.tensor(np.zeros(shape)))

    direction = np.cos(np.arange(12.0)).reshape(4, 3)
    step = 1e-5
    ahead, behind = naive(program, X + step * direction)[1], naive(program, X - step * direction)[1]
    expected = (ahead - behind) / (2 * step)
    tolerance = 1e-6 * max(1.0, np.abs(expected).max(), np.abs(ahead).max())
    np.testing.assert_allclose(ag.hvp(f, (X,), (direction,)), expected, atol=tolerance)


@settings(quiet, max_examples=100)
@given(steps)
def test_values_without_recording_are_numpys(program: list[Step]) -> None:
    expected = run(program, X.copy(), np.zeros)
    with ag.no_grad():
        got = run(program, ag.tensor(X), lambda shape: ag.tensor(np.zeros(shape)))
    np.testing.assert_array_equal(got.numpy(), expected)


def test_the_programs_write_and_view() -> None:
    """The generator would be worthless if most of its steps did nothing."""
    counts: dict[str, int] = {}

    @settings(quiet, max_examples=50)
    @given(steps)
    def count(program: list[Step]) -> None:
        for name, *_ in program:
            counts[name] = counts.get(name, 0) + 1

    count()
    assert counts["set"] > 20
    assert counts["slice"] > 20


@pytest.mark.parametrize("size", [3, 200])
def test_a_chain_of_many_views_ends_in_the_whole(size: int) -> None:
    x = ag.tensor(np.arange(float(size * 2)).reshape(size, 2))
    v = x
    for _ in range(100):
        v = v.T
        v = v[::-1]
    v[0] = -1.0
    assert len(v.extras["view"][1]) <= LONGEST  # or a loop of x = x.T would never stop growing
    expected = np.arange(float(size * 2)).reshape(size, 2)
    w = expected
    for _ in range(100):
        w = w.T[::-1]
    w[0] = -1.0
    np.testing.assert_array_equal(x.numpy(), expected)
    np.testing.assert_array_equal(v.numpy(), w)


@pytest.mark.parametrize("reader", ["recorded", "constant", "dual"])
def test_the_memory_layout_decides_what_a_reshape_shows(reader: str) -> None:
    def f(x: Any) -> Any:
        y = x.T * 1.0  # columns lie together, so that only the transpose has a flat view
        held = y[0]
        y[0, 0] = x[0, 0]  # copies, for the row is held
        flat, other = y.T.reshape((-1,)), y.reshape((-1,))
        flat[1], other[2] = 10.0, 20.0
        return y + 0.0 * held[0] + 0.0 * other[0]

    expected = f(X)
    if reader == "dual":
        got, _ = ag.jvp(f, (X,), (X,))
    else:
        got = f(ag.tensor(X, requires_grad=reader == "recorded")).numpy()
    np.testing.assert_array_equal(got, expected)
