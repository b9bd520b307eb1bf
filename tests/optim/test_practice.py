"""The practice of training: planted faults are named, health is called so, and nothing is changed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim
from optim import practice

F = nn.functional
IMAGES, LABELS = nn.data.digits()
X, Y = IMAGES[:500], LABELS[:500]
BINARY = (Y[:, None] > 4).astype(np.float32)


def network(*after: Any, outputs: int = 10) -> Any:
    nn.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 30), nn.ReLU(), nn.Linear(30, outputs), *after)


def state(model: Any) -> tuple[Any, ...]:
    """What a trial must not change."""
    values = {name: value.tobytes() for name, value in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    grads = [p.grad is None for p in model.parameters()]
    return values, modes, grads, str(nn.random.get_state())


# -- the initial loss -----------------------------------------------------------------------------

HEALTHY = {
    "classes": (network(), F.cross_entropy, Y, math.log(10)),
    "log-probabilities": (network(nn.LogSoftmax(1)), F.nll_loss, Y, math.log(10)),
    "one-hot": (network(), F.cross_entropy, np.eye(10, dtype="f")[Y], math.log(10)),
    "smoothed": (network(), nn.CrossEntropyLoss(label_smoothing=0.1), Y, math.log(10)),
    "yes or no": (network(outputs=1), F.binary_cross_entropy_with_logits, BINARY, math.log(2)),
    "probabilities": (network(nn.Sigmoid(), outputs=1), F.binary_cross_entropy, BINARY, math.log(2)),
    "pixels": (
        nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 3, 3, padding=1)),
        F.cross_entropy, np.broadcast_to(Y[:, None, None] % 3, (len(Y), 8, 8)), math.log(3),
    ),
    "margin": (network(), F.multi_margin_loss, Y, 0.9),
    "regression": (network(outputs=1), F.mse_loss, (Y[:, None] - Y.mean()) / Y.std(), 1.0),
    "lectures": (
        network(nn.Sigmoid()), lambda z, t: F.mse_loss(z, t, "sum") * (0.5 / len(t)),
        np.eye(10, dtype="f")[Y], 10 / 8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEALTHY)
def test_a_healthy_start_is_near_what_knows_nothing(case: str) -> None:
    model, loss, y, expected = HEALTHY[case]
    before = state(model)
    found = practice.check_initial_loss(model, loss, X, y)
    assert found.ok, found
    assert found.expected == pytest.approx(expected, rel=1e-3)
    assert found.loss == pytest.approx(loss(model(X), y).item(), rel=1e-3)
    assert str(found).endswith(": fine")
    assert state(model) == before


def large_weights() -> Any:
    model = network()
    model[2].weight.data *= 100
    return model


def favourite() -> Any:
    model = network()
    model[2].bias.data[3] = 30
    return model


FAULTS = {
    "sum": (network, lambda z, t: F.cross_entropy(z, t, reduction="sum"), X, Y, "summed over 500"),
    "twice": (network, lambda z, t: F.cross_entropy(z, t) / len(t), X, Y, "divided twice by 500"),
    "softmax": (lambda: network(nn.Softmax(1)), F.cross_entropy, X, Y, "a softmax stands twice"),
    "sigmoid": (lambda: network(nn.Sigmoid(), outputs=1), F.binary_cross_entropy_with_logits, X, BINARY,
                "a sigmoid stands twice"),
    "nll of scores": (network, F.nll_loss, X, Y, "no log-probabilities, .* try cross_entropy"),
    "weights": (large_weights, F.cross_entropy, X, Y, "varies by .* scale the last layer's weights by 0.19"),
    "bias": (favourite, F.cross_entropy, X, Y, "in common .* to 29.9: start the last layer's bias at 0"),
    "pixels to 255": (large_weights, F.cross_entropy, X * 255, Y, "inputs go up to 255: standardise"),
    "target far away": (lambda: network(outputs=1), F.mse_loss, X, Y[:, None] + 100.0,
                        "targets are about 104 .* standardise the targets"),
    "few classes": (lambda: trained(Y < 3), F.cross_entropy, X[Y < 3], Y[Y < 3], "of 3 of the 10 classes"),
    "trained": (lambda: trained(Y < 10), F.cross_entropy, X, Y, "too good"),
    "NaN in": (network, F.cross_entropy, np.where(X > 0.9, np.nan, X), Y, "inputs have NaN"),
}  # fmt: skip


def trained(chosen: Any) -> Any:
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(model(X[chosen]), Y[chosen]).backward()
        optimizer.step()
    optimizer.zero_grad()
    return model


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_the_start_is_named(fault: str) -> None:
    make, loss, x, y, text = FAULTS[fault]
    found = practice.check_initial_loss(make(), loss, x, y)
    assert not found.ok
    assert len(found.hints) == 1, found
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(str(found))


def test_the_advice_on_weights_helps() -> None:
    model = large_weights()
    assert not practice.check_initial_loss(model, F.cross_entropy, X, Y).ok
    model[2].weight.data *= 0.19
    assert practice.check_initial_loss(model, F.cross_entropy, X, Y).ok


def test_the_initial_loss_of_outputs_that_are_not_finite() -> None:
    model = network(nn.Lambda(lambda z: z / 0.0))
    assert "outputs are not finite" in practice.check_initial_loss(model, F.cross_entropy, X, Y).hints[0]
    found = practice.check_initial_loss(network(), lambda z, t: z.sum() * np.float32("inf"), X, Y)
    assert "is it made for such outputs?" in found.hints[0]


def test_the_initial_loss_as_the_user_expects_it() -> None:
    assert practice.check_initial_loss(network(), F.cross_entropy, X, Y, expected=2.3).ok
    assert not practice.check_initial_loss(network(), F.cross_entropy, X, Y, expected=1.0).ok
    assert practice.check_initial_loss(network(), F.cross_entropy, X, Y, expected=1.0, factor=3).ok
    for arguments, text in [
        ({"factor": 0.5}, "factor=0.5, expected a number above 1"),
        ({"y": Y[1:]}, r"inputs of shape \(500, 64\) and targets of shape \(499,\)"),
        ({"loss": lambda z, t: F.cross_entropy(z, t, reduction="none")}, "one number; try reduction='mean'"),
    ]:  # fmt: skip
        given: dict[str, Any] = {"model": network(), "loss": F.cross_entropy, "x": X, "y": Y}
        with pytest.raises(ValueError, match=text):
            practice.check_initial_loss(**(given | arguments))


# -- a small sample -------------------------------------------------------------------------------


def test_what_works_learns_a_few_samples_by_heart() -> None:
    cases = [
        (network(), F.cross_entropy, Y, 1.0),
        (nn.Sequential(nn.Linear(64, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Dropout(0.9), nn.Linear(40, 10)),
         F.cross_entropy, Y, 1.0),
        (network(outputs=1), F.binary_cross_entropy_with_logits, BINARY, 1.0),
        (network(nn.Sigmoid()), F.mse_loss, np.eye(10, dtype="f")[Y], 1.0),
        (network(outputs=1), F.mse_loss, Y[:, None].astype("f"), None),
    ]  # fmt: skip
    for model, loss, y, right in cases:
        before = state(model)
        found = practice.overfit_small_sample(model, loss, X, y)
        assert found.ok, found
        assert found.accuracy == right
        assert found.losses[-1] <= 0.01 * found.losses[0]
        assert "learnt by heart" in str(found)
        assert state(model) == before


def test_a_rate_that_is_too_high_for_some_is_followed_by_a_lower_one() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Lambda(lambda x: x * 100), nn.MLP([64, 200, 200, 200, 10], "tanh"))
    rates: list[float] = []

    def adam(params: Any, lr: float) -> Any:
        rates.append(lr)
        return optim.Adam(params, lr=lr)

    only = practice.overfit_small_sample(
        model, F.cross_entropy, X, Y, optimizer=lambda p: adam(p, 10.0), steps=30)  # fmt: skip
    assert not only.ok
    assert rates == [10.0]
    assert practice.overfit_small_sample(model, F.cross_entropy, X, Y).ok


def blind() -> Any:
    return network(nn.Lambda(lambda z: z * 0))


class Unused(nn.Module):
    def __init__(self, used: bool) -> None:
        super().__init__()
        self.net, self.extra, self.used = network(), nn.Linear(2, 2), used

    def forward(self, x: Any) -> Any:
        return self.net(x) if self.used else self.net(x).detach() + self.extra.weight.sum()


@pytest.mark.parametrize(
    ("make", "loss", "y", "text"),
    [
        (blind, F.cross_entropy, Y, r"a gradient of 0 reaches 0.weight, 0.bias, 2.weight, 2.bias"),
        (lambda: Unused(False), F.cross_entropy, Y, "no gradient reaches net.0.weight, .* extra.bias"),
        (blind, F.cross_entropy, Y, "the loss does not fall"),
        (network, lambda z, t: -F.cross_entropy(z, t), Y, "not learnt"),
        (network, nn.CrossEntropyLoss(label_smoothing=0.2), Y, "all labels are right, .* it has a floor"),
        (network, lambda z, t: F.cross_entropy(z, t) * np.float32("nan"), Y, "the loss is nan after 0 steps"),
    ],
    ids=["dead", "detached", "flat", "wrong sign", "floor", "nan"],
)
def test_what_keeps_from_learning_is_named(make: Any, loss: Any, y: Any, text: str) -> None:
    found = practice.overfit_small_sample(make(), loss, X, y, steps=150)
    assert not found.ok
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(str(found))


def test_contradicting_samples_and_few_steps_are_named() -> None:
    same = np.zeros_like(X)
    found = practice.overfit_small_sample(network(), F.cross_entropy, same, Y, steps=50)
    assert "equal inputs have different targets" in str(found)
    short = practice.overfit_small_sample(network(), F.cross_entropy, X, Y, steps=10)
    assert "still falling: try more steps" in str(short)
    assert len(short.losses) == 11


def test_unused_parameters_are_told_of_also_where_all_is_learnt() -> None:
    found = practice.overfit_small_sample(Unused(True), F.cross_entropy, X, Y)
    assert found.ok
    assert found.hints == ("no gradient reaches extra.weight, extra.bias",)


def test_a_frozen_model_cannot_learn() -> None:
    with pytest.raises(ValueError, match=r"no parameter that requires a gradient.* try model.requires_grad_"):
        practice.overfit_small_sample(network().requires_grad_(False), F.cross_entropy, X, Y)
    frozen = network()
    frozen[0].requires_grad_(False)
    assert practice.overfit_small_sample(frozen, F.cross_entropy, X, Y, n=5, target=0.05).ok
    with pytest.raises(ValueError, match="n=0"):
        practice.overfit_small_sample(network(), F.cross_entropy, X, Y, n=0)
    assert practice.overfit_small_sample(network(), F.cross_entropy, X[:3], Y[:3]).ok  # fewer than n


def test_a_model_that_returns_several_things() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def forward(self, x: Any) -> Any:
            return self.net(x), x

    with pytest.raises(TypeError, match=r"an output of type tuple, expected an array; try nn.Seq"):
        practice.check_initial_loss(Both(), lambda z, t: F.cross_entropy(z[0], t), X, Y)
    found = practice.overfit_small_sample(Both(), lambda z, t: F.cross_entropy(z[0], t), X, Y)
    assert found.ok
    assert found.accuracy is None


# -- the range of rates ---------------------------------------------------------------------------


def accuracy_after_training(make: Any, rate: float) -> float:
    nn.manual_seed(1)
    x, x_test, y, y_test = nn.data.train_test_split(IMAGES, LABELS)
    model = network()
    optimizer = make(model.parameters(), lr=rate)
    for _ in range(8):
        for images, labels in nn.data.batches(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
    return float((model(x_test).argmax(1) == y_test).mean())


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_the_suggested_rate_trains_and_is_not_far_from_where_it_diverges(kind: str) -> None:
    make, model = getattr(optim, kind), network()
    before = state(model)
    found = practice.lr_range_test(model, make, F.cross_entropy, X, Y)
    assert state(model) == before
    assert len(found.rates) == len(found.losses) == len(found.smooth) <= 100
    np.testing.assert_allclose(np.diff(np.log(found.rates)), math.log(1e7) / 99)
    assert found.rates[0] == 1e-6
    assert found.suggestion < found.highest
    assert accuracy_after_training(make, found.suggestion) > 0.93
    assert accuracy_after_training(make, found.suggestion * 30) < 0.5
    assert f"try {found.suggestion:.2g}" in str(found)


def test_the_range_test_stops_where_the_loss_grows() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(np.ones(1))

        def forward(self, x: Any) -> Any:
            return x * self.w

    model = Scale()
    data = [(np.ones((4, 1)), np.zeros((4, 1)))]
    found = practice.lr_range_test(model, optim.SGD, F.mse_loss, data, low=1e-3, high=100.0, steps=200)
    assert found.diverged  # w <- (1 - 2 lr) w grows from lr = 1 on
    assert 1.0 < found.rates[-1] < 20
    assert 0.001 < found.suggestion < 0.5 < found.highest
    assert np.isfinite(found.losses).all()
    assert found.losses[-1] > found.losses.min()
    # the losses by hand
    value, losses = 1.0, []
    for rate in found.rates:
        losses.append(value**2)
        value -= rate * 2 * value
    np.testing.assert_allclose(found.losses, losses, rtol=1e-9, atol=1e-300)


def test_a_blow_up_at_the_end_does_not_hide_the_fall() -> None:
    """Losses of one run on digits that rose to 20 in three steps after they had fallen by an eighth."""
    losses = np.r_[np.full(60, 2.3), np.linspace(2.3, 2.0, 20), 9.6, 20.7, 6.1]
    rates = np.logspace(-6, 0, len(losses))
    found, highest = practice.rates._suggest(rates, practice.rates._smooth(losses, 0.8))
    assert rates[60] < found < highest <= rates[80]


def test_the_fall_is_placed_where_it_is() -> None:
    """An average of the losses before alone would be late: here by five steps."""
    losses = np.r_[np.full(40, 2.0), np.linspace(2.0, 1.0, 5), np.full(40, 1.0)]
    rates = np.logspace(-6, 0, len(losses))
    found, _ = practice.rates._suggest(rates, practice.rates._smooth(losses, 0.8))
    assert rates[40] <= found <= rates[44]


def test_the_range_test_with_an_optimizer_and_a_loader() -> None:
    model = network()
    optimizer = optim.SGD([
        {"params": model[0].parameters(), "lr": 0.5}, {"params": model[2].parameters(), "lr": 0.1},
    ], momentum=0.9)  # fmt: skip
    before = state(model)
    found = practice.lr_range_test(
        model, optimizer, F.cross_entropy, nn.data.batches(X, Y), high=1.0, steps=60)  # fmt: skip
    assert found.suggestion is not None
    assert state(model) == before
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    assert not optimizer.state


def test_a_loss_that_never_falls_gives_no_suggestion() -> None:
    found = practice.lr_range_test(blind(), optim.SGD, F.cross_entropy, X, Y, steps=20)
    assert (found.suggestion, found.highest) == (None, None)
    assert "the loss never fell" in str(found)


def test_the_range_test_is_drawn() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install 'autograd-core[plot]'")
    found = practice.lr_range_test(network(), optim.SGD, F.cross_entropy, X, Y)
    axes = found.plot().axes[0]
    assert axes.get_xscale() == "log"
    assert [len(line.get_xdata()) for line in axes.lines] == [len(found.rates)] * 2 + [2]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"low": 1.0, "high": 0.1}, "low=1.0 and high=0.1, expected 0 < low < high"),
        ({"low": 0.0}, "expected 0 < low < high"),
        ({"steps": 2}, "steps=2, expected 5 or more"),
        ({"smoothing": 1.0}, "smoothing=1.0"),
        ({"y": Y[1:]}, "as many samples in both"),
        ({"x": [], "y": None}, "a loader without batches"),
        ({"loss": lambda z, t: F.cross_entropy(z, t) * np.float32("inf")}, "before the first step"),
        ({"optimizer": optim.SGD(network().parameters(), lr=0.1)}, "an optimizer of other parameters"),
    ],
    ids=["falling", "zero", "steps", "smoothing", "lengths", "empty", "infinite", "other model"],
)
def test_a_range_test_that_cannot_be(arguments: dict[str, Any], text: str) -> None:
    given = {"model": network(), "optimizer": optim.SGD, "loss": F.cross_entropy, "x": X, "y": Y}
    with pytest.raises(ValueError, match=text):
        practice.lr_range_test(**(given | arguments))
