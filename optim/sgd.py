"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group, gradients
from .optimizer import Params
from .rule import Rule

__all__ = ["SGD"]

MANY = 1 << 16  # elements: two passes over them take longer than a loop


@loop
def descend(p: Any, g: Any, lr: Any, decay: Any, ascend: bool) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    return (p - lr * g,)


@loop
def descend_all(p: Any, g: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i] = descend(p[i], g[i], *numbers)[0]


@loop
def roll(
    p: Any, g: Any, v: Any, lr: Any, mu: Any, kept: Any, taken: Any, decay: Any, nesterov: bool, ascend: bool
) -> Any:
    if ascend:
        g = -g
    if decay:
        g = g + decay * p
    v = kept * v + (taken * g if taken != 1 else g)
    return p - lr * (g + mu * v if nesterov else v), v


@loop
def roll_all(p: Any, g: Any, v: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], v[i] = roll(p[i], g[i], v[i], *numbers)


class SGD(Elementwise):
    """Stochastic gradient descent: ``p <- p - lr g``, with momentum ``v <- mu v + (1 - d) g``.

    With momentum mu the step is ``lr v`` (v = g at first); Nesterov's form steps by
    ``lr (g + mu v)``. Weight decay adds ``lambda p`` to g.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        momentum: mu.
        dampening: d.
        weight_decay: lambda, the strength of an L2 penalty.
        nesterov: whether to take Nesterov's form; it needs a momentum and no dampening.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or nesterov without momentum.

    Source: I. Sutskever and others, "On the importance of initialization and momentum in deep
    learning", 2013; the order of operations is PyTorch's.

    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, 2.0])
    >>> optimizer = optim.SGD([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy()
    array([0., 0.], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(message(
                "SGD", f"nesterov with momentum={group['momentum']}, dampening="
                f"{group['dampening']}", "a momentum above 0 and no dampening"))  # fmt: skip

    plain, rolling = Rule(descend, descend_all), Rule(roll, roll_all)

    def rule(self, group: Group) -> Rule:
        return self.rolling if group["momentum"] else self.plain

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given = group.numbers
        lr, decay = given["lr"], given["weight_decay"]
        if not group["momentum"]:
            return lr, decay, group["maximize"]
        later = np.minimum(clock["step"], 1)  # in the first step v = g
        np.add(clock["step"], 1, out=clock["step"])
        mu = given["momentum"]
        return (
            lr, mu, mu * later, 1 - given["dampening"] * later, decay, group["nesterov"], group["maximize"]
        )  # fmt: skip

    def update(self, group: Group) -> None:
        if group["momentum"] or group["weight_decay"]:
            super().update(group)
            return
        lr, dtype = group.numbers["lr"], None
        if group["maximize"]:
            lr = -lr
        for p, g in zip(group["params"], gradients(group["params"]), strict=True):
            if g is None:
                continue
            data = p.writable("step")
            if data.dtype is not dtype:
                dtype = data.dtype
                rate = lr.astype(dtype)
            if data.size < MANY or not data.flags.c_contiguous:
                data -= g * rate  # in a small network a step may take no more than this
            else:
                self.plain([data.reshape(-1), g.reshape(-1)], (rate, 0.0, False))
