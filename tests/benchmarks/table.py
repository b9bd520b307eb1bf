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
NAME, CELL = 46, 10  # widths
SCALES = {"us": 1e6, "ms": 1e3, "s": 1.0}


@dataclass
class Target:
    """What is to be reached: a measured number, its limit, and what they are."""

    value: float
    limit: float
    text: str  # "{} x PyTorch"
    least: bool = False  # the limit is the least, not the most

    def __str__(self) -> str:
        reached = self.value >= self.limit if self.least else self.value <= self.limit
        bound = "at least" if self.least else "at most"
        text = self.text.format(f"{self.value:.2f}")
        return f"{'yes' if reached else 'NO '}  {text} ({bound} {self.limit:g})"


@dataclass
class Row:
    """One line: the name of a workload, its unit, a number for each library, its targets."""

    name: str
    unit: str
    values: dict[str, float]
    targets: list[Target] = field(default_factory=list)
    threads: int | None = None  # PyTorch's
    noisy: bool = False

    @classmethod
    def of(cls, name: str, race: Race, unit: str = "us", ours: str = "ours", **known: Any) -> Row:
        """Make a row of a race, in which ``ours`` is the contender that is ours."""
        values = {c: race.median(c) * SCALES[unit] for c in COLUMNS if c in race.times}
        values["ours"] = race.median(ours) * SCALES[unit]
        threads = race.threads if "PyTorch" in values else None
        return cls(name, unit, values, threads=threads, noisy=race.spread(ours) > 0.2, **known)

    def lines(self) -> Iterable[str]:
        cells = {c: number(self.values.get(c)) for c in COLUMNS}
        if self.threads:
            cells["PyTorch"] += f"/{self.threads}"
        unit = self.unit + "~" * self.noisy
        first, *more = [str(target) for target in self.targets] or [""]
        row = "".join(f"{cell:>{CELL}}" for cell in cells.values())
        yield f"{self.name:<{NAME}}{unit:<3}{row}  {first}".rstrip()
        for target in more:
            yield " " * (NAME + 3 + CELL * len(COLUMNS)) + "  " + target


def number(x: float | None) -> str:
    """Write three digits."""
    if x is None:
        return "-"
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:,.0f}"


def header() -> Iterable[str]:
    """Yield what was measured with, and the names of the columns."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    yield f"Python {platform.python_version()}, {', '.join(map(known_version, PACKAGES))}"
    yield f"{blas['name']} {blas['version']}, {platform.machine()}, {os.cpu_count()} cores, {load()}"
    yield ""
    titles = [f"{c}/t" if c == "PyTorch" else c for c in COLUMNS]
    yield " " * (NAME + 3) + "".join(f"{title:>{CELL}}" for title in titles) + "  reached?"


def footer() -> Iterable[str]:
    """Yield what the signs in the table mean, and who was absent."""
    yield ""
    yield f"PyTorch/t: at t threads, the better of {' and '.join(map(str, THREADS))}."
    yield "~ after a unit: the rounds' quartiles are more than a fifth apart. - : not measured."
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
