"""One rulebook, several readers: every rule is read by every reader, and all agree.

Read are the forward function, the reverse rules (one each, or joint) and the forward rules of
every primitive. The readers: bare arrays; Tensors, recorded and constant; dual numbers; Python
floats where the operation is elementwise; stand-ins with shape and dtype only for what a rule has
not declared as saved; and recorded arrays, whose plan is replayed on other inputs.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.calls import wrap
from autograd_core.fitting import fit
from autograd_core.forward import Dual
from autograd_core.node import Standin
from autograd_core.primitive import EVERYTHING, OUTPUT

from .recorder import NotRecordable, Plan, Recorded
from .table import ROWS, Row


class Case(NamedTuple):
    """One call of a primitive: its arrays by position, its metadata by keyword."""

    op: Any
    args: tuple[Any, ...]
    other: tuple[Any, ...]  # arrays of the same shapes and dtypes, with other values
    params: dict[str, Any]

    @property
    def prim(self) -> Any:
        return self.op.primitive


def drawn(row: Row, call: Any, seed: int) -> tuple[Any, ...]:
    """Draw the inputs of a call, apart from each other: away from ties a rule is smooth."""
    arrays = row.draw(call, np.random.default_rng(seed))
    if row.selects and row.elementwise and len(arrays) > 1:
        arrays[-1] = arrays[-1] + 0.37
    return tuple(arrays)


CASES = [
    Case(row.op, drawn(row, c, 1), drawn(row, c, 2), dict(c.params))
    for row in ROWS
    for c in row.cases
]
NAMES = [f"{row}-{c!r}" for row in ROWS for c in row.cases]
everywhere = pytest.mark.parametrize("case", CASES, ids=NAMES)


class Reading(NamedTuple):
    """Something to read: ``body(lead, y, args)``; lead is (g,), or the tangents, or nothing."""

    label: str
    body: Any
    lead: tuple[Any, ...]
    y: Any
    args: tuple[Any, ...]

    @property
    def values(self) -> tuple[Any, ...]:
        return (*self.lead, self.y, *self.args)

    def __call__(self, *values: Any) -> Any:
        n = len(self.lead)
        with np.errstate(all="ignore"):
            return self.body(values[:n], values[n], values[n + 1 :])


def frozen(x: Any) -> Any:
    """Return a read-only copy: a reader that writes into what it was given raises."""
    x = np.array(x)
    x.flags.writeable = False
    return x


def floating(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "fc"


def draw(shape: Any, dtype: Any, seed: int) -> Any:
    return frozen(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def inputs_with_rules(case: Case) -> list[int]:
    """Positions of the inputs that a gradient goes to."""
    prim = case.prim
    return [i for i, x in enumerate(case.args)
            if floating(x) and (prim.joint is not None or prim.rules[i] is not None)]  # fmt: skip


def reverse_readings(case: Case, args: Any, seed: int = 0) -> list[Reading]:
    """The reverse rules of a case: one for each input, or the joint one."""
    prim, args = case.prim, tuple(map(frozen, args))
    y = frozen(prim.fun(*args, **case.params))
    lead = (draw(y.shape, y.dtype, seed),)
    if prim.joint is not None:
        chosen = inputs_with_rules(case)

        def joint(lead: Any, y: Any, xs: Any) -> Any:
            gradients = prim.joint(*lead, y, *xs, **case.params)
            assert len(gradients) == len(xs)
            return [gradients[i] for i in chosen]

        return [Reading("joint", joint, lead, y, args)]

    def reading(i: int) -> Reading:
        return Reading(f"rule {i}", lambda lead, y, xs: prim.rules[i](*lead, y, *xs, **case.params),
                       lead, y, args)  # fmt: skip

    return [reading(i) for i in inputs_with_rules(case)]


def forward_readings(case: Case, args: Any, seed: int = 0) -> list[Reading]:
    """The forward rules of a case: with a tangent at each input by itself, and at all."""
    prim, args = case.prim, tuple(map(frozen, args))
    y = frozen(prim.fun(*args, **case.params))
    positions = inputs_with_rules(case)
    assert prim.push is not None, f"{prim.name} has no forward rule"

    def reading(chosen: list[int]) -> Reading:
        def push(lead: Any, y: Any, xs: Any) -> Any:
            tangents: list[Any] = [None] * len(xs)
            for i, t in zip(chosen, lead, strict=True):
                tangents[i] = t
            return prim.push(prim, tangents, y, list(xs), case.params)

        lead = tuple(draw(args[i].shape, args[i].dtype, seed + i) for i in chosen)
        return Reading(f"push {chosen}", push, lead, y, args)

    each = [[i] for i in positions]
    return [reading(c) for c in (each if len(each) == 1 else [*each, positions])]


def readings(case: Case, args: Any = None, seed: int = 0) -> list[Reading]:
    args = case.args if args is None else args
    return [*reverse_readings(case, args, seed), *forward_readings(case, args, seed)]


def as_list(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def values_of(result: Any) -> list[Any]:
    """Return the results of a reading as plain arrays."""
    out = []
    for r in as_list(result):
        while isinstance(r, (ag.Tensor, Dual)):
            r = r.inside
        out.append(np.asarray(r))
    return out


def assert_same(result: Any, expected: Any, rtol: float = 1e-12, what: str = "") -> None:
    results, wanted = values_of(result), values_of(expected)
    assert len(results) == len(wanted), what
    for r, e in zip(results, wanted, strict=True):
        assert r.dtype == e.dtype, what
        scale = np.abs(e[np.isfinite(e)]).max(initial=1.0)
        np.testing.assert_allclose(r, e, rtol=rtol, atol=rtol * scale, err_msg=what)


def bits(x: Any) -> tuple[Any, ...]:
    x = np.asarray(x)
    return x.dtype, x.shape, x.tobytes()


# -- bare arrays ---------------------------------------------------------------------------------


@everywhere
def test_arrays(case: Case) -> None:
    """A rule reads arrays that can not be written to, and its result fits where it goes."""
    positions = inputs_with_rules(case)
    for reading in reverse_readings(case, case.args):
        results = as_list(reading(*reading.values))
        targets = positions if reading.label == "joint" else [int(reading.label.split()[1])]
        for i, r in zip(targets, results, strict=True):
            fitted = fit(r, reading.args[i])
            assert fitted.shape == reading.args[i].shape
            assert np.isfinite(fitted).all(), f"{reading.label}: not a regular point"
    for reading in forward_readings(case, case.args):
        t = reading(*reading.values)
        assert t.shape == reading.y.shape
        assert t.dtype == reading.y.dtype


@everywhere
def test_float32_stays_float32(case: Case) -> None:
    """No rule promotes: with float32 in, float32 comes out, before any central fitting."""
    args = [x.astype(np.float32) if floating(x) else x for x in case.args]
    for reading in reverse_readings(case, args):
        for r in as_list(reading(*reading.values)):
            assert r.dtype == reading.y.dtype, reading.label


# -- Tensors -------------------------------------------------------------------------------------

PATTERNS = {
    "all recorded": lambda lead, i: True,
    "constants": lambda lead, i: False,
    "lead recorded": lambda lead, i: i < lead,
    "values recorded": lambda lead, i: i >= lead,
}


@everywhere
def test_tensors(case: Case) -> None:
    """Tensors read the same values, and record what can be differentiated again."""
    for reading in readings(case):
        expected = reading(*reading.values)
        for pattern, recorded in PATTERNS.items():
            boxes = [
                ag.tensor(v, requires_grad=floating(v) and recorded(len(reading.lead), i))
                for i, v in enumerate(reading.values)
            ]
            what = f"{reading.label}, {pattern}"
            result = reading(*boxes)
            assert_same(result, expected, what=what)
            for r in as_list(result):
                assert isinstance(r, ag.Tensor), what
                if recorded(len(reading.lead), 0):  # linear in g, so it depends on g
                    assert r.requires_grad, what
                elif pattern == "constants":
                    assert not r.requires_grad, what


@everywhere
def test_tensors_among_arrays(case: Case) -> None:
    """What needs no gradient reaches a rule as a bare array, beside Tensors."""
    for reading in readings(case):
        expected = reading(*reading.values)
        for turn in (0, 1):
            mixed = [ag.tensor(v, requires_grad=floating(v)) if i % 2 == turn else v
                     for i, v in enumerate(reading.values)]  # fmt: skip
            assert_same(reading(*mixed), expected, what=reading.label)


# -- dual numbers --------------------------------------------------------------------------------


def whole(case: Case, reading: Reading) -> tuple[Any, list[Any]]:
    """Return a reading as a function of its floating values alone (y follows from the inputs)."""
    lead = len(reading.lead)
    every = [*reading.lead, *reading.args]
    free = [i for i, v in enumerate(every) if floating(v)]

    def f(*values: Any) -> Any:
        full = list(every)
        for i, v in zip(free, values, strict=True):
            full[i] = v
        y = case.op(*full[lead:], **case.params)
        return reading(*full[:lead], y, *full[lead:])

    return f, [every[i] for i in free]


@everywhere
def test_duals(case: Case) -> None:
    """Duals read the same values; their tangents agree with differences and with Tensors."""
    for reading in readings(case):
        f, at = whole(case, reading)
        expected = reading(*reading.values)
        along = [draw(v.shape, v.dtype, 10 + i) for i, v in enumerate(at)]
        primal, tangent = ag.jvp(f, at, along)
        assert_same(primal, expected, what=reading.label)

        step = 1e-6
        ahead = as_list(f(*[v + step * d for v, d in zip(at, along, strict=True)]))
        behind = as_list(f(*[v - step * d for v, d in zip(at, along, strict=True)]))
        weights, total = [], 0.0
        for a, b, t in zip(ahead, behind, as_list(tangent), strict=True):
            difference = (a - b) / (2 * step)
            scale = max(1.0, np.abs(difference).max(initial=0))
            coarse = 1e-6 if t.dtype == np.float64 else 1e2
            np.testing.assert_allclose(t, difference, rtol=1e-5, atol=coarse * scale,
                                       err_msg=reading.label)  # fmt: skip
            weights.append(draw(t.shape, t.dtype, 20))
            total += float(np.vdot(weights[-1], t))
        _, pullback = ag.vjp(f, *at)
        back = pullback(weights if isinstance(primal, (tuple, list)) else weights[0])
        again = sum(float(np.vdot(b, d)) for b, d in zip(back, along, strict=True))
        rtol = 1e-9 if all(t.dtype == np.float64 for t in as_list(tangent)) else 1e-4
        np.testing.assert_allclose(again, total, rtol=rtol, atol=rtol, err_msg=reading.label)


@everywhere
def test_rules_are_linear_in_what_flows(case: Case) -> None:
    """The tangent of a rule in the direction of its gradient is the rule, read with it."""
    for reading in readings(case):
        n = len(reading.lead)
        along = [draw(v.shape, v.dtype, 30 + i) for i, v in enumerate(reading.lead)]
        _, tangent = ag.jvp(lambda *g, r=reading, n=n: r(*g, *r.values[n:]), reading.lead, along)
        assert_same(tangent, reading(*along, *reading.values[n:]), what=reading.label)


# -- Python floats -------------------------------------------------------------------------------

ELEMENTWISE = [i for i, c in enumerate(CASES) if c.prim.broadcasts]


@pytest.mark.parametrize(
    "case", [CASES[i] for i in ELEMENTWISE], ids=[NAMES[i] for i in ELEMENTWISE]
)
def test_floats(case: Case) -> None:
    """An elementwise rule is the chain rule number by number."""
    for reading in reverse_readings(case, case.args):
        shape = reading.y.shape
        expected = np.broadcast_to(reading(*reading.values), shape).ravel()[:6]
        columns = [np.broadcast_to(v, shape).ravel()[:6].tolist() for v in reading.values]
        for row, e in zip(zip(*columns, strict=True), expected, strict=True):
            assert all(type(v) in (float, bool, int) for v in row)
            np.testing.assert_allclose(float(reading(*row)), e, rtol=1e-13, err_msg=reading.label)


# -- stand-ins -----------------------------------------------------------------------------------


class Strict(Standin):
    """A stand-in on which even what Python grants to every object fails."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("only shape and dtype are known of what was not saved")

    __eq__ = __ne__ = __bool__ = __iter__ = __len__ = __getitem__ = _refuse  # type: ignore[assignment]
    __array__ = __array_function__ = __float__ = __int__ = __index__ = _refuse


