"""Mini-batches of arrays: the short form of a :class:`DataLoader`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .datasets import TensorDataset, same_length
from .loader import DataLoader

__all__ = ["batches"]


def batches(
    *arrays: Any, batch_size: int = 32, shuffle: bool | None = None, drop_last: bool = False,
    sampler: Any = None, generator: np.random.Generator | None = None, prefetch: int = 0,
    transform: Callable[..., Any] | None = None,
) -> DataLoader:  # fmt: skip
    """Cut arrays into mini-batches along their first axis.

    A batch is a copy of the rows and may be written to.

    Args:
        arrays: as many samples in each; a batch is a tuple of as many arrays (one array for one).
        batch_size: samples in each batch.
        shuffle: a new random order each time it is iterated over; so by default, unless a sampler is given.
        drop_last: leave out a last batch that is not full.
        sampler: indices of the samples of an epoch, such as a :class:`WeightedRandomSampler`.
        generator: where the order comes from; the library's own by default.
        prefetch: how many batches may be made ahead in a background thread.
        transform: called as ``transform(*batch, rng=rng)``; see :class:`DataLoader`.

    Raises:
        ValueError: the arrays have different numbers of samples, none, or fewer than one batch.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> loader = nn.data.batches(x, y, batch_size=2, shuffle=False)
    >>> len(loader), [labels.tolist() for _, labels in loader]
    (3, [[0, 1], [2, 3], [4]])
    """
    values, _ = same_length("batches", arrays)
    if shuffle is None:
        shuffle = sampler is None
    return DataLoader(TensorDataset(*values), batch_size, shuffle, sampler, drop_last=drop_last,
                      generator=generator, prefetch=prefetch, transform=transform)  # fmt: skip
