"""Which code a step runs, and hence which globals and attributes it reads by name.

A replay runs no Python of the step, so whatever its Python reads must be known to be what it was. While a
step runs, :class:`Watch` notes its code. Python of the library itself is taken as it is: what is put in the
place of its functions while a program runs is not seen.
"""

from __future__ import annotations

import dis
import gc
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from ..node import next_id
from .capture import OURS, file_of
from .place import Given, Item, Place
from .readonly import Absent

__all__ = ["Watch", "is_state", "is_state_module", "module_file"]

HERE = str(Path(__file__).parent) + "/"
BESIDE = Path(np.__file__).parents[1]
LIBRARIES = tuple(f"{BESIDE / name}/" for name in ("numpy", "scipy", "numba", "llvmlite"))
NO_STATE = (*OURS, *LIBRARIES, "<frozen")  # code whose globals are no state of a step
STANDARD = str(Path(os.__file__).parent) + "/"
# Names that are made at run time: where code has one of these, every attribute of what it reaches counts.
DYNAMIC = {
    "getattr", "setattr", "hasattr", "vars", "__dict__", "attrgetter", "globals", "locals", "eval", "exec",
    "__getattribute__",
}  # fmt: skip
ENVIRONMENT = {"environ", "getenv", "environb"}
SPACES = {"globals", "eval", "exec", "locals", "vars", "__dict__"}


def is_state(file: str) -> bool:
    """Tell whether code of this file may read globals that change from step to step."""
    if file.startswith(NO_STATE):
        return False
    return not file.startswith(STANDARD) or "site-packages" in file or "dist-packages" in file


def module_file(module: str) -> str:
    """Return the file of a module; none if a user typed it in."""
    return getattr(sys.modules.get(module), "__file__", None) or ""


def is_state_module(name: str) -> bool:
    """Tell whether what a module defines may change from step to step."""
    return name not in sys.builtin_module_names and is_state(module_file(name))


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
        self.codes: dict[Any, tuple[CodeType, dict[str, Any] | None]] = {}  # with globals, if they are state
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

    def _saw(self, frame: Any, event: Any, arg: Any) -> None:
        if self._apart is not None:
            if event == "return" and frame is self._apart:
                self._apart = None
        elif event == "call":
            file = frame.f_code.co_filename
            if file.startswith("<frozen importlib") or f"{os.sep}numba{os.sep}" in file:
                self._apart = frame  # what runs while a module is imported or a loop is compiled runs once
                return
            self.note(frame)
        if callable(self._before):  # cProfile's is not
            self._before(frame, event, arg)

    def note(self, frame: Any) -> None:
        """Note the code of a frame, and what it reads by name."""
        code = frame.f_code
        key = code, id(frame.f_globals)  # equal code stands in several modules; numba makes it in each call
        if key in self.codes:
            return
        file = file_of(frame)
        if file.startswith((HERE, *LIBRARIES)):
            return
        texts = [c for c in code.co_consts if type(c) is str]
        self.names.update(code.co_names, texts)
        if _is_for_the_library(frame, file):
            return  # and is not known yet: a user's code may call it too
        self.codes[key] = code, frame.f_globals if is_state(file) else None
        if not file.startswith(NO_STATE):
            self.texts.update(texts)
            self.dynamic |= not DYNAMIC.isdisjoint(code.co_names)

    def roots(self) -> Iterator[tuple[Place, Any]]:
        """Yield the globals that the code reads, each with its place."""
        spaces: dict[int, tuple[dict[str, Any], set[str]]] = {}
        for code, space in self.codes.values():
            if space is not None:
                read, imports = _reads(code)
                spaces.setdefault(id(space), (space, set()))[1].update(read)
                package = space.get("__package__") or ""
                for name in imports:
                    found = (sys.modules.get(path) for path in (name, f"{package}.{name}", package))
                    module = next(filter(None, found), None)
                    if module is not None:
                        yield Given(module), module
        users = [code for code, space in self.codes.values() if space is not None]
        if any(not ENVIRONMENT.isdisjoint(code.co_names) for code in users):
            yield Given(os.environ), vars(os.environ)["_data"]
        for space, names in spaces.values():
            for name in sorted(names & space.keys()):
                yield Item(space, name), space[name]
            if missing := frozenset(names - space.keys()):  # built-in names too: a global would hide them
                place = Absent(space, missing)
                yield place, place.get()
