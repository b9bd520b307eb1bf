"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["NAdam"]


@loop
def nadam(
    p: Any, g: Any, m: Any, v: Any, now: Any, ahead: Any, eps: Any, a1: Any, b2: Any, a2: Any, decay: Any,
    shrink: Any, ascend: bool,
) -> Any:  # fmt: skip
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    if shrink != 1:
        p = shrink * p
    m = m + a1 * (g - m)
    v = b2 * v + a2 * (g * g)
    return p - (now * g + ahead * m) / (np.sqrt(v) + eps), m, v


@loop
def nadam_all(p: Any, g: Any, m: Any, v: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], m[i], v[i] = nadam(p[i], g[i], m[i], v[i], *numbers)


class NAdam(Elementwise):
    """Adam that looks one step ahead, with a momentum that grows from b1 / 2 to b1.

    ``mu_t = b1 (1 - 0.96^(t psi) / 2)``, m and v as Adam's, and with M_t the product of the mu so far
    ``p <- p - lr (mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v / (1 - b2^t)) + eps)``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        betas: b1 and b2.
        eps: what keeps the quotient finite.
        weight_decay: lambda; ``lambda p`` is added to g.
        momentum_decay: psi, how fast the momentum grows.
        decoupled_weight_decay: shrink p by ``lr lambda p`` instead, as :class:`AdamW` does.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or a beta outside [0, 1).

    Source: T. Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.NAdam([w], lr=0.1, momentum_decay=0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([   0.8944, -199.8944], dtype=float32)
    """

    amounts = (*Elementwise.amounts, "momentum_decay")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    update_rule = Rule(nadam, nadam_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def clock(self, group: Group) -> Mapping[str, float]:
        return {"step": 0.0, "mu_product": 1.0}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given, step, product = group.numbers, clock["step"], clock["mu_product"]
        lr, (b1, b2), decay = given["lr"], given["betas"], given["weight_decay"]
        np.add(step, 1, out=step)
        mu, following = (b1 * (1 - 0.5 * 0.96 ** (t * given["momentum_decay"])) for t in (step, step + 1))
        np.multiply(product, mu, out=product)
        root = np.sqrt(1 - b2**step)  # see Adam's numbers
        apart = group["decoupled_weight_decay"]
        return (
            lr * root * (1 - mu) / (1 - product), lr * root * following / (1 - product * following),
            given["eps"] * root, 1 - b1, b2, 1 - b2, 0.0 if apart else decay,
            1 - lr * decay if apart else 1.0, group["maximize"],
        )  # fmt: skip
