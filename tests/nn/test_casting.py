"""NumPy's float64 data, as a CSV file gives it, into networks of float32."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional
RNG = np.random.default_rng(0)
CSV = "\n".join(f"{a:.6f},{b:.6f},{c:.6f},{int(a + b > 0)}" for a, b, c in RNG.normal(size=(40, 3)))
TABLE = np.loadtxt(io.StringIO(CSV), delimiter=",")
X, COLUMN, LABEL = TABLE[:, :2], TABLE[:, 2], TABLE[:, 3]


LOSSES = {
    "mse": (1, lambda y: F.mse_loss(y, COLUMN[:, None])),
    "MSELoss": (1, lambda y: nn.MSELoss()(y[:, 0], COLUMN)),
    "bce of logits": (1, lambda y: F.binary_cross_entropy_with_logits(y[:, 0], LABEL)),
    "bce": (1, lambda y: F.binary_cross_entropy(y[:, 0].sigmoid(), LABEL)),
    "classes": (2, lambda y: F.cross_entropy(y, LABEL.astype(int))),
    "probabilities": (2, lambda y: F.cross_entropy(y, np.stack([1 - LABEL, LABEL], 1))),
    "weighted": (2, lambda y: F.cross_entropy(y, LABEL.astype(int), weight=np.array([0.3, 0.7]))),
    "plain arithmetic": (1, lambda y: ((y[:, 0] - ag.tensor(COLUMN.astype("f"))) ** 2).mean()),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_column_of_a_csv_file_trains_in_float32(name: str) -> None:
    assert {X.dtype, COLUMN.dtype, LABEL.dtype} == {np.dtype("float64")}
    outputs, loss_of = LOSSES[name]
    nn.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, outputs))
    optimizer = optim.Adam(net.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        y = net(X)
        loss = loss_of(y)
        assert y.dtype == loss.dtype == np.float32
        loss.backward()
        assert {p.grad.dtype for p in net.parameters()} == {np.dtype("float32")}
        optimizer.step()
        assert {p.dtype for p in net.parameters()} == {np.dtype("float32")}
        losses.append(loss.item())
    kept = [v for arrays in optimizer.state.values() for v in arrays.values() if v.ndim]
    assert {v.dtype for v in kept} == {np.dtype("float32")}
    assert losses[-1] < 0.97 * losses[0]


def test_the_graph_between_has_no_float64() -> None:
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    loss = F.mse_loss(net(X), COLUMN[:, None])
    stack: list[Any] = [loss.grad_fn]
    seen = []
    while stack:
        node = stack.pop()
        if node is not None:
            seen.append(node.dtype)
            stack += getattr(node, "edges", ())
    assert set(seen) == {np.dtype("float32")}
    assert len(seen) >= 8


def test_the_same_numbers_as_from_float32_data() -> None:
    net = nn.Linear(2, 3)
    np.testing.assert_array_equal(net(X).numpy(), net(X.astype("f")).numpy())
    a, b = (F.mse_loss(net(X), t) for t in (np.tile(COLUMN, (3, 1)).T, np.tile(COLUMN, (3, 1)).T.astype("f")))
    assert a.item() == b.item()


class Foreign:
    """Another library's array, with a dtype of its own."""

    dtype, shape = object(), (1, 2)

    def __init__(self, values: Any) -> None:
        self.values = np.array(values)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.values


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.ones((1, 2), complex), r"an array of dtype complex128, expected numbers that float32 holds"),
        (np.array(["a", "b"]), r"an array of dtype <U1, expected numbers that float32 holds"),
        (Foreign([[{}, {}]]), "an array of dtype object, expected numbers that float32 holds"),
        ([[1.0], [1.0, 2.0]], "a list of list, list, expected an array, a Tensor or nested lists"),
        ([[1.0, "b"]], "a list of list, expected an array"),
        ((ag.tensor([1.0, 2.0], requires_grad=True), (0, 1)),
         "a tuple of Tensor, tuple, expected .*; try its first item, as of output, state = lstm"),
        ([ag.tensor([1.0, 2.0], requires_grad=True)] * 2, "a list of Tensor, Tensor, .*; try np.stack"),
    ],
)  # fmt: skip
def test_data_that_is_none_is_named(x: Any, text: str) -> None:
    with pytest.raises(TypeError, match=r"\[0 Linear\] got " + text):
        nn.Sequential(nn.Linear(2, 3))(x)


def test_arrays_of_other_libraries_are_data() -> None:
    layer = nn.Linear(2, 3)
    x = [[0.5, -1.0]]
    np.testing.assert_array_equal(layer(Foreign(x)).numpy(), layer(x).numpy())
    loss = F.cross_entropy(layer(x), Foreign([2]))
    np.testing.assert_array_equal(loss.numpy(), F.cross_entropy(layer(x), [2]).numpy())


def test_data_meets_the_parameters_of_a_list_or_of_a_shared_layer() -> None:
    """The module that is called has no parameters of its own: the first one below it says the dtype."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.ParameterList([nn.Parameter(np.ones((3, 2), np.float32))])

        def forward(self, x: Any, index: Any = None) -> Any:
            assert index is None or index.dtype == np.int64
            return x @ self.weights[0]

    x = np.ones((4, 3))
    assert Net()(x).dtype == np.float32
    assert Net()(x, np.arange(4)).dtype == np.float32
    assert Net().double()(x).dtype == np.float64
    assert nn.Sequential(nn.Tanh())(x).dtype == np.float64, "there is no parameter"
    with pytest.raises(TypeError, match=r"\[Net\] got a Tensor of dtype float64, expected float32"):
        Net()(ag.tensor(x), x)
