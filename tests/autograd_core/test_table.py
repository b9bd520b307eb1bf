"""Every primitive, by its row of ``table.py``: values, both modes, every order, every corner.

The truth is NumPy: a gradient is compared with central differences of NumPy's own function, taken
at three steps and extrapolated (Richardson), which leaves an error of about 1e-12; a second
derivative with the same differences of the gradient.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import operator
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.node import Standin
from autograd_core.primitive import EVERYTHING, NUMPY, OUTPUT

from .table import DIVISOR, LAYERS, ROWS, Case, Point, Row, primitives
from .table_linalg import DEGENERATE


def rows(condition: Callable[[Row], Any] = lambda row: True) -> Any:
    """Return the mark that gives a test every row for which the condition holds."""
    return pytest.mark.parametrize("row", list(filter(condition, ROWS)), ids=str)


every_row = rows()


def named(row: Row) -> bool:
    """Tell whether the operation is reached by a name of NumPy's."""
    return row.op in NUMPY.values()


# -- finite differences, and what the checks share ------------------------------------------------

STEP = 2e-3


def slope(f: Callable[[float], Any]) -> Any:
    """Return the derivative of ``f`` at 0: central differences, extrapolated to a zero step."""
    with np.errstate(all="ignore"):
        d = [(f(h) - f(-h)) / (2 * h) for h in (4 * STEP, 2 * STEP, STEP)]
    d = [(4 * fine - coarse) / 3 for coarse, fine in itertools.pairwise(d)]
    return (16 * d[1] - d[0]) / 15


def numerical_jacobian(f: Callable[..., Any], xs: Sequence[Any], i: int) -> np.ndarray:
    """Return all df/dx_i: the output's axes, then the input's."""
    columns = []
    for place in np.ndindex(xs[i].shape):
        direction = np.zeros(xs[i].shape)
        direction[place] = 1

        def along(t: float, e: Any = direction) -> Any:
            return f(*xs[:i], np.asarray(xs[i] + t * e), *xs[i + 1 :])

        columns.append(slope(along))
    shape = np.shape(f(*xs))
    stacked = np.stack(columns, axis=-1) if columns else np.zeros((*shape, 0))
    return stacked.reshape(shape + xs[i].shape)


