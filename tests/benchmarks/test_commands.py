"""The commands run, on hardly any data; no test looks at a time."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from . import bench, page
from .contest import Contest
from .workloads import (
    COMPILED,
    CONTESTANTS,
    EAGER,
    HIPS,
    JAX,
    MYGRAD,
    NUMPY,
    TORCH,
    TORCH_COMPILE,
    WORKLOADS,
    Step,
    Workload,
    numbers,
)

PEERS = (TORCH, TORCH_COMPILE, JAX, MYGRAD, HIPS)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """PyTorch's threads wait busily for cores that other tests use."""
    with suppress(ImportError):
        import torch

        torch.set_num_threads(1)


@pytest.mark.parametrize("key", WORKLOADS)
def test_each_workload_runs_and_agrees_with_pytorch_if_that_is_installed(key: str) -> None:
    small = WORKLOADS[key]().small
    assert small is not None
    contest = Contest(small(), (COMPILED, TORCH_COMPILE, JAX, MYGRAD, HIPS))
    assert not contest.errors
    assert EAGER in contest.steps, contest.notes


def test_who_differs_is_an_error_and_who_raises_a_note() -> None:
    def missing() -> Step:
        raise ModuleNotFoundError("No module named 'jax'")

    def broken() -> None:
        raise RuntimeError("no luck\nat all")

    workload = Workload("one", {EAGER: lambda: lambda: 1.0, NUMPY: lambda: lambda: 1.1, JAX: missing,
                                MYGRAD: lambda: broken})  # fmt: skip
    contest = Contest(workload)
    assert list(contest.steps) == [NUMPY]  # the oracle, as PyTorch and JAX are missing
    assert "differs from NumPy by 9.1e-02" in contest.errors[EAGER]
    assert contest.notes == {JAX: "not installed (No module named 'jax')", MYGRAD: "RuntimeError: no luck"}


def test_results_are_flattened() -> None:
    assert numbers({"b": [2.0], "a": (1, [3.0])}).tolist() == [1, 3, 2]


def test_rows_are_selected_by_name_group_and_beginning() -> None:
    assert bench.selected(["mlp"]) == ["mlp", "mlp-128", "mlp-adam"]
    assert bench.selected(["adam", "mlp-128"]) == ["mlp-128", "mlp-adam"]
    assert bench.selected([]) == list(WORKLOADS)
    with pytest.raises(SystemExit, match="no row 'mpl'"):
        bench.selected(["mpl"])


def test_the_table_its_json_and_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, readme = tmp_path / "bench.json", tmp_path / "README.md"
    bench.main(["mlp-128", "--small", "--minutes", "0.01", "--rounds", "2", "--json", str(file),
                "--without", "memory", *PEERS])  # fmt: skip
    title = WORKLOADS["mlp-128"]().title
    assert title in capsys.readouterr().out
    [row] = json.loads(file.read_text())["rows"]
    assert not row["errors"]
    assert row["seconds"].keys() <= set(CONTESTANTS)
    readme.write_text("before\n" + "\nold\n".join(page.MARKS) + "\nafter\n")
    page.main([str(file), "--page", str(readme)])
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert title in text
    assert "old" not in text
