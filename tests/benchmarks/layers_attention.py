"""Attention, transformers and tables beside PyTorch's: forward and backward, and memory.

A transformer layer's whole training step stands in networks.py; here it is with dropout, beside attention by
itself, at other lengths and with masks, the lookup of vectors, and resident memory in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .measure import THREADS, Race, build
from .memory import peak, reset_peak
from .table import Row, Target

__all__ = ["rows"]

rng = np.random.default_rng(0)
SIZES, BATCH, LENGTH = (128, 8, 512), 16, 64  # of the layer: vectors, heads, hidden units


def state_of(sizes: tuple[int, int, int]) -> dict[str, Any]:
    """Draw values for the parameters of a layer."""
    from autograd_core import nn

    own, shapes = np.random.default_rng(1), nn.TransformerEncoderLayer(*sizes).state_dict()
    return {k: (own.standard_normal(v.shape) * 0.05).astype(np.float32) for k, v in shapes.items()}


def step(
    nn: Any, optim: Any, dropout: float, sizes: tuple[int, int, int], tensor: Any = None
) -> Callable[[], Any]:
    """Return a training step of a transformer layer, with Adam on the mean squared error."""
    state, own = state_of(sizes), np.random.default_rng(2)
    model = nn.TransformerEncoderLayer(*sizes, dropout=dropout, batch_first=True)
    model.load_state_dict({k: tensor(v) for k, v in state.items()} if tensor else state)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    x, t = own.standard_normal((2, BATCH, LENGTH, sizes[0])).astype(np.float32)
    if tensor:
        x, t = tensor(x), tensor(t)

    def run() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    return run


def ours(dropout: float = 0.0, sizes: tuple[int, int, int] = SIZES) -> Callable[[], Any]:
    from autograd_core import nn, optim

    return step(nn, optim, dropout, sizes)


def theirs(dropout: float = 0.0, sizes: tuple[int, int, int] = SIZES) -> Callable[[], Any]:
    import torch

    return step(torch.nn, torch.optim, dropout, sizes, torch.tensor)


def attend(shape: tuple[int, ...], **how: Any) -> dict[str, Callable[[], Any]]:
    """Return who computes attention by itself, forward and backward."""
    q, k, v, g = (rng.standard_normal(shape).astype(np.float32) for _ in range(4))

    def run(F: Any, inputs: Any, g: Any, **how: Any) -> Callable[[], Any]:
        def call() -> None:
            for x in inputs:
                x.grad = None
            F.scaled_dot_product_attention(*inputs, **how).backward(g)

        return call

    def ours() -> Any:
        import autograd_core as ag
        from autograd_core import nn

        return run(nn.functional, [ag.tensor(x, requires_grad=True) for x in (q, k, v)], g, **how)

    def theirs() -> Any:
        import torch

        given = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in how.items()}
        inputs = [torch.tensor(x, requires_grad=True) for x in (q, k, v)]
        return run(torch.nn.functional, inputs, torch.tensor(g), **given)

    return {"ours": ours, "PyTorch": theirs}


def lookup() -> dict[str, Callable[[], Any]]:
    """Return who looks up 32 x 50 vectors of a table of 10,000, forward and backward."""
    table = rng.standard_normal((10000, 128)).astype(np.float32)
    index, g = rng.integers(10000, size=(32, 50)), rng.standard_normal((32, 50, 128)).astype(np.float32)

    def ours() -> Any:
        from autograd_core import nn

        model = nn.Embedding(10000, 128, _weight=table)

        def call() -> None:
            model.zero_grad()
            model(index).backward(g)

        return call

    def theirs() -> Any:
        import torch

        model = torch.nn.Embedding(10000, 128, _weight=torch.tensor(table))
        places, gradient = torch.tensor(index), torch.tensor(g)

        def call() -> None:
            model.zero_grad()
            model(places).backward(gradient)

        return call

    return {"ours": ours, "PyTorch": theirs}


def growth(library: str, steps: int = 10) -> float:
    """Return by how much resident memory grew in some steps, in MiB; to be called in a new process."""
    make = ours if library == "ours" else theirs
    make(sizes=(4, 2, 3))()  # what is imported and compiled on first use
    before = reset_peak()
    run = make()
    for _ in range(steps):
        run()
    return peak() - before


def memory(library: str) -> float:
    code = f"from tests.benchmarks.layers_attention import growth; print(growth({library!r}))"
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(THREADS[-1]))
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True,
                          text=True)  # fmt: skip
    return float(done.stdout)


def rows() -> Iterator[Row]:
    def target(race: Race, limit: float) -> list[Target]:
        if "PyTorch" not in race.times:
            return []
        return [Target(race.ratio("ours", "PyTorch"), limit, "{} x PyTorch")]

    for dropout in (0.0, 0.1):
        race = Race(build({"ours": partial(ours, dropout), "PyTorch": partial(theirs, dropout)}), 6)
        name = f"transformer layer 16x64x128, dropout {dropout}, Adam"
        yield Row.of(name, race, "ms", targets=target(race, 1.2))
    square = np.tri(256, dtype=bool)
    for name, who in {
        "attention 16x8x64x16": attend((16, 8, 64, 16)),
        "attention 2x8x256x64": attend((2, 8, 256, 64)),
        "attention 2x8x256x64, causal": attend((2, 8, 256, 64), is_causal=True),
        "attention 2x8x256x64, mask": attend((2, 8, 256, 64), attn_mask=square),
        "attention 1x8x1024x64": attend((1, 8, 1024, 64)),
        "Embedding 10,000x128, 32x50 indices": lookup(),
    }.items():
        race = Race(build(who), 2)
        yield Row.of(name, race, "ms", targets=target(race, 1.2) if "Embedding" in name else [])
    values = {library: memory(library) for library in ("ours", "PyTorch")}
    yield Row("memory, transformer layer 16x64x128, Adam", "MiB", values,
              [Target(values["ours"] / values["PyTorch"], 1.2, "{} x PyTorch")])  # fmt: skip
