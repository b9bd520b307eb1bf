"""Calls of PyTorch's operations that give the elements other shapes, orders or neighbours."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call, alike, named, same


def _sizes(sizes: Any) -> Any:
    """Return a shape, given as one tuple or as numbers."""
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


def _expand(x: Any, *sizes: Any) -> Any:
    sizes = _sizes(sizes)
    shape = (1,) * (len(sizes) - x.ndim) + x.shape
    return np.broadcast_to(x, [n if s == -1 else s for n, s in zip(shape, sizes, strict=True)])


def _sum_to_size(x: Any, *sizes: Any) -> Any:
    sizes = _sizes(sizes)
    lead = x.ndim - len(sizes)
    ones = tuple(lead + i for i, s in enumerate(sizes) if s == 1)
    return np.reshape(np.sum(x, axis=(*range(lead), *ones)), sizes)


def _chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    return _pieces(x, math.ceil(x.shape[dim] / chunks), dim)


def _pieces(x: Any, size: Any, dim: int = 0) -> Any:
    """Split into pieces of one size (the last may be less) or of the sizes given."""
    if isinstance(size, int):
        return np.split(x, range(size, x.shape[dim], size), axis=dim)
    return np.split(x, np.cumsum(size)[:-1], axis=dim)


def _tensor_split(x: Any, where: Any, dim: int = 0) -> Any:
    where = where.tolist() if isinstance(where, np.ndarray) else where
    return np.array_split(x, where, axis=dim)


def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if x.ndim == 0:
        return np.ravel(x)
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return np.reshape(x, (*x.shape[:first], math.prod(x.shape[first:last + 1]), *x.shape[last + 1:]))


def _unflatten(x: Any, dim: int, sizes: Any) -> Any:
    dim %= x.ndim
    return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1 :])


def _squeeze(x: Any, dim: Any = None) -> Any:
    if dim is None or x.ndim == 0:
        return np.squeeze(x)
    dims = dim if isinstance(dim, tuple) else (dim,)
    return np.squeeze(x, tuple(d for d in dims if x.shape[d] == 1))


def _diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    n = x.shape[-1] + abs(offset)
    ends = [(0, 0)] * (x.ndim - 1)
    rows = np.pad(x, [*ends, (max(-offset, 0), max(offset, 0))])[..., None]
    here = np.eye(n, k=offset, dtype=bool)
    return np.moveaxis(np.where(here, rows, 0.0), (-2, -1), (dim1, dim2))


def _block_diag(*blocks: Any) -> Any:
    blocks = [np.atleast_2d(b) for b in blocks]
    return np.block([[b if i == j else np.zeros((b.shape[0], c.shape[1]))
                      for j, c in enumerate(blocks)] for i, b in enumerate(blocks)])  # fmt: skip


def _cartesian(*xs: Any) -> Any:
    if len(xs) == 1:
        return xs[0]
    return np.stack([np.ravel(m) for m in np.meshgrid(*xs, indexing="ij")], axis=1)


def _combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return x[np.array(list(choose(range(x.shape[0]), r)), dtype=int).reshape(-1, r)]


def _unfold(x: Any, dim: int, size: int, step: int) -> Any:
    if x.ndim == 0:
        return np.reshape(x, (size,))
    windows = ag.sliding_window_view(x, size, dim)
    return np.moveaxis(np.moveaxis(windows, dim, 0)[::step], 0, dim)


def _repeat(x: Any, *sizes: Any) -> Any:
    return np.tile(x, _sizes(sizes))


def _repeat_interleave(x: Any, repeats: Any, dim: Any = None, output_size: Any = None) -> Any:
    return np.repeat(x, repeats, axis=dim)


def _roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    return np.roll(x, shifts, axis=dims if dims != () else None)


def _cut(pairs: Any, shape: Any) -> tuple[slice, ...]:
    return tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, shape, strict=True))


def _pad(x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    """Widen by the pairs in ``pad``, the last axis first; a negative width cuts off."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    setting = {"constant_values": value or 0.0} if mode == "constant" else {}
    modes = {"replicate": "edge", "circular": "wrap"}
    if mode == "circular":  # cuts off first
        x, pairs = x[_cut(pairs, x.shape)], [(max(a, 0), max(b, 0)) for a, b in pairs]
    wide = np.pad(x, [(max(a, 0), max(b, 0)) for a, b in pairs], modes.get(mode, mode), **setting)
    return wide[_cut(pairs, wide.shape)]


