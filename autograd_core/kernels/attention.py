"""Attention in blocks: a block of scores is used while it is in the cache, and none is kept.

For queries Q (L x D), keys K (S x D) and values V (S x D'):

    E = e^(K Q^T / sqrt(D) - max),    r = sum of E over keys,    Y = E^T V / r

Scores stand transposed, keys x queries, because a maximum over rows runs on vectors and one along a row does
not (0.06 and 0.21 ms for 131,072 scores). Backward computes them again, from m = max + log r: with g = Y_bar

    E = e^(K Q^T / sqrt(D) - m),    V_bar = E g,    Z = E (V g^T - sum(g Y))
    K_bar = Z Q / sqrt(D),    Q_bar = Z^T K / sqrt(D)

[Rabe and Staats, Self-attention does not need O(n^2) memory, 2021; Dao et al., FlashAttention, 2022]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .loops import attention as loops
from .threads import get_num_threads, split, worth_a_thread
from .twins import twin

__all__ = ["attention", "attention_gradients"]

BLOCK = 1 << 17  # scores at a time: 512 KiB of float32
LEAST = 1 << 15  # scores for which another thread is worth its start
FEW = 1 << 15  # scores: for more, the loop wins, which takes 50 to 90 us to begin


class Scores(NamedTuple):
    """What is done to the products of queries and keys. Arrays are (N, H, keys, queries), or broadcast."""

    scale: float
    causal: bool = False
    bias: Any = None  # is added; -inf leaves a key out
    keep: Any = None  # is multiplied with the weights

    def of(self, part: Any, q: Any, k: Any, rows: slice) -> Any:
        """Return the scores of some (scaled) queries and the keys that they may see."""
        e = k @ q.mT
        if self.bias is not None:
            e += _part(self.bias, part)[..., : e.shape[-2], _rows(self.bias, rows)]
        if self.causal:
            last = e[..., rows.start :, :]  # earlier keys are seen by all these queries
            late = np.arange(last.shape[-2])[:, np.newaxis] > np.arange(rows.stop - rows.start)
            np.copyto(last, -np.inf, where=late)
        return e

    def drop(self, part: Any, e: Any, rows: slice) -> Any:
        """Return E as the values meet it."""
        if self.keep is None:
            return e
        return e * _part(self.keep, part)[..., : e.shape[-2], _rows(self.keep, rows)]


def _part(x: Any, part: tuple[slice, slice]) -> Any:
    """Return the batch elements and heads of one part; an axis of length 1 is for all."""
    return x[tuple([p if n > 1 else slice(None) for p, n in zip(part, x.shape)])]


def _rows(x: Any, rows: slice) -> slice:
    return rows if x.shape[-1] > 1 else slice(None)


def _parts(n: int, h: int, scores: int) -> list[tuple[slice, slice]]:
    """Return slices of the batch and of the heads: blocks of scores that fit the cache."""
    if h * scores <= BLOCK and n >= get_num_threads():
        step = min(BLOCK // max(h * scores, 1), -(-n // get_num_threads()))
        return [(slice(i, i + step), slice(None)) for i in range(0, n, step)]
    step = max(1, min(BLOCK // max(scores, 1), -(-n * h // get_num_threads())))
    return [(slice(i, i + 1), slice(j, j + step)) for i in range(n) for j in range(0, h, step)]


def _queries(rows: int, keys: int, causal: bool) -> Iterator[slice]:
    """Return slices of the queries, so that one head's scores fit the cache, and few are not seen."""
    step = max(32, min(BLOCK // max(keys, 1), 64 if causal else rows))
    for i in range(0, rows, step):
        yield slice(i, min(i + step, rows))


def attention(q: Any, k: Any, v: Any, scores: Scores, out: Any, logs: Any) -> None:
    """Write ``softmax(q k^T scale + bias) v`` into ``out``, which may be a view.

    Args:
        q: queries, (N, H, L, D).
        k: keys, (N, H, S, D).
        v: values, (N, H, S, D').
        scores: scale, masks.
        out: (N, H, L, D').
        logs: (N, H, L), is filled with the logarithms of the sums of e^scores.
    """
    run = _attention if _are_many(q, k, v) else _attention_in_blocks
    run(q, k, v, scores, out, logs)


def _attention_in_blocks(q: Any, k: Any, v: Any, scores: Scores, out: Any, logs: Any) -> None:
    (n, h, length, _), size = q.shape, k.shape[-2]
    parts = _parts(n, h, length * size)
    k, v = _matrices(k), _matrices(v)

    def work(start: int, stop: int) -> None:
        for part in parts[start:stop]:
            for rows in _queries(length, size, scores.causal):
                seen = slice(rows.stop if scores.causal else None)
                e = scores.of(part, q[part][..., rows, :] * scores.scale, k[part][..., seen, :], rows)
                top = np.maximum.reduce(e, axis=-2, keepdims=True, initial=np.finfo(e.dtype).min)
                e -= top
                np.exp(e, out=e)
                total = e.mT @ np.ones((e.shape[-2], 1), e.dtype)  # a third of the time of a sum
                total += total == 0  # a query without keys: zeros
                y = out[part][..., rows, :]
                np.matmul(scores.drop(part, e, rows).mT, v[part][..., seen, :], out=y)
                np.divide(y, total, out=y)
                np.add(top[..., 0, :], np.log(total[..., 0]), out=logs[part][..., rows])

    split(work, len(parts), worth_a_thread(LEAST, n * h * length * size, len(parts)))


def attention_gradients(
    g: Any, y: Any, q: Any, k: Any, v: Any, scores: Scores, out: Any, logs: Any, bias: Any = None
) -> None:
    """Write the gradients of queries, keys and values into ``out``, and that of the scores into ``bias``.

    Args:
        g: gradient of y, (N, H, L, D').
        y: what :func:`attention` wrote.
        q, k, v, scores, logs: what it was given.
        out: three arrays of the shapes of q, k and v, which may be views.
        bias: None, or an array of zeros (N, H, S, L): keys x queries.
    """
    run = _gradients if _are_many(q, k, v) else _gradients_in_blocks
    run(g, y, q, k, v, scores, out, logs, bias)


def _gradients_in_blocks(
    g: Any, y: Any, q: Any, k: Any, v: Any, scores: Scores, out: Any, logs: Any, bias: Any
) -> None:
    (n, h, length, _), size = q.shape, k.shape[-2]
    parts = _parts(n, h, length * size)
    k, v, g = _matrices(k), _matrices(v), _matrices(g)

    def work(start: int, stop: int) -> None:
        for part in parts[start:stop]:
            q_bar, k_bar, v_bar = (x[part] for x in out)
            first = length > 0 and not scores.causal
            if not first:
                k_bar[...] = v_bar[...] = 0
            for rows in _queries(length, size, scores.causal):
                seen = slice(rows.stop if scores.causal else None)
                ks, vs, gs = k[part][..., seen, :], v[part][..., seen, :], g[part][..., rows, :]
                qs = q[part][..., rows, :] * scores.scale
                e = scores.of(part, qs, ks, rows)
                e -= logs[part][..., np.newaxis, rows]
                np.exp(e, out=e)
                z = vs @ gs.mT
                if scores.keep is not None:
                    z = scores.drop(part, z, rows)
                z -= np.add.reduce(gs * y[part][..., rows, :], axis=-1)[..., np.newaxis, :]
                z *= e
                if bias is not None:
                    bias[part][..., seen, rows] = z
                _into(v_bar[..., seen, :], scores.drop(part, e, rows), gs, first)
                _into(k_bar[..., seen, :], z, qs, first)
                rest = q_bar[..., rows, :]
                np.matmul(z.mT, ks, out=rest)
                np.multiply(rest, scores.scale, out=rest)
                first = False

    split(work, len(parts), worth_a_thread(LEAST, n * h * length * size, len(parts)))


def _are_many(q: Any, k: Any, v: Any) -> bool:
    n, h, length, _ = q.shape
    return bool(n * h * length * k.shape[-2] > FEW and q.size and v.size)


_attention = twin(loops.attention)(_attention_in_blocks)
_gradients = twin(loops.attention_gradients)(_gradients_in_blocks)


def _matrices(x: Any) -> Any:
    """Return x with matrices that BLAS takes; for broadcast ones NumPy has slow loops of its own."""
    return x.copy() if 0 in x.strides[-2:] else x


def _into(out: Any, a: Any, b: Any, first: bool) -> None:
    if first:
        np.matmul(a, b, out=out)
    else:
        out += a @ b
