"""Checkpoints: a run that is killed and started again is the run that was not; damage is passed over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim

from . import killed

ROOT = Path(__file__).parents[2]
KILLS = 20


@pytest.fixture(autouse=True)
def _disk(monkeypatch: Any) -> None:
    """Do not wait for the disk: what a process wrote stays when it is killed."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.fixture(autouse=True)
def _ctrl_c() -> Any:
    """Let Ctrl-C mean what it means in a console; a process in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """How the training ends that nobody disturbs, without a checkpoint."""
    trainer, data = killed.training(None)
    killed.fit(trainer, data)
    return killed.ended(trainer)


def equal(found: Any, expected: Any) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
        assert found[name].dtype == array.dtype, name


def resumed(folder: Path, expected: Any, **options: Any) -> optim.Trainer:
    trainer, data = killed.training(str(folder), **options)
    killed.fit(trainer, data)
    equal(killed.ended(trainer), expected)
    return trainer


class Kill(Exception):
    pass


def fall_after(trainer: optim.Trainer, steps: int | None) -> None:
    def fall(trainer: Any) -> None:
        if trainer.step == steps:
            raise Kill

    trainer.hooks["on_step_end"].append(fall)


def broken_off(folder: Path, after: int, **options: Any) -> None:
    """Train, and fall over after some steps."""
    trainer, data = killed.training(str(folder), **options)
    fall_after(trainer, after)
    with pytest.raises(Kill):
        killed.fit(trainer, data)


# -- killed ----------------------------------------------------------------------------------------


def command(*arguments: Any) -> dict[str, Any]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return {"args": [sys.executable, "-m", "tests.optim.killed", *map(str, arguments)], "cwd": ROOT,
            "env": environment}  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system: one kill is tried, not twenty")
def test_a_run_killed_at_random_moments_ends_as_the_one_that_was_not(tmp_path: Path, expected: Any) -> None:
    subprocess.run(**command(tmp_path, KILLS, 0.2), check=True, timeout=300)
    ends = list(tmp_path.glob("*/ended"))
    assert ends
    for path in ends:
        equal(nn.load_file(path), expected)


def test_another_process_goes_on(tmp_path: Path, expected: Any) -> None:
    with subprocess.Popen(**command(tmp_path), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"training\n"
        while len(list(tmp_path.glob("*.safetensors"))) < 3:
            time.sleep(0.001)
        process.kill()
    resumed(tmp_path, expected)


@pytest.mark.parametrize(
    ("after", "options"),
    [
        (1, {}), (7, {}), (15, {"every": 1}), (16, {"every": 50}), (60, {"every": 17}),
        (40, {"unit": "epochs", "every": 1}), (46, {"unit": "epochs", "every": 2}),
        (50, {"unit": "seconds", "every": 0.01}),
    ],
)  # fmt: skip
def test_a_run_goes_on_from_any_step(tmp_path: Path, expected: Any, after: int, options: Any) -> None:
    broken_off(tmp_path, after, **options)
    broken_off(tmp_path, after + 20, **options)
    resumed(tmp_path, expected, **options)


def test_a_finished_run_is_not_trained_again(tmp_path: Path, expected: Any, capsys: Any) -> None:
    resumed(tmp_path, expected)
    again = resumed(tmp_path, expected)
    assert again.epoch == killed.EPOCHS
    trainer, data = killed.training(str(tmp_path))
    trainer.quiet = False
    killed.fit(trainer, data)
    assert "ended already: " in capsys.readouterr().out
    longer, data = killed.training(str(tmp_path))
    assert killed.fit(longer, data, killed.EPOCHS + 1).epochs == killed.EPOCHS + 1


class Foreign:
    """Batches that draw from all of the library's, NumPy's and Python's random numbers as they come."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y

    def __iter__(self) -> Any:
        import random

        order = nn.random.generator().permutation(len(self.x))
        for i in range(0, len(self.x), 10):
            rows = order[i : i + 10]
            yield self.x[rows] + np.float32(np.random.normal() + random.random()), self.y[rows]  # noqa: NPY002


