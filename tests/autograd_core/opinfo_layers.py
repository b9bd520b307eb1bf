"""Calls of PyTorch's ``nn.functional``: the layers here, and formulas of NumPy's functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
import nn.functional as F

from .opinfo import Call, alike, same

PREFIX = "nn.functional."


def _plain(f: Call) -> Call:
    """Drop the request to write in place, which changes no value."""
    return lambda *args, inplace=False, **kwargs: f(*args, **kwargs)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, F.softplus(x, beta))


def _along(f: Call) -> Call:
    return lambda x, dim, dtype=None: f(x, dim)


def _cosine(x: Any, y: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    x, y = np.broadcast_arrays(x, y)
    if x.ndim == 0:
        x, y, dim = x[None], y[None], 0
    lengths = np.linalg.norm(x, axis=dim), np.linalg.norm(y, axis=dim)
    return np.sum(x * y, dim) / (np.maximum(lengths[0], eps) * np.maximum(lengths[1], eps))


def _normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    size = ag.vector_norm(x, ord=p, axis=dim if x.ndim else None, keepdims=True)
    return x / np.maximum(size, eps)


def _distance(x: Any, y: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    return ag.vector_norm(x - y + eps, ord=p, axis=-1, keepdims=keepdim)


def _glu(x: Any, dim: int = -1) -> Any:
    a, b = np.split(x, 2, axis=dim)
    return a * ag.sigmoid(b)


def _prelu(x: Any, weight: Any) -> Any:
    return F.prelu(x, np.ravel(weight))


def _layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    axes = tuple(range(-len(shape), 0))
    y = (x - np.mean(x, axes, keepdims=True)) / np.sqrt(np.var(x, axes, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _rms_norm(x: Any, shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    eps = np.finfo(float).eps if eps is None else eps
    axes = tuple(range(-len(shape), 0))
    y = x / np.sqrt(np.mean(np.square(x), axes, keepdims=True) + eps)
    return y if weight is None else y * weight


def _group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    parts = np.reshape(x, (x.shape[0], groups, math.prod(x.shape[1:]) // groups))
    y = np.reshape(_layer_norm(parts, (1,), eps=eps), x.shape)
    ones = (-1, *[1] * (x.ndim - 2))
    y = y if weight is None else y * np.reshape(weight, ones)
    return y if bias is None else y + np.reshape(bias, ones)


def _batch_norm(x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None,
                training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Any:  # fmt: skip
    axes, ones = (0, *range(2, x.ndim)), (-1, *[1] * (x.ndim - 2))
    if training and x.size:
        mean, var = np.mean(x, axes), np.var(x, axes)
    y = (x - np.reshape(mean, ones)) / np.sqrt(np.reshape(var, ones) + eps)
    y = y if weight is None else y * np.reshape(weight, ones)
    return y if bias is None else y + np.reshape(bias, ones)


def _instance_norm(x: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None,
                   bias: Any = None, use_input_stats: bool = True, momentum: float = 0.1,
                   eps: float = 1e-5) -> Any:  # fmt: skip
    ones = (-1, *[1] * (x.ndim - 2))
    y = _layer_norm(x, x.shape[2:], eps=eps)
    y = y if weight is None else y * np.reshape(weight, ones)
    return y if bias is None else y + np.reshape(bias, ones)


def _pdist(x: Any, p: float = 2.0) -> Any:
    i, j = np.triu_indices(x.shape[0], 1)
    return ag.vector_norm(x[i] - x[j], ord=p, axis=-1)


def _bilinear(a: Any, b: Any, w: Any, bias: Any = None) -> Any:
    y = np.einsum("...i,oij,...j->...o", a, w, b)
    return y if bias is None else y + bias


def _with_own_distance(*args: Any, distance_function: Any = None, **kwargs: Any) -> Any:
    """Take the default in the place of PyTorch's module for the same distance."""
    assert type(distance_function).__name__ in ("NoneType", "PairwiseDistance")
    return F.triplet_margin_with_distance_loss(*args, **kwargs)


def _without_options(f: Call) -> Call:
    """Drop the request to compute the logits in pieces."""
    return lambda *args, options=None, **kwargs: f(*args, **kwargs)


def _safe_softmax(x: Any, dim: int, dtype: Any = None) -> Any:
    """Return shares that are 0 where everything is -inf."""
    nothing = np.all(x == -np.inf, axis=dim, keepdims=True)
    return np.where(nothing, 0.0, ag.softmax(np.where(nothing, 0.0, x), dim))


def _log_sigmoid(x: Any) -> Any:
    return -F.softplus(-x)


_FORMULAS: dict[str, Call] = {
    **same("elu leaky_relu linear mse_loss relu", F),
    **same("binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy", F),
    **same("gaussian_nll_loss hinge_embedding_loss huber_loss kl_div l1_loss margin_ranking_loss", F),
    **same("multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss nll_loss", F),
    **same("poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss", F),
    "triplet_margin_with_distance_loss": _with_own_distance,
    **alike("batch_norm batch_norm/without_cudnn", _batch_norm),
    "instance_norm": _instance_norm,
    "bilinear": _bilinear,
    "embedding": lambda weight, index: weight[index],
    "pdist": _pdist,
    "celu": lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0),
    "cosine_similarity": _cosine,
    "glu": _glu,
    "group_norm": _group_norm,
    "hardshrink": lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0.0),
    "hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hardtanh": lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
    "layer_norm": _layer_norm,
    "logsigmoid": _log_sigmoid,
    "mish": lambda x: x * np.tanh(F.softplus(x)),
    "normalize": _normalize,
    "pairwise_distance": _distance,
    "prelu": _prelu,
    "relu6": lambda x: np.clip(x, 0, 6),
    "rms_norm": _rms_norm,
    "selu": lambda x: 1.0507009873554805 * F.elu(x, 1.6732632423543772),
    "silu": lambda x: x * ag.sigmoid(x),
    "softmin": _along(lambda x, dim: F.softmax(-x, dim)),
    "softmin/with_dtype": _along(lambda x, dim: F.softmax(-x, dim)),
    "softplus": _softplus,
    "softshrink": lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "threshold": lambda x, threshold, value: np.where(x > threshold, x, value),
    **alike("linear_cross_entropy linear_cross_entropy/chunked linear_cross_entropy/chunked_none",
            _without_options(F.linear_cross_entropy)),
}  # fmt: skip
CALLS: dict[str, Call] = {
    **{PREFIX + name: _plain(call) for name, call in _FORMULAS.items()},
    **alike("softmax softmax/with_dtype", _along(ag.Tensor.softmax)),
    **alike("log_softmax log_softmax/with_dtype", _along(F.log_softmax)),
    "torch.ops.aten._safe_softmax.default": _safe_softmax,
}
