"""Rprop: the sign of the gradient, and a step size of its own for each number."""

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

__all__ = ["Rprop"]


@loop
def rprop(
    p: Any, g: Any, before: Any, size: Any, shrink: Any, grow: Any, least: Any, most: Any, ascend: bool
) -> Any:
    if ascend:
        g = -g
    turn = np.sign(g * before)
    factor = (turn > 0) * grow + (turn < 0) * shrink + (turn == 0)
    size = np.minimum(np.maximum(size * factor, least), most)
    g = g * (turn >= 0)  # after a change of sign: stay, and forget which way it was
    return p - np.sign(g) * size, g, size


@loop
def rprop_all(p: Any, g: Any, before: Any, size: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], before[i], size[i] = rprop(p[i], g[i], before[i], size[i], *numbers)


class Rprop(Elementwise):
    """Resilient backpropagation: ``p <- p - d sign(g)``, d larger while the sign of g stays the same.

    ``d <- eta+ d`` where g has the sign that it had before, ``d <- eta- d`` where it has another; there,
    p stays where it is for this step. It is meant for gradients over all data: the sign of that of a
    small batch says too little.

    Args:
        params: the parameters, or groups of them.
        lr: d at first.
        etas: (eta-, eta+).
        step_sizes: the smallest and the largest d.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative rate, etas that are not below and above 1, or step sizes out of order.

    Source: M. Riedmiller and H. Braun, "A direct adaptive method for faster backpropagation learning:
    the RPROP algorithm", 1993; without going back after a change of sign, as in C. Igel and M. Hüsken,
    "Improving the Rprop learning algorithm", 2000.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.Rprop([w], lr=0.1)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> w.numpy().round(3)
    array([   0.636, -199.636], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        shrink, grow = group["etas"]
        if not 0 < shrink < 1 < grow:
            raise ValueError(message("Rprop", f"etas={group['etas']}", "0 < eta- < 1 < eta+"))
        least, most = group["step_sizes"]
        if not 0 <= least <= most:
            raise ValueError(message("Rprop", f"step_sizes={group['step_sizes']}",
                                     "the smallest and the largest"))  # fmt: skip

    update_rule = Rule(rprop, rprop_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"prev": 0.0, "step_size": group["lr"]}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        np.add(clock["step"], 1, out=clock["step"])
        return *group.numbers["etas"], *group.numbers["step_sizes"], group["maximize"]
