"""Accuracy: the share of samples whose class was found, as the first guess or among the first k."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message

from .base import Metric, nothing
from .inputs import IGNORED, TASKS, labels, scores

__all__ = ["Accuracy", "TopK", "accuracy", "top_k_accuracy"]


def known_task(who: str, task: str | None) -> None:
    """Refuse a task that does not exist."""
    if task is not None and task not in TASKS:
        raise ValueError(message(who, f"task={task!r}", f"one of {', '.join(TASKS)}, or None"))


class Shared(Metric):
    """A metric that is a share: so many of so many."""

    higher_is_better = True
    states = ("correct", "samples")

    def reset(self) -> None:
        self.correct: Any = 0
        self.samples: Any = 0

    def add(self, right: Any) -> None:
        """Count a batch, of which it is known what is right."""
        self.correct = self.correct + np.count_nonzero(right)
        self.samples = self.samples + right.size

    def compute(self) -> float:
        if not self.samples:
            raise nothing(self)
        return float(self.correct / self.samples)


class Accuracy(Shared):
    """The share of predictions that are right, ``1/N sum [prediction_i = target_i]``.

    The shapes tell the task:

    ====================================  =========================================================
    scores (N, C), class indices (N,)     the largest score is the prediction, the first if several
    scores (N, C, d1, ...), (N, d1, ...)  the same in each place
    class indices, integers, both (N,)    as they are
    scores and 0 or 1, both (N,) (N, 1)   binary: a score above ``threshold`` is a 1
    scores and one-hot rows, both (N, C)  as with class indices; so are rows of probabilities
    ====================================  =========================================================

    Args:
        task: ``"multiclass"``, ``"binary"``, or ``"multilabel"`` for several labels a sample, (N, labels)
            of 0 and 1, each of which counts; None finds it out as above.
        threshold: of binary scores and of labels: 0 is for logits; 0.5 for probabilities.
        subset: with several labels, count a sample only if all of its labels are right.
        ignore_index: a class index that does not count.

    Raises:
        ValueError: shapes that fit no task, a target of floats where it should be classes, NaN.
        IndexError: a class is not one of 0 ... C - 1.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> accuracy = optim.metrics.Accuracy()
    >>> accuracy.update(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 1]))
    >>> accuracy.update(np.array([[5.0, 1.0]]), np.array([1]))
    >>> accuracy.compute()
    0.667
    >>> optim.metrics.accuracy(np.array([-1.0, 2.0]), np.array([0.0, 0.0]))  # logits of one class
    0.5
    """

    name = "accuracy"

    def __init__(
        self, task: str | None = None, *, threshold: float = 0.0, subset: bool = False,
        ignore_index: int = IGNORED,
    ) -> None:  # fmt: skip
        known_task("Accuracy", task)
        if subset and task != "multilabel":
            raise ValueError(message("Accuracy", f"subset=True and task={task!r}", "task='multilabel'"))
        self.task, self.threshold, self.subset, self.ignore_index = task, threshold, subset, ignore_index
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        found = labels("Accuracy", output, target, self.task, self.threshold, self.ignore_index)
        right = found.predicted == found.actual
        self.add(right.all(1) if self.subset else right)


class TopK(Shared):
    """The share of samples whose class is among the k largest scores.

    A sample counts if fewer than k classes stand before the right one; of equal scores the lower class
    stands first, as for ``argmax``, so that ``TopK(1)`` is the accuracy.

    Args:
        k: how many guesses there are.
        ignore_index: a class index that does not count.

    Raises:
        ValueError: k is not positive, or more than there are classes; shapes or values as in Accuracy.
        IndexError: a class is not one of 0 ... C - 1.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> scores = np.array([[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]])
    >>> optim.metrics.TopK(2)(scores, np.array([1, 2]))
    0.5
    """

    def __init__(self, k: int = 5, *, ignore_index: int = IGNORED) -> None:
        if not isinstance(k, (int, np.integer)) or k < 1:
            raise ValueError(message("TopK", f"k={k!r}", "a positive integer"))
        self.k, self.ignore_index = int(k), ignore_index
        self.name = f"top_{k}_accuracy"
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        x, t = scores("TopK", output, target, self.ignore_index)
        if self.k > x.shape[1]:
            raise ValueError(message("TopK", f"k={self.k} and {x.shape[1]} classes", "no more than these"))
        own = x[np.arange(len(t)), t][:, np.newaxis]
        earlier = np.arange(x.shape[1]) < t[:, np.newaxis]
        before = (x > own) | ((x == own) & earlier)
        self.add(before.sum(1) < self.k)


def accuracy(output: Any, target: Any, task: str | None = None, *, threshold: float = 0.0,
             subset: bool = False, ignore_index: int = IGNORED) -> float:  # fmt: skip
    """Return the share of predictions that are right; see :class:`Accuracy`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.accuracy(np.array([0, 2, 1, 1]), np.array([0, 2, 1, 0]))
    0.75
    """
    metric = Accuracy(task, threshold=threshold, subset=subset, ignore_index=ignore_index)
    value: float = metric(output, target)
    return value


def top_k_accuracy(output: Any, target: Any, k: int = 5, *, ignore_index: int = IGNORED) -> float:
    """Return the share of samples whose class is among the k largest scores; see :class:`TopK`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.top_k_accuracy(np.array([[0.5, 0.2, 0.3]]), np.array([2]), k=2)
    1.0
    """
    value: float = TopK(k, ignore_index=ignore_index)(output, target)
    return value
