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

from .calls import as_array
from .errors import GraphError, NotDifferentiableError, message
from .node import Box
from .operators import Array
from .primitive import Primitive, no_rule
from .views import note

__all__ = ["Dual", "depth", "lift"]

depth: ContextVar[int] = ContextVar("depth", default=0)  # how many forward passes enclose us


class Dual(Array):
    """A value and its tangent (None stands for a zero tangent)."""

    __slots__ = ("__weakref__", "extras", "level", "primal", "tangent", "version")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level
        self.extras: dict[str, Any] | None = None
        self.version = 0

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
        y = as_array(y)
        tangent = None
        if any(t is not None for t in tangents):
            if prim.push is None:
                raise no_rule(prim, "forward")
            primals = [p if hasattr(p, "dtype") or type(p) in (int, float) else np.asarray(p)
                       for p in primals]  # fmt: skip
            with np.errstate(all="ignore"):
                tangent = prim.push(prim, tangents, y, primals, params)
        dual = Dual(y, tangent, level)
        if prim.view:
            note(dual, args[0], y, prim, params)
        return dual

    def become(self, y: Any) -> None:
        """Hold the result ``y`` from now on."""
        if not isinstance(y, Dual) or y.level != self.level:
            raise GraphError(message(
                "setitem", "a value of an inner transform, written into an array of an outer one",
                "an array made in the function that the inner one transforms", "x.copy() there"))  # fmt: skip
        self.primal, self.tangent = y.primal, y.tangent

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
