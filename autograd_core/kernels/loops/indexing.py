"""The loop that adds rows of a gradient to those of a table."""

from __future__ import annotations

from typing import Any

from ..twins import loop

__all__ = ["add_rows"]


@loop
def add_rows(out: Any, g: Any, places: Any) -> None:
    for i in range(places.shape[0]):
        row = places[i]
        for j in range(g.shape[1]):
            out[row, j] += g[i, j]
