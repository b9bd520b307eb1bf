"""The exponential of a matrix, and its derivatives.

With a number eps whose square is 0,

    exp(A + eps M) = exp(A) + eps L(A, M),

so the derivative L(A, M) of e^A along M comes from the products that e^A comes from, made with A + eps M. The
adjoint of L(A, .) is L(A^T, .). A derivative of L is one of a matrix of blocks, as L is such a block itself:

    exp [A  M] = [e^A  L(A, M)]
        [0  A]   [0    e^A    ]

How often a matrix is halved depends on its values, so e^A and L(A, M) are one call each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import declare, kernel
from .factorizations import matrices

__all__ = ["expm"]

PADE = [  # of e^x, divided by the first: Higham, "The scaling and squaring method ...", 2005
    c / 64764752532480000 for c in (
        64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
        10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1)
]  # fmt: skip

# -- by scaling and squaring -----------------------------------------------------------------------


def _series(a: Any, x: Any, one: Any, times: Any, over: Any) -> Any:
    """Return e^x, x being a or made of it, given the product and the quotient of such."""
    size = float(np.abs(a).sum(axis=-2).max(initial=0))
    halvings = max(0, math.ceil(math.log2(size / 5.37))) if 0 < size < math.inf else 0
    x = x * 0.5**halvings
    x2 = times(x, x)
    x4 = times(x2, x2)
    x6 = times(x2, x4)
    c = PADE
    odd = times(x6, c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2
    odd = times(x, odd + c[1] * one)
    even = times(x6, c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2
    even = even + c[0] * one
    y = over(even - odd, even + odd)
    for _ in range(halvings):
        y = times(y, y)
    return y


def _times(p: Any, q: Any) -> Any:
    """(A + eps M)(B + eps N) = A B + eps (A N + M B)."""
    y = np.matmul(p[0], q)
    y[1] += np.matmul(p[1], q[0])
    return y


def _over(p: Any, q: Any) -> Any:
    """(A + eps M)^-1 (B + eps N) = Y + eps A^-1 (N - M Y), with Y = A^-1 B."""
    y = np.linalg.solve(p[0], q[0])
    return np.stack([y, np.linalg.solve(p[0], q[1] - np.matmul(p[1], y))])


@kernel
def _exponential(a: Any) -> Any:
    return _series(a, a, np.eye(a.shape[-1], dtype=a.dtype), np.matmul, np.linalg.solve)


@kernel
def _along(a: Any, m: Any) -> Any:
    one = np.zeros((2, *[1] * (a.ndim - 2), *a.shape[-2:]), a.dtype)
    one[0] = np.eye(a.shape[-1])
    return _series(a, np.stack([a, m]), one, _times, _over)[1]


# -- as operations ---------------------------------------------------------------------------------


def _blocks(a: Any, b: Any) -> Any:
    """Return [[a, b], [0, a]]."""
    upper = np.concatenate([a, b], axis=-1)
    return np.concatenate([upper, np.concatenate([np.zeros_like(a), a], axis=-1)], axis=-2)


def _twice(a: Any, m: Any, t: Any) -> Any:
    """Return the second derivative of e^a along m and t."""
    n = a.shape[-1]
    return derivative(_blocks(a, t), _blocks(m, np.zeros_like(m)))[..., :n, n:]


derivative: Any = declare(
    _along,
    (lambda h, y, a, m: _twice(a.mT, m.mT, h), lambda h, y, a, m: derivative(a.mT, h)),
    saves=("a m", "a"), name="expm_derivative",
    doc="L(A, M), the derivative of e^A along M: its adjoint is L(A^T, .).",
)  # fmt: skip
derivative.defjvp(lambda t, y, a, m: _twice(a, m, t), lambda t, y, a, m: derivative(a, t))

_expm_op = declare(
    _exponential, (lambda g, y, a: derivative(a.mT, g),), saves="a", name="expm",
    doc="e^A: A_bar = L(A^T, g), with the derivative L(A, M) of e^A along M.",
)  # fmt: skip
_expm_op.defjvp(lambda t, y, a: derivative(a, t))


def expm(a: Any) -> Any:
    """Exponential of a matrix, ``I + A + A^2/2 + ...``, by scaling and squaring; SciPy's of that name.

    ``A_bar = L(A^T, g)``, where L(A, M) is the derivative of e^A along M, computed beside e^A. [Al-Mohy and
    Higham, Computing the Fréchet derivative of the matrix exponential, 2009]

    >>> import numpy as np, autograd_core as ag
    >>> ag.expm(np.array([[0.0, 1.0], [0.0, 0.0]])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    >>> ag.grad(lambda a: ag.expm(a)[0, 1])(np.zeros((2, 2))).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    a = matrices(a, "expm")
    return _expm_op(a if a.dtype.kind == "f" else a.astype(float))
