"""A picture taken apart, so that it can be made smaller: what goes into each vertex, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from heapq import heapify, heappop, heappush

from .model import Edge, Group, Picture, Vertex

__all__ = ["Parts"]


class Parts:
    """Vertices and groups by key, and the edges into each vertex. The picture itself stays as it is."""

    def __init__(self, picture: Picture) -> None:
        self.vertices: dict[str, Vertex] = {v.key: v for v in picture.vertices}
        self.into: dict[str, list[Edge]] = {v.key: [] for v in picture.vertices}
        for e in picture.edges:
            self.into[e.target].append(e)
        self.groups: dict[str, Group] = {g.key: g for g in picture.groups}
        self.stands = dict(picture.stands)
        self.place = {v.key: i for i, v in enumerate(picture.vertices)}

    def hide(self, keys: Iterable[str], stands: dict[str, str]) -> None:
        """Take vertices out; ``stands`` tells what is there instead."""
        for key in keys:
            del self.vertices[key], self.into[key]
        self.stands.update(stands)

    def vertex(self, key: str, **changes: object) -> None:
        """Change a vertex: a copy of it, since the whole picture has it too."""
        self.vertices[key] = replace(self.vertices[key], **changes)  # type: ignore[arg-type]

    def group(self, key: str, **changes: object) -> None:
        """Change a group, likewise."""
        self.groups[key] = replace(self.groups[key], **changes)  # type: ignore[arg-type]

    def picture(self) -> Picture:
        """Put the picture together: sources first, as near as possible to the order that it had."""
        waiting = {key: sum(not e.back for e in edges) for key, edges in self.into.items()}
        leads: dict[str, list[str]] = {key: [] for key in self.vertices}
        for key, edges in self.into.items():
            for e in edges:
                if not e.back:
                    leads[e.source].append(key)
        place = self.place
        ready = [(place[key], key) for key, n in waiting.items() if not n]
        heapify(ready)
        order: list[str] = []
        while ready:
            _, key = heappop(ready)
            order.append(key)
            for target in leads[key]:
                waiting[target] -= 1
                if not waiting[target]:
                    heappush(ready, (place[target], target))
        edges = [e for key in order for e in self.into[key]]
        return Picture([self.vertices[key] for key in order], edges, self._inhabited(), self._final())

    def _inhabited(self) -> list[Group]:
        """Return the groups in which something is left."""
        used: set[str] = set()
        for v in self.vertices.values():
            key = v.group
            while key and key not in used:
                used.add(key)
                key = self.groups[key].parent
        return [g for g in self.groups.values() if g.key in used]

    def _final(self) -> dict[str, str]:
        """Follow what stands for what, where that is itself hidden."""
        found: dict[str, str] = {}
        for key in self.stands:
            path, end = [key], self.stands[key]
            while end not in self.vertices and end in self.stands and end not in found:
                path.append(end)
                end = self.stands[end]
            end = found.get(end, end)
            found.update((k, end) for k in path)
        return {key: end for key, end in found.items() if end in self.vertices}
