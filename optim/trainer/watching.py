"""Callbacks that look at the inside of a model each epoch, or keep an average of it."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import nn
from autograd_core.errors import message
from autograd_core.node import strip

from .callbacks import Callback
from .checks import positive
from .evaluation import evaluating

__all__ = ["ActivationStatistics", "Averaging", "GradientStatistics"]

Row = dict[str, dict[str, Any]]


class Rows(Callback):
    """A callback with a dictionary of numbers for each epoch.

    Attributes:
        rows: for each epoch the numbers by the names of layers or parameters.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def on_fit_begin(self, trainer: Any) -> None:
        self.rows = []

    def column(self, name: str, number: str) -> list[Any]:
        """Return one number of one layer or parameter, epoch by epoch."""
        return [row[name][number] for row in self.rows]

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]


class GradientStatistics(Rows):
    """Look at the first step of each epoch: how large are gradients and updates, parameter by parameter?

    ``rows`` has of each parameter its ``norm``, its ``gradient_norm``, and the ``ratio`` of the norm of the
    step to its own, of which about 1e-3 is usual. Where gradients vanish, those of the first layers are
    far smaller than those of the last. The history gets the norm of all gradients, ``"grad_norm"``.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(3, 1)
    >>> statistics = optim.GradientStatistics()
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = optim.Trainer(model, sgd, nn.MSELoss(), callbacks=[statistics], quiet=True)
    >>> history = trainer.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2)
    >>> statistics.column("bias", "gradient_norm")[1] < history["grad_norm"][1]
    True
    """

    before: dict[str, Any] | None = None

    def on_backward_end(self, trainer: Any) -> None:
        if len(self.rows) < trainer.epoch and self.before is None:
            self.before = {name: strip(p).copy() for name, p in trainer.model.named_parameters()}

    def on_step_end(self, trainer: Any) -> None:
        if self.before is not None:
            found = nn.statistics.parameter_statistics(trainer.model, self.before)
            self.before = None
            self.rows.append({
                row.name: {"norm": row.norm, "gradient_norm": row.gradient_norm, "ratio": row.ratio}
                for row in found
            })  # fmt: skip
            norms = [row.gradient_norm for row in found if row.gradient_norm is not None]
            trainer.log("grad_norm", math.hypot(*norms))


class ActivationStatistics(Rows):
    """Look at what the layers give for a sample at the end of each epoch, in evaluation mode.

    ``rows`` has of each activation (of each layer, where there is none) ``mean``, ``std``, and the shares
    ``zeros``, ``saturated`` and ``dead``, see ``nn.statistics.layer_statistics``.

    Args:
        inputs: what the model is called with.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> x, y = np.ones((8, 3)), np.ones((8, 1))
    >>> model = nn.MLP([3, 4, 1], activation="tanh")
    >>> statistics = optim.ActivationStatistics(x)
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = optim.Trainer(model, sgd, nn.MSELoss(), callbacks=[statistics], quiet=True)
    >>> _ = trainer.fit(x, y, epochs=2)
    >>> len(statistics.column("1", "saturated"))
    2
    """

    def __init__(self, *inputs: Any) -> None:
        if not inputs:
            raise TypeError(message("ActivationStatistics", "no inputs", "what the model is called with",
                                    "ActivationStatistics(x[:256])"))  # fmt: skip
        super().__init__()
        self.inputs = inputs

    def on_epoch_end(self, trainer: Any) -> None:
        with evaluating(trainer.model):
            found = nn.statistics.layer_statistics(trainer.model, *self.inputs)
        kept = ("mean", "std", "zeros", "saturated", "dead")
        self.rows.append({row.name: {name: getattr(row, name) for name in kept} for row in found})


class Averaging(Callback):
    """Keep an average of the model up to date: ``average.update_parameters(model)``.

    Args:
        average: such as ``optim.ema(model)`` or ``optim.AveragedModel(model)``; it is a model of its own, to
            be measured by a Trainer or alone.
        every: ``"step"`` or ``"epoch"``.
        start: the first epoch, counted from 1, that counts.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(3, 1)
    >>> average = optim.AveragedModel(model)
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = optim.Trainer(model, sgd, nn.MSELoss(), callbacks=[optim.Averaging(average)], quiet=True)
    >>> _ = trainer.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, batch_size=2)
    >>> int(average.n_averaged)
    8
    """

    def __init__(self, average: Any, every: str = "step", start: int = 1) -> None:
        if not hasattr(average, "update_parameters"):
            raise TypeError(message("Averaging", f"a {type(average).__name__}", "an AveragedModel",
                                    "optim.ema(model)"))  # fmt: skip
        if every not in ("step", "epoch"):
            raise ValueError(message("Averaging", f"every={every!r}", "'step' or 'epoch'"))
        positive("Averaging", start=start)
        self.average, self.start = average, start
        self.__dict__[f"on_{every}_end"] = self.update

    def update(self, trainer: Any) -> None:
        """Take the present parameters into the average."""
        if trainer.epoch >= self.start:
            self.average.update_parameters(trainer.model)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.average.load_state_dict(state_dict["average"])
