"""What Python state a step reads: arrays, which are lifted, and everything else, which is guarded.

A replay runs no Python of the step, so whatever its Python reads must be known to be what it was. While a step
runs, :class:`Watch` notes which code runs, hence which globals and attributes are read by name. From these, the
closures of the functions, and the arguments, :func:`walk` reaches objects, containers and arrays, and says
at which :class:`Place` each stands.
"""

from __future__ import annotations

import os
import sys
import types
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from numpy import ndarray

from ..node import LEAF, Node
from ..tensor import Tensor
from .capture import OURS, file_of, is_ours
from .traced import Traced

__all__ = ["ATOMS", "Opaque", "Place", "Site", "Watch", "arguments", "equal", "walk"]

BESIDE = Path(np.__file__).parents[1]
NO_STATE = (*OURS, *[f"{BESIDE / name}/" for name in ("numpy", "scipy", "numba", "llvmlite")])  # code that keeps none
STANDARD = str(Path(os.__file__).parent) + "/"
ATOMS = (
    bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype, range, type(...), type(NotImplemented),
    frozenset, slice,
)  # fmt: skip
DYNAMIC = {"getattr", "vars", "__dict__", "attrgetter", "globals", "locals", "eval", "exec", "__getattribute__"}


def _is_state(file: str) -> bool:
    """Tell whether code of this file may read globals that change from step to step."""
    if file.startswith((*NO_STATE, "<frozen")):
        return False
    return not file.startswith(STANDARD) or "site-packages" in file or "dist-packages" in file


def _is_state_module(name: str) -> bool:
    if name in sys.builtin_module_names:
        return False
    return _is_state(getattr(sys.modules.get(name), "__file__", None) or "")  # none: typed in by a user


class Watch:
    """Note which code runs within a ``with`` block, in this thread."""

    def __init__(self) -> None:
        self.codes: dict[CodeType, dict[str, Any] | None] = {}  # with its globals, where they are state
        self.names: set[str] = set()
        self.dynamic = False  # attributes are read by names that are made at run time

    def __enter__(self) -> Watch:
        self._before = sys.getprofile()
        sys.setprofile(self._saw)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(self._before)

    def _saw(self, frame: Any, event: str, arg: Any) -> None:
        if event == "call" and (code := frame.f_code) not in self.codes:
            state = _is_state(file_of(frame))
            self.codes[code] = frame.f_globals if state else None
            self.names.update(code.co_names)
            self.names.update(c for c in code.co_consts if type(c) is str)
            if state and not DYNAMIC.isdisjoint(code.co_names):
                self.dynamic = True
        if self._before is not None:
            self._before(frame, event, arg)

    def roots(self) -> Iterator[tuple[Place, Any]]:
        """Yield the globals that the code reads, each with its place."""
        seen = set()
        for code, space in self.codes.items():
            if space is not None:
                for name in code.co_names:
                    if name in space and (id(space), name) not in seen:
                        seen.add((id(space), name))
                        yield Place("item", space, name), space[name]


def truth(x: Any) -> bool:
    return any(x) if type(x) in (tuple, list) else bool(x)


