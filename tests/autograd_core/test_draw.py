"""Pictures are read back and compared with the graph that they were drawn from."""

from __future__ import annotations

import gc
import re
import shutil
import time
import weakref
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.draw import Graph, dot, draw
from autograd_core.draw.boxes import CHARACTER, LINE, box, columns
from autograd_core.draw.layout import layered
from autograd_core.node import Node
from autograd_core.value import Value

SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(0)
needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz's dot is not installed")


@pytest.fixture(params=["own layout", pytest.param("graphviz", marks=needs_dot)])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Draw with and without Graphviz's program."""
    if request.param == "own layout":
        monkeypatch.setenv("PATH", "")
    return str(request.param)


def xor() -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """Return the loss of a 2-2-1 network after backward, and its tensors."""
    t = {
        "w1": ag.Parameter(RNG.standard_normal((2, 2)).astype("f"), name="layer1.weight"),
        "b1": ag.Parameter(np.zeros(2, "f"), name="layer1.bias"),
        "w2": ag.Parameter(RNG.standard_normal((2, 1)).astype("f"), name="layer2.weight"),
        "b2": ag.Parameter(np.zeros(1, "f"), name="layer2.bias"),
        "x": ag.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]),
        "target": ag.tensor([[0.0], [1], [1], [0]]),
    }
    t["h"] = ag.sigmoid(t["x"] @ t["w1"] + t["b1"])
    t["y"] = ag.sigmoid(t["h"] @ t["w2"] + t["b2"])
    loss = ((t["y"] - t["target"]) ** 2).mean()
    loss.backward()
    return loss, t


def deep(n: int) -> ag.Tensor:
    y = ag.tensor(1.0, requires_grad=True)
    for _ in range(n):
        y = ag.tanh(y)
    return y


GRAPHS: dict[str, Any] = {
    "one leaf": lambda: ag.tensor([1.0], requires_grad=True),
    "one constant": lambda: ag.tensor([1, 2]),
    "x times x": lambda: (lambda x: x * x)(ag.tensor(3.0, requires_grad=True)),
    "diamond": lambda: (lambda x: ag.exp(x) * ag.sin(x) + x)(ag.tensor(3.0, requires_grad=True)),
    "xor": lambda: xor()[0],
    "joined": lambda: ag.concatenate([ag.tensor([1.0], requires_grad=True) * i for i in range(9)]),
    "indexed": lambda: ag.tensor(np.eye(3), requires_grad=True)[np.array([0, 2]), 1:, None],
    "chain": lambda: deep(30),
}


def recorded(root: ag.Tensor) -> Counter[tuple[str, str]]:
    """Return the (kind of input, operation) pairs of a graph by walking its nodes."""
    pairs: Counter[tuple[str, str]] = Counter()
    seen, stack = set(), [root.edge]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and id(node) not in seen:
            seen.add(id(node))
            for edge in node.edges:
                kind = "constant" if edge is None else "result" if isinstance(edge, Node) else (
                    "parameter" if isinstance(edge, ag.Parameter) else "input")  # fmt: skip
                pairs[kind, node.primitive.name] += 1
                stack.append(edge)
    return pairs


def groups(svg: str) -> dict[str, ET.Element]:
    return {g.get("data-key", ""): g for g in ET.fromstring(svg).iter(SVG + "g")}


def lines(group: ET.Element) -> list[str]:
    return [text.text or "" for text in group.iter(SVG + "text")]


def arrows(svg: str) -> list[tuple[str, str]]:
    found = [(p.get("data-from"), p.get("data-to")) for p in ET.fromstring(svg).iter(SVG + "path")]
    return [(a, b) for a, b in found if a and b]


# -- the graph, read back --------------------------------------------------------------------------


@pytest.mark.parametrize("name", GRAPHS)
def test_the_svg_has_the_edges_of_the_graph(name: str, engine: str) -> None:
    root = GRAPHS[name]()
    svg = draw(root, fold=False).svg()
    vertices = groups(svg)
    kinds = {key: g.get("data-kind") for key, g in vertices.items()}
    pairs = Counter(
        (kinds[a], lines(vertices[b])[0]) for a, b in arrows(svg) if kinds[b] == "operation"
    )
    assert pairs == recorded(root)
    operations = [key for key, kind in kinds.items() if kind == "operation"]
    assert sorted(a for a, b in arrows(svg) if kinds[b] != "operation") == sorted(operations)
    assert len(vertices) == len(draw(root, fold=False).picture.vertices)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_dot_has_the_edges_of_the_picture(name: str) -> None:
    graph = draw(GRAPHS[name]())
    source = graph.dot()
    assert re.findall(r"^  (\w+) -> (\w+)$", source, re.M) == [e[:2] for e in graph.picture.edges]
    keys = re.findall(r"^  (\w+) \[label=.* kind=(\w+)\]$", source, re.M)
    assert keys == [(v.key, v.kind) for v in graph.picture.vertices]


