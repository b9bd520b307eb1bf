"""Rows: modules made of modules or parameters, which are called as their owner likes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from autograd_core import nn

from .cases import Case


class Branches(nn.Module):
    """Calls what a list or a dictionary holds, one after the other."""

    def __init__(self, held: Any) -> None:
        super().__init__()
        self.held = held

    def forward(self, x: Any) -> Any:
        for module in self.held.values() if hasattr(self.held, "values") else self.held:
            x = module(x)
        return x


class Polynomial(nn.Module):
    """A polynomial in x, its first coefficient its own, the others in a list or a dictionary."""

    def __init__(self, held: Any) -> None:
        super().__init__()
        self.first = nn.Parameter(np.array([1.5], np.float32))
        self.held = held

    def forward(self, x: Any) -> Any:
        y = self.first
        for p in self.held.values() if hasattr(self.held, "values") else self.held:
            y = y * x + p
        return y


def theirs(torch: Any, ours: type[nn.Module], held: Any) -> Any:
    """Return PyTorch's module with the forward of ours."""

    class Owner(torch.nn.Module):  # type: ignore[misc, name-defined]
        forward = ours.forward

        def __init__(self) -> None:
            super().__init__()
            if ours is Polynomial:
                self.first = torch.nn.Parameter(torch.tensor([1.5]))
            self.held = held

    return Owner()


def layers(library: Any) -> list[Any]:
    return [library.Linear(3, 4), library.Tanh(), library.Linear(4, 3)]


def named(library: Any) -> OrderedDict[str, Any]:
    return OrderedDict(zip(["first", "bend", "second"], layers(library), strict=True))


def values() -> list[Any]:
    return [np.array([0.5, -1.0, 2.0], np.float32), np.array([0.25], np.float32)]


def one_value() -> list[Any]:
    return [np.array([-0.75, 0.5, 1.25], np.float32)]


def under_names(values: list[Any]) -> dict[str, Any]:
    return dict(zip("ab", values, strict=False))


def parameters(torch: Any, values: list[Any]) -> list[Any]:
    return [torch.nn.Parameter(torch.tensor(v)) for v in values]


def sine_and_cosine(x: Any) -> Any:
    return np.sin(x) * np.cos(x)


def residual(features: int, other: bool, bias: bool = False) -> Any:
    def build(torch: Any) -> Any:
        class Residual(torch.nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.module = torch.nn.Linear(3, features)
                self.shortcut = torch.nn.Linear(3, features, bias=bias) if other else None

            def forward(self, x: Any) -> Any:
                return self.module(x) + (self.shortcut(x) if other else x)

        return Residual()

    return build


def edited(library: Any) -> Any:
    """Return a row that went through all edits."""
    row = library.Sequential(*layers(library))
    row.append(library.Sigmoid()).insert(1, library.ReLU()).extend([library.Linear(3, 2)])
    row.pop(1)
    row[1] = library.Softsign()
    del row[3]
    return (row + library.Sequential(library.Tanh()))[:]


def twice(library: Any) -> Any:
    return library.Sequential(*layers(library)) * 2


def part(library: Any) -> Any:
    return library.Sequential(*layers(library))[1:]


def sequence(build: Any, shape: tuple[int, ...] = (5, 3)) -> Case:
    return Case("Sequential", (), (shape,), make=lambda: build(nn), torch=lambda torch: build(torch.nn))


def row_of_names(library: Any) -> Any:
    return library.Sequential(named(library))


def plain(library: Any) -> Any:
    return library.Sequential(*layers(library))


CASES = [
    *[sequence(build) for build in (plain, row_of_names, edited, twice)],
    sequence(part, (2, 4)), sequence(plain, (3,)), sequence(plain, (0, 3)),
    *[Case("ModuleList", (), ((5, 3),), make=lambda n=n: Branches(nn.ModuleList(layers(nn)[:n])),
           torch=lambda torch, n=n: theirs(torch, Branches, torch.nn.ModuleList(layers(torch.nn)[:n])))
      for n in (3, 2)],
    Case("ModuleDict", (), ((5, 3),), make=lambda: Branches(nn.ModuleDict(named(nn))),
         torch=lambda torch: theirs(torch, Branches, torch.nn.ModuleDict(named(torch.nn)))),
    Case("ModuleDict", (), ((5, 3),), make=lambda: Branches(nn.ModuleDict({"only": nn.Linear(3, 2)})),
         torch=lambda torch: theirs(torch, Branches, torch.nn.ModuleDict({"only": torch.nn.Linear(3, 2)}))),
    *[Case("ParameterList", (), ((5, 3),), make=lambda v=v: Polynomial(nn.ParameterList(v())),
           torch=lambda torch, v=v: theirs(torch, Polynomial, torch.nn.ParameterList(parameters(torch, v()))))
      for v in (values, one_value)],
    *[Case("ParameterDict", (), ((5, 3),), make=lambda v=v: Polynomial(nn.ParameterDict(under_names(v()))),
           torch=lambda torch, v=v: theirs(torch, Polynomial, torch.nn.ParameterDict(
               under_names(parameters(torch, v())))))
      for v in (values, one_value)],
    Case("Residual", (), ((5, 3),), make=lambda: nn.Residual(nn.Linear(3, 3)),
         torch=residual(3, False)),
    Case("Residual", (), ((2, 3),), make=lambda: nn.Residual(nn.Linear(3, 4), nn.Linear(3, 4, bias=False)),
         torch=residual(4, True)),
    Case("Residual", (), ((3,),), make=lambda: nn.Residual(nn.Linear(3, 2), nn.Linear(3, 2)),
         torch=residual(2, True, bias=True)),
    Case("Lambda", (sine_and_cosine,), ((2, 3),), torch=None, why="a function"),
    Case("Lambda", (np.sin,), ((2, 3),), torch=None, why="a function"),
    *[Case("Unflatten", args, ((4, 6, 5),)) for args in [
        (1, (2, 3)), (0, (-1, 2)), (-2, [3, 2]), (1, (6, 1)), (2, (5,)), (1, (-1, 3, 1))]],
    Case("Unflatten", (1, (0, 3)), ((2, 0),), order=0, why="nothing in it"),
    *[Case("MLP", ([3, 4, 2],), ((5, 3),), settings, torch=None, why="Sequential there") for settings in [
        {"activation": "tanh"}, {"activation": "gelu", "output_activation": "sigmoid"},
        {"activation": "tanh", "output_activation": "softmax", "bias": False}]],
    Case("MLP", ([3, 2],), ((5, 3),), torch=None, why="Sequential there"),
    Case("MLP", ([2, 3, 3, 1],), ((4, 2),), {"activation": "mish"}, torch=None, why="Sequential there"),
]  # fmt: skip
