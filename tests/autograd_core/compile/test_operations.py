"""Every operation can be captured: what a compiled function returns is eager's, bit for bit, in every reader.

The rows of ``table.py`` are walked with other inputs in each call; the functions that are composed of
operations stand in ``COMPOSED``, and what cannot be captured, with the reason, in ``LOUD``.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import stats
from autograd_core.compile.functions import IN_C
from autograd_core.errors import CompileError
from autograd_core.fused import fused
from autograd_core.kernels.memory import pieces

from ..table import PLACES, ROWS, Case, Row
from ..table_gamma import SCIPY

CALLS = 5  # one eagerly, two captured, and replays


def same(a: Any, b: Any) -> bool:
    """Tell whether two results are of the same types, dtypes and shapes, and the same to the last bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, ag.Tensor):
        return same(a.data, b.data)
    return bool(a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()))


def agrees(f: Callable[..., Any], calls: Sequence[Any]) -> None:
    """Compare a compiled function with the function itself, call by call; the last calls are replays."""
    step = ag.compile(f)
    with np.errstate(all="ignore"):
        for number, args in enumerate(calls):
            eager, compiled = f(*args), step(*args)
            assert same(eager, compiled), f"call {number}: {compiled} for {eager}"
    assert step.recent is not None, f"never replayed: {step.reason}"  # type: ignore[attr-defined]


# -- the table ----------------------------------------------------------------------------------------


def chosen(row: Row) -> list[Case]:
    """Return a call of the row, of several axes; of what reads and writes places several."""
    masked = [c for c in row.cases if any(isinstance(i, np.ndarray) and i.dtype == bool for i in parts(c))]
    cases = [c for c in row.cases if c not in masked]
    return cases[3::14] if row in PLACES and len(cases) > 12 else [cases[min(3, len(cases) - 1)]]


def parts(c: Case) -> tuple[Any, ...]:
    index = c.params.get("index")
    return index if isinstance(index, tuple) else (index,)


def inputs(row: Row, c: Case) -> list[list[Any]]:
    rng = np.random.default_rng(zlib.crc32(f"{row}{c}".encode()))
    return [row.draw(c, rng) for _ in range(CALLS)]


