"""The first check before a long run: whether the loss at the start is that of knowing nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd_core import no_grad
from autograd_core.errors import message

from .aside import aside, plain, pure, samples, value

__all__ = ["InitialLoss", "check_initial_loss"]

Loss = Callable[[Any, Any], Any]


def listed(head: str, hints: tuple[str, ...]) -> str:
    """Write what was found with its hints below."""
    return "\n  - ".join([head, *hints])


@dataclass(frozen=True, repr=False)
class InitialLoss:
    """What :func:`check_initial_loss` found; printing it says all.

    Attributes:
        ok: the loss is near what is expected, and nothing else was found.
        loss: the loss of the model as it is.
        expected: the loss of outputs that know nothing, and ``meaning`` how it comes about.
        hints: what seems to be wrong.

    >>> from autograd_core import optim
    >>> optim.practice.InitialLoss(False, 9.2, 2.3, "log 10", ("standardise the inputs",))
    initial loss 9.2, expected about 2.3, log 10: look at this
      - standardise the inputs
    """

    ok: bool
    loss: float
    expected: float
    meaning: str
    hints: tuple[str, ...]

    def __repr__(self) -> str:
        head = f"initial loss {self.loss:.4g}, expected about {self.expected:.4g}, {self.meaning}: "
        return listed(head + ("fine" if self.ok else "look at this"), self.hints)


def check_initial_loss(
    model: Any, loss: Loss, x: Any, y: Any, *, factor: float = 1.5, expected: float | None = None
) -> InitialLoss:
    """Compare the loss before training with that of a network which knows nothing.

    With C classes that is ``log C``: all are equally likely. For yes or no it is log 2; for a regression the
    loss of answering the mean target each time (1/2, if all targets are 0 or 1); for a margin that of 0. More
    at the start means that the first epochs only undo the initialisation; a wrong reduction or a doubled
    softmax shows here too.

    Args:
        model: a module, not trained yet. It is not changed; dropout and noise are off.
        loss: ``loss(output, target)``, such as ``nn.functional.cross_entropy``.
        x, y: inputs and targets, as for training; a few hundred samples will do.
        factor: how far from the expected loss is near: at most so many times above or below.
        expected: the loss of knowing nothing, where you know better.

    Raises:
        ValueError: no samples, or a loss that is not one number.
        TypeError: the model does not return an array.

    >>> from autograd_core import nn, optim
    >>> _ = nn.manual_seed(0)
    >>> x, y = nn.data.digits()
    >>> model = nn.MLP([64, 30, 10])
    >>> optim.practice.check_initial_loss(model, nn.functional.cross_entropy, x, y)
    initial loss 2.3, expected about 2.303, log 10: fine
    >>> _ = nn.init.normal_(model[2].weight, std=10.0)
    >>> optim.practice.check_initial_loss(model, nn.functional.cross_entropy, x, y)
    initial loss ..., expected about 2.303, log 10: look at this
      - an output varies by ... from sample to sample: ...
    """
    who = "check_initial_loss"
    x, y = samples(who, x, y)
    if not factor > 1:
        raise ValueError(message(who, f"factor={factor}", "a number above 1"))
    with aside(model) as trial, no_grad(), np.errstate(all="ignore"):
        output = pure(trial)(x)
        if not hasattr(output, "shape"):
            raise TypeError(message(who, f"an output of type {type(output).__name__}", "an array",
                                    "nn.Sequential(model, nn.Lambda(lambda found: found[0]))"))  # fmt: skip
        z = plain(output)

        def of(output: Any) -> float:
            return value(who, loss, np.ascontiguousarray(output, z.dtype), y)

        start = of(z)
        if expected is None:
            nothing = _of_knowing_nothing(of, z, y)
        else:
            nothing = Nothing(expected, "as you say")
        hints = tuple(_initial_hints(of, x, y, z, start, nothing, factor))
    return InitialLoss(not hints, start, nothing.loss, nothing.meaning, hints)


class Nothing(NamedTuple):
    """The loss of knowing nothing, how it comes about, what outputs it is of, and its reduction's factor."""

    loss: float
    meaning: str
    takes: str = ""
    scale: float = 1.0


