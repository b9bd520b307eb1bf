"""What a picture is made from: functions run and modules traced, names, marks, what failed, what is gone."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.draw import draw
from autograd_core.draw.model import Picture, Vertex
from autograd_core.draw.numbers import abbreviate
from autograd_core.draw.reader import _Reader
from autograd_core.draw.trace import Tracer
from autograd_core.node import Node, recording, watching
from autograd_core.value import Value

RNG = np.random.default_rng(0)
scale = ag.tensor([3.0], requires_grad=True)  # a global variable


OPEN: Any = {"depth": None, "fold": False, "max_nodes": None}  # nothing closed, folded or left out


def called(picture: Picture) -> dict[str, Vertex]:
    """Return the tensors that have names."""
    found = [v for v in picture.vertices if v.name and v.kind not in ("operation", "module")]
    assert len({v.name for v in found}) == len(found)
    return {v.name: v for v in found}


def operations(picture: Picture) -> list[str]:
    return [v.name for v in picture.vertices if v.kind == "operation"]


def into(picture: Picture, key: str) -> list[str]:
    return [e.source for e in picture.edges if e.target == key]


class Net(nn.Module):
    """Two layers of which one is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.tail = nn.Sequential(nn.Tanh(), nn.Linear(3, 1))

    def forward(self, x: Any) -> Any:
        hidden = self.first(self.first(x))
        return self.tail(hidden)


# -- running a function ---------------------------------------------------------------------------


def test_every_value_and_gradient_of_a_function_shows() -> None:
    x, w = RNG.standard_normal((9, 9)), RNG.standard_normal((9, 9))  # more elements than a node keeps

    def f(x: Any, w: Any) -> Any:
        h = ag.tanh(x @ w)
        y = h * 2.0
        return y.sum()

    shown = called(draw(f, x, w, **OPEN).picture)
    a, b = ag.tensor(x, requires_grad=True), ag.tensor(w, requires_grad=True)
    h = ag.tanh(a @ b)
    h.retain_grad()
    f(a, b)
    y = h * 2.0
    y.sum().backward()
    assert shown.keys() == {"x", "w", "h", "y"}
    told = {"x": (x, a.grad), "w": (w, b.grad), "h": (h.data, h.grad), "y": (y.data, np.ones((9, 9)))}
    for name, (value, grad) in told.items():
        v = shown[name]
        assert (v.value, v.grad) == (abbreviate(value), abbreviate(grad))
        assert v.grad_size == pytest.approx(np.sqrt(np.mean(grad**2)))
        assert (v.low, v.high) == (value.min(), value.max())


def test_values_and_numbers_draw_alike() -> None:
    def f(a: Any, b: Any) -> Any:
        c = a * b
        return (c + 10.0) ** 2.5

    for inputs in ((2.0, -3.0), (Value(2.0), Value(-3.0)), (np.float32(2), np.array(-3.0, "f"))):
        picture = draw(f, *inputs, **OPEN).picture
        assert operations(picture) == ["multiply", "add", "power"]
        shown = called(picture)
        assert {n: (v.value, v.grad) for n, v in shown.items()} == {
            "a": ("2", "-60"), "b": ("-3", "40"), "c": ("-6", "20")}  # fmt: skip
        assert [v.value for v in picture.vertices if v.kind == "output"] == ["32"]


def test_inputs_by_keyword_as_one_and_as_many() -> None:
    def f(x: Any, *more: Any, **named: Any) -> Any:
        return x * more[0] * named["last"] if more else x * named["last"]

    assert set(called(draw(f, inputs={"x": 1.0, "last": 2.0}, **OPEN).picture)) == {"x", "last"}
    g = draw(lambda x, *more: x * more[0] * more[1], 1.0, 2.0, 3.0)
    assert set(called(g.picture)) == {"x", "more[0]", "more[1]"}
    assert set(called(draw(lambda x: x * x, inputs=np.ones(2), **OPEN).picture)) == {"x"}
    assert set(called(draw(lambda x, y: x * y, inputs=(1.0, 2.0), **OPEN).picture)) == {"x", "y"}
    assert operations(draw(lambda: ag.exp(scale), **OPEN).picture) == ["exp"]


def test_results_in_lists_and_dictionaries() -> None:
    picture = draw(lambda x: {"a": [ag.exp(x)], "b": (ag.sin(x), 3)}, 1.0, **OPEN).picture
    assert [v.kind for v in picture.vertices].count("output") == 2
    (x,) = (v for v in picture.vertices if v.name == "x")
    assert float(x.grad or 0) == pytest.approx(np.exp(1) + np.cos(1), rel=1e-3)


