"""The lectures' headline results, trained anew from MNIST's files: ``python -m optim.mnist FOLDER``.

Three networks of sigmoid units in the setting of M. Nielsen's "Neural networks and deep learning", 2015:
weights and biases from N(0, 1), half the summed squared error averaged over a mini-batch of 10, plain SGD at
a rate of 3, 30 epochs. And the convolutional network of TensorFlow's tutorial for experts, 2016: 32 and 64
filters of 5 x 5, 1,024 units with dropout 0.5, batches of 50, 20,000 steps of Adam at 1e-4. It gets there in
a tenth of the steps at a rate that falls from 1e-3 to 0 along a line: ``cnn``, with this schedule of ours;
``cnn-published`` takes all 20,000 at 1e-4. Both start from this library's initialisation.

All train on the first 50,000 training images. Nothing is selected by the test images, which serve when all
is done: for a sigmoid network as it was after the epoch in which it knew most of the other 10,000 training
images (accuracies go up and down by some tenths at this rate), and as it is after the last. The result is the
median over the seeds, with every run beside it, those that got stuck too.
"""

import argparse
import copy
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain, islice, repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.errors import message

__all__ = ["NETWORKS", "Network", "Row", "main", "measure", "table"]

F = nn.functional
STUCK = 80.0  # per cent; chance is 10, and each of these networks passes 85 in its first epoch
FOLDER = "AUTOGRAD_CORE_MNIST"
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


# -- what is trained ------------------------------------------------------------------------------


@cache
def load(folder: str, check: bool) -> tuple[Any, ...]:
    """Return pairs to train on, to choose by and to test on: of MNIST 50,000, 10,000 and 10,000 images."""
    x, y, x_test, y_test = nn.data.mnist(folder, check=check)
    n = len(x) * 5 // 6
    return (x[:n], y[:n]), (x[n:], y[n:]), (x_test, y_test)


def sigmoid_network(sizes: Sequence[int], data: Any, seed: int, epochs: int) -> tuple[float, float]:
    """Train a network of sigmoid units with the squared error.

    Returns:
        its test accuracies in per cent: of the epoch that was best on the held-out images, of the last.
    """
    (x, y), held_out, test = data
    nn.manual_seed(seed)
    model = nn.MLP(sizes, activation="sigmoid", output_activation="sigmoid")
    for p in model.parameters():
        nn.init.normal_(p)
    optimizer = optim.SGD(model.parameters(), lr=3.0)
    loader = nn.data.batches(x, np.eye(10, dtype=np.float32)[y], batch_size=10)
    best, kept = -1.0, model.state_dict()
    for _ in range(epochs):
        for images, targets in loader:
            loss = F.mse_loss(model(images), targets, reduction="sum") * (0.5 / len(images))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        known = accuracy(model, *held_out)
        if known > best:
            best, kept = known, copy.deepcopy(model.state_dict())
    last = accuracy(model, *test)
    model.load_state_dict(kept)
    return accuracy(model, *test), last


def convolutional_network(lr: float, falls: bool, data: Any, seed: int, steps: int) -> tuple[float, float]:
    """Train the convolutional network with Adam, at a rate that may fall to 0 along a line.

    Returns:
        its test accuracy in per cent after the last step, twice: there is nothing to choose.
    """
    (x, y), _, (x_test, y_test) = data
    nn.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Dropout(0.5), nn.Linear(1024, 10))  # fmt: skip
    optimizer = optim.Adam(model.parameters(), lr=lr)
    schedule = optim.schedules.LinearLR(optimizer, 1.0, 0.0 if falls else 1.0, total_iters=steps)
    loader = nn.data.batches(x.reshape(-1, 1, 28, 28), y, batch_size=50)
    for images, labels in islice(chain.from_iterable(repeat(loader)), steps):
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    last = accuracy(model.eval(), x_test.reshape(-1, 1, 28, 28), y_test)
    return last, last


