"""Rows: attention, transformers, positions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_core import nn

from .cases import Case

TRIANGLE = np.triu(np.full((3, 3), -np.inf, np.float32), 1)
LATER = np.triu(np.ones((3, 3), bool), 1)
SOME = np.array([[False, True, False, False], [True, False, False, True], [False, False, False, False]])
EACH = np.linspace(-1, 1, 36, dtype=np.float32).reshape(4, 3, 3)  # a mask for each of 2 x 2 heads
PADDED = np.array([[False, False, True, False], [False, True, True, True]])
ONE = np.array([[False], [True]])
PADDED3 = np.array([[False, False, True], [False, True, False]])


class Same(nn.Module):
    """Self-attention: one input in three roles."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(*args, **kwargs)

    def forward(self, x: Any, **how: Any) -> Any:
        return found(self.layer(x, x, x, **how))


class Pair(nn.Module):
    """Attention to a memory: keys and values are one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(*args, **kwargs)

    def forward(self, x: Any, memory: Any, **how: Any) -> Any:
        return found(self.layer(x, memory, memory, **how))


class Three(nn.MultiheadAttention):
    """Attention, without the None where no weights are asked for."""

    def forward(self, *x: Any, **how: Any) -> Any:
        return found(super().forward(*x, **how))


def found(y: tuple[Any, Any]) -> Any:
    return y[0] if y[1] is None else y


def through(roles: type, *args: Any, **kwargs: Any) -> Any:
    """Return a function that builds the same module of PyTorch."""

    def build(torch: Any) -> Any:
        class Theirs(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = torch.nn.MultiheadAttention(*args, **kwargs)

            def forward(self, *x: Any, **how: Any) -> Any:
                how = tensors(torch, how, x[0])
                return self.layer(*(x * 3 if roles is Same else (x[0], x[1], x[1])), **how)

        return Theirs()

    return build


def tensors(torch: Any, how: dict[str, Any], like: Any) -> dict[str, Any]:
    """Return masks as Tensors; numbers to add in the dtype of the data."""
    return {k: v if not isinstance(v, np.ndarray) else torch.tensor(v) if v.dtype == bool
            else torch.tensor(v).to(like.dtype) for k, v in how.items()}  # fmt: skip


def mha(roles: type, shapes: Any, *args: Any, call: Any = None, order: int = 1, **kwargs: Any) -> Case:
    torch = through(roles, *args, **kwargs)
    if roles is Three:
        torch = masked("MultiheadAttention", *args, **kwargs)
    return Case("MultiheadAttention", args, shapes, kwargs, call or {},
                make=lambda: roles(*args, **kwargs), torch=torch, order=order, why=SMALL_ONES)  # fmt: skip


def masked(name: str, *args: Any, **kwargs: Any) -> Any:
    """Return a function that builds a module of PyTorch which takes NumPy's masks and functions."""

    def build(torch: Any) -> Any:
        given = {k: getattr(torch, v.__name__) if callable(v) else v for k, v in kwargs.items()}

        class Theirs(getattr(torch.nn, name)):  # type: ignore[misc]
            def forward(self, *x: Any, **how: Any) -> Any:
                return super().forward(*x, **tensors(torch, how, x[0]))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it will not use nested tensors
            return Theirs(*args, **given)

    return build


def layer(
    name: str, shapes: Any, *args: Any, call: Any = None, order: int = 0, wrt: Any = "inputs", **kwargs: Any
) -> Case:
    kwargs = {"dropout": 0.0} | kwargs
    random = kwargs["dropout"] > 0
    return Case(name, args, shapes, kwargs, call or {}, train=not random, order=order,
                wrt=wrt, torch=masked(name, *args, **kwargs), rtol32=2e-4,
                why="random in training" if random else SMALL_ONES)  # fmt: skip


SMALL_ONES = "differences are taken in the small rows of the layer: here all gradients are beside PyTorch's"
FAST = {"need_weights": False}
X, M = (3, 2, 4), (4, 2, 4)  # lengths 3 and 4, a batch of 2
FIRST, FIRST_M = (2, 3, 4), (2, 4, 4)

TINY, TINY_M = (2, 1, 2), (3, 1, 2)

