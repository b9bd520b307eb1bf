"""What a picture can have is written in every form, and read back from it; hostile names among it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from typing import Any

import pytest

import autograd_core as ag
from autograd_core.draw import Graph, data, dot, draw, mermaid, text
from autograd_core.draw.boxes import box
from autograd_core.draw.model import Edge, Group, Picture, Vertex

from .picture_readers import READERS, read_dot, read_mermaid
from .pictures import HOSTILE, random_picture

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz's dot is not installed")


def is_equal(a: Picture, b: Picture) -> bool:
    return repr(a) == repr(b)  # nan is like itself here


@pytest.mark.parametrize("seed", range(60))
def test_json_gives_the_picture_back(seed: int) -> None:
    picture = random_picture(seed)
    document = data.write(picture)
    assert is_equal(data.read(document), picture)
    assert document.isascii()
    assert "<" not in document
    found = READERS["json"](document)
    assert found.edges == [e[:2] for e in picture.edges]
    back = data.read(document)
    for v, w in zip(picture.vertices, back.vertices, strict=True):
        for name in ("shape", "marks", "low", "count"):
            assert type(getattr(v, name)) is type(getattr(w, name))
    assert all(isinstance(e, Edge) for e in back.edges)


def test_a_picture_without_nan_is_equal() -> None:
    x = ag.tensor(3.0, requires_grad=True, name="x")
    graph = draw(ag.exp(x) * x)
    assert data.read(graph.json()) == graph.picture
    assert Graph(data.read(graph.json())).text() == graph.text()


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("[]", "got other JSON"),
        ('{"format": "x"}', "got other JSON"),
        ('{"format": "autograd-core picture", "version": 2}', "got version 2, expected 1"),
        ("{", "Expecting"),
        ({"vertices": [{"kind": "input"}]}, "got Vertex with kind, expected fields key, kind"),
        ({"vertices": [{"key": "t0", "kind": "input", "colour": 1}]}, "with key, kind, colour"),
        ({"vertices": [7]}, "got Vertex with 7"),
        ({"vertices": [{"key": "a", "kind": "input"}] * 2}, "a key that is there twice"),
        ({"edges": [{"source": "a", "target": "b"}]}, "a reference to 'a'"),
        ({"groups": [{"key": "m", "name": "", "kind": "", "parent": "n"}]}, "a reference to 'n'"),
    ],
)
def test_json_that_is_no_picture_is_an_error(document: Any, error: str) -> None:
    if isinstance(document, dict):
        document = json.dumps({"format": "autograd-core picture", "version": 1} | document)
    with pytest.raises(ValueError, match=re.escape(error)):
        data.read(document)


@pytest.mark.parametrize("form", ["dot", "mermaid"])
@pytest.mark.parametrize("seed", range(60))
def test_everything_is_read_back(form: str, seed: int) -> None:
    picture = random_picture(seed)
    if form == "dot":
        found = read_dot(dot.write(picture, [box(v) for v in picture.vertices], "LR"))
    else:
        found = read_mermaid(mermaid.write(picture))
    clean = (lambda s: " ".join(s.split())) if form == "mermaid" else (lambda s: s)
    assert found.edges == [e[:2] for e in picture.edges]
    assert found.dotted == [e.dotted for e in picture.edges]
    assert found.back == [e.back for e in picture.edges]
    for label, edge in zip(found.labels, picture.edges, strict=True):
        assert label == clean(HOSTILE.get(edge.label, edge.label))
    assert list(found.lines) == sorted(found.lines, key=[v.key for v in picture.vertices].index) or (
        form == "mermaid")  # fmt: skip
    assert set(found.lines) == {v.key for v in picture.vertices}
    for v in picture.vertices:
        lines = found.lines[v.key]
        assert found.inside.get(v.key, "") == v.group
        name = clean(HOSTILE.get(v.name, v.name) or (v.kind if v.kind == "output" else ""))
        first = lines[0].removesuffix(f" ×{v.count}")
        assert (lines[0] != first) == (v.count > 1)
        if name:
            assert first == name or (first.endswith("…") and name.startswith(first[:-1]))
        if v.shape is not None:
            assert any(line.startswith(f"{v.shape} {v.dtype}") for line in lines)
            assert any(line.startswith(f"value {v.value or '—'}") for line in lines)
            assert any(line.split() == f"grad {v.grad or '—'}".split() for line in lines) == (
                v.kind != "constant")  # fmt: skip
        told = set(v.marks) - ({"saved"} if v.kind == "result" else set())  # that is its shape
        assert told == set(lines[-1].strip("[]").split(", ") if told else ())
        assert (f"({v.note})" in lines) == bool(v.note)
        assert any("ValueError: " in line for line in lines) == bool(v.error)
    groups = {g.key: g for g in picture.groups}
    assert set(found.titles) == set(groups)
    for key, g in groups.items():
        assert found.inside[key] == g.parent
        name, kind = found.titles[key]
        assert name == clean(HOSTILE[g.name]) or name.endswith("…")
        assert (" ×12" in kind) == (g.count == 12)


@needs_dot
@pytest.mark.parametrize("seed", range(12))
def test_graphviz_reads_the_same(seed: int) -> None:
    picture = random_picture(seed)
    source = dot.write(picture, [box(v) for v in picture.vertices], "LR")
    found = json.loads(dot.render(source, "json0"))
    objects = found.get("objects", [])
    there = {o["name"]: o for o in objects}
    clusters = {f"cluster_{g.key}" for g in picture.groups}
    assert set(there) == {v.key for v in picture.vertices} | clusters
    for v in picture.vertices:
        assert there[v.key]["kind"] == v.kind
    pairs = [(objects[e["tail"]]["name"], objects[e["head"]]["name"]) for e in found.get("edges", [])]
    assert Counter(pairs) == Counter(e[:2] for e in picture.edges)
    for g in picture.groups:
        inner = {objects[i]["name"] for i in there[f"cluster_{g.key}"].get("nodes", [])}
        assert {v.key for v in picture.vertices if v.group == g.key} <= inner


@needs_dot
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("seed", range(12))
def test_places_of_graphviz_keep_modules_apart(seed: int, direction: str) -> None:
    picture = random_picture(seed)
    boxes = [box(v) for v in picture.vertices]
    layout = dot.place(picture, boxes, direction)
    assert layout is not None
    assert len(layout.routes) == len(picture.edges)
    parents = {g.key: g.parent for g in picture.groups}
    frames = {g.key: r for g, r in zip(picture.groups, layout.boxes, strict=True)}
    for v, b, (x, y) in zip(picture.vertices, boxes, layout.centres, strict=True):
        assert x - b.width / 2 >= -1
        assert x + b.width / 2 <= layout.width + 1
        around = set()
        key = v.group
        while key:
            around.add(key)
            key = parents[key]
        for key, (left, top, width, height) in frames.items():
            if not width:
                continue  # an empty module has no frame there
            inside = abs(x - left - width / 2) < width / 2 and abs(y - top - height / 2) < height / 2
            assert inside == (key in around)


def test_many_levels_of_modules_do_not_recurse() -> None:
    groups = [Group(f"m{i}", str(i), "K", f"m{i - 1}" if i else "") for i in range(3000)]
    picture = Picture([Vertex("t0", "input", "x", group="m2999")], [], groups)
    assert read_dot(dot.write(picture, [box(picture.vertices[0])], "LR")).inside["t0"] == "m2999"
    assert read_mermaid(mermaid.write(picture)).inside["t0"] == "m2999"
    assert len(text.write(picture).splitlines()) == 3001
    assert data.read(data.write(picture)) == picture


# -- text ------------------------------------------------------------------------------------------


def test_the_text_shows_modules_marks_counts_and_the_error() -> None:
    picture = Picture(
        [
            Vertex("t0", "input", "x", "", (2,), "float32", "[1, 2]"),
            Vertex("t1", "parameter", "weight", "", (2,), "float32", "[3, 4]", "[1, 1]", group="m1"),
            Vertex("op2", "operation", "multiply", group="m1"),
            Vertex("t2", "result", "", "", (2,), "float32", "[3, 8]", "[1, 1]", group="m1", marks=("saved",)),
            Vertex("op3", "module", "blocks", "Block(2)", group="m0", count=12),
            Vertex("t3", "result", "h", "", (2,), "float32", count=12, group="m0"),
            Vertex("op4", "operation", "matmul", error="ValueError: shapes (2,) and (3,)\ndiffer"),
        ],
        [Edge("t0", "op2"), Edge("t1", "op2"), Edge("op2", "t2"), Edge("t2", "op3"), Edge("op3", "t3"),
         Edge("t3", "op3", back=True), Edge("t3", "op4"), Edge("t0", "op4", dotted=True)],
        [Group("m0", "model", "Net"), Group("m1", "model.scale", "Scale(2)", "m0")],
    )  # fmt: skip
    assert text.write(picture).splitlines() == [
        "x = input                       (2,) float32  value [1, 2]  grad —",
        "[model] Net",
        "  [model.scale] Scale(2)",
        "    weight = parameter          (2,) float32  value [3, 4]  grad [1, 1]",
        "    %2 = multiply(x, weight)    (2,) float32  value [3, 8]  grad [1, 1]  (saved)",
        "  h = blocks(%2, ^h): Block(2)  (2,) float32  value —       grad —  (×12)",
        "matmul(h, /x/)  (raised)",
        "raised in matmul:",
        "  ValueError: shapes (2,) and (3,)",
        "  differ",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_text_has_a_line_for_every_tensor(seed: int) -> None:
    picture = random_picture(seed, hostile=False)
    lines = text.write(picture).splitlines()
    tensors = [v for v in picture.vertices if v.kind not in ("operation", "module")]
    assert sum(" = " in line for line in lines) == len(tensors)
    raised = [v for v in picture.vertices if v.error]
    assert len([line for line in lines if line.startswith("raised in ")]) == len(raised)
    assert not raised or lines[-1].startswith("  ValueError: ")


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_colours_and_lines_are_those_of_the_picture(form: str) -> None:
    x = ag.tensor(1e-3, requires_grad=True, name="x")
    loss = ag.tanh(x * 1e3) * 10.0
    loss.backward()
    plain, told = (getattr(draw(loss, color=color, show="grad"), form)() for color in ("kind", "grad"))
    lines = READERS[form](plain).lines
    assert not any(line.startswith(("value", "()")) for rows in lines.values() for line in rows)
    assert READERS[form](told).lines == lines
    fill = {"dot": r"^  t0 .*fillcolor=\"(#\w+)\"", "mermaid": r"^  style t0 fill:(#\w+)"}[form]
    (colour,) = re.findall(fill, told, re.M)
    assert colour not in plain
