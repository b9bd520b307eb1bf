"""Programs that change what a step reads by name: variables, defaults, attributes, classes."""

from __future__ import annotations

from .state import Dec, Obj, loop, par, scenario, sgd

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
        return sgd(w, (w * x * getattr(o, "alp" + "ha" + str(1))).sum())

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
