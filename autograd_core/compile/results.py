"""Values of a captured step in two ways: as trees of slots in the place of arrays, and as they are."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy import ndarray

from ..calls import wrap
from ..errors import CompileError
from ..node import Node
from ..primitive import declare
from ..tensor import Tensor
from .capture import Capture
from .generators import read_state
from .reach import is_atom
from .traced import Traced
from .trees import Held

__all__ = ["REFUSED", "digests", "plain", "real", "tree_of"]


def _no_graph(*args: Any, **params: Any) -> Any:
    raise CompileError("[backward] got a result of a compiled function, expected one with a graph: a replay "
                       "records none; try to compile the whole step, with backward() in it")  # fmt: skip


_compiled = declare(lambda x: x, joint=_no_graph, name="compiled", arity=1, saves="")
_compiled.defjvp(_no_graph)


class _Refused:
    def __repr__(self) -> str:
        return "REFUSED"


REFUSED = _Refused()  # in the place of a value that a replay could not make


def tree_of(x: Any, capture: Capture, lasting: Collection[int]) -> Any:
    """Return a value with slots in the place of arrays; REFUSED where a replay could not make it.

    Args:
        x: the value, with duck arrays in it.
        capture: the calls that made it.
        lasting: ids of Tensors and other objects that were there before the step: they stay what they are.
    """
    if isinstance(x, Tensor):
        if id(x) in lasting:
            return x
        if type(x) is not Tensor:
            return REFUSED
        return Held(x.data._slot if type(x.data) is Traced else capture.constant(x.data), _end(x, x.data))
    if type(x) is Traced:
        return REFUSED if x._slot.place is read_state else x._slot
    if type(x) is ndarray:
        if x.dtype.hasobject and any(type(item) is Traced for item in x.flat):
            return REFUSED
        return capture.constant(x)
    if type(x) in (tuple, list) or (isinstance(x, tuple) and hasattr(x, "_make")):
        parts = [tree_of(item, capture, lasting) for item in x]
        if any(part is REFUSED for part in parts):
            return REFUSED
        return x._make(parts) if hasattr(x, "_make") else type(x)(parts)
    if type(x) is dict:
        items = {key: tree_of(item, capture, lasting) for key, item in x.items()}
        return REFUSED if any(item is REFUSED for item in items.values()) else items
    return x if is_atom(x) or id(x) in lasting else REFUSED


def real(x: Any, lasting: Collection[int]) -> Any:
    """Return a value with arrays in the place of duck arrays."""
    if isinstance(x, Tensor) and id(x) not in lasting:
        data = x.data._value if type(x.data) is Traced else x.data
        return wrap(data, _end(x, data))
    if type(x) is Traced:
        return x._value
    if isinstance(x, tuple) and not is_atom(x):
        parts = [real(item, lasting) for item in x]
        return x._make(parts) if hasattr(x, "_make") else tuple(parts)
    if type(x) is list:
        return [real(item, lasting) for item in x]
    if type(x) is dict:
        return {key: real(item, lasting) for key, item in x.items()}
    return x


def _end(x: Tensor, data: Any) -> Node | None:
    """Return what stands for the graph of a result: a replay records none, so backward() there raises."""
    return None if x.node is None else Node(_compiled.primitive, (), (), data, {})


def plain(tree: Any) -> Any:
    """Return a tree with a pair in the place of each Tensor: its slot, and whether it has no graph."""
    if isinstance(tree, Held):
        return [tree.slot, tree.node is None]
    if isinstance(tree, (tuple, list)):
        return [plain(item) for item in tree]
    return {key: plain(item) for key, item in tree.items()} if type(tree) is dict else tree


def digests(x: Any) -> list[Any]:
    """Return what tells whether a result is the same to the last bit, and holds no memory of it."""
    return [(a.shape, a.dtype, _digest(np.ascontiguousarray(a))) if type(a) is ndarray else a
            for a in _arrays_of(x)]  # fmt: skip


def _digest(memory: Any) -> bytes:
    if memory.dtype.kind == "f" and np.isnan(memory).any():
        # Which NaN comes of two, and of what sign, is not defined: a compiled loop may give another one.
        memory = np.where(np.isnan(memory), np.nan, memory)
    return blake2b(memory).digest()


def _arrays_of(x: Any) -> list[Any]:
    """Return the arrays of a result, in order, and what else is in it."""
    if isinstance(x, Tensor):
        return [x.data]
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in _arrays_of(item)]
    if isinstance(x, dict):
        return [a for item in x.values() for a in _arrays_of(item)]
    return [x]
