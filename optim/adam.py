"""Adam: steps in units of the gradient's own size."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message

from .optimizer import Group, Optimizer, Params, gradient

__all__ = ["Adam", "AdamW"]


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
        b1, b2 = group["betas"]
        for p in group["params"]:
            g = gradient(p)
            if g is None:
                continue
            s, r = self.scratch(p, 2)
            g = self.decayed(p, g, s, group)
            state = self.state.get(p)
            if state is None:
                state = self.state[p] = self.first(p, group)
            m, v = state["exp_avg"], state["exp_avg_sq"]
            np.multiply(m, b1, out=m)
            np.multiply(g, 1 - b1, out=r)
            np.add(m, r, out=m)
            np.multiply(v, b2, out=v)
            np.multiply(g, g, out=r)
            np.multiply(r, 1 - b2, out=r)
            np.add(v, r, out=v)
            if group["amsgrad"]:
                v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
            rate, floor = self.rates(state["step"], group, p.dtype)
            np.sqrt(v, out=s)
            np.add(s, floor, out=s)
            np.divide(m, s, out=s)
            np.multiply(s, rate, out=s)
            data = p.writable("step")
            np.subtract(data, s, out=data)

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
            data = p.writable("step")
            np.multiply(data, 1 - group["lr"] * decay, out=data)
        elif decay:
            g = g + p.data * decay
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
