"""Tables of vectors: looking up rows by index, one for each or a sum, mean or maximum for a bag of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import no_grad, ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from ..casting import taken

__all__ = ["embedding", "embedding_bag"]

def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Return the rows of a table at some indices: ``y = weight[input]``.

    The gradient of a row is the sum over the places where it was read; the table's is a dense array.

    Args:
        input: integers of any shape, from 0 to V - 1.
        weight: the table, (V, E).
        padding_idx: an index whose row gets no gradient; it may count from the end.
        max_norm: rows that are read and longer than this are first shortened, in the table itself.
        norm_type: p of the norm for max_norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was read.
        sparse: taken as PyTorch takes it, without effect.

    Returns:
        (*input.shape, E).

    Raises:
        TypeError: indices that are not integers.
        IndexError: an index outside the table.

    >>> from autograd_core import nn
    >>> nn.functional.embedding(np.array([2, 0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    array([[5., 6.],
           [1., 2.]])
    """
    index = _indices("embedding", input, weight)
    padding = _padding("embedding", padding_idx, weight)
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    y: Tensor = ops.getitem(weight, index)
    if padding is not None or scale_grad_by_freq:
        share = _shares(index, scale_grad_by_freq, weight.dtype)
        if padding is not None:
            share = share * (index != padding)
        y = _with_share(y, share[..., np.newaxis])
    return y


def _with_share(y: Any, share: Any) -> Any:
    """Return y, of whose gradient only a share goes on."""
    values = as_array(strip(y))
    return values + (y - values) * share


def _shares(index: Any, by_frequency: bool, dtype: Any) -> Any:
    """Return what share of its gradient each row that was read gets."""
    return _one_by_count(index, dtype) if by_frequency else np.ones(index.shape, dtype)


@kernel
def _one_by_count(index: Any, dtype: Any) -> Any:
    _, place, counts = np.unique(index, return_inverse=True, return_counts=True)
    return (1 / counts[place.reshape(index.shape)]).astype(dtype)


def _indices(who: str, input: Any, weight: Any) -> Any:
    """Return indices as an array, each of them one of the table's."""
    if np.ndim(weight) != 2:
        raise ValueError(message(who, f"a table of shape {np.shape(weight)}", "(V, E)"))
    index = as_array(strip(input))
    if index.dtype.kind not in "iu":
        if index.size:
            raise TypeError(message(who, f"indices of dtype {index.dtype}", "integers", "index.astype(int)"))
        index = index.astype(np.intp)
    n = weight.shape[0]
    _check_rows(index, n, who)
    return index


@kernel
def _check_rows(index: Any, n: int, who: str) -> None:
    if index.size and (index.min() < 0 or index.max() >= n):
        wrong = index.min() if index.min() < 0 else index.max()
        raise IndexError(message(who, f"index {wrong}", f"0 to {n - 1}, for a table of {n} rows",
                                 f"num_embeddings={wrong + 1}" if wrong > 0 else ""))  # fmt: skip


def _padding(who: str, padding_idx: int | None, weight: Any) -> int | None:
    if padding_idx is None:
        return None
    n = weight.shape[0]
    if not -n <= padding_idx < n:
        raise ValueError(message(who, f"padding_idx={padding_idx}", f"{-n} to {n - 1}"))
    return padding_idx % n


