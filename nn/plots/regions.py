"""What a model decides in each point of the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.node import strip

from ..module import Module
from ..settings import check_sizes
from .canvas import COLOURS, figure, numbers, short

__all__ = ["decision_regions"]

Array = ndarray[Any, Any]
MARKERS = "os^Dv<>P"


def decision_regions(
    model: Callable[[Any], Any], x: Any, y: Any = None, *, resolution: int = 200, margin: float = 0.1,
    probabilities: bool | None = None, class_names: Sequence[str] | None = None,
    x_label: str = "$x_1$", y_label: str = "$x_2$",
) -> Any:  # fmt: skip
    """Draw which class a model finds in each point of the plane, with the data on top.

    The stronger the colour, the higher the probability of the class; black lines separate classes.
    With two classes, dashed lines are where the probability is 0.25 and 0.75. Modules are run in
    evaluation mode and are afterwards as before.

    Args:
        model: a Module or a function: points (N, 2) -> scores (N, C); or one score of class 1 each, (N,)
            or (N, 1); or integers of this shape, the predicted classes.
        x: the data, (N, 2), whose range with a margin is drawn.
        y: their classes, (N,) or (N, 1): 0 ... C - 1, or -1 and 1; None draws the points in grey.
        resolution: points along each axis at which the model is asked.
        margin: a share of the range around it.
        probabilities: whether the outputs are probabilities rather than logits; None finds out whether
            all lie between 0 and 1, and add up to 1.
        class_names: the texts of the legend.
        x_label, y_label: what the axes mean.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: data that are not in the plane, or outputs that are not scores of points.
    """
    who = "decision_regions"
    points = numbers(who, x, "data").astype(float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ValueError(message(who, f"data of shape {points.shape}", "finite numbers (N, 2)",
                                 "two of its columns, or its first two principal components"))  # fmt: skip
    check_sizes(who, resolution=resolution)
    low, high = points.min(0), points.max(0)
    pad = np.where(high > low, (high - low) * margin, 0.5)
    low, high = low - pad, high + pad
    xs, ys = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    plane = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    p = _probabilities(who, numbers(who, _asked(model, plane), "outputs"), len(plane), probabilities)
    labels = _labels(who, y, len(points))
    classes = max(p.shape[1], 1 + (int(labels.max()) if labels is not None else 0))
    names = [str(i) for i in range(classes)] if class_names is None else [short(n) for n in class_names]
    if len(names) < classes:
        raise ValueError(message(who, f"{len(names)} names", f"{classes}, one for each class"))
    made = figure(who, 5.4, 4.4)
    ax = made.add_subplot(xlabel=x_label, ylabel=y_label)
    palette = _palette(classes)
    first = np.where(np.isfinite(p).all(1), p.argmax(1), -1)
    sure = np.clip((p.max(1) * p.shape[1] - 1) / max(1, p.shape[1] - 1), 0, 1)
    strength = np.where(first < 0, 0, 0.08 + 0.37 * sure)[:, np.newaxis]
    image = 1 - strength * (1 - palette[first])
    ax.imshow(image.reshape(resolution, resolution, 3), origin="lower", aspect="auto",
              extent=(low[0], high[0], low[1], high[1]), interpolation="nearest")  # fmt: skip
    for c in range(p.shape[1] if p.shape[1] > 2 else 1):
        others = np.delete(p, c, axis=1).max(1)
        _line(ax, xs, ys, p[:, c] - others, [0.0], linewidths=1.2, linestyles="-")
    if p.shape[1] == 2 and not np.isin(p, (0, 1)).all():
        _line(ax, xs, ys, p[:, 1], [0.25, 0.75], linewidths=0.8, linestyles="--")
    size = float(np.clip(6000 / len(points), 8, 36))
    if labels is None:
        ax.scatter(*points.T, s=size, color="0.4", edgecolors="black", linewidths=0.5)
    else:
        for c in np.unique(labels):
            ax.scatter(*points[labels == c].T, s=size, color=[palette[c]], marker=MARKERS[c % len(MARKERS)],
                       edgecolors="black", linewidths=0.5, label=names[c])  # fmt: skip
        made.legend(loc="outside right upper", fontsize="small", ncols=1 + classes // 20)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return made


def _line(ax: Any, xs: Array, ys: Array, values: Array, levels: list[float], **how: Any) -> None:
    """Draw where values pass through levels, of those that they do pass through."""
    finite = values[np.isfinite(values)]
    crossed = [v for v in levels if finite.size and finite.min() < v < finite.max()]
    if crossed:
        ax.contour(xs, ys, values.reshape(len(ys), len(xs)), levels=crossed, colors="black", **how)


def _palette(classes: int) -> Array:
    """Return a colour for each class, (classes, 3)."""
    from matplotlib.colors import to_rgb

    if classes <= len(COLOURS):
        return np.array([to_rgb(c) for c in COLOURS[: max(classes, 1)]])
    from matplotlib import colormaps

    return colormaps["turbo"](np.linspace(0.03, 0.97, classes))[:, :3]


def _asked(model: Callable[[Any], Any], plane: Array) -> Array:
    """Return the model's outputs in evaluation mode, in pieces that need little memory."""
    modes = [(m, m.training) for m in model.modules()] if isinstance(model, Module) else []
    p = next(model.parameters(), None) if isinstance(model, Module) else None
    given = plane if p is None else plane.astype(p.dtype)
    try:
        for module, _ in modes:
            module.training = False
        with no_grad():
            outputs = [np.asarray(strip(model(given[i : i + 4096]))) for i in range(0, len(given), 4096)]
    finally:
        for module, mode in modes:
            module.training = mode
    return np.concatenate([np.atleast_1d(y) for y in outputs])


def _probabilities(who: str, out: Array, n: int, given: bool | None) -> Array:
    """Return the probability of each class, (N, C), from logits, probabilities or classes of any shape."""
    if out.shape[:1] != (n,) or out.ndim > 2 or not out.size:
        raise ValueError(message(who, f"outputs of shape {out.shape} for {n} points",
                                 "(N, C), (N, 1) or (N,)"))  # fmt: skip
    out = out.reshape(n, -1)
    if out.dtype.kind in "iub" and out.shape[1] == 1:
        classes = _labels(who, out, n)
        assert classes is not None
        return np.eye(max(2, int(classes.max()) + 1))[classes]
    out = out.astype(float)
    known = out[np.isfinite(out).all(1)]
    if given is None:
        given = bool(known.size and known.min() >= 0 and known.max() <= 1)
        given = given and (out.shape[1] == 1 or bool(np.allclose(known.sum(1), 1, atol=1e-3)))
    if out.shape[1] == 1:
        one = out if given else 0.5 * (1 + np.tanh(out / 2))
        return np.concatenate([1 - one, one], axis=1)
    if given:
        return out
    with np.errstate(invalid="ignore"):
        e = np.exp(out - out.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)


def _labels(who: str, y: Any, n: int) -> Array | None:
    if y is None:
        return None
    t = numbers(who, y, "classes")
    if t.shape not in ((n,), (n, 1)) or not np.all(t == np.floor(t)):
        raise ValueError(message(who, f"classes of shape {t.shape} and dtype {t.dtype} for {n} points",
                                 f"class indices of shape ({n},)",
                                 "y.argmax(1), if it is one-hot" if t.ndim == 2 else ""))  # fmt: skip
    t = t.reshape(-1).astype(np.int64)
    if set(np.unique(t)) <= {-1, 1}:
        t = (t + 1) // 2
    if t.min() < 0:
        raise ValueError(message(who, f"class {t.min()}", "0 or more"))
    return t
