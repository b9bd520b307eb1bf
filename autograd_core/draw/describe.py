"""What is told of a tensor and of an operation: text for people, three numbers for colours."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from ..node import Standin, strip
from .model import Kind, Vertex
from .numbers import abbreviate

__all__ = ["amounts", "kind_of", "parameters", "saved_by", "tensor_vertex"]

FEW = 16  # elements


def amounts(value: Any, grad: Any) -> dict[str, Any]:
    """Return the fields of a vertex that tell its value and its gradient; None is what is not known."""
    value = None if isinstance(value, Standin) else value
    low, high = _range(value)
    return {"value": abbreviate(value), "grad": abbreviate(grad), "grad_size": _size(grad),
            "low": low, "high": high}  # fmt: skip


def _range(x: Any) -> tuple[float | None, float | None]:
    """Return the least and the greatest finite value."""
    a = _real(x)
    if a is None:
        return None, None
    if a.size <= FEW:  # as floats it takes a quarter of the time
        finite = [v for v in a.ravel().tolist() if math.isfinite(v)]
        return (min(finite), max(finite)) if finite else (None, None)
    low, high = a.min(), a.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        a = a[np.isfinite(a)]
        if not a.size:
            return None, None
        low, high = a.min(), a.max()
    return float(low), float(high)


def _size(x: Any) -> float | None:
    """Return the root of the mean square, without overflow."""
    a = _real(x)
    if a is None or not a.size:
        return None
    if a.size == 1:
        return abs(a.item())
    a = np.abs(a)
    unit = float(a.max())
    if not 0 < unit < math.inf:
        return unit
    return float(np.sqrt(np.mean((a / unit) ** 2))) * unit


def _real(x: Any) -> Any:
    """Return an array of floats (of a complex array the absolute values), or None."""
    if x is None:
        return None
    if type(x) is float:
        return np.float64(x)
    a = np.asarray(strip(x))
    kind = a.dtype.kind
    if kind == "c":
        return np.abs(a)
    return a if kind == "f" and a.itemsize == 8 else a.astype(float) if kind in "biuf" else None


def tensor_vertex(key: str, kind: Kind, name: str, like: Any, value: Any, grad: Any) -> Vertex:
    """Return the vertex of something with the shape and dtype of ``like``."""
    shape = None if like is None else tuple(like.shape)
    dtype = "" if like is None else _written(like.dtype)
    return Vertex(key, kind, name, "", shape, dtype, **amounts(value, grad))


@cache
def _written(dtype: Any) -> str:
    return str(dtype)  # which takes NumPy 4 us: a tenth of a vertex


def saved_by(primitive: Any, edges: tuple[Any, ...], known: dict[Any, tuple[bool, ...]]) -> tuple[bool, ...]:
    """Say whether an operation keeps its output, and each of its inputs, for its rules."""
    pattern = tuple([e is not None for e in edges])
    key = (id(primitive), pattern)
    found = known.get(key)
    if found is None:
        found = known[key] = primitive.saved(pattern)
    return found


def kind_of(module: Any) -> str:
    """Write a module as it writes itself, without its parts, and shorter.

    >>> from autograd_core import nn
    >>> kind_of(nn.Linear(2, 3)), kind_of(nn.Sequential(nn.Tanh()))
    ('Linear(2, 3)', 'Sequential')
    """
    extra = module.extra_repr() if hasattr(module, "extra_repr") else ""
    extra = re.sub(r"\b(in|out)_\w+=", "", extra).replace(", bias=True", "")  # their sense is plain
    name = type(module).__name__
    return f"{name}({extra})" if extra else name


def parameters(params: Mapping[str, Any]) -> str:
    """Write an operation's metadata; None and False, which are NumPy's defaults, say nothing."""
    return ", ".join(f"{name}={_brief(x)}" for name, x in params.items()
                     if x is not None and x is not False)  # fmt: skip


def _brief(x: Any) -> str:
    """Write one parameter: an array by its dtype and shape, a slice as it is typed."""
    x = strip(x)
    if isinstance(x, (tuple, list)):
        inner = ", ".join(map(_brief, x))
        return f"({inner}{',' * (len(x) == 1)})" if isinstance(x, tuple) else f"[{inner}]"
    if isinstance(x, slice):
        ends = ["" if end is None else str(end) for end in (x.start, x.stop, x.step)]
        return ":".join(ends if x.step is not None else ends[:2])
    if isinstance(x, np.ndarray):
        return f"{x.dtype}{list(x.shape)}"
    if x is Ellipsis:
        return "..."
    text = str(x) if isinstance(x, np.generic) else repr(x)
    return re.sub(r" at 0x[0-9a-f]+", "", text)  # where something lies in memory tells nobody anything
