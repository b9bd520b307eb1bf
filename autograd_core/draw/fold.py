"""Repeats shown once: twelve equal layers as one "x12", the steps of a recurrent network rolled up.

At each level of modules the picture is a sequence of *units* in the order of their computation: an
operation with its result, a closed module, an open module with all that is in it. A repeat is a run
of blocks of units, each like the one before it: equal operations on equal shapes, whose inputs are
the same vertex (shared weights), or lie one block further on (what is handed from block to block),
or are leaves of the block's own. The last block stays, whose results go on; what was handed to the
first goes into it. Where the blocks share parameters, an arc leads back: that is a recurrence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .model import Group
from .parts import Parts

__all__ = ["fold_repeats"]

TIMES = 3  # fewer blocks are not worth it
PLACES = 3  # earlier places of the same units that are tried


@dataclass(slots=True)
class Unit:
    """What is folded as a whole: its vertices, what it reads, and what it is like."""

    head: str  # key of the operation, module vertex or group
    members: list[str]
    inputs: list[str] = field(default_factory=list)
    like: int = 0  # equal for units of the same structure


def fold_repeats(parts: Parts, fixed: set[str]) -> None:
    """Fold the repeats of each level, the innermost first; vertices in ``fixed`` are not hidden."""
    uses: dict[str, list[str]] = {key: [] for key in parts.vertices}
    for key, into in parts.into.items():
        for e in into:
            uses[e.source].append(key)
    fixed = fixed | {v.key for v in parts.vertices.values() if v.kind == "output" or v.error}
    codes: dict[Any, int] = {}
    for level in [*reversed(list(parts.groups)), ""]:
        _Level(parts, level, uses, codes).fold(fixed)


class _Level:
    """The units directly within one group, and the runs among them."""

    def __init__(
        self, parts: Parts, level: str, uses: dict[str, list[str]], codes: dict[Any, int]
    ) -> None:
        self.parts, self.level, self.uses, self.codes = parts, level, uses, codes
        self.units = list(self._units())
        self.floor = 0  # units before this one have been folded
        self.made: dict[str, tuple[int, int]] = {}  # a vertex -> its unit, and its place therein
        for i, unit in enumerate(self.units):
            for slot, key in enumerate(unit.members):
                self.made[key] = i, slot
        for unit in self.units:
            unit.like = codes.setdefault(self._structure(unit), len(codes))

    def _units(self) -> Iterator[Unit]:
        """Collect the units, in the order of their first operations."""
        parts, within = self.parts, {self.level: ""}
        for g in parts.groups.values():  # parents first
            if g.parent in within:
                within[g.key] = within[g.parent] or g.key
        found: dict[str, Unit] = {}
        for key, v in parts.vertices.items():
            into, home = parts.into[key], v.group
            if v.kind == "output" and into:
                if parts.vertices[into[0].source].kind == "module":
                    continue  # it is beside the module, as what comes out of other modules is not
                home = self._home(key)
            child = within.get(home)
            if child is None:
                continue
            if child:
                found.setdefault(child, Unit(child, [])).members.append(key)
            elif v.kind in ("operation", "module"):
                found[key] = Unit(key, [key])
            elif into and into[0].source in found:
                found[into[0].source].members.append(key)
        for unit in found.values():
            unit.inputs = self._inputs(unit.members)
            yield unit

    def _inputs(self, members: Sequence[str]) -> list[str]:
        """Return what vertices read from outside, in order."""
        mine = set(members) if len(members) > 2 else members
        return [e.source for key in members for e in self.parts.into[key]
                if not e.back and e.source not in mine]  # fmt: skip

    def _home(self, key: str) -> str:
        """Return the group of a vertex; the outcome of all counts to the operation that made it."""
        v, into = self.parts.vertices[key], self.parts.into[key]
        return self.parts.vertices[into[0].source].group if v.kind == "output" and into else v.group

    def _structure(self, unit: Unit) -> tuple[Any, ...]:
        """Write down what must be equal in units that are alike: not names, not values."""
        parts = self.parts
        if len(unit.members) == 2 and unit.head in parts.vertices:  # an operation and its result: most
            v, y = [parts.vertices[key] for key in unit.members]
            return v.name, _numbered(v.params), v.count, y.shape, y.dtype, len(unit.inputs)
        place = {key: i for i, key in enumerate(unit.members)}
        rows = []
        for key in unit.members:
            v = parts.vertices[key]
            what = v.name if v.kind == "operation" else ""
            home = self._home(key)
            kind = parts.groups[home].kind if home != self.level else ""
            reads = tuple([place.get(e.source, -1) for e in parts.into[key]])
            rows.append(("result" if v.kind == "output" else v.kind, what, _numbered(v.params), v.shape,
                         v.dtype, v.count, kind, reads))  # fmt: skip
        return tuple(rows)

    # -- finding runs -------------------------------------------------------------------------------

    def fold(self, fixed: set[str]) -> None:
        """Find runs and fold them, from the first unit to the last."""
        units = self.units
        last: dict[tuple[int, ...], list[int]] = {}
        unlike: dict[int, int] = {}  # period -> where it is known to break
        hopeless: dict[int, int] = {}  # period -> where a run ends that can not be folded
        i = 0
        while i < len(units):
            one, three = (units[i].like,), tuple([u.like for u in units[i : i + 3]])
            before = last.setdefault(three, []), last.setdefault(one, [])
            for j in dict.fromkeys([*before[0][: -PLACES - 1 : -1], *before[1][:-2:-1]]):
                p = i - j
                if i <= unlike.get(p, -1) < i + p or i < hopeless.get(p, 0):
                    continue
                end = i
                while end < len(units) and self._equal(end, p):
                    end += 1
                unlike[p] = end
                if end - i < p:
                    continue
                start = self._extended(i, p)
                m = (end - start) // p
                if m >= TIMES and self._fold(start, p, m, fixed):
                    i = start + m * p - 1
                    last.clear()  # what is folded is no pattern for what follows
                    self.floor = i + 1
                    break
                hopeless[p] = end
            else:
                for places in before:
                    places.append(i)
            i += 1

    def _equal(self, i: int, p: int, first: bool = False) -> bool:
        """Compare unit i with the one p before it; that of the ``first`` block may begin anywhere."""
        a, b = self.units[i - p], self.units[i]
        if a.like != b.like or len(a.inputs) != len(b.inputs):
            return False
        for x, y in zip(a.inputs, b.inputs, strict=True):
            alike = x == y or self._follows(x, y, p) or self._leaves(x, y)
            if not alike and not (first and self._carried(y, i, p)):
                return False
        return True

    def _follows(self, x: str, y: str, p: int) -> bool:
        """Tell whether y comes out of the unit p after that of x, at the same place."""
        one, two = self.made.get(x), self.made.get(y)
        return one is not None and two is not None and two[0] - one[0] == p and one[1] == two[1]

    def _leaves(self, x: str, y: str) -> bool:
        """Tell whether both are leaves of the same kind and shape."""
        into, v, w = self.parts.into, self.parts.vertices[x], self.parts.vertices[y]
        return (not into[x] and not into[y] and v.kind == w.kind and v.shape == w.shape
                and v.dtype == w.dtype)  # fmt: skip

    def _carried(self, y: str, i: int, p: int) -> bool:
        """Tell whether y, which unit i reads, was handed to it by the block before."""
        one = self.made.get(y)
        return one is not None and i - 2 * p <= one[0] < i

    def _extended(self, i: int, p: int) -> int:
        """Return where the run begins: one block earlier, whose own inputs come from elsewhere."""
        start = i - p
        while start > max(self.floor, i - 2 * p) and self._equal(start - 1 + p, p, first=True):
            start -= 1
        return start

    # -- folding ------------------------------------------------------------------------------------

    def _fold(self, start: int, p: int, m: int, fixed: set[str]) -> bool:
        """Fold m blocks of p units, if nothing is lost by it."""
        parts, units = self.parts, self.units
        kept = units[start + (m - 1) * p : start + m * p]
        first = units[start : start + p]
        stands: dict[str, str] = {}
        for k in range(start, start + (m - 1) * p):
            last = units[start + (m - 1) * p + (k - start) % p]
            stands.update(zip(units[k].members, last.members, strict=True))
            for x, y in zip(units[k].inputs, last.inputs, strict=True):
                if x != y and x not in self.made and self._leaves(x, y):
                    stands[x] = y
        mine = set(stands) | {key for u in kept for key in u.members}
        carried = {y for u in kept for y in u.inputs if y in stands}
        if not self._sound(kept, first, start, p, m, stands, mine, carried, fixed):
            return False
        rolled = bool(carried) and self._shared(first, kept)
        names = [self._renamed(a.head, b.head) for a, b in zip(first, kept, strict=True)]
        self._join(first, kept, stands, mine, rolled)
        parts.hide(stands, stands)
        self._mark(kept, names, m, rolled)
        return True

    def _sound(
        self, kept: Sequence[Unit], first: Sequence[Unit], start: int, p: int, m: int,
        stands: dict[str, str], mine: set[str], carried: set[str], fixed: set[str],
    ) -> bool:  # fmt: skip
        """Tell whether the blocks differ in nothing that the picture would then not show."""
        vertices, uses = self.parts.vertices, self.uses
        if not fixed.isdisjoint(stands):
            return False
        previous = range(start + (m - 2) * p, start + (m - 1) * p)
        if any(y not in self.made or self.made[y][0] not in previous for y in carried):
            return False
        ones = {key for u in first for key in u.members}
        for a, b in zip(first, kept, strict=True):
            for x, y in zip(a.inputs, b.inputs, strict=True):
                if (x in mine) if y in carried else (x != y and x not in ones and x not in stands):
                    return False
        plain = all(u.head in vertices and vertices[u.head].kind == "operation" for u in kept)
        own = [x for x in stands if x not in self.made]
        telling = any(vertices[x].name or vertices[x].kind != "constant" for x in own)
        if not carried and (plain or telling):
            return False
        if plain and (m * p < 4 or (telling and (p < 2 or m < 4))):
            return False
        outside: dict[str, list[set[str]]] = {}
        for x, y in stands.items():
            users = {u for u in uses[x] if u in vertices and u not in mine}
            if users and x in own:
                return False
            outside.setdefault(y, []).append(users)
        for y, sets in outside.items():
            final = {u for u in uses[y] if u in vertices and u not in mine}
            if any(s != sets[0] for s in sets) or not sets[0] <= final:
                return False
        return True

    def _shared(self, first: Sequence[Unit], kept: Sequence[Unit]) -> bool:
        """Tell a recurrence from a stack: the same module again, or the same weights."""
        vertices, groups = self.parts.vertices, self.parts.groups
        modules = [(a.head, b.head) for a, b in zip(first, kept, strict=True)
                   if b.head in groups or vertices[b.head].kind == "module"]  # fmt: skip
        if modules:
            named: Any = {**vertices, **groups}
            return all(named[a].name == named[b].name for a, b in modules)
        return any(x == y and vertices[x].kind in ("parameter", "input")
                   for a, b in zip(first, kept, strict=True)
                   for x, y in zip(a.inputs, b.inputs, strict=True))  # fmt: skip

    def _join(
        self, first: Sequence[Unit], kept: Sequence[Unit], stands: dict[str, str], mine: set[str],
        rolled: bool,
    ) -> None:  # fmt: skip
        """Lead what went into the first block into the last, and what came out of any out of it."""
        into, uses = self.parts.into, self.uses
        for a, b in zip(first, kept, strict=True):
            for x, y in zip(a.members, b.members, strict=True):
                edges, backs = [], []
                for e, f in zip(into[x], into[y], strict=True):
                    if f.source not in stands:
                        edges.append(f)
                        continue
                    edges.append(f._replace(source=e.source))
                    uses[e.source].append(y)
                    if rolled:
                        backs.append(f._replace(source=stands[f.source], back=True))
                into[y] = edges + backs
        for key in dict.fromkeys(u for x in stands for u in uses[x] if u in into and u not in mine):
            seen = set(into[key])
            edges = []
            for e in into[key]:
                if e.source in stands:
                    e = e._replace(source=stands[e.source])
                    if e in seen:
                        continue
                    seen.add(e)
                edges.append(e)
            into[key] = edges
            if key in self.made:
                unit = self.units[self.made[key][0]]
                unit.inputs = self._inputs(unit.members)

    def _mark(self, kept: Sequence[Unit], names: Sequence[dict[str, Any]], m: int, rolled: bool) -> None:
        """Say how many there were: on the one unit, or on a box around several."""
        parts = self.parts
        for unit, change in zip(kept, names, strict=True):
            box = parts.groups.get(unit.head)
            if len(kept) == 1:
                change["count"] = m * (box or parts.vertices[unit.head]).count
            if box is not None:
                parts.group(unit.head, **change)
            elif change:
                parts.vertex(unit.head, **change)
        if len(kept) > 1:
            key = f"r{len(parts.groups)}"
            box = Group(key, "", "recurrent" if rolled else "repeated", self.level, m)
            before = list(parts.groups.items())
            at = 1 + list(parts.groups).index(self.level) if self.level else 0  # parents come first
            parts.groups = dict([*before[:at], (key, box), *before[at:]])
            for unit in kept:
                if unit.head in parts.groups:
                    parts.group(unit.head, parent=key)
                for x in unit.members:
                    if parts.vertices[x].group == self.level and parts.vertices[x].kind != "output":
                        parts.vertex(x, group=key)

    def _renamed(self, a: str, b: str) -> dict[str, Any]:
        """Return how one that stands for several is called: after the first and the last of them."""
        parts = self.parts
        if b in parts.groups:
            one, two, what = parts.groups[a].name, parts.groups[b].name, "name"
        elif parts.vertices[b].kind == "module":
            one, two, what = parts.vertices[a].name, parts.vertices[b].name, "name"
        else:
            one, two, what = parts.vertices[a].params, parts.vertices[b].params, "params"
        return {} if one == two else {what: f"{one} … {two.removeprefix('index=')}"}


def _numbered(params: str) -> str:
    """Write metadata so that x[0] and x[1] are alike."""
    return re.sub(r"\d+", "#", params) if params.startswith("index=") else params
