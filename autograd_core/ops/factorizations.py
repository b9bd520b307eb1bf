"""Factorizations of matrices, batched over the leading axes: Cholesky, QR, eigenvalues, SVD.

A factorization with several results is one primitive, whose results lie side by side in one array;
the function that people call takes them apart. So it is computed once, and its rule is written once.

``cholesky`` and ``eigh`` read one triangle, as NumPy's do, and their gradient is that of a
symmetric matrix: symmetric itself, as PyTorch's. Vectors that belong to equal eigenvalues or
singular values are any basis of their space and have no derivative: what depends on them gets inf
or nan there. What depends on the values alone has a finite gradient everywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import NotDifferentiableError, message
from ..node import strip
from ..primitive import composite, declare
from .elementwise import add
from .indexing import getitem
from .products import matmul
from .shaping import concatenate, matrix_transpose

__all__ = ["cholesky", "eigh", "eigvalsh", "qr", "svd", "svdvals"]


class EighResult(NamedTuple):
    """What ``eigh`` returns."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """What ``qr`` returns."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """What ``svd`` returns."""

    U: Any
    S: Any
    Vh: Any


# -- parts of the rules ----------------------------------------------------------------------------


def _halved(x: Any) -> Any:
    """Return the symmetric part of a matrix."""
    return (x + x.mT) * 0.5


def _mirrored(x: Any) -> Any:
    """Return the lower triangle of a matrix in both triangles."""
    return np.tril(x) + np.tril(x, -1).mT


def _over(x: Any, d: Any) -> Any:
    """Return x / d, in which 0 / 0 is 0."""
    return x / (d + ((d == 0) & (x == 0)))


def _on_diagonal(x: Any) -> Any:
    """Return vectors as diagonal matrices."""
    return np.expand_dims(x, -1) * np.eye(x.shape[-1], dtype=x.dtype)


def _diagonal(x: Any) -> Any:
    return np.diagonal(x, axis1=-2, axis2=-1)


def _off(x: Any) -> Any:
    """Return matrices with zeros on the diagonal."""
    return x * (1 - np.eye(x.shape[-1], dtype=x.dtype))


def shaped(x: Any) -> Any:
    """Return ``x``, an array if it was a list."""
    return x if hasattr(x, "shape") else np.asarray(x)


def matrices(a: Any, name: str) -> Any:
    """Return ``a``, which must be a square matrix or a stack of them."""
    a = shaped(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(message(name, f"shape {a.shape}", "a square matrix (..., n, n)"))
    return a


def as_symmetric(a: Any, name: str, uplo: str = "L") -> Any:
    """Return ``a`` with the values of one triangle in both: gradients pass unchanged."""
    a = matrices(a, name)
    values = strip(a)
    twin = _mirrored(values if uplo == "L" else values.mT)
    return add(a, twin - values)


# -- Cholesky --------------------------------------------------------------------------------------


def _cholesky(a: Any) -> Any:
    return np.linalg.cholesky(_halved(a))


def _cholesky_rule(g: Any, y: Any, a: Any) -> Any:
    inner = _mirrored(y.mT @ np.tril(g)) * 0.5
    return np.linalg.solve(y.mT, np.linalg.solve(y.mT, inner).mT)


def _cholesky_push(t: Any, y: Any, a: Any) -> Any:
    x = np.linalg.solve(y, np.linalg.solve(y, _halved(t)).mT)
    return y @ (np.tril(x) - _on_diagonal(_diagonal(x)) * 0.5)


_cholesky_op = declare(_cholesky, (_cholesky_rule,), saves="y", name="cholesky").defjvp(_cholesky_push)


@composite(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """Lower triangular L with A = L L^T, for A symmetric and positive definite.

    ``A_bar = L^-T S L^-1 / 2``, with S the lower triangle of ``L^T L_bar`` in both triangles. Only
    one triangle of A is read (the lower one, unless ``upper``), and A_bar is symmetric.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: np.sum(ag.cholesky(a)))(np.diag([4.0, 1.0])).tolist()
    [[0.25, 0.25], [0.25, 0.5]]
    """
    lower = _cholesky_op(as_symmetric(a, "cholesky", "U" if upper else "L"))
    return matrix_transpose(lower) if upper else lower


# -- symmetric eigenvalues -------------------------------------------------------------------------


def _eigh(a: Any, *, uplo: Any = "L") -> Any:
    """Return the eigenvalues as a row above the eigenvectors, which are columns."""
    w, v = np.linalg.eigh(_halved(a), uplo)  # LAPACK's signs differ by triangle
    return np.concatenate([np.expand_dims(w, -2), v], axis=-2)


def _gaps(x: Any) -> Any:
    """Return all differences x_j - x_i."""
    return np.expand_dims(x, -2) - np.expand_dims(x, -1)


def _eigh_rule(g: Any, y: Any, a: Any, *, uplo: str = "L") -> Any:
    w, v = y[..., 0, :], y[..., 1:, :]
    x = v.mT @ g[..., 1:, :]
    return v @ (_over((x - x.mT) * 0.5, _gaps(w)) + _on_diagonal(g[..., 0, :])) @ v.mT


def _eigh_push(t: Any, y: Any, a: Any, *, uplo: str = "L") -> Any:
    w, v = y[..., 0, :], y[..., 1:, :]
    x = v.mT @ _halved(t) @ v
    turned = v @ _over(_off(x), _gaps(w))
    return np.concatenate([np.expand_dims(_diagonal(x), -2), turned], axis=-2)


_eigh_op = declare(_eigh, (_eigh_rule,), saves="y", name="eigh").defjvp(_eigh_push)


@composite(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix A = V diag(w) V^T.

    ``dw_i = v_i . dA v_i`` and ``dv_j = sum_i v_i (v_i . dA v_j) / (w_j - w_i)``. One triangle of A
    is read; A_bar is symmetric. Where eigenvalues are equal, the gradient of what depends on them
    alone is finite, and that of eigenvectors is inf or nan: they have none. A loss may depend on the
    eigenvectors in a way that has one, as ``V f(w) V^T`` has, but it can not be had from here.

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
    """Eigenvalues of a symmetric matrix, ascending: ``A_bar = V diag(w_bar) V^T``.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: np.sum(ag.eigvalsh(a) ** 2))(np.eye(2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    return eigh(a, UPLO)[0]


# -- singular values -------------------------------------------------------------------------------


def _svd(a: Any) -> Any:
    """Return a row (u_i, s_i, v_i) for each singular value."""
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u.mT, np.expand_dims(s, -1), vt], axis=-1)


