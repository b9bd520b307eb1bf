"""Losses that tell one match from many: each vector's partner among all others of the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from ..settings import check_positive
from .classes import cross_entropy
from .reduce import pair

__all__ = ["info_nce_loss", "nt_xent_loss"]

SHORTEST = 1e-12  # a vector of zeros keeps length 0


def _unit(x: Any) -> Any:
    return x / ops.maximum(ops.norm(x, axis=1, keepdims=True), SHORTEST)


def _rows(loss: str, a: Any, b: Any, temperature: float, reduction: str) -> tuple[Any, Any]:
    check_positive(loss, temperature=temperature)
    a, b = pair(loss, a, b, reduction)
    if a.ndim != 2:
        raise ValueError(message(loss, f"vectors of shape {a.shape}", "(N, D)"))
    return _unit(a), _unit(b)


def info_nce_loss(query: Any, key: Any, temperature: float = 0.1, *, reduction: str = "mean") -> Tensor:
    """Return ``-log(e^(s_ii) / sum_j e^(s_ij))``, ``s_ij = cos(q_i, k_j) / temperature``.

    The cross-entropy of finding each query's own key among all keys of the batch. [van den Oord et al.,
    Representation learning with contrastive predictive coding, 2018]

    Args:
        query: q, (N, D).
        key: k, (N, D); the key of the same row is the match.
        temperature: how sharp the choice is.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``, (N,).

    Raises:
        ValueError: the shapes differ or are not (N, D), or the temperature is not positive.

    >>> from autograd_core import nn
    >>> nn.functional.info_nce_loss(np.eye(3), 2 * np.eye(3), temperature=1.0)  # log(e + 2) - 1
    np.float64(0.551445)
    """
    q, k = _rows("info_nce_loss", query, key, temperature, reduction)
    return cross_entropy(q @ k.T / temperature, np.arange(len(q)), reduction=reduction)


def nt_xent_loss(input1: Any, input2: Any, temperature: float = 0.5, *, reduction: str = "mean") -> Tensor:
    """Return ``-log(e^(s_ij) / sum_{k != i} e^(s_ik))`` of two views of each sample, i and j.

    The 2N views are compared with each other, ``s_ij = cos(z_i, z_j) / temperature``; each has to find the
    other view of its sample. [Chen et al., A simple framework for contrastive learning of visual
    representations, 2020]

    Args:
        input1: the first views, (N, D).
        input2: the second views, (N, D), in the same order.
        temperature: how sharp the choice is.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``, (2N,): the first views, then the second.

    Raises:
        ValueError: the shapes differ or are not (N, D), or the temperature is not positive.

    >>> from autograd_core import nn
    >>> nn.functional.nt_xent_loss(np.eye(2), np.eye(2), temperature=1.0)  # log(e + 2) - 1
    np.float64(0.551445)
    """
    z1, z2 = _rows("nt_xent_loss", input1, input2, temperature, reduction)
    n, z = len(z1), ops.concatenate([z1, z2])
    scores = ops.where(np.eye(2 * n, dtype=bool), -np.inf, z @ z.T / temperature)
    partner = np.arange(2 * n)
    return cross_entropy(scores, np.concatenate([partner[n:], partner[:n]]), reduction=reduction)
