"""What the checker looks at beyond numbers, what it costs, and whose code it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import GradientError, nn
from autograd_core.gradcheck import Report, check_gradients
from autograd_core.gradcheck.compare import along, unit_direction
from autograd_core.gradcheck.problem import Problem

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4))


def refused(f: Any, *inputs: Any, **options: Any) -> Report:
    """Return the report of a check that must fail."""
    with pytest.raises(GradientError) as caught:
        check_gradients(f, *inputs, **options)
    report: Report = caught.value.report
    assert not report.passed
    assert str(report) in str(caught.value)
    return report


def kinds(report: Report) -> list[str]:
    return [hint.kind for hint in report.hints]


# -- plain functions with a backward ---------------------------------------------------------------


def test_vjp_of_one_input_and_of_several() -> None:
    assert check_gradients(np.tanh, X, vjp=lambda g, x: g * (1 - np.tanh(x) ** 2)).passed
    report = check_gradients(lambda x, w: x @ w, X, X.T, vjp=lambda g, x, w: (g @ w.T, x.T @ g))
    assert [row.argument for row in report.rows] == ["x", "w"]
    wrong = refused(lambda x, w: x @ w, X, X.T, vjp=lambda g, x, w: (g @ w.T, 2 * x.T @ g))
    assert [row.argument for row in wrong.rows if not row.passed] == ["w"]
    assert kinds(wrong) == ["factor"]


def test_a_layer_that_remembers_its_input() -> None:
    class Layer:
        x: Any = None

        def forward(self, x: Any) -> Any:
            self.x = x
            return np.exp(x)

        def backward(self, g: Any) -> Any:
            return g * np.exp(self.x)

    layer = Layer()
    assert check_gradients(layer.forward, X, vjp=layer.backward).passed


def test_inputs_that_are_not_floating_are_handed_on() -> None:
    def scatter(g: Any, x: Any, i: Any) -> tuple[Any, None]:
        out = np.zeros_like(x)
        np.add.at(out, i, g)
        return out, None

    index = np.array([0, 2, 2])
    assert check_gradients(lambda x, i: x[i], X, index, vjp=scatter).passed


def test_the_number_of_gradients_and_the_order_are_checked() -> None:
    with pytest.raises(GradientError, match="2 gradients from vjp, expected one for each of 1"):
        check_gradients(np.sin, X, vjp=lambda g, x: (g, g))
    with pytest.raises(ValueError, match="order=2 of a backward written by hand"):
        check_gradients(np.sin, X, vjp=lambda g, x: g * np.cos(x), order=2)
    with pytest.raises(TypeError, match="vjp of type int"):
        check_gradients(np.sin, X, vjp=3)  # type: ignore[arg-type]


def test_pytorch_functions() -> None:
    torch = pytest.importorskip("torch")

    class Square(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, scale: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.scale = scale
            return scale * x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return ctx.scale * 2 * g * x, None

    class Half(Square):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return ctx.scale * g * x, None

    x = torch.tensor(X)
    assert [row.argument for row in check_gradients(Square, x, 3).rows] == ["x"]
    assert check_gradients(Square.apply, x.float(), 3).passed
    assert "1/2" in refused(Half, x, 3).hints[0].text
    assert check_gradients(lambda a, b: torch.tanh(a @ b), x, x.T).passed
    assert check_gradients(lambda a: torch.softmax(a, -1), x).passed
    assert not x.requires_grad


def test_pytorch_modules() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout(0.5), torch.nn.Tanh())
    state = torch.random.get_rng_state()
    for inputs in (torch.tensor(X), X):
        report = check_gradients(model, inputs)
        assert [row.argument for row in report.rows] == ["input", "0.weight", "0.bias"]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model[0].weight.dtype == torch.float32
    assert model[0].weight.grad is None
    one = check_gradients(model, torch.tensor(X), wrt="0.bias")
    assert [row.argument for row in one.rows] == ["0.bias"]


# -- free checks -----------------------------------------------------------------------------------


def test_random_layers_are_replayed_and_the_generator_goes_on_as_if_nothing_was() -> None:
    class Noise(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * nn.random.generator().standard_normal(x.shape)

    nn.manual_seed(3)
    assert check_gradients(Noise(), X).passed
    after = nn.random.generator().random(5)
    nn.manual_seed(3)
    assert np.array_equal(after, nn.random.generator().random(5))
    assert kinds(refused(lambda x: x * RNG.random(), X)) == ["random"]


def test_a_gradient_added_wrongly_to_an_existing_one() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        if isinstance(x, ag.Tensor) and x.is_leaf and x.requires_grad:
            x.register_hook(lambda g: g * 0 if x.grad is not None else g)
        return y

    assert kinds(refused(f, X)) == ["accumulates"]


def test_faults_of_layout() -> None:
    def reads_memory(g: Any, x: Any) -> Any:
        flat = x.ravel(order="K")  # the order in memory, not of the axes
        return g * 2 * flat.reshape(x.shape)

    report = refused(lambda x: x * x, X, vjp=reads_memory)
    assert set(kinds(report)) == {"layout"}
    assert "Fortran" in report.hints[0].text

    def needs_an_axis(g: Any, x: Any) -> Any:
        return g * np.ones(x.shape[0])

    report = refused(lambda x: x * 1.0, np.ones(3), vjp=needs_an_axis)
    assert kinds(report) == ["layout"]
    assert "0-d" in report.hints[0].text


def test_one_array_as_two_inputs() -> None:
    def by_identity(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
        gradients = {id(a): g * b}
        gradients[id(b)] = g * a * (2 if id(a) == id(b) else 1)
        return gradients[id(a)], gradients[id(b)]

    report = refused(lambda a, b: a * b, X, X + 1, vjp=by_identity)
    assert kinds(report) == ["layout"]
    assert "one array as both 'a' and 'b'" in report.hints[0].text


def test_a_float32_backward_is_held_against_the_float64_one() -> None:
    x = RNG.standard_normal(50).astype("f")

    def cancels(g: Any, x: Any) -> Any:  # to no harm in float64
        return (g + x.dtype.type(1e5) * x) - x.dtype.type(1e5) * x + g

    assert check_gradients(lambda x: 2 * x, x, vjp=lambda g, x: 2 * g).passed
    assert kinds(refused(lambda x: 2 * x, x, vjp=cancels)) == ["precision"]
    wide = refused(np.square, x, vjp=lambda g, x: g * 2.0 * x.astype(float))
    assert kinds(wide) == ["dtype"]


# -- modules ---------------------------------------------------------------------------------------


constant = ag.primitive(lambda x: x * 1.0, name="constant")
constant.defvjp(lambda g, y, x: 0 * g)
constant.defjvp(lambda t, y, x: 0 * t)


class TwoFaced(nn.Module):
    """Right in training, wrong in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(np.array([0.5, 2.0, -1.0, 1.5], "f"))
        self.register_buffer("calls", np.zeros(1))

    def forward(self, x: Any) -> Any:
        self.calls += 1
        if self.training:
            return x * self.w
        return x * self.w + constant(x)


