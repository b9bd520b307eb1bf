"""Adadelta: steps as large as those before, in units of the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["Adadelta"]


@loop
def adadelta(
    p: Any, g: Any, v: Any, u: Any, lr: Any, rho: Any, rest: Any, eps: Any, decay: Any, ascend: bool
) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    v = rho * v + rest * (g * g)
    step = np.sqrt(u + eps) / np.sqrt(v + eps) * g
    u = rho * u + rest * (step * step)
    return p - lr * step, v, u


@loop
def adadelta_all(p: Any, g: Any, v: Any, u: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i], u[i] = adadelta(p[i], g[i], v[i], u[i], *numbers)


class Adadelta(Elementwise):
    """Adadelta: the gradient over its own mean size, times the mean size of the steps so far.

    ``v <- rho v + (1 - rho) g^2``, ``d = sqrt(u + eps) / sqrt(v + eps) g``,
    ``u <- rho u + (1 - rho) d^2``, ``p <- p - lr d``.

    Args:
        params: the parameters, or groups of them.
        lr: a factor of all steps; the paper has none, which is 1.
        rho: how much of the means is kept in a step.
        eps: what lets the first step be, and keeps the quotient finite.
        weight_decay: lambda; ``lambda p`` is added to g.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or rho above 1.

    Source: M. Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.Adadelta([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([   0.9968, -199.9968], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        if not 0 <= group["rho"] <= 1:
            raise ValueError(message("Adadelta", f"rho={group['rho']}", "a number from 0 to 1"))

    update_rule = Rule(adadelta, adadelta_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given, rho = group.numbers, group.numbers["rho"]
        np.add(clock["step"], 1, out=clock["step"])
        return given["lr"], rho, 1 - rho, given["eps"], given["weight_decay"], group["maximize"]
