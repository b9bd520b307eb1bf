"""What Python state a step reads: arrays, which are lifted, and everything else, which is guarded.

A replay runs no Python of the step, so whatever its Python reads must be known to be what it was. While a step
runs, :class:`Watch` notes which code runs, hence which globals and attributes are read by name. From these, the
closures of the functions, and the arguments, :func:`walk` reaches objects, containers and arrays, and says
at which :class:`~.place.Place` each stands. Python of the library itself is taken as it is: what is put in
the place of its functions while a program runs is not seen.
"""

from __future__ import annotations

import dis
import gc
import operator
import os
import random
import sys
import types
import weakref
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import CompileError, message
from ..node import LEAF, Node, next_id, recording
from ..tensor import Tensor
from .capture import OURS, file_of, is_ours
from .place import (
    Absent,
    Attribute,
    Cell,
    Contents,
    Entry,
    Field,
    Given,
    Has,
    Item,
    Keys,
    Part,
    Place,
    Switch,
    Truth,
    truth,
)
from .traced import Traced

__all__ = ["ATOMS", "Opaque", "Place", "Site", "Watch", "arguments", "equal", "is_atom", "progress",
           "walk"]

HERE = str(Path(__file__).parent) + "/"
BESIDE = Path(np.__file__).parents[1]
LIBRARIES = tuple(f"{BESIDE / name}/" for name in ("numpy", "scipy", "numba", "llvmlite"))
NO_STATE = (*OURS, *LIBRARIES, "<frozen")  # code whose globals are no state of a step
STANDARD = str(Path(os.__file__).parent) + "/"
ATOMS = (
    bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype, range, type(...), type(NotImplemented),
    slice,
)  # fmt: skip
# Names that are made at run time: where code has one of these, every attribute of what it reaches counts.
DYNAMIC = {
    "getattr", "setattr", "hasattr", "vars", "__dict__", "attrgetter", "globals", "locals", "eval", "exec",
    "__getattribute__",
}  # fmt: skip
ENVIRONMENT = {"environ", "getenv", "environb"}
SPACES = {"globals", "eval", "exec", "locals", "vars", "__dict__"}


def _is_state(file: str) -> bool:
    """Tell whether code of this file may read globals that change from step to step."""
    if file.startswith(NO_STATE):
        return False
    return not file.startswith(STANDARD) or "site-packages" in file or "dist-packages" in file


