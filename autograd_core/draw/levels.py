"""The levels of a picture: what lies directly in each module box, and how edges pass its borders.

A level holds vertices, and inner boxes, which count as vertices there. An edge that crosses the borders
of boxes is drawn in pieces, one on each level that it passes; on a border it goes through a port, which
edges from the same source share. So no edge runs through a box that it has no business in, and the
inside of a box does not depend on what is around it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .order import Order, arrange

__all__ = ["IN", "OUT", "WORDS", "Level", "Piece", "Tree", "nested"]

OUT, IN, WORDS = ">", "<", "="  # ">t3" is where t3 leaves a box, "=7" what is written at edge 7


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of an edge on one level: from one thing there to another."""

    source: str  # where the edge comes from, at the beginning of all its pieces
    start: str
    end: str


@dataclass(slots=True)
class Level:
    """What lies directly in a box; the things' numbers in ``order`` are their places in ``things``."""

    things: list[str]  # ports in, vertices and inner boxes, ports out
    pieces: list[Piece]
    returns: list[Piece]  # against the flow: they run above everything
    order: Order


@dataclass(slots=True)
class Tree:
    """The levels by the keys of their boxes, inner ones first; the whole is the box ""."""

    levels: dict[str, Level]
    ways: list[list[tuple[str, Piece]]]  # of each edge: its pieces and their levels


def nested(
    inside: Mapping[str, str],
    parent: Mapping[str, str],
    edges: Sequence[tuple[str, str, bool]],
    labelled: Collection[int] = (),
) -> Tree:
    """Find the levels, and order each.

    Args:
        inside: the box of each vertex, in the order in which they are computed.
        parent: the box around each box; "" is the whole.
        edges: source, target, and whether it runs against the flow.
        labelled: the numbers of edges at which something is written, for which room is made.
    """
    around = {**inside, **parent}
    depth = {"": 0}
    for box in parent:
        path = [box]
        while around[path[-1]] not in depth:
            path.append(around[path[-1]])
        for b in reversed(path):
            depth[b] = depth[around[b]] + 1
    inward = sorted(depth, key=depth.__getitem__, reverse=True)
    content: dict[str, dict[str, int]] = {box: {} for box in inward}
    for n, v in enumerate(inside):
        thing = v
        while thing and thing not in content[around[thing]]:
            content[around[thing]][thing] = n
            thing = around[thing]
    for box in parent:  # an empty one is an empty box
        content[around[box]].setdefault(box, len(inside))
    passing: dict[str, dict[Piece, bool]] = {box: {} for box in content}
    ways = []
    for n, (source, target, back) in enumerate(edges):
        way = _way(source, target, around, depth)
        if n in labelled and not back:
            way = _lettered(way, f"{WORDS}{n}", content)
        ways.append(way)
        for box, piece in way:
            across_box = piece.start[0] not in "<>" and piece.end[0] not in "<>"
            passing[box][piece] = back and across_box
    return Tree({box: _level(things, passing[box]) for box, things in content.items()}, ways)


def _way(
    source: str, target: str, around: Mapping[str, str], depth: Mapping[str, int]
) -> list[tuple[str, Piece]]:
    """Cut an edge into pieces: up from its source to the level that both ends share, and down."""
    up: list[tuple[str, Piece]] = []
    down: list[tuple[str, Piece]] = []
    a, b = source, target
    while around[a] != around[b]:
        if depth[around[a]] >= depth[around[b]]:
            up.append((around[a], Piece(source, a, OUT + source)))
            a = around[a]
        else:
            down.append((around[b], Piece(source, IN + source, b)))
            b = around[b]
    return [*up, (around[a], Piece(source, a, b)), *reversed(down)]


def _lettered(
    way: list[tuple[str, Piece]], words: str, content: Mapping[str, dict[str, int]]
) -> list[tuple[str, Piece]]:
    """Let an edge go by way of what is written at it, on the level that both of its ends share."""
    n = next(i for i, (_, p) in enumerate(way) if p.start[0] not in "<>" and p.end[0] not in "<>")
    box, p = way[n]
    content[box][words] = content[box][p.end]
    pieces = [(box, Piece(p.source, p.start, words)), (box, Piece(p.source, words, p.end))]
    return [*way[:n], *pieces, *way[n + 1 :]]


def _level(content: Mapping[str, int], passing: Mapping[Piece, bool]) -> Level:
    forward = [p for p, back in passing.items() if not back and p.start != p.end]
    rank = {thing: i for i, thing in enumerate(_sorted(content, forward))}
    entries = dict.fromkeys(p.start for p in forward if p.start not in rank)
    exits = dict.fromkeys(p.end for p in forward if p.end not in rank)
    things = [*entries, *rank, *exits]
    number = {thing: i for i, thing in enumerate(things)}
    pieces = [p for p in forward if number[p.start] < number[p.end]]
    chosen = set(pieces)
    order = arrange(len(things), [(number[p.start], number[p.end]) for p in pieces],
                    [p.source for p in pieces], len(entries), len(exits))  # fmt: skip
    return Level(things, pieces, [p for p in passing if p not in chosen], order)


def _sorted(content: Mapping[str, int], pieces: Iterable[Piece]) -> list[str]:
    """Put a level's things into an order of dependency; what is in a cycle, by first appearance."""
    after: dict[str, list[str]] = {}
    waits = Counter[str]()
    for p in pieces:
        if p.start in content and p.end in content:
            after.setdefault(p.start, []).append(p.end)
            waits[p.end] += 1
    ready = [(n, thing) for thing, n in content.items() if not waits[thing]]
    heapq.heapify(ready)
    rest = iter(sorted(content, key=content.__getitem__))
    done: dict[str, None] = {}
    while len(done) < len(content):
        thing = heapq.heappop(ready)[1] if ready else next(t for t in rest if t not in done)
        if thing in done:
            continue
        done[thing] = None
        for t in after.get(thing, ()):
            waits[t] -= 1
            if not waits[t]:
                heapq.heappush(ready, (content[t], t))
    return list(done)
