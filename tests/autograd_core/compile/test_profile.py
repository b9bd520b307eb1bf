"""``ag.profile``: nothing of the step changes, and the sentences say what the numbers say."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compile import limits
from autograd_core.compile.describe import Row
from autograd_core.compile.limits import Limits, measured
from autograd_core.compile.profile import Profile
from autograd_core.compile.snapshot import Snapshot
from autograd_core.compile.timing import Times
from autograd_core.errors import CompileError

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)
Y = np.array([0, 1, 1, 0])
LIMITS = Limits("float32", 1e11, None, ((1 << 12, 5e10), (1 << 24, 1e10)),
                {"elementwise": 2e-7, "matrix product": 5e-7, "reduction": 4e-7, "copy": 2e-7})  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the machine with less patience, but where a test is about that."""
    monkeypatch.setattr(limits, "ENOUGH", 50_000)


class Run:
    """A model whose step creates the state of its optimizer, counts in a buffer, draws, and adds up."""

    def __init__(self) -> None:
        ag.random.manual_seed(3)
        self.model = nn.Sequential(
            nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 2)
        )
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.1)
        self.total = np.zeros(())

    def train(self, x: Any, labels: Any) -> Any:
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), labels)
        loss.backward()
        self.optimizer.step()
        self.total += loss.data
        return loss

    def state(self) -> list[Any]:
        held = list(self.model.parameters())
        return [
            *(p.data.tobytes() for p in held),
            *(p.grad is None or p.grad.tobytes() for p in held),
            *(p.version for p in held),
            *(b.tobytes() for b in self.model.buffers()),
            self.total.tobytes(),
            repr(ag.random.generator().bit_generator.state),
            sorted(vars(self.optimizer)),
            len(self.optimizer.state),
        ]


# -- nothing changes --------------------------------------------------------------------------------


def test_a_function_that_was_not_compiled_is_as_it_was() -> None:
    run, twin = Run(), Run()
    run.train(X, Y), twin.train(X, Y)
    run, twin = Run(), Run()
    ag.random.manual_seed(4)
    before = run.state()
    report = ag.profile(run.train, X, Y, repetitions=2)
    assert run.state() == before
    assert len(run.optimizer.state) == 0
    assert all(p.grad is None for p in run.model.parameters())
    assert report.name == "train"
    states = []
    for each in (run, twin):
        ag.random.manual_seed(5)
        losses = [each.train(X, Y).item() for _ in range(3)]
        states.append([losses, *(p.data.tobytes() for p in each.model.parameters())])
    assert states[0] == states[1]


def test_a_compiled_step_keeps_its_plan_and_its_state() -> None:
    run = Run()
    step: Any = ag.compile(run.train)
    for _ in range(6):
        step(X, Y)
    plan, before = step.plan, run.state()
    report = ag.profile(step, X, Y, repetitions=2)
    assert run.state() == before
    assert step.plan is plan
    assert len(report.rows) == len(plan.lines)


def test_arguments_that_the_step_writes_to_are_put_back() -> None:
    x = np.ones(3)

    def halve(x: Any) -> None:
        x *= 0.5

    ag.profile(halve, x, repetitions=2)
    np.testing.assert_array_equal(x, np.ones(3))


def test_what_a_partial_and_a_raising_step_wrote_is_put_back() -> None:
    total, calls = np.zeros(2), []

    def add(total: Any, x: Any) -> None:
        total += x
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("in the second call")

    with pytest.raises((RuntimeError, CompileError)):
        ag.profile(partial(add, total), np.ones(2), repetitions=2)
    np.testing.assert_array_equal(total, np.zeros(2))
    assert calls == []


def test_an_array_that_was_not_saved_is_an_error() -> None:
    w = np.ones(3)
    fun = lambda x: w + x
    snapshot = Snapshot(fun, (np.ones(3),), {})
    watch = snapshot.watch
    snapshot.check(watch)
    snapshot.ids.discard(id(w))
    with pytest.raises(CompileError, match="was not found before the step ran"):
        snapshot.check(watch)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a function"):
        ag.profile(3)  # type: ignore[arg-type]


