"""Statistics of layers and parameters: against NumPy by hand, and nothing of the model changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional
S = nn.statistics


def batch(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_outputs_and_gradients_by_hand() -> None:
    nn.manual_seed(0)
    model = nn.MLP([5, 4, 3, 2], activation="tanh", dtype=np.float64)
    x, target = batch(7, 5).astype(float), np.arange(7) % 2
    w = [p.numpy() for p in model.parameters()]
    h1 = np.tanh(x @ w[0].T + w[1])
    h2 = np.tanh(h1 @ w[2].T + w[3])
    logits = h2 @ w[4].T + w[5]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    g2 = (p - np.eye(2)[target]) / 7 @ w[4]
    g1 = g2 * (1 - h2**2) @ w[2]
    table = S.layer_statistics(model, x, loss=lambda y: F.cross_entropy(y, target))
    assert table["name"] == ["1", "3"]
    assert table["shape"] == [(7, 4), (7, 3)]
    assert table["mean"] == pytest.approx([h1.mean(), h2.mean()], rel=1e-10)
    assert table["std"] == pytest.approx([h1.std(), h2.std()], rel=1e-10)
    assert table["gradient_mean"] == pytest.approx([g1.mean(), g2.mean()], rel=1e-10)
    assert table["gradient_std"] == pytest.approx([g1.std(), g2.std()], rel=1e-10)
    assert S.layer_statistics(model, x)["gradient_std"] == [None, None]
    every = S.layer_statistics(model, x, layers="all")
    assert every["name"] == ["0", "1", "2", "3", "4"]
    assert every["mean"][-1] == pytest.approx(logits.mean(), rel=1e-10)


@pytest.mark.parametrize(
    ("layer", "ends"),
    [
        (nn.Tanh(), (-1, 1)), (nn.Sigmoid(), (0, 1)), (nn.ReLU(), (0, None)), (nn.ReLU6(), (0, 6)),
        (nn.Hardtanh(-2, 3), (-2, 3)), (nn.Softsign(), (-1, 1)), (nn.ELU(0.5), (-0.5, None)),
        (nn.GELU(), (0, None)), (nn.LogSigmoid(), (None, 0)), (nn.LeakyReLU(), (None, None)),
        (nn.PReLU(3), (None, None)), (nn.Softmax(-1), (None, None)), (nn.Linear(1, 1), (None, None)),
        (nn.Lambda(np.tanh), (-1, 1)), (nn.Lambda(lambda x: x.reshape(3, 4)), (None, None)),
        (nn.GLU(), (None, None)), (nn.Heaviside(), (0, 1)),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else "",
)  # fmt: skip
def test_where_an_activation_ends(layer: Any, ends: tuple[Any, Any]) -> None:
    assert S.flat_ends(layer) == pytest.approx(ends, abs=1e-5)


def test_saturation_and_death_by_hand() -> None:
    z = np.array([[-9.0, 0.5, -1.0], [-8.0, 9.0, -2.0], [-7.0, 0.0, 2.2], [7.0, -9.0, 2.0]])
    row = S.layer_statistics(nn.Tanh(), z)[0]
    assert row.saturated == 7 / 12  # tanh(2.2) = 0.976 is beyond 0.97, tanh(2.0) = 0.964 is not
    assert row.dead == 1 / 3  # the first unit, at one end or the other
    row = S.layer_statistics(nn.Sigmoid(), 2 * z)[0]
    assert (row.saturated, row.dead) == (7 / 12, 1 / 3)
    row = S.layer_statistics(nn.ReLU(), np.minimum(z, [[-1.0, 9.0, 9.0]]))[0]
    assert (row.saturated, row.dead, row.zeros) == (None, 1 / 3, 8 / 12)
    row = S.layer_statistics(nn.LeakyReLU(), z)[0]
    assert (row.saturated, row.dead) == (None, None)


def test_a_unit_of_an_image_is_its_channel() -> None:
    x = np.ones((2, 3, 4, 4), np.float32)
    x[:, 0] = -1
    x[:, 1, :2] = -1  # dead places, but not a dead channel
    assert S.layer_statistics(nn.ReLU(), x)[0].dead == pytest.approx(1 / 3)
    assert S.layer_statistics(nn.ReLU(), x[:, :, 0])[0].dead == 8 / 12  # of three axes: each entry


@pytest.mark.parametrize(("deviation", "n"), [(0.01, 1024), (0.1, 1024)])
def test_six_layers_with_gaussian_weights(deviation: float, n: int) -> None:
    """Small weights: each layer shrinks by deviation sqrt(n). Large ones: P(|z| > artanh 0.97) saturate."""
    rng = np.random.default_rng(0)
    model = nn.MLP([n] * 7, activation="tanh", output_activation="tanh", bias=False)
    for p in model.parameters():
        p.data[...] = deviation * rng.standard_normal(p.shape, np.float32)
    table = S.layer_statistics(model, batch(64, n))
    assert len(table) == 6
    gain = deviation * math.sqrt(n)
    if gain < 1:
        ratios = np.divide(table["std"][2:], table["std"][1:-1])
        np.testing.assert_allclose(ratios, gain, rtol=0.1)
    else:
        beyond = 1 - math.erf(math.atanh(0.97) / gain / math.sqrt(2))
        assert table["saturated"][0] == pytest.approx(beyond, abs=0.01)
        assert min(table["std"]) > 0.7


def test_xavier_keeps_the_deviation() -> None:
    nn.manual_seed(0)
    model = nn.MLP([512] * 7, activation="tanh", output_activation="tanh", bias=False)
    for p in model.parameters():
        nn.init.normal_(p, 0, 1 / math.sqrt(512))
    std = S.layer_statistics(model, batch(64, 512))["std"]
    assert 0.25 < std[-1] < std[0] < 0.7


def test_looking_changes_nothing() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 2))  # fmt: skip
    x = batch(8, 4)
    model(x).sum().backward()
    before = {name: value.copy() for name, value in model.state_dict().items()}
    buffers = [id(b) for b in model.buffers()]
    gradients = [np.array(p.grad) for p in model.parameters()]
    state = nn.random.get_state()
    S.layer_statistics(model, x, loss=lambda y: (y * y).sum(), layers="all")
    S.layer_statistics(model, x)
    with pytest.raises(ZeroDivisionError):
        S.layer_statistics(model, x, loss=lambda y: 1 / 0)
    assert nn.random.get_state() == state
    assert [id(b) for b in model.buffers()] == buffers
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
    assert all(np.array_equal(g, p.grad) for g, p in zip(gradients, model.parameters(), strict=True))
    assert all(m._hooks is None for m in model.modules())
    assert model.training


def test_a_record_of_training() -> None:
    """Each call is kept; gradients come while the block lasts or after it, and no more calls after it."""
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    x = batch(2, 3)
    with S.Record(model, layers=nn.Tanh) as record:
        loss = model(model(x)).sum()
    loss.backward()
    model(x)
    assert [y.shape for y in record.outputs["1"]] == [(2, 3), (2, 3)]
    assert np.array_equal(record.gradients["1"][0], np.ones((2, 3)))  # of the last call
    assert len(record.gradients["1"]) == 2
    assert S.of_record(record)[0].shape == (2, 3)
    record.clear()
    assert S.of_record(record) == []


def test_layers_without_activations_and_with_several_results() -> None:
    lstm = nn.LSTM(3, 4, batch_first=True)
    row = S.layer_statistics(lstm, batch(2, 5, 3))[0]
    assert (row.name, row.kind, row.shape) == ("", "LSTM", (2, 5, 4))
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    assert S.layer_statistics(model, batch(2, 3))["name"] == ["0", "1"]
    assert S.layer_statistics(model, batch(2, 3), layers=["1"])["name"] == ["1"]


def test_numbers_that_are_not_finite_are_told() -> None:
    row = S.layer_statistics(nn.ReLU(), np.array([[np.nan, 1.0], [np.inf, -1.0]]))[0]
    assert math.isnan(row.mean)
    assert math.isnan(row.std)
    assert S.layer_statistics(nn.ReLU(), np.zeros((0, 3)))[0].dead is None


def test_parameters_and_their_update() -> None:
    nn.manual_seed(0)
    model = nn.Linear(3, 2)
    before = model.state_dict()
    assert S.parameter_statistics(model)["gradient_norm"] == [None, None]
    (model(batch(4, 3)) ** 2).sum().backward()
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    optimizer.step()
    table = S.parameter_statistics(model, before)
    for row, p in zip(table, model.parameters(), strict=True):
        old = before[row.name].astype(float)
        assert row.norm == pytest.approx(math.sqrt((p.numpy().astype(float) ** 2).sum()))
        assert row.gradient_norm == pytest.approx(math.sqrt((p.grad.astype(float) ** 2).sum()))
        assert row.update_norm == pytest.approx(0.5 * row.gradient_norm, rel=1e-5)
        assert row.ratio == pytest.approx(row.update_norm / math.sqrt((old**2).sum()))
    assert math.isnan(S.parameter_statistics(model, {"bias": np.zeros(2)})[1].ratio)


def test_the_table_leaves_out_what_nobody_has() -> None:
    table = S.layer_statistics(nn.MLP([2, 3, 1]), np.ones((4, 2)))
    head, row = repr(table).splitlines()
    assert head.split() == ["name", "kind", "shape", "mean", "std", "zeros", "dead"]
    assert row.split()[:2] == ["1", "ReLU"]
    assert repr(S.Table()) == "no rows"


def test_errors() -> None:
    model = nn.MLP([2, 3, 1])
    with pytest.raises(TypeError, match="got a ndarray, expected a Module"):
        S.layer_statistics(np.ones(3), model)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got the layer 'tanh', expected one of 0, 1, 2"):
        S.layer_statistics(model, np.ones((1, 2)), layers=["tanh"])
    with pytest.raises(ValueError, match="which the model does not have"):
        S.layer_statistics(model, np.ones((1, 2)), layers=nn.Tanh)
    with pytest.raises(ValueError, match=r"got 0.weight of shape \(1,\) before, expected \(3, 2\)"):
        S.parameter_statistics(model, {"0.weight": np.ones(1)})
    assert ag.is_grad_enabled()
