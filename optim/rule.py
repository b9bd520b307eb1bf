"""How an update that is stated for one number runs over arrays: compiled, or in NumPy block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.kernels.twins import twin
from autograd_core.primitive import kernel

__all__ = ["Rule"]

BLOCK = 1 << 15  # elements: what NumPy computes on the way stays in the cache (14 and 16 are slower)
LEAST = 1 << 18  # elements that are worth a thread of NumPy's
COST = 0.5  # nanoseconds of a loop for an element


class Rule:
    """An update rule ``rule(p, g, *memory, *numbers) -> (p, *memory)``, elementwise and free of side effects.

    It reads as its paper writes it, and is stated once: NumPy calls it with blocks of arrays, numba compiles
    it into ``loop(p, g, *memory, numbers)``, which writes in place.

    Args:
        rule: operators and ufuncs on arrays or single numbers. What is not an array arrives in the dtype of
            p, or as a bool; a constant in the text would promote float32 in a compiled loop.
        loop: calls ``rule`` for each element; both are marked ``@loop`` and stand in one file.
    """

    def __init__(self, rule: Callable[..., Any], loop: Callable[..., Any]) -> None:
        self.rule = rule
        arrays = tuple(range(loop.__code__.co_argcount - 1))
        self.run = twin(loop, cut=arrays, cost=COST, least=LEAST)(self._in_blocks)
        self.apply = kernel(self._applied, lambda numbers, *arrays: (arrays[0], *arrays[2:]))

    def __call__(self, arrays: list[Any], numbers: tuple[Any, ...]) -> None:
        """Update p and the memory in ``arrays`` (p, g, *memory): of one length and dtype, in C order."""
        self.apply(numbers, *arrays)

    def _applied(self, numbers: tuple[Any, ...], *arrays: Any) -> None:
        dtype = arrays[0].dtype.type
        self.run(*arrays, tuple([n if n is True or n is False else dtype(n) for n in numbers]))

    def _in_blocks(self, *args: Any) -> None:
        *arrays, numbers = args
        for start in range(0, arrays[0].size, BLOCK):
            p, g, *memory = [a[start : start + BLOCK] for a in arrays]
            for old, new in zip((p, *memory), self.rule(p, g, *memory, *numbers), strict=True):
                np.copyto(old, new)
