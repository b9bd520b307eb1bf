"""Recurrent cells: one step of a recurrent layer, for loops of one's own."""

from __future__ import annotations

import math
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
from .settings import check_sizes

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class _Cell(Module):
    """What the cells share: parameters, and a step as a scan over one time."""

    gates: int
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool, dtype: DTypeLike) -> None:
        super().__init__()
        self.who = type(self).__name__
        check_sizes(self.who, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(np.empty(rows, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters, uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def _read(self, input: Any, states: Any, names: str) -> tuple[bool, Any, list[Any]]:
        """Return whether there is a batch, z = x W_ih^T (1, N, k H), and the states (N, H)."""
        dtype = self.weight_ih.dtype
        x = taken(input, dtype, self.who)
        if np.ndim(x) not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(message(self.who, f"an input of shape {np.shape(x)}",
                                     f"(N, {self.input_size}) or ({self.input_size},)"))  # fmt: skip
        batched, parts = x.ndim == 2, []
        shape = (*x.shape[:-1], self.hidden_size)
        for name, h in zip(names, states, strict=True):
            h = np.zeros(shape, dtype) if h is None else taken(h, dtype, self.who)
            if h.shape != shape:
                raise ValueError(message(self.who, f"a state {name} of shape {h.shape} for an input of shape "
                                         f"{x.shape}", f"{shape}"))  # fmt: skip
            parts.append(h if batched else ops.expand_dims(h, 0))
        z = F.linear(x if batched else ops.expand_dims(x, 0), self.weight_ih)
        return batched, ops.expand_dims(z, 0), parts

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}" + ", bias=False" * (not self.bias)
        kind = getattr(self, "nonlinearity", "tanh")
        return text + f", nonlinearity={kind!r}" * (kind != "tanh")


class RNNCell(_Cell):
    """One step ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Args:
        input_size: length of x.
        hidden_size: H, length of h.
        bias: whether there are b_ih and b_hh.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        dtype: of the parameters, float32 by default.

    Shapes:
        input: (N, input_size) or (input_size,); hx: (N, H) or (H,), None: 0; returns a state like hx.
        weight_ih: (H, input_size), weight_hh: (H, H), bias_ih, bias_hh: (H,), all uniform in +-1/sqrt(H).

    Raises:
        ValueError: a shape or an argument that does not fit.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> cell, h = nn.RNNCell(3, 4), None
    >>> for x in np.ones((5, 2, 3)):
    ...     h = cell(x, h)
    >>> h.shape
    (2, 4)
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(message("RNNCell", f"nonlinearity={nonlinearity!r}", "'tanh' or 'relu'"))
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, input: Any, hx: Any = None) -> Tensor:
        batched, z, (h,) = self._read(input, (hx,), "h")
        y = F.rnn_scan(z, h, self.weight_hh, self.bias_ih, self.bias_hh, nonlinearity=self.nonlinearity)[0]
        return y if batched else y[0]


class LSTMCell(_Cell):
    """One step of an LSTM; see :class:`LSTM` for its equations.

    Args:
        input_size: length of x.
        hidden_size: H, the number of cells.
        bias: whether there are b_ih and b_hh.
        dtype: of the parameters, float32 by default.

    Shapes:
        input: (N, input_size) or (input_size,); hx: (h, c), each (N, H) or (H,), None: 0; returns (h', c').
        weight_ih: (4 H, input_size), weight_hh: (4 H, H), bias_ih, bias_hh: (4 H,), all uniform in
        +-1/sqrt(H); the gates are i, f, g, o.

    Raises:
        ValueError: a shape or an argument that does not fit.
        TypeError: hx is no pair.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> h, c = nn.LSTMCell(3, 4)(np.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise TypeError(message("LSTMCell", f"a state of type {type(hx).__name__}", "a pair (h, c)"))
        batched, z, (h, c) = self._read(input, hx or (None, None), "hc")
        y, c = F.lstm_scan(z, h, c, self.weight_hh, self.bias_ih, self.bias_hh)
        return (y[0], c) if batched else (y[0, 0], c[0])


class GRUCell(_Cell):
    """One step of a GRU; see :class:`GRU` for its equations.

    Args:
        input_size: length of x.
        hidden_size: H, length of h.
        bias: whether there are b_ih and b_hh.
        dtype: of the parameters, float32 by default.

    Shapes:
        input: (N, input_size) or (input_size,); hx: (N, H) or (H,), None: 0; returns a state like hx.
        weight_ih: (3 H, input_size), weight_hh: (3 H, H), bias_ih, bias_hh: (3 H,), all uniform in
        +-1/sqrt(H); the gates are r, z, n.

    Raises:
        ValueError: a shape or an argument that does not fit.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> nn.GRUCell(3, 4)(np.ones(3), np.zeros(4)).shape
    (4,)
    """

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, input: Any, hx: Any = None) -> Tensor:
        batched, z, (h,) = self._read(input, (hx,), "h")
        y = F.gru_scan(z, h, self.weight_hh, self.bias_ih, self.bias_hh)[0]
        return y if batched else y[0]