def without(values: Any, positions: Any) -> list[Any]:
    """Return values with stand-ins at some positions."""
    return [Strict(v.shape, v.dtype) if i in positions else v for i, v in enumerate(values)]


def saved_positions(case: Case, reading: Reading) -> set[int]:
    """Return which of the values (g, y, *args) a reverse rule may look at."""
    prim = case.prim
    needs = prim.needs[0 if prim.joint is not None else int(reading.label.split()[1])]
    inputs = range(len(case.args)) if EVERYTHING in needs else [i for i in needs if i >= 0]
    return {0, *([1] if OUTPUT in needs else []), *(2 + i for i in inputs)}


@everywhere
def test_standins(case: Case) -> None:
    """A rule reads no more than shape and dtype of what its primitive does not save."""
    for reading in reverse_readings(case, case.args):
        saved = saved_positions(case, reading)
        stripped = without(reading.values, set(range(len(reading.values))) - saved)
        results, expected = reading(*stripped), reading(*reading.values)
        for r, e in zip(as_list(results), as_list(expected), strict=True):
            assert bits(r) == bits(e), reading.label


PRIMITIVES = list({id(c.prim): c.prim for c in CASES}.values())


@pytest.mark.parametrize("prim", PRIMITIVES, ids=[p.name for p in PRIMITIVES])
def test_what_is_saved_is_used(prim: Any) -> None:
    """What a primitive saves is read by a rule, at least in one of its cases."""
    used, saved = set(), set()
    for case in CASES:
        if case.prim is not prim:
            continue
        for reading in reverse_readings(case, case.args):
            for position in saved_positions(case, reading) - {0}:
                if case.prim.arity is None:  # any number of inputs: one rule for all
                    position = min(position, 2)
                saved.add((reading.label, position))
                try:
                    reading(*without(reading.values, {position}))
                except (TypeError, AttributeError):
                    used.add((reading.label, position))
    names = ["g", "y", *(f"input {i}" for i in range(9))]
    idle = [f"{label}: {names[p]}" for label, p in sorted(saved - used)]
    assert not idle, f"{prim.name} saves what no rule reads: {idle}"


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s + 1, lambda s: 1.0 * s, lambda s: np.ones(2) * s, lambda s: s @ np.ones((2, 2)),
        lambda s: -s, lambda s: abs(s), lambda s: s > 0, lambda s: s == 0,
        lambda s: np.ones(2) == s, lambda s: s[0], lambda s: list(s), lambda s: bool(s),
        lambda s: float(s), lambda s: s.T,
        lambda s: s.data, lambda s: np.tanh(s), lambda s: np.add.reduce(s), lambda s: np.sum(s),
        lambda s: np.reshape(s, (4,)), lambda s: np.where(s, 1, 0), lambda s: np.asarray(s),
        lambda s: np.ones(2)[s], lambda s: s.astype(np.float32),
    ],
)  # fmt: skip
def test_a_standin_refuses_everything_but_shape_and_dtype(use: Any) -> None:
    with pytest.raises((TypeError, AttributeError, IndexError)):
        use(Standin((2, 2), np.dtype(np.float64)))


