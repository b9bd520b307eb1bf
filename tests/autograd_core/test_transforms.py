"""Functions of functions, nested in every way: no derivative may be taken for another's."""

from __future__ import annotations

import math
import random
from collections import OrderedDict, namedtuple
from itertools import product

import numpy as np
import pytest
from numpy.polynomial import Polynomial

import autograd_core as ag


def forward(f):
    return lambda x: ag.jvp(f, (x,), (np.ones(np.shape(x)),))[1]


MODES = {"reverse": ag.grad, "forward": forward}
ORDERS = {n: list(product(MODES, repeat=n)) for n in range(1, 6)}


def nest(modes):
    return [MODES[m] for m in modes]


def leaf(x, **kwargs):
    return ag.tensor(np.array(x, dtype=float), requires_grad=True, **kwargs)


def plain(x):
    """Check that nothing of a transform leaked out, and give the value."""
    assert not isinstance(x, ag.Tensor), x
    assert isinstance(x, (np.ndarray, np.generic)), type(x)
    return x


def numeric(f, x, eps=1e-6):
    """The Jacobian by central differences, output axes first."""
    x = np.array(x, dtype=float)
    y = np.asarray(f(x))
    out = np.zeros(y.shape + x.shape)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += eps
        down[i] -= eps
        out[(..., *i)] = (np.asarray(f(up)) - np.asarray(f(down))) / (2 * eps)
    return out


# -- perturbation confusion -----------------------------------------------------------------------


@pytest.mark.parametrize("modes", ORDERS[2])
def test_x_times_d_dy_of_x_plus_y(modes):
    dx, dy = nest(modes)
    for x in (1.0, 3.0, -2.0):
        assert plain(dx(lambda x: x * dy(lambda y: x + y)(1.0))(x)) == 1
        assert plain(dx(lambda x: x * dy(lambda y: x + y)(x))(x)) == 1  # at y = x
        assert plain(dx(lambda x: dy(lambda y: x + y)(x))(x)) == 0
        assert plain(dx(lambda x: x * dy(lambda y: x * y)(2.0))(x)) == 2 * x
        assert plain(dx(lambda x: x * dy(lambda y: x * y * y)(x))(x)) == pytest.approx(6 * x * x)
        assert plain(dx(lambda x: x * dy(lambda y: y * y)(x))(x)) == 4 * x


@pytest.mark.parametrize("mode", MODES)
def test_d_dy_of_x_plus_y_at_y_equal_x(mode):
    d = MODES[mode]
    x = 3.0
    assert d(lambda y: x + y)(x) == 1
    assert d(lambda y: y + y)(x) == 2
    t = leaf(3.0)
    g = d(lambda y: t + y)(t)  # the very same Tensor
    assert g.item() == 1


@pytest.mark.parametrize("modes", ORDERS[2])
def test_a_derivative_that_does_not_depend_on_the_inner_variable(modes):
    dx, dy = nest(modes)
    assert plain(dx(lambda x: dy(lambda y: x)(3.0))(5.0)) == 0
    assert plain(dx(lambda x: dy(lambda y: x * x)(x))(5.0)) == 0
    assert plain(dx(lambda x: x * dy(lambda y: x)(3.0))(5.0)) == 0
    assert plain(dx(lambda x: x + dy(lambda y: 2.0)(x))(5.0)) == 1


@pytest.mark.parametrize("modes", ORDERS[2])
def test_the_derivative_operator_as_a_shift(modes):
    def shifted(d):  # f'(x) = d/du f(x + u) at u = 0
        return lambda f: lambda x: d(lambda u: f(x + u))(0.0)

    first, second = map(shifted, nest(modes))
    assert plain(first(second(np.exp))(1.0)) == pytest.approx(math.e)
    assert plain(first(second(lambda x: x**3))(2.0)) == pytest.approx(12)


@pytest.mark.parametrize("modes", ORDERS[3])
def test_third_order_nests(modes):
    dx, dy, dz = nest(modes)

    def f(x):  # dz: 2xyz at z = y; times y: 2xy^3; dy: 6xy^2 at y = x; times x: 6x^4
        def g(y):
            return y * dz(lambda z: x * y * z * z)(y)

        return x * dy(g)(x)

    assert plain(dx(f)(1.5)) == pytest.approx(24 * 1.5**3)

    def confused(x):
        return x * dy(lambda y: x * y * dz(lambda z: x + y + z)(y))(x)

    assert plain(dx(confused)(2.0)) == pytest.approx(4)  # d/dx x^2


@pytest.mark.parametrize("modes", ORDERS[3])
def test_third_order_nests_of_transcendental_functions(modes):
    dx, dy, dz = nest(modes)

    def f(x):
        return np.sin(x) * dy(lambda y: np.exp(x * y) * dz(lambda z: np.tanh(z) * y)(x * y))(x)

    def g(x):  # by hand: dz gives y (1 - tanh^2(xy))
        def h(y):
            t = np.tanh(x * y)
            return np.exp(x * y) * y * (1 - t * t)

        return np.sin(x) * (h(x + 1e-6) - h(x - 1e-6)) / 2e-6

    assert plain(dx(f)(0.7)) == pytest.approx((g(0.701) - g(0.699)) / 2e-3, rel=1e-4)


@pytest.mark.parametrize("modes", ORDERS[2])
def test_nests_over_arrays(modes):
    r = np.random.default_rng(0)
    x, A = r.normal(size=3), r.normal(size=(3, 3))
    outer, inner = modes

    def quadratic(x):
        J = ag.jacobian(lambda y: np.sin(A @ (x * y)), mode=inner)(x)
        return np.sum(J * J)

    d = ag.jacobian(quadratic, mode=outer)(x)
    np.testing.assert_allclose(plain(d), numeric(quadratic, x), rtol=1e-6)


def test_the_same_tensor_inside_and_outside():
    w = leaf([1.0, 2.0])
    inner = ag.grad(lambda v: (w * v * v).sum())(w)  # 2 w v at v = w; w itself stays a parameter
    np.testing.assert_allclose(inner.numpy(), 2 * np.array([1.0, 4.0]))
    inner.sum().backward()
    assert w.grad.tolist() == [4, 8]  # both ways