def close(actual: Any, expected: Any, rtol: float = 1e-9, label: Any = "") -> None:
    """Assert agreement to ``rtol`` of the largest expected number, and of shapes."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{label}: {actual.shape} for {expected.shape}"
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, finite.max()) if finite.size else 1.0
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale, err_msg=str(label))


def generator(row: Row, case: Case, stream: int = 0) -> np.random.Generator:
    """Return the same random numbers for a case in every run."""
    return np.random.default_rng([zlib.crc32(f"{row}{case}".encode()), stream])


def arrays(row: Row, case: Case, dtype: Any = np.float64) -> list[Any]:
    """Return the inputs of a case; what is not floating stays as it is."""
    drawn = row.draw(case, generator(row, case))
    return [x.astype(dtype) if x.dtype.kind == "f" else x for x in drawn]


def upstream(row: Row, case: Case, y: Any) -> Any:
    """Return a gradient from above, of the shape and dtype of ``y``."""
    rng = generator(row, case, 1)
    return np.asarray(rng.uniform(-1, 1, np.shape(y)), np.asarray(y).dtype)


def directions(row: Row, case: Case, xs: Sequence[Any]) -> list[Any]:
    """Return a tangent for each input."""
    rng = generator(row, case, 2)
    return [np.asarray(rng.uniform(-1, 1, x.shape), x.dtype) for x in xs]


@cache
def true_jacobians(row: Row, case: Case) -> dict[int, np.ndarray]:
    """Return dy/dx_i by differences, for each input that has one; casts are taken as exact."""
    params = dict(case.params)
    if params.get("dtype") is not None:
        params["dtype"] = np.float64
    xs = arrays(row, case)
    return {i: numerical_jacobian(lambda *a: row.numpy(*a, **params), xs, i)
            for i in row.differentiable(case)}  # fmt: skip


def function(row: Row, case: Case, xs: Sequence[Any], which: Sequence[int]) -> Callable[..., Any]:
    """Return the operation as a function of the inputs at ``which``; the others stay ``xs``."""

    def f(*chosen: Any) -> Any:
        full = list(xs)
        for i, x in zip(which, chosen, strict=True):
            full[i] = x
        return row.op(*full, **case.params)

    return f


def backward(
    row: Row, case: Case, xs: Sequence[Any], which: Sequence[int], v: Any
) -> tuple[list[Any], Any]:
    """Return the ``.grad`` of the leaves at ``which``, and the output."""
    leaves = {i: ag.tensor(xs[i], requires_grad=True) for i in which}
    y = row.op(*[leaves.get(i, x) for i, x in enumerate(xs)], **case.params)
    y.backward(v)
    return [leaves[i].grad for i in which], y


def subsets(row: Row, case: Case) -> Iterator[list[int]]:
    """Give all differentiable inputs together, then each alone."""
    which = row.differentiable(case)
    yield which
    if len(which) > 1:
        yield from ([i] for i in which)


def tolerance(y: Any) -> float:
    """Return what a result of this dtype may differ from the differences, relatively."""
    return 1e-9 if np.asarray(y).dtype == np.float64 else 1e-5


def dot(a: Any, b: Any) -> float:
    return float(np.vdot(np.asarray(a, np.float64), np.asarray(b, np.float64)))


# -- the table itself -----------------------------------------------------------------------------


def test_every_primitive_has_one_row() -> None:
    found = primitives()
    rows = [row.primitive for row in ROWS]
    assert len(set(rows)) == len(rows), "a primitive with two rows"
    missing = [where for prim, where in found.items() if prim not in set(rows)]
    assert not missing, f"primitives without a row in table.py: {missing}"
    strange = [str(row) for row in ROWS if row.primitive not in found]
    assert not strange, f"rows whose primitive no module holds: {strange}"


@every_row
def test_row_and_primitive_tell_the_same(row: Row) -> None:
    prim = row.primitive
    assert bool(prim.kinks) == bool(row.kinks), (
        f"published: {prim.kinks!r}; in the row: {row.kinks}"
    )
    assert bool(prim.singular) == bool(row.singular) or (prim.singular and row.selects)
    assert prim.broadcasts == row.elementwise
    assert prim.push is not None
    assert len(row.cases) > 1


# -- values ---------------------------------------------------------------------------------------


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "?"])
def test_without_a_tensor_it_is_numpys(row: Row, dtype: str) -> None:
    for case in row.cases if dtype != "?" or named(row) else ():
        with np.errstate(all="ignore"):
            xs = arrays(row, case, dtype)
            try:
                expected = row.numpy(*xs, **case.params)
            except (TypeError, ValueError) as error:
                with pytest.raises(type(error)):
                    row.op(*xs, **case.params)
                continue
            actual = row.op(*xs, **case.params)
        if named(row) or dtype[0] == "f":
            wrap = (lambda y: y) if named(row) else np.asarray
            same(wrap(actual), wrap(expected), case)
        else:  # one of ours, or below the function that people call: values are enough
            close(actual, expected, 1e-6, case)


def same(actual: Any, expected: Any, label: Any = "") -> None:
    """Assert the same type, dtype and values."""
    assert type(actual) is type(expected), f"{label}: {type(actual)} for {type(expected)}"
    if isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            same(a, e, label)
        return
    assert np.asarray(actual).dtype == np.asarray(expected).dtype, label
    kind = np.asarray(expected).dtype
    close(actual, expected, 16 * float(np.finfo(kind).eps) if kind.kind == "f" else 0, label)


@rows(named)
def test_lists_and_numbers_are_taken_as_numpy_takes_them(row: Row) -> None:
    for case in row.cases:
        if any(0 in shape for shape in case.shapes):
            continue  # a list has no shape beyond an empty axis
        xs = [x.tolist() for x in arrays(row, case)]
        same(row.op(*xs, **case.params), row.numpy(*xs, **case.params), case)


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_with_a_tensor_it_is_a_tensor_of_the_same_values(row: Row, dtype: str) -> None:
    for case in row.cases:
        xs = arrays(row, case, dtype)
        expected = np.asarray(row.numpy(*xs, **case.params))
        for grad in (False, True):
            floating = [ag.tensor(x, requires_grad=grad and x.dtype.kind == "f") for x in xs]
            y = row.op(*floating, **case.params)
            assert type(y) is ag.Tensor
            assert y.requires_grad is grad
            same(y.detach().data, expected, case)
            with ag.no_grad():
                assert not row.op(*floating, **case.params).requires_grad


# -- first order ----------------------------------------------------------------------------------


@every_row
def test_reverse_mode(row: Row) -> None:
    for case in row.cases:
        xs, jacobians = arrays(row, case), true_jacobians(row, case)
        v = upstream(row, case, row.numpy(*xs, **case.params))
        for which in subsets(row, case):
            got, _ = backward(row, case, xs, which, v)
            _, pullback = ag.vjp(function(row, case, xs, which), *[xs[i] for i in which])
            for i, g, g2 in zip(which, got, pullback(v), strict=True):
                assert g.dtype == xs[i].dtype
                close(g, np.tensordot(v, jacobians[i], np.ndim(v)), tolerance(v), (case, i))
                close(g2, g, 1e-15, (case, i))


@every_row
def test_forward_mode(row: Row) -> None:
    for case in row.cases:
        xs, jacobians = arrays(row, case), true_jacobians(row, case)
        us = directions(row, case, xs)
        for which in subsets(row, case):
            f, chosen = function(row, case, xs, which), [xs[i] for i in which]
            y, tangent = ag.jvp(f, chosen, [us[i] for i in which])
            expected = sum(np.tensordot(jacobians[i], us[i], us[i].ndim) for i in which)
            assert np.asarray(tangent).dtype == np.asarray(y).dtype
            close(tangent, expected, tolerance(y), (case, which))
            v = upstream(row, case, y)
            pulled = ag.vjp(f, *chosen)[1](v)
            left, right = dot(v, tangent), sum(dot(g, us[i]) for g, i in zip(pulled, which))
            assert left == pytest.approx(right, rel=tolerance(y) / 10, abs=tolerance(y) / 10), case


@rows(
    lambda row: (
        len(row.differentiable(row.cases[0])) == 2 == row.primitive.arity
        and DIVISOR not in row.domains
    )
)
def test_each_input_may_be_used_twice(row: Row) -> None:
    one, other = row.cases[0].shapes
    shape = (3, 3) if row.elementwise or one != other else one
    x, params = np.random.default_rng(0).uniform(0.5, 0.9, shape), row.cases[0].params
    t = ag.tensor(x, requires_grad=True)
    row.op(t, t, **params).sum().backward()
    close(t.grad, numerical_jacobian(lambda x: np.sum(row.numpy(x, x, **params)), [x], 0))


@every_row
def test_gradients_are_linear_and_accumulate(row: Row) -> None:
    for case in row.cases[:4]:
        xs, which = arrays(row, case), row.differentiable(case)
        v = upstream(row, case, row.numpy(*xs, **case.params))
        once, _ = backward(row, case, xs, which, v)
        leaves = {i: ag.tensor(xs[i], requires_grad=True) for i in which}
        y = row.op(*[leaves.get(i, x) for i, x in enumerate(xs)], **case.params)
        y.backward(v, retain_graph=True)
        y.backward(-3 * v)
        for g, i in zip(once, which, strict=True):
            close(leaves[i].grad, -2 * g, 1e-12 if v.dtype == np.float64 else 1e-6)


# -- second order ---------------------------------------------------------------------------------


def check_second_order(
    f: Callable[..., Any], xs: Sequence[Any], us: Sequence[Any], label: Any, rtol: float = 1e-8
) -> None:
    """Compare the Hessian of the number ``f(*xs)`` along ``us``, in every mode."""
    n = range(len(xs))
    gradient = ag.grad(f, tuple(n))

    def moved(t: float) -> Any:
        return np.concatenate([np.ravel(g) for g in gradient(*map(lambda x, u: x + t * u, xs, us))])

    expected = slope(moved)
    cuts = np.cumsum([x.size for x in xs])[:-1]
    expected = [e.reshape(x.shape) for e, x in zip(np.split(expected, cuts), xs, strict=True)]

    def compare(got: Any, mode: str) -> None:
        for i in n:
            close(got[i], expected[i], rtol, (label, mode, i))

    def slope_along_u(*xs: Any) -> Any:
        return sum(np.sum(g * u) for g, u in zip(gradient(*xs), us, strict=True))

    compare(ag.grad(slope_along_u, tuple(n))(*xs), "reverse over reverse")
    compare(ag.jvp(gradient, xs, us)[1], "forward over reverse")
    compare(ag.grad(lambda *xs: ag.jvp(f, xs, us)[1], tuple(n))(*xs), "reverse over forward")
    twice = ag.jvp(lambda *xs: ag.jvp(f, xs, us)[1], xs, us)[1]
    close(twice, sum(dot(e, u) for e, u in zip(expected, us, strict=True)), rtol,
          (label, "forward over forward"))  # fmt: skip
    leaves = [ag.tensor(x, requires_grad=True) for x in xs]
    f(*leaves).backward(create_graph=True)
    first = [t.grad for t in leaves]
    for t, g in zip(leaves, gradient(*xs), strict=True):
        assert type(t.grad) is ag.Tensor
        close(t.grad.numpy(), g, 1e-12, (label, "create_graph"))
        t.grad = None
    total = sum(np.sum(g * u) for g, u in zip(first, us, strict=True))
    if total.requires_grad:
        total.backward()
    compare([np.zeros(t.shape) if t.grad is None else t.grad for t in leaves], "create_graph")


@every_row
def test_second_order(row: Row) -> None:
    for case in row.cases:
        xs, which = arrays(row, case), row.differentiable(case)
        y = np.asarray(row.numpy(*xs, **case.params))
        if y.dtype != np.float64 or sum(x.size for x in xs) > 40:
            continue  # differences of float32 results say little; big arrays say nothing more
        w, us = upstream(row, case, y), directions(row, case, xs)
        op = function(row, case, xs, which)

        def f(*chosen: Any, op: Any = op, w: Any = w) -> Any:
            y = op(*chosen)
            return np.sum(w * (y + 0.5 * y * y))

        check_second_order(f, [xs[i] for i in which], [us[i] for i in which], case)


# -- float32 --------------------------------------------------------------------------------------


@every_row
def test_float32_in_float32_out(row: Row) -> None:
    for case in row.cases:
        if "dtype" in case.params:
            continue
        xs, jacobians = arrays(row, case, np.float32), true_jacobians(row, case)
        us = directions(row, case, xs)
        y = row.op(*xs, **case.params)
        assert np.asarray(y).dtype == np.float32
        v = upstream(row, case, y)
        for which in subsets(row, case):
            got, _ = backward(row, case, xs, which, v)
            for i, g in zip(which, got, strict=True):
                assert g.dtype == np.float32, case
                close(g, np.tensordot(v, jacobians[i], v.ndim), 2e-5, (case, i))
            f, chosen = function(row, case, xs, which), [xs[i] for i in which]
            y, tangent = ag.jvp(f, chosen, [us[i] for i in which])
            assert y.dtype == tangent.dtype == np.float32
            leaves = [ag.tensor(x, requires_grad=True) for x in chosen]
            (f(*leaves) * v).sum().backward(create_graph=True)
            assert all(t.grad.dtype == np.float32 for t in leaves)


@every_row
def test_raw_rules_neither_promote_nor_need_what_is_not_saved(row: Row) -> None:
    prim = row.primitive
    for case in row.cases:
        for dtype in (np.float32, np.float64):
            xs = arrays(row, case, dtype)
            y = np.asarray(row.numpy(*xs, **case.params))
            g = upstream(row, case, y)
            rules = [prim.joint] if prim.joint else prim.rules
            for i, rule in enumerate(rules):
                if rule is None:
                    continue
                full = rule(g, y, *xs, **case.params)
                need = prim.needs[i]
                seen = [x if j in need or EVERYTHING in need else Standin(x.shape, x.dtype)
                        for j, x in enumerate(xs)]  # fmt: skip
                bare = rule(
                    g, y if OUTPUT in need else Standin(y.shape, y.dtype), *seen, **case.params
                )
                pairs = zip(full, bare, strict=True) if prim.joint else [(full, bare)]
                for a, b in pairs:
                    assert a.dtype == b.dtype == g.dtype, (
                        f"{case}: rule {i} made {a.dtype} of {g.dtype}"
                    )
                    np.testing.assert_array_equal(
                        a, b, err_msg=f"{case}: rule {i} needs more than it saves"
                    )


@every_row
def test_raw_forward_rules_do_not_promote(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    module, seen = importlib.import_module("autograd_core.primitive"), []
    fit = module.fit

    def watched(t: Any, y: Any, *rest: Any) -> Any:
        seen.append((t.dtype, y.dtype))
        return fit(t, y, *rest)

    monkeypatch.setattr(module, "fit", watched)
    for case in row.cases[:6]:
        xs, which = arrays(row, case, np.float32), row.differentiable(case)
        chosen = [xs[i] for i in which]
        ag.jvp(function(row, case, xs, which), chosen, [np.ones_like(x) for x in chosen])
    if "dtype" not in row.cases[0].params:  # a cast's rule may leave the dtype to the fitting
        assert seen
        assert set(seen) == {(np.dtype("f4"), np.dtype("f4"))}


@every_row
def test_what_is_saved_is_needed(row: Row) -> None:
    prim, case = row.primitive, row.cases[2]
    xs = arrays(row, case)
    y = np.asarray(row.numpy(*xs, **case.params))
    for i, (rule, need) in enumerate(zip(prim.rules, prim.needs)):
        if rule is None or EVERYTHING in need:
            continue
        for kept in need:
            seen = [Standin(x.shape, x.dtype) if j == kept else x for j, x in enumerate(xs)]
            seen_y = Standin(y.shape, y.dtype) if kept == OUTPUT else y
            try:
                rule(upstream(row, case, y), seen_y, *seen, **case.params)
            except (TypeError, AttributeError, ValueError):
                continue
            pytest.fail(f"rule {i} of {row} saves number {kept} in vain")


@rows(lambda row: row.elementwise and row.primitive.arity > 1 and row not in LAYERS)
def test_python_numbers_promote_nothing(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def watched(rule: Any) -> Any:
        return rule and (lambda *a, **p: (made.append(rule(*a, **p)), made[-1])[1])

    monkeypatch.setattr(row.primitive, "rules", tuple(map(watched, row.primitive.rules)))
    xs = [x.item() for x in arrays(row, row.cases[0])]
    for i in row.differentiable(row.cases[0]):
        x = np.full(3, xs[i], np.float32)
        if np.asarray(row.numpy(*xs[:i], x, *xs[i + 1 :])).dtype != np.float32:
            continue  # NumPy's clip promotes where the number is what is clipped
        t = ag.tensor(x, requires_grad=True)
        y = row.op(*xs[:i], t, *xs[i + 1 :])
        y.backward(np.ones(3, np.float32))
        assert y.dtype == t.grad.dtype == np.float32
        close(t.grad, np.full(3, true_jacobians(row, row.cases[0])[i]), 2e-5)
        tangent = ag.jvp(lambda t, i=i: row.op(*xs[:i], t, *xs[i + 1 :]), (x,), (np.ones(3),))[1]
        assert tangent.dtype == np.float32
        close(tangent, t.grad, 1e-6)
    assert [np.asarray(g).dtype for g in made] == [np.float32] * len(made)
    assert made


# -- memory ---------------------------------------------------------------------------------------


def layouts(x: Any) -> dict[str, Any]:
    """Return arrays of the values of ``x`` in other memory layouts (stride 0 changes values)."""
    out = {"Fortran": x.copy(order="F")}
    if x.ndim:
        back = (slice(None, None, -1),) * x.ndim
        out["negative strides"] = x[back].copy(order="C")[back]
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1] + 1), x.dtype)
        wide[..., 1::2] = x
        out["every second"] = wide[..., 1::2]
        if x.shape[0] and x.dtype.kind == "f":
            out["stride 0"] = np.broadcast_to(x[:1], x.shape)
    out["read-only"] = x.copy()
    out["read-only"].flags.writeable = False
    return out


@every_row
def test_memory_layout_makes_no_difference(row: Row) -> None:
    for case in row.cases:
        xs, which = arrays(row, case), row.differentiable(case)
        us = directions(row, case, xs)
        for kind in ("Fortran", "negative strides", "every second", "stride 0", "read-only"):
            if kind == "stride 0" and (row.selects or row.kinks or row.op in DEGENERATE):
                continue  # equal elements are ties, or make equal eigenvalues
            laid = [layouts(x).get(kind, x) for x in xs]
            plain = [np.array(x, order="C") for x in laid]
            v = upstream(row, case, row.numpy(*plain, **case.params))
            v_laid = layouts(v).get(kind, v)
            got = ag.vjp(function(row, case, laid, which), *[laid[i] for i in which])[1](v_laid)
            expected, _ = backward(row, case, plain, which, np.array(v_laid))
            for g, e in zip(got, expected, strict=True):
                close(g, e, 1e-13 if v.dtype == np.float64 else 1e-6, (case, kind))
            ts = [layouts(us[i]).get(kind, us[i]) for i in which]
            _, t = ag.jvp(function(row, case, laid, which), [laid[i] for i in which], ts)
            _, e = ag.jvp(function(row, case, plain, which), [plain[i] for i in which],
                          [np.array(t) for t in ts])  # fmt: skip
            close(t, e, 1e-13 if v.dtype == np.float64 else 1e-6, (case, kind))


@every_row
def test_a_leafs_gradient_is_its_own(row: Row) -> None:
    for case in row.cases:
        xs, which = arrays(row, case), row.differentiable(case)
        v = upstream(row, case, row.numpy(*xs, **case.params))
        before = [x.copy() for x in (*xs, v)]
        leaves = {i: ag.tensor(xs[i], requires_grad=True) for i in which}
        y = row.op(*[leaves.get(i, x) for i, x in enumerate(xs)], **case.params)
        y.backward(v)
        others = [*xs, v, y.data, y.node.grad, *(t.data for t in leaves.values())]
        grads = [t.grad for t in leaves.values()]
        for k, (t, g) in enumerate(zip(leaves.values(), grads, strict=True)):
            assert type(g) is np.ndarray
            assert g.flags.writeable
            assert (g.shape, g.dtype) == (t.shape, t.dtype)
            for other in [*others, *grads[:k]]:
                assert other is None or not np.shares_memory(g, other), (case, k)
            g += 1
        for x, old in zip((*xs, v), before, strict=True):
            np.testing.assert_array_equal(x, old, err_msg=f"{case}: something was written to")


@every_row
def test_results_of_a_pullback_are_their_own(row: Row) -> None:
    for case in row.cases[:5]:
        xs, which = arrays(row, case), row.differentiable(case)
        chosen = [xs[i] for i in which]
        y, pullback = ag.vjp(function(row, case, xs, which), *chosen)
        v = upstream(row, case, y)
        got = [np.asarray(g) for g in pullback(v)]
        for k, g in enumerate(got):
            assert g.flags.writeable, case
            assert not any(np.shares_memory(g, o) for o in (v, *xs, *got[:k])), (case, k)


# -- kinks, zeros, extremes -----------------------------------------------------------------------


def located(
    row: Row, point: Point, dtype: Any = np.float64
) -> tuple[Case, list[Any], list[Any], list[int]]:
    """Return a point as a case: its inputs, the gradients expected there, and for which inputs."""
    xs = [np.asarray(x) for x in point.inputs]
    xs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in xs]
    case = Case(tuple(x.shape for x in xs), point.params)
    which = row.differentiable(case)
    return case, xs, [np.broadcast_to(point.gradients[i], xs[i].shape) for i in which], which


@every_row
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_kinks(row: Row, dtype: str) -> None:
    for point in row.kinks:
        case, xs, expected, which = located(row, point, dtype)
        for factor in (1.0, -2.0, 0.0):
            v = np.full(np.shape(row.numpy(*xs, **case.params)), factor, dtype)
            got, _ = backward(row, case, xs, which, v)
            for g, e in zip(got, expected, strict=True):
                assert g.dtype == dtype
                close(g, factor * e, 1e-7, (point, factor))
        for i, e in zip(which, expected, strict=True):
            for place in np.ndindex(xs[i].shape):
                u = np.zeros(xs[i].shape, dtype)
                u[place] = 1
                _, t = ag.jvp(function(row, case, xs, [i]), [xs[i]], [u])
                close(np.sum(t), e[place], 1e-7, (point, "forward", i))


@every_row
def test_both_sides_of_each_kink(row: Row) -> None:
    for point in row.kinks:
        case, xs, _, which = located(row, point)
        f, checked = lambda *a: row.numpy(*a, **case.params), 0  # noqa: B023
        for i, side in itertools.product(which, (-0.25, 0.25)):
            for place in np.ndindex(xs[i].shape):
                moved = [x.copy() for x in xs]
                moved[i][place] += side
                for j in which:
                    with np.errstate(all="ignore"):  # what is a kink still is left out
                        smooth = np.isclose(
                            one_sided(f, moved, j, 1e-6), one_sided(f, moved, j, -1e-6), atol=1e-3
                        )
                        truth = numerical_jacobian(f, moved, j)
                        v = np.ones(truth.shape[: truth.ndim - xs[j].ndim])
                        got, _ = backward(row, case, moved, [j], v)
                    close(
                        got[0][smooth],
                        np.tensordot(v, truth, v.ndim)[smooth],
                        1e-8,
                        (point, i, side, j),
                    )
                    checked += int(smooth.sum())
        assert checked or not which, point


def one_sided(f: Callable[..., Any], xs: Sequence[Any], j: int, h: float) -> Any:
    out = np.zeros(xs[j].shape)
    for place in np.ndindex(out.shape):
        step = np.zeros(out.shape)
        step[place] = h
        out[place] = np.sum(f(*xs[:j], xs[j] + step, *xs[j + 1 :]) - f(*xs)) / h
    return out


@every_row
def test_extremes(row: Row) -> None:
    for point in row.extremes:
        case, xs, expected, which = located(row, point)
        with warnings.catch_warnings(record=True) as theirs:
            warnings.simplefilter("always")
            value = np.asarray(row.numpy(*xs, **case.params))
        with warnings.catch_warnings(record=True) as ours:
            warnings.simplefilter("always")
            close(row.op(*xs, **case.params), value, 1e-12, point)
            leaves = {i: ag.tensor(xs[i], requires_grad=True) for i in which}
            y = row.op(*[leaves.get(i, x) for i, x in enumerate(xs)], **case.params)
        new = {str(w.message).split(" in ")[0] for w in ours} - {
            str(w.message).split(" in ")[0] for w in theirs
        }
        assert not new, f"{point} warns: {new}"
        above = np.ones(value.shape) if point.above is None else np.asarray(point.above)
        y.backward(above)
        for i, e in zip(which, expected, strict=True):
            np.testing.assert_allclose(
                leaves[i].grad, e, rtol=1e-12, atol=1e-305, err_msg=str(point)
            )
            if row.elementwise:
                with np.errstate(all="ignore"):
                    _, t = ag.jvp(function(row, case, xs, [i]), [xs[i]], [np.ones(xs[i].shape)])
                np.testing.assert_allclose(t, e, rtol=1e-12, atol=1e-305, err_msg=str(point))


@rows(lambda row: row.elementwise)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_no_magnitude_makes_nan_of_a_finite_value(row: Row, dtype: str) -> None:
    big, small = (1e300, 1e-300) if dtype == "f8" else (1e38, 1e-38)
    sizes = [0.0, -0.0, small, big, 1.0, -small, -big, -1.0]
    ranges = [[x for x in sizes if d.low <= x <= d.high] for d in row.domains]
    xs = [np.array(column, dtype) for column in zip(*itertools.product(*ranges), strict=True)]
    case = Case(tuple(x.shape for x in xs), row.cases[0].params)
    which = row.differentiable(case)
    with np.errstate(all="ignore"):
        value = np.asarray(row.numpy(*xs, **case.params))
        got, y = backward(row, case, xs, which, np.ones(value.shape, dtype))
        same(y.detach().data, value)
        tangents = [
            ag.jvp(function(row, case, xs, [i]), [xs[i]], [np.ones(xs[i].shape)])[1] for i in which
        ]
    undefined = np.array([any(p == tuple(x) for p in row.singular) for x in zip(*xs, strict=True)])
    ordinary = np.isfinite(value) & ~undefined
    for i, g, t in zip(which, got, tangents, strict=True):
        bad = ordinary & (np.isnan(g) | np.isnan(t))
        assert not bad.any(), f"d/d{i} is NaN at {[tuple(x[bad].tolist()) for x in xs]}"


@rows(lambda row: row.elementwise and row.primitive.arity == 1 and not row.singular)
def test_the_sign_of_zero_makes_no_difference(row: Row) -> None:
    x, params = ag.tensor(np.array([0.0, -0.0]), requires_grad=True), row.cases[0].params
    with np.errstate(all="ignore"):
        y = row.op(x, **params)
        defined = np.isfinite(row.numpy(np.zeros(1), **params))
    y.backward(np.ones(2))
    assert x.grad[0] == x.grad[1] or not defined


@every_row
def test_a_zero_gradient_stays_zero_where_the_derivative_is_infinite(row: Row) -> None:
    for spot in row.singular:
        usual = [float(d.draw(generator(row, row.cases[0]), ())) for d in row.domains]
        xs = [np.array(pair) for pair in zip(spot, usual, strict=True)]
        case = Case(((2,),) * len(xs))
        which = row.differentiable(case)
        truth = true_jacobians_at(row, usual)
        chosen, mask = [xs[i] for i in which], np.array([False, True])
        with np.errstate(all="ignore"):
            got, _ = backward(row, case, xs, which, np.array([0.0, 1.0]))
            for i, g in zip(which, got, strict=True):
                close(g, [0, truth[i]], 1e-9, (spot, "reverse"))
                _, t = ag.jvp(function(row, case, xs, [i]), [xs[i]], [np.array([0.0, 1.0])])
                close(t, [0, truth[i]], 1e-9, (spot, "forward"))
            op = function(row, case, xs, which)

            def masked(*chosen: Any, op: Any = op) -> Any:
                y = np.where(mask, op(*chosen), 0.0)  # noqa: B023
                return np.sum(y + 0.5 * y * y)

            usual_value = row.numpy(*usual)
            for i, g in zip(which, ag.grad(masked, tuple(range(len(which))))(*chosen), strict=True):
                close(g, [0, truth[i] * (1 + usual_value)], 1e-9, (spot, "masked"))
            us = [np.array([1.0, 0.5])] * len(which)
            _, t = ag.jvp(masked, chosen, us)
            close(
                t,
                sum(0.5 * truth[i] for i in which) * (1 + usual_value),
                1e-9,
                (spot, "masked, forward"),
            )
            # Where a rule is itself a product with what is infinite (a ** (b - 1) at 0, e ** 1000),
            # its derivative is 0 times infinity, which the design promises nothing of.
            if row.op not in (ag.power, ag.exp, ag.exp2, ag.expm1, ag.sinh, ag.cosh):
                check_masked_second_order(row, masked, chosen, us, usual, which, spot)


def true_jacobians_at(row: Row, numbers: Sequence[float]) -> list[float]:
    xs = [np.asarray(x) for x in numbers]
    return [float(numerical_jacobian(row.numpy, xs, i)) for i in range(len(xs))]


def check_masked_second_order(
    row: Row, f: Any, xs: Any, us: Any, usual: Any, which: Any, spot: Any
) -> None:
    """Compare with the Hessian of the usual element alone; the masked one's part is zero."""

    def alone(*numbers: Any) -> Any:
        full = list(usual)
        for i, x in zip(which, numbers, strict=True):
            full[i] = x
        y = row.op(*full)
        return y + 0.5 * y * y

    n = tuple(range(len(xs)))
    numbers = [np.asarray(usual[i]) for i in which]
    slopes = slope(lambda t: np.array(ag.grad(alone, n)(*[x + 0.5 * t for x in numbers])))
    expected = [[0, s] for s in slopes]

    def along(*xs: Any) -> Any:
        return sum(np.sum(g * u) for g, u in zip(ag.grad(f, n)(*xs), us, strict=True))

    leaves = [ag.tensor(x, requires_grad=True) for x in xs]
    f(*leaves).backward(create_graph=True)
    first = [t.grad for t in leaves]
    for t in leaves:
        t.grad = None
    sum(np.sum(g * u) for g, u in zip(first, us, strict=True)).backward()
    for mode, got in {
        "reverse over reverse": ag.grad(along, n)(*xs),
        "forward over reverse": ag.jvp(ag.grad(f, n), xs, us)[1],
        "reverse over forward": ag.grad(lambda *xs: ag.jvp(f, xs, us)[1], n)(*xs),
        "create_graph": [t.grad for t in leaves],
    }.items():
        for g, e in zip(got, expected, strict=True):
            close(g, e, 1e-8, (spot, mode))


