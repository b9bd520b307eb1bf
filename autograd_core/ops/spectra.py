"""Eigenvalues and singular values of matrices, batched over the leading axes, and their vectors.

A decomposition is one primitive, whose results lie side by side in one array; the function that
people call takes them apart. So it is computed once, and its rule is written once.

Vectors that belong to equal eigenvalues or singular values are any basis of their space and have no
derivative. What depends on the values alone (``eigvalsh``, ``svdvals``), or on the space alone, has a
finite gradient; the rest is an error (:mod:`gaps` says why).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import NotDifferentiableError, message
from ..primitive import composite, declare
from .factorizations import as_symmetric, diagonals, halved, on_diagonal, shaped
from .gaps import entangled, finite, nonzero, over, separated
from .indexing import getitem
from .shaping import matrix_transpose

__all__ = ["eigh", "eigvalsh", "svd", "svdvals"]


class EighResult(NamedTuple):
    """What ``eigh`` returns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """What ``svd`` returns."""

    U: Any
    S: Any
    Vh: Any


def _joint(x: Any, g: Any, alone: bool) -> Any:
    """Say of each pair of vectors, with gradient x, whether it came with the gradient g of their values."""
    g = np.ones_like(g) if alone else g
    return entangled(np.maximum(abs(x), abs(x.mT)), np.expand_dims(g, -1), np.expand_dims(g, -2))


def _off(x: Any) -> Any:
    """Return matrices with zeros on the diagonal."""
    return x * (1 - np.eye(x.shape[-1], dtype=x.dtype))


# -- symmetric eigenvalues -------------------------------------------------------------------------


def _eigh(a: Any, *, uplo: Any = "L", alone: bool = False) -> Any:
    """Return the eigenvalues as a row above the eigenvectors, which are columns.

    ``alone``: the vectors go with values that come from another call.
    """
    w, v = np.linalg.eigh(halved(a), uplo)  # LAPACK's signs differ by triangle
    return np.concatenate([np.expand_dims(w, -2), v], axis=-2)


def _eigh_rule(g: Any, y: Any, a: Any, *, uplo: str = "L", alone: bool = False) -> Any:
    w, v, gw = y[..., 0, :], y[..., 1:, :], g[..., 0, :]
    x = v.mT @ g[..., 1:, :]
    turned = over((x - x.mT) * 0.5, separated(w), x, _joint(x, gw, alone), w)
    return v @ (turned + on_diagonal(gw)) @ v.mT


def _eigh_push(t: Any, y: Any, a: Any, *, uplo: str = "L", alone: bool = False) -> Any:
    w, v = y[..., 0, :], y[..., 1:, :]
    x = v.mT @ halved(t) @ v
    turned = v @ over(_off(x), separated(w), x, 0 * x, w)
    return np.concatenate([np.expand_dims(diagonals(x), -2), turned], axis=-2)


_eigh_op = declare(_eigh, (_eigh_rule,), saves="y", name="eigh").defjvp(_eigh_push)


def _eigvalsh(a: Any) -> Any:
    return np.linalg.eigvalsh(halved(a))


def _eigvalsh_rule(g: Any, y: Any, a: Any) -> Any:
    v = _eigh_op(a, alone=True)[..., 1:, :]
    return (v * np.expand_dims(finite(g, of="eigvalsh"), -2)) @ v.mT


def _eigvalsh_push(t: Any, y: Any, a: Any) -> Any:
    v = _eigh_op(a, alone=True)[..., 1:, :]
    return np.sum(v * (halved(t) @ v), axis=-2)


_eigvalsh_op = declare(_eigvalsh, (_eigvalsh_rule,), saves="a", name="eigvalsh").defjvp(_eigvalsh_push)


@composite(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix A = V diag(w) V^T.

    ``dw_i = v_i . dA v_i`` and ``dv_j = sum_i v_i (v_i . dA v_j) / (w_j - w_i)``. One triangle of A
    is read; A_bar is symmetric.

    Raises:
        LinAlgError: in the rule, where eigenvalues are equal to rounding and the loss depends on the
            basis of their space, or on values and vectors of it together, as ``V f(w) V^T`` does. A
            projector ``V V^T`` onto the whole space, and the values alone, have their gradient. Forward
            mode knows no loss: it refuses a tangent that turns the basis.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.eigh(a).eigenvalues[1])(np.diag([1.0, 3.0])).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    uplo = UPLO.upper()
    if uplo not in ("L", "U"):
        raise ValueError(message("eigh", f"UPLO={UPLO!r}", "'L' or 'U'"))
    y = _eigh_op(as_symmetric(a, "eigh", uplo), uplo=uplo)
    return EighResult(getitem(y, (..., 0, slice(None))), getitem(y, (..., slice(1, None), slice(None))))


@composite(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of a symmetric matrix, ascending: ``A_bar = V diag(w_bar) V^T``, finite everywhere.

    A second derivative needs the eigenvectors' first: it raises LinAlgError where eigenvalues that the
    loss reads are equal.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: np.sum(ag.eigvalsh(a) ** 2))(np.eye(2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    uplo = UPLO.upper()
    if uplo not in ("L", "U"):
        raise ValueError(message("eigvalsh", f"UPLO={UPLO!r}", "'L' or 'U'"))
    return _eigvalsh_op(as_symmetric(a, "eigvalsh", uplo))


# -- singular values -------------------------------------------------------------------------------


def _svd(a: Any, *, alone: bool = False) -> Any:
    """Return a row (u_i, s_i, v_i) for each value; ``alone``: beside values that come from another call."""
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u.mT, np.expand_dims(s, -1), vt], axis=-1)


