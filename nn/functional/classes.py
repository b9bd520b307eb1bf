"""Losses between scores and classes: cross-entropy from logits, and from log-probabilities.

Class indices are a positional input without a rule, so that a recorded step can be replayed with
other labels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.kernels.loops import cross_entropy as loops
from autograd_core.kernels.memory import memory_for, zeros_in
from autograd_core.kernels.twins import twin
from autograd_core.node import strip
from autograd_core.primitive import declare, kernel, linear
from autograd_core.tensor import Tensor

from ..casting import taken
from ..settings import check_shares
from .reduce import known, reduce

__all__ = ["cross_entropy", "nll_loss", "one_hot"]

IGNORED = -100

# -- what is done with indices: rows x classes, and one index for each row ------------------------


def _valid(classes: int, t: Any, ignore_index: int, loss: str) -> Any:
    """Return which rows count (None: all of them), and refuse an index that is no class."""
    if not t.size or np.maximum.reduce(t.astype(np.uint64)) < classes:  # negative ones wrap high
        if 0 <= ignore_index < classes and (t == ignore_index).any():
            return t != ignore_index
        return None
    counts = t != ignore_index
    wrong = t[counts & ((t < 0) | (t >= classes))]
    if wrong.size:
        raise IndexError(message(loss, f"class {wrong[0]}", f"0 to {classes - 1}, or "
                                 f"ignore_index={ignore_index}"))  # fmt: skip
    return counts


@kernel
def _pick(x: Any, t: Any, *, ignore_index: int = IGNORED) -> Any:
    counts, rows = _valid(x.shape[1], t, ignore_index, "nll_loss"), np.arange(len(t))
    if counts is None:
        return x[rows, t]
    return np.where(counts, x[rows, np.where(counts, t, 0)], 0)


def _place(x: Any, t: Any, *, classes: int, ignore_index: int = IGNORED, out: Any = None) -> Any:
    y = zeros_in(out, (len(t), classes), x.dtype)
    counts, rows = _valid(classes, t, ignore_index, "nll_loss"), np.arange(len(t))
    if counts is None:
        y[rows, t] = x
    else:
        y[rows[counts], t[counts]] = x[counts]
    return y


pick: Any = linear(
    _pick,
    lambda g, y, x, t, *, ignore_index=IGNORED: place(
        g, t, classes=x.shape[1], ignore_index=ignore_index),
    None,
    saves=("t", ""), name="pick", doc="x[i, t_i] for each row i; 0 where t_i is ignored.",
)  # fmt: skip
place: Any = linear(
    kernel(_place, out=True),
    lambda g, y, x, t, *, classes, ignore_index=IGNORED: pick(g, t, ignore_index=ignore_index),
    None,
    saves=("t", ""), name="place", doc="Zeros with x_i at (i, t_i): the adjoint of pick.",
)  # fmt: skip


# -- cross-entropy from logits: forward, and its derivative (softmax - onehot) / N -----------------


SMALL = 1 << 11  # elements: for more, NumPy's exponentials win over a loop that begins at once


def _losses(x: Any, t: Any, ignore_index: int) -> tuple[Any, int, int]:
    """Return log sum_j e^x_j - x_t of each row, 0 where t is ignored; how many count; -1 (none is wrong)."""
    counts, rows = _valid(x.shape[1], t, ignore_index, "cross_entropy"), np.arange(len(t))
    top = np.maximum.reduce(x, axis=1, keepdims=True)
    total = np.add.reduce(np.exp(x - top), axis=1)
    if counts is None:
        return np.log(total) - (x[rows, t] - top[:, 0]), len(t), -1
    losses = np.log(total) - (x[rows, np.where(counts, t, 0)] - top[:, 0])
    return np.where(counts, losses, 0), int(np.add.reduce(counts)), -1


def _slopes(x: Any, t: Any, ignore_index: int, mean: bool, out: Any = None) -> Any:
    """Return softmax(x) - onehot(t) of each row, 0 where t is ignored; of a mean, divided by their number."""
    counts, rows = _valid(x.shape[1], t, ignore_index, "cross_entropy"), np.arange(len(t))
    e = np.exp(x - np.maximum.reduce(x, axis=1, keepdims=True), out=out)
    e /= np.add.reduce(e, axis=1, keepdims=True)
    if counts is None:
        e[rows, t] -= 1
        n = len(t)
    else:
        e[rows, np.where(counts, t, 0)] -= 1
        e *= counts[:, np.newaxis]
        n = int(np.add.reduce(counts))
    if mean:
        e *= 1 / n if n else math.nan
    return e


@twin(loops.losses)
def _few_losses(x: Any, t: Any, ignore_index: int, out: Any, counts: Any) -> None:
    out[...], counts[0], counts[1] = _losses(x, t, ignore_index)


@twin(loops.slopes)
def _few_slopes(x: Any, t: Any, ignore_index: int, mean: bool, out: Any, counts: Any) -> None:
    out[...], counts[1] = _slopes(x, t, ignore_index, mean), -1


def _is_small(x: Any) -> bool:
    return 0 < x.size <= SMALL and x.dtype.kind == "f" and bool(x.flags.c_contiguous)


def _indices(t: Any) -> Any:
    """Return indices as the loops take them; one that does not fit into them becomes negative."""
    return t if t.dtype == np.int64 and t.flags.c_contiguous else np.ascontiguousarray(t, np.int64)


@kernel
def _cross_entropy(x: Any, t: Any, *, ignore_index: int = IGNORED, reduction: str = "mean") -> Any:
    if _is_small(x):
        losses, counts = np.empty(len(t), x.dtype), np.empty(2, np.int64)
        _few_losses(x, _indices(t), ignore_index, losses, counts)
        n, wrong = counts.tolist()
        if wrong >= 0:
            _valid(x.shape[1], t, ignore_index, "cross_entropy")  # says what is wrong
    else:
        losses, n = _losses(x, t, ignore_index)[:2]
    if reduction == "none":
        return losses
    loss = np.add.reduce(losses)
    if reduction == "mean":
        return loss / n if n else np.full((), np.nan, x.dtype)  # as PyTorch: a mean of nothing
    return loss


def _error(
    x: Any, t: Any, *, ignore_index: int = IGNORED, reduction: str = "mean", out: Any = None
) -> Any:
    if _is_small(x):
        slopes, counts = memory_for(out, x.shape, x.dtype), np.empty(2, np.int64)
        _few_slopes(x, _indices(t), ignore_index, reduction == "mean", slopes, counts)
        if counts[1] >= 0:
            _valid(x.shape[1], t, ignore_index, "cross_entropy")
        return slopes
    return _slopes(x, t, ignore_index, reduction == "mean", out)


def _bend(g: Any, y: Any, x: Any, t: Any, *, ignore_index: int, reduction: str) -> Any:
    """Multiply by the second derivative of each row, (diag p - p p^T) / N, which is symmetric."""
    p = ops.softmax(x, axis=1)
    counts = np.expand_dims(t != ignore_index, 1)
    g = g * counts
    if reduction == "mean":
        g = g / np.add.reduce(counts, axis=None, dtype=x.dtype)
    return p * (g - np.add.reduce(g * p, axis=1, keepdims=True))


error = declare(
    kernel(_error, out=True), (_bend, None), saves=("x t", ""), name="cross_entropy_error",
    doc="softmax(x) - onehot(t), divided by N for the mean: the derivative of cross_entropy.",
)  # fmt: skip
error.defjvp(_bend, None)


def _pull(g: Any, y: Any, x: Any, t: Any, *, ignore_index: int, reduction: str) -> Any:
    if reduction == "none":
        g = np.expand_dims(g, 1)
    return g * error(x, t, ignore_index=ignore_index, reduction=reduction)


def _push(d: Any, y: Any, x: Any, t: Any, *, ignore_index: int, reduction: str) -> Any:
    terms = d * error(x, t, ignore_index=ignore_index, reduction=reduction)
    return np.add.reduce(terms, axis=1 if reduction == "none" else None)


_fused = declare(
    _cross_entropy, (_pull, None), saves=("x t", ""), name="cross_entropy",
    doc="log(sum(e^x)) - x_t of each row: x_bar = g (softmax(x) - onehot(t)) / N.",
)  # fmt: skip
_fused.defjvp(_push, None)

# -- what people call ------------------------------------------------------------------------------


def indices(loss: str, input: Any, target: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Return scores as (rows, classes), class indices as (rows,), and the shape of the losses."""
    x, t = (v if isinstance(getattr(v, "dtype", None), np.dtype) else np.asarray(v)
            for v in (input, strip(target)))  # fmt: skip
    if not x.ndim:
        raise ValueError(message(loss, "a prediction without axes", "(N, C) or (C,)"))
    expected = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if t.shape != expected or t.dtype.kind not in "iu":
        raise ValueError(message(
            loss, f"predictions of shape {x.shape} and a target of shape {t.shape} and dtype "
            f"{t.dtype}", f"class indices, integers of shape {expected}"
            + (f", or probabilities of shape {x.shape}" if loss == "cross_entropy" else ""),
            _hint(x, t, expected)))  # fmt: skip
    if x.ndim != 2:
        x, t = _flat(x), np.reshape(t, (-1,))
    return x, t, expected


