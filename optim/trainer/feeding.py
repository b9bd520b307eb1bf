"""What a model is fed with: arrays or any loader, from any position of an epoch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import nn
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from . import randomness
from .checks import positive

__all__ = ["DATASETS", "Feed", "forward", "loader_of", "lost", "split"]

DATASETS = (nn.data.Dataset, nn.data.IterableDataset)


def is_loader(x: Any) -> bool:
    """Tell a source of batches from an array: it is iterated over, and its parts are tuples or arrays."""
    if isinstance(x, (ndarray, Tensor, tuple, str, bytes, dict)) or hasattr(x, "__array__"):
        return False
    if isinstance(x, list):
        return bool(x) and isinstance(x[0], (tuple, ndarray))
    return hasattr(x, "__iter__")


def arrays_of(who: str, x: Any, y: Any) -> list[ndarray[Any, Any]]:
    """Return the arrays of the inputs (several are a tuple) and the target, of equal lengths."""
    given = [*(x if isinstance(x, tuple) else (x,)), *(() if y is None else (y,))]
    try:
        arrays = [np.asarray(strip(a)) for a in given]
    except ValueError as error:  # lists within lists, of different lengths
        if not all(isinstance(a, (list, tuple)) or hasattr(a, "dtype") for a in given):
            raise TypeError(message(who, f"data of type {', '.join(type(a).__name__ for a in given)}",
                                    "arrays, an nn.data.Dataset, or a loader",
                                    "nn.data.DataLoader(dataset, batch_size=32)")) from None  # fmt: skip
        raise ValueError(message(who, f"lists that make no array ({error})", "samples of one shape",
                                 "padding, see nn.utils.rnn.pad_sequence")) from None  # fmt: skip
    shapes = [a.shape for a in arrays]
    if any(isinstance(a, ndarray) and a.dtype == object for a in given):
        raise ValueError(message(who, "an array of dtype object", "numbers", "x.astype(np.float32)"))
    if any(not s for s in shapes) or any(a.dtype == object for a in arrays):
        raise ValueError(message(who, f"data of type {', '.join(type(a).__name__ for a in given)}",
                                 "arrays of samples, or a loader", "nn.data.batches(x, y)"))  # fmt: skip
    if len({s[0] for s in shapes}) > 1:
        raise ValueError(message(who, f"{' and '.join(str(s[0]) for s in shapes)} samples (arrays of shapes "
                                 f"{', '.join(map(str, shapes))})", "as many targets as inputs"))  # fmt: skip
    if not shapes[0][0]:
        raise ValueError(message(who, f"no samples (arrays of shapes {', '.join(map(str, shapes))})",
                                 "at least one"))  # fmt: skip
    return arrays


def loader_of(
    who: str, x: Any, y: Any, batch_size: int | None, shuffle: bool, transform: Any = None, default: int = 32
) -> Any:
    """Return a loader over arrays or a dataset, or the loader that was given, if it is not an empty one."""
    fitting = who == "Trainer.fit"
    if batch_size is not None:
        positive(who, batch_size=batch_size)
    if isinstance(x, DATASETS) and y is None:
        samples = length(x) or default
        size = sized(who, batch_size, samples, default) if fitting else min(batch_size or default, samples)
        shuffle = shuffle and isinstance(x, nn.data.Dataset)
        return nn.data.DataLoader(x, size, shuffle, transform=transform)
    if is_loader(x):
        if fitting and batch_size is not None:
            raise TypeError(message(who, f"a loader and batch_size={batch_size}", "one of them"))
        if y is not None:
            raise TypeError(message(who, f"a loader and y of type {type(y).__name__}",
                                    "batches that are tuples (x, y)", "nn.data.batches(x, y)"))  # fmt: skip
        if transform is not None:
            raise TypeError(message(who, "a loader and transform", "the transform in the loader",
                                    "nn.data.batches(x, y, transform=...)"))  # fmt: skip
        if hasattr(x, "__next__"):
            raise TypeError(message(who, f"a {type(x).__name__}, which gives its batches once",
                                    "batches for every epoch", "a list of them"))  # fmt: skip
        if length(x) == 0:
            raise ValueError(message(who, "a loader without a batch", "at least one"))
        return x
    arrays = arrays_of(who, x, y)
    samples = len(arrays[0])
    size = sized(who, batch_size, samples, default) if fitting else min(batch_size or default, samples)
    return nn.data.batches(*arrays, batch_size=size, shuffle=shuffle, transform=transform)


def sized(who: str, batch_size: int | None, samples: int, default: int) -> int:
    """Return how many samples a batch has; more than there are is an error, unless it is the default."""
    if batch_size is not None and batch_size > samples:
        raise ValueError(message(who, f"batches of {batch_size}, which are larger than the data of {samples} "
                                 "samples", f"at most {samples}", f"batch_size={samples}"))  # fmt: skip
    return min(default, samples) if batch_size is None else batch_size


def split(x: Any, y: Any, fraction: float, seed: int) -> tuple[Any, Any, Any, Any]:
    """Divide arrays at random, by a seed alone, into those to train on and those to validate with."""
    arrays = arrays_of("Trainer.fit", x, y)
    n = len(arrays[0])
    held = round(n * fraction) if 0 < fraction < 1 else 0
    if not 0 < held < n:
        raise ValueError(message("Trainer.fit", f"validation={fraction!r} of {n} samples",
                                 "a fraction between 0 and 1 that leaves samples on both sides, "
                                 "a pair (x, y), or a loader"))  # fmt: skip
    order = np.random.default_rng(seed).permutation(n)
    parts = [tuple(a[chosen] for a in arrays) for chosen in (order[held:], order[:held])]
    pairs = []
    for part in parts:
        inputs = part if y is None else part[:-1]
        pairs += [inputs if isinstance(x, tuple) else inputs[0], None if y is None else part[-1]]
    return pairs[0], pairs[1], pairs[2], pairs[3]


def length(loader: Any) -> int | None:
    """Return the number of batches, or None where the loader does not say."""
    try:
        return len(loader)
    except TypeError:
        return None


class Feed:
    """The batches of a loader, epoch by epoch, from any batch on.

    An epoch is known by its mark. Of the library's loaders that is the seed of its order and its
    transforms. Of any other iterable it is the state of the random numbers when it was begun: to go on
    within it, they are set back, its first batches are drawn again, and passed over.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.exact = hasattr(loader, "draw_seed") and hasattr(loader, "epoch")

    def mark(self) -> Any:
        """Begin an epoch: return what makes it the same again."""
        return int(self.loader.draw_seed()) if self.exact else randomness.get_state(self.loader)

    def batches(self, mark: Any, start: int = 0, again: bool = False) -> Iterator[Any]:
        """Iterate over the batches of the epoch from number ``start`` on; ``again`` after a restart."""
        if self.exact:
            return iter(self.loader.epoch(mark, start=start))
        if not again:
            return map(plain, self.loader)
        now = randomness.get_state(self.loader)
        randomness.set_state(mark, self.loader)
        batches = iter(self.loader)
        for _ in itertools.islice(batches, start):
            pass
        randomness.set_state(now, self.loader)
        return map(plain, batches)


