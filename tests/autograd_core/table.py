"""Every primitive as a row of data: what it computes, where, and what is special there.

A row holds the operation, NumPy's own function for the same values, the domain of each input, and
the calls to make: the shapes of the inputs and the metadata. ``test_table.py`` walks all rows with
every check, so a new primitive is tested by one more line here.

    KINKS      points without a derivative, and the gradient that is published for them
    SINGULAR   points where a local derivative is not finite: a zero gradient stays zero there
    EXTREMES   large, small and edge points, and the gradient there
    selects    the gradient goes where the value came from, and nowhere else

A point of an elementwise operation is written ``{x: derivative}`` or ``{(a, b): (dy/da, dy/db)}``;
of any other as ``at(x, gradient, **params)``, for a gradient of ones from above.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, pi
from types import EllipsisType, ModuleType
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core.ops import elementwise, indexing, joining, products, reductions, shaping
from nn.functional import classes
from nn.functional.linear import _affine, _product

Shape = tuple[int, ...]
Index = int | slice | None | EllipsisType | np.ndarray

# -- domains: from a random generator and a shape to the values of an input -----------------------


class Domain(NamedTuple):
    """Where the values of an input are drawn from."""

    name: str
    draw: Callable[[np.random.Generator, Shape], Any]
    low: float = -inf  # what lies beyond is outside the domain of the operation too
    high: float = inf


def _uniform(low: float, high: float) -> Callable[[np.random.Generator, Shape], Any]:
    return lambda rng, shape: rng.uniform(low, high, shape)


def _signed(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape)


def _whole(rng: np.random.Generator, shape: Shape) -> Any:
    n = math.prod(shape)
    return (rng.permutation(n) - n // 2).astype(float).reshape(shape)


REAL = Domain("real", _uniform(-2, 2))
POSITIVE = Domain("positive", _uniform(0.5, 2), 0)
NONZERO = Domain("nonzero", _signed)
INSIDE = Domain("(-1, 1)", _uniform(-0.8, 0.8))
ABOVE_1 = Domain("above 1", _uniform(1.5, 3), 1)
SHARE = Domain("probability", _uniform(0.1, 0.9), 0, 1)
WHOLE = Domain("whole, no two alike", _whole)
HALVES = Domain("halfway between whole numbers", lambda rng, shape: _whole(rng, shape) + 0.5)
QUARTERS = Domain("a quarter above whole numbers", lambda rng, shape: _whole(rng, shape) + 0.25)
BETWEEN = Domain("between", lambda rng, shape: _whole(rng, shape) + rng.uniform(0.3, 0.7, shape))
DIVISOR = Domain("divisor", lambda rng, shape: rng.choice([-3.0, -2.0, 2.0, 3.0], shape))
CONDITION = Domain("condition", lambda rng, shape: rng.integers(0, 2, shape).astype(bool))


def labels(n: int) -> Domain:
    """Return the domain of class numbers below ``n``."""
    return Domain(f"labels < {n}", lambda rng, shape: rng.integers(0, n, shape))


# -- calls ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Case:
    """One call: the shapes of the arrays, and the keyword metadata."""

    shapes: tuple[Shape, ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        words = [*map(str, self.shapes), *(f"{k}={v!r}" for k, v in self.params.items())]
        return f"({', '.join(words)})"


def case(*shapes: Shape, **params: Any) -> Case:
    return Case(shapes, params)


# fmt: off
EACH = [case(s) for s in [
    (), (1,), (3,), (2, 3), (5, 1, 2), (0,), (2, 0, 3), (7, 11),
]]
PAIRS = [case(a, b) for a, b in [
    ((), ()),         ((3,), (3,)),      ((2, 3), (2, 3)), ((2, 3), (3,)),      ((3,), (2, 3)),
    ((), (2, 3)),     ((2, 3), ()),      ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((2, 1), (4, 1, 3)),
    ((2, 3), (1, 1)), ((1, 1, 1), (2,)), ((0,), (0,)),     ((0, 3), (3,)),      ((1,), (0,)),
    ((), (0, 2)),     ((2, 0, 1), (3,)), ((7, 11), (11,)),
]]
TRIPLES = [case(*s) for s in [
    ((), (), ()),       ((3,), (3,), (3,)),     ((2, 3), (3,), (2, 1)),    ((3,), (2, 3), ()),
    ((), (2, 3), (3,)), ((2, 1), (1, 3), (1,)), ((4, 1, 3), (2, 1), (3,)), ((0,), (), (0,)),
    ((0, 3), (3,), ()), ((1,), (1,), (0,)),
]]
CHOICES = [*TRIPLES, case((32, 32), (32, 32), (32, 32)), case((32, 32), (32,), (32, 1))]  # and by bits
WITH_AXES = [
    case(()), case((3,)), case((1,)), case((2, 3)), case((2, 3), axis=None), case((2, 3), axis=0),
    case((2, 3), axis=1), case((2, 3), axis=-1), case((2, 3), axis=-2), case((2, 3), axis=(0,)),
    case((2, 3), axis=(0, 1)), case((2, 3), keepdims=True), case((2, 3, 4), axis=(0, 2)),
    case((2, 3, 4), axis=(-1, 0)), case((2, 3, 4), axis=1), case((2, 3), axis=0, keepdims=True),
    case((2, 3), axis=-1, keepdims=True), case((2, 3, 4), axis=(0, -1), keepdims=True),
    case((2, 1, 3), axis=1), case((), axis=()), case((), keepdims=True),
    case((2, 3), axis=(), keepdims=True), case((0, 3), axis=1), case((0, 3), axis=1, keepdims=True),
    case((2, 0, 3), axis=-1), case((7, 11), axis=0),
]
EMPTY_AXES = [case((0,)), case((2, 0), axis=1), case((0, 3), axis=0, keepdims=True), case((2, 0))]
ALONG = [  # what keeps its axis
    case((3,)),            case((3,), axis=0),      case((2, 3)),          case((2, 3), axis=0),
    case((2, 3), axis=-2), case((2, 3, 4), axis=1), case((1,)),            case((0,)),
    case((2, 0)),          case((2, 0), axis=0),    case((7, 11), axis=0),
]
DOTS, FULL = ..., slice(None)
REPEATED, MASK = np.array([2, 0, 0, -1]), np.array([[True, False, True], [False, False, True]])
INDICES: list[tuple[Shape, Any]] = [
    ((3,), 0), ((3,), -1), ((3,), np.int64(1)), ((3,), slice(1, None)),
    ((3,), slice(None, None, -1)), ((5,), slice(4, 0, -2)), ((3,), slice(2, 2)), ((3,), None),
    ((3,), DOTS), ((), ()), ((), None), ((), DOTS), ((2, 3), 1), ((2, 3), (1, 2)),
    ((2, 3), (FULL, 0)), ((2, 3), (DOTS, -1)), ((2, 3), (None, 1, None, slice(0, 2))),
    ((2, 3), (slice(None, None, -1), slice(0, 3, 2))), ((3,), REPEATED), ((3, 2), REPEATED),
    ((2, 3), (FULL, REPEATED)), ((3, 3), (REPEATED, REPEATED)), ((3, 2), [2, 0, 0]),
    ((3, 3), (REPEATED[:, None], REPEATED[:3])), ((3, 2, 3), (REPEATED, FULL, REPEATED)),
    ((3, 2, 3), (REPEATED, 0)), ((3, 2, 3), (slice(0, 2), 1, REPEATED)),
    ((3, 2), (None, REPEATED, DOTS)), ((2, 3), MASK), ((2, 3, 2), MASK), ((2, 3), (0, MASK[0])),
    ((3,), MASK[0] & False), ((2, 3), (FULL, MASK[0])), ((3,), np.array([], int)),
    ((3, 2), np.array([[0, 1], [1, 1]])), ((3, 2), np.array(1)), ((0, 3), slice(0, 5)),
    ((0, 3), (FULL, REPEATED)), ((2, 3), True), ((2, 3), (DOTS, None)), ((), True),
    ((7, 11), slice(None, None, 2)),
    ((30, 10), np.arange(27) % 7 - 3), ((2, 260), np.array([[1, -1], [0, 1]])),  # ways to add rows
    ((5, 6), (np.arange(20)[:, None] % 5, np.arange(400).reshape(20, 20) % 12 - 6)),
]
READS = [case(shape, index=index) for shape, index in INDICES]
WRITES = [
    case((3,), (3,), index=...),
    *(case(shape, np.empty(shape)[index].shape, index=index) for shape, index in INDICES),
    case((3, 4), (), index=1), case((3, 4), (4,), index=...), case((2, 3), (1,), index=MASK),
    case((3, 4), (2,), index=(0, slice(1, 3)), places=((shaping._transpose_op.primitive, {}),)),
    case((3, 4), (6,), index=slice(0, 6), places=(np.arange(12)[::-1],)),
]
ADDS = [case(np.empty(shape)[index].shape, index=index, shape=shape) for shape, index in INDICES]
PRODUCTS = [case(a, b) for a, b in [
    ((3,), (3,)),              ((2, 3), (3,)),      ((3,), (3, 2)),      ((2, 3), (3, 4)),
    ((1, 1), (1, 1)),          ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (3, 3, 1)), ((5, 2, 3), (3,)),   ((3,), (5, 3, 2)),   ((1, 2, 3), (5, 3, 4)),
    ((2, 5, 2, 3), (5, 3, 1)), ((0, 3), (3, 2)),    ((2, 0), (0, 3)),    ((2, 3), (3, 0)),
    ((0,), (0,)),              ((0, 2, 3), (3, 4)), ((9, 8), (8, 9)),    ((2, 3, 4), (2, 4, 1)),
]]
SUBSCRIPTS = [case(*shapes, subscripts=s) for s, *shapes in [
    ("i->", (3,)), ("i->i", (3,)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)),
    ("ii->", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (2, 2, 3)), ("iji->j", (2, 3, 2)),
    ("iii->i", (2, 2, 2)), ("iijj->ij", (2, 2, 3, 3)), ("i,i->", (3,), (3,)),
    ("i,j->ij", (2,), (3,)), ("i,j->", (2,), (3,)), ("i,i->i", (3,), (3,)),
    ("ij,jk->ik", (2, 3), (3, 2)), ("ij,jk", (2, 3), (3, 2)), ("ij,jk->ki", (2, 3), (3, 2)),
    ("ij,ij->i", (2, 3), (2, 3)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), ("ii,i->", (2, 2), (2,)),
    ("...ij,...jk->...ik", (2, 2, 3), (3, 2)), ("...ij,...jk->...ik", (4, 1, 2, 3), (2, 3, 2)),
    ("...i->...", (2, 3)), ("...,...", (2, 3), (3,)), ("i...,i...->...", (2, 3), (2, 1)),
    ("...ii->...i", (2, 3, 3)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    ("i,i,i->i", (2,), (2,), (2,)), ("ij,j,i->", (2, 3), (3,), (2,)), (",i->i", (), (3,)),
    ("ij,ik->jk", (0, 2), (0, 3)), (" i j , j k -> i k ", (2, 3), (3, 2)),
    ("ik,jkl,il->ij", (2, 3), (2, 3, 2), (2, 2)), ("ab", (2, 3)), ("ba", (2, 3)),
    ("ij,k->i", (2, 3), (2,)), ("ij,jk->ik", (2, 1), (3, 2)), ("ibjk,kjbl->lbi", (2, 3, 2, 1), (1, 2, 3, 2)),
    ("ij,kj->ik", (2, 3), (2, 3)), ("ij,jk->ik", (2, 0), (0, 2)),
]]
JOINS = [
    case((3,), (3,)),                    case((2, 3), (2, 3), axis=0),
    case((2, 3), (2, 1), axis=1),        case((2, 3), (1, 3), (4, 3)),
    case((2, 3), (2, 2), axis=-1),       case((2, 3), (3,), axis=None),
    case((2, 1, 3), (2, 2, 3), axis=-2), case((3,)),
    case((0,), (3,)),                    case((0, 2), (3, 2), axis=0),
    case((), (2, 2), axis=None),         case((7, 11), (2, 11)),
]
RESHAPES = [case(shape, shape=new) for shape, new in [
    ((), ()),               ((), (1,)),     ((), (1, 1)),   ((6,), (2, 3)),   ((6,), (3, -1)),
    ((2, 3), (6,)),         ((2, 3), -1),   ((2, 3), 6),    ((2, 3), (3, 2)), ((1,), ()),
    ((2, 3), (1, 2, 1, 3)), ((0,), (0, 3)), ((2, 0), (0,)), ((2, 3), (-1,)),  ((0, 3), (3, 0)),
    ((7, 11), (11, 7)),
]]
ORDERS = [
    case(()), case((3,)), case((2, 3)), case((2, 3), axes=None), case((2, 3), axes=(1, 0)),
    case((2, 3), axes=(0, 1)), case((2, 3, 4), axes=(1, 2, 0)), case((2, 3, 4), axes=(2, 0, 1)),
    case((2, 3, 4), axes=(-1, 0, -2)), case((2, 3, 4, 1), axes=(-2, 3, 0, 1)), case((), axes=()),
    case((0, 3), axes=(1, 0)), case((7, 11)),
]
SPREADS = [case(shape, shape=new) for shape, new in [
    ((), ()),     ((), (3,)),       ((), (2, 3)),           ((3,), (3,)), ((3,), (2, 3)),
    ((1,), (4,)), ((2, 1), (2, 3)), ((1, 3), (4, 1, 2, 3)), ((1,), (0,)), ((0,), (2, 0)),
    ((), (0,)),   ((1, 3), (0, 3)),
]]
FLIPS = [
    case((3,)),              case((2, 3)),              case((2, 3), axis=0),
    case((2, 3), axis=-1),   case((2, 3), axis=(0, 1)), case((2, 3, 4), axis=(0, -1)),
    case((2, 3), axis=None), case((2, 3), axis=()),     case(()),
    case((0,)),              case((0, 3), axis=1),
]
ROLLS = [
    case((3,), shift=1),                     case((3,), shift=-2),
    case((3,), shift=7),                     case((2, 3), shift=1),
    case((2, 3), shift=1, axis=0),           case((2, 3), shift=-1, axis=-1),
    case((2, 3), shift=(1, 2), axis=(0, 1)), case((2, 3), shift=1, axis=(0, 1)),
    case((2, 3), shift=(1, 1), axis=(1, 1)), case((2, 3), shift=0),
    case((3,), shift=np.int64(1)),           case((0,), shift=1),
    case((), shift=2),                       case((2, 3), shift=(1, 2), axis=1),
]
FLATTENED = [case(()), case((2, 3)), case((2, 3), axis=None)]
FROM_THE_END = [case(c.shapes[0], axis=c.params.get("axis", -1), shape=c.shapes[0]) for c in ALONG]
FROM_THE_END += [case((6,), axis=None, shape=(2, 3)), case((1,), axis=None, shape=())]
SUM_DTYPES = [case((2, 3), axis=0, dtype=np.float64), case((3,), dtype=np.float32)]
SUMS = WITH_AXES + EMPTY_AXES + SUM_DTYPES
WITH_DDOF = [
    case((3,), ddof=1),                           case((2, 3), axis=0, ddof=0),
    case((4,), ddof=0.5),                         case((3, 2), axis=0, ddof=1),
    case((2, 3), axis=-1, ddof=1, keepdims=True),
]
DEVIATIONS = WITH_DDOF + [  # not of one element alone: that is a kink
    c for c in WITH_AXES
    if c.shapes[0] not in ((), (1,), (2, 1, 3)) and c.params.get("axis") != ()
]
WITH_P = [case(*c.shapes, p=p, **c.params) for p in (3, 1.5) for c in WITH_AXES] + [
    case((3,), p=0.5), case((2, 3), p=-2, axis=1)]
PICKS = [case((n, 3), (n,)) for n in (4, 1, 0)] + [case((7, 3), (7,), ignore_index=1)]
PLACED = [case((n,), (n,), classes=c) for n, c in [(4, 3), (1, 5), (0, 3)]] + [
    case((7,), (7,), classes=4, ignore_index=1)]
SCORES = [
    case((n, 3), (n,), ignore_index=i, reduction=r)
    for n, i in [(1, -100), (4, -100), (7, 1), (30, 2)] for r in ("mean", "sum", "none")
] + [case((0, 3), (0,), ignore_index=-100, reduction=r) for r in ("sum", "none")]
LINEAR = [case(x, w) for x, w in [
    ((3,), (2, 3)),   ((4, 3), (2, 3)),    ((5, 4, 3), (2, 3)), ((1, 1), (1, 1)), ((0, 3), (2, 3)),
    ((4, 3), (0, 3)), ((2, 0, 3), (2, 3)), ((9, 8), (9, 8)),
]]
AFFINE = [case(x, w, w[:1]) for x, w in (c.shapes for c in LINEAR)]
PAIRED = [
    case(s, s, reduction=r)
    for s in [(3,), (), (2, 3), (1,), (5, 1, 2), (9, 8)] for r in ("mean", "sum", "none")
] + [case((0, 2), (0, 2), reduction="sum"), case((0,), (0,), reduction="none")]
STACKS = [
    case((3,)), case((3,), (3,)), case((2, 3), (2, 3), axis=1), case((2, 3), (2, 3), (2, 3), axis=-1),
    case((), (), ()), case((0, 2), (0, 2), axis=-2), case(*[(2,)] * 9, axis=1),
]
CASTS = [case(shape, dtype=np.dtype(d)) for shape in [(), (3,), (0, 2)] for d in ("f4", "f8")]
# fmt: on

# -- points ---------------------------------------------------------------------------------------


class Point(NamedTuple):
    """A place in an operation's domain, and the gradient of each input there."""

    inputs: tuple[Any, ...]
    gradients: tuple[Any, ...]
    params: Mapping[str, Any] = {}
    above: Any = None  # the gradient from above; ones where it is None


