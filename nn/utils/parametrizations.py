"""Weights by direction and length, of spectral norm 1, or orthogonal: parametrizations for layers.

>>> from autograd_core import nn
>>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
>>> {name: value.shape for name, value in layer.state_dict().items()}
{'bias': (2,), 'parametrizations.weight.original0': (2, 1), 'parametrizations.weight.original1': (2, 3)}
"""

from __future__ import annotations

from typing import Any

from numpy import ndarray

from autograd_core import ops, random
from autograd_core.errors import message
from autograd_core.node import strip

from ..functional.neighbours import normalize
from ..module import Module
from .orthogonal import orthogonal as orthogonal
from .parametrize import checked_parameter, register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


# -- length and direction --------------------------------------------------------------------------


class _WeightNorm(Module):
    """g v / |v|: original0 is g, original1 is v."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = None if dim == -1 else dim  # as PyTorch's, -1 is the whole weight

    def _norm(self, v: Any) -> Any:
        if self.dim is None:
            return ops.vector_norm(v)
        axes = tuple(axis for axis in range(v.ndim) if axis != self.dim % v.ndim)
        return ops.vector_norm(v, axis=axes, keepdims=True) if axes else abs(v)

    def forward(self, g: Any, v: Any) -> Any:
        return v * (g / self._norm(v))

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return self._norm(weight), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight as length times direction: ``w = g v / |v|``.

    [Salimans and Kingma, Weight Normalization, 2016]

    Args:
        module: it is changed in place.
        name: of the parameter; ``parametrizations.<name>.original0`` becomes g, ``original1`` v.
        dim: the axis of which each place has a length of its own; None or -1: one for all.

    Returns:
        the module.

    Raises:
        ValueError: no such parameter, or no such axis.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    >>> layer.parametrizations.weight.original0.data[...] = [[1.0], [2.0]]
    >>> np.linalg.norm(layer.weight.numpy(), axis=1)
    array([1., 2.], dtype=float32)
    """
    weight = checked_parameter("weight_norm", module, name)
    if dim is not None and not -weight.ndim <= dim < weight.ndim:
        raise ValueError(message("weight_norm", f"dim={dim}",
                                 f"an axis of a parameter of shape {weight.shape}"))  # fmt: skip
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


# -- spectral norm ---------------------------------------------------------------------------------


class _SpectralNorm(Module):
    """W / sigma(W), where sigma = u . W v with u and v from the power method."""

    _u: ndarray[Any, Any]
    _v: ndarray[Any, Any]

    def __init__(self, weight: Any, n_power_iterations: int, eps: float, dim: int) -> None:
        super().__init__()
        self.n_power_iterations, self.eps, self.dim = n_power_iterations, eps, dim
        if weight.ndim > 1:
            matrix = self._matrix(weight)
            for name, n in zip(("_u", "_v"), matrix.shape, strict=True):
                drawn = random.generator().standard_normal(n).astype(weight.dtype)
                self.register_buffer(name, self._unit(drawn))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        front = ops.moveaxis(weight, self.dim, 0)
        return ops.reshape(front, (front.shape[0], -1))

    def _unit(self, x: Any) -> Any:
        return normalize(x, dim=0, eps=self.eps)

    def _iterate(self, matrix: Any, n: int) -> None:
        u, v = self._u, self._v
        for _ in range(n):
            u = self._unit(matrix @ v)
            v = self._unit(matrix.T @ u)
        self._u, self._v = u, v

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return self._unit(weight)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(strip(matrix), self.n_power_iterations)
        return weight / ops.dot(self._u, ops.matmul(matrix, self._v))

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Module:  # fmt: skip
    """Divide a weight by its largest singular value, so that the layer does not stretch distances.

    The value comes from the power method, whose vectors go ``n_power_iterations`` steps further whenever the
    weight is read in training, and are constants for the gradient.
    [Miyato, Kataoka, Koyama and Yoshida, Spectral Normalization for GANs, 2018]

    Args:
        module: it is changed in place.
        name: of the parameter; ``parametrizations.<name>.original`` becomes the weight as it was.
        n_power_iterations: steps for each time that the weight is read in training.
        eps: what the norms of the power method are at least.
        dim: the axis that becomes the rows of the matrix; None: that of the outputs, which is 1 in transposed
            convolutions and 0 elsewhere.

    Returns:
        the module.

    Raises:
        ValueError: no such parameter; n_power_iterations is less than 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2), n_power_iterations=20)
    >>> np.linalg.norm(layer.weight.numpy(), 2).round(4)
    np.float32(1.0)
    """
    weight = checked_parameter("spectral_norm", module, name)
    if n_power_iterations < 1:
        raise ValueError(message("spectral_norm", f"n_power_iterations={n_power_iterations}", "1 or more"))
    if dim is None:
        dim = int(getattr(module, "transposed", False))
    made = _SpectralNorm(strip(weight), n_power_iterations, eps, dim).train(module.training)
    return register_parametrization(module, name, made, unsafe=True)
