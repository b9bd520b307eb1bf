"""Activations that PyTorch has as functions: values, gradients to second order, and the kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

X = np.array([[-3.0, -1.5, -0.4, 0.3], [0.6, 1.5, 2.5, -0.1]])
CALLS: dict[str, list[dict[str, Any]]] = {
    "selu": [{}], "softsign": [{}], "glu": [{}, {"dim": 0}],
    "hardtanh": [{}, {"min_val": -2.0, "max_val": 0.5}],
}  # fmt: skip
every = pytest.mark.parametrize(("name", "params"), [(n, p) for n, ps in CALLS.items() for p in ps])


@every
def test_gradients(name: str, params: dict[str, Any]) -> None:
    f = getattr(nn.functional, name)
    ag.check_gradients(lambda x: f(x, **params), X, order=2)
    assert f(ag.tensor(X.astype("f4"), requires_grad=True), **params).dtype == np.float32
    assert type(f(X, **params)) is np.ndarray


@every
def test_as_pytorch_has_it(name: str, params: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    x = np.concatenate([X, [[0.0, 1.0, -1.0, 0.5], [-2.0, 0.0, 1.0, -1.0]]])
    ours, theirs = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = getattr(nn.functional, name)(ours, **params), getattr(torch.nn.functional, name)(theirs, **params)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-14)
    y.sum().backward()
    z.sum().backward()
    if name == "selu":  # at 0 elu has derivative alpha here, as its own page says, and PyTorch's selu too
        assert ours.grad[2, 0] == theirs.grad[2, 0]
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-13)


def test_an_odd_axis_has_no_halves() -> None:
    with pytest.raises(ValueError, match=r"\[glu\] got shape \(3,\), expected an even length along axis -1"):
        nn.functional.glu(np.ones(3))
