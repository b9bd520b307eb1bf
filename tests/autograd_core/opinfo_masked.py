"""Calls of ``torch.masked``: an operation of the elements that a mask lets through."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call
from .opinfo_reductions import axis_of


def _through(x: Any, mask: Any, other: float) -> Any:
    return x if mask is None else np.where(mask, x, other)


def _filled(f: Call, other: float) -> Call:
    """Return ``f`` of what the mask lets through, and of ``other`` elsewhere."""

    def call(x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
        return f(_through(x, mask, other), axis=axis_of(x, dim), keepdims=keepdim)

    return call


def _norm(x: Any, ord: Any = 2.0, **settings: Any) -> Any:
    other = np.inf if ord == -np.inf else 0.0
    return _filled(lambda v, **k: ag.vector_norm(v, ord=ord, **k), other)(x, **settings)


def _scanned(f: Call, other: float) -> Call:
    def call(x: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
        x = _through(x, mask, other)
        return np.reshape(f(np.atleast_1d(x), axis=dim), x.shape)

    return call


def _mean(x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    total = _filled(np.sum, 0.0)(x, dim=dim, keepdim=keepdim, mask=mask)
    return total / np.sum(_present(x, mask), axis_of(x, dim), keepdims=keepdim)


def _present(x: Any, mask: Any) -> Any:
    return np.broadcast_to(True if mask is None else mask, x.shape)


def _var(x: Any, dim: Any = None, unbiased: bool | None = None, *, correction: Any = None,
         keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:  # fmt: skip
    ddof = correction if correction is not None else 1 if unbiased is None else int(unbiased)
    axis, there = axis_of(x, dim), _present(x, mask)
    n = np.sum(there, axis, keepdims=True)
    d = np.where(there, x - np.sum(np.where(there, x, 0.0), axis, keepdims=True) / n, 0.0)
    n = n if keepdim else np.sum(there, axis)
    return np.sum(d * d, axis, keepdims=keepdim) / np.maximum(n - ddof, 0)


def _normalize(x: Any, ord: Any, dim: Any, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None) -> Any:
    x = _through(x, mask, 0.0)
    return x / np.maximum(_norm(x, ord, dim=dim, keepdim=True), eps)


def _along(f: Call, other: float = -np.inf) -> Call:
    return lambda x, dim, *, dtype=None, mask=None: f(_through(x, mask, other), dim)


CALLS: dict[str, Call] = {
    "masked.sum": _filled(np.sum, 0.0),
    "masked.prod": _filled(np.prod, 1.0),
    "masked.amax": _filled(np.max, -np.inf),
    "masked.amin": _filled(np.min, np.inf),
    "masked.logsumexp": _filled(ag.logsumexp, -np.inf),
    "masked.mean": _mean,
    "masked.norm": _norm,
    "masked.normalize": _normalize,
    "masked.var": _var,
    "masked.std": lambda *args, **kwargs: np.sqrt(_var(*args, **kwargs)),
    "masked.cumsum": _scanned(np.cumsum, 0.0),
    "masked.cumprod": _scanned(np.cumprod, 1.0),
    "masked.softmax": _along(ag.softmax),
    "masked.log_softmax": _along(ag.log_softmax),
    "masked.softmin": _along(lambda x, dim: ag.softmax(-x, dim), np.inf),
    "masked.logaddexp": lambda x, y, *, dtype=None, input_mask=None, other_mask=None: np.logaddexp(
        _through(x, input_mask, -np.inf), _through(y, other_mask, -np.inf)),
}  # fmt: skip
