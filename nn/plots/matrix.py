"""The confusion matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .canvas import figure, numbers, short

__all__ = ["confusion_matrix"]

Array = ndarray[Any, Any]
WRITTEN = 20  # up to so many classes each entry is written into its field


def confusion_matrix(
    matrix: Any, target: Any = None, *, class_names: Sequence[str] | None = None, percent: bool = False,
    title: str = "",
) -> Any:  # fmt: skip
    """Draw how often each class (row) was taken for each other (column).

    The shade is the share of the row's samples, so that rare classes show like frequent ones.

    Args:
        matrix: counts (C, C), as ``optim.metrics.confusion_matrix`` returns them, or that metric; or with
            ``target`` the model's output: scores (N, C), or class indices (N,).
        target: class indices (N,).
        class_names: C names; by default the numbers of the classes.
        percent: write the share of the row's samples too.
        title: what stands above.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: a matrix that is not square, has negative entries, or does not fit the names.
        IndexError: a class that is not one of 0 ... C - 1.
    """
    who = "confusion_matrix"
    if hasattr(matrix, "compute"):
        matrix = matrix.compute()
    m = numbers(who, matrix, "a matrix") if target is None else _counted(who, matrix, target)
    if m.ndim != 2 or m.shape[0] != m.shape[1] or not m.size or not ((m >= 0) & np.isfinite(m)).all():
        raise ValueError(message(who, f"a matrix of shape {m.shape}", "(C, C) finite counts, none negative",
                                 "confusion_matrix(output, target)"))  # fmt: skip
    n = len(m)
    names = [str(i) for i in range(n)] if class_names is None else [short(name) for name in class_names]
    if len(names) != n:
        raise ValueError(message(who, f"{len(names)} names", f"{n}, one for each class"))
    share = m / np.where(m.sum(1) > 0, m.sum(1), 1)[:, np.newaxis]
    field = 0.75 if percent else 0.55
    size = min(max(2.6, n * (field if n <= WRITTEN else 0.2)), 11.0)
    longest = max(map(len, names))
    turned = longest > (3 if n > 3 else 8)
    room = 0.07 * longest
    made = figure(who, size + 1.6 + room, size + 0.8 + (0.7 * room if turned else 0))
    ax = made.add_subplot(xlabel="predicted", ylabel="true", title=title)
    shown = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    bar = made.colorbar(shown, ax=ax, fraction=0.046, pad=0.03, label="share of the row")
    bar.outline.set_visible(False)
    every = max(1, int(np.ceil(n / 60)))
    ticks = range(0, n, every)
    size_of_names = 10 if n <= WRITTEN else 7
    ax.set_xticks(ticks, names[::every], rotation=45 if turned else 0, ha="right" if turned else "center",
                  rotation_mode="anchor" if turned else None, fontsize=size_of_names)  # fmt: skip
    ax.set_yticks(ticks, names[::every], fontsize=size_of_names)
    if n <= WRITTEN:
        whole = bool(np.all(m == np.floor(m)))
        for i in range(n):
            for j in range(n):
                text = f"{m[i, j]:,.0f}" if whole else f"{m[i, j]:.2f}"
                if percent:
                    text += "" if not m[i, j] else "\n<1%" if share[i, j] < 0.005 else f"\n{share[i, j]:.0%}"
                small = 10 if len(text.split("\n")[0]) <= 4 else 7.5
                ax.text(j, i, text, ha="center", va="center", fontsize=min(small, 8 if percent else 10),
                        color="white" if share[i, j] > 0.5 else "black" if m[i, j] else "0.6")  # fmt: skip
    return made


def _counted(who: str, output: Any, target: Any) -> Array:
    """Count pairs of a true and a predicted class."""
    x, t = numbers(who, output, "an output"), numbers(who, target, "a target")
    classes = x.shape[1] if x.ndim == 2 else 0
    p = x.argmax(1) if x.ndim == 2 else x
    one = classes == 1 or (x.ndim == 1 and x.dtype.kind == "f")  # one score each
    if one or t.ndim != 1 or p.shape != t.shape or not t.size or {p.dtype.kind, t.dtype.kind} - set("iub"):
        raise ValueError(message(
            who, f"an output of shape {x.shape} and a target of shape {t.shape} and dtype {t.dtype}",
            "scores (N, C) or classes (N,), and class indices (N,)",
            "output.reshape(-1) > 0, for logits" if one else ""))  # fmt: skip
    if np.isnan(x).any():
        raise ValueError(message(who, "NaN among the scores", "numbers"))
    p, t = p.astype(np.int64), t.astype(np.int64)
    n = classes or int(max(p.max(), t.max())) + 1
    if min(t.min(), p.min()) < 0 or t.max() >= n:
        raise IndexError(message(who, f"classes {t.min()} to {t.max()}", f"0 to {n - 1}"))
    return np.bincount(t * n + p, minlength=n * n).reshape(n, n)