def at(x: Any, gradient: Any, above: Any = None, **params: Any) -> Point:
    """Return a point of an operation with one input, or of several that come as a tuple."""
    if isinstance(x, tuple):
        return Point(x, gradient, params, above)
    return Point((np.array(x),), (gradient,), params, above)


LN2, LN10, DEGREE = math.log(2), math.log(10), pi / 180
HUGE, TINY = 1e300, 1e-300
SMALL = math.exp(-30) / (1 + math.exp(-30))  # the sigmoid of -30
NAN = math.nan
A, B = [1.0, 3.0, 3.0], np.array([[2.0, 5.0, 5.0], [2.0, 0.0, 5.0]])

# fmt: off
KINKS: dict[Any, Any] = {  # PyTorch's choices
    ag.absolute:    [at(0.0, 0), at(-0.0, 0)],
    ag.relu:        [at(0.0, 0), at(-0.0, 0)],
    ag.power:       {(0.0, 0.0): (0, 0)},
    ag.hypot:       {(0.0, 0.0): (0, 0)},
    ag.remainder:   {(4.0, 2.0): (1, -2), (0.0, 2.0): (1, 0), (-4.0, 2.0): (1, 2)},
    ag.fmod:        {(4.0, 2.0): (1, -2), (0.0, 2.0): (1, 0), (-4.0, 2.0): (1, 2)},
    ag.maximum:     {(1.0, 1.0): (0.5, 0.5), (0.0, -0.0): (0.5, 0.5)},
    ag.minimum:     {(1.0, 1.0): (0.5, 0.5), (0.0, -0.0): (0.5, 0.5)},
    ag.fmax:        {(1.0, 1.0): (1, 0)},
    ag.fmin:        {(1.0, 1.0): (1, 0)},
    elementwise._clip: {(0.0, 0.0, 2.0): (1, 0, 0), (2.0, 0.0, 2.0): (1, 0, 0),
                        (1.0, 1.0, 1.0): (1, 0, 0), (-0.0, 0.0, 1.0): (1, 0, 0)},
    ag.max: [at(A, [0, 0.5, 0.5]), at(B, np.array([[0, 1, 1], [0, 0, 1]]) / 3),
             at(B, [[0.5, 1, 0.5], [0.5, 0, 0.5]], axis=0), at(np.zeros(4), np.full(4, 0.25)),
             at(B, [[0, 0.5, 0.5], [0, 0, 1]], axis=-1, keepdims=True)],
    ag.min: [at(np.negative(A), [0, 0.5, 0.5]), at(-B, np.array([[0, 1, 1], [0, 0, 1]]) / 3),
             at(-B, [[0.5, 1, 0.5], [0.5, 0, 0.5]], axis=0)],
    ag.std: [at(np.full(3, 2.0), np.zeros(3)),            at(3.0, 0),
             at([[1.0, 1.0], [2.0, 4.0]], [[0, 0], [-0.5, 0.5]], axis=1)],
    reductions.norm2:  [at(np.zeros(3), np.zeros(3)),     at(0.0, 0),
                        at([[0.0, 0.0], [3.0, 4.0]], [[0, 0], [0.6, 0.8]], axis=1)],
    reductions.norm_p: [at(np.zeros(3), np.zeros(3), p=3), at([0.0, 1.0], [0, 1], p=0.5),
                        at([[0.0, 0.0], [0.0, -2.0]], [[0, 0], [0, -1]], p=1.5, axis=1)],
}
SINGULAR: dict[Any, list[Any]] = {  # a local derivative is infinite, or there is none
    ag.divide:      [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.0), (1.0, -0.0)],
    ag.power:       [(0.0, 0.5), (0.0, -1.0), (0.0, -0.5)],
    ag.reciprocal:  [0.0, -0.0],
    ag.sqrt:        [0.0, -0.0, -1.0],
    ag.cbrt:        [0.0, -0.0],
    ag.exp:         [1000.0],
    ag.exp2:        [2000.0],
    ag.expm1:       [1000.0],
    ag.sinh:        [1000.0, -1000.0],
    ag.cosh:        [1000.0, -1000.0],
    ag.log:         [0.0, -0.0, -1.0],
    ag.log2:        [0.0, -0.0, -1.0],
    ag.log10:       [0.0, -0.0, -1.0],
    ag.log1p:       [-1.0, -2.0],
    ag.arcsin:      [1.0, -1.0, 2.0],
    ag.arccos:      [1.0, -1.0, 2.0],
    ag.arccosh:     [1.0, 0.5],
    ag.arctanh:     [1.0, -1.0, 2.0],
    ag.arctan2:     [(0.0, 0.0), (0.0, -0.0)],
}
EXTREMES: dict[Any, Any] = {
    ag.add:         {(HUGE, TINY): (1, 1)},
    ag.subtract:    {(HUGE, TINY): (1, -1)},
    ag.multiply:    {(HUGE, TINY): (TINY, HUGE), (0.0, -0.0): (-0.0, 0.0)},
    ag.divide:      {(HUGE, TINY): (HUGE, -inf), (TINY, HUGE): (TINY, 0), (1.0, inf): (0, 0)},
    ag.negative:    {HUGE: -1, TINY: -1},
    ag.positive:    {HUGE: 1, TINY: 1},
    ag.power:       {(0.0, 2.0): (0, 0), (0.0, 1.0): (1, 0), (0.0, 0.5): (inf, 0),
                     (0.0, 3.5): (0, 0), (2.0, 0.0): (0, LN2), (2.0, 2000.0): (inf, inf),
                     (1e-200, 2.0): (2e-200, 0)},
    ag.square:      {HUGE: 2 * HUGE, TINY: 2 * TINY, -0.0: -0.0},
    ag.reciprocal:  [at(1e200, 0), at(1e-100, -1e200), at(0.0, -inf), at(-0.0, -inf)],
    ag.sqrt:        {HUGE: 0.5e-150, TINY: 0.5e150, 0.0: inf},
    ag.cbrt:        {HUGE: 1e-200 / 3, TINY: 1e200 / 3, 0.0: inf, -8.0: 1 / 12},
    ag.hypot:       {(3e200, 4e200): (0.6, 0.8), (-3e-200, 4e-200): (-0.6, 0.8),
                     (0.0, 2.0): (0, 1), (HUGE, TINY): (1, 0)},
    ag.absolute:    {HUGE: 1, -HUGE: -1, TINY: 1, -TINY: -1},
    ag.maximum:     {(HUGE, -HUGE): (1, 0), (-inf, 0.0): (0, 1)},
    ag.minimum:     {(HUGE, -HUGE): (0, 1), (-inf, 0.0): (1, 0)},
    ag.fmax:        {(NAN, 1.0): (0, 1), (1.0, NAN): (1, 0)},
    ag.fmin:        {(NAN, 1.0): (0, 1), (1.0, NAN): (1, 0)},
    elementwise._clip: {(HUGE, -1.0, 1.0): (0, 0, 1), (-HUGE, -1.0, 1.0): (0, 1, 0),
                        (HUGE, -inf, inf): (1, 0, 0), (0.5, 2.0, 1.0): (0, 0, 1)},
    ag.relu:        {HUGE: 1, -HUGE: 0, TINY: 1, -TINY: 0},
    ag.exp:         {1000.0: inf, -1000.0: 0, TINY: 1, -inf: 0},
    ag.exp2:        {2000.0: inf, -2000.0: 0, TINY: LN2},
    ag.expm1:       {1000.0: inf, -1000.0: 0, TINY: 1},
    ag.log:         {HUGE: 1 / HUGE, TINY: 1 / TINY, 0.0: inf},
    ag.log2:        {HUGE: 1 / HUGE / LN2, TINY: 1 / TINY / LN2, 0.0: inf},
    ag.log10:       {HUGE: 1 / HUGE / LN10, TINY: 1 / TINY / LN10, 0.0: inf},
    ag.log1p:       {HUGE: 1 / HUGE, TINY: 1, -1.0: inf},
    ag.logaddexp:   {(1e3, -1e3): (1, 0), (1e3, 1e3): (0.5, 0.5), (-HUGE, HUGE): (0, 1),
                     (0.0, -30.0): (1 - SMALL, SMALL)},
    ag.logaddexp2:  {(1e3, -1e3): (1, 0), (1e3, 1e3): (0.5, 0.5), (-HUGE, HUGE): (0, 1)},
    ag.sigmoid:     {1e3: 0, -1e3: 0, TINY: 0.25, -30.0: SMALL * (1 - SMALL), -HUGE: 0},
    ag.softplus:    {1e3: 1, -1e3: 0, TINY: 0.5, -30.0: SMALL, HUGE: 1},
    ag.sin:         {TINY: 1, pi / 2: math.cos(pi / 2)},
    ag.cos:         {TINY: -TINY, -0.0: 0.0},
    ag.tan:         {TINY: 1},
    ag.arcsin:      {TINY: 1, 1.0: inf, -1.0: inf, 1 - 2**-50: 2**25 / math.sqrt(2 - 2**-50)},
    ag.arccos:      {TINY: -1, 1.0: -inf, -1.0: -inf},
    ag.arctan:      {TINY: 1, HUGE: 0, -HUGE: 0},
    ag.arctan2:     {(3e200, 4e200): (1.6e-201, -1.2e-201), (3e-200, 4e-200): (1.6e199, -1.2e199),
                     (0.0, 2.0): (0.5, 0), (2.0, 0.0): (0, -0.5)},
    ag.sinh:        {1000.0: inf, -1000.0: inf, TINY: 1},
    ag.cosh:        {1000.0: inf, -1000.0: -inf, TINY: TINY},
    ag.tanh:        {1000.0: 0, -1000.0: 0, TINY: 1, HUGE: 0},
    ag.arcsinh:     {HUGE: 1 / HUGE, -HUGE: 1 / HUGE, TINY: 1},
    ag.arccosh:     {HUGE: 1 / HUGE, 1.0: inf},
    ag.arctanh:     {TINY: 1, 1.0: inf, -1.0: inf},
    ag.degrees:     {HUGE: 1 / DEGREE, TINY: 1 / DEGREE},
    ag.radians:     {HUGE: DEGREE, TINY: DEGREE},
    ag.max:         [at([HUGE, -HUGE], [1, 0]), at([inf, 0.0], [1, 0]),
                     at([-inf, -inf], [0.5, 0.5])],
    ag.min:         [at([HUGE, -HUGE], [0, 1])],
    ag.var:         [at(np.zeros(3), np.zeros(3)), at(np.full(2, 1e200), np.zeros(2))],
    ag.logsumexp:   [at([1e3, 1e3], [0.5, 0.5]), at([-HUGE, 0.0], [0, 1]), at([-inf, 0.0], [0, 1]),
                     at([-inf, -inf], [0, 0]),
                     at([[1e3, -1e3], [-1e3, -1e3]], [[1, 0], [0.5, 0.5]], axis=1)],
    ag.softmax:     [at([1e3, -1e3], [0, 0]), at([1e3, 1e3], [0.25, -0.25], above=[1.0, 0.0]),
                     at([0.0, -inf, 0.0], [0.25, 0, -0.25], above=[1.0, 0.0, 0.0])],
    ag.log_softmax: [at([1e3, -1e3], [-1, 1]), at([1e3, 1e3], [0.5, -0.5], above=[1.0, 0.0]),
                     at([0.0, -HUGE], [0, 0], above=[1.0, 0.0])],
    classes._fused: [at((np.array([[1e3, -1e3]]), np.array([k])), ([[k, -k]], None),
                        ignore_index=-100, reduction=r) for k in (0, 1) for r in ("mean", "sum")],
}
# fmt: on

