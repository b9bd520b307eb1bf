"""Metrics by their names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from autograd_core.errors import message

from .base import Function, Metric
from .classwise import F1, Precision, Recall
from .confusion import ConfusionMatrix
from .correct import Accuracy, TopK
from .likelihood import Perplexity
from .regression import R2, MeanAbsoluteError, MeanSquaredError

__all__ = ["get"]

BY_NAME: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy,
    "top_k_accuracy": TopK,
    "confusion_matrix": ConfusionMatrix,
    "perplexity": Perplexity,
    "r2": R2,
    "mse": MeanSquaredError,
    "rmse": partial(MeanSquaredError, squared=False),
    "mae": MeanAbsoluteError,
}
for _metric in (Precision, Recall, F1):
    _name = _metric.__name__.lower()
    BY_NAME[_name] = _metric
    for _average in ("macro", "micro", "weighted"):
        BY_NAME[f"{_name}_{_average}"] = partial(_metric, _average)
ALSO = {
    "acc": "accuracy", "r2_score": "r2", "mean_squared_error": "mse", "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse", "f1_score": "f1",
}  # fmt: skip


def get(metric: str | Metric | type[Metric] | Callable[[Any, Any], Any]) -> Metric:
    """Return a metric: of a name, a new one; a class, made without arguments; a metric itself.

    A function ``f(output, target)`` of a batch becomes the mean of its values, each counted once per
    sample.

    Args:
        metric: a name such as ``"accuracy"``, ``"top_5_accuracy"``, ``"f1_macro"``, ``"precision_micro"``,
            ``"recall_weighted"``, ``"confusion_matrix"``, ``"r2"``, ``"mse"``, ``"rmse"``, ``"mae"`` or
            ``"perplexity"``; a Metric, its class, or a function.

    Raises:
        ValueError: an unknown name.
        TypeError: none of these.

    >>> from autograd_core import optim
    >>> optim.metrics.get("top_3_accuracy")
    TopK(k=3, ignore_index=-100)
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str):
        name = metric.lower().replace("-", "_").replace(" ", "_")
        name = ALSO.get(name, name)
        if found := re.fullmatch(r"top_?(\d+)(_accuracy)?", name):
            return TopK(int(found[1]))
        if name not in BY_NAME:
            close = difflib.get_close_matches(name, BY_NAME, 1)
            raise ValueError(message("metrics.get", repr(metric), f"one of {', '.join(BY_NAME)}",
                                     repr(close[0]) if close else "a function of output and target"))
        return BY_NAME[name]()
    if isinstance(metric, type) and issubclass(metric, Metric):
        return metric()
    if callable(metric):
        return Function(metric)
    raise TypeError(message("metrics.get", f"a {type(metric).__name__}",
                            "a name, a Metric, its class, or a function"))  # fmt: skip
