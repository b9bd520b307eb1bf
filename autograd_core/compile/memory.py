"""Which memory the results of a plan stand in: a block is used again once nothing reads what it held."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .capture import Call, Slot, slots_of

__all__ = ["Arena", "lifetimes"]

ALIGNED = 64  # bytes: a cache line, and the widest vector


def lifetimes(calls: list[Call]) -> dict[int, tuple[int, int]]:
    """Return for each storage the first and the last call that touches it."""
    found: dict[int, tuple[int, int]] = {}
    for i, call in enumerate(calls):
        for slot in (*call.outs, *call.writes, *slots_of([call.args, call.params])):
            first = found.get(slot.storage, (i, i))[0]
            found[slot.storage] = first, i
    return found


class Arena:
    """Blocks of memory for storages that are alive at different times.

    A storage gets the smallest free block that it fits into, or the largest free one, which grows: sizes are
    known before anything is allocated, so a block is as large as the largest that stands in it.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.free: list[int] = []
        self.block: dict[int, int] = {}  # storage -> block

    def take(self, storage: int, nbytes: int, prefer: int | None = None) -> None:
        if prefer is not None and prefer in self.free:
            chosen = prefer
        else:
            fits = [b for b in self.free if self.sizes[b] >= nbytes]
            if fits:
                chosen = min(fits, key=lambda b: self.sizes[b])
            elif self.free:
                chosen = max(self.free, key=lambda b: self.sizes[b])
            else:
                chosen = len(self.sizes)
                self.sizes.append(0)
                self.free.append(chosen)
        self.free.remove(chosen)
        self.sizes[chosen] = max(self.sizes[chosen], nbytes)
        self.block[storage] = chosen

    def give(self, storage: int) -> int:
        block = self.block[storage]
        self.free.append(block)
        return block

    @property
    def nbytes(self) -> int:
        return sum(self.sizes)

    def allocate(self) -> list[ndarray[Any, Any]]:
        """Return the memory of the blocks."""
        return [aligned(n) for n in self.sizes]


def aligned(nbytes: int) -> ndarray[Any, Any]:
    memory = np.empty(nbytes + ALIGNED, np.uint8)
    start = -memory.ctypes.data % ALIGNED
    return memory[start : start + nbytes]


def within(block: ndarray[Any, Any], slot: Slot) -> ndarray[Any, Any]:
    """Return the array of a slot that stands at the beginning of a block."""
    shape, dtype, strides = slot.layout  # type: ignore[misc]
    return ndarray(shape, dtype, block, 0, strides)
