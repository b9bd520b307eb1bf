"""Adafactor: for a matrix it remembers the mean squares of the rows and of the columns alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .arraywise import Arraywise
from .groups import Group
from .optimizer import Params

__all__ = ["Adafactor"]


class Adafactor(Arraywise):
    """Adafactor: Adam's quotient without its memory: m + n numbers for a matrix of m x n.

    With ``b = 1 - t^tau``, r and c the running means (b of the old kept) of g^2 over the columns and rows,
    ``V = r c / mean(r)`` (for vectors, V is the running mean of g^2) and ``U = g / sqrt(max(V, eps1^2))``:
    ``p <- p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) U / max(1, rms(U) / d)``.

    Args:
        params: the parameters, or groups of them. Of an array of more than two dimensions, the last two
            are the matrices.
        lr: the largest step, relative to the size of p.
        beta2_decay: tau.
        eps: (eps1, eps2); eps1 None is the distance of 1 from the next number of p's dtype.
        d: updates of a larger root mean square are scaled down to it.
        weight_decay: lambda; p is shrunk by ``lr lambda p``.
        maximize: go up instead of down.

    Raises:
        ValueError: a negative option, beta2_decay above 0, or d below 1.

    Source: N. Shazeer and M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018;
    what lr means is PyTorch's.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter(np.ones((300, 200)))
    >>> optimizer = optim.Adafactor([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> float(w.numpy()[0, 0]), sum(a.size for a in optimizer.state[w].values())
    (0.99, 501)
    """

    amounts = ("lr", "weight_decay")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        eps1, eps2 = group["eps"]
        for wrong, name, expected in (
            (not (eps1 is None or eps1 >= 0) or not eps2 >= 0, "eps", "(None or eps1, eps2), not negative"),
            (not group["beta2_decay"] <= 0, "beta2_decay", "a number of at most 0"),
            (not group["d"] >= 1, "d", "a number of at least 1"),
        ):
            if wrong:
                raise ValueError(message("Adafactor", f"{name}={group[name]}", expected))

    def shapes(self, shape: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
        if len(shape) < 2:
            return {"step": (), "variance": shape}
        return {"step": (), "row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}

    def change(
        self, group: Group, p: ndarray[Any, Any], g: ndarray[Any, Any], memory: list[ndarray[Any, Any]]
    ) -> None:
        given, dtype = group.numbers, p.dtype
        lr, tau, d, decay = (given[name] for name in ("lr", "beta2_decay", "d", "weight_decay"))
        eps1, eps2 = given.get("eps", group["eps"])
        step, *means = memory
        np.add(step, 1, out=step)
        rate = np.maximum(eps2, rms(p)) * np.minimum(lr, 1 / np.sqrt(step))
        p *= (1 - lr * decay).astype(dtype)
        squares = g * g
        for mean, axis in zip(means, (-1, -2), strict=False):
            now = squares if p.ndim < 2 else squares.mean(axis, keepdims=True)
            mean += (step**tau).astype(dtype) * (now - mean)
        least = np.finfo(dtype).eps if eps1 is None else eps1.astype(dtype)
        if p.ndim < 2:
            (v,) = means
        else:
            row, column = means
            v = row / np.maximum(row.mean(-2, keepdims=True), least) * column
        u = g / np.sqrt(np.maximum(v, least * least))
        rate = rate / np.maximum(1, rms(u) / d)
        p -= (-rate if group["maximize"] else rate).astype(dtype) * u


def rms(x: Any) -> Any:
    """Return the root mean square of an array as a number of float64."""
    return np.sqrt(np.vdot(x, x) / max(x.size, 1), dtype=np.float64)
