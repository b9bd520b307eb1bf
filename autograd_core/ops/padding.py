"""Borders that are computed: ramps, statistics of the edge, odd reflections, constants of their own.

``pad`` of :mod:`shaping` sends here what does more than repeat elements. Axis after axis is padded, as in
NumPy, so the corners belong to the last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import message
from .indexing import getitem
from .quantiles import median
from .reductions import max, mean, min
from .shaping import concatenate

STATISTICS: dict[str, Any] = {"maximum": max, "mean": mean, "median": median, "minimum": min}
OPTIONS: dict[str, set[str]] = {
    "constant": {"constant_values"}, "linear_ramp": {"end_values"}, "empty": set(),
    "edge": set(), "wrap": set(),
    "reflect": {"reflect_type"}, "symmetric": {"reflect_type"},
    **{name: {"stat_length"} for name in STATISTICS},
}  # fmt: skip


def bordered(x: Any, widths: Any, mode: str, **options: Any) -> Any:
    """Return ``x`` with a border of ``widths[axis]`` elements at the two ends of each axis.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.pad(x, 1, "mean").sum())(np.ones(4))
    array([1.5, 1.5, 1.5, 1.5])
    """
    if mode not in OPTIONS:
        raise ValueError(message("pad", f"mode={mode!r}", f"one of {', '.join(sorted(OPTIONS))}"))
    if wrong := options.keys() - OPTIONS[mode]:
        raise ValueError(message("pad", f"{sorted(wrong)[0]}= with mode={mode!r}",
                                 ", ".join(sorted(OPTIONS[mode])) or "no option"))  # fmt: skip
    (name, values), *_ = *options.items(), ("", None)
    each = None
    if values is not None and name != "reflect_type":
        each = np.broadcast_to(np.asarray(values, x.dtype), (x.ndim, 2))
    if name == "reflect_type" and values not in ("even", "odd"):
        raise ValueError(message("pad", f"reflect_type={values!r}", "'even' or 'odd'"))
    for axis, (before, after) in enumerate(widths.tolist()):
        if before or after:
            ends = [0 if each is None else each[axis, i] for i in (0, 1)]
            parts = [_side(x, axis, before, mode, ends[0], 1, each), x,
                     _side(x, axis, after, mode, ends[1], -1, each)]  # fmt: skip
            x = concatenate(parts, axis=axis)
    return x


def _side(x: Any, axis: int, width: int, mode: str, value: Any, sign: int, each: Any) -> Any:
    """Return the border of one end: ``sign`` 1 at the start, -1 at the end."""
    n = x.shape[axis]
    if width and not n and mode not in ("constant", "empty"):
        raise ValueError(message("pad", f"an empty axis {axis} and mode={mode!r}", "'constant' or 'empty'"))

    def at(places: Any) -> Any:  # counted from this end
        return getitem(x, (slice(None),) * axis + (places if sign > 0 else n - 1 - places,))

    shape = tuple(width if i == axis else m for i, m in enumerate(x.shape))
    column = (-1,) + (1,) * (x.ndim - 1 - axis)
    if not width or mode in ("constant", "empty"):
        return np.full(shape, value, x.dtype)
    if mode == "linear_ramp":
        t = np.arange(width)[::sign] / width
        t = t.reshape(column).astype(x.dtype)
        return value * (1 - t) + at(np.array([0])) * t
    if mode in STATISTICS:
        length = n if each is None else int(value)
        if length < 1:
            raise ValueError(message("pad", f"stat_length={length}", "1 or more"))
        y = STATISTICS[mode](at(np.arange(np.minimum(length, n))), axis=axis, keepdims=True)
        return y * np.ones(shape, x.dtype)
    skip = mode == "reflect"  # the odd ones: a point is mirrored in the edge
    if width > n - skip:
        raise NotImplementedError(message("pad", f"{width} elements beyond {n}, reflect_type='odd'",
                                          f"at most {n - skip}"))  # fmt: skip
    places = np.arange(width) + skip
    return 2 * at(np.array([0])) - at(places[::-1] if sign > 0 else places)
