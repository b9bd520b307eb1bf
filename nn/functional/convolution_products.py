"""Convolution as an operation: three bilinear products, each of which is the gradient of the others.

With y = conv(x, w), x_bar = spread(g, w) and w_bar = overlap(g, x), the form g . conv(x, w) is linear in each
of g, x and w. So each product's gradients are the other two, and derivatives of every order are made of these
three.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.kernels import convolution as kernels
from autograd_core.primitive import bilinear, declare, kernel, linear

__all__: list[str] = []

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def output_size(size: Sizes, taps: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    """Return floor((n + p + p' - d (k - 1) - 1) / s) + 1 for each axis."""
    return tuple((n + p + q - d * (k - 1) - 1) // s + 1
                 for n, k, s, (p, q), d in zip(size, taps, stride, padding, dilation))  # fmt: skip


def _together(name: str, a: Any, b: Any, one: int, other: int) -> tuple[Any, Any]:
    """Return both in one dtype and in C order; lengths that must agree do (compiled loops do not look)."""
    if one != other:
        raise ValueError(message(name, f"shapes {a.shape} and {b.shape}", f"{one} equal to {other}"))
    dtype = a.dtype if a.dtype == b.dtype else np.result_type(a, b)
    return np.ascontiguousarray(a, dtype), np.ascontiguousarray(b, dtype)


def _before(padding: Pairs) -> Sizes:
    return tuple(p for p, _ in padding)


def _affine_forward(
    x: Any, w: Any, b: Any, *, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int, out: Any = None
) -> Any:
    x, w = _together("convolution", x, w, x.shape[1], w.shape[1] * groups)
    b = np.ascontiguousarray(b, x.dtype)
    size = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    return kernels.correlate(x, w, b, stride, _before(padding), dilation, groups, size, out)


def _product_forward(x: Any, w: Any, **how: Any) -> Any:
    return _affine_forward(x, w, np.zeros(w.shape[0], x.dtype), **how)


def _spread_forward(
    g: Any, w: Any, *, size: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int,
    out: Any = None,
) -> Any:  # fmt: skip
    g, w = _together("convolution_spread", g, w, g.shape[1], w.shape[0])
    return kernels.spread(g, w, stride, _before(padding), dilation, groups, size, out)


def _overlap_forward(
    g: Any, x: Any, *, taps: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int,
    out: Any = None,
) -> Any:  # fmt: skip
    g, x = _together("convolution_overlap", g, x, g.shape[0], x.shape[0])
    return kernels.overlap(g, x, stride, _before(padding), dilation, groups, taps, out)


def _to_input(g: Any, x: Any, w: Any, how: Any) -> Any:
    return spread(g, w, size=x.shape[2:], **how)


def _to_weight(g: Any, x: Any, w: Any, how: Any) -> Any:
    return overlap(g, x, taps=w.shape[2:], **how)


product: Any = bilinear(
    kernel(_product_forward, out=True),
    lambda g, y, x, w, **how: _to_input(g, x, w, how),
    lambda g, y, x, w, **how: _to_weight(g, x, w, how),
    saves=("w", "x"), name="convolution", flops=lambda y, x, w, **how: 2 * y.size * (w.size // w.shape[0]),
    doc="Each filter's inner products with the patches of x: x_bar = spread(g, w), w_bar = overlap(g, x).",
)  # fmt: skip

spread: Any = bilinear(
    kernel(_spread_forward, out=True),
    lambda h, x, g, w, *, size, **how: product(h, w, **how),
    lambda h, x, g, w, *, size, **how: overlap(g, h, taps=w.shape[2:], **how),
    saves=("w", "g"), name="convolution_spread",
    flops=lambda x, g, w, **how: 2 * g.size * (w.size // w.shape[0]),
    doc="Each filter times g at its place, summed: a transposed convolution, the adjoint in x.",
)  # fmt: skip

overlap: Any = bilinear(
    kernel(_overlap_forward, out=True),
    lambda h, w, g, x, *, taps, **how: product(x, h, **how),
    lambda h, w, g, x, *, taps, **how: spread(g, h, size=x.shape[2:], **how),
    saves=("x", "g"), name="convolution_overlap",
    flops=lambda w, g, x, **how: 2 * g.size * (w.size // w.shape[0]),
    doc="The patches of x, each times g at its place, summed: the adjoint of a convolution in w.",
)  # fmt: skip

affine: Any = declare(
    kernel(_affine_forward, out=True),
    (lambda g, y, x, w, b, **how: _to_input(g, x, w, how),
     lambda g, y, x, w, b, **how: _to_weight(g, x, w, how),
     lambda g, y, x, w, b, **how: np.add.reduce(g, axis=(0, *range(2, g.ndim)))),
    saves=("w", "x", ""), name="convolution",
    flops=lambda y, x, w, b, **how: y.size * (2 * (w.size // w.shape[0]) + 1),
    doc="The convolution and a number added to each channel: b_bar sums g over all else.",
)  # fmt: skip
affine.defjvp(
    lambda t, y, x, w, b, **how: product(t, w, **how),
    lambda t, y, x, w, b, **how: product(x, t, **how),
    lambda t, y, x, w, b, **how: np.broadcast_to(np.reshape(t, (-1, *(1,) * (y.ndim - 2))), y.shape),
)

# -- images to columns of patches, and back ------------------------------------------------------------


@kernel
def _unfold_forward(x: Any, *, taps: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    size = output_size(x.shape[2:], taps, stride, padding, dilation)
    return kernels.unfold(x, taps, stride, _before(padding), dilation, size)


@kernel
def _fold_forward(
    columns: Any, *, size: Sizes, taps: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> Any:
    places = output_size(size, taps, stride, padding, dilation)
    return kernels.fold(columns, taps, stride, _before(padding), dilation, places, size)

unfolded: Any = linear(
    _unfold_forward,
    lambda g, y, x, **how: folded(g, size=x.shape[2:], **how),
    name="unfold", doc="The patches of each image as columns; its adjoint sums them where they overlap.",
)  # fmt: skip

folded: Any = linear(
    _fold_forward,
    lambda g, y, x, *, size, **how: unfolded(g, **how),
    name="fold", doc="Patches summed into images: the adjoint of unfold.",
)  # fmt: skip
