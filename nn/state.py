"""A module's values as a flat dictionary of arrays, and back: all of it, or an error and nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Loaded", "load_state", "read_state"]


class Loaded(NamedTuple):
    """What ``load_state_dict(strict=False)`` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def _entries(module: Module, prefix: str = "") -> dict[str, Any]:
    """Find every Parameter and persistent buffer; what is shared stands under each of its names."""
    found: dict[str, Any] = {}
    for path, owner in module.named_modules(prefix, remove_duplicate=False):
        names = [*owner._parameters, *(name for name, kept in owner._buffers.items() if kept)]
        for name in names:
            if (value := owner.__dict__[name]) is not None:
                found[f"{path}.{name}" if path else name] = value
    return found


def read_state(module: Module, prefix: str = "") -> dict[str, ndarray[Any, Any]]:
    """Return copies of all values by dotted name."""
    return {name: np.array(strip(value)) for name, value in _entries(module, prefix).items()}


def load_state(module: Module, state: Mapping[str, Any], strict: bool) -> Loaded:
    """Write ``state`` into the module after all of it has been checked."""
    ours = _entries(module)
    loaded = Loaded([n for n in ours if n not in state], [n for n in state if n not in ours])
    faults = []
    if strict:
        faults += [f"{name} is missing" for name in loaded.missing_keys]
        faults += [f"{name} is not expected" for name in loaded.unexpected_keys]
    values: list[tuple[Any, ndarray[Any, Any]]] = []
    for name in ours:
        if name in state:
            value, fault = _fitting(state[name], ours[name])
            if fault:
                faults.append(f"{name} {fault}")
            else:
                values.append((ours[name], value))
    if faults:
        raise ValueError(message(
            f"{type(module).__name__}.load_state_dict", "a state that does not fit:\n  "
            + "\n  ".join(faults) + "\n", "the names and shapes of state_dict()",
            "strict=False to pass over names" if strict else ""))  # fmt: skip
    for target, value in values:
        if isinstance(target, Tensor):
            with no_grad():
                target.writable("load_state_dict")[...] = value
        else:
            target[...] = value
    return loaded


def _fitting(value: Any, target: Any) -> tuple[ndarray[Any, Any], str]:
    """Return ``value`` as an array, and what is wrong with it (nothing: an empty text)."""
    array = np.asarray(strip(value)).copy()
    if array.dtype.kind not in "biufc":
        return array, f"has dtype {array.dtype}, expected numbers"
    if array.shape != target.shape:
        return array, f"has shape {array.shape}, expected {target.shape}"
    if not np.can_cast(array.dtype, target.dtype, "same_kind"):
        return array, f"has dtype {array.dtype}, expected {target.dtype}"
    return array, ""
