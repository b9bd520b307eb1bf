"""Transformers: attention and a network for each position, in layers, as encoder and decoder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core.errors import message
from autograd_core.node import has_box
from autograd_core.tensor import Tensor

from . import functional as F
from . import init
from .attention import MultiheadAttention
from .casting import taken
from .containers import ModuleList
from .dropout import Dropout
from .functional.attention import is_causal
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Any], Any]


class _Layer(Module):
    """What layers of encoder and decoder share: the network for each position, and how it is set up."""

    attentions: tuple[str, ...]  # their names

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        for name in self.attentions:
            setattr(self, name, MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype))  # fmt: skip
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        parts = range(1, len(self.attentions) + 2)
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _activation(activation, type(self).__name__)

    def _data(self, x: Any) -> Any:
        """Take data in the dtype of the parameters, for it is added to what they make of it."""
        return taken(x, self.linear1.weight.dtype, type(self).__name__)

    def _residual(self, x: Any, i: int, part: Callable[[Any], Any]) -> Any:
        """Return ``x + part(norm(x))``, or ``norm(x + part(x))``, with the i-th norm and dropout."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        return x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))

    def _feedforward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def extra_repr(self) -> str:
        function = getattr(self.activation, "__name__", "")
        return f"activation={function}, " * bool(function) + f"norm_first={self.norm_first}"


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a network for each position, each with a residual connection and a norm.

    ``x <- norm1(x + attention(x))``, ``x <- norm2(x + W_2 activation(W_1 x + b_1) + b_2)``; with
    ``norm_first``, ``x <- x + attention(norm1(x))``, ``x <- x + W_2 activation(W_1 norm2(x) + b_1) + b_2``.

    Args:
        d_model: E, the length of each vector.
        nhead: the number of heads.
        dim_feedforward: the number of hidden units for each position.
        dropout: applied to weights of attention, hidden units and what is added to x.
        activation: ``"relu"``, ``"gelu"``, a function or a module.
        layer_norm_eps: eps of the norms.
        batch_first: axes are (N, L, E), not (L, N, E).
        norm_first: where the norms stand.
        bias: whether linear layers and norms have one.
        dtype: of the parameters, float32 by default.

    Shapes:
        src: (L, N, E), (N, L, E) or (L, E) -> the same. ``src_mask``, ``src_key_padding_mask`` and
        ``is_causal`` are those of :class:`MultiheadAttention`.

    Raises:
        ValueError: nhead does not divide d_model, an unknown activation, shapes that do not fit.

    Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(np.ones((5, 3, 8))).shape
    (5, 3, 8)
    """

    attentions = ("self_attn",)
    self_attn: MultiheadAttention

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = False
    ) -> Tensor:
        x = self._data(src)

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        y: Tensor = self._residual(self._residual(x, 1, attend), 2, self._feedforward)
        return y


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to a memory, then a network for each position, each with residual and norm.

    Arguments are those of :class:`TransformerEncoderLayer`.

    Shapes:
        tgt: (L, N, E), (N, L, E) or (L, E) -> the same; memory: (S, N, E), (N, S, E) or (S, E).

    Raises:
        ValueError: nhead does not divide d_model, an unknown activation, shapes that do not fit.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(np.ones((5, 3, 8)), np.ones((5, 4, 8))).shape
    (5, 3, 8)
    """

    attentions = ("self_attn", "multihead_attn")
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = False, memory_is_causal: bool | None = False,
    ) -> Tensor:  # fmt: skip
        x, memory = self._data(tgt), self._data(memory)

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def recall(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask,
                is_causal=memory_is_causal)[0]  # fmt: skip

        x = self._residual(self._residual(x, 1, attend), 2, recall)
        y: Tensor = self._residual(x, 3, self._feedforward)
        return y


class _Stack(Module):
    """Copies of one layer, one after the other, and a norm at the end."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        if num_layers < 0:
            raise ValueError(message(type(self).__name__, f"num_layers={num_layers}", "a number of layers"))
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _through(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *args, **kwargs)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """Copies of an encoder layer, one after the other, and a norm at the end.

    All copies start with the same parameters, as PyTorch's do.

    Args:
        encoder_layer: the layer that is copied.
        num_layers: how many copies.
        norm: a module for the end, or None.
        enable_nested_tensor, mask_check: taken as PyTorch takes them, without effect.

    Shapes:
        src: what the layer takes -> the same. ``mask``, ``src_key_padding_mask`` and ``is_causal`` go to
        each layer; with ``is_causal=None`` it is found out whether ``mask`` is the causal one.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)
    >>> encoder(np.ones((3, 5, 8))).shape
    (3, 5, 8)
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Tensor:
        y: Tensor = self._through(src, mask, src_key_padding_mask, is_causal=_causal(mask, is_causal))
        return y


