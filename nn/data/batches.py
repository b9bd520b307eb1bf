"""Mini-batches: arrays cut along their first axis, in a new random order each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core.errors import message

from .. import random

__all__ = ["Batches", "batches", "train_test_split"]


def same_length(who: str, arrays: tuple[Any, ...]) -> tuple[list[Any], int]:
    """Return arrays that have as many samples as each other, and how many that is."""
    if not arrays:
        raise ValueError(message(who, "no array", "at least one"))
    values = [np.asarray(a) for a in arrays]
    shapes = [a.shape for a in values]
    if any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(message(who, f"arrays of shapes {', '.join(map(str, shapes))}",
                                 "the same number of samples, along the first axis"))  # fmt: skip
    return values, shapes[0][0]


class Batches:
    """What :func:`batches` returns: it can be iterated over again and again, and has a length.

    >>> from autograd_core import nn
    >>> found = nn.data.batches(np.arange(5), batch_size=2, shuffle=False)
    >>> type(found).__name__, len(found), list(found)
    ('Batches', 3, [array([0, 1]), array([2, 3]), array([4])])
    """

    def __init__(
        self, arrays: tuple[Any, ...], batch_size: int, shuffle: bool, drop_last: bool,
        generator: np.random.Generator | None,
    ) -> None:  # fmt: skip
        self.arrays, self.samples = same_length("batches", arrays)
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(message("batches", f"batch_size={batch_size!r}", "a positive integer"))
        self.batch_size, self.shuffle, self.drop_last = int(batch_size), shuffle, drop_last
        self.generator = generator

    def __len__(self) -> int:
        whole, rest = divmod(self.samples, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        order = None
        if self.shuffle:
            order = (self.generator or random.generator()).permutation(self.samples)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            end = start + self.batch_size
            if order is None:
                batch = tuple(a[start:end] for a in self.arrays)
            else:
                batch = tuple(np.take(a, order[start:end], axis=0) for a in self.arrays)
            yield batch if len(batch) > 1 else batch[0]

    def __repr__(self) -> str:
        return f"<{len(self)} batches of {self.batch_size} of {self.samples} samples>"


def batches(
    *arrays: Any, batch_size: int = 32, shuffle: bool = True, drop_last: bool = False,
    generator: np.random.Generator | None = None,
) -> Batches:  # fmt: skip
    """Cut arrays into mini-batches along their first axis.

    Args:
        arrays: as many samples in each; a batch is a tuple of as many arrays (one array for one).
        batch_size: samples in each batch.
        shuffle: a new random order each time it is iterated over.
        drop_last: leave out a last batch that is not full.
        generator: where the order comes from; the library's own by default.

    Raises:
        ValueError: the arrays have different numbers of samples.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> loader = nn.data.batches(x, y, batch_size=2, shuffle=False)
    >>> len(loader), [labels.tolist() for _, labels in loader]
    (3, [[0, 1], [2, 3], [4]])
    """
    return Batches(arrays, batch_size, shuffle, drop_last, generator)


def train_test_split(
    *arrays: Any, test_size: float | int = 0.25, shuffle: bool = True,
    generator: np.random.Generator | None = None,
) -> list[Any]:  # fmt: skip
    """Divide arrays into a part to train on and a part to test on.

    Args:
        arrays: as many samples in each.
        test_size: the number of test samples, or their fraction of all (below 1).
        shuffle: choose at random; otherwise the last samples are the test part.
        generator: where the choice comes from; the library's own by default.

    Returns:
        the two parts of each array in turn: x_train, x_test, y_train, y_test.

    Raises:
        ValueError: a part would be empty, or the numbers of samples differ.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> parts = nn.data.train_test_split(x, y, test_size=2)
    >>> [part.shape for part in parts]
    [(3, 2), (2, 2), (3,), (2,)]
    """
    values, n = same_length("train_test_split", arrays)
    count = round(n * test_size) if test_size < 1 else int(test_size)
    if not 0 < count < n:
        raise ValueError(message("train_test_split", f"test_size={test_size} of {n} samples",
                                 "some for each part"))  # fmt: skip
    order = (generator or random.generator()).permutation(n) if shuffle else np.arange(n)
    return [part for a in values for part in (a[order[:-count]], a[order[-count:]])]
