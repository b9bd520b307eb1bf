"""Adam: steps in units of the gradient's own size."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.kernels import threads

from .optimizer import Group, Optimizer, Params, gradient

__all__ = ["Adam", "AdamW"]

LARGE, PIECE = 1 << 18, 1 << 17  # elements: smaller pieces wait for each other at the interpreter's lock


def in_pieces(move: Callable[..., Any], arrays: list[Any]) -> None:
    """Call ``move(s, r, *pieces)`` for all pieces of arrays in C order, in several threads.

    Fifteen passes over what is larger than the cache take three times as long.
    """
    flat = [a.reshape(-1) for a in arrays]

    def part(first: int, last: int) -> None:
        s, r = (np.empty(PIECE, flat[0].dtype) for _ in range(2))
        for start in range(first * PIECE, last * PIECE, PIECE):
            pieces = [a[start : start + PIECE] for a in flat]
            n = pieces[0].size
            move(s[:n], r[:n], *pieces)

    threads.split(part, -(-flat[0].size // PIECE), least=4)


class Adam(Optimizer):
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

    def check(self, group: Group) -> None:
        super().check(group)
        if not all(0 <= b < 1 for b in group["betas"]):
            raise ValueError(message(type(self).__name__, f"betas={group['betas']}",
                                     "numbers from 0 to below 1"))  # fmt: skip

    def update(self, group: Group) -> None:
        for p in group["params"]:
            g = gradient(p)
            if g is None:
                continue
            state = self.state.get(p)
            if state is None:
                state = self.state[p] = self.first(p, group)
            rate, floor = self.rates(state["step"], group, p.dtype)
            arrays = [p.writable("step"), g, *[v for k, v in state.items() if k != "step"]]
            if p.size < LARGE or not all(a.flags.c_contiguous for a in arrays):
                self.move(group, rate, floor, *self.scratch(p, 2), *arrays)
            else:
                in_pieces(partial(self.move, group, rate, floor), arrays)

    def move(
        self, group: Group, rate: Any, floor: Any, s: Any, r: Any, p: Any, g: Any, m: Any, v: Any,
        top: Any = None,
    ) -> None:  # fmt: skip
        """Move p, and its moments m and v (their largest, top), by g; s and r are memory to write to."""
        b1, b2 = group["betas"]
        g = self.decayed(p, g, s, group)
        np.multiply(m, b1, out=m)
        np.multiply(g, 1 - b1, out=r)
        np.add(m, r, out=m)
        np.multiply(v, b2, out=v)
        np.multiply(g, g, out=r)
        np.multiply(r, 1 - b2, out=r)
        np.add(v, r, out=v)
        if top is not None:
            v = np.maximum(top, v, out=top)
        np.sqrt(v, out=s)
        np.add(s, floor, out=s)
        np.divide(m, s, out=s)
        np.multiply(s, rate, out=s)
        np.subtract(p, s, out=p)

    def first(self, p: Any, group: Group) -> dict[str, Any]:
        """Return what is remembered of a parameter before its first step."""
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * bool(group["amsgrad"])
        return {"step": np.zeros(())} | {name: np.zeros(p.shape, p.dtype) for name in names}

    def decayed(self, p: Any, g: Any, s: Any, group: Group) -> Any:
        """Apply weight decay and the sign; ``s`` is memory that it may be written to."""
        decay = group["weight_decay"]
        if group["maximize"]:
            g = np.negative(g, out=s)
        if decay and group["decoupled_weight_decay"]:
            np.multiply(p, 1 - group["lr"] * decay, out=p)
        elif decay:
            g = g + p * decay
        return g

    def rates(self, step: Any, group: Group, dtype: Any) -> tuple[Any, Any]:
        """Count a step, and return the step size and the floor of the root, both bias-corrected.

        ``lr (m / c1) / (sqrt(v / c2) + eps) = (lr sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2))``
        with c1 = 1 - b1^t, c2 = 1 - b2^t, which saves a pass over the arrays.
        """
        b1, b2 = group["betas"]
        np.add(step, 1, out=step)
        root = np.sqrt(1 - np.power(b2, step))
        rate = group["lr"] * root / (1 - np.power(b1, step))
        return rate.astype(dtype), (group["eps"] * root).astype(dtype)


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