# -- recorded arrays -----------------------------------------------------------------------------


def replayed(reading: Reading, other: Reading, what: str) -> None:
    """Write a reading down, replay it on other values, and compare with those read directly."""
    plan = Plan()
    recorded = [plan.input(v) for v in reading.values]
    result = reading(*recorded)
    for r, e in zip(as_list(result), as_list(reading(*reading.values)), strict=True):
        assert isinstance(r, Recorded), what
        assert bits(r.value) == bits(e), f"{what}: recorded\n{plan}"
    again = plan.replay(other.values, result)
    for r, e in zip(as_list(again), as_list(other(*other.values)), strict=True):
        assert bits(r) == bits(e), f"{what}: replayed\n{plan}"


@everywhere
def test_recorded_rules(case: Case) -> None:
    """A rule is a list of NumPy calls: written down once, it holds for other numbers."""
    before, after = (reverse_readings(case, a, s) for a, s in ((case.args, 0), (case.other, 5)))
    for reading, other in zip(before, after, strict=True):
        replayed(reading, other, f"{case.prim.name}, {reading.label}")


@everywhere
def test_recorded_forward_rules(case: Case) -> None:
    before, after = (forward_readings(case, a, s) for a, s in ((case.args, 0), (case.other, 5)))
    for reading, other in zip(before, after, strict=True):
        replayed(reading, other, f"{case.prim.name}, {reading.label}")


