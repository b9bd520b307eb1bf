"""One captured step: lift what it reads, run it, put everything back, and say what it did."""

from __future__ import annotations

import random as stdlib_random
from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from sys import getrefcount
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from .. import random
from ..calls import wrap
from ..errors import CompileError, message
from ..node import Node, recording
from ..primitive import declare
from ..tensor import Tensor
from .capture import Capture, Slot, is_ours, located, slots_of
from .generators import TracedGenerator, read_state
from .passes import same
from .place import LOOKUP, Given, Item, Place, Root, Switch
from .plan import MISS, Held, Plan, is_data
from .reach import Site, Watch, arguments, equal, is_atom, progress, walk
from .traced import Traced

__all__ = ["Trial", "verified"]

HELD = 3  # references to a Tensor's array that nobody else holds: its own, a site's, and the one that is counted
STANDS = ("item", "attribute", "cell", "switch", "part", "field", "root")  # places where another value can stand


def _no_graph(*args: Any, **params: Any) -> Any:
    raise CompileError("[backward] got a result of a compiled function, expected one with a graph: a replay records "
                       "none; try to compile the whole step, with backward() in it")  # fmt: skip


_compiled = declare(lambda x: x, joint=_no_graph, name="compiled", arity=1, saves="")
_compiled.defjvp(_no_graph)


