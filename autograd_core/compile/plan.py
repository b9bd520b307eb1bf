"""A plan: the calls of a step, the memory that they write to, and the function that makes them."""

from __future__ import annotations

import linecache
import operator
import sys
from itertools import count
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from ..calls import wrap
from ..errors import CompileError
from ..interrupts import deferred
from ..node import LEAF, next_id
from ..tensor import Tensor
from .blocks import Group, grouped
from .capture import Call, Capture, Slot, located, replaced, slots_of
from .emit import Names, form_of, has_slot, pattern
from .memory import Arena, lifetimes, within
from .passes import lowered, neutral, numbers, rooted, shared, used
from .reach import Place, Site, equal
from .report import Shown
from .rolling import Roll, rolled

__all__ = ["MISS", "Plan"]

MISS = object()  # what a plan returns for a step that is not the one it was made of
_number = count(1).__next__
LOOKUP = (KeyError, IndexError, AttributeError, ValueError, TypeError)


class Plan(Shown):
    """A step that can be replayed, for arguments and Python state as they were when it was captured.

    Args:
        capture: the calls.
        sites: where the step reads arrays and Python state.
        output: what it returns, with slots in the place of arrays.
        effects: what it leaves behind: pairs of a place and a value with slots in it.
        written: places of Tensors that it writes to.
    """

    def __init__(self, capture: Capture, sites: list[Site], output: Any, effects: list[tuple[Place, Any]],
                 written: list[Place], leaves: dict[int, Slot]) -> None:  # fmt: skip
        self.sites, self.output, self.effects, self.tensors = sites, output, effects, written
        self.slots = capture.slots
        self.leaves = leaves  # by the number of a site: the slot that was lifted from it
        self.measured = False  # while it is, the arrays of Tensors are held by who measures, and are written to
        self.captured = len(capture.calls)
        self.errors = capture.errors
        outside = {s.storage for s in self.slots if s.kind not in ("result",)}
        # What is left behind within a Tensor or a tuple is new in each step, as what is returned is: who holds those
        # is not known.
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
        handed = {s.storage for s in slots_of_tree(output)} | {s.storage for _, tree in effects for s in slots_of_tree(tree)}
        numbers(calls)
        self.calls = used(calls, handed, outside)  # of leaves too: a view of them may be handed out
        self._settle(outside, returned, left)
        self._emit()
        self.bind()

    # -- where everything stands ----------------------------------------------------------------

    def _settle(self, outside: set[int], returned: set[int], left: set[int]) -> None:
        """Decide which storages are static, and which of them stand in one block after another."""
        calls = self.calls
        roots = {s.number: s for s in self.slots}
        read = {s for call in calls for s in slots_of([call.args, call.params])}
        read.update(s for call in calls for s in call.writes)
        read.update(slots_of_tree(self.output))
        read.update(s for _, tree in self.effects for s in slots_of_tree(tree))
        stored = {s.storage for s in read}
        changed = {place.id for place, _ in self.effects}
        self.used_sites: dict[int, Slot] = {}  # sites whose array is read
        self.varying: set[int] = set()  # storages of leaves that are another array in each step
        for number, slot in self.leaves.items():
            if slot.storage in stored or slot.kind == "generator":
                self.used_sites[number] = slot
                if slot.kind == "leaf" and is_within(self.sites[number].place, changed):
                    self.varying.add(slot.storage)
        inputs = {s.storage for s in self.slots if s.kind == "input"}
        self.form: dict[Call, str] = {}
        dynamic = set(inputs) | self.varying | set(returned)
        self.static_of: set[int] = set()
        for call in calls:
            form = form_of(call)
            makes = {s.storage for s in call.outs if not s.view}
            if makes and form == "fresh":
                dynamic |= makes
            if any(s.scalar for s in call.outs):
                dynamic |= {s.storage for s in call.outs if s.scalar}
        adopted = {s.storage for call in calls for s in call.writes if s.kind == "result" and s.array is not None}
        self.adopted = adopted
        self.dynamic = dynamic - adopted
        roots_left = {s for s in left - self.dynamic - outside if not plain_layout(roots[s])}
        self.dynamic |= roots_left  # their memory could not be told apart from a view's
        self.left = left - self.dynamic - outside
        self.roots, self.outside = roots, outside
        self.binding, made = [], []
        for call in calls:
            (self.binding if self._is_view(call) else made).append(call)
        kept = {s.storage for s in slots_of_tree(self.output)}
        kept |= {s.storage for _, tree in self.effects for s in slots_of_tree(tree)}
        viewed = [s for call in calls for s in (*call.outs, *slots_of([call.args, call.params]))
                  if any(out.view for out in call.outs)]  # fmt: skip
        last = {*slots_of_tree(self.output), *(s for _, tree in self.effects for s in slots_of_tree(tree))}
        self.units = grouped(rolled(made, last), self.is_static, returned - outside, outside, kept | adopted, viewed)
        self._share_memory()

    def _is_view(self, call: Call) -> bool:
        """Tell whether a call only takes views of what is static, which is done once."""
        return bool(call.outs) and not call.writes and not call.draws and all(
            s.view and self.is_static(s) for s in call.outs
        ) and all(self.is_static(s) for s in slots_of([call.args, call.params]))  # fmt: skip

    def _share_memory(self) -> None:
        """Give each buffer a block of memory, which it has from the first call that touches it to the last."""
        arena, self.own = Arena(), []
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
        self.arena = arena

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

    def is_static(self, slot: Slot) -> bool:
        return slot.storage not in self.dynamic and slot.kind != "generator"

    # -- the function -----------------------------------------------------------------------------

    def _emit(self) -> None:
        names = self.names = Names()
        names.space |= {"MISS": MISS, "wrap": wrap, "next_id": next_id, "deferred": deferred, "LOOKUP": LOOKUP,
                        "refcount": getrefcount, "plan": self, "empty": np.empty, "LEAF": LEAF, "errors": set_errors,
                        "seterr": np.seterr, "geterr": np.geterr, "id": id,
                        "may_share_memory": np.may_share_memory}  # fmt: skip
        body: list[str] = []
        self.lines: list[tuple[Call, str]] = []
        last = {s: end for s, (_, end) in lifetimes(self.units).items()}
        kept = {s.storage for s in slots_of_tree(self.output)}
        kept |= {s.storage for _, tree in self.effects for s in slots_of_tree(tree)}
        local: dict[int, list[Slot]] = {}
        for call in self.units:
            for s in call.outs:
                if s.storage in self.dynamic and not s.scalar:
                    local.setdefault(s.storage, []).append(s)
        errors = self.errors
        writing = next((i for i, call in enumerate(self.units)
                        if any(s.storage in self.outside for s in call.writes)), None)  # fmt: skip
        for i, call in enumerate(self.units):
            if call.errors != errors:
                how = f"errors({names(call.errors)})" if call.errors != self.errors else "seterr(**before)"
                body.append((i, how))
            errors = call.errors
            text = self._line(call)
            self.lines.append((call, text))
            body.append((i, text))
            gone = [names.slot(s) for s in call.outs if s.storage in self.dynamic and s.storage not in kept
                    and last[s.storage] == i]  # fmt: skip
            touched = {s.storage for s in slots_of([call.args, call.params])}
            gone += [names.slot(s) for storage in touched if storage not in kept and last[storage] == i
                     for s in local.get(storage, ()) if s.nbytes > 4096]  # fmt: skip
            if gone:
                body.append((i, " = ".join(dict.fromkeys(gone)) + " = None"))
        guard, reading = self._guard()
        head = [f"if not ({guard}): return MISS"] if guard else []
        source = ["def run(args, kwargs):", " try:"]
        source += ["  " + line for line in [*head, *reading]] or ["  pass"]
        source += [" except LOOKUP: return MISS"]
        for storage in self.own:
            block = f"b{storage}"
            holds = [f"({place.text(names)} is {block})" for place, tree in self.effects
                     if type(tree) is Slot and tree.storage == storage]  # fmt: skip
            source.append(f" if refcount({block}) > {' + '.join([f'n{storage}', *holds])}: plan.renew({storage})")
        source += [f" if refcount({name}) > n{name}: plan.part({name!r})" for name in self.written_leaves]
        source += [f" if {x}.base is None and refcount({x}) > 3: {x} = {text} = {x}.copy()" for x, text in self._given()]
        tail = self._tail()
        early = [text for i, text in body if writing is None or i < writing]
        late = [text for i, text in body if writing is not None and i >= writing] + tail
        if late:
            late = ["with deferred():", *(" " + text for text in late)]
        if any(text.startswith("errors(") for _, text in body) or errors != self.errors:
            source += [" before = geterr()", " try:", *("  " + text for text in [*early, *late] or ["pass"]),
                       " finally: seterr(**before)"]  # fmt: skip
        else:
            source += [" " + text for text in [*early, *late]]
        source.append(f" return {self._returned(self.output)}")
        self.source = "\n".join(source) + "\n"
        name = f"<plan {_number()}>"
        linecache.cache[name] = len(self.source), None, self.source.splitlines(True), name
        exec(compile(self.source, name, "exec"), names.space)
        self.run = names.space["run"]

    @property
    def written_leaves(self) -> list[str]:
        """The names of Tensors' arrays that the step writes to: who holds one keeps its values, as eagerly."""
        written = {s.storage for call in self.calls for s in call.writes}
        return [name for name, (place, slot) in self.bound.items() if slot.storage in written and is_data(place)]

    def _given(self) -> list[tuple[str, str]]:
        """Return the arrays of Tensors that are arguments and that the step writes to, with where they stand."""
        written = {s.storage for call in self.calls for s in call.writes}
        return [(self.names.slot(slot), self.sites[number].place.text(self.names))
                for number, slot in self.used_sites.items()
                if slot.kind == "input" and slot.storage in written and is_data(self.sites[number].place)]  # fmt: skip

    def _line(self, call: Call) -> str:
        names = self.names
        out = call.out
        if isinstance(call, Roll):
            return f"({', '.join(map(names.slot, call.outs))},) = {call.text(names)}"
        if isinstance(call, Group):
            fresh = [f"{names.slot(s)} = empty({names(s.shape)}, {names(s.dtype)})" for s in call.outs
                     if not self.is_static(s)]  # fmt: skip
            return "; ".join([*fresh, call.text(names)])
        if isinstance(out, Slot) and out in call.outs and self.is_static(out):
            form = form_of(call)
            buffer = names.slot(out)
            if form == "out":
                return names.call(call, buffer)
            if form == "copy":
                source = names.text(call.args[0])
                target = buffer
                if out.shape != call.args[0].shape:
                    target = names(Shaped(out, call.args[0].shape))
                    self.shaped = [*getattr(self, "shaped", []), (target, out, call.args[0].shape)]
                return f"copyto({target}, {source}, 'unsafe')"
            if form == "select":
                mask, x, y = map(names.text, call.args)
                return f"copyto({buffer}, {y}, 'unsafe'); copyto({buffer}, {x}, 'unsafe', {mask})"
        text = names.call(call)
        left = pattern(out, names.slot, call.outs)
        return f"{left} = {text}" if call.outs and left.strip("_(), ") else text

    def _tail(self) -> list[str]:
        lines = []
        for place, tree in self.effects:
            value = self._handed(tree)
            if place.kind == "item" and isinstance(place.holder, dict) and type(place.holder) in (dict,):
                lines.append(f"{place.text(self.names)} = {value}")
            elif place.kind == "field" or place.kind in ("attribute", "part") and isinstance(
                place.owner(), (Tensor, list, dict)
            ):  # fmt: skip
                lines.append(f"{place.text(self.names)} = {value}")
            else:
                lines.append(f"{self.names(place.set)}({value})")
        lines += [f"{place.text(self.names)}.version = next_id()" for place in self.tensors]
        return lines

    def _handed(self, tree: Any) -> str:
        """Return the text of a value that the step leaves in a place."""
        if type(tree) is not Slot:
            return self._returned(tree)
        return f"array({self.names.slot(tree)})" if tree.kind == "constant" else self.names.slot(tree)

    def _returned(self, tree: Any) -> str:
        names = self.names
        if isinstance(tree, Held):
            return f"wrap({self._fresh(tree.slot)})" if tree.node is None else f"wrap({self._fresh(tree.slot)}, {names(tree.node)})"
        if type(tree) is Slot:
            return self._fresh(tree)
        if isinstance(tree, tuple) and hasattr(tree, "_make"):
            return f"{names(type(tree))}({', '.join(map(self._returned, tree))})"
        if type(tree) in (tuple, list):
            inner = "".join(self._returned(item) + ", " for item in tree)
            return f"({inner})" if type(tree) is tuple else f"[{inner}]"
        if type(tree) is dict:
            return "{" + ", ".join(f"{names(key)}: {self._returned(v)}" for key, v in tree.items()) + "}"
        return names(tree)

    def _fresh(self, slot: Slot) -> str:
        if slot.kind == "constant" or (slot.storage in self.outside and slot.kind == "result") or (
            self.is_static(slot) and slot.storage not in self.outside
        ):  # fmt: skip
            return f"array({self.names.slot(slot)})" if slot.storage not in self.outside or (
                slot.kind == "constant") else f"{self.names.slot(slot)}[...]"
        return self.names.slot(slot)

    # -- what must be as it was -----------------------------------------------------------------

    def _guard(self) -> tuple[str, list[str]]:
        """Return a condition on Python state and arrays, and the lines that read arrays anew."""
        names, tests, reading = self.names, [], []
        self.bound: dict[str, tuple[Place, Slot]] = {}
        seen = set()
        for number, site in enumerate(self.sites):
            text = site.place.text(names)
            if site.kind == "array":
                slot = self.used_sites.get(number)
                if slot is None:
                    tests.append(f"{text} is not None")
                elif slot.kind == "leaf" and slot.storage not in self.varying:
                    name = names.slot(slot)
                    self.bound.setdefault(name, (site.place, slot))
                    tests.append(f"{text} is {name}")
                else:
                    name, (shape, dtype, strides) = names.slot(slot), slot.layout
                    other = f"{name}_{number}" if name in seen else name
                    tests.append(
                        f"type({other} := {text}) is ndarray and {other}.shape == {names(shape)} and "
                        f"{other}.dtype == {names(dtype)} and {other}.strides == {names(strides)}"
                        + (f" and {other} is {name}" if name in seen else "")
                    )
                    seen.add(name)
            elif site.kind == "generator":
                slot = self.used_sites.get(number)
                if slot is not None:
                    name = names.slot(slot)
                    self.bound.setdefault(name, (site.place, slot))
                    tests.append(f"{text} is {name}")
            elif site.kind == "length":
                tests.append(f"len({text}) == {site.value}")
            elif site.kind == "type":
                tests.append(f"type({text}) is {names(site.value)}")
            elif site.kind == "object" and site.place.kind == "given":
                continue
            elif site.kind == "value" and site.place.kind in ("set", "keys"):
                tests.append(f"{text} == {names(site.value)}")
            elif site.value is None or site.value is True or site.value is False:
                tests.append(f"{text} is {site.value}")
            else:
                name = f"s{number}"  # bound anew where an equal value takes its place
                names.space[name] = site.value
                tests.append(f"{text} is {name}")
        if apart := self._apart():
            tests.append(apart)
        return "\n  and ".join(dict.fromkeys(tests)), reading

    def _apart(self) -> str:
        """Return a condition: what was apart in memory when the step was captured, and is written to, still is."""
        inputs = {s.storage: s for s in self.used_sites.values() if s.kind == "input"}
        written = {s.storage for call in self.units for s in call.writes} & self.outside
        if not inputs or not written:
            return ""
        every = bool(written & inputs.keys())  # then it may not stand in what is only read, either
        self.near = [(place, slot) for place, slot in self.bound.values() if slot.kind == "leaf"
                     and slot.storage not in inputs and (every or slot.storage in written)]  # fmt: skip
        name = self.names.slot
        tests = [f"id({name(s)} if {name(s)}.base is None else {name(s)}.base) not in near" for s in inputs.values()]
        tests += [f"not may_share_memory({name(a)}, {name(b)})" for a in inputs.values() for b in inputs.values()
                  if a.storage in written and a is not b]  # fmt: skip
        return " and ".join(tests)

    def accepts(self) -> str | None:
        """Say what is not as it was when the step was captured; None if a replay would be right."""
        for number, site in enumerate(self.sites):
            try:
                now = site.place.get()
            except LOOKUP:
                return f"{site.place!r} is gone"
            if site.kind == "array":
                slot = self.used_sites.get(number)
                if type(now) is not ndarray:
                    return f"{site.place!r}: an array became {type(now).__name__}"
                if slot is not None and (now.shape, now.dtype, now.strides) != slot.layout:
                    return f"{site.place!r}: an array of another shape, dtype or layout"
            elif site.kind == "length":
                if len(now) != site.value:
                    return f"{site.place!r}: {site.value} items became {len(now)}"
            elif site.kind == "type":
                if type(now) is not site.value:
                    return f"{site.place!r}: a {site.value.__name__} became a {type(now).__name__}"
            elif site.kind == "object":
                if now is not site.value:
                    return f"{site.place!r}: another {type(site.value).__name__}"
            elif site.kind == "value" and not equal(now, site.value):
                return f"{site.place!r}: {site.value!r} became {now!r}"
        return None

    # -- memory -----------------------------------------------------------------------------------

    def bind(self, values: bool = True) -> None:
        """Take the leaves where they stand now, and views of everything static."""
        space, names = self.names.space, self.names
        if not hasattr(self, "blocks"):
            self.blocks = self.arena.allocate()
            for storage, block in self.arena.block.items():
                space[f"b{storage}"] = within(self.blocks[block], self.roots[storage])
            for storage in self.own:
                space[f"b{storage}"] = empty(self.roots[storage])
            for slot in self.slots:
                if slot.kind == "constant":
                    space[names.slot(slot)] = slot.array
        for name, (place, _) in self.bound.items() if values else ():
            space[name] = place.get()
        space["near"] = {id(owner(space[names.slot(slot)])) for _, slot in getattr(self, "near", ())}
        for number, site in enumerate(self.sites):
            if values and site.kind == "value" and f"s{number}" in space:
                space[f"s{number}"] = site.place.get()
        for call in self.binding:
            value = replaced(call.args, Slot, lambda s: space[names.slot(s)])
            params = replaced(call.params, Slot, lambda s: space[names.slot(s)])
            assign(call.out, call.fun(*value, **params), call.outs, space, names)
        for name, slot, shape in getattr(self, "shaped", ()):
            space[name] = space[names.slot(slot)].reshape(shape)
        # How often an array of its own is referred to while nobody else holds it: counted, not looked up, as
        # somebody may hold it now.
        space["alone"] = np.empty(0)
        alone = eval("refcount(alone)", space)
        arrays = {id(x): x for x in space.values() if type(x) is ndarray}.values()
        for storage in self.own:
            views = sum(x.base is space[f"b{storage}"] for x in arrays)
            space[f"n{storage}"] = alone + views
        for name in self.written_leaves:
            array, slot = space[name], self.bound[name][1]
            views = sum(x.base is array for x in arrays) + sum(s is slot for s in self.used_sites.values())
            space[f"n{name}"] = alone + views if array.base is None and not self.measured else sys.maxsize

    def part(self, name: str) -> None:
        """Leave the array of a Tensor to who holds it, and go on with a copy: as a write into a Tensor does."""
        _, slot = self.bound[name]
        array = self.names.space[name].copy(order="K")
        for number, other in self.used_sites.items():
            if other is slot:
                self.sites[number].place.set(array)
        self.names.space[name] = array
        self.bind(values=False)

    def renew(self, storage: int) -> None:
        """Leave an array that somebody holds to them, and take another one for the next steps."""
        space = self.names.space
        space[f"b{storage}"] = empty(self.roots[storage])
        self.bind(values=False)  # within a replay, which has just seen that they are the same

    @property
    def nbytes(self) -> int:
        """Bytes of the memory that the plan holds."""
        return self.arena.nbytes + sum(self.roots[s].nbytes for s in self.own)


