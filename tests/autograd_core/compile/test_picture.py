"""The picture of a compiled step: ``ag.draw(step)``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.errors import CompileError

X, Y = np.ones((4, 6), np.float32), np.zeros((4, 2), np.float32)


@pytest.fixture(scope="module")
def step() -> Any:
    ag.random.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @ag.compile
    def train(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(6):
        train(X, Y)
    return train


def named(picture: Any, kind: str) -> dict[str, Any]:
    return {v.name: v for v in picture.vertices if v.kind == kind}


def test_every_call_is_there_between_what_it_reads_and_what_it_leaves(step: Any) -> None:
    picture = ag.draw(step).whole
    calls = [v for v in picture.vertices if v.kind == "operation"]
    assert len(calls) == len(step.plan.lines)
    assert calls[0].name == "matmul"
    assert calls[0].params == "(4, 5) float32"
    assert {"x", "y"} <= named(picture, "input").keys()
    assert named(picture, "parameter").keys() == {"0.weight", "0.bias", "2.weight", "2.bias"}
    outputs = named(picture, "output").keys()
    assert {"returned", "0.weight.grad", "2.bias.grad"} <= outputs
    assert any(name.endswith("is written") for name in outputs)
    keys = {v.key for v in picture.vertices}
    assert all(e.source in keys and e.target in keys for e in picture.edges)
    into = {e.source for e in picture.edges if e.target == calls[0].key}
    assert into == {named(picture, "input")["x"].key, named(picture, "parameter")["0.weight"].key}


def test_lines_of_code_are_boxes_and_can_be_closed(step: Any) -> None:
    lines = [g.name for g in ag.draw(step).picture.groups]
    assert "loss.backward()" in lines
    assert "optimizer.step()" in lines
    closed = ag.draw(step, depth=0).picture
    assert [v.name for v in closed.vertices if v.kind == "module"] == lines
    assert not named(closed, "operation")


def test_its_order_is_that_of_the_calls(step: Any) -> None:
    picture = ag.draw(step).whole
    place = {v.key: i for i, v in enumerate(picture.vertices)}
    assert all(place[e.source] < place[e.target] for e in picture.edges)


def test_a_long_plan_is_closed_and_cut() -> None:
    w = ag.tensor(np.ones(3), requires_grad=True)

    @ag.compile
    def long(x: Any) -> Any:
        for i in range(150):
            x = ag.tanh(x * w) if i % 3 else ag.sin(x + i)
        return x

    for _ in range(5):
        long(np.ones(3))
    assert len(ag.draw(long).picture.vertices) <= 200
    assert len(ag.draw(long, max_nodes=None, fold=False, depth=None).picture.vertices) > 250


def test_it_is_written_in_every_form(step: Any, tmp_path: Any) -> None:
    graph = ag.draw(step)
    assert graph.direction == "TB"
    assert graph.text() == f"{step.plan}\n"
    assert repr(graph).startswith(f"<PlanGraph: {len(step.plan.lines)} calls, ")
    for ending in ("svg", "html", "dot", "json", "mmd", "txt"):
        assert "matmul" in graph.save(tmp_path / f"plan.{ending}").read_text(encoding="utf-8")
    assert "value" not in graph.svg().split("</style>")[1].split('class="legend"')[0]


def test_a_plan_is_drawn_as_its_step_is(step: Any) -> None:
    assert ag.draw(step.plan).svg() == ag.draw(step).svg()
    assert ag.draw(step, direction="LR").direction == "LR"


def test_times_stand_in_the_boxes_once_measured(step: Any) -> None:
    try:
        step.plan.times(X, Y, repetitions=1)
        assert all(v.params.endswith(" us") for v in ag.draw(step).whole.vertices if v.kind == "operation")
    finally:
        step.plan.measured = None


def test_a_step_that_was_not_captured_says_so() -> None:
    with pytest.raises(CompileError, match="not captured yet"):
        ag.draw(ag.compile(lambda x: x))


def test_with_arguments_the_function_is_run_and_drawn(step: Any) -> None:
    graph = ag.draw(ag.compile(lambda x: ag.tanh(x)), np.ones(2))
    assert "tanh" in graph.text()
    assert "PlanGraph" not in repr(graph)
