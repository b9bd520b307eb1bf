"""Programs whose step itself changes Python state, or draws random numbers."""
# ruff: noqa: B007, B023, E501, E741, F841, NPY002, UP028, UP031 (programs as people write them)

from __future__ import annotations

import dataclasses
import functools
import itertools
import operator
import os
import random as pyrandom

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

from .state import Conf, Obj, X, Y, loop, par, scenario, sgd, x


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
    l = []

    @c
    def step(x):
        s = sgd(w, (w * x).sum())
        l.append(s)
        return s

    yield from loop(step, lambda: None)
    yield w
    yield l


@scenario
def dict_loss(c):
    w = par()
    l = {}

    @c
    def step(x):
        s = sgd(w, (w * x).sum())
        l["loss"] = s.data
        return s

    for i in range(6):
        step(x)
        yield l["loss"]


@scenario
def dict_loss_tensor(c):
    w = par()
    l = {}

    @c
    def step(x):
        s = sgd(w, (w * x).sum())
        l["loss"] = s
        return s

    kept = []
    for i in range(6):
        step(x)
        kept.append(l["loss"])
        yield kept


@scenario
def self_last(c):
    w = par()
    o = Obj()
    o.last = None
    kept = []

    @c
    def step(x):
        y = w * x
        o.last = y.data * 2
        return sgd(w, y.sum())

    for i in range(7):
        yield step(x)
        yield o.last
        kept.append(o.last)
        yield kept
    yield w


@scenario
def self_last_tensor(c):
    w = par()
    o = Obj()
    kept = []

    @c
    def step(x):
        y = w * x
        o.last = y.detach()
        return sgd(w, y.sum())

    for i in range(7):
        yield step(x)
        yield o.last
        kept.append(o.last)
        yield kept
    yield w


@scenario
def self_last_grad(c):
    w = par()
    o = Obj()

    @c
    def step(x):
        y = w * x
        o.last = y
        return sgd(w, y.sum())

    for i in range(7):
        yield step(x)
        yield o.last.data
    yield w


@scenario
def rec_array(c):
    w = par()
    o = Obj()
    o.h = np.zeros(3, np.float32)

    @c
    def step(x):
        h = np.tanh(w * x[0] + o.h)
        o.h = h.detach().data
        return sgd(w, h.sum())

    kept = []
    for i in range(7):
        yield step(x)
        kept.append(o.h)
        yield kept
        if i == 4:
            o.h = np.ones(3, np.float32)
    yield w


@scenario
def rec_tensor(c):
    w = par()
    o = Obj()
    o.h = ag.tensor(np.zeros(3, np.float32))

    @c
    def step(x):
        h = np.tanh(w * x[0] + o.h)
        o.h = h.detach()
        return sgd(w, h.sum())

    kept = []
    for i in range(9):
        yield step(x)
        kept.append(o.h)
        yield kept
        if i == 5:
            o.h = ag.tensor(np.ones(3, np.float32))
    yield w


@scenario
def rec_lstm(c):
    nn.manual_seed(0)
    m = nn.LSTM(3, 4)
    o = Obj()
    o.state = (ag.tensor(np.zeros((1, 2, 4), np.float32)),) * 2
    opt = optim.SGD(m.parameters(), lr=0.1)
    xs = X[:, None].repeat(2, 1)

    @c
    def step(xs):
        y, (h, cc) = m(xs, o.state)
        o.state = (h.detach(), cc.detach())
        opt.zero_grad()
        l = (y * y).sum()
        l.backward()
        opt.step()
        return l.detach()

    kept = []
    for i in range(8):
        yield step(xs)
        kept.append(o.state)
        yield kept
    yield list(m.parameters())


@scenario
def rec_lstm_none(c):
    nn.manual_seed(0)
    m = nn.LSTM(3, 4)
    o = Obj()
    o.state = None
    opt = optim.Adam(m.parameters(), lr=0.1)
    xs = X[:, None].repeat(2, 1)

    @c
    def step(xs):
        y, (h, cc) = m(xs, o.state)
        o.state = (h.detach(), cc.detach())
        opt.zero_grad()
        l = (y * y).sum()
        l.backward()
        opt.step()
        return l.detach()

    for i in range(8):
        if i == 6:
            o.state = None
        yield step(xs)
        yield o.state
    yield list(m.parameters())


