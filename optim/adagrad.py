"""Adagrad: a rate for each number, which falls with the gradients it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["Adagrad"]


@loop
def adagrad(p: Any, g: Any, total: Any, rate: Any, eps: Any, decay: Any, ascend: bool) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    total = total + g * g
    return p - rate * (g / (np.sqrt(total) + eps)), total


@loop
def adagrad_all(p: Any, g: Any, total: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], total[i] = adagrad(p[i], g[i], total[i], *numbers)


class Adagrad(Elementwise):
    """Adagrad: the gradient over the root of the sum of all its squares.

    ``s <- s + g^2``, ``p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        lr_decay: how fast the rate falls besides.
        weight_decay: lambda; ``lambda p`` is added to g.
        initial_accumulator_value: s at first.
        eps: what keeps the quotient finite.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option.

    Source: J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", 2011.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([ 0.9, -199.9], dtype=float32)
    """

    amounts = (*Elementwise.amounts, "lr_decay", "initial_accumulator_value")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "eps": eps, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    update_rule = Rule(adagrad, adagrad_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"sum": group["initial_accumulator_value"]}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given, step = group.numbers, clock["step"]
        rate = given["lr"] / (1 + step * given["lr_decay"])
        np.add(step, 1, out=step)
        return rate, given["eps"], given["weight_decay"], group["maximize"]
