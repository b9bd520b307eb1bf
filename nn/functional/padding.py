"""Borders around the last axes: of a constant, or of elements mirrored, continued or repeated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.kernels.memory import memory_for, zeros_in
from autograd_core.primitive import Operation, declare, kernel, linear
from autograd_core.tensor import Tensor

__all__ = ["pad"]

MODES = {"constant": "", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # NumPy's names

# -- a frame of one constant -----------------------------------------------------------------------


def _framed(x: Any, *, pairs: Any, value: Any, out: Any = None) -> Any:
    y = memory_for(out, [before + n + after for n, (before, after) in zip(x.shape, pairs)], x.dtype)
    inner = y
    for axis, (before, after) in enumerate(pairs):
        start: tuple[Any, ...] = (slice(None),) * axis
        end = inner.shape[axis] - after
        inner[*start, :before] = value
        inner[*start, end:] = value
        inner = inner[*start, before:end]
    inner[...] = x
    return y


def _inner(g: Any, pairs: Any) -> Any:
    return g[tuple(slice(before, n - after) for n, (before, after) in zip(g.shape, pairs))]


framed: Operation = declare(
    kernel(_framed, out=True), (lambda g, y, x, *, pairs, value: _inner(g, pairs),), saves="", name="pad",
    doc="x with a frame of one constant: x_bar is g within the frame.",
).defjvp(lambda t, y, x, *, pairs, value: framed(t, pairs=pairs, value=0))  # fmt: skip

# -- reading places along an axis, most of them one after the other --------------------------------


def _runs(places: Any) -> list[tuple[slice, slice, int]]:
    """Return the runs of places that go up, down or stay: where they stand, what they read, the step.

    The longest that goes up is the first. Runs take 0.55 of the time that single elements take.
    """
    if not len(places):
        return [(slice(0, 0), slice(0, 0), 1)]
    cuts = np.flatnonzero(np.diff(places) != 1) + 1
    a, b = max(pairwise([0, *cuts.tolist(), len(places)]), key=lambda pair: pair[1] - pair[0])
    runs = [(a, b, 1)]
    for low, high in ((0, a), (b, len(places))):
        while low < high:
            step = int(places[low + 1] - places[low]) if low + 1 < high else 0
            end = low + 1
            while abs(step) <= 1 and end < high and places[end] - places[end - 1] == step:
                end += 1
            runs.append((low, end, step if end > low + 1 else 0))
            low = end
    found = []
    for low, end, step in runs:
        first = int(places[low])
        stop = first + (end - low) * step if step else first + 1
        found.append((slice(low, end), slice(first, stop if stop >= 0 else None, step or 1), step))
    return found


def _read(x: Any, *, places: Any, axis: int, length: int, out: Any = None) -> Any:
    y = memory_for(out, (*x.shape[:axis], len(places), *x.shape[axis + 1 :]), x.dtype)
    before: tuple[Any, ...] = (slice(None),) * axis
    for to, start, _ in _runs(places):
        y[*before, to] = x[*before, start]
    return y


def _fold(g: Any, *, places: Any, axis: int, length: int, out: Any = None) -> Any:
    before: tuple[Any, ...] = (slice(None),) * axis
    (all_to, start, _), *rest = _runs(places)
    make = memory_for if start == slice(0, length, 1) else zeros_in
    out = make(out, (*g.shape[:axis], length, *g.shape[axis + 1 :]), g.dtype)
    out[*before, start] = g[*before, all_to]
    for to, start, step in rest:
        part = out[*before, start]
        part += g[*before, to] if step else np.add.reduce(g[*before, to], axis=axis, keepdims=True)
    return out


read_places: Operation = linear(
    kernel(_read, out=True),
    lambda g, y, x, *, places, axis, length: fold_places(g, places=places, axis=axis, length=length),
    name="pad_places", doc="The elements at some places along an axis, most of which follow each other.",
)  # fmt: skip
fold_places: Operation = linear(
    kernel(_fold, out=True),
    lambda h, y, g, *, places, axis, length: read_places(h, places=places, axis=axis, length=length),
    name="pad_fold", doc="Elements added up at their places along an axis: the adjoint of pad_places.",
)  # fmt: skip


def _places(n: int, before: int, after: int, mode: str) -> Any:
    """Return which element of an axis stands at each place of the padded one."""
    places = np.arange(n)
    if mode == "circular":  # what is cut off is no part of the period
        places = places[max(-before, 0) : n - max(-after, 0)]
        before, after = max(before, 0), max(after, 0)
    places = np.pad(places, (max(before, 0), max(after, 0)), MODES[mode])  # type: ignore[call-overload]
    return places[max(-before, 0) : len(places) - max(-after, 0)]


# -- what people call ------------------------------------------------------------------------------


def widths(op: str, padding: Any) -> tuple[int, ...]:
    """Return a padding as a tuple of integers.

    Raises:
        TypeError: it is something else.
    """
    try:
        whole = tuple(int(p) for p in padding)
        if any(p != q for p, q in zip(whole, padding)):
            raise TypeError
    except TypeError:
        raise TypeError(message(op, f"padding={padding!r}", "integers: (before, after) of the last axis, "
                                "then of the one before it, ...")) from None  # fmt: skip
    return whole


def _checked(op: str, shape: tuple[int, ...], n: int, before: int, after: int, axis: int, mode: str) -> None:
    left = n + min(before, 0) + min(after, 0)
    wide = max(before, after)
    why = ""
    if left < 0 or n + before + after < 0:
        why = "a padding that leaves something"
    elif mode == "reflect" and wide >= n and wide > 0:
        why = f"at most {n - 1} elements to mirror, without the edge"
    elif mode == "circular" and wide > left:
        why = f"at most {left} elements to repeat"
    elif mode == "replicate" and wide > 0 and n == 0:
        why = "an element to continue"
    if why:
        given = f"padding ({before}, {after}) of axis {axis} of an input of shape {shape}, mode={mode!r}"
        raise ValueError(message(op, given, why))


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add a border to the last axes, the very last first; a negative width cuts off.

    Args:
        input: any shape.
        pad: (before, after) of the last axis, then of the one before it, and so on.
        mode: "constant"; "reflect", mirrored in the edge element; "replicate", the edge element continued;
            or "circular", the other end repeated. An element that is read several times gets the sum of
            the gradients.
        value: the constant; 0 by default.

    Raises:
        ValueError: an odd number of widths, more axes than there are, another mode, a value for a mode that
            has none, or more to mirror or repeat than there is.

    >>> from autograd_core import nn
    >>> nn.functional.pad(np.array([1.0, 2.0, 3.0]), (2, 1), mode="reflect")
    array([3., 2., 1., 2., 3., 2.])
    >>> nn.functional.pad(np.ones((1, 2)), (0, 1, -1, 1))
    array([[0., 0., 0.]])
    """
    return padded("pad", input, pad, mode, value)


