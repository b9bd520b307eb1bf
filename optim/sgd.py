"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip

from .optimizer import Group, Optimizer, Params

__all__ = ["SGD"]


class SGD(Optimizer):
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

    def update(self, group: Group) -> None:
        lr = group["lr"] if group["maximize"] else -group["lr"]
        plain = not group["momentum"] and not group["weight_decay"]
        dtype = None
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            if type(g) is not ndarray:  # of a backward that made a graph
                g = strip(g)
            data = p.writable("step")
            if data.dtype is not dtype:
                dtype = data.dtype
                rate = np.array(lr, dtype)  # a number is converted at each call, for 0.2 us
            if plain:
                data += g * rate
            else:
                s = self.scratch(p, 1)[0]
                data += np.multiply(self.direction(p, data, g, s, group), rate, out=s)

    def direction(self, p: Any, data: Any, g: Any, s: Any, group: Group) -> Any:
        """Return the step's direction; ``s`` is memory that it may be written to."""
        mu, decay, ascend = group["momentum"], group["weight_decay"], group["maximize"]
        if decay:  # when maximizing, the gradient of the penalty counts the other way
            np.multiply(data, -decay if ascend else decay, out=s)
            g = np.add(g, s, out=s)
        if not mu:
            return g
        state = self.state.get(p)
        if state is None:
            v = np.array(g)
            self.state[p] = {"momentum_buffer": v}
        else:
            v = state["momentum_buffer"]
            np.multiply(v, mu, out=v)
            if group["dampening"]:
                g = np.multiply(g, 1 - group["dampening"], out=s)
            np.add(v, g, out=v)
        if not group["nesterov"]:
            return v
        if g is s:  # both memories are taken
            return g + v * mu
        np.multiply(v, mu, out=s)
        return np.add(g, s, out=s)
