"""The stepper's page and film strip, read back; a browser drives it where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.draw import draw
from autograd_core.draw.stage import KEPT, badge_size
from autograd_core.draw.steps import walk
from autograd_core.draw.steps_page import Stepper
from autograd_core.draw.strip import at, some
from autograd_core.value import Value

RNG = np.random.default_rng(0)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed")
HOSTILE = "<script>alert(1)</script>\"'&\n{x}\u202e"


def scalar(name: str = "x") -> Stepper:
    x, t = Value(1.5, name), Value(1.0, "t")
    y = (x * x + x).sigmoid()
    z = (y - t) ** 2 / 2
    return Stepper(draw(z), walk(z))


def arrays() -> Stepper:
    a = ag.tensor(RNG.standard_normal((2, 2)), requires_grad=True, name="A")
    b = ag.tensor(RNG.standard_normal((2, 2)), requires_grad=True, name="B")
    y = (ag.tanh(a @ b) * a).sum()
    return Stepper(draw(y), walk(y))


def large() -> Stepper:
    w = ag.tensor(RNG.standard_normal((20, 30)), requires_grad=True, name="w")
    y = ag.tanh(w).mean()
    return Stepper(draw(y), walk(y))


class Heads(nn.Module):
    """Two branches of an attention, side by side, each step of which lies in a box of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        a = ag.softmax(self.q(x) @ self.k(x).mT, axis=-1)
        return x + a @ self.v(x)


def modules() -> Stepper:
    model = Heads()
    stepper: Stepper = draw(lambda x: (model(x) ** 2).mean(), RNG.standard_normal((3, 4))).step()
    return stepper


PAGES = {"scalar": scalar, "arrays": arrays, "large": large, "modules": modules}


def data(page: str) -> list[dict[str, Any]]:
    (text,) = re.findall(r'<script type="application/json" id="steps">(.*?)</script>', page, re.DOTALL)
    steps: list[dict[str, Any]] = json.loads(text)["steps"]
    return steps


def graph(page: str) -> ET.Element:
    (text,) = re.findall(r'<section id="graph"[^>]*>(<svg.*?</svg>)</section>', page, re.DOTALL)
    return ET.fromstring(text.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))


@pytest.mark.parametrize("name", PAGES)
def test_the_page_holds_every_step_and_every_edge(name: str) -> None:
    stepper = PAGES[name]()
    page = stepper.html()
    steps, svg = data(page), graph(page)
    assert len(steps) == len(stepper)
    edges = {(p.get("data-op"), p.get("data-slot")): p for p in svg.iter("path") if p.get("data-op")}
    vertices = {g.get("data-key") for g in svg.iter("g")}
    found = stepper.steps
    back = [s for s in steps if s["phase"] == "back"]
    assert len(back) == len(found.backward)
    for step, b in zip(back, found.backward, strict=True):
        path = edges[step["op"], str(step["slot"])]
        assert (path.get("data-from"), path.get("data-to")) == (b.key, b.operation)
        assert {step["to"], step["from"], step["op"]} <= vertices
        assert path.get("data-x")
    for step, f in zip((s for s in steps if s["phase"] == "forward"), found.forward, strict=True):
        for slot, key in enumerate(f.inputs):
            assert edges[f.operation, str(slot)].get("data-from") == key
        assert step["to"] in vertices


@pytest.mark.parametrize("name", PAGES)
def test_the_page_loads_nothing(name: str) -> None:
    page = PAGES[name]().html()
    assert not re.search(r'(src|href)\s*=|@import|url\((?!#)|https?://(?!www\.w3\.org/)', page)
    assert page.count("<script") == 2
    for control in ("first", "prev", "play", "next", "last", "progress", "count", "sentence", "theme"):
        assert f'id="{control}"' in page
    assert 'aria-live="polite"' in page


