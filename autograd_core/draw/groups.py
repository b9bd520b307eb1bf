"""The boxes of a picture: one for each call of a module, within the box of the call around it."""

from __future__ import annotations

from typing import Any

from .describe import kind_of
from .model import Group, Picture
from .names import Names
from .trace import Call

__all__ = ["Boxes"]


class Boxes:
    """Make the groups of a picture as their first operations come along."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._keys: dict[Call, str] = {}
        self._parents: dict[str, str] = {"": ""}
        self._paths: dict[int, dict[int, str]] = {}  # of an outermost module: the names of its parts

    def of(self, call: Call, names: Names) -> str:
        """Return the key of a call's box."""
        missing = []
        outer: Call | None = call
        while outer is not None and outer not in self._keys:
            missing.append(outer)
            outer = outer.parent
        for c in reversed(missing):
            key = self._keys[c] = f"m{len(self._keys)}"
            parent = self._keys[c.parent] if c.parent is not None else ""
            self._parents[key] = parent
            count = sum(p.size for p in c.module.parameters())
            self.picture.groups.append(Group(key, self._name(c, names), kind_of(c.module), parent,
                                             parameters=count))  # fmt: skip
        return self._keys[call]

    def _name(self, call: Call, names: Names) -> str:
        """Return a module's name: its place in the outermost one, as that names it."""
        module: Any = call.module
        if call.parent is None:
            return names.modules.get(id(module)) or type(module).__name__
        top = call.parent
        while top.parent is not None:
            top = top.parent
        if id(top.module) not in self._paths:
            self._paths[id(top.module)] = {id(m): path for path, m in top.module.named_modules()}
        path = self._paths[id(top.module)].get(id(module))
        return path or names.modules.get(id(module)) or type(module).__name__

    def around(self, a: str, b: str) -> str:
        """Return the innermost box that both lie in."""
        outer = {a}
        while a:
            a = self._parents[a]
            outer.add(a)
        while b not in outer:
            b = self._parents[b]
        return b
