"""The loops over time in threads: each takes some rows of the batch from the first step to the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..team import share
from ..threads import get_num_threads
from .places import filled
from .recurrent import (
    Factor,
    Layout,
    gru_rows,
    gru_rows_back,
    lstm_rows,
    lstm_rows_back,
    rnn_rows,
    rnn_rows_back,
)
from .tile import shape

__all__ = ["gru", "gru_back", "lstm", "lstm_back", "rnn", "rnn_back"]

Sizes = Sequence[int] | None
RATE = 6e4  # operations of a thread in a microsecond


def _alike(dtype: Any, *arrays: Any) -> list[Any]:
    """Return the arrays in one dtype, in C order, writable: loops do not look, or are compiled for each."""
    return [np.require(a, dtype, ["C", "W"]) for a in arrays]


def _factor(w: Any) -> Factor:
    """Return a matrix (units, terms) that :func:`multiply` multiplies rows of terms by."""
    units, terms = w.shape
    return Factor(w.reshape(-1), filled(np.arange(units) * terms), np.arange(terms))


def _transposed(w: Any) -> Factor:
    """Return the transpose of a matrix (terms, units)."""
    terms, units = w.shape
    return Factor(w.reshape(-1), filled(np.arange(units)), np.arange(terms) * units)


def _nothing(dtype: Any) -> Factor:
    return Factor(np.empty(0, dtype), np.empty(0, np.int64), np.empty(0, np.int64))


def _in_threads(
    rows: Callable[..., Any], x: Any, weights: int, reverse: bool, sizes: Sizes, *arguments: Any
) -> None:
    """Call a loop for parts of the batch of ``x`` (T, N, ...), with its last arguments."""
    steps, batch = x.shape[:2]
    vector, height = shape()
    how = Layout(reverse, height, vector // x.itemsize)
    counts = np.full(steps, batch) if sizes is None else np.array(sizes, np.int64)
    each = max(1, min(how.lanes, -(-batch // get_num_threads())))
    share(rows, batch, 2.0 * steps * batch * weights / RATE, *arguments, counts, how, each=each)


def rnn(z: Any, h: Any, w: Any, b: Any, y: Any, relu: bool, reverse: bool, sizes: Sizes) -> None:
    z, h, w, b = _alike(y.dtype, z, h, w, b)
    _in_threads(rnn_rows, y, w.size, reverse, sizes, z, h, _factor(w), b, y, relu)


def rnn_back(g: Any, y: Any, w: Any, dz: Any, dh: Any, relu: bool, reverse: bool, sizes: Sizes) -> None:
    g, y, w = _alike(dz.dtype, g, y, w)
    _in_threads(rnn_rows_back, y, w.size, reverse, sizes, g, y, _transposed(w), dz, dh, relu)


def lstm(
    z: Any, h: Any, w: Any, b: Any, project: Any, peephole: Any, kept: Any, y: Any, reverse: bool,
    sizes: Sizes,
) -> None:  # fmt: skip
    z, h, w, b = _alike(y.dtype, z, h, w, b)
    projection = _nothing(y.dtype) if project is None else _factor(*_alike(y.dtype, project))
    (peephole,) = _alike(y.dtype, np.empty((0, 0)) if peephole is None else peephole)
    _in_threads(lstm_rows, y, w.size, reverse, sizes, z, h, _factor(w), b, projection, peephole, *kept, y)


def lstm_back(
    g: Any, w: Any, project: Any, peephole: Any, kept: Any, dz: Any, outputs: Any, dh: Any, dc: Any,
    reverse: bool, sizes: Sizes,
) -> None:  # fmt: skip
    g, w = _alike(dz.dtype, g, w)
    projection = _nothing(dz.dtype) if project is None else _transposed(*_alike(dz.dtype, project))
    (peephole,) = _alike(dz.dtype, np.empty((0, 0)) if peephole is None else peephole)
    _in_threads(lstm_rows_back, g, w.size, reverse, sizes, g, _transposed(w), projection, peephole, *kept,
                dz, outputs, dh, dc)  # fmt: skip


def gru(
    z: Any, h: Any, w: Any, b: Any, b_new: Any, gates: Any, y: Any, reverse: bool, sizes: Sizes
) -> None:
    z, h, w, b, b_new = _alike(y.dtype, z, h, w, b, b_new)
    _in_threads(gru_rows, y, w.size, reverse, sizes, z, h, _factor(w), b, b_new, gates, y)


def gru_back(
    g: Any, y: Any, h: Any, w: Any, gates: Any, dz: Any, dp: Any, dh: Any, reverse: bool, sizes: Sizes
) -> None:
    g, y, h, w = _alike(dz.dtype, g, y, h, w)
    _in_threads(gru_rows_back, y, w.size, reverse, sizes, g, y, h, _transposed(w), gates, dz, dp, dh)
