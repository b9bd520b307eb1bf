"""Long training in compiled steps, while what they read changes: the bits of eager training."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

from .test_compiled import bits

SCALE = 1.0  # a global that the step reads


def test_what_a_step_reads_changes_between_steps() -> None:
    global SCALE

    def make(compiled: Any) -> Any:
        rng = np.random.default_rng(0)
        w = nn.Parameter(rng.normal(size=(6, 3)).astype(np.float32))
        optimizer = optim.Adam([w], 0.01)
        shift, rows, options = 0.0, np.arange(4), {"power": 2, "factor": 0.5}

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            y = (w[rows] * x - shift) ** options["power"]
            loss = SCALE * y.sum() * options["factor"]
            loss.backward()
            optimizer.step()
            return loss

        def change(i: int) -> None:
            nonlocal shift, rows
            if i % 41 == 40:
                shift = 0.1 * (i % 3)
            if i % 7 == 6:
                rows[i % 4] = i % 6  # in place
            if i % 29 == 28:
                rows = np.roll(rows, 1)  # another array
            if i % 50 == 49:
                options["factor"] = 0.5 + i / 300
            if i % 60 == 59:
                options["power"] = 2 + i % 2
            if i == 100:
                options["unused"] = 1

        return compiled(step), change, w, optimizer

    eager, compiled = make(lambda f: f), make(ag.compile)
    try:
        for i in range(300):
            x = np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32)
            for _, change, *_ in (eager, compiled):
                change(i)
            if i % 70 == 69:
                SCALE = 1.0 + i / 100
            left = [bits([step(x), w, w.grad, o.state_dict()]) for step, _, w, o in (eager, compiled)]
            assert left[0] == left[1], f"step {i}"
    finally:
        SCALE = 1.0
    assert len(compiled[0].plans) > 8  # it replayed between the changes


class Training:
    """A model with dropout and batch normalization, an optimizer and a schedule."""

    def __init__(self, compiled: bool) -> None:
        nn.manual_seed(0)
        self.model = nn.Sequential(
            nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.25), nn.Linear(8, 3))  # fmt: skip
        self.optimizer = optim.Adam(self.model.parameters(), 0.01, weight_decay=1e-3)
        self.schedule = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 100)
        self.run = ag.compile(self.step) if compiled else self.step

    def step(self, x: Any, t: Any) -> Any:
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), t)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss

    def train(self, first: int, last: int) -> list[float]:
        losses = []
        for i in range(first, last):
            rng = np.random.default_rng(i)
            x, t = rng.normal(size=(6, 5)).astype(np.float32), rng.integers(0, 3, 6)
            losses.append(self.run(x, t).item())
            self.schedule.step()
        return losses

    def state(self) -> bytes:
        return pickle.dumps([
            self.model.state_dict(), self.optimizer.state_dict(), self.schedule.state_dict(),
            ag.random.get_state(),
        ])  # fmt: skip

    def resume(self, state: bytes) -> None:
        model, optimizer, schedule, draws = pickle.loads(state)
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)
        self.schedule.load_state_dict(schedule)
        ag.random.set_state(draws)

    def left(self) -> Any:
        return bits([self.model.state_dict(), self.optimizer.state_dict(), self.schedule.get_last_lr()])


@pytest.mark.parametrize("again", ["fresh", "same", "eager"])
def test_training_resumed_from_a_checkpoint_is_uninterrupted_training(again: str) -> None:
    eager = Training(compiled=False)
    expected = eager.train(0, 500)
    compiled = Training(compiled=True)
    losses = compiled.train(0, 230)
    state = compiled.state()
    if again == "same":
        compiled.train(230, 260)  # what follows the checkpoint is taken back
    else:
        compiled = Training(compiled=again == "fresh")
    compiled.resume(state)
    losses += compiled.train(230, 500)
    assert losses == expected
    assert compiled.left() == eager.left()
    if again != "eager":
        assert compiled.run.recent is not None


def test_evaluation_between_steps_has_a_plan_of_its_own() -> None:
    x, left = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32), []
    for compiled in (False, True):
        training = Training(compiled)
        predict = ag.compile(training.model) if compiled else training.model
        seen: list[Any] = []
        for i in range(0, 120, 10):
            seen += training.train(i, i + 10)
            training.model.eval()
            with ag.no_grad():
                seen += bits([predict(x), predict(x)])
            training.model.train()
        left.append([*seen, training.left()])
    assert left[0] == left[1]
    assert len(training.run.plans) == len(predict.plans) == 1
