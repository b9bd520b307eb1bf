"""Rows of linear algebra: matrices whose eigenvalues and singular values stand apart."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core.ops import equations, exponential, factorizations, gaps, spectra

from .table import DIVISOR, REAL, Domain, Shape, case, row


def _orthogonal(rng: np.random.Generator, shape: Shape) -> Any:
    return np.linalg.qr(rng.normal(size=shape))[0]


def _apart(rng: np.random.Generator, n: int) -> Any:
    return 1 + np.arange(n) + rng.uniform(-0.2, 0.2, n)


def _regular(rng: np.random.Generator, shape: Shape) -> Any:
    """Return U diag(s) V^T with the singular values s near 1, 2, 3, ..."""
    *batch, m, n = shape
    k = min(m, n)
    u, v = _orthogonal(rng, (*batch, m, k)), _orthogonal(rng, (*batch, n, k))
    return (u * _apart(rng, k)) @ v.mT


def _definite(rng: np.random.Generator, shape: Shape) -> Any:
    v = _orthogonal(rng, shape)
    x = (v * _apart(rng, shape[-1])) @ v.mT
    return (x + x.mT) / 2


def _dominant(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.uniform(-1, 1, shape) + np.eye(shape[-2], shape[-1]) * (1.5 + shape[-1])


REGULAR = Domain("singular values apart", _regular)
DEFINITE = Domain("symmetric and positive definite, eigenvalues apart", _definite)
DOMINANT = Domain("dominant diagonal", _dominant)

# fmt: off
SQUARE = [case(s) for s in [(3, 3), (1, 1), (2, 2), (2, 3, 3), (2, 1, 2, 2), (0, 3, 3), (4, 4)]]
ANY = [*SQUARE, *(case(s) for s in [(3, 2), (2, 3), (2, 4, 2), (2, 2, 4), (1, 3), (3, 1)])]
TALL = [*SQUARE, *(case(s) for s in [(3, 2), (2, 4, 2), (3, 1)])]
# A first axis of 1, or of a batch: the table repeats what is first there (stride 0), and a matrix of
# equal rows is singular. Matrices by themselves stand in test_ops_linalg.py.
STACKS = [case(s) for s in [
    (1, 3, 3), (1, 1), (2, 2, 2), (2, 3, 3), (2, 1, 2, 2), (0, 3, 3), (1, 4, 4),
]]
SYSTEMS = [case(a, b) for a, b in [
    ((1, 3, 3), (3,)),   ((1, 3, 3), (3, 2)),    ((1, 1), (1,)),           ((2, 3, 3), (3,)),
    ((2, 3, 3), (3, 2)), ((1, 3, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((0, 2, 2), (0, 2, 1)),
    ((1, 2, 2), (2, 0)),
]]
OVER = [case(a, b, rcond=1e-10) for a, b in [
    ((3, 3), (3, 2)), ((4, 2), (4, 1)), ((2, 4), (2, 3)), ((3, 1), (3, 2)), ((1, 1), (1, 1)),
]]
QUOTIENTS = [case(s, s, s, s, (*s[:-2], s[-1])) for s in [(2, 2), (3, 3), (2, 3, 3), (1, 1), (0, 0)]]
# fmt: on


# NumPy's functions of the same value


def _symmetric(x: Any) -> Any:
    return (x + x.mT) / 2


def _lower_inverse(x: Any) -> Any:
    return np.tril(np.linalg.inv(np.tril(x)))


def _cholesky(x: Any) -> Any:
    return np.linalg.cholesky(_symmetric(x))


def _same(x: Any, *, of: str) -> Any:
    return x


def _quotient(c: Any, d: Any, x: Any, joint: Any, w: Any) -> Any:
    return c / d


def _eigvalsh(x: Any) -> Any:
    return np.linalg.eigvalsh(_symmetric(x))


def _eigh(x: Any, *, uplo: Any = "L", alone: bool = False) -> Any:
    w, v = np.linalg.eigh(_symmetric(x), uplo)
    return np.concatenate([w[..., None, :], v], axis=-2)


def _svd(x: Any, *, alone: bool = False) -> Any:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u.mT, s[..., None], vt], axis=-1)


def _qr(x: Any) -> Any:
    return np.concatenate(np.linalg.qr(x), axis=-2)


def _slogdet(x: Any) -> Any:
    return np.stack(np.linalg.slogdet(x), axis=-1)


def _pinv(x: Any, *, rcond: float) -> Any:
    return np.linalg.pinv(x, rcond)


def _lstsq(a: Any, b: Any, *, rcond: float) -> Any:
    return np.linalg.lstsq(a, b, rcond)[0]


def _minors(x: Any) -> Any:
    """Return the cofactors one by one: determinants without a row and a column."""
    n = x.shape[-1]
    if x.dtype.kind != "f":
        x = x.astype(float)
    if x.dtype == np.float16:
        raise TypeError("NumPy has no determinant of float16")
    out = np.empty_like(x)
    for i in range(n):
        for j in range(n):
            rest = np.delete(np.delete(x, i, axis=-2), j, axis=-1)
            out[..., i, j] = (-1) ** (i + j) * np.linalg.det(rest)
    return out


def _taylor(x: Any) -> Any:
    """Return the sum of A^k / k!."""
    if x.dtype == np.float16:
        raise TypeError("NumPy solves nothing in float16")
    y = term = np.broadcast_to(np.eye(x.shape[-1], dtype=np.result_type(x, np.float32)), x.shape)
    for k in range(1, 50):
        term = term @ x / k
        y = y + term
    return y


def _taylor_along(a: Any, m: Any) -> Any:
    """Return the block of e^[[A, M], [0, A]] that is above the diagonal."""
    n = a.shape[-1]
    return _taylor(np.block([[a, m], [0 * a, a]]))[..., :n, n:]


# fmt: off
ROWS: list[Any] = [
    #    operation                   NumPy's          domains          calls
    row(ag.solve,                    np.linalg.solve, DOMINANT, REAL,  cases=SYSTEMS),
    row(ag.inv,                      np.linalg.inv,   DOMINANT,        cases=STACKS),
    row(ag.det,                      np.linalg.det,   REGULAR,         cases=SQUARE),
    row(equations._cofactors_op,     _minors,         REGULAR,         cases=SQUARE),
    row(equations._slogdet_op,       _slogdet,        REGULAR,         cases=STACKS),
    row(equations._pinv_op,          _pinv,           REGULAR,
        cases=[case(*c.shapes, rcond=1e-10) for c in ANY]),
    row(equations._lstsq_op,         _lstsq,          REGULAR, REAL,   cases=OVER),
    row(factorizations.lower_inverse, _lower_inverse, DOMINANT,        cases=STACKS),
    row(factorizations._cholesky_op, _cholesky,       DEFINITE,        cases=STACKS),
    row(spectra._eigh_op,            _eigh,           DEFINITE,
        cases=[*SQUARE, case((3, 3), uplo="U"), case((2, 2), alone=True)]),
    row(spectra._eigvalsh_op,        _eigvalsh,       DEFINITE,        cases=SQUARE),
    row(spectra.svd_rows,            _svd,            REGULAR,
        cases=[*ANY, case((2, 2), alone=True)]),
    row(spectra._svdvals_op,         np.linalg.svdvals, REGULAR,       cases=ANY),
    row(gaps.finite,                 _same,           REAL,
        cases=[case(s, of="svdvals") for s in [(3,), (2, 3), (0,)]]),
    row(gaps.over,                   _quotient, REAL, DIVISOR, REAL, REAL, REAL, cases=QUOTIENTS),
    row(exponential._expm_op,        _taylor,         REAL,            cases=SQUARE),
    row(exponential.derivative,      _taylor_along,   REAL, REAL,
        cases=[case(*c.shapes, *c.shapes) for c in SQUARE]),
    row(factorizations._qr_op,       _qr,             REGULAR,         cases=TALL),
]
# fmt: on

# A matrix of equal elements has equal eigenvalues or singular values, or dependent columns: its
# vectors are not defined, and LAPACK's rounding decides.
DEGENERATE = {
    spectra._eigh_op, spectra.svd_rows, spectra._eigvalsh_op, spectra._svdvals_op, factorizations._qr_op,
}  # fmt: skip