@scenario
def rec_closure(c):
    w = par()
    h = ag.tensor(np.zeros(3, np.float32))

    @c
    def step(x):
        nonlocal h
        y = np.tanh(w * x[0] + h)
        h = y.detach()
        return sgd(w, y.sum())

    for i in range(9):
        yield step(x)
        yield h
    yield w


@scenario
def rec_list(c):
    w = par()
    hs = [ag.tensor(np.zeros(3, np.float32)) for _ in range(2)]

    @c
    def step(x):
        for i in range(2):
            y = np.tanh(w * x[0] + hs[i])
            hs[i] = y.detach()
        return sgd(w, y.sum())

    for i in range(9):
        yield step(x)
        yield hs
    yield w


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
    for i in range(9):
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

    for i in range(9):
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

    for i in range(9):
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
        l = (m(x) ** 2).sum()
        l.backward()
        opt.step()
        return l.detach()

    for i in range(7):
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
        l = loss(m(x), y)
        l.backward()
        opt.step()
        return l.detach()

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
        l = (w * x).sum()
        l.backward()
        o.step()
        return l.detach()

    yield from loop(step, lambda: None)
    yield w


# ---- random
@scenario
def rng_closure(c):
    r = np.random.default_rng(3)
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * r.random(3)).sum())

    for i in range(7):
        yield step(x)
        yield r
    r = np.random.default_rng(4)
    for i in range(7):
        yield step(x)
        yield r


@scenario
def rng_attr(c):
    o = Obj()
    o.r = np.random.default_rng(3)
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * o.r.standard_normal(3, dtype=np.float32)).sum())

    for i in range(7):
        yield step(x)
        yield o.r


@scenario
def rng_arg(c):
    r = np.random.default_rng(3)
    w = par()

    @c
    def step(x, r):
        return sgd(w, (w * x * r.normal(0, 2, size=3)).sum())

    for i in range(7):
        yield step(x, r)
        yield r
    r2 = np.random.default_rng(3)
    for i in range(7):
        yield step(x, r2)
        yield r2
        yield step(x, r)
        yield r


@scenario
def rng_perm(c):
    r = np.random.default_rng(3)
    w = par()

    @c
    def step(x):
        i = r.permutation(2)
        return sgd(w, (w * x[i] * np.array([[1.0], [2.0]], np.float32)).sum())

    for i in range(7):
        yield step(x)
        yield r


@scenario
def rng_choice(c):
    r = np.random.default_rng(3)
    w = par()

    @c
    def step(x):
        i = r.integers(0, 2, size=5)
        j = r.choice(2, size=3)
        return sgd(w, (w * x[i]).sum() + (w * x[j]).sum())

    for i in range(7):
        yield step(x)
        yield r


@scenario
def rng_shuffle(c):
    r = np.random.default_rng(3)
    w = par()
    o = Obj()
    o.idx = np.arange(2)

    @c
    def step(x):
        r.shuffle(o.idx)
        return sgd(w, (w * x[o.idx] * np.array([[1.0], [2.0]], np.float32)).sum())

    for i in range(7):
        yield step(x)
        yield r
        yield o.idx


@scenario
def lib_gen(c):
    nn.manual_seed(0)
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * ag.random.normal(size=3)).sum())

    for i in range(7):
        yield step(x)
        yield nn.random.get_state()
    nn.manual_seed(1)
    for i in range(7):
        yield step(x)
        yield nn.random.get_state()
    s = nn.random.get_state()
    yield step(x)
    nn.random.set_state(s)
    yield step(x)


@scenario
def dropout_checkpoint(c):
    nn.manual_seed(0)
    m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    opt = optim.SGD(m.parameters(), lr=0.1)
    f = ag.checkpoint(m)

    @c
    def step(x):
        opt.zero_grad()
        l = (f(x) ** 2).sum()
        l.backward()
        opt.step()
        return l.detach()

    for i in range(7):
        yield step(X)
        yield list(m.parameters())
        yield nn.random.get_state()


