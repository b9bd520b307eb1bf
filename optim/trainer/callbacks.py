"""What is called while a Trainer trains: early stopping, the best model on disk, schedules."""

from __future__ import annotations

import inspect
import math
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from autograd_core import nn
from autograd_core.errors import counted, message

from .checks import positive
from .history import direction

__all__ = ["BestCheckpoint", "Callback", "EarlyStopping", "LambdaCallback", "Schedule"]

HOOKS = (
    "on_fit_begin", "on_epoch_begin", "on_backward_end", "on_step_end", "on_epoch_end", "on_fit_end",
)  # fmt: skip


class Callback:
    """The base of what a Trainer calls; a subclass writes the hooks that it needs.

    Every hook gets the trainer, of which ``model``, ``optimizer``, ``epoch`` (from 1), ``step`` (all
    steps so far), ``logs`` (the numbers of this epoch) and ``history`` are of interest.
    ``trainer.log(name, value)`` adds a number to the epoch, ``trainer.stop(reason)`` ends the training
    after the step, or after the epoch if one is just ending. Hooks that are not overridden cost nothing.

    What a hook remembers and a killed run has to know belongs into ``state_dict``.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> class Weights(optim.Callback):
    ...     def on_epoch_end(self, trainer):
    ...         trainer.log("largest", float(np.abs(trainer.model.weight.numpy()).max()))
    >>> model = nn.Linear(3, 1)
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = optim.Trainer(model, sgd, nn.MSELoss(), callbacks=[Weights()], quiet=True)
    >>> history = trainer.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2)
    >>> len(history["largest"])
    2
    """

    def on_fit_begin(self, trainer: Any) -> None:
        """Begin a training; when one goes on from a checkpoint, ``load_state_dict`` comes after it."""

    def on_epoch_begin(self, trainer: Any) -> None:
        """Begin an epoch; not called again when a training goes on in the middle of one."""

    def on_backward_end(self, trainer: Any) -> None:
        """Look at gradients, after they were clipped and before the optimizer's step."""

    def on_step_end(self, trainer: Any) -> None:
        """Follow a step; gradients are still there."""

    def on_epoch_end(self, trainer: Any) -> None:
        """Follow an epoch and its validation; its numbers are in ``trainer.logs``."""

    def on_fit_end(self, trainer: Any) -> None:
        """Follow the training, also one that Ctrl-C has ended."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to keep: numbers, texts, arrays, in dictionaries and lists."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` returned."""

    def __repr__(self) -> str:
        known = [f"{k}={v!r}" for k, v in vars(self).items() if k in ("monitor", "patience", "every") and v]
        return f"{type(self).__name__}({', '.join(known)})"


def hooks_of(callbacks: Iterable[Any]) -> dict[str, list[Callable[[Any], None]]]:
    """Return for each hook the methods that do something.

    Raises:
        TypeError: a class instead of an object, or a method with the name of no hook.
    """
    hooks: dict[str, list[Callable[[Any], None]]] = {name: [] for name in HOOKS}
    for callback in callbacks:
        kind = type(callback)
        if isinstance(callback, type):
            raise TypeError(message("Trainer", f"the class {callback.__name__} as a callback", "an object",
                                    f"{callback.__name__}(...)"))  # fmt: skip
        names = {name for name in dir(callback) if name.startswith("on_")}
        if unknown := names - set(HOOKS):
            raise TypeError(message("Trainer", f"a callback {kind.__name__} with {min(unknown)}",
                                    f"hooks of the names {', '.join(HOOKS)}"))  # fmt: skip
        if not names:
            raise TypeError(message("Trainer", f"a callback of type {kind.__name__}",
                                    f"an object with {' or '.join(HOOKS[2:5])}",
                                    "optim.LambdaCallback(on_epoch_end=f)"))  # fmt: skip
        for name in names:
            hook = getattr(callback, name)
            if getattr(hook, "__func__", hook) is not getattr(Callback, name):
                hooks[name].append(hook)
    return hooks


class LambdaCallback(Callback):
    """Functions as a callback: ``LambdaCallback(on_epoch_end=lambda trainer: print(trainer.logs))``.

    Args:
        hooks: functions of the trainer, under the hooks' names.

    Raises:
        TypeError: there is no hook of a name.
    """

    def __init__(self, **hooks: Callable[[Any], Any]) -> None:
        if unknown := hooks.keys() - set(HOOKS):
            raise TypeError(message("LambdaCallback", min(unknown), f"one of {', '.join(HOOKS)}"))
        self.__dict__.update(hooks)


