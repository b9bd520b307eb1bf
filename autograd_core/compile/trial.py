"""One captured step: lift what it reads, run it, put everything back, and say what it did."""

from __future__ import annotations

import random as stdlib_random
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .. import random
from ..calls import wrap
from ..errors import CompileError, message
from ..node import Node
from ..primitive import declare
from ..tensor import Tensor
from .capture import Capture, Slot, located, replaced
from .passes import same
from .plan import MISS, Held, Plan
from .reach import ATOMS, Place, Site, Watch, arguments, equal, walk
from .traced import Traced, TracedGenerator

__all__ = ["Trial", "verified"]


def _no_graph(*args: Any, **params: Any) -> Any:
    raise CompileError("[backward] got a result of a compiled function, expected one with a graph: a replay records "
                       "none; try to compile the whole step, with backward() in it")  # fmt: skip


_compiled = declare(lambda x: x, joint=_no_graph, name="compiled", arity=1, saves="")
_compiled.defjvp(_no_graph)


class Trial:
    """A run of a step with duck arrays in the place of the arrays that it reaches."""

    def __init__(self, fun: Callable[..., Any], args: Any, kwargs: Any, watch: Watch) -> None:
        self.fun, self.args, self.kwargs, self.watch = fun, args, kwargs, watch
        self.root = {"args": args, "kwargs": kwargs}
        self.capture = Capture()
        self.leaves: dict[int, Slot] = {}
        self.effects: list[tuple[Place, Any]] = []
        self.reason = ""
        self.output: Any = None

    # -- what is reached ------------------------------------------------------------------------

    def _roots(self) -> list[tuple[Place, Any]]:
        random.generator()
        objects = [site.value for site in self.given if site.kind == "object" and type(site.value) is not type]
        return [
            (Place("given", self.fun), self.fun), *((Place("given", x), x) for x in objects),
            *self.watch.roots(), (Place("item", vars(random), "_generator"), random._generator),
        ]  # fmt: skip

    def _reach(self) -> list[Site]:
        self.given = [site for name in ("args", "kwargs") for site in arguments(Place("root", self.root, name),
                                                                                self.root[name])]  # fmt: skip
        return [*self.given, *walk(self._roots(), self.watch)]

    # -- the run --------------------------------------------------------------------------------

    def run(self) -> Any:
        """Make the step; return what it returns."""
        sites = self.sites = self._reach()
        capture = self.capture
        tensors = {id(site.place.owner()): site.place.owner() for site in sites
                   if site.place.kind in ("attribute", "field") and isinstance(site.place.owner(), Tensor)}  # fmt: skip
        self.tensors = list(tensors.values())
        versions = [t.version for t in self.tensors]
        states = _states()
        try:
            self._lift()
            args, kwargs = self.root["args"], self.root["kwargs"]
            seen = len(self.watch.codes)
            with self.watch:
                result = self.fun(*args, **kwargs)
            if len(self.watch.codes) > seen:
                self.reason = "code that did not run in the first step"
        except BaseException as error:
            capture.open = False
            self._take_back()
            self._restore_unreached()
            if isinstance(error, CompileError):
                capture.roll_back()
            raise
        self.output = self._described(result)
        result = self._real(result)
        self.expected = [np.copy(x) if isinstance(x, ndarray) else x for x in arrays_of(result)]
        capture.open = False
        self._take_back()
        self._find_effects()
        self.written = [t for t, v in zip(self.tensors, versions, strict=True) if t.version != v]
        if states != _states():
            raise CompileError(message(
                "compile", "a step that draws from Python's or NumPy's global random numbers", "the library's generator",
                "ag.random.generator(), or a np.random.Generator that the step reaches"))  # fmt: skip
        for slot in capture.constants.values():
            if slot.kind == "constant" and not same(slot.array, slot.copy):
                written = {s.storage for call in capture.calls for s in call.writes}
                if slot.storage not in written:
                    raise CompileError(
                        f"[compile] got an array of shape {slot.shape} that was changed after it was used, by no call "
                        f"that a replay would make: {located(slot.line)}; try to make it from arrays of the step"
                    )
        return result

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
        for name in ("args", "kwargs"):
            self.root[name] = copied(self.root[name])
        for number, site in enumerate(self.sites):
            if number in handles:
                self.leaves[number] = handles[number].slot
                site.place.set(handles[number])

    def _take_back(self) -> None:
        """Put the arrays back where the duck arrays still stand."""
        for number, slot in self.leaves.items():
            site = self.sites[number]
            try:
                now = site.place.get()
                if type(now) in (Traced, TracedGenerator) and now.slot is slot:
                    site.place.set(site.value)
            except (KeyError, IndexError, AttributeError, ValueError, TypeError):
                pass
        self.root.update(args=self.args, kwargs=self.kwargs)

    def _restore_unreached(self) -> None:
        for site in self._reach():
            if type(site.value) is Traced:
                site.place.set(_array(site.value))

    def _find_effects(self) -> None:
        """Note what the step put into places, and which Python state it changed."""
        for site in list(self._reach()):
            if type(site.value) is Traced:
                self.effects.append((site.place, site.value.slot))
                site.place.set(_array(site.value))
        done = {_key(place) for place, _ in self.effects}
        for site in self.sites:
            if _key(site.place) in done:
                continue
            try:
                now = site.place.get()
            except (KeyError, IndexError, AttributeError, ValueError, TypeError):
                self.reason = self.reason or f"{site.place!r} is gone"
                continue
            if site.kind in ("array", "value") and now is not site.value and not (
                site.kind == "value" and equal(now, site.value)
            ):  # fmt: skip
                if now is None or type(now) is ndarray and (site.kind == "array" or site.value is None):
                    self.effects.append((site.place, None if now is None else self.capture.constant(now)))
                    continue
                self.reason = self.reason or f"{site.place!r}: {_short(site.value)} became {_short(now)}"
            elif site.kind == "object" and now is not site.value:
                self.reason = self.reason or f"{site.place!r}: another {type(now).__name__}"
            elif site.kind == "length" and len(now) != site.value:
                self.reason = self.reason or f"{site.place!r}: {site.value} items became {len(now)}"

    # -- what it returns ------------------------------------------------------------------------

    def _described(self, x: Any) -> Any:
        """Return a result with slots in the place of arrays."""
        if isinstance(x, Tensor):
            if any(x is t for t in self.tensors):
                return x
            slot = x.data.slot if type(x.data) is Traced else self.capture.constant(x.data)
            return Held(slot, None if x.node is None else Node(_compiled.primitive, (), (), x.data, {}))
        if type(x) is Traced:
            return x.slot
        if type(x) is ndarray:
            return self.capture.constant(x)
        if isinstance(x, tuple) and (type(x) is tuple or hasattr(x, "_make")):
            parts = [self._described(item) for item in x]
            return x._make(parts) if hasattr(x, "_make") else tuple(parts)
        if type(x) is list:
            return [self._described(item) for item in x]
        if type(x) is dict:
            return {key: self._described(item) for key, item in x.items()}
        if isinstance(x, ATOMS) or any(x is site.value for site in self.sites if site.kind == "object"):
            return x
        raise CompileError(message("compile", f"a step that returns a {type(x).__name__}",
                                   "arrays, Tensors, numbers, and tuples, lists and dicts of them"))  # fmt: skip

    def _real(self, x: Any) -> Any:
        """Return a result of this run with arrays in the place of duck arrays."""
        if isinstance(x, Tensor) and not any(x is t for t in self.tensors):
            data = x.data.value if type(x.data) is Traced else x.data
            return wrap(data, None if x.node is None else Node(_compiled.primitive, (), (), data, {}))
        if type(x) is Traced:
            return x.value
        if isinstance(x, tuple):
            parts = [self._real(item) for item in x]
            return x._make(parts) if hasattr(x, "_make") else tuple(parts)
        if type(x) is list:
            return [self._real(item) for item in x]
        if type(x) is dict:
            return {key: self._real(item) for key, item in x.items()}
        return x

    # -- two of them ----------------------------------------------------------------------------

    def is_like(self, other: Trial) -> bool:
        """Tell whether both began with the same arguments and Python state, but for the values of arrays."""
        return len(self.sites) == len(other.sites) and all(
            a.kind == b.kind and _key(a.place) == _key(b.place) and _alike(a, b)
            for a, b in zip(self.sites, other.sites, strict=True)
        )

    def difference(self, other: Trial) -> str:
        """Say what a replay of one would not do as the other did; nothing if both are the same."""
        ours, theirs = self.capture.calls, other.capture.calls
        for a, b in zip(ours, theirs, strict=False):
            if a.name != b.name or not _same_fun(a.fun, b.fun) or a.line != b.line:
                return (f"[compile] got {b.name} ({located(b.line)}) in one step and {a.name} ({located(a.line)}) in "
                        "the next, expected the same calls in every step")  # fmt: skip
            if what := _differs((a.args, a.params), (b.args, b.params), self.capture, other.capture):
                return (f"[compile] got {what} in {a.name}, expected what does not change from step to step: "
                        f"{located(a.line)}; try to make it in an array that the step reaches, or pass it")  # fmt: skip
        if len(ours) != len(theirs):
            return f"[compile] got {len(theirs)} calls in one step and {len(ours)} in the next"
        if len(self.effects) != len(other.effects):
            return "[compile] got other arrays left behind in two steps"
        for (place, a), (_, b) in zip(self.effects, other.effects, strict=True):
            if what := _differs(a, b, self.capture, other.capture):
                return f"[compile] got {what} in {place!r}"
        if what := _differs(_plain(self.output), _plain(other.output), self.capture, other.capture):
            return f"[compile] got {what} in what the step returns"
        return ""


