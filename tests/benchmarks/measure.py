"""How time is measured: contenders take turns, so that whatever disturbs one disturbs all.

In each round every contender runs for some milliseconds, warm, with the garbage collector as it
is. Times are medians over the rounds; a ratio of two contenders is the median of the ratios within
each round, which stays right while the machine's speed drifts.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median, quantiles
from time import perf_counter, sleep
from timeit import Timer
from typing import Any

THREADS = sorted({1, min(2, os.cpu_count() or 1)})  # PyTorch is taken at the better of these
BATCH = 0.003  # seconds that a contender runs at a time: often within one slice of a busy core

absent: dict[str, str] = {}  # peer -> why it does not take part


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
    """Run contenders in turns, and keep seconds per call of every round.

    Args:
        contenders: by name, a function without arguments, or a statement with its namespace.
        seconds: how long to go on; twice as long where rounds differ by more than a fifth.
        rounds: at least this many.
    """

    def __init__(
        self, contenders: Mapping[str, Any], seconds: float = 5.0, rounds: int = 7
    ) -> None:
        self.threads = 1
        entries: dict[str, tuple[Timer, Callable[[], Any]]] = {}
        for name, run in contenders.items():
            stmt, namespace = run if isinstance(run, tuple) else (run, None)
            timer = Timer(stmt, gc.enable, globals=namespace)  # timeit switches it off by itself
            if name == "PyTorch":
                from torch import set_num_threads

                for n in THREADS:
                    entries[f"{name} {n}"] = timer, partial(set_num_threads, n)
            else:
                entries[name] = timer, int
        self.times: dict[str, list[float]] = {name: [] for name in entries}
        calls = {name: self._calibrate(*entry) for name, entry in entries.items()}
        until = perf_counter() + seconds
        extended = False
        while True:
            for name, (timer, before) in entries.items():
                before()
                sleep(0.001)  # threads that wait busily for more work go to sleep
                timer.timeit(max(1, calls[name] // 10))
                self.times[name].append(timer.timeit(calls[name]) / calls[name])
            if perf_counter() > until and len(self.times[name]) >= rounds:
                if extended or self.spread("ours") < 0.2:
                    break
                until, extended = perf_counter() + seconds, True
        if "PyTorch" in contenders:
            self.threads = min(THREADS, key=lambda n: self.median(f"PyTorch {n}"))
            self.times["PyTorch"] = self.times[f"PyTorch {self.threads}"]

    @staticmethod
    def _calibrate(timer: Timer, before: Callable[[], Any]) -> int:
        """Return how many calls make a batch; compiles and warms on the way."""
        before()
        timer.timeit(2)
        calls = 1
        while (took := timer.timeit(calls)) < BATCH / 4:
            calls *= 4
        return max(1, round(calls * BATCH / took))

    def median(self, name: str) -> float:
        return median(self.times[name])

    def ratio(self, name: str, other: str) -> float:
        return median(a / b for a, b in zip(self.times[name], self.times[other], strict=True))

    def over(self, name: str, other: str) -> float:
        return median(a - b for a, b in zip(self.times[name], self.times[other], strict=True))

    def spread(self, name: str) -> float:
        """Return the distance of the quartiles in units of the median."""
        times = self.times.get(name) or next(iter(self.times.values()))
        low, middle, high = quantiles(times, n=4)
        return (high - low) / middle
