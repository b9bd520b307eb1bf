"""Recurrent layers beside PyTorch's: forward and backward, in the ways that people use them.

Whole training steps stand in networks.py; here are deep, bidirectional, long and unequal sequences, and a
loop of cells.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from .measure import Race, build
from .table import Row, Target

__all__ = ["rows"]

rng = np.random.default_rng(0)


@dataclass
class Use:
    """A layer, the shape of its input, and how it is called."""

    name: str
    layer: str
    shape: tuple[int, ...] = (50, 32, 128)
    options: dict[str, Any] = field(default_factory=dict)
    packed: bool = False


USES = [
    *[Use(f"{layer} 50x32x128", layer) for layer in ("RNN", "LSTM", "GRU")],
    Use("LSTM 50x32x128, 2 layers, both ways", "LSTM", options={"num_layers": 2, "bidirectional": True}),
    Use("LSTM 50x32x128, projected to 64", "LSTM", options={"proj_size": 64}),
    Use("LSTM of packed lengths 1 to 50", "LSTM", packed=True),
    Use("GRU 1000x4x128", "GRU", (1000, 4, 128)),
    Use("20 steps of LSTMCell, batch 32", "LSTMCell", (20, 32, 128)),
]
LENGTHS = np.sort(rng.integers(1, 51, size=32))[::-1].copy()
LENGTHS[0] = 50


def step(use: Use, nn: Any, state: dict[str, Any], x: Any) -> Callable[[], Any]:
    """Return forward and backward of the mean square of the outputs."""
    model = getattr(nn, use.layer)(128, 128, **use.options)
    model.load_state_dict(state)

    def run() -> Any:
        model.zero_grad()
        if use.layer.endswith("Cell"):
            h, loss = None, 0
            for part in x:
                h = model(part, h)
                loss = loss + (h[0] * h[0]).mean()
        elif use.packed:
            y, _ = model(nn.utils.rnn.pack_padded_sequence(x, LENGTHS))
            loss = (y.data * y.data).mean()
        else:
            y, _ = model(x)
            loss = (y * y).mean()
        loss.backward()
        return loss

    return run


def ours(use: Use, state: dict[str, Any], x: Any) -> Callable[[], Any]:
    from autograd_core import nn

    return step(use, nn, state, x)


def with_torch(use: Use, state: dict[str, Any], x: Any) -> Callable[[], Any]:
    import torch

    warnings.filterwarnings("ignore", "LSTM with projections")  # that it is slow
    return step(use, torch.nn, {name: torch.tensor(v) for name, v in state.items()}, torch.tensor(x))


def rows() -> Iterator[Row]:
    from autograd_core import nn

    for use in USES:
        nn.manual_seed(0)
        state = getattr(nn, use.layer)(128, 128, **use.options).state_dict()
        x = rng.standard_normal(use.shape, dtype=np.float32)
        runs = build({"ours": partial(ours, use, state, x), "PyTorch": partial(with_torch, use, state, x)})
        losses = [run().item() for run in runs.values()]
        np.testing.assert_allclose(losses, losses[0], rtol=1e-3, err_msg=use.name)
        race = Race(runs, seconds=3)
        targets = []
        if "PyTorch" in race.times:
            targets.append(Target(race.ratio("ours", "PyTorch"), 1.2, "{} x PyTorch"))
        yield Row.of(use.name, race, "ms", targets=targets)


if __name__ == "__main__":
    for row in rows():
        for line in row.lines():
            print(line, flush=True)
