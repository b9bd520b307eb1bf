"""The zoo: wrong gradients that a checker must catch, and right but awkward ones that it must pass.

Nearly all are plain NumPy pairs, ``f(*inputs)`` and ``vjp(g, *inputs)``, so that any checker can be
held against them. What a reader of the numbers could infer stands beside each fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import nn

from . import zoo_layers as z

__all__ = ["CORRECT", "FAULTY", "Entry"]


@dataclass(frozen=True)
class Entry:
    """A function at some inputs, and its backward, right or wrong."""

    name: str
    f: Any  # of float arrays; without vjp a function of Tensors, or a Module. Unused with make
    inputs: tuple[Any, ...]
    vjp: Any = None  # vjp(g, *inputs): the gradient, or a tuple of one per input (None: none)
    kind: str | None = None  # of the hint that names the fault; None: the entry is right
    also: tuple[str, ...] = ()  # other kinds that name it rightly too
    options: dict[str, Any] = field(default_factory=dict)  # for check_gradients
    make: Callable[[], tuple[Any, Any]] | None = None  # (f, vjp) where these keep state

    def fresh(self) -> tuple[Any, Any, tuple[Any, ...]]:
        """Return f, vjp and the inputs for one run, which disturbs no other.

        What is a view stays one: its strides are the point of it.
        """
        f, vjp = self.make() if self.make else (self.f, self.vjp)
        owned = (isinstance(x, np.ndarray) and x.flags.owndata for x in self.inputs)
        return f, vjp, tuple(x.copy("K") if own else x for x, own in zip(self.inputs, owned))


def by(slope: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the backward of an elementwise function with this derivative."""
    return lambda g, x: g * slope(x)


def at(*values: float) -> tuple[Any]:
    return (np.array(values),)


RNG = np.random.default_rng(2024)  # none that a checker may draw its directions from
X, W, ROW = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 4)), RNG.standard_normal(4)
POS = RNG.uniform(0.5, 2.5, (3, 4))
SQUARE, OTHER = RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4))
MANY = RNG.standard_normal(2000)
BATCH, GAIN = RNG.standard_normal((6, 4)), RNG.uniform(0.5, 1.5, 4)
LABELS = np.array([2, 0, 1, 3, 3, 1])
IMAGES, KERNELS = RNG.standard_normal((2, 2, 5, 5)), RNG.standard_normal((3, 2, 3, 3))
LSTM = tuple(RNG.standard_normal(shape) for shape in ((2, 3), (2, 4), (2, 4), (7, 16)))
QKV = tuple(RNG.standard_normal(shape) for shape in ((3, 4), (5, 4), (5, 2)))
TIES = np.array([1.0, 3.0, 3.0, -2.0])
WINDOWS = np.array([[0.3, 1.2, -0.5, -0.1], [2.0, 0.4, 0.7, 0.1]])
FLOATS = tuple(RNG.standard_normal((5, 5)).astype(np.float32) for _ in range(4))
WIDE = 10.0 ** np.arange(-8, 9, 2) * np.array([1, -1, 1, -1, 1, -1, 1, -1, 1])
FAR = (1000 + RNG.standard_normal((2, 64))).astype(np.float32)
Q1, Q2 = (np.linalg.qr(RNG.standard_normal((4, 4)))[0] for _ in range(2))
STIFF = Q1 @ np.diag([1.0, 1e-2, 1e-4, 1e-6]) @ Q2  # condition number 1e6
SPECTRUM = np.fft.rfft(RNG.standard_normal(8))
SHUFFLED = np.array([0.4, -1.0, 2.0, 0.9, -0.3])  # its order and the inverse of that differ
ONE_ZEROED = np.where(np.arange(1000) == 777, 0.0, 1.0)
ONE_NAN = np.where(np.arange(12).reshape(3, 4) == 6, np.nan, 1.0)


def largest(g: Any, x: Any) -> Any:
    """Return the gradient of max(x) for the first of the largest."""
    return g * (np.arange(x.size) == x.argmax())


def filtered(x: Any) -> Any:
    return np.fft.irfft(np.fft.rfft(x) * SPECTRUM, 8)