@needs_dot
@pytest.mark.parametrize("name", GRAPHS)
def test_graphviz_takes_the_dot(name: str) -> None:
    assert dot.render(draw(GRAPHS[name]()).dot(), "svg").startswith(b"<?xml")


def test_every_number_is_the_engine_s(engine: str) -> None:
    loss, tensors = xor()
    graph = draw(loss, names=tensors | {"loss": loss})
    found = {lines(g)[0]: lines(g) for g in groups(graph.svg()).values()}
    assert {*tensors, "loss"} <= set(found)
    for name, t in {**tensors, "loss": loss}.items():
        assert found[name][1] == f"{t.shape} float32"
        node = t.node if isinstance(t.node, Node) else t
        told = {"value ": t.data} if t.node is None else {"value ": t.data, "grad  ": node.grad}
        for line, (label, array) in zip(found[name][2:], told.items(), strict=True):
            assert line.startswith(label)
            numbers = [float(n) for n in re.findall(r"-?\d[\d.e+-]*", line)]
            if "mean" in line:
                assert numbers == pytest.approx([array.mean(), array.std()], rel=1e-3, abs=1e-12)
            else:
                assert numbers == pytest.approx(np.ravel(array), rel=1e-3, abs=1e-12)


def test_the_text_says_the_same() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = ag.sum(x * x, axis=0)
    y.backward()
    assert str(draw(y, names={"y": y})).splitlines() == [
        "x = input            (2,) float32  value [1, 2]  grad [2, 4]",
        "%1 = multiply(x, x)  (2,) float32  value [1, 4]  grad [1, 1]",
        "y = sum(%1, axis=0)  () float32    value 5       grad 1",
    ]


def test_a_square_has_two_edges_that_are_seen_apart(engine: str) -> None:
    x = ag.tensor(3.0, requires_grad=True)
    svg = draw(x * x).svg()
    every = ET.fromstring(svg).iter(SVG + "path")
    paths = [p.get("d") for p in every if p.get("data-from") == "t0"]
    assert len(paths) == 2
    assert paths[0] != paths[1]


def test_a_gradient_that_is_not_there_is_a_dash() -> None:
    x = ag.tensor([0.0, 0.0], requires_grad=True, name="x")
    y = (x * 2.0).sum()
    assert {v.grad for v in draw(y).picture.vertices if v.kind != "constant"} == {None}
    assert "grad  —" in draw(y).svg()
    (y * 0.0).backward()
    (leaf,) = (v for v in draw(y).picture.vertices if v.kind == "input")
    assert leaf.grad == "[0, 0]"
    a = Value(2.0, "a")
    b = a * 3.0
    assert [v.grad for v in draw(b).picture.vertices if v.kind != "operation"] == [None] * 3
    b.backward()
    assert [v.grad for v in draw(b).picture.vertices if v.name == "a"] == ["3"]


def test_what_backward_released_is_a_dash() -> None:
    w = ag.Parameter(np.ones((20, 20), "f"))
    loss = ag.tanh(ag.tensor(np.ones((5, 20), "f")) @ w).sum()
    assert all(v.value for v in draw(loss).picture.vertices if v.kind in ("parameter", "output"))
    loss.backward()
    texts = {v.kind: v for v in draw(loss).picture.vertices}
    assert texts["result"].value is None
    assert texts["parameter"].value == "mean 1 ± 0"
    assert texts["output"].value == "100"
    assert texts["constant"].value is None


def test_a_leaf_written_to_says_so() -> None:
    w = ag.tensor([1.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    with ag.no_grad():
        w -= 0.5
    assert "(written to since)" in draw(loss).text()
    assert "(written to since)" in draw(loss).svg()


def test_values_draw_as_tensors_do() -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    loss = (a * b + 10.0) ** 2
    loss.backward()
    rows = draw(loss, names={"loss": loss}).text().splitlines()
    assert [" ".join(row.split()) for row in rows] == [
        "a = input value 2 grad -24",
        "b = input value -3 grad 16",
        "%2 = multiply(a, b) value -6 grad 8",
        "%3 = constant value 10",
        "%4 = add(%2, %3) value 4 grad 8",
        "%5 = constant value 2",
        "loss = power(%4, %5) value 16 grad 1",
    ]
    assert "subtract(%" in draw(5.0 - a).text()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((0, 3)), "empty"),
        (np.array(-0.0), "0"),
        (np.array([np.nan, np.inf]), "[nan, inf]"),
        (np.full(100, np.nan), "mean nan ± nan"),
        (np.array([1e300, -1e-300]), "[1e+300, -1e-300]"),
        (np.full(20, 1e308), "mean 1e+308 ± 0"),
        (np.array([True, False]), "[True, False]"),
        (np.arange(4).reshape(2, 2), "[[0, 1], [2, 3]]"),
    ],
)
def test_awkward_values_are_written(array: Any, text: str) -> None:
    (vertex,) = draw(ag.tensor(array)).picture.vertices
    assert vertex.value == text


