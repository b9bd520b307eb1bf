"""Rows: borders of constants, and of elements mirrored, continued or repeated."""

from __future__ import annotations

from typing import Any

from .cases import Case

SHAPES = {1: (2, 1, 4), 2: (1, 2, 3, 4), 3: (1, 1, 3, 2, 3)}
WIDTHS: dict[int, list[Any]] = {
    1: [1, (2, 1), (0, 3), (-1, 2), (3, -2), (-1, -1)],
    2: [1, (2, 1, 0, 2), (3, 0, 1, 1), (-1, 2, 1, -1), (-1, -1, -1, 0)],
    3: [1, (1, 0, 1, 1, 0, 2), (2, 1, 0, 1, 1, 0), (-1, 1, 0, 1, 2, -1)],
}

CASES = [
    *[Case(f"{kind}Pad{n}d", (width,), (shape,))
      for kind in ("Zero", "Reflection", "Replication", "Circular") for n in (1, 2, 3) for width in WIDTHS[n]
      for shape in (SHAPES[n], SHAPES[n][1:])
      if not (kind == "Circular" and width in ((3, -2), (-1, 1, 0, 1, 2, -1)))],
    *[Case(f"ConstantPad{n}d", (width, value), (SHAPES[n],)) for n in (1, 2, 3) for width in WIDTHS[n]
      for value in (0.5, -2)],
    Case("ZeroPad2d", (1,), ((3, 4),)), Case("ConstantPad1d", (2, 1.5), ((3,),)),
    Case("ReflectionPad1d", ((0, 0),), ((2, 3),)), Case("ConstantPad2d", (0, 3.0), ((2, 3),)),
]  # fmt: skip
