"""Datasets, samplers and splits: which samples there are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from autograd_core import nn

D = nn.data
X = np.arange(14.0).reshape(7, 2)
Y = np.arange(7)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# -- datasets ----------------------------------------------------------------------------------------


def test_subsets_of_subsets_and_datasets_one_behind_the_other() -> None:
    data = D.TensorDataset(X, Y)
    assert len(data) == 7
    part = D.Subset(D.Subset(data, [5, -1, 2, 2]), np.array([3, 1]))
    assert [int(y) for _, y in part] == [2, 6]
    assert np.array_equal(part.take(np.array([1, 0]))[0], X[[6, 2]])
    both = part + data + D.TensorDataset(X[:0], Y[:0]) + D.Subset(data, [4])
    assert len(both) == 10
    assert [int(both[i][1]) for i in range(-10, 10)] == [2, 6, *range(7), 4] * 2
    (_, y), *_ = D.DataLoader(both, batch_size=10)
    assert y.tolist() == [2, 6, *range(7), 4]
    assert D.Subset(data, []).indices.dtype == np.int64
    assert D.Subset(data, [-1, -7, 2]).indices.tolist() == [6, 0, 2], "for datasets that know none below 0"


def test_a_subset_of_arrays_is_loaded_like_arrays(monkeypatch: Any) -> None:
    loader = D.DataLoader(D.Subset(D.Subset(D.TensorDataset(X, Y), [6, 0, 3, 5]), [0, 2, 3]), 2, shuffle=True)
    monkeypatch.setattr(D.TensorDataset, "__getitem__", None)  # no sample by itself, no batch
    assert sorted(int(i) for _, y in loader for i in y) == [3, 5, 6]


def test_a_dataset_may_give_whole_batches() -> None:
    class Lazy(D.Dataset):
        def __len__(self) -> int:
            return 6

        def take(self, indices: Any) -> Any:
            return indices * 10

    assert [b.tolist() for b in D.DataLoader(Lazy(), 4)] == [[0, 10, 20, 30], [40, 50]]

    class Torchlike:
        def __len__(self) -> int:
            return 6

        def __getitem__(self, i: int) -> Any:
            raise AssertionError("one by one")

        def __getitems__(self, indices: list[int]) -> list[int]:
            return [10 * i for i in indices]

    assert [b.tolist() for b in D.DataLoader(Torchlike(), 4)] == [[0, 10, 20, 30], [40, 50]]


def test_samples_are_stacked_in_the_structure_that_they_have() -> None:
    from collections import namedtuple

    Pair = namedtuple("Pair", "a b")
    found = D.default_collate([{"x": [1, 2.5], "n": "a", "p": Pair(np.float32(1), True)},
                               {"x": [3, 4.5], "n": "b", "p": Pair(np.float32(2), False)}])  # fmt: skip
    assert found["n"] == ["a", "b"]
    assert [(part.tolist(), part.dtype) for part in found["x"]] == [
        ([1, 3], np.int64), ([2.5, 4.5], np.float32)]  # fmt: skip
    assert isinstance(found["p"], Pair)
    assert found["p"].a.dtype == np.float32
    assert found["p"].b.dtype == bool
    assert D.default_collate([np.zeros((2, 0, 3))] * 4).shape == (4, 2, 0, 3)
    assert D.default_collate([np.float64(1)]).dtype == np.float64
    assert D.default_collate([1, 2.5]).dtype == D.default_collate([2.5, 1]).dtype == np.float32
    assert D.default_collate([(1, 2), [3, 4]])[1].tolist() == [2, 4]


@pytest.mark.parametrize(
    ("error", "call", "text"),
    [
        (ValueError, lambda: D.default_collate([np.zeros(3), np.zeros(4)]),
         r"samples of shapes \(3,\) and \(4,\) in one batch, expected equal.*collate_fn that pads"),
        (ValueError, lambda: D.default_collate([(1, 2), (1,)]), r"samples of \[1, 2\] parts"),
        (ValueError, lambda: D.default_collate([{"a": 1}, {"b": 1}]), r"keys \['a'\] and \['b'\]"),
        (TypeError, lambda: D.default_collate([None, None]), "samples of type NoneType, expected arrays"),
        (IndexError, lambda: D.Subset([1, 2], [2]), "index 2, expected 0 to 1"),
        (IndexError, lambda: D.Subset([1, 2], [0, -3]), "index -3, expected 0 to 1"),
        (TypeError, lambda: D.Subset([1, 2], [0.5]), "dtype float64, expected a list of integers"),
        (TypeError, lambda: D.Subset([1, 2], [True, False]), "dtype bool.*flatnonzero"),
        (ValueError, lambda: D.ConcatDataset([]), "no dataset, expected at least one"),
        (TypeError, lambda: D.ConcatDataset([iter([])]), "datasets with __len__"),
        (IndexError, lambda: D.ConcatDataset([[1], [2]])[2], "index 2, expected 0 to 1"),
        (ValueError, lambda: D.TensorDataset(X, Y[:2]), "the same number of samples"),
        (NotImplementedError, lambda: D.Dataset()[0], "no __getitem__"),
        (NotImplementedError, lambda: len(D.Dataset()), "no __len__"),
        (NotImplementedError, lambda: iter(D.IterableDataset()), "no __iter__"),
        (NotImplementedError, lambda: list(D.Sampler()), "no draw"),
        (ValueError, lambda: D.RandomSampler(0), "0 samples, expected at least one"),
        (ValueError, lambda: D.RandomSampler(X, num_samples=0), "num_samples=0, expected a positive"),
        (ValueError, lambda: D.WeightedRandomSampler([1, -1], 2), r"weights \[1, -1\], expected one finite"),
        (ValueError, lambda: D.WeightedRandomSampler([0, 0], 2), "not all 0"),
        (ValueError, lambda: D.WeightedRandomSampler([1, np.nan], 2), "one finite weight"),
        (ValueError, lambda: D.WeightedRandomSampler([[1.0]], 2), "for each sample"),
        (ValueError, lambda: D.WeightedRandomSampler([1, 0, 2], 3, replacement=False),
         "num_samples=3, expected at most 2.*try replacement=True"),
        (TypeError, lambda: D.SubsetRandomSampler(X > 1), r"shape \(7, 2\) and dtype bool"),
        (TypeError, lambda: D.SubsetRandomSampler([True, False]), "dtype bool.*try np.flatnonzero of a mask"),
        (TypeError, lambda: D.RandomSampler(3, generator=0), "generator=0, expected a NumPy generator"),
        (TypeError, lambda: D.SubsetRandomSampler([1], generator=0), "generator=0"),
        (TypeError, lambda: D.WeightedRandomSampler([1], 1, generator=0), "generator=0"),
        (TypeError, lambda: D.train_test_split(X, generator=0), "generator=0"),
        (TypeError, lambda: D.random_split(X, [0.5, 0.5], generator=0), "generator=0"),
        (TypeError, lambda: D.bootstrap(X, generator=0), "generator=0"),
        (TypeError, lambda: D.default_collate([1.0, None]), "samples of type NoneType"),
        (TypeError, lambda: D.default_collate([1, "a"]), "samples of type str, expected arrays"),
        (TypeError, lambda: D.default_collate([(1, 2), 3]), "samples of types int and tuple in one batch"),
        (TypeError, lambda: D.default_collate([{"a": 1}, 3]), "samples of types dict and int"),
        (ValueError, lambda: D.BatchSampler([0], 0, False), "batch_size=0, expected a positive integer"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_wrong_datasets_and_samplers_are_explained(error: Any, call: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# -- samplers ----------------------------------------------------------------------------------------


def test_random_samplers() -> None:
    assert sorted(D.RandomSampler(X)) == list(range(7))
    more = D.RandomSampler(5, num_samples=12).draw(rng())
    assert sorted(more[:5]) == sorted(more[5:10]) == list(range(5))
    assert len(set(more[10:])) == 2
    drawn = D.RandomSampler(1000, replacement=True).draw(rng())
    assert drawn.shape == (1000,)
    assert 580 < len(set(drawn.tolist())) < 680, "1 - 1/e of them"
    assert D.SequentialSampler(range(3)).draw(rng()).tolist() == [0, 1, 2]
    assert sorted(D.SubsetRandomSampler([5, 2, 9]).draw(rng())) == [2, 5, 9]
    same = [list(D.RandomSampler(50, generator=rng(4))) for _ in range(2)]
    assert same[0] == same[1]


@pytest.mark.parametrize("replacement", [True, False])
def test_weights_are_the_frequencies(replacement: bool) -> None:
    weights = np.array([0, 1, 2, 5.0])
    sampler = D.WeightedRandomSampler(weights, 1 if not replacement else 20_000, replacement)
    generator = rng()
    drawn = np.concatenate([sampler.draw(generator) for _ in range(1 if replacement else 20_000)])
    counts = np.bincount(drawn, minlength=4)
    expected = 20_000 * weights / 8
    assert counts[0] == 0
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected)).all()
    all_of_them = D.WeightedRandomSampler(weights, 3, replacement=False).draw(generator)
    assert sorted(all_of_them) == [1, 2, 3]


def test_classes_of_unequal_size_are_balanced() -> None:
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    sampler = D.WeightedRandomSampler(1 / np.bincount(labels)[labels], 3000)
    loader = D.batches(labels, batch_size=100, sampler=sampler)
    assert (len(loader), loader.samples) == (30, 3000)
    counts = np.bincount(np.concatenate(list(loader.epoch(0))))
    assert (np.abs(counts - 1000) < 5 * np.sqrt(1000)).all()


def test_a_sampler_of_ones_own_may_be_an_iterator_alone() -> None:
    class Evens(D.Sampler):
        def __iter__(self) -> Any:
            return iter(range(0, 7, 2))

    assert [b.tolist() for b in D.DataLoader(Y, 3, sampler=Evens())] == [[0, 2, 4], [6]]
    endless = D.DataLoader(Y, 3, sampler=itertools.cycle([1, 5]))
    assert next(iter(endless)).tolist() == [1, 5, 1]
    assert endless.samples is None


def test_the_seeds_of_epochs_come_from_the_loader_or_its_sampler() -> None:
    for options in ({"generator": rng(3)}, {"sampler": D.RandomSampler(7, generator=rng(3))}):
        nn.manual_seed(0)
        state = nn.random.get_state()
        seeds = [D.batches(Y, batch_size=2, **options).draw_seed() for _ in range(2)]
        assert seeds == rng(3).integers(2**63, size=2).tolist()
        assert nn.random.get_state() == state


# -- splits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("test_size", "n"), [(0.25, 2), (0.5, 4), (1, 1), (3, 3), (6, 6)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_splits_share_nothing_and_lose_nothing(test_size: Any, n: int, shuffle: bool) -> None:
    a, b, ya, yb = D.train_test_split(X, Y, test_size=test_size, shuffle=shuffle)
    assert (len(a), len(b)) == (7 - n, n)
    assert sorted([*ya, *yb]) == list(range(7))
    assert np.array_equal(a, X[ya])
    assert np.array_equal(b, X[yb])
    if not shuffle:
        assert list(yb) == list(range(7 - n, 7))


@pytest.mark.parametrize("names", [np.arange(4), np.array(list("abcd"))], ids=["numbers", "letters"])
@pytest.mark.parametrize("test_size", [0.1, 0.25, 0.5, 17, 190])
def test_stratified_parts_have_the_proportions_of_the_whole(names: Any, test_size: Any) -> None:
    sizes = np.array([100, 61, 33, 6])
    codes = rng(1).permutation(np.repeat(np.arange(4), sizes))
    index = np.arange(200)
    train, test = D.train_test_split(index, test_size=test_size, stratify=names[codes], generator=rng(2))
    assert sorted([*train, *test]) == list(range(200))
    exact = sizes * len(test) / 200
    assert (np.abs(np.bincount(codes[test], minlength=4) - exact) < 1).all()
    assert not np.array_equal(np.sort(codes[test]), codes[test]), "the classes are mixed"
    again, _ = D.train_test_split(index, test_size=test_size, stratify=names[codes], generator=rng(2))
    assert np.array_equal(train, again)
    other, _ = D.train_test_split(index, test_size=test_size, stratify=names[codes], generator=rng(3))
    assert set(train.tolist()) != set(other.tolist())


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([4, 3], [4, 3]), ([7], [7]), ([0.5, 0.5], [4, 3]), ([0.34, 0.33, 0.33], [3, 2, 2]), ([1.0], [7]),
     ([0.7, 0.2, 0.1], [5, 2, 0]), ([0.1] * 10, [1] * 7 + [0] * 3), ([7, 0], [7, 0])],
    ids=str,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*part . has no sample")
@pytest.mark.filterwarnings("ignore:Length of split at index")
def test_random_parts_have_the_lengths_of_torch(lengths: Any, sizes: list[int]) -> None:
    parts = D.random_split(D.TensorDataset(X, Y), lengths, generator=rng())
    assert [len(part) for part in parts] == sizes
    assert sorted(int(y) for part in parts for _, y in part) == list(range(7))
    assert [part.indices.tolist() for part in D.random_split(Y, lengths, rng())] == [
        part.indices.tolist() for part in parts]  # fmt: skip
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    assert [len(part) for part in torch.utils.data.random_split(range(7), lengths)] == sizes


def test_a_part_without_samples_is_worth_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"\[random_split\] part 1 has no sample"):
        D.random_split(Y, [7, 0])


def test_bootstrap_samples() -> None:
    x, x_out, y, y_out = D.bootstrap(X, Y, generator=rng())
    assert len(x) == len(y) == 7
    assert np.array_equal(x, X[y])
    assert np.array_equal(x_out, X[y_out])
    assert sorted({*y.tolist(), *y_out.tolist()}) == list(range(7))
    assert not {*y.tolist()} & {*y_out.tolist()}


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: D.train_test_split(X, test_size=0), "test_size=0 of 7 samples"),
        (lambda: D.train_test_split(X, test_size=7), "some for each part"),
        (lambda: D.train_test_split(X, Y[:3]), "the same number of samples"),
        (lambda: D.train_test_split(X, stratify=Y), "one sample alone of class 0"),
        (lambda: D.train_test_split(X, stratify=[0, 0]), r"stratify of shape \(2,\).*: \(7,\)"),
        (lambda: D.train_test_split(X, stratify=Y % 2, shuffle=False), "stratify and shuffle=False"),
        (lambda: D.train_test_split(X, stratify=Y % 3, test_size=2), "parts of 5 and 2 samples, and 3"),
        (lambda: D.random_split(Y, [3, 3]), r"lengths \[3, 3\] with the sum 6, expected the sum 7"),
        (lambda: D.random_split(Y, [0.5, 0.4]), r"fractions \[0.5, 0.4\] with the sum 0.9, expected the"),
        (lambda: D.random_split(Y, [8, -1]), "expected none below 0"),
        (lambda: D.bootstrap(X[:0]), "no samples"),
        (lambda: D.train_test_split(X, test_size=1.0), "test_size=1.0 of 7 samples.* a fraction below 1"),
        (lambda: D.train_test_split(X, test_size=2.7), "test_size=2.7"),
        (lambda: D.train_test_split(X, test_size=True), "test_size=True"),
        (lambda: D.train_test_split(X, test_size=np.nan), "test_size=nan"),
    ],
    ids=itertools.count(),
)
def test_wrong_splits_are_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


# -- labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5,), (2, 3), (), (0,)], ids=str)
def test_one_hot_rows(shape: Any) -> None:
    labels = rng().integers(4, size=shape)
    rows = D.one_hot(labels, num_classes=4)
    assert rows.dtype == np.float32
    assert rows.shape == (*shape, 4)
    assert (rows.sum(-1) == 1).all()
    assert np.array_equal(rows.argmax(-1), labels)
    assert D.one_hot(labels, 4, dtype=bool).dtype == bool


def test_one_hot_of_the_classes_that_occur() -> None:
    assert D.one_hot([2, 0]).tolist() == [[0, 0, 1], [1, 0, 0]]
    for error, call, text in [
        (ValueError, lambda: D.one_hot([]), "no labels, expected some; try num_classes="),
        (ValueError, lambda: D.one_hot([0.0]), "dtype float64, expected integers"),
        (ValueError, lambda: D.one_hot([0], num_classes=0), "num_classes=0, expected a positive integer"),
        (IndexError, lambda: D.one_hot([3], num_classes=3), "class 3, expected 0 to 2"),
        (IndexError, lambda: D.one_hot([-1], num_classes=3), "class -1"),
    ]:
        with pytest.raises(error, match=text):
            call()