@pytest.mark.parametrize(("after", "accumulate"), [(4, 1), (15, 1), (22, 1), (4, 3), (8, 3)])
def test_any_loader_goes_on_where_it_was(tmp_path: Path, after: int, accumulate: int) -> None:
    def trained(folder: Path | None, until: int | None) -> optim.Trainer:
        import random

        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        nn.manual_seed(0)
        x = nn.random.generator().normal(size=(75, 4)).astype(np.float32)
        model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
        sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        checkpoints = folder and optim.Checkpoints(folder, every=3, unit="steps")
        trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), checkpoints=checkpoints, quiet=True,
                                accumulate=accumulate)  # fmt: skip
        fall_after(trainer, until)
        trainer.fit(Foreign(x, x[:, :3].argmax(1)), epochs=4)
        return trainer

    whole = trained(None, None)
    with pytest.raises(Kill):
        trained(tmp_path, after)
    random_words = np.random.normal()  # noqa: NPY002 - another process has other states
    assert np.isfinite(random_words)
    again = trained(tmp_path, None)
    assert again.history.steps == whole.history.steps
    equal(again.model.state_dict(), whole.model.state_dict())


def test_batches_made_ahead_go_on(tmp_path: Path) -> None:
    def trained(folder: Path | None, prefetch: int, until: int | None = None) -> Any:
        threads = threading.active_count()
        trainer, (x, y) = killed.training(folder and str(folder))
        fall_after(trainer, until)
        loader = nn.data.batches(x, y, batch_size=8, transform=killed.noisy, prefetch=prefetch,
                                 generator=np.random.default_rng(5))  # fmt: skip
        try:
            trainer.fit(loader, epochs=3, validation=(x, y))
        finally:
            assert threading.active_count() == threads
        return killed.ended(trainer)

    whole = trained(None, 0)
    for until in (10, 25):
        with pytest.raises(Kill):
            trained(tmp_path, 3, until)
    equal(trained(tmp_path, 3), whole)


def test_what_is_held_out_stays_held_out(tmp_path: Path) -> None:
    """A script that sets no seed divides its data as it did before."""
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)

    def trained(epochs: int) -> optim.History:
        nn.random.generator().random()  # it never begins where it began
        model = nn.Linear(4, 3)
        sgd = optim.SGD(model.parameters(), lr=0.1)
        trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), checkpoints=tmp_path, quiet=True)
        return trainer.fit(x, x[:, :3].argmax(1), epochs=epochs, validation=0.25)

    first = trained(2)
    again = trained(4)
    assert again["val_loss"][:2] == first["val_loss"]


def test_accumulated_steps_go_on(tmp_path: Path) -> None:
    def trained(folder: Path | None, until: int | None) -> Any:
        trainer, (x, y) = killed.training(folder and str(folder), every=1)
        trainer.accumulate = 4
        fall_after(trainer, until)
        trainer.fit(x, y, epochs=3, batch_size=8, validation=0.2)  # 120 samples: 15 batches, 4 steps
        assert trainer.step == 12
        return killed.ended(trainer)

    whole = trained(None, None)
    for until in (3, 4, 9):
        with pytest.raises(Kill):
            trained(tmp_path, until)
    equal(trained(tmp_path, None), whole)


# -- damaged ---------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def flip_in_the_header(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"accumulate")] ^= 1
    path.write_bytes(raw)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def without_training(path: Path) -> None:
    nn.save_file({"a": np.zeros(3)}, path)


@pytest.mark.parametrize("damage", [truncate, flip, flip_in_the_header, empty, zeros, without_training])
def test_a_damaged_checkpoint_is_named_and_the_last_good_one_used(
    tmp_path: Path, expected: Any, damage: Any
) -> None:
    broken_off(tmp_path, 50)
    *_, good, last = optim.Checkpoints(tmp_path).paths()
    damage(last)
    with pytest.warns(UserWarning, match=f"the damaged checkpoint .*{last.name}; {good.name} is used"):
        resumed(tmp_path, expected)
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".damaged"] == [f"{last.name}.damaged"]
    optim.Checkpoints(tmp_path).clear()
    assert not list(tmp_path.iterdir())


