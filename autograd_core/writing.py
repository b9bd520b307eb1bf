"""Writes: ``x[index] = v`` and ``x += v``, recorded, and seen through every view of the same memory.

A write never changes what a graph saved. If nobody but a Tensor and its views holds the memory it is
written to as it is, else copied first: *the write pays, not the read*. Then the Tensor stands at a
new node, whose inputs are what it was and what was written,

    y = x, but v at index:      v_bar = g[index],      x_bar = g, but 0 at index

and the views of it that somebody still holds are taken anew where they overlap. A write into a view
is a write into its whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .calls import as_array, bare, made
from .ducks import beside, duck
from .errors import explain, message
from .node import LEAF, Box, Standin, next_id, recording, strip
from .ops.shaping import astype
from .ops.writing import read, setitem
from .views import alive, alone, place, show, target

__all__ = ["update", "write"]


def write(t: Any, index: Any, value: Any, what: str = "setitem") -> None:
    """Do ``t[index] = value``."""

    def assign(view: Any, at: Any) -> None:
        view[at] = array

    whole, places = place(t)
    index, value = strip(index), bare(value)
    array, differentiated = _in_memory(value), _differentiated(value)
    if differentiated and whole.dtype.kind != "f":
        raise TypeError(message(
            what, f"a Tensor that is being differentiated, written into dtype {whole.dtype}",
            "a floating dtype", "x.astype(float), or value.detach()"))  # fmt: skip
    if _is_leaf(whole):
        array = strip(value)
    elif array is None or _in_memory(whole) is None:
        _become(whole, setitem(whole, value, index=index, places=places))
        return
    record = not _is_leaf(whole) and (differentiated or _differentiated(whole))
    edges = (whole.edge, value.edge if differentiated else None) if record else None
    region = _modify(t, index, assign, what, array)
    if edges is not None:
        params = {"index": index, "places": places} if places else {"index": index}
        inputs = Standin(whole.shape, whole.dtype), as_array(array)
        whole.join(made(setitem.primitive, inputs, edges, whole.data, params))
    _renew(t, region)


def update(t: Any, op: Callable[[Any, Any], Any], ufunc: np.ufunc, other: Any) -> Any:
    """Do ``t = ufunc(t, other)`` in place; return ``t``."""

    def compute(view: Any, at: Any) -> None:
        if at is ...:
            ufunc(view, array, out=view)
        else:
            view[at] = ufunc(view[at], array, dtype=view.dtype)

    what = f"in-place {ufunc.__name__}"
    whole, places = place(t)
    other = bare(other)
    array = strip(other)
    if _is_leaf(whole) or not (_differentiated(whole) or _differentiated(other)):
        _renew(t, _modify(t, ..., compute, what, array))
        return t
    y = op(t, other)
    if y.shape != t.shape:
        raise ValueError(message(what, f"a result of shape {y.shape}", f"{t.shape}"))
    if y.dtype != t.dtype:  # in place keeps the dtype, as NumPy does
        if not np.can_cast(y.dtype, t.dtype, "same_kind"):
            raise TypeError(message(what, f"a result of dtype {y.dtype}", f"what casts to {t.dtype}"))
        y = astype(y, t.dtype)
    if places:
        write(t, ..., y, what)
    else:
        _become(t, y)
    return t


def _in_memory(x: Any) -> Any:
    """Return the array that ``x`` is or holds; None for what lives inside a transform."""
    if not isinstance(x, Box):
        return x
    data = getattr(x, "data", None)
    return data if isinstance(data, ndarray) else None


def _differentiated(x: Any) -> bool:
    """Tell whether a derivative goes through ``x``; ``no_grad`` does not concern dual numbers."""
    if not isinstance(x, Box):
        return False
    return _in_memory(x) is None or (recording.get() and x.edge is not None)  # type: ignore[attr-defined]


def _is_leaf(x: Any) -> bool:
    return getattr(x, "node", None) is LEAF


def _modify(t: Any, index: Any, act: Callable[[Any, Any], None], what: str, value: Any) -> Any:
    """Let ``act(view, index)`` write to the memory that ``t`` shows; return the view."""
    whole, places = place(t)
    if _is_leaf(whole):
        whole.writable(what)  # where operations are recorded, this refuses
    elif not alone(whole, alive(whole)):
        whole.data = whole.data.copy(order="K")  # the layout says what reshape can view
    if type(whole.data) is ndarray and duck((value,)) is not None:
        whole.data = beside(whole.data, value)
    view, at = target(whole.data, places, index)
    try:
        act(view, at)
    except (ValueError, IndexError, TypeError) as error:
        raise explain(error, what, (view, value)) from None
    whole.version = next_id()
    return view


def _become(whole: Any, y: Any) -> None:
    """Let ``whole`` be the result ``y``, and its views be views of that."""
    whole.become(y)
    _renew(whole, None)


def _renew(t: Any, region: Any) -> None:
    """Take those views anew that overlap the region which was written through ``t`` (None: all)."""
    whole, places = place(t)
    memory = _in_memory(whole)
    views = alive(whole)
    if _is_leaf(whole) and places:
        views = [t]  # a leaf does not know its views
    for t in views:
        places = place(t)[1]
        if _is_leaf(t):
            continue  # since it was taken it began a graph of its own
        if memory is not None and type(places[0]) is not ndarray:
            part = show(memory, places)
            if region is not None and not np.may_share_memory(part, region):
                continue
            if _is_leaf(whole) or not _differentiated(whole):
                t.data = part
                continue
        t.become(read(whole, places))
