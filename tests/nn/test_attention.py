"""Scaled dot-product attention and multi-head attention: against PyTorch, their masks, kernels and errors."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn
from autograd_core.kernels import attention as blocks

F = nn.functional
RNG = np.random.default_rng(3)
X = np.ones((3, 2, 4), np.float32)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is missing: pip install 'autograd-core[oracle]'")


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape)


def beside(torch: Any, arrays: Any, mask: Any = None, **how: Any) -> None:
    """Compare output and gradients, that of a mask of numbers included."""
    given = [*arrays, mask] if mask is not None and mask.dtype != bool else list(arrays)
    ours = [ag.tensor(x, requires_grad=True) for x in given]
    theirs = [torch.tensor(x, requires_grad=True) for x in given]
    y = F.scaled_dot_product_attention(*ours[:3], ours[3] if len(ours) > 3 else mask, **how)
    m = theirs[3] if len(theirs) > 3 else None if mask is None else torch.tensor(mask)
    z = torch.nn.functional.scaled_dot_product_attention(*theirs[:3], m, **how)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = normal(*y.shape)
    (y * g).sum().backward()
    (z * torch.tensor(g)).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-12)


LEADS = [(), (2,), (2, 3), (2, 1, 3), (2, 1, 2, 3)]


@pytest.mark.parametrize("how", [{}, {"is_causal": True}, {"scale": 0.3}, {"is_causal": True, "scale": 2.0}])
@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_any_leading_axes(lead: Any, how: Any, torch: Any) -> None:
    for length, keys in [(3, 5), (5, 3), (4, 4), (1, 2)]:
        arrays = normal(*lead, length, 4), normal(*lead, keys, 4), normal(*lead, keys, 2)
        beside(torch, arrays, **how)


SHAPES = [(3, 5), (1, 5), (3, 1), (2, 3, 5), (2, 1, 1, 5), (1, 2, 3, 1), (2, 2, 3, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_masks_that_broadcast(shape: Any, torch: Any) -> None:
    arrays = normal(2, 2, 3, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 2)
    beside(torch, arrays, normal(*shape))
    mask = RNG.random(shape) < 0.7
    beside(torch, arrays, mask)
    beside(torch, arrays, np.where(mask, 0, -np.inf))


@pytest.mark.parametrize("kind", [bool, float])
def test_a_query_without_keys_gives_zeros(kind: Any, torch: Any) -> None:
    arrays = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 2)
    mask = np.ones((3, 5), bool)
    mask[1] = False
    beside(torch, arrays, mask if kind is bool else np.where(mask, 0, -np.inf))
    y = F.scaled_dot_product_attention(*arrays, mask)
    assert (y[:, 1] == 0).all()
    assert (y[:, 0] != 0).all()
    few = normal(1, 2, 2), normal(1, 3, 2), normal(1, 3, 1)
    ag.check_gradients(lambda *x: F.scaled_dot_product_attention(*x, mask[:2, :3]), *few, order=2)


def test_heads_in_groups(torch: Any) -> None:
    beside(torch, (normal(2, 4, 3, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 2)), enable_gqa=True)
    beside(torch, (normal(4, 3, 4), normal(1, 5, 4), normal(1, 5, 2)), enable_gqa=True, is_causal=True)


def test_leading_axes_that_broadcast(torch: Any) -> None:
    beside(torch, (normal(2, 3, 3, 4), normal(1, 3, 5, 4), normal(2, 1, 5, 2)))


BLOCKED = [{}, {"is_causal": True}, {"mask": (700, 500)}, {"mask": (2, 1, 500)}]


@pytest.mark.parametrize("how", BLOCKED, ids=str)
def test_blocks_of_queries_and_of_heads(how: Any, torch: Any) -> None:
    assert blocks.BLOCK < 700 * 500
    arrays = normal(2, 2, 700, 4), normal(2, 2, 500, 4), normal(2, 2, 500, 3)
    mask = normal(*how["mask"]) if "mask" in how else None
    beside(torch, arrays, mask, is_causal=how.get("is_causal", False))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_any_number_of_threads(n: int) -> None:
    q, k, v = (normal(3, 2, 5, 4) for _ in range(3))
    expected = F.scaled_dot_product_attention(q, k, v)
    before = kernels.get_num_threads()
    try:
        kernels.set_num_threads(n)
        np.testing.assert_allclose(F.scaled_dot_product_attention(q, k, v), expected, rtol=1e-14)
    finally:
        kernels.set_num_threads(before)


def test_a_mask_that_is_learnt_has_second_derivatives() -> None:
    q, k, v = normal(2, 1, 2, 2), normal(2, 1, 3, 2), normal(2, 1, 3, 1)
    ag.check_gradients(F.scaled_dot_product_attention, q, k, v, normal(2, 1, 1, 3), order=2)


def test_large_scores_do_not_overflow() -> None:
    q = np.full((2, 4), 100.0, np.float32)
    y = F.scaled_dot_product_attention(q, q * [[1], [-1]], np.array([[1.0], [2.0]], np.float32))
    assert y.dtype == np.float32
    assert (y == 1).all()


def test_dropped_weights_have_the_mean_of_all() -> None:
    nn.manual_seed(0)
    q, k, v = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 2)
    expected = F.scaled_dot_product_attention(q, k, v)
    draws = np.mean([F.scaled_dot_product_attention(q, k, v, dropout_p=0.5) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(draws, expected, atol=0.1)
    assert (F.scaled_dot_product_attention(q, k, v, dropout_p=1.0) == 0).all()


def test_gradients_with_dropped_weights() -> None:
    def f(*x: Any) -> Any:
        nn.manual_seed(4)
        return F.scaled_dot_product_attention(*x, dropout_p=0.4)

    q, k, v = normal(2, 2, 2), normal(2, 3, 2), normal(2, 3, 1)
    nn.manual_seed(4)
    assert 0 < np.count_nonzero(F.scaled_dot_product_attention(q, k, np.eye(3), dropout_p=0.4)) < 12
    ag.check_gradients(f, q, k, v, order=2)


def test_memory_grows_with_the_length_only() -> None:
    q = ag.tensor(RNG.normal(size=(1, 2, 3000, 4)).astype(np.float32), requires_grad=True)
    few = q[:, :, :200]
    F.scaled_dot_product_attention(few, few, few).sum().backward()  # numba may be imported here
    tracemalloc.start()
    F.scaled_dot_product_attention(q, q, q).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000 * 4, "as much as the scores of one head"


def test_causal_mask() -> None:
    assert F.causal_mask(2, 3, bool).tolist() == [[True, False, False], [True, True, False]]
    q, k = normal(3, 4), normal(3, 4)
    expected = F.scaled_dot_product_attention(q, k, k, is_causal=True)
    square = nn.Transformer.generate_square_subsequent_mask(3)
    for mask in (F.causal_mask(3, dtype=bool), F.causal_mask(3), square):
        np.testing.assert_allclose(F.scaled_dot_product_attention(q, k, k, mask), expected, rtol=1e-14)


def sdpa(*shapes: Any, **how: Any) -> Any:
    return F.scaled_dot_product_attention(*(np.ones(s) for s in shapes), **how)


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda: sdpa((3, 4), (5, 3), (5, 2)), ValueError,
     r"key \(5, 3\).*expected keys as long as the queries, 4"),
    (lambda: sdpa((3, 4), (5, 4), (6, 2)), ValueError, "expected a value for each of the 5 keys"),
    (lambda: sdpa((4,), (5, 4), (5, 2)), ValueError, r"query \(4,\).*expected \(..., L, E\)"),
    (lambda: sdpa((2, 3, 4), (3, 5, 4), (3, 5, 2)), ValueError,
     "leading axes that broadcast; try enable_gqa"),
    (lambda: sdpa((3, 3, 4), (2, 5, 4), (2, 5, 2), enable_gqa=True), ValueError,
     "H a multiple of the keys' heads"),
    (lambda: sdpa((3, 4), (5, 4), (5, 2), attn_mask=np.ones((3, 4), bool)), ValueError,
     r"attn_mask of shape \(3, 4\) for scores of shape \(3, 5\)"),
    (lambda: sdpa((3, 4), (5, 4), (5, 2), attn_mask=np.ones((2, 3, 5), bool)), ValueError,
     "attn_mask of shape"),
    (lambda: sdpa((3, 4), (5, 4), (5, 2), attn_mask=np.ones((3, 5), int)), TypeError,
     "attn_mask of dtype int64"),
    (lambda: sdpa((3, 4), (5, 4), (5, 2), attn_mask=np.ones((3, 5), bool), is_causal=True), ValueError,
     "attn_mask and is_causal=True"),
    (lambda: sdpa((3, 4), (5, 4), (5, 2), dropout_p=1.5), ValueError,
     "dropout_p=1.5, expected a number from 0 to 1"),
    (lambda: F.scaled_dot_product_attention(*[np.ones((3, 4), int)] * 3), TypeError,
     "dtype int64, expected a float"),
    (lambda: F.scaled_dot_product_attention(X[0], *[ag.tensor(np.ones((3, 4)))] * 2), TypeError,
     "a Tensor of dtype float64"),
])  # fmt: skip
def test_errors_of_the_function(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def layer(*args: Any, **kwargs: Any) -> Any:
    return nn.MultiheadAttention(*args, **kwargs)


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda: layer(4, 3), ValueError,
     "embed_dim=4, num_heads=3, expected positive numbers, embed_dim a multiple"),
    (lambda: layer(4, 2, 1.5), ValueError, "dropout=1.5, expected a number from 0 to 1"),
    (lambda: layer(4, 2)(X[..., :3], X, X), ValueError, r"query \(3, 2, 3\).*with E = 4.*try embed_dim=3"),
    (lambda: layer(4, 2)(X, X, X[:2]), ValueError, r"value \(2, 2, 4\), expected a value for each key"),
    (lambda: layer(4, 2)(X, X[:, :1], X[:, :1]), ValueError, "try batch_first=True"),
    (lambda: layer(4, 2)(X[0, 0], X, X), ValueError, r"query \(4,\)"),
    (lambda: layer(4, 2)(X, X, X, attn_mask=np.ones((2, 3), bool)), ValueError,
     r"attn_mask of shape \(2, 3\), expected \(3, 3\) or \(4, 3, 3\)"),
    (lambda: layer(4, 2)(X, X, X, np.ones((3, 2), bool)), ValueError,
     r"key_padding_mask of shape \(3, 2\), expected \(2, 3\)"),
    (lambda: layer(4, 2)(X, X, X, np.ones(3, bool)), ValueError,
     r"key_padding_mask of shape \(3,\), expected \(N, S\)"),
    (lambda: layer(4, 2)(X, X, X, np.ones((2, 3), int)), TypeError, "key_padding_mask of dtype int64"),
    (lambda: layer(4, 2)(X, X, X, is_causal=True), ValueError, "is_causal=True without attn_mask"),
    (lambda: layer(4, 2, kdim=3)(X, X, X), ValueError, r"\(3, 2, 4\).*expected \(\.\.\., 3\)"),
])  # fmt: skip
def test_errors_of_the_layer(call: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        call()


def test_a_query_without_keys_in_the_layer(torch: Any) -> None:
    theirs = torch.nn.MultiheadAttention(4, 2)
    ours = nn.MultiheadAttention(4, 2)
    ours.load_state_dict(theirs.state_dict())
    mask = np.zeros((3, 3), bool)
    mask[1] = True
    x, y = X + np.arange(4, dtype=np.float32), torch.tensor(X + np.arange(4, dtype=np.float32))
    for need in (True, False):
        a, weights = ours(x, x, x, attn_mask=mask, need_weights=need)
        b, their_weights = theirs(y, y, y, attn_mask=torch.tensor(mask), need_weights=need)
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)
        if need:
            np.testing.assert_allclose(weights.numpy(), their_weights.detach().numpy(), rtol=1e-5)


def test_a_mask_that_is_learnt_in_the_layer(torch: Any) -> None:
    ours, theirs = nn.MultiheadAttention(4, 2).double(), torch.nn.MultiheadAttention(4, 2).double()
    ours.load_state_dict(theirs.state_dict())
    x, m = normal(3, 2, 4), normal(3, 3)
    for need in (True, False):
        a, b = ag.tensor(m, requires_grad=True), torch.tensor(m, requires_grad=True)
        (ours(x, x, x, attn_mask=a, need_weights=need)[0] ** 2).sum().backward()
        y = torch.tensor(x)
        (theirs(y, y, y, attn_mask=b, need_weights=need)[0] ** 2).sum().backward()
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9)


def test_both_ways_agree_and_drop_in_training_only() -> None:
    nn.manual_seed(0)  # of other weights an output may be a sum that cancels, to fewer digits
    layer = nn.MultiheadAttention(4, 2, dropout=0.5)
    x = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    slow, fast = (layer.eval()(x, x, x, need_weights=w)[0].numpy() for w in (True, False))
    np.testing.assert_allclose(slow, fast, rtol=1e-5)
    for need in (True, False):
        nn.manual_seed(0)
        draws = [layer.train()(x, x, x, need_weights=need)[0].numpy() for _ in range(1500)]
        assert np.std(draws, axis=0).min() > 0
        np.testing.assert_allclose(np.mean(draws, axis=0), fast, atol=0.06)


def test_first_values_are_pytorchs() -> None:
    nn.manual_seed(0)
    layer = nn.MultiheadAttention(60, 2, add_bias_kv=True)
    assert abs(layer.in_proj_weight.numpy()).max() == pytest.approx((6 / 240) ** 0.5, rel=1e-2)
    assert abs(layer.out_proj.weight.numpy()).max() == pytest.approx(60**-0.5, rel=1e-2)
    assert not layer.in_proj_bias.numpy().any()
    assert not layer.out_proj.bias.numpy().any()
    assert layer.bias_k.numpy().std() == pytest.approx((2 / 120) ** 0.5, rel=0.3)  # fans 60 and 60


def test_self_attention_is_three_operations() -> None:
    x = ag.tensor(X, requires_grad=True)
    y, _ = nn.MultiheadAttention(4, 2)(x, x, x, need_weights=False)
    names, node = [], y.node
    while node is not None and hasattr(node, "primitive"):
        names.append(node.primitive.name)
        node = node.edges[0]
    assert names == ["linear", "self_attention", "linear"]
