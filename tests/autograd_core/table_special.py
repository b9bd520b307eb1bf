"""Rows of the special functions, and of what joins and cuts."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.ops import joining, laying, special

from .table import (
    EACH,
    EXTREMES,
    HUGE,
    INSIDE,
    KINKS,
    NONZERO,
    PAIRS,
    REAL,
    SINGULAR,
    TINY,
    Case,
    Domain,
    Row,
    at,
    case,
    each,
    row,
)  # fmt: skip

EXPONENT = Domain("whole", lambda rng, shape: rng.integers(-3, 4, shape))

KINKS |= {
    ag.copysign:  {(0.0, 2.0): (0, 0), (-0.0, -2.0): (0, 0)},
    ag.heaviside: {(0.0, 0.125): (0, 1), (-0.0, -2.0): (0, 1)},
}  # fmt: skip
SINGULAR |= {
    ag.i0:           [1000.0, -1000.0],
    special._i0_op:  [1000.0, -1000.0],
}  # fmt: skip
EXTREMES |= {
    ag.copysign:     {(HUGE, -TINY): (-1, 0), (-TINY, HUGE): (-1, 0), (2.0, -0.0): (-1, 0)},
    ag.heaviside:    {(TINY, 0.5): (0, 0), (-HUGE, 0.5): (0, 0)},
    ag.ldexp:        [at((np.array(TINY), np.array(1000)), (2.0**1000, None)),
                      at((np.array(HUGE), np.array(-1074)), (2.0**-1074, None))],
    ag.sinc:         [at(0.0, 0), at(TINY, -pi**2 / 3 * TINY), at(1e-9, -pi**2 / 3 * 1e-9), at(1.0, -1),
                      at(0.5, -4 / pi), at(100.0, 0.01)],
    special._sinc_op: [at(0.0, -pi**2 / 3, order=1), at(0.0, 0, order=2), at(0.0, pi**4 / 5, order=3)],
    ag.i0:           [at(0.0, 0), at(1e-9, 0.5e-9), at(-TINY, -TINY / 2),
                      at(700.0, 1.528500390233901e302), at(2.0, 1.5906368546373291)],
    special._i0_op:  [at(0.0, 0.5, order=1), at(0.0, 0.375, order=3), at(0.0, 0, order=2)],
}  # fmt: skip


ASSEMBLIES = [case(*shapes, origins=o, shape=s) for s, o, *shapes in [
    ((3,), ((0,), (2,)), (2,), (1,)), ((2, 3), ((0, 0), (0, 2), (1, 0)), (1, 2), (1, 1), (1, 3)),
    ((2,), ((0,),), (2,)), ((0, 3), ((0, 0), (0, 1)), (0, 1), (0, 2)),
    ((1, 2, 3), ((0, 0, 0), (0, 1, 0)), (1, 1, 3), (1, 1, 3)), ((4,), ((0,), (1,), (1,)), (1,), (0,), (3,)),
]]  # fmt: skip


def orders(*shapes: tuple[int, ...]) -> list[Case]:
    return [case(s, order=n) for s in shapes for n in (1, 2, 3, 0, 6)]


SLOPES = [*orders((3,), (), (2, 3)), *(case(*c.shapes, order=1) for c in EACH)]
PLACES = [case(shape, places=np.array(p, int), axis=a) for shape, p, a in [
    ((3,), [0, 2], 0), ((3,), [2, 0, 1], 0), ((3,), [], 0), ((2, 3), [2, 0], 1), ((2, 3), [1], 0),
    ((4, 2, 3), [1], 1), ((0,), [], 0), ((2, 0), [1, 0], 0), ((7, 11), [5, 3], 0),
]]  # fmt: skip
PUTS = [case(shape, places=np.array(p, int), axis=a, length=n) for shape, p, a, n in [
    ((2,), [0, 2], 0, 3), ((3,), [2, 0, 1], 0, 3), ((0,), [], 0, 3), ((2, 2), [2, 0], 1, 3),
    ((1, 3), [1], 0, 2), ((4, 1, 3), [1], 1, 2), ((0,), [], 0, 0), ((2, 0), [1, 0], 0, 2),
    ((2, 11), [5, 3], 0, 7),
]]  # fmt: skip

# The same values by other means: sums, rounded once.


def _sums(terms: Callable[[float, int], list[float]]) -> Any:
    def f(x: Any, *, order: int = 1) -> Any:
        x = np.asarray(x, None if np.asarray(x).dtype.kind == "f" else float)
        y = [math.fsum(terms(float(v), order)) for v in x.ravel()]
        return np.array(y, x.dtype).reshape(x.shape)

    return f


def _sinc_terms(x: float, n: int) -> list[float]:
    """Return Taylor's series near 0, and Leibniz's rule for sin z times 1/z elsewhere."""
    z = pi * x
    if abs(z) > 4:
        return [pi**n * math.comb(n, k) * math.sin(z + (n - k) * pi / 2) * (-1) ** k
                * math.factorial(k) * z ** -(k + 1) for k in range(n + 1)]  # fmt: skip
    return [pi**n * (-1) ** k * z ** (2 * k - n) / math.factorial(2 * k - n) / (2 * k + 1)
            for k in range((n + 1) // 2, 25)]  # fmt: skip


def _i0_terms(x: float, n: int) -> list[float]:
    if abs(x) > 800:
        return [math.copysign(math.inf, x) ** n]
    return [(x / 2) ** (2 * k - n) / 2**n * math.perm(2 * k, n) / math.factorial(k) ** 2
            for k in range((n + 1) // 2, 40)]  # fmt: skip


def _select(x: Any, *, places: Any, axis: int) -> Any:
    return x[(slice(None),) * axis + (places,)]


def _put(x: Any, *, places: Any, axis: int, length: int) -> Any:
    shape = list(x.shape)
    shape[axis] = length
    out = np.zeros(math.prod(shape), x.dtype)
    where = np.arange(math.prod(shape)).reshape(shape)[(slice(None),) * axis + (places,)]
    np.put(out, where, x)
    return out.reshape(shape)


def _assemble(*pieces: Any, origins: Any, shape: Any) -> Any:
    """Pad each with zeros, and add."""
    y = [np.pad(p, [(o, m - o - n) for o, m, n in zip(origin, shape, p.shape, strict=True)])
         for p, origin in zip(pieces, origins, strict=True)]  # fmt: skip
    return np.sum(y, axis=0, dtype=y[0].dtype)


# fmt: off
ROWS: list[Row] = [
    each(ag.copysign,       np.copysign,     NONZERO, NONZERO),
    each(ag.heaviside,      np.heaviside,    NONZERO, REAL),
    row(ag.ldexp,           np.ldexp,        REAL, EXPONENT,  cases=PAIRS),
    each(ag.sinc,           np.sinc,         REAL),
    each(special._sinc_op,  _sums(_sinc_terms), INSIDE,      cases=SLOPES),
    each(ag.i0,             np.i0,           REAL),
    each(special._i0_op,    _sums(_i0_terms), REAL,           cases=SLOPES),
    row(laying._select,     _select,         REAL,            cases=PLACES),
    row(laying._put,        _put,            REAL,            cases=PUTS),
    row(joining._assemble_op, _assemble,     REAL,            cases=ASSEMBLIES),
]
