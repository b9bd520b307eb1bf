"""Rows of numbers that print as a table."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy import ndarray

__all__ = ["Table"]

Row = TypeVar("Row")


class Table(list[Row], Generic[Row]):
    """Rows of statistics: a list, ``table["std"]`` is a column, and the text is a table.

    >>> from autograd_core import nn
    >>> table = nn.statistics.parameter_statistics(nn.Linear(3, 2))
    >>> table.column("name"), table["name"], table[0].shape
    (['weight', 'bias'], ['weight', 'bias'], (2, 3))
    """

    def column(self, name: str) -> list[Any]:
        """Return one number of all rows."""
        return [getattr(row, name) for row in self]

    def __getitem__(self, key: Any) -> Any:
        return self.column(key) if isinstance(key, str) else super().__getitem__(key)

    def __repr__(self) -> str:
        if not self:
            return "no rows"
        every = [f.name for f in fields(self[0])]
        names = [name for name in every if any(v is not None for v in self.column(name))]
        cells = [names, *([_cell(getattr(row, n)) for n in names] for row in self)]
        widths = [max(map(len, column)) for column in zip(*cells)]
        left = {"name", "kind", "shape"}
        return "\n".join(
            "  ".join(c.ljust(w) if n in left else c.rjust(w) for n, c, w in zip(names, row, widths)).rstrip()
            for row in cells
        )


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def moments(y: ndarray[Any, Any]) -> tuple[float, float]:
    """Return mean and standard deviation, computed in float64."""
    if not y.size:
        return np.nan, np.nan
    with np.errstate(all="ignore"):  # infinite or NaN: so is what is told of them
        return float(np.mean(y, dtype=np.float64)), float(np.std(y, dtype=np.float64))
