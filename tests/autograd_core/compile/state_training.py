"""Programs that train, and change a model, an optimizer or arguments between steps."""
# ruff: noqa: B007, B023, E501, E741, F841, NPY002, UP028, UP031 (programs as people write them)

from __future__ import annotations

import copy

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

from .state import Obj, X, Y, par, scenario, sgd


def make(seed=0, bn=False):
    nn.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


class Tr:
    def __init__(s, c, opt=lambda p: optim.Adam(p, lr=0.01)):
        s.m = make()
        s.opt = opt(s.m.parameters())
        s.loss = nn.CrossEntropyLoss()
        s.f = c(s.step)

    def step(s, x, y):
        s.opt.zero_grad()
        l = s.loss(s.m(x), y)
        l.backward()
        s.opt.step()
        return l.detach()

    def state(s):
        return [s.m.state_dict(), s.opt.state_dict(), [p.grad for p in s.m.parameters()]]


def both(t, n=4):
    for i in range(n):
        yield t.f(X, Y)
        yield t.state()


def with_change(ch):
    def f(c):
        t = Tr(c)
        yield from both(t)
        ch(t)
        yield from both(t)

    return f


def add(name):
    def deco(f):
        return scenario(with_change(f), name)

    return deco


@add("p_data")
def _(t):
    t.m[0].weight.data = t.m[0].weight.data * 2


@add("new_parameter_unknown_to_opt")
def _(t):
    t.m[0].weight = nn.Parameter(np.ones((4, 3), np.float32))


@add("load_state_dict")
def _(t):
    t.m.load_state_dict({k: v * 2 for k, v in t.m.state_dict().items()})


@add("opt_load_state_dict")
def _(t):
    s = t.opt.state_dict()
    s["param_groups"][0]["lr"] = 0.5
    t.opt.load_state_dict(s)


@add("new_opt")
def _(t):
    t.opt = optim.SGD(t.m.parameters(), lr=0.1)


@add("lr")
def _(t):
    t.opt.param_groups[0]["lr"] = 0.3


@add("lr0")
def _(t):
    t.opt.param_groups[0]["weight_decay"] = 0.1


@add("module_swap")
def _(t):
    t.m[1] = nn.ReLU()


@add("module_added")
def _(t):
    t.m.append(nn.ReLU())


@add("model_swap")
def _(t):
    t.m = make(5)


@add("requires_grad")
def _(t):
    t.m[0].weight.requires_grad_(False)


@add("fwd_hook")
def _(t):
    t.m[0].register_forward_hook(lambda m, a, out: out * 2)


@add("tensor_hook")
def _(t):
    t.m[0].weight.register_hook(lambda g: g * 2)


@add("eval_mode")
def _(t):
    t.m.eval()


@add("grad_outside")
def _(t):
    for p in t.m.parameters():
        p.grad = np.ones(p.shape, np.float32)


@add("loss_swap")
def _(t):
    t.loss = nn.CrossEntropyLoss(label_smoothing=0.1)


@add("monkey_forward")
def _(t):
    t.m.forward = lambda x: nn.Sequential.forward(t.m, x) * 2


@add("user_attr")
def _(t):
    t.m.extra = 3


@add("deepcopy_model")
def _(t):

    t.m = copy.deepcopy(t.m)


@add("f16_param")
def _(t):
    t.m[0].weight.data = np.asfortranarray(t.m[0].weight.data)


@scenario
def add_group(c):
    t = Tr(c)
    e = nn.Parameter(np.ones(2, np.float32))
    old = t.m
    t.m = nn.Sequential(old[0], old[1], old[2], nn.LayerNorm(2))
    yield from both(t)
    t.opt.add_param_group({"params": list(t.m[3].parameters()), "lr": 0.3})
    yield from both(t)


@scenario
def hook_removed(c):
    t = Tr(c)
    h = t.m[0].register_forward_hook(lambda m, a, out: out * 2)
    r = t.m[0].weight.register_hook(lambda g: g * 2)
    yield from both(t)
    (h.remove if hasattr(h, "remove") else h)()
    yield from both(t)
    r()
    yield from both(t)


@scenario
def zero_grad_outside(c):
    m = make()
    opt = optim.SGD(m.parameters(), lr=0.1)

    @c
    def step(x):
        l = (m(x) ** 2).sum()
        l.backward()
        opt.step()
        return l.detach()

    for i in range(9):
        if i % 2 == 0:
            opt.zero_grad(i % 4 == 0)
        yield step(X)
        yield [p.grad for p in m.parameters()]


@scenario
def accumulate(c):
    m = make()
    opt = optim.SGD(m.parameters(), lr=0.1)

    @c
    def step(x):
        l = (m(x) ** 2).sum()
        l.backward()
        return l.detach()

    for i in range(12):
        yield step(X)
        yield [p.grad for p in m.parameters()]
        if i % 3 == 2:
            opt.step()
            opt.zero_grad()


