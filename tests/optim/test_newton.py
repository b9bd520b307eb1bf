"""Newton and Gauss-Newton: products with matrices that are never formed, minima, and what is refused."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from optim.curvature import gauss_newton_product, hessian_product

F = nn.functional


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def residuals(x: Any) -> Any:
    """What half the sum of squares of is Rosenbrock's function, halved."""
    return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def scipy_optimize() -> Any:
    reason = "SciPy is not installed: pip install 'autograd-core[scipy]'"
    return pytest.importorskip("scipy.optimize", reason=reason)


# -- conjugate gradients -----------------------------------------------------------------------------


def matrix(rng: Any, eigenvalues: Any) -> Any:
    q, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues), len(eigenvalues))))
    return q @ np.diag(eigenvalues) @ q.T


def test_linear_equations_are_solved() -> None:
    rng = np.random.default_rng(0)
    B, g = matrix(rng, np.linspace(1, 9, 12)), rng.normal(size=12)
    found = optim.conjugate_gradients(lambda v: B @ v, g, tolerance=1e-12)
    np.testing.assert_allclose(found.x, -np.linalg.solve(B, g), rtol=1e-9)
    assert found.iterations <= 13
    assert found.reason == "converged"
    assert found.slope == pytest.approx(g @ found.x)
    assert found.curvature == pytest.approx(found.x @ B @ found.x)
    three = optim.conjugate_gradients(lambda v: matrix(rng, [2.0, 2, 2, 5, 5, 5, 5, 7, 7, 7]) @ v, g[:10] * 0)
    assert (three.iterations, three.x.tolist()) == (0, [0.0] * 10)


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_iterations_are_as_many_as_distinct_eigenvalues(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    B, g = matrix(rng, np.resize([2.0, 5.0, 7.0][:distinct], 30)), rng.normal(size=30)
    assert optim.conjugate_gradients(lambda v: B @ v, g, tolerance=1e-9).iterations == distinct


@pytest.mark.parametrize("lowest", [-3.0, 0.0, 0.5])
@pytest.mark.parametrize("radius", [0.1, 1.0, 10.0])
def test_the_region_is_not_left_and_the_model_falls(radius: float, lowest: float) -> None:
    rng = np.random.default_rng(1)
    B, g = matrix(rng, np.linspace(lowest, 5, 8)), rng.normal(size=8)
    found = optim.conjugate_gradients(lambda v: B @ v, g, radius=radius, tolerance=1e-10)
    m = found.slope + found.curvature / 2
    assert np.linalg.norm(found.x) <= radius * (1 + 1e-12)
    assert m == pytest.approx(g @ found.x + found.x @ B @ found.x / 2)
    cauchy = -g * min(radius / np.linalg.norm(g), (g @ g) / (g @ B @ g) if g @ B @ g > 0 else np.inf)
    assert m <= g @ cauchy + cauchy @ B @ cauchy / 2 + 1e-12
    if found.reason != "converged":
        assert np.linalg.norm(found.x) == pytest.approx(radius)
    assert (found.reason == "negative curvature") <= (lowest <= 0)


def test_negative_curvature() -> None:
    """Without a radius: -g in the first iteration, later what there is. With one: to the border."""
    g = np.array([3.0, 4.0])
    first = optim.conjugate_gradients(lambda v: -v, g)
    assert (first.x.tolist(), first.reason, first.iterations) == ([-3, -4], "negative curvature", 1)
    assert (first.slope, first.curvature) == (-25, -25)
    B = np.diag([4.0, -1.0])
    later = optim.conjugate_gradients(lambda v: B @ v, g, tolerance=0)
    np.testing.assert_allclose(later.x, -g * (g @ g) / (g @ B @ g))
    assert (later.reason, later.iterations) == ("negative curvature", 2)
    bounded = optim.conjugate_gradients(lambda v: B @ v, g, tolerance=0, radius=50.0)
    assert np.linalg.norm(bounded.x) == pytest.approx(50)
    assert bounded.reason == "negative curvature"
    assert bounded.slope + bounded.curvature / 2 < later.slope + later.curvature / 2


# -- products ----------------------------------------------------------------------------------------


def network(dtype: Any = np.float64) -> Any:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(7, 3)).astype(dtype), rng.integers(0, 4, 7)
    arrays = [rng.normal(size=s).astype(dtype) for s in ((3, 5), (5, 4), (4,), (2,))]
    return x, y, arrays, [rng.normal(size=a.shape).astype(dtype) for a in arrays]