# -- names -----------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>", '"quotes" & \'more\'', "two\nlines\r\t\x00\x1b", "\\n \\N \\G \\",
    "emoji 🎉 漢字 é", "&lt;b&gt;", "]]> --> <!--", "\ud800 lone", "\u202e reversed", "{a|<b>c}",
    "x" * 500, " ", "${y} %s",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_names(name: str, engine: str, tmp_path: Path) -> None:
    x = ag.tensor(1.0, requires_grad=True, name=name)
    graph = draw(ag.exp(x))
    svg = ET.fromstring(graph.svg())
    allowed = {"svg", "style", "defs", "marker", "path", "rect", "g", "title", "text", "polygon"}
    assert {e.tag.removeprefix(SVG) for e in svg.iter()} == allowed
    shown = lines(groups(graph.svg())["t0"])[0]
    printable = name.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    printable = printable.replace("\x00", "\\x00").replace("\x1b", "\\x1b")
    printable = printable.replace("\ud800", "\\ud800").replace("\u202e", "\\u202e")
    assert shown == printable or (shown.endswith("…") and printable.startswith(shown[:-1]))
    assert len(graph.text().splitlines()) == 2
    for kind in ("svg", "dot", "txt"):
        graph.save(tmp_path / f"x.{kind}")
    if engine == "graphviz":
        drawn = ET.fromstring(dot.render(graph.dot(), "svg"))
        assert shown in {t.text for t in drawn.iter(SVG + "text")} or not shown.strip()


def test_names_come_from_the_tensor_or_the_caller() -> None:
    x = ag.tensor(1.0, requires_grad=True, name="own")
    data = np.ones(3)
    y = x * data
    picture = draw(y, names={"x": x, "data": data, "y": y, "other": 3, "f": np.sin}).picture
    assert [v.name for v in picture.vertices] == ["x", "data", "multiply", "y"]
    assert [v.name for v in draw(y).picture.vertices] == ["own", "data", "multiply", "y"]


# -- places ----------------------------------------------------------------------------------------


def rectangles(graph: Graph) -> np.ndarray[Any, Any]:
    boxes = [box(v) for v in graph.picture.vertices]
    return np.array([[x - b.width / 2, y - b.height / 2, x + b.width / 2, y + b.height / 2]
                     for (x, y), b in zip(graph._layout.centres, boxes, strict=True)])  # fmt: skip


@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_overlaps_and_nothing_is_cut(name: str, direction: Any, engine: str) -> None:
    graph = draw(GRAPHS[name](), direction=direction)
    r = rectangles(graph)
    layout = graph._layout
    assert r.min() > -1
    assert r[:, 2].max() < layout.width + 1
    assert r[:, 3].max() < layout.height + 1
    for i, a in enumerate(r):
        for b in r[:i]:
            assert a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
    axis, sign = {"LR": (0, 1), "RL": (0, -1), "TB": (1, 1), "BT": (1, -1)}[direction]
    number = {v.key: i for i, v in enumerate(graph.picture.vertices)}
    for a, b, *_ in graph.picture.edges:
        step = layout.centres[number[b]][axis] - layout.centres[number[a]][axis]
        assert sign * step > 0
    for v in graph.picture.vertices:
        b = box(v)
        assert all(columns(line) * CHARACTER < b.width for line in b.lines)
        assert len(b.lines) * LINE < b.height


def test_edges_of_the_own_layout_run_beside_the_boxes() -> None:
    rng = np.random.default_rng(1)
    edges = [(int(rng.integers(0, j)), j) for j in range(1, 40) for _ in range(2)]
    sizes = [(float(w), float(h)) for w, h in rng.integers(20, 120, (40, 2))]
    layout = layered(sizes, edges)
    for (a, b), route in zip(edges, layout.routes, strict=True):
        p = np.array(route)
        assert len(p) % 3 == 1
        t = np.linspace(0, 1, 9)[:, None]
        curve = np.concatenate(
            [
                (1 - t) ** 3 * p[i] + 3 * t * (1 - t) ** 2 * p[i + 1]
                + 3 * t**2 * (1 - t) * p[i + 2] + t**3 * p[i + 3]
                for i in range(0, len(p) - 1, 3)
            ]
        )  # fmt: skip
        for v, (centre, size) in enumerate(zip(layout.centres, sizes, strict=True)):
            inside = (np.abs(curve - centre) < np.array(size) / 2 - 1e-6).all(axis=1)
            assert v in (a, b) or not inside.any()


