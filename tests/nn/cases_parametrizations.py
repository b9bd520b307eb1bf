"""Rows: weights by length and direction, of spectral norm 1, or orthogonal."""

from __future__ import annotations

from functools import partial
from typing import Any

from autograd_core import nn

from .cases import Case


def made(kind: str, layer: str, args: tuple[Any, ...], given: dict[str, Any], torch: Any = None) -> Any:
    """Return a layer with a parametrized weight: ours, or PyTorch's."""
    lib: Any = nn if torch is None else torch.nn
    return getattr(lib.utils.parametrizations, kind)(getattr(lib, layer)(*args), **given)


def at_rest(kind: str, layer: str, args: tuple[Any, ...], given: dict[str, Any], torch: Any = None) -> Any:
    """Return one whose power method stands still: otherwise each reading of the weight moves it on."""
    module = made(kind, layer, args, given, torch)
    module.parametrizations.weight[0].n_power_iterations = 0
    return module


def off_the_jump(
    kind: str, layer: str, args: tuple[Any, ...], given: dict[str, Any], torch: Any = None
) -> Any:
    """Return one whose signs, the diagonal cut to integers, are -1 or 1 on both sides."""
    module = made(kind, layer, args, given, torch)
    original = module.parametrizations.weight.original.data
    for i in range(min(original.shape)):
        original[i, i] *= 1.5
    return module


def row(
    kind: str, layer: str, args: tuple[Any, ...], shape: tuple[int, ...], make: Any = made, order: int = 2,
    **given: Any,
) -> Case:  # fmt: skip
    how = partial(make, kind, layer, args, given)
    return Case(f"{kind}.{layer}", args, (shape,), given, make=how, torch=how, order=order,
                why="" if order else "a second call gives another result")  # fmt: skip


MAPS = [{}, {"orthogonal_map": "matrix_exp"}, {"orthogonal_map": "cayley"}]
HOUSEHOLDER = {"orthogonal_map": "householder"}

CASES = [
    *[row("weight_norm", "Linear", (3, 2), (4, 3), **given)
      for given in [{}, {"dim": 1}, {"dim": None}, {"dim": -1}, {"dim": -2}, {"name": "bias", "dim": None}]],
    *[row("weight_norm", "Conv1d", (2, 3, 2), (2, 2, 4), **given) for given in [{}, {"dim": 1}, {"dim": 2}]],
    *[row("spectral_norm", "Linear", (3, 2), (4, 3), order=0, **given)
      for given in [{}, {"n_power_iterations": 2}, {"n_power_iterations": 5}, {"eps": 1e-3}, {"eps": 2.0}]],
    *[row("spectral_norm", "Linear", (3, 2), (4, 3), at_rest, **given)
      for given in [{}, {"dim": 0}, {"dim": 1}]],
    row("spectral_norm", "Linear", (3, 2), (4, 3), name="bias"),
    *[row("spectral_norm", layer, (2, 3, 2), (2, 2, 4), make, order)
      for layer in ("Conv1d", "ConvTranspose1d") for make, order in ((made, 0), (at_rest, 2))],
    *[row("orthogonal", "Linear", (3, 3), (4, 3), **given) for given in MAPS],
    *[row("orthogonal", "Linear", args, (4, args[0]), **given)
      for args in [(2, 3), (3, 2)] for given in MAPS[1:]],
    *[row("orthogonal", "Linear", args, (4, args[0]), off_the_jump, **given, **HOUSEHOLDER)
      for args in [(3, 3), (2, 3), (3, 2)] for given in [{}, {"use_trivialization": False}]],
    row("orthogonal", "Linear", (3, 2), (4, 3), off_the_jump),
]  # fmt: skip
