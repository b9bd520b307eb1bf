"""How long ``import autograd_core`` takes in a fresh interpreter, with its files cached."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from time import perf_counter

from .table import Row, Target

MODULES = {
    "start": "sys", "ours": "autograd_core", "NumPy": "numpy", "PyTorch": "torch", "JAX": "jax",
    "autograd": "autograd", "MyGrad": "mygrad", "micrograd": "micrograd.engine",
}  # fmt: skip
ROUNDS = 5


def seconds(module: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True, stderr=subprocess.PIPE)
    return perf_counter() - start


def rows() -> Iterator[Row]:
    """NumPy's own import is part of ours."""
    times: dict[str, list[float]] = {name: [] for name in MODULES}
    for i in range(ROUNDS + 1):
        for name in list(times):
            try:
                took = seconds(MODULES[name])
            except subprocess.CalledProcessError:
                del times[name]
                continue
            if i:  # the first is cold
                times[name].append(took - (times["start"][-1] if name != "start" else 0))
    values = {name: median(t) for name, t in times.items()}
    start = values.pop("start")
    target = Target(values["ours"], 0.3, "{} s")
    yield Row(f"import, over {start:.3f} s of start", "s", values, [target])
