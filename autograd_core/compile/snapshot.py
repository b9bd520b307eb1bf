"""Everything that a step can reach, saved and put back: arrays, containers, attributes, generators.

A step that was not captured yet runs for the first time as it is, so nobody knows what it will write to.
Before that, all that can be reached from it is walked through, whatever its code reads or not: what its
functions close over, the globals that they name, the attributes of the objects there. Afterwards the same
walk with what the code was seen to read must find nothing but what was saved, or it is an error.
"""

from __future__ import annotations

import random as stdlib_random
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy import ndarray

from ..errors import CompileError, message
from ..tensor import Tensor
from .capture import file_of
from .place import LOOKUP
from .reach import Opaque, Site
from .trial import Trial
from .watch import Watch, is_state

__all__ = ["Snapshot"]

CONTAINERS: tuple[Any, ...] = (dict, list, deque, set)


class Snapshot:
    """What a step can reach, as it is now."""

    def __init__(self, fun: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.fun, self.args, self.kwargs = fun, args, kwargs
        self.watch = Watch()
        self.read: set[CodeType] = set()
        self.watch.dynamic = True  # every attribute
        self._read(fun)
        while True:  # methods of what is reached name globals, which reach more
            known = len(self.read)
            sites = self._sites(self.watch)
            for kind in {type(site.value) for site in sites if site.kind == "object"}:
                for cls in kind.__mro__:
                    for item in list(vars(cls).values()):
                        self._read(getattr(item, "fget", None) or getattr(item, "__func__", item))
            for site in sites:
                self._read(site.value)
            if len(self.read) == known:
                break
        self.arrays = [(x, x.copy()) for x in _once(s.value for s in sites if type(s.value) is ndarray)]
        self.ids = {id(x) for x, _ in self.arrays}
        generators = _once(s.value for s in sites if s.kind == "generator")
        self.generators = [(g, g.bit_generator.state) for g in generators]
        self.places = [(s.place, s.value) for s in sites if s.place.kind in ("attribute", "cell", "item")]
        objects = [s.value for s in sites if s.kind == "object"]
        holders = [
            *(s.place.holder for s in sites if s.place.kind in ("item", "set")),
            *objects,
            *(vars(x) for x in objects if hasattr(x, "__dict__") and not isinstance(x, (type, ModuleType))),
        ]
        self.containers = [(h, kind, _items(h, kind)) for h in _once(holders) for kind in CONTAINERS
                           if isinstance(h, kind) and not (kind is dict and "__builtins__" in h)]  # fmt: skip
        held = [s.place.owner() for s in sites if s.place.kind in ("attribute", "field")]
        tensors = _once(x for x in (*held, *(s.value for s in sites)) if isinstance(x, Tensor))
        self.tensors = [(t, t.data, t.grad, t.node, t.version, t.extras) for t in tensors]
        self.states = stdlib_random.getstate(), np.random.get_state()  # noqa: NPY002

    def _read(self, fun: Any) -> None:
        """Note the code of a function, and of the functions that it names or defines."""
        stack = [fun]
        while stack:
            f = stack.pop()
            if isinstance(f, Opaque):
                f = f.fun
            while isinstance(f, (MethodType, partial)):
                f = f.__func__ if isinstance(f, MethodType) else f.func
            if not isinstance(f, FunctionType):
                continue
            codes = [f.__code__]
            while codes:
                code = codes.pop()
                if code in self.read:
                    continue
                self.read.add(code)
                frame = SimpleNamespace(f_code=code, f_globals=f.__globals__, f_back=None)
                self.watch.note(frame)  # as if it ran
                codes += [c for c in code.co_consts if isinstance(c, CodeType)]
                if is_state(file_of(frame)):
                    stack += [f.__globals__[name] for name in code.co_names if name in f.__globals__]

    def _sites(self, watch: Watch) -> list[Site]:
        return Trial(self.fun, self.args, self.kwargs, watch).reach()

    def put_back(self) -> None:
        """Let everything be what it was."""
        for array, copy in self.arrays:
            if array.flags.writeable:
                np.copyto(array, copy)
        for holder, kind, items in self.containers:
            if not _same_items(_items(holder, kind), items):
                kind.clear(holder)
                (kind.update if kind in (dict, set) else kind.extend)(holder, items)
        for place, value in self.places:
            try:
                now = place.get()
            except LOOKUP:
                now = None
            if now is not value:
                with suppress(AttributeError, TypeError):  # read only, for the step too
                    place.set(value)
        for t, *state in self.tensors:
            t.data, t.grad, t.node, t.version, t.extras = state
        for generator, state in self.generators:
            generator.bit_generator.state = state
        stdlib_random.setstate(self.states[0])
        np.random.set_state(self.states[1])  # noqa: NPY002

    def check(self, watch: Watch | None) -> None:
        """Make sure that all arrays that the code was seen to read were saved.

        Raises:
            CompileError: one was not, and may have been changed.
        """
        for site in self._sites(watch) if watch is not None else ():
            if type(site.value) is ndarray and id(site.value) not in self.ids:
                raise CompileError(
                    message(
                        "profile",
                        f"an array that was not found before the step ran: {site.place!r}; "
                        "it may have been changed",
                        "what the function, its closure and its globals reach",
                        "to compile the step, and call it until it is replayed",
                    )
                )


def _once(values: Iterable[Any]) -> list[Any]:
    return list({id(x): x for x in values}.values())


def _items(x: Any, kind: Any) -> list[Any]:
    """Return what a container holds: pairs of a dictionary, whatever class made of it."""
    return list(kind.items(x) if kind is dict else kind.__iter__(x))


def _same_items(a: list[Any], b: list[Any]) -> bool:
    flat = [[part for item in x for part in (item if type(item) is tuple else (item,))] for x in (a, b)]
    return len(flat[0]) == len(flat[1]) and all(x is y for x, y in zip(*flat, strict=True))
