"""A function as a module, and a module beside which the input goes on unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import message
from autograd_core.tensor import Tensor

from .casting import taken
from .containers import checked
from .module import Module

__all__ = ["Lambda", "Residual"]


class Lambda(Module):
    """A function as a module, so that it can stand in a row of them.

    Args:
        function: what a call of the module calls.

    Raises:
        TypeError: it cannot be called.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.Sequential(nn.Linear(2, 2), nn.Lambda(np.sin))
    Sequential(
      (0): Linear(in_features=2, out_features=2, bias=True)  # 6: weight (2, 2), bias (2,)
      (1): Lambda(sin)
    )  # 6 parameters in 2 arrays, float32, 24 bytes
    """

    def __init__(self, function: Any) -> None:
        super().__init__()
        if not callable(function):
            raise TypeError(message("Lambda", repr(function), "a function"))
        self.function = function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


class Residual(Module):
    """``x + module(x)``: the module learns what is to be changed, and gradients pass beside it.

    [He et al., Deep Residual Learning for Image Recognition, 2016]

    Args:
        module: f in ``shortcut(x) + f(x)``.
        shortcut: what x goes through to get the shape of f(x), such as ``nn.Linear(n, m, bias=False)``;
            None adds x itself.

    Raises:
        ValueError: the shapes differ.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> block = nn.Residual(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4)))
    >>> block(np.zeros((2, 4))).shape
    (2, 4)
    >>> nn.Residual(nn.Linear(4, 3), nn.Linear(4, 3, bias=False))(np.zeros((2, 4))).shape
    (2, 3)
    """

    def __init__(self, module: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        self.module = checked(module, "Residual")
        self.shortcut = None if shortcut is None else checked(shortcut, "Residual")

    def forward(self, x: Any) -> Tensor:
        y = self.module(x)
        beside = taken(x, y.dtype, "Residual") if self.shortcut is None else self.shortcut(x)
        if np.shape(beside) != np.shape(y):
            hint = "shortcut=nn.Linear(...) or a convolution of 1x1" if self.shortcut is None else ""
            raise ValueError(message("Residual", f"{np.shape(beside)} beside {np.shape(y)}",
                                     "two of one shape", hint))  # fmt: skip
        return beside + y
