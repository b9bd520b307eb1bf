"""The scalar engine of the classroom: the chain rule, number by number, on Python floats.

A :class:`Value` is one number and how it was computed. It reads the same rules as the arrays do
(a rule is an expression, and floats are as good as arrays); everything else fits on this page.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np

from . import ops
from .node import next_id
from .primitive import Primitive

__all__ = ["Value"]

new = object.__new__
Pull = Callable[["Value", float], None]
_TROUBLE = (ZeroDivisionError, OverflowError, ValueError)  # where floats raise, NumPy answers


def _numpy(f: Callable[..., Any], *args: float) -> float:
    """Answer as float64 does where Python floats raise: 1/0 is inf, log(-1) is nan."""
    with np.errstate(all="ignore"):
        return float(f(*map(np.float64, args)))


# -- backward through one operation ----------------------------------------------------------------


def _read(prim: Primitive, i: int) -> Callable[..., float]:
    """Return rule i of a primitive as a function of floats that answers as NumPy does."""
    rule: Any = prim.rules[i]
    singular = prim.singular
    inputs = (0.5,) * (prim.arity or 1)
    if not singular and type(rule(1.0, 0.5, *inputs)) is float:
        return rule  # it stays among floats and never raises

    def careful(g: float, y: float, *args: float) -> float:
        try:
            d = rule(g, y, *args)
        except _TROUBLE:
            d = _numpy(rule, g, y, *args)
        if type(d) is not float:
            d = _numpy(rule, g, y, *args) if type(d) is complex else float(d)
        return 0.0 if singular and g == 0 and not math.isfinite(d) else d  # primitive.tame's rule

    return careful


def _pull_1(prim: Primitive) -> Pull:
    rule = _read(prim, 0)

    def pull(v: Value, g: float) -> None:
        v._inputs[0]._bar += rule(g, v.data, v._x)

    return pull


def _pull_side(prim: Primitive, i: int) -> Pull:
    rule = _read(prim, i)

    def pull(v: Value, g: float) -> None:
        v._inputs[0]._bar += rule(g, v.data, v._x, v._w)

    pull.side = i  # type: ignore[attr-defined]  # which operand the Value is; the other is a number
    return pull


def _pull_2(prim: Primitive) -> Pull:
    rule, rule2 = _read(prim, 0), _read(prim, 1)

    def pull(v: Value, g: float) -> None:
        a, b = v._inputs
        a._bar += rule(g, v.data, v._x, v._w)
        b._bar += rule2(g, v.data, v._x, v._w)

    return pull


def _pull_sum(prim: Primitive) -> Pull:
    rule: Any = prim.rules[0]  # the same for each term of a sum

    def pull(v: Value, g: float) -> None:
        g = rule(g, v.data, None, None)
        for x in v._inputs:
            x._bar += g

    return pull


# -- forward through one operation -----------------------------------------------------------------


def _unary(op: Any, fun: Callable[[float], float]) -> Callable[[Value], Value]:
    prim: Primitive = op.primitive
    pull = _pull_1(prim)
    pull.primitive = prim  # type: ignore[attr-defined]

    def call(self: Value) -> Value:
        x = self.data
        try:
            y = fun(x)
        except _TROUBLE:
            y = _numpy(prim.fun, x)
        out: Value = new(Value)
        out.data = y
        out.grad = 0.0
        out.label = ""
        out._id = next_id()
        out._mark = 0
        out._pull, out._inputs, out._x = pull, (self,), x
        return out

    call.__name__, call.__doc__ = prim.name, prim.doc
    return call


def _binary(op: Any, fun: Callable[[float, float], float]) -> tuple[Any, Any]:
    """Return the operator and its reflected form (number on the left)."""
    prim: Primitive = op.primitive
    both, left, right = _pull_2(prim), _pull_side(prim, 0), _pull_side(prim, 1)
    for pull in (both, left, right):
        pull.primitive = prim  # type: ignore[attr-defined]

    def call(self: Value, other: Value | float) -> Value:
        out: Value = new(Value)
        if type(other) is Value:
            out._x = x = self.data
            out._w = w = other.data
            out._inputs = (self, other)
            out._pull = both
        elif isinstance(other, (int, float, np.number)):
            out._x, out._w = x, w = self.data, float(other)
            out._inputs, out._pull = (self,), left
        else:
            return NotImplemented
        try:
            y = fun(x, w)
        except _TROUBLE:
            y = _numpy(prim.fun, x, w)
        out.data = y
        out.grad = 0.0
        out.label = ""
        out._id = next_id()
        out._mark = 0
        return out

    def reflected(self: Value, other: float) -> Value:
        if not isinstance(other, (int, float, np.number)):
            return NotImplemented
        x, w = float(other), self.data
        out: Value = new(Value)
        try:
            y = fun(x, w)
        except _TROUBLE:
            y = _numpy(prim.fun, x, w)
        out.data = y
        out.grad = 0.0
        out.label = ""
        out._id = next_id()
        out._mark = 0
        out._pull, out._inputs, out._x, out._w = right, (self,), x, w
        return out

    return call, reflected


def _sum(op: Any) -> tuple[Any, Any]:
    """Return ``+``, which lets a sum that nobody has named grow by a term: a + b + c is one node.

    Half of a network's scalar operations are such additions. Whether somebody holds the sum is
    read off its reference count, for which :data:`UNNAMED` is measured below.
    """
    plain, reflected = _binary(op, operator.add)
    pull = _pull_sum(op.primitive)
    pull.primitive = op.primitive  # type: ignore[attr-defined]

    def call(self: Value, other: Value | float) -> Value:
        if type(other) is not Value:
            return plain(self, other)
        if self._pull is pull and getrefcount(self) <= UNNAMED and not self.label:
            self._inputs.append(other)  # type: ignore[union-attr]
            self.data += other.data
            self._id = next_id()
            return self
        out: Value = new(Value)
        out.data = self.data + other.data
        out.grad = 0.0
        out.label = ""
        out._id = next_id()
        out._mark = 0
        out._pull = pull
        out._inputs = [self, other]
        return out

    return call, reflected


def _power(x: float, w: float) -> float:
    y = x**w
    if type(y) is complex:
        raise ValueError
    return y


def _relu(x: float) -> float:
    return 0.0 if x <= 0 else x


def _sigmoid(x: float) -> float:
    return 0.5 * math.tanh(0.5 * x) + 0.5


class Value:
    """A number that remembers how it was computed.

    Operators ``+ - * / **`` and ``exp log tanh relu sigmoid sin cos`` (and ``sqrt abs``) make new
    Values; ``backward()`` adds dL/dv to the ``grad`` of every Value v that L was made from.

    >>> from autograd_core import Value
    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> loss = (a * b + 10.0) ** 2
    >>> loss.backward()
    >>> loss, a.grad, b.grad
    (Value(16.0), -24.0, 16.0)
    """

    __slots__ = ("_bar", "_id", "_inputs", "_mark", "_pull", "_w", "_x", "data", "grad", "label")

    data: float
    grad: float
    label: str
    _inputs: tuple[Value, ...] | list[Value]
    _x: float  # the numbers that the operation saw, plain ones among them
    _w: float
    _pull: Pull | None  # adds to the inputs' gradients; None for a Value that was given

    def __init__(self, data: float, label: str = "") -> None:
        self.data, self.grad, self.label = float(data), 0.0, label
        self._id, self._mark, self._bar = next_id(), 0, 0.0
        self._pull, self._inputs = None, ()

    __add__, __radd__ = _sum(ops.add)
    __sub__, __rsub__ = _binary(ops.subtract, operator.sub)
    __mul__, __rmul__ = _binary(ops.multiply, operator.mul)
    __truediv__, __rtruediv__ = _binary(ops.divide, operator.truediv)
    __pow__, __rpow__ = _binary(ops.power, _power)
    __neg__, __abs__ = _unary(ops.negative, operator.neg), _unary(ops.absolute, abs)

    exp, log = _unary(ops.exp, math.exp), _unary(ops.log, math.log)
    sqrt, tanh = _unary(ops.sqrt, math.sqrt), _unary(ops.tanh, math.tanh)
    sin, cos = _unary(ops.sin, math.sin), _unary(ops.cos, math.cos)
    relu, sigmoid = _unary(ops.relu, _relu), _unary(ops.sigmoid, _sigmoid)

    # There is no __float__: math.exp(v) would leave the graph silently, and is a TypeError so.
    def __lt__(self, other: Value | float) -> bool:
        return self.data < getattr(other, "data", other)

    def __le__(self, other: Value | float) -> bool:
        return self.data <= getattr(other, "data", other)

    def __gt__(self, other: Value | float) -> bool:
        return self.data > getattr(other, "data", other)

    def __ge__(self, other: Value | float) -> bool:
        return self.data >= getattr(other, "data", other)

    def __repr__(self) -> str:
        return f"Value({self.data}{f', {self.label!r}' if self.label else ''})"

    @property
    def primitive(self) -> Primitive | None:
        """The operation that made this Value; None for one that was given."""
        return getattr(self._pull, "primitive", None)

    def backward(self, gradient: float = 1.0) -> None:
        """Add d(self)/dv, times ``gradient``, to the ``grad`` of every Value v behind this one.

        It can be called again: each call adds the same once more.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(), y.backward()
        (None, None)
        >>> x.grad
        12.0
        """
        order, given = self._history()
        self._bar = float(gradient)
        for v in order:
            v._pull(v, v._bar)  # type: ignore[misc]
        for v in order:
            v.grad += v._bar
        for v in given:
            v.grad += v._bar

    def _history(self) -> tuple[list[Value], list[Value]]:
        """Return what this Value was made from: results, newest first, and what was given."""
        order, given, stack = [], [], [self]
        mark = self._mark = next_id()
        self._bar = 0.0
        while stack:
            v = stack.pop()
            if v._pull is None:
                given.append(v)
                continue
            order.append(v)
            for x in v._inputs:
                if x._mark != mark:
                    x._mark, x._bar = mark, 0.0
                    stack.append(x)
        order.sort(key=attrgetter("_id"), reverse=True)
        return order, given


def _measure() -> int:
    """Return the reference count of a sum without a name inside ``__add__``; 0 if names don't show.

    Interpreters differ (some lend references), so it is measured in the ways a name is kept.
    """

    class Probe:
        held: Any

        def __add__(self, other: Any) -> int:
            return getrefcount(self)

    local = Probe()
    Probe.held = Probe()
    named = min(local + 0, Probe.held + 0, [Probe()][0] + 0 + 1, (lambda p: p + 0)(local))
    unnamed = Probe() + 0
    return unnamed if unnamed < named else 0


UNNAMED = _measure()
