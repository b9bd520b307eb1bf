"""How much memory a step takes: growth of the resident set over what the imports left.

Each measurement is a process of its own. The same workload on hardly any data goes first, so that what a
first use imports, compiles or starts counts as imported. Then freed memory is given back, the high-water mark
of resident memory is reset (Linux; elsewhere the mark since the start serves), the workload is built and runs
some steps, and the mark is read. The difference is parameters, gradients, the optimizer's state, the arrays
alive at the worst moment of a step, what compiling this size took, and what allocators and BLAS keep. All get
the same number of threads, each of which has buffers of its own.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from .measure import THREADS, absent
from .table import Row, Target
from .workloads import COMPILED, EAGER, JAX, TORCH, WORKLOADS, Workload, perceptrons

STEPS = 8  # ours compiles while the first three run
PATIENCE = 400  # seconds
LARGE: dict[str, Callable[[], Workload]] = {  # beside the rows of the table: parameters, and activations
    "784-2048-2048-10, batch 512": lambda: perceptrons.relu((784, 2048, 2048, 10), 512).workload(),
    "100-256-256-256-10, batch 8,192": lambda: perceptrons.relu((100, 256, 256, 256, 10), 8192).workload(),
}


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


def growth(key: str, contestant: str) -> float:
    """Return by how much resident memory grew at most, in MiB; to be called in a new process."""
    workload = (WORKLOADS | LARGE)[key]()
    if workload.small:
        step = workload.small().builders[contestant]()
        for _ in range(STEPS):
            step()
        del step
    before = reset_peak()
    step = workload.builders[contestant]()
    for _ in range(STEPS):
        step()
    return peak() - before


def measured(key: str, contestant: str) -> float:
    """Return what :func:`growth` says in a new process, or raise what subprocess raises."""
    n = str(THREADS[-1])
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n)
    command = [sys.executable, "-m", "tests.benchmarks.memory", key, contestant]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=PATIENCE)
    return float(done.stdout.split()[-1])


def rows() -> Iterator[Row]:
    for key in LARGE:
        for ours in (EAGER, COMPILED):
            values = {}
            for column, name in (("ours", ours), ("PyTorch", TORCH), ("JAX", JAX)):
                try:
                    values[column] = measured(key, name)
                except subprocess.CalledProcessError as error:
                    absent[f"{name} of {key}"] = error.stderr.strip().splitlines()[-1]
            targets = []
            if "PyTorch" in values and "ours" in values:
                targets.append(Target(values["ours"] / values["PyTorch"], 1.1, "{} x PyTorch"))
            yield Row(f"memory, {key}, {ours}", "MiB", values, targets)


if __name__ == "__main__":
    print(growth(*sys.argv[1:]))
