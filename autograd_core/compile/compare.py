"""Two captures of a step: whether they began alike, and what a replay of one would not do as the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import ndarray

from .capture import Slot, located
from .passes import same
from .reach import Site, equal
from .results import plain
from .words import short

if TYPE_CHECKING:
    from .trial import Trial

__all__ = ["difference", "is_like"]


def is_like(a: Trial, b: Trial) -> bool:
    """Tell whether both began with the same arguments and Python state, but for the values of arrays."""
    return a.shared() == b.shared() and len(a.sites) == len(b.sites) and all(
        x.kind == y.kind and x.place.id == y.place.id and _alike(x, y)
        for x, y in zip(a.sites, b.sites, strict=True)
    )  # fmt: skip


def _alike(a: Site, b: Site) -> bool:
    if a.kind == "array":
        ours, theirs = a.value, b.value
        return (ours.shape, ours.dtype, ours.strides) == (theirs.shape, theirs.dtype, theirs.strides)
    if a.kind in ("object", "type"):
        return a.value is b.value
    return a.kind == "generator" or equal(a.value, b.value)


def difference(now: Trial, before: Trial) -> str:
    """Say what a replay of one would not do as the other did; nothing if both are the same."""
    ours, theirs = now.capture.calls, before.capture.calls
    for a, b in zip(ours, theirs, strict=False):
        if a.name != b.name or not _same_fun(a.fun, b.fun):
            return (f"[compile] got {b.name} ({located(b.line)}) in one step and {a.name} "
                    f"({located(a.line)}) in the next, expected the same calls in every step")  # fmt: skip
        if what := _differs((a.args, a.params), (b.args, b.params)):
            return (f"[compile] got {what} in {a.name}, expected what does not change from step to step: "
                    f"{located(a.line)}; try to make it in an array that the step reaches, "
                    "or pass it")  # fmt: skip
    if len(ours) != len(theirs):
        return f"[compile] got {len(theirs)} calls in one step and {len(ours)} in the next"
    if [place.id for place, _ in now.effects] != [place.id for place, _ in before.effects]:
        return "[compile] got other arrays left behind in two steps"
    for (place, x), (_, y) in zip(now.effects, before.effects, strict=True):
        if what := _differs(plain(x), plain(y)):
            return f"[compile] got {what} in {place!r}"
    if what := _differs(plain(now.output), plain(before.output)):
        return f"[compile] got {what} in what the step returns"
    return ""


def _differs(a: Any, b: Any) -> str:
    """Say in which constant two nests of arguments differ."""
    if type(a) is Slot and type(b) is Slot:
        if a.number != b.number or a.kind != b.kind or a.layout != b.layout:
            return f"an array {a.shape} {a.dtype} in the place of one {b.shape} {b.dtype}"
        if a.kind == "constant" and a.array is not b.array:
            if not same(a.array, b.copy):
                return f"an array {a.shape} {a.dtype} whose values differ from step to step"
            a.live = _owner_of(a.array) is _owner_of(b.array)
        return ""
    if type(a) is not type(b):
        return f"{short(a)} after {short(b)}"
    if isinstance(a, (tuple, list)):
        if len(a) != len(b):
            return f"{len(a)} values after {len(b)}"
        return next((what for x, y in zip(a, b, strict=True) if (what := _differs(x, y))), "")
    if isinstance(a, dict):
        return _differs(list(a.items()), list(b.items()))
    if type(a) is slice:
        return _differs((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    return "" if same(a, b) or _same_fun(a, b) else f"{short(a)} after {short(b)}"


def _same_fun(a: Any, b: Any) -> bool:
    if a is b or a == b:
        return True
    return getattr(a, "__code__", 0) is getattr(b, "__code__", 1)


def _owner_of(array: Any) -> Any:
    """Return what owns the memory of an array."""
    while isinstance(array, ndarray) and array.base is not None:
        array = array.base
    return array
