"""Rows: fully connected layers, and what only passes values on."""

from __future__ import annotations

from .cases import Case

CASES = [
    *[Case("Linear", (4, 3), (shape,)) for shape in [(4,), (5, 4), (2, 5, 4), (1, 4), (0, 4), (2, 0, 4)]],
    Case("Linear", (4, 3), ((5, 4),), {"bias": False}), Case("Linear", (1, 2), ((3, 1),)),
    *[Case("Flatten", args, ((2, 3, 4),)) for args in [(), (1, 2), (0, -1), (-2, -1), (0, 1), (-3, -2)]],
    Case("Identity", (), ((2, 3),)),
]
