"""Tables of vectors, one for each word, item or whatever has a number."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .module import Module

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """What both layers share: the table, and what is done to it."""

    weight: Parameter

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None, max_norm: float | None,
        norm_type: float, scale_grad_by_freq: bool, sparse: bool, weight: Any, freeze: bool, dtype: DTypeLike,
    ) -> None:  # fmt: skip
        super().__init__()
        who, shape = type(self).__name__, (num_embeddings, embedding_dim)
        if num_embeddings < 1 or embedding_dim < 1:
            raise ValueError(message(who, f"num_embeddings={num_embeddings}, embedding_dim={embedding_dim}",
                                     "positive numbers"))  # fmt: skip
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(message(who, f"padding_idx={padding_idx}",
                                         f"{-num_embeddings} to {num_embeddings - 1}"))  # fmt: skip
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if weight is None:
            self.weight = Parameter(np.empty(shape, dtype))
            self.reset_parameters()
        else:
            if np.shape(weight) != shape:
                raise ValueError(message(who, f"_weight of shape {np.shape(weight)}", f"{shape}"))
            self.weight = Parameter(np.array(strip(weight)))
        self.weight.requires_grad = not freeze

    def reset_parameters(self) -> None:
        """Draw new vectors from N(0, 1); that of ``padding_idx`` is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    @classmethod
    def _of(cls, embeddings: Any, freeze: bool, **given: Any) -> Self:
        if np.ndim(embeddings) != 2:
            got = f"embeddings of shape {np.shape(embeddings)}"
            raise ValueError(message(f"{cls.__name__}.from_pretrained", got, "two axes"))
        rows, columns = np.shape(embeddings)
        given["_weight"] = embeddings
        table = cls(rows, columns, **given)
        table.weight.requires_grad = not freeze
        return table

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False,
                 "sparse": False, "mode": None, "include_last_offset": False}  # fmt: skip
        given = {k: v for k, v in vars(self).items() if k in usual and v != usual[k]}
        return text + "".join(f", {k}={v!r}" for k, v in given.items())


class Embedding(_Table):
    """A table of vectors that are learnt, looked up by their numbers: ``y = weight[x]``.

    Args:
        num_embeddings: V, how many vectors.
        embedding_dim: E, their length.
        padding_idx: a number whose vector starts at 0 and gets no gradient.
        max_norm: vectors that are read and longer than this are first shortened, in the table itself.
        norm_type: p of the norm for max_norm.
        scale_grad_by_freq: divide the gradient of a vector by how often it was read.
        sparse: taken as PyTorch takes it, without effect: gradients are dense arrays.
        _weight: the table, where there is one; it is copied.
        _freeze: the table is not learnt.
        dtype: of the parameter, float32 by default.

    Shapes:
        x: integers of any shape -> y: (*x.shape, E). weight: (V, E), which starts normal.

    Raises:
        TypeError: x is not of integers.
        IndexError: an integer outside 0 ... V - 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Embedding(10, 3)(np.array([[1, 2], [4, 9]])).shape
    (2, 2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Any = None, _freeze: bool = False, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq,
                         sparse, _weight, _freeze, dtype)  # fmt: skip

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:  # fmt: skip
        """Make a layer of a table that there is, (V, E), which is copied; by default it is not learnt.

        >>> import numpy as np
        >>> from autograd_core import nn
        >>> nn.Embedding.from_pretrained(np.array([[1.0, 2.0], [3.0, 4.0]]))(np.array([1])).numpy()
        array([[3., 4.]])
        """
        return cls._of(embeddings, freeze, padding_idx=padding_idx, max_norm=max_norm, norm_type=norm_type,
                       scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)  # fmt: skip

    def forward(self, input: Any) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
                           self.scale_grad_by_freq, self.sparse)  # fmt: skip


class EmbeddingBag(_Table):
    """A table of vectors, and for each bag of numbers the sum, mean or maximum of their vectors.

    Args:
        num_embeddings: V, how many vectors.
        embedding_dim: E, their length.
        max_norm: vectors that are read and longer than this are first shortened, in the table itself.
        norm_type: p of the norm for max_norm.
        scale_grad_by_freq: divide the gradient of a vector by how often it was read; not with ``"max"``.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: taken as PyTorch takes it, without effect: gradients are dense arrays.
        _weight: the table, where there is one; it is copied.
        include_last_offset: offsets have one more, the end of the last bag.
        padding_idx: a number that does not count; its vector starts at 0.
        dtype: of the parameter, float32 by default.

    Shapes:
        input: integers, (B, n), or (M,) with offsets (B,); per_sample_weights: that of input -> y: (B, E).

    Raises:
        TypeError: input is not of integers.
        IndexError: an integer outside 0 ... V - 1.
        ValueError: offsets that do not fit, an unknown mode.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.EmbeddingBag(10, 3)(np.array([1, 2, 4, 5, 4]), np.array([0, 2])).shape
    (2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Any = None,
        include_last_offset: bool = False, padding_idx: int | None = None, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq,
                         sparse, _weight, False, dtype)  # fmt: skip
        if mode not in ("sum", "mean", "max"):
            raise ValueError(message("EmbeddingBag", f"mode={mode!r}", "'sum', 'mean' or 'max'"))
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
        include_last_offset: bool = False, padding_idx: int | None = None,
    ) -> Self:  # fmt: skip
        """Make a layer of a table that there is, (V, E), which is copied; by default it is not learnt."""
        return cls._of(embeddings, freeze, max_norm=max_norm, norm_type=norm_type, mode=mode, sparse=sparse,
                       scale_grad_by_freq=scale_grad_by_freq, include_last_offset=include_last_offset,
                       padding_idx=padding_idx)  # fmt: skip

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode,
            self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx)  # fmt: skip
