"""The plugin for a machine that has everything: there a skip fails, and says what was skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("source", "fails"),
    [
        ("import pytest\ndef test(): pytest.skip('no torch')", True),
        ("import pytest\n@pytest.mark.skip(reason='no torch')\ndef test(): pass", True),
        ("import pytest\npytest.skip('no torch', allow_module_level=True)", True),
        ("import pytest\n@pytest.mark.xfail(reason='no torch')\ndef test(): assert 0", False),
        ("def test(): pass", False),
    ],
)
def test_a_skip_fails(source: str, fails: bool, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.repository.noskips"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode != 0) == fails
    assert ("may skip: Skipped: no torch" in done.stdout) == fails