def halve_in_place(x: Any) -> Any:
    x *= 0.5
    return np.exp(x)


def scale_g(g: Any, x: Any) -> Any:
    g *= np.cos(x)
    return g


def scale_x(g: Any, x: Any) -> Any:
    np.cos(x, out=x)
    return g * x


def one_by_one(g: Any, x: Any) -> Any:
    return np.array([2 * gi * xi for gi, xi in zip(g, x)])


def look_up_vjp(g: Any, w: Any, i: Any) -> Any:
    out = np.zeros_like(w)
    np.add.at(out, i, g)
    return out, None


def last_of_repeats(g: Any, w: Any, i: Any) -> Any:
    out = np.zeros_like(w)
    out[i] = g
    return out, None


Function = Callable[..., Any]
square: Function = lambda x: x * x
twice: Function = lambda x: 2 * x
relu: Function = lambda x: np.maximum(x, 0)
offset: Function = lambda x: x - np.floor(x)
tanh_slope: Function = lambda x: 1 - np.tanh(x) ** 2
half_precise: Function = lambda x: np.tanh(x.astype(np.float32))
from_the_end: Function = lambda g: np.cumsum(g[::-1])[::-1]
apart: Function = lambda g: np.pad(g, (1, 0)) - np.pad(g, (0, 1))  # the gradient of diff
halves: Function = lambda g: (g[:4], g[4:])