class TransformerDecoder(_Stack):
    """Copies of a decoder layer, one after the other, and a norm at the end.

    Args:
        decoder_layer: the layer that is copied.
        num_layers: how many copies.
        norm: a module for the end, or None.

    Shapes:
        tgt, memory: what the layer takes -> the shape of tgt. Masks and hints go to each layer; with
        ``tgt_is_causal=None`` it is found out whether ``tgt_mask`` is the causal one.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2, nn.LayerNorm(8))
    >>> decoder(np.ones((3, 5, 8)), np.ones((4, 5, 8))).shape
    (3, 5, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
        tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool | None = False,
    ) -> Tensor:  # fmt: skip
        y: Tensor = self._through(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
            tgt_is_causal=_causal(tgt_mask, tgt_is_causal), memory_is_causal=memory_is_causal)  # fmt: skip
        return y


class Transformer(Module):
    """An encoder that reads a sequence, and a decoder that writes one and attends to it.

    Args:
        d_model: E, the length of each vector.
        nhead: the number of heads.
        num_encoder_layers: how many layers the encoder has.
        num_decoder_layers: how many layers the decoder has.
        dim_feedforward, dropout, activation: those of :class:`TransformerEncoderLayer`.
        custom_encoder: a module in the encoder's place.
        custom_decoder: a module in the decoder's place.
        layer_norm_eps, batch_first, norm_first, bias: those of :class:`TransformerEncoderLayer`.
        dtype: of the parameters, float32 by default.

    Shapes:
        src: (S, N, E), (N, S, E) or (S, E); tgt: (L, N, E), (N, L, E) or (L, E) -> the shape of tgt.

    Raises:
        ValueError: shapes that do not fit.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> model = nn.Transformer(8, 2, 1, 1, 16)
    >>> mask = model.generate_square_subsequent_mask(3)
    >>> model(np.ones((4, 5, 8)), np.ones((3, 5, 8)), tgt_mask=mask).shape
    (3, 5, 8)
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = F.relu,
        custom_encoder: Module | None = None, custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        how = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first,
               bias, dtype)  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        if custom_encoder is None:
            custom_encoder = TransformerEncoder(TransformerEncoderLayer(*how), num_encoder_layers, norm())
        if custom_decoder is None:
            custom_decoder = TransformerDecoder(TransformerDecoderLayer(*how), num_decoder_layers, norm())
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None,
        src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool | None = False,
    ) -> Tensor:  # fmt: skip
        shapes, batch = (np.shape(src), np.shape(tgt)), 0 if self.batch_first else 1
        if any(s[-1:] != (self.d_model,) for s in shapes) or len(shapes[0]) != len(shapes[1]) or (
            len(shapes[0]) == 3 and shapes[0][batch] != shapes[1][batch]
        ):  # fmt: skip
            layout = "(N, length, E)" if self.batch_first else "(length, N, E)"
            expected = f"{layout} or (length, E), with E = {self.d_model} and one N"
            raise ValueError(message("Transformer", f"src {shapes[0]}, tgt {shapes[1]}", expected))
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        y: Tensor = self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)  # fmt: skip
        return y

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: DTypeLike = np.float32) -> Any:
        """Return the causal mask, (sz, sz): 0 where j <= i, else -inf; see ``F.causal_mask``."""
        return F.causal_mask(sz, dtype=dtype)


def _activation(activation: Activation, who: str) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    known: dict[str, Callable[[Any], Any]] = {"relu": F.relu, "gelu": F.gelu}
    if activation not in known:
        raise ValueError(message(who, f"activation={activation!r}", "'relu', 'gelu' or a function"))
    return known[activation]


def _causal(mask: Any, hint: bool | None) -> bool | None:
    """Tell whether a mask is the causal one: as said, or, where nothing is said, as it is.

    In a step that is captured that is left to the kernel of attention (None): the next mask may be another.
    """
    if hint is not None or mask is None:
        return bool(hint)
    if has_box(mask) or mask.shape[:-1] != mask.shape[-1:]:
        return False
    return is_causal(mask) if type(mask) is np.ndarray else None
