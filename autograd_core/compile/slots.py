"""What a captured step is written down in: calls, and slots in the place of their arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Call", "Slot", "replaced", "slots_of"]


class Slot:
    """An array of the plan: its layout, where it comes from, and the storage that it stands in."""

    __slots__ = (
        "array", "copy", "kind", "layout", "line", "live", "number", "place", "scalar", "storage", "view",
    )  # fmt: skip

    def __init__(self, number: int, kind: str, value: Any) -> None:
        self.number, self.kind = number, kind  # leaf, input, constant, result, generator
        self.scalar = isinstance(value, np.generic)  # NumPy's number, which is no array
        self.layout = (value.shape, value.dtype, value.strides) if hasattr(value, "strides") else None
        self.storage = number
        self.view = False  # whether it shows another slot's memory
        self.array: Any = None  # of a constant
        self.live = True  # whether a constant may change from step to step: it was not made in this one
        self.copy: Any = None  # its values when it was first used
        self.line: Any = None
        self.place: Any = None  # of a leaf or an input

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layout[0] if self.layout else ()

    @property
    def dtype(self) -> Any:
        return self.layout[1] if self.layout else None

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize if self.layout else 0

    @property
    def contiguous(self) -> bool:
        """Whether its elements lie in a row, in C order; the stride of an axis of length 1 says nothing."""
        if self.layout is None:
            return False
        plain = np.empty(self.shape, self.dtype).strides
        return all(n == 1 or a == b for n, a, b in zip(self.shape, plain, self.layout[2], strict=True))

    def __repr__(self) -> str:
        return f"{self.kind}{self.number}"


class Call:
    """One call: ``out = fun(*args, **params)``, with slots in the place of arrays."""

    __slots__ = (
        "args", "draws", "errors", "fun", "kernel", "line", "name", "out", "outs", "params", "writes",
    )  # fmt: skip

    def __init__(self, fun: Any, args: Any, params: Any, line: Any, errors: Any) -> None:
        self.fun, self.args, self.params, self.line, self.errors = fun, args, params, line, errors
        self.out: Any = None  # a slot, a nest of slots, or None
        self.outs: list[Slot] = []  # the slots of it that this call makes
        self.writes: tuple[Slot, ...] = ()  # what it writes into
        self.draws = False  # from a generator
        self.kernel: Any = None  # the function of the library that marks it as one
        self.name = str(getattr(fun, "__name__", fun))

    def __repr__(self) -> str:
        return f"{self.out} = {self.name}({', '.join(map(repr, self.args))})"


def replaced(x: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """Return ``x``, in which everything of ``kind``, also within containers and slices, is replaced."""
    cls = type(x)
    if cls is kind:
        return by(x)
    if cls is tuple or cls is list or (cls not in PLAIN and isinstance(x, tuple)):  # also a named one
        parts = [by(item) if type(item) is kind else item if type(item) in PLAIN else replaced(item, kind, by)
                 for item in x]  # fmt: skip
        return parts if cls is list else tuple(parts)
    if cls is dict:
        return {key: replaced(item, kind, by) for key, item in x.items()} if x else x
    if cls is slice:
        return slice(*[replaced(part, kind, by) for part in (x.start, x.stop, x.step)])
    return x


PLAIN = {int, float, bool, str, type(None), type(...), Slot, np.ndarray}  # nothing is within these


def slots_of(x: Any) -> list[Slot]:
    """Return the slots in nested arguments, in order."""
    found: list[Slot] = []
    replaced(x, Slot, lambda slot: found.append(slot))
    return found
