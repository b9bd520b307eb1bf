"""Kernels in a plan: their results stand in its memory, whatever stood there, and nobody's array is lost.

Between replays every block of a plan is filled with NaN; a step must give the bits that it gives eagerly.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import kernels, nn
from autograd_core.compile.capture import Slot
from autograd_core.compile.emit import form_of

from .test_operations import same

F = nn.functional

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 4, 9, 8)).astype(np.float32)
VECTORS = RNG.normal(size=(6, 8)).astype(np.float32)
HEADS = RNG.normal(size=(2, 3, 5, 4)).astype(np.float32)  # (N, H, L, E)
TIMES = RNG.normal(size=(5, 3, 8)).astype(np.float32)  # (T, N, C)
LABELS, FRAMES, LENGTHS = np.array([[1, 2], [3, 0], [2, 2]]), np.array([5, 4, 5]), np.array([2, 1, 2])
BIAS = nn.Parameter(RNG.normal(size=(1, 1, 5, 5)).astype(np.float32))
NOTHING_SEEN = np.where(np.arange(5)[:, None] == 2, -np.inf, np.zeros(5)).astype(np.float32)
NUMBA = importlib.util.find_spec("numba") is not None
SMALL = {"_read", "_pick", "_cross_entropy", "_last_ones"}  # integers, or a number for each row
VERSIONS = [False, pytest.param(True, marks=pytest.mark.skipif(not NUMBA, reason="numba is not installed"))]


def recurrent(layer: Any, **how: Any) -> Any:
    return layer(8, 4, **how), TIMES


def packed(layer: Any) -> Any:
    module = layer(8, 4)

    def f(x: Any) -> Any:
        rows = nn.utils.rnn.pack_padded_sequence(x, [5, 3, 1])
        return module(rows)[0].data

    return (f, module), TIMES


def attended(keys: int = 5, **how: Any) -> Any:
    def f(x: Any) -> Any:
        return F.scaled_dot_product_attention(x, x[..., :keys, :] * 2, x[..., :keys, :] + 1, **how)

    return (f, BIAS), HEADS


def unpooled(x: Any) -> Any:
    y, places = F.max_pool2d_with_indices(x, 3, 2, 1)
    return F.max_unpool2d(y, places, 3, 2, 1, x.shape[2:])


def unseen(x: Any) -> Any:
    return F.scaled_dot_product_attention(x[..., :2, :], x * 2, x + 1, is_causal=True)


def padded(x: Any) -> Any:
    around = F.pad(x, (-1, 3), mode="circular").sum()  # of one place the gradient is nothing but 0
    return around + F.pad(x, (1, 2), mode="reflect").sum() + (F.pad(x, (1, 0, 2, 1), value=3.0) ** 2).sum()


def many_classes(x: Any) -> Any:
    return F.cross_entropy(ag.concatenate([x] * 50, axis=1), np.array([0, 300, 7, 7, 1, 1]))


def ctc(x: Any) -> Any:
    return F.ctc_loss(F.log_softmax(x, 2), LABELS, FRAMES, LENGTHS)


def rare(x: Any) -> Any:
    return ADAPTIVE(x, np.array([0, 5, 5, 1, 7, 9])).loss


ADAPTIVE = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [2, 6, 9], div_value=2.0)
PROGRAMS: dict[str, Callable[[], Any]] = {
    "max pool": lambda: (nn.MaxPool2d(2), IMAGES),
    "max pool, overlapping": lambda: (nn.MaxPool2d(3, 2, 1), IMAGES),
    "max pool, between windows": lambda: (nn.MaxPool2d(2, 3), IMAGES),
    "max pool of NaN": lambda: (nn.MaxPool2d(3, 2, 1), np.where(IMAGES > 2, np.float32(np.nan), IMAGES)),
    "max pool and back": lambda: ((unpooled, None), IMAGES),
    "mean pool": lambda: (nn.AvgPool2d(2), IMAGES),
    "mean pool, overlapping": lambda: (nn.AvgPool2d(3, 2, 1), IMAGES),
    "LP pool": lambda: (nn.LPPool2d(2, 2), IMAGES),
    "RNN": lambda: recurrent(nn.RNN),
    "RNN, two layers, both ways": lambda: recurrent(nn.RNN, num_layers=2, bidirectional=True),
    "LSTM": lambda: recurrent(nn.LSTM),
    "LSTM, projected": lambda: recurrent(nn.LSTM, proj_size=3, peephole=True),
    "LSTM, without bias": lambda: recurrent(nn.LSTM, bias=False, bidirectional=True),
    "GRU": lambda: recurrent(nn.GRU),
    "GRU, without bias": lambda: recurrent(nn.GRU, bias=False),
    "packed RNN": lambda: packed(nn.RNN),
    "packed LSTM": lambda: packed(nn.LSTM),
    "packed GRU": lambda: packed(nn.GRU),
    "attention": lambda: attended(is_causal=True),
    "attention, fewer keys": lambda: attended(keys=3),
    "attention, keys that nobody sees": lambda: ((unseen, None), HEADS),
    "attention, bias": lambda: attended(attn_mask=BIAS),
    "attention, a query without keys": lambda: attended(attn_mask=NOTHING_SEEN),
    "self-attention": lambda: (nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0), TIMES),
    "batch norm of images": lambda: (nn.BatchNorm2d(4), IMAGES),
    "batch norm of vectors": lambda: (nn.BatchNorm1d(8), VECTORS),
    "group norm": lambda: (nn.GroupNorm(2, 4), IMAGES),
    "group norm of vectors": lambda: (nn.GroupNorm(2, 8), VECTORS),
    "layer norm": lambda: (nn.LayerNorm(8), VECTORS),
    "RMS norm": lambda: (nn.RMSNorm(8), VECTORS),
    "CTC": lambda: ((ctc, None), TIMES),
    "adaptive softmax": lambda: ((rare, ADAPTIVE), VECTORS),
    "cross-entropy": lambda: ((lambda x: F.cross_entropy(x, np.array([0, 3, -100, 7, 1, 1])), None), VECTORS),
    "cross-entropy, large": lambda: ((many_classes, None), VECTORS),
    "nll": lambda: ((lambda x: F.nll_loss(x, np.array([0, 3, -100, 7, 1, 1])), None), VECTORS),
    "padding": lambda: ((padded, None), IMAGES),
    "upsampling": lambda: (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGES),
    "scatter": lambda: ((lambda x: x[np.array([0, 2, 2])], None), VECTORS),
    "delete": lambda: ((lambda x: np.delete(x, 2, axis=1), None), VECTORS),
    "insert": lambda: ((lambda x: np.insert(x, 3, 0.5, axis=1), None), VECTORS),
    "cumsum": lambda: ((lambda x: np.cumsum(x, axis=1) * np.cumsum(x).reshape(6, 8), None), VECTORS),
    "cumprod": lambda: ((lambda x: np.cumprod(x, axis=1), None), VECTORS),
    "windows": lambda: ((lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, 1) ** 2, None), VECTORS),
    "GELU": lambda: (nn.GELU(), VECTORS),
    "GELU of 64 bits": lambda: (nn.GELU(), VECTORS.astype(float)),
    "block": lambda: ((lambda x: np.block([[x, x * 2], [x * 3, x]]), None), VECTORS),
}  # fmt: skip


def training(program: Any) -> tuple[Callable[[Any], Any], Any, list[Any]]:
    """Return a step that gives a loss and leaves gradients, its input, and whose gradients those are."""
    ag.random.manual_seed(0)
    made, x = program()
    forward, owner = made if isinstance(made, tuple) else (made, made)
    own = [] if owner is None else [owner] if isinstance(owner, nn.Parameter) else [*owner.parameters()]
    leaves = [nn.Parameter(np.ones_like(x)), *own]

    def step(x: Any) -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = forward(leaves[0] * x)
        loss = (np.sin(y[0] if isinstance(y, tuple) else y) * 3).sum()
        loss.backward()
        return loss

    return step, x, leaves


def fresh(plan: Any) -> list[str]:
    """Return the kernels of a plan that make an array anew in each replay."""
    return [call.name for call in plan.calls if call.kernel and isinstance(call.out, Slot)
            and call.out in call.outs and not call.out.scalar and form_of(call) == "fresh"]  # fmt: skip


@pytest.mark.parametrize("numba", VERSIONS, ids=["numpy", "numba"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_kernels_fill_the_memory_of_the_plan(name: str, numba: bool) -> None:
    f, x, leaves = training(PROGRAMS[name])
    step: Any = ag.compile(f)
    with kernels.using(numba=numba):
        for number in range(6):
            given = x + np.float32(0.01 * number)
            wanted = [f(given).data, *[leaf.grad for leaf in leaves]]
            if step.recent is not None:
                for block in step.plan.blocks:
                    block.fill(255)
            got = [step(given).data, *[leaf.grad for leaf in leaves]]
            assert all(map(same, wanted, got)), number
    assert step.recent is not None, step.reason
    assert [call for call in step.plan.calls if form_of(call) == "out" and call.kernel]
    assert set(fresh(step.plan)) <= SMALL


@pytest.mark.parametrize("name", ["max pool", "mean pool", "LSTM", "GRU", "attention", "layer norm"])
def test_results_that_are_handed_out_stay(name: str) -> None:
    (made, x), kept = PROGRAMS[name](), []
    forward = made[0] if isinstance(made, tuple) else made
    leaf, left = nn.Parameter(np.ones_like(x)), dict[str, Any]()

    def step(x: Any) -> Any:
        leaf.grad = None
        y = forward(leaf * x)
        y = y[0] if isinstance(y, tuple) else y
        (y * y).sum().backward()
        left["whole"], left["part"] = y.data, (y.data * 2)[1:]
        return y

    compiled: Any = ag.compile(step)
    for number in range(7):
        given = x + np.float32(number)
        step(given)
        wanted = [np.array(a) for a in (left["whole"], left["whole"], left["part"], leaf.grad)]
        y = compiled(given)
        kept.append((wanted, [y.data, left["whole"], left["part"], leaf.grad]))
    assert compiled.recent is not None, compiled.reason
    assert all(same(a, b) for wanted, got in kept for a, b in zip(wanted, got, strict=True))


def test_out_is_no_memory_that_the_call_writes() -> None:
    f, x, _ = training(PROGRAMS["LSTM"])
    step: Any = ag.compile(f)
    for _ in range(4):
        step(x)
    space, names = step.plan.names.space, step.plan.names
    written = [call for call in step.plan.calls if call.kernel and call.writes]
    assert written
    for call in written:
        out, *others = [space[names.slot(slot)] for slot in (call.out, *call.writes)]
        assert form_of(call) == "out"
        assert not any(np.shares_memory(out, other) for other in others)
