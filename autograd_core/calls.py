"""Calling an operation: a short path for Tensors of arrays, and a slow one for everything else.

The short path is what every recorded operation pays, 0.5 to 0.7 us over the bare NumPy call. A
loop over the inputs would cost as much again, so it is unrolled: :data:`CALL` is the text of it,
:data:`EACH` and :data:`SAVE` what it does for each input, and :func:`builder` compiles it once for
each number of inputs (as ``collections.namedtuple`` does). Whatever is unusual (boxes of a
transform, duck arrays, lists, metadata by position) leaves it for :func:`apply`.
"""

from __future__ import annotations

import linecache
import re
from functools import cache
from typing import Any, cast

import numpy as np
from numpy import asarray, ndarray

from .errors import explain
from .node import LEAF, SMALL, Box, Node, Standin, next_id, recording  # noqa: F401 (see CALL)
from .views import note  # noqa: F401

__all__ = [
    "apply", "as_array", "bare", "builder", "copied", "hold_results_in", "leaf_of", "made", "unsaved", "wrap",
]  # fmt: skip

Tensor: Any = None  # the class that holds results; tensor.py gives it
UNROLLED = 8  # operations with more inputs take the slow path
new = object.__new__
is_recording = recording.get


def hold_results_in(cls: Any) -> Any:
    """Register the class of Tensors (a decorator)."""
    global Tensor
    Tensor = cls
    return cls


def wrap(data: Any, node: Any = None) -> Any:
    """Make a Tensor around an array, as it is, at a place in the graph."""
    t = new(Tensor)
    t.data, t.version, t.grad, t.extras, t.node = data, 0, None, None, node
    return t


def bare(x: Any) -> Any:
    """Return ``x``, but for a constant Tensor around another box that box."""
    while isinstance(x, Tensor) and x.node is None and isinstance(x.data, Box):
        x = x.data
    return x


def as_array(y: Any, dtype: Any = None) -> Any:
    """Return NumPy's scalars, numbers and lists as arrays, in ``dtype``; a box or duck array stays one."""
    if isinstance(y, np.generic):
        y = cast(Any, y)[...]  # also the one that a duck array stands for
    elif not hasattr(type(y), "__array_function__"):
        return asarray(y, dtype)
    return y if dtype is None or y.dtype == dtype else y.astype(dtype)


def copied(x: Any, dtype: Any = None) -> Any:
    """Return an array of its own: ``np.array(x, dtype)``, also of a duck array."""
    if type(x) is ndarray or not hasattr(type(x), "__array_function__"):
        return np.array(x, dtype)
    return x[...].astype(x.dtype if dtype is None else dtype)  # what is one of NumPy's scalars too


def leaf_of(edge: Any) -> tuple[Any, ...]:
    """Return the leaf whose memory a view shows, be it through other views; or nothing."""
    while isinstance(edge, Node):
        if not edge.primitive.view:
            return ()
        edge = edge.edges[0] if edge.edges else None
    return () if edge is None else (edge,)


def unsaved(x: Any) -> Any:
    """Return what stays of a constant that no rule needs: itself while it is small, for pictures."""
    return x if type(x) is not ndarray or x.size <= SMALL else Standin(x.shape, x.dtype)


def made(prim: Any, values: Any, edges: Any, y: Any, params: Any) -> Node:
    """Make the node of a call: ``values`` are its inputs, ``edges`` where their gradients go."""
    save_y, *save = prim.saved([e is not None for e in edges])
    inputs = tuple(
        v if s else unsaved(v) if e is None else e
        for v, s, e in zip(values, save, edges, strict=True)
    )
    node = Node(prim, tuple(edges), inputs, y, params)
    if not save_y and y.size > SMALL:
        node.output = None
    for edge, saved in zip(edges, save, strict=True):
        if saved:
            node.viewed += leaf_of(edge)
    if (switch := recording.get()) is not True:
        switch.watch(node, y)
    return node


