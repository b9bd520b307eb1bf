"""Connectionist temporal classification: the labels of a sequence, without where each begins."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.fused import fused
from autograd_core.kernels.ctc import alignments, shares
from autograd_core.kernels.memory import memory_for
from autograd_core.kernels.threads import split
from autograd_core.node import strip
from autograd_core.primitive import duck, kernel
from autograd_core.tensor import Tensor

from .reduce import known, reduce

__all__ = ["ctc_loss"]

NEVER = -1e30  # the logarithm of 0, but with derivatives that are 0 and not NaN
FEW = 4  # samples that are not worth a thread


def _ctc(x: Any, *, labels: Any, frames: Any, lengths: Any, blank: int) -> Any:
    """The definition: a sum over all paths through blank, label, blank, label, ... blank."""
    n, places = len(labels), 2 * labels.shape[1] + 1
    symbols = np.full((n, places), blank)
    symbols[:, 1::2] = np.where(np.arange(labels.shape[1]) < lengths[:, None], labels, blank)
    leaps = np.zeros(symbols.shape, bool)
    leaps[:, 3::2] = symbols[:, 3::2] != symbols[:, 1:-2:2]
    emit = ops.take_along_axis(x, np.broadcast_to(symbols, (len(x), n, places)), axis=2)

    def moved(a: Any, by: int) -> Any:
        nothing = np.full((n, min(by, places)), NEVER, x.dtype)
        return ops.concatenate([nothing, a[:, : max(places - by, 0)]], axis=1)

    a = ops.where(np.arange(places) < 2, emit[0], NEVER)
    steps = [a]
    for t in range(1, len(x)):
        a = ops.logaddexp(ops.logaddexp(a, moved(a, 1)), ops.where(leaps, moved(a, 2), NEVER)) + emit[t]
        steps.append(a)
    where = np.maximum(frames, 1) - 1, np.arange(n)
    stacked = ops.stack(steps)
    ends = stacked[(*where, 2 * lengths)]
    before = ops.where(lengths > 0, stacked[(*where, np.maximum(2 * lengths - 1, 0))], NEVER)
    losses = -ops.logaddexp(ends, before)
    losses = ops.where(frames > 0, losses, np.where(lengths > 0, math.inf, 0))
    return ops.where(strip(losses) > -NEVER / 2, math.inf, losses)


def _forward(
    x: Any, memory: Any, *, labels: Any, frames: Any, lengths: Any, blank: int, out: Any = None
) -> Any:
    losses = memory_for(out, len(labels), x.dtype)
    given = np.ascontiguousarray(x), labels, frames, lengths, blank
    split(partial(alignments, *given, losses, _ahead(memory, x, labels)), len(labels), FEW)
    return losses


def _backward(
    g: Any, y: Any, x: Any, memory: Any, *, out: Any, labels: Any, frames: Any, lengths: Any, blank: int
) -> None:
    (x_bar,) = out
    x_bar[...] = 0
    x, g, y = map(np.ascontiguousarray, (x, g, y))
    ahead = _ahead(memory, x, labels)
    split(partial(shares, x, labels, frames, lengths, blank, g, y, ahead, x_bar), len(labels), FEW)


def _length(x: Any, *, labels: Any, **_: Any) -> int:
    """Return the length of the memory, in which float64 logarithms are kept for any dtype."""
    return int(np.prod(x.shape[:2])) * (2 * labels.shape[1] + 1) * (8 // x.dtype.itemsize)


def _ahead(memory: Any, x: Any, labels: Any) -> Any:
    return memory.view(np.float64).reshape((*x.shape[:2], 2 * labels.shape[1] + 1))


_losses = fused(
    _ctc, _forward, _backward, memory=_length, name="ctc_loss",
    doc="-log of the probability of all alignments: x_bar = -g times the share of those that pass.",
)  # fmt: skip


def _integers(what: str, x: Any, shape: tuple[int, ...]) -> Any:
    x = as_array(strip(x))
    if x.dtype.kind not in "iu" or x.shape not in (shape, () if shape == (1,) else shape):
        raise ValueError(message("ctc_loss", f"{what} of shape {x.shape} and dtype {x.dtype}",
                                 f"integers of shape {shape}"))  # fmt: skip
    return x.reshape(shape).astype(np.int64, order="C", copy=False)


@kernel  # so that a replayed step looks at its lengths and labels too
def _read(t: Any, frames: Any, lengths: Any, *, steps: int, classes: int, blank: int, longest: Any) -> Any:
    """Return targets as rows of at least ``longest`` labels, all of which are checked."""
    if frames.min() < 0 or frames.max() > steps or lengths.min() < 0:
        raise ValueError(message("ctc_loss", f"input_lengths {frames.tolist()} and target_lengths "
                                 f"{lengths.tolist()} for {steps} frames", f"0 to {steps}"))  # fmt: skip
    labels = _padded(t, lengths, longest)
    read = labels[np.arange(labels.shape[1]) < lengths[:, None]]
    for label in (blank, *([read.min(), read.max()] if read.size else [])):
        if not 0 <= label < classes:
            raise IndexError(message("ctc_loss", f"class {label}", f"0 to {classes - 1}"))
    if (read == blank).any():
        raise ValueError(message("ctc_loss", f"the blank, {blank}, among the labels", "only labels"))
    return labels


def _padded(t: Any, lengths: Any, longest: int) -> Any:
    """Return targets, also those one after the other in one vector, as rows."""
    if t.ndim == 2:
        if len(t) != len(lengths) or lengths.max(initial=0) > t.shape[1]:
            raise ValueError(message(
                "ctc_loss", f"targets of shape {t.shape} for {len(lengths)} samples of lengths "
                f"{lengths.tolist()}", "(N, S), S at least the longest"))  # fmt: skip
        return np.array(t, np.int64, order="C")
    if len(t) != lengths.sum():
        raise ValueError(message("ctc_loss", f"{len(t)} targets in one vector for lengths {lengths.tolist()}",
                                 f"{lengths.sum()}, their sum"))  # fmt: skip
    out = np.zeros((len(lengths), lengths.max(initial=longest)), np.int64)
    out[np.arange(out.shape[1]) < lengths[:, None]] = t
    return out


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``-log sum_paths prod_t p_t(path_t)``, over all paths that read as the target.

    A path gives each frame a class; it is read by joining what repeats and leaving out blanks: ``a a - b b``
    is ``a b``, and ``a - a`` is ``a a``. [Graves et al., Connectionist temporal classification, 2006]

    The gradient is that of this function of ``log_probs``; PyTorch's has ``e^x`` added, which the gradient of
    ``log_softmax`` takes away.

    Args:
        log_probs: logarithms of probabilities, as of ``log_softmax``, (T, N, C), or (T, C) for one sample.
        targets: class indices, (N, S), or the labels of all samples one after the other.
        input_lengths: how many frames of each sample count, (N,).
        target_lengths: how many labels each sample has, (N,).
        blank: the class that stands between labels.
        reduction: ``"mean"`` (of the losses divided by the target lengths), ``"sum"`` or ``"none"``, (N,).
        zero_infinity: take 0 for the infinite loss of a sample that has too few frames for its labels; else
            its gradient is NaN.

    Raises:
        ValueError: the shapes or lengths do not fit, or the blank is one of the labels.
        IndexError: a label or ``blank`` is not one of 0 ... C - 1.

    >>> from autograd_core import nn
    >>> x = np.log(np.full((2, 1, 2), 0.5))  # two frames, blank or "1": "1-", "-1" and "11" read as "1"
    >>> nn.functional.ctc_loss(x, np.array([[1]]), np.array([2]), np.array([1]), reduction="sum")  # -log(3/4)
    np.float64(0.287682)
    """
    known("ctc_loss", reduction)
    x: Any = log_probs if hasattr(log_probs, "shape") else np.asarray(log_probs)
    if x.ndim not in (2, 3) or not x.size or x.dtype.kind != "f":
        raise ValueError(message("ctc_loss", f"log_probs of shape {x.shape} and dtype {x.dtype}",
                                 "floats, (T, N, C) or (T, C), not empty"))  # fmt: skip
    single = x.ndim == 2
    if single:
        x = ops.expand_dims(x, 1)
    steps, n, classes = x.shape
    frames = _integers("input_lengths", input_lengths, (n,))
    lengths = _integers("target_lengths", target_lengths, (n,))
    t = as_array(strip(targets))
    if t.dtype.kind not in "iu" or t.ndim not in (1, 2):
        raise ValueError(message("ctc_loss", f"targets of shape {t.shape} and dtype {t.dtype}",
                                 "integers, (N, S), or all of them in one vector"))  # fmt: skip
    longest = 0 if duck((t, lengths)) is None else len(t)  # its lengths are not known: one may have all
    labels = _read(t, frames, lengths, steps=steps, classes=classes, blank=int(blank), longest=longest)
    losses = _losses(x, labels=labels, frames=frames, lengths=lengths, blank=int(blank))
    if zero_infinity:
        losses = ops.where(np.isinf(strip(losses)), 0, losses)
    if reduction == "mean":
        losses = losses / np.maximum(lengths, 1).astype(x.dtype)
    y: Tensor = losses[0] if single and reduction == "none" else reduce(losses, reduction)
    return y
