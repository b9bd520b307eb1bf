"""What a check found: a comparison for each number, a row for each argument, and the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..errors import GradientError, message

__all__ = ["Comparison", "Report", "Row", "failure"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One gradient beside what finite differences give (``index`` None: along a direction)."""

    index: tuple[int, ...] | None
    value: float  # of the input there
    given: float  # with several outputs: the gradient of a random combination of them
    expected: float
    uncertainty: float  # of ``expected``
    error: float  # relative difference, as far as finite differences can resolve it
    verdict: Literal["agrees", "wrong", "unsure", "kink"]

    @property
    def ratio(self) -> float:
        """Gradient given / expected."""
        return self.given / self.expected if self.expected else float("nan")


@dataclass(slots=True)
class Row:
    """All comparisons of one argument in one mode."""

    argument: str
    shape: tuple[int, ...]
    mode: str
    order: int
    every: bool  # element by element, or along random directions
    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def worst(self) -> Comparison | None:
        """The comparison to look at first: wrong ones before others, elements before directions."""
        rank = {"agrees": 0, "kink": 1, "unsure": 2, "wrong": 3}
        return max(self.comparisons, default=None,
                   key=lambda c: (rank[c.verdict], c.index is not None, c.error))  # fmt: skip

    @property
    def max_error(self) -> float:
        """The largest relative error (what lies on a kink has none)."""
        return max((c.error for c in self.comparisons if c.verdict != "kink"), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every comparison agrees, or is a subgradient at a kink."""
        return all(c.verdict in ("agrees", "kink") for c in self.comparisons)


@dataclass(repr=False)
class Report:
    """What was compared: a :class:`Row` per argument, mode and order. Prints as a short table."""

    function: str
    seed: int
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: str = ""  # why the check could not go on
    evaluations: int = 0

    @property
    def passed(self) -> bool:
        """Whether the check ran to its end and every row passed."""
        return not self.stopped and all(row.passed for row in self.rows)

    @property
    def max_error(self) -> float:
        """The largest relative error of all rows."""
        return max((row.max_error for row in self.rows), default=0.0)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        wrong = sum(not row.passed for row in self.rows)
        verdict = "gradients agree" if self.passed else (
            f"{wrong} of {len(self.rows)} rows disagree" if wrong else "stopped")  # fmt: skip
        lines = [
            f"check_gradients({self.function}): {verdict}; largest relative error "
            f"{self.max_error:.1e}, {self.evaluations} evaluations, seed {self.seed}"
        ]
        names = max((len(row.argument) for row in self.rows), default=0)
        shapes = max((len(str(row.shape)) for row in self.rows), default=0)
        for row in self.rows:
            n = len(row.comparisons)
            unit = ("element" if row.every else "direction") + "s" * (n != 1)
            kinks = sum(c.verdict == "kink" for c in row.comparisons)
            lines.append(
                f"  {'ok   ' if row.passed else 'WRONG'}  {row.argument:<{names}}  "
                f"{row.shape!s:<{shapes}}  {row.max_error:7.1e}  {_mode(row)}, {n} {unit}"
                + f", {kinks} at a kink" * (kinks > 0)
            )
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def _mode(row: Row) -> str:
    return row.mode if row.order == 1 else f"{row.mode}, order {row.order}"


def failure(report: Report) -> GradientError:
    """Build the error of a report that did not pass: where it is wrong, then the whole table."""
    text = report.stopped or _sentence(next(row for row in report.rows if not row.passed))
    error = GradientError(f"{text}\n{report}")
    vars(error)["report"] = report
    return error


def _sentence(row: Row) -> str:
    """Say what is wrong in a row: argument, index, input value, gradient, expected, ratio."""
    c = row.worst
    assert c is not None
    at = "along a random direction" if c.index is None else (
        f"at index {c.index}, where its value is {c.value:.6g}")  # fmt: skip
    given = f"gradient {c.given:.9g} for argument {row.argument!r} {at} ({_mode(row)})"
    if c.verdict == "unsure":
        return message("check_gradients", given, "a gradient that finite differences can confirm "
                       f"(they give {c.expected:.6g} +- {c.uncertainty:.1g})",
                       "inputs away from jumps, and from where it is infinite")  # fmt: skip
    return message("check_gradients", given, f"{c.expected:.9g} (ratio {c.ratio:.6g})")
