"""Forward mode: dual numbers, which carry a derivative along with a value.

A :class:`Dual` is ``x + t e`` with ``e^2 = 0``: a primal value and a tangent. An operation acts
on both, ``f(x + t e) = f(x) + f'(x) t e``, where the second part is the operation's own rule,
read with the tangent. Each ``jvp`` has a level, which its duals carry: nested derivatives can not
be confused with each other.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import numpy as np

from .errors import NotDifferentiableError
from .node import Box
from .primitive import Primitive, no_rule
from .tensor import Array

__all__ = ["Dual", "depth", "lift"]

depth: ContextVar[int] = ContextVar("depth", default=0)  # how many forward passes enclose us


class Dual(Array):
    """A value and its tangent (None stands for a zero tangent)."""

    __slots__ = ("level", "primal", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level

    @property
    def inside(self) -> Any:
        return self.primal

    @classmethod
    def interpret(cls, prim: Primitive, args: tuple[Any, ...], params: Any, level: int) -> Dual:
        """Apply an operation to duals of one level; what is below them acts by itself."""
        primals, tangents = [], []
        for a in args:
            mine = isinstance(a, Dual) and a.level == level
            primals.append(a.primal if mine else a)
            tangents.append(a.tangent if mine else None)
        y = prim.call(*primals, **params)
        if not isinstance(y, Box):
            y = np.asarray(y)
        tangent = None
        if any(t is not None for t in tangents):
            if prim.push is None:
                raise no_rule(prim, "forward")
            primals = [p if hasattr(p, "dtype") or type(p) in (int, float) else np.asarray(p)
                       for p in primals]  # fmt: skip
            with np.errstate(all="ignore"):
                tangent = prim.push(prim, tangents, y, primals, params)
        return Dual(y, tangent, level)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level})"

    def __reduce__(self) -> Any:
        raise NotDifferentiableError("[copy] got a dual number, which lives inside one jvp only")


def lift(x: Any) -> Any:
    """Bring ``x`` up to the innermost forward pass, so that what is made from it acts first."""
    level = 2 * depth.get() - 1
    if level > 0 and not (isinstance(x, Box) and x.level >= level):
        return Dual(x, None, level)
    return x