# -- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Row:
    """What is known of one primitive."""

    op: Any
    numpy: Callable[..., Any]
    domains: tuple[Domain, ...]  # one for each input, or one for all of them
    cases: Sequence[Case]
    kinks: tuple[Point, ...] = ()
    singular: tuple[tuple[float, ...], ...] = ()
    extremes: tuple[Point, ...] = ()
    selects: bool = False
    elementwise: bool = False

    def __str__(self) -> str:
        return str(self.primitive.name)

    @property
    def primitive(self) -> Any:
        return self.op.primitive

    def differentiable(self, c: Case) -> list[int]:
        """Return the positions of the inputs that gradients go to."""
        rules = self.primitive.rules
        return [i for i in range(len(c.shapes)) if self.primitive.joint or rules[i] is not None]

    def draw(self, c: Case, rng: np.random.Generator) -> list[Any]:
        """Return one array for each input."""
        domains = self.domains if len(self.domains) > 1 else self.domains * len(c.shapes)
        return [np.asarray(d.draw(rng, s)) for d, s in zip(domains, c.shapes, strict=True)]


def _tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _points(given: Any) -> tuple[Point, ...]:
    if isinstance(given, Mapping):
        return tuple(Point(_tuple(x), _tuple(d)) for x, d in given.items())
    return tuple(given)


