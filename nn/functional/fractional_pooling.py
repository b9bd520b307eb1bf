"""Max pooling that shrinks an image by any factor, through windows at random places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from autograd_core import ops, random
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .axes import Size, each, for_each, lengths_of

__all__ = [
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]  # fmt: skip

Ratio = float | Sequence[float]


def fractional_settings(op: str, n: int, kernel_size: Any, output_size: Any, output_ratio: Any) -> Any:
    """Return the size of a window, and the output's size or its ratio to the input's, for n axes."""
    size = each(op, "kernel_size", kernel_size, n)
    if (output_size is None) == (output_ratio is None):
        given = f"output_size={output_size}, output_ratio={output_ratio}"
        raise ValueError(message(op, given, "one of them"))
    if output_size is not None:
        return size, each(op, "output_size", output_size, n), None
    ratio = for_each(output_ratio, n)
    if len(ratio) != n or not all(0 < r < 1 for r in ratio):
        raise ValueError(message(op, f"output_ratio={output_ratio}", f"one number or {n} between 0 and 1"))
    return size, None, ratio


def _starts(length: int, out: int, size: int, samples: Any) -> Any:
    """Return where the windows of each block begin: (blocks, out), in the samples' precision."""
    starts = np.full((len(samples), out), length - size)
    if out > 1:
        kind = samples.dtype.type
        step = kind(length - size) / kind(out - 1)
        u = samples[:, None]
        ends = (np.arange(out - 1).astype(kind) + u) * step
        starts[:, :-1] = ends.astype(int) - (u * step).astype(int)
    return starts


def _first_largest(block: Any) -> Any:
    """Return the place of each row's first largest element, or of its last NaN."""
    places = np.argmax(block, axis=-1)
    if block.dtype.kind == "f" and np.isnan(block).any():
        nan = np.isnan(block)
        last = block.shape[-1] - 1 - np.argmax(nan[..., ::-1], axis=-1)
        places = np.where(nan.any(axis=-1), last, places)
    return places


def _gathered(x: Any, places: Any, n: int) -> Any:
    """Return the elements at places that are counted over the last n axes."""
    shape = np.shape(x)
    blocks = prod(shape[:-n])
    start = np.arange(blocks).reshape(*shape[:-n], *[1] * n) * prod(shape[-n:])
    return ops.getitem(ops.reshape(x, (-1,)), places + start)


def _fractional(
    op: str, n: int, x: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool,
    samples: Any,
) -> Any:  # fmt: skip
    size, out, ratio = fractional_settings(op, n, kernel_size, output_size, output_ratio)
    lengths = lengths_of(op, x, n)
    out = out or tuple(int(m * r) for m, r in zip(lengths, ratio))
    for length, k, m in zip(lengths, size, out):
        if m < 1 or m + k - 1 > length:
            raise ValueError(message(
                op, f"an input of shape {np.shape(x)} for {m} windows of {k}",
                f"{m + k - 1} or more along this axis" if m else "at least one window"))  # fmt: skip
    values = as_array(strip(x))
    lead = values.shape[:-n]
    shape = (*(lead if len(lead) == 2 else (1, *lead)), n)
    if samples is None:
        kind = values.dtype if values.dtype.kind == "f" else np.float64
        samples = random.generator().random(shape).astype(kind)
    samples = as_array(strip(samples))
    if samples.shape != shape:
        raise ValueError(message(op, f"_random_samples of shape {samples.shape}", f"{shape}"))
    places = _places(values, samples, lengths, size, out)
    y = _gathered(x, places, n)
    return (y, places) if return_indices else y


@kernel
def _places(values: Any, samples: Any, lengths: Any, size: Any, out: Any) -> Any:
    """Return where the largest element of each window stands, counted over the last axes."""
    n = len(lengths)
    u = samples.reshape(-1, n)
    blocks = len(u)
    place = np.zeros((blocks, *[1] * (2 * n)), np.intp)  # (blocks, windows along each axis, places in one)
    for axis, (length, k, m) in enumerate(zip(lengths, size, out)):
        column = u[:, n - 1 - axis] if n == 2 else u[:, axis]  # in two dimensions the width comes first
        at = _starts(length, m, k, column)[:, :, None] + np.arange(k)
        view = [blocks, *[1] * (2 * n)]
        view[1 + axis], view[1 + n + axis] = m, k
        place = place * length + at.reshape(view)
    place = place.reshape(blocks, prod(out), prod(size))
    block = np.take_along_axis(values.reshape(blocks, 1, -1), place, axis=2)
    chosen = np.take_along_axis(place, _first_largest(block)[..., None], axis=2)
    return chosen.reshape(*values.shape[:-n], *out)


def fractional_max_pool2d(
    input: Any, kernel_size: Size, output_size: Size | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = False, _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Return the largest elements of windows of one size, whose distances vary at random.

    With ``a = (L - k) / (n - 1)`` window i of n begins at ``floor((i + u) a) - floor(u a)``, the last at
    L - k; u is drawn for each channel and axis. [Graham, Fractional Max-Pooling, 2014]

    Args:
        input: (..., C, H, W).
        kernel_size: k.
        output_size: H' and W', or one number for both; or
        output_ratio: by what to multiply H and W, between 0 and 1.
        return_indices: return also the places of the elements in the flattened (H, W).
        _random_samples: u, (N, C, 2), for W and H; drawn if None.

    Returns:
        (..., C, H', W'), and integers of this shape.

    Raises:
        ValueError: not one of size and ratio, or too many windows for the input.

    >>> from autograd_core import nn
    >>> nn.functional.fractional_max_pool2d(np.arange(25.0).reshape(1, 5, 5), 2, output_size=3).shape
    (1, 3, 3)
    """
    return _fractional("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio,
                       return_indices, _random_samples)  # fmt: skip


def fractional_max_pool3d(
    input: Any, kernel_size: Size, output_size: Size | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = False, _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Return the largest elements of windows at random places: see :func:`fractional_max_pool2d`.

    ``_random_samples`` are (N, C, 3), for D, H and W.

    >>> from autograd_core import nn
    >>> nn.functional.fractional_max_pool3d(np.zeros((1, 4, 4, 4)), 2, output_ratio=0.5).shape
    (1, 2, 2, 2)
    """
    return _fractional("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio,
                       return_indices, _random_samples)  # fmt: skip


def fractional_max_pool2d_with_indices(
    input: Any, kernel_size: Size, output_size: Size | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = True, _random_samples: Any = None,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Return :func:`fractional_max_pool2d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.fractional_max_pool2d_with_indices(np.arange(9.0).reshape(1, 3, 3), 2, 1)
    (array([[[8.]]]), array([[[8]]]))
    """
    pooled: tuple[Tensor, Any] = fractional_max_pool2d(
        input, kernel_size, output_size, output_ratio, True, _random_samples)  # fmt: skip
    return pooled


def fractional_max_pool3d_with_indices(
    input: Any, kernel_size: Size, output_size: Size | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = True, _random_samples: Any = None,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Return :func:`fractional_max_pool3d` and the places of the largest elements.

    >>> from autograd_core import nn
    >>> nn.functional.fractional_max_pool3d_with_indices(np.arange(27.0).reshape(1, 3, 3, 3), 2, 1)[1].item()
    26
    """
    pooled: tuple[Tensor, Any] = fractional_max_pool3d(
        input, kernel_size, output_size, output_ratio, True, _random_samples)  # fmt: skip
    return pooled
