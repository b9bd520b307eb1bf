"""Idioms: writes in place, through views and by every function that writes."""

from __future__ import annotations

import copy
import operator

import numpy as np

from .idioms import loud, right

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
