"""What pooling functions share: windows along the last axes, their sizes, and the operations on them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.kernels import pooling as kernels
from autograd_core.primitive import Operation, declare, kernel, linear

from .axes import each, lengths_of

__all__: list[str] = []

Windows = tuple[tuple[int, int, int, int, int], ...]

# -- operations ------------------------------------------------------------------------------------


def _largest(x: Any, *, windows: Any, out: Any = None) -> Any:
    return kernels.max_windows(x, windows, out)


def _spread_to_first(g: Any, x: Any, y: Any, *, windows: Any, out: Any = None) -> Any:
    return kernels.spread_to_first(g, x, y, windows, out)


@kernel
def _pick_first(t: Any, x: Any, y: Any, *, windows: Any) -> Any:
    blocks = prod(y.shape[: y.ndim - len(windows)])
    places = kernels.first_places(x, y, windows).reshape(blocks, y.size // max(blocks, 1))
    return np.take_along_axis(t.reshape(blocks, t.size // max(blocks, 1)), places, 1).reshape(y.shape)


max_windows: Operation = declare(
    kernel(_largest, out=True), (lambda g, y, x, *, windows: to_first(g, x, y, windows=windows),),
    saves="y x", name="max_pool", kinks="ties: the first element",
    doc="The largest element of each window: x_bar is g where the first of the largest is.",
).defjvp(lambda t, y, x, *, windows: of_first(t, x, y, windows=windows))  # fmt: skip
to_first: Operation = declare(
    kernel(_spread_to_first, out=True),
    (lambda h, out, g, x, y, *, windows: of_first(h, x, y, windows=windows), None, None),
    saves=("x y", "", ""), name="max_pool_spread",
    doc="g of each window where the first of its largest elements is: linear in g; x and y say where.",
).defjvp(lambda t, out, g, x, y, *, windows: to_first(t, x, y, windows=windows), None, None)  # fmt: skip
of_first: Operation = declare(
    _pick_first, (lambda g, out, t, x, y, *, windows: to_first(g, x, y, windows=windows), None, None),
    saves=("x y", "", ""), name="max_pool_pick",
    doc="Elements of t where the first of each window's largest is: the adjoint of max_pool_spread.",
).defjvp(lambda t, out, u, x, y, *, windows: of_first(t, x, y, windows=windows), None, None)  # fmt: skip


def _sum(x: Any, *, windows: Any, out: Any = None) -> Any:
    return kernels.sum_windows(x, windows, out)


def _add(g: Any, *, windows: Any, lengths: Any, out: Any = None) -> Any:
    return kernels.add_windows(g, windows, lengths, out)


sum_windows: Operation = linear(
    kernel(_sum, out=True),
    lambda g, y, x, *, windows: add_windows(g, windows=windows, lengths=x.shape[x.ndim - len(windows) :]),
    name="sum_pool", doc="The sum of each window.",
)  # fmt: skip
add_windows: Operation = linear(
    kernel(_add, out=True), lambda g, y, x, *, windows, lengths: sum_windows(g, windows=windows),
    name="sum_pool_spread", doc="Each element added to all places of its window: the adjoint of sum_pool.",
)  # fmt: skip

# -- sizes -----------------------------------------------------------------------------------------


def settings(
    op: str, n: int, kernel_size: Any, stride: Any, padding: Any = 0, dilation: Any = 1
) -> tuple[tuple[int, ...], ...]:
    """Return size, stride, padding and dilation for each of n axes, held to what is possible."""
    size = each(op, "kernel_size", kernel_size, n)
    step = size if stride is None else each(op, "stride", stride, n)
    pad, far = each(op, "padding", padding, n, 0), each(op, "dilation", dilation, n)
    for k, p, d in zip(size, pad, far):
        if p > ((k - 1) * d + 1) // 2:
            raise ValueError(message(
                op, f"padding={padding} for windows of {(k - 1) * d + 1}",
                f"at most half a window, {((k - 1) * d + 1) // 2}",
                "F.pad before it"))  # fmt: skip
    return size, step, pad, far


def windows_of(
    op: str, x: Any, n: int, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Windows:  # fmt: skip
    """Return the windows over the last n axes of an input, as the kernels take them.

    There are ``floor((L + 2 padding - dilation (size - 1) - 1) / stride) + 1`` along an axis of length L;
    with ``ceil_mode`` one more may jut out at the end, if it starts within the input or its padding in front.

    Raises:
        ValueError: none fits.
    """
    sizes = settings(op, n, kernel_size, stride, padding, dilation)
    windows = []
    for length, k, s, p, d in zip(lengths_of(op, x, n), *sizes):
        rest = length + 2 * p - d * (k - 1) - 1
        count = (-(-rest // s) if ceil_mode else rest // s) + 1
        if ceil_mode and (count - 1) * s >= length + p:
            count -= 1
        if rest < 0 and not (ceil_mode and count > 0):
            reach = d * (k - 1) + 1
            raise ValueError(message(
                op, f"an input of shape {np.shape(x)}",
                f"at least {reach - 2 * p} where it is {length}, for a window of {reach} and padding {p}",
                "a smaller kernel_size, or padding"))  # fmt: skip
        if any(start % d >= length for start in range(-p, min(0, count * s - p), s)):
            raise ValueError(message(
                op, f"dilation={dilation} with padding={padding} for an input of shape {np.shape(x)}",
                "an element in each window, not padding alone"))  # fmt: skip
        windows.append((k, s, p, d, count))
    return tuple(windows)
