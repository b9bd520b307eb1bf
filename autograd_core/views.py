"""Which Tensors show the same memory, so that a write into one is seen through the others.

NumPy's slices, reshapes and transposes are views: a write into one changes the whole, and the other
views of it. So a Tensor that an operation made as a view knows its *whole* and its *places*, the
operations that lead there; and the whole knows, weakly, the views of it that are alive. Nothing
looks at this but a write (:mod:`writing`).
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any
from weakref import ref

import numpy as np
from numpy import ndarray

from .node import LEAF, Box, Node, recording, strip

__all__ = ["alive", "alone", "note", "place", "show", "target"]

LONGEST = 16  # chains of more views are replaced by a map, so that x = x.T in a loop stays small

Places = tuple[Any, ...]  # pairs (primitive, metadata); the first may be a map of flat indices


def note(t: Any, x: Any, y: Any, prim: Any, params: Any) -> Any:
    """Note that ``t``, whose value is ``y``, may be a view of ``x``; return the value to hold.

    That is ``y``, but for a small piece of an array that is being written to, which is copied: held
    as a view, it would make the next write copy everything.
    """
    shown, data = strip(y), strip(x)
    if isinstance(shown, ndarray):  # of a duck array the operation's word is taken
        base = shown.base
        if base is None or (base is not data and base is not data.base):
            return y
    whole, places = place(x)
    places = (*places, (prim, params))
    if len(places) > LONGEST:
        places = (show(np.arange(whole.size).reshape(whole.shape), places),)
    node = getattr(whole, "node", None)
    # A view made where nothing is recorded must not keep the graph of its whole alive.
    recorded = isinstance(node, Node) and recording.get() and x.node is not None
    t.extras = {"view": (whole if recorded or node is None or node is LEAF else ref(whole), places)}
    if node is LEAF:
        return y  # where it is written to, it is the leaf that refuses, or notes its version
    extras = whole.extras
    if extras is None:
        extras = whole.extras = {}
    views = extras.setdefault("views", [])
    n = len(views)
    if n >= 8 and not n & (n - 1):  # at 8, 16, 32, ... forget the dead: constant cost on average
        views[:] = [r for r in views if r() is not None]
    views.append(ref(t))
    if recorded and whole.version and type(y) is ndarray and 2 * y.size <= whole.size:
        return y.copy() if y.flags.c_contiguous else y  # else a reshape would not know its layout
    return y


def place(t: Any) -> tuple[Any, Places]:
    """Return the whole that ``t`` is a view of, and the places that lead to it: (t, ()) for a whole."""
    view = t.extras.get("view") if t.extras else None
    if view is None:
        return t, ()
    whole, places = view
    if type(whole) is ref:
        whole = whole()
    return (t, ()) if whole is None else (whole, places)


def alive(whole: Any) -> list[Any]:
    """Return the views of ``whole`` that somebody still holds."""
    views = whole.extras.get("views", ()) if whole.extras else ()
    return [t for r in views if (t := r()) is not None]


def show(array: Any, places: Places) -> Any:
    """Return what stands at the places in a plain array (a view of it, unless they begin with a map)."""
    for step in places:
        array = array.reshape(-1)[step] if type(step) is ndarray else step[0].fun(array, **step[1])
    return array


def target(array: Any, places: Places, index: Any) -> tuple[Any, Any]:
    """Return a view of ``array``, and an index into it, so that ``view[index] = v`` writes there."""
    if places and type(places[0]) is ndarray:
        return array, np.unravel_index(show(np.arange(array.size), places)[index], array.shape)
    return show(array, places), index


def alone(whole: Any, views: list[Any]) -> bool:
    """Tell whether the whole's memory is seen by nobody but it and these views of it."""
    data = whole.data
    if data.base is not None or not data.flags.writeable:
        return False
    inside = [t for t in views if not isinstance(t.data, Box) and t.data.base is data]
    return getrefcount(data) - len(inside) <= WHOLE and all(
        getrefcount(t.data) <= PART for t in inside
    )


class _Holder:
    __slots__ = ("data",)
    data: Any


def _references() -> tuple[int, int]:
    """Measure the counts of an array in a slot, with and without a local name; interpreters differ."""
    t = _Holder()
    t.data = np.empty(1)
    part = getrefcount(t.data)
    data = t.data
    return getrefcount(data), part


WHOLE, PART = _references()