@rows(lambda row: row.selects)
def test_what_was_not_selected_gets_nothing(row: Row) -> None:
    for case in row.cases:
        xs, jacobians = arrays(row, case), true_jacobians(row, case)
        which = row.differentiable(case)
        for strange in (np.inf, np.nan) if row.op is ag.where else (np.inf,):
            v = np.full(np.shape(row.numpy(*xs, **case.params)), strange)
            got, _ = backward(row, case, xs, which, v)
            for i, g in zip(which, got, strict=True):
                unselected = np.abs(jacobians[i]).sum(axis=tuple(range(v.ndim))) < 1e-6
                above = tuple(range(v.ndim))
                both_signs = (jacobians[i] > 1e-6).any(above) & (jacobians[i] < -1e-6).any(above)
                assert (g[unselected] == 0).all(), f"{case}: {strange} leaked into input {i}: {g}"
                assert np.isnan(strange) or not np.isnan(g[~both_signs]).any(), (
                    f"{case}: infinity became NaN: {g}"
                )
                u = np.where(unselected, strange, 1.0)
                _, t = ag.jvp(function(row, case, xs, [i]), [xs[i]], [u])
                e = np.tensordot(jacobians[i], np.where(unselected, 0, 1.0), xs[i].ndim)
                close(t, e, 1e-9, (case, "forward"))