class Entry:
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
        self.whole = True  # whether it knew all that it reads when it began
        self.output: Any = None

    # -- what is reached ------------------------------------------------------------------------

    def _reach(self) -> list[Site]:
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
        self.sites = self._reach()
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
            self.output = self._described(result)
            if self.output is REFUSED:
                raise CompileError(message("compile", f"a step that returns {_kind(result)}",
                                           "arrays, Tensors, numbers, and tuples, lists and dicts of them"))  # fmt: skip
            result = self._real(result)
            self._find_effects()
            self._check_constants()
        except BaseException as error:
            self._put_back()
            reason = self.capture.reason(error)
            if isinstance(reason, (TypeError, AttributeError, LookupError)):  # of this step, or of a function that only takes plain arrays
                self.undo()
                self.fun(*self.args, **self.kwargs)
                reason = CompileError(f"[compile] got {type(error).__name__} ({error}) from a step that is captured, and "
                                      f"none as it is: {defined(self.fun)}; try NumPy's own functions")  # fmt: skip
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
        self.entries: dict[Any, Entry] = {}
        self.tensors: list[tuple[Place, Tensor, int]] = []
        self.containers: list[tuple[Any, Any]] = []
        self.moved: list[tuple[Site, Any]] = []
        seen: set[int] = set()
        for site in self.sites:
            place = site.place
            whole = site.kind != "length" or isinstance(place.get(), tuple)  # other containers stay what they are
            if whole and place.kind in STANDS and place.id not in self.entries:
                self.entries[place.id] = Entry(site)
            if place.kind in ("attribute", "field") and place.key == "data":
                owner = place.owner()
                if isinstance(owner, Tensor) and id(owner) not in seen:
                    seen.add(id(owner))
                    path = place.above
                    self.tensors.append((path if path is not None else Given(owner), owner, owner.version))
            if site.kind == "object" and _is_unseen(site.value):
                raise CompileError(message("compile", f"{_kind(site.value)} ({place!r}), which a replay would not read anew",
                                           "plain arrays", "np.array(x), outside of the step"))  # fmt: skip
            if site.kind == "object" and (now := progress(site.value)) is not None:
                self.moved.append((site, now))
            holder = place.holder.get() if place.kind == "keys" else place.holder if place.kind == "set" else None
            if site.kind == "length":
                holder = place.get()
            if isinstance(holder, (list, dict, deque, set, bytearray)) and id(holder) not in seen:
                seen.add(id(holder))
                self.containers.append((holder, _contents(holder)))

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
        """Leave the arrays of Tensors that the step writes to, and that somebody holds, to them, as each write does."""
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
        for real, state in self.capture.generators:
            real.bit_generator.state = state

    # -- what it left behind --------------------------------------------------------------------

    def _find_effects(self) -> None:
        """Note what the step put into places, and which Python state it changed."""
        changed: set[Any] = set()
        for entry in self.entries.values():
            place = entry.site.place
            above = place.above
            while above is not None and above.id not in changed:
                above = above.above
            if above is not None:
                continue
            try:
                now = place.get()
            except LOOKUP:
                self._changed(place, f"{place!r} is gone")
                continue
            if entry.holds(now):
                continue
            if place.kind == "field" and place.key == "extras" and entry.original is None and _is_spent(now):
                place.set(None)
                continue
            changed.add(place.id)
            if entry.site.kind == "generator" or (is_atom(now) and equal(now, entry.original)):
                if entry.site.kind == "generator" and type(now) is not TracedGenerator:
                    self._changed(place, f"{place!r}: another generator")
                continue
            tree = self._described(now)
            if now is None and not is_atom(entry.original):
                self.effects.append((place, None))
            elif tree is REFUSED or not _slots(tree):
                self._changed(place, f"{place!r}: {_short(entry.original)} became {_short(now)}")
            else:
                if entry.site.kind in ("object", "type"):
                    self.watch.moving.add(place.id)
                self.effects.append((place, tree))
                place.set(self._real(now))
        for site in self.sites:
            place = site.place
            if place.kind in STANDS and site.kind != "length" or site.kind == "object":
                continue
            above = place
            while above is not None and above.id not in changed:
                above = above.above
            if above is not None:
                continue
            try:
                now = place.get()
                if site.kind == "length" and len(now) != site.value:
                    self._changed(place, f"{place!r}: {site.value} items became {len(now)}")
                elif site.kind == "value" and not equal(now, site.value):
                    self._changed(place, f"{place!r}: {_short(site.value)} became {_short(now)}")
            except LOOKUP:
                self._changed(place, f"{place!r} is gone")
        for site, before in self.moved:
            if progress(site.value) != before:
                self._changed(site.place, f"{site.place!r}: {_kind(site.value)} moved on")

    def _changed(self, place: Place, reason: str) -> None:
        if not self.reason:
            self.reason, self.where = reason, place.id

    def _check_constants(self) -> None:
        written = {s.storage for call in self.capture.calls for s in call.writes}
        for slot in self.capture.constants.values():
            if slot.kind == "constant" and slot.storage not in written and not same(slot.array, slot.copy):
                raise CompileError(
                    f"[compile] got an array of shape {slot.shape} that was changed after it was used, by no call "
                    f"that a replay would make: {located(slot.line)}; try to make it from arrays of the step"
                )

    # -- trees of results ------------------------------------------------------------------------

    def _described(self, x: Any) -> Any:
        """Return a value with slots in the place of arrays; REFUSED where a replay could not make it."""
        if isinstance(x, Tensor):
            if any(x is t for _, t, _ in self.tensors):
                return x
            if type(x) is not Tensor:
                return REFUSED
            slot = x.data._slot if type(x.data) is Traced else self.capture.constant(x.data)
            return Held(slot, None if x.node is None else Node(_compiled.primitive, (), (), x.data, {}))
        if type(x) is Traced:
            return REFUSED if x._slot.place is read_state else x._slot
        if type(x) is ndarray:
            return self.capture.constant(x)
        if type(x) in (tuple, list) or (isinstance(x, tuple) and hasattr(x, "_make")):
            parts = [self._described(item) for item in x]
            if any(part is REFUSED for part in parts):
                return REFUSED
            return x._make(parts) if hasattr(x, "_make") else type(x)(parts)
        if type(x) is dict:
            items = {key: self._described(item) for key, item in x.items()}
            return REFUSED if any(item is REFUSED for item in items.values()) else items
        known = is_atom(x) or any(x is site.value for site in self.sites if site.kind == "object")
        return x if known else REFUSED

    def _real(self, x: Any) -> Any:
        """Return a value of this run with arrays in the place of duck arrays."""
        if isinstance(x, Tensor) and not any(x is t for _, t, _ in self.tensors):
            data = x.data._value if type(x.data) is Traced else x.data
            return wrap(data, None if x.node is None else Node(_compiled.primitive, (), (), data, {}))
        if type(x) is Traced:
            return x._value
        if isinstance(x, tuple) and not is_atom(x):
            parts = [self._real(item) for item in x]
            return x._make(parts) if hasattr(x, "_make") else tuple(parts)
        if type(x) is list:
            return [self._real(item) for item in x]
        if type(x) is dict:
            return {key: self._real(item) for key, item in x.items()}
        return x

    # -- how it ended ----------------------------------------------------------------------------

    def ends(self) -> Any:
        """Return what the step left in the places that it wrote to, and in generators.

        By place: a Tensor that somebody holds the memory of copies it and writes there, so it may be another array.
        """
        written = [self.sites[number].place for number, slot in self.leaves.items() if slot.storage in self.capture.saved]
        places = {place.id: place for place in (*written, *[place for place, _ in self.effects])}
        arrays = [(place, digests(place.get())) for place in places.values()]
        return arrays, [(g, repr(g.bit_generator.state)) for g, _ in self.capture.generators]

    def misses(self, result: Any, ends: Any) -> str:
        """Say what is otherwise than at the end of this step; nothing if all is the same to the last bit."""
        if not same(self.expected, digests(result)):
            return "another result"
        for place, arrays in ends[0]:
            if not same(digests(place.get()), arrays):
                return f"another array in {place!r}"
        moved = any(repr(g.bit_generator.state) != state for g, state in ends[1])
        return "another state of a generator" if moved else ""

    # -- two of them ----------------------------------------------------------------------------

    def is_like(self, other: Trial) -> bool:
        """Tell whether both began with the same arguments and Python state, but for the values of arrays."""
        return self.shared() == other.shared() and len(self.sites) == len(other.sites) and all(
            a.kind == b.kind and a.place.id == b.place.id and _alike(a, b)
            for a, b in zip(self.sites, other.sites, strict=True)
        )

    def shared(self) -> list[tuple[int, int, int]]:
        """Return which of the arrays that it reads are one, or overlap."""
        return [(number, slot.number, slot.storage) for number, slot in self.leaves.items()]

    def layouts(self) -> list[Any]:
        """Return what is known of the arrays that it reads, but for their values."""
        return [slot.layout for slot in self.leaves.values()]

    def forget(self) -> None:
        """Keep what the next capture is compared with, and no copies of arrays that were written to."""
        self.entries, self.tensors, self.containers, self.moved = {}, [], [], []
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

    def difference(self, other: Trial) -> str:
        """Say what a replay of one would not do as the other did; nothing if both are the same."""
        ours, theirs = self.capture.calls, other.capture.calls
        for a, b in zip(ours, theirs, strict=False):
            if a.name != b.name or not _same_fun(a.fun, b.fun):
                return (f"[compile] got {b.name} ({located(b.line)}) in one step and {a.name} ({located(a.line)}) in "
                        "the next, expected the same calls in every step")  # fmt: skip
            if what := _differs((a.args, a.params), (b.args, b.params)):
                return (f"[compile] got {what} in {a.name}, expected what does not change from step to step: "
                        f"{located(a.line)}; try to make it in an array that the step reaches, or pass it")  # fmt: skip
        if len(ours) != len(theirs):
            return f"[compile] got {len(theirs)} calls in one step and {len(ours)} in the next"
        if [place.id for place, _ in self.effects] != [place.id for place, _ in other.effects]:
            return "[compile] got other arrays left behind in two steps"
        for (place, a), (_, b) in zip(self.effects, other.effects, strict=True):
            if what := _differs(_plain(a), _plain(b)):
                return f"[compile] got {what} in {place!r}"
        if what := _differs(_plain(self.output), _plain(other.output)):
            return f"[compile] got {what} in what the step returns"
        return ""


