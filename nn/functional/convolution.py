"""Convolutions of signals, images and volumes, their transposes, and a convolution as a matrix.

What frameworks call a convolution is a correlation, ``sum_k w_k x_(i+k)``: the filter lies on the image as it
is printed. The convolution of mathematics, ``sum_k w_k x_(i-k)``, is the same with the filter flipped along
every spatial axis, ``w[..., ::-1, ::-1]``; a learnt filter comes out flipped and nothing else changes. A
filter that is to stay fixed (an edge detector, a blur that is not symmetric) is where it matters.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import counted, message
from autograd_core.tensor import Tensor

from ..settings import check_sizes
from .axes import each, in_batch, lengths_of
from .convolution_products import Pairs, Sizes, affine, output_size, product, spread

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "convolution_matrix",
]  # fmt: skip

def paddings(who: str, padding: Any, taps: Sizes, stride: Sizes, dilation: Sizes) -> Pairs:
    """Return how much to pad before and after each axis, of a number or ``"valid"`` or ``"same"``."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in each(who, "padding", padding, len(taps), 0))
    if padding == "valid":
        return ((0, 0),) * len(taps)
    if padding != "same":
        raise ValueError(message(who, f"padding={padding!r}", "whole numbers, 'valid' or 'same'"))
    if any(s != 1 for s in stride):
        raise ValueError(message(who, f"padding='same' with stride={stride}",
                                 "stride 1, which keeps the size", "padding as a number"))  # fmt: skip
    totals = [d * (k - 1) for k, d in zip(taps, dilation, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def _images(who: str, x: Any, channels: int, spatial: int) -> Any:
    """Return the input as an array or Tensor; check its axes and channels."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    lengths_of(who, x, spatial, channels)
    if x.shape[-spatial - 1] != channels:
        came = counted(x.shape[-spatial - 1], "channel")
        hint = ""
        if x.shape[-1] == channels:
            hint = f"ops.moveaxis(x, -1, {-spatial - 1}), if the channels are the last axis"
        elif x.ndim == spatial + 1 and x.shape[0] > 1 and channels == 1:
            hint = "x[:, np.newaxis], if these are images of one channel"
        raise ValueError(message(who, f"{came} (an input of shape {x.shape})",
                                 counted(channels, "channel"), hint))  # fmt: skip
    return x


def _weight(who: str, w: Any, b: Any, groups: int, spatial: int, transposed: bool) -> tuple[Any, Any]:
    """Check weight, bias and groups; return weight and bias as arrays or Tensors."""
    w = w if hasattr(w, "shape") else np.asarray(w)
    if w.ndim != spatial + 2:
        form = "C, O / groups" if transposed else "O, C / groups"
        raise ValueError(message(who, f"a weight of shape {w.shape}", f"({form}, {spatial} sizes)"))
    check_sizes(who, groups=groups)
    if w.shape[0] % groups:
        which = "in" if transposed else "out"
        raise ValueError(message(who, f"groups={groups} for {w.shape[0]} {which}_channels",
                                 "a divisor of it"))  # fmt: skip
    if b is not None:
        b = b if hasattr(b, "shape") else np.asarray(b)
        out = w.shape[1] * groups if transposed else w.shape[0]
        if b.shape != (out,):
            raise ValueError(message(who, f"a bias of shape {b.shape}", f"({out},)"))
    return w, b


def convolve(
    who: str, spatial: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Tensor:  # fmt: skip
    """Return the convolution over ``spatial`` axes; errors are in the name of ``who``."""
    w, b = _weight(who, weight, bias, groups, spatial, False)
    x = _images(who, input, w.shape[1] * groups, spatial)
    stride = each(who, "stride", stride, spatial)
    dilation = each(who, "dilation", dilation, spatial)
    taps = w.shape[2:]
    pairs = paddings(who, padding, taps, stride, dilation)
    size = x.shape[-spatial:]
    if min(output_size(size, taps, stride, pairs, dilation)) < 1:
        padded = tuple(n + p + q for n, (p, q) in zip(size, pairs, strict=True))
        reach = tuple(d * (k - 1) + 1 for k, d in zip(taps, dilation, strict=True))
        raise ValueError(message(
            who, f"an input of size {size}, {padded} with its padding, and a kernel that reaches over "
            f"{reach}", "a kernel within the padded input", "more padding, or a smaller kernel"))  # fmt: skip
    how = {"stride": stride, "padding": pairs, "dilation": dilation, "groups": groups}
    y: Tensor = in_batch(
        lambda x: product(x, w, **how) if b is None else affine(x, w, b, **how), x, spatial + 2)
    return y


def transpose(
    who: str, spatial: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any,
    output_padding: Any, groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    """Return the transposed convolution over ``spatial`` axes; errors are in the name of ``who``."""
    w, b = _weight(who, weight, bias, groups, spatial, True)
    x = _images(who, input, w.shape[0], spatial)
    stride = each(who, "stride", stride, spatial)
    dilation = each(who, "dilation", dilation, spatial)
    padding = each(who, "padding", padding, spatial, 0)
    more = each(who, "output_padding", output_padding, spatial, 0)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise ValueError(message(
            who, f"output_padding={output_padding}", "less than the stride or the dilation, which are "
            f"{stride} and {dilation}"))  # fmt: skip
    size = transposed_size(x.shape[-spatial:], w.shape[2:], stride, padding, more, dilation)
    if min(size) < 1:
        raise ValueError(message(who, f"an output of size {size}", "1 or more", "less padding"))
    how = {"stride": stride, "dilation": dilation, "groups": groups,
           "padding": tuple((p, p - m) for p, m in zip(padding, more, strict=True))}  # fmt: skip
    y: Tensor = in_batch(lambda x: spread(x, w, size=size, **how), x, spatial + 2)
    return y if b is None else y + ops.reshape(b, (-1, *(1,) * spatial))


def transposed_size(
    size: Sizes, taps: Sizes, stride: Sizes, padding: Sizes, more: Sizes, dilation: Sizes
) -> Sizes:
    """Return (n - 1) s - 2 p + d (k - 1) + 1 + m for each axis."""
    return tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 + m
                 for n, k, s, p, m, d in zip(size, taps, stride, padding, more, dilation))  # fmt: skip


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return ``y[n, o, i] = b[o] + sum_(c, k) w[o, c, k] x[n, c, s i + d k - p]``, with x 0 outside.

    Args:
        input: (N, C, L) or (C, L).
        weight: (O, C / groups, K).
        bias: (O,), or None.
        stride: the step s between two places of the filter.
        padding: zeros p at both ends; ``"valid"`` is 0, ``"same"`` as many as keep the size.
        dilation: the distance d of two neighbouring taps.
        groups: into how many groups channels are split; a group of outputs sees its group of inputs only.

    Returns:
        (N, O, L') with ``L' = floor((L + 2 p - d (K - 1) - 1) / s) + 1``, or (O, L').

    Raises:
        ValueError: shapes that do not fit, or numbers that are too small.
        TypeError: numbers that are not whole.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> x, w = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[1.0, -1.0]]])
    >>> nn.functional.conv1d(x, w)
    array([[[-1., -2.]]])
    >>> nn.functional.conv1d(x, w[..., ::-1])[0, 0], np.convolve(x[0, 0], w[0, 0], "valid")
    (array([1., 2.]), array([1., 2.]))
    """
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the convolution of images: :func:`conv1d` over two axes.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (O, C / groups, K, K').
        bias: (O,), or None.
        stride, padding, dilation: a number, or one for each axis.
        groups: as of :func:`conv1d`.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> image = np.array([[0.0, 0.0, 1.0, 0.0, 0.0]] * 3)
    >>> vertical = np.array([[-1.0, 2.0, -1.0]] * 3)
    >>> nn.functional.conv2d(image[None], vertical[None, None])
    array([[[-3.,  6., -3.]]])
    """
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """Return the convolution of volumes: :func:`conv1d` over three axes.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        weight: (O, C / groups, K, K', K'').
        bias, stride, padding, dilation, groups: as of :func:`conv2d`.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.functional.conv3d(np.ones((1, 2, 2, 2)), np.ones((1, 1, 2, 2, 1)))
    array([[[[4., 4.]]]])
    """
    return convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Return the transposed convolution: each number of the input times the filter, at its place, summed.

    As a matrix it is that of :func:`conv1d` with the same weight, transposed: the gradient of a convolution
    with respect to its input, read forward.

    Args:
        input: (N, C, L) or (C, L).
        weight: (C, O / groups, K).
        bias: (O,), or None.
        stride: the step between two places of the filter in the output.
        padding: how much is cut off at both ends of the output.
        output_padding: how much longer the output is at its end: of the sizes which a convolution with this
            stride maps to the input's, the one that is meant.
        groups, dilation: as of :func:`conv1d`.

    Returns:
        (N, O, L') with ``L' = (L - 1) s - 2 p + d (K - 1) + 1 + output_padding``, or (O, L').

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.functional.conv_transpose1d(np.array([[1.0, 10.0]]), np.array([[[1.0, 2.0, 3.0]]]), stride=2)
    array([[ 1.,  2., 13., 20., 30.]])
    """
    who = "conv_transpose1d"
    return transpose(who, 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Return the transposed convolution of images: :func:`conv_transpose1d` over two axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.functional.conv_transpose2d(np.array([[[1.0, 2.0]]]), np.ones((1, 1, 2, 2)))
    array([[[1., 3., 2.],
            [1., 3., 2.]]])
    """
    who = "conv_transpose2d"
    return transpose(who, 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Return the transposed convolution of volumes: :func:`conv_transpose1d` over three axes.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.functional.conv_transpose3d(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 1, 2)))
    array([[[[1., 2., 1.]]]])
    """
    who = "conv_transpose3d"
    return transpose(who, 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def convolution_matrix(
    weight: Any, size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Return the matrix M of a convolution, ``y.ravel() = M @ x.ravel()``, for images of one size.

    A convolution is a fully connected layer whose weights are tied: each number of the kernel stands in many
    places of M, all others are 0. M is differentiable with respect to the kernel, whose gradient is the sum
    of the gradients at these places; and ``M.T`` is the transposed convolution. For small sizes: M has
    (numbers in y) x (numbers in x) entries.

    Args:
        weight: (O, C / groups, K, ...), with one to three spatial axes.
        size: of x, a number or one for each spatial axis.
        stride, padding, dilation, groups: as of :func:`conv2d`.

    >>> import numpy as np, autograd_core as ag
    >>> from autograd_core import nn
    >>> w = ag.tensor([[[1.0, 2.0]]], requires_grad=True)
    >>> M = nn.functional.convolution_matrix(w, 4)
    >>> M.data
    array([[1., 2., 0., 0.],
           [0., 1., 2., 0.],
           [0., 0., 1., 2.]], dtype=float32)
    >>> M.sum().backward()
    >>> w.grad
    array([[[3., 3.]]], dtype=float32)
    """
    w = weight if hasattr(weight, "shape") else np.asarray(weight)
    spatial = w.ndim - 2
    if spatial not in (1, 2, 3):
        raise ValueError(message("convolution_matrix", f"a weight of shape {w.shape}",
                                 "(O, C / groups, K, ...) with one to three spatial axes"))  # fmt: skip
    sizes = each("convolution_matrix", "size", size, spatial)
    channels = w.shape[1] * groups
    basis = np.eye(channels * prod(sizes), dtype=w.dtype).reshape(-1, channels, *sizes)
    y = convolve("convolution_matrix", spatial, basis, w, None, stride, padding, dilation, groups)
    return ops.reshape(y, (len(basis), -1)).T
