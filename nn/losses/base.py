"""What all losses are: a reduction, and the options that are not the default."""

from __future__ import annotations

from typing import Any

from ..functional.reduce import known
from ..module import Module


class Loss(Module):
    """A loss and its reduction: ``"mean"``, ``"sum"`` or ``"none"``."""

    shown: tuple[tuple[str, Any], ...] = ()  # options and their defaults

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.check(reduction)
        self.reduction = reduction

    def check(self, reduction: str) -> None:
        """Refuse a reduction that does not exist."""
        known(type(self).__name__, reduction)

    def extra_repr(self) -> str:
        options = (*self.shown, ("reduction", "mean"))
        given = {name: getattr(self, name) for name, default in options if getattr(self, name) != default}
        return ", ".join(f"{name}={value!r}" for name, value in given.items())
