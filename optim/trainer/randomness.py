"""All random states that a training may draw from: the library's, NumPy's old one, Python's, the loader's."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import autograd_core as ag

__all__ = ["get_state", "set_state"]


def get_state(loader: Any = None) -> dict[str, Any]:
    """Return the states as plain data and arrays."""
    version, words, gauss = random.getstate()
    state = {
        "library": ag.random.get_state(),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002 - of those who still use it
        "python": [version, np.array(words, np.uint32), gauss],
    }
    own = getattr(loader, "generator", None)
    if isinstance(own, np.random.Generator):
        state["loader"] = own.bit_generator.state
    return state


def set_state(state: dict[str, Any], loader: Any = None) -> None:
    """Go on from states that ``get_state`` returned."""
    ag.random.set_state(state["library"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    if "loader" in state and isinstance(own := getattr(loader, "generator", None), np.random.Generator):
        own.bit_generator.state = state["loader"]
