"""The Trainer: a model, an optimizer and a loss, and what is to happen while they train."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_core import nn
from autograd_core.errors import message

from .. import metrics as measures
from ..optimizer import Optimizer
from .callbacks import Schedule, hooks_of
from .checkpoints import Checkpoints
from .checks import check_parameters, positive
from .evaluation import measure, outputs
from .feeding import DATASETS, is_loader, loader_of, split
from .history import History
from .progress import Progress
from .run import Run
from .snapshot import check_same

__all__ = ["Trainer"]

TOGETHER = 256  # samples at a time where nothing is learnt


class Trainer:
    """Train a model, measure it, predict with it.

    Every step is ``zero_grad``, the model, the loss, ``backward``, clipping, the optimizer's ``step``,
    as one would write it by hand; the loop adds a few microseconds to that. A loss that is NaN or infinite
    stops the training before the step that it would spoil. Ctrl-C lets the step end; ``fit`` then returns
    what there is so far, with ``history.interrupted``. A second Ctrl-C stops at once.

    Args:
        model: a Module.
        optimizer: holds its parameters. One with ``needs_closure``, such as L-BFGS, gets a closure.
        loss: a Module or a function: ``loss(output, target)`` gives one number.
        metrics: names (``"accuracy"``), objects of :mod:`optim.metrics`, functions of output and target; in
            a list, or in a dictionary by the names that they have in the history.
        scheduler: of the learning rate: stepped after each epoch. ReduceLROnPlateau gets the loss, that of
            the validation if there is one. A function gives the rate for an epoch, counted from 0.
        scheduler_every: ``"epoch"`` or ``"step"``, for which OneCycleLR and CyclicLR are meant.
        callbacks: objects with hooks, see :class:`optim.Callback`.
        checkpoints: an :class:`optim.Checkpoints`, or a folder to have one each epoch: the same ``fit``,
            called again, goes on from the last.
        clip_norm: the largest norm of all gradients together.
        clip_value: the largest absolute value in a gradient.
        accumulate: batches whose gradients make one step, averaged over their samples.
        seed: what ``nn.manual_seed`` gets when a training begins. The model, made before, has its own.
        quiet: neither a bar nor a line for each epoch.

    Attributes:
        history: the History of the last training, also when an error ended it.
        epoch, step: the present epoch, from 1, and all steps so far.
        logs: the numbers of the present epoch.
        results: those of the last epoch, with metrics that are arrays, such as a confusion matrix.
        validates: whether there is validation.

    Raises:
        TypeError, ValueError: something is not what it should be; the optimizer holds none of the model's
            parameters, or the model has none to learn.

    >>> from autograd_core import nn, optim
    >>> _ = nn.manual_seed(0)
    >>> x, x_test, y, y_test = nn.data.train_test_split(*nn.data.digits(), test_size=0.2)
    >>> model = nn.MLP([64, 32, 10], activation="tanh")
    >>> sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    >>> trainer = optim.Trainer(model, sgd, nn.CrossEntropyLoss(), metrics=["accuracy"], quiet=True)
    >>> history = trainer.fit(x, y, epochs=5, validation=0.1)
    >>> list(history)
    ['loss', 'accuracy', 'val_loss', 'val_accuracy', 'lr', 'seconds']
    >>> trainer.evaluate(x_test, y_test)["accuracy"] > 0.9
    True
    >>> trainer.predict(x_test).shape
    (359, 10)
    """

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, loss: Callable[..., Any], *,
        metrics: Iterable[Any] | Mapping[str, Any] | None = (), scheduler: Any = None,
        scheduler_every: str = "epoch", callbacks: Iterable[Any] | None = (), checkpoints: Any = None,
        clip_norm: float | None = None, clip_value: float | None = None, accumulate: int = 1,
        seed: int | None = None, quiet: bool = False,
    ) -> None:  # fmt: skip
        if not isinstance(model, nn.Module):
            raise TypeError(message("Trainer", f"a model of type {type(model).__name__}", "a Module"))
        if not isinstance(optimizer, Optimizer):
            several = isinstance(optimizer, (list, tuple))
            got = f"a {type(optimizer).__name__} of optimizers" if several else f"an optimizer {optimizer!r}"
            hint = "a loop of your own for several" if several else "optim.Adam(model.parameters())"
            raise TypeError(message("Trainer", got, "an Optimizer", hint))
        if not callable(loss) or isinstance(loss, type):
            raise TypeError(message("Trainer", f"a loss {loss!r}", "a function of output and target",
                                    "nn.CrossEntropyLoss()"))  # fmt: skip
        check_parameters(model, loss, optimizer)
        positive("Trainer", accumulate=accumulate)
        for name, value in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if value is not None and not value > 0:
                raise ValueError(message("Trainer", f"{name}={value!r}", "a positive number or None"))
        if accumulate > 1 and getattr(optimizer, "needs_closure", False):
            raise ValueError(message("Trainer", f"accumulate={accumulate} and {type(optimizer).__name__}",
                                     "accumulate=1 where the optimizer asks for the loss itself",
                                     "larger batches"))  # fmt: skip
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.metrics = measures_of(() if metrics is None else metrics)
        callbacks = () if callbacks is None else callbacks
        if not isinstance(callbacks, Iterable):
            raise TypeError(message("Trainer", f"callbacks={callbacks!r}", "a list", f"[{callbacks!r}]"))
        self.callbacks = list(callbacks)
        if scheduler is not None:
            known = isinstance(scheduler, Schedule)
            self.callbacks.insert(0, scheduler if known else Schedule(scheduler, scheduler_every))
        for schedule in (c.scheduler for c in self.callbacks if isinstance(c, Schedule)):
            if getattr(schedule, "optimizer", optimizer) is not optimizer:
                raise ValueError(message("Trainer", f"{schedule!r} of another optimizer",
                                         "a schedule of the Trainer's own"))  # fmt: skip
        self.hooks = hooks_of(self.callbacks)
        looks = clip_norm is not None or clip_value is not None or self.hooks["on_backward_end"]
        if looks and getattr(optimizer, "closure_form", "backward") != "backward":
            raise ValueError(message("Trainer", f"clipping or on_backward_end and {type(optimizer).__name__}",
                                     "neither: it takes the gradients itself"))  # fmt: skip
        folder = checkpoints is None or isinstance(checkpoints, Checkpoints)
        self.checkpoints: Checkpoints | None = checkpoints if folder else Checkpoints(checkpoints)
        self.clip_norm, self.clip_value, self.accumulate = clip_norm, clip_value, int(accumulate)
        self.seed, self.quiet = seed, quiet
        self.history = History()
        self.logs: dict[str, float] = {}
        self.results: dict[str, Any] = {}
        self.epoch, self.step, self.stopping, self.validates = 0, 0, "", False

    def fit(
        self, x: Any, y: Any = None, *, epochs: int, batch_size: int | None = None, validation: Any = None,
        shuffle: bool = True, transform: Any = None, steps: int | None = None, resume: bool = True,
        log_every: int = 1,
    ) -> History:  # fmt: skip
        """Train, and return what was recorded.

        With checkpoints, ``epochs`` are those of the whole run: it goes on from the last checkpoint in the
        folder, in the middle of an epoch too, and does nothing if that was the last. Without, each call
        trains for so many epochs from where the model is.

        Args:
            x: samples along the first axis; a tuple of arrays for a model of several inputs; a dataset; or a
                loader: any iterable of batches ``(inputs..., target)``, as of ``nn.data.batches``, or a list.
            y: the targets. Without them batches are inputs alone, and the loss is a function of the output.
            epochs: how often to go through all data.
            batch_size: samples in a step; 32 by default, or all if they are fewer.
            validation: ``(x, y)``, a loader, or a fraction of the samples, chosen at random and held out.
            shuffle: whether each epoch has an order of its own.
            transform: called with each batch, see ``nn.data.batches``.
            steps: end each epoch after so many.
            resume: False is for a folder in which there is no checkpoint yet.
            log_every: epochs from one line to the next.

        Raises:
            ValueError: data that do not fit each other or the loss, an empty data set, a batch larger than
                it, a checkpoint of another training, only damaged checkpoints.
            FloatingPointError: the loss is NaN or infinite, or in the end a parameter is; it names epoch,
                step, and the first parameter concerned.
            KeyboardInterrupt: at a second Ctrl-C.
        """
        positive("Trainer.fit", epochs=epochs, log_every=log_every)
        if steps is not None:
            positive("Trainer.fit", steps=steps)
        check_parameters(self.model, self.loss, self.optimizer)
        found = self._found(resume)
        if found is None and self.seed is not None:
            nn.manual_seed(self.seed)
        split_seed = None
        if isinstance(validation, (int, float)):
            if is_loader(x) or isinstance(x, DATASETS):
                kind = "a loader" if is_loader(x) else f"a {type(x).__name__}"
                raise ValueError(message("Trainer.fit", f"{kind} and validation={validation!r}",
                                         "a pair (x, y), a loader or a dataset to validate with",
                                         "nn.data.random_split(dataset, [0.9, 0.1])"))  # fmt: skip
            before = found and found[1]["position"]["split_seed"]
            split_seed = int(nn.random.generator().integers(2**63)) if before is None else before
            x, y, *held = split(x, y, validation, split_seed)
            validation = tuple(held)
        loader = loader_of("Trainer.fit", x, y, batch_size, shuffle, transform)
        tested = self._validation(validation, x, y)
        self.validates = tested is not None
        progress = Progress(epochs, None, log_every, self.quiet)
        self.history, self.logs, self.stopping = History(), {}, ""
        self.epoch = self.step = 0
        run = Run(self, loader, tested, epochs, steps, progress, split_seed)
        progress.steps = run.per_epoch()
        for callback in self.callbacks:
            if isinstance(callback, Schedule):
                callback.check_pace(epochs, progress.steps)
        if found is not None:
            check_same(found[0], found[1]["about"], run.about)
        if not self.model.training:  # parts of it that are frozen in evaluation stay so
            self.model.train()
        for hook in self.hooks["on_fit_begin"]:
            hook(self)
        if found is not None:
            run.resume(*found)
        run.go()
        return self.history

    def _found(self, resume: bool) -> Any:
        """Return the checkpoint to go on from, if there is one."""
        if self.checkpoints is None:
            return None
        if not resume and self.checkpoints.paths():
            raise ValueError(message("Trainer.fit", f"resume=False and checkpoints in "
                                     f"{str(self.checkpoints.folder)!r}", "an empty folder",
                                     "checkpoints.clear()"))  # fmt: skip
        return self.checkpoints.latest()

    def _validation(self, validation: Any, x: Any, y: Any) -> Any:
        """Return a loader of what to validate with, or None."""
        if validation is None:
            return None
        if isinstance(validation, tuple):
            if len(validation) != 2:
                raise ValueError(message("Trainer.fit", f"validation of {len(validation)} parts",
                                         "a pair (x, y), a loader, or a fraction"))  # fmt: skip
            ours, theirs = (getattr(a, "shape", ())[1:] for a in (x, validation[0]))
            if ours and theirs and ours != theirs:  # now, and not after an epoch
                raise ValueError(message("Trainer.fit", f"samples of shape {ours}, and of shape {theirs} to "
                                         "validate with", "the same shape"))  # fmt: skip
            return loader_of("Trainer.fit", *validation, None, False, default=TOGETHER)
        pair = y is not None and isinstance(validation, list) and all(hasattr(v, "shape") for v in validation)
        if pair or not is_loader(validation) and not isinstance(validation, DATASETS):
            raise TypeError(message("Trainer.fit", f"validation of type {type(validation).__name__}",
                                    "a pair (x, y), a loader, or a fraction",
                                    "a tuple" if pair else ""))  # fmt: skip
        return loader_of("Trainer.fit", validation, None, None, False, default=TOGETHER)

    def evaluate(self, x: Any, y: Any = None, *, batch_size: int = TOGETHER) -> dict[str, Any]:
        """Return the loss and the metrics on data: in evaluation mode, over all samples at once.

        The loss is the mean of the batches' losses, each weighted by its samples.

        Args:
            x, y: as for ``fit``.
            batch_size: samples at a time.
        """
        batches = loader_of("Trainer.evaluate", x, y, batch_size, False)
        return measure(self.model, self.loss, self.metrics, batches) or {}

    def predict(self, x: Any, *, batch_size: int = TOGETHER) -> Any:
        """Return the model's outputs for all samples, as a plain array: in evaluation mode, in batches.

        Args:
            x: as for ``fit``; of a loader's batches that are tuples, the last part is the target.
            batch_size: samples at a time.

        Raises:
            ValueError: a loader that shuffles, as nobody would know which output is whose.
        """
        batches = loader_of("Trainer.predict", x, None, batch_size, False)
        sampler = type(getattr(x, "sampler", None)).__name__  # PyTorch's has the same name
        if batches is x and sampler not in ("NoneType", "SequentialSampler"):
            raise ValueError(message("Trainer.predict", f"a loader that shuffles, {x!r}",
                                     "samples in their order", "shuffle=False"))  # fmt: skip
        return outputs(self.model, batches, batches is x or isinstance(x, DATASETS))

    def log(self, name: str, value: float) -> None:
        """Add a number to the present epoch, under a name of its own; callbacks call this."""
        self.logs[name] = float(value)

    def stop(self, reason: str = "a callback stopped it") -> None:
        """End the training after this step, or after this epoch if it is ending; callbacks call this."""
        self.stopping = reason

    def __repr__(self) -> str:
        lines = [f"  {type(self.model).__name__}, {type(self.optimizer).__name__}, "
                 f"{getattr(self.loss, '__name__', type(self.loss).__name__)}"]  # fmt: skip
        for name in ("metrics", "callbacks"):
            if held := getattr(self, name):
                lines.append(f"  {name}: {', '.join(n if name == 'metrics' else repr(n) for n in held)}")
        if self.checkpoints is not None:
            lines.append(f"  {self.checkpoints!r}")
        return "\n".join(["Trainer(", *lines, ")"])


def measures_of(metrics: Iterable[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics by name."""
    if isinstance(metrics, (str, bytes)) or not isinstance(metrics, Iterable):
        raise TypeError(message("Trainer", f"metrics={metrics!r}", "a list or a dictionary",
                                f"[{metrics!r}]"))  # fmt: skip
    pairs = metrics.items() if isinstance(metrics, Mapping) else ((None, metric) for metric in metrics)
    found: dict[str, Any] = {}
    for given, metric in ((name, measures.get(metric)) for name, metric in pairs):
        name = metric.name if given is None else given
        if name in found or name in ("loss", "lr", "seconds"):
            raise ValueError(message("Trainer", f"two columns of the name {name!r}", "a name for each metric",
                                     "a dictionary {name: metric}"))  # fmt: skip
        found[name] = metric
    return found
