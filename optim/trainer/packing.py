"""Nested states as arrays by name and one tree of JSON, and back, without any loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import Box, strip

__all__ = ["pack", "unpack"]

MANY = 16  # from as many floats on a list is an array in the file


def pack(value: Any, arrays: dict[str, Any], path: str = "") -> Any:
    """Return ``value`` as plain data; its arrays go into ``arrays``, named by where they stand.

    Dictionaries keep keys that are numbers, tuples stay tuples, and numbers of NumPy their dtype.

    Raises:
        TypeError: something else than numbers, texts, None, arrays, dictionaries, lists, tuples.

    >>> arrays = {}
    >>> pack({"state": {0: {"step": np.array(3.0)}}, "betas": (0.9, 0.999)}, arrays)
    {'state': {'=items': [[0, {'step': {'=array': 'state.0.step'}}]]}, 'betas': {'=tuple': [0.9, 0.999]}}
    >>> arrays
    {'state.0.step': array(3.)}
    """
    if isinstance(value, (ndarray, np.generic, Box)):
        name = path
        while name in arrays:
            name += "'"
        arrays[name] = np.asarray(strip(value))
        return {"=scalar" if isinstance(value, np.generic) else "=array": name}
    if isinstance(value, Mapping):
        inside = {k: pack(v, arrays, f"{path}.{k}" if path else str(k)) for k, v in value.items()}
        if all(isinstance(k, str) and not k.startswith("=") for k in inside):
            return inside
        return {"=items": [[pack(k, arrays, f"{path}.key"), v] for k, v in inside.items()]}
    if isinstance(value, (list, tuple)):
        if type(value) is list and len(value) >= MANY and all(type(v) is float for v in value):
            return {"=floats": pack(np.array(value), arrays, path)["=array"]}
        items = [pack(v, arrays, f"{path}.{i}") for i, v in enumerate(value)]
        return {"=tuple": items} if isinstance(value, tuple) else items
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(message("Checkpoints", f"{path}, a {type(value).__name__}",
                            "numbers, texts, None, arrays, and dictionaries, lists and tuples of them",
                            "a state_dict() of these"))  # fmt: skip


def unpack(tree: Any, arrays: Mapping[str, Any]) -> Any:
    """Return what ``pack`` was given."""
    if isinstance(tree, list):
        return [unpack(v, arrays) for v in tree]
    if not isinstance(tree, dict):
        return tree
    if len(tree) == 1:
        ((kind, inside),) = tree.items()
        if kind == "=array":
            return arrays[inside]
        if kind == "=scalar":
            return arrays[inside][()]
        if kind == "=floats":
            return arrays[inside].tolist()
        if kind == "=tuple":
            return tuple(unpack(v, arrays) for v in inside)
        if kind == "=items":
            return {unpack(k, arrays): unpack(v, arrays) for k, v in inside}
    return {k: unpack(v, arrays) for k, v in tree.items()}
