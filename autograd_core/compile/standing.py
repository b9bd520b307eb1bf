"""Where the arrays of a plan stand: in memory that stays, in blocks used again, or anew in each replay.

A *storage* is the memory of one array and of all its views. That of a leaf or a constant is there before the
step. That of an argument, of what the step hands out, and of what NumPy gives no way to write into given
memory, is *dynamic*: another array in each replay. All others are *static*: the plan has memory for them,
and views of them are taken once, when the plan is bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .blocks import grouped
from .capture import Call, Capture, Slot, slots_of
from .emit import form_of
from .memory import Arena, lifetimes
from .passes import lowered, neutral, numbers, rooted, shared, used
from .reach import Place, Site
from .report import Shown
from .rolling import rolled
from .trees import replace_tree, slots_of_tree

__all__ = ["Standing", "empty"]


class Standing(Shown):
    """The calls that are left of a captured step, and where each array of theirs stands.

    Attributes:
        calls: what is left, in order; those that only take views of static memory are ``binding``, and
            ``units`` are the others, some of them in groups.
        dynamic: storages that are another array in each replay.
        outside: storages that exist before the step.
        left: static storages that the step leaves in a place; each has memory of its own, as ``own`` lists.
        adopted: storages of arrays that a kernel of the library made, and fills.
        varying: storages of leaves that the step itself puts into their places, so that they change.
        used_sites: by the number of a site: the slot of its array, where that is read.
        roots: the slot of a storage, by the storage's number.
        arena: the blocks of all other static storages.
    """

    def __init__(self, capture: Capture, sites: list[Site], output: Any, effects: list[tuple[Place, Any]],
                 written: list[Place], leaves: dict[int, Slot]) -> None:  # fmt: skip
        self.sites, self.tensors = sites, written
        self.slots = capture.slots
        self.leaves = leaves  # by the number of a site: the slot that was lifted from it
        self.captured = len(capture.calls)
        self.errors = capture.errors
        outside = {s.storage for s in self.slots if s.kind != "result"}
        # What is left behind within a Tensor or a tuple is new in each step, as what is returned is: who
        # holds those is not known.
        nests = [tree for _, tree in effects if type(tree) is not Slot]
        returned = {s.storage for tree in (output, *nests) for s in slots_of_tree(tree)} - outside
        left = {s.storage for _, tree in effects for s in slots_of_tree(tree)} - outside - returned
        calls = [lowered(call) for call in capture.calls]
        calls, same = neutral(calls, returned | left)
        calls, instead = shared(calls, returned | left)
        instead = {a: instead.get(b, b) for a, b in same.items()} | instead
        rooted(self.slots, instead)
        self.shared = self.captured - len(calls)
        self.output = replace_tree(output, instead)
        self.effects = [(place, replace_tree(tree, instead)) for place, tree in effects]
        trees = [self.output, *[tree for _, tree in self.effects]]
        self.handed = {s for tree in trees for s in slots_of_tree(tree)}
        self.kept = {s.storage for s in self.handed}  # read after the step
        numbers(calls)
        self.calls = used(calls, self.kept, outside)
        self._settle(outside, returned, left)
        self._share_memory()

    def _settle(self, outside: set[int], returned: set[int], left: set[int]) -> None:
        """Decide which storages are static, and which calls run together."""
        calls = self.calls
        read = {s for call in calls for s in slots_of([call.args, call.params])}
        read.update(s for call in calls for s in call.writes)
        stored = {s.storage for s in read | self.handed}
        changed = {place.id for place, _ in self.effects}
        self.used_sites: dict[int, Slot] = {}
        self.varying: set[int] = set()
        for number, slot in self.leaves.items():
            if slot.storage in stored or slot.kind == "generator":
                self.used_sites[number] = slot
                if slot.kind == "leaf" and is_within(self.sites[number].place, changed):
                    self.varying.add(slot.storage)
        inputs = {s.storage for s in self.slots if s.kind == "input"}
        dynamic = inputs | self.varying | returned
        for call in calls:
            if form_of(call) == "fresh":
                dynamic |= {s.storage for s in call.outs if not s.view}
            dynamic |= {s.storage for s in call.outs if s.scalar}
        self.adopted = {s.storage for call in calls for s in call.writes
                        if s.kind == "result" and s.array is not None}  # fmt: skip
        self.roots, self.outside = {s.number: s for s in self.slots}, outside
        dynamic -= self.adopted
        # The memory of those could not be told apart from a view's.
        dynamic |= {s for s in left - dynamic - outside if not plain_layout(self.roots[s])}
        self.dynamic = dynamic
        self.left = left - dynamic - outside
        self.binding: list[Call] = []
        made: list[Call] = []
        for call in calls:
            (self.binding if self._is_view(call) else made).append(call)
        viewed = [s for call in calls for s in (*call.outs, *slots_of([call.args, call.params]))
                  if any(out.view for out in call.outs)]  # fmt: skip
        chained = rolled(made, self.handed)
        self.units = grouped(chained, self.is_static, returned, outside, self.kept | self.adopted, viewed)

    def is_static(self, slot: Slot) -> bool:
        """Tell whether a slot's memory is there before a replay, and stays where it is."""
        return slot.storage not in self.dynamic and slot.kind != "generator"

    def _is_view(self, call: Call) -> bool:
        """Tell whether a call only takes views of what is static, which is done once."""
        return bool(call.outs) and not call.writes and not call.draws and all(
            s.view and self.is_static(s) for s in call.outs
        ) and all(self.is_static(s) for s in slots_of([call.args, call.params]))  # fmt: skip

    def _share_memory(self) -> None:
        """Give each buffer a block of memory: its own from the first call that touches it to the last."""
        self.arena = arena = Arena()
        self.own: list[int] = []
        spans = lifetimes(self.units)
        ends: dict[int, list[int]] = {}
        pooled = set()
        for storage, (_, last) in spans.items():
            if storage in self.dynamic or storage in self.outside:
                continue
            if storage in self.left:
                self.own.append(storage)
                continue
            pooled.add(storage)
            ends.setdefault(last, []).append(storage)
        started: set[int] = set()
        for i, call in enumerate(self.units):
            dying = [s for s in ends.get(i, ()) if s in started]
            over = self._in_place(call, dying, pooled)
            block = None if over is None else arena.give(over)
            for slot in (*call.outs, *call.writes):
                if slot.storage in pooled and slot.storage not in started:
                    started.add(slot.storage)
                    arena.take(slot.storage, self.roots[slot.storage].nbytes, block)
            for storage in ends.get(i, ()):
                if storage in started and storage != over:
                    arena.give(storage)

    def _in_place(self, call: Call, dying: list[int], pooled: set[int]) -> int | None:
        """Return the storage of an input that dies here and that an elementwise call may write over."""
        if type(call.fun) is not np.ufunc or call.fun.signature is not None or not call.outs or call.writes:
            return None
        out = call.outs[0]
        if out.storage not in pooled or out.view:
            return None
        inputs = slots_of([call.args, call.params])
        for slot in inputs:
            if slot.storage in dying and all(
                s.layout == out.layout and s.number == s.storage for s in inputs if s.storage == slot.storage
            ):
                return slot.storage
        return None


def plain_layout(slot: Slot) -> bool:
    """Tell whether memory of its own would have the layout of a slot."""
    return slot.layout is not None and empty(slot).strides == slot.layout[2]


def empty(slot: Slot) -> ndarray[Any, Any]:
    """Return memory with the layout of a slot, of its own."""
    shape, dtype, strides = slot.layout  # type: ignore[misc]
    array = np.empty(shape, dtype)
    return array if array.strides == strides else np.empty(shape, dtype, order="F")


def is_within(place: Place | None, changed: set[Any]) -> bool:
    """Tell whether a place, or one that it starts from, is among those of the ids ``changed``."""
    while place is not None and place.id not in changed:
        place = place.above
    return place is not None
