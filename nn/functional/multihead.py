"""Attention with several heads: projections, heads side by side, and a projection of what they found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.node import has_box, strip
from autograd_core.tensor import Tensor

from ..casting import taken
from .attention import additive, attend, heads_of, self_attention
from .dropout import factors
from .linear import linear

__all__ = ["multi_head_attention_forward"]

WHO = "MultiheadAttention"


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any,
    in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Any, out_proj_bias: Any, training: bool = True, key_padding_mask: Any = None,
    need_weights: bool = True, attn_mask: Any = None, use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None, k_proj_weight: Any = None, v_proj_weight: Any = None,
    average_attn_weights: bool = True, is_causal: bool | None = False, *, batch_first: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Return the output of :class:`nn.MultiheadAttention` and, if asked for, its weights.

    Arguments are PyTorch's, without ``static_k`` and ``static_v``, and ``batch_first``. Where query, key and
    value are one object and no weights are asked for, it is three operations: one product for the three, the
    attention of all heads, one product for the output.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: a mask of integers.

    >>> from autograd_core import nn
    >>> x, w = np.ones((2, 1, 4)), np.zeros((12, 4))
    >>> y, weights = nn.functional.multi_head_attention_forward(
    ...     x, x, x, 4, 2, w, None, None, None, False, 0.0, np.eye(4), None)
    >>> weights
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    weight = q_proj_weight if use_separate_proj_weight else in_proj_weight
    same = query is key and key is value
    query = taken(query, weight.dtype, WHO)
    key, value = (query, query) if same else (taken(x, weight.dtype, WHO) for x in (key, value))
    batched = query.ndim == 3
    _check(query, key, value, embed_dim_to_check, num_heads, batch_first, key_padding_mask)
    if not batched:
        query, key, value = (np.expand_dims(x, 0 if batch_first else 1) for x in (query, key, value))
        key, value = (query, query) if same else (key, value)
        key_padding_mask = key_padding_mask if key_padding_mask is None else key_padding_mask[np.newaxis]
    n, length = query.shape[:2] if batch_first else query.shape[1::-1]
    keys = key.shape[1 if batch_first else 0]
    more = (bias_k is not None) + bool(add_zero_attn)
    if is_causal and attn_mask is None:
        raise ValueError(message(WHO, "is_causal=True without attn_mask", "the mask that it is a hint for",
                                 "attn_mask=nn.Transformer.generate_square_subsequent_mask(L)"))  # fmt: skip
    causal = key_padding_mask is None and not need_weights and not more and (
        None if is_causal is None else bool(is_causal))  # fmt: skip
    mask = _mask(None if causal else attn_mask, key_padding_mask, (n, num_heads, length, keys), weight.dtype)
    drop = dropout_p if training else 0.0
    how: dict[str, Any] = {"scale": 1 / math.sqrt(embed_dim_to_check // num_heads), "causal": causal}
    weights = None
    if same and not (use_separate_proj_weight or need_weights or more or has_box(mask)):
        qkv: Any = linear(query, in_proj_weight, in_proj_bias)
        keep = factors((n, num_heads, length, length), drop, qkv.dtype)
        y: Any = self_attention(
            qkv, bias=mask, keep=keep, heads=num_heads, batch_first=batch_first, **how)  # fmt: skip
    else:
        apart = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
        q, k, v = _projected(query, key, value, in_proj_weight, apart, in_proj_bias, num_heads, batch_first)
        if bias_k is not None:
            k, v = (_appended(x, heads_of(b, num_heads, 1, True)[0]) for x, b in ((k, bias_k), (v, bias_v)))
        if add_zero_attn:
            zero = np.zeros((1, 1, 1, 1), k.dtype)
            k, v = _appended(k, zero), _appended(v, zero)
        if more and mask is not None:
            mask = np.concatenate((mask, np.zeros((*mask.shape[:-1], more), mask.dtype)), axis=-1)
        if need_weights:
            weights = _weights(q, k, mask, how["scale"])
            keep = factors(weights.shape, drop, q.dtype)
            weights = weights if keep is None else weights * keep
            y = weights @ v
            weights = np.mean(weights, axis=1) if average_attn_weights else weights
        else:
            keep = factors((n, num_heads, k.shape[2], length), drop, q.dtype)
            y = attend(q, k, v, bias=mask, keep=keep, **how)
        y = np.transpose(y, (0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
        y = np.reshape(y, query.shape)
    y = linear(y, out_proj_weight, out_proj_bias)
    if not batched:
        y = np.squeeze(y, 0 if batch_first else 1)
        weights = None if weights is None else np.squeeze(weights, 0)
    return y, weights


def _projected(
    query: Any, key: Any, value: Any, weight: Any, apart: Any, bias: Any, heads: int, batch_first: bool
) -> tuple[Any, Any, Any]:
    """Return queries, keys and values as (N, H, length, D), with as few products as the inputs allow."""
    e = query.shape[-1]
    if apart is not None or key is not value:
        parts = apart or [weight[i * e : (i + 1) * e] for i in range(3)]
        biases = [None if bias is None else bias[i * e : (i + 1) * e] for i in range(3)]
        return tuple(heads_of(linear(x, w, b), heads, 1, batch_first)[0]
                     for x, w, b in zip((query, key, value), parts, biases))  # fmt: skip
    if query is key:
        qkv = heads_of(linear(query, weight, bias), heads, 3, batch_first)
        return qkv[0], qkv[1], qkv[2]
    q = heads_of(linear(query, weight[:e], None if bias is None else bias[:e]), heads, 1, batch_first)
    kv = heads_of(linear(key, weight[e:], None if bias is None else bias[e:]), heads, 2, batch_first)
    return q[0], kv[0], kv[1]


def _appended(x: Any, one: Any) -> Any:
    """Return keys or values (N, H, S, D) with one more, which is the same for the whole batch."""
    return np.concatenate((x, np.broadcast_to(one, (*x.shape[:2], 1, x.shape[3]))), axis=2)


def _weights(q: Any, k: Any, mask: Any, scale: float) -> Any:
    scores = (q * scale) @ k.mT
    with np.errstate(invalid="ignore"):  # a query without keys has nan, as in PyTorch
        return ops.softmax(scores if mask is None else scores + mask)


# -- masks and checks ------------------------------------------------------------------------------


def _mask(attn_mask: Any, padding: Any, full: tuple[int, ...], dtype: Any) -> Any:
    """Return both masks together as numbers to add, four axes that broadcast to ``full``, or None."""
    n, heads, length, keys = full
    found = []
    for name, mask, shapes in (
        ("attn_mask", attn_mask, ((length, keys), (n * heads, length, keys))),
        ("key_padding_mask", padding, ((n, keys),)),
    ):
        if mask is None:
            continue
        mask = mask if hasattr(mask, "dtype") else np.asarray(mask)
        if mask.dtype.kind not in "bf":
            raise TypeError(message(WHO, f"{name} of dtype {mask.dtype}", "bool or a floating dtype",
                                    f"{name}.astype(bool): True where a key is left out"))  # fmt: skip
        if mask.shape not in shapes:
            raise ValueError(message(WHO, f"{name} of shape {mask.shape}", " or ".join(map(str, shapes))))
        mask = additive(~strip(mask), dtype) if mask.dtype.kind == "b" else taken(mask, dtype, WHO)
        if name == "key_padding_mask":
            mask = np.reshape(mask, (n, 1, 1, keys))
        found.append(np.reshape(mask, (-1 if mask.size else n, heads, length, keys)) if mask.ndim == 3
                     else np.reshape(mask, (1,) * (4 - mask.ndim) + mask.shape))  # fmt: skip
    return None if not found else found[0] if len(found) == 1 else found[0] + found[1]


def _check(
    query: Any, key: Any, value: Any, embed_dim: int, heads: int, batch_first: bool, padding: Any
) -> None:
    shapes = f"query {query.shape}, key {key.shape}, value {value.shape}"
    layout = "(N, L, E), (N, S, ...), (N, S, ...)" if batch_first else "(L, N, E), (S, N, ...), (S, N, ...)"
    expected = f"{layout} with E = {embed_dim}, or without N"
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise ValueError(message(WHO, shapes, expected))
    if query.shape[-1] != embed_dim:
        raise ValueError(message(WHO, shapes, expected, f"embed_dim={query.shape[-1]}"))
    if embed_dim % heads:
        raise ValueError(message(WHO, f"embed_dim={embed_dim}, num_heads={heads}", "a multiple of num_heads"))
    if key.shape[:-1] != value.shape[:-1]:
        raise ValueError(message(WHO, shapes, "a value for each key"))
    if query.ndim == 3 and query.shape[n := 0 if batch_first else 1] != key.shape[n]:
        raise ValueError(message(WHO, shapes, expected, f"batch_first={not batch_first}"))
    if padding is not None and np.ndim(padding) != query.ndim - 1:
        raise ValueError(message(
            WHO, f"key_padding_mask of shape {np.shape(padding)}",
            "(S,), as there is no batch" if query.ndim == 2 else "(N, S)"))  # fmt: skip
