"""Rows: dropout of elements and of channels, and noise.

In training they are random, so test_dropout.py counts.
"""

from __future__ import annotations

import numpy as np

from autograd_core import nn

from .cases import Case

SHAPES = {
    "Dropout": [(3, 4), (2,), (2, 0)],
    "Dropout1d": [(2, 3, 2), (3, 2)],
    "Dropout2d": [(2, 3, 2, 1)],
    "Dropout3d": [(2, 3, 2, 1, 2), (3, 1, 2, 2)],
    "AlphaDropout": [(3, 4), (2, 3, 2)],
    "FeatureAlphaDropout": [(2, 3, 2), (2, 3, 2, 2)],
}


def drop_connect() -> nn.Module:
    return nn.DropConnect(nn.Linear(3, 2), 0.3)


def drop_connect_of_a_layer() -> nn.Module:
    return nn.DropConnect(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)), 0.75, names=["1.weight"])


def drop_connect_biases() -> nn.Module:
    return nn.DropConnect(nn.Sequential(nn.Linear(3, 2), nn.Tanh()), 0.3, names=["0.weight", "0.bias"])


def weight_noise() -> nn.Module:
    return nn.WeightNoise(nn.Linear(3, 2))


def weight_noise_of_a_network() -> nn.Module:
    return nn.WeightNoise(nn.MLP([3, 2, 2]), 0.5, names=["0.weight"])


def weight_noise_of_biases() -> nn.Module:
    return nn.WeightNoise(nn.MLP([3, 2]), 0.25, names=["0.bias"])


def labels(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 3, (4,))


OURS = {"torch": None, "why": "PyTorch has no such layer"}

CASES = [
    *[Case(layer, (), (shape,), train=False) for layer, shapes in SHAPES.items() for shape in shapes],
    *[Case(layer, (), (shapes[0],), given, train=False) for layer, shapes in SHAPES.items()
      for given in [{"p": 0.3}, {"p": 0.75}, {"inplace": True}]],
    Case("Dropout2d", (), ((2, 3, 2),), torch=None, why="PyTorch warns that it may read this otherwise"),
    # where nothing is random: everything is kept, or nothing
    *[Case(layer, (p,), (shape,))
      for layer, shapes in SHAPES.items() for shape in shapes[:1] for p in (0.0, 1.0)],
    *[Case("GaussianNoise", args, ((2, 3),), **OURS) for args in [(), (0.5,), (0.0,)]],
    *[Case("LabelNoise", args, (labels,), order=0, **OURS) for args in [(3,), (3, 0.5), (3, 1.0), (5, 0.25)]],
    *[Case("DropConnect", (), ((4, 3),), make=make, **OURS)
      for make in (drop_connect, drop_connect_biases, drop_connect_of_a_layer)],
    *[Case("WeightNoise", (), ((4, 3),), make=make, **OURS)
      for make in (weight_noise, weight_noise_of_a_network, weight_noise_of_biases)],
]  # fmt: skip
