"""How objects with settings are shown: as the call that makes them."""

from __future__ import annotations

from inspect import signature
from typing import Any

__all__: list[str] = []


def call(made: Any) -> str:
    """Return the call that makes such an object, with the settings that are not the defaults.

    >>> from autograd_core import nn
    >>> call(nn.data.PCA(0.9))
    'PCA(n_components=0.9)'
    """
    settings = signature(type(made)).parameters.values()
    shown = [f"{s.name}={getattr(made, s.name)!r}" for s in settings
             if hasattr(made, s.name) and repr(getattr(made, s.name)) != repr(s.default)]  # fmt: skip
    return f"{type(made).__name__}({', '.join(shown)})"