def test_products_equal_those_of_forward_mode() -> None:
    """The last parameter does not reach the loss."""
    x, y, arrays, v = network()
    params = [nn.Parameter(a) for a in arrays]

    def outputs(W: Any, V: Any, b: Any, unused: Any) -> Any:
        return np.tanh(x @ W) @ V + b

    def loss(*p: Any) -> Any:
        return F.cross_entropy(outputs(*p), y)

    gradient, product = hessian_product(loss(*params), params)
    expected = ag.hvp(loss, arrays, v)
    for _ in range(2):  # the graph serves more than once
        found = product(v)
        for a, b in zip(found[:3], expected, strict=False):
            np.testing.assert_allclose(a, b, rtol=1e-12)
        assert found[3] is None
    for a, b in zip(gradient[:3], ag.grad(loss, argnums=(0, 1, 2))(*arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert all(p.grad is None for p in params)
    z, Jv = ag.jvp(outputs, arrays, v)
    probability = np.exp(F.log_softmax(z, 1))
    HJv = probability * (Jv - (probability * Jv).sum(1, keepdims=True)) / len(y)
    _, pull = ag.vjp(outputs, *arrays)
    leaf = ag.tensor(z, requires_grad=True)
    _, curvature = hessian_product(F.cross_entropy(leaf, y), [leaf])
    found = gauss_newton_product(outputs(*params), params, lambda u: curvature([u])[0])(v)
    for a, b in zip(found[:3], pull(HJv), strict=False):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert found[3] is None


@pytest.mark.parametrize("kind", ["convolution", "recurrent"])
def test_products_through_layers(kind: str) -> None:
    rng = np.random.default_rng(3)
    nn.manual_seed(0)
    if kind == "convolution":
        layers = nn.Conv2d(1, 2, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)
        model, x = nn.Sequential(*layers).to("float64"), rng.normal(size=(3, 1, 6, 6))
        outputs = lambda: model(x)
    else:
        model, x = nn.LSTM(2, 3, batch_first=True).to("float64"), rng.normal(size=(2, 4, 2))
        outputs = lambda: model(x)[0]
    params = list(model.parameters())
    v = [rng.normal(size=p.shape) for p in params]
    product = gauss_newton_product(outputs(), params, lambda u: u)
    _, hessian = hessian_product((outputs() ** 2).sum() / 2, params)

    def moved(t: float, f: Any) -> Any:
        with ag.no_grad():
            for p, d in zip(params, v, strict=True):
                p += t * d
        result = f()
        with ag.no_grad():
            for p, d in zip(params, v, strict=True):
                p -= t * d
        return result

    def gradient() -> Any:
        model.zero_grad()
        ((outputs() ** 2).sum() / 2).backward()
        return [p.grad.copy() for p in params]

    Jv = (moved(1e-5, outputs).numpy() - moved(-1e-5, outputs).numpy()) / 2e-5
    model.zero_grad()
    outputs().backward(Jv)
    expected = [p.grad for p in params]
    change = [(a - b) / 2e-5 for a, b in zip(moved(1e-5, gradient), moved(-1e-5, gradient), strict=True)]
    again, (gn, h) = gauss_newton_product(outputs(), params, lambda u: u), (product, hessian)
    with pytest.raises(ag.GraphError, match="written to"):
        gn(v)  # the parameters have been written to
    for a, b in zip(again(v), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    _, h = hessian_product((outputs() ** 2).sum() / 2, params)
    for a, b in zip(h(v), change, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


# -- minima ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_quadratic_takes_one_step(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    B, b = matrix(rng, np.linspace(1, 50, 9)).astype(dtype), rng.normal(size=9).astype(dtype)
    x, s = nn.Parameter(np.zeros((2, 4), dtype)), nn.Parameter(np.array(3, dtype))
    flat = lambda: np.concatenate([x.reshape(-1), s.reshape(1)])
    optimizer = optim.Newton([x, s], tolerance_cg=1e-10)
    optimizer.step(lambda: flat() @ B @ flat() / 2 - b @ flat())
    expected, tolerance = np.linalg.solve(B, b), 1e-4 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(flat().numpy(), expected, rtol=tolerance, atol=tolerance)
    assert x.dtype == s.dtype == dtype
    u = nn.Parameter(np.zeros(9, dtype))
    optimizer = optim.GaussNewton([u], damping=0, tolerance_cg=1e-10)
    optimizer.step(lambda: B @ u - b)
    np.testing.assert_allclose(u.numpy(), expected, rtol=10 * tolerance, atol=10 * tolerance)
    half = nn.Parameter(np.zeros(9, dtype))
    optim.Newton([half], lr=0.5, tolerance_cg=1e-10).step(lambda: half @ B @ half / 2 - b @ half)
    np.testing.assert_allclose(half.numpy(), expected / 2, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("n", "start"), [(2, [-1.2, 1.0]), (100, [0.0])])
def test_rosenbrock_is_solved_where_scipy_solves_it(n: int, start: Any) -> None:
    """Each from the same start, until the loss is below 1e-18; the counts are printed (pytest -s)."""
    x0 = np.resize(np.array(start), n)
    lines = []
    for name, make, closure in (
        ("Newton", optim.Newton, lambda x: rosenbrock(x)),
        ("GaussNewton", optim.GaussNewton, lambda x: residuals(x)),
    ):
        x = nn.Parameter(x0)
        optimizer = make([x])
        for _ in range(600):
            if optimizer.step(lambda x=x, closure=closure: closure(x)).item() < 1e-18:
                break
        np.testing.assert_allclose(x.numpy(), 1, atol=1e-7)
        memory = optimizer.state[x]
        lines.append(f"{n}-D {name}: {memory['n_iter']} iterations, {memory['func_evals']} evaluations, "
                     f"{memory['products']} products")  # fmt: skip
    optimize, f = scipy_optimize(), ag.value_and_grad(rosenbrock)
    hvp = lambda x, v: ag.hvp(rosenbrock, (x,), (v,))
    for method in ("trust-ncg", "Newton-CG", "BFGS"):
        extra = {} if method == "BFGS" else {"hessp": hvp}
        options = {"xtol": 1e-10} if method == "Newton-CG" else {"gtol": 1e-8}
        found = optimize.minimize(f, x0, jac=True, method=method, options=options, **extra)
        np.testing.assert_allclose(x.numpy(), found.x, atol=1e-5)
        lines.append(f"{n}-D SciPy's {method}: {found.nit} iterations, {found.nfev} evaluations")
    found = optimize.least_squares(residuals, x0, jac=ag.jacobian(residuals), method="lm")
    np.testing.assert_allclose(x.numpy(), found.x, atol=1e-5)
    lines.append(f"{n}-D SciPy's least_squares (lm): {found.njev} iterations, {found.nfev} evaluations")
    print(*lines, sep="\n")


def curve() -> tuple[Any, Any]:
    t = np.linspace(-1, 1, 40)[:, None]
    return t, np.sin(3 * t) + 0.1 * np.random.default_rng(0).normal(size=t.shape)


def test_the_first_damping_of_a_gradient_whose_square_vanishes() -> None:
    x = nn.Parameter(np.array([1e-25], np.float32))
    optimizer = optim.GaussNewton([x], damping=0.5)
    optimizer.step(lambda: 2 * x)
    assert optimizer.memory["damping"] == pytest.approx(0.5 * 4 / 3)  # a third, as the model held


@pytest.mark.parametrize("form", ["residuals", "outputs"])
def test_a_network_fits_a_curve_as_closely_as_scipy(form: str) -> None:
    optimize = scipy_optimize()
    nn.manual_seed(0)
    t, y = curve()
    model = nn.MLP([1, 4, 1], activation="tanh").to("float64")
    params = list(model.parameters())
    start = np.concatenate([p.numpy().ravel() for p in params])
    optimizer = optim.GaussNewton(params)
    half = lambda z: ((z - y) ** 2).sum() / 2
    closure = (lambda: model(t) - y) if form == "residuals" else lambda: (model(t), half)
    losses = [optimizer.step(closure).item() for _ in range(120)]

    def r(x: Any) -> Any:
        W, b, V, c = x[:4].reshape(4, 1), x[4:8], x[8:12].reshape(1, 4), x[12:]
        return (np.tanh(t @ W.T + b) @ V.T + c - y).ravel()

    theirs = optimize.least_squares(r, start, jac=ag.jacobian(r), method="lm", max_nfev=120)
    print(f"{losses[0]} -> {losses[-1]} in {len(losses)}; SciPy {theirs.cost} in {theirs.njev}")
    assert losses[0] == pytest.approx((r(start) ** 2).sum() / 2)
    assert losses[-1] <= theirs.cost * 1.05
    assert all(b <= a for a, b in pairwise(losses))


def test_networks_learn_in_float32() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    for make, closure in (
        (optim.Newton, lambda m: F.cross_entropy(m(x), y)),
        (optim.GaussNewton, lambda m: (m(x), lambda z: F.cross_entropy(z, y))),
    ):
        nn.manual_seed(1)
        model = nn.MLP([4, 16, 3], activation="tanh")
        optimizer = make(model.parameters(), max_cg=50)
        losses = [optimizer.step(lambda c=closure, m=model: c(m)).item() for _ in range(30)]
        assert all(p.dtype == np.float32 for p in model.parameters())
        assert losses[-1] < 0.3 < 0.9 < losses[0]
        assert all(b <= a * (1 + 1e-5) for a, b in pairwise(losses))


def test_a_saddle_is_left() -> None:
    """x^2 - y^2 + y^4 / 2 has a saddle at 0 and minima at y = +-1; Newton's equations lead to the saddle."""
    start = np.array([1.0, 1e-3])
    f = lambda w: w[0] ** 2 - w[1] ** 2 + w[1] ** 4 / 2
    w = nn.Parameter(start)
    optimizer = optim.Newton([w])
    for _ in range(15):
        optimizer.step(lambda: f(w))
    np.testing.assert_allclose(w.numpy(), [0, 1], atol=1e-8)
    plain = start.copy()
    for _ in range(15):
        plain = plain - np.linalg.solve(ag.hessian(f)(plain), ag.grad(f)(plain))
    np.testing.assert_allclose(plain, [0, 0], atol=1e-8)


# -- steps -------------------------------------------------------------------------------------------


def test_a_step_that_is_worse_is_taken_back() -> None:
    """Newton's step on sqrt(1 + x^2) from x = 2 goes to -8; the undamped one of arctan from 2 to -3.5."""
    x = nn.Parameter(np.array([2.0]))
    optimizer = optim.Newton([x], max_eval=1, tolerance_cg=1e-10)
    optimizer.step(lambda: np.sqrt(1 + x * x).sum())
    assert x.numpy().tolist() == [2.0]
    np.testing.assert_allclose(optimizer.state[x]["radius"], 10 / 4)
    for _ in range(8):
        optimizer.step(lambda: np.sqrt(1 + x * x).sum())
    np.testing.assert_allclose(x.numpy(), 0, atol=1e-8)
    r = nn.Parameter(np.array([2.0]))
    optimizer = optim.GaussNewton([r], damping=0, max_eval=1)
    optimizer.step(lambda: np.arctan(r))
    assert r.numpy().tolist() == [2.0]
    assert optimizer.state[r]["damping"] > 0
    for _ in range(15):
        optimizer.step(lambda: np.arctan(r))
    np.testing.assert_allclose(r.numpy(), 0, atol=1e-8)


def test_the_first_damped_step_solves_its_equations() -> None:
    """(J^T J + mu I) d = -J^T r with mu = damping g.J^T J g / g.g, by a solver of linear equations."""
    x = nn.Parameter(np.array([0.0, 2.0, -1.0]))
    J, r = ag.jacobian(residuals)(x.numpy()), residuals(x.numpy())
    g = J.T @ r
    mu = 0.01 * (J @ g) @ (J @ g) / (g @ g)
    expected = x.numpy() - np.linalg.solve(J.T @ J + mu * np.eye(3), g)
    d, optimizer = expected - x.numpy(), optim.GaussNewton([x], damping=0.01, tolerance_cg=1e-12)
    optimizer.step(lambda: residuals(x))
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-9)
    ratio = (r @ r - (residuals(expected) ** 2).sum()) / (r @ r - ((r + J @ d) ** 2).sum())
    np.testing.assert_allclose(optimizer.state[x]["damping"], mu * max(1 / 3, 1 - (2 * ratio - 1) ** 3))


KINDS = {
    "Newton": (lambda p: optim.Newton(p), lambda x: rosenbrock(x)),
    "GaussNewton": (lambda p: optim.GaussNewton(p), lambda x: residuals(x)),
}
each = pytest.mark.parametrize(("make", "loss"), KINDS.values(), ids=KINDS)


@each
def test_a_run_continues_bit_for_bit(make: Any, loss: Any) -> None:
    x = nn.Parameter(np.array([-1.2, 1.0, 0.3]))
    optimizer = make([x])
    for _ in range(6):
        optimizer.step(lambda: loss(x))
    y = nn.Parameter(x.numpy().copy())
    other = make([y])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(6):
        assert optimizer.step(lambda: loss(x)).item() == other.step(lambda: loss(y)).item()
    assert np.array_equal(x.numpy(), y.numpy())
    one, two = optimizer.state[x], other.state[y]
    assert one.keys() == two.keys()
    assert all(one[k] == two[k] and type(one[k]) is np.ndarray for k in one)
    assert one["n_iter"] == 12


@each
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_closure_that_fails_changes_nothing(make: Any, loss: Any, error: Any) -> None:
    for fails in (1, 2):
        x = nn.Parameter(np.array([-1.2, 1.0]))
        optimizer = make([x])
        optimizer.step(lambda x=x: loss(x))
        before, calls = x.numpy().copy(), []

        def failing(x: Any = x, calls: Any = calls, fails: int = fails) -> Any:
            calls.append(1)
            if len(calls) == fails:
                raise error("stop")
            return loss(x)

        state = optimizer.state_dict()["state"]
        with pytest.raises(error, match="stop"):
            optimizer.step(failing)
        assert np.array_equal(x.numpy(), before)
        assert optimizer.state_dict()["state"] == state


@each
def test_frozen_parameters_and_gradients_stay(make: Any, loss: Any) -> None:
    a, b = nn.Parameter(np.array([-1.2])), nn.Parameter(np.array([0.7]), requires_grad=False)
    b.grad = np.array([5.0])
    optimizer = make([b, a])
    first = optimizer.step(lambda: loss(np.concatenate([a, b]))).item()
    for _ in range(10):
        last = optimizer.step(lambda: loss(np.concatenate([a, b]))).item()
    assert last < first
    assert b.numpy().tolist() == [0.7]
    assert b.grad.tolist() == [5.0]
    assert a.grad is None, "no gradient is left behind"


@each
def test_dropout_draws_the_same_within_a_step(make: Any, loss: Any) -> None:
    nn.manual_seed(0)
    x = nn.Parameter(np.full(50, 0.5))
    optimizer, drawn = make([x]), []

    def closure() -> Any:
        mask = nn.random.generator().random(50) < 0.5
        drawn.append(mask.tolist())
        return loss(x * mask)

    for _ in range(3):
        drawn.clear()
        optimizer.step(closure)
        assert len(drawn) > 1
        assert all(mask == drawn[0] for mask in drawn)
        following = nn.random.generator().random(50).tolist()
        assert following != drawn[0]


W = nn.Parameter([1.0, 2.0])
FIXED = ag.tensor(3.0)


def with_backward() -> Any:
    loss = (W * W).sum()
    loss.backward()
    return loss


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: optim.Newton([W]).step(), TypeError, r"\[Newton.step\] got a closure of type NoneType"),
        (lambda: optim.Newton([W]).step(lambda: 3.0), TypeError, "a closure that returns float, expected"),
        (lambda: optim.Newton([W]).step(lambda: W * W), ValueError, r"a loss of shape \(2,\), expected"),
        (lambda: optim.Newton([W]).step(lambda: FIXED), ag.GraphError, "nothing requiring grad led to"),
        (lambda: optim.Newton([W]).step(with_backward), ag.GraphError, r"a closure that calls backward\(\)"),
        (lambda: optim.Newton([W]).step(lambda: (W / 0).sum()), FloatingPointError, "not finite"),
        (lambda: optim.Newton([W], max_cg=0), ValueError, "max_cg=0, expected a number of at least 1"),
        (lambda: optim.Newton([W], max_eval=0), ValueError, "max_eval=0"),
        (lambda: optim.Newton([W], tolerance_cg=1.0), ValueError, "tolerance_cg=1.0, expected None, or"),
        (lambda: optim.Newton([W], lr=-1), ValueError, "lr=-1"),
        (lambda: optim.GaussNewton([W], damping=-1), ValueError, r"\[GaussNewton\] got damping=-1"),
        (lambda: optim.GaussNewton([W]).step(lambda: 3.0), TypeError, "returns float, expected one"),
        (lambda: optim.GaussNewton([W]).step(lambda: (W, W)), TypeError, r"\(Parameter and Parameter\)"),
        (lambda: optim.GaussNewton([W]).step(lambda: (W * 1, abs)), ValueError, r"a loss of shape \(2,\)"),
        (lambda: optim.GaussNewton([W]).step(lambda: (W * 1, lambda z: FIXED)), ag.GraphError, "nothing"),
        (lambda: optim.conjugate_gradients(abs, np.ones((2, 2))), ValueError, r"g of shape \(2, 2\)"),
        (lambda: optim.conjugate_gradients(abs, np.ones(2), radius=0), ValueError, "radius=0"),
    ],
)
def test_what_makes_no_sense_is_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text), np.errstate(divide="ignore"):
        call()
    assert W.numpy().tolist() == [1.0, 2.0]
