"""Programs whose arguments, results, transforms or errors are what matters."""

from __future__ import annotations

import numpy as np

import autograd_core as ag

from .state import Obj, X, Y, par, scenario, sgd
from .state_training import Tr, make


@scenario
def metrics_dict_arg(c):
    w = par()

    @c
    def step(x, d):
        loss = sgd(w, (w * x).sum())
        d["loss"] = loss.data
        return loss

    for _ in range(6):
        d = {}
        yield step(X, d)
        yield d


@scenario
def metrics_dict_arg2(c):
    w = par()

    @c
    def step(x, d):
        loss = sgd(w, (w * x).sum())
        d["loss"] = loss.data
        return loss

    d = {"loss": np.zeros((), np.float32)}
    for _ in range(6):
        yield step(X, d)
        yield d


@scenario
def list_arg_append(c):
    w = par()

    @c
    def step(x, d):
        loss = sgd(w, (w * x).sum())
        d.append(loss.data)
        return loss

    for _ in range(6):
        d = []
        yield step(X, d)
        yield d


@scenario
def write_arg(c):
    @c
    def step(x, b):
        x += b
        return x * 2, b * 3

    for _ in range(7):
        a, b = X.copy(), X.copy()
        yield step(a, b)
        yield a
        yield step(a, a)
        yield a
        yield step(a, a[:])
        yield a


@scenario
def write_arg_cse(c):
    @c
    def step(a, b):
        y = b * 2
        a += 1
        z = b * 2
        return y, z

    for _ in range(7):
        a, b = X.copy(), X.copy()
        yield step(a, b)
        yield a
    for _ in range(5):
        yield step(a, a)
        yield a


@scenario
def arg_is_leaf(c):
    w = par()

    @c
    def step(x):
        y = x * 2
        with ag.no_grad():
            w.__isub__(1)
        z = x * 2
        return y, z

    for _ in range(6):
        yield step(X[0])
    for _ in range(6):
        yield step(w.data)
        yield w


@scenario
def tensor_arg_written(c):
    @c
    def step(t):
        with ag.no_grad():
            t -= 1
        return t * 2

    for _ in range(7):
        t = ag.tensor(X)
        yield step(t)
        yield t
        yield t.version > 0


@scenario
def tensor_args(c):
    w = par()

    @c
    def step(t):
        t.grad = None
        loss = (w * t).sum()
        loss.backward()
        return loss.detach()

    for i in range(7):
        t = ag.tensor(X, requires_grad=i % 2 == 0)
        yield step(t)
        yield t


@scenario
def bound_method_arg(c):
    m = make()

    @c
    def step(f, x):
        return f(x).detach()

    for _ in range(7):
        yield step(m.forward, X)


@scenario
def result_as_arg(c):
    @c
    def step(x):
        return x * 2 + 1

    x = X
    for _ in range(8):
        x = step(x)
        yield x


@scenario
def kept_results(c):
    t = Tr(c)
    kept = []
    views = []
    for _ in range(8):
        kept.append(t.f(X, Y))
        kept.append([p.grad for p in t.m.parameters()])
        views.append([p.grad[:1] for p in t.m.parameters()])
        kept.append([bytes(memoryview(p.grad)) for p in t.m.parameters()])
        yield kept
        yield views


@scenario
def kept_grad_replaced(c):
    t = Tr(c)
    kept = []
    for i in range(10):
        t.f(X, Y)
        for p in t.m.parameters():
            if i > 3:
                kept.append(p.grad)
                p.grad = None if i % 2 else np.zeros_like(p.data)
        yield kept


@scenario
def caller_writes(c):
    t = Tr(c)

    @c
    def f(x):
        return t.m(x).data * 1

    for _ in range(8):
        loss = t.f(X, Y)
        yield loss
        loss.data[...] = 7
        for p in t.m.parameters():
            p.grad[...] = 9
        y = f(X)
        yield y
        y[...] = 3
        yield t.state()


@scenario
def returns_leaf(c):
    w = par()

    @c
    def step(x):
        sgd(w, (w * x).sum())
        return w, w.data, w.grad, x, x[0], w.detach(), w.data[1:]

    for _ in range(8):
        yield step(X)


@scenario
def grads(c):
    f = lambda w, x: (np.tanh(w * x) ** 2).sum()
    g = c(ag.grad(f))
    vg = c(ag.value_and_grad(f))
    w = np.array([1.0, 2.0, 3.0])
    for _ in range(6):
        yield g(w, X)
        yield vg(w, X)
        w = w * 0.9


@scenario
def jv(c):
    f = lambda w: np.tanh(w * w)
    w = np.array([1.0, 2.0, 3.0])
    v = np.ones(3)
    j = c(lambda w, v: ag.jvp(f, (w,), (v,)))
    J = c(ag.jacobian(f))
    H = c(lambda w, v: ag.hvp(lambda w: f(w).sum(), (w,), (v,)))
    for _ in range(6):
        yield j(w, v)
        yield J(w)
        yield H(w, v)
        w = w * 0.9


@scenario
def within_grad(c):
    h = c(lambda x: np.tanh(x) * 2)
    w = np.array([1.0, 2.0, 3.0])
    for _ in range(6):
        yield h(w)
        yield ag.grad(lambda w: h(w).sum())(w)
        yield ag.jvp(h, (w,), (w,))


@scenario
def recursion(c):
    w = par()

    @c
    def step(x, n):
        return sgd(w, (w * x).sum()) if n == 0 else step(x * 2, n - 1)

    for _ in range(7):
        yield step(X, 2)
    for _ in range(7):
        yield step(X, 0)
    yield w


@scenario
def nested_compiled(c):
    w = par()
    k = 2.0
    inner = c(lambda x: x * k)

    @c
    def step(x):
        return sgd(w, (w * inner(x)).sum())

    for _ in range(7):
        yield step(X)
        yield inner(X)
    k = 3.0
    for _ in range(7):
        yield step(X)
        yield inner(X)


@scenario
def user_error(c):
    w = par()
    o = Obj()
    o.bad = False

    @c
    def step(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        o.last = loss.data
        if o.bad:
            raise ValueError("bad")
        with ag.no_grad():
            w.__isub__(w.grad)
        return loss.detach()

    for i in range(12):
        o.bad = i in (1, 2, 5, 9, 10)
        try:
            yield step(X)
        except ValueError as e:
            yield str(e)
        yield w, o.last


@scenario
def caught_inside(c):
    w = par()

    @c
    def step(x):
        try:
            y = w @ np.ones(5)
        except ValueError:
            y = w
        return sgd(w, (y * x).sum())

    for _ in range(7):
        yield step(X)
        yield w
