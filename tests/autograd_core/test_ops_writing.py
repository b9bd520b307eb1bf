"""Writes into Tensors: item assignment, in-place operators, NumPy's functions that write, and views."""

from __future__ import annotations

import gc
import importlib
import operator
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_core as ag


def leaf(values: Any) -> ag.Tensor:
    return ag.tensor(np.array(values, dtype=float), requires_grad=True)


X = np.array([[0.3, -1.2, 0.7], [2.0, 0.1, -0.4], [0.9, 1.1, -2.0], [0.2, 0.4, 0.6]])
V = np.array([1.5, -0.5, 0.25])

# Each writes into a (4, 3) array a, with values of a (3,) array v; the same text in NumPy and PyTorch.
WRITES = {
    "element": lambda a, v: operator.setitem(a, (1, 2), v[0]),
    "row": lambda a, v: operator.setitem(a, 1, v),
    "negative": lambda a, v: operator.setitem(a, -1, v * v),
    "column": lambda a, v: operator.setitem(a, (slice(None), 0), v[1]),
    "slice": lambda a, v: operator.setitem(a, slice(1, 3), v),
    "step": lambda a, v: operator.setitem(a, slice(0, None, 2), v),
    "broadcast": lambda a, v: operator.setitem(a, ..., v),
    "leading axes": lambda a, v: operator.setitem(a, 0, v.reshape(1, 1, 3)),
    "number": lambda a, v: operator.setitem(a, (0, 0), 2.0),
    "rows": lambda a, v: operator.setitem(a, [0, 2], v),
    "places": lambda a, v: operator.setitem(a, ([0, 1, 3], [2, 0, 1]), v),
    "itself": lambda a, v: operator.setitem(a, slice(1, None), a[:-1] * 2.0),
    "add": lambda a, v: operator.iadd(a, v),
    "subtract": lambda a, v: operator.isub(a, v),
    "multiply": lambda a, v: operator.imul(a, v),
    "divide": lambda a, v: operator.itruediv(a, v),
    "power": lambda a, v: operator.ipow(a, 3),
    "add to a row": lambda a, v: operator.iadd(a[1], v),
    "row by itself": lambda a, v: operator.imul(a[1], a[2]),
    "two views": lambda a, v: (operator.imul(a[1:], v), operator.iadd(a[:2], a[2:])),
    "view of a view": lambda a, v: operator.setitem(a[1:][:, 1:], 0, v[:2]),
    "transposed": lambda a, v: operator.setitem(a.T, 0, v[0]),
    "reshaped": lambda a, v: operator.setitem(a.reshape(2, 2, 3), (0, 1), v),
}


def outcome(write: Any, x: Any, v: Any) -> Any:
    a = x * 1.0
    before = (a * a).sum()  # saves a, which the write must not change
    seen = a[1:3]
    write(a, v)
    return before + (a * a * a).sum() + (seen * 2.0).sum()


@pytest.mark.parametrize("name", WRITES)
def test_values_are_numpys_and_gradients_right_to_second_order(name: str) -> None:
    write = WRITES[name]
    x, v = leaf(X), leaf(V)
    np.testing.assert_allclose(outcome(write, x, v).item(), outcome(write, X.copy(), V), rtol=1e-14)
    ag.check_gradients(lambda x, v: outcome(write, x, v), X, V, order=2)


@pytest.mark.parametrize("name", sorted(WRITES.keys() - {"row by itself"}))  # it saved a[2], and refuses
def test_gradients_are_pytorchs(name: str) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    write = WRITES[name]
    x, v = leaf(X), leaf(V)
    outcome(write, x, v).backward()
    tx, tv = torch.tensor(X, requires_grad=True), torch.tensor(V, requires_grad=True)

    def theirs() -> Any:
        a = tx * 1.0
        before = (tx * tx).sum()  # PyTorch refuses what it saved and was written to since
        seen = a[1:3]
        write(a, tv)
        return before + (a * a * a).sum() + (seen * 2.0).sum()

    theirs().backward()
    np.testing.assert_allclose(x.grad, tx.grad.numpy(), rtol=1e-12)
    expected = np.zeros(3) if tv.grad is None else tv.grad.numpy()
    np.testing.assert_allclose(np.zeros(3) if v.grad is None else v.grad, expected, rtol=1e-12)


def test_masks_and_repeated_places() -> None:
    x, v = leaf(X), leaf(V)
    a = x * 1.0
    a[X > 0.5] = -1.0
    (a * a).sum().backward()
    np.testing.assert_array_equal(x.grad, np.where(X > 0.5, 0, 2 * X))
    a = ag.tensor(np.zeros(3))
    a[[0, 2, 0]] = v  # the last write to a place stays, and it alone has a gradient
    a.sum().backward()
    assert a.tolist() == [0.25, 0.0, -0.5]
    assert v.grad.tolist() == [0, 1, 1]


def test_a_constant_becomes_part_of_the_graph() -> None:
    w = leaf([2.0, 3.0])
    buffer = ag.tensor(np.zeros(4))
    assert not buffer.requires_grad
    buffer[1:3] = w * w
    assert buffer.requires_grad
    assert not buffer.is_leaf
    buffer.sum().backward()
    assert w.grad.tolist() == [4, 6]


