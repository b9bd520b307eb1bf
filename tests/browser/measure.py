"""Where everything in a picture really is, as the browser measures it, and what is wrong there."""

from __future__ import annotations

from itertools import combinations
from typing import Any

ROOM = 0.5  # pixels: what a browser may round

# For each vertex its outline (with a badge, if it has one) and its texts; for each module its frame and
# title; what else is written; all in the picture's own units, so that zoom does not matter.
MEASURE = """
const svg = arguments[0] ? document.querySelector(arguments[0]) : document.querySelector('svg');
const view = svg.viewBox.baseVal, style = svg.getAttribute('style');
svg.style.width = view.width + 'px';  // a unit is a pixel: letters that are scaled down are not exact
svg.style.height = view.height + 'px';
const inverse = svg.getScreenCTM().inverse();
const place = e => {
  const r = e.getBoundingClientRect();
  const a = new DOMPoint(r.left, r.top).matrixTransform(inverse);
  const b = new DOMPoint(r.right, r.bottom).matrixTransform(inverse);
  return [a.x, a.y, b.x, b.y];
};
const seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
const of = (g, what) => [...g.querySelectorAll(what)].filter(seen);
const own = (g, what) => [...g.children].filter(e => e.matches(what) && seen(e));
const texts = all => all.map(t => ({text: t.textContent, at: place(t)}));
const around = all => [Math.min(...all.map(r => r[0])), Math.min(...all.map(r => r[1])),
                       Math.max(...all.map(r => r[2])), Math.max(...all.map(r => r[3]))];
const found = {
  view: [view.x, view.y, view.x + view.width, view.y + view.height],
  vertices: of(svg, 'g[data-key]').map(g => ({
    key: g.dataset.key + (g.dataset.copy ? '~' + g.dataset.copy : ''), kind: g.dataset.kind,
    outline: around(of(g, 'rect, polygon').map(place)), texts: texts(of(g, 'text'))})),
  groups: of(svg, '[data-group]').filter(g => own(g, 'rect').length).map(g => ({
    key: g.dataset.group, outline: place(own(g, 'rect')[0]), texts: texts(own(g, 'text'))})),
  legend: texts(of(svg, '.legend text')),
  labels: texts(of(svg, 'text').filter(t => !t.closest('[data-key], [data-group], .legend'))),
};
style === null ? svg.removeAttribute('style') : svg.setAttribute('style', style);
return found;
"""


def measure(page: Any, within: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = page.run(MEASURE, within)
    return found


def faults(found: dict[str, Any]) -> list[str]:
    """Say which boxes overlap, which texts leave their box or each other's place, what is cut."""
    out = []
    for v in found["vertices"]:
        if not inside(v["outline"], found["view"]):
            out.append(f"{v['key']} is cut: {v['outline']} outside {found['view']}")
        for text in v["texts"]:
            if not inside(text["at"], v["outline"]):
                out.append(f"{text['text']!r} leaves {v['key']}: {text['at']}, {v['outline']}")
        for a, b in combinations(v["texts"], 2):
            if overlap(a["at"], b["at"], 3):  # lines stand close: letters do not touch
                out.append(f"{a['text']!r} lies on {b['text']!r}")
    for a, b in combinations(found["vertices"], 2):
        if overlap(a["outline"], b["outline"]):
            out.append(f"{a['key']} overlaps {b['key']}")
    for group in found["groups"]:
        box = group["outline"]
        if not inside(box, found["view"]):
            out.append(f"module {group['key']} is cut")
        for v in found["vertices"]:
            if overlap(box, v["outline"]) and not inside(v["outline"], box):
                out.append(f"the frame of {group['key']} crosses {v['key']}")
        for text in group["texts"]:
            if not inside(text["at"], box):
                out.append(f"the title {text['text']!r} leaves its module")
            out += [f"the title {text['text']!r} lies on {v['key']}"
                    for v in found["vertices"] if overlap(text["at"], v["outline"], 1)]  # fmt: skip
    for a, b in combinations(found["groups"], 2):
        x, y = a["outline"], b["outline"]
        if overlap(x, y) and not inside(x, y) and not inside(y, x):
            out.append(f"modules {a['key']} and {b['key']} cross")
    written = found["legend"] + found["labels"]
    for text in written:
        if not inside(text["at"], found["view"]):
            out.append(f"{text['text']!r} is cut")
        out += [f"{text['text']!r} lies on {v['key']}"
                for v in found["vertices"] if overlap(text["at"], v["outline"], 1)]  # fmt: skip
    titles = written + [text for group in found["groups"] for text in group["texts"]]
    return out + [f"{a['text']!r} and {b['text']!r} touch"
                  for a, b in combinations(titles, 2) if overlap(a["at"], b["at"], 3)]  # fmt: skip


def inside(a: list[float], b: list[float]) -> bool:
    return (a[0] >= b[0] - ROOM and a[1] >= b[1] - ROOM
            and a[2] <= b[2] + ROOM and a[3] <= b[3] + ROOM)  # fmt: skip


def overlap(a: list[float], b: list[float], room: float = ROOM) -> bool:
    return (min(a[2], b[2]) - max(a[0], b[0]) > room and min(a[3], b[3]) - max(a[1], b[1]) > room)