def verified(trial: Trial) -> tuple[Plan, Any]:
    """Make a plan of a captured step, replay it from where that began, and compare every bit.

    Returns:
        the plan, and the result of the replay, which stands where the results of the step would.

    Raises:
        CompileError: the replay did not what the step did. Everything is then as it was before the step.
    """
    plan = Plan(trial.capture, trial.sites, trial.output, trial.effects, trial.written, trial.leaves)
    plan.root, plan.fun = trial.root, trial.fun
    ends = trial.ends()
    trial.undo()
    if what := _otherwise(trial, ends):
        raise CompileError(
            f"[compile] got {what} from a step that is captured, expected what it gives as it is: {defined(trial.fun)}; "
            "try to find where it tells one array from another by what a captured one does not have: isinstance(x, "
            "np.ndarray) in the place of type(x) is np.ndarray, and no id(x)")  # fmt: skip
    try:
        plan.bind()
        result = plan.run(trial.args, trial.kwargs)
        what = f"no replay: {plan.accepts()}" if result is MISS else trial.misses(result, ends)
    except CompileError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
    if what:
        trial.undo()
        raise CompileError(f"[compile] got {what} from the replay of a step that was just captured: this is an error of "
                           "the library; try fallback=True, and report it")  # fmt: skip
    plan.root.update(args=None, kwargs=None)
    return plan, result


def _otherwise(trial: Trial, ends: Any) -> str:
    """Make the step as it is, say what it does otherwise than where it was captured, and undo it."""
    try:
        return trial.misses(trial.fun(*trial.args, **trial.kwargs), ends)
    except Exception as error:
        return f"no {type(error).__name__} ({error})"
    finally:
        trial.undo()


def _is_unseen(x: Any) -> bool:
    """Tell whether an object has numbers in memory that is no plain array's: a matrix, a memmap, an array.array."""
    return isinstance(x, (ndarray, memoryview)) or type(x).__module__ == "array"


