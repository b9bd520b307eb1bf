"""The picture as SVG: one element for each vertex, edge and module box, and no script.

Each vertex is a group with its whole text in a ``<title>`` (shown when pointed at), and says in
``data-`` attributes what it is; each edge says what it joins. So the picture can be read back. Its
style sheet names only a class of its own, so nothing leaks into a page, and gives what attributes
cannot: the colours of a dark page. A viewer that knows no style sheets shows the light ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from .boxes import CHARACTER, LINE, STYLES, Box, columns, heading, printable, shorten
from .colours import Scale, readable
from .layout import Layout, Point, Rectangle
from .model import Edge, Group, Picture, Vertex

__all__ = ["COLOURS", "MARGIN", "origin", "outline", "sheet", "sign", "write"]

MARGIN = 12.0
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
COLOURS = {  # of what is not a kind of vertex: on a light page, on a dark one
    "paper": ("#ffffff", "#14181e"), "ink": ("#1d2430", "#e8ecf2"), "mute": ("#5b6577", "#a0aaba"),
    "line": ("#7a8394", "#8b95a5"), "grad": ("#7a2fa8", "#cf9cf5"), "wrong": ("#a81414", "#ff9c9c"),
    "frame": ("#6553b0", "#a595f0"), "badge": ("#4c3f91", "#a595f0"),
}  # fmt: skip
TEXTS = {"title": "ink", "text": "ink", "mute": "mute", "grad": "grad", "wrong": "wrong"}
SIGNS = {  # marks, drawn in a square of 10 by 10
    "view": "M0.5,0.5 h6 v6 h-6 z M3.5,3.5 h6 v6 h-6 z",
    "in place": "M0.5,9.5 l1,-3.5 5.5,-5.5 2.5,2.5 -5.5,5.5 z M5.5,2 l2.5,2.5",
    "detached": "M0,5 h3.2 M6.8,5 h3.2 M3.4,9 L6.6,1",
    "saved": "M2,0.5 h6 v9 l-3,-2.7 -3,2.7 z",
}


def write(
    picture: Picture,
    boxes: Sequence[Box],
    layout: Layout,
    scale: Scale | None = None,
    legend: tuple[str, float, float] | None = None,
    closed: Sequence[tuple[Vertex, Box]] = (),
) -> str:
    """Return the SVG document.

    Args:
        picture, boxes, layout: what is drawn, how it looks and where it is.
        scale: the colours of sizes, if these are shown.
        legend: elements below the picture, their width and height.
        closed: what stands for a module box that a page closes; not seen before that.
    """
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    modules = [_module(g, r) for g, r in zip(picture.groups, layout.boxes, strict=False)]
    vertices = [_vertex(v, b, x + MARGIN, y + MARGIN, scale)
                for v, b, (x, y) in zip(picture.vertices, boxes, layout.centres, strict=True)]  # fmt: skip
    vertices += [_vertex(v, b, 0, 0, scale).replace("<g ", '<g class="closed" display="none" ', 1)
                 for v, b in closed]  # fmt: skip
    joined = [f"{e.source} {e.target}" for e in picture.edges]
    name = f"ag-{zlib.crc32(chr(10).join([*modules, *vertices, *joined]).encode()):08x}"  # unique in a page
    edges = [_edge(e, layout.routes[n], name, layout.labels.get(n), layout.width)
             for n, e in enumerate(picture.edges)]  # fmt: skip
    body = [*modules, *edges, *vertices]
    if legend and legend[0]:
        elements, wide, high = legend
        body.append(f'<svg class="legend" x="{MARGIN:.0f}" y="{height:.0f}" width="{wide:.0f}" '
                    f'height="{high:.0f}" overflow="visible">{elements}</svg>')  # fmt: skip
        width, height = max(width, wide + 2 * MARGIN), height + high + MARGIN
    text = "\n".join(body)
    colour = COLOURS["line"][0]
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" class="{name}" width="{width:.0f}" height="{height:.0f}" \
viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" font-size="12">
<style>{sheet(name)}</style>
<defs><marker id="arrow-{name}" markerUnits="userSpaceOnUse" markerWidth="7" markerHeight="8" \
refX="0" refY="4" orient="auto"><path class="head" d="M0,0.5 L6.5,4 L0,7.5 z" fill="{colour}"/>\
</marker></defs>
<rect class="paper" width="100%" height="100%" rx="6" fill="#ffffff"/>
{text}
</svg>
"""


def origin(key: str) -> tuple[str, str]:
    """Return the vertex that a drawn one stands for, and which drawing of it this is."""
    key, _, copy = key.partition("~")
    return key, copy


