"""RAdam: Adam that waits until it knows the size of the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.kernels.twins import loop

from .elementwise import Elementwise
from .groups import Group
from .optimizer import Params
from .rule import Rule

__all__ = ["RAdam"]


@loop
def radam(
    p: Any, g: Any, m: Any, v: Any, rate: Any, known: Any, eps: Any, a1: Any, b2: Any, a2: Any, decay: Any,
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
    return p - rate * (m / (np.sqrt(v) + eps) if known else m), m, v


@loop
def radam_all(p: Any, g: Any, m: Any, v: Any, numbers: Any) -> None:
    for i in range(p.size):
        p[i], m[i], v[i] = radam(p[i], g[i], m[i], v[i], *numbers)


class RAdam(Elementwise):
    """Rectified Adam: the variance of Adam's first steps is large, so they are made smaller.

    With ``n = 2 / (1 - b2) - 1`` and ``n_t = n - 2 t b2^t / (1 - b2^t)``, how many gradients v is a mean of:
    if n_t > 5 ``p <- p - lr r m / (1 - b1^t) sqrt(1 - b2^t) / (sqrt(v) + eps)``, where
    ``r^2 = (n_t - 4) (n_t - 2) n / ((n - 4) (n - 2) n_t)``; before that, ``p <- p - lr m / (1 - b1^t)``.

    Args:
        params: the parameters, or groups of them.
        lr: the learning rate.
        betas: b1 and b2.
        eps: what keeps the quotient finite.
        weight_decay: lambda; ``lambda p`` is added to g.
        decoupled_weight_decay: shrink p by ``lr lambda p`` instead, as :class:`AdamW` does.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, or a beta outside [0, 1).

    Source: L. Liu and others, "On the variance of the adaptive learning rate and beyond", 2020; where eps
    stands is PyTorch's.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -200.0])
    >>> optimizer = optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # as gradient descent would, at first
    >>> w.numpy().round(3)
    array([   0.8, -160. ], dtype=float32)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    update_rule = Rule(radam, radam_all)

    def rule(self, group: Group) -> Rule:
        return self.update_rule

    def memory(self, group: Group) -> Mapping[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def numbers(self, group: Group, clock: Mapping[str, Any]) -> tuple[Any, ...]:
        given, step = group.numbers, clock["step"]
        lr, (b1, b2), decay = given["lr"], given["betas"], given["weight_decay"]
        np.add(step, 1, out=step)
        left = 1 - b2**step
        most = 2 / (1 - b2) - 1
        count = most - 2 * step * b2**step / left
        known = count > 5
        n, most = np.maximum(count, 5), np.maximum(most, 5)  # what has a root, also where it is not used
        r = np.sqrt((n - 4) * (n - 2) * most / ((most - 4) * (most - 2) * n))
        apart = group["decoupled_weight_decay"]
        return (
            lr / (1 - b1**step) * np.where(known, r * np.sqrt(left), 1.0), known, given["eps"], 1 - b1, b2,
            1 - b2, 0.0 if apart else decay, 1 - lr * decay if apart else 1.0, group["maximize"],
        )  # fmt: skip