class Held:
    """A Tensor that a step returns: the slot of its array, and where it stands in a graph."""

    __slots__ = ("node", "slot")

    def __init__(self, slot: Slot, node: Any) -> None:
        self.slot, self.node = slot, node


class Shaped:
    """The memory of a slot in another shape: a name for it in the plan."""

    def __init__(self, slot: Slot, shape: tuple[int, ...]) -> None:
        self.slot, self.shape = slot, shape


def is_data(place: Place) -> bool:
    """Tell whether a place is the memory of a Tensor."""
    return place.kind in ("attribute", "field") and place.key == "data" and isinstance(place.owner(), Tensor)


def plain_layout(slot: Slot) -> bool:
    return slot.layout is not None and empty(slot).strides == slot.layout[2]


def empty(slot: Slot) -> ndarray[Any, Any]:
    """Return memory with the layout of a slot, of its own."""
    shape, dtype, strides = slot.layout  # type: ignore[misc]
    array = np.empty(shape, dtype)
    return array if array.strides == strides else np.empty(shape, dtype, order="F")


def owner(array: ndarray[Any, Any]) -> Any:
    """Return the array whose memory an array shows."""
    while type(array.base) is ndarray:
        array = array.base
    return array


def set_errors(how: tuple[str, ...]) -> None:
    """Let NumPy treat floating-point errors so: division, overflow, underflow and invalid."""
    np.seterr(divide=how[0], over=how[1], under=how[2], invalid=how[3])


