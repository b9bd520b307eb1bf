"""The multilayer perceptron: fully connected layers with an activation between them."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message

from . import activations, functional
from .containers import Sequential
from .linear import Identity, Linear
from .module import Module
from .wrappers import Lambda

__all__ = ["MLP"]

Activation = str | Module | type[Module] | Callable[[Any], Any]


def _by_name() -> dict[str, type[Module]]:
    """Return the activations that need no arguments, under the names of their functions."""
    functions = {name.replace("_", ""): name for name in vars(functional)}
    found: dict[str, type[Module]] = {"identity": Identity}
    for name, cls in vars(activations).items():
        if isinstance(cls, type) and issubclass(cls, Module) and not _needs_arguments(cls):
            found[functions.get(name.lower(), name.lower())] = cls
    return dict(sorted(found.items()))


def _needs_arguments(cls: type[Module]) -> bool:
    parameters = inspect.signature(cls).parameters.values()
    return any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)


BY_NAME = _by_name()


def activation_module(activation: Activation) -> Module:
    """Return a new module for an activation: a name, a class, a module to copy, or a function."""
    if isinstance(activation, str):
        if activation not in BY_NAME:
            close = difflib.get_close_matches(activation.lower(), BY_NAME, 1)
            raise ValueError(message("MLP", f"activation={activation!r}", f"one of {', '.join(BY_NAME)}",
                                     repr(close[0]) if close else "a function"))  # fmt: skip
        return BY_NAME[activation]()
    if isinstance(activation, Module):
        return copy.deepcopy(activation)
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if callable(activation):
        return Lambda(activation)
    raise TypeError(message("MLP", f"activation={activation!r}",
                            "a name, a Module, its class, or a function"))  # fmt: skip


class MLP(Sequential):
    """A multilayer perceptron: Linear layers of the given sizes with an activation in between.

    ``a_0 = x``, ``a_l = phi(W_l a_(l-1) + b_l)``, and no phi after the last layer unless
    ``output_activation`` is given. It has ``sum N_(l-1) N_l + N_l`` parameters.

    Args:
        sizes: the number of inputs, of units in each hidden layer, and of outputs.
        activation: after each hidden layer: a name such as ``"sigmoid"``, a Module (copied for
            each layer), its class, or a function.
        output_activation: after the last layer, likewise; None for none.
        bias: whether the layers have biases.
        dtype: of the parameters, float32 by default.

    Shapes:
        (..., sizes[0]) -> (..., sizes[-1])

    Raises:
        ValueError: fewer than two sizes, or an activation of unknown name.

    >>> from autograd_core import nn
    >>> nn.MLP([64, 30, 10], activation="sigmoid")
    MLP(
      (0): Linear(in_features=64, out_features=30, bias=True)  # 1,950: weight (30, 64), bias (30,)
      (1): Sigmoid()
      (2): Linear(in_features=30, out_features=10, bias=True)  #   310: weight (10, 30), bias (10,)
    )  # 2,260 parameters in 4 arrays, float32, 8.8 KiB
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation = "relu",
        output_activation: Activation | None = None,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if isinstance(sizes, int) or len(sizes) < 2:
            raise ValueError(message("MLP", f"sizes={sizes!r}", "at least two sizes",
                                     "nn.MLP([784, 30, 10])"))  # fmt: skip
        layers: list[Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [Linear(n_in, n_out, bias, dtype), activation_module(activation)]
        layers.pop()
        if output_activation is not None:
            layers.append(activation_module(output_activation))
        super().__init__(*layers)
        self.to(dtype)
