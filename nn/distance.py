"""Layers that compare two inputs: distances, cosines, bilinear forms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .module import Module
from .settings import check_sizes

__all__ = ["Bilinear", "CosineSimilarity", "PairwiseDistance"]


class Bilinear(Module):
    """A bilinear form for each output: ``y_k = x1^T W_k x2 + b_k``.

    Args:
        in1_features: length of each vector x1.
        in2_features: length of each vector x2.
        out_features: number of outputs.
        bias: whether there is a b.
        dtype: of the parameters, float32 by default.

    Shapes:
        x1: (..., in1_features), x2: (..., in2_features) -> y: (..., out_features). weight:
        (out_features, in1_features, in2_features), bias: (out_features,), uniform in +-1/sqrt(in1_features).

    Raises:
        ValueError: shapes that do not fit.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Bilinear(3, 2, 4)(np.ones((5, 3)), np.ones((5, 2))).shape
    (5, 4)
    """

    takes_integers = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        check_sizes(
            "Bilinear", in1_features=in1_features, in2_features=in2_features, out_features=out_features
        )
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), dtype))
        self.register_parameter("bias", Parameter(np.empty(out_features, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters, uniform in +-1/sqrt(in1_features)."""
        bound = self.in1_features**-0.5
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class CosineSimilarity(Module):
    """The cosine of the angle between vectors; see :func:`nn.functional.cosine_similarity`.

    Args:
        dim: the axis of the vectors.
        eps: the smallest length to divide by.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.CosineSimilarity()(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    array([0.])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, eps={self.eps}"


class PairwiseDistance(Module):
    """The distance of vectors, ``|x1 - x2 + eps|_p``; see :func:`nn.functional.pairwise_distance`.

    Args:
        p: of the norm.
        eps: is added to each element.
        keepdim: keep the last axis, with length 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.PairwiseDistance(1)(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])).round(3)
    array([3.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return F.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)

    def extra_repr(self) -> str:
        return f"p={self.p}, eps={self.eps}, keepdim={self.keepdim}"
