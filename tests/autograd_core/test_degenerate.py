"""Equal eigenvalues and singular values, zero ones, singular matrices: finite where defined, else an error.

Each gradient that is defined is compared with differences of the function itself, along directions
that split the equal values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck import check_gradients

RNG = np.random.default_rng(8)
Function = Callable[[Any], Any]


def rotated(*values: float) -> Any:
    """Return a symmetric matrix with these eigenvalues."""
    q = np.linalg.qr(RNG.normal(size=(len(values), len(values))))[0]
    x = (q * np.array(values)) @ q.T
    return (x + x.T) / 2


def turned(m: int, n: int, *values: float) -> Any:
    """Return a matrix of m rows and n columns with these singular values."""
    u = np.linalg.qr(RNG.normal(size=(m, len(values))))[0]
    v = np.linalg.qr(RNG.normal(size=(n, len(values))))[0]
    return (u * np.array(values)) @ v.T


def differences(f: Function, x: Any, direction: Any, h: float = 1e-4) -> Any:
    """Return the derivative along a direction, to fourth order in h."""
    near, far = (f(x + n * h * direction) - f(x - n * h * direction) for n in (1, 2))
    return (8 * near - far) / (12 * h)


def agrees(f: Function, x: Any, symmetric: bool) -> None:
    g = ag.grad(f)(x)
    assert np.isfinite(g).all()
    for _ in range(4):
        t = RNG.normal(size=x.shape)
        t = t + np.swapaxes(t, -1, -2) if symmetric else t
        np.testing.assert_allclose(np.sum(g * t), differences(f, x, t), rtol=1e-7, atol=1e-7)


G = RNG.normal(size=(4, 4))
SYMMETRIC = {
    "two pairs": rotated(1, 1, 3, 3), "three": rotated(-2, 1, 1, 1), "one": np.eye(4),
    "diagonal": np.diag([2.0, 2.0, 5.0, 7.0]), "zero": np.zeros((4, 4)), "rank 1": rotated(0, 0, 0, 2),
    "apart": rotated(1, 2, 3, 4), "large": 1e8 * rotated(1, 1, 3, 3), "small": 1e-8 * rotated(1, 1, 3, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("f", [
    lambda a: np.sum(np.linalg.eigvalsh(a) ** 2), lambda a: np.sum(np.linalg.eigh(a)[0] ** 3),
    lambda a: np.sum(np.linalg.svdvals(a) ** 2), lambda a: np.sum(np.linalg.svd(a)[1] ** 2),
])  # fmt: skip
def test_functions_of_values_alone(name: str, f: Function) -> None:
    x = SYMMETRIC[name]
    size = np.abs(x).max() or 1.0
    agrees(lambda a: f(a / size), x, symmetric=True) if size == 1 else agrees(f, x / size, symmetric=True)


@pytest.mark.parametrize("x", [rotated(1, 1, 3, 3), rotated(1, 1, 3, 4), np.diag([2.0, 2.0, 5.0, 7.0]),
                               rotated(0, 0, 1, 2)])  # fmt: skip
def test_a_projector_onto_a_whole_space(x: Any) -> None:
    def projector(a: Any) -> Any:
        v = np.linalg.eigh(a)[1][:, :2]
        return np.sum((v @ v.T) * G)

    agrees(projector, x, symmetric=True)


def test_principal_components_of_a_matrix_of_low_rank() -> None:
    def loss(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return np.sum(w[-2:] ** 2) + np.sum((v[:, -1:] @ v[:, -1:].T) * G)

    agrees(loss, rotated(0, 0, 1, 2), symmetric=True)


@pytest.mark.parametrize("x", [turned(4, 4, 2, 2, 2, 2), turned(4, 4, 3, 3, 1, 1), np.eye(4),
                               turned(5, 4, 2, 2, 1, 1), turned(4, 5, 2, 2, 1, 1),
                               turned(4, 4, 2, 1, 1, 0.1)],
                         ids=str)  # fmt: skip
def test_the_polar_factor(x: Any) -> None:
    weights = RNG.normal(size=x.shape)

    def polar(a: Any) -> Any:
        u, _, vt = np.linalg.svd(a, full_matrices=False)
        return np.sum((u @ vt) * weights)

    agrees(polar, x, symmetric=False)


@pytest.mark.parametrize("x", [turned(4, 3, 2, 1, 0), turned(3, 4, 2, 1, 0), turned(4, 4, 2, 1, 0, 0)],
                         ids=str)  # fmt: skip
def test_leading_vectors_of_a_matrix_of_low_rank(x: Any) -> None:
    weights = RNG.normal(size=x.shape)

    def leading(a: Any) -> Any:
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        return np.sum((u[:, :2] * s[:2] ** 2 @ vt[:2]) * weights)

    agrees(leading, x, symmetric=False)


# -- what is not defined, or does not arrive -----------------------------------------------------------


def reconstructed(a: Any) -> Any:
    w, v = np.linalg.eigh(a)
    return np.sum((v * np.exp(w) @ v.T) * G)


def same_again(a: Any) -> Any:
    """V w V^T, whose gradient at vectors of the eigenvalue 0 is 0: only that of the values tells."""
    w, v = np.linalg.eigh(a)
    return np.sum((v * w @ v.T) * G)


def composed(a: Any) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.sum((u * np.exp(s) @ vt) * G)


@pytest.mark.parametrize(("f", "x", "says"), [
    (lambda a: np.linalg.eigh(a)[1][0, 1], np.eye(4), r"\[eigh\] got eigenvalues 1 and 1, .* basis"),
    (lambda a: np.sum(np.linalg.eigh(a)[1] * G), rotated(1, 1, 3, 4), r"\[eigh\] .*values 1 and 1, .* basis"),
    (lambda a: np.linalg.svd(a)[0][0, 1], np.eye(4), r"\[svd\] got singular values 1 and 1, .* basis"),
    (lambda a: np.sum(np.linalg.svd(a)[2] * G), turned(4, 4, 2, 1, 0, 0), r"\[svd\]"),
    (lambda a: np.sum(np.linalg.svd(a, False)[0] * G[:, :3]), turned(4, 3, 2, 1, 0), r"\[svd\]"),
    (lambda a: np.sum(np.linalg.svd(a, False)[2] * G[:3]), turned(3, 4, 2, 1, 0), r"\[svd\]"),
    (reconstructed, np.eye(4), "through values and vectors .* try eigvalsh .* expm"),
    (reconstructed, rotated(1, 1, 3, 4), "through values and vectors"),
    (lambda a: reconstructed(a)[()] * 1.0, rotated(2, 2, 2, 2), "through values and vectors"),
    (same_again, rotated(0, 0, 1, 2), "through values and vectors"),
    (composed, turned(4, 4, 2, 2, 1, 1), r"through values and vectors .* svdvals"),
])  # fmt: skip
def test_what_is_not_defined_is_an_error(f: Function, x: Any, says: str) -> None:
    with pytest.raises(np.linalg.LinAlgError, match=says):
        ag.grad(f)(x)


def test_a_batch_is_refused_by_its_place_and_only_if_it_matters() -> None:
    x = np.stack([rotated(1, 2, 3, 4), np.eye(4), rotated(2, 3, 5, 7)])
    with pytest.raises(np.linalg.LinAlgError, match=r"of matrix \(1,\)"):
        ag.grad(lambda a: np.sum(np.linalg.eigh(a)[1] * G))(x)

    def others(a: Any) -> Any:
        return np.sum(np.linalg.eigh(a)[1][::2] ** 2 * G)

    g = ag.grad(others)(x)
    assert np.isfinite(g).all()
    assert not g[1].any()
    single = ag.grad(lambda a: np.sum(np.linalg.eigh(a)[1] ** 2 * G))
    np.testing.assert_allclose(g[2], single(x[2]), rtol=1e-12)


def test_forward_mode_refuses_what_turns_the_basis_and_no_more() -> None:
    x, t = rotated(1, 1, 3, 4), rotated(1, 2, 3, 4)
    with pytest.raises(np.linalg.LinAlgError, match="tangent"):
        ag.jvp(lambda a: np.linalg.eigh(a)[1], (x,), (t,))
    _, tangent = ag.jvp(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3), (x,), (t,))
    np.testing.assert_allclose(tangent, 3 * np.trace(x @ x @ t))
    _, tangent = ag.jvp(lambda a: np.linalg.eigh(a)[1], (np.eye(3),), (np.eye(3),))
    assert not tangent.any()


def test_second_derivatives_of_values() -> None:
    def loss(a: Any) -> Any:
        return np.sum(np.linalg.eigvalsh(a)[-2:] ** 3)

    x = rotated(0, 0, 1, 2)  # equal ones that the loss does not read
    t = rotated(1, 2, 3, 4)
    second = ag.grad(lambda a: np.sum(ag.grad(loss)(a) * t))(x)
    np.testing.assert_allclose(second, differences(ag.grad(loss), x, t), atol=1e-7)
    with pytest.raises(np.linalg.LinAlgError, match=r"\[(eigh|svd)\] .* basis"):
        ag.hvp(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3), (rotated(1, 1, 3, 4),), (t,))
    with pytest.raises(np.linalg.LinAlgError, match=r"\[(eigh|svd)\] .* basis"):
        ag.hvp(lambda a: np.sum(np.linalg.svdvals(a) ** 3), (np.eye(4),), (G,))
    for f, x in ((np.linalg.eigvalsh, rotated(1, 1, 3, 4)), (np.linalg.svdvals, np.eye(4))):
        with pytest.raises(np.linalg.LinAlgError, match="values and vectors"):
            ag.grad(lambda a: np.sum(ag.grad(lambda b: np.sum(f(b) ** 3))(a) * t))(x)  # noqa: B023


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_rounding_of_the_dtype_is_forgiven(dtype: str) -> None:
    for n in (2, 5, 30, 100):
        k = n // 2
        x, weights = rotated(*[1.0] * k, *range(2, n - k + 2)).astype(dtype), np.arange(n, dtype=dtype)
        g = ag.grad(lambda a: np.sum((np.linalg.eigh(a)[1][:, :k] ** 2).sum(1) * weights))(x)  # noqa: B023
        assert g.dtype == x.dtype
        assert np.isfinite(g).all()


# -- singular matrices ---------------------------------------------------------------------------------

SINGULAR = {"zero": np.zeros((3, 3)), "rank 2": turned(3, 3, 2, 1, 0), "rank 1": np.ones((3, 3))}


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_matrices(name: str) -> None:
    x = SINGULAR[name]
    if name == "rank 1":  # differences can not confirm a gradient of rounding errors
        np.testing.assert_allclose(ag.grad(np.linalg.det)(x), np.zeros((3, 3)), atol=1e-15)
    else:
        assert check_gradients(np.linalg.det, x, order=2).passed
    sign, size = np.linalg.slogdet(ag.tensor(x, requires_grad=True))
    if name != "rank 2":  # there rounding leaves a determinant of 1e-17
        assert (sign.item(), size.item()) == (0.0, -np.inf)
        with pytest.raises(np.linalg.LinAlgError, match=r"\[slogdet\] .* singular"):
            size.backward()
    for f in (lambda a: np.linalg.matrix_power(a, 2), ag.expm):
        assert check_gradients(f, x, order=2).passed
    for p in ("nuc", 2, -2):
        g = ag.grad(lambda a: np.linalg.norm(a, p))(x)  # noqa: B023
        assert np.isfinite(g).all()
        assert np.linalg.norm(g, -2 if p == "nuc" else "nuc") <= 1 + 1e-9  # it is a subgradient
    assert np.linalg.matrix_rank(ag.tensor(x, requires_grad=True)) == np.linalg.matrix_rank(x)


def test_a_singular_matrix_does_not_disturb_a_stack() -> None:
    x = np.stack([np.diag([1.0, 2.0]), np.zeros((2, 2)), np.diag([4.0, 2.0])])
    for f, sign in ((lambda a: np.linalg.slogdet(a)[1], 1), (lambda a: np.log(np.linalg.cond(a)), 0)):
        g = ag.grad(lambda a: np.sum(f(a)[::2]))(x)  # noqa: B023
        assert np.isfinite(g).all()
        assert not g[1].any()
        np.testing.assert_allclose(g[0], np.diag([1.0, 0.5] if sign else [-1.0, 0.5]))
    g = ag.grad(lambda a: np.sum(np.linalg.qr(a)[1][::2, 0, 0] ** 2))(x)
    np.testing.assert_allclose(g, np.stack([np.diag([2.0, 0]), np.zeros((2, 2)), np.diag([8.0, 0])]))


@pytest.mark.parametrize(("f", "says"), [
    (lambda a: np.linalg.slogdet(a)[1], r"\[slogdet\] got a singular matrix"),
    (lambda a: np.linalg.cond(a), r"\[svdvals\] got an infinite gradient"),
    (lambda a: np.sum(np.linalg.qr(a)[1]), r"\[qr\] got columns that depend on each other"),
    (lambda a: np.sum(1 / np.linalg.eigvalsh(a)), r"\[eigvalsh\] got an infinite gradient"),
    (lambda a: np.sum(np.linalg.inv(a)), r"\[inv\] .*Singular"),
])  # fmt: skip
def test_what_a_singular_matrix_does_not_have(f: Function, says: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(np.linalg.LinAlgError, match=says):
        ag.grad(f)(np.diag([1.0, 2.0, 0.0]))


def test_cond_of_nothing_is_numpys_error() -> None:
    with pytest.raises(np.linalg.LinAlgError, match=r"\[cond\] got shape \(2, 0, 0\)"):
        np.linalg.cond(ag.tensor(np.zeros((2, 0, 0)), requires_grad=True))


@pytest.mark.parametrize("x", [turned(3, 3, 2, 2, 0), turned(4, 3, 2, 2, 0), turned(3, 4, 1, 0, 0)])
def test_pinv_and_lstsq_keep_their_rank(x: Any) -> None:
    """Along matrices of one rank, exp(sK) x exp(sL) with any K and L, both have a derivative."""
    m, n = x.shape
    k, r, b = RNG.normal(size=(m, m)), RNG.normal(size=(n, n)), RNG.normal(size=m)
    direction = k @ x + x @ r
    for f in (lambda a: np.linalg.pinv(a, 1e-10), lambda a: np.linalg.lstsq(a, b, 1e-10)[0]):
        y = f(x)
        weights = RNG.normal(size=y.shape)
        g = ag.grad(lambda a: np.sum(f(a) * weights))(x)  # noqa: B023
        along = lambda s: np.sum(f(ag.expm(s * k) @ x @ ag.expm(s * r)) * weights)  # noqa: B023
        expected = differences(along, 0.0, 1.0)
        np.testing.assert_allclose(np.sum(g * direction), expected, rtol=1e-7)
