"""Rows: pooling, by the largest element, the mean and the p-norm; to a size; undone; by a fraction."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case

SEQUENCE, IMAGE, VOLUME = (2, 2, 7), (2, 1, 5, 6), (1, 2, 3, 4, 3)
SHAPES = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}


def batched(n: int) -> list[tuple[int, ...]]:
    return [SHAPES[n], SHAPES[n][1:]]


def ties(rng: Any) -> Any:
    """Return whole numbers, many alike: the first of the largest counts."""
    return rng.integers(0, 3, (2, 3, 4, 5)).astype(float)


def not_numbers(rng: Any) -> Any:
    x = rng.normal(size=(2, 2, 4, 4))
    x[0, 0, 1, 1] = x[0, 1, 0, 0] = x[0, 1, 0, 1] = x[0, 1, 3, 2] = np.nan
    x[1, 0, 2, 2], x[1, 1] = np.inf, -np.inf
    return x


def positive(*shape: int) -> Any:
    def draw(rng: Any) -> Any:
        return rng.uniform(0.5, 2, shape)

    return draw


# fmt: off
MAXIMA: list[tuple[int, dict[str, Any]]] = [
    (1, {"kernel_size": 2}), (1, {"kernel_size": 3, "stride": 2, "padding": 1}),
    (1, {"kernel_size": (3,), "stride": (1,), "dilation": 2, "return_indices": True}),
    (1, {"kernel_size": 2, "stride": 3, "ceil_mode": True}),
    (1, {"kernel_size": 4, "padding": 2, "dilation": 3}),
    (2, {"kernel_size": 2}), (2, {"kernel_size": 3, "stride": 2, "padding": 1}),
    (2, {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0), "dilation": (2, 1)}),
    (2, {"kernel_size": (3, 1), "dilation": 2, "return_indices": True}),
    (2, {"kernel_size": (1, 2), "stride": 1}),
    (2, {"kernel_size": 2, "stride": 3, "ceil_mode": True, "return_indices": True}),
    (2, {"kernel_size": 4, "padding": 2, "ceil_mode": True}),
    (3, {"kernel_size": 2}), (3, {"kernel_size": (2, 1, 3), "stride": (1, 2, 1), "padding": (1, 0, 1)}),
    (3, {"kernel_size": 2, "stride": 1, "padding": 1, "dilation": 2, "return_indices": True}),
    (3, {"kernel_size": 2, "stride": 3, "ceil_mode": True, "dilation": (1, 2, 1)}),
]
MEANS: list[tuple[int, dict[str, Any]]] = [
    (1, {"kernel_size": 2}), (1, {"kernel_size": 3, "stride": 2, "padding": 1}),
    (1, {"kernel_size": (4,), "stride": 1, "padding": 2, "count_include_pad": False}),
    (1, {"kernel_size": 2, "stride": 4, "ceil_mode": True}),
    (1, {"kernel_size": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
    (2, {"kernel_size": 2}), (2, {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    (2, {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0), "ceil_mode": True}),
    (2, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "divisor_override": 5}),
    (2, {"kernel_size": 2, "divisor_override": 1}),
    (3, {"kernel_size": 2, "stride": 1}),
    (3, {"kernel_size": (2, 1, 3), "stride": (1, 2, 2), "padding": (1, 0, 1)}),
    (3, {"kernel_size": 2, "padding": 1, "count_include_pad": False, "divisor_override": 3}),
    (3, {"kernel_size": 2, "stride": 3, "ceil_mode": True, "divisor_override": 7, "padding": 1}),
    (3, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
]
NORMS: list[dict[str, Any]] = [
    {"norm_type": 2, "kernel_size": 2}, {"norm_type": 1, "kernel_size": 3, "stride": 1},
    {"norm_type": 3.5, "kernel_size": 2, "stride": 3, "ceil_mode": True},
]
ADAPTIVE: list[tuple[int, Any]] = [
    (1, 3), (1, 1), (1, (9,)), (1, 7), (2, 2), (2, (2, 3)), (2, (3, None)), (2, 1), (2, (7, 1)),
    (3, 2), (3, (1, 2, 3)), (3, (None, 3, 2)), (3, 1),
]
U2 = np.array([[[0.3, 0.8], [0.1, 0.55]], [[0.9, 0.02], [0.5, 0.7]]], np.float32)
U3 = np.array([[[0.3, 0.8, 0.45], [0.1, 0.6, 0.99]]], np.float32)
# fmt: on


def placed(n: int, **given: Any) -> Any:
    """Return places, each once, for what n-dimensional pooling would give."""

    def draw(rng: Any) -> Any:
        size = int(np.prod(given["to"]))
        count = int(np.prod(given["shape"]))
        return rng.permutation(size)[:count].reshape(1, *given["shape"])

    return draw


def theirs(layer: str, samples: Any, settings: dict[str, Any]) -> Any:
    """Return what builds PyTorch's layer with the same random numbers."""

    def build(torch: Any) -> Any:
        return getattr(torch.nn, layer)(**settings, _random_samples=torch.tensor(samples))

    return build