def row(
    op: Any, numpy: Any, *domains: Domain, cases: Sequence[Case], **known: Any
) -> Row:  # fmt: skip
    """Return the row of any operation, with its points from the tables above."""
    singular = tuple(map(_tuple, SINGULAR.get(op, ())))
    return Row(op, numpy, domains, cases, _points(KINKS.get(op, ())), singular,
               _points(EXTREMES.get(op, ())), **known)  # fmt: skip


def each(op: Any, numpy: Any, *domains: Domain, **known: Any) -> Row:
    """Return the row of an elementwise operation, whose inputs broadcast against each other."""
    arity = op.primitive.arity
    cases = known.pop("cases", None) or {1: EACH, 2: PAIRS, 3: TRIPLES}[arity]
    return row(op, numpy, *domains, cases=cases, elementwise=True, **known)


# NumPy's functions of the same value, where there is none of that name


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


def _sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))[()]


def _getitem(x: Any, *, index: Any) -> Any:
    return x[index]


def _astype(x: Any, *, dtype: Any) -> Any:
    return np.asarray(x).astype(dtype)


def _reshape(x: Any, *, shape: Any) -> Any:
    return np.reshape(x, shape)


def _einsum(*x: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *x)


def _concatenate(*x: Any, axis: Any = 0) -> Any:
    return np.concatenate(x, axis)


