"""Recurrent layers whose states feed back to all layers, each through a gate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Parameter

from . import functional as F
from . import init
from .casting import taken
from .module import Module
from .settings import check_sizes

__all__ = ["GatedFeedbackRNN"]

GATES = {"tanh": 0, "lstm": 3, "gru": 2}  # of a unit, beside its new content


class GatedFeedbackRNN(Module):
    """A gated-feedback network: the new content of a layer reads the last states of all layers.

    A number for each pair of layers, the global reset gate
    ``g^(i->j) = sigmoid(w_g^(i->j) h_t^(j-1) + u_g^(i->j) h*_(t-1))``, says how much layer j reads of layer
    i; h* are the states of all layers, one after the other, and h_t^0 is x_t. With
    ``s = sum_i g^(i->j) U^(i->j) h^i_(t-1)``, layer j computes

        tanh:  h_t = tanh(W h_t^(j-1) + b + s)
        lstm:  c_t = f c_(t-1) + i tanh(W_g h_t^(j-1) + b_g + s),  h_t = o tanh(c_t)
        gru:   h_t = (1 - z) h_(t-1) + z tanh(W_n h_t^(j-1) + b_n + r s)

    where the gates i, f, o or r, z are those of the unit, ``sigmoid(W h_t^(j-1) + b + V h^j_(t-1))``.

    Args:
        input_size: length of the vector x_t.
        hidden_size: H, length of the state of each layer.
        num_layers: L.
        unit: ``"tanh"``, ``"lstm"`` or ``"gru"``.
        bias: whether there is a b.
        batch_first: input and output are (N, T, ...), not (T, N, ...).
        dtype: of the parameters, float32 by default.

    Shapes:
        input: (T, N, input_size), or (T, input_size) for a single sequence.
        hx: the first state, (L, N, H), for LSTM units a pair (h_0, c_0); without N for a single sequence.
        Returns the states of the last layer, (T, N, H), and the last state of all layers, like hx.
        For each layer k: weight_ih_lk: (H, input_size), or (H, H), with 4 H rows for the parts i, f, g, o of
        LSTM units, 3 H for r, z, n of GRU units; bias_lk: as many; weight_hh_lk, V: (3 H, H) for i, f, o,
        (2 H, H) for r, z; weight_feedback_lk, U: (H, L H); weight_reset_ih_lk, w_g: (L, input_size), or
        (L, H); weight_reset_hh_lk, u_g: (L, L H). All start uniform in +-1/sqrt(H).

    Raises:
        ValueError: a shape or an argument that does not fit.
        TypeError: hx of LSTM units is no pair.

    Source: J. Chung, C. Gulcehre, K. Cho and Y. Bengio, "Gated feedback recurrent neural networks", 2015.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, h = nn.GatedFeedbackRNN(3, 4, num_layers=2, unit="gru")(np.ones((5, 2, 3)))
    >>> y.shape, h.shape
    ((5, 2, 4), (2, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 2, unit: str = "tanh", bias: bool = True,
        batch_first: bool = False, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        who = "GatedFeedbackRNN"
        check_sizes(who, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if unit not in GATES:
            raise ValueError(message(who, f"unit={unit!r}", f"one of {', '.join(map(repr, GATES))}"))
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.unit, self.bias, self.batch_first = unit, bias, batch_first
        gates, every = GATES[unit] * hidden_size, num_layers * hidden_size
        for k in range(num_layers):
            inputs = hidden_size if k else input_size
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates + hidden_size, inputs)}
            if bias:
                shapes["bias"] = (gates + hidden_size,)
            if gates:
                shapes["weight_hh"] = gates, hidden_size
            shapes |= {"weight_feedback": (hidden_size, every), "weight_reset_ih": (num_layers, inputs),
                       "weight_reset_hh": (num_layers, every)}  # fmt: skip
            for name, shape in shapes.items():
                self.register_parameter(f"{name}_l{k}", Parameter(np.empty(shape, dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters, uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input: Any, hx: Any = None) -> Any:
        who, dtype = "GatedFeedbackRNN", next(self.parameters()).dtype
        x = taken(input, dtype, who)
        batched = np.ndim(x) == 3
        if np.ndim(x) not in (2, 3) or x.shape[-1] != self.input_size or not x.size:
            n = self.input_size
            raise ValueError(message(who, f"an input of shape {np.shape(x)}",
                                     f"(steps, batch, {n}) or (steps, {n})"))  # fmt: skip
        if not batched:
            x = ops.expand_dims(x, 1)
        elif self.batch_first:
            x = ops.swapaxes(x, 0, 1)
        parts = self._first(hx, x.shape[1], dtype, batched)
        states = [[part[k] for part in parts] for k in range(self.num_layers)]
        found = []
        for t in range(x.shape[0]):
            states = self._step(x[t], states)
            found.append(states[-1][0])
        y, last = ops.stack(found), [ops.stack(part) for part in zip(*states, strict=True)]
        if not batched:
            y, last = y[:, 0], [part[:, 0] for part in last]
        elif self.batch_first:
            y = ops.swapaxes(y, 0, 1)
        return y, tuple(last) if self.unit == "lstm" else last[0]

    def _first(self, hx: Any, batch: int, dtype: Any, batched: bool) -> list[Any]:
        """Return the parts of the first state: h, and c of LSTM units."""
        who, lstm = "GatedFeedbackRNN", self.unit == "lstm"
        shape = (self.num_layers, batch, self.hidden_size)
        if hx is None:
            return [np.zeros(shape, dtype)] * (1 + lstm)
        if lstm and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise TypeError(message(who, f"a first state of type {type(hx).__name__}", "a pair (h_0, c_0)"))
        parts = []
        for h in hx if lstm else (hx,):
            h = taken(h, dtype, who)
            expected = shape if batched else (shape[0], shape[2])
            if h.shape != expected:
                raise ValueError(message(who, f"a first state of shape {h.shape}", f"{expected}"))
            parts.append(h if batched else ops.expand_dims(h, 1))
        return parts

    def _step(self, x: Any, states: list[list[Any]]) -> list[list[Any]]:
        """Return the states of all layers after one step: [h], or [h, c], for each."""
        lasts, out = [h for h, *_ in states], []
        every = ops.concatenate(lasts, axis=1)
        for k, (h, *cells) in enumerate(states):

            def weight(name: str, k: int = k) -> Any:
                return getattr(self, f"{name}_l{k}", None)

            a = F.linear(x, weight("weight_ih"), weight("bias"))
            reset = ops.sigmoid(F.linear(x, weight("weight_reset_ih"))
                                + F.linear(every, weight("weight_reset_hh")))  # fmt: skip
            gated = ops.concatenate([reset[:, i : i + 1] * last for i, last in enumerate(lasts)], axis=1)
            s = F.linear(gated, weight("weight_feedback"))
            if self.unit == "tanh":
                new = [ops.tanh(a + s)]
            elif self.unit == "lstm":
                new = self._lstm(a, F.linear(h, weight("weight_hh")), s, cells[0])
            else:
                new = self._gru(a, F.linear(h, weight("weight_hh")), s, h)
            out.append(new)
            x = new[0]
        return out

    @staticmethod
    def _lstm(a: Any, b: Any, s: Any, c: Any) -> list[Any]:
        (ai, af, ag, ao), (bi, bf, bo) = ops.split(a, 4, axis=1), ops.split(b, 3, axis=1)
        c = ops.sigmoid(af + bf) * c + ops.sigmoid(ai + bi) * ops.tanh(ag + s)
        return [ops.sigmoid(ao + bo) * ops.tanh(c), c]

    @staticmethod
    def _gru(a: Any, b: Any, s: Any, h: Any) -> list[Any]:
        (ar, az, an), (br, bz) = ops.split(a, 3, axis=1), ops.split(b, 2, axis=1)
        z = ops.sigmoid(az + bz)
        return [(1 - z) * h + z * ops.tanh(an + ops.sigmoid(ar + br) * s)]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}, unit={self.unit!r}"
        return text + ", bias=False" * (not self.bias) + ", batch_first=True" * self.batch_first
