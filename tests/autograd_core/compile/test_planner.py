"""What a plan does with calls and memory: blocks, loops, chains of numbers, calls left out, memory reused.

Each program runs eagerly and compiled on the same arrays, and must give the same bits; beside that, the tests
look at the plan itself, so that a program which no longer meets what it is about is an error, too.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn, optim
from autograd_core.compile.blocks import Group
from autograd_core.compile.emit import form_of
from autograd_core.compile.loops import TEXTS
from autograd_core.compile.memory import Arena, lifetimes
from autograd_core.compile.rolling import Roll
from autograd_core.kernels import threads

from .test_operations import same as same_bits

N = (1 << 16) + 77  # elements: no whole number of blocks
ROWS, COLUMNS = 300, 257
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0]


def same(a: Any, b: Any) -> bool:
    """Tell whether results are the same to the last bit, but for the sign of a NaN, which is not defined."""
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, ag.Tensor) or type(a) is not type(b) or a.dtype != b.dtype:
        return same_bits(a, b)
    if a.dtype.kind != "f":
        return same_bits(a, b)
    a, b = [np.where(np.isnan(x), x.dtype.type(np.nan), x) for x in (a, b)]
    return same_bits(a, b)


def odd(shape: Any, dtype: Any = np.float32, seed: int = 0) -> Any:
    """Return numbers with NaN, infinities and both zeros among them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    places = rng.integers(0, x.size, (len(ODD), 40))
    for value, place in zip(ODD, places, strict=True):
        x.reshape(-1)[place] = value
    return x.astype(dtype)


@pytest.fixture(params=["loops in two threads", "calls in one"])
def how(request: Any) -> Iterator[None]:
    """Run with compiled loops in two threads, and with NumPy alone in one."""
    before, loops = threads.get_num_threads(), "loops" in request.param
    if loops:
        pytest.importorskip("numba", reason="numba is not installed: there are no loops")
    threads.set_num_threads(2 if loops else 1)
    try:
        with kernels.using(numba=loops):
            yield
    finally:
        threads.set_num_threads(before)


def replayed(f: Callable[..., Any], *args: Any, calls: int = 5) -> Any:
    """Compare a function with itself compiled, on arrays that both may write to; return the plan."""
    step: Any = ag.compile(f)
    mine, theirs = [[a.copy() if hasattr(a, "copy") else a for a in args] for _ in range(2)]
    with np.errstate(all="ignore"):
        for number in range(calls):
            assert same(f(*mine), step(*theirs)), f"call {number}"
            assert all(same(a, b) for a, b in zip(mine, theirs, strict=True) if hasattr(a, "dtype")), number
    assert step.recent is not None, step.reason
    return step.plan


def groups(plan: Any) -> list[Group]:
    return [unit for unit in plan.units if isinstance(unit, Group)]


# -- groups ---------------------------------------------------------------------------------------------

HALF = np.full(1, 0.5, np.float32)
ROW, COLUMN = odd(COLUMNS, seed=1), odd((ROWS, 1), seed=2)


def in_place(x: Any, y: Any) -> Any:
    z = x * y
    z += x
    z *= 0.5
    x -= z
    return x + z


def rounded_twice(x: Any, y: Any) -> Any:
    wide = y.astype(np.float64) / 3
    z = x * y
    z += wide  # computed in 64 bits, kept in 32
    return z * x - z


def picked(x: Any, y: Any) -> Any:
    mask = x > y
    return np.where(mask, x * y, y - x) * mask


def kept(x: Any, y: Any) -> Any:
    a = x * y
    b = a + x
    c = b * b
    return a, c[::2], c.reshape(-1)[1:9], b - c, (a != b) * 1.0


def masks(x: Any, y: Any) -> Any:
    keep = (y < 0.3) / np.float32(0.7)
    return np.maximum(x, 0) * keep * (x > 0) + np.minimum(x, y)


def scalars(x: Any, y: Any) -> Any:
    s = (y.reshape(-1)[:4] * 0.25)[1]
    return (x * s + HALF) / (x - 3) * np.float64(1.5) - 2**30 + True


def functions(x: Any, y: Any) -> Any:
    return np.sqrt(np.abs(x)) + np.reciprocal(y) - np.negative(x) * np.square(y) + np.exp(-np.tanh(x)) / +y