class Place:
    """Where a value stands: an item of a container, an attribute, a closure's cell."""

    __slots__ = ("holder", "key", "kind")

    def __init__(self, kind: str, holder: Any, key: Any = None) -> None:
        self.kind, self.holder, self.key = kind, holder, key

    def get(self) -> Any:
        if self.kind == "item":
            return self.holder[self.key]
        if self.kind == "attribute":
            return getattr(self.holder, self.key)
        if self.kind == "cell":
            return self.holder.cell_contents
        if self.kind == "part":
            return self.holder.get()[self.key]
        if self.kind == "field":
            return getattr(self.holder.get(), self.key)
        if self.kind == "set":
            return frozenset(self.holder)
        if self.kind == "root":
            return self.holder[self.key]
        if self.kind == "keys":
            return tuple(self.holder.get())
        if self.kind == "truth":
            return truth(self.holder.get())
        return self.holder

    def owner(self) -> Any:
        """Return the object that holds the value."""
        return self.holder.get() if self.kind in ("field", "part") else self.holder

    def set(self, value: Any) -> None:
        holder, key = self.holder, self.key
        if self.kind == "item":
            kind = dict if isinstance(holder, dict) else list if isinstance(holder, list) else type(holder)
            kind.__setitem__(holder, key, value)
        elif self.kind == "attribute":
            (setattr if isinstance(holder, type) else object.__setattr__)(holder, key, value)
        elif self.kind == "field":
            object.__setattr__(holder.get(), key, value)
        elif self.kind == "cell":
            holder.cell_contents = value
        elif self.kind == "root":
            holder[key] = value
        elif self.kind == "part":
            whole = holder.get()
            if isinstance(whole, (dict, list)):
                whole[key] = value
                return
            parts = [value if i == key else item for i, item in enumerate(whole)]
            holder.set(whole._make(parts) if hasattr(whole, "_make") else type(whole)(parts))
        else:
            raise TypeError("a value that stands nowhere")

    def text(self, name: Any) -> str:
        """Return an expression that reads it; ``name(x)`` gives an object a name."""
        if self.kind == "item":
            key = repr(self.key) if type(self.key) in (str, int) else name(self.key)
            return f"{name(self.holder)}[{key}]"
        if self.kind == "attribute":
            return f"{name(self.holder)}.{self.key}"
        if self.kind == "cell":
            return f"{name(self.holder)}.cell_contents"
        if self.kind == "part":
            return f"{self.holder.text(name)}[{self.key!r}]"
        if self.kind == "field":
            return f"{self.holder.text(name)}.{self.key}"
        if self.kind == "set":
            return f"frozenset({name(self.holder)})"
        if self.kind == "root":
            return str(self.key)
        if self.kind == "keys":
            return f"tuple({self.holder.text(name)})"
        if self.kind == "truth":
            return f"{name(truth)}({self.holder.text(name)})"
        return str(name(self.holder))

    def __repr__(self) -> str:
        if self.kind == "part":
            return f"{self.holder!r}[{self.key!r}]"
        if self.kind == "field":
            return f"{self.holder!r}.{self.key}"
        if self.kind == "set":
            return "a set"
        if self.kind == "root":
            return str(self.key)
        if self.kind == "item":
            space = isinstance(self.holder, dict) and "__name__" in self.holder and "__builtins__" in self.holder
            return f"the global {self.key}" if space else f"[{self.key!r}] of a {type(self.holder).__name__}"
        if self.kind == "attribute":
            who = self.holder.__name__ if isinstance(self.holder, type) else type(self.holder).__name__
            name = getattr(self.holder, "name", None) if isinstance(self.holder, Tensor) else None
            return f"{who}.{self.key}" + (f" of {name!r}" if name else "")
        if self.kind == "cell":
            return "a variable that the function closes over"
        return "an argument"


class Site:
    """A place, what stood there, and what that says of the next step.

    kind: ``array`` (lifted), ``generator`` (lifted), ``value`` (guarded by equality), ``object`` (guarded by
    identity), ``length`` (of a container, guarded by equality).
    """

    __slots__ = ("kind", "place", "value")

    def __init__(self, kind: str, place: Place, value: Any) -> None:
        self.kind, self.place, self.value = kind, place, value

    def __repr__(self) -> str:
        return f"{self.kind} at {self.place!r}"


