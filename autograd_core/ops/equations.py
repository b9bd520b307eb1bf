"""Linear equations and what belongs to them: solutions, inverses, least squares, determinants.

Batched over the leading axes. A gradient costs about as much as the function: it asks for one more
solution, with the transposed matrix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..ducks import duck
from ..errors import message
from ..node import has_box, strip
from ..primitive import composite, declare, kernel
from .elementwise import square, subtract
from .factorizations import as_symmetric, matrices, shaped
from .gaps import unread
from .indexing import getitem
from .laying import tril, triu
from .products import matmul
from .shaping import expand_dims, matrix_transpose
from .spectra import svd_rows, svdvals

__all__ = ["det", "inv", "lstsq", "pinv", "slogdet", "solve", "solve_triangular"]


def _solve_rules(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        u = np.linalg.solve(a.mT, np.expand_dims(g, -1))
        return -u * np.expand_dims(y, -2), u[..., 0]
    u = np.linalg.solve(a.mT, g)
    return -(u @ y.mT), u


def _solve_push(ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if b.ndim == 1:
        tb = tb if tb is None else np.expand_dims(tb, -1)
        y = np.expand_dims(y, -1)
    r = tb if ta is None else -(ta @ y) if tb is None else tb - ta @ y
    x = np.linalg.solve(a, r)
    return x[..., 0] if b.ndim == 1 else x


def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b)


solve = declare(
    _solve, joint=_solve_rules, saves="y a", numpy=(np.linalg.solve,),
    doc="""Solution of A x = b: ``b_bar = A^-T x_bar`` and ``A_bar = -b_bar x^T``.

    ``b`` of one axis is a vector; of more, a matrix or a stack of matrices, whose columns are solved for.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.solve(a, np.array([2.0, 4.0])).sum())(np.diag([1.0, 2.0])).tolist()
    [[-2.0, -2.0], [-1.0, -1.0]]
    """,
).defjvp(joint=_solve_push)  # fmt: skip


def _inv(a: Any) -> Any:
    return np.linalg.inv(a)


inv = declare(
    _inv, (lambda g, y, a: -(y.mT @ g @ y.mT),), saves="y", numpy=(np.linalg.inv,),
    doc="""Inverse of a matrix: ``A_bar = -Y^T Y_bar Y^T``. To solve equations, ``solve`` is better.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.inv(a)[0, 0])(np.array([[2.0, 0.0], [0.0, 1.0]])).tolist()
    [[-0.25, -0.0], [-0.0, -0.0]]
    """,
).defjvp(lambda t, y, a: -(y @ t @ y))  # fmt: skip


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """Solution of A x = b, of which one triangle is read: SciPy's function of that name.

    ``trans`` 1 or "T" solves with A^T; ``unit_diagonal`` takes the diagonal as ones. The other
    triangle has gradient 0.

    >>> import numpy as np, autograd_core as ag
    >>> a, b = np.array([[2.0, 9.0], [1.0, 1.0]]), np.array([2.0, 3.0])
    >>> ag.solve_triangular(a, b, lower=True).tolist()
    [1.0, 2.0]
    """
    a = matrices(a, "solve_triangular")
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(message("solve_triangular", f"trans={trans!r}", "0, 1, 'N' or 'T'"))
    if unit_diagonal:
        a = (tril(a, -1) if lower else triu(a, 1)) + np.eye(a.shape[-1], dtype=a.dtype)
    else:
        a = tril(a) if lower else triu(a)
    return solve(a if trans in (0, "N") else matrix_transpose(a), b)


def _pinv(a: Any, *, rcond: Any) -> Any:
    return np.linalg.pinv(a, rcond)


def _pinv_rule(g: Any, y: Any, a: Any, *, rcond: Any) -> Any:
    left, right = g.mT @ y @ y.mT, y.mT @ y @ g.mT
    return left - a @ (y @ left) + right - (right @ y) @ a - y.mT @ g @ y.mT


def _pinv_push(t: Any, y: Any, a: Any, *, rcond: Any) -> Any:
    left, right = y @ y.mT @ t.mT, t.mT @ y.mT @ y
    return left - (left @ a) @ y + right - y @ (a @ right) - y @ t @ y


_pinv_op = declare(_pinv, (_pinv_rule,), saves="y a", name="pinv").defjvp(_pinv_push)


@composite(np.linalg.pinv)
def pinv(
    a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue
) -> Any:  # fmt: skip
    """Pseudo-inverse Y of a matrix, whose rank is taken not to change.

    ``dY = -Y dA Y + Y Y^T dA^T (I - A Y) + (I - Y A) dA^T Y^T Y`` (Golub and Pereyra, 1973), which
    divides by no difference of singular values.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.pinv(a).sum())(np.array([[2.0], [0.0]])).tolist()
    [[-0.25], [0.25]]
    """
    a = shaped(a)
    if rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol
        if rcond is None:
            rcond = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps)
    elif rtol is not np._NoValue:
        raise ValueError(message("pinv", "rtol= and rcond=", "one of them"))
    return _pinv_op(as_symmetric(a, "pinv") if hermitian else a, rcond=rcond)


@kernel
def _lstsq(a: Any, b: Any, *, rcond: Any) -> Any:
    return np.linalg.lstsq(a, b, rcond=rcond)[0]


def _lstsq_rules(g: Any, y: Any, a: Any, b: Any, *, rcond: Any) -> Any:
    p = _pinv_op(a, rcond=rcond)
    u = p.mT @ g  # the gradient of b
    free = (g - a.mT @ u) @ (p.mT @ y).mT  # of the directions that A does not see
    return (b - a @ y) @ (p @ u).mT + free.mT - u @ y.mT, u


def _lstsq_push(ts: Any, y: Any, a: Any, b: Any, *, rcond: Any) -> Any:
    ta, tb = ts
    p = _pinv_op(a, rcond=rcond)
    if ta is None:
        return p @ tb
    w, v = ta.mT @ (b - a @ y), ta.mT @ (p.mT @ y)
    r = -(ta @ y) if tb is None else tb - ta @ y
    return p @ r + p @ (p.mT @ w) + v - p @ (a @ v)


_lstsq_op = declare(_lstsq, joint=_lstsq_rules, saves="y a b", name="lstsq").defjvp(joint=_lstsq_push)


@composite(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """Shortest x that minimises ``||A x - b||``, with the squares left over, rank and singular values.

    ``b_bar = Y^T x_bar`` with Y the pseudo-inverse of A, and ``A_bar = -b_bar x^T + r (Y b_bar)^T``
    with ``r = b - A x``, if A has full column rank; the rank is taken not to change.

    >>> import numpy as np, autograd_core as ag
    >>> a = np.array([[1.0], [1.0]])
    >>> ag.grad(lambda b: ag.lstsq(a, b)[0][0])(np.array([1.0, 3.0])).round(12).tolist()
    [0.5, 0.5]
    """
    a, b = shaped(a), shaped(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise np.linalg.LinAlgError(message("lstsq", f"shapes {a.shape} and {b.shape}",
                                            "(m, n) and (m,) or (m, k)"))  # fmt: skip
    if rcond is None:
        rcond = max(a.shape) * float(np.finfo(np.result_type(a.dtype, b.dtype, np.float32)).eps)
    right = expand_dims(b, 1) if b.ndim == 1 else b
    x = _lstsq_op(a, right, rcond=rcond)
    if has_box(a):
        s = svdvals(a)
        values = strip(s)
        rank = np.intc(np.sum(values > rcond * values.max(initial=0)))
    else:
        given = strip(b)  # of which rank and s do not depend, if its values are not known
        given = given if duck((given,)) is None else np.zeros(b.shape, b.dtype)
        rank, s = np.linalg.lstsq(a, given, rcond)[2:]
    if rank == a.shape[1] < a.shape[0]:
        residuals = np.sum(square(subtract(right, matmul(a, x))), axis=0)
    else:
        residuals = np.zeros(0, x.dtype)
    return getitem(x, (slice(None), 0)) if b.ndim == 1 else x, residuals, rank, s


# -- determinants ----------------------------------------------------------------------------------


@kernel
def _cofactors(a: Any) -> Any:
    """Return the cofactors: det(A) A^-T, but where A is nearly singular by its singular values.

    With A = U S V^T they are det(U V) U P V^T, where P_i is the product of all S_k but S_i.
    """
    n = a.shape[-1]
    with np.errstate(all="ignore"):
        try:
            inverse, d = np.linalg.inv(a), np.linalg.det(a)
            size = np.abs(a).sum((-2, -1)) * np.abs(inverse).sum((-2, -1))
            limit = n * n * np.finfo(d.dtype).eps ** -0.25
            if (size < limit).all() and (np.abs(d) > np.finfo(d.dtype).tiny).all():
                return d[..., None, None] * inverse.mT
        except np.linalg.LinAlgError:
            pass
    u, s, vt = np.linalg.svd(a)
    p = np.prod(np.where(np.eye(n, dtype=bool), 1, s[..., None, :]), axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return np.round(sign)[..., None, None] * (u * p[..., None, :]) @ vt


def _cofactors_rule(g: Any, y: Any, a: Any) -> Any:
    """Turn into the basis of singular vectors, where a pair (i, j) has the product of all others.

    The derivative is symmetric (it is the Hessian of the determinant), so it serves both modes.
    """
    n = a.shape[-1]
    rows = svd_rows(a)
    ut, s, vt = rows[..., :n], rows[..., n], rows[..., n + 1 :]
    eye = np.eye(n, dtype=bool)
    left_out = np.expand_dims(eye, 1) | np.expand_dims(eye, 0)
    p = np.prod(np.where(left_out, 1.0, np.expand_dims(s, (-2, -3))), axis=-1)
    p = p * (1 - np.eye(n, dtype=g.dtype))
    x = ut @ g @ vt.mT
    trace = p @ np.expand_dims(np.diagonal(x, axis1=-2, axis2=-1), -1)
    sign = np.sign(np.linalg.det(ut)) * np.sign(np.linalg.det(vt))
    inner = trace * np.eye(n, dtype=g.dtype) - p * x.mT
    return np.expand_dims(sign, (-1, -2)) * (ut.mT @ inner @ vt)


_cofactors_op = declare(
    _cofactors, (_cofactors_rule,), saves="a", name="cofactors",
    doc="Cofactors of a matrix, the gradient of its determinant; finite where that is 0.",
).defjvp(_cofactors_rule)  # fmt: skip


def _det(a: Any) -> Any:
    return np.linalg.det(a)


det = declare(
    _det, (lambda g, y, a: np.expand_dims(g, (-1, -2)) * _cofactors_op(a),), saves="a",
    numpy=(np.linalg.det,),
    doc="""Determinant: ``A_bar = det_bar C``, C the cofactors of A; finite also where det A is 0.

    Third derivatives raise LinAlgError where singular values are equal. Of large matrices ``slogdet``
    neither overflows nor underflows.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(ag.det)(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12).tolist()
    [[4.0, -2.0], [-2.0, 1.0]]
    """,
).defjvp(lambda t, y, a: np.sum(_cofactors_op(a) * t, axis=(-2, -1)))  # fmt: skip


class SlogdetResult(NamedTuple):
    """What ``slogdet`` returns."""

    sign: Any
    logabsdet: Any


def _slogdet(a: Any) -> Any:
    """Return the sign and the logarithm along a new last axis."""
    return np.stack(np.linalg.slogdet(a), axis=-1)


def _log_slope(g: Any, y: Any, a: Any) -> Any:
    """Return A^-T; of a singular matrix that nobody asks for, the identity."""
    skip = unread(y[..., 0] == 0, g, of="slogdet", got="a singular matrix, of which the logarithm is -inf",
                  hint="det, or A + a small multiple of the identity")  # fmt: skip
    return inv(np.where(skip, np.eye(a.shape[-1], dtype=a.dtype), a)).mT


def _slogdet_rule(g: Any, y: Any, a: Any) -> Any:
    g = np.expand_dims(g[..., 1], (-1, -2))
    return g * _log_slope(g, y, a)


def _slogdet_push(t: Any, y: Any, a: Any) -> Any:
    x = np.sum(_log_slope(t, y, a) * t, axis=(-2, -1))
    return np.stack([x * 0, x], axis=-1)


_slogdet_op = declare(_slogdet, (_slogdet_rule,), saves="y a", name="slogdet").defjvp(_slogdet_push)


@composite(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """Sign of the determinant, and the logarithm of its size: ``A_bar = logabsdet_bar A^-T``.

    The sign has derivative 0. Where A is singular the logarithm is -inf and has no derivative: its rule
    raises LinAlgError, unless the gradient there is 0 (other matrices of a stack are not disturbed).

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.slogdet(a).logabsdet)(np.diag([2.0, 4.0])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    y = _slogdet_op(a)
    return SlogdetResult(getitem(y, (..., 0)), getitem(y, (..., 1)))
