"""Normalization: values brought to mean 0 and variance 1 over a batch, a layer, groups or instances.

All of them are ``y = (x - mean(x)) / sqrt(var(x) + eps) * w + b`` and differ in what the mean is taken over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import counted, message
from autograd_core.kernels import normalization as kernels
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from ..casting import taken
from .standardizing import moments, normalize_channels, normalize_vectors, scale_channels

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]

# -- images: statistics over some of the axes of (N, G, K, L) ---------------------------------------


def _each(name: str, channels: int, x: Any, value: Any, fill: float) -> Any:
    """Return a weight or a bias as (C,) in the dtype of x; None is a constant."""
    if value is None:
        return np.full(channels, fill, x.dtype)
    value = taken(value, x.dtype, name)
    if np.shape(value) != (channels,):
        raise ValueError(message(
            name, f"{counted(channels, 'channel')} (an input of shape {tuple(x.shape)}), a "
            f"weight or bias of shape {np.shape(value)}",
            f"one number for each channel, ({channels},)"))  # fmt: skip
    return value


def _images(
    name: str, input: Any, groups: int, axes: tuple[int, ...], weight: Any, bias: Any, eps: float,
    running: tuple[Any, Any] | None = None, momentum: Any = None,
) -> Tensor:  # fmt: skip
    """Normalize (N, C, ...) over ``axes`` of (N, groups, C / groups, L), and keep running statistics."""
    x = _array(name, input)
    n, channels = x.shape[:2]
    shape = (n, groups, channels // groups, math.prod(x.shape[2:]))
    small = (1, groups, channels // groups, 1)
    w = ops.reshape(_each(name, channels, x, weight, 1.0), small)
    b = ops.reshape(_each(name, channels, x, bias, 0.0), small)
    x4 = ops.reshape(x, shape)
    if running and momentum is None:
        mean, var = (v.astype(x.dtype, copy=False).reshape(small) if hasattr(v, "dtype")
                     else np.asarray(v, x.dtype).reshape(small) for v in running)  # fmt: skip
        y = scale_channels(x4, w, b, mean, 1 / np.sqrt(var + eps))
        return ops.reshape(y, x.shape)
    count = math.prod(shape[axis] for axis in axes)
    if count == 1:
        raise ValueError(message(
            name, f"one value per channel in training (an input of shape {tuple(x.shape)})",
            "more than one: their variance is needed", "eval()" if running else ""))  # fmt: skip
    mean, square = moments(strip(x4), axes)
    if running and momentum is not None and count:
        for kept, new in zip(running, (mean, square / (count - 1)), strict=True):
            way = np.add.reduce(new, axis=0).reshape(-1) / len(new) - kept
            kept += (momentum.astype(way.dtype) if hasattr(momentum, "dtype") else momentum) * way
    inv = 1 / np.sqrt(square / max(1, count) + eps)
    return ops.reshape(normalize_channels(x4, w, b, mean, inv, axes=axes, eps=eps), x.shape)


def _array(name: str, input: Any, least: int = 2) -> Any:
    x = input if hasattr(input, "shape") else np.asarray(input, float)
    if x.ndim < least:
        raise ValueError(message(name, f"an input of shape {tuple(x.shape)}",
                                 f"at least {least} axes, (N, C, ...)"))  # fmt: skip
    return x


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel over the batch: ``y = (x - mean) / sqrt(var + eps) * w + b``.

    [Ioffe and Szegedy, Batch Normalization, 2015]

    Args:
        input: (N, C) or (N, C, ...).
        running_mean, running_var: (C,), arrays that training updates in place and that stand for mean and
            variance otherwise; None to use those of the batch always.
        weight, bias: (C,), or None.
        training: whether mean and variance are those of the batch.
        momentum: how far the running statistics move to the batch's, whose variance is unbiased there.
        eps: added to the variance.

    Raises:
        ValueError: training with one value per channel; a wrong shape; neither training nor statistics.

    >>> from autograd_core import nn
    >>> mean, var = np.zeros(1), np.ones(1)
    >>> nn.functional.batch_norm(np.array([[1.0], [3.0]]), mean, var, training=True).round(3)
    array([[-1.], [ 1.]])
    >>> mean, var
    (array([0.2]), array([1.1]))
    """
    x = _array("batch_norm", input)
    given = [v for v in (running_mean, running_var) if v is not None]
    if len(given) == 1 or not (given or training):
        what = "no running statistics" if not given else "one of two statistics"
        raise ValueError(message("batch_norm", what, "running_mean and running_var", "training=True"))
    for v in given:
        _each("batch_norm", x.shape[1], x, strip(v), 0.0)
    running = (strip(running_mean), strip(running_var)) if given else None
    return _images("batch_norm", x, x.shape[1], (0, 2, 3), weight, bias, eps, running,
                   momentum if training else None)  # fmt: skip


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel of each example by itself. Arguments as of :func:`batch_norm`.

    [Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016]

    >>> from autograd_core import nn
    >>> nn.functional.instance_norm(np.array([[[1.0, 3.0], [10.0, 30.0]]])).round(3)
    array([[[-1., 1.], [-1., 1.]]])
    """
    x = _array("instance_norm", input, 3)
    tracked = running_mean is not None and running_var is not None
    running = (strip(running_mean), strip(running_var)) if tracked else None
    if not use_input_stats and running is None:
        raise ValueError(message("instance_norm", "no running statistics", "running_mean and running_var",
                                 "use_input_stats=True"))  # fmt: skip
    return _images("instance_norm", x, x.shape[1], (2, 3), weight, bias, eps, running,
                   momentum if use_input_stats else None)  # fmt: skip


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Normalize groups of channels of each example: one group is layer, C are instance normalization.

    [Wu and He, Group Normalization, 2018]

    Args:
        input: (N, C, ...).
        num_groups: the number of groups, which divides C.
        weight, bias: (C,), or None.
        eps: added to the variance.

    >>> from autograd_core import nn
    >>> nn.functional.group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2).round(3)
    array([[-1., 1., -1., 1.]])
    """
    x = _array("group_norm", input)
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(message("group_norm", f"{x.shape[1]} channels (an input of shape {tuple(x.shape)})",
                                 f"a multiple of num_groups={num_groups}"))  # fmt: skip
    return _images("group_norm", x, num_groups, (2, 3), weight, bias, eps)


