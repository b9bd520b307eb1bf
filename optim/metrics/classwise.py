"""Precision, recall and their mean F, of one class or averaged over classes, as in scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .base import nothing
from .confusion import Classes
from .correct import known_task
from .inputs import IGNORED, labels

__all__ = ["F1", "FBeta", "Precision", "Recall", "f1_score", "fbeta_score", "precision", "recall"]

Array = ndarray[Any, Any]
AVERAGES = ("binary", "micro", "macro", "weighted", None)


class _Ratio(Classes):
    """A ratio of counts in each class, and its mean over classes."""

    higher_is_better = True
    states = ("right", "predicted", "actual")
    _base = ""  # the name without the kind of average

    def __init__(
        self, average: str | None = "binary", num_classes: int | None = None, *, task: str | None = None,
        threshold: float = 0.0, zero_division: float = 0.0, ignore_index: int = IGNORED,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        known_task(who, task)
        if average not in AVERAGES:
            raise ValueError(message(who, f"average={average!r}", f"one of {AVERAGES}"))
        if zero_division not in (0, 1) and not math.isnan(zero_division):
            raise ValueError(message(who, f"zero_division={zero_division!r}", "0, 1 or nan"))
        if average == "binary" and task == "multilabel":
            raise ValueError(message(who, "average='binary' and task='multilabel'", "a mean over labels",
                                     "average='macro'"))  # fmt: skip
        self.average, self.task, self.threshold = average, task, threshold
        self.zero_division, self.ignore_index = float(zero_division), ignore_index
        self.name = self._base if average in ("binary", None) else f"{self._base}_{average}"
        super().__init__(num_classes)

    def reset(self) -> None:
        n = self.num_classes or 0
        self.right, self.predicted, self.actual = np.zeros((3, n), np.int64)
        self._fixed = None

    def update(self, output: Any, target: Any) -> None:
        who = type(self).__name__
        found = labels(who, output, target, self.task, self.threshold, self.ignore_index)
        p, t = found.predicted, found.actual
        if p.ndim == 2:  # several labels: each is a yes or no of its own
            n = self.classes(found._replace(predicted=p[:0], actual=t[:0]), len(self.right))
            new = [(p & t).sum(0), p.sum(0), t.sum(0)]
        else:
            n = self.classes(found, len(self.right))
            if self.average == "binary" and n > 2:
                raise ValueError(message(
                    who, f"average='binary' and {n} classes", "two classes, of which 1 is the one sought",
                    f"average='macro', or the name '{self._base}_macro'"))  # fmt: skip
            new = [np.bincount(v, minlength=n) for v in (t[p == t], p, t)]
        for name, counts in zip(self.states, new):
            before = getattr(self, name)
            counts[: len(before)] += before
            setattr(self, name, counts)

    def ratio(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        """Return the numerator and the denominator."""
        raise NotImplementedError

    def compute(self) -> Any:
        """Return the mean over classes, or with ``average=None`` an entry for each."""
        counts = self.right, self.predicted, self.actual
        if not (self.predicted.any() or self.actual.any()) and self.task != "multilabel":
            raise nothing(self)
        if self.average == "binary":
            return float(self._divided(*(c[1:2].sum() for c in counts)))
        if self.average == "micro":
            return float(self._divided(*(c.sum() for c in counts)))
        each = self._divided(*counts)
        if self.average is None:
            return each
        some = self.predicted + self.actual > 0  # a class that never occurs does not weigh
        if self.task == "multilabel":
            some = np.ones_like(some)
        weights = self.actual if self.average == "weighted" else np.ones_like(self.actual)
        return _mean(each[some], weights[some])

    def _divided(self, *counts: Any) -> Array:
        over, under = np.broadcast_arrays(*self.ratio(*counts))
        over, under = np.asarray(over, np.float64), np.asarray(under, np.float64)
        return np.divide(over, under, out=np.full(over.shape, self.zero_division), where=under != 0)


def _mean(values: Array, weights: Array) -> float:
    """Return the weighted mean of what is not NaN; the plain one where all weights are zero."""
    known = ~np.isnan(values)
    values, weights = values[known], weights[known]
    if not values.size:
        return math.nan
    return float(np.average(values, weights=weights if weights.any() else None))


class Precision(_Ratio):
    """The share of right ones among the predictions of a class, ``TP / (TP + FP)``.

    Args:
        average: ``"binary"`` looks at class 1 of two; ``"macro"`` is the mean over the classes that occur
            in the predictions or the targets; ``"weighted"`` weighs them by their samples; ``"micro"`` adds
            up the counts of all classes first; None gives an array with an entry for each.
        num_classes: how many there are; None takes the number of scores, or with class indices the
            largest so far plus one.
        task: ``"multilabel"`` for several labels a sample; otherwise the shapes tell, as in Accuracy.
        threshold: a score above it is a yes: 0 for logits, 0.5 for probabilities.
        zero_division: the value where the denominator is 0: 0, 1, or nan, which means leave out.
        ignore_index: a class index that does not count.

    Raises:
        ValueError: ``"binary"`` with more than two classes; shapes or values as in Accuracy.
        IndexError: a class is not one of 0 ... C - 1.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> precision = optim.metrics.Precision()
    >>> precision.update(np.array([1.0, 2.0, -1.0]), np.array([1, 0, 1]))  # logits
    >>> precision.update(np.array([3.0]), np.array([1]))
    >>> precision.compute()
    0.667
    """

    _base = "precision"

    def ratio(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        return right, predicted


class Recall(_Ratio):
    """The share of a class's samples that were found, ``TP / (TP + FN)``.

    Args and Raises: as of :class:`Precision`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.Recall("macro")(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]))
    0.833
    """

    _base = "recall"

    def ratio(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        return right, actual


class FBeta(_Ratio):
    """A mean of precision P and recall R, ``(1 + b^2) P R / (b^2 P + R)``, in which R weighs b times as much.

    In counts, ``(1 + b^2) TP / (b^2 (TP + FN) + TP + FP)``. [van Rijsbergen, Information Retrieval, 1979]

    Args:
        beta: b, not negative.
        average: and all others: as of :class:`Precision`.

    Raises:
        ValueError: a negative beta; or as of :class:`Precision`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.FBeta(2.0, "macro")(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]))
    0.796
    """

    def __init__(
        self, beta: float = 1.0, average: str | None = "binary", num_classes: int | None = None, *,
        task: str | None = None, threshold: float = 0.0, zero_division: float = 0.0,
        ignore_index: int = IGNORED,
    ) -> None:  # fmt: skip
        if not 0 <= beta < math.inf:
            raise ValueError(message(type(self).__name__, f"beta={beta!r}", "a number that is not negative"))
        self.beta, self._base = beta, f"f{beta:g}"
        super().__init__(average, num_classes, task=task, threshold=threshold,
                         zero_division=zero_division, ignore_index=ignore_index)  # fmt: skip

    def ratio(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        b2 = self.beta**2
        return (1 + b2) * right, b2 * actual + predicted


class F1(FBeta):
    """The harmonic mean of precision and recall, ``2 TP / (2 TP + FP + FN)``.

    Args and Raises: as of :class:`Precision`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.F1(average=None)(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]))
    array([0.667, 0.667, 1.   ])
    """

    def __init__(
        self, average: str | None = "binary", num_classes: int | None = None, *, task: str | None = None,
        threshold: float = 0.0, zero_division: float = 0.0, ignore_index: int = IGNORED,
    ) -> None:  # fmt: skip
        super().__init__(1.0, average, num_classes, task=task, threshold=threshold,
                         zero_division=zero_division, ignore_index=ignore_index)  # fmt: skip


def precision(output: Any, target: Any, average: str | None = "binary", **settings: Any) -> Any:
    """Return the share of right ones among the predictions of a class; see :class:`Precision`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.precision(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), average=None)
    array([1. , 0.5, 1. ])
    """
    return Precision(average, **settings)(output, target)


def recall(output: Any, target: Any, average: str | None = "binary", **settings: Any) -> Any:
    """Return the share of a class's samples that were found; see :class:`Recall`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.recall(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), average=None)
    array([0.5, 1. , 1. ])
    """
    return Recall(average, **settings)(output, target)


def f1_score(output: Any, target: Any, average: str | None = "binary", **settings: Any) -> Any:
    """Return the harmonic mean of precision and recall; see :class:`F1`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.f1_score(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), average="micro")
    0.75
    """
    return F1(average, **settings)(output, target)


def fbeta_score(
    output: Any, target: Any, beta: float, average: str | None = "binary", **settings: Any
) -> Any:
    """Return the mean of precision and recall in which recall weighs ``beta`` times; see :class:`FBeta`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.fbeta_score(np.array([1, 1, 0]), np.array([1, 0, 1]), beta=0.5)
    0.5
    """
    return FBeta(beta, average, **settings)(output, target)