UNPOOLED: list[tuple[int, dict[str, Any], tuple[int, ...], tuple[int, ...], Any]] = [
    (1, {"kernel_size": 2}, (3,), (6,), None),
    (1, {"kernel_size": 3, "stride": 2, "padding": 1}, (4,), (7,), None),
    (1, {"kernel_size": (2,), "stride": (3,)}, (3,), (9,), (9,)),
    (1, {"kernel_size": 4, "padding": 2}, (3,), (8,), (1, 1, 9)),
    (2, {"kernel_size": 2}, (2, 3), (4, 6), None),
    (2, {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}, (2, 3), (3, 4), None),
    (2, {"kernel_size": 2, "stride": 3, "padding": 1}, (2, 3), (3, 6), (4, 7)),
    (3, {"kernel_size": 2}, (1, 2, 2), (2, 4, 4), None),
    (3, {"kernel_size": (1, 2, 3), "stride": (1, 2, 2), "padding": (0, 1, 1)}, (2, 2, 2), (2, 2, 3), None),
    (3, {"kernel_size": 2, "stride": 3, "padding": 1}, (2, 2, 1), (3, 3, 1), (4, 4, 1)),
]

CASES = [
    *[Case(f"MaxPool{n}d", (), (shape,), kw) for n, kw in MAXIMA for shape in batched(n)],
    Case("MaxPool2d", (2,), (ties,), order=0, why="ties: differences would see both"),
    Case("MaxPool2d", (3, 1, 1), (ties,), order=0, why="ties: differences would see both"),
    Case("MaxPool2d", (2,), ((0, 2, 4, 4),), order=1, why="empty; ones in its place are ties"),
    *[Case(f"AvgPool{n}d", (), (shape,), kw) for n, kw in MEANS for shape in batched(n)],
    *[Case(f"LPPool{n}d", (), (positive(*shape),), kw) for n in (1, 2, 3) for kw in NORMS
      for shape in batched(n)],
    Case("LPPool2d", (2, (2, 3), (1, 2)), (IMAGE,)), Case("LPPool3d", (3, (1, 2, 2)), (positive(*VOLUME),)),
    *[Case(f"AdaptiveAvgPool{n}d", (size,), (shape,)) for n, size in ADAPTIVE for shape in batched(n)],
    *[Case(f"AdaptiveMaxPool{n}d", (size,), (shape,), {"return_indices": True} if i % 2 else {})
      for i, (n, size) in enumerate(ADAPTIVE) for shape in batched(n)],
    Case("AdaptiveMaxPool2d", (3,), (ties,), order=0, why="ties: differences would see both"),
    *[Case(f"MaxUnpool{n}d", (), ((1, *shape), placed(n, shape=shape, to=to)), kw,
           {} if size is None else {"output_size": size}) for n, kw, shape, to, size in UNPOOLED],
    *[Case("FractionalMaxPool2d", (), ((2, 2, 6, 7),), {**kw, "_random_samples": u},
           torch=theirs("FractionalMaxPool2d", u, kw)) for u in (U2, 1 - U2) for kw in [
        {"kernel_size": 2, "output_size": 3}, {"kernel_size": (3, 2), "output_size": (4, 5)},
        {"kernel_size": 2, "output_ratio": 0.5, "return_indices": True},
        {"kernel_size": 3, "output_ratio": (0.6, 0.4)}, {"kernel_size": 2, "output_size": 1}]],
    *[Case("FractionalMaxPool3d", (), ((1, 2, 4, 5, 4),), {**kw, "_random_samples": u},
           torch=theirs("FractionalMaxPool3d", u, kw)) for u in (U3, 1 - U3) for kw in [
        {"kernel_size": 2, "output_size": 2}, {"kernel_size": (1, 2, 2), "output_size": (3, 2, 2)},
        {"kernel_size": 2, "output_ratio": 0.5, "return_indices": True},
        {"kernel_size": 2, "output_ratio": (0.5, 0.4, 0.7)}]],
]  # fmt: skip
