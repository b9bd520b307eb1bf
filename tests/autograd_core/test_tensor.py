"""What people hold: how a Tensor is made, read, written, copied, hooked and asked for gradients."""

from __future__ import annotations

import asyncio
import copy
import math
import pickle
import threading

import numpy as np
import pytest

import autograd_core as ag


def leaf(x, dtype=np.float64, **kwargs):
    return ag.tensor(np.array(x, dtype=dtype), requires_grad=True, **kwargs)


# -- construction and dtypes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float32),
        ([1.0, 2.0], np.float32),
        ([[1.0], [2.0]], np.float32),
        (([1.0, 2.0], (3.0, 4.0)), np.float32),
        ([1, 2.5], np.float32),
        ([], np.float32),
        (3, np.int64),
        ([1, 2], np.int64),
        (True, np.bool),
        ([True, False], np.bool),
        (1j, np.complex128),
        (np.float64(1.0), np.float64),
        (np.float32(1.0), np.float32),
        (np.float16(1.0), np.float16),
        (np.ones(2), np.float64),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.float16), np.float16),
        (np.ones(2, np.int8), np.int8),
        (np.ones(2, bool), np.bool),
        ([np.ones(2), np.ones(2)], np.float64),
        ([np.float64(1.0), 2.0], np.float64),
        (range(3), np.int64),
    ],
)
def test_dtypes_of_construction(data, dtype):
    t = ag.tensor(data)
    assert t.dtype == dtype
    assert isinstance(t, ag.Tensor)
    np.testing.assert_array_equal(t.numpy(), np.array(data))


def test_a_dtype_that_is_asked_for():
    assert ag.tensor([1.0], dtype=np.float64).dtype == np.float64
    assert ag.tensor([1.0], dtype=float).dtype == np.float64
    assert ag.tensor([1], dtype=np.float32).dtype == np.float32
    assert ag.tensor([1.9], dtype=int).tolist() == [1]
    assert ag.tensor(np.ones(2), dtype="float32").dtype == np.float32


def test_construction_copies():
    array = np.ones(3)
    t = ag.tensor(array)
    array[0] = 5
    assert t.tolist() == [1, 1, 1]
    u = ag.tensor(t)
    with ag.no_grad():
        t += 1
    assert u.tolist() == [1, 1, 1]


def test_as_tensor_does_not_copy():
    array = np.ones(3)
    assert np.shares_memory(ag.as_tensor(array).data, array)
    t = ag.tensor([1.0])
    assert ag.as_tensor(t) is t
    assert ag.as_tensor(array, dtype=np.float32).dtype == np.float32
    assert ag.as_tensor([1.0]).dtype == np.float32
    w = leaf([1.0])
    ag.as_tensor(w, dtype=np.float32).sum().backward()
    assert w.grad.tolist() == [1]


def test_a_tensor_of_a_tensor_is_a_fresh_leaf():
    w = leaf([1.0])
    t = ag.tensor(w * 2)
    assert not t.requires_grad
    assert t.tolist() == [2]


def test_attributes_are_numpys():
    t = ag.tensor(np.zeros((2, 3)))
    assert (t.shape, t.ndim, t.size, t.dtype) == ((2, 3), 2, 6, np.float64)
    assert len(t) == 2
    assert t.T.shape == (3, 2)
    assert ag.tensor(np.zeros((4, 2, 3))).mT.shape == (4, 3, 2)


def test_a_name():
    assert ag.tensor(1.0).name is None
    t = ag.tensor(1.0, name="w")
    assert t.name == "w"
    t.name = "v"
    assert t.name == "v"


# -- requires_grad --------------------------------------------------------------------------------


def test_requires_grad_rules():
    t = ag.tensor([1.0])
    assert not t.requires_grad
    assert t.is_leaf
    assert not (t * 2).requires_grad
    t.requires_grad = True
    assert t.requires_grad
    assert t.is_leaf
    y = t * 2
    assert y.requires_grad
    assert not y.is_leaf
    assert (ag.tensor([1.0]) + y).requires_grad
    t.requires_grad = False
    assert not (t * 2).requires_grad
    assert y.requires_grad  # what was recorded stays recorded
    assert t.requires_grad_() is t
    assert t.requires_grad


def test_grad_fn_tells_what_made_it():
    w = leaf([1.0])
    assert w.grad_fn is None
    assert (w * 2).grad_fn.primitive.name == "multiply"
    assert (w * 2).detach().grad_fn is None


def test_a_frozen_leaf_gets_no_gradient():
    w, v = leaf([1.0]), leaf([2.0])
    w.requires_grad = False
    (w * v).sum().backward()
    assert w.grad is None
    assert v.grad.tolist() == [1]


def test_requires_grad_taken_away_after_recording_still_gets_one():
    w = leaf([3.0])
    y = (w * w).sum()
    w.requires_grad = False
    y.backward()
    assert w.grad.tolist() == [6]


def test_detach_shares_memory_and_stops_gradients():
    w = leaf([1.0, 2.0])
    h = w * 2
    d = h.detach()
    assert not d.requires_grad
    assert np.shares_memory(d.data, h.data)
    (d * w).sum().backward()
    assert w.grad.tolist() == [2, 4]