# Random nests of sums, products and derivatives, against polynomials.


class Poly:
    """A polynomial in a few variables: {exponents: coefficient}."""

    N = 5

    def __init__(self, terms):
        self.terms = {e: c for e, c in terms.items() if c}

    @classmethod
    def variable(cls, i):
        return cls({tuple(int(i == j) for j in range(cls.N)): 1.0})

    @classmethod
    def number(cls, c):
        return cls({(0,) * cls.N: c})

    def __add__(self, other):
        total = dict(self.terms)
        for e, c in other.terms.items():
            total[e] = total.get(e, 0) + c
        return Poly(total)

    def __mul__(self, other):
        total = {}
        for (e, c), (f, d) in product(self.terms.items(), other.terms.items()):
            key = tuple(a + b for a, b in zip(e, f, strict=True))
            total[key] = total.get(key, 0) + c * d
        return Poly(total)

    def derivative_at(self, i, point):
        total = Poly({})
        for e, c in self.terms.items():
            if e[i]:
                rest = tuple(0 if j == i else n for j, n in enumerate(e))
                term = Poly({rest: c * e[i]})
                for _ in range(e[i] - 1):
                    term = term * point
                total = total + term
        return total

    def __call__(self, *values):
        return sum(c * math.prod(v**n for v, n in zip(values, e)) for e, c in self.terms.items())


def random_nest(r, depth, variables):
    """Make (op, ...); "d" is a derivative by a fresh variable, in a random mode and place."""
    kind = r.choice("vvc") if depth == 0 else r.choice("++**ddv")
    if kind == "v":
        return "v", r.choice(variables)
    if kind == "c":
        return "c", float(r.randint(-2, 3))
    if kind == "d" and len(variables) < Poly.N:
        i = len(variables)
        body = random_nest(r, depth - 1, [*variables, i])
        return "d", r.choice(list(MODES)), i, body, random_nest(r, depth - 1, variables)
    if kind == "d":
        kind = "*"
    return kind, random_nest(r, depth - 1, variables), random_nest(r, depth - 1, variables)


def exactly(e):
    match e:
        case "v", i:
            return Poly.variable(i)
        case "c", c:
            return Poly.number(c)
        case "+", a, b:
            return exactly(a) + exactly(b)
        case "*", a, b:
            return exactly(a) * exactly(b)
        case "d", _, i, body, point:
            return exactly(body).derivative_at(i, exactly(point))


def automatically(e, known):
    match e:
        case "v", i:
            return known[i]
        case "c", c:
            return c
        case "+", a, b:
            return automatically(a, known) + automatically(b, known)
        case "*", a, b:
            return automatically(a, known) * automatically(b, known)
        case "d", mode, i, body, point:
            f = MODES[mode](lambda v: automatically(body, {**known, i: v}))
            return f(automatically(point, known))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(5))
def test_random_nests_of_derivatives(mode, seed):
    r = random.Random(seed)
    nested = 0
    for _ in range(40):
        e = random_nest(r, 4, [0])
        nested += str(e).count("'d'") > 1
        wanted = exactly(e).derivative_at(0, Poly.variable(0))(1.25, 0, 0, 0, 0)
        got = MODES[mode](lambda x: automatically(e, {0: x}))(1.25)  # noqa: B023
        assert plain(got) == pytest.approx(wanted, rel=1e-9, abs=1e-9), e
    assert nested > 5


# -- higher orders against closed forms -----------------------------------------------------------


def of_itself(x, p, dp, n):
    """The n-th derivative of u(x) where u' = dp(u), by polynomials in u."""
    poly = Polynomial([0, 1])
    for _ in range(n):
        poly = poly.deriv() * Polynomial(dp)
    return poly(p(x))


def falling(a, n):
    return math.prod(a - k for k in range(n))


def logistic(x):
    return 1 / (1 + np.exp(-x))


