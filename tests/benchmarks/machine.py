"""What was measured with: the machine, the versions, the moment; and the geometric mean of ratios."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from math import exp, log
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from .table import known_version

PACKAGES = ("numpy", "numba", "torch", "jax", "mygrad", "autograd")


def facts() -> dict[str, Any]:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "when": datetime.now().astimezone().isoformat(timespec="minutes"), "processor": processor(),
        "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(), "versions": [known_version(name) for name in PACKAGES],
        "blas": f"{blas['name']} {blas['version']}", "load_before": os.getloadavg()[0],
    }  # fmt: skip


def processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def geometric_mean(values: Iterable[float]) -> float:
    """
    >>> geometric_mean([1.0, 4.0])
    2.0
    """
    return exp(fmean(map(log, values)))
