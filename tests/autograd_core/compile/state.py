"""Programs with Python state: their table, and the small things that they are made of."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import autograd_core as ag

PROGRAMS: dict[str, Any] = {}


def scenario(f: Any, name: str = "") -> Any:
    """Enter a program, a generator of values that is given ``compile``, into the table."""
    PROGRAMS[name or f.__name__] = f
    return f


x = np.arange(6, dtype=np.float32).reshape(2, 3) + 1


def par():
    return ag.tensor(np.array([0.5, -1, 2], np.float32), requires_grad=True)


def sgd(w, loss, lr=0.1):
    w.grad = None
    loss.backward()
    with ag.no_grad():
        w -= lr * w.grad
    return loss.detach()


def loop(step, change, n=5, m=5, args=(x,)):
    for _ in range(n):
        yield step(*args)
    change()
    for _ in range(m):
        yield step(*args)


rng0 = np.random.default_rng(7)
X = rng0.standard_normal((4, 3)).astype(np.float32)
Y = np.array([0, 1, 1, 0])


class Obj:
    k = 2.0


@dataclasses.dataclass
class Conf:
    lr: float = 0.1
    arr: object = None


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
