"""Special functions, joining and cutting: NumPy's values and errors, gradients by differences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck import check_gradients
from autograd_core.ops import joining
from autograd_core.primitive import NUMPY

inf, nan = np.inf, np.nan
RNG = np.random.default_rng(7)
MASK = np.array([True, False, True, False])
SLICES = [slice(None), slice(0, 0), slice(1, 3), slice(None, None, 2), slice(3, None, -1), slice(-2, 9)]


def values(*shape: int) -> Any:
    """Return numbers away from 0 and from whole numbers."""
    return RNG.choice([-1, 1], shape) * (RNG.integers(0, 3, shape) + RNG.uniform(0.2, 0.8, shape))


def unstack(x: Any, **axis: Any) -> Any:
    """Return NumPy's, or what it would be (before 2.1)."""
    f: Any = ag.unstack if isinstance(x, ag.Tensor) else getattr(np, "unstack", joining._unstack)
    return f(x, **axis)


X, M, C = values(4), values(3, 4), values(2, 3, 4)
POSITIVE = np.abs(values(4))
WHOLE = np.array([1, -2, 0, 3])

Call = tuple[Callable[..., Any], tuple[Any, ...]]
# fmt: off
CALLS: dict[str, Call] = {
    # special functions
    "copysign":             (np.copysign, (X, values(3, 4))),
    "copysign, number":     (lambda x: np.copysign(x, -2.0), (M,)),
    "copysign of number":   (lambda x: np.copysign(2.0, x) * x, (M,)),
    "copysign, 0-d":        (np.copysign, (1.5, -0.5)),
    "heaviside":            (np.heaviside, (X, M)),
    "heaviside, times":     (lambda x, h: np.heaviside(x, h) * x * h, (X, M)),
    "heaviside at 0":       (lambda h: np.heaviside(np.array([-1.0, 0.0, 0.0, 2.0]), h) * h, (X,)),
    "ldexp":                (lambda x: np.ldexp(x, WHOLE), (M,)),
    "ldexp, number":        (lambda x: np.ldexp(x, 3) * x, (X,)),
    "fabs":                 (lambda x: np.fabs(x) * x, (M,)),
    "float_power":          (np.float_power, (POSITIVE, M)),
    "float_power, number":  (lambda x: np.float_power(x, 3), (M,)),
    "float_power of number": (lambda x: np.float_power(2, x), (M,)),
    "float_power, -1":      (lambda x: np.float_power(x, -1), (X,)),
    "float_power, list":    (lambda x: np.float_power(x, [1, 2, 3, 0]), (X,)),
    "divmod":               (lambda x, y: np.divmod(x, y)[1] * x, (M, values(4))),
    "divmod operator":      (lambda x: np.sum(divmod(x, 0.7)[1]), (M,)),
    "sinc":                 (np.sinc, (M,)),
    "sinc at 0":            (np.sinc, (np.array([0.0, -0.0, 1e-4, 0.3, 0.6366, 1.0, -2.0, 30.2]),)),
    "sinc, 0-d":            (np.sinc, (0.0,)),
    "sinc, strided":        (lambda x: np.sinc(x[:, ::2].T), (M,)),
    "i0":                   (np.i0, (M,)),
    "i0, far":              (np.i0, (np.array([0.0, 1e-3, 7.9, 8.1, -12.0]),)),
    "i0, 0-d":              (np.i0, (0.0,)),
    "nan_to_num":           (np.nan_to_num, (M,)),
    # joining
    "atleast_3d 0":         (np.atleast_3d, (1.5,)),
    "atleast_3d 1":         (np.atleast_3d, (X,)),
    "atleast_3d 2":         (np.atleast_3d, (M,)),
    "atleast_3d 4":         (np.atleast_3d, (values(2, 1, 3, 2),)),
    "atleast_3d, several":  (np.atleast_3d, (1.5, X, M, C)),
    "dstack 1":             (lambda *a: np.dstack(a), (X, values(4))),
    "dstack 2":             (lambda *a: np.dstack(a), (M, values(3, 4), values(3, 4))),
    "dstack 3":             (lambda *a: np.dstack(a), (C, values(2, 3, 1))),
    "dstack, 0-d":          (lambda *a: np.dstack(a), (1.0, 2.0)),
    "dstack, mixed":        (lambda x: np.dstack([x, [[1.0, 2.0, 3.0, 4.0]], x]), (X,)),
    "dstack of one":        (np.dstack, (C,)),
    "block 1":              (lambda x, y: np.block([x, 1.0, y, [2.0][0]]), (X, values(2))),
    "block 2":              (lambda a, b, c, d: np.block([[a, b], [c, d]]),
                             (M, values(3, 2), values(1, 4), values(1, 2))),
    "block, twice":         (lambda a: np.block([[a, np.eye(3)], [np.ones((1, 7))], [a, a[:, :3]]]), (M,)),
    "block 3":              (lambda a, b: np.block([[[a, b]], [[b, a]]]), (C, values(2, 3, 2))),
    "block, more axes":     (lambda a, x: np.block([a, x * x]), (M, values(3, 1))),
    "block, of more axes":  (lambda c, m: np.block([c, m, np.eye(3)]), (C[:1], M)),
    "block, vectors":       (lambda x, y: np.block([[x, y], [y, x]]), (X, values(2))),
    "block of an array":    (lambda x: np.block(x) * x, (M,)),
    "block of a number":    (lambda x: np.block([[x, 2.0], [3.0, x * x]]), (1.5,)),
    "append":               (np.append, (M, C)),
    "append, number":       (lambda x: np.append(x, 3.0), (M,)),
    "append to a list":     (lambda x: np.append([1.0, 2.0], x), (M,)),
    "append, axis":         (lambda x, y: np.append(x, y, axis=0), (M, values(1, 4))),
    "append, axis -1":      (lambda x, y: np.append(x, y, -1), (M, values(3, 2))),
    "append, empty":        (np.append, (X, np.zeros(0))),
    # cutting
    "unstack":              (unstack, (M,)),
    "unstack -1":           (lambda x: unstack(x, axis=-1), (C,)),
    "unstack 1":            (lambda x: unstack(x, axis=1), (C,)),
    "unstack, one":         (unstack, (X,)),
    "dsplit":               (lambda x: np.dsplit(x, 2), (C,)),
    "dsplit at":            (lambda x: np.dsplit(x, [1, 3]), (C,)),
    "dsplit at, beyond":    (lambda x: np.dsplit(x, [2, 2]), (values(1, 1, 3),)),
    **{f"delete {obj!r} {axis}": (lambda x, obj=obj, axis=axis: np.delete(x, obj, axis), (x,))
       for x in (X, M.T, C.transpose(2, 0, 1)) for axis in (None, 0) for obj in
       [0, -1, 3, [0, 2], [1, 1, -1], [], np.array([2]), *SLICES] if np.size(x) > 3},
    "delete mask":          (lambda x: np.delete(x, MASK, axis=1), (M,)),
    "delete -1":            (lambda x: np.delete(x, [0, -1], axis=-1), (C,)),
    **{f"insert {obj!r}": (lambda x, v, obj=obj: np.insert(x, obj, v), (X, 7.5))
       for obj in [0, 4, -1, [2], [0, 4], [3, 0], [1, 1, 1], *SLICES]},
    **{f"insert several {obj!r}": (lambda x, v, obj=obj: np.insert(x, obj, v), (X, values(3)))
       for obj in (1, -2, [2], [0, 4, 2], [2, 2, 1], np.array(1))},
    "insert, flattened":    (lambda x, v: np.insert(x, [1, 5], v), (M, values(2))),
    "insert, flattened 2":  (lambda x, v: np.insert(x, 3, v), (M, values(3))),
    "insert row":           (lambda x, v: np.insert(x, 1, v, axis=0), (M, values(4))),
    "insert rows":          (lambda x, v: np.insert(x, [1, 3], v, axis=0), (M, values(2, 4))),
    "insert rows, spread":  (lambda x, v: np.insert(x, [1, 3], v, axis=0), (M, values(4))),
    "insert column":        (lambda x, v: np.insert(x, 1, v, axis=1), (M, values(3))),
    "insert column, one":   (lambda x, v: np.insert(x, [1], v, axis=1), (M, values(3, 1))),
    "insert columns":       (lambda x, v: np.insert(x, [1], v, axis=-1), (M, values(3, 2))),
    "insert columns 2":     (lambda x, v: np.insert(x, 2, v, axis=-1), (M, values(2, 3))),
    "insert, 3 axes":       (lambda x, v: np.insert(x, [0, 2], v, axis=1), (C, values(2, 1, 4))),
    "insert, a number":     (lambda x, v: np.insert(x, 2, v, axis=1), (C, 2.5)),
    "insert into constant": (lambda v: np.insert(np.zeros((2, 3)), 1, v, axis=0), (values(3),)),
    "insert a constant":    (lambda x: np.insert(x, slice(0, 3), [1, 2, 3]), (X,)),
    "insert many":          (lambda x, v: np.insert(x, range(0, 24, 2), v), (values(24), values(12))),
    "delete many":          (lambda x: np.delete(x, range(0, 30, 2), axis=1), (values(2, 30),)),
    "delete, squared":      (lambda x: np.delete(x, [2, 0], axis=0) ** 2, (M,)),
    "delete many, squared": (lambda x: np.delete(x, range(0, 30, 2)) ** 2, (values(30),)),
    "insert many, squared": (lambda x, v: np.insert(x, [3, 0, 2], v) ** 2, (X, values(3))),
    "delete column":        (lambda x: np.delete(x, 1, axis=1), (C,)),
    "insert nothing":       (lambda x: np.insert(x, [], 5.0), (X,)),
    # laying out
    **{f"meshgrid {n} {options}": (lambda *x, o=options: np.meshgrid(*x, **o), (X, values(2), values(3))[:n])
       for n in (1, 2, 3) for options in
       [{}, {"indexing": "ij"}, {"sparse": True}, {"copy": False}, {"sparse": True, "copy": False},
        {"indexing": "ij", "sparse": True, "copy": False}, {"indexing": "ij", "copy": False}]},
    "meshgrid, 0-d":        (np.meshgrid, (1.5, X)),
    "meshgrid, matrix":     (np.meshgrid, (M, X)),
    "meshgrid, constant":   (lambda x: np.meshgrid([1.0, 2.0], x, 3.0), (X,)),
    "meshgrid, one twice":  (lambda x: np.meshgrid(x, x), (X,)),
    **{f"rot90 {k}": (lambda x, k=k: np.rot90(x, k), (M,)) for k in range(-5, 6)},
    **{f"rot90 {k} {axes}": (lambda x, k=k, axes=axes: np.rot90(x, k=k, axes=axes), (C,))
       for k in range(4) for axes in ((0, 2), (2, 0), (-1, 1), [1, 2])},
    **{f"rollaxis {a} {s}": (lambda x, a=a, s=s: np.rollaxis(x, a, s), (C,))
       for a in (-3, -1, 0, 1, 2) for s in (-3, -1, 0, 1, 2, 3)},
    "diagflat":             (np.diagflat, (X,)),
    "diagflat of a matrix": (lambda x: np.diagflat(x, 1), (values(2, 2),)),
    "diagflat below":       (lambda x: np.diagflat(x, k=-2), (X,)),
    "diagflat, 0-d":        (np.diagflat, (1.5,)),
    **{f"vander {n} {up}": (lambda x, n=n, up=up: np.vander(x, n, increasing=up), (X,))
       for n in (None, 1, 2, 3, 4, 5, 8) for up in (False, True)},
    "joined, squared":      (lambda a, b: np.dstack([np.block([[a, b], [b, a]]) ** 2] * 2), (M, M + 1)),
    "vander at 0":          (lambda x: np.vander(x, 4), (np.array([0.0, 1.0, -1.0]),)),
}
EMPTY: dict[str, Call] = {
    "copysign": (np.copysign, (np.zeros((0, 4)), X)), "heaviside": (np.heaviside, (np.zeros((0, 1)), X)),
    "sinc": (np.sinc, (np.zeros((2, 0)),)), "i0": (np.i0, (np.zeros((2, 0)),)),
    "float_power": (np.float_power, (np.zeros(0), 2.0)), "nan_to_num": (np.nan_to_num, (np.zeros(0),)),
    "ldexp": (lambda x: np.ldexp(x, WHOLE), (np.zeros((0, 4)),)),
    "atleast_3d": (np.atleast_3d, (np.zeros(0),)), "dstack": (lambda *a: np.dstack(a), (np.zeros(0),) * 2),
    "block": (lambda x: np.block([[x, x]]), (np.zeros((0, 2)),)),
    "append": (np.append, (np.zeros(0), np.zeros((0, 2)))),
    "delete": (lambda x: np.delete(x, []), (np.zeros(0),)),
    "delete all": (lambda x: np.delete(x, slice(None)), (X,)),
    "insert": (lambda x, v: np.insert(x, 0, v), (np.zeros(0), 3.0)),
    "insert column": (lambda x, v: np.insert(x, 0, v, axis=1), (np.zeros((0, 3)), 3.0)),
    "unstack": (lambda x: unstack(x, axis=1), (np.zeros((0, 2)),)),
    "dsplit": (lambda x: np.dsplit(x, 2), (np.zeros((0, 1, 2)),)),
    "meshgrid": (np.meshgrid, (np.zeros(0), X)), "rot90": (np.rot90, (np.zeros((0, 3)),)),
    "diagflat": (np.diagflat, (np.zeros(0),)), "vander": (lambda x: np.vander(x, 3), (np.zeros(0),)),
    "vander 0": (lambda x: np.vander(x, 0), (X,)),
}
# fmt: on
EVERY = {**CALLS, **{f"empty: {name}": call for name, call in EMPTY.items()}}
every = pytest.mark.parametrize("name", EVERY)


