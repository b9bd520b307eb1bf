"""The page of a picture: pan, zoom, search, and module boxes that open and close.

The page has the SVG of the picture with every box open, and the levels of its layout. When a box
opens or closes, ``places.js`` finds the places anew, from the inside out, as ``layout.place`` does; the
order within levels stays, so that nothing jumps about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict
from html import escape
from importlib.resources import files
from typing import Any

from .boxes import Box, heading
from .levels import Tree
from .model import Picture, Vertex
from .simplify import simplify

__all__ = ["data", "document", "fragment", "modules", "opened"]

MANY = 1500  # vertices: above this the page has what the picture shows, and no more


def opened(picture: Picture, whole: Picture | None) -> tuple[Picture, set[str]]:
    """Return the picture with all its boxes open, and the keys of those that are closed at first."""
    if whole is None:
        return picture, set()
    counts = [v.count for v in picture.vertices] + [g.count for g in picture.groups]
    folded = max(counts, default=1) > 1 or any(e.back for e in picture.edges)
    base = simplify(whole, depth=None, fold=folded, max_nodes=None)
    there = {v.key for v in picture.vertices}
    parents = {g.key: g.parent for g in base.groups}

    def seen(v: Vertex) -> bool:
        if v.key in there:
            return True
        box = v.group
        while box and box not in there:
            box = parents[box]
        return bool(box)

    if len(base.vertices) > MANY or not all(map(seen, base.vertices)):
        return picture, set()
    return base, set(parents) - {g.key for g in picture.groups}


def modules(picture: Picture) -> list[Vertex]:
    """Return what stands for each module box while it is closed."""
    found: dict[str, Vertex] = {}
    keys = {g.key for g in picture.groups}
    depth = 0
    while len(found) < len(keys):
        before = len(found)
        shown = simplify(picture, depth=depth, fold=False, max_nodes=None)
        found.update((v.key, v) for v in shown.vertices if v.key in keys)
        depth += 1
        if len(found) == before:  # what has an error in it is not closed, and an empty box is nothing
            break
    rest = (Vertex(g.key, "module", g.name, g.kind, count=g.count) for g in picture.groups
            if g.key not in found)  # fmt: skip
    return [*found.values(), *rest]


def data(
    drawn: Picture, boxes: Sequence[Box], tree: Tree, modules: Sequence[Vertex], shut: Sequence[Box],
    labels: dict[str, tuple[float, float]], closed: Collection[str], direction: str,
) -> dict[str, Any]:  # fmt: skip
    """Return what the page's script has to know."""
    levels, number = [], {}
    for n, (box, level) in enumerate(tree.levels.items()):
        number[box] = n
        levels.append({"box": box, "things": level.things, "rows": level.order.rows,
                       "layer": level.order.layer, "chains": level.order.chains,
                       "pieces": [[p.source, p.start, p.end] for p in level.pieces],
                       "returns": [[p.source, p.start, p.end] for p in level.returns]})  # fmt: skip
    where = {box: {p: i for i, p in enumerate([*level.pieces, *level.returns])}
             for box, level in tree.levels.items()}  # fmt: skip
    return {
        "direction": direction,
        "levels": levels,
        "edges": [[e.source, e.target, [[number[box], where[box][p]] for box, p in way],
                   int(e.dotted), int(e.back)]
                  for e, way in zip(drawn.edges, tree.ways, strict=True)],
        "size": {v.key: (b.width, b.height)
                 for v, b in zip([*drawn.vertices, *modules], [*boxes, *shut], strict=True)} | labels,
        "least": {g.key: heading(g)[2] for g in drawn.groups},
        "parent": {v.key: v.group for v in drawn.vertices} | {g.key: g.parent for g in drawn.groups},
        "about": {v.key: _about(v) for v in (*drawn.vertices, *modules)},
        "closed": sorted(closed),
    }  # fmt: skip


def fragment(known: dict[str, Any], picture: str, legend: tuple[str, float, float]) -> str:
    """Return the page's part that shows a picture; it refers to nothing outside of itself."""
    elements, width, height = legend
    (name,) = re.findall(r'<svg [^>]*class="(ag-\w+)"', picture)
    below = f"""\
<svg class="{name} ag-legend" width="{width:.0f}" height="{height:.0f}" font-family="monospace" \
font-size="12">{elements}</svg>""" if elements else ""
    text = json.dumps(known, separators=(",", ":")).replace("<", "\\u003c")
    style, places, script = (files(__package__).joinpath(name).read_text(encoding="utf-8")
                             for name in ("page.css", "places.js", "page.js"))  # fmt: skip
    return f"""\
<div class="ag-page"><style>{style}</style>
<div class="ag-bar" role="toolbar" aria-label="picture">
<button data-do="in" title="larger (+)">+</button><button data-do="out" title="smaller (−)">−</button>\
<button data-do="fit" title="all of it (0)">fit</button>\
<button data-do="open" title="open all modules">open all</button>\
<button data-do="close" title="close all modules">close all</button>\
<input type="search" placeholder="find a name" aria-label="find a name">\
<span class="ag-found" aria-live="polite"></span>\
<span class="ag-ways" title="point at a box"><i class="ag-value"></i>computed from \
<i class="ag-grad"></i>gradient from</span>\
<button data-do="dark" title="light or dark">◐</button></div>
<div class="ag-view" tabindex="0" aria-label="computation graph">
{slim(picture)}<div class="ag-tip" role="tooltip" hidden></div></div>
{below}<script type="application/json">{text}</script>
<script>(() => {{
{places}{script}}})();</script></div>
"""


def slim(picture: str) -> str:
    """Leave out of an SVG what the page says by its style sheets and its script."""
    picture = re.sub(r"<title>[^<]*</title>", "", picture)
    picture = re.sub(r'(class="(?:title|text|mute|grad|name)") fill="#[0-9a-f]{6}"', r"\1", picture)
    picture = re.sub(r'( d="[^"]*") fill="none" stroke="#[0-9a-f]{6}" stroke-width="1.2"', r"\1", picture)
    return re.sub(r'(class="k-\w+") fill="#[0-9a-f]{6}" stroke="#[0-9a-f]{6}"', r"\1", picture)


def document(part: str, title: str = "computation graph") -> str:
    """Return a whole page of a fragment."""
    return f"""\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>body{{margin:0}}body.ag-only>.ag-page{{height:100vh;border:0;border-radius:0}}</style></head>
<body class="ag-only">
{part}</body></html>
"""


def _about(v: Vertex) -> dict[str, Any]:
    """Return what is known of a vertex, for the page to tell: without what is not."""
    known = asdict(v)
    for name in ("key", "group"):
        del known[name]
    if known["count"] == 1:
        del known["count"]
    for name in ("grad_size", "low", "high"):
        known[name] = None if known[name] is None else f"{known[name]:.4g}"
    return {name: x for name, x in known.items() if x not in (None, "", ())}
