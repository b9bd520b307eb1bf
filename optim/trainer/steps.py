"""One step of training, composed from what a Trainer was asked to do in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from math import isfinite
from typing import Any

from autograd_core import nn
from autograd_core.node import strip

from .checks import check_loss, not_finite
from .feeding import forward, lost

__all__ = ["stepper"]


def stepper(trainer: Any) -> Callable[[Any], tuple[float, int]]:
    """Return a function that takes a batch, makes a step, and returns its loss and its samples.

    With ``accumulate`` it takes a list of batches, whose gradients are averaged over all their samples.
    """
    model, loss_of, optimizer = trainer.model, trainer.loss, trainer.optimizer
    metrics, hooks = list(trainer.metrics.values()), trainer.hooks["on_backward_end"]
    norm, limit = trainer.clip_norm, trainer.clip_value
    zero_grad, update = optimizer.zero_grad, optimizer.step
    follows = norm is not None or limit is not None or bool(hooks)
    form = getattr(optimizer, "closure_form", "backward")
    first = True

    def params() -> list[Any]:  # a callback may have added some
        return [p for group in optimizer.param_groups for p in group["params"]]

    def losses(batch: Any) -> tuple[Any, float, int, Any, Any]:
        nonlocal first
        output, target, size = forward(model, batch)
        loss = lost(loss_of, output, target)
        if first:
            check_loss(output, target, loss)
            for metric in metrics:  # before anything is changed: is it one for this task?
                copy.deepcopy(metric).update(strip(output), strip(target))
            first = False
        value = loss.item()
        if not isfinite(value):
            rate = optimizer.param_groups[0].get("lr", 1.0)
            raise not_finite(model, batch, loss, value, trainer.epoch, trainer.step + 1, rate)
        return loss, value, size, output, target

    def after_backward() -> None:
        if limit is not None:
            nn.utils.clip_grad_value_(params(), limit)
        if norm is not None:
            nn.utils.clip_grad_norm_(params(), norm)
        for hook in hooks:
            hook(trainer)

    def measured(output: Any, target: Any) -> None:
        output, target = strip(output), strip(target)
        for metric in metrics:
            metric.update(output, target)

    def plain(batch: Any) -> tuple[float, int]:
        zero_grad()
        loss, value, size, output, target = losses(batch)
        loss.backward()
        if follows:
            after_backward()
        update()
        if metrics:
            measured(output, target)
        return value, size

    def several(batches: Any) -> tuple[float, int]:
        zero_grad()
        total, count = 0.0, 0
        for batch in batches:
            loss, value, size, output, target = losses(batch)
            (loss * size).backward()
            total += value * size
            count += size
            measured(output, target)
        for p in params():
            if p.grad is not None:
                p.grad = p.grad * p.grad.dtype.type(1 / count)
        after_backward()
        update()
        return total / count, count

    def searching(batch: Any) -> tuple[float, int]:
        found: list[Any] = []

        def closure() -> Any:
            zero_grad()
            if found:  # a trial on the way, whose loss may be anything
                output, target, _ = forward(model, batch)
                loss = lost(loss_of, output, target)
            else:
                loss, *rest = losses(batch)
                found.extend(rest)
                output, target = rest[2:]
            if form == "outputs":
                return output, lambda z: lost(loss_of, z, target)
            if form == "backward":
                loss.backward()
                if follows:
                    after_backward()
            return loss

        update(closure)
        value, size, output, target = found
        measured(output, target)
        return value, size

    if getattr(optimizer, "needs_closure", False):
        return searching
    return plain if trainer.accumulate == 1 else several
