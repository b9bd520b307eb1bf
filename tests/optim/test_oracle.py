"""Trajectories over 100 steps equal PyTorch's, for every option of every optimizer; states are exchanged."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

from .oracle_rows import MEANINGLESS, OPTIONS

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'autograd-core[oracle]'"
)

SHARED = list(dict.fromkeys(name for name, _ in OPTIONS))
TOLERANCE = {np.float32: 2e-4, np.float64: 1e-10}


@pytest.fixture(autouse=True)
def _as_exact_as_ours(monkeypatch: Any) -> Iterator[None]:
    """Let PyTorch keep its numbers (a product of momenta, rates) in float64, and Muon not go to bfloat16."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda x: x.clone())
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Pair:
    """The same uneven bowl that turns, and an optimizer on each side."""

    def __init__(self, name: str, options: dict[str, Any], dtype: Any = np.float64, steps: int = 0) -> None:
        self.rng = np.random.default_rng(7)
        self.shapes = [(4, 3), (2, 5)] if name == "Muon" else [(4, 3), (5,), (), (2, 3, 2)]
        self.dtype, self.rtol = dtype, TOLERANCE[dtype]
        starts = [self.rng.normal(size=s).astype(dtype) for s in self.shapes]
        self.stretch = [self.rng.uniform(0.1, 10, s).astype(dtype) for s in self.shapes]
        self.ours = [nn.Parameter(x) for x in starts]
        self.theirs = [torch.nn.Parameter(torch.tensor(x)) for x in starts]
        self.a = getattr(optim, name)(self.ours, **options)
        self.b = getattr(torch.optim, name)(self.theirs, **options)
        for _ in range(steps):
            self.step()

    def step(self, without: tuple[int, ...] = ()) -> None:
        noise = [self.rng.normal(size=s).astype(self.dtype) for s in self.shapes]
        self.a.zero_grad()
        self.b.zero_grad()
        for i, (p, q, c, e) in enumerate(zip(self.ours, self.theirs, self.stretch, noise, strict=True)):
            if i not in without:
                p.grad = c * p.numpy() + e
                q.grad = torch.tensor(c) * q.detach() + torch.tensor(e)
        self.a.step()
        self.b.step()

    def check(self, where: str = "") -> None:
        for p, q in zip(self.ours, self.theirs, strict=True):
            theirs = q.detach().numpy()
            atol = self.rtol * max(float(abs(theirs).max()), 1)
            np.testing.assert_allclose(p.numpy(), theirs, rtol=self.rtol, atol=atol, err_msg=where)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_trajectories(name: str, options: Any, dtype: Any) -> None:
    pair = Pair(name, options, dtype)
    for n in range(100):
        pair.step()
        if n < 3 or n % 10 == 9:
            pair.check(f"step {n}")
    ours, theirs = (o.param_groups[0] for o in (pair.a, pair.b))
    assert ours.keys() | MEANINGLESS >= theirs.keys()
    assert {k: v for k, v in ours.items() if k != "params"}.items() <= theirs.items()


def test_every_option_is_compared_at_two_values() -> None:
    """A number at two values besides its default, a switch at the other one."""
    for name in SHARED:
        for option, default in arguments(getattr(optim, name)):
            seen = {str(o[option]) for n, o in OPTIONS if n == name and o.get(option, default) != default}
            least = 1 if isinstance(default, bool) else 2
            assert len(seen) >= least, f"{name}: {option} is compared at {seen}"


def arguments(kind: Any, without: frozenset[str] | set[str] = frozenset()) -> list[tuple[str, Any]]:
    found = inspect.signature(kind).parameters.items()
    return [(n, p.default) for n, p in found if n != "params" and n not in without]


