"""A training that a test kills and starts again: ``python -m tests.optim.killed FOLDER [KILLS SECONDS]``.

Whatever holds a state takes part: dropout, batch norm, Adam, a schedule for each step, a new order in each
epoch, noise on the data, validation, metrics, early stopping, statistics, an average of the parameters.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np

from autograd_core import nn, optim

EPOCHS, SAMPLES, FEATURES, CLASSES = 6, 150, 6, 3


def noisy(x: Any, y: Any, rng: Any) -> tuple[Any, Any]:
    return x + rng.normal(0, 0.1, x.shape).astype(np.float32), y


def training(folder: str | None, **options: Any) -> tuple[optim.Trainer, tuple[Any, ...]]:
    """Return a Trainer and what to fit it to."""
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, FEATURES)).astype(np.float32)
    y = x[:, :CLASSES].argmax(1)
    model = nn.Sequential(
        nn.Linear(FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, CLASSES)
    )
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    checkpoints = folder and optim.Checkpoints(folder, **({"every": 4, "unit": "steps"} | options))
    trainer = optim.Trainer(
        model, optimizer, nn.CrossEntropyLoss(), metrics=["accuracy"], scheduler=scheduler,
        scheduler_every="step", checkpoints=checkpoints or None, clip_norm=1.0, quiet=True,
        callbacks=[optim.EarlyStopping(patience=EPOCHS), optim.GradientStatistics(),
                   optim.Averaging(optim.ema(model))],
    )  # fmt: skip
    return trainer, (x, y)


def fit(trainer: optim.Trainer, data: tuple[Any, ...], epochs: int = EPOCHS) -> optim.History:
    return trainer.fit(*data, epochs=epochs, batch_size=8, validation=0.2, transform=noisy)


def ended(trainer: optim.Trainer) -> dict[str, Any]:
    """Return all that a training leaves: parameters, moments, history, the random numbers that come next."""
    history = trainer.history
    columns = {f"history.{k}": np.array(v) for k, v in history.items() if k != "seconds"}
    moments = {
        f"state.{i}.{name}": array
        for i, state in trainer.optimizer.state_dict()["state"].items() for name, array in state.items()
    }  # fmt: skip
    return {
        **{f"model.{k}": v for k, v in trainer.model.state_dict().items()}, **moments, **columns,
        **{f"steps.{k}": np.array(v) for k, v in history.steps.items()},
        "next": nn.random.generator().random(3),
        "statistics": np.array([
            [list(v.values()) for v in row.values()] for row in trainer.callbacks[2].rows
        ]),
        **{f"average.{k}": v for k, v in trainer.callbacks[3].average.state_dict().items()},
        "best": np.array(trainer.callbacks[1].best),
    }  # fmt: skip


def train(folder: str) -> None:
    """Train to the end, and write how it ended beside the checkpoints."""
    trainer, data = training(folder)
    fit(trainer, data)
    nn.save_file(ended(trainer), f"{folder}/ended")


def disturbed(folder: str, kills: int, longest: float) -> None:
    """Train again and again in processes that are killed after a random time; then let those go on.

    A process is a fork of this one, which has only imported: it costs no import.
    """
    rng, run = np.random.default_rng(), 0
    while kills or not os.path.exists(f"{folder}/0/ended"):
        os.makedirs(f"{folder}/{run}", exist_ok=True)
        child = os.fork()
        if not child:
            train(f"{folder}/{run}")
            os._exit(0)
        if kills:
            time.sleep(rng.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills -= 1
        elif os.waitstatus_to_exitcode(status):
            sys.exit(f"a training failed in run {run}")
        else:
            run += 1


if __name__ == "__main__":
    if len(sys.argv) > 2:
        disturbed(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    else:
        print("training", flush=True)
        train(sys.argv[1])
