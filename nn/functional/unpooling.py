"""Max pooling undone, as far as it can be: each largest element is put back where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .axes import Size, lengths_of
from .pooling_windows import settings

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def _unpooled_lengths(
    op: str, lengths: tuple[int, ...], sizes: Any, output_size: Sequence[int] | None
) -> tuple[int, ...]:
    size, stride, padding, _ = sizes
    usual = tuple((m - 1) * s + k - 2 * p for m, k, s, p in zip(lengths, size, stride, padding))
    if output_size is None:
        return usual
    n = len(lengths)
    given = tuple(int(m) for m in output_size)
    if len(given) not in (n, n + 1, n + 2):
        raise ValueError(message(op, f"output_size={given}", f"{n} lengths, or a whole shape"))
    given = given[-n:]
    for m, u, s in zip(given, usual, stride):
        if not u - s < m < u + s:
            raise ValueError(message(op, f"output_size={given}", " x ".join(
                f"{u - s + 1} to {u + s - 1}" for u, s in zip(usual, stride))))  # fmt: skip
    return given


@kernel
def _check_places(indices: Any, op: str, out: tuple[int, ...]) -> None:
    size = prod(out)
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        wrong = indices.min() if indices.min() < 0 else indices.max()
        raise ValueError(message(op, f"index {wrong} for an output of {' x '.join(map(str, out))}",
                                 f"0 to {size - 1}", "output_size=, the shape that was pooled"))  # fmt: skip


@kernel
def _last_ones(places: Any, size: int) -> Any:
    """Tell of each place whether it is none of those after it."""
    last, order = np.empty(size, np.intp), np.arange(places.size)
    last[places] = order
    return last[places] == order


def _unpool(
    op: str, n: int, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    lengths = lengths_of(op, x, n)
    indices = as_array(strip(indices))
    if indices.dtype.kind not in "iu":
        raise TypeError(message(op, f"indices of dtype {indices.dtype}", "integers",
                                "what max_pool gives with return_indices=True"))  # fmt: skip
    if indices.shape != np.shape(x):
        raise ValueError(message(op, f"indices of shape {indices.shape}", f"{np.shape(x)}, as the input"))
    out = _unpooled_lengths(op, lengths, settings(op, n, kernel_size, stride, padding), output_size)
    size, lead = prod(out), np.shape(x)[:-n]
    _check_places(indices, op, out)
    places = (indices.reshape(prod(lead), -1) + np.arange(prod(lead))[:, None] * size).ravel()
    x = ops.reshape(x, (-1,))
    stays = _last_ones(places, prod(lead) * size)
    if type(stays) is not np.ndarray or not stays.all():  # windows that overlap may have one largest element:
        x = ops.where(stays, x, 0)  # it is put back once
    return ops.reshape(ops.scatter(x, index=places, shape=(prod(lead) * size,)), (*lead, *out))


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Put the largest elements back where :func:`max_pool1d` found them: see :func:`max_unpool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.max_unpool1d(np.array([[3.0, 2.0]]), np.array([[1, 2]]), 2)
    array([[0., 3., 2., 0.]])
    """
    y: Tensor = _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)
    return y


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Put the largest elements back where :func:`max_pool2d` found them, among zeros.

    [Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014] Of several that go to one
    place the last one stays, and gets the gradient.

    Args:
        input: (..., C, H', W').
        indices: integers of this shape, places in the flattened (H, W).
        kernel_size, stride, padding: as in the pooling.
        output_size: (H, W), or the shape that was pooled; by default
            ``(H' - 1) stride - 2 padding + kernel_size``, and not further from it than the stride.

    Returns:
        (..., C, H, W).

    Raises:
        ValueError: an index that is not in the output, another shape, or an impossible ``output_size``.

    >>> from autograd_core import nn
    >>> nn.functional.max_unpool2d(np.array([[[3.0]]]), np.array([[[1]]]), 2)
    array([[[0., 3.],
            [0., 0.]]])
    """
    y: Tensor = _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)
    return y


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Put the largest elements back where :func:`max_pool3d` found them: see :func:`max_unpool2d`.

    >>> from autograd_core import nn
    >>> nn.functional.max_unpool3d(np.ones((1, 1, 1, 1)), np.array([[[[7]]]]), 2).sum().item()
    1.0
    """
    y: Tensor = _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
    return y
