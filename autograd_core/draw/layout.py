"""Places for vertices and edges: a layered layout of a directed acyclic graph (K. Sugiyama, 1981).

1. A vertex's layer is the length of the longest path that leads to it; what nothing leads to is
   moved next to its first use.
2. An edge over several layers gets a dummy vertex in each, so that boxes leave room for it.
3. Within layers, vertices are sorted by the mean position of their neighbours, in sweeps up and
   down, which untangles crossings.
4. Each vertex goes as near to the mean of its neighbours as the order allows: a least-squares
   problem with ordered unknowns, solved exactly by pooling adjacent violators.

All of it is loops over lists, so that a chain of any length is laid out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "Point", "layered"]

Point = tuple[float, float]
ALONG, ACROSS = 36.0, 14.0  # gaps between layers, and between neighbours in a layer
ARROW = 6.0  # an edge ends this far before its target: room for the arrow head
BESIDE = 8.0  # between edges that join the same two vertices
DUMMIES = 20_000  # more than these are not made: long edges then cross what is in their way
SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Centres of the vertices, and for each edge the points that it passes; in pixels."""

    width: float
    height: float
    centres: list[Point]
    routes: list[list[Point]]  # the control points of cubic curves: 1 + 3n of them


def layered(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], direction: str = "LR"
) -> Layout:
    """Lay vertices of these sizes out, so that every edge (from, to) points in ``direction``.

    >>> layered([(40, 20), (40, 20)], [(0, 1)]).centres
    [(20.0, 10.0), (96.0, 10.0)]
    """
    flat = direction in ("LR", "RL")
    depth = [w if flat else h for w, h in sizes]  # along the flow
    breadth = [h if flat else w for w, h in sizes]  # across it
    layer = _layers(len(sizes), edges)
    chains = _with_dummies(layer, edges, depth, breadth)
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for v, n in enumerate(layer):
        rows[n].append(v)
    above: list[list[int]] = [[] for _ in layer]
    below: list[list[int]] = [[] for _ in layer]
    for chain in chains:
        for a, b in pairwise(chain):
            below[a].append(b)
            above[b].append(a)
    _order(rows, above, below)
    across = _positions(rows, above, below, breadth)
    along, thick = _columns(rows, depth)
    length = along[-1] + thick[-1] / 2 if rows else 0.0
    total = max((p + b / 2 for p, b in zip(across, breadth, strict=True)), default=0.0)

    def turn(a: float, c: float) -> Point:
        a = length - a if direction in ("RL", "BT") else a
        return (a, c) if flat else (c, a)

    routes = []
    beside = _beside(edges)
    # Inside a layer straight, from layer to layer a curve: so no box is touched.
    for chain, shift in zip(chains, beside, strict=True):
        first, last = chain[0], chain[-1]
        route: list[Point] = [(along[layer[first]] + depth[first] / 2, across[first] + shift)]
        for v, w in pairwise(chain):
            start = along[layer[v]] + thick[layer[v]] / 2, across[v] + shift
            end = along[layer[w]] - thick[layer[w]] / 2 - ARROW, across[w] + shift
            middle = (start[0] + end[0]) / 2
            route += _straight(route[-1], start)
            route += [(middle, start[1]), (middle, end[1]), end]
        tip = along[layer[last]] - depth[last] / 2 - ARROW, across[last] + shift
        route += _straight(route[-1], tip)
        routes.append([turn(*point) for point in route])
    centres = [turn(along[layer[v]], across[v]) for v in range(len(sizes))]
    size = (length, total) if flat else (total, length)
    return Layout(*size, centres, routes)


def _beside(edges: Sequence[tuple[int, int]]) -> list[float]:
    """Return how far each edge is moved aside, so that repeated ones are seen to be several."""
    total, seen = Counter(edges), Counter[tuple[int, int]]()
    out = []
    for edge in edges:
        out.append((seen[edge] - (total[edge] - 1) / 2) * min(BESIDE, 20 / total[edge]))
        seen[edge] += 1
    return out


