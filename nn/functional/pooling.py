"""Pooling: the largest element, the mean or the p-norm of windows that slide over the last axes.

Inputs are (C, L), (C, H, W) or (C, D, H, W), or the same behind a batch axis; each channel is pooled alone.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.kernels.pooling import first_places
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .axes import Size, each
from .pooling_windows import Windows, max_windows, sum_windows, windows_of

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d",
    "max_pool3d_with_indices",
]  # fmt: skip

# -- the largest element ---------------------------------------------------------------------------


_first_places = kernel(first_places, out=True)


def largest(x: Any, windows: Windows, return_indices: bool) -> Any:
    """Return the maxima of windows and, if asked for, their places in the last axes, flattened."""
    y = max_windows(x, windows=windows)
    return (y, _first_places(as_array(strip(x)), as_array(strip(y)), windows)) if return_indices else y


def max_pool1d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest element of each window: see :func:`max_pool2d`; (..., C, L) -> (..., C, L').

    >>> from autograd_core import nn
    >>> nn.functional.max_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[3., 2.]])
    """
    windows = windows_of("max_pool1d", input, 1, kernel_size, stride, padding, dilation, ceil_mode)
    return largest(input, windows, return_indices)


def max_pool2d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest element of each window.

    ``y[c, i, j] = max_{k, l} x[c, i s + k d - p, j s + l d - p]``. The gradient of a window goes to
    the first of its largest elements. A window with NaN gives NaN.

    Args:
        input: (..., C, H, W).
        kernel_size: size of a window.
        stride: from one window to the next; by default ``kernel_size``.
        padding: minus infinity at both ends of each axis, at most half a window.
        dilation: from one element of a window to the next.
        ceil_mode: keep a last window that juts out.
        return_indices: return also the places of the largest elements in the flattened (H, W).

    Returns:
        (..., C, H', W'), and integers of this shape, with
        ``H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1``.

    Raises:
        ValueError: the input has another number of axes, or no window fits.

    >>> from autograd_core import nn
    >>> nn.functional.max_pool2d(np.array([[[1.0, 3.0], [2.0, 0.0]]]), 2, return_indices=True)
    (array([[[3.]]]), array([[[1]]]))
    """
    windows = windows_of("max_pool2d", input, 2, kernel_size, stride, padding, dilation, ceil_mode)
    return largest(input, windows, return_indices)


def max_pool3d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest element of each window of volumes, (..., C, D, H, W): see :func:`max_pool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).shape
    (1, 1, 1, 1)
    """
    windows = windows_of("max_pool3d", input, 3, kernel_size, stride, padding, dilation, ceil_mode)
    return largest(input, windows, return_indices)


