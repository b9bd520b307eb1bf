"""Calls of PyTorch's products, equations, factorizations and norms.

Vectors of a factorization are fixed up to a sign only; what is compared is then their absolute value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, Entry, alike, named, same
from .opinfo_reductions import axis_of


def _affine(product: Call) -> Call:
    """Return ``beta x + alpha product(a, b)``."""
    return lambda x, a, b, beta=1, alpha=1: beta * x + alpha * product(a, b)


def _signless(result: Any) -> Any:
    return [abs(part) for part in result]


def _first(results: Any) -> Any:
    return results[0]


def _svd(a: Any, full_matrices: bool = True) -> Any:
    """Return all vectors of a square matrix. Of another the further ones are fixed up to a rotation:
    here they have no derivative, and neither PyTorch's samples nor ``_signless_svd`` read them.
    """
    return np.linalg.svd(a, full_matrices=full_matrices and a.shape[-1] == a.shape[-2])


def _old_svd(a: Any, some: bool = True) -> Any:
    u, s, vh = _svd(a, not some)
    return u, s, vh.mT


def _signless_svd(parts: Any) -> Any:
    u, s, vh = parts
    k = s.shape[-1]
    u, vh = u[..., :k], vh[..., :k, :]
    return abs(u), s, abs(vh), u @ vh


def _signless_old(parts: Any) -> Any:
    u, s, v = parts
    return _signless_svd((u, s, v.mT))


def _lstsq(a: Any, b: Any, driver: Any = None) -> Any:
    """Return the solution, of each matrix in a stack; NumPy takes one."""
    if a.ndim == 2:
        return np.linalg.lstsq(a, b)[0], 0
    return np.stack([_lstsq(x, y)[0] for x, y in zip(a, b, strict=True)]), 0


def _cross(x: Any, y: Any, dim: Any = None) -> Any:
    x, y = np.broadcast_arrays(x, y)
    dim = x.shape.index(3) if dim is None else dim
    return np.linalg.cross(x, y, axis=dim)


def _vander(x: Any, N: int | None = None) -> Any:
    x = np.atleast_1d(x)
    n = N or x.shape[-1]
    return x[..., None] ** np.arange(n)


def _norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if dim is None and ord is None:
        return np.linalg.norm(x, keepdims=keepdim)
    if dim is None and x.ndim > 2:
        raise ValueError("an order without axes needs a vector or a matrix")
    return np.linalg.norm(x, ord, dim, keepdim)


def _vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return ag.vector_norm(x, ord=ord, axis=axis_of(x, dim), keepdims=keepdim)


def _matrix_norm(
    x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, dtype: Any = None
) -> Any:
    return np.linalg.norm(x, ord, tuple(dim), keepdim)


def _old_norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Return ``torch.norm``: of a vector, except for nuclear norms."""
    if p == "nuc":
        return np.linalg.norm(x, "nuc", (0, 1) if dim is None else tuple(dim), keepdim)
    return _vector_norm(x, 2 if p in ("fro", None) else p, dim, keepdim)


def _solve(a: Any, b: Any, left: bool = True) -> Any:
    if not left:
        return _solve(a.mT, b.mT).mT
    if b.ndim == 1 or b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


def _triangular(a: Any, upper: bool, unit: bool) -> Any:
    a = (np.triu if upper else np.tril)(a, (1 if upper else -1) if unit else 0)
    return a + np.eye(a.shape[-1]) if unit else a


