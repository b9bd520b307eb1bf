"""How large parameters are, their gradients, and what a step changed of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip

from ..module import Module
from .table import Table, moments

__all__ = ["ParameterStatistics", "parameter_statistics"]


@dataclass(frozen=True)
class ParameterStatistics:
    """One parameter, its gradient, and its last update.

    Attributes:
        name, shape: of the parameter.
        mean, std: of its numbers.
        norm: the root of the sum of its squares.
        gradient_norm: that of its gradient; None without one.
        update_norm: that of its change since ``before``; None without it.
        ratio: the update's norm over the norm before it; about 1e-3 is usual, far more destroys what was
            learnt, far less learns nothing.
    """

    name: str
    shape: tuple[int, ...]
    mean: float
    std: float
    norm: float
    gradient_norm: float | None = None
    update_norm: float | None = None
    ratio: float | None = None


def parameter_statistics(
    model: Module, before: Mapping[str, Any] | None = None
) -> Table[ParameterStatistics]:
    """Return norms of each parameter, of its gradient and of its last update.

    Args:
        model: the network, after ``backward()``.
        before: its ``state_dict()`` before ``optimizer.step()``, or a part of it.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(2, 1, bias=False)
    >>> _ = nn.init.constant_(model.weight, 3.0)
    >>> before = model.state_dict()
    >>> model(np.array([[3.0, 4.0]])).sum().backward()
    >>> optim.SGD(model.parameters(), lr=0.1).step()
    >>> row = nn.statistics.parameter_statistics(model, before)[0]
    >>> row.gradient_norm, row.update_norm, row.ratio
    (5.0, 0.5, 0.118)
    """
    rows = []
    for name, p in model.named_parameters():
        w = strip(p)
        update = ratio = None
        if before is not None and name in before:
            old = np.asarray(strip(before[name]))
            if old.shape != w.shape:
                raise ValueError(message("parameter_statistics", f"{name} of shape {old.shape} before",
                                         f"{w.shape}"))  # fmt: skip
            size, update = _norm(old), _norm(w.astype(np.float64) - old)
            ratio = update / size if size else math.nan
        g = None if p.grad is None else _norm(np.asarray(strip(p.grad)))
        rows.append(ParameterStatistics(name, w.shape, *moments(w), _norm(w), g, update, ratio))
    return Table(rows)


def _norm(x: ndarray[Any, Any]) -> float:
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(x.astype(np.float64, copy=False)))