ATTENTION = [
    mha(Same, (TINY,), 2, 2, order=2),
    mha(Same, (TINY,), 2, 1, order=2, call=FAST),
    mha(Pair, (TINY, TINY_M), 2, 1, order=2, call=FAST | {"key_padding_mask": PADDED3[:1]}),
    mha(Three, (TINY, TINY_M, TINY_M), 2, 2, order=2),
    mha(Three, (TINY, TINY_M, TINY_M), 2, 1, call=FAST),
    mha(Three, (TINY, (3, 1, 1), (3, 1, 3)), 2, 2, kdim=1, vdim=3),
    mha(Three, (TINY, TINY_M, (3, 1, 1)), 2, 1, vdim=1, add_bias_kv=True, call=FAST),
    mha(Three, (TINY, (3, 1, 1), TINY_M), 2, 1, kdim=1, bias=False, call=FAST),
    mha(Same, (X,), 4, 2),
    mha(Same, (X,), 4, 2, call=FAST),
    mha(Same, (X,), 4, 1, call=FAST),
    mha(Same, (X,), 4, 4, call={"average_attn_weights": False}),
    mha(Same, (FIRST,), 4, 2, batch_first=True),
    mha(Same, (FIRST,), 4, 2, batch_first=True, call=FAST),
    mha(Same, ((3, 4),), 4, 2),
    mha(Same, ((3, 4),), 4, 2, call=FAST),
    mha(Same, ((3, 4),), 4, 2, batch_first=True, call=FAST | {"key_padding_mask": PADDED3[0]}),
    mha(Same, (X,), 4, 2, bias=False, call=FAST),
    mha(Same, (X,), 4, 2, bias=False),
    mha(Same, (X,), 4, 2, call=FAST | {"attn_mask": TRIANGLE}),
    mha(Same, (X,), 4, 2, call=FAST | {"attn_mask": TRIANGLE, "is_causal": True}),
    mha(Same, (X,), 4, 2, call=FAST | {"attn_mask": LATER, "key_padding_mask": PADDED3}),
    mha(Same, (X,), 4, 2, call={"attn_mask": TRIANGLE, "is_causal": True}),
    mha(Same, (X,), 4, 2, call={"attn_mask": EACH}),
    mha(Same, (X,), 4, 2, call=FAST | {"attn_mask": EACH}),
    mha(Same, (X,), 4, 2, add_bias_kv=True, call=FAST),
    mha(Same, (X,), 4, 2, add_bias_kv=True, call={"attn_mask": LATER}),
    mha(Same, (X,), 4, 2, add_zero_attn=True, call=FAST | {"attn_mask": LATER}),
    mha(Same, (X,), 4, 2, add_zero_attn=True, add_bias_kv=True),
    mha(Pair, (X, (1, 2, 4)), 4, 2, add_zero_attn=True, call=FAST | {"key_padding_mask": ONE}),
    mha(Pair, (X, M), 4, 2),
    mha(Pair, (X, M), 4, 2, call=FAST),
    mha(Pair, (X, M), 4, 2, call=FAST | {"attn_mask": SOME, "key_padding_mask": PADDED}),
    mha(Pair, (FIRST, FIRST_M), 4, 2, batch_first=True, bias=False, call=FAST | {"key_padding_mask": PADDED}),
    *[mha(Three, (X, *memory), 4, 2, order=0, call=how, **kwargs) for memory, how, kwargs in [
        ((M, M), {}, {}),
        ((M, M), FAST, {}),
        (((4, 2, 3), (4, 2, 5)), {}, {"kdim": 3, "vdim": 5}),
        (((4, 2, 3), M), FAST, {"kdim": 3}),
        ((M, (4, 2, 6)), FAST, {"vdim": 6, "add_bias_kv": True}),
        (((4, 2, 3), M), FAST, {"kdim": 3, "bias": False})]],
    Case("MultiheadAttention", (4, 2, 0.5), (X, X, X), train=False, order=0, why="random in training"),
    Case("MultiheadAttention", (4, 2, 0.9), (X, M, M), train=False, order=0, why="random in training"),
]

ENCODER, DECODER = "TransformerEncoderLayer", "TransformerDecoderLayer"
TGT = {"tgt_mask": LATER, "tgt_key_padding_mask": PADDED3, "memory_mask": SOME,
       "memory_key_padding_mask": PADDED}  # fmt: skip
CAUSAL = {"tgt_mask": TRIANGLE, "tgt_is_causal": True}

TGT3 = {"tgt_mask": TRIANGLE, "memory_mask": TRIANGLE, "tgt_is_causal": True, "memory_is_causal": True}
FEW, FEW_M = (2, 1, 3), (3, 1, 3)
ENCODER_PARTS = [["self_attn"], ["linear1", "linear2"], ["norm1", "norm2"]]
DECODER_PARTS = [*ENCODER_PARTS, ["multihead_attn"], ["norm3"]]

