"""Pictures of training, drawn with matplotlib (the extra ``plot``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["learning_curve"]


def learning_curve(losses: Sequence[float], window: int | None = None) -> Any:
    """Draw the loss at each step and its moving average; return matplotlib's Figure.

    Args:
        losses: the loss of each step.
        window: steps that are averaged; by default a twentieth of them.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: no losses.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "[learning_curve] needs matplotlib; try pip install 'autograd-core[plot]'"
        ) from error
    values = np.asarray(losses, dtype=float)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"[learning_curve] got losses of shape {values.shape}, expected (steps,)")
    n = max(1, len(values) // 20) if window is None else window
    smooth = np.convolve(values, np.full(n, 1 / n), mode="valid")
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss", yscale="log")
    axes.plot(np.arange(1, len(values) + 1), values, color="0.8", label="each step")
    axes.plot(np.arange(n, len(values) + 1), smooth, color="C0", label=f"mean of {n}")
    axes.legend()
    return figure