def _stack(*x: Any, axis: Any = 0) -> Any:
    return np.stack(x, axis)


def _scatter(x: Any, *, index: Any, shape: Shape) -> Any:
    """Add one element at a time: each place of ``shape`` is looked up under its own number."""
    out, places = np.zeros(shape, x.dtype), np.arange(math.prod(shape)).reshape(shape)[index]
    for place, value in zip(np.ravel(places), np.ravel(x), strict=True):
        out.flat[place] += value
    return out


def _setitem(x: Any, v: Any, *, index: Any, places: Any = ()) -> Any:
    """Write one element at a time, each looked up under its own number."""
    out, numbers = x.copy(), np.arange(x.size).reshape(x.shape)
    for place in places:
        numbers = numbers.ravel()[place] if isinstance(place, np.ndarray) else np.transpose(numbers)
    shown = numbers[index]
    for place, value in zip(np.ravel(shown), np.ravel(np.broadcast_to(v, np.shape(shown))), strict=True):
        out.flat[place] = value
    return out


def _cumsum_from_end(x: Any, *, axis: Any, shape: Shape) -> Any:
    sums = [np.sum(np.take(x, range(i, n), axis or 0), axis or 0)
            for n in [x.shape[axis or 0]] for i in range(n)]  # fmt: skip
    return np.reshape(np.stack(sums, axis or 0) if sums else x, shape)


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = range(x.ndim) if axis is None else np.atleast_1d(np.array(axis, int)) % max(1, x.ndim)
    y = x if x.dtype.kind == "f" else x.astype(np.exp(x[:0]).dtype if x.ndim else float)
    for a in axes:
        y = np.logaddexp.reduce(y, axis=a, keepdims=True)
    return y if keepdims else np.squeeze(y, axis=tuple(axes))[()]