@scenario
def state_in_step(c):
    nn.manual_seed(0)
    w = par()

    @c
    def step(x):
        s = nn.random.get_state()
        a = nn.random.generator().random(3)
        nn.random.set_state(s)
        b = nn.random.generator().random(3)
        return sgd(w, (w * x * (a + b)).sum())

    for i in range(7):
        yield step(x)
        yield nn.random.get_state()


@scenario
def seed_in_step(c):
    nn.manual_seed(0)
    w = par()

    @c
    def step(x):
        nn.manual_seed(3)
        return sgd(w, (w * x * ag.random.normal(size=3)).sum())

    for i in range(7):
        yield step(x)
        yield nn.random.get_state()


@scenario
def fixed_rng_in_step(c):
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * np.random.default_rng(0).random(3)).sum())

    for i in range(7):
        yield step(x)


@scenario
def np_random(c):
    w = par()
    np.random.seed(0)

    @c
    def step(x):
        return sgd(w, (w * x * np.random.rand(3)).sum())

    for i in range(7):
        yield step(x)


@scenario
def np_random_state(c):
    w = par()
    r = np.random.RandomState(0)

    @c
    def step(x):
        return sgd(w, (w * x * r.rand(3)).sum())

    for i in range(7):
        yield step(x)


@scenario
def py_random(c):
    w = par()
    pyrandom.seed(0)

    @c
    def step(x):
        return sgd(w, (w * x * pyrandom.random()).sum())

    for i in range(7):
        yield step(x)


@scenario
def py_random_obj(c):
    w = par()
    r = pyrandom.Random(0)

    @c
    def step(x):
        return sgd(w, (w * x * r.random()).sum())

    for i in range(7):
        yield step(x)


@scenario
def itercount(c):

    w = par()
    it = itertools.count()

    @c
    def step(x):
        return sgd(w, (w * x * next(it)).sum())

    for i in range(7):
        yield step(x)


@scenario
def iter_list(c):
    w = par()
    it = iter([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0])

    @c
    def step(x):
        return sgd(w, (w * x * next(it)).sum())

    for i in range(7):
        yield step(x)


@scenario
def iter_gen(c):
    w = par()

    def g():
        for k in [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0]:
            yield k

    it = g()

    @c
    def step(x):
        return sgd(w, (w * x * next(it)).sum())

    for i in range(7):
        yield step(x)


@scenario
def iter_arrays(c):
    w = par()
    it = iter([X[i] for i in (0, 1, 2, 3) * 3])

    @c
    def step():
        return sgd(w, (w * next(it)).sum())

    for i in range(7):
        yield step()


@scenario
def partial_array(c):

    w = par()

    def f(a, x):
        return a * x

    p = functools.partial(f, x * 2)

    @c
    def step(x):
        return sgd(w, p(w * x).sum())

    yield from loop(step, lambda: None)
    p = functools.partial(f, x * 3)
    yield from loop(step, lambda: None)


@scenario
def asdict(c):

    w = par()
    conf = Conf(0.1)

    @c
    def step(x):
        return sgd(w, (w * x * sum(v for v in dataclasses.asdict(conf).values() if v)).sum())

    def ch():
        conf.lr = 3.0

    yield from loop(step, ch)


@scenario
def set_of_params(c):
    w = par()
    s = {w}

    @c
    def step(x):
        for p in s:
            l = sgd(p, (p * x).sum())
        return l

    yield from loop(step, lambda: None)


@scenario
def keys_params(c):
    w = par()
    s = {w: 0.1}

    @c
    def step(x):
        for p, lr in s.items():
            l = sgd(p, (p * x).sum(), lr)
        return l

    yield from loop(step, lambda: None)


@scenario
def attrgetter(c):

    w = par()
    o = Obj()
    o.zeta = 2.0
    g = operator.attrgetter("ze" + "ta")

    @c
    def step(x):
        return sgd(w, (w * x * g(o)).sum())

    def ch():
        o.zeta = 3.0

    yield from loop(step, ch)


@scenario
def os_environ(c):

    w = par()
    os.environ["QQ"] = "1"

    @c
    def step(x):
        return sgd(w, (w * x * float(os.environ["QQ"])).sum())

    def ch():
        os.environ["QQ"] = "2"

    yield from loop(step, ch)