def _hint(x: Any, t: Any, expected: tuple[int, ...]) -> str:
    if t.shape == expected:
        return "target.astype(int)"
    if t.shape == x.shape:
        return "target.argmax(1), if it is one-hot"
    if x.ndim > 2 and t.shape == x.shape[:-1]:
        return "np.moveaxis(input, -1, 1): classes are the second axis"
    return f"target.reshape({expected})" if t.size == np.prod(expected, dtype=int) else ""


def _flat(x: Any) -> Any:
    """Return scores (C,) or (N, C, d1, ...) as (rows, C)."""
    if x.ndim == 1:
        return ops.reshape(x, (1, -1))
    return ops.reshape(ops.moveaxis(x, 1, -1), (-1, x.shape[1]))


def class_weights(loss: str, weight: Any, x: Any) -> Any:
    """Return one factor for each class, in the dtype of the scores."""
    w = taken(strip(weight), x.dtype, loss)
    if np.shape(w) != x.shape[1:]:
        raise ValueError(message(loss, f"a weight of shape {np.shape(w)}", f"{x.shape[1:]}: one "
                                 "for each class"))  # fmt: skip
    return w


def _weighted(
    log_p: Any, t: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float = 0.0
) -> Any:
    """Return -w_t log p_t, mixed with the mean over all classes, of each row or together."""
    counts = np.not_equal(t, ignore_index).astype(log_p.dtype)
    w = counts if weight is None else _pick(weight * np.ones_like(strip(log_p)), t,
                                            ignore_index=ignore_index)  # fmt: skip
    losses = -w * pick(log_p, t, ignore_index=ignore_index)
    if smoothing:
        all_classes = log_p if weight is None else log_p * weight
        spread = -counts * ops.sum(all_classes, axis=1) * (smoothing / log_p.shape[1])
        losses = losses * (1 - smoothing) + spread
    if reduction == "none":
        return losses
    total = ops.sum(losses)
    with np.errstate(divide="ignore", invalid="ignore"):  # a mean of nothing is nan
        return total / np.add.reduce(w) if reduction == "mean" else total


