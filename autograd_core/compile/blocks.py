"""Elementwise calls in a row, run block by block: what one leaves is in the cache when the next one reads it.

A call on a million elements reads and writes main memory; sixteen thousand at a time stay in the cache of a
core, results that only the group reads get memory for one block and no more, and blocks run side by side in
threads. Each element is computed by the same call as before, so no bit changes. Where numba is installed, a
group is one compiled loop (:mod:`loops`) if all its calls can be in one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from ..kernels.team import parts_of, team
from ..kernels.threads import split
from ..kernels.twins import is_used
from .capture import Call, Slot, slots_of
from .emit import Names, form_of
from .loops import TILE, Loop, merged, rows_of
from .passes import QUIET

__all__ = ["Group", "grouped"]

LEAST = 1 << 16  # elements: less stays in the cache as it is
LOOP = 1 << 14  # elements that a compiled loop is worth, where numba is there already (100 MiB)
CACHE = 1 << 19  # bytes that the arrays of a block take together
PAGE = 4096  # bytes
ALONE = 1 << 20  # bytes of a result that one call is worth a group for
CACHED, SHARED = 100_000, 30_000  # bytes of a core's cache, and of what is farther, in a microsecond
THREAD = 100.0  # microseconds of work that are worth a thread
BY_PLACE = {np.fmax, np.fmin}  # of 0 and -0 they return another at the end of a row than before it
SLOW = {  # nanoseconds per element, where it is much more than 0.1
    np.tanh: 0.4, np.exp: 0.4, np.log: 0.4, np.log1p: 0.5, np.expm1: 0.5, np.sin: 0.5, np.cos: 0.5,
    np.power: 5.0, np.divide: 0.2, np.sqrt: 0.2, np.maximum: 0.1, np.arctan: 1.0, np.arctan2: 3.0,
    np.log2: 0.5, np.exp2: 0.5,
}  # fmt: skip


def is_elementwise(call: Call) -> bool:
    """Tell whether a call gives each element of its one result from the same elements of its arguments."""
    if call.draws or not isinstance(call.out, Slot) or call.out.scalar:
        return False
    if type(call.fun) is np.ufunc:
        known = call.fun.signature is None and call.fun.nout == 1 and len(call.args) == call.fun.nin
        known = known and call.fun not in BY_PLACE
        return known and call.params.keys() <= {"out"}
    if call.kernel is not None and call.kernel.elementwise:
        return not call.writes
    return form_of(call) == "select" or (form_of(call) == "copy" and call.args[0].shape == call.out.shape)


class Group:
    """Elementwise calls on one shape, in order.

    Args:
        calls: what it makes.
        temporary: storages that nothing else reads.
        dense: whether all arrays have their elements in a row.

    Attributes:
        steps: the calls, with compiled loops for those that can be in one.
        rows: whether it is cut along the first axis; else through all elements as if they were in a row.
    """

    def __init__(self, calls: list[Call], temporary: set[int], dense: bool) -> None:
        self.calls, self.temporary = calls, temporary
        self.shape = calls[0].out.shape
        slots = [s for call in calls for s in (*slots_of([call.args, call.params]), *call.outs)]
        seen = rows_of(self.shape, slots) if dense else None
        self.steps = merged(calls, temporary, seen)
        self.rows = seen is None or seen[0] > 1
        if self.rows and not self.is_loop:
            self.steps = list(calls)
        self.line = calls[0].line
        self.name = f"{len(calls)} calls in blocks"
        self.outs = [s for call in calls for s in call.outs if s.storage not in temporary]
        self.writes = tuple(s for call in calls for s in call.writes)
        self.args: list[Slot] = list(dict.fromkeys(
            s for call in calls for s in slots_of([call.args, call.params]) if s.storage not in temporary
            and s not in self.outs
        ))  # fmt: skip
        self.params: dict[str, Any] = {}
        self.draws = False
        self.fun, self.out = None, None
        self.errors = calls[-1].errors

    @property
    def is_loop(self) -> bool:
        """Whether all is one compiled loop."""
        return len(self.steps) == 1 and isinstance(self.steps[0], Loop)

    @property
    def microseconds(self) -> float:
        """About how long one thread takes: for its arithmetic, or for the memory that it reads and writes."""
        size, nbytes = prod(self.shape), sum(s.nbytes for s in self.arrays)
        known = [SLOW[call.fun] for call in self.calls if call.fun in SLOW]
        rest = (len(self.calls) - len(known)) * (0.03 if self.is_loop else 0.1)
        return max((sum(known) + rest) * size / 1000, nbytes / (SHARED if nbytes > CACHE else CACHED))

    @property
    def arrays(self) -> list[Slot]:
        """What it reads and writes in memory."""
        return [*self.args, *(s for s in self.outs if s not in self.args)]

    def cuts(self, slot: Slot) -> bool:
        """Tell whether an array has a part for each block; else it broadcasts, and is read whole for each."""
        if not self.rows:
            return prod(slot.shape) == prod(self.shape)
        return len(slot.shape) == len(self.shape) and slot.shape[0] == self.shape[0]

    def text(self, names: Names) -> str:
        """Return the text that runs the group; its own function goes into the names."""
        if self.is_loop:
            return _Whole(self).text(names)
        cut = [s for s in self.arrays if self.cuts(s)]
        blocks = _Blocks(self, cut, names)
        given = ", ".join(names.slot(s) for s in self.arrays)
        return f"{names(blocks)}({given})"


class _Whole:
    """A group that is one compiled loop."""

    def __init__(self, group: Group) -> None:
        self.__name__ = "loop"
        self.loop = group.steps[0]
        self.width = self.loop.tile if self.loop.by_rows else prod(group.shape)
        self.tiles = prod(group.shape) // self.width if self.loop.by_rows else -(-self.width // TILE)
        self.parts = parts_of(self.tiles, group.microseconds)
        self.share = self.loop.share

    def text(self, names: Names) -> str:
        return f"{names(self)}({self.loop.given(names)})"

    def __call__(self, *given: Any) -> None:
        n = len(self.loop.arrays)
        flat = [a.reshape(-1) if a.ndim > 1 else a for a in given[:n]]
        self.share(team(), self.parts, self.tiles, self.width, *flat, *given[n:])


class _Blocks:
    """The generated function of a group, and the memory of its blocks."""

    def __init__(self, group: Group, cut: list[Slot], names: Names) -> None:
        self.__name__ = "blocks"
        inner, self.rows = Names(), group.rows
        inner.space = names.space
        inner.names, inner.held = names.names, names.held
        self.length = group.shape[0] if group.rows else prod(group.shape)
        width = prod(group.shape[1:]) if group.rows else 1
        steps = group.steps
        places, kinds = _temporaries(group, steps)
        self.kinds = kinds
        wide = sum(s.dtype.itemsize for s in cut) + sum(kinds)
        self.size = max(1, min(self.length, CACHE // max(1, wide * width)))
        if not group.rows:
            self.size = max(1 << 10, self.size & -(1 << 10))
        self.blocks = -(-self.length // self.size)
        self.least = max(1, int(THREAD * self.blocks / max(group.microseconds, 1e-9)))
        arrays = group.arrays
        lines = ["def work(first, last, temporary, given):"]
        lines.append(" " + ", ".join(inner.slot(s) + "_" for s in arrays) + ", = given")
        body = [f"i = block * {self.size}; j = min(i + {self.size}, {self.length})"]
        for s in arrays:
            name = inner.slot(s)
            body.append(f"{name} = {name}_[i:j]" if s in cut else f"{name} = {name}_")
        tail = group.shape[1:] if group.rows else ()
        for storage, (index, slot) in places.items():
            shape = "[:j - i]"
            if tail:
                shape = f"[:(j - i) * {width}].reshape((j - i, {', '.join(map(str, tail))}))"
            inner.space[f"type{storage}"] = slot.dtype
            body.append(f"b{storage} = temporary[{index}].view(type{storage}){shape}")
        errors = group.errors
        for step in steps:
            if isinstance(step, Call) and step.errors != errors:
                body.append(f"errors({inner(step.errors)})")
                errors = step.errors
            body.append(line_of(step, inner) if isinstance(step, Call) else step.text(inner))
        if errors != group.errors:
            body.append(f"errors({inner(group.errors)})")
        lines += [" try:", "  for block in range(first, last):", *("   " + line for line in body)]
        # A warning that is an error may not leave the state behind that it was raised in.
        lines += [" finally:", f"  errors({inner(group.errors)})" if "errors(" in "".join(body) else "  pass"]
        exec(compile("\n".join(lines), "<blocks>", "exec"), inner.space)
        self.source = "\n".join(lines)
        self.work = inner.space.pop("work")
        self.width = width
        self.spare: list[Any] = []

    def __call__(self, *arrays: Any) -> None:
        if not self.rows:
            arrays = tuple([a.reshape(-1) if a.ndim > 1 else a for a in arrays])

        def part(first: int, last: int) -> None:
            try:
                memory = self.spare.pop()
            except IndexError:
                memory = [_piece(i, self.size * self.width * n) for i, n in enumerate(self.kinds)]
            try:
                self.work(first, last, memory, arrays)
            finally:
                self.spare.append(memory)

        split(part, self.blocks, self.least)


def _piece(i: int, nbytes: int) -> np.ndarray[Any, Any]:
    """Return memory at a distance from a page's beginning that differs from piece to piece.

    Reads and writes at the same distance wait for each other: a product of blocks took twice as long.
    """
    memory = np.empty(nbytes + 2 * PAGE, np.uint8)
    start = -memory.ctypes.data % PAGE + 256 * (i % 15 + 1)
    return memory[start : start + nbytes]


def line_of(call: Call, names: Names) -> str:
    """Return the text of an elementwise call that writes into the memory of its result."""
    if not call.outs:
        return names.call(call)
    out = names.slot(call.out)
    form = form_of(call)
    if form == "copy":
        return f"copyto({out}, {names.text(call.args[0])}, 'unsafe')"
    if form == "select":
        mask, x, y = map(names.text, call.args)
        return f"copyto({out}, {y}, 'unsafe'); copyto({out}, {x}, 'unsafe', {mask})"
    return names.call(call, out)


def _temporaries(group: Group, steps: list[Any]) -> tuple[dict[int, tuple[int, Slot]], list[int]]:
    """Give each temporary one of a few pieces of memory, which is free again when nothing reads it any more.

    Returns:
        for each storage its piece and its slot, and the bytes per element of each piece.
    """

    def reads(step: Any) -> list[Slot]:
        return step.reads if isinstance(step, Loop) else slots_of([step.args, step.params])

    last: dict[int, int] = {}
    for i, step in enumerate(steps):
        for slot in (*reads(step), *(step.stores if isinstance(step, Loop) else [step.out])):
            last[slot.storage] = i
    places: dict[int, tuple[int, Slot]] = {}
    kinds: list[int] = []
    free: list[int] = []
    for i, step in enumerate(steps):
        touched = reads(step)
        # A ufunc or a loop may write over what it reads for the last time, element by element.
        over = isinstance(step, Loop) or type(step.fun) is np.ufunc
        over = over and all(s.shape == group.shape or prod(s.shape) == 1 for s in touched)
        dying = [places[s][0] for s in {s.storage for s in touched} if s in places and last[s] == i]
        if over:
            free += dying
        for out in step.stores if isinstance(step, Loop) else [step.out]:
            if out.storage in group.temporary and out.storage not in places:
                fits = [p for p in free if kinds[p] == out.dtype.itemsize]
                piece = fits[0] if fits else len(kinds)
                if fits:
                    free.remove(piece)
                else:
                    kinds.append(out.dtype.itemsize)
                places[out.storage] = piece, out
        if not over:
            free += dying
    return places, kinds


def grouped(
    calls: list[Call], is_static: Callable[[Slot], bool], fresh: set[int], outside: set[int], kept: set[int],
    viewed: Iterable[Slot],
) -> list[Any]:  # fmt: skip
    """Return the calls with those in groups that run faster in blocks.

    Args:
        calls: in order, without those that only take views.
        is_static: whether a slot's memory is there before the step.
        fresh: storages that are handed out, which get new memory in each step.
        outside: storages that exist before the step.
        kept: storages that are read after the step.
        viewed: slots of which views are taken.
    """
    spans: dict[int, list[int]] = {}
    for i, call in enumerate(calls):
        for slot in (*slots_of([call.args, call.params]), *call.outs, *call.writes):
            spans.setdefault(slot.storage, []).append(i)
    seen = {s.storage for s in viewed} | kept | outside
    units: list[Any] = []
    run: list[Call] = []
    first = 0

    def close() -> None:
        nonlocal run
        if run and (len(run) > 1 or run[0].out.nbytes >= ALONE):
            end = first + len(run)
            made = {s.storage for call in run for s in call.outs}
            alone = {s for s in made if s not in seen and is_static_root(s) and
                     first <= spans[s][0] and spans[s][-1] < end}  # fmt: skip
            slots = {s for call in run for s in (*slots_of([call.args, call.params]), *call.outs)}
            dense = all(s.contiguous or s.storage in alone or prod(s.shape) == 1 for s in slots)
            units.append(Group(run, alone, dense))
        else:
            units.extend(run)
        run = []

    def is_static_root(storage: int) -> bool:
        return storage not in fresh

    for i, call in enumerate(calls):
        if not _may(call, is_static, fresh):
            close()
            units.append(call)
            continue
        if run and (call.out.shape != run[0].out.shape or not _aligned(run, call)):
            close()
        if not run:
            first = i
        run.append(call)
    close()
    return units


def _may(call: Call, is_static: Callable[[Slot], bool], fresh: set[int]) -> bool:
    """Tell whether a call can stand in a group: elementwise, large, and each array is cut or read whole."""
    if not is_elementwise(call) or not QUIET.issuperset(call.errors):  # heard of once, not per block
        return False
    out = call.out
    if prod(out.shape) < (LOOP if is_used() and "numba" in sys.modules else LEAST) or not out.contiguous:
        return False
    if out in call.outs and out.view:
        return False
    if out in call.outs and not is_static(out) and out.storage not in fresh:
        return False
    for slot in slots_of([call.args, call.params]):
        if slot.scalar or prod(slot.shape) == 1:
            continue
        if len(slot.shape) == len(out.shape) and slot.shape[0] not in (1, out.shape[0]):
            return False
    return True


def _aligned(run: list[Call], call: Call) -> bool:
    """Tell whether a call reads what the run writes only element by element, and the other way round."""
    writes: dict[int, Slot] = {}
    reads: dict[int, set[Slot]] = {}
    for c in (*run, call):
        for s in (*c.outs, *c.writes):
            writes.setdefault(s.storage, s)
            reads.setdefault(s.storage, set()).add(s)
        for s in slots_of([c.args, c.params]):
            reads.setdefault(s.storage, set()).add(s)
    return all(reads[storage] == {slot} for storage, slot in writes.items())
