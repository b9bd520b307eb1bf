"""Every loss in a compiled step: losses, gradients and parameters are those of an eager one, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

from .cases import Case, _as
from .cases_losses import CASES

F = nn.functional
TOGETHER = 4  # rows in one step
LAYERS = sorted({case.layer for case in CASES})


def inputs(case: Case, step: int) -> list[Any]:
    """Return other inputs and other labels in each step."""
    rng = np.random.default_rng(step)
    given = [_as(x(rng) if callable(x) else rng.normal(size=x), np.float32) for x in case.inputs]
    return [_moved(case, x, step) if x.dtype.kind in "iu" else x for x in given]


def _moved(case: Case, x: Any, step: int) -> Any:
    if case.layer == "CTCLoss" and x.ndim and x.shape != (2,):  # labels: other ones, but for the blank
        blank = case.kwargs.get("blank", 0)
        others = [c for c in range(4) if c != blank]
        names = [blank if c == blank else others[(others.index(c) + step) % 3] for c in range(4)]
        x = np.array(names)[x]
    if case.layer == "CTCLoss" and (not x.ndim or len(x) != 2):
        return x
    if x.ndim:
        return np.roll(x, step, 0)
    return np.array(x * (-1) ** step if x < 0 else (x + step) % 3)


class Scaled(nn.Module):
    """A loss of inputs times parameters: one for each column, or one where inputs must stay in a range."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.loss = case.build()
        kinds = zip(case.inputs, inputs(case, 0), strict=True)
        shapes = [() if callable(kind) else x.shape[-1:] for kind, x in kinds if x.dtype.kind == "f"]
        self.factors = nn.ParameterList([nn.Parameter(np.full(s, 0.9, np.float32)) for s in shapes])

    def forward(self, *given: Any) -> Any:
        factors = iter(self.factors)
        return self.loss(*[x * next(factors) if x.dtype.kind == "f" else x for x in given])


def train(cases: list[Case], compiled: bool, steps: int = 5) -> list[Any]:
    """Return what each step returned and left behind."""
    models = nn.ModuleList([Scaled(case) for case in cases])
    optimizer = optim.SGD(models.parameters(), lr=1e-3)

    def step(given: Any) -> Any:
        optimizer.zero_grad()
        losses = [model(*x) for model, x in zip(models, given, strict=True)]
        losses = [part for y in losses for part in (y if isinstance(y, tuple) else [y])]
        sum(y.sum() for y in losses).backward()
        optimizer.step()
        return losses

    run = ag.compile(step) if compiled else step
    left = []
    for i in range(steps):
        losses = run([inputs(case, i) for case in cases])
        arrays = [a for p in models.parameters() for a in (p.data, p.grad) if a is not None]
        left.append([(a.shape, a.dtype.str, a.tobytes()) for a in [*(y.numpy() for y in losses), *arrays]])
    if compiled:
        assert len(run.plans) == 1
    return left


@pytest.mark.parametrize("layer", LAYERS)
def test_a_compiled_loss_is_the_eager_one(layer: str) -> None:
    every = [case for case in CASES if case.layer == layer]
    for first in range(0, len(every), TOGETHER):
        cases = every[first : first + TOGETHER]
        with np.errstate(all="ignore"):
            expected, got = train(cases, compiled=False), train(cases, compiled=True)
        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
            assert a == b, f"step {i} of {[case.name for case in cases]}"


