"""Perplexity: among how many equally likely classes the model seems to choose."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops

from .base import Averaged
from .inputs import IGNORED, scores

__all__ = ["Perplexity", "perplexity"]


class Perplexity(Averaged):
    """The exponential of the mean cross-entropy, ``exp(-1/N sum log softmax(x_i)_(t_i))``.

    A model that knows nothing has a perplexity of C, a perfect one of 1. Over batches, the mean is that
    over all targets that count.

    Args:
        ignore_index: a class index that does not count, such as of padding.

    Shapes:
        logits (N, C) and class indices (N,); or (N, C, d1, ...) and (N, d1, ...), as of
        ``nn.CrossEntropyLoss``.

    Raises:
        ValueError: shapes that do not fit, a target that is not of integers, NaN.
        IndexError: a class is not one of 0 ... C - 1.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.Perplexity()(np.zeros((2, 27)), np.array([3, 26]))
    27.0
    """

    name, higher_is_better = "perplexity", False

    def __init__(self, ignore_index: int = IGNORED) -> None:
        self.ignore_index = ignore_index
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        x, t = scores("Perplexity", output, target, self.ignore_index)
        x = x.astype(np.float64)
        self.add(ops.logsumexp(x, axis=1) - x[np.arange(len(t)), t], 1)

    def compute(self) -> float:
        with np.errstate(over="ignore"):  # of a mean above 709: infinite
            return float(np.exp(super().compute()))


def perplexity(output: Any, target: Any, ignore_index: int = IGNORED) -> float:
    """Return the exponential of the mean cross-entropy; see :class:`Perplexity`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.perplexity(np.log([[0.5, 0.25, 0.25]]), np.array([1]))
    4.0
    """
    value: float = Perplexity(ignore_index)(output, target)
    return value
