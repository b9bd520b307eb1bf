"""Averages of parameters, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
)

OURS, THEIRS = optim.swa_utils, torch.optim.swa_utils
KINDS: dict[str, Any] = {
    "plain": lambda place: {},
    # an int: of the tensor n, PyTorch would compute 1 / (n + 1) in float32
    "swa": lambda place: {"multi_avg_fn": lambda a, x, n: place.get_swa_multi_avg_fn()(a, x, int(n))},
    "swa, one by one": lambda place: {"avg_fn": place.get_swa_avg_fn()},
    "ema": lambda place: {"multi_avg_fn": place.get_ema_multi_avg_fn(0.9)},
    "ema, one by one": lambda place: {"avg_fn": place.get_ema_avg_fn(0.9)},
    "ema of small decay": lambda place: {"multi_avg_fn": place.get_ema_multi_avg_fn(0.2)},
    "own": lambda place: {"avg_fn": lambda a, x, n: (a * n + 3 * x) / (n + 3)},
}


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_averages(kind: str, dtype: str, use_buffers: bool) -> None:
    ours = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, affine=True)).to(dtype)
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)).to(getattr(torch, dtype))
    if use_buffers:  # PyTorch averages counts too, into whole numbers, or fails
        ours[1].num_batches_tracked = theirs[1].num_batches_tracked = None
    a = OURS.AveragedModel(ours, use_buffers=use_buffers, **KINDS[kind](OURS))
    b = THEIRS.AveragedModel(theirs, use_buffers=use_buffers, **KINDS[kind](THEIRS))
    rng = np.random.default_rng(1)
    for _ in range(100):
        state = {k: rng.normal(size=v.shape) for k, v in ours.state_dict().items() if v.dtype.kind == "f"}
        ours.load_state_dict(state, strict=False)
        theirs.load_state_dict({k: torch.tensor(v) for k, v in state.items()}, strict=False)
        a.update_parameters(ours)
        b.update_parameters(theirs)
    expected = {k: v.numpy() for k, v in b.state_dict().items()}
    assert a.state_dict().keys() == expected.keys()
    tolerance = 2e-6 if dtype == "float32" else 1e-13
    for name, value in a.state_dict().items():
        np.testing.assert_allclose(value, expected[name], rtol=tolerance, atol=tolerance, err_msg=name)
    a.load_state_dict(b.state_dict())


def test_update_bn() -> None:
    ours = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.BatchNorm1d(3 * 16, momentum=0.3))
    theirs = torch.nn.Sequential(
        torch.nn.BatchNorm2d(3), torch.nn.Flatten(), torch.nn.BatchNorm1d(3 * 16, momentum=0.3)
    )
    rng = np.random.default_rng(1)
    batches = [rng.normal(1, 2, (n, 3, 4, 4)).astype(np.float32) for n in (8, 8, 5)]
    OURS.update_bn([(x, 0) for x in batches], ours.eval())
    THEIRS.update_bn([(torch.tensor(x), 0) for x in batches], theirs.eval())
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=2e-5, atol=1e-6, err_msg=name)
    assert ours[2].momentum == theirs[2].momentum == 0.3
    assert ours.training is theirs.training is False


def test_every_name_of_pytorch_is_there() -> None:
    assert set(THEIRS.__all__) <= set(vars(OURS))
