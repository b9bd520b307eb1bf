"""What every metric is: counts that grow batch by batch, and a number made of them at the end."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip

__all__ = ["Function", "Mean", "Metric"]

Array = ndarray[Any, Any]


class Metric:
    """The base of every metric: subclass it, write ``reset``, ``update`` and ``compute``.

    ``update`` adds a batch to a state of sums and counts, ``compute`` divides them: the result over
    batches of any sizes is that over all samples at once, which a mean of the batches' values is not.
    A call, ``metric(output, target)``, gives the value of these samples alone, and leaves the state as
    it is.

    Attributes:
        name: what the metric is called in a history.
        higher_is_better: True, False, or None where the result has no order.
        states: the attributes that are the state, arrays or numbers that ``reset`` makes.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> class Largest(optim.metrics.Metric):
    ...     name, higher_is_better, states = "largest_error", False, ("most",)
    ...     def reset(self):
    ...         self.most = np.zeros(())
    ...     def update(self, output, target):
    ...         self.most = np.maximum(self.most, np.abs(output - target).max())
    ...     def compute(self):
    ...         return float(self.most)
    >>> metric = Largest()
    >>> for batch in (np.array([1.0, 2.0]), np.array([4.0])):
    ...     metric.update(batch, np.zeros(len(batch)))
    >>> metric.compute(), metric(np.array([3.0]), np.array([1.0])), metric.compute()
    (4.0, 2.0, 4.0)
    """

    name: str = ""
    higher_is_better: bool | None = None
    states: tuple[str, ...] = ()

    def __init__(self) -> None:
        if not self.name:
            self.name = type(self).__name__.lower()
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(message(type(self).__name__, "no method reset(self)"))

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch: the model's output and the target, in the order of the losses."""
        raise NotImplementedError(message(
            type(self).__name__, "a batch", "a method update(self, output, target)"))  # fmt: skip

    def compute(self) -> Any:
        """Return the value over all batches since the last ``reset``: a float, or an array."""
        raise NotImplementedError(message(type(self).__name__, "no method compute(self)"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the value of one batch; the state stays as it is."""
        once = copy.copy(self)
        once.reset()
        once.update(*args, **kwargs)
        return once.compute()

    def state_dict(self) -> dict[str, Array]:
        """Return the state as arrays of its own."""
        return {name: np.array(getattr(self, name)) for name in self.states}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what ``state_dict()`` returned.

        Raises:
            ValueError: other names, or arrays with another number of axes or kind of numbers. The
                metric is then as it was.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if set(state_dict) != set(self.states):
            raise ValueError(message(who, f"the names {sorted(state_dict)}", f"{sorted(self.states)}"))
        new = {}
        for name in self.states:
            ours, theirs = np.asarray(getattr(self, name)), np.array(strip(state_dict[name]))
            if theirs.ndim != ours.ndim or not np.can_cast(theirs.dtype, ours.dtype, "same_kind"):
                raise ValueError(message(who, f"{name} of shape {theirs.shape} and dtype {theirs.dtype}",
                                         f"{ours.ndim} axes and dtype {ours.dtype}"))  # fmt: skip
            new[name] = theirs.astype(ours.dtype)
        self.__dict__.update(new)

    def settings(self) -> dict[str, Any]:
        """Return what the metric was made with and is not the state: shown in its text."""
        return {k: v for k, v in vars(self).items() if k not in self.states and k != "name"}

    def __repr__(self) -> str:
        given = ", ".join(f"{k}={v!r}" for k, v in self.settings().items() if not k.startswith("_"))
        return f"{type(self).__name__}({given})"


def nothing(metric: Metric) -> ValueError:
    """Return the error of a mean over no samples."""
    return ValueError(message(type(metric).__name__, "no samples that count",
                              "update(output, target) before compute()"))  # fmt: skip


class Averaged(Metric):
    """A metric that is a weighted mean of numbers."""

    states = ("total", "weight")

    def reset(self) -> None:
        self.total: Any = 0.0
        self.weight: Any = 0.0

    def add(self, value: Any, weight: Any) -> None:
        """Add a number with its weight; or an array, with one weight or one for each."""
        who = type(self).__name__
        if type(value) is float and type(weight) in (int, float) and weight >= 0:
            self.total, self.weight = self.total + value * weight, self.weight + weight
            return
        v, w = np.asarray(strip(value), np.float64), np.asarray(strip(weight), np.float64)
        if w.shape not in ((), v.shape) or not (w >= 0).all():
            raise ValueError(message(who, f"values of shape {v.shape} and the weight {weight!r}",
                                     "one weight, or one for each value, none negative"))  # fmt: skip
        self.total = self.total + float(np.sum(v * w))
        self.weight = self.weight + float(np.sum(w) if w.ndim else w * v.size)

    def compute(self) -> float:
        if not self.weight:
            raise nothing(self)
        return float(self.total / self.weight)


class Mean(Averaged):
    """The mean of numbers, such as of the loss: ``sum w_i v_i / sum w_i``.

    ``update(value, weight=1)`` takes a number and how many samples it is the mean of, or an array of
    numbers and one weight for all of them or for each. NaN stays: a loss that was NaN is not hidden.

    Args:
        name: what it is called in a history.

    >>> from autograd_core import optim
    >>> mean = optim.metrics.Mean("loss")
    >>> mean.update(1.0, 30)
    >>> mean.update(4.0, 10)
    >>> mean.compute()
    1.75
    """

    higher_is_better = False

    def __init__(self, name: str = "mean") -> None:
        self.name = name
        super().__init__()

    def update(self, value: Any, weight: Any = 1) -> None:
        self.add(value, weight)


class Function(Averaged):
    """A function of a batch as a metric: the mean of its values, each counted once per sample.

    It is exact over batches of different sizes where the function is a mean over samples.

    Args:
        function: ``function(output, target)`` returns a number.
        name: what it is called in a history; the function's name by default.
        higher_is_better: True, False or None.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> def bias(output, target):
    ...     return np.mean(output - target)
    >>> metric = optim.metrics.get(bias)
    >>> metric.update(np.array([1.0, 2.0]), np.zeros(2))
    >>> metric.update(np.array([3.0]), np.zeros(1))
    >>> metric.name, metric.compute()
    ('bias', 2.0)
    """

    def __init__(
        self, function: Callable[[Any, Any], Any], name: str | None = None,
        higher_is_better: bool | None = None,
    ) -> None:  # fmt: skip
        self.function, self.higher_is_better = function, higher_is_better
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        value = np.asarray(strip(self.function(output, target)))
        if value.ndim:
            raise ValueError(message(self.name, f"a value of shape {value.shape}", "one number for a batch",
                                     "a Metric of your own"))  # fmt: skip
        shape = np.shape(strip(output))
        if not shape:
            raise ValueError(message(self.name, "an output of shape ()", "one of samples, (N, ...)"))
        self.add(value, shape[0])
