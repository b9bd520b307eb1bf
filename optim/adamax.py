"""Adamax: Adam with the largest gradient of late instead of the root of the mean square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["Adamax"]


@loop
def adamax(
    p: Any, g: Any, m: Any, u: Any, rate: Any, eps: Any, a1: Any, b2: Any, decay: Any, ascend: bool
) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    m = m + a1 * (g - m)
    u = np.maximum(b2 * u, np.abs(g) + eps)
    return p - rate * (m / u), m, u


@loop
def adamax_all(p: Any, g: Any, m: Any, u: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], m[i], u[i] = adamax(p[i], g[i], m[i], u[i], *numbers)


class Adamax(Elementwise):
    """Adamax: the running mean of the gradient over its largest size, which fades.

    ``m <- b1 m + (1 - b1) g``, ``u <- max(b2 u, |g| + eps)``, ``p <- p - lr / (1 - b1^t) m / u``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        betas: b1 and b2.
        eps: what keeps the quotient finite.
        weight_decay: lambda; ``lambda p`` is added to g.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or a beta outside [0, 1).

    Source: D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([ 0.9, -199.9], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    update_rule = Rule(adamax, adamax_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given, step = group.numbers, clock["step"]
        b1, b2 = given["betas"]
        np.add(step, 1, out=step)
        rate = given["lr"] / (1 - b1**step)
        return rate, given["eps"], 1 - b1, b2, given["weight_decay"], group["maximize"]
