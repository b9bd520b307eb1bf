"""Sequences of different lengths as one array: padded to the longest, or packed one time after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core import ops
from autograd_core.ducks import duck
from autograd_core.errors import CompileError, message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip

Indices = ndarray[Any, Any]


class PackedSequence(NamedTuple):
    """Sequences without padding: all their first elements, then all their second ones, and so on.

    The longest sequence comes first, so that those which still run at a time are the first
    ``batch_sizes[t]``. Made by :func:`pack_padded_sequence` and :func:`pack_sequence`; RNN, LSTM and GRU take
    it and return one.

    Attributes:
        data: (sum of the lengths, ...).
        batch_sizes: how many sequences run at each time.
        sorted_indices: which sequence was put at each place; None: they came sorted.
        unsorted_indices: at which place each sequence is.

    >>> PackedSequence(np.array([1.0, 4.0, 2.0]), np.array([2, 1])).batch_sizes
    array([2, 1])
    """

    data: Any
    batch_sizes: Indices
    sorted_indices: Indices | None = None
    unsorted_indices: Indices | None = None


def invert_permutation(permutation: Any) -> Indices | None:
    """Return the permutation that undoes another; None for None.

    >>> invert_permutation([2, 0, 1])
    array([1, 2, 0])
    """
    return None if permutation is None else np.argsort(np.asarray(permutation))


def checked_lengths(who: str, lengths: Any, longest: int, batch: int) -> Indices:
    """Return lengths as integers, one of 1 to ``longest`` for each of the batch."""
    if duck((strip(lengths),)) is not None:
        raise CompileError(message(
            who, "lengths as an array of a step that is captured: the shape of the result depends on them",
            "numbers that the step knows", "lengths.tolist() as its argument: each set of lengths gets a plan"
        ))  # fmt: skip
    n = np.asarray(strip(lengths))
    if n.dtype.kind not in "iu" or n.shape != (batch,):
        raise ValueError(message(who, f"lengths of shape {n.shape} and dtype {n.dtype}",
                                 f"{batch} integers, one for each sequence"))  # fmt: skip
    if batch and not (n.min() >= 1 and n.max() <= longest):
        wrong = n.min() if n.min() < 1 else n.max()
        raise ValueError(message(who, f"a length of {wrong}",
                                 f"1 to {longest}, the length of the padded input"))  # fmt: skip
    return n.astype(np.int64)


def running(lengths: Indices, steps: int) -> Indices:
    """Return how many sequences run at each time.

    >>> running(np.array([3, 1]), 4)
    array([2, 1, 1, 0])
    """
    ends = np.bincount(lengths, minlength=steps + 1)[: steps + 1]
    return len(lengths) - np.cumsum(ends)[:-1]


def places(batch_sizes: Indices) -> tuple[Indices, Indices]:
    """Return time and row of each element of a packed sequence."""
    starts = np.cumsum(batch_sizes) - batch_sizes
    times = np.repeat(np.arange(len(batch_sizes)), batch_sizes)
    return times, np.arange(len(times)) - starts[times]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Return what a padded batch holds without its padding.

    Args:
        input: (T, N, ...), or (N, T, ...) with ``batch_first``.
        lengths: of each sequence, N integers from 1 to T.
        batch_first: where the batch axis is.
        enforce_sorted: the longest sequence has to come first; False sorts them.

    Raises:
        ValueError: the lengths do not fit the input, or are not sorted.

    >>> x = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    >>> pack_padded_sequence(x, [3, 1], batch_first=True)[:2]
    (array([1., 4., 2., 3.]), array([2, 1, 1]))
    """
    who = "pack_padded_sequence"
    if np.ndim(input) < 2:
        raise ValueError(message(who, f"an input of shape {np.shape(input)}", "(T, N, ...)", "x[:, None]"))
    x = ops.swapaxes(input, 0, 1) if batch_first else input
    n = checked_lengths(who, lengths, x.shape[0], x.shape[1])
    order = None
    if not enforce_sorted:
        order = np.argsort(-n, kind="stable")
        n = n[order]
    elif (np.diff(n) > 0).any():
        raise ValueError(message(who, f"lengths {n.tolist()}", "the longest first", "enforce_sorted=False"))
    sizes = running(n, int(n.max(initial=0)))
    times, rows = places(sizes)
    data = x[times, rows if order is None else order[rows]]
    return PackedSequence(data, sizes, order, invert_permutation(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Indices]:  # fmt: skip
    """Return a padded batch and the lengths: what :func:`pack_padded_sequence` was given.

    Args:
        sequence: a packed sequence.
        batch_first: return (N, T, ...), not (T, N, ...).
        padding_value: what stands after the end of a sequence.
        total_length: T; None takes the length of the longest.

    Raises:
        ValueError: the longest sequence is longer than ``total_length``.
        TypeError: something that is not a PackedSequence.

    >>> pad_packed_sequence(PackedSequence(np.array([1.0, 4.0, 2.0]), np.array([2, 1])), batch_first=True)
    (array([[1., 2.],
           [4., 0.]]), array([2, 1]))
    """
    who = "pad_packed_sequence"
    if not isinstance(sequence, PackedSequence):
        raise TypeError(message(who, f"a {type(sequence).__name__}", "a PackedSequence",
                                "pack_padded_sequence(...)"))  # fmt: skip
    data, sizes, _, back = sequence
    steps = len(sizes) if total_length is None else total_length
    if steps < len(sizes):
        raise ValueError(message(who, f"total_length={total_length}",
                                 f"at least {len(sizes)}, the longest sequence"))  # fmt: skip
    batch = int(sizes[0]) if len(sizes) else 0
    lengths = np.add.reduce(np.asarray(sizes)[:, np.newaxis] > np.arange(batch), dtype=np.int64)
    times, rows = places(sizes)
    if back is not None:
        lengths, rows = lengths[back], np.argsort(back)[rows]
    index, shape = (times, rows), (steps, batch, *data.shape[1:])
    if batch_first:
        index, shape = (rows, times), (batch, steps, *data.shape[1:])
    y = ops.scatter(data, index=index, shape=shape)
    if padding_value:
        around = np.full(shape, padding_value, data.dtype)
        around[index] = 0
        y = y + around
    return y, lengths


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:  # fmt: skip
    """Return sequences of different lengths as one padded array.

    Args:
        sequences: arrays of shapes (T_1, ...), (T_2, ...), ...
        batch_first: return (N, T, ...), not (T, N, ...).
        padding_value: what the shorter ones are filled up with.
        padding_side: ``"right"``, at their end, or ``"left"``.

    Raises:
        ValueError: there are no sequences, or their elements have different shapes.

    >>> pad_sequence([np.array([1.0, 2.0]), np.array([3.0])], batch_first=True)
    array([[1., 2.],
           [3., 0.]])
    """
    who = "pad_sequence"
    if padding_side not in ("left", "right"):
        raise ValueError(message(who, f"padding_side={padding_side!r}", "'left' or 'right'"))
    xs = [x if hasattr(x, "shape") else np.asarray(x) for x in sequences]
    if not xs or any(x.ndim == 0 or x.shape[1:] != xs[0].shape[1:] for x in xs):
        raise ValueError(message(who, f"sequences of shapes {[x.shape for x in xs]}",
                                 "one or more that differ in their first axis only"))  # fmt: skip
    steps = max(len(x) for x in xs)
    padded = []
    for x in xs:
        fill = np.full((steps - len(x), *x.shape[1:]), padding_value, x.dtype)
        padded.append(ops.concatenate([x, fill] if padding_side == "right" else [fill, x]))
    return ops.stack(padded, axis=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Return the sequences of a padded batch: what :func:`pad_sequence` was given.

    >>> unpad_sequence(np.array([[1.0, 2.0], [3.0, 0.0]]), [2, 1], batch_first=True)
    [array([1., 2.]), array([3.])]
    """
    x = padded_sequences if batch_first else ops.swapaxes(padded_sequences, 0, 1)
    n = checked_lengths("unpad_sequence", lengths, x.shape[1], x.shape[0])
    return [x[i, :k] for i, k in enumerate(n.tolist())]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths.

    Args:
        sequences: arrays of shapes (T_1, ...), (T_2, ...), ...
        enforce_sorted: the longest sequence has to come first; False sorts them.

    Raises:
        ValueError: they are not sorted, or do not fit each other.

    >>> pack_sequence([np.array([1.0, 2.0]), np.array([3.0])])[:2]
    (array([1., 3., 2.]), array([2, 1]))
    """
    return pack_padded_sequence(pad_sequence(sequences), [len(x) for x in sequences],
                                enforce_sorted=enforce_sorted)  # fmt: skip


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences of a packed one: what :func:`pack_sequence` was given.

    >>> unpack_sequence(pack_sequence([np.array([1.0, 2.0]), np.array([3.0])]))
    [array([1., 2.]), array([3.])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
