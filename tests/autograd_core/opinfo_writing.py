"""Calls of PyTorch's operations that give an array with some elements replaced: ``y[index] = v``.

The writes stand in place, into a copy. Where places repeat and add up, ``scatter`` does it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, alike


def _written(x: Any, index: Any, v: Any) -> Any:
    y = ag.copy(x)
    y[index] = v
    return y


def _increased(x: Any, index: Any, v: Any) -> Any:
    """Return ``x`` with ``v`` added; where a place occurs twice, twice, which ``+=`` does not do."""
    times = np.zeros(x.shape)
    np.add.at(times, index, 1)
    if times.max(initial=0) <= 1:
        y = ag.copy(x)
        y[index] += v
        return y
    v = np.broadcast_to(v, times[index].shape)
    return x + ag.scatter(v, index=index, shape=x.shape)


def _flat(write: Call) -> Call:
    """Let ``write`` count the places from 0 to the size of the array."""
    return lambda x, places, v: write(x.reshape(-1), places, v).reshape(x.shape)


def _at(x: Any, dim: int, part: Any) -> Any:
    """Return the index of ``part`` along an axis; a number has one axis of length 1."""
    return (slice(None),) * (dim % max(x.ndim, 1)) + (part,) if x.ndim else np.zeros(x.shape, bool) | True


def _along(write: Call) -> Call:
    return lambda x, dim, index, v: write(x, _at(x, dim, index), v if x.ndim else np.reshape(v, ()))


def _index_add(x: Any, dim: int, index: Any, v: Any, *, alpha: float = 1) -> Any:
    return _along(_increased)(x, dim, index, alpha * v)


def _scatter(write: Call) -> Call:
    def call(x: Any, dim: int, index: Any, v: Any, **settings: Any) -> Any:
        if x.ndim == 0 or index.size == 0:
            return write(x, (), v) if index.size else +x
        places = list(np.indices(index.shape))
        places[dim] = index
        if np.ndim(v):
            v = v[tuple(slice(0, n) for n in index.shape)]
        return (_increased if settings.get("reduce") == "add" else write)(x, tuple(places), v)

    return call


def _masked(x: Any, mask: Any) -> tuple[Any, Any]:
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return np.broadcast_to(x, shape), np.broadcast_to(mask, shape)


def _masked_fill(x: Any, mask: Any, value: Any) -> Any:
    x, mask = _masked(x, mask)
    return _written(x, mask, value)


def _masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    x, mask = _masked(x, mask)
    return _written(x, mask, source.ravel()[: np.count_nonzero(mask)])


def _diagonal(x: Any, v: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    places = np.arange(x.size).reshape(x.shape).diagonal(offset, dim1, dim2)
    return _flat(_written)(x, places, v)


def _slice(x: Any, v: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return _written(x, _at(x, dim, slice(start, end, step)), v)


def _index_put(x: Any, index: Any, v: Any, accumulate: bool = False) -> Any:
    return (_increased if accumulate else _written)(x, tuple(index), v)


def _put(x: Any, places: Any, v: Any, accumulate: bool = False) -> Any:
    return _flat(_increased if accumulate else _written)(x, places, np.reshape(v, places.shape))


CALLS: dict[str, Call] = {
    **alike("index_fill index_copy", _along(_written)),
    "diagonal_scatter": _diagonal,
    "index_add": _index_add,
    "index_put": _index_put,
    "masked_fill": _masked_fill,
    "masked_scatter": _masked_scatter,
    "put": _put,
    "scatter": _scatter(_written),
    "scatter_add": _scatter(_increased),
    "select_scatter": lambda x, v, dim, index: _written(x, _at(x, dim, index), v),
    "slice_scatter": _slice,
}
