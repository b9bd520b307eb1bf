"""Lion: the sign of a momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["Lion"]


@loop
def lion(
    p: Any, g: Any, m: Any, lr: Any, b1: Any, a1: Any, b2: Any, a2: Any, shrink: Any, ascend: bool
) -> Any:
    if ascend:
        g = -g
    if shrink != 1:
        p = shrink * p
    return p - lr * np.sign(b1 * m + a1 * g), b2 * m + a2 * g


@loop
def lion_all(p: Any, g: Any, m: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], m[i] = lion(p[i], g[i], m[i], *numbers)


class Lion(Elementwise):
    """Evolved sign momentum: every number of a parameter moves by lr, and the memory is one array.

    ``p <- p - lr (sign(b1 m + (1 - b1) g) + lambda p)``, ``m <- b2 m + (1 - b2) g``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate; a third to a tenth of :class:`AdamW`'s.
        betas: b1 and b2.
        weight_decay: lambda, apart from the gradient; three to ten times :class:`AdamW`'s.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or a beta outside [0, 1).

    Source: X. Chen and others, "Symbolic discovery of optimization algorithms", 2023.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.Lion([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([ 0.9, -199.9], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options)

    update_rule = Rule(lion, lion_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"exp_avg": 0.0}

    def clock(self, group: Group) -> Mapping[str, float]:
        return {}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given = group.numbers
        lr, (b1, b2) = given["lr"], given["betas"]
        return lr, b1, 1 - b1, b2, 1 - b2, 1 - lr * given["weight_decay"], group["maximize"]