# -- out of the graph -----------------------------------------------------------------------------


def test_numpy_gives_the_array():
    t = ag.tensor([1.0, 2.0])
    assert type(t.numpy()) is np.ndarray
    assert np.shares_memory(t.numpy(), t.data)
    w = leaf([1.0, 2.0])
    for recorded in (w, w * 2):
        array = recorded.numpy()
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    w.detach().numpy()  # of a detached Tensor it is the array itself
    assert w.detach().numpy().flags.writeable


def test_item_and_tolist():
    w = leaf([[1.5, 2.5]])
    assert (w * 2).sum().item() == 8
    assert type(ag.tensor(3).item()) is int
    assert w.item(1) == 2.5
    assert w.item(0, 1) == 2.5
    assert w.tolist() == [[1.5, 2.5]]
    with pytest.raises(ValueError, match="size 1"):
        w.item()


def test_python_numbers():
    assert float(ag.tensor([1.5])) == 1.5
    assert int(ag.tensor(2.7)) == 2
    assert type(float(ag.tensor(1))) is float
    assert bool(ag.tensor(1.0)) is True
    assert bool(leaf(0.0)) is False
    assert math.sqrt(ag.tensor(4.0)) == 2
    assert [10, 20, 30][ag.tensor(1)] == 20
    with pytest.raises((TypeError, ValueError)):
        float(ag.tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf([1.0, 2.0]))
    with pytest.raises(TypeError):
        [10, 20][ag.tensor(1.0)]


def test_arrays_of_constants():
    t = ag.tensor([1.0, 2.0])
    assert np.asarray(t).tolist() == [1, 2]
    assert np.array([t, t]).shape == (2, 2)
    assert np.array(t, dtype=int).dtype == int
    copied = np.array(t)
    assert not np.shares_memory(copied, t.data)
    plain = np.zeros(2)
    plain[:] = t
    plain[0] = ag.tensor(7.0)
    plain += t
    assert plain.tolist() == [8, 4]
    assert type(plain) is np.ndarray


# -- as text --------------------------------------------------------------------------------------


