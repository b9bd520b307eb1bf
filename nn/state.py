"""A module's values as a flat dictionary of arrays, and back: all of it, or an error and nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Loaded", "entries", "load_state", "read_state"]


class Loaded(NamedTuple):
    """What ``load_state_dict(strict=False)`` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def entries(module: Module, prefix: str = "") -> dict[str, Any]:
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
    return {name: np.array(strip(value)) for name, value in entries(module, prefix).items()}


def load_state(module: Module, state: Mapping[str, Any], strict: bool) -> Loaded:
    """Write ``state`` into the module after all of it has been checked."""
    who = f"{type(module).__name__}.load_state_dict"
    if not isinstance(state, Mapping):
        raise TypeError(message(who, f"a {type(state).__name__}", "arrays by name",
                                "nn.load_file(path)" if isinstance(state, str) else ""))  # fmt: skip
    ours = entries(module)
    loaded = Loaded([n for n in ours if n not in state], [n for n in state if n not in ours])
    faults = []
    if strict:
        faults += [f"{name} is missing" for name in loaded.missing_keys]
        faults += [f"{name} is not expected" for name in loaded.unexpected_keys]
    values: dict[int, tuple[str, Any, ndarray[Any, Any]]] = {}  # id of what is written -> its values
    for name, target in ours.items():
        if name in state:
            value, fault = _fitting(state[name], strip(target))
            first, _, same = values.setdefault(id(target), (name, target, value))
            if not fault and same is not value and not _equal(same, value):
                fault = f"differs from {first}, but both are the same here"
            if fault:
                faults.append(f"{name} {fault}")
    if faults:
        hint = _hint(ours, loaded, state) if strict else ""
        raise ValueError(message(who, "a state that does not fit:\n  " + "\n  ".join(faults) + "\n",
                                 "the names and shapes of state_dict()", hint))  # fmt: skip
    for _, target, value in values.values():
        if isinstance(target, Tensor):
            with no_grad():
                target.writable("load_state_dict")[...] = value
        else:
            target[...] = value
    return loaded


def _fitting(value: Any, target: Any) -> tuple[ndarray[Any, Any], str]:
    """Return ``value`` as the target would hold it, and what is wrong with it (nothing: an empty text)."""
    try:
        array = np.asarray(strip(value))
    except (TypeError, ValueError, RuntimeError) as error:  # of bfloat16, or ragged
        return np.empty(()), f"is no array to NumPy: {error}"
    if array.dtype.kind not in "biufc":
        return array, f"has dtype {array.dtype}, expected numbers"
    if array.shape != target.shape:
        return array, f"has shape {array.shape}, expected {target.shape}"
    exact = target.dtype.kind in "biu"
    castable = np.can_cast(array.dtype, target.dtype, "same_kind")
    if not (castable or (exact and array.dtype.kind == "f")):  # v.float() makes floats of counts too
        return array, f"has dtype {array.dtype}, expected {target.dtype}"
    if not target.flags.writeable:
        return array, "cannot be written to: its array is read-only"
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = array.astype(target.dtype)
    if not (_equal(fitted, array) if exact else _equal(np.isfinite(fitted), np.isfinite(array))):
        return array, (f"has values that {target.dtype} cannot hold" if castable
                       else f"has dtype {array.dtype}, expected {target.dtype}")  # fmt: skip
    return fitted, ""


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _hint(names: Iterable[str], loaded: Loaded, state: Mapping[str, Any]) -> str:
    """Say what to try where names do not fit: a state within, a prefix that all have, or no strictness."""
    missing, extra = loaded
    for name in extra:
        if isinstance(state[name], Mapping) and set(state[name]) & set(names):
            return f"state[{name!r}]"
    if missing and extra:
        prefix, found, _ = extra[0].rpartition(missing[0])
        if found and prefix and {prefix + name for name in names} == set(extra):
            return f"{{name.removeprefix({prefix!r}): value for name, value in state.items()}}"
    return "strict=False to pass over names" if missing or extra else ""
