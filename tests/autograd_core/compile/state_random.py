"""Programs that draw random numbers, or move an iterator on."""

from __future__ import annotations

import itertools
import random as pyrandom

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

from .state import Obj, X, par, scenario, sgd, x


# ---- random
@scenario
def rng_closure(c):
    r = np.random.default_rng(3)
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * r.random(3)).sum())

    for _ in range(7):
        yield step(x)
        yield r
    r = np.random.default_rng(4)
    for _ in range(7):
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

    for _ in range(7):
        yield step(x)
        yield o.r


@scenario
def rng_arg(c):
    r = np.random.default_rng(3)
    w = par()

    @c
    def step(x, r):
        return sgd(w, (w * x * r.normal(0, 2, size=3)).sum())

    for _ in range(7):
        yield step(x, r)
        yield r
    r2 = np.random.default_rng(3)
    for _ in range(7):
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

    for _ in range(7):
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

    for _ in range(7):
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

    for _ in range(7):
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

    for _ in range(7):
        yield step(x)
        yield nn.random.get_state()
    nn.manual_seed(1)
    for _ in range(7):
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
        loss = (f(x) ** 2).sum()
        loss.backward()
        opt.step()
        return loss.detach()

    for _ in range(7):
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

    for _ in range(7):
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

    for _ in range(7):
        yield step(x)
        yield nn.random.get_state()


@scenario
def fixed_rng_in_step(c):
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * np.random.default_rng(0).random(3)).sum())

    for _ in range(7):
        yield step(x)


@scenario
def np_random(c):
    w = par()
    np.random.seed(0)  # noqa: NPY002 (the state that all share)

    @c
    def step(x):
        return sgd(w, (w * x * np.random.rand(3)).sum())  # noqa: NPY002 (the state that all share)

    for _ in range(7):
        yield step(x)


@scenario
def np_random_state(c):
    w = par()
    r = np.random.RandomState(0)

    @c
    def step(x):
        return sgd(w, (w * x * r.rand(3)).sum())

    for _ in range(7):
        yield step(x)


@scenario
def py_random(c):
    w = par()
    pyrandom.seed(0)

    @c
    def step(x):
        return sgd(w, (w * x * pyrandom.random()).sum())

    for _ in range(7):
        yield step(x)


@scenario
def py_random_obj(c):
    w = par()
    r = pyrandom.Random(0)

    @c
    def step(x):
        return sgd(w, (w * x * r.random()).sum())

    for _ in range(7):
        yield step(x)


@scenario
def itercount(c):

    w = par()
    it = itertools.count()

    @c
    def step(x):
        return sgd(w, (w * x * next(it)).sum())

    for _ in range(7):
        yield step(x)


@scenario
def iter_list(c):
    w = par()
    it = iter([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0])

    @c
    def step(x):
        return sgd(w, (w * x * next(it)).sum())

    for _ in range(7):
        yield step(x)


@scenario
def iter_gen(c):
    w = par()

    def g():
        for k in [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0]:  # noqa: UP028 (a generator with a loop)
            yield k

    it = g()

    @c
    def step(x):
        return sgd(w, (w * x * next(it)).sum())

    for _ in range(7):
        yield step(x)


@scenario
def iter_arrays(c):
    w = par()
    it = iter([X[i] for i in (0, 1, 2, 3) * 3])

    @c
    def step():
        return sgd(w, (w * next(it)).sum())

    for _ in range(7):
        yield step()
