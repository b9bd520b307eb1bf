"""Places for vertices, edges and module boxes: each box is laid out by itself, from the inside out.

``levels`` says what lies in each box, ``order`` in which layer and order, ``places`` where across the
flow; here every level becomes a rectangle, levels are put into each other, and edges are drawn through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .levels import IN, OUT, WORDS, Level, Piece, Tree, nested
from .places import columns, positions

__all__ = ["Layout", "Point", "Rectangle", "layered", "place"]

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]  # left, top, width, height
ARROW = 6.0  # an edge ends this far before its target: room for the arrow head
BESIDE = 8.0  # between edges that join the same two vertices
BORDER = 20.0  # from a box's border to what is in it, along the flow
PAD, HEADER, LANE = 10.0, 24.0, 14.0  # beside the inside of a box, above it, and for each way back


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of the vertices, and for each edge the points that it passes; in pixels."""

    width: float
    height: float
    centres: list[Point]
    routes: list[list[Point]]  # the control points of cubic curves: 1 + 3n of them
    boxes: list[Rectangle] = field(default_factory=list)  # of the groups
    labels: dict[int, Point] = field(default_factory=dict)  # where what is written at edges stands


def layered(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], direction: str = "LR"
) -> Layout:
    """Lay vertices of these sizes out, so that every edge (from, to) points in ``direction``.

    >>> layered([(40, 20), (40, 20)], [(0, 1)]).centres
    [(20.0, 10.0), (84.0, 10.0)]
    """
    keys = [str(i) for i in range(len(sizes))]
    pairs = [(str(a), str(b), False) for a, b in edges]
    tree = nested(dict.fromkeys(keys, ""), {}, pairs)
    return place(tree, dict(zip(keys, sizes, strict=True)), pairs, (), direction)


@dataclass(slots=True)
class _Inside:
    """A level with places, seen from its own corner: (along the flow, across it)."""

    size: Point
    at: dict[str, Point]  # the middles of things
    curves: dict[Piece, list[Point]]


