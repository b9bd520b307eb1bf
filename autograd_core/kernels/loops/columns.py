"""The sum of each column of (R, n), row after row, as NumPy adds them: the same bits, in threads."""

from __future__ import annotations

from typing import Any

from ..team import share
from ..twins import loop

__all__ = ["add_rows", "sums"]

COST = 0.15  # nanoseconds of a thread for an element
LINE = 16  # columns that stay together


@loop(fastmath=False)  # type: ignore[untyped-decorator]
def add_rows(x: Any, out: Any, first: int, last: int) -> None:
    part = out[first:last]
    part[:] = 0
    for r in range(len(x)):
        row = x[r, first:last]
        for i in range(len(part)):
            part[i] += row[i]


def sums(x: Any, out: Any) -> None:
    share(add_rows, len(out), COST * x.size / 1000, x, out, each=LINE)
