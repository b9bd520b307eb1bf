"""Pooling: ties and NaN, functional forms beside PyTorch's, every order, errors, what the layers say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn

F = nn.functional
NAN = math.nan
RNG = np.random.default_rng(0)
X = {1: RNG.normal(size=(2, 3, 9)), 2: RNG.normal(size=(2, 3, 6, 7)), 3: RNG.normal(size=(1, 2, 5, 4, 6))}


@pytest.fixture(scope="module")
def torch() -> Any:
    reason = "PyTorch is not installed: pip install 'autograd-core[oracle]'"
    return pytest.importorskip("torch", reason=reason)


def same(torch: Any, name: str, x: Any, *args: Any, **kwargs: Any) -> None:
    """Assert the outputs and the gradient of PyTorch's function of this name."""
    a, b = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = getattr(F, name)(a, *args, **kwargs), getattr(torch.nn.functional, name)(b, *args, **kwargs)
    ys, zs = (v if isinstance(v, tuple) else (v,) for v in (y, z))
    for mine, other in zip(ys, zs, strict=True):
        np.testing.assert_allclose(ag.node.strip(mine), other.detach().numpy(), rtol=1e-12, atol=1e-14)
    g = np.random.default_rng(1).normal(size=ys[0].shape)
    ys[0].backward(g)
    zs[0].backward(torch.tensor(g))
    np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12, atol=1e-14)


# -- ties and what is no number --------------------------------------------------------------------


@pytest.mark.parametrize("numba", [False, None], ids=["numpy", "as installed"])
def test_the_first_of_ties_gets_the_gradient(numba: bool | None) -> None:
    x = ag.tensor(np.array([[[2.0, 5.0, 1.0], [5.0, 5.0, 1.0]]]), requires_grad=True)
    if numba is None:
        F.max_pool2d(x, 2, 1).sum().backward()
    else:
        with kernels.using(numba=numba):
            F.max_pool2d(x, 2, 1).sum().backward()
    assert x.grad.tolist() == [[[0, 2, 0], [0, 0, 0]]]


@pytest.mark.parametrize("name", ["max_pool2d", "adaptive_max_pool2d"])
@pytest.mark.parametrize("size", [2, 3])
def test_ties_and_nan_as_pytorch(name: str, size: int, torch: Any) -> None:
    same(torch, name, np.random.default_rng(0).integers(0, 3, (2, 3, 5, 7)).astype(float), size)
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 7))
    x[0, 0, 1, :3] = x[1, 1] = x[0, 2, 4, 6] = NAN
    x[0, 1, :, 1], x[1, 2] = np.inf, -np.inf
    same(torch, name, x, size, return_indices=True)


def test_no_windows_at_all() -> None:
    for pool in (F.adaptive_max_pool2d, F.adaptive_avg_pool2d):
        x = ag.tensor(np.ones((2, 3, 4)), requires_grad=True)
        y = pool(x, (0, 3))
        assert y.shape == (2, 0, 3)
        y.sum().backward()
        assert not x.grad.any()


def test_whole_numbers_are_pooled_as_such() -> None:
    x = np.array([[3, -5, 7, -9]])
    assert F.max_pool1d(x, 2, padding=1).tolist() == [[3, 7, -9]]
    assert F.max_pool1d(x, 2, padding=1).dtype == x.dtype


def test_the_norm_of_zeros_has_derivative_zero(torch: Any) -> None:
    x = np.array([[[0.0, 0.0, 3.0, 4.0]]])
    for p in (2.0, 3.0):
        same(torch, "lp_pool1d", x, p, 2)
    y = ag.tensor(x, requires_grad=True)
    F.lp_pool1d(y, 2, 2).sum().backward()
    np.testing.assert_allclose(y.grad, [[[0, 0, 0.6, 0.8]]])


def test_the_norm_for_infinity_is_the_largest() -> None:
    assert F.lp_pool1d(np.array([[1.0, -3.0, 2.0, 0.0]]), math.inf, 2).tolist() == [[3, 2]]


# -- functional forms ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
def test_functional_forms_as_pytorch(n: int, torch: Any) -> None:
    same(torch, f"max_pool{n}d", X[n], 3, 2, 1, 1, True, True)
    same(torch, f"max_pool{n}d", X[n], 2)
    same(torch, f"max_pool{n}d_with_indices", X[n], 2, 1, 1)
    same(torch, f"avg_pool{n}d", X[n], 3, 2, 1, True, False)
    same(torch, f"lp_pool{n}d", abs(X[n]), 3, 2, 1, True)
    same(torch, f"adaptive_avg_pool{n}d", X[n], 3)
    same(torch, f"adaptive_max_pool{n}d", X[n], 2, True)
    same(torch, f"adaptive_max_pool{n}d_with_indices", X[n], 3)


