"""How PyTorch's sample calls are made here: OpInfo name -> our call with a sample's arguments.

``torch.testing`` holds, for each of PyTorch's operations, the calls with which PyTorch tests it.
Each entry of ``table()`` takes the ``(input, *args, **kwargs)`` of such a call, in which tensors have
become ours (or plain arrays, where no gradient is asked for), and returns what PyTorch's operation
returns. What differs by name only is written as data:

    named(np.sum, "dim keepdim")    arguments that come by position or name, in PyTorch's order;
                                    RENAMED says what NumPy calls them

The families stand in ``opinfo_*.py``. Nothing here imports PyTorch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Call = Callable[..., Any]
RENAMED = {
    "dim": "axis", "keepdim": "keepdims", "correction": "ddof", "dims": "axis", "offset": "k",
    "interpolation": "method",
}  # fmt: skip


FAMILIES = [
    "elementwise", "shaping", "choosing", "reductions", "linalg", "layers", "windows", "masked", "writing",
    "special",
]  # fmt: skip


class Entry(NamedTuple):
    """A call; what is done to the results of both sides before they are compared; and how PyTorch
    makes the input that is meant: ``wrapped``, by the OpInfo's own wrapper (x + x^T of any x).
    """

    call: Call
    after: Callable[[Any], Any] | None = None
    wrapped: bool = False


def named(f: Call, words: str = "", arrays: int = 1, **names: str) -> Call:
    """Return ``f`` with PyTorch's arguments: ``arrays`` by position, then ``words`` in order."""
    order, renamed = words.split(), RENAMED | names

    def call(*args: Any, **kwargs: Any) -> Any:
        given = dict(zip(order, args[arrays:], strict=False)) | kwargs
        return f(*args[:arrays], **{renamed.get(k, k): v for k, v in given.items()})

    return call


def same(names: str, module: Any = np, prefix: str = "") -> dict[str, Call]:
    """Return the functions that have the same name, and the same arguments, on both sides."""
    return {prefix + name: getattr(module, name) for name in names.split()}


def alike(names: str, call: Call) -> dict[str, Call]:
    """Give several names one call."""
    return dict.fromkeys(names.split(), call)


def reduced(x: Any, reduction: str = "mean") -> Any:
    """Return the losses ``x`` summed, averaged, or as they are."""
    return {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[reduction](x)


def table() -> dict[str, Entry]:
    """Gather the families; a name stands in one of them only."""
    out: dict[str, Entry] = {}
    for family in FAMILIES:
        calls = importlib.import_module(f"{__package__}.opinfo_{family}").CALLS
        assert not out.keys() & calls.keys(), f"twice: {out.keys() & calls.keys()}"
        out |= {k: v if isinstance(v, Entry) else Entry(v) for k, v in calls.items()}
    return out
