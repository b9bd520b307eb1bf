"""Read learning curves: what they say about the rate, the capacity of a network, and its regularisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import counted, message

__all__ = ["Diagnosis", "Finding", "diagnose"]

Curve = ndarray[Any, Any]
FEWEST = 5  # points of a curve
TRAIN = ("loss", "train_loss", "training_loss")
VALIDATION = ("val_loss", "valid_loss", "validation_loss", "test_loss")


@dataclass(frozen=True)
class Finding:
    """One thing that the curves say: its name, the numbers it is seen from, and what to try.

    >>> from autograd_core import optim
    >>> optim.practice.Finding("noisy", "the loss jumps by 0.5", "try larger mini-batches").verdict
    'noisy'
    """

    verdict: str
    evidence: str
    suggestion: str


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What :func:`diagnose` found, the most urgent first; printing it says all.

    >>> from autograd_core import optim
    >>> finding = optim.practice.Finding("noisy", "the loss jumps by 0.5", "try larger mini-batches")
    >>> optim.practice.Diagnosis((finding,))
    noisy: the loss jumps by 0.5; try larger mini-batches
    """

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """The name of the most urgent finding."""
        return self.findings[0].verdict

    @property
    def evidence(self) -> str:
        """The numbers that it is seen from."""
        return self.findings[0].evidence

    @property
    def suggestion(self) -> str:
        """What to try."""
        return self.findings[0].suggestion

    def __repr__(self) -> str:
        return "\n".join(f"{f.verdict}: {f.evidence}; {f.suggestion}" for f in self.findings)


def diagnose(history: Any) -> Diagnosis:
    """Say what learning curves show.

    Curves are smoothed by an average over a twentieth of them (centred; curves below 40 points are not). In
    what follows, first, last and lowest are of the smoothed curves; the fall of the training loss is
    first - lowest. The rules, in the order of their urgency:

    ================  =====================================================================================
    diverging         the training loss is not finite, or its last value is above the lowest by more than
                      half of the fall, or it only rose
    not learning      the fall is below 2 % of the first training loss
    noisy             the deviation of the training losses from the middle of their neighbours (robust: of
                      the median) is above 15 % of the fall; or the validation loss rises from one point to
                      the next by more than half of the fall, and most of that is gone later
    over-fitting      the last validation loss is above the lowest by more than 10 % of the training loss's
                      fall, while the training loss fell on; or it is above the last training loss by more
                      than 25 % of the fall
    too low a rate    the mean of the last quarter is below that of the one before by more than 15 % of the
                      fall (of a straight line it is 25 %), and there is no over-fitting
    under-fitting     it no longer falls, and more than half of the first training loss is left
    fine              none of these
    ================  =====================================================================================

    Args:
        history: numbers of each epoch, or of each step: a dictionary with "loss" and, where there is one,
            "val_loss" (NaN where it was not measured), such as the Trainer's history, whose steps serve where
            it has too few epochs; an object with such a dictionary as ``history``; or the training losses
            alone.

    Raises:
        ValueError: no loss, fewer than five points, or curves of different lengths.

    >>> from autograd_core import optim
    >>> falls = [2.3, 1.2, 0.7, 0.4, 0.25, 0.15, 0.1, 0.07, 0.05, 0.04]
    >>> rises = [2.3, 1.3, 0.9, 0.7, 0.6, 0.6, 0.65, 0.7, 0.8, 0.9]
    >>> optim.practice.diagnose({"loss": falls, "val_loss": rises})
    over-fitting: the validation loss rose from 0.6 at point 5 of 10 to 0.9, the training loss fell to 0.04;
    stop at point 5, regularise (weight decay, dropout), augment or get more data
    """
    train, validation = _curves(history)
    return Diagnosis(tuple(_findings(train, validation)) or (_fine(train, validation),))


def _curves(history: Any) -> tuple[Curve, Curve | None]:
    who = "diagnose"
    if not isinstance(history, Mapping) and isinstance(getattr(history, "history", None), Mapping):
        history = history.history
    if not isinstance(history, Mapping):
        history = {"loss": history}
    found: list[Any] = []
    for names in (TRAIN, VALIDATION):
        name = next((name for name in names if name in history), None)
        curve = None if name is None else np.asarray(history[name], dtype=float)
        if curve is not None and curve.ndim != 1:
            raise ValueError(message(who, f"{name} of shape {curve.shape}", "one number for each point"))
        found.append(curve)
    train, validation = found
    if validation is not None:
        validation = _between(validation)
    steps = getattr(history, "steps", None)
    if train is not None and len(train) < FEWEST and isinstance(steps, Mapping) and "loss" in steps:
        train, validation = np.asarray(steps["loss"], dtype=float), None
    if train is None:
        raise ValueError(message(who, f"a history of {', '.join(map(str, history)) or 'nothing'}",
                                 "the training losses as 'loss'"))  # fmt: skip
    if len(train) < FEWEST:
        raise ValueError(message(who, counted(len(train), "point"), f"{FEWEST} or more"))
    if validation is not None and len(validation) != len(train):
        raise ValueError(message(who, f"{len(train)} training and {len(validation)} validation losses",
                                 "as many of both", "the training loss of each epoch"))  # fmt: skip
    return train, validation