def _outside(x: Any, basis: Any) -> Any:
    """Return rows without their part in the space of a basis."""
    return x - x @ basis.mT @ basis


def _svd_rule(g: Any, y: Any, a: Any) -> Any:
    m, n = a.shape[-2:]
    ut, s, vt = y[..., :m], y[..., m], y[..., m + 1 :]
    gut, gvt = g[..., :m], g[..., m + 1 :]
    column, row = np.expand_dims(s, -1), np.expand_dims(s, -2)
    x, z = ut @ gut.mT, vt @ gvt.mT
    turned = _over((x - x.mT) * row + column * (z - z.mT), _gaps(s) * (row + column))
    out = ut.mT @ (turned + _on_diagonal(g[..., m])) @ vt
    if m > n:
        out = out + _over(_outside(gut, ut), column).mT @ vt
    if n > m:
        out = out + ut.mT @ _over(_outside(gvt, vt), column)
    return out


def _svd_push(t: Any, y: Any, a: Any) -> Any:
    m, n = a.shape[-2:]
    ut, s, vt = y[..., :m], y[..., m], y[..., m + 1 :]
    column, row = np.expand_dims(s, -1), np.expand_dims(s, -2)
    x = ut @ t @ vt.mT
    d = _gaps(s) * (row + column)
    tut = _over(_off(x * row + column * x.mT), d).mT @ ut
    tvt = _over(_off(column * x + x.mT * row), d).mT @ vt
    if m > n:
        tut = tut + _over(_outside(vt @ t.mT, ut), column)
    if n > m:
        tvt = tvt + _over(_outside(ut @ t, vt), column)
    return np.concatenate([tut, np.expand_dims(_diagonal(x), -1), tvt], axis=-1)


