"""Every layer in a compiled training step beside the same step run eagerly, over the rows of cases.py.

Each step brings other inputs, masks and indices. Outputs, parameters, gradients, momenta, buffers and the
state of the generator are compared bit for bit after each step, in training, in evaluation, and in training
again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.errors import CompileError
from autograd_core.node import strip

from .cases import Case, every_case, leaves, mapped, named

TRAIN, EVAL, AGAIN = 6, 6, 2  # steps of each kind
LATE = [4, 5, 10, 11, 12, 13]  # steps that are replays: the last of each kind

# Layers that differ in these only share most of their code.
KIND = "[123]d|Cell|Encoder|Decoder|Layer|Transpose|Adaptive|Fractional|^GRU|^LSTM|^RNN"

ALL = [case for case in every_case() if not case.layer.endswith("Loss")]


def settings(case: Case) -> set[Any]:
    """Return what decides which code of a layer runs: its keywords, and names and flags among them."""
    given = [*case.kwargs.items(), *case.call.items()]
    flags = {(k, v) for k, v in given if v is None or isinstance(v, (str, bool))}
    return {case.layer, *(k for k, _ in given), *flags}


def telling(cases: list[Case]) -> list[Case]:
    """Return the rows with a setting that no row of their family has before them: a quarter of all."""
    seen: dict[str, set[Any]] = {}
    found = []
    for case in cases:
        known = seen.setdefault(re.sub(KIND, "", case.layer), set())
        if not settings(case) <= known:
            found.append(case)
        known |= settings(case)
    return found


CASES = telling(ALL)

# -- a step, and what it leaves behind -------------------------------------------------------------


class Trained:
    """A layer whose inputs are multiplied with parameters, so that they have gradients, and its optimizer."""

    def __init__(self, module: Any, given: list[Any]) -> None:
        self.module = module
        self.gains = [nn.Parameter(np.linspace(0.9, 1.1, x.size, dtype=x.dtype).reshape(x.shape))
                      for x in leaves(given) if x.dtype.kind == "f"]  # fmt: skip
        self.parameters = [*self.gains, *module.parameters()] or [nn.Parameter(np.ones(1, np.float32))]
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

    def left(self) -> dict[str, Any]:
        """Return copies of everything that a step leaves behind."""
        found: dict[str, Any] = {f"parameter {i}": p.data for i, p in enumerate(self.parameters)}
        found |= {f"gradient {i}": p.grad for i, p in enumerate(self.parameters)}
        found |= {f"buffer {name}": b for name, b in self.module.named_buffers()}
        for i, kept in self.optimizer.state_dict()["state"].items():
            found |= {f"{name} {i}": v for name, v in kept.items()}
        found["generator"] = repr(nn.random.get_state())
        return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in found.items()}


def steps(trained: Trained, step: Any, data: list[Any]) -> list[dict[str, Any]]:
    """Make the steps, the late ones as replays; return what each leaves behind, and its outputs."""
    nn.manual_seed(3)
    record = []
    for number, (given, call) in enumerate(data):
        trained.module.train(not TRAIN <= number < TRAIN + EVAL)
        if number not in LATE or step == trained.step or step.given_up:
            outputs = step(given, call)
        else:
            outputs, ran = watched(step, given, call)
            assert Trained.step.__code__ not in ran, f"step {number} is no replay: {step.reason}"
        found = {f"output {i}": np.array(strip(y)) for i, y in enumerate(outputs)}
        record.append(found | trained.left())
    return record


def watched(step: Any, *args: Any) -> tuple[Any, set[Any]]:
    """Return what a step returns, and which code ran."""
    ran, before = set(), sys.getprofile()
    sys.setprofile(lambda frame, event, arg: ran.add(frame.f_code))
    try:
        return step(*args), ran
    finally:
        sys.setprofile(before)


def check(build: Callable[[], Any], data: list[Any], compiled: Any = ag.compile) -> None:
    """Compare the steps of two equal layers, one of them compiled."""
    eager, other = Trained(build(), data[0][0]), Trained(build(), data[0][0])
    wanted, found = steps(eager, eager.step, data), steps(other, compiled(other.step), data)
    for number, (a, b) in enumerate(zip(wanted, found, strict=True)):
        assert a.keys() == b.keys()
        for name in a:
            assert bits(a[name]) == bits(b[name]), f"{name} after step {number}"


def bits(x: Any) -> Any:
    return (x.shape, x.dtype, x.tobytes()) if isinstance(x, np.ndarray) else x


# -- inputs ----------------------------------------------------------------------------------------


def batches(case: Case) -> list[tuple[list[Any], dict[str, Any]]]:
    """Return the inputs and keywords of each step, no two of them alike."""
    dtype = next((p.dtype for p in case.build().parameters()), np.dtype(np.float32))
    last = bool(case.kwargs.get("include_last_offset"))
    first = drawn(case, 0)
    found = []
    for number in range(TRAIN + EVAL + AGAIN):
        rng = np.random.default_rng([7, number])
        change = partial(other, rng=rng, last=last)
        given = [mapped(y if bits_of(x) != bits_of(y) else mapped(x, change), partial(in_dtype, dtype=dtype))
                 for x, y in zip(first, drawn(case, number + 1), strict=True)]  # fmt: skip
        call = {k: other(v, rng) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
        found.append((given, call))
    return found


def drawn(case: Case, number: int) -> list[Any]:
    rng = np.random.default_rng([5, number])
    return [x(rng) if callable(x) else rng.normal(size=x) for x in case.inputs]


def in_dtype(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if x.dtype.kind == "f" else x


def bits_of(nest: Any) -> Any:
    return [bits(x) for x in leaves(nest)]


def other(x: Any, rng: np.random.Generator, last: bool = False) -> Any:
    """Return other values like those that a row gives as a constant: indices, offsets or a mask."""
    if x.dtype.kind == "i" and x.ndim == 1 and x.size > 2 and x[0] == 0 and (np.diff(x) >= 0).all():
        inner = np.sort(rng.integers(0, x[-1] + 1, x.size - 1 - last))
        return np.concatenate([x[:1], inner, x[-1:] if last else x[:0]]).astype(x.dtype)
    if x.dtype.kind == "i":
        return rng.integers(0, x.max(initial=0) + 1, x.shape).astype(x.dtype)
    return rng.permuted(x, axis=-1) if x.ndim else x  # each row of a mask leaves as many out


# -- tests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=named(CASES))
def test_a_compiled_step_is_the_eager_step(case: Case) -> None:
    check(case.build, batches(case))


def test_every_layer_has_a_row_and_some_have_more() -> None:
    assert len(CASES) > len({case.layer for case in ALL}) == len({case.layer for case in CASES})


@pytest.mark.parametrize("dtype", [np.float32, bool])
def test_a_mask_may_be_the_causal_one_in_some_steps_only(dtype: Any) -> None:
    """The causal mask is not added but known: for long sequences that gives other bits."""
    length = 100
    causal = nn.functional.causal_mask(length, dtype=np.float32)
    rng = np.random.default_rng(0)
    data = []
    for number in range(TRAIN + EVAL + AGAIN):
        some = np.where(rng.random(causal.shape) < 0.3, -np.inf, 0).astype(np.float32)
        mask = causal if number % 2 else some
        mask = mask if dtype is np.float32 else mask < 0
        data.append(([rng.normal(size=(length, 1, 4)).astype(np.float32)], {"mask": mask}))
    check(lambda: seeded(lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(4, 1, 4, dropout=0.1), 1)), data)  # fmt: skip


def seeded(build: Callable[[], Any]) -> Any:
    nn.manual_seed(0)
    return build()


class Tied(nn.Module):
    """A table that is read twice, at places that repeat: its gradient is added up in one order."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, 4)

    def forward(self, i: Any, j: Any) -> Any:
        return np.sum(np.tanh(self.table(i)), axis=0) * self.table(j)


