"""What this machine can do, measured: products and bytes per second, the fixed cost of a call of NumPy.

These are bounds for the calls of a plan, so each is the best of several attempts: what disturbs an attempt
(another program, a core that sleeps) makes it slower, never faster.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np

from .memory import aligned

__all__ = ["Limits", "measured"]

SIDES = (96, 256, 640)  # of the square matrices that are multiplied
SIZES = (3 << 12, 3 << 15, 3 << 18, 3 << 20, 3 << 24)  # bytes of three arrays together: caches, then memory
ENOUGH = 4_000_000  # nanoseconds for one measurement
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a machine for arrays of one dtype.

    flops: of matrix products, per second, with the threads that NumPy has. alone: the same in one thread
    (None if the number of threads cannot be set). bandwidth: bytes per second, by the bytes that are read
    and written: the better of a copy and a sum. calls: seconds of a call on a single element, by the kind
    of call.
    """

    dtype: str
    flops: float
    alone: float | None
    bandwidth: tuple[tuple[int, float], ...]
    calls: dict[str, float]

    @property
    def cache(self) -> float:
        """Bytes per second of arrays that stay in a cache."""
        return max(speed for _, speed in self.bandwidth)

    @property
    def memory(self) -> float:
        """Bytes per second of arrays that are larger than the caches."""
        return self.bandwidth[-1][1]

    def bound(self, flops: int | None, nbytes: int, kind: str) -> float:
        """Return the least time, in seconds, of a call that makes ``flops`` operations and moves ``nbytes``.

        >>> limits = Limits("float32", 1e11, None, ((1000, 5e10), (10**8, 1e10)), {"elementwise": 3e-7})
        >>> limits.bound(2 * 512**3, 3 * 4 * 512**2, "matrix product")  # operations
        0.002684
        >>> limits.bound(10**7, 10**9, "elementwise")  # memory
        0.1
        >>> limits.bound(1, 12, "elementwise")  # the call itself
        3e-07
        """
        if kind == "view":
            return 0.0
        smaller = sum(size <= nbytes for size, _ in self.bandwidth)
        speed = max(
            speed for _, speed in self.bandwidth[max(smaller - 1, 0) :]
        )  # seen with as much, or a step less
        call = self.calls.get(kind, self.calls["elementwise"])
        return max((flops or 0) / self.flops, nbytes / speed, call)


def measured(dtype: Any = np.float32) -> Limits:
    """Measure the limits of this machine; it takes about a third of a second."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "fc":
        dtype = np.dtype(np.float32)
    every = _products(dtype)
    alone = None
    if (threads := _threads()) is not None:
        with threads(1):
            alone = _products(dtype)
    bandwidth = tuple((size, _bandwidth(size, dtype)) for size in SIZES)
    return Limits(dtype.name, max(every, alone or 0.0), alone, bandwidth, _calls(dtype))


def best(fun: Callable[[], Any]) -> float:
    """Return the seconds of a call, in the fastest of some runs of many calls."""
    fun()
    start = perf_counter_ns()
    fun()
    took = max(perf_counter_ns() - start, 100)
    count = max(min(ENOUGH // ATTEMPTS // took, 2000), 1)
    times = []
    for _ in range(ATTEMPTS):
        start = perf_counter_ns()
        for _ in range(count):
            fun()
        times.append((perf_counter_ns() - start) / count)
    return min(times) * 1e-9


def _products(dtype: Any) -> float:
    found = []
    for n in SIDES:
        a, b, y = (np.ones((n, n), dtype) for _ in range(3))
        found.append(2 * n**3 / best(lambda: np.matmul(a, b, y)))  # noqa: B023
    return max(found)


def _bandwidth(nbytes: int, dtype: Any) -> float:
    a, b, y = (aligned(nbytes // 3).view(dtype) for _ in range(3))
    for x in (a, b, y):
        x[...] = 1
    call = (
        best(lambda: np.add(a[:1], b[:1], y[:1])) if nbytes < 1 << 16 else 0.0
    )  # a small part of it is the call
    moved = a.nbytes
    add = best(lambda: np.add(a, b, y))
    copy = best(lambda: np.copyto(y, a))
    least = 1e-9
    return max(3 * moved / max(add - call / 2, least), 2 * moved / max(copy - call / 2, least))


def _calls(dtype: Any) -> dict[str, float]:
    a, b, y = (np.ones(1, dtype) for _ in range(3))
    m, n, z = (np.ones((1, 1), dtype) for _ in range(3))
    s = np.ones((), dtype)
    add, matmul, copyto = np.add, np.matmul, np.copyto
    total: Any = np.add.reduce
    nothing = best(lambda: None)  # what the measurement itself costs
    each = {
        "elementwise": best(lambda: add(a, b, y)),
        "matrix product": best(lambda: matmul(m, n, z)),
        "reduction": best(lambda: total(a, 0, None, s)),
        "copy": best(lambda: copyto(y, a)),
    }
    return {kind: max(seconds - nothing, 1e-9) for kind, seconds in each.items()}


def _threads() -> Any:
    """Return what sets the number of threads of NumPy's OpenBLAS for a while; None where there is none."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    for prefix in ("scipy_openblas", "openblas"):
        for suffix in ("64_", "", "_64_"):
            try:
                setter = getattr(library, f"{prefix}_set_num_threads{suffix}")
                getter = getattr(library, f"{prefix}_get_num_threads{suffix}")
            except AttributeError:
                continue

            @contextmanager
            def threads(n: int, setter: Any = setter, getter: Any = getter) -> Iterator[None]:
                before = getter()
                setter(n)
                try:
                    yield
                finally:
                    setter(before)

            return threads
    return None