def flat(y: Any) -> list[Any]:
    return [*y] if isinstance(y, (tuple, list)) else [y]


@every
def test_values_are_numpys(name: str) -> None:
    f, xs = EVERY[name]
    expected = f(*[np.asarray(x) for x in xs])
    actual = f(*[ag.tensor(np.asarray(x), requires_grad=True) for x in xs])
    if isinstance(expected, (tuple, list)):  # of sparse views NumPy's meshgrid makes a list
        assert type(actual) is (tuple if "meshgrid" in name else type(expected))
    assert any(isinstance(a, ag.Tensor) and a.requires_grad for a in flat(actual))
    assert len(flat(actual)) == len(flat(expected))
    for a, e in zip(map(ag.as_tensor, flat(actual)), flat(expected), strict=True):
        assert (a.shape, a.dtype) == (np.shape(e), np.asarray(e).dtype)
        np.testing.assert_allclose(a.detach().numpy(), e, 1e-14, 1e-14)


@every
def test_gradients(name: str) -> None:
    f, xs = EVERY[name]
    check_gradients(f, *[np.array(x, float) for x in xs], order=2)


@every
def test_float32_gradients(name: str) -> None:
    f, xs = EVERY[name]
    leaves = [ag.tensor(np.asarray(x, np.float32), requires_grad=True) for x in xs]
    results = flat(f(*leaves))
    for r, e in zip(results, flat(f(*[np.asarray(x, np.float32) for x in xs])), strict=True):
        assert r.dtype == np.asarray(e).dtype
    sum(np.sum(r * r) for r in results).backward()
    for leaf in leaves:
        assert leaf.grad is not None
        assert leaf.grad.dtype == np.float32
    for _, t in [ag.jvp(lambda *a: flat(f(*a)), [x.detach().numpy() for x in leaves],
                        [np.ones(x.shape, np.float32) for x in leaves])]:  # fmt: skip
        for one, r in zip(t, results, strict=True):
            assert one.dtype == r.dtype


