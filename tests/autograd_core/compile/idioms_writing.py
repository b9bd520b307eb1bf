"""Idioms: writes in place, views, shared memory, results that are kept, state that a step leaves behind."""

from __future__ import annotations

import copy
import operator
from types import SimpleNamespace
from typing import Any

import numpy as np

import autograd_core as ag

from .idioms import feeds, loud, made, right

right(  # out= of every kind, into arrays of the step
    out_ufunc=lambda v, w: np.add(v, 1, out=w) + w,
    out_ufunc_positional=lambda v, w: (np.add(v, 1, w), w),
    out_view=lambda v, w: (np.multiply(v[1:], 2, out=w[:-1]), w),
    out_two=lambda v, w: (np.modf(v, out=(np.empty_like(v), w)), w),
    out_one_of_two=lambda v, w: (np.divmod(v, 2, out=(None, w)), w),
    out_function=lambda x, v: (np.sum(x, axis=0, out=v[:4]), v),
    out_function_positional=lambda x, v: (np.sum(x, 0, None, v[:4]), v),
    out_method=lambda x, v: (x.mean(0, out=v[:4]), v),
    out_method_positional=lambda x, v: (x.sum(0, None, v[:4]), v, x.max(1, v[:4]), v.copy()),
    out_dot_positional=lambda x, y: (np.dot(x, x, y), y),
    out_dot_method=lambda x, y: (x.dot(x, y), y),
    out_clip_positional=lambda v, w: (np.clip(v, 0, 1, w), v.clip(-1, 0, w), w),
    out_cumsum_positional=lambda v, w: (np.cumsum(v, 0, None, w), w),
    out_take_positional=lambda v, w, i: (np.take(v, i, 0, w, "clip"), w),
    out_concatenate=lambda v, w: (np.concatenate([v[:2], v[:3]], 0, w), w),
    out_compress=lambda v, w: (np.compress([True, False, True], v, 0, w[:2]), w),
    out_choose=lambda i, v, w: (np.choose(i % 2, [v, v], w), w),
    out_round=lambda v, w: (v.round(1, w), np.round(v, 2, w), w),
    out_einsum=lambda x, y: (np.einsum("ij->ji", x, out=y), y),
    out_reduce=lambda x, v: (np.add.reduce(x, 0, None, v[:4]), np.add.accumulate(v, out=v), v),
    out_median=lambda x, v: (np.median(x, 0, v[:4]), v),
    out_zeros_like=lambda v: np.add(v, 1, out=np.zeros_like(v)),
    out_itself=lambda v: (np.exp(v, out=v), v),
    overwritten_input=lambda v: (np.median(v, overwrite_input=True), np.sort(v)),
    nan_to_num_in_place=lambda v: (np.nan_to_num(np.log(np.abs(v), out=v), copy=False), v),
    byteswap_in_place=lambda i: (i.byteswap(True) + 1, i),
)
loud(
    "into a plain array",
    out_plain=lambda v: np.add(v, 1, out=np.zeros(5)),
    out_plain_positional=lambda v: np.add(v, 1, np.zeros(5)),
    out_plain_function=lambda x: np.sum(x, 0, None, np.zeros(4)),
    out_plain_dot=lambda x: np.dot(x, x, np.zeros((4, 4))),
    out_plain_method=lambda x: x.sum(0, None, np.zeros(4)),
    plain_in_place=lambda v: operator.iadd(np.zeros(5), v),
    plain_add_at=lambda v: np.add.at(np.zeros(5), [0, 1], v[:2]),
    plain_copyto=lambda v: np.copyto(np.zeros(5), v),
    plain_put=lambda v: np.put(np.zeros(5), [0], v[:1]),
    plain_putmask=lambda v: np.putmask(np.zeros(5), v > 0, 1.0),
    plain_place=lambda v: np.place(np.zeros(5), v > 0, 1.0),
)
loud(
    "np.asarray, np.array|float\\(\\)",
    plain_set_item=lambda v: operator.setitem(np.zeros(5), 0, v[0]),
    plain_set_all=lambda v: operator.setitem(np.zeros(5), slice(None), v),
    plain_set_flat=lambda v: setattr(np.zeros(5), "flat", v),
    plain_shuffled_out=lambda v: np.random.default_rng(0).permuted(v, out=np.zeros(5)),
    plain_fill=lambda v: np.zeros(5).fill(v[0]),
)
loud(
    "np.asarray, np.array|an index",
    plain_indexed=lambda i: np.arange(5.0)[i],
    plain_set_at=lambda i: operator.setitem(np.zeros(5), i, 1.0),
)


