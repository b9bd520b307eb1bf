"""Rows: normalization over batches, layers, groups, instances and neighbours."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import numpy as np

from autograd_core import nn

from .cases import Case

BATCH = {"BatchNorm1d": [(4, 3), (2, 3, 2)], "BatchNorm2d": [(2, 3, 2, 1)], "BatchNorm3d": [(2, 3, 1, 2, 2)]}
INSTANCE = {
    "InstanceNorm1d": [(2, 3, 4), (3, 4)],
    "InstanceNorm2d": [(2, 3, 2, 3), (3, 2, 3)],
    "InstanceNorm3d": [(2, 3, 1, 2, 3), (3, 1, 2, 3)],
}
CHANNELS = [
    {}, {"eps": 1e-2}, {"eps": 0.3}, {"momentum": 0.4}, {"momentum": 1.0}, {"momentum": None},
    {"affine": False}, {"track_running_stats": False}, {"affine": False, "track_running_stats": False},
    {"bias": False},
]  # fmt: skip
TRACKED = [{**given, "track_running_stats": True} for given in ({}, {"momentum": 0.4}, {"momentum": None})]
LAYERS = [((4,), (3, 4)), ((4,), (2, 3, 4)), ((4,), (4,)), (((3, 4),), (2, 3, 4)), (((4,),), (2, 4)),
          (((2, 3, 2),), (2, 2, 3, 2))]  # fmt: skip


def local(size: int, torch: Any, **given: float) -> Any:
    """PyTorch's CrossMapLRN2d never takes the first channel out of its sum, so this stands beside ours."""
    return torch.nn.LocalResponseNorm(size, **given)


def stirred(layer: str, args: tuple[Any, ...], given: dict[str, Any], torch: Any = None) -> Any:
    """Return a layer whose weights and biases are not the ones and zeros that it starts from."""
    module = getattr(nn if torch is None else torch.nn, layer)(*args, **given)
    for i, p in enumerate(module.parameters()):
        values = np.sin(np.arange(p.data.size if torch is None else p.numel()) + i) + 1.5
        p.data[...] = values.reshape(p.shape) if torch is None else torch.tensor(values).reshape(p.shape)
    return module


def affine(
    layer: str, args: tuple[Any, ...], inputs: tuple[Any, ...], given: dict[str, Any] | None = None
) -> Case:
    make = partial(stirred, layer, args, given or {})
    return Case(layer, args, inputs, given or {}, make=make, torch=make)


CASES = [
    *[affine(layer, (2,), ((3, 2, *shapes[0][2:]),))
      for layer, shapes in [*BATCH.items(), *INSTANCE.items()]],
    *[affine(layer, (3,), (shape,), given) for layer, shapes in BATCH.items() for shape in shapes
      for given in CHANNELS if shape in (shapes[0], (2, 3, 2)) or not given],
    *[affine(layer, (3,), (shape,), given) for layer, shapes in INSTANCE.items() for shape in shapes
      for given in [{}, {"affine": True}, {"eps": 1e-2}, {"eps": 0.3}, {"affine": True, "bias": False},
                    {"bias": False}, *TRACKED]],
    affine("InstanceNorm2d", (3,), ((2, 3, 2, 3),), {"affine": True, "track_running_stats": True}),
    *[affine(layer, args, (shape,)) for layer, (args, shape) in product(["LayerNorm", "RMSNorm"], LAYERS)],
    *[affine("LayerNorm", (4,), ((3, 4),), given)
      for given in [{"eps": 1e-2}, {"eps": 0.3}, {"elementwise_affine": False}, {"bias": False},
                    {"elementwise_affine": False, "bias": False}]],
    *[affine("RMSNorm", (4,), ((3, 4),), given)
      for given in [{"eps": 1e-2}, {"eps": 0.3}, {"elementwise_affine": False}]],
    *[affine("GroupNorm", args, (shape,))
      for args, shape in [((2, 4), (2, 4, 3)), ((1, 3), (2, 3, 2)), ((3, 3), (2, 3, 4)), ((2, 6), (2, 6)),
                          ((2, 4), (2, 4, 2, 3)), ((2, 4), (1, 4, 1, 2, 2))]],
    *[affine("GroupNorm", (2, 4), ((2, 4, 3),), given)
      for given in [{"eps": 1e-2}, {"eps": 0.3}, {"affine": False}, {"bias": False}]],
    *[Case("LocalResponseNorm", (size,), (shape,), {"alpha": 0.5})
      for size, shape in [(1, (2, 3, 2)), (2, (2, 4, 3)), (3, (2, 5, 2, 2)), (4, (1, 6, 2)),
                          (7, (2, 3, 1, 2, 1))]],
    *[Case("LocalResponseNorm", (3,), ((2, 5, 2),), given)
      for given in [{}, {"alpha": 1.5}, {"beta": 0.5}, {"beta": 2.0}, {"k": 2.0}, {"k": 0.5}]],
    *[Case("CrossMapLRN2d", (3,), ((2, 5, 2, 2),), given, torch=partial(local, 3, **given))
      for given in [{}, {"alpha": 0.5}, {"alpha": 1.5}, {"beta": 0.5}, {"beta": 2.0}, {"k": 2.0},
                    {"k": 0.5}]],
    *[Case("CrossMapLRN2d", (size,), ((2, 4, 1, 2),), {"alpha": 0.5}, torch=partial(local, size, alpha=0.5))
      for size in (1, 5)],
]  # fmt: skip
