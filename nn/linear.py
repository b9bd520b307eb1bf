"""Fully connected layers, and layers that only pass values on, as they are or in another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .module import Module
from .settings import check_sizes

__all__ = ["Flatten", "Identity", "Linear", "Unflatten"]


class Linear(Module):
    """A fully connected layer: ``y = x W^T + b``.

    Args:
        in_features: length of each input vector.
        out_features: number of neurons.
        bias: whether there is a b.
        dtype: of the parameters, float32 by default.

    Shapes:
        x: (..., in_features) -> y: (..., out_features); weight: (out_features, in_features),
        bias: (out_features,). Both start uniform in +-1/sqrt(in_features).

    Raises:
        ValueError: a size is not positive; the last axis of x is not in_features long.
        TypeError: a size is not a whole number.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.Linear(3, 2)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)  # 8 parameters: weight (2, 3), bias (2,)
    """

    takes_integers = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        if bias:
            self.bias = Parameter(np.empty(out_features, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters: weight and bias uniform in +-1/sqrt(in_features)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Identity(Module):
    """A layer that returns its input: a place that another layer may take.

    >>> from autograd_core import nn
    >>> nn.Identity()(3.0)
    3.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """Join the axes ``start_dim`` to ``end_dim`` into one: by default all but the first.

    Args:
        start_dim: the first of them.
        end_dim: the last of them.

    Raises:
        ValueError: the input lacks these axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Flatten()(np.zeros((5, 8, 8))).shape
    (5, 64)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        shape, n = np.shape(x), len(np.shape(x))
        first, last = (d + n if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < n:
            raise ValueError(message(
                f"Flatten({self.extra_repr()})", f"an input of shape {shape}",
                "one that has these axes, in this order"))  # fmt: skip
        joined = math.prod(shape[first : last + 1])
        return ops.reshape(x, (*shape[:first], joined, *shape[last + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split one axis into several, the inverse of Flatten.

    Args:
        dim: the axis.
        unflattened_size: the lengths of what it becomes; one of them may be -1, what is left.

    Raises:
        ValueError: the axis is not there, or not as long as the product of the lengths.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Unflatten(1, (4, -1))(np.zeros((5, 12, 2))).shape
    (5, 4, 3, 2)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(unflattened_size, (int, str)) or sum(n == -1 for n in unflattened_size) > 1:
            raise ValueError(message("Unflatten", f"unflattened_size={unflattened_size!r}",
                                     "lengths, one of them -1 at most"))  # fmt: skip
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        shape, sizes = np.shape(x), self.unflattened_size
        known = math.prod(n for n in sizes if n != -1)
        there = -len(shape) <= self.dim < len(shape)
        if not there or (shape[self.dim] % known if known and -1 in sizes else shape[self.dim] != known):
            raise ValueError(message(
                f"Unflatten({self.extra_repr()})", f"an input of shape {shape}",
                f"a multiple of {known} along axis {self.dim}" if -1 in sizes else
                f"{known} along axis {self.dim}"))  # fmt: skip
        axis = self.dim % len(shape)
        if -1 in sizes:
            sizes = tuple(shape[axis] // max(known, 1) if n == -1 else n for n in sizes)
        return ops.reshape(x, (*shape[:axis], *sizes, *shape[axis + 1 :]))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
