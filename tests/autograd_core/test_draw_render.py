"""What is drawn of pictures with modules, marks and colours: read back from the SVG and the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core.draw import Graph, page
from autograd_core.draw.boxes import box, printable
from autograd_core.draw.colours import NOT_FINITE, ZERO, readable, scale
from autograd_core.draw.graph import laid_out
from autograd_core.draw.leaves import redrawn
from autograd_core.draw.model import Edge, Group, Picture, Vertex
from autograd_core.draw.order import arrange
from autograd_core.draw.simplify import simplify

SVG = "{http://www.w3.org/2000/svg}"
DIRECTIONS = ["LR", "RL", "TB", "BT"]
HOSTILE = ["<script>alert(1)</script>", "</style><b>", '"quoted" \'too\'', "]]> & --> &lt;",
           "two\nlines", "漢字 🎉"]  # fmt: skip


def tensor(key: str, kind: Any = "result", group: str = "", **known: Any) -> Vertex:
    known = {"shape": (3,), "dtype": "float32", "value": f"[{key[1:]}, 2, 3]"} | known
    return Vertex(key, kind, known.pop("name", key), group=group, **known)


def layer(p: Picture, x: str, n: int, group: str, weight: str = "") -> str:
    """Add ``tanh(x @ w)`` in a module box; the weight is its own, or a shared one."""
    w = weight or f"t{n}1"
    if not weight:
        p.vertices.append(tensor(w, "parameter", group, name=f"{group}.weight", grad=f"[{n}, 0, 1]"))
    p.vertices += [Vertex(f"op{n}1", "operation", "matmul", group=group), tensor(f"t{n}2", group=group),
                   Vertex(f"op{n}2", "operation", "tanh", group=group),
                   tensor(f"t{n}3", group=group, marks=("saved",), grad=f"[{n}, 5, 6]")]  # fmt: skip
    p.edges += [Edge(x, f"op{n}1"), Edge(w, f"op{n}1"), Edge(f"op{n}1", f"t{n}2"),
                Edge(f"t{n}2", f"op{n}2"), Edge(f"op{n}2", f"t{n}3")]  # fmt: skip
    return f"t{n}3"


def model(layers: int = 3) -> Picture:
    """Layers in a stack in a model, with an edge past each layer, and a loss outside."""
    p = Picture([tensor("t0", "input", name="x")])
    p.groups += [Group("m0", "net", "Net()"), Group("m1", "stack", "Stack", "m0")]
    x = "t0"
    for n in range(1, layers + 1):
        p.groups.append(Group(f"g{n}", f"stack.{n}", "Layer(3, 3)", "m1"))
        y = layer(p, x, n, f"g{n}")
        p.vertices += [Vertex(f"op{n}9", "operation", "add", group="m1"), tensor(f"t{n}9", group="m1")]
        p.edges += [Edge(x, f"op{n}9"), Edge(y, f"op{n}9"), Edge(f"op{n}9", f"t{n}9")]
        x = f"t{n}9"
    p.vertices += [Vertex("op0", "operation", "multiply"), tensor("t1", "output", name="loss", grad="1")]
    p.edges += [Edge(x, "op0"), Edge(x, "op0"), Edge("op0", "t1")]
    return p


def marked() -> Picture:
    """Everything that is drawn in a way of its own."""
    return Picture(
        [tensor("t0", "input", marks=("view", "in place", "saved")), tensor("t1", "constant"),
         Vertex("op2", "operation", "multiply"), tensor("t2", marks=("detached",)),
         Vertex("m0", "module", "encoder", "Encoder(4)", count=12), tensor("t3", grad="0"),
         Vertex("op4", "operation", "matmul", error="ValueError: shapes (3,) and (2,) do not fit")],
        [Edge("t0", "op2", dotted=True), Edge("t0", "op2", dotted=True), Edge("t1", "op2"), Edge("op2", "t2"),
         Edge("t2", "m0", label="6 times"), Edge("m0", "m0", back=True), Edge("m0", "t3"),
         Edge("t3", "op2", back=True, label="next"), Edge("t3", "op4")],
    )  # fmt: skip


def shared(uses: int = 20) -> Picture:
    """A weight that is used in every step."""
    p = Picture([tensor("t0", "input"), tensor("t1", "parameter", name="W", grad="[1, 2, 3]")])
    x = "t0"
    for n in range(2, uses + 2):
        x = layer(p, x, n, "", "t1")
    return p


PICTURES = {"model": model, "marked": marked, "shared": shared, "nothing": Picture,
            "one": lambda: Picture([tensor("t0", "input")])}  # fmt: skip


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def vertices(root: ET.Element) -> list[ET.Element]:
    return [g for g in root.iter(SVG + "g") if g.get("data-key")]


def texts(e: ET.Element) -> list[str]:
    return [t.text or "" for t in e.iter(SVG + "text")]


def arrows(root: ET.Element) -> list[ET.Element]:
    return [p for p in root.iter(SVG + "path") if p.get("data-from")]


def rectangles(graph: Graph) -> dict[str, Any]:
    drawn, boxes, layout = graph._places
    found = {v.key: (x - b.width / 2, y - b.height / 2, x + b.width / 2, y + b.height / 2)
             for v, b, (x, y) in zip(drawn.vertices, boxes, layout.centres, strict=True)}  # fmt: skip
    return found | {g.key: (x, y, x + w, y + h)
                    for g, (x, y, w, h) in zip(drawn.groups, layout.boxes, strict=True)}  # fmt: skip


# -- read back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURES)
def test_the_svg_has_the_picture(name: str) -> None:
    picture = PICTURES[name]()
    root = read(Graph(picture, engine="own").svg())
    drawn = {(g.get("data-key"), g.get("data-kind")) for g in vertices(root)}
    assert drawn == {(v.key, v.kind) for v in picture.vertices}
    found = Counter((p.get("data-from"), p.get("data-to"), p.get("data-back") == "1",
                     p.get("stroke-dasharray") is not None) for p in arrows(root))  # fmt: skip
    assert found == Counter((e.source, e.target, e.back, e.dotted) for e in picture.edges)
    assert [g.get("data-group") for g in root.iter(SVG + "svg") if g.get("data-group")] == [
        g.key for g in picture.groups
    ]
    written = texts(root)
    assert {e.label for e in picture.edges if e.label} <= set(written)
    for group in picture.groups:
        assert {group.name, group.kind} <= set(written)


@pytest.mark.parametrize("name", PICTURES)
def test_every_number_is_the_picture_s(name: str) -> None:
    picture = PICTURES[name]()
    drawn = vertices(read(Graph(picture, engine="own").svg()))
    lines = {g.get("data-key"): texts(g) for g in drawn if not g.get("data-copy")}
    for v in picture.vertices:
        if v.kind in ("operation", "module"):
            assert lines[v.key][0] == v.name
            continue
        assert f"value {v.value or '—'}" in lines[v.key]
        assert (f"grad  {v.grad or '—'}" in lines[v.key]) == (v.kind != "constant")
        assert f"{v.shape} {v.dtype}" in lines[v.key]
    for v in (v for v in picture.vertices if v.count > 1):
        assert f"×{v.count}" in lines[v.key]


def test_an_error_is_red_and_told() -> None:
    root = read(Graph(marked()).svg())
    (failed,) = (g for g in vertices(root) if g.get("data-key") == "op4")
    assert " ".join(texts(failed)) == "matmul ValueError: shapes (3,) and (2,) do not fit"
    (outline,) = failed.iter(SVG + "rect")
    assert outline.get("stroke") == "#c01f1f"
    outside = Graph(model(1), error=ValueError("no <b>data</b>"))
    assert "raised ValueError: no <b>data</b>" in texts(read(outside.svg()))


def test_marks_are_signs_with_a_legend() -> None:
    root = read(Graph(marked()).svg())
    signs = {g.get("data-key"): len([p for p in g.iter(SVG + "path") if p.get("class") == "sign"])
             for g in vertices(root)}  # fmt: skip
    assert signs == {"t0": 3, "t1": 0, "op2": 0, "t2": 1, "m0": 0, "t3": 0, "op4": 0}
    (legend,) = (s for s in root.iter(SVG + "svg") if s.get("class") == "legend")
    told = {"input", "constant", "operation", "result", "module, closed", "raised an error", "detached",
            "view of its input", "written in place", "kept for backward", "no gradient comes back",
            "to the next step"}  # fmt: skip
    assert set(texts(legend)) == told
    assert "legend" not in Graph(PICTURES["one"]()).svg()  # what is there says itself


def test_kinds_differ_in_shape_and_in_colour() -> None:
    kinds = ["input", "parameter", "constant", "operation", "result", "output", "module"]
    drawn = [Vertex(f"t{i}", kind, "n") for i, kind in enumerate(kinds)]  # type: ignore[arg-type]
    drawn += [Vertex("t8", "result", "n", marks=("saved",))]
    groups = vertices(read(Graph(Picture(drawn), show=()).svg()))
    shapes, colours = set(), set()
    for g in groups:
        outline = [(e.tag, e.get("rx"), e.get("stroke-dasharray"), len((e.get("points") or "").split()))
                   for e in g if e.tag.removeprefix(SVG) in ("rect", "polygon", "path")]  # fmt: skip
        shapes.add(tuple(outline))
        colours.add((g[1].get("fill"), g[1].get("stroke")))
    assert len(colours) == 8
    assert len(shapes) == 7  # an input and a result are both round boxes
    with pytest.raises(ValueError, match=r"show=\('values',\), expected any of"):
        Graph(Picture(), show="values")


@pytest.mark.parametrize("show", [(), ("value",), ("grad",), ("shape", "grad"), "shape"])
def test_show_chooses_the_lines(show: Any) -> None:
    (g,) = vertices(read(Graph(Picture([tensor("t0", grad="[7]")]), show=show).svg()))
    lines = {"shape": "(3,) float32", "value": "value [0, 2, 3]", "grad": "grad  [7]"}
    assert texts(g) == ["t0", *(line for name, line in lines.items() if name in show)]


# -- colours ---------------------------------------------------------------------------------------


def test_gradients_are_coloured_by_their_size() -> None:
    sizes = [1e-9, 1e-3, 1e-3, 1e-3, 10.0, 0.0, float("nan"), None]
    picture = Picture([tensor(f"t{i}", grad_size=s) for i, s in enumerate(sizes)])
    root = read(Graph(picture, color="grad").svg())
    fills = [g[1].get("fill") for g in vertices(root)]
    assert fills[0] == "#2166ac"  # vanishing: blue
    assert fills[1:4] == ["#f7f7f7"] * 3  # the median
    assert fills[4].startswith("#e") or fills[4].startswith("#f")  # exploding: red
    assert int(fills[4][1:3], 16) > int(fills[4][5:7], 16)
    assert fills[5:] == [ZERO, NOT_FINITE, "#ffffff"]
    (legend,) = (s for s in root.iter(SVG + "svg") if s.get("class") == "legend")
    assert {"gradient, root mean square", "0.001", "1e-09", "exactly 0", "not finite"} <= set(texts(legend))


def test_values_are_coloured_by_their_range() -> None:
    picture = Picture([tensor(f"t{i}", low=-x, high=0.0) for i, x in enumerate((0.01, 100.0))])
    root = read(Graph(picture, color="value").svg())
    assert [g[1].get("fill") for g in vertices(root)] == ["#ffffd9", "#0c2c84"]
    assert {"largest value, magnitude", "0.01", "1", "100"} <= set(texts(root))
    with pytest.raises(ValueError, match="color='heat', expected 'kind', 'grad' or 'value'"):
        Graph(picture, color="heat")


@pytest.mark.parametrize("by", ["grad", "value"])
def test_text_on_colours_is_readable(by: str) -> None:
    found = scale([Vertex("t0", "result", grad_size=s, low=0.0, high=s) for s in (1e-6, 1.0, 1e6)], by)
    assert found is not None
    fills = [found.at(p) for p in np.linspace(found.low, found.high, 200)]
    for fill in (*fills, ZERO, NOT_FINITE):
        rgb = np.array([int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        light = linear @ [0.2126, 0.7152, 0.0722]
        contrast = 1.05 / (light + 0.05) if readable(fill) == "#ffffff" else (light + 0.05) / 0.05
        assert contrast >= 4.5, fill


# -- places ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", PICTURES)
def test_boxes_hold_what_is_theirs_and_nothing_else(name: str, direction: str) -> None:
    graph = Graph(PICTURES[name](), direction, engine="own")
    drawn, layout, at = graph._places[0], graph._layout, rectangles(graph)
    around = {v.key: v.group for v in drawn.vertices} | {g.key: g.parent for g in drawn.groups}
    groups = {g.key for g in drawn.groups}

    def inside(key: str, box: str) -> bool:
        while key and key != box:
            key = around[key]
        return bool(key)

    for key, r in at.items():
        assert -1e-6 <= r[0] < r[2] <= layout.width + 1e-6
        assert -1e-6 <= r[1] < r[3] <= layout.height + 1e-6
        for other, s in at.items():
            apart = r[2] <= s[0] or s[2] <= r[0] or r[3] <= s[1] or s[3] <= r[1]
            within = s[0] < r[0] and r[2] < s[2] and s[1] < r[1] and r[3] < s[3]
            if key != other and other in groups and inside(key, other):
                assert within
                assert r[1] - s[1] >= 20  # room for its name
            elif key != other and not inside(other, key):
                assert apart, (key, other)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_edges_run_in_the_direction_and_past_other_boxes(direction: str) -> None:
    graph = Graph(model(), direction, engine="own")
    drawn, layout, at = graph._places[0], graph._layout, rectangles(graph)
    axis, sign = {"LR": (0, 1), "RL": (0, -1), "TB": (1, 1), "BT": (1, -1)}[direction]
    t = np.linspace(0, 1, 12)[:, None]
    for e, route in zip(drawn.edges, layout.routes, strict=True):
        p = np.array(route)
        assert len(p) % 3 == 1
        assert (np.diff(p[:, axis]) * sign > -1e-6).all()
        a, b, c, d = (p[i : len(p) - 3 + i : 3, None] for i in range(4))
        curve = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
        for v in drawn.vertices:
            if v.key not in (e.source, e.target):
                r = np.array(at[v.key])
                assert not ((curve > r[:2] + 1e-6) & (curve < r[2:] - 1e-6)).all(axis=-1).any(), (e, v.key)


def test_a_way_back_runs_above_everything() -> None:
    graph = Graph(marked(), engine="own")
    layout, at = graph._layout, rectangles(graph)
    top = min(r[1] for r in at.values())
    for e, route in zip(graph.picture.edges, layout.routes, strict=True):
        assert (min(y for _, y in route) < top) == e.back


def test_words_at_edges_stand_where_there_is_room() -> None:
    graph = Graph(marked())  # Graphviz's layout says nothing of words, and is not asked
    at, numbered = rectangles(graph), list(enumerate(graph.picture.edges))
    words = {n: e for n, e in numbered if e.label or e.back}
    assert set(graph._layout.labels) == set(words)
    for n, e in words.items():
        (x, y), half = graph._layout.labels[n], 3.7 * len(e.label)
        for left, top, right, bottom in at.values():
            assert x + half <= left or right <= x - half or y <= top or bottom <= y - 16


def test_modules_that_feed_each_other_are_drawn() -> None:
    p = Picture([tensor("t0", "input", "a"), Vertex("op1", "operation", "exp", group="b"),
                 tensor("t1", group="b"), Vertex("op2", "operation", "sin", group="a"),
                 tensor("t2", group="a")],
                [Edge("t0", "op1"), Edge("op1", "t1"), Edge("t1", "op2"), Edge("op2", "t2")],
                [Group("a", "a", "A"), Group("b", "b", "B")])  # fmt: skip
    at = rectangles(Graph(p))
    assert at["a"][2] <= at["b"][0] or at["b"][2] <= at["a"][0]
    assert len(arrows(read(Graph(p).svg()))) == 4


def test_a_leaf_of_many_uses_is_drawn_at_each() -> None:
    picture = shared(20)
    root = read(Graph(picture).svg())
    assert len([g for g in vertices(root) if g.get("data-key") == "t1"]) == 20
    assert Counter(p.get("data-from") for p in arrows(root))["t1"] == 20
    keys = [v.key for v in redrawn(picture).vertices]
    assert len(set(keys)) == len(keys) == len(picture.vertices) + 19
    assert redrawn(shared(5)) == shared(5)  # a small picture shows what is shared


def test_long_edges_of_a_source_share_their_way() -> None:
    order = arrange(6, [(i, i + 1) for i in range(5)] + [(0, i) for i in range(2, 6)])
    assert len(order.layer) == 6 + 4  # not 1 + 2 + 3 + 4
    deep = arrange(30_000, [(i, i + 1) for i in range(29_999)])
    assert deep.rows[-1] == [29_999]


# -- the page --------------------------------------------------------------------------------------


def known(html: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.S)
    return json.loads(text)  # type: ignore[no-any-return]


def test_the_page_holds_what_is_closed() -> None:
    whole = model()
    shown = simplify(whole, depth=2, fold=False)
    assert {v.key for v in shown.vertices if v.kind == "module"} == {"g1", "g2", "g3"}
    html = Graph(shown, whole=whole).html()
    told = known(html)
    assert told["closed"] == ["g1", "g2", "g3"]
    assert {v.key for v in whole.vertices} | {g.key for g in whole.groups} == set(told["about"])
    for v in whole.vertices:
        assert told["about"][v.key].get("value") == v.value
        assert told["about"][v.key].get("grad") == v.grad
    assert [tuple(e[:2]) for e in told["edges"]] == [e[:2] for e in whole.edges]
    assert known(Graph(whole).html())["closed"] == []


def test_a_cut_out_opens_to_itself() -> None:
    whole = model(6)
    around = simplify(whole, depth=None, fold=False, focus="t39", radius=1)
    assert page.opened(around, whole) == (around, set())


def test_the_page_refers_to_nothing() -> None:
    html = Graph(model()).html()
    assert set(re.findall(r"\w+://[\w./]*", html)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link|@import|\bsrc=|\bfetch\(|import\(", html)
    rules = re.findall(r"<style>(.*?)</style>", html, re.S)[1]
    assert all(".ag-page" in rule for rule in re.findall(r"([^{}]+){[^{}]*}", rules) if "@" not in rule)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", ["model", "marked", "shared"])
def test_the_page_places_things_as_the_picture_does(name: str, direction: str, tmp_path: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("node is not installed: the page's script cannot be run")
    picture = PICTURES[name]()
    told = known(Graph(picture, direction).html())
    script = Path(page.__file__).with_name("places.js")
    (tmp_path / "data.json").write_text(json.dumps(told), encoding="utf-8")
    program = f"""
        const {{place}} = require({json.dumps(str(script))});
        const data = JSON.parse(require("fs").readFileSync({json.dumps(str(tmp_path / "data.json"))}));
        console.log(JSON.stringify([place(data, new Set()), place(data, new Set(["g1", "g3"]))]));"""
    out = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    opened, closed = json.loads(out.stdout)
    drawn = redrawn(picture)
    _, layout = laid_out(drawn, [box(v, brief="~" in v.key) for v in drawn.vertices], direction)
    assert (opened["width"], opened["height"]) == pytest.approx((layout.width, layout.height))
    for v, centre in zip(drawn.vertices, layout.centres, strict=True):
        assert opened["centre"][v.key] == pytest.approx(centre)
    for g, r in zip(drawn.groups, layout.boxes, strict=True):
        assert opened["box"][g.key] == pytest.approx(r)
    for route, points in zip(opened["route"], layout.routes, strict=True):
        assert np.array(route) == pytest.approx(np.array(points))
    if name == "model":
        assert set(closed["box"]) == {"m0", "m1", "g2"}
        hidden = {v.key for v in picture.vertices if v.group in ("g1", "g3")}
        assert set(closed["centre"]) == set(told["parent"]) - hidden
        shown = [e for e, route in zip(picture.edges, closed["route"], strict=True) if route]
        assert shown == [e for e in picture.edges if not {e.source, e.target} <= hidden]


def test_pictures_in_a_page_do_not_meet() -> None:
    pages = [Graph(PICTURES[name]())._repr_html_() for name in ("model", "marked")]
    ids = [set(re.findall(r'\bid="([^"]+)"', html)) for html in pages]
    assert all(len(i) == 1 for i in ids)
    assert not ids[0] & ids[1]
    for html, (name,) in zip(pages, ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", html)) == {name}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_names(name: str) -> None:
    p = Picture([Vertex("t0", "input", name, value=name, note=name, group="m0"),
                 Vertex("op1", "operation", name, name, error=name)], [Edge("t0", "op1", label=name)],
                [Group("m0", name, name)])  # fmt: skip
    root = read(Graph(p).svg())
    assert printable(name) in texts(vertices(root)[0])
    assert texts(root).count(printable(name)) >= 4
    html = Graph(p).html()
    assert html.count("<script") == html.count("</script>") == 2
    assert html.count("<style") == html.count("</style>") == 3
    assert "<b>" not in html
    assert known(html)["about"]["t0"]["name"] == name


# -- files -----------------------------------------------------------------------------------------


def test_save(tmp_path: Path) -> None:
    graph = Graph(model())
    for kind, text in {"html": graph.html(), "json": graph.json(), "mmd": graph.mermaid()}.items():
        assert graph.save(tmp_path / f"g.{kind}").read_text(encoding="utf-8") == text
    assert graph.save(tmp_path / "g.md").read_text().startswith("```mermaid\n")


def test_no_steps_says_how_to_get_them() -> None:
    with pytest.raises(RuntimeError, match=r"draw\(f, \*inputs\).*before backward"):
        Graph(model()).step()
    with pytest.raises(ValueError, match="engine='neato', expected 'dot', 'own' or None"):
        Graph(model(), engine="neato")