@pytest.mark.parametrize("sizes", [(5, 3), (200, 150)])
def test_a_table_that_is_read_twice(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    check(lambda: seeded(Tied), [([rng.integers(0, 7, n) for n in sizes], {}) for _ in range(14)])


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_grid_that_is_learnt(mode: str) -> None:
    rng = np.random.default_rng(0)
    image = nn.Lambda(lambda x, grid: nn.functional.grid_sample(x, grid, mode, "zeros"))
    data = [([rng.normal(size=shape).astype(np.float32) for shape in [(2, 2, 4, 4), (2, 3, 3, 2)]], {})
            for _ in range(14)]  # fmt: skip
    check(lambda: image, data)


def packed(x: Any, lengths: Any) -> Any:
    return nn.utils.rnn.pack_padded_sequence(x, lengths).data


def test_packing_by_lengths_of_the_step_says_what_to_do() -> None:
    x = np.ones((3, 2, 1), np.float32)
    step = ag.compile(lambda x, lengths: packed(x, lengths))
    step(x, np.array([3, 1]))
    with pytest.raises(CompileError, match=r"shape of the result depends on them.*lengths\.tolist\(\)"):
        step(x, np.array([3, 2]))
    step = ag.compile(lambda x, lengths: packed(x, lengths))
    for lengths in [[3, 1]] * 5 + [[3, 2]] * 5 + [[3, 1]]:
        assert len(step(x, lengths)) == sum(lengths)


@pytest.mark.parametrize(("build", "good", "bad", "error"), [
    (lambda: nn.Embedding(5, 3), [np.array([1, 4])], [np.array([1, 5])], "index 5"),
    (lambda: nn.EmbeddingBag(5, 3), [np.array([1, 4]), np.array([0, 1])],
     [np.array([1, 4]), np.array([0, 3])], "offsets"),
    (lambda: nn.MaxUnpool1d(2), [np.ones((1, 1, 2), np.float32), np.array([[[0, 3]]])],
     [np.ones((1, 1, 2), np.float32), np.array([[[0, 4]]])], "index 4"),
], ids=["Embedding", "EmbeddingBag", "MaxUnpool1d"])  # fmt: skip
def test_a_replay_refuses_what_the_layer_refuses(build: Any, good: Any, bad: Any, error: str) -> None:
    trained = Trained(build(), good)
    step = ag.compile(trained.step)
    for _ in range(4):
        step(good, {})
    kept = [p.data.copy() for p in trained.parameters]
    with pytest.raises((ValueError, IndexError), match=error):
        step(bad, {})
    assert all((p.data == was).all() for p, was in zip(trained.parameters, kept, strict=True))
    step(good, {})


if __name__ == "__main__":  # all rows, not only the telling ones
    for case in ALL:
        check(case.build, batches(case))
    print(f"{len(ALL)} rows")