def test_a_write_into_the_gradient_of_others_is_not_seen() -> None:
    """Backward hands one array of gradients to both sides of a sum; a write's rule may not spoil it."""
    x = leaf(np.ones((30, 4)))
    a, b = x * 1.0, x * 2.0
    a[0] = 0.0
    b[1] = 0.0
    ((a + b) * 3.0).sum().backward()
    expected = np.full((30, 4), 9.0)
    expected[0] -= 3
    expected[1] -= 6
    np.testing.assert_array_equal(x.grad, expected)
    seen = []
    c = x * 1.0
    c[0] = 0.0
    c.register_hook(seen.append)
    (c * 3.0).sum().backward()
    np.testing.assert_array_equal(seen[0], np.full((30, 4), 3.0))


def test_views_see_the_write_and_others_do_not() -> None:
    x = leaf(X)
    a = x * 1.0
    row, other, part, copied, detached = a[1], a[3], a[:, 1:], a.copy(), a.detach()
    a[1] = 5.0
    assert row.tolist() == [5, 5, 5]
    assert part[1].tolist() == [5, 5]
    assert other.tolist() == X[3].tolist()
    assert copied.tolist() == detached.tolist() == X.tolist()
    part += 1.0
    assert a[1].tolist() == [5, 6, 6]
    assert row.tolist() == [5, 6, 6]
    row.sum().backward()
    assert x.grad is None or not x.grad.any()
    flat = a.flatten()
    flat[0] = 100.0
    assert a[0, 0].item() == X[0, 0]  # flatten copies, ravel shows
    a.ravel()[0] = 100.0
    assert a[0, 0].item() == 100.0


def test_a_write_does_not_reach_the_arrays_a_tensor_was_made_of() -> None:
    plain = np.zeros(3)
    t, shared = ag.tensor(plain), ag.as_tensor(plain)
    t[0], shared[1] = 1.0, 2.0
    assert plain.tolist() == [0, 0, 0]
    assert ag.grad(lambda x: (x.__setitem__(0, 5.0), (x * x).sum())[1])(plain + 1).tolist() == [0, 2, 2]
    x = np.ones(3)
    ag.grad(lambda x: x.__imul__(2.0).sum())(x)
    assert x.tolist() == [1, 1, 1]


def test_leaves_that_require_grad_and_their_views_refuse() -> None:
    w = leaf(X)
    for t in (w, w[0], w.T, w.reshape(12)[2:]):
        with pytest.raises(ag.GraphError, match=r"leaf that requires grad.*no_grad"):
            t[0] = 1.0
        with pytest.raises(ag.GraphError, match="leaf that requires grad"):
            t += 1.0
    np.testing.assert_array_equal(w.numpy(), X)
    y = (w * w).sum()
    view = w[0]
    with ag.no_grad():
        view[0] = 10.0
    assert w[0, 0].item() == view[0].item() == 10.0
    with pytest.raises(ag.GraphError, match="written to after it was used"):
        y.backward()


def test_no_grad_writes_values_only() -> None:
    x = leaf(X)
    a = x * 1.0
    seen = a[1]
    with ag.no_grad():
        a[1] = x[0] * 7.0
        shown = a[2]
        shown *= 0.0
    np.testing.assert_array_equal(seen.numpy(), X[0] * 7)
    assert a[2].tolist() == [0, 0, 0]
    a.sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones((4, 3)))  # as if the values had always been these


def test_retained_gradients_and_hooks_are_of_the_values_they_were_asked_for() -> None:
    x = leaf(V)
    a = x * 2.0
    seen = []
    a.register_hook(lambda g: seen.append(g.copy()))
    a.retain_grad()
    a[0] = 7.0
    (a * a).sum().backward()
    assert a.grad.tolist() == [14, -2, 1]  # of a as it is now
    assert seen[0].tolist() == [0, -2, 1]  # of a as it was when the hook was set


def test_in_place_keeps_shape_and_dtype() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    a = x * 1.0
    a += np.ones(2)
    a[0] = np.float64(3.0)
    assert a.dtype == np.float32
    with pytest.raises(ValueError, match=r"in-place add\] got a result of shape \(2, 2\), expected \(2,\)"):
        a += np.ones((2, 2))
    with pytest.raises(ValueError, match=r"\[setitem\].*\(3,\)"):
        a[:] = np.ones(3)
    with pytest.raises(IndexError, match=r"\[setitem\].*out of bounds"):
        a[5] = 1.0
    whole = ag.tensor([1, 2])
    with pytest.raises(TypeError, match=r"in-place add\] got a result of dtype float64, expected.*int64"):
        whole += x
    assert a.tolist() == [3, 3]
    assert whole.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        ag.broadcast_to(a, (3, 2))[0] = 1.0