@everywhere
def test_recorded_functions(case: Case) -> None:
    """So is the forward function of a primitive."""

    def reading(args: Any) -> Reading:
        args = tuple(map(frozen, args))
        body = lambda lead, y, xs: case.prim.fun(*xs, **case.params)
        return Reading("fun", body, (), frozen(0.0), args)

    replayed(reading(case.args), reading(case.other), f"{case.prim.name}, fun")


# -- whole computations, recorded through the engine ---------------------------------------------

FUNCTIONS = {
    "network": lambda x, w, b: np.sum(np.tanh(x @ w + b)),
    "one input of three": lambda x, w, b: np.sum(np.tanh(w)),
    "used twice": lambda x, w, b: (w * w).sum() + np.sum(w),
    "singular": lambda x, w, b: np.mean(w / (1 + w * w)) + np.sum(np.sqrt(b)),
    "powers": lambda x, w, b: np.sum(w**2 + w**0.5 + w**2.5 + 2**w),
    "classes": lambda x, w, b: (
        -np.mean(ag.log_softmax(x @ w + b)[np.arange(4), np.array([0, 1, 0, 1])])
    ),
    "norms": lambda x, w, b: ag.norm(w) + ag.norm(x, axis=1).sum() + ag.norm(b, 3),
    "largest": lambda x, w, b: np.max(w) + np.min(x, axis=0).sum() + np.prod(b),
    "sorted": lambda x, w, b: np.sum(np.sort(w, axis=0)[1:]),
    "corners": lambda x, w, b: np.sum(ag.relu(x @ w - b)) + np.sum(np.clip(w, 0.3, 0.5)),
    "choice": lambda x, w, b: np.sum(np.where(w > 0.5, w, w * w)) + np.sum(np.maximum(w, b)),
    "joined": lambda x, w, b: np.sum(np.concatenate([w, b[None]]) ** 3) + np.sum(np.stack([b, b])),
    "einsum": lambda x, w, b: np.einsum("ij,jk,k->", x, w, b),
    "statistics": lambda x, w, b: np.std(w) + np.sum(np.var(x, axis=0)),
    "broadcast": lambda x, w, b: np.sum(np.broadcast_to(b, (3, 2))) + np.sum(w.T[:, None] * b[0]),
}


