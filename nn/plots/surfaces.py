"""A function of two variables, and the paths that optimizers take on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.node import strip

from ..settings import check_sizes
from .canvas import COLOURS, figure, numbers

__all__ = ["contour"]

Array = ndarray[Any, Any]


def contour(
    f: Callable[[Any, Any], Any], xlim: tuple[float, float], ylim: tuple[float, float], *,
    paths: Mapping[str, Any] | None = None, levels: int | Sequence[float] = 20, minimum: Any = None,
    resolution: int = 150, x_label: str = "$w_1$", y_label: str = "$w_2$",
) -> Any:  # fmt: skip
    """Draw a surface by its contour lines, and the paths that optimizers take on it.

    Between two lines lie equally many points of the picture, so that narrow valleys and wide plains
    both show.

    Args:
        f: a function of two arrays, or of two numbers.
        xlim, ylim: the range of each variable.
        paths: points (steps, 2) by name; a ring is the start, a dot the end. Points outside are not shown,
            and a path ends where it is not finite.
        levels: how many lines, or their values.
        minimum: a point to mark with a star.
        resolution: points along each axis.
        x_label, y_label: what the axes mean.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: an empty range, a path that is not in the plane, or a function without finite values.
    """
    who = "contour"
    for name, limits in (("xlim", xlim), ("ylim", ylim)):
        if len(limits) != 2 or not limits[0] < limits[1]:
            raise ValueError(message(who, f"{name}={limits!r}", "(least, greatest)"))
    check_sizes(who, resolution=resolution)
    xs, ys = np.linspace(*xlim, resolution), np.linspace(*ylim, resolution)
    z = _surface(f, *np.meshgrid(xs, ys))
    finite = z[np.isfinite(z)]
    if not finite.size:
        raise ValueError(message(who, "a function without finite values", "some in this range"))
    made = figure(who, 5.4, 4.4)
    ax = made.add_subplot(xlabel=x_label, ylabel=y_label)
    if isinstance(levels, (int, np.integer)):
        lines = np.unique(np.quantile(finite, np.linspace(0.005, 0.995, int(levels))))
    else:
        lines = np.unique(np.asarray(levels, float))
    if len(lines) > 1 and finite.max() > finite.min():
        ranks = np.searchsorted(lines, z).astype(float)
        ax.imshow(np.where(np.isfinite(z), ranks, np.nan), cmap="Greys", vmin=-1, vmax=3 * len(lines),
                  origin="lower", extent=(*xlim, *ylim), aspect="auto", interpolation="nearest")  # fmt: skip
        ax.contour(xs, ys, z, levels=lines, colors="0.6", linewidths=0.6, linestyles="-")
    for i, (name, path) in enumerate((paths or {}).items()):
        points = numbers(who, path, f"the path {name!r}").astype(float)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(message(who, f"the path {name!r} of shape {points.shape}", "(steps, 2)"))
        ended = np.flatnonzero(~np.isfinite(points).all(1))
        points = points[: ended[0]] if len(ended) else points
        colour, style = COLOURS[i % len(COLOURS)], ("-", "--", "-.")[i // len(COLOURS) % 3]
        label = f"{name}, not finite" if len(ended) else name
        ax.plot(*points.T, color=colour, linestyle=style, linewidth=1.4, label=label, zorder=3,
                marker="." if len(points) <= 100 else None, markersize=4)  # fmt: skip
        if len(points):
            ax.plot(*points[0], "o", color=colour, markerfacecolor="white", markersize=7, zorder=4)
            ax.plot(*points[-1], "o", color=colour, markersize=7, zorder=4)
    if minimum is not None:
        ax.plot(*np.asarray(strip(minimum), float), "*", color="black", markersize=12, zorder=5)
    ax.set(xlim=xlim, ylim=ylim)
    if paths:
        made.legend(loc="outside right upper", fontsize="small")
    return made


def _surface(f: Callable[[Any, Any], Any], x: Array, y: Array) -> Array:
    """Return the function at all points, at once if it takes arrays."""
    with np.errstate(all="ignore"), no_grad():
        try:
            z = np.asarray(strip(f(x, y)), float)
            if z.shape == x.shape:
                return z
        except Exception:  # a function of two numbers
            pass
        values = [float(strip(f(float(a), float(b)))) for a, b in zip(x.ravel(), y.ravel())]
    return np.array(values).reshape(x.shape)
