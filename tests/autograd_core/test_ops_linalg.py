"""Linear algebra: NumPy's values, gradients of every mode and order, PyTorch's gradients, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck import check_gradients
from autograd_core.ops import factorizations
from autograd_core.primitive import NUMPY

from .table import REAL  # first: it reads the other
from .table_linalg import DEFINITE, DOMINANT, REGULAR

RNG = np.random.default_rng(5)
L = np.linalg


def regular(*shape: int) -> Any:
    return REGULAR.draw(RNG, shape)


def dominant(*shape: int) -> Any:
    return DOMINANT.draw(RNG, shape)


def definite(*shape: int) -> Any:
    return DEFINITE.draw(RNG, shape)


def real(*shape: int) -> Any:
    return REAL.draw(RNG, shape)


def flat(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


def symmetric(x: Any) -> Any:
    """A function of single elements differs from that of a symmetric matrix by this."""
    return (x + np.swapaxes(x, -1, -2)) / 2


# What is called, with NumPy's function; the arrays it is called with.
SQUARE_SHAPES = [(1, 1), (3, 3), (2, 3, 3), (2, 1, 2, 2), (0, 2, 2)]
Call = tuple[Callable[..., Any], tuple[Any, ...]]
CHAINS: list[list[tuple[int, ...]]] = [
    [(2, 3), (3, 4)], [(2, 3), (3, 4), (4, 1)], [(3,), (3, 4), (4, 2)], [(2, 3), (3,)],
    [(3,), (3,)], [(3,), (3, 2), (2, 4), (4,)], [(1, 5), (5, 2), (2, 4), (4, 3)],
]  # fmt: skip
CALLS: dict[str, Call] = {
    **{f"inv {s}": (L.inv, (dominant(*s),)) for s in SQUARE_SHAPES},
    **{f"det {s}": (L.det, (regular(*s),)) for s in SQUARE_SHAPES},
    **{f"slogdet {s}": (L.slogdet, (regular(*s),)) for s in SQUARE_SHAPES},
    **{f"svdvals {s}": (L.svdvals, (regular(*s),)) for s in [*SQUARE_SHAPES, (3, 2), (2, 2, 4)]},
    **{f"pinv {s}": (L.pinv, (regular(*s),)) for s in [*SQUARE_SHAPES, (3, 2), (2, 2, 4)]},
    **{f"cond {s}": (L.cond, (regular(*s),)) for s in [(3, 3), (2, 2, 2), (3, 2), (2, 4)]},
    **{
        f"cond {p}": (lambda x, p=p: L.cond(x, p), (dominant(2, 3, 3),))
        for p in (2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")
    },
    **{
        f"solve {a} {b}": (L.solve, (dominant(*a), real(*b)))
        for a, b in [
            ((3, 3), (3,)), ((3, 3), (3, 2)), ((1, 1), (1,)), ((2, 3, 3), (3,)), ((2, 3, 3), (3, 3)),
            ((2, 3, 3), (2, 3, 1)), ((3, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((0, 0), (0, 2)),
            ((3, 3), (3, 0)), ((2, 2), (2,)),
        ]
    },
    **{
        f"matrix_power {n}": (lambda x, n=n: L.matrix_power(x, n), (dominant(2, 3, 3) / 4,))
        for n in (-3, -1, 0, 1, 2, 3, 5, 6)
    },
    **{
        f"multi_dot {shapes}": (lambda *x: L.multi_dot(x), tuple(real(*s) for s in shapes))
        for shapes in CHAINS
    },
    **{
        f"vector_norm {s} {k}": (lambda x, k=k: L.vector_norm(x, **k), (real(*s),))
        for s, k in [
            ((3,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3), {"axis": -1, "ord": 3}),
            ((2, 3, 4), {"axis": (0, 2)}), ((2, 3, 4), {"axis": (-1, 0), "keepdims": True, "ord": 1}),
            ((2, 3), {"keepdims": True, "ord": 1.5}), ((2, 3), {"ord": np.inf}), ((), {}),
            ((2, 3), {"axis": 1, "ord": -np.inf, "keepdims": True}), ((2, 0), {"axis": 1}),
        ]
    },
    **{
        f"matrix_norm {ord} {kd}": (
            lambda x, o=ord, kd=kd: L.matrix_norm(x, ord=o, keepdims=kd), (regular(2, 3, 2),))
        for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf) for kd in (False, True)
    },
    **{
        f"cholesky {s}{u}": (lambda x, u=u: L.cholesky(symmetric(x), upper=u), (definite(*s),))
        for s in SQUARE_SHAPES for u in (False, True)
    },
    **{f"eigvalsh {s}": (lambda x: L.eigvalsh(symmetric(x)), (definite(*s),)) for s in SQUARE_SHAPES},
    **{f"eigh {s}": (lambda x: L.eigh(symmetric(x)), (definite(*s),)) for s in SQUARE_SHAPES},
    "eigh U": (lambda x: L.eigh(symmetric(x), "U"), (definite(3, 3),)),
    **{f"svd {s}": (L.svd, (regular(*s),)) for s in SQUARE_SHAPES},
    **{
        f"svd reduced {s}": (lambda x: L.svd(x, full_matrices=False), (regular(*s),))
        for s in [(3, 2), (2, 3), (2, 4, 2), (1, 3)]
    },
    "svd values": (lambda x: L.svd(x, compute_uv=False), (regular(3, 2),)),
    "svd hermitian": (lambda x: L.svd(symmetric(x), compute_uv=False, hermitian=True), (definite(3, 3),)),
    **{f"qr {s}": (L.qr, (regular(*s),)) for s in [*SQUARE_SHAPES, (3, 2), (2, 4, 2), (2, 3), (2, 2, 4)]},
    "qr r": (lambda x: L.qr(x, "r"), (regular(3, 2),)),
    "qr complete": (lambda x: L.qr(x, "complete"), (regular(2, 3),)),
    **{
        f"lstsq {a} {b}": (L.lstsq, (regular(*a), real(*b)))
        for a, b in [((3, 3), (3,)), ((4, 2), (4,)), ((4, 2), (4, 3)), ((2, 4), (2, 2))]
    },
    "pinv rtol": (lambda x: L.pinv(x, rtol=1e-8), (regular(3, 2),)),
    "pinv hermitian": (lambda x: L.pinv(symmetric(x), hermitian=True), (definite(3, 3),)),
    "trace": (lambda x: L.trace(x, offset=1), (real(2, 3, 4),)),
    "diagonal": (lambda x: L.diagonal(x, offset=-1), (real(2, 3, 4),)),
    "matmul": (L.matmul, (real(2, 3, 2), real(2, 2))),
    "outer": (L.outer, (real(3), real(2))),
    "tensordot": (lambda a, b: L.tensordot(a, b, axes=1), (real(2, 3), real(3, 2))),
}  # fmt: skip
every_call = pytest.mark.parametrize("name", CALLS)


def close(a: Any, b: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(1.0, np.abs(b).max(initial=0)))


@every_call
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_values_are_numpys(name: str, dtype: str) -> None:
    f, arrays = CALLS[name]
    xs = [x.astype(dtype) for x in arrays]
    expected, given = f(*xs), f(*[ag.tensor(x, requires_grad=True) for x in xs])
    assert getattr(given, "_fields", None) == getattr(expected, "_fields", None)
    for y, e in zip(flat(given), flat(expected), strict=True):
        assert np.shape(y) == np.shape(e)
        assert y.dtype == e.dtype
        close(y.detach().numpy() if isinstance(y, ag.Tensor) else y, e, 1e-12 if dtype == "f8" else 2e-5)


@every_call
def test_gradients(name: str) -> None:
    f, arrays = CALLS[name]
    if not all(x.size for x in arrays):
        xs = [ag.tensor(x, requires_grad=True) for x in arrays]
        np.sum(flat(f(*xs))[-1]).backward()
        assert all(x.grad is None or x.grad.shape == x.shape for x in xs)
        return

    def differentiable(*xs: Any) -> Any:
        return tuple(y for y in flat(f(*xs)) if np.size(y) and y.dtype.kind == "f")

    assert check_gradients(differentiable, *arrays, order=2).passed


@every_call
def test_float32_stays_float32(name: str) -> None:
    f, arrays = CALLS[name]
    xs = [ag.tensor(x.astype("f4"), requires_grad=True) for x in arrays]
    for y in flat(f(*xs)):
        if isinstance(y, ag.Tensor):
            y.sum().backward(retain_graph=True)
    assert {x.grad.dtype for x in xs if x.grad is not None} <= {np.dtype("f4")}


NAMES = ["cholesky", "cond", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_norm", "matrix_power",
         "multi_dot", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "vector_norm"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_both_spellings_are_one_function(name: str) -> None:
    assert NUMPY[getattr(L, name)] is getattr(ag, name)
    x = definite(3, 3)
    args: dict[str, tuple[Any, ...]] = {
        "multi_dot": ([x, x],), "matrix_power": (x, 2), "solve": (x, x), "lstsq": (x, x)}  # fmt: skip
    plain = getattr(ag, name)(*args.get(name, (x,)))
    assert not any(isinstance(y, ag.Tensor) for y in flat(plain))


# -- awkward places --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("x", [
    np.zeros((2, 2)), np.eye(3), np.array([[1.0, 2.0], [2.0, 4.0]]), np.arange(9.0).reshape(3, 3),
    np.diag([1.0, 2.0, 0.0]), np.diag([3.0, 0.0, 0.0, 2.0]), np.stack([np.eye(2), np.ones((2, 2))]),
    1e-3 * np.eye(4),
], ids=lambda x: str(x.tolist()))  # fmt: skip
def test_det_of_singular_and_degenerate_matrices(x: Any, order: int) -> None:
    assert check_gradients(ag.det, x, order=order).passed


def test_det_of_low_rank_has_no_gradient() -> None:
    np.testing.assert_allclose(ag.grad(ag.det)(np.ones((3, 3))), np.zeros((3, 3)), atol=1e-15)


def test_det_is_differentiable_three_times() -> None:
    def hessian_product(x: Any) -> Any:
        return ag.jvp(ag.grad(ag.det), (x,), (direction,))[1]

    x, direction = regular(3, 3), real(3, 3)
    assert check_gradients(hessian_product, x, order=1).passed


def test_values_of_degenerate_matrices_have_finite_gradients() -> None:
    one = np.eye(3)
    close(ag.grad(lambda a: np.sum(ag.eigvalsh(a) ** 3))(one), 3 * one)
    close(ag.grad(lambda a: np.sum(ag.svdvals(a) ** 3))(one), 3 * one)
    close(ag.grad(lambda a: np.sum(ag.svdvals(a)))(np.zeros((3, 2))), np.eye(3, 2))
    _, t = ag.jvp(lambda a: np.sum(ag.eigvalsh(a) ** 2), (one,), (np.ones((3, 3)),))
    close(t, 6.0)


@pytest.mark.parametrize("f", [L.cholesky, L.eigvalsh, lambda x: L.eigh(x)[1]])
def test_only_one_triangle_is_read(f: Any) -> None:
    x = definite(3, 3)
    lower = np.tril(x) + np.triu(np.full((3, 3), 9.0), 1)
    close(f(ag.tensor(lower, requires_grad=True)).detach().numpy(), f(lower))
    g = ag.grad(lambda a: np.sum(f(a) * real_3))(x)
    close(g, g.T)


real_3 = real(3)


@pytest.mark.parametrize("n", [47, 48, 49, 100, 131])
def test_triangles_are_inverted_by_halves(n: int) -> None:
    a = np.tril(real(2, n, n) / n) + np.eye(n)
    full = a + np.triu(real(2, n, n), 1)  # nothing above the diagonal is read
    close(factorizations.lower_inverse(full), L.inv(a), 1e-12)
    x = a @ a.mT
    g, t = real(2, n, n), symmetric(real(2, n, n))
    lower = L.cholesky(x)
    bar = ag.vjp(ag.cholesky, x)[1](g)[0]
    _, tangent = ag.jvp(ag.cholesky, (x,), (t,))
    close(lower @ tangent.mT + tangent @ lower.mT, t, 1e-11)  # from A = L L^T
    close(np.sum(bar * t), np.sum(g * tangent), 1e-11)


def test_norm_at_zero_has_derivative_zero() -> None:
    assert not ag.grad(ag.vector_norm)(np.zeros(3)).any()
    assert not ag.grad(ag.matrix_norm)(np.zeros((2, 2))).any()


def test_cond_of_zeros_is_numpys() -> None:
    for p in (None, 2, -2):
        x = ag.tensor(np.zeros((2, 2)), requires_grad=True)
        assert ag.cond(x, p).detach().numpy() == L.cond(np.zeros((2, 2)), p)


# -- SciPy's ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, 1e-8, 0.1, 1.0, 6.0, 40.0])
def test_expm(size: float) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    x = real(2, 3, 3) * size
    close(ag.expm(x), linalg.expm(x))
    close(ag.expm(x.astype("f4")), linalg.expm(x).astype("f4"), 1e-4)


@pytest.mark.parametrize("x", [real(3, 3), real(2, 2, 2) * 5, np.zeros((2, 2)), np.array([[1.5]])],
                         ids=lambda x: str(x.shape))  # fmt: skip
def test_gradients_of_expm(x: Any) -> None:
    assert check_gradients(ag.expm, x, order=2).passed


def test_expm_of_nothing_and_of_integers() -> None:
    assert ag.expm(np.zeros((0, 0))).shape == (0, 0)
    close(ag.expm(np.zeros((2, 2), int)), np.eye(2))
    assert ag.grad(lambda a: ag.expm(a).sum())(np.eye(2, dtype="f4")).dtype == np.float32


@pytest.mark.parametrize("trans", [0, 1, "N", "T"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_solve_triangular(trans: Any, lower: bool, unit: bool, shape: Any) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    a, b = dominant(3, 3), real(*shape)
    options = {"trans": trans, "lower": lower, "unit_diagonal": unit}
    close(ag.solve_triangular(a, b, **options), linalg.solve_triangular(a, b, **options))
    assert check_gradients(lambda a, b: ag.solve_triangular(a, b, **options), a, b, order=2).passed


# -- PyTorch's gradients ---------------------------------------------------------------------------

PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any], Any]] = {
    "inv": (ag.inv, lambda torch, x: torch.linalg.inv(x), dominant(2, 3, 3)),
    "det": (ag.det, lambda torch, x: torch.linalg.det(x), dominant(2, 3, 3)),
    "slogdet": (lambda x: ag.slogdet(x)[1], lambda torch, x: torch.linalg.slogdet(x)[1], dominant(2, 3, 3)),
    "cholesky": (ag.cholesky, lambda torch, x: torch.linalg.cholesky(x), definite(2, 3, 3)),
    "eigvalsh": (ag.eigvalsh, lambda torch, x: torch.linalg.eigvalsh(x), definite(2, 3, 3)),
    "eigh": (lambda x: ag.eigh(x)[1] ** 2, lambda torch, x: torch.linalg.eigh(x)[1] ** 2, definite(3, 3)),
    "svdvals": (ag.svdvals, lambda torch, x: torch.linalg.svdvals(x), regular(2, 4, 3)),
    "svd U": (lambda x: ag.svd(x, full_matrices=False)[0] ** 2,
              lambda torch, x: torch.linalg.svd(x, full_matrices=False)[0] ** 2, regular(4, 3)),
    "svd V": (lambda x: ag.svd(x, full_matrices=False)[2] ** 2,
              lambda torch, x: torch.linalg.svd(x, full_matrices=False)[2] ** 2, regular(3, 4)),
    "qr Q": (lambda x: ag.qr(x)[0] ** 2, lambda torch, x: torch.linalg.qr(x)[0] ** 2, regular(4, 3)),
    "qr R": (lambda x: ag.qr(x)[1] ** 2, lambda torch, x: torch.linalg.qr(x)[1] ** 2, regular(4, 3)),
    "pinv": (ag.pinv, lambda torch, x: torch.linalg.pinv(x), regular(4, 3)),
    "expm": (ag.expm, lambda torch, x: torch.linalg.matrix_exp(x), real(2, 3, 3)),
    "matrix_power": (lambda x: ag.matrix_power(x, -3), lambda torch, x: torch.linalg.matrix_power(x, -3),
                     dominant(3, 3)),
    "nuc": (lambda x: ag.matrix_norm(x, ord="nuc"), lambda torch, x: torch.linalg.matrix_norm(x, "nuc"),
            regular(2, 3, 2)),
    "cond": (ag.cond, lambda torch, x: torch.linalg.cond(x), regular(3, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs, x = PAIRS[name]
    t, u = torch.tensor(x, requires_grad=True), ag.tensor(x, requires_grad=True)
    y, z = theirs(torch, t), ours(u)
    w = np.random.default_rng(0).normal(size=z.shape)
    (y * torch.tensor(w)).sum().backward()
    (z * w).sum().backward()
    close(z.detach().numpy(), y.detach().numpy(), 1e-10)
    close(u.grad, t.grad.numpy(), 1e-9)


def test_solve_and_lstsq_gradients_are_pytorchs() -> None:
    torch: Any = pytest.importorskip("torch")
    for ours, theirs, a, b in [
        (ag.solve, torch.linalg.solve, dominant(2, 3, 3), real(2, 3, 2)),
        (lambda a, b: ag.lstsq(a, b)[0], lambda a, b: torch.linalg.lstsq(a, b)[0], regular(4, 2), real(4, 3)),
    ]:
        xs = [ag.tensor(x, requires_grad=True) for x in (a, b)]
        ts = [torch.tensor(x, requires_grad=True) for x in (a, b)]
        np.sum(ours(*xs) ** 2).backward()
        (theirs(*ts) ** 2).sum().backward()
        for x, t in zip(xs, ts, strict=True):
            close(x.grad, t.grad.numpy(), 1e-9)


# -- errors ----------------------------------------------------------------------------------------

HALF: Any = 0.5
WRONG: dict[str, tuple[Callable[[Any], Any], Any, type[Exception], str]] = {
    **{
        f"{name} not square": (getattr(ag, name), (2, 3), L.LinAlgError, rf"\[{name}\] got shape \(2, 3\)")
        for name in ("inv", "det", "slogdet", "cholesky", "eigh", "expm")
    },
    "eigvalsh": (ag.eigvalsh, (2, 3), L.LinAlgError, r"\[eigvalsh\] got shape \(2, 3\)"),
    "cond": (lambda x: ag.cond(x, 1), (2, 3), L.LinAlgError, r"\[cond\] got shape \(2, 3\)"),
    "inv singular": (ag.inv, (2, 2), L.LinAlgError, r"\[inv\] .*Singular"),
    "solve singular": (lambda x: ag.solve(x, np.ones(2)), (2, 2), L.LinAlgError, r"\[solve\] .*Singular"),
    "triangular": (lambda x: ag.solve_triangular(x * 0, np.ones(2)), (2, 2), L.LinAlgError, "Singular"),
    "trans": (lambda x: ag.solve_triangular(x, x, trans=3), (2, 2), ValueError, "solve_triangular.*trans=3"),
    "cholesky": (lambda x: ag.cholesky(-x), (2, 2), L.LinAlgError, r"\[cholesky\] .*positive definite"),
    "slogdet": (lambda x: ag.slogdet(x)[1].backward(), (2, 2), L.LinAlgError, r"\[slogdet\] got a singular"),
    "svd": (ag.svd, (2, 3), TypeError, r"\[svd\] .*full_matrices=False"),
    "svd axes": (ag.svd, (2,), L.LinAlgError, r"\[svd\] got shape \(2,\)"),
    "qr": (lambda x: ag.qr(x, "complete"), (3, 2), TypeError, r"\[qr\] got mode='complete'"),
    "qr mode": (lambda x: ag.qr(x, "best"), (3, 2), ValueError, r"\[qr\] got mode='best'"),
    "qr axes": (ag.qr, (2,), L.LinAlgError, r"\[qr\] got shape \(2,\)"),
    "eigh": (lambda x: ag.eigh(x, "X"), (2, 2), ValueError, r"\[eigh\] got UPLO='X'"),
    "power": (lambda x: L.matrix_power(x, HALF), (2, 2), TypeError, r"\[matrix_power\] got exponent 0.5"),
    "multi_dot": (lambda x: ag.multi_dot([x, x]), (2, 3), L.LinAlgError, r"\[multi_dot\] got shapes"),
    "multi_dot 1": (lambda x: ag.multi_dot([x]), (2, 3), ValueError, r"\[multi_dot\] got 1 arrays"),
    "lstsq": (lambda x: ag.lstsq(x, np.ones(3)), (2, 3), L.LinAlgError, r"\[lstsq\] got shapes"),
    "pinv": (lambda x: ag.pinv(x, 1e-3, rtol=1e-3), (2, 3), ValueError, r"\[pinv\] got rtol= and rcond="),
    "pinv axes": (ag.pinv, (2,), L.LinAlgError, r"\[pinv\] got shape"),
    "outer": (lambda x: L.outer(x, x), (2, 2), ValueError, r"\[outer\] got shapes"),
    "matrix_norm": (ag.matrix_norm, (2,), ValueError, "axis"),
    "vector_norm": (lambda x: ag.vector_norm(x, axis=2), (2, 2), ValueError, "axis 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_is_wrong(name: str) -> None:
    f, shape, kind, says = WRONG[name]
    with np.errstate(all="ignore"), pytest.raises(kind, match=says):
        f(ag.tensor(np.ones(shape), requires_grad=True))