def test_the_numbers_of_a_step() -> None:
    x = Value(3.0, "x")
    L = x * x
    steps = Stepper(draw(L), walk(L)).shown
    assert [s["phase"] for s in steps] == ["given", "forward", "seed", "back", "back", "end"]
    assert steps[1]["say"] == "multiply takes x = 3 and gives L = 9."
    first, second = steps[3], steps[4]
    assert "".join(t for t, _ in first["math"]) == "∂L/∂x = x = 3  ×  ∂L/∂L = 1  =  +3"
    assert "".join(t for t, _ in first["badge"][1:]) == "3 × 1 = +3"
    assert first["sum"] == "x is used 2 times; so far ∂L/∂x = 3"
    assert second["sum"] == "all 2 uses of x together: ∂L/∂x = 3 + 3 = 6"
    assert second["change"] == ["∂L/∂x", "3", "6"]
    assert steps[5]["say"] == "Done: ∂L/∂x = 6. The sums equal the engine's own gradients."


def test_numbers_are_put_into_the_formula() -> None:
    z = Value(0.5, "z")
    L = z.sigmoid()
    step = next(s for s in Stepper(draw(L), walk(L)).shown if s["phase"] == "back")
    assert step["math"][0][0] == "∂L/∂z = L − L² = 0.6225 − 0.6225² = 0.235"


def test_the_terms_of_an_element() -> None:
    a = ag.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="A")
    b = ag.tensor([[5.0, 0.5], [7.0, -1.0]], requires_grad=True, name="B")
    L = ((a @ b) * np.array([[0.5, -1.0], [2.0, 3.0]])).sum()
    stepper = Stepper(draw(L), walk(L))
    step = next(s for s in stepper.shown if s["phase"] == "back" and s["say"].startswith("Through matmul"))
    assert "".join(t for t, _ in step["math"]) == "∂L/∂A += G Bᵀ,  G = ∂L/∂v1"
    contribution = next(t for t in step["tables"] if t["title"] == "contribution")
    assert contribution["behind"][1] == [
        "contribution[0,1]", "G[0,0] × 7 + G[0,1] × (−1)", "0.5 × 7 + (−1) × (−1)", "4.5"]  # fmt: skip
    forward = next(s for s in stepper.shown if s["phase"] == "forward")
    value = next(t for t in forward["tables"] if t["title"] == "v1")
    assert value["behind"][1] == [
        "v1[0,1]", "A[0,0] × 0.5 + A[0,1] × (−1)", "1 × 0.5 + 2 × (−1)", "−1.5"]  # fmt: skip


def test_what_an_element_was_broadcast_from() -> None:
    a = ag.tensor([[1.0], [2.0]], requires_grad=True)
    b = ag.tensor([3.0, 4.0, 5.0], requires_grad=True)
    L = (a * b).sum()
    forward = next(s for s in Stepper(draw(L), walk(L)).shown if s["phase"] == "forward")
    (value,) = [t for t in forward["tables"] if t.get("behind")]
    assert [row[1] for row in value["behind"]] == [f"multiply({x}, {y})" for x in (1, 2) for y in (3, 4, 5)]


def test_hostile_names_stay_text() -> None:
    stepper = scalar(HOSTILE)
    page = stepper.html()
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "<script>alert(1)" in data(page)[0]["say"]  # as a string, which the page writes as text
    titles = [t.text or "" for t in graph(page).iter("text")]
    assert any(t.startswith("<script>") for t in titles)
    ET.fromstring(stepper.svg())
    frame = stepper._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    inner = frame.split('srcdoc="')[1].split('" sandbox="allow-scripts"')[0]
    assert "<" not in inner
    assert unescape(inner) == page
    assert "\n{x}" not in stepper.text()


