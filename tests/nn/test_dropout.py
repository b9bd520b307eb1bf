"""Dropout and noise: what is drawn, how often, and what it averages to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.node import strip

F = nn.functional
N = 200_000


def within(count: float, n: int, p: float) -> bool:
    """Tell whether so many successes of n are at most 4 standard deviations of the binomial away from n p."""
    return abs(count - n * p) <= 4 * math.sqrt(n * p * (1 - p))


# -- which elements --------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.5, 0.25, 3 / 256, 0.1, 0.3, 0.9, 1e-4])  # the first three take a byte each
@pytest.mark.parametrize("seed", [0, 1])
def test_elements_are_dropped_with_probability_p(p: float, seed: int) -> None:
    nn.manual_seed(seed)
    y = F.dropout(np.ones(N + 3, np.float32), p)
    dropped = y == 0
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[~dropped], 1 / (1 - p), rtol=1e-6)
    assert within(dropped.sum(), N + 3, p)
    assert abs(np.corrcoef(dropped[1:], dropped[:-1])[0, 1]) < 4 / math.sqrt(N), "neighbours go together"
    assert abs(y.mean() - 1) <= 4 * math.sqrt(p / (1 - p) / N)


CHANNELS = [("Dropout1d", (500, 40, 3)), ("Dropout2d", (500, 40, 2, 3)), ("Dropout3d", (500, 40, 1, 2, 3)),
            ("FeatureAlphaDropout", (500, 40, 2, 3))]  # fmt: skip


@pytest.mark.parametrize(("name", "shape"), CHANNELS, ids=[name for name, _ in CHANNELS])
def test_channels_are_dropped_whole(name: str, shape: Any) -> None:
    nn.manual_seed(0)
    y = np.asarray(getattr(nn, name)(0.3)(np.ones(shape))).reshape(*shape[:2], -1)
    assert (y == y[..., :1]).all()
    kept = y[..., 0].max()
    assert within((y[..., 0] != kept).sum(), shape[0] * shape[1], 0.3)


@pytest.mark.parametrize(("name", "shape"), [("dropout1d", (40, 3)), ("dropout3d", (40, 1, 2, 3))])
def test_channels_without_a_batch(name: str, shape: Any) -> None:
    nn.manual_seed(0)
    y = np.asarray(getattr(F, name)(np.ones(shape))).reshape(shape[0], -1)
    assert (y == y[:, :1]).all()
    assert 0 < (y == 0).mean() < 1


def test_one_seed_gives_one_mask_in_both_precisions() -> None:
    for layer in (nn.Dropout(0.3), nn.AlphaDropout(0.3), nn.GaussianNoise(0.3)):
        x = np.linspace(-1, 1, 50)
        nn.manual_seed(3)
        first = layer(x)
        assert not np.array_equal(layer(x), first)
        nn.manual_seed(3)
        np.testing.assert_array_equal(layer(x), first)
        nn.manual_seed(3)
        low = layer(x.astype(np.float32))
        assert low.dtype == np.float32
        np.testing.assert_allclose(low, first, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [nn.Dropout(), nn.AlphaDropout(), nn.GaussianNoise()],
    ids=lambda v: type(v).__name__
)
def test_in_evaluation_the_input_is_returned(layer: Any) -> None:
    x = ag.tensor(np.ones(5), requires_grad=True)
    assert layer.eval()(x) is x
    assert layer.train()(x) is not x


def test_all_and_nothing() -> None:
    x = ag.tensor(np.arange(1.0, 4.0), requires_grad=True)
    assert F.dropout(x, 0.0) is x
    y = F.dropout(x, 1.0)
    y.sum().backward()
    assert (y.numpy() == 0).all()
    assert (strip(x.grad) == 0).all()
    assert (F.alpha_dropout(x, 1.0, training=True).numpy() == 0).all()


def test_the_gradient_passes_where_the_value_did_and_a_byte_is_kept_of_each() -> None:
    x = ag.tensor(np.full(1000, 3.0), requires_grad=True)
    y = F.dropout(x, 0.25)
    node: Any = y.node
    assert node.inputs[1].dtype == bool
    assert node.output is None
    y.sum().backward()
    np.testing.assert_allclose(strip(x.grad), y.numpy() / 3)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    nn.manual_seed(0)
    x = np.random.default_rng(1).normal(size=N)
    for p in (0.1, 0.5):
        y = nn.AlphaDropout(p)(x)
        assert abs(y.mean()) < 4 / math.sqrt(N)
        assert abs(y.var() - 1) < 4 * math.sqrt(3 / N)  # of y^2, whose variance is less than 3
        limit = -1.0507009873554805 * 1.6732632423543772  # of selu
        a = ((1 - p) * (1 + p * limit**2)) ** -0.5
        dropped = np.isclose(y, a * limit * (1 - p), rtol=1e-12)
        assert within(dropped.sum(), N, p)
        np.testing.assert_allclose(y[~dropped], (a * x - a * limit * p)[~dropped], atol=1e-12)
    np.testing.assert_array_equal(F.alpha_dropout(x), x)  # as in PyTorch, training=False by default


# -- noise -----------------------------------------------------------------------------------------


def test_gaussian_noise_has_its_mean_and_deviation() -> None:
    nn.manual_seed(0)
    noise = nn.GaussianNoise(0.2)(np.full(N, 5.0)) - 5
    assert abs(noise.mean()) < 4 * 0.2 / math.sqrt(N)
    assert abs(noise.std() - 0.2) < 4 * 0.2 / math.sqrt(2 * N)


def test_label_noise_is_label_smoothing_on_average() -> None:
    nn.manual_seed(0)
    logits = np.random.default_rng(0).normal(size=(1, 4))
    t = nn.LabelNoise(4, 0.3)(np.full(N, 2))
    assert t.dtype == int
    assert within((t != 2).sum(), N, 0.3 * 3 / 4)
    losses = F.cross_entropy(np.repeat(logits, N, 0), t, reduction="none")
    expected = F.cross_entropy(logits, np.array([2]), label_smoothing=0.3)
    assert abs(losses.mean() - expected) < 4 * losses.std() / math.sqrt(N)
    with pytest.raises(TypeError, match=r"LabelNoise\] got targets of dtype float64, expected class indices"):
        nn.LabelNoise(4)(np.ones(3))


def test_drop_connect_has_the_mean_of_the_whole_weights() -> None:
    nn.manual_seed(0)
    layer, x, draws = nn.DropConnect(nn.Linear(6, 3), 0.4), np.random.default_rng(0).normal(size=(2, 6)), 4000
    with ag.no_grad():
        y = np.stack([np.asarray(layer(x)) for _ in range(draws)])
        whole = np.asarray(layer.eval()(x))
    assert (np.abs(y.mean(0) - whole) < 4.5 * y.std(0) / math.sqrt(draws)).all()
    variance = (x**2) @ (layer.layer.weight.numpy().T ** 2) * 0.4 / 0.6
    np.testing.assert_allclose(y.var(0), variance, rtol=0.15)
    np.testing.assert_array_equal(whole, layer.layer(x).numpy())


def test_drop_connect_drops_weights_and_teaches_those_that_are_left() -> None:
    nn.manual_seed(0)
    inner = nn.Linear(50, 40)
    layer = nn.DropConnect(inner, 0.25)
    layer(np.ones((1, 50))).sum().backward()
    grads = strip(inner.weight.grad)
    assert set(np.unique(grads.round(5))) == {0.0, np.float32(1.33333)}
    assert within((grads == 0).sum(), 2000, 0.25)
    assert (strip(inner.bias.grad) == 1).all()
    assert isinstance(inner.__dict__["weight"], nn.Parameter)
    assert list(layer.state_dict()) == ["layer.weight", "layer.bias"]


class Steps(nn.Module):
    """Uses one weight twice, and shares it with a layer below."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(np.eye(3, dtype=np.float32))
        self.below = nn.Linear(3, 3, bias=False)
        self.below.weight = self.w

    def forward(self, x: Any, fail: bool = False) -> Any:
        if fail:
            raise RuntimeError("in the middle")
        return x @ self.w.T, self.below(x)


