"""Programs that carry something from step to step: a last result, the state of a recurrent layer."""

from __future__ import annotations

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

from .state import Obj, X, par, scenario, sgd, x


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

    for _ in range(7):
        yield step(x)
        yield o.last
        kept.append(o.last)
        yield kept
    yield w


@scenario
def self_last_part(c):
    w = par()
    o = Obj()
    o.last = None
    kept = []

    @c
    def step(x):
        y = w * x
        o.last = (y.data * 2)[1:]
        return sgd(w, y.sum())

    for _ in range(7):
        yield step(x)
        kept.append(o.last)
        yield kept
    yield w


@scenario
def rec_part(c):
    o = Obj()
    o.h = np.ones(3, np.float32)

    @c
    def step(x):
        y = np.tanh(np.concatenate([x[0], o.h]))
        z = y * o.h.sum()  # reads what stood where y is
        o.h = y[3:]
        return z

    for i in range(9):
        yield step(x + i)
        yield o.h


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

    for _ in range(7):
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

    for _ in range(7):
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
        loss = (y * y).sum()
        loss.backward()
        opt.step()
        return loss.detach()

    kept = []
    for _ in range(8):
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
        loss = (y * y).sum()
        loss.backward()
        opt.step()
        return loss.detach()

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

    for _ in range(9):
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

    for _ in range(9):
        yield step(x)
        yield hs
    yield w
