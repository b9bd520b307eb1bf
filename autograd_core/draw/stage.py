"""The graph on which the steps are played: its SVG, with room for a label on every gradient's edge.

The labels need gaps that a still picture does not, so what lies between two layers is pulled apart.
Page and film strip start from here: each box knows its lines ``value`` and ``grad``, each edge its
operation, its slot among that operation's inputs, and the place of its label.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate
from operator import itemgetter
from typing import Any

from .graph import Graph
from .model import Picture

__all__ = ["KEPT", "XMLNS", "badge_size", "stage"]

MANY = 120  # vertices: a leaf with so many uses can keep Graphviz busy for minutes
BADGE = 40.0  # height of a label on an edge
KEPT = 17.0  # height of what stays of it
ROOM = 14.0  # beside a label, for the arrow to be seen
NEAR = 9.0  # of a box: arrow heads keep their distance
XMLNS = ' xmlns="http://www.w3.org/2000/svg"'
Step = dict[str, Any]
Rectangle = tuple[float, float, float, float]  # left, top, width, height
Gap = tuple[float, float, float, float]  # from, to, what is added to it, and to all before it


def stage(picture: Picture, direction: str, shown: list[Step], called: Mapping[str, str]) -> ET.Element:
    """Return the SVG of the picture with room for the labels of the steps in ``shown``."""
    engine = "own" if len(picture.vertices) > MANY else None
    drawn = Graph(_filled(picture, shown, called), direction, engine=engine).svg()
    root = ET.fromstring(drawn.replace(XMLNS, "", 1))
    for legend in root.findall("svg[@class='legend']"):
        root.remove(legend)
    for group in root.iter("g"):
        if group.get("data-key"):
            for text in group.iter("text"):
                line = (text.text or "").split(" ")[0]
                if line in ("value", "grad"):
                    text.set("data-line", line)
    _number_edges(root)
    labels = {(s["op"], str(s["slot"])): badge_size(s["badge"]) for s in shown if s.get("badge")}
    kept = {(s["op"], str(s["slot"])): len(s["kept"]) * 7.4 + 12 for s in shown if s.get("badge")}
    axis = 0 if direction in ("LR", "RL") else 1
    _pull_apart(root, axis, labels, kept)
    return root


def badge_size(badge: list[Any]) -> tuple[float, float]:
    """Return width and height of a label: a small line, and below it the numbers."""
    small, *rest = (text for text, _ in badge)
    return max(len(small) * 6.4, len("".join(rest)) * 8.6) + 18, BADGE


def _filled(picture: Picture, shown: list[Step], called: Mapping[str, str]) -> Picture:
    """Put names, and of each number the longest text that will stand there, so that it fits."""
    longest: dict[tuple[str, str], str] = {}
    for step in shown:
        for what in ("value", "grad"):
            for key, text in step.get(what, {}).items():
                longest[what, key] = max(text, longest.get((what, key), "—"), key=len)
    vertices = []
    for v in picture.vertices:
        key = v.key.partition("~")[0]
        if key in called and v.kind not in ("operation", "module"):
            name = called[key] if v.kind != "constant" or v.name else v.name
            value, grad = longest.get(("value", key), v.value), longest.get(("grad", key))
            v = replace(v, name=name, value=value, grad=grad)
        vertices.append(v)
    return replace(picture, vertices=vertices)


def _number_edges(root: ET.Element) -> None:
    """Tell each edge into an operation which of its inputs it is; the order is the call's."""
    kinds = {g.get("data-key"): g.get("data-kind") for g in root.iter("g")}
    count: dict[str, int] = {}
    for path in root.iter("path"):
        to = path.get("data-to")
        if to and kinds.get(to) == "operation":
            path.set("data-op", to)
            path.set("data-slot", str(count.get(to, 0)))
            count[to] = count.get(to, 0) + 1
        elif to and path.get("data-from"):
            path.set("data-op", path.get("data-from", ""))
            path.set("data-slot", "out")


# -- room for labels -------------------------------------------------------------------------------


