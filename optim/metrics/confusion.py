"""The confusion matrix: how often each class was taken for each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .base import Metric, nothing
from .correct import known_task
from .inputs import IGNORED, Labels, labels, within

__all__ = ["ConfusionMatrix", "confusion_matrix"]

Array = ndarray[Any, Any]


class Classes(Metric):
    """A metric whose state has an entry for each class, as many as the output or the user says."""

    _fixed: int | None = None  # the number of columns of the output

    def __init__(self, num_classes: int | None) -> None:
        if num_classes is not None and (not isinstance(num_classes, (int, np.integer)) or num_classes < 1):
            raise ValueError(message(type(self).__name__, f"num_classes={num_classes!r}",
                                     "a positive integer, or None"))  # fmt: skip
        self.num_classes = num_classes
        super().__init__()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        sizes = {n for name in self.states if name in state_dict for n in np.shape(state_dict[name])}
        fits = len(sizes) == 1 and (self.num_classes is None or sizes == {self.num_classes})
        if set(state_dict) == set(self.states) and not fits:
            raise ValueError(message(
                f"{type(self).__name__}.load_state_dict", f"counts of {sorted(sizes)} classes",
                "one number of classes" if self.num_classes is None else f"{self.num_classes}"))  # fmt: skip
        super().load_state_dict(state_dict)

    def classes(self, found: Labels, before: int) -> int:
        """Return the number of classes, with this batch; ``before`` it there were some."""
        who, n = type(self).__name__, self.num_classes
        if found.classes is not None:
            known = n if n is not None else self._fixed
            if known is not None and found.classes != known:
                raise ValueError(message(who, f"an output for {found.classes} classes", f"{known}"))
            self._fixed = found.classes
        if n is not None:
            within(who, found, n)
            return n
        seen = 1 + max([int(v.max()) for v in found[:2] if v.size], default=-1)
        return max(before, found.classes or seen)


class ConfusionMatrix(Classes):
    """The matrix whose entry (i, j) counts the samples of class i that were taken for class j.

    Rows are what is true, columns what was predicted, as in scikit-learn.

    Args:
        num_classes: how many there are; None takes the number of scores, or with class indices the
            largest so far plus one.
        normalize: ``"true"`` divides by the number of samples of each class (rows add up to 1, the
            diagonal is the recall), ``"pred"`` by the number of predictions of each (the diagonal is the
            precision), ``"all"`` by all samples; None counts. A row or column without samples is 0.
        task: as of Accuracy; ``"multilabel"`` has no such matrix.
        threshold: of binary scores.
        ignore_index: a class index that does not count.

    Raises:
        ValueError: shapes or values as in Accuracy; an unknown ``normalize``.
        IndexError: a class is not one of 0 ... C - 1.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> matrix = optim.metrics.ConfusionMatrix()
    >>> matrix.update(np.array([0, 1, 1]), np.array([0, 0, 1]))
    >>> matrix.update(np.array([2]), np.array([1]))
    >>> matrix.compute()
    array([[1, 1, 0],
           [0, 1, 1],
           [0, 0, 0]])
    """

    name = "confusion_matrix"
    states = ("counts",)

    def __init__(
        self, num_classes: int | None = None, normalize: str | None = None, *, task: str | None = None,
        threshold: float = 0.0, ignore_index: int = IGNORED,
    ) -> None:  # fmt: skip
        known_task("ConfusionMatrix", task)
        if task == "multilabel":
            raise ValueError(message("ConfusionMatrix", "task='multilabel'", "one class for each sample",
                                     "a matrix for each label: output[:, i], target[:, i]"))  # fmt: skip
        if normalize not in (None, "true", "pred", "all"):
            raise ValueError(message("ConfusionMatrix", f"normalize={normalize!r}",
                                     "'true', 'pred', 'all' or None"))  # fmt: skip
        self.normalize, self.task, self.threshold = normalize, task, threshold
        self.ignore_index = ignore_index
        super().__init__(num_classes)

    def reset(self) -> None:
        n = self.num_classes or 0
        self.counts, self._fixed = np.zeros((n, n), np.int64), None

    def update(self, output: Any, target: Any) -> None:
        found = labels("ConfusionMatrix", output, target, self.task, self.threshold, self.ignore_index)
        n = self.classes(found, len(self.counts))
        added = np.bincount(found.actual * n + found.predicted, minlength=n * n).reshape(n, n)
        added[: len(self.counts), : len(self.counts)] += self.counts
        self.counts = added

    def compute(self) -> Array:
        counts = self.counts
        if not counts.any():
            raise nothing(self)
        if self.normalize is None:
            return counts.copy()
        axis = {"true": 1, "pred": 0, "all": None}[self.normalize]
        return counts / np.maximum(counts.sum(axis=axis, keepdims=True), 1)


def confusion_matrix(
    output: Any, target: Any, num_classes: int | None = None, normalize: str | None = None, *,
    task: str | None = None, threshold: float = 0.0, ignore_index: int = IGNORED,
) -> Array:  # fmt: skip
    """Return how often class i (row) was taken for class j (column); see :class:`ConfusionMatrix`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), normalize="true")
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    metric = ConfusionMatrix(num_classes, normalize, task=task, threshold=threshold,
                             ignore_index=ignore_index)  # fmt: skip
    value: Array = metric(output, target)
    return value