def test_several_elements_have_no_gradient() -> None:
    assert {v.grad for v in draw(lambda x: ag.exp(x), np.ones(3), **OPEN).picture.vertices} == {None}


def test_a_function_that_goes_back_itself() -> None:
    model = nn.Linear(9, 9)
    sgd = optim.SGD(model.parameters(), lr=0.1)

    def step(x: Any) -> None:
        loss = (model(x) ** 2).mean()
        loss.backward()
        sgd.step()

    old = model.weight.data.copy()
    shown = called(draw(step, np.ones((9, 9)), **OPEN).picture)
    assert shown["loss"].grad == "1"
    assert shown["weight"].note == "written to since"
    assert shown["weight"].value in (None, abbreviate(old))
    assert shown["weight"].grad == abbreviate(model.weight.grad)


# -- it leaves no trace -----------------------------------------------------------------------------


class Noisy(nn.Module):
    """A layer with running statistics and noise."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.register_buffer("mean", np.zeros(3, "f"))
        self.register_buffer("count", np.zeros((), int))

    def forward(self, x: Any) -> Any:
        self.train(False)
        noise = ag.random.generator().standard_normal(3).astype("f")
        y = self.linear(x) + noise
        self.mean += y.data.mean(0)
        self.count = self.count + 1
        return y.sum()


def test_running_changes_nothing() -> None:
    model = Noisy()
    calls: list[str] = []
    model.linear.weight.register_hook(lambda g: calls.append("leaf"))
    kept = ag.tensor([1.0], requires_grad=True)
    middle = ag.exp(kept)
    middle.register_hook(lambda g: calls.append("node"))
    model(np.ones((2, 3))).backward()
    calls.clear()
    before = {name: (p.data.copy(), p.grad.copy(), p.version) for name, p in model.named_parameters()}
    mean, count, state = model.mean, model.count.copy(), ag.random.get_state()
    values = mean.copy()
    model.train()

    def f(x: Any) -> Any:
        inner = ag.sin(x)
        inner.register_hook(lambda g: calls.append("inner"))
        inner.retain_grad()
        return model(x) + (middle * 2.0).sum() + inner.sum()

    x = ag.tensor(np.ones((2, 3), "f"), requires_grad=True)
    first = draw(f, x).text()
    assert draw(f, x).text() == first  # the same noise
    draw(model, np.ones((2, 3)))
    assert calls == []
    assert model.training
    assert model.linear.training
    assert model.mean is mean
    assert np.array_equal(mean, values)
    assert model.count == count
    assert str(ag.random.get_state()) == str(state)
    assert x.grad is None
    assert kept.grad is None
    assert middle.node.grad is None
    assert len(middle.node.hooks) == 1
    for name, p in model.named_parameters():
        data, grad, version = before[name]
        assert np.array_equal(p.data, data)
        assert np.array_equal(p.grad, grad)
        assert p.version == version
    middle.backward()  # the graph of before is as good as it was
    assert calls == ["node"]


@pytest.mark.parametrize("fails", [False, True])
def test_recording_is_as_it_was(fails: bool) -> None:
    def f(x: Any) -> Any:
        assert isinstance(recording.get(), Tracer)
        with ag.no_grad():
            ag.exp(x)
            with ag.enable_grad():
                y = ag.exp(x)
        return y.reshape(7) if fails else y.sum()

    for switch in (ag.no_grad, ag.enable_grad):
        with switch():
            before = recording.get()
            assert operations(draw(f, np.ones(3), **OPEN).picture)[0] == "exp"
            assert recording.get() is before
            assert watching.get() is True


def test_anomalies_are_still_seen() -> None:
    with ag.detect_anomaly():
        graph = draw(lambda x: ag.sqrt(x).sum(), np.zeros(2))
    assert "gradient inf" in str(graph.error)
    (failed,) = (v for v in graph.picture.vertices if v.error)
    assert failed.name == "sqrt"
    assert failed.note == "its gradient failed"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("scalars", [False, True])
def test_what_was_run_is_freed(fails: bool, scalars: bool) -> None:
    alive: list[Any] = []

    class Layer(nn.Module):
        def forward(self, x: Any) -> Any:
            y = ag.exp(x)
            alive.append(weakref.ref(y.node))
            return y.reshape(4) if fails else y.sum()

    layer = Layer()
    x = 1.0 if scalars else np.ones(100)
    gc.collect()
    gc.disable()
    try:
        graph = draw(lambda x: layer(x * 2.0), x)
        assert [ref() for ref in alive] == [None]
        assert (graph.error is None) != (fails)
        assert graph.svg()
    finally:
        gc.enable()


def test_variables_that_were_looked_at_are_freed() -> None:
    def f() -> Any:
        x = ag.tensor([1.0], requires_grad=True)
        y = ag.exp(x)
        node = weakref.ref(y.node)
        graph = draw(y)
        del y, x
        return graph, node() is None

    gc.disable()
    try:
        assert f()[1]
    finally:
        gc.enable()


# -- modules ----------------------------------------------------------------------------------------


def test_each_call_of_a_module_is_a_box() -> None:
    model = Net()
    picture = draw(model, np.ones((2, 3)), **OPEN).picture
    boxes = {g.key: g for g in picture.groups}
    inside = [(g.name, boxes[g.parent].name if g.parent else "") for g in picture.groups]
    assert inside == [("model", ""), ("first", "model"), ("first", "model"), ("tail", "model"),
                      ("tail.0", "tail"), ("tail.1", "tail")]  # fmt: skip
    kinds = [g.kind.partition("(")[0] for g in picture.groups]
    assert kinds == ["Net", "Linear", "Linear", "Sequential", "Tanh", "Linear"]
    assert [g.parameters for g in picture.groups] == [16, 12, 12, 4, 0, 4]
    homes = [(v.name, boxes[v.group].name) for v in picture.vertices if v.kind == "operation"]
    assert homes == [("linear", "first"), ("linear", "first"), ("tanh", "tail.0"), ("linear", "tail.1")]
    shown = called(picture)
    assert set(shown) == {"x", "hidden", *dict(model.named_parameters())}
    assert boxes[shown["first.weight"].group].name == "model"  # both calls use it
    assert boxes[shown["tail.1.weight"].group].name == "tail.1"
    assert shown["x"].group == ""
    assert shown["x"].kind == "input"
    assert [v.group for v in picture.vertices if v.kind == "output"] == [""]


def test_modules_within_a_function() -> None:
    model, other = nn.Linear(3, 2), nn.Linear(2, 1)

    def loss(x: Any, target: Any) -> Any:
        return ((other(model(x)) - target) ** 2).mean()

    picture = draw(loss, np.ones((4, 3)), np.zeros((4, 1)), **OPEN).picture
    assert [g.name for g in picture.groups] == ["model", "other"]
    shown = called(picture)
    assert set(shown) == {"x", "target", "model.weight", "model.bias", "other.weight", "other.bias"}
    assert {shown[n].grad for n in ("x", "target")} == {None}  # data of the modules' dtype
    assert shown["x"].dtype == "float32"
    assert shown["model.weight"].grad is not None
    graph = draw(loss, np.ones((4, 3)), np.zeros((4, 1)))
    assert [v.name for v in graph.picture.vertices if v.kind == "module"] == []
    closed = draw(loss, np.ones((4, 3)), np.zeros((4, 1)), depth=0).picture
    assert [v.name for v in closed.vertices if v.kind == "module"] == ["model", "other"]


# -- names ------------------------------------------------------------------------------------------


def test_names_are_found_in_the_caller_s_variables() -> None:
    weights = [ag.tensor([1.0], requires_grad=True) for _ in range(2)]
    table = {"bias": ag.tensor([1.0], requires_grad=True)}
    labelled = ag.tensor([1.0], requires_grad=True, name="label")
    _ = hidden = ag.tensor([1.0], requires_grad=True)
    _private = ag.tensor([1.0], requires_grad=True)
    total = weights[0] * weights[1] + table["bias"] + labelled * hidden * _private * scale
    assert set(called(draw(total, **OPEN).picture)) == {
        "weights[0]", "weights[1]", "table['bias']", "label", "hidden", "scale", "total"}  # fmt: skip
    given = called(draw(total, names={"other": labelled, "w": weights[0]}, **OPEN).picture)
    assert {"other", "w", "weights[1]"} <= set(given)
    assert "label" not in given


def test_the_function_of_the_package_sees_its_caller_too() -> None:
    seen = ag.exp(ag.tensor([1.0], requires_grad=True))
    assert set(called(ag.draw(seen).picture)) == {"seen"}
    code = "import autograd_core as ag\nx = ag.tensor([1.0], requires_grad=True)\n_1 = x\ng = ag.draw(x * x)"
    space: dict[str, Any] = {}
    exec(code, space)  # as a notebook's cell does
    assert set(called(space["g"].picture)) == {"x"}
    assert "ag" in space


def test_parameters_are_called_as_their_model_calls_them() -> None:
    model = nn.MLP([2, 3, 1])
    for p in model.parameters():
        p.grad = None
    layer = model[0]
    loss = model(np.ones((1, 2))).sum()
    assert set(called(draw(loss, **OPEN).picture)) == {"loss", "0.weight", "0.bias", "2.weight", "2.bias"}
    again = nn.MLP([2, 1])
    both = again(np.ones((1, 2))).sum() + loss
    names = set(called(draw(both, **OPEN).picture))
    assert {"model.0.weight", "again.0.weight", "model.2.bias"} <= names
    assert layer is model[0]
    assert p is not None


# -- marks ------------------------------------------------------------------------------------------


def test_views_writes_and_what_is_saved() -> None:
    x = ag.tensor(np.ones((2, 3)), requires_grad=True)
    view = x.T
    y = view * 2.0
    y[0] = x.sum()
    out = ag.exp(y)
    picture = draw(out, **OPEN).picture
    shown = called(picture)
    assert shown["view"].marks == ("view",)
    assert "in place" in shown["y"].marks
    assert shown["out"].marks == ("saved",)
    assert shown["x"].marks == ()
    loss = (view * x.T).sum()
    assert "saved" in called(draw(loss, **OPEN).picture)["view"].marks
    loss.backward()
    assert "saved" not in called(draw(loss, **OPEN).picture)["view"].marks


def test_a_detached_tensor_is_joined_by_dots() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    h = ag.exp(x)
    y = (h.detach()[1:] * h).sum() + x.detach().sum() * x.sum()
    for picture in (draw(y, **OPEN).picture, draw(lambda: (h.detach()[1:] * h).sum(), **OPEN).picture):
        key = {v.name: v.key for v in picture.vertices if v.name}
        dotted = [e for e in picture.edges if e.dotted]
        assert [e.source for e in dotted] == [key["h"]]
        (cut,) = (v for v in picture.vertices if "detached" in v.marks)
        assert cut.kind == "constant"
        assert cut.value == "[7.389]"
        order = [v.key for v in picture.vertices]
        assert all(order.index(e.source) < order.index(e.target) for e in picture.edges)


def test_what_was_only_detached_still_shows() -> None:
    def f(x: Any, w: Any) -> Any:
        h = ag.tanh(x * w)
        return (h.detach() * w).sum()

    picture = draw(f, np.ones(80), np.ones(80), **OPEN).picture
    assert operations(picture) == ["multiply", "tanh", "multiply", "sum"]
    assert called(picture)["x"].grad is None
    assert called(picture)["w"].grad is not None


def test_an_input_that_has_no_rule_is_dotted() -> None:
    x = ag.tensor([1.0, -1.0], requires_grad=True)
    y = ag.where(x, x * 2.0, x * 3.0)
    picture = draw(y, **OPEN).picture
    (where,) = (v for v in picture.vertices if v.name == "where")
    assert [e.dotted for e in picture.edges if e.target == where.key] == [True, False, False]


# -- what is there no more ----------------------------------------------------------------------------


def test_new_values_are_not_shown_beside_old_gradients() -> None:
    w = ag.Parameter(np.full((2, 2), 3.0, "f"))
    x = ag.tensor([[1.0, 2.0]], requires_grad=True)
    sgd = optim.SGD([w], lr=1.0)
    loss = (x @ w).sum()
    before = called(draw(loss, **OPEN).picture)["w"]
    assert (before.value, before.grad, before.note) == ("[[3, 3], [3, 3]]", None, "")
    loss.backward(retain_graph=True)
    sgd.step()
    after = called(draw(loss, **OPEN).picture)["w"]
    assert (after.value, after.grad, after.note) == (
        "[[3, 3], [3, 3]]", "[[1, 1], [2, 2]]", "written to since")  # fmt: skip
    new = (x @ w).sum()  # its backward has not come: the gradient is that of before the step
    fresh = called(draw(new, **OPEN).picture)["w"]
    assert (fresh.value, fresh.grad) == ("[[2, 2], [1, 1]]", None)
    assert "before it was written" in fresh.note
    w.grad = None
    new.backward()
    done = called(draw(new, **OPEN).picture)["w"]
    assert (done.value, done.grad, done.note) == ("[[2, 2], [1, 1]]", "[[1, 1], [2, 2]]", "")
    sgd.step()
    assert called(draw(new, **OPEN).picture)["w"].value is None  # nobody has the old values any more


def test_memory_that_was_written_to_in_place() -> None:
    w = ag.Parameter(np.ones(4, "f"))
    w.data = np.full(8, 3.0, "f")[:4]  # a part of one flat array, which optimizers write to in place
    part = w[:2]
    loss = (w * w).sum() + part.sum()
    assert called(draw(loss, **OPEN).picture)["part"].value == "[3, 3]"
    loss.backward(retain_graph=True)
    with ag.no_grad():
        w -= 1.0
    shown = called(draw(loss, **OPEN).picture)
    assert (shown["w"].value, shown["w"].note, shown["part"].value) == (None, "written to since", None)


def test_values_that_were_written_to() -> None:
    a, b = Value(2.0), Value(3.0)
    loss = a * b
    loss.backward()
    a.data -= 0.1 * a.grad
    shown = called(draw(loss, **OPEN).picture)
    assert (shown["a"].value, shown["a"].grad, shown["a"].note) == ("2", "3", "written to since")
    assert (shown["b"].value, shown["b"].note) == ("3", "")


def test_a_variable_gives_back_what_its_node_has_dropped() -> None:
    x = ag.tensor(RNG.standard_normal((9, 9)), requires_grad=True)
    h = ag.exp(x)
    loss = h.sum()
    loss.backward()
    assert called(draw(loss, **OPEN).picture)["h"].value == abbreviate(h.data)
    with ag.no_grad():
        h += 1.0
    assert called(draw(loss, **OPEN).picture)["h"].value is None


# -- what fails ---------------------------------------------------------------------------------------


def test_the_operation_that_raised_is_shown() -> None:
    model = Net()

    def f(x: Any, w: Any) -> Any:
        h = ag.tanh(x)
        side = ag.exp(h)
        assert side is not None
        return h @ w

    graph = draw(f, np.ones((2, 3)), np.ones((2, 3)))
    assert isinstance(graph.error, ValueError)
    assert graph.error.__traceback__ is None
    (failed,) = (v for v in graph.picture.vertices if v.error)
    assert failed.name == "matmul"
    assert failed.kind == "operation"
    assert failed.error.startswith("ValueError: [matmul] got shapes (2, 3), (2, 3)")
    assert failed.note.endswith("return h @ w")
    shown = called(graph.picture)
    assert into(graph.picture, failed.key) == [shown["h"].key, shown["w"].key]
    assert {"x", "h", "w", "side"} == set(shown)
    assert "[matmul] got shapes (2, 3), (2, 3)" in graph.text().splitlines()[-2] + graph.text()
    with pytest.raises(ValueError, match=r"\[matmul\]"):
        raise graph.error

    picture = draw(model, np.ones((2, 5)), depth=0).picture  # in a module: it is opened
    (failed,) = (v for v in picture.vertices if v.error)
    boxes = {g.key: g.name for g in picture.groups}
    assert boxes[failed.group] == "first"


@pytest.mark.parametrize(
    ("f", "name", "inputs"),
    [
        (lambda x: ag.concatenate([x, x * 2.0, np.ones((2, 2))]), "concatenate", 3),
        (lambda x: x.reshape(7), "reshape", 1),
        (lambda x: x[9], "getitem", 1),
        (lambda x: (x * x) + np.ones(5), "add", 2),
    ],
)
def test_each_way_of_calling_an_operation_is_found(f: Any, name: str, inputs: int) -> None:
    picture = draw(f, np.ones(3), **OPEN).picture
    (failed,) = (v for v in picture.vertices if v.error)
    assert failed.name == name
    assert len(into(picture, failed.key)) == inputs


def test_errors_that_no_operation_raised() -> None:
    def helper(y: Any) -> Any:
        raise KeyError("nothing")

    def f(x: Any) -> Any:
        y = ag.exp(x)
        return helper(y)

    graph = draw(f, 1.0)
    (failed,) = (v for v in graph.picture.vertices if v.error)
    assert (failed.name, failed.error) == ("helper", "KeyError: 'nothing'")
    assert set(called(graph.picture)) == {"x", "y"}


def test_a_failure_among_values() -> None:
    def f(a: Any) -> Any:
        b = a * 2.0
        return b + "text"

    graph = draw(f, Value(3.0))
    assert isinstance(graph.error, TypeError)
    assert {n: v.value for n, v in called(graph.picture).items()} == {"a": "3", "b": "6"}


def test_a_gradient_that_fails_is_shown() -> None:
    @ag.primitive
    def twice(x: Any) -> Any:
        return x * 2

    def rule(g: Any, y: Any, x: Any) -> Any:
        raise ZeroDivisionError("in the rule")

    twice.defvjp(rule)
    graph = draw(lambda x: ag.exp(twice(x)).sum(), np.ones(3))
    (failed,) = (v for v in graph.picture.vertices if v.error)
    assert (failed.name, failed.error) == ("twice", "ZeroDivisionError: in the rule")
    assert [v.grad for v in graph.picture.vertices if v.kind == "output"] == ["1"]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("loss",), "got str, expected a Tensor or a Value"),
        (([ag.tensor(1.0)],), r"got list.*try draw\(\*tensors\)"),
        ((nn.Linear,), r"the class Linear.*try draw\(Linear\(...\), x\)"),
        ((lambda x, y=1: x,), r"the function <lambda> and no inputs.*try draw\(f, x\)"),
        ((lambda x: x, 1.0, 2.0), "2 inputs, expected its inputs: too many"),
        ((lambda x: x + 1, 3), "returned int and recorded nothing.*decimal"),
    ],
)
def test_what_cannot_be_drawn_says_what_can(args: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        draw(*args)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"depth": -1}, ValueError, "depth=-1, expected an integer of at least 0"),
        ({"max_nodes": 0}, ValueError, "max_nodes=0"),
        ({"radius": 1.5}, ValueError, "radius=1.5"),
        ({"focus": "nothing"}, ValueError, "focus='nothing'.*'x'"),
        ({"focus": ag.tensor(1.0)}, ValueError, "a focus that is not in the picture"),
        ({"collapse": "encoder"}, ValueError, r"collapse='encoder'.*draw\(model, x\)"),
        ({"inputs": (1.0,)}, TypeError, "inputs= for a Tensor"),
    ],
)
def test_settings_are_checked(settings: Any, error: Any, text: str) -> None:
    x = ag.tensor(1.0, requires_grad=True)
    with pytest.raises(error, match=text):
        draw(ag.exp(x), **settings)


# -- for those who read on ------------------------------------------------------------------------------


def test_keys_lead_from_the_graph_to_the_picture() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = ag.exp(x) * 3.0
    reader = _Reader({})
    reader.read([reader.place(y)])
    kinds = {v.key: v.kind for v in reader.picture.vertices}
    assert kinds[reader.keys[id(x)]] == "input"
    assert kinds[reader.keys[id(y.node)]] == "output"
    assert kinds["op" + reader.keys[id(y.node)][1:]] == "operation"
    assert set(reader.keys.values()) == {key for key in kinds if key[0] == "t"}


def test_vertices_are_in_the_order_of_computation() -> None:
    x = ag.tensor([1.0], requires_grad=True)
    first = ag.exp(x)
    second = ag.sin(x)
    picture = draw(second * first, **OPEN).picture
    assert operations(picture) == ["exp", "sin", "multiply"]
    order = {v.key: i for i, v in enumerate(picture.vertices)}
    assert all(order[e.source] < order[e.target] for e in picture.edges)
    assert Counter(e.target for e in picture.edges)[picture.vertices[-2].key] == 2
    assert isinstance(first.node, Node)


def test_what_a_scan_only_remembers_is_not_drawn() -> None:
    """What an LSTM fills for its way back is no input; and y stays in the box that goes on with it."""
    x = np.ones((5, 2, 3), np.float32)
    picture = draw(nn.LSTM(3, 4), x).picture
    by_key = {v.key: v for v in picture.vertices}
    lstm = next(v for v in picture.vertices if v.name == "lstm")
    shapes = [by_key[e.source].shape for e in picture.edges if e.target == lstm.key]
    assert shapes == [(5, 2, 16), (2, 4), (2, 4), (16, 4), (16,), (16,)]
    y = next(v for v in picture.vertices if v.name == "y")
    onward = [by_key[e.target] for e in picture.edges if e.source == y.key]
    assert [v.group for v in (y, *onward)] == [lstm.group] * 2
