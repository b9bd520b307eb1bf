"""Tables of vectors, distances and bilinear forms: what PyTorch's modules do not reach, kernels, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn, optim
from autograd_core.kernels.indexing import add_rows

F = nn.functional
RNG = np.random.default_rng(11)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is missing: pip install 'autograd-core[oracle]'")


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape)


@pytest.mark.parametrize("numba", [True, False], ids=["loop", "NumPy"])
@pytest.mark.parametrize("columns", [1, 3, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_a_table(numba: bool, columns: int, dtype: Any) -> None:
    if numba:
        pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    index = RNG.integers(0, 7, (40, 10))
    g = RNG.integers(-9, 9, (40, 10, columns)).astype(dtype)  # small integers: any order of the sums is exact
    table = ag.tensor(np.zeros((9, columns), dtype), requires_grad=True)
    with kernels.using(numba=numba):
        (F.embedding(index, table) * g).sum().backward()
    expected = np.zeros((9, columns), dtype)
    np.add.at(expected, index, g)
    np.testing.assert_array_equal(table.grad, expected)


@pytest.mark.parametrize("columns", [1, 3, 300])
def test_both_versions_of_the_kernel_agree(columns: int) -> None:
    pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")
    places, g = RNG.integers(-5, 5, 50), normal(50, columns)
    outs = []
    for numba in (True, False):
        outs.append(np.ones((5, columns)))
        with kernels.using(numba=numba):
            add_rows(outs[-1], g, places)
    np.testing.assert_array_equal(outs[0], outs[1])


def test_rows_that_are_not_there_are_an_error_also_backwards() -> None:
    with pytest.raises(IndexError, match="out of bounds"):
        ag.scatter(np.ones((300, 2)), index=np.full(300, 5), shape=(5, 2))
    with pytest.raises(IndexError, match="out of bounds"):
        ag.scatter(np.ones((300, 2)), index=np.full(300, -6), shape=(5, 2))


def test_a_shared_table_sums_its_gradients() -> None:
    table = ag.tensor(normal(6, 70), requires_grad=True)
    a, b = RNG.integers(0, 6, 5), RNG.integers(0, 6, (3, 2))
    (F.embedding(a, table).sum() + 2 * F.embedding(b, table).sum() + (table * table).sum()).backward()
    counts = np.bincount(a, minlength=6) + 2 * np.bincount(b.ravel(), minlength=6)
    np.testing.assert_allclose(table.grad, counts[:, np.newaxis] + 2 * table.numpy())


def test_padding_stays_at_zero_in_training() -> None:
    layer = nn.Embedding(5, 3, padding_idx=2)
    assert layer.weight.numpy().any(1).tolist() == [True, True, False, True, True]
    optimizer = optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (layer(np.array([[2, 1], [2, 0]])) - 1).sum().backward()
        optimizer.step()
    assert not layer.weight.numpy()[2].any()
    assert nn.EmbeddingBag(5, 3, padding_idx=-3).padding_idx == 2


def test_long_rows_are_shortened_in_the_table() -> None:
    layer = nn.Embedding.from_pretrained(np.array([[3.0, 4.0], [3.0, 4.0], [0.3, 0.4]]), max_norm=1.0)
    y = layer(np.array([0, 2, 0])).numpy()
    np.testing.assert_allclose(y, [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(layer.weight.numpy(), [[0.6, 0.8], [3, 4], [0.3, 0.4]], rtol=1e-6)


@pytest.mark.parametrize("layer", [nn.Embedding, nn.EmbeddingBag])
def test_tables_that_there_are(layer: Any) -> None:
    table = normal(4, 3)
    frozen, free = layer.from_pretrained(table), layer.from_pretrained(table, freeze=False, padding_idx=1)
    assert not frozen.weight.requires_grad
    assert free.weight.requires_grad
    np.testing.assert_array_equal(free.weight.numpy(), table)
    assert frozen.weight.data is not table
    assert frozen.weight.dtype == np.float64


def test_a_one_hot_product_gives_the_same() -> None:
    table = normal(5, 3)
    index = RNG.integers(0, 5, (2, 4))
    np.testing.assert_array_equal(F.embedding(index, table), F.one_hot(index, 5) @ table)


def test_the_first_of_equal_ones_gets_the_gradient_of_a_bags_maximum(torch: Any) -> None:
    table = np.array([[1.0, 5.0], [1.0, 2.0], [0.0, 5.0]])
    ours, theirs = ag.tensor(table, requires_grad=True), torch.tensor(table, requires_grad=True)
    index = np.array([[2, 0, 1], [1, 0, 0]])
    F.embedding_bag(index, ours, mode="max").sum().backward()
    torch.nn.functional.embedding_bag(torch.tensor(index), theirs, mode="max").sum().backward()
    np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_empty_bags_give_zeros(mode: str) -> None:
    table = normal(3, 2)
    for index, offsets in [([0, 1], [0, 0, 2]), ([], [0, 0, 0])]:
        y = F.embedding_bag(np.array(index, int), table, np.array(offsets), mode=mode)
        assert y.shape == (3, 2)
        assert not y[[0, 2]].any()


W = np.zeros((3, 2))


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda: F.embedding(np.array([0, 3]), W), IndexError,
     "index 3, expected 0 to 2.*table of 3.*num_embeddings=4"),
    (lambda: F.embedding(np.array([-1]), W), IndexError, "index -1, expected 0 to 2"),
    (lambda: F.embedding(np.array([0.0]), W), TypeError, "indices of dtype float64, expected integers"),
    (lambda: F.embedding(np.array([0]), W[0]), ValueError, r"a table of shape \(2,\)"),
    (lambda: F.embedding(np.array([0]), W, 3), ValueError, "padding_idx=3, expected -3 to 2"),
    (lambda: nn.Embedding(0, 3), ValueError, "num_embeddings=0, embedding_dim=3"),
    (lambda: nn.Embedding(3, 2, 5), ValueError, "padding_idx=5, expected -3 to 2"),
    (lambda: nn.Embedding(3, 2, _weight=np.ones((2, 2))), ValueError,
     r"_weight of shape \(2, 2\), expected \(3, 2\)"),
    (lambda: nn.Embedding.from_pretrained(np.ones(3)), ValueError, r"embeddings of shape \(3,\)"),
    (lambda: nn.EmbeddingBag(3, 2, mode="min"), ValueError, "mode='min', expected 'sum'"),
    (lambda: F.embedding_bag(np.array([0]), W, np.array([0]), mode="min"), ValueError, "mode='min'"),
    (lambda: F.embedding_bag(np.array([0]), W), ValueError, r"shape \(1,\) and offsets=None"),
    (lambda: F.embedding_bag(np.array([[0]]), W, np.array([0])), ValueError, "each row is a bag"),
    (lambda: F.embedding_bag(np.array([0]), W, np.array([1])), ValueError, r"offsets \[1\] for 1 indices"),
    (lambda: F.embedding_bag(np.array([0, 1]), W, np.array([0, 2, 1])), ValueError, r"offsets \[0, 2, 1\]"),
    (lambda: F.embedding_bag(np.array([0]), W, np.array([0.0])), ValueError, "offsets of shape.*float64"),
    (lambda: F.embedding_bag(np.array([[0]]), W, per_sample_weights=np.ones((1, 1))), ValueError,
     "mode='mean'"),
    (lambda: F.embedding_bag(np.array([[0]]), W, mode="sum", per_sample_weights=np.ones(1)), ValueError,
     r"per_sample_weights of shape \(1,\), expected \(1, 1\)"),
    (lambda: F.embedding_bag(np.array([[0]]), W, mode="max", scale_grad_by_freq=True), ValueError,
     "mode='max'"),
    (lambda: nn.Bilinear(3, 0, 2), ValueError, "in2_features=0"),
    (lambda: nn.Bilinear(3, 2, 4)(np.ones((5, 3)), np.ones((4, 2))), ValueError,
     r"\(5, 3\) and \(4, 2\), expected"),
    (lambda: F.cosine_similarity(np.ones(3), np.ones(3)), ValueError, r"dim=1 for shapes \(3,\) and \(3,\)"),
    (lambda: F.pdist(np.ones(3)), ValueError, r"shape \(3,\)"),
    (lambda: F.pdist(np.ones((3, 2)), -1), ValueError, "p=-1"),
])  # fmt: skip
def test_errors(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


# -- distances -------------------------------------------------------------------------------------


def gradients(torch: Any, name: str, *arrays: Any, **how: Any) -> None:
    ours = [ag.tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    y, z = getattr(F, name)(*ours, **how), getattr(torch.nn.functional, name)(*theirs, **how)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-12, atol=1e-15)
    g = normal(*y.shape)
    (y * g).sum().backward()
    (z * torch.tensor(g)).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0, np.inf])
def test_distances_of_pairs(p: float, torch: Any) -> None:
    gradients(torch, "pdist", normal(5, 3), p=p)
    gradients(torch, "pairwise_distance", normal(5, 3), normal(3), p=p, eps=1e-3)
    ag.check_gradients(lambda x: F.pdist(x, p), normal(4, 3), order=2)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_equal_vectors_have_a_derivative_of_zero(p: float, torch: Any) -> None:
    gradients(torch, "pdist", np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 5.0]]), p=p)
    x = normal(2, 3)
    gradients(torch, "pairwise_distance", x, x.copy(), p=p)
    gradients(torch, "pairwise_distance", x, x.copy(), p=p, eps=0.0)


def test_cosines_of_short_and_of_zero_vectors(torch: Any) -> None:
    x = normal(3, 4) * np.array([[1.0], [1e-3], [0.0]])
    gradients(torch, "cosine_similarity", x, normal(3, 4), eps=0.1)
    gradients(torch, "cosine_similarity", x, normal(3, 4))
    gradients(torch, "cosine_similarity", normal(4), normal(2, 3, 4), dim=-1)


def test_bilinear_forms(torch: Any) -> None:
    gradients(torch, "bilinear", normal(2, 3, 4), normal(2, 3, 5), normal(6, 4, 5), normal(6))
    a, b, w = normal(4), normal(5), normal(6, 4, 5)
    np.testing.assert_allclose(F.bilinear(a, b, w), [a @ m @ b for m in w])
