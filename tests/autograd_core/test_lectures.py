"""The lectures' worked numbers on graphs and the chain rule, each with the library's own words."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import Value

RNG = np.random.default_rng(0)


def leaf(x, name=None):
    return ag.tensor(np.array(x, dtype=float), requires_grad=True, name=name)


def on_value(f):
    """The gradient of a scalar function by the scalar engine."""

    def gradient(*xs):
        values = [Value(x) for x in xs]
        f(*values).backward()
        return [v.grad for v in values]

    return gradient


def on_tensor(f):
    def gradient(*xs):
        leaves = [leaf(x) for x in xs]
        f(*leaves).backward()
        return [float(t.grad) for t in leaves]

    return gradient


def by_reverse(f):
    return lambda *xs: list(ag.grad(f, argnums=tuple(range(len(xs))))(*xs))


def by_forward(f):
    def gradient(*xs):
        basis = np.eye(len(xs))
        return [ag.jvp(f, xs, tuple(e))[1] for e in basis]

    return gradient


READERS = pytest.mark.parametrize("d", [on_value, on_tensor, by_reverse, by_forward])


def methods(name):
    """A function that is a method of Values, Tensors and duals, and NumPy's on numbers."""
    return lambda x: getattr(x, name)()


exp, cos, sin, tanh, sigmoid, log, relu = map(
    methods, ["exp", "cos", "sin", "tanh", "sigmoid", "log", "relu"]
)


def s(x):
    return 1 / (1 + np.exp(-np.asarray(x, dtype=float)))


def ds(x):
    return s(x) * (1 - s(x))


# -- partial and total derivatives ----------------------------------------------------------------


@READERS
def test_partial_against_total_derivative(d):
    def f(x, g):
        return 3 * x + 2 * g

    assert d(f)(5.0, 10.0) == [3, 2]  # partial: g is held
    assert d(lambda x: f(x, 2 * x))(5.0) == [7]  # total: g follows x


def test_partial_and_total_in_one_graph():
    x = leaf(5.0)
    g = 2 * x
    g.retain_grad()
    f = 3 * x + 2 * g
    f.backward()
    assert x.grad == 7
    assert g.grad == 2
    held = leaf(5.0)
    (3 * held + 2 * (2 * held).detach()).backward()
    assert held.grad == 3


@READERS
def test_direct_argument_is_counted_once(d):
    # f(x, g(x), h(x, g)): one direct path and every path through the parents, each once.
    def f(x):
        g = x * x
        h = x * g
        return x + g + h

    assert d(f)(2.0) == pytest.approx([1 + 2 * 2.0 + 3 * 2.0**2])


@READERS
def test_fan_out_sums_over_children(d):
    def f(x):
        a, b, c = x * 2, x * x, x * x * x
        return a * b + c

    assert d(f)(1.5) == pytest.approx([9 * 1.5**2])


@READERS
def test_a_value_used_twice_by_one_operation(d):
    assert d(lambda x: x * x)(3.0) == [6]
    assert d(lambda x: x + x)(3.0) == [2]
    assert d(lambda x: x - x)(3.0) == [0]
    assert d(lambda x: x / x)(3.0) == [0]


@READERS
@pytest.mark.parametrize("lam", [0.0, 0.1, 3.0])
def test_regularised_loss_adds_the_weight(d, lam):
    def loss(w, b):
        return 0.5 * (sigmoid(w * 2.0 + b) - 1.0) ** 2

    def regularised(w, b):
        return loss(w, b) + lam * w * w / 2

    plain, with_penalty = d(loss)(0.7, -0.3), d(regularised)(0.7, -0.3)
    assert with_penalty == pytest.approx([plain[0] + lam * 0.7, plain[1]], rel=1e-6)


@READERS
def test_backpropagation_over_a_topological_order(d):
    # v1, v2 inputs; v3 = v1 v2; v4 = sin v1; v5 = v3 + v4; v6 = v5 v3
    def f(v1, v2):
        v3 = v1 * v2
        v4 = sin(v1)
        v5 = v3 + v4
        return v5 * v3

    v1, v2 = 0.8, -1.3
    v3, v4 = v1 * v2, math.sin(v1)
    v5 = v3 + v4
    bar5, bar6 = v3, 1.0
    bar4 = bar5
    bar3 = bar5 + bar6 * v5
    assert d(f)(v1, v2) == pytest.approx([bar3 * v2 + bar4 * math.cos(v1), bar3 * v1], rel=1e-12)


