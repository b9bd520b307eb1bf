"""The checker is checked: it must name every wrong gradient, and pass every right one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import GradientError, nn
from autograd_core.gradcheck import check_gradients

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4))
MANY = RNG.standard_normal(1000)


def operation(fun: Any, *rules: Any, push: Any = None) -> Any:
    """Make a user's own operation with the rules given, right or wrong."""
    f = ag.primitive(lambda *xs: fun(*xs), name="mine", arity=len(rules))
    f.defvjp(*rules)
    return f.defjvp(*push) if push else f


def blind(x: Any) -> Any:
    """Return x as a constant: its derivative is lost, its value is not."""
    return ag.tensor(x.numpy()) if isinstance(x, ag.Tensor) else x


# -- wrong ones ------------------------------------------------------------------------------------

one_missing = np.ones(1000)
one_missing[777] = 0
tiny_wrong = np.ones((3, 4))
tiny_wrong[1, 2] = 1.001

WRONG: dict[str, tuple[Any, tuple[Any, ...], str]] = {
    "factor 2": (operation(np.sin, lambda g, y, x: 2 * g * np.cos(x)), (X,), r"ratio 2\)"),
    "sign": (operation(np.sin, lambda g, y, x: -g * np.cos(x)), (X,), r"ratio -1\)"),
    "factor 1.001": (operation(np.exp, lambda g, y, x: 1.001 * g * y), (X,), r"ratio 1.001\)"),
    "factor 1.0005, directions": (
        operation(np.exp, lambda g, y, x: 1.0005 * g * y), (MANY,), r"ratio 1.0005\)"),
    "tiny scale": (
        operation(np.sin, lambda g, y, x: 1.01 * g * np.cos(x)), (1e-7 * X,), r"ratio 1.01\)"),
    "tiny gradient": (
        operation(lambda x: 1e-9 * x, lambda g, y, x: 2e-9 * g), (X,), r"ratio 2\)"),
    "zero": (operation(np.sin, lambda g, y, x: 0 * g), (X,), "it is zero everywhere"),
    "nan": (operation(np.sin, lambda g, y, x: g * np.nan), (X,),
            r"the gradient is nan at index \(0, 0\) and 11 more"),
    "one element": (
        operation(np.sin, lambda g, y, x: tiny_wrong * g * np.cos(x)), (X,), r"index \(1, 2\)"),
    "one element of 1,000": (
        operation(np.sin, lambda g, y, x: one_missing * g * np.cos(x)), (MANY,), r"index \(777,\)"),
    "wrong shape": (operation(np.sin, lambda g, y, x: (g * np.cos(x))[:, :2]), (X,), "ValueError"),
    "wrong shape that broadcasts": (
        operation(np.sin, lambda g, y, x: (g * np.cos(x))[0]), (X,), "argument 'argument 0'"),
    "mean for sum": (operation(np.sum, lambda g, y, x: g / 4), (X,), r"1 \(ratio 0.25\)"),
    "ignores the gradient from above": (
        operation(np.sin, lambda g, y, x: np.cos(x)), (X,), "multiply by the incoming gradient"),
    "no sum over the broadcast axis": (
        operation(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g[0]), (X, X[0]), "argument 1"),
    "arguments exchanged": (
        operation(np.multiply, lambda g, y, a, b: g * a, lambda g, y, a, b: g * b), (X, X + 1),
        "argument 0"),
    "subgradient outside": (
        operation(np.abs, lambda g, y, x: 2 * g * np.sign(x) + 3 * g * (x == 0)),
        (np.zeros(1),), "expected between -1 and 1"),
    "detached": (lambda x: x * ag.tensor(x.detach().numpy()), (X,), r"ratio 0.5\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_is_named(name: str) -> None:
    f, inputs, text = WRONG[name]
    with pytest.raises(GradientError, match=text) as caught:
        check_gradients(f, *inputs, modes="reverse")
    report = caught.value.report  # type: ignore[attr-defined]
    assert not report.passed
    assert str(report) in str(caught.value)


def test_the_error_tells_argument_index_value_gradient_expected_and_ratio() -> None:
    double = operation(np.square, lambda g, y, x: 4 * g * x)
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda a, weights: a + double(weights["w"]).sum(), 1.0,
                        {"w": np.array([3.0])}, modes="reverse")  # fmt: skip
    text = str(caught.value).splitlines()[0]
    assert text == (
        "[check_gradients] got gradient 12 for argument \"weights['w']\" at index (0,), "
        "where its value is 3 (reverse), expected 6 (ratio 2): it is 2 times the right one here"
    )
    row = caught.value.report.rows[-1]  # type: ignore[attr-defined]
    assert row.worst.ratio == pytest.approx(2)
    assert row.worst.given == pytest.approx(12)
    assert row.worst.verdict == "wrong"


def test_a_wrong_forward_rule_is_named() -> None:
    wrong = operation(np.sin, lambda g, y, x: g * np.cos(x),
                      push=[lambda t, y, x: 1.0001 * t * np.cos(x)])  # fmt: skip
    check_gradients(wrong, X, modes="reverse")
    with pytest.raises(GradientError, match=r"\(forward\)"):
        check_gradients(wrong, X)
    with pytest.raises(GradientError, match=r"ratio 1.0001\)"):
        check_gradients(wrong, X, modes="forward")


def test_a_wrong_second_order_is_named() -> None:
    wrong = operation(np.sin, lambda g, y, x: g * np.cos(blind(x)))
    assert check_gradients(wrong, X, modes="reverse").passed
    with pytest.raises(GradientError, match=r"gradient -?0 .*order 2"):
        check_gradients(wrong, X, order=2, modes="reverse")


# -- right ones ------------------------------------------------------------------------------------

RIGHT: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "sin": (np.sin, (X,)),
    "sin at 1e4": (np.sin, (np.array(1e4),)),
    "large and small together": (lambda x: x * x, (np.array([1e8, 1e-7]),)),
    "a step lost in rounding": (lambda x: x + 1, (1e-30,)),
    "saturated": (ag.sigmoid, (np.array([30.0, -30.0, 36.0]),)),
    "near the edge of the domain": (np.log, (np.array([1e-9, 1.0, 50.0]),)),
    "hardly any gradient": (lambda x: ag.logsumexp(1000 * x), (X,)),
    "zero gradient": (lambda x: ag.softmax(x, axis=-1).sum(), (X,)),
    "no influence": (lambda x, y: x * 1.0, (X, X)),
    "kink close by": (lambda x: np.abs(x - 1), (np.array([1.001, 0.999, 1.00001]),)),
    "subgradient at a kink": (ag.relu, (np.array([0.0, 1e-6, 1.0]),)),
    "0-d": (lambda x: x**3, (2.0,)),
    "empty": (np.sin, (np.zeros((0, 3)),)),
    "broadcast": (lambda a, b: a * b, (X, X[:, :1])),
    "broadcast, own rules without a sum": (
        operation(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g), (X, X[0])),
    "products": (lambda a, b: a @ b, (X, X.T.copy())),
    "float32 inputs": (lambda a, b: np.tanh(a @ b), (X.astype("f"), ag.tensor(X.T.tolist()))),
    "float32 inside": (lambda a: np.tanh(a.astype(np.float32)), (X,)),
    "many elements": (lambda x: np.tanh(x) ** 2, (MANY,)),
    "nests": (lambda p: {"a": p["w"] * 2, "b": [p["b"] + p["w"]]}, ({"w": X, "b": X[0]},)),
    "an integer input": (lambda w, i: w[i], (X, np.array([0, 2, 2]))),
    "an integer output beside": (lambda x: (x * 2, ag.argmax(x)), (X,)),
    "not contiguous": (lambda x: np.exp(x), (X[:, ::-2].T,)),
    "norm": (np.linalg.norm, (X,)),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_gradient_passes(name: str) -> None:
    f, inputs = RIGHT[name]
    report = check_gradients(f, *inputs)
    assert report.passed
    assert report.max_error < (5e-3 if name == "float32 inside" else 1e-5)


@pytest.mark.parametrize("name", ["sin", "0-d", "empty", "broadcast", "products", "nests", "norm"])
def test_a_right_second_order_passes(name: str) -> None:
    f, inputs = RIGHT[name]
    report = check_gradients(f, *inputs, order=2)
    assert {row.order for row in report.rows} == {1, 2}
    assert {row.mode for row in report.rows} == {"reverse", "forward"}


@pytest.mark.parametrize("seed", range(20))
def test_no_seed_raises_a_false_alarm(seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((5, 3))
    check_gradients(lambda x: ag.softmax(np.tanh(x) @ x.T), x, seed=seed, order=2)


def test_an_operation_without_a_forward_rule_is_noted() -> None:
    f = operation(np.sin, lambda g, y, x: g * np.cos(x))
    report = check_gradients(f, X)
    assert "defjvp" in report.notes[0]
    assert "forward mode was not checked" in str(report)
    with pytest.raises(ag.NotDifferentiableError, match="forward"):
        check_gradients(f, X, modes="forward")


# -- what it leaves alone, and what it refuses -----------------------------------------------------


def test_inputs_are_left_alone() -> None:
    array, tensor = X.astype("f"), ag.tensor(X, requires_grad=True)
    before = array.copy()

    def writes(a: Any, t: Any) -> Any:
        with ag.no_grad():
            y = a * t
        a *= 2
        return a * t + y

    with pytest.raises(GradientError):
        check_gradients(writes, array, tensor)
    assert np.array_equal(array, before)
    assert array.dtype == np.float32
    assert np.array_equal(tensor.numpy(), X)
    assert tensor.grad is None


REFUSED: dict[str, tuple[Any, tuple[Any, ...], type[Exception], str]] = {
    "integers": (lambda x: x, (np.arange(3),), TypeError, "dtype int64, expected something float"),
    "nothing": (lambda: 1.0, (), TypeError, "no inputs"),
    "returns None": (lambda x: None, (X,), TypeError, "returns NoneType.*return y"),
    "returns text": (lambda x: "a", (X,), TypeError, "returns str"),
    "returns integers": (lambda x: ag.argmax(x), (X,), TypeError, "a floating output"),
    "complex": (lambda x: x, (X * 1j,), TypeError, "a complex input"),
    "nan input": (lambda x: x, (X * np.nan,), ValueError, "nan or infinity in 'x'"),
    "nan output": (np.log, (-np.ones(2),), ValueError, "an output that is nan or infinite"),
    "random": (lambda x: x * RNG.random(), (X,), GradientError, "two different results"),
    "not callable": (X, (X,), TypeError, "ndarray"),
    "infinite derivative": (np.sqrt, (np.zeros(1),), GradientError, r"inf at index \(0,\)"),
    "empty module": (nn.Sequential(), (np.arange(3),), TypeError, "module without parameters"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_checked_is_refused(name: str) -> None:
    f, inputs, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        check_gradients(f, *inputs)


@pytest.mark.parametrize(
    ("options", "text"),
    [({"modes": "sideways"}, "modes='sideways'"), ({"order": 0}, "order=0"), ({"wrt": "z"}, "wrt")],
)
def test_options_are_checked(options: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        check_gradients(np.sin, X, **options)


def test_wrt_selects() -> None:
    def arguments(f: Callable[..., Any], *inputs: Any, wrt: Any) -> set[str]:
        return {row.argument for row in check_gradients(f, *inputs, wrt=wrt).rows}

    def f(a: Any, b: Any) -> Any:
        return a["w"] * b

    inputs = {"w": X}, 2.0
    assert arguments(f, *inputs, wrt="all") == {"a['w']", "b"}
    assert arguments(f, *inputs, wrt="a") == {"a['w']"}
    assert arguments(f, *inputs, wrt=1) == {"b"}
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    x = np.ones((1, 2))
    assert arguments(model, x, wrt="parameters") == {
        "0.weight", "0.bias", "1.weight", "1.bias"}  # fmt: skip
    assert arguments(model, x, wrt=["1", "0.bias"]) == {"0.bias", "1.weight", "1.bias"}
    assert len(arguments(model, x, wrt="inputs")) == 1


# -- modules ---------------------------------------------------------------------------------------


class Doubled(nn.Module):
    """A layer with a planted fault, and with state that each call changes."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 2)
        self.scale = ag.Parameter(np.array([1.5], "f"))
        self.calls = 0
        self.last: Any = None

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.last = operation(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: 2 * g * a)(
            self.inner(x), self.scale)  # fmt: skip
        return self.last


def test_a_module_is_checked_by_its_dotted_names_and_left_as_it_was() -> None:
    layer = Doubled()
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises(GradientError, match=r"'scale' at index \(0,\).*ratio 2\)") as caught:
        check_gradients(layer, X)
    rows = caught.value.report.rows  # type: ignore[attr-defined]
    assert {row.argument for row in rows} == {"x", "scale", "inner.weight", "inner.bias"}
    assert layer.calls == 0
    assert layer.last is None
    for name, value in layer.state_dict().items():
        assert np.array_equal(np.asarray(value), np.asarray(before[name]))
    for p in layer.parameters():
        assert p.dtype == np.float32
        assert p.grad is None


def test_a_large_module_is_checked_at_bounded_cost() -> None:
    model = nn.Sequential(nn.Linear(300, 320), nn.Tanh(), nn.Linear(320, 10))
    report = check_gradients(model, RNG.standard_normal((8, 300)))
    assert sum(p.size for p in model.parameters()) > 99_000
    assert report.evaluations < 600
    assert report.max_error < 1e-6
    assert "2.weight" in str(report)


def test_shared_parameters_have_one_name() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(3, 3)
            self.b = self.a

        def forward(self, x: Any) -> Any:
            return self.b(np.tanh(self.a(x)))

    report = check_gradients(Tied(), np.ones((2, 3)), order=2)
    assert [r.argument for r in report.rows if (r.mode, r.order) == ("reverse", 1)] == [
        "x", "a.weight", "a.bias"]  # fmt: skip