def accuracy(model: Any, x: Any, y: Any) -> float:
    """Return the share of the labels that are right, in per cent."""
    with ag.no_grad():
        right = [
            (model(images).argmax(1) == labels).sum()
            for images, labels in nn.data.batches(x, y, batch_size=min(500, len(x)), shuffle=False)
        ]
    return 100.0 * float(np.sum(right)) / len(y)


# -- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """A network, how it is trained, and what is to be reached.

    Attributes:
        train: ``train(data, seed, length)`` returns the accuracy in per cent, and that at the very end.
        length: the epochs or steps (``unit``) of the published result, or of ours that replaces it.
        published: the accuracy that was published, in per cent.
        least: what the median must be.
        quick: the length under ``--quick``.
    """

    train: Callable[[Any, int, int], tuple[float, float]]
    length: int
    unit: str
    published: float
    least: float
    quick: int


def _sigmoid(sizes: Sequence[int], percent: float) -> Network:
    return Network(partial(sigmoid_network, sizes), 30, "epochs", percent, percent - 0.5, 2)


NETWORKS = {
    "784-30-10": _sigmoid([784, 30, 10], 94.84),
    "784-30-30-10": _sigmoid([784, 30, 30, 10], 95.81),
    "784-30-30-30-10": _sigmoid([784, 30, 30, 30, 10], 95.07),
    "cnn": Network(partial(convolutional_network, 1e-3, True), 2000, "steps", 99.0, 99.0, 100),
    "cnn-published": Network(partial(convolutional_network, 1e-4, False), 20000, "steps", 99.0, 99.0, 100),
}
DEFAULT = [name for name in NETWORKS if name != "cnn-published"]  # 17 minutes for each seed


class Result(NamedTuple):
    """What came of one run: test accuracies in per cent, as ``train`` returns them, and seconds."""

    percent: float
    last: float
    seconds: float


@dataclass
class Row:
    """What came of one network, by seed."""

    name: str
    length: int
    seeds: int
    runs: dict[int, Result] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The median accuracy of all runs, those that got stuck too; NaN before the first."""
        return median(run.percent for run in self.runs.values()) if self.runs else float("nan")

    @property
    def verdict(self) -> str:
        """Whether the published result is reached, if it was trained as long as that asks for."""
        network = NETWORKS[self.name]
        if len(self.runs) < self.seeds:
            return f"stopped at {len(self.runs)} of {self.seeds} runs"
        if self.length < network.length:
            return f"shortened from {network.length:,}"
        return "reached" if self.median >= network.least else f"below {network.least:.2f}"


def table(rows: Sequence[Row]) -> str:
    """Write results as a table: a line for each network, and every run in it."""
    head = ["network", "length", "published", "median", "", "at the end", "seconds a run", "runs, by seed"]
    lines = [head]
    for row in rows:
        network, runs = NETWORKS[row.name], [run for _, run in sorted(row.runs.items())]
        lines.append([
            row.name, f"{row.length:,} {network.unit}", f"{network.published:.2f}",
            f"{row.median:.2f}" if runs else "-", row.verdict,
            f"{median(r.last for r in runs):.2f}" if runs else "-",
            f"{median(r.seconds for r in runs):.1f}" if runs else "",
            ", ".join(f"{r.percent:.2f}{' (stuck)' * (r.percent < STUCK)}" for r in runs)])  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def run(folder: str, check: bool, name: str, seed: int, length: int) -> Result:
    """Train one network from one seed."""
    data = load(folder, check)
    start = perf_counter()
    return Result(*NETWORKS[name].train(data, seed, length), perf_counter() - start)