def readers(row: Row, c: Case, calls: list[list[Any]]) -> Iterator[tuple[Callable[..., Any], Any]]:
    """Give functions that read the operation's rules in every way, with what to call them with."""
    which = [i for i in row.differentiable(c) if calls[0][i].dtype.kind == "f"]

    def number(*xs: Any) -> Any:
        y = row.op(*xs, **c.params)
        return np.sum(y * y / 2 + y)

    def step(*xs: Any) -> Any:
        ts = [ag.tensor(x, requires_grad=True) if i in which else x for i, x in enumerate(xs)]
        y = row.op(*ts, **c.params)
        y.backward(np.cos(y.detach()).data)
        return row.op(*xs, **c.params), y.detach(), [ts[i].grad for i in which]

    def of_chosen(f: Any, xs: Any) -> Any:
        def g(*some: Any) -> Any:
            full = list(xs)
            for i, x in zip(which, some, strict=True):
                full[i] = x
            return f(*full)

        return g, [xs[i] for i in which]

    def transforms(xs: Any, us: Any) -> Any:
        f, some = of_chosen(lambda *xs: row.op(*xs, **c.params), xs)
        g, _ = of_chosen(number, xs)

        return ag.jvp(f, some, us), ag.hvp(g, some, us)

    dtype = "f4" if row.elementwise else "f8"
    yield step, [[x.astype(dtype) if x.dtype.kind == "f" else x for x in xs] for xs in calls]
    if which:
        yield ag.grad(number, which), calls
        yield transforms, [(xs, [np.asarray(np.cos(xs[i] + k)) for i in which]) for k, xs in enumerate(calls)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_rows(row: Row) -> None:
    for c in chosen(row):
        calls = inputs(row, c)
        for f, args in readers(row, c, calls):
            agrees(f, args)


# -- functions that are composed of operations --------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2.0, (4, 3))  # every call adds something to it
SQUARE = RNG.uniform(-1, 1, (3, 3)) + 3 * np.eye(3)
GAPS = np.where(RNG.uniform(size=(4, 3)) < 0.3, np.nan, X)
AT = np.array([[2, 0, 1], [1, 1, 0]])
CUBE = fused(lambda x: x * x * x, lambda x, memory: np.multiply(x, np.square(x, out=memory.reshape(x.shape))),
             lambda g, y, x, memory, out: np.multiply(g, 3 * memory.reshape(x.shape), out=out[0]),
             memory=lambda x: x.size, name="cube")  # fmt: skip


def written(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that writes into a result of its input."""

    def f(x: Any) -> Any:
        y = x * 1.0
        act(y)
        return y

    return f


COMPOSED: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "average": (lambda x: np.average(x, axis=0, weights=np.array([1.0, 2.0, 3.0, 4.0])), X),
    "choose": (lambda x: ag.choose((x > 1) * 1, [x, 2 * x]), X),
    "clip": (lambda x: np.clip(x, 0.7, None), X),
    "corrcoef": (lambda x: np.corrcoef(x), X),
    "cov": (lambda x: np.cov(x, fweights=np.array([1, 2, 1]), ddof=0), X),
    "cumprod": (lambda x: np.cumprod(x, axis=0), X),
    "delete": (lambda x: np.delete(x, 1, axis=0), X),
    "diff": (lambda x: np.diff(x, 2, axis=0, prepend=x[:1]), X),
    "einsum": (lambda x: np.einsum("ij,kj,k->i", x, x, x[:, 0]), X),
    "expand and squeeze": (lambda x: np.squeeze(np.expand_dims(x, 1), 1), X),
    "expm, halved in some calls": (ag.expm, np.array([[0.0, 5.3], [-5.3, 0.0]])),
    "fill_diagonal": (written(lambda y: ag.fill_diagonal(y[:3], y[3])), X),
    "gradient": (lambda x: np.gradient(x, 0.5, axis=0), X),
    "interp": (lambda x: np.interp(x, [0.0, 1.0, 3.0], x[:3, 0]), X),
    "kron": (lambda x: np.kron(x, x), X),
    "lstsq": (lambda x: np.linalg.pinv(x) @ x[:, 0], X),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, 3), SQUARE),
    "median": (lambda x: np.median(x, axis=0), X),
    "meshgrid": (lambda x: np.meshgrid(x[0], x[1])[0], X),
    "multi_dot": (lambda x: np.linalg.multi_dot([x, x.T, x]), X),
    "nanmean": (lambda x: np.nanmean(x, axis=0), GAPS),
    "nanmedian": (lambda x: np.nanmedian(x, axis=0), GAPS),
    "nanquantile": (lambda x: np.nanquantile(x, 0.3, axis=1), GAPS),
    "nanvar": (lambda x: np.nanvar(x, axis=1), GAPS),
    "norm 1": (lambda x: np.linalg.norm(x, 1), X),
    "nuclear norm": (lambda x: np.linalg.norm(x, "nuc"), X),
    "pad": (lambda x: np.pad(x, ((1, 2), (0, 1)), "reflect"), X),
    "partition": (lambda x: np.partition(x, 2, axis=0), X),
    "percentile": (lambda x: np.percentile(x, [25, 60], axis=0), X),
    "polyfit": (lambda x: np.polyfit(np.arange(4.0), x, 2), X),
    "prod": (lambda x: np.prod(x, axis=0), X),
    "put": (written(lambda y: ag.put(y, [2, -1], y[0, :2])), X),
    "put_along_axis": (written(lambda y: ag.put_along_axis(y, AT[:, :2], y[:2, :2], axis=1)), X[:2]),
    "quantile of q": (lambda x: np.quantile(np.arange(5.0), x / 4), X[0]),
    "repeat": (lambda x: np.repeat(x, [1, 0, 2, 1], axis=0), X),
    "rot90": (lambda x: np.rot90(x), X),
    "select": (lambda x: np.select([x < 0.8, x > 1.2], [x * x, -x], 0.5), X),
    "solve": (lambda x: np.linalg.solve(x, x[0]), SQUARE),
    "sort": (lambda x: np.sort(x, axis=0), X),
    "split": (lambda x: np.concatenate(np.split(x, [1, 3])[::-1]), X),
    "std": (lambda x: np.std(x, axis=0, ddof=1), X),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.argsort(x, axis=0), axis=0), X),
    "take by the largest": (lambda x: np.take(x[0], np.argmax(x, axis=1)), X),
    "tensordot": (lambda x: np.tensordot(x, x, ((0,), (0,))), X),
    "trapezoid": (lambda x: np.trapezoid(x, np.cumsum(x, axis=0), axis=0), X),
    "tril": (lambda x: np.tril(x) - np.triu(x, 1), X),
    "unwrap": (lambda x: np.unwrap(4 * x, axis=0), X),
    "write a mask": (written(lambda y: y.__setitem__(X[:, 0] > 1, 2.0)), X),
    "write a view": (written(lambda y: y[1:].T.__setitem__((0, slice(1)), y[0, 0])), X),
    "fused": (CUBE, X),
    "pieces": (lambda x: pieces(np.ravel(x), (2, 3), (6,))[0], X),
    "stats.norm": (lambda x: stats.norm.logpdf(x, x[0], 1.5) + stats.norm.cdf(x), X),
    "stats.multivariate_normal": (lambda x: stats.multivariate_normal.logpdf(x, x[0], SQUARE @ SQUARE.T), X),
}  # fmt: skip
if SCIPY:
    COMPOSED |= {
        "stats.gamma": (lambda x: stats.gamma.logpdf(x, 2.0, scale=x[0]), X),
        "stats.poisson": (lambda x: stats.poisson.logpmf(np.floor(3 * x), x), X),
        "stats.dirichlet": (lambda x: stats.dirichlet.logpdf(x / np.sum(x), 1 + x), X[0]),
    }


@pytest.mark.parametrize("name", COMPOSED)
def test_composed(name: str) -> None:
    f, x = COMPOSED[name]

    def step(x: Any) -> Any:
        t = ag.tensor(x, requires_grad=True)
        y = f(t)
        (y * y + y).sum().backward()
        return y.detach(), t.grad

    agrees(step, [(x * (1 + 0.01 * k),) for k in range(CALLS)])


@pytest.mark.parametrize("kind", ["normal", "uniform", "exponential", "gumbel", "laplace", "logistic"])
def test_draws(kind: str) -> None:
    draw = getattr(ag.random, kind)

    def step(x: Any) -> Any:
        t = ag.tensor(x, requires_grad=True)
        y = draw(1.0 + t, size=(2, 3)) if kind == "exponential" else draw(t, t + 1.0, (2, 3))
        y.sum().backward()
        return y.detach(), t.grad, draw(size=3)

    drawn = []
    for f in (step, ag.compile(step)):
        ag.random.manual_seed(0)
        drawn.append([f(np.full(3, 1.0 + k)) for k in range(CALLS)])
    assert same(*drawn)


@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax_and_multivariate_normal(hard: bool) -> None:
    def step(x: Any) -> Any:
        t = ag.tensor(x, requires_grad=True)
        y = ag.random.gumbel_softmax(t, hard=hard)
        z = ag.random.multivariate_normal(t, np.eye(3), 2)
        (y[0] + (z * z).sum()).backward()
        return y.detach(), z.detach(), t.grad

    drawn = []
    for f in (step, ag.compile(step)):
        ag.random.manual_seed(0)
        drawn.append([f(np.arange(3.0) + k) for k in range(CALLS)])
    assert same(*drawn)


# -- what cannot be captured --------------------------------------------------------------------------

LOUD: dict[str, tuple[Callable[[Any], Any], str]] = {
    # the shape of the result depends on values
    "x[mask]": (lambda x: x[x > 1], "shape of the result depends on values"),
    "compress": (lambda x: np.compress(x[:, 0] > 1, x, axis=0), "depends on values"),
    "extract": (lambda x: np.extract(x > 1, x), "depends on values"),
    "nonzero": (lambda x: np.nonzero(x > 1), "depends on values"),
    "unique": (lambda x: np.unique(x), "depends on values"),
    "trim_zeros": (lambda x: ag.trim_zeros(ag.tensor(x[0])), "."),
    "piecewise": (lambda x: ag.piecewise(ag.tensor(x), [x < 1], [np.sin, np.cos]), "."),
    "lstsq, its residuals": (lambda x: ag.lstsq(ag.tensor(x, requires_grad=True), x[:, 0])[1], "."),
    # Python's way through the code depends on values
    "gradient, whether spaces are even": (lambda x: ag.gradient(ag.tensor(x), x[:, 0], axis=0), "branch"),
    "a branch": (lambda x: x if x.sum() > 1 else -x, "branch"),
    # numbers of Python, which a replay would not compute
    "Value": (lambda x: (ag.Value(float(x[0, 0])) * 2).data, "float"),
}


@pytest.mark.parametrize("name", LOUD)
def test_what_cannot_be_captured_says_so(name: str) -> None:
    f, words = LOUD[name]
    step = ag.compile(f)
    step(X)
    with pytest.raises(CompileError, match=words):
        step(X + 1)


def test_checks_of_values_are_made_in_each_replay() -> None:
    @ag.compile
    def step(x: Any, scale: Any) -> Any:
        return ag.random.normal(ag.tensor(x), scale, 3), ag.quantile(ag.tensor(x), scale / 10)

    for _ in range(CALLS):
        step(X[0], np.full(3, 2.0))
    with pytest.raises(ValueError, match="a negative scale"):
        step(X[0], np.array([1.0, -1.0, 1.0]))
    with pytest.raises(ValueError, match="numbers from 0 to 1"):
        step(X[0], np.full(3, 20.0))


def test_arguments_of_functions_in_c() -> None:
    """Where NumPy tells the arguments of its functions in C, they are as the table says."""
    for function, names in IN_C.items():
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:
            assert np.lib.NumpyVersion(np.__version__) < "2.4.0", function
            continue
        assert [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD] == names.split()