X, SIGNS, CLASSES = np.full((2, 3), 0.5, np.float32), np.ones((2, 3), np.float32), np.array([0, 2])
CLUSTERS = nn.AdaptiveLogSoftmaxWithLoss(3, 9, [2, 5], 1.0)
WRONG: dict[str, tuple[Any, Any, Any]] = {  # a loss of x and t, a target, and a wrong one
    "cross_entropy": (F.cross_entropy, CLASSES, CLASSES + 1),
    "cross_entropy-weight": (lambda x, t: F.cross_entropy(x, t, np.ones(3)), CLASSES, CLASSES - 1),
    "cross_entropy-smoothing": (
        lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1), CLASSES, CLASSES + 5),
    "nll_loss": (F.nll_loss, CLASSES, CLASSES + 1),
    "focal_loss": (F.focal_loss, CLASSES, CLASSES + 1),
    "multi_margin_loss": (F.multi_margin_loss, CLASSES, CLASSES - 1),
    "adaptive": (lambda x, t: CLUSTERS(x, t).loss, CLASSES, CLASSES + 7),
    "multilabel_margin_loss": (
        F.multilabel_margin_loss, np.array([[0, 2, -1], [1, -1, 5]]), np.array([[0, -1, 1], [0, 1, 3]])),
    "one_vs_all_hinge_loss": (F.one_vs_all_hinge_loss, CLASSES, CLASSES + 1),
    "crammer_singer_loss": (F.crammer_singer_loss, CLASSES, CLASSES + 1),
    "hinge_loss": (F.hinge_loss, SIGNS, 0 * SIGNS),
    "hinge_embedding_loss": (F.hinge_embedding_loss, SIGNS, 2 * SIGNS),
    "cosine_embedding_loss": (lambda x, t: F.cosine_embedding_loss(x, x, t), SIGNS[:, 0], 0 * SIGNS[:, 0]),
    "contrastive_loss": (lambda x, t: F.contrastive_loss(x, 2 * x, t), SIGNS[:, 0], 0 * SIGNS[:, 0]),
    "gaussian_nll_loss": (lambda x, t: F.gaussian_nll_loss(x, 2 * x, t), SIGNS, -SIGNS),
    "gaussian_nll_loss-some": (lambda x, t: F.gaussian_nll_loss(x, 2 * x, t), 1e-9 * SIGNS, -SIGNS),
    "multivariate": (
        lambda x, t: F.multivariate_gaussian_nll_loss(x[:, 0], x[:, 1], t, cholesky=True),
        np.eye(2), -np.eye(2)),
    "binary_cross_entropy": (lambda x, t: F.binary_cross_entropy(x * t, SIGNS), SIGNS, 3 * SIGNS),
    "one_hot": (lambda x, t: (x * F.one_hot(t, 3)).sum(), CLASSES, CLASSES + 1),
    **{f"ctc_loss-{what}": (
        lambda x, t: F.ctc_loss(F.log_softmax(x, -1), t[:, :1], t[:, 1], t[:, 2]),
        np.array([[1, 2, 1]]), np.array([wrong])) for what, wrong in {
            "frames": [1, 9, 1], "label": [3, 2, 1], "blank": [0, 2, 1], "length": [1, 2, 2]}.items()},
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_replay_refuses_what_an_eager_step_refuses(name: str) -> None:
    loss, target, wrong = WRONG[name]
    w = nn.Parameter(X[:, None] if name.startswith("ctc") else X)

    def step(t: Any) -> Any:
        w.grad = None
        y = loss(1 * w, t)
        y.backward()
        with ag.no_grad():
            w.data -= w.grad
        return y

    with pytest.raises((ValueError, IndexError)) as eager:
        step(wrong)
    replayed = ag.compile(step)
    with np.errstate(all="ignore"):
        for _ in range(4):
            w.data[...] = 0.5
            replayed(target)
        assert len(replayed.plans) == 1
        before = w.data[...] = 0.5
        with pytest.raises(type(eager.value)) as error:
            replayed(wrong)
    assert type(error.value) is type(eager.value)
    assert str(error.value) == str(eager.value)
    assert (w.data == before).all()  # nothing was written
    replayed(target)


@pytest.mark.parametrize("shape", [(2, 3), (1, 3)])
def test_variances_below_eps_are_found_in_each_replay(shape: Any) -> None:
    def step(v: Any) -> Any:
        v = ag.tensor(v, requires_grad=True)
        y = F.gaussian_nll_loss(X, 2 * X, v, eps=0.5)
        y.backward()
        return y, v.grad

    replayed = ag.compile(step)
    for i in range(7):
        v = np.linspace(1.2 - 0.2 * i, 1.7 - 0.2 * i, X.size, dtype=np.float32)
        v = np.maximum(v[: np.prod(shape)].reshape(shape), 0.1)
        (y, g), (z, h) = step(v), replayed(v)
        assert y.numpy().tobytes() == z.numpy().tobytes()
        assert g.tobytes() == h.tobytes()


OF_A_STEP = {  # a loss of (4, 5), and targets by which its arrays have other shapes inside
    "adaptive": (
        nn.AdaptiveLogSoftmaxWithLoss(5, 9, [2, 5], 1.0),
        [[0, 2, 5, 8], [1, 4, 6, 7], [2, 2, 2, 2], [0, 1, 1, 0], [8, 0, 8, 8], [3, 1, 3, 6]]),
    "multilabel": (
        nn.MultiLabelMarginLoss(),
        [[[0, -1, 1, 1, 1], [1, 2, -1, 0, 0], [-1] * 5, [4, 3, 2, 1, -1]], [[-1] * 5] * 4,
         [[0, 1, 2, 3, 4]] * 4, [[2, 2, -1, 0, 0]] * 4, [[3, -1, 4, 4, 4]] * 4, [[4, 3, 0, -1, 1]] * 4]),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_A_STEP)
def test_how_many_are_right_is_found_in_each_replay(name: str) -> None:
    loss, targets = OF_A_STEP[name]
    parameters = [nn.Parameter(np.random.default_rng(0).normal(size=(4, 5)).astype("f4")), *loss.parameters()]

    def step(t: Any) -> Any:
        for p in parameters:
            p.grad = None
        y = loss(1 * parameters[0], t)
        y = y[1] if isinstance(y, tuple) else y
        y.backward()
        return y, [p.grad for p in parameters]

    replayed = ag.compile(step)
    for t in targets:
        (y, grads), (z, others) = step(np.array(t)), replayed(np.array(t))
        assert y.numpy().tobytes() == z.numpy().tobytes()
        assert [g.tobytes() for g in grads] == [g.tobytes() for g in others]
    assert len(replayed.plans) == 1