@pytest.mark.parametrize("operation", ["chain", "skipping"])
def test_ten_thousand_nodes(operation: str) -> None:
    x = ag.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = ag.tanh(y) if operation == "chain" else y * x
    start = time.perf_counter()
    graph = draw(y, fold=False, max_nodes=None)
    svg = graph.svg()
    seconds = time.perf_counter() - start
    assert svg.count("<g ") == 20_001
    assert len(graph.text().splitlines()) == 10_001
    assert graph.dot().count("->") == len(graph.picture.edges)
    assert seconds < 15  # about 2 on an idle machine


# -- a picture is only a picture -------------------------------------------------------------------


def test_drawing_changes_nothing() -> None:
    loss, tensors = xor()
    before = {name: (t.data.copy(), None if t.grad is None else t.grad.copy(), t.version)
              for name, t in tensors.items()}  # fmt: skip
    draw(loss, names=tensors).svg()
    for name, t in tensors.items():
        data, grad, version = before[name]
        assert np.array_equal(t.data, data)
        assert version == t.version
        assert (t.grad is None) == (grad is None)
        assert grad is None or np.array_equal(t.grad, grad)
    assert ag.is_grad_enabled()
    y = (tensors["w1"] * 2.0).sum()
    draw(y)
    y.backward()
    assert np.allclose(tensors["w1"].grad, before["w1"][1] + 2)


def test_a_picture_does_not_keep_the_graph_alive() -> None:
    x = ag.tensor(1.0, requires_grad=True)
    y = ag.exp(x * 2.0)
    node = weakref.ref(y.node)
    gc.collect()
    gc.disable()
    try:
        graph = draw(y)
        graph.svg()
        del y
        assert node() is None
    finally:
        gc.enable()


def test_two_pictures_in_a_page_have_their_own_ids() -> None:
    a, b = (draw(GRAPHS[name]()).svg() for name in ("xor", "chain"))
    ids = [re.findall(r' id="([^"]+)"', svg) for svg in (a, b)]
    assert len(ids[0]) == len(ids[1]) == 1
    assert ids[0] != ids[1]
    assert f"url(#{ids[0][0]})" in a
    (sheet,) = re.findall("<style>(.*)</style>", a)
    name = ids[0][0].removeprefix("arrow-")
    assert all(f".{name}" in rule for rule in re.findall(r"[^{}]+(?={[^{])", sheet) if "@" not in rule)


def test_a_notebook_shows_it() -> None:
    graph = draw(GRAPHS["diamond"]())
    bundle = graph._repr_mimebundle_()
    assert bundle.pop("text/html") == graph._repr_html_()
    assert bundle == {"image/svg+xml": graph.svg(), "text/plain": graph.text()}
    assert graph._repr_svg_() == graph.svg()
    assert repr(graph) == "<Graph: 4 operations, 5 tensors>"


def test_the_package_is_the_function() -> None:
    from autograd_core import draw as found

    assert isinstance(found(ag.tensor(1.0)), Graph)


# -- files and errors ------------------------------------------------------------------------------


def test_save(tmp_path: Path, engine: str) -> None:
    graph = draw(GRAPHS["xor"]())
    assert graph.save(tmp_path / "x.svg").read_text(encoding="utf-8") == graph.svg()
    assert graph.save(str(tmp_path / "x.dot")).read_text(encoding="utf-8") == graph.dot()
    for kind, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        if engine == "graphviz":
            assert graph.save(tmp_path / f"x.{kind}").read_bytes().startswith(magic)
        else:
            with pytest.raises(RuntimeError, match=r"no program 'dot'.*apt install graphviz"):
                graph.save(tmp_path / f"x.{kind}")
    with pytest.raises(ValueError, match=r"ending in '.jpg', expected .svg"):
        graph.save(tmp_path / "x.jpg")


@pytest.mark.parametrize(
    ("roots", "text"),
    [
        ((), "got nothing"),
        ((np.ones(3),), r"got ndarray, expected a Tensor or a Value; try ag.tensor"),
        ((np.sin,), r"the function sin and no inputs.*try draw\(f, x"),
        ((ag.nn.Linear(2, 1),), r"try draw\(model, x\)"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(roots: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        draw(*roots)


def test_directions_are_checked() -> None:
    with pytest.raises(ValueError, match="direction='up'"):
        draw(ag.tensor(1.0), direction="up")  # type: ignore[arg-type]