def test_weight_noise_is_one_draw_for_a_call() -> None:
    layer = nn.WeightNoise(Steps(), 0.5)
    first, second = layer(np.eye(3, dtype=np.float32))
    np.testing.assert_array_equal(first.numpy(), second.numpy())
    assert not np.array_equal(first.numpy(), layer(np.eye(3))[0].numpy())
    with pytest.raises(RuntimeError, match="in the middle"):
        layer(np.eye(3), fail=True)
    np.testing.assert_array_equal(layer.eval()(np.eye(3))[0].numpy(), np.eye(3))


def test_weight_noise_on_a_recurrent_layer() -> None:
    nn.manual_seed(0)
    layer = nn.WeightNoise(nn.RNN(2, 3), 0.1, names=["weight_hh_l0"])
    x = np.ones((4, 5, 2))
    (y, _), (z, _) = layer(x), layer(x)
    assert not np.array_equal(y.numpy(), z.numpy())
    np.testing.assert_array_equal(y[0].numpy(), z[0].numpy())  # the first step has no hidden value yet
    y.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


# -- averages --------------------------------------------------------------------------------------


def network() -> nn.Sequential:
    nn.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 20), nn.BatchNorm1d(20), nn.Dropout(0.5), nn.Linear(20, 2))


def test_monte_carlo_draws_between_the_layers_of_a_recurrent_network() -> None:
    nn.manual_seed(0)
    net = nn.Sequential(nn.GRU(2, 3, num_layers=2, dropout=0.5), nn.Lambda(lambda out: out[0]))
    assert nn.monte_carlo(net, np.ones((4, 1, 2)), samples=20).std.max() > 0.01
    with pytest.raises(ValueError, match="without noise"):
        nn.monte_carlo(nn.GRU(2, 3, num_layers=2), np.ones((4, 1, 2)))


