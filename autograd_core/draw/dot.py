"""The picture in Graphviz's language, and what its ``dot`` program makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from ..errors import message
from .boxes import CHARACTER, LINE, Box, columns, heading, printable
from .colours import Scale, readable
from .layout import Layout, Point
from .model import Edge, Group, Picture

__all__ = ["NEEDS_DOT", "nested", "place", "render", "title", "told", "write"]

POINTS = 72.0  # per inch; one of our pixels is one point there
NEEDS_DOT = "Graphviz: apt install graphviz, brew install graphviz or conda install graphviz"
PLAIN = re.compile(r"[a-z]{1,3}\d+")  # keys that are no word of the language
SHAPES = {
    "pill": 'shape=box style="rounded,filled"',
    "round": 'shape=box style="rounded,filled"',
    "double": 'shape=box style="rounded,filled" peripheries=2',
    "square": 'shape=box style="filled,dashed"',
    "cut": 'shape=octagon style="filled"',
    "fold": 'shape=note style="filled"',
    "bars": 'shape=component style="filled"',
}


def quote(text: str) -> str:
    """Write a string of DOT in which every character stands for itself.

    >>> print(quote('a "b" \\\\n'))
    "a \\"b\\" \\\\n"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'


def write(
    picture: Picture,
    boxes: Sequence[Box],
    direction: str,
    labels: bool = True,
    scale: Scale | None = None,
) -> str:
    """Return the picture in DOT: a node for each vertex, of the size that we measured.

    Modules are clusters, which say what they hold after all nodes have been told. Without ``labels``
    it is only for finding places; with a ``scale`` colours tell sizes.
    """
    lines = ["digraph {", f"  rankdir={direction} nodesep=0.2 ranksep=0.5 bgcolor=white",
             "  node [fixedsize=true fontname=monospace fontsize=12]",
             '  edge [arrowsize=0.6 color="#7a8394" fontname=monospace fontsize=10]']  # fmt: skip
    for v, b in zip(picture.vertices, boxes, strict=True):
        fill = scale.fill(v) if scale and v.kind != "operation" else None
        lines.append(f"  {_key(v.key)} [{_node(b, labels, fill)} kind={v.kind}]")
    lines += _clusters(picture, labels)
    lines += [f"  {_key(e.source)} -> {_key(e.target)}{_manner(e)}" for e in picture.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _node(b: Box, labels: bool, fill: str | None) -> str:
    if not labels:
        return f"shape=box width={b.width / POINTS:.3f} height={b.height / POINTS:.3f}"
    lines = told(b)
    label = "\\n".join(quote(line)[1:-1] for line in lines)
    width = max(b.width, max(map(columns, lines)) * CHARACTER + 16)
    height = b.height + LINE * (len(lines) - len(b.lines))
    paint = f'"{fill}" fontcolor="{readable(fill)}"' if fill else f'"{b.style.fill}"'
    return (f'label="{label}" {SHAPES[b.style.shape]} fillcolor={paint} color="{b.style.stroke}" '
            f"width={width / POINTS:.3f} height={height / POINTS:.3f}")  # fmt: skip


def _key(key: str) -> str:
    return key if PLAIN.fullmatch(key) else quote(key)


def _manner(edge: Edge) -> str:
    """Return how an edge is drawn; one that runs backwards must not change the order of layers."""
    label = f"label={quote(printable(edge.label))}" if edge.label else ""
    manner = " ".join(x for x in ("style=dashed" if edge.dotted else "",
                                  "constraint=false" if edge.back else "", label) if x)  # fmt: skip
    return f" [{manner}]" if manner else ""


def nested(groups: Iterable[Group]) -> Iterator[tuple[Group | None, int]]:
    """Give each module when it opens, and None when it closes, with its depth; without recursion."""
    children: dict[str, list[Group]] = {}
    for group in groups:
        children.setdefault(group.parent, []).append(group)
    stack: list[tuple[Group | None, int]] = [(g, 0) for g in reversed(children.get("", []))]
    while stack:
        top, depth = stack.pop()
        yield top, depth
        if top is not None:
            stack.append((None, depth))
            stack += [(child, depth + 1) for child in reversed(children.get(top.key, []))]


def told(b: Box) -> list[str]:
    """Return the lines of a box, with what a drawing shows beside them: how many, and its marks."""
    first, *rest = b.lines
    marks = [f"[{', '.join(map(printable, b.signs))}]"] if b.signs else []
    return [f"{first} {b.badge}" if b.badge else first, *rest, *marks]


def title(group: Group) -> list[str]:
    """Return the lines over a module's box."""
    return [line for line in heading(group)[:2] if line]


def _clusters(picture: Picture, labels: bool) -> Iterator[str]:
    """Write the modules, each within its parent, however deep."""
    members: dict[str, list[str]] = {}
    for vertex in picture.vertices:
        members.setdefault(vertex.group, []).append(_key(vertex.key))
    for group, depth in nested(picture.groups):
        indent = "  " * (depth + 1)
        if group is None:
            yield indent + "}"
            continue
        label = '"' + "\\n".join(quote(line)[1:-1] for line in title(group)) + '"'
        if not labels:  # room for the title that we write there
            width, height = heading(group)[2]
            label = (f'<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{width:.0f}" '
                     f'HEIGHT="{height / 2:.0f}"><TR><TD></TD></TR></TABLE>>')  # fmt: skip
        yield f"{indent}subgraph {quote('cluster_' + group.key)} {{"
        yield (f'{indent}  label={label} labeljust=l margin=14 style="rounded,dashed" color="#9aa3b2" '
               "fontname=monospace fontsize=11")  # fmt: skip
        if group.key in members:
            yield f"{indent}  {' '.join(members[group.key])}"
        elif not labels:  # Graphviz leaves an empty cluster out
            yield f"{indent}  {quote('in ' + group.key)} [style=invis width=0.1 height=0.1]"


def place(picture: Picture, boxes: Sequence[Box], direction: str) -> Layout | None:
    """Let ``dot`` find the places; None if there is no such program, or it fails."""
    import graphviz  # only here: it is not needed before there is a picture to draw

    source = write(picture, boxes, direction, labels=False)
    try:
        told = graphviz.Source(source).pipe(format="json0", encoding="utf-8", quiet=True)
    except (graphviz.ExecutableNotFound, graphviz.CalledProcessError, OSError):
        return None
    found = json.loads(told)
    objects = found.get("objects", [])
    _, _, width, height = _numbers(found["bb"])

    def turned(pairs: Iterable[str]) -> list[Point]:
        return [(x, height - y) for x, y in map(_numbers, pairs)]

    centres = {o["name"]: turned([o["pos"]])[0] for o in objects if "pos" in o}
    frames = {o["name"]: _numbers(o["bb"]) for o in objects if "bb" in o}
    routes: dict[tuple[str, str], list[list[Point]]] = {}  # several where an edge is repeated
    for edge in reversed(found.get("edges", [])):
        ends = objects[edge["tail"]]["name"], objects[edge["head"]]["name"]
        points = [p for p in edge["pos"].split() if p[0] not in "es"]  # not the arrow's own
        routes.setdefault(ends, []).append(turned(points))
    rectangles = [(left, height - top, right - left, top - bottom) for left, bottom, right, top
                  in (frames.get(f"cluster_{g.key}", [0.0] * 4) for g in picture.groups)]  # fmt: skip
    return Layout(width, height, [centres[v.key] for v in picture.vertices],
                  [routes[e.source, e.target].pop() for e in picture.edges], rectangles)  # fmt: skip


def _numbers(text: str) -> list[float]:
    return [float(n) for n in text.split(",")]


def render(source: str, kind: str) -> bytes:
    """Return the picture as ``dot`` draws it, in a format that only it can write."""
    import graphviz

    try:
        drawn: bytes = graphviz.Source(source).pipe(format=kind)
        return drawn
    except graphviz.ExecutableNotFound:
        raise RuntimeError(message("draw", f"no program 'dot' to write .{kind} with", NEEDS_DOT,
                                   "save('graph.svg'), which needs nothing")) from None  # fmt: skip