def test_without_a_tensor_it_is_numpys() -> None:
    x = np.array([[0.5, nan], [-3.0, 2.0]])
    for name in ("fabs", "nan_to_num", "i0", "rot90", "atleast_3d", "diagflat"):
        ours, numpys = getattr(ag, name)(x), getattr(np, name)(x)
        assert type(ours) is type(numpys)
        np.testing.assert_array_equal(ours, numpys)
    assert type(ag.float_power(2, 3)) is np.float64
    assert ag.divmod(7, 2) == (3, 1)
    assert ag.copysign(1, -2) == -1
    assert [p.tolist() for p in ag.unstack(np.eye(2))] == [[1, 0], [0, 1]]


# -- values that are not finite, dtypes ------------------------------------------------------------


def test_nan_to_num_passes_what_is_finite() -> None:
    x = np.array([1.0, nan, inf, -inf, -2.0])
    for options in ({}, {"nan": 5.0}, {"nan": 1, "posinf": 2, "neginf": 3}):
        for dtype in ("f8", "f4"):
            t = ag.tensor(x.astype(dtype), requires_grad=True)
            y = np.nan_to_num(t, **options)
            np.testing.assert_array_equal(y.detach().numpy(), np.nan_to_num(x.astype(dtype), **options))
            assert y.dtype == dtype
            y.backward(np.full(5, 3, dtype))
            np.testing.assert_array_equal(t.grad, [3, 0, 0, 0, 3])
    t = ag.tensor(x, requires_grad=True)
    np.nan_to_num(t).backward(np.array([1.0, inf, nan, inf, 2.0]))
    np.testing.assert_array_equal(t.grad, [1, 0, 0, 0, 2])


