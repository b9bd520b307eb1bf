"""The steps of a graph: what stands on each edge adds up to the engine's gradients, and nothing changes."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.draw import draw, steps
from autograd_core.draw.records import Amount, Steps
from autograd_core.draw.replay import Copy
from autograd_core.draw.steps import MOST, later, walk
from autograd_core.draw.steps_page import Stepper
from autograd_core.errors import GradientError, GraphError
from autograd_core.node import Node
from autograd_core.value import Value

RNG = np.random.default_rng(0)


def leaf(x: Any, name: str | None = None) -> ag.Tensor:
    return ag.tensor(np.array(x, float), requires_grad=True, name=name)


# -- graphs ----------------------------------------------------------------------------------------


def logistic(w: Any, b: Any, x: Any, t: Any) -> Any:
    """z = wx + b, y = s(z), L = (y - t)^2 / 2."""
    return ((w * x + b).sigmoid() - t) ** 2 / 2


def total_derivative(t: Any) -> Any:
    """f = y + exp(xy) at x = cos t, y = t^2."""
    x, y = t.cos(), t**2
    return y + (x * y).exp()


def full_loop(w1: Any, w2: Any, b1: Any, w3: Any, b2: Any) -> Any:
    """x = (2, -1), target 6: one hidden unit."""
    h = (w1 * 2.0 + w2 * -1.0 + b1).relu()
    return (w3 * h + b2 - 6.0) ** 2


def fan_out(x: Any) -> Any:
    a, b = x * 2.0, x * x
    return a * b + b * x


SCALAR: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "logistic": (logistic, (0.7, -0.3, 2.0, 1.0)),
    "total derivative": (total_derivative, (0.8,)),
    "full loop": (full_loop, (1.5, 2.0, 3.0, 2.5, -2.0)),
    "fan-out": (fan_out, (1.5,)),
    "x times x": (lambda x: x * x, (3.0,)),
    "x over x": (lambda x: x / x, (3.0,)),
    "numbers on both sides": (lambda a: (1.0 - a) * 3.0 + 2.0 / a - a**3 + 2.0**a, (1.7,)),
    "long sum": (lambda a, b: a * b + a + b + a, (2.0, -3.0)),
    "root of zero": (lambda x: (x * 0.0).sqrt() * 0.0, (2.0,)),
}


def xor(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    h = ag.sigmoid(x @ w1 + b1)
    return ((ag.sigmoid(h @ w2 + b2) - np.array([[0.0], [1], [1], [0]])) ** 2).mean()


def cross_entropy(x: Any, w: Any) -> Any:
    return -(ag.log_softmax(x @ w, axis=1) * np.eye(3)[[0, 2]]).sum() / 2


ARRAYS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "xor": (xor, ((2, 2), (2,), (2, 1), (1,))),
    "softmax cross-entropy": (cross_entropy, ((2, 4), (4, 3))),
    "broadcast bias": (lambda x, b: ag.tanh(x + b).sum(), ((3, 4), (4,))),
    "x times x": (lambda x: (x * x).sum(), ((3,),)),
    "fan-out": (lambda x: (ag.exp(x) * x + x[0] - x.reshape(3, 1).sum()).mean(), ((3,),)),
    "matrix product": (lambda a, b: (a @ b * a).sum(), ((2, 2), (2, 2))),
    "joined": (lambda a, b: (ag.concatenate([a, b, a]) ** 2).sum(), ((2,), (3,))),
    "einsum": (lambda a, b: ag.einsum("ij,jk->ik", a, b).sum(), ((2, 3), (3, 2))),
    "large": (lambda a, b: ag.tanh(a @ b).sum(), ((20, 30), (30, 10))),
    "picked": (lambda x: (x[[0, 2, 2]] ** 2).sum() + ag.max(x), ((4,),)),
    "not a number": (lambda x: ag.softmax(x).sum(), ((2, 3),)),
}


def arrays(name: str) -> tuple[Any, list[ag.Tensor]]:
    f, shapes = ARRAYS[name]
    leaves = [leaf(RNG.standard_normal(s), f"p{i}") for i, s in enumerate(shapes)]
    return f(*leaves), leaves


def gradients(found: Steps) -> dict[str, Amount | None]:
    return {k: found.gradients[k] for k in found.learning}


def summed(found: Steps) -> dict[str, list[Any]]:
    """Add the contributions up, element by element, from nothing."""
    sums: dict[str, list[Any]] = {k: list(a.flat) for k, a in found.seeds.items() if a}
    for b in found.backward:
        assert b.contribution is not None
        before = sums.get(b.key)
        if b.before is not None:
            assert before == pytest.approx(b.before.flat, rel=1e-12)
        else:
            assert before is None
        old = before or [0.0] * len(b.contribution.flat)
        sums[b.key] = [p + q for p, q in zip(old, b.contribution.flat, strict=True)]
        assert b.after is not None
        assert sums[b.key] == pytest.approx(b.after.flat, rel=1e-12)
    return sums


def by_differences(f: Callable[..., Any], xs: list[Any], i: int, h: float = 1e-6) -> Any:
    out = np.zeros(np.shape(xs[i]))
    for at in np.ndindex(out.shape):
        ends = []
        for sign in (1, -1):
            moved = [np.array(x, float) for x in xs]
            moved[i][at] += sign * h
            ends.append(float(np.asarray(f(*moved))))
        out[at] = (ends[0] - ends[1]) / (2 * h)
    return out


# -- the sums are the gradients --------------------------------------------------------------------


@pytest.mark.parametrize("name", SCALAR)
def test_values_contributions_sum_to_the_gradient(name: str) -> None:
    f, at = SCALAR[name]
    xs = [Value(x, f"x{i}") for i, x in enumerate(at)]
    y = f(*xs)
    found = walk(y)
    assert found is not None
    assert found.complete
    sums = summed(found)
    y.backward()
    assert [gradients(found)[k].numbers for k in found.learning] == [  # type: ignore[union-attr]
        v.grad for v in sorted(xs, key=lambda v: found.learning.index(_key(found, v)))
    ]
    for b in found.backward:
        assert b.local is not None and b.upstream is not None and b.contribution is not None  # noqa: PT018
        product = b.local.numbers * b.upstream.numbers if b.upstream.numbers else 0.0  # 0 times infinity is 0
        assert product == pytest.approx(b.contribution.numbers, rel=1e-12)
    assert set(found.learning) <= set(sums)


def _key(found: Steps, v: Value) -> str:
    """Return the key of a leaf, which is told by its value: those of a test differ."""
    (key,) = [k for k in found.learning if found.given[k].numbers == v.data]  # type: ignore[union-attr]
    return key


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_contributions_sum_to_the_gradient(name: str) -> None:
    y, leaves = arrays(name)
    found = walk(y)
    assert found is not None
    assert found.complete
    y.backward()
    theirs = sorted(float(np.linalg.norm(t.grad)) for t in leaves)
    ours = sorted(a.norm for a in gradients(found).values() if a)
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-15)
    assert walk(y).learning == found.learning  # type: ignore[union-attr]
    if all(t.size <= 16 for t in leaves) and all(f.value and f.value.numbers for f in found.forward):
        summed(found)


@pytest.mark.parametrize("name", ["xor", "softmax cross-entropy", "fan-out", "matrix product", "picked"])
def test_gradients_agree_with_differences(name: str) -> None:
    f, _ = ARRAYS[name]
    y, leaves = arrays(name)
    found = walk(y)
    assert found is not None
    xs = [t.data for t in leaves]
    for key in found.learning:
        value = np.array(found.given[key].numbers)  # type: ignore[union-attr]
        (i,) = [i for i, x in enumerate(xs) if x.shape == value.shape and np.array_equal(x, value)]
        ours = np.array(found.gradients[key].numbers)  # type: ignore[union-attr]
        np.testing.assert_allclose(ours, by_differences(f, xs, i), rtol=1e-6, atol=1e-8)


def test_the_lectures_loop() -> None:
    w1, w2, b1, w3, b2 = (Value(x) for x in (1.5, 2.0, 3.0, 2.5, -2.0))
    found = walk(full_loop(w1, w2, b1, w3, b2))
    assert found is not None
    at = {found.given[k].numbers: a.numbers for k, a in gradients(found).items()}  # type: ignore[union-attr]
    assert at == {1.5: 20.0, 2.0: -10.0, 3.0: 10.0, 2.5: 16.0, -2.0: 4.0}


@pytest.mark.parametrize("seed", range(25))
def test_random_graphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / (b * b + 1.0),
             lambda a, b: a.tanh(), lambda a, b: a.sin(), lambda a, b: b.sigmoid() * 2.0]  # fmt: skip

    def build(xs: list[Any]) -> Any:
        pool, choose = list(xs), np.random.default_rng(seed + 1000)
        for _ in range(12):
            a, b = (pool[choose.integers(len(pool))] for _ in range(2))
            pool.append(kinds[choose.integers(len(kinds))](a, b))
        return pool[-1] + pool[-2]

    numbers = rng.uniform(-1, 1, 3)
    for make in (lambda x: Value(float(x)), leaf):
        xs = [make(x) for x in numbers]
        y = build(xs)
        found = walk(y)
        assert found is not None
        assert found.complete
        sums = summed(found)
        y.backward()
        kept = [np.asarray(x.grad).item() for x in xs if x.grad is not None]
        for key in found.learning:
            assert sums[key][0] == pytest.approx(min(kept, key=lambda g: abs(g - sums[key][0])), rel=1e-12)
        for i, x in enumerate(xs):
            (grad,) = by_differences(lambda *v: build([Value(float(u)) for u in v]).data,
                                     list(numbers), i).ravel()[None].ravel(),  # fmt: skip
            assert float(x.grad or 0.0) == pytest.approx(float(np.ravel(grad)[0]), rel=1e-5, abs=1e-7)


def test_a_wrong_sum_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def double(self: Copy, raw: list[Any]) -> list[Any]:
        return [None if r is None else 2 * r for r in raw]

    monkeypatch.setattr(Copy, "fitted", double)
    text = r"\[step\] got contributions with sum \S+, expected the engine's \S+"
    with pytest.raises(GradientError, match=text):
        walk(Value(2.0) * Value(3.0) * Value(2.0))


# -- what each step says ---------------------------------------------------------------------------


def test_the_line_of_the_issue() -> None:
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    e = a * b
    e.label = "e"
    L = (e + c) * f
    text = Stepper(draw(L), walk(L)).text()
    assert "a=2.0 --(de/da = b = -3) x (dL/de = -2) = +6--> a.grad: 0 -> 6" in text.splitlines()


def test_two_edges_and_the_sum_of_their_contributions() -> None:
    x = Value(3.0, "x")
    found = walk(x * x)
    assert found is not None
    first, second = found.backward
    assert (first.slot, second.slot) == (0, 1)
    assert (first.part, first.parts, second.part, second.parts) == (1, 2, 2, 2)
    assert first.before is None
    assert [a.numbers for a in (first.after, second.before, second.after) if a] == [3.0, 3.0, 6.0]


def test_terms_behind_an_element() -> None:
    a, b = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([[5.0, 0.5], [7.0, -1.0]])
    g = np.array([[0.5, -1.0], [2.0, 3.0]])
    found = walk(((a @ b) * g).sum())
    assert found is not None
    (step,) = [s for s in found.backward if s.name == "matmul" and s.slot == 0]
    assert step.formula == "g b^T"
    assert step.terms is not None
    assert step.terms[1] == [(0, 0, 7.0), (0, 1, -1.0)]  # dL/da[0,1] = sum_k G[0,k] b[1,k]
    assert step.contribution is not None
    assert step.contribution.flat[1] == 0.5 * 7.0 + -1.0 * -1.0
    (row,) = [f for f in found.forward if f.name == "matmul"]
    assert row.terms is not None
    assert row.terms[1] == [(0, 0, 0.5), (0, 1, -1.0)]  # c[0,1] = sum_k a[0,k] b[k,1]


@pytest.mark.parametrize("name", [n for n in ARRAYS if n != "large"])
def test_all_terms_add_up(name: str) -> None:
    found = walk(arrays(name)[0])
    assert found is not None
    listed = 0
    for s in found.backward:
        if s.terms is not None and s.upstream and s.upstream.flat and s.contribution:
            sums = [sum(s.upstream.flat[j] * d for _, j, d in terms) for terms in s.terms]
            assert sums == pytest.approx(s.contribution.flat, rel=1e-12, abs=1e-15)
            listed += 1
    for f in found.forward:
        parts = [v.flat if v else [] for v in f.values]
        if f.terms is not None and f.value and f.value.flat and all(parts):
            assert [sum(parts[s][i] * d for s, i, d in terms) for terms in f.terms] == pytest.approx(
                f.value.flat, rel=1e-12, abs=1e-15)  # fmt: skip
    assert listed > 0


def test_local_derivative_of_an_elementwise_operation() -> None:
    x = leaf([0.5, -1.0])
    found = walk((ag.tanh(x) * np.array([2.0, 3.0])).sum())
    assert found is not None
    (step,) = [s for s in found.backward if s.name == "tanh"]
    assert step.local is not None
    assert step.local.numbers == pytest.approx((1 - np.tanh([0.5, -1.0]) ** 2).tolist())
    assert step.formula == "1 - y^2"


def test_full_numbers_up_to_sixteen_elements() -> None:
    for n in (16, 17):
        found = walk((leaf(np.arange(n)) ** 2).sum())
        assert found is not None
        (value,) = [found.given[k] for k in found.learning]
        assert value is not None
        assert value.shape == (n,)
        assert (value.numbers is None) == (n == 17)
        assert value.norm == pytest.approx(np.linalg.norm(np.arange(n)))


# -- what is gone ----------------------------------------------------------------------------------


def test_small_graphs_are_whole_after_backward() -> None:
    y, _ = arrays("xor")
    before = walk(y)
    y.backward()
    after = walk(y)
    assert before is not None
    assert after is not None
    assert after.complete
    assert after.backward == before.backward


def test_a_released_graph_says_what_is_missing() -> None:
    y, _ = arrays("large")
    y.backward()
    found = walk(y)
    assert found is not None
    assert not found.complete
    tanh, matmul = (next(s for s in found.backward if s.name == n) for n in ("tanh", "matmul"))
    assert tanh.note == "backward() has dropped the value of its result"
    assert tanh.contribution is None
    assert matmul.note == "the gradient that arrives here is not known"
    assert set(gradients(found).values()) == {None}
    assert next(s for s in found.backward if s.name == "sum").contribution is not None
    text = Stepper(draw(y), found).text()
    assert "--(backward() has dropped the value of its result)-->" in text


def test_values_given_fill_what_is_missing() -> None:
    y, leaves = arrays("large")
    node = y.node
    while node.primitive.name != "tanh":
        node = node.edges[0]
    values = {node: np.tanh(leaves[0].data @ leaves[1].data)}
    y.backward()
    found = walk(y, values=values)
    assert found is not None
    assert found.complete
    assert found.gradients[found.learning[0]].norm == pytest.approx(np.linalg.norm(leaves[0].grad))  # type: ignore[union-attr]


def test_new_parameters_are_not_used_for_old_gradients() -> None:
    w = leaf([1.0, 2.0], "w")
    y = (w * w).sum()
    y.backward()
    with ag.no_grad():
        w -= 0.1
    found = walk(y)
    assert found is not None
    assert not found.complete
    notes = {s.note for s in found.backward if s.name == "multiply"}
    assert notes == {"an input was written to after it was used"}
    product = next(f for f in found.forward if f.name == "multiply")
    assert product.values == [None, None]


@pytest.mark.parametrize("view", [False, True])
def test_values_written_over_are_not_used(view: bool) -> None:
    w = leaf([1.0, 2.0, 3.0], "w")
    part = w[:2] if view else w
    y = (part * part).sum()
    w.data *= 2.0  # into the memory that the product has kept
    w.version = ag.node.next_id()
    found = walk(y)
    assert found is not None
    assert not found.complete
    notes = {s.note for s in found.backward if s.name == "multiply"}
    assert notes == {"an input was written to after it was used"}
    product = next(f for f in found.forward if f.name == "multiply")
    assert product.values == [None, None]
    assert product.value is not None
    assert product.value.flat[:2] == [1.0, 4.0]
    assert [f.value for f in found.forward if f.name == "getitem"] == [None] * view


def test_a_rule_that_raises_is_told() -> None:
    @ag.primitive
    def broken(x: Any) -> Any:
        return x * 1.0

    def rule(g: Any, y: Any, x: Any) -> Any:
        raise RuntimeError("out of order")

    broken.defvjp(rule)
    found = walk(broken(leaf([1.0])).sum())
    assert found is not None
    assert found.backward[-1].note == "its rule raised RuntimeError: out of order"


def test_gradients_of_two_backwards_are_noted() -> None:
    x = leaf([1.0, 2.0], "x")
    y = (x * x).sum()
    y.backward(retain_graph=True)
    assert walk(y).notes == []  # type: ignore[union-attr]
    y.backward()
    (note,) = walk(y).notes  # type: ignore[union-attr]
    assert note == ("The .grad of {t0} is not what this one backward pass gives: another has added to it, "
                    "or changed it.")  # fmt: skip
    v = Value(3.0)
    z = v * v
    z.backward()
    assert walk(z).notes == []  # type: ignore[union-attr]
    z.backward()
    assert len(walk(z).notes) == 2  # type: ignore[union-attr]  # of v, and of z itself


def test_steps_begin_where_backward_began() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3.0
    y.backward(np.array([0.5, -1.0]))
    found = walk(y)
    assert found is not None
    assert found.gradients[found.learning[0]].numbers == [1.5, -3.0]  # type: ignore[union-attr]
    assert found.notes == ["The steps begin with the gradient that the last backward() began with."]


def test_nothing_to_step_through() -> None:
    assert walk(leaf(1.0)) is None
    assert walk(Value(1.0)) is None
    assert walk(ag.tensor([1.0]) * 2) is None
    with pytest.raises(GraphError, match=r"\[step\] got a graph in which nothing was computed"):
        Stepper(draw(leaf(1.0)), None)


def test_too_many_operations_are_refused() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    found = walk(y)
    assert found is not None
    assert not found.forward
    with pytest.raises(GraphError, match=rf"\[step\] got more than {MOST} operations.*draw\(part_of_it\)"):
        Stepper(draw(x), found)


def test_several_roots() -> None:
    x = leaf([1.0, 2.0])
    a = x * 2.0
    b = a * a
    found = walk((a, b))
    assert found is not None
    assert found.complete
    (first, *_) = [s for s in found.backward if s.key == found.roots[0]]
    assert (first.part, first.parts) == (2, 3)  # after the gradient that it begins with
    (key,) = found.learning
    assert found.gradients[key].numbers == [2 + 2 * 2 * 2.0, 2 + 2 * 2 * 4.0]  # type: ignore[union-attr]


# -- looking changes nothing -----------------------------------------------------------------------


def state(root: Any) -> list[Any]:
    """Return all that a graph holds: the objects themselves, and copies of the numbers."""
    out: list[Any] = []
    seen: set[int] = set()
    stack = [getattr(root, "edge", root)]
    while stack:
        thing = stack.pop()
        if thing is None or id(thing) in seen:
            continue
        seen.add(id(thing))
        names = type(thing).__slots__ if isinstance(thing, (Node, Value)) else ag.Tensor.__slots__
        for name in names:
            if name != "__weakref__":
                held = getattr(thing, name, None)
                out.append((name, held if isinstance(held, (float, int, bool, str)) else id(held)))
                if isinstance(held, np.ndarray):
                    out.append(held.tobytes())
        stack += list(getattr(thing, "edges", getattr(thing, "_inputs", ())))
    return out


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ARRAYS)
def test_walking_changes_nothing(name: str, after: bool) -> None:
    y, leaves = arrays(name)
    called: list[Any] = []
    leaves[0].register_hook(lambda g: called.append(g))
    y.node.hooks = [called.append]
    if after:
        y.backward()
        called.clear()
    before = state(y)
    assert walk(y) is not None
    assert state(y) == before
    assert called == []
    assert ag.is_grad_enabled()


@pytest.mark.parametrize("name", SCALAR)
def test_walking_changes_no_value(name: str) -> None:
    f, at = SCALAR[name]
    y = f(*[Value(x) for x in at])
    for _ in range(2):
        before = state(y)
        walk(y)
        assert state(y) == before
        y.backward()


def test_hooks_are_noted() -> None:
    x = leaf([1.0])
    y = x * 2.0
    y.register_hook(lambda g: 10 * g)
    z = y.sum()
    found = walk(z)
    assert found is not None
    assert found.notes == ["Hooks are not run here: the steps are the plain chain rule."]
    assert found.gradients[found.learning[0]].numbers == [2.0]  # type: ignore[union-attr]


def test_a_walked_graph_is_freed() -> None:
    def made() -> tuple[Stepper, list[Any]]:
        y, leaves = arrays("xor")
        return Stepper(draw(y), walk(y)), [weakref.ref(y.node), weakref.ref(leaves[0])]

    page, nodes = made()
    page.html()
    gc.collect()
    assert [r() for r in nodes] == [None, None]
    assert page.text()


def plain(x: Any) -> bool:
    if is_dataclass(x):
        return all(plain(getattr(x, f.name)) for f in fields(x))
    if isinstance(x, (list, tuple)):
        return all(map(plain, x))
    if isinstance(x, dict):
        return all(plain(k) and plain(v) for k, v in x.items())
    return x is None or type(x) in (str, float, int, bool)


@pytest.mark.parametrize("name", ARRAYS)
def test_steps_are_plain_data(name: str) -> None:
    assert plain(walk(arrays(name)[0]))


def test_later_keeps_no_graph_alive() -> None:
    y, _ = arrays("xor")
    take = later(y)
    found = take()
    assert found is not None
    assert found.complete
    gone = weakref.ref(y.node)
    del y
    gc.collect()
    assert gone() is None
    lost = take()
    assert lost is not None
    with pytest.raises(GraphError, match=r"\[step\] got a graph that is gone"):
        Stepper(draw(leaf(1.0)), lost)
    x = Value(3.0)
    assert later(x * x)() == walk(x * x)


def test_zero_and_infinity() -> None:
    x = leaf([0.0, 4.0])
    found = walk((ag.sqrt(x) * np.array([0.0, 1.0])).sum())
    assert found is not None
    (step,) = [s for s in found.backward if s.name == "sqrt"]
    assert step.local is not None
    assert step.contribution is not None
    assert step.local.flat[0] == math.inf
    assert step.contribution.flat == [0.0, 0.25]
    assert steps.walk is walk


def test_formulas_of_operations() -> None:
    x, w, b = leaf(np.ones((2, 3)), "x"), leaf(np.ones((3, 2)), "w"), leaf(np.ones(2), "b")
    L = (ag.tanh(x @ w + b).reshape(4) ** 2).sum()
    found = walk(L)
    assert found is not None
    said = {(s.name, s.slot): s for s in found.backward}
    assert said["matmul", 1].formula == "a^T g"
    assert said["add", 1].formula == "1"
    assert [s.slot for s in found.backward if s.summed] == [1]
    assert said["reshape", 0].formula == ""
    text = Stepper(draw(L), found).text()
    assert "--(G, summed over what was broadcast; G = dL/dv2 = norm " in text
    assert "--(G, put back where it came from; G = dL/dv4 = norm " in text
    assert "--(x^T G; G = dL/dv1 = norm " in text
    assert "--((1 - (v3)^2) G; G = dL/dv3 = norm " in text
