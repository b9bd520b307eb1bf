"""RMSprop: the gradient in units of its recent size."""

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

__all__ = ["RMSprop"]


@loop
def plain(
    p: Any, g: Any, v: Any, lr: Any, eps: Any, alpha: Any, rest: Any, mu: Any, decay: Any, ascend: bool
) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    v = alpha * v + rest * (g * g)
    return p - lr * (g / (np.sqrt(v) + eps)), v


@loop
def rolling(
    p: Any, g: Any, v: Any, b: Any, lr: Any, eps: Any, alpha: Any, rest: Any, mu: Any, decay: Any,
    ascend: bool,
) -> Any:  # fmt: skip
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    v = alpha * v + rest * (g * g)
    b = mu * b + g / (np.sqrt(v) + eps)
    return p - lr * b, v, b


@loop
def centred(
    p: Any, g: Any, v: Any, m: Any, lr: Any, eps: Any, alpha: Any, rest: Any, mu: Any, decay: Any,
    ascend: bool,
) -> Any:  # fmt: skip
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    v = alpha * v + rest * (g * g)
    m = m + rest * (g - m)
    return p - lr * (g / (np.sqrt(v - m * m) + eps)), v, m


@loop
def centred_rolling(
    p: Any, g: Any, v: Any, m: Any, b: Any, lr: Any, eps: Any, alpha: Any, rest: Any, mu: Any, decay: Any,
    ascend: bool,
) -> Any:  # fmt: skip
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    v = alpha * v + rest * (g * g)
    m = m + rest * (g - m)
    b = mu * b + g / (np.sqrt(v - m * m) + eps)
    return p - lr * b, v, m, b


@loop
def plain_all(p: Any, g: Any, v: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i] = plain(p[i], g[i], v[i], *numbers)


@loop
def rolling_all(p: Any, g: Any, v: Any, b: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i], b[i] = rolling(p[i], g[i], v[i], b[i], *numbers)


@loop
def centred_all(p: Any, g: Any, v: Any, m: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i], m[i] = centred(p[i], g[i], v[i], m[i], *numbers)


@loop
def centred_rolling_all(p: Any, g: Any, v: Any, m: Any, b: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i], m[i], b[i] = centred_rolling(p[i], g[i], v[i], m[i], b[i], *numbers)


class RMSprop(Elementwise):
    """RMSprop: the gradient over the root of the running mean of its square.

    ``v <- alpha v + (1 - alpha) g^2``, ``p <- p - lr g / (sqrt(v) + eps)``. Centred, the root is of
    the variance ``v - m^2``, where m is the running mean of g. With a momentum mu the step is
    ``lr b``, where ``b <- mu b + g / (sqrt(v) + eps)``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        alpha: how much of the means is kept in a step.
        eps: what keeps the quotient finite.
        weight_decay: lambda; ``lambda p`` is added to g.
        momentum: mu.
        centered: whether to divide by the deviation from the mean gradient.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or alpha above 1.

    Source: T. Hinton, "Neural networks for machine learning", lecture 6e, 2012; centred:
    A. Graves, "Generating sequences with recurrent neural networks", 2013.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([ 0.9, -199.9], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum,
            "centered": centered, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        if not 0 <= group["alpha"] <= 1:
            raise ValueError(message("RMSprop", f"alpha={group['alpha']}", "a number from 0 to 1"))

    about_zero = Rule(plain, plain_all), Rule(rolling, rolling_all)
    about_mean = Rule(centred, centred_all), Rule(centred_rolling, centred_rolling_all)

    def rule(self, group: Group) -> Rule:
        rules = self.about_mean if group["centered"] else self.about_zero
        return rules[group["momentum"] > 0]

    def memory(self, group: Group) -> Mapping[str, float]:
        names = ["square_avg"] + ["grad_avg"] * bool(group["centered"])
        return dict.fromkeys(names + ["momentum_buffer"] * bool(group["momentum"]), 0.0)

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given, alpha = group.numbers, group.numbers["alpha"]
        np.add(clock["step"], 1, out=clock["step"])
        return (
            given["lr"], given["eps"], alpha, 1 - alpha, given["momentum"], given["weight_decay"],
            group["maximize"],
        )  # fmt: skip
