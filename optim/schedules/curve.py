"""What a schedule does, as numbers: to look at before training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import tensor

from ..sgd import SGD
from .base import LRScheduler

__all__ = ["curve"]


def curve(make: Callable[[Any], LRScheduler], lr: float = 0.1, steps: int = 100) -> ndarray[Any, Any]:
    """Run a schedule on an optimizer of its own, and return the rate of each of its steps.

    Args:
        make: makes the schedule of the optimizer that it is given.
        lr: the rate of that optimizer.
        steps: how many rates.

    Returns:
        an array of ``steps`` rates, the first one at epoch 0.

    >>> from autograd_core import optim
    >>> optim.schedules.curve(lambda o: optim.schedules.StepLR(o, 2), lr=0.5, steps=5)
    array([0.5  , 0.5  , 0.05 , 0.05 , 0.005])
    """
    optimizer = SGD([tensor(0.0, requires_grad=True)], lr=lr, momentum=0.9)
    schedule, rates = make(optimizer), []
    for epoch in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        if epoch < steps - 1:
            schedule.step()
    return np.array(rates, np.float64)