def plain(batch: Any) -> Any:
    """Return a batch of any library's as arrays, in a tuple if there are several."""
    if isinstance(batch, (tuple, list)):
        return tuple(map(plain, batch))
    known = batch is None or isinstance(batch, (ndarray, Tensor)) or not hasattr(batch, "__array__")
    return batch if known else np.asarray(batch)


def forward(model: Callable[..., Any], batch: Any) -> tuple[Any, Any, int]:
    """Return the output for a batch, its target (None if it has none), and how many samples it has."""
    if type(batch) is tuple and len(batch) > 1:
        if len(batch) == 2:
            x, target = batch
            return model(x), target, len(x)
        *inputs, target = batch
        return model(*inputs), target, len(inputs[0])
    if isinstance(batch, (tuple, list)):
        (batch,) = batch
    return model(batch), None, len(batch)


def lost(loss: Callable[..., Any], output: Any, target: Any) -> Any:
    """Return the loss of an output, and of its target if it has one."""
    if target is not None:
        if not isinstance(output, tuple):
            return loss(output, target)
        try:
            return loss(output, target)
        except (TypeError, AttributeError) as error:
            raise TypeError(message(
                "Trainer", f"a model that returns a tuple of {len(output)}, and a loss that fails on it "
                f"({error})", "a loss of this tuple and the target",
                "loss=lambda output, target: f(output[0], target)")) from error  # fmt: skip
    try:
        return loss(output)
    except TypeError as error:
        if "required positional argument" not in str(error):
            raise
        raise TypeError(message("Trainer", "data without a target, and a loss that needs one", "fit(x, y)",
                                "fit(x, x) if the input is the target")) from error  # fmt: skip


def grouped(batches: Iterable[Any], n: int) -> Iterator[list[Any]]:
    """Yield lists of n batches; the last may be shorter."""
    iterator = iter(batches)
    while group := list(itertools.islice(iterator, n)):
        yield group
