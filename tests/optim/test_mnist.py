"""The lectures' headline results: the whole command on a small folder, and on MNIST where it is."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import nn, optim
from optim import mnist

SMALL = 784, 30, 10
NAMES = list(mnist.NETWORKS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    """The library's digits, 1,500 to train on and 297 to test, as files of MNIST's form and names."""
    folder = tmp_path_factory.mktemp("digits")
    images, labels = nn.data.digits(flat=False)
    large = np.pad(np.kron(images, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))
    order = np.random.default_rng(0).permutation(1797)
    for name, part in (("train", order[:1500]), ("t10k", order[1500:])):
        for kind, array in (("images-idx3", large[part] * 255), ("labels-idx1", labels[part])):
            header = struct.pack(f">HBB{array.ndim}i", 0, 8, array.ndim, *array.shape)
            (folder / f"{name}-{kind}-ubyte").write_bytes(header + array.astype(np.uint8).tobytes())
    mnist.load.cache_clear()
    return folder


def lines(text: str) -> list[list[str]]:
    return [re.split(r"  +", line) for line in text.splitlines()]


def test_the_whole_command(folder: Path, capsys: Any) -> None:
    arguments = [str(folder), "--seeds", "2", "--epochs", "1", "--steps", "3", "--jobs", "1", "--no-check"]
    assert mnist.main(arguments) == 0
    out, err = capsys.readouterr()
    head, *rows = lines(out)
    assert head == [
        "network", "length", "published", "median", "at the end", "seconds a run", "runs, by seed",
    ]  # fmt: skip
    assert [row[:3] for row in rows] == [
        ["784-30-10", "1 epochs", "94.84"],
        ["784-30-30-10", "1 epochs", "95.81"],
        ["784-30-30-30-10", "1 epochs", "95.07"],
        ["cnn", "3 steps", "99.00"],
    ]
    for row in rows:
        runs = [float(run.split()[0]) for run in row[7].split(", ")]
        assert float(row[3]) == pytest.approx(np.mean(runs), abs=0.006)  # the median of two
        assert len(runs) == 2
        assert row[4].startswith("shortened from ")
        assert [run.endswith("(stuck)") for run in row[7].split(", ")] == [run < 80 for run in runs]
    assert err.count("seed 0: ") == err.count("seed 1: ") == 4


def test_processes_side_by_side_give_what_one_gives(folder: Path) -> None:
    def measured(jobs: int) -> Any:
        rows = mnist.measure(folder, NAMES[:2], seeds=2, epochs=2, jobs=jobs, check=False)
        return [{seed: run.percent for seed, run in row.runs.items()} for row in rows]

    before = dict(os.environ)
    state = str(nn.random.get_state())
    side_by_side = measured(2)
    assert side_by_side == measured(1)
    assert dict(os.environ) == before
    assert str(nn.random.get_state()) == state
    assert len({*side_by_side[0].values(), *side_by_side[1].values()}) > 1


def test_both_kinds_of_network_learn(folder: Path) -> None:
    rows = mnist.measure(
        folder, ["784-30-10", "cnn"], seeds=1, epochs=6, steps=25, jobs=1, check=False)  # fmt: skip
    assert all(row.median > 60 for row in rows), mnist.table(rows)


def test_the_training_is_that_of_the_lectures(folder: Path, monkeypatch: Any) -> None:
    """One step on ten images, by hand: the loss, its reduction, the rate, and N(0, 1) throughout."""
    parts = mnist.load(str(folder), False)
    assert [len(y) for _, y in parts] == [1250, 250, 297]  # 50,000 and 10,000 of MNIST's 60,000
    x, y = parts[0]
    kept: list[Any] = []

    def keep(model: Any, *data: Any) -> float:
        kept.append([p.numpy().astype(float) for p in model.parameters()])
        return 0.0

    monkeypatch.setattr(mnist, "accuracy", keep)
    data = [(x[:10], y[:10])] * 3
    mnist.sigmoid_network(SMALL, data, 0, 0)
    mnist.sigmoid_network(SMALL, data, 0, 1)
    (w1, b1, w2, b2), after = kept[0], kept[-1]
    assert abs(w1.std() - 1) < 0.02
    assert 0.6 < np.r_[b1, b2].std() < 1.4

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    a0, t = x[:10].astype(float), np.eye(10)[y[:10]]
    a1 = sigmoid(a0 @ w1.T + b1)
    a2 = sigmoid(a1 @ w2.T + b2)
    d2 = (a2 - t) * a2 * (1 - a2)  # of half the sum of squares
    d1 = (d2 @ w2) * a1 * (1 - a1)
    grads = d1.T @ a0, d1.sum(0), d2.T @ a1, d2.sum(0)
    for p, g, new in zip((w1, b1, w2, b2), grads, after, strict=True):
        np.testing.assert_allclose(new, p - 3.0 * g / 10, atol=2e-6)


def test_the_held_out_images_choose_the_epoch(folder: Path, monkeypatch: Any) -> None:
    """The epoch that knows most of them, the first of equal ones; the test images serve only at the end."""
    scores = iter([50.0, 70.0, 70.0, 60.0])
    seen: list[Any] = []

    def accuracy(model: Any, x: Any, y: Any) -> float:
        seen.append((len(x), model[0].weight.numpy().copy()))
        return next(scores) if len(x) == 7 else float(len(seen))

    monkeypatch.setattr(mnist, "accuracy", accuracy)
    x, y = mnist.load(str(folder), False)[0]
    data = (x[:20], y[:20]), (x[:7], y[:7]), (x[:5], y[:5])
    assert mnist.sigmoid_network(SMALL, data, 0, 4) == (6.0, 5.0)
    assert [n for n, _ in seen] == [7, 7, 7, 7, 5, 5]
    assert np.array_equal(seen[5][1], seen[1][1])
    assert np.array_equal(seen[4][1], seen[3][1])
    assert not np.array_equal(seen[1][1], seen[2][1])


def test_the_networks_have_the_published_sizes(folder: Path, monkeypatch: Any) -> None:
    models: list[Any] = []
    monkeypatch.setattr(mnist, "accuracy", lambda model, *data: models.append(model) or 0.0)
    x, y = mnist.load(str(folder), False)[0]
    for network in mnist.NETWORKS.values():
        network.train([(x[:50], y[:50])] * 3, 0, 1)
    tutorial = 25 * 32 + 32 + 25 * 32 * 64 + 64 + 3136 * 1024 + 1024 + 10250
    sizes = [sum(p.size for p in model.parameters()) for model in models]
    assert sizes == [*[23860] * 3, *[24790] * 3, *[25720] * 3, tutorial, tutorial]
    assert not any(model.training for model in models[9:]), "tested with dropout"
    assert [m.p for m in models[9].modules() if isinstance(m, nn.Dropout)] == [0.5]


def test_the_rates_of_the_convolutional_network(folder: Path, monkeypatch: Any) -> None:
    rates: list[float] = []

    class Adam(optim.Adam):
        def step(self, closure: Any = None) -> None:
            rates.append(self.param_groups[0]["lr"])

    monkeypatch.setattr(optim, "Adam", Adam)
    monkeypatch.setattr(mnist, "accuracy", lambda *given: 0.0)
    x, y = mnist.load(str(folder), False)[0]
    for name in ("cnn", "cnn-published"):
        mnist.NETWORKS[name].train([(x[:100], y[:100])] * 3, 0, 5)  # 2 batches, and again
    np.testing.assert_allclose(rates, [1e-3, 8e-4, 6e-4, 4e-4, 2e-4] + [1e-4] * 5)


def finished(name: str, *percents: float, length: int = 0, seeds: int = 5) -> Any:
    row = mnist.Row(name, length or mnist.NETWORKS[name].length, seeds)
    row.runs.update({seed: mnist.Result(percent, percent - 1, 9.0) for seed, percent in enumerate(percents)})
    return row


def test_a_run_that_got_stuck_counts_and_is_shown() -> None:
    row = finished("784-30-10", 95.0, 94.9, 9.8, 94.5, 94.4)
    assert row.median == 94.5
    assert lines(mnist.table([row]))[1] == [
        "784-30-10", "30 epochs", "94.84", "94.50", "reached", "93.50", "9.0",
        "95.00, 94.90, 9.80 (stuck), 94.50, 94.40",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (finished("784-30-10", *[94.34] * 5), "reached"),
        (finished("784-30-10", *[94.33] * 5), "below 94.34"),
        (finished("784-30-10", 99.0, 99.0, 10.0, 10.0, 10.0), "below 94.34"),
        (finished("cnn", *[98.99] * 5), "below 99.00"),
        (finished("cnn", 99.0, seeds=1), "reached"),
        (finished("784-30-10", *[97.0] * 5, length=29), "shortened from 30"),
        (finished("784-30-10", 97.0, 97.0), "stopped at 2 of 5 runs"),
        (finished("784-30-10"), "stopped at 0 of 5 runs"),
    ],
    ids=["half a point", "just below", "three stuck", "cnn below", "cnn", "short", "stopped", "none"],
)
def test_the_verdict(row: Any, verdict: str) -> None:
    assert row.verdict == verdict
    assert verdict in mnist.table([row])


def test_a_missed_result_is_the_exit_status(folder: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(mnist, "run", lambda *task: mnist.Result(90.0, 90.0, 1.0))
    arguments = [str(folder), "--seeds", "1", "--jobs", "1", "--no-check", "--networks", "784-30-10"]
    assert mnist.main(arguments) == 1
    assert "below 94.34" in capsys.readouterr().out


def test_ctrl_c_keeps_the_runs_that_are_finished(folder: Path, monkeypatch: Any, capsys: Any) -> None:
    def run(folder: str, check: bool, name: str, seed: int, length: int) -> Any:
        if seed == 2:
            raise KeyboardInterrupt
        return mnist.Result(95.0 + seed, 95.0, 1.0)

    monkeypatch.setattr(mnist, "run", run)
    mnist.main([str(folder), "--jobs", "1", "--no-check", "--networks", "784-30-10"])
    assert "stopped at 2 of 5 runs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nowhere"], "nowhere, which has no train-images.*; try --download"),
        (["--seeds", "0"], r"\[mnist\] got seeds=0, expected 1 or more"),
        (["--networks", "784-10"], "invalid choice: '784-10'"),
        ([], "damaged|another|digest|published"),
    ],
    ids=["no folder", "no seeds", "no such network", "not MNIST"],
)
def test_what_cannot_be_measured(arguments: list[str], text: str, folder: Path, capsys: Any) -> None:
    where = [] if arguments[:1] == ["nowhere"] else [str(folder)]
    with pytest.raises(SystemExit) as stopped:
        mnist.main(where + arguments)
    assert stopped.value.code == 2
    assert re.search(text, capsys.readouterr().err)


def test_the_folder_may_come_from_the_environment(folder: Path, monkeypatch: Any) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(mnist, "measure", lambda folder, *names, **options: asked.append(folder) or [])
    for value, expected in ((str(folder), str(folder)), (None, "mnist")):
        if value is None:
            monkeypatch.delenv(mnist.FOLDER, raising=False)
        else:
            monkeypatch.setenv(mnist.FOLDER, value)
        mnist.main([])
        assert asked[-1] == expected


def test_one_epoch_on_mnist_where_it_is(folder: Path, capsys: Any) -> None:
    """Of MNIST, in the folder that the variable names; elsewhere of the small set, which says so."""
    where = os.environ.get(mnist.FOLDER)
    sizes, least, epochs = ([50000, 10000, 10000], 88, 1) if where else ([1250, 250, 297], 60, 6)
    with capsys.disabled():
        print(f"\ntrained on {where or f'the small set: {mnist.FOLDER} names no folder with MNIST'}")
    row, = mnist.measure(where or folder, ["784-30-10"], seeds=1, epochs=epochs, jobs=1, check=bool(where))
    assert row.median > least
    assert [len(y) for _, y in mnist.load(str(where or folder), bool(where))] == sizes
    mnist.load.cache_clear()
    if where:
        x, y, *_ = nn.data.mnist(where, download=True)  # nothing to fetch: they are there
        assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
        assert abs(float(x.mean(dtype=float)) - 0.1307) < 5e-5, "the mean and deviation that are published"
        assert abs(float(x.std(dtype=float)) - 0.3081) < 5e-5
        with pytest.raises(ValueError, match=r"\[fashion_mnist\] got .*train-images.*with MD5 6bbc9ace"):
            nn.data.fashion_mnist(where)
