"""The loss and the metrics of a model on data, without learning; its outputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core import no_grad
from autograd_core.errors import counted, message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

from .checks import check_shapes
from .feeding import forward, lost, plain

__all__ = ["evaluating", "measure", "outputs"]


@contextmanager
def evaluating(*modules: Any) -> Iterator[None]:
    """Switch modules to evaluation, record nothing, and leave each part in the mode that it was in."""
    parts = [part for module in modules if hasattr(module, "modules") for part in module.modules()]
    modes = [part.training for part in parts]
    try:
        for part in parts:
            part.training = False
        with no_grad():
            yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode


def measure(
    model: Any, loss: Callable[..., Any], metrics: Mapping[str, Any], batches: Iterable[Any],
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any] | None:  # fmt: skip
    """Return the loss and the metrics over all batches; None if ``stop()`` says so on the way.

    The loss is the mean of the batches' losses, each weighted by its samples.
    """
    fresh = {name: copy.deepcopy(metric) for name, metric in metrics.items()}
    for metric in fresh.values():
        metric.reset()
    total, count = 0.0, 0
    with evaluating(model, loss):
        for batch in map(plain, batches):
            output, target, size = forward(model, batch)
            if not count:
                check_shapes("Trainer.evaluate", output, target)
            total += float(strip(lost(loss, output, target))) * size
            count += size
            for metric in fresh.values():
                metric.update(strip(output), strip(target))
            if stop():
                return None
    if not count:
        raise ValueError(message("Trainer.evaluate", "a loader without a batch", "at least one"))
    return {"loss": total / count} | {name: metric.compute() for name, metric in fresh.items()}


def outputs(model: Any, batches: Iterable[Any], with_targets: bool) -> Any:
    """Return the outputs for all batches as one array, or a tuple of arrays."""
    found = []
    with evaluating(model):
        for batch in map(plain, batches):
            if with_targets:
                output = forward(model, batch)[0]
            else:
                output = model(*batch) if isinstance(batch, tuple) else model(batch)
                samples = batch[0] if isinstance(batch, tuple) else batch
                if isinstance(output, Tensor) and output.shape[:1] != (len(samples),):
                    raise ValueError(message(
                        "Trainer.predict", f"outputs of shape {output.shape} for "
                        f"{counted(len(samples), 'sample')}", "one for each",
                        "x[np.newaxis], if x is a single sample"))  # fmt: skip
            found.append(strip(output))
    if not found:
        raise ValueError(message("Trainer.predict", "a loader without a batch", "at least one"))
    if isinstance(found[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))
    return np.concatenate(found)
