"""Leaves that many operations use, drawn once more at each use, so that no line crosses the picture."""

from __future__ import annotations

from dataclasses import replace

from .model import Picture

__all__ = ["LARGE", "redrawn"]

LARGE = 60  # vertices: up to this, one drawing of each leaf shows better what is shared


def redrawn(picture: Picture) -> Picture:
    """Return the picture with a parameter or constant of several uses drawn at each of them.

    The first use keeps its vertex ``t3``; the others have ``t3~1``, ``t3~2`` beside them, in the
    module box of the operation.
    """
    if len(picture.vertices) <= LARGE:
        return picture
    vertices = {v.key: v for v in picture.vertices}
    uses: dict[str, dict[str, str]] = {}  # leaf -> target -> the key that is drawn there
    edges = []
    for e in picture.edges:
        if vertices[e.source].kind in ("parameter", "constant"):
            drawn = uses.setdefault(e.source, {})
            key = drawn.setdefault(e.target, f"{e.source}~{len(drawn)}" if drawn else e.source)
            e = e._replace(source=key)
        edges.append(e)
    copies = {target: [] for target in vertices}  # type: dict[str, list[tuple[str, str]]]
    for leaf, drawn in uses.items():
        for target, key in drawn.items():
            if key != leaf:
                copies[target].append((leaf, key))
    out = []
    for v in picture.vertices:
        out += [replace(vertices[leaf], key=key, group=v.group) for leaf, key in copies[v.key]]
        out.append(v)
    return Picture(out, edges, picture.groups)
