"""Divide data: into a part to train on and one to test on, into random parts, into bootstrap samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .. import random
from ..settings import is_whole
from .datasets import Subset, same_length
from .samplers import checked

__all__ = ["bootstrap", "random_split", "train_test_split"]


def train_test_split(
    *arrays: Any, test_size: float | int = 0.25, shuffle: bool = True,
    generator: np.random.Generator | None = None, stratify: Any = None,
) -> list[Any]:  # fmt: skip
    """Divide arrays into a part to train on and a part to test on.

    Args:
        arrays: as many samples in each.
        test_size: the number of test samples, a whole number, or their fraction of all, below 1.
        shuffle: choose at random; otherwise the last samples are the test part.
        generator: where the choice comes from; the library's own by default.
        stratify: the class of each sample; both parts then have the classes in the proportions of
            the whole, to within one sample.

    Returns:
        the two parts of each array in turn: x_train, x_test, y_train, y_test.

    Raises:
        ValueError: a part would be empty, the numbers of samples differ, or a class has one sample
            alone, or a part is too small to hold each class.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> parts = nn.data.train_test_split(x, y, test_size=2)
    >>> [part.shape for part in parts]
    [(3, 2), (2, 2), (3,), (2,)]
    >>> labels = np.repeat([0, 1], [60, 20])
    >>> np.bincount(nn.data.train_test_split(labels, test_size=0.25, stratify=labels)[1])
    array([15,  5])
    """
    values, n = same_length("train_test_split", arrays)
    rng = checked("train_test_split", generator) or random.generator()
    count = int(test_size) if is_whole(test_size) else round(n * test_size) if 0 < test_size < 1 else 0
    if not 0 < count < n:
        raise ValueError(message("train_test_split", f"test_size={test_size} of {n} samples",
                                 "some for each part: a whole number, or a fraction below 1"))  # fmt: skip
    if stratify is not None:
        if not shuffle:
            raise ValueError(message("train_test_split", "stratify and shuffle=False", "one of them"))
        train, test = _stratified(np.asarray(stratify), n, count, rng)
    else:
        order = rng.permutation(n) if shuffle else np.arange(n)
        train, test = order[:-count], order[-count:]
    return [part for a in values for part in (a[train], a[test])]


def _stratified(
    labels: ndarray[Any, Any], n: int, count: int, rng: np.random.Generator
) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
    if labels.shape != (n,):
        raise ValueError(message("train_test_split", f"stratify of shape {labels.shape}",
                                 f"the class of each of {n} samples: ({n},)"))  # fmt: skip
    names, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if sizes.min() < 2:
        raise ValueError(message("train_test_split", f"one sample alone of class {names[sizes.argmin()]}",
                                 "two or more of each, to stratify"))  # fmt: skip
    if min(count, n - count) < len(names):
        raise ValueError(message(
            "train_test_split", f"parts of {n - count} and {count} samples, and {len(names)} classes",
            "a sample of each class in both parts"))  # fmt: skip
    exact = sizes * (count / n)
    share = np.floor(exact).astype(np.int64)
    # what rounding down left over goes to the largest fractions, of equal ones to some at random
    most = np.lexsort((rng.random(len(names)), share - exact))
    share[most[: count - share.sum()]] += 1
    order = rng.permutation(n)
    by_class = order[np.argsort(codes[order], kind="stable")]
    place = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # within its class
    chosen = place < np.repeat(share, sizes)
    return rng.permutation(by_class[~chosen]), rng.permutation(by_class[chosen])


def random_split(
    dataset: Any, lengths: Sequence[float], generator: np.random.Generator | None = None
) -> list[Subset]:
    """Divide a dataset at random into parts that share no sample.

    Args:
        dataset: with ``__len__`` and ``__getitem__``.
        lengths: how many samples each part gets; or fractions with the sum 1, which are rounded down,
            and what is left over goes to the parts in turn.
        generator: where the choice comes from; the library's own by default.

    Raises:
        ValueError: the lengths do not add up to that of the dataset.

    >>> from autograd_core import nn
    >>> parts = nn.data.random_split(nn.data.TensorDataset(np.arange(10.0)), [0.7, 0.15, 0.15])
    >>> [len(part) for part in parts]
    [8, 1, 1]
    """
    n, given = len(dataset), list(lengths)
    rng = checked("random_split", generator) or random.generator()
    if any(not math.isfinite(length) or length < 0 for length in given):
        raise ValueError(message("random_split", f"lengths {given}", "none below 0"))
    total = sum(given)
    if math.isclose(total, 1):
        sizes = [math.floor(n * length) for length in given]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    elif any(int(length) != length for length in given):
        raise ValueError(message("random_split", f"fractions {given} with the sum {total:g}", "the sum 1"))
    else:
        sizes = [int(length) for length in given]
    if sum(sizes) != n:
        raise ValueError(message("random_split", f"lengths {given} with the sum {total:g}",
                                 f"the sum {n}, the length of the dataset"))  # fmt: skip
    for i, length in enumerate(sizes):
        if length == 0:
            warnings.warn(f"[random_split] part {i} has no sample", stacklevel=2)
    order = rng.permutation(n)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(sizes)[:-1])]


def bootstrap(*arrays: Any, generator: np.random.Generator | None = None) -> list[Any]:
    """Draw as many samples as there are with replacement: the data of one model of a bagged ensemble.

    Returns:
        each array's drawn rows and, in turn, its rows that were not drawn, about 37% (1/e) of them, on
        which the model can be tested: x, x_left_out, y, y_left_out.

    Source: L. Breiman, Bagging predictors, Machine Learning 24, 1996.

    >>> from autograd_core import nn
    >>> x, left_out = nn.data.bootstrap(np.arange(1000))
    >>> len(x), len(set(x.tolist()) | set(left_out.tolist()))
    (1000, 1000)
    """
    values, n = same_length("bootstrap", arrays)
    if n == 0:
        raise ValueError(message("bootstrap", "no samples", "at least one"))
    drawn = (checked("bootstrap", generator) or random.generator()).integers(n, size=n)
    left_out = np.ones(n, bool)
    left_out[drawn] = False
    return [part for a in values for part in (a[drawn], a[left_out])]