@pytest.mark.parametrize("n", [2, 3])
def test_fractional_forms_as_pytorch(n: int, torch: Any) -> None:
    for seed in range(5):
        u = np.random.default_rng(seed).random((*X[n].shape[:2], n))
        for kwargs in ({"output_size": 2}, {"output_ratio": (0.6, 0.4, 0.5)[:n]}):
            for name in (f"fractional_max_pool{n}d", f"fractional_max_pool{n}d_with_indices"):
                a = getattr(F, name)(X[n], 2, **kwargs, return_indices=True, _random_samples=u)
                theirs = {**kwargs, "return_indices": True, "_random_samples": torch.tensor(u)}
                b = getattr(torch.nn.functional, name)(torch.tensor(X[n]), 2, **theirs)
                for mine, other in zip(a, b, strict=True):
                    np.testing.assert_array_equal(mine, other.numpy())


def test_fractional_windows_are_drawn_anew() -> None:
    nn.manual_seed(0)
    layer, x = nn.FractionalMaxPool2d(2, output_size=13), np.arange(400.0).reshape(1, 20, 20)
    first, second = layer(x), layer(x)
    assert (first != second).any()
    nn.manual_seed(0)
    np.testing.assert_array_equal(layer(x), first)
    assert first.max() == 399  # the last window always ends at the edge


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling_puts_the_maxima_back(n: int, torch: Any) -> None:
    x, theirs = X[n], torch.nn.functional
    for settings in ((2,), (3, 3, 1), (2, 3)):
        y, places = getattr(F, f"max_pool{n}d")(x, *settings, return_indices=True)
        z, there = getattr(theirs, f"max_pool{n}d")(torch.tensor(x), *settings, return_indices=True)
        np.testing.assert_array_equal(places, there.numpy())
        back = getattr(F, f"max_unpool{n}d")(y, places, *settings, output_size=x.shape)
        expected = getattr(theirs, f"max_unpool{n}d")(z, there, *settings, output_size=x.shape)
        np.testing.assert_array_equal(back, expected.numpy())
        assert set(np.unique(back)) - {0.0} == set(np.unique(y))


def test_what_is_put_back_twice_stays_once() -> None:
    """Windows that overlap share a largest element: the derivative is that of what was computed."""
    places = np.array([[1, 1, 3]])
    ag.check_gradients(lambda x: F.max_unpool1d(x, places, 2, 1), np.array([[1.0, 2.0, 3.0]]), order=2)
    assert F.max_unpool1d(np.array([[1.0, 2.0, 3.0]]), places, 2, 1).tolist() == [[0, 2, 0, 3]]


# -- derivatives -----------------------------------------------------------------------------------


@pytest.mark.parametrize("numba", [False, None], ids=["numpy", "as installed"])
def test_third_derivatives_of_overlapping_windows(numba: bool | None) -> None:
    x = np.random.default_rng(3).permutation(30).reshape(1, 1, 5, 6) / 7.0

    def check() -> None:
        ag.check_gradients(lambda x: F.max_pool2d(x * x * x, 3, 2, 1), x, order=3)

    if numba is None:
        check()
    else:
        with kernels.using(numba=numba):
            check()


def test_float32_stays_float32() -> None:
    x = ag.tensor(X[2].astype("f4"), requires_grad=True)
    for y in (F.max_pool2d(x, 2), F.avg_pool2d(x, 3, padding=1, count_include_pad=False), F.avg_pool2d(x, 2),
              F.lp_pool2d(abs(x), 3, 2), F.adaptive_avg_pool2d(x, 4), F.adaptive_avg_pool2d(x, 1),
              F.adaptive_max_pool2d(x, 4), F.fractional_max_pool2d(x, 2, 3)):  # fmt: skip
        assert y.dtype == np.float32
        assert type(y) is ag.Tensor
        assert type(F.max_pool2d(X[2], 2)) is np.ndarray


# -- errors ----------------------------------------------------------------------------------------

