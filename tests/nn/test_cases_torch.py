"""Every layer and loss beside PyTorch's, over the rows of cases.py.

Outputs, gradients of inputs and parameters, and buffers afterwards, in training and evaluation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.node import strip

from .cases import Case, every_case, leaves, mapped, named

BESIDE = [case for case in every_case() if case.torch is not None]
DTYPES = [np.float32, np.float64]


def close(ours: Any, theirs: Any, rtol: float, what: str) -> None:
    ours = np.asarray(strip(ours))
    theirs = theirs.detach().numpy() if hasattr(theirs, "detach") else np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    if theirs.dtype.kind == "f":
        assert ours.dtype == theirs.dtype, what
        scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=0)
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * min(scale, 1) + 1e-300, err_msg=what)
    else:
        np.testing.assert_array_equal(ours, theirs, err_msg=what)


def differentiable(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is missing: pip install 'autograd-core[oracle]'")


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total:UserWarning")  # PyTorch's KLDivLoss
@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
@pytest.mark.parametrize("case", BESIDE, ids=named(BESIDE))
def test_as_pytorch(case: Case, dtype: Any, torch: Any) -> None:
    rtol = case.rtol32 if dtype == np.float32 else 1e-10
    theirs = case.build_torch(torch).to(torch.float32 if dtype == np.float32 else torch.float64)
    ours = case.build().to(dtype)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state), "names of parameters and buffers"
    ours.load_state_dict(state)
    for train in (True, False) if case.train else (False,):
        ours.train(train)
        theirs.train(train)
        _compare(case, ours, theirs, dtype, rtol, torch, "train" if train else "eval")


def _compare(case: Case, ours: Any, theirs: Any, dtype: Any, rtol: float, torch: Any, mode: str) -> None:
    given = case.data(dtype)
    a = mapped(tuple(given), lambda x: ag.tensor(x, requires_grad=True) if differentiable(x) else x)
    b = mapped(tuple(given), lambda x: torch.tensor(x, requires_grad=differentiable(x)))
    ours.zero_grad()
    theirs.zero_grad()
    y = leaves(ours(*a, **case.call))
    z = leaves(theirs(*b, **(case.call if case.call_torch is None else case.call_torch)))
    assert len(y) == len(z)
    for i, (mine, other) in enumerate(zip(y, z, strict=True)):
        close(mine, other, rtol, f"{mode}: output {i}")
    rng = np.random.default_rng(9)
    chosen = [(mine, other, rng.normal(size=np.shape(mine)).astype(dtype))
              for mine, other in zip(y, z, strict=True)
              if getattr(other, "requires_grad", False)]  # fmt: skip
    if chosen:
        sum((mine * g).sum() for mine, _, g in chosen).backward()
        sum((other * torch.tensor(g)).sum() for _, other, g in chosen).backward()
    for i, (mine, other) in enumerate(zip(leaves(a), leaves(b), strict=True)):
        if getattr(other, "grad", None) is not None:
            close(mine.grad, other.grad, rtol, f"{mode}: gradient of input {i}")
    parameters = dict(theirs.named_parameters())
    assert [name for name, _ in ours.named_parameters()] == list(parameters)
    for name, p in ours.named_parameters():
        if parameters[name].grad is not None:
            close(p.grad, parameters[name].grad, rtol, f"{mode}: gradient of {name}")
    for name, value in theirs.state_dict().items():
        close(ours.state_dict()[name], value, rtol, f"{mode}: {name} afterwards")


def test_there_are_many_cases() -> None:
    assert len(BESIDE) >= 600, f"{len(BESIDE)} cases beside PyTorch: python -m tests.nn.cases"
