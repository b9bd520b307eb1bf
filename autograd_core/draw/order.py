"""Which layer a vertex is in, and which neighbours it has there: the order of a layered layout.

1. A vertex's layer is the length of the longest path that leads to it; then everything moves next to
   its first use, so that a parameter, or a step's input, stands where it is needed.
2. An edge over several layers gets a dummy vertex in each, so that boxes leave room for it. Edges
   from the same source share their dummies, and are seen as one line that forks.
3. Within layers, vertices are sorted by the mean position of their neighbours, in sweeps up and
   down, which untangles crossings (K. Sugiyama, 1981).

No sizes are needed: the order stays while boxes open and close. All of it is loops over lists, so
that a chain of any length is laid out.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Order", "arrange"]

DUMMIES = 30_000  # more than these are not used: the longest edges cross what is in their way
SWEEPS, LARGE = 8, 5000  # half as many sweeps over more than LARGE vertices


@dataclass(slots=True)
class Order:
    """Layers of vertices, and the chain of vertices that each edge passes; dummies come last."""

    rows: list[list[int]]  # each layer, in order
    layer: list[int]  # of each vertex
    chains: list[list[int]]  # of each edge: its source, dummies, its target


def arrange(
    count: int,
    edges: Sequence[tuple[int, int]],
    tags: Sequence[Hashable] | None = None,
    entries: int = 0,
    exits: int = 0,
) -> Order:
    """Order ``count`` vertices, numbered so that every edge goes from a lower to a higher one.

    The first ``entries`` vertices get a layer of their own before all others, and the last ``exits``
    one after them. Edges with the same tag (their source, unless it is said) share dummies.

    >>> arrange(3, [(0, 1), (1, 2), (0, 2)]).rows
    [[0], [1, 3], [2]]
    """
    layer = _layers(count, edges, entries, exits)
    chains = _chains(layer, edges, tags or [a for a, _ in edges])
    last = max(layer, default=-1) + (entries > 0 and not exits)  # an empty one for the border
    rows: list[list[int]] = [[] for _ in range(last + 1)]
    for v, n in enumerate(layer):
        rows[n].append(v)
    above: list[list[int]] = [[] for _ in layer]
    below: list[list[int]] = [[] for _ in layer]
    for a, b in dict.fromkeys(link for chain in chains for link in pairwise(chain)):
        below[a].append(b)
        above[b].append(a)
    _sort(rows, above, below)
    return Order(rows, layer, chains)


def _layers(count: int, edges: Sequence[tuple[int, int]], entries: int, exits: int) -> list[int]:
    targets: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        targets[a].append(b)
    boxes = range(entries, count - exits)
    layer = [0] * entries + [1 if entries or exits else 0] * (count - entries)
    for v in range(count):
        for w in targets[v]:
            layer[w] = max(layer[w], layer[v] + 1)
    last = max((layer[v] for v in boxes), default=0) + 1
    layer[count - exits :] = [last] * exits
    for v in reversed(boxes):
        if targets[v]:
            layer[v] = min(layer[w] for w in targets[v]) - 1
    return layer


def _chains(
    layer: list[int], edges: Sequence[tuple[int, int]], tags: Sequence[Hashable]
) -> list[list[int]]:
    """Turn each edge into a chain of vertices in successive layers, adding dummies to ``layer``."""
    spans = [layer[b] - layer[a] - 1 for a, b in edges]
    total, longest = 0, -1  # edges of at most this span get dummies
    for span in sorted(spans):
        total += span
        if total > DUMMIES:
            break
        longest = span
    dummies: dict[tuple[Hashable, int, int], int] = {}
    chains = []
    for (a, b), tag, span in zip(edges, tags, spans, strict=True):
        chain = [a]
        for n in range(layer[a] + 1, layer[b]) if span <= longest else ():
            dummy = dummies.setdefault((tag, a, n), len(layer))
            if dummy == len(layer):
                layer.append(n)
            chain.append(dummy)
        chains.append([*chain, b])
    return chains


def _sort(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Sort each layer by the mean position of its neighbours, in both directions by turns."""
    place = {v: float(i) for row in rows for i, v in enumerate(row)}
    best, fewest = [row[:] for row in rows], _crossings(rows, below, place)
    for sweep in range(SWEEPS if len(place) < LARGE else SWEEPS // 2):
        if not fewest:
            break
        down = sweep % 2 == 0
        near = above if down else below
        for row in rows if down else reversed(rows):
            if len(row) < 2:
                continue
            means = {v: sum([place[w] for w in near[v]]) / len(near[v]) if near[v] else place[v]
                     for v in row}  # fmt: skip
            row.sort(key=means.__getitem__)
            for i, v in enumerate(row):
                place[v] = float(i)
        crossings = _crossings(rows, below, place)
        if crossings < fewest:
            best, fewest = [row[:] for row in rows], crossings
    rows[:] = best


def _crossings(rows: list[list[int]], below: list[list[int]], place: dict[int, float]) -> int:
    """Count the pairs of edges that cross between layers."""
    total = 0
    for row in rows:
        if len(row) < 2:
            continue
        seen: list[float] = []
        for v in row:
            ends = sorted([place[w] for w in below[v]])
            if seen and ends and ends[0] < seen[-1]:
                total += sum(len(seen) - bisect_right(seen, p) for p in ends)
            for p in ends:
                insort(seen, p)
    return total
