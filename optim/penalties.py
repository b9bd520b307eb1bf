"""Penalties on parameters, to add to a loss; exact zeros; and which parameters decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

__all__ = ["decay_groups", "elastic_net", "l1", "l2", "lp", "soft_threshold_"]

Parameters = Tensor | Iterable[Tensor]


def l1(parameters: Parameters) -> Tensor:
    """Return the sum of absolute values, ``sum |w|``; its gradient is sign(w), 0 at 0.

    With it the least important weights go to zero, about which gradient steps then swing by the rate;
    :func:`soft_threshold_` makes them zero.

    Args:
        parameters: as ``model.parameters()`` gives them, or one.

    Returns:
        a Tensor without axes, to add to a loss, times a strength.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([3.0, -4.0])
    >>> loss = 0.5 * optim.l1([w])
    >>> loss.backward()
    >>> loss.item(), w.grad
    (3.5, array([ 0.5, -0.5], dtype=float32))
    """
    return _total("l1", parameters, np.abs)


def l2(parameters: Parameters) -> Tensor:
    """Return the sum of squares, ``sum w^2``; its gradient is 2 w.

    ``weight_decay=s`` of an optimizer is the gradient of ``s / 2`` times this, without the cost of a graph.

    Args:
        parameters: as ``model.parameters()`` gives them, or one.

    >>> from autograd_core import nn, optim
    >>> optim.l2(nn.Parameter([3.0, -4.0])).item()
    25.0
    """
    return _total("l2", parameters, np.square)


def lp(parameters: Parameters, p: float, eps: float = 1e-3) -> Tensor:
    """Return ``sum (w^2 + eps^2)^(p/2) - eps^p``, which is ``sum |w|^p`` but smooth at 0.

    For p <= 1 it makes sparse, and the more so the smaller p, since its slope grows towards 0. The gradient
    is ``p w (w^2 + eps^2)^(p/2 - 1)``, thus 0 at 0, and for p < 1 at most about ``p eps^(p - 1)``: a
    smaller eps follows ``|w|^p`` closer and asks for smaller steps.

    Args:
        parameters: as ``model.parameters()`` gives them, or one.
        p: the power, above 0; from 2 on eps plays no part.
        eps: the size of a weight below which it counts as about 0.

    Raises:
        ValueError: p or eps is not above 0.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([4.0, 0.0])
    >>> loss = optim.lp([w], p=0.5, eps=1e-6)
    >>> loss.backward()
    >>> round(loss.item(), 2), w.grad
    (2.0, array([0.25, 0.  ], dtype=float32))
    """
    if not 0 < p < np.inf or not eps > 0:
        raise ValueError(message("lp", f"p={p}, eps={eps}", "numbers above 0"))
    if p >= 2:
        return _total("lp", parameters, lambda w: np.abs(w) ** p)
    floor = eps**p
    return _total("lp", parameters, lambda w: (w * w + eps * eps) ** (p / 2) - floor)


def elastic_net(parameters: Parameters, alpha: float = 1.0, l1_ratio: float = 0.5) -> Tensor:
    """Return ``alpha (l1_ratio sum |w| + (1 - l1_ratio) / 2 sum w^2)``, as scikit-learn has it.

    Args:
        parameters: as ``model.parameters()`` gives them, or one.
        alpha: the strength.
        l1_ratio: the share of the absolute values, from 0 to 1.

    Source: H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", 2005.

    >>> from autograd_core import nn, optim
    >>> optim.elastic_net(nn.Parameter([3.0, -4.0]), l1_ratio=0.5).item()
    9.75
    """
    if not (alpha >= 0 and 0 <= l1_ratio <= 1):
        raise ValueError(message("elastic_net", f"alpha={alpha}, l1_ratio={l1_ratio}",
                                 "alpha from 0, l1_ratio from 0 to 1"))  # fmt: skip
    first, second = alpha * l1_ratio, alpha * (1 - l1_ratio) / 2
    return _total("elastic_net", parameters, lambda w: first * np.abs(w) + second * (w * w))


def soft_threshold_(parameters: Parameters, amount: float) -> None:
    """Bring every weight nearer to 0 by ``amount``, and to 0 what is nearer, in place.

    ``w <- sign(w) max(|w| - amount, 0)`` minimises ``amount |w'| + (w' - w)^2 / 2``. Called after each step
    of gradient descent on a loss, with ``amount = lr * strength``, it minimises the loss plus
    ``strength * l1``, with weights that are exactly 0 (the method ISTA).

    Args:
        parameters: those that shall be sparse; frozen ones stay.
        amount: by how much, from 0.

    Source: I. Daubechies, M. Defrise and C. De Mol, "An iterative thresholding algorithm for linear inverse
    problems with a sparsity constraint", 2004.

    >>> from autograd_core import nn, optim
    >>> w = nn.Parameter([1.0, -0.25, 0.0625])
    >>> optim.soft_threshold_([w], 0.125)
    >>> w.numpy()
    array([ 0.875, -0.125,  0.   ], dtype=float32)
    """
    _check_amount(amount)
    with no_grad():
        for p in listed("soft_threshold_", parameters):
            if p.requires_grad:
                w = p.writable("soft_threshold_")
                w -= np.clip(w, -amount, amount)


@kernel  # so that a replayed step looks at it too
def _check_amount(amount: Any) -> None:
    if not amount >= 0:
        raise ValueError(message("soft_threshold_", f"amount={amount}", "a number from 0"))


def decay_groups(
    model: Any, weight_decay: float = 0.01, *, no_decay: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return two groups for an optimizer: parameters that decay, and those that do not.

    What multiplies inputs decays. Biases, the weights and biases of normalizations (of modules whose class
    has "Norm" in its name) and whatever has less than two axes do not: to shrink them limits what the
    network can shift and scale, without making it simpler.

    Args:
        model: a module.
        weight_decay: of the first group.
        no_decay: parts of names of further parameters that shall not decay, as ``["embedding"]``.

    Returns:
        ``[{"params": ..., "weight_decay": weight_decay}, {"params": ..., "weight_decay": 0.0}]``, without a
        group that would be empty.

    >>> from autograd_core import nn, optim
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))
    >>> optimizer = optim.AdamW(optim.decay_groups(model, weight_decay=0.1), lr=1e-3)
    >>> [[p.shape for p in group["params"]] for group in optimizer.param_groups]
    [[(8, 4), (2, 8)], [(8,), (8,), (8,), (2,)]]
    """
    if not hasattr(model, "named_parameters"):
        raise TypeError(message("decay_groups", f"a {type(model).__name__}", "a module",
                                "the model itself, not its parameters"))  # fmt: skip
    if isinstance(no_decay, str):
        raise TypeError(message("decay_groups", f"no_decay={no_decay!r}", "a list of parts of names",
                                f"[{no_decay!r}]"))  # fmt: skip
    parts = tuple(no_decay)
    names = [name for name, _ in model.named_parameters()]
    for part in parts:
        if not any(part in name for name in names):
            raise ValueError(message("decay_groups", f"no_decay={part!r}", "a part of a parameter's name",
                                     f"one of {', '.join(names)}"))  # fmt: skip
    norms = {
        id(p)
        for _, module in model.named_modules() if "Norm" in type(module).__name__
        for p in module.parameters(recurse=False)
    }  # fmt: skip
    decayed: list[Tensor] = []
    kept: list[Tensor] = []
    for name, p in model.named_parameters():
        bias = name.rpartition(".")[2].startswith("bias")
        still = p.ndim < 2 or bias or id(p) in norms or any(part in name for part in parts)
        (kept if still else decayed).append(p)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def listed(who: str, parameters: Any) -> list[Tensor]:
    """Return parameters as a list; a module, or something else than parameters, is a TypeError."""
    if hasattr(parameters, "parameters"):
        raise TypeError(message(who, f"a {type(parameters).__name__}", "parameters", "model.parameters()"))
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in given:
        if not isinstance(p, Tensor):
            raise TypeError(message(who, f"a {type(p).__name__}", "parameters"))
    return given


def _total(who: str, parameters: Any, penalty: Any) -> Tensor:
    """Return the sum of a penalty over all numbers of all parameters."""
    given = listed(who, parameters)
    if not given:
        raise ValueError(message(who, "no parameters", "at least one",
                                 "model.parameters() anew, as an iterator serves once"))  # fmt: skip
    total: Any = penalty(given[0]).sum()
    for p in given[1:]:
        total = total + penalty(p).sum()
    return total