def _solve_triangular(
    a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    if not left:
        other = _solve_triangular(_turned(a), _turned(b), upper=not upper, unitriangular=unitriangular)
        return _turned(other)
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(_triangular(a, upper, unitriangular), (*lead, *a.shape[-2:]))
    return ag.solve_triangular(a, np.broadcast_to(b, (*lead, *b.shape[-2:])), lower=not upper)


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _old_triangular(
    b: Any, a: Any, upper: bool = False, transpose: bool = False, unitriangular: bool = False
) -> Any:
    a = _triangular(a, upper, unitriangular)
    upper = upper != transpose
    return _solve_triangular(_turned(a) if transpose else a, b, upper=upper), a


def _of_factor(r: Any, upper: bool = False) -> Any:
    r = np.triu(r).mT if upper else np.tril(r)
    return r @ r.mT


def _permuted(lu: Any, pivots: Any) -> Any:
    """Return P L U from both triangles in one matrix and LAPACK's row exchanges, from 1."""
    n = lu.shape[-1]
    lower, upper = np.tril(lu, -1) + np.eye(n), np.triu(lu)
    p = np.zeros((*pivots.shape[:-1], n, n))
    for i in np.ndindex(pivots.shape[:-1]):
        order = list(range(n))
        for k, j in enumerate(pivots[i] - 1):
            order[k], order[j] = order[j], order[k]
        p[i] = np.eye(n)[:, order]
    return p @ (lower @ upper)


def _lu_solve(lu: Any, pivots: Any, b: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    a = _permuted(lu, pivots)
    a = a.mT if adjoint else a
    return np.linalg.solve(a, b) if left else _turned(np.linalg.solve(a.mT, _turned(b)))


def _pinv(a: Any, rtol: Any = None, hermitian: bool = False) -> Any:
    return np.linalg.pinv(a, hermitian=hermitian) if rtol is None else np.linalg.pinv(a, rtol)


def _logdet(a: Any) -> Any:
    sign, log = np.linalg.slogdet(a)
    return np.where(sign < 0, np.nan, log)


def _cdist(x: Any, y: Any, p: float = 2.0, compute_mode: Any = None) -> Any:
    return ag.vector_norm(x[..., :, None, :] - y[..., None, :, :], axis=-1, ord=p)


def _tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    return np.tensordot(a, b, dims)


CALLS: dict[str, Call | Entry] = {
    **same("det inv matrix_power multi_dot", np.linalg, "linalg."),
    **same("svdvals", ag, "linalg."),
    **same("dot inner kron outer trace vdot"),
    **alike("mm bmm mv matmul", np.matmul),
    **alike("addmm addmm/decomposed baddbmm addmv", _affine(np.matmul)),
    "addbmm": _affine(lambda a, b: np.sum(a @ b, axis=0)),
    "addr": _affine(np.outer),
    "__rmatmul__": lambda x, y: y @ x,
    "einsum": lambda xs, subscripts: np.einsum(subscripts, *xs),
    "tensordot": _tensordot,
    "cross": _cross,
    "linalg.cross": named(np.linalg.cross, "", 2),
    "linalg.vecdot": named(ag.vecdot, "", 2),
    "linalg.vander": _vander,
    "cdist": _cdist,
    # equations
    "linalg.inv_ex": lambda a, check_errors=False: np.linalg.inv(a),
    **alike("linalg.solve linalg.solve_ex", _solve),
    "linalg.solve_triangular": _solve_triangular,
    "triangular_solve": Entry(_old_triangular, wrapped=True),
    "cholesky_solve": Entry(
        lambda b, r, upper=False: np.linalg.solve(_of_factor(r, upper), b), wrapped=True),
    "cholesky_inverse": Entry(
        lambda r, upper=False: np.linalg.inv(_of_factor(_triangular(r, upper, True), upper)), wrapped=True),
    "linalg.lu_solve": _lu_solve,
    "lu_solve": lambda b, lu, pivots: _lu_solve(lu, pivots, b),
    **alike("linalg.pinv pinverse", _pinv),
    "linalg.pinv/hermitian": Entry(lambda a, **k: _pinv(a + a.mT, **k), wrapped=True),
    "linalg.pinv/singular": lambda a, b: np.linalg.pinv(a @ b.mT),
    "logdet": _logdet,
    "linalg.slogdet": np.linalg.slogdet,
    "linalg.tensorinv": named(np.linalg.tensorinv),
    "linalg.tensorsolve": named(np.linalg.tensorsolve, "axes", 2, dims="axes"),
    "matrix_exp": ag.expm,
    # factorizations
    **alike("cholesky linalg.cholesky linalg.cholesky_ex",
            lambda a, upper=False, check_errors=False: ag.cholesky(a, upper=upper)),
    "linalg.eigvalsh": lambda a, UPLO="L": np.linalg.eigvalsh(a, UPLO),
    "linalg.svd": Entry(_svd, _signless_svd),
    "svd": Entry(_old_svd, _signless_old),
    "linalg.lstsq": Entry(_lstsq, _first),
    "linalg.lstsq/grad_oriented": Entry(_lstsq, _first),
    "linalg.eigh": Entry(lambda a, UPLO="L": np.linalg.eigh(a, UPLO), _signless),
    "linalg.qr": lambda a, mode="reduced": np.linalg.qr(a, mode),
    "qr": lambda a, some=True: np.linalg.qr(a, "reduced" if some else "complete"),
    # norms
    "linalg.cond": lambda a, p=None: np.linalg.cond(a, p),
    **alike("linalg.norm linalg.norm/subgradients_at_zero", _norm),
    "linalg.matrix_norm": _matrix_norm,
    "linalg.vector_norm": _vector_norm,
    **alike("norm norm/nuc norm/fro norm/inf", _old_norm),
}  # fmt: skip
