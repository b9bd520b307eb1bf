"""Idioms: Python's own functions on arrays, and what takes an array apart."""

from __future__ import annotations

import array
import collections
import copy
import functools
import importlib.util
import itertools
import json
import math
import operator
import pickle
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np

import autograd_core as ag

from .idioms import loud, right

table = np.arange(5.0)


loud(
    "a branch",
    if_value=lambda v: v * 2 if v.sum() > 0 else v,
    if_number=lambda s: s + 1 if s else s,
    and_value=lambda v: v[0] and v[1],
    or_value=lambda v: v[0] or v[1],
    not_value=lambda v: not v.any(),
    bool_value=lambda v: bool(v.all()),
    if_finite=lambda v: v if np.isfinite(v).all() else v * 0,
    while_value=lambda v: next(n for n in itertools.count() if v.sum() < n),
    asserted=lambda v: [v for _ in range(1) if (v.min() > -100)],
    max_builtin=lambda v: max(v),
    min_of_two=lambda v, w: min(v.sum(), w.sum()),
    sorted_builtin=lambda v: sorted(v),
    any_builtin=lambda v: any(v),
    all_builtin=lambda v: all(x > -100 for x in v),
    filtered=lambda v: list(filter(None, v)),
    in_list=lambda v: v.sum() in [1.0, 2.0],
    tensor_branch=lambda t: t * 2 if t.sum() > 0 else t,
    chained_comparison=lambda v: 0 < v[0] < 1,
    if_close=lambda v, w: v if operator.truth(np.isclose(v, w).all()) else w,
    match_value=lambda i: {0: 1}.get(0) if i[0] == 3 else 2,
)
loud(
    "float\\(\\)",
    float_value=lambda v: v * float(v[0]),
    math_function=lambda v: v * math.sqrt(abs(v[0])),
    math_isnan=lambda s: math.isnan(s),
    format_percent=lambda s: operator.mod("%.2f", s),
    float_map=lambda v: list(map(float, v)),
    ceil=lambda s: math.ceil(s),
    numpy_number_double=lambda v: np.float64(v[0]),
    from_iterator=lambda v: np.fromiter(v, float),
)
loud("int\\(\\)", int_value=lambda v: int(v[0]), int_of_count=lambda v: v / int((v > -100).sum()))
loud("complex\\(\\)", complex_value=lambda v: complex(v[0]))
loud("math.trunc", truncated=lambda v: math.trunc(v[0]))
loud(
    "an index",
    bytes_of=lambda n: bytes(n),
    array_module=lambda i: array.array("b", i),
    range_value=lambda n: sum(range(n[0])),
    list_index=lambda n: [1, 2, 3, 4][n[0]],
    repeated_list=lambda n: [0.0] * n[0],
    repeated_list_left=lambda n: n[0] * [0.0],
    text_repeated=lambda n: "a" * n[0],
    operator_index=lambda n: operator.index(n[0]),
    shape_value=lambda n: np.zeros(n[0]),
    hexed=lambda n: hex(n[0]),
    shift=lambda n: bin(n[0]),
    islice=lambda v, n: list(itertools.islice(v, n[0])),
)
loud(
    "item\\(\\)",
    item=lambda v: v.sum().item(),
    item_tensor=lambda t: t.sum().item(),
    float_tensor=lambda t: t * float(t.sum()),
    item_at=lambda v: v.item(2),
)
loud("tolist\\(\\)", tolist=lambda v: v.tolist(), tolist_number=lambda v: v.sum().tolist())
loud("bytes", tobytes=lambda v: v.tobytes(), pickled=lambda v: pickle.dumps(v), dumped=lambda v: v.dumps())
loud(" in would", contained=lambda v: 1.0 in v, contained_operator=lambda v: operator.contains(v, 1.0))
loud(
    "np.asarray, np.array",
    asarray=lambda v: np.asarray(v),
    asanyarray=lambda v: np.asanyarray(v) * 2,
    array_copy=lambda v: np.array(v),
    array_of_numbers=lambda v: np.array([v[0], v[1]]),
    array_of_arrays=lambda v, w: np.array([v, w]),
    array_float=lambda v: np.array(v, dtype=np.float32),
    interface=lambda v: v.__array_interface__,
    array_of_sum=lambda v: np.array(v.sum()),
    array_listed=lambda v: np.array(list(v)),
    ascontiguousarray=lambda x: np.ascontiguousarray(x.T),
    numpy_number=lambda v: np.float32(v.sum()),
    sum_of_list=lambda v: np.sum([v[0], v[1]]),
    max_of_list=lambda v, w: np.max([v, w], axis=0),
    vectorized=lambda v: np.vectorize(lambda z: z * 2)(v),
    nditer=lambda v: list(np.nditer(v)),
    ndenumerate=lambda v: [z for _, z in np.ndenumerate(v)],
    broadcast_object=lambda v, w: np.broadcast(v, w).shape,
    r_class=lambda v, w: np.r_[v, w],
    c_class=lambda v, w: np.c_[v, w],
    as_strided=lambda v: np.lib.stride_tricks.as_strided(v, (2, 2), (8, 8)),
    masked_array=lambda v: np.ma.masked_array(v, v > 0),
    global_random=lambda v: np.random.normal(v),  # noqa: NPY002
    assert_allclose=lambda v: np.testing.assert_allclose(v, v),
    tensor_of_array=lambda v: ag.tensor(np.asarray(v)) * 2,
    dtype_object=lambda v: np.array([v, None], dtype=object),
)
loud(
    "True or False|bool",
    array_equal=lambda v, w: np.array_equal(v, w),
    allclose=lambda v, w: np.allclose(v, w),
)
loud(
    "text|str",
    printed=lambda v: print(v),
    formatted=lambda v: f"{v.sum():.3f}",
    stringed=lambda v: str(v),
    f_string=lambda v: f"{v}",
    represented=lambda v: repr(v),
    listed_text=lambda v: str([v[0]]),
    format_method=lambda v: str.format("{:5}", v[0]),
    array_text=lambda v: np.array_str(v),
    percent_s=lambda v: operator.mod("%s", v),
)
loud(
    "hash|a key",
    hashed_number=lambda v: hash(v[0]),
    in_set=lambda v: {v[0]},
    as_key=lambda v: {v.sum(): 1},
    counted_keys=lambda i: collections.Counter(i),
    cached=lambda v: functools.lru_cache(lambda z: z * 2)(v[0]),
)
loud("flat", flat=lambda v: list(v.flat), flat_index=lambda x: x.flat[3])
loud(
    "memory|bytes-like",
    memory_view=lambda v: memoryview(v),
    from_buffer=lambda v: np.frombuffer(v),
    data_attribute=lambda v: v.data[0],
    ctypes_attribute=lambda v: v.ctypes.data,
    array_wrap=lambda v: v.__array_wrap__(v),
)
loud(
    "Traced",
    unbound_sum=lambda v: np.ndarray.sum(v),
    unbound_getitem=lambda v: np.ndarray.__getitem__(v, 0),
)
loud("round", rounded_number=lambda v: round(v[0]), rounded_digits=lambda v: round(v.sum(), 2))
loud(
    "is_integer|hex|as_integer_ratio",
    is_integer=lambda v: v.sum().is_integer(),
    float_hex=lambda v: v[0].hex(),
    integer_ratio=lambda v: v[0].as_integer_ratio(),
    asked=lambda v: hasattr(v[0], "is_integer"),
)
loud("as it is", as_json=lambda v: json.dumps(v[0]))
loud("file", saved=lambda v: np.save(Path("/dev/null"), v), tofile=lambda v: v.tofile("/dev/null"))
loud("resize", resized=lambda v: (v * 1).resize(6, refcheck=False))
held = np.arange(5.0)
scales = {id(held): 2.0}
loud("as it is", by_id=lambda v: v * held * scales.get(id(held), 1.0))
loud("matrix", matrix_view=lambda x: x.view(np.matrix))
loud(
    "object",
    object_dtype=lambda v: v.astype(object) * 2,
    frompyfunc=lambda v: np.frompyfunc(lambda z: z, 1, 1)(v),
    fraction=lambda v: np.multiply(v, Fraction(1, 2)),
)
loud(
    "setflags|flags|lock",
    locked=lambda v: v.setflags(write=False),
    locked_flag=lambda v: setattr(v.flags, "writeable", False),
)


