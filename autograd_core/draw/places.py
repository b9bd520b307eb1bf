"""Where the vertices of ordered layers stand: near their neighbours, and not on others.

Each vertex goes as near to the weighted mean of its neighbours as the order allows: a least-squares
problem with ordered unknowns, solved exactly by pooling adjacent violators. Lines over several layers
weigh most, so that they come out straight (E. Gansner et al., 1993). ``page.js`` does the same when
a box opens or closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .order import Order

__all__ = ["ALONG", "columns", "positions"]

ALONG, ACROSS, NARROW = 24.0, 14.0, 9.0  # gaps: between layers, between boxes, and beside lines
WIDER = 24.0  # how much further apart layers may be
SWEEPS, LARGE = 16, 1000  # a quarter as many sweeps over more than LARGE vertices
LEAF = 0.05  # how much a vertex wants to be beside a leaf: what is computed stays in line

Link = tuple[int, float, float]  # to which vertex, how far it wants to be from it, how much it wants


def columns(
    order: Order, depth: Sequence[float], across: Sequence[float], border: float
) -> tuple[list[float], list[float]]:
    """Return where each layer's middle is along the flow, and how thick the layer is.

    Layers between which lines go far across are further apart. ``border`` is the gap beside the first
    and the last layer, if these are the ends of lines.
    """
    thick = [max((depth[v] for v in row if v < len(depth)), default=0.0) for row in order.rows]
    steep = [0.0] * len(thick)
    for chain in order.chains:
        for a, b in pairwise(chain):
            n = order.layer[a]
            steep[n] = max(steep[n], abs(across[a] - across[b]))
    middles, end = [], 0.0
    for n, t in enumerate(thick):
        middles.append(end + t / 2)
        least = border if border and n in (0, len(thick) - 2) else ALONG
        end += t + least + min(steep[n] / 8, WIDER)
    return middles, thick


def positions(
    order: Order, breadth: Sequence[float], lines: Sequence[bool], ends: Sequence[tuple[float, float]]
) -> list[float]:
    """Return where each vertex's middle is across the flow.

    Args:
        order: layers; those from ``len(breadth)`` on are dummies.
        breadth: how much room each vertex takes.
        lines: which vertices are only ends of lines.
        ends: how far from the middles of its source and its target each edge starts and ends.
    """
    count = len(order.layer)
    wide = [*breadth, *[0.0] * (count - len(breadth))]
    thin = [*lines, *[True] * (count - len(breadth))]
    above, below = _links(order, thin, ends)
    at = [0.0] * count
    rooms = []
    for row in order.rows:
        room, total = [0.0][: len(row)], 0.0
        for a, b in pairwise(row):
            total += (wide[a] + wide[b]) / 2 + (NARROW if thin[a] or thin[b] else ACROSS)
            room.append(total)
        rooms.append(room)
        for v, r in zip(row, room, strict=False):
            at[v] = r - total / 2
    both = [a + b for a, b in zip(above, below, strict=True)]
    sweeps = SWEEPS if count < LARGE else SWEEPS // 4
    for sweep in range(sweeps):
        down = sweep % 2 == 0
        near = both if sweep >= sweeps - 2 else above if down else below
        for n in range(len(rooms)) if down else reversed(range(len(rooms))):
            _spread(order.rows[n], rooms[n], near, at)
    low = min((at[v] - wide[v] / 2 for v in range(count)), default=0.0)
    return [p - low for p in at]


def _links(
    order: Order, thin: Sequence[bool], ends: Sequence[tuple[float, float]]
) -> tuple[list[list[Link]], list[list[Link]]]:
    above: list[list[Link]] = [[] for _ in order.layer]
    below: list[list[Link]] = [[] for _ in order.layer]
    seen = set()
    fed = {chain[-1] for chain in order.chains}
    fed.update(v for v, line in enumerate(thin) if line)
    for chain, (start, end) in zip(order.chains, ends, strict=True):
        last = len(chain) - 2
        for i, (a, b) in enumerate(pairwise(chain)):
            shift = (start if i == 0 else 0.0) - (end if i == last else 0.0)
            if (a, b, shift) not in seen:
                seen.add((a, b, shift))
                line = thin[a] and thin[b]
                weight = 8.0 if line else (2.0 if thin[a] or thin[b] else 1.0) * (
                    1.0 if chain[0] in fed else LEAF)  # fmt: skip
                above[b].append((a, shift, weight))
                below[a].append((b, -shift, weight))
    return above, below


def _spread(row: list[int], room: list[float], near: list[list[Link]], at: list[float]) -> None:
    """Move a layer to the positions nearest to where each wants to be, in order, not overlapping.

    Less the room that those before it take, each position must not be below the one before:
    isotonic regression.
    """
    pools: list[tuple[float, float, int]] = []  # (mean, weight, how many)
    for v, r in zip(row, room, strict=True):
        links = near[v]
        n = 1
        if links:
            weight = sum([w for _, _, w in links])
            mean = sum([(at[u] + shift) * w for u, shift, w in links]) / weight - r
        else:
            weight, mean = 0.1, at[v] - r
        while pools and pools[-1][0] > mean:
            old, heavy, m = pools.pop()
            mean = (old * heavy + mean * weight) / (heavy + weight)
            weight, n = heavy + weight, m + n
        pools.append((mean, weight, n))
    i = 0
    for mean, _, n in pools:
        for _ in range(n):
            at[row[i]] = mean + room[i]
            i += 1
