"""Losses of pairs and triplets: which of two is larger, what is alike and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from ..casting import taken
from ..settings import check_positive
from .distance import pairwise_distance
from .reduce import known, pair, reduce, signs

__all__ = [
    "contrastive_loss", "cosine_embedding_loss", "margin_ranking_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip

TINY = 1e-12  # added to squared lengths, as in PyTorch


def _above_0(z: Any) -> Any:
    """Return ``max(z, 0)`` with derivative 1 at 0, as PyTorch has it for what is clamped."""
    return ops.clip(z, 0, None)


def _labels(loss: str, target: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return one label of -1 or +1 for each sample."""
    t = taken(target if hasattr(target, "shape") else np.asarray(target), dtype, loss)
    if t.shape != shape:
        raise ValueError(message(loss, f"a target of shape {t.shape}", f"{shape}: one label for each pair",
                                 f"target.reshape({shape})" if t.size == np.prod(shape, dtype=int) else "",
                                 ))  # fmt: skip
    return signs(loss, t)


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """Return ``max(0, margin - t (x1 - x2))``: t says which of two numbers should be larger.

    Args:
        input1: x1, of any shape.
        input2: x2, of the same shape.
        target: labels t of the same shape, 1 where x1 should be larger, -1 where x2 should.
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ.

    >>> from autograd_core import nn
    >>> x1, x2 = np.array([3.0, 1.0]), np.array([1.0, 3.0])
    >>> nn.functional.margin_ranking_loss(x1, x2, np.array([1, 1]), margin=0.5, reduction="none")
    array([0. , 2.5])
    """
    x1, x2 = pair("margin_ranking_loss", input1, input2, reduction)
    t = pair("margin_ranking_loss", x1, target, reduction)[1]
    y: Tensor = reduce(_above_0(margin - t * (x1 - x2)), reduction)
    return y


def _vectors(loss: str, reduction: str, *inputs: Any) -> list[Any]:
    """Return vectors along the last axis, all of one shape."""
    known(loss, reduction)
    first, *others = inputs
    rest = [pair(loss, first, x, reduction)[1] for x in others]
    first = pair(loss, first, first, reduction)[0]
    if not first.ndim:
        raise ValueError(message(loss, "inputs without axes", "vectors along the last axis"))
    return [first, *rest]


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """Return ``1 - cos(x1, x2)`` for what is alike (t = 1), ``max(0, cos(x1, x2) - margin)`` for what is not.

    Args:
        input1: vectors x1, (N, D) or (D,).
        input2: vectors x2, of the same shape.
        target: labels t, (N,) or (): 1 for what is alike, -1 for what is not.
        margin: from -1 to 1; how alike the others may be.
        reduction: ``"mean"`` over the pairs, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, or a label is neither -1 nor +1.

    >>> from autograd_core import nn
    >>> x1, x2 = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [3.0, 4.0]])
    >>> nn.functional.cosine_embedding_loss(x1, x2, np.array([1, -1]), reduction="none")
    array([1. , 0.6])
    """
    x1, x2 = _vectors("cosine_embedding_loss", reduction, input1, input2)
    if x1.ndim > 2:
        raise ValueError(message("cosine_embedding_loss", f"inputs of shape {x1.shape}", "(N, D) or (D,)"))
    t = _labels("cosine_embedding_loss", target, x1.shape[:-1], x1.dtype)
    lengths = [ops.sqrt(ops.sum(x * x, axis=-1) + TINY) for x in (x1, x2)]
    cos = ops.sum(x1 * x2, axis=-1) / (lengths[0] * lengths[1])
    losses = ops.where(np.equal(t, 1), 1 - cos, _above_0(cos - margin))
    y: Tensor = reduce(losses, reduction)
    return y


