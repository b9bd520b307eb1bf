"""The threads that compiled loops share their work with: :mod:`loops.fork` says how they wait."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from . import threads
from .loops import fork
from .twins import compiled

__all__ = ["parts_of", "team"]

ALONE = 15.0  # microseconds of work that are worth a thread which waits busily

_team: Any = None
_lock = threading.Lock()


def team() -> Any:
    """Return what loops are posted to; its threads start with the first call, and are as many as are set.

    >>> from autograd_core.kernels.team import team
    >>> team().dtype.name
    'int64'
    """
    global _team
    found = _team
    number = threads.get_num_threads()
    if found is None or len(found) != fork.WORKER + (number - 1) * fork.LINE * fork.HERE:
        found = _gathered(number - 1 if fork.HERE else 0)
    return found


def _gathered(workers: int) -> Any:
    global _team
    with _lock:
        before, _team = _team, None
        if before is not None and len(before) > fork.WORKER:
            compiled(fork.stop)(before)
        new = np.zeros(fork.WORKER + workers * fork.LINE, np.int64)
        serve = compiled(fork.serve)
        for k in range(workers):
            threading.Thread(target=serve, args=(new, k), name=f"autograd-core {k}", daemon=True).start()
        _team = new
        return new


def parts_of(n: int, microseconds: float) -> int:
    """Return into how many parts work is cut that one thread would do in such a time."""
    return max(1, min(threads.get_num_threads(), n, int(microseconds / ALONE)))


def _forget() -> None:
    global _team, _lock
    _team, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a child has the team without its threads
