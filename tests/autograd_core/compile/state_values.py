"""Programs that change values that a step reads: items of containers, fields, options, numbers."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import operator
import os

import numpy as np

from .state import Conf, Obj, loop, par, scenario, sgd, x


@scenario
def dataclass_field(c):
    w = par()
    conf = Conf()

    @c
    def step(x):
        return sgd(w, (w * x).sum(), conf.lr)

    def ch():
        conf.lr = 0.2

    yield from loop(step, ch)
    yield w


NT = collections.namedtuple("NT", "lr arr")


@scenario
def namedtuple_rebound(c):
    w = par()
    conf = NT(0.1, x * 2)

    @c
    def step(x):
        return sgd(w, (w * x * conf.arr).sum(), conf.lr)

    def ch():
        nonlocal conf
        conf = NT(0.1, x * 2)

    yield from loop(step, ch)
    conf = NT(0.2, x * 3)
    yield from loop(step, lambda: None)
    yield w


class Sl:
    __slots__ = ("a", "b")


@scenario
def slots(c):
    w = par()
    o = Sl()
    o.a = 2.0
    o.b = x * 1

    @c
    def step(x):
        return sgd(w, (w * x * o.a * o.b).sum())

    def ch():
        o.a = 3.0

    yield from loop(step, ch)
    o.b = x * 3
    yield from loop(step, lambda: None)
    yield w


@scenario
def dict_entry(c):
    w = par()
    d = {"k": 2.0, ("a", 1): 3.0}

    @c
    def step(x):
        return sgd(w, (w * x * d["k"] * d["a", 1]).sum())

    def ch():
        d["k"] = 3.0

    yield from loop(step, ch)
    d["a", 1] = 5.0
    yield from loop(step, lambda: d.update(z=1))
    yield w


@scenario
def list_item(c):
    w = par()
    d = [1.0, 2.0]

    @c
    def step(x):
        return sgd(w, (w * x * sum(d)).sum())

    def ch():
        d[1] = 3.0

    yield from loop(step, ch)
    yield from loop(step, lambda: d.append(1))
    yield w


@scenario
def set_member(c):
    w = par()
    d = {1, 2}

    @c
    def step(x):
        return sgd(w, (w * x * (5 if 3 in d else 1)).sum())

    def ch():
        d.add(3)

    yield from loop(step, ch)
    yield w


@scenario
def tuple_rebuilt(c):
    w = par()
    d = (1.0, (2.0, 3))

    @c
    def step(x):
        return sgd(w, (w * x * d[0] * d[1][0]).sum())

    def ch():
        nonlocal d
        d = (1.0, (float("2.0"), 3))

    yield from loop(step, ch)
    d = (1.0, (4.0, 3))
    yield from loop(step, lambda: None)
    yield w


class Mode(enum.Enum):
    A = 1
    B = 2


@scenario
def enums(c):
    w = par()
    m = Mode.A

    @c
    def step(x):
        return sgd(w, (w * x * (2.0 if m is Mode.A else 3.0)).sum())

    def ch():
        nonlocal m
        m = Mode.B

    yield from loop(step, ch)
    yield w


@scenario
def none_array(c):
    w = par()
    b = None

    @c
    def step(x):
        return sgd(w, (w * x if b is None else w * x * b).sum())

    def ch():
        nonlocal b
        b = x * 2

    yield from loop(step, ch)
    b = None
    yield from loop(step, lambda: None)
    yield w


@scenario
def number_kinds(c):
    w = par()
    k = 1

    @c
    def step(x):
        return (np.arange(3) * k + True * k, w * 1)

    for k in (1, 1.0, True, np.float32(1), np.float64(1), np.int8(1), 0.0, -0.0, float("nan"), float("nan")):  # noqa: B007 (a variable of the step)
        yield from loop(step, lambda: None, 2, 2)


@scenario
def signed_zero_tuple(c):
    k = (0.0,)

    @c
    def step(x):
        return np.copysign(x, k[0])

    for k in ((0.0,), (-0.0,), (0,), (False,), (1,), (True,), (1.0,)):  # noqa: B007 (a variable of the step)
        yield from loop(step, lambda: None, 2, 2)


@scenario
def arg_numbers(c):
    @c
    def step(x, k):
        return np.copysign(x, k), np.arange(3) * k

    for k in (1, 1.0, True, 0.0, -0.0, float("nan"), np.float32(1)):
        yield from loop(lambda: step(x, k), lambda: None, 2, 2, ())  # noqa: B023 (called at once)


@scenario
def frozen_values(c):
    k = frozenset([1])

    @c
    def step(x):
        return x * next(iter(k))

    for k in (frozenset([1]), frozenset([1.0]), frozenset([True]), frozenset([2])):  # noqa: B007 (a variable of the step)
        yield from loop(step, lambda: None, 3, 2)


@scenario
def slice_values(c):
    k = slice(0, 1)

    @c
    def step(x):
        return x[k] * 2

    for k in (slice(0, 1), slice(1, 2), slice(None)):  # noqa: B007 (a variable of the step)
        yield from loop(step, lambda: None, 3, 2)


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
            loss = sgd(p, (p * x).sum())
        return loss

    yield from loop(step, lambda: None)


@scenario
def keys_params(c):
    w = par()
    s = {w: 0.1}

    @c
    def step(x):
        for p, lr in s.items():
            loss = sgd(p, (p * x).sum(), lr)
        return loss

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