def test_loops_over_a_buffer_copy_it_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """u[t + 1] = f(u[t]) takes time linear in its steps: the buffer is written to as it is."""
    w = leaf(np.full(8, 0.5))
    u = ag.tensor(np.zeros((101, 8)))
    u[0] = 1.0
    memory = set()
    for t in range(100):
        u[t + 1] = u[t] + 0.1 * np.tanh(w * u[t])
        memory.add(id(u.data))
    assert len(memory) <= 2

    copies = []

    def counted(name: str) -> None:
        module, function = name.rsplit(".", 1)
        rule = getattr(importlib.import_module(module), function)
        monkeypatch.setattr(name, lambda *args, **kw: copies.append(name) or rule(*args, **kw))

    counted("autograd_core.ops.writing.setitem")
    counted("autograd_core.ops.indexing.scatter")
    u.backward(np.ones((101, 8)))
    assert len(copies) <= 1  # of the gradient that the user gave
    g = w.grad

    def listed(w: Any) -> Any:
        h, total = np.ones(8), 0.0
        for _ in range(100):
            h = h + 0.1 * np.tanh(w * h)
            total = total + h.sum()
        return total

    np.testing.assert_allclose(g, ag.grad(listed)(np.full(8, 0.5)), rtol=1e-12)


def test_views_keep_no_graph_and_no_view_alive() -> None:
    gc.disable()
    try:
        a = leaf(X) * 1.0
        node = weakref.ref(a.node)
        with ag.no_grad():
            kept = a[0]
        views = [weakref.ref(a[i]) for i in range(3)]
        del a
        assert node() is None
        assert all(v() is None for v in views)
        kept[0] = 1.0
        assert kept[0].item() == 1.0
        t = ag.tensor(np.zeros(3))
        for _ in range(1000):
            t[:2]
        assert len(t.extras["views"]) < 20
    finally:
        gc.enable()


# -- NumPy's functions that write ------------------------------------------------------------------

INDEX = np.array([[2], [0], [1], [1]])
NUMPYS = {
    "put_along_axis": lambda a, v: np.put_along_axis(a, INDEX, v[:1].reshape(1, 1), 1),
    "put_along_axis, flat": lambda a, v: np.put_along_axis(a, np.array([1, 5, -1]), v, None),
    "fill_diagonal": lambda a, v: np.fill_diagonal(a, v[0]),
    "fill_diagonal, wrap": lambda a, v: np.fill_diagonal(a, v, wrap=True),
    "fill_diagonal, wide": lambda a, v: np.fill_diagonal(a.T, v[:2]),
    "put": lambda a, v: np.put(a, [1, -1, 5, 7], v),
    "put, wrap": lambda a, v: np.put(a, [1, 15, -20], v, mode="wrap"),
    "put, clip": lambda a, v: np.put(a, [3, 15], v, mode="clip"),
    "place": lambda a, v: np.place(a, X > 0, v),
    "putmask": lambda a, v: np.putmask(a, X > 0, v),
    "copyto": lambda a, v: np.copyto(a, v),
    "copyto, where": lambda a, v: np.copyto(a, v, where=X > 0),
    "add.at": lambda a, v: np.add.at(a, ([0, 0, 3], [1, 1, 2]), v),
    "subtract.at": lambda a, v: np.subtract.at(a, [1, 1], v),
    "out": lambda a, v: np.multiply(a, v, out=a),
    "out of a row": lambda a, v: np.sin(v, out=a[2]),
}


@pytest.mark.parametrize("name", NUMPYS)
def test_numpys_functions_that_write(name: str) -> None:
    write = NUMPYS[name]
    plain = X.copy()
    write(plain, V)
    for record in (True, False):
        a = leaf(X) * 1.0 if record else ag.tensor(X)
        write(a, leaf(V) if record else ag.tensor(V))
        np.testing.assert_array_equal(a.numpy(), plain)

    def f(x: Any, v: Any) -> Any:
        a = x * 1.0
        write(a, v)
        return a

    ag.check_gradients(f, X, V, order=2)


def test_what_they_refuse() -> None:
    a, v = leaf(X) * 1.0, leaf(V)
    for call, kind, text in [
        (lambda: np.put(a, [12], v), IndexError, r"\[put\] got an index outside the 12 elements"),
        (lambda: np.put(a, [1], v, mode="round"), ValueError, "'raise', 'wrap' or 'clip'"),
        (lambda: np.put(a, [1], v[:0]), ValueError, "no values"),
        (lambda: np.place(a, [True], v), ValueError, r"\[place\] got a mask of shape \(1,\)"),
        (lambda: np.putmask(a, [True], v), ValueError, r"\[putmask\] got a mask of shape \(1,\)"),
        (lambda: np.fill_diagonal(v * 1.0, 1.0), ValueError, "at least 2 axes"),
        (lambda: np.fill_diagonal(ag.tensor(np.ones((2, 3, 2))), v), ValueError, "axes of one length"),
        (lambda: np.put_along_axis(a, np.array([1]), v, 1), ValueError, r"indices of 1 axes, expected 2"),
        (lambda: np.copyto(ag.tensor([1, 2, 3]), v), TypeError, "float64, expected what casts to int64"),
        (lambda: np.multiply.at(a, [0], v), TypeError, r"\[multiply.at\]"),
    ]:
        with pytest.raises(kind, match=text):
            call()
    np.testing.assert_array_equal(a.numpy(), X)
