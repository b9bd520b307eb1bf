"""Recurrent layers over time, each as one operation: what its steps are, and its kernels.

A step reads what the input adds to each gate, ``z = x W_ih^T`` (for all times one product, outside), and the
state before. The definitions say what a step does, in operations; the kernels compute all steps, and keep
for backward what they found on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.fused import fused
from autograd_core.kernels import recurrent as kernels
from autograd_core.kernels.memory import memory_for, pieces
from autograd_core.tensor import Tensor

__all__ = ["gru_scan", "lstm_scan", "rnn_scan"]

# -- the definitions: one step, and how steps follow each other ------------------------------------


def _scan(
    step: Callable[..., Any], z: Any, state: tuple[Any, ...], reverse: bool, sizes: Any
) -> tuple[Any, Any]:
    """Return the first part of the state at each time, (T, N, H), and the whole state at the end."""
    found: list[Any] = [None] * z.shape[0]
    for _, t, n in kernels.order(z.shape[0], z.shape[1], reverse, sizes):
        after = step(z[t, :n], *[x[:n] for x in state])
        state = tuple(ops.concatenate([new, old[n:]]) for new, old in zip(after, state, strict=True))
        found[t] = state[0]
    return ops.stack(found), state


def _add(z: Any, *biases: Any) -> Any:
    for b in biases:
        z = z + b
    return z


def _rnn(
    z: Any, h: Any, w: Any, *biases: Any, relu: bool = False, reverse: bool = False, sizes: Any = None
) -> Any:
    def step(z: Any, h: Any) -> Any:
        a = _add(z + h @ w.T, *biases)
        return (ops.relu(a) if relu else ops.tanh(a),)

    return _scan(step, z, (h,), reverse, sizes)[0]


def _lstm(
    z: Any, h: Any, c: Any, w: Any, *more: Any, bias: bool = True, project: bool = False,
    peephole: bool = False, reverse: bool = False, sizes: Any = None,
) -> Any:  # fmt: skip
    biases, w_hr, p = _optional(more, bias, project, peephole)

    def step(z: Any, h: Any, c: Any) -> Any:
        i, f, g, o = ops.split(_add(z + h @ w.T, *biases), 4, axis=1)
        if p is not None:
            i, f = i + p[0] * c, f + p[1] * c
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        if p is not None:
            o = o + p[2] * c
        y = ops.sigmoid(o) * ops.tanh(c)
        return y if w_hr is None else y @ w_hr.T, c

    y, (_, c) = _scan(step, z, (h, c), reverse, sizes)
    return ops.concatenate([ops.reshape(y, (-1,)), ops.reshape(c, (-1,))])


def _gru(z: Any, h: Any, w: Any, *biases: Any, reverse: bool = False, sizes: Any = None) -> Any:
    def step(z: Any, h: Any) -> Any:
        a, product = _add(z, *biases[:1]), _add(h @ w.T, *biases[1:])
        (ar, az, an), (pr, pz, pn) = ops.split(a, 3, axis=1), ops.split(product, 3, axis=1)
        keep = ops.sigmoid(az + pz)
        return ((1 - keep) * ops.tanh(an + ops.sigmoid(ar + pr) * pn) + keep * h,)

    return _scan(step, z, (h,), reverse, sizes)[0]


# -- the kernels, with memory for their results ----------------------------------------------------


def _optional(more: Any, bias: bool, project: bool, peephole: bool) -> tuple[Any, Any, Any]:
    """Return the biases, the projection and the peepholes of an LSTM; () or None for what it has not."""
    k = 2 * bias
    return more[:k], more[k] if project else None, more[k + project] if peephole else None


def _sum(biases: Any, w: Any) -> Any:
    return biases[0] + biases[1] if biases else np.zeros(len(w), w.dtype)


def _rnn_forward(
    z: Any, h: Any, w: Any, *biases: Any, relu: bool = False, reverse: bool = False, sizes: Any = None,
    out: Any = None,
) -> Any:  # fmt: skip
    y = memory_for(out, z.shape, z.dtype)
    kernels.rnn(z, h, w, _sum(biases, w), y, relu, reverse, sizes)
    return y


def _rnn_backward(
    g: Any, y: Any, z: Any, h: Any, w: Any, *biases: Any, out: Any, relu: bool = False,
    reverse: bool = False, sizes: Any = None,
) -> None:  # fmt: skip
    dz, dh, dw, *db = out
    first = db[0] if db else np.empty(len(w), w.dtype)
    kernels.rnn_backward(g, y, h, w, dz, dh, dw, first, relu, reverse, sizes)
    for other in db[1:]:
        other[...] = first


def _lstm_kept(memory: Any, steps: int, c: Any) -> tuple[Any, ...]:
    return pieces(memory, (steps, 4, *c.shape), (steps + 1, *c.shape), (steps, *c.shape))


def _lstm_forward(
    z: Any, h: Any, c: Any, w: Any, *more: Any, bias: bool = True, project: bool = False,
    peephole: bool = False, reverse: bool = False, sizes: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    memory = more[-1]
    biases, w_hr, p = _optional(more, bias, project, peephole)
    flat = memory_for(out, len(z) * h.size + c.size, z.dtype)
    y, last = pieces(flat, (len(z), *h.shape), c.shape)
    kept = _lstm_kept(memory, len(z), c)
    kernels.lstm(z, h, c, w, _sum(biases, w), w_hr, p, kept, y, last, reverse, sizes)
    return flat


def _lstm_backward(
    g: Any, flat: Any, z: Any, h: Any, c: Any, w: Any, *more: Any, out: Any, bias: bool = True,
    project: bool = False, peephole: bool = False, reverse: bool = False, sizes: Any = None,
) -> None:  # fmt: skip
    memory = more[-1]
    _, w_hr, p = _optional(more, bias, project, peephole)
    dz, dh, dc, dw, *d_more = out
    db, dw_hr, dp = _optional(d_more, bias, project, peephole)
    shapes = (len(z), *h.shape), c.shape
    (y, _), (gy, gc) = pieces(flat, *shapes), pieces(g, *shapes)
    dc[...] = gc
    first = db[0] if bias else np.empty(len(w), w.dtype)
    kernels.lstm_backward(gy, y, h, w, w_hr, p, _lstm_kept(memory, len(z), c), dz, dh, dc, dw, first,
                          dw_hr, dp, reverse, sizes)  # fmt: skip
    if bias:
        db[1][...] = first


def _gru_forward(
    z: Any, h: Any, w: Any, *more: Any, reverse: bool = False, sizes: Any = None, out: Any = None
) -> Any:
    *biases, memory = more
    y, gates = memory_for(out, (len(z), *h.shape), z.dtype), memory.reshape(len(z), 4, *h.shape)
    b, b_new = np.zeros(len(w), z.dtype), np.zeros(h.shape[1], z.dtype)
    if biases:
        k = 2 * h.shape[1]
        b[...], b_new = biases[0], biases[1][k:]
        b[:k] += biases[1][:k]
    kernels.gru(z, h, w, b, b_new, gates, y, reverse, sizes)
    return y


def _gru_backward(
    g: Any, y: Any, z: Any, h: Any, w: Any, *more: Any, out: Any, reverse: bool = False, sizes: Any = None
) -> None:
    dz, dh, dw, *db = out
    if not db:
        db = np.empty((2, len(w)), w.dtype)
    gates = more[-1].reshape(len(z), 4, *h.shape)
    kernels.gru_backward(g, y, h, w, gates, dz, dh, dw, db[0], db[1], reverse, sizes)


def _flops(y: Any, z: Any, h: Any, w: Any, *more: Any, **params: Any) -> int:
    return 2 * z.size * int(w.shape[1]) + z.size  # the products of the state, and the gates


_rnn_op = fused(
    _rnn, _rnn_forward, _rnn_backward, name="rnn", flops=_flops,
    doc="h_t = tanh(z_t + b + W h_(t-1)), or relu, for all times t.",
)  # fmt: skip
_lstm_op = fused(
    _lstm, _lstm_forward, _lstm_backward, name="lstm",
    flops=lambda y, z, h, c, w, *more, **params: _flops(y, z, h, w),
    memory=lambda z, h, c, *more, **params: 6 * z.shape[0] * c.size + c.size,
    doc="The states and the last cells of an LSTM, for all times, one after the other.",
)  # fmt: skip
_gru_op = fused(
    _gru, _gru_forward, _gru_backward, name="gru", flops=_flops,
    memory=lambda z, h, *more, **params: 4 * z.shape[0] * h.size,
    doc="The states of a GRU for all times.",
)  # fmt: skip


# -- what people call ------------------------------------------------------------------------------


def rnn_scan(
    z: Any, h0: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, nonlinearity: str = "tanh",
    reverse: bool = False, sizes: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Return the states ``h_t = tanh(z_t + b_ih + W_hh h_(t-1) + b_hh)`` of all times, as one operation.

    Args:
        z: ``x_t W_ih^T``, what the input adds at each time: (T, N, H).
        h0: the first state, (N, H).
        w_hh: (H, H).
        b_ih: (H,), or None: no biases.
        b_hh: (H,), or None.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        reverse: let time run from T - 1 to 0.
        sizes: how many of the first rows there are at each time, T integers that do not increase; the
            others keep their state. None: all, always.

    Returns:
        (T, N, H).

    >>> from autograd_core import nn
    >>> scan = nn.functional.rnn_scan
    >>> scan(np.ones((3, 1, 1)), np.zeros((1, 1)), np.eye(1), nonlinearity="relu").ravel()
    array([1., 2., 3.])
    """
    biases = () if b_ih is None else (b_ih, b_hh)
    y: Tensor = _rnn_op(z, h0, w_hh, *biases, relu=nonlinearity == "relu", reverse=reverse, sizes=sizes)
    return y