def _of_knowing_nothing(of: Callable[[Any], float], z: Any, y: Any) -> Nothing:
    """Find the loss of outputs that know nothing, and from it what the loss takes and how it is reduced."""
    labels = y.dtype.kind in "iub" and z.ndim == y.ndim + 1
    classes = [z.shape[1]] * (z.ndim > 1 and z.shape[1] > 1) + [2] * is_binary(z, y)

    def probe(output: float) -> float:
        try:
            return of(np.full_like(z, output))
        except ValueError:  # it does not take such outputs
            return math.nan

    blank = probe(0.0)
    for c in classes:
        outputs = {"scores": blank, "log-probabilities": probe(-math.log(c)), "probabilities": probe(1 / c)}
        for takes, found in outputs.items():
            for scale in dict.fromkeys([1.0, y.size, len(z), 1 / y.size, 1 / len(z)]):
                if math.isclose(found, math.log(c) * scale, rel_tol=1e-3):
                    return Nothing(math.log(c), f"log {c}", takes, scale)
    if labels or y.shape != z.shape:
        return Nothing(blank, "the loss of outputs of 0")
    if is_binary(z, y):
        return Nothing(probe(0.5), "the loss of outputs of 1/2")
    return Nothing(of(np.broadcast_to(y.mean(0), y.shape)), "the loss of the mean target")


def is_binary(z: Any, y: Any) -> bool:
    """Tell whether targets are as many as outputs, and all 0 or 1."""
    return y.shape == z.shape and bool(((y == 0) | (y == 1)).all())


def _initial_hints(
    of: Callable[[Any], float], x: Any, y: Any, z: Any, start: float, nothing: Nothing, factor: float
) -> Iterator[str]:
    expected, scale = nothing.loss, nothing.scale
    if not np.isfinite(x).all():
        yield "the inputs have NaN or infinite values: clean the data"
        return
    if not np.isfinite(z).all():
        yield "the outputs are not finite: the weights are far too large, or a layer divides by 0"
        return
    if not math.isfinite(start):
        yield f"the loss is {start} at outputs up to {abs(z).max():.3g}: is it made for such outputs?"
        return
    if scale != 1:
        how = "summed over" if scale > 1 else "divided twice by"
        yield (f"the loss is {how} {max(scale, 1 / scale):.0f} numbers: with reduction='mean' the rate does "
               "not depend on the batch size")  # fmt: skip
    if wrong := _of_another_kind(y, z, nothing.takes):
        yield wrong
    elif start / scale > factor * expected:
        yield from _too_much(of, x, y, z, expected * scale * factor)
    elif start / scale < expected / factor:
        found = len(np.unique(y)) if y.dtype.kind in "iu" and z.ndim == y.ndim + 1 else 0
        if 0 < found < z.shape[1]:
            yield f"the targets are of {found} of the {z.shape[1]} classes"
        else:
            yield "it is too good: a model that was trained, a scaled loss, or inputs that hold the target"


def _of_another_kind(y: Any, z: Any, takes: str) -> str:
    """Say that the outputs are probabilities where the loss takes scores, or the like."""
    several = z.ndim > 1 and z.shape[1] > 1
    unit = bool((z >= 0).all() and (z <= 1).all())
    if takes == "scores" and unit and several and np.allclose(z.sum(1), 1, atol=1e-3):
        return ("the outputs are probabilities, and the loss takes scores: a softmax stands twice; leave it "
                "out of the model")  # fmt: skip
    if takes == "scores" and unit and z.all() and not several and is_binary(z, y):
        return ("the outputs are probabilities, and the loss takes scores: a sigmoid stands twice; leave it "
                "out of the model")  # fmt: skip
    if takes == "log-probabilities" and several and not np.allclose(np.exp(z).sum(1), 1, atol=1e-3):
        return "the outputs are no log-probabilities, which the loss takes: try cross_entropy"
    return ""


def _too_much(of: Callable[[Any], float], x: Any, y: Any, z: Any, most: float) -> Iterator[str]:
    """Part the outputs in what all samples share and what differs, and say which of them is too large."""
    if abs(x).max() > 20 and x.dtype.kind in "iuf":
        yield f"the inputs go up to {abs(x).max():.4g}: standardise them"
        return
    if y.shape == z.shape and not is_binary(z, y) and abs(y.mean() - z.mean()) > y.std():
        yield (f"the targets are about {y.mean():.3g} with a deviation of {y.std():.3g}, the outputs about "
               f"{z.mean():.3g}: standardise the targets, or start the last bias at their mean")  # fmt: skip
        return
    common = z.mean(0, keepdims=True)
    if of(z - common) > most or not of(np.broadcast_to(common, z.shape)) > most:
        spread = float(z.std(0).mean())
        yield (f"an output varies by {spread:.3g} from sample to sample: scale the last layer's weights by "
               f"{1 / max(spread, 1e-30):.2g}")  # fmt: skip
    else:
        yield (f"what all samples have in common in the outputs goes from {common.min():.3g} to "
               f"{common.max():.3g}: start the last layer's bias at 0")  # fmt: skip