def _pull_apart(root: ET.Element, axis: int, labels: Mapping[tuple[str, str], tuple[float, float]],
                kept: Mapping[tuple[str, str], float]) -> None:  # fmt: skip
    """Widen the gaps that hold labels, and find a place for each."""
    extents = {id(g): _extent(g, axis) for g in root.iter("g") if g.get("data-key")}
    free = _free(sorted(extents.values()))
    edges = [p for p in root.iter("path") if _slot(p) in labels]
    extra = [0.0] * len(free)
    where: dict[int, int] = {}
    for path in edges:
        points = _points(path)
        tip, low, high = points[-1][axis], *sorted((points[0][axis], points[-1][axis]))
        on_way = [k for k, (a, b) in enumerate(free) if a < high and b > low]
        if on_way:  # the gap beside its operation, where it ends
            n = min(on_way, key=lambda k: min(abs(free[k][0] - tip), abs(free[k][1] - tip)))
            size = labels[_slot(path)][axis]
            extra[n] = max(extra[n], size + 2 * ROOM - (free[n][1] - free[n][0]))
            where[id(path)] = n
    before = accumulate([0.0, *extra])
    gaps = [(a + NEAR, max(b - NEAR, a + NEAR + 1), e, s)
            for (a, b), e, s in zip(free, extra, before, strict=False)]  # fmt: skip
    for element in root:
        _move(element, axis, gaps, extents)
    whole = [float(n) for n in root.get("viewBox", "0 0 1 1").split()]
    whole[2 + axis] += sum(extra)
    whole[2] = max([whole[2], *(labels[_slot(p)][0] + 8 for p in edges)])
    boxes = [_rectangle(g, axis, gaps) for g in root.iter("g") if id(g) in extents]
    taken = list(boxes)
    for path in edges:
        curve = _curve(path)
        if id(path) in where:
            a, b, *_ = gaps[where[id(path)]]
            a, b = _moved(a, gaps) - NEAR, _moved(b, gaps) + NEAR
            ways = [a + (b - a) * t for t in (0.5, 0.4, 0.6, 0.3, 0.7)]
            places = [min(curve, key=lambda p, at=at: abs(p[axis] - at)) for at in ways]  # type: ignore[misc]
        if id(path) not in where or _hidden(places, labels[_slot(path)], boxes):
            places = [curve[len(curve) * n // 10] for n in (5, 4, 6, 3, 7, 2, 8)]
        sizes = (("", labels[_slot(path)], boxes), ("kept-", (kept[_slot(path)], KEPT), taken))
        for name, (w, h), others in sizes:
            found = _apart(places, (w, h), others, axis, whole)
            path.set(f"data-{name}x", f"{found[0] + w / 2:.1f}")
            path.set(f"data-{name}y", f"{found[1] + h / 2:.1f}")
        taken.append(found)
    root.set("viewBox", " ".join(f"{n:.0f}" for n in whole))
    root.set("width", f"{whole[2]:.0f}")
    root.set("height", f"{whole[3]:.0f}")


def _slot(path: ET.Element) -> tuple[str, str]:
    return path.get("data-op", ""), path.get("data-slot", "")


def _apart(places: list[tuple[float, float]], size: tuple[float, float], others: list[Rectangle], axis: int,
           whole: list[float]) -> Rectangle:  # fmt: skip
    """Find a place for a label, on its edge if it can be, else beside it, where it hides no other thing."""
    (x, y), (w, h) = places[0], size
    others = _near(places, size, others, axis)
    step = (0.0, 4.0) if axis == 0 else (4.0, 0.0)
    beside = [(x + sign * n * step[0], y + sign * n * step[1]) for n in range(1, 100) for sign in (1, -1)]
    for u, v in (*places, *beside):
        at = (u - w / 2, v - h / 2, w, h)
        if 2 <= at[0] <= whole[2] - w - 2 and 2 <= at[1] <= whole[3] - h - 2 and not any(
            at[0] < p + r + 2 and p < at[0] + w + 2 and at[1] < q + t + 1 and q < at[1] + h + 1
            for p, q, r, t in others
        ):  # fmt: skip
            return at
    return min(max(x - w / 2, 2), whole[2] - w - 2), y - h / 2, w, h


def _near(places: list[tuple[float, float]], size: tuple[float, float], others: list[Rectangle],
          axis: int) -> list[Rectangle]:  # fmt: skip
    """Return what lies beside these places: nothing else can be in the way."""
    low = min(p[axis] for p in places) - size[axis] / 2 - 2
    high = max(p[axis] for p in places) + size[axis] / 2 + 2
    return [r for r in others if r[axis] < high and low < r[axis] + r[2 + axis]]


def _hidden(places: list[tuple[float, float]], size: tuple[float, float], others: list[Rectangle]) -> bool:
    """Tell whether a label would hide something at the first of these places."""
    (x, y), (w, h) = places[0], size
    return any(x - w / 2 < p + r and p < x + w / 2 and y - h / 2 < q + t and q < y + h / 2
               for p, q, r, t in others)  # fmt: skip


def _rectangle(group: ET.Element, axis: int, gaps: list[Gap]) -> Rectangle:
    """Return where a vertex lies, after it was moved."""
    (left, right), (top, bottom) = _extent(group, 0), _extent(group, 1)
    middle = ((left + right) / 2, (top + bottom) / 2)[axis]
    shift = _moved(middle, gaps) - middle
    dx, dy = (shift, 0.0) if axis == 0 else (0.0, shift)
    return left + dx, top + dy, right - left, bottom - top


def _extent(group: ET.Element, axis: int) -> tuple[float, float]:
    """Return from where to where a vertex reaches."""
    shape = next(e for e in group if e.tag in ("rect", "polygon"))
    if shape.tag == "rect":
        start = float(shape.get("xy"[axis], "0"))
        return start, start + float(shape.get(("width", "height")[axis], "0"))
    at = [float(p.split(",")[axis]) for p in shape.get("points", "0,0").split()]
    return min(at), max(at)


def _free(extents: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the intervals in which no vertex lies."""
    gaps, end = [], None
    for a, b in extents:
        if end is not None and a > end + 2 * NEAR:
            gaps.append((end, a))
        end = b if end is None else max(end, b)
    return gaps


def _moved(x: float, gaps: list[Gap]) -> float:
    """Return where a coordinate comes to lie."""
    n = bisect_right(gaps, x, key=itemgetter(0))
    if n == 0:
        return x
    a, b, extra, before = gaps[n - 1]
    return x + before + extra * min((x - a) / (b - a), 1.0)


def _points(path: ET.Element) -> list[tuple[float, float]]:
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path.get("d", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _move(
    element: ET.Element, axis: int, gaps: list[Gap], extents: Mapping[int, tuple[float, float]]
) -> None:
    """Move what is drawn: a vertex as a whole, an edge point by point, a module's box by its ends."""
    if id(element) in extents:
        a, b = extents[id(element)]
        shift = _moved((a + b) / 2, gaps) - (a + b) / 2
        element.set("transform", f"translate({shift:.1f},0)" if axis == 0 else f"translate(0,{shift:.1f})")
    elif element.tag == "path" and element.get("data-from"):
        points = [list(p) for p in _points(element)]
        for p in points:
            p[axis] = _moved(p[axis], gaps)
        written = [f"{x:.1f},{y:.1f}" for x, y in points]
        element.set("d", f"M{written[0]} C{' '.join(written[1:])}")
    elif element.get("class") in ("module", "mute"):
        name, size = ("x", "width") if axis == 0 else ("y", "height")
        start = float(element.get(name, "0"))
        if element.tag == "svg":
            end = start + float(element.get(size, "0"))
            element.set(size, f"{_moved(end, gaps) - _moved(start, gaps):.1f}")
        element.set(name, f"{_moved(start, gaps):.1f}")


def _curve(path: ET.Element) -> list[tuple[float, float]]:
    """Return points along an edge, from its start to its end."""
    points = _points(path)
    found = [points[0]]
    count = max(4, 64 * 3 // max(len(points) - 1, 3))
    for i in range(0, len(points) - 3, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[i : i + 4]
        for k in range(1, count + 1):
            t = k / count
            u = 1 - t
            p, q, r, s = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
            found.append((p * ax + q * bx + r * cx + s * dx, p * ay + q * by + r * cy + s * dy))
    return found