def loss_and_gradients(f: Any, arrays: Any, create_graph: bool) -> list[Any]:
    """Return f's value and the gradients that backward leaves; arrays may be recorded ones."""
    leaves = [wrap(a) for a in arrays]
    for leaf in leaves:
        leaf.requires_grad = True
    loss = f(*leaves)
    loss.backward(create_graph=create_graph)
    gradients = [t.grad for t in leaves]
    return [loss.data, *(g.data if isinstance(g, ag.Tensor) else g for g in gradients)]


@pytest.mark.parametrize("create_graph", [False, True], ids=["eager", "create_graph"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_recorded_forward_and_backward(name: str, create_graph: bool) -> None:
    """Tensors hold recorded arrays: a forward and its backward are one plan."""
    f = FUNCTIONS[name]
    shapes = [(4, 3), (3, 2), (2,)]
    now, later = ([frozen(np.random.default_rng(seed).uniform(0.1, 0.9, s)) for s in shapes]
                  for seed in (1, 2))  # fmt: skip
    plan = Plan()
    results = loss_and_gradients(f, [plan.input(a) for a in now], create_graph)
    again = plan.replay(later, results)
    for given, got in ((now, [r.value if isinstance(r, Recorded) else r for r in results]),
                       (later, again)):  # fmt: skip
        for r, e in zip(got, loss_and_gradients(f, given, create_graph), strict=True):
            assert (r is None) == (e is None)
            if e is not None:
                assert_same(r, e, rtol=1e-14, what=str(plan))


# -- the recorder itself -------------------------------------------------------------------------

REFUSED = {
    "asarray": lambda r: np.asarray(r),
    "array": lambda r: np.array(r),
    "array of a list": lambda r: np.array([r, r]),
    "asfortranarray": lambda r: np.asfortranarray(r),
    "bool": lambda r: bool(r[0, 0] > 0),
    "if": lambda r: 1 if np.any(r) else 0,
    "and": lambda r: r and r,
    "float": lambda r: float(r[0, 0]),
    "int": lambda r: int(r[0, 0]),
    "index": lambda r: operator.index(r[0, 0]),
    "range": lambda r: range(r),
    "slice": lambda r: np.ones(3)[r[0, 0] :],
    "item": lambda r: r.item(),
    "tolist": lambda r: r.tolist(),
    "loop": lambda r: [row.shape for row in r],
    "unpack": lambda r: (lambda a, b: a)(*r),
    "contains": lambda r: 1.0 in r,
    "write": lambda r: operator.setitem(r, 0, 1.0),
    "augmented": lambda r: operator.iadd(r, 1.0),
    "augmented array": lambda r: operator.iadd(np.ones((2, 2)), r),
    "out": lambda r: np.add(r, 1, out=np.ones((2, 2))),
    "at": lambda r: np.add.at(np.ones(2), np.array([0]), r),
    "at itself": lambda r: np.add.at(r, np.array([0]), 1.0),
    "allclose": lambda r: np.allclose(r, 1),
    "data": lambda r: r.data,
    "dot": lambda r: r.dot(r),
    "sum": lambda r: r.sum(),
    "math": lambda r: __import__("math").tanh(r[0, 0]),
    "other plan": lambda r: r + Plan().input(np.ones(2)),
    "put": lambda r: np.put(np.ones(2), 0, r),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_recorder_refuses(name: str) -> None:
    """What a plan can not follow raises where it happens."""
    with pytest.raises((NotRecordable, AttributeError), match=r"\[recorder\]"):
        REFUSED[name](Plan().input(np.ones((2, 2))))


def test_the_recorder_writes_down() -> None:
    plan = Plan()
    x, w = plan.input(np.ones((2, 3))), plan.input(np.full((3, 2), 0.5))
    y = np.add.reduce(np.tanh(2 * (x @ w))[:1], axis=0)
    z = np.concatenate([y, np.where(y > 0, y, -y)]) ** 2
    assert (y.shape, z.shape, z.dtype, z.ndim, z.size) == ((2,), (4,), np.float64, 1, 4)
    assert str(plan).splitlines()[:4] == [
        "inputs %0, %1",
        "%2 = matmul(%0, %1)",
        "%3 = multiply(2, %2)",
        "%4 = tanh(%3)",
    ]
    a, b = np.arange(6.0).reshape(2, 3), np.linspace(-1, 1, 6).reshape(3, 2)
    half = np.tanh(2 * (a @ b))[:1].sum(axis=0)
    expected = np.concatenate([half, np.where(half > 0, half, -half)]) ** 2
    assert bits(plan.replay([a, b], z)) == bits(expected)
    assert bits(plan.replay([a, b], {"z": (y, 1)})["z"][0]) == bits(half)


def test_the_recorder_writes_down_keywords_and_several_results() -> None:
    plan = Plan()
    x, low = plan.input(np.arange(6.0)), plan.input(np.full(6, 2.0))
    first, second = np.split(np.clip(x, a_min=low, a_max=x + 1), 2)
    whole, part = divmod(first, second)
    new = [np.arange(6.0) ** 2, np.arange(6.0)[::-1].copy()]
    y, z = np.split(np.clip(new[0], new[1], new[0] + 1), 2)
    for got, wanted in zip(plan.replay(new, (whole, part)), divmod(y, z), strict=True):
        assert bits(got) == bits(wanted)


def test_a_constant_that_was_read_from_an_input_is_found_out() -> None:
    """The replay on changed inputs is what catches a rule that peeks at a value."""
    peeking = lambda g, y, x: g * x.value.mean()  # no rule can say this; a faulty reader could
    plan = Plan()
    g, y, x = (plan.input(np.full(2, v)) for v in (1.0, 2.0, 3.0))
    r = peeking(g, y, x)
    others = [np.full(2, v) for v in (4.0, 5.0, 6.0)]
    assert bits(plan.replay(others, r)) != bits(others[0] * others[2].mean())


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("made", [False, True], ids=["leaf", "result"])
def test_a_rule_that_reads_what_is_not_saved_is_refused(made: bool, create_graph: bool) -> None:
    wrong = ag.elementwise(lambda x: x * x, lambda g, y, x: 2 * g * x, saves="", name="wrong")
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = wrong(x * 1 if made else x).sum()
    with pytest.raises(TypeError, match="does not save; name it in saves="):
        y.backward(create_graph=create_graph)
    assert x.grad is None
