"""How a family of distributions is called: parameters, support, and functions that follow from others."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from .. import ops
from ..calls import as_array
from ..errors import message
from ..node import has_box, strip

__all__ = ["Continuous", "Discrete", "choose"]

Formula = Callable[..., Any]
INF = math.inf


def choose(y: Any, holds: Any, valid: Any, *otherwise: tuple[Any, float]) -> Any:
    """Return y where ``holds``, else what stands beside the first condition that does, and NaN at last."""
    plain: Any = np.where(valid, -INF, math.nan)
    for condition, value in otherwise:
        plain = np.where(condition & valid, value, plain)
    dtype = getattr(y, "dtype", np.dtype(float))
    y = ops.where(holds & valid, y, plain.astype(dtype))
    return y if has_box(y) else y[()]


class Family:
    """What continuous and discrete families share: how a call is read, and what is outside."""

    def __init__(self, name: str, shapes: str, inside: Formula, middle: float, **given: float) -> None:
        self.name, self.shapes = name, tuple(shapes.split())
        self.inside, self.middle = inside, middle
        names = ["x" if "scale" in given else "k", *self.shapes, *given]
        either = Parameter.POSITIONAL_OR_KEYWORD
        defaults = {n: given.get(n, Parameter.empty) for n in names}
        self.signature = Signature([Parameter(n, either, default=v) for n, v in defaults.items()])

    def __repr__(self) -> str:
        return f"<distribution {self.name}{self.signature}>"

    def read(self, method: str, args: Any, params: Any) -> list[Any]:
        """Return x, the shapes, and loc and scale, whichever way they were given."""
        try:
            bound = self.signature.bind(*args, **params)
        except TypeError as error:
            raise TypeError(message(f"{self.name}.{method}", str(error), str(self.signature))) from None
        bound.apply_defaults()
        values = [np.asarray(v) if isinstance(v, (list, tuple)) else v for v in bound.args]
        found = [v.dtype for v in values if hasattr(v, "dtype")]
        dtype = np.result_type(np.float32, *found) if found else np.dtype(float)
        # a Python number is weak only until NumPy has taken its logarithm
        return [v if hasattr(v, "dtype") else np.asarray(v, dtype) for v in values]


class Continuous(Family):
    """A family of densities; its functions are written for z = (x - loc) / scale.

    A function that is not given follows from the others: 1 - cdf, log cdf.
    """

    def __init__(
        self, name: str, shapes: str, logpdf: Formula, low: float = -INF, high: float = INF, *,
        middle: float = 0.0, symmetric: bool = False, closed: bool = True, **functions: Formula,
    ) -> None:  # fmt: skip
        self.low, self.high = low, high
        super().__init__(name, shapes, self._within if closed else self._between, middle, loc=0.0, scale=1.0)
        self.functions = {"logpdf": logpdf} | functions
        self.symmetric = symmetric

    def _within(self, z: Any) -> Any:
        return (z >= self.low) & (z <= self.high) & np.isfinite(z)

    def _between(self, z: Any) -> Any:
        return (z > self.low) & (z < self.high) & np.isfinite(z)

    def standard(self, function: str) -> Formula:
        """Return the named function of z and the shapes."""
        have, mirror = self.functions, {"sf": "cdf", "logsf": "logcdf"}
        if function in have:
            return have[function]
        if self.symmetric and function in mirror:
            other = self.standard(mirror[function])
            return lambda z, *shapes: other(-z, *shapes)
        if function in ("logcdf", "logsf"):
            inner, rest = self.standard(function[3:]), self.standard("sf" if function == "logcdf" else "cdf")

            def logarithm(z: Any, *shapes: Any) -> Any:
                y = inner(z, *shapes)
                small = strip(y) < 0.5
                near_1 = ops.log1p(-ops.where(small, 0.5, rest(z, *shapes)))
                return ops.where(small, ops.log(ops.where(small, y, 0.5)), near_1)

            return logarithm
        cdf = have["cdf"]
        return lambda z, *shapes: 1 - cdf(z, *shapes)

    def evaluate(self, function: str, args: Any, params: Any) -> Any:
        """Evaluate at z inside the support, and put what is known outside beside it."""
        x, *shapes, loc, scale = self.read(function, args, params)
        with np.errstate(all="ignore"):
            z = np.subtract(x, loc) / scale
            plain = strip(z)
            inside = self.inside(plain)
            valid = as_array(strip(scale)) > 0
            for shape in shapes:
                valid = valid & (as_array(strip(shape)) > 0)
            valid = valid & (plain == plain)
            z = ops.where(inside, z, np.asarray(self.middle, getattr(z, "dtype", float)))
            y = self.standard(function)(z, *shapes)
            if function == "logpdf":
                return choose(y - ops.log(scale), inside, valid)
            below, above = (0.0, 1.0) if function.endswith("cdf") else (1.0, 0.0)
            if function.startswith("log"):
                below, above = (-INF, 0.0) if below == 0 else (0.0, -INF)
            ends = (plain <= self.low, below), (plain >= self.high, above)
            return choose(y, inside & ~ends[0][0] & ~ends[1][0], valid, *ends)

    def logpdf(self, x: Any, *args: Any, **params: Any) -> Any:
        """Return the logarithm of the density at x."""
        return self.evaluate("logpdf", (x, *args), params)

    def pdf(self, x: Any, *args: Any, **params: Any) -> Any:
        """Return the density at x."""
        return ops.exp(self.logpdf(x, *args, **params))

    def cdf(self, x: Any, *args: Any, **params: Any) -> Any:
        """Return the probability of what is not above x."""
        return self.evaluate("cdf", (x, *args), params)

    def sf(self, x: Any, *args: Any, **params: Any) -> Any:
        """Return the probability of what is above x."""
        return self.evaluate("sf", (x, *args), params)

    def logcdf(self, x: Any, *args: Any, **params: Any) -> Any:
        """Return the logarithm of ``cdf``."""
        return self.evaluate("logcdf", (x, *args), params)

    def logsf(self, x: Any, *args: Any, **params: Any) -> Any:
        """Return the logarithm of ``sf``."""
        return self.evaluate("logsf", (x, *args), params)


class Discrete(Family):
    """A family of probabilities of whole numbers k, which are constants: no gradient goes to them."""

    def __init__(
        self, name: str, shapes: str, logpmf: Formula, allowed: Formula, inside: Formula, middle: float,
        cdf: Formula | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, shapes, inside, middle, loc=0)
        self.formula, self.allowed, self.sum = logpmf, allowed, cdf

    def _parts(self, function: str, args: Any, params: Any) -> tuple[Any, Any, Any, Any]:
        k, *shapes, loc = self.read(function, args, params)
        k = np.subtract(strip(k), strip(loc))
        plain = [as_array(strip(s)) for s in shapes]
        return k, shapes, self.inside(k, *plain), self.allowed(*plain) & (k == k)

    def logpmf(self, k: Any, *args: Any, **params: Any) -> Any:
        """Return the logarithm of the probability of k."""
        k, shapes, inside, valid = self._parts("logpmf", (k, *args), params)
        inside = inside & (k == np.floor(k))
        with np.errstate(all="ignore"):
            return choose(self.formula(self._safe(k, inside, shapes), *shapes), inside, valid)

    def pmf(self, k: Any, *args: Any, **params: Any) -> Any:
        """Return the probability of k."""
        return ops.exp(self.logpmf(k, *args, **params))

    def cdf(self, k: Any, *args: Any, **params: Any) -> Any:
        """Return the probability of what is not above k."""
        if self.sum is None:
            raise NotImplementedError(message(f"{self.name}.cdf", "no formula for it", "logpmf or pmf"))
        k, shapes, inside, valid = self._parts("cdf", (k, *args), params)
        k = np.floor(k)
        with np.errstate(all="ignore"):
            y = self.sum(self._safe(k, inside, shapes), *shapes)
            return choose(y, inside, valid, (k < self.middle, 0.0), (~inside & (k > self.middle), 1.0))

    def _safe(self, k: Any, inside: Any, shapes: Any) -> Any:
        dtype = np.result_type(*[strip(s) for s in shapes], k)
        return np.where(inside, k, self.middle).astype(dtype if dtype.kind == "f" else float)
