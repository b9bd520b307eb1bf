"""The spatial axes of an input, which are its last ones: their lengths, and a setting for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.errors import message

from ..settings import is_whole

__all__: list[str] = []

Size = int | Sequence[int]
LETTERS = "DHW"


def for_each(value: Any, n: int) -> tuple[Any, ...]:
    """Return a setting for each of n axes: a sequence as it is, anything else n times."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def each(who: str, name: str, value: Any, n: int, least: int = 1) -> tuple[int, ...]:
    """Return a setting as one whole number for each of n axes; a sequence may hold one for all.

    Raises:
        TypeError: it holds something else than whole numbers.
        ValueError: one is less than ``least``, or there are neither one nor n.

    >>> each("MaxPool2d", "kernel_size", 3, 2)
    (3, 3)
    """
    values = for_each(value, n)
    if len(values) == 1:
        values *= n
    whole = all(map(is_whole, values))
    if not whole or len(values) != n or min(values) < least:
        expected = f"a whole number, {least} or more" + (f", or {n} of them" if n > 1 else "")
        raise (ValueError if whole else TypeError)(message(who, f"{name}={value!r}", expected))
    return tuple(map(int, values))


def layouts(n: int, channels: Any = "C") -> str:
    """Return how shapes of inputs with n spatial axes are written.

    >>> layouts(2)
    '(N, C, H, W) or (C, H, W)'
    """
    shape = ", ".join([str(channels), *(LETTERS[3 - n :] if n > 1 else "L")])
    return f"(N, {shape}) or ({shape})"


def lengths_of(who: str, x: Any, n: int, channels: Any = "C") -> tuple[int, ...]:
    """Return the last n lengths of an input, (N, C, ...) or (C, ...).

    Raises:
        ValueError: it has another number of axes.
    """
    shape = np.shape(x)
    if len(shape) not in (n + 1, n + 2):
        raise ValueError(message(who, f"an input of shape {shape}", layouts(n, channels),
                                 "x[None]" if len(shape) == n else ""))  # fmt: skip
    return shape[-n:]


def in_batch(f: Callable[[Any], Any], x: Any, axes: int) -> Any:
    """Return f(x) for a batch, which has so many axes; one axis less is a single example of it."""
    if x.ndim == axes:
        return f(x)
    y = f(ops.reshape(x, (1, *x.shape)))
    return ops.reshape(y, y.shape[1:])
