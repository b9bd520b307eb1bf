"""Reverse-mode automatic differentiation of NumPy code.

>>> import autograd_core as ag
>>> w = ag.tensor([1.0, 2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad
array([2., 4.], dtype=float32)
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .anomaly import *
from .checkpoint import *
from .errors import *
from .node import *
from .ops import *
from .primitive import *
from .tensor import *
from .transforms import *
from .value import *

if TYPE_CHECKING:
    import nn as nn
    import optim as optim

    from . import random as random
    from . import stats as stats
    from .compile import compile as compile
    from .compile.profile import profile as profile
    from .draw import draw as draw
    from .gradcheck import check_gradients as check_gradients

__version__ = "0.1.0"

_BESIDE = ("nn", "optim")  # top-level packages of this distribution
_LATER = {  # imported when first asked for: a module, or the name in it
    "compile": ".compile", "draw": ".draw", "check_gradients": ".gradcheck", "random": ".random",
    "stats": ".stats", "profile": ".compile.profile",
}  # fmt: skip


if not TYPE_CHECKING:  # a type checker that saw it would believe in every name

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            module = importlib.import_module(_LATER[name], __name__)
            found = getattr(module, name, module)
        elif name in _BESIDE:
            found = _beside(name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found


def _beside(name: str) -> Any:
    """Import a package that stands beside this one, and make sure that it is ours."""
    module = importlib.import_module(name)
    ours = Path(__file__).resolve().parent.parent / name / "__init__.py"
    where = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ["?"])))
    if Path(where).resolve() != ours:
        raise ImportError(
            f"[autograd_core.{name}] got {where}, expected {ours}; "
            f"a file or folder of yours named {name!r} stands in the way: rename it"
        )
    return module
