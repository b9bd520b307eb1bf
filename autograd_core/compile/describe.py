"""A plan as plain rows: one for each call that a replay makes, with nothing in it but text and numbers.

What people see of a plan is made of these: its table (:mod:`report`), where its time goes (:mod:`profile`)
and its picture (``draw.plans``).
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .capture import Call, Slot, slots_of
from .costs import flops_of, kind_of, traffic
from .naming import Naming, title

__all__ = ["Array", "Row", "Summary", "described", "plural", "size", "summary"]


@dataclass(frozen=True, slots=True)
class Array:
    """An array that a call takes, gives or writes to."""

    key: str  # the same for views of the same array
    name: str
    kind: str  # "input", "parameter", "leaf", "constant" or "result"
    shape: tuple[int, ...]
    dtype: str


@dataclass(slots=True)
class Row:
    """One call of a plan."""

    number: int
    title: str  # "matmul"
    text: str  # "matmul(x, 0.weight.T)"
    kind: str  # one of costs.KINDS
    reads: tuple[Array, ...]
    made: tuple[Array, ...]
    writes: tuple[Array, ...]  # that are there before the step, and are other afterwards
    memory: str  # where its result stands
    in_place: bool
    read: int  # bytes
    written: int  # bytes
    flops: int | None
    line: tuple[str, int] | None
    code: str  # the text of that line
    dtype: str
    kept: tuple[str, ...] = ()  # places that the step leaves its result in; "returned"
    time: float | None = None  # seconds, once measured
    parts: tuple[str, ...] = ()  # of calls that run together, block by block: each of them

    @property
    def result(self) -> str:
        """Shape and dtype of what it makes or writes."""
        return ", ".join(f"{a.shape} {a.dtype}".rstrip() for a in self.made or self.writes) or "—"

    @property
    def where(self) -> str:
        return f"{Path(self.line[0]).name}:{self.line[1]}" if self.line else "?"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a plan is as a whole: numbers of calls, and bytes."""

    captured: int
    replayed: int
    views: int
    shared: int | None  # calls that were made before with the same values; None if not known
    unread: int  # calls whose results nobody reads (with the shared ones, if these are not known)
    blocks: int
    block_bytes: int
    own: int
    own_bytes: int
    results_bytes: int  # of all that the captured calls made
    guards: int


def described(plan: Any) -> list[Row]:
    """Return the calls of a plan in order."""
    naming = Naming(plan, getattr(plan, "fun", None))
    parameters = set(naming.tensors.values())
    kept = _kept(plan, naming)
    rows = []
    maker: dict[int, str] = {}  # by storage: who made what stands there now
    times = plan.measured or {}

    def array(slot: Slot) -> Array:
        base = naming.base(slot)
        name = naming.slot(base)
        kind = "parameter" if base.kind == "leaf" and name in parameters else base.kind
        key = maker.get(slot.storage) or f"{base.kind[0]}{slot.storage}"
        return Array(key, name, kind, base.shape, str(base.dtype or ""))

    for number, (call, _) in enumerate(plan.lines):
        reads: dict[int, Array] = {}
        for slot in slots_of([call.args, {k: v for k, v in call.params.items() if k != "out"}]):
            if slot.kind != "generator":
                reads.setdefault(slot.storage, array(slot))
        name, text, parts = _texts(call, number, naming)
        made = [s for s in call.outs if not s.view or s not in call.writes]
        for slot in (*made, *call.writes):
            maker[slot.storage] = f"%{number}"
        written = [s for s in call.writes if s.storage in plan.outside]
        read, wrote = traffic(call)
        slots = (*made, *call.writes)
        memory, in_place = _memory(plan, call, naming)
        rows.append(Row(
            number, name, text, kind_of(call), tuple(reads.values()),
            tuple(Array(f"%{number}", naming.slot(s), "result", s.shape, str(s.dtype or "")) for s in made),
            tuple({s.storage: array(s) for s in written}.values()),
            memory, in_place, read, wrote, flops_of(call), call.line,
            linecache.getline(*call.line).strip() if call.line else "",
            str(slots[0].dtype) if slots and slots[0].layout else "",
            tuple(dict.fromkeys(w for s in slots for w in kept.get(s.storage, ()))), times.get(number), parts,
        ))  # fmt: skip
    _last(rows)
    return rows


