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
    kind = next((k for k in (Mapping, tuple | list) if isinstance(first, k)), object)
    if not all(isinstance(sample, kind) for sample in samples):
        kinds = " and ".join(sorted({type(sample).__name__ for sample in samples}))
        raise TypeError(message("DataLoader", f"samples of types {kinds} in one batch",
                                "the same structure in each", "collate_fn="))  # fmt: skip
    if kind is Mapping:
        if any(sample.keys() != first.keys() for sample in samples):
            keys = sorted({str(list(sample)) for sample in samples})
            raise ValueError(message("DataLoader", f"samples with the keys {' and '.join(keys)}",
                                     "the same keys in each", "collate_fn="))  # fmt: skip
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if kind is not object:
        if len({len(sample) for sample in samples}) > 1:
            raise ValueError(message(
                "DataLoader", f"samples of {sorted({len(s) for s in samples})} parts",
                "as many parts in each", "collate_fn="))  # fmt: skip
        parts = [default_collate(part) for part in zip(*samples)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    arrays = [np.asarray(sample) for sample in samples]
    if odd := [s for s, a in zip(samples, arrays) if a.dtype == object or isinstance(s, str | bytes)]:
        raise TypeError(message(
            "DataLoader", f"samples of type {type(odd[0]).__name__}",
            "arrays, numbers, or tuples and dictionaries of these", "collate_fn="))  # fmt: skip
    if len({a.shape for a in arrays}) > 1:
        shapes = " and ".join(map(str, sorted({a.shape for a in arrays})))
        raise ValueError(message("DataLoader", f"samples of shapes {shapes} in one batch",
                                 "equal shapes", "a collate_fn that pads them"))  # fmt: skip
    batch = np.stack(arrays)
    plain = batch.dtype == np.float64 and all(type(sample) in (bool, int, float) for sample in samples)
    return batch.astype(np.float32) if plain else batch