def measure(
    folder: str | Path, names: Sequence[str] = DEFAULT, *, seeds: int = 5, epochs: int | None = None,
    steps: int | None = None, jobs: int | None = None, quick: bool = False, check: bool = True,
    quiet: bool = True,
) -> list[Row]:  # fmt: skip
    """Train networks from several seeds each, side by side; Ctrl-C keeps what is finished.

    Args:
        folder: where MNIST's four files are, as :func:`nn.data.mnist` reads them.
        names: of NETWORKS.
        seeds: runs of each network, from the seeds 0, 1, ...
        epochs, steps: how long sigmoid and convolutional networks train, if not as in NETWORKS.
        jobs: processes, of one thread each; by default one for each core. With 1, all runs in this one.
        quick: for a first look, at most two seeds and far fewer steps.
        check: that the files are MNIST's; without, other images of 28 x 28 pixels will do.
        quiet: show no progress.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a network that is not known, or nothing to do.
    """
    folder = str(folder)
    if unknown := set(names) - set(NETWORKS):
        raise ValueError(message("mnist", f"the network {min(unknown)!r}", f"one of {', '.join(NETWORKS)}"))
    for what, number in {"seeds": seeds, "epochs": epochs, "steps": steps, "jobs": jobs}.items():
        if number is not None and number < 1:
            raise ValueError(message("mnist", f"{what}={number}", "1 or more"))
    rows = []
    for name in names:
        asked = {"epochs": epochs, "steps": steps}[NETWORKS[name].unit]
        length = NETWORKS[name].quick if quick else NETWORKS[name].length
        rows.append(Row(name, asked or length, min(seeds, 2) if quick else seeds))
    tasks = [(row, seed) for row in reversed(rows) for seed in range(row.seeds)]  # the slow ones first
    load(folder, check)  # what is wrong with the files is said here, once
    workers = min(jobs or cores(), len(tasks))
    state = nn.random.get_state()
    with tqdm(total=len(tasks), unit="run", disable=quiet) as bar:

        def finished(row: Row, seed: int, result: Result) -> None:
            row.runs[seed] = result
            bar.update()
            percent, _, seconds = result
            bar.write(f"{row.name}, seed {seed}: {percent:.2f} after {seconds:.1f} s", sys.stderr)

        try:
            if workers == 1:
                for row, seed in tasks:
                    finished(row, seed, run(folder, check, row.name, seed, row.length))
            else:
                side_by_side(folder, check, tasks, workers, finished)
        except KeyboardInterrupt:
            pass
        finally:
            nn.random.set_state(state)
    return rows


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(
    folder: str, check: bool, tasks: Any, workers: int, finished: Callable[..., None]
) -> None:
    """Do the tasks in processes of one thread: two threads of one run wait for each other."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read where NumPy is imported, so in new processes
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    waiting: dict[Future[Any], Any] = {}
    try:
        for row, seed in tasks:
            waiting[pool.submit(run, folder, check, row.name, seed, row.length)] = (row, seed)
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                finished(*waiting.pop(future), future.result())
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return 0 unless a published result was missed."""
    parser = argparse.ArgumentParser("python -m optim.mnist", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get(FOLDER, "mnist"),
                        help=f"where MNIST's four files are (${FOLDER}, or else ./mnist)")  # fmt: skip
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=DEFAULT, metavar="NAME",
                        help=f"of {', '.join(NETWORKS)}; all but the last by default")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=5, help="runs of each network (5)")
    parser.add_argument("--epochs", type=int, help="of the sigmoid networks (30)")
    parser.add_argument("--steps", type=int, help="of the convolutional networks (2,000, or 20,000)")
    parser.add_argument("--jobs", type=int, help="processes, of one thread each (one for each core)")
    parser.add_argument("--quick", action="store_true", help="a first look: two seeds, far fewer steps")
    parser.add_argument("--download", action="store_true", help="fetch what is not in the folder (11 MB)")
    parser.add_argument("--no-check", dest="check", action="store_false",
                        help="take other images in such files too")  # fmt: skip
    options = vars(parser.parse_args(arguments))
    folder, names = options.pop("folder"), options.pop("networks")
    try:
        if options.pop("download"):
            nn.data.mnist(folder, download=True)
        rows = measure(folder, names, quiet=False, **options)
    except FileNotFoundError as error:
        parser.exit(2, f"{error}; try --download\n")
    except (OSError, ValueError) as error:
        parser.exit(2, f"{error}\n")
    print(table(rows))
    return int(any(row.verdict.startswith("below") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