def test_nan_to_num_differentiates_replacements() -> None:
    x = np.array([1.0, nan, inf, -inf, nan])
    for use in (np.array(x), ag.tensor(x), ag.tensor(x, requires_grad=True)):
        fills = [ag.tensor(v, requires_grad=True) for v in (2.0, 3.0, 4.0)]
        y = ag.nan_to_num(use, True, *fills)
        assert y.tolist() == [1, 2, 3, 4, 2]
        y.backward(np.arange(1.0, 6))
        assert [float(f.grad) for f in fills] == [7, 3, 4]


def test_nan_to_num_of_whole_numbers() -> None:
    y = np.nan_to_num(ag.tensor(np.array([1, 2])))
    assert y.dtype == np.int64
    assert y.tolist() == [1, 2]


def test_heaviside_gives_h_the_gradient_at_0() -> None:
    x = ag.tensor(np.array([-1.0, 0.0, -0.0, 2.0]), requires_grad=True)
    h = ag.tensor(0.5, requires_grad=True)
    y = np.heaviside(x, h)
    assert y.tolist() == [0, 0.5, 0.5, 1]
    y.backward(np.array([inf, 2.0, 3.0, inf]))
    assert x.grad.tolist() == [0] * 4
    assert h.grad == 5


def test_copysign_sees_the_sign_of_zero() -> None:
    a, b = ag.tensor(np.array([2.0, -2.0]), requires_grad=True), np.array([0.0, -0.0])
    np.copysign(a, b).backward(np.ones(2))
    assert a.grad.tolist() == [1, 1]