def test_a_step_that_cannot_be_captured_says_so_and_is_put_back() -> None:
    w = np.ones(3)

    def step() -> None:
        w[...] = w * 2
        if w.sum() > 0:
            w[...] = w + 1

    with pytest.raises(CompileError, match="branch"):
        ag.profile(step)
    np.testing.assert_array_equal(w, np.ones(3))


# -- limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_the_limits_of_this_machine(dtype: Any) -> None:
    found = measured(dtype)
    assert found.dtype == np.dtype(dtype).name
    assert found.flops > 1e7
    assert found.cache >= found.memory > 1e7
    assert all(1e-9 <= seconds < 1e-2 for seconds in found.calls.values())


@pytest.mark.parametrize(
    ("flops", "nbytes", "kind", "seconds"),
    [
        (10**9, 1000, "matrix product", 1e-2),
        (1000, 1 << 24, "elementwise", (1 << 24) / 1e10),
        (1000, 1 << 20, "elementwise", (1 << 20) / 5e10),
        (None, 8, "kernel", 2e-7),
        (None, 8, "reduction", 4e-7),
        (0, 0, "view", 0.0),
    ],
)
def test_the_bound_of_a_call(flops: int | None, nbytes: int, kind: str, seconds: float) -> None:
    assert LIMITS.bound(flops, nbytes, kind) == pytest.approx(seconds)


# -- what it says -----------------------------------------------------------------------------------


def row(number: int, kind: str, time: float, flops: int = 0, nbytes: int = 0) -> Row:
    return Row(number, kind, f"call_{number}(x)", kind, (), (), (), "", False, nbytes, 0, flops, ("a.py", 3),
               "code", "float32", time=time)  # fmt: skip


def report(rows: list[Row], python: float = 0.0) -> Profile:
    times = {r.number: r.time or 0.0 for r in rows}
    return Profile("step", rows, Times(sum(times.values()) + python, 0.0, times, 5), LIMITS)


def test_time_is_all_accounted_for() -> None:
    found = report([row(0, "matrix product", 1e-3, 10**7), row(1, "copy", 2e-3), row(2, "copy", 1e-3)], 1e-3)
    assert found.total == pytest.approx(sum(time for _, _, time in found.kinds()) + found.python)
    assert [kind for kind, _, _ in found.kinds()] == ["copy", "matrix product"]
    assert [r.number for r in found.slowest()] == [1, 0, 2]
    assert found.least == pytest.approx(1e-4 + 2e-7 + 2e-7)
    assert found.reached(found.rows[0]) == pytest.approx(0.1)
    assert found.answer == ("This step could take at least 100.4 us on this machine; it takes 5,000 us "
                            "(2% of the limit).")  # fmt: skip


VERDICTS = {
    "products": (
        [row(0, "matrix product", 8e-4, 10**7), row(1, "elementwise", 1e-4)],
        0.0,
        "Call 0, call_0(x), takes 89% of the time, at 12% of the machine's limit.",
    ),
    "several": (
        [row(0, "copy", 6e-4), row(1, "copy", 1e-4), row(2, "elementwise", 1e-5)],
        0.0,
        "2 copies take 99% of the time, most of it in call 0, call_0(x), at 0% of the machine's limit.",
    ),
    "small": (
        [row(i, "elementwise", 3e-7) for i in range(30)] + [row(30, "matrix product", 2e-6)],
        1e-6,
        "The fixed cost of NumPy's calls dominates: 30 of 31 calls",
    ),
    "python": ([row(0, "elementwise", 3e-6)], 9e-6, "Python takes most, 75% of the time"),
    "nothing": ([], 1e-6, "The step makes no calls."),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_one_sentence_says_what_dominates(name: str) -> None:
    rows, python, sentence = VERDICTS[name]
    found = report(rows, python)
    assert found.verdict.startswith(sentence)
    assert str(found).endswith(found.verdict)
    assert found._repr_html_().count("<tr") == 2 + len(rows) + len(found._parts())


def test_calls_of_another_dtype_have_their_own_limits() -> None:
    def products(x: Any, y: Any) -> Any:
        return x @ x, x @ (x + 1), y @ y

    found = ag.profile(products, np.ones((8, 8), np.float32), np.ones((8, 8)), repetitions=2)
    assert found.limits.dtype == "float32"
    assert found.others.keys() == {"float64"}
    assert found.least > 0
