"""Networks for sequences: RNN, LSTM and GRU of any length, and a layer of a transformer."""

from __future__ import annotations

from typing import Any

import numpy as np

from .images import dense
from .network import Network
from .workload import products

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def recurrent(kind: str, length: int = 50, batch: int = 32, hidden: int = 128) -> Network:
    """One layer over time; its loss is the mean square of all its outputs."""
    gates = GATES[kind] * hidden
    x = np.random.default_rng(0).standard_normal((length, batch, hidden), dtype=np.float32)
    flops = products((length * batch, hidden, gates, 5))  # 2 of the input, 3 of the state
    return Network(
        f"{kind} {length}x{batch}x{hidden}, Adam", lambda nn: getattr(nn, kind)(hidden, hidden),
        lambda p, x: scan(kind, p, x), (x,), "square", "Adam", {"lr": 1e-3}, flops, 1.0)  # fmt: skip


def scan(kind: str, p: dict[str, Any], x: Any) -> Any:
    """The same in JAX: the inputs' products at once, then a scan over time."""
    import jax.numpy as jnp
    from jax import lax
    from jax.nn import sigmoid

    w, b = p["weight_hh_l0"], p["bias_hh_l0"]
    first = jnp.zeros((x.shape[1], w.shape[1]), x.dtype)

    def rnn(h: Any, x: Any) -> Any:
        h = jnp.tanh(x + h @ w.T + b)
        return h, h

    def lstm(state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x + h @ w.T + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
        h = sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(h: Any, x: Any) -> Any:
        (xr, xz, xn), (hr, hz, hn) = jnp.split(x, 3, axis=1), jnp.split(h @ w.T + b, 3, axis=1)
        z = sigmoid(xz + hz)
        h = (1 - z) * jnp.tanh(xn + sigmoid(xr + hr) * hn) + z * h
        return h, h

    x = x @ p["weight_ih_l0"].T + p["bias_ih_l0"]
    step = {"RNN": rnn, "LSTM": lstm, "GRU": gru}[kind]
    return lax.scan(step, (first, first) if kind == "LSTM" else first, x)[1]


# -- a layer of a transformer (Vaswani et al., 2017), 8 heads, 512 units between -------------------

HEADS, BETWEEN = 8, 512


def attend(p: dict[str, Any], x: Any) -> Any:
    import jax.numpy as jnp
    from jax.nn import relu, softmax

    def norm(name: str, x: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / jnp.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
        return scaled * p[f"{name}.weight"] + p[f"{name}.bias"]

    n, t, d = x.shape
    qkv = x @ p["self_attn.in_proj_weight"].T + p["self_attn.in_proj_bias"]
    q, k, v = jnp.moveaxis(qkv.reshape(n, t, 3, HEADS, d // HEADS), (2, 3), (0, 2))
    weights = softmax(q @ jnp.swapaxes(k, -1, -2) / (d // HEADS) ** 0.5)
    y = jnp.swapaxes(weights @ v, 1, 2).reshape(n, t, d)
    x = norm("norm1", x + dense(p, "self_attn.out_proj", y))
    return norm("norm2", x + dense(p, "linear2", relu(dense(p, "linear1", x))))


def transformer(batch: int = 16, length: int = 64, width: int = 128) -> Network:
    rows = batch * length
    flops = products(
        (rows, width, 3 * width, 2), (rows, width, length, 3), (rows, length, width, 3),
        (rows, width, width, 3), (rows, width, BETWEEN, 3), (rows, BETWEEN, width, 3))  # fmt: skip
    x = np.random.default_rng(0).standard_normal((batch, length, width), dtype=np.float32)

    def model(nn: Any) -> Any:
        return nn.TransformerEncoderLayer(width, HEADS, BETWEEN, dropout=0.0, batch_first=True)

    return Network(f"transformer layer {batch}x{length}x{width}, Adam", model, attend, (x,), "square", "Adam",
                   {"lr": 1e-3}, flops, 1.0)  # fmt: skip
