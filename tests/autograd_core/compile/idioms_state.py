"""Idioms: generators, clocks, iterators and counts: state that is no array of the step."""

from __future__ import annotations

import array
import random
import time

import numpy as np

import autograd_core as ag

from .idioms import loud, made, right


@right
@made
def generator_sizes():
    rng = np.random.default_rng(5)

    def step(v):
        order = rng.permutation(5)
        return v * rng.random(5) + rng.standard_normal(v.shape, np.float32) + v[order] + rng.integers(0, 9, 5)

    step.look = lambda: repr(rng.bit_generator.state)
    return step


@right
@made
def generator_kinds():
    rng = np.random.default_rng(6)
    return lambda v: (
        rng.normal(v, 1.0),
        rng.uniform(-1, 1, 3),
        rng.choice(v, 2),
        rng.choice(5, 3, replace=False),
        rng.exponential(size=2),
        rng.permuted(v),
        rng.permutation(v),
        rng.multinomial(5, [0.2, 0.8]),
        rng.integers(10),
        rng.beta(2.0, 3.0, ()),
    )


@right
@made
def generator_shuffles():
    rng = np.random.default_rng(7)

    def step(v, x):
        rng.shuffle(v)
        rng.shuffle(x, 1)
        rng.permuted(v, out=v)
        return v + 1

    return step


@right
@made
def generator_of_the_library():
    ag.random.manual_seed(3)
    return lambda v: v + ag.random.generator().standard_normal(5)


@right
@made
def generator_argument_by_default():
    rng = np.random.default_rng(8)
    return lambda v, rng=rng: v + rng.random(5)


rng, old, stdlib = np.random.default_rng(9), np.random.RandomState(1), random.Random(2)
numbers, buffer, counts = iter([1.0] * 2 + [2.0] * 9), array.array("d", [1.0]), [0]
holder = type("Holder", (), {"count": 0})()
memorized = np.ones(5).view(np.matrix)

loud(
    "float",
    draw_without_size=lambda v: v * rng.random(),
    normal_without_size=lambda v: v + rng.standard_normal(),
)
loud("as it is", bits_of_generator=lambda v: v * rng.bit_generator.state["state"]["state"])
loud(
    "into what is no array of the step",
    shuffled_list=lambda v: (lambda order: (rng.shuffle(order), v[order]))([0, 1, 2, 3, 4]),
)
loud(
    "global random numbers",
    draws_of_python=lambda v: v * random.random(),
    draws_globally=lambda v: v * np.random.rand(5),  # noqa: NPY002
)
loud(
    "moved on",
    draws_of_state=lambda v: v * (old.randint(100) // 100 + 1),
    draws_of_random=lambda v: v * (stdlib.random() < 2),
    iterator=lambda v: v * next(numbers),
)
loud("values differ", new_generator=lambda v: v * np.random.default_rng().random(5))
loud(
    "float64|time|Python state|values differ|after",
    timed=lambda v: v * time.perf_counter(),
    time_returned=lambda v: (v, time.perf_counter()),
)
loud("array.array|buffer", mutable_buffer=lambda v: v * buffer[0])
loud("matrix", matrix_closure=lambda v: v * memorized.sum())


@loud("Python state")
def counted_list(v):
    counts.append(1)
    return v * len(counts)


@loud("Python state")
def counted_attribute(v):
    holder.count += 1
    return v


@loud("Python state")
def counted_global(v):
    global total
    total += 1
    return v * total


@loud("Python state")
def kept_in_list(v):
    counts.append(v.sum())
    return v


total = 0
