"""Scaled dot-product attention: a mean of values, weighted by how well their keys fit a query.

[Vaswani et al., Attention is all you need, 2017]
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.fused import fused
from autograd_core.kernels.attention import Scores, attention, attention_gradients
from autograd_core.kernels.memory import memory_for
from autograd_core.node import has_box, strip
from autograd_core.tensor import Tensor

from ..casting import taken
from ..settings import check_shares
from .dropout import factors

__all__ = ["causal_mask", "scaled_dot_product_attention"]

# -- the operations: queries, keys and values apart, or the three in one array ---------------------


def heads_of(x: Any, heads: int, parts: int, batch_first: bool) -> Any:
    """Return (N, L, parts E), or (L, N, parts E), as (parts, N, H, L, E / H)."""
    x = np.reshape(x, (*x.shape[:2], parts, heads, x.shape[2] // (parts * heads)))
    return np.transpose(x, (2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4))


def _scores(scale: float, causal: bool | None, bias: Any = None, keep: Any = None) -> Scores:
    if causal is None:  # as the bias is: a kernel sees its values
        causal = bias is not None and is_causal(bias[0, 0])
        bias = None if causal else bias
    return Scores(scale, causal, None if bias is None else bias.mT, keep)


def is_causal(mask: Any) -> bool:
    """Tell whether a mask, of booleans (True: left out) or of numbers to add, is the causal one."""
    n = mask.shape[-1]
    return mask.shape == (n, n) and bool(np.array_equal(
        mask, ~causal_mask(n, dtype=bool) if mask.dtype == bool else causal_mask(n)))  # fmt: skip


def _attend(
    q: Any, k: Any, v: Any, *, scale: float, causal: bool | None, bias: Any = None, keep: Any = None
) -> Any:
    """Attend with q, k, v of (N, H, L or S, D), bias (N, H, L, S) and what is kept (N, H, S, L)."""
    scores = q @ k.mT * scale
    if bias is not None:
        scores = scores + bias
    if causal:
        scores = scores + causal_mask(scores.shape[-2], scores.shape[-1], dtype=scores.dtype)
    some = np.logical_or.reduce(strip(scores) != -math.inf, axis=-1, keepdims=True)
    weights = ops.softmax(ops.where(some, scores, 0.0)) * some  # a query without keys: zeros
    if keep is not None:
        weights = weights * keep.mT
    return weights @ v


def _attend_forward(q: Any, k: Any, v: Any, logs: Any, *, out: Any = None, **how: Any) -> Any:
    y = memory_for(out, (*q.shape[:-1], v.shape[-1]), q.dtype)
    attention(q, k, v, _scores(**how), y, logs.reshape(q.shape[:-1]))
    return y


def _attend_backward(g: Any, y: Any, q: Any, k: Any, v: Any, logs: Any, out: Any, **how: Any) -> None:
    attention_gradients(g, y, q, k, v, _scores(**how), out, logs.reshape(q.shape[:-1]))


def _rows(q: Any, *others: Any, **how: Any) -> int:
    return math.prod(q.shape[:-1])


def _flops(y: Any, q: Any, k: Any, *others: Any, **how: Any) -> int:
    return 2 * math.prod(q.shape[:-1]) * k.shape[-2] * (q.shape[-1] + y.shape[-1])


_plain = fused(
    _attend, _attend_forward, _attend_backward, memory=_rows, name="attention", flops=_flops,
    doc="softmax(q k^T scale + bias) v, the bias a constant.",
)  # fmt: skip


def _biased_forward(q: Any, k: Any, v: Any, bias: Any, logs: Any, *, out: Any = None, **how: Any) -> Any:
    return _attend_forward(q, k, v, logs, bias=bias, out=out, **how)


def _biased_backward(
    g: Any, y: Any, q: Any, k: Any, v: Any, bias: Any, logs: Any, out: Any, **how: Any
) -> None:
    full = np.zeros((*y.shape[:2], k.shape[2], y.shape[2]), y.dtype)
    attention_gradients(
        g, y, q, k, v, _scores(bias=bias, **how), out[:3], logs.reshape(q.shape[:-1]), full)  # fmt: skip
    axes = tuple(i for i, n in enumerate(bias.shape) if n == 1)
    np.add.reduce(full.mT, axis=axes, keepdims=True, out=out[3])


_biased = fused(
    lambda q, k, v, bias, **how: _attend(q, k, v, bias=bias, **how),
    _biased_forward, _biased_backward, memory=_rows, name="attention", flops=_flops,
    doc="softmax(q k^T scale + bias) v, the bias with a gradient.",
)  # fmt: skip


def attend(q: Any, k: Any, v: Any, *, bias: Any = None, **how: Any) -> Any:
    """Attend with q, k, v of (N, H, L or S, D); a bias that is a Tensor gets a gradient."""
    return _biased(q, k, v, bias, **how) if has_box(bias) else _plain(q, k, v, bias=bias, **how)


def _self(qkv: Any, *, heads: int, batch_first: bool, **how: Any) -> Any:
    q, k, v = heads_of(qkv, heads, 3, batch_first)
    y = np.transpose(_attend(q, k, v, **how), (0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    return np.reshape(y, (*qkv.shape[:2], qkv.shape[2] // 3))


def _self_forward(
    qkv: Any, logs: Any, *, heads: int, batch_first: bool, out: Any = None, **how: Any
) -> Any:
    y = memory_for(out, (*qkv.shape[:2], qkv.shape[2] // 3), qkv.dtype)
    q, k, v = heads_of(qkv, heads, 3, batch_first)
    attention(q, k, v, _scores(**how), heads_of(y, heads, 1, batch_first)[0], logs.reshape(q.shape[:-1]))
    return y


def _self_backward(
    g: Any, y: Any, qkv: Any, logs: Any, out: Any, *, heads: int, batch_first: bool, **how: Any
) -> None:
    (g,), (y,) = heads_of(g, heads, 1, batch_first), heads_of(y, heads, 1, batch_first)
    q, k, v = heads_of(qkv, heads, 3, batch_first)
    bars = heads_of(out[0], heads, 3, batch_first)
    attention_gradients(g, y, q, k, v, _scores(**how), bars, logs.reshape(q.shape[:-1]))


self_attention = fused(
    _self, _self_forward, _self_backward, name="self_attention",
    memory=lambda qkv, *, heads, **how: math.prod(qkv.shape[:2]) * heads,
    flops=lambda y, qkv, *others, batch_first, **how: 4 * y.size * y.shape[int(batch_first)],
    doc="Attention over queries, keys and values of H heads that lie in one array, (N, L, 3 E) to (N, L, E).",
)  # fmt: skip


# -- masks -----------------------------------------------------------------------------------------


def causal_mask(length: int, keys: int | None = None, dtype: Any = np.float32) -> Any:
    """Return a mask to be added to scores: 0 where key j <= query i, and -inf where j comes later.

    Args:
        length: how many queries.
        keys: how many keys, by default as many.
        dtype: a floating dtype; ``bool`` gives True where a key takes part.

    >>> from autograd_core import nn
    >>> nn.functional.causal_mask(3)
    array([[  0., -inf, -inf],
           [  0.,   0., -inf],
           [  0.,   0.,   0.]], dtype=float32)
    """
    taking = np.tri(length, length if keys is None else keys, dtype=bool)
    return taking if np.dtype(dtype) == bool else additive(taking, dtype)


def additive(taking: Any, dtype: Any) -> Any:
    """Return a boolean mask as numbers to add: 0 where True, -inf where False."""
    return np.where(taking, np.zeros((), dtype), np.full((), -np.inf, dtype))


def _mask(mask: Any, q: Any, k: Any) -> Any:
    """Return a mask as numbers to add, (N, H, L, S) with axes of length 1 where it is the same for all."""
    who, full = "scaled_dot_product_attention", (*q.shape[:-1], k.shape[-2])
    if not hasattr(mask, "dtype"):
        mask = np.asarray(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(message(who, f"attn_mask of dtype {mask.dtype}", f"bool or {q.dtype}",
                                "attn_mask.astype(bool): True where a key takes part"))  # fmt: skip
    mask = additive(strip(mask), q.dtype) if mask.dtype.kind == "b" else taken(mask, q.dtype, who)
    try:
        fits = np.broadcast_shapes(mask.shape, full) == full
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(message(who, f"attn_mask of shape {mask.shape} for scores of shape {full}",
                                 "a shape that broadcasts to theirs"))  # fmt: skip
    if len(full) > 4:
        mask = np.broadcast_to(mask, full[:-2] + mask.shape[-2:])
        return np.reshape(mask, (-1, *mask.shape[-3:]))
    return np.reshape(mask, (1,) * (4 - mask.ndim) + mask.shape)


def _four(x: Any) -> Any:
    """Return (..., L, D) as (N, H, L, D)."""
    if x.ndim == 4:
        return x
    lead = x.shape[:-2]
    return np.reshape(x, (math.prod(lead[:-1]), lead[-1] if lead else 1, *x.shape[-2:]))


def _inputs(query: Any, key: Any, value: Any, enable_gqa: bool) -> tuple[Any, Any, Any]:
    """Check queries, keys and values, and give them the same leading axes."""
    who = "scaled_dot_product_attention"
    query = query if hasattr(query, "shape") else np.asarray(query)
    if query.dtype.kind != "f":
        raise TypeError(message(who, f"a query of dtype {query.dtype}", "a floating dtype"))
    key, value = taken(key, query.dtype, who), taken(value, query.dtype, who)
    shapes = f"query {query.shape}, key {key.shape}, value {value.shape}"
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError(message(who, shapes, "(..., L, E), (..., S, E), (..., S, Ev)"))
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(message(who, shapes, f"keys as long as the queries, {query.shape[-1]}"))
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(message(who, shapes, f"a value for each of the {key.shape[-2]} keys"))
    if enable_gqa:
        heads, groups = (x.shape[-3] if x.ndim > 2 else 0 for x in (query, key))
        if not groups or heads % groups or value.ndim < 3 or value.shape[-3] != groups:
            raise ValueError(message(who, shapes, "(..., H, L, E) with H a multiple of the keys' heads",
                                     "enable_gqa=False"))  # fmt: skip
        key, value = (ops.repeat(x, heads // groups, axis=-3) for x in (key, value))
    try:
        lead = np.broadcast_shapes(*(x.shape[:-2] for x in (query, key, value)))
    except ValueError:
        raise ValueError(message(who, shapes, "leading axes that broadcast",
                                 "enable_gqa=True where keys have fewer heads")) from None  # fmt: skip
    q, k, v = (x if x.shape[:-2] == lead else np.broadcast_to(x, lead + x.shape[-2:])
               for x in (query, key, value))  # fmt: skip
    return q, k, v


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``softmax(Q K^T scale + mask) V``: for each query a mean of the values.

    Only blocks of the scores are ever in memory, so that it grows with the lengths, not with their product.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, Ev).
        attn_mask: broadcasts to (..., L, S): booleans, True where a key takes part, or numbers that are
            added to the scores, which may have a gradient. A query without keys gives zeros.
        dropout_p: the probability to drop a weight; it is applied whenever it is not 0.
        is_causal: query i sees the keys 0 ... i only.
        scale: by default ``1 / sqrt(E)``.
        enable_gqa: keys and values may have fewer heads (axis -3), each for several of the queries' heads.

    Returns:
        (..., L, Ev).

    Raises:
        ValueError: shapes that do not fit, or a mask beside ``is_causal``.
        TypeError: a mask of integers, or arrays of different dtypes.

    Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> from autograd_core import nn
    >>> q, k = np.zeros((1, 2)), np.zeros((2, 2))
    >>> nn.functional.scaled_dot_product_attention(q, k, np.array([[1.0], [3.0]]))
    array([[2.]])
    """
    check_shares("scaled_dot_product_attention", dropout_p=dropout_p)
    if is_causal and attn_mask is not None:
        raise ValueError(message("scaled_dot_product_attention", "attn_mask and is_causal=True",
                                 "one of them", "attn_mask & causal_mask(L, S, bool)"))  # fmt: skip
    q, k, v = _inputs(query, key, value, enable_gqa)
    bias = None if attn_mask is None else _mask(attn_mask, q, k)
    shape = (*q.shape[:-1], v.shape[-1])
    factor = (1 / math.sqrt(q.shape[-1]) if q.shape[-1] else 1.0) if scale is None else float(scale)
    q, k, v = _four(q), _four(k), _four(v)
    keep = factors((*q.shape[:2], k.shape[2], q.shape[2]), dropout_p, q.dtype)
    y: Tensor = attend(q, k, v, bias=bias, keep=keep, scale=factor, causal=bool(is_causal))
    return y if y.shape == shape else ops.reshape(y, shape)
