"""No garbage collection while a picture is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collections"]


@contextmanager
def without_collections() -> Iterator[None]:
    """Make many objects, none of them in a circle: a context manager and a decorator.

    The collector would walk through all of them again and again, in vain: with 10,000 operations
    that was a third of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