def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = IGNORED,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Return ``-log p_t`` from log-probabilities, the negative log-likelihood of the classes.

    Args:
        input: log-probabilities, (N, C), (C,) or (N, C, d1, ...).
        target: class indices, (N,), () or (N, d1, ...).
        weight: a factor for each class, (C,); the mean is then divided by the weights' sum.
        ignore_index: a target that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes do not fit, or the target is not of integers.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> log_p = np.log(np.array([[0.5, 0.5], [0.25, 0.75]]))
    >>> nn.functional.nll_loss(log_p, np.array([0, 0]), reduction="none").round(3)
    array([0.693, 1.386])
    """
    known("nll_loss", reduction)
    x, t, shape = indices("nll_loss", input, target)
    w = None if weight is None else class_weights("nll_loss", weight, x)
    losses = _weighted(x, t, w, ignore_index, reduction)
    y: Tensor = ops.reshape(losses, shape) if reduction == "none" else losses
    return y


def cross_entropy(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = IGNORED,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Return ``-log softmax(x)_t``, the cross-entropy of classes, from logits.

    ``log(sum_c e^(x_c)) - x_t``, whose derivative is ``softmax(x) - onehot(t)``. It is finite for
    all finite logits.

    Args:
        input: logits x, (N, C), (C,) or (N, C, d1, ...).
        target: class indices, integers of shape (N,), () or (N, d1, ...); or probabilities of
            the logits' shape, whose loss is ``-sum_c q_c log softmax(x)_c``.
        weight: a factor for each class, (C,); with indices, the mean is then divided by the sum
            of the targets' weights.
        ignore_index: a class index that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: how much of each target is spread evenly over all classes, 0 to 1.

    Raises:
        ValueError: the shapes do not fit.
        IndexError: a class is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> logits = np.array([[0.0, 0.0], [1000.0, 0.0]])
    >>> nn.functional.cross_entropy(logits, np.array([0, 1]), reduction="none").tolist()
    [0.693147, 1000.0]
    """
    known("cross_entropy", reduction)
    check_shares("cross_entropy", label_smoothing=label_smoothing)
    if getattr(getattr(target, "dtype", None), "kind", "i") == "f" and target.shape == input.shape:
        return _soft(input, target, weight, reduction, label_smoothing)
    x, t, shape = indices("cross_entropy", input, target)
    if weight is None and not label_smoothing:
        losses = _fused(x, t, ignore_index=ignore_index, reduction=reduction)
    else:
        w = None if weight is None else class_weights("cross_entropy", weight, x)
        losses = _weighted(
            ops.log_softmax(x, axis=1), t, w, ignore_index, reduction, label_smoothing)  # fmt: skip
    y: Tensor = ops.reshape(losses, shape) if reduction == "none" else losses
    return y