CLOSED = {  # function: (f, x, n-th derivative)
    "sin": (np.sin, 0.7, lambda x, n: math.sin(x + n * math.pi / 2)),
    "cos": (np.cos, 0.7, lambda x, n: math.cos(x + n * math.pi / 2)),
    "exp": (np.exp, 0.7, lambda x, n: math.exp(x)),
    "exp2": (np.exp2, 0.7, lambda x, n: 2**x * math.log(2) ** n),
    "log": (np.log, 1.7, lambda x, n: (-1) ** (n - 1) * math.factorial(n - 1) / x**n),
    "log1p": (np.log1p, 0.7, lambda x, n: (-1) ** (n - 1) * math.factorial(n - 1) / (1 + x) ** n),
    "1/x": (lambda x: 1 / x, 1.3, lambda x, n: (-1) ** n * math.factorial(n) / x ** (n + 1)),
    "reciprocal": (np.reciprocal, 1.3, lambda x, n: (-1) ** n * math.factorial(n) / x ** (n + 1)),
    "x**5": (lambda x: x**5, 1.3, lambda x, n: falling(5, n) * x ** (5 - n)),
    "x**2": (lambda x: x**2, 1.3, lambda x, n: [2 * x, 2, 0, 0, 0][n - 1]),
    "x**3": (lambda x: x**3, 1.3, lambda x, n: [3 * x * x, 6 * x, 6, 0, 0][n - 1]),
    "x**2.5": (lambda x: x**2.5, 1.3, lambda x, n: falling(2.5, n) * x ** (2.5 - n)),
    "sqrt": (np.sqrt, 1.3, lambda x, n: falling(0.5, n) * x ** (0.5 - n)),
    "cbrt": (np.cbrt, 1.3, lambda x, n: falling(1 / 3, n) * x ** (1 / 3 - n)),
    "2**x": (lambda x: 2.0**x, 0.7, lambda x, n: 2**x * math.log(2) ** n),
    "tanh": (np.tanh, 0.4, lambda x, n: of_itself(x, math.tanh, [1, 0, -1], n)),
    "tan": (np.tan, 0.4, lambda x, n: of_itself(x, math.tan, [1, 0, 1], n)),
    "sigmoid": (ag.sigmoid, 0.4, lambda x, n: of_itself(x, logistic, [0, 1, -1], n)),
    "sinh": (np.sinh, 0.4, lambda x, n: (math.cosh if n % 2 else math.sinh)(x)),
    "relu": (ag.relu, 0.4, lambda x, n: float(n == 1)),
    "abs": (np.abs, -0.4, lambda x, n: -float(n == 1)),
    "linear": (lambda x: 3 * x + 1, 0.4, lambda x, n: 3.0 * (n == 1)),
    "square": (np.square, 0.4, lambda x, n: [2 * x, 2, 0, 0, 0][n - 1]),
    "x sin": (lambda x: x * np.sin(x), 0.7,
              lambda x, n: x * math.sin(x + n * math.pi / 2) - n * math.cos(x + n * math.pi / 2)),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", CLOSED)
def test_derivatives_up_to_order_five(name, order):
    f, x, nth = CLOSED[name]
    mixes = ORDERS[order]
    if order > 3:
        mixes = [mixes[0], mixes[-1], ("forward", *mixes[0][1:]), ("reverse", *mixes[-1][1:])]
    for modes in mixes:
        d = f
        for mode in reversed(modes):
            d = MODES[mode](d)
        assert plain(d(x)) == pytest.approx(nth(x, order), rel=1e-8, abs=1e-10), modes


@pytest.mark.parametrize("name", CLOSED)
def test_second_derivatives_by_create_graph(name):
    f, x, nth = CLOSED[name]
    t = leaf(x)
    f(t).backward(create_graph=True)
    first, t.grad = t.grad, None
    assert first.item() == pytest.approx(nth(x, 1), rel=1e-9)
    if first.requires_grad:
        first.backward(create_graph=True)
        second, t.grad = t.grad, None
        assert second.item() == pytest.approx(nth(x, 2), rel=1e-9, abs=1e-12)
        if second.requires_grad:
            second.backward()
            assert t.grad == pytest.approx(nth(x, 3), rel=1e-9, abs=1e-12)
        else:
            assert nth(x, 3) == 0
    else:
        assert nth(x, 2) == 0


# -- plain NumPy code is differentiable -----------------------------------------------------------


def newton_sqrt(x):
    y = x
    for _ in range(8):
        y = 0.5 * (y + x / y)
    return y


PLAIN = {
    "ufuncs": lambda x: np.sum(np.exp(-x * x) * np.tanh(x) + np.log1p(x**2)),
    "ufunc methods": lambda x: np.sum(np.add.reduce(x) * np.multiply.outer(x, x)[0] ** 2),
    "accumulate": lambda x: np.sum(np.add.accumulate(x) ** 2 * np.cumsum(x)),
    "softmax": lambda x: (np.exp(x) / np.sum(np.exp(x)))[1],
    "einsum": lambda x: np.einsum("i,j,i->", x, x, x),
    "norms": lambda x: np.linalg.norm(x) + np.linalg.norm(np.outer(x, x), ord="fro"),
    "statistics": lambda x: np.var(x) + np.std(x) * np.mean(x) + np.ptp(x) + np.prod(x),
    "extremes": lambda x: np.max(x) * np.min(x) + np.maximum(x, 0.3) @ np.minimum(x, x * x),
    "where": lambda x: np.sum(np.where(x > 0.5, np.sin(x), x**2)),
    "shapes": lambda x: np.sum(np.reshape(np.tile(x, 4), (4, -1)).T[::-1] ** 2 @ np.arange(4.0)),
    "joins": lambda x: np.prod(np.concatenate([x, np.stack([x, x * x])[1]]) + 1),
    "indexing": lambda x: x[0] * x[-1] + np.sum(x[[0, 0, 2]] ** 2) + x[x > 0.5].sum(),
    "sorting": lambda x: np.sum(np.sort(x**2) * np.arange(len(x))),
    "dot": lambda x: np.dot(x, x) * np.vdot(x, x) + np.inner(x, x) ** 2,
    "padding": lambda x: np.sum(np.pad(x, 2)[1:-1] ** 3) + np.trace(np.diag(x) @ np.diag(x)),
    "methods": lambda x: (x.mean() * x.reshape(-1, 1) @ x[None, :]).sum() + x.std(),
    "clip": lambda x: np.sum(np.clip(x, 0.2, 0.8) ** 2),
    "loops": lambda x: np.sum(newton_sqrt(x + 1)),
    "list of scalars": lambda x: sum(v * v * v for v in x),
    "array op tensor": lambda x: np.sum(np.arange(1.0, 5.0) * x ** np.arange(1.0, 5.0) / (2 - x)),
    "matmul": lambda x: np.ones(4) @ np.tanh(np.outer(x, x) @ x),
    "trigonometry": lambda x: np.sum(np.arctan2(x, 1 + x) + np.hypot(x, 2.0) + np.arcsin(x / 2)),
    "logarithms": lambda x: np.log(np.sum(np.exp(x))) + np.sum(np.logaddexp(x, 1.0)),
    "vector result": lambda x: np.sin(x) * x[::-1],
    "matrix result": lambda x: np.outer(x, np.exp(x)),
}
X = np.array([0.1, 0.9, 0.35, 0.6])


@pytest.mark.parametrize("mode", ["reverse", "forward", "auto"])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_numpy_code_is_differentiable(name, mode):
    J = plain(ag.jacobian(PLAIN[name], mode=mode)(X))
    np.testing.assert_allclose(J, numeric(PLAIN[name], X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("modes", ORDERS[2])
@pytest.mark.parametrize("name", PLAIN)
def test_plain_numpy_code_is_differentiable_twice(name, modes):
    outer, inner = modes
    first = ag.jacobian(PLAIN[name], mode=inner)
    H = plain(ag.jacobian(first, mode=outer)(X))
    np.testing.assert_allclose(H, numeric(first, X), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_numpy_code_runs_on_tensors(name):
    x = leaf(X)
    y = PLAIN[name](x)
    v = np.random.default_rng(0).normal(size=y.shape)
    np.testing.assert_allclose(y.numpy(), PLAIN[name](X), rtol=1e-12)
    y.backward(v)
    wanted = np.tensordot(v, numeric(PLAIN[name], X), axes=v.ndim)
    np.testing.assert_allclose(x.grad, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", PLAIN)
def test_vjp_and_jvp_are_each_others_transpose(name):
    f, r = PLAIN[name], np.random.default_rng(1)
    t = r.normal(size=4)
    y, pullback = ag.vjp(f, X)
    y2, dy = ag.jvp(f, (X,), (t,))
    np.testing.assert_allclose(y, f(X), rtol=1e-12)
    np.testing.assert_allclose(y2, f(X), rtol=1e-12)
    v = r.normal(size=np.shape(y))
    assert np.sum(v * dy) == pytest.approx(np.sum(pullback(v)[0] * t), rel=1e-9)


@pytest.mark.parametrize("name", [n for n, f in PLAIN.items() if np.ndim(f(X)) == 0])
def test_hvp_is_the_hessian_times_a_vector(name):
    f, v = PLAIN[name], np.array([1.0, -2.0, 0.5, 3.0])
    H = plain(ag.hessian(f)(X))
    np.testing.assert_allclose(H, numeric(ag.grad(f), X), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(H, H.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(plain(ag.hvp(f, (X,), (v,))), H @ v, rtol=1e-9, atol=1e-12)
    reverse = ag.grad(lambda x: np.sum(ag.grad(f)(x) * v))(X)  # reverse over reverse
    np.testing.assert_allclose(plain(reverse), H @ v, rtol=1e-9, atol=1e-12)
    over = ag.grad(lambda x: ag.jvp(f, (x,), (v,))[1])(X)  # reverse over forward
    np.testing.assert_allclose(plain(over), H @ v, rtol=1e-9, atol=1e-12)


# -- nested containers ----------------------------------------------------------------------------

Point = namedtuple("Point", ["x", "y"])


def tree():
    r = np.random.default_rng(2)
    return {
        "point": Point(r.normal(size=2), 1.5),
        "list": [r.normal(size=(2, 3)), (r.normal(size=3),)],
        "empty": (),
    }


def of_tree(t):
    return np.sum(np.sin(t["point"].x @ t["list"][0]) * t["list"][1][0]) * t["point"].y ** 2


def flat(t):
    if isinstance(t, dict):
        t = list(t.values())
    return [x for item in t for x in flat(item)] if isinstance(t, (list, tuple)) else [t]


def assert_same_structure(a, b):
    assert type(a) is type(b) or not isinstance(a, (dict, list, tuple))
    if isinstance(a, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same_structure(x, y)
    else:
        assert np.shape(a) == np.shape(b)


def test_grad_over_a_tree():
    t = tree()
    value, gradient = ag.value_and_grad(of_tree)(t)
    assert value == of_tree(t)
    assert_same_structure(t, gradient)
    again = ag.grad(of_tree)(t)
    x, y, A, b = t["point"].x, t["point"].y, t["list"][0], t["list"][1][0]
    wanted = [A @ (np.cos(x @ A) * b) * y**2, 2 * y * np.sum(np.sin(x @ A) * b),
              np.outer(x, np.cos(x @ A) * b) * y**2, np.sin(x @ A) * y**2]  # fmt: skip
    for g, h, w in zip(flat(gradient), flat(again), wanted, strict=True):
        np.testing.assert_allclose(plain(g), w, rtol=1e-12)
        np.testing.assert_array_equal(g, h)
    assert isinstance(gradient["point"], Point)


def test_jvp_and_vjp_over_a_tree_agree():
    t = tree()
    _, (gradient,) = (lambda y, pull: (y, pull(1.0)))(*ag.vjp(of_tree, t))
    direction = tree()
    _, dy = ag.jvp(of_tree, (t,), (direction,))
    total = sum(np.sum(a * b) for a, b in zip(flat(gradient), flat(direction), strict=True))
    assert dy == pytest.approx(total, rel=1e-12)
    hv = ag.hvp(of_tree, (t,), (direction,))
    assert_same_structure(t, hv)
    eps = 1e-6
    moved = [ag.grad(of_tree)(_shift(t, direction, s * eps)) for s in (1, -1)]
    for h, up, down in zip(flat(hv), flat(moved[0]), flat(moved[1]), strict=True):
        np.testing.assert_allclose(h, (up - down) / (2 * eps), rtol=1e-5, atol=1e-7)


def _shift(t, d, eps):
    if isinstance(t, dict):
        return {k: _shift(t[k], d[k], eps) for k in t}
    if hasattr(t, "_fields"):
        return type(t)(*(_shift(a, b, eps) for a, b in zip(t, d, strict=True)))
    if isinstance(t, (list, tuple)):
        return type(t)(_shift(a, b, eps) for a, b in zip(t, d, strict=True))
    return t + eps * d


def test_functions_that_return_trees():
    def f(x):
        return {"a": x * 2.0, "b": [np.sin(x), Point(x.sum(), 3.0)]}

    x, t = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    y, dy = ag.jvp(f, (x,), (t,))
    assert_same_structure(f(x), y)
    assert_same_structure(y, dy)
    np.testing.assert_array_equal(dy["a"], 2 * t)
    np.testing.assert_allclose(dy["b"][0], np.cos(x) * t)
    assert dy["b"][1].x == t.sum()
    assert dy["b"][1].y == 0

    y, pullback = ag.vjp(f, x)
    assert_same_structure(f(x), y)
    v = {"a": np.ones(2), "b": [np.ones(2), Point(10.0, 5.0)]}
    np.testing.assert_allclose(pullback(v)[0], 2 + np.cos(x) + 10)
    np.testing.assert_allclose(pullback(v)[0], 2 + np.cos(x) + 10)  # as often as one likes


@pytest.mark.parametrize("mode", ["reverse", "forward", "auto"])
def test_jacobian_over_trees_has_the_outputs_structure_outside(mode):
    def f(p):
        return [p["w"] @ p["x"], {"n": np.sum(p["x"] ** 2)}]

    p = {"w": np.arange(6.0).reshape(2, 3), "x": np.array([1.0, 2.0, 3.0])}
    J = ag.jacobian(f, mode=mode)(p)
    assert isinstance(J, list)
    assert J[0]["w"].shape == (2, 2, 3)
    np.testing.assert_array_equal(J[0]["x"], p["w"])
    np.testing.assert_array_equal(J[0]["w"], np.einsum("ik,l->ikl", np.eye(2), p["x"]))
    np.testing.assert_array_equal(J[1]["n"]["x"], 2 * p["x"])
    np.testing.assert_array_equal(J[1]["n"]["w"], np.zeros((2, 3)))


def test_hessian_over_a_tree_has_the_inputs_structure_twice():
    def f(p):
        return np.sum(p["a"] ** 2) * p["b"]

    H = ag.hessian(f)({"a": np.array([1.0, 2.0]), "b": 3.0})
    np.testing.assert_allclose(H["a"]["a"], 6 * np.eye(2))
    np.testing.assert_allclose(H["a"]["b"], [2, 4])
    np.testing.assert_allclose(H["b"]["a"], [2, 4])
    assert H["b"]["b"] == 0


def test_ordered_dictionaries_keep_their_order():
    t = OrderedDict(b=2.0, a=3.0)
    g = ag.grad(lambda t: t["a"] * t["b"] ** 2)(t)
    assert type(g) is OrderedDict
    assert list(g.items()) == [("b", 12.0), ("a", 4.0)]


# -- arguments ------------------------------------------------------------------------------------


def three(a, b, c=1.0, *, scale=1.0):
    return a * b**2 * c**3 * scale


def test_argnums():
    args = (2.0, 3.0, 5.0)
    wanted = (9 * 125.0, 12 * 125.0, 18 * 75.0)
    for i in range(3):
        assert ag.grad(three, argnums=i)(*args) == wanted[i]
        assert ag.grad(three, argnums=i - 3)(*args) == wanted[i]
        assert ag.jacobian(three, argnums=i)(*args) == wanted[i]
    assert ag.grad(three, argnums=(0, 2))(*args) == (wanted[0], wanted[2])
    assert ag.grad(three, argnums=[2, 1])(*args) == (wanted[2], wanted[1])
    assert ag.grad(three, argnums=(1,))(*args) == (wanted[1],)
    value, gradients = ag.value_and_grad(three, argnums=(0, 1, 2))(*args)
    assert value == three(*args)
    assert gradients == wanted
    J = ag.jacobian(three, argnums=(0, 2))(*args)
    assert (wanted[0], wanted[2]) == J
    assert ag.hessian(three, argnums=1)(*args) == pytest.approx(4 * 125)


def test_hessian_of_several_arguments():
    H = ag.hessian(three, argnums=(0, 1))(2.0, 3.0, 5.0)
    assert H[0][0] == 0
    assert H[0][1] == pytest.approx(6 * 125)
    assert H[1][0] == pytest.approx(6 * 125)
    assert H[1][1] == pytest.approx(4 * 125)


def test_keywords_and_defaults_pass_through():
    assert ag.grad(three)(2.0, 3.0) == 9
    assert ag.grad(three)(2.0, 3.0, scale=10.0) == 90
    assert ag.grad(three, argnums=1)(2.0, 3.0, c=2.0, scale=np.array(10.0)) == 960
    assert ag.grad(three).__name__ == "three"


def test_the_other_arguments_may_be_anything():
    def f(x, n, name, table):
        for _ in range(n):
            x = x * table[name]
        return x

    assert ag.grad(f)(2.0, 3, "k", {"k": 5.0}) == 125


def test_has_aux():
    def f(x):
        y = x**2
        return y.sum(), {"y": y, "note": "kept"}

    x = np.array([1.0, 2.0])
    g, aux = ag.grad(f, has_aux=True)(x)
    np.testing.assert_array_equal(g, 2 * x)
    assert aux["note"] == "kept"
    np.testing.assert_array_equal(plain(aux["y"]), x**2)  # its graph is not kept alive
    (value, aux), g = ag.value_and_grad(f, has_aux=True)(x)
    assert plain(value) == 5
    np.testing.assert_array_equal(plain(aux["y"]), x**2)
    np.testing.assert_array_equal(g, 2 * x)


def test_has_aux_can_be_differentiated_by_an_outer_transform():
    def inner(x):
        g, aux = ag.grad(lambda y: (y**3, y**2), has_aux=True)(x)
        return g + aux  # 3 x^2 + x^2

    for d in MODES.values():
        assert plain(d(inner)(2.0)) == pytest.approx(16)


def test_hvp_with_several_arguments():
    out = ag.hvp(lambda a, b: a * b**2, (2.0, 3.0), (1.0, 0.0))
    assert out == (0.0, 6.0)


# -- what comes out -------------------------------------------------------------------------------


def test_python_numbers_in_numpy_scalars_out():
    def f(x):
        return x * x

    assert type(ag.grad(f)(3.0)) is np.float64
    value, g = ag.value_and_grad(f)(3.0)
    assert type(value) is type(g) is np.float64
    y, pullback = ag.vjp(f, 3.0)
    assert type(y) is type(pullback(1.0)[0]) is np.float64
    y, t = ag.jvp(f, (3.0,), (1.0,))
    assert type(y) is type(t) is np.float64
    assert type(ag.hvp(f, (3.0,), (1.0,))) is np.float64
    for d in (ag.jacobian(f), ag.jacobian(f, mode="forward"), ag.hessian(f)):
        assert isinstance(d(3.0), (np.float64, np.ndarray))
        assert np.shape(d(3.0)) == ()
    assert type(ag.grad(f)(np.float32(3.0))) is np.float32


def test_arrays_in_arrays_out():
    for x in (np.ones(3), np.ones((2, 0)), np.array(2.0)):
        g = ag.grad(lambda x: np.sum(x * x))(x)
        assert type(g) is np.ndarray
        assert g.shape == x.shape
        np.testing.assert_array_equal(g, 2 * x)


def test_float32_stays_float32():
    x = np.ones(3, np.float32)

    def f(x):
        return np.sum(np.sin(x) * 2.0 + x / 3)

    assert ag.grad(f)(x).dtype == np.float32
    assert ag.value_and_grad(f)(x)[0].dtype == np.float32
    assert [a.dtype for a in ag.jvp(f, (x,), (np.ones(3),))] == [np.float32] * 2
    assert ag.vjp(np.sin, x)[1](np.ones(3))[0].dtype == np.float32
    assert ag.hessian(f)(x).dtype == np.float32
    for mode in ("reverse", "forward"):
        assert ag.jacobian(np.sin, mode=mode)(x).dtype == np.float32


def test_mixed_dtypes_give_each_input_its_own():
    a, b = np.ones(2, np.float32), np.ones(2)
    ga, gb = ag.grad(lambda a, b: np.sum(a * b * b), argnums=(0, 1))(a, b)
    assert (ga.dtype, gb.dtype) == (np.float32, np.float64)


def test_tensors_in_tensors_out():
    x = ag.tensor([1.0, 2.0])
    g = ag.grad(lambda x: (x * x).sum())(x)
    assert isinstance(g, ag.Tensor)
    assert not g.requires_grad
    assert g.tolist() == [2, 4]
    y, t = ag.jvp(lambda x: x * x, (x,), (x,))
    assert isinstance(y, ag.Tensor)
    assert isinstance(t, ag.Tensor)
    assert t.tolist() == [2, 8]


def test_inputs_are_not_changed():
    x = np.array([1.0, 2.0])
    kept = x.copy()
    for d in (ag.grad(lambda x: np.sum(x * x)), ag.hessian(lambda x: np.sum(x * x))):
        d(x)
    np.testing.assert_array_equal(x, kept)
    t = leaf([1.0, 2.0])
    ag.grad(lambda t: (t * t).sum())(t)
    assert t.grad is None  # a transform fills nobody's grad


def test_leaves_closed_over_get_no_gradient():
    w = leaf([1.0, 2.0])
    ag.grad(lambda x: (w * x).sum())(np.ones(2))
    assert w.grad is None


# -- functions that hardly depend on their input --------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_constant_functions(mode):
    d = MODES[mode]
    assert plain(d(lambda x: 3.0)(2.0)) == 0
    assert plain(d(lambda x: np.float64(3.0))(2.0)) == 0
    assert plain(d(lambda x: np.array(3.0))(2.0)) == 0
    assert plain(d(lambda x: 3)(2.0)) == 0
    x = np.ones((2, 3))
    for f in (lambda x: 1.0, lambda x: np.sum(np.sign(x)), lambda x: np.sum(x > 0)):
        if mode == "reverse":
            np.testing.assert_array_equal(plain(ag.grad(f)(x)), np.zeros((2, 3)))
    assert plain(d(lambda x: x - x)(2.0)) == 0
    assert plain(d(lambda x: 0 * x)(2.0)) == 0


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobians_of_constants(mode):
    J = ag.jacobian(lambda x: np.ones((2, 2)), mode=mode)(np.ones(3))
    np.testing.assert_array_equal(plain(J), np.zeros((2, 2, 3)))


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_jacobians_of_nothing(mode, n, m):
    A = np.ones((n, m))
    assert plain(ag.jacobian(lambda x: A @ x, mode=mode)(np.ones(m))).shape == (n, m)


@pytest.mark.parametrize("mode", MODES)
def test_the_input_itself(mode):
    d = MODES[mode]
    assert plain(d(lambda x: x)(2.0)) == 1
    assert plain(d(d(lambda x: x))(2.0)) == 0
    np.testing.assert_array_equal(ag.jacobian(lambda x: x, mode=mode)(np.ones(2)), np.eye(2))
    value, pullback = ag.vjp(lambda x: x, np.array([1.0, 2.0]))
    assert plain(value).tolist() == [1, 2]
    assert pullback(np.array([3.0, 4.0]))[0].tolist() == [3, 4]
    y, t = ag.jvp(lambda x: (x, x), (2.0,), (5.0,))
    assert y == (2, 2)
    assert t == (5, 5)
    assert ag.value_and_grad(lambda x: x)(2.0) == (2, 1)


def test_a_function_that_returns_an_enclosing_variable():
    for z in (2.0, np.array(2.0), ag.tensor(2.0, dtype=float), leaf(2.0)):
        assert ag.grad(lambda z: ag.grad(lambda w: z)(z))(z).item() == 0
        assert ag.grad(lambda z: z * ag.grad(lambda w: z * w)(z))(z).item() == 4
        assert ag.jvp(lambda z: ag.grad(lambda w: z)(z), (z,), (1.0,))[1].item() == 0


def test_one_of_several_inputs_is_not_used():
    ga, gb = ag.grad(lambda a, b: np.sum(a), argnums=(0, 1))(np.ones(2), np.ones((3, 1)))
    assert ga.tolist() == [1, 1]
    np.testing.assert_array_equal(gb, np.zeros((3, 1)))


def test_the_same_array_given_twice():
    x = np.array([1.0, 2.0])
    ga, gb = ag.grad(lambda a, b: np.sum(a * a * b), argnums=(0, 1))(x, x)
    np.testing.assert_array_equal(ga, 2 * x * x)
    np.testing.assert_array_equal(gb, x * x)
    t = leaf([1.0, 2.0])
    ga, gb = ag.grad(lambda a, b: (a * a * b).sum(), argnums=(0, 1))(t, t)
    assert ga.tolist() == [2, 8]
    assert gb.tolist() == [1, 4]


def test_second_derivatives_of_linear_functions_are_zero():
    assert plain(ag.grad(ag.grad(lambda x: 3 * x))(2.0)) == 0
    np.testing.assert_array_equal(ag.hessian(lambda x: np.sum(x))(np.ones(2)), np.zeros((2, 2)))
    np.testing.assert_array_equal(ag.hessian(lambda x: 1.0)(np.ones(2)), np.zeros((2, 2)))
    assert ag.hvp(lambda x: np.sum(x), (np.ones(2),), (np.ones(2),)).tolist() == [0, 0]


# -- recording ------------------------------------------------------------------------------------


def test_grad_inside_no_grad():
    with ag.no_grad():
        assert ag.grad(lambda x: x**3)(2.0) == 12
        assert ag.grad(ag.grad(lambda x: x**3))(2.0) == 12
        assert ag.hessian(lambda x: np.sum(x**3))(np.array([2.0])).tolist() == [[12]]
        assert ag.jvp(lambda x: x**3, (2.0,), (1.0,))[1] == 12
        assert ag.hvp(lambda x: x**3, (2.0,), (1.0,)) == 12
        assert not ag.is_grad_enabled()
    assert ag.is_grad_enabled()


def test_no_grad_inside_grad_makes_a_constant():
    def f(x):
        with ag.no_grad():
            c = x * x
        return c * x

    assert plain(ag.grad(f)(3.0)) == 9
    assert plain(ag.grad(ag.grad(f))(3.0)) == 0


def test_detach_inside_grad_makes_a_constant():
    assert plain(ag.grad(lambda x: x.detach() * x)(3.0)) == 3


def test_closed_over_parameters_inside_no_grad_are_constants():
    w = leaf([1.0, 2.0])
    with ag.no_grad():
        g = ag.grad(lambda x: (w * x * x).sum())(np.ones(2))
    assert isinstance(g, np.ndarray) or not g.requires_grad
    np.testing.assert_array_equal(np.asarray(g), [2, 4])


def test_an_error_inside_a_transform_leaves_no_trace():
    def wrong(x):
        raise ZeroDivisionError

    for transform in (ag.grad(wrong), ag.jacobian(wrong, mode="forward"), ag.hessian(wrong)):
        with ag.no_grad(), pytest.raises(ZeroDivisionError):
            transform(1.0)
        assert ag.is_grad_enabled()
        with pytest.raises(ZeroDivisionError):
            transform(1.0)
    assert ag.jvp(lambda x: x * ag.grad(lambda y: x * y)(x), (3.0,), (1.0,))[1] == 6
    assert (leaf(1.0) * 2).level == 0


# -- gradients of expressions that hold gradients -------------------------------------------------


def critic(x, w1, w2, tanh=np.tanh):
    return (tanh(x @ w1) @ w2).sum()


def penalty_data():
    r = np.random.default_rng(4)
    return r.normal(size=(5, 4)), r.normal(size=(4, 6)), r.normal(size=(6, 1))


def test_a_gradient_penalty_closes_over_parameters():
    x, W1, W2 = penalty_data()

    def penalty(w1, w2):
        g = ag.grad(lambda x: critic(x, w1, w2))(x)
        return np.sum((np.sqrt(np.sum(g * g, axis=1)) - 1) ** 2)

    w1, w2 = leaf(W1), leaf(W2)
    loss = penalty(w1, w2) + critic(x, w1, w2)
    loss.backward()
    for k, t in enumerate((w1, w2)):

        def total(w, k=k):
            ws = [W1, W2]
            ws[k] = w
            return penalty(*ws) + critic(x, *ws)

        wanted = numeric(total, [W1, W2][k])
        np.testing.assert_allclose(t.grad, wanted, rtol=1e-5, atol=1e-7)
        inner = ag.grad(lambda *ws: penalty(*ws) + critic(x, *ws), argnums=k)(W1, W2)
        np.testing.assert_allclose(plain(inner), wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("way", ["grad", "create_graph", "vjp", "jacobian"])
def test_gradient_penalties_agree_with_torch(way):
    torch = pytest.importorskip("torch")
    x, W1, W2 = penalty_data()
    tx, t1, t2 = (torch.tensor(a, requires_grad=True) for a in (x, W1, W2))
    y = critic(tx, t1, t2, torch.tanh)
    (g,) = torch.autograd.grad(y, tx, create_graph=True)
    (((g * g).sum(1).sqrt() - 1) ** 2).mean().backward()

    w1, w2 = leaf(W1), leaf(W2)

    def f(x):
        return critic(x, w1, w2)

    if way == "grad":
        h = ag.grad(f)(x)
    elif way == "vjp":
        (h,) = ag.vjp(f, x)[1](1.0)
    elif way == "jacobian":
        h = ag.jacobian(f, mode="reverse")(x)
    else:
        t = leaf(x)
        f(t).backward(create_graph=True)
        h = t.grad
        w1.grad = w2.grad = None
    ((np.sqrt((h * h).sum(axis=1)) - 1) ** 2).mean().backward()
    np.testing.assert_allclose(w1.grad, t1.grad.numpy(), rtol=1e-9)
    np.testing.assert_allclose(w2.grad, t2.grad.numpy(), rtol=1e-9)


def test_penalty_on_an_input_that_is_itself_a_parameter():
    torch = pytest.importorskip("torch")
    x, W1, W2 = penalty_data()
    tx = torch.tensor(x, requires_grad=True)
    y = critic(tx, torch.tensor(W1), torch.tensor(W2), torch.tanh)
    (g,) = torch.autograd.grad(y, tx, create_graph=True)
    (g**2).sum().backward()
    t = leaf(x)
    h = ag.grad(lambda x: critic(x, W1, W2))(t)
    (h**2).sum().backward()
    np.testing.assert_allclose(t.grad, tx.grad.numpy(), rtol=1e-9)


def test_every_transform_closes_over_parameters():
    x, v = np.array([0.5, 1.5]), np.array([1.0, -2.0])

    def check(result, wanted):
        w.grad = None
        assert isinstance(result, ag.Tensor)
        result.sum().backward()
        np.testing.assert_allclose(w.grad, wanted, rtol=1e-12)

    w = leaf([2.0, 3.0])

    def f(x):
        return (w * x**3).sum()

    check(ag.grad(f)(x), 3 * x**2)
    check(ag.value_and_grad(f)(x)[0], x**3)
    check(ag.value_and_grad(f)(x)[1], 3 * x**2)
    check(ag.vjp(f, x)[0], x**3)
    check(ag.vjp(f, x)[1](2.0)[0], 6 * x**2)
    check(ag.jvp(f, (x,), (v,))[0], x**3)
    check(ag.jvp(f, (x,), (v,))[1], 3 * x**2 * v)
    check(ag.hvp(f, (x,), (v,)), 6 * x * v)
    check(ag.hessian(f)(x), 6 * x)
    for mode in ("reverse", "forward"):
        check(ag.jacobian(lambda x: w * x**2, mode=mode)(x), 2 * x)
    check(ag.grad(lambda x: ag.grad(f)(x).sum())(x), 6 * x)


def test_a_recorded_tangent_carries_gradients():
    v = leaf([1.0, 2.0])
    _, t = ag.jvp(lambda x: x**2, (np.array([3.0, 4.0]),), (v,))
    t.sum().backward()
    assert v.grad.tolist() == [6, 8]


def test_a_pullback_can_be_pushed_forward_and_back():
    def f(x):
        return np.sin(x) * x

    def slope(x):
        return ag.vjp(f, x)[1](1.0)[0]

    x = 0.8
    second = 2 * math.cos(x) - x * math.sin(x)
    for d in MODES.values():
        assert plain(d(slope)(x)) == pytest.approx(second, rel=1e-12)
    # forward mode as a transpose of reverse mode
    _, pullback = ag.vjp(lambda v: ag.vjp(f, x)[1](v)[0], 1.0)
    assert plain(pullback(2.0)[0]) == pytest.approx(2 * (math.cos(x) * x + math.sin(x)))


def test_the_pullback_is_differentiable_in_its_argument():
    x = np.array([1.0, 2.0])

    def f(v):
        return np.sum(ag.vjp(lambda y: y**2, x)[1](v)[0] ** 2)

    for mode in ("reverse", "forward"):
        J = ag.jacobian(f, mode=mode)(np.array([1.0, 3.0]))
        np.testing.assert_allclose(plain(J), 2 * (2 * x) ** 2 * [1.0, 3.0])


def test_a_fourth_order_tensor():
    x = np.array([0.3, 0.9])

    def f(x):
        return np.sum(np.sin(x)) * x[0] * x[1] ** 2

    T = ag.hessian(lambda x: np.sum(ag.hessian(f)(x)))(x)
    assert plain(T).shape == (2, 2)
    full = ag.jacobian(ag.jacobian(ag.hessian(f)))(x)
    assert full.shape == (2, 2, 2, 2)
    np.testing.assert_allclose(full.sum(axis=(0, 1)), T, rtol=1e-9)
    np.testing.assert_allclose(full, full.transpose(3, 2, 1, 0), rtol=1e-9)


def test_optimisation_through_an_inner_step():
    """A learning rate learnt by differentiating through a step of gradient descent."""

    def loss(w):
        return np.sum((w - 3.0) ** 2)

    def after_a_step(rate, w):
        return loss(w - rate * ag.grad(loss)(w))

    w, rate = np.array([1.0, 4.0]), 0.1
    wanted = numeric(lambda r: after_a_step(r, w), rate)
    for d in MODES.values():
        assert plain(d(lambda r: after_a_step(r, w))(rate)) == pytest.approx(wanted, rel=1e-6)


def test_transforms_of_functions_that_use_backward():
    def f(x):  # a user may call backward inside a function that is only evaluated
        w = leaf([1.0, 2.0])
        (w * w).sum().backward()
        return np.sum(w.grad * x)

    np.testing.assert_array_equal(ag.grad(f)(np.ones(2)), [2, 4])


# -- agreement with JAX ---------------------------------------------------------------------------

BOTH = {
    "mlp": lambda xp, x: xp.sum(xp.tanh(xp.outer(x, x) @ xp.tanh(x)) ** 2),
    "softmax": lambda xp, x: xp.log(xp.sum(xp.exp(x))) + xp.sum(xp.exp(x) * x) / xp.sum(xp.exp(x)),
    "rational": lambda xp, x: xp.sum(x**3 / (1 + x**2)) * xp.prod(x),
    "trig": lambda xp, x: xp.sum(xp.arctan2(x, x[::-1] + 1) * xp.hypot(x, 2.0)),
    "norm": lambda xp, x: xp.linalg.norm(x) * xp.std(x),
    "power": lambda xp, x: xp.sum(x**x) + xp.sum(2.0**x),
    "shapes": lambda xp, x: xp.sum(xp.cumsum(xp.concatenate([x, x[1:] * x[:-1]])) ** 2),
    "einsum": lambda xp, x: xp.einsum("i,j,ij->", x, x, xp.outer(xp.sin(x), x)),
    "where": lambda xp, x: xp.sum(xp.where(x > 0.5, xp.log(x), x**2)),
    "vector": lambda xp, x: xp.sin(x) * xp.cumsum(x**2),
}


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else _x64(jax):
        yield jax


def _x64(jax):
    from jax.experimental import enable_x64

    return enable_x64()


@pytest.mark.parametrize("name", BOTH)
def test_agreement_with_jax(jax, name):
    jnp = jax.numpy
    v = np.array([1.0, -0.5, 2.0, 0.3])

    def ours(x):
        return BOTH[name](np, x)

    def theirs(x):
        return BOTH[name](jnp, x)

    @jax.jit  # one compilation
    def wanted(x):
        def hv(x):
            return jax.jvp(jax.jacrev(theirs), (x,), (v,))[1]

        third = jax.grad(lambda x: jnp.sum(hv(x)))(x)
        return jax.jacrev(theirs)(x), jax.jvp(theirs, (x,), (v,))[1], hv(x), third

    first, tangent, hv, third = wanted(X)
    close = {"rtol": 1e-9, "atol": 1e-11}
    for mode in ("reverse", "forward"):
        np.testing.assert_allclose(ag.jacobian(ours, mode=mode)(X), first, **close)
    np.testing.assert_allclose(ag.jvp(ours, (X,), (v,))[1], tangent, **close)
    for outer, inner in ORDERS[2]:
        H = ag.jacobian(ag.jacobian(ours, mode=inner), mode=outer)(X)
        np.testing.assert_allclose(H @ v, hv, **close)
    if np.ndim(ours(X)) == 0:
        np.testing.assert_allclose(ag.grad(ours)(X), first, **close)
        np.testing.assert_allclose(ag.hvp(ours, (X,), (v,)), hv, **close)
        ours_third = ag.grad(lambda x: np.sum(ag.hvp(ours, (x,), (v,))))(X)
        np.testing.assert_allclose(ours_third, third, **close)


def test_agreement_with_jax_over_a_tree(jax):
    t = {k: v for k, v in tree().items() if k != "empty"}

    def theirs(t):
        jnp = jax.numpy
        product = jnp.asarray(t["point"].x) @ t["list"][0]
        return jnp.sum(jnp.sin(product) * t["list"][1][0]) * t["point"].y ** 2

    value, gradient = ag.value_and_grad(of_tree)(t)
    wanted_value, wanted = jax.value_and_grad(theirs)(t)
    assert value == pytest.approx(float(wanted_value), rel=1e-12)
    for key in t:  # JAX sorts dictionaries
        for a, b in zip(flat(gradient[key]), flat(wanted[key]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)
