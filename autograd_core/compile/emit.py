"""From a call to the text that makes it again: into memory that is there, with nothing in between.

Arrays whose memory stays where it is from step to step (leaves, constants, buffers) are *static*: views of
them are taken once, when the function is bound to them. The others (what comes as an argument, what is
handed out, and what NumPy gives no way to write into given memory) are local variables, taken anew in each
step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ..node import recording
from .capture import Call, Slot, slots_of
from .traced import Method, getitem, setitem

__all__ = ["Names", "OPERATORS", "form_of"]

# Functions that take out=, and write into it what they would return.
WITH_OUT = {
    np.concatenate, np.stack, np.dot, np.mean, np.std, np.var, np.sum, np.prod, np.max, np.min, np.amax,
    np.amin, np.cumsum, np.cumprod, np.clip, np.argmax, np.argmin, np.einsum, np.any, np.all, np.trace,
    np.outer, np.compress, np.round, np.around, np.ptp, np.nanmax, np.nanmin, np.nansum, np.nanmean,
    np.choose, np.linalg.multi_dot,
}  # fmt: skip
METHODS_WITH_OUT = {
    Method(name) for name in (
        "sum", "prod", "max", "min", "mean", "std", "var", "cumsum", "cumprod", "clip", "argmax", "argmin",
        "any", "all", "trace", "round", "dot",
    )
}  # fmt: skip
COPIES = {Method("copy"), Method("astype"), np.copy, np.astype, np.ascontiguousarray}
RESHAPES = {Method("reshape"), Method("ravel"), Method("flatten"), np.reshape, np.ravel}
DRAWS_WITH_OUT = {"random", "standard_normal", "standard_exponential"}

BY_NAME = {np.maximum, np.minimum}  # NumPy warns of out by position, as of a third array to compare
OPERATORS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.floor_divide: "//", np.remainder: "%",
    np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=", np.equal: "==",
    np.not_equal: "!=", operator.pow: "**",
}  # fmt: skip

LETTERS = {"leaf": "a", "constant": "c", "input": "x", "generator": "r", "result": "b"}  # of names


def form_of(call: Call) -> str:
    """Say how a call is made: ``out`` into given memory, ``copy`` or ``select`` by copyto, or ``fresh``."""
    fun, out = call.fun, call.out
    if not isinstance(out, Slot) or out not in call.outs or out.scalar or out.view:
        return "fresh"
    if "out" in call.params or "where" in call.params:
        return "fresh"
    if call.writes and not (call.kernel and call.kernel.takes_out):
        return "fresh"  # a kernel's result gets memory that its call neither reads nor writes
    if call.draws:
        drawn = call.params.get("dtype", np.float64) in (np.float32, np.float64)
        return "out" if fun.__name__ in DRAWS_WITH_OUT and drawn else "fresh"
    if type(fun) is np.ufunc:
        return "out" if fun.nout == 1 else "fresh"
    if isinstance(getattr(fun, "__self__", None), np.ufunc):
        return "out" if fun.__name__ in ("reduce", "accumulate", "reduceat") else "fresh"
    if call.kernel is not None:
        return "out" if call.kernel.takes_out else "fresh"
    if type(fun) is Method:
        if fun in METHODS_WITH_OUT:
            return "out"
    elif fun in WITH_OUT:
        return "out"
    if fun in COPIES and isinstance(call.args[0], Slot) and not call.args[0].scalar:
        return "copy"
    if fun in RESHAPES and isinstance(call.args[0], Slot) and "order" not in call.params:
        if "F" not in call.args and "A" not in call.args and call.args[0].shape:
            return "copy"
    if fun is np.where and len(call.args) == 3 and isinstance(call.args[0], Slot):
        return "select" if call.args[0].dtype == np.bool else "fresh"
    return "fresh"


class Names:
    """The names that a generated function uses, and the objects behind them."""

    def __init__(self) -> None:
        self.space: dict[str, Any] = {
            "recording": recording, "copyto": np.copyto, "ndarray": ndarray, "array": np.array,
        }
        self.names: dict[int, str] = {}
        self.held: list[Any] = []  # so that an id stays one object's

    def __call__(self, x: Any) -> str:
        """Return the name of an object, or the text of a constant."""
        if x is None or x is True or x is False or type(x) in (int, str) or x is Ellipsis:
            return repr(x)
        if type(x) is float and x == x and abs(x) != float("inf"):
            return repr(x)
        if id(x) not in self.names:
            self.held.append(x)
            stem = getattr(x, "__name__", "") or type(x).__name__
            stem = "".join(c if c.isalnum() else "_" for c in str(stem))
            self.names[id(x)] = f"{stem}_{len(self.names)}"
            self.space[self.names[id(x)]] = x
        return self.names[id(x)]

    def slot(self, slot: Slot) -> str:
        return f"{LETTERS[slot.kind]}{slot.number}"

    def text(self, x: Any) -> str:
        """Return the text of an argument."""
        if type(x) is Slot:
            return self.slot(x)
        if type(x) in (tuple, list, dict, slice) and slots_of(x):
            if type(x) is tuple:
                return "(" + "".join(self.text(item) + ", " for item in x) + ")"
            if type(x) is list:
                return "[" + ", ".join(map(self.text, x)) + "]"
            if type(x) is dict:
                return "{" + ", ".join(f"{key!r}: {self.text(item)}" for key, item in x.items()) + "}"
            return f"slice({self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)})"
        return self(x)

    def call(self, call: Call, out: str = "") -> str:
        """Return the text of a call, with ``out`` as the memory that it writes to."""
        fun, params = call.fun, dict(call.params)
        args = [self.text(a) for a in call.args]
        if fun is getitem:
            return f"{args[0]}[{args[1]}]"
        if fun is setitem:
            return f"{args[0]}[{args[1]}] = {args[2]}"
        if fun is operator.ipow:
            return f"{args[0]} **= {args[1]}"
        slots = slots_of(call.args)
        if fun in OPERATORS and not params and not out and len(args) == 2 and (
            fun is operator.pow or all(s.scalar for s in slots)
        ):  # fmt: skip
            return f"{args[0]} {OPERATORS[fun]} {args[1]}"
        given = self.text(params.pop("out")) if "out" in params else out
        if type(fun) is np.ufunc and given and fun.nout == 1 and len(args) == fun.nin and fun not in BY_NAME:
            args.append(given)
            given = ""
        words = [f"{key}={self.text(value)}" for key, value in params.items()]
        if given:
            words.append(f"out={given}")
        if type(fun) is Method:
            return f"{args[0]}.{fun.__name__}({', '.join(args[1:] + words)})"
        return f"{self(fun)}({', '.join(args + words)})"


def pattern(out: Any, name: Callable[[Slot], str], made: list[Slot]) -> str:
    """Return the left side of an assignment for a nest of results."""
    if type(out) is Slot:
        return name(out) if out in made else "_"
    if isinstance(out, (tuple, list)):
        return "(" + "".join(pattern(item, name, made) + ", " for item in out) + ")"
    return "_"
