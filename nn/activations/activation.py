"""What all activation modules share: their text, and what they take without using it."""

from __future__ import annotations

from ..module import Module

__all__ = ["Activation"]


class Activation(Module):
    """An activation function with settings, which its text shows.

    A subclass names its settings in ``shown``, and calls the function of :mod:`nn.functional` with them.
    ``inplace``, where PyTorch has it, is kept and shown; the input always stays as it is.

    >>> from autograd_core import nn
    >>> nn.Hardtanh(-2.0, 2.0)
    Hardtanh(min_val=-2.0, max_val=2.0)
    >>> nn.ReLU(inplace=True)
    ReLU(inplace=True)
    """

    shown: tuple[str, ...] = ()
    inplace = False

    def extra_repr(self) -> str:
        names = self.shown + (("inplace",) if self.inplace else ())
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
