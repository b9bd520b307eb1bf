"""Parts of one call in several threads: NumPy and compiled loops release the interpreter's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import copy_context
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..errors import message

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["get_num_threads", "set_num_threads", "split", "worth_a_thread"]

_number: int | None = None
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()
_within = threading.local()  # .pool: this thread works on a part already


def get_num_threads() -> int:
    """Return how many threads a kernel uses: ``OMP_NUM_THREADS``, or the cores of this process.

    >>> from autograd_core import kernels
    >>> kernels.get_num_threads() >= 1
    True
    """
    global _number
    if _number is None:
        given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _number = int(given) if given.isdigit() and int(given) else cores
    return _number


def set_num_threads(n: int) -> None:
    """Let kernels use ``n`` threads. NumPy's matrix products have a setting of their own.

    Raises:
        ValueError: n is less than 1.
    """
    global _number
    if n < 1:
        raise ValueError(message("set_num_threads", f"n={n}", "1 or more"))
    _number = n
    _forget()


def _forget() -> None:
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a child has the pool without its threads


def split(work: Callable[[int, int], Any], n: int, least: int = 1) -> None:
    """Call ``work(start, stop)`` for parts of ``range(n)``, of at least ``least`` each, side by side.

    A part costs 30 to 110 us, so what takes less than that is left whole. Errors are raised here.

    >>> done = []
    >>> split(lambda start, stop: done.extend(range(start, stop)), 5)
    >>> sorted(done)
    [0, 1, 2, 3, 4]
    """
    global _pool
    parts = min(get_num_threads(), n // max(least, 1))
    if parts < 2 or getattr(_within, "pool", False):
        if n:
            work(0, n)
        return
    with _lock:
        if _pool is None:
            from concurrent.futures import ThreadPoolExecutor

            _pool = ThreadPoolExecutor(get_num_threads() - 1, "autograd-core", _enter)
        pool = _pool
    edges = [n * i // parts for i in range(parts + 1)]
    futures: list[Future[Any]] = [
        pool.submit(copy_context().run, work, a, b) for a, b in pairwise(edges[1:])
    ]
    try:
        work(0, edges[1])
    finally:
        for future in futures:
            future.exception()  # wait: they write into the caller's arrays
    for future in futures:
        future.result()


def worth_a_thread(least: float, cost: float, units: int) -> int:
    """Return how many units of work cost at least ``least``, where all of them together cost ``cost``.

    >>> worth_a_thread(1000, 8000, 16)
    2
    """
    return max(1, int(least * units / max(cost, 1)))


def _enter() -> None:
    _within.pool = True