def _log_softmax(x: Any, axis: int = -1) -> Any:
    return x - _logsumexp(x, axis, keepdims=True)


def _softmax(x: Any, axis: int = -1) -> Any:
    return np.exp(_log_softmax(x, axis))


def _norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _norm_p(x: Any, axis: Any = None, *, p: float, keepdims: bool = False) -> Any:
    return np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p)


def _affine_map(x: Any, w: Any, b: Any = 0) -> Any:
    return x @ w.T + b


def _pick(x: Any, t: Any, *, ignore_index: int = -100) -> Any:
    return np.where(t == ignore_index, 0, x[np.arange(len(t)), t])


def _place(x: Any, t: Any, *, classes: int, ignore_index: int = -100) -> Any:
    places = (t != ignore_index)[:, None] & (t[:, None] == np.arange(classes))
    return np.where(places, x[:, None], 0)


def _cross_entropy(x: Any, t: Any, *, ignore_index: int, reduction: str) -> Any:
    losses = -_pick(_log_softmax(x), t, ignore_index=ignore_index)
    return reduced(losses, np.sum(t != ignore_index), reduction)


def _cross_entropy_error(x: Any, t: Any, *, ignore_index: int, reduction: str) -> Any:
    counts = t != ignore_index
    error = (_softmax(x) - (t[:, None] == np.arange(x.shape[1]))) * counts[:, None]
    return error / int(np.sum(counts)) if reduction == "mean" else error


