"""What to call things: names that were given, then their own labels, then the caller's variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import CO_OPTIMIZED
from types import FrameType
from typing import Any

import numpy as np

from ..node import Node, strip
from ..tensor import Tensor
from .trace import is_module, is_value

__all__ = ["Names", "variables_of"]

FEW = 100  # members of a list or dictionary that are looked at


def variables_of(frame: FrameType) -> list[Mapping[str, Any]]:
    """Return the variables that a frame sees: its own, then those of its module."""
    shown = frame.f_locals
    if shown is frame.f_globals:
        return [shown]
    own = dict(shown)
    if type(shown) is dict and frame.f_code.co_flags & CO_OPTIMIZED:
        shown.clear()  # before Python 3.13 a function's frame keeps this copy, and so what is in it
    return [own, frame.f_globals]


class Names:
    """Names by ``id``, of Tensors and nodes, arrays, Values, modules and their parameters.

    Args:
        tensors: takes, by the ``id`` of a node, the Tensor that was met for it.
    """

    def __init__(self, tensors: dict[int, Tensor]) -> None:
        self.tensors = tensors
        self.modules: dict[int, str] = {}
        self.owned: set[int] = set()  # ids that modules gave names to
        self._given: dict[int, str] = {}
        self._found: dict[int, str] = {}
        self._taken: dict[str, int] = {}  # two things are not called the same
        self._models: list[tuple[str, Any]] = []

    def of(self, label: str | None, *things: Any) -> str:
        """Return the name of what is stored as any of ``things`` and has this label; else ""."""
        ids = [id(x) for x in things]
        given = [name for i in ids if (name := self._given.get(i))]
        found = [name for i in ids if (name := self._found.get(i))]
        return (given or [label or ""])[0] or (found or [""])[0]

    def give(self, names: Mapping[str, Any]) -> None:
        """Take the names that the caller states."""
        for name, x in names.items():
            self._enter(str(name), x, self._given)

    def find(self, variables: Mapping[str, Any]) -> None:
        """Look through variables; those that begin with ``_`` (IPython's results too) do not count."""
        mine = [(name, x) for name, x in list(variables.items())
                if not name.startswith("_") and name != "self"]  # fmt: skip
        for name, x in mine:
            self._enter(name, x, self._found)
        for name, x in mine:
            if isinstance(x, (list, tuple)) and len(x) <= FEW:
                for i, y in enumerate(x):
                    self._enter(f"{name}[{i}]", y, self._found)
            elif isinstance(x, dict) and len(x) <= FEW:
                for key, y in x.items():
                    self._enter(f"{name}[{key!r}]", y, self._found)

    def find_module(self, module: Any) -> None:
        """Let a module that nobody has named give names to what it holds."""
        if all(module is not m for _, m in self._models):
            self._models.append(("", module))

    def _enter(self, name: str, x: Any, into: dict[int, str]) -> None:
        if isinstance(x, Tensor):
            place: Any = x
            array = strip(x)
            if isinstance(x.node, Node):
                place = x.node
                self.tensors.setdefault(id(place), x)
            if self._taken.setdefault(name, id(place)) == id(place):
                into.setdefault(id(place), name)
                if place is x:  # a constant is known by its array
                    into.setdefault(id(array), name)
        elif isinstance(x, np.ndarray) or is_value(x):
            if self._taken.setdefault(name, id(x)) == id(x):
                into.setdefault(id(x), name)
        elif is_module(x):
            self._models.append((name, x))

    def settle(self, present: Collection[int]) -> None:
        """Name what modules hold, once it is known which of it is in the graph.

        Where there is one model, its name is left out: ``0.weight``, and not ``model.0.weight``.
        """
        first = {id(m): (name, m) for name, m in reversed(self._models)}  # two variables, one module
        parts = {id(p) for _, m in first.values() for p in m.modules() if p is not m}
        whole = [(name, m, _held(m)) for key, (name, m) in reversed(first.items()) if key not in parts]
        used = [entry for entry in whole if any(id(x) in present for _, x in entry[2])]
        for name, module in reversed(list(first.values())):
            self.modules.setdefault(id(module), name)
        for name, module, held in used:
            prefix = f"{name or type(module).__name__}." if len(used) > 1 else ""
            for path, part in module.named_modules():
                if path:
                    self.modules[id(part)] = prefix + path
            for path, x in held:
                self._found[id(x)] = prefix + path
                self.owned.add(id(x))


def _held(module: Any) -> list[tuple[str, Any]]:
    """Return a module's parameters and buffers, with their names."""
    buffers = module.named_buffers() if hasattr(module, "named_buffers") else ()
    return [*module.named_parameters(), *buffers]
