"""How results are printed: a row for each workload, a column for each library."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .measure import THREADS, Race, absent

COLUMNS = ("ours", "NumPy", "PyTorch", "JAX", "autograd", "MyGrad", "micrograd")
PACKAGES = ("numpy", "torch", "jax", "autograd", "mygrad", "micrograd")


@dataclass
class Target:
    """What is to be reached: a measured number, its limit, and what they are."""

    value: float
    limit: float
    text: str  # "{} x PyTorch"
    least: bool = False  # the limit is the least, not the most

    def __str__(self) -> str:
        reached = self.value >= self.limit if self.least else self.value <= self.limit
        bound = ">=" if self.least else "<="
        text = self.text.format(f"{self.value:.2f}")
        return f"{'yes' if reached else 'NO '}  {text} ({bound} {self.limit:g})"


@dataclass
class Row:
    """One line: the name of a workload, its unit, a number for each library, its targets."""

    name: str
    unit: str
    values: dict[str, float]
    targets: list[Target] = field(default_factory=list)
    threads: int = 0  # PyTorch's
    noisy: bool = False

    @classmethod
    def of(cls, name: str, race: Race, unit: str = "us", ours: str = "ours", **known: Any) -> Row:
        """Make a row of a race, in which ``ours`` is the contender that is ours."""
        scale = {"us": 1e6, "ms": 1e3, "s": 1.0}[unit]
        values = {c: race.median(c) * scale for c in COLUMNS if c in race.times}
        values["ours"] = race.median(ours) * scale
        noisy = race.spread(ours) > 0.2
        return cls(name, unit, values, threads=race.threads, noisy=noisy, **known)

    def lines(self) -> Iterable[str]:
        cells = [number(self.values.get(column)) for column in COLUMNS]
        if self.threads and "PyTorch" in self.values:
            cells[2] += f"/{self.threads}"
        targets = [str(t) for t in self.targets] or [""]
        unit = self.unit + "~" * self.noisy
        yield f"{self.name:<44}{unit:<5}{''.join(f'{c:>10}' for c in cells)}  {targets[0]}".rstrip()
        for target in targets[1:]:
            yield " " * (49 + 10 * len(COLUMNS)) + "  " + target


def number(x: float | None) -> str:
    """Return three digits."""
    if x is None:
        return "-"
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:,.0f}"


def header() -> Iterable[str]:
    """Yield what was measured with, and the names of the columns."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index]
    yield f"Python {platform.python_version()}, {', '.join(map(known_version, PACKAGES))}"
    yield f"{blas['name']} {blas['version']}, {os.cpu_count()} cores, {load()}"
    yield ""
    columns = "".join(f"{c + '/t' * (c == 'PyTorch'):>10}" for c in COLUMNS)
    yield f"{'':<49}{columns}  reached?"


def footer() -> Iterable[str]:
    """Yield what the signs in the table mean, and who was absent."""
    yield ""
    yield f"PyTorch/t: at the better of {' and '.join(map(str, THREADS))} threads."
    yield "~ after a unit: rounds differed by more than a fifth. - : not measured."
    for name, why in absent.items():
        yield f"{name} is absent: {why}"
    yield f"At the end: {load()}"


def known_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def load() -> str:
    return f"load of the last minute {os.getloadavg()[0]:.1f}"