def _between(curve: Curve) -> Curve | None:
    """Fill epochs that were not measured along a line; None if none was."""
    known = np.flatnonzero(~np.isnan(curve))
    return np.interp(np.arange(len(curve)), known, curve[known]) if known.size else None


def _smooth(curve: Curve) -> Curve:
    """Average over the points around each, fewer at the ends."""
    half = len(curve) // 40
    total = np.concatenate([[0.0], np.cumsum(curve)])
    places = np.arange(len(curve))
    first, last = np.maximum(places - half, 0), np.minimum(places + half + 1, len(curve))
    return (total[last] - total[first]) / (last - first)


def _noise(curve: Curve) -> float:
    """Return the deviation of points from the middle of their neighbours, where a trend shows least."""
    bends = curve[1:-1] - (curve[:-2] + curve[2:]) / 2
    return float(np.median(abs(bends - np.median(bends)))) / 0.6745 / 1.5**0.5  # as if they were normal


def _findings(train: Curve, validation: Curve | None) -> Iterator[Finding]:
    slower = "try a third to a tenth of the rate, clip gradients, or warm up"
    wrong = np.flatnonzero(~np.isfinite(train))
    if wrong.size:
        yield Finding("diverging", f"the training loss is {train[wrong[0]]} at point {wrong[0] + 1}", slower)
        return
    smooth = _smooth(train)
    first, last, lowest = float(smooth[0]), float(smooth[-1]), float(smooth.min())
    fall, size = first - lowest, max(abs(first), 1e-300)
    if last - lowest > 0.5 * fall and last - lowest > 0.02 * size:
        yield Finding("diverging", f"the training loss went from {first:.3g} down to {lowest:.3g} and up to "
                      f"{last:.3g}", slower)  # fmt: skip
        return
    if fall < 0.02 * size:
        yield Finding("not learning", f"the training loss went from {first:.3g} to {last:.3g}",
                      "try lr_range_test for the rate, and overfit_small_sample for the rest")  # fmt: skip
        return
    noise = _noise(train)
    if noise > 0.15 * fall:
        yield Finding("noisy", f"the training loss jumps by {noise:.3g}, and fell by {fall:.3g} in all",
                      "try larger mini-batches, a lower rate, or one that falls")  # fmt: skip
    elif validation is not None and (peak := _peak(validation, fall)):
        yield Finding("noisy", f"the validation loss jumps from {validation[peak - 1]:.3g} to "
                      f"{validation[peak]:.3g} at point {peak + 1} and back",
                      "try a lower rate, or one that falls")  # fmt: skip
    over = None
    if validation is not None:
        over = _over(smooth, validation, fall, last)
        if over:
            yield over
    quarter = max(1, len(train) // 4)
    late = float(train[-2 * quarter : -quarter].mean() - train[-quarter:].mean())
    if late > 0.15 * fall and not over:
        yield Finding("too low a rate", f"the training loss still fell by {late:.3g} of {fall:.3g} in the "
                      "last quarter", "try three times the rate, or train longer")  # fmt: skip
    elif last > 0.5 * first > 0 and not over:
        yield Finding("under-fitting", f"the training loss stays at {last:.3g}, from {first:.3g}",
                      "try a larger network, less regularisation, or better features")  # fmt: skip


def _peak(validation: Curve, fall: float) -> int:
    """Return where the validation loss jumps up by half of the fall and comes back; 0 if it does not."""
    if not np.isfinite(validation).all():
        return 0
    place = int(np.diff(validation).argmax()) + 1
    jump = validation[place] - validation[place - 1]
    back = validation[place] - validation[place:].min()
    return place if jump > 0.5 * fall and back > 0.5 * jump else 0


def _over(smooth: Curve, validation: Curve, fall: float, last: float) -> Finding | None:
    cure = "regularise (weight decay, dropout), augment or get more data"
    if not np.isfinite(validation).all():
        return Finding("diverging", "the validation loss is not finite", "look at the validation data")
    curve = _smooth(validation)
    best = int(curve.argmin())
    n = len(curve)
    if curve[-1] - curve[best] > 0.1 * fall and smooth[-1] < smooth[best]:
        return Finding("over-fitting", f"the validation loss rose from {curve[best]:.3g} at point {best + 1} "
                       f"of {n} to {curve[-1]:.3g}, the training loss fell to {last:.3g}",
                       f"stop at point {best + 1}, {cure}")  # fmt: skip
    if curve[-1] - last > 0.25 * fall:
        return Finding("over-fitting", f"the validation loss is {curve[-1]:.3g}, the training loss "
                       f"{last:.3g}", cure)  # fmt: skip
    return None


def _fine(train: Curve, validation: Curve | None) -> Finding:
    evidence = f"the training loss fell from {train[0]:.3g} to {train[-1]:.3g}"
    if validation is not None:
        evidence += f", the validation loss to {validation[-1]:.3g}"
    return Finding("fine", evidence, "go on to the next question")
