"""Graphs of the engine are drawn, read back from every form, and compared with what was computed."""

from __future__ import annotations

import gc
import re
import weakref
from collections import Counter
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.draw import Graph, draw
from autograd_core.node import Node, next_id
from autograd_core.value import Value

from .picture_readers import READERS, Found
from .pictures import Record, random_tensors, random_values, shown

RANDOM = {"tensors": random_tensors, "values": random_values}
SEEDS = range(25)


def written(graph: Graph, form: str) -> str:
    result: str = getattr(graph, form)()
    return result


def drawn(record: Record) -> Graph:
    return draw(record.root, names=dict(record.things), fold=False, max_nodes=None)


# -- graphs of the engine --------------------------------------------------------------------------


def edges_of(found: Found) -> Counter[tuple[str, str, str]]:
    """Return (number of input, operation, number of output), as often as each is there."""
    title = {key: lines[0] for key, lines in found.lines.items()}
    number = {key: line.partition(":")[0] for key, line in title.items()}
    result = {a: b for a, b in found.edges if found.kinds[a] == "operation"}
    return Counter((number[a], title[b], number[result[b]])
                   for a, b in found.edges if found.kinds[b] == "operation")  # fmt: skip


@pytest.mark.parametrize("kind", RANDOM)
@pytest.mark.parametrize("form", READERS)
def test_nodes_edges_and_multiplicities_are_the_engine_s(form: str, kind: str) -> None:
    for seed in SEEDS:
        record = RANDOM[kind](seed)
        found = READERS[form](written(drawn(record), form))
        there = record.reachable()
        expected = Counter(
            (i.partition(":")[0], record.made[name][0], name.partition(":")[0])
            for name in there if name in record.made for i in record.made[name][1]
        )  # fmt: skip
        assert edges_of(found) == expected, seed
        names = [lines[0] for key, lines in found.lines.items() if found.kinds[key] != "operation"]
        assert len(names) == len(there), seed
        for name in there:
            (line,) = (n for n in names if n.startswith(name.partition(":")[0] + ":"))
            full = shown(name) if form != "json" else name
            if form == "mermaid":
                full = " ".join(full.split())
            assert line == full or (line.endswith("…") and full.startswith(line[:-1])), seed


@pytest.mark.parametrize("kind", RANDOM)
@pytest.mark.parametrize("form", READERS)
def test_every_printed_number_is_the_engine_s(form: str, kind: str) -> None:
    compared = 0
    for seed in SEEDS:
        record = RANDOM[kind](seed)
        found = READERS[form](written(drawn(record), form))
        lines = {rows[0].partition(":")[0]: rows[1:] for key, rows in found.lines.items()
                 if found.kinds[key] != "operation"}  # fmt: skip
        for name in record.reachable():
            thing, rows = record.things[name], lines[name.partition(":")[0]]
            if not isinstance(thing, Value):
                assert f"{thing.shape} {thing.dtype}" in rows, seed
            told = {row.split()[0]: row.split(maxsplit=1)[1] for row in rows
                    if row.startswith(("value ", "grad "))}  # fmt: skip
            compare(told["value"], thing if isinstance(thing, np.ndarray) else thing.data)
            if name in record.constants:
                assert "grad" not in told
                continue
            compare(told["grad"], gradient(thing))
            compared += told["grad"] != "—"
    assert compared > 50


def gradient(thing: Any) -> Any:
    """Return what the engine holds; of a Value, 0.0 before any backward pass is no gradient."""
    if isinstance(thing, Value):
        return thing.grad if thing.grad or thing._mark else None
    return thing.node.grad if isinstance(thing.node, Node) else thing.grad


def compare(line: str, x: Any) -> None:
    """Compare what a line says of an array with the array: its numbers, or mean and deviation."""
    if x is None:
        assert line == "—"
        return
    a = np.asarray(x, float)
    if not a.size:
        assert line == "empty"
        return
    numbers = [float(n) for n in re.findall(r"-?(?:\d[\d.]*(?:e[+-]?\d+)?|inf|nan)", line)]
    with np.errstate(all="ignore"):
        unit = np.abs(a).max() if 0 < np.abs(a).max() < np.inf else 1.0
        told = [(a / unit).mean() * unit, (a / unit).std() * unit] if "mean" in line else a.ravel()
    if "mean" not in line:
        assert line.count("[") == (0 if not a.ndim else 1 + sum(np.cumprod(a.shape[:-1])))
    assert numbers[: len(told)] == pytest.approx(told, rel=1e-3, abs=1e-40, nan_ok=True)


LINE = re.compile(r"(\w+) = (\w+)(?:\((.*?)\))? +\(2,\) float\d+ +value \[(.*?)\] +grad .*")


