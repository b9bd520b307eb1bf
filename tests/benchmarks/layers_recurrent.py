"""Recurrent layers in the ways that people use them: deep, both ways, long, of unequal lengths, cell by cell.

A plain layer's whole training step, and its memory, stand in networks.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .layers import Step, both, row
from .table import Row

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
    Use("LSTM 50x32x128, 2 layers, both ways", "LSTM", options={"num_layers": 2, "bidirectional": True}),
    Use("LSTM 50x32x128, projected to 64", "LSTM", options={"proj_size": 64}),
    Use("LSTM of packed lengths 1 to 50", "LSTM", packed=True),
    Use("GRU 1000x4x128", "GRU", (1000, 4, 128)),
    Use("20 steps of LSTMCell, batch 32", "LSTMCell", (20, 32, 128)),
]
LENGTHS = np.sort(rng.integers(1, 51, size=32))[::-1].copy()
LENGTHS[0] = 50


def step(use: Use) -> Callable[..., Step]:
    """Return forward and backward of the mean square of the outputs."""
    from autograd_core import nn as own

    own.manual_seed(0)
    state = getattr(own, use.layer)(128, 128, **use.options).state_dict()
    values = rng.standard_normal(use.shape, np.float32)

    def make(nn: Any, leaf: Any, data: Any) -> Step:
        model, x = getattr(nn, use.layer)(128, 128, **use.options), data(values)
        model.load_state_dict({name: data(v) for name, v in state.items()})

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
            return next(iter(model.parameters())).grad

        return run

    return make


def rows() -> Iterator[Row]:
    warnings.filterwarnings("ignore", "LSTM with projections")  # PyTorch's: that it is slow
    for use in USES:
        yield row(use.name, both(step(use)), 1.2)
