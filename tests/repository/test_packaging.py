"""What an installation promises: its packages, its extras, and three names without confusion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ag
import nn
import optim

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter whose current folder is ``folder``."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip


def test_packages_are_typed() -> None:
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["autograd_core", "nn", "optim"] == PYPROJECT["tool"]["mypy"]["packages"]
    for package in packages:
        assert (ROOT / package / "__init__.py").is_file()
        assert (ROOT / package / "py.typed").is_file()


def test_little_is_required() -> None:
    assert {re.match(r"\w+", text)[0] for text in PROJECT["dependencies"]} == {
        "numpy", "graphviz", "safetensors", "tqdm"
    }  # fmt: skip


def test_extras() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {"scipy", "plot", "fast", "notebook", "browser", "test", "oracle", "all"}
    assert extras["all"] == ["autograd-core[scipy,plot,fast,notebook]"]
    assert "torch==2.13.0" in extras["oracle"]


def test_the_changelog_knows_this_version() -> None:
    assert f"\n## [{ag.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_digits_are_the_ones_credited() -> None:
    data = ROOT / "nn" / "data"
    with np.load(data / "digits.npz") as digits:
        images, labels = digits["images"], digits["labels"]
    assert images.shape == (1797, 8, 8)
    assert images.dtype == labels.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    credit = (data / "DIGITS.md").read_text()
    assert all(words in credit for words in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"))


def test_the_packages_are_attributes_of_the_core() -> None:
    assert ag.nn is nn
    assert ag.optim is optim


@pytest.mark.parametrize("name", ["nn", "optim"])
@pytest.mark.parametrize(
    "spelling", ["import autograd_core as ag; ag.{}", "from autograd_core import {}"]
)
@pytest.mark.parametrize("first", ["", "import {}; "])
def test_a_users_file_of_the_same_name(
    name: str, spelling: str, first: str, tmp_path: Path
) -> None:
    theirs = tmp_path / f"{name}.py"
    theirs.write_text("answer = 42\n")
    done = python((first + spelling).format(name, name), tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert str(theirs) in last
    assert str(ROOT / name / "__init__.py") in last


def test_importing_the_core_loads_nothing_that_was_not_asked_for(tmp_path: Path) -> None:
    heavy = {"nn", "optim", "graphviz", "safetensors", "tqdm", "scipy", "matplotlib", "numba"}
    done = python("import sys, autograd_core; print(*sys.modules)", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "autograd_core" in done.stdout.split()
    assert not heavy & set(done.stdout.split())