def verified(trial: Trial) -> Plan:
    """Make a plan of a captured step, replay it from where that began, and compare every bit."""
    capture = trial.capture
    plan = Plan(capture, trial.sites, trial.output, trial.effects, trial.written, trial.leaves)
    plan.root, plan.fun = trial.root, trial.fun
    after = capture.state()
    capture.roll_back()
    places = [(place, place.get()) for place, _ in trial.effects]
    begun = {_key(site.place): site.value for site in trial.sites}
    for place, _ in trial.effects:
        if _key(place) in begun:
            place.set(begun[_key(place)])
    try:
        plan.bind()
        result = plan.run(trial.args, trial.kwargs)
        what = f"no replay: {plan.accepts()}" if result is MISS else capture.differs(after)
        if not what and not same(trial.expected, arrays_of(result)):
            what = "another result"
        if not what:
            for place, array in places:
                if not same(place.get(), array):
                    what = f"another array in {place!r}"
    except CompileError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
    if what:
        capture.put(after)
        for place, array in places:
            place.set(array)
        raise CompileError(f"[compile] got {what} from the replay of a step that was just captured: this is an error of "
                           "the library; try fallback=True, and report it")  # fmt: skip
    plan.root.update(args=None, kwargs=None)
    return plan


def arrays_of(x: Any) -> list[Any]:
    """Return the arrays of a result, in order, and what else is in it."""
    if isinstance(x, Tensor):
        return [x.data]
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in arrays_of(item)]
    if isinstance(x, dict):
        return [a for item in x.values() for a in arrays_of(item)]
    return [x]


