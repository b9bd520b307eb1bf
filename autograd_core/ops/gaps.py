"""Division by differences of eigenvalues or singular values, where some are equal.

The derivative of an eigenvector divides by the gaps ``w_j - w_i``. Where a gap is zero to rounding
the quotient is 0 if the loss does not turn with the basis of the space that belongs to the equal
values (a projector onto it, a sum over it), and has no finite value otherwise: then it is an error,
never inf or nan.

One thing is out of reach of the chain rule. ``V f(w) V^T`` has a derivative at equal eigenvalues too,
``f'(w)`` in place of the quotient ``(f(w_j) - f(w_i)) / (w_j - w_i)``; but what arrives from above at
that point, ``f'(w_i)`` on the diagonal and 0 beside it, does not hold it. A gradient that comes through
values and vectors of one space is therefore refused as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import message
from ..primitive import constant, declare, kernel, linear

__all__ = ["entangled", "finite", "nonzero", "over", "separated", "unread"]

EQUAL = 10  # times eps * sum |w|: LAPACK's eigenvalues err by a few eps * max |w|
ZERO = 0.75  # eps^0.75 of the largest coefficient: far above rounding, far below a real dependence


@kernel
def _unequal(w: Any, *, sign: int) -> Any:
    """Tell which ``w_j + sign w_i`` are not zero to rounding."""
    size = EQUAL * np.finfo(w.dtype).eps * np.sum(np.abs(w), axis=-1)
    return ~(np.abs(w[..., None, :] + sign * w[..., :, None]) <= size[..., None, None])


@kernel
def _entangled(x: Any, gi: Any, gj: Any) -> Any:
    """Tell where a lost quotient may have a part that only values and vectors together would tell.

    ``x`` is the gradient of the vectors, ``gi`` and ``gj`` those of the two values: a multiple of the
    identity beside vectors that are not read, and values that are not read, hide nothing.
    """
    x, both = np.abs(x), np.maximum(np.abs(gi), np.abs(gj))
    uneven = np.abs(gi - gj) > _rounding(both)
    return (x > _rounding(x)) & (both > 0) | uneven & (_rounding(x) > 0)


_apart, entangled = constant(_unequal), constant(_entangled)


def _rounding(x: Any) -> Any:
    """Return what is zero to rounding among the numbers of each matrix."""
    eps = np.finfo(np.result_type(x, np.float32)).eps
    return eps**ZERO * np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0)


def separated(w: Any, sign: int = -1) -> Any:
    """Return ``w_j + sign w_i``, exactly 0 where that is rounding, and infinite at i = j."""
    d = np.expand_dims(w, -2) + sign * np.expand_dims(w, -1)
    return np.where(np.eye(w.shape[-1], dtype=bool), math.inf, np.where(_apart(w, sign=sign), d, 0.0))


def nonzero(w: Any) -> Any:
    """Return singular values as a column, exactly 0 where that is rounding."""
    own = np.diagonal(_apart(w, sign=1), axis1=-2, axis2=-1)
    return np.expand_dims(np.where(own, w, 0.0), -1)


@kernel
def _over(c: Any, d: Any, x: Any, joint: Any, w: Any, *, of: str = "eigh") -> Any:
    """Return c / d, and 0 where both are zero: c to the rounding of the terms x that it is made of."""
    lost = np.equal(d, 0)
    if lost.any():
        turns, both = lost & (np.abs(c) > _rounding(x)), lost & np.not_equal(joint, 0)
        if turns.any():
            raise _refusal(of, w, turns, "a gradient or tangent that depends on the basis of their space",
                           "a loss that does not, or equal values kept apart (A + 1e-6 * noise)")  # fmt: skip
        if both.any():
            values = "eigvalsh" if of == "eigh" else "svdvals"
            raise _refusal(of, w, both, "a gradient through values and vectors of their space, which "
                           "does not hold the derivative",
                           f"{values} for a function of values, expm, inv or matrix_power for one of the "
                           "whole matrix, or no values in the loss")  # fmt: skip
    return np.where(lost, 0 * c, c) / np.where(lost, 1, d)  # nan stays


@kernel
def _unread(bad: Any, g: Any, *, of: str, got: str, hint: str) -> Any:
    """Tell which matrices to replace: those that have no derivative, but no gradient either."""
    read = np.any(g != 0, axis=(-2, -1))
    if (bad & read).any():
        raise np.linalg.LinAlgError(message(of, got, "a derivative that is finite", hint))
    return np.array(bad)[..., None, None]  # no view: a view would be taken once, and nothing checked again


@kernel
def _finite(g: Any, *, of: str) -> Any:
    if np.isinf(g).any():
        raise np.linalg.LinAlgError(message(of, "an infinite gradient of a value that is 0",
                                            "a finite one", "a loss that does not divide by it"))  # fmt: skip
    return g


unread = constant(_unread)
finite: Any = linear(_finite, lambda g, y, x, *, of: finite(g, of=of), name="finite",
                doc="The same numbers; infinity, that would be nan beside 0 in a product, is an error.")


def _refusal(of: str, w: Any, where: Any, got: str, hint: str) -> Exception:
    *batch, i, j = (int(k) for k in np.argwhere(where)[0])
    values = np.broadcast_to(w, (*np.shape(where)[:-2], np.shape(w)[-1]))[tuple(batch)]
    kind = "eigenvalues" if of == "eigh" else "singular values"
    place = f" of matrix {tuple(batch)}" if batch else ""
    pair = f"{values[i]:.6g} and {values[j]:.6g}" if j < len(values) else f"{values[i]:.6g}"
    return np.linalg.LinAlgError(message(of, f"{kind} {pair}{place}, equal or zero to rounding, and {got}",
                                         "vectors that are defined", hint))  # fmt: skip


over: Any = declare(
    _over,
    (lambda g, y, c, d, x, joint, w, *, of="eigh": over(g, d, g, 0 * joint, w, of=of),
     lambda g, y, c, d, x, joint, w, *, of="eigh": over(-g * y, d, g, 0 * joint, w, of=of), None, None, None),
    saves=("d joint w", "y d joint w", "", "", ""), name="over_gaps",
    doc="Quotient c / d, in which 0 / 0 is 0 and anything else over 0 an error: of coefficients and gaps.",
)  # fmt: skip
over.defjvp(*over.primitive.rules)
