"""One recorded operation on 10 numbers: what recording costs over the bare NumPy call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd_core as ag

from .measure import Race, build
from .table import Row, Target

X = np.linspace(-1, 1, 10, dtype=np.float32)
W = np.linspace(1, 2, 10, dtype=np.float32)


def with_torch() -> dict[str, Any]:
    import torch

    return {"f": torch, "t": torch.tensor(X, requires_grad=True), "u": torch.tensor(W)}


def with_autograd() -> dict[str, Any]:
    import autograd.numpy
    from autograd.core import VJPNode
    from autograd.tracer import new_box

    return {"f": autograd.numpy, "t": new_box(X, 0, VJPNode.new_root()), "u": W}


def with_mygrad() -> dict[str, Any]:
    import mygrad

    return {"f": mygrad, "t": mygrad.tensor(X), "u": mygrad.tensor(W, constant=True)}


PEERS = {"PyTorch": with_torch, "autograd": with_autograd, "MyGrad": with_mygrad}


def rows() -> Iterator[Row]:
    """One of the two factors of the product requires grad."""
    bare = {"np": np, "x": X, "w": W}
    ours = {"np": np, "ag": ag, "t": ag.tensor(X, requires_grad=True), "u": ag.tensor(W)}
    peers = build(PEERS)
    for name, plain, spellings in (
        ("tanh", "np.tanh(x)", ("ag.tanh(t)", "t.tanh()", "np.tanh(t)")),
        ("product", "np.multiply(x, w)", ("ag.multiply(t, u)", "t * u", "np.multiply(t, u)")),
    ):
        stmt = "f.tanh(t)" if name == "tanh" else "f.multiply(t, u)"
        race = Race({
            "NumPy": (plain, bare),
            **{spelling: (spelling, ours) for spelling in spellings},
            **{peer: (stmt, namespace) for peer, namespace in peers.items()},
        })  # fmt: skip
        for spelling in spellings:
            target = Target(race.over(spelling, "NumPy") * 1e6, 1.2, "{} us over NumPy")
            yield Row.of(
                f"{name} of 10 elements: {spelling}", race, ours=spelling, targets=[target]
            )
