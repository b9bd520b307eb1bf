"""Where a value stands: a way to read it, to put another one there, and to write both down as Python.

A *concrete* place names the object that holds the value (an item, an attribute, a cell). A place by path
starts from another place, so that it finds what stands there now, whichever objects lead to it: arguments,
parts of tuples, and what a step itself makes anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from ..node import recording
from ..tensor import Tensor

__all__ = [
    "LOOKUP", "Attribute", "Cell", "Entry", "Field", "Given", "Item", "Name", "Part", "Place", "Root",
    "Switch",
]  # fmt: skip

LOOKUP = (LookupError, AttributeError, ValueError, TypeError)  # what reading a place may raise
Name = Callable[[Any], str]  # gives an object a name in the text


class Place:
    """The base of all of them."""

    __slots__ = ("holder", "key")
    kind = ""

    def __init__(self, holder: Any, key: Any = None) -> None:
        self.holder, self.key = holder, key

    def get(self) -> Any:
        """Return what stands here."""
        raise NotImplementedError

    def set(self, value: Any) -> None:
        """Put a value here."""
        raise TypeError(f"{self!r} is read only")

    def text(self, name: Name) -> str:
        """Return an expression that reads it."""
        raise NotImplementedError

    def owner(self) -> Any:
        """Return the object that holds the value."""
        return self.holder

    def concrete(self) -> Place:
        """Return the place by the object that holds the value now."""
        return self

    @property
    def id(self) -> Any:
        """What two places of the same value have in common."""
        holder = self.holder.id if isinstance(self.holder, Place) else id(self.holder)
        return self.kind, holder, self.key if isinstance(self.key, (str, int)) else id(self.key)

    @property
    def above(self) -> Place | None:
        """The place that this one starts from."""
        return self.holder if isinstance(self.holder, Place) else None


class Given(Place):
    """Something that is reached, and that nothing can replace."""

    kind = "given"

    def get(self) -> Any:
        return self.holder

    def text(self, name: Name) -> str:
        return name(self.holder)

    def __repr__(self) -> str:
        return f"a {type(self.holder).__name__}"


class Item(Place):
    """An item of a dictionary or a list. Attributes and globals are items too: the fastest way to them."""

    kind = "item"

    def get(self) -> Any:
        return self.holder[self.key]

    def set(self, value: Any) -> None:
        kind = next((k for k in (dict, list, deque) if isinstance(self.holder, k)), type(self.holder))
        kind.__setitem__(self.holder, self.key, value)  # that of a subclass may do more

    def text(self, name: Name) -> str:
        return f"{name(self.holder)}[{_key(self.key, name)}]"

    def __repr__(self) -> str:
        if isinstance(self.holder, dict) and "__builtins__" in self.holder:
            return f"the global {self.key}"
        key = repr(self.key) if isinstance(self.key, (str, int)) else f"a {type(self.key).__name__}"
        return f"[{key}] of a {type(self.holder).__name__}"


class Entry(Item):
    """An attribute that stands in the dictionary of its object."""

    __slots__ = ("who",)

    def __init__(self, holder: Any, key: str, who: Any) -> None:
        super().__init__(holder, key)
        self.who = type(who).__name__

    def __repr__(self) -> str:
        return f"{self.who}.{self.key}"


class Attribute(Place):
    """An attribute of an object or a class."""

    kind = "attribute"

    def get(self) -> Any:
        return getattr(self.holder, self.key)

    def set(self, value: Any) -> None:
        if isinstance(self.holder, partial):
            part: Any = self.holder
            state = {name: getattr(part, name) for name in ("func", "args", "keywords")} | {self.key: value}
            part.__setstate__((*state.values(), part.__dict__))
        else:
            (setattr if isinstance(self.holder, type) else object.__setattr__)(self.holder, self.key, value)

    def text(self, name: Name) -> str:
        return f"{name(self.holder)}.{self.key}"

    def __repr__(self) -> str:
        who = getattr(self.holder, "__name__", "") or type(self.holder).__name__
        name = getattr(self.holder, "name", None) if isinstance(self.holder, Tensor) else None
        return f"{who}.{self.key}" + (f" of {name!r}" if name else "")


class Cell(Place):
    """A variable that a function closes over; ``key`` is its name."""

    kind = "cell"

    def get(self) -> Any:
        return self.holder.cell_contents

    def set(self, value: Any) -> None:
        self.holder.cell_contents = value

    def text(self, name: Name) -> str:
        return f"{name(self.holder)}.cell_contents"

    def __repr__(self) -> str:
        return f"the variable {self.key}" if self.key else "a variable that the function closes over"


class Switch(Place):
    """A context variable."""

    kind = "switch"

    def get(self) -> Any:
        return value_of(self.holder)

    def set(self, value: Any) -> None:
        self.holder.set(value)

    def text(self, name: Name) -> str:
        if self.holder is recording:  # it always has a value
            return f"{name(recording.get)}()"
        return f"{name(value_of)}({name(self.holder)})"

    def __repr__(self) -> str:
        return f"the context variable {self.holder.name}"


# -- by path ---------------------------------------------------------------------------------------


class Root(Place):
    """The arguments of a step, positional or by keyword."""

    kind = "root"

    def get(self) -> Any:
        return self.holder[self.key]

    def set(self, value: Any) -> None:
        self.holder[self.key] = value

    def text(self, name: Name) -> str:
        return str(self.key)

    @property
    def id(self) -> Any:
        return "root", 0, self.key

    def __repr__(self) -> str:
        return str(self.key)


class Part(Place):
    """An item of what stands at another place."""

    kind = "part"

    def get(self) -> Any:
        return self.holder.get()[self.key]

    def set(self, value: Any) -> None:
        whole = self.holder.get()
        if isinstance(whole, tuple):
            parts = [value if i == self.key else item for i, item in enumerate(whole)]
            self.holder.set(whole._make(parts) if hasattr(whole, "_make") else type(whole)(parts))
        else:
            whole[self.key] = value

    def text(self, name: Name) -> str:
        return f"{self.holder.text(name)}[{_key(self.key, name)}]"

    def owner(self) -> Any:
        return self.holder.get()

    def concrete(self) -> Place:
        whole = self.holder.get()
        return self if isinstance(whole, tuple) else Item(whole, self.key)

    def __repr__(self) -> str:
        key = repr(self.key) if isinstance(self.key, (str, int)) else type(self.key).__name__
        return f"{self.holder!r}[{key}]"


class Field(Place):
    """An attribute of what stands at another place."""

    kind = "field"

    def get(self) -> Any:
        return getattr(self.holder.get(), self.key)

    def set(self, value: Any) -> None:
        object.__setattr__(self.holder.get(), self.key, value)

    def text(self, name: Name) -> str:
        return f"{self.holder.text(name)}.{self.key}"

    def owner(self) -> Any:
        return self.holder.get()

    def concrete(self) -> Place:
        return Attribute(self.holder.get(), self.key)

    def __repr__(self) -> str:
        return f"{self.holder!r}.{self.key}"


def value_of(variable: ContextVar[Any]) -> Any:
    try:
        return variable.get()
    except LookupError:
        return None


def _key(key: Any, name: Name) -> str:
    return repr(key) if type(key) in (str, int) else name(key)
