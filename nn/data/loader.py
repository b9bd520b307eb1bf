"""Mini-batches of a dataset, in an order that one number fixes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .. import random
from ..settings import is_whole
from .collate import default_collate
from .datasets import IterableDataset, TensorDataset, arrays_behind, samples_of, take
from .prefetch import ahead
from .samplers import BatchSampler, RandomSampler, Sampler, checked, drawn

__all__ = ["DataLoader"]

# Rows are gathered for several small batches at once, which are then slices. Batches of 10 MNIST images and
# labels: 6.4 us each by one np.take per array and batch, 4.2 us by groups of this size (3.5 us are the copy).
GROUP = 2**18  # bytes


class DataLoader:
    """Batches of a dataset, in a new random order each time it is iterated over.

    The arguments are PyTorch's. What differs: a batch holds NumPy arrays; there are no worker
    processes, but ``prefetch`` makes batches in a background thread (NumPy and most input and output
    release the interpreter's lock); a batch larger than the dataset is an error; and everything random
    about an epoch follows from one number. To iterate over the loader is to write

        seed = loader.draw_seed()
        for batch in loader.epoch(seed, start=0): ...

    The same seed gives the same batches, with and without ``prefetch``, and ``start=n`` the same without
    the first n, which costs nothing. What a dataset draws by itself is outside of this; ``transform`` is
    the place for noise.

    Args:
        dataset: samples by number (``__getitem__`` and ``__len__``: a :class:`Dataset`, a list, an
            array), or one after another (``__iter__`` alone: an :class:`IterableDataset`, a generator).
        batch_size: samples in each batch; None gives the samples as they are, one at a time.
        shuffle: a new random order in each epoch.
        sampler: indices of the samples of an epoch, in place of ``shuffle``.
        batch_sampler: lists of indices, in place of ``batch_size``, ``shuffle``, ``sampler``, ``drop_last``.
        num_workers: 0; it is here for those who look for it.
        collate_fn: makes a batch of a list of samples; by default :func:`default_collate`. A batch of the
            rows of several arrays is a tuple, of one array that array.
        drop_last: leave out a last batch that is not full.
        generator: where the seeds of epochs come from; the library's own by default.
        prefetch: how many batches may be made ahead in a background thread; 0 makes each when asked for it.
            It pays where a batch takes longer than some 200 us to make and a core is free for that: on two
            cores with ``OPENBLAS_NUM_THREADS=1``, as matrix products would take both.
        transform: called for each batch as ``transform(*batch, rng=rng)``, where ``rng`` is a generator made
            from the seed of the epoch and the number of the batch, and returns the batch anew. One that
            takes no ``rng`` is called without.

    Attributes:
        samples: how many samples an epoch has before ``drop_last``; None where that is not known.

    Raises:
        ValueError: no samples; fewer samples than one batch; arguments that exclude each other.
        TypeError: a dataset, sampler, collate_fn or transform of the wrong type; a transform that returns
            nothing.

    >>> from autograd_core import nn
    >>> data = nn.data.TensorDataset(np.arange(10.0).reshape(5, 2), np.arange(5))
    >>> loader = nn.data.DataLoader(data, batch_size=2, shuffle=True)
    >>> len(loader), loader.samples
    (3, 5)
    >>> first = [labels.tolist() for _, labels in loader.epoch(seed=7)]
    >>> [labels.tolist() for _, labels in loader.epoch(seed=7, start=2)] == first[2:]
    True
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, sampler: Any = None,
        batch_sampler: Any = None, num_workers: int = 0, collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False, *, generator: np.random.Generator | None = None, prefetch: int = 0,
        transform: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        _check(batch_size, shuffle, sampler, batch_sampler, num_workers, drop_last)
        for name, value in (("collate_fn", collate_fn), ("transform", transform)):
            if value is not None and not callable(value):
                raise TypeError(message("DataLoader", f"{name}={value!r}", "a function"))
        self.batch_size = _integer("batch_size", 1 if batch_sampler is not None else batch_size)
        self.prefetch = _integer("prefetch", prefetch, least=0) or 0
        self.dataset = TensorDataset(dataset) if hasattr(dataset, "__array__") else dataset
        self.drop_last, self.generator = bool(drop_last), checked("DataLoader", generator)
        self.collate_fn, self.transform, self.batch_sampler = collate_fn, transform, batch_sampler
        self._takes_rng = transform is not None and _takes_rng(transform)
        numbered = hasattr(self.dataset, "__getitem__") and hasattr(self.dataset, "__len__")
        self.stream, self._begun = not numbered or isinstance(dataset, IterableDataset), False
        if self.stream and not hasattr(dataset, "__iter__"):
            raise TypeError(message("DataLoader", f"a dataset of type {type(dataset).__name__}",
                                    "__getitem__ and __len__, or __iter__"))  # fmt: skip
        if self.stream and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(message(
                "DataLoader", "samples that come one after another and an order for them",
                "no shuffle and no sampler", "a dataset with __getitem__ and __len__"))  # fmt: skip
        size = len(self.dataset) if hasattr(self.dataset, "__len__") else None
        if size == 0:
            raise ValueError(message("DataLoader", "an empty dataset", "at least one sample"))
        self.sampler = RandomSampler(size) if shuffle and size else sampler
        self.samples = self._count(size)
        if self.samples == 0:
            raise ValueError(message("DataLoader", "a sampler without indices", "at least one"))
        if self.samples is not None and batch_sampler is None and self.samples < (self.batch_size or 1):
            raise ValueError(message(
                "DataLoader", f"batch_size={self.batch_size} and {self.samples} samples",
                "as many samples as a batch has, or more", f"batch_size={self.samples}"))  # fmt: skip

    def _count(self, size: int | None) -> int | None:
        source = self.sampler
        if self.batch_sampler is not None:  # how many are in its lists is known where this library cuts them
            source = self.batch_sampler.sampler if type(self.batch_sampler) is BatchSampler else iter(())
        if source is None:
            return size
        return len(source) if hasattr(source, "__len__") else None

    def __len__(self) -> int:
        """Return the number of batches; a TypeError where it is not known."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)
        if self.samples is None:
            raise TypeError(message("DataLoader", "samples without a length", "a dataset with __len__"))
        whole, rest = divmod(self.samples, self.batch_size or 1)
        return whole + (rest > 0 and not self.drop_last)

    def draw_seed(self) -> int:
        """Draw the number from which an epoch follows; 0, without a draw, where nothing is random."""
        sampler = self.sampler if self.batch_sampler is None else self.batch_sampler
        if not self._takes_rng and not isinstance(sampler, Sampler):
            return 0
        generator = self.generator or getattr(sampler, "generator", None) or random.generator()
        return int(generator.integers(2**63))

    def __iter__(self) -> Iterator[Any]:
        return self.epoch(self.draw_seed())

    def epoch(self, seed: int, start: int = 0) -> Iterator[Any]:
        """Return the batches of the epoch of this seed, without the first ``start`` of them.

        A stream, or a sampler of one's own that is no :class:`Sampler`, is begun anew and its first
        part passed over; these repeat an epoch only as far as they repeat themselves.
        """
        for name, value in (("seed", seed), ("start", start)):
            _integer(name, value, least=0)
        make = partial(self._transformed, int(seed)) if self.transform else partial(self._plain, int(seed))
        return ahead(make, int(start), self.prefetch) if self.prefetch else make(int(start))

    def _transformed(self, seed: int, start: int) -> Iterator[Any]:
        transform, rng = self.transform, {}
        assert transform is not None
        for number, batch in enumerate(self._plain(seed, start), start):
            if self._takes_rng:
                rng = {"rng": np.random.default_rng([seed, number])}
            try:
                batch = transform(*batch, **rng) if isinstance(batch, tuple) else transform(batch, **rng)
            except Exception as error:
                error.add_note(f"[DataLoader] in the transform of batch {number}, seed {seed}")
                raise
            if batch is None:
                raise TypeError(message("DataLoader", "None from the transform", "the batch, changed",
                                        "a return in it"))  # fmt: skip
            yield batch

    def _plain(self, seed: int, start: int) -> Iterator[Any]:
        """Return the batches before their transform."""
        if self.stream:
            return self._streamed(start)
        # a spawn key, because [seed] and [seed, 0] are one and the same entropy, and batch 0 has the latter
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
        if self.batch_sampler is not None:
            lists = islice(drawn(self.batch_sampler, rng), start, None)
            return (self._batch(np.asarray(indices)) for indices in lists)
        order: Any = None if self.sampler is None else drawn(self.sampler, rng)
        if order is None or isinstance(order, ndarray | list | tuple | range):
            order = order if order is None else _indices(order)
            if self.collate_fn is None and self.batch_size and (found := arrays_behind(self.dataset)):
                return self._rows(*found, order, start)
            order = range(len(self.dataset)) if order is None else order.tolist()
        return self._cut(iter(order), start)

    def _rows(
        self, arrays: list[Any], rows: ndarray[Any, Any] | None, order: ndarray[Any, Any] | None, start: int
    ) -> Iterator[Any]:
        """Yield batches of rows of arrays, gathered for some batches at once."""
        if rows is not None:
            order = rows if order is None else rows[order]
        size, n = self.batch_size or 1, arrays[0].shape[0] if order is None else len(order)
        end = n // size * size if self.drop_last else n
        width = max(1, sum(a[:1].nbytes for a in arrays))
        step = size * max(1, GROUP // (size * width))
        alone = arrays[0] if len(arrays) == 1 else None
        for low in range(start * size, end, step):
            high = min(low + step, end)
            # by an index and not by np.take, which would first copy all of an array that is not contiguous
            parts = [a[low:high].copy() if order is None else a[order[low:high]]
                     for a in ([alone] if alone is not None else arrays)]  # fmt: skip
            if high - low <= size:
                yield parts[0] if alone is not None else tuple(parts)
            elif alone is not None:
                for i in range(0, high - low, size):
                    yield parts[0][i : i + size]
            elif len(parts) == 2:
                x, y = parts
                for i in range(0, high - low, size):
                    yield x[i : i + size], y[i : i + size]
            else:
                for i in range(0, high - low, size):
                    yield tuple([part[i : i + size] for part in parts])

    def _batch(self, indices: ndarray[Any, Any]) -> Any:
        if self.collate_fn is None:
            return take(self.dataset, indices)
        return self.collate_fn(samples_of(self.dataset, indices))

    def _cut(self, order: Iterator[Any], start: int) -> Iterator[Any]:
        """Yield batches of samples by their numbers."""
        if self.batch_size is None:
            for index in islice(order, start, None):
                yield samples_of(self.dataset, np.asarray([index]))[0]
            return
        for group in _groups(order, self.batch_size, start, self.drop_last):
            yield self._batch(np.asarray(group))

    def _streamed(self, start: int) -> Iterator[Any]:
        """Yield batches of samples that come one after another."""
        samples = iter(self.dataset)
        if samples is self.dataset:
            if self._begun:
                raise RuntimeError(message(
                    "DataLoader", f"samples of type {type(samples).__name__}, begun before",
                    "samples that can be begun anew",
                    "an IterableDataset, whose __iter__ makes the generator"))  # fmt: skip
            self._begun = True
        first = list(islice(samples, 1))
        if not first:
            raise ValueError(message("DataLoader", "an empty dataset", "at least one sample"))
        samples = chain(first, samples)
        if self.batch_size is None:
            yield from islice(samples, start, None)
            return
        collate, none = self.collate_fn or default_collate, start == 0
        for group in _groups(samples, self.batch_size, start, self.drop_last):
            yield collate(group)
            none = False
        if none:
            raise ValueError(message("DataLoader", f"fewer than batch_size={self.batch_size} samples",
                                     "as many samples as a batch has, or more"))  # fmt: skip

    def __repr__(self) -> str:
        cut = f"batches of {self.batch_size}" if self.batch_sampler is None else "batches"
        try:
            known = f"{len(self)} "
        except TypeError:
            known = ""
        of = f" of {self.samples} samples" if self.samples is not None else ""
        return f"<{known}{cut}{of}>"


def _check(
    batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, num_workers: int, drop_last: bool
) -> None:
    """Refuse settings that exclude each other."""
    if num_workers:
        raise ValueError(message(
            "DataLoader", f"num_workers={num_workers}", "0: there are no worker processes",
            "prefetch=2, which makes batches in a background thread"))  # fmt: skip
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError(message("DataLoader", "batch_sampler and one of batch_size, shuffle, sampler, "
                                 "drop_last", "the batch_sampler alone"))  # fmt: skip
    if isinstance(sampler, ndarray | list | tuple):
        _indices(sampler)
    if sampler is not None and shuffle:
        raise ValueError(message("DataLoader", "sampler and shuffle=True", "one of them"))
    if batch_size is None and drop_last:
        raise ValueError(message("DataLoader", "batch_size=None and drop_last=True", "a batch_size"))


def _indices(order: Any) -> ndarray[Any, Any]:
    """Return the indices of an epoch; truth values and fractions are none."""
    found = np.asarray(order)
    if found.ndim != 1 or (found.size and found.dtype.kind in "bfc"):
        raise TypeError(message("DataLoader", f"a sampler of shape {found.shape} and dtype {found.dtype}",
                                "indices", "np.flatnonzero of a mask"))  # fmt: skip
    return found


def _groups(items: Iterator[Any], size: int, start: int, drop_last: bool) -> Iterator[list[Any]]:
    items = islice(items, start * size, None)
    while group := list(islice(items, size)):
        if len(group) == size or not drop_last:
            yield group


def _integer(name: str, value: Any, least: int = 1) -> int | None:
    if value is None and name == "batch_size":
        return None
    if not is_whole(value) or value < least:
        raise ValueError(message("DataLoader", f"{name}={value!r}",
                                 "a positive integer" if least else "an integer of 0 or more"))  # fmt: skip
    return int(value)


def _takes_rng(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of a type that does not tell
        return True
    return any(p.name == "rng" or p.kind is p.VAR_KEYWORD for p in parameters)
