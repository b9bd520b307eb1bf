"""Layers as rows: what each is made with, what it is given, and what PyTorch calls it.

One table for all tests that hold for every layer and loss (test_cases*.py). Each family adds its rows in a
file ``cases_<family>.py``, as a list named ``CASES``; ``python -m tests.nn.cases`` counts them.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import nn


@dataclass(frozen=True, eq=False)
class Case:
    """A layer, how it is made, and inputs for it.

    ``inputs`` are shapes, filled with normal numbers, or functions of a random generator that return an array
    (or a tuple of arrays, or None). Floating arrays are differentiated, all others are held fixed.
    """

    layer: str
    args: tuple[Any, ...] = ()
    inputs: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)  # keywords of the call
    make: Callable[[], Any] | None = None  # builds ours, where nn.<layer>(*args, **kwargs) does not
    torch: Any = ""  # a function of the module torch that builds theirs; "": torch.nn.<layer>; None: none
    call_torch: Mapping[str, Any] | None = None  # keywords of their call, where they differ
    train: bool = True  # False: random in training, so compared in evaluation only
    order: int = 2  # up to which derivatives are checked against differences; 0: beside PyTorch's only
    wrt: Any = "all"  # check_gradients' wrt: what else has a gradient is compared with PyTorch's only
    rtol32: float = 3e-5
    why: str = ""  # why an order below 2, or no counterpart

    @property
    def name(self) -> str:
        given = [*map(_short, self.args), *(f"{k}={_short(v)}" for k, v in self.kwargs.items()),
                 *(f"@{k}={_short(v)}" for k, v in self.call.items())]  # fmt: skip
        shapes = " ".join("x".join(map(str, x)) if isinstance(x, tuple) else "fn" for x in self.inputs)
        return f"{self.layer}({','.join(given)}) {shapes}".strip()

    def build(self) -> Any:
        """Make our module, from a fixed seed."""
        nn.manual_seed(0)
        return self.make() if self.make else getattr(nn, self.layer)(*self.args, **self.kwargs)

    def build_torch(self, torch: Any) -> Any:
        """Make PyTorch's module."""
        torch.manual_seed(0)
        if self.torch:
            return self.torch(torch)
        return getattr(torch.nn, self.layer)(*self.args, **self.kwargs)

    def data(self, dtype: Any = np.float64) -> list[Any]:
        """Return the inputs, the same each time."""
        rng = np.random.default_rng(5)
        return [_as(x(rng) if callable(x) else rng.normal(size=x), dtype) for x in self.inputs]


def _as(x: Any, dtype: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(_as(v, dtype) for v in x)
    return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def _short(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"array{x.shape}".replace(" ", "")
    text = getattr(x, "__name__", None) or repr(x)
    return "fn" if "0x" in text or "lambda" in text else text.replace(" ", "").replace("\n", "")


def every_case() -> list[Case]:
    """Return the rows of all families, in a fixed order."""
    files = sorted(path.stem for path in Path(__file__).parent.glob("cases_*.py"))
    return [case for name in files for case in importlib.import_module(f"{__package__}.{name}").CASES]


def named(cases: list[Case]) -> list[str]:
    """Return a name for each row, each once."""
    seen: Counter[str] = Counter()
    names = []
    for case in cases:
        seen[case.name] += 1
        names.append(case.name + (f" #{seen[case.name]}" if seen[case.name] > 1 else ""))
    return names


def leaves(nest: Any) -> list[Any]:
    """Return the arrays and Tensors of a nest of tuples, lists and dictionaries."""
    if isinstance(nest, dict):
        nest = list(nest.values())
    if isinstance(nest, (tuple, list)):
        return [x for part in nest for x in leaves(part)]
    return [] if nest is None else [nest]


def mapped(nest: Any, f: Any) -> Any:
    if isinstance(nest, tuple):
        return tuple(mapped(x, f) for x in nest)
    return f(nest) if isinstance(nest, np.ndarray) else nest


if __name__ == "__main__":
    rows = every_case()
    for layer, n in sorted(Counter(case.layer for case in rows).items()):
        print(f"{n:5}  {layer}")
    print(f"{len(rows):5}  cases, {sum(case.torch is not None for case in rows)} of them beside PyTorch")
