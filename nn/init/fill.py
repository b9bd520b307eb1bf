"""Filling a Tensor in place, and where random numbers come from."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import no_grad
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .. import random

__all__ = ["Generator", "fill", "matrix", "source"]

Generator = np.random.Generator | None


def fill(tensor: Tensor, values: Any) -> Tensor:
    """Write values into a Tensor, outside of any graph."""
    with no_grad():
        tensor[...] = values
    return tensor


def source(generator: Generator) -> np.random.Generator:
    """Return the generator, or else the library's own."""
    return random.generator() if generator is None else generator


def matrix(who: str, tensor: Tensor, exactly: bool = False) -> None:
    """Say that a Tensor has too few axes, or is not a matrix."""
    _tensor(who, tensor)
    if tensor.ndim < 2 or (exactly and tensor.ndim != 2):
        raise ValueError(message(who, f"a Tensor of shape {tensor.shape}",
                                 "two axes" if exactly else "at least two axes"))  # fmt: skip


def _tensor(who: str, tensor: Any) -> None:
    """Say that there is nothing to fill."""
    if not isinstance(tensor, (Tensor, np.ndarray)):
        raise TypeError(message(who, f"a {type(tensor).__name__}", "a Tensor to fill",
                                "module.weight" if hasattr(tensor, "weight") else ""))  # fmt: skip
