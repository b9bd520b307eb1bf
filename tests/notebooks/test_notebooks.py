"""The notebooks run from top to bottom, show pictures, and are stored without what they show."""

from __future__ import annotations

import json
import os
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECONDS = 30  # for all of a notebook


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS[0].name == "01-graphs.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert text == json.dumps(document, indent=1, ensure_ascii=False) + "\n", "one form, small changes"
    for cell in document["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    assert set(document["metadata"]) == {"kernelspec", "language_info"}


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.name)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run a notebook in a kernel of its own, in an empty folder."""
    reason = "the extra 'notebook' is not installed"
    nbformat = pytest.importorskip("nbformat", reason=reason)
    nbclient = pytest.importorskip("nbclient", reason=reason)
    pytest.importorskip("ipykernel", reason=reason)
    notebook = nbformat.read(request.param, as_version=4)
    nbformat.validate(notebook)
    folder = tmp_path_factory.mktemp("notebook")
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(folder / ".ipython")}
    client = nbclient.NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    start = time.perf_counter()
    client.execute(env=environment)
    notebook.metadata["name"] = request.param.name
    notebook.metadata["seconds"] = time.perf_counter() - start
    return notebook


def bundles(notebook: Any) -> list[Any]:
    return [output["data"] for cell in notebook.cells if cell.cell_type == "code"
            for output in cell.outputs if "data" in output]  # fmt: skip


def test_it_runs_quickly_and_without_complaints(executed: Any) -> None:
    outputs = [o for cell in executed.cells if cell.cell_type == "code" for o in cell.outputs]
    assert [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"] == []
    assert executed.metadata["seconds"] < SECONDS


def test_it_shows_pictures(executed: Any) -> None:
    shown = bundles(executed)
    pictures = [b for b in shown if "image/svg+xml" in b]
    assert len(pictures) + sum("image/png" in b for b in shown) >= 6
    for bundle in pictures:
        assert {"text/html", "text/plain"} <= set(bundle)
        assert ET.fromstring(bundle["image/svg+xml"]).tag == "{http://www.w3.org/2000/svg}svg"
    if executed.metadata["name"] != "01-graphs.ipynb":
        return
    steppers = [b for b in shown if "text/html" in b and "ArrowRight" in b["text/html"]]
    assert steppers, "the stepper is a page that knows the arrow keys"


def test_every_cell_that_draws_shows_something(executed: Any) -> None:
    for cell in executed.cells:
        if cell.cell_type == "code" and cell.source.splitlines()[-1].startswith(("ag.draw(", "nn.plots.")):
            assert any("data" in output for output in cell.outputs), cell.source
