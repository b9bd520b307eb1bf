"""Several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.errors import message

from ..settings import check_sizes
from .canvas import COLOURS, figure
from .curves import curve_of, moving_average

__all__ = ["comparison"]


def comparison(
    runs: Mapping[str, Any], quantity: str = "loss", *, window: int | None = None, log: bool | None = None,
    x_label: str | None = None,
) -> Any:  # fmt: skip
    """Draw one quantity of several runs in one picture: optimizers, rates, networks beside each other.

    Args:
        runs: by name the numbers of a run, one for each step, or its history, of which the column
            ``quantity`` is drawn.
        quantity: what is drawn: the column and the label of the axis.
        window: how many values are averaged; by default a twentieth of them, if there are more than 100.
        log: whether the axis of values is logarithmic; by default that of a loss is, if it is positive.
        x_label: what is counted; by default "epoch" for histories and "step" for numbers.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: no runs, an empty run, or a window that is not positive.
        KeyError: a history without that column.
    """
    who = "comparison"
    if not isinstance(runs, Mapping) or not runs:
        raise ValueError(message(who, f"runs of type {type(runs).__name__}" if runs else "no runs",
                                 "at least one by its name", '{"Adam": losses}'))  # fmt: skip
    if window is not None:
        check_sizes(who, window=window)
    histories = any(isinstance(run, Mapping) for run in runs.values())
    curves = {}
    for name, run in runs.items():
        if isinstance(run, Mapping) and quantity not in run:
            raise KeyError(message(who, f"{quantity!r}, which the run {name!r} has not",
                                   f"one of {', '.join(map(str, run))}"))  # fmt: skip
        y = curve_of(who, run[quantity] if isinstance(run, Mapping) else run, name)
        n = window or (len(y) // 20 if len(y) > 100 else 1)
        curves[str(name)] = min(n, len(y)), moving_average(y, min(n, len(y)))
    made = figure(who)
    ax = made.add_subplot(xlabel=x_label or ("epoch" if histories else "step"))
    ax.set_ylabel(quantity.replace("_", " "))
    styles = ("-", "--", "-.", ":")
    for i, (name, (n, y)) in enumerate(curves.items()):
        ax.plot(np.arange(n, n + len(y)), y, color=COLOURS[i % len(COLOURS)], label=name,
                linestyle=styles[i // len(COLOURS) % 4], marker="o" if len(y) == 1 else None)  # fmt: skip
    values = np.concatenate([y[np.isfinite(y)] for _, y in curves.values()])
    if (("loss" in quantity) if log is None else log) and values.size and values.min() > 0:
        ax.set_yscale("log")
    ax.legend(fontsize="small", ncols=1 + len(curves) // 12)
    return made
