"""Reverse-mode automatic differentiation of NumPy code.

    import autograd_core as ag

    w = ag.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    w.grad                                          # array([2., 4.], dtype=float32)
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import GradientError, GraphError, NotDifferentiableError
from .node import enable_grad, is_grad_enabled, no_grad
from .ops import *
from .primitive import bilinear, elementwise, kernel, linear, primitive
from .tensor import Parameter, Tensor, as_tensor, tensor
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

if TYPE_CHECKING:
    import nn as nn
    import optim as optim

__version__ = "0.1.0"

_BESIDE = ("nn", "optim")  # top-level packages of this distribution, found when first asked for


def __getattr__(name: str) -> Any:
    if name not in _BESIDE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(name)
    ours = Path(__file__).resolve().parent.parent / name / "__init__.py"
    found = getattr(module, "__file__", None) or str(list(getattr(module, "__path__", ["?"]))[0])
    if Path(found).resolve() != ours:
        raise ImportError(
            f"[autograd_core.{name}] got {found}, expected {ours}; "
            f"a file or folder of yours named {name!r} stands in the way: rename it"
        )
    globals()[name] = module
    return module
