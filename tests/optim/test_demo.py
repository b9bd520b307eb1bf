"""The main job: a network that learns real digits, over ten seeds, and what it leaves behind."""

from __future__ import annotations

import builtins
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import nn
from optim import demo


def test_held_out_accuracy_over_ten_seeds(capsys: Any) -> None:
    accuracies = [demo.train(seed)[2] for seed in range(10)]
    with capsys.disabled():
        print("\nheld-out accuracy by seed:", ", ".join(f"{a:.1%}" for a in accuracies))
    assert np.median(accuracies) >= 0.97
    assert min(accuracies) >= 0.95


def test_a_seed_gives_the_same_network() -> None:
    assert demo.train(3, epochs=2)[1].steps == demo.train(3, epochs=2)[1].steps


def test_it_tells_what_it_did_and_leaves_pictures(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install 'autograd-core[plot]'")
    demo.main(tmp_path)
    out = capsys.readouterr().out
    assert "4,810 parameters in 4 arrays" in out
    assert "held-out accuracy 9" in out
    assert float(out.split("worst relative error ")[1].split()[0]) < 1e-5
    for name in ("graph.svg", "learning_curve.png"):
        assert str(tmp_path / name) in out
        assert (tmp_path / name).stat().st_size > 1000
    assert "<svg" in (tmp_path / "graph.svg").read_text()


def test_without_matplotlib_it_says_so(tmp_path: Path, monkeypatch: Any) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args)

    nn.plots.canvas._picture.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"pip install 'autograd-core\[plot\]'"):
        demo.main(tmp_path, epochs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["graph.svg"]


def test_its_code_is_the_first_example_of_the_readme() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    example = readme.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    source = Path(demo.__file__).read_text(encoding="utf-8")
    body = source.split('"""\n\n', 1)[1].split("\n\nif __name__")[0]
    assert textwrap.dedent(example).strip() == body.strip()