CORRECT: list[Entry] = [
    # -- magnitudes
    Entry("square at 1e8", square, at(1e8, -3e8), by(twice)),
    Entry("sqrt at 1e8", np.sqrt, at(1e8, 2e8), by(lambda x: 0.5 / np.sqrt(x))),
    Entry("log at 1e8", np.log, at(1e8, 5e8), by(lambda x: 1 / x)),
    Entry("1/x at 1e8", lambda x: 1 / x, at(1e8, -2e8), by(lambda x: -1 / (x * x))),
    Entry("product at 1e8 and 1e-7", np.multiply, (1e8 * X, 1e-7 * W), lambda g, a, b: (g * b, g * a)),
    Entry("square at 1e-7", square, at(1e-7, -2e-7, 0.0), by(twice)),
    Entry("sin at 1e-7", np.sin, at(1e-7, -3e-7), by(np.cos)),
    Entry("exp at 1e-7", np.exp, at(1e-7, -1e-7), by(np.exp)),
    Entry("1/x at 1e-5", lambda x: 1 / x, at(1e-5, -2e-5, 1.0), by(lambda x: -1 / (x * x))),
    Entry("sqrt at 1e-6", np.sqrt, at(1e-6, 4.0), by(lambda x: 0.5 / np.sqrt(x))),
    Entry("x log x near 0", lambda x: x * np.log(x), at(1e-8, 1e-3, 0.4), by(lambda x: np.log(x) + 1)),
    Entry("square from 1e-8 to 1e8", square, (WIDE,), by(twice)),
    Entry("arctan from 1e-8 to 1e8", np.arctan, (WIDE,), by(lambda x: 1 / (1 + x * x))),
    Entry("large outputs", lambda x: 1e12 * np.sin(x), (X,), by(lambda x: 1e12 * np.cos(x))),
    Entry("tiny outputs", lambda x: 1e-12 * np.sin(x), (X,), by(lambda x: 1e-12 * np.cos(x))),
    Entry("huge offset", lambda x: square(x) + 1e8, (X,), by(twice)),
    Entry("unequal influence", lambda a, b: 1e6 * a + b, (X, W), lambda g, a, b: (1e6 * g, g)),
    Entry("exp at 700", np.exp, at(700.0, 1.0), by(np.exp)),
    Entry("sin at 1e4", np.sin, at(1e4, -1.2e4), by(np.cos)),
    Entry("fast oscillation", lambda x: np.sin(50 * x), (X,), by(lambda x: 50 * np.cos(50 * x))),
    Entry("arcsin near its edge", np.arcsin, at(0.9999, -0.999, 0.2),
          by(lambda x: 1 / np.sqrt(1 - x * x))),
    Entry("cancellation in 1 - cos", lambda x: 1 - np.cos(x), at(1e-3, -2e-3, 0.7), by(np.sin)),
    # -- flat and saturated
    Entry("sigmoid at 30", z.sigmoid, at(30.0, -30.0, 0.3), by(lambda x: z.sigmoid(x) * z.sigmoid(-x))),
    Entry("softplus at 40", z.softplus, at(40.0, -40.0, 0.3), by(z.sigmoid)),
    Entry("tanh saturated", np.tanh, at(25.0, -30.0), by(tanh_slope)),
    Entry("rounding", np.round, at(0.3, 1.7, -2.2), by(np.zeros_like)),
    Entry("constant", lambda x: np.ones(3) + 0 * x.sum(), (X,), lambda g, x: np.zeros_like(x)),
    Entry("rows of softmax summed", lambda x: z.softmax(x).sum(-1), (X,), lambda g, x: 0 * x),
    Entry("cube at 0", lambda x: x**3, at(0.0, 1e-4, 0.5), by(lambda x: 3 * x * x)),
    Entry("log-sum-exp of large values", z.log_sum_exp, at(1000.0, 1001.0, 998.5),
          lambda g, x: g * z.softmax(x)),
    Entry("log-sum-exp with one winner", z.log_sum_exp, at(0.0, 500.0, -300.0),
          lambda g, x: g * z.softmax(x)),
    # -- kinks and jumps
    Entry("relu at and near 0", relu, at(0.0, 1e-6, -1.0, 2.0), by(lambda x: np.where(x > 0, 1.0, 0.0))),
    Entry("abs at 0", np.abs, at(0.0, 1.0, -2.0), by(np.sign)),
    Entry("abs close to its kink", lambda x: np.abs(x - 1), at(1.00001, 0.999),
          by(lambda x: np.sign(x - 1))),
    Entry("max of ties, the first", np.max, (TIES,), largest),
    Entry("max of ties, shared", np.max, (TIES,), lambda g, x: g * (x == 3) / 2),
    Entry("max pool", z.max_pool, (WINDOWS,), z.max_pool_vjp),
    Entry("norm near 0", np.linalg.norm, at(1e-7, -2e-7, 1e-9), lambda g, x: g * x / np.linalg.norm(x)),
    Entry("x - floor(x)", offset, at(0.3, 1.7, 40.25, -100.05), by(np.ones_like)),
    Entry("clip away from its edges", lambda x: np.clip(x, -1, 1), at(0.999, 1.001, -3.0),
          by(lambda x: np.where(np.abs(x) < 1, 1.0, 0.0))),
    # -- shapes and layouts
    Entry("0-d", lambda x: x**3, (np.array(2.0),), by(lambda x: 3 * x * x)),
    Entry("empty", np.sin, (np.zeros((0, 3)),), by(np.cos)),
    Entry("2,000 inputs", np.tanh, (MANY,), by(tanh_slope)),
    Entry("2,000 inputs, one output", lambda x: np.sum(np.sin(x) * x), (MANY,),
          by(lambda x: np.sin(x) + x * np.cos(x))),
    Entry("bias over rows", np.add, (X, ROW), lambda g, x, b: (g, g.sum(0))),
    Entry("product with a column", np.multiply, (X, W[:, :1]),
          lambda g, x, c: (g * c, (g * x).sum(1, keepdims=True))),
    Entry("strided", np.exp, (BATCH[::2, 1::2],), by(np.exp)),
    Entry("reversed and transposed", np.exp, (X[:, ::-1].T,), by(np.exp)),
    Entry("broadcast input", np.exp, (np.broadcast_to(ROW, (3, 4)),), by(np.exp)),
    Entry("one array as both gradients", np.add, (X, W), lambda g, a, b: (g, g)),
    Entry("a read-only gradient", np.sum, (X,), lambda g, x: np.broadcast_to(g, x.shape)),
    Entry("a gradient that is a view", lambda x: x.T, (X,), lambda g, x: g.T),
    Entry("None for what has no influence", lambda a, b: np.sin(a), (X, W),
          lambda g, a, b: (g * np.cos(a), None)),
    Entry("cumulative product", np.cumprod, at(0.5, -1.5, 2.0, 0.8),
          lambda g, x: from_the_end(g * np.cumprod(x)) / x),
    Entry("look-up with repeats", lambda w, i: w[i], (X, np.array([0, 2, 2])), look_up_vjp),
    Entry("a mask beside", np.where, (X > 0, X, W), lambda g, m, a, b: (None, g * m, g * ~m)),
    # -- float32
    Entry("four float32 matrices", z.chain, FLOATS, z.chain_vjp),
    Entry("float32 cross-entropy", z.cross_entropy, (BATCH.astype("f"), LABELS), z.cross_entropy_vjp),
    Entry("float32 inside", half_precise, (X,),
          lambda g, x: (g * (1 - half_precise(x) ** 2)).astype(x.dtype)),
    Entry("float32 far from 0", lambda x: z.normalise(x, -1), (FAR,),
          lambda g, x: z.normalise_vjp(g, x, -1)),
    # -- layers
    Entry("layer norm", lambda x: z.normalise(x, -1), (X,), lambda g, x: z.normalise_vjp(g, x, -1)),
    Entry("batch norm in training", z.batch_norm, (BATCH, GAIN, ROW), z.batch_norm_vjp),
    Entry("gelu", z.gelu, (np.linspace(-3, 3, 13),), by(z.gelu_slope)),
    Entry("convolution", z.conv2d, (IMAGES, KERNELS), z.conv2d_vjp),
    Entry("convolution with padding", z.conv1d, (MANY[:8], ROW[:3]), z.conv1d_vjp),
    Entry("LSTM cell", z.lstm_cell, LSTM, z.lstm_cell_vjp),
    Entry("attention", z.attention, QKV, z.attention_vjp),
    Entry("stiff linear system", np.linalg.solve, (STIFF, ROW), z.solve_vjp),
    Entry("filter by FFT", filtered, (MANY[:8],),
          lambda g, x: np.fft.irfft(np.fft.rfft(g) * SPECTRUM.conj(), 8)),
    Entry("tied matrix", None, (X,), make=lambda: (z.Tied(forgets=False), None)),
    Entry("batch statistics in a Module", None, (BATCH,),
          make=lambda: (z.Normalised(lambda g, x, std: g / std), None)),
    Entry("MLP to second order", None, (X,), options={"order": 2}, make=lambda: (nn.MLP([4, 3, 2]), None)),
]  # fmt: skip

