"""The table of idioms: what people write with arrays, and what a compiled function makes of it.

``right`` rows must give in every call what the function gives as it is, to the last bit. ``loud`` rows must
raise a CompileError, whose text is given, in one of the first calls. The names of a function's arguments say
what it is called with. A function that is decorated with ``made`` makes the function of its row,
with state of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_core as ag

__all__ = ["IDIOMS", "Idiom", "feeds", "loud", "made", "right"]

IDIOMS: dict[str, Idiom] = {}

FEEDS: dict[str, Callable[[np.random.Generator], Any]] = {
    "x": lambda rng: rng.standard_normal((4, 4)),
    "y": lambda rng: rng.standard_normal((4, 4)),
    "v": lambda rng: rng.standard_normal(5),
    "w": lambda rng: rng.standard_normal(5),
    "f": lambda rng: rng.standard_normal(5, np.float32),
    "a": lambda rng: rng.standard_normal((2, 3, 4)),
    "c": lambda rng: rng.standard_normal(5) + 1j * rng.standard_normal(5),
    "i": lambda rng: rng.integers(0, 5, 5),
    "n": lambda rng: rng.integers(1, 4, 3),
    "k": lambda rng: rng.integers(0, 5, ()),
    "s": lambda rng: rng.standard_normal(()),
    "m": lambda rng: rng.random(5) < 0.5,
    "p": lambda rng: rng.random(5) + 0.5,
    "b": lambda rng: rng.integers(0, 100, 5).astype(np.int8),
    "t": lambda rng: ag.tensor(rng.standard_normal(5)),
    "u": lambda rng: ag.tensor(rng.standard_normal((4, 4))),
    "g": lambda rng: ag.tensor(rng.standard_normal(5), requires_grad=True),
}


def feeds(names: Any, call: int) -> list[Any]:
    """Return the arguments of one call: other values in each, and the same ones whenever it is asked."""
    rng = np.random.default_rng(call)
    values = {name: make(rng) for name, make in FEEDS.items()}
    return [values[name] for name in names]


@dataclass(frozen=True)
class Idiom:
    """A function, and what is expected of it where it is compiled: ``loud`` is the text of the refusal."""

    name: str
    make: Callable[[], Any]
    loud: str = ""
    arguments: Callable[[int], list[Any]] | None = None
    lines: tuple[str, range] = field(default=("", range(0)))

    def __repr__(self) -> str:
        return self.name


def _add(name: str, fun: Any, text: str, arguments: Any = None) -> None:
    assert name not in IDIOMS, name
    inner, made_anew = fun if isinstance(fun, tuple) else (fun, False)
    code = inner.__code__
    codes = [code, *filter(inspect.iscode, code.co_consts)]
    rows = [line for part in codes for *_, line in part.co_lines() if line]
    make = inner if made_anew else lambda: inner
    lines = code.co_filename, range(min(rows), max(rows) + 1)
    IDIOMS[name] = Idiom(name, make, text, arguments, lines)


def made(fun: Callable[[], Any]) -> Any:
    """Mark a function that makes the function of a row."""
    return fun, True


def right(fun: Any = None, /, *, args: Any = None, **rows: Any) -> Any:
    """Add rows: one, as a decorator, or several by name. ``args(call)`` returns the arguments of a call."""
    if fun is None and not rows:
        return lambda fun: right(fun, args=args)
    if fun is not None:
        _add((fun[0] if isinstance(fun, tuple) else fun).__name__, fun, "", args)
    for name, row in rows.items():
        _add(name, row, "", args)
    return fun


def loud(text: str, /, args: Any = None, **rows: Any) -> Any:
    """Add rows that must be refused with a text, a regular expression."""
    for name, row in rows.items():
        _add(name, row, text, args)

    def add(fun: Any) -> Any:
        _add((fun[0] if isinstance(fun, tuple) else fun).__name__, fun, text, args)
        return fun

    return add
