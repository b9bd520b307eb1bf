"""What is misused says so: the operation, what came, what was expected, and what to try."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_core as ag


def leaf(x, **kwargs):
    return ag.tensor(np.array(x, dtype=float), requires_grad=True, **kwargs)


def ones(*shape):
    return leaf(np.ones(shape))


# -- backward -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2,), (2, 3), (0,), (1, 2)])
def test_several_elements_and_no_gradient(shape):
    y = ones(*shape) * 2
    with pytest.raises(RuntimeError, match=r"\[backward\] got a Tensor of shape .* no gradi") as e:
        y.backward()
    assert str(shape) in str(e.value)
    assert "one element" in str(e.value)
    assert "sum()" in str(e.value)


@pytest.mark.parametrize("gradient", [1.0, np.ones(3), np.ones((1, 2)), [[1.0], [1.0]]])
def test_a_gradient_of_the_wrong_shape(gradient):
    w = ones(2)
    with pytest.raises(ValueError, match=r"\[backward\] got a gradient of shape .*expected \(2,\)"):
        (w * 2).backward(gradient)
    with pytest.raises(ValueError, match=r"\[backward\] got a gradient of shape"):
        (w * 2).backward(gradient, create_graph=True)
    assert w.grad is None


def test_nothing_requires_grad():
    for t in (ag.tensor(1.0), ag.tensor(1.0) * 2, (leaf(1.0) * 2).detach()):
        with pytest.raises(RuntimeError, match=r"\[backward\].*requires_grad=True"):
            t.backward()
    with ag.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(ag.GraphError, match="outside no_grad"):
        y.backward()


def test_a_second_backward():
    w = leaf(2.0)
    y = ag.exp(w) * w
    y.backward()
    with pytest.raises(RuntimeError, match=r"released by an earlier.*retain_graph=True"):
        y.backward()
    with pytest.raises(RuntimeError, match=r"\[multiply\]"):
        y.backward(create_graph=True)


def test_graph_errors_are_runtime_errors_as_torchs():
    assert issubclass(ag.GraphError, RuntimeError)
    assert issubclass(ag.NotDifferentiableError, TypeError)
    assert issubclass(ag.GradientError, AssertionError)


def test_a_leaf_that_was_written_to_is_named():
    w = leaf([1.0], name="weights")
    y = (w * w).sum()
    with ag.no_grad():
        w += 1.0
    with pytest.raises(RuntimeError, match=r"\[multiply\].*'weights'.*before the update"):
        y.backward()


def test_a_hook_that_returns_another_shape():
    w = ones(2)
    h = w * 1.0
    for t in (w, h):
        remove = t.register_hook(lambda g: np.ones(3))
        with pytest.raises(ValueError, match=r"\[hook\].*\(3,\).*\(2,\)"):
            h.backward(np.ones(2), retain_graph=True)
        remove()
    assert w.grad is None


def test_a_hook_on_a_constant():
    with pytest.raises(RuntimeError, match=r"\[register_hook\].*does not require grad"):
        ag.tensor(1.0).register_hook(print)


# -- construction ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [1, [1, 2], True, np.array([1], np.uint8)])
def test_integers_that_require_grad(data):
    with pytest.raises(TypeError, match=r"\[requires_grad\] got a Tensor of dtype .*floating") as e:
        ag.tensor(data, requires_grad=True)
    assert "decimal points" in str(e.value)
    t = ag.tensor(data)
    with pytest.raises(TypeError, match="floating"):
        t.requires_grad = True
    with pytest.raises(TypeError, match="floating"):
        t.requires_grad_()
    assert not t.requires_grad


@pytest.mark.parametrize("data", ["text", ["a"], object(), {"a": 1}, None])
def test_what_is_no_number(data):
    with pytest.raises(TypeError, match=r"\[tensor\].*numbers"):
        ag.tensor(data)


def test_ragged_lists():
    with pytest.raises(ValueError, match="inhomogeneous"):
        ag.tensor([[1.0], [1.0, 2.0]])


def test_requires_grad_of_a_result_can_not_be_taken_away():
    y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match=r"\[requires_grad\].*detach"):
        y.requires_grad = False
    y.requires_grad = True  # it does already


# -- leaving the graph silently -------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda: leaf([1.0, 2.0]), lambda: leaf([1.0, 2.0]) * 2])
def test_recorded_tensors_do_not_become_plain_arrays(make):
    t = make()
    plain = np.zeros(2)
    grid = np.zeros((2, 2))
    for turn in (
        lambda: np.asarray(t),
        lambda: np.array(t),
        lambda: np.array([t, t]),
        lambda: np.array([t[0], t[1]]),
        lambda: np.array([t[0], 1.0]),
        lambda: np.array([[t[0]], [t[1]]]),
        lambda: np.asarray(t, dtype=np.float32),
        lambda: plain.__setitem__(slice(None), t),
        lambda: plain.__setitem__(0, t[0]),
        lambda: grid.__setitem__(0, t),
        lambda: grid.__setitem__((0, 0), t[0]),
        lambda: np.ascontiguousarray(t),
        lambda: np.full(2, t[0]),
        lambda: np.copyto(plain, t),
        lambda: np.random.default_rng(0).normal(t),
    ):
        with pytest.raises((TypeError, ValueError)) as e:
            turn()
        # NumPy may put words of its own in front, and chains ours
        assert "being differentiated" in f"{e.value} {e.value.__cause__}"
    np.testing.assert_array_equal(plain, [0, 0])
    np.testing.assert_array_equal(grid, np.zeros((2, 2)))


def test_writing_a_recorded_tensor_into_a_plain_array_says_what_to_do():
    t, plain = leaf([1.0, 2.0]), np.zeros(2)
    with pytest.raises(TypeError, match=r"t\.numpy\(\) or t\.detach\(\)|t\.item\(\)"):
        plain[:] = t
    with pytest.raises(ValueError, match="array element") as e:  # NumPy's words; ours are the cause
        plain[0] = t[0]
    assert "try t.item() or t.detach()" in str(e.value.__cause__)
    with pytest.raises(TypeError, match=r"\[add\] got out=.*detach"):
        plain += t
    with pytest.raises(TypeError, match=r"\[multiply\] got out="):
        plain *= t
    with pytest.raises(TypeError, match=r"\[exp\] got out="):
        np.exp(t, out=plain)
    assert plain.tolist() == [0, 0]


def test_the_same_inside_transforms():
    plain = np.zeros(2)

    def wrong(x):
        plain[:] = x
        return plain.sum()

    x = np.ones(2)
    for d in (ag.grad(wrong), lambda x: ag.jvp(wrong, (x,), (x,)), ag.hessian(wrong)):
        with pytest.raises(TypeError, match="being differentiated"):
            d(x)

    def wrong_too(x):
        plain[0] = x[0]
        return plain.sum()

    for d in (ag.grad(wrong_too), lambda x: ag.jvp(wrong_too, (x,), (x,))):
        with pytest.raises(ValueError, match="array element") as e:
            d(x)
        assert "being differentiated" in str(e.value.__cause__)


def test_writing_recorded_values_where_they_can_not_go():
    w, whole = leaf([1.0, 2.0]), ag.tensor([1, 2])
    with pytest.raises(TypeError, match=r"\[setitem\].*differentiated.*int64.*floating dtype.*astype"):
        whole[0] = w[0]
    assert whole.tolist() == [1, 2]
    with pytest.raises(TypeError, match=r"\[add.at\].*plain array"):
        np.add.at(np.zeros(2), [0], w)
    with pytest.raises(TypeError, match=r"\[add\] got out= a plain array"):
        np.add(w, 1, out=np.zeros(2))


# -- shapes and axes ------------------------------------------------------------------------------

SHAPES = {  # call -> type, what the text names
    "matmul": (lambda: ones(2, 3) @ ones(2, 3), ValueError, r"matmul.*\(2, 3\).*\(2, 3\)"),
    "matmul data": (lambda: ones(2, 3) @ np.ones(4), ValueError, r"matmul.*\(2, 3\).*\(4,\)"),
    "matmul left": (lambda: np.ones((2, 3)) @ ones(4), ValueError, r"matmul.*\(2, 3\).*\(4,\)"),
    "np.matmul": (lambda: np.matmul(ones(2), ones(3)), ValueError, r"matmul.*\(2,\).*\(3,\)"),
    "dot": (lambda: np.dot(ones(2), ones(3)), ValueError, r"\(2,\).*\(3,\)"),
    "matmul number": (lambda: ones(2) @ 2.0, ValueError, "matmul"),
    "add": (lambda: ones(2, 3) + ones(4), ValueError, r"add.*\(2, 3\).*\(4,\)"),
    "add list": (lambda: ones(2, 3) + [1.0, 2.0], ValueError, r"add.*\(2, ?3\).*\(2,\)"),
    "data add": (lambda: np.ones(4) + ones(3), ValueError, r"add.*\(4,\).*\(3,\)"),
    "maximum": (lambda: np.maximum(ones(2), ones(3)), ValueError, r"maximum.*\(2,\).*\(3,\)"),
    "where": (lambda: np.where(np.ones(4) > 0, ones(2), 0.0), ValueError, r"where.*\(4,\).*\(2,\)"),
    "reshape": (lambda: ones(2, 3).reshape(4, 4), ValueError, r"reshape.*\(2, 3\).*\(4, ?4\)"),
    "np.reshape": (lambda: np.reshape(ones(6), (4, -1)), ValueError, r"reshape.*\(6,\)"),
    "broadcast_to": (lambda: np.broadcast_to(ones(2, 3), (4, 3)), ValueError,
                     r"broadcast_to.*\(2, ?3\).*\(4, ?3\)"),
    "broadcast_arrays": (lambda: np.broadcast_arrays(ones(2), ones(3)), ValueError, "broadcast"),
    "concatenate": (lambda: np.concatenate([ones(2, 3), ones(3, 2)]), ValueError,
                    r"concatenate.*\(2, 3\).*\(3, 2\)"),
    "stack": (lambda: np.stack([ones(2), ones(3)]), ValueError, r"stack.*\(2,\).*\(3,\)"),
    "transpose": (lambda: ones(2, 3).transpose(0, 1, 2), ValueError, "transpose"),
    "tensordot": (lambda: np.tensordot(ones(2, 3), ones(2, 3), axes=1), ValueError,
                  r"tensordot.*\(2, 3\).*\(2, 3\)"),
    "einsum": (lambda: np.einsum("ij,jk->ik", ones(2, 3), ones(2, 3)), ValueError,
               r"einsum.*\(2, ?3\)"),
    "squeeze": (lambda: np.squeeze(ones(2, 3), axis=0), ValueError, "squeeze"),
    "split": (lambda: np.split(ones(5), 2), ValueError, "split.*array_split"),
    "index": (lambda: ones(2)[5], IndexError, r"out of bounds.*|getitem"),
    "indices": (lambda: ones(2, 2)[0, 0, 0], IndexError, "indices|getitem"),
    "mask": (lambda: ones(2)[np.array([True, False, True])], IndexError, "mask|boolean"),
    "in place": (lambda: (ones(2) * 1).__iadd__(ones(3, 2)), ValueError, r"add.*\(3, ?2\)"),
    "sum axis": (lambda: ones(2, 3).sum(axis=2), ValueError, "axis 2 is out of bounds"),
    "mean axis": (lambda: np.mean(ones(2, 3), axis=-3), ValueError, "axis -3 is out of bounds"),
    "max axis": (lambda: ones(2, 3).max(axis=(0, 7)), ValueError, "axis 7 is out of bounds"),
    "var axis": (lambda: ones(2).var(axis=1), ValueError, "axis 1 is out of bounds"),
    "softmax axis": (lambda: ag.softmax(ones(2, 3), axis=3), ValueError, "axis 3 is out of"),
    "logsumexp axis": (lambda: ag.logsumexp(ones(2), axis=1), ValueError, "axis 1 is out of"),
    "norm axis": (lambda: np.linalg.norm(ones(2), axis=1), ValueError, "axis 1 is out of bounds"),
    "cumsum axis": (lambda: np.cumsum(ones(2), axis=1), ValueError, "axis 1 is out of bounds"),
    "swapaxes": (lambda: np.swapaxes(ones(2, 3), 0, 5), ValueError, "axis.* 5 is out of bounds"),
    "moveaxis": (lambda: np.moveaxis(ones(2, 3), 4, 0), ValueError, "axis 4 is out of bounds"),
    "expand_dims": (lambda: np.expand_dims(ones(2), 5), ValueError, "axis"),
    "concatenate axis": (lambda: np.concatenate([ones(2), ones(2)], axis=1), ValueError, "axis 1"),
    "stack axis": (lambda: np.stack([ones(2), ones(2)], axis=4), ValueError, "axis"),
    "repeated axis": (lambda: ones(2, 3).sum(axis=(0, 0)), ValueError, "duplicate|repeated"),
    "sort axis": (lambda: np.sort(ones(2), axis=1), ValueError, "axis 1 is out of bounds"),
    "take axis": (lambda: np.take(ones(2), [0], axis=1), ValueError, "axis 1 is out of bounds"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_wrong_shapes_and_axes(name):
    call, kind, text = SHAPES[name]
    with pytest.raises(kind, match=text):
        call()
    with ag.no_grad(), pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize("name", [n for n in SHAPES if "axis" in n or n in ("swapaxes", "index")])
def test_wrong_axes_have_numpys_type(name):
    call = SHAPES[name][0]
    kind = IndexError if name == "index" else (np.exceptions.AxisError, ValueError)
    with pytest.raises(kind) as e:
        call()
    if name not in ("index", "repeated axis"):
        assert isinstance(e.value, np.exceptions.AxisError)


def test_wrong_shapes_inside_transforms():
    def f(x):
        return np.sum(x @ np.ones((4, 2)))

    x = np.ones((2, 3))
    for d in (ag.grad(f), ag.hessian(f), lambda x: ag.jvp(f, (x,), (x,)), ag.jacobian(f)):
        with pytest.raises(ValueError, match=r"matmul.*\(2, 3\).*\(4, 2\)"):
            d(x)


# -- what has no derivative -----------------------------------------------------------------------

UNSUPPORTED = {
    "eig": lambda t: np.linalg.eig(t),
    "fft": lambda t: np.fft.fft(t),
    "gcd": lambda t: np.gcd(t, t),
    "frexp": lambda t: np.frexp(t),
    "spacing": lambda t: np.spacing(t),
    "histogram": lambda t: np.histogram(t),
    "nextafter": lambda t: np.nextafter(t, 1.0),
    "maximum.accumulate": lambda t: np.maximum.accumulate(t),
    "subtract.reduce": lambda t: np.subtract.reduce(t),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported_numpy_functions_say_so_by_name(name):
    f = UNSUPPORTED[name]
    with pytest.raises(TypeError, match=rf"\[.*{name}.*\].*no derivative rule.*detach") as e:
        f(leaf(np.eye(2)))
    assert isinstance(e.value, ag.NotDifferentiableError)
    for d in (ag.grad(f), lambda x: ag.jvp(f, (x,), (x,))):
        with pytest.raises(ag.NotDifferentiableError, match=name):
            d(np.eye(2))


@pytest.mark.parametrize("name", ["eig", "fft", "spacing", "histogram"])
def test_of_constants_they_give_what_numpy_gives(name):
    f, x = UNSUPPORTED[name], np.eye(2)
    got, wanted = f(ag.tensor(x)), f(x)
    if isinstance(wanted, tuple):
        got, wanted = got[0], wanted[0]
    np.testing.assert_array_equal(np.asarray(got), wanted)


def test_where_and_other_keywords_of_ufuncs():
    with pytest.raises(TypeError, match="add"):
        np.add(ones(2), 1.0, where=[True, False])
    with pytest.raises(TypeError):
        np.sum(ones(2), where=[True, False])
    with pytest.raises(TypeError, match=r"reduce|out|unexpected"):
        np.add.reduce(ones(2), out=np.zeros(()))


def test_too_many_arguments():
    with pytest.raises(TypeError):
        ag.tanh(ones(2), 1, 2, 3)
    with pytest.raises(TypeError):
        ag.add(ones(2))
    with pytest.raises(TypeError, match="multiple values"):
        ag.sum(ones(2), 0, axis=0)


# -- operations of one's own ----------------------------------------------------------------------


def test_an_elementwise_operation():
    cube = ag.elementwise(lambda x: x * x * x, lambda g, y, x: 3 * g * x * x, name="cube")
    w = leaf([1.0, 2.0])
    cube(w).sum().backward()
    assert w.grad.tolist() == [3, 12]
    assert ag.jvp(cube, (2.0,), (1.0,)) == (8, 12)
    assert ag.grad(ag.grad(cube))(2.0) == 12
    assert cube(2.0) == 8
    assert cube.__name__ == "cube"


def test_an_operation_with_both_rules():
    @ag.primitive
    def cube(x):
        """Return the third power."""
        return x**3

    cube.defvjp(lambda g, y, x: 3 * g * x**2)
    cube.defjvp(lambda t, y, x: 3 * t * x**2)
    assert ag.grad(cube)(2.0) == ag.jvp(cube, (2.0,), (1.0,))[1] == 12
    assert ag.hessian(lambda x: np.sum(cube(x)))(np.array([2.0])).tolist() == [[12]]
    assert cube.__name__ == "cube"
    assert "third power" in cube.__doc__


def test_an_operation_with_settings():
    @ag.primitive
    def scaled_sum(x, scale=1.0, *, axis=None):
        return scale * np.sum(x, axis=axis)

    def rule(g, y, x, *, scale=1.0, axis=None):
        return scale * (g if axis is None else np.expand_dims(g, axis))

    scaled_sum.defvjp(rule)
    w = ones(2, 3)
    (scaled_sum(w, scale=2.0, axis=1) * np.array([1.0, 10.0])).sum().backward()
    assert w.grad.tolist() == [[2] * 3, [20] * 3]
    w.grad = None
    scaled_sum(w, 3.0).backward()  # by position
    assert w.grad.tolist() == [[3] * 3] * 2
    assert scaled_sum(np.ones(4), scale=0.5) == 2


def test_an_operation_with_a_joint_rule():
    @ag.primitive
    def product(a, b):
        return a * b

    product.defvjp(joint=lambda g, y, a, b: (g * b, g * a))
    product.defjvp(joint=lambda ts, y, a, b: sum(
        t * x for t, x in zip(ts, (b, a), strict=True) if t is not None))  # fmt: skip
    a, b = leaf([1.0, 2.0]), leaf(3.0)
    product(a, b).sum().backward()
    assert a.grad.tolist() == [3, 3]
    assert b.grad == 3  # summed over what broadcast
    assert ag.grad(product, argnums=(0, 1))(2.0, 5.0) == (5, 2)
    assert ag.jvp(product, (2.0, 5.0), (1.0, 1.0))[1] == 7
    assert ag.jvp(lambda x: product(x, 5.0), (2.0,), (1.0,))[1] == 5


def test_a_variadic_operation():
    @ag.primitive
    def total(*arrays):
        return sum(arrays)

    total.defvjp(joint=lambda g, y, *arrays: [g] * len(arrays))
    total.defjvp(joint=lambda ts, y, *arrays: sum(t for t in ts if t is not None))
    leaves = [leaf([float(i)]) for i in range(4)]
    total(*leaves, np.ones(1)).sum().backward()
    assert all(t.grad.tolist() == [1] for t in leaves)
    assert ag.jvp(total, (1.0, 2.0, 3.0), (1.0, 1.0, 1.0))[1] == 3
    assert ag.grad(total, argnums=2)(1.0, 2.0, 3.0) == 1


def test_an_operation_on_a_library_that_knows_no_tensors():
    @ag.primitive
    def matrix_power(x, n=2):
        assert type(x) is np.ndarray  # forward functions see plain arrays
        return np.linalg.matrix_power(x, n)

    def rule(g, y, x, *, n=2):
        return sum(
            np.transpose(matrix_power(x, n=k)) @ g @ np.transpose(matrix_power(x, n=n - 1 - k))
            for k in range(n)
        )

    matrix_power.defvjp(rule)
    x = np.array([[1.0, 2.0], [0.5, -1.0]])
    g = ag.grad(lambda x: np.sum(matrix_power(x, n=3)))(x)
    np.testing.assert_allclose(g, ag.grad(lambda x: np.sum(x @ x @ x))(x))
    h = ag.jacobian(ag.grad(lambda x: np.sum(matrix_power(x, n=3))), mode="reverse")(x)
    np.testing.assert_allclose(h, ag.hessian(lambda x: np.sum(x @ x @ x))(x), atol=1e-12)


def test_an_operation_without_rules():
    @ag.primitive
    def mystery(x):
        return x * 2

    assert mystery(np.ones(2)).tolist() == [2, 2]
    assert mystery(ag.tensor([1.0])).tolist() == [2]
    with pytest.raises(TypeError, match=r"\[mystery\].*reverse-mode.*mystery\.defvjp"):
        mystery(leaf(1.0)).backward()
    with pytest.raises(ag.NotDifferentiableError, match=r"mystery\.defvjp"):
        ag.grad(mystery)(1.0)
    with pytest.raises(ag.NotDifferentiableError, match=r"\[mystery\].*forward.*mystery\.defjvp"):
        ag.jvp(mystery, (1.0,), (1.0,))
    with ag.no_grad():
        assert mystery(leaf(3.0)).item() == 6


def test_an_operation_with_one_mode_only():
    @ag.primitive
    def reverse_only(x):
        return x * 2

    reverse_only.defvjp(lambda g, y, x: 2 * g)

    @ag.primitive
    def forward_only(x):
        return x * 2

    forward_only.defjvp(lambda t, y, x: 2 * t)
    assert ag.grad(reverse_only)(1.0) == 2
    assert ag.jvp(forward_only, (1.0,), (1.0,))[1] == 2
    with pytest.raises(ag.NotDifferentiableError, match=r"reverse_only\.defjvp"):
        ag.jvp(reverse_only, (1.0,), (1.0,))
    with pytest.raises(ag.NotDifferentiableError, match=r"forward_only\.defvjp"):
        ag.grad(forward_only)(1.0)


def test_a_rule_that_is_missing_for_one_input():
    @ag.primitive
    def pick(x, k):
        return x * np.floor(k)

    pick.defvjp(lambda g, y, x, k: g * np.floor(k), None)  # no gradient goes to k
    x, k = leaf(2.0), leaf(3.0)
    pick(x, k).backward()
    assert x.grad == 3
    assert k.grad is None or k.grad == 0


@pytest.mark.parametrize("rules", [(), (lambda g, y, a, b: g,), (lambda g, y, a, b: g,) * 3])
def test_the_wrong_number_of_rules(rules):
    @ag.primitive
    def product(a, b):
        return a * b

    with pytest.raises(TypeError, match=rf"\[product\] got {len(rules)} rules.*each of its 2"):
        product.defvjp(*rules)
    with pytest.raises(TypeError, match=r"\[product\]"):
        product.defjvp(*rules)


def declared(rule, jvp=None):
    @ag.primitive(name="mine")
    def mine(x):
        return x * 2.0

    mine.defvjp(rule)
    return mine.defjvp(jvp or rule)


WRONG = {
    "shape": (lambda g, y, x: np.ones(7), r"\[mine\].*\(7,\).*\(3,\)"),
    "more axes": (lambda g, y, x: g[:, None], r"\[mine\].*\(3, 1\).*\(3,\)"),
    "None": (lambda g, y, x: None, r"\[mine\].*None"),
    "tuple": (lambda g, y, x: (g, g), r"\[mine\].*tuple"),
    "text": (lambda g, y, x: "gradient", r"\[mine\].*str"),
    "objects": (lambda g, y, x: np.array([None] * 3), r"\[mine\].*object"),
    "complex": (lambda g, y, x: g * 1j, r"\[mine\].*complex"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_rule_that_returns_something_wrong(name):
    rule, text = WRONG[name]
    mine = declared(rule)
    w = ones(3)
    with pytest.raises((TypeError, ValueError), match=text):
        mine(w).sum().backward()
    assert w.grad is None
    with pytest.raises((TypeError, ValueError), match=text):
        mine(w).sum().backward(create_graph=True)
    with pytest.raises((TypeError, ValueError), match=text):
        ag.grad(lambda x: np.sum(mine(x) * x))(np.ones(3))
    with pytest.raises((TypeError, ValueError), match=text):
        ag.jvp(mine, (np.ones(3),), (np.ones(3),))


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, x: 2.0,  # the same for every element
        lambda g, y, x: 2,
        lambda g, y, x: np.float64(2),
        lambda g, y, x: np.full(1, 2.0),
        lambda g, y, x: np.array([2, 2, 2]),
        lambda g, y, x: np.full(3, 2.0, np.float16),
    ],
)
def test_a_rule_whose_result_only_needs_fitting(rule):
    mine = declared(rule)
    for dtype in (np.float32, np.float64):
        w = ag.tensor(np.ones(3, dtype), requires_grad=True)
        mine(w).sum().backward()
        assert type(w.grad) is np.ndarray
        assert w.grad.dtype == dtype
        assert w.grad.tolist() == [2, 2, 2]
        y, t = ag.jvp(mine, (np.ones(3, dtype),), (np.ones(3),))
        assert y.dtype == t.dtype
        assert t.tolist() == [2, 2, 2]


def test_nan_from_a_rule_arrives_as_it_is():
    mine = declared(lambda g, y, x: g * np.nan)
    w = ag.tensor(np.ones(3, np.float32), requires_grad=True)
    mine(w).sum().backward()
    assert np.isnan(w.grad).all()
    assert w.grad.dtype == np.float32


@pytest.mark.parametrize(
    "result", [lambda g: (g,), lambda g: (g, g, g), lambda g: g, lambda g: 1.0, lambda g: None]
)
def test_a_joint_rule_that_returns_something_else_than_one_each(result):
    @ag.primitive(name="mine")
    def mine(a, b):
        return a * b

    mine.defvjp(joint=lambda g, y, a, b: result(g))
    with pytest.raises((TypeError, ValueError), match=r"\[mine\].*2"):
        mine(ones(4), ones(4)).sum().backward()


def test_a_joint_rule_may_leave_out_an_input():
    @ag.primitive(name="mine")
    def mine(a, b):
        return a * np.floor(b)

    mine.defvjp(joint=lambda g, y, a, b: (g * np.floor(b), None))
    a, b = ones(2), ones(2)
    mine(a, b).sum().backward()
    assert a.grad.tolist() == [1, 1]
    assert b.grad is None or b.grad.tolist() == [0, 0]


def test_an_error_inside_a_rule_is_the_users_own():
    class Mine(Exception):
        pass

    def rule(g, y, x):
        raise Mine("inside")

    with pytest.raises(Mine, match="inside"):
        declared(rule)(leaf(1.0)).backward()


def test_saves_that_names_nothing():
    with pytest.raises((TypeError, ValueError, KeyError), match="z"):
        ag.elementwise(lambda x: x, lambda g, y, x: g, saves="z", name="mine")


def test_what_was_not_saved_is_not_there():
    wrong = ag.elementwise(lambda x: x * x, lambda g, y, x: 2 * g * x, saves="", name="wrong")
    w = ones(1000)
    with pytest.raises(TypeError):
        wrong(w).sum().backward()


# -- kernels --------------------------------------------------------------------------------------


@ag.kernel
def running_max(x):
    out = np.array(x)
    for i in range(1, len(out)):
        out[i] = max(out[i - 1], out[i])
    return out


def test_a_kernel_given_a_recorded_tensor():
    assert running_max(np.array([1.0, 3.0, 2.0])).tolist() == [1, 3, 3]
    assert np.asarray(running_max(ag.tensor([1.0, 3.0, 2.0]))).tolist() == [1, 3, 3]
    with pytest.raises(TypeError, match=r"\[running_max\].*being differentiated.*ag\.primitive"):
        running_max(leaf([1.0, 2.0]))
    with pytest.raises(ag.NotDifferentiableError, match="running_max"):
        ag.grad(lambda x: np.sum(running_max(x)))(np.ones(2))
    with pytest.raises(ag.NotDifferentiableError, match="running_max"):
        ag.jvp(running_max, (np.ones(2),), (np.ones(2),))


# -- transforms -----------------------------------------------------------------------------------


def test_grad_of_several_elements():
    with pytest.raises(ValueError, match=r"\[grad\].*shape \(2,\).*one element.*jacobian"):
        ag.grad(lambda x: x * 2)(np.ones(2))


def test_grad_of_what_is_no_number():
    for result in ((1.0, 2.0), {"a": 1.0}, None, "text"):
        with pytest.raises(TypeError, match=r"\[grad\].*one number"):
            ag.grad(lambda x: result)(1.0)  # noqa: B023


@pytest.mark.parametrize("x", [3, np.array([1, 2]), True, [1.0, 2]])
def test_integers_are_not_differentiated(x):
    def f(x):
        return x[0] * 2.0 if isinstance(x, list) else np.sum(x * 2.0)

    for d in (ag.grad(f), ag.value_and_grad(f), ag.jacobian(f), ag.hessian(f)):
        with pytest.raises(TypeError, match=r"dtype (int64|bool).*floating.*3\.0 for 3"):
            d(x)
    with pytest.raises(TypeError, match=r"\[vjp\].*floating"):
        ag.vjp(f, x)
    with pytest.raises(TypeError, match=r"\[jvp\].*floating"):
        ag.jvp(f, (x,), (x,))


def test_argnums_out_of_range():
    for argnums in (1, -2, (0, 1)):
        with pytest.raises(TypeError, match=r"\[grad\].*argnums.*1 positional"):
            ag.grad(lambda x: x, argnums=argnums)(1.0)


def test_tangents_and_gradients_of_other_shapes():
    x = np.ones(3)
    with pytest.raises(ValueError, match=r"\[jvp\].*\(2,\).*\(3,\)"):
        ag.jvp(np.sin, (x,), (np.ones(2),))
    with pytest.raises(ValueError, match=r"\[jvp\] got 1 primals and 2 tangents"):
        ag.jvp(np.sin, (x,), (x, x))
    with pytest.raises(ValueError, match=r"\[vjp\].*\(2,\).*\(3,\)"):
        ag.vjp(np.sin, x)[1](np.ones(2))
    with pytest.raises(ValueError, match=r"\[vjp\] got 1 gradients.*2"):
        ag.vjp(lambda x: (x, x), x)[1](x)


def test_arguments_that_are_not_in_a_tuple():
    x = np.ones(3)
    with pytest.raises(TypeError, match=r"\[jvp\].*tuples"):
        ag.jvp(np.sin, x, x)
    with pytest.raises(TypeError, match=r"\[hvp\].*tuples"):
        ag.hvp(lambda x: np.sum(x), x, x)


def test_an_unknown_mode():
    with pytest.raises(ValueError, match=r"\[jacobian\].*mode='sideways'.*'reverse'"):
        ag.jacobian(np.sin, mode="sideways")


def test_a_dual_number_does_not_live_outside():
    import copy

    with pytest.raises(TypeError, match="dual number"):
        ag.jvp(lambda x: copy.deepcopy(x), (1.0,), (1.0,))


# -- every error reads alike ----------------------------------------------------------------------


def test_errors_name_the_operation_first():
    calls = [
        lambda: (ones(2) * 2).backward(),
        lambda: ones(2).sum().backward(np.ones(3)),
        lambda: ag.tensor(1.0).backward(),
        lambda: ag.tensor(1, requires_grad=True),
        lambda: np.asarray(ones(2)),
        lambda: np.linalg.eig(ones(2, 2)),
        lambda: ag.grad(lambda x: x)(np.ones(2)),
        lambda: ag.grad(lambda x: x)(1),
        lambda: ag.jvp(np.sin, (1.0,), (np.ones(2),)),
        lambda: ones(2, 3) @ ones(2, 3),
        lambda: ones(2) + ones(3),
        lambda: ones(2).reshape(7),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError, RuntimeError), match=r"^\[[\w. ]+\] got .+"):
            call()
