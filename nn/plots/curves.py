"""Curves: losses and metrics over time, rates over steps, the loss over the rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from ..settings import check_sizes
from .canvas import BLUE, COLOURS, GREY, ORANGE, figure, grid, numbers

__all__ = ["learning_curve", "lr_range", "schedule"]

Array = ndarray[Any, Any]
FEW = 50  # up to so many values are marked as points


def learning_curve(
    losses: Any, window: int | None = None, *, log: bool | None = None, x_label: str | None = None,
    names: Sequence[str] | None = None,
) -> Any:  # fmt: skip
    """Draw the loss at each step and its moving average, or a history with a panel for each quantity.

    Args:
        losses: the loss of each step; or curves by name, such as ``{"loss": [...], "val_loss": [...],
            "accuracy": [...]}``, of which those of training and validation share a panel. What a
            history has in ``steps`` is drawn under the curves of its epochs.
        window: how many values are averaged; by default a twentieth of the steps. Curves by name are
            averaged only if it is given, or if they have more than 100 values. An average passes over
            values that are not finite; in curves by name NaN is an epoch without a value.
        log: whether the axis of values is logarithmic; by default that of a loss is, if it is positive.
        x_label: what is counted; by default "step" for a list and "epoch" for curves by name.
        names: which curves to draw; by default all but ``"seconds"``, the time that a history tells.

    Returns:
        matplotlib's Figure: ``.savefig("curve.png")``, and a notebook shows it.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: no losses, an unknown name, a curve of more than one axis, or a window that is not
            positive.
    """
    who = "learning_curve"
    if window is not None:
        check_sizes(who, window=window)
    curves, steps, counted = _gathered(who, losses, names)
    panels: dict[str, dict[str, Array]] = {}
    for name, curve in curves.items():
        panels.setdefault(_quantity(name), {})[name] = curve
    count = len(panels)
    made, axes = grid(who, count, min(count, 3), *((6, 4) if count == 1 else (4.5, 3.4)))
    for ax, (quantity, group) in zip(axes, panels.items()):
        ax.set(xlabel=x_label or counted, ylabel=quantity.replace("_", " "))
        _panel(ax, group, steps.get(quantity), window, isinstance(losses, Mapping))
        values = np.concatenate([*group.values(), steps.get(quantity, np.zeros(0))])
        values = values[np.isfinite(values)]
        use_log = log if log is not None else "loss" in quantity
        if use_log and values.size and values.min() > 0:
            ax.set_yscale("log")
        _ticks(ax, values, max(map(len, group.values())))
        if len(ax.get_legend_handles_labels()[0]) > 1:
            ax.legend()
        if not values.size:
            ax.text(0.5, 0.5, "no finite value", transform=ax.transAxes, ha="center", va="center")
    return made


def _gathered(
    who: str, losses: Any, names: Sequence[str] | None
) -> tuple[dict[str, Array], dict[str, Array], str]:
    """Return the curves to draw, those of steps to draw under them, and what is counted."""
    if not isinstance(losses, Mapping):
        return {"loss": curve_of(who, losses, "losses")}, {}, "step"
    steps = {k: curve_of(who, v, k) for k, v in getattr(losses, "steps", {}).items() if len(v)}
    wanted = [k for k in losses if k != "seconds"] if names is None else list(names)
    if unknown := [k for k in wanted if k not in losses and k not in steps]:
        raise ValueError(message(who, f"the name {unknown[0]!r}",
                                 f"one of {', '.join(map(str, losses))}"))  # fmt: skip
    curves = {str(k): curve_of(who, losses[k], k) for k in wanted if k in losses}
    if not curves and not steps:
        raise ValueError(message(who, "no curves", "at least one, by name"))
    return (curves, steps, "epoch") if curves else (steps, {}, "step")  # if no epoch has ended


def _panel(
    ax: Any, group: dict[str, Array], steps: Array | None, window: int | None, named: bool
) -> None:
    """Draw the curves of one quantity."""
    if steps is not None:
        end = max(map(len, group.values()))
        _line(ax, np.arange(1, len(steps) + 1) * (end / len(steps)), steps, "each step", GREY, "0.35",
              window or max(1, len(steps) // 20))  # fmt: skip
    for (name, curve), colour in zip(group.items(), COLOURS * len(group)):
        n = window or (len(curve) // 20 if len(curve) > 100 or not named else 1)
        label = name.replace("_", " ") if named else "each step"
        _line(ax, np.arange(1, len(curve) + 1), curve, label, GREY if n > 1 and not named else colour, colour,
              n, gaps=named)  # fmt: skip


def curve_of(who: str, values: Any, name: Any) -> Array:
    """Return the numbers of a curve."""
    curve = numbers(who, values, f"the curve {name!r}").astype(float)
    if curve.ndim != 1 or not curve.size:
        raise ValueError(message(who, f"{name} of shape {curve.shape}", "(steps,), at least one"))
    return curve


def _quantity(name: str) -> str:
    for prefix in ("val_", "train_", "test_", "valid_", "training_", "validation_"):
        name = name.removeprefix(prefix)
    return name


def _line(
    ax: Any, x: Array, y: Array, label: str, colour: str, smooth: str, window: int, gaps: bool = False
) -> None:
    """Draw a curve, and in front of it its moving average, if it is averaged; NaN in gaps is no value."""
    if gaps:
        x, y = x[~np.isnan(y)], y[~np.isnan(y)]
    mark = "o" if len(y) <= FEW and colour != GREY else None
    faint = {"alpha": 0.35} if window > 1 and colour != GREY else {}
    ax.plot(x, y, color=colour, marker=mark, markersize=4, label=label, **faint)
    if window > 1 and len(y) >= window:
        ax.plot(x[window - 1 :], moving_average(y, window), color=smooth, label=f"mean of {window}")
    bad = ~np.isfinite(y)
    for place in x[bad][:1] if not bad.all() else ():
        ax.axvline(place, color=ORANGE, linestyle=":", label=f"{int(bad.sum()):,} not finite")


def moving_average(y: Array, window: int) -> Array:
    """Return the mean of each ``window`` values in a row, of those that are finite.

    >>> moving_average(np.array([1.0, 3.0, np.nan, 7.0]), 2)
    array([2., 3., 7.])
    """
    known = np.isfinite(y)
    ones = np.ones(window)
    counts = np.convolve(known.astype(float), ones, mode="valid").round()
    sums = np.convolve(np.where(known, y, 0), ones, mode="valid")
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def _ticks(ax: Any, values: Array, length: int) -> None:
    """Number the steps with integers, and the values readably also where they hardly differ."""
    from matplotlib.ticker import LogFormatter, LogLocator, MaxNLocator, ScalarFormatter

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if length == 1:
        ax.set_xlim(0.5, 1.5)
    if ax.get_yscale() == "log" and values.size and values.max() < 20 * values.min():
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_minor_locator(LogLocator(subs=()))
        ax.yaxis.set_major_formatter(ScalarFormatter())
        if values.max() < 2 * values.min():
            ax.set_yscale("linear")
            ax.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    elif ax.get_yscale() == "log":
        ax.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(0, 0)))


def schedule(
    rates: Sequence[float] | Array | Mapping[str, Any] | Callable[[int], float], steps: int | None = None,
    *, log: bool = False, x_label: str = "step",
) -> Any:  # fmt: skip
    """Draw a learning rate over the steps, or several by name.

    Args:
        rates: the rate of each step; curves by name; or a function of the step, from 0.
        steps: for how many steps a function is drawn.
        log: whether the axis of rates is logarithmic.
        x_label: what is counted.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: no rates, or a function without ``steps``.
    """
    who = "schedule"
    if callable(rates):
        if steps is None:
            raise ValueError(message(who, "a function and steps=None", "how many steps to draw",
                                     "steps=100"))  # fmt: skip
        check_sizes(who, steps=steps)
        rates = [float(rates(i)) for i in range(steps)]
    named = rates if isinstance(rates, Mapping) else {"rate": rates}
    curves = {str(name): curve_of(who, values, name) for name, values in named.items()}
    if not curves:
        raise ValueError(message(who, "no rates", "at least one curve"))
    made = figure(who)
    ax = made.add_subplot(xlabel=x_label, ylabel="learning rate")
    styles = ("-", "--", "-.", ":")
    for i, (name, curve) in enumerate(curves.items()):
        ax.plot(curve, color=COLOURS[i % len(COLOURS)], linestyle=styles[i // len(COLOURS) % 4],
                label=name, marker="o" if len(curve) == 1 else None)  # fmt: skip
    if log:
        ax.set_yscale("log")
    elif all(curve.min() >= 0 for curve in curves.values()):
        ax.set_ylim(bottom=0)
    if len(curves) > 1:
        ax.legend(fontsize="small", ncols=1 + len(curves) // 12)
    return made


def lr_range(rates: Any, losses: Any, *, suggestion: float | None = None, smooth: Any = None) -> Any:
    """Draw the loss over the learning rate, as a range test measures it.

    [Smith, Cyclical Learning Rates for Training Neural Networks, 2017]

    Args:
        rates: the rate of each step.
        losses: the loss of each step.
        suggestion: a rate to mark.
        smooth: an average of the losses to draw in front.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: other numbers of rates than of losses, more averages, or a rate that is not positive.
    """
    who = "lr_range"
    x, y = curve_of(who, rates, "rates"), curve_of(who, losses, "losses")
    if len(x) != len(y) or not (x > 0).all():
        raise ValueError(message(who, f"{len(x)} rates and {len(y)} losses",
                                 "as many of each, and rates above 0"))  # fmt: skip
    made = figure(who)
    ax = made.add_subplot(xlabel="learning rate", ylabel="loss", xscale="log")
    finite = np.isfinite(y)
    front = None if smooth is None else curve_of(who, smooth, "smooth")
    if front is not None and len(front) > len(x):
        raise ValueError(message(who, f"an average of {len(front)} losses and {len(x)} rates", "no more"))
    ax.plot(x[finite], y[finite], color=BLUE if front is None else GREY, label="each step",
            marker="." if len(x) <= FEW else None)  # fmt: skip
    if front is not None:
        ax.plot(x[: len(front)], front, color=BLUE, label="average")
    known = (y if front is None else front)[np.isfinite(y if front is None else front)]
    if known.size and known.max() > known[0]:  # where it diverges, the valley must stay visible
        low, start = known.min(), known[0]
        top = start + max(start - low, 0.05 * abs(start), 1e-12)
        if known.max() > top:
            ax.set_ylim(low - 0.1 * (top - low), top)
    if suggestion is not None:
        ax.axvline(suggestion, color=ORANGE, linestyle="--", label=f"rate {suggestion:.2g}")
    if not finite.all():
        ax.axvline(x[~finite][0], color="black", linestyle=":", label="not finite from here")
    if len(ax.get_legend_handles_labels()[0]) > 1:
        ax.legend()
    return made