# -- spellings ------------------------------------------------------------------------------------


def metadata(f: Any, arity: int | None) -> tuple[list[str], dict[str, Any]]:
    """Return the names of what may follow the arrays by position, and the defaults."""
    if arity is None or isinstance(f, np.ufunc):
        return [], {}
    try:
        parameters = list(inspect.signature(f).parameters.values())[arity:]
    except ValueError:  # some of NumPy's functions in C tell no signature
        return [], {}
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return names, {p.name: p.default for p in parameters}


def takes_metadata(row: Row, functions: Sequence[Any]) -> bool:
    """Tell whether a case of the row has metadata that could come by position."""
    names = {n for f in functions for n in metadata(f, row.primitive.arity)[0]}
    return any(names & set(case.params) for case in row.cases)


def numpys(row: Row) -> list[Any]:
    """Return NumPy's own functions that a Tensor answers with the operation."""
    return [f for f, ours in NUMPY.items() if ours is row.op]


@rows(lambda row: takes_metadata(row, [row.primitive.fun]))
def test_metadata_by_keyword_and_by_position_agree(row: Row) -> None:
    names, defaults = metadata(row.primitive.fun, row.primitive.arity)
    checked = 0
    for case in row.cases:
        used = [k for k, name in enumerate(names) if name in case.params]
        if not used:
            continue
        by_position = [case.params.get(n, defaults[n]) for n in names[: used[-1] + 1]]
        rest = {k: v for k, v in case.params.items() if k not in names}
        xs = [ag.tensor(x, requires_grad=True) for x in arrays(row, case)]
        a, b = row.op(*xs, **case.params), row.op(*xs, *by_position, **rest)
        same(b.detach().data, a.detach().data, case)
        v = upstream(row, case, a.data)
        g = [backwards(a, v, xs), backwards(b, v, xs)]
        for left, right in zip(*g, strict=True):
            np.testing.assert_array_equal(left, right)
        if isinstance(a.node.params, dict):
            assert set(b.node.params) >= set(a.node.params)
        checked += 1
        with pytest.raises(TypeError, match="multiple values"):
            row.op(*xs, *by_position, **case.params)
    assert checked


