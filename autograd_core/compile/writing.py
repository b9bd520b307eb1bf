"""The Python function that a plan is run by: its guard, its calls line by line, and what it hands out.

It looks as a person would write it who knew every shape: ``add(a3, x5, b7)``, ``matmul(b7, b2, b8)``. Names
that begin with ``a`` are leaves, with ``x`` arguments, with ``c`` constants, with ``r`` generators, with
``b`` all else.
"""

from __future__ import annotations

import linecache
from itertools import count
from sys import getrefcount
from typing import Any

import numpy as np

from ..calls import wrap
from ..interrupts import deferred
from ..node import LEAF, next_id
from ..tensor import Tensor
from .blocks import Group
from .capture import Call, Slot, slots_of
from .emit import Names, form_of, pattern
from .guards import LOOKUP, Guarded
from .memory import lifetimes
from .reach import Place
from .rolling import Roll
from .trees import Held

__all__ = ["MISS", "Written", "is_data"]

MISS = object()  # what a plan returns for a step that is not the one it was made of
LARGE = 4096  # bytes: memory that is given back as soon as nothing reads it
_number = count(1).__next__


class Written(Guarded):
    """A plan as the text of a function.

    Attributes:
        source: the text; ``run`` is the function.
        lines: each call with its line.
        names: the objects that the text names.
        shaped: names of static memory in another shape, with the slot and that shape.
    """

    def _emit(self) -> None:
        names = self.names = Names()
        names.space |= {
            "MISS": MISS, "wrap": wrap, "next_id": next_id, "deferred": deferred, "LOOKUP": LOOKUP,
            "refcount": getrefcount, "plan": self, "empty": np.empty, "LEAF": LEAF, "errors": set_errors,
            "seterr": np.seterr, "geterr": np.geterr, "id": id, "may_share_memory": np.may_share_memory,
        }  # fmt: skip
        self.shaped: list[tuple[str, Slot, tuple[int, ...]]] = []
        early, late = self._body()
        guard = self._guard()
        source = ["def run(args, kwargs):", " try:"]
        source += [f"  if not ({guard}): return MISS" if guard else "  pass"]
        source += [" except LOOKUP: return MISS", *self._parted()]
        late += self._tail()
        if late:  # Ctrl-C waits until what the step writes to is whole
            late = ["with deferred():", *(" " + text for text in late)]
        if any(text.startswith(("errors(", "seterr(")) for text in map(str.strip, [*early, *late])):
            source += [" before = geterr()", " try:", *("  " + text for text in [*early, *late]),
                       " finally: seterr(**before)"]  # fmt: skip
        else:
            source += [" " + text for text in [*early, *late]]
        source.append(f" return {self._returned(self.output)}")
        self.source = "\n".join(source) + "\n"
        name = f"<plan {_number()}>"
        linecache.cache[name] = len(self.source), None, self.source.splitlines(True), name  # for tracebacks
        exec(compile(self.source, name, "exec"), names.space)
        self.run = names.space["run"]

    def _body(self) -> tuple[list[str], list[str]]:
        """Return the lines before the first write into what exists before the step, and the others."""
        names, errors = self.names, self.errors
        self.lines: list[tuple[Any, str]] = []
        early: list[str] = []
        late: list[str] = []
        body = early
        last = {s: end for s, (_, end) in lifetimes(self.units).items()}
        local: dict[int, list[Slot]] = {}
        for call in self.units:
            for s in call.outs:
                if s.storage in self.dynamic and not s.scalar:
                    local.setdefault(s.storage, []).append(s)
        for i, call in enumerate(self.units):
            if any(s.storage in self.outside for s in call.writes):
                body = late
            if call.errors != errors:
                again = call.errors == self.errors
                body.append("seterr(**before)" if again else f"errors({names(call.errors)})")
            errors = call.errors
            text = self._line(call)
            self.lines.append((call, text))
            body.append(text)
            # A local name is the only one that holds a dynamic array: without it the memory is free.
            gone = [names.slot(s) for s in call.outs if s.storage in self.dynamic
                    and s.storage not in self.kept and last[s.storage] == i]  # fmt: skip
            touched = {s.storage for s in slots_of([call.args, call.params])}
            gone += [names.slot(s) for storage in touched if storage not in self.kept and last[storage] == i
                     for s in local.get(storage, ()) if s.nbytes > LARGE]  # fmt: skip
            if gone:
                body.append(" = ".join(dict.fromkeys(gone)) + " = None")
        return early, late

    def _parted(self) -> list[str]:
        """Return the lines that leave arrays that somebody holds to them, before the step writes to those."""
        names, lines = self.names, []
        for storage in self.own:
            left = {place.text(names): names.slot(tree) for place, tree in self.effects
                    if type(tree) is Slot and tree.storage == storage}  # fmt: skip
            # Who holds a view that was left holds no more of the block than the place that it was left in.
            for name in dict.fromkeys((f"b{storage}", *left.values())):
                known = f"n{storage}" if name == f"b{storage}" else "n"
                holds = [f"({place} is {name})" for place in left]
                lines.append(f" if refcount({name}) > {' + '.join([known, *holds])}: plan.renew({storage})")
        lines += [f" if refcount({name}) > n{name}: plan.part({name!r})" for name in self.written_leaves]
        lines += [f" if {x}.base is None and refcount({x}) > 3: {x} = {text} = {x}.copy()"
                  for x, text in self._given()]  # fmt: skip
        return lines

    @property
    def written_leaves(self) -> list[str]:
        """The names of Tensors' arrays that the step writes to: who holds one keeps its values."""
        written = {s.storage for call in self.calls for s in call.writes}
        return [name for name, (place, slot) in self.bound.items()
                if slot.storage in written and is_data(place)]  # fmt: skip

    def _given(self) -> list[tuple[str, str]]:
        """Return the arrays that the step writes to of Tensors that are arguments, with where they stand."""
        written = {s.storage for call in self.calls for s in call.writes}
        found = [(slot, self.sites[number].place) for number, slot in self.used_sites.items()
                 if slot.kind == "input" and slot.storage in written]  # fmt: skip
        return [(self.names.slot(slot), place.text(self.names)) for slot, place in found if is_data(place)]

    def _line(self, call: Any) -> str:
        """Return the text of a call, a group or a chain."""
        names = self.names
        if isinstance(call, Roll):
            return f"({', '.join(map(names.slot, call.outs))},) = {call.text(names)}"
        if isinstance(call, Group):
            fresh = [f"{names.slot(s)} = empty({names(s.shape)}, {names(s.dtype)})" for s in call.outs
                     if not self.is_static(s)]  # fmt: skip
            return "; ".join([*fresh, call.text(names)])
        if isinstance(call.out, Slot) and call.out in call.outs and self.is_static(call.out):
            form = form_of(call)
            if form == "out":
                return names.call(call, names.slot(call.out))
            if form != "fresh":
                return self._copied(call, form)
        text = names.call(call)
        left = pattern(call.out, names.slot, call.outs)
        return f"{left} = {text}" if call.outs and left.strip("_(), ") else text

    def _copied(self, call: Call, form: str) -> str:
        """Return the text of a call that only moves numbers: copies into given memory."""
        names, out = self.names, call.out
        buffer = names.slot(out)
        if form == "select":
            mask, x, y = map(names.text, call.args)
            return f"copyto({buffer}, {y}, 'unsafe'); copyto({buffer}, {x}, 'unsafe', {mask})"
        shape = call.args[0].shape
        if out.shape != shape:
            buffer = names(Shaped())
            self.shaped.append((buffer, out, shape))
        return f"copyto({buffer}, {names.text(call.args[0])}, 'unsafe')"

    # -- what the step leaves behind, and what it returns ------------------------------------------

    def _tail(self) -> list[str]:
        """Return the lines that put into their places what the step leaves there."""
        lines = []
        for place, tree in self.effects:
            value = self._returned(tree)
            if type(tree) is Slot:
                value = self.names.slot(tree)
                value = f"array({value})" if tree.kind == "constant" else value
            if place.kind == "field" or (place.kind == "item" and type(place.holder) is dict) or (
                place.kind in ("attribute", "part") and isinstance(place.owner(), (Tensor, list, dict))
            ):  # fmt: skip
                lines.append(f"{place.text(self.names)} = {value}")
            else:
                lines.append(f"{self.names(place.set)}({value})")
        lines += [f"{place.text(self.names)}.version = next_id()" for place in self.tensors]
        return lines

    def _returned(self, tree: Any) -> str:
        """Return the text of a nest that is new in each replay."""
        names = self.names
        if isinstance(tree, Held):
            node = "" if tree.node is None else f", {names(tree.node)}"
            return f"wrap({self._fresh(tree.slot)}{node})"
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
        """Return the text of an array that is the caller's: a copy of what the plan will write to again."""
        name = self.names.slot(slot)
        if slot.kind == "constant":
            return f"array({name})"
        if slot.storage in self.outside:
            return f"{name}[...]" if slot.kind == "result" else name  # a view of a leaf is new each time
        return f"array({name})" if self.is_static(slot) else name


class Shaped:
    """What a name is chosen for that stands for memory in another shape, once the plan is bound."""


def is_data(place: Place) -> bool:
    """Tell whether a place is the memory of a Tensor."""
    return place.kind in ("attribute", "field") and place.key == "data" and isinstance(place.owner(), Tensor)


def set_errors(how: tuple[Any, ...]) -> None:
    """Let NumPy treat floating-point errors so: division, overflow, underflow and invalid."""
    np.seterr(divide=how[0], over=how[1], under=how[2], invalid=how[3])
