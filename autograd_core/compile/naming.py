"""What the arrays of a plan are called: as people call them in the step that it was made of.

A parameter has the name that its model gives it (``0.weight``), an argument that of the function's
parameter, other arrays the end of the path on which the step reaches them (``lr``, ``parts[0].memory[1]``):
as much of it as no other array has. What the step leaves behind is called after the place
(``0.weight.grad``), and all other results after the number of their call (``%3``). Views are written as
what makes them (``0.weight.T``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from ..tensor import Tensor
from .capture import Call, Slot, slots_of
from .emit import OPERATORS
from .traced import Method, getitem, setitem

if TYPE_CHECKING:
    from .place import Place

__all__ = ["Naming", "brief", "title"]

FEW = 3  # elements of a constant that is written out
HIDDEN = (
    "_parameters",
    "_buffers",
    "_modules",
)  # of a module: containers whose items are known as its attributes


class Naming:
    """Names for the slots of a plan.

    Args:
        plan: the plan.
        fun: the function that it was made of, whose parameters name its arguments.
    """

    def __init__(self, plan: Any, fun: Any = None) -> None:
        self.parameters = _parameters(fun)
        self.paths: dict[int, tuple[str, ...]] = {}  # by the id of an object
        self.modules: set[int] = set()  # ids of the attributes of modules
        self.tensors = _named_by_models(site.value for site in plan.sites)
        self._find_paths(plan.sites, fun)
        self.slots: dict[int, str] = {}
        self.views: dict[int, Call] = {}
        self._name_leaves(plan)
        for place, tree in plan.effects:
            if type(tree) is Slot and tree.kind == "result":
                self.slots.setdefault(tree.number, "".join(self._path(place)).lstrip(".") or "kept")
        for call in plan.binding:
            self.views.update((slot.number, call) for slot in call.outs)

    # -- paths ------------------------------------------------------------------------------------

    def _find_paths(self, sites: Iterable[Any], fun: Any) -> None:
        for f in (fun, getattr(fun, "__func__", None)):
            self._closure(f)
        if owner := getattr(fun, "__self__", None):
            self._enter(owner, ("self",))
        for site in sites:
            value = site.value
            if site.kind == "object" and site.place.kind not in ("given", "root"):
                self._enter(value, self._path(site.place))

    def _closure(self, fun: Any) -> None:
        if isinstance(fun, FunctionType):
            for name, cell in zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=True):
                self.paths.setdefault(id(cell), (name,))

    def _enter(self, value: Any, path: tuple[str, ...]) -> None:
        if not path:
            return
        self.paths.setdefault(id(value), path)
        if isinstance(space := getattr(value, "__dict__", None), dict):
            self.paths.setdefault(id(space), (*path, "."))
            if hasattr(type(value), "named_modules"):
                self.modules.add(id(space))
        self._closure(value)

    def _path(self, place: Place) -> tuple[str, ...]:
        """Return the parts of an expression that reads a place, from the variable on if that is known."""
        kind, key = place.kind, place.key
        if kind == "cell":
            return self.paths.get(id(place.holder)) or ((key,) if key else ())
        if kind == "root":
            return (str(key),)
        if kind in ("part", "field"):
            if kind == "part" and place.holder.kind == "root":
                return (self.parameters(key) if place.holder.key == "args" else str(key),)
            before = self._path(place.holder)
            return self._behind(before, key, kind == "field", place)
        if isinstance(place.holder, Tensor) and id(place.holder) in self.tensors:
            return self._behind((self.tensors[id(place.holder)],), key, True, place)
        if kind == "item" and isinstance(place.holder, dict) and "__builtins__" in place.holder:
            return (str(key),)
        before = self.paths.get(id(place.holder), ())
        attribute = kind == "attribute" or before[-1:] == (".",)
        return self._behind(before[:-1] if before[-1:] == (".",) else before, key, attribute, place)

    def _behind(self, before: tuple[str, ...], key: Any, attribute: bool, place: Place) -> tuple[str, ...]:
        if attribute and key == "data" and isinstance(place.owner(), Tensor):
            return before
        if type(key) is str and key in HIDDEN and id(place.holder) in self.modules:
            return before
        if isinstance(key, Tensor):  # as in the state of an optimizer
            return (*before, f"[{self.tensors.get(id(key)) or ''.join(self.paths.get(id(key), ('…',)))}]")
        named = type(key) is str and key.isidentifier()
        if attribute or named:
            return (*before, f".{key}" if attribute or before else key)
        return (*before, f"[{brief(key) if isinstance(key, np.dtype) else repr(key)}]")

    def _name_leaves(self, plan: Any) -> None:
        """Give each leaf and input the shortest end of its path that tells it from the others."""
        paths: dict[int, tuple[str, ...]] = {}
        for number, slot in plan.leaves.items():
            if slot.number not in paths and slot.kind in ("leaf", "input", "generator"):
                place = plan.sites[number].place
                paths[slot.number] = self._path(place) or (f"array{slot.number}",)
        read = {s.number for call in (*plan.calls, *plan.binding) for s in slots_of([call.args, call.params])}
        read |= {s.number for call in plan.calls for s in call.writes}
        ends: dict[str, set[int]] = {}
        for number, path in paths.items():
            if number in read:
                for end in _ends(path):
                    ends.setdefault(end, set()).add(number)
        for number, path in paths.items():
            found = [end for end in _ends(path) if len(ends.get(end, ())) <= 1]
            self.slots[number] = found[0] if found else f"{_ends(path)[-1]}#{number}"

    # -- texts ------------------------------------------------------------------------------------

    def made(self, call: Call, number: int | str) -> None:
        """Name what a call makes after its number, where it has no name yet."""
        for i, slot in enumerate(call.outs):
            self.slots.setdefault(slot.number, f"%{number}" if len(call.outs) == 1 else f"%{number}.{i}")

    def slot(self, slot: Slot) -> str:
        """Return the name of an array, or the text of a view or a small constant."""
        if slot.number in self.slots:
            return self.slots[slot.number]
        if slot.number in self.views:
            call = self.views[slot.number]
            text = self.call(call)
            return text if len(call.outs) == 1 else f"{text}[{call.outs.index(slot)}]"
        if slot.kind == "constant" and slot.array is not None and slot.array.size:
            if slot.array.size <= FEW:
                return brief(slot.array)
            first = slot.array[(0,) * slot.array.ndim]
            if (slot.array == first).all():  # one number, as large as what it meets
                return brief(first)
        return f"constant{slot.number}" if slot.kind == "constant" else f"memory{slot.storage}"

    def base(self, slot: Slot) -> Slot:
        """Return the array that a view is made of, through other views; an array itself."""
        while slot.number in self.views:
            call = self.views[slot.number]
            slot = next((s for s in slots_of(call.args) if s.storage == slot.storage), call.args[0])
        return slot

    def text(self, x: Any) -> str:
        """Return the text of an argument."""
        if type(x) is Slot:
            return self.slot(x)
        if type(x) is slice:
            return ":".join("" if part is None else self.text(part) for part in (x.start, x.stop))+ (
                "" if x.step is None else f":{self.text(x.step)}")  # fmt: skip
        if type(x) is tuple:
            return f"({', '.join(map(self.text, x))}{',' * (len(x) == 1)})"
        if type(x) is list:
            return f"[{', '.join(map(self.text, x))}]"
        return brief(x)

    def call(self, call: Call) -> str:
        """Return a call as people write it."""
        fun, args = call.fun, [self.text(a) for a in call.args]
        if fun is getitem or fun is setitem:
            index = args[1][1:-1].rstrip(",") if type(call.args[1]) is tuple and call.args[1] else args[1]
            return f"{args[0]}[{index}]" + (f" = {args[2]}" if fun is setitem else "")
        words = [f"{key}={self.text(value)}" for key, value in call.params.items()
                 if value is not None and value is not False and key not in ("out", "casting")]  # fmt: skip
        if type(fun) is Method:
            if fun.__name__ == "transpose" and not args[1:] and call.args[0].kind != "generator":
                return f"{args[0]}.T"
            return f"{args[0]}.{fun.__name__}({', '.join(args[1:] + words)})"
        return f"{title(call)}({', '.join(args + words)})"


def title(call: Call) -> str:
    """Return the name of what is called: ``matmul``, ``add.reduce``; a kernel without its underscores."""
    fun = call.fun
    owner = getattr(fun, "__self__", None)
    name = str(getattr(fun, "__name__", call.name)).strip("_")
    if isinstance(owner, np.ufunc):
        return f"{owner.__name__}.{name}"
    return "power" if fun in OPERATORS and not isinstance(fun, np.ufunc) else name


def brief(x: Any) -> str:
    """Return a short text of a constant."""
    if isinstance(x, ndarray):
        return f"{x.item():.6g}" if x.size == 1 and x.dtype.kind in "f" else str(x.tolist())
    if isinstance(x, np.generic):
        return f"{x:.6g}" if isinstance(x, np.floating) else str(x)
    if x is Ellipsis:
        return "..."
    if isinstance(x, (type, np.dtype)) or callable(x):
        return str(getattr(x, "__name__", None) or getattr(x, "name", x))
    return repr(x)


def _ends(path: tuple[str, ...]) -> list[str]:
    """Return the ends of a path, from the shortest, that begin with a name."""
    starts = [i for i in range(len(path) - 1, -1, -1) if not path[i].startswith("[")] or [0]
    return ["".join(path[i:]).lstrip(".") for i in starts]


def _named_by_models(values: Iterable[Any]) -> dict[int, str]:
    """Return the names of the Tensors that models hold, by their id."""
    models: dict[int, Any] = {}
    for x in values:
        if hasattr(type(x), "named_parameters") and hasattr(type(x), "named_modules"):
            models[id(x)] = x
    parts = {id(part) for m in models.values() for _, part in m.named_modules() if part is not m}
    whole = [m for key, m in models.items() if key not in parts]
    kinds = [type(m).__name__ for m in whole]
    names: dict[int, str] = {}
    for i, m in enumerate(whole):
        same = kinds.count(kinds[i]) > 1
        prefix = "" if len(whole) == 1 else f"{kinds[i]}{kinds[:i].count(kinds[i]) if same else ''}."
        held = [*m.named_parameters(), *(m.named_buffers() if hasattr(m, "named_buffers") else ())]
        for name, x in held:
            names.setdefault(id(x), prefix + name)
    return names


def _parameters(fun: Any) -> Callable[[int], str]:
    """Return what gives a positional argument the name of the function's parameter."""
    try:
        found = [p for p in inspect.signature(fun).parameters.values()
                 if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]  # fmt: skip
    except (TypeError, ValueError):
        found = []

    def name(i: int) -> str:
        for n, p in enumerate(found):
            if p.kind is p.VAR_POSITIONAL:
                return f"{p.name}[{i - n}]"
            if n == i:
                return p.name
        return f"args[{i}]"

    return name
