"""How long each call of a plan takes: the plan's own function, with a look at the clock between its calls.

The calls run in their order, on the memory of the plan, so that caches hold what they hold in a replay.
Each repetition begins from the same arrays: what the step writes to (parameters, optimizer state, buffers,
the states of generators) is saved before the first, and put back after each.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np

from ..errors import CompileError, message
from ..tensor import Tensor

__all__ = ["Times", "timed"]

SECONDS = 0.3  # for all repetitions, where their number is left open
LEAST, MOST = 15, 1000


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: medians of some repetitions.

    total: of a replay, without looks at the clock. guard: from its beginning to the first call. calls: of
    each call, by its number. rest: of all else, which is Python between the calls and what the step leaves
    behind.
    """

    total: float
    guard: float
    calls: dict[int, float]
    repetitions: int

    @property
    def rest(self) -> float:
        return max(self.total - self.guard - sum(self.calls.values()), 0.0)


def timed(plan: Any, args: Any, kwargs: Any, repetitions: int | None = None) -> Times:
    """Replay a plan some times, and return how long its calls took; nothing of the step is changed.

    Raises:
        CompileError: the plan is one of other arguments.
    """
    if repetitions is not None and (not isinstance(repetitions, int) or repetitions < 1):
        raise ValueError(message("times", f"repetitions={repetitions!r}", "a positive integer, or None"))
    with _rebound(plan, args, kwargs), _untouched(plan) as put_back, np.errstate():
        run, marks, stamps = _with_clock(plan)

        def once() -> int:
            start = perf_counter_ns()
            result = plan.run(args, kwargs)
            took = perf_counter_ns() - start
            del result
            put_back()
            return took

        def looked() -> list[int]:
            stamps.clear()
            result = run(args, kwargs)
            stamps.append(perf_counter_ns())
            del result
            put_back()
            return stamps.copy()

        first = min(once() for _ in range(3))
        looked()
        count = repetitions or min(max(round(SECONDS * 1e9 / 2 / max(first, 1)), LEAST), MOST)
        collecting = gc.isenabled()
        gc.disable()
        try:
            pairs = [(once(), looked()) for _ in range(count)]
        finally:
            if collecting:
                gc.enable()
    cost = _cost_of_a_look()
    steps = [median(column) for column in zip(*[np.diff(stamps) for _, stamps in pairs], strict=True)]
    calls: dict[int, float] = {}
    for mark, step in zip(marks[1:], steps, strict=False):
        if mark >= 0:
            calls[mark] = max(float(step) - cost, 1.0) * 1e-9
    guard = max(float(steps[0]) - cost, 0.0) * 1e-9
    return Times(median(total for total, _ in pairs) * 1e-9, guard, calls, count)


def _with_clock(plan: Any) -> tuple[Callable[..., Any], list[int], list[int]]:
    """Return the plan's function with looks at the clock, the call before each look, and the looks."""
    texts = [text.strip() for _, text in plan.lines]
    stamps: list[int] = []
    marks = [-1]  # of each look: the number of the call before it, or -1
    source, number, fresh = [], 0, True
    for line in plan.source.splitlines():
        if number < len(texts) and line.strip() == texts[number]:
            indent = line[: len(line) - len(line.lstrip())]
            if not fresh or number == 0:
                source.append(f"{indent}look_(clock_())")
                marks.append(-1)
            source += [line, f"{indent}look_(clock_())"]
            marks.append(number)
            number, fresh = number + 1, True
        else:
            source.append(line.replace("def run(", "def with_clock_(", 1))
            if line.startswith("def run("):
                source.append(" look_(clock_())")
            fresh = False
    space = plan.names.space
    before = space.keys() & {"look_", "clock_", "with_clock_"}
    assert not before
    space |= {"look_": stamps.append, "clock_": perf_counter_ns}
    exec(compile("\n".join(source) + "\n", "<plan with a clock>", "exec"), space)
    return space["with_clock_"], marks, stamps


def _cost_of_a_look() -> float:
    """Return the nanoseconds between two looks at the clock with nothing between them."""
    stamps: list[int] = []
    space = {"look_": stamps.append, "clock_": perf_counter_ns}
    exec("def looks():\n" + " look_(clock_())\n" * 200, space)
    space["looks"]()  # type: ignore[operator]
    stamps.clear()
    space["looks"]()  # type: ignore[operator]
    return float(np.median(np.diff(stamps)))


@contextmanager
def _rebound(plan: Any, args: Any, kwargs: Any) -> Iterator[None]:
    """Let a plan be bound to these arguments for a while."""
    plan.root.update(args=args, kwargs=kwargs)
    try:
        if reason := plan.accepts():
            raise CompileError(message("times", f"another step than the plan was made of: {reason}",
                                       "the arguments that the step was captured with"))  # fmt: skip
        plan.bind()
        yield
    finally:
        for name in ("look_", "clock_", "with_clock_"):
            plan.names.space.pop(name, None)
        plan.root.update(args=None, kwargs=None)


@contextmanager
def _untouched(plan: Any) -> Iterator[Callable[[], None]]:
    """Save all that a replay writes to; put it back at the end, and when what is yielded is called."""
    written = {slot.storage for call in plan.calls for slot in call.writes}
    found = [plan.sites[n].place.get() for n, slot in plan.leaves.items() if slot.storage in written]
    found += [s.array for s in plan.slots if s.kind == "constant" and s.storage in written]
    plan.measuring = True
    plan.bind(values=False)
    arrays = [(a, a.copy()) for a in {id(a): a for a in found if isinstance(a, np.ndarray)}.values()]
    places = [(place, place.get()) for place, _ in plan.effects]
    tensors = [t if isinstance(t, Tensor) else t.get() for t in plan.tensors]
    versions = [(t, t.version) for t in tensors]
    generators = [site.place.get() for site in plan.sites if site.kind == "generator"]
    states = [(g, g.bit_generator.state) for g in {id(g): g for g in generators}.values()]

    def put_back() -> None:
        for array, copy in arrays:
            np.copyto(array, copy)
        for place, value in places:
            place.set(value)
        for t, version in versions:
            t.version = version
        for generator, state in states:
            generator.bit_generator.state = state

    try:
        yield put_back
    finally:
        put_back()
        plan.measuring = False
        plan.bind(values=False)
