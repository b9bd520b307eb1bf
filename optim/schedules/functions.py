"""Rates that a user's function states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from autograd_core.errors import message

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = ["LambdaLR", "MultiplicativeLR"]

Function = Callable[[int], float]


class _FunctionLR(LRScheduler):
    """A schedule with a function for each group. Functions are not part of the state, as in PyTorch."""

    unsaved: ClassVar[frozenset[str]] = frozenset({"optimizer", "lr_lambdas"})

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Function | Sequence[Function], last_epoch: int = -1
    ) -> None:
        self.attach(optimizer)
        who, count = type(self).__name__, len(optimizer.param_groups)
        several = isinstance(lr_lambda, (list, tuple))
        self.lr_lambdas: list[Any] = list(lr_lambda) if several else [lr_lambda] * count  # type: ignore[arg-type]
        if len(self.lr_lambdas) != count:
            raise ValueError(message(who, f"{len(self.lr_lambdas)} functions",
                                     f"{count}, one for each group of the optimizer"))  # fmt: skip
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(message(who, f"a {type(function).__name__}", "a function of the epoch",
                                        "lambda t: 0.95**t"))  # fmt: skip
        super().__init__(optimizer, last_epoch)


class LambdaLR(_FunctionLR):
    """Multiply the first rate by a function of the epoch: ``eta_t = eta_0 f(t)``.

    The rate is set whatever it was before: what another schedule or a hand has made of it is lost.

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: f, or a list with one function for each group.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        TypeError: something that cannot be called.
        ValueError: not one function for each group.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.LambdaLR(o, lambda t: 1 / (1 + t)), lr=0.6, steps=3)
    array([0.6, 0.3, 0.2])
    """

    def get_lr(self) -> list[float]:
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_FunctionLR):
    """Multiply the rate by a function of the epoch: ``eta_t = eta_{t-1} f(t)``; f(0) is not asked for.

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: f, or a list with one function for each group.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        TypeError: something that cannot be called.
        ValueError: not one function for each group.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.MultiplicativeLR(o, lambda t: 1 / t), lr=0.6, steps=4)
    array([0.6, 0.6, 0.3, 0.1])
    """

    def get_lr(self) -> list[float]:
        return [lr * f(self.last_epoch) for lr, f in zip(self.rates(), self.lr_lambdas, strict=True)]

    def jump(self, epoch: Any, origins: Iterable[float]) -> None:
        self.last_epoch = epoch
        self.write(origin * math.prod(f(t) for t in range(1, epoch + 1))
                   for origin, f in zip(origins, self.lr_lambdas, strict=True))  # fmt: skip

    def restart(self) -> None:
        self.advance(0)  # PyTorch's choice: the rate that the schedule before has left, times f(0)