# fmt: off
WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: F.max_pool2d(np.ones((1, 3, 3)), 5), ValueError,
     r"\[max_pool2d\] got an input of shape \(1, 3, 3\), expected at least 5 where it is 3, for a window of "
     r"5 and padding 0; try a smaller kernel_size"),
    (lambda: nn.MaxPool2d(2)(np.ones((3, 3))), ValueError,
     r"\[MaxPool2d\] got an input of shape \(3, 3\), expected \(N, C, H, W\) or \(C, H, W\); try x\[None\]"),
    (lambda: F.avg_pool1d(np.ones((1, 1, 2, 3)), 2), ValueError, r"expected \(N, C, L\) or \(C, L\)$"),
    (lambda: nn.MaxPool2d(3, padding=2), ValueError,
     r"\[MaxPool2d\] got padding=2 for windows of 3, expected at most half a window, 1; try F.pad"),
    (lambda: nn.AvgPool3d((2, 2)), ValueError,
     r"\[AvgPool3d\] got kernel_size=\(2, 2\), expected a whole number, 1 or more, or 3 of them"),
    (lambda: nn.MaxPool1d(0), ValueError, r"\[MaxPool1d\] got kernel_size=0, expected a whole number, 1 or"),
    (lambda: nn.MaxPool1d(2, stride=0), ValueError, r"got stride=0"),
    (lambda: nn.MaxPool1d(2, dilation=0), ValueError, r"got dilation=0"),
    (lambda: nn.MaxPool1d(2, padding=-1), ValueError, r"got padding=-1, expected a whole number, 0 or more"),
    (lambda: nn.MaxPool2d(2.5), TypeError,
     r"\[MaxPool2d\] got kernel_size=2.5, expected a whole number, 1 or more, or 2 of them"),
    (lambda: F.max_pool1d(np.ones((1, 1)), 2, dilation=5, padding=3), ValueError,
     r"\[max_pool1d\] got dilation=5 with padding=3 .* expected an element in each window"),
    (lambda: F.avg_pool2d(np.ones((1, 2, 2)), 2, divisor_override=0), ValueError, "got divisor_override=0"),
    (lambda: F.lp_pool1d(np.ones((1, 2)), 0, 2), ValueError, r"\[lp_pool1d\] got norm_type=0"),
    (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), ValueError,
     r"\[AdaptiveAvgPool2d\] got output_size=\(1, 2, 3\), expected one number or 2, not negative"),
    (lambda: nn.AdaptiveMaxPool1d(-1), ValueError, r"got output_size=-1"),
    (lambda: nn.AdaptiveMaxPool1d(1.5), TypeError, r"got output_size=1.5, expected whole numbers, or None"),
    (lambda: F.adaptive_max_pool2d(np.ones((1, 0, 2)), 1), ValueError, "expected no empty axis to pool"),
    (lambda: F.max_unpool1d(np.ones((1, 2)), np.array([[0, 4]]), 2), ValueError,
     r"\[max_unpool1d\] got index 4 for an output of 4, expected 0 to 3; try output_size="),
    (lambda: F.max_unpool1d(np.ones((1, 2)), np.array([[0, -1]]), 2), ValueError, "got index -1"),
    (lambda: F.max_unpool1d(np.ones((1, 2)), np.array([[0, 1, 2]]), 2), ValueError,
     r"got indices of shape \(1, 3\), expected \(1, 2\), as the input"),
    (lambda: F.max_unpool1d(np.ones((1, 2)), np.ones((1, 2)), 2), TypeError, "got indices of dtype float64"),
    (lambda: F.max_unpool2d(np.ones((1, 2, 2)), np.zeros((1, 2, 2), int), 2, output_size=(4, 9)), ValueError,
     r"\[max_unpool2d\] got output_size=\(4, 9\), expected 3 to 5 x 3 to 5"),
    (lambda: F.max_unpool1d(np.ones((1, 2)), np.zeros((1, 2), int), 2, output_size=()), ValueError,
     r"expected 1 lengths, or a whole shape"),
    (lambda: nn.FractionalMaxPool2d(2), ValueError,
     r"\[FractionalMaxPool2d\] got output_size=None, output_ratio=None, expected one of them"),
    (lambda: nn.FractionalMaxPool2d(2, output_ratio=1.5), ValueError, "one number or 2 between 0 and 1"),
    (lambda: F.fractional_max_pool2d(np.ones((1, 4, 4)), 3, 3), ValueError,
     r"got an input of shape \(1, 4, 4\) for 3 windows of 3, expected 5 or more"),
    (lambda: F.fractional_max_pool2d(np.ones((1, 4, 4)), 2, 2, _random_samples=np.ones((1, 2))), ValueError,
     r"got _random_samples of shape \(1, 2\), expected \(1, 1, 2\)"),
]
# fmt: on


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=range(len(WRONG)))
def test_errors(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
