"""How a graph lives and dies: depth, memory, interruptions, threads, what is kept, and writing."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import signal
import sys
import threading
import weakref
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import Value
from autograd_core.node import SMALL, next_id

LARGE = 4 * SMALL  # elements: an array that backward releases
PACKAGE = str(Path(ag.__file__).parent)


def leaf(x, **kwargs):
    return ag.tensor(np.array(x, dtype=float), requires_grad=True, **kwargs)


def large(seed=0, shape=(LARGE,)):
    return leaf(np.random.default_rng(seed).uniform(0.5, 1.5, size=shape))


class Boom(Exception):
    pass


def failing(error=Boom, when="backward"):
    """An identity that raises: in its forward pass, or in its rule."""

    @ag.primitive(name="failing")
    def identity(x):
        if when == "forward":
            raise error
        return x + 0

    def rule(g, y, x):
        raise error

    return identity.defvjp(rule)


STOP, STOP_FORWARD = failing(), failing(when="forward")


@contextmanager
def reference_counting_only():
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# -- a million operations -------------------------------------------------------------------------


def test_a_million_operations_forward_backward_and_freed():
    with reference_counting_only():
        x = leaf(1.0)
        y = x
        for _ in range(500_000):
            y = -(y * 1.0)
        first = weakref.ref(y.node)
        y.backward()
        assert x.grad == 1  # an even number of signs
        del y
        assert first() is None


def test_deep_graphs_that_are_dropped_without_a_backward():
    with reference_counting_only():
        x = leaf(np.ones(3))
        y = x
        for _ in range(200_000):
            y = y + x
        last = weakref.ref(y.node)
        del y
        assert last() is None


@pytest.mark.parametrize("reader", ["grad", "create_graph", "jvp", "value", "vjp"])
def test_every_reader_goes_deep_without_recursion(reader):
    n = 50_000
    assert n > 10 * sys.getrecursionlimit()

    def chain(x):
        y = x
        for _ in range(n):
            y = y + 1e-6 * x
        return y * x

    slope = 2 * (1 + n * 1e-6)
    with reference_counting_only():
        if reader == "grad":
            assert ag.grad(chain)(1.0) == pytest.approx(slope)
        elif reader == "vjp":
            assert ag.vjp(chain, 1.0)[1](2.0)[0] == pytest.approx(2 * slope)
        elif reader == "jvp":
            assert ag.jvp(chain, (1.0,), (1.0,))[1] == pytest.approx(slope)
        elif reader == "value":
            x = Value(1.0)
            chain(x).backward()
            assert x.grad == pytest.approx(slope)
        else:
            x = leaf(1.0)
            chain(x).backward(create_graph=True)
            first, x.grad = x.grad, None
            assert first.item() == pytest.approx(slope)
            first.backward()
            assert x.grad == pytest.approx(slope)


# -- nothing is left for the garbage collector ----------------------------------------------------


def step_backward():
    w, x = leaf(np.ones((4, 3))), np.ones((5, 4))
    loss = ((ag.tanh(x @ w) - 1.0) ** 2).mean()
    loss.backward()
    assert w.grad is not None


def step_dropped():
    w = leaf(np.ones(100))
    _ = (ag.exp(w) * w).sum()


def step_create_graph():
    w = leaf(np.ones(3))
    (w**3).sum().backward(create_graph=True)
    g, w.grad = w.grad, None
    (g * g).sum().backward()
    w.grad = None


def step_retain_grad():
    w = leaf(np.ones(100))
    h = ag.tanh(w)
    h.retain_grad()
    (h * h).sum().backward(retain_graph=True)
    assert h.grad is not None


def step_hooks():
    w = leaf(np.ones(3))
    h = w * 2
    seen = []
    h.register_hook(seen.append)
    remove = w.register_hook(lambda g: g * 2)
    h.sum().backward()
    remove()
    assert seen


def step_grad():
    ag.grad(lambda x: np.sum(np.sin(x) * x))(np.ones(3))


def step_value_and_grad_of_a_tree():
    tree = {"w": np.ones((2, 2)), "b": [np.ones(2), (1.0,)]}
    ag.value_and_grad(lambda p: np.sum(p["w"] @ p["b"][0]) * p["b"][1][0])(tree)


def step_third_order():
    ag.grad(ag.grad(ag.grad(lambda x: x**5)))(2.0)


def step_vjp_and_jvp():
    _, pullback = ag.vjp(np.tanh, np.ones(3))
    pullback(np.ones(3))
    ag.jvp(lambda x: np.sum(np.exp(x)), (np.ones(3),), (np.ones(3),))


def step_matrices():
    x = np.ones(3)
    for mode in ("forward", "reverse"):
        ag.jacobian(np.tanh, mode=mode)(x)
    ag.hessian(lambda x: np.sum(x**3))(x)
    ag.hvp(lambda x: np.sum(x**3), (x,), (x,))


def step_gradient_penalty():
    w = leaf(np.ones(3))
    g = ag.grad(lambda x: (ag.tanh(w * x)).sum())(np.ones(3))
    (g * g).sum().backward()
    assert w.grad is not None


def step_nested_modes():
    ag.jvp(lambda x: x * ag.grad(lambda y: x * y * y)(x), (3.0,), (1.0,))
    ag.grad(lambda x: ag.jvp(lambda y: x * y, (x,), (1.0,))[1])(3.0)


def step_shapes():
    w = leaf(np.ones((4, 3)))
    parts = np.split(np.concatenate([w, w.T.reshape(4, 3)]), 2)
    y = np.stack(parts)[:, [0, 0, 1]].sum(axis=(0, 2)) + sum(row.max() for row in w)
    np.einsum("i,i->", y, y).backward()


def step_in_place():
    w = leaf(np.ones(3))
    y = w * 2
    y += w
    y.sum().backward()
    with ag.no_grad():
        w -= 0.1 * w.grad


def step_copies():
    w = leaf(np.ones(3), name="w")
    pickle.loads(pickle.dumps(w))
    copy.deepcopy(w)
    repr(w * 2)


def step_values():
    a, b = Value(1.0, "a"), Value(2.0)
    ((a * b).tanh() + a / b).backward()


def step_rule_raises():
    w = leaf(np.ones(3))
    with suppress(Boom):
        (STOP(w) * w).sum().backward()


def step_forward_raises():
    w = leaf(np.ones(3))
    with suppress(Boom):
        ag.grad(lambda x: (STOP_FORWARD(x * w)).sum())(np.ones(3))


def step_create_graph_raises():
    w = leaf(np.ones(3))
    with suppress(Boom):
        (STOP(w) * w).sum().backward(create_graph=True)


def step_hook_raises():
    def hook(g):
        raise Boom

    w = leaf(np.ones(3))
    y = w * w
    y.register_hook(hook)
    with suppress(Boom):
        y.sum().backward()


def step_misuse():
    w = leaf(np.ones((2, 3)))
    y = (w * w).sum()
    y.backward()
    for call in (
        y.backward,
        lambda: w @ w,
        lambda: (w * 2).backward(),
        lambda: np.asarray(w),
        lambda: np.linalg.svd(w),
        lambda: ag.tensor([1], requires_grad=True),
        lambda: ag.grad(lambda x: x)(np.ones(2)),
        lambda: ag.jvp(np.sin, (1.0,), (np.ones(2),)),
    ):
        try:
            call()
        except (RuntimeError, TypeError, ValueError):
            pass
        else:
            raise AssertionError


STEPS = [f for name, f in sorted(globals().items()) if name.startswith("step_")]


@pytest.mark.parametrize("step", STEPS, ids=lambda f: f.__name__[5:])
def test_nothing_is_left_for_the_garbage_collector(step):
    step()  # once for what Python and NumPy cache
    with reference_counting_only():
        step()
        step()
        try:
            gc.set_debug(gc.DEBUG_SAVEALL)
            found = gc.collect()
            left = [f"{type(x).__name__}: {str(x)[:80]}" for x in gc.garbage]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert found == 0, left


def test_that_test_sees_a_cycle():
    def step():
        w = leaf(np.ones(3))
        y = w * 2
        y.register_hook(lambda g: print(y))  # a hook of the user's that holds its own Tensor

    with reference_counting_only():
        step()
        assert gc.collect() > 0


def test_a_graph_is_freed_when_its_result_is():
    with reference_counting_only():
        w = leaf(np.ones(3))
        h = ag.exp(w)
        y = ag.tanh(h * 2).sum()
        nodes = [weakref.ref(t.node) for t in (h, y)]
        del h
        assert all(node() is not None for node in nodes)  # y's graph needs it
        del y
        assert all(node() is None for node in nodes)


def test_nothing_refers_downstream():
    with reference_counting_only():
        w = leaf(np.ones(3))
        h = ag.exp(w)
        y = ag.sin(h)
        node, result = weakref.ref(y.node), weakref.ref(y)
        y.register_hook(lambda g: None)
        y.retain_grad()
        y.sum().backward(retain_graph=True)
        del y
        assert node() is None
        assert result() is None
        assert h.node is not None


# -- memory is flat -------------------------------------------------------------------------------


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def growth(step, steps, warm):
    """How many memory blocks and resident bytes ``steps`` steps leave behind."""
    with reference_counting_only():
        for i in range(warm):
            step(i)
        assert gc.collect() == 0
        blocks, bytes_ = sys.getallocatedblocks(), resident()
        for i in range(steps):
            step(i)
        grown = resident() - bytes_
        assert gc.collect() == 0  # finds nothing, but empties Python's free lists
        return sys.getallocatedblocks() - blocks, grown


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="reads /proc, which this system does not have"
)


@needs_proc
def test_memory_is_flat_over_100_000_steps():
    w, b = leaf([1.0, -1.0]), leaf(0.5)
    x = np.array([0.3, 0.7])

    def step(i):
        y = ag.tanh(w * x).sum() + b
        if i % 4 == 1:  # half-way through the backward pass
            with suppress(Boom):
                (STOP(w).sum() + y).backward()
        elif i % 4 == 2:  # half-way through the forward pass
            with suppress(ValueError):
                y + np.ones(3) @ w
        else:
            w.grad = b.grad = None
            y.backward()

    blocks, bytes_ = growth(step, 100_000, 2_000)
    assert abs(blocks) < 50
    assert bytes_ < 2e6


@needs_proc
@pytest.mark.parametrize("kind", ["mlp", "transforms", "create_graph"])
def test_memory_is_flat_over_steps_of_a_heavier_kind(kind):
    r = np.random.default_rng(0)
    w1, w2 = leaf(r.normal(size=(64, 32))), leaf(r.normal(size=(32, 10)))
    x = r.normal(size=(100, 64))

    def step(i):
        if kind == "mlp":
            w1.grad = w2.grad = None
            loss = (ag.tanh(x @ w1) @ w2).mean()
            if i % 3 == 0:
                return  # a graph that is dropped
            loss.backward(retain_graph=i % 2 == 0)
        elif kind == "transforms":
            v = np.ones(3)
            ag.hvp(lambda v: np.sum(v**3), (v,), (v,))
            ag.grad(lambda v: np.sum(ag.grad(lambda u: np.sum(np.sin(u * v)))(v)))(v)
        else:
            w1.grad = None
            (w1 * w1 * w1).sum().backward(create_graph=True)
            g, w1.grad = w1.grad, None
            g.sum().backward()

    blocks, bytes_ = growth(step, 1_000, 100)
    assert abs(blocks) < 50
    assert bytes_ < 4e6


# -- interruptions --------------------------------------------------------------------------------


def interrupted_setup():
    """Leaves with old gradients, a loss, and what each ``.grad`` may be: old or new, in full."""
    r = np.random.default_rng(1)
    leaves = [leaf(r.normal(size=n)) for n in (3, LARGE, 3)]
    a, b, c = leaves
    old = [r.normal(size=t.shape) for t in leaves]

    def loss():
        return (ag.tanh(a * 2.0 + c).sum() * (b * b).sum() + ag.exp(c)[0]) * a[1]

    loss().backward()
    new = [o + t.grad for o, t in zip(old, leaves, strict=True)]
    return leaves, loss, old, new


def reset(leaves, old):
    for t, o in zip(leaves, old, strict=True):
        t.grad = o.copy()


def whole(leaves, old, new):
    """Say for each leaf whether its gradient is the old or the new one; anything else fails."""
    states = []
    for t, o, n in zip(leaves, old, new, strict=True):
        is_old, is_new = np.array_equal(t.grad, o), np.allclose(t.grad, n, rtol=1e-12, atol=0)
        assert is_old or is_new, "a gradient is half-way between old and new"
        states.append(is_new)
    return states


def test_an_interrupt_inside_a_rule_changes_no_gradient():
    leaves, loss, old, new = interrupted_setup()
    for position in range(3):
        reset(leaves, old)
        y = loss() + failing(KeyboardInterrupt)(leaves[position]).sum()
        with pytest.raises(KeyboardInterrupt):
            y.backward()
        assert whole(leaves, old, new) == [False] * 3


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("where", ["leaf", "node"])
def test_an_interrupt_inside_a_hook_changes_no_gradient(where, create_graph):
    def hook(g):
        raise KeyboardInterrupt

    for position in range(3):
        leaves, loss, old, new = interrupted_setup()
        reset(leaves, old)
        if where == "leaf":
            leaves[position].register_hook(hook)
            y = loss()
        else:
            h = leaves[position] * 1.0
            h.register_hook(hook)
            y = loss() + h.sum()
        with pytest.raises(KeyboardInterrupt):
            y.backward(create_graph=create_graph)
        assert whole(leaves, old, new) == [False] * 3
        assert ag.is_grad_enabled()


@pytest.mark.parametrize("create_graph", [False, True])
def test_an_interrupt_at_every_instruction_of_a_backward(create_graph):
    """Raise at the k-th instruction that the library runs, for every k until backward is done."""
    leaves, loss, old, new = interrupted_setup()
    stride, seen, k = (11 if create_graph else 5), set(), 1

    def run(limit):
        count = 0

        def trace(frame, event, arg):
            nonlocal count
            if not frame.f_code.co_filename.startswith(PACKAGE):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                count += 1
                if count == limit:
                    raise KeyboardInterrupt
            return trace

        y = loss()
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            y.backward(create_graph=create_graph)
        finally:
            sys.settrace(before)

    while True:
        reset(leaves, old)
        try:
            run(k)
        except KeyboardInterrupt:
            pass
        else:
            break
        plain = [t.grad if isinstance(t.grad, np.ndarray) else t.grad.numpy() for t in leaves]
        for t, g in zip(leaves, plain, strict=True):
            t.grad = np.array(g)
        seen.add(tuple(whole(leaves, old, new)))
        assert ag.is_grad_enabled()
        k += stride
    assert k > 300
    assert (False, False, False) in seen


def test_an_interrupt_at_the_writing_of_gradients_leaves_each_whole():
    leaves, loss, old, new = interrupted_setup()
    states, k, interrupted = set(), 0, True
    while interrupted:  # at every instruction of the last step
        reset(leaves, old)
        y, count, interrupted = loss(), 0, False
        k += 1

        def trace(frame, event, arg):
            nonlocal count
            if frame.f_code.co_name != "accumulate":
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                count += 1
                if count == k:  # noqa: B023
                    raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            y.backward()
        except KeyboardInterrupt:
            interrupted = True
        finally:
            sys.settrace(before)
        states.add(tuple(whole(leaves, old, new)))
    assert k > 50
    assert (False,) * 3 in states
    assert (True,) * 3 in states


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer (POSIX)")
def test_real_signals_at_random_moments():
    leaves, loss, old, new = interrupted_setup()
    rand, armed, hits = random.Random(0), False, 0

    def handler(number, frame):
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(3_000):
            reset(leaves, old)
            y = loss()
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, rand.uniform(1e-6, 3e-4))
                y.backward()
                armed = False
            except KeyboardInterrupt:
                hits += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            armed = False
            whole(leaves, old, new)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert hits > 100
    assert ag.is_grad_enabled()


def test_a_signal_raised_inside_a_hook():
    def handler(number, frame):
        raise KeyboardInterrupt

    leaves, loss, old, new = interrupted_setup()
    reset(leaves, old)
    before = signal.signal(signal.SIGINT, handler)
    try:
        y = loss()
        y.register_hook(lambda g: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            y.backward()
    finally:
        signal.signal(signal.SIGINT, before)
    assert whole(leaves, old, new) == [False] * 3


def test_after_an_interrupt_a_retained_graph_still_gives_its_gradient():
    w = large()
    y = (ag.tanh(w) * w).sum()
    interrupt = [True]

    def hook(g):
        if interrupt:
            interrupt.pop()
            raise KeyboardInterrupt

    w.register_hook(hook)
    with pytest.raises(KeyboardInterrupt):
        y.backward(retain_graph=True)
    assert w.grad is None
    y.backward()
    t = np.tanh(w.numpy())
    np.testing.assert_allclose(w.grad, (1 - t * t) * w.numpy() + t)


# -- threads --------------------------------------------------------------------------------------


def in_threads(*functions):
    """Run functions at once, switching often; give their results and raise their errors."""
    results, errors = [None] * len(functions), []
    start = threading.Barrier(len(functions))

    def run(i, f):
        try:
            start.wait()
            results[i] = f()
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=x) for x in enumerate(functions)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]
    return results


def train(seed, steps=150):
    r = np.random.default_rng(seed)
    w1, w2 = leaf(r.normal(size=(6, 8))), leaf(r.normal(size=(8, 2)))
    x, t = r.normal(size=(20, 6)), r.normal(size=(20, 2))
    for _ in range(steps):
        w1.grad = w2.grad = None
        ((ag.tanh(x @ w1) @ w2 - t) ** 2).mean().backward()
        with ag.no_grad():
            w1 -= 0.1 * w1.grad
            w2 -= 0.1 * w2.grad
    return w1.numpy().copy(), w2.numpy().copy()


def test_two_threads_train_at_once_as_if_alone():
    alone = [train(0), train(1)]
    for _ in range(3):
        together = in_threads(lambda: train(0), lambda: train(1))
        for a, b in zip(alone, together, strict=True):
            for p, q in zip(a, b, strict=True):
                np.testing.assert_array_equal(p, q)


def test_transforms_in_two_threads_do_not_meet():
    def reverse():
        return [ag.grad(ag.grad(lambda x: x**4))(float(i)) for i in range(200)]

    def forward():
        def second(x):
            return ag.jvp(lambda y: ag.jvp(lambda z: z**4, (y,), (1.0,))[1], (x,), (1.0,))[1]

        return [second(float(i)) for i in range(200)]

    wanted = [12.0 * i * i for i in range(200)]
    a, b = in_threads(reverse, forward)
    assert a == pytest.approx(wanted)
    assert b == pytest.approx(wanted)


def test_threads_share_weights_that_they_only_read():
    w = leaf(np.arange(1.0, 4.0))

    def use(k):
        def f():
            return [ag.grad(lambda x: (w.detach() * x**k).sum())(np.ones(3)) for _ in range(200)]

        return f

    for k, gradients in enumerate(in_threads(use(1), use(2), use(3)), start=1):
        for g in gradients:
            np.testing.assert_array_equal(g, k * np.arange(1.0, 4.0))


def test_a_graph_made_in_one_thread_runs_backward_in_another():
    w = leaf(3.0)
    y = w * w
    in_threads(y.backward)
    assert w.grad == 6


def test_no_grad_is_per_thread():
    w = leaf(1.0)
    inside, done = threading.Event(), threading.Event()

    def silent():
        with ag.no_grad():
            inside.set()
            assert done.wait(10)
            return (w * 2).requires_grad

    def recording():
        assert inside.wait(10)
        try:
            return (w * 2).requires_grad, ag.is_grad_enabled()
        finally:
            done.set()

    assert in_threads(silent, recording) == [False, (True, True)]


def test_a_thread_started_inside_no_grad_records():
    w = leaf(1.0)
    with ag.no_grad():
        assert in_threads(lambda: (w * 2).requires_grad) == [True]


# -- one backward per graph -----------------------------------------------------------------------


def test_a_second_backward_raises_and_names_retain_graph():
    w = large()
    y = ag.exp(w).sum()
    y.backward()
    first = w.grad.copy()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()
    np.testing.assert_array_equal(w.grad, first)


def test_a_second_backward_raises_for_small_and_linear_graphs_too():
    for f in (lambda w: w * w, lambda w: w + w, lambda w: w.sum()):
        w = leaf(2.0)
        y = f(w)
        y.backward()
        with pytest.raises(ag.GraphError, match="retain_graph=True"):
            y.backward()


def test_a_shared_part_that_was_released_raises_and_changes_nothing():
    w, v = large(), large(1)
    h = ag.exp(w)
    a, b = (h * 2.0).sum(), (h * v).sum()
    a.backward()
    before = w.grad.copy()
    with pytest.raises(ag.GraphError, match="retain_graph"):
        b.backward()
    np.testing.assert_array_equal(w.grad, before)
    assert v.grad is None


def test_with_retain_graph_the_gradients_add():
    w = large()
    y = (w * w).sum()
    for times in (1, 2, 3):
        y.backward(retain_graph=True)
        np.testing.assert_allclose(w.grad, times * 2 * w.numpy())
    y.backward()
    np.testing.assert_allclose(w.grad, 4 * 2 * w.numpy())
    with pytest.raises(ag.GraphError):
        y.backward()


def test_gradients_accumulate_across_graphs():
    w = leaf([1.0, 2.0])
    for times in (1, 2, 3):
        (w * 3.0).sum().backward()
        assert w.grad.tolist() == [3.0 * times] * 2


def test_create_graph_retains_by_default():
    w = leaf(2.0)
    y = w * w * w
    y.backward(create_graph=True)
    y.backward(create_graph=True)
    assert w.grad.item() == 24


# -- what is kept, and until when -----------------------------------------------------------------


def test_large_saved_arrays_are_freed_as_backward_goes():
    with reference_counting_only():
        w = large()
        a = ag.exp(w)
        b = ag.exp(a * 0.1)
        c = ag.exp(b * 0.1)
        saved = {"b": weakref.ref(b.data), "c": weakref.ref(c.data), "a": weakref.ref(a.data)}
        during = {}
        a.register_hook(lambda g: during.update({k: r() is not None for k, r in saved.items()}))
        y = c.sum()
        del a, b, c
        assert all(r() is not None for r in saved.values())
        y.backward()
        assert during == {"a": True, "b": False, "c": False}  # a's rule has yet to read it
        assert all(r() is None for r in saved.values())
        assert y.requires_grad  # while the result is still held


def test_retain_graph_keeps_them():
    w = large()
    a = ag.exp(w)
    saved = weakref.ref(a.data)
    y = a.sum()
    del a
    y.backward(retain_graph=True)
    assert saved() is not None


@pytest.mark.parametrize(("size", "stays"), [(1, True), (SMALL, True), (SMALL + 1, False)])
def test_small_arrays_stay_with_their_node(size, stays):
    w = leaf(np.ones(size))
    a = ag.exp(w)
    b = ag.sin(a)  # saves its input
    inner = a.node
    output, values = weakref.ref(b.data), weakref.ref(a.data)
    y = b.sum()
    del a, b
    y.backward()
    assert (values() is not None) == stays
    assert (output() is not None) == stays
    assert (inner.output is not None) == stays
    assert (inner.grad is not None) == stays
    if stays:
        np.testing.assert_allclose(inner.output, np.exp(np.ones(size)))
        np.testing.assert_allclose(inner.grad, np.cos(np.exp(np.ones(size))))


def test_gradients_are_dropped_once_used():
    with reference_counting_only():
        w = large()
        a = ag.sin(w)
        b = ag.sin(a)
        c = ag.sin(b)
        gradients = []
        later = []
        c.register_hook(lambda g: gradients.append(weakref.ref(g)))
        b.register_hook(lambda g: gradients.append(weakref.ref(g)))
        a.register_hook(lambda g: later.extend(r() is None for r in gradients))
        y = c.sum()
        y.backward()
        assert later == [True, True]


SAVES = {  # operation: (is its input's array kept, is its output's)
    "tanh": (ag.tanh, False, True),
    "exp": (ag.exp, False, True),
    "sigmoid": (ag.sigmoid, False, True),
    "sqrt": (ag.sqrt, False, True),
    "relu": (ag.relu, False, True),
    "softmax": (ag.softmax, False, True),
    "sin": (ag.sin, True, False),
    "log": (ag.log, True, False),
    "square": (ag.square, True, False),
    "power": (lambda x: x**4, True, False),
    "negative": (lambda x: -x, False, False),
    "add": (lambda x: x + 1.0, False, False),
    "add itself": (lambda x: x + x, False, False),
    "add data": (lambda x: x + np.ones(LARGE), False, False),
    "subtract": (lambda x: 1.0 - x, False, False),
    "times a number": (lambda x: x * 2.0, False, False),
    "times data": (lambda x: np.ones(LARGE) * x, False, False),
    "by a number": (lambda x: x / 2.0, False, False),
    "matmul with data": (lambda x: np.ones((2, LARGE)) @ x, False, False),
    "sum": (lambda x: x.sum(), False, False),
    "mean": (lambda x: x.mean(), False, False),
    "reshape": (lambda x: x.reshape(2, -1), False, False),
    "index": (lambda x: x[::2], False, False),
    "fancy index": (lambda x: x[np.arange(100)], False, False),
    "concatenate": (lambda x: np.concatenate([x, x]), False, False),
    "cumsum": (lambda x: np.cumsum(x), False, False),
    "clip": (lambda x: np.clip(x, 0.6, 1.2), True, False),
    "astype": (lambda x: x.astype(np.float32), False, False),
}


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("way", ["backward", "transform"])
def test_an_operation_keeps_what_its_rule_needs_and_nothing_else(name, way):
    f, keeps_input, keeps_output = SAVES[name]
    with reference_counting_only():
        w = large()
        x = w * 1.0  # made by an operation, so that nobody else holds its array
        before = weakref.ref(x.data)
        y = f(x)
        after = weakref.ref(y.data)
        if way == "transform":  # the array and the bare path are declared alike
            assert y.requires_grad
        end = (y + 1.0).sum()
        del x, y
        assert (before() is not None) == keeps_input
        if end.size > SMALL or after() is None or after().size > SMALL:
            assert (after() is not None) == keeps_output
        end.backward()
        assert before() is None
        assert w.grad.shape == w.shape


def test_data_times_weights_does_not_keep_the_weights():
    x, w = np.random.default_rng(0).normal(size=(8, 20)), large(shape=(20, 10))
    y = x @ w
    assert y.node.inputs[1] is w
    assert y.node.inputs[0] is x
    with ag.no_grad():
        w += 1.0  # nobody needs the old values
    y.sum().backward()
    np.testing.assert_allclose(w.grad, np.tile(x.sum(0)[:, None], (1, 10)))


# -- only what is asked for is computed -----------------------------------------------------------

BINARY = {
    "add": ag.add, "subtract": ag.subtract, "multiply": ag.multiply, "divide": ag.divide,
    "power": ag.power, "maximum": ag.maximum, "minimum": ag.minimum, "hypot": ag.hypot,
    "arctan2": ag.arctan2, "logaddexp": ag.logaddexp, "matmul": ag.matmul,
}  # fmt: skip


@contextmanager
def spied(operation, monkeypatch):
    """Give the list of inputs whose rules are called."""
    prim, called = operation.primitive, []

    def spy(i, rule):
        def watched(g, y, *inputs, **params):
            called.append(i)
            return rule(g, y, *inputs, **params)

        return watched

    with monkeypatch.context() as patch:
        patch.setattr(prim, "rules", tuple(spy(i, r) for i, r in enumerate(prim.rules)))
        yield called


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("asked", [0, 1])
def test_the_rule_of_an_input_without_gradient_is_never_called(
    name, create_graph, asked, monkeypatch
):
    f, arrays = BINARY[name], [np.full((3, 3), 2.0), np.full((3, 3), 1.5)]
    for other in (np.asarray, ag.tensor):
        inputs = [leaf(a) if i == asked else other(a) for i, a in enumerate(arrays)]
        with spied(f, monkeypatch) as called:
            f(*inputs).sum().backward(create_graph=create_graph)
        assert set(called) == {asked}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("asked", [0, 1])
def test_transforms_call_only_the_rules_that_they_need(name, asked, monkeypatch):
    f, arrays = BINARY[name], [np.full((3, 3), 2.0), np.full((3, 3), 1.5)]
    with spied(f, monkeypatch) as called:
        ag.grad(lambda a, b: np.sum(f(a, b)), argnums=asked)(*arrays)
    assert called == [asked]
    other = leaf(arrays[1 - asked])  # requires grad, but grad() is not asked for its gradient
    inputs = [other, other]
    inputs[asked] = arrays[asked]
    with spied(f, monkeypatch) as called:
        ag.grad(lambda a, b: np.sum(f(a, b)), argnums=asked)(*inputs)
    assert called == [asked]


def test_a_branch_that_does_not_lead_to_the_input_is_not_walked(monkeypatch):
    w, x = leaf(np.ones(3)), np.ones(3)
    with spied(ag.exp, monkeypatch) as called:
        ag.grad(lambda x: np.sum(x * 2.0) + np.sum(ag.exp(w)))(x)
    assert called == []


def test_a_frozen_input_is_not_visited(monkeypatch):
    w, v = leaf(np.ones(3)), leaf(np.ones(3))
    h = ag.exp(v).detach()
    with spied(ag.exp, monkeypatch) as called:
        (w * h).sum().backward()
    assert called == []
    assert v.grad is None


# -- a leaf's gradient is its own memory ----------------------------------------------------------

SHARING = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "add twice": lambda a, b: a + a + b,
    "positive": lambda a, b: +a + b,
    "reshape": lambda a, b: a.reshape(3, 2).reshape(2, 3) + b,
    "transpose": lambda a, b: a.T.T + b.T.T,
    "concatenate": lambda a, b: np.concatenate([a, b]),
    "stack": lambda a, b: np.stack([a, b]),
    "index": lambda a, b: a[::-1] + b[:, ::-1],
    "flip": lambda a, b: np.flip(a) + b,
    "copy": lambda a, b: np.copy(a) + b,
    "astype": lambda a, b: a.astype(np.float64) + b,
    "broadcast": lambda a, b: np.broadcast_to(a, (4, 2, 3)) + b,
    "expand": lambda a, b: np.expand_dims(a, 0) + np.expand_dims(b, 0),
    "sum": lambda a, b: a.sum() + b.sum(),
    "mean": lambda a, b: a.mean(axis=0) + b.mean(axis=0),
    "sum of a row": lambda a, b: a.sum(axis=1, keepdims=True) + b,
    "cumsum": lambda a, b: np.cumsum(a, axis=0) + b,
    "where": lambda a, b: np.where(np.eye(2, 3) > 0, a, b),
    "split": lambda a, b: np.concatenate(np.split(a, 2) + np.split(b, 2)),
    "leaves alone": lambda a, b: a,
}


@pytest.mark.parametrize("name", SHARING)
def test_a_leafs_gradient_shares_memory_with_nothing(name):
    r = np.random.default_rng(0)
    a, b = leaf(r.normal(size=(2, 3))), leaf(r.normal(size=(2, 3)))
    y = SHARING[name](a, b)
    seed, seen = r.normal(size=y.shape), []
    for t in (a, b, y):
        t.register_hook(lambda g: seen.append(g))
    y.backward(seed)
    gradients = [t.grad for t in (a, b) if t.grad is not None]
    for i, g in enumerate(gradients):
        assert g.flags.writeable
        assert g.shape == (2, 3)
        assert min(g.strides) > 0
        for other in [a.data, b.data, y.data, seed, *seen, *gradients[:i]]:
            assert not np.shares_memory(g, other)


@pytest.mark.parametrize("name", SHARING)
def test_writing_into_a_gradient_that_is_a_tensor_changes_nothing_else(name):
    r = np.random.default_rng(0)
    a, b = leaf(r.normal(size=(2, 3))), leaf(r.normal(size=(2, 3)))
    y = SHARING[name](a, b)
    seed, seen = ag.tensor(r.normal(size=y.shape)), []
    for t in (a, b, y):
        t.register_hook(lambda g: seen.append(g))
    y.backward(seed, create_graph=True)
    others = [a, b, y, seed, *seen, *([b.grad] if b.grad is not None else [])]
    before = [t.numpy().copy() for t in others]
    with ag.no_grad():
        a.grad += 100.0
        a.grad[0] = 7.0
    for t, kept in zip(others, before, strict=True):
        np.testing.assert_array_equal(t.numpy(), kept)


def test_the_leaf_itself_as_the_result():
    w = leaf([1.0, 2.0])
    seed = np.array([3.0, 4.0])
    w.backward(seed)
    assert not np.shares_memory(w.grad, seed)
    w.backward(seed)
    assert w.grad.tolist() == [6, 8]
    assert seed.tolist() == [3, 4]


def test_two_leaves_never_hold_one_tensor():
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    (a + b).sum().backward(create_graph=True)
    assert a.grad is not b.grad
    a.grad *= 2
    assert b.grad.tolist() == [1, 1]


def test_a_gradient_tensor_given_by_the_user_is_not_adopted():
    w, seed = leaf([1.0, 2.0]), ag.tensor([3.0, 4.0], dtype=float)
    w.backward(seed, create_graph=True)
    assert w.grad is not seed
    w.grad += 1
    assert seed.tolist() == [3, 4]


def test_the_second_backward_does_not_write_into_what_hooks_kept():
    w, kept = leaf([1.0, 2.0]), []
    w.register_hook(kept.append)
    (w * 2).sum().backward()
    (w * 3).sum().backward()
    assert [g.tolist() for g in kept] == [[2, 2], [3, 3]]
    assert w.grad.tolist() == [5, 5]


def test_retained_gradients_are_copies():
    w = leaf([1.0, 2.0])
    h = w * 1.0
    h.retain_grad()
    seed = np.array([1.0, 1.0])
    h.backward(seed)
    assert not np.shares_memory(h.grad, seed)
    assert not np.shares_memory(h.grad, w.grad)


@pytest.mark.parametrize("name", SHARING)
def test_results_of_transforms_are_arrays_of_their_own(name):
    r = np.random.default_rng(0)
    a, b = r.normal(size=(2, 3)), r.normal(size=(2, 3))
    y, pullback = ag.vjp(SHARING[name], a, b)
    seed = np.ones(np.shape(y))
    gradients = pullback(seed)
    again = pullback(seed)
    arrays = [*gradients, *again]
    for i, g in enumerate(arrays):
        assert g.flags.writeable
        for other in (a, b, seed, *arrays[:i]):
            assert not np.shares_memory(g, other)


# -- writing --------------------------------------------------------------------------------------

NEEDS_W = {
    "multiply": lambda w: w * w,
    "matmul": lambda w: w @ w,
    "sin": ag.sin,
    "power": lambda w: w**4,
    "divide": lambda w: 1.0 / w / w,
    "maximum": lambda w: np.maximum(w, w.T),
    "einsum": lambda w: np.einsum("ij,jk->ik", w, w),
    "variadic": lambda w: np.clip(w, 0.0, 1.0),
    "transposed": lambda w: w.T * w.T,
    "row": lambda w: w[0] * w[1],
    "view of a view": lambda w: np.sin(w.T[1:].reshape(-1)),
    "broadcast": lambda w: np.broadcast_to(w, (2, 3, 3)) ** 2,
    "view and product": lambda w: w.T @ np.ones((3, 2)) * (w.T @ w)[:, :2],
    "positive": lambda w: np.square(+w),
    "float64 already": lambda w: np.square(w.astype(np.float64)),
}
NEEDS_NO_W = {
    "add": lambda w: w + 1.0,
    "times data": lambda w: w * np.full((3, 3), 2.0),
    "exp": ag.exp,
    "tanh": ag.tanh,
    "sum": lambda w: w.sum(),
    "index": lambda w: w[0],
    "data @ w": lambda w: np.ones((2, 3)) @ w,
    "mean": lambda w: w.mean(axis=0),
    "view": lambda w: w.T[0] * 2.0,
}


def raw_step(w):
    """Write into the array itself, with the write on record."""
    np.subtract(w.data, 0.1, out=w.data)
    w.version = next_id()


def optimizer_step(w):
    """As optimizers write."""
    with ag.no_grad():
        data = w.writable("step")
        np.subtract(data, 0.1, out=data)


def no_grad_step(w):
    with ag.no_grad():
        w -= 0.1


def no_grad_item(w):
    with ag.no_grad():
        w[0, 0] = 7.0


SAFE = [optimizer_step, no_grad_step, no_grad_item]


@pytest.mark.parametrize("write", [raw_step, *SAFE])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", NEEDS_W)
def test_a_write_between_forward_and_backward_is_safe_or_loud(name, create_graph, write):
    start = np.arange(1.0, 10.0).reshape(3, 3)
    w = leaf(start)
    y = NEEDS_W[name](w).sum()
    write(w)
    try:
        y.backward(create_graph=create_graph)
    except ag.GraphError:
        assert w.grad is None
    else:
        gradient = w.grad.numpy() if create_graph else w.grad
        wanted = ag.grad(lambda w: np.sum(NEEDS_W[name](w)))(start)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-12)
    w.grad = None
    NEEDS_W[name](w).sum().backward()  # forward again is the way out
    wanted = ag.grad(lambda w: np.sum(NEEDS_W[name](w)))(w.detach().numpy())
    np.testing.assert_allclose(w.grad, wanted, rtol=1e-12)


@pytest.mark.parametrize("write", [raw_step, *SAFE])
def test_a_write_after_a_transform_of_the_leaf(write):
    start = np.arange(1.0, 10.0).reshape(3, 3)
    for transform in (
        lambda w: ag.grad(lambda x: (x * x * x).sum())(w),
        lambda w: ag.vjp(lambda x: x * x * x, w)[1](np.ones((3, 3)))[0],
        lambda w: ag.jvp(lambda x: x * x * x, (w,), (np.ones((3, 3)),))[1],
    ):
        w = leaf(start)
        y = transform(w)
        np.testing.assert_allclose(y.numpy(), 3 * start**2)
        write(w)
        try:
            y.sum().backward()
        except ag.GraphError:
            continue
        np.testing.assert_allclose(w.grad, 6 * start)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ["multiply", "matmul", "sin", "einsum", "variadic"])
@pytest.mark.parametrize("write", [raw_step, optimizer_step])
def test_an_optimizers_write_before_backward_raises(write, name, create_graph):
    w = leaf(np.arange(1.0, 10.0).reshape(3, 3), name="weights")
    y = NEEDS_W[name](w).sum()
    write(w)
    with pytest.raises(RuntimeError, match=r"'weights'.*written to"):
        y.backward(create_graph=create_graph)
    assert w.grad is None


def view_without_recording(w):
    with ag.no_grad():
        return w.T


@pytest.mark.parametrize("write", SAFE)
@pytest.mark.parametrize(
    "share", [lambda w: w.detach(), lambda w: w.detach()[::-1], view_without_recording]
)
def test_a_write_into_a_leaf_whose_memory_a_constant_shares(share, write):
    start = np.arange(1.0, 10.0).reshape(3, 3)
    w, v = leaf(start), leaf(np.ones((3, 3)))
    wanted = share(leaf(start)).numpy().copy()
    y = (v * share(w)).sum()
    write(w)
    try:
        y.backward()
    except ag.GraphError:
        return
    np.testing.assert_array_equal(v.grad, wanted)


@pytest.mark.parametrize("write", SAFE)
@pytest.mark.parametrize("name", NEEDS_NO_W)
def test_a_write_that_no_rule_minds_is_allowed(name, write):
    start = np.arange(1.0, 10.0).reshape(3, 3)
    wanted = ag.grad(lambda w: np.sum(NEEDS_NO_W[name](w)))(start)
    w = leaf(start)
    y = NEEDS_NO_W[name](w).sum()
    write(w)
    y.backward()
    np.testing.assert_allclose(w.grad, wanted)


def test_the_usual_training_loop_never_raises():
    w = leaf(np.ones((3, 3)))
    for write in (raw_step, *SAFE) * 2:
        w.grad = None
        (w @ w).sum().backward()
        write(w)


def test_a_training_loop_writes_in_place():
    """Nobody else holds the memory after a backward: no copy is made."""
    w = large()
    before = w.data
    address = w.data.__array_interface__["data"]
    del before
    for write in (optimizer_step, no_grad_step):
        w.grad = None
        (w * w).sum().backward()
        write(w)
        assert w.data.__array_interface__["data"] == address


def test_a_write_in_no_grad_leaves_the_graph_its_values():
    w = leaf([1.0, 2.0])
    x = ag.tensor(np.array([3.0, 4.0]))
    y = (w * x).sum()
    x += 10.0  # a constant that the graph holds
    y.backward()
    assert w.grad.tolist() == [3, 4]
    assert x.tolist() == [13, 14]


def test_a_write_into_an_intermediate_result_leaves_the_graph_its_values():
    w = leaf([1.0, 2.0])
    h = ag.exp(w)
    y = (h * h).sum()
    with ag.no_grad():
        h *= 0.0
    y.backward()
    np.testing.assert_allclose(w.grad, 2 * np.exp(2 * w.numpy()))


def test_a_write_does_not_reach_the_array_that_the_user_gave():
    array = np.ones(3)
    w = leaf(array)
    with ag.no_grad():
        w += 1.0
    assert array.tolist() == [1, 1, 1]


VIEWS = {
    "slice": lambda t: t[:],
    "reshape": lambda t: t.reshape(1, 2, 2),
    "transpose": lambda t: t.T,
    "row": lambda t: t[0],
    "flip": lambda t: np.flip(t),
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("of", ["leaf", "detached", "result", "data"])
def test_a_write_through_a_view_is_safe_or_loud(name, of):
    start = np.arange(1.0, 5.0).reshape(2, 2)
    w = leaf(start)
    x = ag.tensor(start)
    with ag.no_grad():
        early = VIEWS[name]({"leaf": w, "detached": w.detach(), "data": x}.get(of, w))
    if of == "data":
        y, wanted = (w * x).sum(), start
    elif of == "result":
        h = ag.exp(w)
        early = VIEWS[name](h)
        y, wanted = (h * h).sum(), 2 * np.exp(2 * start)
    else:
        y, wanted = (w * w).sum(), 2 * start
    with ag.no_grad():
        early *= 0.0
    try:
        y.backward()
    except ag.GraphError:
        return
    np.testing.assert_allclose(w.grad, wanted)


@pytest.mark.parametrize("name", VIEWS)
def test_a_write_into_a_view_that_the_graph_itself_holds(name):
    w, x = leaf(np.ones((2, 2))), ag.tensor(np.full((2, 2), 3.0))
    part = VIEWS[name](x)
    y = (w * part).sum()
    part_gradient = np.full((2, 2), 3.0)
    part *= 0.0
    try:
        y.backward()
    except ag.GraphError:
        return
    np.testing.assert_allclose(w.grad, part_gradient)


@pytest.mark.parametrize(
    "write",
    [
        lambda w: w.__setitem__(0, 5.0),
        lambda w: w.__iadd__(1.0),
        lambda w: w.__isub__(1.0),
        lambda w: w.__imul__(2.0),
        lambda w: w.__itruediv__(2.0),
        lambda w: w.__iadd__(w * 2),
    ],
)
def test_writing_into_a_leaf_outside_no_grad_raises(write):
    w = leaf([1.0, 2.0])
    with pytest.raises(ag.GraphError, match=r"leaf that requires grad.*no_grad"):
        write(w)
    assert w.tolist() == [1, 2]
    assert w.version == 0
    with ag.no_grad():
        write(w)
    assert w.version > 0


# -- gradients of pieces ---------------------------------------------------------------------------


@pytest.mark.parametrize("leaf_first", [True, False])
@pytest.mark.parametrize("index", [0, -1, slice(1, 3), np.array([0, 0, 3]), (slice(None), 1), ...])
def test_pieces_and_whole_gradients_add_up(index, leaf_first):
    w = ag.tensor(np.random.default_rng(0).normal(size=(4, 3)), requires_grad=True)
    x = w if leaf_first else w * 1.0
    y = (x[index] ** 2).sum() + (x * 3.0).sum() + (2.0 * x[index]).sum() + x[1:].sum()
    y.backward()
    expected = np.full((4, 3), 3.0)
    expected[1:] += 1
    np.add.at(expected, index, 2 * w.data[index] + 2)
    np.testing.assert_allclose(w.grad, expected)


def test_a_loop_over_steps_makes_one_array_for_all_pieces(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("an array of the whole size for one piece")

    monkeypatch.setattr("autograd_core.ops.indexing.scatter", refuse)
    x = ag.tensor(np.ones((50, 2)), requires_grad=True)
    h = 0.0
    for t in range(50):
        h = np.tanh(x[t] + h)
    h.sum().backward()
    assert (x.grad[-1] > 0).all()
    assert x.grad.shape == (50, 2)


def test_the_gradient_of_a_piece_is_nobody_elses():
    x = ag.tensor(np.ones(3), requires_grad=True)
    g = np.array([1.0, 2.0, 3.0])
    x[...].backward(g)
    x[...].backward(g)
    assert g.tolist() == [1, 2, 3]
    assert x.grad.tolist() == [2, 4, 6]
    y = x * 1.0
    total = y.sum() + y[0] * 5.0  # the whole gradient comes first, and is a broadcast view
    total.backward()
    assert x.grad.tolist() == [8, 5, 7]
