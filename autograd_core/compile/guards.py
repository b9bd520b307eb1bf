"""What must be as it was for a replay to be right: Python state, and which arrays stand where.

It is asked in two ways. The generated function asks in one expression, whether each thing *is* what the
plan was bound to, which takes some nanoseconds each. Where it says no, :meth:`Guarded.accepts` looks
closer: equal values will do, and other arrays of the same layout; then the plan is bound to those.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from ..kernels.columns import column_sums
from .blocks import Group
from .capture import Slot
from .emit import Names
from .passes import QUIET
from .reach import Place, Site, equal
from .rolling import Roll
from .standing import Standing

__all__ = ["LOOKUP", "Guarded"]

LOOKUP = (KeyError, IndexError, AttributeError, ValueError, TypeError)  # a place that is gone


class Guarded(Standing):
    """A plan that knows what it was made of.

    Attributes:
        bound: by its name in the function: the place and the slot of an array, or a generator, that the
            function uses without reading the place anew.
        near: places of arrays that no argument may overlap, as they were apart.
    """

    names: Names

    def _guard(self) -> str:
        """Return a condition on Python state and arrays; where it is true, arguments have been read."""
        names = self.names
        tests: list[str] = []
        self.bound: dict[str, tuple[Place, Slot]] = {}
        seen: set[str] = set()
        for number, site in enumerate(self.sites):
            text = site.place.text(names)
            if site.kind == "array":
                tests.append(self._of_array(number, text, seen))
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
        if self._is_quiet():
            names.space["QUIET"] = QUIET
            tests.append("QUIET.issuperset(geterr().values())")
        return "\n  and ".join(dict.fromkeys(tests))

    def _of_array(self, number: int, text: str, seen: set[str]) -> str:
        """Return a condition on the array of a site.

        Args:
            number: of the site.
            text: the expression that reads it.
            seen: names of arrays that are read anew, to which this one's is added.
        """
        names, slot = self.names, self.used_sites.get(number)
        if slot is None:
            return f"{text} is not None"
        name = names.slot(slot)
        if slot.kind == "leaf" and slot.storage not in self.varying:
            self.bound.setdefault(name, (self.sites[number].place, slot))
            return f"{text} is {name}"
        assert slot.layout is not None  # of an array
        shape, dtype, strides = slot.layout
        other = f"{name}_{number}" if name in seen else name
        again = f" and {other} is {name}" if name in seen else ""
        seen.add(name)
        return (f"type({other} := {text}) is ndarray and {other}.shape == {names(shape)} and "
                f"{other}.dtype == {names(dtype)} and {other}.strides == {names(strides)}"
                f"{again}")  # fmt: skip

    def _apart(self) -> str:
        """Return a condition: what is written to, and was apart in memory in the captured step, still is."""
        self.near: list[tuple[Place, Slot]] = []
        inputs = {s.storage: s for s in self.used_sites.values() if s.kind == "input"}
        written = {s.storage for call in self.units for s in call.writes} & self.outside
        if not inputs or not written:
            return ""
        every = bool(written & inputs.keys())  # then it may not stand in what is only read, either
        self.near = [(place, slot) for place, slot in self.bound.values() if slot.kind == "leaf"
                     and slot.storage not in inputs and (every or slot.storage in written)]  # fmt: skip
        name = self.names.slot
        tests = [f"id({name(s)} if {name(s)}.base is None else {name(s)}.base) not in near"
                 for s in inputs.values()]  # fmt: skip
        tests += [f"not may_share_memory({name(a)}, {name(b)})" for a in inputs.values()
                  for b in inputs.values() if a.storage in written and a is not b]  # fmt: skip
        return " and ".join(tests)

    def _is_quiet(self) -> bool:
        """Tell whether a loop, which raises no floating-point errors, is to treat them as its caller says."""
        return any(
            call.errors == self.errors
            for unit in self.units if isinstance(unit, (Group, Roll)) or unit.kernel is column_sums
            for call in getattr(unit, "calls", [unit])
        )  # fmt: skip

    def accepts(self) -> str | None:
        """Say what is not as it was when the step was captured; None if a replay would be right."""
        if self._is_quiet() and not QUIET.issuperset(np.geterr().values()):
            return "floating-point errors are to be raised"
        for number, site in enumerate(self.sites):
            try:
                now = site.place.get()
            except LOOKUP:
                return f"{site.place!r} is gone"
            if reason := _differs(site, now, self.used_sites.get(number)):
                return reason
        return None


def _differs(site: Site, now: object, slot: Slot | None) -> str | None:
    """Say how what stands at a site now differs from what stood there in the captured step."""
    there = repr(site.place)
    if site.kind == "array":
        if type(now) is not ndarray:
            return f"{there}: an array became {type(now).__name__}"
        if slot is not None and (now.shape, now.dtype, now.strides) != slot.layout:
            return f"{there}: an array of another shape, dtype or layout"
    elif site.kind == "length":
        if len(now) != site.value:  # type: ignore[arg-type]
            return f"{there}: {site.value} items became {len(now)}"  # type: ignore[arg-type]
    elif site.kind == "type":
        if type(now) is not site.value:
            return f"{there}: a {site.value.__name__} became a {type(now).__name__}"
    elif site.kind == "object":
        if now is not site.value:
            return f"{there}: another {type(site.value).__name__}"
    elif site.kind == "value" and not equal(now, site.value):
        return f"{there}: {site.value!r} became {now!r}"
    return None
