"""Samples put together to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_core.errors import message

__all__ = ["default_collate"]


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, in the structure that a sample has.

    Arrays are stacked; Python's numbers become an array (floats float32, integers int64); tuples,
    lists and dictionaries of these are gone through; texts stay a list.

    Raises:
        ValueError: the samples have different shapes, lengths or keys.
        TypeError: samples of a type that cannot be stacked.

    >>> from autograd_core import nn
    >>> nn.data.default_collate([(np.zeros(2), 3), (np.ones(2), 4)])
    (array([[0., 0.], [1., 1.]]), array([3, 4]))
    """
    first = samples[0]
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Mapping):
        if any(sample.keys() != first.keys() for sample in samples):
            keys = sorted({str(list(sample)) for sample in samples})
            raise ValueError(message("DataLoader", f"samples with the keys {' and '.join(keys)}",
                                     "the same keys in each", "collate_fn="))  # fmt: skip
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, tuple | list):
        if len({len(sample) for sample in samples}) > 1:
            raise ValueError(message(
                "DataLoader", f"samples of {sorted({len(s) for s in samples})} parts",
                "as many parts in each", "collate_fn="))  # fmt: skip
        parts = [default_collate(part) for part in zip(*samples)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    arrays = [np.asarray(sample) for sample in samples]
    if arrays[0].dtype == object:
        raise TypeError(message(
            "DataLoader", f"samples of type {type(first).__name__}",
            "arrays, numbers, or tuples and dictionaries of these", "collate_fn="))  # fmt: skip
    if len({a.shape for a in arrays}) > 1:
        shapes = " and ".join(map(str, sorted({a.shape for a in arrays})))
        raise ValueError(message("DataLoader", f"samples of shapes {shapes} in one batch",
                                 "equal shapes", "a collate_fn that pads them"))  # fmt: skip
    batch = np.stack(arrays)
    return batch.astype(np.float32) if isinstance(first, float) and type(first) is float else batch