def _is_spent(extras: Any) -> bool:
    """Tell whether a Tensor only notes views of it that are gone."""
    return type(extras) is dict and extras.keys() == {"views"} and all(view() is None for view in extras["views"])


def defined(fun: Any) -> str:
    """Return the file and line where a function is defined."""
    return located(line_of(fun))


def line_of(fun: Any) -> Any:
    code = getattr(getattr(fun, "__func__", fun), "__code__", None)
    while code is not None and is_ours(code.co_filename) and getattr(fun, "__wrapped__", None) is not None:
        fun = fun.__wrapped__  # of a transform the function that it differentiates
        code = getattr(getattr(fun, "__func__", fun), "__code__", None)
    return code and (code.co_filename, code.co_firstlineno)


class _Refused:
    def __repr__(self) -> str:
        return "REFUSED"


REFUSED = _Refused()  # in the place of a value that a replay could not make


def arrays_of(x: Any) -> list[Any]:
    """Return the arrays of a result, in order, and what else is in it."""
    if isinstance(x, Tensor):
        return [x.data]
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in arrays_of(item)]
    if isinstance(x, dict):
        return [a for item in x.values() for a in arrays_of(item)]
    return [x]


def digests(x: Any) -> list[Any]:
    """Return what tells whether a result is the same to the last bit, and holds no memory of it."""
    return [(a.shape, a.dtype, blake2b(np.ascontiguousarray(a)).digest()) if type(a) is ndarray else a
            for a in arrays_of(x)]  # fmt: skip


def _slot_of(handle: Any) -> Slot:
    return handle._slot if type(handle) is Traced else handle.slot  # type: ignore[no-any-return]


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


def _alike(a: Site, b: Site) -> bool:
    if a.kind == "array":
        return (a.value.shape, a.value.dtype, a.value.strides) == (b.value.shape, b.value.dtype, b.value.strides)
    if a.kind in ("object", "type"):
        return a.value is b.value
    return a.kind == "generator" or equal(a.value, b.value)


def _same_fun(a: Any, b: Any) -> bool:
    if a is b or a == b:
        return True
    return getattr(a, "__code__", 0) is getattr(b, "__code__", 1)


def _differs(a: Any, b: Any) -> str:
    """Say in which constant two nests of arguments differ."""
    if type(a) is Slot and type(b) is Slot:
        if a.number != b.number or a.kind != b.kind or a.layout != b.layout:
            return f"an array {a.shape} {a.dtype} in the place of one {b.shape} {b.dtype}"
        if a.kind == "constant" and a.array is not b.array:
            if not same(a.array, b.copy):
                return f"an array {a.shape} {a.dtype} whose values differ from step to step"
            a.live = owner_of(a.array) is owner_of(b.array)
        return ""
    if type(a) is not type(b):
        return f"{_short(a)} after {_short(b)}"
    if isinstance(a, (tuple, list)):
        if len(a) != len(b):
            return f"{len(a)} values after {len(b)}"
        return next((what for x, y in zip(a, b, strict=True) if (what := _differs(x, y))), "")
    if isinstance(a, dict):
        return _differs(list(a.items()), list(b.items()))
    if type(a) is slice:
        return _differs((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    return "" if same(a, b) or _same_fun(a, b) else f"{_short(a)} after {_short(b)}"


def owner_of(array: Any) -> Any:
    """Return what owns the memory of an array."""
    while isinstance(array, ndarray) and array.base is not None:
        array = array.base
    return array


def _plain(tree: Any) -> Any:
    if isinstance(tree, Held):
        return [tree.slot, tree.node is None]
    if isinstance(tree, (tuple, list)):
        return [_plain(item) for item in tree]
    return {key: _plain(item) for key, item in tree.items()} if type(tree) is dict else tree


def _slots(tree: Any) -> list[Slot]:
    if isinstance(tree, Held):
        return [tree.slot]
    if isinstance(tree, (tuple, list)):
        return [s for item in tree for s in _slots(item)]
    if type(tree) is dict:
        return [s for item in tree.values() for s in _slots(item)]
    return [tree] if type(tree) is Slot else []


def _kind(x: Any) -> str:
    name = type(x).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _short(x: Any) -> str:
    if isinstance(x, (ndarray, Tensor)):
        return f"{'a Tensor' if isinstance(x, Tensor) else 'an array'} {x.shape}"
    text = repr(x) if is_atom(x) else _kind(x)
    return text if len(text) <= 60 else text[:57] + "..."


def _states() -> Any:
    legacy: Any = np.random.get_state()  # noqa: NPY002 (whether a step uses it)
    return stdlib_random.getstate(), legacy[0], legacy[1].tobytes(), tuple(legacy[2:])
