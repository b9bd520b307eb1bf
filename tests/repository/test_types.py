"""What a type checker sees of an editable install: right code passes, planted errors are found."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / ".mypy_cache" / "examples"

RIGHT = """\
import autograd_core as ag
import nn
import numpy as np
import optim

model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
optimizer = optim.SGD(model.parameters(), lr=0.1)
x = ag.tensor(np.ones((5, 3), np.float32))
loss = (model(x) ** 2).mean()
loss.backward()
optimizer.step()
value: float = float(loss.item())
same = ag.nn.Linear(3, 4)
"""
WRONG = {  # a line -> what is said of it
    'nn.Linear("three", 2)': "arg-type",
    'ag.nn.Linear("three", 2)': "arg-type",
    'optim.SGD(model.parameters(), lr="fast")': "arg-type",
    "loss.backwards()": "attr-defined",
    "ag.tensors([1.0])": "attr-defined",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says, in a folder of its own, of RIGHT followed by the lines of WRONG."""
    if not importlib.util.find_spec("mypy"):
        pytest.skip("mypy is not installed: pip install 'autograd-core[test]'")
    try:
        origin = json.loads(distribution("autograd-core").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    if not origin.get("dir_info", {}).get("editable"):
        pytest.skip("autograd-core is not an editable install: pip install -e .")
    folder = tmp_path_factory.mktemp("user")
    (folder / "example.py").write_text(RIGHT + "".join(line + "\n" for line in WRONG))
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(CACHE), "example.py"],
        cwd=folder, env=clean, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def said_of(line: int, report: str) -> str:
    return "\n".join(text for text in report.splitlines() if text.startswith(f"example.py:{line}:"))


def test_right_code_passes(report: str) -> None:
    lines = range(1, RIGHT.count("\n") + 1)
    assert not "".join(said_of(line, report) for line in lines), report


@pytest.mark.parametrize("planted", WRONG)
def test_a_planted_error_is_found(planted: str, report: str) -> None:
    line = RIGHT.count("\n") + 1 + list(WRONG).index(planted)
    assert said_of(line, report).endswith(f"[{WRONG[planted]}]"), report