@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("name", PAGES)
def test_labels_lie_between_the_boxes(name: str, direction: str) -> None:
    made = PAGES[name]()
    stepper = Stepper(made.picture, made.steps, direction)
    svg = stepper._staged[1]
    boxes = []
    for g in svg.iter("g"):
        if g.get("data-key"):
            dx, dy = map(float, re.findall(r"-?[\d.]+", g.get("transform", "translate(0,0)")))
            r = next(e for e in g if e.tag in ("rect", "polygon"))
            if r.tag == "rect":
                x, y, w, h = (float(r.get(k, "")) for k in ("x", "y", "width", "height"))
            else:
                xs, ys = zip(*(map(float, p.split(",")) for p in r.get("points", "").split()), strict=True)
                x, y, w, h = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
            boxes.append((x + dx, y + dy, w, h))
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if overlap(a, b)]
    kept = []
    for step in stepper.shown:
        if step["phase"] == "back":
            path = next(p for p in svg.iter("path") if (p.get("data-op"), p.get("data-slot")) == (
                step["op"], str(step["slot"])))  # fmt: skip
            w, h = badge_size(step["badge"])
            x, y = float(path.get("data-x", "")), float(path.get("data-y", ""))
            label = (x - w / 2, y - h / 2, w, h)
            assert not [b for b in boxes if overlap(label, b)]
            whole = [float(n) for n in svg.get("viewBox", "").split()]
            assert 0 <= label[0] <= label[0] + w <= whole[2]
            assert 0 <= label[1] <= label[1] + h <= whole[3]
            small = len(step["kept"]) * 7.4 + 12
            x, y = float(path.get("data-kept-x", "")), float(path.get("data-kept-y", ""))
            kept.append((x - small / 2, y - KEPT / 2, small, KEPT))
    assert not [1 for i, a in enumerate(kept) for b in kept[:i] if overlap(a, b)]
    assert not [1 for a in kept for b in boxes if overlap(a, b)]


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return (a[0] < b[0] + b[2] - 0.2 and b[0] < a[0] + a[2] - 0.2
            and a[1] < b[1] + b[3] - 0.2 and b[1] < a[1] + a[3] - 0.2)  # fmt: skip


# -- from a picture --------------------------------------------------------------------------------


def test_a_picture_steps() -> None:
    x = ag.tensor(RNG.standard_normal((20, 30)), requires_grad=True, name="x")
    c = RNG.standard_normal((20, 30))
    L = (ag.tanh(x) * c + 2.0).sum()
    L.backward()
    assert not draw(L).step().steps.complete  # dropped by backward
    run = draw(lambda x: (ag.tanh(x) * c + 2.0).sum(), x.data)
    stepper = run.step()
    assert stepper.steps.complete
    vertices = {v.key: v for v in run.picture.vertices}
    for f in stepper.steps.forward:
        assert f.operation in vertices
        assert [vertices[k].shape for k in f.inputs] == [a.shape or None if a else (20, 30) for a in f.values]
    (key,) = stepper.steps.learning
    gradient = stepper.steps.gradients[key]
    assert gradient is not None
    assert gradient.norm == pytest.approx(np.linalg.norm(x.grad), rel=1e-6)
    assert "c" in stepper.called.values()


def test_closed_modules_are_opened_for_the_steps() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    graph = draw(lambda x: model(x).sum(), np.ones((1, 2)), depth=0)
    assert "tanh" not in {v.name for v in graph.picture.vertices}
    assert {f.operation for f in graph.step().steps.forward} <= {v.key for v in graph.step().picture.vertices}


# -- the film strip --------------------------------------------------------------------------------


def texts(root: ET.Element, key: str) -> list[str]:
    return [t.text or "" for g in root.iter("g") if g.get("data-key") == key for t in g.iter("text")]


def test_numbers_appear_as_they_become_known() -> None:
    stepper = scalar()
    root = stepper._staged[1]
    key = next(k for k, name in stepper.called.items() if name == "x")
    seed = next(n for n, s in enumerate(stepper.shown) if s["phase"] == "seed")
    assert texts(at(root, stepper.shown, 0), key)[1:] == ["value 1.5", "grad  —"]
    assert texts(at(root, stepper.shown, 0), stepper.steps.roots[0])[1:] == ["value —", "grad  —"]
    assert texts(at(root, stepper.shown, seed), stepper.steps.roots[0])[2] == "grad  1"
    gradient = stepper.steps.gradients[key]
    assert gradient is not None
    assert texts(at(root, stepper.shown, len(stepper) - 1), key)[2] == f"grad  {gradient.numbers:.4g}"
    label = [t for t in at(root, stepper.shown, seed + 1).iter("g") if t.get("class") == "label active"]
    assert len(label) == 1


