"""Programs that change which code a step runs: modules, functions, methods, decorators."""

from __future__ import annotations

import functools
import sys
import types

from .state import Dec, loop, par, scenario, sgd

mod = types.ModuleType("mymod")
sys.modules["mymod"] = mod
mod.__file__ = "/tmp/mymod.py"
exec(
    compile(
        "import numpy as np\nK = 2.0\nfac=[1.0]\ndef helper(x): return x * K * fac[0]\n"
        "def other(x): return x*7\ndef mk(k):\n  def inner(x): return x*k\n  return inner\n",
        "/tmp/mymod.py",
        "exec",
    ),
    mod.__dict__,
)


@scenario
def module_attribute(c):
    w = par()
    mod.K = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * mod.K).sum())

    def ch():
        mod.K = 3.0

    yield from loop(step, ch)
    yield w


@scenario
def helper_other_module(c):
    w = par()
    mod.K = 2.0

    @c
    def step(x):
        return sgd(w, mod.helper(w * x).sum())

    def ch():
        mod.K = 3.0

    yield from loop(step, ch)
    mod.fac[0] = 4.0
    yield from loop(step, lambda: None)
    yield w
    mod.fac[0] = 1.0


@scenario
def helper_monkeypatched(c):
    w = par()
    old = mod.helper

    @c
    def step(x):
        return sgd(w, mod.helper(w * x).sum())

    def ch():
        mod.helper = mod.other

    yield from loop(step, ch)
    yield w
    mod.helper = old


@scenario
def helper_code_replaced(c):
    w = par()

    def h(x):
        return x * 2.0

    def h2(x):
        return x * 3.0

    @c
    def step(x):
        return sgd(w, h(w * x).sum())

    def ch():
        h.__code__ = h2.__code__

    yield from loop(step, ch)
    yield w


@scenario
def helper_closure(c):
    w = par()
    h = mod.mk(2.0)

    @c
    def step(x):
        return sgd(w, h(w * x).sum())

    def ch():
        h.__closure__[0].cell_contents = 5.0

    yield from loop(step, ch)
    yield w


@scenario
def nested_lambda(c):
    w = par()
    k = 2.0

    @c
    def step(x):
        return sgd(w, (lambda y: (lambda z: z * k)(y))(w * x).sum())

    def ch():
        nonlocal k
        k = 3.0

    yield from loop(step, ch)
    yield w


@scenario
def part_ial(c):
    w = par()

    def f(k, x):
        return sgd(w, (w * x * k).sum())

    p = functools.partial(f, 2.0)
    step = c(p)

    def ch():
        p.__setstate__((f, (3.0,), {}, {}))

    yield from loop(step, ch)
    yield w


@scenario
def partial_helper(c):
    w = par()

    def f(k, x):
        return x * k

    p = functools.partial(f, 2.0)

    @c
    def step(x):
        return sgd(w, p(w * x).sum())

    def ch():
        p.__setstate__((f, (3.0,), {}, {}))

    yield from loop(step, ch)
    p = functools.partial(f, 4.0)
    yield from loop(step, lambda: None)
    yield w


@scenario
def wraps_decorator(c):
    w = par()
    k = 2.0

    def deco(f):
        @functools.wraps(f)
        def g(*a):
            return f(*a) * k

        return g

    @deco
    def h(x):
        return x * 2

    @c
    def step(x):
        return sgd(w, h(w * x).sum())

    def ch():
        nonlocal k
        k = 3.0

    yield from loop(step, ch)
    yield w


@scenario
def no_grad_method(c):
    o = Dec()
    step = c(o.step)

    def ch():
        o.k = 3.0

    yield from loop(step, ch)
    yield o.w


@scenario
def call_object(c):
    o = Dec()
    step = c(o)

    def ch():
        o.k = 3.0

    yield from loop(step, ch)
    yield o.w


@scenario
def prop_replaced(c):
    o = Dec()
    step = c(o.step)
    old = Dec.__dict__["prop"]

    def ch():
        Dec.prop = property(lambda self: 5.0)

    yield from loop(step, ch)
    yield o.w
    Dec.prop = old


@scenario
def method_patched_instance(c):
    o = Dec()
    step = c(o.step)

    def ch():
        o.upd = lambda: None

    yield from loop(step, ch)
    yield o.w


@scenario
def method_patched_class(c):
    o = Dec()
    step = c(o.step)
    old = Dec.upd

    def ch():
        Dec.upd = lambda self: None

    yield from loop(step, ch)
    yield o.w
    Dec.upd = old


def mkmeth(c):
    class M:
        def __init__(self):
            self.w = par()
            self.k = 2.0

        @c
        def step(self, x):
            return sgd(self.w, (self.w * x * self.k).sum())

    return M


@scenario
def method_in_class(c):
    M = mkmeth(c)
    a, b = M(), M()

    def ch():
        a.k = 3.0

    yield from loop(a.step, ch)
    yield from loop(b.step, lambda: None)
    yield from loop(a.step, lambda: None)
    yield a.w
    yield b.w