ELEMENTS, WRONG = ("elements",), ("wrong",)

FAULTY: list[Entry] = [
    # -- constants
    Entry("factor 1.0005", np.exp, (X,), by(lambda x: 1.0005 * np.exp(x)), "factor"),
    Entry("factor 1.0005 on 2,000", np.exp, (MANY,), by(lambda x: 1.0005 * np.exp(x)), "factor"),
    Entry("square without its 2", square, (X,), by(lambda x: x), "factor"),
    Entry("cube without its 3", lambda x: x**3, (X,), by(square), "factor"),
    Entry("1 % at 1e-6", lambda x: 1e-6 * np.sin(x), (X,), by(lambda x: 1.01e-6 * np.cos(x)), "factor"),
    Entry("1 % at inputs of 1e-7", np.sin, (1e-7 * X,), by(lambda x: 1.01 * np.cos(x)), "factor"),
    Entry("sign of subtract", np.subtract, (X, W), lambda g, a, b: (g, g), "sign"),
    Entry("sign of cos", np.cos, (X,), by(np.sin), "sign"),
    Entry("zero", np.sin, (X,), by(np.zeros_like), "zero"),
    Entry("zero for the second input", np.multiply, (X, W), lambda g, a, b: (g * b, 0 * g), "zero"),
    Entry("mean for sum", lambda x: x.sum(1), (X,), lambda g, x: g[:, None] / 4 + 0 * x,
          "mean for sum", ("factor",)),
    Entry("sum for mean", lambda x: x.mean(1), (X,), lambda g, x: g[:, None] + 0 * x, "factor"),
    Entry("mean over the batch in a bias", lambda x, b: np.tanh(x) + b, (BATCH, ROW),
          lambda g, x, b: (g * tanh_slope(x), g.mean(0)), "mean for sum", ("factor",)),
    Entry("times the length of an axis", lambda x: np.exp(x).mean(0), (X,),
          by(lambda x: x.shape[1] * np.exp(x) / x.shape[0]), "factor"),
    Entry("variance with n - 1", np.var, (X,), by(lambda x: 2 * (x - x.mean()) / 11), "factor"),
    Entry("cross-entropy not over N", z.cross_entropy, (BATCH, LABELS),
          lambda g, x, i: (6 * z.cross_entropy_vjp(g, x, i)[0], None), "factor"),
    Entry("norm not divided by itself", np.linalg.norm, (X,), by(lambda x: x), "factor"),
    Entry("dropout scaled forward only", lambda x: x * (W > -0.5) / 0.8, (X,),
          by(lambda x: (W > -0.5)), "factor"),
    Entry("attention scaled forward only", z.attention, QKV,
          lambda g, q, k, v: z.attention_vjp(g, q, k, v, scaled=False), "factor"),
    # -- the incoming gradient
    Entry("|upstream|", np.sin, (X,), lambda g, x: np.abs(g) * np.cos(x), "not linear"),
    Entry("upstream squared", np.sin, (X,), lambda g, x: g * g * np.cos(x), "not linear"),
    Entry("upstream ignored", np.sin, (X,), lambda g, x: np.cos(x), "upstream ignored", ("not linear",)),
    Entry("upstream ignored in a sum", lambda x: (x**3).sum(), (X,), lambda g, x: 3 * x * x,
          "upstream ignored", ("not linear",)),
    # -- behaviour
    Entry("forward overwrites its input", halve_in_place, (X,), by(lambda x: 0.5 * np.exp(0.5 * x)),
          "mutates"),
    Entry("backward overwrites g", np.sin, (X,), scale_g, "mutates"),
    Entry("backward overwrites its input", np.sin, (X,), scale_x, "mutates"),
    Entry("random forward", None, (X,), kind="random", make=z.noisy_forward),
    Entry("mask redrawn in backward", None, (X,), kind="random", also=("stale",), make=z.redrawn_mask),
    Entry("every second backward", None, (X,), kind="stale", also=("random",), make=z.every_second),
    Entry("a buffer that adds up", None, (X,), kind="stale", also=("random", "accumulates", "mutates"),
          make=z.accumulating),
    Entry("NaN at one element", np.sin, (X,), by(lambda x: ONE_NAN * np.cos(x)), "not finite"),
    Entry("softplus by e^x / (1 + e^x)", z.softplus, at(800.0, 1.0, -2.0),
          by(lambda x: np.exp(x) / (1 + np.exp(x))), "not finite"),
    Entry("product by y / x at 0", np.prod, at(0.0, 2.0, -3.0), by(lambda x: x.prod() / x), "not finite"),
    Entry("shape (2,) for (2, 1)", np.sin, (X[:2, :1].copy(),), lambda g, x: (g * np.cos(x))[:, 0], "shape"),
    Entry("gradient of the wrong input's shape", np.matmul, (X, W.T.copy()),
          lambda g, a, b: (a.T @ g, g @ b.T), "argument swapped", ("shape",)),
    Entry("complex gradient", filtered, (MANY[:8],),
          lambda g, x: np.fft.ifft(np.fft.fft(g) * np.conj(np.fft.fft(filtered(np.eye(8)[0])))), "dtype"),
    Entry("integer gradient", np.abs, (X,), lambda g, x: (g * np.sign(x)).astype(int), "dtype"),
    Entry("None for an input", np.multiply, (X, W), lambda g, a, b: (g * b, None), "missing"),
    Entry("raises on 0-d", square, (np.array(2.0),), one_by_one, "raises"),
    Entry("float16 inside", np.sin, (X.astype("f"),),
          lambda g, x: (g.astype("e") * np.cos(x.astype("e"))).astype(x.dtype), "precision", WRONG),
    Entry("variance that cancels in float32", lambda x: z.normalise(x, -1), (FAR,), z.coarse_standard_vjp,
          "precision"),
    # -- places and axes
    Entry("weight gradient transposed", np.matmul, (BATCH, SQUARE), lambda g, x, w: (g @ w.T, g.T @ x),
          "transposed"),
    Entry("reshape back in Fortran order", lambda x: x.reshape(16), (SQUARE,),
          lambda g, x: g.reshape(4, 4, order="F"), "transposed", ("permuted",)),
    Entry("transpose by the same axes", lambda x: x.transpose(1, 2, 0), (MANY[:27].reshape(3, 3, 3),),
          lambda g, x: g.transpose(1, 2, 0), "transposed", ("permuted",)),
    Entry("sort by the inverse order", np.sort, (SHUFFLED,), lambda g, x: g[np.argsort(x)], "permuted"),
    Entry("roll the same way", lambda x: np.roll(x, 1), (MANY[:6],), lambda g, x: np.roll(g, 1), "permuted"),
    Entry("flip forgotten", lambda x: x[:, ::-1], (X,), lambda g, x: g, "permuted"),
    Entry("matmul with the wrong operand transposed", np.matmul, (SQUARE, OTHER),
          lambda g, a, b: (g @ b, a @ g), "wrong", ("transposed",)),
    Entry("gradients exchanged", np.multiply, (X, W), lambda g, a, b: (g * a, g * b), "argument swapped"),
    Entry("concatenation exchanged", lambda a, b: np.concatenate([a, b]), (MANY[:4], MANY[4:8]),
          lambda g, a, b: halves(g)[::-1], "argument swapped"),
    Entry("minimum exchanged", np.minimum, (X, W), lambda g, a, b: (g * (a > b), g * (a < b)),
          "argument swapped"),
    Entry("bias not summed", np.add, (BATCH, ROW), lambda g, x, b: (g, g), "missing sum", ("shape",)),
    Entry("bias of row 0", np.add, (BATCH, ROW), lambda g, x, b: (g, g[0]), "missing sum", WRONG),
    Entry("bias summed over the wrong axis", np.add, (SQUARE, ROW), lambda g, x, b: (g, g.sum(1)), "wrong"),
    Entry("tile back of the first copy", lambda x: np.tile(x, 3), (ROW,), lambda g, x: g[:4],
          "missing sum", WRONG),
    Entry("gain summed though it did not broadcast", np.multiply, (X, W),
          lambda g, a, w: (g * w, (g * a).sum(0) + 0 * w), "extra sum"),
    Entry("padding by edge values", z.conv1d, (MANY[:8], ROW[:3]),
          lambda g, x, w: z.conv1d_vjp(g, x, w, padding="edge"), "boundary", ELEMENTS),
    Entry("diff without its last", np.diff, (MANY[:8],),
          lambda g, x: apart(g) * (np.arange(8) < 7), "boundary", ELEMENTS),
    Entry("cumsum without its first", np.cumsum, (MANY[:8],),
          lambda g, x: from_the_end(g) - g.sum() * (np.arange(8) == 0), "boundary", ELEMENTS),
    Entry("cumsum off by one", np.cumsum, (MANY[:8],),
          lambda g, x: np.pad(from_the_end(g)[1:], (0, 1)), "wrong", ("permuted",)),
    Entry("convolution with flipped kernels", z.conv2d, (IMAGES, KERNELS),
          lambda g, x, w: z.conv2d_vjp(g, x, w, flipped=True), "wrong"),
    # -- some elements
    Entry("one of 1,000", np.sin, (MANY[:1000],), by(lambda x: ONE_ZEROED * np.cos(x)), "elements"),
    Entry("wrong if negative", lambda x: np.where(x < 0, 0.1 * x, x), (X,),
          by(lambda x: np.where(x < 0, 0.01, 1)), "elements"),
    Entry("wrong if large", square, at(0.5, -2.0, 50.0, 3.0, 1.2), by(lambda x: 2 * np.clip(x, -10, 10)),
          "elements"),
    Entry("wrong where tiny beside large", square, at(1e-3, 1e3, -2e-3, -2e3),
          by(lambda x: twice(x) * np.where(np.abs(x) < 1, 1.1, 1)), "elements"),
    Entry("clip that passes outside", lambda x: np.clip(x, -1, 1), (X,), by(np.ones_like), "elements"),
    Entry("where that passes to both", lambda a, b: np.where(X > 0, a, b), (X, W),
          lambda g, a, b: (g, g), "elements"),
    Entry("look-up keeps the last of repeats", lambda w, i: w[i], (X, np.array([0, 2, 2, 1])),
          last_of_repeats, "elements", ("missing sum", "wrong")),
    Entry("max pool to all of the window", z.max_pool, (WINDOWS,),
          lambda g, x: z.max_pool_vjp(g, x, to="window"), "elements"),
    Entry("max pool to all ties", z.max_pool, at(1.0, 1.0, 0.3, 2.0, -0.4, -0.4),
          lambda g, x: z.max_pool_vjp(g, x, to="ties"), "subgradient", (*ELEMENTS, "wrong", "factor")),
    Entry("relu' = 2 at 0", relu, at(0.0, 1.0, -1.0),
          by(lambda x: np.where(x > 0, 1.0, 0) + 2 * (x == 0)), "subgradient", ELEMENTS),
    Entry("abs' = 3 at 0", np.abs, at(0.0, 1.0, -1.0), by(lambda x: np.sign(x) + 3 * (x == 0)),
          "subgradient", ELEMENTS),
    # -- formulas
    Entry("times x", np.sin, (X,), by(lambda x: np.cos(x) * x), "times x"),
    Entry("divided by x", np.exp, (X,), by(lambda x: np.exp(x) / x), "divided by x"),
    Entry("power with n", lambda x: x**4, (X,), by(lambda x: 4 * x**4), "times x"),
    Entry("log by 1/x^2", np.log, (POS,), by(lambda x: 1 / (x * x)), "divided by x"),
    Entry("sqrt' = 1/x", np.sqrt, (POS,), by(lambda x: 1 / x), "wrong", ("divided by x",)),
    Entry("log1p' = 1/x", np.log1p, (POS,), by(lambda x: 1 / x), "wrong"),
    Entry("tanh' = 1 - y", np.tanh, (X,), by(lambda x: 1 - np.tanh(x)), "wrong"),
    Entry("sigmoid' = s (1 + s)", z.sigmoid, (X,), by(lambda x: z.sigmoid(x) * (1 + z.sigmoid(x))), "wrong"),
    Entry("gelu with 0.0447", z.gelu, (np.linspace(-3, 3, 13),), by(lambda x: z.gelu_slope(x, 0.0447)),
          "wrong", ELEMENTS),
    Entry("softmax elementwise", z.softmax, (X,), lambda g, x: g * z.softmax(x), "wrong"),
    Entry("softmax, only its diagonal", z.softmax, (X,), by(lambda x: z.softmax(x) * (1 - z.softmax(x))),
          "wrong"),
    Entry("layer norm without its variance", lambda x: z.normalise(x, -1), (X,),
          lambda g, x: z.normalise_vjp(g, x, -1, through_variance=False), "wrong"),
    Entry("batch norm without its mean", z.batch_norm, (BATCH, GAIN, ROW),
          lambda g, x, w, b: z.batch_norm_vjp(g, x, w, b, through_mean=False), "wrong"),
    Entry("LSTM without its memory", z.lstm_cell, LSTM,
          lambda g, x, h, c, w: z.lstm_cell_vjp(g, x, h, c, w, through_memory=False), "wrong"),
    # -- Tensors and Modules
    Entry("wrong in evaluation only", None, (BATCH,), kind="wrong",
          make=lambda: (z.Normalised(lambda g, x, std: z.normalise_vjp(g, x, 0)), None)),
    Entry("a buffer out of date", None, (X,), kind="factor", make=lambda: (z.Scaled(), None)),
    Entry("tied matrix forgotten", None, (X,), kind="wrong", make=lambda: (z.Tied(forgets=True), None)),
    Entry("second order lost", z.operation(np.sin, lambda g, y, x: g * np.cos(z.blind(x))), (X,),
          kind="zero", options={"order": 2}),
    Entry("second order halved", z.operation(square, lambda g, y, x: g * (x + z.blind(x))), (X,),
          kind="factor", options={"order": 2}),
    Entry("a constant on the way", lambda x: x * z.blind(x), (ag.tensor(X),), kind="factor"),
]  # fmt: skip