def _texts(call: Any, number: int, naming: Naming) -> tuple[str, str, tuple[str, ...]]:
    """Return the title and the text of a call, and of those that it consists of; name what it makes."""
    parts = []
    for i, part in enumerate(getattr(call, "calls", ())):
        text = naming.call(part)
        naming.made(part, f"{number}.{i}")
        parts.append(f"{naming.slot(part.out)} = {text}")
    if parts:
        titles = list(map(title, call.calls))
        return f"{len(parts)} calls, by blocks", f"by blocks: {', '.join(titles)}", tuple(parts)
    text = naming.call(call)
    naming.made(call, number)
    return title(call), text, ()


def _kept(plan: Any, naming: Naming) -> dict[int, list[str]]:
    """Return by storage where the step leaves what stands there."""
    kept: dict[int, list[str]] = {}
    for place, tree in plan.effects:
        for slot in _leaves(tree):
            kept.setdefault(slot.storage, []).append("".join(naming._path(place)).lstrip(".") or repr(place))
    for slot in _leaves(plan.output):
        kept.setdefault(slot.storage, []).append("returned")
    return kept


def _last(rows: Iterable[Row]) -> None:
    """Let only the last call that makes or changes an array say where it is left."""
    seen: set[str] = set()
    for row in reversed(list(rows)):
        row.kept = tuple(w for w in row.kept if w not in seen)
        seen.update(row.kept)


def _leaves(tree: Any) -> Iterable[Slot]:
    """Return the slots in what a step returns, within Tensors too."""
    if type(tree) is Slot:
        return [tree]
    if isinstance(tree, (tuple, list)):
        return [s for item in tree for s in _leaves(item)]
    if type(tree) is dict:
        return [s for item in tree.values() for s in _leaves(item)]
    slot = getattr(tree, "slot", None)
    return [slot] if type(slot) is Slot else []


def _memory(plan: Any, call: Call, naming: Naming) -> tuple[str, bool]:
    """Say where the result of a call stands, and whether that is over what it reads or what was there."""
    if call.writes:
        return "in place", True
    block = plan.arena.block
    for out in call.outs:
        if out.view:
            return "view", False
        if out.storage in plan.own:
            return "its own", False
        if out.storage in block:
            for slot in slots_of([call.args, call.params]):
                if block.get(slot.storage) == block[out.storage]:
                    return f"over {naming.slot(slot)}", True
            return f"block {block[out.storage]}", False
        return "new", False
    return "", False


def summary(plan: Any) -> Summary:
    """Return the numbers of a plan as a whole."""
    made = [s for s in plan.slots if s.kind == "result" and not s.view and s.layout]
    shared = getattr(plan, "shared", None)
    return Summary(
        plan.captured,
        len(plan.lines),
        len(plan.binding),
        shared,
        plan.captured - len(plan.calls) - (shared or 0),
        len(plan.arena.sizes),
        plan.arena.nbytes,
        len(plan.own),
        sum(plan.roots[s].nbytes for s in plan.own),
        sum(s.nbytes for s in made),
        len(plan.sites),
    )


def size(nbytes: float) -> str:
    """Write a number of bytes.

    >>> size(40), size(1200), size(94080), size(3.5e9)
    ('40 B', '1.2 kB', '94 kB', '3.5 GB')
    """
    units = ["B", "kB", "MB", "GB"]
    while nbytes >= 999.5 and len(units) > 1:
        nbytes /= 1000
        del units[0]
    unit = units[0]
    return f"{nbytes:.1f} {unit}" if nbytes < 9.95 and unit != "B" else f"{nbytes:.0f} {unit}"


def plural(n: int, what: str) -> str:
    """Count things: ``1 call``, ``1,200 calls``."""
    return f"{n:,} {what}{'s' * (n != 1)}"
