"""The picture in Graphviz's language, and what its ``dot`` program makes of it."""

from __future__ import annotations

from ..errors import message
from .boxes import Box
from .layout import Layout, Point
from .model import Picture

__all__ = ["NEEDS_DOT", "place", "render", "write"]

POINTS = 72.0  # per inch; one of our pixels is one point there
NEEDS_DOT = "Graphviz: apt install graphviz, brew install graphviz or conda install graphviz"
SHAPES = {
    "pill": 'shape=box style="rounded,filled"',
    "round": 'shape=box style="rounded,filled"',
    "double": 'shape=box style="rounded,filled" peripheries=2',
    "square": 'shape=box style="filled,dashed"',
    "cut": 'shape=octagon style="filled"',
}


def quote(text: str) -> str:
    """Write a string of DOT in which every character stands for itself.

    >>> print(quote('a "b" \\\\n'))
    "a \\"b\\" \\\\n"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'


def write(picture: Picture, boxes: list[Box], direction: str, labels: bool = True) -> str:
    """Return the picture in DOT: a node for each vertex, of the size that we measured."""
    lines = ["digraph {", f"  rankdir={direction} nodesep=0.2 ranksep=0.5 bgcolor=white",
             "  node [fixedsize=true fontname=monospace fontsize=12]",
             '  edge [arrowsize=0.6 color="#7a8394"]']  # fmt: skip
    for vertex, b in zip(picture.vertices, boxes, strict=True):
        shape = SHAPES[b.style.shape] if labels else "shape=box"
        label = "\\n".join(quote(line)[1:-1] for line in b.lines) if labels else ""
        lines.append(
            f'  {vertex.key} [label="{label}" {shape} fillcolor="{b.style.fill}" '
            f'color="{b.style.stroke}" width={b.width / POINTS:.3f} height={b.height / POINTS:.3f} '
            f"kind={vertex.kind}]"
        )
    lines += [f"  {e.source} -> {e.target}" for e in picture.edges]
    return "\n".join([*lines, "}"]) + "\n"


def place(picture: Picture, boxes: list[Box], direction: str) -> Layout | None:
    """Let ``dot`` find the places; None if there is no such program, or it fails."""
    import graphviz  # only here: it is not needed before there is a picture to draw

    source = write(picture, boxes, direction, labels=False)
    try:
        plain = graphviz.Source(source).pipe(format="plain", encoding="utf-8", quiet=True)
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError, OSError):
        return None
    centres: dict[str, Point] = {}
    routes: dict[tuple[str, str], list[list[Point]]] = {}  # several where an edge is repeated
    width = height = 0.0
    for line in plain.splitlines():
        words = line.split()
        if words[0] == "graph":
            width, height = float(words[2]) * POINTS, float(words[3]) * POINTS
        elif words[0] == "node":
            centres[words[1]] = float(words[2]) * POINTS, height - float(words[3]) * POINTS
        elif words[0] == "edge":
            xy = [float(n) * POINTS for n in words[4 : 4 + 2 * int(words[3])]]
            route = [(x, height - y) for x, y in zip(xy[::2], xy[1::2], strict=True)]
            routes.setdefault((words[1], words[2]), []).append(route)
    return Layout(width, height, [centres[v.key] for v in picture.vertices],
                  [routes[e.source, e.target].pop() for e in picture.edges])  # fmt: skip


def render(source: str, kind: str) -> bytes:
    """Return the picture as ``dot`` draws it, in a format that only it can write."""
    import graphviz

    try:
        drawn: bytes = graphviz.Source(source).pipe(format=kind)
        return drawn
    except graphviz.ExecutableNotFound:
        raise RuntimeError(message("draw", f"no program 'dot' to write .{kind} with", NEEDS_DOT,
                                   "save('graph.svg'), which needs nothing")) from None  # fmt: skip
