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


class Recurrent(nn.Module):
    """h = tanh(x[t] W + h U + b), step by step; the last h."""

    def __init__(self, inputs: int, size: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.w = nn.Parameter(rng.standard_normal((inputs, size)).astype("f") / 2)
        self.u = nn.Parameter(rng.standard_normal((size, size)).astype("f") / 2)
        self.b = nn.Parameter(np.zeros(size, "f"))

    def forward(self, x: Any) -> Any:
        h = ag.tensor(np.zeros((x.shape[1], self.b.shape[0]), "f"))
        for t in range(x.shape[0]):
            h = ag.tanh(x[t] @ self.w + h @ self.u + self.b)
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


def five_layers() -> Case:
    nn.manual_seed(1)
    images, labels = nn.data.digits()
    model = nn.MLP([64, 48, 32, 24, 16, 10], activation="tanh")
    return Case(Network(model, F.cross_entropy), (images[:8], labels[:8]))


def recurrent() -> Case:
    rng = np.random.default_rng(2)
    x = ag.tensor(rng.standard_normal((4, 2, 3)).astype("f"), name="x")
    model = Recurrent(3, 5, rng)
    return Case(Network(model, lambda h, y: ((h - y) ** 2).mean()), (x, np.zeros((2, 5), "f")))


def transformer_layer() -> Case:
    nn.manual_seed(3)
    x = np.random.default_rng(3).standard_normal((6, 8)).astype("f")
    return Case(Network(TransformerLayer(8), F.mse_loss), (x, np.zeros((6, 8), "f")))


CASES: dict[str, Callable[[], Case]] = {
    "one node": one_node,
    "xor": xor,
    "five layers": five_layers,
    "recurrent": recurrent,
    "transformer layer": transformer_layer,
}


def loss_of(name: str) -> ag.Tensor:
    """Run a case forward and backward, as a user does who draws afterwards."""
    case = CASES[name]()
    loss = case.function(*case.inputs)
    loss.backward()
    return loss
