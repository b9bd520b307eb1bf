"""Optimizers of every kind, each with all that it can remember, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograd_core import optim

__all__ = ["ELEMENTWISE", "KINDS", "each", "each_elementwise"]

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "SGD": lambda params, **k: optim.SGD(params, **{"lr": 0.1} | k),
    "decay": lambda params, **k: optim.SGD(params, **{"lr": 0.1, "weight_decay": 0.01} | k),
    "momentum": lambda params, **k: optim.SGD(params, **{"lr": 0.1, "momentum": 0.9, "dampening": 0.1} | k),
    "Nesterov": lambda params, **k: optim.SGD(
        params, **{"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01} | k),
    "Adam": lambda params, **k: optim.Adam(params, **{"lr": 0.1} | k),
    "amsgrad": lambda params, **k: optim.Adam(
        params, **{"lr": 0.1, "amsgrad": True, "weight_decay": 0.01} | k),
    "AdamW": lambda params, **k: optim.AdamW(params, **{"lr": 0.1} | k),
    "Adagrad": lambda params, **k: optim.Adagrad(params, **{"lr": 0.5, "lr_decay": 0.01} | k),
    "Adadelta": lambda params, **k: optim.Adadelta(params, **{"lr": 20.0, "weight_decay": 0.01} | k),
    "RMSprop": lambda params, **k: optim.RMSprop(params, **{"lr": 0.02} | k),
    "RMSprop-momentum": lambda params, **k: optim.RMSprop(params, **{"lr": 0.02, "momentum": 0.5} | k),
    "RMSprop-centred": lambda params, **k: optim.RMSprop(
        params, **{"lr": 0.02, "centered": True, "weight_decay": 0.01} | k),
    "RMSprop-both": lambda params, **k: optim.RMSprop(
        params, **{"lr": 0.02, "centered": True, "momentum": 0.5} | k),
    "Rprop": lambda params, **k: optim.Rprop(params, **{"lr": 0.02} | k),
    "Adamax": lambda params, **k: optim.Adamax(params, **{"lr": 0.1, "weight_decay": 0.01} | k),
    "NAdam": lambda params, **k: optim.NAdam(params, **{"lr": 0.1, "weight_decay": 0.01} | k),
    "NAdamW": lambda params, **k: optim.NAdam(
        params, **{"lr": 0.1, "weight_decay": 0.01, "decoupled_weight_decay": True} | k),
    "RAdam": lambda params, **k: optim.RAdam(params, **{"lr": 0.1, "weight_decay": 0.01} | k),
    "Lion": lambda params, **k: optim.Lion(params, **{"lr": 0.03, "weight_decay": 0.01} | k),
    "ASGD": lambda params, **k: optim.ASGD(params, **{"lr": 0.1, "t0": 3, "weight_decay": 0.01} | k),
}  # fmt: skip

KINDS = ELEMENTWISE | {
    "Adafactor": lambda params, **k: optim.Adafactor(params, **{"lr": 0.1, "weight_decay": 0.01} | k),
}

each = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
each_elementwise = pytest.mark.parametrize("make", ELEMENTWISE.values(), ids=ELEMENTWISE)
