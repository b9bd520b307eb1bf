"""The computations whose pictures are measured in the browser, from one node to a layer of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core import nn

F = nn.functional


class Case(NamedTuple):
    function: Callable[..., Any]
    inputs: tuple[Any, ...]


class Network(nn.Module):
    """A model and its loss."""

    def __init__(self, model: nn.Module, loss: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, x: Any, target: Any) -> Any:
        return self.loss(self.model(x), target)


class Convolution(nn.Module):
    """y[o, i, j] = sum over c, k, l of w[o, c, k, l] x[c, i + k, j + l], plus b[o]; zeros around."""

    def __init__(self, inputs: int, outputs: int, size: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(rng.standard_normal((outputs, inputs, size, size)).astype("f") / 3)
        self.bias = nn.Parameter(np.zeros(outputs, "f"))

    def forward(self, x: Any) -> Any:
        n = self.weight.shape[-1] // 2
        x = np.pad(x, ((0, 0), (0, 0), (n, n), (n, n)))
        windows = ag.sliding_window_view(x, self.weight.shape[2:], axis=(2, 3))
        return np.einsum("nchwkl,ockl->nohw", windows, self.weight) + self.bias[:, None, None]


class Subsampling(nn.Module):
    """Means of squares of two by two."""

    def forward(self, x: Any) -> Any:
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))


class LeNet(nn.Module):
    """Two convolutions, each with tanh and subsampling, and three layers (LeCun et al., 1998)."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Convolution(1, 6, 3, rng), nn.Tanh(), Subsampling(),
            Convolution(6, 16, 3, rng), nn.Tanh(), Subsampling(),
        )  # fmt: skip
        self.classifier = nn.MLP([64, 32, 24, 10], activation="tanh")

    def forward(self, x: Any) -> Any:
        x = self.features(x.reshape(-1, 1, 8, 8))
        return self.classifier(x.reshape(x.shape[0], -1))


class LSTM(nn.Module):
    """Gates i, f, g, o = split(x[t] W + h U + b); c = s(f) c + s(i) tanh(g); h = s(o) tanh(c)."""

    def __init__(self, inputs: int, size: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.w = nn.Parameter(rng.standard_normal((inputs, 4 * size)).astype("f") / 2)
        self.u = nn.Parameter(rng.standard_normal((size, 4 * size)).astype("f") / 2)
        self.b = nn.Parameter(np.zeros(4 * size, "f"))

    def forward(self, x: Any) -> Any:
        h = c = ag.tensor(np.zeros((x.shape[1], self.u.shape[0]), "f"))
        for t in range(x.shape[0]):
            i, f, g, o = np.split(x[t] @ self.w + h @ self.u + self.b, 4, axis=1)
            c = ag.sigmoid(f) * c + ag.sigmoid(i) * np.tanh(g)
            h = ag.sigmoid(o) * np.tanh(c)
        return h


class Attention(nn.Module):
    """softmax(Q Kᵀ / √n) V W, of one head."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.out = nn.Linear(size, size)

    def forward(self, x: Any) -> Any:
        scores = self.query(x) @ self.key(x).T / x.shape[-1] ** 0.5
        return self.out(F.softmax(scores, dim=-1) @ self.value(x))


class Norm(nn.Module):
    """(x - mean) / deviation over the last axis, times a gain."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(np.ones(size, "f"))

    def forward(self, x: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / ag.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * self.gain


class TransformerLayer(nn.Module):
    """x + attention(norm(x)), and to that + mlp(norm(...))."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm1, self.attention = Norm(size), Attention(size)
        self.norm2 = Norm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.ReLU(), nn.Linear(2 * size, size))

    def forward(self, x: Any) -> Any:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def one_node() -> Case:
    return Case(lambda x: x, (ag.tensor(2.0, requires_grad=True, name="x"),))


def xor() -> Case:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "f")
    target = np.array([[0], [1], [1], [0]], "f")
    nn.manual_seed(0)
    return Case(Network(nn.MLP([2, 2, 1], activation="sigmoid"), F.mse_loss), (x, target))


def lenet() -> Case:
    nn.manual_seed(1)
    images, labels = nn.data.digits()
    model = LeNet(np.random.default_rng(1))
    return Case(Network(model, F.cross_entropy), (ag.tensor(images[:4]), labels[:4]))


def lstm() -> Case:
    rng = np.random.default_rng(2)
    x = ag.tensor(rng.standard_normal((4, 2, 3)).astype("f"), name="x")
    model = LSTM(3, 5, rng)
    return Case(Network(model, lambda h, y: ((h - y) ** 2).mean()), (x, np.zeros((2, 5), "f")))


def transformer_layer() -> Case:
    nn.manual_seed(3)
    x = np.random.default_rng(3).standard_normal((6, 8)).astype("f")
    return Case(Network(TransformerLayer(8), F.mse_loss), (x, np.zeros((6, 8), "f")))


CASES: dict[str, Callable[[], Case]] = {
    "one node": one_node,
    "xor": xor,
    "lenet": lenet,
    "lstm": lstm,
    "transformer layer": transformer_layer,
}


def loss_of(name: str) -> ag.Tensor:
    """Run a case forward and backward, as a user does who draws afterwards."""
    case = CASES[name]()
    loss = case.function(*case.inputs)
    loss.backward()
    return loss
