"""Standardised columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn

X = np.arange(14.0).reshape(7, 2)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.data.Standardise()(X), "data before fit"),
        (lambda: nn.data.Standardise().fit(X)(X[:, :1]), r"samples of shape \(1,\), expected \(2,\)"),
        (lambda: nn.data.Standardise().fit(X[:0]), "expected samples"),
    ],
    ids=["unfitted", "shape", "empty"],
)
def test_wrong_data_is_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


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
