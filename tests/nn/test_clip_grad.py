"""Clipped gradients beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

NORMS = [1.0, 2.0, 3.0, np.inf]


def parameters(dtype: Any = np.float64) -> list[Any]:
    """Three parameters, one of them without a gradient."""
    rng = np.random.default_rng(0)
    given = [nn.Parameter(rng.normal(size=shape).astype(dtype)) for shape in ((2, 3), (4,), (1,))]
    for p in given[:2]:
        p.grad = rng.normal(size=p.shape).astype(dtype)
    return given


@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_norms_are_clipped_as_theirs(norm_type: float, max_norm: float) -> None:
    torch = pytest.importorskip("torch", reason="not installed: pip install 'autograd-core[oracle]'")
    ours = parameters()
    theirs = [torch.nn.Parameter(torch.tensor(p.numpy())) for p in ours]
    for p, q in zip(ours[:2], theirs, strict=False):
        q.grad = torch.tensor(p.grad)
    total = nn.utils.clip_grad_norm_(iter(ours), max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    np.testing.assert_allclose(total, expected.item(), rtol=1e-12)
    for p, q in zip(ours[:2], theirs, strict=False):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12)
    assert ours[2].grad is None


def test_values_are_clipped_and_the_arrays_of_others_are_not_written_to() -> None:
    given = parameters(np.float32)
    before = [p.grad for p in given]
    copies = [None if g is None else g.copy() for g in before]
    nn.utils.clip_grad_norm_(given, 0.1)
    assert {p.grad.dtype for p in given[:2]} == {np.dtype("float32")}
    assert sum((p.grad**2).sum() for p in given[:2]) == pytest.approx(0.01, rel=1e-4)
    nn.utils.clip_grad_value_(given, 0.01)
    assert all(abs(p.grad).max() == np.float32(0.01) for p in given[:2])
    for g, same in zip(before[:2], copies, strict=False):
        np.testing.assert_array_equal(g, same)


def test_without_gradients_there_is_nothing_to_clip() -> None:
    assert nn.utils.clip_grad_norm_(nn.Linear(2, 3).parameters(), 1.0) == 0
    one = parameters()[0]
    nn.utils.clip_grad_value_(one, 0.5)
    assert abs(one.grad).max() == 0.5


def test_a_recurrence_that_explodes_is_held() -> None:
    nn.manual_seed(0)
    model = nn.RNN(1, 2, nonlinearity="relu")
    model.weight_hh_l0.data[...] = 3.0
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = [p.numpy().copy() for p in model.parameters()]
    model(np.ones((20, 1, 1)))[0].sum().backward()
    assert nn.utils.clip_grad_norm_(model.parameters(), 1.0) > 1e6
    optimizer.step()
    step = [p.numpy() - b for p, b in zip(model.parameters(), before, strict=True)]
    assert sum((s**2).sum() for s in step) ** 0.5 == pytest.approx(0.1, rel=1e-3)


def test_what_is_wrong_is_named() -> None:
    given = parameters()
    given[0].grad[0, 0] = np.inf
    with pytest.raises(RuntimeError, match=r"\[clip_grad_norm_\] got a norm of inf, expected a finite one"):
        nn.utils.clip_grad_norm_(given, 1.0, error_if_nonfinite=True)
    assert np.isinf(given[0].grad[0, 0])
    nn.utils.clip_grad_norm_(given, 1.0)
    assert np.isnan(given[0].grad[0, 0])
    with pytest.raises(TypeError, match=r"got a Linear, expected parameters; try model.parameters\(\)"):
        nn.utils.clip_grad_norm_(nn.Linear(2, 3), 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"\[clip_grad_value_\] got a ndarray, expected parameters"):
        nn.utils.clip_grad_value_([np.ones(2)], 1.0)  # type: ignore[list-item]
