"""The loops of attention agree with the NumPy version: odd sizes, every mask, memory in any layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import kernels
from autograd_core.kernels import attention as module
from autograd_core.kernels.attention import Scores, attention, attention_gradients

pytest.importorskip("numba", reason="numba is not installed: pip install 'autograd-core[fast]'")

SIZES = [  # batch, heads, queries, keys, columns of keys, of values
    (2, 3, 5, 7, 4, 6), (1, 2, 64, 64, 16, 16), (2, 1, 33, 40, 17, 20), (1, 1, 1, 1, 1, 1),
    (1, 2, 70, 100, 64, 33), (2, 2, 40, 40, 8, 8), (1, 1, 17, 2100, 3, 5), (1, 1, 700, 700, 4, 4),
]  # fmt: skip
MASKS = ["none", "bias", "keep", "both", "causal", "of keys"]


def scores(mask: str, size: tuple[int, ...], dtype: Any, rng: Any) -> Scores:
    n, h, queries, keys, d, _ = size
    full, bias, keep = (n, h, keys, queries), None, None
    if mask in ("bias", "both"):
        bias = rng.normal(size=full)
        bias[rng.random(full) < 0.3] = -np.inf
        bias[..., 0] = -np.inf  # a query without keys
    elif mask == "of keys":
        bias = rng.normal(size=(n, 1, keys, 1))
    if mask in ("keep", "both"):
        keep = (rng.random(full) > 0.3) * 1.5
    elif mask == "of keys":
        keep = (rng.random((1, 1, keys, queries)) > 0.3) * 1.5
    return Scores(d**-0.5, mask == "causal", *(x if x is None else x.astype(dtype) for x in (bias, keep)))


def computed(numba: bool, g: Any, q: Any, k: Any, v: Any, how: Scores, whole: bool) -> list[Any]:
    """Return the output, logs, and the gradients of queries, keys, values and a bias that is whole."""
    (n, h, queries, _), keys, dtype = q.shape, k.shape[2], q.dtype
    y = np.empty((n, queries, h, v.shape[3]), dtype).transpose(0, 2, 1, 3)
    logs = np.empty((n, h, queries), dtype)
    bars = [np.full(x.shape, 9, dtype) for x in (q, k)] + [np.full(v.mT.shape, 9, dtype).mT]  # odd strides
    bias = np.zeros((n, h, keys, queries), dtype) if whole else None
    with kernels.using(numba=numba):
        module._attention(q, k, v, how, y, logs)
        module._gradients(g, y, q, k, v, how, bars, logs, bias)
    return [y, logs, *bars] + ([] if bias is None else [bias])


@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 3e-6), (np.float64, 1e-14)], ids=["f4", "f8"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_loop_agrees_with_numpy(size: Any, mask: str, dtype: Any, atol: float) -> None:
    n, h, queries, keys, d, e = size
    if mask == "causal" and queries != keys:
        queries = keys = min(queries, keys)
        size = n, h, queries, keys, d, e
    rng = np.random.default_rng(sum(size))
    q = rng.normal(size=(n, queries, h, d)).astype(dtype).transpose(0, 2, 1, 3)
    k = np.broadcast_to(rng.normal(size=(n, 1, keys, d)).astype(dtype), (n, h, keys, d))  # shared, read-only
    v = rng.normal(size=(n, h, e, keys)).astype(dtype).mT
    g = rng.normal(size=(n, h, queries, e)).astype(dtype)
    how = scores(mask, size, dtype, rng)
    whole = mask in ("bias", "both")
    found, right = (computed(numba, g, q, k, v, how, whole) for numba in (True, False))
    for a, b in zip(found, right, strict=True):
        largest = np.abs(b[np.abs(b) < 1e30]).max(initial=0)  # logs of nothing are larger
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=atol * max(1, largest))


def test_many_scores_go_to_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    for name in ("_attention", "_gradients"):
        loop = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, name=name, loop=loop: (ran.append(name), loop(*a)))
    rng = np.random.default_rng(0)
    for length, expected in ((100, []), (300, ["_attention", "_gradients"])):
        q, k, v, g = rng.normal(size=(4, 1, 1, length, 8))
        y, logs, bars = np.empty_like(q), np.empty((1, 1, length)), [np.empty_like(q) for _ in range(3)]
        with kernels.using(numba=True):
            attention(q, k, v, Scores(0.3), y, logs)
            attention_gradients(g, y, q, k, v, Scores(0.3), bars, logs)
        weights = np.exp(0.3 * q @ k.mT)
        np.testing.assert_allclose(y, weights @ v / weights.sum(-1, keepdims=True), rtol=1e-10)
        assert ran == expected


def test_nothing_to_attend_to() -> None:
    empty = np.empty((1, 1, 0, 2))
    y, logs = np.full((1, 1, 3, 2), 9.0), np.empty((1, 1, 3))
    attention(np.ones((1, 1, 3, 2)), empty, empty, Scores(1.0), y, logs)
    assert not y.any()
    attention(empty, np.ones((1, 1, 3, 2)), np.ones((1, 1, 3, 2)), Scores(1.0), empty.copy(), logs[..., :0])
