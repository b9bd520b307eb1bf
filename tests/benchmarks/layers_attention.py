"""Attention by itself, at several lengths and with masks; a transformer layer with dropout; a lookup.

A transformer layer's whole training step, and its memory, stand in networks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .layers import Step, both, row
from .table import Row

rng = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return rng.standard_normal(shape, np.float32)


def attention(shape: tuple[int, ...], **how: Any) -> Callable[..., Step]:
    arrays = [normal(*shape) for _ in range(4)]

    def make(nn: Any, leaf: Any, data: Any) -> Step:
        *inputs, g = [*map(leaf, arrays[:3]), data(arrays[3])]
        given = {name: data(v) if isinstance(v, np.ndarray) else v for name, v in how.items()}

        def run() -> Any:
            for x in inputs:
                x.grad = None
            nn.functional.scaled_dot_product_attention(*inputs, **given).backward(g)
            return inputs[0].grad

        return run

    return make


def module(build: Callable[[Any, Any], Any], x: Any, g: Any) -> Callable[..., Step]:
    """Return forward and backward of a module on data x, with the gradient g of its output."""

    def make(nn: Any, leaf: Any, data: Any) -> Step:
        layer, given, gradient = build(nn, data), data(x), data(g)

        def run() -> Any:
            layer.zero_grad()
            layer(given).backward(gradient)
            return next(iter(layer.parameters())).grad

        return run

    return make


def rows() -> Iterator[Row]:
    for name, shape, how in [
        ("attention 16x8x64x16", (16, 8, 64, 16), {}),
        ("attention 2x8x256x64", (2, 8, 256, 64), {}),
        ("attention 2x8x256x64, causal", (2, 8, 256, 64), {"is_causal": True}),
        ("attention 2x8x256x64, mask", (2, 8, 256, 64), {"attn_mask": np.tri(256, dtype=bool)}),
        ("attention 1x8x1024x64", (1, 8, 1024, 64), {}),
    ]:
        yield row(name, both(attention(shape, **how)))

    def transformer(nn: Any, data: Any) -> Any:
        return nn.TransformerEncoderLayer(128, 8, 512, dropout=0.1, batch_first=True)

    x, g = normal(16, 64, 128), normal(16, 64, 128)
    yield row("transformer layer 16x64x128, dropout 0.1", both(module(transformer, x, g)), 1.2, random=True)
    table, index = normal(10000, 128), rng.integers(10000, size=(32, 50))

    def embedding(nn: Any, data: Any) -> Any:
        return nn.Embedding(10000, 128, _weight=data(table))

    yield row("Embedding 10,000x128, 32x50", both(module(embedding, index, normal(32, 50, 128))), 1.2)
