"""Deep networks: a thousand layers in a row, and rows within rows."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

X = np.ones((2, 3), np.float32)
DEPTH = 1000


@pytest.fixture(scope="module")
def row() -> Any:
    """A thousand layers, near the identity so that the values stay."""
    nn.manual_seed(0)
    net = nn.Sequential(*(nn.Linear(3, 3) for _ in range(DEPTH)))
    for layer in net:
        layer.weight.data[...] = np.eye(3) + 1e-4 * layer.weight.data
        layer.bias.data[...] *= 1e-4
    return net


def trains(net: Any) -> None:
    optimizer = optim.SGD(net.parameters(), lr=1e-5)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(X), 0 * X)
        loss.backward()
        assert all(p.grad is not None for p in net.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[1] < losses[0]


def test_a_thousand_layers_train(row: Any) -> None:
    trains(copy.deepcopy(row))


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_thousand_layers_are_copied(row: Any, copier: Any) -> None:
    twin = copier(row)
    np.testing.assert_array_equal(twin(X).numpy(), row(X).numpy())
    assert len(twin) == DEPTH


def test_a_thousand_layers_have_a_state_and_a_text(row: Any, tmp_path: Any) -> None:
    assert len(row.state_dict()) == 2 * DEPTH
    nn.save_file(row, tmp_path / "x")
    row.load_state_dict(nn.load_file(tmp_path / "x"))
    assert repr(row).count("\n") == DEPTH + 1
    assert repr(row).endswith("# 12,000 parameters in 2000 arrays, float32, 46.9 KiB")
    assert nn.summary(row, X).parameters == 12_000
    assert sum(1 for _ in row.modules()) == DEPTH + 1


def test_an_error_in_the_last_of_a_thousand_layers(row: Any) -> None:
    net = nn.Sequential(*row, nn.Linear(4, 1))
    with pytest.raises(ValueError, match=r"^\[1000 Linear\] got an input of shape \(2, 3\)"):
        net(X)


# A call of a module takes two of Python's frames (__call__ and forward), and Python 3.11 counts the step
# between them as a third: its usual limit of 1,000 is about 310 modules within each other. What only walks
# the tree has no such limit.


@contextmanager
def frames(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def nested(depth: int) -> Any:
    net: Any = nn.Linear(3, 3)
    for _ in range(depth):
        net = nn.Sequential(net, nn.Identity())
    return net


def test_rows_within_rows(tmp_path: Any) -> None:
    net = nested(500)
    name = "0." * 500 + "weight"
    assert list(net.state_dict()) == [name, "0." * 500 + "bias"]
    net.load_state_dict(net.state_dict())
    nn.save_file(net, tmp_path / "x")
    net.load_state_dict(nn.load_file(tmp_path / "x"))
    assert net.get_parameter(name) is next(net.parameters())
    assert len(list(net.modules())) == 1001
    net.train(False).requires_grad_().double().float()
    with pytest.raises(RecursionError) as caught:
        net(X)
    assert not hasattr(caught.value, "__notes__"), "a path of a thousand letters"
    with frames(4000):
        trains(net)
        y = copy.deepcopy(net)(X).numpy()
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(net))(X).numpy(), y)
        assert repr(net).count("\n") == 1500
        net.get_submodule("0." * 499 + "0").weight = nn.Parameter(np.zeros((3, 7), np.float32))
        with pytest.raises(ValueError, match=rf"^\[{'0.' * 499}0 Linear\] got an input of shape \(2, 3\)"):
            net(X)


def test_within_the_usual_limit() -> None:
    trains(nested(250))
