"""Calls of PyTorch's operations that pick elements, sort them, or read by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from .opinfo import Call


def _fixed(x: Any, dim: int, index: Any) -> Any:
    return x[(slice(None),) * (dim % max(x.ndim, 1)) + (index,)]


def _ordered(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Sort; equal numbers keep their order, as in PyTorch."""
    if x.ndim == 0:
        return np.positive(x)
    if descending:
        return -np.sort(-x, axis=dim, stable=True)
    return np.sort(x, axis=dim, stable=True)


def _kth(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    if x.ndim == 0:
        return np.positive(x)
    return _fixed(np.partition(x, k - 1, axis=dim), dim, slice(k - 1, k) if keepdim else k - 1)


def _topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    if x.ndim == 0:
        return np.positive(x)
    return _fixed(_ordered(x, dim, largest), dim, slice(0, k))


def _gather(x: Any, dim: int, index: Any) -> Any:
    if x.ndim == 0 or index.ndim == 0:
        return np.reshape(np.take(x, index), index.shape)
    part = tuple(slice(None) if d == dim % x.ndim else slice(0, n) for d, n in enumerate(index.shape))
    return np.take_along_axis(x[part], index, axis=dim)


def _take_along(x: Any, index: Any, dim: Any = None) -> Any:
    return np.take_along_axis(x, np.ravel(index) if dim is None else index, axis=dim)


def _select(x: Any, dim: int, index: Any) -> Any:
    return np.take(x, index, axis=dim) if x.ndim else np.take(x, index[0])


def _narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    start = int(start)
    start += x.shape[dim] if start < 0 else 0
    return _fixed(x, dim, slice(start, start + length))


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return _fixed(x, dim, slice(start, end, step))


def _median(x: Any, dim: Any = None, keepdim: bool = False, first: Any = np.sort) -> Any:
    """Return the lower of the two in the middle, which PyTorch takes."""
    if x.ndim == 0:
        return np.positive(x)
    if dim is None:
        return _kth(np.ravel(x), (x.size + 1) // 2)
    return _kth(x, (x.shape[dim] + 1) // 2, dim, keepdim)


def _masked_select(x: Any, mask: Any) -> Any:
    x, mask = np.broadcast_arrays(x, mask)
    return x[np.asarray(mask)]


CALLS: dict[str, Call] = {
    "__getitem__": lambda x, index: x[index],
    "gather": _gather,
    "index_select": _select,
    "kthvalue": _kth,
    "masked_select": _masked_select,
    "median": _median,
    "msort": lambda x: np.sort(x, axis=0, stable=True),
    "narrow": _narrow,
    "narrow_copy": _narrow,
    "select": _fixed,
    "slice": _slice,
    "sort": _ordered,
    "take": lambda x, index: x.take(index),
    "take_along_dim": _take_along,
    "topk": _topk,
}
