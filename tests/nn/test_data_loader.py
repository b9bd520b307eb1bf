"""Mini-batches: what they hold, in which order, repeated and begun in the middle."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

D = nn.data
X = np.arange(14.0).reshape(7, 2)
Y = np.arange(7)


def equal(a: Any, b: Any) -> bool:
    """Tell whether two lists of batches are the same."""
    a, b = list(a), list(b)
    return len(a) == len(b) and all(
        len(p) == len(q) and all(np.array_equal(u, v) for u, v in zip(p, q))
        if isinstance(p, tuple) else np.array_equal(p, q) for p, q in zip(a, b))  # fmt: skip


class Squares(D.Dataset):
    """A dataset whose samples can be had one at a time only."""

    def __init__(self, n: int = 7) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: Any) -> Any:
        assert type(i) is int
        return np.array([2.0 * i, 2.0 * i + 1]), i


class Stream(D.IterableDataset):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Any:
        return ((np.array([2.0 * i, 2.0 * i + 1]), i) for i in range(self.n))


@pytest.mark.parametrize(
    ("batch_size", "drop_last", "sizes"),
    [(3, False, [3, 3, 1]), (3, True, [3, 3]), (7, False, [7]), (7, True, [7]), (1, False, [1] * 7),
     (5, True, [5])],
)  # fmt: skip
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("kind", ["arrays", "dataset", "subset"])
def test_batches_hold_every_sample_once(
    batch_size: int, drop_last: bool, sizes: Any, shuffle: bool, kind: str
) -> None:
    dataset: Any = D.TensorDataset(X, Y) if kind == "arrays" else Squares()
    if kind == "subset":
        dataset = D.Subset(D.Subset(D.TensorDataset(X[::-1], Y[::-1]), range(6, 3, -1)), [0, 1, 2])
        dataset = dataset + D.Subset(Squares(), [3, 4, 5, 6])
    loader = D.DataLoader(dataset, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last)
    for _ in range(2):
        parts = list(loader)
        assert [len(x) for x, _ in parts] == sizes
        assert (len(loader), loader.samples) == (len(sizes), 7)
        labels = [int(label) for _, y in parts for label in y]
        assert len(set(labels)) == len(labels) == sum(sizes)
        if not shuffle:
            assert labels == list(range(sum(sizes)))
        for x, y in parts:
            assert np.array_equal(x, X[y]), "rows belong together"


@pytest.mark.parametrize("arrays", [1, 2, 3])
def test_many_small_batches_are_gathered_together(arrays: int) -> None:
    """Groups of batches, the batches at their edges, and a last one that is short."""
    n, size = 10_007, 10  # rows of 1,200 bytes: groups of 21 batches
    data = [np.random.default_rng(i).normal(size=(n, 150)) for i in range(arrays)]
    loader = D.batches(*data, batch_size=size)
    order = next(D.batches(np.arange(n), batch_size=n).epoch(5))
    expected = [tuple(a[order[i : i + size]] for a in data) for i in range(0, n, size)]
    assert len(loader) == len(expected) == 1001
    assert equal(loader.epoch(5), expected if arrays > 1 else [e[0] for e in expected])
    plain = D.batches(*data, batch_size=size, shuffle=False)
    again = [tuple(a[i : i + size] for a in data) for i in range(0, n, size)]
    assert equal(plain, again if arrays > 1 else [e[0] for e in again])


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_batch_may_be_written_to(shuffle: bool) -> None:
    x = X.copy()
    for batch in D.batches(x, batch_size=2, shuffle=shuffle):
        batch[...] = -1
    assert np.array_equal(x, X)


def test_windows_that_overlap_are_not_copied_as_a_whole() -> None:
    base = np.arange(200_000.0)
    windows = np.lib.stride_tricks.sliding_window_view(base, 100_000)  # 80 GB, were they copied
    batch = next(iter(D.batches(windows, batch_size=2, generator=np.random.default_rng(0))))
    assert np.array_equal(batch - batch[:, :1], np.tile(base[:100_000], (2, 1)))


def test_the_order_is_new_each_time_and_reproducible() -> None:
    def orders(generator: Any = None) -> list[Any]:
        loader = D.batches(np.arange(50), batch_size=50, generator=generator)
        return [next(iter(loader)).tolist() for _ in range(3)]

    nn.manual_seed(0)
    first = orders()
    assert len({tuple(o) for o in first}) == 3
    assert all(sorted(o) == list(range(50)) for o in first)
    nn.manual_seed(0)
    assert orders() == first
    assert orders(np.random.default_rng(1)) == orders(np.random.default_rng(1))


def noisy(x: Any, y: Any, rng: np.random.Generator) -> Any:
    return x + rng.normal(size=x.shape), y


LOADERS = {
    "arrays": lambda **o: D.batches(X, Y, batch_size=2, **o),
    "in order": lambda **o: D.batches(X, Y, batch_size=2, shuffle=False, **o),
    "noise": lambda **o: D.batches(X, Y, batch_size=2, transform=noisy, **o),
    "dataset": lambda **o: D.DataLoader(Squares(), batch_size=3, shuffle=True, **o),
    "one by one": lambda **o: D.DataLoader(Squares(), batch_size=None, shuffle=True, **o),
    "bootstrap": lambda **o: D.batches(X, Y, batch_size=2, sampler=D.RandomSampler(7, True), **o),
    "weighted": lambda **o: D.DataLoader(Squares(), 2, sampler=D.WeightedRandomSampler(Y + 1, 9), **o),
    "lists": lambda **o: D.DataLoader(
        D.TensorDataset(X, Y), batch_sampler=D.BatchSampler(D.RandomSampler(7), 2, True), **o),
    "stream": lambda **o: D.DataLoader(Stream(7), batch_size=2, transform=noisy, **o),
    "collate": lambda **o: D.DataLoader(D.TensorDataset(X, Y), 2, True, collate_fn=D.default_collate, **o),
}  # fmt: skip
RANDOM = [name for name in LOADERS if name != "in order"]


@pytest.mark.parametrize("prefetch", [0, 1, 4])
@pytest.mark.parametrize("name", LOADERS)
def test_an_epoch_follows_from_its_seed_and_can_be_begun_in_the_middle(name: str, prefetch: int) -> None:
    loader, whole = LOADERS[name](prefetch=prefetch), list(LOADERS[name]().epoch(11))
    assert equal(loader.epoch(11), whole)
    for start in range(len(whole) + 2):
        assert equal(loader.epoch(11, start=start), whole[start:])
    if name in RANDOM:
        assert not equal(loader.epoch(12), whole)
    nn.manual_seed(3)
    seed = loader.draw_seed()
    nn.manual_seed(3)
    assert equal(loader, loader.epoch(seed)), "iterating is the epoch of a drawn seed"
    if hasattr(loader, "samples") and name != "stream":
        assert len(loader) == len(whole)


def test_the_noise_of_a_batch_depends_on_the_seed_and_its_number_alone() -> None:
    seen = []
    loader = D.batches(Y, batch_size=2, transform=lambda y, rng: seen.append(rng.random()) or y)
    list(loader.epoch(9))
    assert seen == [np.random.default_rng([9, i]).random() for i in range(4)]
    order = next(D.batches(np.arange(100), batch_size=100).epoch(9))
    assert order.tolist() != np.random.default_rng([9, 0]).permutation(100).tolist(), "another stream"


def test_what_is_not_random_draws_nothing() -> None:
    nn.manual_seed(0)
    state = nn.random.get_state()
    list(D.batches(X, batch_size=2, shuffle=False, transform=lambda x: -x))
    list(D.DataLoader(Squares(), batch_size=2))
    assert nn.random.get_state() == state
    list(D.batches(X, batch_size=2, shuffle=False, transform=lambda x, rng: x))
    assert nn.random.get_state() != state


def test_transforms_get_the_parts_of_a_batch() -> None:
    assert equal(D.batches(Y, batch_size=4, shuffle=False, transform=lambda y: -y), [-Y[:4], -Y[4:]])
    both = D.batches(X, Y, batch_size=4, shuffle=False, transform=lambda x, y: (y, x))
    assert equal(both, [(Y[:4], X[:4]), (Y[4:], X[4:])])
    rng = D.batches(Y, batch_size=7, transform=lambda *a, **k: sorted(k))
    assert list(rng) == [["rng"]]
    whole = D.DataLoader([{"x": 1, "y": 2}], transform=lambda batch: batch["x"] + batch["y"])
    assert list(whole) == [np.array([3])]


def test_arrays_tensors_and_lists_are_data() -> None:
    (x, y), *_ = D.batches(ag.tensor(X), Y.tolist(), batch_size=4, shuffle=False)
    assert np.array_equal(x, X[:4])
    assert np.array_equal(y, Y[:4])
    assert equal(D.DataLoader(X, batch_size=4), [X[:4], X[4:]])
    assert equal(D.DataLoader(ag.tensor(X), batch_size=4), [X[:4], X[4:]])
    assert equal(D.DataLoader([3, 1, 4], batch_size=2), [[3, 1], [4]])
    assert list(D.DataLoader(["a", "b", "c"], batch_size=2)) == [["a", "b"], ["c"]]
    (x, y), *_ = D.batches(X.tolist(), list(np.float64([1.5] * 7)), batch_size=4)
    assert (x.dtype, y.dtype) == (np.float32, np.float64), "as ag.tensor takes lists"
    names = D.batches(np.array(["a", "b"]), np.array([{1}, {2}], object), batch_size=2, shuffle=False)
    assert next(iter(names))[1].tolist() == [{1}, {2}]


def test_what_a_loader_says_of_itself() -> None:
    assert repr(D.batches(X, batch_size=3)) == "<3 batches of 3 of 7 samples>"
    assert repr(D.DataLoader(Stream(3), batch_size=2)) == "<batches of 2>"
    lists = D.DataLoader(Squares(), batch_sampler=[[0, 1], [2]])
    assert (repr(lists), len(lists), lists.samples) == ("<2 batches>", 2, None)
    assert equal(lists.epoch(0, start=1), [(X[2:3], Y[2:3])])
    with pytest.raises(TypeError, match=r"samples without a length, expected a dataset with __len__"):
        len(D.DataLoader(Stream(3)))


# -- streams -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [3, 3, 1]), (True, [3, 3])])
def test_streams_are_cut_into_batches(drop_last: bool, sizes: list[int]) -> None:
    loader = D.DataLoader(Stream(7), batch_size=3, drop_last=drop_last)
    for _ in range(2):
        assert [len(y) for _, y in loader] == sizes
    assert loader.samples is None
    endless = D.DataLoader(itertools.count(), batch_size=4, prefetch=2)
    assert equal(itertools.islice(endless, 2), [[0, 1, 2, 3], [4, 5, 6, 7]])


def test_a_generator_can_be_read_once() -> None:
    loader = D.DataLoader((i for i in range(3)), batch_size=2)
    assert equal(loader, [[0, 1], [2]])
    with pytest.raises(RuntimeError, match=r"type generator, begun before.*try an IterableDataset"):
        list(loader)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_streams_that_are_too_short(prefetch: int) -> None:
    with pytest.raises(ValueError, match="an empty dataset, expected at least one sample"):
        list(D.DataLoader(iter([]), batch_size=2, prefetch=prefetch))
    with pytest.raises(ValueError, match="fewer than batch_size=4 samples"):
        list(D.DataLoader(Stream(3), batch_size=4, drop_last=True, prefetch=prefetch))
    assert [len(y) for _, y in D.DataLoader(Stream(3), batch_size=4, prefetch=prefetch)] == [3]


# -- errors ------------------------------------------------------------------------------------------


class Mask(D.Sampler):
    def draw(self, rng: np.random.Generator) -> Any:
        return Y > 2


@pytest.mark.parametrize(
    ("error", "call", "text"),
    [
        (ValueError, lambda: D.batches(X, Y[:3]), r"arrays of shapes \(7, 2\), \(3,\), expected the same"),
        (ValueError, lambda: D.batches(X, 32), r"arrays of shapes \(7, 2\), \(\)"),
        (ValueError, lambda: D.batches(), "no array"),
        (ValueError, lambda: D.batches(X, batch_size=0), "batch_size=0, expected a positive integer"),
        (ValueError, lambda: D.batches(X, batch_size=2.5), r"batch_size=2.5"),
        (ValueError, lambda: D.batches(X, batch_size=True), r"batch_size=True"),
        (ValueError, lambda: D.batches(X, batch_size=8), "batch_size=8 and 7 samples, .*try batch_size=7"),
        (ValueError, lambda: D.batches(X, batch_size=8, drop_last=True), "batch_size=8 and 7 samples"),
        (ValueError, lambda: D.DataLoader(Squares(3), 4), "batch_size=4 and 3 samples"),
        (ValueError, lambda: D.batches(X[:0], Y[:0]), "an empty dataset, expected at least one sample"),
        (ValueError, lambda: D.DataLoader([]), "an empty dataset"),
        (ValueError, lambda: D.batches(X, batch_size=2, prefetch=-1), "prefetch=-1, expected an integer"),
        (ValueError, lambda: D.DataLoader(X, num_workers=4), "num_workers=4, expected 0.*try prefetch=2"),
        (ValueError, lambda: D.DataLoader(X, shuffle=True, sampler=[0]), "sampler and shuffle=True"),
        (ValueError, lambda: D.DataLoader(X, 2, batch_sampler=[[0]]), "batch_sampler and one of batch_size"),
        (ValueError, lambda: D.DataLoader(X, None, drop_last=True), "batch_size=None and drop_last=True"),
        (ValueError, lambda: D.DataLoader(Stream(3), shuffle=True), "no shuffle and no sampler"),
        (TypeError, lambda: D.DataLoader(5), "a dataset of type int, expected __getitem__"),
        (TypeError, lambda: D.batches(X, batch_size=2, generator=0), "generator=0, expected a NumPy gen"),
        (TypeError, lambda: D.DataLoader(X, transform=3), "transform=3, expected a function"),
        (TypeError, lambda: D.DataLoader(X, collate_fn="list"), "collate_fn='list', expected a function"),
        (ValueError, lambda: D.DataLoader(X).epoch(-1), "seed=-1, expected an integer of 0 or more"),
        (ValueError, lambda: D.DataLoader(X).epoch(0, start=-1), "start=-1"),
        (IndexError, lambda: list(D.DataLoader(X, sampler=[7])), "index 7 is out of bounds"),
        (TypeError, lambda: D.DataLoader(X, sampler=Y > 2), "dtype bool, expected indices; try np.flatnon"),
        (TypeError, lambda: D.DataLoader(X, sampler=[0.0, 1.0]), "dtype float64, expected indices"),
        (TypeError, lambda: D.DataLoader(X, sampler=[[0], [1]]), r"shape \(2, 1\)"),
        (TypeError, lambda: list(D.DataLoader(X, sampler=Mask())), "dtype bool, expected indices"),
        (ValueError, lambda: D.DataLoader(X, sampler=[]), "a sampler without indices"),
        (TypeError, lambda: list(D.batches(X, batch_size=7, transform=lambda x: None)),
         "None from the transform, expected the batch, changed; try a return"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_wrong_loaders_are_explained(error: Any, call: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_an_error_says_in_which_sample_or_batch() -> None:
    class Broken(Squares):
        def __getitem__(self, i: Any) -> Any:
            return super().__getitem__(i) if i < 5 else 1 / 0

    with pytest.raises(ZeroDivisionError) as raised:
        list(D.DataLoader(Broken(), batch_size=2))
    assert raised.value.__notes__ == ["[Broken] in sample 5"]
    with pytest.raises(ZeroDivisionError) as raised:
        list(D.batches(Y, batch_size=2, shuffle=False, transform=lambda y: 1 // (int(y[0]) - 4)))
    assert raised.value.__notes__ == ["[DataLoader] in the transform of batch 2, seed 0"]


# -- PyTorch's -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3, 7])
@pytest.mark.parametrize("drop_last", [False, True])
def test_the_batches_are_those_of_torch(batch_size: int, drop_last: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    data = torch.utils.data
    theirs = data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    for order in ({}, {"sampler": [6, 0, 0, 3, 5, 1, 2, 2]}):
        expected = data.DataLoader(theirs, batch_size, drop_last=drop_last, **order)
        found = D.DataLoader(D.TensorDataset(X, Y), batch_size, drop_last=drop_last, **order)
        pairs = [tuple(part.numpy() for part in batch) for batch in expected]
        assert equal(found, pairs)
        assert len(found) == len(expected)
    # its datasets and samplers can be read
    assert equal(D.DataLoader(theirs, batch_size), D.DataLoader(Squares(), batch_size))

    class Flow(data.IterableDataset):  # it has a __getitem__ that only raises
        __iter__ = Stream(7).__iter__

    assert equal(D.DataLoader(Flow(), batch_size), D.DataLoader(Squares(), batch_size))
    sampler = data.BatchSampler(data.SequentialSampler(range(7)), batch_size, drop_last)
    assert equal(D.DataLoader(X, batch_sampler=sampler), [X[i] for i in sampler])