# Keyword-only arguments may come in another order: PyTorch's own classes do not agree on one.
@pytest.mark.parametrize("name", SHARED)
def test_arguments_are_pytorchs(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (optim, torch.optim))
    expected = [p for n, p in theirs.items() if n not in MEANINGLESS]
    by_position = [p.name for p in expected if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == by_position
    assert {n: p.default for n, p in ours.items()} == {p.name: p.default for p in expected}


ABSENT = {
    "SparseAdam": "gradients here are dense arrays, also those of an embedding",
    "swap_in_optimizer_params_and_state": "a context for torch.func, which replaces tensors in a module",
}


def test_every_name_of_pytorch_is_there_or_has_a_reason() -> None:
    missing = {name for name in torch.optim.__all__ if not hasattr(optim, name)}
    assert missing == ABSENT.keys() & set(torch.optim.__all__)
    tested_elsewhere = {"LBFGS", "Optimizer", "lr_scheduler", "swa_utils"}
    assert set(torch.optim.__all__) - missing - tested_elsewhere <= set(SHARED)


# -- states ------------------------------------------------------------------------------------------

# Of each, with all that it remembers.
REMEMBERING = [
    *[(name, {}) for name in SHARED if name not in ("SGD", "Rprop")],
    ("Rprop", {"lr": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "eps": 1e-2}),
    ("ASGD", {"t0": 3, "lambd": 0.1}),
]


@pytest.mark.parametrize(("name", "options"), REMEMBERING)
def test_a_state_of_pytorch_can_be_continued(name: str, options: Any) -> None:
    pair = Pair(name, options, steps=8)
    fresh = Pair(name, {"lr": 123.0})
    for p, q in zip(fresh.ours, pair.theirs, strict=True):
        np.copyto(p.data, q.detach().numpy())
    fresh.a.load_state_dict(pair.b.state_dict())
    pair.ours, pair.a = fresh.ours, fresh.a
    for _ in range(5):
        pair.step()
    pair.check()
    same_state(pair)


@pytest.mark.parametrize(("name", "options"), REMEMBERING)
def test_pytorch_continues_our_state(name: str, options: Any) -> None:
    pair = Pair(name, options, steps=8)
    theirs = [torch.nn.Parameter(torch.tensor(p.numpy())) for p in pair.ours]
    other = getattr(torch.optim, name)(theirs, lr=123.0)
    ours = pair.a.state_dict()
    for group in ours["param_groups"]:
        known = other.param_groups[0]
        group |= {k: v for k, v in known.items() if k in MEANINGLESS}
    ours["state"] = {
        i: {name: torch.tensor(value) for name, value in arrays.items()}
        for i, arrays in ours["state"].items()
    }
    other.load_state_dict(ours)
    pair.theirs, pair.b = theirs, other
    for _ in range(5):
        pair.step()
    pair.check()


@pytest.mark.parametrize(("name", "options"), REMEMBERING)
def test_what_is_remembered_is_the_same(name: str, options: Any) -> None:
    same_state(Pair(name, options, steps=5))


def same_state(pair: Pair) -> None:
    for p, q in zip(pair.ours, pair.theirs, strict=True):
        ours, theirs = pair.a.state[p], pair.b.state[q]
        extra = {"step"} if type(pair.a) is optim.SGD else set()  # torch: a missing array is the first step
        assert ours.keys() - extra == theirs.keys()
        for name, value in theirs.items():
            np.testing.assert_allclose(ours[name], value.numpy(), rtol=1e-10, atol=1e-10, err_msg=name)


# -- what happens between steps ----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options"), REMEMBERING)
def test_gradients_come_and_go(name: str, options: Any) -> None:
    """Parameters that have made other numbers of steps go on each with its own."""
    pair = Pair(name, options)
    for without in [(), (1,), (1,), (0, 1), (0,), (), (1,), (), ()]:
        pair.step(without)
        pair.check(str(without))


@pytest.mark.parametrize(("name", "options"), REMEMBERING)
def test_a_rate_is_changed_and_a_group_added(name: str, options: Any) -> None:
    pair = Pair(name, options, steps=2)
    for lr in (0.3, 0.001):
        for optimizer in (pair.a, pair.b):
            optimizer.param_groups[0]["lr"] = lr
        pair.step()
        pair.check(f"lr={lr}")
    x = pair.rng.normal(size=(3, 3))
    pair.shapes.append(x.shape)
    pair.stretch.append(np.abs(x))
    pair.ours.append(nn.Parameter(x))
    pair.theirs.append(torch.nn.Parameter(torch.tensor(x)))
    pair.a.add_param_group({"params": pair.ours[-1:], "lr": 0.02})
    pair.b.add_param_group({"params": pair.theirs[-1:], "lr": 0.02})
    for _ in range(3):
        pair.step()
        pair.check()


@pytest.mark.parametrize(("name", "options"), REMEMBERING)
def test_a_user_forgets_or_replaces_what_is_remembered(name: str, options: Any) -> None:
    pair = Pair(name, options, steps=3)
    for p, q in zip(pair.ours, pair.theirs, strict=True):
        for key, value in pair.b.state[q].items():
            if key not in ("step", "mu_product", "eta", "mu"):
                new = np.full(value.shape, 0.25)
                pair.a.state[p][key] = new
                pair.b.state[q][key] = torch.tensor(new)
    for _ in range(3):
        pair.step()
        pair.check("replaced")
    pair.a.state.clear()
    pair.b.state.clear()
    for _ in range(3):
        pair.step()
        pair.check("forgotten")
