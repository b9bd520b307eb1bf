"""ASGD: gradient descent with a falling rate, and the mean of where it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["ASGD"]


@loop
def asgd(p: Any, g: Any, mean: Any, eta: Any, shrink: Any, mu: Any, decay: Any, ascend: bool) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    p = shrink * p - eta * g
    return p, mean + mu * (p - mean) if mu != 1 else p


@loop
def asgd_all(p: Any, g: Any, mean: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], mean[i] = asgd(p[i], g[i], mean[i], *numbers)


class ASGD(Elementwise):
    """Averaged stochastic gradient descent: the mean of p over the steps after t0 is in ``state[p]["ax"]``.

    ``p <- (1 - lambda eta_t) p - eta_t g``, ``a <- a + mu_t (p - a)`` with
    ``eta_t = lr / (1 + lambda lr (t - 1))^alpha`` and ``mu_t = 1 / max(1, t - 1 - t0)``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate at first.
        lambd: lambda, how p and the rate decay.
        alpha: the power of the decay of the rate.
        t0: the step after which the mean begins; before it, a is p.
        weight_decay: what times p is added to g.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative lr, lambd or weight_decay.

    Source: B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992;
    the rates: L. Bottou, "Stochastic gradient descent tricks", 2012.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0])
    >>> optimizer = optim.ASGD([w], lr=0.5, lambd=0, t0=0)
    >>> for sign in (1, -1, 1):
    ...     w.grad = sign * w.numpy()
    ...     optimizer.step()
    >>> w.numpy(), optimizer.state[w]["ax"]
    (array([0.375], dtype=float32), array([0.5625], dtype=float32))
    """

    amounts = (*Elementwise.amounts, "lambd")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    update_rule = Rule(asgd, asgd_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"ax": 0.0}

    def clock(self, group: Group) -> Mapping[str, float]:
        return {"step": 0.0, "eta": group["lr"], "mu": 1.0}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return eta and mu as the last step left them, and compute those of the next."""
        given, (step, eta, mu) = group.numbers, clock.values()
        now = eta.copy(), 1 - given["lambd"] * eta, mu.copy(), given["weight_decay"], group["maximize"]
        np.add(step, 1, out=step)
        lr = given["lr"]
        np.divide(lr, (1 + given["lambd"] * lr * step) ** given["alpha"], out=eta)
        np.divide(1, np.maximum(step - given["t0"], 1), out=mu)
        return now