def assign(out: Any, value: Any, made: list[Slot], space: dict[str, Any], names: Names) -> None:
    if type(out) is Slot:
        if out in made:
            space[names.slot(out)] = value
    elif isinstance(out, (tuple, list)):
        for part, item in zip(out, value, strict=True):
            assign(part, item, made, space, names)


def slots_of_tree(tree: Any) -> list[Slot]:
    if isinstance(tree, Held):
        return [tree.slot]
    if isinstance(tree, (tuple, list)):
        return [s for item in tree for s in slots_of_tree(item)]
    if type(tree) is dict:
        return [s for item in tree.values() for s in slots_of_tree(item)]
    return [tree] if type(tree) is Slot else []


def replace_tree(tree: Any, instead: dict[Slot, Slot]) -> Any:
    if isinstance(tree, Held):
        return Held(instead.get(tree.slot, tree.slot), tree.node)
    if isinstance(tree, tuple):
        parts = [replace_tree(item, instead) for item in tree]
        return tree._make(parts) if hasattr(tree, "_make") else tuple(parts)
    if type(tree) is list:
        return [replace_tree(item, instead) for item in tree]
    if type(tree) is dict:
        return {key: replace_tree(item, instead) for key, item in tree.items()}
    return instead.get(tree, tree) if type(tree) is Slot else tree


def is_within(place: Place | None, changed: set[Any]) -> bool:
    """Tell whether a place, or one that it starts from, is among those of the ids ``changed``."""
    while place is not None and place.id not in changed:
        place = place.above
    return place is not None