def _outside(x: Any, basis: Any, s: Any, joint: Any) -> Any:
    """Return rows without their part in the space of a basis, divided by their singular values."""
    return over(x - x @ basis.mT @ basis, nonzero(s), x, joint, s, of="svd")


def _svd_rule(g: Any, y: Any, a: Any, *, alone: bool = False) -> Any:
    """Turn u and v together, by the gaps s_j - s_i, and against each other, by the sums s_j + s_i."""
    m, n = a.shape[-2:]
    ut, s, vt = y[..., :m], y[..., m], y[..., m + 1 :]
    gut, gs, gvt = g[..., :m], g[..., m], g[..., m + 1 :]
    x, z = ut @ gut.mT, vt @ gvt.mT
    p, q, size = (x - x.mT) * 0.5, (z - z.mT) * 0.5, np.maximum(abs(x), abs(z))
    joint = _joint(size, gs, alone)
    turned = over(p + q, separated(s), size, joint, s, of="svd")
    turned = turned + over(p - q, separated(s, 1), size, joint, s, of="svd")
    out = ut.mT @ (turned + on_diagonal(gs)) @ vt
    column = np.expand_dims(gs, -1)
    if m > n:
        out = out + _outside(gut, ut, s, entangled(gut, column, 0 * column)).mT @ vt
    if n > m:
        out = out + ut.mT @ _outside(gvt, vt, s, entangled(gvt, column, 0 * column))
    return out


def _svd_push(t: Any, y: Any, a: Any, *, alone: bool = False) -> Any:
    m, n = a.shape[-2:]
    ut, s, vt = y[..., :m], y[..., m], y[..., m + 1 :]
    x = ut @ t @ vt.mT
    together = over(_off(x + x.mT) * 0.5, separated(s), x, 0 * x, s, of="svd")
    against = over((x - x.mT) * 0.5, separated(s, 1), x, 0 * x, s, of="svd")
    tut, tvt = (together + against).mT @ ut, (together - against).mT @ vt
    if m > n:
        side = vt @ t.mT
        tut = tut + _outside(side, ut, s, 0 * side)
    if n > m:
        side = ut @ t
        tvt = tvt + _outside(side, vt, s, 0 * side)
    return np.concatenate([tut, np.expand_dims(diagonals(x), -1), tvt], axis=-1)


svd_rows = declare(_svd, (_svd_rule,), saves="y", name="svd",
                   doc="Singular value decomposition, a row (u_i, s_i, v_i) for each value.")  # fmt: skip
svd_rows.defjvp(_svd_push)


def _svdvals(a: Any) -> Any:
    return np.linalg.svdvals(a)


def _parts(a: Any) -> Any:
    """Return the singular vectors of ``a``, both as rows."""
    rows, m = svd_rows(a, alone=True), a.shape[-2]
    return rows[..., :m], rows[..., m + 1 :]


def _svdvals_rule(g: Any, y: Any, a: Any) -> Any:
    ut, vt = _parts(a)
    return ut.mT @ (np.expand_dims(finite(g, of="svdvals"), -1) * vt)


def _svdvals_push(t: Any, y: Any, a: Any) -> Any:
    ut, vt = _parts(a)
    return np.sum(ut @ t * vt, axis=-1)


_svdvals_op = declare(_svdvals, (_svdvals_rule,), saves="a", name="svdvals").defjvp(_svdvals_push)


@composite(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition A = U diag(S) Vh, singular values descending.

    ``dS_i = u_i . dA v_i``, so ``A_bar = U diag(S_bar) Vh`` where only values matter; the vectors
    turn by ``1 / (s_j - s_i)`` together, by ``1 / (s_j + s_i)`` against each other and, in a matrix
    that is not square, by ``1 / s_i``. What depends on a vector where these are infinite raises
    LinAlgError in the rule, as in ``eigh``; what does not is finite, as the polar factor ``U Vh``.
    A matrix that is not square needs ``full_matrices=False``: the vectors that complete the basis
    have no derivative.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: ag.svd(a).S[0])(np.diag([3.0, 1.0])).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    a = as_symmetric(a, "svd") if hermitian else shaped(a)
    if compute_uv and full_matrices and a.ndim > 1 and a.shape[-1] != a.shape[-2]:
        raise NotDifferentiableError(message("svd", f"full_matrices=True and shape {a.shape}",
                                             "a square matrix", "full_matrices=False"))  # fmt: skip
    if not compute_uv:
        return _svdvals_op(a)
    y, m = svd_rows(a), a.shape[-2]
    s = getitem(y, (..., m))
    ut, vt = getitem(y, (..., slice(0, m))), getitem(y, (..., slice(m + 1, None)))
    return SVDResult(matrix_transpose(ut), s, vt)


@composite(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """Singular values, descending: ``A_bar = U diag(s_bar) Vh``, finite everywhere.

    At equal values, and at 0, it is the element of the subdifferential that belongs to LAPACK's vectors.
    A second derivative there raises LinAlgError.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: np.sum(ag.svdvals(a)))(np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return svd(x, compute_uv=False)