def test_monte_carlo_averages_over_masks() -> None:
    net, x = network(), np.random.default_rng(0).normal(size=(4, 3))
    state = net.state_dict()
    guess = nn.monte_carlo(net, x, samples=500)
    assert guess.samples.shape == (500, 4, 2)
    np.testing.assert_allclose(guess.mean, guess.samples.mean(0))
    np.testing.assert_allclose(guess.std, guess.samples.std(0, ddof=1), rtol=1e-6)
    assert all(module.training for module in net.modules()), "modes are restored"
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, state[name], err_msg="batch statistics are as in evaluation")
    exact = net.eval()(x).numpy()  # after dropout all is linear, so the mean is that of the whole network
    assert (np.abs(guess.mean - exact) < 4.5 * guess.std / math.sqrt(500)).all()
    assert (nn.monte_carlo(net, x, samples=1).std == 0).all()
    assert not any(module.training for module in net.modules())


# -- errors ----------------------------------------------------------------------------------------

WRONG: list[tuple[Any, str]] = [
    *[(lambda f=f, p=p: f(p), rf"got p={p}, expected a number from 0 to 1")
      for f in (nn.Dropout, nn.Dropout2d, nn.AlphaDropout, lambda p: nn.DropConnect(nn.Linear(2, 2), p))
      for p in (-0.1, 1.5, math.nan)],
    (lambda: F.dropout(np.ones(2), 2.0), r"dropout\] got p=2.0"),
    (lambda: F.alpha_dropout(np.ones(2), 2.0), r"alpha_dropout\] got p=2.0"),
    (lambda: F.dropout1d(np.ones(2)),
     r"dropout1d\] got an input of shape \(2,\), expected \(C, L\) or \(N, C, L\)"),
    (lambda: nn.Dropout2d()(np.ones((2, 3))), r"Dropout2d\] got an input of shape \(2, 3\)"),
    (lambda: nn.Dropout3d()(np.ones((2, 3))), r"Dropout3d\] got an input of shape \(2, 3\)"),
    (lambda: F.feature_alpha_dropout(np.ones(2)), r"feature_alpha_dropout\] got an input of shape \(2,\)"),
    (lambda: nn.GaussianNoise(-1), r"GaussianNoise\] got std=-1"),
    (lambda: nn.WeightNoise(nn.Linear(2, 2), -1), r"WeightNoise\] got std=-1"),
    (lambda: nn.LabelNoise(0), r"LabelNoise\] got num_classes=0"),
    (lambda: nn.LabelNoise(3, 1.1), r"LabelNoise\] got p=1.1"),
    (lambda: nn.DropConnect(nn.ReLU()), r"DropConnect\] got a layer without weight matrices"),
    (lambda: nn.DropConnect(nn.Linear(2, 2), names=["w"]),
     r"the names \['w'\], expected some of \['weight', 'bias'\]"),
    (lambda: nn.monte_carlo(nn.Linear(2, 2), np.ones(2)), r"monte_carlo\] got a model without noise"),
    (lambda: nn.monte_carlo(nn.Dropout(), np.ones(2), samples=0), r"monte_carlo\] got samples=0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "text"), WRONG,
    ids=[f"{i}-{text[:30]}" for i, (_, text) in enumerate(WRONG)]
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize("x", [None, "x", np.ones(3, complex)], ids=["nothing", "text", "complex"])
def test_what_is_no_number_is_not_made_one(x: Any) -> None:
    with pytest.raises(TypeError, match=r"\[Dropout\] got data of dtype .*, expected real numbers"):
        nn.Dropout()(x)
