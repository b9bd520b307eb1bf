"""What a step returns and leaves behind: nests of tuples, lists and dicts, with slots for arrays."""

from __future__ import annotations

from typing import Any

from .slots import Slot

__all__ = ["Held", "replace_tree", "slots_of_tree"]


class Held:
    """A Tensor in such a nest: the slot of its array, and its node if it is a leaf of graphs, or None."""

    __slots__ = ("node", "slot")

    def __init__(self, slot: Slot, node: Any) -> None:
        self.slot, self.node = slot, node


def slots_of_tree(tree: Any) -> list[Slot]:
    """Return the slots of a nest, in order."""
    if isinstance(tree, Held):
        return [tree.slot]
    if isinstance(tree, (tuple, list)):
        return [s for item in tree for s in slots_of_tree(item)]
    if type(tree) is dict:
        return [s for item in tree.values() for s in slots_of_tree(item)]
    return [tree] if type(tree) is Slot else []


def replace_tree(tree: Any, instead: dict[Slot, Slot]) -> Any:
    """Return a nest, in which some slots have been replaced by others."""
    if isinstance(tree, Held):
        return Held(instead.get(tree.slot, tree.slot), tree.node)
    if isinstance(tree, tuple):
        parts = [replace_tree(item, instead) for item in tree]
        return tree._make(parts) if hasattr(tree, "_make") else tuple(parts)
    if type(tree) is list:
        return [replace_tree(item, instead) for item in tree]
    if type(tree) is dict:
        return {key: replace_tree(item, instead) for key, item in tree.items()}
    return instead.get(tree, tree) if type(tree) is Slot else tree
