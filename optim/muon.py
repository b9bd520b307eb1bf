"""Muon: momentum whose singular values are made alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .arraywise import Arraywise
from .groups import Group
from .optimizer import Params

__all__ = ["Muon"]


class Muon(Arraywise):
    """Muon, for the matrices within a network: a step has every direction of the momentum alike.

    ``v <- mu v + (1 - mu) g``, ``p <- p - lr lambda p - s lr O(w)``, where ``w = mu v + (1 - mu) g`` in
    Nesterov's form, else v, and O brings the singular values of a matrix near to 1.

    Args:
        params: matrices, or groups of them; for biases, embeddings and the last layer take another optimizer.
        lr: the learning rate.
        weight_decay: lambda, apart from the gradient.
        momentum: mu.
        nesterov: whether to take Nesterov's form.
        ns_coefficients: the polynomial of the iteration, see :func:`orthogonalized`.
        eps: the least norm that a matrix is divided by.
        ns_steps: how many iterations.
        adjust_lr_fn: s for a matrix of m x n; ``"original"`` (or None): ``sqrt(max(1, m / n))``;
            ``"match_rms_adamw"``: ``0.2 sqrt(max(m, n))``, so that rates of :class:`AdamW` serve.

    Raises:
        ValueError: a negative option, a parameter that is no matrix, or an unknown ``adjust_lr_fn``.

    Source: K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024;
    J. Liu and others, "Muon is scalable for LLM training", 2025. PyTorch computes O in bfloat16, this in
    the dtype of p.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter(np.ones((3, 2)))
    >>> optimizer = optim.Muon([w], lr=0.1, weight_decay=0)
    >>> w.grad = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> optimizer.step()
    >>> np.linalg.svd(1 - w.numpy(), compute_uv=False).round(2)  # of 9.5 and 0.5
    array([0.1 , 0.09])
    """

    counts = ("ns_steps",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        options = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        for p in group["params"]:
            if p.ndim != 2:
                raise ValueError(message("Muon", f"a parameter of shape {p.shape}", "matrices",
                                         "another optimizer for the others"))  # fmt: skip
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(message("Muon", f"adjust_lr_fn={group['adjust_lr_fn']!r}",
                                     "'original' or 'match_rms_adamw'"))  # fmt: skip
        if len(group["ns_coefficients"]) != 3 or not 0 <= group["ns_steps"] < 100:
            raise ValueError(message(
                "Muon", f"ns_coefficients={group['ns_coefficients']}, ns_steps={group['ns_steps']}",
                "three coefficients, and fewer than 100 steps"))  # fmt: skip

    def shapes(self, shape: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
        return {"momentum_buffer": shape}

    def change(
        self, group: Group, p: ndarray[Any, Any], g: ndarray[Any, Any], memory: list[ndarray[Any, Any]]
    ) -> None:
        given, dtype, (v,), (m, n) = group.numbers, p.dtype, memory, p.shape
        lr, decay, mu = (given[name] for name in ("lr", "weight_decay", "momentum"))
        v += (1 - mu).astype(dtype) * (g - v)
        w = g + mu.astype(dtype) * (v - g) if group["nesterov"] else v
        match = group["adjust_lr_fn"] == "match_rms_adamw"
        scale = 0.2 * max(m, n) ** 0.5 if match else max(1, m / max(n, 1)) ** 0.5
        p *= (1 - lr * decay).astype(dtype)
        p -= (lr * scale).astype(dtype) * orthogonalized(
            w, given["ns_coefficients"], group["ns_steps"], given["eps"])  # fmt: skip


def orthogonalized(
    x: ndarray[Any, Any], coefficients: ndarray[Any, Any], steps: int, eps: ndarray[Any, Any]
) -> ndarray[Any, Any]:
    """Return the matrix x with singular values near to 1: ``x <- a x + b (x x') x + c (x x')^2 x``, repeated.

    The iteration acts on each singular value by itself, ``s <- a s + b s^3 + c s^5``, from values of
    at most 1. Muon's coefficients are steep at 0, and lead to between 0.7 and 1.2.
    """
    a, b, c = coefficients.astype(x.dtype)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / np.maximum(np.linalg.norm(x), eps.astype(x.dtype))
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.T if tall else x
