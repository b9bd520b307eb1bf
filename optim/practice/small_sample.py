"""The second check before a long run: whether a few samples can be learnt by heart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import counted, message

from ..adam import Adam
from .aside import aside, plain, pure, samples, scalar
from .initial_loss import Loss, is_binary, listed

__all__ = ["SmallSample", "overfit_small_sample"]


@dataclass(frozen=True, repr=False)
class SmallSample:
    """What :func:`overfit_small_sample` found; printing it says all.

    Attributes:
        ok: the samples were learnt by heart.
        losses: the loss before each step, and after the last one.
        accuracy: the share that is right at the end; None for a regression.
        hints: what seems to be wrong.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> optim.practice.SmallSample(True, np.array([2.3, 0.5, 0.02]), 1.0, ())
    loss 2.3 -> 0.02 in 2 steps, 100% right: learnt by heart
    """

    ok: bool
    losses: ndarray[Any, Any]
    accuracy: float | None
    hints: tuple[str, ...]

    def __repr__(self) -> str:
        right = "" if self.accuracy is None else f", {self.accuracy:.0%} right"
        head = (f"loss {self.losses[0]:.4g} -> {self.losses[-1]:.4g} in "
                f"{counted(len(self.losses) - 1, 'step')}{right}: ")  # fmt: skip
        return listed(head + ("learnt by heart" if self.ok else "not learnt"), self.hints)


def overfit_small_sample(
    model: Any, loss: Loss, x: Any, y: Any, n: int = 20, *, steps: int = 500,
    optimizer: Callable[[Any], Any] | None = None, target: float = 0.01, seed: int = 0,
) -> SmallSample:  # fmt: skip
    """Train a copy on a few samples until it knows them by heart, as every network that works can.

    It has succeeded when the loss is below ``target`` times the first one and all labels are right. If it
    does not succeed, something is broken: no regularisation and no amount of data will help.

    Args:
        model: a module, which is not changed. Dropout and noise are off in the copy.
        loss: ``loss(output, target)``, whose least value should be 0.
        x, y: inputs and targets; ``n`` of them are chosen at random from ``seed``.
        n: samples.
        steps: at most so many, each on all of the samples.
        optimizer: makes one from parameters; by default Adam at a rate of 0.01, and then, if that does not
            succeed, of 0.001.
        target: the share of the first loss that counts as none.
        seed: of the choice.

    Raises:
        ValueError: no samples, no parameter that learns, or a loss that is not one number.

    >>> from autograd_core import nn, optim
    >>> _ = nn.manual_seed(0)
    >>> x, y = nn.data.digits()
    >>> model = nn.MLP([64, 30, 10])
    >>> optim.practice.overfit_small_sample(model, nn.functional.cross_entropy, x, y)
    loss 2.31 -> 0.02 in ... steps, 100% right: learnt by heart
    """
    who = "overfit_small_sample"
    x, y = samples(who, x, y)
    for name, number in {"n": n, "steps": steps}.items():
        if number < 1:
            raise ValueError(message(who, f"{name}={number}", "1 or more"))
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(message(who, "no parameter that requires a gradient", "one that learns",
                                 "model.requires_grad_()"))  # fmt: skip
    chosen = np.sort(np.random.default_rng(seed).choice(len(x), min(n, len(x)), replace=False))
    x, y = x[chosen], y[chosen]
    makers = [optimizer] if optimizer else [lambda p: Adam(p, lr=0.01), lambda p: Adam(p, lr=0.001)]
    tried: list[SmallSample] = []
    for make in makers:
        tried.append(_by_heart(who, model, loss, x, y, steps, make, target))
        if tried[-1].ok:
            return tried[-1]
    return min(tried, key=lambda found: found.losses[-1] if math.isfinite(found.losses[-1]) else math.inf)


def _by_heart(
    who: str, model: Any, loss: Loss, x: Any, y: Any, steps: int, make: Callable[[Any], Any], target: float
) -> SmallSample:
    losses: list[float] = []
    silent: dict[str, list[str]] = {"no gradient": [], "a gradient of 0": []}
    with aside(model) as trial, np.errstate(all="ignore"):
        optimizer = make([p for p in pure(trial).parameters() if p.requires_grad])
        for step in range(steps + 1):
            output = trial(x)
            now = scalar(who, loss, output, y)
            losses.append(float(plain(now).reshape(())))
            right = share_right(plain(output), y) if hasattr(output, "shape") else None
            learnt = losses[-1] <= target * losses[0] and right in (None, 1.0)
            if learnt or step == steps or not math.isfinite(losses[-1]):
                break
            optimizer.zero_grad()
            now.backward()
            if step == 0:
                for name, p in trial.named_parameters():
                    if p.requires_grad and p.grad is None:
                        silent["no gradient"].append(name)
                    elif p.requires_grad and not plain(p.grad).any():
                        silent["a gradient of 0"].append(name)
            optimizer.step()
    hints = [f"{what} reaches {', '.join(names)}" for what, names in silent.items() if names]
    if not learnt:
        hints += _not_learnt(x, y, losses, right)
    return SmallSample(learnt, np.array(losses), right, tuple(hints))


def share_right(z: Any, y: Any) -> float | None:
    """Return the share of samples whose class is the largest output's; None where there are no classes."""
    if y.dtype.kind in "iub" and z.ndim == y.ndim + 1:
        return float((z.argmax(1) == y).mean())
    if not is_binary(z, y):
        return None
    if z.ndim > 1 and z.shape[1] > 1 and (y.sum(1) == 1).all():  # one-hot
        return float((z.argmax(1) == y.argmax(1)).mean())
    middle = 0.5 if (z >= 0).all() and (z <= 1).all() else 0.0  # of probabilities, or of scores
    return float(((z > middle) == y).mean())


def _not_learnt(x: Any, y: Any, losses: list[float], right: float | None) -> Iterator[str]:
    if not math.isfinite(losses[-1]):
        yield f"the loss is {losses[-1]} after {counted(len(losses) - 1, 'step')}: try a lower rate"
        return
    _, same = np.unique(x.reshape(len(x), -1), axis=0, return_inverse=True)
    for group in np.unique(same):
        targets = y[same.reshape(-1) == group]
        if (targets != targets[0]).any():
            yield "equal inputs have different targets, which nothing can learn"
            break
    first, last, before = losses[0], losses[-1], losses[int(len(losses) * 0.9)]
    falling = before - last > 0.03 * (first - last)
    if right == 1.0 and not falling:
        yield (f"all labels are right, but the loss stays at {last:.3g}: it has a floor, such as that of "
               "smoothed labels or of a penalty (then set target=)")  # fmt: skip
    elif last > 0.98 * first:
        yield ("the loss does not fall: is the gradient of the right sign, do the outputs depend on the "
               "inputs, are activations saturated?")  # fmt: skip
    elif falling:
        yield "the loss is still falling: try more steps or a higher rate"
    else:
        yield "the loss has stopped falling: the network is too small, or part of it is dead"