def backwards(y: Any, v: Any, xs: Sequence[Any]) -> list[Any]:
    for x in xs:
        x.grad = None
    y.backward(v)
    return [x.grad for x in xs]


@rows(named)
def test_all_spellings_agree(row: Row) -> None:
    names = {f.__name__ for f in numpys(row)}
    spelled = [(f"np.{f.__name__}", f) for f in numpys(row)]
    spelled += [(f"ag.{n}", getattr(ag, n)) for n in names if hasattr(ag, n)]
    spelled += [(f"t.{n}", getattr(ag.Tensor, n)) for n in names
                if callable(getattr(ag.Tensor, n, None))]  # fmt: skip
    for case in row.cases:
        xs, which = arrays(row, case), row.differentiable(case)
        v = upstream(row, case, row.numpy(*xs, **case.params))
        expected, y = backward(row, case, xs, which, v)
        for name, f in spelled:
            leaves = [ag.tensor(x, requires_grad=i in which) for i, x in enumerate(xs)]
            got = f(*leaves, **case.params)
            same(got.detach().data, y.detach().data, (name, case))
            got.backward(v)
            for i, e in zip(which, expected, strict=True):
                np.testing.assert_array_equal(leaves[i].grad, e, err_msg=f"{name} {case}")


@rows(lambda row: takes_metadata(row, numpys(row)))
def test_numpys_order_of_arguments_is_kept_or_refused(row: Row) -> None:
    """What follows the arrays by position is NumPy's next argument, or an error: never another."""
    checked = False
    for f in numpys(row):
        names, defaults = metadata(f, row.primitive.arity)
        for case in row.cases:
            used = [k for k, name in enumerate(names) if name in case.params]
            if not used:
                continue
            by_position = [case.params.get(n, defaults[n]) for n in names[: used[-1] + 1]]
            rest = {k: v for k, v in case.params.items() if k not in names}
            xs = [ag.tensor(x) for x in arrays(row, case)]
            expected, checked = row.op(*xs, **case.params), True
            try:
                got = f(*xs, *by_position, **rest)
            except TypeError:
                continue
            same(got.data, expected.data, (f, case))
    assert checked