# -- vectors: statistics over the last axes ---------------------------------------------------------


def _layers(
    name: str, input: Any, normalized_shape: int | Sequence[int], weight: Any, bias: Any, eps: float,
    centred: bool,
) -> Tensor:  # fmt: skip
    x = input if hasattr(input, "shape") else np.asarray(input, float)
    last = normalized_shape
    wanted = (last,) if isinstance(last, (int, np.integer)) else tuple(last)
    if not wanted or tuple(x.shape[-len(wanted) :]) != wanted:
        raise ValueError(message(name, f"an input of shape {tuple(x.shape)} for normalized_shape={wanted}",
                                 f"(*, {', '.join(map(str, wanted))})"))  # fmt: skip
    size = math.prod(wanted)
    w, b = (_elements(name, wanted, x, v, fill) for v, fill in ((weight, 1.0), (bias, 0.0)))
    rows = math.prod(x.shape[: -len(wanted)])
    flat = x if x.ndim == 2 and len(wanted) == 1 else ops.reshape(x, (rows, size))
    mean, square = _row_moments(strip(flat), centred)
    inv = 1 / np.sqrt(square / max(1, size) + eps)
    y: Tensor = normalize_vectors(
        flat, w, b, mean[:, np.newaxis], inv[:, np.newaxis], axes=(1,), eps=eps, centred=centred)
    return y if flat is x else ops.reshape(y, x.shape)


@kernel
def _row_moments(x: Any, centred: bool) -> Any:
    return kernels.moments(np.ascontiguousarray(x), centred)


def _elements(name: str, wanted: tuple[int, ...], x: Any, value: Any, fill: float) -> Any:
    if value is None:
        return np.full(math.prod(wanted), fill, x.dtype)
    value = taken(value, x.dtype, name)
    if np.shape(value) != wanted:
        raise ValueError(message(name, f"a weight or bias of shape {np.shape(value)}", f"{wanted}"))
    return value if len(wanted) == 1 else ops.reshape(value, (-1,))


def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize over the last axes: ``y = (x - mean) / sqrt(var + eps) * w + b``.

    [Ba, Kiros and Hinton, Layer Normalization, 2016]

    Args:
        input: (*, *normalized_shape).
        normalized_shape: lengths of the last axes, over which mean and variance are taken.
        weight, bias: of that shape, or None.
        eps: added to the variance.

    Raises:
        ValueError: the last axes of ``input`` do not have these lengths.

    >>> from autograd_core import nn
    >>> nn.functional.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), 2).round(3)
    array([[-1., 1.], [-1., 1.]])
    """
    return _layers("layer_norm", input, normalized_shape, weight, bias, eps, True)


def rms_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None
) -> Tensor:
    """Divide by the root of the mean square over the last axes: ``y = x / sqrt(mean(x^2) + eps) * w``.

    ``eps`` is the dtype's own (its ``finfo.eps``) by default.
    [Zhang and Sennrich, Root Mean Square Layer Normalization, 2019]

    >>> from autograd_core import nn
    >>> nn.functional.rms_norm(np.array([[3.0, 4.0]]), 2).round(3)
    array([[0.849, 1.131]])
    """
    if eps is None:
        dtype = getattr(input, "dtype", np.dtype(float))
        eps = float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    return _layers("rms_norm", input, normalized_shape, weight, None, eps, False)
