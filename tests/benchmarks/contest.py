"""One row of the table, in a process of its own: all contestants built, compared, then timed in turns.

``python -m tests.benchmarks.contest mlp --share 20`` prints the row as JSON. A contestant that is not
installed, does not take part, raises or takes too long to build leaves a note; one that computes something
else is an error, and is not timed.
"""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any
from warnings import catch_warnings

import numpy as np

from .measure import THREADS, Race
from .workloads import (
    COMPILED,
    CONTESTANTS,
    EAGER,
    HIPS,
    JAX,
    MYGRAD,
    NUMPY,
    TORCH,
    TORCH_COMPILE,
    WORKLOADS,
    YARDSTICKS,
    NotTaken,
    Step,
    Workload,
    numbers,
)

STEPS = 6  # that are compared; ours compiles while the first three run
PATIENCE = 240  # seconds to build a contestant, and to run it so often
SIDE = 1024  # of the square matrices whose product is the machine's limit
LIMITS = ("product NumPy", "product PyTorch")
ORACLES = (TORCH, JAX, NUMPY, HIPS, MYGRAD, EAGER)  # what others are compared with: the first that is there


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block once so much time has gone by."""

    def late(*_: Any) -> None:
        raise TimeoutError(f"not ready after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Contest:
    """The contestants of a workload that can be timed, what they computed, and why others cannot."""

    def __init__(self, workload: Workload, without: tuple[str, ...] = ()) -> None:
        self.workload = workload
        self.steps: dict[str, Step] = {}
        self.found: dict[str, list[Any]] = {}
        self.notes: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.threads: dict[str, int] = {}
        self.built: dict[str, float] = {}  # seconds to build, compile and run the compared steps
        for name in CONTESTANTS:
            if name in workload.builders and name not in without:
                self.add(name, workload.builders[name])
        self.compare()

    def add(self, name: str, builder: Callable[[], Step]) -> None:
        """Build a contestant and let it run; what goes wrong becomes a note."""
        start = perf_counter()
        try:
            with at_most(PATIENCE), catch_warnings(record=True) as warned:
                if name == TORCH_COMPILE:  # it compiles for a number of threads
                    self.threads[name] = self.best_threads()
                step = builder()
                self.found[name] = [numbers(step()) for _ in range(STEPS)]
                self.steps[name], self.built[name] = step, perf_counter() - start
            if name == COMPILED and warned:  # it went back to eager, say
                self.notes[name] = str(warned[-1].message)
        except ImportError as error:
            self.notes[name] = f"not installed ({error})"
        except NotTaken as reason:
            self.notes[name] = str(reason)
        except Exception as error:  # whatever it is, the others go on
            first = next(iter(str(error).strip().splitlines()), "")
            self.notes[name] = f"{type(error).__name__}: {first}"[:300]

    def best_threads(self) -> int:
        """Return at how many threads PyTorch's eager step is faster, from a few steps, and set it."""
        import torch

        took = {}
        for n in THREADS:
            torch.set_num_threads(n)
            times = []
            for _ in range(5):
                start = perf_counter()
                if TORCH in self.steps:
                    self.steps[TORCH]()
                times.append(perf_counter() - start)
            took[n] = sorted(times)[1]
        best = min(took, key=lambda n: took[n])
        torch.set_num_threads(best)
        return best

    def compare(self) -> None:
        """Move who computes something else to the errors; distances are in units of the largest number."""
        oracle = next((name for name in ORACLES if name in self.found), EAGER)
        for name, found in self.found.items():
            for i, (mine, right) in enumerate(zip(found, self.found[oracle], strict=True)):
                same = mine.shape == right.shape
                apart = np.abs(mine - right).max() / np.abs(right).max() if same else np.inf
                if not apart <= self.workload.rtol:
                    self.errors[name] = f"differs from {oracle} by {apart:.1e} of its largest in step {i + 1}"
                    del self.steps[name]
                    break

    def race(self, seconds: float, rounds: int) -> dict[str, Any]:
        """Time who is left, with the machine's product in between; return the row."""
        a = np.random.default_rng(0).standard_normal((SIDE, SIDE), dtype=np.float32)
        contenders: dict[str, Any] = {**self.steps, LIMITS[0]: lambda: a @ a}
        threads = dict(self.threads)
        if TORCH in self.steps:
            import torch

            b = torch.tensor(a)
            contenders[LIMITS[1]], threads[LIMITS[1]] = (lambda: b @ b), THREADS[-1]
        race = Race(contenders, seconds, rounds, threads=threads, again=False)
        products = [race.times[name] for name in LIMITS if name in contenders]
        limit = 2 * SIDE**3 / min(map(min, products))
        usual = 2 * SIDE**3 / min(map(median, products))
        row: dict[str, Any] = {
            "title": self.workload.title, "target": self.workload.target, "flops": self.workload.flops,
            "seconds": {name: race.median(name) for name in self.steps},
            "spread": {name: race.spread(name) for name in self.steps},
            "rounds": len(race.times[race.first]), "limit": limit, "usual": usual,
            "threads": {name: n for name, n in self.threads.items() if name in self.steps},
            "built": self.built, "notes": self.notes, "errors": self.errors, "ratio": {}, "fraction": {},
        }  # fmt: skip
        if work := row["flops"]:
            row["fraction"] = {name: work / limit / time for name, time in row["seconds"].items()}
        if TORCH in self.steps:
            row["threads"][TORCH] = race.threads
        if there := [name for name in YARDSTICKS if name in self.steps]:
            row["better"] = min(there, key=race.median)
            ours = [name for name in (EAGER, COMPILED) if name in self.steps]
            row["ratio"] = {name: race.ratio(name, row["better"]) for name in ours}
        return row


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("row", choices=WORKLOADS)
    parser.add_argument("--share", type=float, default=15.0, help="seconds for the row, building included")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    start = perf_counter()
    workload = WORKLOADS[given.row]()
    if given.small and workload.small:
        workload = workload.small()
    contest = Contest(workload, tuple(given.without))
    least, most = min(3.0, given.share / 2), 15.0
    row = contest.race(min(most, max(least, given.share - (perf_counter() - start))), given.rounds)
    print(json.dumps({"key": given.row, **row}), file=sys.stdout)


if __name__ == "__main__":
    main()
