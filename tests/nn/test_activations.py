"""Activations at kinks and extremes, as functions, in training; and what is said of wrong ones."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from nn.mlp import BY_NAME

F = nn.functional
DTYPES = [np.float32, np.float64]
EXTREME = [-1000.0, -100.0, -30.0, -0.0, 0.0, 1e-30, 1e-6, 21.0, 30.0, 100.0, 1000.0]
KINKS = [-3.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 3.0, 6.0]
POINTS = [*EXTREME, *KINKS, -2.0, -0.3, 0.3, 2.0]
CALLS: dict[str, list[dict[str, Any]]] = {  # functions of one array, and the arguments to try
    "celu": [{}, {"alpha": 0.5}, {"alpha": 3.0}],
    "elu": [{}, {"alpha": 0.5}, {"alpha": 0.0}],
    "gelu": [{}, {"approximate": "tanh"}],
    "glu": [{}, {"dim": 0}],
    "hardshrink": [{}, {"lambd": 1.5}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "hardtanh": [{}, {"min_val": -3.0, "max_val": 0.5}],
    "leaky_relu": [{}, {"negative_slope": 0.1}, {"negative_slope": 0.0}, {"negative_slope": 1.0},
                   {"negative_slope": 1.5}, {"negative_slope": -0.5}],
    "log_softmax": [{"dim": -1}, {"dim": 0}],
    "logsigmoid": [{}],
    "mish": [{}],
    "relu": [{}],
    "relu6": [{}],
    "rrelu": [{}, {"lower": 0.1, "upper": 0.5}],
    "selu": [{}],
    "sigmoid": [{}],
    "silu": [{}],
    "softmax": [{"dim": -1}, {"dim": 0}],
    "softmin": [{"dim": -1}, {"dim": 0}],
    "softplus": [{}, {"beta": 3.0}, {"beta": 2.0, "threshold": 3.0}, {"beta": -1.0}],
    "softshrink": [{}, {"lambd": 1.5}],
    "softsign": [{}],
    "tanh": [{}],
    "tanhshrink": [{}],
    "threshold": [{"threshold": 0.5, "value": 20.0}, {"threshold": -1.5, "value": -2.0}],
}  # fmt: skip
every = pytest.mark.parametrize(("name", "params"), [(n, p) for n, ps in CALLS.items() for p in ps])
INEXACT = {"hardsigmoid": 1e-7}  # their derivative in float64 is 1/6 of float32


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


def test_all_of_theirs_are_here(torch: Any) -> None:
    others = {"MultiheadAttention"}
    for name in set(torch.nn.modules.activation.__all__) - others:
        assert hasattr(nn, name)
        function = {"Softmax2d": "softmax"}.get(name) or next(
            f for f in vars(F) if f.replace("_", "") == name.lower())
        ours = inspect.signature(getattr(F, function)).parameters
        try:
            theirs = inspect.signature(getattr(torch.nn.functional, function)).parameters
        except ValueError:  # written in C
            continue
        shared = [p for p in theirs if p != "_stacklevel"]
        assert list(ours) == shared, function


@every
@pytest.mark.parametrize("dtype", DTYPES)
def test_as_pytorch_at_every_kind_of_point(name: str, params: dict[str, Any], dtype: Any, torch: Any) -> None:
    rtol = 3e-6 if dtype == np.float32 else INEXACT.get(name, 1e-10)
    for x in (np.array([POINTS, POINTS[::-1]]).astype(dtype), np.array([[math.inf], [-math.inf]], dtype)):
        ours, theirs = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        finite = np.isfinite(x).all()
        if not finite and name in ("glu", "log_softmax", "softmax", "softmin"):
            continue  # of them one element is an axis
        with np.errstate(invalid="raise" if finite else "ignore", over="raise", divide="raise"):
            y = getattr(F, name)(ours, **params)
            y.sum().backward()
        z = getattr(torch.nn.functional, name)(theirs, **params)
        z.sum().backward()
        for mine, other in ((y.detach().numpy(), z.detach().numpy()), (ours.grad, theirs.grad.numpy())):
            assert mine.dtype == dtype
            assert np.isfinite(mine).all() or not finite
            known = ~np.isnan(other)
            np.testing.assert_allclose(mine[known], other[known], rtol=rtol, atol=rtol)


@every
def test_second_derivatives_are_finite_at_every_kind_of_point(name: str, params: dict[str, Any]) -> None:
    def total(x: Any) -> Any:
        return getattr(F, name)(x, **params).sum()

    x = np.array([POINTS, POINTS[::-1]])
    with np.errstate(invalid="raise", over="raise", divide="raise"):
        assert np.isfinite(ag.grad(lambda x: ag.grad(total)(x).sum())(x)).all()
        assert np.isfinite(ag.jvp(ag.grad(total), (x,), (np.ones(x.shape),))[1]).all()


@every
def test_integers_and_lists_are_data(name: str, params: dict[str, Any]) -> None:
    x = np.array([[0, 3], [1, 200]])
    for data in (x.astype(np.uint8), x.tolist(), x) if name != "glu" else (x.astype(np.uint8), x):
        y = getattr(F, name)(data, **params)  # NumPy takes uint8 to float16
        np.testing.assert_allclose(y, getattr(F, name)(x.astype(float), **params), rtol=1e-3, atol=1e-3)


def test_softplus_obeys_its_threshold_and_is_exact_without_it() -> None:
    x = np.array([3.0, 19.0, 21.0, 800.0])
    exact = np.logaddexp(0, x)
    assert np.array_equal(F.softplus(x, threshold=math.inf), exact)
    assert F.softplus(x)[2] == 21.0 != exact[2]
    assert np.array_equal(F.softplus(x, threshold=2.0), x)
    assert ag.grad(F.softplus)(21.0) == 1.0 != ag.grad(lambda x: F.softplus(x, threshold=math.inf))(21.0)


# -- those that draw, double or choose -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_rrelu_draws_a_slope_for_each_element(dtype: Any) -> None:
    x = np.full((200, 50), -1.0, dtype)
    layer = nn.RReLU(0.1, 0.5)
    nn.manual_seed(3)
    t = ag.tensor(x, requires_grad=True)
    y = layer(t)
    slopes = -y.detach().numpy()
    assert slopes.dtype == dtype
    assert 0.1 <= slopes.min() < 0.101
    assert 0.499 < slopes.max() <= 0.5
    assert abs(slopes.mean() - 0.3) < 5 * 0.4 / math.sqrt(12 * x.size)
    y.sum().backward()
    assert np.array_equal(t.grad, slopes), "the gradient has the slopes of its own draw"
    assert not np.array_equal(layer(x), -slopes), "the next call draws again"
    nn.manual_seed(3)
    assert np.array_equal(layer(x), -slopes)
    assert np.array_equal(F.rrelu(x, 0.3, 0.3, training=True), x * dtype(0.3))
    assert np.array_equal(layer(-x), -x)
    np.testing.assert_allclose(layer.eval()(x), x * 0.3, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_maxout_is_convex_and_can_be_the_absolute_value(seed: int) -> None:
    nn.manual_seed(seed)
    layer = nn.Maxout(3, 4, pieces=3)
    a, b = np.random.default_rng(seed).normal(size=(2, 20, 3)).astype(np.float32)
    middle = layer((a + b) / 2).detach().numpy()
    ends = (layer(a) + layer(b)).detach().numpy() / 2
    assert (middle <= ends + 1e-6).all()
    bound = 1 / math.sqrt(3)
    for p in layer.parameters():
        assert abs(p.numpy()).max() <= bound
    layer = nn.Maxout(1, 1)
    layer.load_state_dict({"weight": [[1.0], [-1.0]], "bias": [0.0, 0.0]})
    x = np.array([[-2.0], [0.5]])
    assert np.array_equal(layer(x).detach().numpy(), abs(x))
    assert np.array_equal(F.maxout(np.arange(6.0).reshape(6, 1) * [[1, -1]], 3, dim=0), [[2, 0], [5, -3]])


def test_a_probability_can_be_asked_for_in_another_dtype(torch: Any) -> None:
    x = np.array([[1.0, 2.0, 4.0]], np.float16)
    for name in ("softmax", "softmin", "log_softmax"):
        ours = getattr(F, name)(x, 1, dtype=np.float64)
        theirs = getattr(torch.nn.functional, name)(torch.tensor(x), 1, dtype=torch.float64).numpy()
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_inplace_is_taken_and_changes_nothing() -> None:
    x = np.array([-1.0, 2.0])
    assert np.array_equal(nn.ReLU(inplace=True)(x), [0, 2])
    assert np.array_equal(F.relu(x, inplace=True), [0, 2])
    assert np.array_equal(x, [-1, 2])
    assert repr(nn.ReLU(inplace=True)) == "ReLU(inplace=True)"
    assert repr(nn.ELU(0.5)) == "ELU(alpha=0.5)"
    assert repr(nn.GELU("tanh")) == "GELU(approximate='tanh')"


def test_float16_is_finite_too() -> None:
    x = np.array([-300.0, -12.0, -1.0, 0.0, 1.0, 12.0, 300.0], np.float16)
    for name in ("mish", "silu", "gelu", "softplus", "logsigmoid", "selu", "softsign", "hardswish"):
        t = ag.tensor(x, requires_grad=True)
        y = getattr(F, name)(t)
        y.sum().backward()
        exact = getattr(F, name)(x.astype(float))
        np.testing.assert_allclose(y.detach().numpy(), exact, rtol=3e-3, atol=1e-3)
        assert np.isfinite(t.grad).all()


# -- names, and wrong ones -----------------------------------------------------------------------------


def test_a_network_knows_every_activation_by_name() -> None:
    classes = {cls for cls in vars(nn.activations).values() if isinstance(cls, type)}
    assert classes - set(BY_NAME.values()) == {nn.Maxout, nn.Threshold}, "these need arguments"
    assert {"relu", "leaky_relu", "gelu", "silu", "log_softmax", "logsigmoid", "softmax2d"} <= set(BY_NAME)
    for name, cls in BY_NAME.items():
        if name not in ("glu", "crelu", "softmax2d", "heaviside"):
            net = nn.MLP([3, 4, 2], activation=name)
            assert type(net[1]) is cls
            assert net(np.ones((5, 3))).shape == (5, 2)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.softmax(np.ones(3), axis=0), TypeError, r"\[softmax\] got axis=0, .* dim; try dim=0"),
        (lambda: F.log_softmax(np.ones(3), axis=-1), TypeError, "try dim=-1"),
        (lambda: F.glu(np.ones(3)), ValueError, r"shape \(3,\), expected an even length along axis -1"),
        (lambda: F.gelu(np.ones(3), "tan"), ValueError, r"\[gelu\] got approximate='tan', expected 'none'"),
        (lambda: nn.GELU("erf"), ValueError, r"\[GELU\] got approximate='erf'"),
        (lambda: nn.ELU(-1.0), ValueError, r"\[ELU\] got alpha=-1.0"),
        (lambda: F.elu(np.ones(3), -1.0), ValueError, r"\[elu\] got alpha=-1.0"),
        (lambda: nn.CELU(0.0), ValueError, "alpha=0.0, expected a positive number"),
        (lambda: F.celu(np.ones(3), 0.0), ValueError, "alpha=0.0, expected a positive number"),
        (lambda: nn.Hardtanh(1.0, -1.0), ValueError, "expected min_val < max_val"),
        (lambda: F.hardtanh(np.ones(3), 1.0, 1.0), ValueError, "expected min_val < max_val"),
        (lambda: nn.Softshrink(-1.0), ValueError, "lambd=-1.0, expected a number that is not negative"),
        (lambda: F.softshrink(np.ones(3), -1.0), ValueError, "lambd=-1.0"),
        (lambda: nn.RReLU(0.5, 0.1), ValueError, r"\[RReLU\] got lower=0.5, upper=0.1"),
        (lambda: F.rrelu(np.ones(3), 0.5, 0.1), ValueError, r"\[rrelu\] got lower=0.5, upper=0.1"),
        (lambda: nn.PReLU(0), ValueError, "num_parameters=0"),
        (lambda: nn.PReLU(3)(np.ones((2, 4))), ValueError, r"a weight of shape \(3,\), expected .* \(4,\)"),
        (lambda: nn.Softmax2d()(np.ones((2, 3))), ValueError, r"shape \(2, 3\), expected \(N, C, H, W\)"),
        (lambda: nn.Maxout(3, 2, 0), ValueError, r"\[Maxout\] got pieces=0"),
        (lambda: nn.Maxout(3, 2.0), TypeError, r"\[Maxout\] got out_features=2.0"),
        (lambda: F.maxout(np.ones(5), 2), ValueError, r"\(5,\), expected a multiple of 2 along axis -1"),
        (lambda: nn.MLP([2, 3, 1], "ReLu"), ValueError, "'ReLu', expected one of celu, .*; try 'relu'"),
    ],
)  # fmt: skip
def test_wrong_ones_are_explained(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()
