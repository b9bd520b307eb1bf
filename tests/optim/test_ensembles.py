"""Ensembles: what averaging promises, bagging, snapshots, and their states."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
LABELS = rng.integers(4, size=40)


def models(n: int = 5, outputs: int = 4, dtype: Any = np.float64) -> list[Any]:
    nn.manual_seed(0)
    return [nn.MLP([3, 8, outputs], "tanh", dtype=dtype) for _ in range(n)]


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_the_error_of_the_mean_is_the_mean_error_less_the_spread() -> None:
    """Krogh and Vedelsby's identity, exact for each sample and output."""
    y = rng.normal(size=(40, 4))
    ensemble = optim.Ensemble(models())
    mean, std, drawn = ensemble.predict(X)
    errors = (drawn - y) ** 2
    spread = std**2 * 4 / 5  # std is an estimate, with M - 1
    np.testing.assert_allclose((mean - y) ** 2, errors.mean(0) - spread, rtol=1e-12, atol=1e-13)
    each = [F.mse_loss(model(X), y).item() for model in ensemble.models]
    assert F.mse_loss(ensemble(X), y).item() < np.mean(each) - 0.9 * spread.mean()


def test_the_outputs_are_averaged() -> None:
    ensemble = optim.Ensemble(models())
    np.testing.assert_allclose(ensemble(X).numpy(), np.mean([m(X).numpy() for m in ensemble.models], 0))
    assert ensemble.predict(X).samples.shape == (5, 40, 4)


def test_averaged_probabilities_come_as_their_logarithms() -> None:
    ensemble = optim.Ensemble(models(), average="probabilities")
    expected = np.mean([softmax(m(X).numpy()) for m in ensemble.models], 0)
    scores = ensemble(X).numpy()
    np.testing.assert_allclose(np.exp(scores), expected)
    np.testing.assert_allclose(ensemble.predict(X).mean, expected)
    losses = [F.cross_entropy(m(X), LABELS).item() for m in ensemble.models]
    assert F.cross_entropy(scores, LABELS).item() < np.mean(losses)  # Jensen


@pytest.mark.parametrize("shape", [(40, 1), (40,)], ids=["N1", "N"])
def test_averaged_probabilities_of_one_score_are_a_logit(shape: tuple[int, ...]) -> None:
    parts = [nn.Sequential(m, nn.Lambda(lambda z: z.reshape(shape))) for m in models(3, 1)]
    ensemble = optim.Ensemble(parts, average="probabilities")
    expected = np.mean([1 / (1 + np.exp(-m(X).numpy())) for m in parts], 0)
    np.testing.assert_allclose(1 / (1 + np.exp(-ensemble(X).numpy())), expected)
    assert ensemble(X).shape == ensemble.predict(X).mean.shape == shape
    np.testing.assert_allclose(ensemble.predict(X).mean, expected)
    total = -expected * np.log(expected) - (1 - expected) * np.log(1 - expected)
    np.testing.assert_allclose(ensemble.uncertainty(X).total, total)


def test_scores_far_out_stay_finite() -> None:
    far = [nn.Lambda(lambda x: x * 1e4), nn.Lambda(lambda x: x * -1e4)]
    for x in (np.array([[1.0, -1.0]]), np.array([[1.0]])):
        assert np.isfinite(optim.Ensemble(far, "probabilities")(x)).all()


def test_uncertainty_is_expected_entropy_and_disagreement() -> None:
    ensemble = optim.Ensemble(models(), average="probabilities")
    p = np.stack([softmax(m(X).numpy()) for m in ensemble.models])
    found = ensemble.uncertainty(X)
    mean = p.mean(0)
    np.testing.assert_allclose(found.total, -(mean * np.log(mean)).sum(1))
    np.testing.assert_allclose(found.expected, -(p * np.log(p)).sum(2).mean(0))
    kl = (p * np.log(p / mean)).sum(2).mean(0)  # from the mean: the same by another way
    np.testing.assert_allclose(found.disagreement, kl, atol=1e-12)
    alike = optim.Ensemble(models(1) * 3, average="probabilities").uncertainty(X)
    np.testing.assert_allclose(alike.disagreement, 0, atol=1e-12)
    with pytest.raises(ValueError, match="an ensemble of outputs, expected one of probabilities; try pre"):
        optim.Ensemble(models()).uncertainty(X)