def jitted(v):
    import numba

    return numba.njit(lambda z: z.sum())(v)


if importlib.util.find_spec("numba") is not None:
    loud("as it is")(jitted)


@loud("float\\(\\)")
def statistics_of_numbers(v):
    import statistics

    return statistics.fmean(v)


right(
    iterated_sum=lambda v: sum(v),
    unpacked=lambda n: (lambda a, b, c: a * b + c)(*n),
    starred=lambda v: (lambda first, *rest: (first, rest))(*v),
    listed=lambda v: list(v),
    tupled=lambda x: tuple(x),
    enumerated=lambda v: [n * z for n, z in enumerate(v)],
    zipped=lambda v, w: [a - b for a, b in zip(v, w)],
    reversed_rows=lambda x: list(reversed(x)),
    mapped=lambda x: list(map(np.sum, x)),
    reduced=lambda v: functools.reduce(operator.mul, v),
    ranged=lambda x: [x[row].sum() for row in range(len(x))],
    is_none=lambda v: v * 2 if v is not None else None,
    isinstance_array=lambda v: v * 2 if isinstance(v, np.ndarray) and not isinstance(v, (list, float)) else v,
    isinstance_number=lambda v: v[0] * 2 if isinstance(v[0], (float, np.floating)) else v,
    class_of=lambda v: v * 2 if v.__class__ is np.ndarray else v,
    scalar_known=lambda v: v[0] * 2 if np.isscalar(v[0]) and not np.isscalar(v) else v,
    float_added_to_list=lambda v: [1.0, 2.0, 3.0, 4.0, 5.0] + v,
    list_times=lambda v: [1.0, 2.0, 3.0, 4.0, 5.0] * v,
    default_argument=lambda v, scale=table: v * scale,
    ternary_of_shape=lambda v: v if v.size > 3 else v * 0,
    getattr_shape=lambda v: getattr(v, "shape", None) and v * 2,
    duck_typed=lambda v: getattr(v, "value", v) * getattr(v, "slot", 1) * getattr(v, "capture", 1),
    errstate=lambda v: _divided(v),
    pickled_constant=lambda v: v * pickle.loads(pickle.dumps(np.arange(5.0))),
    copied_module=lambda v: copy.copy(v) + 1,
    allocated=lambda v: v + np.array([1.0, 2.0, 3.0, 4.0, 5.0]) + np.ones(5).cumsum(),
    seeded=lambda v: v + np.random.default_rng(3).standard_normal(5),
    warned=lambda v: (warnings.filters, v * 2)[1],
)


