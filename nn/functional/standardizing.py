"""The one operation behind all normalization: its definition, its gradient, and its two layouts of memory.

``y = (x - mean(x)) / sqrt(var(x) + eps) * w + b``, and with h = g w and xhat = (x - mean) / sqrt(var + eps)

    x_bar = (h - mean(h) - xhat mean(h xhat)) / sqrt(var + eps).

Statistics take two passes, the second around the mean, so that a large mean costs no digits.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.fused import pushed
from autograd_core.kernels import normalization as kernels
from autograd_core.kernels.memory import memory_for, pieces
from autograd_core.primitive import declare, kernel
from autograd_core.transforms import vjp

__all__ = ["moments", "normalize_channels", "normalize_vectors", "scale_channels"]

# -- the definition --------------------------------------------------------------------------------


def _standardized(
    x: Any, w: Any, b: Any, mean: Any, inv: Any, *, axes: tuple[int, ...], eps: float, centred: bool = True
) -> Any:
    """Return (x - its mean) / its standard deviation * w + b; ``mean`` and ``inv`` are known from x."""
    n = max(1, math.prod(x.shape[axis] for axis in axes))
    d = x - ops.sum(x, axis=axes, keepdims=True) / n if centred else x
    return d / ops.sqrt(ops.sum(d * d, axis=axes, keepdims=True) / n + eps) * w + b


def _frozen(x: Any, w: Any, b: Any, mean: Any, inv: Any) -> Any:
    """Return the same with a mean and an inverse standard deviation that do not depend on x."""
    return (x - mean) * inv * w + b


def _declared(definition: Any, forward: Any, backward: Any, name: str, doc: str) -> Any:
    """Declare ``definition(x, w, b, mean, inv, **how)`` with two kernels; second derivatives read it.

    The forward kernel has these arguments too, and ``out``, None or an array that it fills;
    ``backward(g, x, w, b, mean, inv, out=arrays, **how)`` writes the gradients of x, w and b. What is kept
    is x and the statistics, not the result.
    """

    def gradients(
        g: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, *, out: Any = None, **how: Any
    ) -> Any:
        """Return the gradients of x, w and b, one after the other in one array."""
        flat = memory_for(out, x.size + w.size + b.size, x.dtype)
        backward(g, x, w, b, mean, inv, out=pieces(flat, x.shape, w.shape, b.shape), **how)
        return flat

    def defined(how: Any, statistics: Any, g: Any, x: Any, w: Any, b: Any) -> Any:
        _, pull = vjp(lambda *xwb: definition(*xwb, *statistics, **how), x, w, b)
        return ops.concatenate([ops.reshape(v, (-1,)) for v in pull(g)])

    def again(h: Any, y: Any, g: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, **how: Any) -> Any:
        _, back = vjp(partial(defined, how, (mean, inv)), g, x, w, b)
        return (*back(h), None, None)

    def push_again(ts: Any, y: Any, g: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, **how: Any) -> Any:
        return pushed(partial(defined, how, (mean, inv)), (g, x, w, b), ts)

    pulled = declare(kernel(gradients, out=True), joint=again, saves="g x w b mean inv",
                     name=f"{name}_gradients")  # fmt: skip
    pulled.defjvp(joint=push_again)

    def pull(g: Any, y: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, **how: Any) -> Any:
        bars = pulled(g, x, w, b, mean, inv, **how)
        return (*pieces(bars, x.shape, w.shape, b.shape), None, None)

    def push_x(t: Any, y: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, **how: Any) -> Any:
        bars = pulled(t, x, np.ones_like(w), b, mean, inv, **how)  # from x to xhat the Jacobian is symmetric
        return w * pieces(bars, x.shape)[0]

    def push_w(t: Any, y: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, **how: Any) -> Any:
        return operation(x, t, np.zeros_like(b), mean, inv, **how)

    def push_b(t: Any, y: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, **how: Any) -> Any:
        return t

    operation = declare(kernel(forward, out=True), joint=pull, saves="x w b mean inv", name=name, arity=5,
                        doc=doc)  # fmt: skip
    operation.definition = definition
    return operation.defjvp(push_x, push_w, push_b, None, None)


# -- images: (N, G, K, L), in rows of L; w and b for each of G x K channels ------------------------


def _matrix(x: Any) -> Any:
    """Return images as rows of L, and vectors (L = 1) as they are."""
    shape = x.shape[:2] if x.shape[2:] == (1, 1) else (-1, x.shape[-1])
    return np.ascontiguousarray(x).reshape(shape)


def _by_row(shape: Any, *small: Any) -> list[Any]:
    """Spread what broadcasts against (N, G, K, 1) to one number for each row of L."""
    return [np.broadcast_to(v, (*shape[:3], 1)).reshape(-1) for v in small]


def _in_columns(x: Any, mean: Any) -> bool:
    """Tell whether x is a batch of vectors with a mean for each of their elements."""
    return x.shape[2:] == (1, 1) and len(mean) == 1


def _channels(x: Any, w: Any, b: Any, mean: Any, inv: Any, *, out: Any = None, **_: Any) -> Any:
    columns = _in_columns(x, mean)
    if x.shape[-1] == 1 and not columns:  # groups within vectors: no loop of their own
        return np.add((x - mean) * (inv * w), b, out=out)
    y, small = memory_for(out, x.shape, x.dtype), (mean, inv * w, b)
    m, a, c = [v.reshape(-1) for v in small] if columns else _by_row(x.shape, *small)
    (kernels.column_scaled if columns else kernels.scaled)(_matrix(x), m, a, c, _matrix(y))
    return y


def _channels_back(
    g: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, *, out: Any, axes: Any = (), **_: Any
) -> None:
    """Write the gradients; without ``axes``, over which mean and inv were taken, they are constants."""
    shape, columns = x.shape, _in_columns(x, mean)
    if columns:
        g, x, sums = _matrix(g), _matrix(x), np.empty((2, 1, shape[1], 1, 1), x.dtype)
        kernels.column_products(g, x, mean.reshape(-1), *sums.reshape(2, -1))
        total, product = sums
    elif shape[-1] == 1:
        total, product = g, g * (x - mean)
    else:
        g, x = _matrix(g), _matrix(x)
        (m,) = _by_row(shape, mean)
        total, product = (v.reshape(*shape[:3], 1) for v in kernels.products(g, x, m))
    out[1][...] = np.add.reduce(product * inv, axis=0, keepdims=True)
    out[2][...] = np.add.reduce(total, axis=0, keepdims=True)
    u = v = np.zeros((1, 1, 1, 1), x.dtype)
    if axes:
        n = max(1, x.size // mean.size)
        v = np.add.reduce(total * w, axis=axes, keepdims=True) * (-inv / n)
        u = np.add.reduce(product * w, axis=axes, keepdims=True) * (-inv * inv * inv / n)
    if columns:
        m, a, u, v = (np.broadcast_to(s, mean.shape).reshape(-1) for s in (mean, inv * w, u, v))
        kernels.column_combined(g, x, m, a, u, v, out[0].reshape(x.shape))
    elif shape[-1] == 1:
        out[0][...] = g * (inv * w) + (x - mean) * u + v
    else:
        a, u, v = _by_row(shape, inv * w, u, v)
        kernels.combined(g, x, m, a, u, v, out[0].reshape(x.shape))


normalize_channels = _declared(
    _standardized, _channels, _channels_back, name="normalize_channels",
    doc="(x - mean) / sqrt(var + eps) w + b over some axes of images, w and b for each channel.",
)  # fmt: skip
scale_channels = _declared(
    _frozen, _channels, _channels_back, name="scale_channels",
    doc="(x - mean) inv w + b of images, all for each channel; mean and inv are constants.",
)  # fmt: skip


@kernel
def moments(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Return mean and sum of squared distances from it, pooled from the rows [Chan, Golub, LeVeque 1983]."""
    if x.shape[2:] == (1, 1) and axes[0] == 0:
        mean, square = (v.reshape(1, -1, 1, 1) for v in kernels.column_moments(_matrix(x)))
        return mean, square
    length = x.shape[-1]
    if length == 1:
        m, squares = x, np.zeros((1, 1, 1, 1), x.dtype)
    else:
        m, squares = (v.reshape(*x.shape[:3], 1) for v in kernels.moments(_matrix(x)))
    pooled = math.prod(m.shape[axis] for axis in axes)
    mean = (np.add.reduce(m, axis=axes, keepdims=True, dtype=float) / max(1, pooled)).astype(x.dtype)
    d = m - mean
    return mean, np.add.reduce(length * d * d + squares, axis=axes, keepdims=True)


# -- vectors: rows of D numbers; w and b for each of the D -----------------------------------------


def _vectors(x: Any, w: Any, b: Any, mean: Any, inv: Any, *, out: Any = None, **_: Any) -> Any:
    y = memory_for(out, x.shape, x.dtype)
    kernels.layer(np.ascontiguousarray(x), w, b, mean[:, 0], inv[:, 0], y)
    return y


def _vectors_back(
    g: Any, x: Any, w: Any, b: Any, mean: Any, inv: Any, *, out: Any, centred: bool = True, **_: Any
) -> None:
    g, x = np.ascontiguousarray(g), np.ascontiguousarray(x)
    kernels.layer_gradients(g, x, w, mean[:, 0], inv[:, 0], centred, *out)


normalize_vectors = _declared(
    _standardized, _vectors, _vectors_back, name="normalize_vectors",
    doc="(x - mean) / sqrt(var + eps) w + b of each vector, w and b for each of its elements.",
)  # fmt: skip
