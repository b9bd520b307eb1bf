"""The library's own operations and layers, in the hands of its own checker."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn
from autograd_core.gradcheck import check_gradients

from ..autograd_core.test_table import Row, arrays, every_row, function

F = nn.functional
RNG = np.random.default_rng(5)
X = RNG.standard_normal((4, 6))
LABELS = np.array([0, 5, 2, 2])


@every_row
def test_every_operation(row: Row) -> None:
    for case in row.cases:
        xs = arrays(row, case)
        which = row.differentiable(case)
        order = 2 if case is row.cases[0] and row.elementwise else 1
        check_gradients(function(row, case, xs, which), *[xs[i] for i in which], order=order)


LAYERS: dict[str, Any] = {
    "Linear": nn.Linear(6, 3),
    "Linear without bias": nn.Linear(6, 3, bias=False),
    "Identity and Flatten": nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(6, 2)),
    "MLP": nn.MLP([6, 5, 3], activation="tanh"),
    "MLP with ReLU": nn.MLP([6, 8, 8, 2], activation="relu"),
    **{kind.__name__: nn.Sequential(nn.Linear(6, 5), kind())
       for kind in (nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.Softplus)},
    "Softmax": nn.Sequential(nn.Linear(6, 5), nn.Softmax(-1)),
    "LogSoftmax": nn.Sequential(nn.Linear(6, 5), nn.LogSoftmax(-1)),
    "Lambda": nn.Lambda(lambda x: np.sin(x) * x),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name: str) -> None:
    report = check_gradients(LAYERS[name], X)
    parameters = {n for n, _ in LAYERS[name].named_parameters()}
    assert parameters < {row.argument for row in report.rows}


LOSSES: dict[str, Any] = {
    "mse": (F.mse_loss, X, X[::-1].copy()),
    "cross entropy": (lambda x: F.cross_entropy(x, LABELS), X),
    "cross entropy of shares": (lambda x, t: F.cross_entropy(x, F.softmax(t, -1)), X, X[::-1]),
    "nll": (lambda x: F.nll_loss(F.log_softmax(x, -1), LABELS), X),
    "bce": (lambda x: F.binary_cross_entropy(F.sigmoid(x), (X > 0).astype(float)), X),
    "bce of logits": (
        lambda x: F.binary_cross_entropy_with_logits(x, (X > 0).astype(float), reduction="sum"), X),
    "hinge": (lambda x: F.hinge_loss(x, np.sign(X)), X + 0.3),
    "one-vs-all hinge": (lambda x: F.one_vs_all_hinge_loss(x, LABELS), X),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name: str) -> None:
    f, *inputs = LOSSES[name]
    check_gradients(f, *inputs)
