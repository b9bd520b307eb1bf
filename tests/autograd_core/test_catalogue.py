"""``python -m autograd_core.ops`` tells of every operation, and of every function of NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_core.ops.__main__ import WHY, main

from .table import ROWS


def test_every_operation_and_every_function_of_numpy_is_in_the_catalogue(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main()
    text = capsys.readouterr().out
    words = set(text.replace(",", " ").split())
    assert {str(row) for row in ROWS if row.op.__module__.startswith("autograd_core")} <= words
    functions = {n for n in np.__all__ if callable(getattr(np, n)) and not isinstance(getattr(np, n), type)}
    assert functions <= words
    assert {f"linalg.{n}" for n in np.linalg.__all__ if n.islower()} <= words
    assert "tanh                    1 yes     yes" in text


def test_no_function_has_two_reasons() -> None:
    names = [name for text in WHY.values() for name in text.split()]
    assert len(set(names)) == len(names)