def equal(a: Any, b: Any) -> bool:
    """Tell whether two values of Python state are the same to a step that reads them."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) in (tuple, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, ATOMS):
        return bool(a == b) or (a != a and b != b)
    return False


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
        elif kind is tuple or (isinstance(value, tuple) and hasattr(value, "_make")):
            if all(isinstance(item, ATOMS) for item in value):
                yield Site("value", place, value)
            else:
                yield Site("length", place, len(value))
                stack.extend([(Place("part", place, i), item) for i, item in enumerate(value)][::-1])
        elif isinstance(value, ATOMS):
            yield Site("value", place, value)
        else:
            if place.kind != "given":
                yield Site("object", place, value)
            if id(value) in seen:
                continue
            seen[id(value)] = value
            children = list(_children(value, watch))
            for child, item in children[::-1]:
                if child.kind == "length":
                    yield Site("length", Place("given", value), item)
                else:
                    stack.append((child, item))


LENGTH = Place("length", None)


class Opaque:
    """A base of functions whose own state is no state of a step that calls them."""

    fun: Any


def _children(value: Any, watch: Watch) -> Iterator[tuple[Place, Any]]:
    """Yield what an object holds: its items, attributes or cells, and its class where that is a user's."""
    if isinstance(value, Opaque):
        yield Place("given", value.fun), value.fun
    elif isinstance(value, Tensor):
        for name in ("data", "grad"):
            yield Place("attribute", value, name), getattr(value, name)
        if not isinstance(value.node, Node):
            yield Place("attribute", value, "node"), value.node
            if value.extras and "hooks" in value.extras:
                yield Place("item", value.extras, "hooks"), value.extras["hooks"]
            else:
                yield Place("attribute", value, "extras"), value.extras
    elif value is LEAF or isinstance(value, (Node, types.CodeType, types.BuiltinFunctionType, np.ufunc)):
        return
    elif isinstance(value, types.FunctionType):
        for cell in value.__closure__ or ():
            try:
                yield Place("cell", cell), cell.cell_contents
            except ValueError:  # empty
                pass
        for name in ("__defaults__", "__kwdefaults__"):
            if getattr(value, name):
                yield Place("attribute", value, name), getattr(value, name)
        if value.__dict__:
            yield Place("given", value.__dict__), value.__dict__
    elif isinstance(value, types.MethodType):
        yield Place("given", value.__self__), value.__self__
        yield Place("given", value.__func__), value.__func__
    elif isinstance(value, partial):
        yield Place("given", value.func), value.func
        yield Place("given", value.args), value.args
        yield Place("given", value.keywords), value.keywords
    elif isinstance(value, (staticmethod, classmethod)):
        yield Place("given", value.__func__), value.__func__
    elif isinstance(value, property):
        for f in (value.fget, value.fset):
            if f is not None:
                yield Place("given", f), f
    elif isinstance(value, types.ModuleType):
        if _is_state(getattr(value, "__file__", None) or "<frozen"):
            for name in watch.names & value.__dict__.keys():
                yield Place("item", value.__dict__, name), value.__dict__[name]
    elif isinstance(value, type):
        if _is_state_module(value.__module__):
            for cls in value.__mro__:
                if _is_state_module(cls.__module__):
                    for name in cls.__dict__.keys() & watch.names:
                        if not name.startswith("__") or name == "__call__":
                            item = cls.__dict__[name]
                            if not isinstance(item, (types.MemberDescriptorType, types.GetSetDescriptorType)):
                                yield Place("given", item) if isinstance(
                                    item, (staticmethod, classmethod, property)
                                ) else Place("attribute", cls, name), item
    else:
        yield from _held(value, watch)


def _held(value: Any, watch: Watch) -> Iterator[tuple[Place, Any]]:
    kind = type(value)
    if isinstance(value, dict):
        yield LENGTH, len(value)
        live = getattr(value, "live", ())  # what a step reads from arrays, which are lifted
        for key in list(value):
            place = Place("item", value, key)
            yield (Place("truth", place), truth(value[key])) if key in live else (place, value[key])
    elif isinstance(value, (list, deque)):
        yield LENGTH, len(value)
        for i, item in enumerate(value):
            yield Place("item", value, i), item
    elif isinstance(value, set):
        yield Place("set", value), frozenset(value)
    attributes = getattr(value, "__dict__", None)
    every = watch.dynamic or any(is_ours(getattr(sys.modules.get(c.__module__), "__file__", None) or "")
                                 for c in kind.__mro__)  # fmt: skip
    if isinstance(attributes, dict):
        for name, item in list(attributes.items()):
            if name in watch.names or watch.dynamic or (every and not isinstance(item, ATOMS)):
                yield Place("item", attributes, name), item
    for cls in kind.__mro__:
        for name in _slots(cls):
            if (every or name in watch.names) and hasattr(value, name):
                yield Place("attribute", value, name), getattr(value, name)
    if kind.__module__ != "builtins":
        yield Place("given", kind), kind


def _slots(cls: type) -> Iterator[str]:
    slots = cls.__dict__.get("__slots__", ())
    for name in (slots,) if isinstance(slots, str) else slots:
        if not name.startswith("__"):
            yield name


def arguments(place: Place, value: Any) -> Iterator[Site]:
    """Yield the sites of what a step is called with: read by their path, as each call brings others."""
    if type(value) in (tuple, list) or (isinstance(value, tuple) and hasattr(value, "_make")):
        if place.kind != "root":
            yield Site("type", place, type(value))
        yield Site("length", place, len(value))
        for i, item in enumerate(value):
            yield from arguments(Place("part", place, i), item)
    elif type(value) is dict:
        if place.kind != "root":
            yield Site("type", place, dict)
        yield Site("value", Place("keys", place), tuple(value))
        for key, item in value.items():
            yield from arguments(Place("part", place, key), item)
    elif isinstance(value, Tensor) and not isinstance(value.node, Node):
        yield Site("type", place, type(value))
        yield Site("value" if value.node is None else "object", Place("field", place, "node"), value.node)
        for name in ("data", "grad"):
            yield from arguments(Place("field", place, name), getattr(value, name))
    elif type(value) in (ndarray, Traced):
        yield Site("array", place, value)
    elif isinstance(value, ATOMS):
        yield Site("value", place, value)
    else:
        yield Site("object", place, value)