FLAT = [
    (in_place, "f4 f4"), (in_place, "f4 f8"), (rounded_twice, "f4 f4"), (picked, "f4 f8"), (kept, "f4 f4"),
    (masks, "f8 f4"), (scalars, "f4 f4"), (scalars, "f4 f8"), (functions, "f4 f4"), (functions, "f8 f4"),
]  # fmt: skip


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize(("program", "dtypes"), FLAT, ids=lambda x: getattr(x, "__name__", x))
def test_group(program: Any, dtypes: str) -> None:
    one, two = dtypes.split()
    plan = replayed(program, odd(N, one), odd(N, two, 1))
    assert groups(plan)
    assert all(not group.rows for group in groups(plan))


def columns(x: Any, y: Any) -> Any:
    return (x * ROW + COLUMN - y) / (x + 1) * (y > COLUMN)


def transposed(x: Any, y: Any) -> Any:
    z = x * y.T.reshape(x.shape) + np.sqrt(x)
    return z + x.T.copy().T - ROW


def row_of_itself(x: Any, y: Any) -> Any:
    x += y
    x *= 1.5
    x -= x[3]
    x *= y
    return x - x[:, 2:3]


@pytest.mark.parametrize("program", [columns, transposed, row_of_itself, in_place, picked],
                         ids=lambda f: f.__name__)  # fmt: skip
@pytest.mark.usefixtures("how")
def test_group_of_rows(program: Any) -> None:
    assert groups(replayed(program, odd((ROWS, COLUMNS)), odd((ROWS, COLUMNS), seed=1)))


def test_group_of_transposed_arguments() -> None:
    x, y = odd((COLUMNS, ROWS)), odd((ROWS, COLUMNS), np.float64, 1)

    def f(y: Any) -> Any:
        return (x.T + y) * x.T - y

    assert all(group.rows for group in groups(replayed(f, y)))


@pytest.mark.usefixtures("how")
def test_group_in_many_dimensions() -> None:
    scale = odd((1, 5, 1, 1), seed=1)

    def f(x: Any) -> Any:
        return (x * scale + x) / (scale - x)

    assert groups(replayed(f, odd((6, 5, 53, 47))))


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize("formula", [np.sqrt, np.log, lambda x: x / x], ids=["sqrt", "log", "divide"])
def test_gradients_at_zero_and_infinity(formula: Any) -> None:
    mask = (np.arange(N) % 3 > 0).astype(np.float32)

    def f(x: Any) -> Any:
        x = ag.tensor(x, requires_grad=True)
        y = ag.where(x > 0, formula(x), x * 0.5)
        (y * mask).sum().backward()
        return y.data, x.grad

    plan = replayed(f, odd(N), calls=4)
    assert groups(plan)