def _divided(v):
    with np.errstate(divide="ignore", invalid="ignore"):
        a = (v * 0) / 0
    with np.errstate(all="raise"):
        b = v * 2
    return a, b, v / 2


def typed(v):
    return v * 2 if type(v) is np.ndarray else v * 3


loud("as it is", type_is=typed)


@loud("a branch")
def caught(v):
    try:
        return v * 2 if v.sum() > 0 else v
    except Exception:
        return v * 3


@loud("float\\(\\)")
def caught_conversion(v):
    try:
        return v * float(v[0])
    except (TypeError, RuntimeError):
        return v


@loud("is_integer")
def looked_up(v):
    return v * (2 if getattr(v[0], "is_integer", None) else 3)


@loud("an index")
def padded_list(n, v):
    return v * len([0] * n[0])


memo: dict = {}


@loud("a hash")
def memorized_number(v):
    return v * memo.setdefault(v[0], 1.0)


@loud("np.asarray, np.array")
def object_array(v):
    held = np.empty(2, dtype=object)
    held[:] = [v, v]
    return held


@loud("object")
def object_item(v):
    held = np.empty(2, dtype=object)
    held[0] = v
    return held


@loud("changed after it was used")
def changed_and_changed_back(v):
    z = np.zeros(5)
    a = v + z
    z += 1
    b = v + z
    z -= 1
    return a + b


@loud("changed after it was used")
def changed_afterwards(v):
    z = np.zeros(5)
    a = v + z
    z += 1
    return a


@right
def changed_before(v):
    z = np.zeros(5)
    z += 1
    z[1:3] = 7
    return v + z


@right
def strings(v):
    return {"none": None, "name": f"{v.shape} {v.dtype} {len(v)}", "v": v + 1}


@right
def nested_functions(v, w):
    def scaled(by):
        return lambda z: z * by

    return sum(scaled(z)(w) for z in v) + next(z * 2 for z in w) + functools.partial(np.add, w)(v)
