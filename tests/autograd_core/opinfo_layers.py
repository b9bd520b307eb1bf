"""Calls of PyTorch's ``nn.functional``: the layers here, and formulas of NumPy's functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
import nn.functional as F

from .opinfo import Call, alike, reduced, same

PREFIX = "nn.functional."


def _plain(f: Call) -> Call:
    """Drop the request to write in place, which changes no value."""
    return lambda *args, inplace=False, **kwargs: f(*args, **kwargs)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.where(x * beta > threshold, x, F.softplus(x, beta))


def _loss(f: Call) -> Call:
    """Give a formula of an input and a target the argument ``reduction``."""
    return lambda *args, reduction="mean", **kwargs: reduced(f(*args, **kwargs), reduction)


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


def _huber(x: Any, y: Any, delta: float = 1.0) -> Any:
    d = np.abs(x - y)
    return np.where(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta))


def _smooth_l1(x: Any, y: Any, beta: float = 1.0) -> Any:
    d = np.abs(x - y)
    return np.where(d < beta, 0.5 * d * d / (beta or 1.0), d - 0.5 * beta)


def _gaussian(x: Any, y: Any, var: Any, full: bool = False, eps: float = 1e-6) -> Any:
    if isinstance(var, float):
        var = np.full(x.shape, var)
    elif var.shape != x.shape and var.shape == x.shape[:-1]:
        var = var[..., None]
    var = np.where(np.asarray(var < eps), eps + 0 * var, var)  # the limit passes no gradient
    y = 0.5 * (np.log(var) + (x - y) ** 2 / var)
    return y + 0.5 * math.log(2 * math.pi) if full else y


def _poisson(x: Any, y: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8) -> Any:
    loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if full:  # Stirling's formula for log y!
        safe = np.where(y > 1, y, 2.0)
        loss = loss + np.where(y > 1, y * np.log(safe) - y + 0.5 * np.log(2 * math.pi * safe), 0.0)
    return loss


def _kl(x: Any, y: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    loss = np.exp(y) * (y - x) if log_target else np.where(y == 0, 0.0, y * np.log(y)) - y * x
    if reduction == "batchmean":
        return np.sum(loss) / (x.shape[0] if x.ndim else 1)
    return reduced(loss, reduction)


def _hinge(x: Any, y: Any, margin: float = 1.0) -> Any:
    return np.where(y != 1, np.maximum(margin - x, 0.0), 0.0) + np.where(y != -1, x, 0.0)


def _margin(a: Any, b: Any, y: Any, margin: float = 0.0) -> Any:
    return np.maximum(margin - y * (a - b), 0.0)


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


def _embedding_loss(x: Any, y: Any, sign: Any, margin: float = 0.0) -> Any:
    def dot(a: Any, b: Any) -> Any:
        return np.sum(a * b, axis=-1)

    c = dot(x, y) / np.sqrt((dot(x, x) + 1e-12) * (dot(y, y) + 1e-12))
    return np.where(sign == 1, 1 - c, 0.0) + np.where(sign == -1, np.maximum(c - margin, 0.0), 0.0)


def _triplet(a: Any, p: Any, n: Any, margin: float = 1.0, swap: bool = False) -> Any:
    far = _distance(a, n)
    far = np.minimum(far, _distance(p, n)) if swap else far
    return np.maximum(margin + _distance(a, p) - far, 0.0)


def _multi_margin(x: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None) -> Any:
    rows = np.reshape(x, (-1, x.shape[-1] if x.ndim else 1))
    target = np.reshape(target, (-1, 1))
    loss = np.maximum(margin - np.take_along_axis(rows, target, 1) + rows, 0.0) ** p
    loss = loss if weight is None else loss * weight[target]
    there = np.arange(rows.shape[1]) != target
    loss = np.sum(np.where(there, loss, 0.0), axis=1) / rows.shape[1]
    return loss if x.ndim == 2 else loss[0]


def _multilabel(x: Any, y: Any, weight: Any = None) -> Any:
    loss = y * F.softplus(-x) + (1 - y) * F.softplus(x)
    return np.mean(loss if weight is None else loss * weight, axis=-1)


def _pdist(x: Any, p: float = 2.0) -> Any:
    i, j = np.triu_indices(x.shape[0], 1)
    return ag.vector_norm(x[i] - x[j], ord=p, axis=-1)


def _bilinear(a: Any, b: Any, w: Any, bias: Any = None) -> Any:
    y = np.einsum("...i,oij,...j->...o", a, w, b)
    return y if bias is None else y + bias


def _linear_cross_entropy(x: Any, w: Any, target: Any, linear_bias: Any = None, **settings: Any) -> Any:
    bias = linear_bias
    settings.pop("options", None)
    logits = F.linear(x, np.reshape(w, (-1, w.shape[-1])), None if bias is None else np.ravel(bias))
    if w.ndim > 2:
        logits = np.reshape(logits, (*logits.shape[:-1], *w.shape[:-1]))
    return F.cross_entropy(logits, target, **settings)


def _safe_softmax(x: Any, dim: int, dtype: Any = None) -> Any:
    """Return shares that are 0 where everything is -inf."""
    nothing = np.all(x == -np.inf, axis=dim, keepdims=True)
    return np.where(nothing, 0.0, ag.softmax(np.where(nothing, 0.0, x), dim))


def _log_sigmoid(x: Any) -> Any:
    return -F.softplus(-x)


_FORMULAS: dict[str, Call] = {
    **same("elu leaky_relu linear mse_loss relu", F),
    **same("binary_cross_entropy binary_cross_entropy_with_logits cross_entropy nll_loss", F),
    **alike("batch_norm batch_norm/without_cudnn", _batch_norm),
    "instance_norm": _instance_norm,
    "bilinear": _bilinear,
    "cosine_embedding_loss": _loss(_embedding_loss),
    "embedding": lambda weight, index: weight[index],
    "multi_margin_loss": _loss(_multi_margin),
    "multilabel_soft_margin_loss": _loss(_multilabel),
    "pdist": _pdist,
    "triplet_margin_loss": _loss(_triplet),
    "celu": lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0),
    "cosine_similarity": _cosine,
    "gaussian_nll_loss": _loss(_gaussian),
    "glu": _glu,
    "group_norm": _group_norm,
    "hardshrink": lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0.0),
    "hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hardtanh": lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
    "hinge_embedding_loss": _loss(_hinge),
    "huber_loss": _loss(_huber),
    "kl_div": _kl,
    "l1_loss": _loss(lambda x, y: np.abs(x - y)),
    "layer_norm": _layer_norm,
    "logsigmoid": _log_sigmoid,
    "margin_ranking_loss": _loss(_margin),
    "mish": lambda x: x * np.tanh(F.softplus(x)),
    "normalize": _normalize,
    "pairwise_distance": _distance,
    "poisson_nll_loss": _loss(_poisson),
    "prelu": _prelu,
    "relu6": lambda x: np.clip(x, 0, 6),
    "rms_norm": _rms_norm,
    "selu": lambda x: 1.0507009873554805 * F.elu(x, 1.6732632423543772),
    "silu": lambda x: x * ag.sigmoid(x),
    "smooth_l1_loss": _loss(_smooth_l1),
    "soft_margin_loss": _loss(lambda x, y: F.softplus(-y * x)),
    "softmin": _along(lambda x, dim: F.softmax(-x, dim)),
    "softmin/with_dtype": _along(lambda x, dim: F.softmax(-x, dim)),
    "softplus": _softplus,
    "softshrink": lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "threshold": lambda x, threshold, value: np.where(x > threshold, x, value),
    **alike("linear_cross_entropy linear_cross_entropy/chunked linear_cross_entropy/chunked_none",
            _linear_cross_entropy),
}  # fmt: skip
CALLS: dict[str, Call] = {
    **{PREFIX + name: _plain(call) for name, call in _FORMULAS.items()},
    **alike("softmax softmax/with_dtype", _along(ag.Tensor.softmax)),
    **alike("log_softmax log_softmax/with_dtype", _along(F.log_softmax)),
    "torch.ops.aten._safe_softmax.default": _safe_softmax,
}
