"""What the steps of a computation are: plain data, which refers to no graph and to nobody's array."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..node import Standin, strip

__all__ = ["FULL", "Amount", "Backward", "Forward", "Steps", "Terms", "amount", "written"]

FULL = 16  # elements that are written out, and whose scalar terms are listed

Terms = list[list[tuple[int, int, float]]]  # per element: (input, its element, coefficient)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number or an array: all of it up to 16 elements, else its norm and range."""

    shape: tuple[int, ...] | None  # None: a plain number, of a Value
    numbers: Any  # a number, or nested lists
    norm: float
    low: float
    high: float

    @property
    def flat(self) -> list[Any]:
        """Return the elements in C order; nothing if they are not all here."""
        found = [] if self.numbers is None else [self.numbers]
        while found and isinstance(found[0], list):
            found = [x for row in found for x in row]
        return found


@dataclass(slots=True)
class Forward:
    """One operation: inputs, in order, and what it gave."""

    key: str  # of the vertex of the result
    operation: str  # key of the operation's vertex
    name: str
    params: str
    inputs: list[str]  # keys
    values: list[Amount | None]  # of the inputs, as the operation saw them
    value: Amount | None
    broadcasts: bool  # element by element
    terms: Terms | None = None  # the elements of the result as sums, where it is linear


@dataclass(slots=True)
class Backward:
    """One edge: the gradient of an operation's result comes by, and something is added to an input's."""

    key: str  # of the input that receives
    source: str  # of the operation's result
    operation: str
    name: str
    slot: int  # which input of the operation
    inputs: list[str]
    letters: tuple[str, ...]  # what the formula calls the inputs; it calls the result y
    formula: str  # "b" of dy/da = b; or "g b^T" of a_bar = g b^T; or nothing
    words: str  # what is done with the gradient G, where there is no formula
    local: Amount | None = None  # dy/d(input): a number, or for elementwise operations an array
    upstream: Amount | None = None
    contribution: Amount | None = None
    before: Amount | None = None  # gradient so far; None: nothing yet, a dash
    after: Amount | None = None
    summed: bool = False  # over the axes along which the input was broadcast
    part: int = 1  # of `parts` contributions that this input gets
    parts: int = 1
    terms: Terms | None = None  # the elements of the contribution: coefficients of upstream's elements
    note: str = ""  # why something is not known


@dataclass(slots=True)
class Steps:
    """All of them, as ``steps.walk`` finds them. None stands for what is not known."""

    roots: list[str] = field(default_factory=list)
    given: dict[str, Amount | None] = field(default_factory=dict)  # leaves and constants
    forward: list[Forward] = field(default_factory=list)
    seeds: dict[str, Amount | None] = field(default_factory=dict)  # where the gradient begins
    backward: list[Backward] = field(default_factory=list)
    gradients: dict[str, Amount | None] = field(default_factory=dict)
    learning: list[str] = field(default_factory=list)  # the leaves that get a gradient
    notes: list[str] = field(default_factory=list)
    complete: bool = True  # every number is known, and the sums were compared with the engine's
    problem: str = ""  # why there are no steps


def amount(x: Any) -> Amount | None:
    """Take what is shown of a value; None of nothing."""
    if x is None or isinstance(x, Standin):
        return None
    array = np.asarray(strip(x))
    if array.dtype.kind not in "biufc":
        return None
    plain = array.astype(complex if array.dtype.kind == "c" else float)
    size = np.abs(plain)
    unit = float(size.max()) if size.size else 0.0  # so that squares of huge numbers do not overflow
    scaled = size / unit if 0 < unit < np.inf else size
    norm = float(np.sqrt((scaled * scaled).sum())) * (unit if 0 < unit < np.inf else 1.0)
    real = plain.real
    numbers = None
    if array.size <= FULL:
        numbers = written(array.tolist())
    low, high = (float(real.min()), float(real.max())) if array.size else (0.0, 0.0)
    return Amount(None if isinstance(x, (float, int)) else array.shape, numbers, norm, low, high)


def written(x: Any) -> Any:
    """Return a number, or nested lists, as plain data that JSON knows."""
    if isinstance(x, list):
        return [written(y) for y in x]
    return f"{x:.4g}" if isinstance(x, complex) else x
