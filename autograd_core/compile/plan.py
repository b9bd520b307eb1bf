"""A plan: the calls of a step, the memory that they write to, and the function that makes them.

What is left of a captured step and where it stands is decided in :mod:`standing`, what it depends on in
:mod:`guards`, and its text is written in :mod:`writing`. Here the text meets its objects: the plan is bound.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy import ndarray

from .capture import Capture, Slot, replaced
from .emit import Names
from .memory import within
from .reach import Place, Site
from .standing import empty
from .trees import Held, slots_of_tree
from .writing import MISS, Written, is_data

__all__ = ["MISS", "Held", "Plan", "is_data", "slots_of_tree"]


class Plan(Written):
    """A step that can be replayed, for arguments and Python state as they were when it was captured.

    Args:
        capture: the calls.
        sites: where the step reads arrays and Python state.
        output: what it returns, with slots in the place of arrays.
        effects: what it leaves behind: pairs of a place and a value with slots in it.
        written: places of Tensors that it writes to.
        leaves: by the number of a site: the slot that was lifted from it.

    Attributes:
        run: the function: ``run(args, kwargs)`` returns what the step would, or ``MISS``.
        root: where sites of arguments begin; filled while the plan is bound to some.
    """

    root: dict[str, Any]

    def __init__(self, capture: Capture, sites: list[Site], output: Any, effects: list[tuple[Place, Any]],
                 written: list[Place], leaves: dict[int, Slot]) -> None:  # fmt: skip
        super().__init__(capture, sites, output, effects, written, leaves)
        self.measuring = False  # then arrays of Tensors are written to, though who measures holds them
        self._emit()
        self._allocate()
        self.bind()

    def _allocate(self) -> None:
        """Give names to the memory of the plan, and to constants."""
        space = self.names.space
        self.blocks = self.arena.allocate()
        for storage, block in self.arena.block.items():
            space[f"b{storage}"] = within(self.blocks[block], self.roots[storage])
        for storage in self.own:
            space[f"b{storage}"] = empty(self.roots[storage])
        for slot in self.slots:
            if slot.kind == "constant":
                space[self.names.slot(slot)] = slot.array

    def bind(self, values: bool = True) -> None:
        """Take the leaves and Python state as they stand now, and views of everything static.

        Args:
            values: whether to read the places anew; else only the views.
        """
        space, names = self.names.space, self.names
        for name, (place, _) in self.bound.items() if values else ():
            space[name] = place.get()
        space["near"] = {id(owner(space[names.slot(slot)])) for _, slot in self.near}
        for number, site in enumerate(self.sites):
            if values and site.kind == "value" and f"s{number}" in space:
                space[f"s{number}"] = site.place.get()
        for call in self.binding:
            args = replaced(call.args, Slot, lambda s: space[names.slot(s)])
            params = replaced(call.params, Slot, lambda s: space[names.slot(s)])
            assign(call.out, call.fun(*args, **params), call.outs, space, names)
        for name, slot, shape in self.shaped:
            space[name] = space[names.slot(slot)].reshape(shape)
        self._count()

    def _count(self) -> None:
        """Note how often arrays that the step leaves behind, or writes to, are referred to from here.

        If it is more at the beginning of a replay, somebody holds the array, and it stays as it is. The
        count while nobody does is computed, not looked up, as somebody may hold it now.
        """
        space = self.names.space
        space["alone"] = np.empty(0)
        alone = space["n"] = eval("refcount(alone)", space)  # as of a view: it is nobody's base
        arrays = {id(x): x for x in space.values() if type(x) is ndarray}.values()
        for storage in self.own:
            block = space[f"b{storage}"]
            space[f"n{storage}"] = alone + sum(x.base is block for x in arrays)
        for name in self.written_leaves:
            array, slot = space[name], self.bound[name][1]
            own = array.base is None and not self.measuring
            views = sum(x.base is array for x in arrays) + sum(s is slot for s in self.used_sites.values())
            space[f"n{name}"] = alone + views if own else sys.maxsize

    def part(self, name: str) -> None:
        """Leave the array of a Tensor to who holds it; go on with a copy, as a write into a Tensor does."""
        _, slot = self.bound[name]
        array = self.names.space[name].copy(order="K")
        for number, other in self.used_sites.items():
            if other is slot:
                self.sites[number].place.set(array)
        self.names.space[name] = array
        self.bind(values=False)

    def renew(self, storage: int) -> None:
        """Leave an array that somebody holds to them, and take another one for the next steps."""
        self.names.space[f"b{storage}"] = empty(self.roots[storage])
        self.bind(values=False)  # within a replay, which has just seen that they are the same

    @property
    def nbytes(self) -> int:
        """Bytes of the memory that the plan holds."""
        return self.arena.nbytes + sum(self.roots[s].nbytes for s in self.own)


def owner(array: ndarray[Any, Any]) -> Any:
    """Return the array whose memory an array shows."""
    while type(array.base) is ndarray:
        array = array.base
    return array


def assign(out: Any, value: Any, made: list[Slot], space: dict[str, Any], names: Names) -> None:
    """Give the slots of a nest that a call made their names, with the parts of its value."""
    if type(out) is Slot:
        if out in made:
            space[names.slot(out)] = value
    elif isinstance(out, (tuple, list)):
        for part, item in zip(out, value, strict=True):
            assign(part, item, made, space, names)