def _straight(a: Point, b: Point) -> list[Point]:
    """Continue a curve from a to b by a straight piece; by none where they are the same."""
    return [] if abs(a[0] - b[0]) < 0.01 else [a, b, b]


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Give each vertex the length of the longest path to it; vertices come in dependency order."""
    layer, first = [0] * count, [count] * count
    targets: list[list[int]] = [[] for _ in range(count)]
    fed = [False] * count
    for a, b in edges:
        targets[a].append(b)
        fed[b] = True
    for v in range(count):
        for w in targets[v]:
            layer[w] = max(layer[w], layer[v] + 1)
    for v in range(count):
        for w in targets[v]:
            first[v] = min(first[v], layer[w])
        if not fed[v] and targets[v]:
            layer[v] = first[v] - 1
    return layer


def _with_dummies(
    layer: list[int], edges: Sequence[tuple[int, int]], depth: list[float], breadth: list[float]
) -> list[list[int]]:
    """Turn each edge into a chain of vertices in successive layers, adding dummies to the lists."""
    needed = sum(layer[b] - layer[a] - 1 for a, b in edges)
    chains = []
    for a, b in edges:
        chain = [a]
        if needed <= DUMMIES:
            for n in range(layer[a] + 1, layer[b]):
                chain.append(len(layer))
                layer.append(n)
                depth.append(0.0)
                breadth.append(2.0)
        chains.append([*chain, b])
    return chains


def _order(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Sort each layer by the mean position of its neighbours, in both directions by turns."""
    place: dict[int, float] = {v: float(i) for row in rows for i, v in enumerate(row)}
    best, fewest = [row[:] for row in rows], _crossings(rows, below, place)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        near = above if down else below
        for row in rows if down else reversed(rows):
            means = {v: sum(place[w] for w in near[v]) / len(near[v]) if near[v] else place[v]
                     for v in row}  # fmt: skip
            row.sort(key=means.__getitem__)
            place.update((v, float(i)) for i, v in enumerate(row))
        crossings = _crossings(rows, below, place)
        if crossings < fewest:
            best, fewest = [row[:] for row in rows], crossings
    rows[:] = best


def _crossings(rows: list[list[int]], below: list[list[int]], place: dict[int, float]) -> int:
    """Count pairs of edges that cross between layers (of wide layers: not at all)."""
    total = 0
    for row in rows:
        ends = [sorted(place[w] for w in below[v]) for v in row]
        flat = [p for group in ends for p in group]
        if len(flat) < 2:
            continue
        if len(flat) > 400:
            total += 1  # as if some did: keep improving
            continue
        total += sum(p > q for i, p in enumerate(flat) for q in flat[i + 1 :])
    return total


def _columns(rows: list[list[int]], depth: list[float]) -> tuple[list[float], list[float]]:
    """Return where each layer's middle is along the flow, and how thick the layer is."""
    thick = [max((depth[v] for v in row), default=0.0) for row in rows]
    middles, end = [], 0.0
    for t in thick:
        middles.append(end + t / 2)
        end += t + ALONG
    return middles, thick


def _positions(
    rows: list[list[int]], above: list[list[int]], below: list[list[int]], breadth: list[float]
) -> list[float]:
    """Return where each vertex's middle is across the flow: near its neighbours, not on others."""
    at = [0.0] * len(breadth)
    for row in rows:
        end = 0.0
        for v in row:
            at[v] = end + breadth[v] / 2
            end += breadth[v] + ACROSS
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wanted = []
            for v in row:
                near = above[v] + below[v] if sweep >= SWEEPS - 2 else (above if down else below)[v]
                wanted.append(sum(at[w] for w in near) / len(near) if near else at[v])
            for v, p in zip(row, _spread(wanted, [breadth[v] for v in row]), strict=True):
                at[v] = p
    low = min((at[v] - breadth[v] / 2 for row in rows for v in row), default=0.0)
    return [p - low for p in at]


def _spread(wanted: list[float], breadth: list[float]) -> list[float]:
    """Return the positions nearest to ``wanted`` that keep the order and do not overlap.

    Less the room that those before it take, each position must not be below the one before:
    isotonic regression.
    """
    room, total = [], 0.0
    for i, b in enumerate(breadth):
        total += (breadth[i - 1] + b) / 2 + ACROSS if i else 0.0
        room.append(total)
    pools: list[tuple[float, int]] = []  # (mean, how many)
    for w, r in zip(wanted, room, strict=True):
        mean, n = w - r, 1
        while pools and pools[-1][0] > mean:
            old, m = pools.pop()
            mean, n = (old * m + mean * n) / (m + n), m + n
        pools.append((mean, n))
    means = [mean for mean, n in pools for _ in range(n)]
    return [m + r for m, r in zip(means, room, strict=True)]