class Monitor(Callback):
    """A callback that watches a number of each epoch for being the best so far.

    Args:
        monitor: the number's name in the history.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric says, a loss being better when small.
        min_delta: what differs by no more is no improvement.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        who = type(self).__name__
        if mode not in ("min", "max", "auto"):
            raise ValueError(message(who, f"mode={mode!r}", "'min', 'max' or 'auto'"))
        if not min_delta >= 0:
            raise ValueError(message(who, f"min_delta={min_delta}", "a number that is not negative"))
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.best, self.best_epoch = math.nan, 0

    def on_fit_begin(self, trainer: Any) -> None:
        self.best, self.best_epoch = math.nan, 0
        if self.monitor.startswith("val_") and not trainer.validates:
            raise ValueError(message(type(self).__name__, f"monitor={self.monitor!r} without validation",
                                     "data to validate with", "fit(..., validation=0.1), or monitor='loss'"))

    def improved(self, trainer: Any) -> bool:
        """Tell whether this epoch is the best so far; if so, remember it."""
        value = watched(type(self).__name__, trainer, self.monitor)
        mode = direction(self.monitor, trainer.metrics) if self.mode == "auto" else self.mode
        sign = -1 if mode == "max" else 1
        better = math.isnan(self.best) or sign * value < sign * self.best - self.min_delta
        if better and not math.isnan(value):
            self.best, self.best_epoch = value, trainer.epoch
            return True
        return False

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]


def watched(who: str, trainer: Any, name: str) -> float:
    """Return a number of the epoch that has ended."""
    if name not in trainer.logs:
        raise KeyError(message(who, f"monitor={name!r}", f"one of {', '.join(trainer.logs)}"))
    return float(trainer.logs[name])


class EarlyStopping(Monitor):
    """Stop when a number has not become better for some epochs, and go back to the best epoch.

    Args:
        monitor: the number's name in the history.
        patience: epochs without an improvement, after which training stops.
        min_delta: what differs by no more is no improvement.
        mode: ``"min"``, ``"max"`` or ``"auto"``: as the metric says, a loss being better when small.
        restore_best: whether the model ends with the parameters and buffers of the best epoch.

    Attributes:
        best, best_epoch: the best value, and the epoch that it came from.

    Raises:
        ValueError: a setting makes no sense, or a ``val_`` number without validation.
        KeyError: there is no number of this name.

    Source: L. Prechelt, "Early stopping - but when?", 1998.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(3, 1)
    >>> stopping = optim.EarlyStopping("loss", patience=2)
    >>> sgd = optim.SGD(model.parameters(), lr=0.0)
    >>> trainer = optim.Trainer(model, sgd, nn.MSELoss(), callbacks=[stopping], quiet=True)
    >>> history = trainer.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=100)
    >>> history.epochs, stopping.best_epoch, history.stopped
    (3, 1, 'loss has not improved since epoch 1')
    """

    def __init__(
        self, monitor: str = "val_loss", patience: int = 3, min_delta: float = 0.0, mode: str = "auto",
        restore_best: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        positive("EarlyStopping", patience=patience)
        self.patience, self.restore_best = patience, restore_best
        self.kept: dict[str, Any] | None = None

    def on_fit_begin(self, trainer: Any) -> None:
        super().on_fit_begin(trainer)
        self.kept = None

    def on_epoch_end(self, trainer: Any) -> None:
        if self.improved(trainer):
            if self.restore_best:
                self.kept = trainer.model.state_dict()
        elif trainer.epoch - self.best_epoch >= self.patience:
            since = f"since epoch {self.best_epoch}" if self.best_epoch else "and was never a number"
            trainer.stop(f"{self.monitor} has not improved {since}")

    def on_fit_end(self, trainer: Any) -> None:
        if self.kept is not None:
            trainer.model.load_state_dict(self.kept)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"kept": self.kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.kept = state_dict["kept"]


class BestCheckpoint(Monitor):
    """Write the model to a file whenever a number is the best so far: ``nn.save_file``, whole or not.

    ``model.load_state_dict(nn.load_file(path))`` reads it; its metadata have the epoch and its numbers.

    Args:
        path: the file, usually ``*.safetensors``; its folder is made.
        monitor, mode, min_delta: as for :class:`EarlyStopping`.
    """

    def __init__(
        self, path: str | os.PathLike[str], monitor: str = "val_loss", mode: str = "auto",
        min_delta: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.path = Path(path)

    def on_epoch_end(self, trainer: Any) -> None:
        if self.improved(trainer):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            nn.save_file(trainer.model, self.path, {"epoch": trainer.epoch, "logs": dict(trainer.logs)})


def takes_metric(scheduler: Any) -> bool:
    """Tell whether a schedule is stepped with a metric, or the one that follows its warm-up is."""
    after = getattr(scheduler, "after", None)
    return "metrics" in inspect.signature(scheduler.step).parameters or (
        after is not None and takes_metric(after)
    )


class Schedule(Callback):
    """Step a learning-rate schedule, or set the rate by a function of the epoch.

    Args:
        scheduler: an object with ``step()``, such as those of ``optim.schedules``; or a function that
            returns the rate for an epoch, counted from 0.
        every: ``"epoch"`` or ``"step"``.
        monitor: the number that a schedule such as ReduceLROnPlateau gets, also after a warm-up: its ``step``
            has an argument ``metrics``. By default ``"val_loss"`` where there is validation, else ``"loss"``.

    Raises:
        TypeError: it has no ``step`` and is no function.
        ValueError: another ``every``, or one for which the schedule is not meant.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(3, 1)
    >>> cooling = optim.Schedule(lambda epoch: 0.5 ** (epoch + 1))
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = optim.Trainer(model, sgd, nn.MSELoss(), scheduler=cooling, quiet=True)
    >>> trainer.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=3)["lr"]
    [0.5, 0.25, 0.125]
    """

    def __init__(self, scheduler: Any, every: str = "epoch", monitor: str | None = None) -> None:
        if every not in ("epoch", "step"):
            raise ValueError(message("Schedule", f"every={every!r}", "'epoch' or 'step'"))
        self.scheduler, self.every, self.monitor = scheduler, every, monitor
        if isinstance(scheduler, type):
            name = scheduler.__name__
            raise TypeError(message("Schedule", f"the class {name}", "an object", f"{name}(optimizer, ...)"))
        step = getattr(scheduler, "step", None)
        if step is None and not callable(scheduler):
            raise TypeError(message("Schedule", f"a {type(scheduler).__name__}",
                                    "an object with step(), or a function of the epoch"))  # fmt: skip
        self.plateau = step is not None and takes_metric(scheduler)
        if every == "step" and (self.plateau or step is None):
            raise ValueError(message("Schedule", f"every='step' and {scheduler!r}", "every='epoch'"))
        if every == "step":
            self.__dict__["on_step_end"] = lambda trainer: scheduler.step()

    def on_epoch_begin(self, trainer: Any) -> None:
        if not hasattr(self.scheduler, "step"):
            rate = float(self.scheduler(trainer.epoch - 1))
            for group in trainer.optimizer.param_groups:
                group["lr"] = rate

    def on_epoch_end(self, trainer: Any) -> None:
        if self.plateau:
            name = self.monitor or ("val_loss" if trainer.validates else "loss")
            self.scheduler.step(watched("Schedule", trainer, name))
        elif self.every == "epoch" and hasattr(self.scheduler, "step"):
            self.scheduler.step()

    def check_pace(self, epochs: int, per_epoch: int | None) -> None:
        """Warn of a schedule over all steps of a training that is stepped after its epochs alone."""
        total = getattr(self.scheduler, "total_steps", None)
        if self.every == "epoch" and total and per_epoch and total >= epochs * per_epoch > epochs:
            warnings.warn(message(
                "Trainer.fit", f"{type(self.scheduler).__name__} with total_steps={total}, stepped after "
                f"each of {counted(epochs, 'epoch')}", "total_steps of what it is stepped after",
                "scheduler_every='step'"), stacklevel=3)  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        known = getattr(self.scheduler, "state_dict", None)
        return dict(known()) if known else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if hasattr(self.scheduler, "load_state_dict"):
            settings, ours = inspect.signature(type(self.scheduler)).parameters, self.state_dict()
            for name in (n for n in settings if n in ours and n in state_dict and n != "last_epoch"):
                if ours[name] != state_dict[name]:
                    warnings.warn(message(
                        "Schedule", f"{name}={state_dict[name]!r} in the checkpoint, and {ours[name]!r} "
                        "here: the checkpoint's goes on"), stacklevel=5)  # fmt: skip
            self.scheduler.load_state_dict(state_dict)
