"""What the settings of layers must be: whole numbers, positive numbers, shares from 0 to 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message

__all__: list[str] = []


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_sizes(who: str, **sizes: Any) -> None:
    """Refuse what is not a positive whole number.

    >>> check_sizes("Linear", in_features=0)
    Traceback (most recent call last):
    ValueError: [Linear] got in_features=0, expected a positive number
    """
    for name, n in sizes.items():
        if not is_whole(n):
            raise TypeError(message(who, f"{name}={n!r}", "a positive whole number"))
    check_positive(who, **sizes)


def check_positive(who: str, **values: float) -> None:
    """Refuse numbers that are not above 0."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(message(who, f"{name}={value}", "a positive number"))


def check_shares(who: str, **shares: float) -> None:
    """Refuse probabilities and shares that are not from 0 to 1."""
    for name, p in shares.items():
        if isinstance(p, bool) or not 0 <= p <= 1:
            raise ValueError(message(who, f"{name}={p}", "a number from 0 to 1"))