def max_pool1d_with_indices(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = True,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Return :func:`max_pool1d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.max_pool1d_with_indices(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    (array([[3., 2.]]), array([[1, 2]]))
    """
    pooled: tuple[Tensor, Any] = max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return pooled


def max_pool2d_with_indices(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = True,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Return :func:`max_pool2d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.max_pool2d_with_indices(np.array([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    (array([[[3.]]]), array([[[1]]]))
    """
    pooled: tuple[Tensor, Any] = max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return pooled


def max_pool3d_with_indices(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = True,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Return :func:`max_pool3d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.max_pool3d_with_indices(np.arange(8.0).reshape(1, 2, 2, 2), 2)[1].item()
    7
    """
    pooled: tuple[Tensor, Any] = max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return pooled


# -- the mean --------------------------------------------------------------------------------------


def average(
    op: str, n: int, x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    windows = windows_of(op, x, n, kernel_size, stride, padding, 1, ceil_mode)
    y = sum_windows(x, windows=windows)
    if divisor_override is not None:
        if divisor_override == 0:
            raise ValueError(message(op, "divisor_override=0", "another number, or None"))
        return y / divisor_override
    counts = []  # of the places that each window has along an axis
    for length, (size, stride, pad, _, count) in zip(np.shape(x)[-n:], windows):
        start = np.arange(count) * stride - pad
        end = np.minimum(start + size, length + pad)
        counts.append(end - start if count_include_pad else np.minimum(end, length) - np.maximum(start, 0))
    if all((c == c[0]).all() for c in counts):
        return y * (1 / math.prod(int(c[0]) for c in counts))
    each_window = reduce(np.multiply.outer, counts)
    return y * np.reciprocal(each_window, dtype=np.result_type(y.dtype, np.float16))


def avg_pool1d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """Return the mean of each window: see :func:`avg_pool2d`; (..., C, L) -> (..., C, L').

    >>> from autograd_core import nn
    >>> nn.functional.avg_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[2., 1.]])
    """
    y: Tensor = average("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)
    return y


def avg_pool2d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the mean of each window, ``y[c, i, j] = 1/k^2 sum_{m, n} x[c, i s + m - p, j s + n - p]``.

    Args:
        input: (..., C, H, W).
        kernel_size: size of a window.
        stride: from one window to the next; by default ``kernel_size``.
        padding: zeros at both ends of each axis, at most half a window.
        ceil_mode: keep a last window that juts out; what lies beyond the padding does not count.
        count_include_pad: whether these zeros count as elements.
        divisor_override: divide by this, not by the number of elements.

    Returns:
        (..., C, H', W'), with ``H' = floor((H + 2 padding - kernel_size) / stride) + 1``.

    Raises:
        ValueError: the input has another number of axes, or no window fits.

    >>> from autograd_core import nn
    >>> nn.functional.avg_pool2d(np.array([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    array([[[1.5]]])
    """
    y: Tensor = average("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                        divisor_override)  # fmt: skip
    return y


def avg_pool3d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the mean of each window of volumes, (..., C, D, H, W): see :func:`avg_pool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).item()
    3.5
    """
    y: Tensor = average("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                        divisor_override)  # fmt: skip
    return y


# -- the p-norm ------------------------------------------------------------------------------------


def _norms(op: str, n: int, x: Any, p: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    if p == 0 or p != p:
        raise ValueError(message(op, f"norm_type={p}", "a number other than 0"))
    if p == math.inf:
        return max_windows(np.abs(x), windows=windows_of(op, x, n, kernel_size, stride, 0, 1, ceil_mode))
    powers = ops.square(x) if p == 2 else x if p == 1 else x**p
    size = math.prod(each(op, "kernel_size", kernel_size, n))
    total = average(op, n, powers, kernel_size, stride, 0, ceil_mode, True) * size
    if p == 1:
        return total
    zero = np.equal(strip(total), 0)
    root = ops.where(zero, 1.0, total)
    return ops.where(zero, 0.0, np.sqrt(root) if p == 2 else root ** (1 / p))


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return the p-norm of each window: see :func:`lp_pool2d`; (..., C, L) -> (..., C, L').

    >>> from autograd_core import nn
    >>> nn.functional.lp_pool1d(np.array([[3.0, 4.0, 1.0, 0.0]]), 2, 2)
    array([[5., 1.]])
    """
    y: Tensor = _norms("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)
    return y


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return ``(sum x^p)^(1/p)`` of each window: the sum for p = 1, and for p = infinity the largest ``|x|``.

    As in PyTorch there is no absolute value around x, so for an odd p the sum may be negative and its root
    NaN; and with ``ceil_mode`` a window that juts out counts as if it were as full within as without. Where
    the sum is 0 the derivative is 0.

    Args:
        input: (..., C, H, W).
        norm_type: p.
        kernel_size, stride, ceil_mode: the windows, as in :func:`avg_pool2d`.

    Raises:
        ValueError: p is 0; the input has another number of axes, or no window fits.

    >>> from autograd_core import nn
    >>> nn.functional.lp_pool2d(np.array([[[1.0, 2.0], [2.0, 4.0]]]), 2, 2)
    array([[[5.]]])
    """
    y: Tensor = _norms("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)
    return y


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return the p-norm of each window of volumes, (..., C, D, H, W): see :func:`lp_pool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.lp_pool3d(np.ones((1, 2, 2, 4)), 4, 2).round(3).tolist()
    [[[[1.682, 1.682]]]]
    """
    y: Tensor = _norms("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
    return y