def apply(prim: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply a primitive to anything: the highest box among ``args`` decides what happens."""
    args, params = prim.bind(args, params)
    top, kind = -1, None
    for a in args:
        if isinstance(a, Box) and a.level > top:
            top, kind = a.level, type(a)
    if kind is not None:
        return kind.interpret(prim, args, params, top)
    if not isinstance(prim.fun, np.ufunc):  # a forward function sees arrays, not lists
        numbers = not any(hasattr(a, "shape") for a in args)  # beside an array they stay weak
        args = tuple([asarray(a) if numbers or isinstance(a, (list, tuple)) else a for a in args])
    try:
        return prim.fun(*args, **params)
    except (ValueError, IndexError, TypeError) as error:
        raise explain(error, prim.name, args) from None


CALL = """
def build(prim):
    fun = prim.fun

    def call({x}, /, *args, **params):
        if args:
            return apply(prim, ({x}, *args), params)
{each}
        tensors = {tensors}
        if not ({arrays}) or not (tensors or {some}):
            return apply(prim, ({x},), params)
        try:
            y = fun({v}, **params) if params else fun({v})
        except (ValueError, IndexError, TypeError) as error:
            raise explain(error, prim.name, ({v},)) from None
        if not tensors:  # as rules call each other
            return y
        if type(y) is not ndarray:
            y = as_array(y)
        t = new(Tensor)
        t.version = 0
        t.grad = t.extras = None
{note}
        t.data = y
        pattern = {pattern}
        switch = is_recording() if pattern else False
        if not switch:
            t.node = None
            return t
        save_y, {saves} = {plan}[pattern]
        viewed = ()
{save}
        t.node = n = new(Node)
        n.id = next_id()
        n.primitive = prim
        n.params = params
        n.edges = ({e},)
        n.inputs = ({v},)
        n.viewed = viewed
        n.output = y if save_y or y.size <= SMALL else None
        n.shape = y.shape
        n.dtype = y.dtype
        n.hooks = n.grad = None
        n.released = False
        if switch is not True:
            switch.watch(n, y)
        return t

    return call
"""

EACH = """
        if isinstance(x, Tensor):
            v = x.data
            e = x.node
            if e is LEAF:
                e = x
        else:
            v, e = x, None
        kind = type(v)
"""

SAVE = """
        if not save:
            v = e if e is not None else unsaved(v)
        elif e is not None and e is not x and e.primitive.view:
            viewed += leaf_of(e)
"""


NOTE = """
        y = note(t, x0, y, prim, params)
"""


def builder(arity: int | None, view: bool = False) -> Any:
    """Return what builds the call of an operation with so many inputs (None: any number).

    That of a view also notes which memory the result shows.
    """
    return _compiled(arity, view) if arity else _of_any_number


def _of_any_number(prim: Any) -> Any:
    calls: dict[int, Any] = {}

    def call(*args: Any, **params: Any) -> Any:
        n = len(args)
        if n not in calls:
            calls[n] = _compiled(n, prim.view, True)(prim) if 0 < n <= UNROLLED else None
        return calls[n](*args, **params) if calls[n] else apply(prim, args, params)

    return call


@cache
def _compiled(arity: int, view: bool, any_number: bool = False) -> Any:
    if arity > UNROLLED:
        return lambda prim: lambda *args, **params: apply(prim, args, params)

    def each(text: str, join: str = "") -> str:
        """Repeat the text, its variables numbered."""
        names = r"\b(x|v|e|kind|save)\b"
        return join.join(re.sub(names, rf"\g<1>{i}", text) for i in range(arity))

    source = CALL.format(
        x=each("x", ", "), v=each("v", ", "), e=each("e", ", "), saves=each("save", ", "),
        each=each(EACH), save=each(SAVE), note=NOTE if view else "", tensors=each("v is not x", " or "),
        arrays=each("(kind is ndarray or kind is float or kind is int)", " and "),
        some=each("kind is ndarray", " or "),
        plan=f"prim.plans({arity})" if any_number else "prim.plan",
        pattern=" | ".join(f"({1 << i} if e{i} is not None else 0)" for i in range(arity)),
    )  # fmt: skip
    name = f"<call of {arity} inputs>"
    linecache.cache[name] = len(source), None, source.splitlines(True), name  # for tracebacks
    namespace: dict[str, Any] = {}
    exec(compile(source, name, "exec"), globals(), namespace)
    return namespace["build"]
