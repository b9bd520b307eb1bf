"""Rows: images at another size, channels as pixels."""

from __future__ import annotations

from typing import Any

from .cases import Case

SHAPES = {1: (2, 2, 5), 2: (1, 2, 3, 4), 3: (1, 1, 2, 3, 2)}
MODES: list[tuple[str, int]] = [
    *[(mode, n) for mode in ("nearest", "nearest-exact", "area") for n in (1, 2, 3)],
    ("linear", 1), ("bilinear", 2), ("bicubic", 2), ("trilinear", 3),
]
SIZES: list[dict[str, Any]] = [
    {"size": 4}, {"size": 1}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.6},
    {"scale_factor": 1.7, "recompute_scale_factor": True},
]
EACH: dict[int, list[dict[str, Any]]] = {
    1: [{"size": (7,)}],
    2: [{"size": (7, 3)}, {"scale_factor": (1.5, 0.5)}],
    3: [{"size": (1, 5, 4)}, {"scale_factor": (1.5, 2.0, 0.5)}],
}


def _sized(sizes: dict[str, Any], shape: tuple[int, ...]) -> bool:
    factor = sizes.get("scale_factor", 1)
    return isinstance(factor, tuple) or min(shape[2:]) * factor >= 1


CASES = [
    *[Case("Upsample", (), (SHAPES[n],), {**sizes, "mode": mode})
      for mode, n in MODES for sizes in SIZES + EACH[n]],
    *[Case("Upsample", (), (SHAPES[n],), {**sizes, "mode": mode, "align_corners": aligned})
      for mode, n in MODES[-4:] for sizes in (SIZES[0], SIZES[1], SIZES[3]) for aligned in (True, False)],
    Case("Upsample", (), ((2, 1, 3),), {"scale_factor": 1.5, "recompute_scale_factor": False}),
    *[Case(f"Upsampling{kind}2d", (), (SHAPES[2],), sizes) for kind in ("Nearest", "Bilinear")
      for sizes in (SIZES[0], SIZES[2], SIZES[3], *EACH[2])],
    *[Case("PixelShuffle", (r,), (shape,)) for r, shape in [
        (1, (1, 2, 3)), (2, (4, 2, 3)), (2, (2, 8, 1, 3)), (3, (1, 2, 9, 1, 2))]],
    *[Case("PixelUnshuffle", (r,), (shape,)) for r, shape in [
        (1, (1, 2, 3)), (2, (1, 2, 6)), (2, (2, 2, 4, 2)), (3, (1, 2, 1, 3, 6))]],
    *[Case("ChannelShuffle", (g,), (shape,)) for g, shape in [
        (1, (2, 3, 2)), (2, (2, 6, 2)), (3, (2, 6, 2, 3)), (2, (1, 4, 2, 1, 2))]],
]  # fmt: skip
CASES = [case for case in CASES if _sized(dict(case.kwargs), case.inputs[0])]
