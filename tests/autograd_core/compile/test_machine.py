"""Machine code of generated loops on disk: the next process finds it, and nothing needs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core.compile.machine import made

pytest.importorskip("numba", reason="numba is not installed: there are no loops")

PROGRAM = """
import numpy as np
import autograd_core as ag

x = np.linspace(-1, 1, 70_000)
hits = misses = 0
for factor in {factors}:
    step = ag.compile(lambda x: np.tanh(x * factor) - x)
    for _ in range(4):
        y = step(x)
    assert (y == np.tanh(x * factor) - x).all()
    (group,) = step.plan.units
    share = group.steps[0].share
    hits += sum(share.stats.cache_hits.values())
    misses += sum(share.stats.cache_misses.values())
print(hits, misses)
"""


def run(place: Any, *factors: float) -> str:
    """Return how often a process found machine code, and how often not."""
    command = [sys.executable, "-c", PROGRAM.format(factors=factors or (3.0,))]
    env = {"AUTOGRAD_CORE_CACHE": str(place)}
    return subprocess.check_output(command, text=True, env=os.environ | env).strip()


def test_the_next_process_finds_it(tmp_path: Path) -> None:
    place = tmp_path / "new"
    assert run(place) == "0 1"
    before = sorted(place.iterdir())
    assert run(place) == "1 0"
    assert sorted(place.iterdir()) == before
    assert run(place, 2.0) == "0 1"  # a constant is another text
    assert len(list(place.glob("*.py"))) == 2
    assert not list(place.glob("*.new"))


def test_loops_of_several_processes_are_not_confused(tmp_path: Path) -> None:
    for factor in (1.0, 2.0, 3.0):
        assert run(tmp_path, factor) == "0 1"
    assert run(tmp_path, 3.0, 1.0, 2.0) == "3 0"


def test_none_is_kept_where_none_is_wanted() -> None:
    assert run("", 5.0) == "0 1"
    assert run("", 5.0) == "0 1"


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "folder") == "0 1"


def test_the_last_function_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", "")
    source = "def one(x): return x + k\ndef two(x): return 2 * one(x)\n"
    fun = made(source, {"k": np.float32(3)}, ("one", "two"))
    assert fun(1.0) == 8
    assert made(source, {"k": np.float32(3)}, ("one", "two")) is fun
