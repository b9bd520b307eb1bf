"""Multi-head attention as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.tensor import Parameter

from . import functional as F
from . import init
from .linear import Linear
from .module import Module
from .settings import check_shares

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Several heads that each attend in a space of their own: ``concat(head_1 ... head_H) W_o^T + b_o``.

    ``head_i = softmax(Q_i K_i^T / sqrt(E / H)) V_i`` with ``Q_i = query W_i^T + b_i``; keys and values alike.

    Args:
        embed_dim: E, the length of queries and outputs.
        num_heads: H, which divides E.
        dropout: the probability to drop a weight in training.
        bias: whether the projections have one.
        add_bias_kv: add to keys and values one more, which is learnt.
        add_zero_attn: add to keys and values one more, of zeros.
        kdim: length of the keys, embed_dim by default.
        vdim: length of the values, embed_dim by default.
        batch_first: axes are (N, L, E), not (L, N, E).
        dtype: of the parameters, float32 by default.

    Shapes:
        query: (L, N, E), key: (S, N, kdim), value: (S, N, vdim), or with ``batch_first`` (N, L, E) and so on,
        or all without N -> output of query's shape, and weights (N, L, S), (N, H, L, S) with
        ``average_attn_weights=False``, or None with ``need_weights=False``, which is faster.
        in_proj_weight: (3 E, E), or q_proj_weight (E, E), k_proj_weight (E, kdim), v_proj_weight (E, vdim).

    Masks are the other way round than those of ``scaled_dot_product_attention``, as in PyTorch: True
    leaves a key out. Numbers are added to the scores. ``key_padding_mask`` is (N, S), or (S,) without a
    batch; ``attn_mask`` (L, S) or (N H, L, S). ``is_causal`` is a hint that ``attn_mask`` is the causal
    mask; with None its values say so. A query for which all keys are left out gives zeros before the
    output projection, but nan where weights are asked for, as in PyTorch.

    Raises:
        ValueError: num_heads does not divide embed_dim, shapes that do not fit, ``is_causal`` without a mask.
        TypeError: a mask of integers.

    Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> attention = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = np.ones((5, 3, 8), np.float32)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((5, 3, 8), (5, 3, 3))
    """

    draws = True  # in training: see nn.monte_carlo
    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(message("MultiheadAttention", f"embed_dim={embed_dim}, num_heads={num_heads}",
                                     "positive numbers, embed_dim a multiple of num_heads"))  # fmt: skip
        check_shares("MultiheadAttention", dropout=dropout)
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.head_dim, self.batch_first = embed_dim // num_heads, batch_first
        self.add_zero_attn = add_zero_attn
        shapes = {"in_proj_weight": (3 * embed_dim, embed_dim)}
        if (self.kdim, self.vdim) != (embed_dim, embed_dim):
            shapes = {"q_proj_weight": (embed_dim, embed_dim), "k_proj_weight": (embed_dim, self.kdim),
                      "v_proj_weight": (embed_dim, self.vdim)}  # fmt: skip
        for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_weight"):
            made = Parameter(np.empty(shapes[name], dtype)) if name in shapes else None
            self.register_parameter(name, made)
        self.register_parameter("in_proj_bias", Parameter(np.empty(3 * embed_dim, dtype)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        for name in ("bias_k", "bias_v"):
            made = Parameter(np.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters: Xavier's for the projections, and zeros for their biases."""
        for p in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if p is not None:
                init.xavier_uniform_(p)
        self.out_proj.reset_parameters()
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for p in (self.bias_k, self.bias_v):
            if p is not None:
                init.xavier_normal_(p)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
        attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool | None = False,
    ) -> Any:  # fmt: skip
        return F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias,
            self.bias_k, self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight,
            self.out_proj.bias, self.training, key_padding_mask, need_weights, attn_mask,
            self.in_proj_weight is None, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
            average_attn_weights, is_causal, batch_first=self.batch_first)  # fmt: skip

    def extra_repr(self) -> str:
        text = f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"
        if (self.kdim, self.vdim) != (self.embed_dim, self.embed_dim):
            text += f", kdim={self.kdim}, vdim={self.vdim}"
        given = {"dropout": self.dropout, "bias": self.in_proj_bias is not None,
                 "add_bias_kv": self.bias_k is not None, "add_zero_attn": self.add_zero_attn,
                 "batch_first": self.batch_first}  # fmt: skip
        usual = {"bias": True}
        return text + "".join(f", {k}={v}" for k, v in given.items() if v != usual.get(k, False))