def lstm_scan(
    z: Any, h0: Any, c0: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, w_hr: Any = None,
    peephole: Any = None, *, reverse: bool = False, sizes: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the states of an LSTM at all times, and its last cells, as one operation.

    With ``a = z_t + b_ih + W_hh h_(t-1) + b_hh`` in four parts: ``i = sigmoid(a_i)``, ``f = sigmoid(a_f)``,
    ``g = tanh(a_g)``, ``c_t = f c_(t-1) + i g``, ``o = sigmoid(a_o)``, ``h_t = o tanh(c_t)``.

    Args:
        z: ``x_t W_ih^T``, what the input adds to the gates i, f, g, o: (T, N, 4 H).
        h0: the first state, (N, H), or (N, P) with a projection.
        c0: the first cells, (N, H).
        w_hh: (4 H, H), or (4 H, P).
        b_ih: (4 H,), or None: no biases.
        b_hh: (4 H,), or None.
        w_hr: (P, H), or None: a projection, ``h_t = W_hr (o tanh(c_t))``.
        peephole: (3, H), or None: ``p_i c_(t-1)`` is added to a_i, ``p_f c_(t-1)`` to a_f, and ``p_o c_t``
            to a_o.
        reverse: let time run from T - 1 to 0.
        sizes: as for :func:`rnn_scan`.

    Returns:
        the states (T, N, H), or (T, N, P), and the cells after the last step, (N, H).

    >>> from autograd_core import nn
    >>> z = np.full((2, 1, 4), 100.0)  # all gates are open
    >>> h, c = nn.functional.lstm_scan(z, np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((4, 1)))
    >>> c.item(), h.ravel()
    (2.0, array([0.762, 0.964]))
    """
    more = [x for x in (b_ih, b_hh, w_hr, peephole) if x is not None]
    flat = _lstm_op(z, h0, c0, w_hh, *more, bias=b_ih is not None, project=w_hr is not None,
                    peephole=peephole is not None, reverse=reverse, sizes=sizes)  # fmt: skip
    n = z.shape[0] * h0.shape[0] * h0.shape[1]
    return ops.reshape(flat[:n], (z.shape[0], *h0.shape)), ops.reshape(flat[n:], c0.shape)


def gru_scan(
    z: Any, h0: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, reverse: bool = False,
    sizes: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Return the states of a GRU at all times, as one operation.

    With ``a = z_t + b_ih`` and ``p = W_hh h_(t-1) + b_hh`` in three parts: ``r = sigmoid(a_r + p_r)``,
    ``u = sigmoid(a_z + p_z)``, ``n = tanh(a_n + r p_n)``, ``h_t = (1 - u) n + u h_(t-1)``.

    Args:
        z: ``x_t W_ih^T``, what the input adds to the gates r, z, n: (T, N, 3 H).
        h0: the first state, (N, H).
        w_hh: (3 H, H).
        b_ih: (3 H,), or None: no biases.
        b_hh: (3 H,), or None.
        reverse: let time run from T - 1 to 0.
        sizes: as for :func:`rnn_scan`.

    Returns:
        (T, N, H).

    >>> from autograd_core import nn
    >>> nn.functional.gru_scan(np.zeros((3, 1, 3)), np.ones((1, 1)), np.zeros((3, 1))).ravel()
    array([0.5 , 0.25 , 0.125])
    """
    biases = () if b_ih is None else (b_ih, b_hh)
    y: Tensor = _gru_op(z, h0, w_hh, *biases, reverse=reverse, sizes=sizes)
    return y
