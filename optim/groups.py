"""A group of parameters with its options: numbers that people read and write, and arrays that steps read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip

__all__ = ["Group", "Slots"]


class Group(dict[str, Any]):
    """The options of some parameters, by name, and those parameters under ``"params"``.

    ``group["lr"] = 0.1`` changes a rate. What is a number, or a tuple of them, stands in ``numbers`` as a
    float64 array too, which is written to and stays the same array.

    >>> group = Group({"params": [], "lr": 0.5, "nesterov": False})
    >>> lr = group.numbers["lr"]
    >>> group["lr"] *= 0.1
    >>> group["lr"], lr
    (0.05, array(0.05))
    """

    numbers: dict[str, ndarray[Any, Any]]
    plan: Any = None  # which parameters step together, as `elementwise` found last

    def __init__(self, options: Any, counts: Iterable[str] = ()) -> None:
        super().__init__()
        self.numbers, self.counts = {}, frozenset(counts)  # counts: what steps read as Python numbers
        self.update(options)

    @property
    def live(self) -> Any:
        """The options that steps read from ``numbers``: a compiled step guards only whether they are 0."""
        return self.numbers.keys() - self.counts

    def __setitem__(self, name: str, value: Any) -> None:
        if name != "params":
            value = strip(value)
            if isinstance(value, (ndarray, np.generic)) and value.ndim == 0:
                value = value.item()
            if _is_number(value) or (isinstance(value, (tuple, list)) and all(map(_is_number, value))):
                array = np.array(value, np.float64)
                old = self.numbers.get(name)
                if old is not None and old.shape == array.shape:
                    np.copyto(old, array)
                else:
                    self.numbers[name] = array
            else:
                self.numbers.pop(name, None)
        super().__setitem__(name, value)

    def update(self, *others: Any, **options: Any) -> None:
        for name, value in dict(*others, **options).items():
            self[name] = value

    def __ior__(self, others: Any) -> Group:  # type: ignore[override, misc]
        self.update(others)
        return self

    def setdefault(self, name: str, value: Any = None) -> Any:
        if name not in self:
            self[name] = value
        return self[name]

    def __reduce__(self) -> Any:
        return Group, (dict(self), self.counts)


class Slots(dict[str, ndarray[Any, Any]]):
    """What an optimizer remembers of a parameter: arrays by name. Assigning to a name writes into its array.

    >>> state = Slots(exp_avg=np.ones(2))
    >>> memory = state["exp_avg"]
    >>> state["exp_avg"] = np.zeros(2)
    >>> memory
    array([0., 0.])
    """

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            self[name][...] = strip(value)
        else:
            super().__setitem__(name, np.copy(strip(value)))

    def place(self, name: str, array: ndarray[Any, Any]) -> None:
        """Let ``array`` itself be what is remembered under ``name``."""
        super().__setitem__(name, array)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def gradients(params: Iterable[Any]) -> list[Any]:
    """Return the gradients of parameters as plain arrays, None where there is none.

    Raises:
        ValueError: one has not the shape of its parameter.
    """
    found = []
    for p in params:
        g = p.grad
        if g is not None:
            if type(g) is not ndarray:
                g = strip(g)
            if g.shape != p.data.shape:
                raise ValueError(message("step", f"a gradient of shape {g.shape}",
                                         f"the parameter's, {p.data.shape}"))  # fmt: skip
        found.append(g)
    return found