def _file(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""  # none: typed in by a user


def _is_state_module(name: str) -> bool:
    return name not in sys.builtin_module_names and _is_state(_file(name))


@lru_cache(4096)
def _reads(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the globals that code reads by name, and the modules that it imports."""
    found = [(i.opname, i.argval) for i in dis.get_instructions(code)]
    names = {name for op, name in found if op in ("LOAD_GLOBAL", "LOAD_NAME")}
    if not SPACES.isdisjoint(code.co_names):
        names.update(code.co_names, (c for c in code.co_consts if type(c) is str))
    return frozenset(names), frozenset(name for op, name in found if op == "IMPORT_NAME")


def _is_for_the_library(frame: Any, file: str) -> bool:
    """Tell whether code of Python's own library runs because the library, NumPy or numba called it."""
    if not file.startswith(STANDARD) or "-packages" in file:
        return False
    while frame is not None and (file := file_of(frame)).startswith(STANDARD) and "-packages" not in file:
        frame = frame.f_back
    return frame is not None and file.startswith(NO_STATE)


class Watch:
    """Note which code runs within a ``with`` block, in this thread."""

    def __init__(self) -> None:
        self.begun = next_id()  # what was written to since has a later version
        self.codes: dict[Any, tuple[CodeType, dict[str, Any] | None]] = {}  # with its globals, where they are state
        self.names: set[str] = set()
        self.texts: set[str] = set()  # keys that code outside of the library may read
        self.dynamic = False  # attributes are read by names that are made at run time
        self.moving: set[Any] = set()  # places whose objects the step itself replaces
        self._apart: Any = None  # a frame whose calls are no code of the step

    @property
    def size(self) -> Any:
        """Another one once more is known."""
        state = sum(space is not None for _, space in self.codes.values())
        return state, len(self.names), self.dynamic, len(self.moving)

    def __enter__(self) -> Watch:
        self._before = sys.getprofile()
        self._collecting = gc.isenabled()
        gc.disable()  # what it calls (gc.callbacks, __del__) is no code of the step
        sys.setprofile(self._saw)
        return self

    def __exit__(self, *error: object) -> None:
        if self._collecting:
            gc.enable()
        known = self._before is None or callable(self._before)
        sys.setprofile(self._before if known else None)
        if not known:  # cProfile's is no function
            self._before.enable()  # type: ignore[union-attr]

    def _saw(self, frame: Any, event: str, arg: Any) -> None:
        if self._apart is not None:
            if event == "return" and frame is self._apart:
                self._apart = None
        elif event == "call":
            code = frame.f_code
            if code.co_filename.startswith("<frozen importlib") or f"{os.sep}numba{os.sep}" in code.co_filename:
                self._apart = frame  # what runs while a module is imported or a loop is compiled runs once
                return
            key = code, id(frame.f_globals)  # equal code stands in several modules; numba makes it anew in each call
            if key not in self.codes:
                file = file_of(frame)
                if not file.startswith((HERE, *LIBRARIES)):
                    self.codes[key] = code, frame.f_globals if _is_state(file) else None
                    self.names.update(code.co_names)
                    self.names.update(c for c in code.co_consts if type(c) is str)
                    if _is_for_the_library(frame, file):
                        del self.codes[key]  # a user's code may call it too
                    elif not file.startswith(NO_STATE):
                        self.texts.update(c for c in code.co_consts if type(c) is str)
                        self.dynamic |= not DYNAMIC.isdisjoint(code.co_names)
        if callable(self._before):  # cProfile's is not
            self._before(frame, event, arg)

    def roots(self) -> Iterator[tuple[Place, Any]]:
        """Yield the globals that the code reads, each with its place."""
        spaces: dict[int, tuple[dict[str, Any], set[str]]] = {}
        for code, space in self.codes.values():
            if space is not None:
                names, imports = _reads(code)
                spaces.setdefault(id(space), (space, set()))[1].update(names)
                for name in imports:
                    package = space.get("__package__") or ""
                    module = sys.modules.get(name) or sys.modules.get(f"{package}.{name}") or sys.modules.get(package)
                    if module is not None:
                        yield Given(module), module
        if any(space is not None and not ENVIRONMENT.isdisjoint(code.co_names) for code, space in self.codes.values()):
            yield Given(os.environ), vars(os.environ)["_data"]
        for space, names in spaces.values():
            for name in sorted(names & space.keys()):
                yield Item(space, name), space[name]
            if missing := frozenset(names - space.keys()):  # built-in names too: a global would hide them
                place = Absent(space, missing)
                yield place, place.get()


class Site:
    """A place, what stood there, and what that says of the next step.

    kind: ``array`` (lifted), ``generator`` (lifted), ``value`` (guarded by equality), ``object`` (guarded by
    identity), ``type`` and ``length`` (of what stands there, guarded by equality).
    """

    __slots__ = ("kind", "place", "value")

    def __init__(self, kind: str, place: Place, value: Any) -> None:
        self.kind, self.place, self.value = kind, place, value

    def __repr__(self) -> str:
        return f"{self.kind} at {self.place!r}"


def equal(a: Any, b: Any) -> bool:
    """Tell whether two values of Python state are the same to a step: 1, 1.0 and True, and 0.0 and -0.0, differ."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, frozenset):
        return a == b and set(map(_exact, a)) == set(map(_exact, b))
    if isinstance(a, slice):
        return equal((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if type(a) in (float, complex) or isinstance(a, np.generic):
        return np.asarray(a).dtype == np.asarray(b).dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()
    return isinstance(a, ATOMS) and bool(a == b)


def _exact(x: Any) -> Any:
    return repr(x) if is_atom(x) else id(x)


def _is_tuple(x: Any) -> bool:
    return type(x) is tuple or (isinstance(x, tuple) and hasattr(x, "_make"))


def is_atom(x: Any) -> bool:
    """Tell whether a value never changes, and holds nothing that does."""
    return (isinstance(x, ATOMS) and type(x) is not Traced) or ((_is_tuple(x) or type(x) is frozenset) and all(map(is_atom, x)))


def progress(x: Any) -> Any:
    """Return what tells how far something has come that moves on when it is asked; None for anything else."""
    if isinstance(x, random.Random) and not isinstance(x, random.SystemRandom):
        return x.getstate()
    if isinstance(x, (np.random.RandomState, np.random.BitGenerator)):
        return repr(x.get_state(legacy=False) if isinstance(x, np.random.RandomState) else x.state)
    if isinstance(x, types.GeneratorType) or (hasattr(type(x), "__next__") and type(x).__module__ in MOVING):
        left = operator.length_hint(x, -1)
        return (repr(x), left) if left >= 0 or type(x).__name__ == "count" else object()  # unknown: never the same
    return None


MOVING = ("builtins", "itertools", "_io", "_csv")


# -- by reference -----------------------------------------------------------------------------------


def walk(roots: Any, watch: Watch) -> Iterator[Site]:
    """Yield the sites that are reached from ``roots``, pairs of a place and a value, each once."""
    seen: dict[int, Any] = {}
    stack = list(roots)[::-1]
    while stack:
        place, value = stack.pop()
        kind = type(value)
        if kind in (ndarray, Traced):
            yield Site("array", place, value)
        elif kind is np.random.Generator or getattr(kind, "is_generator", False):
            yield Site("generator", place, value)
        elif is_atom(value):
            if place.kind != "given":
                yield Site("value", place, value)
        elif _is_tuple(value):
            if place.kind != "given":
                yield Site("length", place, len(value))
            stack.extend([(Part(place, i), item) for i, item in enumerate(value)][::-1])
        elif watch.moving and place.id in watch.moving and (kind in (list, dict) or isinstance(value, Tensor)):
            for site in arguments(place, value, False):
                yield site
                if site.kind == "object":
                    stack.append((Given(site.value), site.value))
        else:
            if place.kind != "given":
                yield Site("object", place, value)
            if id(value) in seen:
                continue
            seen[id(value)] = value
            for child, item in [*_children(value, watch)][::-1]:
                if isinstance(child, Site):
                    yield child
                else:
                    stack.append((child, item))


class Opaque:
    """A base of functions whose own state is no state of a step that calls them."""

    fun: Any


def _children(value: Any, watch: Watch) -> Iterator[tuple[Any, Any]]:
    """Yield what an object holds: its items, attributes or cells, and its class where that is a user's."""
    if isinstance(value, Opaque):
        yield Given(value.fun), value.fun
    elif isinstance(value, Tensor):
        for name in ("data", "grad"):
            yield Attribute(value, name), getattr(value, name)
        if not isinstance(value.node, Node):
            yield Attribute(value, "node"), value.node
            if value.extras and "hooks" in value.extras:
                yield Item(value.extras, "hooks"), value.extras["hooks"]
            else:
                yield Attribute(value, "extras"), value.extras
    elif value is LEAF or isinstance(value, (Node, types.CodeType, types.BuiltinFunctionType, np.ufunc)):
        return
    elif isinstance(value, types.FunctionType):
        yield from _of_function(value)
    elif isinstance(value, types.MethodType):
        yield Given(value.__self__), value.__self__
        yield Given(value.__func__), value.__func__
    elif isinstance(value, partial):
        for name in ("func", "args", "keywords"):
            yield Attribute(value, name), getattr(value, name)
    elif isinstance(value, (staticmethod, classmethod)):
        yield Given(value.__func__), value.__func__
    elif isinstance(value, property):
        for f in (value.fget, value.fset):
            if f is not None:
                yield Given(f), f
    elif isinstance(value, (operator.attrgetter, operator.methodcaller)):
        watch.names.update(part for name in value.__reduce__()[1] if type(name) is str for part in name.split("."))
    elif isinstance(value, weakref.ref):
        if (target := value()) is not None:
            yield Given(target), target
    elif isinstance(value, ContextVar):
        place = Switch(value)
        yield place, place.get()
    elif isinstance(value, types.ModuleType):
        if _is_state(value.__file__ if getattr(value, "__file__", None) else "<frozen"):
            for name in sorted(watch.names & value.__dict__.keys()):
                yield Item(value.__dict__, name), value.__dict__[name]
    elif isinstance(value, type):
        yield from _of_class(value, watch)
    else:
        yield from _of_instance(value, watch)


def _of_function(value: Any) -> Iterator[tuple[Any, Any]]:
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        try:
            yield Cell(cell, name), cell.cell_contents
        except ValueError:  # empty
            pass
    if _is_state(value.__code__.co_filename):
        yield Attribute(value, "__code__"), value.__code__
    for name in ("__defaults__", "__kwdefaults__"):
        if getattr(value, name):
            yield Attribute(value, name), getattr(value, name)
    if value.__dict__:
        yield Given(value.__dict__), value.__dict__


def _of_class(value: type, watch: Watch) -> Iterator[tuple[Any, Any]]:
    if not _is_state_module(value.__module__):
        return
    for cls in value.__mro__:
        if _is_state_module(cls.__module__):
            space = Attribute(cls, "__dict__")
            yield Site("length", space, len(cls.__dict__)), None  # another name may hide one of a base
            for name in sorted(cls.__dict__.keys() & watch.names):
                item = cls.__dict__[name]
                if name.startswith("__") and name != "__call__" and not callable(item):
                    continue
                if isinstance(item, (types.MemberDescriptorType, types.GetSetDescriptorType)):
                    continue
                plain = getattr(cls, name, None) is item
                yield Attribute(cls, name) if plain else Part(space, name), item


def _of_instance(value: Any, watch: Watch) -> Iterator[tuple[Any, Any]]:
    kind = type(value)
    if isinstance(value, dict):
        yield Site("length", Given(value), len(value)), None
        live = set(getattr(value, "live", ())) - watch.texts  # what a step reads from arrays, which are lifted
        for key in list(value):
            place = Item(value, key)
            yield (Truth(place), truth(value[key])) if key in live else (place, value[key])
            if not is_atom(key):
                yield Given(key), key
    elif isinstance(value, (list, deque)):
        yield Site("length", Given(value), len(value)), None
        for i, item in enumerate(value):
            yield Item(value, i), item
    elif isinstance(value, (set, frozenset, bytearray)):
        place: Place = Contents(value)
        yield Site("value", place, place.get()), None
        for item in value if not isinstance(value, bytearray) else ():
            if not is_atom(item):
                yield Given(item), item
    every = watch.dynamic or any(is_ours(_file(c.__module__)) for c in kind.__mro__)
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        # An attribute that is new may hide one of the class. Of a user's own object the order counts too.
        if _is_state_module(kind.__module__):
            yield Site("value", Keys(Given(attributes)), tuple(attributes)), None
        else:
            yield Site("length", Given(attributes), len(attributes)), None
        for name, item in list(attributes.items()):
            if name in watch.names or watch.dynamic or (every and not isinstance(item, ATOMS)):
                yield Entry(attributes, name, value), item
    for cls in kind.__mro__:
        for name in _slots(cls):
            if every or name in watch.names:
                if hasattr(value, name):
                    yield Attribute(value, name), getattr(value, name)
                else:
                    yield Has(value, name), False
    if kind.__module__ != "builtins":
        yield Given(kind), kind


def _slots(cls: type) -> Iterator[str]:
    slots = cls.__dict__.get("__slots__", ())
    for name in (slots,) if isinstance(slots, str) else slots:
        if not name.startswith("__"):
            yield name


# -- by path ----------------------------------------------------------------------------------------


def arguments(place: Place, value: Any, refuse: bool = True) -> Iterator[Site]:
    """Yield the sites of what a step is called with: read by their path, as each call brings others.

    Raises:
        CompileError: a Tensor that leads to a graph outside of the step, where ``refuse``.
    """
    if type(value) is list or _is_tuple(value):
        if place.kind != "root":
            yield Site("type", place, type(value))
        yield Site("length", place, len(value))
        for i, item in enumerate(value):
            yield from arguments(Part(place, i), item, refuse)
    elif type(value) is dict:
        if place.kind != "root":
            yield Site("type", place, dict)
        yield Site("value", Keys(place), tuple(value))
        for key, item in value.items():
            yield from arguments(Part(place, key), item, refuse)
    elif isinstance(value, Tensor):
        if refuse and isinstance(value.node, Node) and recording.get():
            raise CompileError(message(
                "compile", f"a Tensor that is a result of an operation as {place!r}: gradients would not go back "
                "through it", "a whole step, with backward() in it", "x.detach(), or to compile what made it too"
            ))  # fmt: skip
        yield Site("type", place, type(value))
        node = Field(place, "node")
        if isinstance(value.node, Node):
            yield Site("type", node, Node)
        else:
            yield Site("value" if value.node is None else "object", node, value.node)
            yield Site("value" if value.extras is None else "object", Field(place, "extras"), value.extras)
        for name in ("data", "grad"):
            yield from arguments(Field(place, name), getattr(value, name), refuse)
    elif type(value) is types.MethodType:
        yield Site("type", place, types.MethodType)
        for name in ("__self__", "__func__"):
            yield Site("object", Field(place, name), getattr(value, name))
    elif type(value) in (ndarray, Traced):
        yield Site("array", place, value)
    elif type(value) is np.random.Generator or getattr(type(value), "is_generator", False):
        yield Site("generator", place, value)
    elif isinstance(value, ATOMS):
        yield Site("value", place, value)
    else:
        yield Site("object", place, value)