def test_both_modes_of_a_module_are_checked_and_nothing_is_left_behind() -> None:
    layer = TwoFaced()
    report = refused(layer, np.ones((2, 4)))
    assert {row.state for row in report.rows if not row.passed} == {"eval"}
    assert layer.training
    assert layer.calls == 0
    assert layer.w.grad is None
    once = check_gradients(nn.Linear(4, 2), X)
    assert {row.state for row in once.rows} == {""}


def test_unused_and_tied_parameters_are_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.idle = nn.Linear(4, 4), nn.Parameter(np.ones(3, "f"))
            self.b = self.a

        def forward(self, x: Any) -> Any:
            return self.b(np.tanh(self.a(x)))

    notes = check_gradients(Odd(), X).notes
    assert "'b.weight' is the same parameter as 'a.weight'" in notes
    assert "'idle' has no influence here: its gradient is 0" in notes


# -- verdicts and options --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "options", "error", "text"),
    [
        (nn.Linear, {}, TypeError, r"the class Linear, expected a module; try Linear\(...\)"),
        (np.sin, {"rtol": 0.0}, ValueError, "rtol=0.0, expected above 0"),
        (np.sin, {"seed": -1}, ValueError, "seed=-1"),
        (np.sin, {"directions": 0}, ValueError, "directions=0"),
        (lambda x: x, {"wrt": "y"}, TypeError, "wrt='y', expected one of x, all, inputs"),
        (np.sin, {"vjp": lambda g, x: "a"}, GradientError, "the gradient has dtype <U1"),
        (np.sin, {"vjp": lambda g, x: None}, GradientError, "None came where there is a gradient"),
        (np.sin, {"vjp": lambda a, b, c: a}, GradientError, "backward raised TypeError"),
    ],
)
def test_nonsense_is_explained(f: Any, options: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        check_gradients(f, X, **options)


def test_kinks() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    assert check_gradients(np.abs, x, vjp=lambda g, x: 0.3 * g * (x == 0) + g * np.sign(x)).passed
    report = refused(np.abs, x, vjp=lambda g, x: 1.1 * g * (x == 0) + g * np.sign(x))
    assert kinds(report) == ["subgradient"]
    low, high = report.rows[0].worst.sides  # of u |x|, for a random u
    assert low == pytest.approx(-high)
    assert high > 0
    assert abs(report.rows[0].worst.given) == pytest.approx(1.1 * high)
    assert kinds(refused(np.abs, x, vjp=lambda g, x: g * np.sign(x), on_kink="raise"))
    with pytest.raises(ValueError, match="on_kink='pass'"):
        check_gradients(np.abs, x, on_kink="pass")  # type: ignore[arg-type]


def test_a_kink_among_many_does_not_hide_a_fault() -> None:
    x = RNG.standard_normal(300)
    x[17] = 0.0
    mask = np.ones(300)
    mask[200] = 1.001
    assert check_gradients(np.abs, x, vjp=lambda g, x: g * np.sign(x)).passed
    report = refused(np.abs, x, vjp=lambda g, x: g * np.sign(x) * mask)
    assert report.rows[0].worst.index == (200,)


def test_inconclusive_is_no_pass_unless_allowed() -> None:
    def noisy(x: Any) -> Any:
        return x + 0.1 * np.sin(1e15 * x)

    def backward(g: Any, x: Any) -> Any:
        return g * np.ones(x.shape)

    report = refused(noisy, X, vjp=backward)
    assert set(kinds(report)) == {"inconclusive"}
    assert "neither confirm nor refute" in str(report)
    assert check_gradients(noisy, X, vjp=backward, allow_inconclusive=True).passed


@pytest.mark.parametrize(
    "f", [np.sin, np.exp, np.abs, np.square, lambda x: np.floor(3 * x), lambda x: np.sin(1e4 * x)]
)
@pytest.mark.parametrize("x", [0.3, 500.0, 1e-7, 0.0])
def test_a_direction_costs_at_most_24_evaluations(f: Any, x: float) -> None:
    problem = Problem(["x"], [np.array([x])], lambda xs: [f(xs[0])], lambda xs: lambda us: [us[0]])
    problem.prepare(np.random.default_rng(0), None)
    before = problem.evaluations
    v = unit_direction(problem.xs[0], (0,))
    along(problem, 0, v, problem.us[0] * v * 0)
    assert problem.evaluations - before <= 24 + 4  # 4 more look for a kink


def test_a_million_parameters_cost_little() -> None:
    model = nn.Sequential(nn.Linear(784, 1000), nn.Tanh(), nn.Linear(1000, 216))
    report = check_gradients(model, RNG.standard_normal((2, 784)), directions=2)
    assert sum(p.size for p in model.parameters()) > 1_000_000
    assert report.evaluations < 300
    assert all(len(row.comparisons) == 2 for row in report.rows if row.mode == "reverse")


def test_the_report_in_a_notebook() -> None:
    report = refused(np.sin, X, vjp=lambda g, x: -g * np.cos(x))
    page = report._repr_html_()
    assert page.count("<tr") == 2
    assert "minus the right one" in page
    assert "-1" in page
    faulty = refused(np.sin, X, vjp=lambda g, x: np.cos(x))._repr_html_()
    assert "multiply by the incoming gradient" in faulty
    assert "<script" not in check_gradients(lambda x: x * 1, X)._repr_html_()


@pytest.mark.parametrize("seed", range(4))
def test_a_gradient_that_is_zero_by_cancellation_passes_in_float32(seed: int) -> None:
    """Batch normalization takes out what a bias before it adds: rounding is left, in each precision."""
    nn.manual_seed(seed)
    x = np.random.default_rng(seed).normal(size=(5, 4))
    report = check_gradients(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), x, seed=seed)
    assert {row.argument for row in report.rows} >= {"x", "0.bias"}


def test_outputs_with_kinks_of_their_own_choose_sides_of_their_own() -> None:
    """A maximum of equal numbers takes the first: of max(b, c) - max(a, b) that is no side of b's kink."""
    nn.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2))
    report = check_gradients(model, np.zeros((1, 1, 4, 4)))  # as of an image's black border
    assert any(c.verdict == "kink" for row in report.rows for c in row.comparisons)
    pooled = lambda x: np.array([max(x[0], x[1]), max(x[1], x[2])])
    wrong = lambda g, x: np.array([g[0], 2 * g[0] + g[1], 0.0])
    with pytest.raises(GradientError, match="ties counted more than once"):
        check_gradients(pooled, np.zeros(3), vjp=wrong)
