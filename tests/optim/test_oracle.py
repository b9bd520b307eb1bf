"""Trajectories over 100 steps equal PyTorch's, for every option of every optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
)

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.01}),
    ("SGD", {}),
    ("SGD", {"lr": 0.01, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.9}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.001, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.5, 0.9)}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.0)}),
    ("Adam", {"lr": 0.05, "eps": 0.1}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.05, "amsgrad": True, "maximize": True}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_trajectories(name: str, options: Any, dtype: Any) -> None:
    """The same gradients of an uneven bowl that turns, given to both."""
    rng = np.random.default_rng(7)
    shapes = [(4, 3), (5,), ()]
    starts = [rng.normal(size=s).astype(dtype) for s in shapes]
    stretch = [rng.uniform(0.1, 10, s).astype(dtype) for s in shapes]
    ours = [nn.Parameter(x) for x in starts]
    theirs = [torch.nn.Parameter(torch.tensor(x)) for x in starts]
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    rtol = 1e-10 if dtype == np.float64 else 2e-4
    for n in range(100):
        noise = [rng.normal(size=s).astype(dtype) for s in shapes]
        a.zero_grad()
        b.zero_grad()
        for p, q, c, e in zip(ours, theirs, stretch, noise, strict=True):
            (0.5 * c * p * p + e * p).sum().backward()
            (0.5 * torch.tensor(c) * q * q + torch.tensor(e) * q).sum().backward()
        a.step()
        b.step()
        for p, q in zip(ours, theirs, strict=True):
            scale = float(abs(q.detach()).max()) if q.numel() else 1.0
            np.testing.assert_allclose(
                p.numpy(), q.detach().numpy(), rtol=rtol, atol=rtol * max(scale, 1), err_msg=f"step {n}"
            )
    assert {k: v for k, v in a.param_groups[0].items() if k != "params"}.items() <= (
        b.param_groups[0].items()
    ), "the same options and defaults"


def test_a_state_of_pytorch_can_be_continued() -> None:
    start = np.array([1.0, -2.0, 3.0])
    for name, options in (("SGD", {"lr": 0.05, "momentum": 0.9}), ("Adam", {"lr": 0.05})):
        q = torch.nn.Parameter(torch.tensor(start))
        theirs = getattr(torch.optim, name)([q], **options)

        def step(p: Any, optimizer: Any) -> None:
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()

        for _ in range(5):
            step(q, theirs)
        p = nn.Parameter(q.detach().numpy().copy())
        ours = getattr(optim, name)([p], lr=1.0)
        ours.load_state_dict(theirs.state_dict())
        for _ in range(5):
            step(p, ours)
            step(q, theirs)
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-10)