def test_every_bar_of_that_order_on_values():
    v1, v2 = Value(0.8), Value(-1.3)
    v3, v4 = v1 * v2, v1.sin()
    v5 = v3 + v4
    v6 = v5 * v3
    v6.backward()
    assert v6.grad == 1
    assert v5.grad == v3.data
    assert v4.grad == v5.grad
    assert v3.grad == v5.grad + v5.data
    assert v2.grad == v3.grad * v1.data
    assert v1.grad == pytest.approx(v3.grad * v2.data + v4.grad * math.cos(0.8))


def test_values_are_kept_so_that_backward_can_run_again():
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    loss = c * c + c
    loss.backward()
    assert (loss.grad, c.grad, a.grad, b.grad) == (1, -11, 33, -22)
    loss.backward()
    assert (loss.grad, c.grad, a.grad, b.grad) == (2, -22, 66, -44)
    (a * 10).backward()  # another graph on the same leaf
    assert (a.grad, b.grad, c.grad) == (76, -44, -22)


# -- worked examples ------------------------------------------------------------------------------


@READERS
@pytest.mark.parametrize(("w", "b", "x", "t"), [(0.5, -0.2, 1.5, 1.0), (-2.0, 1.0, 3.0, 0.0)])
def test_logistic_least_squares(d, w, b, x, t):
    def loss(w, b):
        y = sigmoid(w * x + b)
        return (y - t) ** 2 / 2

    z = w * x + b
    dz = (s(z) - t) * ds(z)
    assert d(loss)(w, b) == pytest.approx([dz * x, dz], rel=1e-12)


def test_logistic_least_squares_step_by_step():
    w, b, x, t = Value(0.5, "w"), Value(-0.2, "b"), 1.5, 1.0
    z = w * x + b
    y = z.sigmoid()
    loss = (y - t) ** 2 / 2
    loss.backward()
    assert loss.grad == 1
    assert y.grad == pytest.approx(y.data - t)
    assert z.grad == pytest.approx(y.grad * y.data * (1 - y.data))
    assert w.grad == pytest.approx(z.grad * x)
    assert b.grad == pytest.approx(z.grad)
    assert (w.label, b.label) == ("w", "b")


@READERS
@pytest.mark.parametrize("t", [-1.2, 0.0, 0.4, 2.0])
def test_exponential_of_a_product_along_a_curve(d, t):
    def f(x, y):
        return y + exp(x * y)

    x, y = math.cos(t), t * t
    fx, fy = y * math.exp(x * y), 1 + x * math.exp(x * y)
    assert d(f)(x, y) == pytest.approx([fx, fy], rel=1e-12)
    total = fx * -math.sin(t) + fy * 2 * t
    assert d(lambda t: f(cos(t), t * t))(t) == pytest.approx([total], rel=1e-12, abs=1e-14)


@READERS
def test_two_class_softmax(d):
    def p1(z1, z2):
        return exp(z1) / (exp(z1) + exp(z2))

    z1, z2 = 0.3, 1.1
    p = s(z1 - z2)
    assert d(p1)(z1, z2) == pytest.approx([p * (1 - p), -p * (1 - p)], rel=1e-12)

    def loss(z1, z2):  # cross-entropy of class 1: p - onehot
        return -log(p1(z1, z2))

    assert d(loss)(z1, z2) == pytest.approx([p - 1, 1 - p], rel=1e-12)


def test_two_class_softmax_as_arrays():
    z = np.array([0.3, 1.1])
    p = np.exp(z) / np.exp(z).sum()
    wanted = np.diag(p) - np.outer(p, p)
    for mode in ("reverse", "forward"):
        np.testing.assert_allclose(ag.jacobian(ag.softmax, mode=mode)(z), wanted, rtol=1e-12)
    gradient = ag.grad(lambda z: -ag.log_softmax(z)[0])(z)
    np.testing.assert_allclose(gradient, p - [1, 0], rtol=1e-12)
    np.testing.assert_allclose(ag.softmax(z)[0], s(0.3 - 1.1), rtol=1e-12)  # the sigmoid


# -- one full loop --------------------------------------------------------------------------------


def loop(x, w, b1, w3, b2, y):
    z = w[0] * x[0] + w[1] * x[1] + b1
    h = relu(z)
    yhat = w3 * h + b2
    return z, h, yhat, (yhat - y) ** 2


def number(x):
    return x.item() if hasattr(x, "item") else getattr(x, "data", x)