@right
def set_items(v, w):
    v[0] = 1
    v[1:3] = w[2:4]
    v[-1] = w.sum()
    v[[0, 3]] += 1
    return v.sum()


@right
def set_mask(v, m):
    v[v < 0] = 0
    v[~m & (v > 1)] = v.mean()
    return v


@right
def set_traced(x, n, k):
    x[n, 0] = 5
    x[k % 4] = -1
    return x * 1


@right
def set_listed(v):
    z = np.zeros_like(v)
    z[:] = [v[0], 1.0, v[1] * 2, 3, v[2]]
    z[...] += v
    return z


@right
def functions_that_write(x, v, w, i, m):
    np.put(v, [0, 1], w[:2])
    np.putmask(w, m, v)
    np.place(v, v > 0.5, [1.0, 2.0])
    np.copyto(w, v, where=m)
    np.fill_diagonal(x, v[0])
    np.put_along_axis(x, x.argmax(1)[:, None], 9.0, 1)
    np.add.at(v, i, w)
    np.multiply.at(w, [0, 0], 2)
    return x + v[:4]


@right
def methods_that_write(x, v, w, i):
    v.fill(2)
    v[:2].fill(w[0])
    w.sort()
    x.partition(1, 1)
    v.put([3], w[3:4])
    i.sort()
    return v + w


@right
def attributes_that_write(c, v):
    c.real = v
    c.imag[1:] = 0
    c.real[0] += 1
    return c * 2


@right
def write_through_view(x):
    flat = x.ravel()
    flat[3] = 7
    column = x[:, 1]
    column *= 2
    x[0] = 1
    return flat.sum(), column + 0, x.T @ x


@right
def write_into_copy(x):
    copied = x.T.ravel()
    copied[0] = 99
    flat = x.flatten()
    flat += 1
    return copied, flat, x.sum()


@right
def write_into_reshaped(x):
    y = x + 0
    y.reshape(-1)[5] = 3
    z = y.T.reshape(2, 8)  # a copy
    z[0] = 0
    np.diagonal(y).sum()
    y.T[1] = 4
    return y, z, y.sum()


@right
def write_into_splits(x):
    y = x * 1
    top, bottom = np.split(y, 2)
    top += bottom
    bottom[:] = 0
    return y


@right
def write_into_viewed_dtype(v):
    y = v * 1
    y.view(np.int64)[0] = 0
    y.view(np.uint64)[1:] ^= np.uint64(1) << np.uint64(63)
    return y, v + y


@right
def overlapping(x, v):
    v[1:] += v[:-1]
    v[:-1] = v[1:]
    x += x.T
    x[::-1] -= x
    np.add(v[:-1], 1, out=v[1:])
    return v.sum() + x


@right
def in_place_operators(v, w, i, m, x):
    v += w
    v -= 1
    v *= w
    v /= 3
    v //= 0.1
    v **= 2
    v %= 2
    i <<= 2
    i |= 1
    i ^= 3
    i >>= 1
    i &= 7
    m &= v > 0
    x @= x.T
    return v * 1


@right
def names_of_numbers(v):
    s = v.sum()
    t = s
    s += 1
    u = t
    u *= s
    return s, t, u


@right
def names_of_arrays(v):
    s = v.sum(keepdims=True)
    t = s
    s += 1
    return s, t, t is s


@right
def zero_dimensional_writes(s, v):
    t = s
    t += 1
    t[...] = t * 2
    v[0] += s
    return s[()], v.sum()


@right
def same_values_before_and_after(v, w):
    before = (v * w).sum()
    v += 1
    after = (v * w).sum()
    v -= 1
    return before, after, (v * w).sum()


@right
def copies_are_apart(v):
    a, b, c = v.copy(), copy.copy(v), copy.deepcopy(v)
    a += 1
    b *= 2
    return a, b, c, v, copy.deepcopy({"v": v, "s": v.sum()})


@right
def zeros_of_the_step(v):
    total = np.zeros_like(v)
    for factor in range(3):
        total += v * factor
    other = np.zeros_like(v)
    return total, other


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
