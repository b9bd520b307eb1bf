"""Programs that train, and change a model, an optimizer or a mode between steps."""

from __future__ import annotations

import copy

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

from .state import X, Y, par, scenario, sgd


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
        loss = s.loss(s.m(x), y)
        loss.backward()
        s.opt.step()
        return loss.detach()

    def state(s):
        return [s.m.state_dict(), s.opt.state_dict(), [p.grad for p in s.m.parameters()]]


def both(t, n=4):
    for _ in range(n):
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
        loss = (m(x) ** 2).sum()
        loss.backward()
        opt.step()
        return loss.detach()

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
        loss = (m(x) ** 2).sum()
        loss.backward()
        return loss.detach()

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
        loss = (m(x) ** 2).sum()
        loss.backward()
        with ag.no_grad():
            for p in m.parameters():
                p -= 0.1 * p.grad
        return loss.detach()

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

    for _ in range(3):
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
