"""Mini-batches, preprocessing, and the files of digits."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

X = np.arange(14.0).reshape(7, 2)
Y = np.arange(7)


@pytest.mark.parametrize(
    ("batch_size", "drop_last", "sizes"),
    [(3, False, [3, 3, 1]), (3, True, [3, 3]), (7, False, [7]), (7, True, [7]), (9, False, [7]),
     (9, True, []), (1, False, [1] * 7)],
)  # fmt: skip
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_hold_every_sample_once(
    batch_size: int, drop_last: bool, sizes: Any, shuffle: bool
) -> None:
    loader = nn.data.batches(X, Y, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last)
    for _ in range(2):
        parts = list(loader)
        assert [len(x) for x, _ in parts] == sizes
        assert len(loader) == len(sizes)
        labels = [int(label) for _, y in parts for label in y]
        assert len(set(labels)) == len(labels) == sum(sizes)
        if not shuffle:
            assert labels == list(range(sum(sizes)))
        for x, y in parts:
            assert np.array_equal(x, X[y]), "rows belong together"


def test_the_order_is_new_each_time_and_reproducible() -> None:
    def orders(generator: Any = None) -> list[Any]:
        loader = nn.data.batches(np.arange(50), batch_size=50, generator=generator)
        return [next(iter(loader)).tolist() for _ in range(3)]

    nn.manual_seed(0)
    first = orders()
    assert len({tuple(o) for o in first}) == 3
    assert all(sorted(o) == list(range(50)) for o in first)
    nn.manual_seed(0)
    assert orders() == first
    assert orders(np.random.default_rng(1)) == orders(np.random.default_rng(1))


def test_batches_take_tensors_and_lists() -> None:
    (x, y), *_ = nn.data.batches(ag.tensor(X), Y.tolist(), batch_size=4, shuffle=False)
    assert np.array_equal(x, X[:4])
    assert np.array_equal(y, Y[:4])
    assert repr(nn.data.batches(X, batch_size=3)) == "<3 batches of 3 of 7 samples>"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.data.batches(X, Y[:3]), r"arrays of shapes \(7, 2\), \(3,\), expected the same"),
        (lambda: nn.data.batches(X, 32), r"arrays of shapes \(7, 2\), \(\)"),
        (lambda: nn.data.batches(), "no array"),
        (lambda: nn.data.batches(X, batch_size=0), "batch_size=0, expected a positive integer"),
        (lambda: nn.data.batches(X, batch_size=2.5), r"batch_size=2.5"),
        (lambda: nn.data.train_test_split(X, test_size=0), "test_size=0 of 7 samples"),
        (lambda: nn.data.train_test_split(X, test_size=7), "some for each part"),
        (lambda: nn.data.train_test_split(X, Y[:3]), "the same number of samples"),
        (lambda: nn.data.Standardise()(X), "data before fit"),
        (lambda: nn.data.Standardise().fit(X)(X[:, :1]), r"samples of shape \(1,\), expected \(2,\)"),
        (lambda: nn.data.Standardise().fit(X[:0]), "expected samples"),
    ],
)
def test_wrong_data_is_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(("test_size", "n"), [(0.25, 2), (0.5, 4), (1, 1), (3, 3), (6, 6)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_splits_share_nothing_and_lose_nothing(test_size: Any, n: int, shuffle: bool) -> None:
    a, b, ya, yb = nn.data.train_test_split(X, Y, test_size=test_size, shuffle=shuffle)
    assert (len(a), len(b)) == (7 - n, n)
    assert sorted([*ya, *yb]) == list(range(7))
    assert np.array_equal(a, X[ya])
    assert np.array_equal(b, X[yb])
    if not shuffle:
        assert list(yb) == list(range(7 - n, 7))


# -- preprocessing -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standardised_columns_have_mean_0_and_standard_deviation_1(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(200, 3)) * [1e-3, 1, 1e4] + [5, 0, -1e5]).astype(dtype)
    scale = nn.data.Standardise().fit(x)
    z = scale(x)
    assert z.dtype == dtype
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-4 if dtype == np.float32 else 1e-9)
    np.testing.assert_allclose(z.std(0), 1, rtol=1e-4 if dtype == np.float32 else 1e-9)
    np.testing.assert_allclose(scale.inverse(z), x, rtol=1e-5)
    test = rng.normal(size=(4, 3)).astype(dtype)
    expected = (test - x.mean(0, dtype=float)) / x.std(0, dtype=float)
    np.testing.assert_allclose(scale(test), expected, rtol=1e-4)
    again = nn.data.standardise(x, test)
    assert np.array_equal(again[0], z)
    assert np.array_equal(again[1], scale(test))
    assert np.array_equal(nn.data.standardise(x), z)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30, -7])
def test_a_constant_column_becomes_zero(value: float) -> None:
    x = np.column_stack([np.full(1000, value), np.arange(1000.0)])
    scale = nn.data.Standardise().fit(x)
    z = scale(x)
    np.testing.assert_allclose(z[:, 0], 0, atol=1e-12 * abs(value))
    assert np.isfinite(scale(x * 2)).all()


def test_integers_become_float32() -> None:
    assert nn.data.standardise(np.array([[1], [3]])).dtype == np.float32
    assert nn.data.standardise(np.zeros((5, 2, 2), np.uint8)).shape == (5, 2, 2)


# -- digits ----------------------------------------------------------------------------------------


def test_the_digits_come_with_the_library() -> None:
    images, labels = nn.data.digits()
    assert images.shape == (1797, 64)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.shape == (1797,)
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert nn.data.digits(flat=False)[0].shape == (1797, 8, 8)
    assert (images[0].reshape(8, 8)[0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def idx(array: Any, code: int = 8) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
def test_idx_files_are_read_gzipped_or_not(code: int, dtype: str, tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for name, content in (("a", idx(array, code)), ("a.gz", gzip.compress(idx(array, code)))):
        (tmp_path / name).write_bytes(content)
        read = nn.data.read_idx(tmp_path / name)
        assert np.array_equal(read, array)
        assert read.dtype == array.dtype.newbyteorder("=")
        read[:] = 0  # it can be written to


def test_idx_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    good = idx(np.zeros((2, 3), np.uint8))
    for content, text in [
        (b"", "starts with b''"), (b"PK\x03\x04", "expected an IDX file"), (good[:-1], "17 bytes"),
        (good + b"\0", "expected 18 for its shape"), (good[:6], r"shape \(\)|for its shape"),
        (b"\0\0\x07\x01", "expected an IDX file"),
    ]:  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(ValueError, match=text):
            nn.data.read_idx(path)
    with pytest.raises(FileNotFoundError):
        nn.data.read_idx(tmp_path / "none")


def test_mnist_is_read_from_its_four_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(FileNotFoundError, match=r"has no train-images-idx3-ubyte\[.gz\], expected"):
        nn.data.mnist(tmp_path)
    for name, n, pack in (("train", 5, gzip.compress), ("t10k", 3, bytes)):
        images = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
        ending = ".gz" if pack is gzip.compress else ""
        (tmp_path / f"{name}-images-idx3-ubyte{ending}").write_bytes(pack(idx(images)))
        labels = np.arange(n, dtype=np.uint8)
        (tmp_path / f"{name}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(labels)))
    x, y, x_test, y_test = nn.data.mnist(tmp_path)
    assert (x.shape, x_test.shape) == ((5, 784), (3, 784))
    assert x.dtype == np.float32
    assert 0 <= x.min() <= x.max() <= 1
    assert (x_test.reshape(-1)[:5] * 255).round().tolist() == images.reshape(-1)[:5].tolist()
    assert (y.tolist(), y_test.tolist()) == ([0, 1, 2, 3, 4], [0, 1, 2])
    assert nn.data.mnist(tmp_path, flat=False)[0].shape == (5, 28, 28)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
    with pytest.raises(ValueError, match="expected as many of both"):
        nn.data.mnist(tmp_path)