OPERATORS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "%": operator.mod, "**": operator.pow, "@": operator.matmul,
}  # fmt: skip


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("kinds", ["tt", "ta", "at", "tf", "ft", "ti", "it"])
def test_operators(sign: str, kinds: str) -> None:
    """``t`` is a Tensor, ``a`` an array, ``f`` a float, ``i`` an integer, on each side."""
    op, rng = OPERATORS[sign], np.random.default_rng(0)
    values = [rng.uniform(0.5, 2, (3, 3)), rng.uniform(2.1, 2.9, (3, 3))]
    values = [{"f": 1.7, "i": 3}.get(k, x) for k, x in zip(kinds, values, strict=True)]
    if sign == "@" and not set(kinds) <= {"t", "a"}:
        with pytest.raises(ValueError, match="matmul"):
            op(*[ag.tensor(x) if k == "t" else x for k, x in zip(kinds, values, strict=True)])
        return
    for dtype in (np.float64, np.float32):
        typed = [x.astype(dtype) if isinstance(x, np.ndarray) else x for x in values]
        ts = [
            ag.tensor(x, requires_grad=True) if k == "t" else x
            for k, x in zip(kinds, typed, strict=True)
        ]
        y = op(*ts)
        assert type(y) is ag.Tensor
        assert y.dtype == dtype
        close(y.detach().data, op(*typed), 1e-6 if dtype == np.float32 else 1e-14)
        y.sum().backward()
        for i, t in enumerate(ts):
            if isinstance(t, ag.Tensor):
                xs = [np.asarray(x, np.float64) for x in values]
                truth = numerical_jacobian(lambda *a: np.sum(op(*a)), xs, i)
                assert t.grad.dtype == dtype
                close(t.grad, truth, 1e-9 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize("exponent", [2, 2.0, 1, 1.0, 3, 3.0, 0.5, 0, 0.0, -1, -1.0, 2.5, -0.5, 4])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_constant_powers(exponent: float, dtype: str) -> None:
    x = np.array([0.7, 1.3, 2.0], dtype)
    t = ag.tensor(x, requires_grad=True)
    y = t**exponent
    same(y.detach().data, x**exponent)
    y.backward(np.ones(3))
    close(
        t.grad, exponent * np.asarray(x, float) ** (exponent - 1), 1e-9 if dtype == "f8" else 1e-6
    )
    assert t.grad.dtype == dtype
    if dtype == "f8":
        check_second_order(lambda t: np.sum(t**exponent), [x], [np.ones(3)], exponent)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0, 3.0, 4])
def test_constant_powers_of_zero_and_of_negative_numbers(exponent: float) -> None:
    t = ag.tensor(np.array([0.0, -0.0, -2.0]), requires_grad=True)
    (t**exponent).backward(np.ones(3))
    at_zero = float(exponent == 1)
    close(t.grad, [at_zero, at_zero, exponent * (-2.0) ** (exponent - 1)])
