"""What is tried is tried aside: on a copy, and with the random numbers put back afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core import nn, no_grad
from autograd_core.errors import message
from autograd_core.node import strip

__all__ = ["aside", "plain", "pure", "samples"]


@contextmanager
def aside(original: Any) -> Iterator[Any]:
    """Give a copy without gradients; afterwards the library's random numbers are where they were.

    >>> from autograd_core import nn
    >>> model = nn.Linear(2, 1)
    >>> with aside(model) as trial:
    ...     _ = nn.init.zeros_(trial.weight), nn.random.generator().random(5)
    >>> bool(model.weight.numpy().any())
    True
    """
    state = nn.random.get_state()
    trial = copy.deepcopy(original)
    for module in trial if isinstance(trial, tuple) else (trial,):
        module.zero_grad()
    try:
        yield trial
    finally:
        nn.random.set_state(state)


def pure(model: Any) -> Any:
    """Switch a model to training, but for layers that draw, such as dropout."""
    for module in model.train().modules():
        if getattr(module, "draws", False):
            module.training = False
    return model


def plain(value: Any) -> Any:
    return np.asarray(strip(value))


def samples(who: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Return inputs and targets as arrays, as many of both and at least one."""
    x, y = plain(x), plain(y)
    if x.ndim < 1 or y.ndim < 1 or len(x) != len(y) or not len(x):
        raise ValueError(message(who, f"inputs of shape {x.shape} and targets of shape {y.shape}",
                                 "as many samples in both, and at least one"))  # fmt: skip
    return x, y


def scalar(who: str, loss: Callable[[Any, Any], Any], output: Any, target: Any) -> Any:
    """Return ``loss(output, target)``, which has to be one number."""
    value = loss(output, target)
    if np.shape(strip(value)) not in ((), (1,)):
        raise ValueError(message(who, f"a loss of shape {np.shape(strip(value))}", "one number",
                                 "reduction='mean'"))  # fmt: skip
    return value


def value(who: str, loss: Callable[[Any, Any], Any], output: Any, target: Any) -> float:
    """Return ``loss(output, target)`` as a number, which nothing is recorded for."""
    with no_grad():
        return float(plain(scalar(who, loss, output, target)).reshape(()))