def contrastive_loss(
    input1: Any, input2: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """Return ``d^2 / 2`` for what is alike, ``max(0, margin - d)^2 / 2`` for what is not; ``d = |x1 - x2|``.

    [Hadsell, Chopra and LeCun, Dimensionality reduction by learning an invariant mapping, 2006; their label Y
    is 0 for what is alike]

    Args:
        input1: vectors x1, (..., D).
        input2: vectors x2, of the same shape.
        target: labels, (...): 1 for what is alike, -1 for what is not.
        margin: how far apart is enough.
        reduction: ``"mean"`` over the pairs, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, a label is neither -1 nor +1, or the margin is not positive.

    >>> from autograd_core import nn
    >>> x1, x2 = np.zeros((2, 2)), np.array([[3.0, 4.0], [3.0, 4.0]])
    >>> nn.functional.contrastive_loss(x1, x2, np.array([1, -1]), margin=6.0, reduction="none")
    array([12.5, 0.5])
    """
    check_positive("contrastive_loss", margin=margin)
    x1, x2 = _vectors("contrastive_loss", reduction, input1, input2)
    t = _labels("contrastive_loss", target, x1.shape[:-1], x1.dtype)
    d = x1 - x2
    short = ops.relu(margin - ops.norm(d, axis=-1))
    losses = 0.5 * ops.where(np.equal(t, 1), ops.sum(d * d, axis=-1), short * short)
    y: Tensor = reduce(losses, reduction)
    return y


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, *, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``max(0, d(a, p) - d(a, n) + margin)``: a should be closer to p than to n, by the margin.

    ``d(x, y) = |x - y + eps|_p``. [Balntas et al., Learning local feature descriptors with triplets and
    shallow convolutional neural networks, 2016]

    Args:
        anchor: vectors a, (..., D).
        positive: vectors p, of the same shape: of the anchor's kind.
        negative: vectors n, of the same shape: of another kind.
        margin: by how much.
        p: the degree of the norm.
        eps: keeps the distance from 0.
        swap: take ``d(p, n)`` in the place of ``d(a, n)`` where it is less.
        reduction: ``"mean"`` over the triplets, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, or the margin is not positive.

    >>> from autograd_core import nn
    >>> a, p, n = np.zeros(2), np.array([3.0, 4.0]), np.array([0.0, 5.5])
    >>> float(nn.functional.triplet_margin_loss(a, p, n))
    0.5
    """
    check_positive("triplet_margin_loss", margin=margin)
    a, near, far = _vectors("triplet_margin_loss", reduction, anchor, positive, negative)

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplet(distance, a, near, far, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``max(0, d(a, p) - d(a, n) + margin)`` of a distance d of your own.

    Args:
        anchor: a, (N, ...).
        positive: of the same shape.
        negative: of the same shape.
        distance_function: ``d(x, y)``, (N,); by default the Euclidean ``|x - y + 1e-6|``.
        margin: by how much a should be closer to the positive.
        swap: take ``d(p, n)`` in the place of ``d(a, n)`` where it is less.
        reduction: ``"mean"`` over the triplets, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ, or the margin is not positive.

    >>> from autograd_core import nn
    >>> a, p, n = np.zeros((1, 2)), np.array([[3.0, 4.0]]), np.array([[0.0, 5.5]])
    >>> loss = nn.functional.triplet_margin_with_distance_loss
    >>> float(loss(a, p, n, distance_function=lambda x, y: abs(x - y).max(1)))
    0.0
    """
    loss = "triplet_margin_with_distance_loss"
    check_positive(loss, margin=margin)
    a, near, far = _vectors(loss, reduction, anchor, positive, negative)
    return _triplet(distance_function or pairwise_distance, a, near, far, margin, swap, reduction)


def _triplet(
    distance: Callable[[Any, Any], Any], a: Any, near: Any, far: Any, margin: float, swap: bool,
    reduction: str,
) -> Tensor:  # fmt: skip
    apart = distance(a, far)
    if swap:
        apart = ops.minimum(apart, distance(near, far))
    y: Tensor = reduce(_above_0(margin + distance(a, near) - apart), reduction)
    return y
