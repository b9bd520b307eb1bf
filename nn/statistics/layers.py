"""What each layer gives for a batch: its moments, and where an activation is flat."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import no_grad
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from ..activations.activation import Activation
from ..module import Module
from ..wrappers import Lambda
from .record import Layers, Record, joined, watch
from .table import Table, moments

__all__ = ["LayerStatistics", "flat_ends", "layer_statistics", "of_record"]

Array = ndarray[Any, Any]

SATURATED = 0.97  # of the way from the middle to an end: |tanh x| > 0.97, sigmoid outside 0.015 ... 0.985


@dataclass(frozen=True)
class LayerStatistics:
    """The outputs of one layer, and where a loss was given, the gradient with respect to them.

    Attributes:
        name, kind: the layer's dotted name and its class.
        shape: of the output.
        mean, std: of all its numbers.
        zeros: the share that is exactly zero.
        saturated: of an activation with two limits, the share of outputs beyond 97% of the way from
            the middle to either; None for others.
        dead: of an activation with a limit, the share of units flat for every sample, through which no
            gradient passes; None for others. A unit is an entry of the output, of images a channel.
        gradient_mean, gradient_std: of dL/d(output).
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    mean: float
    std: float
    zeros: float
    saturated: float | None
    dead: float | None
    gradient_mean: float | None = None
    gradient_std: float | None = None


def flat_ends(module: Any) -> tuple[float | None, float | None]:
    """Return where an activation ends at the far left and the far right; None where it goes on.

    >>> from autograd_core import nn
    >>> flat_ends(nn.Tanh()), flat_ends(nn.ReLU()), flat_ends(nn.Identity())
    ((-1.0, 1.0), (0.0, None), (None, None))
    """
    if not isinstance(module, (Activation, Lambda)):
        return None, None
    found = []
    try:
        with no_grad(), np.errstate(all="ignore"):
            for x in (-1e7, -1e6, 1e6, 1e7):
                y = strip(module.forward(np.full((1, 1), x)))
                found.append(float(y[0, 0]) if np.shape(y) == (1, 1) else math.nan)
    except Exception:  # a function that takes other inputs: its ends are not known
        return None, None
    a, b, c, d = found
    if abs(a - d) < 1e-5:  # a softmax of one number, say: nothing is known
        return None, None
    return (a if abs(a - b) < 1e-5 else None), (d if abs(c - d) < 1e-5 else None)


def _flat(y: Array, ends: tuple[float | None, float | None]) -> Array | None:
    """Return where outputs are flat: near two ends, or exactly at the only one."""
    low, high = ends
    if low is not None and high is not None:
        return np.abs(2 * (y - low) / (high - low) - 1) > SATURATED
    end = low if low is not None else high
    return None if end is None else y == end


def _layer_row(name: str, module: Any, outputs: list[Array], gradients: list[Array]) -> LayerStatistics:
    y = joined(outputs)
    ends = flat_ends(module)
    flat = _flat(y, ends)
    saturated = dead = None
    if flat is not None and flat.size:
        if None not in ends:
            saturated = float(flat.mean())
        if flat.ndim > 1 or len(outputs) == 1:
            dead = float(flat.all(axis=(0, *range(2, y.ndim)) if y.ndim > 3 else 0).mean())
    g = joined(gradients) if gradients else None
    return LayerStatistics(
        name, type(module).__name__, outputs[0].shape, *moments(y),
        float(np.mean(y == 0)) if y.size else math.nan, saturated, dead,
        *(moments(g) if g is not None else (None, None)),
    )  # fmt: skip


def of_record(record: Record) -> Table[LayerStatistics]:
    """Return a row for each layer that a Record saw being called."""
    return Table(
        _layer_row(name, record.layers[name], outputs, record.gradients[name])
        for name, outputs in record.outputs.items() if outputs
    )  # fmt: skip


def layer_statistics(
    model: Module, *inputs: Any, loss: Callable[[Any], Tensor] | None = None, layers: Layers = None
) -> Table[LayerStatistics]:
    """Return mean, deviation and saturation of what each layer gives for a batch, first to last.

    With Xavier's initialisation the deviation stays alike from layer to layer; with too small weights
    it vanishes, with too large ones the units saturate. [Glorot and Bengio, Understanding the Difficulty
    of Training Deep Feedforward Neural Networks, 2010]

    The model is run in the mode in which it is, and is afterwards what it was before.

    Args:
        model: the network.
        inputs: what it is called with.
        loss: a function of its output, whose gradients with respect to each layer's output are then
            told too.
        layers: the activations, or without any all layers that have none below them, if None; ``"all"``
            for all of the latter; or names, or classes.

    Raises:
        ValueError: ``layers`` of unknown names.
        TypeError: something that is not a Module.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> model = nn.MLP([2, 3, 3, 1], activation="tanh")
    >>> for p in model.parameters():
    ...     _ = nn.init.constant_(p, 1.0)
    >>> nn.statistics.layer_statistics(model, np.ones((4, 2)))
    name  kind  shape    mean       std  zeros  saturated  dead
    1     Tanh  (4, 3)  0.995  ...       0          1     1
    3     Tanh  (4, 3)  0.999  ...       0          1     1
    """
    return of_record(watch(model, *inputs, loss=loss, layers=layers))
