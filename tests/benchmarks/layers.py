"""Single layers beside PyTorch's, forward and backward: who runs them, and a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .measure import Race, build
from .table import Row, Target

Step = Callable[[], Any]  # forward and backward; returns a gradient


def both(make: Callable[[Any, Any, Any], Step]) -> dict[str, Callable[[], Step]]:
    """Return who runs ``make(nn, leaf, data)``: in either library, ``leaf`` makes what gets a gradient."""

    def ours() -> Step:
        import autograd_core as ag
        from autograd_core import nn

        return make(nn, lambda x: ag.tensor(x, requires_grad=True), lambda x: x)

    def theirs() -> Step:
        import torch

        return make(torch.nn, lambda x: torch.tensor(x, requires_grad=True), torch.tensor)

    return {"ours": ours, "PyTorch": theirs}


def row(
    name: str, builders: Mapping[str, Callable[[], Step]], limit: float | None = None, random: bool = False
) -> Row:
    """Let them race, after a look that their gradients agree; ``limit`` is the target, times PyTorch."""
    runs = build(builders)
    if not random:
        expected = np.asarray(runs["ours"]())
        for who, run in runs.items():
            np.testing.assert_allclose(np.asarray(run()), expected, rtol=1e-3, atol=1e-2, err_msg=who)
    race = Race(runs, seconds=2)
    targets = []
    if limit and "PyTorch" in race.times:
        targets.append(Target(race.ratio("ours", "PyTorch"), limit, "{} x PyTorch"))
    return Row.of(name, race, "ms", targets=targets)
