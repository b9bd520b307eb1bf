"""The table of a plan: ``print(step.plan)`` shows each call of a replay, and what the plan is as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any

from .describe import Row, Summary, described, plural, size, summary
from .timing import Times, timed

__all__ = ["Shown", "table"]

LONGEST = 72  # characters of a call in a line of text


class Shown:
    """What a plan has for people: as text, as a table of a notebook, and with times."""

    measured: dict[int, float] | None = None  # seconds, by the number of the call
    fun: Any = None  # what the plan was made of

    def times(self, *args: Any, repetitions: int | None = None, **kwargs: Any) -> Shown:
        """Measure how long each call takes, for ``print``. Nothing changes: what the step writes is put back.

        Args:
            args, kwargs: what the step is called with.
            repetitions: replays; as many as a third of a second has, if None.

        Returns:
            the plan.

        Raises:
            CompileError: the plan is one of other arguments.

        >>> import numpy as np, autograd_core as ag
        >>> w = ag.tensor(np.ones(3, np.float32), requires_grad=True)
        >>> @ag.compile
        ... def step(x):
        ...     w.grad = None
        ...     (w * x).sum().backward()
        ...     with ag.no_grad():
        ...         w.data -= w.grad
        >>> x = np.ones(3, np.float32)
        >>> for _ in range(6):
        ...     step(x)
        >>> "us" in str(step.plan.times(x, repetitions=2))
        True
        >>> w.data
        array([-5., -5., -5.], dtype=float32)
        """
        found: Times = timed(self, args, kwargs, repetitions)
        self.measured = found.calls
        return self

    def rows(self) -> list[Row]:
        """Return the calls as plain data."""
        return described(self)

    def __repr__(self) -> str:
        known = summary(self)
        held = size(known.block_bytes + known.own_bytes)
        return f"<Plan of {named(self)}: {plural(known.replayed, 'call')}, {held}>"

    def __str__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return html(self)


def named(plan: Any) -> str:
    return str(getattr(plan.fun, "__name__", "a step"))


def text(plan: Any) -> str:
    """Return the calls of a plan, below the lines of the code that make them, and a summary."""
    rows = described(plan)
    known = summary(plan)
    cells = [
        (str(r.number), _short(r.text), r.result, size(r.written) if r.written else "", _place(r), _time(r))
        for r in rows
    ]
    widths = [max((len(c[i]) for c in cells), default=0) for i in range(6)]
    lines = [f"{named(plan)}: {plural(len(rows), 'call')} in each replay", ""]
    at = 0
    for (where, code), group in groupby(rows, key=lambda r: (r.where, r.code)):
        lines.append(f"{where}  {code}".rstrip())
        for row in group:
            n, call, result, nbytes, place, time = cells[at]
            lines.append(
                f"  {n:>{widths[0]}}  {call:<{widths[1]}}  {result:<{widths[2]}}  {nbytes:>{widths[3]}}  "
                f"{time:>{widths[5]}}  {place}".rstrip()
            )
            lines += [f"  {'':>{widths[0]}}    {_short(part)}" for part in row.parts]
            at += 1
    return "\n".join([*lines, "", *_told(known, rows)])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _place(row: Row) -> str:
    """Say where the result of a call stands, and what it is kept as."""
    return " ".join([row.memory, *(f"→ {w}" for w in row.kept)]).strip()


def _time(row: Row) -> str:
    return "" if row.time is None else f"{row.time * 1e6:.2f} us"


def _told(known: Summary, rows: list[Row]) -> Iterator[str]:
    """Yield the sentences of the summary."""
    left = [f"{known.views} are views that stand"] if known.views else []
    if known.shared is None:
        left += [f"{known.unread} nobody reads, or were made before"] if known.unread else []
    else:
        left += [f"{known.shared} were made before"] if known.shared else []
        left += [f"{known.unread} nobody reads"] if known.unread else []
    yield (f"calls: {known.captured} captured, {known.replayed} replayed"
           + (f" ({', '.join(left)})" if left else "")
           + f"; {sum(r.in_place for r in rows)} write in place")  # fmt: skip
    own = f" and {size(known.own_bytes)} that the step hands out" if known.own else ""
    yield (f"memory: {size(known.block_bytes)} in {plural(known.blocks, 'block')}{own}; "
           f"eagerly {size(known.results_bytes)} are allocated")  # fmt: skip
    yield f"guards: {plural(known.guards, 'place')} of arrays and Python state must be as they were"
    if any(r.time is not None for r in rows):
        yield f"time: {sum(r.time or 0 for r in rows) * 1e6:.1f} us in the calls"


def html(plan: Any) -> str:
    """Return the calls of a plan as a table."""
    rows = described(plan)
    measured = any(r.time is not None for r in rows)
    columns = ["", "call", "result", "bytes", *(["time"] if measured else []), "memory"]
    left = (1, 2, len(columns) - 1)
    body: list[str] = []
    for (where, code), group in groupby(rows, key=lambda r: (r.where, r.code)):
        body.append(
            f'<tr><td colspan="{len(columns)}" style="text-align:left;padding-top:.6em">'
            f'<b>{escape(code)}</b> <span style="opacity:.7">{escape(where)}</span></td></tr>'
        )
        for r in group:
            call = "\n  ".join([r.text, *r.parts])
            time = [_time(r)] if measured else []
            cells = [str(r.number), call, r.result, f"{r.written:,}" if r.written else "", *time, _place(r)]
            body.append(line(cells, left))
    told = "".join(f"<li>{escape(sentence)}</li>" for sentence in _told(summary(plan), rows))
    return (
        '<div style="font-family:ui-monospace,monospace;font-size:12px">'
        f'<div>{escape(repr(plan)[1:-1])}</div>{table(columns, body, left)}'
        f'<ul style="margin:0">{told}</ul></div>'
    )


def table(columns: Sequence[str], body: Sequence[str], left: Sequence[int]) -> str:
    """Return a plain table of HTML; the columns ``left`` are text, the others numbers."""
    head = "".join(f'<th style="text-align:{_side(i, left)}">{escape(c)}</th>' for i, c in enumerate(columns))
    style = "white-space:pre;font-size:inherit;border-spacing:.7em 0"
    return f'<table style="{style}"><tr>{head}</tr>{"".join(body)}</table>'


def line(cells: Sequence[str], left: Sequence[int], bars: dict[int, float] | None = None) -> str:
    """Return a row of a table. ``bars``: how much of a cell is coloured; long texts show when pointed at."""
    parts = []
    for i, cell in enumerate(cells):
        style, more = f"text-align:{_side(i, left)}", ""
        if bars and i in bars:
            part = f"{bars[i]:.0%}"
            style += f";background:linear-gradient(90deg,#1f5fbf40 {part},#0000 {part})"
        if "\n" not in cell and len(cell) > LONGEST:
            more = f' title="{escape(cell)}"'
        shown = "\n".join(map(_short, cell.split("\n")))
        parts.append(f'<td style="{style}"{more}>{escape(shown)}</td>')
    return f"<tr>{''.join(parts)}</tr>"


def _side(i: int, left: Sequence[int]) -> str:
    return "left" if i in left else "right"
