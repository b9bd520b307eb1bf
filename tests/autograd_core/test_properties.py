"""What holds for every shape and for every composition, tried on shapes and programs that are drawn.

A program is a list of steps; each takes earlier results, so that results are used again and the graph
is not a tree. Every function maps numbers of moderate size to numbers of moderate size, far from its
kinks or without any, so any composition of them stays inside its domain.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck.strategies import standard_normal

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed: nothing is drawn")
st: Any = pytest.importorskip("hypothesis.strategies")
shapes_of: Any = pytest.importorskip("hypothesis.extra.numpy")

SEEDS = 2**16


def tried(n: int) -> Callable[[Any], Any]:
    """Run a test with the same n examples each time."""
    settings: Callable[[Any], Any] = hypothesis.settings(
        max_examples=n, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    return settings


def draw(shape: tuple[int, ...], seed: int, dtype: str = "f8", layout: str = "C") -> Any:
    return np.asarray(standard_normal(shape, seed, dtype, layout))


# -- one operation, any shapes ---------------------------------------------------------------------


def _positive(x: Any) -> Any:
    return 0.5 + np.abs(x)


def _inside(x: Any) -> Any:
    return 0.9 * np.tanh(x)


def _as_is(x: Any) -> Any:
    return x


def _away(x: Any) -> Any:
    """Keep from 0, and from the whole numbers."""
    return np.floor(3 * x) + 0.25 + 0.5 / (1 + np.exp(-x))


UNARY: list[tuple[Any, Any]] = [  # NumPy's function and where its inputs lie
    (np.sin, _as_is), (np.cos, _as_is), (np.tanh, _as_is), (np.exp, _inside), (np.expm1, _inside),
    (np.log, _positive), (np.log1p, _positive), (np.sqrt, _positive), (np.cbrt, _positive),
    (np.arcsin, _inside), (np.arctanh, _inside), (np.arctan, _as_is), (np.arcsinh, _as_is),
    (np.square, _as_is), (np.reciprocal, _positive), (np.negative, _as_is), (np.abs, _away),
    (np.sinh, _inside), (np.cosh, _inside), (np.exp2, _inside), (np.degrees, _as_is), (np.sinc, _away),
]  # fmt: skip
BINARY: list[tuple[Any, Any, Any]] = [
    (np.add, _as_is, _as_is), (np.subtract, _as_is, _as_is), (np.multiply, _as_is, _as_is),
    (np.divide, _as_is, _positive), (np.power, _positive, _inside), (np.hypot, _positive, _as_is),
    (np.arctan2, _positive, _as_is), (np.logaddexp, _as_is, _as_is), (np.copysign, _away, _away),
    (np.maximum, _as_is, _as_is), (np.minimum, _as_is, _as_is), (np.fmod, _away, _positive),
]  # fmt: skip
REDUCTIONS: list[Any] = [np.sum, np.mean, np.prod, np.max, np.min, np.var, ag.logsumexp, np.ptp, np.median]


def agrees(f: Callable[..., Any], *xs: Any) -> None:
    """Compare with differences, in both modes; the gradients have the shapes and dtypes of the inputs."""
    found = ag.grad(lambda *t: ag.sum(f(*t)), tuple(range(len(xs))))(*xs)
    for g, x in zip(found, xs, strict=True):
        assert np.shape(g) == np.shape(x)
        assert g.dtype == x.dtype
    ag.check_gradients(f, *xs)


def apart(x: Any) -> Any:
    """Return the numbers of x moved apart, so that no order is close to changing."""
    ranks = np.argsort(np.argsort(x, axis=None)).reshape(x.shape)
    return np.asarray(0.3 * (ranks - 0.4 * x.size) + 0.05 * np.tanh(x))


@tried(200)
@hypothesis.given(
    st.sampled_from(BINARY),
    shapes_of.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
    st.integers(0, SEEDS), st.sampled_from(["C", "F", "reversed", "step"]),
)  # fmt: skip
def test_binary(entry: Any, shapes: Any, seed: int, layout: str) -> None:
    f, left, right = entry
    a, b = (draw(s, seed + i, layout=layout) for i, s in enumerate(shapes.input_shapes))
    a, b = np.asarray(left(a)), np.asarray(right(b))
    if f in (np.maximum, np.minimum, np.fmod):
        hypothesis.assume(np.all(np.abs(a - b) > 1e-3))
    if f is np.fmod:
        hypothesis.assume(np.all(np.abs(a / b - np.round(a / b)) > 1e-3))
    t = ag.tensor(a, requires_grad=True)
    y = f(t, b)
    np.testing.assert_array_equal(y.detach().data, f(t.data, b))
    assert y.shape == shapes.result_shape
    agrees(f, a, b)


@tried(150)
@hypothesis.given(
    st.sampled_from(UNARY), shapes_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    st.integers(0, SEEDS), st.sampled_from(["C", "F", "reversed", "step"]),
)  # fmt: skip
def test_unary(entry: Any, shape: tuple[int, ...], seed: int, layout: str) -> None:
    f, domain = entry
    x = np.asarray(domain(draw(shape, seed, layout=layout)))
    t = ag.tensor(x, requires_grad=True)  # of its data, because NumPy rounds otherwise in another layout
    np.testing.assert_array_equal(f(t).detach().data, f(t.data))
    agrees(f, x)


@tried(150)
@hypothesis.given(st.data())
def test_reductions(data: Any) -> None:
    f = data.draw(st.sampled_from(REDUCTIONS))
    shape = data.draw(shapes_of.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = data.draw(st.none() | shapes_of.valid_tuple_axes(len(shape), min_size=1))
    keepdims = data.draw(st.booleans())
    x = apart(draw(shape, data.draw(st.integers(0, SEEDS))))

    def call(t: Any) -> Any:
        return f(t, axis=axis, keepdims=keepdims)

    y = call(ag.tensor(x, requires_grad=True))
    expected = np.logaddexp.reduce(x, axis=axis, keepdims=keepdims) if f is ag.logsumexp and (
        axis is not None and len(axis) == 1) else call(x)  # fmt: skip
    np.testing.assert_allclose(y.detach().data, expected, rtol=1e-14)
    assert y.shape == expected.shape
    agrees(call, x)


@tried(40)
@hypothesis.given(
    st.sampled_from(BINARY), st.sampled_from(["f4", "f8"]), st.sampled_from(["f4", "f8"]),
    shapes_of.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
)  # fmt: skip
def test_dtypes(entry: Any, left: str, right: str, shapes: Any) -> None:
    f, *domains = entry
    a, b = (np.asarray(d(draw(s, 3)), t) for d, s, t in zip(
        domains, shapes.input_shapes, (left, right), strict=True))  # fmt: skip
    ts = [ag.tensor(x, requires_grad=True, dtype=x.dtype) for x in (a, b)]
    y = f(*ts)
    assert y.dtype == f(a, b).dtype
    y.backward(np.ones(y.shape, y.dtype))
    for t, x in zip(ts, (a, b), strict=True):
        assert (t.grad.shape, t.grad.dtype) == (x.shape, x.dtype)


# -- programs --------------------------------------------------------------------------------------


class Step(NamedTuple):
    """One operation: its name, the numbers of the results it takes, and its metadata."""

    name: str
    takes: tuple[int, ...]
    params: tuple[Any, ...] = ()


Program = tuple[list[tuple[int, ...]], list[Step], int]
NAMES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    # in NumPy's words, and in PyTorch's; the numbers stay below some 3
    "sin": (np.sin, lambda torch, x: torch.sin(x)),
    "tanh": (np.tanh, lambda torch, x: torch.tanh(x)),
    "exp of tanh": (lambda x: np.exp(np.tanh(x)), lambda torch, x: torch.exp(torch.tanh(x))),
    "log": (lambda x: np.log(1.5 + x * x), lambda torch, x: torch.log(1.5 + x * x)),
    "sqrt": (lambda x: np.sqrt(1 + np.square(np.sin(x))), lambda torch, x: (1 + torch.sin(x) ** 2).sqrt()),
    "sigmoid": (ag.sigmoid, lambda torch, x: torch.sigmoid(x)),
    "add": (np.add, lambda torch, a, b: a + b),
    "subtract": (np.subtract, lambda torch, a, b: a - b),
    "multiply": (lambda a, b: np.sin(a) * b, lambda torch, a, b: torch.sin(a) * b),
    "divide": (lambda a, b: a / (1.5 + np.cos(b)), lambda torch, a, b: a / (1.5 + torch.cos(b))),
    "matmul": (lambda a, b: np.tanh(a @ b), lambda torch, a, b: torch.tanh(a @ b)),
    "sum": (lambda x, axis, keep: np.sin(np.sum(x, axis=axis, keepdims=keep)),
            lambda torch, x, axis, keep: torch.sin(torch.sum(x, axis, keepdim=keep))),
    "mean": (lambda x, axis, keep: np.mean(x, axis=axis, keepdims=keep),
             lambda torch, x, axis, keep: torch.mean(x, axis, keepdim=keep)),
    "logsumexp": (lambda x, axis, keep: ag.logsumexp(x, axis=axis, keepdims=keep) / 2,
                  lambda torch, x, axis, keep: torch.logsumexp(x, axis, keepdim=keep) / 2),
    "softmax": (lambda x, axis: ag.softmax(x, axis=axis), lambda torch, x, axis: torch.softmax(x, axis)),
    "reshape": (lambda x, shape: np.reshape(x, shape), lambda torch, x, shape: x.reshape(shape)),
    "transpose": (lambda x, axes: np.transpose(x, axes), lambda torch, x, axes: x.permute(axes)),
    "getitem": (lambda x, index: x[index], lambda torch, x, index: x[index]),
    "concatenate": (lambda a, b, axis: np.concatenate([a, b], axis=axis),
                    lambda torch, a, b, axis: torch.cat([a, b], axis)),
    "where": (lambda a, b, c: np.where(c, a, b), lambda torch, a, b, c: torch.where(torch.tensor(c), a, b)),
    "max": (lambda x, axis: np.max(np.sin(x) + spread(x.shape, axis), axis=axis) / 4,
            lambda torch, x, axis: (torch.sin(x) + torch.tensor(spread(x.shape, axis))).amax(axis) / 4),
}  # fmt: skip


def spread(shape: Any, axis: int) -> Any:
    """Return 0, 3, 6, ... along an axis, which keeps elements between -1 and 1 in one order."""
    return np.moveaxis(np.broadcast_to(3.0 * np.arange(shape[axis]), np.moveaxis(
        np.empty(shape), axis, -1).shape), -1, axis).copy()  # fmt: skip


def run(program: Program, xs: Any, torch: Any = None) -> Any:
    """Run a program, which returns a number: every result counts in it, with a weight of its own."""
    _, steps, _ = program
    results = list(xs)
    for step in steps:
        ours, theirs = NAMES[step.name]
        taken = [results[i] for i in step.takes]
        results.append(ours(*taken, *step.params) if torch is None else theirs(torch, *taken, *step.params))
    total = 0.0
    for k, y in enumerate(results):
        total = total + (y * y).sum() * (0.3 + 0.1 * math.cos(k))
    return total


@st.composite
def programs(draw: Any) -> Program:
    """Draw 1 to 3 inputs and 3 to 15 steps; the shapes of the results decide what can follow."""
    sizes = st.integers(1, 3)
    shapes = draw(st.lists(st.lists(sizes, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3))
    results: list[tuple[int, ...]] = list(shapes)
    steps: list[Step] = []
    for _ in range(draw(st.integers(3, 15))):
        i = draw(st.integers(max(0, len(results) - 4), len(results) - 1))
        shape = results[i]
        n = math.prod(shape)
        alike = [j for j, s in enumerate(results) if s == shape]
        broadcast = [j for j, s in enumerate(results) if fits(s, shape)]
        factors = [j for j, s in enumerate(results) if len(shape) == len(s) == 2 and s[0] == shape[1]]
        names = ["sin", "tanh", "exp of tanh", "log", "sqrt", "sigmoid", "add", "subtract", "multiply",
                 "divide", "reshape", "where", *["matmul"] * 3 * bool(factors)]  # fmt: skip
        if shape:
            names += ["sum", "mean", "logsumexp", "softmax", "transpose", "getitem", "concatenate", "max"]
        name = draw(st.sampled_from(names))
        takes, params = (i,), ()
        if name in ("add", "subtract", "multiply", "divide"):
            takes = (i, draw(st.sampled_from(broadcast)))
        elif name == "matmul":
            takes = (i, draw(st.sampled_from(factors)))
        elif name in ("sum", "mean", "logsumexp"):
            params = (draw(st.integers(-len(shape), len(shape) - 1)), draw(st.booleans()))
        elif name in ("softmax", "max"):
            params = (draw(st.integers(0, len(shape) - 1)),)
        elif name == "reshape":
            k = draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0]))
            params = (draw(st.sampled_from([(n,), (k, n // k), (1, n)])),)
        elif name == "transpose":
            params = (tuple(draw(st.permutations(range(len(shape))))),)
        elif name == "getitem":
            axis = draw(st.integers(0, len(shape) - 1))
            part = draw(st.integers(0, shape[axis] - 1) | st.just(slice(0, 1)) | st.just([0, -1, 0]))
            params = ((slice(None),) * axis + (part,),)
        elif name == "concatenate":
            takes, params = (i, draw(st.sampled_from(alike))), (draw(st.integers(0, len(shape) - 1)),)
        elif name == "where":
            takes, params = (i, draw(st.sampled_from(alike))), (np.arange(n).reshape(shape) % 2 == 0,)
        step = Step(name, takes, params)
        steps.append(step)
        results.append(np.shape(NAMES[name][0](*[np.ones(results[j]) for j in takes], *params)))
        if math.prod(results[-1]) > 60:
            steps.pop()
            results.pop()
    return shapes, steps, draw(st.integers(0, SEEDS))


def fits(s: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(s, shape)
    except ValueError:
        return False
    return True


def inputs(program: Program, shift: int = 0) -> tuple[Any, ...]:
    shapes, _, seed = program
    return tuple(draw(s, seed + 7 * i + shift) for i, s in enumerate(shapes))


@tried(300)
@hypothesis.given(programs())
def test_programs_beside_differences(program: Program) -> None:
    xs = inputs(program)
    which = tuple(range(len(xs)))
    gradients = ag.grad(lambda *t: run(program, t), which)(*xs)
    directions = inputs(program, 1000)
    slope = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))

    def along(h: float) -> Any:
        return run(program, [x + h * d for x, d in zip(xs, directions, strict=True)])

    differences = [(along(h) - along(-h)) / (2 * h) for h in (2e-3, 1e-3, 5e-4)]
    better = [(4 * b - a) / 3 for a, b in itertools.pairwise(differences)]
    best = (16 * better[1] - better[0]) / 15  # Richardson: the error is of the order of h^6
    size = sum(np.sum(np.abs(g * d)) for g, d in zip(gradients, directions, strict=True))
    assert abs(best - slope) <= 1e-6 * max(1.0, size)


@tried(300)
@hypothesis.given(programs())
def test_programs_forward_and_reverse(program: Program) -> None:
    xs, directions = inputs(program), inputs(program, 1000)

    def f(*t: Any) -> Any:
        return run(program, t)

    gradients = ag.grad(f, tuple(range(len(xs))))(*xs)
    terms = [np.sum(g * d) for g, d in zip(gradients, directions, strict=True)]
    _, pushed = ag.jvp(f, xs, directions)
    scale = sum(np.sum(np.abs(g * d)) for g, d in zip(gradients, directions, strict=True))
    assert abs(pushed - sum(terms)) <= 1e-12 * max(1.0, scale)


@tried(300)
@hypothesis.given(programs())
def test_programs_beside_pytorch(program: Program) -> None:
    """Value, gradient, and the Hessian times a vector."""
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    xs, directions = inputs(program), inputs(program, 1000)
    theirs = [torch.tensor(x, requires_grad=True) for x in xs]
    y = run(program, theirs, torch)
    first = torch.autograd.grad(y, theirs, create_graph=True)
    slope = sum((g * torch.tensor(d)).sum() for g, d in zip(first, directions, strict=True))
    second = torch.autograd.grad(slope, theirs, materialize_grads=True)

    def f(*t: Any) -> Any:
        return run(program, t)

    which = tuple(range(len(xs)))
    np.testing.assert_allclose(f(*xs), y.item(), rtol=1e-12)
    gradients = ag.grad(f, which)(*xs)

    found = ag.hvp(f, xs, directions)
    products = found if len(xs) > 1 else (found,)
    back_twice = ag.grad(lambda *t: sum(ag.sum(g * d) for g, d in zip(
        ag.grad(f, which)(*t), directions, strict=True)), which)(*xs)  # fmt: skip
    for mine, other in zip((*gradients, *products, *back_twice), (*first, *second, *second), strict=True):
        expected = other.detach().numpy()
        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-11 * max(1.0, np.abs(expected).max()))