def test_if_none_is_good_it_says_so(tmp_path: Path) -> None:
    broken_off(tmp_path, 50)
    paths = optim.Checkpoints(tmp_path).paths()
    for path in paths:
        truncate(path)
    trainer, data = killed.training(str(tmp_path))
    with pytest.raises(ValueError, match="damaged checkpoints alone") as found:
        killed.fit(trainer, data)
    assert all(path.name in str(found.value) for path in paths)


def test_what_a_killed_writer_left_is_swept_away(tmp_path: Path, expected: Any) -> None:
    broken_off(tmp_path, 50)
    (tmp_path / ".checkpoint-0000000051.safetensors.0a1b2c3d.tmp").write_bytes(b"half")
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed(tmp_path, expected)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".safetensors"] * 3 + [".txt"]


# -- of another training ---------------------------------------------------------------------------


def small(folder: Path, **changes: Any) -> Any:
    nn.manual_seed(0)
    outputs, rate, samples = changes.get("outputs", 3), changes.get("lr", 0.1), changes.get("samples", 40)
    x = np.random.default_rng(changes.get("data", 0)).normal(size=(samples, 4)).astype(np.float32)
    model = nn.Linear(4, outputs)
    kind = changes.get("optimizer", optim.SGD)
    trainer = optim.Trainer(
        model, kind(model.parameters(), lr=rate), nn.CrossEntropyLoss(), quiet=True,
        checkpoints=folder, clip_norm=changes.get("clip_norm"), metrics=changes.get("metrics", ()),
        scheduler=changes.get("scheduler"), callbacks=changes.get("callbacks", ()),
    )  # fmt: skip
    return trainer.fit(x, x[:, :3].argmax(1), epochs=2, batch_size=changes.get("batch_size", 8))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"outputs": 5}, r"model weight: float32 \(3, 4\) in the checkpoint, float32 \(5, 4\) here"),
        ({"optimizer": optim.Adam}, "optimizer name: SGD in the checkpoint, Adam here"),
        ({"lr": 0.5}, "optimizer options lr: 0.1 in the checkpoint, 0.5 here"),
        ({"samples": 41}, "data samples: 40 in the checkpoint, 41 here"),
        ({"data": 1}, r"data array 0: .*samples (.|\n)*nn.manual_seed"),
        ({"batch_size": 4}, "data batches: 5 in the checkpoint, 10 here"),
        ({"clip_norm": 1.0}, "settings clip_norm: None in the checkpoint, 1.0 here"),
        ({"metrics": ["accuracy"]}, "metrics: .* in the checkpoint"),
        ({"callbacks": [optim.GradientStatistics()]}, r"callbacks: .* in the checkpoint, \['GradientStat"),
    ],
    ids=["outputs", "optimizer", "lr", "samples", "data", "batch_size", "clip_norm", "metrics", "callbacks"],
)
def test_a_checkpoint_of_another_training_says_what_differs(tmp_path: Path, changes: Any, text: str) -> None:
    small(tmp_path)
    with pytest.raises(ValueError, match="a checkpoint of another training(.|\n)*" + text):
        small(tmp_path, **changes)
    small(tmp_path, callbacks=[optim.LambdaCallback(on_epoch_end=print)])  # it has no state


def test_the_folder(tmp_path: Path) -> None:
    for options, text in [({"unit": "hours"}, "unit='hours'"), ({"every": 0}, "every=0"),
                          ({"keep": 0}, "keep=0"), ({"every": 0, "unit": "seconds"}, "every=0")]:  # fmt: skip
        with pytest.raises(ValueError, match=text):
            optim.Checkpoints(tmp_path, **options)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file"):
        optim.Checkpoints(tmp_path / "file")
    trainer, data = killed.training(str(tmp_path / "a" / "b"), keep=None, every=10)
    killed.fit(trainer, data, 2)
    names = [p.name for p in trainer.checkpoints.paths()]
    assert names == [f"checkpoint-{n:010d}.safetensors" for n in (0, 10, 20, 30)]
    state = optim.Checkpoints.load(trainer.checkpoints.paths()[-1])
    equal(state["model"], trainer.model.state_dict())
    with pytest.raises(ValueError, match="resume=False and checkpoints"):
        trainer.fit(*data, epochs=1, batch_size=8, resume=False)


