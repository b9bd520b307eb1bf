"""Orthogonal weights: a matrix whose rows or columns are orthonormal, whatever the optimizer does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import ops, random
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip

from ..module import Module
from .parametrize import checked_parameter, register_parametrization

__all__ = ["orthogonal"]

MAPS = ("matrix_exp", "cayley", "householder")


def _orthonormal(q: Any) -> Any:
    """Return the nearest thing to q by QR, with a positive diagonal of R: itself where it is orthonormal."""
    q, r = np.linalg.qr(q)
    return q * np.sign(np.diagonal(r, axis1=-2, axis2=-1) + 0.0)[..., np.newaxis, :]


def _tall(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2) if x.shape[-2] < x.shape[-1] else x


class _Orthogonal(Module):
    """An orthogonal matrix as a function of any matrix."""

    base: ndarray[Any, Any] | None

    def __init__(self, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.orthogonal_map, self.use_trivialization = orthogonal_map, use_trivialization
        self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        shape, x = x.shape, _tall(x)
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            q = _reflected(x, n, k)
        else:
            lower = ops.tril(x)
            if n > k:
                lower = ops.concatenate([lower, np.zeros((*x.shape[:-1], n - k), x.dtype)], axis=-1)
            a = lower - ops.swapaxes(lower, -1, -2)
            if self.orthogonal_map == "matrix_exp":
                q = ops.expm(a)
            else:
                one = np.eye(n, dtype=x.dtype)
                q = ops.solve(one - a * 0.5, one + a * 0.5)
            q = q[..., :k]
        if self.base is not None:
            q = ops.matmul(self.base, q)
        return ops.swapaxes(q, -1, -2) if shape[-2] < shape[-1] else q

    def right_inverse(self, value: Any) -> Any:
        tall = np.asarray(_tall(strip(value)))
        n, k = tall.shape[-2:]
        minus = np.zeros(tall.shape, tall.dtype)
        minus[..., range(k), range(k)] = -1  # the reflections' signs; the other maps do not see a diagonal
        if self.use_trivialization:
            more = random.generator().standard_normal((*tall.shape[:-1], n - k)).astype(tall.dtype)
            self.base = _orthonormal(np.concatenate([tall, more], axis=-1))
            original = minus
        elif self.orthogonal_map == "householder":
            h, tau = np.linalg.qr(tall, mode="raw")
            original = np.swapaxes(h, -1, -2).copy()
            signs = np.sign(np.diagonal(original, axis1=-2, axis2=-1))
            original[..., range(k), range(k)] = np.where(tau == 0, -signs, signs)
        else:
            raise NotImplementedError(message(
                "orthogonal", f"{self.orthogonal_map!r} without trivialization, and a value to start from",
                "a map with an inverse", "use_trivialization=True"))  # fmt: skip
        return np.swapaxes(original, -1, -2) if np.shape(value)[-2] < np.shape(value)[-1] else original


def _reflected(x: Any, n: int, k: int) -> Any:
    """Return the first k columns of the product of the reflections I - tau v v^T, v the columns below 1."""
    below = ops.tril(x, -1)
    signs = np.trunc(np.diagonal(as_array(strip(x)), axis1=-2, axis2=-1))[..., np.newaxis, :]
    v = below + np.eye(n, k, dtype=x.dtype)
    tau = 2 / ops.sum(v * v, axis=-2)
    q: Any = np.eye(n, k, dtype=x.dtype)
    for i in reversed(range(k)):
        u = v[..., i : i + 1]
        q = q - tau[..., i : i + 1, np.newaxis] * ops.matmul(u, ops.matmul(ops.swapaxes(u, -1, -2), q))
    return q * signs


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True,
) -> Module:  # fmt: skip
    """Let a weight be orthogonal: ``Q^T Q = I`` where it is tall, ``Q Q^T = I`` where it is wide.

    With A skew-symmetric from the lower triangle of the original, ``"matrix_exp"`` is e^A, ``"cayley"`` is
    (I - A/2)^-1 (I + A/2), and ``"householder"`` a product of reflections by the columns of the original.
    [Lezcano-Casado, Trivializations for Gradient-Based Optimization on Manifolds, 2019]

    Args:
        module: it is changed in place.
        name: of the parameter, of two axes or more.
        orthogonal_map: one of these names; None: ``"matrix_exp"`` for square weights, else ``"householder"``.
        use_trivialization: Q is multiplied by a constant ``base``, so that the layer starts from the weight
            that it has, made orthogonal.

    Returns:
        the module.

    Raises:
        ValueError: no such parameter, one with a single axis, or an unknown map.
        NotImplementedError: matrix_exp or cayley of a layer that exists, without trivialization.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(4, 2))
    >>> q = layer.weight.numpy()
    >>> np.abs(q @ q.T - np.eye(2)).max() < 1e-6
    np.True_
    """
    weight = checked_parameter("orthogonal", module, name)
    if weight.ndim < 2:
        raise ValueError(message("orthogonal", f"a parameter of shape {weight.shape}", "two axes or more"))
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(message("orthogonal", repr(orthogonal_map), f"one of {MAPS}"))
    made = _Orthogonal(orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
