"""What a check found: faults, a comparison for each number, a row for each argument; as text, HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Literal

from ..errors import GradientError, message
from .diagnose import Hint

__all__ = ["Comparison", "Fault", "Hint", "Report", "Row", "failure"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One gradient beside what finite differences give (``index`` None: along a direction)."""

    index: tuple[int, ...] | None
    value: float  # of the input there
    given: float  # with several outputs: the gradient of a random combination of them
    expected: float
    uncertainty: float  # of ``expected``
    error: float  # relative difference, as far as finite differences can resolve it
    verdict: Literal["agrees", "wrong", "inconclusive", "kink"]
    sides: tuple[float, float] | None = None  # at a kink: the one-sided derivatives

    @property
    def ratio(self) -> float:
        """Gradient given / expected."""
        return self.given / self.expected if self.expected else float("nan")


@dataclass(frozen=True, slots=True)
class Fault:
    """What was found without numbers: in which argument, and in which mode of a Module."""

    argument: str
    state: str
    hint: Hint


@dataclass(slots=True)
class Row:
    """All comparisons of one argument in one mode."""

    argument: str
    shape: tuple[int, ...]
    mode: str
    order: int
    every: bool  # element by element, or along random directions
    comparisons: list[Comparison] = field(default_factory=list)
    state: str = ""  # "train" or "eval"
    hint: Hint | None = None
    failing: frozenset[str] = frozenset(("wrong", "inconclusive"))  # verdicts that fail it

    @property
    def worst(self) -> Comparison | None:
        """The comparison to look at first: wrong ones before others, elements before directions."""
        rank = {"agrees": 0, "kink": 1, "inconclusive": 2, "wrong": 3}
        return max(self.comparisons, default=None,
                   key=lambda c: (rank[c.verdict], c.index is not None, c.error))  # fmt: skip

    @property
    def max_error(self) -> float:
        """The largest relative error (what lies on a kink has none)."""
        return max((c.error for c in self.comparisons if c.verdict != "kink"), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every comparison agrees, or is allowed not to."""
        return not any(c.verdict in self.failing for c in self.comparisons)

    @property
    def how(self) -> str:
        """Mode, order and state in words."""
        order = f", order {self.order}" if self.order > 1 else ""
        return f"{self.mode}{order}{', ' + self.state if self.state else ''}"


@dataclass(repr=False)
class Report:
    """What was found: faults, and a :class:`Row` per argument, mode and order. Prints as a table."""

    function: str
    seed: int
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: BaseException | None = None  # what backward raised
    evaluations: int = 0

    @property
    def passed(self) -> bool:
        """Whether there is no fault and every row passed."""
        return not self.faults and all(row.passed for row in self.rows)

    @property
    def max_error(self) -> float:
        """The largest relative error of all rows."""
        return max((row.max_error for row in self.rows), default=0.0)

    @property
    def hints(self) -> list[Hint]:
        """What is wrong, in words: of the faults, then of the rows."""
        return [f.hint for f in self.faults] + [r.hint for r in self.rows if r.hint is not None]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        wrong = sum(not row.passed for row in self.rows)
        found = ([f"{len(self.faults)} fault{'s' * (len(self.faults) > 1)}"] if self.faults else []) + (
            [f"{wrong} of {len(self.rows)} rows disagree"] if wrong else [])  # fmt: skip
        error = f"largest relative error {self.max_error:.1e}, " if self.rows else ""
        lines = [
            f"check_gradients({self.function}): {', '.join(found) or 'gradients agree'}; "
            f"{error}{self.evaluations} evaluations, seed {self.seed}"
        ]
        for fault in self.faults:
            where = ", ".join(filter(None, (fault.argument, fault.state)))
            lines.append(f"  FAULT  {where + ': ' if where else ''}{fault.hint.text}")
        names = max((len(row.argument) for row in self.rows), default=0)
        shapes = max((len(str(row.shape)) for row in self.rows), default=0)
        for row in self.rows:
            lines.append(f"  {'ok   ' if row.passed else 'WRONG'}  {row.argument:<{names}}  "
                         f"{row.shape!s:<{shapes}}  {row.max_error:7.1e}  {_extent(row)}")  # fmt: skip
            if row.hint is not None:
                lines.append(f"         hint: {row.hint.text}")
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def _repr_html_(self) -> str:
        """Return the report as a table for notebooks."""
        columns = ["argument", "shape", "checked", "error"]
        if not all(row.passed for row in self.rows):
            columns += ["index", "input", "gradient", "expected", "ratio", "hint"]
        lines = [_cells("th", columns)] if self.rows else []
        for row in self.rows:
            texts = [row.argument, str(row.shape), _extent(row), f"{row.max_error:.1e}"]
            if not row.passed and (c := row.worst) is not None:
                texts.append("" if c.index is None else str(c.index))
                texts += [f"{n:.6g}" for n in (c.value, c.given, c.expected, c.ratio)]
                texts.append(row.hint.text if row.hint else "")
            lines.append(_cells("td", texts, "" if row.passed else "color:#c0392b;font-weight:bold"))
        said = [f"{f.argument}: {f.hint.text}" if f.argument else f.hint.text for f in self.faults]
        items = "".join(f"<li>{html.escape(text)}</li>" for text in (*said, *self.notes))
        head = html.escape(str(self).splitlines()[0])
        return (f'<div>{head}<ul style="margin:0">{items}</ul>'
                f'<table style="white-space:nowrap">{"".join(lines)}</table></div>')  # fmt: skip


def _cells(tag: str, texts: list[str], style: str = "") -> str:
    cells = "".join(f'<{tag} style="text-align:left">{html.escape(t)}</{tag}>' for t in texts)
    return f'<tr style="{style}">{cells}</tr>'


def _extent(row: Row) -> str:
    """Say how a row was checked: in which mode, and at how many elements or along directions."""
    elements = sum(c.index is not None for c in row.comparisons)
    counts = {"element": elements, "direction": len(row.comparisons) - elements}
    words = [f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items() if n] or ["no elements"]
    kinks = sum(c.verdict == "kink" for c in row.comparisons)
    return ", ".join([row.how, *words]) + f", {kinks} at a kink" * (kinks > 0)


def failure(report: Report) -> GradientError:
    """Build the error of a report that did not pass: where it is wrong, then the whole table."""
    if report.faults:
        f = report.faults[0]
        where = " of ".join(filter(None, ("a gradient" if f.argument else "",
                                          repr(f.argument) if f.argument else "")))  # fmt: skip
        text = message("check_gradients", (where + ": " if where else "") + f.hint.text)
    else:
        text = _sentence(next(row for row in report.rows if not row.passed))
    error = GradientError(f"{text}\n{report}")
    error.report = report
    return error


def _sentence(row: Row) -> str:
    """Say what is wrong in a row: argument, index, input value, gradient, expected, ratio."""
    c = row.worst
    assert c is not None
    at = "along a random direction" if c.index is None else (
        f"at index {c.index}, where its value is {c.value:.6g}")  # fmt: skip
    given = f"gradient {c.given:.9g} for argument {row.argument!r} {at} ({row.how})"
    if c.verdict == "inconclusive":
        return message("check_gradients", given, "a gradient that finite differences can confirm "
                       f"(they give {c.expected:.6g} +- {c.uncertainty:.1g})",
                       "inputs away from jumps, and from where it is infinite")  # fmt: skip
    if c.sides is not None:
        return message("check_gradients", given, f"between {c.sides[0]:.6g} and {c.sides[1]:.6g}, "
                       "the derivatives on the two sides of this kink")  # fmt: skip
    hint = f": {row.hint.text}" if row.hint is not None else ""
    ratio = f" (ratio {c.ratio:.6g})" if c.given and c.expected else ""
    return message("check_gradients", given, f"{c.expected:.9g}{ratio}") + hint