def test_parameters_that_are_not_finite_are_not_kept(tmp_path: Path) -> None:
    trainer, data = killed.training(str(tmp_path), every=5)

    def spoil(trainer: Any) -> None:
        if trainer.step == 5:
            trainer.model[0].weight.data[0, 0] = np.nan

    trainer.hooks["on_step_end"].append(spoil)
    with pytest.raises(FloatingPointError, match=r"0\.weight that is not finite after epoch 1, step 5"):
        killed.fit(trainer, data)
    assert [p.stem for p in trainer.checkpoints.paths()] == ["checkpoint-0000000000"]


# -- Ctrl-C ----------------------------------------------------------------------------------------


def press(trainer: optim.Trainer, at: int, times: int = 1) -> None:
    def hook(trainer: Any) -> None:
        if trainer.step == at:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    trainer.hooks["on_step_end"].append(hook)


def test_ctrl_c_ends_cleanly_and_the_run_goes_on_later(tmp_path: Path, expected: Any, capsys: Any) -> None:
    trainer, data = killed.training(str(tmp_path))
    trainer.quiet = False
    press(trainer, 40)
    history = killed.fit(trainer, data)
    assert history.interrupted
    assert len(history.steps["loss"]) == 40
    assert history.epochs == 2
    out = capsys.readouterr().out
    assert "interrupted by Ctrl-C in epoch 3 after step 40: the history is kept, and in a checkpoint" in out
    assert trainer.checkpoints.paths()[-1].stem == "checkpoint-0000000040"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not resumed(tmp_path, expected).history.interrupted


def test_ctrl_c_at_the_end_is_told() -> None:
    trainer, data = killed.training(None)
    trainer.hooks["on_fit_end"].append(lambda trainer: signal.raise_signal(signal.SIGINT))
    assert killed.fit(trainer, data, epochs=1).interrupted


def test_ctrl_c_during_validation(tmp_path: Path, expected: Any) -> None:
    class Slow(nn.Module):
        def forward(self, x: Any) -> Any:
            if not self.training:
                signal.raise_signal(signal.SIGINT)
            return x

    trainer, data = killed.training(str(tmp_path))
    trainer.model.append(Slow())
    history = killed.fit(trainer, data)
    assert history.interrupted
    assert history.epochs == 0
    assert len(history.steps["loss"]) == 15
    resumed(tmp_path, expected)


def test_a_second_ctrl_c_stops_at_once() -> None:
    trainer, data = killed.training(None)
    press(trainer, 7, times=2)
    with pytest.raises(KeyboardInterrupt):
        killed.fit(trainer, data)
    assert len(trainer.history.steps["loss"]) == 7
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_at_random_moments_leaves_whole_steps(tmp_path: Path, expected: Any) -> None:
    """Every interruption and going on, together, is the run that nobody disturbed."""
    rng = np.random.default_rng()
    for n in range(40):
        trainer, data = killed.training(str(tmp_path), every=1000)
        begun = threading.Event()
        trainer.hooks["on_fit_begin"].append(lambda trainer, begun=begun: begun.set())

        def interrupt(delay: float = rng.uniform(0, 0.04), begun: threading.Event = begun) -> None:
            begun.wait(60)
            time.sleep(delay)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            history = killed.fit(trainer, data)
            thread.join()
            time.sleep(0.01)
        except KeyboardInterrupt:  # it came outside the loop
            thread.join()
            continue
        if not history.interrupted:
            break
        steps = [int(s["step"]) for s in trainer.optimizer.state_dict()["state"].values()]
        assert set(steps) <= {trainer.step}, f"interruption {n}"
    resumed(tmp_path, expected, every=1000)
