"""Long chains of arithmetic on numbers, rolled up into the loops that they came from, which numba compiles.

A recurrence of 10,000 steps is captured as 160,000 calls on numbers, forward and back. In such a list the
same few operations come again and again, and what they read moves on by a constant distance: forward ahead,
in the backward part through what was kept in reverse. So the list is cut into segments

    for k in range(count):  for q in range(period):  w[start + k period + q] = op_q(w[j_q + k s_q], ...)

and what is left over. IEEE 754 rounds each operation once, so the results have the bits of NumPy's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..kernels.twins import is_used
from .capture import Call, Slot, slots_of
from .emit import Names
from .loops import TEXTS
from .passes import QUIET

__all__ = ["Roll", "rolled"]

LEAST = 256  # calls in a row
PERIODS = 64  # the longest body of a loop that is looked for
ROUNDS = 8  # the fewest rounds that make a loop
LINES = 400  # that are not in loops: compiling takes time
FORMS = {fun: text for fun, text in TEXTS.items() if fun in (
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.square)}  # fmt: skip


class Read(NamedTuple):
    """A result of the chain, by its number."""

    place: int


class Step(NamedTuple):
    """One operation, and what it reads: the numbers of earlier ones, slots from outside, constants."""

    fun: Any
    reads: tuple[Any, ...]


class Segment(NamedTuple):
    """A loop: where it starts, how many operations a round has, how many rounds, how far each read moves."""

    start: int
    period: int
    rounds: int
    moves: list[tuple[Any, ...]]


class Roll:
    """A chain of arithmetic on numbers as one compiled function.

    Args:
        calls: the chain.
        outs: the results that something else reads.
    """

    def __init__(self, calls: list[Call], outs: list[Slot]) -> None:
        self.calls, self.outs = calls, outs
        number = {call.out: i for i, call in enumerate(calls)}
        inside = set(number)
        self.args = list(dict.fromkeys(s for call in calls for s in slots_of(call.args) if s not in inside))
        self.steps = [
            Step(call.fun, tuple([Read(number[a]) if type(a) is Slot and a in inside else a
                                  for a in call.args]))
            for call in calls
        ]  # fmt: skip
        self.results = [number[s] for s in outs]
        self.segments = segments(self.steps)
        self.lines = len(calls) - sum(s.period * s.rounds for s in self.segments)
        self.params: dict[str, Any] = {}
        self.writes: tuple[Slot, ...] = ()
        self.draws, self.fun, self.kernel = False, None, None
        self.out = tuple(outs)
        self.line, self.errors = calls[0].line, calls[-1].errors
        self.name = f"{len(calls)} operations on numbers"

    def text(self, names: Names) -> str:
        """Return the text that runs the chain; its function goes into the names."""
        import numba

        dtype = self.calls[0].out.dtype
        given = {s: f"g{i}" for i, s in enumerate(self.args)}
        space: dict[str, Any] = {}

        def read(x: Any, move: Any = 0) -> str:
            if type(x) is Slot:
                return given[x]
            if type(x) is Read:
                return f"w[{x.place}]" if not move else f"w[{x.place} + {move} * k]"
            name = f"c{len(space)}"
            space[name] = dtype.type(x)
            return name

        def formula(step: Step, moves: Any) -> str:
            return FORMS[step.fun].format(*[read(x, m) for x, m in zip(step.reads, moves, strict=True)])

        lines = [f"def roll({', '.join(['w', *given.values()])}):"]
        i = 0
        for segment in [*self.segments, None]:
            end = segment.start if segment else len(self.steps)
            for j in range(i, end):
                lines.append(f" w[{j}] = {formula(self.steps[j], (0,) * len(self.steps[j].reads))}")
            if segment is not None:
                lines.append(f" for k in range({segment.rounds}):")
                for q in range(segment.period):
                    j = segment.start + q
                    value = formula(self.steps[j], segment.moves[q])
                    lines.append(f"  w[{j} + {segment.period} * k] = {value}")
                i = segment.start + segment.period * segment.rounds
        exec(compile("\n".join(lines), "<roll>", "exec"), space)
        compiled = numba.njit(nogil=True, error_model="numpy")(space["roll"])
        run = _Run(compiled, len(self.steps), dtype, self.results)
        run.source = "\n".join(lines)
        return f"{names(run)}({', '.join(names.slot(s) for s in self.args)})"


class _Run:
    """The compiled function of a chain, with memory for its results."""

    def __init__(self, compiled: Any, n: int, dtype: Any, results: list[int]) -> None:
        self.__name__ = "roll"
        self.compiled, self.results, self.number = compiled, results, dtype.type
        self.memory = np.empty(n, dtype)
        self.source = ""

    def __call__(self, *given: Any) -> tuple[Any, ...]:
        number, memory = self.number, self.memory
        self.compiled(memory, *[number(x) for x in given])
        return tuple([memory[i] for i in self.results])


def segments(steps: list[Step]) -> list[Segment]:
    """Find loops in a list of operations, the longest at each place."""
    found = []
    i = 0
    while i < len(steps):
        best = None
        for period in range(1, PERIODS + 1):
            segment = _segment(steps, i, period)
            if segment and (best is None or segment.period * segment.rounds > best.period * best.rounds):
                best = segment
                if best.period * best.rounds > (len(steps) - i) // 4:
                    break
        if best is None:
            i += 1
        else:
            found.append(best)
            i += best.period * best.rounds
    return found


def _segment(steps: list[Step], start: int, period: int) -> Segment | None:
    """Return the loop of a period that starts at a place, if there are enough rounds of it."""
    if start + ROUNDS * period > len(steps):
        return None
    moves: list[tuple[Any, ...]] = []
    for q in range(period):
        first, second = steps[start + q], steps[start + period + q]
        if first.fun is not second.fun:
            return None
        distances = [_move(a, b) for a, b in zip(first.reads, second.reads, strict=True)]
        if None in distances:
            return None
        moves.append(tuple(distances))
    count = 2
    while start + (count + 1) * period <= len(steps):
        base = start + count * period
        for q in range(period):
            first, now = steps[start + q], steps[base + q]
            if first.fun is not now.fun:
                return _enough(start, period, count, moves)
            for a, b, move in zip(first.reads, now.reads, moves[q], strict=True):
                if type(a) is Read:
                    if type(b) is not Read or b.place != a.place + count * move:
                        return _enough(start, period, count, moves)
                elif not _is_same(a, b):
                    return _enough(start, period, count, moves)
        count += 1
    return _enough(start, period, count, moves)


def _enough(start: int, period: int, count: int, moves: Any) -> Segment | None:
    return Segment(start, period, count, moves) if count >= ROUNDS else None


def _move(a: Any, b: Any) -> int | None:
    """Say how far a read moves from one round to the next; None if it is another kind of read."""
    if type(a) is Read and type(b) is Read:
        return b.place - a.place
    return 0 if _is_same(a, b) else None


def _is_same(a: Any, b: Any) -> bool:
    """Tell whether two reads are of the same slot, or of the same number, of which 0.0 and -0.0 are two."""
    return a is b or (type(a) is type(b) and type(a) not in (Slot, Read) and repr(a) == repr(b))


def _is_number_call(call: Any, dtype: Any = None) -> bool:
    if not isinstance(call, Call) or call.fun not in FORMS or call.params or call.writes:
        return False
    out = call.out
    if not isinstance(out, Slot) or not out.scalar or out.dtype not in (np.float32, np.float64):
        return False
    if dtype is not None and out.dtype != dtype or not QUIET.issuperset(call.errors):
        return False
    return all(
        (a.shape == () and a.dtype == out.dtype) if type(a) is Slot else
        type(a) in (int, float) or type(a) is out.dtype.type for a in call.args
    )  # fmt: skip


def rolled(calls: list[Call], kept: set[Slot]) -> list[Any]:
    """Return the calls with long chains of arithmetic on numbers as one unit each.

    Args:
        calls: in order.
        kept: slots that are read after the step.
    """
    if not is_used():
        return list(calls)
    units: list[Any] = []
    last: dict[Slot, int] = {}
    for i, call in enumerate(calls):
        for slot in slots_of([call.args, call.params]):
            last[slot] = i
    i = 0
    while i < len(calls):
        j, dtype = i, None
        while j < len(calls) and _is_number_call(calls[j], dtype):
            dtype = calls[j].out.dtype
            j += 1
        if j - i >= LEAST:
            run = calls[i:j]
            outs = [call.out for call in run if call.out in kept or last.get(call.out, -1) >= j]
            roll = Roll(run, outs)
            if roll.lines <= LINES:
                units.append(roll)
                i = j
                continue
        units.extend(calls[i : max(j, i + 1)])
        i = max(j, i + 1)
    return units