def padded(op: str, x: Any, pad: Any, mode: str, value: float | None = None) -> Any:
    """Add a border: :func:`pad` in the name of ``op``."""
    shape, around = np.shape(x), widths(op, pad)
    if mode not in MODES:
        raise ValueError(message(op, f"mode={mode!r}", f"one of {', '.join(map(repr, MODES))}"))
    if mode != "constant" and value:
        raise ValueError(message(op, f"value={value} with mode={mode!r}", "no value", "mode='constant'"))
    if len(around) % 2 or len(around) > 2 * len(shape):
        raise ValueError(message(op, f"padding {around} for an input of shape {shape}",
                                 f"two numbers for each axis, at most {2 * len(shape)}"))  # fmt: skip
    pairs = [(0, 0)] * (len(shape) - len(around) // 2) + list(zip(around[::2], around[1::2]))[::-1]
    for axis, (n, (before, after)) in enumerate(zip(shape, pairs)):
        _checked(op, shape, n, before, after, axis, mode)
    if mode == "constant":
        if any(w < 0 for w in around):
            x = ops.getitem(x, tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, pairs)))
        return framed(x, pairs=tuple((max(a, 0), max(b, 0)) for a, b in pairs), value=value or 0)
    for axis, (n, (before, after)) in enumerate(zip(shape, pairs)):
        if before or after:
            x = read_places(x, places=_places(n, before, after, mode), axis=axis, length=n)
    return x if any(around) else ops.copy(x)
