"""Idioms: what is returned, memory that is shared, state in arrays, gradients."""

from __future__ import annotations

import operator
from types import SimpleNamespace
from typing import Any

import numpy as np

import autograd_core as ag

from .idioms import feeds, loud, made, right

right(  # what is returned
    returned=lambda v: v,
    returned_with_view=lambda x: (x, x[0]),
    returned_transposed=lambda x: (x * 2, (x * 3).T),
    returned_pair_of_one=lambda x: (lambda y: (y, y.T, y[0]))(x + 1),
    returned_twice=lambda v: (lambda y: [y, y])(v + 1),
    returned_equal_ones=lambda v: [v + 1, v + 1],
    returned_zeros=lambda v: (np.zeros(3), np.zeros_like(v), v[:0]),
    returned_numbers=lambda v: (v.sum(), v[0], v.argmax(), 3, "a", None, v.shape),
    returned_named=lambda v: {"v": v, "parts": [v[0], (v[1:],)]},
    returned_read_only=lambda v: np.broadcast_to(v, (2, 5)),
    fed_back=lambda last: last * 0.5 + 1,
    fed_back_in_place=lambda last: operator.iadd(last, 1),
    fed_back_view=lambda last: np.roll(last, 1)[:],
)


def _twice(call: int) -> list[Any]:
    (v,) = feeds("v", call)
    return [v, v]


def _twice_later(call: int) -> list[Any]:
    return feeds("vw", call) if call < 4 else _twice(call)


def _overlapping(call: int) -> list[Any]:
    (v,) = feeds("v", call)
    return [v[:-1], v[1:]] if call >= 4 else [v[:-1].copy(), v[1:].copy()]


def _adds(v, w):
    a = w * 2
    v += 1
    b = w * 2
    return a.sum(), b.sum()


right(args=_twice, same_twice=_adds, same_twice_is=lambda v, w: v * 1 if v is w else v * 2)
right(args=_twice_later, same_twice_later=_adds)
right(args=_overlapping, overlapping_later=_adds)
right(args=lambda call: [np.linspace(call, 1, 3 + call // 3 * 2)], shape_changes=lambda v: (v * 2, v.mean()))
right(
    args=lambda call: [np.linspace(call, 1, 4).astype("f8" if call < 3 else "f4")],
    dtype_changes=lambda v: (v * 2, v.mean()),
)
right(
    args=lambda call: [np.arange(16.0 + call).reshape(-1)[: 4 * (1 + call // 3) : 1 + call // 3]],
    strides_change=lambda v: (v * 2, v.mean()),
)
right(args=lambda call: [np.zeros((0, 3)) + call], empty=lambda v: (v * 2, v.sum(0), v.T))


@right
@made
def overlaps_a_closure_array():
    held = np.arange(6.0)

    def step(v):
        a = held * 2
        v += 1
        held[0] += 1
        return a, held * 2

    step.look = lambda: held
    return step


@right
@made
def state_in_arrays():
    mean, memory = np.zeros(5), {"sum": np.zeros(5)}

    def step(v):
        mean[:] = 0.9 * mean + 0.1 * v
        memory["sum"] = memory["sum"] + v
        return mean * 2

    step.look = lambda: (mean, memory)
    return step


@right
@made
def state_in_attributes():
    self = SimpleNamespace(last=np.zeros(5), total=np.zeros(()))

    def step(v):
        self.last = v * 2
        self.total += v.sum()
        return self.last + self.total

    step.look = lambda: (self.last, self.total)
    return step


@right
@made
def state_of_indices():
    held, at = np.arange(12.0).reshape(4, 3), np.zeros((), int)

    def step(v):
        row = held[at] * v[0]
        at[...] = (at + 1) % 4
        return row

    step.look = lambda: at
    return step


@right
@made
def view_of_state():
    held = np.arange(12.0)
    part = held[3:6]

    def step(v):
        part[:] += v[:3]
        return held.sum(), part.base is held

    step.look = lambda: held
    return step


@right
@made
def index_changed_outside():
    held, at = np.arange(12.0).reshape(4, 3), np.zeros((), int)

    def step(v):
        return held[at] * 2, held[at, 0] + v, held[at + 0]

    def look():  # between two calls
        at[...] = (at + 1) % 4
        return at.copy()

    step.look = look
    return step


@right
@made
def reads_what_others_change():
    held = {"scale": 1.0, "array": np.ones(5), "list": [1.0, 2.0]}

    def step(v):
        return v * held["scale"] + held["array"] * len(held["list"])

    def look():
        held["array"] += 1
        if held["array"][0] == 5:
            held["scale"] = 2.0
            held["list"].append(3.0)
            held["array"] = held["array"] * 2
        return 0

    step.look = look
    return step


@right
@made
def errors_raised_later():
    seen = []

    def step(v):
        with np.errstate(divide="ignore"):
            return v / np.zeros_like(v)

    step.look = lambda: [*seen, np.geterr()["divide"]]
    return step


@right
@made
def gradients():
    weight = ag.tensor(np.ones(5), requires_grad=True)

    def step(v):
        weight.grad = None
        loss = ((weight * v - 1) ** 2).sum()
        loss.backward()
        with ag.no_grad():
            weight.data -= 0.1 * weight.grad
        return loss

    step.look = lambda: (weight.data, weight.grad)
    return step


right(
    gradient_of_argument=lambda v, w: ag.grad(lambda z: (z * w).sum() + (z * z * z).sum())(v),
    value_and_gradient=lambda v, w: ag.value_and_grad(lambda z: (np.sin(z) * w).sum())(v),
)
loud("a branch", gradient_of_branch=lambda v: ag.grad(lambda z: z @ z if z.sum() > 0 else z.sum())(v))