LAYERS = [
    layer(ENCODER, (FEW,), 3, 1, 2, order=2),
    *[layer(ENCODER, (FEW,), 3, 1, 2, order=1, wrt=part) for part in ENCODER_PARTS],
    layer(ENCODER, (FEW_M,), 3, 3, 2, order=1, norm_first=True, activation="gelu", layer_norm_eps=0.1,
          call={"src_mask": LATER, "src_key_padding_mask": PADDED3[:1]}),
    layer(ENCODER, ((3, 4),), 4, 1, 3),
    layer(ENCODER, (FIRST,), 4, 2, 5, batch_first=True),
    layer(ENCODER, (X,), 4, 2, 5, norm_first=True),
    layer(ENCODER, (X,), 4, 2, 5, activation="gelu"),
    layer(ENCODER, (X,), 4, 2, 5, activation="relu", layer_norm_eps=0.1),
    layer(ENCODER, (X,), 4, 2, 5, layer_norm_eps=1e-3, bias=False),
    layer(ENCODER, (X,), 4, 2, 5, norm_first=True, call={"src_mask": LATER, "src_key_padding_mask": PADDED3}),
    layer(ENCODER, (X,), 4, 2, 5, call={"src_mask": TRIANGLE, "is_causal": True}),
    Case(ENCODER, (4, 2, 5), (X,), train=False, order=0, why="random in training"),
    Case(ENCODER, (4, 2), (X,), {"dropout": 0.3}, train=False, order=0, why="2048 hidden units are many"),
    layer(DECODER, (FEW, FEW), 3, 1, 2, order=2),
    *[layer(DECODER, (FEW, FEW), 3, 1, 2, order=1, wrt=part) for part in DECODER_PARTS],
    layer(DECODER, (FEW_M, FEW), 3, 3, 2, order=1, norm_first=True, activation="gelu", layer_norm_eps=0.1,
          call={"tgt_mask": TRIANGLE, "tgt_is_causal": True, "memory_mask": LATER[:, 1:]}),
    layer(DECODER, (X, M), 4, 2, 5),
    layer(DECODER, ((3, 4), (4, 4)), 4, 1, 3),
    layer(DECODER, (FIRST, FIRST_M), 4, 2, 5, batch_first=True, activation="gelu"),
    layer(DECODER, (X, M), 4, 2, 5, norm_first=True, bias=False, layer_norm_eps=1e-3),
    layer(DECODER, (X, M), 4, 2, 5, layer_norm_eps=0.1, call=TGT),
    layer(DECODER, (X, X), 4, 2, 5, norm_first=True, activation=np.tanh, call=TGT3),
    Case(DECODER, (4, 2, 5), (X, M), train=False, order=0, why="random in training"),
    *[layer(DECODER, (X, M), 4, 2, 5, dropout=p) for p in (0.3, 0.5)],
]  # fmt: skip


def stack(
    kind: str, n: int, norm: str, shapes: Any, call: Any = None, d: int = 4, order: int = 0,
    how: Any = None, **kwargs: Any,
) -> Case:  # fmt: skip
    """A stack of layers: its copies are made alike, so their parameters are drawn anew."""

    def build(module: Any, take: Any, **how: Any) -> Any:
        one = getattr(module, f"Transformer{kind}Layer")(d, 1 if d == 3 else 2, 5, 0.0, **kwargs)
        return take(one, n, getattr(module, norm)(d) if norm else None, **how)

    def ours() -> Any:
        return build(nn, getattr(nn, f"Transformer{kind}"), **(how or {}))

    def theirs(torch: Any) -> Any:
        base = getattr(torch.nn, f"Transformer{kind}")

        class Theirs(base):  # type: ignore[misc, valid-type]
            def forward(self, *x: Any, **how: Any) -> Any:
                return super().forward(*x, **tensors(torch, how, x[0]))

        more = {"enable_nested_tensor": False} if kind == "Encoder" else {}
        return build(torch.nn, Theirs, **((how or {}) | more))

    return Case(f"Transformer{kind}", (n, norm), shapes, kwargs | (how or {}), call or {}, make=ours,
                torch=theirs, order=order, wrt="inputs", rtol32=2e-4, why=SMALL_ONES)  # fmt: skip


