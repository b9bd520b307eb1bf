"""Adam: steps in units of the gradient's own size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["Adam", "AdamW"]


@loop
def adam(
    p: Any, g: Any, m: Any, v: Any, rate: Any, eps: Any, a1: Any, b2: Any, a2: Any, decay: Any, shrink: Any,
    ascend: bool,
) -> Any:  # fmt: skip
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    if shrink != 1:
        p = shrink * p
    m = m + a1 * (g - m)
    v = b2 * v + a2 * (g * g)
    return p - rate * (m / (np.sqrt(v) + eps)), m, v


@loop
def adam_all(p: Any, g: Any, m: Any, v: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], m[i], v[i] = adam(p[i], g[i], m[i], v[i], *numbers)


@loop
def amsgrad(
    p: Any, g: Any, m: Any, v: Any, top: Any, rate: Any, eps: Any, a1: Any, b2: Any, a2: Any, decay: Any,
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
    top = np.maximum(top, v)
    return p - rate * (m / (np.sqrt(top) + eps)), m, v, top


@loop
def amsgrad_all(p: Any, g: Any, m: Any, v: Any, top: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], m[i], v[i], top[i] = amsgrad(p[i], g[i], m[i], v[i], top[i], *numbers)


class Adam(Elementwise):
    """Adam: the running mean of the gradient over the root of that of its square.

    ``m <- b1 m + (1 - b1) g``, ``v <- b2 v + (1 - b2) g^2``,
    ``p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        betas: b1 and b2.
        eps: what keeps the quotient finite.
        weight_decay: lambda; ``lambda p`` is added to g.
        amsgrad: divide by the largest v so far.
        maximize: go up instead of down.
        decoupled_weight_decay: shrink p by ``lr lambda p`` instead, as :class:`AdamW` does.

    Raises:
        ValueError: a negative option, or a beta outside [0, 1).

    Source: D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([ 0.9, -199.9], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, options)

    first, largest = Rule(adam, adam_all), Rule(amsgrad, amsgrad_all)

    def rule(self, group: Group) -> Rule:
        return self.largest if group["amsgrad"] else self.first

    def memory(self, group: Group) -> Mapping[str, float]:
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * bool(group["amsgrad"])
        return dict.fromkeys(names, 0.0)

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        """Count a step, and return what both corrections of the bias leave.

        ``lr (m / c1) / (sqrt(v / c2) + eps) = (lr sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2))``
        with c1 = 1 - b1^t, c2 = 1 - b2^t, which saves a pass over the arrays.
        """
        given, step = group.numbers, clock["step"]
        lr, (b1, b2), decay = given["lr"], given["betas"], given["weight_decay"]
        np.add(step, 1, out=step)
        root = np.sqrt(1 - b2**step)
        apart = group["decoupled_weight_decay"]
        return (
            lr * root / (1 - b1**step), given["eps"] * root, 1 - b1, b2, 1 - b2,
            0.0 if apart else decay, 1 - lr * decay if apart else 1.0, group["maximize"],
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay shrinks p by ``lr lambda p``, apart from the gradient.

    Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2019.

    >>> from autograd_core import nn, optim
    >>> optim.AdamW([nn.Parameter([1.0])]).param_groups[0]["weight_decay"]
    0.01
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize,
            decoupled_weight_decay=True,
        )  # fmt: skip
