"""Scaling, principal components and whitening: against their definitions, written out with NumPy."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

D = nn.data
MIX = np.random.default_rng(0).normal(size=(5, 5))


def samples(n: int = 300, dtype: Any = np.float64) -> Any:
    """Return correlated columns with means and of different scales."""
    rng = np.random.default_rng(1)
    return (rng.normal(size=(n, 5)) @ MIX * [1, 5, 1, 0.1, 1] + [3, 0, -9, 1, 0]).astype(dtype)


# -- principal components ---------------------------------------------------------------------------


@pytest.mark.parametrize("n", [300, 4], ids=["many samples", "fewer samples than numbers"])
def test_components_are_the_eigenvectors_of_the_covariance(n: int) -> None:
    x = samples(n)
    pca = D.PCA().fit(x)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    k = min(n, 5)
    assert pca.components.shape == (k, 5)
    assert np.array_equal(np.shape(pca.explained_variance), (k,))
    np.testing.assert_allclose(pca.explained_variance, np.maximum(values, 0)[::-1][:k], atol=1e-10)
    ratios = pca.explained_variance / values.sum()
    np.testing.assert_allclose(pca.explained_variance_ratio, ratios, atol=1e-12)
    np.testing.assert_allclose(pca.mean, x.mean(0))
    np.testing.assert_allclose(pca.components @ pca.components.T, np.eye(k), atol=1e-12)
    for mine, theirs in zip(pca.components[: n - 1], vectors.T[::-1]):
        np.testing.assert_allclose(mine * np.sign(mine @ theirs), theirs, atol=1e-10)
        assert mine[np.abs(mine).argmax()] > 0, "of the two signs the one with a positive largest entry"
    z = pca(x)
    np.testing.assert_allclose(z, (x - x.mean(0)) @ pca.components.T)
    np.testing.assert_allclose(pca.inverse(z), x, atol=1e-12)


def test_fewer_components_are_the_first_and_lose_the_other_variances() -> None:
    x = samples()
    everything, two = D.PCA().fit(x), D.PCA(2).fit(x)
    np.testing.assert_array_equal(two.components, everything.components[:2])
    np.testing.assert_array_equal(two(x), everything(x)[:, :2])
    np.testing.assert_array_equal(two.explained_variance_ratio, everything.explained_variance_ratio[:2])
    lost = np.sum((two.inverse(two(x)) - x) ** 2) / (len(x) - 1)
    np.testing.assert_allclose(lost, everything.explained_variance[2:].sum())


@pytest.mark.parametrize("share", [0.2, 0.9, 0.99, 0.999999])
def test_a_fraction_of_the_variance_is_exceeded_by_no_component_too_many(share: float) -> None:
    ratios = D.PCA(share).fit(samples()).explained_variance_ratio
    assert ratios.sum() > share >= ratios[:-1].sum()


def test_images_are_samples() -> None:
    images, _ = D.digits(flat=False)
    pca, flat = D.PCA(7).fit(images), D.PCA(7).fit(images.reshape(-1, 64))
    assert pca.mean.shape == (8, 8)
    assert pca.components.shape == (7, 8, 8)
    np.testing.assert_array_equal(pca(images), flat(images.reshape(-1, 64)))
    assert pca.inverse(pca(images)).shape == images.shape
    assert pca(images).dtype == pca.inverse(pca(images)).dtype == np.float32
    assert D.PCA(1).fit((images * 16).astype(np.uint8))(images[:3]).shape == (3, 1)


def test_all_samples_count_where_they_are_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.data.preprocessing.fitted, "BLOCK", 4096 * 5)
    x = samples(9001, np.float32)
    x[-1] += 1000
    pca = D.PCA().fit(x)
    np.testing.assert_allclose(pca.explained_variance, np.linalg.eigvalsh(np.cov(x.T))[::-1], rtol=1e-9)
    exact = (x.astype(float) - x.mean(0, dtype=float)) @ pca.components.T
    np.testing.assert_allclose(pca(x), exact, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(D.Whiten().fit(x)(x)[-3:], exact[-3:] / exact.std(0, ddof=1), rtol=1e-5)
    scale = D.Standardise().fit(x)
    np.testing.assert_allclose(scale.std, x.std(0, dtype=float), rtol=1e-9)
    np.testing.assert_allclose(scale.inverse(scale(x)), x, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", ["Standardise", "MinMax", "PCA"])
def test_no_float64_copy_of_all_data_is_made(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.data.preprocessing.fitted, "BLOCK", 2**12)
    x = np.random.default_rng(0).normal(size=(2**15, 8)).astype(np.float32)
    fitted = getattr(D, name)()
    fitted.fit(x), fitted(x)  # what is made once
    tracemalloc.start()
    try:
        fitted.fit(x)
        assert tracemalloc.get_traced_memory()[1] < 0.5 * x.nbytes
        fitted(x)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * x.nbytes, "the result and some blocks"
    finally:
        tracemalloc.stop()


# -- whitening --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_whitened_columns_have_the_identity_as_covariance(kind: str, dtype: Any) -> None:
    x = samples(dtype=dtype)
    whiten = D.Whiten(kind).fit(x)
    z = whiten(x)
    assert z.dtype == dtype
    atol = 1e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(np.cov(z.T), np.eye(5), atol=atol)
    np.testing.assert_allclose(z.mean(0), 0, atol=atol)
    np.testing.assert_allclose(whiten.inverse(z), x, atol=10 * atol)
    few = x[:3]  # which takes another order of products
    np.testing.assert_allclose(whiten(few), z[:3], rtol=1e-4 if dtype == np.float32 else 1e-9, atol=atol)
    np.testing.assert_allclose(whiten.inverse(z[:3]), few, atol=10 * atol)


def test_zca_is_the_symmetric_whitening() -> None:
    """``C^(-1/2)``: the only whitening by a symmetric positive matrix, and the nearest to x."""
    x = samples()
    values, vectors = np.linalg.eigh(np.cov(x.T))
    root = vectors / np.sqrt(values) @ vectors.T
    np.testing.assert_allclose(D.Whiten("zca").fit(x)(x), (x - x.mean(0)) @ root, atol=1e-9)


@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_directions_without_variance_are_left_out(kind: str, dtype: Any, offset: float) -> None:
    x = samples(dtype=dtype) + dtype(offset)
    columns = np.column_stack(
        [x[:, :2], np.full(300, 0.1, dtype), np.zeros(300, dtype), x[:, 0] + x[:, 1], x[:, 2]]
    )
    whiten = D.Whiten(kind).fit(columns)  # the sum is rounded, which is no fourth direction
    z = whiten(columns)
    assert len(whiten.components) == 3
    projection = np.einsum("ki,kj->ij", whiten.components, whiten.components)
    np.testing.assert_allclose(np.cov(z.T), np.eye(3) if kind == "pca" else projection, atol=1e-4)
    np.testing.assert_allclose(whiten.inverse(z), columns, atol=1e-4, rtol=3e-7)


def test_more_numbers_than_samples() -> None:
    x = np.random.default_rng(3).normal(size=(6, 4, 4))
    z = D.Whiten().fit(x)(x)
    assert z.shape == (6, 5), "six samples span five directions"
    np.testing.assert_allclose(np.cov(z.T), np.eye(5), atol=1e-12)
    zca = D.Whiten("zca").fit(x)
    np.testing.assert_allclose(zca.inverse(zca(x)), x, atol=1e-12)


def test_eps_damps_what_varies_little() -> None:
    x = samples()
    z = D.Whiten(eps=0.5).fit(x)(x)
    values = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    np.testing.assert_allclose(np.cov(z.T), np.diag(values / (values + 0.5)), atol=1e-10)
    whiten = D.Whiten("zca", eps=0.5, n_components=2).fit(x)
    assert whiten.components.shape == (2, 5)
    two = D.PCA(2).fit(x)
    np.testing.assert_allclose(whiten.inverse(whiten(x)), two.inverse(two(x)))


def test_the_valley_of_the_loss_becomes_round() -> None:
    """A linear neuron on two real inputs: how the curvature of its squared error depends on preprocessing."""
    images, labels = D.digits()
    raw = images[:, [20, 28]] * [1.0, 10.0]  # of different scales

    def hessian(x: Any) -> Any:
        return ag.hessian(lambda w: np.mean((x @ w[:2] + w[2] - labels) ** 2))(np.zeros(3))

    x = raw.astype(float)
    exact = 2 * np.cov(np.column_stack([D.Whiten().fit(x)(x), labels]).T, ddof=0)[:2, :2]
    np.testing.assert_allclose(hessian(D.Whiten().fit(x)(x))[:2, :2], exact, atol=1e-12)
    before, scaled, white = (
        np.linalg.cond(hessian(z)) for z in (x, D.standardise(x), D.Whiten().fit(x)(x))
    )
    assert before > 100 * scaled
    assert scaled > 1.1 > white > 0.999


# -- scaling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, (0, 2, 3), (0, 1, 2, 3), None], ids=str)
def test_numbers_are_learnt_over_the_axes_that_are_named(axis: Any) -> None:
    x = np.random.default_rng(2).normal(3, 2, (20, 3, 4, 5)) * np.array([1, 5, 9]).reshape(3, 1, 1)
    x = x.astype(np.float32)
    scale = D.Standardise(axis).fit(x)
    z = scale(x)
    np.testing.assert_allclose(z.mean(axis=axis), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(axis=axis), 1, atol=1e-5)
    np.testing.assert_allclose(scale.inverse(z), x, rtol=1e-4, atol=1e-4)
    box = D.MinMax((-1, 1), axis).fit(x)
    np.testing.assert_allclose(box(x).min(axis=axis), -1, atol=1e-6)
    np.testing.assert_allclose(box(x).max(axis=axis), 1, atol=1e-6)
    np.testing.assert_allclose(box.inverse(box(x)), x, rtol=1e-4, atol=1e-4)
    assert box(x).dtype == z.dtype == np.float32
    if axis == (0, 2, 3):
        assert scale.mean.shape == (3, 1, 1)
        assert scale(x[:2, :, :2, :1]).shape == (2, 3, 2, 1), "other sizes along the axes"
    if axis is None:
        assert scale.mean.shape == ()
        assert scale(x[0]).shape == (3, 4, 5)


def test_bytes_are_brought_between_bounds_and_back() -> None:
    x = np.arange(256, dtype=np.uint8).reshape(16, 4, 4)
    z = D.MinMax((-1, 1), axis=None).fit(x)(x)
    np.testing.assert_allclose(z, x / 127.5 - 1, atol=1e-6)
    columns = np.array([[1.0, 7.0], [3.0, 7.0]])
    box = D.MinMax((2, 4)).fit(columns)
    np.testing.assert_array_equal(box(columns), [[2, 2], [4, 2]])
    np.testing.assert_array_equal(box(np.array([[5.0, 7.0]])), [[6, 2]])
    np.testing.assert_array_equal(box.inverse(box(columns)), columns)


# -- states and errors ------------------------------------------------------------------------------

KINDS = {
    "Standardise": lambda: D.Standardise(), "MinMax": lambda: D.MinMax(), "PCA": lambda: D.PCA(3),
    "Whiten": lambda: D.Whiten(eps=0.1), "ZCA": lambda: D.Whiten("zca"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_what_was_learnt_is_saved_and_loaded(name: str, tmp_path: Path) -> None:
    x = samples().reshape(300, 5, 1)
    before = x.copy()
    fitted = KINDS[name]().fit(x)
    z = fitted(x)
    nn.save_file(fitted.state_dict(), tmp_path / "fitted.safetensors")
    again = KINDS[name]()
    again.load_state_dict(nn.load_file(tmp_path / "fitted.safetensors"))
    np.testing.assert_array_equal(again(x), z)
    np.testing.assert_array_equal(again.inverse(z), fitted.inverse(z))
    fitted.state_dict()["min" if name == "MinMax" else "mean"][:] = 9
    np.testing.assert_array_equal(fitted(x), z, "a state is a copy")
    np.testing.assert_array_equal(x, before)
    state = fitted.state_dict()
    first = next(iter(state))
    for wrong, text in [
        ({}, "expected " + first), (state | {"more": np.ones(1)}, "more, expected"),
        (state | {first: np.ones((4, 1))}, r"expected real numbers of shape"),
        (state | {first: np.array([["a"]] * 5)}, "dtype <U1"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=text):
            again.load_state_dict(wrong)
    np.testing.assert_array_equal(again(x), z, "what does not fit changes nothing")


def test_text_says_how_it_was_made() -> None:
    assert repr(D.Whiten("zca", eps=0.1)) == "Whiten(kind='zca', eps=0.1)"
    assert repr(D.MinMax()) == "MinMax()"
    assert repr(D.MinMax(np.array([0, 2]))) == "MinMax(feature_range=array([0, 2]))"
    assert repr(D.PCA(3)) == "PCA(n_components=3)"
    assert repr(D.Standardise(axis=(0, 2)).fit(np.ones((3, 2, 4)))) == "Standardise(axis=(0, 2))"


@pytest.mark.parametrize("name", KINDS)
def test_no_samples_stay_none(name: str) -> None:
    fitted = KINDS[name]().fit(samples())
    z = fitted(samples()[:0])
    assert z.shape == (0, 3 if name == "PCA" else 5)
    assert fitted.inverse(z).shape == (0, 5)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda a: a(samples()), "data before fit"),
        (lambda a: a.state_dict(), "data before fit"),
        (lambda a: a.fit(samples())(np.ones((2, 4))), r"samples of shape \(4,\), expected \(5,\)"),
        (lambda a: a.fit(samples())(1.0), r"samples of shape"),
        (lambda a: a.fit(samples()[:0]), r"data of shape \(0, 5\), expected (at least 2 )?samples"),
        (lambda a: a.fit(np.full((3, 2), np.nan)), "3 of 3 samples with NaN or infinite numbers"),
        (lambda a: a.fit(np.array([[0.0], [1.0], [np.inf], [-np.inf]])), "2 of 4 samples.*first at 2"),
    ],
    ids=["call", "state", "shape", "scalar", "empty", "nan", "inf"],
)
def test_wrong_data_are_explained(name: str, call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call(KINDS[name]())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: D.PCA(0), "n_components=0, expected a number"),
        (lambda: D.PCA(1.0), r"n_components=1\.0"),
        (lambda: D.PCA(True), "n_components=True"),
        (lambda: D.PCA(6).fit(samples()), "n_components=6, expected at most 5"),
        (lambda: D.PCA().fit(samples()[:1]), "expected at least 2 samples"),
        (lambda: D.PCA().fit(np.ones((9, 3))), "samples that are all the same"),
        (lambda: D.Whiten().fit(np.full((9, 3), 0.1, np.float32)), "samples that are all the same"),
        (lambda: D.Whiten(n_components=3).fit(np.eye(3)), "n_components=3, expected at most 2"),
        (lambda: D.Whiten("cholesky"), "kind='cholesky', expected 'pca' or 'zca'"),
        (lambda: D.Whiten(eps=-1), "eps=-1"),
        (lambda: D.PCA(2).fit(samples()).inverse(samples()), r"shape \(5,\), expected \(2,\)"),
        (lambda: D.MinMax((1, 1)), r"feature_range=\(1, 1\), expected two bounds"),
        (lambda: D.Standardise(1), "axis=1, expected axis 0"),
        (lambda: D.Standardise((0, 2)).fit(samples()), r"axis=\(0, 2\) for data of shape \(300, 5\)"),
        (lambda: D.Standardise().fit(np.array([[1e200], [-1e200]])), "squares overflow"),
        (lambda: D.PCA().fit(np.array([[1e200], [-1e200]])), "squares overflow"),
    ],
)
def test_wrong_settings_are_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize("x", [np.ones((3, 2), complex), np.array([["a"], ["b"]])], ids=["complex", "text"])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_real_number_is_refused(name: str, x: Any) -> None:
    with pytest.raises(TypeError, match="expected real numbers"):
        KINDS[name]().fit(x)
