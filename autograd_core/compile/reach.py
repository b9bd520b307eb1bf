"""What Python state a step reads: arrays, which are lifted, and everything else, which is guarded.

From the globals that a step's code names (:mod:`watch`), the closures of its functions and its arguments,
:func:`walk` reaches objects, containers and arrays, and says at which :class:`~.place.Place` each stands.
"""

from __future__ import annotations

import operator
import random
import types
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import CompileError, message
from ..node import LEAF, Node, recording
from ..tensor import Tensor
from .capture import is_ours
from .place import Attribute, Cell, Entry, Field, Given, Item, Part, Place, Switch
from .readonly import Contents, Has, Keys, Truth, truth
from .traced import Traced
from .watch import Watch, is_state, is_state_module, module_file

__all__ = ["ATOMS", "Opaque", "Place", "Site", "arguments", "equal", "is_atom", "progress", "walk"]

ATOMS = (
    bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype, range, slice, type(...),
    type(NotImplemented),
)  # fmt: skip
MOVING = ("builtins", "itertools", "_io", "_csv")  # modules whose iterators move on when they are asked


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
    """Tell whether two values of Python state are the same to a step.

    >>> equal(1, 1), equal(1, 1.0), equal(1, True), equal(0.0, -0.0)
    (True, False, False, False)
    """
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
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return isinstance(a, ATOMS) and bool(a == b)


def _exact(x: Any) -> Any:
    return repr(x) if is_atom(x) else id(x)


def _is_tuple(x: Any) -> bool:
    return type(x) is tuple or (isinstance(x, tuple) and hasattr(x, "_make"))


def is_atom(x: Any) -> bool:
    """Tell whether a value never changes, and holds nothing that does."""
    if isinstance(x, ATOMS):
        return type(x) is not Traced  # it says that it is one of NumPy's numbers where it stands for one
    return (_is_tuple(x) or type(x) is frozenset) and all(map(is_atom, x))


def progress(x: Any) -> Any:
    """Return what tells how far something has come that moves on when it is asked; None for anything else."""
    if isinstance(x, random.Random) and not isinstance(x, random.SystemRandom):
        return x.getstate()
    if isinstance(x, (np.random.RandomState, np.random.BitGenerator)):
        return repr(x.get_state(legacy=False) if isinstance(x, np.random.RandomState) else x.state)
    if isinstance(x, types.GeneratorType) or (hasattr(type(x), "__next__") and type(x).__module__ in MOVING):
        left = operator.length_hint(x, -1)
        known = left >= 0 or type(x).__name__ == "count"
        return (repr(x), left) if known else object()  # unknown: never the same
    return None


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
        elif (kind in (list, dict) or isinstance(value, Tensor)) and place.id in watch.moving:
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
        names = [name for name in value.__reduce__()[1] if type(name) is str]
        watch.names.update(part for name in names for part in name.split("."))
    elif isinstance(value, weakref.ref):
        if (target := value()) is not None:
            yield Given(target), target
    elif isinstance(value, ContextVar):
        place = Switch(value)
        yield place, place.get()
    elif isinstance(value, types.ModuleType):
        if is_state(getattr(value, "__file__", None) or "<frozen"):
            for name in sorted(watch.names & value.__dict__.keys()):
                yield Item(value.__dict__, name), value.__dict__[name]
    elif isinstance(value, type):
        yield from _of_class(value, watch)
    else:
        yield from _of_instance(value, watch)


def _of_function(value: Any) -> Iterator[tuple[Any, Any]]:
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        with suppress(ValueError):  # empty
            yield Cell(cell, name), cell.cell_contents
    if is_state(value.__code__.co_filename):
        yield Attribute(value, "__code__"), value.__code__
    for name in ("__defaults__", "__kwdefaults__"):
        if getattr(value, name):
            yield Attribute(value, name), getattr(value, name)
    if value.__dict__:
        yield Given(value.__dict__), value.__dict__


def _of_class(value: type, watch: Watch) -> Iterator[tuple[Any, Any]]:
    if not is_state_module(value.__module__):
        return
    for cls in value.__mro__:
        if is_state_module(cls.__module__):
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
        live = set(getattr(value, "live", ())) - watch.texts  # of these a step has arrays, which are lifted
        for key in list(value):
            item = Item(value, key)
            yield (Truth(item), truth(value[key])) if key in live else (item, value[key])
            if not is_atom(key):
                yield Given(key), key
    elif isinstance(value, (list, deque)):
        yield Site("length", Given(value), len(value)), None
        for i, x in enumerate(value):
            yield Item(value, i), x
    elif isinstance(value, (set, frozenset, bytearray)):
        place = Contents(value)
        yield Site("value", place, place.get()), None
        for x in value if not isinstance(value, bytearray) else ():
            if not is_atom(x):
                yield Given(x), x
    every = watch.dynamic or any(is_ours(module_file(c.__module__)) for c in kind.__mro__)
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        # An attribute that is new may hide one of the class. Of a user's own object the order counts too.
        if is_state_module(kind.__module__):
            yield Site("value", Keys(Given(attributes)), tuple(attributes)), None
        else:
            yield Site("length", Given(attributes), len(attributes)), None
        for name, x in list(attributes.items()):
            if name in watch.names or watch.dynamic or (every and not isinstance(x, ATOMS)):
                yield Entry(attributes, name, value), x
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
                "compile", f"a Tensor that is a result of an operation as {place!r}: gradients would not go "
                "back through it", "a whole step, with backward() in it",
                "x.detach(), or to compile what made it too"))  # fmt: skip
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