def _pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    r, k = upscale_factor, x.ndim - 3
    *lead, c, h, w = x.shape
    x = np.reshape(x, (*lead, c // r**2, r, r, h, w))
    x = np.transpose(x, (*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return np.reshape(x, (*lead, c // r**2, h * r, w * r))


def _pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    r, k = downscale_factor, x.ndim - 3
    *lead, c, h, w = x.shape
    x = np.reshape(x, (*lead, c, h // r, r, w // r, r))
    x = np.transpose(x, (*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return np.reshape(x, (*lead, c * r**2, h // r, w // r))


def _channel_shuffle(x: Any, groups: int) -> Any:
    b, c, *rest = x.shape
    return np.reshape(np.swapaxes(np.reshape(x, (b, groups, c // groups, *rest)), 1, 2), x.shape)


def _each(f: Call) -> Call:
    """Let ``f`` of several arrays take them as a list too."""
    return lambda x: f(*x) if isinstance(x, (list, tuple)) else f(x)


def _centred(sign: int) -> Call:
    """Return the roll that brings frequency 0 to the middle, or back."""

    def call(x: Any, dim: Any = None) -> Any:
        axes = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        return np.roll(x, tuple(sign * (x.shape[d] // 2) for d in axes), tuple(axes))

    return call


def _transposed(x: Any) -> Any:
    return x.T if x.ndim == 2 else np.positive(x)


CALLS: dict[str, Call] = {
    **same("broadcast_to column_stack dsplit dstack fliplr flipud hsplit hstack ravel vsplit vstack"),
    **{f"atleast_{n}d": _each(getattr(np, f"atleast_{n}d")) for n in (1, 2, 3)},
    **alike("clone contiguous alias_copy", ag.copy),
    **alike("expand expand_copy", _expand),
    "expand_as": lambda x, y: _expand(x, *y.shape),
    **alike("reshape_as view_as", lambda x, y: x.reshape(y.shape)),
    **alike("reshape view view_copy", lambda x, *shape: x.reshape(*shape)),
    **alike("permute permute_copy", lambda x, *axes: x.transpose(*axes)),
    **alike("transpose transpose_copy", lambda x, a, b: x.swapaxes(a, b) if x.ndim else +x),
    **alike("unsqueeze unsqueeze_copy", named(np.expand_dims, "dim")),
    **alike("squeeze squeeze/multiple squeeze_copy", _squeeze),
    **alike("unbind unbind_copy", named(ag.unstack, "dim")),
    **alike("chunk unsafe_chunk", _chunk),
    **alike("split split/list_args unsafe_split split_with_sizes split_with_sizes_copy", _pieces),
    **alike("t t_copy T H", _transposed),
    **alike("mT mH", lambda x: x.mT),
    "tril": named(np.tril, "k", diagonal="k"),
    "triu": named(np.triu, "k", diagonal="k"),
    "constant_pad_nd": lambda x, pad, value=0.0: _pad(x, pad, "constant", value),
    **alike(" ".join(f"nn.functional.pad/{m}" for m in (
        "constant", "reflect", "replicate", "replicate_negative", "circular")), _pad),
    **alike("unfold unfold_copy", _unfold),
    "block_diag": _block_diag,
    "broadcast_tensors": np.broadcast_arrays,
    "cartesian_prod": _cartesian,
    "cat": lambda xs, dim=0: np.concatenate([x for x in xs if x.shape != (0,)] or xs, axis=dim),
    "combinations": _combinations,
    "diag": named(np.diag, "k", diagonal="k"),
    "diag_embed": _diag_embed,
    "diagflat": named(np.diagflat, "k"),
    "double": lambda x, memory_format=None: x.astype(float),
    "fft.fftshift": _centred(1),
    "fft.ifftshift": _centred(-1),
    "flatten": _flatten,
    "flip": named(np.flip, "dims"),
    "meshgrid/list_of_tensors": lambda xs, indexing="ij": np.meshgrid(*xs, indexing=indexing),
    "meshgrid/variadic_tensors": np.meshgrid,
    "movedim": np.moveaxis,
    "nn.functional.channel_shuffle": _channel_shuffle,
    "nn.functional.pixel_shuffle": _pixel_shuffle,
    "nn.functional.pixel_unshuffle": _pixel_unshuffle,
    "repeat": _repeat,
    "repeat_interleave": _repeat_interleave,
    "roll": _roll,
    "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims),
    "stack": named(np.stack, "dim"),
    "sum_to_size": _sum_to_size,
    "tensor_split": _tensor_split,
    "tile": lambda x, dims: np.tile(x, dims),
    "unflatten": _unflatten,
    **alike("diagonal diagonal_copy",
            lambda x, offset=0, dim1=0, dim2=1: x.diagonal(offset, dim1, dim2)),
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
}  # fmt: skip
