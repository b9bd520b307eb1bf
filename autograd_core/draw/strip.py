"""The film strip: some steps side by side in one SVG, for print and for a README."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from copy import deepcopy
from textwrap import wrap
from typing import Any

from ..errors import message
from .stage import KEPT, badge_size

__all__ = ["film"]

FRAMES = 8
GAP, CAPTION = 18.0, 62.0
WIDEST = 1700.0  # of a row, in pixels of the graphs
XMLNS = "http://www.w3.org/2000/svg"
COLOURS = {"local": "#1f5fbf", "upstream": "#b3541e", "contribution": "#1d7a3e", "": "#5b6577"}
Step = dict[str, Any]


def film(root: ET.Element, shown: list[Step], chosen: list[int] | None = None) -> str:
    """Return the graph ``root`` at the chosen steps, numbered from 0.

    Raises:
        IndexError: there is no such step.
    """
    for n in chosen or ():
        if not -len(shown) <= n < len(shown):
            raise IndexError(message("step", f"step {n}", f"one of 0 to {len(shown) - 1}"))
    frames = [n % len(shown) for n in chosen] if chosen else some(shown)
    width, height = float(root.get("width", "1")), float(root.get("height", "1"))
    cell = max(width, 330.0)
    columns = min(len(frames), max(1, int(WIDEST // (cell + GAP))))
    rows = math.ceil(len(frames) / columns)
    whole = GAP + columns * (cell + GAP), GAP + rows * (height + CAPTION + GAP)
    size = {"width": f"{whole[0]:.0f}", "height": f"{whole[1]:.0f}"}
    out = ET.Element("svg", {
        "xmlns": XMLNS, "class": root.get("class", ""), **size, "viewBox": f"0 0 {' '.join(size.values())}",
        "font-family": root.get("font-family", "monospace"), "font-size": "12"})  # fmt: skip
    ET.SubElement(out, "rect", {"class": "paper", "width": "100%", "height": "100%", "fill": "#ffffff"})
    for place, n in enumerate(frames):
        x = GAP + place % columns * (cell + GAP)
        y = GAP + place // columns * (height + CAPTION + GAP)
        _caption(out, shown[n], n, x, y, cell)
        frame = at(root, shown, n)
        for e in [e for e in frame if e.tag in ("style", "defs") or e.get("class") == "paper"]:
            if place == 0 and e.tag != "rect":
                out.insert(0, e)  # once for all
            frame.remove(e)
        frame.attrib.pop("class", None)
        frame.set("x", f"{x + (cell - width) / 2:.1f}")
        frame.set("y", f"{y + CAPTION:.1f}")
        out.append(frame)
    return ET.tostring(out, "unicode") + "\n"


def some(shown: list[Step]) -> list[int]:
    """Choose the steps of a strip: all if few, else the values, the beginning, and the way back evenly."""
    if len(shown) <= FRAMES:
        return list(range(len(shown)))
    seed = next(n for n, s in enumerate(shown) if s["phase"] == "seed")
    back = [n for n, s in enumerate(shown) if s["phase"] == "back"]
    room = min(FRAMES - 2, len(back))
    picked = [back[round(i * (len(back) - 1) / max(room - 1, 1))] for i in range(room)]
    return sorted({max(seed - 1, 0), seed, *picked})


def _caption(out: ET.Element, step: Step, n: int, x: float, y: float, width: float) -> None:
    bar = {"x": f"{x - 6:.1f}", "y": f"{y - 4:.1f}", "width": f"{width + 12:.1f}", "height": "1"}
    ET.SubElement(out, "rect", bar | {"class": "mute", "fill": COLOURS[""]})
    head = _line(out, x, y + 16, "14", "#1d2430", "bold", "start")
    head.set("class", "title")
    head.text = _fitting(f"{n}. {step['title']}", width, 8.6)
    said = step.get("sum") or "".join(t for t, _ in step["math"]) or step["say"]
    for i, text in enumerate(wrap(said, int(width / 7.3), max_lines=2, placeholder=" …")):
        line = _line(out, x, y + 35 + 16 * i, "12", COLOURS[""], anchor="start")
        line.set("class", "mute")
        line.text = text


def _fitting(text: str, width: float, character: float) -> str:
    most = int(width / character)
    return text if len(text) <= most else text[: most - 1] + "…"


# -- one moment, without a script ------------------------------------------------------------------

def at(root: ET.Element, shown: list[Step], n: int) -> ET.Element:
    """Return the picture as it stands at step ``n``: what is known, the active edge and its label."""
    root = deepcopy(root)
    known = {what: {key: text for s in shown[: n + 1] for key, text in s.get(what, {}).items()}
             for what in ("value", "grad")}  # fmt: skip
    step = shown[n]
    lit = {step.get("op"), step.get("to"), step.get("from")}
    for group in root.iter("g"):
        key = group.get("data-key")
        for text in group.iter("text"):
            line = text.get("data-line")
            if key and line:
                text.text = f"{line:<5} {known[line].get(key, '—')}"
        if key and key in lit and step["phase"] != "given":
            for shape in [e for e in group if e.tag in ("rect", "polygon")][:1]:
                shape.set("stroke-width", "3")
    passed = {(s["op"], str(s["slot"])): s for s in shown[: n + 1] if s["phase"] == "back"}
    kept: list[ET.Element] = []
    badge: ET.Element | None = None
    for path in root.iter("path"):
        told = passed.get((path.get("data-op", ""), path.get("data-slot", "")))
        if told is None:
            continue
        path.set("style", f"stroke:{COLOURS['contribution']}")
        path.set("stroke-width", "3" if told is step else "2")
        x, y, kx, ky = (float(path.get(f"data-{name}", "nan")) for name in ("x", "y", "kept-x", "kept-y"))
        if told is step:
            badge = _badge(told["badge"], x, y)
        else:
            kept.append(_kept(told["kept"], kx, ky))
    if badge is not None:
        kept = [*(label for label in kept if not _meet(label[0], badge[0])), badge]  # none is half hidden
    root.extend(kept)
    return root


def _meet(a: ET.Element, b: ET.Element) -> bool:
    """Tell whether two rectangles overlap."""
    (ax, aw, ay, ah), (bx, bw, by, bh) = (
        [float(e.get(name, "0")) for name in ("x", "width", "y", "height")] for e in (a, b)
    )
    return ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah


def _box(x: float, y: float, w: float, h: float, kind: str) -> ET.Element:
    group = ET.Element("g", {"class": kind})
    place = {"x": f"{x - w / 2:.1f}", "y": f"{y - h / 2:.1f}", "width": f"{w:.1f}", "height": f"{h:.1f}"}
    stroke = {"stroke": COLOURS["contribution"], "stroke-width": "1.5"}
    ET.SubElement(group, "rect", place | stroke | {"rx": "7", "class": "paper", "fill": "#ffffff"})
    return group


def _line(parent: ET.Element, x: float, y: float, size: str, fill: str, weight: str = "normal",
          anchor: str = "middle") -> ET.Element:  # fmt: skip
    return ET.SubElement(parent, "text", {
        "x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "font-size": size, "fill": fill,
        "font-weight": weight, "xml:space": "preserve"})  # fmt: skip


def _badge(badge: list[Any], x: float, y: float) -> ET.Element:
    group = _box(x, y, *badge_size(badge), "label active")
    (small, _), *rest = badge
    line = _line(group, x, y - 5, "10.5", COLOURS[""])
    line.text = small
    line = _line(group, x, y + 13, "14", COLOURS[""], "bold")
    for text, kind in rest:
        ET.SubElement(line, "tspan", {"fill": COLOURS.get(kind, COLOURS[""])}).text = text
    return group


def _kept(text: str, x: float, y: float) -> ET.Element:
    group = _box(x, y, len(text) * 7.4 + 12, KEPT, "label")
    line = _line(group, x, y + 4.3, "12", COLOURS["contribution"], "bold")
    line.text = text
    return group
