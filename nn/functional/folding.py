"""Patches of images as columns, and columns summed back into images."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from . import convolution_products as products
from .axes import each, in_batch, lengths_of
from .convolution_products import folded, unfolded

__all__ = ["fold", "unfold"]


def _settings(who: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    return {
        "taps": each(who, "kernel_size", kernel_size, 2),
        "stride": each(who, "stride", stride, 2),
        "padding": tuple((p, p) for p in each(who, "padding", padding, 2, 0)),
        "dilation": each(who, "dilation", dilation, 2),
    }


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Return the patches under a sliding kernel as columns: what a convolution multiplies with its weights.

    Args:
        input: images (N, C, H, W) or (C, H, W).
        kernel_size, dilation, padding, stride: a number, or one for each of the two axes.

    Returns:
        (N, C K K', L) with L places of the kernel, or (C K K', L).

    Raises:
        ValueError: another number of axes, or a kernel larger than the padded image.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.functional.unfold(np.arange(6.0).reshape(1, 2, 3), 2)
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    how = _settings("unfold", kernel_size, dilation, padding, stride)
    x = input if hasattr(input, "shape") else np.asarray(input)
    size = lengths_of("unfold", x, 2)
    if min(products.output_size(size, **how)) < 1:
        raise ValueError(message("unfold", f"images of size {size} with kernel_size={kernel_size}, "
                                 f"dilation={dilation}, padding={padding}",
                                 "a kernel within the padded image"))  # fmt: skip
    columns: Tensor = in_batch(lambda x: unfolded(x, **how), x, 4)
    return columns


def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Return images in which patches are summed where they overlap: the adjoint of :func:`unfold`.

    Args:
        input: patches as columns, (N, C K K', L) or (C K K', L).
        output_size: (H, W) of the images.
        kernel_size, dilation, padding, stride: as of :func:`unfold`.

    Returns:
        (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: the number of rows or of columns does not fit.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.functional.fold(np.ones((4, 2)), (2, 3), 2)
    array([[[1., 2., 1.],
            [1., 2., 1.]]])
    """
    how = _settings("fold", kernel_size, dilation, padding, stride)
    size = each("fold", "output_size", output_size, 2)
    x = input if hasattr(input, "shape") else np.asarray(input)
    rows, places = prod(how["taps"]), products.output_size(size, **how)
    if min(places) < 1:
        raise ValueError(message("fold", f"output_size={output_size} with kernel_size={kernel_size}, "
                                 f"dilation={dilation}, padding={padding}",
                                 "a kernel within the padded image"))  # fmt: skip
    if x.ndim not in (2, 3) or x.shape[-2] % rows or x.shape[-1] != prod(places):
        expected = f"C * {rows}, {prod(places)})"
        raise ValueError(message("fold", f"an input of shape {x.shape}", f"(N, {expected} or ({expected}"))
    images: Tensor = in_batch(lambda x: folded(x, size=size, **how), x, 3)
    return images