def sheet(name: str) -> str:
    """Return the style sheet of the class ``name``: every colour of a light and of a dark page."""
    light = ";".join(f"--{k}:{c[0]}" for k, c in COLOURS.items())
    dark = ";".join(f"--{k}:{c[1]}" for k, c in COLOURS.items())
    light += "".join(f";--{k}:{s.fill};--{k}-line:{s.stroke}" for k, s in STYLES.items())
    dark += "".join(f";--{k}:{s.dark[0]};--{k}-line:{s.dark[1]}" for k, s in STYLES.items())
    at = f".{name}"
    rules = [f"{at}{{{light}}}", f"@media (prefers-color-scheme:dark){{{at}:not(.light){{{dark}}}}}",
             f"{at}.dark{{{dark}}}"]  # fmt: skip
    rules += [f"{at} .k-{k}{{fill:var(--{k});stroke:var(--{k}-line)}}{at} .o-{k}{{stroke:var(--{k}-line)}}"
              for k in STYLES]  # fmt: skip
    rules += [f"{at} .{role}{{fill:var(--{colour})}}" for role, colour in TEXTS.items()]
    rules += [f"{at} .paper{{fill:var(--paper)}}{at} .edge{{stroke:var(--line)}}",
              f"{at} .head{{fill:var(--line)}}{at} .sign{{stroke:var(--mute)}}",
              f"{at} .frame{{fill:var(--frame);stroke:var(--frame)}}{at} .name{{fill:var(--frame)}}",
              f"{at} .badge{{fill:var(--badge)}}{at} .count{{fill:var(--paper)}}"]  # fmt: skip
    return "".join(rules)


def sign(mark: str, x: float, y: float) -> str:
    """Return the small drawing that stands for a mark."""
    return (f'<path class="sign" transform="translate({x:.1f},{y:.1f})" d="{SIGNS[mark]}" fill="none" '
            f'stroke="{COLOURS["mute"][0]}" stroke-width="1"/>')  # fmt: skip


def _module(g: Group, r: Rectangle) -> str:
    x, y, w, h = r
    name, kind, _ = heading(g)
    colour = COLOURS["frame"][0]
    beside = 10 + 7.3 * (len(name) + 1)
    return (
        f'<svg class="module" data-group="{_text(g.key)}" x="{x + MARGIN:.1f}" y="{y + MARGIN:.1f}" '
        f'width="{w:.1f}" height="{h:.1f}" overflow="visible">'
        f'<title>{_text(f"{g.name} {g.kind}".strip())}</title>'
        f'<rect class="frame" width="100%" height="100%" rx="10" fill="{colour}" fill-opacity="0.06" '
        f'stroke="{colour}" stroke-opacity="0.55"/>'
        f'<text class="name" x="10" y="16" font-weight="bold" fill="{colour}">{_text(name)}</text>'
        f'<text class="mute" x="{beside:.1f}" y="16" fill="{COLOURS["mute"][0]}">{_text(kind)}</text></svg>'
    )


