"""The picture as SVG: one element for each vertex and edge, no style sheet, no script.

Each vertex is a group with its whole text in a ``<title>`` (shown when pointed at), and says in
``data-`` attributes what it is; each edge says what it joins. So a page's styles do not reach in,
nothing leaks out, and the picture can be read back.
"""

from __future__ import annotations

import zlib
from html import escape

from .boxes import LINE, Box, printable
from .layout import Layout, Point
from .model import Picture, Vertex

__all__ = ["write"]

MARGIN = 8.0
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def write(picture: Picture, boxes: list[Box], layout: Layout) -> str:
    """Return the SVG document."""
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    content = repr((picture, layout.routes))
    arrow = f"arrow-{zlib.crc32(content.encode(errors='replace')):08x}"  # unique in a page
    body: list[str] = []
    for edge, route in zip(picture.edges, layout.routes, strict=True):
        body.append(_edge(edge.source, edge.target, route, arrow))
    for vertex, b, (x, y) in zip(picture.vertices, boxes, layout.centres, strict=True):
        body.append(_vertex(vertex, b, x + MARGIN, y + MARGIN))
    text = "\n".join(body)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" \
viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" font-size="12">
<defs><marker id="{arrow}" markerUnits="userSpaceOnUse" markerWidth="7" markerHeight="8" \
refX="0" refY="4" orient="auto"><path d="M0,0.5 L6.5,4 L0,7.5 z" fill="#7a8394"/></marker></defs>
<rect width="100%" height="100%" rx="6" fill="#ffffff"/>
{text}
</svg>
"""


def _edge(a: str, b: str, route: list[Point], arrow: str) -> str:
    points = [f"{x + MARGIN:.1f},{y + MARGIN:.1f}" for x, y in route]
    return (
        f'<path data-from="{a}" data-to="{b}" d="M{points[0]} C{" ".join(points[1:])}" '
        f'fill="none" stroke="#7a8394" stroke-width="1.2" marker-end="url(#{arrow})"/>'
    )


def _vertex(vertex: Vertex, b: Box, x: float, y: float) -> str:
    left, top = x - b.width / 2, y - b.height / 2
    centred = b.style.shape == "pill"
    parts = [
        f'<g data-key="{vertex.key}" data-kind="{vertex.kind}">',
        f"<title>{_text(_whole(vertex))}</title>",
        _outline(b, left, top),
    ]
    anchor = ' text-anchor="middle"' if centred else ""
    start = x if centred else left + (12 if b.style.shape == "cut" else 8)
    for i, line in enumerate(b.lines):
        bold = ' font-weight="bold"' if b.titled and i == 0 else ""
        parts.append(f'<text x="{start:.1f}" y="{top + 5 + LINE * (i + 0.75):.1f}"{anchor}{bold} '
                     f'fill="#1d2430" xml:space="preserve">{_text(line)}</text>')  # fmt: skip
    return "".join(parts) + "</g>"


def _outline(b: Box, left: float, top: float) -> str:
    w, h, shape = b.width, b.height, b.style.shape
    paint = f'fill="{b.style.fill}" stroke="{b.style.stroke}" stroke-width="1.3"'

    def rect(inset: float, radius: float, more: str) -> str:
        return (f'<rect x="{left + inset:.1f}" y="{top + inset:.1f}" width="{w - 2 * inset:.1f}" '
                f'height="{h - 2 * inset:.1f}" rx="{radius:.1f}" {more}/>')  # fmt: skip

    if shape == "pill":
        return rect(0, min(h / 2, 16), paint)
    if shape == "square":
        return rect(0, 0, paint + ' stroke-dasharray="4 3"')
    if shape == "double":
        return rect(0, 7, paint) + rect(2.5, 5, f'fill="none" stroke="{b.style.stroke}"')
    if shape == "cut":
        c, r, e = 8.0, left + w, top + h
        corners = [(left + c, top), (r - c, top), (r, top + c), (r, e - c), (r - c, e),
                   (left + c, e), (left, e - c), (left, top + c)]  # fmt: skip
        joined = " ".join(f"{px:.1f},{py:.1f}" for px, py in corners)
        return f'<polygon points="{joined}" {paint}/>'
    return rect(0, 7, paint)


def _whole(v: Vertex) -> str:
    """Return all that is known of a vertex, in one line, however long."""
    shape = f"{v.shape} {v.dtype}" if v.shape is not None else ""
    value, grad = f"value {v.value}" if v.value else "", f"grad {v.grad}" if v.grad else ""
    parts = (v.name, v.params, shape, value, grad, v.note)
    return "; ".join(part for part in parts if part)


def _text(text: str) -> str:
    return escape(printable(text))
