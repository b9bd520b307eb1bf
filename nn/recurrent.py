"""Recurrent layers: a state that each step of a sequence reads and changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.errors import message
from autograd_core.tensor import Tensor

from . import functional as F
from .recurrence import Recurrence

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(Recurrence):
    """Layers of ``h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)`` over the steps of sequences.

    Args:
        input_size: length of the vector x_t.
        hidden_size: H, length of the state h_t.
        num_layers: how many layers there are; each reads the states of the one before.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: whether there are b_ih and b_hh.
        batch_first: input and output are (N, T, ...), not (T, N, ...).
        dropout: the probability that a state is dropped on its way to the next layer, in training.
        bidirectional: each layer also runs from the end to the start, with weights of its own.
        dtype: of the parameters, float32 by default.

    Shapes:
        input: (T, N, input_size), (T, input_size) for a single sequence, or a PackedSequence.
        hx: the first state, (D num_layers, N, H) with D directions; without N for a single sequence; None: 0.
        lengths: of each sequence, N integers from 1 to T; None: all are T long. The outputs after a
        sequence's end are 0, its last state is that at its end, and the reverse direction starts there.
        Returns the states of the last layer, (T, N, D H), and the last state of each layer and direction.
        For each layer k: weight_ih_lk: (H, input_size), or (H, D H); weight_hh_lk: (H, H); bias_ih_lk,
        bias_hh_lk: (H,); the same with ``_reverse``. All start uniform in +-1/sqrt(H).

    Raises:
        ValueError: a shape, a length or an argument that does not fit.
        TypeError: a size that is no integer.

    Source: J. Elman, "Finding structure in time", 1990; P. Werbos, "Backpropagation through time", 1990.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, h = nn.RNN(3, 4, num_layers=2)(np.ones((5, 2, 3)))
    >>> y.shape, h.shape
    ((5, 2, 4), (2, 2, 4))
    """

    kind = "RNN"

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(message("RNN", f"nonlinearity={nonlinearity!r}", "'tanh' or 'relu'"))
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         dtype)  # fmt: skip

    def _scan(self, z: Any, state: list[Any], end: str, reverse: bool, sizes: Any) -> tuple[Tensor, ...]:
        w, b_ih, b_hh = self._weights(end)
        return (F.rnn_scan(z, state[0], w, b_ih, b_hh, nonlinearity=self.nonlinearity,
                           reverse=reverse, sizes=sizes),)  # fmt: skip


class LSTM(Recurrence):
    """Long short-term memory: cells that gates write to, keep and read.

    With ``a = W_ih x_t + b_ih + W_hh h_(t-1) + b_hh`` in four parts: ``i = sigmoid(a_i)``,
    ``f = sigmoid(a_f)``, ``g = tanh(a_g)``, ``o = sigmoid(a_o)``, and then ``c_t = f c_(t-1) + i g``,
    ``h_t = o tanh(c_t)``. Where f is 1 and i is 0 the cells, and their gradient, are copied from step to
    step.

    Args:
        input_size: length of the vector x_t.
        hidden_size: H, the number of cells.
        num_layers: how many layers there are; each reads the states of the one before.
        bias: whether there are b_ih and b_hh.
        batch_first: input and output are (N, T, ...), not (T, N, ...).
        dropout: the probability that a state is dropped on its way to the next layer, in training.
        bidirectional: each layer also runs from the end to the start, with weights of its own.
        proj_size: P, if not 0: ``h_t = W_hr (o tanh(c_t))`` is P long.
        peephole: the cells are seen by the gates: ``p_i c_(t-1)`` is added to a_i, ``p_f c_(t-1)`` to a_f,
            ``p_o c_t`` to a_o.
        dtype: of the parameters, float32 by default.

    Shapes:
        input: (T, N, input_size), (T, input_size) for a single sequence, or a PackedSequence.
        hx: (h_0, c_0), (D num_layers, N, H) each with D directions, h_0 with P in place of H; without N for
        a single sequence; None: 0.
        lengths: as for :class:`RNN`.
        Returns the states of the last layer, (T, N, D H), and (h_n, c_n), the last ones of each layer and
        direction.
        For each layer k: weight_ih_lk: (4 H, input_size), or (4 H, D H); weight_hh_lk: (4 H, H); bias_ih_lk,
        bias_hh_lk: (4 H,); weight_hr_lk: (P, H); weight_ci_lk, weight_cf_lk, weight_co_lk: (H,); the same
        with ``_reverse``. All start uniform in +-1/sqrt(H).

    Raises:
        ValueError: a shape, a length or an argument that does not fit.
        TypeError: a size that is no integer, or hx is no pair.

    Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997; the forget gate: F. Gers,
    J. Schmidhuber and F. Cummins, "Learning to forget", 2000; peepholes: F. Gers and J. Schmidhuber,
    "Recurrent nets that time and count", 2000; projections: H. Sak, A. Senior and F. Beaufays, 2014.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, (h, c) = nn.LSTM(3, 4, batch_first=True)(np.ones((2, 5, 3)), lengths=[5, 2])
    >>> y.shape, h.shape, abs(y[1, 2:]).sum().item()
    ((2, 5, 4), (1, 2, 4), 0.0)
    """

    kind = "LSTM"

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        peephole: bool = False, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         dtype, proj_size, peephole)  # fmt: skip

    def _scan(self, z: Any, state: list[Any], end: str, reverse: bool, sizes: Any) -> tuple[Tensor, ...]:
        w, b_ih, b_hh = self._weights(end)
        w_hr = getattr(self, f"weight_hr{end}", None)
        p = ops.stack([getattr(self, f"weight_c{gate}{end}") for gate in "ifo"]) if self.peephole else None
        h, c = state
        return F.lstm_scan(z, h, c, w, b_ih, b_hh, w_hr, p, reverse=reverse, sizes=sizes)


class GRU(Recurrence):
    """Gated recurrent units: a state that one gate lets through and another one replaces.

    With ``a = W_ih x_t + b_ih`` and ``p = W_hh h_(t-1) + b_hh`` in three parts: ``r = sigmoid(a_r + p_r)``,
    ``z = sigmoid(a_z + p_z)``, ``n = tanh(a_n + r p_n)``, ``h_t = (1 - z) n + z h_(t-1)``.

    Args:
        input_size: length of the vector x_t.
        hidden_size: H, length of the state h_t.
        num_layers: how many layers there are; each reads the states of the one before.
        bias: whether there are b_ih and b_hh.
        batch_first: input and output are (N, T, ...), not (T, N, ...).
        dropout: the probability that a state is dropped on its way to the next layer, in training.
        bidirectional: each layer also runs from the end to the start, with weights of its own.
        dtype: of the parameters, float32 by default.

    Shapes:
        as of :class:`RNN`; weight_ih_lk: (3 H, input_size), or (3 H, D H); weight_hh_lk: (3 H, H);
        bias_ih_lk, bias_hh_lk: (3 H,). All start uniform in +-1/sqrt(H).

    Raises:
        ValueError: a shape, a length or an argument that does not fit.
        TypeError: a size that is no integer.

    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> y, h = nn.GRU(3, 4, bidirectional=True)(np.ones((5, 2, 3)))
    >>> y.shape, h.shape
    ((5, 2, 8), (2, 2, 4))
    """

    kind = "GRU"

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         dtype)  # fmt: skip

    def _scan(self, z: Any, state: list[Any], end: str, reverse: bool, sizes: Any) -> tuple[Tensor, ...]:
        w, b_ih, b_hh = self._weights(end)
        return (F.gru_scan(z, state[0], w, b_ih, b_hh, reverse=reverse, sizes=sizes),)
