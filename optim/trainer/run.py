"""One run of training: epochs of steps, and what happens between them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from math import inf
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd_core.errors import message

from .callbacks import Schedule
from .checks import check_finite
from .evaluation import measure
from .feeding import Feed, grouped, length
from .interrupt import Interrupt
from .progress import Progress
from .snapshot import about, put_back, take
from .steps import stepper

__all__ = ["Run"]


class Run:
    """The state of a run of ``Trainer.fit``, and its loop.

    Args:
        trainer: whose model, optimizer, callbacks and history these are.
        loader: what to train on.
        validation: a loader, or None.
        epochs: how many there are to be.
        steps: at most so many in each.
        progress: what shows it.
        split_seed: of the division into training and validation, if the Trainer made it.
    """

    def __init__(
        self, trainer: Any, loader: Any, validation: Any, epochs: int, steps: int | None,
        progress: Progress, split_seed: int | None,
    ) -> None:  # fmt: skip
        self.trainer, self.loader, self.validation = trainer, loader, validation
        self.epochs, self.steps, self.progress = epochs, steps, progress
        self.feed = Feed(loader)
        self.about = about(trainer, loader, steps) if trainer.checkpoints is not None else {}
        self.position = SimpleNamespace(
            epoch=0,  # whole epochs
            mark=None,  # of the present epoch; None between epochs
            batch=0,  # steps in the present epoch
            total=0.0, count=0,  # the sum of its losses, and its samples
            step=0,  # steps in all
            seconds=0.0,  # in the present epoch, up to the last checkpoint
            split_seed=split_seed,
        )  # fmt: skip
        self.saved: Any = None  # where the last checkpoint stands

    def per_epoch(self) -> int | None:
        """Return the number of steps of an epoch, if it is known."""
        count = length(self.loader)
        if count is None:
            return self.steps
        count = -(-count // self.trainer.accumulate)
        return count if self.steps is None else min(count, self.steps)

    def resume(self, path: Any, state: Any) -> None:
        """Go on from a checkpoint."""
        put_back(state, self.trainer, self)
        self.saved = self.place()
        self.trainer.step = self.position.step
        self.trainer.epoch = self.position.epoch + (self.position.mark is not None)
        done = self.position.epoch >= self.epochs or bool(self.trainer.history.stopped)
        self.progress.say(f"{'this training has ended already' if done else 'going on'}: {path} is of epoch "
                          f"{self.trainer.epoch}, step {self.trainer.step}")  # fmt: skip

    def go(self) -> None:
        """Train until all epochs are done, or somebody stops it."""
        trainer, history = self.trainer, self.trainer.history
        self.advance = stepper(trainer)
        with Interrupt() as self.interrupt, self.progress as progress:
            progress.start(self.position.step)
            self.started = self.written = perf_counter()
            if trainer.checkpoints is not None and self.saved is None:
                self.write()
            while not (self.position.epoch >= self.epochs or history.stopped or self.interrupt.came):
                if not self.epoch():
                    break
            history.interrupted = self.interrupt.came
            history.stopped = history.stopped or trainer.stopping
            if trainer.checkpoints is not None and self.saved != self.place():
                self.write()
            for hook in trainer.hooks["on_fit_end"]:
                hook(trainer)
            check_finite(trainer.model, trainer.epoch, trainer.step)
            history.interrupted = self.interrupt.came  # meanwhile, too
            if history.interrupted:
                kept = "" if trainer.checkpoints is None else ", and in a checkpoint"
                progress.say(f"interrupted by Ctrl-C in epoch {trainer.epoch} after step {trainer.step}: "
                             f"the history is kept{kept}")  # fmt: skip
            elif history.stopped:
                progress.say(f"stopped in epoch {trainer.epoch}: {history.stopped}")

    def epoch(self) -> bool:
        """Go through an epoch, or the rest of one; return whether it came to its end."""
        trainer, position = self.trainer, self.position
        again = position.mark is not None
        trainer.epoch = position.epoch + 1
        if not again:
            position.mark = self.feed.mark()
            position.batch, position.total, position.count, position.seconds = 0, 0.0, 0, 0.0
            trainer.logs = {}
            for metric in trainer.metrics.values():
                metric.reset()
            for hook in trainer.hooks["on_epoch_begin"]:
                hook(trainer)
        self.started = perf_counter()
        if not self.batches(again):
            return False
        if not position.count:
            raise ValueError(message("Trainer.fit", "an epoch without a batch", "at least one",
                                     "a list, or what can be iterated over again"))  # fmt: skip
        return self.end_epoch()

    def batches(self, again: bool) -> bool:
        """Make the steps of the epoch that are left; return whether none is."""
        trainer, position, interrupt = self.trainer, self.position, self.interrupt
        advance, hooks, clock = self.advance, trainer.hooks["on_step_end"], perf_counter
        note, rates = trainer.history.steps["loss"].append, self.rates()
        wake, due = self.wake(), self.due()
        with self.items(again) as items:
            for item in items:
                value, size = advance(item)
                position.total += value * size
                position.count += size
                position.batch += 1
                trainer.step = step = position.step = position.step + 1
                note(value)
                if rates is not None:
                    rates.append(float(trainer.optimizer.param_groups[0]["lr"]))
                for hook in hooks:
                    hook(trainer)
                if step == due or clock() >= wake or interrupt.came or trainer.stopping:
                    if interrupt.came or trainer.stopping:
                        return False
                    self.show()
                    if step == due or clock() >= self.deadline():
                        self.write()
                    wake, due = self.wake(), self.due()
        return True

    @contextlib.contextmanager
    def items(self, again: bool) -> Iterator[Any]:
        """Give the batches that are left of the epoch, in lists if gradients are accumulated."""
        n, done = self.trainer.accumulate, self.position.batch
        count = length(self.loader)
        start = done * n if count is None else min(done * n, count)
        batches = self.feed.batches(self.position.mark, start, again)
        items: Any = batches if n == 1 else grouped(batches, n)
        try:
            yield items if self.steps is None else itertools.islice(items, self.steps - done)
        finally:
            if hasattr(batches, "close"):  # a thread may be making the next ones
                batches.close()

    def end_epoch(self) -> bool:
        """Validate, record the epoch and tell the callbacks; return False if Ctrl-C came before."""
        trainer, position, history = self.trainer, self.position, self.trainer.history
        logs: dict[str, Any] = {"loss": position.total / position.count}
        logs |= {name: metric.compute() for name, metric in trainer.metrics.items()}
        if self.validation is not None:
            found = measure(trainer.model, trainer.loss, trainer.metrics, self.validation,
                            lambda: self.interrupt.came)  # fmt: skip
            if found is None:
                return False
            logs |= {f"val_{name}": value for name, value in found.items()}
        if "lr" in trainer.optimizer.param_groups[0]:
            rates = self.rates()  # the last one was used, its successor stands in the group
            logs["lr"] = rates[-1] if rates else trainer.optimizer.param_groups[0]["lr"]
        logs["seconds"] = position.seconds + perf_counter() - self.started
        before = trainer.logs
        trainer.logs = {k: float(v) for k, v in (logs | before).items() if np.ndim(v) == 0}
        trainer.results = logs
        history.append(trainer.logs)
        position.epoch, position.mark = position.epoch + 1, None
        for hook in trainer.hooks["on_epoch_end"]:
            hook(trainer)
        history.amend(trainer.logs)
        history.stopped = trainer.stopping
        self.progress.line(trainer.epoch, trainer.logs)
        every = trainer.checkpoints and trainer.checkpoints.unit == "epochs" and trainer.checkpoints.every
        if every and position.epoch % every == 0:
            self.write()
        return True

    # -- between steps ------------------------------------------------------------------------

    def rates(self) -> list[float] | None:
        """Return where the rate of each step is noted, if it changes from step to step."""
        if any(isinstance(c, Schedule) and c.every == "step" for c in self.trainer.callbacks):
            return self.trainer.history.steps.setdefault("lr", [])
        return None

    def wake(self) -> float:
        """Return when to look up from the work at the latest."""
        return min(self.deadline(), perf_counter() + self.progress.interval)

    def deadline(self) -> float:
        """Return when the clock asks for the next checkpoint."""
        checkpoints = self.trainer.checkpoints
        timed = checkpoints is not None and checkpoints.unit == "seconds"
        return float(self.written + checkpoints.every) if timed else inf

    def due(self) -> int:
        """Return the step after which the next checkpoint is written; -1 if steps do not tell."""
        checkpoints = self.trainer.checkpoints
        if checkpoints is None or checkpoints.unit != "steps":
            return -1
        every = int(checkpoints.every)
        return (self.position.step // every + 1) * every

    def show(self) -> None:
        """Bring the bar up to date."""
        if self.progress.bar is not None:
            position, logs = self.position, {"loss": self.position.total / self.position.count}
            for name, metric in self.trainer.metrics.items():
                with contextlib.suppress(ValueError):  # nothing counted yet
                    value = metric.compute()
                    if np.ndim(value) == 0:
                        logs[name] = float(value)
            self.progress.update(self.trainer.epoch, position.step, logs)

    def write(self) -> None:
        """Write a checkpoint."""
        trainer, position = self.trainer, self.position
        check_finite(trainer.model, trainer.epoch, position.step)
        now = perf_counter()
        position.seconds += now - self.started
        self.started = self.written = now
        trainer.checkpoints.save(position.step, take(trainer, self))
        self.saved = self.place()

    def place(self) -> tuple[int, int, str]:
        """Return what tells two checkpoints of a run apart."""
        return self.position.step, self.position.epoch, self.trainer.history.stopped