@pytest.mark.parametrize("make", [Value, leaf, lambda x: ag.tensor(x, requires_grad=True)])
def test_one_full_loop(make):
    x, y, rate = (2.0, -1.0), 6.0, 0.01
    w1, w2, b1, w3, b2 = make(1.5), make(2.0), make(3.0), make(2.5), make(-2.0)

    z, h, yhat, loss = loop(x, (w1, w2), b1, w3, b2, y)
    assert (number(z), number(h), number(yhat), number(loss)) == (4, 4, 8, 4)
    loss.backward()
    assert number(w3.grad) == 16  # 2 (yhat - y) h
    assert number(w1.grad) == 20  # 2 (yhat - y) w3 x1
    assert number(w2.grad) == -10
    assert number(b1.grad) == 10
    assert number(b2.grad) == 4

    w1, b1, w3 = (make(number(p) - rate * number(p.grad)) for p in (w1, b1, w3))
    assert (number(w1), number(b1), number(w3)) == pytest.approx((1.3, 2.9, 2.34))
    z, h, yhat, loss = loop(x, (w1, w2), b1, w3, b2, y)
    assert number(z) == pytest.approx(3.5)
    assert number(h) == pytest.approx(3.5)
    assert number(yhat) == pytest.approx(6.19)
    assert number(loss) == pytest.approx(0.19**2, rel=1e-5)


def test_one_full_loop_in_vectors_updated_in_place():
    x = np.array([2.0, -1.0])
    w, b1, w3, b2 = leaf([1.5, 2.0]), leaf(3.0), leaf(2.5), leaf(-2.0)
    loss = (w3 * ag.relu(w @ x + b1) + b2 - 6.0) ** 2
    assert loss.item() == 4
    loss.backward()
    assert w.grad.tolist() == [20, -10]
    with ag.no_grad():
        w -= 0.01 * w.grad * [1.0, 0.0]  # the slide leaves w2
        b1 -= 0.01 * b1.grad
        w3 -= 0.01 * w3.grad
    assert (w3 * ag.relu(w @ x + b1) + b2).item() == pytest.approx(6.19)


# -- the multi-layer perceptron, by index and by matrix -------------------------------------------


@pytest.fixture
def mlp():
    """Sizes 4-5-3, one sample, squared error: (x, t, W1, b1, W2, b2)."""
    r = np.random.default_rng(3)
    return [r.normal(size=n) for n in [(4,), (3,), (5, 4), (5,), (3, 5), (3,)]]