@pytest.mark.usefixtures("how")
def test_network_with_dropout_in_blocks() -> None:
    x, found = odd((512, 20)), []
    x[~np.isfinite(x)] = 0
    for compiled in (False, True):
        ag.random.manual_seed(0)
        model = nn.Sequential(nn.Linear(20, 130), nn.ReLU(), nn.Dropout(0.3), nn.Linear(130, 3))
        optimizer = optim.Adam(model.parameters(), lr=1e-3)

        def train(x: Any, model: Any = model, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step: Any = ag.compile(train) if compiled else train
        losses = [step(x).item() for _ in range(5)]
        found.append((losses, [p.data.tobytes() for p in model.parameters()]))
    assert groups(step.plan)
    assert found[0] == found[1]


def one_loop(f: Any, *args: Any) -> Any:
    """Return the text of the one compiled loop that a step became, whose replays were compared."""
    pytest.importorskip("numba", reason="numba is not installed: there are no loops")
    with kernels.using(numba=True):
        plan = replayed(f, *args)
    (group,) = groups(plan)
    assert group.is_loop
    return str(group.steps[0].source)


def test_group_is_written_as_one_loop() -> None:
    source = one_loop(lambda x, y: np.sqrt(x * y + x) / (x - y), odd(N), odd(N, seed=1))
    assert source.count("for k in") == 1
    assert "inner(" not in source


FUNCTIONS = [
    np.exp, np.log, np.tanh, np.sin, np.cos, np.log1p, np.expm1, np.arctan, np.exp2, np.cbrt, np.floor,
    np.rint, np.sign, np.isnan, np.signbit, np.fabs,
]  # fmt: skip
PAIRS = [np.maximum, np.minimum, np.arctan2, np.hypot, np.copysign, np.fmod, np.logaddexp]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_in_a_loop_are_numpys(fun: Any, dtype: Any) -> None:
    source = one_loop(lambda x: fun(x * 3 - 1) * x, odd(N, dtype))
    assert "inner(" in source


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fun", PAIRS, ids=lambda f: f.__name__)
def test_functions_of_two_in_a_loop(fun: Any, dtype: Any) -> None:
    x, y = odd((ROWS, COLUMNS), dtype), odd((ROWS, COLUMNS), dtype, 1)
    row, column, number = odd(COLUMNS, dtype, 2), odd((ROWS, 1), dtype, 3), np.array(dtype(0.7))
    source = one_loop(
        lambda x, y, row, column, number: (
            fun(x, y) + fun(x, row), fun(x, column) - fun(number, y), fun(x, 2) * fun(0.5, y)),
        x, y, row, column, number)  # fmt: skip
    assert source.count("inner(") == 6


def test_powers_in_a_loop() -> None:
    x, y, row, number = odd(N), odd(N, seed=1), odd((ROWS, 1), seed=3), np.float32(0.7)
    source = one_loop(lambda x, y, n: np.power(x, y) + np.power(n, y) - np.power(x, 2.5) * np.power(0.5, y),
                      x, y, number)  # fmt: skip
    assert source.count("inner(") == 4
    assert groups(replayed(lambda x, row: np.power(x, row) * x + np.power(row, x), odd((ROWS, COLUMNS)), row))


def test_choices_and_copies_in_a_loop() -> None:
    source = one_loop(
        lambda x, y: (np.where(x > y, x, 1.0) * np.where(y > 0, 0.5, y),
                      (x * y).copy() - x.astype(np.float32)),
        odd(N), odd(N, seed=1))  # fmt: skip
    assert "inner(" not in source


def test_loop_of_rows_with_functions_and_temporaries() -> None:
    def f(x: Any, row: Any, column: Any) -> Any:
        y = np.tanh(x * row + column)
        y *= np.exp(-y * y)
        y += row
        return np.maximum(y, column) - np.log1p(np.abs(y))

    source = one_loop(f, odd((ROWS, COLUMNS)), odd(COLUMNS, seed=1), odd((ROWS, 1), seed=2))
    assert "empty(" in source


def test_a_column_times_a_row_is_a_loop() -> None:
    source = one_loop(lambda g, x: g.T * x, odd((1, 512)), odd((1, 784), seed=1))
    assert "inner(" not in source


@pytest.mark.parametrize(("rows", "width"), [(5000, 15), (5000, 16), (3, 1 << 15), (3, (1 << 15) + 1)])
def test_width_of_rows_in_a_loop(rows: int, width: int) -> None:
    pytest.importorskip("numba", reason="numba is not installed: there are no loops")

    def f(x: Any, row: Any, column: Any) -> Any:
        return np.tanh(x * row) + column

    with kernels.using(numba=True):
        plan = replayed(f, odd((rows, width)), odd(width, seed=1), odd((rows, 1), seed=2))
    (group,) = groups(plan)
    assert group.is_loop == (16 <= width <= 1 << 15)


def test_loops_of_one_shape_beside_calls_that_are_none() -> None:
    keys = odd(N, np.float64, 3)

    def f(x: Any, y: Any) -> Any:
        z = np.exp(x - y) * x
        z = np.clip(z, -1, np.sort(y)[5])
        i = np.multiply(y, 3).astype(np.int64)
        return z * z + y, np.float32(0.5) * z - keys, (i + i) * 2

    with np.errstate(all="ignore"):
        assert groups(replayed(f, odd(N), odd(N, seed=1)))


def test_loops_know_only_what_is_rounded_once() -> None:
    assert set(TEXTS) == {
        np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.square, np.sqrt,
        np.absolute, np.reciprocal, np.greater, np.greater_equal, np.less, np.less_equal, np.equal,
        np.not_equal,
    }  # fmt: skip


def test_errors_that_raise_are_in_no_group() -> None:
    def f(x: Any, y: Any) -> Any:
        with np.errstate(divide="raise"):
            z = x / y
            z = z + x
        return z * x

    x, y = np.ones((2, N), np.float32)
    step: Any = ag.compile(f)
    for _ in range(5):
        step(x, y)
    assert not any(call.errors[0] == "raise" for group in groups(step.plan) for call in group.calls)
    y[-1] = 0
    with pytest.raises(FloatingPointError):
        step(x, y)
    y[-1] = 1
    assert same(step(x, y), f(x, y))


@pytest.mark.parametrize("shape", [(N,), (300, 300)])
def test_errors_that_are_to_raise_later(shape: Any) -> None:
    step: Any = ag.compile(lambda x: (np.log(x * 1.0) - np.sqrt(x)).sum(0))
    x = np.ones(shape, np.float32)
    with np.errstate(all="ignore"):
        for _ in range(5):
            step(x)
        assert same(step(-x), (np.log(-x) - np.sqrt(-x)).sum(0))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        step(-x)
    with np.errstate(all="ignore"):
        assert same(step(x), -x.sum(0))


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize("shape", [(1, 20_000), (1, 1, 20_000), (1, 300, 100), (1, 3000, 10), (20_000, 1)])
def test_an_array_of_fewer_axes_that_is_as_large(shape: Any) -> None:
    pytest.importorskip("numba", reason="numba is not installed: there are no loops")
    y = odd(shape[1:] if shape[0] == 1 else shape, seed=1)
    step: Any = ag.compile(lambda x, y: np.tanh(x * y + 1) * y)
    for _ in range(5):
        step(odd(shape), np.ones_like(y))
    with np.errstate(all="ignore"):
        assert same(step(odd(shape), y), np.tanh(odd(shape) * y + 1) * y)


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize("fun", [np.fmax, np.fmin, np.maximum, np.minimum], ids=lambda f: f.__name__)
def test_zeros_of_both_signs_in_rows(fun: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.choice(np.float32([0.0, -0.0, 1, np.nan]), (300, 257)) for _ in range(2))
    replayed(lambda x, y, w: (fun(x, y) * w, fun(x, -0.0) + w), x, y, odd(257))


@pytest.mark.filterwarnings("error")
def test_error_in_a_group_leaves_no_state_of_errors() -> None:
    def f(x: Any, y: Any) -> Any:
        with np.errstate(divide="warn", over="ignore"):
            z = x / y
        return np.exp(z) * x

    x, y = np.ones((2, N), np.float32)
    step: Any = ag.compile(f)
    with kernels.using(numba=False), np.errstate(all="ignore"):
        for _ in range(5):
            step(x, y)
        (group,) = groups(step.plan)
        assert len({call.errors for call in group.calls}) == 2
        y[-1] = 0
        before = np.geterr()
        with pytest.raises(RuntimeWarning):
            step(x, y)
        assert np.geterr() == before


# -- chains of numbers ------------------------------------------------------------------------------------


def oscillator(x: Any) -> Any:
    a, b = x[0], x[1]
    for _ in range(100):
        a, b = a + 0.01 * b, b - 0.01 * a * a + 0.0
    return a, b


def broken(x: Any) -> Any:
    a, b = x[0], x[1]
    for k in range(200):
        a = a * 0.5 + b * a if k < 90 or k > 93 else (a - b) / 3.0
        b = -b * 0.999
    return a, b


def signed(x: Any) -> Any:
    a = x[0] * 0.0
    for k in range(300):
        a = -(a + (0.0 if k == 151 else -0.0))
    return a, 1.0 / a


def wandering(x: Any) -> Any:
    made, drawn = [x[0], x[1]], np.random.default_rng(0).random(500).tolist()
    for place in drawn:
        made.append(made[int(place * len(made))] * 0.5 + made[-1])
    return made[-1]


def long_bodies(x: Any) -> Any:
    a, weights = x[0], np.random.default_rng(0).normal(size=90)
    for _ in range(12):
        for w in weights:
            a = a * float(w) + 1.0
    return a


CHAINS = [(oscillator, True), (broken, True), (signed, True), (wandering, False), (long_bodies, False)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("program", "rolls"), CHAINS, ids=[f.__name__ for f, _ in CHAINS])
def test_chain(program: Any, rolls: bool, dtype: str) -> None:
    pytest.importorskip("numba", reason="numba is not installed: there are no loops")
    with kernels.using(numba=True):
        plan = replayed(program, np.array([0.7, -0.3], dtype), calls=4)
    assert any(isinstance(unit, Roll) for unit in plan.units) == rolls


def test_chain_without_numba() -> None:
    with kernels.using(numba=False):
        plan = replayed(oscillator, np.array([0.7, -0.3]), calls=4)
    assert not any(isinstance(unit, Roll) for unit in plan.units)


def test_gradient_of_a_chain() -> None:
    pytest.importorskip("numba", reason="numba is not installed: there are no loops")
    with kernels.using(numba=True):
        gradient: Any = ag.grad(lambda x: sum(broken(x)))
        plan = replayed(gradient, np.array([0.7, -0.3]), calls=4)
    assert any(isinstance(unit, Roll) for unit in plan.units)


# -- calls that are left out -----------------------------------------------------------------------------


def called(plan: Any) -> list[str]:
    return [call.name for call in plan.calls]


def test_product_with_one_is_left_out() -> None:
    plan = replayed(lambda x: np.sin(np.cos(x) * 1.0) + 1, odd(9))
    assert called(plan) == ["cos", "sin", "add"]


ONE: dict[str, Any] = {
    "both are returned": lambda x: (g := np.sin(x), g * 1.0),
    "a view of it is returned": lambda x: ((np.sin(x) * 1.0)[2:], np.cos(x)),
    "it is an argument": lambda x: x * 1.0,
    "it is written to": lambda x: (g := np.sin(x), h := g * 1.0, h.__setitem__(0, 5.0), h + g)[-1],
    "another dtype": lambda x: np.cos(x * np.float64(1)) + np.cos(x * np.ones(1)),
    "another shape": lambda x: np.cos(np.sin(x) * np.ones((3, 1), x.dtype)),
    "truths": lambda x: np.cos((x > 0) * 1) + np.cos((x > 0) * 1.0),
    "minus one": lambda x: np.cos(np.sin(x) * -1.0) + np.sin(x) * True,
    "a view of a write": lambda x: (g := np.sin(x), h := g * 1.0, g.__iadd__(1.0), h + g)[-1],
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_product_with_one(name: str) -> None:
    step: Any = ag.compile(ONE[name])
    x = odd(9)
    with np.errstate(all="ignore"):
        for _ in range(5):
            eager, got = ONE[name](x), step(x)
            assert same(eager, got)
    arrays = [a for a in (got if isinstance(got, tuple) else (got,)) if isinstance(a, np.ndarray)]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in (x, *arrays[:i]))


@pytest.mark.parametrize("shape", [(), (1,), (9,)])
def test_array_of_a_closure_is_no_constant(shape: tuple[int, ...]) -> None:
    scale = np.ones(shape, np.float32)

    def f(x: Any) -> Any:
        return np.sin(x * scale) * scale

    step: Any = ag.compile(f)
    x = odd(9)
    with np.errstate(all="ignore"):
        for number in range(7):
            scale[...] = 1 if number < 5 else number
            assert same(f(x), step(x))
    assert step.recent is not None


def test_what_is_made_twice_and_what_nobody_reads() -> None:
    plan = replayed(lambda x: (np.tan(x), np.sin(x) + np.sin(x))[1] * 2, odd(9))
    assert called(plan) == ["sin", "add", "multiply"]


def twice(x: Any) -> Any:
    y = x * 2
    before = np.sin(y) * 2
    y += 1
    after = np.sin(y) * 2
    y[3:] = 0
    return before, after, np.sin(y) * 2, np.sin(x) + 0.0, np.sin(x) + -0.0


def test_calls_before_and_after_a_write_are_two() -> None:
    plan = replayed(twice, np.array([0.0, -0.0, 1.0, 2.0, 3.0]))
    assert called(plan).count("sin") == 4


def made_twice(x: Any) -> Any:
    with np.errstate(divide="ignore"):
        y = 1 / x
    with np.errstate(divide="raise"):
        return y + 1 / x


def read_by_nobody(x: Any) -> Any:
    with np.errstate(divide="raise"):
        np.log(x)
    return x + 1


@pytest.mark.parametrize("f", [made_twice, read_by_nobody])
def test_call_that_may_raise_is_not_left_out(f: Any) -> None:
    step: Any = ag.compile(f)
    for _ in range(5):
        step(np.ones(3))
    with pytest.raises(FloatingPointError):
        step(np.zeros(3))


# -- memory ------------------------------------------------------------------------------------------------


def random_program(seed: int) -> Callable[..., Any]:
    """Return a program of some 40 calls, whose sizes, reads and lifetimes are drawn."""
    rng = np.random.default_rng(seed)
    drawn = [tuple(row) for row in rng.random((40, 4)).tolist()]

    def f(x: Any) -> Any:
        made = [x, x[::2] + 1]
        for kind, i, j, k in drawn:
            a, b = made[int(i * len(made))], made[int(j * j * len(made))]
            if kind < 0.3:
                made.append(np.sin(a))
            elif kind < 0.5 and a.shape == b.shape:
                made.append(a * b)
            elif kind < 0.65:
                made.append(a[int(k * 3) :])
            elif kind < 0.75:
                made.append(np.concatenate([a, b[::-1]])[: 60 + int(k * 40)] * 0.5)
            elif kind < 0.85 and a is not x and a.base is None:
                a += 0.25
            else:
                made.append(a - a.sum())
        return [made[-1], made[-2].sum(), made[len(made) // 2] + 1]

    return f


@pytest.mark.parametrize("seed", range(12))
def test_memory_is_nobody_elses(seed: int) -> None:
    f = random_program(seed)
    plan = replayed(f, np.linspace(-1, 1, 100))
    spans, space = lifetimes(plan.units), plan.names.space
    alive = [(s, spans[s], space[f"b{s}"]) for s in plan.arena.block]
    assert len(plan.arena.sizes) < len(alive)
    for i, (s, (first, last), a) in enumerate(alive):
        for t, (begin, end), b in alive[:i]:
            if not np.shares_memory(a, b) or last < begin or end < first:
                continue
            # One began where the other ended: a ufunc that writes over what it reads, element by element.
            assert last == begin or end == first, (s, t)
            call = plan.units[max(first, begin)]
            assert type(call.fun) is np.ufunc
            assert form_of(call) == "out"
            assert {call.out.storage} == {s if first > begin else t}
            assert all(x.layout == call.out.layout for x in call.args if getattr(x, "storage", -1) in (s, t))


def test_arena_gives_no_block_twice() -> None:
    rng = np.random.default_rng(0)
    arena, holders = Arena(), dict[int, int]()
    for storage in range(500):
        size = int(rng.integers(1, 1000))
        arena.take(storage, size)
        block = arena.block[storage]
        assert block not in holders
        assert arena.sizes[block] >= size
        holders[block] = storage
        while holders and rng.random() < 0.55:
            block = list(holders)[int(rng.integers(len(holders)))]
            arena.give(holders.pop(block))
    assert len(arena.sizes) < 100


def multilayer(deep: int = 5) -> tuple[Any, Any]:
    layers = [layer for _ in range(deep) for layer in (nn.Linear(64, 64), nn.Tanh())]
    return nn.Sequential(*layers), np.ones((256, 64), np.float32)


def convolutional() -> tuple[Any, Any]:
    layers = [layer for c in (3, 8, 8, 8) for layer in (nn.Conv2d(c, 8, 3, padding=1), nn.ReLU())]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten()), np.ones((8, 3, 16, 16), np.float32)


@pytest.mark.parametrize("network", [multilayer, convolutional], ids=lambda f: f.__name__)
def test_memory_of_a_network(network: Any) -> None:
    model, x = network()
    optimizer = optim.SGD(model.parameters(), lr=1e-3)

    def train(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    train(x)
    optimizer.zero_grad()
    tracemalloc.start()
    try:
        train(x)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    step: Any = ag.compile(train)
    for _ in range(4):
        step(x)
    plan = step.plan
    made = sum(s.nbytes for s in plan.slots if s.kind == "result" and not s.view)
    assert 0 < plan.arena.nbytes <= most
    gradients = sum(p.data.nbytes for p in model.parameters())  # are left behind
    assert plan.nbytes - plan.arena.nbytes <= gradients
    assert plan.nbytes < 0.6 * made


# -- sums over rows ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(600, 64), (1, 40_000), (257, 130), (333, 1001)])
def test_sums_over_rows_are_added_in_order(shape: Any, dtype: Any) -> None:
    plan = replayed(lambda x: ((x * 2).sum(0), np.add.reduce(x), np.sum(x - 1, axis=(0,))), odd(shape, dtype))
    names = [call.name for call in plan.calls if getattr(call.fun, "__name__", "") == "column_sums"]
    assert len(names) == 3
    x = np.full(shape, -0.0, dtype)
    assert plan.run((x,), {})[1].tobytes() == np.add.reduce(x).tobytes()


@pytest.mark.usefixtures("how")
def test_other_sums_stay_numpys() -> None:
    x, wide = odd((700, 65)), odd((70_000, 3))
    plan = replayed(
        lambda x, wide: (x.sum(1), x.T.sum(0), wide.sum(0), x.sum(0, dtype=np.float64),
                         x.sum(0, keepdims=True), np.add.reduce(x[:, ::2]), (x > 0).sum(0),
                         x.reshape(7, 100, 65).sum(0)),
        x, wide)  # fmt: skip
    assert not [c for c in plan.calls if getattr(c.fun, "__name__", "") == "column_sums"]
