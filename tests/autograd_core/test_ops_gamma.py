"""The error function, the gamma function and their kind: SciPy's values, gradients to second order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.gradcheck import check_gradients

X = np.array([0.05, 0.3, 0.7, 1.0, 1.9, 2.5, 7.3, 11.9, 12.1, 40.0])
S = np.concatenate([-X[:6], [0.0], X])
U = np.array([-0.999999, -0.9, -0.5, -1e-9, 0.0, 1e-300, 0.3, 0.49999, 0.50001, 0.97, 1 - 1e-15])
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "erf": (ag.erf, (S,)), "erfc": (ag.erfc, (S / 2,)),
    "erfcx": (ag.erfcx, (np.append(S, [24.9, 25.1, 1e3, -20]),)),
    "erfinv": (ag.erfinv, (U,)), "gamma": (ag.gamma, (np.append(X, [-0.5, -1.7]),)),
    "gammaln": (ag.gammaln, (np.append(X, [1e5, -0.5, -2.2]),)),
    "digamma": (ag.digamma, (np.append(X, [1e6, -0.5, -3.7, 0.001]),)), "beta": (ag.beta, (X, X[::-1])),
    "betaln": (ag.betaln, (X, X[::-1])), "expit": (ag.expit, (S,)), "logit": (ag.logit, (X[:3],)),
    "xlogy": (ag.xlogy, (S[:10], X)),
    **{f"polygamma {n}": (lambda x, n=n: ag.polygamma(n, x), (np.append(X, [-0.5, -3.7]),))
       for n in (0, 1, 2, 3, 7)},
}  # fmt: skip
every = pytest.mark.parametrize("name", FUNCTIONS)


@every
def test_values_are_scipys(name: str) -> None:
    special = pytest.importorskip("scipy.special", reason="SciPy gives the values")
    f, arrays = FUNCTIONS[name]
    word, *order = name.split()
    expected = getattr(special, word)(*map(int, order), *arrays)
    np.testing.assert_allclose(f(*arrays), expected, rtol=3e-14, atol=1e-15)
    y = f(*(ag.tensor(a, requires_grad=True) for a in arrays))
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=3e-14, atol=1e-15)
    small = f(*(ag.tensor(a.astype("f4"), requires_grad=True) for a in arrays))
    assert small.dtype == np.float32


@every
def test_gradients(name: str) -> None:
    f, arrays = FUNCTIONS[name]
    inside = [a[np.abs(a) < 3] for a in arrays] if len(arrays) == 1 else [a[3:8] for a in arrays]
    inside = [a[(np.abs(a) > 1e-3) & (np.abs(a) < 0.99)] for a in inside] if name == "erfinv" else inside
    assert check_gradients(f, *inside, order=2).passed


def test_poles_and_ends() -> None:
    assert ag.erfinv(1.0) == math.inf
    assert ag.erfinv(-1.0) == -math.inf
    assert np.isnan(ag.erfinv(1.5))
    assert ag.gamma(0.0) == math.inf
    assert np.isnan(ag.gamma(-1.0))
    assert ag.gamma(200.0) == math.inf
    assert ag.gammaln(-3.0) == math.inf
    assert ag.erfcx(-30.0) == math.inf
    assert np.isnan(ag.digamma(-2.0))
    x = ag.tensor([0.0, 0.0, 2.0], dtype=np.float64, requires_grad=True)
    y = ag.tensor([0.0, 3.0, 3.0], dtype=np.float64, requires_grad=True)
    ag.xlogy(x, y).sum().backward()
    np.testing.assert_allclose(y.grad, [0.0, 0.0, 2 / 3])
    np.testing.assert_allclose(x.grad, [-math.inf, math.log(3), math.log(3)])


def test_gradients_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch gives the gradients")
    for ours, theirs in ((ag.erf, torch.erf), (ag.erfc, torch.erfc), (ag.erfinv, torch.erfinv),
                         (ag.erfcx, torch.special.erfcx), (ag.gammaln, torch.lgamma),
                         (ag.logit, torch.logit)):  # fmt: skip
        x = np.array([0.1, 0.45, 0.8])
        t = torch.tensor(x, requires_grad=True)
        theirs(t).sum().backward()
        np.testing.assert_allclose(ag.grad(lambda x: ours(x).sum())(x), t.grad, rtol=1e-12)  # noqa: B023
