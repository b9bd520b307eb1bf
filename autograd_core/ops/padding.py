"""Borders: constants, elements continued or mirrored, ramps, statistics of the edge, odd reflections.

Where more than elements is repeated axis after axis is padded, as in NumPy, so the corners belong to the
last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..calls import as_array
from ..errors import message
from ..primitive import composite
from .indexing import getitem, scatter
from .joining import concatenate
from .quantiles import median
from .reductions import max, mean, min
from .shaping import copy

__all__ = ["pad"]

STATISTICS: dict[str, Any] = {"maximum": max, "mean": mean, "median": median, "minimum": min}
OPTIONS: dict[str, set[str]] = {
    "constant": {"constant_values"}, "linear_ramp": {"end_values"}, "empty": set(),
    "edge": set(), "wrap": set(),
    "reflect": {"reflect_type"}, "symmetric": {"reflect_type"},
    **{name: {"stat_length"} for name in STATISTICS},
}  # fmt: skip


@composite(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """Add a border: of one constant, or of the array's own elements, continued or mirrored.

    With ``mode`` "edge", "wrap", "reflect" or "symmetric" an element is read several times, and
    receives the sum of the gradients. The other modes and options are NumPy's: "linear_ramp", the
    statistics "maximum", "mean", "median" and "minimum", "empty" (zeros here), ``constant_values``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.sum(ag.pad(x, 2, "edge")))(np.array([1.0, 2.0, 3.0]))
    array([3., 1., 3.])
    """
    widths = np.broadcast_to(np.asarray(pad_width), (np.ndim(x), 2))
    if (widths < 0).any():
        raise ValueError(message("pad", f"widths {pad_width}", "no negative one", "a slice"))
    if options.get("reflect_type") == "even":
        options.pop("reflect_type")
    constant_values = options.get("constant_values", 0)
    simple = mode in ("constant", "edge", "wrap", "reflect", "symmetric") and not np.ndim(constant_values)
    if not simple or options.keys() - ({"constant_values"} if mode == "constant" else set()):
        return _bordered(x, widths, mode, **options)
    if mode != "constant":
        for axis, (n, width) in enumerate(zip(np.shape(x), widths, strict=True)):
            if width.any():  # where each element of the border is read: NumPy pads the places
                places = np.pad(np.arange(n), tuple(width), mode)  # type: ignore[call-overload]
                x = np.take(x, places, axis=axis)
        return x if widths.any() else copy(x)
    shape = tuple(int(a + n + b) for n, (a, b) in zip(np.shape(x), widths, strict=True))
    inner = tuple(slice(int(a), int(a) + n) for n, (a, _) in zip(np.shape(x), widths, strict=True))
    y = scatter(x, index=inner, shape=shape)
    if constant_values == 0:
        return y
    border = np.full(shape, constant_values, y.dtype)
    border[inner] = 0
    return y + border


def _bordered(x: Any, widths: Any, mode: str, **options: Any) -> Any:
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
        each = np.broadcast_to(as_array(values, x.dtype), (x.ndim, 2))
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
