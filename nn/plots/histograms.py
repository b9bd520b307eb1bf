"""Histograms, layer by layer: of what a network computes, and of the gradients that come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from ..module import Module
from ..settings import check_sizes
from ..statistics.layers import LayerStatistics, flat_ends, of_record
from ..statistics.record import Layers, joined, watch
from .canvas import BLUE, ORANGE, grid, short

__all__ = ["activation_histograms", "gradient_histograms"]

Array = ndarray[Any, Any]


class _Panel(NamedTuple):
    """A histogram to be: its numbers, and the lines above it."""

    values: Array
    title: str
    text: str


def activation_histograms(
    model: Module, *inputs: Any, layers: Layers = None, bins: int = 50, share_x: bool = True,
    columns: int = 6,
) -> Any:  # fmt: skip
    """Draw a histogram of each layer's outputs for a batch, with their moments and saturation.

    "saturated" is the share of outputs beyond 97% of the way to either limit of the activation, "dead" that
    of units which are flat for every sample; zeros of a rectifier are told and not drawn. The numbers
    are those of :func:`nn.statistics.layer_statistics`, and as there the model is not changed.

    Args:
        model: the network.
        inputs: what it is called with.
        layers: the activations, or without any all layers that have none below them, if None; ``"all"``
            for all of the latter; or names, or classes.
        bins: how many.
        share_x: whether all layers have the same axis, on which they can be compared.
        columns: histograms in a row.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: ``layers`` of unknown names.
    """
    record = watch(model, *inputs, layers=layers)
    panels = []
    for row in of_record(record):
        y = joined(record.outputs[row.name]).ravel()
        rectified = row.saturated is None and row.dead is not None
        notes = [f"mean {row.mean:.2g}, std {row.std:.2g}"]
        if row.saturated is not None:
            notes.append(f"saturated {row.saturated:.0%}")
        if rectified:
            notes.append(f"zero {row.zeros:.0%}, dead {row.dead:.0%}")
            y = y[y != 0]
        panels.append(_Panel(y, _title(row), "\n".join(notes)))
    ends = {flat_ends(record.layers[name]) for name, found in record.outputs.items() if found}
    limits = next(iter(ends)) if len(ends) == 1 and None not in next(iter(ends)) else None
    return _draw("activation_histograms", panels, bins, share_x, columns, limits)


def gradient_histograms(
    model: Module, *inputs: Any, loss: Callable[[Any], Tensor] | None = None, layers: Layers = None,
    bins: int = 50, share_x: bool = True, columns: int = 6,
) -> Any:  # fmt: skip
    """Draw a histogram of the gradients, layer by layer.

    With inputs and a loss, of those with respect to each layer's outputs, which vanish or explode
    on the way back; without, of the parameters' ``grad``, as ``backward()`` left it.

    Args:
        model: the network.
        inputs: what it is called with; it is not changed.
        loss: a function of its output, such as ``lambda y: F.cross_entropy(y, labels)``.
        layers, bins, share_x, columns: as of :func:`activation_histograms`.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: inputs without a loss, a loss without inputs, or no gradients.
    """
    who = "gradient_histograms"
    if bool(inputs) != (loss is not None):
        raise ValueError(message(who, "a loss without inputs" if loss else "inputs without a loss",
                                 "both or none", "loss=lambda y: F.cross_entropy(y, labels)"))  # fmt: skip
    if loss is None:
        parameters = [(name, p) for name, p in model.named_parameters() if p.grad is not None]
        found = {name: np.asarray(strip(p.grad)) for name, p in parameters}
        titles = {name: name for name in found}
    else:
        record = watch(model, *inputs, loss=loss, layers=layers)
        found = {name: joined(seen) for name, seen in record.gradients.items() if seen}
        titles = {row.name: _title(row) for row in of_record(record)}
    if not found:
        raise ValueError(message(who, "no gradients", "loss.backward() before, or inputs and a loss"))
    panels = []
    for name, g in found.items():
        with np.errstate(all="ignore"):
            panels.append(_Panel(g.ravel(), titles[name], f"std {g.std():.2g}, norm {np.linalg.norm(g):.2g}"))
    return _draw(who, panels, bins, share_x, columns, None)


def _title(row: LayerStatistics) -> str:
    return f"{short(row.name, 16)}: {row.kind}" if row.name else row.kind


def _draw(
    who: str, panels: list[_Panel], bins: int, share_x: bool, columns: int, limits: Any
) -> Any:
    check_sizes(who, bins=bins)
    if not panels:
        raise ValueError(message(who, "no layer that was called", "a model whose layers are Modules"))
    made, axes = grid(who, len(panels), columns, 2.5, 2.4)
    ranges = [_range(panel.values) for panel in panels]
    if share_x:
        known = [r for r in ranges if r is not None]
        shared = limits or ((min(r[0] for r in known), max(r[1] for r in known)) if known else None)
        ranges = [shared] * len(panels)
    for ax, panel, span in zip(axes, panels, ranges):
        finite = panel.values[np.isfinite(panel.values)]
        low, high = span or (-0.5, 0.5)
        heights, edges = np.histogram(np.clip(finite, low, high), bins=bins, range=(low, high))
        ax.stairs(heights / max(1, heights.sum()), edges, fill=True, color=BLUE)
        margin = 0.03 * (high - low)
        ax.set_xlim(low - margin, high + margin)
        ax.set_title(f"{panel.title}\n{panel.text}", fontsize=8)
        ax.tick_params(labelsize=8)
        ax.locator_params(axis="x", nbins=4)
        ax.locator_params(axis="y", nbins=4)
        ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3), useMathText=True)
        ax.xaxis.get_offset_text().set_fontsize(8)
        if bad := panel.values.size - finite.size:
            ax.text(0.5, 0.9, f"{bad:,} not finite", transform=ax.transAxes, ha="center", va="top",
                    color=ORANGE, fontsize=8)  # fmt: skip
        elif not finite.size:
            ax.text(0.5, 0.5, "all zero", transform=ax.transAxes, ha="center", fontsize=8)
    made.supylabel("share of the numbers", fontsize=9)
    return made


def _range(values: Array) -> tuple[float, float] | None:
    """Return the range of all numbers but the outermost thousandth on each side."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    low, high = (float(v) for v in np.quantile(finite, (0.001, 0.999)))
    if not high > low:
        pad = abs(low) / 10 or 0.5
        return low - pad, high + pad
    return low, high