def of_parts(layers: int, norm_first: bool) -> Case:
    """A Transformer of an encoder and a decoder that were made before it."""

    def parts(module: Any) -> dict[str, Any]:
        args = (4, 2, 5, 0.0)
        one = module.TransformerEncoderLayer(*args, norm_first=norm_first)
        other = module.TransformerDecoderLayer(*args, norm_first=norm_first)
        return {"custom_encoder": module.TransformerEncoder(one, layers, enable_nested_tensor=False),
                "custom_decoder": module.TransformerDecoder(other, layers)}  # fmt: skip

    def build(module: Any) -> Any:
        return module.Transformer(4, 2, **parts(module))

    return Case("Transformer", (4, 2), (X, M), {"parts": layers, "norm_first": norm_first},
                make=lambda: build(nn), torch=lambda torch: build(torch.nn), order=0,
                rtol32=2e-4, why=SMALL_ONES)  # fmt: skip


MASKS = {"src_mask": LATER, "tgt_mask": LATER, "src_key_padding_mask": PADDED3,
         "tgt_key_padding_mask": PADDED3, "memory_key_padding_mask": PADDED3,
         "memory_mask": LATER}  # fmt: skip
SMALL = {"d_model": 4, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 3}

STACKS = [
    stack("Encoder", 1, "LayerNorm", (FEW,), d=3, order=2),
    stack("Encoder", 2, "", (X,)),
    stack("Encoder", 1, "LayerNorm", (X,), {"mask": TRIANGLE}),
    stack("Encoder", 2, "RMSNorm", (X,),
          {"mask": LATER, "src_key_padding_mask": PADDED3, "is_causal": False}),
    stack("Encoder", 1, "LayerNorm", (FIRST,), {"mask": TRIANGLE, "is_causal": True}, batch_first=True,
          how={"enable_nested_tensor": False, "mask_check": False}),
    stack("Decoder", 1, "LayerNorm", (FEW, FEW), d=3, order=2),
    stack("Decoder", 2, "", (X, M)),
    stack("Decoder", 1, "RMSNorm", (X, M), TGT),
    stack("Decoder", 1, "LayerNorm", (FIRST, FIRST_M), CAUSAL, batch_first=True),
    *[layer("Transformer", (FEW, FEW), 3, 1, 1, 1, 1, order=order, wrt=part) for part, order in [
        (["src"], 2), (["tgt"], 1), (["encoder.norm"], 1), (["decoder.norm"], 1)]],
    layer("Transformer", (X, (5, 2, 4)), **SMALL),
    layer("Transformer", (X, X), **SMALL, call=MASKS),
    layer("Transformer", (X, X), **SMALL, norm_first=True, bias=False, activation="gelu", layer_norm_eps=0.1,
          call=CAUSAL | {"src_mask": TRIANGLE, "src_is_causal": True}),
    layer("Transformer", ((2, 5, 4), FIRST), **SMALL, batch_first=True, activation=np.tanh,
          layer_norm_eps=1e-3),
    layer("Transformer", ((5, 4), (3, 4)), **SMALL | {"num_encoder_layers": 2, "nhead": 1}),
    layer("Transformer", ((5, 4), (3, 4)), **SMALL | {"num_decoder_layers": 2, "dim_feedforward": 5}),
    *[layer("Transformer", (X, M), **SMALL, dropout=p) for p in (0.3, 0.5)],
    of_parts(1, norm_first=True), of_parts(2, norm_first=False),
]  # fmt: skip


def alone(layer: str, args: Any, shape: Any, **more: Any) -> Case:
    return Case(layer, args, (shape,), torch=None, why="PyTorch has none", **more)


LAST = {"batch_first": False}
POSITIONS = [
    alone("SinusoidalPositionalEncoding", (4,), (2, 3, 4)),
    alone("SinusoidalPositionalEncoding", (5, 2, 100.0), (3, 5)),
    alone("SinusoidalPositionalEncoding", (3, 5, 7.5), (2, 3)),
    alone("SinusoidalPositionalEncoding", (4,), X, kwargs=LAST),
    alone("LearnedPositionalEmbedding", (4, 5), (2, 3, 5)),
    alone("LearnedPositionalEmbedding", (3, 4), X, kwargs=LAST),
    alone("RotaryEmbedding", (4,), (2, 3, 4)),
    alone("RotaryEmbedding", (6, 10.0, False), (3, 6)),
    alone("RotaryEmbedding", (2,), (2, 3, 2), kwargs={"base": 3.0}, call={"positions": np.array([4, 0, 7])}),
]

CASES = [*ATTENTION, *LAYERS, *STACKS, *POSITIONS]
