"""Layers written by hand in NumPy, each with the backward that belongs to it: material for the zoo.

A backward is called as ``vjp(g, *inputs)`` and returns one gradient per input. All of them compute
in the precision of what they are given, so that a float32 layer stays one.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import autograd_core as ag
from autograd_core import nn

# -- elementwise -----------------------------------------------------------------------------------


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x), without overflow on either side."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x: Any) -> Any:
    """log(1 + e^x), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def gelu(x: Any) -> Any:
    """x (1 + tanh(c (x + 0.044715 x^3))) / 2 with c = sqrt(2/pi)."""
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))


def gelu_slope(x: Any, cubic: float = 0.044715) -> Any:
    """The derivative of gelu, with another constant of the cubic term on request."""
    t = np.tanh(0.7978845608028654 * (x + cubic * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * cubic * x * x)


# -- rows of classes -------------------------------------------------------------------------------


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_vjp(g: Any, x: Any) -> Any:
    y = softmax(x)
    return y * (g - (g * y).sum(-1, keepdims=True))


def log_sum_exp(x: Any) -> Any:
    top = x.max(-1, keepdims=True)
    return top[..., 0] + np.log(np.exp(x - top).sum(-1))


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean over rows of -log softmax(logits)[label]."""
    return (log_sum_exp(logits) - logits[np.arange(len(labels)), labels]).mean()


def cross_entropy_vjp(g: Any, logits: Any, labels: Any) -> Any:
    p = softmax(logits)
    p[np.arange(len(labels)), labels] -= 1
    return g * p / len(labels), None


# -- normalisation ---------------------------------------------------------------------------------


def normalise(x: Any, axis: int) -> Any:
    """(x - mean) / sqrt(var + 1e-5) along an axis."""
    centred = x - x.mean(axis, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis, keepdims=True) + 1e-5)


def normalise_vjp(
    g: Any, x: Any, axis: int, through_mean: bool = True, through_variance: bool = True
) -> Any:
    """(g - mean(g) - y mean(g y)) / std, each of the two terms on request."""
    y, std = normalise(x, axis), np.sqrt(x.var(axis, keepdims=True) + 1e-5)
    out = g - g.mean(axis, keepdims=True) if through_mean else g
    return (out - y * (g * y).mean(axis, keepdims=True) if through_variance else out) / std


def batch_norm(x: Any, gain: Any, bias: Any) -> Any:
    return gain * normalise(x, 0) + bias


def batch_norm_vjp(g: Any, x: Any, gain: Any, bias: Any, **terms: bool) -> Any:
    return normalise_vjp(g * gain, x, 0, **terms), (g * normalise(x, 0)).sum(0), g.sum(0)


def coarse_standard_vjp(g: Any, x: Any) -> Any:
    """The gradient of normalise(x, -1), with the variance as E[x^2] - E[x]^2: it cancels."""
    mean = x.mean(-1, keepdims=True)
    std = np.sqrt(np.abs((x * x).mean(-1, keepdims=True) - mean * mean) + 1e-5)
    y = (x - mean) / std
    return (g - g.mean(-1, keepdims=True) - y * (g * y).mean(-1, keepdims=True)) / std


# -- convolution and pooling -----------------------------------------------------------------------


def conv1d(x: Any, w: Any) -> Any:
    """y_i = sum_k w_k x_(i+k-1) with a kernel of 3, zeros on both sides: as long as x."""
    return sliding_window_view(np.pad(x, 1), 3) @ w


def conv1d_vjp(g: Any, x: Any, w: Any, padding: str = "constant") -> Any:
    """The right gradients; ``padding="edge"`` pads the one that arrives with its end values."""
    back = sliding_window_view(np.pad(g, 1, mode=padding), 3) @ w[::-1]  # type: ignore[call-overload]
    return back, sliding_window_view(np.pad(x, 1), 3).T @ g


def conv2d(x: Any, w: Any) -> Any:
    """Images (N, C, H, W) and kernels (O, C, 3, 3), no padding, as one product of matrices."""
    return np.moveaxis(columns(x) @ w.reshape(len(w), -1).T, -1, 1)


def columns(x: Any) -> Any:
    windows = sliding_window_view(x, (3, 3), axis=(2, 3))  # N C h w 3 3
    n, c, h, v = windows.shape[:4]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, h, v, 9 * c)


def conv2d_vjp(g: Any, x: Any, w: Any, flipped: bool = False) -> Any:
    flat = np.moveaxis(g, 1, -1)  # N h w O
    kernels = w[:, :, ::-1, ::-1] if flipped else w
    cells = (flat @ kernels.reshape(len(w), -1)).reshape(*flat.shape[:3], x.shape[1], 3, 3)
    back = np.zeros_like(x)
    h, v = flat.shape[1:3]
    for i in range(3):
        for j in range(3):
            back[:, :, i : i + h, j : j + v] += cells[..., i, j].transpose(0, 3, 1, 2)
    return back, np.tensordot(flat, columns(x), ([0, 1, 2], [0, 1, 2])).reshape(w.shape)


def max_pool(x: Any) -> Any:
    """The largest of each two neighbours along the last axis."""
    return x.reshape(*x.shape[:-1], -1, 2).max(-1)


def max_pool_vjp(g: Any, x: Any, to: str = "first") -> Any:
    """To the first of the largest, to all of the largest, or to all of the window."""
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    best = pairs == pairs.max(-1, keepdims=True)
    if to == "first":
        best[..., 1] &= ~best[..., 0]
    chosen = np.ones_like(best) if to == "window" else best
    return (g[..., None] * chosen).reshape(x.shape)


# -- recurrence and attention ----------------------------------------------------------------------


def lstm_cell(x: Any, h: Any, c: Any, w: Any) -> Any:
    """One step: gates i, f, o and the candidate from [x, h] @ w; the new h and c side by side."""
    i, f, o, a = gates(x, h, w)
    new = f * c + i * a
    return np.concatenate([o * np.tanh(new), new], -1)


def gates(x: Any, h: Any, w: Any) -> list[Any]:
    i, f, o, a = np.split(np.concatenate([x, h], -1) @ w, 4, -1)
    return [sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(a)]


def lstm_cell_vjp(g: Any, x: Any, h: Any, c: Any, w: Any, through_memory: bool = True) -> Any:
    """The right gradients; without memory, c's part of the output sends none to the gates."""
    i, f, o, a = gates(x, h, w)
    t = np.tanh(f * c + i * a)
    gh, gc = np.split(g, 2, -1)
    d = gh * o * (1 - t * t) + (gc if through_memory else 0)
    z = np.concatenate([d * a * i * (1 - i), d * c * f * (1 - f), gh * t * o * (1 - o),
                        d * i * (1 - a * a)], -1)  # fmt: skip
    gx, gprev = np.split(z @ w.T, [x.shape[-1]], -1)
    return gx, gprev, d * f, np.concatenate([x, h], -1).T @ z


def attention(q: Any, k: Any, v: Any) -> Any:
    return softmax(q @ k.T / q.shape[-1] ** 0.5) @ v


def attention_vjp(g: Any, q: Any, k: Any, v: Any, scaled: bool = True) -> Any:
    """The right gradients; or those of q and k without the factor 1 / sqrt(d)."""
    scores = q @ k.T / q.shape[-1] ** 0.5
    gs = softmax_vjp(g @ v.T, scores) / (q.shape[-1] ** 0.5 if scaled else 1)
    return gs @ k, gs.T @ q, softmax(scores).T @ g


def chain(a: Any, b: Any, c: Any, d: Any) -> Any:
    return a @ b @ c @ d


def chain_vjp(g: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return g @ (b @ c @ d).T, a.T @ g @ (c @ d).T, (a @ b).T @ g @ d.T, (a @ b @ c).T @ g


def solve_vjp(g: Any, a: Any, b: Any) -> Any:
    """Of x = a^-1 b: gb = a^-T g and ga = -gb x^T."""
    gb = np.linalg.solve(a.T, g)
    return -np.outer(gb, np.linalg.solve(a, b)), gb


# -- what remembers or draws: (f, vjp) made afresh for each run ------------------------------------


def noisy_forward() -> Any:
    rng = np.random.default_rng(0)
    return lambda x: x * (rng.random(x.shape) > 0.3), lambda g, x: g * (rng.random(x.shape) > 0.3)


def redrawn_mask() -> Any:
    """Dropout whose forward keeps its mask and whose backward draws another."""
    rng = np.random.default_rng(0)
    mask = rng.random((3, 4)) > 0.3
    return lambda x: x * mask, lambda g, x: g * (rng.random(x.shape) > 0.3)


def every_second() -> Any:
    """The second backward, the fourth and so on use what was left of the one before."""
    calls = count()
    return np.sin, lambda g, x: g * np.cos(x) * (1 + next(calls) % 2)


def accumulating() -> Any:
    """Each backward adds into the same buffer, and hands it out."""
    total = np.zeros((3, 4))

    def vjp(g: Any, x: Any) -> Any:
        nonlocal total
        total += g * np.cos(x)
        return total

    return np.sin, vjp


# -- Tensors and Modules, where the fault needs them -----------------------------------------------


def operation(fun: Any, *rules: Any) -> Any:
    """Make a user's own operation on Tensors."""
    return ag.primitive(lambda *xs: fun(*xs), name="mine", arity=len(rules)).defvjp(*rules)


def blind(x: Any) -> Any:
    """Return x as a constant: right in value, lost to the next derivative."""
    return x.detach() if isinstance(x, ag.Tensor) else x


class Normalised(nn.Module):
    """Batch statistics in training, buffers in evaluation: there with a backward on request."""

    def __init__(self, backward: Any) -> None:
        super().__init__()
        self.backward = backward
        self.register_buffer("mean", np.array([0.1, -0.2, 0.3, 0.0]))
        self.register_buffer("var", np.array([1.0, 2.0, 0.5, 1.5]))

    def forward(self, x: Any) -> Any:
        if self.training:
            return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
        std = np.sqrt(self.var + 1e-5)
        return operation(lambda x: (x - self.mean) / std, lambda g, y, x: self.backward(g, x, std))(x)


class Tied(nn.Module):
    """One matrix that is used there and back; with ``forgets`` the way back sends no gradient."""

    def __init__(self, forgets: bool) -> None:
        super().__init__()
        self.forgets = forgets
        self.weight = nn.Parameter(np.random.default_rng(2025).standard_normal((4, 2)))

    def forward(self, x: Any) -> Any:
        back = self.weight.detach() if self.forgets else self.weight
        return np.tanh(x @ self.weight) @ back.T


class Scaled(nn.Module):
    """A factor in one buffer; the backward reads another, which nobody updated."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", np.array(2.5))
        self.register_buffer("old_scale", np.array(2.0))

    def forward(self, x: Any) -> Any:
        return operation(lambda x: x * self.scale, lambda g, y, x: g * self.old_scale)(x)