@scenario
def alternate_modes(c):
    nn.manual_seed(0)
    m = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.BatchNorm1d(4))

    @c
    def step(x):
        return m(x).detach()

    for i in range(20):
        m.train(i % 2 == 0)
        yield step(X)


@scenario
def alternate_modules(c):
    a, b = make(1), make(2)

    @c
    def step(m, x):
        for p in m.parameters():
            p.grad = None
        l = (m(x) ** 2).sum()
        l.backward()
        with ag.no_grad():
            for p in m.parameters():
                p -= 0.1 * p.grad
        return l.detach()

    for i in range(20):
        yield step((a, b)[i % 2], X)
    yield a.state_dict()
    yield b.state_dict()


@scenario
def many_shapes(c):
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x).sum())

    for k in range(3):
        for n in range(1, 13):
            yield step(np.ones((n, 3), np.float32))
    yield w


@scenario
def dtypes_layouts(c):
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x).sum())

    for v in (X, X.astype(float), X[::2], np.asfortranarray(X), X.astype(int), X[:, ::-1], X.T.copy().T) * 4:
        yield step(v)
    yield w


@scenario
def under_no_grad(c):
    w = par()

    @c
    def step(x):
        y = (w * x).sum()
        if y.requires_grad:
            w.grad = None
            y.backward()
        return y.detach()

    for i in range(16):
        if i // 4 % 2:
            with ag.no_grad():
                yield step(X)
        else:
            yield step(X)
        yield w.grad
        w.grad = None


@scenario
def metrics_dict_arg(c):
    w = par()

    @c
    def step(x, d):
        l = sgd(w, (w * x).sum())
        d["loss"] = l.data
        return l

    for i in range(6):
        d = {}
        yield step(X, d)
        yield d


@scenario
def metrics_dict_arg2(c):
    w = par()

    @c
    def step(x, d):
        l = sgd(w, (w * x).sum())
        d["loss"] = l.data
        return l

    d = {"loss": np.zeros((), np.float32)}
    for i in range(6):
        yield step(X, d)
        yield d


@scenario
def list_arg_append(c):
    w = par()

    @c
    def step(x, d):
        l = sgd(w, (w * x).sum())
        d.append(l.data)
        return l

    for i in range(6):
        d = []
        yield step(X, d)
        yield d


@scenario
def write_arg(c):
    @c
    def step(x, b):
        x += b
        return x * 2, b * 3

    for i in range(7):
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

    for i in range(7):
        a, b = X.copy(), X.copy()
        yield step(a, b)
        yield a
    for i in range(5):
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

    for i in range(6):
        yield step(X[0])
    for i in range(6):
        yield step(w.data)
        yield w


@scenario
def tensor_arg_written(c):
    @c
    def step(t):
        with ag.no_grad():
            t -= 1
        return t * 2

    for i in range(7):
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
        l = (w * t).sum()
        l.backward()
        return l.detach()

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

    for i in range(7):
        yield step(m.forward, X)


@scenario
def result_as_arg(c):
    @c
    def step(x):
        return x * 2 + 1

    x = X
    for i in range(8):
        x = step(x)
        yield x


@scenario
def kept_results(c):
    t = Tr(c)
    kept = []
    views = []
    for i in range(8):
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

    for i in range(8):
        l = t.f(X, Y)
        yield l
        l.data[...] = 7
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

    for i in range(8):
        yield step(X)


@scenario
def grads(c):
    f = lambda w, x: (np.tanh(w * x) ** 2).sum()
    g = c(ag.grad(f))
    vg = c(ag.value_and_grad(f))
    w = np.array([1.0, 2.0, 3.0])
    for i in range(6):
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
    for i in range(6):
        yield j(w, v)
        yield J(w)
        yield H(w, v)
        w = w * 0.9


@scenario
def within_grad(c):
    h = c(lambda x: np.tanh(x) * 2)
    w = np.array([1.0, 2.0, 3.0])
    for i in range(6):
        yield h(w)
        yield ag.grad(lambda w: h(w).sum())(w)
        yield ag.jvp(h, (w,), (w,))


@scenario
def recursion(c):
    w = par()

    @c
    def step(x, n):
        return sgd(w, (w * x).sum()) if n == 0 else step(x * 2, n - 1)

    for i in range(7):
        yield step(X, 2)
    for i in range(7):
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

    for i in range(7):
        yield step(X)
        yield inner(X)
    k = 3.0
    for i in range(7):
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
        l = (w * x).sum()
        l.backward()
        o.last = l.data
        if o.bad:
            raise ValueError("bad")
        with ag.no_grad():
            w.__isub__(w.grad)
        return l.detach()

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

    for i in range(7):
        yield step(X)
        yield w
