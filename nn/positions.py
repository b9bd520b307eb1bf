"""Where a vector stands in its sequence: sinusoids or learnt vectors to add, and rotations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .module import Module

__all__ = ["LearnedPositionalEmbedding", "RotaryEmbedding", "SinusoidalPositionalEncoding"]


class SinusoidalPositionalEncoding(Module):
    """Add to the vector at each position sines and cosines of the position, of growing wavelength.

    ``P[t, 2i] = sin(t / base^(2i / E))``, ``P[t, 2i + 1] = cos(t / base^(2i / E))``: P[t + k] is a rotation
    of P[t] that depends on k only.

    Args:
        d_model: E, the length of each vector.
        max_len: how many positions are computed beforehand; more are computed when they come.
        base: wavelengths go from 2 pi to 2 pi base.
        batch_first: the axis before the last is that of positions; else the first one is.
        dtype: of the encodings, float32 by default.

    Shapes:
        x: (..., L, E), or (L, ..., E) without ``batch_first`` -> y: the same. The buffer ``encoding`` is
        (max_len, E), and no part of the state.

    Raises:
        ValueError: x is not of vectors of length E.

    Source: A. Vaswani et al., "Attention is all you need", 2017, section 3.5.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.SinusoidalPositionalEncoding(4)(np.zeros((2, 4), np.float32)).round(3)
    array([[0. , 1. , 0. , 1. ],
           [0.841, 0.54 , 0.01 , 1. ]], dtype=float32)
    """

    encoding: np.ndarray[Any, Any]

    def __init__(
        self, d_model: int, max_len: int = 512, base: float = 10000.0, batch_first: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        self.d_model, self.max_len, self.base, self.batch_first = d_model, max_len, base, batch_first
        first = F.sinusoidal_encoding(max_len, d_model, base, dtype)
        self.register_buffer("encoding", first, persistent=False)

    def forward(self, x: Any) -> Tensor:
        n = _length(x, self.d_model, self.batch_first, "SinusoidalPositionalEncoding")
        if n > len(self.encoding):
            self.encoding = F.sinusoidal_encoding(n, self.d_model, self.base, self.encoding.dtype)
        y: Tensor = x + _beside(self.encoding[:n], x, self.batch_first)
        return y

    def extra_repr(self) -> str:
        return f"{self.d_model}, max_len={self.max_len}, base={self.base}, batch_first={self.batch_first}"


class LearnedPositionalEmbedding(Module):
    """Add to the vector at each position one that is learnt for that position.

    Args:
        max_len: how many positions there are.
        d_model: E, the length of each vector.
        batch_first: the axis before the last is that of positions; else the first one is.
        dtype: of the parameter, float32 by default.

    Shapes:
        x: (..., L, E), or (L, ..., E) without ``batch_first`` -> y: the same. weight: (max_len, E), which
        starts normal with standard deviation 0.02.

    Raises:
        ValueError: x is not of vectors of length E, or longer than max_len.

    Source: J. Gehring et al., "Convolutional sequence to sequence learning", 2017.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.LearnedPositionalEmbedding(10, 4)(np.zeros((2, 3, 4))).shape
    (2, 3, 4)
    """

    takes_integers = False
    weight: Parameter

    def __init__(
        self, max_len: int, d_model: int, batch_first: bool = True, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        self.max_len, self.d_model, self.batch_first = max_len, d_model, batch_first
        self.weight = Parameter(np.empty((max_len, d_model), dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new vectors, from N(0, 0.02^2)."""
        init.normal_(self.weight, std=0.02)

    def forward(self, x: Any) -> Tensor:
        n = _length(x, self.d_model, self.batch_first, "LearnedPositionalEmbedding")
        if n > self.max_len:
            raise ValueError(message("LearnedPositionalEmbedding", f"{n} positions",
                                     f"at most {self.max_len}", f"max_len={n}"))  # fmt: skip
        y: Tensor = x + _beside(self.weight[:n], x, self.batch_first)
        return y

    def extra_repr(self) -> str:
        return f"{self.max_len}, {self.d_model}, batch_first={self.batch_first}"


class RotaryEmbedding(Module):
    """Rotate queries and keys by their positions, so that inner products tell how far apart they are.

    See :func:`nn.functional.rotary_embedding`, which it calls.

    Args:
        dim: D, the length of each vector, even.
        base: wavelengths go from 2 pi to 2 pi base.
        interleaved: pairs are (x_0, x_1), (x_2, x_3) ...; else x_i goes with x_(i + D/2).

    Shapes:
        x: (..., L, D) -> y: the same. ``positions``: (L,), by default 0 ... L - 1.

    Raises:
        ValueError: dim is odd, or x is not of vectors of length D.

    Source: J. Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.RotaryEmbedding(2)(np.array([[1.0, 0.0], [1.0, 0.0]])).round(3)
    array([[1. , 0. ],
           [0.54 , 0.841]])
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = True) -> None:
        super().__init__()
        if dim < 2 or dim % 2:
            raise ValueError(message("RotaryEmbedding", f"dim={dim}", "an even number: pairs are rotated"))
        self.dim, self.base, self.interleaved = dim, base, interleaved

    def forward(self, x: Any, positions: Any = None) -> Tensor:
        if np.shape(x)[-1:] != (self.dim,):
            raise ValueError(message("RotaryEmbedding", f"an input of shape {np.shape(x)}",
                                     f"(..., L, {self.dim})"))  # fmt: skip
        return F.rotary_embedding(x, positions, self.base, self.interleaved)

    def extra_repr(self) -> str:
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"


def _length(x: Any, d_model: int, batch_first: bool, who: str) -> int:
    shape = np.shape(x)
    if len(shape) < 2 or shape[-1] != d_model:
        layout = "(..., L" if batch_first else "(L, ..."
        raise ValueError(message(who, f"an input of shape {shape}", f"{layout}, {d_model})"))
    return int(shape[-2 if batch_first else 0])


def _beside(encoding: Any, x: Any, batch_first: bool) -> Any:
    """Return the vectors of positions so that they are added along the axis of positions."""
    if batch_first or x.ndim == 2:
        return encoding
    return np.reshape(encoding, (encoding.shape[0], *(1,) * (x.ndim - 2), encoding.shape[1]))
