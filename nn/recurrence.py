"""What RNN, LSTM and GRU share: their parameters, layers and directions, and what may come in."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Parameter, Tensor

from . import functional as F
from . import init
from .casting import taken
from .module import Module
from .settings import check_shares, check_sizes
from .utils.rnn import (
    PackedSequence,
    checked_lengths,
    invert_permutation,
    pad_packed_sequence,
    places,
    running,
)  # fmt: skip

__all__ = ["Recurrence"]

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


class Recurrence(Module):
    """Layers and directions of a recurrent layer; a subclass states its scan.

    ``kind`` is the name for errors, and says how many gates there are.
    """

    kind: str

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, bias: bool, batch_first: bool,
        dropout: float, bidirectional: bool, dtype: DTypeLike, proj_size: int = 0, peephole: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        check_sizes(self.kind, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_shares(self.kind, dropout=dropout)
        if not 0 <= proj_size < hidden_size:
            raise ValueError(message(
                self.kind, f"proj_size={proj_size}",
                f"0 (no projection) to {hidden_size - 1}, less than hidden_size"))  # fmt: skip
        if dropout and num_layers == 1:
            warnings.warn(message(self.kind, f"dropout={dropout} and num_layers=1",
                                  "num_layers of 2 or more, as dropout stands between layers",
                                  "nn.Dropout after it"), stacklevel=3)  # fmt: skip
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size, self.peephole = bidirectional, proj_size, peephole
        self.draws = dropout > 0  # in training: see nn.monte_carlo
        rows, out = GATES[self.kind] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            inputs = out * (1 + bidirectional) if layer else input_size
            for end in self._ends(layer):
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, out)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = out, hidden_size
                if peephole:
                    shapes |= dict.fromkeys(("weight_ci", "weight_cf", "weight_co"), (hidden_size,))
                for name, shape in shapes.items():
                    self.register_parameter(name + end, Parameter(np.empty(shape, dtype)))
        self.reset_parameters()

    def _ends(self, layer: int) -> list[str]:
        """Return how the names of a layer's parameters end, for each direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: 1 + self.bidirectional]

    def reset_parameters(self) -> None:
        """Draw new parameters, uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: the memory of parameters needs no rearranging here."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[p for name, p in self.named_parameters() if name.partition("_l")[2] == end[2:]]
                for layer in range(self.num_layers) for end in self._ends(layer)]  # fmt: skip

    # -- what comes in, and what goes out ---------------------------------------------------------

    def forward(self, input: Any, hx: Any = None, lengths: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise ValueError(message(self.kind, "a PackedSequence and lengths", "one of them"))
            return self._packed(input, hx)
        dtype = next(self.parameters()).dtype
        x = taken(input, dtype, self.kind)
        batched = np.ndim(x) == 3
        if np.ndim(x) not in (2, 3):
            raise ValueError(message(self.kind, f"an input of {np.ndim(x)} axes, of shape {np.shape(x)}",
                                     f"2 axes, (T, {self.input_size}), or 3, {self._layout()}"))  # fmt: skip
        if x.shape[-1] != self.input_size:
            raise ValueError(message(self.kind, f"an input of shape {x.shape}",
                                     f"{self._layout()}: input_size={self.input_size}"))  # fmt: skip
        if not batched:
            x = ops.expand_dims(x, 1)
        elif self.batch_first:
            x = ops.swapaxes(x, 0, 1)
        if not x.shape[0]:
            raise ValueError(message(self.kind, f"an input of shape {np.shape(input)}", "one step or more"))
        state = self._first(hx, x.shape[1], dtype, batched)
        if lengths is None:
            y, last = self._run(x, state, None)
        else:
            y, last = self._padded(x, state, lengths)
        if not batched:
            y, last = y[:, 0], [h[:, 0] for h in last]
        elif self.batch_first:
            y = ops.swapaxes(y, 0, 1)
        return y, self._state(last)

    def _layout(self) -> str:
        return f"({'N, T' if self.batch_first else 'T, N'}, {self.input_size})"

    def _state(self, parts: Any) -> Any:
        return tuple(parts) if self.kind == "LSTM" else parts[0]

    def _first(self, hx: Any, batch: int, dtype: Any, batched: bool) -> list[Any]:
        """Return the parts of the first state, (layers, N, H) each; zeros for None."""
        count = self.num_layers * (1 + self.bidirectional)
        sizes = {"h": self.proj_size or self.hidden_size}
        if self.kind == "LSTM":
            sizes["c"] = self.hidden_size
        if hx is None:
            return [np.zeros((count, batch, n), dtype) for n in sizes.values()]
        if self.kind == "LSTM":
            if not isinstance(hx, (tuple, list)) or len(hx) != 2:
                raise TypeError(message("LSTM", f"a first state of type {type(hx).__name__}",
                                        "a pair (h_0, c_0)"))  # fmt: skip
        else:
            hx = (hx,)
        parts = []
        for (name, n), h in zip(sizes.items(), hx, strict=True):
            h = taken(h, dtype, self.kind)
            shape = (count, batch, n) if batched else (count, n)
            if np.shape(h) != shape:
                raise ValueError(message(self.kind, f"a first state {name}_0 of shape {np.shape(h)}",
                                         f"{shape}: layers times directions, batch, size" if batched else
                                         f"{shape}: layers times directions, size"))  # fmt: skip
            parts.append(h if batched else ops.expand_dims(h, 1))
        return parts

    def _padded(self, x: Any, state: list[Any], lengths: Any) -> tuple[Any, list[Any]]:
        """Run sequences that end before the padded input does: the longest first."""
        steps, batch = x.shape[:2]
        n = checked_lengths(self.kind, lengths, steps, batch)
        order = np.argsort(-n, kind="stable")
        sizes = running(n, steps)
        if (order == np.arange(batch)).all():
            y, last = self._run(x, state, tuple(sizes.tolist()))
        else:
            back = invert_permutation(order)
            y, last = self._run(x[:, order], [h[:, order] for h in state], tuple(sizes.tolist()))
            y, last = y[:, back], [h[:, back] for h in last]
        mask = (np.arange(steps)[:, np.newaxis] < n)[..., np.newaxis]
        return y * mask.astype(y.dtype), last

    def _packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        data, sizes, order, back = input
        dtype = next(self.parameters()).dtype
        data = taken(data, dtype, self.kind)
        if data.ndim != 2 or data.shape[1] != self.input_size:
            raise ValueError(message(
                self.kind, f"packed data of shape {data.shape}",
                f"(all steps, {self.input_size}): input_size={self.input_size}"))  # fmt: skip
        x, _ = pad_packed_sequence(PackedSequence(data, sizes))
        state = self._first(hx, x.shape[1], dtype, True)
        if order is not None:
            state = [h[:, order] for h in state]
        y, last = self._run(x, state, tuple(np.asarray(sizes).tolist()))
        if back is not None:
            last = [h[:, back] for h in last]
        return PackedSequence(y[places(sizes)], sizes, order, back), self._state(last)

    # -- all layers and directions ------------------------------------------------------------------

    def _run(self, x: Any, state: list[Any], sizes: tuple[int, ...] | None) -> tuple[Any, list[Any]]:
        """Return the last layer's outputs (T, N, D H), and the parts of the last state."""
        lasts: list[list[Any]] = []
        for layer in range(self.num_layers):
            outputs = []
            for end in self._ends(layer):
                z = F.linear(x, getattr(self, f"weight_ih{end}"))
                reverse = end.endswith("reverse")
                y, *cells = self._scan(z, [h[len(lasts)] for h in state], end, reverse, sizes)
                outputs.append(y)
                lasts.append([y[0 if reverse else -1], *cells])
            x = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=2)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout)
        return x, [ops.stack(parts) for parts in zip(*lasts, strict=True)]

    def _weights(self, end: str) -> list[Any]:
        """Return weight_hh, bias_ih and bias_hh of a layer and direction, None for those that are not."""
        return [getattr(self, name + end, None) for name in ("weight_hh", "bias_ih", "bias_hh")]

    def _scan(self, z: Any, state: list[Any], end: str, reverse: bool, sizes: Any) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def extra_repr(self) -> str:
        given = {"proj_size": 0, "num_layers": 1, "nonlinearity": "tanh", "bias": True, "batch_first": False,
                 "dropout": 0.0, "bidirectional": False, "peephole": False}  # fmt: skip
        changed = [f"{name}={value!r}" for name, default in given.items()
                   if (value := getattr(self, name, default)) != default]  # fmt: skip
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])
