"""Smaller pictures: modules closed, repeats folded, recurrences rolled, neighbourhoods, what fits."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core import nn
from autograd_core.draw import draw
from autograd_core.draw.model import Edge, Group, Picture, Vertex
from autograd_core.draw.reader import extract
from autograd_core.draw.simplify import simplify


def heads(picture: Picture) -> list[str]:
    """Return operations and closed modules, with their numbers."""
    return [v.name + (f" x{v.count}" if v.count > 1 else "")
            for v in picture.vertices if v.kind in ("operation", "module")]  # fmt: skip


def backs(picture: Picture) -> list[tuple[str, str]]:
    return [e[:2] for e in picture.edges if e.back]


def by_name(picture: Picture, name: str) -> Vertex:
    (found,) = (v for v in picture.vertices if v.name == name)
    return found


def sources(picture: Picture, key: str) -> list[str]:
    return [e.source for e in picture.edges if e.target == key and not e.back]


def check(picture: Picture, whole: Picture) -> None:
    """Check what holds of every picture that was made from ``whole``."""
    order = {v.key: i for i, v in enumerate(picture.vertices)}
    assert len(order) == len(picture.vertices)
    for e in picture.edges:
        assert e.source in order
        assert e.target in order
        assert e.back or order[e.source] < order[e.target], "sources come first"
    groups = {g.key: g for g in picture.groups}
    assert {v.group for v in picture.vertices} <= {"", *groups}
    seen = {""}
    for g in picture.groups:
        assert g.parent in seen, "parents come first"
        seen.add(g.key)
    for v in whole.vertices:
        assert v.key in order or picture.stands[v.key] in order


class Block(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.inner = nn.Linear(n, n)

    def forward(self, x: Any) -> Any:
        return x + self.inner(x).tanh()


class Cell(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.w = nn.Parameter(np.eye(n, dtype="f"))
        self.u = nn.Parameter(np.eye(n, dtype="f"))

    def forward(self, x: Any, h: Any) -> Any:
        return (x @ self.w + h @ self.u).tanh()


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = Cell(3)
        self.head = nn.Linear(3, 1)

    def forward(self, xs: Any) -> Any:
        h = np.zeros(3, "f")
        for x in xs:
            h = self.cell(x, h)
        return self.head(h)


@pytest.fixture(scope="module")
def stack() -> Picture:
    """Twelve equal blocks between two layers."""
    model = nn.Sequential(nn.Linear(5, 4), *[Block(4) for _ in range(12)], nn.Linear(4, 1))
    return draw(lambda x: model(x).sum(), np.ones((2, 5)), depth=None, fold=False, max_nodes=None).picture


# -- modules ----------------------------------------------------------------------------------------


def test_depth_says_how_many_levels_are_open(stack: Picture) -> None:
    closed = simplify(stack, depth=0)
    assert heads(closed) == ["model", "sum"]
    model = by_name(closed, "model")
    assert (model.kind, model.params, model.note) == ("module", "Sequential", "269 parameters")
    assert model.shape == (2, 1)
    assert sources(closed, model.key) == [by_name(stack, "x").key]
    assert closed.groups == []
    layers = simplify(stack, depth=1, fold=False)
    assert heads(layers) == [*map(str, range(14)), "sum"]
    assert [g.name for g in layers.groups] == ["model"]
    for depth in (3, None):
        shown = simplify(stack, depth=depth, fold=False)
        assert (shown.vertices, shown.edges, shown.groups) == (stack.vertices, stack.edges, stack.groups)


def test_a_closed_module_shows_what_comes_out_of_it(stack: Picture) -> None:
    layers = simplify(stack, depth=1, fold=False)
    box = next(g for g in stack.groups if g.name == "3")
    ((out, _),) = {(e.source, 0) for e in stack.edges
                   if next(v for v in stack.vertices if v.key == e.source).group == box.key
                   and next(v for v in stack.vertices if v.key == e.target).group not in (
                       box.key, next((g.key for g in stack.groups if g.parent == box.key), ""))}  # fmt: skip
    tensor = next(v for v in stack.vertices if v.key == out)
    module = by_name(layers, "3")
    assert (module.value, module.grad, module.grad_size) == (tensor.value, tensor.grad, tensor.grad_size)
    assert layers.stands[out] == module.key


def test_modules_are_closed_by_name(stack: Picture) -> None:
    shown = simplify(stack, depth=None, fold=False, collapse=["?", "1?"])
    assert heads(shown) == [*map(str, range(14)), "sum"]
    inner = simplify(stack, depth=None, fold=False, collapse="*.inner")
    assert heads(inner).count("tanh") == 12
    assert [n for n in heads(inner) if n.endswith(".inner")] == [f"{i}.inner" for i in range(1, 13)]
    with pytest.raises(ValueError, match="collapse='encoder', expected the name of a module: 'model', '0'"):
        simplify(stack, collapse="encoder")


def test_a_module_that_uses_a_tensor_twice_has_one_edge_from_it() -> None:
    net = nn.Lambda(lambda x: x * x)
    shown = draw(lambda x: net(x * 2.0) * 3.0, ag.tensor(np.ones(2), requires_grad=True), depth=0).picture
    assert [len(sources(shown, v.key)) for v in shown.vertices if v.kind == "module"] == [1]


# -- repeats ----------------------------------------------------------------------------------------


def test_equal_layers_are_shown_once(stack: Picture) -> None:
    for depth, rest in ((1, []), (2, ["tanh", "add"])):
        shown = simplify(stack, depth=depth)
        check(shown, stack)
        if depth == 1:
            assert heads(shown) == ["0", "1 … 12 x12", "13", "sum"]
            folded = by_name(shown, "1 … 12")
            assert sources(shown, folded.key) == [by_name(shown, "0").key]
            assert sources(shown, by_name(shown, "13").key) == [folded.key]
        else:
            (box,) = (g for g in shown.groups if g.count > 1)
            assert (box.name, box.count) == ("1 … 12", 12)
            assert heads(shown) == ["linear", "12.inner", *rest, "linear", "sum"]
        assert backs(shown) == []  # layers with weights of their own are no recurrence


def test_pairs_of_layers_are_shown_once() -> None:
    layers = [layer for _ in range(5) for layer in (nn.Linear(3, 3), nn.Tanh())]
    model = nn.Sequential(*layers)
    shown = draw(model, np.ones((2, 3))).picture
    (box,) = (g for g in shown.groups if g.count > 1)
    assert (box.kind, box.count) == ("repeated", 5)
    assert heads(shown) == ["0 … 8", "1 … 9"]
    assert box.parent == next(g.key for g in shown.groups if g.name == "model")


@pytest.mark.parametrize(("n", "times"), [(3, 1), (4, 4), (100, 100)])
def test_chains_of_operations(n: int, times: int) -> None:
    x = ag.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(n):
        y = ag.tanh(y)
    y.backward()
    shown = draw(y).picture
    assert [v.count for v in shown.vertices if v.kind == "operation"] == [times] * (n // times)
    assert [v.value for v in shown.vertices if v.kind == "output"] == [f"{float(y.data):.4g}"]
    assert backs(shown) == []


def test_a_short_expression_stays_whole() -> None:
    x, w = ([ag.tensor(float(i), requires_grad=True) for i in range(4)] for _ in range(2))
    neuron = ag.tanh(x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3])
    assert heads(draw(neuron).picture) == heads(draw(neuron, fold=False).picture)
    values = [ag.Value(float(i)) for i in range(6)]
    total = values[0]
    for v in values[1:]:
        total = total * v
    assert heads(draw(total).picture) == ["multiply"] * 5


def test_recurrences_of_operations_are_rolled() -> None:
    w, u = (ag.Parameter(np.eye(3, dtype="f"), name=n) for n in "wu")
    xs = ag.tensor(np.ones((7, 3), "f"), requires_grad=True)
    start = ag.tensor(np.zeros(3, "f"), requires_grad=True)
    h = start
    for t in range(7):
        h = ag.tanh(xs[t] @ w + h @ u)
    loss = h.sum()
    whole = draw(loss, fold=False, max_nodes=None).picture
    shown = draw(loss).picture
    check(shown, whole)
    assert heads(shown) == ["getitem", "matmul", "matmul", "add", "tanh", "sum"]
    (box,) = shown.groups
    assert (box.kind, box.count) == ("recurrent", 7)
    key = {v.name: v.key for v in shown.vertices if v.name}
    ((a, b),) = backs(shown)
    assert a == key["h"]  # the last state goes on ...
    assert sources(shown, b) == [key["start"], key["u"]]  # ... and the first came from here
    assert {v.group for v in shown.vertices if v.name in ("w", "u", "xs", "start")} == {""}
    assert by_name(shown, "getitem").params == "index=0 … 6"
    assert [v.value for v in shown.vertices if v.name == "h"] == [
        v.value for v in whole.vertices if v.name == "h"]  # fmt: skip


@pytest.mark.parametrize("depth", [1, 2])
def test_recurrent_modules_are_rolled(depth: int) -> None:
    model = Recurrent()
    xs = np.ones((9, 3), "f")
    shown = draw(model, xs, depth=depth).picture
    whole = draw(model, xs, depth=depth, fold=False, max_nodes=None).picture
    if depth == 1:
        assert heads(whole) == ["cell"] * 9 + ["head"]
        assert heads(shown) == ["cell x9", "head"]
        cell = by_name(shown, "cell").key
        assert backs(shown) == [(cell, cell)]
    else:
        assert heads(shown) == ["matmul", "matmul", "add", "tanh", "head" if depth == 1 else "linear"]
        (box,) = (g for g in shown.groups if g.name == "cell")
        assert box.count == 9
        assert len(backs(shown)) == 1
    assert backs(whole) == []


def test_states_that_are_collected_are_rolled_too() -> None:
    cell = Cell(3)

    def f(xs: Any) -> Any:
        h, states = np.zeros(3, "f"), []
        for x in xs:
            h = cell(x, h)
            states.append(h)
        return ag.stack(states).sum()

    shown = draw(f, np.ones((5, 3)), depth=0).picture
    assert heads(shown) == ["cell x5", "stack", "sum"]
    assert sources(shown, by_name(shown, "stack").key) == [by_name(shown, "cell").key]


def test_layers_that_something_else_looks_into_stay() -> None:
    layers = [nn.Linear(3, 3) for _ in range(5)]

    def f(x: Any) -> Any:
        seen = []
        for layer in layers:
            x = layer(x)
            seen.append(x)
        return x.sum() + (seen[1] * 2.0).sum()

    graph = draw(f, np.ones((2, 3)), depth=0)
    assert graph.error is None
    shown = graph.picture
    assert [v.count for v in shown.vertices if v.kind == "module"] == [1] * 5


def test_parallel_heads_are_shown_once() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.ModuleList([nn.Linear(4, 2) for _ in range(8)])

        def forward(self, x: Any) -> Any:
            return ag.concatenate([head(x) for head in self.heads], axis=1)

    shown = draw(Attention(), np.ones((2, 4))).picture
    assert heads(shown) == ["heads.0 … heads.7 x8", "concatenate"]
    assert backs(shown) == []


def test_repeats_within_repeats() -> None:
    model = nn.Sequential(*[nn.Sequential(*[Block(3) for _ in range(4)]) for _ in range(6)])
    whole = draw(model, np.ones((2, 3)), depth=None, fold=False, max_nodes=None).picture
    shown = simplify(whole, depth=2)
    check(shown, whole)
    assert heads(shown) == ["5.0 … 5.3 x4"]
    assert [(g.name, g.count) for g in shown.groups] == [("model", 1), ("0 … 5", 6)]


# -- what is around, and what fits --------------------------------------------------------------------


def test_focus_shows_what_is_around(stack: Picture) -> None:
    x = ag.tensor(0.5, requires_grad=True)
    a = ag.exp(x)
    b = ag.sin(a)
    c = ag.cos(b)
    d = ag.tanh(c)
    near = draw(d, focus=b, radius=1).picture
    assert heads(near) == ["sin", "cos"]
    assert [v.name for v in near.vertices if v.kind != "operation"] == ["a", "b", "c"]
    assert heads(draw(d, focus="a", radius=3).picture) == ["exp", "sin", "cos"]
    assert heads(draw(d, focus="sin", radius=0).picture) == ["sin"]
    chain = [x]
    for _ in range(12):
        chain.append(ag.tanh(chain[-1]))
    assert "chain[3]" in [v.name for v in draw(chain[-1], focus=chain[3]).picture.vertices]
    module = simplify(stack, focus="4", radius=1, fold=False)
    assert heads(module) == ["3", "4", "5"]
    opened = simplify(stack, focus="4.inner.weight", radius=2)
    assert by_name(opened, "linear").group
    assert "4.inner" in [g.name for g in opened.groups]
    with pytest.raises(ValueError, match=r"focus='4.inner.wait', expected a name .*; try '4.inner"):
        simplify(stack, focus="4.inner.wait")


def test_what_does_not_fit_is_closed_then_folded_then_cut() -> None:
    deep = nn.Sequential(*[nn.Sequential(*[nn.Linear(k, k + 1) for k in range(i, i + 5)])
                           for i in range(1, 40, 5)])  # fmt: skip
    x = np.ones((2, 1))
    whole = draw(deep, x, depth=None, fold=False, max_nodes=None).picture
    assert heads(simplify(whole, depth=2, max_nodes=60))[:2] == ["0.0", "0.1"]
    assert heads(simplify(whole, depth=2, max_nodes=20)) == [*map(str, range(8))]
    assert heads(simplify(whole, depth=2, max_nodes=5)) == ["deep"]

    y, rng = ag.tensor(0.5, requires_grad=True), np.random.default_rng(0)
    for i in rng.integers(6, size=500):
        y = [ag.tanh, ag.sin, ag.cos, ag.negative, ag.square, ag.sigmoid][i](y)
    assert len(draw(y, max_nodes=2000, fold=False).picture.vertices) == 1001
    cut = draw(y, max_nodes=50).picture
    assert len(cut.vertices) <= 50
    first = cut.vertices[0]
    hidden = 500 - sum(v.count for v in cut.vertices if v.kind == "operation")
    assert first.name == f"{hidden:,} more operations"
    assert "focus=" in first.note
    assert cut.vertices[-1].kind == "output"
    z = ag.tensor(0.5, requires_grad=True)
    for _ in range(500):
        z = ag.tanh(z)
    assert heads(draw(z, fold=False, max_nodes=50).picture) == ["tanh x500"]


def test_a_run_does_not_reach_into_the_one_before() -> None:
    x, w = ag.tensor(0.5, requires_grad=True), ag.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(8):
        y = ag.tanh(y)
    for _ in range(8):
        y = ag.tanh(y) * w
    whole = draw(y, fold=False).picture
    shown = simplify(whole)
    check(shown, whole)
    assert sum(v.count for v in shown.vertices if v.name == "tanh") < 16


# -- of every picture ---------------------------------------------------------------------------------


@st.composite
def pictures(draw: Any) -> Picture:
    """Draw graphs of few kinds of operations in nested groups, with repeats that nearly are."""
    n_groups = draw(st.integers(0, 6))
    groups: list[Group] = []
    around = [""]
    for i in range(n_groups):  # within the one before, or within one around that
        around = around[: draw(st.integers(1, len(around)))]
        groups.append(Group(f"m{i}", draw(st.sampled_from("abc")), "K", around[-1]))
        around.append(f"m{i}")
    vertices = [Vertex(f"t{i}", "input", "", shape=()) for i in range(2)]
    edges: list[Edge] = []
    results = [v.key for v in vertices]
    for i in range(2, draw(st.integers(3, 40))):
        # A module's call is one stretch of time: groups are left for good.
        home = f"m{min(i * n_groups // 40, n_groups - 1)}" if n_groups else ""
        op = Vertex(f"op{i}", "operation", draw(st.sampled_from(["f", "g"])), group=home)
        inputs = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
        edges += [Edge(results[-min(k, len(results))], op.key) for k in inputs]
        edges.append(Edge(op.key, f"t{i}"))
        vertices += [op, Vertex(f"t{i}", "result", shape=(), group=home)]
        results.append(f"t{i}")
    vertices[-1].kind, vertices[-1].group = "output", ""
    return Picture(vertices, edges, groups)


@given(pictures(), st.integers(0, 3), st.booleans(), st.sampled_from([None, 3, 12]))
@settings(max_examples=300, deadline=None)
def test_every_picture_stays_sound(whole: Picture, depth: int, fold: bool, most: Any) -> None:
    before = deepcopy(whole)
    shown = simplify(whole, depth=depth, fold=fold, max_nodes=most)
    assert whole == before  # a pure function
    check(shown, whole)
    assert simplify(whole, depth=depth, fold=fold, max_nodes=most) == shown
    if most is None and not fold:
        kept = {v.key for v in shown.vertices}
        reached = {(shown.stands.get(e.source, e.source), shown.stands.get(e.target, e.target))
                   for e in whole.edges}  # fmt: skip
        assert {e[:2] for e in shown.edges} == {(a, b) for a, b in reached if a != b and a in kept}
    if most is not None:
        assert len(shown.vertices) <= max(most, 3)


@given(pictures(), st.data())
@settings(max_examples=100, deadline=None)
def test_every_neighbourhood_is_sound(whole: Picture, data: Any) -> None:
    focus = data.draw(st.sampled_from([v.key for v in whole.vertices]))
    shown = simplify(whole, focus=focus, radius=data.draw(st.integers(0, 3)))
    keys = {v.key for v in shown.vertices}
    assert focus in keys
    assert all(e.source in keys and e.target in keys for e in shown.edges)


@pytest.mark.parametrize("kind", ["chain", "recurrence", "random"])
def test_ten_thousand_operations_are_fast(kind: str) -> None:
    x = ag.tensor(0.5, requires_grad=True)
    w = ag.tensor(0.5, requires_grad=True)
    rng, y, made = np.random.default_rng(0), x, [x]
    for _ in range(2500):
        if kind == "random":
            other = made[-min(len(made), int(rng.integers(1, 9)))]
            made.append([ag.minimum, ag.maximum][rng.integers(2)](made[-1], other))
        else:
            y = ag.tanh(ag.sin(ag.tanh(ag.tanh(y)))) if kind == "chain" else ag.tanh(ag.tanh(y * w) + x)
    y = made[-1] if kind == "random" else y
    start = time.process_time()
    whole = extract((y,))
    shown = simplify(whole)
    seconds = time.process_time() - start
    assert len(shown.vertices) <= 200
    assert seconds < 2.0  # 0.3 on an idle machine for four times as many operations