def place(
    tree: Tree,
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str, bool]],
    boxes: Iterable[str],
    direction: str,
) -> Layout:
    """Give everything its place. ``sizes`` has the vertices', and the least ones of the boxes."""
    flat = direction in ("LR", "RL")
    extent = {key: size if flat else size[::-1] for key, size in sizes.items()}  # (along, across)
    inner: dict[str, _Inside] = {}
    for box, level in tree.levels.items():
        inner[box] = _inside(level, extent, inner, box, direction)
        extent[box] = inner[box].size
    corner: dict[str, Point] = {"": (0.0, 0.0)}
    middle: dict[str, Point] = {}
    for box in reversed(tree.levels):
        x, y = corner[box]
        for thing, (a, c) in inner[box].at.items():
            middle[thing] = a + x, c + y
            if thing in inner:
                corner[thing] = a + x - extent[thing][0] / 2, c + y - extent[thing][1] / 2
    length, breadth = extent[""]

    def turn(a: float, c: float) -> Point:
        a = length - a if direction in ("RL", "BT") else a
        return (a, c) if flat else (c, a)

    routes = []
    for way, shift in zip(tree.ways, _beside(edges), strict=True):
        route: list[Point] = []
        for box, piece in way:
            x, y = corner[box]
            curve = [(a + x, c + y + shift) for a, c in inner[box].curves[piece]]
            route += [*_straight(route[-1], curve[0]), *curve[1:]] if route else curve
        routes.append([turn(a, c) for a, c in route])
    rectangles = []
    for box in boxes:
        (a, c), (long, wide) = corner[box], extent[box]
        (x0, y0), (x1, y1) = turn(a, c), turn(a + long, c + wide)
        rectangles.append((min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)))
    width, height = (length, breadth) if flat else (breadth, length)
    centres = [turn(*middle[key]) for key in sizes if key not in inner and key[0] != WORDS]
    labels = {int(key[1:]): turn(*middle[key]) for key in middle if key[0] == WORDS}
    for n, (_, _, back) in enumerate(edges):
        if back:
            x, y = routes[n][len(routes[n]) // 2]
            labels[n] = x, y - 5
    return Layout(width, height, centres, routes, rectangles, labels)


def _inside(
    level: Level, extent: Mapping[str, Point], inner: Mapping[str, _Inside], box: str, direction: str
) -> _Inside:
    things, order = level.things, level.order
    lines = [t[0] in "<>" for t in things]
    depth = [0.0 if t[0] in "<>" else extent[t][0] for t in things]
    breadth = [0.0 if t[0] in "<>" else extent[t][1] for t in things]

    def aside(piece: Piece) -> tuple[float, float]:
        """How far from the middles of two things a piece starts and ends: ports of inner boxes."""
        return (inner[piece.start].at[OUT + piece.source][1] - extent[piece.start][1] / 2
                if piece.start in inner else 0.0,
                inner[piece.end].at[IN + piece.source][1] - extent[piece.end][1] / 2
                if piece.end in inner else 0.0)  # fmt: skip

    ends = [aside(p) for p in level.pieces]
    across = positions(order, breadth, lines, ends)
    along, thick = columns(order, depth, across, BORDER if any(lines) else 0.0)
    total = max((p + b / 2 for p, b in zip(across, breadth, strict=False)), default=0.0)
    total = max([total, *across])
    length = along[-1] + thick[-1] / 2 if along else 0.0
    # Around it: room for ways back, for the name of the box, and for what asks for a least size.
    lanes = LANE * len(level.returns) + (LANE if level.returns else 0.0)
    before, after = 0.0, 0.0
    top = lanes
    if box:
        least = extent.get(box, (0.0, 0.0))
        edge = 0.0 if any(lines) else PAD
        before, after = (HEADER if direction == "TB" else edge), (HEADER if direction == "BT" else edge)
        top += HEADER if direction in ("LR", "RL") else PAD
        more = max(0.0, least[0] - length - before - after) / 2
        before, after = before + more, after + more
        wider = max(0.0, least[1] - total - top - PAD) / 2
        top, total = top + wider, total + top + 2 * wider + PAD
    else:
        total += lanes
    end = before + length + after
    at: dict[str, Point] = {}
    for v, t in enumerate(things):
        a = 0.0 if t[0] == IN else end if t[0] == OUT else before + along[order.layer[v]]
        at[t] = a, across[v] + top
    curves = {}
    for piece, chain, (start, stop) in zip(level.pieces, order.chains, ends, strict=True):
        tip = 0.0 if piece.end in inner or piece.end[0] in (OUT, WORDS) else ARROW
        first, last = chain[0], chain[-1]
        x, y = at[piece.start]
        route: list[Point] = [(x + depth[first] / 2, y + start)]
        for i, v in enumerate(chain[:-1]):
            w = chain[i + 1]
            p = before + along[order.layer[v]] + thick[order.layer[v]] / 2
            q = before + along[order.layer[w]] - thick[order.layer[w]] / 2 - (tip if w == last else 0.0)
            here = across[v] + top + (start if i == 0 else 0.0)
            there = across[w] + top + (stop if w == last else 0.0)
            if abs(here - there) > 0.05:
                middle = (p + q) / 2
                route += [*_straight(route[-1], (p, here)), (middle, here), (middle, there), (q, there)]
        x, y = at[piece.end]
        route += _straight(route[-1], (x - depth[last] / 2 - tip, y + stop))
        curves[piece] = route
    number = {t: i for i, t in enumerate(things)}
    for n, piece in enumerate(level.returns):
        start, stop = aside(piece)
        (a, y0), (b, y1) = at[piece.start], at[piece.end]
        i, j = number[piece.start], number[piece.end]
        tip = 0.0 if piece.end in inner else ARROW
        right = before + along[order.layer[i]] + thick[order.layer[i]] / 2
        left = before + along[order.layer[j]] - thick[order.layer[j]] / 2
        curves[piece] = _arc((a + depth[i] / 2, y0 + start), right,
                             (b - depth[j] / 2 - tip, y1 + stop), left,
                             top - LANE * (n + 0.6))  # fmt: skip
    return _Inside((end, total), at, curves)


def _straight(a: Point, b: Point) -> list[Point]:
    """Continue a curve from a to b by a straight piece; by none where they are the same."""
    return [] if abs(a[0] - b[0]) < 0.01 else [a, b, b]


def _arc(a: Point, right: float, b: Point, left: float, lane: float) -> list[Point]:
    """Run from a to b by way of a lane above everything: up and down between layers."""
    end = min(left, b[0]), b[1]
    up, down = right + 10, end[0] - 10
    middle = (up + down) / 2
    return [a, *_straight(a, (right, a[1])), (up, a[1]), (up, a[1]), (up, (a[1] + lane) / 2),
            (up, lane), (up, lane), (middle, lane), (down, lane), (down, lane), (down, (b[1] + lane) / 2),
            (down, b[1]), (down, b[1]), end, *_straight(end, b)]  # fmt: skip


def _beside(edges: Sequence[tuple[str, str, bool]]) -> list[float]:
    """Return how far each edge is moved aside, so that repeated ones are seen to be several."""
    total, seen = Counter(edges), Counter[tuple[str, str, bool]]()
    out = []
    for edge in edges:
        out.append((seen[edge] - (total[edge] - 1) / 2) * min(BESIDE, 20 / total[edge]))
        seen[edge] += 1
    return out
