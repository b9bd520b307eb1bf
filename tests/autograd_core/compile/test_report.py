"""The table of a plan, its times, and what its calls cost by arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compile.costs import KINDS
from autograd_core.errors import CompileError

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)
Y = np.linspace(0, 1, 8, dtype=np.float32).reshape(4, 2)


class Network:
    """A small network with everything that a step may write to, and its compiled step."""

    def __init__(self) -> None:
        ag.random.manual_seed(3)
        self.model = nn.Sequential(
            nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 2)
        )
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)

        def train(inputs: Any, targets: Any) -> Any:
            self.optimizer.zero_grad()
            loss = ((self.model(inputs) - targets) ** 2).mean()
            loss.backward()
            self.optimizer.step()
            return loss

        self.step: Any = ag.compile(train)

    def called(self, times: int = 6) -> Network:
        for _ in range(times):
            self.step(X, Y)
        return self

    def state(self) -> list[Any]:
        """Return every bit that a step may change."""
        model = self.model
        arrays = [
            *model.buffers(),
            *(a for p in model.parameters() for a in (p.data, p.grad) if a is not None),
        ]
        arrays += [
            b for p in model.parameters() for b in self.optimizer.state[p].values() if hasattr(b, "tobytes")
        ]
        return [a.tobytes() for a in arrays] + [repr(ag.random.generator().bit_generator.state)]


@pytest.fixture(scope="module")
def network() -> Network:
    return Network().called()


def rows_of(fun: Any, *args: Any) -> list[Any]:
    step: Any = ag.compile(fun)
    for _ in range(5):
        step(*args)
    return step.plan.rows()


# -- the table --------------------------------------------------------------------------------------


def test_a_call_is_a_line_with_the_names_that_people_use(network: Network) -> None:
    lines = str(network.step.plan).splitlines()
    first = next(i for i, line in enumerate(lines) if "self.model(inputs)" in line)
    assert lines[first].startswith("test_report.py:")
    assert lines[first + 1].split() == [
        "0",
        "matmul(inputs,",
        "0.weight.T)",
        "(4,",
        "5)",
        "float32",
        "80",
        "B",
        "block",
        "0",
    ]
    assert "add(%0, 0.bias)" in lines[first + 2]
    assert lines[first + 2].endswith("over %0")


def test_what_the_step_leaves_behind_is_named(network: Network) -> None:
    rows = network.step.plan.rows()
    kept = {name for row in rows for name in row.kept}
    assert {f"{i}.{name}.grad" for i in (0, 1, 4) for name in ("weight", "bias")} | {"returned"} <= kept
    written = {array.name for row in rows for array in row.writes}
    assert any("weight" in name for name in written)
    assert all(row.in_place for row in rows if row.writes)


def test_names_are_unique(network: Network) -> None:
    leaves: dict[str, set[str]] = {}
    for row in network.step.plan.rows():
        for array in row.reads:
            if array.kind != "constant" and not array.key.startswith("%"):
                leaves.setdefault(array.name, set()).add(array.key)
    assert {"inputs", "targets", "0.weight", "lr"} <= leaves.keys()
    assert all(len(keys) == 1 for keys in leaves.values()), leaves


def test_the_summary_counts_every_captured_call() -> None:
    w = ag.tensor(np.ones((4, 3)), requires_grad=True)

    def train(x: Any) -> Any:
        w.grad = None
        x * 3.0  # nobody reads it
        (ag.exp(x @ w) + ag.exp(x @ w)).sum().backward()

    step: Any = ag.compile(train)
    for _ in range(5):
        step(np.ones((2, 4)))
    told = str(step.plan).splitlines()[-3:]
    assert told[0].startswith(f"calls: {step.plan.captured} captured, {len(step.plan.lines)} replayed (")
    assert "were made before" in told[0]
    assert "nobody reads" in told[0]
    assert told[1].startswith("memory: ")
    assert told[2].startswith("guards: ")


def test_it_is_a_table_in_a_notebook(network: Network) -> None:
    page = network.step.plan._repr_html_()
    assert page.count("<tr") == 1 + len(network.step.plan.lines) + len(
        {r.line for r in network.step.plan.rows()}
    )
    assert "<b>loss.backward()</b>" in page
    assert repr(network.step.plan).startswith("<Plan of train: ")


def test_calls_that_run_block_by_block_are_one_row_of_several_lines() -> None:
    x = np.ones((300, 300), np.float32)
    rows = rows_of(lambda x: ag.tanh(x) * 0.5 + x, x)
    assert [row.title for row in rows] == ["3 calls, by blocks"]
    assert rows[0].parts[0] == "%0.0 = tanh(x)"
    assert rows[0].parts[2].endswith("add(%0.1, x)")
    assert rows[0].flops == 3 * x.size
    assert (rows[0].read, rows[0].written) == (x.nbytes, x.nbytes)


# -- times ------------------------------------------------------------------------------------------


def test_measuring_changes_no_bit() -> None:
    measured, twin = Network().called(), Network().called()
    before = measured.state()
    ag.random.manual_seed(5)
    generator = measured.state()[-1]
    held = [p.grad for p in measured.model.parameters()]
    measured.step.plan.times(X, Y, repetitions=3)
    assert measured.state()[:-1] == before[:-1]
    assert measured.state()[-1] == generator
    assert all(p.grad is g for p, g in zip(measured.model.parameters(), held, strict=True))
    for network in (measured, twin):
        ag.random.manual_seed(7)
        network.called(2)
    assert measured.state() == twin.state()


def test_every_call_has_a_time_once_it_was_measured(network: Network) -> None:
    plan = Network().called().step.plan
    assert all(row.time is None for row in plan.rows())
    shown = str(plan.times(X, Y, repetitions=2))
    assert all(row.time > 0 for row in plan.rows())
    assert shown.splitlines()[-1].startswith("time: ")
    assert shown.count(" us") == len(plan.lines) + 1


def test_other_arguments_are_refused_and_nothing_is_left_behind() -> None:
    network = Network().called()
    with pytest.raises(CompileError, match="another step than the plan was made of"):
        network.step.plan.times(X[:2], Y)
    with pytest.raises(ValueError, match="repetitions=0"):
        network.step.plan.times(X, Y, repetitions=0)
    before = network.state()
    network.step(X, Y)
    assert network.state() != before


def test_a_step_that_raises_while_it_is_measured_is_put_back() -> None:
    w = ag.tensor(np.ones(3), requires_grad=True)
    labels = np.array([0, 1])

    def train(labels: Any) -> Any:
        w.grad = None
        with ag.no_grad():
            w.data -= 0.5
        loss = nn.functional.cross_entropy(w.reshape(1, 3) * np.ones((2, 1)), labels)
        loss.backward()
        return loss

    step: Any = ag.compile(train)
    for _ in range(5):
        step(labels)
    before = w.data.copy()
    with pytest.raises((ValueError, IndexError)):
        step.plan.times(np.array([0, 7]), repetitions=1)
    np.testing.assert_array_equal(w.data, before)


# -- costs ------------------------------------------------------------------------------------------

A, B = np.ones((5, 7)), np.ones((7, 3))
COSTS = {
    "matmul": (lambda a, b: a @ b, (A, B), "matrix product", 2 * 5 * 7 * 3, (A.nbytes + B.nbytes, 15 * 8)),
    "dot": (
        lambda a, b: np.dot(a, b),
        (A, B),
        "matrix product",
        2 * 5 * 7 * 3,
        (A.nbytes + B.nbytes, 15 * 8),
    ),
    "tensordot": (
        lambda a, b: np.tensordot(a, b, 1),
        (A, B),
        "matrix product",
        2 * 5 * 7 * 3,
        (A.nbytes + B.nbytes, 15 * 8),
    ),
    "add": (lambda a, b: a[:, :3] + b[:5], (A, B), "elementwise", 15, None),
    "square": (lambda a: a * a, (A,), "elementwise", 35, (A.nbytes, A.nbytes)),
    "sum": (lambda a: a.sum(axis=0), (A,), "reduction", 35, (A.nbytes, 7 * 8)),
    "concatenate": (lambda a: np.concatenate([a, a * 2]), (A,), "copy", 0, (2 * A.nbytes, 2 * A.nbytes)),
    "take": (lambda a: np.take(a, np.array([0, 1]), axis=0), (A,), "copy", 0, (2 * 8 + 14 * 8, 14 * 8)),
    "convolution": (
        lambda x, w: nn.functional.conv2d(x, w),
        (np.ones((1, 2, 5, 5)), np.ones((3, 2, 3, 3))),
        "kernel",
        2 * 3 * 3 * 3 * 2 * 3 * 3,
        None,
    ),
}


@pytest.mark.parametrize("name", COSTS)
def test_what_a_call_costs(name: str) -> None:
    fun, args, kind, flops, traffic = COSTS[name]
    row = rows_of(fun, *args)[-1]
    assert (row.kind, row.flops) == (kind, flops)
    assert row.kind in KINDS
    if traffic is not None:
        assert (row.read, row.written) == traffic


def test_a_broadcast_array_is_read_once() -> None:
    rows = rows_of(lambda a: np.broadcast_to(a, (100, 7)) * 2.0, np.ones(7))
    assert (rows[-1].read, rows[-1].written) == (7 * 8, 700 * 8)


# -- what somebody holds ----------------------------------------------------------------------------


def test_gradients_that_somebody_holds_are_never_written_over() -> None:
    w, v = (ag.tensor(np.ones(3, np.float32), requires_grad=True) for _ in range(2))

    @ag.compile
    def step(x: Any) -> None:
        w.grad = v.grad = None
        (w * x + v * x * 2).sum().backward()

    for i in range(6):
        step(np.full(3, i, np.float32))
    held = w.grad, v.grad
    step(np.full(3, 8, np.float32))
    assert [a.tolist() for a in held] == [[5.0] * 3, [10.0] * 3]


def test_a_plan_that_is_bound_again_leaves_what_is_held() -> None:
    w = ag.tensor(np.ones(3, np.float32), requires_grad=True)
    options = {"scale": 0.5}

    @ag.compile
    def step(x: Any) -> None:
        w.grad = None
        (w * x * options["scale"]).sum().backward()

    for i in range(6):
        step(np.full(3, i, np.float32))
    options["scale"] = float("0.5")  # equal, and another object
    step(np.full(3, 6, np.float32))
    held = w.grad
    step(np.full(3, 8, np.float32))
    assert held.tolist() == [3.0] * 3