def _soft(input: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Tensor:
    """Return the cross-entropy of probabilities as targets."""
    q = taken(target, input.dtype, "cross_entropy")
    shape = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if input.ndim != 2:
        input, q = _flat(input), _flat(q)
    if smoothing:
        q = q * (1 - smoothing) + smoothing / input.shape[1]
    if weight is not None:
        q = q * class_weights("cross_entropy", weight, input)
    losses = -ops.sum(q * ops.log_softmax(input, axis=1), axis=1)
    y: Tensor = ops.reshape(losses, shape) if reduction == "none" else reduce(losses, reduction)
    return y


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Return class indices as rows of zeros with a 1 at the class: integers, (..., num_classes).

    Args:
        tensor: integers of any shape.
        num_classes: how many classes there are; -1 takes the largest index plus one.

    Raises:
        ValueError: the input is not of integers.
        IndexError: an index is not one of 0 ... num_classes - 1.

    >>> from autograd_core import nn
    >>> nn.functional.one_hot(np.array([0, 2]))
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    t = as_array(strip(tensor))
    if t.dtype.kind not in "iu":
        raise ValueError(message("one_hot", f"dtype {t.dtype}", "integers", "labels.astype(int)"))
    if num_classes == -1:
        num_classes = int(t.max()) + 1 if t.size else 0
    _check_hot(t, num_classes)
    return (t[..., np.newaxis] == np.arange(num_classes)).astype(np.int64)


@kernel
def _check_hot(t: Any, num_classes: int) -> None:
    if t.size and (t.min() < 0 or t.max() >= num_classes):
        wrong = t.min() if t.min() < 0 else t.max()
        most = f"0 to {num_classes - 1}" if num_classes > 0 else "0 or more"
        raise IndexError(message("one_hot", f"class {wrong}", most))