def _shorten(weight: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Shorten rows of the table that are read and longer than ``max_norm``, as PyTorch does: in place."""
    table = as_array(strip(weight))
    if type(table) is not np.ndarray or type(index) is not np.ndarray:  # captured: how many are long varies
        rows = index.reshape(-1)
        with no_grad():
            weight[rows] = _shortened(table, rows, max_norm, norm_type)
        return
    rows = np.unique(index)
    norms = as_array(ops.norm(table[rows], norm_type, axis=1))
    long = norms > max_norm
    if long.any():
        with no_grad():
            weight[rows[long]] = table[rows[long]] * (max_norm / (norms[long] + 1e-7))[:, np.newaxis]


@kernel
def _shortened(table: Any, index: Any, max_norm: float, norm_type: float) -> Any:
    """Return the rows that are read, those that are longer than ``max_norm`` shortened."""
    rows, place = np.unique(index, return_inverse=True)
    values = table[rows]
    norms = as_array(ops.norm(values, norm_type, axis=1))
    long = norms > max_norm
    values[long] *= (max_norm / (norms[long] + 1e-7))[:, np.newaxis]
    return values[place]


# -- bags ------------------------------------------------------------------------------------------


def embedding_bag(
    input: Any, weight: Any, offsets: Any = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Any = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Return a sum, mean or maximum of the rows in each bag of indices; an empty bag gives zeros.

    Args:
        input: integers, (B, n): a bag in each row; or (M,): one bag after the other.
        weight: the table, (V, E).
        offsets: (B,), where in ``input`` of one axis each bag begins.
        max_norm, norm_type: those of :func:`embedding`.
        scale_grad_by_freq: divide the gradient of a row by how often it was read; not with ``"max"``.
        mode: ``"sum"``, ``"mean"`` or ``"max"``; of equal ones the first gets max's gradient.
        sparse: that of :func:`embedding`.
        per_sample_weights: a factor for each index, of the shape of input; only with ``"sum"``.
        include_last_offset: ``offsets`` has one more, the end of the last bag.
        padding_idx: an index that does not count.

    Returns:
        (B, E).

    Raises:
        TypeError: indices that are not integers.
        IndexError: an index outside the table.
        ValueError: offsets that do not fit, an unknown mode.

    >>> from autograd_core import nn
    >>> table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> nn.functional.embedding_bag(np.array([0, 1, 2]), table, np.array([0, 2]), mode="sum")
    array([[4., 6.],
           [5., 6.]])
    """
    who = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ValueError(message(who, f"mode={mode!r}", "'sum', 'mean' or 'max'"))
    if scale_grad_by_freq and mode == "max":
        raise ValueError(message(who, "scale_grad_by_freq=True", "False with mode='max'"))
    index = _indices(who, input, weight)
    padding = _padding(who, padding_idx, weight)
    starts = _starts(index, offsets, include_last_offset)
    shape, index, bags = index.shape, index.ravel(), len(starts) - 1
    factors = per_sample_weights
    if factors is not None:
        if mode != "sum":
            raise ValueError(message(who, f"per_sample_weights with mode={mode!r}", "mode='sum'"))
        factors = taken(factors, weight.dtype, who)
        if factors.shape != shape:
            raise ValueError(message(who, f"per_sample_weights of shape {factors.shape}", f"{shape}"))
        factors = np.reshape(factors, (-1,))
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    bag, lengths = _bags(index, starts, padding)
    if mode == "max":
        return _largest(weight, index, bag, bags)
    left_out = padding is not None
    if left_out and type(bag) is np.ndarray:  # a step that is captured keeps them, in a bag more
        counts, left_out = np.flatnonzero(bag < bags), False
        index, bag = index[counts], bag[counts]
        factors = None if factors is None else factors[counts]
    rows = ops.getitem(weight, index)
    if scale_grad_by_freq:
        rows = _with_share(rows, _shares(index, True, weight.dtype)[:, np.newaxis])
    if factors is not None:
        rows = rows * np.expand_dims(factors, 1)
    y: Any = ops.scatter(rows, index=bag, shape=(bags + left_out, weight.shape[1]))
    y = y[:bags] if left_out else y
    if mode == "mean":
        y = y / np.maximum(lengths, 1).astype(weight.dtype)[:, np.newaxis]
    return y


def _starts(index: Any, offsets: Any, include_last: bool) -> Any:
    """Return where each bag begins and, at last, where the last one ends."""
    who = "embedding_bag"
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(message(who, f"offsets for an input of shape {index.shape}",
                                     "none: each row is a bag"))  # fmt: skip
        return np.arange(index.shape[0] + 1) * index.shape[1]
    if index.ndim != 1 or offsets is None:
        raise ValueError(message(who, f"an input of shape {index.shape} and offsets={offsets}",
                                 "(B, n) without offsets, or (M,) with offsets (B,)"))  # fmt: skip
    starts = as_array(strip(offsets))
    if starts.ndim != 1 or starts.dtype.kind not in "iu" or (include_last and not starts.size):
        raise ValueError(message(who, f"offsets of shape {starts.shape} and dtype {starts.dtype}",
                                 "integers (B,), or (B + 1,) with include_last_offset"))  # fmt: skip
    _check_starts(starts, len(index), who)
    return starts if include_last else np.concatenate([starts, np.full(1, len(index), starts.dtype)])


@kernel
def _check_starts(starts: Any, n: int, who: str) -> None:
    if starts.size and (starts[0] != 0 or starts[-1] > n or (np.diff(starts) < 0).any()):
        raise ValueError(message(who, f"offsets {starts.tolist()} for {n} indices",
                                 "0 first, none smaller than the one before, at most that"))  # fmt: skip


@kernel
def _bags(index: Any, starts: Any, padding: int | None) -> Any:
    """Return which bag each index is in (padding in one after the last), and how many are in each."""
    lengths = np.diff(starts)
    bags = len(lengths)
    bag = np.repeat(np.arange(bags), lengths)
    if padding is not None:
        bag = np.where(index != padding, bag, bags)
        lengths = np.bincount(bag, minlength=bags + 1)[:bags]
    return bag, lengths


def _largest(weight: Any, index: Any, bag: Any, bags: int) -> Any:
    """Return the largest element of each bag and column: read where it stands first."""
    columns = weight.shape[1]
    if not index.size:
        return np.zeros((bags, columns), weight.dtype)
    rows, some = _rows_of_largest(as_array(strip(weight)), index, bag, bags)
    found = ops.getitem(weight, (rows, np.arange(columns)))
    if type(some) is np.ndarray and some.all():
        return found
    return ops.where(some[:, np.newaxis], found, 0)


@kernel
def _rows_of_largest(table: Any, index: Any, bag: Any, bags: int) -> Any:
    """Return the row with the largest element of each bag and column, and which bags have one."""
    counts = np.flatnonzero(bag < bags)
    index, bag = index[counts], bag[counts]
    lengths = np.bincount(bag, minlength=bags)
    full, found = np.flatnonzero(lengths), np.zeros((bags, table.shape[1]), np.intp)
    if full.size:
        rows, many = table[index], lengths[full]
        firsts = np.cumsum(many) - many
        top = np.maximum.reduceat(rows, firsts, axis=0)
        here = rows == np.repeat(top, many, axis=0)
        place = np.where(here, np.arange(len(index))[:, np.newaxis], len(index))
        place = np.minimum(np.minimum.reduceat(place, firsts, axis=0), len(index) - 1)
        found[full] = index[place]
    return found, lengths > 0
