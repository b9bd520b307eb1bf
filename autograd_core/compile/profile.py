"""Where the time of a step goes, and how far it is from what the machine can do: ``ag.profile``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..errors import CompileError, message
from .costs import KINDS
from .describe import Row, described, plural, size
from .limits import Limits, measured
from .reach import Opaque
from .report import line, table
from .snapshot import Snapshot
from .timing import Times, timed

__all__ = ["Profile", "profile"]

LONGEST = 56  # characters of a call in a line of text
MOST = 12  # calls that are printed
CALLS = 8  # of a function that is not compiled yet, at most
SMALL = 4.0  # a call that takes less than so many empty ones is as good as empty


@dataclass(repr=False)
class Profile:
    """The times of a step beside the limits of the machine. It prints itself; in a notebook it is a table."""

    name: str
    rows: list[Row]
    times: Times
    limits: Limits
    others: dict[str, Limits] = field(default_factory=dict)  # for calls of another dtype

    @property
    def total(self) -> float:
        """Seconds of one replay."""
        return self.times.total

    @property
    def python(self) -> float:
        """Seconds of a replay outside of its calls: the guard, and Python between and after them."""
        return self.times.guard + self.times.rest

    @property
    def least(self) -> float:
        """Seconds that the calls would take at the limits of the machine."""
        return sum(map(self.bound, self.rows))

    def bound(self, row: Row) -> float:
        """Return the seconds that a call takes at least: for its operations or bytes, or as an empty call."""
        limits = self.others.get(row.dtype, self.limits)
        least = limits.bound(row.flops, row.read + row.written, row.kind)
        return least if row.time is None else min(least, row.time)  # on a number a call is cheaper

    def reached(self, row: Row) -> float:
        """Return which part of the limit a call reaches: 1 is as fast as the machine."""
        return self.bound(row) / row.time if row.time else 1.0

    def slowest(self) -> list[Row]:
        """Return the calls, those that take longest first."""
        return sorted(self.rows, key=lambda row: -(row.time or 0.0))

    def kinds(self) -> list[tuple[str, list[Row], float]]:
        """Return the kinds of calls, their calls and the seconds of these; the longest first."""
        groups = [(kind, [r for r in self.rows if r.kind == kind]) for kind in KINDS]
        found = [(kind, rows, sum(r.time or 0.0 for r in rows)) for kind, rows in groups if rows]
        return sorted(found, key=lambda entry: -entry[2])

    # -- in words -----------------------------------------------------------------------------------

    @property
    def verdict(self) -> str:
        """One sentence on what takes the time."""
        if not self.rows:
            return "The step makes no calls."
        total = max(self.total, 1e-12)
        kind, rows, time = self.kinds()[0]
        small = [r for r in self.rows if (r.time or 0.0) < SMALL * self._empty(r)]
        wasted = sum(r.time or 0.0 for r in small)
        if self.python > max(time, wasted):
            what = "the guard" if self.times.guard > self.times.rest else "Python between the calls"
            return (f"Python takes most, {_share(self.python, total)} of the time, above all {what}: "
                    "larger arrays, such as a larger batch, would make it count for less.")  # fmt: skip
        if wasted > 0.9 * time and len(small) > 1:
            return (
                "The fixed cost of NumPy's calls dominates: "
                f"{len(small)} of {plural(len(self.rows), 'call')} take little more than an empty one, and "
                f"{_share(wasted, total)} of the time; larger arrays, such as a larger batch, "
                "would make it count for less."
            )
        top = max(rows, key=lambda row: row.time or 0.0)
        most = (f", most of it in call {top.number}, {_short(top.text)}"
                if (top.time or 0.0) > time / 2 and len(rows) > 1 else "")  # fmt: skip
        which = f"call {top.number}, {_short(top.text)}," if len(rows) == 1 else f"{len(rows)} {_many(kind)}"
        reach = sum(map(self.bound, rows)) / max(time, 1e-12)
        verb = "takes" if len(rows) == 1 else "take"
        return (
            f"{which[0].upper()}{which[1:]} {verb} {_share(time, total)} of the time{most}, "
            f"at {reach:.0%} of the machine's limit."
        )

    def _empty(self, row: Row) -> float:
        return self.limits.calls.get(row.kind, self.limits.calls["elementwise"])

    @property
    def answer(self) -> str:
        """How long the step could take, and how long it takes."""
        return (
            f"This step could take at least {_us(self.least)} on this machine; it takes {_us(self.total)} "
            f"({self.least / max(self.total, 1e-12):.0%} of the limit)."
        )

    def _machine(self) -> str:
        known = self.limits
        alone = f" ({known.alone / 1e9:.0f} in one thread)" if known.alone else ""
        return (
            f"limits, measured just now: {known.flops / 1e9:.0f} GFLOP/s in {known.dtype} products{alone}, "
            f"{known.cache / 1e9:.0f} GB/s in caches, {known.memory / 1e9:.0f} GB/s in memory, "
            f"{known.calls['elementwise'] * 1e6:.2f} us for a call of NumPy"
        )

    def __repr__(self) -> str:
        return str(self)

    def _parts(self) -> list[tuple[str, ...]]:
        """Return the rows of the first table: what the time of a replay is made of."""
        rows = [(kind, str(len(rows)), _us(time), _share(time, self.total), _us(sum(map(self.bound, rows))))
                for kind, rows, time in self.kinds()]  # fmt: skip
        rows.append(("Python: guard", "", _us(self.times.guard), _share(self.times.guard, self.total), ""))
        rows.append(("Python: the rest", "", _us(self.times.rest), _share(self.times.rest, self.total), ""))
        return [*rows, ("one replay", str(len(self.rows)), _us(self.total), "", _us(self.least))]

    def _cells(self, row: Row) -> tuple[str, ...]:
        flops = "—" if row.flops is None else f"{row.flops:,}"
        return (
            str(row.number),
            row.text,
            _us(row.time or 0.0),
            _share(row.time or 0.0, self.total),
            flops,
            size(row.read + row.written),
            _us(self.bound(row)),
            f"{self.reached(row):.0%}",
            row.where,
        )

    def __str__(self) -> str:
        lines = [
            f"profile of {self.name}: medians of {plural(self.times.repetitions, 'replay')}",
            self._machine(),
            "",
        ]
        lines += _columns([("", "calls", "time", "share", "limit"), *self._parts()], (0,))
        shown = self.slowest()[:MOST]
        cells = [(c[0], _short(c[1]), *c[2:]) for c in map(self._cells, shown)]
        lines += ["", *_columns([CELLS, *cells], (1, 8))]
        if len(self.rows) > MOST:
            rest = sum(r.time or 0.0 for r in self.slowest()[MOST:])
            lines.append(
                f"and {plural(len(self.rows) - MOST, 'other call')}, {_us(rest)} together; .rows has all"
            )
        return "\n".join([*lines, "", self.answer, self.verdict])

    def _repr_html_(self) -> str:
        kinds = [line(cells, (0,)) for cells in self._parts()]
        parts = table(["", "calls", "time", "share", "limit"], kinds, (0,))
        total = max(self.total, 1e-12)
        body = [line(self._cells(r), (1, 8), {3: min((r.time or 0.0) / total, 1.0)}) for r in self.slowest()]
        said = "".join(f"<div>{escape(text)}</div>" for text in (self._machine(), self.answer, self.verdict))
        return (
            '<div style="font-family:ui-monospace,monospace;font-size:12px">'
            f"<b>profile of {escape(self.name)}</b>{said}{parts}{table(CELLS, body, (1, 8))}</div>"
        )


CELLS = ("", "call", "time", "share", "FLOPs", "bytes", "limit", "reached", "line")


def profile(
    step: Callable[..., Any], /, *args: Any, repetitions: int | None = None, **kwargs: Any
) -> Profile:
    """Measure where the time of a step goes, and how far each of its calls is from what this machine can do.

    The calls of its plan are timed in their order. In the same run the machine is measured: matrix
    products, the bandwidth of caches and memory, the fixed cost of a call of NumPy. From these, each call
    has a time that it could not go below: its operations (2mnk for a product, one for each element of an
    elementwise call or a reduction, and what a kernel's primitive says) at the speed of products, its bytes
    at the speed of a copy, or an empty call.

    No training step is taken: whatever the step writes to (parameters, optimizer state, buffers, the states
    of generators) is saved before, and put back after. A function that was not compiled, or not yet called
    often enough to be replayed, is captured for this alone, with everything that it reaches saved and put
    back likewise.

    Args:
        step: a compiled step, or a function that could be one.
        args, kwargs: what it is called with.
        repetitions: replays to measure; as many as a third of a second has, if None.

    Returns:
        a :class:`Profile`, which prints itself: ``total``, ``least``, ``rows``, ``verdict``.

    Raises:
        CompileError: the step cannot be captured.

    >>> import numpy as np, autograd_core as ag
    >>> w = ag.tensor(np.ones((30, 20), np.float32), requires_grad=True)
    >>> def step(x):
    ...     w.grad = None
    ...     (x @ w).sum().backward()
    ...     with ag.no_grad():
    ...         w.data -= 0.1 * w.grad
    >>> report = ag.profile(step, np.ones((10, 30), np.float32), repetitions=2)
    >>> print(report.answer)
    This step could take at least ... us on this machine; it takes ... us (...% of the limit).
    >>> bool((w.data == 1).all()), w.grad is None
    (True, True)
    """
    from . import Compiled

    if not callable(step):
        raise TypeError(message("profile", f"a {type(step).__name__}", "a function"))
    if isinstance(step, Compiled):
        with step.lock:
            if plan := _fitting(step, args, kwargs):
                return _profiled(plan, args, kwargs, repetitions)
        step = step.fun
    elif isinstance(step, Opaque):
        step = step.fun
    snapshot = Snapshot(step, args, kwargs)
    compiled = Compiled(step, False)
    try:
        for _ in range(CALLS):
            compiled(*args, **kwargs)
            if compiled.recent is not None:
                break
        else:
            raise CompileError(
                message(
                    "profile",
                    f"a step that is no replay after {CALLS} calls: {compiled.reason}",
                    "the same Python state in each step",
                )
            )
        report = _profiled(compiled.recent, args, kwargs, repetitions)
    finally:
        snapshot.put_back()
    snapshot.check(compiled.watch)
    return report


def _fitting(step: Any, args: Any, kwargs: Any) -> Any:
    """Return the plan of a compiled step for these arguments, if there is one."""
    for plan in step.plans[::-1]:
        plan.root.update(args=args, kwargs=kwargs)
        try:
            if plan.accepts() is None:
                return plan
        finally:
            plan.root.update(args=None, kwargs=None)
    return None


def _profiled(plan: Any, args: Any, kwargs: Any, repetitions: int | None) -> Profile:
    times = timed(plan, args, kwargs, repetitions)
    plan.measured = times.calls
    rows = described(plan)
    floats = [r.dtype for r in rows if r.dtype.startswith(("float", "complex"))]
    products = [r.dtype for r in rows if r.kind == "matrix product"]
    main = max(products or floats or ["float32"], key=(products or floats or ["float32"]).count)
    others = {dtype: measured(dtype) for dtype in sorted(set(products) - {main})}
    return Profile(str(getattr(plan.fun, "__name__", "a step")), rows, times, measured(main), others)


def _us(seconds: float) -> str:
    us = seconds * 1e6
    return f"{us:.2f} us" if us < 10 else f"{us:.1f} us" if us < 1000 else f"{us:,.0f} us"


def _share(part: float, total: float) -> str:
    return f"{part / max(total, 1e-12):.0%}"


def _many(kind: str) -> str:
    return {
        "copy": "copies",
        "random numbers": "draws of random numbers",
        "elementwise": "elementwise calls",
    }.get(kind, kind + "s")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _columns(rows: list[tuple[str, ...]], left: tuple[int, ...]) -> list[str]:
    """Align rows; numbers stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(w) if i in left else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