@pytest.mark.parametrize("average", ["outputs", "probabilities"])
def test_gradients_reach_every_model(average: str) -> None:
    ensemble = optim.Ensemble(models(2), average)
    loss = nn.Lambda(lambda z: F.cross_entropy(z, LABELS[:6]))
    ag.check_gradients(nn.Sequential(ensemble, loss), X[:6])
    F.cross_entropy(ensemble(X), LABELS).backward()
    assert all(p.grad is not None and p.grad.any() for p in ensemble.parameters())


def test_its_state_is_saved_and_loaded(tmp_path: Path) -> None:
    first = optim.Ensemble(models(3, dtype=np.float32), average="probabilities")
    nn.save_file(first, tmp_path / "ensemble.safetensors")
    second = optim.Ensemble([nn.MLP([3, 8, 4], "tanh") for _ in range(3)], average="probabilities")
    assert not np.array_equal(first(X).numpy(), second(X).numpy())
    second.load_state_dict(nn.load_file(tmp_path / "ensemble.safetensors"))
    assert np.array_equal(first(X).numpy(), second(X).numpy())
    assert next(iter(first.state_dict())) == "models.0.0.weight"
    assert first(X).dtype == np.float32
    assert "average='probabilities'" in repr(first)


def test_predict_evaluates_and_puts_the_modes_back() -> None:
    net = nn.Sequential(nn.Linear(3, 20), nn.Dropout(), nn.Linear(20, 2))
    net[0].eval()
    ensemble = optim.Ensemble([net])
    first = ensemble.predict(X)
    assert np.array_equal(first.mean, ensemble.predict(X).mean)
    assert np.array_equal(first.std, np.zeros((40, 2)))
    assert [m.training for m in net] == [False, True, True]


def test_what_is_no_ensemble() -> None:
    with pytest.raises(ValueError, match=r"\[Ensemble\] got no models"):
        optim.Ensemble([])
    with pytest.raises(TypeError, match="got one module, MLP, expected a list of modules"):
        optim.Ensemble(nn.MLP([3, 2]))
    with pytest.raises(ValueError, match="average='mean', expected 'outputs' or 'probabilities'"):
        optim.Ensemble(models(), average="mean")
    with pytest.raises(ValueError, match="models that were not bagged"):
        optim.Ensemble(models()).out_of_bag(X)


# -- bagging --------------------------------------------------------------------------------------


