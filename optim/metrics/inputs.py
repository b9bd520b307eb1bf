"""How metrics read a model's output and a target: as classes, as yes and no, or as numbers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core.errors import counted, message
from autograd_core.node import strip

__all__ = ["IGNORED", "TASKS", "Labels", "labels", "numbers", "scores"]

Array = ndarray[Any, Any]

IGNORED = -100  # the class index that PyTorch's losses pass over
TASKS = ("multiclass", "binary", "multilabel")
SAME = "the same shape"


class Labels(NamedTuple):
    """What was predicted and what is true, as integers: (N,), or (N, labels) of 0 and 1."""

    predicted: Array
    actual: Array
    classes: int | None  # how many there are, if the output says so


def labels(
    who: str, output: Any, target: Any, task: str | None = None, threshold: float = 0.0,
    ignore_index: int = IGNORED,
) -> Labels:  # fmt: skip
    """Read an output and a target as labels.

    Args:
        who: the metric, for its errors.
        output: scores of classes, (N, C) or (N, C, d1, ...); class indices, integers of the target's
            shape; one score a sample, (N,) or (N, 1); or one score for each label, (N, labels).
        target: class indices, integers (N,) or (N, d1, ...); one-hot rows of the scores' shape, or
            probabilities, of which the likeliest class counts; or 0 and 1 in the scores' shape.
        task: ``"multiclass"``, ``"binary"`` or ``"multilabel"``; None finds out, and takes rows of
            several columns for one-hot.
        threshold: a score above it is a yes.
        ignore_index: a class index that does not count.
    """
    x, t = strip(output), strip(target)
    if task is None and _as_usual(x, t, ignore_index):
        return Labels(x.argmax(1), t, x.shape[1])
    x, t = plain(who, x, "an output"), plain(who, t, "a target")
    if task is None:
        task = _task(x, t)
    if task == "multilabel":
        if x.shape != t.shape or x.ndim != 2:
            raise _shapes(who, x, t, "both of shape (N, labels)")
        return Labels(_decided(who, x, threshold), _truth(who, t), x.shape[1])
    if task == "binary":
        if x.shape != t.shape:
            raise _shapes(who, x, t, "the same shape, one score for each target of 0 or 1")
        return Labels(_decided(who, x, threshold).reshape(-1), _truth(who, t).reshape(-1), 2)
    if x.shape == t.shape and x.dtype.kind in "iub" and (t.dtype.kind in "iub"):
        return _indices(who, x, t, ignore_index)
    if x.shape == t.shape and x.ndim > 1:
        t = _from_one_hot(who, t)
    rows, t = scores(who, x, t, ignore_index)
    predicted = rows.argmax(1)
    return Labels(predicted, t, rows.shape[1])


def _as_usual(x: Any, t: Any, ignore_index: int) -> bool:
    """Say whether these are (N, C) and (N,) of which every sample counts and none is wrong.

    The Trainer asks at each step: an accuracy of 10 samples takes 14 us with this, and 30 without.
    """
    return (
        type(x) is ndarray and type(t) is ndarray and x.ndim == 2 and x.dtype.kind == "f" and x.shape[1] > 1
        and t.shape == x.shape[:1] and t.dtype == np.int64 and ignore_index < 0 and bool(len(t))
        and int(np.maximum.reduce(t.view(np.uint64))) < x.shape[1]  # a negative one is very large
        and not math.isnan(np.maximum.reduce(x, axis=None))
    )  # fmt: skip


def _task(x: Array, t: Array) -> str:
    """Say what an output and a target are, from their shapes and dtypes alone."""
    if x.shape == t.shape and x.dtype.kind == "f" and (x.ndim < 2 or x.shape[1:] == (1,)):
        return "binary"
    return "multiclass"


def scores(who: str, output: Any, target: Any, ignore_index: int = IGNORED) -> tuple[Array, Array]:
    """Return scores as (rows, C) and class indices as (rows,), without those that do not count.

    Raises:
        ValueError: shapes that do not fit, a target that is not of integers, or NaN among the scores.
        IndexError: a class is not one of 0 ... C - 1.
    """
    x, t = strip(output), strip(target)
    if _as_usual(x, t, ignore_index):
        return x, t
    x, t = plain(who, x, "an output"), plain(who, t, "a target")
    if x.ndim == 1 and not t.ndim:
        x, t = x[np.newaxis], t[np.newaxis]
    if x.ndim < 2 or t.shape != x.shape[:1] + x.shape[2:] or x.shape[1] < 2:
        raise _shapes(who, x, t, "scores (N, C) and class indices (N,)")
    if t.dtype.kind not in "iub":
        whole = bool(np.all(t == np.floor(t)))
        raise ValueError(message(who, f"a target of dtype {t.dtype}", "class indices, which are integers",
                                 "target.astype(int)" if whole else "R2, for a regression"))  # fmt: skip
    classes = x.shape[1]
    rows = x if x.ndim == 2 else np.moveaxis(x, 1, -1).reshape(-1, classes)
    t = t.reshape(-1).astype(np.int64, copy=False)
    counts = t != ignore_index
    if not counts.all():
        rows, t = rows[counts], t[counts]
    _in_range(who, t, classes)
    if rows.dtype.kind == "f" and np.isnan(rows).any():
        bad = int(np.isnan(rows).any(1).sum())
        raise ValueError(message(who, f"NaN among the scores of {bad:,} of {counted(len(rows), 'sample')}",
                                 "numbers", "ag.detect_anomaly() to find their source"))  # fmt: skip
    return rows, t


def _indices(who: str, x: Array, t: Array, ignore_index: int) -> Labels:
    """Read class indices on both sides."""
    x, t = x.reshape(-1).astype(np.int64), t.reshape(-1).astype(np.int64)
    counts = t != ignore_index
    x, t = x[counts], t[counts]
    for values in (x, t):
        _in_range(who, values, None)
    return Labels(x, t, None)


def _in_range(who: str, values: Array, classes: int | None) -> None:
    wrong = values < 0 if classes is None else (values < 0) | (values >= classes)
    if wrong.any():
        expected = "0 or more" if classes is None else f"0 to {classes - 1}"
        hint = "target - 1, if they count from 1" if classes is not None and (
            values.min() >= 1 and values.max() == classes) else ""  # fmt: skip
        raise IndexError(message(who, f"class {values[wrong][0]}", expected, hint))


def within(who: str, found: Labels, classes: int) -> None:
    """Refuse classes that are not among a given number of them."""
    _in_range(who, found.predicted, classes)
    _in_range(who, found.actual, classes)


def _decided(who: str, x: Array, threshold: float) -> Array:
    """Return 1 where a score is above the threshold; yes and no themselves stay."""
    if x.dtype.kind in "iub":
        return _truth(who, x)
    if np.isnan(x).any():
        raise ValueError(message(who, f"NaN in {int(np.isnan(x).sum()):,} of {x.size:,} scores", "numbers",
                                 "ag.detect_anomaly() to find their source"))  # fmt: skip
    return (x > threshold).astype(np.int64)


def _truth(who: str, t: Array) -> Array:
    """Return labels that are 0 or 1 as integers."""
    if not ((t == 0) | (t == 1)).all():
        found = np.unique(t)
        if len(found) <= 2 and found[0] == -1:
            hint = "(target + 1) / 2, for labels -1 and 1"
        elif t.dtype.kind in "iu":
            hint = f"scores of shape (N, {int(found[-1]) + 1}), or output.astype(int) if they are classes"
        else:
            hint = "R2 or MeanSquaredError, for a regression"
        raise ValueError(message(who, f"labels {', '.join(f'{v:g}' for v in found[:5])}"
                                 f"{', ...' if len(found) > 5 else ''} for one score each", "0 and 1", hint))
    return t.astype(np.int64)


def _from_one_hot(who: str, t: Array) -> Array:
    """Return the class of each one-hot row, or the likeliest of each row of probabilities, as MixUp makes."""
    if not ((t >= 0).all() and np.allclose(t.sum(1), 1, rtol=0, atol=1e-4)):
        raise ValueError(message(
            who, f"an output and a target of shape {t.shape}, and rows that are not one-hot",
            "class indices, or one 1 in each row, or probabilities",
            "task='multilabel' for several labels a sample, or R2 for a regression"))  # fmt: skip
    return t.argmax(1)


def _shapes(who: str, x: Array, t: Array, expected: str) -> ValueError:
    hint = ""
    if x.shape != t.shape and x.size == t.size:
        hint = f"target.reshape({x.shape}), as nothing is broadcast here"
    elif x.ndim == 3 and t.shape == x.shape[:2]:
        hint = "np.moveaxis(output, -1, 1): classes are the second axis"
    elif expected != SAME and t.ndim == 2 and t.shape[1] == 1 and x.shape[0] == t.shape[0]:
        hint = "target[:, 0]"
    return ValueError(message(who, f"an output of shape {x.shape} and a target of shape {t.shape}", expected,
                              hint))  # fmt: skip


def numbers(who: str, output: Any, target: Any) -> tuple[Array, Array]:
    """Return an output and a target of a regression as (N, outputs) in float64.

    Raises:
        ValueError: different shapes, which would broadcast, or class indices for scores; NaN.
    """
    x, t = plain(who, output, "an output"), plain(who, target, "a target")
    if x.shape != t.shape:
        is_class = t.dtype.kind in "iub" and x.ndim == t.ndim + 1 and x.shape[1] > 1
        if is_class:
            raise ValueError(message(who, f"an output of shape {x.shape} and class indices of shape "
                                     f"{t.shape}", "numbers of the same shape", "Accuracy"))  # fmt: skip
        raise _shapes(who, x, t, SAME)
    if not x.ndim:
        x, t = x[np.newaxis], t[np.newaxis]
    for values, what in ((x, "output"), (t, "target")):
        if values.dtype.kind == "f" and np.isnan(values).any():
            bad = int(np.isnan(values).sum())
            raise ValueError(message(who, f"NaN in {bad:,} of {counted(values.size, 'number')} of the {what}",
                                     "numbers"))  # fmt: skip
    x, t = x.astype(np.float64), t.astype(np.float64)
    return _columns(x), _columns(t)


def plain(who: str, value: Any, what: str) -> Array:
    """Return the numbers of an array, a Tensor or a list."""
    if isinstance(value, tuple) and any(hasattr(part, "shape") for part in value):
        raise TypeError(message(who, f"{what} that is a tuple of {len(value)}", "one array",
                                "a function of output and target, that takes output[0]"))  # fmt: skip
    array = np.asarray(strip(value))
    if array.dtype.kind not in "biuf":
        hint = "np.unique(names, return_inverse=True)[1]" if array.dtype.kind in "UO" else ""
        raise TypeError(message(who, f"{what} of dtype {array.dtype}", "real numbers", hint))
    return array


def _columns(x: Array) -> Array:
    return x.reshape(len(x), -1) if x.size else np.zeros((0, 1))
