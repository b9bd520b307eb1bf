"""How far numbers are from their targets: mean errors, and the share of the variance that is explained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .base import Averaged, Metric, nothing
from .inputs import numbers

__all__ = ["R2", "MeanAbsoluteError", "MeanSquaredError", "r2_score"]

Array = ndarray[Any, Any]


class MeanSquaredError(Averaged):
    """The mean of ``(output - target)^2`` over all numbers, as of ``nn.MSELoss``.

    Args:
        squared: False for its root, in the target's unit.

    Raises:
        ValueError: different shapes, of which none is broadcast; NaN.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.MeanSquaredError()(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    2.0
    """

    higher_is_better = False

    def __init__(self, squared: bool = True) -> None:
        self.squared, self.name = squared, "mse" if squared else "rmse"
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        x, t = numbers("MeanSquaredError", output, target)
        self.add((x - t) ** 2, 1)

    def compute(self) -> float:
        mean = super().compute()
        return mean if self.squared else float(np.sqrt(mean))


class MeanAbsoluteError(Averaged):
    """The mean of ``|output - target|`` over all numbers, as of ``nn.L1Loss``.

    Raises:
        ValueError: different shapes, of which none is broadcast; NaN.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.MeanAbsoluteError()(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """

    name, higher_is_better = "mae", False

    def update(self, output: Any, target: Any) -> None:
        x, t = numbers("MeanAbsoluteError", output, target)
        self.add(np.abs(x - t), 1)


class R2(Metric):
    """The coefficient of determination, ``1 - sum (t_i - y_i)^2 / sum (t_i - mean t)^2``.

    1 is perfect, 0 as good as the mean of the targets, and it may be negative. The variance is gathered
    batch by batch without cancellation. [Chan, Golub, LeVeque, Updating Formulae, 1979]

    Args:
        multioutput: with several numbers a sample, ``"uniform_average"`` is the mean of their values,
            ``"variance_weighted"`` weighs them by the variance of the targets, ``"raw_values"`` is an
            array with an entry for each. Targets that never change give 1 if all are met and 0 if not.

    Raises:
        ValueError: different shapes, of which none is broadcast; class indices; NaN; fewer than two
            samples.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> r2 = optim.metrics.R2()
    >>> r2.update(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    >>> r2.update(np.array([4.0]), np.array([4.0]))
    >>> r2.compute()
    0.944
    """

    name, higher_is_better = "r2", True
    states = ("samples", "mean", "spread", "residual")

    def __init__(self, multioutput: str = "uniform_average") -> None:
        if multioutput not in ("uniform_average", "variance_weighted", "raw_values"):
            raise ValueError(message("R2", f"multioutput={multioutput!r}",
                                     "'uniform_average', 'variance_weighted' or 'raw_values'"))  # fmt: skip
        self.multioutput = multioutput
        super().__init__()

    def reset(self) -> None:
        self.samples = np.zeros((), np.int64)
        self.mean, self.spread, self.residual = np.zeros((3, 0))

    def update(self, output: Any, target: Any) -> None:
        x, t = numbers("R2", output, target)
        if not len(t):
            return
        if not self.samples:
            self.mean, self.spread, self.residual = np.zeros((3, t.shape[1]))
        elif t.shape[1] != len(self.mean):
            raise ValueError(message("R2", f"{t.shape[1]} numbers a sample", f"{len(self.mean)}, as before"))
        n, new = int(self.samples), len(t)
        mean = t.mean(0)
        between = (mean - self.mean) ** 2 * (n * new / (n + new))
        self.spread = self.spread + ((t - mean) ** 2).sum(0) + between
        self.mean = self.mean + (mean - self.mean) * (new / (n + new))
        self.residual = self.residual + ((x - t) ** 2).sum(0)
        self.samples = self.samples + new

    def compute(self) -> Any:
        """Return one number, or with ``"raw_values"`` an array."""
        if not self.samples:
            raise nothing(self)
        if self.samples < 2:
            raise ValueError(message("R2", "1 sample", "at least 2, as one has no variance"))
        r, s = self.residual, self.spread
        each = np.where(r == 0, 1.0, 0.0)
        np.divide(s - r, s, out=each, where=s != 0)
        if self.multioutput == "raw_values":
            return each
        weigh = self.multioutput == "variance_weighted" and s.any()
        return float(np.average(each, weights=s if weigh else None))


def r2_score(output: Any, target: Any, multioutput: str = "uniform_average") -> Any:
    """Return the coefficient of determination; see :class:`R2`.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.metrics.r2_score(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0]))
    0.357
    """
    return R2(multioutput)(output, target)
