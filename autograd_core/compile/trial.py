"""One captured step: lift what it reads, run it, and put everything back as it is without a capture."""

from __future__ import annotations

import random as stdlib_random
from collections import deque
from collections.abc import Callable
from sys import getrefcount
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from .. import random
from ..errors import CompileError, message
from ..node import recording
from ..tensor import Tensor
from .capture import Capture, Slot, slots_of
from .effects import STANDS, check_constants, find_effects
from .generators import TracedGenerator
from .place import LOOKUP, Given, Item, Place, Root, Switch
from .reach import Site, arguments, progress, walk
from .results import REFUSED, digests, real, tree_of
from .traced import Traced
from .watch import Watch
from .words import a_kind, defined, line_of
from .writing import is_data

__all__ = ["Before", "Trial"]

HELD = 3  # references to a Tensor's array that nobody else holds: its own, a site's, and one that is counted


class Before:
    """A place before the step: what stood there, and what was lifted into it (of a duck array the slot)."""

    __slots__ = ("lifted", "original", "place", "site")

    def __init__(self, site: Site) -> None:
        self.site, self.place = site, site.place.concrete()
        self.original = self.lifted = self.place.get()

    def holds(self, now: Any) -> bool:
        """Tell whether what stands there now is what was lifted into it."""
        return now is self.lifted or (type(now) in (Traced, TracedGenerator) and _slot_of(now) is self.lifted)

    def put_back(self, whatever: bool = False) -> None:
        """Put the original back where the duck array still stands, or whatever stands there."""
        try:
            if (now := self.place.get()) is not self.original and (whatever or self.holds(now)):
                self.place.set(self.original)
        except LOOKUP:
            if whatever:
                self.place.set(self.original)


class Layout(NamedTuple):
    """What stays of an array in a capture that waits for another one: nothing that would hold its memory."""

    shape: tuple[int, ...]
    dtype: Any
    strides: tuple[int, ...]