def reduced(losses: Any, n: Any, reduction: str) -> Any:
    """Return losses, their sum, or their sum divided by n."""
    if reduction == "none":
        return losses
    return np.sum(losses) / int(n) if reduction == "mean" else np.sum(losses)


# fmt: off
ARITHMETIC = [
    #    operation          NumPy's          domains of the inputs
    each(ag.add,            np.add,          REAL, REAL),
    each(ag.subtract,       np.subtract,     REAL, REAL),
    each(ag.multiply,       np.multiply,     REAL, REAL),
    each(ag.divide,         np.divide,       REAL, NONZERO),
    each(ag.negative,       np.negative,     REAL),
    each(ag.positive,       np.positive,     REAL),
    each(ag.power,          np.power,        POSITIVE, REAL),
    each(ag.square,         np.square,       REAL),
    each(ag.reciprocal,     np.reciprocal,   NONZERO),
    each(ag.sqrt,           np.sqrt,         POSITIVE),
    each(ag.cbrt,           np.cbrt,         NONZERO),
    each(ag.remainder,      np.remainder,    BETWEEN, DIVISOR),
    each(ag.fmod,           np.fmod,         BETWEEN, DIVISOR),
    each(ag.hypot,          np.hypot,        NONZERO, NONZERO),
]
CORNERS = [
    each(ag.absolute,       np.absolute,     NONZERO),
    each(ag.maximum,        np.maximum,      WHOLE, HALVES,            selects=True),
    each(ag.minimum,        np.minimum,      WHOLE, HALVES,            selects=True),
    each(ag.fmax,           np.fmax,         WHOLE, HALVES,            selects=True),
    each(ag.fmin,           np.fmin,         WHOLE, HALVES,            selects=True),
    each(elementwise._clip, np.clip,         HALVES, WHOLE, QUARTERS,  selects=True),
    each(ag.where,          np.where,        CONDITION, REAL, REAL,    cases=CHOICES, selects=True),
    each(ag.relu,           _relu,           NONZERO,                  selects=True),
]
EXPONENTIALS = [
    each(ag.exp,            np.exp,          REAL),
    each(ag.exp2,           np.exp2,         REAL),
    each(ag.expm1,          np.expm1,        REAL),
    each(ag.log,            np.log,          POSITIVE),
    each(ag.log2,           np.log2,         POSITIVE),
    each(ag.log10,          np.log10,        POSITIVE),
    each(ag.log1p,          np.log1p,        POSITIVE),
    each(ag.logaddexp,      np.logaddexp,    REAL, REAL),
    each(ag.logaddexp2,     np.logaddexp2,   REAL, REAL),
    each(ag.sigmoid,        _sigmoid,        REAL),
    each(ag.softplus,       _softplus,       REAL),
]
TRIGONOMETRY = [
    each(ag.sin,            np.sin,          REAL),
    each(ag.cos,            np.cos,          REAL),
    each(ag.tan,            np.tan,          INSIDE),
    each(ag.arcsin,         np.arcsin,       INSIDE),
    each(ag.arccos,         np.arccos,       INSIDE),
    each(ag.arctan,         np.arctan,       REAL),
    each(ag.arctan2,        np.arctan2,      NONZERO, NONZERO),
    each(ag.sinh,           np.sinh,         REAL),
    each(ag.cosh,           np.cosh,         REAL),
    each(ag.tanh,           np.tanh,         REAL),
    each(ag.arcsinh,        np.arcsinh,      REAL),
    each(ag.arccosh,        np.arccosh,      ABOVE_1),
    each(ag.arctanh,        np.arctanh,      INSIDE),
    each(ag.degrees,        np.degrees,      REAL),
    each(ag.radians,        np.radians,      REAL),
]
REDUCTIONS = [
    #    operation          NumPy's          domain           calls
    row(ag.sum,             np.sum,          REAL,            cases=SUMS),
    row(ag.mean,            np.mean,         REAL,            cases=WITH_AXES + SUM_DTYPES[:1]),
    row(ag.max,             np.max,          WHOLE,           cases=WITH_AXES, selects=True),
    row(ag.min,             np.min,          WHOLE,           cases=WITH_AXES, selects=True),
    row(ag.var,             np.var,          WHOLE,           cases=WITH_AXES + WITH_DDOF),
    row(ag.std,             np.std,          WHOLE,           cases=DEVIATIONS),
    row(reductions.norm2,   _norm,           NONZERO,         cases=WITH_AXES + EMPTY_AXES),
    row(reductions.norm_p,  _norm_p,         NONZERO,         cases=WITH_P),
    row(ag.cumsum,          np.cumsum,       REAL,            cases=ALONG + FLATTENED),
    row(reductions.cumsum_from_end, _cumsum_from_end, REAL,   cases=FROM_THE_END),
    row(ag.logsumexp,       _logsumexp,      REAL,            cases=WITH_AXES),
    row(ag.softmax,         _softmax,        REAL,            cases=ALONG),
    row(ag.log_softmax,     _log_softmax,    REAL,            cases=ALONG),
]
PLACES = [
    row(indexing._getitem,       _getitem,   REAL,            cases=READS),
    row(ag.scatter,              _scatter,   REAL,            cases=ADDS),
    row(ag.setitem,              _setitem,   REAL, REAL,      cases=WRITES),
    row(products.matmul,         np.matmul,  REAL, REAL,      cases=PRODUCTS),
    row(products._einsum_op,     _einsum,    REAL,            cases=SUBSCRIPTS),
    row(shaping._reshape_op,     _reshape,   REAL,            cases=RESHAPES),
    row(shaping._transpose_op,   np.transpose, REAL,          cases=ORDERS),
    row(shaping._broadcast_op,   np.broadcast_to, REAL,       cases=SPREADS),
    row(ag.flip,                 np.flip,    REAL,            cases=FLIPS),
    row(ag.roll,                 np.roll,    REAL,            cases=ROLLS),
    row(joining._concatenate_op, _concatenate, REAL,          cases=JOINS),
    row(joining._stack_op,       _stack,     REAL,            cases=STACKS),
    row(shaping._astype_op,      _astype,    REAL,            cases=CASTS),
    row(shaping._copy_op,        np.copy,    REAL,            cases=EACH),
]
LAYERS = [
    row(classes.pick,            _pick,      REAL, labels(3), cases=PICKS),
    row(classes.place,           _place,     REAL, labels(3), cases=PLACED),
    row(classes.error,           _cross_entropy_error, REAL, labels(3), cases=SCORES),
    row(classes._fused,          _cross_entropy, REAL, labels(3), cases=SCORES),
    row(_product,                _affine_map, REAL, REAL,     cases=LINEAR),
    row(_affine,                 _affine_map, REAL, REAL, REAL, cases=AFFINE),
]
# fmt: on

