"""Sums over all alignments of a sequence with frames, and the share of each place: CTC forward and back.

A place s of 2 S + 1 is a blank where it is even and label s // 2 where it is odd. ``ahead[t, n, s]`` is the
logarithm of the sum, over all paths that stand at s in frame t, of their probability so far. [Graves et al.,
Connectionist temporal classification, 2006, section 4]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .loops import ctc as loops
from .twins import twin

__all__ = ["alignments", "shares"]


def _places(x: Any, labels: Any, lengths: Any, blank: int) -> tuple[Any, Any, Any]:
    """Return the symbol of each place, whether a path may leap to it, and its log-probability."""
    n, longest = labels.shape
    symbols = np.full((n, 2 * longest + 1), blank)
    symbols[:, 1::2] = np.where(np.arange(longest) < lengths[:, None], labels, blank)
    leaps = np.zeros(symbols.shape, bool)
    leaps[:, 3::2] = symbols[:, 3::2] != symbols[:, 1:-2:2]
    emit = np.take_along_axis(x.astype(np.float64), symbols[None], axis=2)
    emit[:, np.arange(symbols.shape[1]) > 2 * lengths[:, None]] = -np.inf
    return symbols, leaps, emit


def _total(ahead: Any, frames: Any, lengths: Any) -> Any:
    where = np.maximum(frames, 1) - 1, np.arange(len(frames))
    ends = ahead[(*where, 2 * lengths)]
    before = np.where(lengths > 0, ahead[(*where, np.maximum(2 * lengths - 1, 0))], -np.inf)
    return np.where(frames > 0, np.logaddexp(ends, before), np.where(lengths > 0, -np.inf, 0))


@twin(loops.alignments)
def alignments(
    x: Any, labels: Any, frames: Any, lengths: Any, blank: int, losses: Any, ahead: Any, start: int, stop: int
) -> None:
    """Write the losses of the samples ``start`` to ``stop``, and what :func:`shares` needs.

    Args:
        x: log-probabilities, (T, N, C).
        labels: (N, S) integers, of which sample n has ``lengths[n]``.
        frames: how many frames each sample has, (N,) integers.
        lengths: (N,) integers.
        blank: the class between labels.
        losses: (N,), written.
        ahead: (T, N, 2 S + 1) of float64, written.
        start, stop: the samples.
    """
    part = slice(start, stop)
    labels, frames, lengths, ahead = labels[part], frames[part], lengths[part], ahead[:, part]
    _, leaps, emit = _places(x[:, part], labels, lengths, blank)
    with np.errstate(invalid="ignore"):
        ahead[:1] = -np.inf
        ahead[:1, :, :2] = emit[:1, :, :2]
        for t in range(1, len(x)):
            a = ahead[t - 1]
            y = a.copy()
            y[:, 1:] = np.logaddexp(y[:, 1:], a[:, :-1])
            y[:, 2:] = np.logaddexp(y[:, 2:], np.where(leaps[:, 2:], a[:, :-2], -np.inf))
            ahead[t] = y + emit[t]
        losses[part] = -_total(ahead, frames, lengths)


@twin(loops.shares)
def shares(
    x: Any, labels: Any, frames: Any, lengths: Any, blank: int, g: Any, losses: Any, ahead: Any, out: Any,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Write g times the gradients: less the share of the paths that pass each class in each frame.

    Args:
        g: (N,); where it is 0, so is the gradient, and else NaN where the loss is infinite.
        losses: (N,), of :func:`alignments`, as ``ahead`` is.
        out: (T, N, C) of zeros, written.
    """
    part = slice(start, stop)
    labels, frames, lengths, g, ahead = labels[part], frames[part], lengths[part], g[part], ahead[:, part]
    symbols, leaps, emit = _places(x[:, part], labels, lengths, blank)
    places, total = np.arange(symbols.shape[1]), _total(ahead, frames, lengths)[:, None]
    last = (places >= 2 * lengths[:, None] - 1) & (places <= 2 * lengths[:, None])
    end, rows = np.where(last, 0, -np.inf), (np.arange(len(labels))[:, None], symbols)
    after = np.full(symbols.shape, -np.inf)
    with np.errstate(invalid="ignore"):
        for t in range(len(x) - 1, -1, -1):
            b = after.copy()
            b[:, :-1] = np.logaddexp(b[:, :-1], after[:, 1:])
            b[:, :-2] = np.logaddexp(b[:, :-2], np.where(leaps[:, 2:], after[:, 2:], -np.inf))
            b = np.where((frames - 1 == t)[:, None], end, b)
            pass_here = np.exp(ahead[t] + b - total)
            pass_here[(t >= frames) | (g == 0)] = 0
            np.add.at(out[t, part], rows, -g[:, None] * pass_here)
            after = b + emit[t]
    out[:, part][:, (losses[part] == np.inf) & (g != 0)] = np.nan
