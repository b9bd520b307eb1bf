"""Functions written with other operations: NumPy's values, both modes and every order, by a table.

A row is NumPy's function, the domain of its arrays, and calls: shapes first, then the arguments as
one would write them. The truth is NumPy again; the differences are those of ``test_table.py``.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.primitive import NUMPY

from .table import HALVES, INDICES, REAL, SUBSCRIPTS, WHOLE, Domain, Shape
from .test_table import check_second_order, close, dot, numerical_jacobian, same

inf = np.inf
SPACED = Domain("no two of a size", lambda rng, shape: (
    (1 + rng.permutation(math.prod(shape)) + rng.uniform(0, 0.5, math.prod(shape))).reshape(shape)
    * rng.choice([-0.3, 0.3], shape)))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Use:
    """One call: ``f(*arrays, *args, **kwargs)``; ``joined``: ``f([arrays], ...)``."""

    shapes: Sequence[Shape]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    joined: bool = False
    first: tuple[Any, ...] = ()  # before the arrays

    def __call__(self, f: Any, arrays: Sequence[Any]) -> Any:
        return f(
            *self.first, *([list(arrays)] if self.joined else arrays), *self.args, **self.kwargs
        )

    def __repr__(self) -> str:
        words = [*map(repr, self.first), *map(str, self.shapes), *map(repr, self.args)]
        return ", ".join([*words, *(f"{k}={v!r}" for k, v in self.kwargs.items())])


def use(shapes: Any, *args: Any, **kwargs: Any) -> Use:
    return Use(shapes if isinstance(shapes, list) else [shapes], args, kwargs)


def join(shapes: list[Shape], *args: Any, **kwargs: Any) -> Use:
    return Use(shapes, args, kwargs, joined=True)


# fmt: off
PICK, GRID = np.array([2, 0, 0, -1]), np.array([[0, 1], [1, 1]])
AXES = [
    use(()),                      use((3,)),                          use((2, 3)),
    use((2, 3), 0),               use((2, 3), axis=-1),               use((2, 3), axis=(0, 1)),
    use((2, 3, 4), axis=(0, -1)), use((2, 3), axis=1, keepdims=True), use((2, 3), keepdims=True),
    use((2, 3, 4), axis=1),       use((1,)),                          use((2, 1, 3), axis=(1,)),
    use((0, 3), axis=1),          use((2, 3), axis=None),
]
USES: dict[Any, tuple[Domain, list[Use]]] = {
    np.prod: (REAL, [
        *AXES,               use((5,)),           use((7,)),            use((0,)),
        use((2, 0), axis=1), use((0, 3), axis=0), use((2, 3), axis=()), use((0, 2), keepdims=True),
    ]),
    np.ptp: (WHOLE, [*AXES]),
    np.linalg.norm: (SPACED, [
        *[use((3,), p) for p in (None, 1, 2, 3, 1.5, inf, -inf, -1, -2, 4, 0.5)], use(()),
        use((2, 3)), use((2, 3, 2)), use((0,)),
        *[use((2, 3), p, axis=a, keepdims=k)
          for p in (None, 1, 2, 3, inf, -inf) for a in (0, -1) for k in (False, True)],
        *[use((2, 3), p) for p in ("fro", 1, -1, inf, -inf)],
        *[use((2, 3, 2), p, axis=a, keepdims=k) for p in (None, "fro", 1, -1, inf, -inf)
          for a in ((0, 1), (1, 0), (-1, 0), (2, -2)) for k in (False, True)],
        use((2, 3), axis=(0,)), use((2, 3), axis=(1, 0)), use((2, 3, 2), axis=1),
        use((2, 3), ord=2, axis=(1,)), use((2, 3), None, None, True),
    ]),
    np.clip: (HALVES, [
        use((5,), -1, 1),         use((5,), 0, None),          use((5,), None, 1),
        use((5,), a_max=1, a_min=None), use((5,), a_min=0, a_max=1), use((2, 3), -1.25, [0, 1, 2]),
        use((), 0, 1),            use((0,), 0, 1),             use((5,), 2, -1),
        use((3,), -inf, inf), use((5,), 0, 2.25),
    ]),
    np.where: (REAL, [
        Use([(3,), (3,)], first=([True, False, True],)), Use([(), (2, 3)], first=(True,)),
        Use([(2, 1), (3,)], first=(np.array([[False], [True]]),)), Use([(3,), ()], first=(0,)),
        Use([(0,), ()], first=([],)),
    ]),
    np.sort: (WHOLE, [
        use((5,)),                use((3, 4)),            use((3, 4), 0),
        use((3, 4), axis=None),   use((3, 4), axis=-2),   use((2, 3, 2), axis=1),
        use((0,)),                use((1,)),              use((2, 0)),
        use((5,), kind="stable"), use((5,), stable=True), use((5,), -1, "quicksort"),
    ]),
    np.take: (REAL, [
        use((3,), 1),                          use((3,), PICK),
        use((2, 3), PICK),                     use((2, 3), PICK, 1),
        use((3, 2), PICK, axis=0),             use((2, 3), [0, 2], axis=-1),
        use((3, 2), GRID, axis=-2),            use((3,), -1),
        use((3,), [5, -7], mode="wrap"),       use((3,), [5, -7], mode="clip"),
        use((2, 3), [4], axis=1, mode="wrap"), use((3,), np.array([], int)),
        use((0, 3), PICK, axis=1),
    ]),
    np.take_along_axis: (REAL, [
        use((2, 3), np.array([[0, 2], [1, 1]]), 1), use((2, 3), np.array([[0, 1, 1]]), axis=0),
        use((2, 3), np.array([5, 0, 0]), axis=None), use((3,), PICK, axis=-1), use((3,), PICK, 0),
        use((2, 1, 3), np.array([[[0], [-1]]]), axis=-1),
    ]),
    np.reshape: (REAL, [
        use((6,), (2, 3)),   use((2, 3), -1),                use((2, 3), (3, -1)),
        use((2, 3), 6),      use((2, 3), (3, 2), order="F"), use((2, 3), (-1,), "F"),
        use((), (1, 1)),     use((1,), ()),                  use((0, 2), (0,)),
        use((2, 3), [3, 2]), use((2, 3), 6, "F"),
    ]),
    np.ravel: (REAL, [
        use(()),                use((3,)),   use((2, 3)),               use((2, 3), "F"),
        use((2, 3), order="C"), use((0, 2)), use((2, 3, 2), order="F"),
    ]),
    np.transpose: (REAL, [
        use(()),             use((3,)),                      use((2, 3)),
        use((2, 3), (1, 0)), use((2, 3, 4), axes=(2, 0, 1)), use((2, 3, 4), [-1, 0, -2]),
        use((2, 3), None),   use((0, 3)),
    ]),
    np.permute_dims: (REAL, [use((2, 3)), use((2, 3, 4), (2, 0, 1))]),
    np.swapaxes: (REAL, [
        use((2, 3), 0, 1), use((2, 3, 4), 0, -1),            use((2, 3, 4), -2, -1),
        use((3,), 0, 0),   use((2, 3, 4), axis1=1, axis2=0),
    ]),
    np.matrix_transpose: (REAL, [use((2, 3)), use((2, 3, 4)), use((0, 2))]),
    np.linalg.matrix_transpose: (REAL, [use((2, 3)), use((2, 3, 4))]),
    np.moveaxis: (REAL, [
        use((2, 3, 4), 0, -1),          use((2, 3, 4), -1, 0),
        use((2, 3, 4), (0, 1), (2, 0)), use((2, 3, 4), [0, 2], [-1, -3]),
        use((2, 3), 0, 0),              use((2, 3, 4, 1), source=(3, 0), destination=(0, 2)),
    ]),
    np.expand_dims: (REAL, [
        use((3,), 0),    use((3,), -1), use((2, 3), (0, 2)), use((2, 3), axis=(-1, 0)), use((), 0),
        use((), (0, 1)), use((0,), 1),
    ]),
    np.squeeze: (REAL, [
        use((1, 3)),                 use((1, 3, 1)), use((1, 3, 1), 0), use((1, 3, 1), axis=-1),
        use((1, 3, 1), axis=(0, 2)), use((3,)),      use(()),           use((1,)),
        use((1, 0)),
    ]),
    np.broadcast_to: (REAL, [
        use((3,), (2, 3)),       use((2, 1), (2, 3)), use((), 4), use((1,), (0,)),
        use((3,), shape=(1, 3)), use((1, 3), [2, 3]),
    ]),
    np.broadcast_arrays: (REAL, [
        use([(3,), (2, 1)]), use([(), (2,), (3, 1)]), use([(2,)]), use([(0,), (1,)]),
    ]),
    np.flipud: (REAL, [use((3,)), use((2, 3)), use((0, 2)), use((2, 3, 2))]),
    np.fliplr: (REAL, [use((2, 3)), use((2, 0)), use((2, 3, 2))]),
    np.tile: (REAL, [
        use((3,), 2),           use((3,), (2, 2)),   use((2, 3), 2), use((2, 3), (2, 1)),
        use((2, 3), (2, 1, 2)), use((), 3),          use((3,), 0),   use((2, 3), reps=[1, 2]),
        use((2, 3), ()),        use((1, 2), (3, 1)),
    ]),
    np.repeat: (REAL, [
        use((3,), 2), use((3,), [1, 0, 2]), use((2, 3), 2), use((2, 3), 2, 1),
        use((2, 3), [1, 2], axis=0), use((2, 3), 2, axis=-1), use((), 3), use((3,), 0),
        use((2, 3), [2], axis=0), use((2, 3), np.array([1, 2, 0]), axis=-1),
    ]),
    np.concatenate: (REAL, [
        join([(3,), (2,)]),              join([(2, 3), (1, 3)]),          join([(2, 3), (2, 2)], 1),
        join([(2, 3), (2, 2)], axis=-1), join([(2, 3), (3,)], axis=None), join([(0,), (2,)]),
        join([(2,)]),                    join([(1,), (2,), (3,), (4,)]),
    ]),
    np.concat: (REAL, [join([(3,), (2,)]), join([(2, 3), (2, 2)], axis=1)]),
    np.stack: (REAL, [
        join([(3,), (3,)]),                join([(2, 3), (2, 3)], 1),
        join([(2, 3), (2, 3)], axis=-1),   join([(), ()]),
        join([(3,)]),                      join([(2, 0), (2, 0)], axis=2),
        join([(2,), (2,), (2,)], axis=-2),
    ]),
    np.vstack: (REAL, [
        join([(3,), (3,)]),           join([(2, 3), (3,)]), join([(), ()]), join([(2, 3), (1, 3)]),
        join([(2, 1, 2), (1, 1, 2)]),
    ]),
    np.hstack: (REAL, [
        join([(3,), (2,)]), join([(), (2,)]), join([(2, 3), (2, 1)]), join([(2, 1, 2), (2, 2, 2)]),
        join([(), ()]),
    ]),
    np.column_stack: (REAL, [join([(3,), (3,)]), join([(3, 2), (3,)]), join([(3, 2), (3, 1)])]),
    np.array_split: (REAL, [
        use((7,), 3),      use((2, 5), 2, 1), use((7,), [2, 5]), use((2, 5), [1, 3], axis=-1),
        use((3,), 5),      use((4, 2), 2),    use((5,), [7]),    use((5,), [-2]),
        use((5,), [3, 1]), use((0,), 2),      use((5,), ()),
    ]),
    np.split: (REAL, [
        use((6,), 3),                 use((2, 6), 2, 1), use((7,), [2, 5]),
        use((2, 4), [1, 3], axis=-1), use((4, 2), 2),    use((6,), np.array([1, 4])),
        use((6,), np.int64(2)),
    ]),
    np.vsplit: (REAL, [use((4, 2), 2), use((4, 2), [1])]),
    np.hsplit: (REAL, [use((4,), 2), use((2, 4), 2), use((2, 4), [1, 3]), use((4,), [1])]),
    np.tril: (REAL, [
        use((3, 3)), use((2, 3), 1), use((3, 2), k=-1), use((2, 3, 3)), use((3,)), use((0, 3)),
    ]),
    np.triu: (REAL, [use((3, 3)), use((2, 3), 1), use((3, 2), k=-1), use((2, 3, 3)), use((3,))]),
    np.diagonal: (REAL, [
        use((3, 3)),            use((2, 3), 1),          use((3, 2), -1),
        use((3, 2), offset=-2), use((2, 3, 2), 0, 1, 2), use((2, 3, 2), axis1=-1, axis2=0),
        use((2, 3), 5),         use((2, 3, 2), 1, 2, 1), use((0, 2)),
    ]),
    np.diag: (REAL, [
        use((3,)), use((3,), 1), use((2,), k=-2), use((3, 3)), use((2, 3), 1), use((3, 2), k=-1),
        use((0,)), use((1,), 3),
    ]),
    np.trace: (REAL, [
        use((3, 3)),             use((2, 3), 1),                   use((3, 2), offset=-1),
        use((2, 3, 2), 0, 1, 2), use((2, 3, 2), axis1=2, axis2=0), use((2, 2, 3)),
        use((2, 3), 4),
    ]),
    np.atleast_1d: (REAL, [use(()), use((3,)), use((2, 3)), use([(), (2,)])]),
    np.atleast_2d: (REAL, [use(()), use((3,)), use((2, 3)), use((2, 3, 2)), use([(), (2,)])]),
    np.pad: (REAL, [
        use((3,), 1), use((3,), (1, 2)), use((2, 3), ((1, 0), (0, 2))), use((2, 3), ((1, 2),)),
        use((2, 3), 1, constant_values=2.5), use((3,), 0), use((3,), (2, 0), "constant"),
        use((0,), 2), use((2, 3), [1, 2]), use((3,), 1, mode="constant", constant_values=inf),
    ]),
    np.astype: (REAL, [
        use((3,), np.float64), use((), "f8"), use((2, 3), np.dtype("f8"), copy=False),
    ]),
    np.copy: (REAL, [use(()), use((3,)), use((2, 0))]),
    np.dot: (REAL, [
        use([(3,), (3,)]),      use([(2, 3), (3,)]),      use([(3,), (3, 2)]),
        use([(2, 3), (3, 2)]),  use([(), (2, 3)]),        use([(3,), ()]),
        use([(2, 3, 4), (4,)]), use([(2, 3), (5, 3, 2)]), use([(2, 3, 4), (2, 4, 3)]),
        use([(), ()]),          use([(0,), (0,)]),        use([(3,), (2, 3, 2)]),
        use([(0, 3), (3, 2)]),
    ]),
    np.vdot: (REAL, [
        use([(3,), (3,)]), use([(2, 3), (2, 3)]), use([(2, 3), (6,)]), use([(), ()]),
        use([(0,), (0,)]),
    ]),
    np.inner: (REAL, [
        use([(3,), (3,)]), use([(2, 3), (3,)]),      use([(2, 3), (4, 3)]), use([(), (3,)]),
        use([(2, 3), ()]), use([(2, 2, 3), (2, 3)]), use([(0,), (0,)]),
    ]),
    np.outer: (REAL, [use([(3,), (2,)]), use([(2, 2), (3,)]), use([(), (2,)]), use([(0,), (2,)])]),
    np.vecdot: (REAL, [
        use([(3,), (3,)]),        use([(2, 3), (3,)]),   use([(2, 3), (2, 3)], axis=0),
        use([(2, 1, 3), (4, 3)]), use([(2, 0), (2, 0)]),
    ]),
    np.linalg.vecdot: (REAL, [use([(2, 3), (3,)]), use([(2, 3), (2, 3)], axis=-2)]),
    np.tensordot: (REAL, [
        use([(2, 3), (2, 3)]),                    use([(2, 3), (3, 2)], 1),
        use([(2,), (3,)], 0),                     use([(2, 3, 4), (4, 3)], axes=([1, 2], [1, 0])),
        use([(2, 3, 4), (4, 2)], axes=(2, 0)),    use([(2, 3), (3,)], axes=(-1, -1)),
        use([(2, 3, 4), (3, 4, 2)], axes=2),      use([(0, 2), (2, 3)], 1),
        use([(2, 3), (2, 3)], ((0, 1), (0, 1))),  use([(), ()], 0),
        use([(2, 3), (4, 2)], axes=[(0,), (1,)]),
    ]),
    np.linalg.tensordot: (REAL, [use([(2, 3), (3, 2)], axes=1)]),
    np.kron: (REAL, [
        use([(2,), (3,)]), use([(2, 3), (2, 2)]),    use([(2,), (2, 2)]), use([(2, 2), (3,)]),
        use([(), (2, 2)]), use([(1, 2, 2), (2, 1)]), use([(0,), (2,)]),
    ]),
    np.einsum: (REAL, [
        *[Use(c.shapes, first=(c.params["subscripts"],)) for c in SUBSCRIPTS],
        Use([(2, 3), (3, 2)], first=("ij,jk",), kwargs={"optimize": True}),
    ]),
}
if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # the names of these arguments are younger
    USES[np.clip][1].extend([use((5,), min=-1, max=1), use((5,), max=1), use((5,), min=0)])
    USES[np.reshape][1].extend([use((2, 3), shape=(3, 2)), use((2, 3), shape=-1, order="F")])
WRONG: list[tuple[Any, Use, str]] = [
    (np.take, use((2, 3), [0], axis=2), "2"),
    (np.take, use((2, 3), [0], axis=-3), "-3"),
    (np.take, use((3,), 3), "3"),
    (np.take, use((3,), [0], mode="best"), "best"),
    (np.take_along_axis, use((2, 3), np.array([[0]]), axis=2), "2"),
    (np.take_along_axis, use((2, 3), np.array([[0]]), axis=-3), "-3"),
    (np.take_along_axis, use((2, 3), np.array([0]), axis=0), "dimension|axes"),
    (np.take_along_axis, use((2, 3), np.array([[3]]), axis=1), "3"),
    (np.sort, use((2, 3), axis=2), "2"),
    (np.sort, use((2, 3), axis=-3), "-3"),
    (np.sort, use(()), "-1"),
    (np.prod, use((2, 3), axis=2), "2"),
    (np.prod, use((2, 3), axis=-3), "-3"),
    (np.prod, use((2, 3), axis=(0, 0)), "axis"),
    (np.prod, use((2, 3), axis=(0, 5)), "5"),
    (np.ptp, use((2, 3), axis=2), "2"),
    (np.ptp, use((0,)), "zero-size"),
    (np.linalg.norm, use((2, 3), axis=2), "2"),
    (np.linalg.norm, use((2, 3), axis=-3), "-3"),
    (np.linalg.norm, use((3,), "fro"), "fro|ord|norm"),
    (np.linalg.norm, use((2, 3, 2), 1), "norm"),
    (np.linalg.norm, use((2, 3), 3), "norm"),
    (np.linalg.norm, use((2, 3), axis=(0, 0)), "axis|axes"),
    (np.linalg.norm, use((2, 3, 2), axis=(0, 1, 2)), "norm|axis"),
    (np.swapaxes, use((2, 3), 0, 2), "2"),
    (np.swapaxes, use((2, 3), -3, 0), "-3"),
    (np.moveaxis, use((2, 3), 2, 0), "2"),
    (np.moveaxis, use((2, 3), 0, -3), "-3"),
    (np.moveaxis, use((2, 3), (0, 1), 0), "source|destination"),
    (np.moveaxis, use((2, 3), (0, 0), (0, 1)), "source|repeated"),
    (np.moveaxis, use((2, 3), (0, 1), (0, 0)), "destination|repeated"),
    (np.transpose, use((2, 3), (0, 2)), "2"),
    (np.transpose, use((2, 3), (0, 0)), "axis|axes"),
    (np.transpose, use((2, 3), (0,)), "axes"),
    (np.expand_dims, use((3,), 3), "3"),
    (np.expand_dims, use((3,), (0, 0)), "axis"),
    (np.expand_dims, use((3,), -4), "-4"),
    (np.squeeze, use((2, 3), axis=0), "axis|size|length"),
    (np.squeeze, use((1, 3), axis=2), "2"),
    (np.reshape, use((2, 3), (4, 2)), "shape"),
    (np.reshape, use((2, 3), (-1, -1)), "unknown|-1"),
    (np.reshape, use((2, 3), (4, -1)), "4"),
    (np.reshape, use((2, 3), 6, order="X"), "X|order"),
    (np.broadcast_to, use((3,), (2, 2)), "2"),
    (np.broadcast_arrays, use([(3,), (2,)]), "3|broadcast"),
    (np.repeat, use((2, 3), 2, axis=2), "2"),
    (np.repeat, use((2, 3), 2, axis=-3), "-3"),
    (np.repeat, use((3,), -1), "negative"),
    (np.repeat, use((3,), [1, 2]), "2|broadcast"),
    (np.concatenate, join([(2, 3), (2, 2)]), "3|dimension"),
    (np.concatenate, join([(2, 3), (3,)]), "dimension|axes"),
    (np.concatenate, join([(2,), (3,)], axis=1), "1"),
    (np.concatenate, join([(), ()]), "zero-dim|0"),
    (np.stack, join([(2,), (3,)]), "shape"),
    (np.stack, join([(2,), (2,)], axis=3), "3"),
    (np.vstack, join([(2,), (3,)]), "2|dimension"),
    (np.column_stack, join([(2,), (3,)]), "2|dimension"),
    (np.hstack, join([(2, 3), (3, 3)]), "2|dimension"),
    (np.split, use((5,), 2), "equal|multiple"),
    (np.split, use((4,), 2, axis=1), "1"),
    (np.array_split, use((4,), 0), "0|larger"),
    (np.array_split, use((4,), -1), "-1|larger"),
    (np.array_split, use((4,), 2, axis=3), "3"),
    (np.vsplit, use((4,), 2), "2"),
    (np.hsplit, use((), 2), "1"),
    (np.fliplr, use((3,)), "2|axis 1"),
    (np.diagonal, use((3,)), "two|2"),
    (np.diagonal, use((2, 3), 0, 0, 2), "2"),
    (np.diagonal, use((2, 3), 0, 1, 1), "axis"),
    (np.diag, use((2, 2, 2)), "1|2"),
    (np.diag, use(()), "1|2"),
    (np.trace, use((3,)), "two|2"),
    (np.trace, use((2, 3), 0, 0, 5), "5"),
    (np.pad, use((3,), -1), "negative"),
    (np.pad, use((2, 3), ((1, 1), (1, 1), (1, 1))), "shape|broadcast"),
    (np.dot, use([(2, 3), (2, 3)]), "3"),
    (np.dot, use([(3,), (2,)]), "3"),
    (np.inner, use([(2, 3), (2, 2)]), "3"),
    (np.vdot, use([(3,), (2,)]), "3"),
    (np.tensordot, use([(2, 3), (2, 3)], 1), "shape|3"),
    (np.tensordot, use([(2, 3), (3, 2)], axes=(2, 0)), "2|range"),
    (np.vecdot, use([(2, 3), (2, 2)]), "3"),
    (np.einsum, Use([(2, 3), (2, 3)], first=("ij,jk->ik",)), "j|3"),
    (np.einsum, Use([(2, 3)], first=("ijk->i",)), "ijk|3|subscript"),
    (np.einsum, Use([(2, 3)], first=("ij,jk->ik",)), "operand"),
    (np.einsum, Use([(2, 3)], first=("ij->k",)), "k"),
    (np.einsum, Use([(2, 3)], first=("i?->i",)), "subscript|character"),
    (np.matrix_transpose, use((3,)), "2|1"),
    (np.tile, use((3,), -1), "negative"),
    (np.clip, use((3,), [0, 1], 1), "2|shape"),
]
# fmt: on

ROWS = [(f, domain, uses) for f, (domain, uses) in USES.items()]
every_row = pytest.mark.parametrize(
    ("f", "domain", "uses"), ROWS, ids=[f.__name__ for f, _, _ in ROWS]
)


def arrays(f: Any, domain: Domain, u: Use, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(zlib.crc32(f"{f.__name__}{u}".encode()))
    return [np.asarray(domain.draw(rng, shape), dtype) for shape in u.shapes]


def flat(y: Any) -> Any:
    """Return the elements of one result, or of several."""
    if isinstance(y, (tuple, list)):
        return np.concatenate([np.reshape(part, (-1,)) for part in y])
    return y


def test_every_composite_has_a_row() -> None:
    composed = {
        f
        for f, ours in NUMPY.items()
        if not hasattr(ours, "primitive") and not hasattr(ours, "constant")
    }
    others = " ".join(p.read_text() for p in Path(__file__).parent.glob("test_ops_*.py"))
    elsewhere = {f for f in composed if re.search(rf"\b{f.__name__}\b", others)}
    assert not composed - set(USES) - elsewhere, "functions without a row here or there"
    assert not set(USES) - composed, "rows of what is not composed"


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8"])
def test_without_a_tensor_it_is_numpys(f: Any, domain: Domain, uses: list[Use], dtype: str) -> None:
    for u in uses:
        xs = arrays(f, domain, u, dtype)
        for given in (xs, [x.tolist() for x in xs]):
            if (
                f is np.astype
                and given is not xs
                or any(0 in s for s in u.shapes)
                and given is not xs
            ):
                continue  # a list has no dtype to change, and no shape beyond an empty axis
            with np.errstate(all="ignore"):
                try:
                    expected = u(f, given)
                except (AttributeError, TypeError, ValueError, OverflowError) as error:
                    with pytest.raises(type(error)):
                        u(NUMPY[f], given)
                    continue
                same(u(NUMPY[f], given), expected, u)


def spellings(f: Any) -> list[tuple[str, Callable[..., Any]]]:
    """Return all ways to call what answers for ``f``: np.f, ag.f, and t.f where there is one."""
    name = f.__name__
    found: list[tuple[str, Callable[..., Any]]] = [(f"np.{name}", f)]
    if getattr(ag, name, None) is NUMPY[f]:
        found.append((f"ag.{name}", getattr(ag, name)))
    if hasattr(ag.Tensor, name) and hasattr(np.ndarray, name):
        found.append((f"t.{name}", lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)))
    return found


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_all_spellings_give_numpys_values(
    f: Any, domain: Domain, uses: list[Use], dtype: str
) -> None:
    for u in uses:
        xs = arrays(f, domain, u, dtype)
        expected = u(f, xs)
        for name, spelled in spellings(f):
            if name == f"t.{f.__name__}" and (u.joined or u.first or not u.shapes):
                continue
            if name.startswith("t."):
                try:
                    u(spelled, xs)
                except (
                    AttributeError,
                    TypeError,
                    ValueError,
                ):  # an array has another method, or none
                    continue
            for grad in (False, True):
                y = u(spelled, [ag.tensor(x, requires_grad=grad) for x in xs])
                parts, values = (
                    (y, expected) if isinstance(expected, (tuple, list)) else ([y], [expected])
                )
                assert len(parts) == len(values), (name, u)
                for part, value in zip(parts, values, strict=True):
                    assert type(part) is ag.Tensor, (name, u)
                    assert part.requires_grad is grad
                    same(part.detach().data, np.asarray(value), (name, u))


@every_row
def test_first_order(f: Any, domain: Domain, uses: list[Use]) -> None:
    for u in uses:
        xs = arrays(f, domain, u)
        rng = np.random.default_rng(1)
        us = [rng.uniform(-1, 1, x.shape) for x in xs]
        y = np.asarray(flat(u(f, xs)))
        v = rng.uniform(-1, 1, y.shape)
        truth = [numerical_jacobian(lambda *a: flat(u(f, a)), xs, i) for i in range(len(xs))]  # noqa: B023
        finite = np.isfinite(y)  # a border of infinities has differences of NaN
        truth = [
            np.where(finite.reshape(finite.shape + (1,) * x.ndim), t, 0) for t, x in zip(truth, xs)
        ]
        value, pullback = ag.vjp(lambda *a: flat(u(f, a)), *xs)  # noqa: B023
        close(value, y, 1e-14, u)
        pulled = pullback(v)
        for i, g in enumerate(pulled):
            assert g.dtype == np.float64
            close(g, np.tensordot(v, truth[i], v.ndim), 1e-9, (u, i))
        _, t = ag.jvp(lambda *a: flat(u(f, a)), xs, us)  # noqa: B023
        close(t, sum(np.tensordot(j, d, d.ndim) for j, d in zip(truth, us, strict=True)), 1e-9, u)
        assert dot(v, t) == pytest.approx(sum(map(dot, pulled, us)), rel=1e-10, abs=1e-10)
        leaves = [ag.tensor(x, requires_grad=True) for x in xs]
        flat(u(f, leaves)).backward(v)
        for leaf, g in zip(leaves, pulled, strict=True):
            np.testing.assert_array_equal(leaf.grad, g)
            assert leaf.grad.flags.writeable
            assert not any(np.shares_memory(leaf.grad, other) for other in (v, *xs))


@every_row
def test_one_tensor_among_arrays(f: Any, domain: Domain, uses: list[Use]) -> None:
    for u in uses:
        if len(u.shapes) < 2:
            continue
        xs = arrays(f, domain, u)
        v = np.random.default_rng(1).uniform(-1, 1, np.shape(flat(u(f, xs))))
        everything = ag.vjp(lambda *a: flat(u(f, a)), *xs)[1](v)  # noqa: B023
        for i, x in enumerate(xs):
            t = ag.tensor(x, requires_grad=True)
            flat(u(f, [*xs[:i], t, *xs[i + 1 :]])).backward(v)
            close(t.grad, everything[i], 1e-13, (u, i))


@every_row
def test_second_order(f: Any, domain: Domain, uses: list[Use]) -> None:
    for u in uses:
        xs = arrays(f, domain, u)
        y = np.asarray(flat(u(f, xs)))
        if not np.isfinite(y).all():
            continue
        rng = np.random.default_rng(2)
        w, us = rng.uniform(-1, 1, y.shape), [rng.uniform(-1, 1, x.shape) for x in xs]

        def number(*xs: Any, u: Use = u, w: Any = w) -> Any:
            y = flat(u(f, xs))
            return np.sum(w * (y + 0.5 * y * y))

        check_second_order(number, xs, us, u)


@every_row
def test_float32_stays_float32(f: Any, domain: Domain, uses: list[Use]) -> None:
    for u in uses:
        if f is np.astype:
            continue
        xs = arrays(f, domain, u, np.float32)
        leaves = [ag.tensor(x, requires_grad=True) for x in xs]
        y = flat(u(f, leaves))
        assert y.dtype == np.asarray(flat(u(f, xs))).dtype
        if y.dtype != np.float32:
            continue
        v = np.random.default_rng(1).uniform(-1, 1, y.shape).astype(np.float32)
        y.backward(v)
        exact = ag.vjp(lambda *a: flat(u(f, a)), *[x.astype(np.float64) for x in xs])[1](v)  # noqa: B023
        for leaf, g in zip(leaves, exact, strict=True):
            assert leaf.grad.dtype == np.float32
            close(leaf.grad, g, 2e-5, u)
        _, t = ag.jvp(lambda *a: flat(u(f, a)), xs, [np.ones_like(x) for x in xs])  # noqa: B023
        assert np.asarray(t).dtype == np.float32


@pytest.mark.parametrize(("f", "u", "says"), WRONG, ids=[f"{f.__name__}({u})" for f, u, _ in WRONG])
def test_wrong_arguments_raise_numpys_error(f: Any, u: Use, says: str) -> None:
    xs = arrays(f, REAL, u)
    with pytest.raises((ValueError, TypeError, IndexError)) as theirs:
        u(f, xs)
    kind = next(
        k for k in type(theirs.value).__mro__ if k.__module__ in ("builtins", "numpy.exceptions")
    )
    with pytest.raises(kind):  # in NumPy's words, which say less now and then
        u(NUMPY[f], xs)
    for given in ([ag.tensor(x) for x in xs], [ag.tensor(x, requires_grad=True) for x in xs]):
        with pytest.raises(kind, match=says):
            u(NUMPY[f], given)
    with pytest.raises(kind, match=says):
        ag.jvp(lambda *a: flat(u(f, a)), xs, xs)


# -- what a table does not say --------------------------------------------------------------------


@pytest.mark.parametrize("values", [
    [2.0, 0.0, 5.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0], [-0.0, 3.0], [0.0],
    [2.0, -3.0, 0.0, 4.0, 0.0], [[2.0, 0.0, 5.0], [0.0, 0.0, 3.0]],
])  # fmt: skip
def test_prod_is_right_with_zeros_to_second_order(values: Any) -> None:
    x = np.array(values)
    for axis in (None, *range(x.ndim)):
        truth = numerical_jacobian(lambda x: np.prod(x, axis=axis), [x], 0)  # noqa: B023
        close(ag.jacobian(lambda x: np.prod(x, axis=axis))(x), truth, 1e-9, axis)  # noqa: B023
        close(ag.jacobian(lambda x: np.prod(x, axis=axis), mode="forward")(x), truth, 1e-9, axis)  # noqa: B023
        check_second_order(lambda x: np.sum(np.prod(x, axis=axis)), [x], [np.ones(x.shape)], axis)  # noqa: B023


@pytest.mark.parametrize("p", [None, 1, 2, 3, 1.5, inf, 4])
def test_norm_has_derivative_zero_at_zero(p: Any) -> None:
    for x in (np.zeros(3), np.zeros((2, 3))):
        axis = None if x.ndim == 1 else 1
        for u in (np.ones(x.shape), np.zeros(x.shape)):
            g = ag.grad(lambda x: np.sum(np.linalg.norm(x, p, axis=axis)))(x)  # noqa: B023
            np.testing.assert_array_equal(g, 0)
            _, t = ag.jvp(lambda x: np.sum(np.linalg.norm(x, p, axis=axis)), (x,), (u,))  # noqa: B023
            assert t == 0
    x = np.array([[0.0, 0.0], [3.0, -4.0]])
    g = ag.grad(lambda x: np.sum(np.linalg.norm(x, p, axis=1)))(x)
    truth = numerical_jacobian(lambda x: np.linalg.norm(x, p), [x[1]], 0)
    close(g, [[0, 0], truth], 1e-9)


@pytest.mark.parametrize("ord", [2, -2, "nuc"])
@pytest.mark.parametrize(("axis", "keepdims"), [((0, 1), False), ((2, 0), True), ((-1, 1), False)])
def test_norms_by_singular_values(ord: Any, axis: Any, keepdims: bool) -> None:
    x = np.random.default_rng(1).normal(size=(3, 2, 4))

    def f(x: Any) -> Any:
        return np.linalg.norm(x, ord, axis, keepdims)

    same(f(ag.tensor(x)).numpy(), f(x))
    ag.check_gradients(f, x, order=2)


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap", "symmetric"])
@pytest.mark.parametrize("widths", [0, 2, 9, (1, 0), ((3, 0), (1, 7))])
def test_paddings_with_the_elements_themselves(mode: Any, widths: Any) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4))

    def f(x: Any) -> Any:
        return np.pad(x, widths, mode)

    t = ag.tensor(x, requires_grad=True)
    same(f(t).detach().numpy(), f(x))
    ag.check_gradients(f, x, order=2)


def test_norm_of_order_0_counts() -> None:
    x = ag.tensor([[0.0, 2.0, 0.0], [3.0, -1.0, 0.0]], requires_grad=True)
    assert np.linalg.norm(x, 0, axis=1).tolist() == [1, 2]
    assert np.linalg.norm(x, 0, axis=0, keepdims=True).tolist() == [[1, 2, 0]]
    g = ag.grad(lambda x: np.sum(x * np.linalg.norm(x, 0, axis=1, keepdims=True)))(x.numpy())
    np.testing.assert_array_equal(g, [[1, 1, 1], [2, 2, 2]])


@pytest.mark.parametrize("f", [np.prod, np.cumsum, np.cumprod])
def test_products_and_running_sums_in_another_dtype(f: Any) -> None:
    x = np.array([2.0, 3.0], np.float32)
    t = ag.tensor(x, requires_grad=True)
    y = f(t, 0, np.float64)
    same(y.detach().numpy(), np.asarray(f(x, 0, np.float64)))
    np.sum(y).backward()
    assert t.grad.dtype == np.float32
    np.testing.assert_array_equal(t.grad, ag.grad(lambda x: np.sum(f(x, 0)))(x))
    u = np.ones(2, np.float32)
    wide, _ = ag.jvp(lambda x: f(x, 0, np.float64), (x,), (u,))
    assert wide.dtype == np.float64


def test_a_batch_times_a_matrix_with_nothing_to_sum() -> None:
    a, b = (ag.tensor(np.ones(shape), requires_grad=True) for shape in ((5, 2, 0), (0, 3)))
    (a @ b).sum().backward()
    assert (a.grad.shape, b.grad.shape) == ((5, 2, 0), (0, 3))


def test_einsum_refuses_to_leave_out_the_ellipsis() -> None:
    for x in (np.ones((2, 3, 4)), ag.tensor(np.ones((2, 3, 4)), requires_grad=True)):
        with pytest.raises(ValueError, match="ellipsis"):
            np.einsum("...ik,...kj->ij", x, np.ones((4, 3)))


def test_clip_passes_its_edges_and_its_bounds_get_the_rest() -> None:
    x = ag.tensor([-2.0, -1.0, 0.0, 1.0, 2.0], requires_grad=True)
    low, high = (ag.tensor(v, requires_grad=True) for v in (-1.0, 1.0))
    np.clip(x, low, high).backward(np.array([1.0, 10, 100, 1000, 10000]))
    np.testing.assert_array_equal(x.grad, [0, 10, 100, 1000, 0])
    assert (low.grad, high.grad) == (1, 10000)


def test_clip_of_float32_by_numbers_stays_float32() -> None:
    x = ag.tensor([-2.0, 0.5], requires_grad=True)
    for y in (
        np.clip(x, 0.1, 0.9),
        x.clip(0.1, None),
        ag.clip(x, None, 0.9),
        np.where([True, False], x, 0.1),
    ):
        assert y.dtype == np.float32


def test_sort_of_equal_elements_keeps_them_apart() -> None:
    x = np.array([1.0, 0.0, 1.0, 0.0])
    g = ag.grad(lambda x: np.sum(np.sort(x) * np.array([1.0, 10, 100, 1000])))(x)
    np.testing.assert_array_equal(g, [100, 1, 1000, 10])


@pytest.mark.parametrize(("shape", "index"), INDICES, ids=[f"{s}{i}" for s, i in INDICES])
def test_brackets_are_getitem(shape: Shape, index: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    t = ag.tensor(x, requires_grad=True)
    for y in (t[index], ag.getitem(t, index)):
        same(y.detach().data, np.asarray(x[index]), index)
    t[index].sum().backward()
    close(t.grad, numerical_jacobian(lambda x: np.sum(x[index]), [x], 0))
    check_second_order(lambda t: np.sum(t[index] ** 3), [x], [np.ones(shape)], index)


@pytest.mark.parametrize("index", [5, -4, (0, 0, 0), "a", 1.0, (slice(None), 7), np.array([9])])
def test_wrong_indices_raise_numpys_error(index: Any) -> None:
    x = np.zeros((3, 2))
    with pytest.raises(IndexError) as theirs:
        x[index]
    with pytest.raises(IndexError, match=str(theirs.value)[:20].replace("(", r"\(")):
        ag.tensor(x, requires_grad=True)[index]


def test_indices_may_be_tensors() -> None:
    t = ag.tensor([1.0, 2.0, 3.0], requires_grad=True)
    i, mask = ag.tensor([2, 0, 0]), ag.tensor([True, False, True])
    (t[i].sum() + 10 * t[mask].sum() + 100 * np.take(t, i).sum()).backward()
    np.testing.assert_array_equal(t.grad, [212, 0, 111])


def test_integer_results_leave_the_graph_and_say_nothing() -> None:
    t = ag.tensor([1.5, 2.5], requires_grad=True)
    for y in (ag.astype(t, int), np.argsort(t), np.argmax(t), t > 2, np.round(t), np.sign(t)):
        assert not isinstance(y, ag.Tensor) or not y.requires_grad