def copied(x: Any) -> Any:
    """Return nests of arguments anew, so that what stands in them can be replaced."""
    if isinstance(x, tuple):
        parts = [copied(item) for item in x]
        return x._make(parts) if hasattr(x, "_make") else tuple(parts)
    if type(x) is list:
        return [copied(item) for item in x]
    return {key: copied(item) for key, item in x.items()} if type(x) is dict else x


def _array(traced: Traced) -> Any:
    return traced.value


def _key(place: Place) -> Any:
    holder = _key(place.holder) if isinstance(place.holder, Place) else id(place.holder)
    if place.kind == "root":
        holder = 0
    return place.kind, holder, place.key if isinstance(place.key, (str, int)) else id(place.key)


def _alike(a: Site, b: Site) -> bool:
    if a.kind == "array":
        return (a.value.shape, a.value.dtype, a.value.strides) == (b.value.shape, b.value.dtype, b.value.strides)
    if a.kind in ("object", "type"):
        return a.value is b.value or a.place.kind == "given"
    return a.kind == "generator" or equal(a.value, b.value)


def _same_fun(a: Any, b: Any) -> bool:
    if a is b or a == b:
        return True
    return getattr(a, "__code__", 0) is getattr(b, "__code__", 1)


def _differs(a: Any, b: Any, ours: Capture, theirs: Capture) -> str:
    """Say in which constant two nests of arguments differ."""
    if type(a) is Slot and type(b) is Slot:
        if a.number != b.number or a.kind != b.kind or a.layout != b.layout:
            return f"an array {a.shape} {a.dtype} in the place of one {b.shape} {b.dtype}"
        if a.kind == "constant" and a.array is not b.array and not same(a.array, b.copy):
            return f"an array {a.shape} {a.dtype} whose values differ from step to step"
        return ""
    if type(a) is not type(b):
        return f"{_short(a)} after {_short(b)}"
    if isinstance(a, (tuple, list)):
        if len(a) != len(b):
            return f"{len(a)} values after {len(b)}"
        return next((what for x, y in zip(a, b, strict=True) if (what := _differs(x, y, ours, theirs))), "")
    if isinstance(a, dict):
        return _differs(list(a.items()), list(b.items()), ours, theirs)
    if type(a) is slice:
        return _differs((a.start, a.stop, a.step), (b.start, b.stop, b.step), ours, theirs)
    return "" if same(a, b) or _same_fun(a, b) else f"{_short(a)} after {_short(b)}"


def _plain(tree: Any) -> Any:
    if isinstance(tree, Held):
        return tree.slot
    if isinstance(tree, (tuple, list)):
        return [_plain(item) for item in tree]
    return {key: _plain(item) for key, item in tree.items()} if type(tree) is dict else tree


def _short(x: Any) -> str:
    text = f"an array {x.shape}" if isinstance(x, ndarray) else repr(x)
    return text if len(text) <= 60 else text[:57] + "..."


def _states() -> Any:
    name, keys, *rest = np.random.get_state()  # type: ignore[misc]
    return stdlib_random.getstate(), name, keys.tobytes(), tuple(rest)  # type: ignore[union-attr]
