"""Grids of images: samples of a batch, and first-layer weights as what they look for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import counted, message
from autograd_core.node import strip

from ..module import Module
from ..settings import check_sizes
from .canvas import BLUE, ORANGE, grid, numbers, short

__all__ = ["images", "weights_as_images"]

Array = ndarray[Any, Any]


def images(
    batch: Any, labels: Any = None, *, predicted: Any = None, shape: tuple[int, ...] | None = None,
    columns: int | None = None, most: int = 64, class_names: Sequence[str] | None = None,
) -> Any:  # fmt: skip
    """Draw the images of a batch in a grid, with their labels above.

    Args:
        batch: (N, H, W), (N, C, H, W) or (N, H, W, C) with 1 or 3 channels, or (N, pixels). Of one
            channel the darkest number of the batch is black; of three, numbers from 0 to 1 (bytes from
            0 to 255) are colours, and others are scaled.
        labels: of each image, a class or any text.
        predicted: what a model took each for; where it differs from the label, it is written in orange.
        shape: (H, W) or (C, H, W) of images that are rows of pixels; by default square.
        columns: images in a row; about as many as there are rows by default.
        most: only so many images are drawn, the first ones.
        class_names: the texts of labels that are class indices.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: no images, shapes that are none, another number of labels, or labels without a name.
    """
    who = "images"
    x = pictures(who, numbers(who, batch, "a batch"), shape)
    given = [None if v is None else np.asarray(strip(v)) for v in (labels, predicted)]
    for v in given:
        if v is not None and v.shape != (len(x),):
            raise ValueError(message(who, f"labels of shape {v.shape}", f"({len(x)},), one for each image"))
        if v is not None and class_names is not None and not (
            v.dtype.kind in "iu" and 0 <= v.min() <= v.max() < len(class_names)
        ):
            raise ValueError(message(who, f"labels from {v.min()} to {v.max()} and {len(class_names)} names",
                                     "class indices, and a name for each class"))  # fmt: skip
    true, guess = given
    check_sizes(who, most=most)
    x = x[:most]
    if x.shape[-1] == 3:
        x = _colours(x)
    finite = x[np.isfinite(x)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    texts = [_label(i, true, guess, class_names) for i in range(len(x))]
    longest = max(len(line) for text, _ in texts for line in text.split("\n"))
    width = max(1.0, 0.075 * longest, 2.0 * (len(x) == 1))
    height = width + 0.15 * max(text.count("\n") + bool(text) for text, _ in texts)
    made, axes = grid(who, len(x), columns, width, height)
    for i, (ax, (text, wrong)) in enumerate(zip(axes, texts)):
        image = x[i] if x.shape[-1] == 3 else x[i, ..., 0]
        ax.imshow(image, cmap="gray", vmin=low, vmax=high if high > low else low + 1, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        if text:
            ax.set_title(text, fontsize=8, color=ORANGE if wrong else "black", pad=2)
    return made


def _label(i: int, true: Any, guess: Any, names: Any) -> tuple[str, bool]:
    def named(v: Any) -> str:
        return short(names[int(v)] if names is not None else v, 14)

    if guess is None:
        return ("" if true is None else named(true[i])), False
    wrong = true is not None and bool(true[i] != guess[i])
    if not wrong:
        return named(guess[i]), False
    text = f"{named(guess[i])}, not {named(true[i])}"
    return (text if len(text) < 12 else text.replace(", ", "\n")), True


def _colours(x: Array) -> Array:
    """Return colours from 0 to 1: as they are, from bytes, or stretched over what occurs."""
    if x.dtype.kind in "iu":
        return np.clip(x / 255, 0, 1)
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    if low < 0 or high > 1:
        x = (x - low) / ((high - low) or 1)
    return x


def pictures(who: str, x: Array, shape: tuple[int, ...] | None) -> Array:
    """Return images as (N, H, W, channels), with one channel or three."""
    if shape is not None:
        if len(shape) not in (2, 3) or x.ndim < 2 or math.prod(shape) != math.prod(x.shape[1:]):
            raise ValueError(message(who, f"shape={shape} for an array of shape {x.shape}",
                                     "(H, W) or (C, H, W) of as many numbers"))  # fmt: skip
        x = x.reshape(len(x), *shape)
    elif x.ndim == 2:
        side = math.isqrt(x.shape[1])
        if side * side != x.shape[1]:
            raise ValueError(message(who, f"{counted(x.shape[1], 'pixel')} in a row, which are no square",
                                     "shape=(H, W) or (C, H, W)"))  # fmt: skip
        x = x.reshape(len(x), side, side)
    if x.ndim == 3:
        x = x[..., np.newaxis]
    elif x.ndim == 4 and x.shape[1] in (1, 3):
        x = np.moveaxis(x, 1, -1)
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or not x.size:
        raise ValueError(message(who, f"an array of shape {x.shape}", "(N, H, W), (N, C, H, W) with 1 or 3 "
                                 "channels, or (N, pixels)"))  # fmt: skip
    return x


def weights_as_images(
    weights: Any, shape: tuple[int, ...] | None = None, *, columns: int | None = None, most: int = 64,
    each: bool = False, titles: Sequence[str] | None = None,
) -> Any:  # fmt: skip
    """Draw the weights of each unit or filter as an image: what it answers to most.

    Orange is positive, blue negative, white zero, and all share one scale. Filters of three channels
    are drawn as colours, grey being zero; of another number, each channel is an image in the filter's
    row.

    Args:
        weights: (units, pixels) of a linear layer, or (filters, channels, height, width); a Module stands
            for its first parameter of these shapes.
        shape: (H, W) or (C, H, W) of the pixels; by default square.
        columns: images in a row.
        most: only so many units or filters are drawn, the first ones.
        each: give each image a scale of its own.
        titles: a text for each.

    Returns:
        matplotlib's Figure.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: pixels that are no square without ``shape``, or another array than above.
    """
    who = "weights_as_images"
    w = numbers(who, _first(who, weights) if isinstance(weights, Module) else weights, "weights")
    if w.ndim not in (2, 4) or not w.size:
        raise ValueError(message(who, f"weights of shape {w.shape}",
                                 "(units, pixels) or (filters, channels, height, width)"))  # fmt: skip
    check_sizes(who, most=most)
    w = w[:most].astype(float)
    if w.ndim == 4 and w.shape[1] not in (1, 3):
        columns = w.shape[1]
        if titles is None:
            titles = [f"{i}, {c}" for i in range(w.shape[0]) for c in range(columns)]
        w = w.reshape(-1, 1, *w.shape[2:])
    w = pictures(who, w, shape)
    if titles is not None and len(titles) != len(w):
        raise ValueError(message(who, f"{len(titles)} titles", f"{len(w)}"))
    largest = np.abs(np.where(np.isfinite(w), w, 0)).max(axis=(1, 2, 3))
    scales = largest if each else np.full(len(w), largest.max())
    scales = np.where(scales > 0, scales, 1)
    side = 1.0 if titles is None else 1.15
    made, axes = grid(who, len(w), columns, *((2.0, 2.0) if len(w) == 1 else (side, side)))
    for i, (ax, image, scale) in enumerate(zip(axes, w, scales)):
        if image.shape[-1] == 3:
            ax.imshow(0.5 + image / (2 * scale), interpolation="nearest")
        else:
            shown = ax.imshow(image[..., 0], cmap=_diverging(), vmin=-scale, vmax=scale,
                              interpolation="nearest")  # fmt: skip
        ax.set(xticks=[], yticks=[])
        if titles is not None:
            ax.set_title(short(titles[i], 12), fontsize=8, pad=2)
    if not each and w.shape[-1] == 1:
        made.set_figwidth(made.get_figwidth() + 0.8)
        bar = made.colorbar(shown, ax=axes, fraction=0.05, shrink=0.8)
        bar.ax.tick_params(labelsize=8)
    return made


def _first(who: str, model: Module) -> Any:
    for parameter in model.parameters():
        if parameter.ndim in (2, 4):
            return parameter
    raise ValueError(message(who, f"a {type(model).__name__} without weights", "a layer or a network with "
                             "weights (units, pixels) or (filters, channels, height, width)"))  # fmt: skip


def _diverging() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signs", [BLUE, "white", ORANGE])