def test_float_power_is_float64_and_right_at_zero() -> None:
    x = ag.tensor(np.array([0.0, 2.0], np.float32), requires_grad=True)
    y = np.float_power(x, np.array([2, 0]))
    assert y.dtype == np.float64
    y.backward(np.ones(2))
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [0, 0]


def test_divmod_agrees_with_the_operator_and_with_numpy() -> None:
    a, b = values(5, 4), values(4)
    q, r = np.divmod(ag.tensor(a, requires_grad=True), ag.tensor(b, requires_grad=True))
    assert isinstance(q, np.ndarray)
    assert r.requires_grad
    for ours, operator, numpys in zip((q, r), divmod(ag.tensor(a), b), np.divmod(a, b), strict=True):
        np.testing.assert_array_equal(np.asarray(operator), numpys)
        np.testing.assert_array_equal(ours if ours is q else ours.detach().numpy(), numpys)


def test_sinc_to_the_sixth_order_at_zero() -> None:
    f: Any = np.sinc
    for n in range(1, 7):
        f = ag.grad(f)
        expected = 0 if n % 2 else (-1) ** (n // 2) * math.pi**n / (n + 1)
        assert f(0.0) == pytest.approx(expected, rel=1e-14, abs=0)


def test_i0_satisfies_bessels_equation() -> None:
    first = ag.grad(lambda x: np.sum(np.i0(x)))
    for x in (1e-3, 0.5, 3.0, -8.0, 20.0, 300.0, -700.0):
        y, d = float(np.i0(x)), float(first(x))
        second = float(ag.grad(first)(x))
        assert x * second + d == pytest.approx(x * y, rel=1e-12)


@pytest.mark.parametrize("far", [1e4, 1e300])
def test_i0_far_away_ends(far: float) -> None:
    x = ag.tensor(np.array([far, 1.0, nan]), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.i0(x).backward(np.ones(3))
    assert x.grad[0] == inf
    assert np.isnan(x.grad[2])
    assert x.grad[1] == pytest.approx(0.5651591039924851, rel=1e-14)


def test_insert_keeps_the_dtype_of_the_array() -> None:
    x = ag.tensor(np.zeros(3, np.float32), requires_grad=True)
    v = ag.tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = np.insert(x, 1, v)
    assert y.dtype == np.float32
    y.backward(np.arange(5, dtype=np.float32))
    assert (x.grad.dtype, v.grad.dtype) == (np.float32, np.float64)
    assert x.grad.tolist() == [0, 3, 4]
    assert v.grad.tolist() == [1, 2]


def test_places_may_be_tensors() -> None:
    t, i = ag.tensor(X, requires_grad=True), ag.tensor(np.array([0, 2]))
    assert np.delete(t, i).tolist() == np.delete(X, [0, 2]).tolist()
    assert np.insert(t, i, 1.0).tolist() == np.insert(X, [0, 2], 1.0).tolist()


def test_meshgrid_copies_unless_told() -> None:
    x = ag.tensor(X, requires_grad=True)
    grids = np.meshgrid(x, [1.0, 2.0])
    assert all(isinstance(g, np.ndarray) or g.data.flags.writeable for g in grids)
    view = np.meshgrid(x, [1.0, 2.0], copy=False)[0]
    assert np.shares_memory(view.data, x.data)
    assert not np.shares_memory(grids[0].data, x.data)


@pytest.mark.parametrize("join", [
    lambda *a: np.dstack(a), lambda *a: np.block([[a[0]], [a[1]]]), lambda *a: np.append(*a, axis=0),
])  # fmt: skip
def test_each_piece_gets_its_own_gradient(join: Callable[..., Any]) -> None:
    a, b = (ag.tensor(M, requires_grad=True) for _ in range(2))
    y = join(a, b)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    a.grad[...] = 0
    assert not np.shares_memory(a.grad, b.grad)
    assert b.grad.any()


def test_unstack_undoes_stack() -> None:
    parts = [ag.tensor(X + i, requires_grad=True) for i in range(3)]
    again = ag.unstack(np.stack(parts, axis=1), axis=1)
    for i, (a, b) in enumerate(zip(parts, again, strict=True)):
        assert a.tolist() == b.tolist()
        b.backward(np.full(4, 1.0 + i), retain_graph=True)
    assert [p.grad.tolist() for p in parts] == [[1.0 + i] * 4 for i in range(3)]


def test_unstack_without_numpys() -> None:
    """NumPy 2.0 has none: ours stands in for it."""
    assert [p.tolist() for p in joining._unstack(M, axis=-1)] == M.T.tolist()
    assert ag.unstack in NUMPY.values()
    with pytest.raises(ValueError, match="at least 1-d"):
        joining._unstack(1.0)


# -- errors ----------------------------------------------------------------------------------------

T: Any = ag.tensor(M, requires_grad=True)
ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "block of a tuple": (lambda: ag.block([(T, T)]), TypeError, r"\[block\] got a tuple"),
    "block of depths": (lambda: np.block([[T], T]), ValueError, r"\[block\] got lists of depths \[0, 1\]"),
    "block of nothing": (lambda: np.block([[T], []]), ValueError, r"\[block\] got an empty list"),
    "block that does not fit": (lambda: np.block([[T, np.ones((2, 1))]]), ValueError,
                                r"\[block\] got a block of shape \(2, 1\) beside others along axis 1"),
    "dsplit": (lambda: np.dsplit(T, 2), ValueError, r"\[dsplit\] got an array of 2 axes, expected"),
    "dsplit unequal": (lambda: np.dsplit(ag.tensor(C, requires_grad=True), 3), ValueError, r"\[split\]"),
    "unstack": (lambda: ag.unstack(np.sum(T)), ValueError, r"\[unstack\] got an array of 0"),
    "unstack axis": (lambda: ag.unstack(T, axis=2), np.exceptions.AxisError, "axis 2"),
    "delete": (lambda: np.delete(T, 5, axis=0), IndexError, "index 5 is out of bounds"),
    "delete axis": (lambda: np.delete(T, 0, axis=2), np.exceptions.AxisError, "axis 2"),
    "delete mask": (lambda: np.delete(T, MASK, axis=0), ValueError, "boolean"),
    "insert": (lambda: np.insert(T, 9, 1.0, axis=0), IndexError, "index 9 is out of bounds"),
    "insert shape": (lambda: np.insert(T, 1, np.ones(3), axis=0), ValueError, r"\(3,\)|\(1,3\)|\(1, 3\)"),
    "append shape": (lambda: np.append(T, np.ones(3), axis=0), ValueError, "concatenate"),
    "meshgrid": (lambda: np.meshgrid(T, T, indexing="yx"), ValueError, r"\[meshgrid\] got indexing='yx'"),
    "rot90 axes": (lambda: np.rot90(T, axes=(0, 1, 1)), ValueError, r"\[rot90\] got axes=\(0, 1, 1\)"),
    "rot90 same": (lambda: np.rot90(T, axes=(1, -1)), ValueError, r"axes=\(1, -1\) of an array of 2 axes"),
    "rot90 range": (lambda: np.rot90(T, axes=(0, 2)), ValueError, "two different ones that it has"),
    "rollaxis": (lambda: np.rollaxis(T, 0, 4), np.exceptions.AxisError, r"\[rollaxis\] got start=4"),
    "rollaxis axis": (lambda: np.rollaxis(T, 3), np.exceptions.AxisError, "axis 3"),
    "vander": (lambda: np.vander(T), ValueError, r"\[vander\] got an array of 2 axes, expected 1"),
    "vander N": (lambda: np.vander(T[0], -1), ValueError, r"\[vander\] got N=-1"),
    "nan_to_num": (lambda: np.nan_to_num(T, copy=False), ValueError, r"\[nan_to_num\] got copy=False"),
    "ldexp": (lambda: np.ldexp(T, 0.5), TypeError, r"\[ldexp\] got"),
    "i0": (lambda: np.i0(ag.tensor(M + 1j)), TypeError, "i0"),
    "float_power": (lambda: np.float_power(T, np.ones(3)), ValueError, "power"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_came(name: str) -> None:
    f, kind, text = ERRORS[name]
    with pytest.raises(kind, match=text):
        f()


# -- beside PyTorch --------------------------------------------------------------------------------

TORCH: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {
    "copysign": (np.copysign, lambda t, a, b: t.copysign(a, b),
                 (np.array([1.5, -2.0, 0.0, 3.0]), np.array([-1.0, -0.0, -1.0, 2.0]))),
    "sinc": (np.sinc, lambda t, x: t.sinc(x), (np.array([0.0, 0.1, -1.0, 2.5]),)),
    "i0": (np.i0, lambda t, x: t.i0(x), (np.array([0.0, 0.1, -1.0, 9.5]),)),
    "ldexp": (lambda x: np.ldexp(x, WHOLE), lambda t, x: t.ldexp(x, t.tensor(WHOLE * 1.0)), (X,)),
    "float_power": (np.float_power, lambda t, a, b: t.float_power(a, b), (POSITIVE, X)),
    "nan_to_num": (np.nan_to_num, lambda t, x: t.nan_to_num(x), (np.array([1.0, nan, inf, -inf]),)),
    "rot90": (lambda x: np.rot90(x, 3), lambda t, x: t.rot90(x, 3), (M,)),
    "dstack": (lambda a, b: np.dstack([a, b]), lambda t, a, b: t.dstack([a, b]), (M, M + 1)),
    "meshgrid": (lambda *a: np.stack(np.meshgrid(*a)),
                 lambda t, *a: t.stack(t.meshgrid(*a, indexing="xy")), (X, values(2))),
}  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_gradients_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    f, theirs, xs = TORCH[name]
    ours = [ag.tensor(x, requires_grad=True) for x in xs]
    others = [torch.tensor(x, requires_grad=True) for x in xs]
    y, z = f(*ours), theirs(torch, *others)
    g = RNG.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    for a, b in zip(ours, others, strict=True):
        expected = np.zeros(a.shape) if b.grad is None else b.grad.numpy()
        np.testing.assert_allclose(a.grad, expected, 1e-10, 1e-12)
