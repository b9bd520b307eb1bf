"""Every layer in a compiled training step beside the same step run eagerly, over the rows of cases.py.

Each step brings other inputs, masks and indices. Outputs, parameters, gradients, momenta, buffers and the state
of the generator are compared bit for bit after each step, in training, in evaluation, and in training again.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import CompileError, nn, optim
from autograd_core.node import strip

from .cases import Case, every_case, leaves, mapped, named

TRAIN, EVAL, AGAIN = 6, 5, 2  # steps; the last two of each kind are replays

# Rows that cannot be captured: a part of their name, and what the error says.
REFUSED: dict[str, str] = {}

CASES = [case for case in every_case() if not case.layer.endswith("Loss")]


class Trained:
    """A layer whose inputs are multiplied with parameters, so that they have gradients, and its optimizer."""

    def __init__(self, case: Case, given: list[Any]) -> None:
        self.module = case.build()
        self.gains = [nn.Parameter(np.linspace(0.9, 1.1, x.size, dtype=x.dtype).reshape(x.shape))
                      for x in leaves(given) if x.dtype.kind == "f"]  # fmt: skip
        self.parameters = [*self.gains, *self.module.parameters()] or [nn.Parameter(np.ones(1, np.float32))]
        self.optimizer = optim.SGD(self.parameters, lr=1e-3, momentum=0.9)

    def step(self, given: Any, call: Any) -> Any:
        gains = iter(self.gains)
        x = [mapped(v, lambda a: next(gains) * a if a.dtype.kind == "f" else a) for v in given]
        outputs = leaves(self.module(*x, **call))
        loss = sum((np.sin(y).sum() for y in outputs if y.dtype.kind == "f"), start=ag.tensor(0.0))
        self.optimizer.zero_grad()
        if loss.node is not None:
            loss.backward()
        self.optimizer.step()
        return [loss, *outputs]

    def state(self) -> dict[str, Any]:
        """Return copies of everything that a step leaves behind."""
        found = {f"parameter {i}": p.data for i, p in enumerate(self.parameters)}
        found |= {f"grad {i}": p.grad for i, p in enumerate(self.parameters)}
        found |= {f"buffer {name}": b for name, b in self.module.named_buffers()}
        for i, kept in self.optimizer.state_dict()["state"].items():
            found |= {f"{name} {i}": v for name, v in kept.items()}
        return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in found.items()}


def fresh(x: Any, rng: np.random.Generator, last: bool) -> Any:
    """Return other values like those of ``x``, which a row gives as constants."""
    if x.dtype.kind in "iu" and x.ndim == 1 and x.size > 2 and x[0] == 0 and (np.diff(x) >= 0).all():  # offsets
        inner = np.sort(rng.integers(0, x[-1] + 1, x.size - 2 if last else x.size - 1))
        return np.concatenate([x[:1], inner, x[-1:] if last else x[:0]]).astype(x.dtype)
    if x.dtype.kind in "iu":
        return rng.integers(0, x.max(initial=0) + 1, x.shape).astype(x.dtype)
    return rng.permuted(x, axis=-1) if x.ndim else x  # a mask leaves each row as many places


def batches(case: Case, dtype: Any) -> list[Any]:
    """Return the inputs and keywords of each step."""
    found = []
    for number in range(TRAIN + EVAL + AGAIN):
        rng, same = np.random.default_rng([5, number]), np.random.default_rng([5, 0])
        last = bool(case.kwargs.get("include_last_offset"))

        def one(x: Any, rng: Any = rng, same: Any = same, last: bool = last) -> Any:
            drawn = x(rng) if callable(x) else rng.normal(size=x)
            if callable(x):
                twin = x(same)
                drawn = mapped(drawn, lambda a: fresh(a, rng, last)) if _equal(drawn, twin) else drawn
            return mapped(drawn, lambda a: a.astype(dtype) if a.dtype.kind == "f" else a)

        given = [one(x) for x in case.inputs]
        call = {k: fresh(v, rng, False) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
        found.append((given, call))
    return found


def _equal(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(leaves(a), leaves(b), strict=True))


def run(case: Case, data: list[Any], trained: Trained, step: Any, compiled: Any = None) -> list[Any]:
    nn.manual_seed(3)
    record = []
    for number, (given, call) in enumerate(data):
        trained.module.train(not TRAIN <= number < TRAIN + EVAL)
        if compiled is not None:
            late = number - (0 if number < TRAIN else TRAIN if number < TRAIN + EVAL else -99) >= 4
            compiled._captured = again if late else type(compiled)._captured.__get__(compiled)
        outputs = step(given, call)
        record.append(([np.array(strip(y)) for y in outputs], trained.state(), repr(nn.random.get_state())))
    return record


def again(*args: Any) -> None:
    raise AssertionError("a step that should have been a replay was captured again")


def bits(x: Any) -> Any:
    return (x.shape, x.dtype, x.tobytes()) if isinstance(x, np.ndarray) else x


def dtype_of(case: Case) -> Any:
    kinds = [p.dtype for p in case.build().parameters()]
    return kinds[0] if kinds else np.dtype(np.float32)


@pytest.mark.parametrize("case", CASES, ids=named(CASES))
def test_a_compiled_step_is_the_eager_step(case: Case) -> None:
    data = batches(case, dtype_of(case))
    eager, compiled = Trained(case, data[0][0]), Trained(case, data[0][0])
    step = ag.compile(compiled.step)
    wanted = run(case, data, eager, eager.step)
    found = run(case, data, compiled, step, step)
    for number, (a, b) in enumerate(zip(wanted, found, strict=True)):
        for what, x, y in zip(("output", "state", "generator"), a, b, strict=True):
            if isinstance(x, dict):
                assert x.keys() == y.keys()
                for name in x:
                    assert bits(x[name]) == bits(y[name]), f"{name} after step {number}"
            else:
                assert list(map(bits, x)) == list(map(bits, y)), f"{what} of step {number}"
