"""One seedable source of randomness for the library: initial weights, shuffles, noise."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["generator", "get_state", "manual_seed", "set_state"]

_generator: np.random.Generator | None = None


def manual_seed(seed: int) -> np.random.Generator:
    """Start the library's random numbers from ``seed``, and return their generator.

    >>> from autograd_core import nn
    >>> _ = nn.manual_seed(0)
    >>> first = nn.Linear(2, 3).weight.numpy()
    >>> _ = nn.manual_seed(0)
    >>> bool((nn.Linear(2, 3).weight.numpy() == first).all())
    True
    """
    global _generator
    _generator = np.random.default_rng(seed)
    return _generator


def generator() -> np.random.Generator:
    """Return the library's generator; until ``manual_seed`` is called it starts anywhere."""
    global _generator
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator


def get_state() -> dict[str, Any]:
    """Return the state of the generator: plain data, for a checkpoint.

    >>> from autograd_core import nn
    >>> state = nn.random.get_state()
    >>> a = nn.random.generator().random(3)
    >>> nn.random.set_state(state)
    >>> bool((nn.random.generator().random(3) == a).all())
    True
    """
    return dict(generator().bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Continue the random numbers from a state that ``get_state`` returned."""
    generator().bit_generator.state = state