class Trial:
    """A run of a step with duck arrays in the place of the arrays that it reaches."""

    def __init__(self, fun: Callable[..., Any], args: Any, kwargs: Any, watch: Watch) -> None:
        self.fun, self.args, self.kwargs, self.watch = fun, args, kwargs, watch
        self.root = {"args": args, "kwargs": kwargs}
        self.capture = Capture(line_of(fun))
        self.leaves: dict[int, Slot] = {}  # by the number of a site
        self.effects: list[tuple[Place, Any]] = []
        self.reason = ""  # which Python state it changed
        self.where: Any = None  # the id of the place of that
        self.lasting: set[int] = set()  # ids of Tensors and other objects that it found, and that stay
        self.whole = True  # whether it knew all that it reads when it began
        self.output: Any = None

    # -- what is reached ------------------------------------------------------------------------

    def reach(self) -> list[Site]:
        """Return what the step reads, as far as it is known which code it runs."""
        random.generator()
        while True:
            size = self.watch.size
            self.given = [site for name in ("args", "kwargs")
                          for site in arguments(Root(self.root, name), self.root[name])]  # fmt: skip
            roots: list[tuple[Place, Any]] = [(Given(self.fun), self.fun)]
            roots += [(Given(site.value), site.value) for site in self.given if site.kind == "object"]
            roots += [*self.watch.roots(), (Item(vars(random), "_generator"), random._generator)]
            roots += [(Switch(recording), recording.get())]
            sites = [*self.given, *walk(roots, self.watch)]
            if self.watch.size == size:
                return sites

    # -- the run --------------------------------------------------------------------------------

    def run(self) -> Any:
        """Make the step; return what it returns."""
        size = self.watch.size
        self.sites = self.reach()
        self._part()
        self._note()
        drawn = _states()
        try:
            self._lift()
            with self.watch:
                result = self.fun(*self.root["args"], **self.root["kwargs"])
            if self.capture.refused is not None:  # and somebody caught it
                raise self.capture.refused
            if drawn != _states():
                raise CompileError(message(
                    "compile", "a step that draws from Python's or NumPy's global random numbers",
                    "the library's generator",
                    "ag.random.generator(), or a np.random.Generator that the step reaches"))  # fmt: skip
            self.output = tree_of(result, self.capture, self.lasting)
            if self.output is REFUSED:
                raise CompileError(message(
                    "compile", f"a step that returns {a_kind(result)}",
                    "arrays, Tensors, numbers, and tuples, lists and dicts of them"))  # fmt: skip
            result = real(result, self.lasting)
            find_effects(self)
            check_constants(self)
        except BaseException as error:
            self._put_back()
            reason = self.capture.reason(error)
            if isinstance(reason, (TypeError, AttributeError, LookupError)):
                self.undo()
                self.fun(*self.args, **self.kwargs)  # raises an error of the step's own as it is
                reason = CompileError(
                    f"[compile] got {type(error).__name__} ({error}) from a step that is captured, and none "
                    f"as it is: {defined(self.fun)}; try NumPy's own functions")  # fmt: skip
            if isinstance(reason, CompileError):
                self.undo()
            if reason is not error:
                raise reason from error
            raise
        self._put_back()
        self.expected = digests(result)
        self.written = [place for place, t, version in self.tensors if t.version != version]
        drawn = {slot for call in self.capture.calls if call.draws for slot in slots_of(call.args[:1])}
        used = {id(self.sites[number].value) for number, slot in self.leaves.items() if slot in drawn}
        self.capture.generators = [(g, state) for g, state in self.capture.generators if id(g) in used]
        self.whole = self.watch.size == size
        return result

    def _note(self) -> None:
        """Note how everything is before the step."""
        self.entries: dict[Any, Before] = {}
        self.tensors: list[tuple[Place, Tensor, int]] = []
        self.containers: list[tuple[Any, Any]] = []
        self.moved: list[tuple[Site, Any]] = []
        seen: set[int] = set()
        for site in self.sites:
            place = site.place
            whole = site.kind != "length" or isinstance(place.get(), tuple)  # other containers stay
            if whole and place.kind in STANDS and place.id not in self.entries:
                self.entries[place.id] = Before(site)
            if place.kind in ("attribute", "field") and place.key == "data":
                owner = place.owner()
                if isinstance(owner, Tensor) and id(owner) not in seen:
                    seen.add(id(owner))
                    path = place.above
                    self.tensors.append((path if path is not None else Given(owner), owner, owner.version))
            if site.kind == "object" and _is_unseen(site.value):
                raise CompileError(message(
                    "compile", f"{a_kind(site.value)} ({place!r}), which a replay would not read anew",
                    "plain arrays", "np.array(x), outside of the step"))  # fmt: skip
            if site.kind == "object" and (now := progress(site.value)) is not None:
                self.moved.append((site, now))
            holder: Any = None
            if site.kind == "length":
                holder = place.get()
            elif place.kind in ("keys", "set"):
                holder = place.holder.get() if place.kind == "keys" else place.holder
            if isinstance(holder, (list, dict, deque, set, bytearray)) and id(holder) not in seen:
                seen.add(id(holder))
                self.containers.append((holder, _contents(holder)))
        self.lasting = {id(site.value) for site in self.sites if site.kind == "object"}
        self.lasting.update(id(t) for _, t, _ in self.tensors)

    def _lift(self) -> None:
        """Put duck arrays into the places. Nothing else holds them: Tensors count who holds their memory."""
        handles: dict[int, Any] = {}
        for number, site in enumerate(self.sites):
            if site.kind == "array":
                kind = "input" if number < len(self.given) else "leaf"
                handles[number] = self.capture.lift(site.value, kind, site.place)
            elif site.kind == "generator":
                if id(site.value) not in handles:
                    handles[id(site.value)] = self.capture.generator(site.value)
                handles[number] = handles[id(site.value)]
        self.capture.settle()
        for number, site in enumerate(self.sites):
            if number in handles:
                self.leaves[number] = _slot_of(handles[number])
                site.place.set(handles[number])
        for entry in self.entries.values():
            now = entry.place.get()
            entry.lifted = _slot_of(now) if type(now) in (Traced, TracedGenerator) else now

    def _put_back(self) -> None:
        """Put arrays into every place in which a duck array stands."""
        self.capture.open = False
        for entry in self.entries.values():
            entry.put_back()
        for site in [*arguments(Root(self.root, "args"), self.root["args"], False), *self._now()]:
            if type(site.value) is Traced:
                site.place.set(site.value._value)
            elif type(site.value) is TracedGenerator:
                site.place.set(site.value.real)
        self.root.update(args=self.args, kwargs=self.kwargs)

    def _part(self) -> None:
        """Leave arrays of Tensors that the step writes to to whoever else holds them, as each write does."""
        places: dict[int, list[Site]] = {}
        for site in self.sites:
            if site.kind == "array":
                places.setdefault(id(site.value), []).append(site)
        for found in places.values():
            site = found[0]
            if len(found) == 1 and is_data(site.place) and site.place.owner().version > self.watch.begun:
                if site.value.base is None and getrefcount(site.value) > HELD:
                    site.value = site.value.copy()
                    site.place.set(site.value)

    def _now(self) -> list[Site]:
        """Return what is reached now, from the same roots."""
        roots = [(entry.place, entry.place.get()) for entry in self.entries.values() if _stands(entry.place)]
        return [*walk([(Given(self.fun), self.fun), *roots, *self.watch.roots()], self.watch)]

    def undo(self) -> None:
        """Let everything be what it was before the step, also what it changed beside arrays."""
        self._put_back()
        self.capture.roll_back()
        for holder, before in self.containers:
            if not _same_items(_contents(holder), before):
                _restore(holder, before)
        for entry in self.entries.values():
            entry.put_back(whatever=True)
        for _, t, version in self.tensors:
            t.version = version
        for generator, state in self.capture.generators:
            generator.bit_generator.state = state

    # -- what the next capture is compared with -------------------------------------------------

    def shared(self) -> list[tuple[int, int, int]]:
        """Return which of the arrays that it reads are one, or overlap."""
        return [(number, slot.number, slot.storage) for number, slot in self.leaves.items()]

    def layouts(self) -> list[Any]:
        """Return what is known of the arrays that it reads, but for their values."""
        return [slot.layout for slot in self.leaves.values()]

    def forget(self) -> None:
        """Keep what the next capture is compared with, and no copies of arrays that were written to."""
        self.entries, self.tensors, self.containers, self.moved = {}, [], [], []
        self.lasting.clear()
        for site in self.sites:
            if site.kind == "array":
                site.value = Layout(site.value.shape, site.value.dtype, site.value.strides)
        for slot in self.capture.slots:
            if slot.kind == "result":
                slot.array = None
        self.capture.saved.clear()
        self.capture.owners.clear()
        self.args = self.kwargs = None
        self.root.update(args=None, kwargs=None)


def _is_unseen(x: Any) -> bool:
    """Tell whether an object has numbers in memory that is no plain array's: a matrix, an array.array."""
    return isinstance(x, (ndarray, memoryview)) or type(x).__module__ == "array"


def _slot_of(handle: Any) -> Slot:
    return handle._slot if type(handle) is Traced else handle.slot


def _stands(place: Place) -> bool:
    try:
        place.get()
    except LOOKUP:
        return False
    return True


def _contents(x: Any) -> Any:
    return dict(x) if isinstance(x, dict) else set(x) if isinstance(x, set) else list(x)


def _same_items(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return [*a] == [*b] and all(x is y for x, y in zip(a.values(), b.values(), strict=True))
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _restore(x: Any, before: Any) -> None:
    if isinstance(x, dict):
        dict.clear(x)
        dict.update(x, before)
    elif isinstance(x, (list, bytearray)):
        x[:] = before
    else:
        x.clear()
        x.update(before) if isinstance(x, set) else x.extend(before)


def _states() -> Any:
    legacy: Any = np.random.get_state()  # noqa: NPY002 (whether a step uses it)
    return stdlib_random.getstate(), legacy[0], legacy[1].tobytes(), tuple(legacy[2:])
