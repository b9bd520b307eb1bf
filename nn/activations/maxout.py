"""Maxout: the largest of several linear maps, an activation whose shape is learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.tensor import Parameter, Tensor

from .. import functional as F
from .. import init
from ..module import Module
from ..settings import check_sizes

__all__ = ["Maxout"]


class Maxout(Module):
    """A fully connected layer of convex units: ``y_j = max_k (w_jk . x + b_jk)``, k = 1 ... pieces.

    Each unit is a convex function of straight pieces, such as max(x, 0) or ``|x|``, that is learnt.
    [Goodfellow et al., Maxout Networks, 2013]

    Args:
        in_features: length of each input vector.
        out_features: number of units.
        pieces: number of linear maps of each unit.
        bias: whether there is a b.
        dtype: of the parameters, float32 by default.

    Shapes:
        x: (..., in_features) -> y: (..., out_features); weight: (out_features * pieces, in_features),
        those of one unit one after the other; bias: (out_features * pieces,). Both start uniform in
        +-1/sqrt(in_features).

    Raises:
        ValueError: a size is not positive.
        TypeError: a size is not a whole number.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> absolute = nn.Maxout(1, 1, pieces=2)
    >>> _ = absolute.load_state_dict({"weight": [[1.0], [-1.0]], "bias": [0.0, 0.0]})
    >>> absolute(np.array([[-3.0], [2.0]])).tolist()
    [[3.0], [2.0]]
    """

    takes_integers = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        check_sizes("Maxout", in_features=in_features, out_features=out_features, pieces=pieces)
        self.in_features, self.out_features, self.pieces = in_features, out_features, pieces
        self.weight = Parameter(np.empty((out_features * pieces, in_features), dtype))
        self.register_parameter("bias", Parameter(np.empty(out_features * pieces, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters: weight and bias uniform in +-1/sqrt(in_features)."""
        bound = self.in_features**-0.5
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, x: Any) -> Tensor:
        return F.maxout(F.linear(x, self.weight, self.bias), self.pieces)

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"pieces={self.pieces}, bias={self.bias is not None}")  # fmt: skip
