"""Vectors that tell positions, and rotations by them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

__all__ = ["rotary_embedding", "sinusoidal_encoding"]


def _angles(positions: Any, dim: int, base: float) -> Any:
    """Return ``t / base^(2i / dim)`` for positions t and i = 0 ... ceil(dim / 2) - 1, as float64."""
    t = as_array(strip(positions)).astype(np.float64, copy=False)
    return t[..., np.newaxis] * base ** (-np.arange(0, dim, 2) / dim)


def sinusoidal_encoding(length: int, dim: int, base: float = 10000.0, dtype: Any = np.float32) -> Any:
    """Return the sinusoids of positions 0 ... length - 1, (length, dim).

    ``P[t, 2i] = sin(t / base^(2i / dim))``, ``P[t, 2i + 1] = cos(t / base^(2i / dim))``.

    Source: A. Vaswani et al., "Attention is all you need", 2017, section 3.5.

    >>> from autograd_core import nn
    >>> nn.functional.sinusoidal_encoding(2, 4).round(3)
    array([[0. , 1. , 0. , 1. ],
           [0.841, 0.54 , 0.01 , 1. ]], dtype=float32)
    """
    if length < 0 or dim < 1:
        raise ValueError(message("sinusoidal_encoding", f"length={length}, dim={dim}", "positive numbers"))
    angles, y = _angles(np.arange(length), dim, base), np.empty((length, dim), dtype)
    y[:, ::2], y[:, 1::2] = np.sin(angles), np.cos(angles)[:, : dim // 2]
    return y


def rotary_embedding(
    x: Any, positions: Any = None, base: float = 10000.0, interleaved: bool = True
) -> Tensor:
    """Rotate pairs of each vector's elements by angles in proportion to its position.

    ``(a, b) <- (a cos w_i t - b sin w_i t, a sin w_i t + b cos w_i t)`` for the i-th pair (a, b) of the
    vector at position t, with ``w_i = base^(-2i / D)``. The inner product of a query at position s and a
    key at t depends on t - s, not on s and t.

    Args:
        x: queries or keys, (..., L, D), D even.
        positions: (L,), by default 0 ... L - 1; or (..., L).
        base: wavelengths go from 2 pi to 2 pi base.
        interleaved: pairs are (x_0, x_1), (x_2, x_3) ..., as in the paper; else x_i goes with
            x_(i + D/2), as GPT-NeoX has it. A layer before it for one is that for the other with its
            outputs in another order.

    Raises:
        ValueError: D is odd, or there are not L positions.

    Source: J. Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.

    >>> from autograd_core import nn
    >>> nn.functional.rotary_embedding(np.array([[1.0, 0.0], [1.0, 0.0]])).round(3)
    array([[1. , 0. ],
           [0.54 , 0.841]])
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ValueError(message("rotary_embedding", f"an input of shape {x.shape}", "(..., L, D), D even"))
    if positions is None:
        positions = np.arange(x.shape[-2])
    if np.shape(positions)[-1:] != x.shape[-2:-1]:
        got = f"positions of shape {np.shape(positions)} for an input of shape {x.shape}"
        raise ValueError(message("rotary_embedding", got, f"({x.shape[-2]},)"))
    angles, half = _angles(positions, x.shape[-1], base), x.shape[-1] // 2
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    pairs = np.reshape(x, (*x.shape[:-1], half, 2) if interleaved else (*x.shape[:-1], 2, half))
    a, b = (pairs[..., 0], pairs[..., 1]) if interleaved else (pairs[..., 0, :], pairs[..., 1, :])
    turned = ops.stack((a * cos - b * sin, a * sin + b * cos), axis=-1 if interleaved else -2)
    y: Tensor = ops.reshape(turned, x.shape)
    return y
