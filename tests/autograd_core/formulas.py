"""Read the formulas of docstrings: ``dy/dx = y log 2``, ``dy/da = 1 where a > b, else 0``.

A small language, evaluated as it is read: numbers, names, ``+ - * / ^``, brackets, products written
side by side, functions with or without brackets (``cos x``, ``s(a - b)``), and one condition.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .table import _sigmoid
from .table_special import _i0_terms, _sums


def _digamma(x: Any) -> Any:
    """Return the derivative of log gamma: from x + 30, where its asymptotic series is exact, down to x."""
    z = x + 30.0
    series = np.log(z) - 0.5 / z - z**-2 / 12 + z**-4 / 120 - z**-6 / 252 + z**-8 / 240 - z**-10 / 132
    return series - sum(1 / (x + k) for k in range(30))


def _scipys(name: str) -> Callable[..., Any]:
    return lambda *xs: getattr(importlib.import_module("scipy.special"), name)(*xs)


CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": np.log, "exp": np.exp, "digamma": _digamma, "abs": np.abs, "tanh": np.tanh,
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "sinh": np.sinh, "cosh": np.cosh,
    "sign": np.sign, "floor": np.floor, "trunc": np.trunc, "min": np.minimum, "s": _sigmoid,
    **{name: _scipys(name) for name in ("gamma", "beta", "polygamma", "zeta")},
    "I1": lambda x: _sums(_i0_terms)(x, order=1),
}  # fmt: skip
COMPARED = {"<": np.less, ">": np.greater, "=": np.equal}
END = r"(?=[,;] dy/d|, s the sigmoid|; 0 at |\.(?:\s|$)|$)"


def formulas(doc: str) -> dict[str, str]:
    """Return what a docstring says of each input: name -> formula.

    >>> formulas("Quotient a / b: dy/da = 1/b, dy/db = -y/b.")
    {'a': '1/b', 'b': '-y/b'}
    """
    text = " ".join(doc.split(">>>")[0].split("\n\n")[0].split())
    return {name: formula.strip() for name, formula in re.findall(rf"dy/d(\w+) = (.*?){END}", text)}


def evaluate(formula: str, values: Mapping[str, Any]) -> Any:
    """Evaluate a formula.

    >>> evaluate("-2 x^2/(3 y) + log 1", {"x": 3.0, "y": 2.0})
    np.float64(-3.0)
    >>> evaluate("1 where x > 0, else x", {"x": np.array([2.0, -3.0])})
    array([ 1., -3.])
    """
    if found := re.fullmatch(r"(.*) where (.*?) ([<>=]) (.*?), else (.*)", formula):
        then, left, sign, right, other = found.groups()
        holds = COMPARED[sign](evaluate(left, values), evaluate(right, values))
        return np.where(holds, evaluate(then, values), evaluate(other, values))
    reader = _Reader(re.findall(r"\d+\.?\d*|[A-Za-z]\w*|\S", formula), values)
    y = reader.sum()
    assert not reader.tokens, f"{formula!r}: what is {reader.tokens}?"
    return y


class _Reader:
    """What is left to read, and what the names mean."""

    def __init__(self, tokens: list[str], values: Mapping[str, Any]) -> None:
        self.tokens, self.values = tokens, values

    def next(self, *expected: str) -> str:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in expected else ""

    def sum(self) -> Any:
        y = self.product()
        while sign := self.next("+", "-"):
            y = y + self.product() if sign == "+" else y - self.product()
        return y

    def product(self) -> Any:
        sign = -1.0 if self.next("-") else 1.0
        y = self.power()
        while self.tokens and self.tokens[0] not in "+-),":
            y = y / self.power() if self.next("/") else y * self.power()
        return sign * y

    def power(self) -> Any:
        y = self.atom()
        if self.next("^"):
            sign = -1.0 if self.next("-") else 1.0
            return np.power(y, sign * self.power())
        return y

    def atom(self) -> Any:
        token = self.tokens.pop(0)
        if token == "(":
            y = self.sum()
            assert self.next(")")
            return y
        if token[0].isdigit():
            return float(token)
        if token in self.values:
            return self.values[token]
        if token in CONSTANTS:
            return CONSTANTS[token]
        assert token in FUNCTIONS, f"what is {token}?"
        if not self.next("("):
            return FUNCTIONS[token](self.power())
        inputs = [self.sum()]
        while self.next(","):
            inputs.append(self.sum())
        assert self.next(")")
        return FUNCTIONS[token](*inputs)
