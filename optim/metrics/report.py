"""Precision, recall and F1 of every class, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core.errors import message

from .confusion import ConfusionMatrix

__all__ = ["classification_report"]


def classification_report(
    output: Any, target: Any, *, target_names: Sequence[str] | None = None, digits: int = 2,
    threshold: float = 0.0,
) -> str:  # fmt: skip
    """Return a table of precision, recall, F1 and the number of samples of each class, and their means.

    A value whose denominator is 0 is 0. A class that occurs nowhere has a row, but does not weigh.

    Args:
        output, target: as of :class:`Accuracy`, one class a sample.
        target_names: what the classes are called; their numbers by default.
        digits: how many stand behind the point.
        threshold: of binary scores.

    Raises:
        ValueError: another number of names than of classes; shapes or values as in Accuracy.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> print(optim.metrics.classification_report(
    ...     np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), target_names=["cat", "dog", "eel"]))
                  precision  recall  f1-score  support
             cat       1.00    0.50      0.67        2
             dog       0.50    1.00      0.67        1
             eel       1.00    1.00      1.00        1
    <BLANKLINE>
        accuracy                         0.75        4
       macro avg       0.83    0.83      0.78        4
    weighted avg       0.88    0.75      0.75        4
    """
    counts = ConfusionMatrix(threshold=threshold)(output, target)
    n = len(counts)
    names = [str(i) for i in range(n)] if target_names is None else [str(name) for name in target_names]
    if len(names) != n:
        raise ValueError(message("classification_report", f"{len(names)} names", f"{n}, one for each class"))
    right, predicted, actual = np.diagonal(counts), counts.sum(0), counts.sum(1)
    total, some = int(actual.sum()), predicted + actual > 0
    if not total:
        raise ValueError(message("classification_report", "no samples that count", "at least one"))
    columns = [
        right / np.maximum(predicted, 1),
        right / np.maximum(actual, 1),
        2 * right / np.maximum(predicted + actual, 1),
    ]
    heads = ("precision", "recall", "f1-score")
    width, *widths = max(len("weighted avg"), *map(len, names)), *(max(len(h), digits + 2) + 2 for h in heads)

    def line(name: str, cells: Sequence[str], support: str) -> str:
        return f"{name:>{width}}" + "".join(f"{c:>{w}}" for c, w in zip(cells, widths)) + f"{support:>9}"

    def row(name: str, values: Sequence[Any], support: int) -> str:
        return line(name, [f"{v:.{digits}f}" for v in values], f"{support:,}")

    return "\n".join([
        line("", heads, "support"),
        *(row(name, values, n) for name, values, n in zip(names, zip(*columns), actual)),
        "",
        line("accuracy", ["", "", f"{right.sum() / total:.{digits}f}"], f"{total:,}"),
        row("macro avg", [c[some].mean() for c in columns], total),
        row("weighted avg", [np.average(c, weights=actual) for c in columns], total),
    ])  # fmt: skip
