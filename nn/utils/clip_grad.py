"""Gradients that are too large, made smaller before a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Any:  # fmt: skip
    """Scale all gradients by one number, so that the norm of all of them together is at most ``max_norm``.

    ``g <- g min(1, max_norm / (|g| + 1e-6))``, with the norm over every element of every gradient. Call it
    between ``loss.backward()`` and ``optimizer.step()``. [Pascanu, Mikolov and Bengio, On the difficulty of
    training recurrent neural networks, 2013]

    Args:
        parameters: as ``model.parameters()`` gives them, or one; those without a gradient are passed over.
        max_norm: the largest norm.
        norm_type: p of the p-norm; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or undefined is an error; otherwise the gradients
            become undefined, as PyTorch's do.

    Returns:
        the norm before, a NumPy number.

    Raises:
        RuntimeError: the norm is not finite, with ``error_if_nonfinite``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> p = nn.Parameter(np.zeros(2, np.float32))
    >>> p.grad = np.array([3.0, 4.0], np.float32)
    >>> nn.utils.clip_grad_norm_([p], max_norm=1.0).item()
    5.0
    >>> p.grad.round(3)
    array([0.6, 0.8], dtype=float32)
    """
    learnt = _with_gradients("clip_grad_norm_", parameters)
    norms = [np.linalg.norm(np.ravel(p.grad), norm_type) for p in learnt]
    total = _joined(norm_type, *norms) if norms else np.float32(0)
    if error_if_nonfinite:
        _check_finite(total)
    with np.errstate(invalid="ignore"):
        scale = np.minimum(max_norm / (total.astype(np.float64) + 1e-6), 1.0)
        for p in learnt:
            p.grad = p.grad * scale.astype(p.grad.dtype)
    return total


@kernel
def _joined(norm_type: float, *norms: Any) -> Any:
    """Return the norm of norms."""
    return np.linalg.norm(np.array(norms, norms[0].dtype), norm_type)


@kernel  # so that a replayed step looks at its norm too
def _check_finite(total: Any) -> None:
    if not np.isfinite(total):
        raise RuntimeError(message("clip_grad_norm_", f"a norm of {total}", "a finite one",
                                   "ag.detect_anomaly(), to find where it arose"))  # fmt: skip


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every element of every gradient into [-clip_value, clip_value].

    Args:
        parameters: as ``model.parameters()`` gives them, or one; those without a gradient are passed over.
        clip_value: the largest absolute value.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> p = nn.Parameter(np.zeros(2, np.float32))
    >>> p.grad = np.array([3.0, -0.5], np.float32)
    >>> nn.utils.clip_grad_value_([p], 1.0)
    >>> p.grad
    array([ 1. , -0.5], dtype=float32)
    """
    for p in _with_gradients("clip_grad_value_", parameters):
        p.grad = np.clip(p.grad, -clip_value, clip_value)


def _with_gradients(who: str, parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    """Return the parameters that have a gradient."""
    alone = isinstance(parameters, Tensor) or not isinstance(parameters, Iterable)
    given: list[Any] = [parameters] if alone else list(parameters)
    for p in given:
        if not isinstance(p, Tensor):
            raise TypeError(message(who, f"a {type(p).__name__}", "parameters",
                                    "model.parameters()" if hasattr(p, "parameters") else ""))  # fmt: skip
    return [p for p in given if p.grad is not None]
