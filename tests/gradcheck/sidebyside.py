"""Our gradient checker beside those of PyTorch, JAX and HIPS autograd, on the same zoo.

    python -m tests.gradcheck.sidebyside

Every entry of the zoo is given to every checker that is installed, each with its defaults. What a
checker raises, of any type, is its refusal: of a right gradient that is a false alarm, of a wrong
one it is what is wanted. Modules and functions of Tensors are no pairs of NumPy functions, so for
the others they are not applicable (n/a), as is what takes more than 20 seconds.
"""

from __future__ import annotations

import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import nn

from .peers import Check, Pair, peers
from .zoo import CORRECT, FAULTY, Entry

__all__ = ["Tally", "run"]

LIMIT = 20.0  # seconds for one entry


class TimeUp(BaseException):
    """The limit has passed; not an Exception, so that no checker takes it for its function's."""


@dataclass
class Tally:
    """What one checker said of the zoo."""

    name: str
    alarms: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    timeouts: list[str] = field(default_factory=list)
    inexpressible: int = 0
    evaluations: int = 0
    seconds: float = 0.0


def ours(entry: Entry, count: Callable[[Any], Any]) -> bool:
    f, vjp, inputs = entry.fresh()
    known = {"vjp": vjp} if vjp is not None else {}
    ag.check_gradients(count(f), *inputs, **known, **entry.options)
    return True


def theirs(check: Check) -> Callable[[Entry, Callable[[Any], Any]], bool]:
    def judge(entry: Entry, count: Callable[[Any], Any]) -> bool:
        f, vjp, inputs = entry.fresh()
        if vjp is None:
            return False
        check(Pair(count(f), vjp, inputs))
        return True

    return judge


def run(name: str, judge: Callable[..., bool], entries: Sequence[Entry]) -> Tally:
    """Let one checker judge all entries; ``judge`` returns whether it can, and raises to refuse."""
    tally = Tally(name)

    def count(f: Any) -> Any:
        if isinstance(f, nn.Module):
            return f

        @wraps(f)
        def counted(*xs: Any) -> Any:
            tally.evaluations += 1
            return f(*xs)

        return counted

    for entry in entries:
        start, refusal, applies = time.perf_counter(), "", True
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"), limited(LIMIT):
                warnings.simplefilter("ignore")
                applies = judge(entry, count)
        except TimeUp:
            tally.timeouts.append(entry.name)
            applies = False
        except Exception as error:
            first = next((line for line in str(error).splitlines() if line.strip()), "")
            refusal = f"{type(error).__name__}: {first.strip()[:70]}"
        tally.seconds += time.perf_counter() - start
        if not applies:
            tally.inexpressible += 1
        elif entry.kind is None and refusal:
            tally.alarms.append(f"{entry.name} ({refusal})")
        elif entry.kind is not None and not refusal:
            tally.misses.append(f"{entry.name} ({entry.kind})")
    return tally


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeUp` in what takes longer."""

    def ring(number: int, frame: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def table(tallies: Sequence[Tally]) -> Iterator[str]:
    alarms, misses = f"alarms of {len(CORRECT)}", f"misses of {len(FAULTY)}"
    yield f"{'checker':<14}{alarms:>14}{misses:>15}{'n/a':>6}{'evaluations':>13}{'seconds':>9}"
    for t in tallies:
        yield (f"{t.name:<14}{len(t.alarms):>14}{len(t.misses):>15}{t.inexpressible:>6}"
               f"{t.evaluations:>13,}{t.seconds:>9.1f}")  # fmt: skip
    for t in tallies:
        for title, lines in [("false alarms", t.alarms), ("misses", t.misses),
                             ("not within the time limit", t.timeouts)]:  # fmt: skip
            if lines:
                yield f"\n{t.name}, {title}: {len(lines)}"
                yield from (f"  {line}" for line in lines)


def main() -> None:
    entries = CORRECT + FAULTY
    tallies = [run("ours", ours, entries)]
    for name, check, about in peers():
        print(f"{name}: {about}")
        if check is not None:
            tallies.append(run(name, theirs(check), entries))
    print("evaluations are calls of f, Modules not counted\n")
    for line in table(tallies):
        print(line)


if __name__ == "__main__":
    main()