def test_the_text_is_the_program_that_was_run() -> None:
    """Run the text again: every line is a call whose result has the values that it says."""
    rng = np.random.default_rng(0)
    for seed in SEEDS:
        names = [f"x{i}" for i in range(3)]
        things = {n: ag.tensor(rng.standard_normal(2), requires_grad=True) for n in names}
        for i in range(3, 12):
            a, b = (names[int(j)] for j in rng.integers(0, i, 2))
            op = ("add", "multiply", "tanh", "negative")[int(rng.integers(4))]
            inputs = [things[a], things[b]] if op in ("add", "multiply") else [things[a]]
            names.append(f"x{i}")
            things[f"x{i}"] = getattr(ag, op)(*inputs)
        values: dict[str, Any] = {}
        for line in draw(things["x11"], names=things).text().splitlines():
            found = LINE.fullmatch(line)
            assert found, (seed, line)
            name, op, arguments, shown_values = found.groups()
            values[name] = things[name].data if op == "input" else getattr(np, op)(
                *(values[a] for a in arguments.split(", ")))  # fmt: skip
            assert [float(n) for n in shown_values.split(", ")] == pytest.approx(values[name], rel=1e-3)
        assert "x11" in values


# -- modules ---------------------------------------------------------------------------------------


class Block(nn.Module):
    """Modules within modules, one of them used twice, and operations between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
        self.gate = nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        h = self.gate(x).tanh() * self.first(x)
        return self.gate(h) + x


@pytest.mark.parametrize("form", ["dot", "mermaid", "json"])
def test_operations_stand_in_the_module_that_called_them(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nn.manual_seed(0)
    model = nn.Sequential(Block(), nn.ReLU(), Block())
    path = {id(m): name for name, m in model.named_modules()}
    spans: list[tuple[int, int, str]] = []  # of node numbers, by the module that was called, inner first
    call = nn.Module.__call__

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        start = next_id()
        out = call(self, *args, **kwargs)
        spans.append((start, next_id(), path[id(self)]))
        return out

    x = ag.tensor(np.linspace(-1, 1, 6, dtype="f").reshape(2, 3), requires_grad=True)
    with monkeypatch.context() as patch:
        patch.setattr(nn.Module, "__call__", watched)
        stack, seen = [model(x).node], {}
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node.id not in seen:
            within = next(name for start, end, name in spans if start < node.id < end)
            seen[node.id] = within, node.primitive.name
            stack += node.edges
    found = READERS[form](written(draw(model, x, depth=None, fold=False, max_nodes=None), form))
    names = {key: titles[0] for key, titles in found.titles.items()}
    told = Counter((names[found.inside[key]], lines[0]) for key, lines in found.lines.items()
                   if found.kinds[key] == "operation")  # fmt: skip
    outermost = {name for key, name in names.items() if not found.inside[key]}
    assert len(outermost) == 1
    expected = Counter((within or outermost.copy().pop(), op) for within, op in seen.values())
    assert told == expected
    for key, name in names.items():  # the box of "0.first" stands in the box of "0"
        if name not in outermost:
            parent = names[found.inside[key]]
            assert (name.rpartition(".")[0] or next(iter(outermost))) == parent


# -- a picture changes nothing, and keeps nothing --------------------------------------------------


def state(record: Record) -> dict[str, Any]:
    def of(thing: Any) -> Any:
        if isinstance(thing, Value):
            return repr((thing.data, thing.grad, thing._mark))
        if isinstance(thing, np.ndarray):
            return thing.tobytes()
        grad = gradient(thing)
        return (thing.data.tobytes(), None if grad is None else grad.tobytes(), thing.version,
                thing.requires_grad, id(thing.node))  # fmt: skip

    return {name: of(thing) for name, thing in record.things.items()}


@pytest.mark.parametrize("kind", RANDOM)
def test_drawing_changes_nothing_in_any_form(kind: str) -> None:
    for seed in range(8):
        record = RANDOM[kind](seed)
        before = state(record)
        graph = drawn(record)
        for form in (*READERS, "text", "html"):
            written(graph, form)
        graph._repr_mimebundle_()
        assert state(record) == before
        assert ag.is_grad_enabled()


def test_drawing_in_between_changes_no_gradient() -> None:
    def run(look: bool) -> tuple[Any, Any]:
        x = ag.tensor(np.linspace(-1, 1, 6).reshape(2, 3), requires_grad=True)
        y = ag.tanh(x) * x
        _ = look and draw(y).svg()
        loss = (y @ y.T).sum()
        _ = look and draw(loss, names={"x": x}).json()
        loss.backward()
        _ = look and draw(loss).mermaid()
        (x * x).sum().backward()
        return x.grad, x.version

    (grad, version), (quiet, other) = run(True), run(False)
    assert grad.tobytes() == quiet.tobytes()
    assert version == other


@pytest.mark.parametrize("form", [*READERS, "text", "html"])
def test_a_graph_is_freed_while_its_picture_lives(form: str) -> None:
    x = ag.tensor(1.0, requires_grad=True)
    y = ag.exp(x * 2.0)
    nodes = [weakref.ref(y.node), weakref.ref(y.node.edges[0])]
    gc.collect()
    gc.disable()
    try:
        graph = draw(y)
        written(graph, form)
        del y
        assert [node() for node in nodes] == [None, None]
    finally:
        gc.enable()