ROWS = [*ARITHMETIC, *CORNERS, *EXPONENTIALS, *TRIGONOMETRY, *REDUCTIONS, *PLACES, *LAYERS]

from . import (  # noqa: E402 (read this)
    table_activations,
    table_convolution,
    table_gamma,
    table_linalg,
    table_losses,
    table_normalization,
    table_pooling,
    table_selecting,
    table_special,
    table_statistics,
)

PARTS = [
    row
    for part in (table_gamma, table_linalg, table_selecting, table_special, table_statistics)
    for row in part.ROWS
]
LAYERS += table_normalization.ROWS + table_convolution.ROWS
LAYERS += table_activations.ROWS + table_losses.ROWS + table_pooling.ROWS
PARTS += table_normalization.ROWS + table_convolution.ROWS
PARTS += table_activations.ROWS + table_losses.ROWS + table_pooling.ROWS
ROWS += PARTS

# -- what there is --------------------------------------------------------------------------------


def modules(*packages: str) -> Iterator[ModuleType]:
    """Import and give every module of the packages that are there."""
    for name in packages:
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        yield package
        if package.__file__:
            for info in pkgutil.walk_packages(package.__path__, name + "."):
                yield importlib.import_module(info.name)


def primitives(scipy: bool = table_gamma.SCIPY) -> dict[Any, str]:
    """Return every primitive that a module holds, and where; those of SciPy's values if ``scipy``."""
    found: dict[Any, str] = {}
    for module in modules("autograd_core.ops", "nn", "optim"):
        for name, value in vars(module).items():
            if hasattr(value, "primitive") and not isinstance(value, (type, ModuleType)):
                if getattr(value.primitive.fun, "needs_scipy", False) and not scipy:
                    continue
                if hasattr(value, "definition"):  # held to it in tests/nn/test_fused.py
                    continue
                found.setdefault(value.primitive, f"{module.__name__}.{name}")
    return found
