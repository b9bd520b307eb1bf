"""The workloads of the table, each stated once; made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from . import formulas, images, perceptrons, sequences
from .workload import *
from .workload import Workload

WORKLOADS: dict[str, Callable[[], Workload]] = {
    "mlp": lambda: perceptrons.sigmoid(10, 0.5, peers=True).workload(),
    "mlp-128": lambda: perceptrons.sigmoid(128, 1.0).workload(),
    "mlp-adam": lambda: perceptrons.relu((784, 512, 256, 10), 128, 1.0).workload(),
    "lenet": lambda: images.lenet().workload(),
    "cnn": lambda: images.cnn().workload(),
    "resnet": lambda: images.residual().workload(),
    "rnn": lambda: sequences.recurrent("RNN").workload(),
    "lstm": lambda: sequences.recurrent("LSTM").workload(),
    "gru": lambda: sequences.recurrent("GRU").workload(),
    "transformer": lambda: sequences.transformer().workload(),
    "formula": formulas.elementwise,
    "hvp": formulas.hessian_vector,
    "recurrence": formulas.recurrence,
}
GROUPS = {  # further names of several rows, or of one
    "networks": ("lenet", "cnn", "resnet", "rnn", "lstm", "gru", "transformer"),
    "adam": ("mlp-adam",), "million": ("formula",),
}  # fmt: skip
