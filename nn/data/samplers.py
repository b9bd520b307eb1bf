"""Samplers: which samples an epoch consists of, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .. import random
from ..settings import is_whole
from .datasets import integers

__all__ = [
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler",
    "WeightedRandomSampler",
]  # fmt: skip


class Sampler:
    """The indices of an epoch: write ``draw``, or ``__iter__`` where nothing is random.

    A loader calls ``draw`` with a generator made from the seed of the epoch, so that the epoch can be
    repeated. Iterated over by itself, a sampler draws from its own generator, else the library's.

    >>> from autograd_core import nn
    >>> class Longest(nn.data.Sampler):
    ...     def __init__(self, texts):
    ...         self.order = np.argsort([-len(text) for text in texts])
    ...     def draw(self, rng):
    ...         return self.order
    ...     def __len__(self):
    ...         return len(self.order)
    >>> texts = ["to", "every", "one"]
    >>> list(nn.data.DataLoader(texts, batch_size=2, sampler=Longest(texts)))
    [['every', 'one'], ['to']]
    """

    generator: np.random.Generator | None = None

    def draw(self, rng: np.random.Generator) -> Any:
        """Return the indices of one epoch, all that is random drawn from ``rng``."""
        if type(self).__iter__ is Sampler.__iter__:
            raise NotImplementedError(message(type(self).__name__, "no draw", "draw(rng) or __iter__"))
        return iter(self)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.draw(self.generator or random.generator()))


class SequentialSampler(Sampler):
    """All samples in their order: 0, 1, ..., n - 1.

    >>> from autograd_core import nn
    >>> list(nn.data.SequentialSampler(["a", "b", "c"]))
    [np.int64(0), np.int64(1), np.int64(2)]
    """

    def __init__(self, data_source: Any) -> None:
        self.samples = _count("SequentialSampler", data_source)

    def draw(self, rng: np.random.Generator) -> ndarray[Any, Any]:
        return np.arange(self.samples)

    def __len__(self) -> int:
        return self.samples


class RandomSampler(Sampler):
    """All samples in a random order, or with ``replacement`` as many independent draws.

    Args:
        data_source: the dataset, or how many samples it has.
        replacement: draw each anew: a bootstrap sample of the dataset, another one in every epoch.
        num_samples: how many to draw; as many as there are by default. Without replacement and
            beyond that number, one random order follows another.
        generator: for iterating over the sampler itself.

    >>> from autograd_core import nn
    >>> sorted(nn.data.RandomSampler(4).draw(np.random.default_rng(0)))
    [np.int64(0), np.int64(1), np.int64(2), np.int64(3)]
    >>> len(nn.data.RandomSampler(4, replacement=True, num_samples=9))
    9
    """

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None,
        generator: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        self.samples = _count("RandomSampler", data_source)
        self.replacement, self.generator = replacement, checked("RandomSampler", generator)
        self.num_samples = self.samples
        if num_samples is not None:
            self.num_samples = positive("RandomSampler", "num_samples", num_samples)

    def draw(self, rng: np.random.Generator) -> ndarray[Any, Any]:
        if self.replacement:
            return rng.integers(self.samples, size=self.num_samples)
        rounds = -(-self.num_samples // self.samples)
        drawn = [rng.permutation(self.samples) for _ in range(rounds)]
        return (np.concatenate(drawn) if rounds > 1 else drawn[0])[: self.num_samples]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices in a random order.

    >>> from autograd_core import nn
    >>> sorted(nn.data.SubsetRandomSampler([5, 2, 9]))
    [np.int64(2), np.int64(5), np.int64(9)]
    """

    def __init__(self, indices: Any, generator: np.random.Generator | None = None) -> None:
        self.indices = integers("SubsetRandomSampler", indices)
        self.generator = checked("SubsetRandomSampler", generator)

    def draw(self, rng: np.random.Generator) -> ndarray[Any, Any]:
        return rng.permutation(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Draw sample i with a probability in proportion to ``weights[i]``.

    Against classes of unequal size, the weight of a sample is 1 over the size of its class: then each
    class is drawn equally often.

    Args:
        weights: one for each sample, 0 or more; their sum need not be 1.
        num_samples: how many to draw.
        replacement: otherwise no sample comes twice.
        generator: for iterating over the sampler itself.

    >>> from autograd_core import nn
    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> sampler = nn.data.WeightedRandomSampler(1 / np.bincount(labels)[labels], 1000)
    >>> drawn = labels[sampler.draw(np.random.default_rng(0))]
    >>> round(float(drawn.mean()), 1)
    0.5
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True,
        generator: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        w = np.asarray(weights, np.float64)
        if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or not (w > 0).any():
            raise ValueError(message(
                "WeightedRandomSampler", f"weights {_short(weights)}",
                "one finite weight of 0 or more for each sample, not all 0"))  # fmt: skip
        self.weights, self.replacement = w, replacement
        self.generator = checked("WeightedRandomSampler", generator)
        self.num_samples = positive("WeightedRandomSampler", "num_samples", num_samples)
        if not replacement and self.num_samples > (possible := int(np.count_nonzero(w))):
            raise ValueError(message("WeightedRandomSampler", f"num_samples={self.num_samples}",
                                     f"at most {possible}, the samples with a weight above 0",
                                     "replacement=True"))  # fmt: skip

    def draw(self, rng: np.random.Generator) -> ndarray[Any, Any]:
        p = self.weights / self.weights.sum()
        return rng.choice(p.size, self.num_samples, self.replacement, p)

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The indices of a sampler in lists of ``batch_size``.

    >>> from autograd_core import nn
    >>> sampler = nn.data.BatchSampler(nn.data.SequentialSampler(5), batch_size=2, drop_last=False)
    >>> list(sampler)
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        self.sampler, self.drop_last = sampler, drop_last
        self.batch_size = positive("BatchSampler", "batch_size", batch_size)
        self.generator = getattr(sampler, "generator", None)

    def draw(self, rng: np.random.Generator) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in drawn(self.sampler, rng):
            batch.append(int(index))
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)


def drawn(sampler: Any, rng: np.random.Generator) -> Any:
    """Return what a sampler gives in an epoch; one that is not of this library only by itself."""
    return sampler.draw(rng) if hasattr(sampler, "draw") else sampler


def _count(who: str, data_source: Any) -> int:
    n = int(data_source) if is_whole(data_source) else len(data_source)
    if n < 1:
        raise ValueError(message(who, f"{n} samples", "at least one"))
    return n


def positive(who: str, name: str, value: Any) -> int:
    """Return a positive whole number, or refuse what is none."""
    if not is_whole(value) or value < 1:
        raise ValueError(message(who, f"{name}={value!r}", "a positive integer"))
    return int(value)


def checked(who: str, generator: Any) -> np.random.Generator | None:
    """Return a generator, or None for the library's own; refuse what is neither, such as a seed."""
    if generator is not None and not isinstance(generator, np.random.Generator):
        raise TypeError(message(who, f"generator={generator!r}", "a NumPy generator",
                                "np.random.default_rng(0)"))  # fmt: skip
    return generator


def _short(values: Any) -> str:
    text = repr(values)
    return text if len(text) < 60 else text[:57] + "..."
