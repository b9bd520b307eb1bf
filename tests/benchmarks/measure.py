"""How time is measured: contenders take turns, so that whatever disturbs one disturbs all.

In each round every contender runs for a few milliseconds, warm, and with the garbage collector as
it is unless said otherwise. Times are medians over the rounds; a ratio of two contenders is the
median of the ratios within each round, which stays right while the machine's speed drifts.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median, quantiles
from time import perf_counter, process_time, sleep
from timeit import Timer
from types import MappingProxyType
from typing import Any

THREADS = sorted({1, min(2, os.cpu_count() or 1)})  # PyTorch is taken at the better of these
BATCH = 0.003  # seconds that a contender runs at a time: on a busy core, often within one slice

LONG = 0.1  # a call of so many seconds fills the caches by itself, and needs none before it

QUIET = 1e-4  # seconds of the processor's time within a pause of 1 ms: no thread waits busily any more

absent: dict[str, str] = {}  # peer -> why it does not take part


def _settle() -> None:
    """Sleep until the threads sleep that waited busily for more work: they would slow down who is next."""
    for _ in range(100):
        used = process_time()
        sleep(0.001)
        if process_time() - used < QUIET:
            return


def build(builders: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Call the function that builds each contender; one whose library is missing is left out."""
    built = {}
    for name, builder in builders.items():
        try:
            built[name] = builder()
        except ImportError as error:
            absent[name] = str(error)
    return built


class Race:
    """Run contenders in turns, and keep the seconds per call of every round.

    Args:
        contenders: by name, a function without arguments, or a statement and its namespace.
        seconds: how long to go on; twice as long where rounds of the first differ by a fifth.
        rounds: at least this many.
        collector: with the garbage collector; without it, its work is done between the rounds.
        threads: of contenders that run in PyTorch, so many; "PyTorch" runs at each of :data:`THREADS`.
        again: take twice as long where it is noisy.
    """

    def __init__(
        self,
        contenders: Mapping[str, Any],
        seconds: float = 4.0,
        rounds: int = 7,
        collector: bool = True,
        threads: Mapping[str, int] = MappingProxyType({}),
        again: bool = True,
    ) -> None:
        gc.collect()
        gc.freeze()  # what other contenders' libraries imported shall not weigh on collections
        entries: dict[str, tuple[Timer, Callable[[], Any]]] = {}
        for name, run in contenders.items():
            stmt, namespace = run if isinstance(run, tuple) else (run, None)
            setup = gc.enable if collector else gc.disable  # timeit switches it off by itself
            timer = Timer(stmt, setup, globals=namespace)
            if name == "PyTorch":
                from torch import set_num_threads

                for n in THREADS:
                    entries[f"{name} {n}"] = timer, partial(set_num_threads, n)
            elif name in threads:
                from torch import set_num_threads

                entries[name] = timer, partial(set_num_threads, threads[name])
            else:
                entries[name] = timer, (lambda: None) if collector else gc.collect
        self.first = next(iter(entries))
        self.times: dict[str, list[float]] = {name: [] for name in entries}
        took = {name: self._took(*entry) for name, entry in entries.items()}
        calls = {name: max(1, round(BATCH / t)) for name, t in took.items()}
        warm = {name: calls[name] if t < LONG else 0 for name, t in took.items()}
        for _ in range(2):
            until = perf_counter() + seconds
            while perf_counter() < until or len(self.times[self.first]) < rounds:
                for name, (timer, before) in entries.items():
                    before()
                    _settle()
                    timer.timeit(warm[name])
                    self.times[name].append(timer.timeit(calls[name]) / calls[name])
            if not again or self.spread(self.first) < 0.2:
                break
        gc.unfreeze()
        if "PyTorch" in contenders:
            self.threads = min(THREADS, key=lambda n: self.median(f"PyTorch {n}"))
            self.times["PyTorch"] = self.times[f"PyTorch {self.threads}"]

    @staticmethod
    def _took(timer: Timer, before: Callable[[], Any]) -> float:
        """Return the seconds of a call, about; what compiles or allocates does so on the way."""
        before()
        timer.timeit(2)
        calls = 1
        while (took := timer.timeit(calls)) < BATCH / 4:
            calls *= 4
        return took / calls

    def median(self, name: str) -> float:
        return median(self.times[name])

    def ratio(self, name: str, other: str) -> float:
        return median(a / b for a, b in zip(self.times[name], self.times[other], strict=True))

    def over(self, name: str, other: str) -> float:
        return median(a - b for a, b in zip(self.times[name], self.times[other], strict=True))

    def spread(self, name: str) -> float:
        """Return the distance of the quartiles in units of the median."""
        low, middle, high = quantiles(self.times[name], n=4)
        return (high - low) / middle
