"""Programs whose step counts, appends, puts its loss or its arrays somewhere."""

from __future__ import annotations

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

from .state import Obj, X, Y, loop, par, scenario, sgd, x


@scenario
def counter(c):
    w = par()
    o = Obj()
    o.n = 0

    @c
    def step(x):
        o.n += 1
        return sgd(w, (w * x).sum())

    yield from loop(step, lambda: None)
    yield w
    yield o.n


@scenario
def counter_used(c):
    w = par()
    o = Obj()
    o.n = 0

    @c
    def step(x):
        o.n += 1
        return sgd(w, (w * x * o.n).sum())

    yield from loop(step, lambda: None)
    yield w
    yield o.n


@scenario
def list_append(c):
    w = par()
    kept = []

    @c
    def step(x):
        s = sgd(w, (w * x).sum())
        kept.append(s)
        return s

    yield from loop(step, lambda: None)
    yield w
    yield kept


@scenario
def dict_loss(c):
    w = par()
    kept = {}

    @c
    def step(x):
        s = sgd(w, (w * x).sum())
        kept["loss"] = s.data
        return s

    for _ in range(6):
        step(x)
        yield kept["loss"]


@scenario
def dict_loss_tensor(c):
    w = par()
    value = {}

    @c
    def step(x):
        s = sgd(w, (w * x).sum())
        value["loss"] = s
        return s

    kept = []
    for _ in range(6):
        step(x)
        kept.append(value["loss"])
        yield kept


@scenario
def swap_arrays(c):
    o = Obj()
    o.a = np.arange(3.0)
    o.b = np.ones(3)

    @c
    def step(x):
        o.a, o.b = o.b, o.a
        o.a += 1
        return o.a + o.b * 2

    kept = []
    for _ in range(9):
        kept.append(step(x))
        yield o.a
        yield o.b
        yield kept


@scenario
def alias_state(c):
    o = Obj()
    o.a = np.arange(3.0)
    o.b = np.ones(3)

    @c
    def step(x):
        o.a = o.a + 1
        o.b = o.a
        return o.a.sum()

    for _ in range(9):
        yield step(x)
        yield o.a
        yield o.b
        yield o.a is o.b
        o.a[0] += 1


@scenario
def alias_result(c):
    o = Obj()
    o.a = np.arange(3.0)

    @c
    def step(x):
        y = o.a * 2
        o.a = y
        return y

    for _ in range(9):
        y = step(x)
        yield y
        yield o.a
        yield y is o.a
        y[0] = 1


@scenario
def buffer_rebind(c):
    nn.manual_seed(0)

    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.l = nn.Linear(3, 2)
            s.register_buffer("mean", np.zeros(2, np.float32))

        def forward(s, x):
            y = s.l(x)
            s.mean = 0.9 * s.mean + 0.1 * y.detach().data.mean(0)
            return y - s.mean

    m = M()
    opt = optim.SGD(m.parameters(), lr=0.1)

    @c
    def step(x):
        opt.zero_grad()
        loss = (m(x) ** 2).sum()
        loss.backward()
        opt.step()
        return loss.detach()

    for _ in range(7):
        yield step(X)
        yield dict(m.state_dict())


@scenario
def batchnorm(c):
    nn.manual_seed(0)
    m = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    opt = optim.Adam(m.parameters())
    loss = nn.CrossEntropyLoss()

    @c
    def step(x, y):
        opt.zero_grad()
        value = loss(m(x), y)
        value.backward()
        opt.step()
        return value.detach()

    for i in range(12):
        if i == 6:
            m.eval()
        if i == 9:
            m.train()
        yield step(X, Y)
        yield dict(m.state_dict())
        yield opt.state_dict()
        yield nn.random.get_state()


@scenario
def own_optimizer_count(c):
    w = par()

    class Opt:
        def __init__(s):
            s.t = 0

        def step(s):
            s.t += 1
            with ag.no_grad():
                w.__isub__(0.1 / s.t * w.grad)

    o = Opt()

    @c
    def step(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        o.step()
        return loss.detach()

    yield from loop(step, lambda: None)
    yield w