def test_repr():
    assert repr(ag.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(ag.tensor(1)) == "tensor(1)"
    assert repr(ag.tensor(True)) == "tensor(True)"
    assert repr(ag.tensor(np.float64(1.5))) == "tensor(1.5, dtype=float64)"
    w = ag.tensor([1.0], requires_grad=True)
    assert repr(w) == "tensor([1.], requires_grad=True)"
    assert repr(w * 2) == "tensor([2.], grad_fn=<multiply>)"
    assert repr(leaf([1.0])) == "tensor([1.], dtype=float64, requires_grad=True)"
    assert repr(ag.tensor(np.zeros((2, 2)), dtype="f4")) == (
        "tensor([[0., 0.],\n        [0., 0.]])"
    )
    assert str(w) == repr(w)
    assert "..." in repr(ag.tensor(np.zeros(2000)))


def test_format():
    w = leaf(2.0)
    assert f"{w * 2:.3f}" == "4.000"
    assert f"{ag.tensor([1.5]):8.2e}" == "1.50e+00"
    assert f"{w * 2}" == repr(w * 2)
    assert f"{ag.tensor([1, 2])}" == "tensor([1, 2])"


def test_repr_of_a_parameter():
    text = repr(ag.Parameter([1.0, 2.0]))
    assert text.startswith("Parameter([1., 2.]")
    assert "float64" not in text


# -- iteration, length, indexing ------------------------------------------------------------------


def test_iteration_and_unpacking():
    w = leaf([[1.0, 2.0], [3.0, 4.0]])
    first, second = w
    (first * 10 + second).sum().backward()
    assert w.grad.tolist() == [[10, 10], [1, 1]]
    assert [r.tolist() for r in w] == w.tolist()
    assert len(w) == 2
    assert [list(r.shape) for r in reversed(w)] == [[2], [2]]
    assert 3.0 in w
    assert 7.0 not in w


def test_no_axes_no_iteration():
    t = leaf(1.0)
    with pytest.raises(TypeError, match="without axes"):
        iter(t)
    with pytest.raises(TypeError, match="without axes"):
        len(t)
    with pytest.raises(TypeError):
        _, _ = t


INDICES = {
    "number": 1,
    "negative": -1,
    "slice": slice(1, None),
    "step": slice(None, None, -2),
    "ellipsis": (..., 0),
    "new axis": (None, 1, None),
    "tuple": (1, 2),
    "list": [0, 2, 0],
    "array": np.array([[0, 1], [2, 2]]),
    "pairs": (np.array([0, 1, 0]), np.array([2, 2, 2])),
    "mixed": (slice(None), [0, 0, 3]),
    "mask": np.array([True, False, True]),
    "full mask": np.arange(12).reshape(3, 4) % 3 == 0,
    "empty": slice(0, 0),
    "numpy integer": np.int64(2),
    "grid": np.ix_([0, 2], [1, 1]),
    "tensor": ag.tensor([0, 2, 0]),
    "tensor mask": ag.tensor([True, False, True]),
    "tensor number": ag.tensor(1),
    "tensor slice": slice(ag.tensor(1), None),
    "tensors": (ag.tensor([0, 1]), slice(None), None),
}


@pytest.mark.parametrize("name", INDICES)
def test_indexing(name):
    index = INDICES[name]
    x = np.arange(12.0).reshape(3, 4)

    def values(i):
        if isinstance(i, tuple):
            return tuple(map(values, i))
        return i.numpy() if isinstance(i, ag.Tensor) else i

    w = leaf(x)
    y = w[index]
    np.testing.assert_array_equal(y.numpy(), x[values(index)])
    v = np.random.default_rng(0).normal(size=y.shape)
    y.backward(v)
    wanted = np.zeros((3, 4))
    np.add.at(wanted, values(index), v)
    np.testing.assert_allclose(w.grad, wanted)
    _, t = ag.jvp(lambda x: x[index], (x,), (2 * x,))
    np.testing.assert_array_equal(t, 2 * x[values(index)])


def test_indices_are_not_differentiated():
    w = leaf([3.0, 1.0, 2.0])
    order = np.argsort(w)
    assert type(order) is np.ndarray
    w[order][0].backward()
    assert w.grad.tolist() == [0, 1, 0]
    w.grad = None
    w[w > 1.5].sum().backward()
    assert w.grad.tolist() == [1, 0, 1]


# -- gradients through every spelling -------------------------------------------------------------

A, B = np.array([[0.5, 1.5], [2.0, 0.7]]), np.array([[1.1, 0.4], [0.9, 1.7]])

BINARY = {
    "+": (lambda a, b: a + b, np.add, lambda a, b: (1 + 0 * a, 1 + 0 * b)),
    "-": (lambda a, b: a - b, np.subtract, lambda a, b: (1 + 0 * a, -1 + 0 * b)),
    "*": (lambda a, b: a * b, np.multiply, lambda a, b: (b, a)),
    "/": (lambda a, b: a / b, np.divide, lambda a, b: (1 / b, -a / b**2)),
    "**": (lambda a, b: a**b, np.power, lambda a, b: (b * a ** (b - 1), a**b * np.log(a))),
    "@": (lambda a, b: a @ b, np.matmul,
          lambda a, b: (np.ones((2, 2)) @ b.T, a.T @ np.ones((2, 2)))),
    "%": (lambda a, b: a % b, np.remainder, lambda a, b: (1 + 0 * a, -np.floor(a / b))),
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
def test_every_spelling_of_an_operator(name):
    operator, ufunc, gradients = BINARY[name]
    da, db = gradients(A, B)

    def check(f, left, right):
        a = leaf(A) if left else None
        b = leaf(B) if right else None
        y = f(a, b)
        assert isinstance(y, ag.Tensor)
        np.testing.assert_allclose(y.numpy(), operator(A, B), rtol=1e-14)
        y.sum().backward()
        for t, d in ((a, da), (b, db)):
            if t is not None:
                np.testing.assert_allclose(t.grad, d, rtol=1e-12)

    for spelled in (operator, ufunc):
        check(lambda a, b: spelled(a, b), True, True)  # noqa: B023
        for other in (np.asarray, ag.tensor, np.ndarray.tolist):
            check(lambda a, b: spelled(a, other(B)), True, False)  # noqa: B023
            check(lambda a, b: spelled(other(A), b), False, True)  # noqa: B023


@pytest.mark.parametrize("name", [n for n in BINARY if n != "@"])
@pytest.mark.parametrize(
    "number", [2.0, 2, np.float64(2), np.float32(2), np.int64(2), np.array(2.0)]
)
def test_numbers_beside_tensors(name, number):
    operator, _, gradients = BINARY[name]
    a = leaf(A)
    y = operator(a, number)
    np.testing.assert_allclose(y.numpy(), operator(A, 2.0), rtol=1e-12)
    y.sum().backward()
    np.testing.assert_allclose(a.grad, gradients(A, 2.0 + 0 * A)[0], rtol=1e-12)
    b = leaf(B)
    y = operator(number, b)
    assert isinstance(y, ag.Tensor)
    np.testing.assert_allclose(y.numpy(), operator(2.0, B), rtol=1e-12)
    y.sum().backward()
    np.testing.assert_allclose(b.grad, gradients(2.0 + 0 * B, B)[1], rtol=1e-12)


@pytest.mark.parametrize(
    "f",
    [np.tanh, ag.tanh, lambda t: t.tanh(), lambda t: np.tanh(t[None])[0], lambda t: np.tanh(+t)],
)
def test_every_spelling_of_a_function(f):
    a = leaf(A)
    f(a).sum().backward()
    np.testing.assert_allclose(a.grad, 1 - np.tanh(A) ** 2, rtol=1e-12)


METHODS = {
    "sum": (lambda t: t.sum(axis=0), lambda t: np.sum(t, axis=0), lambda t: ag.sum(t, axis=0)),
    "mean": (lambda t: t.mean(1), lambda t: np.mean(t, 1), lambda t: ag.mean(t, axis=1)),
    "max": (lambda t: t.max(axis=-1, keepdims=True), lambda t: np.max(t, -1, keepdims=True)),
    "reshape": (lambda t: t.reshape(4), lambda t: np.reshape(t, 4), lambda t: t.reshape((-1,)),
                lambda t: t.reshape(-1), lambda t: t.ravel(), lambda t: t.flatten()),
    "transpose": (lambda t: t.T, lambda t: t.transpose(), lambda t: t.transpose(1, 0),
                  lambda t: t.transpose((1, 0)), lambda t: np.transpose(t), lambda t: t.mT,
                  lambda t: t.swapaxes(0, 1), lambda t: np.moveaxis(t, 0, 1)),
    "clip": (lambda t: t.clip(0.6, 1.8), lambda t: np.clip(t, 0.6, 1.8),
             lambda t: np.minimum(np.maximum(t, 0.6), 1.8)),
    "square": (lambda t: t**2, lambda t: t * t, lambda t: np.square(t), lambda t: t.square(),
               lambda t: np.power(t, 2), lambda t: pow(t, 2)),
    "abs": (lambda t: abs(t), lambda t: np.abs(t), lambda t: np.fabs(t), lambda t: t.abs()),
    "negative": (lambda t: -t, lambda t: np.negative(t), lambda t: 0 - t, lambda t: t * -1),
    "std": (lambda t: t.std(), lambda t: np.std(t), lambda t: t.var() ** 0.5),
    "stack": (lambda t: np.stack([t, t]), lambda t: np.stack((t, t)),
              lambda t: np.concatenate([t[None], t[None]])),
    "take": (lambda t: t[[1, 0, 1]], lambda t: t.take([1, 0, 1], axis=0),
             lambda t: np.take(t, np.array([1, 0, 1]), axis=0)),
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_every_spelling_of_a_method(name):
    results = []
    for f in METHODS[name]:
        a = leaf(A)
        y = f(a)
        np.testing.assert_allclose(y.numpy(), METHODS[name][0](A) if name != "abs" else np.abs(A)
                                   ) if name not in ("square", "clip") else None  # fmt: skip
        (y * np.arange(1.0, y.size + 1).reshape(y.shape)).sum().backward()
        results.append(a.grad)
    for r in results[1:]:
        np.testing.assert_allclose(r, results[0], rtol=1e-12)
    assert np.any(results[0] != 0)


# -- dtypes ---------------------------------------------------------------------------------------


def test_float32_stays_float32():
    w = leaf(A, np.float32)
    y = ag.softmax(np.tanh(w * 2.0 + 1) / 3 - w**2) @ np.ones((2, 2), np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert w.grad.dtype == np.float32


@pytest.mark.parametrize("other", [np.ones((2, 2)), np.float64(2.0), [[1.0, 2.0]], leaf(A)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_float32_leaf_in_a_float64_expression_gets_a_float32_gradient(dtype, other):
    w = leaf(A, dtype)
    y = (w * other).sum()
    assert y.dtype == np.float64
    y.backward()
    assert w.grad.dtype == dtype
    w.grad = None
    (w * other).sum().backward(create_graph=True)
    assert w.grad.dtype == dtype


def test_astype_is_differentiable():
    w = leaf(A, np.float32)
    h = w.astype(np.float64)
    assert h.dtype == np.float64
    (h * h).sum().backward()
    assert w.grad.dtype == np.float32
    np.testing.assert_allclose(w.grad, 2 * A, rtol=1e-6)
    assert type(w.astype(int)) is np.ndarray  # integers leave the graph


def test_integer_and_bool_tensors_are_constants():
    w = leaf([1.0, 2.0, 3.0])
    n, mask = ag.tensor([1, 2, 3]), ag.tensor([True, False, True])
    (w * n + w**n).sum().backward()
    np.testing.assert_allclose(w.grad, [1 + 1, 2 + 4, 3 + 27])
    w.grad = None
    (w * mask).sum().backward()
    assert w.grad.tolist() == [1, 0, 1]
    w.grad = None
    np.where(mask, w, 0.0).sum().backward()
    assert w.grad.tolist() == [1, 0, 1]
    assert (n + 1).dtype == np.int64
    assert (n / 2).dtype == np.float64
    assert not (n * 2).requires_grad


def test_integers_of_numpys_promotion():
    w = leaf([1.0, 2.0], np.float32)
    assert (w * 2).dtype == np.float32
    assert (w * 2.5).dtype == np.float32
    assert (w * np.int64(2)).dtype == np.float64  # as NumPy 2 promotes
    assert (w * ag.tensor([1, 2])).dtype == np.float64


# -- comparisons ----------------------------------------------------------------------------------


def test_comparisons_are_plain_arrays():
    w, v = leaf([1.0, 2.0, 3.0]), leaf([3.0, 2.0, 1.0])
    for result, wanted in [
        (w < v, [True, False, False]),
        (w <= v, [True, True, False]),
        (w > 1.5, [False, True, True]),
        (w <= 2, [True, True, False]),
        (w == v, [False, True, False]),
        (w != 2, [True, False, True]),
        (np.isfinite(w), [True] * 3),
        (w == np.array([1.0, 0.0, 3.0]), [True, False, True]),
        (np.array([1.0, 0.0, 3.0]) == w, [True, False, True]),
    ]:
        assert type(result) is np.ndarray
        assert result.tolist() == wanted


def test_logic_of_bool_tensors():
    a, b = ag.tensor([True, True, False]), ag.tensor([True, False, False])
    assert np.asarray(a & b).tolist() == [True, False, False]
    assert np.asarray(a | b).tolist() == [True, True, False]
    assert np.asarray(a ^ b).tolist() == [False, True, False]
    assert np.asarray(~a).tolist() == [False, False, True]
    assert np.asarray(a & np.array([False, True, True])).tolist() == [False, True, False]
    assert np.asarray(np.array([False, True, True]) & a).tolist() == [False, True, False]


def test_what_has_no_derivative_is_plain():
    w = leaf([1.4, -2.5])
    for f in (np.sign, np.floor, np.round, np.argmax, np.argsort, np.isnan, np.zeros_like):
        result = f(w)
        assert not isinstance(result, ag.Tensor)
        np.testing.assert_array_equal(result, f(w.numpy()))
    assert w.argmax() == 0
    assert np.shape(w) == (2,)
    assert np.ndim(w) == 1
    assert divmod(ag.tensor(7.0), 2)[0] == 3


def test_tensors_hash_by_identity():
    a, b = leaf([1.0]), leaf([1.0])
    assert len({a, b, a}) == 2
    assert {a: 1}[a] == 1


# -- in-place operators ---------------------------------------------------------------------------


def test_in_place_operators_on_results_are_recorded():
    w = leaf([1.0, 2.0])
    y = w * 1.0
    same = y
    y += w
    y *= 3.0
    y -= 1.0
    y /= 2.0
    y += w * w
    assert y is same
    assert y.tolist() == [(2 * v * 3 - 1) / 2 + v * v for v in (1.0, 2.0)]
    y.sum().backward()
    assert w.grad.tolist() == [3 + 2 * v for v in (1.0, 2.0)]


def test_an_accumulator_that_starts_as_a_constant():
    w = leaf([1.0, 2.0])
    total = ag.tensor(np.zeros(2))
    for k in range(3):
        total += w * float(k)
    total.sum().backward()
    assert w.grad.tolist() == [3, 3]


def test_an_in_place_operator_does_not_change_what_was_saved():
    w = leaf([1.0, 2.0])
    h = ag.exp(w)
    y = h * h
    h += 100.0
    (y.sum() + h.sum()).backward()
    np.testing.assert_allclose(w.grad, 2 * np.exp(2 * w.numpy()) + np.exp(w.numpy()))


@pytest.mark.parametrize("recorded", [False, True])
def test_an_in_place_operator_keeps_dtype_and_shape(recorded):
    w = ag.tensor([1.0, 2.0], requires_grad=recorded)
    y = w * 1.0
    y += np.ones(2)  # float64
    assert y.dtype == np.float32
    y *= np.float64(2.0)
    assert y.dtype == np.float32
    with pytest.raises(ValueError):  # noqa: PT011 (NumPy's text for the plain one)
        y += np.ones((3, 2))
    assert y.shape == (2,)
    if recorded:
        y.sum().backward()
        assert w.grad.dtype == np.float32


def test_in_place_on_constants_writes_memory():
    t = ag.tensor([1.0, 2.0])
    same = t
    t += 1
    t *= [2, 3]
    assert t is same
    assert t.tolist() == [4, 9]
    t[0] = 7
    t[ag.tensor([False, True])] = ag.tensor([8.0])
    assert t.tolist() == [7, 8]


def test_an_integer_tensor_can_not_take_fractions():
    t = ag.tensor([1, 2])
    with pytest.raises(TypeError, match="cast"):
        t += 0.5
    assert t.tolist() == [1, 2]


def test_item_assignment_in_no_grad():
    w = leaf([1.0, 2.0, 3.0])
    with ag.no_grad():
        w[0] = 10.0
        w[1:] *= 2.0
        w[ag.tensor([False, False, True])] = w[0]
    assert w.tolist() == [10, 4, 10]
    assert w.requires_grad
    (w * w).sum().backward()
    assert w.grad.tolist() == [20, 8, 20]


# -- backward -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [np.asarray, ag.tensor, np.ndarray.tolist])
def test_backward_with_a_gradient(make):
    w = leaf(A)
    (w * w).backward(make(B))
    np.testing.assert_allclose(w.grad, 2 * A * B, rtol=1e-6)


def test_backward_with_a_gradient_of_another_dtype():
    w = leaf([1.0, 2.0], np.float32)
    (w * w).backward(np.array([1, 2]))
    assert w.grad.dtype == np.float32
    assert w.grad.tolist() == [2, 8]


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_needs_no_gradient(shape):
    w = leaf(np.full(shape, 3.0))
    (w * w).backward()
    np.testing.assert_array_equal(w.grad, np.full(shape, 6.0))
    assert type(w.grad) is np.ndarray


def test_the_first_gradient_has_the_results_dtype():
    w, seen = leaf(2.0, np.float32), []
    y = w * w
    y.register_hook(lambda g: seen.append(g.dtype))
    y.backward(retain_graph=True)
    y.backward(np.float64(1.0))
    assert seen == [np.float32] * 2
    w.grad = None
    w.backward()
    assert w.grad.dtype == np.float32


def test_backward_of_a_leaf():
    w = leaf(3.0)
    w.backward()
    assert w.grad == 1
    assert type(w.grad) is np.ndarray


def test_retain_grad():
    w = leaf([1.0, 2.0])
    h = w * w
    assert h.grad is None
    h.retain_grad()
    h.retain_grad()  # twice is once
    w.retain_grad()  # a leaf keeps its own anyway
    y = (h * 3.0).sum()
    y.backward(retain_graph=True)
    assert h.grad.tolist() == [3, 3]
    assert w.grad.tolist() == [6, 12]
    y.backward()
    assert h.grad.tolist() == [6, 6]  # adds, as a leaf's does
    (w * 2).sum().backward()
    assert h.grad.tolist() == [6, 6]


def test_retain_grad_with_create_graph():
    w = leaf([1.0, 2.0])
    h = w * w
    h.retain_grad()
    (h * h).sum().backward(create_graph=True)
    assert isinstance(h.grad, ag.Tensor)
    assert h.grad.tolist() == [2, 8]
    assert h.grad.requires_grad


def test_create_graph_gives_a_tensor():
    w = leaf([1.0, 2.0])
    (w**3).sum().backward(create_graph=True)
    assert isinstance(w.grad, ag.Tensor)
    assert w.grad.requires_grad
    assert w.grad.tolist() == [3, 12]


def test_create_graph_never_accumulates_in_place():
    w = leaf([1.0, 2.0])
    (w**3).sum().backward(create_graph=True)
    first = w.grad
    (w**2).sum().backward(create_graph=True)
    assert w.grad is not first
    assert first.tolist() == [3, 12]
    assert w.grad.tolist() == [5, 16]
    before = w.grad
    (w * 1.0).sum().backward()  # plain, onto a Tensor
    assert before.tolist() == [5, 16]
    assert isinstance(w.grad, ag.Tensor)
    assert w.grad.tolist() == [6, 17]
    total, w.grad = w.grad, None
    total.sum().backward()
    assert w.grad.tolist() == [6 + 2, 12 + 2]


def test_create_graph_onto_a_plain_gradient():
    w = leaf([1.0, 2.0])
    (w * 5.0).sum().backward()
    plain = w.grad
    (w**2).sum().backward(create_graph=True)
    assert plain.tolist() == [5, 5]
    assert w.grad.tolist() == [7, 9]


def test_create_graph_of_a_linear_function_gives_a_constant_tensor():
    w = leaf([1.0, 2.0])
    (w * 3.0).sum().backward(create_graph=True)
    assert isinstance(w.grad, ag.Tensor)
    assert w.grad.tolist() == [3, 3]


def test_create_graph_inside_no_grad_still_records():
    w = leaf([1.0, 2.0])
    y = (w**3).sum()
    with ag.no_grad():
        y.backward(create_graph=True)
        assert not ag.is_grad_enabled()
    assert w.grad.requires_grad


def test_create_graph_inside_no_grad_accumulates_recorded_gradients():
    w = leaf([1.0, 2.0])
    w.register_hook(lambda g: g * 1.0)
    y = (w**3).sum()
    with ag.no_grad():
        y.backward(create_graph=True)
        y.backward(create_graph=True)
    g, w.grad = w.grad, None
    assert g.requires_grad
    g.sum().backward()
    assert w.grad.tolist() == [12, 24]


def test_gradients_may_be_set_and_cleared():
    w = leaf([1.0, 2.0])
    w.grad = np.array([10.0, 10.0])
    (w * 2.0).sum().backward()
    assert w.grad.tolist() == [12, 12]
    w.grad = None
    (w * 2.0).sum().backward()
    assert w.grad.tolist() == [2, 2]


def test_only_what_leads_to_the_result_gets_a_gradient():
    w, v = leaf([1.0]), leaf([1.0])
    _ = v * w
    (w * 2.0).sum().backward()
    assert v.grad is None


def test_backward_inside_backwards_hook():
    w, v = leaf([1.0]), leaf([2.0])
    h = w * 3.0
    h.register_hook(lambda g: (v * v).sum().backward())
    h.sum().backward()
    assert w.grad.tolist() == [3]
    assert v.grad.tolist() == [4]


# -- hooks ----------------------------------------------------------------------------------------


def test_hooks_run_in_order_and_may_replace():
    w, seen = leaf([1.0, 2.0]), []
    h = w * 2.0
    h.register_hook(lambda g: seen.append(("first", g.tolist())))
    h.register_hook(lambda g: g * 10)
    h.register_hook(lambda g: seen.append(("third", g.tolist())))
    h.sum().backward()
    assert seen == [("first", [1, 1]), ("third", [10, 10])]
    assert w.grad.tolist() == [20, 20]


def test_a_leafs_hook_runs_once_per_backward_with_the_total():
    w, seen = leaf([1.0, 2.0]), []
    w.register_hook(lambda g: seen.append(g.tolist()))
    y = (w * 2.0).sum() + (w * 3.0).sum() + w[0]
    y.backward(retain_graph=True)
    assert seen == [[6, 5]]
    y.backward()
    assert seen == [[6, 5], [6, 5]]  # of each backward, not of what has accumulated
    assert w.grad.tolist() == [12, 10]


def test_a_nodes_hook_runs_once_with_the_total():
    w, seen = leaf([1.0, 2.0]), []
    h = w * 1.0
    h.register_hook(lambda g: seen.append(g.tolist()))
    (h * 2.0 + h * 3.0 + h).sum().backward()
    assert seen == [[6, 6]]


def test_a_leafs_hook_replaces_its_gradient():
    w = leaf([1.0, 2.0])
    w.register_hook(lambda g: np.clip(g, -1, 1))
    (w * 5.0).sum().backward()
    assert w.grad.tolist() == [1, 1]
    (w * 5.0).sum().backward()
    assert w.grad.tolist() == [2, 2]


def test_removing_hooks():
    w, seen = leaf([1.0]), []
    h = w * 2.0
    removers = [t.register_hook(lambda g, k=k: seen.append(k)) for k, t in enumerate((h, w, h))]
    removers[0]()
    removers[0]()  # again: nothing
    h.sum().backward(retain_graph=True)
    assert seen == [2, 1]
    for remove in removers:
        remove()
    h.sum().backward()
    assert seen == [2, 1]


def test_a_hook_that_removes_itself():
    w, seen = leaf([1.0]), []

    def once(g):
        seen.append("once")
        remove()

    remove = w.register_hook(once)
    w.register_hook(lambda g: seen.append("always"))
    for _ in range(2):
        (w * 2.0).sum().backward()
    assert seen == ["once", "always", "always"]


def test_the_same_hook_twice_runs_twice():
    w = leaf([1.0])

    def double(g):
        return 2 * g

    first = w.register_hook(double)
    w.register_hook(double)
    (w * 1.0).sum().backward()
    assert w.grad.tolist() == [4]
    first()
    w.grad = None
    (w * 1.0).sum().backward()
    assert w.grad.tolist() == [2]


@pytest.mark.parametrize("where", ["leaf", "node"])
@pytest.mark.parametrize("result", [np.float64(2.0), 2.0, [2.0], np.array([2.0]), "tensor"])
def test_what_a_hook_returns_is_fitted(where, result):
    w = leaf([1.0] if np.ndim(result) else 1.0, np.float32)
    if isinstance(result, str):
        result = ag.tensor(2.0)
    h = w * 1.0
    (w if where == "leaf" else h).register_hook(lambda g: result)
    h.sum().backward()
    assert type(w.grad) is np.ndarray
    assert w.grad.dtype == np.float32
    assert w.grad.shape == w.shape
    assert w.grad == 2


def test_hooks_see_tensors_with_create_graph():
    w, seen = leaf([1.0, 2.0]), []
    w.register_hook(lambda g: seen.append(g) or g * 2)
    (w**2).sum().backward(create_graph=True)
    assert isinstance(seen[0], ag.Tensor)
    assert w.grad.tolist() == [4, 8]
    g, w.grad = w.grad, None
    g.sum().backward()
    assert w.grad.tolist() == [8, 8]  # 4, and through the hook again


@pytest.mark.parametrize("where", ["leaf", "node"])
def test_a_plain_array_from_a_hook_is_a_constant_in_create_graph(where):
    w = leaf([1.0, 2.0])
    h = w * 1.0
    (w if where == "leaf" else h).register_hook(lambda g: np.array([5.0, 6.0]))
    (h * h).sum().backward(create_graph=True)
    assert isinstance(w.grad, ag.Tensor)
    assert w.grad.tolist() == [5, 6]


def test_hooks_on_a_deep_copy_are_not_shared():
    w, seen = leaf([1.0]), []
    w.register_hook(seen.append)
    other = copy.deepcopy(w)
    (other * 1.0).sum().backward()
    assert seen == []


# -- copies ---------------------------------------------------------------------------------------

COPIES = {
    "pickle": lambda t: pickle.loads(pickle.dumps(t)),
    "deepcopy": copy.deepcopy,
    "protocol 2": lambda t: pickle.loads(pickle.dumps(t, protocol=2)),
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_of_leaves(way):
    w = leaf([1.0, 2.0], name="w")
    (w * 3.0).sum().backward()
    c = COPIES[way](w)
    assert type(c) is ag.Tensor
    assert c.requires_grad
    assert c.is_leaf
    assert c.name == "w"
    assert c.dtype == w.dtype
    assert c.tolist() == [1, 2]
    assert c.grad.tolist() == [3, 3]
    assert not np.shares_memory(c.data, w.data)
    assert not np.shares_memory(c.grad, w.grad)
    (c * 2.0).sum().backward()
    assert c.grad.tolist() == [5, 5]
    assert w.grad.tolist() == [3, 3]


@pytest.mark.parametrize("way", COPIES)
def test_copies_of_constants_and_parameters(way):
    t = COPIES[way](ag.tensor([1, 2]))
    assert not t.requires_grad
    assert t.dtype == np.int64
    p = COPIES[way](ag.Parameter([1.0]))
    assert type(p) is ag.Parameter
    assert p.requires_grad
    assert p.dtype == np.float32


def test_deepcopy_keeps_shared_tensors_shared():
    w = leaf([1.0])
    a, b = copy.deepcopy([w, w])
    assert a is b
    assert a is not w


def test_a_recorded_result_is_not_copied():
    y = leaf([1.0]) * 2
    for f in COPIES.values():
        with pytest.raises(RuntimeError, match=r"part of a graph.*detach"):
            f(y)
    assert copy.deepcopy(y.detach()).tolist() == [2]


# -- no_grad and enable_grad ----------------------------------------------------------------------


def test_no_grad_records_nothing():
    w = leaf([1.0])
    with ag.no_grad():
        assert not ag.is_grad_enabled()
        y = w * 2
    assert not y.requires_grad
    assert y.is_leaf
    assert ag.is_grad_enabled()
    assert (w * 2).requires_grad


def test_switches_nest():
    w = leaf([1.0])
    with ag.no_grad():
        with ag.enable_grad():
            assert (w * 2).requires_grad
            with ag.no_grad():
                assert not (w * 2).requires_grad
            assert (w * 2).requires_grad
        assert not (w * 2).requires_grad
    assert (w * 2).requires_grad


def test_one_switch_may_be_entered_twice():
    switch = ag.no_grad()
    with switch:
        with switch:
            assert not ag.is_grad_enabled()
        assert not ag.is_grad_enabled()
    assert ag.is_grad_enabled()


def test_an_exception_resets_the_switch():
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        raise ZeroDivisionError
    assert ag.is_grad_enabled()


def test_decorated_functions():
    w = leaf([1.0])

    @ag.no_grad()
    def silent(depth=0):
        assert not ag.is_grad_enabled()
        if depth:
            silent(depth - 1)
            assert not ag.is_grad_enabled()
        return w * 2

    assert silent.__name__ == "silent"
    assert not silent().requires_grad
    assert not silent(5).requires_grad  # recursion
    assert ag.is_grad_enabled()

    @ag.enable_grad()
    def loud():
        return w * 2

    with ag.no_grad():
        assert loud().requires_grad
        assert not ag.is_grad_enabled()


def test_a_decorated_function_in_several_threads():
    w, results = leaf([1.0]), []
    start = threading.Barrier(4)

    @ag.no_grad()
    def silent():
        start.wait()
        for _ in range(100):
            results.append((w * 2).requires_grad)
        start.wait()

    threads = [threading.Thread(target=silent) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [False] * 400
    assert ag.is_grad_enabled()


def test_a_decorated_method_and_class_members():
    class Model:
        w = leaf([2.0])

        @ag.no_grad()
        def predict(self, x):
            return self.w * x

        @staticmethod
        @ag.no_grad()
        def constant():
            return Model.w * 1

    assert not Model().predict(3.0).requires_grad
    assert not Model.constant().requires_grad


def test_a_decorated_generator_is_silent_inside_and_only_there():
    w = leaf([1.0])

    @ag.no_grad()
    def generate():
        for _ in range(3):
            received = yield (w * 2).requires_grad
            assert received in (None, "sent")

    steps = generate()
    assert next(steps) is False
    assert ag.is_grad_enabled()  # while it is suspended
    assert (w * 2).requires_grad
    assert steps.send("sent") is False
    assert ag.is_grad_enabled()
    assert list(generate()) == [False] * 3
    steps.close()
    assert ag.is_grad_enabled()


def test_a_decorated_generator_can_be_thrown_at_and_closed():
    heard = []

    @ag.no_grad()
    def generate():
        try:
            yield 1
        except ValueError:
            heard.append(ag.is_grad_enabled())
        try:
            yield 2
        finally:
            heard.append("closed")
        return 3

    steps = generate()
    assert next(steps) == 1
    assert steps.throw(ValueError) == 2
    assert heard == [False]
    steps.close()
    assert heard == [False, "closed"]
    assert ag.is_grad_enabled()


def test_a_switch_is_per_task():
    w = leaf([1.0])

    async def silent():
        with ag.no_grad():
            await asyncio.sleep(0)
            return (w * 2).requires_grad

    async def loud():
        await asyncio.sleep(0)
        return (w * 2).requires_grad

    async def both():
        return await asyncio.gather(silent(), loud(), silent())

    assert asyncio.run(both()) == [False, True, False]


# -- parameters -----------------------------------------------------------------------------------


def test_a_parameter_requires_grad():
    p = ag.Parameter([1.0, 2.0], name="weight")
    assert isinstance(p, ag.Tensor)
    assert p.requires_grad
    assert p.dtype == np.float32
    assert p.name == "weight"
    assert type(p * 2) is ag.Tensor
    (p * p).sum().backward()
    assert p.grad.tolist() == [2, 4]
    assert not ag.Parameter([1.0], requires_grad=False).requires_grad


def test_agreement_with_torch():
    torch = pytest.importorskip("torch")

    def model(m, w, v, x):
        h = m.tanh(x @ w)
        h = h * h[:, :1] + h.mean()
        return (m.exp(-h) @ v).sum() + (w**3).mean() / (1 + (v * v).sum())

    r = np.random.default_rng(0)
    w, v, x = r.normal(size=(4, 3)), r.normal(size=(3, 2)), r.normal(size=(5, 4))
    ours = [leaf(a) for a in (w, v, x)]
    theirs = [torch.tensor(a, requires_grad=True) for a in (w, v, x)]
    y, z = model(np, *ours), model(torch, *theirs)
    assert y.item() == pytest.approx(z.item(), rel=1e-12)
    y.backward()
    z.backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10)
