"""What the lectures show with layers: features of a frozen body, penalties on gradients, own layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def test_a_new_head_is_fitted_on_a_frozen_body() -> None:
    """A body learnt on ten digits gives features from which a linear head learns another question."""
    nn.manual_seed(0)
    x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits(), test_size=0.3)
    body = nn.Sequential(nn.Linear(64, 32), nn.Tanh())
    first = nn.Sequential(body, nn.Linear(32, 10))
    fit(first, x, y, epochs=8)

    first.zero_grad()
    body.requires_grad_(False)
    before = body.state_dict()
    large, large_test = (y >= 5).astype(int), (y_test >= 5).astype(int)
    head = nn.Linear(32, 2)
    model = nn.Sequential(body, head)
    F.cross_entropy(model(x[:5]), large[:5]).backward()
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]
    node = model(x[:5]).node
    assert all(edge is None or edge is p for edge, p in zip(node.edges, (None, head.weight, head.bias)))
    fit(model, x, large, epochs=8)
    for name, value in body.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert (model(x_test).argmax(1) == large_test).mean() > 0.85  # a line through the pixels reaches 0.8

    body.requires_grad_(True)  # and thawed, it learns on
    fit(model, x, large, epochs=1)
    assert not np.array_equal(body.state_dict()["0.weight"], before["0.weight"])


def fit(model: Any, x: Any, y: Any, epochs: int) -> None:
    optimizer = optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(epochs):
        for images, labels in nn.data.batches(x, y, batch_size=32):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_a_gradient_penalty_trains(activation: str) -> None:
    """A critic is held to slopes of length 1, by 10 (|df/dx| - 1)^2 (Gulrajani et al., 2017).

    Two clouds stand 4 apart, so a slope s gains 4 s and pays 10 (s - 1)^2: it settles at 1.2.
    """
    nn.manual_seed(1)
    rng = np.random.default_rng(1)
    critic = nn.MLP([2, 16, 1], activation=activation)
    optimizer = optim.Adam(critic.parameters(), lr=5e-3)
    real = rng.normal(size=(64, 2)) + [2.0, 0.0]
    fake = rng.normal(size=(64, 2)) - [2.0, 0.0]

    def slopes(x: Any) -> Any:
        return np.sqrt(np.sum(ag.grad(lambda x: critic(x).sum())(x) ** 2, axis=1))

    means = []
    for _ in range(300):
        x = ag.tensor((real + rng.random((64, 1)) * (fake - real)).astype(np.float32))
        steep = slopes(x)
        loss = np.mean(critic(fake)) - np.mean(critic(real)) + 10 * np.mean((steep - 1) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        means.append(np.mean(steep).item())
    assert means[0] < 0.5
    assert np.mean(means[-20:]) == pytest.approx(1.2, abs=0.05)


def test_data_of_float64_trains_in_float32() -> None:
    """A column of a CSV file is float64; the model and all it makes stay float32."""
    nn.manual_seed(0)
    rows = np.loadtxt(["0.0,1.0", "1.0,3.0", "2.0,5.0", "3.0,7.0"], delimiter=",")
    x, y = rows[:, :1], rows[:, 1:]
    assert rows.dtype == np.float64
    model = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 8), nn.Tanh(), nn.Dropout(0.0), nn.Linear(8, 1))
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(200):
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        assert loss.dtype == np.float32
    assert losses[-1] < 0.1 * losses[0]
    assert {p.dtype for p in model.parameters()} == {p.grad.dtype for p in model.parameters()} == {
        np.dtype(np.float32)
    }  # fmt: skip
