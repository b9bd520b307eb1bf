"""How values are written into a picture: whole while they are few, else mean and spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..node import strip

__all__ = ["abbreviate"]

WHOLE = 9  # elements that are written out
WIDTH = 30  # characters that they may take


def abbreviate(x: Any) -> str | None:
    """Write an array: its numbers to four digits, or ``mean +- standard deviation``.

    >>> import numpy as np
    >>> abbreviate(np.array([1.0, 0.123456])), abbreviate(np.array(2.0))
    ('[1, 0.1235]', '2')
    >>> abbreviate(np.arange(100.0))
    'mean 49.5 ± 28.87'
    >>> abbreviate(None) is None
    True
    """
    if x is None:
        return None
    array = np.asarray(strip(x))
    if not array.size:
        return "empty"
    if array.size <= WHOLE:
        text = _nested(array.tolist())
        if len(text) <= WIDTH:
            return text
    with np.errstate(all="ignore"):
        wide = array.astype(complex if array.dtype.kind == "c" else float)
        unit = float(np.abs(wide).max())  # so that squares of huge numbers do not overflow
        wide = wide / unit if 0 < unit < np.inf else wide
        unit = unit if 0 < unit < np.inf else 1.0
        mean, spread = wide.mean().item() * unit, wide.std().item() * unit
        return f"mean {_number(mean)} ± {_number(spread)}"


def _nested(x: Any) -> str:
    if isinstance(x, list):
        return "[" + ", ".join(map(_nested, x)) + "]"
    return _number(x)


def _number(x: Any) -> str:
    if isinstance(x, (bool, int)):
        return str(x)
    return f"{x:.4g}".replace("-0", "0") if x == 0 else f"{x:.4g}"