def _edge(e: Edge, route: list[Point], name: str, at: Point | None, width: float) -> str:
    points = [f"{x + MARGIN:.1f},{y + MARGIN:.1f}" for x, y in route]
    more = ' stroke-dasharray="2 4"' if e.dotted else ""
    more += ' data-back="1"' if e.back else ""
    path = (
        f'<path class="edge" data-from="{_text(origin(e.source)[0])}" data-to="{_text(e.target)}" '
        f'd="M{points[0]} C{" ".join(points[1:])}" fill="none" stroke="{COLOURS["line"][0]}" '
        f'stroke-width="1.2"{more} marker-end="url(#arrow-{name})"/>'
    )
    if e.label:
        text = shorten(printable(e.label))
        half = columns(text) * CHARACTER / 2
        x, y = at or route[len(route) // 2]
        x = min(max(x, half), width - half)
        path += (f'<text class="mute" x="{x + MARGIN:.1f}" y="{y + MARGIN - 5:.1f}" text-anchor="middle" '
                 f'font-size="11" fill="{COLOURS["mute"][0]}">{escape(text)}</text>')  # fmt: skip
    return path


def _vertex(vertex: Vertex, b: Box, x: float, y: float, scale: Scale | None) -> str:
    left, top = x - b.width / 2, y - b.height / 2
    middle = b.style.shape == "pill"
    key, copy = origin(vertex.key)
    fill = scale.fill(vertex) if scale and vertex.kind != "operation" else None
    again = f' data-copy="{copy}"' if copy else ""
    parts = [
        f'<g data-key="{_text(key)}" data-kind="{vertex.kind}"{again}>',
        f"<title>{_text(_whole(vertex))}</title>",
        *outline(b, left, top, fill, bool(scale)),
    ]
    anchor = ' text-anchor="middle"' if middle else ""
    start = x if middle else left + (12 if b.style.shape in ("cut", "bars") else 8)
    for i, (line, role) in enumerate(zip(b.lines, b.roles, strict=True)):
        bold = ' font-weight="bold"' if role == "title" else ""
        paint = f'fill="{readable(fill)}"' if fill else (
            f'class="{role}" fill="{COLOURS[TEXTS[role]][0]}"')  # fmt: skip
        shift = 7.5 * len(b.signs) if middle and i == 0 else 0
        parts.append(f'<text x="{start - shift:.1f}" y="{top + 5 + LINE * (i + 0.75):.1f}"{anchor}{bold} '
                     f'{paint} xml:space="preserve">{_text(line)}</text>')  # fmt: skip
    right = left + b.width - (16 if b.style.shape in ("fold", "pill", "cut", "bars") else 6)
    for n, mark in enumerate(reversed(b.signs)):
        parts.append(sign(mark, right - 11 - 15 * n, top + 7))
    if b.badge:
        wide = 7.0 * len(b.badge) + 8
        at = left + b.width - wide + 8
        parts.append(f'<rect class="badge" x="{at:.1f}" y="{top - 8:.1f}" width="{wide:.1f}" height="16" '
                     f'rx="8" fill="{COLOURS["badge"][0]}"/><text class="count" x="{at + wide / 2:.1f}" '
                     f'y="{top + 4:.1f}" text-anchor="middle" font-size="11" font-weight="bold" '
                     f'fill="#ffffff">{b.badge}</text>')  # fmt: skip
    return "".join(parts) + "</g>"


def outline(b: Box, left: float, top: float, fill: str | None, scaled: bool) -> Iterable[str]:
    """Draw the shape of a box, in the colour of its kind, or of its size if colours are ``scaled``."""
    w, h, shape = b.width, b.height, b.style.shape
    line = f'stroke="{b.style.stroke}"'
    own = scaled and b.name not in ("operation", "error")
    if own:
        paint = f'class="o-{b.name}" fill="{fill}"' if fill else f'class="paper o-{b.name}" fill="#ffffff"'
    else:
        paint = f'class="k-{b.name}" fill="{b.style.fill}"'
    paint += f' {line} stroke-width="{2 if b.name == "error" else 1.3}"'
    inner = f'class="o-{b.name}" fill="none" {line}'

    def rect(inset: float, radius: float, more: str, shift: float = 0) -> str:
        return (f'<rect x="{left + inset + shift:.1f}" y="{top + inset - shift:.1f}" '
                f'width="{w - 2 * inset:.1f}" height="{h - 2 * inset:.1f}" '
                f'rx="{radius:.1f}" {more}/>')  # fmt: skip

    if b.badge:
        yield rect(0, 4 if shape == "bars" else min(h / 2, 12), paint, 4)  # one more, behind it
    if shape == "pill":
        yield rect(0, min(h / 2, 16), paint)
    elif shape == "square":
        yield rect(0, 0, paint + ' stroke-dasharray="4 3"')
    elif shape == "double":
        yield rect(0, 7, paint) + rect(2.5, 5, inner)
    elif shape == "bars":
        yield rect(0, 3, paint)
        yield (f'<path d="M{left + 5:.1f},{top:.1f} v{h:.1f} M{left + w - 5:.1f},{top:.1f} v{h:.1f}" '
               f"{inner}/>")  # fmt: skip
    elif shape == "cut":
        c, r, e = 8.0, left + w, top + h
        yield _polygon([(left + c, top), (r - c, top), (r, top + c), (r, e - c), (r - c, e),
                        (left + c, e), (left, e - c), (left, top + c)], paint)  # fmt: skip
    elif shape == "fold":
        c, r, e = 10.0, left + w, top + h
        yield _polygon([(left, top), (r - c, top), (r, top + c), (r, e), (left, e)], paint)
        yield f'<path d="M{r - c:.1f},{top:.1f} v{c:.0f} h{c:.0f}" {inner}/>'
    else:
        yield rect(0, 7, paint)


def _polygon(corners: Iterable[Point], paint: str) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon points="{joined}" {paint} stroke-linejoin="round"/>'


def _whole(v: Vertex) -> str:
    """Return all that is known of a vertex, in one line, however long."""
    shape = f"{v.shape} {v.dtype}" if v.shape is not None else ""
    value, grad = f"value {v.value}" if v.value else "", f"grad {v.grad}" if v.grad else ""
    marks = ", ".join(k for k, _ in groupby(v.marks))
    times = f"×{v.count}" if v.count > 1 else ""
    parts = (v.name, times, v.params, shape, value, grad, marks, v.note, v.error)
    return "; ".join(part for part in parts if part)


def _text(text: str) -> str:
    return escape(printable(text))
