"""Rows: activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import nn

from .cases import Case


def wide(rng: np.random.Generator) -> Any:
    """Return numbers on both sides of every kink, each 0.05 or more from it."""
    kinks = np.array([-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0])
    x = rng.uniform(-3.6, 6.6, 400)
    return x[(abs(x[:, None] - kinks) > 0.05).all(1)][:15].reshape(3, 5)


def hardsigmoid(torch: Any) -> Any:
    """Return theirs as their page defines it: its derivative in float64 is 1/6 of float32."""

    class Hardsigmoid(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return torch.nn.functional.relu6(x + 3) / 6

    return Hardsigmoid()


def inplace(name: str, settings: dict[str, Any]) -> Any:
    """Return what builds theirs on a copy of the input: it may not write into a leaf."""

    def build(torch: Any) -> Any:
        class Copied(getattr(torch.nn, name)):  # type: ignore[misc]
            def forward(self, x: Any) -> Any:
                return super().forward(x.clone())

        return Copied(**settings)

    return build


def crelu(torch: Any) -> Any:
    class CReLU(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return torch.cat([torch.relu(x), torch.relu(-x)], 1)

    return CReLU()


def maxout(features: int, units: int, pieces: int, bias: bool = True) -> Any:
    def build(torch: Any) -> Any:
        class Maxout(torch.nn.Linear):  # type: ignore[misc, name-defined]
            def forward(self, x: Any) -> Any:
                return super().forward(x).unflatten(-1, (units, pieces)).amax(-1)

        return Maxout(features, units * pieces, bias)

    return build


def evaluated() -> nn.Module:
    return nn.RReLU(0.1, 0.5).eval()


def heaviside(value: float) -> Any:
    def build(torch: Any) -> Any:
        class Heaviside(torch.nn.Module):  # type: ignore[misc, name-defined]
            def forward(self, x: Any) -> Any:
                return torch.heaviside(x.detach(), torch.tensor(value, dtype=x.dtype))

        return Heaviside()

    return build


def steps(rng: np.random.Generator) -> Any:
    return np.array([[-2.0, -0.0, 0.0], [0.0, 1e-30, 3.0]])


INPLACE = ["CELU", "ELU", "Hardswish", "Hardtanh", "LeakyReLU", "Mish", "ReLU", "ReLU6", "SELU", "SiLU"]
ALONG = ["LogSoftmax", "Softmax", "Softmin"]
PLAIN = ["LogSigmoid", "Sigmoid", "Softsign", "Tanh", "Tanhshrink"]
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "CELU": [{"alpha": 0.5}, {"alpha": 2.0}],
    "ELU": [{"alpha": 0.5}, {"alpha": 0.0}, {"alpha": 2.0}],
    "GELU": [{"approximate": "tanh"}],
    "Hardshrink": [{}, {"lambd": 1.5}, {"lambd": 0.0}],
    "Hardtanh": [{"min_val": -2.0}, {"min_val": 0.5, "max_val": 3.0}, {"max_val": 2.0}],
    "LeakyReLU": [{"negative_slope": s} for s in (0.1, 0.0, 1.0, 1.5, -0.5)],
    "Softplus": [{}, {"beta": 3.0}, {"beta": 0.5, "threshold": 1.5}, {"beta": 2.0, "threshold": 6.0}],
    "Softshrink": [{}, {"lambd": 1.5}, {"lambd": 0.0}],
    "Threshold": [{"threshold": t, "value": v} for t, v in [(0.5, 20.0), (-1.5, -0.5), (2.0, 0.0)]],
}  # fmt: skip

CASES = [
    *[Case(name, (), (shape,)) for name in INPLACE + PLAIN + ["GELU"] for shape in [wide, (2, 3, 2), ()]],
    *[Case(name, (), (wide,), {"inplace": True}, torch=inplace(name, {"inplace": True})) for name in INPLACE],
    *[Case(name, (), (wide,), settings) for name, several in SETTINGS.items() for settings in several],
    *[Case("Hardsigmoid", (), (shape,), settings, torch=hardsigmoid)
      for shape in [wide, ()] for settings in [{}, {"inplace": True}]],
    *[Case(name, (), ((0, 3),)) for name in ("ReLU", "GELU", "Softplus", "Hardswish")],
    Case("Threshold", (1.0, 2.0, True), (wide,),
         torch=inplace("Threshold", {"threshold": 1.0, "value": 2.0, "inplace": True})),
    # with parameters, with randomness
    *[Case("PReLU", (n,), (shape,), settings)
      for n, settings in [(1, {}), (3, {"init": 0.1}), (3, {"init": -0.5}), (2, {"init": 1.5})]
      for shape in [(5, n), (2, n, 4), (2, n, 2, 3)]],
    Case("PReLU", (), ((4,),)), Case("PReLU", (), ((),)),
    *[Case("RReLU", (), (wide,), settings, train=False, order=0, why="random in training")
      for settings in [{}, {"lower": 0.1}, {"lower": 0.2, "upper": 0.5}]],
    Case("RReLU", (), (wide,), {"upper": 0.9, "inplace": True}, train=False, order=0,
         torch=inplace("RReLU", {"upper": 0.9, "inplace": True}), why="random in training"),
    Case("RReLU", (), (wide,), make=evaluated, torch=lambda torch: torch.nn.RReLU(0.1, 0.5), train=False),
    # along an axis
    *[Case(name, (dim,), ((3, 4, 2),)) for name in ALONG for dim in (0, 1, -1, -2)],
    *[Case(name, (), (shape,), torch=lambda torch, name=name: getattr(torch.nn, name)(-1))
      for name in ALONG for shape in [(3, 4), (0, 3)]],
    *[Case("Softmax2d", (), (shape,)) for shape in [(2, 3, 2, 4), (3, 2, 4)]],
    *[Case("GLU", (), (shape,)) for shape in [(3, 4), (2, 3, 2), (6,)]],
    *[Case("GLU", (dim,), ((4, 2, 6),)) for dim in (0, 1, -2)],
    *[Case("CReLU", (), (shape,), torch=crelu) for shape in [(2, 3), (2, 3, 4)]],
    *[Case("CReLU", (dim,), ((2, 3),), torch=None, why="no counterpart: see dim=1") for dim in (0, -1)],
    *[Case("Maxout", args, (shape,), torch=maxout(*args)) for args, shape in [
        ((4, 3, 2), (5, 4)), ((3, 2, 3), (2, 2, 3)), ((2, 4, 1), (2,)), ((4, 3, 2, False), (5, 4)),
        ((5, 1, 2), (0, 5))]],
    *[Case("Heaviside", (value,), (steps,), torch=heaviside(value), order=0, why="a constant")
      for value in (1.0, 0.5, 0.0)],
]  # fmt: skip