svd_rows = declare(_svd, (_svd_rule,), saves="y", name="svd",
                   doc="Singular value decomposition, a row (u_i, s_i, v_i) for each value.")  # fmt: skip
svd_rows.defjvp(_svd_push)


@composite(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition A = U diag(S) Vh, singular values descending.

    ``dS_i = u_i . dA v_i``, so ``A_bar = U diag(S_bar) Vh`` where only values matter; the vectors
    turn by ``1 / (s_j^2 - s_i^2)`` and, in a matrix that is not square, by ``1 / s_i``. Where these
    are infinite, the gradient of what depends on vectors is inf or nan; that of values is finite.
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
    y = svd_rows(a)
    m = a.shape[-2]
    s = getitem(y, (..., m))
    if not compute_uv:
        return s
    ut, vt = getitem(y, (..., slice(0, m))), getitem(y, (..., slice(m + 1, None)))
    return SVDResult(matrix_transpose(ut), s, vt)


@composite(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """Singular values, descending: ``A_bar = U diag(s_bar) Vh``, finite everywhere.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: np.sum(ag.svdvals(a)))(np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return svd(x, compute_uv=False)


# -- QR --------------------------------------------------------------------------------------------


def _qr(a: Any) -> Any:
    """Return Q above R, for a matrix that has no more columns than rows."""
    q, r = np.linalg.qr(a)
    return np.concatenate([q, r], axis=-2)


def _qr_rule(g: Any, y: Any, a: Any) -> Any:
    m = a.shape[-2]
    q, r, gq, gr = y[..., :m, :], y[..., m:, :], g[..., :m, :], np.triu(g[..., m:, :])
    x = gq + q @ _mirrored(r @ gr.mT - gq.mT @ q)
    return np.linalg.solve(r, x.mT).mT


def _qr_push(t: Any, y: Any, a: Any) -> Any:
    m = a.shape[-2]
    q, r = y[..., :m, :], y[..., m:, :]
    x = np.linalg.solve(r.mT, t.mT).mT  # t R^-1
    c = q.mT @ x
    turned = np.triu(c + c.mT) - _on_diagonal(_diagonal(c))
    return np.concatenate([x - q @ turned, turned @ r], axis=-2)


_qr_op = declare(_qr, (_qr_rule,), saves="y", name="qr").defjvp(_qr_push)


@composite(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Factors A = Q R: orthonormal columns, and an upper triangle. The columns of A are independent.

    ``A_bar = (Q_bar + Q S) R^-T``, with S the lower triangle of ``R R_bar^T - Q_bar^T Q`` in both
    triangles. Of a wide matrix the first columns, a square, are factored so. ``mode="r"`` gives R
    alone; the complete Q of a tall matrix has no derivative.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda a: abs(ag.qr(a).R[0, 0]))(np.array([[3.0, 0.0], [4.0, 5.0]])).round(12).tolist()
    [[0.6, 0.0], [0.8, 0.0]]
    """
    a = shaped(a)
    tall = a.ndim > 1 and a.shape[-2] > a.shape[-1]
    if mode not in ("reduced", "r", "complete") or (mode == "complete" and tall):
        kind = NotDifferentiableError if mode in ("complete", "raw") else ValueError
        raise kind(message("qr", f"mode={mode!r} and shape {a.shape}", "'reduced' or 'r'"))
    m = a.shape[-2] if a.ndim > 1 else 0
    wide = a.ndim > 1 and m < a.shape[-1]
    y = _qr_op(getitem(a, (..., slice(0, m))) if wide else a)
    q, r = getitem(y, (..., slice(0, m), slice(None))), getitem(y, (..., slice(m, None), slice(None)))
    if wide:
        r = concatenate([r, matmul(matrix_transpose(q), getitem(a, (..., slice(m, None))))], axis=-1)
    return r if mode == "r" else QRResult(q, r)