def test_the_strip_has_the_chosen_steps() -> None:
    stepper = scalar()
    strip = ET.fromstring(stepper.svg([0, 3, -1]))
    space = "{http://www.w3.org/2000/svg}"
    titles = [t.text for t in strip.findall(space + "text") if t.get("class") == "title"]
    assert titles == [f"{n}. {stepper.shown[n]['title']}" for n in (0, 3, len(stepper) - 1)]
    assert len(strip.findall(space + "svg")) == 3
    assert len(list(strip.iter(space + "style"))) == 1
    with pytest.raises(IndexError, match=r"\[step\] got step 99, expected one of 0 to"):
        stepper.svg([99])


def test_a_strip_of_many_steps_chooses_eight() -> None:
    stepper = scalar()
    assert len(stepper) > 8
    chosen = some(stepper.shown)
    assert len(chosen) == 8
    assert [stepper.shown[n]["phase"] for n in chosen] == ["forward", "seed"] + ["back"] * 6
    x = Value(2.0)
    short = walk(x * x)
    assert len(Stepper(draw(x * x), short)) == 6
    assert some(Stepper(draw(x * x), short).shown) == list(range(6))


def test_saved_by_its_ending(tmp_path: Path) -> None:
    stepper = scalar()
    assert stepper.save(tmp_path / "s.html").read_text("utf-8") == stepper.html()
    assert stepper.save(tmp_path / "s.svg").read_text("utf-8") == stepper.svg()
    assert stepper.save(tmp_path / "s.txt").read_text("utf-8") == stepper.text()
    with pytest.raises(ValueError, match=r"\[step\] got a file name ending in '\.png', expected \.html"):
        stepper.save(tmp_path / "s.png")
    assert set(stepper._repr_mimebundle_()) == {"text/html", "image/svg+xml", "text/plain"}


# -- in a browser ----------------------------------------------------------------------------------

DRIVER = """
<script>
const log = [];
const press = (key) => dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const look = () => log.push([now, find("sentence").textContent, find("count").textContent,
  svg.querySelectorAll(".label.active").length, svg.querySelectorAll(".edge.active").length]);
look();
find("next").click(); look();
press("ArrowRight"); look();
press("ArrowLeft"); look();
press("End"); look();
press("Home"); look();
document.querySelectorAll(".step-list button")[%d].click(); look();
const cell = document.querySelector("#tables td > button");
if (cell) cell.click();
find("theme").click();
document.body.innerHTML = "";
document.body.append(Object.assign(document.createElement("pre"), { id: "told", textContent: JSON.stringify({
  told: log, terms: cell ? 1 : 0, dark: document.documentElement.className }) }));
</script>
</body>"""


@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_driven_in_a_browser(name: str, tmp_path: Path) -> None:
    stepper = PAGES[name]()
    back = next(n for n, s in enumerate(stepper.shown) if s["phase"] == "back")
    page = tmp_path / "page.html"
    page.write_text(stepper.html().replace("</body>", DRIVER % back), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
               f"--user-data-dir={tmp_path}", "--virtual-time-budget=2000", page.as_uri()]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    (text,) = re.findall(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    seen = json.loads(unescape(text))
    last = len(stepper) - 1
    assert [t[0] for t in seen["told"]] == [0, 1, 2, 1, last, 0, back]
    assert [t[1] for t in seen["told"]] == [stepper.shown[n]["say"] for n in (0, 1, 2, 1, last, 0, back)]
    assert seen["told"][-1][2] == f"{back} / {last}"
    assert [t[3] for t in seen["told"]] == [0, 0, 0, 0, 0, 0, 1]
    assert seen["told"][-1][4] == 2  # into the operation, and out of it
    assert seen["terms"] == (name in ("arrays", "modules"))
    assert "dark" in seen["dark"]
