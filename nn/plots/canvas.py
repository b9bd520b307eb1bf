"""The paper that plots are drawn on: matplotlib's Figure, never the pyplot state that all code shares."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip

from ..settings import check_sizes

__all__ = ["BLUE", "COLOURS", "GREY", "ORANGE", "figure", "grid", "numbers", "short"]

# Okabe and Ito, Color Universal Design, 2008: told apart with every kind of colour vision.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#BBBBBB"
COLOURS = [BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]


@cache
def _picture(who: str) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(message(who, "no matplotlib", "the extra 'plot'",
                                  "pip install 'autograd-core[plot]'")) from error  # fmt: skip

    class Picture(Figure):
        """A Figure that a notebook shows, without %matplotlib and without pyplot."""

        def _repr_png_(self) -> bytes:
            memory = io.BytesIO()
            self.savefig(memory, format="png")
            return memory.getvalue()

    return Picture


def figure(who: str, width: float = 6.0, height: float = 4.0) -> Any:
    """Return an empty Figure of a size in inches, whose layout keeps texts apart."""
    return _picture(who)(figsize=(width, height), layout="constrained")


def grid(
    who: str, count: int, columns: int | None = None, width: float = 3.0, height: float = 2.4, **settings: Any
) -> tuple[Any, list[Any]]:
    """Return a Figure with a number of axes in rows; by default the rows are about as long as many."""
    if columns is not None:
        check_sizes(who, columns=columns)
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    made = figure(who, columns * width, rows * height)
    axes = made.subplots(rows, columns, squeeze=False, **settings).ravel()
    for spare in axes[count:]:
        spare.remove()
    return made, list(axes[:count])


def numbers(who: str, values: Any, what: str) -> ndarray[Any, Any]:
    """Return the real numbers of an array, a Tensor or a list; refuse others by name."""
    array = np.asarray(strip(values))
    if array.dtype.kind not in "biuf":
        raise TypeError(message(who, f"{what} of dtype {array.dtype}", "real numbers"))
    return array


def short(text: Any, length: int = 24) -> str:
    """Return a text that fits beside an axis.

    >>> short("a" * 30, 8)
    'aaaaaaa…'
    """
    text = str(text)
    return text if len(text) <= length else text[: length - 1] + "…"
