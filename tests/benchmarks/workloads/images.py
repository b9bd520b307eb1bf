"""Convolutional networks: LeNet, the lectures' tutorial network, and a basic block of ResNet."""

from __future__ import annotations

from typing import Any

import numpy as np

from .network import Network
from .workload import products


def conv_flops(batch: int, channels: int, size: int, filters: int, kernel: int, times: int) -> int:
    """Return the operations of ``times`` convolutions that give ``size`` x ``size`` places."""
    return products((batch * size * size, channels * kernel * kernel, filters, times))


def conv(p: dict[str, Any], name: str, x: Any, padding: int = 0) -> Any:
    from jax import lax

    y = lax.conv_general_dilated(x, p[f"{name}.weight"], (1, 1), [(padding, padding)] * 2)
    return y + p[f"{name}.bias"][:, None, None] if f"{name}.bias" in p else y


def relu_pool(x: Any) -> Any:
    from jax import lax, nn

    return lax.reduce_window(nn.relu(x), -np.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def dense(p: dict[str, Any], name: str, x: Any) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def digits(batch: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, 1, 28, 28), dtype=np.float32), rng.integers(10, size=batch)


# -- LeNet-5 (LeCun et al., 1998), with ReLU and max pooling ---------------------------------------


def lenet_model(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))  # fmt: skip


def lenet_forward(p: dict[str, Any], x: Any) -> Any:
    from jax.nn import relu

    x = relu_pool(conv(p, "3", relu_pool(conv(p, "0", x, 2)))).reshape(len(x), -1)
    return dense(p, "11", relu(dense(p, "9", relu(dense(p, "7", x)))))


def lenet(batch: int = 64) -> Network:
    flops = conv_flops(batch, 1, 28, 6, 5, 2) + conv_flops(batch, 6, 10, 16, 5, 3)
    flops += products((batch, 400, 120, 3), (batch, 120, 84, 3), (batch, 84, 10, 3))
    return Network(f"LeNet, batch {batch}, SGD with momentum", lenet_model, lenet_forward, digits(batch),
                   "cross_entropy", "SGD", {"lr": 0.01, "momentum": 0.9}, flops, 1.0)  # fmt: skip


# -- the tutorial network: 32 and 64 filters of 5x5, 2x2 pooling, 1,024 units ----------------------


def cnn_model(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Linear(1024, 10))  # fmt: skip


def cnn_forward(p: dict[str, Any], x: Any) -> Any:
    from jax.nn import relu

    x = relu_pool(conv(p, "3", relu_pool(conv(p, "0", x, 2)), 2)).reshape(len(x), -1)
    return dense(p, "9", relu(dense(p, "7", x)))


def cnn(batch: int = 50) -> Network:
    flops = conv_flops(batch, 1, 28, 32, 5, 2) + conv_flops(batch, 32, 14, 64, 5, 3)
    flops += products((batch, 3136, 1024, 3), (batch, 1024, 10, 3))
    return Network(f"CNN 32-64-1024, batch {batch}, Adam", cnn_model, cnn_forward, digits(batch),
                   "cross_entropy", "Adam", {"lr": 1e-3}, flops, 1.3)  # fmt: skip


# -- a basic block of ResNet (He et al., 2016), 64 channels ----------------------------------------


def residual_model(nn: Any) -> Any:
    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.conv2 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            y = self.relu(self.bn1(self.conv1(x)))
            return self.relu(self.bn2(self.conv2(y)) + x)

    return Block()


def residual_forward(p: dict[str, Any], x: Any) -> Any:
    from jax.nn import relu

    buffers = {}

    def norm(name: str, x: Any) -> Any:
        mean, var, n = x.mean((0, 2, 3)), x.var((0, 2, 3)), x.size // x.shape[1]
        for part, new in (("running_mean", mean), ("running_var", var * (n / (n - 1)))):
            buffers[f"{name}.{part}"] = 0.9 * p[f"{name}.{part}"] + 0.1 * new
        buffers[f"{name}.num_batches_tracked"] = p[f"{name}.num_batches_tracked"] + 1
        scale = p[f"{name}.weight"] / (var + 1e-5) ** 0.5
        return x * scale[:, None, None] + (p[f"{name}.bias"] - mean * scale)[:, None, None]

    y = relu(norm("bn1", conv(p, "conv1", x, 1)))
    return relu(norm("bn2", conv(p, "conv2", y, 1)) + x), buffers


def residual(batch: int = 16) -> Network:
    x = np.random.default_rng(0).standard_normal((batch, 64, 32, 32), dtype=np.float32)
    flops = conv_flops(batch, 64, 32, 64, 3, 2) + conv_flops(batch, 64, 32, 64, 3, 3)
    return Network(f"ResNet block {batch}x64x32x32, SGD with momentum", residual_model, residual_forward,
                   (x,), "square", "SGD", {"lr": 0.01, "momentum": 0.9}, flops, 1.3)  # fmt: skip
