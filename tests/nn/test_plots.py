"""Plots: what stands in the picture is what was measured, and odd input makes a picture too."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

pytest.importorskip("matplotlib", reason="not installed: pip install 'autograd-core[plot]'")

F, P = nn.functional, nn.plots
RNG = np.random.default_rng(0)


def drawn(figure: Any) -> Any:
    """Draw all of it, as saving does, where every warning is an error."""
    figure.savefig(io.BytesIO(), dpi=20)
    return figure


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.lines}


def texts(ax: Any) -> list[str]:
    return [t.get_text() for t in ax.texts]


# -- curves ----------------------------------------------------------------------------------------


def test_a_list_of_losses() -> None:
    values = np.linspace(4, 1, 40)
    (ax,) = drawn(P.learning_curve(values.tolist(), window=4)).axes
    found = lines(ax)
    assert np.array_equal(found["each step"].get_ydata(), values)
    means = [values[i - 3 : i + 1].mean() for i in range(3, 40)]
    np.testing.assert_allclose(found["mean of 4"].get_ydata(), means)
    assert found["mean of 4"].get_xdata()[0] == 4
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "log")
    (ax,) = P.learning_curve(values, log=False).axes
    assert ax.get_yscale() == "linear"
    assert "mean of 2" in lines(ax)


def test_a_history_has_a_panel_for_each_quantity() -> None:
    history = {"loss": [4.0, 0.1], "val_loss": [5.0, 0.2], "accuracy": [0.5, 0.75], "lr": [0.1, 0.1]}
    axes = drawn(P.learning_curve(history)).axes
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy", "lr"]
    assert [ax.get_yscale() for ax in axes] == ["log", "linear", "linear"]
    assert {name: line.get_ydata().tolist() for name, line in lines(axes[0]).items()} == {
        "loss": [4.0, 0.1], "val loss": [5.0, 0.2]}  # fmt: skip
    assert axes[0].get_xlabel() == "epoch"
    assert axes[0].get_legend() is not None
    assert axes[1].get_legend() is None
    (ax,) = drawn(P.learning_curve(history | {"seconds": [1.0, 1.0]}, names=["val_loss"])).axes
    assert list(lines(ax)) == ["val loss"]
    assert len(P.learning_curve(history | {"seconds": [1.0, 1.0]}).axes) == 3


def test_runs_are_compared_in_one_panel() -> None:
    a, b = np.linspace(4, 1, 40), np.linspace(4, 2, 300)
    (ax,) = drawn(P.comparison({"a": a, "b": b})).axes
    found = lines(ax)
    assert np.array_equal(found["a"].get_ydata(), a)
    np.testing.assert_allclose(found["b"].get_ydata(), [b[i : i + 15].mean() for i in range(286)])
    assert found["b"].get_xdata()[[0, -1]].tolist() == [15, 300]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "log")
    runs = {"one": {"loss": [1.0], "val_accuracy": [0.5, 0.75]}, "two": {"val_accuracy": [0.25]}}
    (ax,) = drawn(P.comparison(runs, "val_accuracy")).axes
    assert {name: line.get_ydata().tolist() for name, line in lines(ax).items()} == {
        "one": [0.5, 0.75], "two": [0.25]}  # fmt: skip
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "val accuracy", "linear")


def test_the_steps_of_a_history_are_drawn_under_its_epochs() -> None:
    class History(dict[str, Any]):
        steps: dict[str, Any]

    history = History({"loss": [3.0, 2.0]})
    history.steps = {"loss": [4.0, 3.0, 2.5, 2.0, 1.5, 1.0]}
    (ax,) = drawn(P.learning_curve(history, window=2)).axes
    assert lines(ax)["each step"].get_xdata()[-1] == 2  # epochs
    assert "mean of 2" in lines(ax)
    del history["loss"]
    (ax,) = drawn(P.learning_curve(history)).axes
    assert ax.get_xlabel() == "step"


def test_an_average_passes_over_what_is_not_finite() -> None:
    (ax,) = drawn(P.learning_curve([1.0, 3.0, np.nan, np.inf, 5.0], window=2)).axes
    found = lines(ax)
    np.testing.assert_array_equal(found["mean of 2"].get_ydata(), [2, 3, np.nan, 5])
    assert found["2 not finite"].get_xdata()[0] == 3


def test_an_epoch_without_a_value_is_a_gap() -> None:
    curves = {"loss": [3.0, 2.0, 1.0, np.inf], "val_loss": [np.nan, 2.5, np.nan, 2.0]}
    found = lines(drawn(P.learning_curve(curves)).axes[0])
    assert found["val loss"].get_xydata().tolist() == [[2, 2.5], [4, 2]]
    assert found["1 not finite"].get_xdata()[0] == 4


def test_rates() -> None:
    (ax,) = drawn(P.schedule(lambda step: 0.5**step, 4)).axes
    assert ax.lines[0].get_ydata().tolist() == [1, 0.5, 0.25, 0.125]
    figure = drawn(P.schedule({str(i): [i, 0] for i in range(10)}, log=False))
    assert len({(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}) == 10
    rates = np.geomspace(1e-4, 10, 6)
    (ax,) = drawn(P.lr_range(rates, [2.0, 1.9, 1.0, 1.0, 80.0, np.inf], suggestion=1e-2)).axes
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[1] == 3  # the valley's depth above the start: divergence does not hide it
    assert lines(ax)["rate 0.01"].get_xdata()[0] == 0.01
    assert lines(ax)["not finite from here"].get_xdata()[0] == pytest.approx(10)


# -- matrices and images ---------------------------------------------------------------------------


def test_the_confusion_matrix_shows_counts_and_shares() -> None:
    figure = drawn(P.confusion_matrix([[3, 1], [0, 0]], class_names=["no", "yes"], percent=True))
    ax = figure.axes[0]
    assert texts(ax) == ["3\n75%", "1\n25%", "0", "0"]
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["no", "yes"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_three_ways_to_a_confusion_matrix() -> None:
    scores, target = RNG.normal(size=(30, 4)), RNG.integers(0, 4, 30)
    metric = optim.metrics.ConfusionMatrix()
    metric.update(scores, target)
    expected = [str(n) for n in metric.compute().ravel()]
    for given in [(metric,), (metric.compute(),), (scores, target), (scores.argmax(1), target)]:
        assert texts(drawn(P.confusion_matrix(*given)).axes[0]) == expected


def test_weights_share_a_symmetric_scale() -> None:
    w = np.zeros((3, 4))
    w[0, 3], w[1, 0] = -2.0, 1.0
    figure = drawn(P.weights_as_images(w))
    shown = [ax.images[0] for ax in figure.axes if ax.images]
    np.testing.assert_array_equal(shown[0].get_array(), [[0, 0], [0, -2]])
    assert {image.get_clim() for image in shown} == {(-2.0, 2.0)}
    each = [ax.images[0].get_clim() for ax in P.weights_as_images(w, each=True).axes]
    assert each == [(-2, 2), (-1, 1), (-1, 1)]
    model = nn.MLP([6, 2, 3])
    image = P.weights_as_images(model, shape=(2, 3)).axes[1].images[0].get_array()
    np.testing.assert_array_equal(image, model[0].weight.numpy()[1].reshape(2, 3))


def test_filters() -> None:
    colours = RNG.normal(size=(2, 3, 5, 4))
    image = drawn(P.weights_as_images(colours)).axes[1].images[0].get_array()
    assert image.shape == (5, 4, 3)
    np.testing.assert_allclose(image[2, 1], 0.5 + colours[1, :, 2, 1] / (2 * np.abs(colours).max()))
    figure = drawn(P.weights_as_images(RNG.normal(size=(2, 5, 3, 3))))
    assert sum(bool(ax.images) and ax.get_title() != "" for ax in figure.axes) == 10


def test_images_and_their_labels() -> None:
    x, y = nn.data.digits()
    figure = drawn(P.images(x[:6], y[:6], predicted=[0, 1, 2, 3, 4, 9], columns=3))
    assert [ax.get_title() for ax in figure.axes] == ["0", "1", "2", "3", "4", "9, not 5"]
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), x[2].reshape(8, 8))
    names = [f"the name {c}" for c in range(10)]
    figure = drawn(P.images(x[:2], y[:2], class_names=names))
    assert figure.axes[1].get_title() == "the name 1"
    for colour in (RNG.random((2, 3, 4, 5)), RNG.normal(size=(2, 4, 5, 3)), np.zeros((2, 3, 4, 5), np.uint8)):
        image = drawn(P.images(colour)).axes[0].images[0].get_array()
        assert image.shape == (4, 5, 3)
        assert 0 <= image.min() <= image.max() <= 1
    assert len(P.images(np.zeros((100, 9))).axes) == 64


# -- histograms ------------------------------------------------------------------------------------


def test_activation_histograms() -> None:
    nn.manual_seed(0)
    model = nn.MLP([4, 50, 50, 2], activation="tanh")
    x = RNG.normal(size=(20, 4))
    figure = drawn(P.activation_histograms(model, x, bins=10))
    table = nn.statistics.layer_statistics(model, x)
    for ax, name, module, row in zip(figure.axes, ["1", "3"], [model[:2], model[:4]], table, strict=True):
        y = module(x).numpy()
        counts, edges = np.histogram(y, bins=10, range=(-1, 1))
        np.testing.assert_allclose(ax.patches[0].get_data().values, counts / y.size)
        np.testing.assert_allclose(ax.patches[0].get_data().edges, edges)
        title = ax.get_title().splitlines()
        assert title == [f"{name}: Tanh", f"mean {row.mean:.2g}, std {row.std:.2g}",
                         f"saturated {row.saturated:.0%}"]  # fmt: skip


def test_zeros_of_a_rectifier_are_told_and_not_drawn() -> None:
    x = np.array([[-1.0, 2.0], [-1.0, 1.0], [-1.0, 1.9], [-1.0, -3.0]])
    (ax,) = drawn(P.activation_histograms(nn.ReLU(), x, bins=2)).axes
    assert ax.get_title().endswith("zero 62%, dead 50%")
    np.testing.assert_allclose(ax.patches[0].get_data().values, [1 / 3, 2 / 3])


def test_gradient_histograms() -> None:
    nn.manual_seed(0)
    model = nn.MLP([4, 5, 2], activation="tanh")
    x, y = RNG.normal(size=(6, 4)), np.zeros(6, int)
    with pytest.raises(ValueError, match="no gradients"):
        P.gradient_histograms(model)
    figure = drawn(P.gradient_histograms(model, x, loss=lambda out: F.cross_entropy(out, y), layers="all"))
    assert len(figure.axes) == 3
    assert all(p.grad is None for p in model.parameters())
    F.cross_entropy(model(x), y).backward()
    figure = drawn(P.gradient_histograms(model, share_x=False))
    assert [ax.get_title().splitlines()[0] for ax in figure.axes] == [
        "0.weight", "0.bias", "2.weight", "2.bias"]  # fmt: skip
    norm = float(np.linalg.norm(model[0].weight.grad))
    assert f"norm {norm:.2g}" in figure.axes[0].get_title()
    with pytest.raises(ValueError, match="inputs without a loss"):
        P.gradient_histograms(model, x)


# -- planes ----------------------------------------------------------------------------------------


def regions(model: Any, y: Any = (0, 1), **settings: Any) -> Any:
    x = np.array([[-1.0, -1.0], [1.0, 1.0]])
    return drawn(P.decision_regions(model, x, np.array(y), resolution=11, **settings))


@pytest.mark.parametrize(
    "model",
    [
        lambda x: x[:, 0] * 5, lambda x: x[:, :1] * 5, lambda x: np.stack([-x[:, 0], 4 * x[:, 0]], 1),
        lambda x: (x[:, 0] > 0).astype(float),
    ],
    ids=["logits", "column", "two", "probabilities"],
)  # fmt: skip
def test_regions_of_two_classes(model: Any) -> None:
    image = regions(model).axes[0].images[0].get_array()
    left, right = image[5, 0], image[5, -1]
    assert left[2] > left[0]  # blue, class 0
    assert right[0] > right[2]  # orange, class 1
    np.testing.assert_allclose(image[0], image[-1])  # the other variable decides nothing


def test_regions_fade_with_doubt() -> None:
    image = regions(lambda x: x[:, 0] * 5).axes[0].images[0].get_array()
    assert image[5, 5].min() > image[5, 3].min() > image[5, 0].min()  # whiter towards the border


def test_a_module_is_asked_in_evaluation_mode() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
    first = regions(model, [0, 2]).axes[0].images[0].get_array()
    np.testing.assert_array_equal(first, regions(model, [[0], [2]]).axes[0].images[0].get_array())
    assert model.training
    assert model[1].training


def test_regions_of_labels_minus_one_and_one() -> None:
    figure = regions(lambda x: x[:, 0], [-1, 1], class_names=["no", "yes"])
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["no", "yes"]


@pytest.mark.parametrize("names", [[0, 1, 2], [0, 1], [-1, 1]], ids=str)
def test_integers_are_the_predicted_classes(names: list[int]) -> None:
    def predict(x: Any) -> Any:
        return np.array(names)[np.digitize(x[:, 0], [-0.5, 0.5][: len(names) - 1])]

    def chances(x: Any) -> Any:
        return np.eye(len(names))[np.searchsorted(names, predict(x))]

    shown, expected = (drawn(P.decision_regions(f, POINTS)).axes[0].images[0].get_array()
                       for f in (predict, chances))  # fmt: skip
    np.testing.assert_array_equal(shown, expected)


def test_a_surface_and_paths() -> None:
    path = ag.tensor([[1.0, 1.0], [0.5, 0.0], [np.nan, 0.0], [0.0, 0.0]])
    figure = drawn(P.contour(lambda x, y: x**2 + y**2, (-1, 2), (-2, 2), paths={"GD": path}, minimum=(0, 0)))
    ax = figure.axes[0]
    assert lines(ax)["GD, not finite"].get_xydata().tolist() == [[1, 1], [0.5, 0]]
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-1, 2, -2, 2)
    ranks = ax.images[0].get_array()
    assert ranks.argmin() in (74 * 150 + 50, 75 * 150 + 50, 74 * 150 + 49, 75 * 150 + 49) or ranks.min() == 0
    assert ranks[0, 0] < ranks[0, -1]  # (-1, -2) is lower than (2, -2)
    by_number = P.contour(lambda x, y: max(x, 0.0) + abs(y), (-1, 1), (-1, 1), resolution=20)
    assert by_number.axes[0].images[0].get_array().shape == (20, 20)


# -- all of them -----------------------------------------------------------------------------------

POINTS = RNG.normal(size=(40, 2))
ODD: dict[str, Callable[[], Any]] = {
    "one step": lambda: P.learning_curve([0.5]),
    "constant": lambda: P.learning_curve([2.0] * 30),
    "nearly constant": lambda: P.learning_curve(1 + 1e-6 * RNG.random(30)),
    "zero": lambda: P.learning_curve(np.zeros(30)),
    "negative": lambda: P.learning_curve(-np.arange(30)),
    "nan alone": lambda: P.learning_curve([np.nan] * 3),
    "integers": lambda: P.learning_curve(np.arange(1, 9)),
    "a Tensor": lambda: P.learning_curve(ag.tensor([1.0, 2.0], requires_grad=True)),
    "window above length": lambda: P.learning_curve([1.0, 2.0], window=5),
    "seven quantities": lambda: P.learning_curve({c: [1.0, 2.0] for c in "abcdefg"}),
    "one class": lambda: P.confusion_matrix([[7]]),
    "fifty classes": lambda: P.confusion_matrix(np.eye(50, dtype=int)),
    "a hundred classes": lambda: P.confusion_matrix(np.eye(100), class_names=["a long name"] * 100),
    "one filter": lambda: P.weights_as_images(np.ones((1, 1, 1, 1))),
    "zero weights": lambda: P.weights_as_images(np.zeros((4, 3, 2, 2))),
    "nan weights": lambda: P.weights_as_images(np.full((2, 4), np.nan)),
    "one black image": lambda: P.images(np.zeros((1, 2, 2)), ["night"]),
    "constant outputs": lambda: P.activation_histograms(nn.ReLU(), -np.ones((3, 2))),
    "outputs of nan": lambda: P.activation_histograms(nn.Tanh(), np.full((3, 2), np.nan)),
    "one point": lambda: P.decision_regions(lambda x: x[:, 0], POINTS[:1], [1]),
    "no labels": lambda: P.decision_regions(lambda x: x, POINTS),
    "one class everywhere": lambda: P.decision_regions(lambda x: np.ones(len(x)), POINTS, np.ones(40)),
    "ten classes": lambda: P.decision_regions(lambda x: np.tile(x, 5), POINTS, np.arange(40) % 10),
    "outputs nan": lambda: P.decision_regions(lambda x: np.log(x), POINTS, np.arange(40) % 2),
    "flat surface": lambda: P.contour(lambda x, y: 0 * x, (0, 1), (0, 1)),
    "surface with a hole": lambda: P.contour(lambda x, y: np.log(x) + y, (-1, 1), (0, 1)),
    "path outside": lambda: P.contour(lambda x, y: x + y, (0, 1), (0, 1), paths={"a": [[5, 5], [9, 9]]}),
    "one rate": lambda: P.schedule([0.1]),
    "rates of nan": lambda: P.lr_range([0.1, 1.0], [np.nan, np.nan]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_input_makes_a_picture(name: str) -> None:
    with np.errstate(all="ignore"):
        figure = ODD[name]()
    assert drawn(figure).axes


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: P.learning_curve([]), ValueError, r"\[learning_curve\] got losses of shape \(0,\)"),
    (lambda: P.learning_curve({}), ValueError, "no curves"),
    (lambda: P.learning_curve({"a": [1.0]}, names=["b"]), ValueError, "the name 'b', expected one of a"),
    (lambda: P.learning_curve({"a": [[1.0]]}), ValueError, r"got a of shape \(1, 1\)"),
    (lambda: P.learning_curve(["a"]), TypeError, "expected real numbers"),
    (lambda: P.learning_curve([1.0], window=0), ValueError, "window=0"),
    (lambda: P.comparison({}), ValueError, "no runs"),
    (lambda: P.comparison([1.0]), ValueError, "runs of type list"),
    (lambda: P.comparison({"a": [1.0]}, window=0), ValueError, "window=0"),
    (lambda: P.comparison({"a": {"loss": [1.0]}}, "lr"), KeyError, "'lr', which the run 'a' has not"),
    (lambda: P.schedule(lambda i: i), ValueError, "steps=None.*try steps=100"),
    (lambda: P.lr_range([1.0], [1.0, 2.0]), ValueError, "1 rates and 2 losses"),
    (lambda: P.confusion_matrix(np.ones((2, 3))), ValueError, r"shape \(2, 3\)"),
    (lambda: P.confusion_matrix(np.ones((2, 2)), class_names=["a"]), ValueError, "1 names, expected 2"),
    (lambda: P.confusion_matrix(np.eye(3), np.arange(3) + 1), IndexError, "classes 1 to 3, expected 0 to 2"),
    (lambda: P.confusion_matrix(np.eye(3), np.arange(3.0)), ValueError, "dtype float64"),
    (lambda: P.confusion_matrix(np.eye(2)[:, :1], [0, 0]), ValueError, r"try output.reshape\(-1\) > 0"),
    (lambda: P.confusion_matrix([0.5, -1.0], [0, 1]), ValueError, r"try output.reshape\(-1\) > 0"),
    (lambda: P.confusion_matrix(np.eye(2) * np.nan, [0, 1]), ValueError, "NaN among the scores"),
    (lambda: P.confusion_matrix(np.diag([1, np.inf])), ValueError, "finite counts"),
    (lambda: P.weights_as_images(np.ones((2, 7))), ValueError, "7 pixels in a row.*shape="),
    (lambda: P.weights_as_images(np.ones(3)), ValueError, r"weights of shape \(3,\)"),
    (lambda: P.weights_as_images(nn.ReLU()), ValueError, "a ReLU without weights"),
    (lambda: P.images(np.ones((2, 5, 4, 4))), ValueError, "1 or 3 channels"),
    (lambda: P.images(np.ones((2, 4)), [1]), ValueError, r"labels of shape \(1,\), expected \(2,\)"),
    (lambda: P.images(np.ones((2, 4)), [0, 2], class_names=["a", "b"]), ValueError, "0 to 2 and 2 names"),
    (lambda: P.images(np.ones((2, 4)), [0.5, 1], class_names=["a", "b"]), ValueError, "from 0.5"),
    (lambda: P.images(np.ones((2, 4)), most=0), ValueError, "most=0"),
    (lambda: P.images(np.ones((2, 4)), most=-1), ValueError, "most=-1"),
    (lambda: P.images(np.ones((2, 4)), columns=0), ValueError, "columns=0"),
    (lambda: P.weights_as_images(np.ones((2, 4)), most=0), ValueError, "most=0"),
    (lambda: P.decision_regions(lambda x: x, POINTS, resolution=0), ValueError, "resolution=0"),
    (lambda: P.contour(lambda x, y: x, (0, 1), (0, 1), resolution=1.5), TypeError, "resolution=1.5"),
    (lambda: P.lr_range([1.0], [1.0], smooth=[1.0, 2.0]), ValueError, "2 losses and 1 rates"),
    (lambda: P.activation_histograms(nn.ReLU(), np.ones(2), bins=0), ValueError, "bins=0"),
    (lambda: P.decision_regions(len, np.ones((3, 4))), ValueError, "principal components"),
    (lambda: P.decision_regions(lambda x: x[:3], POINTS), ValueError, "for 40000 points"),
    (lambda: P.decision_regions(lambda x: x, POINTS, np.eye(40)), ValueError, r"try y.argmax\(1\)"),
    (lambda: P.contour(lambda x, y: x, (1, 0), (0, 1)), ValueError, r"xlim=\(1, 0\)"),
    (lambda: P.contour(lambda x, y: x * np.nan, (0, 1), (0, 1)), ValueError, "without finite values"),
    (lambda: P.contour(lambda x, y: x, (0, 1), (0, 1), paths={"a": [1, 2]}), ValueError, "the path 'a'"),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_picture_shows_itself_and_pyplot_stays_out() -> None:
    code = ("import sys; from autograd_core import nn; figure = nn.plots.learning_curve([2.0, 1.0]); "
            "print(figure._repr_png_()[1:4], 'matplotlib.pyplot' in sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "b'PNG' False"


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nn.plots.canvas._picture.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for call in (lambda: P.learning_curve([1.0]), lambda: P.images(np.ones((1, 4)))):
        with pytest.raises(ImportError, match=r"no matplotlib.*pip install 'autograd-core\[plot\]'"):
            call()
