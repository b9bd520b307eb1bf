"""Datasets: what can be asked for a sample by its number, or gives its samples one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import as_tensor
from autograd_core.errors import message

from .collate import default_collate

__all__ = ["ConcatDataset", "Dataset", "IterableDataset", "Subset", "TensorDataset"]


def same_length(who: str, arrays: tuple[Any, ...]) -> tuple[list[Any], int]:
    """Return arrays that have as many samples as each other, and how many that is."""
    if not arrays:
        raise ValueError(message(who, "no array", "at least one"))
    values = [_array(a) for a in arrays]
    shapes = [a.shape for a in values]
    if any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(message(who, f"arrays of shapes {', '.join(map(str, shapes))}",
                                 "the same number of samples, along the first axis"))  # fmt: skip
    return values, shapes[0][0]


def _array(data: Any) -> ndarray[Any, Any]:
    array = np.asarray(data)
    if array.dtype == np.float64 and isinstance(data, list | tuple):  # Python's floats are float32
        return as_tensor(data).numpy()
    return array


def integers(who: str, indices: Any) -> ndarray[Any, Any]:
    """Return indices as an array; refuse a mask, whose truth values would count as 0 and 1."""
    found = np.asarray(indices if isinstance(indices, ndarray) else list(indices))
    found = found if found.size else found.astype(np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise TypeError(message(who, f"indices of shape {found.shape} and dtype {found.dtype}",
                                "a list of integers", "np.flatnonzero of a mask"))  # fmt: skip
    return found


class Dataset:
    """Samples by number: write ``__getitem__`` and ``__len__``.

    Where a whole batch is faster to get than its samples one by one, write ``take`` too.

    >>> from autograd_core import nn
    >>> class Squares(nn.data.Dataset):
    ...     def __len__(self):
    ...         return 5
    ...     def __getitem__(self, i):
    ...         return np.full(2, i), i**2
    >>> for x, y in nn.data.DataLoader(Squares(), batch_size=3):
    ...     print(x.shape, y)
    (3, 2) [0 1 4]
    (2, 2) [ 9 16]
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(message(type(self).__name__, "no __getitem__", "one that returns a sample"))

    def __len__(self) -> int:
        raise NotImplementedError(message(type(self).__name__, "no __len__", "the number of samples"))

    def take(self, indices: ndarray[Any, Any]) -> Any:
        """Return the batch of these samples."""
        return default_collate(samples_of(self, indices))

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset:
    """Samples one after another, of which there may be no end: write ``__iter__``.

    It begins anew each time. A ``__len__``, where it is known, gives the loader its length.

    >>> from autograd_core import nn
    >>> class Countdown(nn.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(5, 0, -1))
    >>> list(nn.data.DataLoader(Countdown(), batch_size=3))
    [array([5, 4, 3]), array([2, 1])]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(message(type(self).__name__, "no __iter__", "one that gives samples"))


class TensorDataset(Dataset):
    """The samples of arrays: row i of each, in a tuple, or alone where there is one array.

    Args:
        arrays: as many samples in each, along the first axis. They are not copied.

    Raises:
        ValueError: the arrays have different numbers of samples.

    >>> from autograd_core import nn
    >>> nn.data.TensorDataset(np.eye(2), np.array([5, 6]))[1]
    (array([0., 1.]), np.int64(6))
    """

    def __init__(self, *arrays: Any) -> None:
        self.arrays, self.samples = same_length("TensorDataset", arrays)

    def __getitem__(self, index: Any) -> Any:
        sample = tuple(a[index] for a in self.arrays)
        return sample if len(sample) > 1 else sample[0]

    def __len__(self) -> int:
        return self.samples

    def take(self, indices: ndarray[Any, Any]) -> Any:
        return self[indices]


class Subset(Dataset):
    """Some samples of a dataset, in the order of their indices, which may come twice.

    Raises:
        IndexError: the dataset has no sample of such a number.

    >>> from autograd_core import nn
    >>> list(nn.data.Subset(nn.data.TensorDataset(np.arange(10.0)), [7, 2]))
    [np.float64(7.0), np.float64(2.0)]
    """

    def __init__(self, dataset: Any, indices: Any) -> None:
        found, n = integers("Subset", indices), len(dataset)
        if found.size and not -n <= found.min() <= found.max() < n:
            wrong = found.max() if found.max() >= n else found.min()
            raise IndexError(message("Subset", f"index {wrong}", f"0 to {n - 1}"))
        self.dataset, self.indices = dataset, found % n if n else found

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, indices: ndarray[Any, Any]) -> Any:
        return take(self.dataset, self.indices[indices])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


class ConcatDataset(Dataset):
    """Datasets one behind the other, which ``+`` makes of two.

    >>> from autograd_core import nn
    >>> both = nn.data.ConcatDataset([nn.data.TensorDataset(np.arange(3)), range(9)])
    >>> len(both), both[2], both[3], both[-1]
    (12, np.int64(2), 0, 8)
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError(message("ConcatDataset", "no dataset", "at least one"))
        for dataset in self.datasets:
            if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
                raise TypeError(message("ConcatDataset", f"one of type {type(dataset).__name__}",
                                        "datasets with __len__ and __getitem__"))  # fmt: skip
        self.cumulative_sizes = np.cumsum([len(dataset) for dataset in self.datasets])

    def __getitem__(self, index: Any) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(message("ConcatDataset", f"index {index}", f"0 to {n - 1}"))
        index = int(index) % n
        part = int(np.searchsorted(self.cumulative_sizes, index, side="right"))
        return self.datasets[part][index - (int(self.cumulative_sizes[part - 1]) if part else 0)]

    def __len__(self) -> int:
        return int(self.cumulative_sizes[-1])


# -- what the loader asks ----------------------------------------------------------------------------


def samples_of(dataset: Any, indices: ndarray[Any, Any]) -> list[Any]:
    """Return the samples of these numbers; an error says which of them it was."""
    if hasattr(dataset, "__getitems__"):
        return list(dataset.__getitems__(indices.tolist()))
    found = []
    for index in indices.tolist():
        try:
            found.append(dataset[index])
        except Exception as error:
            error.add_note(f"[{type(dataset).__name__}] in sample {index}")
            raise
    return found


def take(dataset: Any, indices: ndarray[Any, Any]) -> Any:
    """Return the batch of the samples of these numbers."""
    if isinstance(dataset, Dataset):
        return dataset.take(indices)
    return default_collate(samples_of(dataset, indices))


def arrays_behind(dataset: Any) -> tuple[list[Any], ndarray[Any, Any] | None] | None:
    """Return the arrays that a dataset is rows of, and which rows; None if it is something else."""
    if type(dataset) is TensorDataset:
        return dataset.arrays, None
    if type(dataset) is Subset and (below := arrays_behind(dataset.dataset)):
        arrays, rows = below
        return arrays, dataset.indices if rows is None else rows[dataset.indices]
    return None
