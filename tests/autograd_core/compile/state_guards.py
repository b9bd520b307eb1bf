"""Programs that change what a step reads: a global, a class, a function, a container."""
# ruff: noqa: B007, B023, E501, E741, F841, NPY002, UP028, UP031 (programs as people write them)

from __future__ import annotations

import collections
import enum
import functools
import sys
import types

import numpy as np

import autograd_core as ag

from .state import Conf, Obj, loop, par, scenario, sgd, x

K = 2.0


@scenario
def global_number(c):
    global K
    K = 2.0
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * K).sum())

    def ch():
        global K
        K = 3.0

    yield from loop(step, ch)
    yield w


@scenario
def closure_number(c):
    k = 2.0
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * k).sum())

    def ch():
        nonlocal k
        k = 3

    yield from loop(step, ch)
    yield w


@scenario
def default_argument(c):
    w = par()

    def f(x, k=2.0):
        return sgd(w, (w * x * k).sum())

    step = c(f)

    def ch():
        f.__defaults__ = (3.0,)

    yield from loop(step, ch)
    yield w


@scenario
def kwdefault(c):
    w = par()

    def f(x, *, k=2.0):
        return sgd(w, (w * x * k).sum())

    step = c(f)

    def ch():
        f.__kwdefaults__["k"] = 3.0

    yield from loop(step, ch)
    yield w


@scenario
def attribute(c):
    w = par()
    o = Obj()
    o.j = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * o.j).sum())

    def ch():
        o.j = 3.0

    yield from loop(step, ch)
    yield w


@scenario
def class_attribute(c):
    w = par()
    o = Obj()
    Obj.k = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * o.k).sum())

    def ch():
        Obj.k = 3.0

    yield from loop(step, ch)
    yield w
    Obj.k = 2.0


@scenario
def class_attribute_shadowed(c):
    w = par()
    o = Obj()
    Obj.k = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * o.k).sum())

    def ch():
        o.k = 3.0

    yield from loop(step, ch)
    yield w
    Obj.k = 2.0


@scenario
def instance_attr_deleted(c):
    w = par()
    o = Obj()
    Obj.k = 2.0
    o.k = 5.0

    @c
    def step(x):
        return sgd(w, (w * x * o.k).sum())

    def ch():
        del o.k

    yield from loop(step, ch)
    yield w
    Obj.k = 2.0


class Sub(Obj):
    pass


@scenario
def subclass_shadow(c):
    w = par()
    o = Sub()
    Obj.k = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * o.k).sum())

    def ch():
        Sub.k = 3.0

    yield from loop(step, ch)
    yield w
    del Sub.k


@scenario
def hasattr_appears(c):
    w = par()
    o = Obj()

    @c
    def step(x):
        return sgd(w, (w * x * (3.0 if hasattr(o, "zz") else 1.0)).sum())

    def ch():
        o.zz = 1

    yield from loop(step, ch)
    yield w


@scenario
def global_appears(c):
    w = par()
    globals().pop("LATE", None)

    @c
    def step(x):
        return sgd(w, (w * x * (3.0 if "LATE" in globals() else 1.0)).sum())

    def ch():
        globals()["LATE"] = 1

    yield from loop(step, ch)
    yield w
    globals().pop("LATE", None)


@scenario
def global_appears2(c):
    w = par()
    globals().pop("LATE", None)

    def get():
        try:
            return LATE
        except NameError:
            return 1.0

    @c
    def step(x):
        return sgd(w, (w * x * get()).sum())

    def ch():
        globals()["LATE"] = 2

    yield from loop(step, ch)
    yield w
    globals().pop("LATE", None)


@scenario
def builtin_shadowed(c):
    w = par()
    globals().pop("abs", None)

    @c
    def step(x):
        return sgd(w, (w * x * abs(-2.0)).sum())

    def ch():
        globals()["abs"] = lambda x: 5.0

    yield from loop(step, ch)
    yield w
    globals().pop("abs", None)


mod = types.ModuleType("mymod")
sys.modules["mymod"] = mod
mod.__file__ = "/tmp/mymod.py"
exec(
    compile(
        "import numpy as np\nK = 2.0\nfac=[1.0]\ndef helper(x): return x * K * fac[0]\ndef other(x): return x*7\ndef mk(k):\n  def inner(x): return x*k\n  return inner\n",
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
    k = [1.0]
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


class Dec:
    def __init__(self):
        self.k = 2.0
        self.w = par()

    @ag.no_grad()
    def upd(self):
        self.w -= 0.1 * self.k * self.w.grad

    @property
    def prop(self):
        return self.k * 2

    def step(self, x):
        self.w.grad = None
        loss = (self.w * x * self.prop).sum()
        loss.backward()
        self.upd()
        return loss.detach()

    def __call__(self, x):
        return self.step(x)

    def __getattr__(self, name):
        if name.startswith("g_"):
            return 2.0 * self.k
        raise AttributeError(name)


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


@scenario
def dunder_getattr(c):
    o = Dec()
    w = par()

    @c
    def step(x):
        return sgd(w, (w * x * o.g_a).sum())

    def ch():
        o.k = 5.0

    yield from loop(step, ch)
    yield w


@scenario
def computed_getattr(c):
    o = Dec()
    w = par()
    o.alpha1 = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * getattr(o, "alp" + "ha%d" % 1)).sum())

    def ch():
        o.alpha1 = 5.0

    yield from loop(step, ch)
    yield w


@scenario
def dunder_dict(c):
    o = Dec()
    w = par()
    o.alpha1 = 2.0

    @c
    def step(x):
        return sgd(w, (w * x * sum(v for k, v in vars(o).items() if type(v) is float)).sum())

    def ch():
        o.alpha1 = 5.0

    yield from loop(step, ch)
    yield w


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


class Base:
    k = 2.0

    def f(self, x):
        return x * self.k


class Derived(Base):
    def f(self, x):
        return super().f(x) * 2


@scenario
def inheritance(c):
    o = Derived()
    w = par()
    Base.k = 2.0

    @c
    def step(x):
        return sgd(w, o.f(w * x).sum())

    def ch():
        Base.k = 3.0

    yield from loop(step, ch)
    old = Base.f
    Base.f = lambda self, x: x
    yield from loop(step, lambda: None)
    Base.f = old
    Base.k = 2.0
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

    for k in (1, 1.0, True, np.float32(1), np.float64(1), np.int8(1), 0.0, -0.0, float("nan"), float("nan")):
        yield from loop(step, lambda: None, 2, 2)


@scenario
def signed_zero_tuple(c):
    w = par()
    k = (0.0,)

    @c
    def step(x):
        return np.copysign(x, k[0])

    for k in ((0.0,), (-0.0,), (0,), (False,), (1,), (True,), (1.0,)):
        yield from loop(step, lambda: None, 2, 2)


@scenario
def arg_numbers(c):
    @c
    def step(x, k):
        return np.copysign(x, k), np.arange(3) * k

    for k in (1, 1.0, True, 0.0, -0.0, float("nan"), np.float32(1)):
        yield from loop(lambda: step(x, k), lambda: None, 2, 2, ())


@scenario
def frozen_values(c):
    k = frozenset([1])

    @c
    def step(x):
        return x * next(iter(k))

    for k in (frozenset([1]), frozenset([1.0]), frozenset([True]), frozenset([2])):
        yield from loop(step, lambda: None, 3, 2)


@scenario
def slice_values(c):
    k = slice(0, 1)

    @c
    def step(x):
        return x[k] * 2

    for k in (slice(0, 1), slice(1, 2), slice(None)):
        yield from loop(step, lambda: None, 3, 2)
