"""The arguments of what is checked: their names, which of them are asked for, their values."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..calls import wrap
from ..node import Box, strip
from .problem import Array, refuse

__all__ = ["arguments_of", "double", "finite", "is_floating", "nothing", "selects"]


def nothing(leaves: list[Any], wrt: Any, empty_module: bool, names: list[str]) -> Exception:
    """Build the error for a ``wrt`` and inputs among which nothing is left to differentiate."""
    if wrt != "all" and names:
        return refuse(TypeError, f"wrt={wrt!r}", f"one of {', '.join(dict.fromkeys(names))}, all, "
                      "inputs, parameters, or a position")  # fmt: skip
    kinds = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in leaves)
    got = (f"inputs of dtype {kinds}" if leaves else "no inputs") + (
        " and a module without parameters" if empty_module else "")  # fmt: skip
    return refuse(TypeError, got, "something floating to differentiate",
                  "3.0 for 3, or x.astype(float)")  # fmt: skip


def finite(names: list[str], given: list[Any]) -> list[Array]:
    xs = [np.array(x, float) for x in given]
    for name, x in zip(names, xs, strict=True):
        if not np.isfinite(x).all():
            raise refuse(ValueError, f"nan or infinity in {name!r}", "finite numbers")
    return xs


def arguments_of(f: Any, inputs: tuple[Any, ...]) -> list[tuple[str, int]]:
    """Return (name, position) of each leaf among the inputs."""
    spoken = f.primitive.fun if hasattr(f, "primitive") else getattr(f, "forward", f)
    try:
        parameters = list(inspect.signature(spoken).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    out = []
    for i, x in enumerate(inputs):
        known = i < len(parameters) and parameters[i].kind is not inspect.Parameter.VAR_POSITIONAL
        out += [(leaf, i) for leaf in _leaves(x, parameters[i].name if known else f"argument {i}")]
    return out


def _leaves(tree: Any, name: str) -> Iterator[str]:
    """Name the leaves of a nest, in the order of ``flatten``."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(item, f"{name}[{key!r}]")
    elif isinstance(tree, (tuple, list)):
        for i, item in enumerate(tree):
            yield from _leaves(item, f"{name}[{i}]")
    else:
        yield name


def selects(wrt: Any, name: str, position: int | None) -> bool:
    """Tell whether ``wrt`` asks for an argument; ``position`` is None for a parameter."""
    kind = "parameters" if position is None else "inputs"
    for item in [wrt] if isinstance(wrt, (str, int)) else wrt:
        if isinstance(item, int):
            if item == position:
                return True
        elif item in ("all", kind, name) or name.startswith((f"{item}.", f"{item}[")):
            return True
    return False


def is_floating(x: Any) -> bool:
    kind = getattr(getattr(x, "dtype", None), "kind", "")
    if kind == "c" or isinstance(x, complex):
        raise refuse(TypeError, "a complex input", "real numbers")
    return isinstance(x, float) or kind == "f"


def double(x: Any) -> Any:
    """Return a float64 copy of what is floating, as the kind of thing it was; else itself."""
    if not is_floating(x) or isinstance(x, float):
        return x
    value = np.array(strip(x), float)
    return wrap(value) if isinstance(x, Box) else value
