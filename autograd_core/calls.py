"""Calling an operation: a short path for each number of inputs, and one slow path for the rest.

The short paths are what every recorded operation pays, 0.5 to 0.7 us over the bare NumPy call, so
they are written out; whatever is unusual (boxes of a transform, duck arrays, lists, metadata by
position) leaves them for :func:`apply`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import asarray, ndarray

from .errors import explain
from .node import LEAF, SMALL, Box, Node, Standin, next_id, recording

__all__ = ["apply", "builder", "hold_results_in", "unsaved", "version_of", "wrap"]

Tensor: Any = None  # the class that holds results; tensor.py gives it
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


def _array(y: Any) -> Any:
    """Return NumPy's scalars and numbers as arrays; a duck array stays as it is."""
    return y if hasattr(type(y), "__array_function__") else asarray(y)


def version_of(edge: Any) -> int | None:
    """Return the version of the leaf whose memory this is, be it through views; else None."""
    while isinstance(edge, Node):
        if not edge.primitive.view:
            return None
        edge = edge.edges[0] if edge.edges else None
    return None if edge is None else edge.version


def unsaved(x: Any) -> Any:
    """Return what stays of a constant that no rule needs: itself while it is small, for pictures."""
    if type(x) is not ndarray or x.size <= SMALL:
        return x
    s = new(Standin)
    s.shape, s.dtype = x.shape, x.dtype
    return s


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


def call_1(prim: Any) -> Any:
    """Build the call of an operation with one input; every line here is paid at each call."""
    fun = prim.fun

    def call(x: Any, *args: Any, **params: Any) -> Any:
        if isinstance(x, Tensor) and not args:
            data = x.data
            if type(data) is ndarray:
                try:
                    y = fun(data, **params) if params else fun(data)
                except (ValueError, IndexError, TypeError) as error:
                    raise explain(error, prim.name, (data,)) from None
                if type(y) is not ndarray:
                    y = _array(y)
                t = new(Tensor)
                t.data = y
                t.version = 0
                t.grad = t.extras = None
                edge = x.node
                if edge is None or not is_recording():
                    t.node = None
                    return t
                save_y, (save_x,) = prim.plans[1]
                t.node = n = new(Node)
                if edge is LEAF:
                    edge = x
                n.versions = None
                if save_x and (edge is x or edge.primitive.view):
                    n.versions = (x.version if edge is x else version_of(edge),)
                n.id = next_id()
                n.primitive = prim
                n.params = params
                n.edges = (edge,)
                n.shape = y.shape
                n.dtype = y.dtype
                n.inputs = (data,) if save_x else (None,)
                n.output = y if save_y or y.size <= SMALL else None
                n.hooks = n.grad = None
                n.released = False
                return t
        return apply(prim, (x, *args), params)

    return call


def call_2(prim: Any) -> Any:
    """Build the call of an operation with two inputs."""
    fun = prim.fun

    def call(a: Any, b: Any, *args: Any, **params: Any) -> Any:
        if args:
            return apply(prim, (a, b, *args), params)
        if isinstance(a, Tensor):
            x, edge = a.data, a.node
            if edge is LEAF:
                edge = a
        else:
            x, edge = a, None
        if isinstance(b, Tensor):
            w, edge2 = b.data, b.node
            if edge2 is LEAF:
                edge2 = b
        else:
            w, edge2 = b, None
        kind, kind2 = type(x), type(w)
        if (
            (kind is ndarray or kind is float or kind is int)
            and (kind2 is ndarray or kind2 is float or kind2 is int)
            and (x is not a or w is not b)  # at least one Tensor
        ):
            try:
                y = fun(x, w, **params) if params else fun(x, w)
            except (ValueError, IndexError, TypeError) as error:
                raise explain(error, prim.name, (x, w)) from None
            if type(y) is not ndarray:
                y = _array(y)
            t = new(Tensor)
            t.data = y
            t.version = 0
            t.grad = t.extras = None
            if edge is not None:
                mask = 1 if edge2 is None else 3
            else:
                mask = 0 if edge2 is None else 2
            if not mask or not is_recording():
                t.node = None
                return t
            save_y, (save_a, save_b) = prim.plans[mask]
            t.node = n = new(Node)
            version = version2 = None
            if save_a and edge is not None and (edge is a or edge.primitive.view):
                version = a.version if edge is a else version_of(edge)
            if save_b and edge2 is not None and (edge2 is b or edge2.primitive.view):
                version2 = b.version if edge2 is b else version_of(edge2)
            if version is None is version2:
                n.versions = None
            else:
                n.versions = (version, version2)
            n.id = next_id()
            n.primitive = prim
            n.params = params
            n.edges = (edge, edge2)
            n.shape = y.shape
            n.dtype = y.dtype
            n.inputs = (
                x if save_a else None if edge is not None else unsaved(x),
                w if save_b else None if edge2 is not None else unsaved(w),
            )
            n.output = y if save_y or y.size <= SMALL else None
            n.hooks = n.grad = None
            n.released = False
            return t
        return apply(prim, (a, b), params)

    return call


def call_n(prim: Any) -> Any:
    """Build the call of an operation with three inputs or more."""
    fun, arity = prim.fun, prim.arity

    def call(*args: Any, **params: Any) -> Any:
        if len(args) != arity:
            return apply(prim, args, params)
        values, edges = [], []
        mask, bit, boxed = 0, 1, False
        for x in args:
            edge = None
            if isinstance(x, Tensor):
                boxed = True
                edge = x.node
                if edge is not None:
                    mask += bit
                    if edge is LEAF:
                        edge = x
                x = x.data
            kind = type(x)
            if kind is not ndarray and kind is not float and kind is not int:
                return apply(prim, args, params)
            values.append(x)
            edges.append(edge)
            bit += bit
        if not boxed:
            return apply(prim, args, params)
        try:
            y = fun(*values, **params) if params else fun(*values)
        except (ValueError, IndexError, TypeError) as error:
            raise explain(error, prim.name, values) from None
        if type(y) is not ndarray:
            y = _array(y)
        t = new(Tensor)
        t.data = y
        t.version = 0
        t.grad = t.extras = None
        if not mask or not is_recording():
            t.node = None
            return t
        save_y, save = prim.plans[mask]
        t.node = n = new(Node)
        n.versions = None
        for i, edge in enumerate(edges):
            if not save[i]:
                values[i] = None if edge is not None else unsaved(values[i])
            elif edge is not None and (edge is args[i] or edge.primitive.view):
                n.versions = n.versions or [None] * arity
                n.versions[i] = edge.version if edge is args[i] else version_of(edge)
        n.id = next_id()
        n.primitive = prim
        n.params = params
        n.edges = tuple(edges)
        n.shape = y.shape
        n.dtype = y.dtype
        n.inputs = tuple(values)
        n.output = y if save_y or y.size <= SMALL else None
        n.hooks = n.grad = None
        n.released = False
        return t

    return call


def call_any(prim: Any) -> Any:
    """Build the call of an operation with any number of inputs."""

    def call(*args: Any, **params: Any) -> Any:
        return apply(prim, args, params)

    return call


def builder(arity: int | None) -> Any:
    """Return what builds the call of an operation with so many inputs (None: any number)."""
    return {1: call_1, 2: call_2}.get(arity or 0, call_n if arity and arity <= 8 else call_any)
