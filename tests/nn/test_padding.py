"""Borders: the functional form beside PyTorch's, what is cut off, derivatives, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
MODES = ["constant", "reflect", "replicate", "circular"]
PADS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 3, 5), (1, 2)), ((2, 3, 5), (-1, 2)), ((2, 3, 5), (2, -1)), ((2, 3, 5), (-1, -1)),
    ((2, 3, 5), (0, 0)),
    ((3, 4, 5), (1, 2, 0, 3)), ((2, 3, 4, 5), (1, 2, 0, 3)), ((2, 3, 4, 5), (-1, 2, 2, -1)),
    ((1, 2, 3, 4, 5), (1, 0, 2, 1, 0, 2)), ((1, 2, 3, 4, 5), (1, -1, 2, -1, -1, 2)),
]  # fmt: skip


@pytest.fixture(scope="module")
def torch() -> Any:
    reason = "PyTorch is not installed: pip install 'autograd-core[oracle]'"
    return pytest.importorskip("torch", reason=reason)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "widths"), PADS)
def test_as_pytorch(shape: Any, widths: Any, mode: str, torch: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    a, b = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = F.pad(a, widths, mode), torch.nn.functional.pad(b, widths, mode)
    np.testing.assert_array_equal(y.detach().numpy(), z.detach().numpy())
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("widths", [(), (1, 2), (0, 1, 2, 0), (1, 0, 0, 0, -1, 2)])
@pytest.mark.parametrize("value", [None, 0.5, -3])
def test_constants_around_any_number_of_axes(widths: Any, value: Any, torch: Any) -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    expected = torch.nn.functional.pad(torch.tensor(x), widths, value=value).numpy()
    np.testing.assert_array_equal(F.pad(x, widths, value=value), expected)


@pytest.mark.parametrize("mode", MODES)
def test_derivatives(mode: str) -> None:
    x = np.random.default_rng(0).normal(size=(1, 3, 4))
    ag.check_gradients(lambda x: F.pad(x * x, (2, 1, -1, 1), mode) ** 2, x[None], order=3)
    y = F.pad(ag.tensor(x.astype("f4"), requires_grad=True), (1, 2), mode)
    assert y.dtype == np.float32
    y = F.pad(x, (0, 0), mode)
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(y, x)


def test_whole_numbers_stay_whole() -> None:
    for mode in MODES:
        assert F.pad(np.arange(3), (1, 1), mode).dtype == np.arange(3).dtype
    assert F.pad(np.arange(3), (1, 1), value=7).tolist() == [7, 0, 1, 2, 7]


# fmt: off
WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: F.pad(np.ones((2, 3)), (1, 2, 3)), ValueError,
     r"\[pad\] got padding \(1, 2, 3\) for an input of shape \(2, 3\), expected two numbers for each axis"),
    (lambda: F.pad(np.ones(3), (1, 1, 1, 1)), ValueError, "at most 2"),
    (lambda: F.pad(np.ones(3), (1, 1), "mirror"), ValueError,
     r"got mode='mirror', expected one of 'constant', 'refl"),
    (lambda: F.pad(np.ones(3), (1, 1), "reflect", 2.0), ValueError,
     r"got value=2.0 with mode='reflect', expected no"),
    (lambda: F.pad(np.ones(3), (3, 0), "reflect"), ValueError,
     r"\[pad\] got padding \(3, 0\) of axis 0 of an input of shape \(3,\), mode='reflect', expected at mo"),
    (lambda: F.pad(np.ones(3), (4, 0), "circular"), ValueError, "expected at most 3 elements to repeat"),
    (lambda: F.pad(np.ones(3), (3, -1), "circular"), ValueError, "expected at most 2 elements to repeat"),
    (lambda: F.pad(np.ones((2, 0)), (1, 0), "replicate"), ValueError, "expected an element to continue"),
    (lambda: F.pad(np.ones(3), (-2, -2)), ValueError, "expected a padding that leaves something"),
    (lambda: F.pad(np.ones(3), (1.5, 0)), TypeError, r"\[pad\] got padding=\(1.5, 0\), expected integers"),
    (lambda: F.pad(np.ones(3), 1), TypeError, r"got padding=1, expected integers: \(before, after\)"),
    (lambda: nn.ZeroPad2d((1, 2)), ValueError,
     r"\[ZeroPad2d\] got padding=\(1, 2\), expected one number or 4: two for each axis, the last first"),
    (lambda: nn.ReflectionPad1d("1"), TypeError, r"\[ReflectionPad1d\] got padding="),
    (lambda: nn.ReflectionPad2d(1)(np.ones((2, 3))), ValueError,
     r"\[ReflectionPad2d\] got an input of shape \(2, 3\), expected \(N, C, H, W\) or \(C, H, W\)"),
    (lambda: nn.CircularPad1d(3)(np.ones((1, 2))), ValueError,
     r"\[CircularPad1d\] got padding \(3, 3\) of axis 1"),
]
# fmt: on


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=range(len(WRONG)))
def test_errors(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
