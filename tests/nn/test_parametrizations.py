"""Parametrizations: registering, removing, assigning; what their rows do not reach."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim
from autograd_core.node import strip

parametrizations, parametrize = nn.utils.parametrizations, nn.utils.parametrize
KINDS = [parametrizations.weight_norm, parametrizations.spectral_norm, parametrizations.orthogonal]


class Symmetric(nn.Module):
    def forward(self, x: Any) -> Any:
        return (x + x.T) / 2

    def right_inverse(self, x: Any) -> Any:
        return x


class Doubled(nn.Module):
    calls = 0

    def forward(self, x: Any) -> Any:
        Doubled.calls += 1
        return x * 2

    def right_inverse(self, x: Any) -> Any:
        return x / 2


class Wider(nn.Module):
    def forward(self, x: Any) -> Any:
        return x[:1]


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip(
        "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)
def test_a_layer_starts_from_its_weight_and_learns(kind: Any) -> None:
    nn.manual_seed(0)
    layer = nn.Linear(4, 3)
    bias, before = layer.bias, layer.weight.numpy().copy()
    assert kind(layer) is layer
    assert type(layer).__name__ == "ParametrizedLinear"
    assert isinstance(layer, nn.Linear)
    assert layer.bias is bias
    if kind is parametrizations.weight_norm:
        np.testing.assert_allclose(layer.weight.numpy(), before, rtol=1e-6)
    names = [name for name, _ in layer.named_parameters()]
    step = optim.SGD(layer.parameters(), lr=0.1)
    x = np.random.default_rng(0).normal(size=(5, 4))
    losses = []
    for _ in range(20):
        step.zero_grad()
        loss = ((layer(x) - 0.3) ** 2).sum()
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert [name for name, _ in layer.named_parameters()] == names
    weight = layer.eval().weight.numpy()
    if kind is parametrizations.spectral_norm:
        assert abs(np.linalg.norm(weight, 2) - 1) < 1e-3
    if kind is parametrizations.orthogonal:
        np.testing.assert_allclose(weight @ weight.T, np.eye(3), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)
def test_removing_leaves_an_ordinary_layer(kind: Any, torch: Any) -> None:
    nn.manual_seed(0)
    ours, theirs = nn.Linear(4, 3), torch.nn.Linear(4, 3)
    kind(ours).eval()
    getattr(torch.nn.utils.parametrizations, kind.__name__)(theirs).eval()
    value = ours.weight.numpy().copy()
    assert parametrize.is_parametrized(ours)
    assert parametrize.is_parametrized(ours, "weight")
    assert not parametrize.is_parametrized(ours, "bias")
    assert parametrize.remove_parametrizations(ours, "weight") is ours
    torch.nn.utils.parametrize.remove_parametrizations(theirs, "weight")
    assert type(ours) is nn.Linear
    assert not parametrize.is_parametrized(ours)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    np.testing.assert_array_equal(ours.weight.numpy(), value)
    assert ours(np.ones((2, 4))).shape == (2, 3)


def test_several_values_and_several_functions() -> None:
    layer = nn.Linear(3, 3)
    weight = layer.weight.numpy().copy()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "bias", Doubled())
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert type(layer) is type(copy.deepcopy(layer)) is type(pickle.loads(pickle.dumps(layer)))
    np.testing.assert_allclose(layer.weight.numpy(), (weight + weight.T) / 2, rtol=1e-6)
    assert len(layer.parametrizations.weight) == 2
    layer.weight = np.full((3, 3), 4.0)
    assert (layer.weight.numpy() == 4).all()
    assert (layer.parametrizations.weight.original.numpy() == 2).all()
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert isinstance(layer.bias, nn.Parameter)
    assert parametrize.is_parametrized(layer, "weight")
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert (layer.weight.numpy() == 4).all()


def test_a_value_is_computed_once_for_a_call() -> None:
    layer = parametrize.register_parametrization(nn.Linear(3, 3, bias=False), "weight", Doubled())
    Doubled.calls = 0
    assert layer(np.ones((2, 3))).dtype == np.float32  # float64 data meets no other parameter
    assert Doubled.calls == 1
    with parametrize.cached():
        layer(np.ones((2, 3)))
        layer(np.ones((2, 3)))
    assert Doubled.calls == 2
    assert layer.weight is not layer.weight
    assert Doubled.calls == 4


def test_copies_are_their_own() -> None:
    layer = parametrizations.weight_norm(nn.Linear(3, 2))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        other.parametrizations.weight.original0.data[...] = 0
        assert (other.weight.numpy() == 0).all()
        assert not (layer.weight.numpy() == 0).all()


def test_frozen_weights_stay_frozen() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad = False
    parametrizations.weight_norm(layer)
    assert [p.requires_grad for p in layer.parameters()] == [True, False, False]
    assert not parametrize.remove_parametrizations(layer, "weight").weight.requires_grad


def test_gradients_of_spectral_norm_in_training_as_pytorch(torch: Any) -> None:
    ours = parametrizations.spectral_norm(nn.Linear(4, 3), n_power_iterations=2).double()
    theirs = torch.nn.Linear(4, 3).double()
    torch.nn.utils.parametrizations.spectral_norm(theirs, n_power_iterations=2)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(5, 4))
    for _ in range(3):
        ours.zero_grad()
        theirs.zero_grad()
        (ours(x) ** 3).sum().backward()
        (theirs(torch.tensor(x)) ** 3).sum().backward()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(strip(p.grad), q.grad.numpy(), rtol=1e-8, atol=1e-10)
        for name, value in theirs.state_dict().items():
            np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), atol=1e-12)


def test_spectral_norm_is_the_largest_singular_value() -> None:
    nn.manual_seed(0)
    layer = parametrizations.spectral_norm(nn.Linear(6, 5), n_power_iterations=100)
    original = layer.parametrizations.weight.original.numpy()
    np.testing.assert_allclose(layer.weight.numpy() * np.linalg.norm(original, 2), original, rtol=1e-4)


def test_the_older_names() -> None:
    assert nn.utils.weight_norm is parametrizations.weight_norm
    assert nn.utils.spectral_norm is parametrizations.spectral_norm


WRONG: list[tuple[Any, str]] = [
    (lambda: parametrizations.weight_norm(nn.Linear(2, 2), "w"),
     r"weight_norm\] got the name 'w', expected one of \['we"),
    (lambda: parametrizations.weight_norm(nn.Linear(2, 2), dim=2), r"weight_norm\] got dim=2"),
    (lambda: parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
     r"got n_power_iterations=0"),
    (lambda: parametrizations.orthogonal(nn.Linear(2, 2), "bias"),
     r"orthogonal\] got a parameter of shape \(2,\)"),
    (lambda: parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr"), r"orthogonal\] got 'qr'"),
    (lambda: parametrize.register_parametrization(nn.Linear(2, 2), "w", Doubled()), r"got the name 'w'"),
    (lambda: parametrize.register_parametrization(nn.Linear(2, 2), "weight", Wider()),
     r"got a value of shape \(1, 2\)"),
    (lambda: parametrize.remove_parametrizations(nn.Linear(2, 2), "weight"),
     r"remove_parametrizations\] got the name"),
    (lambda: parametrize.remove_parametrizations(KINDS[0](nn.Linear(2, 2)), "weight", False),
     r"got leave_parametrized=False of several originals"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "text"), WRONG,
    ids=[f"{i}-{text[:30]}" for i, (_, text) in enumerate(WRONG)]
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_some_maps_have_no_inverse() -> None:
    with pytest.raises(NotImplementedError, match=r"orthogonal\] got 'cayley' without trivialization"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="cayley", use_trivialization=False)