class Mean(nn.Module):
    """Answers with the mean target that it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(np.zeros(1))

    def forward(self, x: Any) -> Any:
        return self.value + ag.tensor(np.zeros((len(x), 1)))


def fit(model: Any, x: Any, y: Any) -> None:
    model.value.data[:] = y.mean()


def test_bagging_trains_on_samples_drawn_with_replacement() -> None:
    y = np.arange(200.0)[:, None]
    ensemble = optim.bagging(Mean, fit, y, y, n=30, generator=np.random.default_rng(1))
    assert [len(seen) for seen in ensemble.samples] == [200] * 30
    share = np.mean([len(np.unique(seen)) / 200 for seen in ensemble.samples])
    assert abs(share - (1 - 1 / math.e)) < 0.02
    means = [y[seen].mean() for seen in ensemble.samples]
    assert [m.value.item() for m in ensemble.models] == means
    np.testing.assert_allclose(ensemble(y).numpy(), np.mean(means))
    again = optim.bagging(Mean, fit, y, y, n=30, generator=np.random.default_rng(1))
    assert np.array_equal(again.samples, ensemble.samples)

    oob = ensemble.out_of_bag(y)
    for i in (0, 7, 199):
        unseen = [mean for mean, seen in zip(means, ensemble.samples, strict=True) if i not in seen]
        np.testing.assert_allclose(oob[i], np.mean(unseen))
    with pytest.raises(ValueError, match="got 10 samples"):
        ensemble.out_of_bag(y[:10])
    single = optim.bagging(Mean, fit, y, y, n=1)
    assert np.isnan(single.out_of_bag(y)[single.samples[0]]).all()


def test_bagging_takes_the_model_that_training_returns_and_refuses_one_for_all() -> None:
    ensemble = optim.bagging(Mean, lambda model, x, y: nn.Sequential(model), X, X, n=2)
    assert all(isinstance(model, nn.Sequential) for model in ensemble.models)
    one = Mean()
    with pytest.raises(ValueError, match=r"the same model twice, expected a new one"):
        optim.bagging(lambda: one, fit, X, X, n=2)
    with pytest.raises(ValueError, match=r"inputs of shape \(40, 3\) and targets of shape \(39, 3\)"):
        optim.bagging(Mean, fit, X, X[1:])
    with pytest.raises(ValueError, match="n=0"):
        optim.bagging(Mean, fit, X, X, n=0)


# -- snapshots ------------------------------------------------------------------------------------


def test_snapshots_are_taken_at_the_end_of_each_cosine() -> None:
    x, y = X.astype(np.float32), LABELS
    model = models(1, dtype=np.float32)[0]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    optim.schedules.ConstantLR(optimizer, 1.0)  # leaves its "initial_lr", which does not count
    optimizer.param_groups[0]["lr"] = 0.4
    rates: list[float] = []
    states: list[Any] = []

    def loss(output: Any, target: Any) -> Any:
        rates.append(optimizer.param_groups[0]["lr"])
        states.append(model.state_dict()["0.weight"])
        return F.cross_entropy(output, target)

    loader = nn.data.batches(x, y, batch_size=10)
    ensemble = optim.snapshot_ensemble(model, optimizer, loss, loader, cycles=3, epochs=2)
    t = np.arange(24)  # Huang et al., equation 2
    np.testing.assert_allclose(rates, 0.4 / 2 * (np.cos(np.pi * (t % 8) / 8) + 1))
    taken = [m.state_dict()["0.weight"] for m in ensemble.models]
    assert np.array_equal(taken[0], states[8])
    assert np.array_equal(taken[1], states[16])
    assert np.array_equal(taken[2], model.state_dict()["0.weight"])
    assert not np.array_equal(taken[0], taken[1])
    assert optimizer.param_groups[0]["lr"] == 0.4
    assert ensemble.average == "probabilities"


def test_snapshots_beat_their_mean_and_errors_put_the_rate_back() -> None:
    nn.manual_seed(0)
    x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits())
    model = nn.MLP([64, 20, 10])
    optimizer = optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    loader = nn.data.batches(x, y)
    ensemble = optim.snapshot_ensemble(model, optimizer, F.cross_entropy, loader, cycles=3, epochs=3)
    losses = [F.cross_entropy(m(x_test), y_test).item() for m in ensemble.models]
    assert F.cross_entropy(ensemble(x_test), y_test).item() < np.mean(losses)
    assert float((ensemble(x_test).argmax(1) == y_test).mean()) > 0.95
    scales = iter([1.0, 1.0, np.nan])
    with pytest.raises(FloatingPointError, match="a loss of nan in cycle 1, expected a finite one"):
        optim.snapshot_ensemble(
            model, optimizer, lambda z, t: F.cross_entropy(z * next(scales), t), loader)  # fmt: skip
    assert optimizer.param_groups[0]["lr"] == 0.3
    for wrong in ({"cycles": 0}, {"epochs": 0}):
        with pytest.raises(ValueError, match="=0, expected 1 or more"):
            optim.snapshot_ensemble(model, optimizer, F.cross_entropy, loader, **wrong)
