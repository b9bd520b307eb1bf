"""How much memory training takes: growth of the resident set over what the imports left.

Each measurement is a process of its own: import the library, make the data, reset the high-water
mark of resident memory (Linux; elsewhere the mark since the start serves), train some steps, read
the mark. The difference is parameters, gradients, the optimizer's state, the arrays alive at the
worst moment of a step, and what allocators and BLAS keep. Before the baseline a tiny network makes
one step with the same optimizer, so that modules imported on first use (PyTorch's compiler, with
its first optimizer) count as imported. Both libraries get the same number of threads, each of
which has buffers of its own.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .measure import THREADS, absent
from .table import Row, Target

# sizes, batch, steps, processes: small parameters, large ones, large activations
CASES = (
    ((784, 512, 256, 10), 128, 30, 3),
    ((784, 2048, 2048, 10), 512, 5, 1),
    ((100, 256, 256, 256, 10), 8192, 5, 1),
)
LIBRARIES = {"ours": "autograd_core", "PyTorch": "torch"}


def reset_peak() -> float:
    """Set the high-water mark to what is resident now, and return it, in MiB.

    What a compiler has freed and the allocator keeps would otherwise serve the training unseen.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc's
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> float:
    """Return the high-water mark of resident memory, in MiB."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def train_ours(sizes: Any, method: str, x: Any, y: Any, steps: int) -> None:
    from autograd_core import nn, optim

    model = nn.MLP(sizes, activation="relu")
    optimizer = getattr(optim, method)(model.parameters(), lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


def train_torch(sizes: Any, method: str, x: Any, y: Any, steps: int) -> None:
    import torch
    from torch import nn

    layers: list[Any] = []
    for m, n in pairwise(sizes):
        layers += [nn.Linear(m, n), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = getattr(torch.optim, method)(model.parameters(), lr=1e-3)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


def growth(library: str, sizes: tuple[int, ...], batch: int, method: str, steps: int) -> float:
    """Return by how much resident memory grew at most, in MiB; to be called in a new process."""
    train = train_ours if library == "ours" else train_torch
    rng = np.random.default_rng(0)
    train((4, 4, 3), method, np.ones((2, 4), np.float32), np.zeros(2, np.int64), 1)
    x, y = rng.random((batch, sizes[0]), dtype=np.float32), rng.integers(sizes[-1], size=batch)
    before = reset_peak()
    train(sizes, method, x, y, steps)
    return peak() - before


def measured(*case: Any) -> float:
    """Return what :func:`growth` says in a new process."""
    code = f"from tests.benchmarks.memory import growth; print(growth(*{case!r}))"
    n = str(THREADS[-1])
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n)
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True,
                          text=True)  # fmt: skip
    return float(done.stdout)


def rows() -> Iterator[Row]:
    for sizes, batch, steps, processes in CASES:
        for method in ("SGD", "Adam"):
            values = {}
            for library in LIBRARIES:
                if library not in absent and available(library):
                    runs = [measured(library, sizes, batch, method, steps)
                            for _ in range(processes)]  # fmt: skip
                    values[library] = median(runs)
            targets = []
            if "PyTorch" in values:
                ratio = values["ours"] / values["PyTorch"]
                targets.append(Target(ratio, 1.1, "{} x PyTorch"))
            name = f"memory, {'-'.join(map(str, sizes))}, batch {batch}, {method}"
            yield Row(name, "MiB", values, targets)


def available(library: str) -> bool:
    try:
        __import__(LIBRARIES[library])
    except ImportError as error:
        absent[library] = str(error)
    return library not in absent
