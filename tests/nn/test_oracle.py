"""Values, input gradients and parameter gradients against PyTorch, over the arguments of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
)
F = nn.functional
TF = torch.nn.functional
DTYPES = [np.float32, np.float64]
RTOL = {np.dtype(np.float32): 3e-5, np.dtype(np.float64): 1e-10}


def close(ours: Any, theirs: Any, dtype: Any) -> None:
    ours = ours.numpy() if isinstance(ours, ag.Tensor) else ours
    theirs = theirs.detach().numpy()
    assert ours.dtype == dtype
    assert ours.shape == theirs.shape
    rtol = RTOL[np.dtype(dtype)]
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


def compare(ours: Any, theirs: Any, arrays: list[Any], dtype: Any, rng: Any, constants: Any = ()) -> None:
    """Compare two functions of the same arrays: results, and the gradients of all of them."""
    a = [ag.tensor(np.asarray(x, dtype), requires_grad=True) for x in arrays]
    b = [torch.tensor(np.asarray(x, dtype), requires_grad=True) for x in arrays]
    y, z = ours(*a, *constants), theirs(*b, *map(torch.as_tensor, constants))
    close(y, z, dtype)
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(g)
    z.backward(torch.tensor(g))
    for mine, other in zip(a, b, strict=True):
        close(mine.grad, other.grad, dtype)


def compare_modules(ours: Any, theirs: Any, x: Any, dtype: Any, rng: Any) -> None:
    """Compare two modules, the first with the state of the second."""
    theirs = theirs.to(torch.tensor(np.zeros(1, dtype)).dtype)
    ours = ours.to(dtype)
    ours.load_state_dict(theirs.state_dict())
    ours.zero_grad()
    theirs.zero_grad()
    compare(ours, theirs, [x], dtype, rng)
    state = dict(theirs.named_parameters())
    assert [name for name, _ in ours.named_parameters()] == list(state)
    for name, p in ours.named_parameters():
        close(p.grad, state[name].grad, dtype)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network(dtype: Any, rng: Any) -> None:
    ours = nn.MLP([5, 4, 3, 2], activation="tanh", output_activation="sigmoid")
    theirs = torch.nn.Sequential(
        torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3), torch.nn.Tanh(),
        torch.nn.Linear(3, 2), torch.nn.Sigmoid())  # fmt: skip
    compare_modules(ours, theirs, rng.normal(size=(6, 5)), dtype, rng)


# -- classes, one-hot ----------------------------------------------------------------------------


def test_one_hot() -> None:
    t = np.array([[0, 2], [1, 0]])
    assert np.array_equal(F.one_hot(t), TF.one_hot(torch.tensor(t)).numpy())
    assert np.array_equal(F.one_hot(t, 5), TF.one_hot(torch.tensor(t), 5).numpy())


# -- what checkpoints and habits rely on -----------------------------------------------------------


def test_a_state_of_pytorch_loads_and_gives_the_same_outputs(rng: Any) -> None:
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.PReLU(), torch.nn.Linear(3, 2))
    ours = nn.Sequential(nn.Linear(4, 3), nn.PReLU(), nn.Linear(3, 2))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    x = rng.normal(size=(5, 4)).astype(np.float32)
    close(ours(x), theirs(torch.tensor(x)), np.float32)