def test_mlp_in_index_form(mlp):
    x, t, W1, b1, W2, b2 = mlp
    V1 = [[Value(v) for v in row] for row in W1]
    V2 = [[Value(v) for v in row] for row in W2]
    c1, c2 = [Value(v) for v in b1], [Value(v) for v in b2]
    z = [sum((V1[i][j] * x[j] for j in range(4)), c1[i]) for i in range(5)]
    h = [v.sigmoid() for v in z]
    y = [sum((V2[k][i] * h[i] for i in range(5)), c2[k]) for k in range(3)]
    loss = sum(((y[k] - t[k]) ** 2 / 2 for k in range(3)), Value(0.0))
    loss.backward()

    for k in range(3):
        bar_y = y[k].data - t[k]
        assert y[k].grad == pytest.approx(bar_y)
        assert c2[k].grad == pytest.approx(bar_y)
        for i in range(5):  # bar(w_ki) = bar(y_k) h_i
            assert V2[k][i].grad == pytest.approx(bar_y * h[i].data)
    for i in range(5):
        bar_h = sum((y[k].data - t[k]) * W2[k, i] for k in range(3))
        bar_z = bar_h * h[i].data * (1 - h[i].data)
        assert h[i].grad == pytest.approx(bar_h)
        assert z[i].grad == pytest.approx(bar_z)
        assert c1[i].grad == pytest.approx(bar_z)
        for j in range(4):
            assert V1[i][j].grad == pytest.approx(bar_z * x[j])

    # and the arrays agree with the numbers
    gradients = ag.grad(matrix_form, argnums=(2, 3, 4, 5))(*mlp)
    numbers = [[[v.grad for v in row] for row in V1], [v.grad for v in c1],
               [[v.grad for v in row] for row in V2], [v.grad for v in c2]]  # fmt: skip
    for a, b in zip(gradients, numbers, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def matrix_form(x, t, W1, b1, W2, b2):
    h = ag.sigmoid(W1 @ x + b1)
    return np.sum((W2 @ h + b2 - t) ** 2) / 2


def test_mlp_in_matrix_form_with_the_outer_product(mlp):
    x, t, W1, b1, W2, b2 = mlp
    h = s(W1 @ x + b1)
    bar_y = W2 @ h + b2 - t
    bar_h = W2.T @ bar_y
    bar_z = bar_h * h * (1 - h)
    wanted = [W1.T @ bar_z, -bar_y, np.outer(bar_z, x), bar_z, np.outer(bar_y, h), bar_y]
    gradients = ag.grad(matrix_form, argnums=tuple(range(6)))(*mlp)
    for a, b in zip(gradients, wanted, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_mlp_over_a_batch_sums_the_outer_products(mlp):
    _, _, W1, b1, W2, b2 = mlp
    X, T = RNG.normal(size=(7, 4)), RNG.normal(size=(7, 3))
    one = ag.grad(matrix_form, argnums=(2, 4))

    def batch(W1, W2):
        return np.sum((ag.sigmoid(X @ W1.T + b1) @ W2.T + b2 - T) ** 2) / 2

    each = [one(x, t, W1, b1, W2, b2) for x, t in zip(X, T, strict=True)]
    for k, g in enumerate(ag.grad(batch, argnums=(0, 1))(W1, W2)):
        np.testing.assert_allclose(g, sum(e[k] for e in each), rtol=1e-10)


# -- the layered view -----------------------------------------------------------------------------


class Layer:
    """An input, an output, dC/d(input) and dC/d(parameters), each layer by itself."""

    def __init__(self, f, *parameters):
        self.f, self.parameters = f, parameters

    def forward(self, x):
        self.input = x
        self.output, self.pullback = ag.vjp(self.f, x, *self.parameters)
        return self.output

    def backward(self, d_output):
        self.d_input, *self.d_parameters = self.pullback(d_output)
        return self.d_input


class Network(Layer):
    """Layers one after another: a layer again."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, d):
        for layer in reversed(self.layers):
            d = layer.backward(d)
        self.d_input = d
        self.d_parameters = [p for layer in self.layers for p in layer.d_parameters]
        return d


def test_layers_hand_their_gradients_on(mlp):
    x, t, W1, b1, W2, b2 = mlp

    def affine(x, W, b):
        return W @ x + b

    def cost(y):
        return np.sum((y - t) ** 2) / 2

    body = Network(Layer(affine, W1, b1), Layer(ag.sigmoid))
    network = Network(body, Layer(affine, W2, b2), Layer(cost))  # a network as a layer
    network.forward(x)
    d_x = network.backward(1.0)

    wanted = ag.grad(matrix_form, argnums=(0, 2, 3, 4, 5))(*mlp)
    for a, b in zip([d_x, *network.d_parameters], wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    sigmoid_layer = body.layers[1]
    h = sigmoid_layer.output
    np.testing.assert_allclose(h, s(W1 @ x + b1))
    np.testing.assert_allclose(
        sigmoid_layer.d_input, network.layers[1].d_input * h * (1 - h), rtol=1e-10
    )


def test_a_layer_of_ones_own_is_a_program():
    def layer(x, w):  # loops and branches, not a formula
        for k in range(3):
            x = ag.tanh(w[k] * x) if k % 2 else x * w[k] + 1
        return x

    x, w = 0.4, np.array([0.5, 1.2, -0.7])
    d_x, d_w = ag.grad(layer, argnums=(0, 1))(x, w)
    a = x * w[0] + 1
    h = math.tanh(w[1] * a)
    assert d_x == pytest.approx(w[2] * (1 - h * h) * w[1] * w[0])
    wanted = [w[2] * (1 - h * h) * w[1] * x, w[2] * (1 - h * h) * a, h]
    np.testing.assert_allclose(d_w, wanted, rtol=1e-12)


# -- a 2-3-3-2 network, entry by entry ------------------------------------------------------------


@pytest.fixture
def network_2332():
    r = np.random.default_rng(5)
    sizes = [2, 3, 3, 2]
    weights = [r.normal(size=(m, n)) for n, m in pairwise(sizes)]
    biases = [r.normal(size=m) for m in sizes[1:]]
    return r.normal(size=2), weights, biases, r.normal(size=2)


def forward_2332(x, weights, biases):
    zs, activations = [], [x]  # (z2, z3, z4) and (a1, a2, a3, a4), as the slides count
    for W, b in zip(weights, biases, strict=True):
        zs.append(W @ activations[-1] + b)
        activations.append(ag.sigmoid(zs[-1]))
    return zs, activations


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_entries_of_dz_dW(network_2332, mode):
    x, weights, biases, _ = network_2332
    a2 = s(weights[0] @ x + biases[0])

    def z3(W3):
        return W3 @ a2 + biases[1]

    J = ag.jacobian(z3, mode=mode)(weights[1])  # J[i, k, l] = d(z3)_i / d(W3)_kl
    assert J.shape == (3, 3, 3)
    assert J[1, 0, 1] == 0  # d(z3)_2 / d(W3)_12
    assert J[0, 0, 1] == a2[1]  # d(z3)_1 / d(W3)_12 = (a2)_2
    for i in range(3):
        for k in range(3):
            for m in range(3):
                assert J[i, k, m] == (a2[m] if i == k else 0)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_every_local_derivative_of_the_network(network_2332, mode):
    x, weights, biases, _ = network_2332
    zs, activations = forward_2332(x, weights, biases)
    for W, b, z, a in zip(weights, biases, zs, activations[:-1], strict=True):
        jacobian = ag.jacobian(lambda W, b, a: W @ a + b, argnums=(0, 1, 2), mode=mode)
        J_W, J_b, J_a = jacobian(W, b, a)
        n = len(z)
        np.testing.assert_array_equal(J_W, np.einsum("ik,l->ikl", np.eye(n), a))
        np.testing.assert_array_equal(J_b, np.eye(n))
        np.testing.assert_array_equal(J_a, W)
        np.testing.assert_allclose(
            ag.jacobian(ag.sigmoid, mode=mode)(z), np.diag(ds(z)), rtol=1e-12
        )


def test_every_gradient_of_the_network_entry_by_entry(network_2332):
    x, weights, biases, t = network_2332
    zs, activations = forward_2332(x, weights, biases)

    def cost(weights, biases):
        return np.sum((forward_2332(x, weights, biases)[1][-1] - t) ** 2) / 2

    d_weights, d_biases = ag.grad(cost, argnums=(0, 1))(weights, biases)
    delta = (activations[3] - t) * ds(zs[2])
    for layer in (2, 1, 0):
        a = activations[layer]
        for i in range(len(delta)):
            assert d_biases[layer][i] == pytest.approx(delta[i], rel=1e-10)
            for j in range(len(a)):
                assert d_weights[layer][i, j] == pytest.approx(delta[i] * a[j], rel=1e-10)
        if layer:
            delta = [
                sum(weights[layer][k, i] * d for k, d in enumerate(delta)) * ds(z)
                for i, z in enumerate(zs[layer - 1])
            ]
    assert sum(w.size for w in d_weights) + sum(b.size for b in d_biases) == 6 + 3 + 9 + 3 + 6 + 2


# -- matrix calculus ------------------------------------------------------------------------------


def test_gradient_of_x_x_is_2x():
    x = RNG.normal(size=4)
    np.testing.assert_allclose(ag.grad(lambda x: x @ x)(x), 2 * x)
    np.testing.assert_array_equal(ag.hessian(lambda x: x @ x)(x), 2 * np.eye(4))


def test_gradient_of_a_quadratic_form_is_2Ax():
    x, A = RNG.normal(size=4), RNG.normal(size=(4, 4))
    S = A + A.T
    np.testing.assert_allclose(ag.grad(lambda x: x @ S @ x)(x), 2 * S @ x, rtol=1e-12)
    np.testing.assert_allclose(ag.grad(lambda x: x @ A @ x)(x), (A + A.T) @ x, rtol=1e-12)
    np.testing.assert_allclose(ag.hessian(lambda x: x @ S @ x)(x), 2 * S, rtol=1e-12)


@pytest.mark.parametrize("mode", ["reverse", "forward", "auto"])
def test_jacobian_has_the_outputs_axes_first(mode):
    A, x = RNG.normal(size=(3, 4)), RNG.normal(size=4)
    J = ag.jacobian(lambda x: A @ x, mode=mode)(x)
    assert J.shape == (3, 4)
    np.testing.assert_array_equal(J, A)  # the slides' layout is its transpose A'
    X = RNG.normal(size=(4, 2))
    J = ag.jacobian(lambda X: A @ X, mode=mode)(X)
    assert J.shape == (3, 2, 4, 2)
    np.testing.assert_array_equal(J, np.einsum("ik,jl->ijkl", A, np.eye(2)))


# -- the sigmoid and vanishing gradients ----------------------------------------------------------


def test_sigmoid_derivative_over_100_points():
    x = np.linspace(-10, 10, 100)
    wanted = s(x) * (1 - s(x))
    t = leaf(x)
    ag.sigmoid(t).sum().backward()
    np.testing.assert_allclose(t.grad, wanted, rtol=1e-10)
    _, forward = ag.jvp(ag.sigmoid, (x,), (np.ones(100),))
    np.testing.assert_allclose(forward, wanted, rtol=1e-10)
    gradient = ag.grad(ag.sigmoid)
    np.testing.assert_allclose([gradient(v) for v in x], wanted, rtol=1e-10)
    values = [Value(v) for v in x]
    for v in values:
        v.sigmoid().backward()
    np.testing.assert_allclose([v.grad for v in values], wanted, rtol=1e-10)
    assert max(wanted) < 0.25  # the largest slope, at 0
    assert gradient(0.0) == 0.25


@READERS
@pytest.mark.parametrize("depth", [1, 5, 20])
def test_vanishing_product_down_a_chain(d, depth):
    weights = np.random.default_rng(depth).normal(size=depth)

    def chain(activation):
        def f(x):
            for w in weights:
                x = activation(float(w) * x)
            return x

        return f

    x, product = 0.7, 1.0
    for w in weights:
        z = w * x
        product *= w * ds(z)
        x = s(z)
    gradient = d(chain(sigmoid))(0.7)[0]
    assert gradient == pytest.approx(product, rel=1e-9)
    assert abs(gradient) <= np.prod(np.abs(weights)) * 0.25**depth


def test_sigmoid_vanishes_where_relu_does_not():
    def slope(activation, depth):
        def f(x):
            for _ in range(depth):
                x = activation(1.0 * x)
            return x

        return ag.grad(f)(1.0)

    assert slope(ag.sigmoid, 30) < 1e-15
    assert slope(ag.relu, 30) == 1


# -- cost -----------------------------------------------------------------------------------------


class Counting(np.ndarray):
    """An array that counts the multiply-adds of each matrix product made with it."""

    products: ClassVar[list[int]] = []

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [x.view(np.ndarray) if isinstance(x, Counting) else x for x in inputs]
        if ufunc is np.matmul:
            (n, k), (k2, m) = plain[0].shape, plain[1].shape
            assert k == k2
            self.products.append(n * k * m)
        return np.asarray(getattr(ufunc, method)(*plain, **kwargs)).view(Counting)


def multiply_adds(sizes, batch):
    """Count the multiply-adds of a forward and of a backward pass: (forward, backward)."""
    r = np.random.default_rng(0)
    weights = [leaf(r.normal(size=shape)) for shape in pairwise(sizes)]
    x = leaf(r.normal(size=(batch, sizes[0])))  # the input's gradient is asked for as well
    for t in (x, *weights):
        t.data = t.data.view(Counting)
    Counting.products.clear()
    h = x
    for w in weights:
        h = ag.relu(h @ w)
    assert len(Counting.products) == len(weights)
    forward = sum(Counting.products)
    Counting.products.clear()
    h.sum().backward()
    assert len(Counting.products) == 2 * len(weights)
    assert x.grad.shape == x.shape
    return forward, sum(Counting.products)


@pytest.mark.parametrize("batch", [1, 10])
@pytest.mark.parametrize("sizes", [[4, 3], [784, 30, 10], [5, 6, 7, 8, 9]])
def test_one_multiply_add_forward_two_backward(sizes, batch):
    weights = sum(n * m for n, m in pairwise(sizes))
    forward, backward = multiply_adds(sizes, batch)
    assert forward == batch * weights
    assert backward == 2 * batch * weights


def test_cost_is_linear_in_depth_and_quadratic_in_width():
    def cost(depth, width):
        return sum(multiply_adds([width] * (depth + 1), 2))

    assert cost(8, 10) == 2 * cost(4, 10)
    assert cost(4, 20) == 4 * cost(4, 10)


def test_data_needs_no_gradient_so_the_first_layer_costs_one_product(monkeypatch):
    prim = ag.matmul.primitive
    called = []
    rules = [
        lambda g, y, a, b, r=rule, i=i: called.append(i) or r(g, y, a, b)
        for i, rule in enumerate(prim.rules)
    ]
    monkeypatch.setattr(prim, "rules", tuple(rules))
    w1, w2 = leaf(RNG.normal(size=(784, 30))), leaf(RNG.normal(size=(30, 10)))
    (ag.sigmoid(RNG.normal(size=(10, 784)) @ w1) @ w2).sum().backward()
    assert sorted(called) == [0, 1, 1]  # both for the second layer, the weights' for the first
